//! One session of the stand-in for OpenAI's Realtime API: a pure machine of events and instants.
//!
//! It hears by voice detection in the audio that it is sent, follows the spine of its instructions, calls the
//! tools that it was given, and speaks about three times as fast as its speech is heard, as the real one does.

mod replies;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::simulator::audio::ear::{Ear, Noticed};
use crate::simulator::audio::law::Law;
use crate::simulator::clock::MS;
use crate::simulator::draw::Dice;
use crate::simulator::latency::{Delay, LatencyModel};
use crate::simulator::openai::voice::Speech;
use crate::simulator::openai::{Trouble, unbase64};
use crate::simulator::session::spine::Spine;

const VOICES: &str = "alloy ash ballad coral echo sage shimmer verse marin cedar";
const SILENCE_MS: u64 = 500;
/// Items, events that wait, tools: whatever a client makes grow.
const ITEMS_MAX: usize = 5_000;
const AUDIO_BYTES_MAX: usize = 15 * 1024 * 1024;

/// How the connection is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gone {
    /// Without a word.
    Broken,
    Closed(u16, &'static str),
}

#[derive(Debug)]
enum Step {
    Transcribed {
        item: String,
        text: String,
    },
    /// The first sound of a response, or its tool when it says nothing.
    Begins {
        response: u32,
    },
    Audio {
        response: u32,
    },
}

struct Response {
    number: u32,
    text: Option<String>,
    tool: Option<(String, Value)>,
    speech: Option<Speech>,
    /// Its speech has begun.
    begun: bool,
}

pub struct Mind {
    trouble: Trouble,
    latency: LatencyModel,
    dice: Dice,
    session: Value,
    spine: Spine,
    tools: Vec<String>,
    russian: bool,
    ear: Ear,
    /// Voice detection is on.
    hears: bool,
    creates: bool,
    interrupts: bool,
    transcribes: bool,
    output: Law,
    bytes: usize,
    items: u32,
    item: Option<String>,
    last_item: Option<String>,
    /// Lengths of what was said, in milliseconds, by item.
    said_ms: BTreeMap<String, u64>,
    turn: Option<String>,
    function_output: Option<String>,
    response: Option<Response>,
    responses: u32,
    events: u64,
    steps: BTreeMap<(u64, u64), Step>,
    order: u64,
    out: Vec<Value>,
    gone: Option<Gone>,
}

impl Mind {
    pub fn new(trouble: Trouble, latency: LatencyModel, dice: Dice, model: &str, id: u64) -> Self {
        let format = json!({ "type": "audio/pcm", "rate": 24_000 });
        let session = json!({
            "type": "realtime", "object": "realtime.session", "id": format!("sess_{id:08}"), "model": model,
            "output_modalities": ["audio"], "instructions": "", "tools": [], "tool_choice": "auto",
            "audio": {
                "input": { "format": format, "transcription": null, "noise_reduction": null,
                    "turn_detection": { "type": "server_vad", "threshold": 0.5, "prefix_padding_ms": 300,
                        "silence_duration_ms": SILENCE_MS, "create_response": true, "interrupt_response": true } },
                "output": { "format": format, "voice": "alloy", "speed": 1.0 },
            },
        });
        let mut mind = Mind {
            trouble,
            latency,
            dice,
            session,
            spine: Spine::default(),
            tools: Vec::new(),
            russian: false,
            ear: Ear::new(Law::Linear(24_000), SILENCE_MS),
            hears: true,
            creates: true,
            interrupts: true,
            transcribes: false,
            output: Law::Linear(24_000),
            bytes: 0,
            items: 0,
            item: None,
            last_item: None,
            said_ms: BTreeMap::new(),
            turn: None,
            function_output: None,
            response: None,
            responses: 0,
            events: 0,
            steps: BTreeMap::new(),
            order: 0,
            out: Vec::new(),
            gone: None,
        };
        let session = mind.session.clone();
        mind.tell("session.created", json!({ "session": session }));
        mind
    }

    /// What is to be sent now.
    pub fn take(&mut self) -> Vec<Value> {
        std::mem::take(&mut self.out)
    }

    pub fn gone(&self) -> Option<Gone> {
        self.gone
    }

    pub fn next_at(&self) -> Option<u64> {
        self.steps.first_key_value().map(|((at, _), _)| *at)
    }

    fn tell(&mut self, name: &str, mut event: Value) {
        self.events += 1;
        event["type"] = json!(name);
        event["event_id"] = json!(format!("event_{:08}", self.events));
        self.out.push(event);
    }

    fn error(&mut self, kind: &str, code: &str, message: &str, param: Option<&str>, event_id: &Value) {
        let error = json!({ "type": kind, "code": code, "message": message, "param": param, "event_id": event_id });
        self.tell("error", json!({ "error": error }));
    }

    fn after(&mut self, now: u64, delay_ms: u64, step: Step) {
        self.order += 1;
        self.steps.insert((now + delay_ms, self.order), step);
    }

    fn draw(&self, delay: Delay, purpose: &str, nth: u32) -> u64 {
        delay.draw(&self.dice, purpose, u64::from(nth)) / MS
    }

    fn new_item(&mut self) -> String {
        self.items += 1;
        format!("item_{:06}", self.items)
    }

    /// Does what is due.
    pub fn due(&mut self, now: u64) {
        while let Some(((at, order), _)) = self.steps.first_key_value() {
            let key = (*at, *order);
            if key.0 > now {
                return;
            }
            match self.steps.remove(&key) {
                Some(Step::Transcribed { item, text }) => {
                    let usage = json!({ "type": "duration", "seconds": 1 });
                    self.tell(
                        "conversation.item.input_audio_transcription.completed",
                        json!({
                            "item_id": item, "content_index": 0, "transcript": text, "usage": usage,
                        }),
                    );
                }
                Some(Step::Begins { response }) => self.begins(response, now),
                Some(Step::Audio { response }) => self.goes_on(response, now),
                None => return,
            }
        }
    }

    /// An event of the client's.
    pub fn hear(&mut self, text: &str, now: u64) {
        let Ok(event) = serde_json::from_str::<Value>(text) else {
            self.error("invalid_request_error", "invalid_json", "The event is no JSON.", None, &Value::Null);
            return;
        };
        let id = event["event_id"].clone();
        match event["type"].as_str().unwrap_or_default() {
            "session.update" => self.update(&event["session"], &id),
            "input_audio_buffer.append" => self.append(event["audio"].as_str().unwrap_or_default(), &id, now),
            "input_audio_buffer.commit" => self.commit(&id, now),
            "input_audio_buffer.clear" => {
                self.bytes = 0;
                self.ear.cut();
                self.tell("input_audio_buffer.cleared", json!({}));
            }
            "conversation.item.create" => self.create(&event, &id),
            "conversation.item.truncate" => self.truncate(&event, &id),
            "conversation.item.retrieve" | "conversation.item.delete" => {
                let item = event["item_id"].as_str().unwrap_or_default().to_owned();
                if event["type"] == "conversation.item.delete" {
                    self.tell("conversation.item.deleted", json!({ "item_id": item }));
                } else {
                    self.tell("conversation.item.retrieved", json!({ "item": { "id": item, "type": "message" } }));
                }
            }
            "response.create" => self.asked(&event["response"], &id, now),
            "response.cancel" => {
                if !self.cancel("client_cancelled") {
                    let message = "Cancellation failed: no active response found";
                    self.error("invalid_request_error", "response_cancel_not_active", message, None, &id);
                }
            }
            other => {
                let message = format!("Invalid value: '{}'.", other.chars().take(60).collect::<String>());
                self.error("invalid_request_error", "invalid_value", &message, Some("type"), &id);
            }
        }
    }

    fn refuse(&mut self, param: &str, id: &Value) {
        self.error("invalid_request_error", "invalid_value", "Invalid value.", Some(param), id);
    }

    fn update(&mut self, asked: &Value, id: &Value) {
        if self.trouble == Trouble::Errs {
            self.error("server_error", "server_error", "The server had an error.", None, id);
            return;
        }
        let (input, output) = (&asked["audio"]["input"], &asked["audio"]["output"]);
        if output["voice"].as_str().is_some_and(|voice| !VOICES.split(' ').any(|known| known == voice)) {
            return self.refuse("session.audio.output.voice", id);
        }
        let formats = [&input["format"], &output["format"]].map(|it| (it.is_null(), law(it)));
        if let Some(wrong) = formats.iter().position(|(absent, law)| !absent && law.is_none()) {
            let side = if wrong == 0 { "session.audio.input.format" } else { "session.audio.output.format" };
            return self.refuse(side, id);
        }
        merge(&mut self.session, asked);
        if let Some(text) = asked["instructions"].as_str() {
            self.spine = Spine::read(text);
            self.russian = text.chars().any(|letter| ('а'..='я').contains(&letter));
        }
        if let Some(tools) = asked["tools"].as_array() {
            let names = tools.iter().filter_map(|tool| tool["name"].as_str().map(str::to_owned));
            self.tools = names.take(ITEMS_MAX).collect();
        }
        if let Some(law) = formats[1].1 {
            self.output = law;
        }
        if input.is_object() {
            self.transcribes |= input["transcription"].is_object();
            if let Some(detection) = input.get("turn_detection") {
                self.hears = detection.is_object();
                self.creates = detection["create_response"].as_bool().unwrap_or(true);
                self.interrupts = detection["interrupt_response"].as_bool().unwrap_or(true);
                self.ear.silence_ms = detection["silence_duration_ms"].as_u64().unwrap_or(SILENCE_MS);
            }
            if let Some(law) = formats[0].1 {
                self.ear = Ear::new(law, self.ear.silence_ms);
            }
        }
        let session = self.session.clone();
        self.tell("session.updated", json!({ "session": session }));
    }

    fn append(&mut self, audio: &str, id: &Value, now: u64) {
        let Some(bytes) = unbase64(audio).filter(|bytes| bytes.len() <= AUDIO_BYTES_MAX) else {
            return self.refuse("audio", id);
        };
        self.bytes += bytes.len();
        if self.trouble == Trouble::Echo {
            return self.echo(audio);
        }
        for noticed in self.ear.hear(&bytes) {
            match noticed {
                _ if !self.hears => {}
                Noticed::Began { at_ms } => {
                    let item = self.new_item();
                    self.item = Some(item.clone());
                    let told = json!({ "audio_start_ms": at_ms, "item_id": item });
                    self.tell("input_audio_buffer.speech_started", told);
                    if self.interrupts {
                        self.cancel("turn_detected");
                    }
                }
                Noticed::Ended { at_ms, understood } => {
                    let item = self.item.take().unwrap_or_default();
                    let told = json!({ "audio_end_ms": at_ms, "item_id": item });
                    self.tell("input_audio_buffer.speech_stopped", told);
                    self.committed(item, understood.text, now);
                    if self.creates && self.response.is_none() {
                        self.respond(None, false, now);
                    }
                }
            }
        }
    }

    /// Everything that is heard is said again, at once.
    fn echo(&mut self, audio: &str) {
        let told = json!({ "response_id": "resp_echo", "item_id": "item_echo", "output_index": 0, "content_index": 0,
            "delta": audio });
        self.tell("response.output_audio.delta", told);
    }

    fn commit(&mut self, id: &Value, now: u64) {
        if self.bytes == 0 {
            let message = "Error committing input audio buffer: buffer too small.";
            self.error("invalid_request_error", "input_audio_buffer_commit_empty", message, None, id);
            return;
        }
        let item = self.item.take().unwrap_or_else(|| self.new_item());
        let understood = self.ear.cut();
        self.committed(item, understood.text, now);
    }

    fn committed(&mut self, item: String, text: String, now: u64) {
        self.bytes = 0;
        let before = self.last_item.replace(item.clone());
        self.tell("input_audio_buffer.committed", json!({ "item_id": item, "previous_item_id": before }));
        let told = json!({ "id": item, "object": "realtime.item", "type": "message", "status": "completed",
            "role": "user", "content": [{ "type": "input_audio", "transcript": null }] });
        self.tell("conversation.item.added", json!({ "previous_item_id": before, "item": told }));
        self.tell("conversation.item.done", json!({ "previous_item_id": before, "item": told }));
        self.turn = Some(text.clone());
        if self.transcribes {
            let delay = self.draw(self.latency.transcript_ms, "transcript", self.items);
            self.after(now, delay, Step::Transcribed { item, text });
        }
    }

    fn create(&mut self, event: &Value, id: &Value) {
        let item = &event["item"];
        if !item.is_object() || self.items as usize >= ITEMS_MAX {
            return self.refuse("item", id);
        }
        if item["type"] == "function_call_output" {
            let output = item["output"].as_str().map_or_else(|| item["output"].to_string(), str::to_owned);
            self.function_output = Some(output);
        } else if item["role"] == "user" {
            self.turn = item["content"][0]["text"].as_str().map(str::to_owned);
        }
        let mut told = item.clone();
        let name = item["id"].as_str().map_or_else(|| self.new_item(), str::to_owned);
        told["id"] = json!(name);
        told["object"] = json!("realtime.item");
        told["status"] = json!("completed");
        let before = self.last_item.replace(name);
        self.tell("conversation.item.added", json!({ "previous_item_id": before, "item": told }));
        self.tell("conversation.item.done", json!({ "previous_item_id": before, "item": told }));
    }

    fn truncate(&mut self, event: &Value, id: &Value) {
        let item = event["item_id"].as_str().unwrap_or_default();
        let Some(said) = self.said_ms.get(item).copied() else {
            return self.refuse("item_id", id);
        };
        let Some(heard) = event["audio_end_ms"].as_u64().filter(|heard| *heard <= said) else {
            let message = format!("Audio content of {said}ms is already shorter than that.");
            self.error("invalid_request_error", "invalid_value", &message, Some("audio_end_ms"), id);
            return;
        };
        self.said_ms.insert(item.to_owned(), heard);
        let told = json!({ "item_id": item, "content_index": event["content_index"], "audio_end_ms": heard });
        self.tell("conversation.item.truncated", told);
    }

    fn asked(&mut self, asked: &Value, id: &Value, now: u64) {
        if self.response.is_some() {
            let message = "Conversation already has an active response in progress.";
            self.error("invalid_request_error", "conversation_already_has_active_response", message, None, id);
            return;
        }
        let exact = asked["instructions"].as_str().and_then(Spine::exact);
        self.respond(exact, asked["tool_choice"] == "none", now);
    }
}

/// What it does not name stays.
fn merge(held: &mut Value, new: &Value) {
    match (held, new) {
        (Value::Object(held), Value::Object(new)) => {
            for (key, value) in new {
                merge(held.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (held, new) => *held = new.clone(),
    }
}

fn law(format: &Value) -> Option<Law> {
    match (format["type"].as_str()?, format["rate"].as_u64()) {
        ("audio/pcm", None | Some(24_000)) => Some(Law::Linear(24_000)),
        ("audio/pcmu", None | Some(8_000)) => Some(Law::Ulaw),
        ("audio/pcma", None | Some(8_000)) => Some(Law::Alaw),
        _ => None,
    }
}

#[cfg(test)]
#[path = "mind_tests.rs"]
mod tests;
