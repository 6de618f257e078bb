//! Statistics of the comparison, as pure functions of numbers.
//!
//! Nothing here knows what a call is, rounds, words a verdict, reads a clock or throws dice of
//! its own: a seed is handed in. Each function names its formula and where it comes from, and is
//! held to results of independent packages by `tests/vectors.rs`.

pub mod agreement;
pub mod bootstrap;
pub mod bucket;
pub mod chi_square;
pub mod clustered;
pub mod control;
pub mod means;
pub mod multiple;
pub mod paired;
pub mod planner;
pub mod proportion;
pub mod quantile;
pub mod rank;
pub mod select;
pub mod sequential;
pub mod strata;

use statrs::distribution::{ChiSquared, ContinuousCDF, Normal};

/// Two-sided level of every interval that a report prints.
pub const LEVEL: f64 = 0.95;

/// Standard normal quantile. `p` outside (0, 1) gives the infinities.
pub fn z_of(p: f64) -> f64 {
    if p <= 0.0 {
        return f64::NEG_INFINITY;
    }
    if p >= 1.0 {
        return f64::INFINITY;
    }
    Normal::standard().inverse_cdf(p)
}

/// Quantile that leaves `(1 - level) / 2` on each side.
pub fn z_two_sided(level: f64) -> f64 {
    z_of(0.5 + level / 2.0)
}

/// Standard normal distribution function.
pub fn phi(x: f64) -> f64 {
    Normal::standard().cdf(x)
}

/// Upper tail of the standard normal: no cancellation far out.
pub fn phi_upper(x: f64) -> f64 {
    Normal::standard().sf(x)
}

/// Upper tail of χ² with `df` degrees of freedom; 1 without freedom.
pub fn chi_square_upper(x: f64, df: u64) -> f64 {
    match ChiSquared::new(df as f64) {
        Ok(distribution) if x > 0.0 => distribution.sf(x),
        _ => 1.0,
    }
}

/// Arithmetic mean; `None` of nothing.
pub fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// Sample covariance with `n - 1`; `None` under two pairs.
pub fn covariance(x: &[f64], y: &[f64]) -> Option<f64> {
    if x.len() != y.len() || x.len() < 2 {
        return None;
    }
    let (mean_x, mean_y) = (mean(x)?, mean(y)?);
    let sum: f64 = x.iter().zip(y).map(|(a, b)| (a - mean_x) * (b - mean_y)).sum();
    Some(sum / (x.len() - 1) as f64)
}

/// Sample variance with `n - 1`; `None` under two values.
pub fn variance(values: &[f64]) -> Option<f64> {
    covariance(values, values)
}
