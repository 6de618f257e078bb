//! Who may ask: deny by default. A key has a role, a route asks for one, and what changes something stands in the audit.

use super::roles::{self, Found, Row};
use super::tries::{Peer, Verdict};
use super::{Problem, Web, lasting, mask, repeats};
use crate::domain::{KeyId, Role, Timestamp};
use crate::store::{AuditOrder, Who};
use axum::extract::{ConnectInfo, FromRequestParts, MatchedPath, RawPathParams, Request, State};
use axum::http::header::{ALLOW, AUTHORIZATION, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use subtle::ConstantTimeEq;
use tracing::{error, warn};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const REQUEST_ID_CHARS_MAX: usize = 64;
const MINUTE_MS: i64 = 60_000;
/// How the audit names whoever holds API_AUTH_KEY.
const SETTINGS_KEY: &str = "API_AUTH_KEY";

/// How keys begin that were made here; [`MADE_CHARS`] of chance follow.
const MADE: &str = "halo_";
const MADE_CHARS: usize = 64;

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
    /// As the table of keys holds it.
    pub fn hex(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }
    /// Does it look like [`ApiKey::fresh`]?
    fn is_of_ours(key: &str) -> bool {
        key.strip_prefix(MADE).is_some_and(|chance| chance.len() == MADE_CHARS)
    }
    /// A new key, and its hash. 256 bits of chance need no slow hash.
    pub fn fresh() -> (String, Self) {
        let text = format!("{MADE}{:032x}{:032x}", rand::random::<u128>(), rand::random::<u128>());
        let hash = ApiKey::of(&text);
        (text, hash)
    }
}

/// When each key was noted as used last: once a minute is enough.
#[derive(Default)]
pub(super) struct Used(Mutex<HashMap<KeyId, i64>>);

impl Used {
    /// The minute, where nobody has noted it yet.
    fn fresh(&self, key: KeyId, now: Timestamp) -> Option<Timestamp> {
        let minute = now.0 - now.0.rem_euclid(MINUTE_MS);
        let before = self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key, minute);
        (before != Some(minute)).then_some(Timestamp(minute))
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

tokio::task_local! {
    /// The audit's line for the request under way: an act that takes it writes it in its own transaction.
    static LINE: AuditOrder;
    static WHO: Who;
    static SAID: Arc<Mutex<Said>>;
}

/// The line that the request under way leaves in the audit; nothing for what changes nothing.
pub(super) fn line() -> Option<AuditOrder> {
    LINE.try_with(Clone::clone).ok()
}

/// Whose request is under way.
pub(super) fn who() -> Option<Who> {
    WHO.try_with(Clone::clone).ok()
}

/// The line of a route whose action stands in the table.
pub(super) fn own_line() -> Result<AuditOrder, Problem> {
    line().ok_or_else(|| Problem::ours("a route that changes something has no action in the table of roles"))
}

/// A part of the request under way that goes on in a task of its own.
pub(super) fn carried<F: Future>(doing: F) -> impl Future<Output = F::Output> {
    let (who, line, said) = (who(), line(), SAID.try_with(Arc::clone).ok());
    async move {
        match (who, line, said) {
            (Some(who), Some(line), Some(said)) => WHO.scope(who, LINE.scope(line, SAID.scope(said, doing))).await,
            (Some(who), ..) => WHO.scope(who, doing).await,
            _ => doing.await,
        }
    }
}

/// What a handler says of what it did, for a line that is written after it.
#[derive(Default)]
struct Said {
    subject: Option<(&'static str, String)>,
    detail: Value,
}

/// Names what was made or changed, where the address does not.
pub(super) fn note(kind: &'static str, id: impl ToString, detail: Value) {
    said(Said { subject: Some((kind, id.to_string())), detail });
}

/// Says more of it.
pub(super) fn note_more(detail: Value) {
    said(Said { subject: None, detail });
}

fn said(said: Said) {
    // Outside a request nobody listens.
    let _ = SAID.try_with(|place| *place.lock().unwrap_or_else(PoisonError::into_inner) = said);
}

fn request_id(headers: &HeaderMap) -> String {
    let sane = |text: &&str| {
        !text.is_empty()
            && text.len() <= REQUEST_ID_CHARS_MAX
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    let given = headers.get(REQUEST_ID).and_then(|id| id.to_str().ok()).filter(sane);
    given.map_or_else(|| format!("{:032x}", rand::random::<u128>()), str::to_owned)
}

fn over(why: &str) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, "key_over", format!("this key is {why}: ask an admin for another"))
}

/// Whose key this is. Wrong ones are counted by where they come from.
async fn identify(web: &Web, headers: &HeaderMap, peer: Option<Peer>, request: &str) -> Result<Who, Problem> {
    let now = web.clock.wall();
    let Some(presented) = bearer(headers).filter(|key| !key.is_empty()) else { return Err(Problem::unauthorized()) };
    // A key that we made is not to be guessed, and its holder must be able to pause whatever strangers try. One that
    // somebody thought of may be a word.
    if !ApiKey::is_of_ours(presented)
        && let Verdict::TooMany { after_s } = web.tries.may_try(peer, now)
    {
        return Err(Problem::too_many(after_s));
    }
    let hash = ApiKey::of(presented);
    let who =
        |key, name: &str, role| Who { door: "api", key, name: name.to_owned(), role, request: request.to_owned() };
    if bool::from(hash.0.ct_eq(&web.api_key.0)) {
        return Ok(who(None, SETTINGS_KEY, Role::Admin));
    }
    let Some(row) = web.store.key_of(&hash.hex()).await? else {
        let Some(patience) = web.tries.wrong(peer, now) else { return Err(Problem::too_many(1)) };
        tokio::time::sleep(patience.for_so_long()).await;
        return Err(Problem::unauthorized());
    };
    if let Some(why) = row.over(web.clock.now()) {
        return Err(over(why));
    }
    let key = KeyId(row.key_id);
    if let Some(minute) = web.used.fresh(key, web.clock.now()) {
        let store = web.store.clone();
        tokio::spawn(async move {
            if let Err(cause) = store.key_used(key, minute).await {
                warn!("When key {key} was used cannot be kept: {cause}");
            }
        });
    }
    let role = row.role.parse().map_err(Problem::ours)?;
    Ok(who(Some(key), &row.name, role))
}

/// May whoever presents this key look at the installation?
pub(super) async fn opens(web: &Web, headers: &HeaderMap) -> bool {
    identify(web, headers, None, "").await.is_ok()
}

/// What an address names: the first of its parameters. People are named by the id of their number.
async fn subject(web: &Web, params: &RawPathParams) -> Option<(&'static str, String)> {
    let (name, value) = params.iter().next()?;
    match name {
        "campaign" => Some(("campaign", web.store.find_campaign(value).await.ok()?.campaign.to_string())),
        "number" => {
            let number = super::numbers::meant(web, value).await.ok()?;
            Some(("number", web.store.number_id(&number).await.ok()??.to_string()))
        }
        "run" => Some(("run", value.to_owned())),
        "attempt" => Some(("attempt", value.to_owned())),
        "contact" => Some(("contact", value.to_owned())),
        "key" => Some(("key", value.to_owned())),
        "share" => Some(("share", value.to_owned())),
        "webhook" => Some(("webhook", value.to_owned())),
        _ => None,
    }
}

/// Lets through what the table of roles allows this key.
pub(super) async fn require_key(State(web): State<Arc<Web>>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let id = request_id(&parts.headers);
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|from| Peer::of(from.0.ip()));
    let who = match identify(&web, &parts.headers, peer, &id).await {
        Ok(who) => who,
        Err(problem) => return problem.into_response(),
    };
    let matched = parts.extensions.get::<MatchedPath>().map(|path| path.as_str().to_owned()).unwrap_or_default();
    let row = match roles::find(parts.method.as_str(), &matched) {
        Found::Row(row) => row,
        Found::OtherMethods(others) => {
            let said = "this address does not know the method; the header `Allow` names those it does";
            let mut refused = Problem::unread(StatusCode::METHOD_NOT_ALLOWED, said).into_response();
            refused.headers_mut().extend(HeaderValue::from_str(&others).map(|others| (ALLOW, others)));
            return refused;
        }
        Found::Nothing => return Problem::forbidden("no role may do this").into_response(),
    };
    if !who.role.may(row.least) {
        let said = format!("the key `{}` is a {}'s: this asks for an {}", who.name, who.role, row.least);
        return Problem::forbidden(said).into_response();
    }
    let params = RawPathParams::from_request_parts(&mut parts, &()).await.ok();
    let request = Request::from_parts(parts, body);
    let (role, key) = (who.role, who.key);
    let response = WHO.scope(who.clone(), noted(&web, row, who, params, next.run(request))).await;
    let mut response = lasting::with_its_key(&web, key, response);
    if role == Role::Viewer {
        response = mask::hide(response);
    }
    response.headers_mut().extend(HeaderValue::from_str(&id).map(|id| (REQUEST_ID, id)));
    response
}

/// Answers, and leaves a line in the audit where something was changed: in the act's own transaction where the act took
/// it, right after its success otherwise.
async fn noted(
    web: &Web,
    row: &'static Row,
    who: Who,
    params: Option<RawPathParams>,
    answer: impl Future<Output = Response>,
) -> Response {
    if row.action.is_empty() {
        return answer.await;
    }
    let mut line = AuditOrder::new(&web.store, who, row.action, web.clock.now());
    if let Some(params) = &params
        && let Some((kind, id)) = subject(web, params).await
    {
        line = line.about(kind, id);
    }
    let place: Arc<Mutex<Said>> = Arc::default();
    let response = SAID.scope(place.clone(), LINE.scope(line.clone(), answer)).await;
    // What was done before has its line.
    if response.status().is_success() && !line.is_written() && !repeats::is_again(&response) {
        let said = std::mem::take(&mut *place.lock().unwrap_or_else(PoisonError::into_inner));
        if let Some((kind, id)) = said.subject {
            line = line.about(kind, id);
        }
        line = line.saying(said.detail);
        if let Err(cause) = web.store.audit(line).await {
            error!("The audit misses {}: {cause}", row.action);
        }
    }
    response
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
