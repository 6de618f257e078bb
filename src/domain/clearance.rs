//! May this attempt ring now? The last gate, decided inside the grant's transaction.

use super::allowed::allowed_at;
use super::calendar::{Calendar, next_open};
use super::caps::Rang;
use super::settings::Settings;
use super::term::{InTerm, Term};
use super::{Outcome, PhoneNumber, Timestamp};
use chrono_tz::Tz;
use std::fmt;
use std::str::FromStr;

/// What holds a contact back. Every "no" has a reason a person can read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Gate {
    Paused,
    Window,
    NumberBusy,
    Pace,
    CallerId,
    Provider,
    RetryDelay,
    Callback,
    NotDialled,
    Unanswered,
    Budget,
    Cap,
    Gap,
    NoConsent,
    NotBefore,
}

impl Gate {
    pub const ALL: &'static [Gate] = &[
        Gate::Paused,
        Gate::Window,
        Gate::NumberBusy,
        Gate::Pace,
        Gate::CallerId,
        Gate::Provider,
        Gate::RetryDelay,
        Gate::Callback,
        Gate::NotDialled,
        Gate::Unanswered,
        Gate::Budget,
        Gate::Cap,
        Gate::Gap,
        Gate::NoConsent,
        Gate::NotBefore,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Gate::Paused => "paused",
            Gate::Window => "window",
            Gate::NumberBusy => "number_busy",
            Gate::Pace => "pace",
            Gate::CallerId => "caller_id",
            Gate::Provider => "provider",
            Gate::RetryDelay => "retry_delay",
            Gate::Callback => "callback",
            Gate::NotDialled => "not_dialled",
            Gate::Unanswered => "unanswered_start",
            Gate::Budget => "budget",
            Gate::Cap => "cap",
            Gate::Gap => "gap",
            Gate::NoConsent => "no_consent",
            Gate::NotBefore => "not_before",
        }
    }

    /// The gate in a sentence.
    pub fn sentence(self) -> &'static str {
        match self {
            Gate::Paused => "the run is paused",
            Gate::Window => "outside the calling window in the contact's time zone",
            Gate::NumberBusy => "another call to this number is under way",
            Gate::Pace => "its slot was missed; it gets a new one",
            Gate::CallerId => "its caller ids are used up for now (cool-down, or the day's cap)",
            Gate::Provider => "the provider did not take the start",
            Gate::RetryDelay => "waiting for the next try",
            Gate::Callback => "waiting for the moment at which a call back was promised",
            Gate::NotDialled => "the session got its grant too late to dial",
            Gate::Unanswered => "a started session never asked for its grant",
            Gate::Budget => "the budget of the run or of the day is spent or reserved",
            Gate::Cap => "this number has been called as often as the caps over all campaigns allow",
            Gate::Gap => "too soon after the last call to this number, whichever campaign made it",
            Gate::NoConsent => "there is no proof of consent, which the policy or the campaign demands",
            Gate::NotBefore => "its list says not to call it before",
        }
    }
}

impl fmt::Display for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is not a gate")]
pub struct NotAGate(pub String);

impl FromStr for Gate {
    type Err = NotAGate;
    fn from_str(text: &str) -> Result<Self, NotAGate> {
        Gate::ALL.iter().copied().find(|g| g.as_str() == text).ok_or_else(|| NotAGate(text.to_owned()))
    }
}

/// A call that has been cleared. Only [`clear`] makes one, and only the grant asks it to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallOrder {
    to: PhoneNumber,
    caller_id: Option<PhoneNumber>,
}

impl CallOrder {
    pub fn to(&self) -> &PhoneNumber {
        &self.to
    }
    pub fn caller_id(&self) -> Option<&PhoneNumber> {
        self.caller_id.as_ref()
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Clearance {
    Go(CallOrder),
    Wait {
        until: Timestamp,
        gate: Gate,
    },
    Stop(Outcome),
    /// Never, for want of something: the contact rests `suppressed`, and keeps the gate's name.
    Bar(Gate),
}

/// What is known, under locks, at the moment of the grant.
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    pub to: &'a PhoneNumber,
    pub caller_id: Option<&'a PhoneNumber>,
    pub zone: Tz,
    /// The contact has come to rest meanwhile.
    pub disposed: bool,
    pub suppressed: bool,
    /// The account or the run is paused.
    pub paused: bool,
    /// The run is over (stopped, completed).
    pub over: bool,
    /// Tries of this contact in this run, this one included.
    pub tries: u32,
    /// Until when another live call holds the number, if one does.
    pub number_held_until: Option<Timestamp>,
    pub allow_listed: bool,
    /// Calls to this number over all campaigns, this attempt's own apart; none where nothing counts them.
    pub history: &'a [Rang],
    /// The contact's consent is on record.
    pub consented: bool,
    pub term: Term,
    /// The platform rings real phones (its host is not loopback).
    pub real_platform: bool,
}

/// How long a paused contact sleeps before it is looked at again; resuming wakes it at once.
const PAUSED_RECHECK_MS: i64 = 60_000;

/// A number whose other call should be over, and is not settled yet, is looked at again after this: each
/// look costs a session.
const BUSY_RECHECK_MS: i64 = 30_000;

/// The decision. Windows, caps, gaps and the demands of policy and campaign all hold, except for tests of example or
/// allow-listed numbers; suppression and pause hold for everyone.
pub fn clear(settings: &Settings, policy: &[Calendar], facts: &Facts<'_>, now: Timestamp) -> Clearance {
    if facts.suppressed || (facts.real_platform && facts.to.is_example()) {
        return Clearance::Stop(Outcome::Suppressed);
    }
    if facts.disposed || facts.over {
        return Clearance::Stop(Outcome::Cancelled);
    }
    if facts.paused {
        return Clearance::Wait { until: now.plus_ms(PAUSED_RECHECK_MS), gate: Gate::Paused };
    }
    if facts.tries > settings.retry.attempts_max {
        return Clearance::Stop(Outcome::Cancelled);
    }
    // The list's own word holds for tests too.
    match facts.term.at(now) {
        InTerm::Yes => {}
        InTerm::NotYet(until) => return Clearance::Wait { until, gate: Gate::NotBefore },
        InTerm::Over => return Clearance::Stop(Outcome::Expired),
    }
    if !settings.exempts(facts.to.is_example(), facts.allow_listed) {
        if settings.consent.required && !facts.consented {
            return Clearance::Bar(Gate::NoConsent);
        }
        match allowed_at(settings, policy, facts.history, facts.zone, now) {
            Some((_, None)) => {}
            Some((until, Some(gate))) => return Clearance::Wait { until, gate },
            None => return Clearance::Stop(Outcome::Expired),
        }
    }
    if let Some(until) = facts.number_held_until {
        let until = until.max(now.plus_ms(BUSY_RECHECK_MS));
        return Clearance::Wait { until, gate: Gate::NumberBusy };
    }
    Clearance::Go(CallOrder { to: facts.to.clone(), caller_id: facts.caller_id.cloned() })
}

/// What stands against calling now, for whoever asks before anything is planned. The grant decides for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    Until { until: Timestamp, gate: Gate },
    For(Outcome),
}

pub fn closed(settings: &Settings, policy: &[Calendar], facts: &Facts<'_>, now: Timestamp) -> Option<Closed> {
    match clear(settings, policy, facts, now) {
        Clearance::Go(_) => None,
        Clearance::Wait { until, gate } => Some(Closed::Until { until, gate }),
        Clearance::Stop(outcome) => Some(Closed::For(outcome)),
        Clearance::Bar(_) => Some(Closed::For(Outcome::Suppressed)),
    }
}

/// The first instant from `from` at which the campaign's calendar and every rule of the policy are open.
pub fn open_at(settings: &Settings, policy: &[Calendar], zone: Tz, from: Timestamp) -> Option<Timestamp> {
    next_open(std::iter::once(&settings.windows).chain(policy), zone, from)
}

#[cfg(test)]
#[path = "clearance_tests.rs"]
mod tests;
