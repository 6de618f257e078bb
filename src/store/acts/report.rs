//! The counts of a comparison.

use super::super::Conn;
use crate::domain::CampaignId;
use crate::store::Result;
use crate::store::figures::{
    CountedAnswers, CountedApart, CountedBundle, CountedCalls, CountedContacts, CountedHour, CountedLatency,
    CountedOutcome, CountedRun, CountedTurn, PlayedBundle, Watermark,
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

pub async fn calls(conn: &mut Conn, campaign: CampaignId, account: i64) -> Result<Vec<CountedCalls>> {
    Ok(sqlx::query_as(sql!("report_calls")).bind(campaign.0).bind(account).fetch_all(conn).await?)
}

pub async fn watermark(conn: &mut Conn, campaign: CampaignId) -> Result<Watermark> {
    Ok(sqlx::query_as(sql!("report_watermark")).bind(campaign.0).fetch_one(conn).await?)
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

pub async fn bundles(conn: &mut Conn, campaign: CampaignId, account: i64) -> Result<Vec<CountedBundle>> {
    Ok(sqlx::query_as(sql!("report_bundles")).bind(campaign.0).bind(account).fetch_all(conn).await?)
}

pub async fn put_bundle(conn: &mut Conn, bundle: &PlayedBundle) -> Result<()> {
    let PlayedBundle { run, mode, bundle, at } = bundle;
    let query = sqlx::query(sql!("put_bundle")).bind(run.0).bind(mode.as_str()).bind(bundle).bind(at.0);
    query.execute(conn).await?;
    Ok(())
}

pub async fn arms(conn: &mut Conn, campaign: CampaignId) -> Result<Vec<(String, i64)>> {
    Ok(sqlx::query_as(sql!("count_arms")).bind(campaign.0).fetch_all(conn).await?)
}

pub async fn hours(conn: &mut Conn, campaign: CampaignId, account: i64) -> Result<Vec<CountedHour>> {
    Ok(sqlx::query_as(sql!("report_hours")).bind(campaign.0).bind(account).fetch_all(conn).await?)
}
