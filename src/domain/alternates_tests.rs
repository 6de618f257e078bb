//! Which number is next, as tables.

use super::*;
use crate::domain::settings::{Delay, RetryOrder};
use std::collections::BTreeMap;

fn retry(alternates: Alternates) -> Retry {
    let soon = vec![Delay::Ms(60_000)];
    Retry {
        attempts_max: 9,
        delays: [Outcome::Busy, Outcome::NoAnswer, Outcome::Unavailable].map(|o| (o, soon.clone())).into(),
        jitter: 0.0,
        order: RetryOrder::Due,
        alternates,
    }
}

/// Each word is a number of the contact: how its tries ended, by initials; a bang stands for suppressed.
fn lines(text: &str) -> Vec<Line> {
    let line = |(n, word): (usize, &str)| Line {
        number: NumberId(n as i64 + 1),
        suppressed: word.contains('!'),
        ended: word.chars().filter_map(outcome).collect(),
        history: Vec::new(),
    };
    text.split(' ').enumerate().map(line).collect()
}

fn outcome(letter: char) -> Option<Outcome> {
    Some(match letter {
        'b' => Outcome::Busy,
        'n' => Outcome::NoAnswer,
        'u' => Outcome::Unavailable,
        'i' => Outcome::InvalidNumber,
        'r' => Outcome::Rejected,
        'e' => Outcome::NetworkError,
        _ => return None,
    })
}

fn short(turn: Turn) -> String {
    match turn {
        Turn::Stays => "stays".into(),
        Turn::Rotates(number) => format!("rotates {}", number.0),
        Turn::AtOnce(number) => format!("at once {}", number.0),
        Turn::Like { number, outcome, same } => format!("{} like {outcome} {same}", number.0),
    }
}

#[test]
fn which_number_is_next() {
    use Alternates::{OnFailure, Rotate};
    for (alternates, text, rung, next) in [
        // busy signals and silence go round, or stay
        (Rotate, "b - -", 1, "rotates 2"),
        (OnFailure, "b - -", 1, "stays"),
        (Rotate, "b n -", 2, "rotates 3"),
        (Rotate, "b n n", 3, "rotates 1"),
        // what is suppressed or dead is passed over
        (Rotate, "b -! -", 1, "rotates 3"),
        (Rotate, "b i", 1, "stays"),
        (Rotate, "n -!", 1, "stays"),
        // a number that was suppressed meanwhile is left, whatever the campaign says
        (OnFailure, "n! -", 1, "rotates 2"),
        // a number that is of no use makes room at once for one that was not tried
        (OnFailure, "i -", 1, "at once 2"),
        (OnFailure, "u - -", 1, "at once 2"),
        (Rotate, "b u -", 2, "at once 3"),
        (Rotate, "u -! -", 1, "at once 3"),
        // whoever declines is not rung on the other telephone the next second
        (Rotate, "r -", 1, "2 like no_answer 1"),
        // all tried: each waits as its own last end says
        (Rotate, "u u", 2, "1 like unavailable 1"),
        (Rotate, "n i", 2, "1 like no_answer 1"),
        (Rotate, "nn i", 2, "1 like no_answer 2"),
        (Rotate, "i u", 2, "2 like unavailable 1"),
        (Rotate, "r i", 2, "stays"),
        // none is left
        (Rotate, "i i", 2, "stays"),
        (Rotate, "i -!", 1, "stays"),
        // the network's trouble is no number's
        (Rotate, "e -", 1, "stays"),
        // one number
        (Rotate, "b", 1, "stays"),
        (Rotate, "u", 1, "1 like unavailable 1"),
    ] {
        let lines = lines(text);
        let ended = *lines[rung - 1].ended.last().unwrap();
        assert_eq!(
            short(turn(&retry(alternates), &lines, NumberId(rung as i64), ended)),
            next,
            "{alternates:?} {text}"
        );
    }
}

#[test]
fn an_operator_may_want_those_who_declined_to_wait_longer() {
    let mut retry = retry(Alternates::Rotate);
    retry.delays = BTreeMap::from([(Outcome::Rejected, vec![Delay::NextDay])]);
    assert_eq!(short(turn(&retry, &lines("r -"), NumberId(1), Outcome::Rejected)), "2 like rejected 1");
}

#[test]
fn instead_of_a_suppressed_number_the_next_usable_one() {
    for (text, number, instead) in
        [("! -", 1, Some(2)), ("! i -", 1, Some(3)), ("! -!", 1, None), ("- !", 2, Some(1)), ("!", 1, None)]
    {
        let found = instead_of(&lines(text), NumberId(number)).map(|n| n.0);
        assert_eq!(found, instead, "{text}");
    }
}
