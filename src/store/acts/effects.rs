//! What decisions change, gathered as rows: one statement for each kind, whatever the number of decisions.
//!
//! No two decisions of a wave are about one attempt, one number or one contact, so the order of the kinds is free
//! but for what refers to what.

use super::super::pipeline::{self, Answer, typed};
use super::super::{Conn, ROWS_ARE_LOCKED};
use super::{alternates, consent, media};
use crate::domain::clearance::Gate;
use crate::domain::state::State;
use crate::domain::{AttemptId, NumberId, Outcome, RunContactId, SessionId, Timestamp};
use crate::store::Result;
use crate::store::asked::Asked;
use crate::store::media::MediaStream;
use crate::store::rows::{AttemptChange, Call, Change, ContactChange, Heard, Held, Turn};
use crate::store::text::{Question, Rows, Statement};
use serde::Serialize;
use std::collections::{BTreeMap, HashSet};

#[derive(Default)]
pub struct Effects {
    events: Rows,
    starts: Rows,
    attempts: Rows,
    /// Those that live from now on, and those that were given back. Apart: the moment of a call stands in two indexes,
    /// which would be written anew by everything else that happens to its attempt.
    dialed: Rows,
    not_dialed: Rows,
    contacts: Rows,
    /// Those that came to rest for want of something.
    rest_gates: Vec<(i64, Gate)>,
    /// Which number of a contact is next.
    rings: Vec<(RunContactId, NumberId)>,
    callbacks: Vec<(AttemptId, Timestamp)>,
    numbers: Rows,
    calls: Rows,
    streams: Vec<MediaStream>,
    /// PostgreSQL refuses a statement that writes one row twice: of a turn told twice the last stands.
    turns: BTreeMap<(AttemptId, i64), Turn>,
    /// By session, so that nodes meet in one order; of a session heard of twice the first word stands.
    known: BTreeMap<i64, (AttemptId, Timestamp)>,
    over: BTreeMap<i64, Timestamp>,
}

impl Effects {
    /// One start can make two sessions: what a second one did is asked for too.
    pub fn hear_of(&mut self, session: SessionId, attempt: AttemptId, now: Timestamp) {
        if session.0 > 0 {
            self.know(session, attempt, now);
        }
    }

    /// A session that is asked about from now on.
    fn know(&mut self, session: SessionId, attempt: AttemptId, now: Timestamp) {
        self.known.entry(session.0).or_insert((attempt, now));
    }

    pub fn add(&mut self, held: &Held, change: &Change, order: &Asked) {
        let now = order.now;
        if let Some(to) = &change.attempt {
            if let (Some(hash), State::Dialing { .. }) = (order.start, to.state) {
                self.starts.push(&(hash.to_string(), held.attempt.0, now.0));
            }
            self.attempt(held, to);
            match (to.state, to.session) {
                (State::Live { .. }, Some(session)) => self.know(session, held.attempt, now),
                (State::Lost { .. } | State::Ended { .. }, Some(session)) => drop(self.over.insert(session.0, now)),
                _ => {}
            }
        }
        if let Some(contact) = &change.contact {
            let (due_at, gate, disposition, rested_at) = match contact {
                ContactChange::Busy => (None, None, None, None),
                ContactChange::Waits { due_at, gate } => (Some(due_at.0), Some(*gate), None, None),
                ContactChange::Rests(outcome) => (None, None, Some(*outcome), Some(now.0)),
            };
            let (gate, disposition) = (gate.map(Gate::as_str), disposition.map(Outcome::as_str));
            let tried =
                change.attempt.as_ref().is_some_and(|to| matches!(to.state, State::Lost { .. } | State::Ended { .. }));
            self.contacts.push(&(held.run_contact.0, due_at, gate, disposition, rested_at, i64::from(tried)));
        }
        if let Some(number) = change.number {
            self.rings.push((held.run_contact, number));
        }
        if let Some(at) = change.callback_at {
            self.callbacks.push((held.attempt, at));
        }
        if let Some(gate) = change.rest_gate {
            self.rest_gates.push((held.run_contact.0, gate));
        }
        if let Some(reason) = &change.suppress {
            self.numbers.push(&(held.number.0, now.0, reason));
            let further = held.lines.iter().filter(|line| line.number != held.number);
            further.for_each(|line| self.numbers.push(&(line.number.0, now.0, reason)));
        }
        if let Some(call) = &change.call {
            self.calls.push(&CallRow::of(held.attempt, call));
        }
        self.streams.extend(change.stream.clone());
        self.turns(held.attempt, &change.turns);
    }

    /// Which of the events are new; they are stored before all other effects. `known` is the answer to [`asks_known`].
    pub async fn events<'e>(
        &mut self,
        conn: &mut Conn,
        known: Answer,
        events: impl Iterator<Item = (AttemptId, &'e Heard, Timestamp)>,
    ) -> Result<HashSet<Key>> {
        let (mut rows, mut fresh) = (Rows::default(), HashSet::new());
        for (attempt, heard, now) in events {
            let Heard { session, seq, event, at_ms, body } = heard;
            rows.push(&(attempt.0, session.0, seq, event, at_ms, now.0, body));
            fresh.insert(key(attempt, heard));
        }
        if ROWS_ARE_LOCKED {
            let put = Question::of::<Key>(sql!("store_event"), rows);
            let [stored] = pipeline::ask(conn, [put]).await?;
            return Ok(typed::<Key>(stored)?.into_iter().collect());
        }
        self.events = rows;
        for key in typed::<Key>(known)? {
            fresh.remove(&key);
        }
        Ok(fresh)
    }

    pub fn turns(&mut self, attempt: AttemptId, turns: &[Turn]) {
        self.turns.extend(turns.iter().map(|turn| ((attempt, turn.turn), turn.clone())));
    }

    fn attempt(&mut self, held: &Held, to: &AttemptChange) {
        let claimed_at = match to.state {
            State::Dialing { claimed_at, .. } => Some(claimed_at.0),
            _ => None,
        };
        let (ended_at, outcome) = match to.state {
            State::Lost { ended_at, .. } => (Some(ended_at.0), Some(Outcome::Lost)),
            State::Ended { ended_at, outcome } => (Some(ended_at.0), Some(outcome)),
            _ => (None, None),
        };
        if to.dialed_at != held.dialed_at {
            // A live call has its moment, from the first to the last.
            let rows = if to.dialed_at.is_some() { &mut self.dialed } else { &mut self.not_dialed };
            rows.push(&(held.attempt.0, to.dialed_at.map(|at| at.0)));
        }
        self.attempts.push(&(
            held.attempt.0,
            to.state.name(),
            claimed_at,
            to.token.map(|hash| hash.to_string()),
            to.session.map(|session| session.0),
            to.held_until.map(|at| at.0),
            ended_at,
            outcome.map(Outcome::as_str),
            to.evidence,
            to.corrected_at.map(|at| at.0),
            to.ungranted,
            &to.told,
        ));
    }

    pub async fn apply(self, conn: &mut Conn) -> Result<()> {
        let (mut known, mut over, mut turns) = (Rows::default(), Rows::default(), Rows::default());
        self.turns.iter().for_each(|((attempt, _), turn)| push_turn(&mut turns, *attempt, turn));
        self.known.iter().for_each(|(session, (attempt, now))| known.push(&(session, attempt.0, now.0)));
        self.over.iter().for_each(|(session, now)| over.push(&(session, now.0)));
        let statements = [
            (sql!("store_event"), self.events),
            (sql!("insert_start"), self.starts),
            (sql!("note_dialed"), self.dialed),
            (sql!("apply_attempt"), self.attempts),
            (sql!("note_dialed"), self.not_dialed),
            (sql!("know_session"), known),
            (sql!("end_session"), over),
            (sql!("apply_contact"), self.contacts),
            (sql!("suppress_number"), self.numbers),
            (sql!("put_call"), self.calls),
            (sql!("put_turns"), turns),
        ];
        pipeline::run(conn, statements.map(|(text, rows)| Statement::of(text, rows)).into()).await?;
        if !self.rest_gates.is_empty() {
            consent::keep_gates(conn, &self.rest_gates).await?;
        }
        alternates::ring(conn, &self.rings).await?;
        alternates::put_callbacks(conn, &self.callbacks).await?;
        for stream in &self.streams {
            media::put(conn, stream).await?;
        }
        Ok(())
    }
}

/// Attempt, session, number in the session.
pub type Key = (i64, i64, i64);

/// Which of these events are stored already. Where other nodes write too, one of them may store an event after it was asked
/// for: there only who stores it knows, and nobody is asked.
pub fn asks_known<'e>(events: impl Iterator<Item = (AttemptId, &'e Heard)>) -> Question {
    let mut keys = Rows::default();
    events.filter(|_| !ROWS_ARE_LOCKED).for_each(|(attempt, heard)| keys.push(&key(attempt, heard)));
    Question::of::<Key>(sql!("known_events"), keys)
}

pub fn key(attempt: AttemptId, heard: &Heard) -> Key {
    (attempt.0, heard.session.0, heard.seq)
}

fn push_turn(rows: &mut Rows, attempt: AttemptId, t: &Turn) {
    rows.push(&(
        attempt.0,
        t.turn,
        &t.callee_text,
        &t.agent_text,
        t.callee_end_ms,
        t.agent_start_ms,
        t.turn_ms,
        &t.method,
        t.asr_ms,
        t.reply_ms,
        t.model_ms,
        t.tts_ms,
        i64::from(t.filler),
        i64::from(t.interrupted),
        t.content_ms,
    ));
}

/// A row of more columns than a tuple may have.
#[derive(Serialize)]
struct CallRow<'a>(
    i64,
    i64,
    &'static str,
    Option<i64>,
    Option<&'a str>,
    Option<&'a str>,
    Option<i64>,
    Option<&'a str>,
    Option<&'a str>,
    i64,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    Option<&'a str>,
    Option<i64>,
    Option<i64>,
    Option<i64>,
);

impl<'a> CallRow<'a> {
    fn of(attempt: AttemptId, call: &'a Call) -> Self {
        CallRow(
            attempt.0,
            call.session,
            call.source,
            call.code,
            call.reason.as_deref(),
            call.hung_up_by.as_deref(),
            call.goal.map(i64::from),
            call.answers.as_deref(),
            call.fault.as_deref(),
            i64::from(call.machine),
            call.answer_ms,
            call.ring_ms,
            call.first_audio_ms,
            call.first_audio_method.as_deref(),
            call.talk_ms,
            call.cost_micros,
            call.recorded.map(i64::from),
        )
    }
}
