//! One request to the Management API.
//!
//! The body is read first and `error` understood whatever the HTTP status says: the platform refuses
//! with 200. Keys, tokens and numbers stand in no log: a request is logged by its method and the names
//! of what it sends.

use super::error::ApiError;
use super::pacer::Permit;
use super::service_key::{Minted, ServiceKey, Wall};
use super::wire::{Came, Wire};
use crate::measures;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use std::sync::Mutex;
use std::time::{Duration, Instant};
use tracing::debug;

const CONNECT_S: u64 = 6;
const ANSWER_S: u64 = 20;
/// Rows asked for at once, and those a list may have at all.
const PAGE_ROWS: usize = 1000;
const LIST_ROWS_MAX: usize = 100_000;
/// Values of at least so many bytes are taken out of what the provider says; shorter ones are words.
const ECHO_BYTES_MIN: usize = 6;
/// E.164 numbers have at least seven digits.
const PHONE_DIGITS_MIN: usize = 7;
/// The platform serves at most 200 requests at once.
pub(super) const IN_FLIGHT_MAX: usize = 200;

pub(super) struct Api {
    wire: Wire,
    base: String,
    presented: Presented,
    in_flight: tokio::sync::Semaphore,
}

/// How the account is known to the provider.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// The account's own key, with all its rights.
    Key(SecretString),
    /// A service account, whose key may be allowed to start scenarios and nothing else.
    Service(ServiceKey),
}

/// What a request presents.
enum Presented {
    Key { account: String, key: SecretString },
    Token { key: ServiceKey, wall: Wall, minted: Mutex<Option<Minted>> },
}

/// The token presented has run out by the provider's clock.
const TOKEN_EXPIRED: i64 = 456;

/// What a method is asked: names and values, in order.
pub(super) type Params<'a> = Vec<(&'a str, String)>;

impl Api {
    pub(super) fn new(base: &str, account: &str, credentials: Credentials, wall: Wall) -> Result<Self, ApiError> {
        // Fails when a provider is already installed, which is just as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(CONNECT_S))
            .timeout(Duration::from_secs(ANSWER_S))
            .user_agent(concat!("halo/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(ApiError::Http)?;
        Ok(Self::over(Wire::Http(http), base, account, credentials, wall))
    }

    pub(super) fn over(wire: Wire, base: &str, account: &str, credentials: Credentials, wall: Wall) -> Self {
        let base = base.trim_end_matches('/').to_owned();
        let presented = match credentials {
            Credentials::Key(key) => Presented::Key { account: account.to_owned(), key },
            Credentials::Service(key) => Presented::Token { key, wall, minted: Mutex::default() },
        };
        Api { wire, base, presented, in_flight: tokio::sync::Semaphore::new(IN_FLIGHT_MAX) }
    }

    /// The bearer token to present, if that is how we are known; `anew` throws a held one away.
    pub(super) fn token(&self, anew: bool) -> Result<Option<SecretString>, ApiError> {
        let Presented::Token { key, wall, minted } = &self.presented else { return Ok(None) };
        let now = wall();
        let mut minted = minted.lock().expect("no panic while holding it");
        if anew || minted.as_ref().is_none_or(|held| held.is_old(now)) {
            *minted = Some(key.mint(now)?);
        }
        Ok(minted.as_ref().map(|held| held.token.clone()))
    }

    pub(super) async fn call(&self, method: &'static str, params: Params<'_>) -> Result<Value, ApiError> {
        let _place = self.in_flight.acquire().await.expect("the semaphore is never closed");
        self.answer(method, params, None).await
    }

    /// For a start: behind others it would leave long after its slot, and many of them at once.
    pub(super) async fn call_at_once(
        &self,
        method: &'static str,
        params: Params<'_>,
        permit: &Permit,
    ) -> Result<Value, ApiError> {
        let _place = self.in_flight.try_acquire().map_err(|_| ApiError::Crowded { method })?;
        self.answer(method, params, Some(permit)).await
    }

    async fn answer(
        &self,
        method: &'static str,
        params: Params<'_>,
        permit: Option<&Permit>,
    ) -> Result<Value, ApiError> {
        let names: Vec<&str> = params.iter().map(|(name, _)| *name).collect();
        let mut form = params.clone();
        if let Presented::Key { account, key } = &self.presented {
            form.push(("account_id", account.clone()));
            form.push(("api_key", key.expose_secret().to_owned()));
        }
        let began = Instant::now();
        let mut answer = self.send(method, &form, self.token(false)?, permit).await;
        // Refused at the door, so nothing was done: the one case in which a request is sent again.
        if matches!(&answer, Err(cause) if cause.code() == Some(TOKEN_EXPIRED)) && self.is_service() {
            answer = self.send(method, &form, self.token(true)?, permit).await;
        }
        let took_ms = began.elapsed().as_millis() as u64;
        measures::provider(method, &answer.as_ref().map_or_else(ApiError::word, |_| "ok".to_owned()));
        match &answer {
            Ok(_) => debug!(method, ?names, took_ms, "{method} answered"),
            Err(cause) => debug!(method, ?names, took_ms, %cause, "{method} failed: {cause}"),
        }
        answer
    }

    /// All rows of a list method, page by page until `total_count` is reached.
    pub(super) async fn list(&self, method: &'static str, params: Params<'_>) -> Result<Vec<Value>, ApiError> {
        let mut found: Vec<Value> = Vec::new();
        loop {
            let mut asked = params.clone();
            asked.push(("count", PAGE_ROWS.to_string()));
            if !found.is_empty() {
                asked.push(("offset", found.len().to_string()));
            }
            let answer = self.call(method, asked).await?;
            let total = id(&answer, "total_count").and_then(|total| usize::try_from(total).ok());
            let page = rows(method, answer)?;
            let came = page.len();
            found.extend(page);
            match total {
                Some(total) if found.len() >= total => return Ok(found),
                // Whoever says that there is more and gives nothing has lost something.
                Some(_) if came == 0 => return Err(ApiError::Malformed { method, field: "total_count" }),
                None if came < PAGE_ROWS => return Ok(found),
                _ if found.len() >= LIST_ROWS_MAX => return Err(ApiError::Malformed { method, field: "size" }),
                _ => {}
            }
        }
    }

    fn is_service(&self) -> bool {
        matches!(self.presented, Presented::Token { .. })
    }

    async fn send(
        &self,
        method: &'static str,
        form: &[(&str, String)],
        token: Option<SecretString>,
        permit: Option<&Permit>,
    ) -> Result<Value, ApiError> {
        let leaves = permit.map(Permit::leaves);
        let Came { status, wait, body: answer } = self.wire.carry(&self.base, method, form, token, leaves).await?;
        if let Some(error) = answer.as_ref().and_then(|a| a.get("error")).filter(|e| !e.is_null()) {
            // Without a code nobody knows what was done.
            let code = id(error, "code").ok_or(ApiError::Malformed { method, field: "error.code" })?;
            let message = error.get("msg").and_then(Value::as_str).unwrap_or("no message");
            return Err(ApiError::refused(method, code, &clean(message, form)));
        }
        if !status.is_success() {
            return Err(ApiError::Status { method, status: status.as_u16(), wait });
        }
        answer.ok_or(ApiError::Malformed { method, field: "JSON" })
    }
}

/// What the provider says may repeat what it was told: values and numbers of people do not go on from here.
fn clean(message: &str, form: &[(&str, String)]) -> String {
    let mut message = message.to_owned();
    for (_, value) in form.iter().filter(|(_, value)| value.len() >= ECHO_BYTES_MIN) {
        message = message.replace(value.as_str(), "…");
    }
    let mut shown = String::with_capacity(message.len());
    let mut digits = String::new();
    // One more step than characters, so that digits at the end are dealt with too.
    for c in message.chars().map(Some).chain([None]) {
        if let Some(digit) = c.filter(char::is_ascii_digit) {
            digits.push(digit);
            continue;
        }
        let is_number = digits.len() >= PHONE_DIGITS_MIN;
        shown.push_str(if is_number { "…" } else { "" });
        shown.push_str(if is_number { &digits[digits.len() - 2..] } else { &digits });
        digits.clear();
        shown.extend(c);
    }
    shown
}

/// A list method's rows.
pub(super) fn rows(method: &'static str, answer: Value) -> Result<Vec<Value>, ApiError> {
    match answer {
        Value::Object(mut fields) => match fields.remove("result") {
            Some(Value::Array(rows)) => Ok(rows),
            _ => Err(ApiError::Malformed { method, field: "result" }),
        },
        _ => Err(ApiError::Malformed { method, field: "result" }),
    }
}

/// An id, which the platform writes as a number and some of its tools as text.
pub(super) fn id(value: &Value, field: &str) -> Option<i64> {
    let held = value.get(field)?;
    held.as_i64().or_else(|| held.as_str()?.parse().ok())
}

pub(super) fn text<'a>(value: &'a Value, field: &str) -> Option<&'a str> {
    value.get(field)?.as_str()
}
