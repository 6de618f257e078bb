//! The counts of a comparison.

use super::super::Conn;
use crate::domain::{CampaignId, Mode, RunId};
use crate::store::Result;
use crate::store::figures::{
    CountedAnswers, CountedApart, CountedAttempts, CountedBundle, CountedContacts, CountedLatency, CountedRun,
    CountedTurn, PackedLatencies, PlayedBundle, Watermark,
};

pub async fn runs(conn: &mut Conn, campaign: CampaignId) -> Result<Vec<CountedRun>> {
    Ok(sqlx::query_as(sql!("report_runs")).bind(campaign.0).fetch_all(conn).await?)
}

pub async fn attempts(conn: &mut Conn, campaign: CampaignId, account: i64) -> Result<Vec<CountedAttempts>> {
    Ok(sqlx::query_as(sql!("report_counts")).bind(campaign.0).bind(account).fetch_all(conn).await?)
}

pub async fn assigned(conn: &mut Conn, campaign: CampaignId, account: i64) -> Result<Vec<CountedContacts>> {
    Ok(sqlx::query_as(sql!("report_assigned")).bind(campaign.0).bind(account).fetch_all(conn).await?)
}

pub async fn opt_outs(conn: &mut Conn, campaign: CampaignId, account: i64) -> Result<Vec<(i64, String, i64)>> {
    Ok(sqlx::query_as(sql!("report_opt_outs")).bind(campaign.0).bind(account).fetch_all(conn).await?)
}

/// Contacts in nights that do not count for them.
pub async fn again(conn: &mut Conn, campaign: CampaignId, account: i64, from: i64) -> Result<Vec<CountedContacts>> {
    Ok(sqlx::query_as(sql!("report_again")).bind(campaign.0).bind(account).bind(from).fetch_all(conn).await?)
}

pub async fn view_version(conn: &mut Conn) -> Result<i64> {
    Ok(sqlx::query_scalar(sql!("view_version")).fetch_one(conn).await?)
}

pub async fn watermark(conn: &mut Conn, campaign: CampaignId) -> Result<Watermark> {
    Ok(sqlx::query_as(sql!("report_watermark")).bind(campaign.0).fetch_one(conn).await?)
}

/// Of one run, which is this night.
pub async fn latencies(conn: &mut Conn, run: i64, night: i64) -> Result<Vec<CountedLatency>> {
    let rows: Vec<PackedLatencies> = sqlx::query_as(sql!("report_latencies")).bind(run).fetch_all(conn).await?;
    rows.into_iter().map(|row| row.unpack(night)).collect()
}

pub async fn repeats(conn: &mut Conn, campaign: CampaignId, account: i64, from: i64) -> Result<Vec<CountedTurn>> {
    Ok(sqlx::query_as(sql!("report_repeats")).bind(campaign.0).bind(account).bind(from).fetch_all(conn).await?)
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
    let PlayedBundle { run, mode, bundle, told, at } = bundle;
    sqlx::query(sql!("put_bundle_text")).bind(bundle).bind(told).execute(&mut *conn).await?;
    let query = sqlx::query(sql!("put_bundle")).bind(run.0).bind(mode.as_str()).bind(bundle).bind(at.0);
    query.execute(conn).await?;
    Ok(())
}

pub async fn bundles_of_run(conn: &mut Conn, (run, mode): &(RunId, Mode)) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar(sql!("bundles_of_run")).bind(run.0).bind(mode.as_str()).fetch_all(conn).await?)
}

pub async fn first_number(conn: &mut Conn, campaign: CampaignId) -> Result<Option<String>> {
    Ok(sqlx::query_scalar(sql!("first_number")).bind(campaign.0).fetch_optional(conn).await?)
}

pub async fn arms(conn: &mut Conn, campaign: CampaignId) -> Result<Vec<(String, i64)>> {
    Ok(sqlx::query_as(sql!("count_arms")).bind(campaign.0).fetch_all(conn).await?)
}
