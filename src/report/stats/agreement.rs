//! Two readers of the same calls: how far they agree, and whether one is more generous.

use super::proportion::Limits;
use super::z_two_sided;

/// Yes and no of two readers, counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pairs {
    pub both: u64,
    pub first_only: u64,
    pub second_only: u64,
    pub neither: u64,
}

impl Pairs {
    pub fn n(self) -> u64 {
        self.both + self.first_only + self.second_only + self.neither
    }

    pub fn agreed(self) -> u64 {
        self.both + self.neither
    }

    pub fn plus(self, other: Pairs) -> Pairs {
        Pairs {
            both: self.both + other.both,
            first_only: self.first_only + other.first_only,
            second_only: self.second_only + other.second_only,
            neither: self.neither + other.neither,
        }
    }

    /// Share of yes of the first reader minus that of the second; `None` of nothing.
    pub fn excess(self) -> Option<f64> {
        (self.n() > 0).then(|| (self.first_only as f64 - self.second_only as f64) / self.n() as f64)
    }

    /// The excess and its variance with half a call added to each cell: two readers who never differed in twenty calls
    /// are not known to agree for ever. A. Agresti, Y. Min, Statistics in Medicine 24 (2005).
    fn adjusted(self) -> Option<(f64, f64)> {
        if self.n() == 0 {
            return None;
        }
        let n = self.n() as f64 + 2.0;
        let (b, c) = (self.first_only as f64 + 0.5, self.second_only as f64 + 0.5);
        let excess = (b - c) / n;
        Some((excess, ((b + c) / n - excess * excess) / n))
    }
}

/// Cohen's kappa, `(po - pe) / (1 - pe)`, with the large-sample error of J. L. Fleiss, J. Cohen and B. S. Everitt,
/// Psychological Bulletin 72 (1969). `None` of nothing, and where chance alone makes them agree always: both said the
/// same of every call.
pub fn kappa(pairs: Pairs, level: f64) -> Option<Limits> {
    let n = pairs.n() as f64;
    let share = |k: u64| k as f64 / n;
    let (both, neither) = (share(pairs.both), share(pairs.neither));
    let (first_only, second_only) = (share(pairs.first_only), share(pairs.second_only));
    let (first, second) = (both + first_only, both + second_only);
    let chance = first * second + (1.0 - first) * (1.0 - second);
    if pairs.n() == 0 || chance > 1.0 - f64::EPSILON {
        return None;
    }
    let estimate = (both + neither - chance) / (1.0 - chance);
    let rest = 1.0 - estimate;
    let agreed = |cell: f64, row: f64, column: f64| cell * (1.0 - (row + column) * rest).powi(2);
    let a = agreed(both, first, second) + agreed(neither, 1.0 - first, 1.0 - second);
    // A cell's weight: its column's share for the first reader and its row's for the second, crosswise.
    let b = rest * rest * (first_only * (second + 1.0 - first).powi(2) + second_only * (1.0 - second + first).powi(2));
    let c = (estimate - chance * rest).powi(2);
    let error = ((a + b - c).max(0.0) / n).sqrt() / (1.0 - chance);
    let half = z_two_sided(level) * error;
    Some(Limits { estimate, lower: (estimate - half).max(-1.0), upper: (estimate + half).min(1.0) })
}

/// By how much more generous the first reader is with one group than with another: the difference of the two excesses,
/// Agresti and Min's interval. What the first reader's difference of rates is wrong by, if the second is right.
pub fn excess_difference(treatment: Pairs, control: Pairs, level: f64) -> Option<Limits> {
    let ((t, t_variance), (c, c_variance)) = (treatment.adjusted()?, control.adjusted()?);
    let half = z_two_sided(level) * (t_variance + c_variance).sqrt();
    let estimate = treatment.excess()? - control.excess()?;
    Some(Limits { estimate, lower: (t - c - half).min(estimate), upper: (t - c + half).max(estimate) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::stats::LEVEL;

    fn pairs(both: u64, first_only: u64, second_only: u64, neither: u64) -> Pairs {
        Pairs { both, first_only, second_only, neither }
    }

    /// By hand, and as in the textbook: 20, 5, 10, 15 has kappa 0.4 with an error of 0.127.
    #[test]
    fn kappa_of_known_tables() {
        let found = kappa(pairs(20, 5, 10, 15), LEVEL).unwrap();
        assert!((found.estimate - 0.4).abs() < 1e-12);
        assert!((found.lower - 0.151_092).abs() < 1e-5, "{}", found.lower);
        assert!((found.upper - 0.648_908).abs() < 1e-5, "{}", found.upper);
        let same = kappa(pairs(20, 0, 0, 15), LEVEL).unwrap();
        assert_eq!((same.estimate, same.upper), (1.0, 1.0));
        let opposed = kappa(pairs(0, 10, 10, 0), LEVEL).unwrap();
        assert!((opposed.estimate + 1.0).abs() < 1e-12);
        let turned = kappa(pairs(20, 10, 5, 15), LEVEL).unwrap();
        assert!((turned.estimate - found.estimate).abs() < 1e-12 && (turned.lower - found.lower).abs() < 1e-12);
        assert_eq!(kappa(pairs(7, 0, 0, 0), LEVEL), None, "nothing but yes tells nothing");
        assert_eq!(kappa(Pairs::default(), LEVEL), None);
    }

    /// The guard: the sign of `excess`, and that each group has its own.
    #[test]
    fn generosity_is_seen_where_it_differs_between_groups() {
        let (fair, kind) = (pairs(40, 3, 3, 54), pairs(40, 20, 1, 39));
        let found = excess_difference(kind, fair, LEVEL).unwrap();
        assert!((found.estimate - 0.19).abs() < 1e-12 && found.lower > 0.0, "{found:?}");
        let alike = excess_difference(kind, kind, LEVEL).unwrap();
        assert!(alike.lower < 0.0 && alike.upper > 0.0, "as generous with both: the difference of rates is not moved");
        let never = excess_difference(pairs(10, 0, 0, 10), pairs(10, 0, 0, 10), LEVEL).unwrap();
        assert!(never.lower < -0.05 && never.upper > 0.05, "twenty calls each prove little: {never:?}");
        assert_eq!(excess_difference(Pairs::default(), fair, LEVEL), None);
    }

    /// The interval contains the truth about as often as it says; by dice with a fixed seed.
    #[test]
    fn the_interval_of_generosity_covers() {
        use crate::report::stats::bootstrap::Dice;
        let mut dice = Dice::seeded(7);
        let mut draw = |both: u64, first_only: u64, second_only: u64| {
            let mut found = Pairs::default();
            for _ in 0..60 {
                match dice.below(100) as u64 {
                    place if place < both => found.both += 1,
                    place if place < both + first_only => found.first_only += 1,
                    place if place < both + first_only + second_only => found.second_only += 1,
                    _ => found.neither += 1,
                }
            }
            found
        };
        let covered = (0..2_000)
            .filter(|_| {
                let (t, c) = (draw(40, 12, 4), draw(45, 5, 5));
                excess_difference(t, c, LEVEL).is_some_and(|l| l.lower <= 0.08 && 0.08 <= l.upper)
            })
            .count();
        assert!((1_860..=1_950).contains(&covered), "{covered} of 2000");
    }
}
