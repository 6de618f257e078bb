//! What an operator does to a campaign that lives, over the API.

use crate::harness::{self, KEY, Place, World, csv, ledger, number, settings, take_in, until};
use crate::{Answer, answer, get, place, post, url};
use halo::app::App;
use serde_json::{Value, json};

async fn tell(app: &App, method: reqwest::Method, path: &str, body: Value) -> Answer {
    let request = reqwest::Client::new().request(method, url(app, path)).bearer_auth(KEY);
    answer(request.header("content-type", "application/json").body(body.to_string())).await
}

async fn order(app: &App, path: &str, body: Value) -> Answer {
    tell(app, reqwest::Method::POST, path, body).await
}

async fn run_in_state(app: &App, run: &str, state: &str) -> Value {
    until(&format!("the run is {state}"), || async {
        let (status, body) = get(app, &format!("/api/v1/runs/{run}")).await;
        assert_eq!(status, 200, "{body}");
        (body["state"] == state).then_some(body)
    })
    .await
}

/// Two starts a second of real time.
fn slow(name: &str) -> String {
    settings(name, "mode = \"greeting\"").replace("cps = 20", "cps = 0.02")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_is_held_steered_and_joined_while_it_goes_on() {
    let place = place().await;
    let app = place.serve().await;
    let list = csv((0..20).map(|ending| number(0, ending)));
    take_in(&app, &slow("steered"), &list).await;
    let (_, shown) = get(&app, "/api/v1/campaigns/steered").await;
    assert_eq!((&shown["state"], &shown["hindrances"]), (&json!("checked"), &json!([])), "{shown}");

    let start = json!({ "hold_after": 3, "by": "Anna", "reason": "first three, then look" });
    let (status, run) = order(&app, "/api/v1/campaigns/steered/runs", start).await;
    assert_eq!((status, &run["state"]), (201, &json!("running")), "{run}");
    let run = run["id"].as_str().expect("an id").to_owned();
    let held = run_in_state(&app, &run, "paused").await;
    assert_eq!((&held["hold"]["after"], &held["hold"]["dialled"]), (&json!(3), &json!(3)), "{held}");
    let first = &held["history"][0];
    assert_eq!(
        (&first["state"], &first["actor"], &first["by"], &first["reason"]),
        (&json!("running"), &json!("api"), &json!("Anna"), &json!("first three, then look"))
    );
    assert_eq!(held["history"][1]["reason"], json!("held: 3 contacts were dialled, as asked; resume goes on"));
    let dialled = || async { ledger::by_number(&place.simulator).await.len() };
    let nobody_speaks = || async {
        let (_, now) = get(&app, &format!("/api/v1/runs/{run}")).await;
        (now["progress"]["live"] == 0).then_some(())
    };
    until("the calls end", nobody_speaks).await;
    assert_eq!(dialled().await, 3);
    let (status, _) = order(&app, &format!("/api/v1/runs/{run}/resume"), json!({ "hold_after": 2 })).await;
    assert_eq!(status, 200);
    run_in_state(&app, &run, "paused").await;
    until("the calls end", nobody_speaks).await;
    assert_eq!(dialled().await, 5);

    // The great pause, and a list that comes in meanwhile, as rows and as CSV.
    let (status, paused) = order(&app, "/api/v1/pause", json!({ "reason": "the lawyer called", "by": "Olga" })).await;
    assert_eq!(
        (status, &paused["paused"], &paused["runs"], &paused["live"]),
        (200, &json!(true), &json!(1), &json!(0))
    );
    assert_eq!((&paused["reason"], &paused["history"][0]["by"]), (&json!("the lawyer called"), &json!("Olga")));
    assert_eq!(post(&app, &format!("/api/v1/runs/{run}/resume")).await.0, 200);
    let rows = json!([{ "phone": number(1, 1), "city": "Orel" }, { "phone": number(0, 1) }, { "phone": "12" }]);
    let (status, joined) = order(&app, "/api/v1/campaigns/steered/contacts", rows).await;
    assert_eq!((status, &joined["list"], &joined["run"]), (201, &json!(2), &json!(run)), "{joined}");
    assert_eq!(joined["buckets"], json!({ "accepted": 1, "duplicate": 1, "refused": 1 }));
    assert_eq!(joined["told"], json!(format!("they are called in run {run}")));
    let more = reqwest::Client::new().post(url(&app, "/api/v1/campaigns/steered/contacts")).bearer_auth(KEY);
    let (status, joined) = answer(more.header("content-type", "text/csv").body(csv([number(1, 2)]))).await;
    assert_eq!((status, &joined["buckets"]["accepted"]), (201, &json!(1)), "{joined}");
    assert_eq!(dialled().await, 5, "nobody is dialled in the great pause");

    // Faster from the next look on, and everybody is called.
    let faster = json!({ "dial": { "cps": 20 }, "reason": "it goes well" });
    let (status, changed) = tell(&app, reqwest::Method::PATCH, "/api/v1/campaigns/steered/settings", faster).await;
    assert_eq!((status, changed), (200, json!({ "version": 2, "changed": ["dial.cps"] })));
    let (_, resumed) = post(&app, "/api/v1/resume").await;
    assert_eq!(resumed["paused"], json!(false));
    let over = run_in_state(&app, &run, "completed").await;
    assert_eq!((over["progress"]["contacts"].as_i64(), dialled().await), (Some(22), 22), "{over}");
    let (_, told) = get(&app, "/api/v1/campaigns/steered/settings").await;
    assert_eq!((&told["version"], &told["history"][1]["reason"]), (&json!(2), &json!("it goes well")), "{told}");
    harness::laws_hold(&app, app.store.find_campaign("steered").await.expect("it is there").campaign).await;

    let (_, waits) = order(&app, "/api/v1/campaigns/steered/contacts", json!([{ "phone": number(1, 3) }])).await;
    assert_eq!((&waits["run"], &waits["told"]), (&Value::Null, &json!("they wait for the next run")));
    let (status, clone) = order(&app, "/api/v1/campaigns/steered/clone", json!({ "name": "again" })).await;
    assert_eq!((status, &clone["contacts"]), (201, &json!(23)), "{clone}");
    let at = halo::domain::Timestamp(app.clock.now().0 + 86_400_000);
    let (status, later) = order(&app, "/api/v1/campaigns/again/runs", json!({ "starts_at": at.to_string() })).await;
    assert_eq!((status, &later["state"]), (201, &json!("scheduled")), "{later}");
    let later = format!("/api/v1/runs/{}", later["id"].as_str().expect("an id"));
    let (status, drained) = order(&app, &format!("{later}/drain"), json!({ "reason": "never mind" })).await;
    assert_eq!((status, &drained["progress"]["rested"]), (200, &json!(23)), "{drained}");
    run_in_state(&app, later.trim_start_matches("/api/v1/runs/"), "completed").await;
    crate::harness::stop_now(app).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_done_to_a_run_is_said() {
    let place = place().await;
    let app = place.serve().await;
    take_in(&app, &slow("refused"), &csv([number(0, 1)])).await;
    let runs = "/api/v1/campaigns/refused/runs";
    for (body, word) in [
        (json!({ "hold_after": 0 }), "hold_after"),
        (json!({ "starts_at": "tonight" }), "starts_at"),
        (json!({ "colour": 1 }), "colour"),
        (json!({ "reason": "x".repeat(1001) }), "reason"),
        (json!([1]), "body"),
    ] {
        let (status, said) = order(&app, runs, body).await;
        assert_eq!((status, said["detail"].as_str().is_some_and(|said| said.contains(word))), (400, true), "{said}");
    }
    assert_eq!(get(&app, runs).await.1, json!([]), "nothing was started");
    let settings = "/api/v1/campaigns/refused/settings";
    for (patch, status, word) in [
        (json!({ "dial": { "cps": 0 } }), 422, "dial.cps"),
        (json!({ "purpose": "survey" }), 422, "purpose"),
        (json!({ "reason": 3 }), 400, "reason"),
        (json!(3), 400, "table"),
    ] {
        let (code, said) = tell(&app, reqwest::Method::PATCH, settings, patch).await;
        assert_eq!((code, crate::told(&said).contains(word)), (status, true), "{said}");
    }
    let contacts = "/api/v1/campaigns/refused/contacts";
    assert_eq!(order(&app, contacts, json!([{ "phone": [] }])).await.0, 422);
    assert_eq!(order(&app, contacts, json!([{ "name": "Anna" }])).await.0, 422);
    assert_eq!(order(&app, "/api/v1/campaigns/nobody/contacts", json!([])).await.0, 404);
    assert_eq!(order(&app, "/api/v1/campaigns/refused/clone", json!({})).await.0, 400);
    assert_eq!(order(&app, "/api/v1/campaigns/refused/clone", json!({ "name": "refused" })).await.0, 409);
    assert_eq!(post(&app, "/api/v1/runs/run_0000000000000/drain").await.0, 404);
    crate::harness::stop_now(app).await;
}

/// Without the word to the sessions the calls would talk to their own end, minutes later.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_can_hang_up_and_outcomes_come_from_the_calls() {
    let place = Place::new(World { speed: 8.0, ..World::default() }).await;
    let app = place.serve().await;
    let list = csv((1..4).chain([78]).map(|ending| number(0, ending)));
    let campaign = take_in(&app, &settings("stopped", "mode = \"dialog\""), &list).await.campaign;
    let run = harness::start(&app, campaign).await;
    until("three talk", || async {
        let attempts = harness::attempts(&app, campaign).await;
        let mut talking = 0;
        for attempt in attempts {
            let events = app.store.events(halo::domain::AttemptId(attempt.attempt_id)).await.expect("events");
            talking += usize::from(events.iter().any(|event| event.event == "Connected"));
        }
        (talking == 3).then_some(())
    })
    .await;
    let stop = format!("/api/v1/runs/{run}/stop");
    let (status, stopped) = order(&app, &stop, json!({ "hang_up": true, "reason": "wrong script" })).await;
    assert_eq!((status, &stopped["state"], &stopped["state_reason"]), (200, &json!("stopped"), &json!("wrong script")));
    let told = &stopped["hang_up"];
    assert_eq!((&told["told"], &told["could_not"], &told["unanswered"]), (&json!(4), &json!(0), &json!(0)), "{told}");
    until("every call ends", || async {
        let progress = app.store.progress(run).await.expect("progress");
        (progress.rested == progress.contacts).then_some(())
    })
    .await;
    for attempt in harness::attempts(&app, campaign).await {
        let rang = attempt.e164 == number(0, 78);
        let (outcome, by) = if rang { ("cancelled", None) } else { ("answered", Some("agent")) };
        assert_eq!(attempt.outcome.as_deref(), Some(outcome), "{attempt:?}");
        assert!(rang || attempt.hung_up_by.as_deref() == by, "{attempt:?}");
    }
    assert_eq!(post(&app, &stop).await.0, 409);
    let (status, again) = order(&app, &stop, json!({ "hang_up": true })).await;
    assert_eq!((status, &again["hang_up"]["told"]), (200, &json!(0)), "nobody is left");
    crate::harness::stop_now(app).await;
}
