//! A panel of test numbers: each meets every mode in turn and is its own control. Compared number by number, never pooled
//! with people, and without a verdict.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::Mode;
use crate::domain::experiment::Kind;

use super::figures::{CallTurns, Figures};
use super::intervals::{absent, bare, calls_min, known, too_few};
use super::model::{Check, Comparison, Interval, Light, Text};
use super::stats::LEVEL;
use super::stats::paired::{mcnemar, signed_rank};
use super::stats::quantile;

/// One mode against the baseline, over the numbers that met both.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Paired {
    pub mode: Mode,
    pub baseline: Mode,
    pub numbers: u64,
    /// Per number the median of its calls' `call_turn_ms` in each mode; mode minus baseline: the pseudo-median of the
    /// differences with its rank interval.
    pub call_turn_ms: Interval,
    pub p_two_sided: Option<f64>,
    /// Goals of each number's first call in each mode: in the mode alone, in the baseline alone.
    pub goal_in_mode_alone: u64,
    pub goal_in_baseline_alone: u64,
    /// McNemar's exact p; none where no pair disagrees.
    pub goals_p: Option<f64>,
}

/// Nothing where the experiment is no crossover.
pub fn paired(figures: &Figures) -> Vec<Paired> {
    if figures.design.kind != Kind::Crossover {
        return Vec::new();
    }
    let baseline = &figures.design.baseline;
    let modes = figures.design.arms.iter().map(|(mode, _)| mode).filter(|mode| *mode != baseline);
    modes.map(|mode| pair(figures, mode, baseline)).collect()
}

/// Calls of one mode by number, in their order.
fn by_number<'f>(figures: &'f Figures, mode: &Mode) -> BTreeMap<i64, Vec<&'f CallTurns>> {
    let mut calls: BTreeMap<i64, Vec<&CallTurns>> = BTreeMap::new();
    for call in figures.repeats.iter().filter(|call| call.mode == *mode) {
        calls.entry(call.contact).or_default().push(call);
    }
    calls.values_mut().for_each(|calls| calls.sort_by_key(|call| (call.night, call.try_number)));
    calls
}

fn median(calls: &[&CallTurns]) -> Option<f64> {
    let values: Vec<f64> = calls.iter().filter_map(|call| Some(call.half_median(false)? as f64 / 2.0)).collect();
    quantile::median(&values)
}

fn pair(figures: &Figures, mode: &Mode, baseline: &Mode) -> Paired {
    const METHOD: &str = "signed_rank";
    let (treated, controls) = (by_number(figures, mode), by_number(figures, baseline));
    let both = || treated.iter().filter_map(|(number, calls)| Some((calls, controls.get(number)?)));
    let (x, y): (Vec<f64>, Vec<f64>) = both().filter_map(|(a, b)| Some((median(a)?, median(b)?))).unzip();
    let n = x.len() as u64;
    let found = signed_rank(&x, &y, LEVEL);
    let call_turn_ms = match found {
        Some(found) if n >= calls_min() => known(METHOD, n, found.pseudo_median, found.lower, found.upper),
        Some(found) => bare(METHOD, n, Some(found.pseudo_median), too_few(n, calls_min())),
        None => absent(METHOD, n, "no number met both modes with a difference"),
    };
    let goals = |calls: &Vec<&CallTurns>| calls.first().is_some_and(|call| call.goal);
    let alone = both().fold((0, 0), |sum, (a, b)| match (goals(a), goals(b)) {
        (true, false) => (sum.0 + 1, sum.1),
        (false, true) => (sum.0, sum.1 + 1),
        _ => sum,
    });
    Paired {
        mode: mode.clone(),
        baseline: baseline.clone(),
        numbers: n,
        call_turn_ms,
        p_two_sided: found.filter(|_| n >= calls_min()).map(|found| found.p_two_sided),
        goal_in_mode_alone: alone.0,
        goal_in_baseline_alone: alone.1,
        goals_p: mcnemar(alone.0, alone.1).map(|found| found.p_exact),
    }
}

/// What an A/A experiment says of the machinery; nothing for others.
pub fn aa_check(figures: &Figures, comparisons: &[Comparison]) -> Option<Check> {
    if figures.design.kind != Kind::Aa {
        return None;
    }
    let moved = |interval: &Interval| interval.below_zero() || interval.above_zero();
    let odd: Vec<&str> = comparisons
        .iter()
        .filter(|comparison| moved(&comparison.call_turn_ms) || moved(&comparison.success))
        .map(|comparison| comparison.mode.as_str())
        .collect();
    let (light, text) = if odd.is_empty() {
        let en = "A/A: modes that play the same, and no difference was found";
        (Light::Good, Text::new(en, "A/A: режимы играют одно и то же, разницы не найдено"))
    } else {
        let list = odd.join(", ");
        let en = format!(
            "A/A: modes that play the same differ ({list}): by chance in about one of ten, else look for a fault of the ruler or the assignment"
        );
        let ru = format!(
            "A/A: режимы играют одно и то же, но различаются ({list}): случайно — примерно в одном из десяти, иначе ищите ошибку измерения или распределения"
        );
        (Light::Warning, Text::new(en, ru))
    };
    Some(Check { check: "aa".to_owned(), light, statistic: None, p: None, text })
}
