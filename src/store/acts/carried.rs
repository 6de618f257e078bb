//! What decisions of one batch have in common whatever their numbers: carried from one to the next in memory, and
//! written once for each wave.

use super::super::{Conn, ROWS_ARE_LOCKED};
use super::life;
use crate::domain::{RunId, Timestamp};
use crate::store::Result;
use crate::store::asked::Runs;
use crate::store::rows::{Change, Held, RunState};
use crate::store::text::Rows;
use std::collections::BTreeMap;

/// Facts of runs that a decision of this batch has changed. The runs are locked: nobody else changes them.
pub struct Carried {
    runs: BTreeMap<i64, Run>,
    locked: Runs,
}

struct Run {
    state: RunState,
    ungranted: i64,
    not_dialled: i64,
    prohibited: i64,
    /// What is left of its hold, and what this wave takes of it.
    contacts_left: Option<i64>,
    taken: i64,
    /// Counters to be written with this wave.
    changed: bool,
    /// Paused by this wave: why and when.
    paused: Option<(String, Timestamp)>,
}

impl Carried {
    pub fn of(locked: Runs) -> Self {
        Carried { runs: BTreeMap::new(), locked }
    }

    /// Is a row of `runs` to be written that other nodes share? A hold has a row of its own.
    pub fn lacks_locks(&self) -> bool {
        let writes = |run: &Run| run.changed || run.paused.is_some();
        ROWS_ARE_LOCKED && self.locked == Runs::Shared && self.runs.values().any(writes)
    }

    /// The run as the decisions before this one left it.
    pub fn show(&self, held: &mut Held) {
        if let Some(run) = self.runs.get(&held.run.0) {
            held.run_state = run.state;
            held.run_ungranted = run.ungranted;
            held.run_not_dialled = run.not_dialled;
            held.run_prohibited = run.prohibited;
            if let (Some(hold), Some(left)) = (&mut held.facts.hold, run.contacts_left) {
                hold.contacts_left = left;
            }
        }
    }

    pub fn note(&mut self, held: &Held, change: &Change, now: Timestamp) {
        let counted = change.run_ungranted.or(change.run_not_dialled).or(change.run_prohibited);
        if counted.or(change.hold).is_none() && change.run_paused.is_none() {
            return;
        }
        let run = self.runs.entry(held.run.0).or_insert(Run {
            state: held.run_state,
            ungranted: held.run_ungranted,
            not_dialled: held.run_not_dialled,
            prohibited: held.run_prohibited,
            contacts_left: held.facts.hold.map(|hold| hold.contacts_left),
            taken: 0,
            changed: false,
            paused: None,
        });
        run.changed |= counted.is_some();
        run.ungranted = change.run_ungranted.unwrap_or(run.ungranted);
        run.not_dialled = change.run_not_dialled.unwrap_or(run.not_dialled);
        run.prohibited = change.run_prohibited.unwrap_or(run.prohibited);
        let taken = change.hold.unwrap_or(0);
        run.taken += taken;
        run.contacts_left = run.contacts_left.map(|left| left - taken);
        // Only a running run is paused; whoever paused it first says why.
        if let Some(why) = change.run_paused.as_ref().filter(|_| run.state == RunState::Running) {
            run.state = RunState::Paused;
            run.paused = Some((why.clone(), now));
        }
    }

    /// Writes what this wave changed, and remembers it for the next.
    pub async fn apply(&mut self, conn: &mut Conn) -> Result<()> {
        let (mut rows, mut taken, mut paused) = (Rows::default(), Vec::new(), Vec::new());
        for (id, run) in &mut self.runs {
            if std::mem::take(&mut run.changed) {
                rows.push(&(id, run.ungranted, run.not_dialled, run.prohibited));
            }
            if run.taken != 0 {
                taken.push((RunId(*id), std::mem::take(&mut run.taken)));
            }
            if let Some((why, at)) = run.paused.take() {
                paused.push((RunId(*id), why, at));
            }
        }
        if !rows.is_empty() {
            sqlx::query(sql!("apply_run")).bind(rows.text()).execute(&mut *conn).await?;
        }
        if !taken.is_empty() {
            life::count(conn, &taken).await?;
        }
        for (run, why, at) in &paused {
            life::pause(conn, &[(*run, why)], *at).await?;
        }
        Ok(())
    }
}
