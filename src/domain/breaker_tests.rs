//! Each breaker on both sides of its threshold.

use super::*;

fn ended(outcome: Outcome) -> Ended {
    Ended { outcome, broke: false, told: true, first_audio_ms: Some(300), talk_ms: Some(30_000) }
}

fn silent() -> Ended {
    Ended { first_audio_ms: None, ..ended(Outcome::Answered) }
}

fn window(ended: Vec<Ended>) -> Window {
    Window { arms: vec![(Mode::dialog(), ended)], ..Window::default() }
}

fn tripped(breakers: &Breakers, window: &Window) -> Vec<Name> {
    readings(breakers, window).into_iter().filter(|reading| reading.tripped).map(|reading| reading.name).collect()
}

fn of(bad: usize, bad_one: Ended, good: usize, good_one: Ended) -> Vec<Name> {
    let calls = std::iter::repeat_n(bad_one, bad).chain(std::iter::repeat_n(good_one, good));
    tripped(&Breakers::default(), &window(calls.collect()))
}

/// The guards: how many must have been seen, and the threshold.
#[test]
fn more_than_half_of_the_last_fifty_failing_is_too_much() {
    let (bad, good) = (ended(Outcome::NetworkError), ended(Outcome::Busy));
    assert_eq!(of(26, bad, 100, good), [Name::Failures]);
    assert_eq!(of(25, bad, 100, good), []);
    assert_eq!(of(19, bad, 0, good), [], "nineteen say nothing yet");
    assert_eq!(of(20, bad, 0, good), [Name::Failures]);
    for outcome in [Outcome::Prohibited, Outcome::ScenarioError] {
        assert_eq!(of(26, ended(outcome), 24, good), [Name::Failures], "{outcome}");
    }
    assert_eq!(of(26, Ended { broke: true, ..ended(Outcome::Answered) }, 24, good), [Name::Failures]);
    for outcome in [Outcome::InvalidNumber, Outcome::NoAnswer, Outcome::Lost, Outcome::Cancelled] {
        assert_eq!(of(50, ended(outcome), 0, good), [], "{outcome}");
    }
}

/// The guards: two seconds, six silent ones, fifty seen, the threshold.
#[test]
fn an_agent_that_is_not_heard_is_too_much() {
    let good = ended(Outcome::Answered);
    assert_eq!(of(6, silent(), 194, good), [Name::Silent]);
    assert_eq!(of(5, silent(), 45, good), [], "five are an accident");
    assert_eq!(of(6, silent(), 43, good), [], "forty-nine say nothing yet");
    assert_eq!(of(6, silent(), 44, good), [Name::Silent]);
    let late = |ms| Ended { first_audio_ms: Some(ms), ..good };
    assert_eq!((of(6, late(2_000), 44, good), of(6, late(2_001), 44, good)), (vec![], vec![Name::Silent]));
    let a_fifth = window([vec![silent(); 10], vec![good; 40]].concat());
    let at = |share| tripped(&Breakers { silent: Some(share), ..Breakers::default() }, &a_fifth);
    assert_eq!((at(0.2), at(0.21)), (vec![Name::Silent], vec![]));
    // Who hung up at once, a machine, and a call that history alone knows are no witnesses.
    for no_witness in [
        Ended { talk_ms: Some(1_500), ..silent() },
        Ended { talk_ms: None, ..silent() },
        Ended { outcome: Outcome::Machine, ..silent() },
        Ended { told: false, ..silent() },
    ] {
        assert_eq!(of(50, no_witness, 150, good), [], "{no_witness:?}");
    }
}

#[test]
fn each_can_be_changed_or_off() {
    let all = Window { ungranted: 10, spent_hour: 6_000_000, ..window(vec![ended(Outcome::NetworkError); 50]) };
    assert_eq!(tripped(&Breakers::default(), &all), [Name::Failures, Name::Ungranted]);
    let strict = Breakers { spend_hour: Some(5_999_999), failures: Some(1.0), ungranted: Some(11), silent: None };
    assert_eq!(tripped(&strict, &all), [Name::SpendHour]);
    let off = Breakers { failures: None, ungranted: None, silent: None, spend_hour: None };
    assert_eq!(readings(&off, &all), []);
    assert_eq!(tripped(&Breakers::default(), &Window { ungranted: 9, ..Window::default() }), []);
}

#[test]
fn an_arm_is_named() {
    let found = readings(&Breakers::default(), &window(vec![ended(Outcome::NetworkError); 50]));
    let said = sentence(&found[0], "USD");
    assert_eq!(said, "arm dialog: 100 % of the last calls failed by the provider, the carrier or us (breaker at 50 %)");
}
