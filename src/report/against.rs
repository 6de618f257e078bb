//! One run's figures against another's, or one arm's against another's: differences with their intervals.
//!
//! A run is no arm: nobody was assigned to last night by chance. What stands here says how far two sides lie apart,
//! never why, and gives no verdict.

use serde::{Deserialize, Serialize};

use crate::domain::Mode;

use super::arms::{self, ArmCalls};
use super::compare::RESAMPLED_CALLS_MAX;
use super::figures::{Figures, Method, Night};
use super::intervals::{absent, bare, calls_min, known, of_limits, too_few};
use super::model::{Arm, Interval, Rate};
use super::stats::bootstrap::{self, Sample};
use super::stats::clustered::{self, Clusters};
use super::stats::proportion::{self, Share};
use super::stats::quantile::{Level, calls_needed};
use super::stats::{LEVEL, bucket};

/// Coverage of two sides may lie this far apart.
const COVERAGE_GAP_MAX: f64 = 0.10;

/// What a figure is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Milliseconds: a difference, and a ratio.
    Ms,
    /// A share from 0 to 1: a difference.
    Share,
}

/// The side that is looked at minus the side that it is held against.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Difference {
    pub metric: String,
    pub measure: Measure,
    pub base: Option<f64>,
    pub value: Option<f64>,
    pub difference: Interval,
    /// Side over base; of latencies alone.
    pub ratio: Option<Interval>,
}

/// One mode in one run, or in all of them.
pub struct Side {
    pub arm: Arm,
    medians: Sample,
    clusters: Clusters,
}

impl Side {
    pub fn of(figures: &Figures, mode: &Mode, weight: u32) -> Self {
        let calls = ArmCalls::of(figures, mode);
        Side { arm: arms::arm(figures, mode, weight), medians: calls.medians(), clusters: calls.clusters() }
    }

    /// Somebody was dialled.
    pub fn has_calls(&self) -> bool {
        self.arm.attempts > 0
    }
}

/// One run by itself: every contact that it took, whether or not another run reached it first.
pub fn of_run(figures: &Figures, night: Night) -> Figures {
    let own = figures.of_nights(|other| other == night);
    Figures { contacts: own.night_contacts.clone(), ..own }
}

/// Why the latencies of two sides may not be held against each other; nothing where they may.
pub fn unlike(side: &Arm, base: &Arm) -> Option<String> {
    match (side.turns.method, base.turns.method) {
        (Some(a), Some(b)) if a != b => {
            return Some(format!("measured in different ways ({} and {})", a.as_str(), b.as_str()));
        }
        (Some(Method::Event), _) => {
            return Some("measured by raw vendor events, which nothing is ranked by".to_owned());
        }
        _ => {}
    }
    let coverage = |arm: &Arm| arm.turns.coverage.interval.estimate;
    match (coverage(side), coverage(base)) {
        (Some(a), Some(b)) if (a - b).abs() > COVERAGE_GAP_MAX => {
            Some("coverage of turns differs by more than ten points".to_owned())
        }
        _ => None,
    }
}

/// Every figure of `side` against `base`. The seed is drawn from `version`: the same data gives the same limits.
pub fn differences(side: &Side, base: &Side, version: &str) -> Vec<Difference> {
    let seed = seed_of(version, &side.arm.mode);
    let mut found = vec![median(&side.medians, &base.medians, seed, RESAMPLED_CALLS_MAX), tail(side, base)];
    let rates = |arm: &Arm| {
        let r = arm.rates.clone();
        [
            ("success_rate", r.success_rate),
            ("success_assigned_rate", r.success_assigned_rate),
            ("reach_rate", r.reach_rate),
            ("machine_rate", r.machine_rate),
            ("early_hangup_rate", r.early_hangup_rate),
            ("late_greeting_rate", r.late_greeting_rate),
            ("silent_rate", r.silent_rate),
            ("fault_rate", r.fault_rate),
            ("opt_out_rate", r.opt_out_rate),
        ]
    };
    for ((metric, a), (_, b)) in rates(&side.arm).into_iter().zip(rates(&base.arm)) {
        found.push(rate(metric, &a, &b));
    }
    found
}

pub fn rate(metric: &str, side: &Rate, base: &Rate) -> Difference {
    let share = |rate: &Rate| Share::new(rate.k, rate.interval.n);
    let (a, b) = (share(side), share(base));
    Difference {
        metric: metric.to_owned(),
        measure: Measure::Share,
        base: b.rate(),
        value: a.rate(),
        difference: of_limits("newcombe", a.n.min(b.n), proportion::newcombe(a, b, LEVEL)),
        ratio: None,
    }
}

/// What the limits of a mode's figures are drawn from.
pub fn seed_of(version: &str, mode: &Mode) -> u64 {
    bucket::of(version, mode.as_str()).hash
}

/// Medians of `call_turn_ms`, one value a contact; above `resampled_max` calls by the closed form, because many pairs may
/// share the time that drawing takes.
pub fn median(side: &Sample, base: &Sample, seed: u64, resampled_max: u64) -> Difference {
    const RESAMPLED: &str = "cluster_bootstrap";
    let n = side.n().min(base.n());
    let (a, b) = (side.median(), base.median());
    let plain = a.zip(b).map(|(a, b)| a - b);
    let (difference, ratio) = if n < calls_min() {
        let thin = |estimate| bare(RESAMPLED, n, estimate, too_few(n, calls_min()));
        (thin(plain), thin(a.zip(b).filter(|(_, b)| *b > 0.0).map(|(a, b)| a / b)))
    } else if side.n().max(base.n()) > resampled_max {
        let alone = |sample: &Sample| Clusters::alone(&sample.sorted());
        closed(&alone(side), &alone(base), 0.5, n)
    } else {
        let difference = match bootstrap::median_difference(side, base, seed) {
            Some(found) => known(RESAMPLED, n, found.difference, found.lower, found.upper),
            None => bare(RESAMPLED, n, plain, "a median is not finite"),
        };
        let ratio = match bootstrap::median_ratio(side, base, seed) {
            Some(found) => known(RESAMPLED, n, found.estimate, found.lower, found.upper),
            None => absent(RESAMPLED, n, "a median is not finite, or none"),
        };
        (difference, ratio)
    };
    Difference {
        metric: "call_turn_ms".to_owned(),
        measure: Measure::Ms,
        base: b,
        value: a,
        difference,
        ratio: Some(ratio),
    }
}

fn closed(side: &Clusters, base: &Clusters, q: f64, n: u64) -> (Interval, Interval) {
    const METHOD: &str = "clustered_delta";
    let difference = match clustered::quantile_difference(side, base, q, LEVEL) {
        Some(found) => known(METHOD, n, found.difference, found.lower, found.upper),
        None => absent(METHOD, n, "no spread to estimate an error from"),
    };
    let ratio = match clustered::quantile_ratio(side, base, q, LEVEL) {
        Some(found) => known(METHOD, n, found.estimate, found.lower, found.upper),
        None => absent(METHOD, n, "no spread to estimate an error from"),
    };
    (difference, ratio)
}

/// The 95th percentile over turns, calls as clusters.
fn tail(side: &Side, base: &Side) -> Difference {
    const METHOD: &str = "clustered_delta";
    let level = Level::P95;
    let (a, b) = (side.clusters.quantile(level.fraction()), base.clusters.quantile(level.fraction()));
    let of = |found: Option<clustered::ClusteredQuantile>| found.map_or((0, 0), |q| (q.values, q.calls));
    let (turns, calls) = (of(a).0.min(of(b).0), of(a).1.min(of(b).1));
    let (needed, plain) = (calls_needed(level, LEVEL), a.zip(b).map(|(a, b)| a.quantile - b.quantile));
    let (difference, ratio) = if turns < needed || calls < calls_min() {
        let reason = if turns < needed { too_few(turns, needed) } else { too_few(calls, calls_min()) };
        let thin = |estimate| bare(METHOD, turns, estimate, reason.clone());
        let ratio = a.zip(b).filter(|(_, b)| b.quantile > 0.0).map(|(a, b)| a.quantile / b.quantile);
        (thin(plain), thin(ratio))
    } else {
        closed(&side.clusters, &base.clusters, level.fraction(), turns)
    };
    Difference {
        metric: "turn_p95_ms".to_owned(),
        measure: Measure::Ms,
        base: b.map(|q| q.quantile),
        value: a.map(|q| q.quantile),
        difference,
        ratio: Some(ratio),
    }
}
