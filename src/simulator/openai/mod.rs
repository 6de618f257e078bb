//! A stand-in for OpenAI's Realtime API over a WebSocket: `/v1/realtime?model=…`, in real time.
//!
//! Any key is taken. Whoever wants trouble asks for a model that has it: `stand-in-refused` (401),
//! `stand-in-busy` (429), `stand-in-down` (503), `stand-in-errs` (the session's settings are answered with an
//! error), `stand-in-fails` (responses fail after the first), `stand-in-breaks` (the connection is cut at the
//! second), `stand-in-closes` (it is closed with 1011), `stand-in-mute` (no audio ever comes), `stand-in-slow`
//! (speech is made slower than it is heard), `stand-in-echo` (what is heard is said again, at once).

mod mind;
mod voice;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use tokio::time::Instant;

use crate::simulator::draw::Dice;
use crate::simulator::openai::mind::{Gone, Mind};
use crate::simulator::platform::Platform;

/// Whose latency it has.
const RULE: &str = "voice_stream_rule";
/// As the real one.
const SESSION_MAX: Duration = Duration::from_secs(60 * 60);
const MESSAGE_BYTES_MAX: usize = 16 * 1024 * 1024;
static SESSIONS: AtomicU64 = AtomicU64::new(1);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trouble {
    None,
    Errs,
    Fails,
    Breaks,
    Closes,
    Mute,
    Slow,
    Echo,
}

/// A model's trouble, or the status with which it is refused.
fn trouble(model: &str) -> Result<Trouble, (StatusCode, &'static str)> {
    Ok(match model.strip_prefix("stand-in-") {
        Some("refused") => return Err((StatusCode::UNAUTHORIZED, "invalid_api_key")),
        Some("busy") => return Err((StatusCode::TOO_MANY_REQUESTS, "rate_limit_exceeded")),
        Some("down") => return Err((StatusCode::SERVICE_UNAVAILABLE, "server_error")),
        Some("errs") => Trouble::Errs,
        Some("fails") => Trouble::Fails,
        Some("breaks") => Trouble::Breaks,
        Some("closes") => Trouble::Closes,
        Some("mute") => Trouble::Mute,
        Some("slow") => Trouble::Slow,
        Some("echo") => Trouble::Echo,
        _ => Trouble::None,
    })
}

/// The API's form of an error.
fn refused(status: StatusCode, code: &str) -> Response {
    let error = json!({ "error": { "message": "The request was refused.", "type": "invalid_request_error", "code": code,
        "param": null } });
    (status, [(header::CONTENT_TYPE, "application/json")], error.to_string()).into_response()
}

pub async fn realtime(
    State(platform): State<Arc<Platform>>,
    Query(asked): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let Some(model) = asked.get("model").cloned() else {
        return refused(StatusCode::BAD_REQUEST, "missing_model");
    };
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let bearer = text(header::AUTHORIZATION).strip_prefix("Bearer ").is_some_and(|key| !key.trim().is_empty());
    // A browser cannot set headers: there the key is the name of a protocol.
    if !bearer && !text(header::SEC_WEBSOCKET_PROTOCOL).contains("openai-insecure-api-key.") {
        return refused(StatusCode::UNAUTHORIZED, "invalid_api_key");
    }
    let trouble = match trouble(&model) {
        Ok(trouble) => trouble,
        Err((status, code)) => return refused(status, code),
    };
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade.protocols(["realtime"]).max_message_size(MESSAGE_BYTES_MAX),
        Err(rejection) => return rejection.into_response(),
    };
    let id = SESSIONS.fetch_add(1, Ordering::Relaxed);
    let dice = Dice::of_start(platform.seed, id);
    let mind = Mind::new(trouble, platform.latency.of_rule(RULE), dice, &model, id);
    upgrade.on_upgrade(move |socket| talk(socket, mind))
}

async fn talk(mut socket: WebSocket, mut mind: Mind) {
    let began = Instant::now();
    let now = || began.elapsed().as_millis() as u64;
    loop {
        mind.due(now());
        for event in mind.take() {
            if socket.send(Message::text(event.to_string())).await.is_err() {
                return;
            }
        }
        match mind.gone() {
            // Dropped without a word.
            Some(Gone::Broken) => return,
            Some(Gone::Closed(code, reason)) => return close(socket, code, reason).await,
            None => {}
        }
        let wake = mind.next_at().map_or(began + SESSION_MAX, |at| began + Duration::from_millis(at));
        tokio::select! {
            came = socket.recv() => match came {
                Some(Ok(Message::Text(text))) => mind.hear(text.as_str(), now()),
                Some(Ok(Message::Close(_))) => {
                    // The goodbye is answered by the next look.
                    let _answered = socket.recv().await;
                    return;
                }
                Some(Err(_)) | None => return,
                Some(Ok(_)) => {}
            },
            () = tokio::time::sleep_until(wake) => {
                if began.elapsed() >= SESSION_MAX {
                    return close(socket, 1001, "session expired").await;
                }
            }
        }
    }
}

async fn close(mut socket: WebSocket, code: u16, reason: &'static str) {
    // Whoever is gone needs no goodbye.
    let _gone = socket.send(Message::Close(Some(CloseFrame { code, reason: reason.into() }))).await;
}

const SIXTY_FOUR: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

pub fn base64(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let word = three.iter().fold(0u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for place in 0..4 {
            let sixty_fourth = SIXTY_FOUR[(word >> (18 - 6 * place) & 63) as usize];
            text.push(if place <= three.len() { char::from(sixty_fourth) } else { '=' });
        }
    }
    text
}

/// `None` when a letter is none of the alphabet's.
pub fn unbase64(text: &str) -> Option<Vec<u8>> {
    let place = |letter: u8| match letter {
        b'A'..=b'Z' => Some(letter - b'A'),
        b'a'..=b'z' => Some(letter - b'a' + 26),
        b'0'..=b'9' => Some(letter - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let text = text.trim_end_matches('=').as_bytes();
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    for four in text.chunks(4) {
        let mut word = 0u32;
        for letter in four {
            word = word << 6 | u32::from(place(*letter)?);
        }
        word <<= 6 * (4 - four.len());
        let all = word.to_be_bytes();
        bytes.extend_from_slice(&all[1..four.len()]);
    }
    Some(bytes)
}
