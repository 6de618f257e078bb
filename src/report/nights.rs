//! Nights beside each other: what each says, where they drift, where something else was played, and whether tonight
//! is still like the nights that were taken for reference.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::domain::Mode;

use super::against;
use super::arms::{self, success_by_night};
use super::compare::RESAMPLED_CALLS_MAX;
use super::figures::{BundleRow, CallTurns, Figures, Night, RunRow, TurnSums};
use super::intervals::{absent, known, rate};
use super::model::{Check, Interval, Light, Text};
use super::stats::bootstrap::Sample;
use super::stats::control::{self, Chart, Observed};
use super::stats::quantile::{Level, order_statistic_limits};
use super::stats::{LEVEL, z_two_sided};
use super::turns;

/// Nights that a control chart takes for reference: frozen, never the moving past.
pub const REFERENCE_NIGHTS: usize = 7;
/// Weight of tonight in the moving average.
const LAMBDA: f64 = 0.2;
/// Width of the band in standard errors: for a single chart, and where several are watched together.
const WIDTH: (f64, f64) = (2.86, 3.4);

/// One arm against the baseline in one night.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct NightDifference {
    pub night: Night,
    pub mode: Mode,
    pub call_turn_ms: Interval,
    pub success: Interval,
}

/// Whether the differences of the nights drift: per night, weighted by their precision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Trend {
    pub mode: Mode,
    pub call_turn_ms_per_night: Interval,
    pub success_per_night: Interval,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ControlPoint {
    pub night: Night,
    /// The night's own figure; none where nobody talked.
    pub value: Option<f64>,
    /// The moving average, and the band around the reference.
    pub average: f64,
    pub lower: f64,
    pub upper: f64,
    pub signal: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ControlChart {
    pub mode: Mode,
    /// `call_turn_ms` in milliseconds, or `success_rate` as a share.
    pub metric: String,
    pub target: f64,
    pub lambda: f64,
    pub width: f64,
    pub reference_nights: usize,
    pub points: Vec<ControlPoint>,
    /// The newest night leaves the band.
    pub alarm: bool,
}

/// Nights that played the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Version {
    pub from_night: Night,
    pub to_night: Night,
    /// Modes of which something else was played than before; empty for the first.
    pub changed: Vec<Mode>,
}

/// Which nights belong together: a new version begins where an arm's bundle is not that of its last night before.
pub fn versions(figures: &Figures) -> Vec<Version> {
    versions_of(&figures.design.arms, &figures.runs, &figures.bundles)
}

/// The same of runs in their order.
pub fn versions_of(arms: &[(Mode, u32)], runs: &[RunRow], bundles: &[BundleRow]) -> Vec<Version> {
    let arms: BTreeSet<&Mode> = arms.iter().map(|(mode, _)| mode).collect();
    let of = |night: Night, mode: &Mode| -> BTreeSet<&str> {
        let rows = bundles.iter().filter(|row| row.night == night && row.mode == *mode);
        rows.map(|row| row.bundle.as_str()).collect()
    };
    let mut versions: Vec<Version> = Vec::new();
    let mut last: std::collections::BTreeMap<&Mode, BTreeSet<&str>> = Default::default();
    for run in runs {
        let mut changed = Vec::new();
        for mode in &arms {
            let now = of(run.night, mode);
            // A night that told nothing of itself (of before bundles were kept, or nobody was called) changes nothing.
            if now.is_empty() {
                continue;
            }
            if last.get(mode).is_some_and(|before| *before != now) {
                changed.push((*mode).clone());
            }
            last.insert(mode, now);
        }
        match versions.last_mut() {
            Some(version) if changed.is_empty() => version.to_night = run.night,
            _ => versions.push(Version { from_night: run.night, to_night: run.night, changed }),
        }
    }
    versions
}

/// The bundles as a check: where something else was played, and nights that changed in their middle.
pub fn bundle_check(figures: &Figures, versions: &[Version]) -> Option<Check> {
    let mut mixed: BTreeSet<(Night, &Mode)> = BTreeSet::new();
    for row in &figures.bundles {
        let same = figures.bundles.iter().filter(|other| (other.night, &other.mode) == (row.night, &row.mode));
        if same.count() > 1 {
            mixed.insert((row.night, &row.mode));
        }
    }
    if versions.len() < 2 && mixed.is_empty() {
        return None;
    }
    let list = |run: &str| {
        let changes = versions.iter().skip(1).map(|version| {
            let modes: Vec<&str> = version.changed.iter().map(Mode::as_str).collect();
            format!("{run} {} ({})", version.from_night, modes.join(", "))
        });
        let within = mixed.iter().map(|(night, mode)| format!("{run} {night} ({mode})"));
        changes.chain(within).collect::<Vec<_>>().join("; ")
    };
    let from = versions.last().map_or(0, |version| version.from_night);
    let text = Text::new(
        format!("what was played changed: {}; verdicts pool from run {from} on", list("run")),
        format!("то, что игралось, менялось: {}; вывод объединяет прогоны с {from}-го", list("прогон")),
    );
    Some(Check { check: "bundles".to_owned(), light: Light::Warning, statistic: None, p: None, text })
}

/// Each night's differences from the baseline; nothing where there is one night alone.
pub fn differences(figures: &Figures, version: &str) -> Vec<NightDifference> {
    if figures.runs.len() < 2 {
        return Vec::new();
    }
    let baseline = &figures.design.baseline;
    let mut found = Vec::new();
    // All nights together may cost what one comparison may.
    let resampled_max = RESAMPLED_CALLS_MAX / figures.runs.len() as u64;
    for run in &figures.runs {
        let (night, version) = (run.night, format!("{version}:{}", run.night));
        let own: Vec<TurnSums> = figures.turns.iter().filter(|sums| sums.night == night).cloned().collect();
        let again: Vec<CallTurns> = figures.repeats.iter().filter(|call| call.night == night).cloned().collect();
        let of = |mode: &Mode| {
            let rows = figures.night_contacts.iter().filter(|row| row.night == night && row.mode == *mode);
            let contacts = arms::contacts_of(rows);
            let once = turns::each_once(&own, &again, mode);
            (rate(contacts.goals, contacts.reached), Sample::collect(once.iter().map(TurnSums::medians)))
        };
        let base = of(baseline);
        for (mode, _) in figures.design.arms.iter().filter(|(mode, _)| mode != baseline) {
            let side = of(mode);
            let latency = against::median(&side.1, &base.1, against::seed_of(&version, mode), resampled_max);
            found.push(NightDifference {
                night,
                mode: mode.clone(),
                call_turn_ms: latency.difference,
                success: against::rate("success_rate", &side.0, &base.0).difference,
            });
        }
    }
    found
}

pub fn trends(figures: &Figures, nights: &[NightDifference]) -> Vec<Trend> {
    let baseline = &figures.design.baseline;
    let modes = figures.design.arms.iter().map(|(mode, _)| mode).filter(|mode| *mode != baseline);
    modes
        .map(|mode| {
            let own: Vec<&NightDifference> = nights.iter().filter(|night| night.mode == *mode).collect();
            Trend {
                mode: mode.clone(),
                call_turn_ms_per_night: slope(own.iter().map(|night| (night.night, &night.call_turn_ms))),
                success_per_night: slope(own.iter().map(|night| (night.night, &night.success))),
            }
        })
        .filter(|_| !nights.is_empty())
        .collect()
}

/// Weighted least squares through the nights' differences, weights from their intervals:
/// `b = Σw(x-x̄)(y-ȳ) / Σw(x-x̄)²`, error `1/√Σw(x-x̄)²`.
fn slope<'a>(nights: impl Iterator<Item = (Night, &'a Interval)>) -> Interval {
    const METHOD: &str = "weighted_least_squares";
    const NIGHTS_MIN: usize = 3;
    let points: Vec<(f64, f64, f64)> = nights
        .filter_map(|(night, interval)| {
            let (lower, upper) = interval.limits()?;
            let error = (upper - lower) / (2.0 * z_two_sided(LEVEL));
            (error > 0.0).then(|| Some((night as f64, interval.estimate?, error.powi(-2))))?
        })
        .collect();
    let n = points.len() as u64;
    if points.len() < NIGHTS_MIN {
        return absent(METHOD, n, format!("too few nights ({n} < {NIGHTS_MIN})"));
    }
    let weight: f64 = points.iter().map(|p| p.2).sum();
    let mean = |of: fn(&(f64, f64, f64)) -> f64| points.iter().map(|p| p.2 * of(p)).sum::<f64>() / weight;
    let (x, y) = (mean(|p| p.0), mean(|p| p.1));
    let spread: f64 = points.iter().map(|p| p.2 * (p.0 - x).powi(2)).sum();
    if spread <= 0.0 {
        return absent(METHOD, n, "nothing varies");
    }
    let b = points.iter().map(|p| p.2 * (p.0 - x) * (p.1 - y)).sum::<f64>() / spread;
    let half = z_two_sided(LEVEL) / spread.sqrt();
    known(METHOD, n, b, b - half, b + half)
}

/// The charts of every arm; nothing before there is a night behind the reference.
pub fn charts(figures: &Figures) -> Vec<ControlChart> {
    if figures.runs.len() <= REFERENCE_NIGHTS {
        return Vec::new();
    }
    let width = if figures.design.arms.len() > 1 { WIDTH.1 } else { WIDTH.0 };
    let mut charts = Vec::new();
    for (mode, _) in &figures.design.arms {
        charts.extend(success_chart(figures, mode, width));
        charts.extend(latency_chart(figures, mode, width));
    }
    charts
}

fn success_chart(figures: &Figures, mode: &Mode, width: f64) -> Option<ControlChart> {
    use super::stats::proportion::Share;
    let by_night = success_by_night(figures, mode);
    let none = Share::new(0, 0);
    let shares: Vec<Share> = figures.runs.iter().map(|run| by_night.get(&run.night).copied().unwrap_or(none)).collect();
    let reference = shares[..REFERENCE_NIGHTS].iter().fold(none, |sum, s| Share::new(sum.k + s.k, sum.n + s.n));
    let target = reference.rate()?;
    let chart = Chart { target, lambda: LAMBDA, width };
    let points = chart.nights(&shares[REFERENCE_NIGHTS..]);
    let values = shares[REFERENCE_NIGHTS..].iter().map(|share| share.rate());
    Some(told(figures, mode, "success_rate", chart, values, points, |x| x))
}

/// Over logs of the nights' medians, so that a band is a ratio; told in milliseconds.
fn latency_chart(figures: &Figures, mode: &Mode, width: f64) -> Option<ControlChart> {
    let nights: Vec<Option<Observed>> = figures.runs.iter().map(|run| log_median(figures, run.night, mode)).collect();
    let reference: Vec<Observed> = nights[..REFERENCE_NIGHTS].iter().flatten().copied().collect();
    let weight: f64 = reference.iter().map(|seen| seen.error.powi(-2)).sum();
    if weight <= 0.0 {
        return None;
    }
    let target = reference.iter().map(|seen| seen.value * seen.error.powi(-2)).sum::<f64>() / weight;
    let chart = Chart { target, lambda: LAMBDA, width };
    let points = control::observed(chart, &nights[REFERENCE_NIGHTS..]);
    let values = nights[REFERENCE_NIGHTS..].iter().map(|seen| seen.map(|seen| seen.value.exp()));
    Some(told(figures, mode, "call_turn_ms", chart, values, points, f64::exp))
}

/// A night's median of `call_turn_ms` on the log scale, its error from the order statistics around it.
fn log_median(figures: &Figures, night: Night, mode: &Mode) -> Option<Observed> {
    let sorted = arms::night_medians(figures, night, mode).sorted();
    let median = super::stats::quantile::of_sorted(&sorted, Level::P50)?;
    let (Some(lower), Some(upper)) = order_statistic_limits(&sorted, 0.5, LEVEL) else { return None };
    let error = (upper.max(1.0).ln() - lower.max(1.0).ln()) / (2.0 * z_two_sided(LEVEL));
    (error > 0.0).then(|| Observed { value: median.max(1.0).ln(), error })
}

fn told(
    figures: &Figures,
    mode: &Mode,
    metric: &str,
    chart: Chart,
    values: impl Iterator<Item = Option<f64>>,
    points: Vec<control::Point>,
    unit: fn(f64) -> f64,
) -> ControlChart {
    let nights = figures.runs[REFERENCE_NIGHTS..].iter();
    let points: Vec<ControlPoint> = nights
        .zip(values)
        .zip(points)
        .map(|((run, value), point)| ControlPoint {
            night: run.night,
            value,
            average: unit(point.z),
            lower: unit(point.lower),
            upper: unit(point.upper),
            signal: point.signal,
        })
        .collect();
    ControlChart {
        mode: mode.clone(),
        metric: metric.to_owned(),
        target: unit(chart.target),
        lambda: chart.lambda,
        width: chart.width,
        reference_nights: REFERENCE_NIGHTS,
        alarm: points.last().is_some_and(|point| point.signal),
        points,
    }
}

/// The alarms of the newest night as a check; nothing without charts.
pub fn control_check(charts: &[ControlChart]) -> Option<Check> {
    let newest = charts.iter().find_map(|chart| chart.points.last())?.night;
    let alarms: Vec<&ControlChart> = charts.iter().filter(|chart| chart.alarm).collect();
    let text = if alarms.is_empty() {
        Text::new(
            format!("run {newest} lies within the control bands of the first {REFERENCE_NIGHTS} runs"),
            format!("прогон {newest} в контрольных границах первых прогонов ({REFERENCE_NIGHTS})"),
        )
    } else {
        let list: Vec<String> = alarms
            .iter()
            .filter_map(|chart| {
                let last = chart.points.last()?;
                let side = if last.average > last.upper { "↑" } else { "↓" };
                Some(format!("{} {} {side}", chart.mode, chart.metric))
            })
            .collect();
        Text::new(
            format!("run {newest} leaves the control band: {}", list.join(", ")),
            format!("прогон {newest} вышел за контрольные границы: {}", list.join(", ")),
        )
    };
    let light = if alarms.is_empty() { Light::Good } else { Light::Warning };
    Some(Check { check: "control".to_owned(), light, statistic: None, p: None, text })
}
