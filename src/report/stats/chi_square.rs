//! Pearson's χ²: arms against weights, and shares against each other.

use super::chi_square_upper;

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChiSquare {
    pub statistic: f64,
    pub df: u64,
    pub p: f64,
}

/// Sample ratio is called broken under this p: it is looked at in every report.
pub const SAMPLE_RATIO_ALARM: f64 = 0.001;

/// Goodness of fit of counts to weights: `Σ (o - e)² / e`, `df = arms - 1`.
/// K. Pearson (1900). `None` with fewer than two arms, without counts, or with a weight of zero.
pub fn goodness_of_fit(observed: &[u64], weights: &[f64]) -> Option<ChiSquare> {
    if observed.len() != weights.len() || observed.len() < 2 || weights.iter().any(|w| *w <= 0.0) {
        return None;
    }
    let total = observed.iter().sum::<u64>() as f64;
    let weight_sum: f64 = weights.iter().sum();
    if total == 0.0 {
        return None;
    }
    let statistic = observed
        .iter()
        .zip(weights)
        .map(|(o, w)| {
            let expected = total * w / weight_sum;
            (*o as f64 - expected).powi(2) / expected
        })
        .sum();
    let df = observed.len() as u64 - 1;
    Some(ChiSquare { statistic, df, p: chi_square_upper(statistic, df) })
}

/// Do `k` of `n` differ between arms? Pearson's test of the 2 × arms table, no correction.
/// `None` when nothing varies.
pub fn homogeneity(shares: &[super::proportion::Share]) -> Option<ChiSquare> {
    if shares.len() < 2 || shares.iter().any(|s| s.n == 0 || s.k > s.n) {
        return None;
    }
    let (k, n): (u64, u64) = shares.iter().fold((0, 0), |sum, s| (sum.0 + s.k, sum.1 + s.n));
    let pooled = k as f64 / n as f64;
    if pooled <= 0.0 || pooled >= 1.0 {
        return None;
    }
    let statistic = shares
        .iter()
        .map(|s| {
            let expected = s.n as f64 * pooled;
            (s.k as f64 - expected).powi(2) / (expected * (1.0 - pooled))
        })
        .sum();
    let df = shares.len() as u64 - 1;
    Some(ChiSquare { statistic, df, p: chi_square_upper(statistic, df) })
}
