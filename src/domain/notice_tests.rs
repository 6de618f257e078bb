//! Kinds and channels, how often is tried, when a morning is due, and what is an alert.

use super::*;

fn at(text: &str) -> Timestamp {
    text.parse::<chrono::DateTime<Utc>>().expect("an instant").into()
}

#[test]
fn kinds_and_channels_are_read_as_they_are_written() {
    for kind in Kind::ALL {
        assert_eq!(kind.as_str().parse(), Ok(kind));
    }
    for channel in Channel::ALL {
        assert_eq!(channel.as_str().parse(), Ok(channel));
    }
    assert!("run.stared".parse::<Kind>().is_err());
}

#[test]
fn tries_go_on_for_more_than_two_days_and_end() {
    let delays: Vec<i64> = (1..).map_while(again_after_ms).collect();
    assert_eq!((delays.len(), delays[0]), (9, 5_000));
    assert!(delays.iter().sum::<i64>() > 2 * 24 * H);
    assert_eq!((again_after_ms(0), again_after_ms(10)), (None, None));
}

#[test]
fn a_morning_comes_once_a_day_by_the_campaigns_own_clock() {
    let moscow = chrono_tz::Europe::Moscow;
    assert_eq!(morning(9 * 60, moscow, at("2026-11-22T05:59:59Z")), None);
    let due = at("2026-11-22T06:00:00Z");
    assert_eq!(morning(9 * 60, moscow, due), Some(("2026-11-22".into(), due)));
    assert_eq!(morning(9 * 60, moscow, at("2026-11-22T20:59:00Z")), Some(("2026-11-22".into(), due)));
    assert_eq!(morning(9 * 60, moscow, at("2026-11-22T21:00:00Z")), None, "the next day has begun there");
    // 02:30 does not exist that day.
    let berlin = chrono_tz::Europe::Berlin;
    let left_out = morning(2 * 60 + 30, berlin, at("2026-03-29T12:00:00Z"));
    assert_eq!(left_out, Some(("2026-03-29".into(), at("2026-03-29T01:30:00Z"))));
    let twice = morning(2 * 60 + 30, berlin, at("2026-10-25T12:00:00Z"));
    assert_eq!(twice, Some(("2026-10-25".into(), at("2026-10-25T00:30:00Z"))));
}

fn idle(seen: Watched, now: &str) -> bool {
    let seen = Watched { idle_max_ms: 10 * MIN, ..seen };
    alerts(&seen, &[], at(now)).iter().any(|alert| alert.kind == AlertKind::Idle)
}

/// The guards: each of the conditions in `idle_since`, and the span.
#[test]
fn idle_is_nobody_dialled_although_somebody_could_be() {
    let due = Watched { due_since: Some(at("2026-11-22T01:00:00Z")), ..Watched::default() };
    assert!(!idle(due.clone(), "2026-11-22T01:09:59Z"));
    assert!(idle(due.clone(), "2026-11-22T01:10:00Z"));
    let dialled = Watched { last_start: Some(at("2026-11-22T01:05:00Z")), ..due.clone() };
    assert!(!idle(dialled.clone(), "2026-11-22T01:10:00Z"), "somebody was dialled meanwhile");
    assert!(idle(dialled, "2026-11-22T01:15:00Z"));
    assert!(!idle(Watched { in_flight: 1, ..due.clone() }, "2026-11-22T03:00:00Z"), "every line may be busy");
    assert!(!idle(Watched { account_paused: true, ..due.clone() }, "2026-11-22T03:00:00Z"), "that is somebody's wish");
    assert!(!idle(Watched { due_since: None, ..due }, "2026-11-22T03:00:00Z"), "gates hold everybody");
}

/// The guard: `BALANCE_SPARE`.
#[test]
fn a_balance_at_its_limit_does_not_flutter() {
    let seen =
        |amount| Watched { balance: Some((amount, "USD".into())), balance_min: Some(10.0), ..Watched::default() };
    let open = [(AlertKind::Balance, "account".to_owned())];
    let now = Timestamp(0);
    assert_eq!(alerts(&seen(10.0), &[], now).len(), 0);
    let raised = alerts(&seen(9.99), &[], now);
    assert_eq!(raised[0].told, "the balance at the provider is 9.99 USD, below 10.00");
    assert_eq!(alerts(&seen(10.4), &open, now).len(), 1, "it lasts until there is some to spare");
    assert_eq!(alerts(&seen(10.6), &open, now).len(), 0);
    assert_eq!(alerts(&Watched { balance_min: None, ..seen(0.0) }, &[], now).len(), 0, "nobody asked for it");
}

#[test]
fn breakers_and_missed_nights_are_told_with_their_reason() {
    let seen = Watched {
        tripped: vec![("run_1".into(), "demo".into(), "half of the last 50 attempts failed".into())],
        missed: vec![(
            "7".into(),
            "night".into(),
            at("2026-11-22T02:00:00Z"),
            "it passed while no scheduler ran".into(),
        )],
        unlike: vec![("run_8".into(), "night".into(), "run 8 leaves the control band: dialog success_rate ↓".into())],
        ..Watched::default()
    };
    let told: Vec<String> = alerts(&seen, &[], Timestamp(0)).into_iter().map(|alert| alert.told).collect();
    assert_eq!(
        told,
        [
            "demo: the run is paused by a breaker: half of the last 50 attempts failed",
            "night: the run of 2026-11-22T02:00:00.000Z did not begin: it passed while no scheduler ran",
            "night: run 8 leaves the control band: dialog success_rate ↓"
        ]
    );
}
