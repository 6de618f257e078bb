//! Firings as a table, and against a slow oracle at every change of every clock from 2024 to 2030.

use super::*;
use crate::domain::clock_changes::{ClockChange, distinct, of_all_zones, stamp, utc, wall};
use chrono::{DateTime, Datelike, NaiveDateTime, Timelike};
use proptest::prelude::*;
use std::collections::BTreeSet;

fn next(cron: &str, zone: Tz, after: &str) -> Option<String> {
    cron.parse::<Cron>().unwrap().next(zone, stamp(utc(after))).map(|at| at.to_string())
}

#[test]
fn clock_changes_neither_skip_nor_double() {
    use chrono_tz::{America::New_York, Europe::Moscow, Pacific::Apia};
    for (cron, zone, after, at) in [
        // 02:30 does not exist: the first instant after the gap, once
        ("30 2 * * *", New_York, "2027-03-14T05:00:00Z", Some("2027-03-14T07:00:00.000Z")),
        ("30 2 * * *", New_York, "2027-03-14T07:00:00Z", Some("2027-03-15T06:30:00.000Z")),
        ("*/20 2,3 * * *", New_York, "2027-03-14T06:59:59Z", Some("2027-03-14T07:00:00.000Z")),
        ("*/20 2,3 * * *", New_York, "2027-03-14T07:00:00Z", Some("2027-03-14T07:20:00.000Z")),
        // 01:30 comes twice: the first time
        ("30 1 * * *", New_York, "2026-11-01T04:00:00Z", Some("2026-11-01T05:30:00.000Z")),
        ("30 1 * * *", New_York, "2026-11-01T05:30:00Z", Some("2026-11-02T06:30:00.000Z")),
        ("*/15 * * * *", New_York, "2026-11-01T05:45:00Z", Some("2026-11-01T07:00:00.000Z")),
        // Samoa had no 30 December 2011
        ("0 12 30 12 *", Apia, "2011-12-01T00:00:00Z", Some("2011-12-30T10:00:00.000Z")),
        ("0 2 * * *", Moscow, "2026-11-21T12:00:00Z", Some("2026-11-21T23:00:00.000Z")),
        ("0 2 * * 1", Moscow, "2026-11-21T12:00:00Z", Some("2026-11-22T23:00:00.000Z")),
        ("0 2 * * 7", Moscow, "2026-11-23T12:00:00Z", Some("2026-11-28T23:00:00.000Z")),
        ("0 2 * * 0", Moscow, "2026-11-23T12:00:00Z", Some("2026-11-28T23:00:00.000Z")),
        ("0 2 * * 1-5", Moscow, "2026-11-27T12:00:00Z", Some("2026-11-29T23:00:00.000Z")),
        ("0 2 29 2 *", Moscow, "2026-11-27T12:00:00Z", Some("2028-02-28T23:00:00.000Z")),
        ("0 2 30 2 *", Moscow, "2026-11-27T12:00:00Z", None),
    ] {
        assert_eq!(next(cron, zone, after).as_deref(), at, "{cron} {zone} after {after}");
    }
}

#[test]
fn six_fields_and_rubbish_are_refused() {
    for text in ["0 0 2 * * *", "", "a b c d e", "0 2 * * 8", "61 2 * * *", "0 2 1 * 1"] {
        assert!(text.parse::<Cron>().is_err(), "{text}");
    }
}

/// What somebody wishes: sets of numbers, held against a wall clock. None is `*`.
#[derive(Clone, Debug, Default)]
struct Wish {
    minutes: Option<BTreeSet<u32>>,
    hours: Option<BTreeSet<u32>>,
    days: Option<BTreeSet<u32>>,
    months: Option<BTreeSet<u32>>,
    /// Sunday = 0.
    weekdays: Option<BTreeSet<u32>>,
}

impl Wish {
    fn allows(&self, wall: NaiveDateTime) -> bool {
        let inside = |set: &Option<BTreeSet<u32>>, n: u32| set.as_ref().is_none_or(|set| set.contains(&n));
        inside(&self.minutes, wall.minute())
            && inside(&self.hours, wall.hour())
            && inside(&self.days, wall.day())
            && inside(&self.months, wall.month())
            && inside(&self.weekdays, wall.weekday().num_days_from_sunday())
    }

    fn cron(&self) -> Cron {
        let field = |set: &Option<BTreeSet<u32>>| match set {
            None => "*".to_owned(),
            Some(set) => set.iter().map(u32::to_string).collect::<Vec<_>>().join(","),
        };
        let fields = [&self.minutes, &self.hours, &self.days, &self.months, &self.weekdays].map(field).join(" ");
        fields.parse().unwrap_or_else(|e| panic!("{fields}: {e}"))
    }
}

const MINUTE: TimeDelta = TimeDelta::minutes(1);

/// Walks `minutes` from `first` and fires where the wall shows what is wished: for the first time if it does
/// so twice, and right after a gap in which it would have.
fn oracle(wish: &Wish, zone: Tz, first: DateTime<Utc>, minutes: i64) -> Vec<Timestamp> {
    // Three hours of memory, so that a second pass is known as one.
    let past = (1..=180).map(|n| wall(zone, first - TimeDelta::minutes(n)));
    let mut latest = past.max().expect("a walk has a past");
    let mut firings = Vec::new();
    for n in 0..minutes {
        let at = first + TimeDelta::minutes(n);
        let shown = wall(zone, at);
        let mut new = std::iter::successors(Some(latest + MINUTE), |wall| Some(*wall + MINUTE));
        if new.by_ref().take_while(|wall| *wall <= shown).any(|wall| wish.allows(wall)) {
            firings.push(stamp(at));
        }
        latest = latest.max(shown);
    }
    firings
}

/// Every firing of the walk, and from between them.
fn agree(wish: &Wish, zone: Tz, first: DateTime<Utc>, minutes: i64) {
    let cron = wish.cron();
    let mut after = stamp(first).plus_ms(-1);
    for expected in oracle(wish, zone, first, minutes) {
        let found = cron.next(zone, after);
        assert_eq!(found, Some(expected), "{wish:?} in {zone} after {after}");
        assert_eq!(cron.next(zone, expected.plus_ms(-1)), Some(expected), "{wish:?} in {zone} just before {expected}");
        after = expected;
    }
    let end = stamp(first + TimeDelta::minutes(minutes));
    let found = cron.next(zone, after);
    assert!(found.is_none_or(|found| found >= end), "{wish:?} in {zone} after {after}: {found:?}, and nothing before");
}

const AROUND_MIN: i64 = 4 * 60;

/// Wall times from three hours before a change to three hours after it, on and between its ends; and every
/// quarter of an hour.
fn around(change: &ClockChange, thorough: bool, n: usize) {
    let (low, high) = change.ends();
    let set = |numbers: &[u32]| Some(numbers.iter().copied().collect());
    let at =
        |wall: NaiveDateTime| Wish { minutes: set(&[wall.minute()]), hours: set(&[wall.hour()]), ..Wish::default() };
    let middle = low + (high - low) / 2;
    let walls = [-180, -1, 0]
        .map(|min| low + MINUTE * min)
        .into_iter()
        .chain([middle])
        .chain([-1, 0, 1, 180].map(|min| high + MINUTE * min));
    let mut wishes: Vec<Wish> = walls.map(at).collect();
    wishes.push(Wish { days: set(&[middle.day()]), months: set(&[middle.month()]), ..at(middle) });
    wishes.push(Wish { weekdays: set(&[middle.weekday().num_days_from_sunday()]), ..at(low) });
    wishes.push(Wish { minutes: set(&[0, 15, 30, 45]), ..Wish::default() });
    let first = change.at - TimeDelta::minutes(AROUND_MIN);
    if thorough {
        wishes.iter().for_each(|wish| agree(wish, change.zone, first, 2 * AROUND_MIN));
        agree(&Wish::default(), change.zone, first, 2 * AROUND_MIN);
    } else {
        // The next change gets the others.
        for k in [0, 3, 7] {
            agree(&wishes[(n + k) % wishes.len()], change.zone, first, 2 * AROUND_MIN);
        }
    }
}

#[test]
fn every_clock_change_from_2024_to_2030() {
    distinct().iter().enumerate().for_each(|(n, change)| around(change, false, n));
}

/// Every zone under its own name, every wall time: `cargo test --lib schedule -- --ignored`.
#[test]
#[ignore = "many minutes: cargo test --lib schedule -- --ignored"]
fn every_clock_change_of_every_zone_thoroughly() {
    of_all_zones().iter().enumerate().for_each(|(n, change)| around(change, true, n));
}

prop_compose! {
    fn wish()(
        minutes in prop::collection::btree_set(0u32..60, 1..4),
        hours in prop::option::of(prop::collection::btree_set(0u32..24, 1..4)),
        months in prop::option::of(prop::collection::btree_set(1u32..13, 1..12)),
        day in prop_oneof![
            Just((None, None)),
            prop::collection::btree_set(1u32..32, 1..20).prop_map(|set| (Some(set), None)),
            prop::collection::btree_set(0u32..7, 1..6).prop_map(|set| (None, Some(set))),
        ],
    ) -> Wish {
        Wish { minutes: Some(minutes), hours, months, days: day.0, weekdays: day.1 }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn firings_agree_with_a_clock_on_the_wall(n in 0..distinct().len(), before in 0i64..3000, wish in wish()) {
        let change = distinct()[n];
        agree(&wish, change.zone, change.at - TimeDelta::minutes(before), 3000);
    }
}
