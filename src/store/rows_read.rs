//! Rows as lists and exports read them.

use super::rows::Wishes;
use crate::domain::list::NumberKind;
use crate::domain::term::Term;
use crate::domain::{AttemptId, CampaignId, PhoneNumber, ScheduleId, SessionId, Timestamp, TokenHash};

#[derive(Clone, Debug, serde::Serialize)]
pub struct Schedule {
    pub schedule: ScheduleId,
    pub campaign: CampaignId,
    pub cron: String,
    pub timezone: String,
    pub take: String,
    pub overlap: String,
    pub next_at: Option<Timestamp>,
}

/// A moment of a schedule that made no run.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct SkippedFiring {
    #[serde(skip)]
    pub schedule: ScheduleId,
    #[serde(skip)]
    pub campaign: CampaignId,
    pub due_at: Timestamp,
    /// The next moment that counts; what lies between was skipped with it.
    pub until_at: Option<Timestamp>,
    pub reason: String,
    pub skipped_at: Timestamp,
}

pub struct StartAnswer {
    pub token: TokenHash,
    pub session: Option<SessionId>,
    pub access_url: Option<String>,
    pub at: Timestamp,
    pub result: &'static str,
}

/// A session whose history is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionToAsk {
    pub session: SessionId,
    pub attempt: AttemptId,
    pub known_at: Timestamp,
    /// The last patience, in program time; 0 when it was not asked about yet, or its call has ended since.
    pub waited_ms: i64,
    /// Its attempt has not ended.
    pub busy: bool,
    /// Its attempt ended without evidence and may be corrected, once.
    pub lost: bool,
}

/// When a session is asked about again; never, where no instant is named.
#[derive(Clone, Copy, Debug)]
pub struct AskLater {
    pub session: SessionId,
    pub ask_at: Option<Timestamp>,
    pub waited_ms: i64,
}

/// A recording as history names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// For fetching only: shown to nobody.
    pub url: String,
    pub duration_s: Option<i64>,
}

/// What the provider's history tells of a session; seconds and amounts are the provider's.
#[derive(Clone, Debug)]
pub struct HistoryRow {
    pub session: SessionId,
    pub attempt: AttemptId,
    pub calls: i64,
    pub body: String,
    pub fetched_at: Timestamp,
    pub finish_reason: Option<String>,
    pub session_s: Option<i64>,
    pub talk_s: Option<i64>,
    pub code: Option<i64>,
    pub reason: Option<String>,
    /// Calls, records and resources together.
    pub cost_micros: Option<i64>,
    /// The same by kind, as JSON.
    pub costs: Option<String>,
    pub log_url: Option<String>,
    pub records: Vec<Record>,
}

/// The history of an attempt's granted session, for reading.
#[derive(Clone, Debug, PartialEq)]
pub struct KnownHistory {
    pub session: SessionId,
    pub finish_reason: Option<String>,
    pub session_s: Option<i64>,
    pub talk_s: Option<i64>,
    pub code: Option<i64>,
    pub reason: Option<String>,
    pub cost_micros: Option<i64>,
    pub costs: Option<String>,
    pub fetched_at: Timestamp,
    pub log_url: Option<String>,
    pub records: Vec<Record>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, sqlx::FromRow, serde::Serialize, serde::Deserialize)]
pub struct Progress {
    pub contacts: i64,
    pub rested: i64,
    pub retries_waiting: i64,
    pub waiting: i64,
    pub dialing: i64,
    pub live: i64,
    pub ended: i64,
}

#[derive(Clone, Debug, sqlx::FromRow, serde::Serialize, serde::Deserialize)]
pub struct GateRow {
    pub gate: String,
    pub contacts: i64,
    pub opens_at: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow, serde::Serialize, serde::Deserialize)]
pub struct OutcomeRow {
    pub outcome: String,
    pub attempts: i64,
}

#[derive(Clone, Debug, sqlx::FromRow)]
pub struct AttemptRow {
    pub attempt_id: i64,
    pub run_id: i64,
    pub run_ordinal: i64,
    pub contact_id: i64,
    pub line: i64,
    pub e164: String,
    pub try_number: i64,
    pub mode: String,
    pub own_mode: i64,
    pub caller_id: Option<String>,
    pub state: String,
    pub claimed_at: Option<i64>,
    pub dialed_at: Option<i64>,
    pub ended_at: Option<i64>,
    pub callback_at: Option<i64>,
    pub outcome: Option<String>,
    pub evidence: Option<String>,
    pub session_id: Option<i64>,
    pub code: Option<i64>,
    pub reason: Option<String>,
    pub hung_up_by: Option<String>,
    pub goal: Option<i64>,
    pub answers: Option<String>,
    pub fault: Option<String>,
    pub machine: Option<i64>,
    pub answer_ms: Option<i64>,
    pub ring_ms: Option<i64>,
    pub first_audio_ms: Option<i64>,
    pub first_audio_method: Option<String>,
    pub talk_ms: Option<i64>,
    pub cost_micros: Option<i64>,
    pub turns: i64,
    pub turns_answered: i64,
    /// Whose word the call's row is: event or history.
    pub call_source: Option<String>,
    /// Suppressed during or within a minute of a human call.
    pub opted_out: i64,
}

#[derive(Clone, Debug, sqlx::FromRow)]
pub struct ContactRow {
    pub contact_id: i64,
    pub line: i64,
    pub e164: String,
    pub name: Option<String>,
    pub mode: String,
    pub own_mode: i64,
    pub timezone: Option<String>,
    pub external_id: Option<String>,
    pub variables: String,
    pub consent_kind: Option<String>,
    pub consent_at: Option<i64>,
    pub consent_source: Option<String>,
    pub not_before_at: Option<i64>,
    pub not_after_at: Option<i64>,
    pub priority: i64,
    pub phone_kind: Option<String>,
    pub suppressed_at: Option<i64>,
    pub allow_listed: bool,
    pub run_contact_id: Option<i64>,
    pub due_at: Option<i64>,
    pub gate: Option<String>,
    pub disposition: Option<String>,
    pub leased_until: Option<i64>,
    pub tries: i64,
}

impl ContactRow {
    /// As its list brought them.
    pub fn wishes(&self) -> Wishes {
        let kind = self.phone_kind.as_deref();
        Wishes {
            term: term(self.not_before_at, self.not_after_at),
            priority: u8::try_from(self.priority).unwrap_or_default(),
            kind: kind.and_then(|kind| NumberKind::ALL.into_iter().find(|known| known.as_str() == kind)),
        }
    }
}

/// A contact's term from its two columns.
pub fn term(not_before_at: Option<i64>, not_after_at: Option<i64>) -> Term {
    Term { not_before: not_before_at.map(Timestamp), not_after: not_after_at.map(Timestamp) }
}

#[derive(Clone, Debug, sqlx::FromRow)]
pub struct EventRow {
    pub session_id: i64,
    pub seq: i64,
    pub event: String,
    pub at_ms: Option<i64>,
    pub received_at: i64,
    pub body: String,
}

pub struct NumberOrder {
    pub id: i64,
    pub number: PhoneNumber,
    pub now: Timestamp,
    pub reason: String,
    /// `callee` or `operator`.
    pub by: &'static str,
}

/// Numbers that nobody may call again, from a list.
pub struct SuppressOrder {
    pub numbers: Vec<(PhoneNumber, String)>,
    pub now: Timestamp,
    pub ids: super::Ids,
}

/// A number that may be called again, and why.
pub struct LiftOrder {
    pub number: PhoneNumber,
    pub now: Timestamp,
    /// Without one, a callee's own word stands.
    pub reason: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifted {
    Done,
    /// The callee asked not to be called, and no reason was given.
    NeedsReason,
    NotSuppressed,
}

#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Suppressed {
    pub number_id: i64,
    pub e164: String,
    pub suppressed_at: i64,
    pub suppressed_reason: Option<String>,
    pub suppressed_by: Option<String>,
}

/// What stands against calling a number.
#[derive(Clone, Debug, Default, sqlx::FromRow)]
pub struct Standing {
    pub suppressed_at: Option<i64>,
    pub suppressed_reason: Option<String>,
    pub suppressed_by: Option<String>,
    pub allow_listed: bool,
    /// Until when a live call holds it.
    pub held_until: Option<i64>,
}

/// One attempt with its run, what holds it back, and its call. Durations are session milliseconds.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Story {
    pub attempt_id: i64,
    pub run_id: i64,
    pub campaign_id: i64,
    pub run_kind: String,
    pub run_state: String,
    pub run_reason: Option<String>,
    pub contact_id: i64,
    pub due_at: Option<i64>,
    pub gate: Option<String>,
    pub e164: String,
    pub try_number: i64,
    pub mode: String,
    pub caller_id: Option<String>,
    pub planned_at: i64,
    pub state: String,
    pub slot_us: i64,
    pub dialed_at: Option<i64>,
    pub session_id: Option<i64>,
    pub held_until: Option<i64>,
    pub ended_at: Option<i64>,
    pub callback_at: Option<i64>,
    pub outcome: Option<String>,
    pub evidence: Option<String>,
    pub told: Option<String>,
    pub source: Option<String>,
    pub code: Option<i64>,
    pub reason: Option<String>,
    pub hung_up_by: Option<String>,
    pub goal: Option<i64>,
    pub answers: Option<String>,
    pub fault: Option<String>,
    pub machine: Option<i64>,
    pub answer_ms: Option<i64>,
    pub ring_ms: Option<i64>,
    pub first_audio_ms: Option<i64>,
    pub first_audio_method: Option<String>,
    pub talk_ms: Option<i64>,
    pub cost_micros: Option<i64>,
}

/// A start that was sent, and what came back.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct StartRow {
    pub claimed_at: i64,
    pub session_id: Option<i64>,
    pub answered_at: Option<i64>,
    pub result: Option<String>,
}

/// Whether a live session can be commanded, and where. Whoever has the address commands the call, so it has no
/// `Debug` and is never logged.
#[derive(Clone, sqlx::FromRow)]
pub struct WayIn {
    pub state: String,
    pub access_url: Option<String>,
}
