//! The dial grant: the one place from which a phone can ring.

use super::budget::{afford, reserve};
use super::counted::Counted;
use super::plan::SINGLE;
use super::{Dialer, Result, change};
use crate::domain::alternates::instead_of;
use crate::domain::clearance::{CallOrder, Clearance, Facts, Gate, clear};
use crate::domain::follow::counts;
use crate::domain::settings::Dial;
use crate::domain::state::{Event, State, Step};
use crate::domain::{AttemptId, Outcome, SessionId, Timestamp, Token, TokenHash};
use crate::measures;
use crate::store::{Change, ContactChange, Decide, Decided, Held};
use std::sync::Arc;
use tracing::info;

/// From the claim to the last moment at which a grant may be asked for.
pub const GRANT_DEADLINE_MS: i64 = 75_000;
pub const GRANT_DEADLINE_WALL_MS: i64 = 10_000;
/// What a call may last beyond ringing and talking: 10 s from the grant to the dial, 30 s to say goodbye.
const HELD_SPARE_S: i64 = 40;
const HELD_WALL_MS: i64 = 60_000;

#[derive(Clone, Debug)]
pub struct GrantRequest {
    pub attempt: AttemptId,
    pub token: Token,
    pub session: SessionId,
    /// Fingerprint of what the mode is about to be told.
    pub told: String,
}

/// A cleared call: what the session may know.
#[derive(Clone, Debug)]
pub struct Granted {
    pub order: CallOrder,
    pub token: TokenHash,
    /// How long ago, when this is a repeated answer.
    pub granted_ms_ago: i64,
    /// Ringing and talking may last so long, in seconds: the line is held no longer, whatever the settings say by now.
    pub lasts_s: i64,
}

#[derive(Clone, Debug)]
pub enum Grant {
    Go(Box<Granted>),
    /// 404
    Unknown,
    /// 409: the current token, from another session.
    Taken,
    /// 410: any other token, past the deadline, or a gate is closed.
    Gone,
    /// The campaign's settings or the contact's number are not those that were read (another node may have claimed the
    /// attempt since): to be asked again with what stands in the tables.
    Outdated,
}

impl Dialer {
    /// Compares and sets `dialing → live`; the answer is given only after that is durable.
    pub async fn grant(&self, request: GrantRequest) -> Result<Grant> {
        let mut held = self.claimed(request.attempt).await?;
        while let Some(read) = held {
            match self.grant_to(&read, request.clone()).await? {
                Grant::Outdated => held = self.store.attempt(request.attempt).await?,
                grant => return Ok(grant),
            }
        }
        Ok(Grant::Unknown)
    }

    /// The attempt as it was claimed here, or as it stands.
    pub async fn claimed(&self, attempt: AttemptId) -> Result<Option<Held>> {
        match self.claimed.take(attempt) {
            Some(held) => Ok(Some(held)),
            None => Ok(self.store.attempt(attempt).await?),
        }
    }

    /// For whoever has read the attempt already. What was read says whose rules and which purse; whether the call
    /// may be made is decided from what is read under locks.
    pub async fn grant_to(&self, held: &Held, request: GrantRequest) -> Result<Grant> {
        let (version, number) = (held.facts.settings_version, held.number);
        let rules = self.rules_at(held.campaign, version).await?;
        let now = self.clock.now();
        let purse = self.purse(held, &rules, now).await?;
        let held_until = now.plus_ms(self.clock.at_least(held_ms(&rules.settings.dial), HELD_WALL_MS));
        let asked = Asked {
            hash: request.token.hash(),
            session: request.session,
            told: request.told,
            now,
            deadline_ms: self.grant_deadline_ms(),
            held_until,
            real: self.platform.real,
        };
        let order = Decide {
            attempt: request.attempt,
            now,
            start: None,
            heard: None,
            decision: Arc::new(move |held: &Held| {
                if held.facts.settings_version != version || held.number != number {
                    return (Change::default(), (Grant::Outdated, Counted::default()));
                }
                let cleared = afford(held, purse.as_ref(), clearance(held, &rules, &asked), asked.now);
                let (change, grant) = reserve(held, purse.as_ref(), decide(held, &asked, cleared), asked.now);
                let counted = Counted::of(held, &change);
                (change, (grant, counted))
            }),
        };
        let grant = match self.store.decide(order).await? {
            Decided::Done((grant, counted)) => {
                counted.count();
                count(&grant, &counted);
                grant
            }
            Decided::Unknown | Decided::Again => {
                count(&Grant::Unknown, &Counted::default());
                Grant::Unknown
            }
        };
        let attempt = request.attempt;
        match &grant {
            Grant::Go(_) => info!(attempt.id = %attempt, "Attempt {attempt} granted"),
            Grant::Unknown | Grant::Taken | Grant::Gone | Grant::Outdated => {
                info!(attempt.id = %attempt, "Attempt {attempt} not granted: {grant:?}");
            }
        }
        Ok(grant)
    }

    pub(super) fn grant_deadline_ms(&self) -> i64 {
        self.clock.at_least(GRANT_DEADLINE_MS, GRANT_DEADLINE_WALL_MS)
    }
}

fn count(grant: &Grant, counted: &Counted) {
    match grant {
        Grant::Go(_) => measures::grant("granted", "none"),
        Grant::Gone => measures::grant("refused", counted.refused_by()),
        Grant::Taken => measures::grant("taken", "none"),
        Grant::Unknown => measures::grant("unknown", "none"),
        // It is asked again.
        Grant::Outdated => {}
    }
}

/// How long a call holds its line and its number, from the grant on, in milliseconds of program time: longer
/// than its session's own timers let it last.
pub fn held_ms(dial: &Dial) -> i64 {
    (i64::from(dial.ring_s) + i64::from(dial.call_s) + HELD_SPARE_S) * 1000
}

/// What of the time for which a call holds its line it may ring and talk.
fn lasts_s(held_until: Option<Timestamp>, dialed_at: Timestamp) -> i64 {
    held_until.map_or(0, |held_until| held_until.since(dialed_at) / 1000 - HELD_SPARE_S)
}

/// A request for a grant, and what the shell knows of the moment.
pub struct Asked {
    pub hash: TokenHash,
    pub session: SessionId,
    pub told: String,
    pub now: Timestamp,
    pub deadline_ms: i64,
    pub held_until: Timestamp,
    pub real: bool,
}

/// The compare-and-set, given what the gates say under the same locks.
pub fn decide(held: &Held, asked: &Asked, cleared: Clearance) -> (Change, Grant) {
    let nothing = |grant| (Change::default(), grant);
    let (now, hash) = (asked.now, asked.hash);
    match held.state {
        State::Dialing { token, claimed_at } if token == hash && now.since(claimed_at) <= asked.deadline_ms => {}
        State::Live { token, session, dialed_at } if token == hash => {
            if session != asked.session {
                return nothing(Grant::Taken);
            }
            // The same token from the same session: the first answer may have been lost. A gate that
            // has closed since moves nothing, but nobody is dialled any more.
            return match cleared {
                Clearance::Go(order) => {
                    let lasts_s = lasts_s(held.held_until, dialed_at);
                    nothing(Grant::Go(Box::new(Granted {
                        order,
                        token,
                        granted_ms_ago: now.since(dialed_at),
                        lasts_s,
                    })))
                }
                Clearance::Wait { .. } | Clearance::Stop(_) | Clearance::Bar(_) => nothing(Grant::Gone),
            };
        }
        _ => return nothing(Grant::Gone),
    }

    match cleared {
        Clearance::Go(order) => {
            let event = Event::Granted { of: hash, session: asked.session };
            let Step::Moved(to) = held.state.step(&event, now) else { return nothing(Grant::Gone) };
            let mut attempt = change::attempt(held, to);
            attempt.held_until = Some(asked.held_until);
            attempt.ungranted = 0;
            attempt.told = Some(asked.told.clone());
            let change = Change {
                attempt: Some(attempt),
                run_ungranted: (held.run_ungranted > 0).then_some(0),
                hold: (held.facts.hold.is_some() && !change::was_called(held)).then_some(1),
                ..Change::default()
            };
            let lasts_s = lasts_s(Some(asked.held_until), now);
            (change, Grant::Go(Box::new(Granted { order, token: hash, granted_ms_ago: 0, lasts_s })))
        }
        Clearance::Wait { until, gate } => {
            // Another number of the contact may have calls left: the plan holds it against its own history.
            let number = instead_of(&held.lines, held.number).filter(|_| gate == Gate::Cap);
            let event = Event::Deferred { of: hash, until: if number.is_some() { now } else { until } };
            let mut change = change::deferred(held, event, gate, now).unwrap_or_default();
            change.number = number.filter(|_| matches!(change.contact, Some(ContactChange::Waits { .. })));
            (change, Grant::Gone)
        }
        Clearance::Stop(outcome) => (withdrawn(held, outcome, now).unwrap_or_default(), Grant::Gone),
        Clearance::Bar(gate) => {
            let change = withdrawn(held, Outcome::Suppressed, now);
            (
                change
                    .map(|change| Change {
                        contact: Some(ContactChange::Rests(Outcome::Suppressed)),
                        number: None,
                        rest_gate: Some(gate),
                        ..change
                    })
                    .unwrap_or_default(),
                Grant::Gone,
            )
        }
    }
}

/// An end before anybody was rung.
fn withdrawn(held: &Held, outcome: Outcome, now: Timestamp) -> Option<Change> {
    let Step::Moved(to) = held.state.step(&Event::Withdrawn(outcome), now) else { return None };
    let mut attempt = change::attempt(held, to);
    attempt.evidence = Some("us");
    let contact = match outcome {
        // The contact rests already, or the run's stop has put it to rest.
        Outcome::Cancelled => held.disposition.unwrap_or(Outcome::Cancelled),
        other => other,
    };
    // Whoever may not be rung at this number may have another.
    let number = instead_of(&held.lines, held.number)
        .filter(|_| outcome == Outcome::Suppressed && held.disposition.is_none() && !held.run_state.is_over());
    let contact = match number {
        Some(_) => ContactChange::Waits { due_at: now, gate: Gate::RetryDelay },
        None => ContactChange::Rests(contact),
    };
    Some(Change { attempt: Some(attempt), contact: Some(contact), number, ..Change::default() })
}

/// The last gate: what [`clear`] says of this attempt now.
pub fn clearance(held: &Held, rules: &super::Rules, asked: &Asked) -> Clearance {
    // After the last contact that may be dialled, the run is as good as paused: the planner writes it down. Whoever
    // was counted before goes on.
    let counted = change::was_called(held) || matches!(held.state, State::Live { .. });
    let holds = held.facts.hold.is_some_and(|hold| hold.contacts_left <= 0) && !counted;
    let facts = Facts {
        to: &held.to,
        caller_id: held.caller_id.as_ref(),
        zone: held.timezone.unwrap_or(rules.settings.timezone),
        disposed: held.disposition.is_some(),
        suppressed: held.suppressed,
        paused: held.account_paused || held.run_state == crate::store::RunState::Paused || holds,
        over: held.run_state.is_over(),
        tries: 1 + held.ended.iter().filter(|o| counts(**o)).count() as u32,
        number_held_until: held.number_held_until,
        allow_listed: held.allow_listed,
        history: &held.history,
        consented: held.consented,
        term: held.term,
        real_platform: asked.real,
    };
    match clear(&rules.settings, &rules.policy, &facts, asked.now) {
        // Whoever ordered a single call does not wait for a gate to open again.
        Clearance::Wait { .. } if held.run_kind == SINGLE => Clearance::Stop(Outcome::Cancelled),
        cleared => cleared,
    }
}
