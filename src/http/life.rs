//! What an operator does to runs: begin, pause, resume, drain, stop, and all of them at once.
//!
//! Every request may say who asks and why (`by`, `reason`); both stand in the history of the run.

use super::body::Object;
use super::rerun::OnlyBody;
use super::{Problem, Web, access};
use crate::dialer::hindrance;
use crate::domain::clearance::open_at;
use crate::domain::settings::Purpose;
use crate::domain::{RunId, Timestamp};
use crate::store::{Actor, Beginning, By, Campaign, HoldRow, Only, RunState, Transition};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;

const NAME_CHARS_MAX: usize = 200;
const REASON_CHARS_MAX: usize = 1000;
/// Contacts after which a run may hold.
pub const HOLD_AFTER_MAX: u32 = 10_000_000;

/// No body at all is an order without words.
pub(super) fn said<T: DeserializeOwned + Default>(body: &Bytes) -> Result<T, Problem> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(T::default());
    }
    let said = serde_json::from_slice::<Object<T>>(body);
    said.map(|Object(said)| said).map_err(|cause| Problem::bad(format!("the body: {cause}")))
}

fn short(key: &str, text: Option<String>, chars_max: usize) -> Result<Option<String>, Problem> {
    let text = text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    match text.as_ref().map(|text| text.chars().count()) {
        Some(chars) if chars > chars_max => Err(Problem::bad(format!("{key}: longer than {chars_max} characters"))),
        _ => Ok(text),
    }
}

/// Who asks, and why.
pub(super) fn by(name: Option<String>, reason: Option<String>, otherwise: Option<&str>) -> Result<By, Problem> {
    let reason = short("reason", reason, REASON_CHARS_MAX)?.or(otherwise.map(str::to_owned));
    let name = short("by", name, NAME_CHARS_MAX)?;
    let audit = access::line().map(|line| Box::new(line.saying(json!({ "by": name, "reason": reason }))));
    Ok(By { actor: Actor::Api, name, reason, audit })
}

fn hold(after: Option<u32>) -> Result<Option<u32>, Problem> {
    match after {
        Some(after) if !(1..=HOLD_AFTER_MAX).contains(&after) => {
            Err(Problem::bad(format!("hold_after: write a whole number from 1 to {HOLD_AFTER_MAX}")))
        }
        after => Ok(after),
    }
}

/// How somebody wants a run to begin.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Start {
    by: Option<String>,
    reason: Option<String>,
    /// RFC 3339; nobody is dialled before.
    starts_at: Option<String>,
    hold_after: Option<u32>,
    /// Only those who came to rest so in an earlier run.
    only: Option<Object<OnlyBody>>,
}

impl Start {
    pub(super) fn beginning(self, now: Timestamp) -> Result<(Beginning, Option<Only>), Problem> {
        let starts_at = match self.starts_at.as_deref().map(chrono::DateTime::parse_from_rfc3339) {
            None => None,
            Some(Ok(at)) => Some(Timestamp(at.timestamp_millis())).filter(|at| *at > now),
            Some(Err(_)) => return Err(Problem::bad("starts_at: write an instant such as 2026-11-21T23:30:00Z")),
        };
        let only = self.only.map(|Object(only)| only.only()).transpose()?;
        Ok((Beginning { by: by(self.by, self.reason, None)?, starts_at, hold_after: hold(self.hold_after)? }, only))
    }
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Said {
    by: Option<String>,
    reason: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Resume {
    by: Option<String>,
    reason: Option<String>,
    hold_after: Option<u32>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Stop {
    by: Option<String>,
    reason: Option<String>,
    hang_up: bool,
}

/// What stands beside a run's progress.
#[derive(Serialize)]
pub(super) struct LifeView {
    hold: Option<HoldRow>,
    history: Vec<Transition>,
}

pub(super) async fn life(web: &Web, run: RunId) -> Result<LifeView, Problem> {
    Ok(LifeView { hold: web.store.hold(run).await?, history: web.store.run_history(run).await? })
}

/// The run as it stands now, and how many of its calls are live.
async fn told(web: &Web, run: RunId, more: Value) -> Result<Json<Value>, Problem> {
    let view = super::runs::view(web, web.store.run(run).await?).await?;
    let mut told = serde_json::to_value(&view).map_err(Problem::ours)?;
    told["live"] = told["progress"]["live"].clone();
    if let (Value::Object(told), Value::Object(more)) = (&mut told, more) {
        told.extend(more);
    }
    Ok(Json(told))
}

async fn over(web: &Web, run: RunId) -> Result<Problem, Problem> {
    Ok(Problem::conflict(format!("run {run} is {} already", web.store.run(run).await?.shown.as_str())))
}

/// The run stands so from now on, unless it was over before.
async fn moved(web: &Web, run: RunId, to: RunState, by: By, hold_after: Option<u32>) -> Result<Json<Value>, Problem> {
    if !web.store.change_run(run, to, by, hold_after, web.clock.now()).await? {
        return Err(over(web, run).await?);
    }
    told(web, run, json!({})).await
}

pub(super) async fn pause(
    State(web): State<Arc<Web>>,
    Path(run): Path<String>,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let (run, asked): (_, Said) = (super::runs::run_id(&run)?, said(&body)?);
    web.store.run(run).await?;
    moved(&web, run, RunState::Paused, by(asked.by, asked.reason, Some("paused by an operator"))?, None).await
}

pub(super) async fn resume(
    State(web): State<Arc<Web>>,
    Path(run): Path<String>,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let (run, asked): (_, Resume) = (super::runs::run_id(&run)?, said(&body)?);
    let known = web.store.run(run).await?;
    if known.account != web.dialer.account {
        return Err(Problem::conflict(format!("the run belongs to another platform ({})", known.platform)));
    }
    let hold_after = hold(asked.hold_after)?;
    moved(&web, run, RunState::Running, by(asked.by, asked.reason, None)?, hold_after).await
}

pub(super) async fn drain(
    State(web): State<Arc<Web>>,
    Path(run): Path<String>,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let (run, asked): (_, Said) = (super::runs::run_id(&run)?, said(&body)?);
    web.store.run(run).await?;
    let by = by(asked.by, asked.reason, Some("drained by an operator"))?;
    if !web.store.drain_run(run, by, web.clock.now()).await? {
        return Err(over(&web, run).await?);
    }
    told(&web, run, json!({})).await
}

/// Calls under way go on to their end, unless their sessions are told to hang up; how each ended is told by its
/// own events.
pub(super) async fn stop(
    State(web): State<Arc<Web>>,
    Path(run): Path<String>,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let (run, asked): (_, Stop) = (super::runs::run_id(&run)?, said(&body)?);
    web.store.run(run).await?;
    let by = by(asked.by, asked.reason, Some("stopped by an operator"))?;
    if !asked.hang_up {
        return moved(&web, run, RunState::Stopped, by, None).await;
    }
    // Who stopped it a moment ago may still wish its calls to end.
    web.store.change_run(run, RunState::Stopped, by, None, web.clock.now()).await?;
    let hung_up = web.dialer.hang_up_all(&[run]).await?;
    told(&web, run, json!({ "hang_up": hung_up })).await
}

/// How the whole account stands.
async fn account(web: &Web) -> Result<Json<Value>, Problem> {
    let account = web.dialer.account;
    let row = web.store.account(account).await?.ok_or_else(|| Problem::ours("the account's row is gone"))?;
    let busy = web.store.busy(account).await?;
    Ok(Json(json!({
        "paused": row.paused_at.is_some(), "since": row.paused_at, "reason": row.pause_reason,
        "runs": busy.runs, "live": busy.live, "history": web.store.account_history(account).await?,
    })))
}

pub(super) async fn paused(State(web): State<Arc<Web>>) -> Result<Json<Value>, Problem> {
    account(&web).await
}

pub(super) async fn pause_all(State(web): State<Arc<Web>>, body: Bytes) -> Result<Json<Value>, Problem> {
    let asked: Said = said(&body)?;
    let by = by(asked.by, asked.reason, Some("paused by an operator"))?;
    web.store.pause_all(web.dialer.account, true, by, web.clock.now()).await?;
    account(&web).await
}

pub(super) async fn resume_all(State(web): State<Arc<Web>>, body: Bytes) -> Result<Json<Value>, Problem> {
    let asked: Said = said(&body)?;
    web.store.pause_all(web.dialer.account, false, by(asked.by, asked.reason, None)?, web.clock.now()).await?;
    account(&web).await
}

/// Whether a run of the campaign could start now: `checked`, or `draft` and what stands against it.
pub(super) async fn readiness(web: &Web, campaign: &Campaign) -> Result<(&'static str, Vec<String>), Problem> {
    let mut against = Vec::new();
    let accepted: i64 = web.store.imports(campaign.campaign).await?.iter().map(|list| list.accepted).sum();
    if accepted == 0 {
        against.push("the campaign has no contacts".to_owned());
    }
    match web.dialer.rules(campaign.campaign).await {
        Err(cause) => against.push(cause.to_string()),
        Ok(rules) => {
            let settings = &rules.settings;
            let opens = open_at(settings, &rules.policy, settings.timezone, web.clock.now());
            if settings.purpose != Purpose::Test && opens.is_none() {
                against.push("no window opens any more".to_owned());
            }
            against.extend(hindrance(&web.store, campaign.campaign, settings, web.dialer.platform.real).await?);
        }
    }
    Ok((if against.is_empty() { "checked" } else { "draft" }, against))
}
