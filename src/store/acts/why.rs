//! Why a contact is not being called, and whether anybody is.

use super::super::Conn;
use crate::domain::settings::RetryOrder;
use crate::domain::{ContactId, Outcome, RunId, Timestamp};
use crate::store::{Named, Result, StatusRow, StoreError, WhyRow};

pub async fn contact(conn: &mut Conn, contact: ContactId) -> Result<Option<WhyRow>> {
    Ok(sqlx::query_as(sql!("why_contact")).bind(contact.0).fetch_optional(conn).await?)
}

/// How the ended attempts of a run contact ended.
pub async fn ended(conn: &mut Conn, run_contact: i64) -> Result<Vec<Outcome>> {
    let wanted = serde_json::json!([run_contact]).to_string();
    let ended: Vec<(i64, i64, String)> = sqlx::query_as(sql!("ended_outcomes")).bind(wanted).fetch_all(conn).await?;
    ended.iter().map(|(_, _, text)| text.parse().map_err(|e| StoreError::row("attempts", "outcome", e))).collect()
}

pub async fn ahead(conn: &mut Conn, row: &WhyRow, run: i64, order: RetryOrder, now: Timestamp) -> Result<i64> {
    let (Some(due_at), Some(dial_order), Some(tried)) = (row.due_at, row.dial_order, row.tried) else { return Ok(0) };
    Ok(sqlx::query_scalar(sql!("place_in_queue"))
        .bind(run)
        .bind(now.0)
        .bind(order.as_str())
        .bind(tried)
        .bind(due_at)
        .bind(dial_order)
        .fetch_one(conn)
        .await?)
}

/// Lines held by the run, and by its whole account.
pub async fn lines(conn: &mut Conn, run: RunId, account: i64, now: Timestamp) -> Result<(i64, i64)> {
    Ok(sqlx::query_as(sql!("lines_now")).bind(run.0).bind(account).bind(now.0).fetch_one(conn).await?)
}

pub async fn alive_until(conn: &mut Conn) -> Result<Option<i64>> {
    Ok(sqlx::query_scalar(sql!("alive_until")).fetch_one(conn).await?)
}

pub async fn by_phone(conn: &mut Conn, e164: &str, limit: i64) -> Result<Vec<Named>> {
    Ok(sqlx::query_as(sql!("contacts_by_phone")).bind(e164).bind(limit).fetch_all(conn).await?)
}

pub async fn by_external_id(conn: &mut Conn, id: &str, limit: i64) -> Result<Vec<Named>> {
    Ok(sqlx::query_as(sql!("contacts_by_external_id")).bind(id).bind(limit).fetch_all(conn).await?)
}

pub async fn runs(conn: &mut Conn, account: i64, now: Timestamp) -> Result<Vec<StatusRow>> {
    Ok(sqlx::query_as(sql!("status_runs")).bind(account).bind(now.0).fetch_all(conn).await?)
}

pub async fn starts(conn: &mut Conn, from_id: i64, since: Timestamp) -> Result<i64> {
    Ok(sqlx::query_scalar(sql!("starts_since")).bind(from_id).bind(since.0).fetch_one(conn).await?)
}

pub async fn last_end(conn: &mut Conn, account: i64) -> Result<Option<i64>> {
    Ok(sqlx::query_scalar(sql!("last_run_end")).bind(account).fetch_one(conn).await?)
}
