//! The last gate as a table.

use super::*;
use crate::domain::follow::tests::{at, calendar, policy, settings};
use crate::domain::settings::Purpose;
use chrono_tz::Europe::Moscow;

/// Friday noon in Moscow.
const NOON: &str = "2026-11-20T09:00:00Z";
/// Saturday, an hour before midnight.
const NIGHT: &str = "2026-11-21T20:00:00Z";

fn facts(to: &PhoneNumber) -> Facts<'_> {
    Facts {
        to,
        caller_id: None,
        zone: Moscow,
        disposed: false,
        suppressed: false,
        paused: false,
        over: false,
        tries: 1,
        number_held_until: None,
        allow_listed: false,
        history: &[],
        consented: false,
        term: Default::default(),
        real_platform: false,
    }
}

fn short(clearance: Clearance) -> String {
    match clearance {
        Clearance::Go(_) => "go".into(),
        Clearance::Wait { until, gate } => format!("wait {gate} {until}"),
        Clearance::Stop(outcome) => format!("stop {outcome}"),
        Clearance::Bar(gate) => format!("bar {gate}"),
    }
}

#[test]
fn who_may_be_rung_now() {
    let person: PhoneNumber = "+74951234567".parse().unwrap();
    let example: PhoneNumber = "+79990000001".parse().unwrap();
    type Set = fn(&mut Facts<'_>);
    let none: Set = |_| {};
    for (purpose, to, when, set, decided) in [
        (Purpose::Survey, &person, NOON, none, "go"),
        (Purpose::Survey, &person, NIGHT, none, "wait window 2026-11-23T06:00:00.000Z"),
        // a test rings example numbers and allow-listed ones at night, and nobody else
        (Purpose::Test, &example, NIGHT, none, "go"),
        (Purpose::Test, &person, NIGHT, none, "wait window 2026-11-23T06:00:00.000Z"),
        (Purpose::Test, &person, NIGHT, |f| f.allow_listed = true, "go"),
        (Purpose::Survey, &person, NIGHT, |f| f.allow_listed = true, "wait window 2026-11-23T06:00:00.000Z"),
        (Purpose::Survey, &example, NIGHT, none, "wait window 2026-11-23T06:00:00.000Z"),
        // example numbers are never rung on the real platform
        (Purpose::Test, &example, NOON, |f| f.real_platform = true, "stop suppressed"),
        // suppression and pause hold for everyone, suppression first
        (Purpose::Test, &example, NOON, |f| f.suppressed = true, "stop suppressed"),
        (Purpose::Test, &example, NOON, |f| (f.suppressed, f.disposed) = (true, true), "stop suppressed"),
        (Purpose::Test, &example, NOON, |f| f.disposed = true, "stop cancelled"),
        (Purpose::Test, &example, NOON, |f| f.over = true, "stop cancelled"),
        (Purpose::Test, &example, NOON, |f| (f.over, f.paused) = (true, true), "stop cancelled"),
        (Purpose::Test, &example, NOON, |f| f.paused = true, "wait paused 2026-11-20T09:01:00.000Z"),
        // one cap over all rules
        (Purpose::Test, &example, NOON, |f| f.tries = 4, "go"),
        (Purpose::Test, &example, NOON, |f| f.tries = 5, "stop cancelled"),
        // one live call per number, and a hold that is over still waits a moment
        (
            Purpose::Test,
            &example,
            NOON,
            |f| f.number_held_until = Some(at("2026-11-20T09:05:00Z")),
            "wait number_busy 2026-11-20T09:05:00.000Z",
        ),
        (
            Purpose::Test,
            &example,
            NOON,
            |f| f.number_held_until = Some(at("2026-11-20T08:00:00Z")),
            "wait number_busy 2026-11-20T09:00:30.000Z",
        ),
    ] {
        let mut facts = facts(to);
        set(&mut facts);
        let policy = policy();
        let settings = Settings { purpose, ..settings() };
        assert_eq!(short(clear(&settings, &policy, &facts, at(when))), decided, "{purpose:?} {to} {when} {facts:?}");
    }
}

/// The number's history and the contact's consent hold for everybody but tests of test phones.
#[test]
fn caps_gaps_and_consent_are_gates() {
    use crate::domain::caps::{Caps, Gap, Most};
    use crate::domain::settings::Consent;
    let (person, example): (PhoneNumber, PhoneNumber) =
        ("+74951234567".parse().unwrap(), "+79990000001".parse().unwrap());
    let history = [Rang { at: at("2026-11-20T08:30:00Z"), talked_until: None }];
    let caps = Caps { tries: Most { day: Some(1), ..Most::default() }, ..Caps::default() };
    let gap = Gap { after_try_ms: Some(3_600_000), after_talk_ms: None };
    let capped = Settings { caps, ..settings() };
    let gapped = Settings { gap, ..settings() };
    let asked = Settings { consent: Consent { required: true }, ..settings() };
    let test = |settings: &Settings| Settings { purpose: Purpose::Test, ..settings.clone() };
    for (settings, to, consented, decided) in [
        (&capped, &person, false, "wait cap 2026-11-21T07:00:00.000Z"),
        (&gapped, &person, false, "wait gap 2026-11-20T09:30:00.000Z"),
        (&asked, &person, false, "bar no_consent"),
        (&asked, &person, true, "go"),
        (&test(&capped), &example, false, "go"),
        (&test(&asked), &example, false, "go"),
        (&test(&asked), &person, false, "bar no_consent"),
    ] {
        let facts = Facts { history: &history, consented, ..facts(to) };
        assert_eq!(short(clear(settings, &policy(), &facts, at(NOON))), decided, "{to} {consented}");
    }
    let barred = Facts { suppressed: true, ..facts(&person) };
    assert_eq!(short(clear(&asked, &policy(), &barred, at(NOON))), "stop suppressed", "suppression comes first");
}

#[test]
fn an_order_carries_the_number_and_who_calls() {
    let (to, from): (PhoneNumber, PhoneNumber) = ("+74951234567".parse().unwrap(), "+79991234567".parse().unwrap());
    let facts = Facts { caller_id: Some(&from), ..facts(&to) };
    match clear(&settings(), &policy(), &facts, at(NOON)) {
        Clearance::Go(order) => assert_eq!((order.to(), order.caller_id()), (&to, Some(&from))),
        other => panic!("{other:?}"),
    }
}

/// Both windows hold: neither the campaign's wish nor the policy alone opens the line.
#[test]
fn both_windows_must_be_open() {
    for (campaign, policy, from, open) in [
        ("mon-fri 09:00-20:00", "mon-sun 10:00-18:00", "2026-11-20T05:00:00Z", Some("2026-11-20T07:00:00.000Z")),
        ("mon-sun 00:00-24:00", "sun 12:00-13:00", "2026-11-20T05:00:00Z", Some("2026-11-22T09:00:00.000Z")),
        ("mon 09:00-12:00", "mon 11:59-20:00", "2026-11-20T05:00:00Z", Some("2026-11-23T08:59:00.000Z")),
        ("mon 09:00-12:00", "tue 09:00-12:00", "2026-11-20T05:00:00Z", None),
        ("mon 09:00-12:00", "mon 12:00-20:00", "2026-11-20T05:00:00Z", None),
    ] {
        let settings = Settings { windows: calendar(campaign), ..settings() };
        let found = open_at(&settings, &[calendar(policy)], Moscow, at(from));
        assert_eq!(found.map(|t| t.to_string()).as_deref(), open, "{campaign} and {policy}");
    }
}

/// The guard: `clear` asks `facts.term`; a test of example numbers is no exception.
#[test]
fn the_lists_own_term_holds_for_everyone() {
    let example: PhoneNumber = "+79990000001".parse().unwrap();
    let term = |from: Option<&str>, until: Option<&str>| Term { not_before: from.map(at), not_after: until.map(at) };
    for (term, decided) in [
        (term(Some("2026-11-20T09:30:00Z"), None), "wait not_before 2026-11-20T09:30:00.000Z"),
        (term(Some("2026-11-20T08:00:00Z"), Some("2026-11-21T00:00:00Z")), "go"),
        (term(None, Some("2026-11-20T08:59:00Z")), "stop expired"),
    ] {
        for purpose in [Purpose::Test, Purpose::Survey] {
            let settings = Settings { purpose, ..settings() };
            let facts = Facts { term, ..facts(&example) };
            assert_eq!(short(clear(&settings, &policy(), &facts, at(NOON))), decided, "{term:?}");
        }
    }
}

#[test]
fn windows_that_never_meet_end_the_attempt() {
    let person: PhoneNumber = "+74951234567".parse().unwrap();
    let settings = Settings { windows: calendar("mon 09:00-10:00"), ..settings() };
    let policy = [calendar("tue 09:00-10:00")];
    assert_eq!(short(clear(&settings, &policy, &facts(&person), at(NOON))), "stop expired");
}

#[test]
fn gates_have_a_name_and_a_sentence() {
    for gate in Gate::ALL {
        assert_eq!(gate.to_string().parse(), Ok(*gate));
        assert!(gate.sentence().len() > 10);
    }
    assert!("open".parse::<Gate>().is_err());
}
