//! Crossover nights: every number meets every mode, and is its own control.

use statrs::distribution::{Binomial, DiscreteCDF};

use super::{chi_square_upper, phi_upper, rank::exact_rank, select, z_two_sided};

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct McNemar {
    pub p_exact: f64,
    pub chi_square: f64,
    pub p_chi_square: f64,
}

/// Pairs that succeeded only in the treatment (`b`) or only in the control (`c`): exact binomial
/// test, and χ² with continuity correction `(|b - c| - 1)² / (b + c)`, which is 0 at `b = c`.
/// Q. McNemar, Psychometrika 12 (1947). `None` when no pair disagrees.
pub fn mcnemar(b: u64, c: u64) -> Option<McNemar> {
    let n = b + c;
    if n == 0 {
        return None;
    }
    let binomial = Binomial::new(0.5, n).ok()?;
    let gap = b.abs_diff(c).saturating_sub(1) as f64;
    let chi_square = gap * gap / n as f64;
    Some(McNemar {
        p_exact: (2.0 * binomial.cdf(b.min(c))).min(1.0),
        chi_square,
        p_chi_square: chi_square_upper(chi_square, 1),
    })
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SignedRank {
    /// Sum of the ranks of the positive differences.
    pub v: f64,
    pub p_two_sided: f64,
    pub pseudo_median: f64,
    pub lower: f64,
    pub upper: f64,
    pub exact: bool,
}

/// Under this many pairs, without ties and zeros, the distribution is exact.
pub const EXACT_MAX: usize = 50;

/// Wilcoxon's signed ranks of `x - y`, with the median of all Walsh averages and its rank
/// interval. Zeros are left out; with ties or many pairs a normal approximation with continuity
/// and tie correction. F. Wilcoxon, Biometrics 1 (1945).
pub fn signed_rank(x: &[f64], y: &[f64], level: f64) -> Option<SignedRank> {
    if x.len() != y.len() {
        return None;
    }
    let mut d: Vec<f64> = x.iter().zip(y).map(|(a, b)| a - b).filter(|d| *d != 0.0).collect();
    if d.is_empty() || d.iter().any(|value| !value.is_finite()) {
        return None;
    }
    d.sort_by(f64::total_cmp);
    let zeros = x.len() - d.len();
    let (v, ties) = positive_ranks(&d);
    let n = d.len() as f64;
    let pairs = (d.len() * (d.len() + 1) / 2) as u64;
    let exact = d.len() < EXACT_MAX && ties == 0.0 && zeros == 0;

    let (p_two_sided, k) = if exact {
        let counts = rank_counts(d.len());
        let total: f64 = counts.iter().sum();
        // Without ties v is a whole number.
        let rank = v as usize;
        let at_most: f64 = counts[..=rank].iter().sum::<f64>() / total;
        let at_least: f64 = counts[rank..].iter().sum::<f64>() / total;
        ((2.0 * at_most.min(at_least)).min(1.0), exact_rank(&counts, 1.0 - level))
    } else {
        let middle = n * (n + 1.0) / 4.0;
        let deviation = (n * (n + 1.0) * (2.0 * n + 1.0) / 24.0 - ties / 48.0).sqrt();
        let p = if deviation == 0.0 { 1.0 } else { (2.0 * phi_upper(((v - middle).abs() - 0.5) / deviation)).min(1.0) };
        let reach = middle + 0.5 - z_two_sided(level) * deviation;
        (p, reach.floor().max(1.0) as u64)
    };
    let at = |rank| select::walsh(&d, rank);
    Some(SignedRank {
        v,
        p_two_sided,
        pseudo_median: select::median(pairs, at),
        lower: at(k),
        upper: at(pairs + 1 - k),
        exact,
    })
}

/// The rank sum of the positive differences with mid-ranks, and Σ(t³ - t) over ties.
fn positive_ranks(d: &[f64]) -> (f64, f64) {
    let mut by_size = d.to_vec();
    by_size.sort_by(|a, b| a.abs().total_cmp(&b.abs()));
    let (mut v, mut ties, mut before) = (0.0, 0.0, 0_usize);
    for group in by_size.chunk_by(|a, b| a.abs() == b.abs()) {
        let size = group.len() as f64;
        let rank = before as f64 + (size + 1.0) / 2.0;
        v += rank * group.iter().filter(|value| **value > 0.0).count() as f64;
        ties += size.powi(3) - size;
        before += group.len();
    }
    (v, ties)
}

/// In how many of the 2^n sign patterns the positive ranks sum to each value.
fn rank_counts(n: usize) -> Vec<f64> {
    let top = n * (n + 1) / 2;
    let mut counts = vec![0.0; top + 1];
    counts[0] = 1.0;
    for rank in 1..=n {
        for at in (rank..=top).rev() {
            counts[at] += counts[at - rank];
        }
    }
    counts
}
