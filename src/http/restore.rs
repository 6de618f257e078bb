//! A restore that waits until somebody has brought back what it lacks.

use super::life::{by, said};
use super::{Problem, Web};
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

pub(super) async fn show(State(web): State<Arc<Web>>) -> Result<Json<Value>, Problem> {
    Ok(Json(match web.store.restored().await? {
        None => json!({ "pending": false }),
        Some(restored) => json!({
            "pending": true, "since": restored.since, "restored_at": restored.restored_at,
            "sentence": restored.sentence(),
        }),
    }))
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Confirmed {
    by: Option<String>,
    reason: Option<String>,
}

pub(super) async fn confirm(State(web): State<Arc<Web>>, body: Bytes) -> Result<Json<Value>, Problem> {
    let asked: Confirmed = said(&body)?;
    let by = by(asked.by, asked.reason, Some("the restore is confirmed"))?;
    match web.store.confirm_restore(by, web.clock.now()).await? {
        Some(restored) => Ok(Json(json!({ "pending": false, "since": restored.since }))),
        None => Err(Problem::conflict("no restore waits to be confirmed")),
    }
}
