//! The rows and what is decided about them: a small stand-in for the store around the real functions.
//!
//! `held` is what `load_attempt.sql` reads, `apply` what `apply_attempt.sql` and `apply_contact.sql` write;
//! `tests/store` holds the statements themselves to the same.

use super::state::{Attempt, Life, Now, Stands};
use super::world::{CALL, Guards, Law, TICK_MS, TRIES, World};
use halo::dialer::Rules;
use halo::dialer::decisions::Purse;
use halo::domain::budget::{Budget, Counter, End, settled};
use halo::domain::caps::{Caps, Most, Rang};
use halo::domain::money::Tariff;
use halo::domain::settings::{Alternates, Amd, Delay, Dial, Purpose, Retry, RetryOrder, Settings};
use halo::domain::state::State;
use halo::domain::window::Windows;
use halo::domain::{
    AttemptId, CampaignId, ContactId, Mode, NumberId, Outcome, PhoneNumber, RunContactId, RunId, SessionId, Timestamp,
    Token, TokenHash,
};
use halo::store::{AttemptChange, Change, ContactChange, Held, HeldMoney, RunFacts};
use std::sync::Arc;

/// Wednesday, 13:00 in Moscow: inside the windows.
pub const NOON: Timestamp = Timestamp(1_795_600_800_000);
/// Nine hours later: outside.
const NIGHT: Timestamp = Timestamp(NOON.0 + 9 * 3_600_000);
const TOKENS: usize = 64;
/// Every call costs nearly the most, however it ends: so many calls are paid for, and no more.
const TARIFF: Tariff = Tariff {
    call_minute: 0,
    step_s: 1,
    session_minute: 60,
    talk_minute: 0,
    amd_minute: 0,
    ring_s: 3600,
    call_s: 0,
    model: None,
    replier: None,
};

/// What is the same in every moment.
pub struct Books {
    pub world: World,
    pub rules: Arc<Rules>,
    pub numbers: [PhoneNumber; 2],
    mode: Mode,
    hashes: Vec<TokenHash>,
}

/// On whose behalf a decision is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum From {
    Token(u8),
    Session(u8),
    /// Whoever reads under the lock what it speaks of.
    Sweep,
}

impl Books {
    pub fn new(world: World) -> Self {
        let outcomes: &[Outcome] =
            if world.guards.lost_rests { &[Outcome::Busy] } else { &[Outcome::Busy, Outcome::Lost] };
        let phone = |text: &str| text.parse::<PhoneNumber>().expect("an example number");
        let windows = Windows::parse(&["mon-sun 09:00-20:00"]).expect("windows");
        let settings = Settings {
            name: "model".into(),
            // Tests of example numbers are exempt from windows and caps.
            purpose: if world.windows || world.number_cap.is_some() { Purpose::Service } else { Purpose::Test },
            modes: vec![(Mode::dialog(), 1)],
            region: "RU".into(),
            policy: "safe".into(),
            policy_override: None,
            timezone: chrono_tz::Europe::Moscow,
            dial: Dial {
                cps: 1.0,
                lines: u32::from(u16::MAX),
                caller_ids: Vec::new(),
                ring_s: 5,
                call_s: 5,
                record: false,
                amd: Amd::Off,
            },
            windows: windows.into(),
            retry: Retry {
                attempts_max: u32::from(world.cap) + u32::from(!world.guards.cap),
                delays: outcomes.iter().map(|outcome| (*outcome, vec![Delay::Ms(1000)])).collect(),
                jitter: 0.0,
                order: RetryOrder::Due,
                alternates: Alternates::Rotate,
            },
            schedule: None,
            budget: Default::default(),
            breakers: Default::default(),
            caps: Caps {
                tries: Most { rolling: world.number_cap.map(u32::from), ..Most::default() },
                ..Caps::default()
            },
            gap: Default::default(),
            consent: Default::default(),
            list: Default::default(),
            experiment: Default::default(),
            report: Default::default(),
            pacing: Default::default(),
        };
        let one = phone("+79990000000");
        let hash = |n: usize| Token::from_random([n as u8; 16]).hash();
        Books {
            rules: Arc::new(Rules { settings, policy: Vec::new(), script: String::new() }),
            numbers: [one.clone(), if world.one_number { one } else { phone("+79990000001") }],
            mode: Mode::dialog(),
            hashes: (0..2 * TRIES * TOKENS).map(hash).collect(),
            world,
        }
    }

    pub fn guards(&self) -> &Guards {
        &self.world.guards
    }
    pub fn now(&self, s: &Now) -> Timestamp {
        if s.window_open { NOON } else { NIGHT }
    }
    pub fn number_of(&self, contact: usize) -> usize {
        if self.world.one_number { 0 } else { contact }
    }
    pub fn run_of(&self, contact: usize) -> usize {
        if self.world.one_run { 0 } else { contact }
    }
    pub fn hash(&self, attempt: u8, token: u8) -> TokenHash {
        self.hashes[attempt as usize * TOKENS + token as usize]
    }
    fn token(&self, attempt: u8, hash: &TokenHash) -> u8 {
        let known = &self.hashes[attempt as usize * TOKENS..][..TOKENS];
        known.iter().position(|h| h == hash).expect("a token of this attempt") as u8
    }
    pub fn session(id: u8) -> SessionId {
        SessionId(i64::from(id) + 1)
    }
    /// A slot by the plan that gave it; how late it is, a job counts for itself.
    pub fn slot_us(plan: u8) -> i64 {
        NOON.0 * 1000 + i64::from(plan)
    }

    pub fn ago(&self, s: &Now, ticks: u8) -> Timestamp {
        self.now(s).plus_ms(-TICK_MS * i64::from(ticks))
    }
    pub fn ahead(&self, s: &Now, ticks: u8) -> Timestamp {
        self.now(s).plus_ms(TICK_MS * i64::from(ticks))
    }
    pub fn ticks_since(&self, s: &Now, at: Timestamp) -> u8 {
        (self.now(s).since(at) / TICK_MS) as u8
    }
    pub fn ticks_until(&self, s: &Now, at: Timestamp) -> u8 {
        (at.since(self.now(s)) / TICK_MS).max(0) as u8
    }

    /// Ticks until the call of a live attempt must be over. Without the stored one, today's settings say.
    pub fn held_left(&self, s: &Now, id: u8, attempt: &Attempt) -> u8 {
        let shortened = s.runs[self.run_of(id as usize / TRIES)].shortened;
        if shortened && !self.guards().stored_hold { attempt.held.saturating_sub(CALL + 1) } else { attempt.held }
    }

    pub fn held(&self, s: &Now, id: u8) -> Option<Held> {
        let attempt = s.attempt(id)?;
        let at = id as usize / TRIES;
        let contact = &s.contacts[at];
        let session = attempt.session.map(Books::session);
        let token = (attempt.token > 0).then(|| self.hash(id, attempt.token));
        let state = match attempt.stands {
            Stands::Planned => State::Planned { due_at: self.now(s) },
            Stands::Dialing => State::Dialing { claimed_at: self.ago(s, attempt.since), token: token? },
            Stands::Live => State::Live { dialed_at: self.ago(s, attempt.since), token: token?, session: session? },
            Stands::Ended(outcome) => match (outcome, attempt.corrected, session) {
                (Outcome::Lost, false, Some(session)) => State::Lost { ended_at: self.now(s), session },
                _ => State::Ended { ended_at: self.now(s), outcome },
            },
        };
        let others = || s.attempts().filter(|(other, _)| *other != id);
        let mut ended: Vec<Outcome> = others()
            .filter(|(other, _)| *other as usize / TRIES == at)
            .filter_map(|(_, a)| if let Stands::Ended(outcome) = a.stands { Some(outcome) } else { None })
            .collect();
        if !self.guards().deferral_uncounted {
            ended.extend((1..attempt.tokens).map(|_| Outcome::Busy));
        }
        let number = self.number_of(at);
        let busy = others().filter(|(other, a)| {
            a.stands == Stands::Live && self.number_of(*other as usize / TRIES) == number && self.guards().number_gate
        });
        let run = s.runs[self.run_of(at)];
        Some(Held {
            attempt: AttemptId(i64::from(id)),
            run_contact: RunContactId(at as i64),
            contact: ContactId(at as i64),
            run: RunId(self.run_of(at) as i64),
            run_not_dialled: 0,
            campaign: CampaignId(1),
            number: NumberId(number as i64),
            try_number: (id as usize % TRIES) as i64 + 1,
            mode: self.mode.clone(),
            caller_id: None,
            state,
            slot_us: Books::slot_us(attempt.plan),
            token,
            session,
            dialed_at: attempt.dialed.then(|| self.ago(s, attempt.since)),
            held_until: (attempt.stands == Stands::Live).then(|| self.ahead(s, attempt.held)),
            ungranted: i64::from(attempt.ungranted),
            told: None,
            to: self.numbers[number].clone(),
            suppressed: s.suppressed[number],
            allow_listed: false,
            history: self.history(s, number, Some(id)),
            consented: true,
            term: Default::default(),
            number_held_until: busy.map(|(_, a)| self.ahead(s, a.held)).max(),
            timezone: None,
            name: None,
            variables: String::new(),
            leased_until: self.ahead(s, contact.lease),
            disposition: contact.disposition,
            run_state: run.life.stored(),
            run_kind: "campaign".into(),
            run_ungranted: 0,
            run_prohibited: 0,
            account_paused: s.account_paused,
            platform: "simulator/1".into(),
            ended,
            start_had_session: attempt.start_answered,
            facts: RunFacts::default(),
            money: self.money(s),
            lines: Vec::new(),
        })
    }

    /// `rang_before.sql`: calls to the number, over all campaigns, the attempt that asks apart.
    pub fn history(&self, s: &Now, number: usize, asks: Option<u8>) -> Vec<Rang> {
        let rang = |(id, a): (u8, &Attempt)| {
            let other = Some(id) != asks && self.number_of(id as usize / TRIES) == number;
            let (ended_at, outcome) = match a.stands {
                Stands::Ended(outcome) => (Some(self.now(s)), Some(outcome)),
                Stands::Planned | Stands::Dialing | Stands::Live => (None, None),
            };
            (other && a.dialed).then(|| Rang::of(self.ago(s, a.since), ended_at, outcome)).flatten()
        };
        if self.world.number_cap.is_some() { s.attempts().filter_map(rang).collect() } else { Vec::new() }
    }

    /// What the grant is paid from; `None` where nothing is counted.
    pub fn purse(&self, s: &Now) -> Option<Purse> {
        self.world.budget.map(|_| Purse {
            budget: Budget { run: Some(i64::from(s.budget) * TARIFF.most()), day: None },
            day_at: NOON,
            next_day: Timestamp::NEVER,
            tariff: TARIFF,
            currency: "USD".into(),
        })
    }

    /// The counters as every grant and every end have written them.
    fn money(&self, s: &Now) -> HeldMoney {
        if self.world.budget.is_none() {
            return HeldMoney::default();
        }
        let mut counter = Counter::default();
        for (_, attempt) in s.attempts().filter(|(_, a)| a.dialed) {
            let end = match attempt.stands {
                Stands::Ended(Outcome::Lost) => End::Lost,
                Stands::Ended(outcome) => {
                    End::Told { picked_up: outcome == Outcome::Answered, ring_s: None, talk_s: None, cost: None }
                }
                Stands::Planned | Stands::Dialing | Stands::Live => {
                    counter.reserved += TARIFF.most();
                    continue;
                }
            };
            let (provider, models) = settled(&TARIFF, end);
            counter.spent += provider + models;
        }
        HeldMoney { run: Some(counter), days: [(NOON, counter)].into(), ..HeldMoney::default() }
    }

    /// One decision in one transaction: `None` when there is no such attempt or the index refuses it.
    pub fn decide<A>(&self, s: &mut Now, id: u8, from: From, decision: impl FnOnce(&Held) -> (Change, A)) -> Option<A> {
        let held = self.held(s, id)?;
        let (change, answer) = decision(&held);
        self.apply(s, id, from, &change)?;
        Some(answer)
    }

    fn apply(&self, s: &mut Now, id: u8, from: From, change: &Change) -> Option<()> {
        if let Some(to) = &change.attempt {
            self.judge(s, id, from, to);
            let live = |other: &Attempt| other.stands == Stands::Live;
            let number = self.number_of(id as usize / TRIES);
            let taken = s.attempts().any(|(other, a)| {
                other != id && live(a) && self.number_of(other as usize / TRIES) == number && self.guards().live_index
            });
            if taken && matches!(to.state, State::Live { .. }) {
                return None;
            }
            let written = self.written(s, id, to);
            *s.attempt_mut(id)? = written;
        }
        if let Some(to) = &change.contact {
            let at = id as usize / TRIES;
            let over = s.runs[self.run_of(at)].life.is_over();
            let contact = &mut s.contacts[at];
            (contact.due, contact.disposition) = match to {
                ContactChange::Busy => (false, None),
                ContactChange::Waits { .. } => (true, None),
                ContactChange::Rests(outcome) => (false, Some(*outcome)),
            };
            contact.lease = 0;
            let tries = contact.attempts.iter().flatten().filter(|a| a.rang > 0).count();
            if contact.disposition == Some(Outcome::Busy) && !over && tries != self.world.cap as usize {
                s.breaks(Law::OnlyDialledCounts);
            }
        }
        if change.run_paused.is_some() {
            let run = &mut s.runs[self.run_of(id as usize / TRIES)];
            run.life = if run.life == Life::Running { Life::Paused } else { run.life };
        }
        if change.suppress.is_some() {
            s.suppressed[self.number_of(id as usize / TRIES)] = true;
        }
        Some(())
    }

    fn written(&self, s: &Now, id: u8, to: &AttemptChange) -> Attempt {
        let was = s.attempt(id).copied().unwrap_or(Attempt::NEW);
        let (stands, since) = match to.state {
            State::Planned { .. } => (Stands::Planned, 0),
            State::Dialing { claimed_at, .. } => (Stands::Dialing, self.ticks_since(s, claimed_at)),
            State::Live { dialed_at, .. } => (Stands::Live, self.ticks_since(s, dialed_at)),
            State::Lost { .. } => (Stands::Ended(Outcome::Lost), 0),
            State::Ended { outcome, .. } => (Stands::Ended(outcome), 0),
        };
        let dialing = stands == Stands::Dialing;
        Attempt {
            stands,
            since,
            token: to.token.map_or(0, |hash| self.token(id, &hash)),
            tokens: was.tokens + u8::from(dialing),
            session: to.session.map(|session| (session.0 - 1) as u8),
            held: to.held_until.filter(|_| stands == Stands::Live).map_or(0, |at| self.ticks_until(s, at)),
            dialed: to.dialed_at.is_some(),
            corrected: was.corrected || to.corrected_at.is_some(),
            ungranted: to.ungranted as u8,
            start_answered: false,
            ..was
        }
    }

    /// Did this change undo something that it did not speak of?
    fn judge(&self, s: &mut Now, id: u8, from: From, to: &AttemptChange) {
        let Some(was) = s.attempt(id).copied() else { return };
        let by_token = |token: u8| matches!(from, From::Token(by) if by != token);
        let by_session = |session: Option<u8>| matches!(from, From::Session(by) if Some(by) != session);
        let undone = match was.stands {
            Stands::Planned => false,
            Stands::Dialing => matches!(to.state, State::Dialing { .. }) || by_token(was.token),
            Stands::Live => by_session(was.session) || matches!(to.state, State::Dialing { .. }),
            Stands::Ended(Outcome::Lost) => was.corrected || by_session(was.session),
            Stands::Ended(_) => true,
        };
        if undone {
            s.breaks(Law::NothingUndone);
        }
        if matches!(to.state, State::Live { .. }) && was.stands == Stands::Dialing && self.is_capped(s, id) {
            s.breaks(Law::NumberCap);
        }
        if matches!(to.state, State::Live { .. }) && (self.is_closed(s, id) || self.spent(s) >= s.budget) {
            s.breaks(if self.spent(s) >= s.budget { Law::Budget } else { Law::Gates });
        }
    }

    /// Is any gate closed for this attempt? The model's own view, not the domain's.
    pub fn is_closed(&self, s: &Now, id: u8) -> bool {
        let at = id as usize / TRIES;
        let run = s.runs[self.run_of(at)];
        s.suppressed[self.number_of(at)] || s.account_paused || run.life != Life::Running || !s.window_open
    }

    /// Has the number had its calls, over all campaigns? Counted from the other attempts' grants.
    pub fn is_capped(&self, s: &Now, id: u8) -> bool {
        let number = self.number_of(id as usize / TRIES);
        let counts =
            |(other, a): &(u8, &Attempt)| *other != id && a.dialed && self.number_of(*other as usize / TRIES) == number;
        self.world.number_cap.is_some_and(|cap| s.attempts().filter(counts).count() >= cap as usize)
    }

    /// Calls that the budget has paid for or is about to.
    pub fn spent(&self, s: &Now) -> u8 {
        s.attempts().filter(|(_, a)| a.dialed).count() as u8
    }
}
