//! Which caller id a call shows: rotation by weight, a lane of slots for each, a cap for the day.

use super::pace::CallerLimits;
use super::slot::{LATE_MS_MAX, spacing_us};
use super::{PhoneNumber, Timestamp};
use chrono::{Days, NaiveTime, TimeZone};
use chrono_tz::Tz;
use std::collections::BTreeMap;

/// What is known of a caller id under the account's lock, over all campaigns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CallerUse {
    /// The last slot given to it.
    pub last_slot_us: i64,
    /// What the rotation owes it: each time it could have been chosen it gains its weight, and whoever is
    /// chosen pays the weights of all.
    pub balance: i64,
    /// Calls of the campaign's day, those on their way included.
    pub today: i64,
}

/// Caller ids by number.
pub type CallerUses = BTreeMap<String, CallerUse>;

/// A pool at one moment of planning.
pub struct Pool<'a> {
    pub ids: &'a [PhoneNumber],
    pub limits: &'a BTreeMap<PhoneNumber, CallerLimits>,
    /// Slots are given up to here.
    pub horizon_us: i64,
    /// The campaign's next midnight.
    pub midnight: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// This one, at this slot.
    By(PhoneNumber, i64),
    /// None of them before then.
    Opens(Timestamp),
}

fn none() -> &'static CallerLimits {
    static NONE: CallerLimits = CallerLimits { weight: 1, cps: None, day_max: None, cool_down_ms: 0 };
    &NONE
}

/// The least distance between two slots of a caller id, in microseconds. A start leaves up to
/// [`LATE_MS_MAX`] after its slot, so that much is added to the cool-down.
pub fn distance_us(limits: &CallerLimits) -> i64 {
    let lane = limits.cps.map_or(0, spacing_us);
    let rest = if limits.cool_down_ms > 0 { (limits.cool_down_ms + LATE_MS_MAX) * 1000 } else { 0 };
    lane.max(rest)
}

impl Pool<'_> {
    fn limits(&self, id: &PhoneNumber) -> &CallerLimits {
        self.limits.get(id).unwrap_or(none())
    }

    fn spent(&self, id: &PhoneNumber, uses: &CallerUses) -> bool {
        let today = uses.get(id.as_str()).map_or(0, |of| of.today);
        self.limits(id).day_max.is_some_and(|max| today >= i64::from(max))
    }

    /// The first slot at which this id may be used again.
    fn free_us(&self, id: &PhoneNumber, uses: &CallerUses) -> i64 {
        match (uses.get(id.as_str()), distance_us(self.limits(id))) {
            (None, _) | (_, 0) => i64::MIN,
            (Some(of), distance) => of.last_slot_us.saturating_add(distance),
        }
    }

    /// The first slot at which the next contact of a run can be called by an id of its own: any of the pool, or `kept`.
    /// Where that lies behind the horizon, no slot is taken.
    pub fn first_us(&self, kept: Option<&PhoneNumber>, uses: &CallerUses) -> i64 {
        let free = |id: &PhoneNumber| self.free_us(id, uses);
        let first = match kept {
            Some(id) => (!self.spent(id, uses)).then(|| free(id)),
            None => self.ids.iter().filter(|id| !self.spent(id, uses)).map(free).min(),
        };
        first.filter(|first| *first < self.horizon_us).unwrap_or(i64::MIN)
    }

    /// Starts that fit between `from_us` and the horizon, at most `most`. A pool that is spent for the day
    /// has room: its contacts are to be told when it opens.
    pub fn room(&self, uses: &CallerUses, from_us: i64, most: i64) -> i64 {
        if self.ids.is_empty() || self.ids.iter().all(|id| self.spent(id, uses)) {
            return most;
        }
        let room = self.ids.iter().filter(|id| !self.spent(id, uses)).map(|id| {
            let (limits, next) = (self.limits(id), self.free_us(id, uses).max(from_us));
            let today = uses.get(id.as_str()).map_or(0, |of| of.today);
            let day = limits.day_max.map_or(most, |max| i64::from(max) - today);
            let lane = match distance_us(limits) {
                _ if next >= self.horizon_us => 0,
                0 => most,
                distance => 1 + (self.horizon_us - next) / distance,
            };
            day.min(lane)
        });
        room.fold(0i64, i64::saturating_add).min(most)
    }

    /// Who is shown at `slot_us`, or as soon after it as one is free; the use is noted. `kept` is the id of the
    /// contact's earlier tries: it or none.
    pub fn show(&self, kept: Option<&PhoneNumber>, uses: &mut CallerUses, slot_us: i64) -> Option<Shown> {
        let ids: Vec<&PhoneNumber> = kept.map_or_else(|| self.ids.iter().collect(), |id| vec![id]);
        if ids.is_empty() {
            return None;
        }
        let left: Vec<&PhoneNumber> = ids.into_iter().filter(|id| !self.spent(id, uses)).collect();
        // The first of the pool wins a tie.
        let Some(first) = left.iter().copied().min_by_key(|id| self.free_us(id, uses)) else {
            return Some(Shown::Opens(self.midnight));
        };
        let free_us = self.free_us(first, uses);
        if free_us > slot_us && free_us >= self.horizon_us {
            return Some(Shown::Opens(Timestamp(free_us.div_euclid(1000) + 1)));
        }
        let slot_us = slot_us.max(free_us);
        let free: Vec<&PhoneNumber> = left.into_iter().filter(|id| self.free_us(id, uses) <= slot_us).collect();
        let chosen = if kept.is_some() { first } else { self.turn(&free, uses) }.clone();
        let of = uses.entry(chosen.as_str().to_owned()).or_default();
        of.last_slot_us = of.last_slot_us.max(slot_us);
        of.today += 1;
        Some(Shown::By(chosen, slot_us))
    }

    /// Smooth weighted rotation among those that are free: over any stretch each is chosen by its weight, and
    /// never several times in a row when another could have been.
    fn turn<'b>(&self, free: &[&'b PhoneNumber], uses: &mut CallerUses) -> &'b PhoneNumber {
        let mut all = 0;
        let mut best: Option<(i64, &PhoneNumber)> = None;
        for id in free {
            let weight = i64::from(self.limits(id).weight);
            all += weight;
            let of = uses.entry(id.as_str().to_owned()).or_default();
            of.balance += weight;
            if best.is_none_or(|(most, _)| of.balance > most) {
                best = Some((of.balance, id));
            }
        }
        let (_, best) = best.expect("somebody is free");
        if let Some(of) = uses.get_mut(best.as_str()) {
            of.balance -= all;
        }
        best
    }
}

/// The day of the zone in which `now` lies: its first instant and the next day's.
pub fn day_of(zone: Tz, now: Timestamp) -> (Timestamp, Timestamp) {
    let Some(at) = now.utc() else { return (now, Timestamp::NEVER) };
    let date = at.with_timezone(&zone).date_naive();
    let start = |date: chrono::NaiveDate| {
        // A midnight that the clock skips begins with the first instant after the gap.
        (0..=24 * 4).find_map(|quarter| {
            let wall = date.and_time(NaiveTime::MIN) + chrono::TimeDelta::minutes(15 * quarter);
            zone.from_local_datetime(&wall).earliest().map(|at| Timestamp(at.timestamp_millis()))
        })
    };
    let next = date.checked_add_days(Days::new(1)).and_then(start);
    (start(date).unwrap_or(now), next.unwrap_or(Timestamp::NEVER))
}

#[cfg(test)]
#[path = "callers_tests.rs"]
mod tests;
