//! Quantiles of type 7 (SQL's `percentile_cont`), over values and over frequency tables, their
//! distribution-free limits, and quantiles of waiting times that were cut off.

use statrs::distribution::{Binomial, DiscreteCDF};

/// A quantile's level in parts per million. Ranks are computed from it in integers: in floating
/// point `(n - 1) * 0.95` is 0.449999… where it should be 0.45.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Level(u32);

const PARTS: u64 = 1_000_000;

impl Level {
    pub const P50: Level = Level(500_000);
    pub const P90: Level = Level(900_000);
    pub const P95: Level = Level(950_000);
    pub const P99: Level = Level(990_000);

    /// `None` above one.
    pub fn from_parts_per_million(parts: u32) -> Option<Self> {
        (u64::from(parts) <= PARTS).then_some(Level(parts))
    }

    /// The level as a fraction, for formulas that are not ranks.
    pub fn fraction(self) -> f64 {
        f64::from(self.0) / PARTS as f64
    }

    /// The zero-based rank below, and the share of the way to the next one.
    pub(super) fn rank(self, n: u64) -> (u64, f64) {
        // A u128 product: a count of 10^14 would already overflow 64 bits.
        let product = u128::from(n - 1) * u128::from(self.0);
        let below = product / u128::from(PARTS);
        let rest = product % u128::from(PARTS);
        (below as u64, rest as f64 / PARTS as f64)
    }
}

pub(super) fn between(low: f64, high: f64, share: f64) -> f64 {
    // Without this a rank that falls exactly on a value beside an infinite one would be NaN.
    if share == 0.0 || low == high { low } else { low + share * (high - low) }
}

/// Type-7 quantile of ascending values: `h = (n-1)p`, linear between the neighbours.
/// Hyndman and Fan, The American Statistician 50 (1996). Values may end in +∞.
pub fn of_sorted(sorted: &[f64], level: Level) -> Option<f64> {
    let n = sorted.len() as u64;
    if n == 0 {
        return None;
    }
    let (below, share) = level.rank(n);
    let low = sorted[below as usize];
    let high = sorted.get(below as usize + 1).copied().unwrap_or(low);
    Some(between(low, high, share))
}

/// The same at a level that is no round number: limits of a formula, never a printed percentile.
pub fn of_sorted_at(sorted: &[f64], p: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let rank = last as f64 * p.clamp(0.0, 1.0);
    let below = (rank.floor() as usize).min(last);
    let high = sorted[(below + 1).min(last)];
    Some(between(sorted[below], high, rank - below as f64))
}

/// The median of values in any order.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    of_sorted(&sorted, Level::P50)
}

/// Values with how often each occurred: an exact, mergeable sketch of whole milliseconds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frequencies {
    /// Ascending values with the number of observations up to and including each.
    cumulated: Vec<(i64, u64)>,
    /// Observations that never ended: +∞.
    infinite: u64,
}

impl Frequencies {
    /// From rows in any order; equal values are added up.
    pub fn collect(rows: impl IntoIterator<Item = (Option<i64>, u64)>) -> Self {
        let mut infinite = 0;
        let finite = rows.into_iter().filter_map(|(value, n)| {
            infinite += if value.is_none() { n } else { 0 };
            value.map(|value| (value, n))
        });
        let finite: Vec<_> = finite.collect();
        Frequencies::of(finite, infinite)
    }

    /// The same of finite values, and how many were +∞.
    pub fn of(finite: impl IntoIterator<Item = (i64, u64)>, infinite: u64) -> Self {
        let mut finite: Vec<(i64, u64)> = finite.into_iter().collect();
        // Nights come one behind the other, each in order: this sort merges such runs.
        finite.sort();
        let mut cumulated: Vec<(i64, u64)> = Vec::new();
        let mut total = 0;
        for (value, n) in finite {
            total += n;
            match cumulated.last_mut() {
                Some(last) if last.0 == value => last.1 = total,
                _ => cumulated.push((value, total)),
            }
        }
        Frequencies { cumulated, infinite }
    }

    pub fn n(&self) -> u64 {
        self.finite() + self.infinite
    }

    pub fn finite(&self) -> u64 {
        self.cumulated.last().map_or(0, |last| last.1)
    }

    pub fn infinite(&self) -> u64 {
        self.infinite
    }

    /// The largest finite value.
    pub fn largest(&self) -> Option<i64> {
        self.cumulated.last().map(|last| last.0)
    }

    /// How many observations lie at or under `value`.
    pub fn up_to(&self, value: i64) -> u64 {
        let after = self.cumulated.partition_point(|row| row.0 <= value);
        if after == 0 { 0 } else { self.cumulated[after - 1].1 }
    }

    /// The observation of a zero-based rank.
    pub fn at_rank(&self, rank: u64) -> Option<f64> {
        if rank >= self.n() {
            return None;
        }
        let index = self.cumulated.partition_point(|row| row.1 <= rank);
        Some(self.cumulated.get(index).map_or(f64::INFINITY, |row| row.0 as f64))
    }

    /// Type-7 quantile; +∞ when it falls on observations that never ended.
    pub fn quantile(&self, level: Level) -> Option<f64> {
        let n = self.n();
        if n == 0 {
            return None;
        }
        let (below, share) = level.rank(n);
        let low = self.at_rank(below)?;
        let high = self.at_rank(below + 1).unwrap_or(low);
        Some(between(low, high, share))
    }

    /// Distribution-free limits of a quantile, for observations that are independent.
    pub fn quantile_limits(&self, level: Level, confidence: f64) -> (Option<f64>, Option<f64>) {
        self.quantile_limits_of(self.n(), level, confidence)
    }

    /// The same of observations of which only so many are independent: the ranks of that few, as shares of all.
    pub fn quantile_limits_of(&self, independent: u64, level: Level, confidence: f64) -> (Option<f64>, Option<f64>) {
        let (all, few) = (u128::from(self.n()), u128::from(independent.clamp(1, self.n().max(1))));
        let (low, high) = order_statistic_ranks(few as u64, level.fraction(), confidence);
        // Outwards: the first of what stands for the lower one, the last of what stands for the upper one.
        let low = low.map(|rank| (u128::from(rank) * all / few) as u64);
        let high = high.map(|rank| (((u128::from(rank) + 1) * all).div_ceil(few) - 1) as u64);
        (low.and_then(|rank| self.at_rank(rank)), high.and_then(|rank| self.at_rank(rank)))
    }
}

/// Zero-based ranks whose values enclose the `p` quantile with at least the given confidence:
/// the exact sign test inverted. `None` where the sample is too small for that limit. As in
/// Conover, Practical Nonparametric Statistics, 3.2: lower rank `B⁻¹(α/2) - 1`, upper `B⁻¹(1-α/2)`.
pub fn order_statistic_ranks(n: u64, p: f64, confidence: f64) -> (Option<u64>, Option<u64>) {
    let Ok(binomial) = Binomial::new(p, n) else { return (None, None) };
    if n == 0 {
        return (None, None);
    }
    let tail = (1.0 - confidence) / 2.0;
    let low = first_rank(n, |k| binomial.cdf(k) >= tail);
    let high = first_rank(n, |k| binomial.sf(k) <= tail);
    (low.checked_sub(1), (high < n).then_some(high))
}

/// The smallest `k` in `0..=n` from which on `holds` is true.
fn first_rank(n: u64, holds: impl Fn(u64) -> bool) -> u64 {
    let (mut low, mut high) = (0, n);
    while low < high {
        let middle = low + (high - low) / 2;
        if holds(middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

/// The least number of calls for which both limits of the quantile exist: 6 for p50, 36 for p90,
/// 72 for p95, 368 for p99 at 95 %.
pub fn calls_needed(level: Level, confidence: f64) -> u64 {
    const CALLS_MAX: u64 = 1_000_000;
    let p = level.fraction();
    first_rank(CALLS_MAX, |n| matches!(order_statistic_ranks(n, p, confidence), (Some(_), Some(_))))
}

/// Distribution-free limits of the `p` quantile of ascending independent values.
pub fn order_statistic_limits(sorted: &[f64], p: f64, confidence: f64) -> (Option<f64>, Option<f64>) {
    let (low, high) = order_statistic_ranks(sorted.len() as u64, p, confidence);
    (low.map(|rank| sorted[rank as usize]), high.map(|rank| sorted[rank as usize]))
}

/// A wait, and whether its end was seen (`false`: the call ended first).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wait {
    pub ms: f64,
    pub ended: bool,
}

/// Kaplan–Meier quantiles of waits that may be cut off: the smallest observed time with
/// `S(t) < 1 - p`, where `S(t) = Π (1 - d/r)`. `None` when the curve never falls that far.
/// Kaplan and Meier, JASA 53 (1958).
pub fn censored(waits: &[Wait], levels: &[f64]) -> Vec<Option<f64>> {
    let mut sorted = waits.to_vec();
    sorted.sort_by(|a, b| a.ms.total_cmp(&b.ms));
    let mut steps: Vec<(f64, f64)> = Vec::new();
    let (mut survival, mut index) = (1.0, 0);
    while index < sorted.len() {
        let time = sorted[index].ms;
        let at_risk = (sorted.len() - index) as f64;
        let same = sorted[index..].iter().take_while(|wait| wait.ms == time).count();
        let ended = sorted[index..index + same].iter().filter(|wait| wait.ended).count();
        if ended > 0 {
            survival *= 1.0 - ended as f64 / at_risk;
            steps.push((time, survival));
        }
        index += same;
    }
    levels.iter().map(|p| steps.iter().find(|step| step.1 < 1.0 - p).map(|step| step.0)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_frequency_table_equals_its_expanded_sample(
            rows in prop::collection::vec((0_i64..50, 0_u64..6), 1..20),
            infinite in 0_u64..4,
            parts in 0_u32..=1_000_000,
        ) {
            let level = Level::from_parts_per_million(parts).expect("at most one million");
            let table = rows.iter().map(|(v, n)| (Some(*v), *n)).chain([(None, infinite)]);
            let table = Frequencies::collect(table);
            let mut expanded: Vec<f64> =
                rows.iter().flat_map(|(v, n)| (0..*n).map(|_| *v as f64)).collect();
            expanded.extend((0..infinite).map(|_| f64::INFINITY));
            expanded.sort_by(f64::total_cmp);
            prop_assert_eq!(table.quantile(level), of_sorted(&expanded, level));
        }

        #[test]
        fn a_quantile_lies_in_the_sample_and_never_falls(
            mut values in prop::collection::vec(0.0_f64..1e6, 1..60),
        ) {
            values.sort_by(f64::total_cmp);
            let at = |parts| of_sorted(&values, Level(parts)).expect("not empty");
            for parts in (0..1_000_000).step_by(50_000) {
                prop_assert!(at(parts) <= at(parts + 50_000));
            }
            prop_assert_eq!(at(0), values[0]);
            prop_assert_eq!(at(1_000_000), values[values.len() - 1]);
        }
    }

    #[test]
    fn limits_exist_from_the_published_numbers_of_calls() {
        let needed = [Level::P50, Level::P90, Level::P95, Level::P99].map(|level| calls_needed(level, 0.95));
        assert_eq!(needed, [6, 36, 72, 368]);
    }

    #[test]
    fn a_rank_exactly_on_a_value_beside_infinity_is_that_value() {
        let table = Frequencies::collect([(Some(100), 2), (None, 1)]);
        assert_eq!(table.quantile(Level::P50), Some(100.0));
        assert_eq!(table.quantile(Level::P90), Some(f64::INFINITY));
    }
}
