//! What a comparison is judged by, written down before the first call.

use super::Mode;

/// How often the data may be looked at with a verdict in mind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Regime {
    /// Once, at the planned end.
    #[default]
    Fixed,
    /// At planned nights, each with its share of the error.
    Group,
    /// At any time; intervals are wider for it.
    AlwaysValid,
}

impl Regime {
    pub const ALL: [Regime; 3] = [Regime::Fixed, Regime::Group, Regime::AlwaysValid];

    pub fn as_str(self) -> &'static str {
        match self {
            Regime::Fixed => "fixed",
            Regime::Group => "group",
            Regime::AlwaysValid => "always_valid",
        }
    }

    pub fn is_fixed(&self) -> bool {
        *self == Regime::Fixed
    }
}

/// What is compared with what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Each contact has one arm.
    #[default]
    Split,
    /// Arms that play the same: a check of the machinery, which should find nothing.
    Aa,
    /// A panel of test numbers: each meets every mode in turn, and is its own control.
    Crossover,
}

impl Kind {
    pub const ALL: [Kind; 3] = [Kind::Split, Kind::Aa, Kind::Crossover];

    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Split => "split",
            Kind::Aa => "aa",
            Kind::Crossover => "crossover",
        }
    }

    pub fn is_split(&self) -> bool {
        *self == Kind::Split
    }
}

/// Who says of a call whether it reached its goal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Success {
    /// Whoever led the dialogue, as the session told it at its end.
    #[default]
    Dialogue,
    /// A judge over the words, who is told nothing else.
    Judge,
}

impl Success {
    pub const ALL: [Success; 2] = [Success::Dialogue, Success::Judge];

    pub fn as_str(self) -> &'static str {
        match self {
            Success::Dialogue => "dialogue",
            Success::Judge => "judge",
        }
    }

    pub fn is_dialogue(&self) -> bool {
        *self == Success::Dialogue
    }
}

/// Who judges.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Judge {
    /// The rules that the built-in replier follows.
    #[default]
    Rules,
    /// The model that replies.
    Model,
}

impl Judge {
    pub const ALL: [Judge; 2] = [Judge::Rules, Judge::Model];

    pub fn as_str(self) -> &'static str {
        match self {
            Judge::Rules => "rules",
            Judge::Model => "model",
        }
    }

    pub fn is_rules(&self) -> bool {
        *self == Judge::Rules
    }
}

impl std::str::FromStr for Judge {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Judge::ALL.into_iter().find(|judge| judge.as_str() == text).ok_or_else(|| "write rules or model".to_owned())
    }
}

/// `[experiment]`. Where nothing is said, the defaults of the report hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Experiment {
    pub kind: Kind,
    /// Against which mode the others are held.
    pub baseline: Option<Mode>,
    /// By how much success may fall, in percentage points.
    pub margin_pp: Option<f64>,
    pub regime: Regime,
    /// Completed runs after which there is a verdict.
    pub nights: Option<u32>,
    /// Planned looks, in completed runs; the last is the planned end. Of `group` alone.
    pub looks: Vec<u32>,
    /// Human calls planned for each arm. Of `always_valid`: where its intervals are tightest.
    pub calls: Option<u32>,
    pub success: Success,
    /// Who judges where nobody names another; where `success` is `judge`, whose word decides.
    pub judge: Judge,
}

/// Nights of a scheduled campaign that says nothing else.
pub const NIGHTS: u32 = 28;

impl Experiment {
    /// The looks that `group` proposes: quarters of the planned nights, 7, 14, 21 and 28 of 28.
    pub fn looks_of(nights: u32) -> Vec<u32> {
        let mut looks: Vec<u32> = (1..=4).map(|quarter| (nights * quarter).div_ceil(4)).collect();
        looks.dedup();
        looks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_are_quarters_and_end_with_the_plan() {
        assert_eq!(Experiment::looks_of(28), [7, 14, 21, 28]);
        assert_eq!(Experiment::looks_of(2), [1, 2]);
        assert_eq!(Experiment::looks_of(1), [1]);
        assert_eq!(Experiment::looks_of(10), [3, 5, 8, 10]);
    }
}
