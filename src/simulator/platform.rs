//! The platform's state: account, applications, rules, scenarios, secrets, sessions, ledgers. In
//! memory only; a simulator that stops has forgotten everything.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use serde_json::json;
use tokio::sync::mpsc;

use crate::simulator::callee::Behaviour;
use crate::simulator::clock::{SECOND, wall_ms};
use crate::simulator::draw::Dice;
use crate::simulator::latency::LatencyModels;
use crate::simulator::ledger::Ledger;
use crate::simulator::mischief::{Kind, Mischief};
use crate::simulator::session::bytecode::{Bytecode, CompileError, compile};
use crate::simulator::session::inbound::RingIn;
use crate::simulator::session::record::SessionRecord;
use crate::simulator::session::{INBOX_MAX, Inbound, Plan};

/// Session ids of one simulator. They exceed 32 bits, as on the platform, and begin where the wall clock
/// stands: a restarted simulator must not hand out the ids of sessions that somebody still asks about.
fn first_session_id() -> u64 {
    wall_ms().unsigned_abs().saturating_mul(1_000)
}

const SESSIONS_KEPT_MAX: usize = 200_000;
const STORED_ITEMS_MAX: usize = 10_000;

/// A scenario's text at one moment; sessions that run keep the text they began with.
#[derive(Clone)]
pub struct Script {
    pub name: String,
    pub text: Arc<str>,
    code: Arc<OnceLock<Result<Bytecode, CompileError>>>,
}

impl Script {
    pub fn new(name: &str, text: &str) -> Self {
        Self { name: name.to_owned(), text: Arc::from(text), code: Arc::default() }
    }

    pub fn code(&self) -> &Result<Bytecode, CompileError> {
        self.code.get_or_init(|| compile(&self.text, &self.name))
    }
}

pub struct Application {
    pub application_id: u64,
    /// As the account wrote it, without the account's suffix.
    pub name: String,
    pub modified_ms: i64,
}

pub struct Scenario {
    pub scenario_id: u64,
    pub application_id: Option<u64>,
    pub script: Script,
    pub modified_ms: i64,
}

pub struct Rule {
    pub rule_id: u64,
    pub application_id: u64,
    pub name: String,
    pub pattern: String,
    pub pattern_exclude: Option<String>,
    pub scenarios: Vec<u64>,
    pub modified_ms: i64,
}

pub struct Secret {
    pub secret_id: u64,
    pub application_id: u64,
    pub name: String,
    pub value: String,
    pub description: Option<String>,
    pub modified_ms: i64,
}

pub struct PhoneNumber {
    pub phone_id: u64,
    pub number: String,
    pub application_id: Option<u64>,
    pub rule_id: Option<u64>,
}

#[derive(Default)]
pub struct State {
    pub account_id: u64,
    pub keys: BTreeMap<String, String>,
    pub applications: Vec<Application>,
    pub scenarios: Vec<Scenario>,
    pub rules: Vec<Rule>,
    pub secrets: Vec<Secret>,
    pub numbers: Vec<PhoneNumber>,
    pub items: BTreeMap<(u64, String), String>,
    pub sessions: BTreeMap<u64, Arc<SessionRecord>>,
    pub callees: BTreeMap<String, Behaviour>,
    live: BTreeMap<u64, mpsc::Sender<Inbound>>,
    times_called: BTreeMap<String, u32>,
}

pub struct Platform {
    pub seed: u64,
    pub speed: f64,
    pub mischief: Mischief,
    pub latency: LatencyModels,
    pub client: reqwest::Client,
    pub in_flight: AtomicUsize,
    origin: String,
    ids: AtomicU64,
    first_session_id: u64,
    sessions_made: AtomicU64,
    pub starts_seen: AtomicU64,
    state: Mutex<State>,
    ledger: Mutex<Ledger>,
}

impl Platform {
    pub fn new(
        seed: u64,
        speed: f64,
        mischief: Mischief,
        latency: LatencyModels,
        account: Option<(String, String)>,
        client: reqwest::Client,
        origin: String,
    ) -> Self {
        let account_id = account.as_ref().and_then(|(id, _)| id.parse().ok()).unwrap_or(0);
        let numbers =
            vec![PhoneNumber { phone_id: 501, number: "74951234567".to_owned(), application_id: None, rule_id: None }];
        let keys = account.into_iter().collect();
        Self {
            seed,
            speed,
            mischief,
            latency,
            client,
            in_flight: AtomicUsize::new(0),
            origin,
            ids: AtomicU64::new(1_000),
            first_session_id: first_session_id(),
            sessions_made: AtomicU64::new(0),
            starts_seen: AtomicU64::new(0),
            state: Mutex::new(State { account_id, keys, numbers, ..State::default() }),
            ledger: Mutex::default(),
        }
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn origin(&self) -> &str {
        &self.origin
    }

    pub fn account_id(&self) -> u64 {
        self.state().account_id
    }

    pub fn next_id(&self) -> u64 {
        self.ids.fetch_add(1, Ordering::Relaxed)
    }

    pub fn access_url(&self, record: &SessionRecord) -> String {
        format!("{}/request/{}/{}", self.origin, record.session_id, record.token)
    }

    pub fn secret(&self, application_id: u64, name: &str) -> Option<String> {
        let state = self.state();
        let secret = state.secrets.iter().find(|held| held.application_id == application_id && held.name == name)?;
        Some(secret.value.clone())
    }

    pub fn store_item(&self, application_id: u64, key: &str, value: Option<&str>) {
        let mut state = self.state();
        let key = (application_id, key.to_owned());
        match value {
            Some(value) if state.items.len() < STORED_ITEMS_MAX => state.items.insert(key, value.to_owned()),
            Some(_) => None,
            None => state.items.remove(&key),
        };
    }

    pub fn item(&self, application_id: u64, key: &str) -> Option<String> {
        self.state().items.get(&(application_id, key.to_owned())).cloned()
    }

    /// A number is dialled: the ledger's line, and how often that makes it.
    pub fn dialled(&self, record: &SessionRecord, digits: &str, number: &str, at_ms: i64) -> u32 {
        let times = {
            let mut state = self.state();
            let times = state.times_called.entry(digits.to_owned()).or_insert(0);
            *times += 1;
            *times
        };
        self.ledger().dialled(json!({
            "at_ms": at_ms, "session_id": record.session_id, "custom_data": record.custom_data,
            "number": number, "times": times, "rule_name": record.rule_name,
        }));
        times
    }

    pub fn call_opened(&self) {
        self.ledger().call_opened();
    }

    pub fn call_closed(&self) {
        self.ledger().call_closed();
    }

    /// Makes a session of a rule and lets it run.
    pub fn start_session(
        self: &Arc<Self>,
        rule_id: u64,
        custom_data: &str,
        ordinal: u64,
        ring: Option<RingIn>,
    ) -> Option<Arc<SessionRecord>> {
        let nth = self.sessions_made.fetch_add(1, Ordering::Relaxed);
        let dice = match &ring {
            Some(ring) => Dice::of_call(self.seed, &ring.from, 0),
            None => Dice::of_start(self.seed, ordinal),
        };
        let lag_s = match dice.chance(self.mischief.rate(Kind::HistoryLag), "history_lag", nth) {
            true => 10.0 + 50.0 * dice.unit("history_lag of", nth),
            false => 0.0,
        };
        let (outbox, inbox) = mpsc::channel(INBOX_MAX);
        let mut state = self.state();
        let rule = state.rules.iter().find(|rule| rule.rule_id == rule_id)?;
        let scripts: Vec<Script> = rule
            .scenarios
            .iter()
            .filter_map(|id| state.scenarios.iter().find(|scenario| scenario.scenario_id == *id))
            .map(|scenario| scenario.script.clone())
            .collect();
        let application = state.applications.iter().find(|held| held.application_id == rule.application_id)?;
        let record = Arc::new(SessionRecord::new(
            self.first_session_id + nth,
            format!("{:016x}", dice.bits("token", nth)),
            rule.application_id,
            state.full_name(&application.name),
            rule.name.clone(),
            custom_data.to_owned(),
            wall_ms(),
            (lag_s * 1000.0 / self.speed) as i64,
        ));
        state.live.insert(record.session_id, outbox.clone());
        state.sessions.insert(record.session_id, Arc::clone(&record));
        // The oldest that is over makes room.
        if state.sessions.len() > SESSIONS_KEPT_MAX {
            let oldest = state.sessions.iter().find(|(_, held)| held.is_over()).map(|(id, _)| *id);
            oldest.and_then(|id| state.sessions.remove(&id));
        }
        drop(state);
        let stillborn = ring.is_none() && dice.chance(self.mischief.rate(Kind::StartNoGrant), "start_no_grant", nth);
        let platform = Arc::clone(self);
        let plan = Plan { platform, record: Arc::clone(&record), scripts, dice, stillborn, ring, inbox, outbox };
        tokio::spawn(crate::simulator::session::run(plan));
        Some(record)
    }

    pub fn session_over(&self, session_id: u64) {
        self.state().live.remove(&session_id);
    }

    pub fn session(&self, session_id: u64) -> Option<Arc<SessionRecord>> {
        self.state().sessions.get(&session_id).cloned()
    }

    /// The way into a running session, for whoever knows its token.
    pub fn way_in(&self, session_id: u64, token: &str) -> Option<mpsc::Sender<Inbound>> {
        let state = self.state();
        let record = state.sessions.get(&session_id)?;
        if record.token == token { state.live.get(&session_id).cloned() } else { None }
    }

    /// The delay of a start's answer, in real time.
    pub fn start_answer_delay(&self, ordinal: u64) -> std::time::Duration {
        let drawn = self.latency.start_answer_ms.draw(&Dice::of_start(self.seed, ordinal), "start answer", 0);
        std::time::Duration::from_secs_f64(drawn as f64 / SECOND as f64 / self.speed)
    }
}

impl State {
    /// `name.account.voximplant.com`.
    pub fn full_name(&self, name: &str) -> String {
        format!("{name}.{}.voximplant.com", self.account_name())
    }

    pub fn account_name(&self) -> String {
        format!("acc{}", self.account_id)
    }
}
