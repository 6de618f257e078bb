//! What follows an attempt's end: another try, or rest. The only place that decides it.

use super::calendar::Calendar;
use super::clearance::{Gate, open_at};
use super::delays::{Where, due};
use super::settings::Settings;
use super::{Outcome, Timestamp};
use chrono_tz::Tz;

/// What becomes of the run contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Another try, not before `due_at`.
    Retry { due_at: Timestamp, gate: Gate },
    /// The contact comes to rest with this disposition.
    Rest(Outcome),
}

/// What becomes of the whole run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alarm {
    /// No call can succeed until somebody pays.
    NoFunds,
    /// The provider forbids call after call: the caller id or the destination is not allowed.
    Prohibited,
}

/// The history that the decision needs.
#[derive(Clone, Copy, Debug)]
pub struct Past {
    /// Tries of this contact in this run, the ended one included.
    pub tries: u32,
    /// How many of them ended with this very outcome, the ended one included.
    pub same: u32,
    pub zone: Tz,
    /// Windows do not hold for this number (test purpose).
    pub exempt: bool,
    /// The run is over: a late truth changes the outcome only.
    pub run_over: bool,
    /// This try's share of the jitter, between 0 and 1 (see [`super::delays::draw`]).
    pub draw: f64,
}

impl Past {
    /// Is there another try under the cap?
    fn may_go_on(&self, settings: &Settings) -> bool {
        self.tries < settings.retry.attempts_max && !self.run_over
    }
}

/// What follows `outcome` at `now`.
pub fn follow(settings: &Settings, policy: &[Calendar], outcome: Outcome, past: Past, now: Timestamp) -> Next {
    // Nobody could be rung for want of money: the try is not the contact's fault and is made again,
    // once the run has been resumed.
    if outcome == Outcome::NoFunds && !past.run_over {
        return Next::Retry { due_at: now, gate: Gate::Provider };
    }
    let Some(delays) = settings.retry.delays.get(&outcome) else { return Next::Rest(outcome) };
    let delay = delays.get(past.same.saturating_sub(1) as usize).or(delays.last());
    let Some(delay) = delay.filter(|_| past.may_go_on(settings)) else { return Next::Rest(outcome) };
    let place = Where { settings, policy, zone: past.zone, exempt: past.exempt };
    moved(place, due(place, *delay, past.draw, now))
        .map_or(Next::Rest(outcome), |due_at| Next::Retry { due_at, gate: Gate::RetryDelay })
}

/// The next try needs no delay: it goes to a number that was not tried yet.
pub fn at_once(settings: &Settings, policy: &[Calendar], outcome: Outcome, past: Past, now: Timestamp) -> Next {
    let place = Where { settings, policy, zone: past.zone, exempt: past.exempt };
    let due_at = if past.may_go_on(settings) { moved(place, now) } else { None };
    due_at.map_or(Next::Rest(outcome), |due_at| Next::Retry { due_at, gate: Gate::RetryDelay })
}

/// Somebody asked to be called back at `at`. A promise counts against the cap like any other try, and is kept at
/// the first moment from then on at which calls are allowed; `None`: it cannot be kept in this run.
pub fn call_back(
    settings: &Settings,
    policy: &[Calendar],
    at: Timestamp,
    past: Past,
    now: Timestamp,
) -> Option<Timestamp> {
    let place = Where { settings, policy, zone: past.zone, exempt: past.exempt };
    let near = at.since(now) <= CALLBACK_MS_MAX;
    if near && past.may_go_on(settings) { moved(place, at.max(now)) } else { None }
}

/// No promise is kept further ahead than this: a run that stays open for one call is a mistake.
pub const CALLBACK_MS_MAX: i64 = 31 * 24 * 3600 * 1000;

/// The first allowed moment from `at` on: the one place at which a next try is moved.
fn moved(place: Where<'_>, at: Timestamp) -> Option<Timestamp> {
    if place.exempt { Some(at) } else { open_at(place.settings, place.policy, place.zone, at) }
}

/// Prohibited calls in a row that pause the run; a prohibited number is not tried again, so they are
/// different numbers.
pub const PROHIBITED_ROW_MAX: i64 = 5;

/// Does this end stop the run until an operator acts? `prohibited` counts this one and those just before it.
pub fn alarm(outcome: Outcome, prohibited: i64) -> Option<Alarm> {
    match outcome {
        Outcome::NoFunds => Some(Alarm::NoFunds),
        Outcome::Prohibited if prohibited >= PROHIBITED_ROW_MAX => Some(Alarm::Prohibited),
        _ => None,
    }
}

/// Do `same` and the cap count this outcome? `no_funds` is not counted: nobody was rung.
pub fn counts(outcome: Outcome) -> bool {
    !matches!(outcome, Outcome::NoFunds | Outcome::Cancelled | Outcome::Expired | Outcome::Suppressed)
}

#[cfg(test)]
#[path = "follow_tests.rs"]
pub mod tests;
