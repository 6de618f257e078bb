//! Trouble by name: lost answers, dead sessions, messed-up events, a provider that is down.

use crate::harness::door::Door;
use crate::harness::{self, Place, SPLIT, World, csv, ledger, number, settings, start, take_in, until};
use halo::simulator::{self, Mischief, MischiefKind as Kind};
use halo::store::RunState;
use std::collections::BTreeMap;

fn greeting(name: &str) -> String {
    settings(name, "mode = \"greeting\"")
}

/// The session runs although nobody was told: its grant is the news.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_whose_answer_is_lost_is_one_call() {
    let mischief = Mischief::none().with(Kind::StartReplyLost, 1.0);
    let place = Place::new(World { mischief, ..World::default() }).await;
    let app = place.serve().await;
    let list = csv((0..8).map(|ending| number(0, ending)));
    let (campaign, _) = harness::whole_run(&app, &greeting("lost answers"), &list).await;
    harness::laws_hold(&app, campaign).await;
    assert_eq!(ledger::no_attempt_twice(&place.simulator).await, 8);
    assert_eq!(ledger::starts(&place.simulator).await.len(), 8);
    let found = harness::outcomes(&app, campaign).await;
    assert!(found.values().all(|(_, tries)| tries == &["answered"]), "{found:?}");
    app.stop().await;
}

/// The same, and the answer is lost before the session has come to ask: it is slow to reach us. Without the
/// wait for the grant (`StartError::Unclear` deferring at once) its token is revoked meanwhile, it gets no
/// grant, and the ledger shows more starts than calls.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_whose_answer_is_lost_before_its_grant_is_one_call() {
    let mischief = Mischief::none().with(Kind::StartReplyLost, 1.0);
    // At speed 1 a session tries for three seconds.
    let mut place = Place::new(World { speed: 1.0, mischief, ..World::default() }).await;
    let mut door = place.door_before_service().await;
    let app = place.serve().await;
    door.shut().await;
    let campaign = take_in(&app, &greeting("lost early"), &csv((0..4).map(|nth| number(nth, 90)))).await.campaign;
    let run = start(&app, campaign).await;
    until("every start's answer is known to be lost", || async {
        (harness::proof(&app, campaign).await.proved.calls.starts == 4).then_some(())
    })
    .await;
    let calls = harness::proof(&app, campaign).await.proved.calls;
    assert_eq!((calls.granted, calls.dialing), (0, 4), "nobody has asked yet, and all wait for their grant");
    door.open().await;
    harness::completed(&app, run).await;
    harness::laws_hold(&app, campaign).await;
    assert_eq!(ledger::starts(&place.simulator).await.len(), 4);
    assert_eq!(ledger::no_attempt_twice(&place.simulator).await, 4);
    let found = harness::outcomes(&app, campaign).await;
    assert!(found.values().all(|(_, tries)| tries == &["invalid_number"]), "{found:?}");
    app.stop().await;
}

/// A 5xx may hide a session: the attempt waits for its grant until the deadline, and only then goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_that_reaches_no_session_is_made_again_after_the_deadline() {
    let mischief = Mischief::none().with(Kind::Start5xx, 0.3);
    let place = Place::new(World { mischief, seed: 6, ..World::default() }).await;
    let app = place.serve().await;
    let list = csv((0..8).map(|ending| number(0, ending)));
    let (campaign, _) = harness::whole_run(&app, &greeting("no session"), &list).await;
    harness::laws_hold(&app, campaign).await;
    let starts = ledger::starts(&place.simulator).await;
    let failed: Vec<_> = starts.iter().filter(|start| start.line["http"] == 503).collect();
    assert!(!failed.is_empty(), "the seed shows some");
    assert_eq!(starts.len(), 8 + failed.len());
    assert_eq!(ledger::no_attempt_twice(&place.simulator).await, 8);
    for lost in failed {
        let again = starts.iter().find(|start| start.attempt == lost.attempt && start.at_ms > lost.at_ms);
        let again = again.expect("the same attempt is started again");
        assert!(again.at_ms - lost.at_ms >= 10_000 && again.token != lost.token, "{} then {}", lost.line, again.line);
    }
    // A deferral is no try.
    let found = harness::outcomes(&app, campaign).await;
    assert!(found.values().all(|(_, tries)| tries == &["answered"]), "{found:?}");
    app.stop().await;
}

/// Three for a contact, ten in a row for a run. Without `UNGRANTED_TRIES_MAX` the small run never ends,
/// without the breaker `ungranted` the large one is never paused.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_that_never_ask_for_their_grant_end_the_attempt_and_pause_the_run() {
    let mischief = Mischief::none().with(Kind::StartNoGrant, 1.0);
    let place = Place::new(World { mischief, ..World::default() }).await;
    let app = place.serve().await;
    let few = take_in(&app, &greeting("few"), &csv((0..3).map(|ending| number(0, ending)))).await.campaign;
    let many = take_in(&app, &greeting("many"), &csv((0..12).map(|ending| number(1, ending)))).await.campaign;
    let (few_run, many_run) = (start(&app, few).await, start(&app, many).await);

    let paused = until("the large run is paused", || async {
        Some(harness::run_of(&app, many_run).await).filter(|run| run.state == RunState::Paused)
    })
    .await;
    assert_eq!(paused.state_reason.as_deref(), Some("started sessions do not reach BACKEND_URL"));
    harness::completed(&app, few_run).await;
    let found = harness::outcomes(&app, few).await;
    assert!(found.values().all(|(_, tries)| tries == &["scenario_error"]), "{found:?}");
    let mut starts: BTreeMap<String, usize> = BTreeMap::new();
    for start in ledger::starts(&place.simulator).await {
        *starts.entry(start.attempt).or_default() += 1;
    }
    let small: Vec<usize> = harness::attempts(&app, few)
        .await
        .iter()
        .map(|a| starts[&halo::domain::AttemptId(a.attempt_id).to_string()])
        .collect();
    assert_eq!(small, [3, 3, 3]);
    assert!(ledger::calls(&place.simulator).await.is_empty(), "nobody was rung");
    harness::laws_hold(&app, few).await;
    app.stop().await;
}

/// The same token from the same session gets the same answer. Without that (a repeated request answered
/// 410) no contact of this run is ever called.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_grant_whose_answer_is_lost_is_one_call() {
    let mischief = Mischief::none().with(Kind::GrantReplyLost, 1.0);
    // Slow: the answer to the second try says how old the grant is in program time.
    let place = Place::new(World { speed: 15.0, mischief, ..World::default() }).await;
    let app = place.serve().await;
    let list = csv((0..6).map(|ending| number(0, ending)));
    let (campaign, _) = harness::whole_run(&app, &greeting("lost grants"), &list).await;
    harness::laws_hold(&app, campaign).await;
    assert_eq!(ledger::no_attempt_twice(&place.simulator).await, 6);
    assert_eq!(ledger::starts(&place.simulator).await.len(), 6, "the same session asks again");
    let found = harness::outcomes(&app, campaign).await;
    assert!(found.values().all(|(_, tries)| tries == &["answered"]), "{found:?}");
    app.stop().await;
}

/// One start, two sessions with the same token: the second is told 409 and never dials.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_sessions_of_one_start_are_one_call() {
    let mischief = Mischief::none().with(Kind::StartTwice, 1.0);
    let place = Place::new(World { mischief, ..World::default() }).await;
    let app = place.serve().await;
    let list = csv((0..10).map(|ending| number(0, ending)));
    let (campaign, _) = harness::whole_run(&app, &greeting("twins"), &list).await;
    harness::laws_hold(&app, campaign).await;
    assert_eq!(ledger::starts(&place.simulator).await.len(), 20);
    assert_eq!(ledger::no_attempt_twice(&place.simulator).await, 10);
    // One attempt each, none of them deferred or lost, and the outcome is the granted session's.
    let attempts = harness::attempts(&app, campaign).await;
    assert_eq!(attempts.len(), 10);
    let found = harness::outcomes(&app, campaign).await;
    assert!(found.values().all(|(_, tries)| tries == &["answered"]), "{found:?}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_lost_doubled_late_and_out_of_order_lose_nobody() {
    let mischief = Mischief::none()
        .with(Kind::EventLost, 0.25)
        .with(Kind::EventDoubled, 0.25)
        .with(Kind::EventLate, 0.2)
        .with(Kind::EventReordered, 0.2)
        .with(Kind::StartReplyLost, 0.2)
        .with(Kind::StartTwice, 0.1)
        .with(Kind::Start429, 0.1)
        .with(Kind::HistoryLag, 0.3);
    let place = Place::new(World { mischief, ..World::default() }).await;
    let app = place.serve().await;
    let endings = [0, 5, 14, 23, 34, 47, 52, 60, 65, 70, 75, 78, 83, 85, 88, 90, 92, 93, 94, 95, 96, 97, 98, 99];
    let list = csv((0..2).flat_map(|nth| endings.map(|ending| number(nth, ending))));
    let (campaign, run) = harness::whole_run(&app, &settings("mess", SPLIT), &list).await;
    harness::laws_hold(&app, campaign).await;
    assert_eq!(harness::run_of(&app, run).await.state, RunState::Completed);
    let calls = ledger::no_attempt_twice(&place.simulator).await;
    let attempts = harness::attempts(&app, campaign).await;
    assert_eq!(attempts.iter().filter(|attempt| attempt.dialed_at.is_some()).count(), calls);
    assert!(attempts.iter().all(|attempt| attempt.state == "ended"));
    for contact in harness::contacts(&app, campaign).await {
        assert!(contact.disposition.is_some() && (1..=3).contains(&contact.tries), "{contact:?}");
    }
    // What is lost on the way is found in the history: nobody is left unknown.
    assert!(attempts.iter().all(|attempt| attempt.outcome.as_deref() != Some("lost")));
    app.stop().await;
}

/// Deferred with a growing backoff, no try spent, and the run goes on by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_that_is_down_defers_everything_until_it_is_back() {
    let mut place = Place::new(World::default()).await;
    let mut door = Door::before(place.simulator.address()).await;
    place.api_url = format!("http://{}/platform_api", door.address);
    let app = place.serve().await;
    door.shut().await;
    let list = csv((0..6).map(|ending| number(0, ending)));
    let campaign = take_in(&app, &greeting("down"), &list).await.campaign;
    let run = start(&app, campaign).await;
    // The second backoff is twice the first: 4 s of real time. One outage is one step, however many starts
    // it hits: in their third none waits for longer than 8 s.
    let longest = std::sync::atomic::AtomicI64::new(0);
    let deferred = || async {
        let waiting = harness::contacts(&app, campaign).await;
        let now = app.clock.now().0;
        let held = waiting.iter().filter(|c| c.gate.as_deref() == Some("provider")).filter_map(|c| c.due_at);
        let wait = held.map(|at| at - now).max().unwrap_or(0);
        let longest = longest.fetch_max(wait, std::sync::atomic::Ordering::Relaxed).max(wait);
        (longest > 180_000).then_some(longest)
    };
    let longest = until("they wait for longer the second time", deferred).await;
    assert!(longest <= 8_000 * 60, "{longest} ms of program time");
    assert!(ledger::starts(&place.simulator).await.is_empty());
    assert_eq!(harness::run_of(&app, run).await.state, RunState::Running);

    door.open().await;
    harness::completed(&app, run).await;
    harness::laws_hold(&app, campaign).await;
    let found = harness::outcomes(&app, campaign).await;
    assert!(found.len() == 6 && found.values().all(|(_, tries)| tries == &["answered"]), "{found:?}");
    assert_eq!(ledger::no_attempt_twice(&place.simulator).await, 6);
    app.stop().await;
}

/// A simulator keeps nothing: one that was started anew at the same address is deployed to again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_simulator_that_was_started_anew_is_deployed_to_again() {
    let mut place = Place::new(World::default()).await;
    let app = place.serve().await;
    let (first, _) = harness::whole_run(&app, &greeting("before"), &csv([number(0, 1)])).await;
    let anew = simulator::Settings { listen: place.simulator.address(), speed: 60.0, ..simulator::Settings::default() };
    let idle = simulator::Settings::default();
    let old = std::mem::replace(&mut place.simulator, simulator::start(idle).await.expect("a simulator starts"));
    old.stop().await;
    place.simulator = simulator::start(anew).await.expect("its address is free again");
    let (second, _) = harness::whole_run(&app, &greeting("after"), &csv((0..5).map(|ending| number(0, ending)))).await;
    for campaign in [first, second] {
        harness::laws_hold(&app, campaign).await;
    }
    assert_eq!(ledger::no_attempt_twice(&place.simulator).await, 5);
    app.stop().await;
}
