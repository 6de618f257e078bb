//! `/metrics`: the counters of this process, and what the tables say at this moment.
//!
//! Where the listener is loopback nobody needs a key, unless the request came through a proxy: then it came from
//! somewhere else. The tables are asked at most once in [`KEPT`], however many collect.

use super::{Problem, Web, access};
use crate::domain::breaker::Name;
use crate::domain::clearance::Gate;
use crate::measures::{self, Reading};
use crate::store::operate::Now;
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// A list of a million contacts takes a moment to count.
const KEPT: Duration = Duration::from_secs(5);
/// What a proxy adds to what it passes on.
const PROXIED: [&str; 4] = ["forwarded", "x-forwarded-for", "x-real-ip", "via"];

/// Whom `/metrics` is shown to, and what the tables said last.
#[derive(Default)]
pub struct Metrics {
    /// Nobody needs a key: a setting says so.
    pub open: bool,
    /// The listener is loopback: who asks it directly is on this machine.
    pub loopback: bool,
    last: Mutex<Option<(Instant, Now)>>,
}

pub(super) async fn show(State(web): State<Arc<Web>>, headers: HeaderMap) -> Result<Response, Problem> {
    let proxied = PROXIED.iter().any(|name| headers.contains_key(*name));
    let open = web.metrics.open || (web.metrics.loopback && !proxied);
    if !open && !access::opens(&web, &headers).await {
        return Err(Problem::unauthorized());
    }
    let text = measures::text(&reading(&web).await?);
    Ok(([(CONTENT_TYPE, measures::CONTENT_TYPE)], text).into_response())
}

async fn reading(web: &Web) -> Result<Reading, Problem> {
    let (store, clock, account) = (&web.store, &web.clock, web.dialer.account);
    let now = {
        let mut last = web.metrics.last.lock().await;
        match &*last {
            Some((at, now)) if at.elapsed() < KEPT => now.clone(),
            _ => {
                let now = store.operation(account, clock.now()).await?;
                *last = Some((Instant::now(), now.clone()));
                now
            }
        }
    };
    let mut reading = Reading::new();
    let r = &mut reading;
    r.one("up", "1 where the database answers and takes writes", f64::from(!store.is_broken()));
    r.one("platform_real", "1 where real phones ring", f64::from(web.dialer.platform.real));
    for state in ["running", "paused"] {
        r.by("runs", "Open runs, by state", "state", state, of(&now.runs, state));
    }
    for gate in Gate::ALL {
        r.by("contacts_held", "Contacts that wait, by gate", "gate", gate.as_str(), of(&now.held, gate.as_str()));
    }
    r.by("contacts_held", "Contacts that wait, by gate", "gate", "none", of(&now.held, "none"));
    r.one("contacts_due", "Contacts whose turn has come", now.due as f64);
    let lag_ms = now.due_since.map_or(0, |since| clock.now().since(since).max(0));
    r.one("due_lag_seconds", "For how long the first of them has waited, in program time", lag_ms as f64 / 1000.0);
    for state in ["planned", "dialing", "live"] {
        let told = "Attempts in flight, by state: planned ones have a slot and lie in the queue";
        r.by("attempts", told, "state", state, of(&now.in_flight, state));
    }
    let open = of(&now.in_flight, "dialing") + of(&now.in_flight, "live");
    r.one("lines_open", "Calls under way", open);
    if let Some(row) = store.account(account).await? {
        r.one("account_paused", "1 while all calls are paused", f64::from(row.paused_at.is_some()));
        if let Some(lines) = row.lines_max {
            r.one("lines_limit", "Calls that may be open at once", lines as f64);
        }
        if let Some(cps) = row.cps_max {
            r.one("starts_limit", "Starts a second that are allowed", cps);
        }
        let brake = if row.brake.is_some() { 1.0 } else { 0.0 };
        r.one("brake", "1 while the provider's complaint holds the pace down", brake);
    }
    for breaker in Name::ALL {
        let told = "Paused runs, by the breaker that paused them";
        r.by("breakers_open", told, "breaker", breaker.as_str(), of(&now.breakers, breaker.as_str()));
    }
    for channel in ["webhook", "email", "telegram"] {
        r.by("notices_waiting", "Notices that wait to be told", "channel", channel, of(&now.notices, channel));
    }
    for kind in ["breaker", "balance", "idle", "night"] {
        r.by("alerts_open", "Alerts that are not over", "kind", kind, of(&now.alerts, kind));
    }
    if let Some(balance) = balance(web).await? {
        r.one("balance", "Money at the provider, in the account's currency, when it was last asked", balance);
    }
    Ok(reading)
}

async fn balance(web: &Web) -> Result<Option<f64>, Problem> {
    let kept = web.store.installation_value("balance").await?;
    let told = kept.and_then(|text| serde_json::from_str::<serde_json::Value>(&text).ok());
    Ok(told.and_then(|told| told["amount"].as_f64()))
}

fn of(counts: &[(String, i64)], word: &str) -> f64 {
    counts.iter().find(|(name, _)| name == word).map_or(0.0, |(_, n)| *n as f64)
}

/// Counts every request by the template of its route, so that ids and numbers in addresses make no series.
pub(super) async fn counted(request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let method = method(request.method());
    let began = Instant::now();
    let response = next.run(request).await;
    let route = route.as_deref().unwrap_or("none");
    measures::http(method, route, response.status().as_u16());
    if let Some(door) = DOORS.iter().find(|(path, _)| *path == route).map(|(_, door)| *door) {
        measures::webhook(door, began.elapsed());
    }
    response
}

/// Doors of sessions, of which the time is kept too.
const DOORS: [(&str, &str); 4] = [
    ("/voximplant/grant", "grant"),
    ("/voximplant/events", "events"),
    ("/voximplant/inbound", "inbound"),
    ("/voice/dialog", "dialog"),
];

fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        _ => "other",
    }
}
