//! Breakers: when something is so wrong that going on would only make more of it.
//!
//! They look at what happened since the run was started or resumed, arm by arm; an arm's breaker pauses the whole
//! run, because a split that went on with fewer arms would compare something else.

use super::{Fault, Mode, Outcome};

/// Ended attempts that the failure rate looks at, and how few say nothing yet.
pub const FAILURES_OF: usize = 50;
const FAILURES_SEEN_MIN: usize = 20;
/// Answered calls that silence is counted in, how few say nothing yet, and how many silent ones are no accident:
/// at three in a hundred, fifty calls have two of them by chance every other time.
pub const SILENT_OF: usize = 200;
const SILENT_SEEN_MIN: usize = 50;
const SILENT_MIN: usize = 6;
/// An agent that is not heard by then is silent, in milliseconds from the answer.
pub const SILENT_AFTER_MS: i64 = 2_000;
/// Ended attempts of an arm that are looked at for both.
pub const LOOKED_AT_MAX: i64 = 1_000;
/// Spending is counted over this long.
pub const SPEND_MS: i64 = 3_600_000;

/// Thresholds; `None` is off.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Breakers {
    /// Share of the last ended attempts that failed by the provider, the carrier or us.
    pub failures: Option<f64>,
    /// Started sessions in a row that never asked for their grant.
    pub ungranted: Option<u32>,
    /// Share of the last answered calls in which the agent was silent.
    pub silent: Option<f64>,
    /// Micros in an hour. No default: what is much, only the operator knows.
    pub spend_hour: Option<i64>,
}

impl Default for Breakers {
    fn default() -> Self {
        Breakers { failures: Some(0.5), ungranted: Some(10), silent: Some(0.03), spend_hour: None }
    }
}

/// An attempt that has ended, as breakers see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    pub outcome: Outcome,
    /// Something of ours broke after the answer.
    pub broke: bool,
    /// The session itself told of its call: history knows nothing of sounds.
    pub told: bool,
    pub first_audio_ms: Option<i64>,
    pub talk_ms: Option<i64>,
}

impl Ended {
    /// `None`: it says nothing about whether calls work.
    fn failed(&self) -> Option<bool> {
        match (self.outcome, self.outcome.fault()) {
            (Outcome::Cancelled | Outcome::Expired | Outcome::Suppressed, _) => None,
            // A number that does not exist speaks about the list.
            (Outcome::InvalidNumber, _) => Some(false),
            (_, Fault::Provider | Fault::Carrier | Fault::Us) => Some(true),
            (_, Fault::Contact | Fault::Unknown) => Some(self.broke),
        }
    }

    /// `None`: it was not answered, or nobody listened. Who hung up before the agent was late is no witness.
    fn silent(&self) -> Option<bool> {
        if self.outcome != Outcome::Answered || !self.told {
            return None;
        }
        Some(match self.first_audio_ms {
            Some(ms) => ms > SILENT_AFTER_MS,
            None => self.talk_ms.is_some_and(|ms| ms > SILENT_AFTER_MS),
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Name {
    Failures,
    Ungranted,
    Silent,
    SpendHour,
}

impl Name {
    pub const ALL: [Name; 4] = [Name::Failures, Name::Ungranted, Name::Silent, Name::SpendHour];

    pub fn as_str(self) -> &'static str {
        match self {
            Name::Failures => "failures",
            Name::Ungranted => "ungranted",
            Name::Silent => "silent",
            Name::SpendHour => "spend_hour",
        }
    }
}

/// Where one breaker stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    pub name: Name,
    /// `None`: the run as a whole.
    pub arm: Option<Mode>,
    /// Shares from 0 to 1, a count, or an amount in units of the currency.
    pub value: f64,
    pub threshold: f64,
    pub tripped: bool,
}

/// What happened since the run was started or resumed.
#[derive(Clone, Debug, Default)]
pub struct Window {
    /// The newest first.
    pub arms: Vec<(Mode, Vec<Ended>)>,
    pub ungranted: i64,
    /// Micros of the last hour.
    pub spent_hour: i64,
}

pub fn readings(breakers: &Breakers, window: &Window) -> Vec<Reading> {
    let mut found = Vec::new();
    for (arm, ended) in &window.arms {
        if let Some(threshold) = breakers.failures {
            let (bad, seen) = count(ended.iter().filter_map(Ended::failed).take(FAILURES_OF));
            let value = share(bad, seen);
            let tripped = seen >= FAILURES_SEEN_MIN && value > threshold;
            found.push(Reading { name: Name::Failures, arm: Some(arm.clone()), value, threshold, tripped });
        }
        if let Some(threshold) = breakers.silent {
            let (bad, seen) = count(ended.iter().filter_map(Ended::silent).take(SILENT_OF));
            let value = share(bad, seen);
            let tripped = seen >= SILENT_SEEN_MIN && bad >= SILENT_MIN && value >= threshold;
            found.push(Reading { name: Name::Silent, arm: Some(arm.clone()), value, threshold, tripped });
        }
    }
    if let Some(max) = breakers.ungranted {
        let (value, threshold) = (window.ungranted as f64, f64::from(max));
        found.push(Reading { name: Name::Ungranted, arm: None, value, threshold, tripped: value >= threshold });
    }
    if let Some(max) = breakers.spend_hour {
        let units = |micros: i64| micros as f64 / super::money::MICROS as f64;
        let tripped = window.spent_hour > max;
        let (value, threshold) = (units(window.spent_hour), units(max));
        found.push(Reading { name: Name::SpendHour, arm: None, value, threshold, tripped });
    }
    found
}

fn count(each: impl Iterator<Item = bool>) -> (usize, usize) {
    each.fold((0, 0), |(bad, seen), is_bad| (bad + usize::from(is_bad), seen + 1))
}

fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// What the paused run says of itself.
pub fn sentence(reading: &Reading, currency: &str) -> String {
    let arm = reading.arm.as_ref().map(|arm| format!("arm {arm}: ")).unwrap_or_default();
    let percent = |share: f64| format!("{:.0} %", share * 100.0);
    let (value, threshold) = (reading.value, reading.threshold);
    match reading.name {
        Name::Failures => format!(
            "{arm}{} of the last calls failed by the provider, the carrier or us (breaker at {})",
            percent(value),
            percent(threshold)
        ),
        Name::Silent => format!(
            "{arm}in {} of the last answered calls the agent was not heard within 2 s (breaker at {})",
            percent(value),
            percent(threshold)
        ),
        Name::Ungranted => "started sessions do not reach BACKEND_URL".to_owned(),
        Name::SpendHour => {
            format!("the last hour cost {value:.2} {currency} (breaker at {threshold:.2} {currency})")
        }
    }
}

#[cfg(test)]
#[path = "breaker_tests.rs"]
mod tests;
