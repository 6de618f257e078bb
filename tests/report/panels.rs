//! Panels and A/A: what is said, and that no verdict is.

use halo::domain::Timestamp;
use halo::domain::experiment::{Experiment, Kind};
use halo::report::build;
use halo::report::figures::{CallTurns, Figures, Method, TurnSums};
use halo::report::model::Light;

use super::fixture::{Arm, Campaign};

fn of(kind: Kind, mut figures: Figures) -> halo::report::Report {
    figures.design.declare(&Experiment { kind, ..Experiment::default() });
    build(figures, Timestamp(1_772_600_000_000))
}

/// The guard: `aa_check`, and the kinds in `build`.
#[test]
fn modes_that_play_the_same_get_no_verdict_and_a_check() {
    let same = Campaign::real(vec![Arm::of("dialog", 300, 120, 1_000), Arm::of("realtime", 300, 121, 1_000)]);
    let report = of(Kind::Aa, same.figures());
    let light = |report: &halo::report::Report| report.health.iter().find(|check| check.check == "aa").map(|c| c.light);
    assert_eq!((report.verdicts.len(), light(&report)), (0, Some(Light::Good)));
    let odd = Campaign::real(vec![Arm::of("dialog", 300, 120, 1_400), Arm::of("realtime", 300, 121, 900)]);
    assert_eq!(light(&of(Kind::Aa, odd.figures())), Some(Light::Warning));
    assert_eq!(light(&of(Kind::Split, odd.figures())), None);
}

/// Numbers differ from each other by seconds, and each is 100 ms faster in one mode. The guards: pairs by number in
/// `paired`, and that a panel's calls are not taken for people's (`ArmCalls::of`).
#[test]
fn a_panel_is_compared_number_by_number() {
    let mut figures =
        Campaign::real(vec![Arm::of("dialog", 40, 20, 1_000), Arm::of("realtime", 40, 20, 1_000)]).figures();
    let modes: Vec<_> = figures.design.arms.iter().map(|(mode, _)| mode.clone()).collect();
    let mut calls = Vec::new();
    for number in 0..12_i64 {
        for (place, mode) in modes.iter().enumerate() {
            let own = 800 + number * 400 - place as i64 * 100 + number % 5;
            calls.push(CallTurns {
                night: 1 + (number + place as i64) % 2,
                mode: mode.clone(),
                try_number: 1,
                answered_ms: vec![own, own + 10, own + 20],
                unanswered: 0,
                method: Method::Vad,
                contact: number,
                goal: place == 1 && number < 7,
                faulty: false,
            });
        }
    }
    (figures.turns, figures.repeats) = (TurnSums::of(&calls), CallTurns::repeats(&calls));
    let report = of(Kind::Crossover, figures);
    assert!(report.verdicts.is_empty());
    let [pair] = &report.paired[..] else { panic!("one pair: {:?}", report.paired) };
    assert_eq!((pair.numbers, pair.goal_in_mode_alone, pair.goal_in_baseline_alone), (12, 7, 0));
    assert_eq!(pair.call_turn_ms.estimate, Some(-100.0));
    assert!(pair.call_turn_ms.below_zero() && pair.goals_p.is_some_and(|p| p < 0.02), "{pair:?}");
    // Side by side the same calls say nothing: numbers lie further apart than modes.
    assert!(!report.comparisons[0].call_turn_ms.below_zero());
    assert!(report.arms.iter().all(|arm| arm.turns.calls_with_latency == 12));
}
