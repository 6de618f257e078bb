//! A call between the platform's audio and a realtime model: a pure machine.
//!
//! It is told what came from either side and what time it is, and says what is to be sent. Its scenario keeps
//! the call: the ruler, the events, the verdict, the hanging up. So this mode is measured and stored as the
//! others are, and what is said here in words (`customEvent`) is what a scenario learns from the platform's
//! own client in the other modes.
//!
//! From the scenario: `begin` (somebody answered; `greeting` is what is said at once). To the scenario:
//! `ready`, `callee_began`, `callee_ended` (`silence_ms`), `callee` (`text`), `response`, `agent` (`text`),
//! `verdict` (the arguments of `end_call`), `end` (the goodbye has been heard), `fault` (`reason`).

mod hearing;

use super::encoding::Encoding;
use super::ends::{End, Tally, ToolCall};
use super::frames::{self, Frame, PIECE_MS, Speaker};
use super::outbox::Outbox;
use super::playout::Playout;
use super::resample::{NoFilter, Resampler};
use super::words::{self, Plan, Said, TURN_SILENCE_MS, Tokens};
use serde_json::{Value, json};
use std::collections::{BTreeSet, VecDeque};

/// Frames to the platform are this long where so much is there: fewer texts, the same sound.
const FRAME_MS_MAX: u64 = 100;
/// Audio of the model that waits on our side; while it is more, the model is not listened to.
pub const QUEUE_MS_MAX: u64 = 60_000;
/// Frames that the platform has not taken. More than a buffer of it: whoever is there takes nothing.
const UNTAKEN_MAX: usize = 500;
/// Nobody says anything: a call's audio comes all the time.
const IDLE_MS: u64 = 90_000;
/// A scenario that was told of a fault has this long to say goodbye.
const LINGER_MS: u64 = 30_000;
/// Responses that fail one after the other.
const FAILURES_MAX: u32 = 2;
/// Calls of tools in one conversation, and what is kept of the words of each.
const TOOLS_MAX: usize = 200;
const ARGUMENTS_CHARS_MAX: usize = 2_000;

struct Waiting {
    item: String,
    audio: Vec<u8>,
}

pub struct Bridge {
    plan: Plan,
    model: Encoding,
    /// What the platform sends, once it has said so.
    heard: Option<(Encoding, Resampler)>,
    next_chunk: Option<u64>,
    to_platform: VecDeque<String>,
    to_model: Outbox,
    spoken: Resampler,
    /// Less than a piece, of the item that is being said.
    rest: Vec<u8>,
    rest_item: String,
    waiting: VecDeque<Waiting>,
    waiting_bytes: usize,
    playout: Playout,
    speaker: Speaker,
    ready: bool,
    /// Somebody answered; what is said at once.
    greeting: Option<String>,
    begun: bool,
    /// A response is being made, and another may not be asked for.
    active: Option<String>,
    asked: bool,
    next: VecDeque<Value>,
    /// The response under way has said something.
    spoke: bool,
    /// Audio of it is still to come.
    coming: bool,
    /// A response that was interrupted: what still comes of it is not said.
    muted: Option<String>,
    failures: u32,
    calls: BTreeSet<String>,
    tools: Vec<ToolCall>,
    ending: bool,
    ended: bool,
    last_news: u64,
    end: Option<(End, u64)>,
    /// The scenario is gone too.
    closed: bool,
    tally: Tally,
}

impl Bridge {
    pub fn new(plan: Plan) -> Result<Self, NoFilter> {
        let model = plan.encoding.of_model();
        let spoken = Resampler::new(model.rate(), plan.encoding.rate())?;
        Ok(Bridge {
            speaker: Speaker::new(plan.encoding),
            plan,
            model,
            heard: None,
            next_chunk: None,
            to_platform: VecDeque::new(),
            to_model: Outbox::default(),
            spoken,
            rest: Vec::new(),
            rest_item: String::new(),
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            playout: Playout::default(),
            ready: false,
            greeting: None,
            begun: false,
            active: None,
            asked: false,
            next: VecDeque::new(),
            spoke: false,
            coming: false,
            muted: None,
            failures: 0,
            calls: BTreeSet::new(),
            tools: Vec::new(),
            ending: false,
            ended: false,
            last_news: 0,
            end: None,
            closed: false,
            tally: Tally::default(),
        })
    }

    // What is to be sent.

    pub fn for_platform(&mut self) -> Option<String> {
        self.to_platform.pop_front()
    }

    pub fn has_for_platform(&self) -> bool {
        !self.to_platform.is_empty()
    }

    pub fn for_model(&mut self) -> Option<String> {
        self.to_model.pop()
    }

    pub fn has_for_model(&self) -> bool {
        !self.to_model.is_empty()
    }

    /// While too much waits to be said, the model is not listened to: its own connection holds it back.
    pub fn listens_to_model(&self) -> bool {
        self.plan.encoding.ms_of_bytes(self.waiting_bytes) < QUEUE_MS_MAX
    }

    /// The stream is over; nothing more is to be read.
    pub fn over(&self, now: u64) -> bool {
        match &self.end {
            Some((end, at)) => self.closed || !end.is_ours() || now >= at + LINGER_MS,
            None => false,
        }
    }

    pub fn end(&self) -> Option<&End> {
        self.end.as_ref().map(|(end, _)| end)
    }

    pub fn tally(&self) -> Tally {
        Tally { dropped_ms: self.to_model.dropped_ms(), ..self.tally }
    }

    /// The tools that were called, in their order.
    pub fn tools(&self) -> &[ToolCall] {
        &self.tools
    }

    /// When `tick` is wanted next.
    pub fn wakes_at(&self, now: u64) -> u64 {
        let quiet_at = self.playout.quiet_at();
        let mut at = match &self.end {
            Some((_, at)) => at + LINGER_MS,
            None => self.last_news + IDLE_MS,
        };
        if !self.waiting.is_empty() {
            at = at.min(now + PIECE_MS);
        } else if self.speaker.is_open() && quiet_at > now {
            at = at.min(quiet_at);
        }
        at.max(now)
    }

    pub fn tick(&mut self, now: u64) {
        self.flow(now);
        if self.end.is_none() && now >= self.last_news + IDLE_MS {
            self.finish(End::Idle, now);
        }
    }

    /// The first reason stands. A fault of the model's is told to the scenario, which says goodbye.
    pub fn finish(&mut self, end: End, now: u64) {
        match &self.end {
            // The scenario hangs up after it was told: that is how a fault ends.
            Some(_) => self.closed |= !end.is_ours(),
            None => {
                if end.is_ours() {
                    self.silence(now);
                    let reason = match end.reason() {
                        "" => end.as_str().to_owned(),
                        why => format!("{}: {why}", end.as_str()),
                    };
                    self.tell("fault", json!({ "reason": reason }));
                }
                self.end = Some((end, now));
            }
        }
    }

    fn tell(&mut self, name: &str, told: Value) {
        self.to_platform.push_back(frames::custom(name, told));
    }

    // The platform.

    pub fn platform_said(&mut self, text: &str, now: u64) {
        self.last_news = now;
        match frames::read(text) {
            Ok(Frame::Start { encoding, .. }) => self.hears_in(encoding, now),
            Ok(Frame::Media { chunk, payload }) => self.heard(chunk, &payload),
            Ok(Frame::Stop) => self.next_chunk = None,
            Ok(Frame::Custom(told)) if told["customEvent"] == "begin" && self.greeting.is_none() => {
                self.greeting = Some(told["greeting"].as_str().unwrap_or_default().to_owned());
                self.begin(now);
            }
            Ok(Frame::Custom(_) | Frame::Other) => {}
            Err(error) => self.finish(End::CallNonsense(error.to_string()), now),
        }
    }

    // The model.

    pub fn model_said(&mut self, text: &str, now: u64) {
        self.last_news = now;
        if self.end.is_some() {
            return;
        }
        match words::read(text) {
            Ok(said) => self.said(said, now),
            Err(error) => self.finish(End::ModelFailed(error.to_string()), now),
        }
        self.flow(now);
    }

    fn said(&mut self, said: Said, now: u64) {
        match said {
            Said::SessionCreated => self.to_model.words(&words::session(&self.plan)),
            Said::SessionUpdated => {
                self.ready = true;
                self.tally.ready_ms.get_or_insert(now);
                self.tell("ready", json!({}));
                self.begin(now);
            }
            Said::SpeechStarted => self.callee_began(now),
            Said::SpeechStopped => self.tell("callee_ended", json!({ "silence_ms": TURN_SILENCE_MS })),
            Said::Heard(text) if !text.is_empty() => self.tell("callee", json!({ "text": text })),
            Said::ResponseCreated { response } => {
                self.active = Some(response);
                self.asked = false;
                self.spoke = false;
                self.tally.responses += 1;
                self.tell("response", json!({}));
            }
            Said::Audio { response, item, audio } => {
                if self.muted.as_deref() != Some(&response) {
                    self.spoke = true;
                    self.coming = true;
                    self.speaks(&item, &audio);
                }
            }
            Said::AudioDone { response } => {
                if self.muted.as_deref() != Some(&response) {
                    self.coming = false;
                    self.speech_ends();
                }
            }
            Said::Spoke { response, text } => {
                if self.muted.as_deref() != Some(&response) {
                    self.spoke = true;
                }
                self.tell("agent", json!({ "text": text }));
            }
            Said::Tool { call, name, arguments } => self.tool(call, name, arguments, now),
            Said::ResponseDone { failed, tokens } => self.response_done(failed, tokens, now),
            Said::Error { kind, code, message } => {
                tracing::debug!(%kind, %code, "The model reports an error: {message}");
                if !self.ready {
                    self.finish(End::ModelFailed(format!("the session was refused: {code}")), now);
                } else if kind == "invalid_request_error" && code != "conversation_already_has_active_response" {
                    // A refused request made no response.
                    self.asked = false;
                }
            }
            Said::Heard(_) | Said::Other => {}
        }
    }

    /// The first words, once the model listens and somebody has answered.
    fn begin(&mut self, now: u64) {
        let Some(greeting) = self.greeting.clone().filter(|_| self.ready && !self.begun) else {
            return;
        };
        self.begun = true;
        if !self.plan.first_phrase.is_empty() {
            self.respond(words::say(&greeting));
        } else {
            // The model opens on its own, but the notice of a recording is ours.
            if !greeting.is_empty() {
                self.respond(words::say(&greeting));
            }
            self.respond(words::respond_in_words());
        }
        self.flow(now);
    }

    fn is_busy(&self) -> bool {
        self.active.is_some() || self.asked
    }

    fn respond(&mut self, request: Value) {
        if self.is_busy() {
            self.next.push_back(request);
        } else {
            self.asked = true;
            self.to_model.words(&request);
        }
    }

    fn callee_began(&mut self, now: u64) {
        self.tell("callee_began", json!({}));
        // A goodbye is not interrupted.
        if !self.ending && self.silence(now) {
            self.tally.interruptions += 1;
        }
    }

    /// Takes back what has not been heard, and tells the model how much of it was. False when all was quiet.
    fn silence(&mut self, now: u64) -> bool {
        self.tally.cut_ms += self.playout.ahead_ms(now);
        let mut cut = self.playout.cut(now);
        let rest = Some(std::mem::take(&mut self.rest_item)).filter(|_| !self.rest.is_empty());
        for item in self.waiting.drain(..).map(|it| it.item).chain(rest) {
            if !cut.iter().any(|(known, _)| *known == item) {
                cut.push((item, 0));
            }
        }
        self.waiting_bytes = 0;
        self.rest.clear();
        self.spoken.flush();
        // It is cancelled by the model itself; what is on its way is said no more.
        self.muted = self.active.clone();
        self.coming = false;
        if let Some(stop) = self.speaker.stop() {
            self.to_platform.push_back(stop);
        }
        for (item, heard_ms) in &cut {
            self.to_model.words(&words::truncate(item, *heard_ms));
        }
        !cut.is_empty()
    }

    /// Audio of the model joins what waits to be said, in whole pieces.
    fn speaks(&mut self, item: &str, audio: &[u8]) {
        if self.rest_item != item {
            self.speech_ends();
            item.clone_into(&mut self.rest_item);
        }
        if self.model == self.plan.encoding {
            self.rest.extend_from_slice(audio);
        } else {
            let samples = self.spoken.push(&self.model.decode(audio));
            self.rest.extend(self.plan.encoding.encode(&samples));
        }
        let piece = self.plan.encoding.bytes_of_ms(PIECE_MS);
        let whole = self.rest.len() / piece * piece;
        let audio: Vec<u8> = self.rest.drain(..whole).collect();
        self.wait(&audio);
    }

    /// An item is over: what is left of it is filled up to a whole piece.
    fn speech_ends(&mut self) {
        if self.model != self.plan.encoding {
            let samples = self.spoken.flush();
            self.rest.extend(self.plan.encoding.encode(&samples));
        }
        if self.rest.is_empty() {
            return;
        }
        let silence = self.plan.encoding.silence(PIECE_MS);
        let mut audio = std::mem::take(&mut self.rest);
        while !audio.len().is_multiple_of(silence.len()) {
            audio.extend_from_slice(&silence[audio.len() % silence.len()..]);
        }
        self.wait(&audio);
    }

    fn wait(&mut self, audio: &[u8]) {
        for part in audio.chunks(self.plan.encoding.bytes_of_ms(FRAME_MS_MAX)) {
            self.waiting_bytes += part.len();
            self.waiting.push_back(Waiting { item: self.rest_item.clone(), audio: part.to_vec() });
        }
    }

    /// Sends what may be sent, ends a stream that has been heard, and says when the goodbye has.
    fn flow(&mut self, now: u64) {
        while let Some(front) = self.waiting.front() {
            let ms = self.plan.encoding.ms_of_bytes(front.audio.len());
            if self.playout.room_ms(now) < ms {
                break;
            }
            let Some(Waiting { item, audio }) = self.waiting.pop_front() else { break };
            self.waiting_bytes -= audio.len();
            if let Some(start) = self.speaker.start() {
                self.to_platform.push_back(start);
            }
            let frame = self.speaker.media(&audio);
            self.to_platform.push_back(frame);
            self.playout.sent(now, &item, ms);
            self.tally.said_ms += ms;
            self.tally.ahead_ms_max = self.tally.ahead_ms_max.max(self.playout.ahead_ms(now));
        }
        if self.to_platform.len() > UNTAKEN_MAX {
            self.finish(End::CallLost, now);
        }
        let quiet = self.waiting.is_empty() && !self.coming && now >= self.playout.quiet_at();
        if quiet && let Some(stop) = self.speaker.stop() {
            self.to_platform.push_back(stop);
        }
        if quiet && self.ending && !self.ended && !self.is_busy() && self.next.is_empty() && self.end.is_none() {
            self.ended = true;
            self.tell("end", json!({}));
        }
    }

    /// Nothing but the declared tool can be called, and each call is answered once.
    fn tool(&mut self, call: String, name: String, arguments: Value, now: u64) {
        if self.calls.len() >= TOOLS_MAX || !self.calls.insert(call.clone()) {
            return;
        }
        let is_named = |tool: &Value| tool["name"].as_str() == Some(&name);
        let declared = self.plan.tools.as_array().is_some_and(|tools| tools.iter().any(is_named));
        let may = declared && name == "end_call";
        let words = arguments.to_string().chars().take(ARGUMENTS_CHARS_MAX).collect();
        let result = if may { "done" } else { "refused" };
        self.tools.push(ToolCall { at_ms: now, name, arguments: words, result });
        if !may {
            let refused = json!({ "error": "there is no such tool" });
            self.to_model.words(&words::tool_output(&call, &refused));
            self.respond(words::respond_in_words());
            return;
        }
        self.tell("verdict", if arguments.is_object() { arguments } else { json!({}) });
        self.ending = true;
        self.to_model.words(&words::tool_output(&call, &json!({ "ok": true })));
        // A model that ends without a word is asked for one.
        if !self.spoke {
            self.respond(words::respond_in_words());
        }
    }

    fn response_done(&mut self, failed: Option<String>, tokens: Tokens, now: u64) {
        self.tally.tokens.add(tokens);
        self.active = None;
        self.asked = false;
        self.muted = None;
        if self.coming {
            self.coming = false;
            self.speech_ends();
        }
        match failed {
            Some(why) => {
                self.failures += 1;
                if self.failures >= FAILURES_MAX {
                    self.finish(End::ModelFailed(format!("responses fail: {why}")), now);
                    return;
                }
                let again = self.next.pop_front().unwrap_or_else(words::respond);
                self.respond(again);
            }
            None => {
                self.failures = 0;
                if let Some(next) = self.next.pop_front() {
                    self.respond(next);
                }
            }
        }
    }
}

#[cfg(test)]
#[path = "bridge_tests.rs"]
mod tests;
