//! Why not now, as a table, and the law of the moment that it names.

use super::*;
use crate::domain::PhoneNumber;
use crate::domain::follow::tests::{at, policy, settings};
use chrono_tz::{America::New_York, Asia::Omsk, Europe::Moscow, Tz};
use proptest::prelude::*;

/// Tuesday noon in Moscow.
const NOON: &str = "2026-11-17T09:00:00Z";
const NIGHT: &str = "2026-11-17T20:00:00Z";

fn person() -> PhoneNumber {
    "+74951234567".parse().expect("E.164")
}

fn waiting(to: &PhoneNumber, zone: Tz) -> Waiting<'_> {
    Waiting {
        facts: Facts {
            to,
            caller_id: None,
            zone,
            disposed: false,
            suppressed: false,
            paused: false,
            over: false,
            tries: 1,
            number_held_until: None,
            allow_listed: false,
            history: &[],
            consented: true,
            term: Default::default(),
            real_platform: false,
        },
        pause: None,
        disposition: None,
        since: at("2026-11-17T08:00:00Z"),
        calling: false,
        due_at: Some(at("2026-11-17T08:00:00Z")),
        gate: None,
        alive_until: Some(Timestamp::NEVER),
        suppressed_reason: None,
        slot_at: None,
        ahead: 0,
        lines_held: 0,
        account_lines_held: 0,
        account_cps: None,
        account_lines: None,
    }
}

fn short(why: &Why) -> String {
    let about = if why.about { "about " } else { "" };
    let until = why.opens_at.map(|at| format!(", {about}{at}")).unwrap_or_default();
    format!("{}: {}{until}", why.hold.as_str(), why.sentence)
}

#[test]
fn what_holds_a_contact() {
    type Set = fn(&mut Waiting<'_>);
    let (person, none): (PhoneNumber, Set) = (person(), |_| {});
    let pause = |whole_account| Pause { whole_account, since: at(NOON), reason: Some("a look at the script".into()) };
    for (when, set, said) in [
        (NOON, none, "queue: number 1 in the queue, at 5 starts per second, about 2026-11-17T09:00:00.203Z"),
        (
            NOON,
            |w| w.ahead = 999,
            "queue: number 1000 in the queue, at 5 starts per second, about 2026-11-17T09:03:23.000Z",
        ),
        (
            NOON,
            |w| (w.ahead, w.account_cps) = (9, Some(1.0)),
            "queue: number 10 in the queue, at 1 starts per second, about 2026-11-17T09:00:10.150Z",
        ),
        (
            NOON,
            |w| w.slot_at = Some(at("2026-11-17T09:00:01Z")),
            "queue: its start is planned, 2026-11-17T09:00:01.000Z",
        ),
        (NOON, |w| w.lines_held = 20, "lines: all lines are taken; it is number 1 in the queue"),
        (
            NOON,
            |w| (w.account_lines, w.account_lines_held) = (Some(3), 3),
            "lines: all lines are taken; it is number 1 in the queue",
        ),
        (
            NIGHT,
            none,
            "window: outside the calling window in the contact's time zone (Europe/Moscow), 2026-11-18T06:00:00.000Z",
        ),
        (
            NOON,
            |w| (w.due_at, w.gate) = (Some(at("2026-11-17T10:00:00Z")), Some(Gate::RetryDelay)),
            "retry_delay: waiting for the next try, 2026-11-17T10:00:00.000Z",
        ),
        (
            NOON,
            |w| (w.due_at, w.gate) = (Some(at("2026-11-17T10:00:00Z")), Some(Gate::Callback)),
            "callback: waiting for the moment at which a call back was promised, 2026-11-17T10:00:00.000Z",
        ),
        (
            NOON,
            |w| w.facts.number_held_until = Some(at("2026-11-17T09:05:00Z")),
            "number_busy: another call to this number is under way, 2026-11-17T09:05:00.000Z",
        ),
        (
            NOON,
            |w| (w.facts.suppressed, w.suppressed_reason) = (true, Some("asked in a call".into())),
            "stops: it will not be called: suppressed (asked in a call), 2026-11-17T09:00:00.000Z",
        ),
        (NOON, |w| w.facts.tries = 5, "stops: it will not be called: cancelled, 2026-11-17T09:00:00.000Z"),
        (NOON, |w| w.disposition = Some(Outcome::Busy), "at_rest: the run has come to its end with it: busy"),
        (NOON, |w| w.calling = true, "calling: it is being called"),
        (NOON, |w| w.facts.over = true, "no_run: its run is over"),
        (NOON, |w| w.alive_until = None, "nobody_dials: no process that dials is alive: start `halo serve`"),
        (NOON, |w| w.alive_until = Some(at(NOON)), "nobody_dials: no process that dials is alive: start `halo serve`"),
    ] {
        let mut waiting = waiting(&person, Moscow);
        set(&mut waiting);
        assert_eq!(short(&why(&settings(), &policy(), &waiting, at(when))), said);
    }
    for (whole_account, said) in [(true, "all calls are paused"), (false, "the run is paused")] {
        let waiting = Waiting { pause: Some(pause(whole_account)), ..waiting(&person, Moscow) };
        let told = why(&settings(), &policy(), &waiting, at(NIGHT));
        assert_eq!(short(&told), format!("paused: {said}: a look at the script"));
        assert_eq!(told.since, Some(at(NOON)));
    }
}

proptest! {
    /// The guard: `why` asks `clear` and `due_at` and nothing else. At the moment that it names the hold is gone or
    /// is another one; a second before, it may not be called yet.
    #[test]
    fn the_moment_that_is_named_is_the_moment(
        zone in prop::sample::select(vec![Moscow, New_York, Omsk]),
        minutes in 0i64..600_000,
        due in prop_oneof![Just(-1i64), -600i64..6_000],
        held in prop::option::weighted(0.7, -10i64..120),
        gate in prop::sample::select(vec![Gate::RetryDelay, Gate::Callback, Gate::Window, Gate::Provider]),
    ) {
        let (person, settings, policy) = (person(), settings(), policy());
        let now = Timestamp(at("2026-01-01T00:00:30Z").0 + minutes * 60_000);
        let due_at = now.plus_ms(due * 60_000);
        let held_until = held.map(|m| now.plus_ms(m * 60_000));
        // The other call is over when it can last no longer.
        let told = |at: Timestamp| {
            let mut waiting = waiting(&person, zone);
            waiting.due_at = Some(due_at);
            waiting.gate = Some(gate);
            waiting.facts.number_held_until = held_until.filter(|until| *until > at);
            (why(&settings, &policy, &waiting, at), clear(&settings, &policy, &waiting.facts, at))
        };
        let (first, _) = told(now);
        let Some(opens_at) = first.opens_at.filter(|_| !first.about) else { return Ok(()) };
        prop_assert!(opens_at > now);
        let second_before = opens_at.plus_ms(-1000);
        if second_before >= now {
            let (same, cleared) = told(second_before);
            // Neither the planner nor the grant would let it go, for this reason or for one that has come up since.
            prop_assert!(same.hold != Hold::Queue);
            prop_assert!(due_at > second_before || !matches!(cleared, Clearance::Go(_)));
        }
        let (then, cleared) = told(opens_at);
        prop_assert!(then.opens_at != Some(opens_at));
        if then.hold == Hold::Queue {
            prop_assert!(due_at <= opens_at && matches!(cleared, Clearance::Go(_)));
        } else {
            prop_assert!(then.hold != first.hold || then.opens_at > first.opens_at);
        }
    }
}
