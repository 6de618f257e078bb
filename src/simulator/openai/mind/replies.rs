//! What the stand-in answers, and in which events: sound a piece at a time, or the call of a tool.

use serde_json::{Value, json};

use crate::simulator::openai::mind::{Gone, Mind, Response, Step};
use crate::simulator::openai::voice::Speech;
use crate::simulator::openai::{Trouble, base64};
use crate::simulator::session::spine::Move;

impl Mind {
    pub(super) fn respond(&mut self, exact: Option<String>, no_tools: bool, now: u64) {
        self.responses += 1;
        let number = self.responses;
        if number > 1 {
            match self.trouble {
                Trouble::Breaks => self.gone = Some(Gone::Broken),
                Trouble::Closes => self.gone = Some(Gone::Closed(1011, "internal error")),
                _ => {}
            }
        }
        let created = self.shown(number, "in_progress", json!([]), Value::Null);
        self.tell("response.created", json!({ "response": created }));
        if number > 1 && self.trouble == Trouble::Fails {
            let details = json!({ "type": "failed", "error": { "type": "server_error", "code": "server_error" } });
            let done = self.shown(number, "failed", json!([]), details);
            self.tell("response.done", json!({ "response": done }));
            return;
        }
        let turn = self.turn.take();
        let output = self.function_output.take();
        let may = |name: &str| !no_tools && self.tools.iter().any(|tool| tool == name);
        let (text, tool, delay) = if let Some(text) = exact {
            self.spine.said(&text);
            let delay = if output.is_some() { self.latency.tool_audio_ms } else { self.latency.model_audio_ms };
            (Some(text), None, delay)
        } else if turn.is_some() && may("get_reply") {
            (None, Some(("get_reply".to_owned(), json!({ "text": turn }))), self.latency.model_tool_ms)
        } else {
            let ends = may("end_call");
            let next = match &turn {
                Some(heard) => self.spine.reply(heard, self.russian),
                None => self.spine.opening(self.russian),
            };
            match next {
                Move::Say(text) => (Some(text), None, self.latency.model_audio_ms),
                Move::End { text, goal, opt_out } => {
                    let mut arguments = json!({ "goal": goal, "answers": self.spine.answers() });
                    if opt_out {
                        arguments["opt_out"] = json!(true);
                    }
                    (Some(text), ends.then(|| ("end_call".to_owned(), arguments)), self.latency.model_audio_ms)
                }
            }
        };
        let text = text.filter(|text| !text.trim().is_empty());
        let delay = self.draw(delay, "response", number);
        self.response = Some(Response { number, text, tool, speech: None, begun: false });
        self.after(now, delay, Step::Begins { response: number });
    }

    fn shown(&self, number: u32, status: &str, output: Value, details: Value) -> Value {
        json!({ "id": id_of(number), "object": "realtime.response", "status": status, "status_details": details,
            "output": output, "output_modalities": ["audio"], "usage": Value::Null })
    }

    pub(super) fn begins(&mut self, number: u32, now: u64) {
        let Some(response) = self.response.as_mut().filter(|response| response.number == number) else { return };
        let Some(text) = response.text.clone() else {
            self.response_over();
            return;
        };
        if self.trouble == Trouble::Mute {
            return;
        }
        let slow = self.trouble == Trouble::Slow;
        response.begun = true;
        response.speech = Some(Speech::new(&text, self.output, slow));
        let item = self.spoken_item(number);
        let before = self.last_item.replace(item.clone());
        let told = json!({ "id": item, "object": "realtime.item", "type": "message", "status": "in_progress",
            "role": "assistant", "content": [] });
        let of = id_of(number);
        self.tell("response.output_item.added", json!({ "response_id": of, "output_index": 0, "item": told }));
        self.tell("conversation.item.added", json!({ "previous_item_id": before, "item": told }));
        self.part("response.content_part.added", number, json!({ "type": "audio", "transcript": "" }));
        self.goes_on(number, now);
    }

    fn spoken_item(&self, number: u32) -> String {
        format!("msg_{number:06}")
    }

    fn part(&mut self, name: &str, number: u32, part: Value) {
        let told = json!({ "response_id": id_of(number), "item_id": self.spoken_item(number), "output_index": 0,
            "content_index": 0, "part": part });
        self.tell(name, told);
    }

    /// The next piece of speech; the one after it follows when about a third of it would have been heard.
    pub(super) fn goes_on(&mut self, number: u32, now: u64) {
        let Some(response) = self.response.as_mut().filter(|response| response.number == number) else { return };
        let Some(piece) = response.speech.as_mut().and_then(Speech::next) else {
            self.response_over();
            return;
        };
        let item = self.spoken_item(number);
        let head = json!({ "response_id": id_of(number), "item_id": item, "output_index": 0, "content_index": 0 });
        if !piece.text.is_empty() {
            let mut told = head.clone();
            told["delta"] = json!(piece.text);
            self.tell("response.output_audio_transcript.delta", told);
        }
        let mut told = head;
        told["delta"] = json!(base64(&piece.audio));
        self.tell("response.output_audio.delta", told);
        *self.said_ms.entry(item).or_default() += piece.lasts_ms;
        self.after(now, piece.next_in_ms, Step::Audio { response: number });
    }

    /// Everything is said and called.
    fn response_over(&mut self) {
        let Some(response) = self.response.take() else { return };
        let (number, of) = (response.number, id_of(response.number));
        let mut output = Vec::new();
        if let (true, Some(text)) = (response.begun, response.text) {
            let item = self.spoken_item(number);
            let head = json!({ "response_id": of, "item_id": item, "output_index": 0, "content_index": 0 });
            self.tell("response.output_audio.done", head.clone());
            let mut told = head;
            told["transcript"] = json!(text);
            self.tell("response.output_audio_transcript.done", told);
            self.part("response.content_part.done", number, json!({ "type": "audio", "transcript": text }));
            let told = json!({ "id": item, "object": "realtime.item", "type": "message", "status": "completed",
                "role": "assistant", "content": [{ "type": "output_audio", "transcript": text }] });
            self.tell("response.output_item.done", json!({ "response_id": of, "output_index": 0, "item": told }));
            self.tell("conversation.item.done", json!({ "previous_item_id": Value::Null, "item": told }));
            output.push(told);
        }
        if let Some((name, arguments)) = response.tool {
            let (item, call) = (format!("fc_{number:06}"), format!("call_{number:06}"));
            let place = output.len();
            let mut told = json!({ "id": item, "object": "realtime.item", "type": "function_call",
                "status": "in_progress", "name": name, "call_id": call, "arguments": "" });
            self.tell("response.output_item.added", json!({ "response_id": of, "output_index": place, "item": told }));
            let arguments = arguments.to_string();
            let mut head = json!({ "response_id": of, "item_id": item, "output_index": place, "call_id": call });
            head["delta"] = json!(arguments);
            self.tell("response.function_call_arguments.delta", head.clone());
            if let Some(fields) = head.as_object_mut() {
                fields.remove("delta");
            }
            head["name"] = json!(name);
            head["arguments"] = json!(arguments);
            self.tell("response.function_call_arguments.done", head);
            told["status"] = json!("completed");
            told["arguments"] = json!(arguments);
            self.last_item = Some(item);
            self.tell("response.output_item.done", json!({ "response_id": of, "output_index": place, "item": told }));
            self.tell("conversation.item.done", json!({ "previous_item_id": Value::Null, "item": told }));
            output.push(told);
        }
        let said_ms = self.said_ms.get(&self.spoken_item(number)).copied().unwrap_or(0);
        let mut done = self.shown(number, "completed", Value::Array(output), Value::Null);
        done["usage"] = usage(self.ear.heard_ms(), said_ms);
        self.tell("response.done", json!({ "response": done }));
        self.tell("rate_limits.updated", json!({ "rate_limits": [] }));
    }

    /// False when there is nothing to cancel.
    pub(super) fn cancel(&mut self, reason: &str) -> bool {
        let Some(response) = self.response.take() else { return false };
        let details = json!({ "type": "cancelled", "reason": reason });
        let said_ms = self.said_ms.get(&self.spoken_item(response.number)).copied().unwrap_or(0);
        let mut done = self.shown(response.number, "cancelled", json!([]), details);
        done["usage"] = usage(self.ear.heard_ms(), said_ms);
        self.tell("response.done", json!({ "response": done }));
        true
    }
}

fn id_of(response: u32) -> String {
    format!("resp_{response:06}")
}

/// Ten tokens for a second that is heard, twenty for one that is spoken; some text on either side.
fn usage(heard_ms: u64, said_ms: u64) -> Value {
    let (heard, said) = (heard_ms / 100, said_ms / 50);
    json!({
        "total_tokens": heard + said + 120, "input_tokens": heard + 100, "output_tokens": said + 20,
        "input_token_details": { "cached_tokens": 64, "text_tokens": 100, "audio_tokens": heard },
        "output_token_details": { "text_tokens": 20, "audio_tokens": said },
    })
}
