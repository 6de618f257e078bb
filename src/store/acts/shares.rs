//! Shared reports: a row each, which a link needs as much as its signature.

use super::super::Conn;
use super::audit;
use crate::domain::{CampaignId, ShareId, Timestamp};
use crate::store::text::bare;
use crate::store::{AuditOrder, Result, ShareOrder, ShareRow};

pub async fn add(conn: &mut Conn, order: &ShareOrder) -> Result<()> {
    sqlx::query(sql!("insert_share"))
        .bind(order.row.share_id)
        .bind(order.row.campaign_id)
        .bind(&order.row.language)
        .bind(order.row.created_at)
        .bind(bare(&order.row.created_by).as_ref())
        .bind(order.row.expires_at)
        .execute(&mut *conn)
        .await?;
    audit::put(conn, &order.audit).await
}

pub async fn revoke(conn: &mut Conn, (share, now, audit): &(ShareId, Timestamp, AuditOrder)) -> Result<bool> {
    let there = sqlx::query(sql!("revoke_share")).bind(share.0).bind(now.0).execute(&mut *conn).await?.rows_affected();
    if there > 0 {
        audit::put(conn, audit).await?;
    }
    Ok(there > 0)
}

pub async fn one(conn: &mut Conn, share: ShareId) -> Result<Option<ShareRow>> {
    Ok(sqlx::query_as(sql!("share_by_id")).bind(share.0).fetch_optional(conn).await?)
}

pub async fn of_campaign(conn: &mut Conn, campaign: CampaignId) -> Result<Vec<ShareRow>> {
    Ok(sqlx::query_as(sql!("shares_of_campaign")).bind(campaign.0).fetch_all(conn).await?)
}
