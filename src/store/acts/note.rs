//! What sessions tell of calls under way, stored as sets. It decides nothing, so nothing is loaded for it but whose
//! word it is.

use super::super::pipeline::{self, typed};
use super::super::{Conn, ROWS_ARE_LOCKED};
use super::effects::{Effects, asks_known, key};
use super::latencies::Latencies;
use crate::domain::{AttemptId, RunContactId, SessionId};
use crate::fail;
use crate::store::text::{Question, ids_text};
use crate::store::{Note, Noted, Result};
use std::collections::{BTreeMap, BTreeSet};

/// Whose word counts for an attempt.
struct Whose {
    session: Option<SessionId>,
    /// Its run counts calls that were not made, and this one ends the row.
    counted: bool,
    /// Its latencies are counted already.
    ended: bool,
    contact: RunContactId,
}

/// Of an attempt, in the order of [`Whose`]; its contact last.
type WhoseRow = (i64, Option<i64>, i64, i64, i64);

/// What became of each, in their order. Whoever must be decided about is stored nothing of.
pub async fn note(conn: &mut Conn, notes: &[&Note]) -> Result<Vec<Noted>> {
    let attempts: BTreeSet<i64> = notes.iter().map(|note| note.attempt.0).collect();
    if ROWS_ARE_LOCKED {
        sqlx::query(sql!("lock_attempts")).bind(ids_text(attempts.iter().copied())).fetch_all(&mut *conn).await?;
    }
    let asks = [
        Question::of_ids::<WhoseRow>(sql!("whose_word"), attempts),
        asks_known(notes.iter().map(|note| (note.attempt, &note.heard))),
    ];
    let [whose, known] = pipeline::ask(conn, asks).await?;
    let whose: BTreeMap<AttemptId, Whose> = typed::<WhoseRow>(whose)?
        .into_iter()
        .map(|(attempt, session, counted, ended, contact)| {
            let (session, contact) = (session.map(SessionId), RunContactId(contact));
            (AttemptId(attempt), Whose { session, counted: counted == 1, ended: ended == 1, contact })
        })
        .collect();
    let granted = |note: &Note| whose.get(&note.attempt).is_some_and(|whose| whose.session == Some(note.heard.session));
    let decided = |note: &Note| granted(note) && whose.get(&note.attempt).is_some_and(|whose| whose.counted);
    let late = notes.iter().filter(|note| granted(note) && !note.turns.is_empty()).map(|note| note.attempt);
    let late = late.filter_map(|attempt| Some((attempt, whose.get(&attempt)?)));
    let late = late.filter(|(_, whose)| whose.ended).map(|(attempt, whose)| (attempt, whose.contact)).collect();
    let latencies = Latencies::before(conn, late).await?;
    let stored = notes.iter().filter(|note| whose.contains_key(&note.attempt) && !decided(note));
    let (mut told, mut effects) = (Vec::with_capacity(notes.len()), Effects::default());
    let mut fresh = effects.events(conn, known, stored.map(|note| (note.attempt, &note.heard, note.now))).await?;
    for note in notes {
        let (attempt, heard) = (note.attempt, &note.heard);
        told.push(if !whose.contains_key(&attempt) {
            Noted::Unknown
        } else if decided(note) {
            Noted::Decide
        } else if !fresh.remove(&key(attempt, heard)) {
            Noted::Again
        } else {
            if granted(note) {
                effects.turns(attempt, &note.turns);
            } else {
                effects.hear_of(heard.session, attempt, note.now);
            }
            Noted::Stored
        });
    }
    effects.apply(conn).await?;
    latencies.apply(conn).await?;
    if told.contains(&Noted::Stored) {
        fail::wrote("event");
    }
    Ok(told)
}
