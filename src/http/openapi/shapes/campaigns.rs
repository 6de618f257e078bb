//! Campaigns: what they are, their settings, what they would come to.

use crate::domain::{BatchId, CampaignId, Mode, Outcome, RunId, ScheduleId, Timestamp};
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// A list that came in.
#[derive(ToSchema)]
pub struct Import {
    batch: BatchId,
    /// The campaign's lists are counted from 1.
    ordinal: i64,
    /// The name of its file.
    source: String,
    rows_total: i64,
    accepted: i64,
    duplicates: i64,
    refused: i64,
    imported_at: Timestamp,
    /// Pairs of a mode and its weight, by which this list's arms were given; null where nothing was given.
    split: Option<Vec<Vec<Value>>>,
}

/// Rows of a list by what became of them; they add up to the rows.
#[derive(ToSchema)]
pub struct Buckets {
    accepted: i64,
    duplicate: i64,
    refused: i64,
}

#[derive(ToSchema)]
pub struct Campaign {
    id: CampaignId,
    name: String,
    /// As `campaigns/campaign.schema.json` has them, with every default written out.
    #[schema(value_type = Object)]
    settings: Value,
    settings_version: i64,
    /// What arms are drawn by, with the list's number and the phone's (docs/REPORTS.md).
    salt: String,
    imports: Vec<Import>,
    /// In their order.
    runs: Vec<RunId>,
    /// Of the last of them.
    #[schema(pattern = "^(scheduled|running|draining|paused|stopped|completed)$")]
    last_run_state: Option<String>,
    /// Told of one campaign: `checked`, or `draft` where something stands against a run.
    #[schema(nullable = false, pattern = "^(checked|draft)$")]
    state: Option<String>,
    /// What stands against a run, in sentences.
    #[schema(nullable = false)]
    hindrances: Option<Vec<String>>,
}

/// The policy that holds.
#[derive(ToSchema)]
pub struct PolicyNote {
    name: String,
    /// Rules and demands.
    rules: i64,
    /// Rules whose clause nobody has read yet.
    unverified: i64,
    /// What it does not see to.
    not_held: Vec<String>,
}

#[derive(ToSchema)]
pub struct Imported {
    id: CampaignId,
    name: String,
    rows: i64,
    buckets: Buckets,
    /// Cells of accepted rows that were left out.
    notes: i64,
    policy: PolicyNote,
    /// True where this very list came before: nothing was stored now.
    #[schema(nullable = false)]
    again: Option<bool>,
}

#[derive(ToSchema)]
pub struct Appended {
    id: BatchId,
    /// The campaign's lists are counted from 1.
    list: i64,
    rows: i64,
    buckets: Buckets,
    /// The open run in which they are called; null: the next one.
    run: Option<RunId>,
    /// True where this very list came before: nothing was stored now.
    #[schema(nullable = false)]
    again: Option<bool>,
    /// Where they are called, in a sentence.
    told: String,
}

#[derive(ToSchema)]
pub struct SettingsVersion {
    version: i64,
    changed_at: Timestamp,
    /// Through which door: `api`, `cli`, `schedule`, `halo`.
    actor: String,
    /// Who, as the request gave it.
    by: Option<String>,
    reason: Option<String>,
    /// Keys that differ from the version before.
    changed: Vec<String>,
    #[schema(value_type = Object)]
    settings: Value,
}

#[derive(ToSchema)]
pub struct SettingsNow {
    version: i64,
    #[schema(value_type = Object)]
    settings: Value,
    /// What is said, as `script.toml` has it.
    script: String,
    /// The oldest first; empty where nothing was ever changed.
    history: Vec<SettingsVersion>,
}

/// A merge patch (RFC 7396) of the settings: what it says replaces, null takes away, tables are gone into.
#[derive(ToSchema)]
pub struct SettingsPatch {
    /// Who changes it.
    #[schema(nullable = false, max_length = 200)]
    by: Option<String>,
    /// And why.
    #[schema(nullable = false, max_length = 1000)]
    reason: Option<String>,
    /// Keys of the settings.
    #[serde(flatten)]
    patch: BTreeMap<String, Value>,
}

#[derive(ToSchema)]
pub struct SettingsChanged {
    version: i64,
    /// The sections and keys that are different now.
    changed: Vec<String>,
}

#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CloneOrder {
    /// Unique.
    name: String,
    /// Everybody keeps the arm of the original; otherwise arms are drawn anew.
    #[schema(nullable = false)]
    keep_arms: Option<bool>,
    /// What is different in the copy's settings, as a merge patch.
    #[schema(value_type = Option<Object>)]
    settings: Option<Value>,
}

#[derive(ToSchema)]
pub struct Cloned {
    id: CampaignId,
    name: String,
    contacts: i64,
    /// When its schedule fires first (RFC 3339).
    next_at: Option<String>,
}

/// Who is dialled when.
#[derive(ToSchema)]
pub struct Zone {
    timezone: String,
    contacts: i64,
    /// Null: not within a year.
    opens_at: Option<Timestamp>,
    /// The same by the clock on the wall there.
    opens_local: Option<String>,
}

#[derive(ToSchema)]
pub struct PaceForecast {
    /// Starts per second, as the campaign and the account allow.
    cps: f64,
    /// Open calls.
    lines: f64,
    /// What the account holds back of what the campaign asks for.
    #[schema(nullable = false)]
    held_back: Option<Vec<String>>,
}

/// Between these two: calls of a minute, and calls that last as long as they may.
#[derive(ToSchema)]
pub struct Span {
    soonest: Option<Timestamp>,
    latest: Option<Timestamp>,
}

/// In units of the currency, by prices.toml.
#[derive(ToSchema)]
pub struct Cost {
    currency: String,
    /// Everybody answers the first call and talks for a minute.
    a_minute_each: f64,
    /// Everybody is talked to as long as the settings allow.
    most: f64,
    /// The same at every try that the settings allow.
    most_with_retries: f64,
    prices_of: String,
    prices_unverified: i64,
}

/// What a session would be told of one of the first contacts.
#[derive(ToSchema)]
pub struct Prompt {
    line: i64,
    mode: Mode,
    first_phrase: String,
    instructions: String,
}

/// What a run would come to.
#[derive(ToSchema)]
pub struct Outlook {
    /// Those who are first before all.
    zones: Vec<Zone>,
    /// Test phones: windows do not hold for them.
    any_hour: i64,
    pace: PaceForecast,
    /// When everybody was called once. Retries come on top.
    first_tries_end: Span,
    /// Null where no prices are known, or the list is too long to be priced.
    cost: Option<Cost>,
    prompts: Vec<Prompt>,
    contacts: i64,
    suppressed: i64,
    now: Timestamp,
}

/// One mode, and what it would be told.
#[derive(ToSchema)]
pub struct Told {
    mode: Mode,
    /// `backend`, `relay`, `own` or `greeting`: how it comes to its words.
    manner: String,
    language: String,
    voice: Option<String>,
    first_phrase: String,
    instructions: String,
    /// Function tools as the realtime interface declares them.
    tools: Vec<Value>,
    /// What answers turn by turn: a model, or `rules`; null where nothing of ours does.
    replier: Option<String>,
    /// All that a replying model is told before the talk but for the callee's clock; null where no model replies.
    replier_instructions: Option<String>,
    /// The model that speaks; null where the platform does.
    model: Option<String>,
    /// SHA-256 over everything above and the script behind it.
    fingerprint: Option<String>,
}

#[derive(ToSchema)]
pub struct Preview {
    /// Whose values are filled in: the line of the first contact.
    line: Option<i64>,
    script: String,
    items: Vec<Told>,
}

#[derive(ToSchema)]
pub struct ModeRow {
    mode: Mode,
    /// `backend`, `relay`, `own` or `greeting`.
    manner: String,
    /// How its calls leave the platform, where that is not the telephone network.
    route: Option<String>,
}

#[derive(ToSchema)]
pub struct Modes {
    items: Vec<ModeRow>,
}

/// Everything that a rule of a policy says, and where it is written.
#[derive(ToSchema)]
pub struct Rule {
    says: String,
    clause: String,
    source: String,
    /// Nobody has read the clause yet.
    unverified: bool,
    /// Calendars, caps and gaps, as settings write them.
    #[serde(flatten)]
    more: BTreeMap<String, Value>,
}

#[derive(ToSchema)]
pub struct Policy {
    name: String,
    title: String,
    purposes: Vec<String>,
    not_held: Vec<String>,
    /// With their calendars, caps and gaps, as settings write them.
    rules: Vec<Rule>,
    #[schema(nullable = false)]
    consent: Option<Rule>,
    #[schema(nullable = false)]
    recording: Option<Rule>,
    #[schema(nullable = false)]
    disclosure: Option<Rule>,
}

/// One person in a campaign.
#[derive(ToSchema)]
pub struct Contact {
    id: crate::domain::ContactId,
    line: i64,
    #[schema(example = "+79990000001")]
    number: String,
    name: Option<String>,
    mode: Mode,
    /// Its list names the mode: it is called, and is in no experiment.
    own_mode: bool,
    timezone: Option<String>,
    external_id: Option<String>,
    suppressed: bool,
    consent: Option<Consent>,
    /// When its turn comes; milliseconds since 1970.
    due_at: Option<Timestamp>,
    gate: Option<String>,
    /// Where it came to rest in the newest run.
    disposition: Option<Outcome>,
    tries: Option<i64>,
}

#[derive(ToSchema)]
pub struct Consent {
    kind: String,
    at: Option<Timestamp>,
    source: Option<String>,
}

#[derive(ToSchema)]
pub struct Contacts {
    items: Vec<Contact>,
    /// To be given as `after`; null at the end.
    next: Option<crate::domain::ContactId>,
}

/// A plan that starts runs.
#[derive(ToSchema)]
pub struct Schedule {
    schedule: ScheduleId,
    campaign: CampaignId,
    /// Five fields, Unix weekdays.
    cron: String,
    timezone: String,
    /// `all`, `unreached`, `next N`.
    take: String,
    /// `end-previous`, `skip`, `wait`.
    overlap: String,
    next_at: Option<Timestamp>,
    /// The open run whose end this moment waits for.
    waits_for: Option<RunId>,
    /// The next moments, the first of them `next_at`.
    upcoming: Vec<Timestamp>,
    /// Moments that made no run, the newest first.
    skipped: Vec<Skipped>,
}

#[derive(ToSchema)]
pub struct Skipped {
    due_at: Timestamp,
    /// The next moment that counts; what lies between was skipped with it.
    until_at: Option<Timestamp>,
    reason: String,
    skipped_at: Timestamp,
}
