//! What our processes do: plan, dial, grant, settle, reconcile, each around the real decision.
//!
//! A guard is taken out by what the decision is shown; the decision itself is always the real one.

use super::rows::{Books, From, NOON};
use super::state::{Attempt, Does, Life, Message, Now, Stands, What, Work};
use super::world::{DEADLINE, HOLD, LEASE, Law, TICK_MS, TRIES};
use halo::dialer::decisions::{Asked, Claim, Plan, afford, claim, clearance, defer, grant, reserve, revoke, settle};
use halo::dialer::{Grant, News, Report};
use halo::domain::clearance::Gate;
use halo::domain::slot::{LATE_MS_MAX, may_leave};
use halo::domain::state::State;
use halo::domain::{
    AttemptId, CampaignId, ContactId, Mode, NumberId, Outcome, RunContactId, RunId, SessionId, Timestamp,
};
use halo::store::{Account, Held, Leased, OpenRun, Placement, Planner, RunState};
use std::collections::{BTreeMap, HashMap};

/// A slot given long ago: the account's pace never holds anybody back here.
const LONG_AGO_US: i64 = 0;
/// What does not need to run on a real platform.
const NO_FINGERPRINT: &str = "told";

impl Books {
    /// Is it this contact's turn, and has nobody leased it?
    pub fn is_due(&self, s: &Now, at: usize) -> bool {
        let contact = &s.contacts[at];
        let dials = s.runs[self.run_of(at)].life == Life::Running && !s.account_paused;
        contact.there && contact.due && contact.lease == 0 && dials
    }

    /// One contact's turn.
    pub fn plan(&self, s: &mut Now, at: usize) -> bool {
        if !self.is_due(s, at) {
            return false;
        }
        let contact = s.contacts[at];
        let run_at = self.run_of(at);
        let now = self.now(s);
        let plan = Plan {
            now,
            earliest: now,
            horizon_us: TICK_MS * 1000,
            lease_ms: TICK_MS * i64::from(LEASE),
            real: false,
            rules: HashMap::from([(CampaignId(1), self.rules.clone())]),
            means: HashMap::new(),
        };
        let lines_of = |run: Option<usize>| {
            let held = s.attempts().filter(|(id, a)| {
                let at = *id as usize / TRIES;
                run.is_none_or(|run| self.run_of(at) == run) && self.holds_line(s, at, a)
            });
            held.count() as i64
        };
        let mut account = Account {
            account: 1,
            platform: "simulator/1".into(),
            cps_max: None,
            lines_max: Some(self.world.lines),
            paused_at: None,
            pause_reason: None,
            last_slot_us: LONG_AGO_US,
            brake: None,
        };
        let mut run = OpenRun {
            run: RunId(run_at as i64),
            campaign: CampaignId(1),
            last_slot_us: LONG_AGO_US,
            since: now,
            ungranted: 0,
            lines_held: lines_of(Some(run_at)),
            promised: 0,
        };
        if plan.want(&account, lines_of(None), &run) == 0 {
            return false;
        }
        let open = contact.attempts.iter().position(|a| a.is_some_and(|a| a.is_open()));
        let tries = contact.attempts.iter().flatten().count();
        let leased = Leased {
            run_contact: RunContactId(at as i64),
            contact: ContactId(at as i64),
            number: NumberId(self.number_of(at) as i64),
            mode: Mode::dialog(),
            to: self.numbers[self.number_of(at)].clone(),
            timezone: None,
            suppressed: s.suppressed[self.number_of(at)],
            allow_listed: false,
            consented: true,
            planned: open.map(|k| AttemptId((at * TRIES + k) as i64)),
            tries_made: tries as i64,
            caller_id: None,
            history: self.history(s, self.number_of(at), None),
            term: Default::default(),
            lines: Vec::new(),
        };
        match plan.place(&mut account, &mut run, &mut BTreeMap::new(), &leased) {
            Placement::Slot { leased_until, .. } => {
                let lost = |a: &Attempt| a.stands == Stands::Ended(Outcome::Lost);
                if open.is_none() && contact.attempts.iter().flatten().any(lost) {
                    s.breaks(Law::LostRests);
                }
                if open.is_none() && tries >= self.world.cap as usize {
                    s.breaks(Law::Cap);
                }
                let lease = self.ticks_until(s, leased_until);
                let contact = &mut s.contacts[at];
                let Some(place) = contact.attempts.get_mut(open.unwrap_or(tries)) else { return true };
                let attempt = place.get_or_insert(Attempt::NEW);
                if self.world.stale {
                    attempt.plan = (attempt.plan + 1) % 4;
                }
                contact.lease = lease;
                true
            }
            Placement::Park { .. } | Placement::Elsewhere(_) | Placement::Short | Placement::Bar(_) => false,
            Placement::Rest(outcome) => {
                if let Some(attempt) = open.and_then(|k| contact.attempts[k]) {
                    let k = open.unwrap_or_default();
                    s.contacts[at].attempts[k] = Some(Attempt { stands: Stands::Ended(outcome), ..attempt });
                }
                let contact = &mut s.contacts[at];
                (contact.due, contact.lease, contact.disposition) = (false, 0, Some(outcome));
                true
            }
        }
    }

    /// As `open_runs.sql` counts: planned under a lease, dialing, live until `held_until`.
    fn holds_line(&self, s: &Now, at: usize, attempt: &Attempt) -> bool {
        match attempt.stands {
            Stands::Planned => s.contacts[at].lease > 0 && self.guards().lines_ahead,
            Stands::Dialing => self.guards().lines_ahead,
            Stands::Live => attempt.held > 0,
            Stands::Ended(_) => false,
        }
    }

    /// A running run in which nobody waits any more is completed.
    pub fn is_done(&self, s: &Now, run: usize) -> bool {
        let ours = (0..2).filter(|at| self.run_of(*at) == run && s.contacts[*at].there);
        let rest = |at: usize| s.contacts[at].disposition.is_some();
        s.runs[run].life == Life::Running && ours.clone().next().is_some() && ours.into_iter().all(rest)
    }

    /// planned → dialing; true when it was ours.
    pub fn claim(&self, s: &mut Now, id: u8, plan: u8) -> Option<u8> {
        let token = s.attempt(id)?.tokens + 1;
        let asked = Claim { token: self.hash(id, token), slot_us: Books::slot_us(plan), now: self.now(s) };
        let compares = self.guards().claim_compares;
        let made = self.decide(s, id, From::Sweep, |held| {
            let mut seen = held.clone();
            if let State::Dialing { claimed_at, .. } = held.state
                && !compares
            {
                seen.state = State::Planned { due_at: claimed_at };
                seen.leased_until = Timestamp::NEVER;
            }
            match claim(&seen, asked) {
                Some(change) => (change, true),
                None => Default::default(),
            }
        })?;
        made.then_some(token)
    }

    /// One step of a process; `false` when there is none to take.
    pub fn step(&self, s: &mut Now, node: usize) -> bool {
        let work = s.nodes[node];
        let moves = !matches!(work, Work::Idle | Work::Waits { .. });
        s.nodes[node] = self.carry_out(s, work);
        moves
    }

    /// Does a piece of work, and returns what is left to do.
    pub fn carry_out(&self, s: &mut Now, work: Work) -> Work {
        match work {
            Work::Idle | Work::Waits { .. } => work,
            Work::Took { attempt, plan, late } => match self.claim(s, attempt, plan) {
                Some(token) => {
                    s.claims += 1;
                    Work::Sends { attempt, token, late }
                }
                None => Work::Idle,
            },
            Work::Sends { attempt, token, late } => {
                let late_us = i64::from(late) * TICK_MS * 1000;
                let leaves = may_leave(0, late_us, LATE_MS_MAX * 1000) || !self.guards().check_before_sending;
                if leaves {
                    if late > 0 {
                        s.breaks(Law::InSlot);
                    }
                    s.send(Message::Start { attempt, token });
                }
                match (leaves, self.world.refusals) {
                    (false, _) => Work::Defers { attempt, token },
                    (true, true) => Work::Waits { attempt, token },
                    // Whatever the answer says, it moves nothing.
                    (true, false) => Work::Idle,
                }
            }
            Work::Defers { attempt, token } => {
                let now = self.now(s);
                let names_hash = self.guards().revocation_names_hash;
                let of = self.hash(attempt, token);
                self.decide(s, attempt, From::Token(token), |held| {
                    let of = if names_hash { of } else { held.token.unwrap_or(of) };
                    (defer(held, of, now, Gate::Provider, now), ())
                });
                Work::Idle
            }
            Work::Settles { attempt, session, outcome } => {
                self.hear(s, attempt, session, finished(session, outcome, "history"));
                Work::Idle
            }
            Work::GivesUp { attempt, session } => {
                self.hear(s, attempt, session, News::Silent { by: Books::session(session) });
                Work::Idle
            }
        }
    }

    /// The grant's transaction, and its answer.
    pub fn grant(&self, s: &mut Now, session: u8, nth: u8) {
        let (id, token) = (s.sessions[session as usize].attempt, s.sessions[session as usize].token);
        let Some(held) = self.held(s, id) else { return };
        let guards = self.guards();
        let mut hash = self.hash(id, token);
        if let (State::Dialing { token, .. }, false) = (held.state, guards.current_token) {
            hash = token;
        }
        let by = match held.state {
            State::Live { session, .. } if !guards.same_session => session,
            _ => Books::session(session),
        };
        let now = self.now(s);
        let asked = |now: Timestamp| Asked {
            hash,
            session: by,
            told: NO_FINGERPRINT.into(),
            now,
            deadline_ms: TICK_MS * i64::from(DEADLINE),
            held_until: now.plus_ms(TICK_MS * i64::from(HOLD)),
            real: false,
        };
        let cleared = {
            let mut seen = held.clone();
            seen.suppressed &= guards.suppression;
            seen.account_paused &= guards.pause;
            if !guards.number_cap {
                seen.history.clear();
            }
            let hidden = match seen.run_state {
                RunState::Paused => !guards.pause,
                RunState::Stopped | RunState::Completed => !guards.stop,
                RunState::Running => false,
            };
            if hidden {
                seen.run_state = RunState::Running;
            }
            clearance(&seen, &self.rules, &asked(if guards.window { now } else { NOON }))
        };
        let purse = self.purse(s).filter(|_| guards.budget);
        let answer = self.decide(s, id, From::Token(token), |held| {
            let cleared = afford(held, purse.as_ref(), cleared, now);
            reserve(held, purse.as_ref(), grant(held, &asked(now), cleared), now)
        });
        let message = match answer {
            Some(Grant::Go(granted)) => {
                if self.is_closed(s, id) {
                    s.breaks(Law::Gates);
                }
                Message::Yes { session, nth, age: (granted.granted_ms_ago / TICK_MS) as u8 }
            }
            Some(Grant::Unknown | Grant::Taken | Grant::Gone | Grant::Outdated) | None => Message::No { session, nth },
        };
        s.send(message);
    }

    /// An event of a session arrives.
    pub fn told(&self, s: &mut Now, session: u8, what: What) {
        let (id, token) = (s.sessions[session as usize].attempt, s.sessions[session as usize].token);
        let by = Books::session(session);
        match what {
            What::NotDialled { by_grant } => {
                let token = by_grant.then(|| self.hash(id, token));
                self.hear(s, id, session, News::NotDialled { by, token });
            }
            What::Finished(outcome) => self.hear(s, id, session, finished(session, outcome, "event")),
            What::OptOut => self.hear(s, id, session, News::Underway),
        }
    }

    /// The settle's transaction.
    pub fn hear(&self, s: &mut Now, id: u8, session: u8, news: News) {
        let Some(was) = s.attempt(id).copied() else { return };
        let called = matches!(s.sessions[session as usize].does, Does::Over { outcome: Some(_) });
        let speaks_truth = called && matches!(news, News::Finished { .. });
        let by_grant = matches!(news, News::NotDialled { token: Some(_), .. }) && was.stands == Stands::Dialing;
        let from = if by_grant { From::Token(s.sessions[session as usize].token) } else { From::Session(session) };
        let now = self.now(s);
        let names_session = self.guards().evidence_names_session;
        let opt_out = matches!(news, News::Underway).then(|| "asked in a call".to_owned());
        self.decide(s, id, from, |held| {
            let news = if names_session { news } else { of_whoever_is_live(news, held) };
            settle(held, &self.rules, &Report { news, opt_out, ..Report::default() }, now)
        });
        let still_live = s.attempt(id).is_some_and(|a| a.stands == Stands::Live);
        if speaks_truth && was.stands == Stands::Live && still_live {
            s.breaks(Law::TruthBelieved);
        }
    }

    /// Was the grant of this claim not asked for in time?
    pub fn is_overdue(&self, attempt: &Attempt) -> bool {
        attempt.stands == Stands::Dialing && attempt.since >= DEADLINE && self.guards().sweep
    }

    pub fn sweep(&self, s: &mut Now, id: u8) {
        let now = self.now(s);
        self.decide(s, id, From::Sweep, |held| (revoke(held, &self.rules, now, TICK_MS * i64::from(DEADLINE)), ()));
    }

    /// The session of a call that cannot last any longer.
    pub fn silent(&self, s: &Now, id: u8) -> Option<u8> {
        let attempt = s.attempt(id).filter(|a| a.stands == Stands::Live)?;
        (self.held_left(s, id, attempt) == 0).then_some(attempt.session?)
    }

    /// Stops a run: `cancel_open_attempts.sql` and `cancel_waiting_contacts.sql`.
    pub fn stop(&self, s: &mut Now, run: usize) {
        s.runs[run].life = Life::Stopped;
        for at in (0..2).filter(|at| self.run_of(*at) == run) {
            let contact = &mut s.contacts[at];
            for attempt in contact.attempts.iter_mut().flatten() {
                if matches!(attempt.stands, Stands::Planned | Stands::Dialing) {
                    attempt.stands = Stands::Ended(Outcome::Cancelled);
                }
            }
            let live = contact.attempts.iter().flatten().any(|a| a.stands == Stands::Live);
            if contact.there && contact.disposition.is_none() && !live {
                (contact.due, contact.lease, contact.disposition) = (false, 0, Some(Outcome::Cancelled));
            }
        }
    }
}

fn finished(session: u8, outcome: Outcome, evidence: &'static str) -> News {
    News::Finished { by: Books::session(session), outcome, evidence }
}

/// The news as it would be understood if it named no session.
fn of_whoever_is_live(news: News, held: &Held) -> News {
    let whoever = |by: SessionId| match held.state {
        State::Live { session, .. } | State::Lost { session, .. } => session,
        _ => by,
    };
    match news {
        News::Finished { by, outcome, evidence } => News::Finished { by: whoever(by), outcome, evidence },
        News::Silent { by } => News::Silent { by: whoever(by) },
        News::NotDialled { by, token } => News::NotDialled { by: whoever(by), token },
        News::Underway => News::Underway,
    }
}
