//! Who may ask: deny by default.

use super::{Problem, Web};
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use subtle::ConstantTimeEq;

/// SHA-256 of the admin key: the key itself is not kept.
#[derive(Clone)]
pub struct ApiKey([u8; 32]);

impl ApiKey {
    pub fn of(key: &str) -> Self {
        ApiKey(Sha256::digest(key.as_bytes()).into())
    }
    pub fn from_hash(hash: [u8; 32]) -> Self {
        ApiKey(hash)
    }
    pub fn hash(&self) -> [u8; 32] {
        self.0
    }
    fn opens(&self, presented: &str) -> bool {
        let presented: [u8; 32] = Sha256::digest(presented.as_bytes()).into();
        presented.ct_eq(&self.0).into()
    }
}

/// The token of `Authorization: Bearer …`.
pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

pub(super) fn same_secret(presented: &str, expected: &str) -> bool {
    presented.as_bytes().ct_eq(expected.as_bytes()).into()
}

/// May whoever presents this key look at the installation?
pub(super) fn opens(web: &Web, key: &str) -> bool {
    web.api_key.opens(key)
}

pub(super) async fn require_key(State(web): State<Arc<Web>>, request: Request, next: Next) -> Response {
    match bearer(request.headers()) {
        Some(key) if web.api_key.opens(key) => next.run(request).await,
        _ => Problem::unauthorized().into_response(),
    }
}

/// No page of ours needs anything from elsewhere.
pub(super) async fn harden(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; \
                  frame-ancestors 'none'";
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}
