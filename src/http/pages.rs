//! Health, and what is not there.

use super::{Problem, Web};
use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};
use std::sync::Arc;

pub(super) async fn voximplant_health() -> Json<Value> {
    Json(json!({ "status": "ok", "service": "voximplant_webhook" }))
}

/// The process lives.
pub(super) async fn healthz() -> &'static str {
    "ok\n"
}

/// The database answers.
pub(super) async fn readyz(State(web): State<Arc<Web>>) -> Result<&'static str, Problem> {
    web.store.installation_value("key").await?;
    Ok("ready\n")
}

pub(super) async fn not_found() -> Problem {
    Problem::missing("there is nothing at this address")
}
