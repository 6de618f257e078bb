//! What is looked at after every step: the laws that a moment can break, and what may be forgotten.

use super::model::{Grants, Sight};
use super::state::{Attempt, Contact, Does, Life, Message, Now, Stands, Work};
use super::world::{Law, TRIES};
use halo::domain::Outcome;

/// Rounds after which a world that can come to rest has done so.
const ROUNDS_MAX: usize = 40;

impl Grants {
    pub fn watch(&self, s: &mut Now) {
        let books = &self.books;
        for at in 0..2 {
            if s.contacts[at].there && !self.is_somewhere(s, at) {
                s.breaks(Law::NoRowVanishes);
            }
        }
        let open: Vec<(u8, u8)> = s.calls().map(|(id, call)| (id, call.attempt)).collect();
        for (session, id) in &open {
            let row = s.attempt(*id);
            let held = row.is_some_and(|row| {
                row.stands == Stands::Live && row.session == Some(*session) && books.held_left(s, *id, row) > 0
            });
            if !held {
                s.breaks(Law::Held);
            }
        }
        let by_call = |a: &Attempt| matches!(a.stands, Stands::Ended(Outcome::Answered | Outcome::Busy));
        if s.attempts().any(|(_, a)| by_call(a) && a.rang == 0) {
            s.breaks(Law::OnlyDialledCounts);
        }
        for number in 0..2 {
            let rings = |(_, id): &&(u8, u8)| books.number_of(*id as usize / TRIES) == number;
            if open.iter().filter(rings).count() > 1 {
                s.breaks(Law::OneCallPerNumber);
            }
        }
        if open.len() as i64 > books.world.lines {
            s.breaks(Law::Lines);
        }
        if books.world.calm && s.broken == 0 && !self.comes_to_rest(s) {
            s.breaks(Law::RestAtLast);
        }
    }

    /// At rest with nothing open, or under way with exactly one attempt, or due.
    fn is_somewhere(&self, s: &Now, at: usize) -> bool {
        let contact = s.contacts[at];
        let open: Vec<&Attempt> = contact.attempts.iter().flatten().filter(|a| a.is_open()).collect();
        let busy = open.iter().any(|a| matches!(a.stands, Stands::Dialing | Stands::Live));
        let waits = match contact.disposition {
            Some(_) => return open.is_empty() && !contact.due,
            None if busy => open.len() == 1 && !contact.due,
            None => open.len() <= 1 && contact.due,
        };
        // Whoever waits in a run that is over waits for ever.
        waits && (busy || !s.runs[self.books.run_of(at)].life.is_over())
    }

    /// Forgets what can no longer matter, so that moments which differ by nothing else are one.
    pub fn tidy(&self, s: &mut Now) {
        let gone: Vec<u8> = s.attempts().filter(|(_, a)| a.is_final()).map(|(id, _)| id).collect();
        for id in gone {
            if let Some(row) = s.attempt_mut(id) {
                let (stands, dialed, rang, tokens, corrected) =
                    (row.stands, row.dialed, row.rang, row.tokens, row.corrected);
                *row = Attempt { stands, dialed, rang, tokens, corrected, ..Attempt::NEW };
            }
        }
        let net = std::mem::take(&mut s.net);
        s.net = net.into_iter().filter(|message| self.matters(s, *message)).collect();
        for at in 0..s.sessions.len() {
            let is = s.sessions[at];
            let history = s.attempt(is.attempt).is_some_and(|a| !a.is_final());
            if !history && let Does::Over { .. } = is.does {
                s.sessions[at].does = Does::Over { outcome: None };
                s.sessions[at].token = 0;
            }
        }
        s.nodes.sort_unstable();
    }

    /// Can the message still change anything? What speaks of an attempt that has ended is asked of the real
    /// machine at once: it must move nothing.
    fn matters(&self, s: &Now, message: Message) -> bool {
        let of = |session: u8| {
            let is = s.sessions[session as usize];
            (is, s.attempt(is.attempt).copied())
        };
        match message {
            Message::Start { .. } => s.sessions.len() < self.books.world.sessions_max as usize,
            Message::Ask { session, nth } => {
                let (is, row) = of(session);
                let listens = matches!(is.does, Does::Asks { nth: mine, .. }
                    if mine == nth || !self.books.world.guards.own_try);
                let opens = row.is_some_and(|a| {
                    let token = a.token == is.token || !self.books.world.guards.current_token;
                    a.stands == Stands::Dialing && token
                });
                listens || opens
            }
            Message::Yes { session, nth, .. } | Message::No { session, nth } => {
                let (is, _) = of(session);
                matches!(is.does, Does::Asks { nth: mine, .. } if mine == nth || !self.books.world.guards.own_try)
            }
            Message::Told { session, what } => {
                let (_, row) = of(session);
                let mut after = s.clone();
                row.is_none_or(|a| !a.is_final()) || {
                    self.books.told(&mut after, session, what);
                    after != *s
                }
            }
        }
    }

    /// Trouble ends: whatever was on its way is lost, everybody is resumed. Is every contact at rest at last?
    fn comes_to_rest(&self, s: &Now) -> bool {
        let mut s = s.clone();
        s.net.clear();
        s.nodes.fill(Work::Idle);
        (s.account_paused, s.window_open, s.budget) = (false, true, u8::MAX);
        for run in &mut s.runs {
            run.life = if run.life == Life::Paused { Life::Running } else { run.life };
        }
        (0..ROUNDS_MAX).any(|_| {
            self.round(&mut s);
            s.contacts.iter().all(|c| !c.there || c.disposition.is_some())
        })
    }

    /// Everybody does once what they do all the time, and a tick passes.
    fn round(&self, s: &mut Now) {
        let books = &self.books;
        for session in 0..s.sessions.len() as u8 {
            // A session that hears nothing gives up; its call ends, and nobody is told.
            match s.sessions[session as usize].does {
                Does::Asks { .. } => s.sessions[session as usize].does = Does::Over { outcome: None },
                Does::Calls { .. } => {
                    s.sessions[session as usize].does = Does::Over { outcome: Some(Outcome::Answered) };
                }
                Does::Over { .. } => {}
            }
            if let Some((attempt, outcome)) = self.history(s, session) {
                books.carry_out(s, Work::Settles { attempt, session, outcome });
            }
        }
        let ids: Vec<u8> = s.attempts().map(|(id, _)| id).collect();
        for id in ids {
            if s.attempt(id).is_some_and(|row| books.is_overdue(row)) {
                books.sweep(s, id);
            }
            if let Some(session) = books.silent(s, id) {
                books.carry_out(s, Work::GivesUp { attempt: id, session });
            }
        }
        for at in 0..2 {
            books.plan(s, at);
            let planned = |k: &usize| s.contacts[at].attempts[*k].is_some_and(|a| a.stands == Stands::Planned);
            if let Some(k) = (0..TRIES).find(planned) {
                self.answered(s, (at * TRIES + k) as u8);
            }
        }
        s.tick();
    }

    /// A planned attempt's way when nothing goes wrong.
    fn answered(&self, s: &mut Now, id: u8) {
        let Some(row) = s.attempt(id).copied() else { return };
        let sends = self.books.carry_out(s, Work::Took { attempt: id, plan: row.plan, late: 0 });
        self.books.carry_out(s, sends);
        while let Some(message) = s.net.pop() {
            self.deliver(s, message);
            for session in 0..s.sessions.len() as u8 {
                self.call_ends(s, session, Outcome::Answered);
            }
        }
    }
}

/// What worlds are asked to show, so that their laws are not kept by nothing ever happening.
pub const ANSWERED: Sight = ("a call is answered", |_, s| ended(s, Outcome::Answered, |row| row.rang == 1));
pub const LOST: Sight = ("a call is lost", |_, s| ended(s, Outcome::Lost, |row| row.rang == 1));
pub const CORRECTED: Sight = ("a lost call is corrected", |_, s| ended(s, Outcome::Answered, |row| row.corrected));
pub const RETRIED: Sight = ("a retry rings", |_, s| s.contacts.iter().any(|c| c.attempts[1].is_some_and(rang)));
pub const DEFERRED: Sight = ("a deferred attempt rings", |_, s| s.attempts().any(|(_, a)| a.tokens > 1 && rang(*a)));
pub const GIVEN_UP: Sight =
    ("an attempt ends without a grant", |_, s| ended(s, Outcome::ScenarioError, |row| !row.dialed));
pub const BOTH_CALLED: Sight =
    ("both contacts ring", |_, s| s.contacts.iter().all(|c| c.attempts.iter().flatten().any(|row| rang(*row))));
pub const SUPPRESSED: Sight = ("a busy contact is not tried again, because it opted out", |_, s| {
    let rests = |c: &&Contact| c.disposition == Some(Outcome::Suppressed);
    s.contacts.iter().filter(rests).any(|c| c.attempts.iter().flatten().any(|row| rang(*row)))
});
pub const CANCELLED: Sight =
    ("a contact is cancelled", |_, s| s.contacts.iter().any(|c| c.disposition == Some(Outcome::Cancelled)));

fn ended(s: &Now, outcome: Outcome, so: impl Fn(&Attempt) -> bool) -> bool {
    s.attempts().any(|(_, row)| row.stands == Stands::Ended(outcome) && so(row))
}

fn rang(row: Attempt) -> bool {
    row.rang > 0
}
