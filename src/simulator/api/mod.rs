//! The Management API over HTTP, the sessions' own addresses, the ledgers, and a page to look at.

mod auth;
mod doors;
mod history;
mod items;
mod lists;
mod manage;
mod page;
mod params;
mod possessions;
mod records;
mod socket;
mod starts;

#[cfg(test)]
mod auth_tests;
#[cfg(test)]
mod lists_tests;
#[cfg(test)]
mod manage_tests;
#[cfg(test)]
mod open_tests;
#[cfg(test)]
mod tests;

pub use possessions::Owned;

use std::collections::BTreeMap;
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

pub use auth::{ServiceAccount, ServiceAccountError};

use crate::simulator::api::params::Params;
use crate::simulator::callee::door;
use crate::simulator::clock::wall_ms;
use crate::simulator::completions;
use crate::simulator::draw::Dice;
use crate::simulator::mischief::{Kind, Mischief};
use crate::simulator::openai;
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
        .route("/getServerLocations", get(server_locations))
        .route("/getServerLocations/", get(server_locations))
        .route("/getMediaResources", get(media_resources))
        .route("/getMediaResources/", get(media_resources))
        .route("/request/{id}/{token}", any(command))
        .route("/v1/realtime", get(openai::realtime))
        .route("/simulator/starts", get(starts_ledger))
        .route("/simulator/calls", get(calls_ledger))
        .route("/simulator/pace", get(pace))
        .route("/simulator/clock", get(clock))
        .route("/simulator/inbound", post(starts::inbound))
        .route("/simulator/sessions/{id}", get(page::session))
        .route("/simulator/account", post(doors::account))
        .route("/simulator/numbers", post(doors::numbers))
        .route("/simulator/caller-ids", post(doors::caller_ids))
        .route("/simulator/sip-registrations", post(doors::sip_registrations))
        .route("/simulator/callees", post(door::set))
        .route("/simulator/sessions/{id}/log", get(page::log))
        .route("/simulator/sessions/{id}/heard", get(heard))
        .route("/simulator/records/{name}", get(records::record))
        .route("/simulator/logs/{id}", get(records::log))
        .merge(completions::router())
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
    let headers = request.headers().clone();
    let params = match read(request).await {
        Ok(params) => params,
        Err(error) => return answer(&error.body()),
    };
    let name = by_path.filter(|name| !name.is_empty()).or_else(|| params.text("cmd").map(str::to_owned));
    let Some(name) = name else {
        return answer(&ApiError::new(102, "The 'cmd' parameter is missing.").body());
    };
    if let Err(error) = auth::authorise(&platform, &headers, &params, wall_ms().div_euclid(1000)) {
        return answer(&error.body());
    }
    if name == "StartScenarios" {
        return starts::start(&platform, &params, arrived).await;
    }
    manage_in_trouble(&platform, &name, &params).await
}

/// Every other method, and the trouble it may meet.
async fn manage_in_trouble(platform: &Platform, name: &str, params: &Params) -> Response {
    let dice = Dice::of_start(platform.seed, platform.requests_seen.fetch_add(1, Ordering::Relaxed));
    let happens = |kind| dice.chance(platform.mischief.rate(kind), Mischief::name(kind), 0);
    if happens(Kind::Api429) {
        return StatusCode::TOO_MANY_REQUESTS.into_response();
    }
    if happens(Kind::Api5xx) {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    if happens(Kind::Api340) {
        return answer(&ApiError::new(340, "The rate limit is exceeded.").body());
    }
    let item = items::run(&mut platform.state(), name, params, wall_ms().div_euclid(1000));
    let told = item.or_else(|| lists::run(platform, name, params));
    let told = told.unwrap_or_else(|| manage::run(platform, name, params));
    if happens(Kind::ApiSlow) {
        tokio::time::sleep(platform.slow_answer_delay(&dice)).await;
    }
    let told = told.unwrap_or_else(|error| error.body());
    lists::as_file(&told).unwrap_or_else(|| answer(&told))
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
    if kind.to_ascii_lowercase().starts_with("multipart/form-data") {
        let mut fields = Multipart::from_request(request, &()).await.map_err(|error| unreadable(error.body_text()))?;
        while let Some(field) = fields.next_field().await.map_err(|error| unreadable(error.body_text()))? {
            let Some(name) = field.name().map(str::to_owned) else {
                continue;
            };
            let value = field.bytes().await.map_err(|error| unreadable(error.body_text()))?;
            pairs.push((name, String::from_utf8_lossy(&value).into_owned()));
        }
    } else if kind.to_ascii_lowercase().starts_with("text/csv") {
        let body = Bytes::from_request(request, &()).await.map_err(|error| unreadable(error.body_text()))?;
        pairs.push(("file_content".to_owned(), String::from_utf8_lossy(&body).into_owned()));
    } else if request.method() == Method::POST {
        let body = Bytes::from_request(request, &()).await.map_err(|error| unreadable(error.body_text()))?;
        pairs.extend(params::urlencoded(&body));
    }
    Ok(Params::new(pairs))
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

async fn server_locations() -> Response {
    answer(&json!({ "result": starts::SERVER_LOCATIONS }))
}

/// Addresses that a firewall would let in: everything of the simulator comes from this machine.
async fn media_resources(Query(asked): Query<BTreeMap<String, String>>) -> Response {
    let own = json!([{ "ip": "127.0.0.1", "mask": "255.255.255.255" }]);
    let mut told = json!({ "result": { "media": own } });
    if asked.contains_key("with_sbcs") {
        told["result"]["sbcs"] = own;
    }
    answer(&told)
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

/// What requests cost on their sessions' clocks, and how far that is from what they took.
async fn clock(State(platform): State<Arc<Platform>>) -> Response {
    answer(&platform.client.told())
}
