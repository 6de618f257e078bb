//! A campaign's settings: what an operator writes in `campaign.toml`, already checked.
//!
//! `intake` turns text into this; nothing deeper in looks at the text again.

use super::breaker::Breakers;
use super::budget::Budget;
use super::calendar::Calendar;
use super::caps::{Caps, Gap};
use super::experiment::Experiment;
use super::list::ListRules;
use super::notice::Morning;
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
    /// What a run and a day may cost.
    pub budget: Budget,
    /// What pauses a run by itself.
    pub breakers: Breakers,
    /// Calls to one number over all campaigns; once the policy was asked, the stricter of both.
    pub caps: Caps,
    pub gap: Gap,
    pub consent: Consent,
    /// How its lists are read.
    pub list: ListRules,
    /// What its modes are compared by; nobody changes it after the first run.
    pub experiment: Experiment,
    /// The report that arrives by itself.
    pub report: Morning,
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

/// `[consent]`: who may be called at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Consent {
    /// Nobody is called without proof of it.
    pub required: bool,
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
    /// A span of time between tries is stretched by up to this share of itself.
    pub jitter: f64,
    pub order: RetryOrder,
    pub alternates: Alternates,
}

/// Who goes first of those whose turn it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryOrder {
    /// Retries before contacts that were never tried.
    First,
    /// Retries after them.
    Last,
    /// Whoever waits longest.
    Due,
}

impl RetryOrder {
    pub const ALL: [RetryOrder; 3] = [RetryOrder::First, RetryOrder::Last, RetryOrder::Due];

    pub fn as_str(self) -> &'static str {
        match self {
            RetryOrder::First => "first",
            RetryOrder::Last => "last",
            RetryOrder::Due => "due",
        }
    }
}

/// When a retry goes to another number of the contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alternates {
    /// Each retry goes to the next number.
    Rotate,
    /// Only when a number says that it is no use.
    OnFailure,
}

impl Alternates {
    pub const ALL: [Alternates; 2] = [Alternates::Rotate, Alternates::OnFailure];

    pub fn as_str(self) -> &'static str {
        match self {
            Alternates::Rotate => "rotate",
            Alternates::OnFailure => "on-failure",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delay {
    Ms(i64),
    /// The next calendar day in the contact's zone, at the same wall time.
    NextDay,
    /// The next part of the day (morning, day, evening in the contact's zone) that is not the one of this try
    /// and in which a window is open.
    OtherDayPart,
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

    /// The same settings under a policy: of both sides' caps, gaps and demands the stricter one holds.
    pub fn under(self, caps: Caps, gap: Gap, consent: bool) -> Settings {
        Settings {
            caps: self.caps.stricter(caps),
            gap: self.gap.stricter(gap),
            consent: Consent { required: self.consent.required || consent },
            ..self
        }
    }

    /// Is there any cap or gap, so that a number's history matters?
    pub fn counts_calls(&self) -> bool {
        self.caps != Caps::default() || self.gap != Gap::default()
    }

    /// Windows and caps do not hold for a test of example numbers: that is how a nightly test rings at night.
    pub fn exempts(&self, number_is_example: bool, allow_listed: bool) -> bool {
        self.purpose == Purpose::Test && (number_is_example || allow_listed)
    }
}
