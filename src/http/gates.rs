//! Runs beside each other, the gate for CI, and the plan before the first call.

use super::{Problem, Web};
use crate::domain::{Mode, RunId};
use crate::report::figures::Figures;
use crate::report::gate::{self, Baseline, Gate};
use crate::report::plan::{self, Plan};
use crate::report::runs::{self, Compared, RUNS_MAX};
use crate::report::{Night, gather};
use axum::Json;
use axum::extract::{Path, Query, State};
use serde::Deserialize;
use std::collections::HashMap;
use std::sync::Arc;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// Ids, the one to hold the others against first, with commas between.
    runs: String,
}

pub(super) async fn compare(
    State(web): State<Arc<Web>>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Compared>, Problem> {
    let mut ids: Vec<RunId> = Vec::new();
    for text in wanted.runs.split(',').map(str::trim).filter(|text| !text.is_empty()) {
        let id: RunId = text.parse().map_err(|cause| Problem::bad(format!("runs: {cause}")))?;
        if ids.contains(&id) {
            return Err(Problem::bad(format!("runs: {id} is there twice")));
        }
        ids.push(id);
    }
    if !(2..=RUNS_MAX).contains(&ids.len()) {
        return Err(Problem::bad(format!("runs: name 2 to {RUNS_MAX} runs with commas between")));
    }
    let now = web.clock.now();
    let mut found: Vec<(Figures, Night)> = Vec::with_capacity(ids.len());
    // Runs of one campaign at one platform are counted by one reading.
    let mut read: HashMap<_, Figures> = HashMap::new();
    for id in ids {
        let run = web.store.run(id).await?;
        let campaign = web.store.campaign(run.campaign).await?;
        let campaign = campaign.filter(|_| run.kind == "campaign");
        let campaign = campaign.ok_or_else(|| Problem::missing(format!("run {id} is of no campaign")))?;
        let figures = match read.get(&(run.campaign, run.account)) {
            Some(figures) => figures.clone(),
            None => {
                let rules = web.dialer.rules(run.campaign).await?;
                let of = gather::Of { account: Some(run.account) };
                let figures = gather::figures_of(&web.store, &campaign, &rules.settings, of, now).await;
                let figures = figures.map_err(Problem::ours)?;
                read.insert((run.campaign, run.account), figures.clone());
                figures
            }
        };
        found.push((figures, run.ordinal));
    }
    let simulated = found.iter().filter(|(figures, _)| figures.simulated).count();
    if simulated != 0 && simulated != found.len() {
        return Err(Problem::refused("runs of the simulator say nothing about real ones", Vec::new()));
    }
    Ok(Json(runs::compare(found, now)))
}

/// `?baseline=last-night&run=…&max_p95_regress=10%25&min_success=-2pp`: the options of `halo gate`.
pub(super) async fn gate(
    State(web): State<Arc<Web>>,
    Path(campaign): Path<String>,
    Query(asked): Query<HashMap<String, String>>,
) -> Result<Json<Gate>, Problem> {
    let campaign = web.store.find_campaign(&campaign).await?;
    let rules = web.dialer.rules(campaign.campaign).await?;
    let modes: &[(Mode, u32)] = &rules.settings.modes;
    let (mut baseline, mut run, mut limits) = (Baseline::LastNight, None, Vec::new());
    for (name, text) in &asked {
        match name.as_str() {
            "baseline" => {
                baseline = Baseline::parse(text, modes).map_err(|why| Problem::bad(format!("baseline: {why}")))?;
            }
            "run" => run = Some(text.as_str()),
            name => match gate::limit(&name.replace('_', "-"), text) {
                Some(limit) => limits.push(limit.map_err(Problem::bad)?),
                None => return Err(Problem::bad(format!("`{name}` is no limit of a gate"))),
            },
        }
    }
    if limits.is_empty() {
        limits = gate::usual_limits();
    }
    limits.sort_by_key(|limit| limit.metric);
    let now = web.clock.now();
    let figures = gather::figures(&web.store, &campaign, &rules.settings, now).await.map_err(Problem::ours)?;
    gate::gate(figures, &baseline, run, &limits, now).map(Json).map_err(Problem::bad)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Guess {
    /// Shares from 0 to 1; earlier runs tell them when absent.
    reach: Option<f64>,
    success: Option<f64>,
}

pub(super) async fn plan(
    State(web): State<Arc<Web>>,
    Path(campaign): Path<String>,
    Query(guess): Query<Guess>,
) -> Result<Json<Plan>, Problem> {
    for (name, share) in [("reach", guess.reach), ("success", guess.success)] {
        if share.is_some_and(|share| !(0.001..=0.999).contains(&share)) {
            return Err(Problem::bad(format!("{name}: write a share between 0 and 1")));
        }
    }
    let campaign = web.store.find_campaign(&campaign).await?;
    let rules = web.dialer.rules(campaign.campaign).await?;
    let settings = &rules.settings;
    let figures = gather::figures(&web.store, &campaign, settings, web.clock.now()).await.map_err(Problem::ours)?;
    let models = web.dialer.models();
    let priced = web.dialer.prices().map(|prices| (prices, &models));
    let guess = gather::Guess { reach: guess.reach, success: guess.success, priced };
    let known = gather::known(&web.store, &campaign, settings, &figures, guess).await?;
    Ok(Json(plan::plan(&figures.design, &known)))
}
