//! Whether everything is in place for a call, examined anew at each asking.

use super::Web;
use axum::Json;
use axum::extract::State;
use futures::future::BoxFuture;
use serde_json::{Value, json};
use std::sync::Arc;

/// Who examines: the wiring knows the provider and the environment, a handler does not.
pub type Examine = Arc<dyn Fn() -> BoxFuture<'static, Value> + Send + Sync>;

/// `GET /setup`: `ok`, and each finding with its level and what to do about it.
pub(super) async fn show(State(web): State<Arc<Web>>) -> Json<Value> {
    Json(match &web.examine {
        Some(examine) => examine().await,
        None => {
            let told = "calls go to the simulator inside this process: there is nothing to look at";
            json!({ "ok": true, "findings": [{ "check": "platform", "level": "ok", "told": told }] })
        }
    })
}
