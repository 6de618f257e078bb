//! A request for a completion, checked as OpenAI checks it, and refusals in its form.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::Trouble;

const TOOLS_MAX: usize = 128;
/// Letters of a token, roughly.
const TOKEN_CHARS: usize = 3;

#[derive(Debug, PartialEq, Eq)]
pub struct Refused {
    status: u16,
    message: String,
    parameter: Option<String>,
}

impl Refused {
    pub fn new(status: u16, message: &str, parameter: Option<&str>) -> Self {
        Self { status, message: message.to_owned(), parameter: parameter.map(str::to_owned) }
    }

    /// Refusals that were asked for.
    pub fn by(trouble: Trouble) -> Option<Self> {
        let (status, message) = match trouble {
            Trouble::BadRequest => (400, "The request was not understood."),
            Trouble::WrongKey => (401, "Incorrect API key provided: sk-****abcd."),
            Trouble::TooMany => (429, "Rate limit reached for requests."),
            Trouble::Fails => (500, "The server had an error while processing your request."),
            Trouble::Overloaded => (503, "That model is currently overloaded with other requests."),
            _ => return None,
        };
        Some(Self::new(status, message, None))
    }

    pub fn response(self) -> Response {
        let (kind, code) = match self.status {
            401 => ("invalid_request_error", Some("invalid_api_key")),
            429 => ("requests", Some("rate_limit_exceeded")),
            500.. => ("server_error", None),
            _ => ("invalid_request_error", None),
        };
        let error = json!({ "message": self.message, "type": kind, "param": self.parameter, "code": code });
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, Json(json!({ "error": error }))).into_response()
    }
}

/// Who said what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub role: String,
    pub text: String,
}

pub struct Asked {
    pub model: String,
    pub lines: Vec<Line>,
    /// Names of the functions that may be called.
    pub tools: Vec<String>,
    pub streams: bool,
    /// A stream ends with its tokens.
    pub counts: bool,
    pub tokens_max: Option<u64>,
    /// What the other person said so far.
    pub turns: usize,
}

impl Asked {
    pub fn read(body: &Value) -> Result<Self, Refused> {
        let missing = |name: &str| Refused::new(400, &format!("Missing required parameter: '{name}'."), Some(name));
        let wrong = |name: &str| Refused::new(400, &format!("Invalid value for '{name}'."), Some(name));
        let model = body["model"].as_str().filter(|name| !name.is_empty()).ok_or_else(|| missing("model"))?;
        let messages = body["messages"].as_array().ok_or_else(|| missing("messages"))?;
        if messages.is_empty() {
            return Err(wrong("messages"));
        }
        let (mut lines, mut calls): (Vec<Line>, Vec<&str>) = (Vec::new(), Vec::new());
        for (nth, message) in messages.iter().enumerate() {
            let here = format!("messages[{nth}]");
            let role = message["role"].as_str().unwrap_or_default();
            if !["system", "developer", "user", "assistant", "tool"].contains(&role) {
                return Err(wrong(&format!("{here}.role")));
            }
            if role == "tool" {
                let answers = message["tool_call_id"].as_str().unwrap_or_default();
                if !calls.contains(&answers) {
                    let said = "messages with role 'tool' must be a response to a preceding message with 'tool_calls'.";
                    return Err(Refused::new(400, said, Some(&here)));
                }
            }
            let called = message["tool_calls"].as_array().map(Vec::as_slice).unwrap_or_default();
            calls.extend(called.iter().filter_map(|call| call["id"].as_str()));
            let text = text(&message["content"]).ok_or_else(|| wrong(&format!("{here}.content")))?;
            if text.is_none() && called.is_empty() {
                return Err(wrong(&format!("{here}.content")));
            }
            lines.push(Line { role: role.to_owned(), text: text.unwrap_or_default() });
        }
        let mut tools = Vec::new();
        for (nth, tool) in body["tools"].as_array().into_iter().flatten().enumerate() {
            let name = tool["function"]["name"].as_str().unwrap_or_default();
            let good = (1..=64).contains(&name.len())
                && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
            if tool["type"] != "function" || !good || nth >= TOOLS_MAX {
                return Err(wrong(&format!("tools[{nth}].function.name")));
            }
            tools.push(name.to_owned());
        }
        if body["tools"].as_array().is_some_and(Vec::is_empty) {
            return Err(Refused::new(400, "[] is too short - 'tools'", Some("tools")));
        }
        match &body["tool_choice"] {
            Value::Null => {}
            choice if tools.is_empty() => {
                let said = format!("Invalid value for 'tool_choice': '{choice}' needs 'tools'.");
                return Err(Refused::new(400, &said, Some("tool_choice")));
            }
            choice if choice == "none" => tools.clear(),
            _ => {}
        }
        let streams = body["stream"].as_bool().unwrap_or_default();
        if !streams && !body["stream_options"].is_null() {
            let said = "The 'stream_options' parameter is only allowed when 'stream' is enabled.";
            return Err(Refused::new(400, said, Some("stream_options")));
        }
        let limit = [&body["max_completion_tokens"], &body["max_tokens"]].into_iter().find_map(Value::as_u64);
        let turns = lines.iter().filter(|line| line.role == "user").count();
        let counts = body["stream_options"]["include_usage"].as_bool().unwrap_or_default();
        Ok(Asked { model: model.to_owned(), lines, tools, streams, counts, tokens_max: limit, turns })
    }

    pub fn tokens(&self) -> usize {
        self.lines.iter().map(|line| tokens(&line.text) + 4).sum()
    }
}

pub fn tokens(text: &str) -> usize {
    text.chars().count().div_ceil(TOKEN_CHARS)
}

/// A text, or parts of one; `None` where it is neither, `Some(None)` where there is none.
fn text(content: &Value) -> Option<Option<String>> {
    match content {
        Value::Null => Some(None),
        Value::String(text) => Some(Some(text.clone())),
        Value::Array(parts) => {
            let parts: Option<Vec<&str>> = parts.iter().map(|part| part["text"].as_str()).collect();
            parts.map(|parts| Some(parts.concat()))
        }
        _ => None,
    }
}
