//! The platform's state: account, applications, rules, scenarios, secrets, sessions, ledgers. In
//! memory only; a simulator that stops has forgotten everything.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use crate::simulator::Settings;
use crate::simulator::api::{Owned, ServiceAccount};
use crate::simulator::callee::Behaviour;
use crate::simulator::clock::{SECOND, wall_ms};
use crate::simulator::draw::Dice;
use crate::simulator::latency::LatencyModels;
use crate::simulator::ledger::Ledger;
use crate::simulator::lists::{BALANCE_MIN, Lists, Report, Turn, said};
use crate::simulator::mischief::{Kind, Mischief};
use crate::simulator::options::{LongCustomData, NoMoney};
use crate::simulator::session::bytecode::{Bytecode, CompileError, compile};
use crate::simulator::session::inbound::RingIn;
use crate::simulator::session::record::SessionRecord;
use crate::simulator::session::{INBOX_MAX, Inbound, Plan};
use crate::simulator::storage::{Item, Storage, TTL_DEFAULT_S};
use crate::simulator::wire::Wire;

/// Session ids of one simulator. They exceed 32 bits, as on the platform, and begin where the wall clock
/// stands: a restarted simulator must not hand out the ids of sessions that somebody still asks about.
fn first_session_id() -> u64 {
    wall_ms().unsigned_abs().saturating_mul(1_000)
}

/// How often call lists are looked at, in real time.
const LISTS_EVERY: Duration = Duration::from_millis(50);
const SESSIONS_KEPT_MAX: usize = 200_000;

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
    /// Logs and recordings are shown to whoever presents a token, and to nobody else.
    pub secure_record_storage: bool,
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
    /// 0 until somebody says whose account this is.
    pub account_id: u64,
    /// How the account was first called, where that was not by its number.
    account_alias: Option<String>,
    account_email: Option<String>,
    pub api_key: Option<String>,
    pub applications: Vec<Application>,
    pub scenarios: Vec<Scenario>,
    pub rules: Vec<Rule>,
    pub secrets: Vec<Secret>,
    pub numbers: Vec<PhoneNumber>,
    pub storage: Storage,
    pub lists: Lists,
    /// In the account's currency.
    pub balance: f64,
    pub owned: Owned,
    pub sessions: BTreeMap<u64, Arc<SessionRecord>>,
    pub callees: BTreeMap<String, Behaviour>,
    live: BTreeMap<u64, mpsc::Sender<Inbound>>,
    times_called: BTreeMap<String, u32>,
}

/// Where the simulator itself is found, as `http://127.0.0.1:9100`.
pub struct Origins {
    pub plain: String,
    /// With TLS.
    pub secure: Option<String>,
}

pub struct Platform {
    /// Where scenarios run: not where requests are taken in, whose moments would be late.
    sessions_on: Handle,
    pub seed: u64,
    pub speed: f64,
    pub mischief: Mischief,
    pub latency: LatencyModels,
    pub long_custom_data: LongCustomData,
    pub strict_rule_id: bool,
    no_money: NoMoney,
    pub service_account: Option<ServiceAccount>,
    pub client: Wire,
    pub in_flight: AtomicUsize,
    origins: Origins,
    ids: AtomicU64,
    first_session_id: u64,
    sessions_made: AtomicU64,
    pub starts_seen: AtomicU64,
    pub requests_seen: AtomicU64,
    state: Mutex<State>,
    ledger: Mutex<Ledger>,
}

impl Platform {
    pub fn new(settings: Settings, client: Wire, origins: Origins, sessions_on: Handle) -> Self {
        let Settings { seed, speed, mischief, latency, account, service_account, .. } = settings;
        let numbers =
            vec![PhoneNumber { phone_id: 501, number: "74951234567".to_owned(), application_id: None, rule_id: None }];
        let mut state = State { numbers, balance: settings.balance, ..State::default() };
        if let Some(service) = &service_account {
            state.account_id = service.account_id;
            state.account_email.clone_from(&service.account_email);
        }
        if let Some((name, key)) = account {
            state.meet(&name);
            state.api_key = Some(key);
        }
        Self {
            sessions_on,
            seed,
            speed,
            mischief,
            latency,
            long_custom_data: settings.long_custom_data,
            strict_rule_id: settings.strict_rule_id,
            no_money: settings.no_money,
            service_account,
            client,
            in_flight: AtomicUsize::new(0),
            origins,
            ids: AtomicU64::new(1_000),
            first_session_id: first_session_id(),
            sessions_made: AtomicU64::new(0),
            starts_seen: AtomicU64::new(0),
            requests_seen: AtomicU64::new(0),
            state: Mutex::new(state),
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
        &self.origins.plain
    }

    pub fn account_id(&self) -> u64 {
        self.state().account_id
    }

    pub fn next_id(&self) -> u64 {
        self.ids.fetch_add(1, Ordering::Relaxed)
    }

    pub fn access_url(&self, record: &SessionRecord) -> String {
        format!("{}/request/{}/{}", self.origins.plain, record.session_id, record.token)
    }

    /// The same by https, where that door is open.
    pub fn access_secure_url(&self, record: &SessionRecord) -> String {
        let origin = self.origins.secure.as_ref().unwrap_or(&self.origins.plain);
        format!("{origin}/request/{}/{}", record.session_id, record.token)
    }

    pub fn secret(&self, application_id: u64, name: &str) -> Option<String> {
        let state = self.state();
        let secret = state.secrets.iter().find(|held| held.application_id == application_id && held.name == name)?;
        Some(secret.value.clone())
    }

    /// A scenario keeps something; `ttl_s` as it said, thirty days where it said nothing.
    pub fn store_item(&self, application_id: u64, key: &str, value: &str, ttl_s: Option<u64>) {
        let now_s = wall_ms().div_euclid(1000);
        let expires_s = now_s.saturating_add_unsigned(ttl_s.unwrap_or(TTL_DEFAULT_S));
        self.state().storage.put(application_id, key, Item { value: value.to_owned(), expires_s }, now_s);
    }

    pub fn remove_item(&self, application_id: u64, key: &str) {
        self.state().storage.remove(application_id, key);
    }

    pub fn item(&self, application_id: u64, key: &str) -> Option<String> {
        let now_s = wall_ms().div_euclid(1000);
        self.state().storage.get(application_id, key, now_s).map(|item| item.value.clone())
    }

    /// Whether calls must fail for want of money.
    pub fn refuses_calls(&self) -> bool {
        self.no_money == NoMoney::FailCall && self.state().balance <= 0.0
    }

    /// Whether starts must.
    pub fn refuses_starts(&self) -> bool {
        self.no_money == NoMoney::RefuseStart && self.state().balance <= 0.0
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
        self.open_session(rule_id, custom_data, ordinal, ring, None)
    }

    /// Call lists go on for as long as the simulator runs: whose turn it is gets a session.
    pub async fn work_lists(self: Arc<Self>) {
        loop {
            tokio::time::sleep(LISTS_EVERY).await;
            let turns = {
                let mut state = self.state();
                if state.balance >= BALANCE_MIN { state.lists.due(wall_ms()) } else { Vec::new() }
            };
            for turn in turns {
                let ordinal = self.starts_seen.fetch_add(1, Ordering::Relaxed);
                if self.open_session(turn.rule_id, &turn.custom_data, ordinal, None, Some(&turn)).is_none() {
                    self.state().lists.began(&turn, None, wall_ms());
                }
            }
        }
    }

    /// A scenario speaks of its task; false when no call list started it.
    pub fn report_task(&self, session_id: u64, kind: &str, told: &Value) -> bool {
        let lists = &mut self.state().lists;
        match kind {
            "result" => lists.report(session_id, Report::Done(said(told))),
            "error" => lists.report(session_id, Report::Failed(said(told))),
            "next" => lists.report(session_id, Report::Next(told.clone())),
            _ => lists.progress(session_id, said(told)),
        }
    }

    fn open_session(
        self: &Arc<Self>,
        rule_id: u64,
        custom_data: &str,
        ordinal: u64,
        ring: Option<RingIn>,
        turn: Option<&Turn>,
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
        // Before it runs: it may be over in no time.
        if let Some(turn) = turn {
            state.lists.began(turn, Some(record.session_id), record.started_ms);
        }
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
        self.sessions_on.spawn(crate::simulator::session::run(plan));
        Some(record)
    }

    pub fn session_over(&self, session_id: u64) {
        let mut state = self.state();
        state.live.remove(&session_id);
        state.lists.over(session_id, wall_ms(), self.speed);
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
    pub fn start_answer_delay(&self, ordinal: u64) -> Duration {
        let drawn = self.latency.start_answer_ms.draw(&Dice::of_start(self.seed, ordinal), "start answer", 0);
        self.real(drawn as f64 / SECOND as f64)
    }

    /// Mischief's delay of an answer, in real time: some seconds, as a platform in trouble takes.
    pub fn slow_answer_delay(&self, dice: &Dice) -> Duration {
        self.real(2.0 + 8.0 * dice.unit("slow answer of", 0))
    }

    fn real(&self, virtual_s: f64) -> Duration {
        Duration::from_secs_f64(virtual_s / self.speed)
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

    pub fn account_email(&self) -> String {
        self.account_email.clone().unwrap_or_else(|| format!("{}@example.com", self.account_name()))
    }

    /// Whoever comes first says whose account this is.
    pub fn meet(&mut self, named: &str) {
        if self.account_id == 0 {
            self.account_id = named.parse().ok().filter(|id| *id > 0).unwrap_or(1);
            self.account_alias = Some(named.to_owned());
        }
    }

    /// Whether this account goes by that id, name or address.
    pub fn is_called(&self, named: &str) -> bool {
        self.account_alias.as_deref() == Some(named)
            || [self.account_id.to_string(), self.account_name(), self.account_email()].contains(&named.to_owned())
    }
}
