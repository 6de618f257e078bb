//! What went wrong, as the API told it, and where somebody goes who is not signed in.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::Value;

use super::look::Look;

/// An answer that is no success.
#[derive(Clone, Debug)]
pub struct Trouble {
    pub status: StatusCode,
    pub detail: String,
    pub faults: Vec<String>,
}

impl Trouble {
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Trouble { status, detail: detail.into(), faults: Vec::new() }
    }

    /// From a body of the API (RFC 9457).
    pub fn told(status: StatusCode, body: &[u8]) -> Self {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let faults = body.list("faults").iter().filter_map(Value::as_str).map(str::to_owned).collect();
        Trouble { status, detail: body.text("detail"), faults }
    }

    /// Detail and faults, a line each, without saying anything twice.
    pub fn lines(&self) -> Vec<String> {
        match self.faults.is_empty() {
            true => vec![self.detail.clone()],
            false => self.faults.clone(),
        }
    }
}

/// To the sign-in, and from there back.
pub fn sign_in(back: &str) -> Response {
    Redirect::to(&format!("/sign-in?to={}", super::client::encoded(back))).into_response()
}
