//! How often one number may be called, over all campaigns: caps and gaps, held against its history.
//!
//! A day, a week (Monday first) and a month are what the calendar on the contact's wall shows; 24 hours roll.
//! A try counts at its dial, and so does the conversation that came of it. The gap after a try runs from the
//! dial, the gap after a conversation from its end. Nothing here reads a clock: the instant is an argument.

use super::clearance::Gate;
use super::{Outcome, Timestamp};
use chrono::{Datelike, Days, LocalResult, Months, NaiveDate, NaiveTime, TimeDelta, TimeZone};
use chrono_tz::Tz;

const DAY_MS: i64 = 24 * 3600 * 1000;

/// The longest gap that may be asked for.
pub const GAP_MS_MAX: i64 = 30 * DAY_MS;

/// Calls older than this close nothing: the longest month or gap, the longest call, and a day for the zones.
pub const HISTORY_MS: i64 = 33 * DAY_MS;

/// Minutes that a clock change may skip: a zone once left out a whole date.
const SKIPPED_MIN_MAX: i64 = 26 * 60;

/// The most of one kind in each period; none: as many as you like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Most {
    pub day: Option<u32>,
    /// In any 24 hours.
    pub rolling: Option<u32>,
    pub week: Option<u32>,
    pub month: Option<u32>,
}

/// `[caps]`, or those of a policy's rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Caps {
    /// Dials that may have rung.
    pub tries: Most,
    /// Conversations: outcome `answered`.
    pub talks: Most,
}

/// `[gap]`: the least time between two calls to one number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gap {
    pub after_try_ms: Option<i64>,
    pub after_talk_ms: Option<i64>,
}

impl Most {
    fn stricter(self, other: Most) -> Most {
        let least = |a: Option<u32>, b: Option<u32>| a.into_iter().chain(b).min();
        Most {
            day: least(self.day, other.day),
            rolling: least(self.rolling, other.rolling),
            week: least(self.week, other.week),
            month: least(self.month, other.month),
        }
    }
}

impl Caps {
    /// Of a campaign's and its policy's the stricter one holds.
    pub fn stricter(self, other: Caps) -> Caps {
        Caps { tries: self.tries.stricter(other.tries), talks: self.talks.stricter(other.talks) }
    }
}

impl Gap {
    pub fn stricter(self, other: Gap) -> Gap {
        Gap {
            after_try_ms: self.after_try_ms.max(other.after_try_ms),
            after_talk_ms: self.after_talk_ms.max(other.after_talk_ms),
        }
    }
}

/// A call that was granted for a number and may have rung there. A live one is a try already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rang {
    pub at: Timestamp,
    /// When the conversation was over, if there was one.
    pub talked_until: Option<Timestamp>,
}

impl Rang {
    /// What an attempt counts as, if it counts. `dialed_at` is its grant's, which a session that did not dial
    /// gives back; without money nobody can have been rung.
    pub fn of(dialed_at: Timestamp, ended_at: Option<Timestamp>, outcome: Option<Outcome>) -> Option<Rang> {
        match outcome {
            Some(Outcome::NoFunds) => None,
            Some(Outcome::Answered) => Some(Rang { at: dialed_at, talked_until: Some(ended_at.unwrap_or(dialed_at)) }),
            _ => Some(Rang { at: dialed_at, talked_until: None }),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Period {
    Day,
    Week,
    Month,
}

impl Period {
    /// Its first date.
    fn of(self, date: NaiveDate) -> NaiveDate {
        let back = match self {
            Period::Day => 0,
            Period::Week => date.weekday().num_days_from_monday(),
            Period::Month => date.day0(),
        };
        date.checked_sub_days(Days::new(u64::from(back))).unwrap_or(date)
    }

    fn next(self, first: NaiveDate) -> Option<NaiveDate> {
        match self {
            Period::Day => first.checked_add_days(Days::new(1)),
            Period::Week => first.checked_add_days(Days::new(7)),
            Period::Month => first.checked_add_months(Months::new(1)),
        }
    }
}

/// Calls made so far in each period around `now`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Made {
    pub day: usize,
    #[serde(rename = "24h")]
    pub rolling: usize,
    pub week: usize,
    pub month: usize,
}

pub fn made(calls: &[Timestamp], zone: Tz, now: Timestamp) -> Made {
    let within = |period: Period| {
        let first = |at: Timestamp| Some(period.of(at.utc()?.with_timezone(&zone).date_naive()));
        calls.iter().filter(|call| first(**call) == first(now)).count()
    };
    Made {
        day: within(Period::Day),
        rolling: calls.iter().filter(|call| now < call.plus_ms(DAY_MS)).count(),
        week: within(Period::Week),
        month: within(Period::Month),
    }
}

/// The first instant from `from` at which no cap and no gap is closed, and what is closed until then: of several
/// the one that opens last. `None` beside the instant: nothing is closed at `from`.
pub fn opens(caps: &Caps, gap: &Gap, history: &[Rang], zone: Tz, from: Timestamp) -> (Timestamp, Option<Gate>) {
    let (mut at, mut gate) = (from, None);
    // Each round moves to a later period or past a call; there are no more of them than this.
    for _ in 0..(4 * history.len() + 16) {
        let gap_open = gap_opens(gap, history, at);
        let cap_open = cap_opens(caps, history, zone, at);
        let next = gap_open.max(cap_open);
        if next <= at {
            break;
        }
        gate.get_or_insert(if cap_open >= gap_open { Gate::Cap } else { Gate::Gap });
        at = next;
    }
    (at, gate)
}

fn gap_opens(gap: &Gap, history: &[Rang], at: Timestamp) -> Timestamp {
    let tries = history.iter().filter_map(|call| Some(call.at.plus_ms(gap.after_try_ms?)));
    let talks = history.iter().filter_map(|call| Some(call.talked_until?.plus_ms(gap.after_talk_ms?)));
    tries.chain(talks).max().map_or(at, |open| open.max(at))
}

fn cap_opens(caps: &Caps, history: &[Rang], zone: Tz, at: Timestamp) -> Timestamp {
    let mut open = at;
    let talks = history.iter().filter(|call| call.talked_until.is_some());
    let kinds: [(Most, Vec<Timestamp>); 2] =
        [(caps.tries, history.iter().map(|call| call.at).collect()), (caps.talks, talks.map(|call| call.at).collect())];
    for (most, mut calls) in kinds {
        calls.sort_unstable();
        for (period, most) in [(Period::Day, most.day), (Period::Week, most.week), (Period::Month, most.month)] {
            if let Some(most) = most {
                open = open.max(calendar_opens(period, most, &calls, zone, at));
            }
        }
        if let Some(most) = most.rolling
            // The newest that must have left the last 24 hours.
            && let Some(oldest) = calls.len().checked_sub(most.max(1) as usize).map(|place| calls[place])
        {
            open = open.max(oldest.plus_ms(DAY_MS));
        }
    }
    open
}

/// `at`, or the first instant of the next period when this one is full.
fn calendar_opens(period: Period, most: u32, calls: &[Timestamp], zone: Tz, at: Timestamp) -> Timestamp {
    let first = |at: Timestamp| Some(period.of(at.utc()?.with_timezone(&zone).date_naive()));
    let Some(now) = first(at) else { return at };
    let made = calls.iter().filter(|call| first(**call) == Some(now)).count();
    if made < most.max(1) as usize {
        return at;
    }
    period.next(now).and_then(|next| begin(next, zone, at)).unwrap_or(Timestamp::NEVER)
}

/// The first instant after `after` at which the wall shows this date; where a clock change swallowed its midnight,
/// the first instant behind the gap.
fn begin(date: NaiveDate, zone: Tz, after: Timestamp) -> Option<Timestamp> {
    let midnight = date.and_time(NaiveTime::MIN);
    let instant = |at: chrono::DateTime<Tz>| Timestamp(at.timestamp_millis());
    match zone.from_local_datetime(&midnight) {
        LocalResult::Single(at) => Some(instant(at)),
        LocalResult::Ambiguous(first, second) => Some(instant(if instant(first) > after { first } else { second })),
        LocalResult::None => (1..=SKIPPED_MIN_MAX)
            .find_map(|minute| zone.from_local_datetime(&(midnight + TimeDelta::minutes(minute))).earliest())
            .map(instant),
    }
}

#[cfg(test)]
#[path = "caps_tests.rs"]
mod tests;
