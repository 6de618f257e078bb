//! From a step of the machine to what is written.

use crate::domain::allowed::inside;
use crate::domain::alternates::{Turn, instead_of, turn};
use crate::domain::caps::Rang;
use crate::domain::clearance::Gate;
use crate::domain::delays::draw;
use crate::domain::follow::{Alarm, Next, Past, alarm, at_once, call_back, counts, follow};
use crate::domain::state::{Event, State, Step};
use crate::domain::{NumberId, Outcome, Timestamp};
use crate::store::{AttemptChange, Change, ContactChange, Held};

use super::Rules;
use super::plan::SINGLE;

/// The attempt in its new state; what the state does not carry stays as it was.
pub fn attempt(held: &Held, to: State) -> AttemptChange {
    let ended = matches!(to, State::Ended { .. } | State::Lost { .. });
    let mut change = AttemptChange {
        state: to,
        token: held.token.filter(|_| ended),
        session: held.session.filter(|_| ended),
        dialed_at: held.dialed_at.filter(|_| ended),
        held_until: held.held_until.filter(|_| ended),
        evidence: None,
        corrected_at: None,
        ungranted: held.ungranted,
        told: held.told.clone(),
    };
    match to {
        State::Dialing { token, .. } => change.token = Some(token),
        State::Live { token, session, dialed_at } => {
            change.token = Some(token);
            change.session = Some(session);
            change.dialed_at = Some(dialed_at);
        }
        State::Planned { .. } | State::Lost { .. } | State::Ended { .. } => {}
    }
    change
}

/// A deferral: nobody was rung, nothing is counted. In a run that is over it ends `cancelled`.
pub fn deferred(held: &Held, event: Event, gate: Gate, now: Timestamp) -> Option<Change> {
    let Step::Moved(State::Planned { due_at }) = held.state.step(&event, now) else { return None };
    // Whoever was never called is nobody's retry.
    let drained = held.facts.draining && !was_called(held);
    let hold = given_back(held);
    if held.run_state.is_over() || drained {
        let to = State::Ended { ended_at: now, outcome: Outcome::Cancelled };
        let mut attempt = attempt(held, to);
        attempt.evidence = Some("us");
        // Nobody was rung: the grant that was given led to no call.
        attempt.dialed_at = None;
        return Some(Change {
            attempt: Some(attempt),
            contact: Some(ContactChange::Rests(Outcome::Cancelled)),
            hold,
            ..Change::default()
        });
    }
    Some(Change {
        attempt: Some(attempt(held, State::Planned { due_at })),
        contact: Some(ContactChange::Waits { due_at, gate }),
        hold,
        ..Change::default()
    })
}

/// Has any earlier try in the run been made? What was withdrawn before it rang was none.
pub fn was_called(held: &Held) -> bool {
    held.ended.iter().any(|outcome| counts(*outcome) || *outcome == Outcome::NoFunds)
}

/// A contact that was granted for the first time and not dialled is not one of those after which the run holds.
fn given_back(held: &Held) -> Option<i64> {
    let hold = held.facts.hold?;
    let counted = matches!(held.state, State::Live { dialed_at, .. } if dialed_at >= hold.since);
    (counted && !was_called(held)).then_some(-1)
}

/// Calls to the number, the one that has just ended included.
fn history(held: &Held, outcome: Outcome, now: Timestamp) -> Vec<Rang> {
    let own = held.dialed_at.and_then(|dialed_at| Rang::of(dialed_at, Some(now), Some(outcome)));
    held.history.iter().copied().chain(own).collect()
}

/// What follows a try for the contact: when, and at which of its numbers.
struct Then {
    next: Next,
    number: Option<NumberId>,
}

/// `promised`: the callee asked to be called again then.
fn then(held: &Held, rules: &Rules, outcome: Outcome, past: Past, promised: Option<Timestamp>, now: Timestamp) -> Then {
    let (settings, policy) = (&rules.settings, &rules.policy);
    let stays = |next| Then { next, number: None };
    if let Some(at) = promised.filter(|_| outcome == Outcome::Answered) {
        let kept = call_back(settings, policy, at, past, now);
        return stays(kept.map_or(Next::Rest(outcome), |due_at| Next::Retry { due_at, gate: Gate::Callback }));
    }
    let by_delay = |like, same| match follow(settings, policy, like, Past { same, ..past }, now) {
        Next::Rest(_) => Next::Rest(outcome),
        retry => retry,
    };
    let mut lines = held.lines.clone();
    match lines.iter_mut().find(|line| line.number == held.number) {
        Some(rung) => rung.ended.push(outcome),
        None => return stays(by_delay(outcome, past.same)),
    }
    match turn(&settings.retry, &lines, held.number, outcome) {
        Turn::Stays => stays(by_delay(outcome, past.same)),
        Turn::Rotates(number) => Then { next: by_delay(outcome, past.same), number: Some(number) },
        Turn::AtOnce(number) => Then { next: at_once(settings, policy, outcome, past, now), number: Some(number) },
        Turn::Like { number, outcome: like, same } => Then { next: by_delay(like, same), number: Some(number) },
    }
}

/// An end, and what follows it for the contact and the run.
pub fn ended(
    held: &Held,
    rules: &Rules,
    event: Event,
    evidence: &'static str,
    promised: Option<Timestamp>,
    now: Timestamp,
) -> Option<Change> {
    let Step::Moved(to) = held.state.step(&event, now) else { return None };
    let outcome = match to {
        State::Ended { outcome, .. } => outcome,
        State::Lost { .. } => Outcome::Lost,
        State::Planned { .. } | State::Dialing { .. } | State::Live { .. } => return None,
    };
    let mut attempt = attempt(held, to);
    attempt.evidence = Some(evidence);
    if matches!(held.state, State::Lost { .. }) {
        attempt.corrected_at = Some(now);
    }
    let made = held.ended.iter().filter(|o| counts(**o)).count() as u32;
    let past = Past {
        tries: made + u32::from(counts(outcome)),
        same: 1 + held.ended.iter().filter(|o| **o == outcome).count() as u32,
        zone: held.timezone.unwrap_or(rules.settings.timezone),
        exempt: rules.settings.exempts(held.to.is_example(), held.allow_listed),
        run_over: held.run_state.is_over(),
        draw: draw(held.run_contact, made + 1),
    };
    // One call is one try, and its end is told to whoever asked for it: there is no run to warn.
    let single = held.run_kind == SINGLE;
    let Then { next, number } = if single {
        Then { next: Next::Rest(outcome), number: None }
    } else {
        then(held, rules, outcome, past, promised, now)
    };
    // Another number has a history of its own: the plan and the grant hold it against that.
    let (next, number) = if past.exempt || number.is_some_and(|number| number != held.number) {
        (next, number)
    } else {
        let own = inside(next, &rules.settings, &rules.policy, &history(held, outcome, now), past.zone, outcome);
        // A number that has had its calls makes room for another; what was promised was promised at this one.
        let other = instead_of(&held.lines, held.number).filter(|_| promised.is_none());
        match (own, other) {
            (Next::Retry { gate: Gate::Cap, .. }, Some(_)) => (next, other),
            _ => (own, number),
        }
    };
    let contact = match next {
        Next::Retry { due_at, gate } => ContactChange::Waits { due_at, gate },
        Next::Rest(outcome) => ContactChange::Rests(outcome),
    };
    let prohibited = if outcome == Outcome::Prohibited { held.run_prohibited + 1 } else { 0 };
    let run_paused = alarm(outcome, prohibited).filter(|_| !single).map(|alarm| match alarm {
        Alarm::NoFunds => "the provider's account has no funds: top it up, then resume".to_owned(),
        Alarm::Prohibited => {
            format!("{prohibited} calls in a row were prohibited: check the caller id and the account's destinations")
        }
    });
    let run_prohibited = (prohibited != held.run_prohibited && counts(outcome)).then_some(prohibited);
    let number = number.filter(|number| *number != held.number && matches!(next, Next::Retry { .. }));
    let (attempt, contact) = (Some(attempt), Some(contact));
    Some(Change { attempt, contact, number, run_paused, run_prohibited, ..Change::default() })
}
