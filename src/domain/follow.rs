//! What follows an attempt's end: another try, or rest. The only place that decides it.

use super::calendar::Calendar;
use super::clearance::{Gate, open_at};
use super::settings::{Delay, Settings};
use super::{Outcome, Timestamp};
use chrono::{Days, LocalResult, TimeDelta, TimeZone};
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
    let Some(delay) = delay.filter(|_| past.tries < settings.retry.attempts_max && !past.run_over) else {
        return Next::Rest(outcome);
    };
    let due_at = match delay {
        Delay::Ms(ms) => now.plus_ms(*ms),
        Delay::NextDay => next_day(past.zone, now),
    };
    if past.exempt {
        return Next::Retry { due_at, gate: Gate::RetryDelay };
    }
    match open_at(settings, policy, past.zone, due_at) {
        Some(open) => Next::Retry { due_at: open, gate: Gate::RetryDelay },
        None => Next::Rest(outcome),
    }
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

/// The same wall time on the next calendar day; where a clock change swallowed it, the first instant after.
fn next_day(zone: Tz, now: Timestamp) -> Timestamp {
    let day_later = now.plus_s(24 * 3600);
    let Some(utc) = now.utc() else { return day_later };
    let Some(wall) = utc.with_timezone(&zone).naive_local().checked_add_days(Days::new(1)) else { return day_later };
    match zone.from_local_datetime(&wall) {
        LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => Timestamp(at.timestamp_millis()),
        LocalResult::None => (1..=240)
            .find_map(|m| zone.from_local_datetime(&(wall + TimeDelta::minutes(m))).earliest())
            .map_or(day_later, |at| Timestamp(at.timestamp_millis())),
    }
}

#[cfg(test)]
#[path = "follow_tests.rs"]
pub mod tests;
