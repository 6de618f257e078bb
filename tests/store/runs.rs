//! Pause, resume, stop, sweeps, and what the installation keeps.

use crate::both_engines;
use crate::common::Bench;
use crate::common::calls::{NOON, token};
use halo::domain::clearance::Gate;
use halo::domain::state::{Event, State};
use halo::domain::{Outcome, SessionId};
use halo::store::{By, Change, ContactChange, RunState};

both_engines! {
    a_paused_run_does_not_claim_and_a_resumed_one_wakes_up
    a_stopped_run_ends_everything_that_does_not_ring
    runs_of_another_platform_are_paused
    ungranted_starts_are_counted_and_pause_the_run
    overdue_claims_are_found_at_the_deadline
    a_value_of_the_installation_is_written_once
    a_wiped_database_is_a_fresh_one
}

async fn a_paused_run_does_not_claim_and_a_resumed_one_wakes_up(bench: Bench) {
    let calls = bench.run_of(2).await;
    let planned = calls.plan(NOON).await;
    let pause = |state, why: Option<&str>| calls.store.set_run_state(calls.run, state, why.map(Into::into), NOON);
    assert!(pause(RunState::Paused, Some("lunch")).await.unwrap());
    assert!(!calls.claim(planned[0], token(1), NOON).await);
    assert!(calls.plan(NOON.plus_ms(60_000)).await.is_empty());
    assert_eq!(calls.store.run(calls.run).await.unwrap().state_reason.as_deref(), Some("lunch"));

    assert!(pause(RunState::Running, None).await.unwrap());
    assert!(calls.claim(planned[0], token(1), NOON).await);
    // A gate that the pause had closed opens with it; a retry goes on waiting for its time.
    let later = NOON.plus_ms(3_600_000);
    let defer = |n: usize, gate| {
        let waits = ContactChange::Waits { due_at: later, gate };
        calls.step(planned[n].attempt, Event::Deferred { of: token(1 + n as u64), until: later }, waits, NOON)
    };
    assert!(defer(0, Gate::Paused).await);
    assert!(calls.claim(planned[1], token(2), NOON).await);
    assert!(defer(1, Gate::RetryDelay).await);
    assert!(calls.plan(NOON).await.is_empty());
    assert!(pause(RunState::Paused, None).await.unwrap() && pause(RunState::Running, None).await.unwrap());
    let woken = calls.plan(NOON).await;
    assert_eq!((woken.len(), woken[0].attempt), (1, planned[0].attempt));
}

async fn a_stopped_run_ends_everything_that_does_not_ring(bench: Bench) {
    let calls = bench.run_of(4).await;
    let planned = calls.plan(NOON).await;
    for n in [1u64, 2] {
        assert!(calls.claim(planned[n as usize], token(n), NOON).await);
    }
    assert!(calls.grant(planned[2].attempt, token(2), 200, NOON).await);
    assert!(calls.store.set_run_state(calls.run, RunState::Stopped, None, NOON).await.unwrap());

    let outcome = async |n: usize| calls.store.attempt(planned[n].attempt).await.unwrap().unwrap();
    for n in [0, 1, 3] {
        assert_eq!(outcome(n).await.state, State::Ended { ended_at: NOON, outcome: Outcome::Cancelled });
        assert_eq!(outcome(n).await.disposition, Some(Outcome::Cancelled));
    }
    assert!(!calls.grant(planned[1].attempt, token(1), 100, NOON).await, "nobody is dialled any more");
    assert!(!calls.claim(planned[0], token(9), NOON).await);
    assert!(matches!(outcome(2).await.state, State::Live { .. }), "a call is not cut off");
    assert_eq!(outcome(2).await.disposition, None);
    assert!(calls.finish(planned[2].attempt, SessionId(200), Outcome::Answered, NOON).await);
    let progress = calls.store.progress(calls.run).await.unwrap();
    assert_eq!((progress.contacts, progress.rested, progress.ended), (4, 4, 4));
    assert!(!calls.store.set_run_state(calls.run, RunState::Paused, None, NOON).await.unwrap());
}

async fn runs_of_another_platform_are_paused(bench: Bench) {
    let calls = bench.run_of(1).await;
    let real = calls.store.ensure_account("api.voximplant.com/7", Some(1.0), Some(1), NOON).await.unwrap();
    assert_ne!(real, calls.account);
    assert_eq!(calls.store.pause_foreign_runs(real, "calls elsewhere now", NOON).await.unwrap(), 1);
    let run = calls.store.run(calls.run).await.unwrap();
    assert_eq!((run.state, run.state_reason.as_deref()), (RunState::Paused, Some("calls elsewhere now")));
    assert_eq!(calls.store.pause_foreign_runs(calls.account, "back", NOON).await.unwrap(), 0);
    assert_eq!(calls.store.open_runs().await.unwrap().len(), 1);
}

async fn ungranted_starts_are_counted_and_pause_the_run(bench: Bench) {
    let calls = bench.run_of(1).await;
    let attempt = calls.plan(NOON).await[0].attempt;
    let count = |n, why: Option<&'static str>| {
        calls.decide(attempt, NOON, move |held| {
            let run_paused = why.map(Into::into);
            (Change { run_ungranted: Some(n), run_paused, ..Change::default() }, held.run_ungranted)
        })
    };
    assert_eq!(count(9, None).await, 0);
    let given_back = |n: i64| {
        let change = move || Change { run_not_dialled: Some(n), ..Change::default() };
        calls.decide(attempt, NOON, move |held| (change(), held.run_not_dialled))
    };
    assert_eq!((given_back(4).await, given_back(5).await), (0, 4), "a count of its own");
    assert_eq!(count(10, Some("started sessions do not reach BACKEND_URL")).await, 9);
    let run = calls.store.run(calls.run).await.unwrap();
    assert_eq!(run.state_reason.as_deref(), Some("started sessions do not reach BACKEND_URL"));
    calls.store.set_run_state(calls.run, RunState::Running, None, NOON).await.unwrap();
    assert_eq!(count(1, None).await, 0, "an operator's resume begins anew");
    assert_eq!(given_back(1).await, 0);
}

async fn overdue_claims_are_found_at_the_deadline(bench: Bench) {
    let calls = bench.run_of(3).await;
    let planned = calls.plan(NOON).await;
    for (n, planned) in planned.iter().enumerate() {
        assert!(calls.claim(*planned, token(n as u64), NOON.plus_ms(n as i64)).await);
    }
    assert!(calls.grant(planned[0].attempt, token(0), 100, NOON).await);
    let overdue = calls.store.overdue_grants(NOON.plus_ms(1)).await.unwrap();
    assert_eq!(overdue, [planned[1].attempt]);
}

async fn a_value_of_the_installation_is_written_once(bench: Bench) {
    let store = &bench.store;
    assert_eq!(store.installation_value("key").await.unwrap(), None);
    let values = futures::future::join_all((0..10).map(|n| store.installation_value_or("key", n.to_string()))).await;
    let values: Vec<String> = values.into_iter().map(Result::unwrap).collect();
    assert!(values.iter().all(|value| *value == values[0]), "everybody has the one that stands: {values:?}");
    store.set_installation_value("key", "new".into()).await.unwrap();
    assert_eq!(store.installation_value("key").await.unwrap().as_deref(), Some("new"));
}

/// A table that `wipe` forgets would keep rows of the campaign before.
async fn a_wiped_database_is_a_fresh_one(bench: Bench) {
    let calls = bench.run_of(3).await;
    let (attempt, session) = calls.all_live(100, NOON).await[0];
    calls.store.lead("sweeper", "node", NOON, NOON.plus_ms(5)).await.unwrap();
    calls.store.change_run(calls.run, RunState::Running, By::default(), Some(5), NOON).await.unwrap();
    calls.store.pause_all(calls.account, true, By::default(), NOON).await.unwrap();
    calls.store.installation_value_or("key", "value".into()).await.unwrap();
    let turn = halo::store::Turn { turn: 1, method: "vad".into(), ..Default::default() };
    let told = crate::common::calls::heard(session, 1, "Disconnected");
    let call = halo::store::Call { session: 100, source: "event", ..Default::default() };
    calls.report(attempt, told, Outcome::Answered, call, vec![turn], NOON).await;
    calls.store.wipe().await.unwrap();
    let schema = concat!(
        include_str!("../../migrations/0001_halo.sql"),
        include_str!("../../migrations/0003_history.sql"),
        include_str!("../../migrations/0009_life.sql")
    );
    let tables: Vec<&str> = schema.lines().filter_map(|line| line.strip_prefix("create table ")).collect();
    assert!(tables.len() > 15);
    for table in tables {
        assert_eq!(bench.number(&format!("select count(*) from {table}")).await, 0, "{table}");
    }
}
