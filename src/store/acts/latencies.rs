//! How often each millisecond of each latency occurred: kept up by whatever ends an attempt or changes an ended one.
//!
//! An attempt's share is asked before it is changed and after; the difference is written last in its transaction, in the
//! order of the key, so that nodes that write the same rows wait for each other in one order.

use super::super::Conn;
use super::super::pipeline::{self, typed};
use super::counts::Counts;
use super::snapshots;
use crate::domain::state::State;
use crate::domain::{AttemptId, Outcome, RunContactId};
use crate::store::Result;
use crate::store::rows::{Change, Held};
use crate::store::text::{Question, Rows, Statement};
use std::collections::{BTreeMap, BTreeSet};

/// The metric of turns, as the view names it: a call that has some is known by its contact too.
const TURNS: &str = "turn_ms";

/// The key of a count: run, mode, metric, class, method, first turn or later, milliseconds.
type Key = (i64, String, String, String, String, i64, i64);

#[derive(sqlx::FromRow, serde::Deserialize)]
struct Share {
    run_id: i64,
    mode: String,
    metric: String,
    class: String,
    method: String,
    later: i64,
    ms: i64,
    n: i64,
    ranks: i64,
    sizes: i64,
}

/// What a transaction changes of the counts.
#[derive(Default)]
pub struct Latencies {
    touched: BTreeSet<AttemptId>,
    /// Ends of the wave under way: what they add besides is asked just before they are written.
    ending: Vec<(AttemptId, RunContactId)>,
    kept: Counts,
    /// Those of runs that are over: a stored report has counted them.
    late: BTreeSet<AttemptId>,
    /// Numbers that were suppressed by what somebody said.
    suppressed: BTreeSet<String>,
    /// Observations, and what intervals with calls as clusters need of them (migration 0021).
    counts: BTreeMap<Key, [i64; 3]>,
}

impl Latencies {
    /// Before anything is changed: what these attempts add now. Those that have not ended add nothing.
    pub async fn before(conn: &mut Conn, ended: BTreeMap<AttemptId, RunContactId>) -> Result<Self> {
        let touched: BTreeSet<AttemptId> = ended.keys().copied().collect();
        let mut latencies = Latencies { late: touched.clone(), touched, ..Latencies::default() };
        let kept = latencies.kept.asks_before(ended.keys().copied(), ended.values().copied());
        latencies.add(conn, kept, -1).await?;
        Ok(latencies)
    }

    /// Of all that were loaded, those that have ended.
    pub fn ended<'h>(held: impl Iterator<Item = &'h Held>) -> BTreeMap<AttemptId, RunContactId> {
        let ended = |held: &&Held| matches!(held.state, State::Ended { .. } | State::Lost { .. });
        held.filter(ended).map(|held| (held.attempt, held.run_contact)).collect()
    }

    /// One that ends now with somebody on the line adds something from now on.
    pub fn note(&mut self, held: &Held, change: &Change) {
        if change.attempt.is_some() && held.run_state.is_over() {
            self.late.insert(held.attempt);
        }
        if change.suppress.is_some() {
            self.suppressed.insert(held.to.as_str().to_owned());
        }
        if let Some(State::Ended { .. } | State::Lost { .. }) = change.attempt.as_ref().map(|to| to.state) {
            match (held.ended.is_empty(), held.state) {
                (true, State::Planned { .. } | State::Dialing { .. } | State::Live { .. }) => {
                    self.kept.first_end(held.attempt, held.run_contact);
                }
                _ => self.ending.push((held.attempt, held.run_contact)),
            }
        }
        let answered = |outcome: Outcome| outcome.is_answered();
        if let Some(State::Ended { outcome, .. }) = change.attempt.as_ref().map(|to| to.state)
            && answered(outcome)
        {
            self.touched.insert(held.attempt);
        }
    }

    /// Just before a wave is written: what its ends and their contacts add now.
    pub async fn wave(&mut self, conn: &mut Conn) -> Result<()> {
        let ending = std::mem::take(&mut self.ending);
        let (attempts, contacts): (Vec<_>, Vec<_>) = ending.into_iter().unzip();
        self.kept.before(conn, attempts, contacts).await
    }

    /// After everything was changed.
    pub async fn apply(mut self, conn: &mut Conn) -> Result<()> {
        let kept = self.kept.asks_after();
        self.add(conn, kept, 1).await?;
        let mut rows = Rows::default();
        for ((run, mode, metric, class, method, later, ms), sums) in self.counts.iter().filter(|(_, n)| **n != [0; 3]) {
            let [n, ranks, sizes] = sums;
            rows.push(&(run, mode, metric, class, method, later, ms, n, ranks, sizes));
        }
        let talked = !rows.is_empty() && self.counts.keys().any(|key| key.2 == TURNS);
        let talked = self.touched.iter().filter(|_| talked).map(|id| id.0);
        let mut changes =
            vec![Statement::of_ids(sql!("put_talked_calls"), talked), Statement::of(sql!("put_latency_counts"), rows)];
        changes.extend(self.kept.changes());
        changes.push(snapshots::attempts_change(self.late));
        pipeline::run(conn, changes).await?;
        snapshots::numbers_changed(conn, &self.suppressed.iter().map(String::as_str).collect::<Vec<_>>()).await
    }

    /// What the attempts add now; `kept` asks the same for what is counted beside.
    async fn add(&mut self, conn: &mut Conn, kept: [Question; 2], sign: i64) -> Result<()> {
        let wanted = Question::of_ids::<Share>(sql!("latency_contributions"), self.touched.iter().map(|id| id.0));
        let [attempts, contacts] = kept;
        let [shares, attempts, contacts] = pipeline::ask(conn, [wanted, attempts, contacts]).await?;
        self.kept.add(attempts, contacts, sign)?;
        for s in typed::<Share>(shares)? {
            let sums = self.counts.entry((s.run_id, s.mode, s.metric, s.class, s.method, s.later, s.ms)).or_default();
            for (sum, value) in sums.iter_mut().zip([s.n, s.ranks, s.sizes]) {
                *sum += sign * value;
            }
        }
        Ok(())
    }
}

/// Everything anew, out of the attempts themselves.
pub async fn count_anew(conn: &mut Conn, _: &()) -> Result<()> {
    let texts = [
        sql!("forget_latency_counts"),
        sql!("count_latencies"),
        sql!("forget_talked_calls"),
        sql!("find_talked_calls"),
    ];
    for text in texts {
        sqlx::query(text).execute(&mut *conn).await?;
    }
    super::counts::count_anew(conn).await
}
