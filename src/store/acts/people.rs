//! Who is called now, who waits, and everything about one person.

use super::super::Conn;
use crate::domain::{AttemptId, CampaignId, ContactId, RunId, Timestamp};
use crate::store::Result;
use crate::store::people::{Call, CallSpan, Found, Looked, ModeOutcome, Overview, Person, Tried, WaitSpan, ZoneCount};

pub async fn calls(conn: &mut Conn, run: RunId, limit: i64) -> Result<Vec<Call>> {
    Ok(sqlx::query_as(sql!("live_calls")).bind(run.0).bind(limit).fetch_all(conn).await?)
}

pub async fn calls_by_span(conn: &mut Conn, run: RunId, from: Timestamp, span_ms: i64) -> Result<Vec<CallSpan>> {
    Ok(sqlx::query_as(sql!("calls_by_span")).bind(run.0).bind(from.0).bind(span_ms).fetch_all(conn).await?)
}

pub async fn waits_by_span(conn: &mut Conn, run: RunId, now: Timestamp, span_ms: i64) -> Result<Vec<WaitSpan>> {
    Ok(sqlx::query_as(sql!("waits_by_span")).bind(run.0).bind(now.0).bind(span_ms).fetch_all(conn).await?)
}

pub async fn outcomes(conn: &mut Conn, run: RunId) -> Result<Vec<ModeOutcome>> {
    Ok(sqlx::query_as(sql!("outcomes_by_mode")).bind(run.0).fetch_all(conn).await?)
}

pub async fn newest(
    conn: &mut Conn,
    run: RunId,
    outcome: Option<&str>,
    behind: Option<AttemptId>,
    limit: i64,
) -> Result<Vec<Tried>> {
    Ok(sqlx::query_as(sql!("newest_attempts"))
        .bind(run.0)
        .bind(outcome)
        .bind(limit)
        .bind(behind.map_or(0, |attempt| attempt.0))
        .fetch_all(conn)
        .await?)
}

pub async fn overview(conn: &mut Conn, since: Timestamp, before: CampaignId, limit: i64) -> Result<Vec<Overview>> {
    Ok(sqlx::query_as(sql!("campaigns_overview")).bind(since.0).bind(before.0).bind(limit).fetch_all(conn).await?)
}

pub async fn exactly(conn: &mut Conn, q: &Looked, before: ContactId, limit: i64) -> Result<Vec<Found>> {
    let (from, until) = q.begins.as_ref().map_or(("", ""), |(from, until)| (from.as_str(), until.as_str()));
    Ok(sqlx::query_as(sql!("people_exactly"))
        .bind(from)
        .bind(until)
        .bind(&q.word)
        .bind(before.0)
        .bind(limit)
        .fetch_all(conn)
        .await?)
}

pub async fn alike(conn: &mut Conn, q: &Looked, (before, near): (ContactId, i64), limit: i64) -> Result<Vec<Found>> {
    Ok(sqlx::query_as(sql!("people_alike"))
        .bind(q.digits.as_deref())
        .bind(&q.lower)
        .bind(&q.typed)
        .bind(&q.capital)
        .bind(before.0)
        .bind(near)
        .bind(limit)
        .fetch_all(conn)
        .await?)
}

pub async fn looked_at(conn: &mut Conn, before: ContactId, near: i64) -> Result<(i64, Option<i64>)> {
    Ok(sqlx::query_as(sql!("people_looked_at")).bind(before.0).bind(near).fetch_one(conn).await?)
}

pub async fn contacts_of(conn: &mut Conn, contact: ContactId, limit: i64) -> Result<Vec<Person>> {
    Ok(sqlx::query_as(sql!("contacts_of_number")).bind(contact.0).bind(limit).fetch_all(conn).await?)
}

pub async fn attempts_of(conn: &mut Conn, contact: ContactId, limit: i64) -> Result<Vec<Tried>> {
    Ok(sqlx::query_as(sql!("attempts_of_number")).bind(contact.0).bind(limit).fetch_all(conn).await?)
}

pub async fn zones(conn: &mut Conn, campaign: CampaignId) -> Result<Vec<ZoneCount>> {
    Ok(sqlx::query_as(sql!("zones_of_campaign")).bind(campaign.0).fetch_all(conn).await?)
}
