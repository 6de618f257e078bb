//! Runs and schedules.

use super::{Problem, Web, account};
use crate::dialer::hindrance;
use crate::domain::RunId;
use crate::domain::pace::PaceNow;
use crate::domain::settings::Take;
use crate::store::{GateRow, OutcomeRow, Progress, Run, RunState, Schedule, SkippedFiring};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// Skipped moments told, over all schedules.
const SKIPPED_MAX: i64 = 1000;

#[derive(Serialize)]
pub(super) struct RunView {
    id: RunId,
    #[serde(flatten)]
    run: Run,
    progress: Progress,
    outcomes: Vec<OutcomeRow>,
    gates: Vec<GateRow>,
    /// Nothing once the run is over.
    pace: Option<PaceNow>,
}

async fn view(web: &Web, run: Run) -> Result<RunView, Problem> {
    Ok(RunView {
        id: run.run,
        progress: web.store.progress(run.run).await?,
        outcomes: web.store.outcomes(run.run).await?,
        gates: web.store.gates(run.run, web.clock.now()).await?,
        pace: account::pace_of(web, &run).await?,
        run,
    })
}

pub(super) async fn start(
    State(web): State<Arc<Web>>,
    Path(campaign): Path<String>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let campaign = web.store.find_campaign(&campaign).await?;
    let rules = web.dialer.rules(campaign.campaign).await?;
    let real = web.dialer.platform.real;
    if let Some(why) = hindrance(&web.store, campaign.campaign, &rules.settings, real).await? {
        return Err(Problem::refused(why, Vec::new()));
    }
    let now = web.clock.now();
    let (run, contacts) = web.store.start_run(campaign.campaign, web.dialer.account, Take::All, now).await?;
    Ok((StatusCode::CREATED, Json(json!({ "id": run, "contacts": contacts, "state": RunState::Running }))))
}

pub(super) async fn list(
    State(web): State<Arc<Web>>,
    Path(campaign): Path<String>,
) -> Result<Json<Vec<RunView>>, Problem> {
    let campaign = web.store.find_campaign(&campaign).await?;
    let mut views = Vec::new();
    for run in web.store.runs(campaign.campaign).await? {
        views.push(view(&web, run).await?);
    }
    Ok(Json(views))
}

fn run_id(text: &str) -> Result<RunId, Problem> {
    text.parse().map_err(|_| Problem::missing(format!("run `{text}` does not exist")))
}

pub(super) async fn show(State(web): State<Arc<Web>>, Path(run): Path<String>) -> Result<Json<RunView>, Problem> {
    let run = web.store.run(run_id(&run)?).await?;
    view(&web, run).await.map(Json)
}

async fn change(web: &Web, run: &str, to: RunState, reason: Option<&str>) -> Result<Json<RunView>, Problem> {
    let run = run_id(run)?;
    let known = web.store.run(run).await?;
    if !web.store.set_run_state(run, to, reason.map(str::to_owned), web.clock.now()).await? {
        return Err(Problem::conflict(format!("run {run} is {} already", known.state.as_str())));
    }
    view(web, web.store.run(run).await?).await.map(Json)
}

pub(super) async fn pause(State(web): State<Arc<Web>>, Path(run): Path<String>) -> Result<Json<RunView>, Problem> {
    change(&web, &run, RunState::Paused, Some("paused by an operator")).await
}

pub(super) async fn resume(State(web): State<Arc<Web>>, Path(run): Path<String>) -> Result<Json<RunView>, Problem> {
    let known = web.store.run(run_id(&run)?).await?;
    if known.account != web.dialer.account {
        return Err(Problem::conflict(format!("the run belongs to another platform ({})", known.platform)));
    }
    change(&web, &run, RunState::Running, None).await
}

pub(super) async fn stop(State(web): State<Arc<Web>>, Path(run): Path<String>) -> Result<Json<RunView>, Problem> {
    change(&web, &run, RunState::Stopped, Some("stopped by an operator")).await
}

#[derive(Serialize)]
pub(super) struct ScheduleView {
    #[serde(flatten)]
    schedule: Schedule,
    /// Moments that made no run, the newest first.
    skipped: Vec<SkippedFiring>,
}

pub(super) async fn schedules(State(web): State<Arc<Web>>) -> Result<Json<Vec<ScheduleView>>, Problem> {
    let skipped = web.store.skipped(SKIPPED_MAX).await?;
    let view = |schedule: Schedule| {
        let skipped = skipped.iter().filter(|firing| firing.schedule == schedule.schedule).cloned().collect();
        ScheduleView { schedule, skipped }
    };
    Ok(Json(web.store.schedules().await?.into_iter().map(view).collect()))
}
