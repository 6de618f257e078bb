//! When a next try is due, as tables.

use super::*;
use crate::domain::follow::tests::{at, calendar, policy, settings};
use chrono_tz::{America::New_York, Asia::Omsk, Europe::Moscow};
use proptest::prelude::*;

#[test]
fn the_next_day_keeps_the_wall_time() {
    for (zone, now, next) in [
        (Moscow, "2026-11-17T09:00:00Z", "2026-11-18T09:00:00.000Z"),
        // the clock goes back: 25 hours; forward: 23
        (New_York, "2026-10-31T16:00:00Z", "2026-11-01T17:00:00.000Z"),
        (New_York, "2027-03-13T17:00:00Z", "2027-03-14T16:00:00.000Z"),
        // 02:30 does not exist the next day: the first instant after the gap; 01:30 comes twice: the first
        (New_York, "2027-03-13T07:30:00Z", "2027-03-14T07:00:00.000Z"),
        (New_York, "2026-10-31T05:30:00Z", "2026-11-01T05:30:00.000Z"),
    ] {
        assert_eq!(next_day(zone, at(now)).to_string(), next, "{zone} {now}");
    }
}

fn place<'a>(settings: &'a Settings, policy: &'a [Calendar], zone: Tz) -> Where<'a> {
    Where { settings, policy, zone, exempt: false }
}

#[test]
fn parts_of_a_day() {
    use DayPart::{Day, Evening, Morning};
    for (now, part) in [
        ("2026-11-17T02:59:00Z", None),
        ("2026-11-17T03:00:00Z", Some(Morning)),
        ("2026-11-17T08:59:00Z", Some(Morning)),
        ("2026-11-17T09:00:00Z", Some(Day)),
        ("2026-11-17T14:00:00Z", Some(Evening)),
        ("2026-11-17T18:59:00Z", Some(Evening)),
        ("2026-11-17T19:00:00Z", None),
    ] {
        assert_eq!(DayPart::at(Moscow, at(now)), part, "{now}");
    }
}

/// Moscow is three hours ahead of UTC, Omsk six. The policy: on weekdays from 9 to 20, on Saturday from 10 to 18.
#[test]
fn another_part_of_the_day_is_the_next_one_with_a_window() {
    let (settings, policy) = (settings(), policy());
    for (zone, now, next) in [
        // from the morning to the day, from the day to the evening, from the evening to the next morning
        (Moscow, "2026-11-17T07:30:00Z", "2026-11-17T09:00:00.000Z"),
        (Moscow, "2026-11-17T10:00:00Z", "2026-11-17T14:00:00.000Z"),
        (Moscow, "2026-11-17T15:00:00Z", "2026-11-18T06:00:00.000Z"),
        // the same instant is a part of the day elsewhere
        (Omsk, "2026-11-17T07:30:00Z", "2026-11-17T11:00:00.000Z"),
        // Friday evening goes to Saturday's first hour; Saturday evening over the closed Sunday to Monday
        (Moscow, "2026-11-20T15:00:00Z", "2026-11-21T07:00:00.000Z"),
        (Moscow, "2026-11-21T14:30:00Z", "2026-11-23T06:00:00.000Z"),
        // Saturday's day part goes to the hour that is left of its evening
        (Moscow, "2026-11-21T10:00:00Z", "2026-11-21T14:00:00.000Z"),
        // at night any part will do
        (Moscow, "2026-11-17T21:00:00Z", "2026-11-18T06:00:00.000Z"),
    ] {
        let due = due(place(&settings, &policy, zone), Delay::OtherDayPart, 0.5, at(now));
        assert_eq!(due.to_string(), next, "{zone} {now}");
    }
}

#[test]
fn where_no_other_part_opens_the_next_day_must_do() {
    let (settings, mornings) = (settings(), [calendar("mon-sun 09:00-11:00")]);
    let next = due(place(&settings, &mornings, Moscow), Delay::OtherDayPart, 0.0, at("2026-11-17T07:30:00Z"));
    assert_eq!(next.to_string(), "2026-11-18T07:30:00.000Z");
    // A test rings when it likes: the part begins and that is all.
    let exempt = Where { exempt: true, ..place(&settings, &mornings, Moscow) };
    assert_eq!(
        due(exempt, Delay::OtherDayPart, 0.0, at("2026-11-17T07:30:00Z")).to_string(),
        "2026-11-17T09:00:00.000Z"
    );
}

#[test]
fn only_spans_are_stretched_and_only_to_later() {
    let mut settings = settings();
    settings.retry.jitter = 0.2;
    let now = at("2026-11-17T09:00:00Z");
    let after = |delay, draw| due(place(&settings, &[], Moscow), delay, draw, now).since(now);
    assert_eq!(after(Delay::Ms(300_000), 0.0), 300_000);
    assert_eq!(after(Delay::Ms(300_000), 0.5), 330_000);
    assert_eq!(after(Delay::Ms(300_000), 1.0), 360_000);
    assert_eq!(after(Delay::NextDay, 1.0), 24 * 3600 * 1000);
    assert_eq!(after(Delay::OtherDayPart, 1.0), after(Delay::OtherDayPart, 0.0));
}

#[test]
fn draws_are_the_same_everywhere_and_spread() {
    let draws: Vec<f64> = (0..10_000).map(|n| draw(RunContactId(n), 1)).collect();
    assert_eq!(draw(RunContactId(7), 1), draws[7]);
    assert_ne!(draw(RunContactId(7), 2), draws[7], "each try draws anew");
    for tenth in 0..10 {
        let low = f64::from(tenth) / 10.0;
        let inside = draws.iter().filter(|d| (low..low + 0.1).contains(*d)).count();
        assert!((850..1150).contains(&inside), "{inside} of 10 000 from {low}");
    }
}

proptest! {
    /// Whatever the zone and the instant, clock changes among them: later, in another part, inside the window.
    #[test]
    fn another_part_is_another_part(zone in prop::sample::select(vec![Moscow, New_York, Omsk]), minutes in 0i64..4_000_000) {
        let (settings, policy) = (settings(), policy());
        let now = Timestamp(at("2024-01-01T00:00:00Z").0 + minutes * 60_000);
        let next = due(place(&settings, &policy, zone), Delay::OtherDayPart, 0.0, now);
        prop_assert!(next > now);
        prop_assert!(DayPart::at(zone, next).is_some());
        prop_assert_ne!(DayPart::at(zone, next), DayPart::at(zone, now));
        prop_assert_eq!(open_at(&settings, &policy, zone, next), Some(next));
    }
}
