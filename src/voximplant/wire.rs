//! What carries a request to the provider and its answer back: HTTP.
//!
//! A test may put a provider in its place that is a value: no socket, no TLS, no time of this machine.

use super::codes;
use super::error::ApiError;
use futures::future::BoxFuture;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// Answers are small; a history of a hundred sessions stays far below this.
const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;

/// A provider without a network: the method and its form in, HTTP's status and the body out.
pub trait Provider: Send + Sync {
    fn answer(&self, method: &'static str, form: Vec<(String, String)>) -> BoxFuture<'static, (u16, Value)>;
}

pub(super) enum Wire {
    Http(reqwest::Client),
    Value(Arc<dyn Provider>),
}

/// An answer as it came.
pub(super) struct Came {
    pub status: reqwest::StatusCode,
    /// What `retry-after` said.
    pub wait: Option<Duration>,
    pub body: Option<Value>,
}

impl Wire {
    pub async fn carry(
        &self,
        base: &str,
        method: &'static str,
        form: &[(&str, String)],
        token: Option<SecretString>,
    ) -> Result<Came, ApiError> {
        let http = match self {
            Wire::Http(http) => http,
            Wire::Value(provider) => {
                let form = form.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
                let (status, body) = provider.answer(method, form).await;
                let status = reqwest::StatusCode::from_u16(status);
                let status = status.map_err(|_| ApiError::Malformed { method, field: "status" })?;
                return Ok(Came { status, wait: None, body: Some(body) });
            }
        };
        let mut request = http.post(format!("{base}/{method}")).form(form);
        if let Some(token) = token {
            request = request.bearer_auth(token.expose_secret());
        }
        let mut response = request.send().await.map_err(|cause| transport(method, cause))?;
        let status = response.status();
        let wait = response.headers().get("retry-after").and_then(|value| codes::retry_after(value.to_str().ok()?));
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|cause| transport(method, cause))? {
            if body.len() + chunk.len() > ANSWER_BYTES_MAX {
                return Err(ApiError::Malformed { method, field: "size" });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Came { status, wait, body: serde_json::from_slice(&body).ok() })
    }
}

/// Before the connection stood, nothing left; afterwards nobody knows.
fn transport(method: &'static str, cause: reqwest::Error) -> ApiError {
    let cause = cause.without_url();
    if cause.is_connect() || cause.is_builder() {
        ApiError::Unreachable { method, cause }
    } else {
        ApiError::NoAnswer { method, cause }
    }
}
