//! Counters of this process, for whoever collects them (`/metrics`): what happened since it began.
//!
//! Each is an atomic that a call passes by; what can be counted in the tables is asked of them instead, when somebody
//! looks ([`Reading`]). No label is a number of a person, an id, or anything else without a bound: labels are words of
//! this program, modes, routes by their templates, and codes of the provider's own list.
//!
//! The crate is the one that the Prometheus project keeps for Rust: its registry is a value, so that several services
//! in one process do not install a recorder over each other's heads.

use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::AtomicU64;
use std::sync::{LazyLock, Mutex};
use std::time::Duration;

/// What every name begins with.
pub const PREFIX: &str = "halo";
/// How the text is called that [`text`] makes.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// Values that a label with words from outside (a mode's name) may have; the others are counted as `other`.
const WORDS_MAX: usize = 64;

type Word = Cow<'static, str>;
type One = [(&'static str, Word); 1];
type Two = [(&'static str, Word); 2];

/// Seconds, from a fifth of a millisecond to ten seconds: an answer over HTTP, a commit.
const SECONDS: [f64; 14] = [0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];
/// Orders in one commit.
const ORDERS: [f64; 10] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0];

fn seconds() -> Histogram {
    Histogram::new(SECONDS)
}

struct Measures {
    registry: Registry,
    starts: Family<One, Counter>,
    grants: Family<Two, Counter>,
    ended: Family<Two, Counter>,
    events: Family<One, Counter>,
    webhook_seconds: Family<One, Histogram, fn() -> Histogram>,
    writer_orders: Histogram,
    writer_seconds: Histogram,
    http: Family<[(&'static str, Word); 3], Counter>,
    provider: Family<Two, Counter>,
    deliveries: Family<Two, Counter>,
    words: Mutex<BTreeMap<&'static str, BTreeSet<String>>>,
}

static MEASURES: LazyLock<Measures> = LazyLock::new(|| {
    let mut registry = Registry::with_prefix(PREFIX);
    let starts = Family::default();
    registry.register("starts", "Starts that were to leave, by what became of them", starts.clone());
    let grants = Family::default();
    registry.register("grants", "Grants asked for, by answer, and by what refused them", grants.clone());
    let ended = Family::default();
    registry.register("attempts_ended", "Attempts that a decision ended, by mode and outcome", ended.clone());
    let events = Family::default();
    registry.register("webhook_events", "Events of sessions, by kind", events.clone());
    let webhook_seconds = Family::new_with_constructor(seconds as fn() -> Histogram);
    registry.register("webhook_seconds", "Time until a session was answered, by door", webhook_seconds.clone());
    let writer_orders = Histogram::new(ORDERS);
    registry.register("writer_orders", "Orders in one commit of the writer", writer_orders.clone());
    let writer_seconds = Histogram::new(SECONDS);
    registry.register("writer_seconds", "Time of one transaction of the writer", writer_seconds.clone());
    let http = Family::default();
    registry.register("http_requests", "Requests, by method, route and status", http.clone());
    let provider = Family::default();
    registry.register("provider_answers", "Answers of the provider, by method and code", provider.clone());
    let deliveries = Family::default();
    registry.register("notices", "Tries to tell somebody, by channel and result", deliveries.clone());
    let build: Family<One, Gauge> = Family::default();
    build.get_or_create(&[("version", Word::Borrowed(env!("CARGO_PKG_VERSION")))]).set(1);
    registry.register("build_info", "This program", build);
    Measures {
        registry,
        starts,
        grants,
        ended,
        events,
        webhook_seconds,
        writer_orders,
        writer_seconds,
        http,
        provider,
        deliveries,
        words: Mutex::default(),
    }
});

/// A word from outside, while there are not too many of its kind.
fn bounded(kind: &'static str, word: &str) -> Word {
    let mut words = MEASURES.words.lock().expect("no panic while holding it");
    let known = words.entry(kind).or_default();
    if known.contains(word) || known.len() < WORDS_MAX {
        known.insert(word.to_owned());
        return Word::Owned(word.to_owned());
    }
    Word::Borrowed("other")
}

/// What became of a start: `started`, `refused`, `unclear`, `account`, `late`, `held` (a gate closed at the last moment).
pub fn start(result: &'static str) {
    MEASURES.starts.get_or_create(&[("result", result.into())]).inc();
}

/// A grant's answer (`granted`, `refused`, `taken`, `unknown`), and what refused it: a gate, an outcome, or `token`.
pub fn grant(result: &'static str, by: &'static str) {
    MEASURES.grants.get_or_create(&[("result", result.into()), ("by", by.into())]).inc();
}

pub fn ended(mode: &str, outcome: &'static str) {
    MEASURES.ended.get_or_create(&[("mode", bounded("mode", mode)), ("outcome", outcome.into())]).inc();
}

/// What a session may report.
const EVENTS: [&str; 8] = ["Ringing", "Connected", "Machine", "Turn", "OptOut", "Disconnected", "Failed", "NotDialled"];

pub fn event(kind: &str) {
    let kind = EVENTS.into_iter().find(|known| *known == kind).unwrap_or("other");
    MEASURES.events.get_or_create(&[("event", kind.into())]).inc();
}

pub fn webhook(door: &'static str, took: Duration) {
    MEASURES.webhook_seconds.get_or_create(&[("door", door.into())]).observe(took.as_secs_f64());
}

pub fn committed(orders: usize, took: Duration) {
    MEASURES.writer_orders.observe(orders as f64);
    MEASURES.writer_seconds.observe(took.as_secs_f64());
}

/// `route` is a template, never an address.
pub fn http(method: &'static str, route: &str, status: u16) {
    let route = Word::Owned(route.to_owned());
    let status = Word::Owned(status.to_string());
    MEASURES.http.get_or_create(&[("method", method.into()), ("route", route), ("status", status)]).inc();
}

/// `code` is the provider's own, `http_` and a status, or a word for why there was no answer.
pub fn provider(method: &'static str, code: &str) {
    MEASURES.provider.get_or_create(&[("method", method.into()), ("code", bounded("code", code))]).inc();
}

pub fn notice(channel: &'static str, result: &'static str) {
    MEASURES.deliveries.get_or_create(&[("channel", channel.into()), ("result", result.into())]).inc();
}

/// What the tables say at this moment: names, sentences, labels, values.
pub struct Reading {
    registry: Registry,
    gauges: BTreeMap<&'static str, Family<One, Gauge<f64, AtomicU64>>>,
}

impl Default for Reading {
    fn default() -> Self {
        Self::new()
    }
}

impl Reading {
    pub fn new() -> Self {
        Reading { registry: Registry::with_prefix(PREFIX), gauges: BTreeMap::new() }
    }

    pub fn one(&mut self, name: &'static str, told: &'static str, value: f64) {
        let gauge: Gauge<f64, AtomicU64> = Gauge::default();
        gauge.set(value);
        self.registry.register(name, told, gauge);
    }

    /// `word` comes from a list of this program's own, or from a table with a bound.
    pub fn by(&mut self, name: &'static str, told: &'static str, label: &'static str, word: &str, value: f64) {
        if !self.gauges.contains_key(name) {
            let family = Family::default();
            self.registry.register(name, told, family.clone());
            self.gauges.insert(name, family);
        }
        let family = self.gauges.get(name).expect("it was put there a moment ago");
        family.get_or_create(&[(label, Word::Owned(word.to_owned()))]).set(value);
    }
}

/// Everything, as collectors read it.
pub fn text(reading: &Reading) -> String {
    let mut text = String::new();
    let written = encode_registry(&mut text, &MEASURES.registry)
        .and_then(|()| encode_registry(&mut text, &reading.registry))
        .and_then(|()| encode_eof(&mut text));
    written.expect("a text takes what is written into it");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Without [`WORDS_MAX`] a word from outside makes as many series as there are words.
    #[test]
    fn words_from_outside_have_a_bound() {
        for n in 0..WORDS_MAX * 2 {
            provider("GetCallHistory", &format!("c{n}"));
        }
        let text = text(&Reading::new());
        let codes = text.lines().filter(|line| line.contains("GetCallHistory")).count();
        assert!(codes <= WORDS_MAX + 1, "{codes}");
        assert!(text.contains(r#"code="other""#), "{text}");
    }

    #[test]
    fn a_reading_stands_beside_the_counters() {
        start("started");
        let mut reading = Reading::new();
        reading.one("lines_open", "Calls under way", 3.0);
        reading.by("contacts_held", "Contacts that wait", "gate", "window", 2.0);
        reading.by("contacts_held", "Contacts that wait", "gate", "budget", 1.0);
        let text = text(&reading);
        assert!(text.contains("halo_starts_total{result=\"started\"} "), "{text}");
        assert!(text.contains("halo_lines_open 3"), "{text}");
        assert!(text.contains("halo_contacts_held{gate=\"window\"} 2"), "{text}");
        assert!(text.ends_with("# EOF\n"), "{text}");
    }
}
