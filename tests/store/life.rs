//! The life of runs: who changed what, draining, waiting for a first moment, holding after the first so many.

use crate::both_engines;
use crate::common::Bench;
use crate::common::calls::{Calls, NOON, token};
use crate::races::{ask, rules};
use futures::future::join_all;
use halo::dialer::decisions::settle;
use halo::dialer::{Grant, News, Report};
use halo::domain::settings::Take;
use halo::domain::{AttemptId, Outcome, RunId, SessionId, Timestamp};
use halo::store::{Actor, Beginning, By, Change, Decide, RunState, Shown, Transition};
use std::sync::Arc;

both_engines! {
    every_change_of_a_run_says_who_when_and_why
    runs_that_were_there_before_have_a_history
    a_draining_run_calls_nobody_new_and_is_completed
    a_contact_that_was_granted_and_not_dialled_is_nobody_s_retry
    a_run_that_waits_dials_nobody_before_its_moment
    grants_at_the_same_moment_never_overrun_a_hold
    a_hold_counts_contacts_and_not_tries
    the_great_pause_says_who_and_wakes_everybody_when_it_ends
}

/// State, door, name and reason of each change, in order.
async fn history(calls: &Calls<'_>, run: RunId) -> Vec<(String, Actor, Option<String>, Option<String>)> {
    let history = calls.store.run_history(run).await.expect("a history");
    history.into_iter().map(|t: Transition| (t.state, t.actor, t.by, t.reason)).collect()
}

fn told(
    state: &str,
    actor: Actor,
    by: Option<&str>,
    reason: Option<&str>,
) -> (String, Actor, Option<String>, Option<String>) {
    (state.into(), actor, by.map(Into::into), reason.map(Into::into))
}

fn anna(reason: &str) -> By {
    By { actor: Actor::Api, name: Some("Anna".into()), reason: Some(reason.into()), ..By::default() }
}

async fn shown(calls: &Calls<'_>) -> Shown {
    calls.store.run(calls.run).await.expect("the run").shown
}

/// The guards: `life::record` beside each statement that changes a state.
async fn every_change_of_a_run_says_who_when_and_why(bench: Bench) {
    let calls = bench.run_of(1).await;
    let (store, run) = (&calls.store, calls.run);
    let at = |n: i64| NOON.plus_ms(n * 1000);
    assert!(store.change_run(run, RunState::Paused, anna("lunch"), None, at(1)).await.unwrap());
    assert!(store.change_run(run, RunState::Running, By::of(Actor::Cli), None, at(2)).await.unwrap());
    assert_eq!(store.run(run).await.unwrap().state_reason, None);
    let attempt = calls.plan(at(3)).await[0].attempt;
    let pause = || Change { run_paused: Some("no money".into()), ..Change::default() };
    calls.decide(attempt, at(4), move |_| (pause(), ())).await;
    // A run that is paused already is not paused again.
    calls.decide(attempt, at(4), move |_| (pause(), ())).await;
    assert!(store.change_run(run, RunState::Running, By::default(), None, at(5)).await.unwrap());
    let other = store.ensure_account("simulator/2", None, None, NOON).await.unwrap();
    assert_eq!(store.pause_foreign_runs(other, "calls elsewhere", at(6)).await.unwrap(), 1);
    assert!(store.change_run(run, RunState::Running, By::default(), None, at(7)).await.unwrap());
    for (attempt, session) in calls.all_live(100, at(20)).await {
        assert!(calls.finish(attempt, session, Outcome::Answered, at(21)).await);
    }
    calls.plan(at(22)).await;
    assert!(!store.change_run(run, RunState::Stopped, anna("late"), None, at(23)).await.unwrap());
    let halo = |state, reason| told(state, Actor::Halo, None, reason);
    assert_eq!(
        history(&calls, run).await,
        [
            halo("running", None),
            told("paused", Actor::Api, Some("Anna"), Some("lunch")),
            told("running", Actor::Cli, None, None),
            halo("paused", Some("no money")),
            halo("running", None),
            halo("paused", Some("calls elsewhere")),
            halo("running", None),
            halo("completed", Some("everybody is at rest")),
        ]
    );
    let when: Vec<Timestamp> = store.run_history(run).await.unwrap().iter().map(|t| t.at).collect();
    assert_eq!(when, [NOON, at(1), at(2), at(4), at(5), at(6), at(7), at(22)]);
}

/// The migration's own statements, on rows as the schema before it kept them.
async fn runs_that_were_there_before_have_a_history(bench: Bench) {
    let calls = bench.run_of(1).await;
    calls.store.change_run(calls.run, RunState::Paused, By::halo("before"), None, NOON.plus_ms(5)).await.unwrap();
    for table in ["run_transitions", "campaign_settings"] {
        bench.execute(&format!("delete from {table}")).await.unwrap();
    }
    let migration = include_str!("../../migrations/0009_life.sql");
    let backfills: Vec<&str> =
        migration.split(';').map(str::trim).filter(|text| text.starts_with("insert into")).collect();
    assert_eq!(backfills.len(), 2);
    for backfill in backfills {
        bench.execute(backfill).await.unwrap();
    }
    assert_eq!(history(&calls, calls.run).await, [told("paused", Actor::Halo, None, Some("before"))]);
    let versions = calls.store.settings_history(calls.campaign).await.unwrap();
    assert_eq!((versions.len(), versions[0].version, versions[0].settings.as_str()), (1, 1, "{}"));
    assert_eq!(calls.store.settings_version(calls.campaign).await.unwrap(), 1);
}

/// Of five: two are live, one waits for its retry, one is dialling for the first time, one was never planned.
async fn a_draining_run_calls_nobody_new_and_is_completed(bench: Bench) {
    let calls = bench.run_of(5).await;
    let planned = calls.plan(NOON).await;
    for (n, planned) in planned.iter().enumerate().take(4) {
        assert!(calls.claim(*planned, token(n as u64), NOON).await);
    }
    for (n, planned) in planned.iter().enumerate().take(3) {
        assert!(calls.grant(planned.attempt, token(n as u64), 100 + n as i64, NOON).await);
    }
    assert!(calls.retry_in(planned[2].attempt, SessionId(102), Outcome::Busy, NOON, 1000).await);

    assert!(calls.store.drain_run(calls.run, anna("enough"), NOON).await.unwrap());
    assert!(!calls.store.drain_run(calls.run, anna("enough"), NOON).await.unwrap(), "it drains already");
    assert_eq!(shown(&calls).await, Shown::Draining);
    let rests = async |n: usize| calls.store.attempt(planned[n].attempt).await.unwrap().unwrap().disposition;
    for n in 0..5 {
        assert_eq!(rests(n).await, (n > 2).then_some(Outcome::Cancelled), "contact {n}");
    }
    assert!(!calls.grant(planned[3].attempt, token(3), 103, NOON).await, "nobody new is dialled");
    assert!(!calls.claim(planned[4], token(4), NOON).await);

    // A pause in between is a pause, and draining goes on after it.
    calls.store.change_run(calls.run, RunState::Paused, By::default(), None, NOON).await.unwrap();
    assert_eq!(shown(&calls).await, Shown::Paused);
    calls.store.change_run(calls.run, RunState::Running, By::default(), None, NOON).await.unwrap();
    assert_eq!(shown(&calls).await, Shown::Draining);
    let retry = calls.all_live(200, NOON.plus_ms(2000)).await;
    assert_eq!(retry.len(), 1, "whoever was called gets the remaining tries");
    assert!(calls.finish(retry[0].0, retry[0].1, Outcome::Answered, NOON).await);
    assert!(calls.finish(planned[0].attempt, SessionId(100), Outcome::Answered, NOON).await);
    calls.plan(NOON.plus_ms(3000)).await;
    assert_eq!(shown(&calls).await, Shown::Draining, "a call is under way");
    assert!(calls.finish(planned[1].attempt, SessionId(101), Outcome::Answered, NOON).await);
    calls.plan(NOON.plus_ms(4000)).await;
    assert_eq!(shown(&calls).await, Shown::Completed);
    let states: Vec<String> = history(&calls, calls.run).await.into_iter().map(|t| t.0).collect();
    assert_eq!(states, ["running", "draining", "paused", "draining", "completed"]);
}

fn not_dialled(session: SessionId) -> Report {
    Report { news: News::NotDialled { by: session, token: None }, ..Report::default() }
}

async fn gives_back(calls: &Calls<'_>, attempt: AttemptId, session: SessionId, now: Timestamp) {
    let rules = rules();
    let decision = move |held: &halo::store::Held| settle(held, &rules, &not_dialled(session), now);
    let order = Decide { attempt, now, start: None, heard: None, decision: Arc::new(decision) };
    calls.store.decide(order).await.expect("a decision");
}

/// The guard: `drained` in `change::deferred`.
async fn a_contact_that_was_granted_and_not_dialled_is_nobody_s_retry(bench: Bench) {
    let calls = bench.run_of(2).await;
    let live = calls.all_live(100, NOON).await;
    assert!(calls.retry_in(live[0].0, live[0].1, Outcome::Busy, NOON, 1000).await);
    calls.store.drain_run(calls.run, By::default(), NOON).await.unwrap();
    gives_back(&calls, live[1].0, live[1].1, NOON).await;
    let held = calls.store.attempt(live[1].0).await.unwrap().unwrap();
    assert_eq!(held.disposition, Some(Outcome::Cancelled), "it was never called");
    // A retry that was given back is still a retry.
    let again = calls.all_live(200, NOON.plus_ms(2000)).await;
    gives_back(&calls, again[0].0, again[0].1, NOON.plus_ms(2000)).await;
    let held = calls.store.attempt(again[0].0).await.unwrap().unwrap();
    assert_eq!((held.disposition, held.state.name()), (None, "planned"));
}

async fn a_run_that_waits_dials_nobody_before_its_moment(bench: Bench) {
    let calls = bench.run_of(3).await;
    calls.store.change_run(calls.run, RunState::Stopped, By::default(), None, NOON).await.unwrap();
    let at = NOON.plus_ms(3_600_000);
    let beginning = Beginning { by: anna("tonight"), starts_at: Some(at), hold_after: None };
    let begun = calls.store.begin_run(calls.campaign, calls.account, Take::All, beginning, NOON).await.unwrap();
    let calls = Calls { run: begun.0, store: calls.store.clone(), ..calls };
    assert_eq!((begun.1, shown(&calls).await), (3, Shown::Scheduled));
    assert!(calls.plan(at.plus_ms(-1)).await.is_empty());
    calls.store.change_run(calls.run, RunState::Paused, By::default(), None, NOON).await.unwrap();
    calls.store.change_run(calls.run, RunState::Running, By::default(), None, NOON).await.unwrap();
    assert!(calls.plan(at.plus_ms(-1)).await.is_empty(), "a resume is not a beginning");
    assert_eq!(shown(&calls).await, Shown::Scheduled);
    assert_eq!(calls.plan(at).await.len(), 3);
    assert_eq!(shown(&calls).await, Shown::Running);
    let states: Vec<_> = history(&calls, calls.run).await.into_iter().map(|t| (t.0, t.1)).collect();
    let of = |state: &str, actor| (state.to_owned(), actor);
    assert_eq!(
        states,
        [
            of("scheduled", Actor::Api),
            of("paused", Actor::Halo),
            of("scheduled", Actor::Halo),
            of("running", Actor::Schedule),
        ]
    );
}

/// The guard: the hold's look in `clearance`. On PostgreSQL, besides, either the lock of the hold's row in
/// `life::facts` or the check of table `run_holds`, which fails a batch whose acts are then asked again one by one:
/// without both, two processes count from the same number.
async fn grants_at_the_same_moment_never_overrun_a_hold(bench: Bench) {
    const HOLD: u32 = 7;
    let calls = bench.run_of(40).await;
    calls.store.change_run(calls.run, RunState::Running, By::default(), Some(HOLD), NOON).await.unwrap();
    let other = bench.another().await;
    let rules = rules();
    // The planner has room for seven: here forty sessions run all the same.
    bench.execute("update run_holds set hold_after = 40").await.unwrap();
    let planned = calls.plan(NOON).await;
    assert_eq!(planned.len(), 40);
    for (n, planned) in planned.iter().enumerate() {
        assert!(calls.claim(*planned, token(n as u64), NOON).await);
    }
    bench.execute(&format!("update run_holds set hold_after = {HOLD}")).await.unwrap();
    let asks = planned.iter().enumerate().map(|(n, planned)| {
        let store = [&bench.store, &other][n % 2];
        ask(store, &rules, planned.attempt, token(n as u64), 100 + n as i64)
    });
    let granted = join_all(asks).await.into_iter().filter(|grant| matches!(grant, Grant::Go(_))).count();
    assert_eq!(granted, HOLD as usize);
    assert_eq!(bench.number("select count(*) from attempts where dialed_at is not null").await, i64::from(HOLD));
    // Whoever was granted gets the same answer again: it is not counted twice, and not held back.
    let live = bench.number("select min(session_id) from attempts where state = 'live'").await;
    let n = live as usize - 100;
    assert!(matches!(ask(&other, &rules, planned[n].attempt, token(n as u64), live).await, Grant::Go(_)));

    assert!(calls.plan(NOON.plus_ms(1000)).await.is_empty());
    let run = calls.store.run(calls.run).await.unwrap();
    assert_eq!(run.state, RunState::Paused);
    assert_eq!(run.state_reason.as_deref(), Some("held: 7 contacts were dialled, as asked; resume goes on"));
    // A resume goes on without a hold.
    calls.store.change_run(calls.run, RunState::Running, By::default(), None, NOON.plus_ms(2000)).await.unwrap();
    assert_eq!(calls.plan(NOON.plus_ms(2000)).await.len(), 33);
    assert_eq!(calls.store.hold(calls.run).await.unwrap(), None);
    other.close().await;
}

/// The guard: `given_back` in `change`, and `held.ended` in the grant.
async fn a_hold_counts_contacts_and_not_tries(bench: Bench) {
    let calls = bench.run_of(5).await;
    let rules = rules();
    calls.store.change_run(calls.run, RunState::Running, By::default(), Some(2), NOON).await.unwrap();
    let dialled = async || calls.store.hold(calls.run).await.unwrap().map(|hold| hold.dialled);
    let planned = calls.plan(NOON).await;
    assert_eq!(planned.len(), 2, "nobody is started in vain");
    assert!(calls.claim(planned[0], token(1), NOON).await);
    assert!(matches!(ask(&bench.store, &rules, planned[0].attempt, token(1), 100).await, Grant::Go(_)));
    assert_eq!(dialled().await, Some(1));
    // Not dialled after all.
    gives_back(&calls, planned[0].attempt, SessionId(100), NOON).await;
    assert_eq!(dialled().await, Some(0));
    // Busy, and called again: one contact.
    assert!(calls.claim(planned[1], token(2), NOON).await);
    assert!(matches!(ask(&bench.store, &rules, planned[1].attempt, token(2), 101).await, Grant::Go(_)));
    assert!(calls.retry_in(planned[1].attempt, SessionId(101), Outcome::Busy, NOON, 0).await);
    bench.execute("update run_contacts set due_at = null where due_at is not null and gate is null").await.unwrap();
    let again = calls.plan(NOON.plus_ms(1)).await;
    assert_eq!(again.len(), 1);
    assert!(calls.claim(again[0], token(3), NOON.plus_ms(1)).await);
    assert!(matches!(ask(&bench.store, &rules, again[0].attempt, token(3), 102).await, Grant::Go(_)));
    assert_eq!(dialled().await, Some(1));
    calls.plan(NOON.plus_ms(2)).await;
    assert_eq!(calls.store.run(calls.run).await.unwrap().state, RunState::Running);
}

async fn the_great_pause_says_who_and_wakes_everybody_when_it_ends(bench: Bench) {
    let calls = bench.run_of(2).await;
    let rules = rules();
    let planned = calls.plan(NOON).await;
    assert!(calls.claim(planned[0], token(1), NOON).await);
    calls.store.pause_all(calls.account, true, anna("the lawyer called"), NOON).await.unwrap();
    assert!(matches!(ask(&bench.store, &rules, planned[0].attempt, token(1), 100).await, Grant::Gone));
    assert!(!calls.claim(planned[1], token(2), NOON).await);
    let account = calls.store.account(calls.account).await.unwrap().unwrap();
    assert_eq!((account.paused_at, account.pause_reason.as_deref()), (Some(NOON), Some("the lawyer called")));
    calls.store.pause_all(calls.account, false, anna("all is well"), NOON.plus_ms(10)).await.unwrap();
    // The one that was refused its grant need not sleep out its minute.
    let woken: Vec<AttemptId> = calls.plan(NOON.plus_ms(10)).await.iter().map(|planned| planned.attempt).collect();
    assert!(woken.contains(&planned[0].attempt), "{woken:?}");
    let told: Vec<_> = calls.store.account_history(calls.account).await.unwrap();
    let told: Vec<_> = told.iter().map(|t| (t.state.as_str(), t.reason.as_deref(), t.by.as_deref())).collect();
    assert_eq!(
        told,
        [("running", Some("all is well"), Some("Anna")), ("paused", Some("the lawyer called"), Some("Anna"))]
    );
    let busy = calls.store.busy(calls.account).await.unwrap();
    assert_eq!((busy.runs, busy.live), (1, 0));
}
