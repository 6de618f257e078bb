//! Runs beside each other, of one campaign or of several: each against the first that is named.

use serde::{Deserialize, Serialize};

use crate::domain::{Mode, Timestamp};

use super::against::{self, Difference, Side};
use super::figures::{Figures, Night, RunState};
use super::model::{Arm, Text};
use super::words;

pub const SCHEMA: &str = "halo-compare/1";

/// Runs of one comparison at most.
pub const RUNS_MAX: usize = 31;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Compared {
    pub schema: String,
    pub generated_at: Timestamp,
    /// What such a comparison cannot say.
    pub caution: Text,
    pub notice: Option<Text>,
    pub runs: Vec<ComparedRun>,
    pub comparisons: Vec<RunDifference>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ComparedRun {
    pub run_id: String,
    pub campaign: String,
    pub night: Night,
    pub state: RunState,
    pub started_at: Timestamp,
    pub data_version: String,
    pub arms: Vec<Arm>,
}

/// One mode in a run against the same mode in the first run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RunDifference {
    pub mode: Mode,
    pub run_id: String,
    pub baseline_run_id: String,
    /// Why the latencies may not be held against each other.
    pub latency_not_comparable: Option<String>,
    pub differences: Vec<Difference>,
}

/// Figures of the campaign of each run, with the run's number there; in the order they were named.
pub fn compare(wanted: Vec<(Figures, Night)>, now: Timestamp) -> Compared {
    let simulated = wanted.iter().any(|(figures, _)| figures.simulated);
    let mut told: Vec<(ComparedRun, Vec<Side>)> = Vec::with_capacity(wanted.len());
    for (mut figures, night) in wanted {
        figures.put_in_order();
        let own = against::of_run(&figures, night);
        let Some(row) = own.runs.first() else { continue };
        let sides: Vec<Side> = own.design.arms.iter().map(|(mode, weight)| Side::of(&own, mode, *weight)).collect();
        let run = ComparedRun {
            run_id: row.run_id.clone(),
            campaign: own.campaign.clone(),
            night,
            state: row.state,
            started_at: row.started_at,
            data_version: own.version(),
            arms: sides.iter().map(|side| side.arm.clone()).collect(),
        };
        told.push((run, sides));
    }
    let mut comparisons = Vec::new();
    if let Some(((first, bases), rest)) = told.split_first() {
        for (run, sides) in rest {
            let version = format!("{}:{}", first.data_version, run.data_version);
            for side in sides {
                let Some(base) = bases.iter().find(|base| base.arm.mode == side.arm.mode) else { continue };
                comparisons.push(RunDifference {
                    mode: side.arm.mode.clone(),
                    run_id: run.run_id.clone(),
                    baseline_run_id: first.run_id.clone(),
                    latency_not_comparable: against::unlike(&side.arm, &base.arm),
                    differences: against::differences(side, base, &version),
                });
            }
        }
    }
    Compared {
        schema: SCHEMA.to_owned(),
        generated_at: now,
        caution: Text::new(
            "runs are not assigned by chance: what changed between them besides is in each difference",
            "прогоны не распределены случайно: всё, что изменилось между ними, входит в разницу",
        ),
        notice: simulated.then(words::notice),
        runs: told.into_iter().map(|(run, _)| run).collect(),
        comparisons,
    }
}
