//! Further numbers of contacts: kept, looked up, rung instead. Everything here takes many at once.

use super::super::Conn;
use crate::domain::alternates::Line;
use crate::domain::{AttemptId, CampaignId, NumberId, Outcome, RunContactId, Timestamp};
use crate::store::text::{bare, rows_text};
use crate::store::{AlternateRow, NewNote, Result, StoreError};
use serde_json::json;
use std::collections::BTreeMap;

/// Every number of these run contacts, and how the tries at it ended, with the attempt that did.
pub type Lines = BTreeMap<i64, Vec<(Line, Vec<AttemptId>)>>;

pub async fn lines(conn: &mut Conn, run_contacts: &[RunContactId]) -> Result<Lines> {
    let mut found = Lines::new();
    if run_contacts.is_empty() {
        return Ok(found);
    }
    type Row = (i64, i64, Option<i64>, Option<i64>, Option<String>, i64, Option<i64>);
    let ids: Vec<i64> = run_contacts.iter().map(|id| id.0).collect();
    let rows: Vec<Row> = sqlx::query_as(sql!("lines_of_contacts")).bind(json!(ids).to_string()).fetch_all(conn).await?;
    for (run_contact, number, suppressed_at, attempt, outcome, _, _) in rows {
        let lines = found.entry(run_contact).or_default();
        if lines.last().is_none_or(|(line, _)| line.number.0 != number) {
            let line = Line {
                number: NumberId(number),
                suppressed: suppressed_at.is_some(),
                ended: Vec::new(),
                history: Vec::new(),
            };
            lines.push((line, Vec::new()));
        }
        if let (Some((line, attempts)), Some(attempt), Some(outcome)) = (lines.last_mut(), attempt, outcome) {
            let outcome: Outcome = outcome.parse().map_err(|e| StoreError::row("attempts", "outcome", e))?;
            line.ended.push(outcome);
            attempts.push(AttemptId(attempt));
        }
    }
    Ok(found)
}

/// The lines as a decision about `attempt` sees them: its own end, which a late truth may correct, is not there.
pub fn without(lines: Vec<(Line, Vec<AttemptId>)>, attempt: AttemptId) -> Vec<Line> {
    lines
        .into_iter()
        .map(|(mut line, attempts)| {
            if let Some(own) = attempts.iter().position(|id| *id == attempt) {
                line.ended.remove(own);
            }
            line
        })
        .collect()
}

/// The next try at each of these contacts rings this number; so does one that is planned already.
pub async fn ring(conn: &mut Conn, next: &[(RunContactId, NumberId)]) -> Result<()> {
    if next.is_empty() {
        return Ok(());
    }
    let rows: Vec<_> = next.iter().map(|(contact, number)| json!([contact.0, number.0])).collect();
    let rows = json!(rows).to_string();
    for text in [sql!("ring_next"), sql!("ring_planned")] {
        sqlx::query(text).bind(&rows).execute(&mut *conn).await?;
    }
    Ok(())
}

/// When the callees of these attempts asked to be called again.
pub async fn put_callbacks(conn: &mut Conn, promised: &[(AttemptId, Timestamp)]) -> Result<()> {
    if promised.is_empty() {
        return Ok(());
    }
    let rows: Vec<_> = promised.iter().map(|(attempt, at)| json!([attempt.0, at.0])).collect();
    sqlx::query(sql!("put_callbacks")).bind(json!(rows).to_string()).execute(conn).await?;
    Ok(())
}

/// Notes as `insert_notes` takes them.
pub fn notes_text(notes: &[NewNote]) -> String {
    rows_text(notes.iter().map(|n| json!([n.line, n.field, n.reason, bare(&n.raw)])).collect())
}

pub async fn page(conn: &mut Conn, campaign: CampaignId, after: (i64, i64), limit: i64) -> Result<Vec<AlternateRow>> {
    let query = sqlx::query_as(sql!("alternate_rows")).bind(campaign.0).bind(after.0).bind(after.1).bind(limit);
    Ok(query.fetch_all(conn).await?)
}
