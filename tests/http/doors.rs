//! Rubbish at the doors, and answers that must not lie.

use crate::harness::{self, KEY, csv, number, settings, start, take_in, until};
use crate::{Answer, answer, get, place, send_form, told, upload, url};
use halo::app::App;
use reqwest::Method;
use serde_json::{Value, json};

async fn tell(app: &App, method: Method, path: &str, body: Value) -> Answer {
    let request = reqwest::Client::new().request(method, url(app, path)).bearer_auth(KEY);
    answer(request.header("content-type", "application/json").body(body.to_string())).await
}

/// The guard: `problem::in_words`. Without it a client gets plain text, or nothing at all.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_refusal_is_told_in_one_form() {
    let place = place().await;
    let app = place.serve().await;
    take_in(&app, &settings("doors", ""), &csv([number(0, 1)])).await;
    // A connection is closed behind a body that was too large to be read: each request has one of its own.
    let client = reqwest::Client::builder().pool_max_idle_per_host(0).build().expect("a client");
    let much = vec![b' '; 65 * 1024 * 1024];
    for (method, path, body, status, code, word) in [
        (Method::GET, "/api/v1/campaigns/doors/contacts?limit=many", Vec::new(), 400, "bad_request", "limit"),
        (Method::GET, "/api/v1/campaigns/doors/contacts?page=2", Vec::new(), 400, "bad_request", "page"),
        (Method::GET, "/api/v1/campaigns/doors/report?language=ru", Vec::new(), 400, "bad_request", "language"),
        (Method::GET, "/api/v1/campaigns/%FF", Vec::new(), 400, "bad_request", "UTF-8"),
        (Method::PUT, "/api/v1/campaigns", Vec::new(), 405, "method_not_allowed", "Allow"),
        (Method::DELETE, "/healthz", Vec::new(), 405, "method_not_allowed", "Allow"),
        (Method::POST, "/api/v1/pause", much, 413, "too_large", "length limit"),
        (Method::GET, "/api/v2", Vec::new(), 404, "not_found", "address"),
    ] {
        let request = client.request(method, url(&app, path)).bearer_auth(KEY).body(body);
        let refused = request.send().await.expect("an answer");
        assert_eq!(refused.headers()["content-type"], "application/problem+json", "{path}");
        assert_eq!(refused.headers().contains_key("allow"), status == 405, "{path}");
        let body: Value = refused.json().await.expect("JSON");
        assert_eq!((body["status"].as_u64(), body["code"].as_str()), (Some(status), Some(code)), "{path}: {body}");
        assert!(told(&body).contains(word), "{path} does not say `{word}`: {body}");
    }
    let stranger = client.get(url(&app, "/api/v1/campaigns")).send().await.expect("an answer");
    assert_eq!(stranger.headers()["www-authenticate"], "Bearer");

    // What would be left out in silence is refused.
    let (toml, list) = (settings("twice", ""), csv([number(0, 1)]));
    let twice = [("settings", toml.as_bytes()), ("contacts", list.as_bytes()), ("contacts", list.as_bytes())];
    let (status, body) = send_form(&app, &twice).await;
    assert_eq!((status, told(&body).contains("`contacts` is there twice")), (400, true), "{body}");
    app.stop().await;
}

/// The guard: `demanded` in `change::patched`, for a change and for a clone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_of_settings_is_held_against_what_the_policy_demands_of_the_words() {
    let place = place().await;
    let app = place.serve().await;
    let debt = "name = \"debt\"\npurpose = \"debt\"\n[dial]\ncps = 1\n";
    assert_eq!(upload(&app, debt, csv([number(0, 1)])).await.0, 201);
    let settings = "/api/v1/campaigns/debt/settings";
    let record = json!({ "policy": "ru-debt", "dial": { "record": true } });
    let (status, refused) = tell(&app, Method::PATCH, settings, record.clone()).await;
    assert_eq!((status, told(&refused).contains("persona.recording: missing")), (422, true), "{refused}");
    let clone = json!({ "name": "recorded", "settings": record });
    let (status, refused) = tell(&app, Method::POST, "/api/v1/campaigns/debt/clone", clone).await;
    assert_eq!((status, told(&refused).contains("persona.recording: missing")), (422, true), "{refused}");
    // Nobody demands it under `safe`, and what was missing before holds no other change up.
    for patch in [json!({ "dial": { "record": true } }), json!({ "dial": { "cps": 0.5 } })] {
        let (status, changed) = tell(&app, Method::PATCH, settings, patch).await;
        assert_eq!(status, 200, "{changed}");
    }
    // As a database of an older version may hold it.
    let found = app.store.find_campaign("debt").await.expect("it is there");
    let under = found.settings.replace("\"policy\":\"safe\"", "\"policy\":\"ru-debt\"");
    assert_ne!(under, found.settings);
    let halo::store::Db::Sqlite { writer, .. } = app.store.db() else { panic!("a file") };
    sqlx::query("update campaigns set settings = $1").bind(under).execute(writer).await.expect("changed by hand");
    let (status, slower) = tell(&app, Method::PATCH, settings, json!({ "dial": { "cps": 0.25 } })).await;
    assert_eq!(status, 200, "{slower}");

    // People who were let in for a reason are not kept without it.
    let overridden = "name = \"sale\"\npurpose = \"advertising\"\n[policy_override]\nreason = \"they asked\"\n";
    assert_eq!(upload(&app, overridden, csv([number(0, 2)])).await.0, 201);
    let sale = "/api/v1/campaigns/sale/settings";
    let (status, refused) = tell(&app, Method::PATCH, sale, json!({ "policy_override": null })).await;
    assert_eq!((status, told(&refused).contains("policy_override: contacts were taken in")), (422, true), "{refused}");
    app.stop().await;
}

/// The guards: the columns of the export, and `changes` in `report::gather`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn consent_is_exported_and_a_report_tells_of_settings_that_changed_meanwhile() {
    let place = place().await;
    let app = place.serve().await;
    let list = format!("phone,consent_kind,consent_at,consent_source\n{},written,2026-01-31,form 7\n", number(0, 1));
    let slow = settings("consented", "mode = \"greeting\"").replace("cps = 20", "cps = 0.01");
    let campaign = take_in(&app, &slow, &(list + &number(0, 2) + ",,,\n")).await.campaign;
    let contacts = reqwest::Client::new().get(url(&app, "/api/v1/campaigns/consented/contacts.csv")).bearer_auth(KEY);
    let contacts = contacts.send().await.expect("an answer").text().await.expect("a list");
    let lines: Vec<&str> = contacts.lines().collect();
    assert!(lines[0].contains(",consent_kind,consent_at,consent_source,"), "{contacts}");
    assert!(lines[1].contains(",written,2026-01-30T21:00:00.000Z,form 7,") || lines[1].contains(",written,2026-01-31"));
    assert_eq!((lines.len(), lines[1].contains(",form 7,"), lines[2].contains(",,,,")), (3, true, true), "{contacts}");
    let (_, page) = get(&app, "/api/v1/campaigns/consented/contacts").await;
    assert_eq!((&page["items"][0]["consent"]["kind"], &page["items"][1]["consent"]), (&json!("written"), &Value::Null));

    let health = async || {
        let (_, report) = get(&app, "/api/v1/campaigns/consented/report.json").await;
        report["health"].as_array().expect("checks").iter().find(|check| check["check"] == "settings").cloned()
    };
    let patch = async |cps: f64| {
        let path = "/api/v1/campaigns/consented/settings";
        assert_eq!(tell(&app, Method::PATCH, path, json!({ "dial": { "cps": cps } })).await.0, 200);
    };
    patch(0.02).await;
    let run = start(&app, campaign).await;
    assert_eq!(health().await, None, "before the run");
    let began = app.clock.now();
    until("time goes on", || async { (app.clock.now() > began).then_some(()) }).await;
    patch(20.0).await;
    let found = health().await.expect("it changed during the run");
    assert!(found.to_string().contains("run 1: version 3"), "{found}");
    harness::completed(&app, run).await;
    patch(10.0).await;
    let after = health().await.expect("it stays told").to_string();
    assert!(after.contains("version 3") && !after.contains("version 4"), "{after}");
    app.stop().await;
}

/// The guard: `first_limits` takes only what was changed; the other limit may have been set over the API since.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_limit_of_the_settings_leaves_the_other_one_alone() {
    let place = place().await;
    let serve = async |cps: f64| {
        let config = halo::config::Config { cps_max: Some(cps), ..place.config() };
        let opened = halo::app::open_to_dial(&config).await.expect("the database opens");
        let clock = halo::app::ClockStart { speed: 120.0, at: None };
        App::start(&config, opened, clock, halo::simulator::Settings::default()).await.expect("the service starts")
    };
    let app = serve(5.0).await;
    let (status, limited) = tell(&app, Method::PUT, "/api/v1/account/limits", json!({ "cps": 4, "lines": 20 })).await;
    assert_eq!((status, &limited["limits"]), (200, &json!({ "cps": 4.0, "lines": 20 })), "{limited}");
    app.stop().await;
    for (cps, stands) in [(5.0, 4.0), (6.0, 6.0)] {
        let app = serve(cps).await;
        let (_, told) = get(&app, "/api/v1/account").await;
        assert_eq!(told["limits"], json!({ "cps": stands, "lines": 20 }), "{cps}");
        app.stop().await;
    }
}

/// The guard: whoever serves says so in `nodes`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_status_knows_the_process_that_serves() {
    let place = place().await;
    let app = place.serve().await;
    let (_, idle) = get(&app, "/api/v1/status").await;
    assert_eq!(idle["gate"], json!("no_run"), "{idle}");
    let halo::store::Db::Sqlite { writer, .. } = app.store.db() else { panic!("a file") };
    let left = sqlx::query("update leaderships set until_at = 0").execute(writer).await;
    assert!(left.is_ok());
    let (_, idle) = get(&app, "/api/v1/status").await;
    assert_eq!(idle["gate"], json!("no_run"), "a change of leaders is no death: {idle}");
    let clock = app.clock.clone();
    let config = place.config();
    app.stop().await;
    let store = halo::app::open_store(&config).await.expect("the database opens");
    let account = store.installation_value("account").await.expect("asked").expect("served").parse().expect("a number");
    let status = halo::http::status::told(&store, account, clock.now()).await.expect("an answer");
    assert_eq!(status.gate, Some("nobody_dials"), "{status:?}");
    store.close().await;
}
