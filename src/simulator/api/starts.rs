//! `StartScenarios`, the trouble it may meet, and its line in the ledger.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::simulator::api::params::Params;
use crate::simulator::api::{ApiError, answer};
use crate::simulator::clock::wall_ms;
use crate::simulator::draw::Dice;
use crate::simulator::mischief::{Kind, Mischief};
use crate::simulator::options::LongCustomData;
use crate::simulator::platform::Platform;
use crate::simulator::session::inbound::RingIn;

/// As `/getServerLocations` lists them.
pub const SERVER_LOCATIONS: [&str; 1] = ["local"];
const CUSTOM_DATA_BYTES_MAX: usize = 200;

const REFUSALS: [(Kind, u32, &str); 3] = [
    (Kind::Start127, 127, "Insufficient money."),
    (Kind::Start314, 314, "The concurrent resource limit is exceeded."),
    (Kind::Start340, 340, "The rate limit is exceeded."),
];

/// When a request came in, taken before anything else is done with it.
pub struct Arrival {
    at_ms: i64,
    at_us: i64,
}

impl Arrival {
    pub fn now() -> Self {
        static ORIGIN: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
        let since = ORIGIN.get_or_init(std::time::Instant::now).elapsed();
        Self { at_ms: wall_ms(), at_us: i64::try_from(since.as_micros()).unwrap_or(i64::MAX) }
    }
}

pub async fn start(platform: &Arc<Platform>, params: &Params, arrived: Arrival) -> Response {
    let ordinal = platform.starts_seen.fetch_add(1, Ordering::Relaxed);
    let dice = Dice::of_start(platform.seed, ordinal);
    let happens = |kind| dice.chance(platform.mischief.rate(kind), Mischief::name(kind), 0);
    let custom_data = params.text("script_custom_data").unwrap_or_default();
    let mut line = json!({ "at_ms": arrived.at_ms, "custom_data": custom_data });
    platform.ledger().arrived(arrived.at_us);

    let statuses = [(Kind::Start429, StatusCode::TOO_MANY_REQUESTS), (Kind::Start5xx, StatusCode::SERVICE_UNAVAILABLE)];
    if let Some((_, status)) = statuses.into_iter().find(|(kind, _)| happens(*kind)) {
        line["http"] = json!(status.as_u16());
        platform.ledger().started(line);
        return status.into_response();
    }
    let refusal = REFUSALS.into_iter().find(|(kind, ..)| happens(*kind));
    let made = match refusal {
        Some((_, code, message)) => Err(ApiError::new(code, message)),
        None => begin(platform, params, custom_data, ordinal, &mut line),
    };
    // Two sessions of one start: the second has the same custom data, and nobody is told.
    if made.is_ok() && happens(Kind::StartTwice) {
        let mut again = json!({ "at_ms": arrived.at_ms, "custom_data": custom_data, "twice": true });
        let _second = begin(platform, params, custom_data, ordinal, &mut again);
        platform.ledger().started(again);
    }
    if let Err(error) = &made {
        line["error"] = json!(error.code);
    }
    platform.ledger().started(line);
    match made {
        Err(error) => answer(&error.body()),
        Ok(body) => {
            tokio::time::sleep(platform.start_answer_delay(ordinal)).await;
            if happens(Kind::StartSlow) {
                tokio::time::sleep(platform.slow_answer_delay(&dice)).await;
            }
            if happens(Kind::StartReplyLost) { broken_off().await } else { answer(&body) }
        }
    }
}

fn begin(
    platform: &Arc<Platform>,
    params: &Params,
    given: &str,
    ordinal: u64,
    line: &mut Value,
) -> Result<Value, ApiError> {
    let rule_id = find_rule(platform, params)?;
    if params.text("server_location").is_some_and(|location| !SERVER_LOCATIONS.contains(&location)) {
        return Err(ApiError::invalid(496, "server_location"));
    }
    if params.text("reference_ip").is_some_and(|ip| ip.parse::<IpAddr>().is_err()) {
        return Err(ApiError::invalid(257, "reference_ip"));
    }
    super::possessions::may_start(&platform.state())?;
    if platform.refuses_starts() {
        return Err(ApiError::new(127, "Insufficient money."));
    }
    let custom_data = fitting(platform, given)?;
    let record = platform
        .start_session(rule_id, custom_data, ordinal, None)
        .ok_or_else(|| ApiError::new(147, "The 'rule_id' parameter is invalid."))?;
    line["session_id"] = json!(record.session_id);
    line["rule_id"] = json!(rule_id);
    line["rule_name"] = json!(record.rule_name);
    if given.len() > CUSTOM_DATA_BYTES_MAX {
        let kept = custom_data.len();
        record.note(0, &format!("custom data had {} bytes, {kept} are passed on; 200 are documented", given.len()));
    }
    Ok(json!({
        "result": 1, "media_session_access_url": platform.access_url(&record),
        "media_session_access_secure_url": platform.access_secure_url(&record),
        "call_session_history_id": record.session_id,
    }))
}

/// What of the custom data reaches the session.
fn fitting<'a>(platform: &Platform, given: &'a str) -> Result<&'a str, ApiError> {
    if given.len() <= CUSTOM_DATA_BYTES_MAX {
        return Ok(given);
    }
    match platform.long_custom_data {
        LongCustomData::Warn => Ok(given),
        LongCustomData::Truncate => Ok(&given[..given.floor_char_boundary(CUSTOM_DATA_BYTES_MAX)]),
        LongCustomData::Reject => Err(ApiError::new(499, "The 'script_custom_data' parameter is too long.")),
    }
}

fn find_rule(platform: &Platform, params: &Params) -> Result<u64, ApiError> {
    let by_id = params.number("rule_id", 147)?;
    let state = platform.state();
    let rule = match (by_id, params.text("rule_name")) {
        (Some(id), _) => {
            state.rules.iter().find(|rule| rule.rule_id == id).ok_or_else(|| ApiError::invalid(147, "rule_id"))?
        }
        (None, Some(_)) if platform.strict_rule_id => {
            return Err(ApiError::new(134, "The 'rule_id' parameter is required."));
        }
        (None, Some(name)) => {
            let application = super::manage::application(&state, params)?;
            let found = state.rules.iter().find(|rule| rule.application_id == application && rule.name == name);
            found.ok_or_else(|| ApiError::invalid(156, "rule_name"))?
        }
        (None, None) => return Err(ApiError::new(134, "The 'rule_id' parameter is required.")),
    };
    if rule.scenarios.is_empty() {
        return Err(ApiError::new(375, "The rule has no scenario bound to it."));
    }
    Ok(rule.rule_id)
}

/// An answer that breaks off after its head.
async fn broken_off() -> Response {
    tokio::time::sleep(Duration::from_millis(20)).await;
    let broken =
        futures::stream::once(async { Err::<Bytes, _>(std::io::Error::other("mischief: the answer is lost")) });
    ([(header::CONTENT_TYPE, "application/json")], Body::from_stream(broken)).into_response()
}

/// `POST /simulator/inbound`: somebody rings in. Form fields `from`, and where wanted `to` (a number of
/// the account; its rule answers), `rule_name`, `tones`.
pub async fn inbound(axum::extract::State(platform): axum::extract::State<Arc<Platform>>, body: Bytes) -> Response {
    let params = Params::new(super::params::urlencoded(&body));
    let rule_id = {
        let state = platform.state();
        let to = params.text("to").map(|to| to.trim_start_matches('+'));
        let bound = state.numbers.iter().find(|held| to.is_none_or(|to| held.number == to) && held.rule_id.is_some());
        let named = params.text("rule_name").and_then(|name| state.rules.iter().find(|rule| rule.name == name));
        named.map(|rule| rule.rule_id).or(bound.and_then(|held| held.rule_id))
    };
    let (Some(rule_id), Some(from)) = (rule_id, params.text("from")) else {
        return (StatusCode::BAD_REQUEST, "`from`, and a number that is bound to a rule or `rule_name`")
            .into_response();
    };
    let ring = RingIn {
        from: from.to_owned(),
        to: params.text("to").unwrap_or("+74951234567").to_owned(),
        tones: params.text("tones").unwrap_or_default().to_owned(),
    };
    match platform.start_session(rule_id, "", 0, Some(ring)) {
        Some(record) => answer(&json!({ "call_session_history_id": record.session_id })),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
