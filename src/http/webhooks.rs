//! What running sessions ask and tell.

use super::access::{bearer, same_secret};
use super::body::Object;
use super::callers::{Known, caller, in_call};
use super::media;
use super::voice::{TokenOf, body_of, variables};
use super::{Problem, Web, bundles};
use crate::dialer::{Grant, GrantRequest, News, Report, Settled};
use crate::dialogue::model::Exchange;
use crate::dialogue::{self, Manner, Script, optout};
use crate::domain::{AttemptId, Outcome, PhoneNumber, Route, SessionId, Token};
use crate::store::{Call, Heard, Turn};
use crate::voximplant::callback::{self, What};
use crate::{fail, measures};
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use tracing::{info, warn};

type Body = Result<Bytes, BytesRejection>;

/// The one detector's settings, the same in every mode: the ruler must not differ.
pub(super) const VAD_THRESHOLD: f64 = 0.5;
pub(super) const VAD_MIN_SILENCE_MS: u32 = 300;

#[derive(Deserialize)]
struct GrantBody {
    a: String,
    t: String,
    session_id: Number,
}

/// A session's id is larger than 32 bits: some send it as text.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Number {
    Number(i64),
    Text(String),
}

impl Number {
    fn session(&self) -> Result<SessionId, Problem> {
        let id = match self {
            Number::Number(id) => Some(*id),
            Number::Text(text) => text.parse().ok(),
        };
        id.filter(|id| *id > 0).map(SessionId).ok_or_else(|| Problem::bad("session_id: is not a session's number"))
    }
}

/// Permission to dial, once. Unknown attempt 404; the current token from another session 409; anything
/// else 410: a scenario without a grant never dials.
pub(super) async fn grant(State(web): State<Arc<Web>>, body: Body) -> Result<Json<Value>, Problem> {
    let Object(body): Object<GrantBody> = body_of(body)?;
    fail::point("grant.asked");
    let session = body.session_id.session()?;
    let missing = || Problem::missing("this attempt does not exist");
    let attempt: AttemptId = body.a.parse().map_err(|_| missing())?;
    let gone = || Problem::new(StatusCode::GONE, "gone", "no call is to be made with this token");
    let token: Token = body.t.parse().map_err(|_| gone())?;
    let mut held = web.dialer.claimed(attempt).await?.ok_or_else(missing)?;
    let script = web.script(held.campaign).await?;
    let variables = variables(&held);
    let manner = Manner::of(&held.mode, web.voice.dialog_url.is_some());
    let told = dialogue::told(&script, manner, &variables).by(&bundles::models(&web, manner));
    let (granted, rules, told) = loop {
        let rules = web.dialer.rules_at(held.campaign, held.facts.settings_version).await?;
        let told = told.clone().handled(&rules.settings.dial);
        let request = GrantRequest { attempt, token: token.clone(), session, told: told.fingerprint.clone() };
        match web.dialer.grant_to(&held, request).await? {
            Grant::Go(granted) => break (granted, rules, told),
            Grant::Outdated => held = web.store.attempt(attempt).await?.ok_or_else(missing)?,
            Grant::Unknown => return Err(missing()),
            Grant::Taken => {
                return Err(Problem::new(StatusCode::CONFLICT, "taken", "another session holds this grant"));
            }
            Grant::Gone => return Err(gone()),
        }
    };
    // Settings may have changed since the line was reserved: the call fits into what is held.
    let dial = &rules.settings.dial;
    let ring_s = i64::from(dial.ring_s).min(granted.lasts_s - 1);
    fail::point("grant.decided");
    fail::after("grant.answered");
    let base = &web.voice.backend_url;
    let event_token = Token::event_token(&granted.token, &web.installation_key);
    let known = Known {
        campaign: held.campaign,
        event_token: event_token.clone(),
        variables: Arc::new(variables.clone()),
        manner,
        zone: held.timezone.unwrap_or(rules.settings.timezone),
    };
    web.callers.know(attempt, known);
    bundles::note(&web, &held, &script, manner, dial);
    Ok(Json(json!({
        "call_id": attempt,
        "granted_ms_ago": granted.granted_ms_ago,
        "to": granted.order.to().as_str(),
        "caller_id": granted.order.caller_id().map(PhoneNumber::as_str),
        "mode": held.mode,
        "event_url": format!("{base}/voximplant/events"),
        "event_token": event_token,
        "dialog_url": web.voice.dialog_url,
        "stream_url": stream_url(&web, manner),
        "language": told.language,
        "voice": told.voice,
        "first_phrase": told.first_phrase,
        "instructions": told.instructions,
        "tools": told.tools,
        "model": web.voice.openai_realtime_model,
        "openai_base_url": web.voice.openai_base_url,
        "media_url": web.voice.media.is_some().then(|| media::address(base, attempt)),
        "vad": { "threshold": VAD_THRESHOLD, "min_silence_ms": VAD_MIN_SILENCE_MS },
        "amd": rules.settings.dial.amd.as_str(),
        "record": rules.settings.dial.record,
        "record_notice": dialogue::prompts::notice(&script, &variables).filter(|_| rules.settings.dial.record),
        "route": web.voice.routes.get(&held.mode).unwrap_or(&Route::Pstn).to(granted.order.to()),
        "ring_s": ring_s,
        "call_s": i64::from(dial.call_s).min(granted.lasts_s - ring_s).max(1),
        "variables": variables,
    })))
}

/// Where a model answers, its first sentence need not wait for its last. With a scaled clock nothing is streamed: a
/// session's time stands still only while a request is out.
fn stream_url(web: &Web, manner: Manner) -> Option<String> {
    let url = web.voice.dialog_url.as_ref().filter(|_| web.model.is_some() && manner == Manner::Backend)?;
    let base = url.strip_suffix("/voice/dialog").filter(|_| web.clock.speed() == 1.0)?;
    Some(format!("{}/voice/stream", base.replacen("http", "ws", 1)))
}

/// An event of a session, answered 200 after the commit; a copy of it changes nothing.
pub(super) async fn events(
    State(web): State<Arc<Web>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Value>, Problem> {
    let raw: Value = body_of(body)?;
    fail::point("event.asked");
    let parsed = callback::parse(&raw).map_err(|cause| Problem::bad(cause.to_string()))?;
    let caller = caller(&web, &parsed.call_id, &headers).await?;
    let attempt = caller.attempt;
    // The grant's token authorises one thing only: that nobody was dialled.
    let by_grant = match caller.token {
        TokenOf::Event => None,
        TokenOf::Grant(hash) if matches!(parsed.what, What::NotDialled) => Some(hash),
        TokenOf::Grant(_) => return Err(Problem::unauthorized()),
    };
    // The plain events of older scenarios name no session: they speak of the granted one.
    let session = match parsed.session {
        Some(session) => session,
        None => {
            let held = web.store.attempt(attempt).await?;
            let granted = held.and_then(|held| held.session);
            granted.ok_or_else(|| Problem::conflict("this attempt was not granted"))?
        }
    };
    let script = web.script(caller.campaign).await?;
    let asks = |text: Option<&String>| text.is_some_and(|text| optout::asks_never_again(text, &script));
    let opts_out = parsed.opts_out
        || asks(parsed.last_words.as_ref())
        || parsed.turns.iter().any(|t| asks(t.callee_text.as_ref()));
    let mut parsed = parsed;
    tell_untold(&web, &headers, &script, &mut parsed).await?;
    let stream = parsed.call.as_ref().and_then(|call| media::in_session(&web, attempt, call));
    let report = Report {
        heard: Some(Heard {
            session,
            seq: parsed.seq,
            event: parsed.event.clone(),
            at_ms: parsed.at_ms,
            body: callback::kept(raw).to_string(),
        }),
        news: match parsed.what {
            What::Underway | What::OptOut => News::Underway,
            What::NotDialled => News::NotDialled { by: session, token: by_grant },
            What::Finished(outcome) => News::Finished { by: session, outcome, evidence: "event" },
        },
        opt_out: opts_out.then(|| "asked in a call".to_owned()),
        callback_at: parsed.callback_at(),
        call: parsed.call.map(|call| {
            let answers =
                call.answers.as_ref().and_then(Value::as_object).map(|given| declared(attempt, &script, given));
            Call { session: session.0, answers, ..call_row(call) }
        }),
        turns: parsed.turns.into_iter().map(turn_row).collect(),
        stream,
    };
    let event = parsed.event;
    let settled = web.dialer.settle(attempt, report).await?;
    fail::point("event.settled");
    measures::event(&event);
    fail::after("event.answered");
    info!(attempt.id = %attempt, event = %event, "Webhook received: {event} of attempt {attempt}");
    match settled {
        Settled::Unknown => Err(Problem::missing("this attempt does not exist")),
        Settled::Again => Ok(Json(json!({ "status": "ok", "duplicate": true }))),
        Settled::Noted | Settled::Moved => Ok(Json(json!({ "status": "ok" }))),
    }
}

/// A model that leads the talk tells goal and answers when it ends the call. Where the callee hung up first, or the call broke
/// off, they are found in what was said: our own side, in the modes in which it leads, has them at that moment too.
async fn tell_untold(
    web: &Arc<Web>,
    headers: &HeaderMap,
    script: &Script,
    parsed: &mut callback::Parsed,
) -> Result<(), Problem> {
    let Some(call) = &mut parsed.call else { return Ok(()) };
    let told = call.goal.is_some() || call.answers.as_ref().and_then(Value::as_object).is_some_and(|it| !it.is_empty());
    // A free prompt has no phases to go by.
    let free = script.prompt.as_ref().is_some_and(|prompt| !prompt.scripted);
    if told || free || call.machine || parsed.turns.is_empty() || parsed.what != What::Finished(Outcome::Answered) {
        return Ok(());
    }
    let (_, known) = in_call(web, &parsed.call_id, headers).await?;
    if known.manner == Manner::Own {
        let exchange = |turn: &callback::Turn| Exchange {
            heard: turn.callee_text.clone(),
            said: turn.agent_text.clone().unwrap_or_default(),
        };
        let transcript: Vec<Exchange> = parsed.turns.iter().map(exchange).collect();
        let (goal, answers) = dialogue::judge::untold(script, &known.variables, &transcript);
        (call.goal, call.answers) = (Some(goal), Some(Value::Object(answers)));
    }
    Ok(())
}

/// The answers as they are kept. A value of another shape stays in the stored event alone.
fn declared(attempt: AttemptId, script: &Script, given: &Map<String, Value>) -> String {
    let (kept, strange) = dialogue::answers::told(script, given);
    if !strange.is_empty() {
        warn!(attempt.id = %attempt, "Answers of attempt {attempt} have another shape than declared: {}", strange.join(", "));
    }
    Value::Object(kept).to_string()
}

fn call_row(call: callback::Call) -> Call {
    Call {
        session: 0,
        source: "event",
        code: call.code,
        reason: call.reason,
        hung_up_by: call.hung_up_by,
        goal: call.goal,
        answers: None,
        fault: call.fault,
        machine: call.machine,
        answer_ms: call.answer_ms,
        ring_ms: call.ring_ms,
        first_audio_ms: call.first_audio_ms,
        first_audio_method: call.first_audio_method,
        talk_ms: call.talk_ms,
        cost_micros: call.cost_micros,
        recorded: call.recorded,
    }
}

fn turn_row(turn: callback::Turn) -> Turn {
    Turn {
        turn: turn.n,
        callee_text: turn.callee_text,
        agent_text: turn.agent_text,
        callee_end_ms: turn.callee_end_ms,
        agent_start_ms: turn.agent_start_ms,
        turn_ms: turn.turn_ms,
        method: turn.method,
        asr_ms: turn.asr_ms,
        reply_ms: turn.reply_ms,
        model_ms: turn.model_ms,
        tts_ms: turn.tts_ms,
        filler: turn.filler,
        content_ms: turn.content_ms,
        interrupted: turn.interrupted,
    }
}

#[derive(Deserialize)]
struct Inbound {
    #[serde(rename = "session_id")]
    _session_id: Number,
    from: String,
    event: String,
}

/// People ring back: who called is told, and may ask never to be called again.
pub(super) async fn inbound(
    State(web): State<Arc<Web>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Value>, Problem> {
    let Object(inbound): Object<Inbound> = body_of(body)?;
    if !bearer(&headers).is_some_and(|token| same_secret(token, &web.inbound_token)) {
        return Err(Problem::unauthorized());
    }
    let digits: String = inbound.from.chars().filter(char::is_ascii_digit).collect();
    let number: PhoneNumber =
        format!("+{digits}").parse().map_err(|_| Problem::bad("from: is not an international number"))?;
    match inbound.event.as_str() {
        "Rang" => {}
        "OptOut" => drop(web.store.opt_out(number, "asked when ringing back", web.clock.now()).await?),
        other => return Err(Problem::bad(format!("event: `{other}` is neither Rang nor OptOut"))),
    }
    Ok(Json(json!({ "status": "ok" })))
}
