//! What a success takes, and what calls last and cost: ratios of sums, each with its limits.
//!
//! The unit by which a sum varies is the quarter of an hour in which was dialled. Calls of one quarter share lines, callees'
//! habits and load, so that limits by the call would be too narrow; and quarters are what the counts keep.

use serde::{Deserialize, Serialize};

use crate::domain::Mode;

use super::figures::{Figures, QuarterRow};
use super::intervals::{NOTHING, absent, bare, known};
use super::model::Interval;
use super::stats::LEVEL;
use super::stats::means::{self, Sums};
use super::stats::proportion::Limits;

/// Fewer quarters than this in an arm, and a ratio has no limits.
pub const QUARTERS_MIN: u64 = 12;
const METHOD: &str = "jackknife_over_quarters";

/// A sum over another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ratio {
    AttemptsPerGoal,
    MinutesPerGoal,
    CostPerGoal,
    CostPerMinute,
    /// Mean talk over answered attempts.
    Acd,
}

impl Ratio {
    pub const ALL: [Ratio; 5] =
        [Ratio::AttemptsPerGoal, Ratio::MinutesPerGoal, Ratio::CostPerGoal, Ratio::CostPerMinute, Ratio::Acd];

    pub fn as_str(self) -> &'static str {
        match self {
            Ratio::AttemptsPerGoal => "attempts_per_goal",
            Ratio::MinutesPerGoal => "minutes_per_goal",
            Ratio::CostPerGoal => "cost_per_goal_micros",
            Ratio::CostPerMinute => "cost_per_minute_micros",
            Ratio::Acd => "acd_ms",
        }
    }

    fn of(self, row: &QuarterRow) -> (f64, f64) {
        let (goals, minutes) = (row.goals as f64, row.talk_ms as f64 / 60_000.0);
        match self {
            Ratio::AttemptsPerGoal => (row.attempts as f64, goals),
            Ratio::MinutesPerGoal => (minutes, goals),
            Ratio::CostPerGoal => (row.cost_micros as f64, goals),
            Ratio::CostPerMinute => (row.cost_micros as f64, minutes),
            Ratio::Acd => (row.talk_ms as f64, row.answered as f64),
        }
    }
}

/// A ratio of an arm, or what it is of the baseline's: 1.2 is a fifth more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Effort {
    pub metric: String,
    pub value: Interval,
}

/// An arm's sums, a quarter of an hour each.
struct Sides {
    numerators: Vec<f64>,
    denominators: Vec<f64>,
}

impl Sides {
    fn of(figures: &Figures, mode: &Mode, ratio: Ratio) -> Sides {
        let rows = figures.quarters.iter().filter(|row| row.mode == *mode);
        let (numerators, denominators) = rows.map(|row| ratio.of(row)).unzip();
        Sides { numerators, denominators }
    }

    fn sums(&self) -> Sums<'_> {
        Sums { numerators: &self.numerators, denominators: &self.denominators }
    }

    fn n(&self) -> u64 {
        self.numerators.len() as u64
    }
}

/// What the report counts, with the limits that `n` quarters give it. A goal may count by contact, or by a judge: then the
/// limits are as far from that, in proportion, as they are from the ratio of the quarters.
fn limited(n: u64, told: Option<f64>, found: Option<Limits>) -> Interval {
    let Some(told) = told else { return absent(METHOD, n, NOTHING) };
    match found {
        _ if n < QUARTERS_MIN => {
            bare(METHOD, n, Some(told), format!("too few quarters of an hour ({n} < {QUARTERS_MIN})"))
        }
        None => bare(METHOD, n, Some(told), "nothing varies"),
        Some(found) => {
            let scale = told / found.estimate;
            known(METHOD, n, told, found.lower * scale, found.upper * scale)
        }
    }
}

/// A ratio of an arm; `told` as the report counts it.
pub fn ratio(figures: &Figures, mode: &Mode, ratio: Ratio, told: Option<f64>) -> Effort {
    let sides = Sides::of(figures, mode, ratio);
    let value = limited(sides.n(), told, means::ratio_limits(sides.sums(), LEVEL));
    Effort { metric: ratio.as_str().to_owned(), value }
}

/// What a ratio of the mode is of the baseline's. `of` are both as the report counts them.
pub fn against(
    figures: &Figures,
    (mode, baseline): (&Mode, &Mode),
    ratio: Ratio,
    of: (Option<f64>, Option<f64>),
) -> Interval {
    let (own, base) = (Sides::of(figures, mode, ratio), Sides::of(figures, baseline, ratio));
    let n = own.n().min(base.n());
    let told = of.0.zip(of.1).filter(|(_, base)| *base > 0.0).map(|(own, base)| own / base);
    limited(n, told, means::ratio_of_ratios(own.sums(), base.sums(), LEVEL))
}

#[cfg(test)]
mod tests {
    use super::super::stats::bootstrap::Dice;
    use super::*;

    /// Quarters in which the rates of both sums wander together, as lines and callees do.
    fn drawn(dice: &mut Dice, quarters: usize, per_goal: f64) -> (Vec<f64>, Vec<f64>) {
        let mut share = || dice.below(1_000_000) as f64 / 1e6;
        (0..quarters)
            .map(|_| {
                let busy = 20.0 + 60.0 * share();
                let goals = busy * (0.2 + 0.3 * share());
                (goals * per_goal * (0.7 + 0.6 * share()), goals.max(0.5))
            })
            .unzip()
    }

    /// The limits hold the truth as often as they say: less three standard errors of two thousand trials.
    #[test]
    fn limits_over_quarters_hold_the_truth() {
        let mut dice = Dice::seeded(7);
        for quarters in [QUARTERS_MIN as usize, 24] {
            let (mut own, mut ratio) = (0, 0);
            for _ in 0..2_000 {
                let (n, d) = drawn(&mut dice, quarters, 4.0);
                let (base_n, base_d) = drawn(&mut dice, quarters, 5.0);
                let (sums, base) =
                    (Sums { numerators: &n, denominators: &d }, Sums { numerators: &base_n, denominators: &base_d });
                let found = means::ratio_limits(sums, LEVEL).expect("it varies");
                own += u32::from((found.lower..=found.upper).contains(&4.0));
                let found = means::ratio_of_ratios(sums, base, LEVEL).expect("it varies");
                ratio += u32::from((found.lower..=found.upper).contains(&0.8));
            }
            assert!(own >= 1_870 && ratio >= 1_870, "{quarters} quarters: {own} and {ratio} of 2000");
            assert!(own <= 1_960, "{quarters} quarters: limits that are never wrong say nothing: {own}");
        }
    }

    #[test]
    fn few_quarters_have_no_limits_and_the_figure_stays() {
        let mode = Mode::dialog();
        let row = |at: i64| QuarterRow {
            night: 1,
            mode: mode.clone(),
            at: crate::domain::Timestamp(at),
            attempts: 10 + at as u64,
            answered: 5,
            goals: 2,
            talk_ms: 1_000,
            cost_micros: 0,
        };
        let figures = |n: i64| Figures {
            quarters: (0..n).map(row).collect(),
            ..super::super::judged::tests::figures(9, Vec::new())
        };
        let few = ratio(&figures(QUARTERS_MIN as i64 - 1), &mode, Ratio::AttemptsPerGoal, Some(6.0)).value;
        assert_eq!((few.estimate, few.limits()), (Some(6.0), None));
        assert_eq!(few.reason.as_deref(), Some("too few quarters of an hour (11 < 12)"));
        let enough = ratio(&figures(QUARTERS_MIN as i64), &mode, Ratio::AttemptsPerGoal, Some(6.0)).value;
        let (lower, upper) = enough.limits().expect("limits");
        assert!(lower < 6.0 && 6.0 < upper, "{enough:?}");
        let free = ratio(&figures(QUARTERS_MIN as i64), &mode, Ratio::CostPerGoal, None).value;
        assert_eq!((free.estimate, free.reason.as_deref()), (None, Some(NOTHING)));
    }
}
