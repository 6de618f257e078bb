//! What must never be seen, and the record by which it is judged.

use super::dice::Dice;
use halo::domain::{AttemptId, RunContactId, RunId, SessionId, Timestamp, TokenHash};
use std::collections::{BTreeMap, BTreeSet};

/// A claim whose grant nobody asked for may be revoked after this, and not before.
const DEADLINE_MS: i64 = 75_000;
/// A start leaves so late after its slot, in microseconds; the millisecond more is the scheduler's.
const SLOT_US: i64 = 13_000;
/// A phone rings so late after its grant.
const FRESH_MS: i64 = 10_000;

/// What the account allows, in one world.
#[derive(Clone, Copy, Debug)]
pub struct Account {
    pub cps: f64,
    pub lines: usize,
}

/// Lines, tries and pace that a run may have.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub lines: usize,
    pub tries: usize,
    pub cps: f64,
}

/// One phone that rang, by the provider's clock.
#[derive(Clone, Debug)]
pub struct Ring {
    pub attempt: AttemptId,
    pub session: SessionId,
    pub to: i64,
    granted: Granted,
}

/// What a grant was given for.
#[derive(Clone, Debug)]
pub struct Granted {
    pub run_contact: RunContactId,
    pub run: RunId,
    pub number: String,
    pub dialed_at: Timestamp,
    pub held_until: Timestamp,
}

/// A start as it arrives at the provider.
#[derive(Clone, Copy, Debug)]
pub struct Start {
    pub attempt: AttemptId,
    pub run: RunId,
    pub token: TokenHash,
    pub slot_us: i64,
    pub at: i64,
}

pub struct Record {
    account: Account,
    limits: BTreeMap<RunId, Limits>,
    rings: Vec<Ring>,
    starts: Vec<Start>,
    /// Of each attempt the start that may still get its grant.
    open: BTreeMap<AttemptId, (TokenHash, i64)>,
    granted: BTreeMap<SessionId, Granted>,
    /// As the database has been told, durably.
    pub suppressed: BTreeSet<String>,
    pub paused: BTreeSet<RunId>,
    pub stopped: BTreeSet<RunId>,
    pub account_paused: bool,
}

pub type Law = Result<(), String>;

fn hold(holds: bool, law: &str) -> Law {
    if holds { Ok(()) } else { Err(law.to_owned()) }
}

impl Record {
    pub fn new(account: Account) -> Self {
        Record {
            account,
            limits: BTreeMap::new(),
            rings: Vec::new(),
            starts: Vec::new(),
            open: BTreeMap::new(),
            granted: BTreeMap::new(),
            suppressed: BTreeSet::new(),
            paused: BTreeSet::new(),
            stopped: BTreeSet::new(),
            account_paused: false,
        }
    }

    pub fn begins(&mut self, run: RunId, limits: Limits) {
        self.limits.insert(run, limits);
    }

    /// A `StartScenarios` has arrived.
    pub fn started(&mut self, start: Start) -> Law {
        let at_us = start.at * 1000;
        hold(start.slot_us <= at_us && at_us <= start.slot_us + SLOT_US, "a start leaves in its slot or not at all")?;
        let open = self.open.get(&start.attempt).is_some_and(|(_, since)| start.at - since < DEADLINE_MS);
        hold(!open, "nobody is started again while an earlier start may still get its grant")?;
        self.open.insert(start.attempt, (start.token, start.at));
        self.starts.push(start);
        let within: Vec<&Start> = self.starts.iter().rev().take_while(|s| start.at - s.at < 1000).collect();
        hold(within.len() as f64 <= self.account.cps, "no rolling second has more starts than the account allows")?;
        let of_run = within.iter().filter(|s| s.run == start.run).count();
        hold(of_run as f64 <= self.limits[&start.run].cps, "no rolling second has more starts than the run allows")
    }

    /// Has the attempt been started before?
    pub fn was_started(&self, attempt: AttemptId) -> bool {
        self.starts.iter().any(|start| start.attempt == attempt)
    }

    /// Nobody will be granted by this token any more: the provider, a grant's refusal or the session said so.
    pub fn closed(&mut self, attempt: AttemptId, token: TokenHash) {
        if self.open.get(&attempt).is_some_and(|(open, _)| *open == token) {
            self.open.remove(&attempt);
        }
    }

    /// A grant is on its way to a session.
    pub fn granted(&mut self, attempt: AttemptId, token: TokenHash, session: SessionId, granted: Granted) -> Law {
        hold(!self.suppressed.contains(&granted.number), "nobody is granted whose number is suppressed")?;
        hold(!self.paused.contains(&granted.run), "nobody is granted in a paused run")?;
        hold(!self.stopped.contains(&granted.run), "nobody is granted in a stopped run")?;
        hold(!self.account_paused, "nobody is granted while everything is paused")?;
        let newest = self.starts.iter().rev().find(|start| start.attempt == attempt);
        hold(newest.is_some_and(|start| start.token == token), "nobody is granted by an older start's token")?;
        self.granted.insert(session, granted);
        Ok(())
    }

    /// Whoever was called in this session is not to be called again.
    pub fn opts_out(&mut self, session: SessionId) {
        let number = self.granted.get(&session).map(|granted| granted.number.clone());
        self.suppressed.extend(number);
    }

    /// A phone rings.
    pub fn rings(&mut self, attempt: AttemptId, session: SessionId, now: i64, to: i64) -> Law {
        let Some(granted) = self.granted.get(&session).cloned() else {
            return Err("nobody rings without a grant".into());
        };
        hold(now - granted.dialed_at.0 <= FRESH_MS, "nobody rings by a grant older than 10 s")?;
        hold(to <= granted.held_until.0, "a line is held as long as its call can last")?;
        hold(!self.rings.iter().any(|r| r.attempt == attempt), "nobody rings twice for an attempt")?;
        let open: Vec<&Ring> = self.rings.iter().filter(|r| now < r.to).collect();
        hold(!open.iter().any(|r| r.granted.number == granted.number), "no number is in two live calls")?;
        hold(open.len() < self.account.lines, "no more calls are open than the account has lines")?;
        let limits = self.limits[&granted.run];
        let of_run = open.iter().filter(|r| r.granted.run == granted.run).count();
        hold(of_run < limits.lines, "no more calls are open than the run has lines")?;
        let tries = self.rings.iter().filter(|r| r.granted.run_contact == granted.run_contact).count();
        hold(tries < limits.tries, "nobody is tried more often than the cap says")?;
        self.rings.push(Ring { attempt, session, to, granted });
        Ok(())
    }

    /// Calls that go on.
    pub fn calls_under_way(&self, now: i64) -> impl Iterator<Item = &Ring> {
        self.rings.iter().filter(move |ring| now < ring.to)
    }

    /// What the tables say of the calls that go on.
    pub fn are_live(&self, now: i64, live: &[(AttemptId, SessionId)]) -> Law {
        let held = |ring: &Ring| live.contains(&(ring.attempt, ring.session));
        hold(self.calls_under_way(now).all(held), "an attempt is live as long as its call goes on")
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
