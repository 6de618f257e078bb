//! Windows as a specification, and against a slow oracle that walks minute by minute.

use super::*;
use chrono::{DateTime, Datelike, Timelike};
use chrono_tz::{
    Africa::Casablanca, America::New_York, America::St_Johns, Asia::Kathmandu, Asia::Vladivostok, Australia::Lord_Howe,
    Europe::Berlin, Europe::Moscow, Pacific::Apia,
};
use proptest::prelude::*;

fn at(text: &str) -> Timestamp {
    text.parse::<DateTime<Utc>>().expect("a test writes a good date").into()
}

#[test]
fn lines_become_slots_and_lines_again() {
    for (lines, canonical) in [
        (vec!["mon-fri 09:00-20:00", "sat 10:00-18:00"], "mon-fri 09:00-20:00; sat 10:00-18:00"),
        (vec!["mon 9:00-13:00, 14:00-18:30"], "mon 09:00-13:00, 14:00-18:30"),
        (vec!["sat,sun 10:00-18:00"], "sat-sun 10:00-18:00"),
        (vec!["fri 22:00-02:00"], "fri 22:00-24:00; sat 00:00-02:00"),
        (vec!["sun 23:00-01:00"], "mon 00:00-01:00; sun 23:00-24:00"),
        (vec!["fri-mon 10:00-11:00"], "mon 10:00-11:00; fri-sun 10:00-11:00"),
        (vec!["daily 00:00-24:00"], "mon-sun 00:00-24:00"),
        (vec!["MON–WED 09:00–10:00"], "mon-wed 09:00-10:00"),
        (vec!["mon 09:00-12:00", "mon 11:00-13:00", "mon 13:00-14:00"], "mon 09:00-14:00"),
        (vec![], "never"),
    ] {
        let windows = Windows::parse(&lines).unwrap_or_else(|e| panic!("{lines:?}: {e:?}"));
        assert_eq!(windows.to_string(), canonical, "{lines:?}");
        assert_eq!(Windows::parse(&windows.lines()), Ok(windows), "{lines:?}");
    }
}

#[test]
fn faults_are_all_named() {
    let lines = ["funday 09:00-10:00", "mon 25:00-26:00", "mon", "09:00-10:00", "mon 09:00-09:00", "mon 9-18"];
    let faults = Windows::parse(&lines).unwrap_err();
    let said: Vec<String> = faults.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [
            "`funday` is not a day: use mon, tue, wed, thu, fri, sat, sun",
            "`25:00` is not a time of day: use 00:00 to 24:00",
            "`mon` is not a window: write days and hours, as in `mon-fri 09:00-20:00`",
            "`09:00-10:00` is not a window: write days and hours, as in `mon-fri 09:00-20:00`",
            "`09:00-09:00` lasts no time: write `00:00-24:00` for the whole day",
            "`9` is not a time of day: use 00:00 to 24:00",
        ]
    );
}

#[test]
fn openings() {
    let office: &[&str] = &["mon-fri 09:00-20:00", "sat 10:00-18:00"];
    let early: &[&str] = &["sun 02:00-02:30"];
    for (lines, zone, from, open) in [
        // inside: at once, to the millisecond
        (office, Moscow, "2026-11-20T06:00:00Z", Some("2026-11-20T06:00:00.000Z")),
        (office, Moscow, "2026-11-20T16:59:59.999Z", Some("2026-11-20T16:59:59.999Z")),
        // the end is outside, and Saturday opens at ten
        (office, Moscow, "2026-11-20T17:00:00Z", Some("2026-11-21T07:00:00.000Z")),
        // Saturday night waits for Monday
        (office, Moscow, "2026-11-21T20:00:00Z", Some("2026-11-23T06:00:00.000Z")),
        (office, Vladivostok, "2026-11-21T20:00:00Z", Some("2026-11-22T23:00:00.000Z")),
        // spring: 02:00 to 03:00 does not exist in Berlin on 2027-03-28
        (early, Berlin, "2027-03-28T00:00:00Z", Some("2027-04-04T00:00:00.000Z")),
        // autumn: 02:00 to 02:30 comes twice on 2026-10-25, and is open twice
        (early, Berlin, "2026-10-25T00:29:00Z", Some("2026-10-25T00:29:00.000Z")),
        (early, Berlin, "2026-10-25T00:30:00Z", Some("2026-10-25T01:00:00.000Z")),
        (early, Berlin, "2026-10-25T01:30:00Z", Some("2026-11-01T01:00:00.000Z")),
        // Samoa had no Friday 2011-12-30 at all
        (&["fri 09:00-10:00"], Apia, "2011-12-29T12:00:00Z", Some("2012-01-05T19:00:00.000Z")),
        (&[], Moscow, "2026-11-20T06:00:00Z", None),
    ] {
        let windows = Windows::parse(lines).unwrap();
        let found = windows.next_open(zone, at(from)).map(|t| t.to_string());
        assert_eq!(found.as_deref(), open, "{windows} {zone} from {from}");
    }
    assert_eq!(Windows::always().next_open(Moscow, Timestamp(17)), Some(Timestamp(17)));
    assert_eq!(Windows::always().next_open(Moscow, Timestamp::NEVER), None);
}

/// What the wall shows, asked minute by minute. Knows nothing of offsets or slots' arithmetic.
fn oracle(windows: &Windows, zone: Tz, from: Timestamp) -> Option<Timestamp> {
    (0..=(15 * DAY_MIN)).map(|n| Timestamp(from.0 + i64::from(n) * MINUTE_MS)).find(|at| {
        let wall = at.utc().expect("a test's instant").with_timezone(&zone);
        let minute = wall.weekday().num_days_from_monday() * DAY_MIN + wall.hour() * 60 + wall.minute();
        windows.slots.iter().any(|(from, to)| (*from..*to).contains(&minute))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    /// Around clock changes of every kind: an hour, half an hour, Ramadan, none, and a far side of the world.
    #[test]
    fn openings_agree_with_a_clock_on_the_wall(
        near in prop::sample::select(vec![
            (Berlin, "2026-10-25T01:00:00Z"), (Berlin, "2027-03-28T01:00:00Z"),
            (New_York, "2026-11-01T06:00:00Z"), (New_York, "2027-03-14T07:00:00Z"),
            (Lord_Howe, "2026-10-03T15:30:00Z"), (Lord_Howe, "2027-04-03T15:00:00Z"),
            (Casablanca, "2027-02-07T02:00:00Z"), (Casablanca, "2027-03-14T02:00:00Z"),
            (St_Johns, "2026-11-01T04:30:00Z"), (Apia, "2011-12-30T10:00:00Z"),
            (Moscow, "2026-11-21T00:00:00Z"), (Moscow, "2014-10-25T22:00:00Z"),
            (Kathmandu, "2026-11-21T00:00:00Z"),
        ]),
        before_min in 0i64..10_000,
        slots in prop::collection::vec((0u32..WEEK_MIN, 1u32..200), 1..6),
    ) {
        let slots = slots.into_iter().map(|(from, length)| (from, (from + length).min(WEEK_MIN))).collect();
        let windows = Windows { slots: merged(slots) };
        let from = at(near.1).plus_ms(-before_min * MINUTE_MS);
        let found = windows.next_open(near.0, from);
        prop_assert_eq!(found, oracle(&windows, near.0, from), "{} in {}", windows, near.0);
        prop_assert!(windows.is_open(near.0, found.expect("a weekly slot opens within a fortnight")));
    }

    #[test]
    fn lines_are_read_back(slots in prop::collection::vec((0u32..WEEK_MIN, 1u32..3000), 0..8)) {
        let slots = slots.into_iter().map(|(from, length)| (from, (from + length).min(WEEK_MIN))).collect();
        let windows = Windows { slots: merged(slots) };
        prop_assert_eq!(Windows::parse(&windows.lines()), Ok(windows));
    }

    #[test]
    fn both_open_is_where_each_is_open(
        a in prop::collection::vec((0u32..10_000, 1u32..2000), 0..5),
        b in prop::collection::vec((0u32..10_000, 1u32..2000), 0..5),
        minute in 0i64..WEEK_MIN as i64,
    ) {
        let windows = |slots: Vec<(u32, u32)>| Windows {
            slots: merged(slots.into_iter().map(|(from, length)| (from, (from + length).min(WEEK_MIN))).collect()),
        };
        let (a, b) = (windows(a), windows(b));
        let at = at("2026-11-16T00:00:00Z").plus_ms(minute * MINUTE_MS);
        prop_assert_eq!(a.intersect(&b).is_open(Tz::UTC, at), a.is_open(Tz::UTC, at) && b.is_open(Tz::UTC, at));
    }
}
