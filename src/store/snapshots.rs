//! Reports as they were made, kept for whoever asks again.

use super::{Result, Store};
use crate::domain::{CampaignId, Timestamp};

/// A report, and a name for everything that went into it.
#[derive(Clone, Debug)]
pub struct Snapshot {
    pub campaign: CampaignId,
    pub signature: String,
    pub made_at: Timestamp,
    pub body: String,
}

impl Store {
    /// How often something changed that finished runs had counted. Asked before the figures are read: whatever commits
    /// while they are, gives another number to whoever asks later.
    pub async fn report_changes(&self, campaign: CampaignId) -> Result<i64> {
        read!(self, snapshots::changes(campaign))
    }

    pub async fn stored_report(&self, campaign: CampaignId, signature: &str) -> Result<Option<String>> {
        read!(self, snapshots::stored(campaign, signature))
    }

    pub async fn put_report(&self, snapshot: Snapshot) -> Result<()> {
        write!(self, snapshots::put(snapshot))
    }
}
