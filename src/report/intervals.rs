//! Values with their limits, and the reasons why some have none.

use super::model::{Interval, Rate};
use super::stats::clustered::Clusters;
use super::stats::proportion::{self, Limits, Share};
use super::stats::quantile::{Frequencies, Level, calls_needed};
use super::stats::{LEVEL, z_two_sided};

/// The reason of a quantile that falls on waits without end.
pub const NEVER: &str = "falls on observations that never came";
/// The reason of a rate of nothing.
pub const NOTHING: &str = "nothing to count";

/// Fewest calls behind an interval of a median.
pub fn calls_min() -> u64 {
    calls_needed(Level::P50, LEVEL)
}

pub fn too_few(n: u64, needed: u64) -> String {
    format!("too few calls ({n} < {needed})")
}

fn interval(method: &str, n: u64) -> Interval {
    Interval { estimate: None, lower: None, upper: None, level: LEVEL, method: method.to_owned(), n, reason: None }
}

/// No value, and why.
pub fn absent(method: &str, n: u64, reason: impl Into<String>) -> Interval {
    Interval { reason: Some(reason.into()), ..interval(method, n) }
}

/// A value without limits, and why.
pub fn bare(method: &str, n: u64, estimate: Option<f64>, reason: impl Into<String>) -> Interval {
    Interval { estimate, reason: Some(reason.into()), ..interval(method, n) }
}

/// All three known.
pub fn known(method: &str, n: u64, estimate: f64, lower: f64, upper: f64) -> Interval {
    Interval { estimate: Some(estimate), lower: Some(lower), upper: Some(upper), ..interval(method, n) }
}

pub fn of_limits(method: &str, n: u64, limits: Option<Limits>) -> Interval {
    match limits {
        Some(found) => known(method, n, found.estimate, found.lower, found.upper),
        None => absent(method, n, NOTHING),
    }
}

/// `k` of `n` with Wilson's limits.
pub fn rate(k: u64, n: u64) -> Rate {
    Rate { k, interval: of_limits("wilson", n, proportion::wilson(Share::new(k, n), LEVEL)) }
}

/// Turns of one call share line, callee and load: as many independent ones as there are calls, at worst.
pub fn by_calls(turns: Share, calls: u64) -> Share {
    match turns.rate() {
        Some(share) if turns.n > calls => Share::new((share * calls as f64).round() as u64, calls),
        _ => turns,
    }
}

/// `k` of `n` turns of so many calls: Wilson's limits as if the turns of a call were one.
pub fn rate_of_turns(k: u64, n: u64, calls: u64) -> Rate {
    let turns = Share::new(k, n);
    let by_calls = by_calls(turns, calls);
    let Rate { interval, .. } = rate(by_calls.k, by_calls.n);
    // Of few calls the rounded share is another: the limits hold the share of all turns whatever it is.
    let told = turns.rate();
    let lower = interval.lower.zip(told).map(|(limit, told)| limit.min(told));
    let upper = interval.upper.zip(told).map(|(limit, told)| limit.max(told));
    let reason = interval.reason.clone().or_else(|| told.is_none().then(|| NOTHING.to_owned()));
    Rate {
        k,
        interval: Interval {
            estimate: told,
            lower,
            upper,
            n,
            reason,
            method: "wilson_by_calls".to_owned(),
            ..interval
        },
    }
}

/// A quantile of independent observations, limits by order statistics. The limits do not exist for
/// too few; the value stays, for a program that knows what it reads.
pub fn quantile(table: &Frequencies, level: Level) -> Interval {
    ordered("order_statistic", table, table.n(), level)
}

/// Limits by the order statistics of so many independent observations.
fn ordered(method: &str, table: &Frequencies, independent: u64, level: Level) -> Interval {
    let n = table.n();
    let Some(found) = table.quantile(level) else { return absent(method, 0, NOTHING) };
    let (lower, upper) = table.quantile_limits_of(independent, level, LEVEL);
    let finite = |limit: Option<f64>| limit.filter(|value| value.is_finite());
    let needed = calls_needed(level, LEVEL);
    let reason = if found.is_infinite() {
        Some(NEVER.to_owned())
    } else if independent < needed {
        Some(too_few(independent, needed))
    } else if upper.is_some_and(f64::is_infinite) {
        Some(format!("the upper limit {NEVER}"))
    } else {
        None
    };
    let enough = independent >= needed;
    Interval {
        estimate: Some(found).filter(|value| value.is_finite()),
        lower: finite(lower).filter(|_| enough),
        upper: finite(upper).filter(|_| enough),
        reason,
        ..interval(method, n)
    }
}

/// A quantile over the stages of turns, which are counted without their calls. The limits hold even if all turns of a call
/// were one: `alike` turns count as one observation (Kish's design effect at an intraclass correlation of 1).
pub fn of_stage(table: &Frequencies, alike: f64, level: Level) -> Interval {
    let independent = (table.n() as f64 / alike.max(1.0)).floor() as u64;
    ordered("order_statistic_of_calls", table, independent, level)
}

/// A quantile over turns, limits by the closed form with calls as clusters.
pub fn turn_quantile(table: &Frequencies, calls: &Clusters, level: Level) -> Interval {
    const METHOD: &str = "clustered_delta";
    let n = table.n();
    let Some(found) = table.quantile(level) else { return absent(METHOD, 0, NOTHING) };
    let needed = calls_needed(level, LEVEL);
    if n < needed {
        return bare(METHOD, n, Some(found), too_few(n, needed));
    }
    match calls.quantile(level.fraction()) {
        Some(clustered) if clustered.calls >= calls_min() => {
            let half = z_two_sided(LEVEL) * clustered.error;
            known(METHOD, n, found, (found - half).max(0.0), found + half)
        }
        clustered => bare(METHOD, n, Some(found), too_few(clustered.map_or(0, |c| c.calls), calls_min())),
    }
}
