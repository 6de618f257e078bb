//! Success pooled over nights, each night compared within itself.

use super::{chi_square_upper, proportion::Share, z_two_sided};

/// One night: what each arm reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stratum {
    pub treatment: Share,
    pub control: Share,
}

impl Stratum {
    /// Successes and failures of both arms, as floats: a, b, c, d of the textbooks.
    fn cells(self) -> (f64, f64, f64, f64) {
        let Stratum { treatment: t, control: c } = self;
        (t.k as f64, (t.n - t.k) as f64, c.k as f64, (c.n - c.k) as f64)
    }

    /// Both arms have somebody, and no count exceeds its whole.
    fn compares(self) -> bool {
        let Stratum { treatment: t, control: c } = self;
        t.n > 0 && c.n > 0 && t.k <= t.n && c.k <= c.n
    }
}

/// Nights in which both arms have contacts; the others compare nothing.
fn comparing(strata: &[Stratum]) -> Vec<Stratum> {
    strata.iter().copied().filter(|stratum| stratum.compares()).collect()
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cmh {
    pub chi_square: f64,
    pub p: f64,
    pub odds_ratio: f64,
    pub lower: f64,
    pub upper: f64,
    /// Breslow–Day with Tarone's adjustment; `None` for a single stratum.
    pub heterogeneity: Option<(f64, f64)>,
}

/// Cochran–Mantel–Haenszel without continuity correction (libraries disagree about it), the common
/// odds ratio with the interval of Robins, Breslow and Greenland, Biometrics 42 (1986).
pub fn cmh(strata: &[Stratum], level: f64) -> Option<Cmh> {
    let strata = comparing(strata);
    let (mut deviation, mut spread) = (0.0, 0.0);
    let (mut r, mut s, mut pr, mut ps_qr, mut qs) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for stratum in &strata {
        let (a, b, c, d) = stratum.cells();
        let n = a + b + c + d;
        deviation += a - (a + b) * (a + c) / n;
        if n > 1.0 {
            spread += (a + b) * (c + d) * (a + c) * (b + d) / (n * n * (n - 1.0));
        }
        let (along, across) = (a * d / n, b * c / n);
        let (p, q) = ((a + d) / n, (b + c) / n);
        r += along;
        s += across;
        pr += p * along;
        ps_qr += p * across + q * along;
        qs += q * across;
    }
    if spread == 0.0 || r == 0.0 || s == 0.0 {
        return None;
    }
    let odds_ratio = r / s;
    let log_variance = pr / (2.0 * r * r) + ps_qr / (2.0 * r * s) + qs / (2.0 * s * s);
    let half = z_two_sided(level) * log_variance.sqrt();
    let chi_square = deviation * deviation / spread;
    Some(Cmh {
        chi_square,
        p: chi_square_upper(chi_square, 1),
        odds_ratio,
        lower: odds_ratio * (-half).exp(),
        upper: odds_ratio * half.exp(),
        heterogeneity: breslow_day(&strata, odds_ratio),
    })
}

/// Does one odds ratio fit all strata? `Σ (a - A)²/V - (Σ(a - A))²/ΣV`, where A solves
/// `A(m0 - t + A) = OR (m1 - A)(t - A)`. R. E. Tarone, Biometrika 72 (1985).
fn breslow_day(strata: &[Stratum], odds_ratio: f64) -> Option<(f64, f64)> {
    if strata.len() < 2 {
        return None;
    }
    let (mut sum, mut deviation, mut spread) = (0.0, 0.0, 0.0);
    for stratum in strata {
        let (a, b, c, d) = stratum.cells();
        let (treated, controls, successes) = (a + b, c + d, a + c);
        let expected = fitted_cell(treated, controls, successes, odds_ratio);
        let precision = 1.0 / expected
            + 1.0 / (treated - expected)
            + 1.0 / (successes - expected)
            + 1.0 / (controls - successes + expected);
        if !precision.is_finite() {
            // A margin of zero: this stratum says nothing about the ratio.
            continue;
        }
        let variance = 1.0 / precision;
        sum += (a - expected).powi(2) / variance;
        deviation += a - expected;
        spread += variance;
    }
    if spread == 0.0 {
        return None;
    }
    let statistic = sum - deviation * deviation / spread;
    Some((statistic, chi_square_upper(statistic, strata.len() as u64 - 1)))
}

/// The cell of a 2 × 2 table with given margins whose odds ratio is `ratio`, by bisection: the
/// odds ratio grows with the cell.
fn fitted_cell(treated: f64, controls: f64, successes: f64, ratio: f64) -> f64 {
    const HALVINGS: u32 = 200;
    let (mut low, mut high) = ((successes - controls).max(0.0), treated.min(successes));
    for _ in 0..HALVINGS {
        let cell = 0.5 * (low + high);
        if cell * (controls - successes + cell) < ratio * (treated - cell) * (successes - cell) {
            low = cell;
        } else {
            high = cell;
        }
    }
    0.5 * (low + high)
}

/// A pooled difference of rates, treatment minus control.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pooled {
    pub difference: f64,
    pub error: f64,
    pub lower: f64,
    pub upper: f64,
}

impl Pooled {
    fn new(difference: f64, error: f64, level: f64) -> Self {
        let half = z_two_sided(level) * error;
        Pooled { difference, error, lower: difference - half, upper: difference + half }
    }
}

/// Mantel–Haenszel difference of rates: weights `n1 n0 / (n1 + n0)`, which do not depend on the
/// outcomes, with the variance of Greenland and Robins, Biometrics 41 (1985).
pub fn mantel_haenszel(strata: &[Stratum], level: f64) -> Option<Pooled> {
    let (mut weights, mut sum, mut spread) = (0.0, 0.0, 0.0);
    for stratum in comparing(strata) {
        let (a, b, c, d) = stratum.cells();
        let (n1, n0) = (a + b, c + d);
        let weight = n1 * n0 / (n1 + n0);
        weights += weight;
        sum += weight * (a / n1 - c / n0);
        spread += (a * b * n0.powi(3) + c * d * n1.powi(3)) / (n1 * n0 * (n1 + n0).powi(2));
    }
    (weights > 0.0).then(|| Pooled::new(sum / weights, spread.sqrt() / weights, level))
}

/// Nights that may differ in their effect.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Heterogeneity {
    /// Inverse-variance fixed effect.
    pub fixed: Pooled,
    /// DerSimonian–Laird random effects; equal to `fixed` when `tau2` is 0.
    pub random: Pooled,
    pub q: f64,
    pub q_p: f64,
    pub i2: f64,
    pub tau2: f64,
}

/// Cochran's Q, I² and τ² between nights. DerSimonian and Laird, Controlled Clinical Trials 7
/// (1986). A night in which an arm had all or none has no variance to be weighed by and is left out.
pub fn heterogeneity(strata: &[Stratum], level: f64) -> Option<Heterogeneity> {
    let effects: Vec<(f64, f64)> = comparing(strata)
        .into_iter()
        .map(|stratum| {
            let (a, b, c, d) = stratum.cells();
            let (n1, n0) = (a + b, c + d);
            (a / n1 - c / n0, a * b / n1.powi(3) + c * d / n0.powi(3))
        })
        .filter(|(_, variance)| *variance > 0.0)
        .collect();
    let (fixed, error) = weighed(&effects, 0.0)?;
    let degrees = effects.len() as f64 - 1.0;
    let weights: f64 = effects.iter().map(|(_, v)| 1.0 / v).sum();
    let squares: f64 = effects.iter().map(|(_, v)| 1.0 / (v * v)).sum();
    let q: f64 = effects.iter().map(|(effect, v)| (effect - fixed).powi(2) / v).sum();
    let scale = weights - squares / weights;
    let tau2 = if scale > 0.0 { ((q - degrees) / scale).max(0.0) } else { 0.0 };
    let (random, random_error) = weighed(&effects, tau2)?;
    Some(Heterogeneity {
        fixed: Pooled::new(fixed, error, level),
        random: Pooled::new(random, random_error, level),
        q,
        q_p: chi_square_upper(q, effects.len() as u64 - 1),
        i2: if q > 0.0 { ((q - degrees) / q).max(0.0) } else { 0.0 },
        tau2,
    })
}

fn weighed(effects: &[(f64, f64)], between: f64) -> Option<(f64, f64)> {
    let weights: f64 = effects.iter().map(|(_, v)| 1.0 / (v + between)).sum();
    let sum: f64 = effects.iter().map(|(effect, v)| effect / (v + between)).sum();
    (weights > 0.0).then(|| (sum / weights, weights.sqrt().recip()))
}
