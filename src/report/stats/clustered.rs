//! Quantiles over turns, with calls as clusters.
//!
//! Turns of one call share line, callee and load: an interval that takes them for independent
//! covers 76 % instead of 95 %.

use super::{quantile, z_two_sided};

/// How often a value occurred, and what its clusters make of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tally {
    pub value: f64,
    pub n: u64,
    /// Σ 2r-1 over these values, each the r-th smallest of its call. Up to any value they add up to Σ S², S of a call's
    /// values being at or under it: `1 + 3 + … + 2S-1 = S²`.
    pub ranks: u64,
    /// Σ N over these values, N values in the call of each. Up to any value: Σ S·N.
    pub sizes: u64,
}

/// The turns of one arm, by call: sums over calls, from which every quantile and its error are read.
#[derive(Debug, Clone, Default)]
pub struct Clusters {
    /// Ascending; each with the sums up to and including it.
    cumulated: Vec<Tally>,
    /// Calls with at least one value.
    calls: u64,
}

/// A quantile with the error that its clusters leave it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClusteredQuantile {
    pub quantile: f64,
    pub error: f64,
    pub values: u64,
    pub calls: u64,
}

impl Clusters {
    /// A call without values is not counted.
    pub fn collect(calls: impl IntoIterator<Item = Vec<f64>>) -> Self {
        let (mut tallies, mut counted) = (Vec::new(), 0);
        for mut values in calls {
            values.sort_by(f64::total_cmp);
            counted += u64::from(!values.is_empty());
            let sizes = values.len() as u64;
            tallies.extend((1..).zip(values).map(|(r, value)| Tally { value, n: 1, ranks: 2 * r - 1, sizes }));
        }
        Clusters::of_tallies(tallies, counted)
    }

    /// From sums in any order; those of equal values are added up.
    pub fn of_tallies(mut tallies: Vec<Tally>, calls: u64) -> Self {
        tallies.sort_by(|a, b| a.value.total_cmp(&b.value));
        let mut cumulated: Vec<Tally> = Vec::with_capacity(tallies.len());
        let mut sum = Tally { value: 0.0, n: 0, ranks: 0, sizes: 0 };
        for tally in tallies.into_iter().filter(|tally| tally.n > 0) {
            sum = Tally {
                value: tally.value,
                n: sum.n + tally.n,
                ranks: sum.ranks + tally.ranks,
                sizes: sum.sizes + tally.sizes,
            };
            match cumulated.last_mut() {
                Some(last) if last.value == sum.value => *last = sum,
                _ => cumulated.push(sum),
            }
        }
        Clusters { cumulated, calls }
    }

    /// One value a call.
    pub fn alone(values: &[f64]) -> Self {
        let tallies = values.iter().map(|value| Tally { value: *value, n: 1, ranks: 1, sizes: 1 });
        Clusters::of_tallies(tallies.collect(), values.len() as u64)
    }

    /// The value of a zero-based rank.
    fn at_rank(&self, rank: u64) -> Option<f64> {
        let index = self.cumulated.partition_point(|tally| tally.n <= rank);
        self.cumulated.get(index).map(|tally| tally.value)
    }

    /// The type-7 quantile with the outer-interval delta method. With L and U the quantiles at
    /// `q ∓ z √(q(1-q)/n)`: `v_iid = (n-1)((U-L)/2z)²`; per call S values at or under the quantile
    /// of N: `v_cl = (S_SS - 2r S_SN + r² S_NN)/(k mean(N)²)`, `r = ΣS/ΣN`; the error's square is
    /// `v_iid · v_cl / (q(1-q)/n) / n`. Deng, Knoblich and Lu, KDD 2018, section 4.3.
    pub fn quantile(&self, q: f64) -> Option<ClusteredQuantile> {
        let all = self.cumulated.last()?;
        let n = all.n as f64;
        let at = |p: f64| {
            let rank = (all.n - 1) as f64 * p.clamp(0.0, 1.0);
            let below = (rank.floor() as u64).min(all.n - 1);
            Some(quantile::between(
                self.at_rank(below)?,
                self.at_rank((below + 1).min(all.n - 1))?,
                rank - below as f64,
            ))
        };
        let parts_per_million = (q * 1e6).round();
        let exact = ((q * 1e6) - parts_per_million).abs() < 1e-6;
        let found = match quantile::Level::from_parts_per_million(parts_per_million as u32) {
            Some(level) if exact => {
                let (below, share) = level.rank(all.n);
                let low = self.at_rank(below)?;
                quantile::between(low, self.at_rank(below + 1).unwrap_or(low), share)
            }
            _ => at(q)?,
        };
        let plain = q * (1.0 - q) / n;
        let z = z_two_sided(super::LEVEL);
        let (low, high) = (at(q - z * plain.sqrt())?, at(q + z * plain.sqrt())?);
        let independent = (n - 1.0) * ((high - low) / (2.0 * z)).powi(2);

        let upto = self.cumulated.partition_point(|tally| tally.value <= found);
        let under = upto.checked_sub(1).map_or((0, 0, 0), |at| {
            let tally = self.cumulated[at];
            (tally.n, tally.ranks, tally.sizes)
        });
        if self.calls < 2 {
            return None;
        }
        // Sums of products about the means, from whole numbers: nothing is lost before the one division.
        let k = i128::from(self.calls);
        let about = |products: u64, a: u64, b: u64| {
            let exact = k * i128::from(products) - i128::from(a) * i128::from(b);
            exact as f64 / (k * (k - 1)) as f64
        };
        let (s, ss, sn) = under;
        let ratio = s as f64 / n;
        let spread =
            about(ss, s, s) - 2.0 * ratio * about(sn, s, all.n) + ratio * ratio * about(all.ranks, all.n, all.n);
        let mean_size = n / self.calls as f64;
        let clustered = spread / (self.calls as f64 * mean_size.powi(2));
        let square = independent * clustered / plain / n;
        Some(ClusteredQuantile { quantile: found, error: square.max(0.0).sqrt(), values: all.n, calls: self.calls })
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct QuantileDifference {
    pub treatment: ClusteredQuantile,
    pub control: ClusteredQuantile,
    pub difference: f64,
    pub error: f64,
    pub lower: f64,
    pub upper: f64,
}

/// Difference of a turn-level quantile, treatment minus control.
pub fn quantile_difference(treatment: &Clusters, control: &Clusters, q: f64, level: f64) -> Option<QuantileDifference> {
    let (t, c) = (treatment.quantile(q)?, control.quantile(q)?);
    let error = t.error.hypot(c.error);
    let half = z_two_sided(level) * error;
    let difference = t.quantile - c.quantile;
    Some(QuantileDifference {
        treatment: t,
        control: c,
        difference,
        error,
        lower: difference - half,
        upper: difference + half,
    })
}

/// Ratio of a turn-level quantile, treatment over control: the errors relative to their quantiles, added on the log
/// scale (delta method). `None` where a quantile is not above 0.
pub fn quantile_ratio(
    treatment: &Clusters,
    control: &Clusters,
    q: f64,
    level: f64,
) -> Option<super::proportion::Limits> {
    let (t, c) = (treatment.quantile(q)?, control.quantile(q)?);
    if t.quantile <= 0.0 || c.quantile <= 0.0 {
        return None;
    }
    let half = z_two_sided(level) * (t.error / t.quantile).hypot(c.error / c.quantile);
    let ratio = t.quantile / c.quantile;
    Some(super::proportion::Limits { estimate: ratio, lower: ratio * (-half).exp(), upper: ratio * half.exp() })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{covariance, mean, variance};
    use super::*;

    /// The formula over the calls themselves.
    fn by_calls(calls: &[Vec<f64>], q: f64) -> Option<ClusteredQuantile> {
        let calls: Vec<&Vec<f64>> = calls.iter().filter(|values| !values.is_empty()).collect();
        let mut sorted: Vec<f64> = calls.iter().flat_map(|call| call.iter().copied()).collect();
        sorted.sort_by(f64::total_cmp);
        let n = sorted.len() as f64;
        let level = quantile::Level::from_parts_per_million((q * 1e6).round() as u32).expect("at most one");
        let found = quantile::of_sorted(&sorted, level)?;
        let plain = q * (1.0 - q) / n;
        let z = z_two_sided(super::super::LEVEL);
        let at = |p| quantile::of_sorted_at(&sorted, p);
        let (low, high) = (at(q - z * plain.sqrt())?, at(q + z * plain.sqrt())?);
        let independent = (n - 1.0) * ((high - low) / (2.0 * z)).powi(2);
        let sizes: Vec<f64> = calls.iter().map(|call| call.len() as f64).collect();
        let under: Vec<f64> = calls.iter().map(|call| call.iter().filter(|v| **v <= found).count() as f64).collect();
        let ratio = under.iter().sum::<f64>() / n;
        let spread = variance(&under)? - 2.0 * ratio * covariance(&under, &sizes)? + ratio * ratio * variance(&sizes)?;
        let clustered = spread / (calls.len() as f64 * mean(&sizes)?.powi(2));
        let square = independent * clustered / plain / n;
        let (values, calls) = (sorted.len() as u64, calls.len() as u64);
        Some(ClusteredQuantile { quantile: found, error: square.max(0.0).sqrt(), values, calls })
    }

    proptest! {
        /// The guards: `ranks` and `sizes` of a tally, and the whole numbers of `about`.
        #[test]
        fn sums_say_what_the_calls_themselves_say(
            calls in prop::collection::vec(prop::collection::vec(0_u32..40, 0..6), 0..25),
            parts in 1_u32..100,
        ) {
            let q = f64::from(parts) / 100.0;
            let calls: Vec<Vec<f64>> =
                calls.into_iter().map(|call| call.into_iter().map(f64::from).collect()).collect();
            let (sums, naive) = (Clusters::collect(calls.clone()).quantile(q), by_calls(&calls, q));
            prop_assert_eq!(sums.is_some(), naive.is_some());
            if let (Some(a), Some(b)) = (sums, naive) {
                prop_assert_eq!((a.quantile, a.values, a.calls), (b.quantile, b.values, b.calls));
                prop_assert!((a.error - b.error).abs() <= 1e-5 * b.error.max(1.0), "{} {}", a.error, b.error);
            }
        }
    }
}
