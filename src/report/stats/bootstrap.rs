//! The difference of two medians, by resampling whole contacts inside night × arm.
//!
//! The generator is our own and small, so that the same seed gives the same limits on every
//! machine and with every version of every crate.

use super::{LEVEL, quantile};

/// Resamples behind an interval.
pub const RESAMPLES: usize = 2_000;

/// xoshiro256** of Blackman and Vigna (2018), its state filled by splitmix64.
pub struct Dice([u64; 4]);

impl Dice {
    pub fn seeded(seed: u64) -> Self {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut mixed = state;
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            mixed ^ (mixed >> 31)
        };
        Dice([next(), next(), next(), next()])
    }

    pub fn draw(&mut self) -> u64 {
        let s = &mut self.0;
        let drawn = s[1].wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let shifted = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= shifted;
        s[3] = s[3].rotate_left(45);
        drawn
    }

    /// One of `0..n`; the bias of the multiplication is under n / 2^64.
    pub fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.draw()) * n as u128) >> 64) as usize
    }
}

/// The values of one arm, one per contact, by night.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sample {
    nights: Vec<Vec<f64>>,
}

impl Sample {
    /// Nights without values are left out; order inside a night does not matter.
    pub fn collect(nights: impl IntoIterator<Item = Vec<f64>>) -> Self {
        let mut nights: Vec<Vec<f64>> = nights.into_iter().filter(|night| !night.is_empty()).collect();
        for night in &mut nights {
            // The rows of a database come in any order; the same seed must meet the same list.
            night.sort_by(f64::total_cmp);
        }
        Sample { nights }
    }

    pub fn n(&self) -> u64 {
        self.nights.iter().map(|night| night.len() as u64).sum()
    }

    /// All values, ascending.
    pub fn sorted(&self) -> Vec<f64> {
        let mut all: Vec<f64> = self.nights.iter().flatten().copied().collect();
        all.sort_by(f64::total_cmp);
        all
    }

    pub fn median(&self) -> Option<f64> {
        quantile::of_sorted(&self.sorted(), quantile::Level::P50)
    }
}

/// An arm whose values are ranked once, so that a resample is a tally and its median a walk.
struct Ranked {
    values: Vec<f64>,
    /// For each night, where its values stand in the ranking.
    nights: Vec<Vec<usize>>,
    tally: Vec<u32>,
}

impl Ranked {
    fn new(sample: &Sample) -> Self {
        let mut tagged: Vec<(f64, usize)> = sample
            .nights
            .iter()
            .enumerate()
            .flat_map(|(night, values)| values.iter().map(move |value| (*value, night)))
            .collect();
        tagged.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let mut nights = vec![Vec::new(); sample.nights.len()];
        for (index, (_, night)) in tagged.iter().enumerate() {
            nights[*night].push(index);
        }
        let tally = vec![0; tagged.len()];
        Ranked { values: tagged.into_iter().map(|(value, _)| value).collect(), nights, tally }
    }

    fn resampled_median(&mut self, dice: &mut Dice) -> f64 {
        self.tally.fill(0);
        for night in &self.nights {
            for _ in 0..night.len() {
                self.tally[night[dice.below(night.len())]] += 1;
            }
        }
        let n = self.values.len() as u64;
        let upper_rank = n / 2;
        let lower_rank = (n - 1) / 2;
        let (mut seen, mut lower) = (0_u64, f64::NAN);
        for (value, count) in self.values.iter().zip(&self.tally) {
            seen += u64::from(*count);
            if lower.is_nan() && seen > lower_rank {
                lower = *value;
            }
            if seen > upper_rank {
                return if lower == *value { lower } else { lower + 0.5 * (*value - lower) };
            }
        }
        lower
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MedianDifference {
    pub treatment: f64,
    pub control: f64,
    pub difference: f64,
    pub lower: f64,
    pub upper: f64,
    /// One-sided: the treatment is not faster.
    pub p_faster: f64,
    pub p_two_sided: f64,
    pub resamples: usize,
}

/// Difference of medians, treatment minus control, with percentile limits at 95 % from
/// [`RESAMPLES`] resamples of contacts with replacement inside each night of each arm.
/// Efron and Tibshirani, An Introduction to the Bootstrap (1993), 13.3. Values are finite; `None`
/// when an arm has none. p is at least `1 / (resamples + 1)`.
pub fn median_difference(treatment: &Sample, control: &Sample, seed: u64) -> Option<MedianDifference> {
    median_difference_at(treatment, control, seed, LEVEL, RESAMPLES)
}

/// The same at another level, or from more resamples: a p value under `1 / RESAMPLES` needs them.
pub fn median_difference_at(
    treatment: &Sample,
    control: &Sample,
    seed: u64,
    level: f64,
    resamples: usize,
) -> Option<MedianDifference> {
    let (t, c) = (treatment.median()?, control.median()?);
    if !t.is_finite() || !c.is_finite() {
        return None;
    }
    let mut differences: Vec<f64> = resampled(treatment, control, seed, resamples).map(|(t, c)| t - c).collect();
    differences.sort_by(f64::total_cmp);
    let tail = (1.0 - level) / 2.0;
    let count = resamples as f64;
    let least = 1.0 / (count + 1.0);
    let not_above = differences.partition_point(|d| *d <= 0.0) as f64 / count;
    let not_below = 1.0 - differences.partition_point(|d| *d < 0.0) as f64 / count;
    Some(MedianDifference {
        treatment: t,
        control: c,
        difference: t - c,
        lower: quantile::of_sorted_at(&differences, tail)?,
        upper: quantile::of_sorted_at(&differences, 1.0 - tail)?,
        p_faster: not_below.max(least),
        p_two_sided: (2.0 * not_above.min(not_below)).clamp(least, 1.0),
        resamples,
    })
}

/// Pairs of medians, each arm drawn anew.
fn resampled(treatment: &Sample, control: &Sample, seed: u64, times: usize) -> impl Iterator<Item = (f64, f64)> {
    let mut dice = Dice::seeded(seed);
    let (mut of_treatment, mut of_control) = (Ranked::new(treatment), Ranked::new(control));
    (0..times).map(move |_| (of_treatment.resampled_median(&mut dice), of_control.resampled_median(&mut dice)))
}

/// Ratio of medians, treatment over control, with percentile limits at 95 % from the same resamples as
/// [`median_difference`]. `None` where a median is not finite or the control's is not above 0.
pub fn median_ratio(treatment: &Sample, control: &Sample, seed: u64) -> Option<super::proportion::Limits> {
    let (t, c) = (treatment.median()?, control.median()?);
    if !t.is_finite() || !c.is_finite() || c <= 0.0 {
        return None;
    }
    let mut ratios: Vec<f64> = resampled(treatment, control, seed, RESAMPLES).map(|(t, c)| t / c).collect();
    ratios.sort_by(f64::total_cmp);
    let tail = (1.0 - LEVEL) / 2.0;
    Some(super::proportion::Limits {
        estimate: t / c,
        lower: quantile::of_sorted_at(&ratios, tail)?,
        upper: quantile::of_sorted_at(&ratios, 1.0 - tail)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(dice: &mut Dice, n: usize, from: f64) -> Vec<f64> {
        (0..n).map(|_| from + dice.below(800) as f64).collect()
    }

    #[test]
    fn the_same_seed_gives_the_same_limits_whatever_the_order() {
        let mut dice = Dice::seeded(7);
        let (a, b) = (drawn(&mut dice, 60, 300.0), drawn(&mut dice, 60, 600.0));
        let mut turned = a.clone();
        turned.reverse();
        let first = median_difference(&Sample::collect([a]), &Sample::collect([b.clone()]), 42);
        let second = median_difference(&Sample::collect([turned]), &Sample::collect([b]), 42);
        assert_eq!(first, second);
        let found = first.expect("both arms have values");
        assert!(found.lower <= found.difference && found.difference <= found.upper);
        assert!(found.upper < 0.0 && found.p_faster < 0.025);
    }

    #[test]
    fn limits_cover_a_difference_of_nothing_about_as_often_as_they_say() {
        // 150 experiments of two equal arms with 30 contacts in each of two nights; a nominal 5 %
        // of misses, three standard errors allowed above the 6 % that percentile limits have.
        let mut dice = Dice::seeded(1);
        let misses = (0..150)
            .filter(|seed| {
                let mut arm = || Sample::collect([drawn(&mut dice, 30, 0.0), drawn(&mut dice, 30, 0.0)]);
                let (a, b) = (arm(), arm());
                let found = median_difference(&a, &b, *seed).expect("both arms have values");
                found.lower > 0.0 || found.upper < 0.0
            })
            .count();
        assert!(misses <= 17, "{misses} of 150 intervals missed a difference of nothing");
    }

    #[test]
    fn the_generator_is_the_published_one() {
        // First outputs of xoshiro256** from the state 1, 2, 3, 4.
        let mut dice = Dice([1, 2, 3, 4]);
        assert_eq!([dice.draw(), dice.draw(), dice.draw()], [11520, 0, 1509978240]);
    }
}
