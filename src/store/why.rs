//! Why a contact is not being called, and whether anybody is, for the rooms above.

use super::{Ids, Result, Store};
use crate::domain::alternates::Line;
use crate::domain::settings::RetryOrder;
use crate::domain::{ContactId, Outcome, PhoneNumber, RunContactId, RunId, Timestamp};

/// Contacts that one word may mean.
const MEANT_MAX: i64 = 20;
/// An attempt is claimed within this time of its making, mostly; one that was planned anew may be older and is
/// not counted. Milliseconds.
const MADE_BEFORE_MS: i64 = 60_000;

/// One contact in its newest run, as rows tell it; without a run what hangs on it is absent.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct WhyRow {
    pub contact_id: i64,
    pub campaign_id: i64,
    pub timezone: Option<String>,
    pub not_before_at: Option<i64>,
    pub not_after_at: Option<i64>,
    pub run_contact_id: Option<i64>,
    pub run_id: Option<i64>,
    pub due_at: Option<i64>,
    pub gate: Option<String>,
    pub disposition: Option<String>,
    pub rested_at: Option<i64>,
    pub tried: Option<i64>,
    pub dial_order: Option<i64>,
    pub number_id: Option<i64>,
    pub e164: String,
    pub suppressed_at: Option<i64>,
    pub suppressed_reason: Option<String>,
    pub allow_listed_at: Option<i64>,
    pub run_ordinal: Option<i64>,
    pub run_state: Option<String>,
    pub state_reason: Option<String>,
    pub changed_at: Option<i64>,
    pub started_at: Option<i64>,
    pub account_id: Option<i64>,
    pub cps_max: Option<f64>,
    pub lines_max: Option<i64>,
    pub paused_at: Option<i64>,
    pub pause_reason: Option<String>,
    pub attempt_id: Option<i64>,
    pub attempt_state: Option<String>,
    pub slot_us: Option<i64>,
    pub claimed_at: Option<i64>,
    pub dialed_at: Option<i64>,
    pub number_held_until: Option<i64>,
    /// When the last try ended.
    pub ended_at: Option<i64>,
}

/// What the row does not tell.
#[derive(Clone, Debug, Default)]
pub struct WhyMore {
    /// How the tries in this run ended.
    pub ended: Vec<Outcome>,
    /// Every number of the contact.
    pub lines: Vec<Line>,
    pub ahead: i64,
    pub lines_held: i64,
    pub account_lines_held: i64,
    pub alive_until: Option<Timestamp>,
}

/// A contact that somebody may mean by a number or a name.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Named {
    pub contact_id: i64,
    pub campaign_id: i64,
    pub campaign: String,
    /// Of its newest run.
    pub run_state: Option<String>,
}

#[derive(Clone, Debug, sqlx::FromRow)]
pub struct StatusRow {
    pub run_id: i64,
    pub ordinal: i64,
    pub kind: String,
    pub campaign: String,
    pub state: String,
    pub state_reason: Option<String>,
    pub changed_at: i64,
    pub dialing: i64,
    pub live: i64,
    /// Not 0: it is somebody's turn.
    pub due: i64,
    pub fresh_at: Option<i64>,
    pub fresh_gate: Option<String>,
    pub again_at: Option<i64>,
    pub again_gate: Option<String>,
}

impl Store {
    pub async fn why_row(&self, contact: ContactId) -> Result<Option<WhyRow>> {
        read!(self, why::contact(contact))
    }

    pub async fn why_more(&self, row: &WhyRow, order: RetryOrder, now: Timestamp) -> Result<WhyMore> {
        let alive_until = self.alive_until().await?;
        let (Some(run_contact), Some(run), Some(account)) = (row.run_contact_id, row.run_id, row.account_id) else {
            return Ok(WhyMore { alive_until, ..WhyMore::default() });
        };
        let ended = read!(self, why::ended(run_contact))?;
        let mut lines = read!(self, alternates::lines(&[RunContactId(run_contact)]))?;
        let lines = lines.remove(&run_contact).unwrap_or_default().into_iter().map(|(line, _)| line).collect();
        let ahead = read!(self, why::ahead(row, run, order, now))?;
        let (lines_held, account_lines_held) = read!(self, why::lines(RunId(run), account, now))?;
        Ok(WhyMore { ended, lines, ahead, lines_held, account_lines_held, alive_until })
    }

    /// Until when a process that dials has said that it is alive; `None`: there never was one.
    pub async fn alive_until(&self) -> Result<Option<Timestamp>> {
        Ok(read!(self, why::alive_until())?.map(Timestamp))
    }

    pub async fn contacts_by_phone(&self, number: &PhoneNumber) -> Result<Vec<Named>> {
        read!(self, why::by_phone(number.as_str(), MEANT_MAX))
    }

    pub async fn contacts_by_external_id(&self, id: &str) -> Result<Vec<Named>> {
        read!(self, why::by_external_id(id, MEANT_MAX))
    }

    pub async fn status_runs(&self, account: i64, now: Timestamp) -> Result<Vec<StatusRow>> {
        read!(self, why::runs(account, now))
    }

    /// Starts since an instant of the last minute.
    pub async fn starts_since(&self, since: Timestamp) -> Result<i64> {
        let from = Ids::first_at(since.0 - MADE_BEFORE_MS);
        read!(self, why::starts(from, since))
    }

    pub async fn last_run_end(&self, account: i64) -> Result<Option<Timestamp>> {
        Ok(read!(self, why::last_end(account))?.map(Timestamp))
    }
}
