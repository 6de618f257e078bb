//! Stored reports, and what makes them old.

use super::super::{Conn, pipeline};
use crate::domain::{AttemptId, CampaignId};
use crate::store::Result;
use crate::store::snapshots::Snapshot;
use crate::store::text::Statement;
use serde_json::json;

/// Stored reports of one campaign at most; the oldest go first.
const KEPT_MAX: i64 = 20;

/// Last in a transaction, after `latency_counts`: something of these attempts changed that reports count.
pub async fn attempts_changed(conn: &mut Conn, attempts: impl IntoIterator<Item = AttemptId>) -> Result<()> {
    pipeline::run(conn, vec![attempts_change(attempts)]).await
}

/// The statement of [`attempts_changed`].
pub fn attempts_change(attempts: impl IntoIterator<Item = AttemptId>) -> Statement {
    Statement::of_ids(sql!("note_report_changes"), attempts.into_iter().map(|id| id.0))
}

/// The same of numbers that were suppressed, or are so no more.
pub async fn numbers_changed(conn: &mut Conn, numbers: &[&str]) -> Result<()> {
    if !numbers.is_empty() {
        sqlx::query(sql!("note_number_changes")).bind(json!(numbers).to_string()).execute(conn).await?;
    }
    Ok(())
}

pub async fn changes(conn: &mut Conn, campaign: CampaignId) -> Result<i64> {
    Ok(sqlx::query_scalar(sql!("report_changes")).bind(campaign.0).fetch_one(conn).await?)
}

pub async fn stored(conn: &mut Conn, campaign: CampaignId, signature: &str) -> Result<Option<String>> {
    Ok(sqlx::query_scalar(sql!("stored_report")).bind(campaign.0).bind(signature).fetch_optional(conn).await?)
}

pub async fn put(conn: &mut Conn, snapshot: &Snapshot) -> Result<()> {
    let Snapshot { campaign, signature, made_at, body } = snapshot;
    let query = sqlx::query(sql!("put_report")).bind(campaign.0).bind(signature).bind(made_at.0).bind(body);
    query.execute(&mut *conn).await?;
    sqlx::query(sql!("forget_reports")).bind(campaign.0).bind(KEPT_MAX).execute(conn).await?;
    Ok(())
}
