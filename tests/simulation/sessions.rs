//! Sessions as values: what a scenario does from its start to its end, and what of it reaches us.

use super::laws::{Granted, Law, fate};
use super::nodes::Done;
use super::world::{Event, World};
use halo::dialer::{Grant, GrantRequest, News, Report, Settled};
use halo::domain::{AttemptId, Outcome, SessionId, Timestamp, Token, TokenHash};
use halo::store::Heard;
use serde_json::{Value, json};

/// A scenario waits so long for a grant, so many times, and ignores the answer to an earlier try.
const GRANT_WAIT_MS: i64 = 8_000;
const GRANT_TRIES: u32 = 3;
/// Nobody is dialled by a grant that is older, on arrival.
const GRANT_OLD_MS: i64 = 10_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Asking,
    Calling,
    Over,
}

#[derive(Clone, Debug)]
pub struct Session {
    attempt: AttemptId,
    token: Token,
    /// Its way to us is bad: much is lost, much is late.
    astray: bool,
    phase: Phase,
    tries: u32,
    asked_at: i64,
    /// Its one call: the code of its end.
    code: Option<i64>,
    began_at: i64,
    ended_at: i64,
    /// From then on the provider's history tells of it.
    known_at: i64,
    seq: i64,
}

/// What a session tells.
#[derive(Clone, Debug)]
pub enum Told {
    Underway { opts_out: bool },
    Finished(i64),
    NotDialled(TokenHash),
}

impl World {
    /// The provider makes a session; it may be slow, or never come to ask.
    pub fn make_session(&mut self, attempt: AttemptId, token: Token) -> i64 {
        let id = self.sessions.len() as i64 + 1;
        let astray = self.dice.chance(10);
        self.sessions.push(Session {
            attempt,
            token,
            astray,
            phase: Phase::Asking,
            tries: 0,
            asked_at: 0,
            code: None,
            began_at: self.now(),
            ended_at: i64::MAX,
            known_at: i64::MAX,
            seq: 0,
        });
        if self.dice.chance(4) {
            self.over(id);
        } else {
            let after = self.dice.delay(1_500, 150_000);
            self.later(after, Event::Ask { session: id });
        }
        id
    }

    fn session(&mut self, id: i64) -> &mut Session {
        &mut self.sessions[id as usize - 1]
    }

    fn over(&mut self, id: i64) {
        let (now, lag) = (self.now(), self.dice.delay(10_000, 180_000));
        let session = self.session(id);
        session.phase = Phase::Over;
        session.ended_at = now;
        session.known_at = now + lag;
    }

    /// The scenario asks for its grant, or gives up.
    pub fn ask(&mut self, id: i64) {
        let now = self.now();
        let session = self.session(id);
        if session.phase != Phase::Asking {
            return;
        }
        if session.tries == GRANT_TRIES {
            return self.over(id);
        }
        session.tries += 1;
        session.asked_at = now;
        let nth = session.tries;
        self.later(GRANT_WAIT_MS, Event::Ask { session: id });
        if let Some(after) = self.on_the_way(id, self.knobs.losses) {
            self.later(after, Event::Asked { session: id, nth });
        }
    }

    /// How long a request for a grant, or its answer, is on its way; `None`: it is lost.
    fn on_the_way(&mut self, id: i64, losses: u64) -> Option<i64> {
        let astray = self.session(id).astray;
        if self.dice.chance(if astray { losses.max(40) } else { losses }) {
            return None;
        }
        Some(if astray && self.dice.chance(50) { self.dice.within(300, 15_000) } else { self.dice.delay(300, 15_000) })
    }

    /// The request for a grant reaches a node.
    pub async fn asked(&mut self, id: i64, nth: u32) -> Law {
        let Some((node, dialer)) = self.any_node() else { return Ok(()) };
        let session = self.session(id);
        let (attempt, token) = (session.attempt, session.token.clone());
        let request = GrantRequest { attempt, token, session: SessionId(id), told: "told".into() };
        self.fly(node, Some(attempt), async move {
            Done::Granted { session: id, nth, grant: dialer.grant(request).await.expect("grant") }
        })
        .await
    }

    /// A node has decided; its answer sets out, and may be lost.
    pub async fn decided(&mut self, id: i64, nth: u32, grant: Grant) -> Law {
        let session = self.session(id);
        let (attempt, token) = (session.attempt, session.token.hash());
        let mut losses = self.knobs.losses;
        let ago = match &grant {
            Grant::Go(granted) => {
                let held = self.store.attempt(attempt).await.expect("the store answers");
                let held = held.expect("a granted attempt exists");
                let number = granted.order.to().as_str().to_owned();
                let told = Granted {
                    run_contact: held.run_contact,
                    run: held.run,
                    number: number.clone(),
                    dialed_at: held.dialed_at.unwrap_or(Timestamp(i64::MIN / 2)),
                    held_until: held.held_until.unwrap_or(Timestamp(i64::MIN / 2)),
                };
                self.record.granted(attempt, token, SessionId(id), told)?;
                if self.meddle(held.run, &number, 7_000) {
                    // Whoever did not hear the answer asks again, and a gate has closed since.
                    losses = 60;
                }
                Some(granted.granted_ms_ago)
            }
            Grant::Unknown => return Err("every session's attempt exists".into()),
            Grant::Gone => {
                self.record.closed(attempt, token);
                self.plan_soon();
                None
            }
            Grant::Taken => None,
            Grant::Outdated => return Err("settings were read twice, and were outdated still".into()),
        };
        self.trace(&format!("grant {id} try {nth}: {ago:?}"));
        if let Some(after) = self.on_the_way(id, losses) {
            self.later(after, Event::Answered { session: id, nth, ago });
        }
        Ok(())
    }

    /// The answer arrives. `ago`: a grant, and how old it was when it set out.
    pub fn answered(&mut self, id: i64, nth: u32, ago: Option<i64>) -> Law {
        let now = self.now();
        let session = self.session(id);
        if session.phase != Phase::Asking || session.tries != nth {
            return Ok(());
        }
        let Some(ago) = ago else {
            self.over(id);
            return Ok(());
        };
        if ago + (now - session.asked_at) > GRANT_OLD_MS {
            let hash = session.token.hash();
            self.over(id);
            self.tell(id, Told::NotDialled(hash));
            return Ok(());
        }
        let (code, lasts_ms) = fate(&mut self.dice);
        let session = self.session(id);
        session.phase = Phase::Calling;
        session.code = Some(code);
        let attempt = session.attempt;
        self.trace(&format!("session {id} rings, to end with {code}"));
        self.record.rings(attempt, SessionId(id), now, now + lasts_ms)?;
        self.tell(id, Told::Underway { opts_out: false });
        if code == 200 && self.dice.chance(10) {
            self.tell(id, Told::Underway { opts_out: true });
        }
        self.later(lasts_ms, Event::HangsUp { session: id });
        Ok(())
    }

    pub fn hangs_up(&mut self, id: i64) {
        let code = self.session(id).code.expect("it called");
        self.over(id);
        self.tell(id, Told::Finished(code));
    }

    /// An event sets out: late, twice, or not at all.
    fn tell(&mut self, id: i64, told: Told) {
        let session = self.session(id);
        session.seq += 1;
        let seq = session.seq;
        if self.dice.chance(self.knobs.losses) {
            return;
        }
        for _ in 0..if self.dice.chance(12) { 2 } else { 1 } {
            let after = self.dice.delay(2_000, 240_000);
            self.later(after, Event::Told { session: id, seq, told: told.clone() });
        }
    }

    /// The event reaches a node.
    pub async fn told(&mut self, id: i64, seq: i64, told: Told) -> Law {
        let Some((node, dialer)) = self.any_node() else { return Ok(()) };
        let (attempt, report) = self.report(id, seq, &told);
        self.fly(node, Some(attempt), async move {
            let settled = dialer.settle(attempt, report).await.expect("settle");
            Done::Told { session: id, told, settled }
        })
        .await
    }

    pub fn settled(&mut self, id: i64, told: &Told, settled: Settled) -> Law {
        self.trace(&format!("session {id} has told {}: {settled:?}", kind(told)));
        let attempt = self.session(id).attempt;
        if settled == Settled::Moved {
            self.plan_soon();
        }
        match told {
            _ if settled == Settled::Unknown => return Err("every session's attempt exists".into()),
            Told::Underway { opts_out: true } => self.record.opts_out(SessionId(id)),
            Told::NotDialled(token) => self.record.closed(attempt, *token),
            Told::Underway { opts_out: false } | Told::Finished(_) => {}
        }
        Ok(())
    }

    /// The event as the webhook hands it on.
    fn report(&mut self, id: i64, seq: i64, told: &Told) -> (AttemptId, Report) {
        let by = SessionId(id);
        let (name, news) = match told {
            Told::Underway { .. } => ("Turn", News::Underway),
            Told::Finished(code) => {
                let outcome = match code {
                    200 => Outcome::Answered,
                    486 => Outcome::Busy,
                    480 => Outcome::Unavailable,
                    408 => Outcome::NoAnswer,
                    603 => Outcome::Rejected,
                    _ => Outcome::NetworkError,
                };
                ("Disconnected", News::Finished { by, outcome, evidence: "event" })
            }
            Told::NotDialled(hash) => ("NotDialled", News::NotDialled { by, token: Some(*hash) }),
        };
        let heard = Heard { session: by, seq, event: name.into(), at_ms: None, body: "{}".into() };
        let opt_out = matches!(told, Told::Underway { opts_out: true }).then(|| "asked in a call".to_owned());
        (self.session(id).attempt, Report { heard: Some(heard), news, opt_out, ..Report::default() })
    }

    /// What history tells now of the sessions that are asked about.
    pub fn history(&mut self, ids: &str) -> Value {
        let now = self.now();
        let ids: Vec<i64> = ids.split(';').map(|id| id.parse().expect("a session's id")).collect();
        let known = ids.iter().filter(|id| self.sessions[**id as usize - 1].known_at <= now);
        let rows: Vec<Value> = known.map(|id| row(*id, &self.sessions[*id as usize - 1])).collect();
        json!({ "total_count": rows.len(), "count": rows.len(), "result": rows })
    }

    /// Is there anything that a session may still do?
    pub fn sessions_are_over(&self) -> bool {
        self.sessions.iter().all(|session| session.phase == Phase::Over)
    }

    /// Whose attempt a session is of, and whether it has asked for its grant yet.
    pub fn of_session(&self, id: i64) -> (AttemptId, bool) {
        let session = &self.sessions[id as usize - 1];
        (session.attempt, session.tries > 0)
    }
}

fn kind(told: &Told) -> &'static str {
    match told {
        Told::Underway { opts_out: false } => "that it goes on",
        Told::Underway { opts_out: true } => "an opt-out",
        Told::Finished(_) => "its end",
        Told::NotDialled(_) => "that nobody was dialled",
    }
}

fn row(id: i64, session: &Session) -> Value {
    let seconds = (session.ended_at - session.began_at) / 1000;
    let call = |code: i64| {
        json!({ "incoming": false, "successful": code == 200, "duration": if code == 200 { seconds.max(1) } else { 0 },
                "end_reason": { "code": code, "details": "" } })
    };
    json!({ "call_session_history_id": id, "finish_reason": "Normal termination", "duration": seconds,
            "calls": session.code.map(call).into_iter().collect::<Vec<_>>() })
}
