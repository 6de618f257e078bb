//! One call now: `POST /demo/session`.

use super::single::{Here, Order, Placed, SingleError, place};
use super::{Problem, Web};
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::header::LOCATION;
use axum::http::{HeaderName, StatusCode};
use serde_json::{Value, json};
use std::sync::Arc;

impl From<SingleError> for Problem {
    fn from(cause: SingleError) -> Self {
        match cause {
            SingleError::Order(faults) => Problem::refused("the call cannot be placed", faults.list()),
            SingleError::Held { code, until, .. } => {
                Problem { until, ..Problem::new(StatusCode::CONFLICT, code, cause.to_string()) }
            }
            SingleError::Store(cause) => cause.into(),
        }
    }
}

/// 201 names the attempt; 422 says what is wrong with the order, 409 which gate is closed, and until when.
pub(super) async fn session(
    State(web): State<Arc<Web>>,
    body: Result<Bytes, BytesRejection>,
) -> Result<(StatusCode, [(HeaderName, String); 1], Json<Value>), Problem> {
    let order = Order::read(&super::voice::body_of::<Value>(body)?, &web.modes).map_err(SingleError::Order)?;
    let here = Here {
        store: &web.store,
        modes: &web.modes,
        real_platform: web.dialer.platform.real,
        caller_id: web.default_caller_id.clone(),
        account: web.dialer.account,
        now: web.clock.now(),
    };
    let told =
        json!({ "mode": order.mode, "purpose": order.purpose, "number": order.phone.masked(), "notes": order.notes });
    let Placed { attempt, run } = place(&here, order).await?;
    super::access::note("attempt", attempt, json!({ "mode": told["mode"], "purpose": told["purpose"] }));
    let own = format!("/api/v1/attempts/{attempt}");
    let mut answer = json!({ "attempt": attempt, "run": run, "state": "planned" });
    for (key, value) in told.as_object().into_iter().flatten() {
        answer[key] = value.clone();
    }
    answer["links"] = json!({
        "attempt": own, "events": format!("{own}/events"), "hangup": format!("{own}/hangup"),
        "run": format!("/api/v1/runs/{run}"), "withdraw": format!("/api/v1/runs/{run}/stop"),
    });
    Ok((StatusCode::CREATED, [(LOCATION, own)], Json(answer)))
}
