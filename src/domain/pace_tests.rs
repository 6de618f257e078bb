//! The laws of ramp-up, reserve, jitter and the brake.

use super::*;
use crate::domain::slot::{LATE_MS_MAX, next_slot_us};
use proptest::prelude::*;

const NOW: Timestamp = Timestamp(1_795_600_800_000);

fn complaint(sent_at: Timestamp, left_cps: f64) -> Complaint {
    Complaint { sent_at, left_cps, until: None, reason: "340: rate limit exceeded".into() }
}

fn step(was: Option<&Brake>, limit: Option<f64>, complaint: &Complaint, now: Timestamp) -> Option<Brake> {
    Brake::step(was, limit, complaint, now, RISE_EVERY_MS, BURST_MS)
}

#[test]
fn a_complaint_halves_what_really_left_and_time_gives_it_back() {
    let brake = step(None, Some(10.0), &complaint(NOW, 6.0), NOW).unwrap();
    assert_eq!((brake.cps, brake.since, brake.stepped_at), (3.0, NOW, NOW));
    let at = |ms| account_cps(Some(10.0), Some(&brake), NOW.plus_ms(ms));
    assert_eq!(at(0), Some(3.0));
    assert_eq!(at(RISE_EVERY_MS - 1), Some(3.0));
    assert_eq!(at(RISE_EVERY_MS), Some(3.5));
    assert_eq!(at(RISE_EVERY_MS * 13), Some(9.5));
    assert_eq!(brake.cps_at(NOW.plus_ms(RISE_EVERY_MS * 14), Some(10.0)), None, "it is off");
    // A second complaint halves again, and the slow-down is as old as its first step.
    let later = NOW.plus_ms(RISE_EVERY_MS);
    let again = step(Some(&brake), Some(10.0), &complaint(later, 3.4), later).unwrap();
    assert_eq!((again.cps, again.since), (1.7, NOW));
    // After the brake was off it begins anew.
    let much_later = NOW.plus_ms(RISE_EVERY_MS * 20);
    assert_eq!(step(Some(&brake), Some(10.0), &complaint(much_later, 9.0), much_later).unwrap().since, much_later);
}

#[test]
fn an_account_without_a_limit_comes_back_to_where_it_was() {
    let brake = step(None, None, &complaint(NOW, 40.0), NOW).unwrap();
    assert_eq!((brake.cps, brake.top), (20.0, 40.0));
    assert_eq!(account_cps(None, Some(&brake), NOW), Some(20.0));
    assert_eq!(account_cps(None, Some(&brake), NOW.plus_ms(RISE_EVERY_MS * 10)), None);
}

#[test]
fn whoever_asked_for_silence_gets_it_and_the_way_back_begins_after_it() {
    let until = NOW.plus_ms(30_000);
    let brake = step(None, Some(10.0), &Complaint { until: Some(until), ..complaint(NOW, 10.0) }, NOW).unwrap();
    assert_eq!((brake.stepped_at, brake.since), (until, NOW));
    assert_eq!(brake.cps_at(until, Some(10.0)), Some(5.0));
    assert_eq!(step(Some(&brake), Some(10.0), &complaint(NOW.plus_ms(5000), 5.0), NOW.plus_ms(5000)), None);
}

#[test]
fn a_run_begins_with_a_tenth_and_grows() {
    let pacing = Pacing { ramp_up_ms: 120_000, ..Pacing::default() };
    let at = |ms| pacing.run_cps(5.0, NOW, NOW.plus_ms(ms));
    assert_eq!((at(-5), at(0), at(60_000), at(120_000), at(1_000_000)), (0.5, 0.5, 2.75, 5.0, 5.0));
    assert_eq!(Pacing::default().run_cps(5.0, NOW, NOW), 5.0);
}

#[test]
fn a_reserve_leaves_pace_and_lines() {
    let pacing = Pacing { reserve: 0.2, ..Pacing::default() };
    assert_eq!(pacing.share_of_cps(Some(10.0)), Some(8.0));
    assert_eq!(pacing.share_of_lines(Some(10)), Some(8));
    assert_eq!(pacing.share_of_lines(Some(1)), Some(1), "a campaign with no line at all would never call");
    assert_eq!((pacing.share_of_cps(None), pacing.share_of_lines(None)), (None, None));
}

#[test]
fn a_pace_says_why_it_is_not_its_limit() {
    let pacing = Pacing { ramp_up_ms: 60_000, reserve: 0.5, ..Pacing::default() };
    let free = account_pace(Some(10.0), None, NOW);
    assert_eq!(free, PaceNow { limit: Some(10.0), now: Some(10.0), reason: None, since: None });
    let run = |account: &PaceNow, ms| pacing.run_pace(4.0, NOW, account, NOW.plus_ms(ms));
    let ramping = run(&free, 0);
    assert_eq!((ramping.limit, ramping.now, ramping.since), (Some(4.0), Some(0.4), Some(NOW)));
    assert!(ramping.reason.unwrap().contains("ramp_up"));
    assert_eq!(run(&free, 60_000), PaceNow { limit: Some(4.0), now: Some(4.0), reason: None, since: None });
    let brake = step(None, Some(10.0), &complaint(NOW, 2.0), NOW).unwrap();
    let slow = account_pace(Some(10.0), Some(&brake), NOW.plus_ms(1));
    assert_eq!((slow.now, slow.since), (Some(1.0), Some(NOW)));
    let held = run(&slow, 60_000);
    assert_eq!(
        (held.limit, held.now, held.reason),
        (Some(4.0), Some(0.5), Some("the provider takes less: 340: rate limit exceeded".into()))
    );
    assert_eq!(run(&account_pace(None, None, NOW), 60_000).limit, Some(4.0));
}

/// One complaint: how long after the last, how many left, how long ago the refused start was sent.
fn complaints() -> impl Strategy<Value = Vec<(i64, f64, i64)>> {
    prop::collection::vec((0i64..40_000, 0.0f64..500.0, 0i64..3_000), 1..60)
}

proptest! {
    /// The guard: `cps < top` in [`Brake::cps_at`]; the minimum in [`account_cps`] is a second lock on the same door.
    #[test]
    fn a_brake_never_allows_more_than_the_limit_and_recovers_fully(
        limit in prop::option::of(0.02f64..500.0), complaints in complaints(), ask in 0i64..400_000,
    ) {
        let (mut brake, mut now): (Option<Brake>, _) = (None, NOW);
        for (gap, left, ago) in complaints {
            now = now.plus_ms(gap);
            let before = account_cps(limit, brake.as_ref(), now);
            if let Some(next) = step(brake.as_ref(), limit, &complaint(now.plus_ms(-ago), left), now) {
                let after = account_cps(limit, Some(&next), now);
                let floor = limit.unwrap_or(f64::INFINITY).min(CPS_MIN);
                // A step slows down, or is at the floor.
                prop_assert!(after.is_some_and(|cps| before.is_none_or(|was| cps <= was / 2.0 + 1e-9 || cps <= floor + 1e-9)), "{before:?} → {after:?}");
                prop_assert!(next.cps >= floor);
                brake = Some(next);
            }
        }
        let brake = brake.expect("the first complaint is a step");
        let allowed = account_cps(limit, Some(&brake), now.plus_ms(ask));
        if let Some(limit) = limit {
            prop_assert!(allowed.is_some_and(|cps| cps <= limit));
        }
        // Twenty rises without a complaint, and it is as if nothing had been.
        prop_assert_eq!(account_cps(limit, Some(&brake), now.plus_ms(RISE_EVERY_MS * 21)), limit);
        // What it allows never falls by itself.
        let later = account_cps(limit, Some(&brake), now.plus_ms(ask + 1000)).unwrap_or(f64::INFINITY);
        prop_assert!(later >= allowed.unwrap_or(f64::INFINITY));
    }

    /// The guard: the comparison with `burst_ms` in [`Brake::step`].
    #[test]
    fn one_burst_of_refusals_is_one_step(limit in 1.0f64..500.0, refused in prop::collection::vec((0i64..60_000, -2_000i64..=BURST_MS), 1..200)) {
        let brake = step(None, Some(limit), &complaint(NOW, limit), NOW).unwrap();
        // Answers to starts that had left by then come whenever they like.
        for (answered, sent) in refused {
            let late = complaint(NOW.plus_ms(sent), limit);
            prop_assert_eq!(step(Some(&brake), Some(limit), &late, NOW.plus_ms(answered)), None);
        }
        prop_assert!(step(Some(&brake), Some(limit), &complaint(NOW.plus_ms(BURST_MS + 1), 1.0), NOW.plus_ms(BURST_MS + 1)).is_some());
    }

    /// The guard: slots only move later. A ramp, a rising brake and jitter together keep every rolling second
    /// inside what was allowed at its end.
    #[test]
    fn whatever_lowers_the_pace_keeps_every_rolling_second(
        cps in 1.0f64..100.0, limit in 1.0f64..100.0, ramp_s in 0i64..30, jitter in 0.0f64..=1.0,
        left in 0.1f64..100.0, late in prop::collection::vec(0i64..=LATE_MS_MAX, 200),
    ) {
        let pacing = Pacing { ramp_up_ms: ramp_s * 1000, jitter, ..Pacing::default() };
        let brake = step(None, Some(limit), &complaint(NOW, left), NOW).unwrap();
        let rate = |at_us: i64| {
            let at = Timestamp(at_us / 1000);
            let account = account_cps(Some(limit), Some(&brake), at).unwrap();
            (pacing.run_cps(cps, NOW, at), account)
        };
        let (mut last, mut sent) = (NOW.0 * 1000 - 60_000_000, Vec::new());
        for (n, late) in late.iter().enumerate() {
            let (run, account) = rate(last);
            let slot = next_slot_us(last, NOW, Some(run)).max(next_slot_us(last, NOW, Some(account)));
            let moved = jittered_us(slot, run, jitter, (7, n as i64));
            prop_assert!(moved >= slot && moved <= slot + spacing_us(run));
            last = moved;
            sent.push(last + late * 1000);
        }
        for (i, first) in sent.iter().enumerate() {
            let inside = sent[i..].iter().take_while(|at| *at - first < 1_000_000).count();
            let (run, account) = rate(first + 1_000_000);
            prop_assert!(inside as f64 <= run.min(account).ceil(), "{inside} starts in a second at {run} and {account}");
        }
    }
}
