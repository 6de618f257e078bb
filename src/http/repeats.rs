//! A request with an `Idempotency-Key` is done once, however often it is sent.
//!
//! It holds for every POST of the API, those of tomorrow too. Lists are not held whole in memory: they have a guard of
//! their own (`uploads`), with the same words. What was done is done by a task of its own, so that whoever hangs up
//! while it is done finds the answer when asking again.

use super::{Problem, UPLOAD_BYTES_MAX, Web, access};
use crate::store::repeats::{Answered, Begin, Begun};
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{CONTENT_TYPE, LOCATION};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{AppendHeaders, IntoResponse, Response};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use tracing::error;

const KEY: &str = "idempotency-key";
/// Stands on an answer that was given before.
const AGAIN: HeaderName = HeaderName::from_static("idempotency-replayed");
const KEY_CHARS_MAX: usize = 200;
/// An answer that is kept.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;
/// Lists: `uploads` sees to them. Checks store nothing.
const OF_THEIR_OWN: [&str; 4] = [
    "/api/v1/campaigns",
    "/api/v1/campaigns/{campaign}/contacts",
    "/api/v1/campaigns/check",
    "/api/v1/campaigns/{campaign}/check",
];

/// Stands in the extensions of an answer that nobody may be told twice, such as a new key: it is not kept.
#[derive(Clone, Copy, Debug)]
pub struct ToldOnce;

/// Requests that are being done in this process: whoever repeats one now is told to wait, not that its end is unknown.
#[derive(Clone, Default)]
pub(super) struct Underway(Arc<Mutex<BTreeSet<String>>>);

struct Place {
    underway: Underway,
    key: String,
}

impl Underway {
    fn take(&self, key: &str) -> Option<Place> {
        let free = self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key.to_owned());
        free.then(|| Place { underway: self.clone(), key: key.to_owned() })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.underway.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}

/// The key as the request names it.
pub(super) fn key_of(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(key) = headers.get(KEY) else { return Ok(None) };
    let key = key.to_str().unwrap_or_default().trim();
    match key.chars().count() {
        1..=KEY_CHARS_MAX => Ok(Some(key.to_owned())),
        _ => Err(Problem::bad(format!("Idempotency-Key: write 1 to {KEY_CHARS_MAX} letters"))),
    }
}

pub(super) fn used(key: &str) -> Problem {
    let said = format!("the key `{key}` came with another request before: use a new one");
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "key_used", said)
}

pub(super) fn underway(key: &str) -> Problem {
    let said = format!("the first request with the key `{key}` is not answered yet: ask again");
    Problem::new(StatusCode::CONFLICT, "underway", said)
}

/// The mark of an answer that was given before.
pub(super) fn marked(again: bool) -> AppendHeaders<Option<(HeaderName, HeaderValue)>> {
    AppendHeaders(again.then(|| (AGAIN, HeaderValue::from_static("true"))))
}

pub(super) fn is_again(response: &Response) -> bool {
    response.headers().contains_key(AGAIN)
}

pub(super) async fn once(State(web): State<Arc<Web>>, request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str).unwrap_or_default();
    if request.method() != Method::POST || OF_THEIR_OWN.contains(&path) {
        return next.run(request).await;
    }
    match key_of(request.headers()) {
        Ok(None) => next.run(request).await,
        Ok(Some(key)) => repeated(web, key, request, next).await.unwrap_or_else(Problem::into_response),
        Err(refused) => refused.into_response(),
    }
}

async fn repeated(web: Arc<Web>, key: String, request: Request, next: Next) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let too_large =
        |_| Problem::unread(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large to be kept for a repetition");
    let body = to_bytes(body, UPLOAD_BYTES_MAX).await.map_err(too_large)?;
    let place = web.repeats.take(&key).ok_or_else(|| underway(&key))?;
    // Another key's request is another request: its answer may not be for these eyes.
    let who = access::who().map(|who| who.key.map_or_else(|| who.name.clone(), |key| key.to_string()));
    let asked = format!("{} {} {}\n", who.unwrap_or_default(), parts.method, parts.uri);
    let fingerprint = super::lists::in_hex(Sha256::new().chain_update(asked).chain_update(&body));
    let begin = Begin { key: key.clone(), fingerprint, now: web.clock.now() };
    match web.store.begin_repeat(begin).await? {
        Begun::Answered(answered) => return Ok(again(answered)),
        Begun::Other => return Err(used(&key)),
        Begun::Unanswered => {
            let said = format!(
                "what became of the first request with the key `{key}` is not known: another process is at it, or it \
                 broke off; look whether it was done before you send it with a new key"
            );
            return Err(Problem::new(StatusCode::CONFLICT, "unknown_end", said));
        }
        Begun::First => {}
    }
    let request = Request::from_parts(parts, Body::from(body));
    let doing = tokio::spawn(access::carried(async move {
        let response = kept(&web, key, next.run(request).await).await;
        drop(place);
        response
    }));
    doing.await.map_err(Problem::ours)?
}

/// The answer, kept where something was done. What was refused did nothing, and frees its key; where the server failed,
/// nobody knows.
async fn kept(web: &Web, key: String, response: Response) -> Result<Response, Problem> {
    let status = response.status();
    if status.is_client_error() || status == StatusCode::SERVICE_UNAVAILABLE {
        web.store.forget_repeat(key).await?;
        return Ok(response);
    }
    if !status.is_success() {
        return Ok(response);
    }
    let secret = response.extensions().get::<ToldOnce>().is_some();
    let (parts, body) = response.into_parts();
    let body: Bytes = to_bytes(body, ANSWER_BYTES_MAX).await.map_err(Problem::ours)?;
    let text = |name: &HeaderName| parts.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let answered = Answered {
        key,
        status: i64::from(status.as_u16()),
        kind: text(&CONTENT_TYPE),
        location: text(&LOCATION),
        body: if secret { String::new() } else { String::from_utf8_lossy(&body).into_owned() },
    };
    // It was done all the same, and whoever asked is told so.
    if let Err(cause) = web.store.answer_repeat(answered).await {
        error!("The answer to a request cannot be kept for its repetition: {cause}");
    }
    Ok(Response::from_parts(parts, Body::from(body)))
}

fn again(answered: Answered) -> Response {
    let mut response = Response::new(Body::from(answered.body));
    *response.status_mut() =
        u16::try_from(answered.status).ok().and_then(|code| StatusCode::from_u16(code).ok()).unwrap_or_default();
    let headers = response.headers_mut();
    for (name, text) in [(CONTENT_TYPE, answered.kind), (LOCATION, answered.location)] {
        if let Some(value) = text.and_then(|text| HeaderValue::from_str(&text).ok()) {
            headers.insert(name, value);
        }
    }
    headers.insert(AGAIN, HeaderValue::from_static("true"));
    response
}
