//! Histories at random: two runs of one campaign, every call made through the store and remembered.

use crate::common::Bench;
use crate::common::calls::{Calls, LEASE_MS};
use crate::common::calls::{NOON, contact, heard, mode, new_campaign, phone, token};
use halo::domain::clearance::Gate;
use halo::domain::settings::Take;
use halo::domain::state::Event;
use halo::domain::{AttemptId, CampaignId, Outcome, SessionId, Timestamp};
use halo::store::{Call, ContactChange, DialogueTurn, HistoryRow, Made, MediaStream, RunState, Turn};
use std::collections::BTreeMap;

/// Numbers that depend on the seed alone (xorshift64*).
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }
    pub fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % n
    }
    pub fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}

pub fn history_row(attempt: AttemptId, session: SessionId, calls: i64, cost_micros: Option<i64>) -> HistoryRow {
    HistoryRow {
        session,
        attempt,
        calls,
        body: "{}".into(),
        fetched_at: NOON,
        finish_reason: Some("Normal termination".into()),
        session_s: Some(41),
        talk_s: Some(32),
        code: Some(200),
        reason: None,
        cost_micros,
        costs: cost_micros.map(|cost| format!("{{\"call\":{cost}}}")),
        log_url: None,
        records: Vec::new(),
    }
}

impl Remembered {
    /// History is what is billed: its word on the call stands above the session's own, and every other session
    /// of the attempt counts too.
    pub fn cost(&self) -> i64 {
        let told = self.call.as_ref().and_then(|call| call.cost_micros);
        self.billed.or(told).unwrap_or(0) + self.billed_twin.unwrap_or(0) + self.models
    }

    /// Somebody told a cost, and where a model speaks, what that one cost.
    pub fn tells_cost(&self) -> bool {
        let told = self.call.as_ref().and_then(|call| call.cost_micros);
        let speaks = self.outcome == Some(Outcome::Answered) && self.mode.starts_with("realtime");
        let known = told.or(self.billed).or(self.billed_twin).is_some() || self.spoken || self.replied;
        known && (self.spoken || !speaks)
    }
}

#[derive(Clone, Debug)]
pub struct Remembered {
    pub night: i64,
    pub try_number: i64,
    pub contact: usize,
    pub mode: String,
    pub own_mode: bool,
    pub outcome: Option<Outcome>,
    pub dialed_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    pub call: Option<Call>,
    pub turns: Vec<Turn>,
    pub history: Option<i64>,
    /// What history says the call's session cost, and another session of the attempt.
    pub billed: Option<i64>,
    pub billed_twin: Option<i64>,
    /// What models counted that replied in it, or spoke.
    pub models: i64,
    /// A model that spoke told it, or one that replied.
    pub spoken: bool,
    pub replied: bool,
}

pub struct History {
    pub campaign: CampaignId,
    pub account: i64,
    /// Contacts of each night, by index.
    pub nights: BTreeMap<i64, Vec<usize>>,
    pub own_mode: Vec<bool>,
    pub modes: Vec<String>,
    pub suppressed: BTreeMap<usize, Timestamp>,
    pub attempts: BTreeMap<AttemptId, Remembered>,
}

/// How many counts of whom a run took are not what its rows say.
pub const TAKEN_AMISS: &str = "with taken as \
    (select rc.run_id, rc.mode, count(*) as n from run_contacts rc join contacts c on c.contact_id = rc.contact_id \
     where c.own_mode = 0 group by rc.run_id, rc.mode) \
    select (select count(*) from taken t left join contact_counts k on k.run_id = t.run_id and k.mode = t.mode \
            where k.assigned is null or k.assigned <> t.n) \
         + (select count(*) from contact_counts k left join taken t on k.run_id = t.run_id and k.mode = t.mode \
            where k.assigned > 0 and t.n is null)";

const CONTACTS: usize = 40;
const OUTCOMES: &[Outcome] = &[
    Outcome::Answered,
    Outcome::Answered,
    Outcome::Answered,
    Outcome::Machine,
    Outcome::Busy,
    Outcome::NoAnswer,
    Outcome::ScenarioError,
    Outcome::NoFunds,
    Outcome::NetworkError,
];

pub async fn history(bench: &Bench, seed: u64) -> History {
    let mut dice = Dice::new(seed);
    let mut contacts: Vec<_> = (0..CONTACTS).map(contact).collect();
    for contact in &mut contacts {
        contact.own_mode = dice.one_in(6);
        if contact.own_mode && dice.one_in(2) {
            contact.mode = mode("greeting");
        }
    }
    let (own_mode, modes) = contacts.iter().map(|c| (c.own_mode, c.mode.as_str().to_owned())).unzip();
    let new = new_campaign(&bench.store, "history", contacts, Vec::new());
    let campaign = new.campaign.campaign;
    bench.store.create_campaign(new).await.unwrap();
    let mut told = History {
        campaign,
        account: bench.account().await,
        nights: BTreeMap::new(),
        own_mode,
        modes,
        suppressed: BTreeMap::new(),
        attempts: BTreeMap::new(),
    };
    for (night, take) in [(1, Take::All), (2, Take::Unreached)] {
        let begins = NOON.plus_ms(night * 24 * 3_600_000);
        let (run, _) = bench.store.start_run(campaign, told.account, take, begins).await.unwrap();
        let calls = Calls { store: bench.store.clone(), bench, campaign, account: told.account, run };
        let wanted = |n: usize| take == Take::All || told.unreached(n);
        let taken: Vec<usize> = (0..CONTACTS).filter(|n| wanted(*n)).collect();
        told.nights.insert(night, taken);
        told.night(&calls, night, begins, &mut dice).await;
        // What is left is left: a stopped run has cancelled attempts and calls nobody heard the end of.
        let at = begins.plus_ms(20_000_000);
        bench.store.set_run_state(run, RunState::Stopped, None, at).await.unwrap();
        for attempt in told.attempts.values_mut().filter(|a| a.night == night) {
            if attempt.ended_at.is_none() && attempt.dialed_at.is_none() {
                (attempt.outcome, attempt.ended_at) = (Some(Outcome::Cancelled), Some(at));
            }
        }
    }
    told
}

impl History {
    fn unreached(&self, contact: usize) -> bool {
        let talks = |a: &Remembered| a.dialed_at.is_some() && a.outcome.is_none();
        let reached = |a: &Remembered| a.outcome == Some(Outcome::Answered) || talks(a);
        let mut attempts = self.attempts.values().filter(|a| a.contact == contact);
        !self.suppressed.contains_key(&contact) && !attempts.any(reached)
    }

    async fn night(&mut self, calls: &Calls<'_>, night: i64, begins: Timestamp, dice: &mut Dice) {
        for round in 0..3 {
            let now = begins.plus_ms(round * LEASE_MS * 100);
            for planned in calls.plan(now).await {
                let attempt = planned.attempt;
                let row = calls.store.attempt(attempt).await.unwrap().unwrap();
                let contact = (0..CONTACTS).find(|n| phone(*n) == row.to).unwrap();
                self.attempts.entry(attempt).or_insert_with(|| Remembered {
                    night,
                    try_number: row.try_number,
                    contact,
                    mode: self.modes[contact].clone(),
                    own_mode: self.own_mode[contact],
                    outcome: None,
                    dialed_at: None,
                    ended_at: None,
                    call: None,
                    turns: Vec::new(),
                    history: None,
                    billed: None,
                    billed_twin: None,
                    models: 0,
                    spoken: false,
                    replied: false,
                });
                if dice.one_in(15) {
                    continue; // its nudge never came
                }
                let token = token(dice.below(u64::MAX));
                assert!(calls.claim(planned, token, now).await);
                match dice.below(12) {
                    0 => continue, // no session ever asked
                    1 => {
                        let waits = ContactChange::Waits { due_at: now, gate: Gate::Unanswered };
                        let of = Event::Deferred { of: token, until: now };
                        assert!(calls.step(attempt, of, waits, now).await);
                        continue;
                    }
                    _ => {}
                }
                // One of its own for each round: two attempts with one session would be one row of history.
                let session = SessionId(attempt.0 ^ ((round + 1) << 44));
                assert!(calls.grant(attempt, token, session.0, now).await);
                self.attempts.get_mut(&attempt).unwrap().dialed_at = Some(now);
                if !dice.one_in(12) {
                    self.end(calls, attempt, session, now.plus_ms(dice.below(200_000) as i64), dice).await;
                }
            }
        }
    }

    async fn end(&mut self, calls: &Calls<'_>, attempt: AttemptId, by: SessionId, at: Timestamp, dice: &mut Dice) {
        if dice.one_in(4) {
            self.models_cost(calls, attempt, at, dice).await;
        }
        let outcome = OUTCOMES[dice.below(OUTCOMES.len() as u64) as usize];
        let row = self.attempts.get_mut(&attempt).unwrap();
        (row.outcome, row.ended_at) = (Some(outcome), Some(at));
        if dice.one_in(6) {
            // History's word, or nothing at all.
            assert!(calls.finish(attempt, by, outcome, at).await);
        } else {
            let (call, turns) = (told_call(dice, by, outcome), told_turns(dice, outcome));
            (row.call, row.turns) = (Some(call.clone()), turns.clone());
            calls.report(attempt, heard(by, 1, "Disconnected"), outcome, call, turns, at).await;
        }
        if dice.one_in(4) {
            self.models_cost(calls, attempt, at.plus_ms(1), dice).await;
        }
        let row = self.attempts.get_mut(&attempt).unwrap();
        if dice.one_in(3) {
            let dialled = i64::from(outcome != Outcome::ScenarioError);
            row.history = Some(dialled);
            let billed = maybe(dice, 1_000);
            row.billed = billed;
            let mut rows = vec![history_row(attempt, by, dialled, billed)];
            if dice.one_in(2) {
                // Another session of the same start: it called nobody, and cost something all the same.
                let twin = dice.below(50) as i64;
                row.billed_twin = Some(twin);
                rows.push(history_row(attempt, SessionId(by.0 + (1 << 40)), 0, Some(twin)));
            }
            calls.store.put_history(rows).await.unwrap();
        }
        let contact = row.contact;
        if dice.one_in(8) && !self.suppressed.contains_key(&contact) {
            // During the call, within the minute after it, or long after.
            let when = at.plus_ms([-1, 59_000, 120_000][dice.below(3) as usize]);
            self.suppressed.insert(contact, when);
            calls.store.suppress(phone(contact), "asked", when).await.unwrap();
        } else if dice.one_in(2) && outcome != Outcome::Answered {
            // Another try: the contact's rest is taken back, as a retry rule would have it.
            let waits = ContactChange::Waits { due_at: at, gate: Gate::RetryDelay };
            let back =
                move |_: &halo::store::Held| (halo::store::Change { contact: Some(waits), ..Default::default() }, ());
            calls.decide(attempt, at, back).await;
        }
    }

    /// A model that spoke, or one that replied: before the call's end, or after it.
    async fn models_cost(&mut self, calls: &Calls<'_>, attempt: AttemptId, at: Timestamp, dice: &mut Dice) {
        let cost = dice.below(500) as i64;
        let spoken = dice.one_in(2);
        if spoken {
            let stream = MediaStream {
                attempt_id: attempt.0,
                opened_at: at.0,
                lasted_ms: 1,
                model: "a model".into(),
                encoding: "platform".into(),
                ended_by: "call".into(),
                reason: String::new(),
                tally: "{}".into(),
                tools: "[]".into(),
                cost_micros: Some(cost),
            };
            // Told twice, kept once.
            calls.store.put_media_stream(stream.clone()).await.unwrap();
            calls.store.put_media_stream(stream).await.unwrap();
        } else {
            let made = Made { replier: "a model".into(), cost_micros: Some(cost), ..Made::default() };
            let (text, reply, record) = (String::new(), "{}".to_owned(), "{}".to_owned());
            let turn = DialogueTurn { attempt, turn: at.0 % 1000, text, reply, record, at, made };
            if calls.store.put_dialogue(turn).await.unwrap().is_some() {
                return;
            }
        }
        let it = self.attempts.get_mut(&attempt).unwrap();
        it.models += cost;
        (it.spoken, it.replied) = (it.spoken || spoken, it.replied || !spoken);
    }
}

fn maybe(dice: &mut Dice, below: u64) -> Option<i64> {
    // Small numbers, so that the same millisecond comes more than once.
    (!dice.one_in(4)).then(|| dice.below(below) as i64)
}

fn told_call(dice: &mut Dice, by: SessionId, outcome: Outcome) -> Call {
    Call {
        session: by.0,
        source: if dice.one_in(5) { "history" } else { "event" },
        hung_up_by: Some(if dice.one_in(2) { "callee" } else { "agent" }.into()),
        goal: (!dice.one_in(3)).then(|| dice.one_in(2)),
        fault: dice.one_in(7).then(|| "model".into()),
        machine: outcome == Outcome::Machine,
        answer_ms: maybe(dice, 20),
        ring_ms: maybe(dice, 20),
        first_audio_ms: maybe(dice, 4_000),
        talk_ms: maybe(dice, 20_000),
        cost_micros: maybe(dice, 1_000),
        ..Call::default()
    }
}

fn told_turns(dice: &mut Dice, outcome: Outcome) -> Vec<Turn> {
    if outcome != Outcome::Answered && !dice.one_in(5) {
        return Vec::new();
    }
    (0..dice.below(5))
        .map(|n| Turn {
            turn: n as i64 + 1,
            // Below zero: the callee was interrupted, and that is no wait.
            turn_ms: maybe(dice, 30).map(|ms| ms - 5),
            method: ["vad", "event_corrected", "event"][dice.below(3) as usize].into(),
            asr_ms: maybe(dice, 9),
            reply_ms: maybe(dice, 9),
            tts_ms: maybe(dice, 9),
            filler: dice.one_in(6),
            interrupted: dice.one_in(5),
            content_ms: maybe(dice, 40),
            ..Turn::default()
        })
        .collect()
}
