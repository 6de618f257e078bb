//! Limits, days and settlements, by hand.

use super::*;
use crate::domain::follow::tests::at;
use crate::domain::money::TokenPrices;

const BOTH: Budget = Budget { run: Some(100), day: Some(50) };

fn counters(run: (i64, i64), day: (i64, i64)) -> Counters {
    let counter = |(spent, reserved)| Counter { spent, reserved };
    Counters { run: counter(run), day: counter(day) }
}

/// Without `room` a grant reserves what is not there.
#[test]
fn what_is_spent_and_reserved_leaves_the_rest() {
    let room = |run, day, most| BOTH.room(counters(run, day), most);
    assert_eq!(room((0, 0), (0, 0), 50), Room::Enough);
    assert_eq!(room((0, 0), (0, 0), 51), Room::DayShort { reserved: false });
    assert_eq!(room((60, 30), (0, 30), 10), Room::Enough);
    assert_eq!(room((60, 30), (0, 30), 11), Room::RunShort { reserved: true });
    assert_eq!(room((95, 0), (0, 0), 10), Room::RunShort { reserved: false });
    assert_eq!(room((0, 0), (45, 0), 10), Room::DayShort { reserved: false });
    assert_eq!(Budget::default().room(counters((9, 9), (9, 9)), i64::MAX), Room::Enough);
    assert_eq!(BOTH.calls_left(counters((60, 30), (0, 30)), 5), 2);
    assert_eq!(BOTH.calls_left(counters((120, 0), (0, 0)), 5), 0, "a bill came higher than the limit");
}

#[test]
fn a_spent_run_says_so() {
    let budget = Budget { run: Some(5_000_000), day: None };
    let said = |spent| budget.spent_sentence(counters((spent, 0), (0, 0)), 300_000, "USD").unwrap();
    assert_eq!(said(5_200_000), "the run's budget is spent (5.20 USD of 5.00 USD)");
    assert_eq!(
        said(4_900_000),
        "the run's budget is spent (4.90 USD of 5.00 USD): the 0.10 USD left are less than the 0.30 USD that a call can \
         cost"
    );
}

#[test]
fn a_day_is_one_of_the_campaigns_zone() {
    let day = |zone: Tz, text: &str| day_of(zone, at(text));
    let moscow = (at("2026-11-24T21:00:00Z"), at("2026-11-25T21:00:00Z"));
    assert_eq!(day(chrono_tz::Europe::Moscow, "2026-11-25T10:00:00Z"), moscow);
    assert_eq!(day(chrono_tz::Europe::Moscow, "2026-11-25T20:59:59Z"), moscow);
    assert_eq!(day(chrono_tz::Europe::Moscow, "2026-11-25T21:00:00Z").0, moscow.1);
    // 23 and 25 hours, and a midnight that does not exist.
    let hours = |(from, to): (Timestamp, Timestamp)| to.since(from) / 3_600_000;
    assert_eq!(hours(day(chrono_tz::Europe::Berlin, "2026-03-29T12:00:00Z")), 23);
    assert_eq!(hours(day(chrono_tz::Europe::Berlin, "2026-10-25T12:00:00Z")), 25);
    assert_eq!(day(chrono_tz::Africa::Cairo, "2026-04-24T12:00:00Z").0, at("2026-04-23T22:00:00Z"));
}

#[test]
fn a_call_is_settled_by_what_is_known_of_it() {
    let one =
        TokenPrices { text_in: 0, text_cached: 0, text_out: 0, audio_in: 0, audio_cached: 0, audio_out: 1_000_000 };
    let tariff = Tariff {
        call_minute: 600,
        step_s: 60,
        session_minute: 60,
        talk_minute: 0,
        amd_minute: 0,
        ring_s: 30,
        call_s: 90,
        model: Some(one),
        replier: Some(TokenPrices { text_in: 1_000_000, ..one }),
    };
    let told = |picked_up, ring_s, talk_s, cost| settled(&tariff, End::Told { picked_up, ring_s, talk_s, cost });
    assert_eq!(told(true, Some(10), Some(50), None), (660, 1000));
    assert_eq!(told(true, Some(10), Some(50), Some(900)), (900, 1000), "the session's word, when it is higher");
    assert_eq!(told(true, None, None, None), (1200 + 120, 1800), "seconds that nobody told");
    assert_eq!(told(false, Some(25), None, None), (25, 0));
    let (provider, models) = settled(&tariff, End::Lost);
    assert_eq!((provider, models), (tariff.provider_most(), tariff.models_most()), "replies are counted as they came");
    assert_eq!(settled(&tariff, End::NotDialled), (0, 0));
}
