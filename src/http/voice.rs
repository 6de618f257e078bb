//! Our side of a conversation, asked for turn by turn.

use super::access::{bearer, same_secret};
use super::{Problem, Web};
use crate::dialer::Report;
use crate::dialogue::{self, Heard, Record, Variables};
use crate::domain::{AttemptId, Token};
use crate::store::{DialogueTurn, Held};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Instant;

const TEXT_BYTES_MAX: usize = 8 * 1024;
/// What a request is declared to cost while the clock is scaled.
const NOMINAL_MS: &str = "app;dur=1";

/// Says what a request cost us, so that a session's own clock can count it.
///
/// With a scaled clock real durations mean nothing to a session whose pauses are compressed, and under
/// load they would differ from run to run: the nominal cost is declared instead.
pub(super) async fn server_timing(State(web): State<Arc<Web>>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let mut response = next.run(request).await;
    let value = if web.clock.speed() == 1.0 {
        let ms = began.elapsed().as_secs_f64() * 1000.0;
        HeaderValue::from_str(&format!("app;dur={ms:.1}")).unwrap_or(HeaderValue::from_static(NOMINAL_MS))
    } else {
        HeaderValue::from_static(NOMINAL_MS)
    };
    response.headers_mut().insert(HeaderName::from_static("server-timing"), value);
    response
}

/// A JSON body of a session, whatever content type it claims.
pub(super) fn body_of<T: serde::de::DeserializeOwned>(
    body: Result<Bytes, axum::extract::rejection::BytesRejection>,
) -> Result<T, Problem> {
    let bytes = body.map_err(|e| Problem::unread(e.status(), e.body_text()))?;
    serde_json::from_slice(&bytes).map_err(|e| Problem::bad(format!("body: {e}")))
}

/// Unknown attempt 404, wrong token 401. Any token that the attempt ever had opens, so that late news
/// of an earlier session is heard, and judged by its session.
pub(super) async fn authorised(web: &Web, attempt: &str, headers: &HeaderMap) -> Result<(AttemptId, TokenOf), Problem> {
    let missing = || Problem::missing("this attempt does not exist");
    let attempt: AttemptId = attempt.parse().map_err(|_| missing())?;
    let tokens = web.store.tokens(attempt).await?.ok_or_else(missing)?;
    let presented = bearer(headers).ok_or_else(Problem::unauthorized)?;
    for token in &tokens {
        if same_secret(presented, &Token::event_token(token, &web.installation_key)) {
            return Ok((attempt, TokenOf::Event));
        }
    }
    if let Ok(grant) = presented.parse::<Token>()
        && tokens.contains(&grant.hash())
    {
        return Ok((attempt, TokenOf::Grant(grant.hash())));
    }
    Err(Problem::unauthorized())
}

/// Which of an attempt's secrets was presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenOf {
    Event,
    Grant(crate::domain::TokenHash),
}

/// A contact's variables, as the script may name them.
pub(super) fn variables(held: &Held) -> Variables {
    serde_json::from_str(&held.variables).unwrap_or_default()
}

#[derive(Deserialize)]
pub(super) struct Asked {
    call_id: String,
    #[serde(default)]
    turn: Option<i64>,
    #[serde(default)]
    text: Option<String>,
}

pub(super) async fn dialog(
    State(web): State<Arc<Web>>,
    headers: HeaderMap,
    body: Result<Bytes, axum::extract::rejection::BytesRejection>,
) -> Result<Json<Value>, Problem> {
    let asked: Asked = body_of(body)?;
    if asked.text.as_ref().is_some_and(|text| text.len() > TEXT_BYTES_MAX) {
        return Err(Problem::bad(format!("text: more than {TEXT_BYTES_MAX} bytes")));
    }
    let (attempt, token) = authorised(&web, &asked.call_id, &headers).await?;
    if token != TokenOf::Event {
        return Err(Problem::unauthorized());
    }
    let held = web.store.attempt(attempt).await?.ok_or_else(|| Problem::missing("this attempt does not exist"))?;
    let (turn, reply) = match asked.turn {
        _ if asked.text.is_none() => (0, web.store.dialogue(attempt, 0).await?),
        Some(turn) if turn < 1 => return Err(Problem::bad("turn: counts from 1")),
        Some(turn) => (turn, web.store.dialogue(attempt, turn).await?),
        None => {
            let (_, record) = web.store.dialogue(attempt, i64::MAX).await?;
            let turns = record.as_deref().map(read_record).transpose()?.map_or(0, |record| record.turns);
            let turn = i64::from(turns) + 1;
            (turn, web.store.dialogue(attempt, turn).await?)
        }
    };
    // Asking twice for the same turn gives the same answer.
    let (said, record) = reply;
    if let Some(said) = said {
        return Ok(Json(serde_json::from_str(&said).map_err(Problem::ours)?));
    }
    let record = match record {
        Some(record) => read_record(&record)?,
        None => Record::default(),
    };
    let script = web.script(held.campaign).await?;
    let rules = web.dialer.rules_at(held.campaign, held.facts.settings_version).await?;
    let zone = held.timezone.unwrap_or(rules.settings.timezone);
    let now = web.clock.now();
    let heard = match &asked.text {
        None => Heard::Opening,
        Some(text) => Heard::Text { text, now, zone },
    };
    let reply = dialogue::reply(&script, &variables(&held), &record, heard);
    let answer = json!({
        "reply_text": reply.reply_text,
        "end_session": reply.end_session,
        "goal": reply.goal,
        "answers": reply.answers,
        "callback_at": reply.callback_at.map(|at| at.to_string()),
        "opt_out": reply.opt_out,
    });
    // Before the answer is kept: a repeated turn gets the kept answer and nothing else.
    if reply.opt_out {
        let report = Report { opt_out: Some("asked in a call".into()), ..Report::default() };
        web.dialer.settle(attempt, report).await?;
    }
    let stands = web
        .store
        .put_dialogue(DialogueTurn {
            attempt,
            turn,
            text: asked.text.clone().unwrap_or_default(),
            reply: answer.to_string(),
            record: serde_json::to_string(&reply.record).map_err(Problem::ours)?,
            at: now,
        })
        .await?;
    Ok(Json(serde_json::from_str(&stands).map_err(Problem::ours)?))
}

fn read_record(text: &str) -> Result<Record, Problem> {
    serde_json::from_str(text).map_err(|e| Problem::ours(format!("stored dialogue: {e}")))
}
