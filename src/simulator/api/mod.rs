//! The Management API over HTTP, the sessions' own addresses, the ledgers, and a page to look at.

mod history;
mod manage;
mod page;
mod params;
mod possessions;
mod socket;
mod starts;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Router;
use axum::body::Bytes;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{FromRequest, Multipart, Path, Query, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use serde_json::{Value, json};
use tokio::sync::oneshot;

use crate::simulator::api::params::Params;
use crate::simulator::callee::door;
use crate::simulator::platform::Platform;
use crate::simulator::session::{Command, Inbound};

/// As on the platform: more concurrent requests are answered 429.
const IN_FLIGHT_MAX: usize = 200;
const COMMAND_ANSWER_S_MAX: u64 = 10;

/// An error of the API: answered with HTTP 200, like every other answer.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{code}: {message}")]
pub struct ApiError {
    pub code: u32,
    pub message: String,
}

impl ApiError {
    pub fn new(code: u32, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    pub fn invalid(code: u32, parameter: &str) -> Self {
        Self::new(code, format!("The '{parameter}' parameter is invalid."))
    }

    pub fn body(&self) -> Value {
        json!({ "error": { "code": self.code, "msg": self.message } })
    }
}

pub fn router(platform: Arc<Platform>) -> Router {
    Router::new()
        .route("/", get(page::root))
        .route("/platform_api", any(by_field))
        .route("/platform_api/", any(by_field))
        .route("/platform_api/{command}", any(by_path))
        .route("/platform_api/{command}/", any(by_path))
        .route("/getServerLocations", get(|| async { axum::Json(json!({ "result": ["local"] })) }))
        .route("/request/{id}/{token}", any(command))
        .route("/simulator/starts", get(starts_ledger))
        .route("/simulator/calls", get(calls_ledger))
        .route("/simulator/pace", get(pace))
        .route("/simulator/inbound", post(starts::inbound))
        .route("/simulator/callees", post(door::set))
        .route("/simulator/sessions/{id}/log", get(page::log))
        .route("/simulator/sessions/{id}/heard", get(heard))
        .with_state(platform)
}

async fn by_field(State(platform): State<Arc<Platform>>, request: Request) -> Response {
    serve(platform, None, request).await
}

async fn by_path(State(platform): State<Arc<Platform>>, Path(name): Path<String>, request: Request) -> Response {
    serve(platform, Some(name), request).await
}

/// Counts a request while it is being answered.
struct InFlight(Arc<Platform>);

impl InFlight {
    fn enter(platform: &Arc<Platform>) -> Option<Self> {
        let guard = Self(Arc::clone(platform));
        (platform.in_flight.fetch_add(1, Ordering::AcqRel) < IN_FLIGHT_MAX).then_some(guard)
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::AcqRel);
    }
}

async fn serve(platform: Arc<Platform>, by_path: Option<String>, request: Request) -> Response {
    let arrived = starts::Arrival::now();
    let Some(_counted) = InFlight::enter(&platform) else {
        return StatusCode::TOO_MANY_REQUESTS.into_response();
    };
    let params = match read(request).await {
        Ok(params) => params,
        Err(error) => return answer(&error.body()),
    };
    let name = by_path.filter(|name| !name.is_empty()).or_else(|| params.text("cmd").map(str::to_owned));
    let Some(name) = name else {
        return answer(&ApiError::new(102, "The 'cmd' parameter is missing.").body());
    };
    if let Err(error) = authorise(&platform, &params) {
        return answer(&error.body());
    }
    if name == "StartScenarios" {
        return starts::start(&platform, &params, arrived).await;
    }
    match manage::run(&platform, &name, &params) {
        Ok(body) => answer(&body),
        Err(error) => answer(&error.body()),
    }
}

pub fn answer(body: &Value) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

/// Parameters from the query, then from a form of either kind.
async fn read(request: Request) -> Result<Params, ApiError> {
    let unreadable = |_| ApiError::new(101, "The request's parameters cannot be read.");
    let Query(mut pairs) = Query::<Vec<(String, String)>>::try_from_uri(request.uri())
        .map_err(|_| ApiError::new(101, "The query cannot be read."))?;
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if kind.starts_with("multipart/form-data") {
        let mut fields = Multipart::from_request(request, &()).await.map_err(|error| unreadable(error.body_text()))?;
        while let Some(field) = fields.next_field().await.map_err(|error| unreadable(error.body_text()))? {
            let Some(name) = field.name().map(str::to_owned) else {
                continue;
            };
            let value = field.text().await.map_err(|error| unreadable(error.body_text()))?;
            pairs.push((name, value));
        }
    } else if request.method() == Method::POST {
        let body = Bytes::from_request(request, &()).await.map_err(|error| unreadable(error.body_text()))?;
        pairs.extend(params::urlencoded(&body));
    }
    Ok(Params::new(pairs))
}

/// The first key that is presented for an account is that account's key, unless the settings name it.
fn authorise(platform: &Platform, params: &Params) -> Result<(), ApiError> {
    let failed = || ApiError::new(100, "Authorization failed.");
    let account = ["account_id", "account_name", "account_email"].into_iter().find_map(|name| params.text(name));
    let (Some(account), Some(key)) = (account, params.text("api_key")) else {
        return Err(failed());
    };
    let mut state = platform.state();
    if state.keys.is_empty() {
        state.account_id = account.parse().unwrap_or(1);
    }
    let held = match state.keys.get(account) {
        Some(held) => held.clone(),
        None if state.keys.is_empty() => {
            state.keys.insert(account.to_owned(), key.to_owned());
            key.to_owned()
        }
        None => return Err(failed()),
    };
    if held == key { Ok(()) } else { Err(failed()) }
}

async fn command(
    State(platform): State<Arc<Platform>>,
    Path((id, token)): Path<(u64, String)>,
    method: Method,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
    body: String,
) -> Response {
    let Some(session) = platform.way_in(id, &token) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    if let Ok(upgrade) = upgrade {
        let path = format!("/request/{id}/{token}");
        let told = json!({ "method": method.as_str(), "path": path, "content": "", "headers": [] });
        return socket::enter(upgrade, session, told).await;
    }
    let headers =
        headers.iter().filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned()))).collect();
    let (answer, heard) = oneshot::channel();
    let path = format!("/request/{id}/{token}");
    let command = Command { method: method.to_string(), path, content: body, headers, answer };
    if session.send(Inbound::Command(command)).await.is_err() {
        return StatusCode::NOT_FOUND.into_response();
    }
    match tokio::time::timeout(std::time::Duration::from_secs(COMMAND_ANSWER_S_MAX), heard).await {
        Ok(Ok(said)) => said.unwrap_or_default().into_response(),
        Ok(Err(_over)) => StatusCode::NOT_FOUND.into_response(),
        Err(_elapsed) => StatusCode::GATEWAY_TIMEOUT.into_response(),
    }
}

fn json_lines(lines: String) -> Response {
    ([(header::CONTENT_TYPE, "application/x-ndjson")], lines).into_response()
}

/// What the callee of a session heard, phrase by phrase.
async fn heard(State(platform): State<Arc<Platform>>, Path(id): Path<u64>) -> Response {
    platform.session(id).map_or(StatusCode::NOT_FOUND.into_response(), |record| json_lines(record.heard()))
}

async fn starts_ledger(State(platform): State<Arc<Platform>>) -> Response {
    json_lines(platform.ledger().starts())
}

async fn calls_ledger(State(platform): State<Arc<Platform>>) -> Response {
    json_lines(platform.ledger().calls())
}

async fn pace(State(platform): State<Arc<Platform>>) -> Response {
    answer(&platform.ledger().pace())
}
