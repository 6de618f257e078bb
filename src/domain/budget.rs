//! Budgets: may this call's money be reserved, and what is it settled to?
//!
//! The most that a call can cost is reserved with its grant; what is spent and reserved never exceeds the limit at
//! that moment, whatever the concurrency. A bill that is higher than the most is counted as it came.

use super::Timestamp;
use super::money::{Tariff, shown};
use chrono::{NaiveTime, TimeDelta, TimeZone};
use chrono_tz::Tz;

const DAY_MS: i64 = 86_400_000;

/// Limits in micros; without one, nothing is held back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Budget {
    pub run: Option<i64>,
    /// A day of the campaign's zone, over all its runs.
    pub day: Option<i64>,
}

impl Budget {
    pub fn is_set(&self) -> bool {
        self.run.is_some() || self.day.is_some()
    }
}

/// What has been spent and what is reserved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counter {
    pub spent: i64,
    pub reserved: i64,
}

impl Counter {
    /// What the limit leaves; below zero when bills came higher than what was reserved.
    pub fn left(&self, limit: i64) -> i64 {
        limit.saturating_sub(self.spent).saturating_sub(self.reserved)
    }
}

/// The counters that one call draws on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    pub run: Counter,
    pub day: Counter,
}

impl Counters {
    /// With so much more reserved.
    pub fn with(self, reserved: i64) -> Self {
        let more = |of: Counter| Counter { reserved: of.reserved.saturating_add(reserved), ..of };
        Counters { run: more(self.run), day: more(self.day) }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    Enough,
    /// The run's money is spent or reserved; whether anything is still reserved.
    RunShort {
        reserved: bool,
    },
    DayShort {
        reserved: bool,
    },
}

impl Budget {
    /// Is a call that can cost so much dearer than the whole budget of a run or a day?
    pub fn is_below(&self, most: i64) -> bool {
        [self.run, self.day].into_iter().flatten().any(|limit| most > limit)
    }

    /// Is there room for so much more?
    pub fn room(&self, counters: Counters, most: i64) -> Room {
        let short = |limit: Option<i64>, counter: Counter| limit.is_some_and(|limit| counter.left(limit) < most);
        if short(self.run, counters.run) {
            Room::RunShort { reserved: counters.run.reserved > 0 }
        } else if short(self.day, counters.day) {
            Room::DayShort { reserved: counters.day.reserved > 0 }
        } else {
            Room::Enough
        }
    }

    /// How many calls that can cost so much still fit.
    pub fn calls_left(&self, counters: Counters, most: i64) -> i64 {
        let fits = |limit: Option<i64>, counter: Counter| {
            limit.map_or(i64::MAX, |limit| counter.left(limit).max(0) / most.max(1))
        };
        fits(self.run, counters.run).min(fits(self.day, counters.day))
    }

    /// Why the run pauses when its own money is gone and no call can give any back.
    pub fn spent_sentence(&self, counters: Counters, most: i64, currency: &str) -> Option<String> {
        let limit = self.run?;
        let spent = format!("{} of {}", shown(counters.run.spent, currency), shown(limit, currency));
        let left = counters.run.left(limit);
        Some(if left > 0 {
            let (left, most) = (shown(left, currency), shown(most, currency));
            format!(
                "the run's budget is spent ({spent}): the {left} left are less than the {most} that a call can cost"
            )
        } else {
            format!("the run's budget is spent ({spent})")
        })
    }
}

/// When this day began in the zone, and when the next one does.
pub fn day_of(zone: Tz, now: Timestamp) -> (Timestamp, Timestamp) {
    let Some(at) = now.utc() else { return (now, now.plus_ms(DAY_MS)) };
    let date = zone.from_utc_datetime(&at.naive_utc()).date_naive();
    let begins = |date: chrono::NaiveDate| {
        // Where the clock skips midnight, the day begins with its first minute; shown twice, with the first time.
        let midnight = date.and_time(NaiveTime::MIN);
        (0..=24 * 60).find_map(|m| zone.from_local_datetime(&(midnight + TimeDelta::minutes(m))).earliest())
    };
    let instant = |date: Option<chrono::NaiveDate>| date.and_then(begins).map(|at| Timestamp(at.timestamp_millis()));
    let today = instant(Some(date)).unwrap_or(now);
    (today, instant(date.succ_opt()).unwrap_or(today.plus_ms(DAY_MS)))
}

/// How a reservation is settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Nobody was rung.
    NotDialled,
    /// The session's own word; seconds that nobody told are taken as the most where somebody picked up.
    Told { picked_up: bool, ring_s: Option<i64>, talk_s: Option<i64>, cost: Option<i64> },
    /// Silence: the most, until history says better.
    Lost,
}

/// What the provider and what realtime models are counted with at that end; replies are counted as they are written.
pub fn settled(tariff: &Tariff, end: End) -> (i64, i64) {
    match end {
        End::NotDialled => (0, 0),
        End::Lost => (tariff.provider_most(), tariff.models_most()),
        End::Told { picked_up, ring_s, talk_s, cost } => {
            let talk_s = if picked_up { talk_s.unwrap_or(tariff.call_s) } else { 0 };
            let provider = tariff.provider(ring_s.unwrap_or(tariff.ring_s), talk_s);
            // A session's word is of its call alone; sessions and speech are billed besides.
            (provider.max(cost.unwrap_or(0)), tariff.models(talk_s))
        }
    }
}

#[cfg(test)]
#[path = "budget_tests.rs"]
mod tests;
