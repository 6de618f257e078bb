//! What stays of a session: its log, its calls, and the answer to "what is it doing?".

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use crate::simulator::clock::{MS, Micros, utc_text};

const LOG_LINES_MAX: usize = 2_000;
const HEARD_MAX: usize = 500;
/// As on the platform.
const LOG_MESSAGE_MAX: usize = 15_000;

/// One call of a session, as the history tells it.
#[derive(Clone, Debug)]
pub struct CallRecord {
    pub call_id: u64,
    pub started_ms: i64,
    pub local_number: String,
    pub remote_number: String,
    pub remote_number_type: &'static str,
    pub incoming: bool,
    pub ended: Option<CallEnd>,
}

#[derive(Clone, Debug)]
pub struct CallEnd {
    pub duration_s: u64,
    pub successful: bool,
    pub code: u16,
    pub details: String,
    pub cost: f64,
    pub record_url: Option<String>,
}

/// What a session is billed for beside its calls, by the platform's names and at prices of our own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resource {
    Session,
    Recognition,
    Synthesis,
    MachineDetection,
}

impl Resource {
    /// Its name, its unit, and what one unit costs.
    fn terms(self) -> (&'static str, &'static str, f64) {
        match self {
            Self::Session => ("CALLSESSION", "second", 0.000_01),
            Self::Recognition => ("ASR", "piece", 0.002),
            Self::Synthesis => ("TTS_TEXT_GOOGLE", "character", 0.000_016),
            Self::MachineDetection => ("VOICEMAILDETECTION", "piece", 0.005),
        }
    }
}

/// What a history was asked to hold.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    pub account_id: u64,
    pub origin: &'a str,
    pub with_calls: bool,
    pub with_records: bool,
    pub with_other_resources: bool,
}

#[derive(Default)]
struct Inner {
    used: BTreeMap<Resource, f64>,
    log: Vec<String>,
    errors: usize,
    /// What a callee heard, phrase by phrase, each once.
    heard: Vec<(Micros, u32, String)>,
    calls: Vec<CallRecord>,
    finish_reason: Option<&'static str>,
    finished: Option<(i64, u64)>,
    doing: String,
}

/// What a page tells of a session.
pub struct Glance {
    pub doing: String,
    pub errors: usize,
    pub lines: usize,
    /// Of a session that is over.
    pub duration_s: Option<u64>,
    /// The last two digits of the last call's number.
    pub number_tail: Option<String>,
    /// Code, details and success of the last call's end.
    pub end: Option<(u16, String, bool)>,
    pub finish_reason: Option<&'static str>,
}

pub struct SessionRecord {
    pub session_id: u64,
    pub token: String,
    pub application_id: u64,
    pub application_name: String,
    pub rule_name: String,
    pub custom_data: String,
    pub started_ms: i64,
    /// The history shows the session this long after its end.
    pub visible_after_ms: i64,
    is_over: AtomicBool,
    inner: Mutex<Inner>,
}

impl SessionRecord {
    #[allow(clippy::too_many_arguments, reason = "one field each; a builder would only repeat the names")]
    pub fn new(
        session_id: u64,
        token: String,
        application_id: u64,
        application_name: String,
        rule_name: String,
        custom_data: String,
        started_ms: i64,
        visible_after_ms: i64,
    ) -> Self {
        Self {
            session_id,
            token,
            application_id,
            application_name,
            rule_name,
            custom_data,
            started_ms,
            visible_after_ms,
            is_over: AtomicBool::new(false),
            inner: Mutex::default(),
        }
    }

    fn inner(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// A line of the log with its session time.
    pub fn note(&self, at: Micros, text: &str) {
        let mut inner = self.inner();
        if inner.log.len() < LOG_LINES_MAX {
            let cut: String = text.chars().take(LOG_MESSAGE_MAX).collect();
            inner.log.push(format!("{:>9.1} {cut}", at as f64 / MS as f64));
        }
    }

    /// A callee hears a phrase; `voice` names it, however often the line is cut and joined again.
    pub fn callee_heard(&self, at: Micros, voice: u32, text: &str) {
        let mut inner = self.inner();
        let known = inner.heard.iter().any(|(_, known, _)| *known == voice);
        if !known && inner.heard.len() < HEARD_MAX {
            inner.heard.push((at, voice, text.to_owned()));
        }
    }

    /// What a phrase that has been heard turned out to be.
    pub fn callee_understood(&self, voice: u32, text: &str) {
        let mut inner = self.inner();
        if let Some((_, _, words)) = inner.heard.iter_mut().find(|(_, known, _)| *known == voice) {
            text.clone_into(words);
        }
    }

    /// Lines of JSON: session milliseconds and words.
    pub fn heard(&self) -> String {
        let inner = self.inner();
        let line = |(at, _, text): &(Micros, u32, String)| json!({ "at_ms": at / MS, "text": text }).to_string() + "\n";
        inner.heard.iter().map(line).collect()
    }

    /// A fault of the scenario: in the log, counted, and told to whoever runs the simulator.
    pub fn complain(&self, at: Micros, text: &str) {
        self.note(at, &format!("ERROR {text}"));
        self.inner().errors += 1;
        tracing::warn!(
            session.id = self.session_id,
            rule = %self.rule_name,
            "Scenario of rule {} in session {}: {text}",
            self.rule_name,
            self.session_id
        );
    }

    pub fn doing(&self, what: &str) {
        what.clone_into(&mut self.inner().doing);
    }

    /// The first reason stands.
    pub fn finish_reason(&self, reason: &'static str) {
        self.inner().finish_reason.get_or_insert(reason);
    }

    pub fn used(&self, resource: Resource, units: f64) {
        *self.inner().used.entry(resource).or_insert(0.0) += units;
    }

    /// The length of a recording in whole seconds, by the end of its address.
    pub fn recorded_s(&self, name: &str) -> Option<u64> {
        let inner = self.inner();
        let mut ends = inner.calls.iter().filter_map(|call| call.ended.as_ref());
        let ends_so = |end: &&CallEnd| end.record_url.as_ref().is_some_and(|url| url.ends_with(&format!("/{name}")));
        ends.find(ends_so).map(|end| end.duration_s)
    }

    /// The recording is deleted, as its owner asked; false where there is none.
    pub fn delete_record(&self, name: &str) -> bool {
        let mut inner = self.inner();
        let mut ends = inner.calls.iter_mut().filter_map(|call| call.ended.as_mut());
        let ends_so =
            |end: &&mut CallEnd| end.record_url.as_ref().is_some_and(|url| url.ends_with(&format!("/{name}")));
        match ends.find(ends_so) {
            Some(end) => end.record_url.take().is_some(),
            None => false,
        }
    }

    pub fn call_started(&self, call: CallRecord) -> usize {
        let mut inner = self.inner();
        inner.calls.push(call);
        inner.calls.len() - 1
    }

    pub fn call_ended(&self, place: usize, end: CallEnd) {
        if let Some(call) = self.inner().calls.get_mut(place) {
            call.ended.get_or_insert(end);
        }
    }

    pub fn finish(&self, wall_ms: i64, after: Micros) {
        let mut inner = self.inner();
        inner.finish_reason.get_or_insert("Normal termination");
        inner.finished = Some((wall_ms, after.div_ceil(1_000_000)));
        drop(inner);
        self.is_over.store(true, Ordering::Release);
    }

    pub fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Acquire)
    }

    pub fn is_visible(&self, wall_ms: i64) -> bool {
        self.inner().finished.is_some_and(|(at, _)| wall_ms >= at + self.visible_after_ms)
    }

    pub fn log(&self) -> (Vec<String>, usize) {
        let inner = self.inner();
        (inner.log.clone(), inner.errors)
    }

    pub fn glance(&self) -> Glance {
        let inner = self.inner();
        let last = inner.calls.last();
        Glance {
            doing: inner.doing.clone(),
            errors: inner.errors,
            lines: inner.log.len(),
            duration_s: inner.finished.map(|(_, duration_s)| duration_s),
            number_tail: last.map(|call| {
                let digits: Vec<char> = call.remote_number.chars().filter(char::is_ascii_digit).collect();
                digits[digits.len().saturating_sub(2)..].iter().collect()
            }),
            end: last.and_then(|call| call.ended.as_ref()).map(|end| (end.code, end.details.clone(), end.successful)),
            finish_reason: inner.finish_reason,
        }
    }

    pub fn has_remote_number(&self, number: &str) -> bool {
        self.inner().calls.iter().any(|call| call.remote_number == number)
    }

    /// As `GetCallHistory` writes it; what has no value is left out.
    pub fn history(&self, shown: Shown<'_>) -> Value {
        let inner = self.inner();
        let session_s = inner.finished.map_or(0, |(_, duration)| duration);
        let mut session = json!({
            "call_session_history_id": self.session_id,
            "account_id": shown.account_id,
            "application_id": self.application_id,
            "application_name": self.application_name,
            "rule_name": self.rule_name,
            "start_date": utc_text(self.started_ms),
            "duration": session_s,
            "log_file_url": format!("{}/simulator/logs/{}", shown.origin, self.session_id),
            "initiator_address": "127.0.0.1",
            "media_server_address": "127.0.0.1",
            "finish_reason": inner.finish_reason.unwrap_or("Normal termination"),
            "audio_quality": "Standard",
        });
        if !self.custom_data.is_empty() {
            session["custom_data"] = json!(self.custom_data);
        }
        if shown.with_calls {
            session["calls"] = inner.calls.iter().map(call_history).collect();
        }
        if shown.with_records {
            session["records"] = inner.calls.iter().filter_map(record_history).collect();
        }
        if shown.with_other_resources {
            let own = [(Resource::Session, session_s as f64)];
            let used = own.into_iter().chain(inner.used.iter().map(|(resource, units)| (*resource, *units)));
            session["other_resource_usage"] =
                used.zip(0..).map(|((resource, units), n)| self.usage(resource, units, n)).collect();
        }
        session
    }
}

impl SessionRecord {
    fn usage(&self, resource: Resource, units: f64, nth: u64) -> Value {
        let (name, unit, price) = resource.terms();
        json!({
            "resource_usage_id": self.session_id * 10 + nth,
            "resource_type": name,
            "cost": dollars(units * price),
            "used_at": utc_text(self.started_ms),
            "transaction_id": self.session_id * 10 + nth,
            "resource_quantity": units,
            "unit": unit,
        })
    }
}

/// To a millionth, as prices are written.
fn dollars(amount: f64) -> f64 {
    (amount * 1e6).round() / 1e6
}

fn record_history(call: &CallRecord) -> Option<Value> {
    let end = call.ended.as_ref()?;
    let url = end.record_url.as_ref()?;
    Some(json!({
        "record_id": call.call_id + 2,
        "record_name": url.rsplit('/').next(),
        "cost": dollars(end.duration_s as f64 * 0.000_025),
        "start_time": utc_text(call.started_ms),
        "duration": end.duration_s,
        "record_url": url,
        "transaction_id": call.call_id + 3,
        "transcription_status": "Not required",
    }))
}

fn call_history(call: &CallRecord) -> Value {
    let mut told = json!({
        "call_id": call.call_id,
        "start_time": utc_text(call.started_ms),
        "local_number": call.local_number,
        "remote_number": call.remote_number,
        "remote_number_type": call.remote_number_type,
        "incoming": call.incoming,
        "transaction_id": call.call_id + 1,
        "media_server_address": "127.0.0.1",
    });
    if let Some(end) = &call.ended {
        told["duration"] = json!(end.duration_s);
        told["successful"] = json!(end.successful);
        told["cost"] = json!(end.cost);
        told["end_reason"] = json!({ "code": end.code, "details": end.details });
        if let Some(url) = &end.record_url {
            told["record_url"] = json!(url);
        }
    }
    told
}
