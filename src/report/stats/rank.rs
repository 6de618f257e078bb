//! Rank tests of two samples: how often one is faster, and by how much.

use super::{phi_upper, select, z_two_sided};

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MannWhitney {
    /// Pairs with x > y, ties as halves.
    pub u: f64,
    pub p_two_sided: f64,
    /// `P(X > Y) + P(X = Y) / 2`.
    pub effect: f64,
}

/// Σ(t³ - t) over groups of equal values.
fn tie_sum(x: &[f64], y: &[f64]) -> f64 {
    let mut all: Vec<f64> = x.iter().chain(y).copied().collect();
    all.sort_by(f64::total_cmp);
    all.chunk_by(|a, b| a == b).map(|group| (group.len() as f64).powi(3) - group.len() as f64).sum()
}

/// Standard deviation of U without a shift, corrected for ties.
fn u_deviation(x: &[f64], y: &[f64]) -> f64 {
    let (n, m) = (x.len() as f64, y.len() as f64);
    let total = n + m;
    if total < 2.0 {
        return 0.0;
    }
    (n * m / 12.0 * (total + 1.0 - tie_sum(x, y) / (total * (total - 1.0)))).max(0.0).sqrt()
}

/// Mann–Whitney U of x over y: normal approximation with tie-corrected variance and a continuity
/// correction of one half. Mann and Whitney, Ann. Math. Stat. 18 (1947). +∞ is a value like
/// another: a call without an answer is slower than any other, and ties with its like.
pub fn mann_whitney(x: &[f64], y: &[f64]) -> Option<MannWhitney> {
    if x.is_empty() || y.is_empty() {
        return None;
    }
    let mut sorted = y.to_vec();
    sorted.sort_by(f64::total_cmp);
    let u: f64 = x
        .iter()
        .map(|value| {
            let below = sorted.partition_point(|other| other < value);
            let not_above = sorted.partition_point(|other| other <= value);
            below as f64 + (not_above - below) as f64 / 2.0
        })
        .sum();
    let pairs = x.len() as f64 * y.len() as f64;
    let deviation = u_deviation(x, y);
    let p_two_sided =
        if deviation == 0.0 { 1.0 } else { (2.0 * phi_upper(((u - pairs / 2.0).abs() - 0.5) / deviation)).min(1.0) };
    Some(MannWhitney { u, p_two_sided, effect: u / pairs })
}

/// Under this many values in each sample, and without ties, limits are exact.
pub const EXACT_MAX: usize = 50;

/// Hodges–Lehmann shift with its rank interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shift {
    pub estimate: f64,
    pub lower: f64,
    pub upper: f64,
    pub exact: bool,
}

/// The median of all `x - y`, with limits that are the k-th smallest and k-th largest of those
/// differences: the largest k with `2 P(W ≤ k-1) ≤ α`, from the exact distribution of W in small
/// samples without ties, else from its tie-corrected normal approximation.
/// Hodges and Lehmann, Ann. Math. Stat. 34 (1963); Bauer, JASA 67 (1972). Values are finite.
pub fn hodges_lehmann(x: &[f64], y: &[f64], level: f64) -> Option<Shift> {
    let exact = x.len() < EXACT_MAX && y.len() < EXACT_MAX && tie_sum(x, y) == 0.0;
    hodges_lehmann_by(x, y, level, exact)
}

/// The same with the way of finding the limits chosen by the caller.
pub fn hodges_lehmann_by(x: &[f64], y: &[f64], level: f64, exact: bool) -> Option<Shift> {
    if x.is_empty() || y.is_empty() || x.iter().chain(y).any(|value| !value.is_finite()) {
        return None;
    }
    let (mut a, mut b) = (x.to_vec(), y.to_vec());
    a.sort_by(f64::total_cmp);
    b.sort_by(f64::total_cmp);
    let pairs = (a.len() * b.len()) as u64;
    let alpha = 1.0 - level;
    let k = if exact {
        exact_rank(&rank_sum_counts(a.len(), b.len()), alpha)
    } else {
        let reach = pairs as f64 / 2.0 + 0.5 - z_two_sided(level) * u_deviation(x, y);
        reach.floor().max(1.0) as u64
    };
    let at = |rank| select::difference(&a, &b, rank);
    Some(Shift { estimate: select::median(pairs, at), lower: at(k), upper: at(pairs + 1 - k), exact })
}

/// How many of the equally likely arrangements give each value of U: the recurrence of Mann and
/// Whitney as a product of Gaussian binomials. Counts stay exact under 2^53 and are used as shares.
fn rank_sum_counts(n: usize, m: usize) -> Vec<f64> {
    let top = n * m;
    let mut counts = vec![0.0; top + 1];
    counts[0] = 1.0;
    for i in 1..=n {
        // Multiply by (1 - q^(m+i)), divide by (1 - q^i).
        for at in (m + i..=top).rev() {
            counts[at] -= counts[at - m - i];
        }
        for at in i..=top {
            counts[at] += counts[at - i];
        }
    }
    counts
}

/// The largest k (at least 1) with `2 P(W ≤ k-1) ≤ alpha`.
pub(super) fn exact_rank(counts: &[f64], alpha: f64) -> u64 {
    // A hair of tolerance: the sums are floats, the comparison is between fractions.
    const HAIR: f64 = 1e-12;
    let total: f64 = counts.iter().sum();
    let mut below = 0.0;
    let mut k = 0;
    for count in counts {
        below += count;
        if 2.0 * below / total > alpha + HAIR {
            break;
        }
        k += 1;
    }
    k.max(1)
}
