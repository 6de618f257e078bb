//! Looking before the end without spoiling the error rate.

use super::{phi_upper, z_of};

/// What is known of one arm: enough for a mean and its variance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    pub n: f64,
    pub mean: f64,
    pub variance: f64,
}

impl Summary {
    /// Variance `p(1-p)`.
    pub fn of_share(k: f64, n: f64) -> Option<Self> {
        (n > 0.0).then(|| {
            let mean = k / n;
            Summary { n, mean, variance: mean * (1.0 - mean) }
        })
    }

    /// Sample variance from a sum and a sum of squares.
    pub fn of_sums(n: f64, sum: f64, squares: f64) -> Option<Self> {
        (n > 1.0).then(|| {
            let mean = sum / n;
            Summary { n, mean, variance: (squares - sum * sum / n) / (n - 1.0) }
        })
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sequence {
    pub difference: f64,
    pub error: f64,
    pub lower: f64,
    pub upper: f64,
    pub p: f64,
}

/// Asymptotic confidence sequence of treatment minus control, valid at every look, tightest at
/// `n_star` observations. With `s² = v_T/n_T + v_C/n_C`, `N = n_T + n_C`,
/// `ρ² = (-2 ln α + ln(1 - 2 ln α)) / n_star`: half-width
/// `√(s²N) √(2(Nρ²+1) ln(√(Nρ²+1)/α)) / (Nρ)`.
/// Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, Annals of Statistics 52 (2024).
pub fn confidence_sequence(treatment: Summary, control: Summary, alpha: f64, n_star: f64) -> Option<Sequence> {
    let total = treatment.n + control.n;
    let square = treatment.variance / treatment.n + control.variance / control.n;
    if square.is_nan() || square <= 0.0 || n_star <= 0.0 {
        return None;
    }
    let rho2 = (-2.0 * alpha.ln() + (1.0 - 2.0 * alpha.ln()).ln()) / n_star;
    let grown = total * rho2 + 1.0;
    let half = (square * total).sqrt() * (2.0 * grown * (grown.sqrt() / alpha).ln()).sqrt() / (total * rho2.sqrt());
    let difference = treatment.mean - control.mean;
    let p = grown.sqrt() * (-rho2 * total * difference * difference / (2.0 * square * grown)).exp();
    Some(Sequence {
        difference,
        error: square.sqrt(),
        lower: difference - half,
        upper: difference + half,
        p: p.min(1.0),
    })
}

/// A density of the test's Brownian motion on the part where the trial goes on.
struct Going {
    from: f64,
    step: f64,
    /// Density times Simpson weight times step.
    mass: Vec<f64>,
}

/// Points of each integration; even intervals for Simpson's rule.
const INTERVALS: usize = 400;
/// Where a normal tail is taken for nothing.
const FAR: f64 = 8.0;

impl Going {
    fn of(from: f64, to: f64, density: impl Fn(f64) -> f64) -> Self {
        let step = (to - from) / INTERVALS as f64;
        let mass = (0..=INTERVALS)
            .map(|index| {
                let weight = match index {
                    0 | INTERVALS => 1.0,
                    odd if odd % 2 == 1 => 4.0,
                    _ => 2.0,
                };
                density(from + index as f64 * step) * weight * step / 3.0
            })
            .collect();
        Going { from, step, mass }
    }

    fn integrate(&self, f: impl Fn(f64) -> f64) -> f64 {
        self.mass.iter().enumerate().map(|(index, mass)| mass * f(self.from + index as f64 * self.step)).sum()
    }
}

/// Bounds on z at planned looks: Lan–DeMets with the power spending `α t^φ` (φ = 3 is close to
/// O'Brien–Fleming); a two-sided plan spends half on each side and has symmetric bounds.
/// Lan and DeMets, Biometrika 70 (1983); recursion of Armitage, McPherson and Rowe, JRSS A 132
/// (1969). `information` ascends to at most 1.
pub fn group_bounds(information: &[f64], alpha: f64, two_sided: bool, phi_power: f64) -> Option<Vec<f64>> {
    let ascending = information.windows(2).all(|pair| pair[0] < pair[1]);
    let (first, last) = (*information.first()?, *information.last()?);
    if !ascending || first <= 0.0 || last > 1.0 + 1e-12 {
        return None;
    }
    let side = if two_sided { alpha / 2.0 } else { alpha };
    let mut bounds = Vec::with_capacity(information.len());
    let (mut spent, mut before) = (0.0, 0.0);
    let mut going: Option<Going> = None;
    for &time in information {
        let due = side * time.powf(phi_power);
        let increment = due - spent;
        let deviation = (time - before).sqrt();
        let bound = match &going {
            None => -z_of(increment) * time.sqrt(),
            Some(going) => crossing(increment, |level| going.integrate(|at| phi_upper((level - at) / deviation))),
        };
        let from = if two_sided { -bound } else { -FAR * time.sqrt() };
        let density = |x: f64| {
            let normal = |distance: f64| {
                (-0.5 * (distance / deviation).powi(2)).exp() / (deviation * std::f64::consts::TAU.sqrt())
            };
            match &going {
                None => normal(x),
                Some(going) => going.integrate(|at| normal(x - at)),
            }
        };
        let next = Going::of(from, bound, density);
        bounds.push(bound / time.sqrt());
        going = Some(next);
        spent = due;
        before = time;
    }
    Some(bounds)
}

/// The level at which a falling probability meets its target.
fn crossing(target: f64, probability: impl Fn(f64) -> f64) -> f64 {
    const HALVINGS: u32 = 80;
    let (mut low, mut high) = (-FAR, FAR);
    for _ in 0..HALVINGS {
        let middle = 0.5 * (low + high);
        if probability(middle) > target {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}
