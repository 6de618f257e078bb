//! One moment of a world: the rows, the processes, the sessions and what is on its way between them.
//!
//! Instants are kept as ticks before or after now, and saturate: there is no absolute clock, so no horizon.

use super::world::{CALL, DEADLINE, HOLD, Law, TRIES};
use halo::domain::Outcome;
use halo::store::RunState;

/// The state of a run; [`RunState`], which has no hash.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Life {
    Running,
    Paused,
    Stopped,
    Completed,
}

impl Life {
    pub fn stored(self) -> RunState {
        match self {
            Life::Running => RunState::Running,
            Life::Paused => RunState::Paused,
            Life::Stopped => RunState::Stopped,
            Life::Completed => RunState::Completed,
        }
    }
    pub fn is_over(self) -> bool {
        self.stored().is_over()
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Stands {
    Planned,
    Dialing,
    Live,
    Ended(Outcome),
}

/// The columns of a row of `attempts` that matter, and what truly happened.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Attempt {
    pub stands: Stands,
    /// Which plan gave the slot; counted where jobs may be stale.
    pub plan: u8,
    /// Ticks since the claim, or since the grant.
    pub since: u8,
    /// The current token; 0 is none.
    pub token: u8,
    pub session: Option<u8>,
    /// Ticks until `held_until`.
    pub held: u8,
    /// `dialed_at` is set.
    pub dialed: bool,
    pub corrected: bool,
    pub ungranted: u8,
    /// The current token's start was answered with a session.
    pub start_answered: bool,
    /// Tokens made so far.
    pub tokens: u8,
    /// How often the callee's phone rang for this attempt.
    pub rang: u8,
}

impl Attempt {
    pub const NEW: Attempt = Attempt {
        stands: Stands::Planned,
        plan: 0,
        since: 0,
        token: 0,
        session: None,
        held: 0,
        dialed: false,
        corrected: false,
        ungranted: 0,
        start_answered: false,
        tokens: 0,
        rang: 0,
    };

    /// Nothing may move it any more.
    pub fn is_final(&self) -> bool {
        match self.stands {
            Stands::Ended(Outcome::Lost) => self.corrected,
            Stands::Ended(_) => true,
            Stands::Planned | Stands::Dialing | Stands::Live => false,
        }
    }

    pub fn is_open(&self) -> bool {
        !matches!(self.stands, Stands::Ended(_))
    }
}

/// A row of `run_contacts`. Whoever is due in future is due now: the world may be as quick as it likes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Contact {
    pub there: bool,
    pub due: bool,
    /// Ticks until `leased_until`.
    pub lease: u8,
    pub disposition: Option<Outcome>,
    pub attempts: [Option<Attempt>; TRIES],
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Run {
    pub life: Life,
    /// Its settings allow shorter calls than they did.
    pub shortened: bool,
}

/// What a session of the provider is at.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Does {
    /// Waits for the answer to its nth try since so many ticks.
    Asks {
        nth: u8,
        waited: u8,
    },
    /// The phone rings or somebody talks, since so many ticks.
    Calls {
        age: u8,
    },
    Over {
        outcome: Option<Outcome>,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Session {
    pub attempt: u8,
    pub token: u8,
    pub does: Does,
}

/// What a process of ours is in the middle of. A frozen one takes no step while ticks pass; a dead one is idle.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum Work {
    Idle,
    /// A job whose slot was read, and is so late by now.
    Took {
        attempt: u8,
        plan: u8,
        late: u8,
    },
    /// The claim is committed, nothing was sent.
    Sends {
        attempt: u8,
        token: u8,
        late: u8,
    },
    /// `StartScenarios` is on its way.
    Waits {
        attempt: u8,
        token: u8,
    },
    /// Nobody can have been rung: back to planned.
    Defers {
        attempt: u8,
        token: u8,
    },
    /// History's word was read.
    Settles {
        attempt: u8,
        session: u8,
        outcome: Outcome,
    },
    /// The list of silent calls was read.
    GivesUp {
        attempt: u8,
        session: u8,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum What {
    /// By the grant's own token, or by the event token of a grant that came too late.
    NotDialled {
        by_grant: bool,
    },
    Finished(Outcome),
    OptOut,
}

/// On the network: any may come late, in any order, or never.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum Message {
    Start {
        attempt: u8,
        token: u8,
    },
    Ask {
        session: u8,
        nth: u8,
    },
    /// `age`: ticks between the grant and this answer.
    Yes {
        session: u8,
        nth: u8,
        age: u8,
    },
    No {
        session: u8,
        nth: u8,
    },
    Told {
        session: u8,
        what: What,
    },
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Now {
    pub runs: [Run; 2],
    pub account_paused: bool,
    pub window_open: bool,
    pub suppressed: [bool; 2],
    pub budget: u8,
    pub contacts: [Contact; 2],
    pub sessions: Vec<Session>,
    pub nodes: Vec<Work>,
    pub net: Vec<Message>,
    pub toggles: u8,
    pub claims: u8,
    pub broken: u16,
}

impl Now {
    pub fn attempt(&self, id: u8) -> Option<&Attempt> {
        self.contacts[id as usize / TRIES].attempts[id as usize % TRIES].as_ref()
    }

    pub fn attempt_mut(&mut self, id: u8) -> Option<&mut Attempt> {
        self.contacts[id as usize / TRIES].attempts[id as usize % TRIES].as_mut()
    }

    /// The attempts that there are, with their ids.
    pub fn attempts(&self) -> impl Iterator<Item = (u8, &Attempt)> {
        let ids = (0..(self.contacts.len() * TRIES) as u8).filter(|id| self.attempt(*id).is_some());
        ids.filter_map(|id| Some((id, self.attempt(id)?)))
    }

    pub fn breaks(&mut self, law: Law) {
        self.broken |= 1 << law as u16;
    }

    pub fn has_broken(&self, law: Law) -> bool {
        self.broken & (1 << law as u16) != 0
    }

    pub fn send(&mut self, message: Message) {
        if let Err(at) = self.net.binary_search(&message) {
            self.net.insert(at, message);
        }
    }

    /// Time cannot pass: a session's own timer is due.
    pub fn is_urgent(&self) -> bool {
        self.sessions.iter().any(|s| match s.does {
            Does::Asks { waited, .. } => waited >= 1,
            Does::Calls { age } => age >= CALL,
            Does::Over { .. } => false,
        })
    }

    pub fn tick(&mut self) {
        for contact in &mut self.contacts {
            contact.lease = contact.lease.saturating_sub(1);
            for attempt in contact.attempts.iter_mut().flatten() {
                match attempt.stands {
                    Stands::Dialing => attempt.since = (attempt.since + 1).min(DEADLINE + 1),
                    Stands::Live => {
                        attempt.since = (attempt.since + 1).min(HOLD);
                        attempt.held = attempt.held.saturating_sub(1);
                    }
                    Stands::Planned | Stands::Ended(_) => {}
                }
            }
        }
        for session in &mut self.sessions {
            match &mut session.does {
                Does::Asks { waited, .. } => *waited += 1,
                Does::Calls { age } => *age += 1,
                Does::Over { .. } => {}
            }
        }
        for work in &mut self.nodes {
            if let Work::Took { late, .. } | Work::Sends { late, .. } = work {
                *late = 1;
            }
        }
    }

    pub fn calls(&self) -> impl Iterator<Item = (u8, &Session)> {
        let calls = |(id, s): (usize, _)| matches!(Session::does(s), Does::Calls { .. }).then_some((id as u8, s));
        self.sessions.iter().enumerate().filter_map(calls)
    }
}

impl Session {
    fn does(&self) -> Does {
        self.does
    }
}
