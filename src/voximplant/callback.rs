//! What a session reports, parsed once at the door.
//!
//! Two forms: our scenarios' events, and the starting material's plain ones, which know a code or a
//! reason and little else. Nothing deeper in looks at the raw text again. Who may report is not decided
//! here.

use super::outcome::{self, Cause};
use crate::domain::{Outcome, SessionId, Timestamp};
use serde_json::Value;

/// A call has fewer turns than this, or it is no call.
const TURNS_MAX: usize = 500;
/// What is kept of one text of a conversation.
const TEXT_MAX: usize = 4000;
const REASON_MAX: usize = 300;
/// What is kept of what a model called.
const MODEL_NAME_MAX: usize = 80;
const TOOLS_MAX: usize = 200;
const ARGUMENTS_MAX: usize = 2_000;

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{field}: {trouble}")]
pub struct CallbackError {
    /// Which field is wrong, as a path.
    pub field: String,
    pub trouble: &'static str,
}

/// One event, understood.
#[derive(Clone, Debug, PartialEq)]
pub struct Parsed {
    /// The attempt, as the scenario was told it.
    pub call_id: String,
    pub event: String,
    /// Counted from 1 in a session. The plain form has no numbers: its events get fixed negative ones,
    /// so that a copy is known as a copy.
    pub seq: i64,
    pub at_ms: Option<i64>,
    /// Absent in the plain form.
    pub session: Option<SessionId>,
    pub what: What,
    pub call: Option<Call>,
    pub turns: Vec<Turn>,
    /// The callee asked never to be called again: told at once, and once more at the end.
    pub opts_out: bool,
    /// What the callee said when it asked for that.
    pub opt_out_text: Option<String>,
    /// What it said after its last turn, when nobody answered any more.
    pub last_words: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// Ringing, connected, a machine's or a person's voice, a turn.
    Underway,
    /// The callee asked never to be called again.
    OptOut,
    /// The session held its grant too long and called nobody.
    NotDialled,
    Finished(Outcome),
}

/// A call at its end, in session milliseconds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Call {
    pub code: Option<i64>,
    pub reason: Option<String>,
    pub hung_up_by: Option<String>,
    pub goal: Option<bool>,
    pub answers: Option<Value>,
    pub callback_at: Option<String>,
    /// What of ours broke after the answer.
    pub fault: Option<String>,
    pub machine: bool,
    /// From dialling to the answer.
    pub answer_ms: Option<i64>,
    /// From ringing to the answer; some routes do not tell of ringing.
    pub ring_ms: Option<i64>,
    pub first_audio_ms: Option<i64>,
    pub first_audio_method: Option<String>,
    pub talk_ms: Option<i64>,
    pub cost_micros: Option<i64>,
    /// The realtime model that the platform carried the audio to.
    pub model: Option<ModelUsed>,
    /// The platform told the session that it records. Where the audio is, only the history says.
    pub recorded: Option<bool>,
}

/// What a model in the session used, and which tools it called.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ModelUsed {
    pub name: String,
    pub responses: u64,
    /// The usages of its responses added up, as the model names their parts.
    pub usage: Value,
    /// Name, arguments and result of each, in their order.
    pub tools: Vec<[String; 3]>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Turn {
    pub n: i64,
    pub callee_text: Option<String>,
    pub agent_text: Option<String>,
    pub callee_end_ms: Option<i64>,
    pub agent_start_ms: Option<i64>,
    /// `None`: the reply never came. Negative: the agent spoke before the callee had finished, which is
    /// an interruption and no latency.
    pub turn_ms: Option<i64>,
    /// The worse of the two methods.
    pub method: String,
    pub start_method: String,
    pub end_method: String,
    pub asr_ms: Option<i64>,
    pub reply_ms: Option<i64>,
    pub model_ms: Option<i64>,
    pub tts_ms: Option<i64>,
    pub filler: bool,
    /// Behind a filler: until the reply itself was heard.
    pub content_ms: Option<i64>,
    pub interrupted: bool,
}

impl Parsed {
    /// When the callee asked to be called again. A text that is no instant is a wish that nobody understood: it
    /// stays in the event and moves nothing, because a call's end must not be refused for it.
    pub fn callback_at(&self) -> Option<Timestamp> {
        let text = self.call.as_ref()?.callback_at.as_deref()?;
        chrono::DateTime::parse_from_rfc3339(text.trim()).ok().map(|at| Timestamp(at.timestamp_millis()))
    }
}

const RECORD_URL: &str = "record_url";
/// Best first.
const METHODS: [&str; 4] = ["recording", "vad", "event_corrected", "event"];
const HUNG_UP_BY: [&str; 4] = ["callee", "agent", "limit", "fault"];
const FAULTS: [&str; 4] = ["replier", "speech", "model", "scenario"];
const MACHINE_RESULTS: [&str; 4] = ["HUMAN", "VOICEMAIL", "TIMEOUT", "CALL_ENDED"];

pub fn parse(body: &Value) -> Result<Parsed, CallbackError> {
    let at = Fields { object: body, path: String::new() };
    if !body.is_object() {
        return at.wrong("body", "is not an object");
    }
    let call_id = at.text("call_id")?.ok_or_else(|| at.fault("call_id", "is missing"))?;
    let event = at.text("event")?.ok_or_else(|| at.fault("event", "is missing"))?;
    let session = at.session("session_id")?;
    let plain = session.is_none() && body.get("seq").is_none();
    let seq = if plain { plain_seq(&event) } else { at.number("seq")?.ok_or_else(|| at.fault("seq", "is missing"))? };
    if !plain && seq < 1 {
        return at.wrong("seq", "counts from 1");
    }
    let mut parsed = Parsed {
        at_ms: at.number("at_ms")?,
        what: What::Underway,
        call: None,
        turns: Vec::new(),
        opts_out: false,
        opt_out_text: None,
        last_words: None,
        call_id,
        session,
        seq,
        event,
    };
    match parsed.event.as_str() {
        "Ringing" | "Connected" => {}
        "Machine" => drop(at.one_of("result", &MACHINE_RESULTS)?.ok_or_else(|| at.fault("result", "is missing"))?),
        "Turn" => {
            let turn = body.get("turn").ok_or_else(|| at.fault("turn", "is missing"))?;
            parsed.turns.push(self::turn(turn, "turn".into())?);
        }
        "OptOut" => {
            parsed.what = What::OptOut;
            parsed.opts_out = true;
            parsed.opt_out_text = at.text("text")?;
        }
        "NotDialled" => parsed.what = What::NotDialled,
        "Disconnected" => {
            let call = ended(&at)?;
            parsed.what = What::Finished(if call.machine { Outcome::Machine } else { Outcome::Answered });
            parsed.opts_out = at.flag("opted_out")?.unwrap_or(false);
            parsed.last_words = at.text("last_words")?.map(cut).filter(|text| !text.is_empty());
            parsed.turns = turns(&at)?;
            parsed.call = Some(call);
        }
        "Failed" => {
            let (call, outcome) = failed(&at, plain)?;
            parsed.what = What::Finished(outcome);
            parsed.call = Some(call);
        }
        _ => return at.wrong("event", "is not an event that a scenario reports"),
    }
    Ok(parsed)
}

/// The event as it is kept: without the address of its recording, which is for nobody's eyes.
pub fn kept(mut body: Value) -> Value {
    if let Value::Object(fields) = &mut body {
        fields.retain(|name, _| name != RECORD_URL);
    }
    body
}

fn plain_seq(event: &str) -> i64 {
    match event {
        "Connected" => -1,
        "Failed" => -2,
        "Disconnected" => -3,
        _ => -4,
    }
}

fn ended(at: &Fields<'_>) -> Result<Call, CallbackError> {
    let answered = at.number("answered_at_ms")?;
    let since = |start: Option<i64>| Some((answered? - start?).max(0));
    let answers = match at.object.get("answers") {
        None | Some(Value::Null) => None,
        Some(answers @ Value::Object(_)) => Some(answers.clone()),
        Some(_) => return at.wrong("answers", "is not an object"),
    };
    Ok(Call {
        code: at.number("code")?,
        reason: at.reason()?,
        hung_up_by: at.one_of("hung_up_by", &HUNG_UP_BY)?,
        goal: at.flag("goal")?,
        answers,
        callback_at: at.text("callback_at")?,
        fault: at.one_of("fault", &FAULTS)?,
        machine: at.flag("machine")?.unwrap_or(false),
        answer_ms: since(at.number("dialled_at_ms")?),
        ring_ms: since(at.number("ringing_at_ms")?),
        first_audio_ms: at.number("first_audio_ms")?,
        first_audio_method: at.one_of("first_audio_method", &METHODS)?,
        talk_ms: at.number("talk_ms")?,
        cost_micros: at.micros("cost")?,
        model: at.get("model").and_then(model_used),
        recorded: at.text(RECORD_URL)?.map(|url| !url.is_empty()),
    })
}

/// Told besides: what is wrong of it is left out, because a call's end must not be refused for it.
fn model_used(told: &Value) -> Option<ModelUsed> {
    let text = |value: &Value, most: usize| -> String {
        value.as_str().unwrap_or_default().chars().filter(|c| !c.is_control()).take(most).collect()
    };
    let name = text(&told["name"], MODEL_NAME_MAX);
    let tools = told["tools"].as_array().map(Vec::as_slice).unwrap_or_default().iter().take(TOOLS_MAX);
    (!name.is_empty()).then(|| ModelUsed {
        name,
        responses: told["responses"].as_u64().unwrap_or(0),
        usage: told["usage"].clone(),
        tools: tools
            .map(|tool| {
                let result = if tool["result"] == "done" { "done" } else { "refused" };
                [text(&tool["name"], MODEL_NAME_MAX), text(&tool["arguments"], ARGUMENTS_MAX), result.to_owned()]
            })
            .collect(),
    })
}

fn failed(at: &Fields<'_>, plain: bool) -> Result<(Call, Outcome), CallbackError> {
    let code = at.number("code")?;
    let reason = at.reason()?;
    let hung_up_by = at.one_of("hung_up_by", &HUNG_UP_BY)?;
    let fault = at.one_of("fault", &FAULTS)?;
    let cause = match hung_up_by.as_deref() {
        _ if at.flag("ring_timer")?.unwrap_or(false) => Some(Cause::RingTimer),
        Some("limit") => Some(Cause::RingTimer),
        Some("fault") => Some(Cause::Fault),
        _ if fault.is_some() => Some(Cause::Fault),
        Some("agent") => Some(Cause::Order),
        _ => None,
    };
    let by_text = || reason.as_deref().and_then(outcome::of_text);
    let outcome = match code {
        // A code wins over a text.
        Some(code) if code > 0 => outcome::of_code(code, cause),
        // Zero is our scenario's word for "the platform gave no code".
        Some(_) if !plain => outcome::of_code(0, cause),
        _ => by_text().ok_or_else(|| at.fault("reason", "is not one of the known texts, and there is no code"))?,
    };
    let machine = outcome == Outcome::Machine;
    Ok((Call { code, reason, hung_up_by, fault, machine, ..Call::default() }, outcome))
}

fn turns(at: &Fields<'_>) -> Result<Vec<Turn>, CallbackError> {
    match at.object.get("turns") {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(turns)) if turns.len() <= TURNS_MAX => {
            turns.iter().enumerate().map(|(i, each)| turn(each, format!("turns[{i}]"))).collect()
        }
        Some(Value::Array(_)) => at.wrong("turns", "are too many"),
        Some(_) => at.wrong("turns", "is not a list"),
    }
}

fn turn(value: &Value, path: String) -> Result<Turn, CallbackError> {
    if !value.is_object() {
        return Err(CallbackError { field: path, trouble: "is not an object" });
    }
    let at = Fields { object: value, path };
    let n = at.number("n")?.filter(|n| *n >= 1).ok_or_else(|| at.fault("n", "is missing or below 1"))?;
    let method = |field: &str| Ok(at.one_of(field, &METHODS)?.unwrap_or_else(|| "event".to_owned()));
    let (start_method, end_method) = (method("start_method")?, method("end_method")?);
    let rank = |name: &String| METHODS.iter().position(|m| m == name);
    let worse = if rank(&start_method) > rank(&end_method) { &start_method } else { &end_method };
    Ok(Turn {
        n,
        callee_text: at.text("callee_text")?.map(cut).filter(|text| !text.is_empty()),
        agent_text: at.text("agent_text")?.map(cut).filter(|text| !text.is_empty()),
        callee_end_ms: at.number("callee_end_ms")?,
        agent_start_ms: at.number("agent_start_ms")?,
        turn_ms: at.number("turn_ms")?,
        method: worse.clone(),
        asr_ms: at.number("asr_ms")?,
        reply_ms: at.number("reply_ms")?,
        model_ms: at.number("model_ms")?,
        tts_ms: at.number("tts_ms")?,
        filler: at.flag("filler")?.unwrap_or(false),
        content_ms: at.number("content_ms")?,
        interrupted: at.flag("interrupted")?.unwrap_or(false),
        start_method,
        end_method,
    })
}

fn cut(text: String) -> String {
    if text.len() <= TEXT_MAX { text } else { text.chars().take(TEXT_MAX / 2).collect() }
}

/// An object's fields; absent and null are the same.
struct Fields<'a> {
    object: &'a Value,
    path: String,
}

impl Fields<'_> {
    fn fault(&self, field: &str, trouble: &'static str) -> CallbackError {
        let field = if self.path.is_empty() { field.to_owned() } else { format!("{}.{field}", self.path) };
        CallbackError { field, trouble }
    }

    fn wrong<T>(&self, field: &str, trouble: &'static str) -> Result<T, CallbackError> {
        Err(self.fault(field, trouble))
    }

    fn get(&self, field: &str) -> Option<&Value> {
        self.object.get(field).filter(|value| !value.is_null())
    }

    fn text(&self, field: &str) -> Result<Option<String>, CallbackError> {
        match self.get(field) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => self.wrong(field, "is not a text"),
        }
    }

    fn reason(&self) -> Result<Option<String>, CallbackError> {
        Ok(self.text("reason")?.map(|text| text.chars().take(REASON_MAX).collect()))
    }

    fn one_of(&self, field: &str, known: &[&str]) -> Result<Option<String>, CallbackError> {
        match self.text(field)? {
            Some(text) if !known.contains(&text.as_str()) => self.wrong(field, "is not a known word"),
            other => Ok(other),
        }
    }

    /// A whole number, or one that JavaScript wrote with a fraction.
    fn number(&self, field: &str) -> Result<Option<i64>, CallbackError> {
        let Some(value) = self.get(field) else { return Ok(None) };
        let whole = value
            .as_i64()
            .or_else(|| value.as_f64().filter(|number| number.abs() < 9e15).map(|number| number.round() as i64));
        whole.map(Some).ok_or_else(|| self.fault(field, "is not a number"))
    }

    fn micros(&self, field: &str) -> Result<Option<i64>, CallbackError> {
        let Some(value) = self.get(field) else { return Ok(None) };
        let cost = value.as_f64().filter(|cost| cost.abs() < 1e9);
        cost.map(|cost| Some((cost * 1e6).round() as i64)).ok_or_else(|| self.fault(field, "is not an amount"))
    }

    fn flag(&self, field: &str) -> Result<Option<bool>, CallbackError> {
        match self.get(field) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(_) => self.wrong(field, "is neither true nor false"),
        }
    }

    /// Larger than 32 bits, and often sent as text.
    fn session(&self, field: &str) -> Result<Option<SessionId>, CallbackError> {
        let Some(value) = self.get(field) else { return Ok(None) };
        let id = value.as_i64().or_else(|| value.as_str()?.parse().ok()).filter(|id| *id > 0);
        id.map(|id| Some(SessionId(id))).ok_or_else(|| self.fault(field, "is not a session's number"))
    }
}
