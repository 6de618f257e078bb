//! Errors as people and programs read them (RFC 9457), naming whom they speak about.

use crate::dialer::DialerError;
use crate::domain::Timestamp;
use crate::store::{StoreError, WriteError};
use axum::Json;
use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
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
    /// The same for programs that know nothing of us, in real seconds.
    pub retry_after_s: Option<u64>,
}

impl Problem {
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Problem { status, code, detail: detail.into(), faults: Vec::new(), until: None, retry_after_s: None }
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
    /// It is not any more what somebody has seen (`If-Match`).
    pub fn changed(detail: impl Into<String>) -> Self {
        Problem::new(StatusCode::PRECONDITION_FAILED, "changed", detail)
    }
    /// A body or an address that could not be read: the framework's own status and words.
    pub fn unread(status: StatusCode, detail: impl Into<String>) -> Self {
        let code = match status {
            StatusCode::METHOD_NOT_ALLOWED => "method_not_allowed",
            StatusCode::NOT_FOUND => "not_found",
            StatusCode::PAYLOAD_TOO_LARGE => "too_large",
            StatusCode::UNSUPPORTED_MEDIA_TYPE => "unsupported_type",
            _ => "bad_request",
        };
        Problem::new(status, code, detail)
    }
    /// A form that names a field again: what would be left out in silence is refused.
    pub fn twice(field: &str) -> Self {
        Problem::bad(format!("field `{field}` is there twice"))
    }
    /// Stored settings that cannot be read any more: whoever may change them is told why.
    pub fn settings(campaign: impl std::fmt::Display, cause: impl std::fmt::Display) -> Self {
        error!("Settings stored for campaign {campaign}: {cause}");
        let detail = format!(
            "the settings stored for campaign {campaign} cannot be read: {cause}; mend them by PATCH \
             /api/v1/campaigns/{campaign}/settings"
        );
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "settings", detail)
    }
    pub fn unauthorized() -> Self {
        Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", "a bearer token is missing or wrong")
    }
    /// The key is known, and may not do this.
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Problem::new(StatusCode::FORBIDDEN, "forbidden", detail)
    }
    /// Wrong keys from there are not heard any more for a while.
    pub fn too_many(after_s: u64) -> Self {
        let detail = format!("too many wrong keys came from this address: try again in {after_s} s");
        Problem {
            retry_after_s: Some(after_s),
            ..Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_tries", detail)
        }
    }
    /// Our fault: logged in full, told in short.
    /// What the provider has against it, in its words.
    pub fn provider(cause: impl std::fmt::Display) -> Self {
        Problem::new(StatusCode::BAD_GATEWAY, "provider", cause.to_string())
    }
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
        let kind = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(CONTENT_TYPE, kind);
        response.headers_mut().extend(self.retry_after_s.map(|after_s| (RETRY_AFTER, HeaderValue::from(after_s))));
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
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
            DialerError::Rules { campaign, cause } => Problem::settings(campaign, cause),
            cause => Problem::ours(cause),
        }
    }
}

/// Bytes of a refusal of the framework's own.
const REFUSAL_BYTES_MAX: usize = 4096;

/// What the framework refuses by itself (an address, a query, a method, a body that is too large) is told as
/// everything else is.
pub(super) async fn in_words(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let (status, headers) = (response.status(), response.headers());
    let told = |kind: &HeaderValue| !kind.as_bytes().starts_with(b"text/plain");
    if !(status.is_client_error() || status.is_server_error()) || headers.get(CONTENT_TYPE).is_some_and(told) {
        return response;
    }
    let (parts, body) = response.into_parts();
    let words = to_bytes(body, REFUSAL_BYTES_MAX).await.unwrap_or_default();
    let words = String::from_utf8_lossy(&words).trim().to_owned();
    let detail = match status {
        // The header is written after us.
        StatusCode::METHOD_NOT_ALLOWED => {
            "this address does not know the method; the header `Allow` names those it does"
        }
        _ if words.is_empty() => status.canonical_reason().unwrap_or("refused"),
        _ => &words,
    };
    let mut response = Problem::unread(status, detail).into_response();
    for (name, value) in parts.headers.iter().filter(|(name, _)| !matches!(**name, CONTENT_TYPE | CONTENT_LENGTH)) {
        response.headers_mut().append(name, value.clone());
    }
    response
}
