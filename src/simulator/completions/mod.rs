//! A stand-in for OpenAI's chat completions: `POST /v1/chat/completions`, streamed and whole, and `GET /v1/models`.
//!
//! It plays the script of its instructions, calls the tools it is given, counts tokens, and refuses in OpenAI's own
//! form what OpenAI refuses. `POST /simulator/completions` brings trouble (`trouble`, `times`) and slowness (`first_ms`,
//! `piece_ms`, real milliseconds); `GET` tells what was asked. Nothing is kept but the newest requests, in memory.

mod asked;
mod player;

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use clap::ValueEnum;
use futures::{StreamExt, stream};
use serde::Deserialize;
use serde_json::{Value, json};

use self::asked::{Asked, Refused};
use self::player::Played;

const BODY_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Newest requests that are told.
const KEPT_MAX: usize = 1000;
const DELAY_MS_MAX: u64 = 60_000;
/// A stream that is slow says a word in this time.
const SLOW_PIECE: Duration = Duration::from_secs(1);
/// Longer than anybody waits.
const HANGS: Duration = Duration::from_secs(600);
/// Sentences of a wall of text.
const WALL: usize = 120;

/// What may go wrong on the model's side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Trouble {
    #[default]
    None,
    /// 400, as for a request it does not understand.
    BadRequest,
    /// 401: the key is wrong.
    WrongKey,
    /// 429: too many.
    TooMany,
    /// 500.
    Fails,
    /// 503.
    Overloaded,
    /// Accepts, and never answers.
    Hangs,
    /// A word a second.
    Slow,
    /// The connection ends behind the first word.
    Closes,
    /// The connection ends behind the first sentence.
    ClosesLate,
    /// The stream tells of an error behind the first word.
    FailsLate,
    /// An answer without a word.
    Empty,
    /// Data where speech is expected.
    Data,
    /// Far too much.
    Wall,
    /// 200, and a web page.
    WebPage,
    /// Calls a tool that nobody declared.
    StrangeTool,
    /// Arguments that are no JSON.
    StrangeArguments,
    /// Calls tools before it says anything.
    ToolsFirst,
}

/// What it is told to do to whoever asks.
#[derive(Clone, Copy, Debug, Default)]
struct Mood {
    trouble: Trouble,
    /// Requests that still meet it; none: all.
    times: Option<u32>,
    first: Duration,
    piece: Duration,
}

#[derive(Default)]
struct Held {
    mood: Mood,
    answered: u64,
    newest: VecDeque<Value>,
}

#[derive(Default)]
struct Model(Mutex<Held>);

impl Model {
    fn open(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a request: its number, and how it is to be treated.
    fn meet(&self, body: &Value) -> (u64, Mood) {
        let mut held = self.open();
        held.answered += 1;
        if held.newest.len() == KEPT_MAX {
            held.newest.pop_front();
        }
        held.newest.push_back(body.clone());
        let mut mood = held.mood;
        match &mut held.mood.times {
            Some(0) => mood.trouble = Trouble::None,
            Some(left) => *left -= 1,
            None => {}
        }
        (held.answered, mood)
    }
}

pub fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route("/v1/chat/completions", post(complete))
        .route("/v1/models", get(models))
        .route("/simulator/completions", get(told).post(set))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(Arc::<Model>::default())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    trouble: Option<String>,
    times: Option<u32>,
    first_ms: Option<u64>,
    piece_ms: Option<u64>,
}

/// What is not named goes back to how it was in the beginning.
async fn set(State(model): State<Arc<Model>>, body: Bytes) -> Response {
    let wish: Wish = match serde_json::from_slice(&body) {
        Ok(wish) => wish,
        Err(cause) => return (StatusCode::BAD_REQUEST, cause.to_string()).into_response(),
    };
    let trouble = match wish.trouble.map(|name| Trouble::from_str(&name, true)).transpose() {
        Ok(trouble) => trouble.unwrap_or_default(),
        Err(_) => return (StatusCode::BAD_REQUEST, "`trouble`: there is none of that name").into_response(),
    };
    let delay = |ms: Option<u64>| Duration::from_millis(ms.unwrap_or(0).min(DELAY_MS_MAX));
    model.open().mood = Mood { trouble, times: wish.times, first: delay(wish.first_ms), piece: delay(wish.piece_ms) };
    StatusCode::NO_CONTENT.into_response()
}

async fn told(State(model): State<Arc<Model>>) -> Json<Value> {
    let held = model.open();
    Json(json!({ "requests": held.answered, "newest": held.newest }))
}

async fn models() -> Json<Value> {
    let model = json!({ "id": "stand-in", "object": "model", "created": 0, "owned_by": "simulator" });
    Json(json!({ "object": "list", "data": [model] }))
}

async fn complete(State(model): State<Arc<Model>>, headers: HeaderMap, body: Bytes) -> Response {
    let read: Value = match serde_json::from_slice(&body) {
        Ok(read) => read,
        Err(_) => return Refused::new(400, "We could not parse the JSON body of your request.", None).response(),
    };
    let (number, mood) = model.meet(&read);
    if headers.get(header::AUTHORIZATION).is_some_and(|key| !key.as_bytes().starts_with(b"Bearer ")) {
        return Refused::new(401, "You didn't provide an API key.", None).response();
    }
    if let Some(refused) = Refused::by(mood.trouble) {
        return refused.response();
    }
    let asked = match Asked::read(&read) {
        Ok(asked) => asked,
        Err(refused) => return refused.response(),
    };
    if mood.trouble == Trouble::Hangs {
        tokio::time::sleep(HANGS).await;
    }
    if mood.trouble == Trouble::WebPage {
        return ([(header::CONTENT_TYPE, "text/html")], "<html><body>Welcome!</body></html>").into_response();
    }
    tokio::time::sleep(mood.first).await;
    let played = player::play(&asked, mood.trouble);
    let head = json!({
        "id": format!("chatcmpl-{number:024}"), "created": 1_700_000_000 + number, "model": asked.model,
        "system_fingerprint": "fp_stand_in",
    });
    if asked.streams {
        streamed(&asked, &played, &head, mood)
    } else {
        Json(whole(&asked, &played, head)).into_response()
    }
}

fn whole(asked: &Asked, played: &Played, head: Value) -> Value {
    let mut message = json!({ "role": "assistant", "content": played.content(), "refusal": null });
    if !played.calls.is_empty() {
        message["tool_calls"] = json!(played.calls.iter().map(|call| call.told()).collect::<Vec<_>>());
    }
    let choice = json!({ "index": 0, "message": message, "logprobs": null, "finish_reason": played.finish() });
    let mut told = head;
    told["object"] = json!("chat.completion");
    told["choices"] = json!([choice]);
    told["usage"] = usage(asked, played);
    told
}

/// As OpenAI counts: what the prompt has in common with an earlier one is cached from 1024 tokens on, in steps of 128.
fn usage(asked: &Asked, played: &Played) -> Value {
    let (prompt, completion) = (asked.tokens(), played.tokens());
    let cached = if asked.turns > 1 && prompt >= 1024 { prompt / 128 * 128 } else { 0 };
    json!({
        "prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion,
        "prompt_tokens_details": { "cached_tokens": cached, "audio_tokens": 0 },
        "completion_tokens_details": { "reasoning_tokens": 0, "audio_tokens": 0 },
    })
}

/// One step of a stream: an event, or the end of the connection.
enum Piece {
    Event(Value),
    Done,
    Cut,
}

fn streamed(asked: &Asked, played: &Played, head: &Value, mood: Mood) -> Response {
    let chunk = |delta: Value, finish: Value| {
        let mut told = head.clone();
        told["object"] = json!("chat.completion.chunk");
        told["choices"] = json!([{ "index": 0, "delta": delta, "logprobs": null, "finish_reason": finish }]);
        if asked.counts {
            told["usage"] = Value::Null;
        }
        Piece::Event(told)
    };
    let mut pieces = vec![chunk(json!({ "role": "assistant", "content": "", "refusal": null }), Value::Null)];
    for (nth, word) in played.words().enumerate() {
        pieces.push(chunk(json!({ "content": word }), Value::Null));
        let sentence = word.trim_end().ends_with(['.', '!', '?']);
        match mood.trouble {
            Trouble::FailsLate => {
                let error = json!({ "message": "The server had an error.", "type": "server_error", "code": null });
                pieces.push(Piece::Event(json!({ "error": error })));
                pieces.push(Piece::Done);
                break;
            }
            Trouble::Closes => pieces.push(Piece::Cut),
            // A word more shows that the sentence was whole.
            Trouble::ClosesLate if sentence => {
                pieces.push(chunk(json!({ "content": " And" }), Value::Null));
                pieces.push(Piece::Cut);
            }
            _ => continue,
        }
        if nth == 0 || sentence {
            break;
        }
    }
    for (nth, call) in played.calls.iter().enumerate() {
        // Arguments come in pieces, cut wherever it happens.
        let half = call.arguments.chars().count() / 2;
        let (begin, end): (String, String) =
            (call.arguments.chars().take(half).collect(), call.arguments.chars().skip(half).collect());
        let mut first = call.told();
        first["index"] = json!(nth);
        first["function"]["arguments"] = json!(begin);
        pieces.push(chunk(json!({ "tool_calls": [first] }), Value::Null));
        pieces.push(chunk(json!({ "tool_calls": [{ "index": nth, "function": { "arguments": end } }] }), Value::Null));
    }
    pieces.push(chunk(json!({}), json!(played.finish())));
    if asked.counts {
        let mut told = head.clone();
        told["object"] = json!("chat.completion.chunk");
        told["choices"] = json!([]);
        told["usage"] = usage(asked, played);
        pieces.push(Piece::Event(told));
    }
    pieces.push(Piece::Done);
    let each = if mood.trouble == Trouble::Slow { SLOW_PIECE } else { mood.piece };
    let body = stream::iter(pieces).enumerate().then(move |(nth, piece)| async move {
        if nth > 0 && !each.is_zero() {
            tokio::time::sleep(each).await;
        }
        match piece {
            Piece::Event(told) => Ok(Bytes::from(format!("data: {told}\n\n"))),
            Piece::Done => Ok(Bytes::from_static(b"data: [DONE]\n\n")),
            Piece::Cut => {
                // What was said before is on its way when the connection ends.
                tokio::time::sleep(Duration::from_millis(30)).await;
                Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset))
            }
        }
    });
    ([(header::CONTENT_TYPE, "text/event-stream; charset=utf-8")], Body::from_stream(body)).into_response()
}
