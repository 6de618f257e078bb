//! What is no longer kept: words of calls, links to recordings, raw rows. Counts and times stay.

use super::super::Conn;
use super::audit;
use crate::domain::{AttemptId, Timestamp};
use crate::store::text::{bare, ids_text};
use crate::store::{AuditOrder, DoomedRecord, Keep, Result};

const DAY_MS: i64 = 24 * 3_600_000;
/// Of what somebody answers to a deletion.
const TROUBLE_CHARS_MAX: usize = 200;

/// Everything that was said in these attempts, and what the provider wrote of them.
pub async fn said(conn: &mut Conn, attempts: &str) -> Result<()> {
    for statement in [
        sql!("forget_turns"),
        sql!("forget_dialogue"),
        sql!("forget_events"),
        sql!("forget_calls"),
        sql!("forget_streams"),
        sql!("forget_judgements"),
        sql!("forget_history"),
    ] {
        sqlx::query(statement).bind(attempts).execute(&mut *conn).await?;
    }
    Ok(())
}

/// The ways to their recordings; the provider is asked to delete what they lead to. Returns how many.
pub async fn records(conn: &mut Conn, attempts: &str, now: Timestamp) -> Result<u64> {
    let doomed =
        sqlx::query(sql!("doom_records")).bind(attempts).bind(now.0).execute(&mut *conn).await?.rows_affected();
    sqlx::query(sql!("drop_records")).bind(attempts).execute(conn).await?;
    Ok(doomed)
}

pub async fn doomed(conn: &mut Conn, account: i64, now: Timestamp, limit: i64) -> Result<Vec<DoomedRecord>> {
    Ok(sqlx::query_as(sql!("doomed_records")).bind(account).bind(now.0).bind(limit).fetch_all(conn).await?)
}

pub async fn doomed_of(conn: &mut Conn, attempt: AttemptId) -> Result<i64> {
    Ok(sqlx::query_scalar(sql!("doomed_of_attempt")).bind(attempt.0).fetch_one(conn).await?)
}

pub async fn gone(conn: &mut Conn, url: &String) -> Result<()> {
    sqlx::query(sql!("record_is_gone")).bind(url).execute(conn).await?;
    Ok(())
}

pub async fn stays(conn: &mut Conn, (url, ask_at, trouble): &(String, Timestamp, String)) -> Result<()> {
    let trouble: String = bare(trouble).chars().take(TROUBLE_CHARS_MAX).collect();
    sqlx::query(sql!("record_stays")).bind(url).bind(ask_at.0).bind(trouble).execute(conn).await?;
    Ok(())
}

pub async fn kept(conn: &mut Conn) -> Result<Vec<(String, i64)>> {
    Ok(sqlx::query_as(sql!("kept_days")).fetch_all(conn).await?)
}

pub async fn keep(conn: &mut Conn, (keeps, audit): &(Vec<Keep>, AuditOrder)) -> Result<()> {
    for keep in keeps {
        match keep.days {
            Some(days) => sqlx::query(sql!("keep_days")).bind(keep.what).bind(days).execute(&mut *conn).await?,
            None => sqlx::query(sql!("keep_for_good")).bind(keep.what).execute(&mut *conn).await?,
        };
    }
    audit::put(conn, audit).await
}

pub async fn old(conn: &mut Conn, (now, limit): &(Timestamp, i64)) -> Result<usize> {
    let mut done = 0;
    for (what, days) in kept(conn).await? {
        let before = now.plus_ms(-days * DAY_MS);
        done += match what.as_str() {
            "raw" => {
                let rejects = sqlx::query(sql!("forget_old_rejects")).bind(before.0).bind(limit);
                let rejects = rejects.execute(&mut *conn).await?.rows_affected();
                let notes = sqlx::query(sql!("forget_old_notes")).bind(before.0).bind(limit);
                (rejects + notes.execute(&mut *conn).await?.rows_affected()) as usize
            }
            "recordings" => {
                let attempts = sqlx::query_scalar(sql!("attempts_with_records")).bind(before.0).bind(limit);
                let attempts: Vec<i64> = attempts.fetch_all(&mut *conn).await?;
                if !attempts.is_empty() {
                    records(conn, &ids_text(attempts.iter().copied()), *now).await?;
                }
                attempts.len()
            }
            _ => {
                let attempts = sqlx::query_scalar(sql!("attempts_with_texts")).bind(before.0).bind(limit);
                let attempts: Vec<i64> = attempts.fetch_all(&mut *conn).await?;
                if !attempts.is_empty() {
                    said(conn, &ids_text(attempts.iter().copied())).await?;
                }
                attempts.len()
            }
        };
    }
    Ok(done)
}
