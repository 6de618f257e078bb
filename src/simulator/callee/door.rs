//! `POST /simulator/callees`: gives a number a behaviour by name, whatever its last digits say. It lasts until
//! it is taken away again (`"behaviour": null`) or the simulator stops.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use crate::simulator::callee::{Behaviour, NAMED};
use crate::simulator::platform::Platform;

/// More numbers than any test needs.
const OVERRIDES_MAX: usize = 10_000;

impl Platform {
    /// What happens at a number: `times` counts this call too.
    pub fn behaviour(&self, digits: &str, times: u32) -> Behaviour {
        self.state().callees.get(digits).copied().unwrap_or_else(|| Behaviour::of_number(digits, times))
    }
}

/// JSON `{"number": "+79990000000", "behaviour": "no_funds"}`.
pub async fn set(State(platform): State<Arc<Platform>>, body: Bytes) -> Response {
    let told: Value = serde_json::from_slice(&body).unwrap_or_default();
    let digits: String = told["number"].as_str().unwrap_or_default().chars().filter(char::is_ascii_digit).collect();
    let named = told["behaviour"].as_str();
    let found = named.and_then(|name| NAMED.iter().find(|(known, _)| *known == name));
    if digits.is_empty() || found.is_none() && !told["behaviour"].is_null() {
        let names = NAMED.map(|(name, _)| name).join(", ");
        return (StatusCode::BAD_REQUEST, format!("`number`, and `behaviour`: null or one of {names}")).into_response();
    }
    let mut state = platform.state();
    match found {
        Some(_) if state.callees.len() >= OVERRIDES_MAX => return StatusCode::INSUFFICIENT_STORAGE.into_response(),
        Some((_, behaviour)) => state.callees.insert(digits, *behaviour),
        None => state.callees.remove(&digits),
    };
    StatusCode::NO_CONTENT.into_response()
}
