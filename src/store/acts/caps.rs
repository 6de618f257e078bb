//! The history of numbers, over all campaigns: what caps and gaps are held against.

use super::super::Conn;
use super::super::pipeline::{self, Answer, typed};
use crate::domain::caps::Rang;
use crate::domain::{PhoneNumber, Timestamp};
use crate::store::text::{Question, Rows};
use crate::store::{Result, StoreError};
use std::collections::BTreeMap;

/// Whose history is asked for.
pub struct Of {
    /// What it is told by: an attempt's id, whose own call is left out, or any other.
    pub key: i64,
    pub number: i64,
    /// Calls before it do not matter any more.
    pub since: Timestamp,
}

#[derive(sqlx::FromRow, serde::Deserialize)]
struct RangRow {
    key: i64,
    dialed_at: i64,
    ended_at: Option<i64>,
    outcome: Option<String>,
}

/// The calls of every key, the oldest first; keys without any are absent.
pub async fn rang(conn: &mut Conn, of: &[Of]) -> Result<BTreeMap<i64, Vec<Rang>>> {
    let [answer] = pipeline::ask(conn, [asks(of)]).await?;
    told(answer)
}

/// The question of [`rang`].
pub fn asks(of: &[Of]) -> Question {
    let mut wanted = Rows::default();
    of.iter().for_each(|of| wanted.push(&(of.key, of.number, of.since.0)));
    Question::of::<RangRow>(sql!("rang_before"), wanted)
}

/// Its answer.
pub fn told(answer: Answer) -> Result<BTreeMap<i64, Vec<Rang>>> {
    let mut known: BTreeMap<i64, Vec<Rang>> = BTreeMap::new();
    for row in typed::<RangRow>(answer)? {
        let outcome = row.outcome.as_deref().map(|text| text.parse()).transpose();
        let outcome = outcome.map_err(|e| StoreError::row("attempts", "outcome", e))?;
        if let Some(call) = Rang::of(Timestamp(row.dialed_at), row.ended_at.map(Timestamp), outcome) {
            known.entry(row.key).or_default().push(call);
        }
    }
    Ok(known)
}

/// The history of one number by itself; empty for one that nobody ever heard of.
pub async fn of_number(conn: &mut Conn, number: &PhoneNumber, since: Timestamp) -> Result<Vec<Rang>> {
    let id: Option<i64> =
        sqlx::query_scalar(sql!("number_by_e164")).bind(number.as_str()).fetch_optional(&mut *conn).await?;
    let Some(id) = id else { return Ok(Vec::new()) };
    Ok(rang(conn, &[Of { key: 0, number: id, since }]).await?.remove(&0).unwrap_or_default())
}
