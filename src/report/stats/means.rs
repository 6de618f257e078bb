//! Means, and ratios of sums whose unit is the call.

use statrs::distribution::{ContinuousCDF, StudentsT};

use super::proportion::Limits;
use super::{covariance, mean, phi_upper, variance, z_two_sided};

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Welch {
    pub t: f64,
    pub df: f64,
    pub p_two_sided: f64,
    pub difference: f64,
    pub lower: f64,
    pub upper: f64,
}

/// Welch's test of `mean(x) - mean(y)` with Satterthwaite's degrees of freedom. B. L. Welch,
/// Biometrika 34 (1947). For per-call means, or logs of per-call medians (then `exp` of the
/// difference is a ratio). `None` under two values in a sample, or when nothing varies.
pub fn welch(x: &[f64], y: &[f64], level: f64) -> Option<Welch> {
    let a = variance(x)? / x.len() as f64;
    let b = variance(y)? / y.len() as f64;
    let error = (a + b).sqrt();
    if error.is_nan() || error <= 0.0 {
        return None;
    }
    let df = (a + b).powi(2) / (a * a / (x.len() as f64 - 1.0) + b * b / (y.len() as f64 - 1.0));
    let student = StudentsT::new(0.0, 1.0, df).ok()?;
    let difference = mean(x)? - mean(y)?;
    let t = difference / error;
    let half = student.inverse_cdf(0.5 + level / 2.0) * error;
    Some(Welch {
        t,
        df,
        p_two_sided: (2.0 * student.sf(t.abs())).min(1.0),
        difference,
        lower: difference - half,
        upper: difference + half,
    })
}

/// What each call of an arm adds to numerator and denominator.
#[derive(Debug, Clone, Copy)]
pub struct Sums<'a> {
    pub numerators: &'a [f64],
    pub denominators: &'a [f64],
}

impl Sums<'_> {
    /// The ratio of sums with its delta-method variance over calls:
    /// `(S_nn - 2 r S_nd + r² S_dd) / (k mean(d)²)`.
    fn ratio(self) -> Option<(f64, f64)> {
        let total: f64 = self.denominators.iter().sum();
        if total == 0.0 {
            return None;
        }
        let ratio = self.numerators.iter().sum::<f64>() / total;
        let nn = variance(self.numerators)?;
        let nd = covariance(self.numerators, self.denominators)?;
        let dd = variance(self.denominators)?;
        let scale = self.numerators.len() as f64 * mean(self.denominators)?.powi(2);
        Some((ratio, (nn - 2.0 * ratio * nd + ratio * ratio * dd) / scale))
    }
}

/// Student's quantile for a two-sided interval over as many equal units as these are worth: `(Σd)² / Σd²`, L. Kish 1965.
fn t_two_sided(sums: Sums<'_>, level: f64) -> Option<f64> {
    let (sum, squares) = sums.denominators.iter().fold((0.0, 0.0), |(sum, squares), d| (sum + d, squares + d * d));
    let student = StudentsT::new(0.0, 1.0, sum * sum / squares - 1.0).ok()?;
    Some(student.inverse_cdf(0.5 + level / 2.0))
}

impl Sums<'_> {
    /// The log of the ratio with its variance by the jackknife, one unit left out at a time: of few units the delta method's
    /// is too small. `None` unless all those ratios are above 0 and something varies. B. Efron and C. Stein, Ann. Statist.
    /// 9 (1981).
    fn log_ratio(self) -> Option<(f64, f64)> {
        let (n, d) = (self.numerators.iter().sum::<f64>(), self.denominators.iter().sum::<f64>());
        let log = |n: f64, d: f64| (n > 0.0 && d > 0.0).then(|| (n / d).ln());
        let units = self.numerators.iter().zip(self.denominators);
        let without: Vec<f64> = units.map(|(a, b)| log(n - a, d - b)).collect::<Option<_>>()?;
        let k = without.len() as f64;
        let spread = variance(&without)? * (k - 1.0).powi(2) / k;
        (spread > 1e-18).then_some((log(n, d)?, spread))
    }
}

fn exp_limits(log: f64, half: f64) -> Limits {
    Limits { estimate: log.exp(), lower: (log - half).exp(), upper: (log + half).exp() }
}

/// A ratio of sums above 0, its limits by the jackknife on the log scale, with Student's quantile for that many units.
pub fn ratio_limits(sums: Sums<'_>, level: f64) -> Option<Limits> {
    let (log, variance) = sums.log_ratio()?;
    Some(exp_limits(log, t_two_sided(sums, level)? * variance.sqrt()))
}

/// One ratio of sums over another, treatment over control: the same, with the wider quantile of the two.
pub fn ratio_of_ratios(treatment: Sums<'_>, control: Sums<'_>, level: f64) -> Option<Limits> {
    let ((t, t_variance), (c, c_variance)) = (treatment.log_ratio()?, control.log_ratio()?);
    let t_quantile = t_two_sided(treatment, level)?.max(t_two_sided(control, level)?);
    Some(exp_limits(t - c, t_quantile * (t_variance + c_variance).sqrt()))
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RatioDifference {
    pub control: f64,
    pub treatment: f64,
    pub difference: f64,
    pub error: f64,
    pub lower: f64,
    pub upper: f64,
    pub p_two_sided: f64,
}

/// Difference of two ratios of sums, treatment minus control, by the delta method with calls as
/// the unit: mean turn latency weighted by turns, cost per goal. Deng, Knoblich and Lu, KDD 2018.
pub fn ratio_of_sums(treatment: Sums<'_>, control: Sums<'_>, level: f64) -> Option<RatioDifference> {
    let (t, t_variance) = treatment.ratio()?;
    let (c, c_variance) = control.ratio()?;
    let error = (t_variance + c_variance).max(0.0).sqrt();
    let half = z_two_sided(level) * error;
    let difference = t - c;
    let p_two_sided = if error > 0.0 { (2.0 * phi_upper((difference / error).abs())).min(1.0) } else { 1.0 };
    Some(RatioDifference {
        control: c,
        treatment: t,
        difference,
        error,
        lower: difference - half,
        upper: difference + half,
        p_two_sided,
    })
}
