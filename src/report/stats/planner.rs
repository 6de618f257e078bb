//! How many human calls an answer takes. All sizes are per arm and not rounded: the reader of a
//! plan rounds up.

use statrs::distribution::{ContinuousCDF, StudentsT};
use statrs::function::gamma::ln_gamma;

use super::{phi, z_of};

/// Two rates told apart: pooled variance without a difference, as R's `power.prop.test`.
/// `n = (z(1-α/2) √(2p̄q̄) + z(power) √(p1q1 + p2q2))² / (p1 - p2)²`.
pub fn two_proportions(p1: f64, p2: f64, alpha: f64, power: f64) -> Option<f64> {
    let (pooled, own) = two_spreads(p1, p2);
    let gap = (p1 - p2).abs();
    (gap > 0.0).then(|| ((z_of(1.0 - alpha / 2.0) * pooled + z_of(power) * own) / gap).powi(2))
}

/// The power of that test with `n` per arm, both tails counted.
pub fn two_proportions_power(p1: f64, p2: f64, alpha: f64, n: f64) -> f64 {
    let (pooled, own) = two_spreads(p1, p2);
    let (gap, critical) = (n.sqrt() * (p1 - p2).abs(), z_of(1.0 - alpha / 2.0) * pooled);
    phi((gap - critical) / own) + phi((-gap - critical) / own)
}

fn two_spreads(p1: f64, p2: f64) -> (f64, f64) {
    let mean = (p1 + p2) / 2.0;
    ((2.0 * mean * (1.0 - mean)).sqrt(), (p1 * (1.0 - p1) + p2 * (1.0 - p2)).sqrt())
}

/// Not worse by more than `margin`, `alpha` one-sided:
/// `n = (z(1-α) + z(power))² (pT qT + pC qC) / (pT - pC + margin)²`. `None` when the planned
/// difference itself lies beyond the margin.
pub fn noninferiority(treatment: f64, control: f64, margin: f64, alpha: f64, power: f64) -> Option<f64> {
    let room = treatment - control + margin;
    let spread = treatment * (1.0 - treatment) + control * (1.0 - control);
    (room > 0.0).then(|| (z_of(1.0 - alpha) + z_of(power)).powi(2) * spread / (room * room))
}

/// A ratio of latencies on the log scale: `n = 2 (z(1-α/2) + z(power))² s² / ln(r)²`.
pub fn latency_ratio(ratio: f64, log_deviation: f64, alpha: f64, power: f64) -> Option<f64> {
    (ratio > 0.0 && ratio != 1.0)
        .then(|| 2.0 * ((z_of(1.0 - alpha / 2.0) + z_of(power)) * log_deviation / ratio.ln()).powi(2))
}

/// Two means told apart by a t test, as R's `power.t.test`: the n at which the noncentral t
/// reaches the power. `None` without a difference.
pub fn means(delta: f64, deviation: f64, alpha: f64, power: f64) -> Option<f64> {
    const HALVINGS: u32 = 100;
    const N_MAX: f64 = 1e10;
    if delta == 0.0 || deviation <= 0.0 {
        return None;
    }
    let (mut low, mut high) = (2.0, 4.0);
    let near_tail = |n| means_tails(delta, deviation, alpha, n).map(|tails| tails.0);
    while near_tail(high)? < power {
        low = high;
        high *= 2.0;
        if high > N_MAX {
            return None;
        }
    }
    for _ in 0..HALVINGS {
        let middle = 0.5 * (low + high);
        if near_tail(middle)? < power {
            low = middle;
        } else {
            high = middle;
        }
    }
    Some(0.5 * (low + high))
}

/// The power of that test with `n` per arm, both tails counted.
pub fn means_power(delta: f64, deviation: f64, alpha: f64, n: f64) -> Option<f64> {
    means_tails(delta, deviation, alpha, n).map(|(near, far)| near + far)
}

/// Chances to reject in the direction of the difference and against it.
fn means_tails(delta: f64, deviation: f64, alpha: f64, n: f64) -> Option<(f64, f64)> {
    let df = 2.0 * (n - 1.0);
    let critical = StudentsT::new(0.0, 1.0, df).ok()?.inverse_cdf(1.0 - alpha / 2.0);
    let shift = (n / 2.0).sqrt() * delta.abs() / deviation;
    Some((noncentral_t_upper(critical, df, shift), noncentral_t_upper(critical, df, -shift)))
}

/// `P(T > t)` of Student's t with noncentrality `shift`: the normal tail averaged over the
/// distribution of the estimated deviation, `E Φ(shift - t s)`, `ν s²` being χ² with ν degrees.
fn noncentral_t_upper(t: f64, df: f64, shift: f64) -> f64 {
    const INTERVALS: usize = 4_000;
    const FAR: f64 = 12.0;
    let reach = FAR / (2.0 * df).sqrt();
    let (from, to) = ((1.0 - reach).max(0.0), 1.0 + reach);
    let step = (to - from) / INTERVALS as f64;
    let log_scale = 2_f64.ln() + (df / 2.0) * (df / 2.0).ln() - ln_gamma(df / 2.0);
    let density = |s: f64| if s > 0.0 { (log_scale + (df - 1.0) * s.ln() - df * s * s / 2.0).exp() } else { 0.0 };
    (0..=INTERVALS)
        .map(|index| {
            let s = from + index as f64 * step;
            let weight = match index {
                0 | INTERVALS => 1.0,
                odd if odd % 2 == 1 => 4.0,
                _ => 2.0,
            };
            weight * density(s) * phi(shift - t * s)
        })
        .sum::<f64>()
        * step
        / 3.0
}
