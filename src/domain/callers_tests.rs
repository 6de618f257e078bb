//! The pool of caller ids: rotation, lanes, days.

use super::*;
use crate::domain::slot::next_slot_us;
use proptest::prelude::*;

const NOW: Timestamp = Timestamp(1_795_600_800_000);
const NOW_US: i64 = NOW.0 * 1000;

fn id(n: usize) -> PhoneNumber {
    format!("+7999000{n:04}").parse().unwrap()
}

fn limits(of: &[CallerLimits]) -> (Vec<PhoneNumber>, BTreeMap<PhoneNumber, CallerLimits>) {
    ((0..of.len()).map(id).collect(), of.iter().cloned().enumerate().map(|(n, of)| (id(n), of)).collect())
}

fn pool<'a>(of: &'a (Vec<PhoneNumber>, BTreeMap<PhoneNumber, CallerLimits>)) -> Pool<'a> {
    Pool { ids: &of.0, limits: &of.1, horizon_us: NOW_US + 1_000_000, midnight: NOW.plus_ms(3_600_000) }
}

fn weight(weight: u32) -> CallerLimits {
    CallerLimits { weight, ..CallerLimits::default() }
}

#[test]
fn the_rotation_is_smooth() {
    let of = limits(&[weight(5), weight(1), weight(1)]);
    let mut uses = CallerUses::new();
    let shown: Vec<usize> = (0..14)
        .map(|n| match pool(&of).show(None, &mut uses, NOW_US + n).unwrap() {
            Shown::By(by, _) => of.0.iter().position(|id| *id == by).unwrap(),
            Shown::Opens(at) => panic!("opens at {at}"),
        })
        .collect();
    assert_eq!(shown, [0, 0, 1, 0, 2, 0, 0, 0, 0, 1, 0, 2, 0, 0]);
}

/// The guard: `day_max` in [`Pool::spent`].
#[test]
fn whoever_is_spent_for_the_day_waits_for_midnight() {
    let of = limits(&[CallerLimits { day_max: Some(2), ..weight(1) }, CallerLimits { day_max: Some(1), ..weight(1) }]);
    let pool = pool(&of);
    let mut uses = CallerUses::from([(id(0).as_str().to_owned(), CallerUse { today: 1, ..CallerUse::default() })]);
    assert_eq!(pool.room(&uses, NOW_US, 500), 2);
    for _ in 0..2 {
        assert!(matches!(pool.show(None, &mut uses, NOW_US), Some(Shown::By(..))));
    }
    assert_eq!(pool.show(None, &mut uses, NOW_US), Some(Shown::Opens(pool.midnight)));
    assert_eq!(pool.room(&uses, NOW_US, 500), 500, "those who wait are told so");
    // A contact keeps the id of its earlier tries, and waits for it while others are free.
    uses.get_mut(id(1).as_str()).unwrap().today = 0;
    assert_eq!(pool.show(Some(&id(0)), &mut uses, NOW_US), Some(Shown::Opens(pool.midnight)));
    assert_eq!(pool.show(Some(&id(1)), &mut uses, NOW_US), Some(Shown::By(id(1), NOW_US)));
    // One that is in no pool any more has no limits.
    assert_eq!(pool.show(Some(&id(7)), &mut uses, NOW_US), Some(Shown::By(id(7), NOW_US)));
}

#[test]
fn whoever_cools_down_is_passed_over_and_opens_in_time() {
    let cool = CallerLimits { cool_down_ms: 30_000, ..weight(1) };
    let of = limits(&[cool.clone(), cool]);
    let mut uses = CallerUses::new();
    let pool = pool(&of);
    assert_eq!(pool.show(None, &mut uses, NOW_US), Some(Shown::By(id(0), NOW_US)));
    assert_eq!(pool.show(None, &mut uses, NOW_US + 500), Some(Shown::By(id(1), NOW_US + 500)));
    let opens = Timestamp(NOW.0 + 30_000 + LATE_MS_MAX + 1);
    assert_eq!(pool.show(None, &mut uses, NOW_US + 900), Some(Shown::Opens(opens)));
    assert_eq!(pool.room(&uses, NOW_US + 900, 500), 0);
    assert_eq!(Pool { ids: &[], ..pool }.show(None, &mut uses, NOW_US), None);
}

#[test]
fn a_day_is_the_zone_s() {
    let at = |text: &str| Timestamp(chrono::DateTime::parse_from_rfc3339(text).unwrap().timestamp_millis());
    let moscow = (at("2026-11-21T21:00:00Z"), at("2026-11-22T21:00:00Z"));
    assert_eq!(day_of(chrono_tz::Europe::Moscow, at("2026-11-21T21:00:00Z")), moscow);
    assert_eq!(day_of(chrono_tz::Europe::Moscow, at("2026-11-22T20:59:59Z")), moscow);
    // Midnight of 6 September 2026 does not exist in Santiago: the day begins at one.
    let santiago = day_of(chrono_tz::America::Santiago, at("2026-09-06T12:00:00Z"));
    assert_eq!(santiago, (at("2026-09-06T04:00:00Z"), at("2026-09-07T03:00:00Z")));
}

fn any_limits() -> impl Strategy<Value = CallerLimits> {
    (1u32..5, prop::option::of(0.5f64..20.0), prop::option::of(0u32..30), prop_oneof![Just(0i64), 1i64..3_000])
        .prop_map(|(weight, cps, day_max, cool_down_ms)| CallerLimits { weight, cps, day_max, cool_down_ms })
}

proptest! {
    /// The guard: [`distance_us`] in [`Pool::free_us`]. Whatever is asked for: no id has two starts closer than its
    /// cool-down, more in a rolling second than its pace, or more in a day than its cap, even when each start
    /// leaves as late as it may or not late at all.
    #[test]
    fn every_id_keeps_its_own_limits(
        of in prop::collection::vec(any_limits(), 1..5), kept in prop::collection::vec(prop::option::of(0usize..5), 200),
        cps in 1.0f64..100.0, late in prop::collection::vec(0i64..=LATE_MS_MAX, 200), gaps in prop::collection::vec(0i64..300, 200),
    ) {
        let of = limits(&of);
        let (mut uses, mut now, mut lane, mut sent) = (CallerUses::new(), NOW, 0, vec![Vec::new(); of.0.len()]);
        for ((gap, kept), late) in gaps.iter().zip(kept).zip(late) {
            now = now.plus_ms(*gap);
            let pool = Pool { horizon_us: now.0 * 1000 + 1_000_000, ..pool(&of) };
            let slot = next_slot_us(lane, now, Some(cps));
            let room = pool.room(&uses, slot, 500);
            let kept = kept.filter(|n| *n < of.0.len()).map(id);
            match pool.show(kept.as_ref(), &mut uses, slot) {
                Some(Shown::By(by, at)) => {
                    prop_assert!(at >= slot && at < pool.horizon_us.max(slot + 1));
                    prop_assert!(kept.is_none_or(|kept| kept == by));
                    prop_assert!(room > 0 || slot >= pool.horizon_us);
                    lane = at;
                    sent[of.0.iter().position(|id| *id == by).unwrap()].push(at + late * 1000);
                }
                Some(Shown::Opens(at)) => prop_assert!(at > now),
                None => prop_assert!(false, "the pool is not empty"),
            }
        }
        for (n, sent) in sent.iter().enumerate() {
            let limits = &of.1[&id(n)];
            prop_assert!(limits.day_max.is_none_or(|max| sent.len() <= max as usize));
            for pair in sent.windows(2) {
                prop_assert!(limits.cool_down_ms == 0 || pair[1] - pair[0] >= limits.cool_down_ms * 1000);
            }
            for (i, first) in sent.iter().enumerate() {
                let inside = sent[i..].iter().take_while(|at| *at - first < 1_000_000).count();
                prop_assert!(limits.cps.is_none_or(|cps| inside as f64 <= cps.ceil()), "{inside} at {:?}", limits.cps);
            }
        }
    }

    /// Whoever is free all the time is chosen by weight, to within one turn.
    #[test]
    fn weights_are_kept(weights in prop::collection::vec(1u32..10, 1..6), turns in 1usize..200) {
        let of = limits(&weights.iter().map(|w| weight(*w)).collect::<Vec<_>>());
        let (mut uses, mut chosen) = (CallerUses::new(), vec![0.0; weights.len()]);
        for n in 0..turns {
            if let Some(Shown::By(by, _)) = pool(&of).show(None, &mut uses, NOW_US + n as i64) {
                chosen[of.0.iter().position(|id| *id == by).unwrap()] += 1.0;
            }
        }
        let all: u32 = weights.iter().sum();
        for (chosen, weight) in chosen.iter().zip(&weights) {
            let due = turns as f64 * f64::from(*weight) / f64::from(all);
            prop_assert!((chosen - due).abs() < 2.0, "{chosen} of {due}");
        }
    }
}
