//! Errors as people and programs read them (RFC 9457), naming whom they speak about.

use crate::dialer::DialerError;
use crate::domain::Timestamp;
use crate::store::{StoreError, WriteError};
use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use tracing::error;

#[derive(Debug)]
pub struct Problem {
    pub status: StatusCode,
    /// Stable, for programs.
    pub code: &'static str,
    pub detail: String,
    /// More than one thing can be wrong at once.
    pub faults: Vec<String>,
    /// When it may be tried again, where that is known.
    pub until: Option<Timestamp>,
}

impl Problem {
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Problem { status, code, detail: detail.into(), faults: Vec::new(), until: None }
    }
    pub fn bad(detail: impl Into<String>) -> Self {
        Problem::new(StatusCode::BAD_REQUEST, "bad_request", detail)
    }
    pub fn missing(detail: impl Into<String>) -> Self {
        Problem::new(StatusCode::NOT_FOUND, "not_found", detail)
    }
    pub fn refused(detail: impl Into<String>, faults: Vec<String>) -> Self {
        Problem { faults, ..Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "refused", detail) }
    }
    pub fn conflict(detail: impl Into<String>) -> Self {
        Problem::new(StatusCode::CONFLICT, "conflict", detail)
    }
    pub fn unauthorized() -> Self {
        Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", "a bearer token is missing or wrong")
    }
    /// Our fault: logged in full, told in short.
    pub fn ours(cause: impl std::fmt::Display) -> Self {
        error!("{cause}");

        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the server failed; its log says why")
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let title = self.status.canonical_reason().unwrap_or("Error");
        let mut body = json!({
            "type": format!("urn:halo:problem:{}", self.code),
            "title": title,
            "status": self.status.as_u16(),
            "code": self.code,
            "detail": self.detail,
        });
        if !self.faults.is_empty() {
            body["faults"] = json!(self.faults);
        }
        if let Some(until) = self.until {
            body["until"] = json!(until.to_string());
        }
        let mut response = (self.status, Json(body)).into_response();
        let kind = axum::http::HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(axum::http::header::CONTENT_TYPE, kind);
        response
    }
}

impl From<StoreError> for Problem {
    fn from(cause: StoreError) -> Self {
        match cause {
            StoreError::Missing(what) => Problem::missing(format!("{what} does not exist")),
            StoreError::Conflict(what) => Problem::conflict(what),
            // Asked again it may find a server whose storage works.
            StoreError::Write(WriteError::Broken(why)) => {
                error!("{why}");
                Problem::new(StatusCode::SERVICE_UNAVAILABLE, "storage", "nothing can be kept at the moment")
            }
            cause @ StoreError::Write(_) => {
                error!("{cause}");

                Problem::new(StatusCode::SERVICE_UNAVAILABLE, "stopping", "the server is stopping")
            }
            cause => Problem::ours(cause),
        }
    }
}

impl From<DialerError> for Problem {
    fn from(cause: DialerError) -> Self {
        match cause {
            DialerError::Store(cause) => cause.into(),
            cause => Problem::ours(cause),
        }
    }
}
