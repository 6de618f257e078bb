//! The dialer's own claim and grant upon the tables, with a clock moved by hand and a provider that
//! nobody answers for: its port is closed.

use crate::both_engines;
use crate::common::Bench;
use crate::common::calls::{Calls, NOON, contact, new_campaign};
use axum::Router;
use axum::routing::post;
use halo::clock::Clock;
use halo::dialer::{Dialer, Grant, GrantRequest, LEAD_MS, Platform, Pricing, ReadRules};
use halo::domain::clearance::Gate;
use halo::domain::money::Models;
use halo::domain::settings::Take;
use halo::domain::state::Event;
use halo::domain::{AttemptId, Mode, Outcome, SessionId, Token};
use halo::store::{By, ContactChange, NewContact, Planned, RunState, Store};
use halo::voximplant::{Client, Connection, Credentials, Modes, Pacer};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

both_engines! {
    a_nudge_that_comes_often_starts_once
    a_nudge_that_comes_late_starts_nothing
    a_grant_is_given_once_and_repeated_to_its_session
    a_closed_gate_gives_no_grant
    a_provider_that_asks_for_a_pause_gets_one
    a_campaign_that_cannot_be_read_keeps_nobody_else_waiting
    a_start_leaves_in_its_slot_whatever_the_rule_s_lookup_takes
}

/// A port that was free a moment ago, and on which nobody listens.
fn closed() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    format!("http://{}/platform_api", listener.local_addr().expect("it is bound"))
}

pub fn dialer(calls: &Calls<'_>, clock: &Clock) -> Arc<Dialer> {
    dialer_at(closed(), &calls.store, calls.account, clock, PLAIN)
}

/// A run of these contacts.
pub async fn campaign_of(bench: &Bench, contacts: Vec<NewContact>) -> Calls<'_> {
    let new = new_campaign(&bench.store, "demo", contacts, Vec::new());
    let campaign = new.campaign.campaign;
    bench.store.create_campaign(new).await.expect("a campaign");
    let account = bench.account().await;
    let (run, _) = bench.store.start_run(campaign, account, Take::All, NOON).await.expect("a run");
    Calls { store: bench.store.clone(), bench, campaign, account, run }
}

/// A node whose campaigns all have these settings.
pub fn dialer_of(store: &Store, account: i64, clock: &Clock, settings: &str) -> Arc<Dialer> {
    dialer_at(closed(), store, account, clock, settings)
}

/// Stored settings that no version of this program understands.
const UNREADABLE: &str = "unreadable";
const PLAIN: &str = "name = \"demo\"\npurpose = \"test\"";

fn dialer_at(url: String, store: &Store, account: i64, clock: &Clock, settings: &str) -> Arc<Dialer> {
    let names = modes().iter().map(|entry| entry.name.clone()).collect();
    let settings = halo::intake::settings::parse(settings, &names).expect("settings");
    let rules = move |stored: &str| match stored {
        UNREADABLE => Err("a mode that is gone".to_owned()),
        _ => Ok((settings.clone(), Vec::new())),
    };
    dialer_by(url, store, account, clock, Arc::new(rules))
}

/// A node that reads the settings as they are stored.
pub fn dialer_reading(store: &Store, account: i64, clock: &Clock, rules: ReadRules) -> Arc<Dialer> {
    dialer_by(closed(), store, account, clock, rules)
}

fn modes() -> Modes {
    Modes::read(include_str!("../../voximplant/modes.toml"), &|_| None).expect("our own modes")
}

fn dialer_by(url: String, store: &Store, account: i64, clock: &Clock, rules: ReadRules) -> Arc<Dialer> {
    rustls::crypto::ring::default_provider().install_default().ok();
    let connection = Connection {
        url,
        account: "1".into(),
        credentials: Credentials::Key("no-secret".to_owned().into()),
        application: Some(1),
        application_name: "halo".into(),
        backend_url: "http://127.0.0.1:1".into(),
        modes: modes(),
    };
    let wall = Arc::new({
        let clock = clock.clone();
        move || clock.wall()
    });
    let pricing = Pricing {
        prices: halo::intake::prices::shipped(),
        models: Models { realtime: "gpt-realtime".into(), replier: None },
    };
    let dialer = Dialer::new(
        store.clone(),
        clock.clone(),
        Arc::new(Client::new(connection, wall).expect("a client")),
        Arc::new(Pacer::new(None)),
        Platform { name: "simulator/1".into(), real: false },
        account,
        "node".into(),
        rules,
    );
    Arc::new(dialer.priced(pricing))
}

/// The guard: the claim's compare-and-set. Twenty nudges for one slot, from two processes.
async fn a_nudge_that_comes_often_starts_once(bench: Bench) {
    let calls = bench.run_of(1).await;
    let clock = Clock::manual(NOON);
    let (one, other) = (dialer(&calls, &clock), Calls { store: bench.another().await, bench: &bench, ..calls });
    let two = dialer(&other, &clock);
    let attempt = one.plan().await.unwrap()[0].attempt;
    clock.advance_ms(LEAD_MS);
    let nudges = (0..20).map(|n| if n % 2 == 0 { one.dial(attempt) } else { two.dial(attempt) });
    futures::future::join_all(nudges).await;
    assert_eq!(bench.number("select count(*) from starts").await, 1);
    // Nobody took the start: nobody was rung, nothing is counted, and it is tried again later.
    let held = one.store.attempt(attempt).await.unwrap().unwrap();
    assert_eq!((held.state.name(), held.try_number, held.dialed_at), ("planned", 1, None));
    clock.advance_ms(3_600_000);
    assert_eq!(one.plan().await.unwrap()[0].attempt, attempt);
    clock.advance_ms(LEAD_MS);
    one.dial(attempt).await;
    assert_eq!(bench.number("select count(*) from starts").await, 2);
}

/// The guards: the claim looks at the lease, at the run and at the account.
async fn a_nudge_that_comes_late_starts_nothing(bench: Bench) {
    let calls = bench.run_of(1).await;
    let clock = Clock::manual(NOON);
    let dialer = dialer(&calls, &clock);
    let attempt = dialer.plan().await.unwrap()[0].attempt;
    clock.advance_ms(60_000);
    dialer.dial(attempt).await;
    assert_eq!(bench.number("select count(*) from starts").await, 0, "its lease has run out");
    assert_eq!(dialer.plan().await.unwrap()[0].attempt, attempt, "and it gets a new slot");
    clock.advance_ms(LEAD_MS);
    calls.store.set_run_state(calls.run, RunState::Paused, None, NOON).await.unwrap();
    dialer.dial(attempt).await;
    calls.store.set_run_state(calls.run, RunState::Running, None, NOON).await.unwrap();
    calls.store.pause_all(calls.account, true, By::halo("all of it"), NOON).await.unwrap();
    dialer.dial(attempt).await;
    assert_eq!(bench.number("select count(*) from starts").await, 0, "run and account were paused");
    calls.store.pause_all(calls.account, false, By::default(), NOON).await.unwrap();
    dialer.dial(attempt).await;
    assert_eq!(bench.number("select count(*) from starts").await, 1);
    dialer.dial(AttemptId(5)).await;
}

/// Knows every rule and takes no start: "retry after 40 s". Counts how often it was asked to.
async fn asks_for_a_pause() -> (String, Arc<AtomicUsize>) {
    let starts = Arc::new(AtomicUsize::new(0));
    let seen = starts.clone();
    let rules = || async {
        let rules = ["voice_dialog_rule"].map(|name| json!({ "rule_id": 5, "rule_name": name, "scenarios": [{}] }));
        json!({ "result": rules }).to_string()
    };
    let refuses = move || {
        seen.fetch_add(1, Ordering::SeqCst);
        async { json!({ "error": { "code": 416, "msg": "Retry after 40 s" } }).to_string() }
    };
    let router =
        Router::new().route("/platform_api/GetRules", post(rules)).route("/platform_api/StartScenarios", post(refuses));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}/platform_api", listener.local_addr().expect("it is bound"));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, starts)
}

/// The guards: the provider's own words about how long, and that nobody else knocks meanwhile.
async fn a_provider_that_asks_for_a_pause_gets_one(bench: Bench) {
    let calls = bench.run_of(2).await;
    let clock = Clock::manual(NOON);
    let (url, starts) = asks_for_a_pause().await;
    let dialer = dialer_at(url, &calls.store, calls.account, &clock, PLAIN);
    let planned = dialer.plan().await.unwrap();
    assert_eq!(planned.len(), 2);
    clock.advance_ms(LEAD_MS);
    dialer.dial(planned[0].attempt).await;
    assert_eq!(starts.load(Ordering::SeqCst), 1);
    let until = clock.now().plus_ms(40_000).0;
    assert_eq!(bench.number("select max(due_at) from run_contacts").await, until);
    // The second has a slot of its own a moment later; the provider is not asked.
    clock.advance_ms((planned[1].slot_us - clock.now_us() + 999) / 1000);
    dialer.dial(planned[1].attempt).await;
    assert_eq!(starts.load(Ordering::SeqCst), 1);
    assert_eq!(
        bench.number("select count(*) from run_contacts where due_at = (select max(due_at) from run_contacts)").await,
        2
    );
    assert_eq!(bench.number("select max(due_at) from run_contacts").await, until);
    // Then it is asked again.
    clock.advance_ms(41_000);
    let again = dialer.plan().await.unwrap();
    clock.advance_ms((again[0].slot_us - clock.now_us()).max(0) / 1000 + 1);
    dialer.dial(again[0].attempt).await;
    assert_eq!(starts.load(Ordering::SeqCst), 2);
}

/// The guard: what cannot be settled is logged and passed over, or every other silent call stays live for ever.
async fn a_campaign_that_cannot_be_read_keeps_nobody_else_waiting(bench: Bench) {
    let calls = bench.run_of(0).await;
    let mut attempts = Vec::new();
    for (name, settings, n) in [("broken", UNREADABLE, 1), ("sound", "{}", 2)] {
        let mut new = new_campaign(&calls.store, name, vec![contact(n)], Vec::new());
        new.campaign.settings = settings.into();
        let campaign = new.campaign.campaign;
        calls.store.create_campaign(new).await.unwrap();
        calls.store.start_run(campaign, calls.account, Take::All, NOON).await.unwrap();
        attempts.extend(calls.all_live(100 * n as i64, NOON).await);
    }
    // Longer than any call lasts, and longer than an unreadable history is waited for.
    let clock = Clock::manual(NOON.plus_ms(8 * 3_600_000));
    let dialer = dialer(&calls, &clock);
    dialer.reconcile().await.unwrap();
    let mut states = Vec::new();
    for (attempt, _) in &attempts {
        states.push(calls.store.attempt(*attempt).await.unwrap().unwrap().state.name());
    }
    assert_eq!(states, ["live", "ended"]);
}

/// A provider that has lost its rules for a moment, and then takes a second to find one: each look-up moves the clock.
async fn forgets(clock: &Clock) -> (String, Arc<AtomicUsize>) {
    let (looks, starts) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (clock, count) = (clock.clone(), starts.clone());
    let rules = move || {
        let answer = match looks.fetch_add(1, Ordering::SeqCst) {
            0 => json!({ "error": { "code": 1, "msg": "Internal error" } }),
            _ => {
                clock.advance_ms(1_000);
                json!({ "result": [{ "rule_id": 5, "rule_name": "voice_dialog_rule", "scenarios": [{}] }] })
            }
        };
        async move { answer.to_string() }
    };
    let start = move || {
        count.fetch_add(1, Ordering::SeqCst);
        async { json!({ "result": 1, "call_session_history_id": 7 }).to_string() }
    };
    let router =
        Router::new().route("/platform_api/GetRules", post(rules)).route("/platform_api/StartScenarios", post(start));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}/platform_api", listener.local_addr().expect("it is bound"));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, starts)
}

/// The guard: the rule is looked up once, before the slot (`Client::way`). Looked up again by the start itself, after
/// the clock was read, it would make the start leave a second late.
async fn a_start_leaves_in_its_slot_whatever_the_rule_s_lookup_takes(bench: Bench) {
    let calls = campaign_of(&bench, vec![NewContact { mode: Mode::dialog(), ..contact(0) }]).await;
    let clock = Clock::manual(NOON);
    let (url, starts) = forgets(&clock).await;
    let dialer = dialer_at(url, &calls.store, calls.account, &clock, PLAIN);
    let gates = async |gate: &str| {
        bench.number(&format!("select count(*) from run_contacts where gate = '{gate}' and due_at is not null")).await
    };
    let next = async || {
        clock.advance_ms(60_000);
        let attempt = dialer.plan().await.unwrap()[0].attempt;
        clock.advance_ms(LEAD_MS);
        dialer.dial(attempt).await;
        starts.load(Ordering::SeqCst)
    };
    assert_eq!((next().await, gates("provider").await), (0, 1), "no rule, no start");
    assert_eq!((next().await, gates("pace").await), (0, 1), "the look-up took longer than the slot lasts");
    assert_eq!(next().await, 1, "it is known by now");
}

/// A claimed attempt, and the token its session would show.
async fn claimed(calls: &Calls<'_>, n: u8, ago_ms: i64) -> (Planned, Token) {
    let secret = Token::from_random([n; 16]);
    let planned = calls.plan(NOON).await[0];
    assert!(calls.claim(planned, secret.hash(), NOON.plus_ms(-ago_ms)).await);
    (planned, secret)
}

fn asks(planned: Planned, token: &Token, session: i64) -> GrantRequest {
    let (attempt, session) = (planned.attempt, SessionId(session));
    GrantRequest { attempt, token: token.clone(), session, told: "fingerprint".into() }
}

async fn a_grant_is_given_once_and_repeated_to_its_session(bench: Bench) {
    let calls = bench.run_of(1).await;
    let clock = Clock::manual(NOON);
    let dialer = dialer(&calls, &clock);
    let (planned, secret) = claimed(&calls, 1, 0).await;
    let other = Token::from_random([2; 16]);
    assert!(matches!(dialer.grant(asks(planned, &other, 100)).await.unwrap(), Grant::Gone));
    assert!(matches!(dialer.grant(asks(planned, &secret, 100)).await.unwrap(), Grant::Go(_)));
    clock.advance_ms(700);
    let Grant::Go(again) = dialer.grant(asks(planned, &secret, 100)).await.unwrap() else { panic!("not repeated") };
    assert_eq!(again.granted_ms_ago, 700);
    assert!(matches!(dialer.grant(asks(planned, &secret, 101)).await.unwrap(), Grant::Taken));
    let nobody = Planned { attempt: AttemptId(5), slot_us: 0 };
    assert!(matches!(dialer.grant(asks(nobody, &secret, 100)).await.unwrap(), Grant::Unknown));
}

fn waits() -> ContactChange {
    ContactChange::Waits { due_at: NOON, gate: Gate::Provider }
}

async fn a_closed_gate_gives_no_grant(bench: Bench) {
    let calls = bench.run_of(1).await;
    let dialer = dialer(&calls, &Clock::manual(NOON));
    let held = async |planned: Planned| calls.store.attempt(planned.attempt).await.unwrap().unwrap();
    let (planned, secret) = claimed(&calls, 1, 0).await;
    calls.store.set_run_state(calls.run, RunState::Paused, None, NOON).await.unwrap();
    assert!(matches!(dialer.grant(asks(planned, &secret, 100)).await.unwrap(), Grant::Gone));
    assert_eq!((held(planned).await.state.name(), held(planned).await.token), ("planned", None), "nobody was rung");
    calls.store.set_run_state(calls.run, RunState::Running, None, NOON).await.unwrap();

    // A claim whose session asks a moment too late, and one that asks in time.
    let (planned, secret) = claimed(&calls, 2, 75_001).await;
    assert!(matches!(dialer.grant(asks(planned, &secret, 100)).await.unwrap(), Grant::Gone));
    let of = secret.hash();
    assert!(calls.step(planned.attempt, Event::Deferred { of, until: NOON }, waits(), NOON).await);
    let (planned, secret) = claimed(&calls, 3, 75_000).await;
    assert!(matches!(dialer.grant(asks(planned, &secret, 100)).await.unwrap(), Grant::Go(_)));
    let by = SessionId(100);
    assert!(calls.step(planned.attempt, Event::NotDialled { by, until: NOON }, waits(), NOON).await);

    // Suppression ends it, in the transaction that refuses the grant.
    let (planned, secret) = claimed(&calls, 4, 0).await;
    calls.store.suppress(held(planned).await.to, "asked", NOON).await.unwrap();
    assert!(matches!(dialer.grant(asks(planned, &secret, 101)).await.unwrap(), Grant::Gone));
    let held = held(planned).await;
    assert_eq!((held.state.name(), held.disposition), ("ended", Some(Outcome::Suppressed)));
}
