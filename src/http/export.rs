//! Lists to take away, as CSV: what the tables hold, nothing computed.

use super::campaigns::CSV;
use super::{Problem, Web};
use crate::domain::{AttemptId, ContactId, RunId, Timestamp};
use crate::intake::rejects::guard;
use axum::extract::{Path, State};
use axum::response::IntoResponse;
use std::sync::Arc;

const PAGE: i64 = 1000;

/// Rows of cells to CSV; a cell that a spreadsheet would run is guarded.
pub struct Table(csv::Writer<Vec<u8>>);

impl Table {
    pub fn new(header: &[&str]) -> Result<Self, Problem> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(header).map_err(Problem::ours)?;
        Ok(Table(writer))
    }
    pub fn row(&mut self, cells: &[String]) -> Result<(), Problem> {
        self.0.write_record(cells.iter().map(|cell| guard(cell))).map_err(Problem::ours)
    }
    pub fn end(self) -> Result<Vec<u8>, Problem> {
        self.0.into_inner().map_err(Problem::ours)
    }
}

fn text<T: ToString>(value: Option<T>) -> String {
    value.map(|v| v.to_string()).unwrap_or_default()
}

fn at(value: Option<i64>) -> String {
    text(value.map(Timestamp))
}

pub(super) async fn rejects(
    State(web): State<Arc<Web>>,
    Path(campaign): Path<String>,
) -> Result<impl IntoResponse, Problem> {
    Ok(([CSV], rejects_csv(&web.store, &campaign).await?))
}

pub(super) async fn notes(
    State(web): State<Arc<Web>>,
    Path(campaign): Path<String>,
) -> Result<impl IntoResponse, Problem> {
    Ok(([CSV], notes_csv(&web.store, &campaign).await?))
}

pub(super) async fn contacts(
    State(web): State<Arc<Web>>,
    Path(campaign): Path<String>,
) -> Result<impl IntoResponse, Problem> {
    Ok(([CSV], contacts_csv(&web.store, &campaign).await?))
}

pub(super) async fn attempts(
    State(web): State<Arc<Web>>,
    Path(campaign): Path<String>,
) -> Result<impl IntoResponse, Problem> {
    Ok(([CSV], attempts_csv(&web.store, &campaign).await?))
}

pub async fn rejects_csv(store: &crate::store::Store, campaign: &str) -> Result<Vec<u8>, Problem> {
    let campaign = store.find_campaign(campaign).await?;
    let mut table = Table::new(&["line", "bucket", "field", "reason", "raw"])?;
    for r in store.rejects(campaign.campaign).await? {
        table.row(&[r.line.to_string(), r.bucket, r.field, r.reason, r.raw])?;
    }
    table.end()
}

/// Cells of accepted rows that were left out, such as a faulty `phone2`.
pub async fn notes_csv(store: &crate::store::Store, campaign: &str) -> Result<Vec<u8>, Problem> {
    let campaign = store.find_campaign(campaign).await?;
    let mut table = Table::new(&["line", "field", "reason", "raw"])?;
    for note in store.notes(campaign.campaign).await? {
        table.row(&[note.line.to_string(), note.field, note.reason, note.raw])?;
    }
    table.end()
}

pub async fn contacts_csv(store: &crate::store::Store, campaign: &str) -> Result<Vec<u8>, Problem> {
    let campaign = store.find_campaign(campaign).await?;
    let mut table = Table::new(&[
        "contact",
        "line",
        "number",
        "name",
        "external_id",
        "mode",
        "own_mode",
        "disposition",
        "tries",
        "due_at",
        "gate",
        "suppressed",
    ])?;
    let mut after = 0;
    loop {
        let page = store.contacts(campaign.campaign, after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.contact_id;
        for row in page {
            table.row(&[
                ContactId(row.contact_id).to_string(),
                row.line.to_string(),
                row.e164,
                text(row.name),
                text(row.external_id),
                row.mode,
                (row.own_mode == 1).to_string(),
                text(row.disposition),
                row.tries.to_string(),
                at(row.due_at),
                text(row.gate),
                row.suppressed_at.is_some().to_string(),
            ])?;
        }
    }
    table.end()
}

pub async fn attempts_csv(store: &crate::store::Store, campaign: &str) -> Result<Vec<u8>, Problem> {
    let campaign = store.find_campaign(campaign).await?;
    let mut table = Table::new(&[
        "attempt",
        "run",
        "night",
        "contact",
        "line",
        "number",
        "try",
        "mode",
        "own_mode",
        "caller_id",
        "state",
        "claimed_at",
        "dialed_at",
        "ended_at",
        "callback_at",
        "outcome",
        "evidence",
        "session_id",
        "code",
        "reason",
        "hung_up_by",
        "goal",
        "answers",
        "fault",
        "machine",
        "answer_ms",
        "ring_ms",
        "first_audio_ms",
        "first_audio_method",
        "talk_ms",
        "cost_micros",
        "turns",
        "turns_answered",
        "turn_ms",
        "turn_methods",
    ])?;
    let mut after = 0;
    loop {
        let page = store.attempts(campaign.campaign, after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.attempt_id;
        for row in page {
            let turns = if row.turns > 0 { store.turns(AttemptId(row.attempt_id)).await? } else { Vec::new() };
            let latencies: Vec<String> = turns.iter().map(|t| text(t.turn_ms)).collect();
            let methods: Vec<&str> = turns.iter().map(|t| t.method.as_str()).collect();
            table.row(&[
                AttemptId(row.attempt_id).to_string(),
                RunId(row.run_id).to_string(),
                row.run_ordinal.to_string(),
                ContactId(row.contact_id).to_string(),
                row.line.to_string(),
                row.e164,
                row.try_number.to_string(),
                row.mode,
                (row.own_mode == 1).to_string(),
                text(row.caller_id),
                row.state,
                at(row.claimed_at),
                at(row.dialed_at),
                at(row.ended_at),
                at(row.callback_at),
                text(row.outcome),
                text(row.evidence),
                text(row.session_id),
                text(row.code),
                text(row.reason),
                text(row.hung_up_by),
                text(row.goal.map(|g| g == 1)),
                text(row.answers),
                text(row.fault),
                text(row.machine.map(|m| m == 1)),
                text(row.answer_ms),
                text(row.ring_ms),
                text(row.first_audio_ms),
                text(row.first_audio_method),
                text(row.talk_ms),
                text(row.cost_micros),
                row.turns.to_string(),
                row.turns_answered.to_string(),
                latencies.join(";"),
                methods.join(";"),
            ])?;
        }
    }
    table.end()
}
