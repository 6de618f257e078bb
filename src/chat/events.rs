//! The lines of an event stream, and what a chat completion's pieces come to.

use super::{Called, Said, Trouble, Usage};
use serde_json::Value;

/// Tools that one answer may call; more are not listened to.
const CALLS_MAX: usize = 16;

/// Cuts what comes over the wire into events; a piece may end anywhere, in the middle of a letter too.
#[derive(Default)]
pub struct Events {
    line: Vec<u8>,
    data: String,
}

impl Events {
    /// The data of each event that is complete now.
    pub fn of(&mut self, bytes: &[u8]) -> Vec<String> {
        let mut events = Vec::new();
        for byte in bytes {
            if *byte != b'\n' {
                self.line.push(*byte);
                continue;
            }
            let line = String::from_utf8_lossy(&self.line).trim_end_matches('\r').to_owned();
            self.line.clear();
            if line.is_empty() {
                if !self.data.is_empty() {
                    events.push(std::mem::take(&mut self.data));
                }
            } else if let Some(data) = line.strip_prefix("data:") {
                if !self.data.is_empty() {
                    self.data.push('\n');
                }
                self.data.push_str(data.strip_prefix(' ').unwrap_or(data));
            }
        }
        events
    }
}

/// An answer as far as it has come.
#[derive(Default)]
pub struct Pieces {
    text: String,
    tools: Vec<Called>,
    usage: Usage,
    finished: bool,
    over: bool,
}

impl Pieces {
    /// The text of one event, if it has any.
    pub fn take(&mut self, data: &str) -> Result<Option<String>, Trouble> {
        if data.trim() == "[DONE]" {
            self.over = true;
            return Ok(None);
        }
        let event: Value = serde_json::from_str(data).map_err(|_| Trouble::Garbled)?;
        if let Some(error) = event.get("error").filter(|error| !error.is_null()) {
            let said = error["message"].as_str().unwrap_or("no reason given");
            return Err(Trouble::Failed(said.chars().take(super::SAID_CHARS_MAX).collect()));
        }
        self.count(&event["usage"]);
        let Some(choice) = event["choices"].get(0) else {
            // The last one counts the tokens and says nothing.
            return if event["choices"].is_array() { Ok(None) } else { Err(Trouble::Garbled) };
        };
        self.finished |= choice["finish_reason"].is_string();
        for called in choice["delta"]["tool_calls"].as_array().into_iter().flatten() {
            self.call(called);
        }
        let text = choice["delta"]["content"].as_str().filter(|text| !text.is_empty());
        Ok(text.map(|text| {
            self.text.push_str(text);
            text.to_owned()
        }))
    }

    /// An answer in one piece.
    pub fn take_whole(&mut self, bytes: &[u8]) -> Result<String, Trouble> {
        let whole: Value = serde_json::from_slice(bytes).map_err(|_| Trouble::Garbled)?;
        let message = &whole["choices"][0]["message"];
        if !message.is_object() {
            return Err(Trouble::Garbled);
        }
        self.count(&whole["usage"]);
        for called in message["tool_calls"].as_array().into_iter().flatten() {
            self.call(called);
        }
        self.finished = true;
        self.text = message["content"].as_str().unwrap_or_default().to_owned();
        Ok(self.text.clone())
    }

    fn count(&mut self, usage: &Value) {
        let number = |value: &Value| value.as_i64().filter(|n| *n >= 0).unwrap_or_default();
        if usage.is_object() {
            let cached = number(&usage["prompt_tokens_details"]["cached_tokens"]);
            let prompt = number(&usage["prompt_tokens"]);
            let completion = number(&usage["completion_tokens"]);
            self.usage = Usage { prompt, cached: cached.min(prompt), completion };
        }
    }

    /// The first piece of a call has its name, those behind it go on with its arguments.
    fn call(&mut self, piece: &Value) {
        let nth = piece["index"].as_u64().map_or(self.tools.len(), |nth| nth as usize);
        if nth >= CALLS_MAX {
            return;
        }
        while self.tools.len() <= nth {
            self.tools.push(Called { id: String::new(), name: String::new(), arguments: String::new() });
        }
        let called = &mut self.tools[nth];
        for (to, from) in [
            (&mut called.id, &piece["id"]),
            (&mut called.name, &piece["function"]["name"]),
            (&mut called.arguments, &piece["function"]["arguments"]),
        ] {
            to.push_str(from.as_str().unwrap_or_default());
        }
    }

    pub fn has_begun(&self) -> bool {
        !self.text.is_empty() || !self.tools.is_empty() || self.finished
    }

    pub fn has_finished(&self) -> bool {
        self.finished || self.over
    }

    pub fn is_over(&self) -> bool {
        self.over
    }

    pub fn said(self) -> Said {
        Said { text: self.text, tools: self.tools, usage: self.usage, first_ms: None, took_ms: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const STREAM: &str = concat!(
        ": a comment\r\n\r\n",
        "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"finish_reason\":null}]}\r\n\r\n",
        "event: message\ndata: {\"choices\":[{\"delta\":{\"content\":\"Да, \"},\"finish_reason\":null}]}\n\n",
        "data:{\"choices\":[{\"delta\":{\"content\":\"удобно.\"},\"finish_reason\":null}]}\n\n",
        "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"c1\",\"function\":{\"name\":\"note\",\"arguments\":\"{\\\"a\"}}]}}]}\n\n",
        "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"\\\":1}\"}}]}}]}\n\n",
        "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"tool_calls\"}]}\n\n",
        "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":90,\"completion_tokens\":7,\"prompt_tokens_details\":{\"cached_tokens\":64}}}\n\n",
        "data: [DONE]\n\n",
    );

    fn heard(cuts: &[usize]) -> Said {
        let (mut events, mut pieces) = (Events::default(), Pieces::default());
        let bytes = STREAM.as_bytes();
        let mut at: Vec<usize> = cuts.iter().map(|cut| cut % bytes.len()).collect();
        at.extend([0, bytes.len()]);
        at.sort_unstable();
        for pair in at.windows(2) {
            for event in events.of(&bytes[pair[0]..pair[1]]) {
                pieces.take(&event).unwrap();
            }
        }
        assert!(pieces.is_over() && pieces.has_finished());
        pieces.said()
    }

    proptest! {
        /// Wherever the network cuts, the answer is the same.
        #[test]
        fn an_answer_is_put_together_again(cuts in prop::collection::vec(0usize..10_000, 0..12)) {
            let said = heard(&cuts);
            prop_assert_eq!(&said.text, "Да, удобно.");
            prop_assert_eq!(&said.tools, &[Called { id: "c1".into(), name: "note".into(), arguments: "{\"a\":1}".into() }]);
            prop_assert_eq!(said.usage, Usage { prompt: 90, cached: 64, completion: 7 });
        }

        #[test]
        fn whatever_comes_is_no_panic(data in "\\PC{0,60}|[\\[\\]{}:,\"a-z0-9]{0,60}") {
            let mut pieces = Pieces::default();
            let _ = pieces.take(&data);
            let _ = pieces.take_whole(data.as_bytes());
        }
    }

    #[test]
    fn troubles_of_a_stream_have_their_names() {
        let take = |data: &str| Pieces::default().take(data).unwrap_err();
        assert_eq!(take(r#"{"error":{"message":"overloaded"}}"#), Trouble::Failed("overloaded".into()));
        assert_eq!(take("<html>"), Trouble::Garbled);
        assert_eq!(take("{}"), Trouble::Garbled);
        let mut many = Pieces::default();
        many.take(r#"{"choices":[{"delta":{"tool_calls":[{"index":4000000000}]}}]}"#).unwrap();
        assert!(many.said().tools.is_empty(), "a number from outside reserves nothing");
    }
}
