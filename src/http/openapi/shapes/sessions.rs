//! What running sessions ask and tell. `voximplant/callbacks/` holds an example of each event.

use crate::domain::{AttemptId, Mode};
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// A number, or the same as text: a session's id is larger than 32 bits.
#[derive(ToSchema)]
#[serde(untagged)]
pub enum SessionNumber {
    Number(i64),
    Text(String),
}

/// Permission to dial, asked for once.
#[derive(ToSchema)]
pub struct GrantAsked {
    /// The attempt.
    a: AttemptId,
    /// The token of the start.
    #[schema(pattern = "^[0-9a-f]{32}$", example = "0123456789abcdef0123456789abcdef")]
    t: String,
    session_id: SessionNumber,
}

/// One detector with the same settings listens in every mode.
#[derive(ToSchema)]
pub struct Vad {
    threshold: f64,
    min_silence_ms: i64,
}

/// Everything that a session needs to call and to talk.
#[derive(ToSchema)]
pub struct Granted {
    call_id: AttemptId,
    /// More than 10 s with the round trip: it must not dial.
    granted_ms_ago: i64,
    #[schema(example = "+79990000001")]
    to: String,
    caller_id: Option<String>,
    mode: Mode,
    event_url: String,
    event_token: String,
    dialog_url: Option<String>,
    stream_url: Option<String>,
    language: String,
    voice: Option<String>,
    first_phrase: String,
    instructions: String,
    tools: Vec<Value>,
    model: String,
    openai_base_url: Option<String>,
    media_url: Option<String>,
    vad: Vad,
    /// `off`, `mark`, `hang_up`, `message`.
    amd: String,
    record: bool,
    record_notice: Option<String>,
    /// `pstn`, or a SIP address.
    route: String,
    ring_s: i64,
    call_s: i64,
    variables: BTreeMap<String, String>,
}

/// What happened in a session. The plain form of older scenarios has `event`, `call_id`, `reason`, `code` and
/// `timestamp` alone.
#[derive(ToSchema)]
pub struct SessionEvent {
    /// The attempt.
    call_id: AttemptId,
    /// `Ringing`, `Connected`, `Machine`, `Turn`, `OptOut`, `Disconnected`, `Failed`, `NotDialled`.
    event: String,
    /// Counted from 1; a copy of an event changes nothing.
    #[schema(nullable = false)]
    seq: Option<i64>,
    /// Session milliseconds.
    at_ms: Option<i64>,
    session_id: Option<SessionNumber>,
    /// What belongs to the event; with `Disconnected` also `model`: what a realtime model in the session used and called.
    #[serde(flatten)]
    more: BTreeMap<String, Value>,
}

#[derive(ToSchema)]
pub struct Heard {
    #[schema(example = "ok")]
    status: String,
    /// This very event came before.
    #[schema(nullable = false)]
    duplicate: Option<bool>,
}

/// Somebody rings back.
#[derive(ToSchema)]
pub struct Inbound {
    session_id: SessionNumber,
    #[schema(example = "+79990000001")]
    from: String,
    /// `Rang`, or `OptOut`.
    #[schema(pattern = "^(Rang|OptOut)$")]
    event: String,
}
