//! What holds a single call back: the gates of every call, asked before anything is planned, and its own end.

use crate::harness::{Place, World, csv, ledger, number, settings, take_in, until};
use crate::{ask, attempt, dead_sessions, ended, fast, get, grant, placed, post};
use halo::app::{App, ClockStart, Duty, open_store};
use halo::config::PlatformConfig;
use halo::domain::settings::Take;
use halo::domain::{AttemptId, RunId};
use halo::http::single::{Here, Order, place as place_single};
use halo::simulator;
use halo::store::{By, RunState};
use serde_json::{Value, json};

async fn pause_all(app: &App, pause: bool, reason: &str) {
    app.store.pause_all(app.dialer.account, pause, By::halo(reason), app.clock.now()).await.expect("the store answers");
}

async fn nobody_was_started(place: &Place) {
    assert_eq!(ledger::starts(&place.simulator).await.len(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_that_cannot_be_taken_is_refused_in_words_and_without_the_number() {
    let place = fast().await;
    let app = place.serve().await;
    let whom = number(0, 1);
    let cases: [(&str, Value, &[&str]); 10] = [
        ("no phone", json!({}), &["phone: missing"]),
        ("no number", json!({ "phone": "+7999" }), &["phone"]),
        ("too long", json!({ "phone": format!("{whom}{whom}") }), &["phone"]),
        ("a digit too many", json!({ "phone": format!("{whom}5") }), &["phone"]),
        ("as a number", json!({ "phone": 79_990_000_001_i64 }), &["phone", "in quotes"]),
        ("unknown keys", json!({ "phone": whom, "colour": 1, "promt": "x" }), &["colour", "did you mean `prompt`"]),
        ("two modes", json!({ "phone": whom, "mode": "dialog", "scenario": "realtime" }), &["scenario", "keep one"]),
        (
            "unknown words",
            json!({ "phone": whom, "mode": "opera", "purpose": "fun", "language": "Russian",
                                  "timezone": "Mars" }),
            &["opera", "fun", "ru-RU", "Europe/Moscow"],
        ),
        ("no script of ours", json!({ "phone": whom, "language": "fr-FR" }), &["give a prompt in that language"]),
        ("an empty prompt", json!({ "phone": whom, "prompt": " " }), &["prompt"]),
    ];
    for (what, order, words) in cases {
        let (status, body) = ask(&app, order).await;
        assert_eq!(status, 422, "{what}: {body}");
        let said = body.to_string();
        assert!(words.iter().all(|word| said.contains(word)), "{what}: {said}");
        assert!(!said.contains("7999"), "{what} tells the number: {said}");
    }
    // Both words for one mode are no contradiction.
    assert_eq!(ask(&app, json!({ "phone": whom, "mode": "greeting", "scenario": "greeting" })).await.0, 201);
    let request = reqwest::Client::new().post(format!("http://{}/demo/session", app.address));
    let order = json!({ "phone": number(0, 2) }).to_string();
    assert_eq!(request.body(order).send().await.expect("an answer").status(), 401);
    assert_eq!(post(&app, "/demo/session").await.0, 400, "no body");
    crate::harness::stop_now(app).await;
}

/// Without the look before planning, a call for now is made whenever the gate opens.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_gate_refuses_the_call_and_says_until_when() {
    // A Friday's night in Moscow, Saturday noon in Auckland.
    let world = World { at: Some("2026-11-20T23:30:00Z"), speed: 1.0, ..World::default() };
    let place = Place::new(world).await;
    let app = place.serve().await;
    let (status, body) = ask(&app, json!({ "phone": number(0, 1), "purpose": "service" })).await;
    assert_eq!((status, &body["code"]), (409, &json!("window")), "{body}");
    assert!(body["until"].as_str().is_some_and(|until| until.starts_with("2026-11-21T07:00:00")), "{body}");
    // Other numbers in a test fall under the same hours.
    let (status, body) = ask(&app, json!({ "phone": "+74951234567" })).await;
    assert_eq!((status, &body["code"]), (409, &json!("window")), "{body}");

    app.store
        .suppress(number(0, 2).parse().expect("a number"), "asked by letter", app.clock.now())
        .await
        .expect("done");
    let (status, body) = ask(&app, json!({ "phone": number(0, 2) })).await;
    assert_eq!((status, &body["code"]), (409, &json!("suppressed")), "{body}");
    assert!(body["detail"].as_str().is_some_and(|said| said.contains("asked by letter")), "{body}");

    pause_all(&app, true, "the lawyer is asked").await;
    let (status, body) = ask(&app, json!({ "phone": number(0, 3) })).await;
    assert_eq!((status, &body["code"]), (409, &json!("paused")), "{body}");
    assert!(body["detail"].as_str().is_some_and(|said| said.contains("the lawyer is asked")), "{body}");
    pause_all(&app, false, "").await;
    nobody_was_started(&place).await;

    let order = json!({ "phone": number(0, 75), "purpose": "service", "timezone": "Pacific/Auckland" });
    let there = placed(&app, order).await;
    assert_eq!(ended(&app, &there).await["outcome"], json!("busy"));
    crate::harness::stop_now(app).await;
}

/// Without a campaign of its own for each, the second call waits for the first; one number takes one call.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_numbers_are_called_at_once_and_one_number_is_not() {
    let place = dead_sessions().await;
    let app = place.serve().await;
    let first = placed(&app, json!({ "phone": number(0, 1) })).await;
    let second = placed(&app, json!({ "phone": number(0, 2) })).await;
    for (id, session) in [(&first, 31), (&second, 32)] {
        assert_eq!(grant(&place, &app, id, session).await.0, 200);
    }
    for id in [&first, &second] {
        assert_eq!(attempt(&app, id).await["state"], json!("live"));
    }
    let (status, body) = ask(&app, json!({ "phone": number(0, 1) })).await;
    assert_eq!((status, &body["code"]), (409, &json!("number_busy")), "{body}");
    assert!(body["until"].is_string(), "{body}");
    crate::harness::stop_now(app).await;
}

/// Without the lock on the number, a double click rings twice: once now, and once when the first call is over.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_that_comes_twice_is_one_call() {
    let place = dead_sessions().await;
    let app = place.serve().await;
    let order = || ask(&app, json!({ "phone": number(0, 1) }));
    let answers = futures::future::join_all([order(), order(), order(), order()]).await;
    let taken: Vec<&(u16, Value)> = answers.iter().filter(|(status, _)| *status == 201).collect();
    assert_eq!(taken.len(), 1, "{answers:?}");
    for (_, body) in answers.iter().filter(|(status, _)| *status != 201) {
        assert_eq!(body["code"], json!("number_busy"), "{body}");
    }
    crate::harness::stop_now(app).await;
}

/// Whoever ordered a call does not wait for it: a gate that closes on its way ends it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gate_that_closes_before_the_grant_ends_a_single_call() {
    let place = dead_sessions().await;
    let app = place.serve().await;
    let id = placed(&app, json!({ "phone": number(0, 1) })).await;
    until("its session is started", || async { (!ledger::starts(&place.simulator).await.is_empty()).then_some(()) })
        .await;
    pause_all(&app, true, "look").await;
    assert_eq!(grant(&place, &app, &id, 31).await.0, 410);
    pause_all(&app, false, "").await;
    assert_eq!(ended(&app, &id).await["outcome"], json!("cancelled"));
    crate::harness::stop_now(app).await;
}

/// What a list is refused for, a single call is refused for; and it rings by its number's own clock.
#[test]
fn an_order_falls_under_the_rules_of_a_list() {
    let modes = ["greeting", "dialog"].map(|mode| mode.parse().expect("a mode")).into();
    let read = |order: Value| Order::read(&order, &modes);
    let zone = |order: Value| read(order).expect("sound").timezone.map(|zone| zone.name());
    let (moscow, example) = ("+74951234567", number(0, 1));
    assert_eq!(zone(json!({ "phone": moscow })), Some("Europe/Moscow"));
    assert_eq!(zone(json!({ "phone": moscow, "timezone": "Asia/Omsk" })), Some("Asia/Omsk"));
    assert_eq!(zone(json!({ "phone": example })), None);
    let refused = read(json!({ "phone": moscow, "purpose": "advertising" })).expect_err("refused").to_string();
    assert!(refused.contains("refused in Russia"), "{refused}");
}

/// Without the look at the kind of the run, one call without money pauses and is made again when somebody pays.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_without_money_is_one_try_and_over() {
    let place = dead_sessions().await;
    let app = place.serve().await;
    let id = placed(&app, json!({ "phone": number(0, 1) })).await;
    let (_, granted) = grant(&place, &app, &id, 41).await;
    let failed = json!({ "call_id": id, "event": "Failed", "seq": 1, "at_ms": 900, "session_id": "41", "code": 402,
                         "reason": "Insufficient funds", "dialled_at_ms": 10, "ringing_at_ms": null,
                         "ended_at_ms": 900, "ring_timer": false });
    let request = reqwest::Client::new().post(format!("http://{}/voximplant/events", app.address));
    let token = granted["event_token"].as_str().expect("a token");
    let answer = request.bearer_auth(token).body(failed.to_string()).send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
    let told = ended(&app, &id).await;
    assert_eq!((&told["outcome"], &told["fault"]), (&json!("no_funds"), &json!("provider")));
    let run: RunId = told["run"].as_str().expect("a run").parse().expect("an id");
    until("its run is over", || async {
        (app.store.run(run).await.expect("it").state == RunState::Completed).then_some(())
    })
    .await;
    crate::harness::stop_now(app).await;
}

/// An order written beside the process that dials, as `halo call` does.
async fn written(place: &Place, phone: String, account: i64) -> AttemptId {
    let store = open_store(&place.config()).await.expect("the database opens");
    let clock = halo::app::peek_clock(&store).await.expect("its clock");
    let modes = halo::app::known_modes(&place.config()).expect("modes");
    let order = Order::read(&json!({ "phone": phone }), &modes).expect("an order");
    let caller_id = "+74951234567".parse().ok();
    let here = Here { store: &store, modes: &modes, real_platform: false, caller_id, account, now: clock.now() };
    let placed = place_single(&here, order).await.expect("placed");
    store.close().await;
    placed.attempt
}

/// Without the withdrawal, a call somebody wanted an hour ago rings when the service comes back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_nobody_took_up_in_time_is_withdrawn() {
    let place = Place::new(World { at: Some("2026-11-20T12:00:00Z"), speed: 1.0, ..World::default() }).await;
    let app = place.serve().await;
    let account = app.dialer.account;
    crate::harness::stop_now(app).await;
    let id = written(&place, number(0, 1), account).await;
    place.sleep_through("2026-11-20T12:20:00Z").await;
    let app = place.serve().await;
    let told = ended(&app, &id.to_string()).await;
    assert_eq!((&told["outcome"], &told["run_state"]), (&json!("cancelled"), &json!("stopped")));
    let last = told["timeline"].as_array().and_then(|all| all.last()).expect("an end").clone();
    assert!(last["reason"].as_str().is_some_and(|why| why.contains("for now")), "{last}");
    nobody_was_started(&place).await;

    // One that is fresh is made.
    crate::harness::stop_now(app).await;
    let id = written(&place, number(0, 75), account).await;
    let app = place.serve().await;
    assert_eq!(ended(&app, &id.to_string()).await["outcome"], json!("busy"));
    crate::harness::stop_now(app).await;
}

/// Without the duty, `halo call` in somebody's database goes on with the campaign that was interrupted there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_for_one_call_leaves_campaigns_and_schedules_alone() {
    let place = fast().await;
    let app = place.serve().await;
    let nightly = "mode = \"greeting\"\n[schedule]\ncron = \"* * * * *\"\ntake = \"all\"";
    let list = csv([number(1, 1), number(1, 2)]);
    let (head, tail) =
        settings("nightly", "").split_once("[dial]").map(|(a, b)| (a.to_owned(), b.to_owned())).expect("it");
    let campaign = take_in(&app, &settings("waiting", "mode = \"greeting\""), &list).await.campaign;
    take_in(&app, &format!("{head}{nightly}\n[dial]{tail}"), &list).await;
    let account = app.dialer.account;
    crate::harness::stop_now(app).await;
    let before = ledger::calls(&place.simulator).await.len();

    let config = place.config();
    let store = open_store(&config).await.expect("the database opens");
    let now = halo::app::peek_clock(&store).await.expect("a clock").now();
    store.start_run(campaign, account, Take::All, now).await.expect("a run");
    let nightly = store.find_campaign("nightly").await.expect("it").campaign;
    let nights = store.runs(nightly).await.expect("its runs").len();
    let clock = ClockStart { speed: 120.0, at: None };
    // Another platform's service for one call has no say over this one's runs.
    let mut elsewhere = config.clone();
    if let PlatformConfig::At { account, .. } = &mut elsewhere.platform {
        *account = "2000002".into();
    }
    let theirs = App::start_for(&elsewhere, store.clone(), clock, simulator::Settings::default(), Duty::SingleCalls);
    let theirs = theirs.await.expect("a service for one call elsewhere");
    let states: Vec<RunState> = theirs.store.runs(campaign).await.expect("runs").iter().map(|run| run.state).collect();
    assert!(!states.contains(&RunState::Paused), "{states:?}");
    let remembered = theirs.store.installation_value("account").await.expect("the database answers");
    assert_eq!(remembered, Some(account.to_string()));
    theirs.stop().await;
    let store = open_store(&config).await.expect("the database opens");
    let app = App::start_for(&config, store, clock, simulator::Settings::default(), Duty::SingleCalls).await;
    let app = app.expect("a service for one call");
    let id = placed(&app, json!({ "phone": number(0, 1), "mode": "dialog" })).await;
    assert_eq!(ended(&app, &id).await["outcome"], json!("answered"));
    let calls = ledger::calls(&place.simulator).await;
    assert_eq!(calls.len(), before + 1, "{calls:?}");
    // Its schedule is due every minute.
    until("two minutes pass", || async { (app.clock.now().since(now) > 120_000).then_some(()) }).await;
    let later = app.clock.now().plus_ms(3_600_000);
    // Whoever led before has ended.
    app.store.lead("scheduler", &app.dialer.node, later, later.plus_ms(60_000)).await.expect("a leader");
    assert_eq!(app.dialer.fire().await.expect("it looks"), []);
    assert_eq!(app.store.runs(nightly).await.expect("its runs").len(), nights);
    let (_, runs) = get(&app, "/api/v1/campaigns/waiting/runs").await;
    assert_eq!(runs[0]["progress"]["waiting"], json!(2), "{runs}");
    crate::harness::stop_now(app).await;
}
