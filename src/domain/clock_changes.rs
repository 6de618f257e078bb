//! For tests: every change of every zone's clock from 2024 to 2030, found by looking at the wall.
//!
//! It shares nothing with the rules that it is there to judge: no offset, no slot, only instants turned
//! into what a clock shows.

use super::Timestamp;
use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use chrono_tz::{TZ_VARIANTS, Tz};
use std::collections::BTreeSet;
use std::sync::LazyLock;

const DAY_MIN: i64 = 24 * 60;

/// A clock that is put forward or back.
#[derive(Clone, Copy, Debug)]
pub struct ClockChange {
    pub zone: Tz,
    /// The first instant at which the clock shows the new time.
    pub at: DateTime<Utc>,
    /// What it would have shown then, and what it does show.
    pub expected: NaiveDateTime,
    pub shown: NaiveDateTime,
}

impl ClockChange {
    /// The two ends of what is skipped, or shown twice.
    pub fn ends(&self) -> (NaiveDateTime, NaiveDateTime) {
        (self.expected.min(self.shown), self.expected.max(self.shown))
    }
}

pub fn utc(text: &str) -> DateTime<Utc> {
    text.parse().expect("a test writes a good date")
}

pub fn stamp(at: DateTime<Utc>) -> Timestamp {
    Timestamp(at.timestamp_millis())
}

/// What a clock on a wall of `zone` shows.
pub fn wall(zone: Tz, at: DateTime<Utc>) -> NaiveDateTime {
    at.with_timezone(&zone).naive_local()
}

/// Looks every `step` minutes; two changes within a step that undo each other would go unseen.
fn of_zone(zone: Tz, step: i64) -> Vec<ClockChange> {
    let ahead = |at: DateTime<Utc>| wall(zone, at) - at.naive_utc();
    let (mut at, end) = (utc("2024-01-01T00:00:00Z"), utc("2031-01-01T00:00:00Z"));
    let mut changes = Vec::new();
    while at < end {
        let next = at + TimeDelta::minutes(step);
        if ahead(at) != ahead(next) {
            let (mut low, mut high) = (0, step);
            while high - low > 1 {
                let middle = (low + high) / 2;
                if ahead(at + TimeDelta::minutes(middle)) == ahead(at) { low = middle } else { high = middle }
            }
            let change = at + TimeDelta::minutes(high);
            let expected = change.naive_utc() + ahead(at);
            changes.push(ClockChange { zone, at: change, expected, shown: wall(zone, change) });
        }
        at = next;
    }
    changes
}

/// Every change of every zone.
pub fn of_all_zones() -> Vec<ClockChange> {
    TZ_VARIANTS.iter().flat_map(|zone| of_zone(*zone, 60)).collect()
}

/// Every change of every zone, once where zones change alike: New York stands for Toronto and Detroit.
pub fn distinct() -> &'static [ClockChange] {
    static DISTINCT: LazyLock<Vec<ClockChange>> = LazyLock::new(|| {
        let mut known = BTreeSet::new();
        let changes = TZ_VARIANTS.iter().flat_map(|zone| of_zone(*zone, DAY_MIN));
        changes.filter(|change| known.insert((change.at, change.expected, change.shown))).collect()
    });
    &DISTINCT
}

#[test]
fn the_changes_that_everybody_knows_are_among_them() {
    let distinct = distinct();
    assert!(distinct.len() > 300, "{}", distinct.len());
    let all = |zone: Tz| of_zone(zone, DAY_MIN).iter().map(|change| change.at).collect::<Vec<_>>();
    assert_eq!(all(chrono_tz::Europe::Berlin).len(), 14);
    assert_eq!(all(chrono_tz::America::New_York)[0], utc("2024-03-10T07:00:00Z"));
    assert!(all(chrono_tz::Europe::Moscow).is_empty());
    // Ramadan in Morocco, half an hour on Lord Howe Island, and Kazakhstan's one zone of 2024.
    assert_eq!(all(chrono_tz::Africa::Casablanca)[0], utc("2024-03-10T02:00:00Z"));
    let howe = of_zone(chrono_tz::Australia::Lord_Howe, DAY_MIN)[0];
    assert_eq!(howe.expected - howe.shown, TimeDelta::minutes(30));
    assert_eq!(all(chrono_tz::Asia::Almaty), [utc("2024-02-29T18:00:00Z")]);
}
