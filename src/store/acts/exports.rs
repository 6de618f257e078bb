//! What lists to take away are made of, a page at a time.

use super::super::Conn;
use crate::domain::{BatchId, CampaignId};
use crate::store::{EventTime, ExportedTurn, FurtherTyped, ListedRow, NewNote, Reject, Result, TurnLatency};
use serde_json::json;

pub async fn rejects(conn: &mut Conn, list: BatchId, behind: i64, limit: i64) -> Result<Vec<Reject>> {
    let query = sqlx::query_as(sql!("reject_rows")).bind(list.0).bind(behind).bind(limit);
    Ok(query.fetch_all(conn).await?)
}

pub async fn notes(conn: &mut Conn, list: BatchId, behind: (i64, &str), limit: i64) -> Result<Vec<NewNote>> {
    let query = sqlx::query_as(sql!("note_rows")).bind(list.0).bind(behind.0).bind(behind.1).bind(limit);
    Ok(query.fetch_all(conn).await?)
}

pub async fn latencies(conn: &mut Conn, attempts: &[i64]) -> Result<Vec<TurnLatency>> {
    Ok(sqlx::query_as(sql!("turn_latencies")).bind(json!(attempts).to_string()).fetch_all(conn).await?)
}

pub async fn columns(conn: &mut Conn, campaign: CampaignId) -> Result<Vec<Option<String>>> {
    Ok(sqlx::query_scalar(sql!("list_columns")).bind(campaign.0).fetch_all(conn).await?)
}

pub async fn listed(conn: &mut Conn, campaign: CampaignId, after: i64, limit: i64) -> Result<Vec<ListedRow>> {
    let query = sqlx::query_as(sql!("listed_rows")).bind(campaign.0).bind(after).bind(limit);
    Ok(query.fetch_all(conn).await?)
}

pub async fn further(conn: &mut Conn, contacts: &[i64]) -> Result<Vec<FurtherTyped>> {
    Ok(sqlx::query_as(sql!("further_as_typed")).bind(json!(contacts).to_string()).fetch_all(conn).await?)
}

pub async fn times(conn: &mut Conn, attempts: &[i64]) -> Result<Vec<EventTime>> {
    Ok(sqlx::query_as(sql!("event_times")).bind(json!(attempts).to_string()).fetch_all(conn).await?)
}

pub async fn turns(conn: &mut Conn, campaign: CampaignId, behind: (i64, i64), limit: i64) -> Result<Vec<ExportedTurn>> {
    let query = sqlx::query_as(sql!("exported_turns")).bind(campaign.0).bind(behind.0).bind(behind.1).bind(limit);
    Ok(query.fetch_all(conn).await?)
}
