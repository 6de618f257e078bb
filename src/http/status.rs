//! Is the whole installation dialling? One line, for whoever is on call.

use super::{Problem, Web};
use crate::domain::clearance::Gate;
use crate::domain::status::{Facts, Open, Status, status};
use crate::domain::{RunId, Timestamp};
use crate::store::{StatusRow, Store, StoreError};
use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};
use std::sync::Arc;

/// Starts are counted over the last seconds (program time).
const STARTS_OVER_MS: i64 = 10_000;

/// Asks the tables; `account` is the platform that this database calls at.
pub async fn told(store: &Store, account: i64, now: Timestamp) -> Result<Status, Problem> {
    let row = store.account(account).await?;
    let runs = store.status_runs(account, now).await?.into_iter().map(open).collect::<Result<_, StoreError>>()?;
    let starts = store.starts_since(now.plus_ms(-STARTS_OVER_MS)).await?;
    let paused = row.as_ref().and_then(|account| Some((account.paused_at?, account.pause_reason.clone())));
    let last_slot_us = row.map_or(0, |account| account.last_slot_us);
    let facts = Facts {
        runs,
        account_paused: paused,
        alive_until: store.alive_until().await?,
        last_start: (last_slot_us > 0).then_some(Timestamp(last_slot_us / 1000)),
        last_end: store.last_run_end(account).await?,
        starts_per_s: starts as f64 * 1000.0 / STARTS_OVER_MS as f64,
    };
    let restored = store.restored().await?.map(|restored| restored.sentence());
    Ok(status(&facts, now).of_restored(restored))
}

fn open(row: StatusRow) -> Result<Open, StoreError> {
    let gate = |text: Option<String>| {
        let gate = text.map(|text| text.parse::<Gate>()).transpose();
        gate.map_err(|e| StoreError::row("run_contacts", "gate", e))
    };
    let fresh = row.fresh_at.map(Timestamp).zip(Some(gate(row.fresh_gate)?));
    let again = row.again_at.map(Timestamp).zip(Some(gate(row.again_gate)?));
    let name = match row.kind.as_str() {
        "single" => format!("single call {}", RunId(row.run_id)),
        _ => format!("run {} of {}", row.ordinal, row.campaign),
    };
    Ok(Open {
        name,
        paused: row.state == "paused",
        reason: row.state_reason,
        changed_at: Timestamp(row.changed_at),
        dialing: row.dialing,
        live: row.live,
        due: row.due > 0,
        next: [fresh, again].into_iter().flatten().min_by_key(|(at, _)| *at),
    })
}

pub fn to_json(status: &Status) -> Value {
    json!({
        "dialling": status.dialling, "gate": status.gate, "since": status.since, "until": status.until,
        "runs": status.runs, "calls_live": status.live, "starts_per_s": status.starts_per_s, "line": status.line,
        "restored": status.restored,
    })
}

pub(super) async fn show(State(web): State<Arc<Web>>) -> Result<Json<Value>, Problem> {
    Ok(Json(to_json(&told(&web.store, web.dialer.account, web.clock.now()).await?)))
}
