//! A run as it goes on: who is called now, how calls came, who waits until when; once, or as a stream.

use super::address::encoded;
use super::campaigns::{Linked, linked};
use super::{Problem, Web, people, runs};
use crate::domain::{AttemptId, CampaignId, PhoneNumber, RunId, Timestamp};
use crate::store::people::{Call, Overview};
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::Stream;
use serde::Deserialize;
use serde_json::{Value, json};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};

/// Calls under way that are told one by one.
const CALLS_MAX: i64 = 50;
/// Ended calls that are told one by one.
const NEWEST_MAX: i64 = 200;
const NEWEST: i64 = 20;
/// Spans of the past and of the future.
const SPANS: i64 = 30;
const MINUTE_MS: i64 = 60_000;
/// How often somebody who follows is told, when there is news (real time).
const TOLD_EVERY: Duration = Duration::from_secs(1);
/// Nobody follows longer than this: whoever still wants to asks again.
const LOOKS_MAX: u32 = 6 * 3600;
const FOLLOWERS_MAX: usize = 64;
static FOLLOWERS: Semaphore = Semaphore::const_new(FOLLOWERS_MAX);
const CAMPAIGNS_MAX: i64 = 200;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;
/// What the spans of the future may be, in minutes: the shortest that reaches the last who waits.
const SPAN_MINUTES: [i64; 7] = [1, 2, 5, 15, 60, 240, 1440];

/// What a call is at, in a word.
fn stage(call: &Call) -> &'static str {
    match (call.state.as_str(), call.event.as_deref()) {
        ("dialing", _) => "starting",
        (_, None) => "dialling",
        (_, Some("Ringing")) => "ringing",
        (_, Some(_)) => "talking",
    }
}

fn call(call: &Call) -> Value {
    let number = call.e164.parse::<PhoneNumber>().map(|number| number.masked()).unwrap_or_default();
    json!({
        "attempt": AttemptId(call.attempt_id), "number": number, "name": call.name, "mode": call.mode,
        "try": call.try_number, "stage": stage(call), "turns": call.turns,
        "since": call.dialed_at.or(call.claimed_at),
    })
}

/// Everything that a person who watches wants to see at once.
pub(super) async fn told(web: &Web, run: RunId) -> Result<Value, Problem> {
    let row = web.store.run(run).await?;
    let now = web.clock.now();
    // Bars that stand still: spans begin at whole minutes, and end with the run.
    let until = row.ended_at.unwrap_or(now);
    let from = Timestamp((until.0.div_euclid(MINUTE_MS) - SPANS + 1) * MINUTE_MS);
    let calls: Vec<Value> = web.store.live_calls(run, CALLS_MAX).await?.iter().map(call).collect();
    let past = web.store.calls_by_span(run, from, MINUTE_MS).await?;
    let mut ahead = (MINUTE_MS, Vec::new());
    for minutes in SPAN_MINUTES {
        ahead = (minutes * MINUTE_MS, web.store.waits_by_span(run, now, minutes * MINUTE_MS).await?);
        if ahead.1.iter().all(|wait| wait.span < SPANS) {
            break;
        }
    }
    let newest: Vec<Value> = web.store.newest_calls(run, None, None, NEWEST).await?.iter().map(people::tried).collect();
    let outcomes = web.store.outcomes_by_mode(run).await?;
    let campaign = web.store.campaign(row.campaign).await?.map(|campaign| campaign.name);
    let mut told = serde_json::to_value(runs::view(web, row).await?).map_err(Problem::ours)?;
    told["now"] = json!(now);
    told["campaign_name"] = json!(campaign);
    told["calls"] = json!(calls);
    told["newest"] = json!(newest);
    told["outcomes_by_mode"] = json!(outcomes);
    told["past"] = json!({ "from": from, "span_ms": MINUTE_MS, "spans": SPANS, "calls": past });
    told["ahead"] = json!({ "from": now, "span_ms": ahead.0, "spans": SPANS, "waits": ahead.1 });
    Ok(told)
}

pub(super) async fn show(State(web): State<Arc<Web>>, Path(run): Path<String>) -> Result<Json<Value>, Problem> {
    told(&web, runs::run_id(&run)?).await.map(Json)
}

struct Follower {
    web: Arc<Web>,
    run: RunId,
    last: String,
    looks: u32,
    over: bool,
    _place: SemaphorePermit<'static>,
}

impl Follower {
    async fn next(&mut self) -> Option<Event> {
        while !self.over && self.looks < LOOKS_MAX {
            if self.looks > 0 {
                tokio::select! {
                    () = self.web.stopping.cancelled() => return None,
                    () = tokio::time::sleep(TOLD_EVERY) => {}
                }
            }
            self.looks += 1;
            let told = match told(&self.web, self.run).await {
                Ok(told) => told,
                Err(cause) => {
                    tracing::error!("Run {} cannot be followed: {}", self.run, cause.detail);
                    return None;
                }
            };
            self.over = matches!(told["state"].as_str(), Some("completed" | "stopped"));
            let text = told.to_string();
            if text != self.last {
                self.last.clone_from(&text);
                return Some(Event::default().event("run").data(text));
            }
        }
        None
    }
}

/// The run each second, while it is open; ends with it.
pub(super) async fn events(
    State(web): State<Arc<Web>>,
    Path(run): Path<String>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let run = runs::run_id(&run)?;
    web.store.run(run).await?;
    let Ok(place) = FOLLOWERS.try_acquire() else {
        let said = format!("{FOLLOWERS_MAX} runs are followed already: ask for the run itself");
        return Err(Problem::new(axum::http::StatusCode::SERVICE_UNAVAILABLE, "busy", said));
    };
    let follower = Follower { web, run, last: String::new(), looks: 0, over: false, _place: place };
    let stream = futures::stream::unfold(follower, |mut follower| async move {
        let event = follower.next().await?;
        Some((Ok(event), follower))
    });
    Ok(Sse::new(stream).keep_alive(KeepAlive::default()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Newest {
    outcome: Option<String>,
    after: Option<String>,
    limit: Option<i64>,
}

/// Ended calls of the run, the newest first, a page at a time. What ends meanwhile stands before the first page.
pub(super) async fn newest(
    State(web): State<Arc<Web>>,
    Path(run): Path<String>,
    Query(asked): Query<Newest>,
) -> Result<Linked<Value>, Problem> {
    let run = runs::run_id(&run)?;
    web.store.run(run).await?;
    let limit = asked.limit.unwrap_or(NEWEST).clamp(1, NEWEST_MAX);
    let behind = asked.after.as_deref().map(str::parse::<AttemptId>).transpose();
    let behind = behind.map_err(|cause| Problem::bad(format!("after: {cause}")))?;
    let outcome = asked.outcome.as_deref();
    let rows = web.store.newest_calls(run, outcome, behind, limit).await?;
    let last = rows.last().filter(|_| rows.len() as i64 == limit);
    let next = last.map(|row| AttemptId(row.attempt_id));
    let address = match outcome {
        None => format!("/api/v1/runs/{run}/attempts"),
        Some(outcome) => format!("/api/v1/runs/{run}/attempts?outcome={}", encoded(outcome)),
    };
    let items: Vec<Value> = rows.iter().map(people::tried).collect();
    Ok(linked(&address, next, limit, json!({ "items": items, "next": next })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Page {
    after: Option<String>,
    limit: Option<i64>,
}

fn overview_row(row: &Overview, now: Timestamp) -> Value {
    let run = row.run_id.map(|run| {
        json!({
            "id": RunId(run), "ordinal": row.ordinal,
            "state": match (row.state.as_deref(), row.draining_at) {
                (Some("running"), Some(_)) => Some("draining"),
                (Some("running"), None) if row.starts_at.is_some_and(|at| at > now.0) => Some("scheduled"),
                (state, _) => state,
            },
            "reason": row.state_reason, "started_at": row.started_at, "changed_at": row.changed_at,
            "ended_at": row.ended_at, "starts_at": row.starts_at, "contacts": row.taken, "rested": row.rested,
            "answered": row.answered, "live": row.live,
        })
    });
    json!({
        "id": CampaignId(row.campaign_id), "name": row.name, "created_at": row.created_at, "contacts": row.contacts,
        "runs": row.runs, "calls_24h": row.called, "next_at": row.next_at, "run": run,
    })
}

/// `GET /overview`: campaigns with their newest run, the newest first; calls of the last 24 hours (program time).
pub(super) async fn overview(State(web): State<Arc<Web>>, Query(page): Query<Page>) -> Result<Linked<Value>, Problem> {
    let limit = page.limit.unwrap_or(50).clamp(1, CAMPAIGNS_MAX);
    let before = match &page.after {
        Some(text) => text.parse().map_err(|_| Problem::bad("after: is not the `next` of a page"))?,
        None => CampaignId(i64::MAX),
    };
    let now = web.clock.now();
    let rows = web.store.overview(now.plus_ms(-DAY_MS), before, limit).await?;
    let last = rows.last().filter(|_| rows.len() as i64 == limit);
    let next = last.map(|row| CampaignId(row.campaign_id));
    let items: Vec<Value> = rows.iter().map(|row| overview_row(row, now)).collect();
    Ok(linked("/api/v1/overview", next, limit, json!({ "items": items, "next": next, "now": now })))
}
