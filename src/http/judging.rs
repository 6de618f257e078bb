//! Where a judge's word decides, calls are judged as they end: a report that arrives by itself must not wait for somebody to
//! ask.

use super::judge::{By, judge_run};
use super::{Model, Problem, Web};
use crate::clock::Clock;
use crate::dialer::Dialer;
use crate::domain::experiment::Success;
use crate::domain::{CampaignId, RunId, Timestamp};
use crate::store::Store;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

/// Between two looks.
const EVERY: Duration = Duration::from_secs(60);
/// Calls judged before it is asked again whether another node leads.
const PIECE: i64 = 64;
/// A lead lasts longer than a piece by a model takes.
const LEAD_MS: i64 = 3 * 60_000;
/// A run is looked at for so long after its end: late words, and a judge that could not be asked.
const AFTER_MS: i64 = 2 * 24 * 3_600_000;
/// A run some of whose calls could not be judged is left alone for so long.
const AGAIN_MS: i64 = 10 * 60_000;

/// Which runs are left alone, and until when.
#[derive(Default)]
pub struct Judging(BTreeMap<RunId, Timestamp>);

impl Judging {
    /// Judges what waits, in every run of a campaign whose success is a judge's word; returns how many calls were judged.
    /// A run that cannot be judged is told of in the log and stops nobody else.
    pub async fn look(
        &mut self,
        store: &Store,
        dialer: &Dialer,
        model: Option<&Model>,
        clock: &Clock,
    ) -> Result<usize, Problem> {
        let now = clock.now();
        self.0.retain(|_, until| *until > now);
        let mut judged = 0;
        for (campaign, run) in store.runs_to_judge(now.plus_ms(-AFTER_MS)).await? {
            if self.0.contains_key(&run) {
                continue;
            }
            match of_run(store, dialer, model, clock, campaign, run).await {
                Ok((found, failed)) => {
                    judged += found;
                    if !failed.is_empty() {
                        let why: Vec<String> = failed.iter().map(|(why, n)| format!("{why}: {n}")).collect();
                        warn!(run.id = %run, "Run {run}: calls that could not be judged: {}", why.join("; "));
                        self.0.insert(run, now.plus_ms(AGAIN_MS));
                    }
                }
                Err(problem) => {
                    error!(run.id = %run, "Run {run} cannot be judged: {}", problem.detail);
                    self.0.insert(run, now.plus_ms(AGAIN_MS));
                }
            }
        }
        Ok(judged)
    }
}

/// How many calls were judged, and how many not, by the cause.
async fn of_run(
    store: &Store,
    dialer: &Dialer,
    model: Option<&Model>,
    clock: &Clock,
    campaign: CampaignId,
    run: RunId,
) -> Result<(usize, BTreeMap<String, u64>), Problem> {
    let rules = dialer.rules(campaign).await?;
    let (mut judged, mut failed, mut after) = (0, BTreeMap::<String, u64>::new(), None);
    if rules.settings.experiment.success != Success::Judge {
        return Ok((judged, failed));
    }
    let by = By::of(rules.settings.experiment.judge, model)?;
    loop {
        let now = clock.now();
        if store.lead("judge", &dialer.node, now, now.plus_ms(clock.at_least(LEAD_MS, LEAD_MS))).await?.is_none() {
            break;
        }
        let piece = judge_run(store, &rules.script, run, &by, (after, PIECE), now).await?;
        judged += piece.judged;
        piece.failed.into_iter().for_each(|(why, n)| *failed.entry(why).or_default() += n);
        after = piece.after;
        if after.is_none() {
            break;
        }
    }
    Ok((judged, failed))
}

/// Until it is told to stop.
pub async fn keep_judging(web: std::sync::Arc<Web>, stop: CancellationToken) {
    let mut judging = Judging::default();
    while !stop.is_cancelled() {
        let looking = judging.look(&web.store, &web.dialer, web.model.as_ref(), &web.clock);
        match tokio::select! { () = stop.cancelled() => return, judged = looking => judged } {
            Ok(0) => {}
            Ok(judged) => info!("{judged} calls were judged"),
            Err(problem) => error!("Calls cannot be judged: {}", problem.detail),
        }
        tokio::select! { () = stop.cancelled() => return, () = tokio::time::sleep(EVERY) => {} }
    }
}
