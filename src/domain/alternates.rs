//! Which of a contact's numbers its next try rings.
//!
//! One cap holds over all of them. A number that says of itself that it is no use makes room for the next one;
//! busy signals and silence go round, or stay, as the campaign says.

use super::caps::Rang;
use super::settings::{Alternates, Retry};
use super::{NumberId, Outcome};

/// One number of a contact, as a decision sees it. A contact with one number has no such list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub number: NumberId,
    /// On the suppression list: it is passed over.
    pub suppressed: bool,
    /// How its tries in this run ended, the oldest first.
    pub ended: Vec<Outcome>,
    /// Calls to it over all campaigns, where the planner counts them.
    pub history: Vec<Rang>,
}

impl Line {
    /// May it be rung at all in this run?
    pub fn is_usable(&self) -> bool {
        !self.suppressed && !self.ended.contains(&Outcome::InvalidNumber)
    }
}

/// Where the next try goes, and by which delay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// To the same number, by the delay of the outcome.
    Stays,
    /// To another number, by the delay of the outcome.
    Rotates(NumberId),
    /// To a number that was not tried yet: nobody has to wait for it.
    AtOnce(NumberId),
    /// To this number as if `outcome` had been its end just now, `same` times over.
    Like { number: NumberId, outcome: Outcome, same: u32 },
}

/// What follows `outcome` at `rung`; `lines` hold it and its outcome already.
pub fn turn(retry: &Retry, lines: &[Line], rung: NumberId, outcome: Outcome) -> Turn {
    let round = || after(lines, rung).filter(|line| line.is_usable());
    match outcome {
        Outcome::Busy | Outcome::NoAnswer | Outcome::Machine => {
            let gone = lines.iter().any(|line| line.number == rung && line.suppressed);
            let other = round().find(|line| line.number != rung);
            match other {
                Some(line) if gone || retry.alternates == Alternates::Rotate => Turn::Rotates(line.number),
                _ => Turn::Stays,
            }
        }
        Outcome::InvalidNumber | Outcome::Unavailable | Outcome::Rejected => {
            if let Some(fresh) = round().find(|line| line.ended.is_empty()) {
                return match outcome {
                    // Somebody has just said no: the other telephone does not ring the next second.
                    Outcome::Rejected => {
                        let delayed = retry.delays.contains_key(&Outcome::Rejected);
                        let like = if delayed { Outcome::Rejected } else { Outcome::NoAnswer };
                        Turn::Like { number: fresh.number, outcome: like, same: 1 }
                    }
                    _ => Turn::AtOnce(fresh.number),
                };
            }
            // All of them were tried: each waits as its own last end says.
            let waits = |line: &Line| {
                let last = *line.ended.last()?;
                let same = line.ended.iter().filter(|o| **o == last).count() as u32;
                let delayed = retry.delays.contains_key(&last);
                delayed.then_some(Turn::Like { number: line.number, outcome: last, same })
            };
            round().find_map(waits).unwrap_or(Turn::Stays)
        }
        _ => Turn::Stays,
    }
}

/// The number to ring instead of one that may not be rung.
pub fn instead_of(lines: &[Line], number: NumberId) -> Option<NumberId> {
    others(lines, number).next().map(|line| line.number)
}

/// Every other number that may be rung in this run, the next one first.
pub fn others(lines: &[Line], number: NumberId) -> impl Iterator<Item = &Line> {
    after(lines, number).filter(move |line| line.is_usable() && line.number != number)
}

/// Once round: the numbers behind this one, those before it, itself last.
fn after(lines: &[Line], number: NumberId) -> impl Iterator<Item = &Line> {
    let next = lines.iter().position(|line| line.number == number).map_or(0, |at| at + 1);
    lines[next..].iter().chain(&lines[..next])
}

#[cfg(test)]
#[path = "alternates_tests.rs"]
mod tests;
