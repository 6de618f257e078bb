//! What an operator and the gates do to a run.

use crate::harness::{self, KEY, Place, World, csv, ledger, number, settings, start, take_in, until};
use halo::app::App;
use halo::domain::RunId;
use halo::simulator::{Mischief, MischiefKind as Kind};
use halo::store::RunState;
use serde_json::{Value, json};

async fn set(app: &App, run: RunId, to: RunState) {
    let done = app.store.set_run_state(run, to, Some("by a test".into()), app.clock.now()).await;
    assert!(done.expect("the store answers"), "the run was open");
}

/// Slow enough to be stopped in the middle: two starts a second of real time.
fn slow(name: &str) -> String {
    settings(name, "mode = \"greeting\"").replace("cps = 20", "cps = 0.1")
}

/// Without the planner's and the claim's look at the run's state the ledger grows after the pause; the grant's
/// own look is held by `tests/http/callbacks.rs`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pause_stops_dials_a_resume_goes_on_and_a_stop_rests_everybody() {
    let place = Place::new(World::default()).await;
    let app = place.serve().await;
    let list = csv((0..30).map(|ending| number(0, ending)));
    let campaign = take_in(&app, &slow("paused"), &list).await.campaign;
    let run = start(&app, campaign).await;
    let dialled = || async { ledger::calls(&place.simulator).await.len() };
    until("some are called", || async { (dialled().await >= 3).then_some(()) }).await;

    set(&app, run, RunState::Paused).await;
    let paused_at = app.clock.now();
    let quiet = || async {
        let progress = app.store.progress(run).await.expect("the store answers");
        (progress.live == 0 && progress.dialing == 0).then_some(progress)
    };
    until("calls under way end", quiet).await;
    let called = dialled().await;
    // Long enough for six more starts.
    until("time passes", || async { (app.clock.now().since(paused_at) > 180_000).then_some(()) }).await;
    assert_eq!(dialled().await, called);
    let late = |a: &halo::store::AttemptRow| a.dialed_at.is_some_and(|at| at > paused_at.0);
    assert!(!harness::attempts(&app, campaign).await.iter().any(late), "nobody was granted after the pause");

    set(&app, run, RunState::Running).await;
    until("it goes on", || async { (dialled().await >= called + 3).then_some(()) }).await;
    set(&app, run, RunState::Stopped).await;
    let stopped_at = app.clock.now();
    let rested = || async {
        let contacts = harness::contacts(&app, campaign).await;
        contacts.iter().all(|contact| contact.disposition.is_some()).then_some(contacts)
    };
    let contacts = until("everybody rests", rested).await;
    harness::completed(&app, run).await;
    let of = |what: &str| contacts.iter().filter(|c| c.disposition.as_deref() == Some(what)).count();
    assert_eq!(of("answered") + of("cancelled"), 30, "{contacts:?}");
    let calls = ledger::no_attempt_twice(&place.simulator).await;
    assert_eq!(of("answered"), calls);
    let attempts = harness::attempts(&app, campaign).await;
    assert!(attempts.iter().all(|a| a.state == "ended" && a.dialed_at.is_none_or(|at| at <= stopped_at.0)));
    harness::laws_hold(&app, campaign).await;
    app.stop().await;
}

/// Plays the session: its token is in the simulator's ledger.
async fn ask_for_grant(app: &App, start: &ledger::Line, session: &str) -> (u16, Value) {
    let answer = reqwest::Client::new()
        .post(format!("http://{}/voximplant/grant", app.address))
        .json(&json!({ "a": start.attempt, "t": start.token, "session_id": session }))
        .send()
        .await
        .expect("the service answers");
    (answer.status().as_u16(), answer.json().await.expect("JSON"))
}

/// A world whose sessions die at once, so that the test can be the session.
async fn dead_sessions(world: World) -> Place {
    Place::new(World { mischief: Mischief::none().with(Kind::StartNoGrant, 1.0), ..world }).await
}

/// Without the grant's look at the number, whoever opts out seconds before the dial is rung all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_opt_out_between_plan_and_grant_ends_suppressed_without_a_call() {
    let place = dead_sessions(World::default()).await;
    let app = place.serve().await;
    let settings = settings("late opt-out", "mode = \"greeting\"");
    let (to, other) = (number(0, 1), number(0, 2));
    let campaign = take_in(&app, &settings, &csv([&to, &other])).await.campaign;
    let run = start(&app, campaign).await;
    let started = || async {
        let starts = ledger::starts(&place.simulator).await;
        (starts.len() == 2).then_some(starts)
    };
    let starts = until("both sessions were started", started).await;
    let answer = reqwest::Client::new()
        .post(format!("http://{}/api/v1/suppressions", app.address))
        .bearer_auth(KEY)
        .json(&json!({ "number": to }))
        .send()
        .await
        .expect("the service answers");
    assert_eq!(answer.status(), 204);
    let mut codes = Vec::new();
    for start in &starts {
        let (code, body) = ask_for_grant(&app, start, "77").await;
        assert_eq!(body["to"].as_str() == Some(&other), code == 200, "{body}");
        assert_ne!(body["to"].as_str(), Some(to.as_str()), "no number is told");
        codes.push(code);
    }
    codes.sort();
    assert_eq!(codes, [200, 410]);
    let found = harness::outcomes(&app, campaign).await;
    assert_eq!(found[&to].1, ["suppressed"]);
    let contacts = harness::contacts(&app, campaign).await;
    let rests = contacts.iter().find(|contact| contact.e164 == to).expect("the contact");
    assert_eq!(rests.disposition.as_deref(), Some("suppressed"));
    assert!(ledger::calls(&place.simulator).await.is_empty());
    set(&app, run, RunState::Stopped).await;
    app.stop().await;
}

/// People sleep: a survey at night waits for the morning of the contact's own zone. 20 June 2026 is a Saturday.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_window_defers_to_its_next_opening() {
    let place = Place::new(World { at: Some("2026-06-20T20:30:00Z"), ..World::default() }).await;
    let app = place.serve().await;
    let holiday = "[windows]\nholidays = [\"2026-06-22 10:00-12:00\"]\n";
    let settings = settings("night", "mode = \"greeting\"").replace("\"test\"", "\"survey\"") + holiday;
    let list = format!("phone,timezone\n{},Europe/Moscow\n{},Asia/Yekaterinburg\n", number(0, 1), number(0, 2));
    let campaign = take_in(&app, &settings, &list).await.campaign;
    let run = start(&app, campaign).await;
    let parked = || async {
        let contacts = harness::contacts(&app, campaign).await;
        contacts.iter().all(|contact| contact.gate.as_deref() == Some("window")).then_some(contacts)
    };
    let contacts = until("both wait for their window", parked).await;
    // Nobody is called on a Sunday, and Monday begins at ten, in Moscow and two hours earlier in Yekaterinburg.
    let due: Vec<String> =
        contacts.iter().map(|c| halo::domain::Timestamp(c.due_at.expect("due")).to_string()).collect();
    assert!(due[0].starts_with("2026-06-22T07:00:00") && due[1].starts_with("2026-06-22T05:00:00"), "{due:?}");
    assert!(ledger::starts(&place.simulator).await.is_empty());
    set(&app, run, RunState::Stopped).await;
    app.stop().await;
}

/// Without the grant's look at the windows, a session that was started in time rings after closing time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_window_that_closes_between_plan_and_grant_defers() {
    // Monday, two minutes of program time before eight in the evening in Moscow.
    let place = dead_sessions(World { speed: 30.0, at: Some("2026-06-22T16:58:00Z"), ..World::default() }).await;
    let app = place.serve().await;
    let settings = settings("closing", "mode = \"greeting\"").replace("\"test\"", "\"survey\"");
    let campaign = take_in(&app, &settings, &csv([number(0, 1)])).await.campaign;
    let run = start(&app, campaign).await;
    let starts = until("the session was started", || async {
        Some(ledger::starts(&place.simulator).await).filter(|starts| starts.len() == 1)
    })
    .await;
    let closes = "2026-06-22T17:00:00Z".parse::<chrono::DateTime<chrono::Utc>>().expect("an instant");
    until("the window closes", || async { (app.clock.now().0 > closes.timestamp_millis()).then_some(()) }).await;
    assert_eq!(ask_for_grant(&app, &starts[0], "5").await.0, 410);
    let contact = &harness::contacts(&app, campaign).await[0];
    let due = halo::domain::Timestamp(contact.due_at.expect("it waits")).to_string();
    assert_eq!(contact.gate.as_deref(), Some("window"));
    assert!(due.starts_with("2026-06-23T06:00:00"), "{due}");
    assert!(harness::attempts(&app, campaign).await.iter().all(|a| a.state == "planned" && a.dialed_at.is_none()));
    set(&app, run, RunState::Stopped).await;
    app.stop().await;
}

/// Without the unique live index and the gate before it, both campaigns ring the same phone at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_campaigns_with_one_number_never_have_two_live_calls_to_it() {
    let place = Place::new(World { speed: 20.0, at: Some("2026-06-22T09:00:00Z"), ..World::default() }).await;
    let app = place.serve().await;
    let numbers = [number(0, 1), number(0, 2), number(0, 3)];
    let mut campaigns = Vec::new();
    for name in ["first", "second"] {
        campaigns.push(take_in(&app, &settings(name, "mode = \"dialog\""), &csv(&numbers)).await.campaign);
    }
    let runs = [start(&app, campaigns[0]).await, start(&app, campaigns[1]).await];
    let busy = || async {
        let mut held = 0;
        for campaign in &campaigns {
            let contacts = harness::contacts(&app, *campaign).await;
            held += contacts.iter().filter(|c| c.gate.as_deref() == Some("number_busy")).count();
        }
        (held == 3).then_some(())
    };
    until("each number has one live call, and one contact waits for it", busy).await;
    let ended = || async {
        let live = app.store.progress(runs[0]).await.expect("progress").live
            + app.store.progress(runs[1]).await.expect("progress").live;
        (live == 0).then_some(())
    };
    until("the first calls end", ended).await;
    assert_eq!(ledger::calls(&place.simulator).await.len(), 3);
    // A line is held for a minute of real time at least: the night goes by instead.
    app.stop().await;
    place.sleep_through("2026-06-23T09:00:00Z").await;
    let app = place.serve().await;
    let mut calls: Vec<(String, i64, i64)> = Vec::new();
    for (campaign, run) in campaigns.iter().zip(runs) {
        harness::completed(&app, run).await;
        harness::laws_hold(&app, *campaign).await;
        for attempt in harness::attempts(&app, *campaign).await {
            calls.push((attempt.e164, attempt.dialed_at.expect("dialled"), attempt.ended_at.expect("ended")));
        }
    }
    calls.sort();
    assert_eq!((calls.len(), ledger::no_attempt_twice(&place.simulator).await), (6, 6));
    for pair in calls.windows(2).filter(|pair| pair[0].0 == pair[1].0) {
        assert!(pair[0].2 <= pair[1].1, "two live calls at once: {pair:?}");
    }
    app.stop().await;
}
