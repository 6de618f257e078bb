//! What follows each outcome, as a table.

use super::*;
use crate::domain::settings::{Alternates, Amd, Delay, Dial, Purpose, Retry, RetryOrder};
use crate::domain::window::Windows;
use chrono_tz::Europe::Moscow;
use std::collections::BTreeMap;

pub fn policy() -> Vec<Calendar> {
    vec![Windows::parse(&["mon-fri 09:00-20:00", "sat 10:00-18:00"]).unwrap().into()]
}

pub fn calendar(line: &str) -> Calendar {
    Windows::parse(&[line]).unwrap().into()
}

pub fn at(text: &str) -> Timestamp {
    text.parse::<chrono::DateTime<chrono::Utc>>().expect("a test writes a good date").into()
}

/// The design's sample, without a schedule.
pub fn settings() -> Settings {
    let minutes = |n: i64| Delay::Ms(n * 60_000);
    Settings {
        name: "demo".into(),
        purpose: Purpose::Survey,
        modes: vec![(crate::domain::Mode::dialog(), 1)],
        region: "RU".into(),
        policy: "safe".into(),
        policy_override: None,
        timezone: Moscow,
        dial: Dial {
            cps: 5.0,
            lines: 20,
            caller_ids: Vec::new(),
            ring_s: 45,
            call_s: 300,
            record: false,
            amd: Amd::HangUp,
        },
        windows: Calendar::always(),
        retry: Retry {
            attempts_max: 4,
            delays: BTreeMap::from([
                (Outcome::Busy, vec![minutes(5), minutes(30), Delay::NextDay]),
                (Outcome::NoAnswer, vec![minutes(60), minutes(240), Delay::NextDay]),
                (Outcome::Unavailable, vec![]),
            ]),
            jitter: 0.0,
            order: RetryOrder::Due,
            alternates: Alternates::Rotate,
        },
        schedule: None,
        budget: Default::default(),
        breakers: Default::default(),
        caps: Default::default(),
        gap: Default::default(),
        consent: Default::default(),
        list: Default::default(),
        experiment: Default::default(),
        report: Default::default(),
        pacing: Default::default(),
    }
}

fn past(tries: u32, same: u32) -> Past {
    Past { tries, same, zone: Moscow, exempt: false, run_over: false, draw: 0.0 }
}

fn short(next: Next) -> String {
    match next {
        Next::Retry { due_at, gate } => format!("{gate} {due_at}"),
        Next::Rest(outcome) => format!("rest {outcome}"),
    }
}

/// Tuesday noon in Moscow unless said otherwise.
#[test]
fn what_follows_an_outcome() {
    const NOON: &str = "2026-11-17T09:00:00Z";
    let policy = policy();
    for (outcome, past, now, next) in [
        // the delay is the outcome's own: the first busy after two no-answers waits the first delay
        (Outcome::Busy, past(1, 1), NOON, "retry_delay 2026-11-17T09:05:00.000Z"),
        (Outcome::Busy, past(2, 2), NOON, "retry_delay 2026-11-17T09:30:00.000Z"),
        (Outcome::Busy, past(3, 3), NOON, "retry_delay 2026-11-18T09:00:00.000Z"),
        (Outcome::Busy, past(3, 1), NOON, "retry_delay 2026-11-17T09:05:00.000Z"),
        (Outcome::NoAnswer, past(1, 1), NOON, "retry_delay 2026-11-17T10:00:00.000Z"),
        // one cap over all rules
        (Outcome::Busy, past(4, 1), NOON, "rest busy"),
        (Outcome::NoAnswer, past(5, 1), NOON, "rest no_answer"),
        // an outcome without delays, or with an empty list, is final
        (Outcome::Answered, past(1, 1), NOON, "rest answered"),
        (Outcome::InvalidNumber, past(1, 1), NOON, "rest invalid_number"),
        (Outcome::Prohibited, past(1, 1), NOON, "rest prohibited"),
        (Outcome::Lost, past(1, 1), NOON, "rest lost"),
        (Outcome::Unavailable, past(1, 1), NOON, "rest unavailable"),
        // a retry lands inside the window: Tuesday 19:58 and five minutes is Wednesday morning
        (Outcome::Busy, past(1, 1), "2026-11-17T16:58:00Z", "retry_delay 2026-11-18T06:00:00.000Z"),
        // Friday evening's next day is Saturday, which opens at ten
        (Outcome::Busy, past(3, 3), "2026-11-20T06:30:00Z", "retry_delay 2026-11-21T07:00:00.000Z"),
        // want of money is nobody's try: again once the run is resumed, whatever the cap
        (Outcome::NoFunds, past(4, 1), NOON, "provider 2026-11-17T09:00:00.000Z"),
        // a run that is over earns no more tries
        (Outcome::Busy, Past { run_over: true, ..past(1, 1) }, NOON, "rest busy"),
        (Outcome::NoFunds, Past { run_over: true, ..past(1, 1) }, NOON, "rest no_funds"),
        // tests of example numbers do not wait for the morning
        (
            Outcome::Busy,
            Past { exempt: true, ..past(1, 1) },
            "2026-11-17T20:00:00Z",
            "retry_delay 2026-11-17T20:05:00.000Z",
        ),
    ] {
        let next_is = follow(&settings(), &policy, outcome, past, at(now));
        assert_eq!(short(next_is), next, "{outcome} {past:?} at {now}");
    }
}

#[test]
fn past_the_end_of_a_list_its_last_delay_repeats() {
    let mut settings = settings();
    settings.retry.attempts_max = 9;
    let policy = policy();
    let now = at("2026-11-17T09:00:00Z");
    let third = follow(&settings, &policy, Outcome::Busy, past(3, 3), now);
    assert_eq!(follow(&settings, &policy, Outcome::Busy, past(7, 7), now), third);
}

#[test]
fn without_a_common_window_the_contact_rests() {
    let settings = Settings { windows: Windows::never().into(), ..settings() };
    let next = follow(&settings, &[], Outcome::Busy, past(1, 1), at("2026-11-17T09:00:00Z"));
    assert_eq!(next, Next::Rest(Outcome::Busy));
}

#[test]
fn only_money_stops_the_run_and_only_real_tries_count() {
    for outcome in Outcome::ALL {
        let alone = alarm(*outcome, 1).is_some();
        assert_eq!(alone, *outcome == Outcome::NoFunds, "{outcome}");
        let fifth = alarm(*outcome, PROHIBITED_ROW_MAX).is_some();
        assert_eq!(fifth, matches!(outcome, Outcome::NoFunds | Outcome::Prohibited), "{outcome}");
    }
    let uncounted: Vec<_> = Outcome::ALL.iter().filter(|o| !counts(**o)).map(|o| o.as_str()).collect();
    assert_eq!(uncounted, ["no_funds", "cancelled", "expired", "suppressed"]);
}

#[test]
fn a_promise_counts_and_lands_where_calls_are_allowed() {
    const NOON: &str = "2026-11-17T09:00:00Z";
    let policy = policy();
    let promised =
        |past: Past, when: &str| call_back(&settings(), &policy, at(when), past, at(NOON)).map(|at| at.to_string());
    for (past, when, kept) in [
        (past(1, 1), "2026-11-17T11:00:00Z", Some("2026-11-17T11:00:00.000Z")),
        // late in the evening is the next morning; Sunday is Monday
        (past(1, 1), "2026-11-17T20:00:00Z", Some("2026-11-18T06:00:00.000Z")),
        (past(1, 1), "2026-11-22T09:00:00Z", Some("2026-11-23T06:00:00.000Z")),
        // a moment that has passed is now
        (past(1, 1), "2026-11-17T08:00:00Z", Some("2026-11-17T09:00:00.000Z")),
        // one cap over all rules, and a run that is over calls nobody
        (past(3, 1), "2026-11-17T11:00:00Z", Some("2026-11-17T11:00:00.000Z")),
        (past(4, 1), "2026-11-17T11:00:00Z", None),
        (Past { run_over: true, ..past(1, 1) }, "2026-11-17T11:00:00Z", None),
        (past(1, 1), "2027-11-17T11:00:00Z", None),
        (Past { exempt: true, ..past(1, 1) }, "2026-11-17T20:00:00Z", Some("2026-11-17T20:00:00.000Z")),
    ] {
        assert_eq!(promised(past, when).as_deref(), kept, "{past:?} {when}");
    }
}

/// The guard: `may_go_on` in `at_once`; without it a list of dead numbers would be rung beyond the cap.
#[test]
fn another_number_waits_for_nothing_but_the_window_and_the_cap() {
    let policy = policy();
    let short = |tries, now| short(at_once(&settings(), &policy, Outcome::InvalidNumber, past(tries, 1), at(now)));
    assert_eq!(short(1, "2026-11-17T09:00:00Z"), "retry_delay 2026-11-17T09:00:00.000Z");
    assert_eq!(short(1, "2026-11-17T17:00:00Z"), "retry_delay 2026-11-18T06:00:00.000Z");
    assert_eq!(short(4, "2026-11-17T09:00:00Z"), "rest invalid_number");
}
