//! Health, and what is not there.

use super::{Problem, Web};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Value, json};
use std::sync::Arc;

pub(super) async fn voximplant_health() -> Json<Value> {
    Json(json!({ "status": "ok", "service": "voximplant_webhook" }))
}

/// The process lives.
pub(super) async fn healthz() -> &'static str {
    "ok\n"
}

/// The database answers, its tables are ours, and the writer comes to its turn.
pub(super) async fn readyz(State(web): State<Arc<Web>>) -> Result<&'static str, Problem> {
    let not = |why: String| Problem::new(StatusCode::SERVICE_UNAVAILABLE, "not_ready", why);
    web.store.installation_value("key").await.map_err(|cause| not(format!("the database does not answer: {cause}")))?;
    match web.store.unready().await {
        Ok(None) => Ok("ready\n"),
        Ok(Some(why)) => Err(not(why)),
        Err(cause) => Err(not(cause.to_string())),
    }
}

pub(super) async fn not_found() -> Problem {
    Problem::missing("there is nothing at this address")
}
