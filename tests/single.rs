//! One call: placed over the API, through the gates of any other call, followed, hung up, and in no list.

mod harness;

#[path = "single/gates.rs"]
mod gates;
#[path = "single/hang_up.rs"]
mod hang_up;
#[path = "single/prompts.rs"]
mod prompts;

use halo::app::App;
use halo::simulator::{Mischief, MischiefKind as Kind};
use harness::{KEY, Place, World, csv, ledger, number, settings, until};
use serde_json::{Value, json};

/// An answer: its status and its body.
type Answer = (u16, Value);

async fn send(request: reqwest::RequestBuilder) -> Answer {
    let answer = request.bearer_auth(KEY).send().await.expect("the service answers");
    let status = answer.status().as_u16();
    let text = answer.text().await.expect("a body");
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

async fn get(app: &App, path: &str) -> Answer {
    send(reqwest::Client::new().get(format!("http://{}{path}", app.address))).await
}

async fn post(app: &App, path: &str) -> Answer {
    send(reqwest::Client::new().post(format!("http://{}{path}", app.address))).await
}

/// What is asked for, as `curl -d` sends it.
async fn ask(app: &App, order: Value) -> Answer {
    let request = reqwest::Client::new().post(format!("http://{}/demo/session", app.address));
    send(request.body(order.to_string())).await
}

/// The attempt of a call that was placed.
async fn placed(app: &App, order: Value) -> String {
    let (status, told) = ask(app, order).await;
    assert_eq!(status, 201, "{told}");
    told["attempt"].as_str().expect("an attempt").to_owned()
}

async fn attempt(app: &App, id: &str) -> Value {
    let (status, told) = get(app, &format!("/api/v1/attempts/{id}")).await;
    assert_eq!(status, 200, "{told}");
    told
}

async fn ended(app: &App, id: &str) -> Value {
    until("the call ends", || async {
        let told = attempt(app, id).await;
        (told["state"] == "ended").then_some(told)
    })
    .await
}

/// What happened, by name, without repeats in a row.
fn happened(told: &Value) -> Vec<String> {
    let timeline = told["timeline"].as_array().expect("a timeline");
    let mut names: Vec<String> = timeline.iter().map(|h| h["what"].as_str().unwrap_or_default().to_owned()).collect();
    names.dedup();
    names
}

async fn fast() -> Place {
    Place::new(World { speed: 120.0, ..World::default() }).await
}

/// A world whose sessions die at once: the test plays them.
async fn dead_sessions() -> Place {
    Place::new(World { mischief: Mischief::none().with(Kind::StartNoGrant, 1.0), ..World::default() }).await
}

/// The session of an attempt asks for its grant, as the scenario would.
async fn grant(place: &Place, app: &App, id: &str, session: i64) -> Answer {
    let start = until("its session was started", || async {
        ledger::starts(&place.simulator).await.into_iter().find(|start| start.attempt == id)
    })
    .await;
    let body = json!({ "a": id, "t": start.token, "session_id": session });
    let request = reqwest::Client::new().post(format!("http://{}/voximplant/grant", app.address));
    send(request.body(body.to_string())).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_in_each_mode_ends_as_its_number_says_and_its_story_is_told_in_order() {
    let place = fast().await;
    let app = place.serve().await;
    for (nth, mode) in (1..).zip(["dialog", "realtime", "realtime_pure", "greeting"]) {
        let (status, told) = ask(&app, json!({ "phone": number(0, nth), "mode": mode })).await;
        assert_eq!((status, &told["mode"], &told["purpose"]), (201, &json!(mode), &json!("test")), "{told}");
        let masked = format!("+…0{nth}");
        assert_eq!(told["number"], json!(masked));
        let id = told["attempt"].as_str().expect("an attempt");
        assert_eq!(told["links"]["attempt"], json!(format!("/api/v1/attempts/{id}")));
        let told = ended(&app, id).await;
        assert_eq!(
            (&told["outcome"], &told["fault"], &told["kind"]),
            (&json!("answered"), &json!("contact"), &json!("single"))
        );
        assert_eq!((&told["number"], told["told"].as_str().map(str::len)), (&json!(masked), Some(64)));
        let names = happened(&told);
        for pair in ["planned", "starting", "granted", "ringing", "connected", "ended"].windows(2) {
            let place = |name: &str| names.iter().position(|known| known == name);
            assert!(place(pair[0]).is_some() && place(pair[0]) < place(pair[1]), "{mode}: {pair:?} in {names:?}");
        }
        assert_eq!(names.contains(&"turn".to_owned()), mode != "greeting", "{mode}: {names:?}");
        assert!(told["call"]["talk_ms"].as_i64().is_some_and(|ms| ms > 0), "{mode}: {}", told["call"]);
        let text = told.to_string();
        assert!(!text.contains(&number(0, nth)[1..]) && !text.contains("/request/"), "{mode}: {text}");
    }
    // Nothing said is the mode `dialog`; `scenario` is the starting material's word; a busy line is one try.
    let busy = placed(&app, json!({ "phone": "8 (999) 000-00-75" })).await;
    let rejected = placed(&app, json!({ "phone": number(0, 88), "scenario": "realtime" })).await;
    let told = ended(&app, &busy).await;
    assert_eq!(
        (&told["outcome"], &told["mode"], &told["call"]["code"]),
        (&json!("busy"), &json!("dialog"), &json!(486))
    );
    assert_eq!(ended(&app, &rejected).await["outcome"], json!("rejected"));
    let run = told["run"].as_str().expect("a run").to_owned();
    until("its run is over", || async {
        let (_, told) = get(&app, &format!("/api/v1/runs/{run}")).await;
        (told["state"] == "completed").then_some(())
    })
    .await;
    assert_eq!(ledger::no_attempt_twice(&place.simulator).await, 6);
    app.stop().await;
}

/// Without the kind in the queries, somebody's tests stand among the campaigns and in their figures.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_single_call_is_in_no_list_no_report_and_no_campaign_s_way() {
    let place = fast().await;
    let app = place.serve().await;
    let list = csv([number(0, 1), number(0, 2)]);
    let campaign = harness::take_in(&app, &settings("beside", "mode = \"dialog\""), &list).await.campaign;
    let id = placed(&app, json!({ "phone": number(0, 1) })).await;
    let told = ended(&app, &id).await;
    let single = told["campaign"].as_str().expect("its campaign").to_owned();

    let (_, campaigns) = get(&app, "/api/v1/campaigns").await;
    let ids: Vec<&str> = campaigns.as_array().expect("a list").iter().filter_map(|c| c["id"].as_str()).collect();
    assert_eq!(ids, [campaign.to_string()]);
    for of in ["", "/report", "/contacts", "/contacts.csv", "/attempts", "/attempts.csv", "/prove", "/runs"] {
        for name in [single.clone(), format!("single%2F{}", told["run"].as_str().expect("a run"))] {
            let (status, body) = get(&app, &format!("/api/v1/campaigns/{name}{of}")).await;
            assert_eq!(status, 404, "{of}: {body}");
        }
    }
    assert_eq!(post(&app, &format!("/api/v1/campaigns/{single}/runs")).await.0, 404, "it is one call and stays one");

    // Reached by the single call, and still to be reached by the campaign.
    let now = app.clock.now();
    let take = halo::domain::settings::Take::Unreached;
    let (run, contacts) = app.store.start_run(campaign, app.dialer.account, take, now).await.expect("a run");
    assert_eq!(contacts, 2);
    harness::completed(&app, run).await;
    harness::laws_hold(&app, campaign).await;
    let proof = harness::proof(&app, campaign).await;
    assert_eq!((proof.proved.calls.attempts, proof.proved.calls.calls_in_history), (2, 2));
    let human: u64 = harness::report(&app, campaign).await.arms.iter().map(|arm| arm.human).sum();
    assert_eq!(human, 2);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_follows_is_told_each_thing_once_until_the_end() {
    let place = fast().await;
    let app = place.serve().await;
    let id = placed(&app, json!({ "phone": number(0, 3), "mode": "realtime_pure" })).await;
    let request = reqwest::Client::new().get(format!("http://{}/api/v1/attempts/{id}/events", app.address));
    let answer = request.bearer_auth(KEY).send().await.expect("an answer");
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    // The stream ends by itself: with the call.
    let text = answer.text().await.expect("the whole story");
    let lines = text.lines().filter_map(|line| line.strip_prefix("data: "));
    let live: Vec<Value> = lines.map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let told = attempt(&app, &id).await;
    let mut ids: Vec<&str> = live.iter().filter_map(|h| h["id"].as_str()).collect();
    assert_eq!(ids.last(), Some(&"ended:answered"), "{text}");
    let mut all: Vec<&str> = told["timeline"].as_array().expect("it").iter().filter_map(|h| h["id"].as_str()).collect();
    ids.sort_unstable();
    all.sort_unstable();
    assert_eq!(ids, all);
    assert_eq!(get(&app, "/api/v1/attempts/att_0000000000000/events").await.0, 404);
    assert_eq!(get(&app, "/api/v1/attempts/nothing").await.0, 404);
    app.stop().await;
}
