//! Why is this contact not being called right now, and when will it be?
//!
//! The answer asks what the planner and the grant ask, [`clear`] and the contact's own `due_at`: a second opinion
//! would be wrong on the day on which it matters.

use super::calendar::Calendar;
use super::clearance::{Clearance, Facts, Gate, clear};
use super::settings::Settings;
use super::slot::{lines_free, spacing_us};
use super::{Outcome, Timestamp};

/// What holds a contact: a gate, or what is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// No run has taken it.
    NoRun,
    /// It is being called at this moment.
    Calling,
    /// The run has come to its end with it.
    AtRest(Outcome),
    /// It will come to rest without a call when its turn comes.
    Stops(Outcome),
    /// No process that dials is alive.
    NobodyDials,
    Gate(Gate),
    /// All lines are taken.
    Lines,
    /// It waits for its slot.
    Queue,
}

impl Hold {
    pub fn as_str(self) -> &'static str {
        match self {
            Hold::NoRun => "no_run",
            Hold::Calling => "calling",
            Hold::AtRest(_) => "at_rest",
            Hold::Stops(_) => "stops",
            Hold::NobodyDials => "nobody_dials",
            Hold::Gate(gate) => gate.as_str(),
            Hold::Lines => "lines",
            Hold::Queue => "queue",
        }
    }
}

/// A pause, of the whole account or of the run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pause {
    pub whole_account: bool,
    pub since: Timestamp,
    pub reason: Option<String>,
}

/// One contact in its newest run.
#[derive(Clone, Debug)]
pub struct Waiting<'a> {
    /// As the grant would read them now. `paused` is told by `pause` instead.
    pub facts: Facts<'a>,
    pub pause: Option<Pause>,
    pub disposition: Option<Outcome>,
    /// Since when it rests, is called, or waits for the next try.
    pub since: Timestamp,
    /// An attempt is dialing or live.
    pub calling: bool,
    pub due_at: Option<Timestamp>,
    /// What was written beside `due_at`.
    pub gate: Option<Gate>,
    /// Until when a process that dials has said that it is alive.
    pub alive_until: Option<Timestamp>,
    pub suppressed_reason: Option<String>,
    /// Its attempt is planned, and leaves then.
    pub slot_at: Option<Timestamp>,
    /// Contacts of the run whose turn comes before.
    pub ahead: i64,
    /// Lines that the run and the account hold.
    pub lines_held: i64,
    pub account_lines_held: i64,
    /// The account's own limits.
    pub account_cps: Option<f64>,
    pub account_lines: Option<i64>,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Why {
    pub hold: Hold,
    /// The reason in a sentence, for a person.
    pub sentence: String,
    /// Since when it is so, as far as is known.
    pub since: Option<Timestamp>,
    /// When this hold ends by itself; another may follow. `None`: somebody or something else has to act first.
    pub opens_at: Option<Timestamp>,
    /// `opens_at` is an estimate.
    pub about: bool,
}

impl Why {
    fn is(hold: Hold, sentence: impl Into<String>) -> Self {
        Why { hold, sentence: sentence.into(), since: None, opens_at: None, about: false }
    }
    fn since(self, since: Timestamp) -> Self {
        Why { since: Some(since), ..self }
    }
    fn until(self, opens_at: Timestamp) -> Self {
        Why { opens_at: Some(opens_at), ..self }
    }

    /// No run holds this contact.
    pub fn no_run() -> Self {
        Why::is(Hold::NoRun, "no run has taken this contact: start one, or wait for the schedule")
    }
}

/// Why not now?
pub fn why(settings: &Settings, policy: &[Calendar], it: &Waiting<'_>, now: Timestamp) -> Why {
    if let Some(outcome) = it.disposition {
        return Why::is(Hold::AtRest(outcome), format!("the run has come to its end with it: {outcome}"))
            .since(it.since);
    }
    if it.calling {
        return Why::is(Hold::Calling, "it is being called").since(it.since);
    }
    if it.facts.over {
        return Why::is(Hold::NoRun, "its run is over").since(it.since);
    }
    if let Some(pause) = &it.pause {
        let who = if pause.whole_account { "all calls are paused" } else { "the run is paused" };
        let reason = pause.reason.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
        return Why::is(Hold::Gate(Gate::Paused), format!("{who}{reason}")).since(pause.since);
    }
    match it.alive_until {
        Some(until) if until > now => {}
        Some(until) => return Why::is(Hold::NobodyDials, NOBODY_DIALS).since(until),
        None => return Why::is(Hold::NobodyDials, NOBODY_DIALS),
    }
    let facts = Facts { paused: false, ..it.facts.clone() };
    let cleared = clear(settings, policy, &facts, now);
    let due_at = it.due_at.filter(|due_at| *due_at > now);
    if let Clearance::Stop(outcome) = cleared {
        let reason = it.suppressed_reason.as_deref().filter(|_| outcome == Outcome::Suppressed);
        let reason = reason.map(|why| format!(" ({why})")).unwrap_or_default();
        let said = format!("it will not be called: {outcome}{reason}");
        return Why::is(Hold::Stops(outcome), said).since(it.since).until(due_at.unwrap_or(now));
    }
    if let Clearance::Bar(gate) = cleared {
        return Why::is(Hold::Gate(gate), in_words(gate, &facts)).since(it.since);
    }
    if let Some(due_at) = due_at {
        let gate = it.gate.unwrap_or(Gate::RetryDelay);
        return Why::is(Hold::Gate(gate), in_words(gate, &facts)).since(it.since).until(due_at);
    }
    if let Clearance::Wait { until, gate } = cleared {
        let said = Why::is(Hold::Gate(gate), in_words(gate, &facts)).since(it.since);
        return match (gate, facts.number_held_until) {
            // The other call ends then at the latest; one that should have ended is being looked up.
            (Gate::NumberBusy, Some(held_until)) if held_until > now => said.until(held_until),
            (Gate::NumberBusy, _) => said,
            _ => said.until(until),
        };
    }
    its_turn(settings, it, now)
}

const NOBODY_DIALS: &str = "no process that dials is alive: start `halo serve`";

fn in_words(gate: Gate, facts: &Facts<'_>) -> String {
    match gate {
        Gate::Window => format!("{} ({})", gate.sentence(), facts.zone.name()),
        gate => gate.sentence().to_owned(),
    }
}

/// Every gate is open: what is left is the place in the queue.
fn its_turn(settings: &Settings, it: &Waiting<'_>, now: Timestamp) -> Why {
    if let Some(slot_at) = it.slot_at.filter(|slot_at| *slot_at > now) {
        return Why::is(Hold::Queue, "its start is planned").since(it.since).until(slot_at);
    }
    let free = {
        let ours = settings.pacing.share_of_lines(it.account_lines);
        lines_free(settings.dial.lines, it.lines_held, ours, it.account_lines_held)
    };
    if free <= 0 {
        let said = format!("all lines are taken; it is number {} in the queue", it.ahead + 1);
        return Why::is(Hold::Lines, said).since(it.since);
    }
    let cps = settings.pacing.share_of_cps(it.account_cps).map_or(settings.dial.cps, |max| max.min(settings.dial.cps));
    let wait_ms = (it.ahead + 1).saturating_mul(spacing_us(cps)) / 1000;
    let said = format!("number {} in the queue, at {cps} starts per second", it.ahead + 1);
    Why { about: true, ..Why::is(Hold::Queue, said).since(it.since).until(now.plus_ms(wait_ms)) }
}

#[cfg(test)]
#[path = "why_tests.rs"]
mod tests;
