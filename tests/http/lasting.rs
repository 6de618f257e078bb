//! What goes on after its request was let in, and what a body must be.

use crate::harness::{self, KEY, csv, number, settings};
use crate::{answer, get, place, post, url};
use halo::app::App;
use reqwest::{Method, Response};
use serde_json::{Value, json};
use std::time::Duration;

/// Longer than a key is left unlooked at.
const SOON: Duration = Duration::from_secs(20);
const STILL: Duration = Duration::from_secs(3);

async fn key(app: &App, order: Value) -> (String, String) {
    let made = reqwest::Client::new().post(url(app, "/api/v1/keys")).bearer_auth(KEY).json(&order);
    let (status, made) = answer(made).await;
    assert_eq!(status, 201, "{made}");
    let text = |field: &str| made[field].as_str().expect("a text").to_owned();
    (text("id"), text("key"))
}

async fn followed(app: &App, run: &str, key: &str) -> Response {
    let request = reqwest::Client::new().get(url(app, &format!("/api/v1/runs/{run}/events"))).bearer_auth(key);
    let followed = request.send().await.expect("an answer");
    assert_eq!(followed.status(), 200);
    followed
}

/// Reads on; true when the stream ended by itself within this time.
async fn ends(stream: &mut Response, within: Duration) -> bool {
    let reading = async { while stream.chunk().await.expect("a stream that is whole").is_some() {} };
    tokio::time::timeout(within, reading).await.is_ok()
}

/// The guard: `lasting::with_its_key` in `access::require_key`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_ends_with_the_key_that_opened_it() {
    let place = place().await;
    let app = place.serve().await;
    let campaign = harness::take_in(&app, &settings("followed", ""), &csv([number(0, 1)])).await.campaign;
    assert_eq!(post(&app, "/api/v1/pause").await.0, 200);
    let run = harness::start(&app, campaign).await.to_string();
    let (id, revoked) = key(&app, json!({ "name": "revoked", "role": "viewer" })).await;
    // Program time runs 120 times as fast: some seconds.
    let soon = app.clock.now().plus_ms(600_000).to_string();
    let (_, short) = key(&app, json!({ "name": "short", "role": "operator", "expires_at": soon })).await;
    let (_, other) = key(&app, json!({ "name": "other", "role": "operator" })).await;
    let mut streams = Vec::new();
    for key in [&revoked, &short, &other, &KEY.to_owned()] {
        streams.push(followed(&app, &run, key).await);
    }
    let gone = reqwest::Client::new().delete(url(&app, &format!("/api/v1/keys/{id}"))).bearer_auth(KEY);
    assert_eq!(answer(gone).await.0, 204);
    assert!(ends(&mut streams[0], SOON).await, "a revoked key's stream ends");
    assert!(ends(&mut streams[1], SOON).await, "an expired key's stream ends");
    for (stream, whose) in streams[2..].iter_mut().zip(["another key", "the settings' key"]) {
        assert!(!ends(stream, STILL).await, "the stream of {whose} goes on");
    }
    crate::harness::stop_now(app).await;
}

/// The guard: `body::Object` at each place that reads one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_is_no_order() {
    let place = place().await;
    let app = place.serve().await;
    let list = csv([number(0, 1)]);
    let (campaign, run) = harness::whole_run(&app, &settings("ordered", ""), &list).await;
    let (on_campaign, on_run) = (format!("/api/v1/campaigns/{campaign}"), format!("/api/v1/runs/{run}"));
    let routes = [
        ("POST", format!("{on_campaign}/report/share")),
        ("POST", format!("{on_campaign}/runs")),
        ("POST", format!("{on_campaign}/clone")),
        ("PATCH", format!("{on_campaign}/settings")),
        ("POST", format!("{on_run}/pause")),
        ("POST", format!("{on_run}/resume")),
        ("POST", format!("{on_run}/drain")),
        ("POST", format!("{on_run}/stop")),
        ("POST", "/api/v1/pause".to_owned()),
        ("POST", "/api/v1/resume".to_owned()),
        ("POST", "/api/v1/restore/confirm".to_owned()),
        ("POST", "/api/v1/keys".to_owned()),
        ("POST", "/api/v1/webhooks".to_owned()),
        ("POST", "/api/v1/suppressions".to_owned()),
        ("DELETE", format!("/api/v1/suppressions/%2B{}", &number(0, 1)[1..])),
        ("PUT", "/api/v1/retention".to_owned()),
        ("PUT", "/api/v1/account/limits".to_owned()),
        ("POST", "/demo/session".to_owned()),
        ("POST", "/voximplant/grant".to_owned()),
        ("POST", "/voximplant/events".to_owned()),
        ("POST", "/voximplant/inbound".to_owned()),
        ("POST", "/voice/dialog".to_owned()),
    ];
    for (method, path) in &routes {
        let method: Method = method.parse().expect("a method");
        for body in ["[]", "[\"anna\",\"why\"]"] {
            let request = reqwest::Client::new().request(method.clone(), url(&app, path)).bearer_auth(KEY);
            let (status, told) = answer(request.header("content-type", "application/json").body(body)).await;
            assert!([400, 422].contains(&status), "{method} {path} takes {body}: {status} {told}");
        }
    }
    // A list inside an object is no better.
    let only = reqwest::Client::new().post(url(&app, &format!("{on_campaign}/runs"))).bearer_auth(KEY);
    let only = only.header("content-type", "application/json").body("{\"only\":[[\"busy\"]]}");
    assert_eq!(answer(only).await.0, 400);
    let shares = get(&app, &format!("{on_campaign}/report/shares")).await.1;
    assert_eq!(shares["items"].as_array().map(Vec::len), Some(0), "nothing was made: {shares}");
    assert_eq!(get(&app, "/api/v1/pause").await.1["paused"], false);
    crate::harness::stop_now(app).await;
}
