//! `/voice/media`: a call's audio, carried between the platform and a realtime model.
//!
//! A session opens it with its event token while it rings. What the model is told is composed here, from the
//! same script as every mode; the key never leaves this server. What was carried is kept with the attempt.

use super::voice::{TokenOf, authorised, variables};
use super::{Problem, Web};
use crate::dialogue::{self, Manner};
use crate::domain::state::State as AttemptState;
use crate::domain::{AttemptId, Timestamp, money};
use crate::media::{self, Bridge, Came, Encoding, Plan, Tokens, Way};
use crate::store::{Held, MediaStream};
use crate::voximplant::callback;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use futures::{SinkExt, StreamExt};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::future::ready;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tracing::{error, info};

/// The model's voices for who asks for none by name; the scenarios have the same.
const VOICE_FEMALE: &str = "marin";
const VOICE_MALE: &str = "cedar";
/// The encoding of a row whose audio the platform carried itself.
const BY_PLATFORM: &str = "platform";
const DAY_MS: i64 = 86_400_000;
/// No call uses so many: a count beyond it is nonsense, and sums of costs must not overflow by it.
const TOKENS_MAX: u64 = 100_000_000;

/// Attempts whose audio is being carried by this node: each once.
#[derive(Default)]
pub(super) struct Streams(Mutex<BTreeSet<AttemptId>>);

impl Streams {
    fn held(&self) -> MutexGuard<'_, BTreeSet<AttemptId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// While it lives, no other stream of this attempt is opened here.
struct Place {
    web: Arc<Web>,
    attempt: AttemptId,
}

impl Place {
    fn take(web: &Arc<Web>, attempt: AttemptId) -> Option<Place> {
        web.streams.held().insert(attempt).then(|| Place { web: web.clone(), attempt })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.web.streams.held().remove(&self.attempt);
    }
}

#[derive(Deserialize)]
pub(super) struct Asked {
    call_id: String,
    /// How audio is sent to the platform; it says itself how it sends its own.
    #[serde(default)]
    encoding: Option<String>,
}

/// Unknown attempt 404, wrong token 401; a call that is not under way, or has a stream already, 409.
pub(super) async fn stream(
    State(web): State<Arc<Web>>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let (attempt, token) = authorised(&web, &asked.call_id, &headers).await?;
    if token != TokenOf::Event {
        return Err(Problem::unauthorized());
    }
    let encoding: Encoding = match asked.encoding.as_deref() {
        None => Encoding::Ulaw,
        Some(name) => name.parse().map_err(|cause| Problem::bad(format!("encoding: {cause}")))?,
    };
    let upgrade = upgrade.map_err(|cause| Problem::unread(cause.status(), cause.body_text()))?;
    let held = web.store.attempt(attempt).await?.ok_or_else(|| Problem::missing("this attempt does not exist"))?;
    if !matches!(held.state, AttemptState::Live { .. }) {
        return Err(Problem::conflict("this attempt has no call under way"));
    }
    let Some(model) = web.voice.media.clone() else {
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "no_model", "OPENAI_API_KEY is not set"));
    };
    let plan = plan(&web, &held, encoding).await?;
    let bridge = Bridge::new(plan).map_err(Problem::ours)?;
    let Some(place) = Place::take(&web, attempt) else {
        return Err(Problem::conflict("this attempt has a stream already"));
    };
    let upgrade = upgrade.max_message_size(media::frames::FRAME_BYTES_MAX);
    Ok(upgrade.on_upgrade(move |socket| async move {
        let opened_at = web.clock.now();
        let name = model.name.clone();
        let row = MediaStream {
            attempt_id: attempt.0,
            opened_at: opened_at.0,
            lasted_ms: 0,
            model: name,
            encoding: encoding.as_str().to_owned(),
            ended_by: MediaStream::OPEN.to_owned(),
            reason: String::new(),
            tally: "{}".to_owned(),
            tools: "[]".to_owned(),
            cost_micros: None,
        };
        // A server that dies leaves word that there was a stream; the audio does not wait for it.
        let begun = keep(&place, row.clone());
        let carried = media::carry(bridge, way(socket), media::connect(model), web.stopping.clone());
        let ((), carried) = tokio::join!(begun, carried);
        keep(&place, over(&web, row, carried)).await;
    }))
}

async fn plan(web: &Web, held: &Held, encoding: Encoding) -> Result<Plan, Problem> {
    let script = web.script(held.campaign).await?;
    // Whatever mode asks for a stream: the model at its other end talks on its own.
    let told = dialogue::told(&script, Manner::Own, &variables(held));
    Ok(Plan {
        instructions: told.instructions,
        tools: told.tools,
        first_phrase: told.first_phrase,
        voice: voice(told.voice.as_deref()).to_owned(),
        language: expected(&told.language),
        encoding,
    })
}

/// A synthesis service's name means nothing to the model.
fn voice(asked: Option<&str>) -> &str {
    match asked {
        Some("female") => VOICE_FEMALE,
        Some("male") | None => VOICE_MALE,
        Some(name) if !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase()) => name,
        Some(_) => VOICE_MALE,
    }
}

fn expected(language: &str) -> Option<String> {
    (language != dialogue::script::AUTO).then(|| language.chars().take(2).collect())
}

fn way(socket: WebSocket) -> Way {
    let (out, into) = socket.split();
    let into = into.filter_map(|came| {
        ready(match came {
            Ok(Message::Text(text)) => Some(Came::Text(text.as_str().to_owned())),
            Ok(Message::Close(told)) => Some(Came::Closed(told.map_or_else(String::new, |it| it.code.to_string()))),
            Ok(_) => None,
            Err(_) => Some(Came::Lost),
        })
    });
    let out = out.with(|text: String| ready(Ok::<_, axum::Error>(Message::text(text))));
    Way { into: Box::pin(into), out: Box::pin(out.sink_map_err(|error| error.to_string())) }
}

fn over(web: &Web, row: MediaStream, carried: media::Carried) -> MediaStream {
    let priced = web.dialer.prices().and_then(|prices| prices.spoken(&row.model));
    MediaStream {
        lasted_ms: i64::try_from(carried.lasted_ms).unwrap_or(i64::MAX),
        ended_by: carried.end.as_str().to_owned(),
        reason: carried.end.reason().to_owned(),
        tally: serde_json::to_string(&carried.tally).unwrap_or_default(),
        tools: serde_json::to_string(&carried.tools).unwrap_or_default(),
        cost_micros: priced.map(|prices| prices.cost(counted(carried.tally.tokens))),
        ..row
    }
}

async fn keep(place: &Place, row: MediaStream) {
    let Place { web, attempt } = place;
    if row.ended_by != MediaStream::OPEN {
        let (ended_by, reason) = (&row.ended_by, &row.reason);
        info!(attempt.id = %attempt, ended_by, "Attempt {attempt}'s stream of audio ended: {ended_by} {reason}");
    }
    if let Err(cause) = web.store.put_media_stream(row).await {
        error!(attempt.id = %attempt, "What attempt {attempt}'s stream carried cannot be kept: {cause}");
    }
}

/// What a session tells of the model to which the platform carried its audio.
pub(super) fn in_session(web: &Web, attempt: AttemptId, call: &callback::Call) -> Option<MediaStream> {
    let used = call.model.as_ref()?;
    let tokens = Tokens::read(&used.usage);
    let lasted_ms: i64 = [call.answer_ms, call.talk_ms].into_iter().flatten().map(|ms| ms.clamp(0, DAY_MS)).sum();
    let tool =
        |[name, arguments, result]: &[String; 3]| json!({ "name": name, "arguments": arguments, "result": result });
    let priced = web.dialer.prices().and_then(|prices| prices.spoken(&used.name));
    // A model that answered and counted nothing tells nothing: its cost is not known. Whoever left before it said a word
    // cost nothing.
    let told = tokens != Tokens::default() || used.responses == 0;
    Some(MediaStream {
        attempt_id: attempt.0,
        opened_at: web.clock.now().plus_ms(-lasted_ms).0,
        lasted_ms,
        model: used.name.clone(),
        encoding: BY_PLATFORM.to_owned(),
        ended_by: media::End::Call.as_str().to_owned(),
        reason: String::new(),
        tally: json!({ "responses": used.responses, "tokens": tokens }).to_string(),
        tools: Value::Array(used.tools.iter().map(tool).collect()).to_string(),
        cost_micros: priced.filter(|_| told).map(|prices| prices.cost(counted(tokens))),
    })
}

fn counted(tokens: Tokens) -> money::Tokens {
    let count = |tokens: u64| i64::try_from(tokens.min(TOKENS_MAX)).unwrap_or(i64::MAX);
    money::Tokens {
        text_in: count(tokens.text_in),
        text_cached: count(tokens.text_cached),
        text_out: count(tokens.text_out),
        audio_in: count(tokens.audio_in),
        audio_cached: count(tokens.audio_cached),
        audio_out: count(tokens.audio_out),
    }
}

/// The way here, as a grant names it.
pub(super) fn address(backend_url: &str, attempt: AttemptId) -> String {
    let rest = backend_url.strip_prefix("http").unwrap_or(backend_url);
    format!("ws{rest}/voice/media?call_id={attempt}")
}

fn json_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_default()
}

/// What the model said of the goal when it ended the call: here it judges by itself.
pub(super) fn verdict(streams: &[MediaStream]) -> Option<Value> {
    let mut calls = streams.iter().flat_map(|row| json_of(&row.tools).as_array().cloned().unwrap_or_default());
    let last = calls.rfind(|call| call["name"] == "end_call" && call["result"] == "done")?;
    let mut told = json_of(last["arguments"].as_str().unwrap_or_default());
    told.is_object().then(|| {
        told["by"] = json!("the model");
        told
    })
}

/// An attempt's cells in the columns of our own dialogue (`talked::COLUMNS`): another model, the same questions.
pub(super) fn cells(streams: &[MediaStream]) -> Vec<Value> {
    let tallies: Vec<Value> = streams.iter().map(|row| json_of(&row.tally)).collect();
    let sum = |names: &[&str]| -> u64 {
        let of = |tally: &Value| -> u64 { names.iter().filter_map(|name| tally["tokens"][name].as_u64()).sum() };
        tallies.iter().map(of).sum()
    };
    let cost = streams.iter().map(|row| row.cost_micros).sum::<Option<i64>>();
    let mut models: Vec<&str> = streams.iter().map(|row| &*row.model).collect();
    models.dedup();
    let tools: Vec<Value> =
        streams.iter().flat_map(|row| json_of(&row.tools).as_array().cloned().unwrap_or_default()).collect();
    let trouble: Vec<String> = streams
        .iter()
        .filter(|row| row.ended_by != media::End::Call.as_str())
        .map(|row| format!("{} {}", row.ended_by, row.reason).trim().to_owned())
        .collect();
    vec![
        json!(models.join(";")),
        json!(tallies.iter().filter_map(|tally| tally["responses"].as_u64()).sum::<u64>()),
        json!(sum(&["text_in", "text_cached", "audio_in", "audio_cached"])),
        json!(sum(&["text_cached", "audio_cached"])),
        json!(sum(&["text_out", "audio_out"])),
        json!(cost),
        if tools.is_empty() { Value::Null } else { json!(tools) },
        verdict(streams).unwrap_or_default(),
        json!((!trouble.is_empty()).then(|| trouble.join("; "))),
    ]
}

/// A stream as the API shows it.
pub(super) fn shown(row: &MediaStream) -> Value {
    json!({
        "opened_at": Timestamp(row.opened_at).to_string(), "lasted_ms": row.lasted_ms, "model": row.model,
        "encoding": row.encoding, "ended_by": row.ended_by, "reason": row.reason, "tally": json_of(&row.tally),
        "tools": json_of(&row.tools), "cost_micros": row.cost_micros,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_models_voice_is_its_own() {
        let voices = [None, Some("female"), Some("male"), Some("verse"), Some("Yandex.Neural.ru_RU_alena"), Some("")];
        assert_eq!(voices.map(voice), ["cedar", "marin", "cedar", "verse", "cedar", "cedar"]);
        assert_eq!((expected("ru-RU"), expected("auto")), (Some("ru".to_owned()), None));
    }

    #[test]
    fn a_stream_s_cells_stand_in_the_columns_of_a_dialogue() {
        let row = |opened_at: i64, ended_by: &str, tools: Value| MediaStream {
            attempt_id: 1,
            opened_at,
            lasted_ms: 1,
            model: "m".into(),
            encoding: "ULAW".into(),
            ended_by: ended_by.into(),
            reason: if ended_by == "call" { "" } else { "1011 internal error" }.into(),
            tally:
                json!({ "responses": 2, "tokens": { "text_in": 1, "text_cached": 2, "audio_in": 3, "audio_cached": 4,
                "text_out": 5, "audio_out": 6 } })
                .to_string(),
            tools: tools.to_string(),
            cost_micros: Some(7),
        };
        let call = json!({ "at_ms": 9, "name": "end_call", "arguments": "{\"goal\":true}", "result": "done" });
        let rows = [row(1, "model_closed", json!([])), row(2, "call", json!([call]))];
        let cells = cells(&rows);
        assert_eq!(cells.len(), super::super::talked::COLUMNS.len());
        let expected = json!(["m", 4, 20, 12, 22, 14, [call], { "goal": true, "by": "the model" }, "model_closed 1011 internal error"]);
        assert_eq!(json!(cells), expected);
        assert_eq!(verdict(&rows[..1]), None);
    }

    #[test]
    fn the_address_has_the_scheme_of_a_websocket() {
        let attempt = AttemptId(7);
        assert_eq!(
            address("https://halo.example", attempt),
            format!("wss://halo.example/voice/media?call_id={attempt}")
        );
        assert_eq!(
            address("http://127.0.0.1:8000", attempt),
            format!("ws://127.0.0.1:8000/voice/media?call_id={attempt}")
        );
    }
}
