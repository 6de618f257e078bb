//! What became of attempts and of the contacts that they called, counted: kept up like the counts of latencies, and by
//! the same transactions.

use super::super::pipeline::{self, Answer, typed};
use super::super::{Conn, ROWS_ARE_LOCKED};
use crate::domain::{AttemptId, RunContactId, Timestamp};
use crate::store::text::{Question, Rows, Statement, ids_text};
use crate::store::{Result, StoreError};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// Columns of `attempt_counts` behind its key.
const SUMS: usize = 13;

/// Columns of `contact_counts` behind its key.
const MET: usize = 5;

/// The key of `attempt_counts`: run, mode, outcome, quarter of an hour.
type Key = (i64, String, String, i64);

/// A key of `attempt_counts`, and its columns as one JSON list.
type AttemptShare = (i64, String, String, i64, String);
/// A key of `contact_counts`, and its columns.
type ContactShare = (i64, String, i64, i64, i64, i64, i64);

#[derive(Default)]
pub struct Counts {
    attempts: BTreeSet<AttemptId>,
    contacts: BTreeSet<RunContactId>,
    sums: BTreeMap<Key, [i64; SUMS]>,
    /// By run and mode: dialled, reached, with goal; and the last two by calls that no fault ended.
    met: BTreeMap<(i64, String), [i64; MET]>,
}

impl Counts {
    /// Before they are changed: what these attempts and run contacts add now. Whoever was asked about before is not asked
    /// again: what changed since is this transaction's own.
    pub async fn before(
        &mut self,
        conn: &mut Conn,
        attempts: impl IntoIterator<Item = AttemptId>,
        contacts: impl IntoIterator<Item = RunContactId>,
    ) -> Result<()> {
        let asks = self.asks_before(attempts, contacts);
        let [attempts, contacts] = pipeline::ask(conn, asks).await?;
        self.add(attempts, contacts, -1)
    }

    /// The questions of [`Counts::before`].
    pub fn asks_before(
        &mut self,
        attempts: impl IntoIterator<Item = AttemptId>,
        contacts: impl IntoIterator<Item = RunContactId>,
    ) -> [Question; 2] {
        let attempts: BTreeSet<AttemptId> = attempts.into_iter().filter(|id| self.attempts.insert(*id)).collect();
        let contacts: BTreeSet<RunContactId> = contacts.into_iter().filter(|id| self.contacts.insert(*id)).collect();
        asks(&attempts, &contacts)
    }

    /// The same of an attempt that is the first of its contact to end: neither adds anything yet.
    pub fn first_end(&mut self, attempt: AttemptId, contact: RunContactId) {
        self.attempts.insert(attempt);
        self.contacts.insert(contact);
    }

    /// After everything was changed.
    pub async fn apply(mut self, conn: &mut Conn) -> Result<()> {
        let [attempts, contacts] = pipeline::ask(conn, self.asks_after()).await?;
        self.add(attempts, contacts, 1)?;
        pipeline::run(conn, self.changes().into()).await
    }

    /// What these attempts and run contacts add after everything was changed.
    pub fn asks_after(&self) -> [Question; 2] {
        asks(&self.attempts, &self.contacts)
    }

    /// What is written of the difference.
    pub fn changes(&self) -> [Statement; 2] {
        let mut attempts = Rows::default();
        for ((run, mode, outcome, quarter_at), s) in self.sums.iter().filter(|(_, sums)| **sums != [0; SUMS]) {
            let mut row = vec![json!(run), json!(mode), json!(outcome), json!(quarter_at)];
            row.extend(s.iter().map(|sum| json!(sum)));
            attempts.push(&row);
        }
        let mut contacts = Rows::default();
        for ((run, mode), [dialled, reached, goals, clean, clean_goals]) in
            self.met.iter().filter(|(_, met)| **met != [0; MET])
        {
            contacts.push(&(run, mode, dialled, reached, goals, clean, clean_goals));
        }
        let put = [(sql!("put_attempt_counts"), attempts), (sql!("put_contact_counts"), contacts)];
        put.map(|(text, rows)| Statement::of(text, rows))
    }

    /// The answers to [`asks`].
    pub fn add(&mut self, attempts: Answer, contacts: Answer, sign: i64) -> Result<()> {
        for (run, mode, outcome, quarter_at, text) in typed::<AttemptShare>(attempts)? {
            let values: [i64; SUMS] = serde_json::from_str(&text)
                .map_err(|cause| StoreError::row("attempt_counts", "sums", cause.to_string()))?;
            let sums = self.sums.entry((run, mode, outcome, quarter_at)).or_default();
            sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += sign * value);
        }
        for row in typed::<ContactShare>(contacts)? {
            let (run, mode, dialled, reached, goals, clean, clean_goals) = row;
            let met = self.met.entry((run, mode)).or_default();
            let values = [dialled, reached, goals, clean, clean_goals];
            met.iter_mut().zip(values).for_each(|(sum, value)| *sum += sign * value);
        }
        Ok(())
    }
}

/// What attempts and run contacts add now.
fn asks(attempts: &BTreeSet<AttemptId>, contacts: &BTreeSet<RunContactId>) -> [Question; 2] {
    let attempts = Question::of_ids::<AttemptShare>(sql!("attempt_contributions"), attempts.iter().map(|id| id.0));
    [attempts, Question::of_ids::<ContactShare>(sql!("contact_contributions"), contacts.iter().map(|id| id.0))]
}

/// What a model costs is told beside its call, and may come after the call's end: then the end is counted anew.
pub struct Costs {
    attempts: BTreeSet<AttemptId>,
    counts: Counts,
}

impl Costs {
    /// Before the cost is written.
    pub async fn before(conn: &mut Conn, attempts: BTreeSet<AttemptId>, now: Timestamp) -> Result<Self> {
        if attempts.is_empty() {
            return Ok(Costs { attempts, counts: Counts::default() });
        }
        // Budgets first: the order of locks is that of a decision.
        let ids: Vec<AttemptId> = attempts.iter().copied().collect();
        super::money::held(conn, &ids, now).await?;
        if ROWS_ARE_LOCKED {
            // An end that is written meanwhile counts the cost, or this does: never neither.
            let ids = ids_text(attempts.iter().map(|id| id.0));
            sqlx::query(sql!("lock_attempts")).bind(ids).fetch_all(&mut *conn).await?;
        }
        let mut counts = Counts::default();
        counts.before(conn, attempts.iter().copied(), []).await?;
        // Those that have not ended add nothing, and are counted when they end.
        let attempts = if counts.sums.is_empty() { BTreeSet::new() } else { attempts };
        Ok(Costs { attempts, counts })
    }

    pub async fn apply(self, conn: &mut Conn) -> Result<()> {
        if self.attempts.is_empty() {
            return Ok(());
        }
        self.counts.apply(conn).await?;
        super::snapshots::attempts_changed(conn, self.attempts).await
    }
}

/// Everything anew, out of the attempts themselves.
pub async fn count_anew(conn: &mut Conn) -> Result<()> {
    let texts = [
        sql!("forget_attempt_counts"),
        sql!("count_attempts"),
        sql!("forget_contact_counts"),
        sql!("count_contacts_met"),
    ];
    for text in texts {
        sqlx::query(text).execute(&mut *conn).await?;
    }
    Ok(())
}
