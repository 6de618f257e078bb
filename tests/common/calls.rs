//! Calls made by hand: the acts of the store with the domain's own machine, and no dialer, clock or
//! provider in between.

use super::Bench;
use halo::domain::callers::CallerUses;
use halo::domain::clearance::Gate;
use halo::domain::settings::Take;
use halo::domain::slot::next_slot_us;
use halo::domain::state::{Event, State, Step};
use halo::domain::{
    AttemptId, BatchId, CampaignId, Mode, Outcome, PhoneNumber, RunId, ScheduleId, SessionId, Timestamp, Token,
    TokenHash,
};
use halo::store::{
    Account, AttemptChange, Call, Campaign, Change, ContactChange, Decide, Decided, Heard, Held, Leased, Listed,
    NewCampaign, NewContact, NewSchedule, OpenRun, Placement, PlanOrder, Planned, Planner, Reject, RunState, Store,
    Turn,
};
use std::sync::Arc;

/// 10:00 UTC on a Wednesday, noon and more in Moscow, in whose neighbourhood every test lives.
pub const NOON: Timestamp = Timestamp(1_795_600_800_000);
pub const LEASE_MS: i64 = 5_000;
pub const HELD_MS: i64 = 100_000;

pub fn phone(n: usize) -> PhoneNumber {
    format!("+7999000{n:04}").parse().expect("example numbers are E.164")
}

pub fn mode(name: &str) -> Mode {
    name.parse().expect("a mode's name")
}

/// Row `n` of a list, dialled in the order of its lines.
pub fn contact(n: usize) -> NewContact {
    NewContact {
        line: n as i64 + 2,
        number: phone(n),
        mode: mode(["dialog", "realtime", "realtime_pure"][n % 3]),
        own_mode: false,
        dial_order: n as i64,
        name: None,
        timezone: None,
        external_id: None,
        variables: "{}".into(),
        raw_phone: phone(n).as_str().to_owned(),
        alternates: Vec::new(),
        consent_kind: None,
        consent_at: None,
        consent_source: None,
        wishes: Default::default(),
    }
}

pub fn new_campaign(store: &Store, name: &str, contacts: Vec<NewContact>, rejects: Vec<Reject>) -> NewCampaign {
    NewCampaign {
        campaign: Campaign {
            campaign: CampaignId(store.ids.one(NOON.0)),
            name: name.into(),
            settings: "{}".into(),
            script: String::new(),
            salt: "salt".into(),
            created_at: NOON,
        },
        batch: BatchId(store.ids.one(NOON.0)),
        source: "contacts.csv".into(),
        content_hash: "hash".into(),
        key: None,
        list: Listed::of(contacts, rejects, Vec::new()),
        schedule: None,
        ids: store.ids.clone(),
    }
}

/// Gives slots by a pace and a number of lines, to everybody whose turn it is.
pub struct Pace {
    pub now: Timestamp,
    pub cps: Option<f64>,
    pub lines: i64,
    /// Placed so instead of getting a slot.
    pub instead: fn(&Leased) -> Option<Placement>,
}

impl Planner for Pace {
    fn want(&self, account: &Account, lines_held: i64, run: &OpenRun) -> usize {
        let free = account.lines_max.map_or(self.lines, |max| self.lines.min(max - lines_held));
        free.min(self.lines - run.lines_held).max(0) as usize
    }

    fn place(&self, account: &mut Account, run: &mut OpenRun, callers: &mut CallerUses, contact: &Leased) -> Placement {
        if let Some(placement) = (self.instead)(contact) {
            return placement;
        }
        let slot_us = next_slot_us(account.last_slot_us.max(run.last_slot_us), self.now, self.cps);
        account.last_slot_us = slot_us;
        run.last_slot_us = slot_us;
        let caller_id = contact.caller_id.clone().unwrap_or_else(|| phone(9000 + callers.len() % 3));
        callers.entry(caller_id.as_str().to_owned()).or_default().last_slot_us = slot_us;
        let leased_until = Timestamp(slot_us / 1000).plus_ms(LEASE_MS);
        Placement::Slot { slot_us, caller_id: Some(caller_id), leased_until }
    }
}

impl Bench {
    pub async fn account(&self) -> i64 {
        self.store.ensure_account("simulator/1", None, None, NOON).await.expect("an account")
    }

    /// A campaign of `contacts` rows and a run of all of them.
    pub async fn run_of(&self, contacts: usize) -> Calls<'_> {
        let new = new_campaign(&self.store, "demo", (0..contacts).map(contact).collect(), Vec::new());
        let campaign = new.campaign.campaign;
        self.store.create_campaign(new).await.expect("a campaign");
        let account = self.account().await;
        let (run, taken) = self.store.start_run(campaign, account, Take::All, NOON).await.expect("a run");
        assert_eq!(taken, contacts as u64);
        Calls { store: self.store.clone(), bench: self, campaign, account, run }
    }
}

pub fn schedule(store: &Store, next_at: Timestamp) -> NewSchedule {
    NewSchedule {
        schedule: ScheduleId(store.ids.one(NOON.0)),
        cron: "0 2 * * *".into(),
        timezone: "Europe/Moscow".into(),
        take: "all".into(),
        overlap: "skip".into(),
        next_at: Some(next_at),
    }
}

/// One run, its calls made by hand.
pub struct Calls<'a> {
    pub bench: &'a Bench,
    pub store: Store,
    pub campaign: CampaignId,
    pub account: i64,
    pub run: RunId,
}

pub fn token(n: u64) -> TokenHash {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&n.to_be_bytes());
    Token::from_random(bytes).hash()
}

/// The attempt in its new state; everything else as it was.
pub fn change_of(held: &Held, state: State) -> AttemptChange {
    let over = matches!(state, State::Ended { .. } | State::Lost { .. });
    let mut change = AttemptChange {
        state,
        token: held.token.filter(|_| over),
        session: held.session.filter(|_| over),
        dialed_at: held.dialed_at.filter(|_| over),
        held_until: held.held_until.filter(|_| over),
        evidence: over.then_some("event"),
        corrected_at: None,
        ungranted: held.ungranted,
        told: held.told.clone(),
    };
    match state {
        State::Dialing { token, .. } => change.token = Some(token),
        State::Live { token, session, dialed_at } => {
            change.token = Some(token);
            change.session = Some(session);
            change.dialed_at = Some(dialed_at);
            change.held_until = Some(dialed_at.plus_ms(HELD_MS));
        }
        State::Planned { .. } | State::Lost { .. } | State::Ended { .. } => {}
    }
    if matches!((held.state, state), (State::Lost { .. }, State::Ended { ended_at, .. }) if ended_at.0 > 0) {
        change.corrected_at = held.dialed_at.map(|at| at.plus_ms(1));
    }
    change
}

/// A step of the machine and what becomes of the contact, or nothing when the machine does not move.
pub fn moved(held: &Held, event: &Event, contact: ContactChange, now: Timestamp) -> Option<Change> {
    let Step::Moved(to) = held.state.step(event, now) else { return None };
    Some(Change { attempt: Some(change_of(held, to)), contact: Some(contact), ..Change::default() })
}

impl Calls<'_> {
    pub fn order(&self, pace: Pace) -> PlanOrder {
        PlanOrder {
            account: self.account,
            now: pace.now,
            lease_until: pace.now.plus_ms(LEASE_MS),
            ids: self.store.ids.clone(),
            planner: Arc::new(pace),
        }
    }

    pub async fn plan_with(&self, pace: Pace) -> Vec<Planned> {
        self.store.plan(self.order(pace)).await.expect("a plan")
    }

    /// Everybody whose turn it is, without a limit of pace.
    pub async fn plan(&self, now: Timestamp) -> Vec<Planned> {
        self.plan_with(Pace { now, cps: None, lines: 1000, instead: |_| None }).await
    }

    pub async fn decide<A: Send + 'static>(
        &self,
        attempt: AttemptId,
        now: Timestamp,
        decision: impl Fn(&Held) -> (Change, A) + Send + Sync + 'static,
    ) -> A {
        let order = Decide { attempt, now, start: None, heard: None, decision: Arc::new(decision) };
        match self.store.decide(order).await.expect("a decision") {
            Decided::Done(answer) => answer,
            Decided::Unknown | Decided::Again => panic!("the attempt exists, and no event was handed in"),
        }
    }

    /// An event of the machine; true when it moved.
    pub async fn step(&self, attempt: AttemptId, event: Event, contact: ContactChange, now: Timestamp) -> bool {
        self.decide(attempt, now, move |held| match moved(held, &event, contact, now) {
            Some(change) => (change, true),
            None => (Change::default(), false),
        })
        .await
    }

    /// planned → dialing, when the slot and the lease are still what the planner gave.
    pub async fn claim(&self, planned: Planned, token: TokenHash, now: Timestamp) -> bool {
        let decision = move |held: &Held| {
            let theirs = held.slot_us != planned.slot_us || held.leased_until <= now;
            let closed = held.run_state != RunState::Running || held.account_paused;
            match moved(held, &Event::Claimed { token }, ContactChange::Busy, now) {
                Some(change) if !theirs && !closed => (change, true),
                _ => (Change::default(), false),
            }
        };
        let order =
            Decide { attempt: planned.attempt, now, start: Some(token), heard: None, decision: Arc::new(decision) };
        matches!(self.store.decide(order).await.expect("a decision"), Decided::Done(true))
    }

    /// dialing → live, unless another live call holds the number.
    pub async fn grant(&self, attempt: AttemptId, of: TokenHash, session: i64, now: Timestamp) -> bool {
        let event = Event::Granted { of, session: SessionId(session) };
        self.decide(attempt, now, move |held| {
            match moved(held, &event, ContactChange::Busy, now).filter(|_| held.number_held_until.is_none()) {
                Some(change) => (change, true),
                None => (Change::default(), false),
            }
        })
        .await
    }

    /// Plans everybody and brings them to live; the sessions are `from`, `from + 1` …
    pub async fn all_live(&self, from: i64, now: Timestamp) -> Vec<(AttemptId, SessionId)> {
        let mut live = Vec::new();
        for (n, planned) in self.plan(now).await.into_iter().enumerate() {
            let session = from + n as i64;
            let token = token(session as u64);
            assert!(self.claim(planned, token, now).await, "a fresh plan can be claimed");
            assert!(self.grant(planned.attempt, token, session, now).await, "a fresh claim is granted");
            live.push((planned.attempt, SessionId(session)));
        }
        live
    }

    pub async fn finish(&self, attempt: AttemptId, by: SessionId, outcome: Outcome, now: Timestamp) -> bool {
        self.step(attempt, Event::Finished { by, outcome }, ContactChange::Rests(outcome), now).await
    }

    /// A final report: the call, its turns, and the end.
    pub async fn report(
        &self,
        attempt: AttemptId,
        heard: Heard,
        outcome: Outcome,
        call: Call,
        turns: Vec<Turn>,
        now: Timestamp,
    ) -> Decided<()> {
        let event = Event::Finished { by: heard.session, outcome };
        let decision = move |held: &Held| {
            let mut change = moved(held, &event, ContactChange::Rests(outcome), now).unwrap_or_default();
            change.call = Some(call.clone());
            change.turns = turns.clone();
            (change, ())
        };
        let order = Decide { attempt, now, start: None, heard: Some(heard), decision: Arc::new(decision) };
        self.store.decide(order).await.expect("a decision")
    }

    pub async fn retry_in(&self, attempt: AttemptId, by: SessionId, outcome: Outcome, now: Timestamp, ms: i64) -> bool {
        let waits = ContactChange::Waits { due_at: now.plus_ms(ms), gate: Gate::RetryDelay };
        self.step(attempt, Event::Finished { by, outcome }, waits, now).await
    }
}

pub fn heard(session: SessionId, seq: i64, event: &str) -> Heard {
    Heard { session, seq, event: event.into(), at_ms: Some(seq * 100), body: "{}".into() }
}
