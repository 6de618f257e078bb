//! Attempts, contacts and conversations, for reading rooms.

use super::{
    AttemptRow, ContactRow, DialogueTurn, EventRow, GateRow, NumberOrder, OutcomeRow, Progress, Result, Store,
    Suppressed, Turn,
};
use crate::domain::{AttemptId, CampaignId, ContactId, PhoneNumber, RunId, Timestamp};

impl Store {
    /// Attempts that are dialing or live.
    pub async fn calls_under_way(&self) -> Result<i64> {
        read!(self, calls::under_way())
    }

    pub async fn progress(&self, run: RunId) -> Result<Progress> {
        read!(self, calls::progress(run))
    }

    pub async fn gates(&self, run: RunId, now: Timestamp) -> Result<Vec<GateRow>> {
        read!(self, calls::gates(run, now))
    }

    pub async fn outcomes(&self, run: RunId) -> Result<Vec<OutcomeRow>> {
        read!(self, calls::outcomes(run))
    }

    /// A page of attempts in the order of their making, after the given id.
    pub async fn attempts(&self, campaign: CampaignId, after: i64, limit: i64) -> Result<Vec<AttemptRow>> {
        read!(self, calls::attempts(campaign, after, limit))
    }

    pub async fn contacts(&self, campaign: CampaignId, after: i64, limit: i64) -> Result<Vec<ContactRow>> {
        read!(self, calls::contacts(campaign, after, limit))
    }

    pub async fn campaign_of_contact(&self, contact: ContactId) -> Result<Option<CampaignId>> {
        Ok(read!(self, calls::contact_campaign(contact))?.map(CampaignId))
    }

    pub async fn events(&self, attempt: AttemptId) -> Result<Vec<EventRow>> {
        read!(self, calls::events(attempt))
    }

    pub async fn turns(&self, attempt: AttemptId) -> Result<Vec<Turn>> {
        read!(self, calls::turns(attempt))
    }

    /// The reply stored for this turn if it was asked before, else the record that stood before it.
    pub async fn dialogue(&self, attempt: AttemptId, turn: i64) -> Result<(Option<String>, Option<String>)> {
        read!(self, calls::dialogue(attempt, turn))
    }

    /// Stores the answer to a turn unless one stands, and returns the one that does.
    pub async fn put_dialogue(&self, turn: DialogueTurn) -> Result<String> {
        write!(self, calls::put_dialogue(turn))
    }

    pub async fn suppress(&self, number: PhoneNumber, reason: &str, now: Timestamp) -> Result<()> {
        let order = NumberOrder { id: self.ids.one(now.0), number, now, reason: reason.to_owned() };
        write!(self, calls::suppress(order))
    }

    /// Every number of the campaign may be rung by a test at any hour.
    pub async fn allow_list(&self, campaign: CampaignId, now: Timestamp) -> Result<()> {
        write!(self, calls::allow_list((campaign, now)))
    }

    pub async fn suppressed(&self, limit: i64) -> Result<Vec<Suppressed>> {
        read!(self, calls::suppressed(limit))
    }
}
