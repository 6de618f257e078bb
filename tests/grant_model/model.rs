//! The transitions: everything that may happen next, in any order.

use super::rows::Books;
use super::state::{Contact, Does, Life, Message, Now, Run, Session, Stands, What, Work};
use super::world::{CALL, LAWS, Law, RULE, TRIES, World};
use halo::domain::Outcome;
use stateright::{Model, Property};

/// How a call may end, as its session tells it: one ending that rests, one that is retried.
const ENDINGS: [Outcome; 2] = [Outcome::Answered, Outcome::Busy];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Tick,
    Plan(usize),
    Complete(usize),
    /// A worker has a job for an attempt: claims at once, or, where jobs may be stale, only reads the slot.
    Take(usize, u8),
    Step(usize),
    Crash(usize),
    /// A start reaches the provider; its answer reaches us, or not.
    Accept {
        at: usize,
        answered: bool,
        again: bool,
    },
    Refuse(usize),
    Deliver(usize),
    /// Delivered, and another copy is still on its way.
    DeliverCopy(usize),
    TimeOut(u8),
    CallEnds(u8, Outcome),
    CalleeOptsOut(u8),
    Sweep(u8),
    GiveUp(u8),
    ReadHistory(u8),
    Pause(usize),
    Resume(usize),
    PauseAll,
    ResumeAll,
    CloseWindow,
    OpenWindow,
    OptOut(usize),
    Stop(usize),
    Shorten(usize),
    Append,
    AddToBudget,
}

/// What a world must be able to show, so that its laws are not kept by nothing ever happening.
pub type Sight = (&'static str, fn(&Grants, &Now) -> bool);

pub struct Grants {
    pub books: Books,
    /// A path is followed until it breaks one of these.
    laws: Vec<Law>,
    sights: Vec<Sight>,
}

impl Grants {
    pub fn of(world: World, laws: &[Law], sights: &[Sight]) -> Self {
        Grants { books: Books::new(world), laws: laws.to_vec(), sights: sights.to_vec() }
    }

    fn world(&self) -> &World {
        &self.books.world
    }

    pub fn beginning(&self) -> Now {
        let world = self.world();
        let contact = |at: u8| {
            let there = at < world.contacts && !(at == 1 && world.appending);
            Contact { there, due: there, lease: 0, disposition: None, attempts: [None; TRIES] }
        };
        Now {
            runs: [Run { life: Life::Running, shortened: false }; 2],
            account_paused: false,
            window_open: true,
            suppressed: [false; 2],
            budget: world.budget.unwrap_or(u8::MAX),
            contacts: [contact(0), contact(1)],
            sessions: Vec::new(),
            nodes: vec![Work::Idle; world.nodes as usize],
            net: Vec::new(),
            toggles: 0,
            claims: 0,
            broken: 0,
        }
    }

    /// A job for the attempt comes to a node.
    pub fn take(&self, s: &mut Now, node: usize, id: u8) -> bool {
        let Some(attempt) = s.attempt(id).copied() else { return false };
        let late = u8::from(s.contacts[id as usize / TRIES].lease == 0);
        s.nodes[node] = Work::Took { attempt: id, plan: attempt.plan, late };
        self.world().stale || (self.books.step(s, node) && s.nodes[node] != Work::Idle)
    }

    /// The provider starts a session.
    pub fn accept(&self, s: &mut Now, attempt: u8, token: u8, answered: bool) {
        let session = s.sessions.len() as u8;
        s.sessions.push(Session { attempt, token, does: Does::Asks { nth: 0, waited: 0 } });
        s.send(Message::Ask { session, nth: 0 });
        let start_apart = self.world().guards.start_apart;
        if let Some(row) = s.attempt_mut(attempt).filter(|_| answered) {
            row.start_answered |= row.token == token && row.stands == Stands::Dialing;
            if !start_apart {
                row.session = Some(session);
            }
        }
        if answered && let Some(waits) = s.nodes.iter_mut().find(|w| **w == Work::Waits { attempt, token }) {
            *waits = Work::Idle;
        }
    }

    pub fn deliver(&self, s: &mut Now, message: Message) {
        match message {
            Message::Start { attempt, token } => self.accept(s, attempt, token, true),
            Message::Ask { session, nth } => self.books.grant(s, session, nth),
            Message::Yes { session, nth, age } => {
                let Does::Asks { nth: mine, waited } = s.sessions[session as usize].does else { return };
                if mine != nth && self.world().guards.own_try {
                    return;
                }
                if age + waited > RULE && self.world().guards.ten_seconds {
                    self.over(s, session, Some(What::NotDialled { by_grant: false }));
                } else {
                    self.dial(s, session);
                }
            }
            Message::No { session, nth } => {
                let Does::Asks { nth: mine, .. } = s.sessions[session as usize].does else { return };
                if mine == nth {
                    self.over(s, session, None);
                }
            }
            Message::Told { session, what } => self.books.told(s, session, what),
        }
    }

    fn over(&self, s: &mut Now, session: u8, last: Option<What>) {
        s.sessions[session as usize].does = Does::Over { outcome: None };
        if let Some(what) = last {
            s.send(Message::Told { session, what });
        }
    }

    /// `callPSTN`: a phone rings.
    fn dial(&self, s: &mut Now, session: u8) {
        let id = s.sessions[session as usize].attempt;
        s.sessions[session as usize].does = Does::Calls { age: 0 };
        let Some(row) = s.attempt_mut(id) else { return };
        row.rang += 1;
        let (rang, row) = (row.rang, *row);
        if rang > 1 {
            s.breaks(Law::OneCall);
        }
        if row.stands != Stands::Live || row.session != Some(session) || row.since > RULE {
            s.breaks(Law::FreshGrant);
        }
        let rung: u8 = s.attempts().map(|(_, a)| a.rang).sum();
        if rung > s.budget {
            s.breaks(Law::Budget);
        }
    }

    pub fn time_out(&self, s: &mut Now, session: u8) -> bool {
        let Does::Asks { nth, waited } = s.sessions[session as usize].does else { return false };
        if waited == 0 {
            return false;
        }
        if nth + 1 < self.world().asks {
            s.sessions[session as usize].does = Does::Asks { nth: nth + 1, waited: 0 };
            s.send(Message::Ask { session, nth: nth + 1 });
        } else {
            self.over(s, session, Some(What::NotDialled { by_grant: true }));
        }
        true
    }

    pub fn call_ends(&self, s: &mut Now, session: u8, outcome: Outcome) -> bool {
        let Does::Calls { .. } = s.sessions[session as usize].does else { return false };
        s.sessions[session as usize].does = Does::Over { outcome: Some(outcome) };
        s.send(Message::Told { session, what: What::Finished(outcome) });
        true
    }

    /// The provider's history knows how a finished session ended; a session without a call is our fault.
    pub fn history(&self, s: &Now, session: u8) -> Option<(u8, Outcome)> {
        let Session { attempt, does: Does::Over { outcome }, .. } = s.sessions[session as usize] else { return None };
        let row = s.attempt(attempt)?;
        let asked =
            matches!(row.stands, Stands::Live) || (row.stands == Stands::Ended(Outcome::Lost) && !row.corrected);
        asked.then_some((attempt, outcome.unwrap_or(Outcome::ScenarioError)))
    }

    /// At once, or, where what was read may be stale, as work that a process may freeze in.
    fn reconcile(&self, s: &mut Now, work: Work) -> bool {
        if !self.world().stale {
            self.books.carry_out(s, work);
            return true;
        }
        let idle = s.nodes.iter_mut().find(|w| **w == Work::Idle);
        idle.map(|w| *w = work).is_some()
    }

    fn act(&self, s: &mut Now, action: Action) -> bool {
        match action {
            Action::Tick => s.tick(),
            Action::Plan(at) => return self.books.plan(s, at),
            Action::Complete(run) => s.runs[run].life = Life::Completed,
            Action::Take(node, id) => return self.take(s, node, id),
            Action::Step(node) => return self.books.step(s, node),
            Action::Crash(node) => s.nodes[node] = Work::Idle,
            Action::Accept { at, answered, again } => {
                let Message::Start { attempt, token } = s.net[at] else { return false };
                if !again {
                    s.net.remove(at);
                }
                self.accept(s, attempt, token, answered);
            }
            Action::Refuse(at) => {
                let Message::Start { attempt, token } = s.net.remove(at) else { return false };
                if let Some(waits) = s.nodes.iter_mut().find(|w| **w == Work::Waits { attempt, token }) {
                    *waits = Work::Defers { attempt, token };
                }
            }
            Action::Deliver(at) => {
                let message = s.net.remove(at);
                self.deliver(s, message);
            }
            Action::DeliverCopy(at) => self.deliver(s, s.net[at]),
            Action::TimeOut(session) => return self.time_out(s, session),
            Action::CallEnds(session, outcome) => return self.call_ends(s, session, outcome),
            Action::CalleeOptsOut(session) => s.send(Message::Told { session, what: What::OptOut }),
            Action::Sweep(id) => self.books.sweep(s, id),
            Action::GiveUp(id) => {
                let Some(session) = self.books.silent(s, id) else { return false };
                return self.reconcile(s, Work::GivesUp { attempt: id, session });
            }
            Action::ReadHistory(session) => {
                let Some((attempt, outcome)) = self.history(s, session) else { return false };
                return self.reconcile(s, Work::Settles { attempt, session, outcome });
            }
            Action::Pause(run) | Action::Resume(run) => {
                s.toggles += 1;
                s.runs[run].life = if matches!(action, Action::Pause(_)) { Life::Paused } else { Life::Running };
            }
            Action::PauseAll | Action::ResumeAll => {
                s.toggles += 1;
                s.account_paused = action == Action::PauseAll;
            }
            Action::CloseWindow | Action::OpenWindow => {
                s.toggles += 1;
                s.window_open = action == Action::OpenWindow;
            }
            Action::OptOut(number) => s.suppressed[number] = true,
            Action::Stop(run) => self.books.stop(s, run),
            Action::Shorten(run) => s.runs[run].shortened = true,
            Action::Append => {
                if s.runs[0].life.is_over() && self.world().guards.append_locks {
                    return false;
                }
                s.contacts[1].there = true;
                s.contacts[1].due = true;
            }
            Action::AddToBudget => {
                s.toggles += 1;
                s.budget += 1;
            }
        }
        true
    }

    fn operator(&self, s: &Now, actions: &mut Vec<Action>) {
        let world = self.world();
        let runs = if world.contacts == 1 || world.one_run { 1 } else { 2 };
        if s.toggles < world.toggles {
            if world.pausing {
                for run in 0..runs {
                    match s.runs[run].life {
                        Life::Running => actions.push(Action::Pause(run)),
                        Life::Paused => actions.push(Action::Resume(run)),
                        Life::Stopped | Life::Completed => {}
                    }
                }
            }
            if world.pausing_all {
                actions.push(if s.account_paused { Action::ResumeAll } else { Action::PauseAll });
            }
            if world.windows {
                actions.push(if s.window_open { Action::CloseWindow } else { Action::OpenWindow });
            }
            if world.budget.is_some() {
                actions.push(Action::AddToBudget);
            }
        }
        if world.opt_out && !s.suppressed[0] {
            actions.push(Action::OptOut(0));
        }
        for run in 0..runs {
            if world.stopping && !s.runs[run].life.is_over() {
                actions.push(Action::Stop(run));
            }
            if world.shortening && !s.runs[run].shortened {
                actions.push(Action::Shorten(run));
            }
        }
        if world.appending && !s.contacts[1].there {
            actions.push(Action::Append);
        }
    }

    fn network(&self, s: &Now, actions: &mut Vec<Action>) {
        let world = self.world();
        for (at, message) in s.net.iter().enumerate() {
            match message {
                Message::Start { .. } => {
                    if s.sessions.len() < world.sessions_max as usize {
                        for answered in [true, false] {
                            actions.push(Action::Accept { at, answered, again: false });
                        }
                        if world.twins {
                            actions.push(Action::Accept { at, answered: true, again: true });
                        }
                    }
                    if world.refusals {
                        actions.push(Action::Refuse(at));
                    }
                }
                Message::Ask { .. } | Message::Told { .. } if world.doubled => {
                    actions.extend([Action::Deliver(at), Action::DeliverCopy(at)]);
                }
                _ => actions.push(Action::Deliver(at)),
            }
        }
    }
}

impl Model for Grants {
    type State = Now;
    type Action = Action;

    fn init_states(&self) -> Vec<Now> {
        vec![self.beginning()]
    }

    fn actions(&self, s: &Now, actions: &mut Vec<Action>) {
        let world = self.world();
        // What follows from a broken law proves nothing more.
        if self.laws.iter().any(|law| s.has_broken(*law)) {
            return;
        }
        if !s.is_urgent() {
            actions.push(Action::Tick);
        }
        let books = &self.books;
        actions.extend((0..2).filter(|at| books.is_due(s, *at)).map(Action::Plan));
        actions.extend((0..2).filter(|run| books.is_done(s, *run)).map(Action::Complete));
        for (id, attempt) in s.attempts().filter(|(_, a)| !a.is_final()) {
            if books.is_overdue(attempt) {
                actions.push(Action::Sweep(id));
            }
            if books.silent(s, id).is_some() {
                actions.push(Action::GiveUp(id));
            }
            if let Some(idle) = s.nodes.iter().position(|w| *w == Work::Idle) {
                let claimable = attempt.stands == Stands::Planned || !world.guards.claim_compares;
                if s.claims < world.claims_max && claimable {
                    actions.push(Action::Take(idle, id));
                }
            }
        }
        for (session, is) in (0..).zip(&s.sessions) {
            match is.does {
                Does::Asks { waited, .. } if waited > 0 => actions.push(Action::TimeOut(session)),
                Does::Asks { .. } => {}
                Does::Calls { .. } => {
                    actions.extend(ENDINGS.map(|outcome| Action::CallEnds(session, outcome)));
                    if world.callee_opts_out {
                        actions.push(Action::CalleeOptsOut(session));
                    }
                }
                Does::Over { .. } if self.history(s, session).is_some() => actions.push(Action::ReadHistory(session)),
                Does::Over { .. } => {}
            }
        }
        for (node, work) in s.nodes.iter().enumerate() {
            match work {
                Work::Idle => {}
                Work::Waits { .. } => actions.push(Action::Crash(node)),
                _ => actions.extend([Action::Step(node), Action::Crash(node)]),
            }
        }
        self.network(s, actions);
        self.operator(s, actions);
    }

    fn next_state(&self, was: &Now, action: Action) -> Option<Now> {
        let mut s = was.clone();
        if !self.act(&mut s, action) {
            return None;
        }
        self.tidy(&mut s);
        self.watch(&mut s);
        (s != *was).then_some(s)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let laws = LAWS.iter().zip(CONDITIONS).filter(|((law, _), _)| self.laws.contains(law));
        let laws = laws.map(|((_, name), holds)| Property::always(name, holds));
        let sights = self.sights.iter().map(|(name, seen)| Property::sometimes(name, *seen));
        laws.chain(sights).collect()
    }
}

fn holds<const LAW: u16>(_: &Grants, s: &Now) -> bool {
    s.broken & (1 << LAW) == 0
}

/// A condition is a plain function; one for each law.
const CONDITIONS: [fn(&Grants, &Now) -> bool; LAWS.len()] = [
    holds::<0>,
    holds::<1>,
    holds::<2>,
    holds::<3>,
    holds::<4>,
    holds::<5>,
    holds::<6>,
    holds::<7>,
    holds::<8>,
    holds::<9>,
    holds::<10>,
    holds::<11>,
    holds::<12>,
    holds::<13>,
    holds::<14>,
    holds::<15>,
];

const _: () = assert!(CALL >= 1 && RULE >= 1, "a call takes time");
