//! What the tables prove.

use super::super::Conn;
use crate::domain::CampaignId;
use crate::store::Result;
use crate::store::figures::{ProvedCalls, ProvedRows, ProvedRun, Unclear};

pub async fn rows(conn: &mut Conn, campaign: CampaignId) -> Result<ProvedRows> {
    Ok(sqlx::query_as(sql!("prove_rows")).bind(campaign.0).fetch_one(conn).await?)
}

pub async fn calls(conn: &mut Conn, campaign: CampaignId) -> Result<ProvedCalls> {
    Ok(sqlx::query_as(sql!("prove_calls")).bind(campaign.0).fetch_one(conn).await?)
}

pub async fn runs(conn: &mut Conn, campaign: CampaignId) -> Result<Vec<ProvedRun>> {
    Ok(sqlx::query_as(sql!("prove_contacts")).bind(campaign.0).fetch_all(conn).await?)
}

pub async fn unclear(conn: &mut Conn, campaign: CampaignId, limit: i64) -> Result<Vec<Unclear>> {
    Ok(sqlx::query_as(sql!("prove_unclear")).bind(campaign.0).bind(limit).fetch_all(conn).await?)
}
