//! What decisions of one batch have in common whatever their numbers: carried from one to the next in memory, and
//! written once for each wave.

use super::super::Conn;
use crate::domain::Timestamp;
use crate::store::Result;
use crate::store::rows::{Change, Held, RunState};
use crate::store::text::Rows;
use std::collections::BTreeMap;

/// Facts of runs that a decision of this batch has changed. The runs are locked: nobody else changes them.
#[derive(Default)]
pub struct Carried {
    runs: BTreeMap<i64, RunFacts>,
}

struct RunFacts {
    state: RunState,
    ungranted: i64,
    not_dialled: i64,
    prohibited: i64,
    /// To be written with this wave.
    changed: bool,
    /// Paused by this wave: why and when.
    paused: Option<(String, Timestamp)>,
}

impl Carried {
    /// The run as the decisions before this one left it.
    pub fn show(&self, held: &mut Held) {
        if let Some(run) = self.runs.get(&held.run.0) {
            held.run_state = run.state;
            held.run_ungranted = run.ungranted;
            held.run_not_dialled = run.not_dialled;
            held.run_prohibited = run.prohibited;
        }
    }

    pub fn note(&mut self, held: &Held, change: &Change, now: Timestamp) {
        let counted = change.run_ungranted.or(change.run_not_dialled).or(change.run_prohibited);
        if counted.is_none() && change.run_paused.is_none() {
            return;
        }
        let run = self.runs.entry(held.run.0).or_insert(RunFacts {
            state: held.run_state,
            ungranted: held.run_ungranted,
            not_dialled: held.run_not_dialled,
            prohibited: held.run_prohibited,
            changed: false,
            paused: None,
        });
        run.changed = true;
        run.ungranted = change.run_ungranted.unwrap_or(run.ungranted);
        run.not_dialled = change.run_not_dialled.unwrap_or(run.not_dialled);
        run.prohibited = change.run_prohibited.unwrap_or(run.prohibited);
        // Only a running run is paused; whoever paused it first says why.
        if let Some(why) = change.run_paused.as_ref().filter(|_| run.state == RunState::Running) {
            run.state = RunState::Paused;
            run.paused = Some((why.clone(), now));
        }
    }

    /// Writes what this wave changed, and remembers it for the next.
    pub async fn apply(&mut self, conn: &mut Conn) -> Result<()> {
        let mut rows = Rows::default();
        for (id, run) in self.runs.iter_mut().filter(|(_, run)| run.changed) {
            let (why, at) = run.paused.take().map(|(why, at)| (why, at.0)).unzip();
            rows.push(&(id, why, at, run.ungranted, run.not_dialled, run.prohibited));
            run.changed = false;
        }
        if !rows.is_empty() {
            sqlx::query(sql!("apply_run")).bind(rows.text()).execute(&mut *conn).await?;
        }
        Ok(())
    }
}
