//! Attempts, contacts and conversations, for reading rooms.

use super::{AttemptRow, ContactRow, EventRow, GateRow, OutcomeRow, Progress, Result, Store, Turn};
use crate::domain::{AttemptId, CampaignId, ContactId, RunId, Timestamp};

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
}
