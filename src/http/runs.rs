//! Runs and schedules.

use super::campaigns::{Linked, Page, further, linked};
use super::life::{LifeView, Start, life, said};
use super::money::{BudgetView, budget};
use super::{Problem, Web, account};
use crate::dialer::{BreakerView, hindrance};
use crate::domain::pace::PaceNow;
use crate::domain::schedule::Cron;
use crate::domain::settings::Take;
use crate::domain::{RunId, ScheduleId, Timestamp};
use crate::store::{GateRow, OutcomeRow, Progress, Run, Schedule, SkippedFiring};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::http::header::HeaderName;
use axum::response::AppendHeaders;
use serde::Serialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// Skipped moments told, over all schedules.
const SKIPPED_MAX: i64 = 1000;
/// Firings told of each schedule.
const UPCOMING_MAX: usize = 5;

#[derive(Serialize)]
pub(super) struct RunView {
    id: RunId,
    #[serde(flatten)]
    run: Run,
    progress: Progress,
    outcomes: Vec<OutcomeRow>,
    gates: Vec<GateRow>,
    #[serde(flatten)]
    life: LifeView,
    /// Absent where nothing is counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    budget: Option<BudgetView>,
    breakers: Vec<BreakerView>,
    /// Nothing once the run is over.
    pace: Option<PaceNow>,
}

pub(super) async fn view(web: &Web, run: Run) -> Result<RunView, Problem> {
    Ok(RunView {
        id: run.run,
        progress: web.store.progress(run.run).await?,
        outcomes: web.store.outcomes(run.run).await?,
        gates: web.store.gates(run.run, web.clock.now()).await?,
        life: life(web, run.run).await?,
        budget: budget(web, &run).await?,
        breakers: web.dialer.breakers(&run).await?,
        pace: account::pace_of(web, &run).await?,
        run,
    })
}

pub(super) async fn start(
    State(web): State<Arc<Web>>,
    Path(campaign): Path<String>,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let (beginning, only) = said::<Start>(&body)?.beginning(web.clock.now())?;
    let campaign = web.store.find_campaign(&campaign).await?;
    let rules = web.dialer.rules(campaign.campaign).await?;
    let real = web.dialer.platform.real;
    if let Some(why) = hindrance(&web.store, campaign.campaign, &rules.settings, real).await? {
        return Err(Problem::refused(why, Vec::new()));
    }
    let now = web.clock.now();
    let (campaign, account) = (campaign.campaign, web.dialer.account);
    let (run, contacts) = match only {
        None => web.store.begin_run(campaign, account, Take::All, beginning, now).await?,
        Some(only) => web.store.begin_rerun(campaign, account, only, beginning, now).await?,
    };
    let state = web.store.run(run).await?.shown;
    Ok((StatusCode::CREATED, Json(json!({ "id": run, "contacts": contacts, "state": state }))))
}

pub(super) async fn list(
    State(web): State<Arc<Web>>,
    Path(campaign): Path<String>,
    Query(page): Query<Page>,
) -> Result<(AppendHeaders<Option<(HeaderName, String)>>, Json<Vec<RunView>>), Problem> {
    let campaign = web.store.find_campaign(&campaign).await?.campaign;
    let mut runs = web.store.runs(campaign).await?;
    if let Some(after) = page.after::<RunId>()? {
        let Some(place) = runs.iter().position(|run| run.run == after) else {
            return Err(Problem::bad(format!("after: run `{after}` is none of this campaign's")));
        };
        runs.drain(..=place);
    }
    // A run costs a look at all that became of it.
    let limit = page.limit_of_all();
    let more = runs.len() as i64 > limit;
    runs.truncate(limit as usize);
    let address = format!("/api/v1/campaigns/{campaign}/runs");
    let next = runs.last().filter(|_| more).map(|last| further(&address, last.run, limit));
    let mut views = Vec::new();
    for run in runs {
        views.push(view(&web, run).await?);
    }
    Ok((AppendHeaders(next), Json(views)))
}

pub(super) fn run_id(text: &str) -> Result<RunId, Problem> {
    text.parse().map_err(|_| Problem::missing(format!("run `{text}` does not exist")))
}

pub(super) async fn show(State(web): State<Arc<Web>>, Path(run): Path<String>) -> Result<Json<RunView>, Problem> {
    let run = web.store.run(run_id(&run)?).await?;
    view(&web, run).await.map(Json)
}

#[derive(Serialize)]
pub(super) struct ScheduleView {
    #[serde(flatten)]
    schedule: Schedule,
    /// The open run whose end this moment waits for, as declared.
    waits_for: Option<RunId>,
    /// The next moments, the first of them `next_at`; none once it has ended.
    upcoming: Vec<Timestamp>,
    /// Moments that made no run, the newest first.
    skipped: Vec<SkippedFiring>,
}

fn upcoming(schedule: &Schedule) -> Vec<Timestamp> {
    let (Ok(cron), Ok(zone)) = (schedule.cron.parse::<Cron>(), schedule.timezone.parse()) else { return Vec::new() };
    std::iter::successors(schedule.next_at, |at| cron.next(zone, *at)).take(UPCOMING_MAX).collect()
}

pub(super) async fn schedules(
    State(web): State<Arc<Web>>,
    Query(page): Query<Page>,
) -> Result<Linked<Vec<ScheduleView>>, Problem> {
    let skipped = web.store.skipped(SKIPPED_MAX).await?;
    let now = web.clock.now();
    let mut all = web.store.schedules().await?;
    if let Some(after) = page.after::<ScheduleId>()? {
        let Some(place) = all.iter().position(|schedule| schedule.schedule == after) else {
            return Err(Problem::bad(format!("after: schedule `{after}` is none of these")));
        };
        all.drain(..=place);
    }
    let limit = page.limit_of_all();
    let more = all.len() as i64 > limit;
    all.truncate(limit as usize);
    let next = all.last().filter(|_| more).map(|last| last.schedule);
    let mut views = Vec::new();
    for schedule in all {
        let waits = schedule.overlap == "wait" && schedule.next_at.is_some_and(|at| at <= now);
        let runs = if waits { web.store.runs(schedule.campaign).await? } else { Vec::new() };
        let waits_for = runs.iter().find(|run| !run.state.is_over()).map(|run| run.run);
        let skipped = skipped.iter().filter(|firing| firing.schedule == schedule.schedule).cloned().collect();
        let upcoming = upcoming(&schedule);
        views.push(ScheduleView { schedule, waits_for, upcoming, skipped });
    }
    Ok(linked("/api/v1/schedules", next, limit, views))
}
