//! A campaign's settings: what an operator writes in `campaign.toml`, already checked.
//!
//! `intake` turns text into this; nothing deeper in looks at the text again.

use super::calendar::Calendar;
use super::pace::Pacing;
use super::{Mode, Outcome, PhoneNumber};
use chrono_tz::Tz;
use std::collections::BTreeMap;

/// Why people are called: the law asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Purpose {
    Test,
    Service,
    Survey,
    Debt,
    Advertising,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    pub name: String,
    pub purpose: Purpose,
    /// Modes and their weights, in the order written; one entry means no experiment.
    pub modes: Vec<(Mode, u32)>,
    /// ISO 3166 alpha-2: how national numbers are read.
    pub region: String,
    /// Name of a file of `policies/`.
    pub policy: String,
    /// Why an administrator lets a purpose through that is refused otherwise.
    pub policy_override: Option<String>,
    /// Where neither the row nor the number says.
    pub timezone: Tz,
    pub dial: Dial,
    /// Ramp-up, jitter, reserve and the limits of caller ids: keys of `[dial]` too.
    pub pacing: Pacing,
    /// What the campaign allows itself; the policy's windows hold besides.
    pub windows: Calendar,
    pub retry: Retry,
    pub schedule: Option<Schedule>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Dial {
    /// Starts per second of program time.
    pub cps: f64,
    /// Open calls.
    pub lines: u32,
    pub caller_ids: Vec<PhoneNumber>,
    /// The phone rings at most this long.
    pub ring_s: u32,
    /// An answered call lasts at most this long.
    pub call_s: u32,
    /// The call is recorded, each side in a channel of its own; the callee is told so.
    pub record: bool,
    pub amd: Amd,
}

/// What an answering machine meets. Detection is paid for by the provider's price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amd {
    /// Nothing listens for machines: whoever answers is a person.
    Off,
    /// It is told, and talked to like a person.
    Mark,
    HangUp,
    /// The first phrase is left as a message.
    Message,
}

impl Amd {
    pub const ALL: [Amd; 4] = [Amd::Off, Amd::Mark, Amd::HangUp, Amd::Message];

    pub fn as_str(self) -> &'static str {
        match self {
            Amd::Off => "off",
            Amd::Mark => "mark",
            Amd::HangUp => "hang_up",
            Amd::Message => "message",
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Retry {
    /// Tries at one contact in one run, over all rules.
    pub attempts_max: u32,
    /// The delay before the 2nd, 3rd … try, counted per outcome; past the end of a list its last entry
    /// repeats. An outcome without a list is not retried.
    pub delays: BTreeMap<Outcome, Vec<Delay>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delay {
    Ms(i64),
    /// The next calendar day in the contact's zone, at the same wall time.
    NextDay,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    /// Five fields, Unix weekdays (0 and 7 = Sunday, 1 = Monday).
    pub cron: String,
    pub timezone: Tz,
    pub take: Take,
    pub overlap: Overlap,
    pub missed: Missed,
}

/// What becomes of moments that passed while no scheduler ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missed {
    /// One run now makes up for all of them.
    Run,
    /// They are recorded as skipped.
    Skip,
}

/// Whom a firing calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Take {
    All,
    /// Those no earlier run of the campaign reached (no answered attempt).
    Unreached,
    /// The next N contacts that no earlier run took.
    Next(u32),
}

/// What becomes of the last run's open contacts when the schedule fires again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overlap {
    EndPrevious,
    Skip,
    Wait,
}

impl Settings {
    /// Is this a split, so that arms are assigned?
    pub fn is_experiment(&self) -> bool {
        self.modes.len() > 1
    }

    /// Windows and caps do not hold for a test of example numbers: that is how a nightly test rings at night.
    pub fn exempts(&self, number_is_example: bool, allow_listed: bool) -> bool {
        self.purpose == Purpose::Test && (number_is_example || allow_listed)
    }
}
