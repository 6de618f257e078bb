//! A scenario's requests: three at a time, thirty-five in all, and the mischief they meet.
//!
//! While one is out, the session's clock stands still. What it costs on the session's time line says
//! `wire`: what the server declares in `Server-Timing`, or what it took.

use std::collections::VecDeque;
use std::time::Duration;

use crate::simulator::clock::{MS, Micros, SECOND};
use crate::simulator::mischief::Kind;
use crate::simulator::session::world::{Act, Life, World};
use crate::simulator::wire::{COST_UNDECLARED, Wire};

pub const ACTIVE_MAX: usize = 3;
pub const PENDING_MAX: usize = 35;
const RESPONSE_BYTES_MAX: usize = 2 * 1024 * 1024;
pub const TIMEOUT_MAX: Micros = 90 * SECOND;
/// However short a scenario's timeout: real servers under real load get this much real time.
const REAL_WAIT_MIN: Duration = Duration::from_secs(10);
const LATE_BY: Duration = Duration::from_millis(400);

#[derive(Clone, Debug, Default)]
pub struct HttpResult {
    pub code: i32,
    pub text: Option<String>,
    pub headers: Vec<(String, String)>,
    pub error: Option<&'static str>,
}

impl HttpResult {
    fn failed(code: i32, error: &'static str) -> Self {
        Self { code, error: Some(error), ..Self::default() }
    }
}

#[derive(Clone, Debug)]
pub struct Request {
    pub id: u32,
    pub url: String,
    pub method: String,
    pub headers: Vec<(String, String)>,
    pub body: Option<String>,
    pub timeout: Micros,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trick {
    None,
    /// Never leaves.
    Lost,
    /// Leaves late; nobody waits for the answer.
    Late,
    Doubled,
    /// Leaves after the session's next request.
    Held,
    /// Arrives; the answer does not.
    ReplyLost,
}

#[derive(Clone, Debug)]
pub struct Outgoing {
    pub request: Request,
    pub trick: Trick,
    issued_at: Micros,
    seq: u64,
}

/// An answer as it came from the wire, with its place on the session's time line.
#[derive(Debug)]
pub struct Arrived {
    id: u32,
    at: Micros,
    seq: u64,
    result: HttpResult,
}

#[derive(Default)]
pub struct Http {
    made: u32,
    active: usize,
    outstanding: usize,
    waiting: VecDeque<Request>,
    sends: Vec<Outgoing>,
    last_one_used: bool,
}

impl Http {
    pub fn is_quiet(&self) -> bool {
        self.active == 0
    }

    pub fn outstanding(&self) -> usize {
        self.outstanding
    }

    /// Queued requests are dropped silently at the end, as on the platform.
    pub fn begin_terminating(&mut self) {
        self.waiting.clear();
    }
}

impl World {
    /// Takes a request of the scenario; the error is the exception it gets.
    pub fn request(
        &mut self,
        url: String,
        method: String,
        headers: Vec<(String, String)>,
        body: Option<String>,
        timeout_s: f64,
    ) -> Result<u32, String> {
        if self.http.active + self.http.waiting.len() >= PENDING_MAX {
            return Err("Exceeded the HTTP connection count limit!".to_owned());
        }
        self.http.made += 1;
        let id = self.http.made;
        match self.life {
            Life::Running => {}
            Life::Terminating if !self.http.last_one_used => self.http.last_one_used = true,
            Life::Terminating | Life::Over => return Ok(id),
        }
        let timeout = if timeout_s.is_finite() && timeout_s > 0.0 {
            ((timeout_s * SECOND as f64) as Micros).min(TIMEOUT_MAX)
        } else {
            TIMEOUT_MAX
        };
        let request = Request { id, url, method, headers, body, timeout };
        if self.http.active < ACTIVE_MAX {
            self.send(request)
        } else {
            self.http.waiting.push_back(request)
        }
        Ok(id)
    }

    fn send(&mut self, request: Request) {
        let trick = self.trick(&request);
        let seq = self.reserve();
        self.http.active += 1;
        self.http.sends.push(Outgoing { request, trick, issued_at: self.now, seq });
    }

    fn trick(&self, request: &Request) -> Trick {
        let mischief = &self.platform.mischief;
        let nth = u64::from(request.id);
        if request.id == 1 {
            let lost = self.dice.chance(mischief.rate(Kind::GrantReplyLost), "grant_reply_lost", nth);
            return if lost { Trick::ReplyLost } else { Trick::None };
        }
        let is_event = request.method == "POST"
            && self.calls_made > 0
            && request.body.as_ref().is_some_and(|body| body.contains("\"event\""));
        if !is_event {
            return Trick::None;
        }
        let tricks = [
            (Kind::EventLost, "event_lost", Trick::Lost),
            (Kind::EventLate, "event_late", Trick::Late),
            (Kind::EventDoubled, "event_doubled", Trick::Doubled),
            (Kind::EventReordered, "event_reordered", Trick::Held),
        ];
        let drawn = tricks.into_iter().find(|(kind, purpose, _)| self.dice.chance(mischief.rate(*kind), purpose, nth));
        drawn.map_or(Trick::None, |(_, _, trick)| trick)
    }

    /// What must go out on the wire now.
    pub fn take_sends(&mut self) -> Vec<Outgoing> {
        let sends = std::mem::take(&mut self.http.sends);
        self.http.outstanding += sends.len();
        sends
    }

    pub fn arrived(&mut self, arrived: Arrived) {
        self.http.outstanding -= 1;
        self.at_reserved(arrived.at, arrived.seq, Act::HttpDone(arrived.id, arrived.result));
    }

    pub fn request_completed(&mut self) {
        self.http.active = self.http.active.saturating_sub(1);
        if let Some(next) = self.http.waiting.pop_front() {
            self.send(next);
        }
    }
}

/// Carries a request over the wire. `held` keeps what mischief holds back for the next request.
pub async fn carry(client: Wire, outgoing: Outgoing, before: Option<Request>) -> (Arrived, Option<Request>) {
    let Outgoing { request, trick, issued_at, seq } = outgoing;
    let (id, timeout) = (request.id, request.timeout);
    let gone = |code, error, cost| Arrived { id, at: issued_at + cost, seq, result: HttpResult::failed(code, error) };
    let mut held = None;
    let arrived = match trick {
        Trick::Lost => gone(-6, "Network error", COST_UNDECLARED),
        Trick::Late => {
            tokio::spawn(async move {
                tokio::time::sleep(LATE_BY).await;
                let _late = exchange(&client, &request).await;
            });
            gone(-7, "Timeout", timeout)
        }
        Trick::Held => {
            held = Some(request);
            gone(-7, "Timeout", timeout)
        }
        Trick::ReplyLost => {
            let _lost = exchange(&client, &request).await;
            gone(-7, "Timeout", timeout)
        }
        Trick::None | Trick::Doubled => {
            let (result, cost) = exchange(&client, &request).await;
            if trick == Trick::Doubled {
                let _again = exchange(&client, &request).await;
            }
            if let Some(before) = before {
                let _out_of_order = exchange(&client, &before).await;
            }
            if cost > timeout {
                gone(-7, "Timeout", timeout)
            } else {
                Arrived { id, at: issued_at + cost, seq, result }
            }
        }
    };
    (arrived, held)
}

/// Sends what was held back to the last.
pub async fn let_go(client: Wire, request: Request) {
    let _nobody_waits = exchange(&client, &request).await;
}

/// One exchange and its cost in the session's time.
async fn exchange(wire: &Wire, request: &Request) -> (HttpResult, Micros) {
    let wait = Duration::from_micros(request.timeout).max(REAL_WAIT_MIN);
    let (client, asked) = (wire.client.clone(), request.clone());
    let (answer, took) = wire.timed(wait, async move { ask(&client, &asked).await }).await;
    match answer {
        Some((result, declared)) => (result, wire.cost(declared, took)),
        None => (HttpResult::failed(-7, "Timeout"), request.timeout),
    }
}

/// The answer, and what the server says it cost.
async fn ask(client: &reqwest::Client, request: &Request) -> (HttpResult, Option<Micros>) {
    let Ok(url) = reqwest::Url::parse(&request.url) else {
        return (HttpResult::failed(-2, "Invalid URL"), None);
    };
    let Ok(method) = reqwest::Method::from_bytes(request.method.as_bytes()) else {
        return (HttpResult::failed(-8, "Internal error"), None);
    };
    let mut asked = client.request(method, url);
    for (name, value) in &request.headers {
        asked = asked.header(name, value);
    }
    if let Some(body) = &request.body {
        asked = asked.body(body.clone());
    }
    let mut response = match asked.send().await {
        Ok(response) => response,
        Err(error) => return (refused(&error), None),
    };
    let cost = response.headers().get("server-timing").and_then(|value| value.to_str().ok()).and_then(declared_cost);
    let code = i32::from(response.status().as_u16());
    let headers = response
        .headers()
        .iter()
        .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())))
        .collect();
    let mut bytes = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if bytes.len() + chunk.len() > RESPONSE_BYTES_MAX => {
                return (HttpResult::failed(-9, "Response is too big"), cost);
            }
            Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
            Ok(None) => break,
            Err(_broken) => return (HttpResult::failed(-6, "Network error"), cost),
        }
    }
    let text = String::from_utf8_lossy(&bytes).into_owned();
    (HttpResult { code, text: Some(text), headers, error: None }, cost)
}

fn refused(error: &reqwest::Error) -> HttpResult {
    if error.is_connect() {
        HttpResult::failed(-4, "Connection error")
    } else if error.is_redirect() {
        HttpResult::failed(-5, "Too many redirects")
    } else if error.is_builder() {
        HttpResult::failed(-8, "Internal error")
    } else {
        HttpResult::failed(-6, "Network error")
    }
}

/// The `app` duration of a `Server-Timing` header.
fn declared_cost(header: &str) -> Option<Micros> {
    let app = header.split(',').map(str::trim).find(|metric| metric.split(';').next() == Some("app"))?;
    let duration = app.split(';').find_map(|part| part.trim().strip_prefix("dur="))?;
    let ms: f64 = duration.trim_matches('"').parse().ok()?;
    if ms.is_finite() && ms >= 0.0 { Some((ms * MS as f64) as Micros) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cost_is_what_the_server_declares() {
        assert_eq!(declared_cost("app;dur=20"), Some(20 * MS));
        assert_eq!(declared_cost("db;dur=3, app;desc=\"x\";dur=1.5"), Some(1500));
        assert_eq!(declared_cost("db;dur=3"), None);
        assert_eq!(declared_cost("app;dur=-1"), None);
    }
}
