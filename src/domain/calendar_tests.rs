//! Calendars as tables, and against a slow oracle at every change of every clock from 2024 to 2030.

use super::*;
use crate::domain::clock_changes::{ClockChange, distinct, of_all_zones, stamp, utc, wall as shown};
use chrono::{DateTime, NaiveDateTime, Timelike, Utc};
use chrono_tz::{
    America::{Havana, St_Johns},
    Asia::Vladivostok,
    Europe::{Berlin, Moscow},
    Pacific::Apia,
};
use proptest::prelude::*;

fn day(text: &str) -> Option<NaiveDate> {
    Some(date(text).expect("a test writes a good date"))
}

fn calendar(days: &[&str], off: &[&str]) -> Calendar {
    Calendar { holidays: holidays(off).unwrap(), ..Windows::parse(days).unwrap().into() }
}

fn opening(calendar: &Calendar, zone: Tz, from: &str) -> Option<String> {
    next_open([calendar].into_iter(), zone, stamp(utc(from))).map(|at| at.to_string())
}

#[test]
fn windows_open() {
    let office: &[&str] = &["mon-fri 09:00-20:00", "sat 10:00-18:00"];
    let early: &[&str] = &["sun 02:00-02:30"];
    let nights: &[&str] = &["fri 22:00-02:00"];
    for (lines, zone, from, open) in [
        // inside: at once, to the millisecond
        (office, Moscow, "2026-11-20T06:00:00Z", Some("2026-11-20T06:00:00.000Z")),
        (office, Moscow, "2026-11-20T16:59:59.999Z", Some("2026-11-20T16:59:59.999Z")),
        // the end is outside, and Saturday opens at ten
        (office, Moscow, "2026-11-20T17:00:00Z", Some("2026-11-21T07:00:00.000Z")),
        // Saturday night waits for Monday
        (office, Moscow, "2026-11-21T20:00:00Z", Some("2026-11-23T06:00:00.000Z")),
        (office, Vladivostok, "2026-11-21T20:00:00Z", Some("2026-11-22T23:00:00.000Z")),
        // across midnight
        (nights, Moscow, "2026-11-20T18:00:00Z", Some("2026-11-20T19:00:00.000Z")),
        (nights, Moscow, "2026-11-20T22:59:00Z", Some("2026-11-20T22:59:00.000Z")),
        (nights, Moscow, "2026-11-20T23:00:00Z", Some("2026-11-27T19:00:00.000Z")),
        // spring: 02:00 to 03:00 does not exist in Berlin on 2027-03-28
        (early, Berlin, "2027-03-28T00:00:00Z", Some("2027-04-04T00:00:00.000Z")),
        (&["sun 02:00-03:30"], Berlin, "2027-03-28T00:00:00Z", Some("2027-03-28T01:00:00.000Z")),
        // autumn: 02:00 to 02:30 comes twice on 2026-10-25, and is open twice
        (early, Berlin, "2026-10-25T00:29:00Z", Some("2026-10-25T00:29:00.000Z")),
        (early, Berlin, "2026-10-25T00:30:00Z", Some("2026-10-25T01:00:00.000Z")),
        (early, Berlin, "2026-10-25T01:30:00Z", Some("2026-11-01T01:00:00.000Z")),
        // Samoa had no Friday 2011-12-30 at all
        (&["fri 09:00-10:00"], Apia, "2011-12-29T12:00:00Z", Some("2012-01-05T19:00:00.000Z")),
        (&[], Moscow, "2026-11-20T06:00:00Z", None),
    ] {
        assert_eq!(opening(&calendar(lines, &[]), zone, from).as_deref(), open, "{lines:?} {zone} from {from}");
    }
    let always = Calendar::always();
    assert_eq!(next_open([&always].into_iter(), Moscow, Timestamp(17)), Some(Timestamp(17)));
    assert_eq!(next_open([&always].into_iter(), Moscow, Timestamp::NEVER), None);
    assert!(!is_open([&always].into_iter(), Moscow, Timestamp::NEVER));
    assert_eq!(next_open(std::iter::empty(), Moscow, Timestamp(17)), Some(Timestamp(17)), "no calendar forbids");
}

#[test]
fn holidays_first_and_last_days() {
    let office: &[&str] = &["mon-fri 09:00-20:00"];
    type Set = fn(&mut Calendar);
    let none: Set = |_| {};
    for (days, off, set, zone, from, open) in [
        // Friday is a holiday: Monday; with hours of its own: those
        (office, &["2026-11-20"][..], none, Moscow, "2026-11-19T18:00:00Z", Some("2026-11-23T06:00:00.000Z")),
        (
            office,
            &["2026-11-20 12:00-13:00, 15:00-16:00"],
            none,
            Moscow,
            "2026-11-20T10:00:00Z",
            Some("2026-11-20T12:00:00.000Z"),
        ),
        // hours on a day that has none in the week
        (office, &["2026-11-22 12:00-13:00"], none, Moscow, "2026-11-20T17:00:00Z", Some("2026-11-22T09:00:00.000Z")),
        // every year, unless the date is named itself
        (office, &["01-07"], none, Moscow, "2027-01-06T17:00:00Z", Some("2027-01-08T06:00:00.000Z")),
        (office, &["01-07"], none, Moscow, "2031-01-06T17:00:00Z", Some("2031-01-08T06:00:00.000Z")),
        (
            office,
            &["01-07", "2027-01-07 10:00-11:00"],
            none,
            Moscow,
            "2027-01-06T17:00:00Z",
            Some("2027-01-07T07:00:00.000Z"),
        ),
        (office, &["02-29"], none, Moscow, "2028-02-28T17:00:00Z", Some("2028-03-01T06:00:00.000Z")),
        // the date of the wall, not of UTC
        (
            &["daily 00:00-24:00"],
            &["2026-11-20"],
            none,
            Vladivostok,
            "2026-11-19T13:59:00Z",
            Some("2026-11-19T13:59:00.000Z"),
        ),
        (
            &["daily 00:00-24:00"],
            &["2026-11-20"],
            none,
            Vladivostok,
            "2026-11-19T14:00:00Z",
            Some("2026-11-20T14:00:00.000Z"),
        ),
        // a date decides for itself: a slot over midnight loses the side that is a holiday
        (&["fri 22:00-02:00"], &["2026-11-21"], none, Moscow, "2026-11-20T21:00:00Z", Some("2026-11-27T19:00:00.000Z")),
        (&["fri 22:00-02:00"], &["2026-11-20"], none, Moscow, "2026-11-20T19:00:00Z", Some("2026-11-20T21:00:00.000Z")),
        // the first day, near and far, also for who is ahead of UTC
        (office, &[], |c| c.from = day("2026-11-24"), Moscow, "2026-11-20T06:00:00Z", Some("2026-11-24T06:00:00.000Z")),
        (office, &[], |c| c.from = day("2030-01-01"), Moscow, "2026-11-20T06:00:00Z", Some("2030-01-01T06:00:00.000Z")),
        (
            &["daily 00:00-24:00"],
            &[],
            |c| c.from = day("2026-12-01"),
            chrono_tz::Pacific::Kiritimati,
            "2026-11-20T06:00:00Z",
            Some("2026-11-30T10:00:00.000Z"),
        ),
        // the last day is the last one with calls
        (
            office,
            &[],
            |c| c.until = day("2026-11-20"),
            Moscow,
            "2026-11-20T16:59:00Z",
            Some("2026-11-20T16:59:00.000Z"),
        ),
        (office, &[], |c| c.until = day("2026-11-20"), Moscow, "2026-11-20T17:00:00Z", None),
        (
            office,
            &[],
            |c| (c.from, c.until) = (day("2026-11-21"), day("2026-11-22")),
            Moscow,
            "2026-11-01T00:00:00Z",
            None,
        ),
        // a clock that is set back over midnight shows the last day once more
        (
            &["daily 00:00-24:00"],
            &[],
            |c| c.until = day("2006-10-28"),
            St_Johns,
            "2006-10-29T02:30:30Z",
            Some("2006-10-29T02:31:00.000Z"),
        ),
        (&["daily 00:00-00:30"], &[], none, Havana, "2026-11-01T04:45:00Z", Some("2026-11-01T05:00:00.000Z")),
        // within the horizon, and beyond it
        (&["mon 09:00-10:00"], &["2026-11-23"], none, Moscow, "2026-11-20T06:00:00Z", Some("2026-11-30T06:00:00.000Z")),
        (&[], &["11-19 09:00-10:00"], none, Moscow, "2026-11-20T06:00:00Z", Some("2027-11-19T06:00:00.000Z")),
        (&[], &["2028-11-19 09:00-10:00"], none, Moscow, "2026-11-20T06:00:00Z", None),
    ] {
        let mut calendar = calendar(days, off);
        set(&mut calendar);
        assert_eq!(opening(&calendar, zone, from).as_deref(), open, "{days:?} {off:?} {zone} from {from}");
    }
}

#[test]
fn holidays_are_read_and_written() {
    let lines = ["2027-03-08 10:00–14:00,13:00-15:00", " 01-07 ", "2027-01-01", "02-29 00:00-24:00"];
    let read = holidays(&lines).unwrap();
    let written = holiday_lines(&read);
    assert_eq!(written, ["2027-01-01", "2027-03-08 10:00-15:00", "01-07", "02-29 00:00-24:00"]);
    assert_eq!(holidays(&written), Ok(read));
    let lines = ["tomorrow", "2027-02-29", "2027-1-7", "01-07 late", "01-08 22:00-02:00", "01-09", "01-09 10:00-11:00"];
    let faults: Vec<String> = holidays(&lines).unwrap_err().iter().map(ToString::to_string).collect();
    let cure = "write 2027-01-07, or 01-07 for every year, and hours behind it if there are any";
    assert_eq!(
        faults,
        [
            format!("`tomorrow` is not a date: {cure}"),
            format!("`2027-02-29` is not a date: {cure}"),
            format!("`2027-1-7` is not a date: {cure}"),
            "`late` is not a window: write days and hours, as in `mon-fri 09:00-20:00`".to_owned(),
            "`01-08 22:00-02:00` runs over midnight: a holiday is one date; write the rest under the next one"
                .to_owned(),
            "`01-09` stands twice: keep one line for a date".to_owned(),
        ]
    );
}

/// What somebody wishes, kept as it was said, and asked of a wall clock. Knows no instant, no offset and
/// no minute of the week.
#[derive(Clone, Debug, Default)]
struct Wish {
    /// Day of the week, Monday = 0, and minutes of the day; an end before the start lies in the next day.
    slots: Vec<(u32, u32, u32)>,
    holidays: Vec<(NaiveDate, Option<(u32, u32)>)>,
    from: Option<NaiveDate>,
    until: Option<NaiveDate>,
}

fn clock(minute: u32) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

impl Wish {
    fn allows(&self, wall: NaiveDateTime) -> bool {
        let (date, minute) = (wall.date(), wall.hour() * 60 + wall.minute());
        if self.from.is_some_and(|from| date < from) || self.until.is_some_and(|until| date > until) {
            return false;
        }
        if let Some((_, hours)) = self.holidays.iter().find(|(holiday, _)| *holiday == date) {
            return hours.is_some_and(|(from, to)| from <= minute && minute < to);
        }
        let (today, yesterday) = (date.weekday() as u32, date.weekday().pred() as u32);
        self.slots.iter().any(|&(day, from, to)| match from < to {
            true => day == today && from <= minute && minute < to,
            false => (day == today && from <= minute) || (day == yesterday && minute < to),
        })
    }

    /// The same, through what an operator would write.
    fn calendar(&self) -> Calendar {
        let name = |day: u32| ["mon", "tue", "wed", "thu", "fri", "sat", "sun"][day as usize];
        let slots: Vec<String> =
            self.slots.iter().map(|&(day, from, to)| format!("{} {}-{}", name(day), clock(from), clock(to))).collect();
        let off = |(date, hours): &(NaiveDate, Option<(u32, u32)>)| match hours {
            Some((from, to)) => format!("{date} {}-{}", clock(*from), clock(*to)),
            None => date.to_string(),
        };
        let off: Vec<String> = self.holidays.iter().map(off).collect();
        Calendar {
            days: Windows::parse(&slots).unwrap(),
            holidays: holidays(&off).unwrap(),
            from: self.from,
            until: self.until,
        }
    }
}

/// A slot from one wall time to a later one, less than a day apart.
fn slot(from: NaiveDateTime, to: NaiveDateTime) -> (u32, u32, u32) {
    let minute = |at: NaiveDateTime| at.hour() * 60 + at.minute();
    (from.weekday() as u32, minute(from), minute(to))
}

const AROUND_MIN: i64 = 4 * 60;

/// A walk of eight hours through a change, minute by minute; every minute and the instants around every
/// edge are asked.
fn agree(change: &ClockChange, walls: &[NaiveDateTime], wishes: &[Wish], thorough: bool) {
    let calendars: Vec<Calendar> = wishes.iter().map(Wish::calendar).collect();
    let open: Vec<bool> = walls.iter().map(|wall| wishes.iter().all(|wish| wish.allows(*wall))).collect();
    let first = change.at - TimeDelta::minutes(AROUND_MIN);
    let at = |n: usize| stamp(first + TimeDelta::minutes(n as i64));
    let zone = change.zone;
    let mut next = None;
    for n in (0..walls.len()).rev() {
        let edge = n > 0 && open[n] != open[n - 1];
        next = if open[n] { Some(n) } else { next };
        if !thorough && !edge && n % 16 != 5 {
            continue;
        }
        let whom = || format!("{zone} {} {wishes:?}", at(n));
        assert_eq!(is_open(calendars.iter(), zone, at(n)), open[n], "{}", whom());
        assert_eq!(is_open(calendars.iter(), zone, at(n).plus_ms(59_999)), open[n], "{}", whom());
        let found = next_open(calendars.iter(), zone, at(n));
        match next {
            Some(next) => assert_eq!(found, Some(at(next)), "{}", whom()),
            None => assert!(found.is_none_or(|found| found >= at(walls.len())), "{} {found:?}", whom()),
        }
        if edge {
            let found = next_open(calendars.iter(), zone, at(n).plus_ms(-1));
            let expected = if open[n - 1] { at(n).plus_ms(-1) } else { at(n) };
            assert_eq!(found, Some(expected), "a millisecond before {}", whom());
        }
    }
}

/// Windows whose edges lie from three hours before a change to three hours after it, on and between its
/// ends; holidays, first and last days that meet it.
fn around(changes: &[ClockChange], thorough: bool) {
    for (n, change) in changes.iter().enumerate() {
        let walls: Vec<NaiveDateTime> = (-AROUND_MIN..=AROUND_MIN)
            .map(|minute| shown(change.zone, change.at + TimeDelta::minutes(minute)))
            .collect();
        let (low, high) = change.ends();
        let at = |end: NaiveDateTime, min: i64| end + TimeDelta::minutes(min);
        let middle = low + (high - low) / 2;
        let edges = [at(low, -180), at(low, -30), low, middle, high, at(high, 30), at(high, 180)];
        let pairs: Vec<(u32, u32, u32)> =
            (0..7).flat_map(|i| (i + 1..7).map(move |j| (i, j))).map(|(i, j)| slot(edges[i], edges[j])).collect();
        let weekly = |slots: &[(u32, u32, u32)]| Wish { slots: slots.to_vec(), ..Wish::default() };
        let day = |wish: Wish, k: usize| match k % 6 {
            0 => Wish { holidays: vec![(change.shown.date(), None)], ..wish },
            1 => Wish { from: Some(change.shown.date()), ..wish },
            2 => Wish { until: Some(low.date()), ..wish },
            3 => Wish { holidays: vec![(high.date(), Some((0, 150)))], ..wish },
            4 => Wish { holidays: vec![(low.date(), Some((90, 1440)))], ..wish },
            _ => Wish { holidays: vec![(low.date(), None)], until: Some(high.date()), ..wish },
        };
        let whole: Vec<(u32, u32, u32)> = (0..7).map(|day| (day, 0, 1440)).collect();
        // Without thoroughness each change gets a few; the next one gets others.
        let taken = if thorough { 0..pairs.len() } else { n..n + 2 };
        for k in taken {
            let (pair, other) = (pairs[k % pairs.len()], pairs[(k * 5 + 3) % pairs.len()]);
            agree(change, &walls, &[weekly(&[pair])], thorough);
            agree(change, &walls, &[weekly(&[pair, other]), day(weekly(&whole), k)], thorough);
        }
        agree(change, &walls, &[day(weekly(&[pairs[n % pairs.len()], pairs[(n + 8) % pairs.len()]]), n)], thorough);
    }
}

#[test]
fn every_clock_change_from_2024_to_2030() {
    around(distinct(), false);
}

/// Every zone under its own name, every pair of edges, every minute:
/// `cargo test --lib calendar -- --ignored`.
#[test]
#[ignore = "half an hour: cargo test --lib calendar -- --ignored"]
fn every_clock_change_of_every_zone_thoroughly() {
    around(&of_all_zones(), true);
}

/// The first opening in steps of a quarter of an hour, which all of these calendars and all zones keep to.
fn oracle(wishes: &[Wish], zone: Tz, from: DateTime<Utc>) -> Option<DateTime<Utc>> {
    const DAYS: i64 = 50;
    (0..DAYS * 96)
        .map(|n| from + TimeDelta::minutes(15 * n))
        .find(|at| wishes.iter().all(|wish| wish.allows(shown(zone, *at))))
}

prop_compose! {
    /// Edges on the quarter hour, holidays and ends within a few weeks of a change.
    fn wish(near: NaiveDate)(
        slots in prop::collection::vec((0u32..7, 0u32..96, 1u32..96), 1..6),
        holidays in prop::collection::btree_map(-20i64..30, prop::option::of((0u32..48, 1u32..48)), 0..30),
        from in prop::option::of(-15i64..30),
        length in prop::option::of(0i64..20),
    ) -> Wish {
        let date = |days: i64| near + TimeDelta::days(days);
        Wish {
            slots: slots.into_iter().map(|(day, from, length)| (day, from * 15, (from + length) % 96 * 15)).collect(),
            holidays: holidays
                .into_iter()
                .map(|(days, hours)| (date(days), hours.map(|(from, length)| (from * 15, (from + length) * 15))))
                .collect(),
            from: from.map(date),
            until: length.map(|length| date(from.unwrap_or(-5) + length)),
        }
    }
}

fn change() -> impl Strategy<Value = ClockChange> {
    (0..distinct().len()).prop_map(|n| distinct()[n])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn openings_agree_with_a_clock_on_the_wall(
        (change, wishes) in change().prop_flat_map(|c| (Just(c), prop::collection::vec(wish(c.shown.date()), 1..3))),
        before in 0i64..1500,
    ) {
        let from = change.at - TimeDelta::minutes(15 * before);
        let calendars: Vec<Calendar> = wishes.iter().map(Wish::calendar).collect();
        let found = next_open(calendars.iter(), change.zone, stamp(from));
        match oracle(&wishes, change.zone, from) {
            Some(open) => prop_assert_eq!(found, Some(stamp(open)), "{} {:?}", change.zone, wishes),
            None => prop_assert!(found.is_none_or(|found| found.since(stamp(from)) >= 50 * DAY_MS), "{:?}", found),
        }
    }

    #[test]
    fn what_is_found_is_open(near in change().prop_flat_map(|c| (Just(c), wish(c.shown.date()))), ms in 0i64..3_000_000_000) {
        let (change, wish) = near;
        let calendar = wish.calendar();
        let from = stamp(change.at).plus_ms(-ms);
        if let Some(found) = next_open([&calendar].into_iter(), change.zone, from) {
            prop_assert!(found >= from && is_open([&calendar].into_iter(), change.zone, found));
            prop_assert!(found == from || !is_open([&calendar].into_iter(), change.zone, found.plus_ms(-1)));
        }
    }
}
