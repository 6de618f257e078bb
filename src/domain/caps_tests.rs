//! Caps and gaps as a table, and against a slow oracle that walks forward minute by minute, around every change of
//! every clock.

use super::*;
use crate::domain::clock_changes::{ClockChange, distinct, stamp, utc, wall};
use chrono::{DateTime, Utc};
use chrono_tz::{America::Havana, Europe::Berlin, Europe::Moscow};
use proptest::prelude::*;

const MINUTE_MS: i64 = 60_000;

fn most(day: u32, rolling: u32, week: u32, month: u32) -> Most {
    let some = |n: u32| (n > 0).then_some(n);
    Most { day: some(day), rolling: some(rolling), week: some(week), month: some(month) }
}

fn tries(most: Most) -> Caps {
    Caps { tries: most, talks: Most::default() }
}

fn talks(most: Most) -> Caps {
    Caps { tries: Most::default(), talks: most }
}

/// `2026-11-20T09:00:00Z`, or with a `+` and the minutes talked behind it.
fn calls(texts: &[&str]) -> Vec<Rang> {
    let call = |text: &&str| {
        let (at, talk) = text.split_once('+').unwrap_or((text, ""));
        let at = stamp(utc(at));
        Rang { at, talked_until: talk.parse::<i64>().ok().map(|minutes| at.plus_ms(minutes * MINUTE_MS)) }
    };
    texts.iter().map(call).collect()
}

#[test]
fn what_opens_when() {
    let none = Gap::default();
    let gap = |after_try_ms, after_talk_ms| Gap { after_try_ms, after_talk_ms };
    let hour = 60 * MINUTE_MS;
    // Friday noon in Moscow.
    let noon = "2026-11-20T09:00:00Z";
    for (what, caps, gap, zone, history, from, open) in [
        ("nothing counted", Caps::default(), none, Moscow, &[noon][..], noon, "open"),
        ("none made", tries(most(1, 1, 1, 1)), none, Moscow, &[], noon, "open"),
        ("one of two", tries(most(2, 0, 0, 0)), none, Moscow, &["2026-11-20T06:00:00Z"], noon, "open"),
        (
            "two of two open at the next midnight on the wall",
            tries(most(2, 0, 0, 0)),
            none,
            Moscow,
            &["2026-11-20T06:00:00Z", "2026-11-19T21:00:00Z"],
            noon,
            "cap 2026-11-20T21:00:00.000Z",
        ),
        ("yesterday's", tries(most(1, 0, 0, 0)), none, Moscow, &["2026-11-19T20:59:59Z"], noon, "open"),
        (
            "24 hours roll",
            tries(most(0, 1, 0, 0)),
            none,
            Moscow,
            &["2026-11-19T20:59:59Z"],
            noon,
            "cap 2026-11-20T20:59:59.000Z",
        ),
        ("24 hours later", tries(most(0, 1, 0, 0)), none, Moscow, &["2026-11-19T09:00:00Z"], noon, "open"),
        (
            "the week ends with Sunday",
            tries(most(0, 0, 1, 0)),
            none,
            Moscow,
            &["2026-11-15T21:00:00Z"],
            noon,
            "cap 2026-11-22T21:00:00.000Z",
        ),
        ("last Sunday is last week", tries(most(0, 0, 1, 0)), none, Moscow, &["2026-11-15T20:59:59Z"], noon, "open"),
        (
            "a month",
            tries(most(0, 0, 0, 1)),
            none,
            Moscow,
            &["2026-10-31T21:00:00Z"],
            noon,
            "cap 2026-11-30T21:00:00.000Z",
        ),
        ("tries are no talks", talks(most(1, 1, 1, 1)), none, Moscow, &["2026-11-20T06:00:00Z"], noon, "open"),
        (
            "talks are tries",
            tries(most(1, 0, 0, 0)),
            none,
            Moscow,
            &["2026-11-20T06:00:00Z+3"],
            noon,
            "cap 2026-11-20T21:00:00.000Z",
        ),
        (
            "the later of two caps",
            talks(most(1, 1, 0, 0)),
            none,
            Moscow,
            &["2026-11-20T06:00:00Z+3"],
            noon,
            "cap 2026-11-21T06:00:00.000Z",
        ),
        (
            "a gap from the dial",
            Caps::default(),
            gap(Some(hour), None),
            Moscow,
            &["2026-11-20T08:10:00Z+20"],
            noon,
            "gap 2026-11-20T09:10:00.000Z",
        ),
        (
            "a gap from the talk's end",
            Caps::default(),
            gap(Some(hour), Some(hour)),
            Moscow,
            &["2026-11-20T08:10:00Z+20"],
            noon,
            "gap 2026-11-20T09:30:00.000Z",
        ),
        ("a gap that is over", Caps::default(), gap(Some(hour), None), Moscow, &["2026-11-20T08:00:00Z"], noon, "open"),
        (
            "the gate that opens last is told",
            tries(most(1, 0, 0, 0)),
            gap(Some(48 * hour), None),
            Moscow,
            &["2026-11-20T08:10:00Z"],
            noon,
            "gap 2026-11-22T08:10:00.000Z",
        ),
        // 25 hours on 2026-10-25 in Berlin, 23 on 2027-03-28, and Havana skips midnight on 2027-03-14.
        (
            "a long day",
            tries(most(1, 0, 0, 0)),
            none,
            Berlin,
            &["2026-10-24T22:00:00Z"],
            "2026-10-25T22:30:00Z",
            "cap 2026-10-25T23:00:00.000Z",
        ),
        (
            "a short day",
            tries(most(1, 0, 0, 0)),
            none,
            Berlin,
            &["2027-03-27T23:00:00Z"],
            "2027-03-28T12:00:00Z",
            "cap 2027-03-28T22:00:00.000Z",
        ),
        (
            "a day without its midnight",
            tries(most(1, 0, 0, 0)),
            none,
            Havana,
            &["2027-03-13T12:00:00Z"],
            "2027-03-13T12:00:00Z",
            "cap 2027-03-14T05:00:00.000Z",
        ),
    ] {
        let found = match opens(&caps, &gap, &calls(history), zone, stamp(utc(from))) {
            (at, None) => {
                assert_eq!(at, stamp(utc(from)), "{what}");
                "open".to_owned()
            }
            (at, Some(gate)) => format!("{gate} {at}"),
        };
        assert_eq!(found, open, "{what}");
    }
}

#[test]
fn of_two_rules_the_stricter_holds() {
    let one = Caps { tries: most(3, 0, 5, 0), talks: most(1, 0, 0, 8) };
    let other = Caps { tries: most(2, 4, 9, 0), talks: most(0, 0, 2, 7) };
    let both = Caps { tries: most(2, 4, 5, 0), talks: most(1, 0, 2, 7) };
    assert_eq!((one.stricter(other), other.stricter(one)), (both, both));
    let gap = |after_try_ms, after_talk_ms| Gap { after_try_ms, after_talk_ms };
    assert_eq!(gap(Some(5), None).stricter(gap(Some(7), Some(1))), gap(Some(7), Some(1)));
}

#[test]
fn what_counts_as_a_try_and_what_as_a_talk() {
    let (at, end) = (Timestamp(1000), Some(Timestamp(9000)));
    let of = |outcome| Rang::of(at, end, outcome);
    assert_eq!(of(Some(Outcome::Answered)), Some(Rang { at, talked_until: end }));
    for outcome in
        [None, Some(Outcome::Busy), Some(Outcome::Machine), Some(Outcome::Lost), Some(Outcome::ScenarioError)]
    {
        assert_eq!(of(outcome), Some(Rang { at, talked_until: None }), "{outcome:?}: it may have rung");
    }
    assert_eq!(of(Some(Outcome::NoFunds)), None);
}

/// It shares nothing with the rules: instants, what a clock on the wall shows, and counting.
fn oracle(caps: &Caps, gap: &Gap, history: &[Rang], zone: Tz, from: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let instant = |at: Timestamp| at.utc().expect("a test's instant");
    let minutes = |ms: i64| TimeDelta::minutes(ms / MINUTE_MS);
    let closed = |now: DateTime<Utc>| {
        let shown = wall(zone, now).date();
        let full = |most: &Most, calls: Vec<DateTime<Utc>>| {
            let made = |same: &dyn Fn(DateTime<Utc>) -> bool| calls.iter().filter(|call| same(**call)).count() as u32;
            let date = |at: DateTime<Utc>| wall(zone, at).date();
            most.day.is_some_and(|max| made(&|at| date(at) == shown) >= max)
                || most.rolling.is_some_and(|max| made(&|at| now < at + TimeDelta::hours(24)) >= max)
                || most.week.is_some_and(|max| made(&|at| date(at).iso_week() == shown.iso_week()) >= max)
                || most.month.is_some_and(|max| {
                    made(&|at| (date(at).year(), date(at).month()) == (shown.year(), shown.month())) >= max
                })
        };
        full(&caps.tries, history.iter().map(|call| instant(call.at)).collect())
            || full(
                &caps.talks,
                history.iter().filter(|call| call.talked_until.is_some()).map(|call| instant(call.at)).collect(),
            )
            || history.iter().any(|call| {
                gap.after_try_ms.is_some_and(|ms| now < instant(call.at) + minutes(ms))
                    || call
                        .talked_until
                        .is_some_and(|end| gap.after_talk_ms.is_some_and(|ms| now < instant(end) + minutes(ms)))
            })
    };
    (0..45 * 24 * 60).map(|minute| from + TimeDelta::minutes(minute)).find(|now| !closed(*now))
}

fn change() -> impl Strategy<Value = ClockChange> {
    (0..distinct().len()).prop_map(|nth| distinct()[nth])
}

fn a_most() -> impl Strategy<Value = Most> {
    let few = || prop::option::weighted(0.4, 1u32..4);
    (few(), few(), few(), prop::option::weighted(0.1, 1u32..6)).prop_map(|(day, rolling, week, month)| Most {
        day,
        rolling,
        week,
        month,
    })
}

fn a_gap() -> impl Strategy<Value = Gap> {
    let time = || prop::option::weighted(0.5, (1i64..4000).prop_map(|minutes| minutes * MINUTE_MS));
    (time(), time()).prop_map(|(after_try_ms, after_talk_ms)| Gap { after_try_ms, after_talk_ms })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn openings_agree_with_counting_minute_by_minute(
        change in change(),
        (tries, talks, gap) in (a_most(), a_most(), a_gap()),
        made in prop::collection::vec((0i64..12_000, prop::option::of(1i64..60)), 0..7),
        before in -1500i64..3000,
    ) {
        let from = change.at - TimeDelta::minutes(before);
        let history: Vec<Rang> = made.into_iter().map(|(ago, talked)| {
            let at = stamp(from - TimeDelta::minutes(ago));
            Rang { at, talked_until: talked.map(|minutes| at.plus_ms(minutes.min(ago) * MINUTE_MS)) }
        }).collect();
        let caps = Caps { tries, talks };
        let (at, gate) = opens(&caps, &gap, &history, change.zone, stamp(from));
        let open = oracle(&caps, &gap, &history, change.zone, from).map(stamp);
        prop_assert_eq!(Some(at), open, "{} from {} {:?} {:?} {:?}", change.zone, from, caps, gap, history);
        prop_assert_eq!(gate.is_none(), at == stamp(from));
    }
}
