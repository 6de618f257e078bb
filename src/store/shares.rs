//! Reports that are shown to whoever has a link.

use super::{AuditOrder, Result, Store};
use crate::domain::{CampaignId, ShareId, Timestamp};

#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct ShareRow {
    pub share_id: i64,
    pub campaign_id: i64,
    pub language: String,
    /// Real time, as every instant of a link.
    pub created_at: i64,
    pub created_by: String,
    pub expires_at: i64,
    pub revoked_at: Option<i64>,
}

pub struct ShareOrder {
    pub row: ShareRow,
    pub audit: AuditOrder,
}

impl Store {
    pub async fn share_report(&self, order: ShareOrder) -> Result<()> {
        write!(self, shares::add(order))
    }

    /// False when there is no such link.
    pub async fn unshare_report(&self, share: ShareId, now: Timestamp, audit: AuditOrder) -> Result<bool> {
        write!(self, shares::revoke((share, now, audit)))
    }

    pub async fn shared_report(&self, share: ShareId) -> Result<Option<ShareRow>> {
        read!(self, shares::one(share))
    }

    /// Of a campaign, the newest first.
    pub async fn shared_reports(&self, campaign: CampaignId) -> Result<Vec<ShareRow>> {
        read!(self, shares::of_campaign(campaign))
    }
}
