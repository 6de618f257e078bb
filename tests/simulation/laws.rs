//! What must never be seen, and the record by which it is judged.

use super::dice::Dice;
use halo::domain::{AttemptId, RunContactId, RunId, SessionId};
use std::collections::{BTreeMap, BTreeSet};

/// What the campaigns and the account allow.
pub const ACCOUNT_CPS: f64 = 3.0;
pub const ACCOUNT_LINES: usize = 3;

/// One phone that rang, by the provider's clock.
#[derive(Clone, Debug)]
pub struct Ring {
    pub attempt: AttemptId,
    pub run_contact: RunContactId,
    pub run: RunId,
    pub number: String,
    pub to: i64,
}

/// What a grant was given for.
#[derive(Clone, Debug)]
pub struct Granted {
    pub run_contact: RunContactId,
    pub run: RunId,
    pub number: String,
}

#[derive(Default)]
pub struct Record {
    rings: Vec<Ring>,
    starts: Vec<i64>,
    granted: BTreeMap<SessionId, Granted>,
    /// As the database has been told, durably.
    pub suppressed: BTreeSet<String>,
    pub paused: BTreeSet<RunId>,
    pub stopped: BTreeSet<RunId>,
    pub account_paused: bool,
}

/// Lines and tries that a run may have.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub lines: usize,
    pub tries: usize,
}

pub type Law = Result<(), String>;

fn hold(holds: bool, law: &str) -> Law {
    if holds { Ok(()) } else { Err(law.to_owned()) }
}

impl Record {
    /// A `StartScenarios` has arrived.
    pub fn started(&mut self, now: i64) -> Law {
        self.starts.push(now);
        let within = self.starts.iter().rev().take_while(|at| now - **at < 1000).count();
        hold(within as f64 <= ACCOUNT_CPS, "no rolling second has more starts than the account allows")
    }

    /// A grant is on its way to a session.
    pub fn granted(&mut self, session: SessionId, granted: Granted) -> Law {
        hold(!self.suppressed.contains(&granted.number), "nobody is granted whose number is suppressed")?;
        hold(!self.paused.contains(&granted.run), "nobody is granted in a paused run")?;
        hold(!self.stopped.contains(&granted.run), "nobody is granted in a stopped run")?;
        hold(!self.account_paused, "nobody is granted while everything is paused")?;
        self.granted.insert(session, granted);
        Ok(())
    }

    /// A phone rings.
    pub fn rings(
        &mut self,
        attempt: AttemptId,
        session: SessionId,
        now: i64,
        to: i64,
        limits: &BTreeMap<RunId, Limits>,
    ) -> Law {
        let Some(granted) = self.granted.get(&session).cloned() else {
            return Err("nobody rings without a grant".into());
        };
        let Granted { run_contact, run, number } = granted;
        let ring = Ring { attempt, run_contact, run, number, to };
        hold(!self.rings.iter().any(|r| r.attempt == attempt), "nobody rings twice for an attempt")?;
        let open: Vec<&Ring> = self.rings.iter().filter(|r| now < r.to).collect();
        hold(!open.iter().any(|r| r.number == ring.number), "no number is in two live calls")?;
        hold(open.len() < ACCOUNT_LINES, "no more calls are open than the account has lines")?;
        let limits = limits[&ring.run];
        let of_run = open.iter().filter(|r| r.run == ring.run).count();
        hold(of_run < limits.lines, "no more calls are open than the run has lines")?;
        let tries = self.rings.iter().filter(|r| r.run_contact == ring.run_contact).count();
        hold(tries < limits.tries, "nobody is tried more often than the cap says")?;
        self.rings.push(ring);
        Ok(())
    }

    pub fn calls(&self) -> usize {
        self.rings.len()
    }
}

/// How a call comes out: the code that history tells, and how long it rang and was talked.
pub fn fate(dice: &mut Dice) -> (i64, i64) {
    let code = dice.pick(&[200, 200, 200, 486, 486, 480, 408, 603, 503]);
    let rings_ms = dice.within(1_000, 30_000);
    (code, if code == 200 { rings_ms + dice.within(2_000, 60_000) } else { rings_ms })
}
