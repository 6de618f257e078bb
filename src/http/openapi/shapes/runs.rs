//! Runs: how they stand, and what an operator says to them.

use super::Pace;
use crate::domain::{AttemptId, CampaignId, Mode, Outcome, RunId, ScheduleId, Timestamp};
use crate::http::openapi::values::GateName;
use std::collections::BTreeMap;
use utoipa::ToSchema;

#[derive(ToSchema)]
pub struct Progress {
    contacts: i64,
    /// Contacts with which the run is done.
    rested: i64,
    retries_waiting: i64,
    waiting: i64,
    dialing: i64,
    live: i64,
    ended: i64,
}

#[derive(ToSchema)]
pub struct OutcomeCount {
    outcome: Outcome,
    attempts: i64,
}

/// Contacts that a gate holds.
#[derive(ToSchema)]
pub struct Held {
    gate: GateName,
    contacts: i64,
    /// When the first of them is due.
    opens_at: Timestamp,
}

/// The run pauses itself when so many contacts have been dialled.
#[derive(ToSchema)]
pub struct Hold {
    after: i64,
    dialled: i64,
    since: Timestamp,
}

/// One change of state.
#[derive(ToSchema)]
pub struct Transition {
    /// The state from then on.
    state: String,
    at: Timestamp,
    /// Through which door: `api`, `cli`, `schedule`, `halo`.
    actor: String,
    /// Who, as the request gave it.
    by: Option<String>,
    reason: Option<String>,
}

/// Amounts in units of the currency.
#[derive(ToSchema)]
pub struct Budget {
    currency: String,
    /// The run's own; null where only the day has a limit.
    limit: Option<f64>,
    spent: f64,
    /// What calls under way may still cost.
    reserved: f64,
    day: DayBudget,
}

/// Today, over all runs of the campaign.
#[derive(ToSchema)]
pub struct DayBudget {
    limit: Option<f64>,
    spent: f64,
    reserved: f64,
    /// When the next day begins.
    next_at: Timestamp,
}

/// What pauses the run by itself.
#[derive(ToSchema)]
pub struct Breaker {
    name: String,
    /// Null: the run as a whole.
    arm: Option<String>,
    value: f64,
    threshold: f64,
    /// When it last paused the run.
    tripped_at: Option<Timestamp>,
}

#[derive(ToSchema)]
pub struct Run {
    id: RunId,
    /// The same as `id`.
    run: RunId,
    campaign: CampaignId,
    /// The address of the platform that its calls go to.
    platform: String,
    /// The campaign's runs are counted from 1.
    ordinal: i64,
    /// `campaign`, or `single` for one call.
    kind: String,
    schedule: Option<ScheduleId>,
    due_at: Option<Timestamp>,
    started_at: Timestamp,
    /// `scheduled`, `running`, `draining`, `paused`, `stopped`, `completed`.
    #[schema(pattern = "^(scheduled|running|draining|paused|stopped|completed)$")]
    state: String,
    state_reason: Option<String>,
    changed_at: Timestamp,
    ended_at: Option<Timestamp>,
    /// Since when nobody new is called.
    draining_at: Option<Timestamp>,
    /// Nobody is dialled before.
    starts_at: Option<Timestamp>,
    settings_version: i64,
    progress: Progress,
    outcomes: Vec<OutcomeCount>,
    gates: Vec<Held>,
    hold: Option<Hold>,
    history: Vec<Transition>,
    /// Absent where no money is counted.
    #[schema(nullable = false)]
    budget: Option<Budget>,
    breakers: Vec<Breaker>,
    /// Null once the run is over.
    pace: Option<Pace>,
}

/// What became of the word to its calls.
#[derive(ToSchema)]
pub struct HungUp {
    /// Their servers took the word.
    told: i64,
    /// The session was gone, or did not answer in time.
    unanswered: i64,
    /// There was no way in: the call ends at its limits.
    could_not: i64,
}

/// The run after what was asked of it.
#[derive(ToSchema)]
pub struct RunMoved {
    #[serde(flatten)]
    run: Run,
    /// Calls under way.
    live: i64,
    /// Told after `hang_up`.
    #[schema(nullable = false)]
    hang_up: Option<HungUp>,
}

/// Only those who came to rest so in an earlier run.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Only {
    #[schema(min_items = 1)]
    outcomes: Vec<Outcome>,
    /// `last`, or a run's id.
    run: Option<String>,
}

/// No body at all: everybody, now.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StartOrder {
    #[schema(max_length = 200)]
    by: Option<String>,
    #[schema(max_length = 1000)]
    reason: Option<String>,
    /// RFC 3339; nobody is dialled before.
    starts_at: Option<String>,
    /// The run pauses itself when so many contacts have been dialled.
    #[schema(minimum = 1, maximum = 10_000_000)]
    hold_after: Option<i64>,
    only: Option<Only>,
}

#[derive(ToSchema)]
pub struct Started {
    id: RunId,
    contacts: i64,
    state: String,
}

/// Who asks, and why; both stand in the history.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Word {
    #[schema(max_length = 200)]
    by: Option<String>,
    #[schema(max_length = 1000)]
    reason: Option<String>,
}

#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ResumeOrder {
    #[schema(max_length = 200)]
    by: Option<String>,
    #[schema(max_length = 1000)]
    reason: Option<String>,
    /// The run pauses itself again after so many contacts.
    #[schema(minimum = 1, maximum = 10_000_000)]
    hold_after: Option<i64>,
}

#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StopOrder {
    #[schema(max_length = 200)]
    by: Option<String>,
    #[schema(max_length = 1000)]
    reason: Option<String>,
    /// Calls under way are ended too.
    #[schema(nullable = false)]
    hang_up: Option<bool>,
}

/// A call under way.
#[derive(ToSchema)]
pub struct LiveCall {
    attempt: AttemptId,
    /// Masked.
    number: String,
    name: Option<String>,
    mode: Mode,
    r#try: i64,
    /// `starting`, `dialling`, `ringing`, `talking`.
    stage: String,
    turns: i64,
    since: Option<Timestamp>,
}

/// An attempt in a list.
#[derive(ToSchema)]
pub struct Tried {
    id: AttemptId,
    run: RunId,
    /// The ordinal of its run.
    night: i64,
    campaign: CampaignId,
    campaign_name: String,
    /// `campaign` or `single`.
    kind: String,
    r#try: i64,
    mode: Mode,
    state: String,
    outcome: Option<Outcome>,
    dialed_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
    goal: Option<bool>,
    talk_ms: Option<i64>,
    first_audio_ms: Option<i64>,
    turns: i64,
}

#[derive(ToSchema)]
pub struct TriedList {
    items: Vec<Tried>,
    /// To be given as `after`; null at the end.
    next: Option<AttemptId>,
}

#[derive(ToSchema)]
pub struct ModeOutcome {
    mode: Mode,
    outcome: Outcome,
    attempts: i64,
}

/// Calls of a span of time.
#[derive(ToSchema)]
pub struct CallSpan {
    span: i64,
    mode: Mode,
    calls: i64,
    answered: i64,
}

#[derive(ToSchema)]
pub struct Past {
    from: Timestamp,
    span_ms: i64,
    spans: i64,
    calls: Vec<CallSpan>,
}

/// Contacts whose turn comes in a span of time.
#[derive(ToSchema)]
pub struct WaitSpan {
    span: i64,
    /// A gate, or empty.
    gate: String,
    contacts: i64,
}

#[derive(ToSchema)]
pub struct Ahead {
    from: Timestamp,
    span_ms: i64,
    spans: i64,
    waits: Vec<WaitSpan>,
}

/// Everything that somebody who watches a run wants to see at once.
#[derive(ToSchema)]
pub struct RunLive {
    #[serde(flatten)]
    run: Run,
    now: Timestamp,
    campaign_name: Option<String>,
    calls: Vec<LiveCall>,
    newest: Vec<Tried>,
    outcomes_by_mode: Vec<ModeOutcome>,
    past: Past,
    ahead: Ahead,
}

#[derive(ToSchema)]
pub struct OverviewRun {
    id: RunId,
    ordinal: Option<i64>,
    state: Option<String>,
    reason: Option<String>,
    started_at: Option<Timestamp>,
    changed_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
    starts_at: Option<Timestamp>,
    contacts: Option<i64>,
    rested: Option<i64>,
    answered: Option<i64>,
    live: Option<i64>,
}

#[derive(ToSchema)]
pub struct OverviewRow {
    id: CampaignId,
    name: String,
    created_at: Timestamp,
    contacts: i64,
    runs: i64,
    /// Calls of the last 24 hours of program time.
    calls_24h: i64,
    next_at: Option<Timestamp>,
    /// The newest.
    run: Option<OverviewRun>,
}

#[derive(ToSchema)]
pub struct Overview {
    items: Vec<OverviewRow>,
    /// To be given as `after`; null at the end.
    next: Option<CampaignId>,
    now: Timestamp,
}

/// One law of dialling, and whether it holds.
#[derive(ToSchema)]
pub struct Law {
    law: String,
    holds: bool,
    found: String,
}

#[derive(ToSchema)]
pub struct ProvedRun {
    run_id: RunId,
    ordinal: i64,
    state: String,
    contacts: i64,
    rested: i64,
    waiting: i64,
    busy: i64,
    tries_max: i64,
}

/// An attempt of which it is not clear what became.
#[derive(ToSchema)]
pub struct Unclear {
    attempt_id: AttemptId,
    state: String,
    outcome: Option<Outcome>,
    claimed_at: Option<Timestamp>,
    dialed_at: Option<Timestamp>,
    session_id: Option<i64>,
    calls: Option<i64>,
    events: i64,
}

/// The tables of a campaign held against the laws.
#[derive(ToSchema)]
pub struct Proof {
    campaign: String,
    laws: Vec<Law>,
    /// Rows of lists, by what became of them.
    rows: BTreeMap<String, i64>,
    calls: BTreeMap<String, i64>,
    runs: Vec<ProvedRun>,
    unclear: Vec<Unclear>,
    money: BTreeMap<String, i64>,
    /// Arms given again, by the salt, the lists' weights and the numbers, beside those that are kept.
    arms: BTreeMap<String, i64>,
}
