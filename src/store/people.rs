//! Who is called now, who waits, and everything about one person, for the rooms above.

use super::{Result, Store};
use crate::domain::{AttemptId, CampaignId, ContactId, RunId, Timestamp};

/// A call under way.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Call {
    pub attempt_id: i64,
    pub e164: String,
    pub name: Option<String>,
    pub mode: String,
    pub try_number: i64,
    /// `dialing` or `live`.
    pub state: String,
    pub claimed_at: Option<i64>,
    pub dialed_at: Option<i64>,
    /// The last that its session told.
    pub event: Option<String>,
    pub turns: i64,
}

/// Calls of a span of time.
#[derive(Clone, Debug, sqlx::FromRow, serde::Serialize)]
pub struct CallSpan {
    pub span: i64,
    pub mode: String,
    pub calls: i64,
    pub answered: i64,
}

/// Contacts whose turn comes in a span of time.
#[derive(Clone, Debug, sqlx::FromRow, serde::Serialize)]
pub struct WaitSpan {
    pub span: i64,
    pub gate: String,
    pub contacts: i64,
}

#[derive(Clone, Debug, sqlx::FromRow, serde::Serialize)]
pub struct ModeOutcome {
    pub mode: String,
    pub outcome: String,
    pub attempts: i64,
}

/// A campaign and its newest run.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Overview {
    pub campaign_id: i64,
    pub name: String,
    pub created_at: i64,
    pub contacts: i64,
    pub runs: i64,
    pub called: i64,
    pub next_at: Option<i64>,
    pub run_id: Option<i64>,
    pub ordinal: Option<i64>,
    pub state: Option<String>,
    pub state_reason: Option<String>,
    pub started_at: Option<i64>,
    pub changed_at: Option<i64>,
    pub ended_at: Option<i64>,
    pub draining_at: Option<i64>,
    pub starts_at: Option<i64>,
    pub taken: i64,
    pub rested: i64,
    pub answered: i64,
    pub live: i64,
}

/// Somebody who was looked for.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Found {
    pub contact_id: i64,
    pub campaign_id: i64,
    pub campaign: String,
    pub e164: String,
    pub name: Option<String>,
    pub external_id: Option<String>,
    pub mode: String,
    pub suppressed_at: Option<i64>,
    pub disposition: Option<String>,
    pub due_at: Option<i64>,
    pub gate: Option<String>,
}

/// One person in one campaign.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Person {
    #[sqlx(flatten)]
    pub found: Found,
    pub timezone: Option<String>,
    pub line: i64,
    pub variables: String,
    pub consent_kind: Option<String>,
    pub consent_at: Option<i64>,
    pub consent_source: Option<String>,
}

/// One try, as lists of a person's or a run's calls show it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Tried {
    pub attempt_id: i64,
    pub run_id: i64,
    pub campaign_id: i64,
    pub kind: String,
    pub run_ordinal: i64,
    pub campaign: String,
    pub try_number: i64,
    pub mode: String,
    pub state: String,
    pub dialed_at: Option<i64>,
    pub ended_at: Option<i64>,
    pub outcome: Option<String>,
    pub goal: Option<i64>,
    pub talk_ms: Option<i64>,
    pub first_audio_ms: Option<i64>,
    pub turns: i64,
}

/// Contacts of a campaign that name this zone.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct ZoneCount {
    pub timezone: Option<String>,
    pub contacts: i64,
    pub suppressed: i64,
}

/// What somebody typed, as patterns: SQLite folds the case of Latin letters only, so a name is looked for as it was
/// typed and with a capital, too.
#[derive(Clone, Debug, Default)]
pub struct Looked {
    /// Of a number; nothing where no number was typed.
    pub digits: Option<String>,
    /// The first and the last number that begin so, where so much of one was typed.
    pub begins: Option<(String, String)>,
    pub lower: String,
    pub typed: String,
    pub capital: String,
    /// The whole, for names that people go by elsewhere.
    pub word: String,
}

impl Store {
    pub async fn live_calls(&self, run: RunId, limit: i64) -> Result<Vec<Call>> {
        read!(self, people::calls(run, limit))
    }

    /// Granted since `from`, counted by spans of `span_ms`.
    pub async fn calls_by_span(&self, run: RunId, from: Timestamp, span_ms: i64) -> Result<Vec<CallSpan>> {
        read!(self, people::calls_by_span(run, from, span_ms))
    }

    /// Whose turn comes after `now`, counted by spans of `span_ms`.
    pub async fn waits_by_span(&self, run: RunId, now: Timestamp, span_ms: i64) -> Result<Vec<WaitSpan>> {
        read!(self, people::waits_by_span(run, now, span_ms))
    }

    pub async fn outcomes_by_mode(&self, run: RunId) -> Result<Vec<ModeOutcome>> {
        read!(self, people::outcomes(run))
    }

    /// Ended calls of a run, the newest first; only those of one outcome, and those behind an attempt, where one is named.
    pub async fn newest_calls(
        &self,
        run: RunId,
        outcome: Option<&str>,
        behind: Option<AttemptId>,
        limit: i64,
    ) -> Result<Vec<Tried>> {
        read!(self, people::newest(run, outcome, behind, limit))
    }

    /// Campaigns before this one, the newest first; their calls are counted since an instant.
    pub async fn overview(&self, since: Timestamp, before: CampaignId, limit: i64) -> Result<Vec<Overview>> {
        read!(self, people::overview(since, before, limit))
    }

    /// Contacts before this one, the newest first: by the beginning of their number or their name elsewhere, and by an
    /// index alone.
    pub async fn people_exactly(&self, looked: &Looked, before: ContactId, limit: i64) -> Result<Vec<Found>> {
        read!(self, people::exactly(looked, before, limit))
    }

    /// By a part of their number or name, among the `near` contacts before this one; no others are looked at.
    pub async fn people_alike(&self, looked: &Looked, before: ContactId, near: i64, limit: i64) -> Result<Vec<Found>> {
        read!(self, people::alike(looked, (before, near), limit))
    }

    /// The last of the `near` contacts before this one, where there are as many.
    pub async fn people_behind(&self, before: ContactId, near: i64) -> Result<Option<ContactId>> {
        let (contacts, last) = read!(self, people::looked_at(before, near))?;
        Ok(last.map(ContactId).filter(|_| contacts == near))
    }

    /// The contact itself, and whoever else is rung at its number.
    pub async fn people_of(&self, contact: ContactId, limit: i64) -> Result<Vec<Person>> {
        read!(self, people::contacts_of(contact, limit))
    }

    pub async fn tries_of(&self, contact: ContactId, limit: i64) -> Result<Vec<Tried>> {
        read!(self, people::attempts_of(contact, limit))
    }

    pub async fn zones_of(&self, campaign: CampaignId) -> Result<Vec<ZoneCount>> {
        read!(self, people::zones(campaign))
    }
}
