//! Sessions: which are to be asked about, and what the provider's history told of them.

use super::super::{Conn, ROWS_ARE_LOCKED};
use super::counts::Counts;
use crate::domain::{AttemptId, RunId, SessionId, Timestamp};
use crate::store::text::{ids_text, rows_text};
use crate::store::{AskLater, HistoryRow, KnownHistory, Record, Result, SessionToAsk};
use serde_json::json;
use std::collections::BTreeMap;

pub async fn to_ask(conn: &mut Conn, account: i64, now: Timestamp, limit: i64) -> Result<Vec<SessionToAsk>> {
    let rows: Vec<(i64, i64, i64, i64, i64, i64)> =
        sqlx::query_as(sql!("sessions_to_ask")).bind(account).bind(now.0).bind(limit).fetch_all(conn).await?;
    let read = |(session, attempt, known_at, waited_ms, busy, lost)| SessionToAsk {
        session: SessionId(session),
        attempt: AttemptId(attempt),
        known_at: Timestamp(known_at),
        waited_ms,
        busy: busy != 0,
        lost: lost != 0,
    };
    Ok(rows.into_iter().map(read).collect())
}

pub async fn left(conn: &mut Conn, run: RunId) -> Result<i64> {
    Ok(sqlx::query_scalar(sql!("sessions_left")).bind(run.0).fetch_one(conn).await?)
}

pub async fn ask_later(conn: &mut Conn, sessions: &[AskLater]) -> Result<()> {
    let rows = sessions.iter().map(|later| json!([later.session.0, later.ask_at.map(|at| at.0), later.waited_ms]));
    sqlx::query(sql!("ask_later")).bind(rows_text(rows.collect())).execute(conn).await?;
    crate::fail::wrote("patience");
    Ok(())
}

pub async fn put_history(conn: &mut Conn, rows: &[HistoryRow]) -> Result<()> {
    // PostgreSQL refuses a statement that writes one row twice: of a session told twice the last stands.
    let rows: BTreeMap<i64, &HistoryRow> = rows.iter().map(|row| (row.session.0, row)).collect();
    let histories = rows.values().map(|row| {
        json!([
            row.session.0,
            row.attempt.0,
            row.calls,
            row.body,
            row.fetched_at.0,
            row.finish_reason,
            row.session_s,
            row.talk_s,
            row.code,
            row.reason,
            row.cost_micros,
            row.costs,
            row.log_url,
        ])
    });
    let histories = rows_text(histories.collect());
    let records = rows.values().flat_map(|row| {
        row.records.iter().enumerate().map(|(n, record)| json!([row.session.0, n + 1, record.url, record.duration_s]))
    });
    let records: Vec<_> = records.collect();
    let attempts: Vec<AttemptId> = rows.values().map(|row| row.attempt).collect();
    // Budgets first: the order of locks is that of a decision.
    let now = rows.values().map(|row| row.fetched_at).max().unwrap_or_default();
    super::money::held(conn, &attempts, now).await?;
    if ROWS_ARE_LOCKED {
        // An end that is written meanwhile counts what was billed before it, or this does: never neither.
        let ids = ids_text(attempts.iter().map(|id| id.0));
        sqlx::query(sql!("lock_attempts")).bind(ids).fetch_all(&mut *conn).await?;
    }
    let mut counts = Counts::default();
    counts.before(conn, attempts.iter().copied(), []).await?;
    sqlx::query(sql!("put_history")).bind(&histories).execute(&mut *conn).await?;
    if !records.is_empty() {
        sqlx::query(sql!("put_records")).bind(rows_text(records)).execute(&mut *conn).await?;
    }
    sqlx::query(sql!("end_asking")).bind(histories).execute(&mut *conn).await?;
    super::money::bill(conn, &attempts).await?;
    counts.apply(conn).await?;
    super::snapshots::attempts_changed(conn, attempts).await?;
    crate::fail::wrote("history");
    Ok(())
}

#[derive(sqlx::FromRow)]
struct KnownRow {
    session_id: i64,
    finish_reason: Option<String>,
    session_s: Option<i64>,
    talk_s: Option<i64>,
    code: Option<i64>,
    reason: Option<String>,
    cost_micros: Option<i64>,
    costs: Option<String>,
    fetched_at: i64,
    log_url: Option<String>,
}

pub async fn known(conn: &mut Conn, attempt: AttemptId) -> Result<Option<KnownHistory>> {
    let row: Option<KnownRow> =
        sqlx::query_as(sql!("history_of_attempt")).bind(attempt.0).fetch_optional(&mut *conn).await?;
    let Some(row) = row else { return Ok(None) };
    let records: Vec<(String, Option<i64>)> =
        sqlx::query_as(sql!("records_of_session")).bind(row.session_id).fetch_all(conn).await?;
    Ok(Some(KnownHistory {
        session: SessionId(row.session_id),
        finish_reason: row.finish_reason,
        session_s: row.session_s,
        talk_s: row.talk_s,
        code: row.code,
        reason: row.reason,
        cost_micros: row.cost_micros,
        costs: row.costs,
        fetched_at: Timestamp(row.fetched_at),
        log_url: row.log_url,
        records: records.into_iter().map(|(url, duration_s)| Record { url, duration_s }).collect(),
    }))
}

pub async fn was_recorded(conn: &mut Conn, attempt: AttemptId) -> Result<bool> {
    let recorded: Option<i64> = sqlx::query_scalar(sql!("was_recorded")).bind(attempt.0).fetch_optional(conn).await?;
    Ok(recorded == Some(1))
}
