//! Turns of conversations.

use super::super::Conn;
use super::counts::Costs;
use crate::domain::AttemptId;
use crate::store::text::Rows;
use crate::store::{DialogueTurn, Result, Stand, Talked};
use serde::Serialize;
use serde_json::json;
use std::collections::BTreeSet;

pub async fn stand(conn: &mut Conn, attempt: AttemptId, turn: i64) -> Result<Stand> {
    let last: Option<(i64, String, String)> =
        sqlx::query_as(sql!("dialogue_stand")).bind(attempt.0).bind(turn).fetch_optional(conn).await?;
    Ok(match last {
        Some((same, reply, _)) if same == turn => Stand { reply: Some(reply), ..Stand::default() },
        Some((last, _, record)) => Stand { reply: None, last: Some(last), record: Some(record) },
        None => Stand::default(),
    })
}

pub async fn talked(conn: &mut Conn, attempts: &[i64]) -> Result<Vec<Talked>> {
    Ok(sqlx::query_as(sql!("dialogue_rows")).bind(json!(attempts).to_string()).fetch_all(conn).await?)
}

/// Stores each answer unless one stands; returns those that stood before, in the order of the turns.
pub async fn put(conn: &mut Conn, turns: &[&DialogueTurn]) -> Result<Vec<Option<String>>> {
    let mut rows = Rows::default();
    turns.iter().for_each(|turn| rows.push(&TurnRow::of(turn)));
    let paid = turns.iter().filter(|turn| turn.costs()).map(|turn| turn.attempt).collect();
    let now = turns.iter().map(|turn| turn.at).max().unwrap_or_default();
    let costs = Costs::before(conn, paid, now).await?;
    let new: Vec<(i64, i64)> =
        sqlx::query_as(sql!("put_dialogue_turns")).bind(rows.text()).fetch_all(&mut *conn).await?;
    let mut new: BTreeSet<(i64, i64)> = new.into_iter().collect();
    let mut stood = Vec::with_capacity(turns.len());
    for turn in turns {
        let (attempt, nth) = (turn.attempt.0, turn.turn);
        // The first of a batch is the one that was stored.
        if new.remove(&(attempt, nth)) {
            if turn.costs() {
                super::money::settle_late(conn, turn.attempt, turn.at).await?;
            }
            stood.push(None);
        } else {
            let reply = sqlx::query_scalar(sql!("dialogue_turn")).bind(attempt).bind(nth).fetch_one(&mut *conn).await?;
            stood.push(Some(reply));
        }
    }
    costs.apply(conn).await?;
    Ok(stood)
}

/// A row of more columns than a tuple may have.
#[derive(Serialize)]
struct TurnRow<'a>(
    i64,
    i64,
    &'a str,
    &'a str,
    &'a str,
    i64,
    &'a str,
    i64,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    Option<&'a str>,
    Option<&'a str>,
    Option<&'a str>,
    Option<&'a str>,
);

impl<'a> TurnRow<'a> {
    fn of(t: &'a DialogueTurn) -> Self {
        let made = &t.made;
        TurnRow(
            t.attempt.0,
            t.turn,
            &t.text,
            &t.reply,
            &t.record,
            t.at.0,
            &made.replier,
            made.requests,
            made.first_ms,
            made.model_ms,
            made.tokens_in,
            made.tokens_cached,
            made.tokens_out,
            made.cost_micros,
            made.tools.as_deref(),
            made.verdict.as_deref(),
            made.trouble.as_deref(),
            made.fault.as_deref(),
        )
    }
}
