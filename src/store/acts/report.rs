//! The counts of a comparison.

use super::super::Conn;
use crate::domain::CampaignId;
use crate::store::Result;
use crate::store::figures::{
    CountedAnswers, CountedApart, CountedCalls, CountedContacts, CountedLatency, CountedOutcome, CountedRun,
    CountedTurn,
};

pub async fn runs(conn: &mut Conn, campaign: CampaignId) -> Result<Vec<CountedRun>> {
    Ok(sqlx::query_as(sql!("report_runs")).bind(campaign.0).fetch_all(conn).await?)
}

pub async fn contacts(conn: &mut Conn, campaign: CampaignId, account: i64) -> Result<Vec<CountedContacts>> {
    Ok(sqlx::query_as(sql!("report_contacts")).bind(campaign.0).bind(account).fetch_all(conn).await?)
}

pub async fn night_contacts(conn: &mut Conn, campaign: CampaignId, account: i64) -> Result<Vec<CountedContacts>> {
    Ok(sqlx::query_as(sql!("report_night_contacts")).bind(campaign.0).bind(account).fetch_all(conn).await?)
}

pub async fn outcomes(conn: &mut Conn, campaign: CampaignId, account: i64) -> Result<Vec<CountedOutcome>> {
    Ok(sqlx::query_as(sql!("report_attempts")).bind(campaign.0).bind(account).fetch_all(conn).await?)
}

pub async fn calls(
    conn: &mut Conn,
    campaign: CampaignId,
    account: i64,
    early_ms: i64,
    late_ms: i64,
) -> Result<Vec<CountedCalls>> {
    Ok(sqlx::query_as(sql!("report_calls"))
        .bind(campaign.0)
        .bind(account)
        .bind(early_ms)
        .bind(late_ms)
        .fetch_all(conn)
        .await?)
}

pub async fn latencies(conn: &mut Conn, campaign: CampaignId, account: i64) -> Result<Vec<CountedLatency>> {
    Ok(sqlx::query_as(sql!("report_latencies")).bind(campaign.0).bind(account).fetch_all(conn).await?)
}

pub async fn turns(
    conn: &mut Conn,
    campaign: CampaignId,
    account: i64,
    after: i64,
    limit: i64,
) -> Result<Vec<CountedTurn>> {
    Ok(sqlx::query_as(sql!("report_turns"))
        .bind(campaign.0)
        .bind(account)
        .bind(after)
        .bind(limit)
        .fetch_all(conn)
        .await?)
}

pub async fn answers(conn: &mut Conn, campaign: CampaignId, account: i64) -> Result<Vec<CountedAnswers>> {
    Ok(sqlx::query_as(sql!("report_answers")).bind(campaign.0).bind(account).fetch_all(conn).await?)
}

pub async fn apart(conn: &mut Conn, campaign: CampaignId, account: i64) -> Result<Vec<CountedApart>> {
    Ok(sqlx::query_as(sql!("report_apart")).bind(campaign.0).bind(account).fetch_all(conn).await?)
}
