//! Rates, their differences, and "not worse by more than a margin".

use super::{phi, phi_upper, z_two_sided};

/// Limits of an interval, both ends known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    pub estimate: f64,
    pub lower: f64,
    pub upper: f64,
}

/// `k` successes of `n`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    pub k: u64,
    pub n: u64,
}

impl Share {
    pub fn new(k: u64, n: u64) -> Self {
        Share { k, n }
    }

    /// `None` of nothing, and where more succeeded than were tried.
    pub fn rate(self) -> Option<f64> {
        (self.n > 0 && self.k <= self.n).then(|| self.k as f64 / self.n as f64)
    }
}

/// Wilson's score interval, no continuity correction:
/// `(p + z²/2n ± z √(p(1-p)/n + z²/4n²)) / (1 + z²/n)`.
/// E. B. Wilson, JASA 22 (1927). At `k = 0` the lower limit is exactly 0, at `k = n` the upper 1.
pub fn wilson(share: Share, level: f64) -> Option<Limits> {
    wilson_z(share, z_two_sided(level))
}

fn wilson_z(share: Share, z: f64) -> Option<Limits> {
    let p = share.rate()?;
    let n = share.n as f64;
    let denominator = 1.0 + z * z / n;
    let centre = (p + z * z / (2.0 * n)) / denominator;
    let half = z * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt() / denominator;
    Some(Limits {
        estimate: p,
        lower: if share.k == 0 { 0.0 } else { (centre - half).max(0.0) },
        upper: if share.k == share.n { 1.0 } else { (centre + half).min(1.0) },
    })
}

/// Newcombe's hybrid score interval of treatment minus control, from the two Wilson intervals:
/// `lower = d - √((pT-lT)² + (uC-pC)²)`, `upper = d + √((uT-pT)² + (pC-lC)²)`.
/// R. G. Newcombe, Statistics in Medicine 17 (1998), method 10.
pub fn newcombe(treatment: Share, control: Share, level: f64) -> Option<Limits> {
    newcombe_z(treatment, control, z_two_sided(level))
}

fn newcombe_z(treatment: Share, control: Share, z: f64) -> Option<Limits> {
    let (t, c) = (wilson_z(treatment, z)?, wilson_z(control, z)?);
    let d = t.estimate - c.estimate;
    Some(Limits {
        estimate: d,
        lower: d - (t.estimate - t.lower).hypot(c.upper - c.estimate),
        upper: d + (t.upper - t.estimate).hypot(c.estimate - c.lower),
    })
}

/// Pooled two-proportion z test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ProportionTest {
    pub z: f64,
    pub p_two_sided: f64,
    pub p_greater: f64,
    pub p_less: f64,
}

/// `z = (p1 - p2) / √(p(1-p)(1/n1 + 1/n2))` with the pooled `p`, no continuity correction.
/// `None` when nothing varies: all or none succeeded in both.
pub fn two_proportion_z(first: Share, second: Share) -> Option<ProportionTest> {
    let (p1, p2) = (first.rate()?, second.rate()?);
    let (n1, n2) = (first.n as f64, second.n as f64);
    let pooled = (first.k + second.k) as f64 / (n1 + n2);
    let error = (pooled * (1.0 - pooled) * (1.0 / n1 + 1.0 / n2)).sqrt();
    if error == 0.0 {
        return None;
    }
    let z = (p1 - p2) / error;
    Some(ProportionTest {
        z,
        p_two_sided: (2.0 * phi_upper(z.abs())).min(1.0),
        p_greater: phi_upper(z),
        p_less: phi(z),
    })
}

/// What the interval says about a margin. A small but proven loss inside the margin is both
/// `noninferior` and `inferior`: both flags are kept.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NonInferiority {
    pub limits: Limits,
    pub noninferior: bool,
    pub superior: bool,
    pub inferior: bool,
    /// The loss is proven to exceed the margin.
    pub refuted: bool,
    /// `None` outside `P_SMALLEST ..= P_LARGEST`.
    pub p: Option<f64>,
}

/// Below this the inversion stops: nothing printed distinguishes smaller values.
pub const P_SMALLEST: f64 = 1e-9;
/// Above this the estimate itself lies beyond the margin.
pub const P_LARGEST: f64 = 0.5;

/// Not worse by more than `margin`: confirmed iff Newcombe's lower limit at `1 - 2 alpha` is
/// above `-margin`. The p value inverts the same interval (the one-sided alpha at which the lower
/// limit meets `-margin`), so that p and verdict never disagree.
pub fn noninferiority(treatment: Share, control: Share, margin: f64, alpha: f64) -> Option<NonInferiority> {
    let limits = newcombe(treatment, control, 1.0 - 2.0 * alpha)?;
    Some(NonInferiority {
        limits,
        noninferior: limits.lower > -margin,
        superior: limits.lower > 0.0,
        inferior: limits.upper < 0.0,
        refuted: limits.upper < -margin,
        p: inverted_p(treatment, control, margin),
    })
}

/// The lower limit grows with alpha (the interval narrows), so that bisection finds its meeting
/// with `-margin`. It works on ln alpha: the answer may be tiny.
fn inverted_p(treatment: Share, control: Share, margin: f64) -> Option<f64> {
    const HALVINGS: u32 = 200;
    // An estimate that lies on the margin but for the rounding of a subtraction is beyond it.
    const HAIR: f64 = 1e-12;
    let gap = |alpha: f64| newcombe_z(treatment, control, -super::z_of(alpha)).map(|limits| limits.lower + margin);
    let (mut low, mut high) = (P_SMALLEST.ln(), P_LARGEST.ln());
    if gap(P_SMALLEST)? > 0.0 || gap(P_LARGEST)? < HAIR {
        return None;
    }
    for _ in 0..HALVINGS {
        let middle = 0.5 * (low + high);
        if gap(middle.exp())? < 0.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
    Some((0.5 * (low + high)).exp())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn wilson_holds_its_estimate_and_stays_a_rate(n in 1_u64..5_000, share in 0.0_f64..=1.0) {
            let k = (share * n as f64).round() as u64;
            let limits = wilson(Share::new(k, n), 0.95).expect("n is positive");
            prop_assert!(0.0 <= limits.lower && limits.lower <= limits.estimate);
            prop_assert!(limits.estimate <= limits.upper && limits.upper <= 1.0);
        }

        #[test]
        fn wilson_mirrors(n in 1_u64..5_000, share in 0.0_f64..=1.0) {
            let k = (share * n as f64).round() as u64;
            let limits = wilson(Share::new(k, n), 0.95).expect("n is positive");
            let mirrored = wilson(Share::new(n - k, n), 0.95).expect("n is positive");
            prop_assert!((limits.lower - (1.0 - mirrored.upper)).abs() < 1e-12);
        }

        #[test]
        fn newcombe_turns_its_sign_with_the_arms(k1 in 0_u64..60, k2 in 0_u64..60) {
            let (a, b) = (Share::new(k1, 60), Share::new(k2, 60));
            let forth = newcombe(a, b, 0.95).expect("n is positive");
            let back = newcombe(b, a, 0.95).expect("n is positive");
            prop_assert!((forth.lower + back.upper).abs() < 1e-12);
            prop_assert!((forth.upper + back.lower).abs() < 1e-12);
        }

        #[test]
        fn p_and_verdict_agree(kt in 0_u64..200, kc in 0_u64..200) {
            let found = noninferiority(Share::new(kt, 200), Share::new(kc, 200), 0.05, 0.025)
                .expect("n is positive");
            if let Some(p) = found.p {
                prop_assert_eq!(p < 0.025, found.noninferior);
            }
        }
    }

    #[test]
    fn nothing_has_no_interval() {
        assert_eq!(wilson(Share::new(0, 0), 0.95), None);
        assert_eq!(newcombe(Share::new(1, 2), Share::new(0, 0), 0.95), None);
    }
}
