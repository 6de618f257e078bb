//! Lists to take away, a page at a time: none of them is ever in memory as a whole.

use super::{NewNote, Reject, Result, Store};
use crate::domain::{BatchId, CampaignId};

/// One reply of an attempt, as an export tells it.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct TurnLatency {
    pub attempt_id: i64,
    /// Session milliseconds; none where no reply came.
    pub turn_ms: Option<i64>,
    pub method: String,
}

/// A contact as its list brought it, and what became of it in its newest run.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct ListedRow {
    pub contact_id: i64,
    /// Of its list.
    pub ordinal: i64,
    pub line: i64,
    pub raw_phone: String,
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
    pub due_at: Option<i64>,
    pub gate: Option<String>,
    pub disposition: Option<String>,
    pub tries: i64,
    /// Of its last attempt that ended.
    pub outcome: Option<String>,
    pub dialed_at: Option<i64>,
    pub goal: Option<i64>,
    pub answers: Option<String>,
}

/// A further number as it was typed.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct FurtherTyped {
    pub contact_id: i64,
    pub ordinal: i64,
    pub raw_phone: String,
}

/// When an attempt was planned, and the first of each kind of its events.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct EventTime {
    pub attempt_id: i64,
    pub planned_at: i64,
    pub event: Option<String>,
    /// Session milliseconds.
    pub at_ms: Option<i64>,
    pub heard_at: Option<i64>,
}

#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct ExportedTurn {
    pub attempt_id: i64,
    pub contact_id: i64,
    pub turn: i64,
    pub mode: String,
    pub callee_text: Option<String>,
    pub agent_text: Option<String>,
    pub callee_end_ms: Option<i64>,
    pub agent_start_ms: Option<i64>,
    pub turn_ms: Option<i64>,
    pub method: String,
    pub asr_ms: Option<i64>,
    pub reply_ms: Option<i64>,
    pub model_ms: Option<i64>,
    pub tts_ms: Option<i64>,
    pub filler: i64,
    pub interrupted: i64,
}

impl Store {
    /// The columns of each list of a campaign, as JSON, in the order of the lists.
    pub async fn list_columns(&self, campaign: CampaignId) -> Result<Vec<Option<String>>> {
        read!(self, exports::columns(campaign))
    }

    pub async fn listed_rows(&self, campaign: CampaignId, after: i64, limit: i64) -> Result<Vec<ListedRow>> {
        read!(self, exports::listed(campaign, after, limit))
    }

    pub async fn further_as_typed(&self, contacts: &[i64]) -> Result<Vec<FurtherTyped>> {
        read!(self, exports::further(contacts))
    }

    /// By attempt.
    pub async fn event_times(&self, attempts: &[i64]) -> Result<Vec<EventTime>> {
        read!(self, exports::times(attempts))
    }

    /// Every reply of a campaign, behind this attempt and turn.
    pub async fn exported_turns(
        &self,
        campaign: CampaignId,
        behind: (i64, i64),
        limit: i64,
    ) -> Result<Vec<ExportedTurn>> {
        read!(self, exports::turns(campaign, behind, limit))
    }

    /// Doubled and refused rows of one list, behind this line.
    pub async fn reject_page(&self, list: BatchId, behind: i64, limit: i64) -> Result<Vec<Reject>> {
        read!(self, exports::rejects(list, behind, limit))
    }

    /// Cells of accepted rows that were left out, behind this line and field.
    pub async fn note_page(&self, list: BatchId, behind: (i64, &str), limit: i64) -> Result<Vec<NewNote>> {
        read!(self, exports::notes(list, behind, limit))
    }

    /// Every reply of these attempts, by attempt and turn.
    pub async fn turn_latencies(&self, attempts: &[i64]) -> Result<Vec<TurnLatency>> {
        read!(self, exports::latencies(attempts))
    }
}
