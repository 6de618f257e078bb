//! One attempt: where it stands, everything that happened to it, and a word to hang up.

use super::{Problem, Web, media, talked};
use crate::dialer::HangUp;
use crate::domain::clearance::Gate;
use crate::domain::{AttemptId, CampaignId, ContactId, Outcome, PhoneNumber, RunId, Timestamp};
use crate::store::{EventRow, StartRow, Store, StoreError, Story, Turn};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::Stream;
use serde_json::{Map, Value, json};
use std::collections::{BTreeSet, VecDeque};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};

/// How often somebody who follows is looked for news (real time).
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// Nobody follows longer than this: whoever still wants to asks again.
const LOOKS_MAX: u32 = 5 * 3600;
const FOLLOWERS_MAX: usize = 64;
static FOLLOWERS: Semaphore = Semaphore::const_new(FOLLOWERS_MAX);

fn missing(id: &str) -> Problem {
    Problem::missing(format!("attempt `{id}` does not exist"))
}

fn attempt_id(id: &str) -> Result<AttemptId, Problem> {
    id.parse().map_err(|_| missing(id))
}

pub(super) async fn show(State(web): State<Arc<Web>>, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    told(&web.store, attempt_id(&id)?).await?.map(Json).ok_or_else(|| missing(&id))
}

/// 202 when the word was passed on: the attempt's events, not this answer, say what became of the call.
pub(super) async fn hang_up(
    State(web): State<Arc<Web>>,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let attempt = attempt_id(&id)?;
    let delivered = match web.dialer.hang_up(attempt).await? {
        HangUp::Unknown => return Err(missing(&id)),
        HangUp::Delivered => true,
        HangUp::Unanswered => false,
        refused => return Err(Problem::conflict(no_hang_up(&refused))),
    };
    Ok((StatusCode::ACCEPTED, Json(json!({ "attempt": attempt, "delivered": delivered }))))
}

/// Why a call cannot be hung up now.
pub fn no_hang_up(refused: &HangUp) -> String {
    match refused {
        HangUp::NotLive(state) => format!("the attempt is {state}, not live: there is no call to hang up"),
        HangUp::NoWayIn => {
            "there is no way into its session (the answer to its start is lost or not here yet): the call ends at its \
             limits"
                .to_owned()
        }
        HangUp::Unsafe(why) => format!("{why}: the call ends at its limits"),
        HangUp::Unknown | HangUp::Delivered | HangUp::Unanswered => String::new(),
    }
}

/// What happens to an attempt, as it happens; ends with it.
pub(super) async fn events(
    State(web): State<Arc<Web>>,
    Path(id): Path<String>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let attempt = attempt_id(&id)?;
    told(&web.store, attempt).await?.ok_or_else(|| missing(&id))?;
    let Ok(place) = FOLLOWERS.try_acquire() else {
        let said = format!("{FOLLOWERS_MAX} calls are followed already: ask for the attempt itself");
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "busy", said));
    };
    let follower = Follower { web, attempt, news: News::default(), waiting: VecDeque::new(), looks: 0, _place: place };
    let stream = futures::stream::unfold(follower, |mut follower| async move {
        let happened = follower.next().await?;
        let id = happened["id"].as_str().unwrap_or_default().to_owned();
        Some((Ok(Event::default().id(id).event("happened").data(happened.to_string())), follower))
    });
    Ok(Sse::new(stream).keep_alive(KeepAlive::default()))
}

struct Follower {
    web: Arc<Web>,
    attempt: AttemptId,
    news: News,
    waiting: VecDeque<Value>,
    looks: u32,
    _place: SemaphorePermit<'static>,
}

impl Follower {
    async fn next(&mut self) -> Option<Value> {
        loop {
            if let Some(happened) = self.waiting.pop_front() {
                return Some(happened);
            }
            if self.news.over || self.looks == LOOKS_MAX {
                return None;
            }
            if self.looks > 0 {
                tokio::select! {
                    () = self.web.stopping.cancelled() => return None,
                    () = tokio::time::sleep(LOOK_EVERY) => {}
                }
            }
            self.looks += 1;
            match told(&self.web.store, self.attempt).await {
                Ok(Some(told)) => self.waiting.extend(self.news.of(&told)),
                Ok(None) => return None,
                Err(cause) => {
                    tracing::error!("Attempt {} cannot be followed: {cause}", self.attempt);
                    return None;
                }
            }
        }
    }
}

/// What of a timeline was not told before.
#[derive(Default)]
pub struct News {
    seen: BTreeSet<String>,
    /// The end has been told.
    pub over: bool,
}

impl News {
    /// `told` is an attempt as [`told`] makes it.
    pub fn of(&mut self, told: &Value) -> Vec<Value> {
        let timeline = told["timeline"].as_array().map(Vec::as_slice).unwrap_or_default();
        timeline.iter().filter(|happened| self.is_new(happened)).cloned().collect()
    }

    /// Marks it as told.
    pub fn is_new(&mut self, happened: &Value) -> bool {
        self.over |= happened["what"] == "ended";
        self.seen.insert(happened["id"].as_str().unwrap_or_default().to_owned())
    }
}

/// An attempt with its timeline, as the API shows it: the number masked, the way into its session absent.
pub async fn told(store: &Store, attempt: AttemptId) -> Result<Option<Value>, StoreError> {
    let Some(story) = store.story(attempt).await? else { return Ok(None) };
    let starts = store.starts(attempt).await?;
    let events = store.events(attempt).await?;
    let turns = store.turns(attempt).await?;
    let streams = store.media_streams(&[attempt.0]).await?;
    let dialogue = store.talked(&[attempt.0]).await?;
    let events: Vec<(EventRow, Value)> = events
        .into_iter()
        .map(|row| {
            let body = serde_json::from_str(&row.body).unwrap_or_else(|_| Value::String(row.body.clone()));
            (row, body)
        })
        .collect();
    // Seconds and amounts as the provider bills them; audio and log are passed on by routes of their own.
    let history = store.known_history(attempt).await?.map(|known| {
        let costs: Value = known.costs.and_then(|costs| serde_json::from_str(&costs).ok()).unwrap_or_default();
        json!({ "finish_reason": known.finish_reason, "session_s": known.session_s, "talk_s": known.talk_s,
                "code": known.code, "reason": known.reason, "cost_micros": known.cost_micros, "costs_micros": costs,
                "fetched_at": known.fetched_at, "recordings": known.records.len(), "log": known.log_url.is_some() })
    });
    let number: PhoneNumber = story.e164.parse().map_err(|e| StoreError::row("numbers", "e164", e))?;
    let outcome: Option<Outcome> = story
        .outcome
        .as_deref()
        .map(|text| text.parse().map_err(|e| StoreError::row("attempts", "outcome", e)))
        .transpose()?;
    let mut timeline = timeline(&story, &starts, &events, &turns, outcome);
    // Every turn of ours is told once: beside the session's own, or, where that was not told yet, in the list below.
    talked::beside(&mut timeline, &dialogue);
    let told_events: Vec<Value> = events
        .iter()
        .map(|(e, body)| {
            json!({ "session_id": e.session_id, "seq": e.seq, "event": e.event, "at_ms": e.at_ms,
                    "received_at": e.received_at, "body": body })
        })
        .collect();
    Ok(Some(json!({
        "id": attempt, "kind": story.run_kind, "run": RunId(story.run_id), "campaign": CampaignId(story.campaign_id),
        "contact": ContactId(story.contact_id), "number": number.masked(), "mode": story.mode,
        "try": story.try_number, "state": story.state, "outcome": outcome, "fault": outcome.map(Outcome::fault),
        "evidence": story.evidence, "planned_at": story.planned_at, "slot_at": story.slot_us / 1000,
        "dialed_at": story.dialed_at, "held_until": story.held_until, "ended_at": story.ended_at,
        "callback_at": story.callback_at,
        "session_id": story.session_id, "told": story.told, "caller_id": story.caller_id,
        "run_state": story.run_state, "run_reason": story.run_reason, "call": call(&story),
        "history": history, "timeline": timeline, "events": told_events, "turns": turns,
        "dialogue": dialogue.iter().map(talked::turn).collect::<Vec<_>>(), "verdict": media::verdict(&streams).unwrap_or_else(|| talked::verdict(&dialogue)),
        "streams": streams.iter().map(media::shown).collect::<Vec<_>>(),
    })))
}

/// In session milliseconds; null until somebody has told of it.
fn call(story: &Story) -> Value {
    if story.source.is_none() {
        return Value::Null;
    }
    json!({
        "source": story.source, "code": story.code, "reason": story.reason, "hung_up_by": story.hung_up_by,
        "goal": story.goal.map(|goal| goal == 1), "answers": answers(story), "fault": story.fault,
        "machine": story.machine == Some(1), "answer_ms": story.answer_ms, "ring_ms": story.ring_ms,
        "first_audio_ms": story.first_audio_ms, "first_audio_method": story.first_audio_method,
        "talk_ms": story.talk_ms, "cost_micros": story.cost_micros,
    })
}

fn answers(story: &Story) -> Option<Value> {
    story.answers.as_deref().and_then(|text| serde_json::from_str(text).ok())
}

/// One happening. Its `id` is the same however often the timeline is made.
fn happened(id: String, what: &str, at: Option<i64>, at_ms: Option<i64>, more: Value) -> Value {
    let mut fields = Map::from_iter([("id".to_owned(), json!(id)), ("what".to_owned(), json!(what))]);
    fields.insert("at".into(), json!(at.map(|at| Timestamp(at).to_string())));
    fields.insert("at_ms".into(), json!(at_ms));
    if let Value::Object(more) = more {
        fields.extend(more);
    }
    Value::Object(fields)
}

/// What happened, in order: by our clock until the session runs, then by the session's.
fn timeline(
    story: &Story,
    starts: &[StartRow],
    events: &[(EventRow, Value)],
    turns: &[Turn],
    outcome: Option<Outcome>,
) -> Vec<Value> {
    let mut all =
        vec![happened("planned".into(), "planned", Some(story.planned_at), None, json!({ "mode": story.mode }))];
    for (nth, start) in starts.iter().enumerate() {
        all.push(happened(format!("starting:{nth}"), "starting", Some(start.claimed_at), None, json!({})));
        let result = start.result.as_deref().unwrap_or_default();
        if matches!(result, "refused" | "unclear") {
            all.push(happened(format!("start:{nth}:{result}"), result, start.answered_at, None, json!({})));
        }
    }
    if let (Some(at), Some(session)) = (story.dialed_at, story.session_id) {
        let more = json!({ "session_id": session, "told": story.told });
        all.push(happened(format!("granted:{session}:{at}"), "granted", Some(at), None, more));
    }
    let mut in_session: Vec<Value> = events.iter().filter_map(|(row, body)| of_event(row, body)).collect();
    in_session.extend(turns.iter().map(of_turn));
    in_session.sort_by_key(|happened| happened["at_ms"].as_i64());
    all.extend(in_session);
    all.extend(held(story));
    if let Some(outcome) = outcome {
        all.push(ended(story, outcome, events));
    }
    all
}

/// Ends and turns are told from their own rows.
fn of_event(row: &EventRow, body: &Value) -> Option<Value> {
    let (what, more) = match row.event.as_str() {
        "Ringing" => ("ringing", json!({})),
        "Connected" => ("connected", json!({})),
        "Machine" => ("machine", json!({ "result": body["result"] })),
        "OptOut" => ("opt_out", json!({ "text": body["text"] })),
        "NotDialled" => ("not_dialled", json!({ "reason": body["reason"] })),
        _ => return None,
    };
    Some(happened(format!("event:{}:{}", row.session_id, row.seq), what, Some(row.received_at), row.at_ms, more))
}

fn of_turn(turn: &Turn) -> Value {
    let more = json!({
        "turn": turn.turn, "callee_text": turn.callee_text, "agent_text": turn.agent_text, "turn_ms": turn.turn_ms,
        "method": turn.method, "interrupted": turn.interrupted,
    });
    let at_ms = turn.agent_start_ms.or(turn.callee_end_ms);
    happened(format!("turn:{}", turn.turn), "turn", None, at_ms, more)
}

/// What holds a planned attempt back, and until when.
fn held(story: &Story) -> Option<Value> {
    if story.state != "planned" {
        return None;
    }
    if story.run_state == "paused" {
        let reason = story.run_reason.as_deref().unwrap_or(Gate::Paused.sentence());
        let more = json!({ "gate": Gate::Paused.as_str(), "reason": reason, "until": null });
        return Some(happened(format!("held:paused:{reason}"), "held", None, None, more));
    }
    let gate: Gate = story.gate.as_deref()?.parse().ok()?;
    let until = Timestamp(story.due_at?);
    let more = json!({ "gate": gate.as_str(), "reason": gate.sentence(), "until": until.to_string() });
    Some(happened(format!("held:{gate}:{}", until.0), "held", None, None, more))
}

fn ended(story: &Story, outcome: Outcome, events: &[(EventRow, Value)]) -> Value {
    let last = events.iter().rev().find(|(row, _)| matches!(row.event.as_str(), "Disconnected" | "Failed"));
    let withdrawn = story.run_reason.as_ref().filter(|_| story.run_state == "stopped" && !outcome.is_dialled());
    let more = json!({
        "outcome": outcome, "fault": outcome.fault(), "evidence": story.evidence, "code": story.code,
        "reason": story.reason.as_ref().or(withdrawn), "hung_up_by": story.hung_up_by,
        "goal": story.goal.map(|goal| goal == 1), "answers": answers(story), "talk_ms": story.talk_ms,
        "broke": story.fault,
    });
    happened(format!("ended:{outcome}"), "ended", story.ended_at, last.and_then(|(row, _)| row.at_ms), more)
}
