//! How often each millisecond of each latency occurred: kept up by whatever ends an attempt or changes an ended one.
//!
//! An attempt's share is asked before it is changed and after; the difference is written last in its transaction, in the
//! order of the key, so that nodes that write the same rows wait for each other in one order.

use super::super::Conn;
use crate::domain::state::State;
use crate::domain::{AttemptId, Outcome};
use crate::store::Result;
use crate::store::rows::{Change, Held};
use crate::store::text::{Rows, ids_text};
use std::collections::{BTreeMap, BTreeSet};

/// The key of a count: run, mode, metric, class, method, first turn or later, milliseconds.
type Key = (i64, String, String, String, String, i64, i64);

#[derive(sqlx::FromRow)]
struct Share {
    run_id: i64,
    mode: String,
    metric: String,
    class: String,
    method: String,
    later: i64,
    ms: i64,
    n: i64,
}

/// What a transaction changes of the counts.
#[derive(Default)]
pub struct Latencies {
    touched: BTreeSet<AttemptId>,
    counts: BTreeMap<Key, i64>,
}

impl Latencies {
    /// Before anything is changed: what these attempts add now. Those that have not ended add nothing.
    pub async fn before(conn: &mut Conn, ended: BTreeSet<AttemptId>) -> Result<Self> {
        let mut latencies = Latencies { touched: ended, counts: BTreeMap::new() };
        latencies.add(conn, -1).await?;
        Ok(latencies)
    }

    /// Of all that were loaded, those that have ended.
    pub fn ended<'h>(held: impl Iterator<Item = &'h Held>) -> BTreeSet<AttemptId> {
        let ended = |held: &&Held| matches!(held.state, State::Ended { .. } | State::Lost { .. });
        held.filter(ended).map(|held| held.attempt).collect()
    }

    /// One that ends now with somebody on the line adds something from now on.
    pub fn note(&mut self, held: &Held, change: &Change) {
        let answered = |outcome: Outcome| outcome.is_answered();
        if let Some(State::Ended { outcome, .. }) = change.attempt.as_ref().map(|to| to.state)
            && answered(outcome)
        {
            self.touched.insert(held.attempt);
        }
    }

    /// After everything was changed.
    pub async fn apply(mut self, conn: &mut Conn) -> Result<()> {
        self.add(conn, 1).await?;
        let mut rows = Rows::default();
        for ((run, mode, metric, class, method, later, ms), n) in self.counts.iter().filter(|(_, n)| **n != 0) {
            rows.push(&(run, mode, metric, class, method, later, ms, n));
        }
        if !rows.is_empty() {
            sqlx::query(sql!("put_latency_counts")).bind(rows.text()).execute(conn).await?;
        }
        Ok(())
    }

    async fn add(&mut self, conn: &mut Conn, sign: i64) -> Result<()> {
        if self.touched.is_empty() {
            return Ok(());
        }
        let wanted = ids_text(self.touched.iter().map(|id| id.0));
        let shares: Vec<Share> =
            sqlx::query_as(sql!("latency_contributions")).bind(wanted).fetch_all(&mut *conn).await?;
        for s in shares {
            *self.counts.entry((s.run_id, s.mode, s.metric, s.class, s.method, s.later, s.ms)).or_default() +=
                sign * s.n;
        }
        Ok(())
    }
}

/// Everything anew, out of the attempts themselves.
pub async fn count_anew(conn: &mut Conn, _: &()) -> Result<()> {
    for text in [sql!("forget_latency_counts"), sql!("count_latencies")] {
        sqlx::query(text).execute(&mut *conn).await?;
    }
    Ok(())
}
