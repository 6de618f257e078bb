//! The stand-in for the realtime model: hears by server-side voice detection, follows the spine of
//! its instructions, calls the tools it was given, and speaks after the latency of its rule.

use std::collections::VecDeque;

use serde_json::{Value, json};

use crate::simulator::callee::Broken;
use crate::simulator::clock::{MS, Micros, SECOND};
use crate::simulator::session::media::Kind;
use crate::simulator::session::spine::Spine;
use crate::simulator::session::world::{Act, Handle, World};

const SPEECH_NOTICED: Micros = 180 * MS;
pub(super) const ROUND_TRIP: Micros = 45 * MS;
const VOICES: [&str; 10] = ["alloy", "ash", "ballad", "coral", "echo", "sage", "shimmer", "verse", "marin", "cedar"];
/// What a transcription may be told to expect.
const LANGUAGES: &str = "af ar az be bg bs ca cs cy da de el en es et fa fi fr gl he hi hr hu hy id is it ja kk kn ko lt \
    lv mi mk mr ms ne nl no pl pt ro ru sk sl sr sv sw ta th tl tr uk ur vi zh";
/// The platform says that audio ended when none came for this long.
pub(super) const MEDIA_ENDS_AFTER: Micros = SECOND;

#[derive(Clone, Debug)]
pub enum ModelStep {
    Connected,
    Updated,
    Noticed,
    Silent {
        mark: u32,
    },
    Transcribed {
        item: String,
        text: String,
    },
    Audio {
        response: u32,
    },
    Tool {
        response: u32,
    },
    Generated {
        response: u32,
    },
    MediaEnded {
        voice: u32,
    },
    /// The connection is gone.
    Gone,
}

pub(super) struct Response {
    pub(super) number: u32,
    pub(super) text: Option<String>,
    pub(super) tool: Option<(&'static str, Value)>,
    /// Its events are all out; what is left is playing.
    pub(super) generated: bool,
}

pub struct Model {
    pub closed: bool,
    pub(super) connected: bool,
    pub(super) instructions: String,
    pub(super) spine: Spine,
    pub(super) tools: Vec<String>,
    pub(super) session: Value,
    pub(super) silence: Micros,
    pub(super) creates: bool,
    pub(super) interrupts: bool,
    pub(super) transcribes: bool,
    /// Every response calls a tool, unless it is told not to.
    pub(super) must_call: bool,
    pub(super) russian: bool,
    pub(super) hearing: Option<String>,
    pub(super) marks: u32,
    pub(super) noticed: bool,
    pub(super) heard_from: Micros,
    pub(super) listens_since: Option<Micros>,
    pub(super) items: u32,
    pub(super) output: Option<String>,
    pub(super) turn: Option<String>,
    pub(super) responses: u32,
    /// It has called a tool that it does not have.
    pub(super) strayed: bool,
    pub(super) response: Option<Response>,
    pub(super) media_since: Option<u32>,
    pub(super) silent_since: Option<Micros>,
    /// Speech that is generated and waits for what is being played.
    pub(super) waiting: VecDeque<String>,
}

impl Model {
    pub fn new() -> Self {
        Self {
            closed: false,
            connected: false,
            instructions: String::new(),
            spine: Spine::default(),
            tools: Vec::new(),
            session: json!({ "type": "realtime" }),
            silence: 500 * MS,
            creates: true,
            interrupts: true,
            transcribes: false,
            must_call: false,
            russian: false,
            hearing: None,
            marks: 0,
            noticed: false,
            heard_from: 0,
            listens_since: None,
            items: 0,
            output: None,
            turn: None,
            responses: 0,
            strayed: false,
            response: None,
            media_since: None,
            silent_since: None,
            waiting: VecDeque::new(),
        }
    }

    fn item(&mut self) -> String {
        self.items += 1;
        format!("item_{:04}", self.items)
    }

    /// Takes a `session.update`; what it does not name stays.
    fn update(&mut self, session: &Value) {
        if let (Some(held), Some(new)) = (self.session.as_object_mut(), session.as_object()) {
            new.iter().for_each(|(key, value)| {
                held.insert(key.clone(), value.clone());
            });
        }
        if let Some(text) = session["instructions"].as_str() {
            text.clone_into(&mut self.instructions);
            self.spine = Spine::read(text);
            self.russian = text.chars().any(|letter| ('а'..='я').contains(&letter));
        }
        if let Some(tools) = session["tools"].as_array() {
            self.tools = tools.iter().filter_map(|tool| tool["name"].as_str().map(str::to_owned)).collect();
        }
        if let Some(choice) = session["tool_choice"].as_str() {
            self.must_call = choice == "required";
        }
        let input = &session["audio"]["input"];
        self.transcribes |= input["transcription"].is_object();
        if let Some(detection) = input.get("turn_detection") {
            let flag = |name: &str| detection[name].as_bool().unwrap_or(!detection.is_null());
            self.silence = detection["silence_duration_ms"].as_u64().unwrap_or(500) * MS;
            self.creates = flag("create_response");
            self.interrupts = flag("interrupt_response");
        }
    }
}

impl World {
    pub(super) fn model(&mut self, handle: Handle) -> Option<&mut Model> {
        match self.unit(handle)?.kind {
            Kind::Model(ref mut model) if !model.closed => Some(model),
            _ => None,
        }
    }

    pub(super) fn tell(&mut self, model: Handle, name: &'static str, payload: Value) {
        self.deliver(model, name, payload);
    }

    /// Connects to the model; the promise is kept when the connection stands.
    pub fn connect_model(&mut self, promise: u32) -> Result<Handle, String> {
        let handle = self.add_unit(Kind::Model(Box::new(Model::new())))?;
        let takes = self.latency.model_connect_ms.draw(&self.dice, "model connect", u64::from(handle));
        let refused = match self.broken() {
            Some(Broken::ModelRefuses) => Some("the connection was refused: 401"),
            Some(Broken::ModelDown) => Some("the connection was refused: 503"),
            _ => None,
        };
        if let Some(refused) = refused {
            self.settle_after(takes, promise, false, json!(refused));
            return Ok(handle);
        }
        self.settle_after(takes, promise, true, json!(handle));
        if self.broken() == Some(Broken::ModelThrottles) {
            // Which of its signs the platform gives for a refusal nobody has written down: this is another of them.
            let payload = json!({ "status": 429, "reason": "Too Many Requests" });
            self.deliver_after(takes + ROUND_TRIP, handle, "OpenAI.RealtimeAPI.HTTPResponse", payload);
            return Ok(handle);
        }
        self.after(takes + 25 * MS, Act::Model(handle, ModelStep::Connected));
        Ok(handle)
    }

    pub fn model_update(&mut self, handle: Handle, session: &Value) {
        if self.broken() == Some(Broken::ModelErrs) {
            let payload = json!({ "type": "error", "error": {
                "type": "server_error", "code": "server_error", "message": "The server had an error.",
            }});
            self.deliver_after(ROUND_TRIP, handle, "OpenAI.RealtimeAPI.Error", payload);
            return;
        }
        let audio = &session["audio"];
        let known = |told: &Value, allowed: &dyn Fn(&str) -> bool| told.as_str().is_none_or(allowed);
        let voice = known(&audio["output"]["voice"], &|voice| VOICES.contains(&voice));
        let heard = &audio["input"]["transcription"]["language"];
        if !voice || !known(heard, &|language| LANGUAGES.split(' ').any(|known| known == language)) {
            let wrong = if voice { "session.audio.input.transcription.language" } else { "session.audio.output.voice" };
            let payload = json!({ "type": "error", "error": {
                "type": "invalid_request_error", "code": "invalid_value", "param": wrong, "message": "Invalid value.",
            }});
            self.deliver_after(ROUND_TRIP, handle, "OpenAI.RealtimeAPI.Error", payload);
            return;
        }
        if let Some(model) = self.model(handle) {
            model.update(session);
            self.after(ROUND_TRIP, Act::Model(handle, ModelStep::Updated));
        }
    }

    pub fn model_item(&mut self, handle: Handle, item: &Value) {
        let Some(model) = self.model(handle) else {
            return;
        };
        let id = model.item();
        if item["type"] == "function_call_output" {
            let output = match &item["output"] {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            model.output = Some(output);
        } else if item["role"] == "user" {
            model.turn = item["content"][0]["text"].as_str().map(str::to_owned);
        }
        let mut told = item.clone();
        told["id"] = json!(id);
        let payload = json!({ "type": "conversation.item.added", "item": told });
        self.deliver_after(ROUND_TRIP, handle, "OpenAI.RealtimeAPI.ConversationItemAdded", payload);
        let payload = json!({ "type": "conversation.item.done", "item": told });
        self.deliver_after(ROUND_TRIP, handle, "OpenAI.RealtimeAPI.ConversationItemDone", payload);
    }

    /// `response.create`: refused while another response is being made.
    pub fn model_create(&mut self, handle: Handle, response: &Value) {
        let Some(model) = self.model(handle) else {
            return;
        };
        if model.response.as_ref().is_some_and(|response| !response.generated) {
            let payload = json!({ "type": "error", "error": {
                "type": "invalid_request_error", "code": "conversation_already_has_active_response",
                "message": "Conversation already has an active response in progress.",
            }});
            self.deliver_after(ROUND_TRIP, handle, "OpenAI.RealtimeAPI.Error", payload);
            return;
        }
        let exact = response["instructions"].as_str().and_then(Spine::exact);
        let no_tools = response["tool_choice"] == "none";
        self.respond(handle, exact, no_tools, false);
    }

    pub fn model_cancel(&mut self, handle: Handle, reason: &'static str) {
        let Some(model) = self.model(handle) else {
            return;
        };
        let Some(response) = model.response.take_if(|response| !response.generated) else {
            return;
        };
        let payload = json!({ "type": "response.done", "response": {
            "id": format!("resp_{:04}", response.number), "object": "realtime.response", "status": "cancelled",
            "status_details": { "type": "cancelled", "reason": reason }, "output": [],
        }});
        self.tell(handle, "OpenAI.RealtimeAPI.ResponseDone", payload);
    }

    pub fn model_clear(&mut self, handle: Handle) {
        if let Some(model) = self.model(handle) {
            model.waiting.clear();
        }
        if self.model(handle).is_some() && self.voice_of(handle).is_some() {
            self.end_voice(handle);
            self.model_voice_over(handle);
        }
    }

    pub fn model_close(&mut self, handle: Handle) {
        self.end_voice(handle);
        self.edges.retain(|edge| edge.from != handle && edge.to != handle);
        if let Some(model) = self.model(handle) {
            model.closed = true;
        }
    }

    // Hearing.

    pub fn model_hears_begin(&mut self, handle: Handle, text: String) {
        let now = self.now;
        let Some(model) = self.model(handle) else {
            return;
        };
        model.listens_since.get_or_insert(now);
        model.marks += 1;
        match &mut model.hearing {
            // Went on before the silence was long enough: one turn.
            Some(before) => {
                before.push(' ');
                before.push_str(&text);
            }
            None => {
                model.hearing = Some(text);
                model.noticed = false;
                model.heard_from = now;
                self.after(SPEECH_NOTICED, Act::Model(handle, ModelStep::Noticed));
            }
        }
    }

    pub fn model_hears_end(&mut self, handle: Handle) {
        let Some(model) = self.model(handle) else {
            return;
        };
        model.marks += 1;
        let (mark, silence) = (model.marks, model.silence);
        self.after(silence, Act::Model(handle, ModelStep::Silent { mark }));
    }

    pub fn model_step(&mut self, handle: Handle, step: ModelStep) {
        let now = self.now;
        let Some(model) = self.model(handle) else {
            return;
        };
        match step {
            ModelStep::Connected => {
                model.connected = true;
                let payload = json!({ "type": "session.created", "session": model.session });
                self.tell(handle, "OpenAI.RealtimeAPI.SessionCreated", payload);
            }
            ModelStep::Updated => {
                let payload = json!({ "type": "session.updated", "session": model.session });
                self.tell(handle, "OpenAI.RealtimeAPI.SessionUpdated", payload);
            }
            ModelStep::Noticed => {
                if model.hearing.is_none() || std::mem::replace(&mut model.noticed, true) {
                    return;
                }
                let position = model.heard_from.saturating_sub(model.listens_since.unwrap_or(0)) / MS;
                let (item, interrupts) = (format!("item_{:04}", model.items + 1), model.interrupts);
                let payload = json!({
                    "type": "input_audio_buffer.speech_started", "audio_start_ms": position, "item_id": item,
                });
                self.tell(handle, "OpenAI.RealtimeAPI.InputAudioBufferSpeechStarted", payload);
                if interrupts {
                    self.model_cancel(handle, "turn_detected");
                }
            }
            ModelStep::Silent { mark } if mark == model.marks => self.turn_over(handle),
            ModelStep::Silent { .. } => {}
            ModelStep::Transcribed { item, text } => {
                let payload = json!({
                    "type": "conversation.item.input_audio_transcription.completed",
                    "item_id": item, "content_index": 0, "transcript": text,
                });
                self.tell(handle, "OpenAI.RealtimeAPI.ConversationItemInputAudioTranscriptionCompleted", payload);
            }
            ModelStep::Audio { response } => self.model_speaks(handle, response),
            ModelStep::Gone => {
                self.model_close(handle);
                let told = json!({ "code": 1011, "reason": "internal error", "wasClean": false });
                self.tell(handle, "OpenAI.WebSocketClosed", told);
            }
            ModelStep::Tool { response } => self.model_calls(handle, response),
            ModelStep::Generated { response } => self.model_generated(handle, response),
            ModelStep::MediaEnded { voice } => {
                if model.media_since == Some(voice) && model.silent_since.is_some_and(|at| now >= at + MEDIA_ENDS_AFTER)
                {
                    model.media_since = None;
                    self.tell(handle, "OpenAI.Events.WebSocketMediaEnded", json!({}));
                }
            }
        }
    }

    /// The callee has been silent for long enough: the turn is committed.
    fn turn_over(&mut self, handle: Handle) {
        let now = self.now;
        let latency = self.latency;
        let dice = self.dice.clone();
        let Some(model) = self.model(handle) else {
            return;
        };
        let Some(text) = model.hearing.take() else {
            return;
        };
        let item = model.item();
        let ended = now.saturating_sub(model.silence);
        let position = ended.saturating_sub(model.listens_since.unwrap_or(0)) / MS;
        let (creates, transcribes) = (model.creates, model.transcribes);
        model.turn = Some(text.clone());
        let nth = u64::from(model.items);
        let payload = json!({ "type": "input_audio_buffer.speech_stopped", "audio_end_ms": position, "item_id": item });
        self.tell(handle, "OpenAI.RealtimeAPI.InputAudioBufferSpeechStopped", payload);
        let payload = json!({ "type": "input_audio_buffer.committed", "item_id": item });
        self.tell(handle, "OpenAI.RealtimeAPI.InputAudioBufferCommitted", payload);
        let payload = json!({ "type": "conversation.item.added", "item": {
            "id": item, "type": "message", "role": "user", "content": [{ "type": "input_audio" }],
        }});
        self.tell(handle, "OpenAI.RealtimeAPI.ConversationItemAdded", payload);
        if transcribes {
            let after = latency.transcript_ms.draw(&dice, "transcript", nth);
            self.after(after, Act::Model(handle, ModelStep::Transcribed { item, text }));
        }
        let busy = self.model(handle).is_some_and(|model| model.response.as_ref().is_some_and(|it| !it.generated));
        if creates && !busy {
            self.respond(handle, None, false, true);
        }
    }
}
