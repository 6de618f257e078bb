//! Windows, caps and gaps together: which gate is told, and where a retry lands.

use super::*;
use crate::domain::caps::{Caps, Gap, Most};
use crate::domain::follow::tests::{at, calendar, policy, settings};
use crate::domain::window::Windows;
use chrono_tz::Europe::Moscow;

const HOUR_MS: i64 = 3_600_000;

fn once_a(day: u32, week: u32, gap_h: i64) -> Settings {
    let some = |n: u32| (n > 0).then_some(n);
    let tries = Most { day: some(day), week: some(week), ..Most::default() };
    let gap = Gap { after_try_ms: (gap_h > 0).then_some(gap_h * HOUR_MS), after_talk_ms: None };
    Settings { caps: Caps { tries, ..Caps::default() }, gap, ..settings() }
}

fn rang(text: &str) -> Vec<Rang> {
    vec![Rang { at: at(text), talked_until: None }]
}

fn told(found: Option<(Timestamp, Option<Gate>)>) -> String {
    match found {
        None => "never".into(),
        Some((at, gate)) => format!("{} {at}", gate.map_or("open".to_owned(), |gate| gate.to_string())),
    }
}

/// The policy opens 09–20 on working days, 10–18 on Saturdays; 2026-11-20 is a Friday.
#[test]
fn the_gate_that_opens_last_is_told_with_the_moment_when_all_are_open() {
    for (settings, called, now, said) in [
        (once_a(1, 0, 0), "2026-11-19T09:00:00Z", "2026-11-20T09:00:00Z", "open 2026-11-20T09:00:00.000Z"),
        // the cap opens at midnight, the phone may ring in the morning
        (once_a(1, 0, 0), "2026-11-20T08:00:00Z", "2026-11-20T09:00:00Z", "cap 2026-11-21T07:00:00.000Z"),
        // at night the window is what is waited for
        (once_a(1, 0, 0), "2026-11-20T08:00:00Z", "2026-11-20T19:00:00Z", "window 2026-11-21T07:00:00.000Z"),
        // but not when the cap opens after it
        (once_a(0, 1, 0), "2026-11-20T08:00:00Z", "2026-11-20T19:00:00Z", "cap 2026-11-23T06:00:00.000Z"),
        (once_a(0, 0, 2), "2026-11-20T08:00:00Z", "2026-11-20T09:00:00Z", "gap 2026-11-20T10:00:00.000Z"),
        // the gap ends on a Saturday evening: Monday
        (once_a(0, 0, 32), "2026-11-20T08:00:00Z", "2026-11-20T09:00:00Z", "gap 2026-11-23T06:00:00.000Z"),
    ] {
        let found = allowed_at(&settings, &policy(), &rang(called), Moscow, at(now));
        assert_eq!(told(found), said, "called {called}, now {now}");
    }
    let until = crate::domain::calendar::date("2026-11-20");
    let windows = crate::domain::calendar::Calendar { until, ..calendar("mon-sun 00:00-24:00") };
    let over = Settings { windows, ..once_a(1, 0, 0) };
    let found = allowed_at(&over, &policy(), &rang("2026-11-20T08:00:00Z"), Moscow, at("2026-11-20T09:00:00Z"));
    assert_eq!(told(found), "never", "the last day passes before the cap opens");
}

/// Without the caps beside the windows a retry is due at once, is planned, and costs a session for nothing.
#[test]
fn a_retry_lands_inside_caps_and_windows() {
    let retry = |due| Next::Retry { due_at: at(due), gate: Gate::RetryDelay };
    let history = rang("2026-11-20T08:00:00Z");
    let inside = |settings: &Settings, next| inside(next, settings, &policy(), &history, Moscow, Outcome::Busy);
    assert_eq!(inside(&once_a(2, 0, 0), retry("2026-11-20T08:05:00Z")), retry("2026-11-20T08:05:00Z"));
    assert_eq!(
        inside(&once_a(1, 0, 0), retry("2026-11-20T08:05:00Z")),
        Next::Retry { due_at: at("2026-11-21T07:00:00Z"), gate: Gate::Cap }
    );
    assert_eq!(
        inside(&once_a(0, 0, 1), retry("2026-11-20T08:05:00Z")),
        Next::Retry { due_at: at("2026-11-20T09:00:00Z"), gate: Gate::Gap }
    );
    assert_eq!(inside(&once_a(1, 0, 0), Next::Rest(Outcome::Rejected)), Next::Rest(Outcome::Rejected));
    let never = Settings { windows: Windows::never().into(), ..once_a(1, 0, 0) };
    assert_eq!(inside(&never, retry("2026-11-20T08:05:00Z")), Next::Rest(Outcome::Busy));
}
