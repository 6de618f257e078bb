//! Breakers and spent budgets, as the sweep finds them.

use super::dials::dialer_of;
use crate::both_engines;
use crate::common::Bench;
use crate::common::calls::{Calls, NOON, heard};
use halo::clock::Clock;
use halo::domain::{Mode, Outcome, SessionId};
use halo::store::{Call, RunState};

both_engines! {
    an_arm_that_fails_pauses_the_whole_run
    a_run_that_somebody_paused_tells_its_breakers
    silent_calls_pause_a_run_and_a_resume_begins_anew
    a_spent_budget_pauses_what_cannot_call_any_more
}

const SPLIT: &str = "name = \"b\"\npurpose = \"test\"\nmodes = { dialog = 1, realtime = 1, realtime_pure = 1 }";

/// Everybody is called once; the arm decides how the call ends.
async fn call_all(calls: &Calls<'_>, from: i64, end: impl Fn(&Mode) -> (Outcome, Option<i64>)) {
    for (attempt, session) in calls.all_live(from, NOON).await {
        let held = calls.store.attempt(attempt).await.unwrap().unwrap();
        let (outcome, first_audio_ms) = end(&held.mode);
        let call =
            Call { session: session.0, source: "event", first_audio_ms, talk_ms: Some(30_000), ..Call::default() };
        let last = heard(SessionId(session.0), 9, "Disconnected");
        calls.report(attempt, last, outcome, call, Vec::new(), NOON).await;
    }
}

/// The guards: `breaker::readings`, and that `watch` asks it.
async fn an_arm_that_fails_pauses_the_whole_run(bench: Bench) {
    let calls = bench.run_of(90).await;
    let dialer = dialer_of(&calls.store, calls.account, &Clock::manual(NOON), SPLIT);
    call_all(&calls, 1, |arm| match arm.as_str() {
        "realtime" => (Outcome::NetworkError, None),
        _ => (Outcome::Answered, Some(400)),
    })
    .await;
    let run = bench.store.run(calls.run).await.unwrap();
    let readings = dialer.breakers(&run).await.unwrap();
    let failing: Vec<_> = readings.iter().filter(|view| view.name == "failures").map(|view| view.value).collect();
    assert_eq!(failing, [0.0, 1.0, 0.0]);
    assert_eq!(dialer.reconcile().await.unwrap().paused, 1);
    let run = bench.store.run(calls.run).await.unwrap();
    assert_eq!(run.state, RunState::Paused);
    let why = "arm realtime: 100 % of the last calls failed by the provider, the carrier or us (breaker at 50 %)";
    assert_eq!(run.state_reason.as_deref(), Some(why));
    let tripped = dialer.breakers(&run).await.unwrap();
    let shown: Vec<_> = tripped.iter().filter(|view| view.tripped_at.is_some()).collect();
    assert_eq!(shown.len(), 1, "{tripped:?}");
    assert_eq!((shown[0].name.as_str(), shown[0].arm.as_deref(), shown[0].value), ("failures", Some("realtime"), 1.0));
    assert_eq!(shown[0].tripped_at, Some(NOON));
    // The others are told as they stand, paused or not.
    let stand = |views: &[halo::dialer::BreakerView]| {
        views.iter().map(|view| (view.name.clone(), view.arm.clone(), view.value)).collect::<Vec<_>>()
    };
    assert_eq!(stand(&tripped), stand(&readings));
    assert_eq!(dialer.reconcile().await.unwrap().paused, 0, "it is paused already");
}

/// The guard: `dials_since`, without which a run that somebody paused has no breakers, or none that have seen anything.
async fn a_run_that_somebody_paused_tells_its_breakers(bench: Bench) {
    let calls = bench.run_of(12).await;
    let clock = Clock::manual(NOON);
    let dialer = dialer_of(&calls.store, calls.account, &clock, SPLIT);
    call_all(&calls, 1, |_| (Outcome::NetworkError, None)).await;
    clock.advance_ms(60_000);
    assert!(bench.store.set_run_state(calls.run, RunState::Paused, None, clock.now()).await.unwrap());
    let run = bench.store.run(calls.run).await.unwrap();
    let failing = |views: Vec<halo::dialer::BreakerView>| {
        let failures = views.into_iter().filter(|view| view.name == "failures");
        failures.map(|view| (view.value, view.tripped_at)).collect::<Vec<_>>()
    };
    assert_eq!(failing(dialer.breakers(&run).await.unwrap()), [(1.0, None); 3]);
    assert!(bench.store.set_run_state(calls.run, RunState::Stopped, None, clock.now()).await.unwrap());
    let run = bench.store.run(calls.run).await.unwrap();
    assert!(dialer.breakers(&run).await.unwrap().is_empty(), "once it is over, those alone that tripped");
}

/// The guard: `since` in `read_breakers`.
async fn silent_calls_pause_a_run_and_a_resume_begins_anew(bench: Bench) {
    let calls = bench.run_of(60).await;
    let clock = Clock::manual(NOON);
    let one_arm = "name = \"b\"\npurpose = \"test\"\nmode = \"dialog\"";
    // Rows of three modes; the campaign's own is one of them.
    bench.execute("update run_contacts set mode = 'dialog'").await.unwrap();
    let dialer = dialer_of(&calls.store, calls.account, &clock, one_arm);
    call_all(&calls, 1, |_| (Outcome::Answered, Some(2_001))).await;
    assert_eq!(dialer.reconcile().await.unwrap().paused, 1);
    let run = bench.store.run(calls.run).await.unwrap();
    let why = "arm dialog: in 100 % of the last answered calls the agent was not heard within 2 s (breaker at 3 %)";
    assert_eq!(run.state_reason.as_deref(), Some(why));

    clock.advance_ms(60_000);
    let resumed = bench.store.set_run_state(calls.run, RunState::Running, None, clock.now()).await.unwrap();
    assert!(resumed);
    assert_eq!(dialer.reconcile().await.unwrap().paused, 0, "what was before the resume does not count");
    let run = bench.store.run(calls.run).await.unwrap();
    assert_eq!(run.state, RunState::Running);
    let silent = dialer.breakers(&run).await.unwrap().into_iter().find(|view| view.name == "silent").unwrap();
    assert_eq!((silent.value, silent.tripped_at), (0.0, Some(NOON)), "and what happened is still told");
}

/// The guards: `Dialer::means`, without which the planner claims in vain, and `pause_spent`.
async fn a_spent_budget_pauses_what_cannot_call_any_more(bench: Bench) {
    let calls = bench.run_of(20).await;
    let clock = Clock::manual(NOON);
    let settings = "name = \"b\"\npurpose = \"test\"\nmode = \"dialog\"\n[dial]\ncps = 1000\n[budget]\nrun = 5";
    let dialer = dialer_of(&calls.store, calls.account, &clock, settings);
    // Rows of three modes; each is paid for by its own.
    bench.execute("update run_contacts set mode = 'dialog'").await.unwrap();
    assert_eq!(dialer.plan().await.unwrap().len(), 7, "five dollars are enough for so many calls of five minutes");
    // As if all but a cent of it had been spent.
    let day = halo::domain::budget::day_of(chrono_tz::Europe::Moscow, NOON).0;
    bench.store.open_budgets(calls.run, calls.campaign, day).await.unwrap();
    bench.execute("update budgets set spent_micros = 4990000").await.unwrap();
    clock.advance_ms(3_600_000);
    assert_eq!(dialer.plan().await.unwrap().len(), 0, "nobody is claimed in vain");
    assert_eq!(dialer.reconcile().await.unwrap().paused, 1);
    let run = bench.store.run(calls.run).await.unwrap();
    let why = run.state_reason.unwrap_or_default();
    assert!(
        why.starts_with("the run's budget is spent (4.99 USD of 5.00 USD): the 0.01 USD left are less than"),
        "{why}"
    );
    assert_eq!(bench.store.prove(calls.campaign).await.unwrap().money.wrong, 2, "the law sees what no act wrote");
}
