//! A request with an `Idempotency-Key` is done once, whoever sends it how often.

use crate::harness::{KEY, Place, World, number};
use halo::app::App;
use halo::store::repeats::{Begin, Begun};
use serde_json::{Value, json};
use std::collections::BTreeSet;

struct Came {
    status: u16,
    again: bool,
    body: Value,
}

async fn call(app: &App, key: &str, phone: &str) -> Came {
    let request = reqwest::Client::new().post(format!("http://{}/demo/session", app.address)).bearer_auth(KEY);
    let body = json!({ "phone": phone, "mode": "greeting" });
    let answer = request.header("idempotency-key", key).json(&body).send().await.expect("an answer");
    let again = answer.headers().get("idempotency-replayed").is_some_and(|mark| mark == "true");
    Came { status: answer.status().as_u16(), again, body: answer.json().await.expect("JSON") }
}

/// The guards: `begin_repeat.sql` lets one begin, `Underway` tells the others to wait. Without them a client that is
/// impatient calls somebody twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_that_come_together_one_is_done() {
    let place = Place::new(World { speed: 120.0, ..World::default() }).await;
    let app = place.serve().await;
    let all = futures::future::join_all((0..12).map(|_| call(&app, "one", "+79990000001"))).await;
    let done: Vec<&Came> = all.iter().filter(|came| came.status == 201).collect();
    assert_eq!(done.iter().filter(|came| !came.again).count(), 1, "one is done");
    let attempts: BTreeSet<&str> = done.iter().filter_map(|came| came.body["attempt"].as_str()).collect();
    assert_eq!(attempts.len(), 1, "{attempts:?}");
    for came in all.iter().filter(|came| came.status != 201) {
        assert_eq!((came.status, &came.body["code"]), (409, &json!("underway")), "{}", came.body);
    }
    let late = call(&app, "one", "+79990000001").await;
    assert!(late.status == 201 && late.again && late.body == done[0].body, "{}", late.body);
    app.stop().await;
}

/// Without the fingerprint a key would answer for what it never came with; without the release a mistake that was
/// mended could not be sent again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_belongs_to_its_request_and_a_refused_one_frees_it() {
    let place = Place::new(World { speed: 120.0, ..World::default() }).await;
    let app = place.serve().await;
    assert_eq!(call(&app, "k", "12").await.status, 422, "no number");
    assert_eq!(call(&app, "k", &number(0, 1)).await.status, 201, "mended, under the same key");
    let other = call(&app, "k", &number(0, 2)).await;
    assert_eq!((other.status, &other.body["code"]), (422, &json!("key_used")), "{}", other.body);
    assert_eq!(call(&app, " ", &number(0, 2)).await.status, 400, "a key has letters");

    // A process that died in the middle: nobody knows whether somebody was called.
    let begin = || Begin { key: "died".into(), fingerprint: "f".into(), now: app.clock.now() };
    assert_eq!(app.store.begin_repeat(begin()).await.expect("kept"), Begun::First);
    assert_eq!(app.store.begin_repeat(begin()).await.expect("kept"), Begun::Unanswered);
    let other = call(&app, "died", &number(0, 3)).await;
    assert_eq!((other.status, &other.body["code"]), (422, &json!("key_used")), "{}", other.body);
    // After a day the key is free.
    let later = Begin { now: app.clock.now().plus_ms(halo::store::repeats::KEPT_MS + 60_000), ..begin() };
    assert_eq!(app.store.begin_repeat(later).await.expect("kept"), Begun::First);
    app.stop().await;
}
