//! The suppression list and the allow-list.

use super::super::Conn;
use super::snapshots;
use crate::domain::{CampaignId, PhoneNumber, Timestamp};
use crate::store::text::rows_text;
use crate::store::{LiftOrder, Lifted, NumberOrder, Result, SuppressOrder, Suppressed};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Rows handed to one statement.
const CHUNK: usize = 1000;

pub async fn suppress(conn: &mut Conn, order: &NumberOrder) -> Result<bool> {
    let row = vec![json!([order.id, order.number.as_str(), order.now.0, order.reason, order.by])];
    Ok(!suppress_rows(conn, row, order.now).await?.is_empty())
}

/// Returns those that were not on the list before.
pub async fn suppress_all(conn: &mut Conn, order: &SuppressOrder) -> Result<Vec<String>> {
    let mut added = Vec::new();
    // In one order whoever asks: two lists at once must not wait for each other's numbers.
    let mut numbers: Vec<&(PhoneNumber, String)> = order.numbers.iter().collect();
    numbers.sort_unstable_by_key(|(number, _)| number.as_str());
    for chunk in numbers.chunks(CHUNK) {
        let first = order.ids.take(order.now.0, chunk.len());
        let rows = chunk.iter().zip(first..);
        let rows = rows.map(|((n, reason), id)| json!([id, n.as_str(), order.now.0, reason, "operator"])).collect();
        added.extend(suppress_rows(conn, rows, order.now).await?);
    }
    Ok(added)
}

/// Locks the numbers, as a grant does, and ends what is planned for them.
async fn suppress_rows(conn: &mut Conn, rows: Vec<Value>, now: Timestamp) -> Result<Vec<String>> {
    let rows = rows_text(rows);
    let before: Vec<String> = sqlx::query_scalar(sql!("suppressed_of")).bind(&rows).fetch_all(&mut *conn).await?;
    let before: BTreeSet<String> = before.into_iter().collect();
    let stand: Vec<String> = sqlx::query_scalar(sql!("suppress_e164")).bind(&rows).fetch_all(&mut *conn).await?;
    let added: Vec<String> = stand.into_iter().filter(|number| !before.contains(number)).collect();
    let rested: Vec<i64> = sqlx::query_scalar(sql!("rest_suppressed"))
        .bind(json!(added).to_string())
        .bind(now.0)
        .fetch_all(&mut *conn)
        .await?;
    if !rested.is_empty() {
        sqlx::query(sql!("end_suppressed")).bind(json!(rested).to_string()).bind(now.0).execute(&mut *conn).await?;
    }
    snapshots::numbers_changed(conn, &added.iter().map(String::as_str).collect::<Vec<_>>()).await?;
    Ok(added)
}

pub async fn lift(conn: &mut Conn, order: &LiftOrder) -> Result<Lifted> {
    sqlx::query(sql!("lock_e164")).bind(order.number.as_str()).fetch_all(&mut *conn).await?;
    let by: Option<Option<String>> =
        sqlx::query_scalar(sql!("who_suppressed")).bind(order.number.as_str()).fetch_optional(&mut *conn).await?;
    let Some(by) = by else { return Ok(Lifted::NotSuppressed) };
    if by.as_deref() == Some("callee") && order.reason.is_none() {
        return Ok(Lifted::NeedsReason);
    }
    let reason = order.reason.as_deref().unwrap_or("lifted by an operator");
    sqlx::query(sql!("note_lifted"))
        .bind(order.number.as_str())
        .bind(order.now.0)
        .bind(reason)
        .execute(&mut *conn)
        .await?;
    sqlx::query(sql!("lift_suppression")).bind(order.number.as_str()).execute(&mut *conn).await?;
    snapshots::numbers_changed(conn, &[order.number.as_str()]).await?;
    Ok(Lifted::Done)
}

pub async fn allow(conn: &mut Conn, order: &NumberOrder) -> Result<()> {
    listed(conn, order, Some(order.now)).await
}

pub async fn forbid(conn: &mut Conn, order: &NumberOrder) -> Result<()> {
    listed(conn, order, None).await
}

async fn listed(conn: &mut Conn, order: &NumberOrder, since: Option<Timestamp>) -> Result<()> {
    sqlx::query(sql!("allow_list"))
        .bind(order.id)
        .bind(order.number.as_str())
        .bind(since.map(|at| at.0))
        .execute(conn)
        .await?;
    Ok(())
}

/// A page of the list, the newest first, behind the given place; `like` is a pattern for numbers and reasons.
pub async fn suppressed(
    conn: &mut Conn,
    behind: (i64, i64),
    like: Option<&str>,
    limit: i64,
) -> Result<Vec<Suppressed>> {
    Ok(sqlx::query_as(sql!("list_suppressed"))
        .bind(behind.0)
        .bind(behind.1)
        .bind(like)
        .bind(limit)
        .fetch_all(conn)
        .await?)
}

pub async fn allow_list_campaign(conn: &mut Conn, (campaign, now): &(CampaignId, Timestamp)) -> Result<()> {
    sqlx::query(sql!("allow_list_campaign")).bind(campaign.0).bind(now.0).execute(conn).await?;
    Ok(())
}
