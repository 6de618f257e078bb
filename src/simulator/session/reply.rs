//! What the stand-in model answers: the next line of its script, a function's output word for word, or a
//! call of a tool.

use serde_json::{Value, json};

use crate::simulator::callee::Broken;
use crate::simulator::callee::words::Tongue;
use crate::simulator::clock::SECOND;
use crate::simulator::session::media::{Kind, Unit};
use crate::simulator::session::model::{MEDIA_ENDS_AFTER, Model, ModelStep, ROUND_TRIP, Response};
use crate::simulator::session::spine::Move;
use crate::simulator::session::world::{Act, Handle, World};

impl World {
    pub(super) fn respond(&mut self, handle: Handle, exact: Option<String>, no_tools: bool, to_turn: bool) {
        let latency = self.latency;
        let dice = self.dice.clone();
        let by_number = self.units.iter().find_map(|unit| match &unit.kind {
            Kind::Call(call) => Some(Tongue::of_number(&call.number) == Tongue::Russian),
            _ => None,
        });
        let broken = self.broken();
        let Some(model) = self.model(handle) else {
            return;
        };
        let russian = model.russian || by_number.unwrap_or(false);
        model.responses += 1;
        let number = model.responses;
        if number > 1 && broken == Some(Broken::ModelCloses) {
            self.after(ROUND_TRIP, Act::Model(handle, ModelStep::Gone));
            return;
        }
        if number > 1 && broken == Some(Broken::ModelBreaks) {
            let payload = json!({ "reason": "Connection reset by peer" });
            self.deliver_after(ROUND_TRIP, handle, "OpenAI.RealtimeAPI.WebSocketError", payload);
            return;
        }
        if number > 1 && broken == Some(Broken::ModelFails) {
            let payload = json!({ "type": "response.done", "response": {
                "id": format!("resp_{number:04}"), "object": "realtime.response", "status": "failed", "output": [],
                "status_details": { "type": "failed", "error": { "type": "server_error", "code": "server_error" } },
            }});
            self.deliver_after(ROUND_TRIP, handle, "OpenAI.RealtimeAPI.ResponseDone", payload);
            return;
        }
        let has = |model: &Model, name: &str| model.tools.iter().any(|tool| tool == name);
        let turn = model.turn.take();
        let must_call = model.must_call && !no_tools && has(model, "get_reply");
        // A model that must call a tool does not speak what the last one gave.
        let output = if must_call { None } else { model.output.take() };
        let strays = broken == Some(Broken::ModelStrays) && turn.is_some() && !no_tools && !model.strayed;
        model.strayed |= strays;
        let (text, tool, delay) = if strays {
            model.turn.clone_from(&turn);
            (None, Some(("transfer_money", Value::Null)), latency.model_tool_ms)
        } else if let Some(text) = exact {
            model.spine.said(&text);
            // What a tool gave is spoken as soon as without being told how.
            (Some(text), None, if output.is_some() { latency.tool_audio_ms } else { latency.model_audio_ms })
        } else if let Some(text) = output {
            (Some(text), None, latency.tool_audio_ms)
        } else if must_call || turn.is_some() && has(model, "get_reply") && !no_tools {
            let heard = turn.clone().unwrap_or_default();
            (None, Some(("get_reply", json!({ "text": heard }))), latency.model_tool_ms)
        } else {
            let next = match &turn {
                Some(heard) => model.spine.reply(heard, russian),
                None => model.spine.opening(russian),
            };
            match next {
                Move::Say(text) => (Some(text), None, latency.model_audio_ms),
                Move::End { text, goal, opt_out } => {
                    let mut arguments = json!({ "goal": goal, "answers": model.spine.answers() });
                    if opt_out {
                        arguments["opt_out"] = json!(true);
                    }
                    let tool = (has(model, "end_call") && !no_tools).then_some(("end_call", arguments));
                    (Some(text), tool, latency.model_audio_ms)
                }
            }
        };
        // A bare function's output that says nothing ends the response without a word.
        let text = text.filter(|text| !text.trim().is_empty());
        let speaks = text.is_some();
        model.response = Some(Response { number, text, tool, generated: false });
        let after = delay.draw(&dice, if to_turn { "model turn" } else { "model request" }, u64::from(number));
        let payload = json!({ "type": "response.created", "response": {
            "id": format!("resp_{number:04}"), "object": "realtime.response", "status": "in_progress", "output": [],
        }});
        self.deliver_after(ROUND_TRIP.min(after), handle, "OpenAI.RealtimeAPI.ResponseCreated", payload);
        let step = if speaks { ModelStep::Audio { response: number } } else { ModelStep::Tool { response: number } };
        self.after(after, Act::Model(handle, step));
    }

    pub(super) fn model_speaks(&mut self, handle: Handle, number: u32) {
        if self.mute {
            return;
        }
        let Some(model) = self.model(handle) else {
            return;
        };
        let Some(response) = model.response.as_ref().filter(|response| response.number == number) else {
            return;
        };
        let Some(text) = response.text.clone() else {
            return;
        };
        let fresh = model.media_since.is_none();
        model.silent_since = None;
        let id = format!("resp_{number:04}");
        let lasts = World::agent_speaking_time(&text);
        let payload = json!({ "type": "response.output_item.added", "response_id": id, "output_index": 0,
            "item": { "id": format!("msg_{number:04}"), "type": "message", "role": "assistant" } });
        self.tell(handle, "OpenAI.RealtimeAPI.ResponseOutputItemAdded", payload);
        let first: String = text.chars().take(12).collect();
        let payload = json!({ "type": "response.output_audio_transcript.delta", "response_id": id, "delta": first });
        self.tell(handle, "OpenAI.RealtimeAPI.ResponseOutputAudioTranscriptDelta", payload);
        if fresh {
            self.tell(handle, "OpenAI.Events.WebSocketMediaStarted", json!({}));
        }
        // The platform plays one after the other what the model sends.
        if self.voice_of(handle).is_some() {
            if let Some(model) = self.model(handle) {
                model.waiting.push_back(text);
            }
        } else {
            self.model_voice(handle, text);
        }
        // Speech is generated about three times as fast as it is spoken.
        self.after(lasts / 3, Act::Model(handle, ModelStep::Generated { response: number }));
    }

    fn model_voice(&mut self, handle: Handle, text: String) {
        let lasts = World::agent_speaking_time(&text);
        self.begin_voice(handle, text, lasts);
        let voice = self.voice_of(handle).map(|voice| voice.number);
        if let Some(model) = self.model(handle) {
            model.media_since = voice;
            model.silent_since = None;
        }
    }

    pub(super) fn model_generated(&mut self, handle: Handle, number: u32) {
        let Some(model) = self.model(handle) else {
            return;
        };
        let Some(response) = model.response.as_ref().filter(|response| response.number == number) else {
            return;
        };
        let id = format!("resp_{number:04}");
        let text = response.text.clone().unwrap_or_default();
        let calls = response.tool.is_some();
        let payload = json!({ "type": "response.output_audio.done", "response_id": id });
        self.tell(handle, "OpenAI.RealtimeAPI.ResponseOutputAudioDone", payload);
        let payload = json!({ "type": "response.output_audio_transcript.done", "response_id": id, "transcript": text });
        self.tell(handle, "OpenAI.RealtimeAPI.ResponseOutputAudioTranscriptDone", payload);
        if calls { self.model_calls(handle, number) } else { self.response_done(handle) }
    }

    pub(super) fn model_calls(&mut self, handle: Handle, number: u32) {
        let Some(model) = self.model(handle) else {
            return;
        };
        let Some(response) = model.response.as_ref().filter(|response| response.number == number) else {
            return;
        };
        if let Some((name, arguments)) = response.tool.clone() {
            let payload = json!({
                "type": "response.function_call_arguments.done", "response_id": format!("resp_{number:04}"),
                "item_id": format!("fc_{number:04}"), "output_index": 0, "call_id": format!("call_{number:04}"),
                "name": name, "arguments": arguments.to_string(),
            });
            self.tell(handle, "OpenAI.RealtimeAPI.ResponseFunctionCallArgumentsDone", payload);
        }
        self.response_done(handle);
    }

    fn response_done(&mut self, handle: Handle) {
        let Some(model) = self.model(handle) else {
            return;
        };
        let Some(response) = model.response.as_mut() else {
            return;
        };
        response.generated = true;
        let number = response.number;
        let spoken = response.text.as_deref().map_or(0, World::agent_speaking_time);
        let usage = usage(u64::from(number), model.instructions.chars().count() as u64, spoken / SECOND);
        let Some(response) = model.response.as_ref() else {
            return;
        };
        let mut output = Vec::new();
        if let Some(text) = &response.text {
            output.push(json!({ "id": format!("msg_{number:04}"), "type": "message", "role": "assistant",
                "content": [{ "type": "output_audio", "transcript": text }] }));
        }
        if let Some((name, arguments)) = &response.tool {
            output.push(json!({ "id": format!("fc_{number:04}"), "type": "function_call", "name": name,
                "call_id": format!("call_{number:04}"), "arguments": arguments.to_string() }));
        }
        let payload = json!({ "type": "response.done", "response": {
            "id": format!("resp_{number:04}"), "object": "realtime.response", "status": "completed", "output": output,
            "usage": usage,
        }});
        self.tell(handle, "OpenAI.RealtimeAPI.ResponseDone", payload);
    }

    /// The audio has run out; a second later the platform says so, unless more came.
    pub fn model_voice_over(&mut self, handle: Handle) {
        let now = self.now;
        let Some(Unit { kind: Kind::Model(model), .. }) = self.unit(handle) else {
            return;
        };
        if let Some(next) = model.waiting.pop_front() {
            self.model_voice(handle, next);
            return;
        }
        model.silent_since = Some(now);
        if let Some(voice) = model.media_since {
            self.after(MEDIA_ENDS_AFTER, Act::Model(handle, ModelStep::MediaEnded { voice }));
        }
    }
}

/// Seconds of a callee's turn.
const HEARD_S: u64 = 4;

/// Each response reads the whole conversation again, what was read before from the cache: ten tokens for a second that was
/// heard, twenty for one that is spoken, one for three letters of instructions.
fn usage(number: u64, instructions: u64, spoken_s: u64) -> Value {
    let (told, heard, before) = (instructions / 3, 10 * HEARD_S * number, number.saturating_sub(1));
    let cached = if before > 0 { told } else { 0 };
    let cached_audio = 10 * HEARD_S * before;
    let (said, written) = (20 * spoken_s, 5 * spoken_s);
    json!({
        "total_tokens": told + heard + said + written, "input_tokens": told + heard, "output_tokens": said + written,
        "input_token_details": {
            "text_tokens": told, "audio_tokens": heard, "cached_tokens": cached + cached_audio,
            "cached_tokens_details": { "text_tokens": cached, "audio_tokens": cached_audio },
        },
        "output_token_details": { "text_tokens": written, "audio_tokens": said },
    })
}
