//! The API and the callbacks over real HTTP, as a client and as a session would use them.

mod harness;

#[path = "http/access.rs"]
mod access;
#[path = "http/account.rs"]
mod account;
#[path = "http/callbacks.rs"]
mod callbacks;
#[path = "http/dialogue.rs"]
mod dialogue;
#[path = "http/doors.rs"]
mod doors;
#[path = "http/gates.rs"]
mod gates;
#[path = "http/hooks.rs"]
mod hooks;
#[path = "http/judges.rs"]
mod judges;
#[path = "http/lasting.rs"]
mod lasting;
#[path = "http/life.rs"]
mod life;
#[path = "http/links.rs"]
mod links;
#[path = "http/lists.rs"]
mod lists;
#[path = "http/live.rs"]
mod live;
#[path = "http/metrics.rs"]
mod metrics;
#[path = "http/money.rs"]
mod money;
#[path = "http/numbers.rs"]
mod numbers;
#[path = "http/pages.rs"]
mod pages;
#[path = "http/progress.rs"]
mod progress;
#[path = "http/races.rs"]
mod races;
#[path = "http/recordings.rs"]
mod recordings;
#[path = "http/rejects.rs"]
mod rejects;
#[path = "http/replies.rs"]
mod replies;
#[path = "http/retries.rs"]
mod retries;
#[path = "http/streams.rs"]
mod streams;
#[path = "http/told.rs"]
mod told;
#[path = "http/troubles.rs"]
mod troubles;
#[path = "http/uploads.rs"]
mod uploads;

use halo::app::App;
use halo::simulator::{Mischief, MischiefKind as Kind};
use harness::{KEY, Place, World, csv, number, settings};
use serde_json::{Value, json};

/// An answer: its status and its body.
type Answer = (u16, Value);

async fn answer(request: reqwest::RequestBuilder) -> Answer {
    let answer = request.send().await.expect("the service answers");
    let status = answer.status().as_u16();
    let text = answer.text().await.expect("a body");
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

fn url(app: &App, path: &str) -> String {
    format!("http://{}{path}", app.address)
}

async fn get(app: &App, path: &str) -> Answer {
    answer(reqwest::Client::new().get(url(app, path)).bearer_auth(KEY)).await
}

async fn post(app: &App, path: &str) -> Answer {
    answer(reqwest::Client::new().post(url(app, path)).bearer_auth(KEY)).await
}

/// A form as a browser or `curl -F` sends it.
async fn send_form(app: &App, fields: &[(&str, &[u8])]) -> Answer {
    answer(form(&url(app, "/api/v1/campaigns"), fields)).await
}

fn form(url: &str, fields: &[(&str, &[u8])]) -> reqwest::RequestBuilder {
    let mut body = Vec::new();
    for (name, bytes) in fields {
        let file = if *name == "contacts" { "; filename=\"people.csv\"" } else { "" };
        let head = format!("--seam\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n");
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--seam--\r\n");
    let request = reqwest::Client::new().post(url).bearer_auth(KEY);
    request.header("content-type", "multipart/form-data; boundary=seam").body(body)
}

async fn upload(app: &App, settings: &str, contacts: impl AsRef<[u8]>) -> Answer {
    send_form(app, &[("settings", settings.as_bytes()), ("contacts", contacts.as_ref())]).await
}

/// What a person reads of a refusal: the detail and every fault.
fn told(body: &Value) -> String {
    let faults = body["faults"].as_array().map(Vec::as_slice).unwrap_or_default();
    let faults = faults.iter().filter_map(Value::as_str);
    std::iter::once(body["detail"].as_str().unwrap_or_default()).chain(faults).collect::<Vec<_>>().join("\n")
}

async fn place() -> Place {
    Place::new(World { speed: 120.0, ..World::default() }).await
}

/// A world whose sessions die at once: the test plays them, with the tokens of the simulator's ledger.
async fn dead_sessions() -> Place {
    Place::new(World { mischief: Mischief::none().with(Kind::StartNoGrant, 1.0), ..World::default() }).await
}

/// Without `require_key` over the whole of `/api/v1`, a list of phone numbers is anybody's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_key_nothing_is_told() {
    let place = place().await;
    let app = place.serve().await;
    let client = reqwest::Client::new();
    for path in ["campaigns", "campaigns/x", "campaigns/x/contacts.csv", "runs/x", "suppressions", "schedules"] {
        let (status, body) = answer(client.get(url(&app, &format!("/api/v1/{path}")))).await;
        assert_eq!(status, 401, "{path}: {body}");
        let (status, _) = answer(client.get(url(&app, &format!("/api/v1/{path}"))).bearer_auth("halo_wrong")).await;
        assert_eq!(status, 401, "{path}");
    }
    let (_, body) = answer(client.get(url(&app, "/api/v1/campaigns"))).await;
    insta::assert_json_snapshot!(body, @r#"
    {
      "type": "urn:halo:problem:unauthorized",
      "title": "Unauthorized",
      "status": 401,
      "code": "unauthorized",
      "detail": "a bearer token is missing or wrong"
    }
    "#);
    let health = client.get(url(&app, "/voximplant/health")).send().await.expect("an answer");
    assert_eq!(health.text().await.expect("a body"), r#"{"status":"ok","service":"voximplant_webhook"}"#);
    assert_eq!(get(&app, "/healthz").await, (200, json!("ok\n")));
    assert_eq!(get(&app, "/readyz").await, (200, json!("ready\n")));
    harness::stop_now(app).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_campaign_goes_from_upload_to_report_over_the_api() {
    let place = place().await;
    let app = place.serve().await;
    let list = csv([&number(0, 1), &number(0, 2), &number(0, 2), "12", &number(0, 75), &number(0, 3)]);
    let toml = settings("by api", "modes = { dialog = 1, realtime = 1 }");
    let (status, made) = upload(&app, &toml, list.clone()).await;
    assert_eq!(status, 201, "{made}");
    assert_eq!(made["buckets"], json!({ "accepted": 4, "duplicate": 1, "refused": 1 }));
    let id = made["id"].as_str().expect("an id").to_owned();
    // The same as JSON, under another name; `scenario` is the starting material's word.
    let as_json = json!({ "name": "as json", "purpose": "test", "scenario": "greeting", "dial": { "cps": 2.5 } });
    let (status, other) = upload(&app, &as_json.to_string(), list).await;
    assert_eq!((status, &other["buckets"]), (201, &made["buckets"]));

    let rejects =
        reqwest::Client::new().get(url(&app, &format!("/api/v1/campaigns/{id}/rejects.csv"))).bearer_auth(KEY);
    let rejects = rejects.send().await.expect("an answer");
    assert_eq!(rejects.headers()["content-type"], "text/csv; charset=utf-8");
    let rejects = rejects.text().await.expect("a list");
    let lines: Vec<&str> = rejects.lines().collect();
    assert_eq!(lines[0], "phone,halo_surplus,halo_list,halo_line,halo_bucket,halo_field,halo_reason");
    assert!(lines[1].starts_with(&format!("{},,1,4,duplicate,phone,", number(0, 2))), "{rejects}");
    assert!(lines[2].starts_with("12,,1,5,refused,phone,"), "{rejects}");
    assert_eq!(lines.len(), 3);

    let (status, run) = post(&app, "/api/v1/campaigns/by%20api/runs").await;
    assert_eq!((status, run["state"].as_str(), run["contacts"].as_i64()), (201, Some("running"), Some(4)));
    let run = run["id"].as_str().expect("an id").to_owned();
    let over = || async {
        let (status, body) = get(&app, &format!("/api/v1/runs/{run}")).await;
        assert_eq!(status, 200);
        (body["state"] == "completed").then_some(body)
    };
    let over = harness::until("the run is completed", over).await;
    assert_eq!(over["progress"]["rested"], 4);
    let outcomes = over["outcomes"].as_array().expect("outcomes").iter();
    let outcomes: Vec<(&str, i64)> =
        outcomes.map(|o| (o["outcome"].as_str().unwrap_or_default(), o["attempts"].as_i64().unwrap_or(0))).collect();
    assert_eq!(outcomes, [("answered", 3), ("busy", 3)]);
    assert_eq!(post(&app, &format!("/api/v1/runs/{run}/pause")).await.0, 409, "it is over");
    assert_eq!(get(&app, "/api/v1/runs/run_nothing").await.0, 404);

    for (form, kind) in [("json", "application/json"), ("csv", "text/csv"), ("html", "text/html")] {
        let request = reqwest::Client::new().get(url(&app, &format!("/api/v1/campaigns/{id}/report.{form}")));
        let report = request.bearer_auth(KEY).send().await.expect("an answer");
        assert_eq!(report.status(), 200);
        assert!(report.headers()["content-type"].to_str().expect("text").starts_with(kind), "{form}");
        let text = report.text().await.expect("a report");
        assert!(text.contains("realtime") && text.contains("simulated"), "{form}: {text}");
    }
    let (_, report) = get(&app, &format!("/api/v1/campaigns/{id}/report")).await;
    let human: i64 = report["arms"].as_array().expect("arms").iter().filter_map(|arm| arm["human"].as_i64()).sum();
    assert_eq!((report["schema"].as_str(), human), (Some("halo-report/1"), 3));
    assert_eq!(get(&app, &format!("/api/v1/campaigns/{id}/report?lang=de")).await.0, 400);
    let (_, attempts) = get(&app, &format!("/api/v1/campaigns/{id}/attempts")).await;
    assert_eq!(attempts["items"].as_array().expect("items").len(), 6);
    let attempt = attempts["items"][0]["id"].as_str().expect("an id");
    let (_, timeline) = get(&app, &format!("/api/v1/attempts/{attempt}")).await;
    assert!(!timeline["events"].as_array().expect("events").is_empty(), "{timeline}");
    harness::stop_now(app).await;
}

/// Each refusal names what is wrong, and leaves nothing behind.
/// The guards: `purpose_refused` at import, and the policy's own list of purposes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_policy_is_told_and_a_purpose_may_be_refused() {
    let place = place().await;
    let app = place.serve().await;
    let list = csv([&number(0, 1)]);
    let debt = "name = \"debt\"\npurpose = \"debt\"\npolicy = \"ru-debt\"\n";
    let (status, made) = upload(&app, debt, list.clone()).await;
    assert_eq!(status, 201, "{made}");
    assert_eq!((&made["policy"]["name"], &made["policy"]["unverified"]), (&json!("ru-debt"), &json!(4)));
    assert!(made["policy"]["not_held"].to_string().contains("its own calls only"), "{made}");

    let advertising = "name = \"sale\"\npurpose = \"advertising\"\n";
    let (status, body) = upload(&app, advertising, list.clone()).await;
    assert_eq!(status, 422, "{body}");
    assert!(
        body.to_string().contains("line 2: phone: advertising by automatic dialling is refused in Russia"),
        "{body}"
    );
    let abroad = csv(["+12125550100"]);
    assert_eq!(upload(&app, advertising, abroad).await.0, 201, "the law of another country");
    let overridden =
        format!("{}[policy_override]\nreason = \"they asked for it\"\n", advertising.replace("sale", "asked"));
    assert_eq!(upload(&app, &overridden, list).await.0, 201);

    let (_, policies) = get(&app, "/api/v1/policies").await;
    let debt = policies.as_array().expect("policies").iter().find(|policy| policy["name"] == "ru-debt").expect("debt");
    assert_eq!(debt["rules"][1]["caps"], json!({ "talks_day": 1, "talks_week": 2, "talks_month": 8 }));
    assert_eq!((&debt["recording"]["required"], &debt["recording"]["unverified"]), (&json!(true), &json!(true)));
    let us = policies.as_array().expect("policies").iter().find(|policy| policy["name"] == "us").expect("us");
    assert_eq!((&us["rules"][0]["clause"], &us["rules"][0]["unverified"]), (&json!("64.1200 (c)(1)"), &json!(true)));
    harness::stop_now(app).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_taken_is_refused_whole_and_in_words() {
    let place = place().await;
    let app = place.serve().await;
    let good = csv([number(0, 1)]);
    let plain = settings("refused", "");
    let cases: [(&str, String, Vec<u8>, &[&str]); 10] = [
        ("no phone column", plain.clone(), b"name\nAnna\n".to_vec(), &["phone"]),
        ("no number", plain.clone(), b"phone\n\xff\xfe\n".to_vec(), &["no number", "line 2"]),
        ("empty", plain.clone(), Vec::new(), &["empty"]),
        ("only a header", plain.clone(), b"phone\n".to_vec(), &["contacts"]),
        ("all refused", plain.clone(), b"phone\n12\nabc\n".to_vec(), &["line 2", "line 3", "phone"]),
        ("unknown mode", settings("refused", "mode = \"opera\""), good.clone().into(), &["opera", "realtime_pure"]),
        ("unknown mode in a row", plain.clone(), format!("phone,mode\n{},opera\n", number(0, 1)).into(), &["opera"]),
        ("unknown key", settings("refused", "colour = 1"), good.clone().into(), &["colour"]),
        ("not obeyed yet", settings("refused", "[notify]\nmail = 1"), good.clone().into(), &["notify"]),
        ("not TOML", "name = ".into(), good.clone().into(), &["settings"]),
    ];
    for (what, settings, contacts, words) in cases {
        let (status, body) = upload(&app, &settings, contacts).await;
        assert_eq!((status, body["status"].as_u64()), (422, Some(422)), "{what}: {body}");
        for word in words {
            assert!(told(&body).contains(word), "{what} does not say `{word}`: {body}");
        }
    }
    let (status, body) = upload(&app, "purpose = \"fun\"\nnmae = 1\n[dial]\ncps = -1\n", good.clone()).await;
    assert_eq!(status, 422);
    assert!(["name", "nmae", "purpose", "cps"].iter().all(|key| told(&body).contains(key)), "all at once: {body}");

    let (status, body) = send_form(&app, &[("settings", plain.as_bytes())]).await;
    assert_eq!((status, told(&body).contains("`contacts` is missing")), (400, true), "{body}");
    let (status, body) = send_form(&app, &[("settingz", plain.as_bytes())]).await;
    assert_eq!((status, told(&body).contains("settingz")), (400, true), "{body}");
    let (status, _) = post(&app, "/api/v1/campaigns").await;
    assert_eq!(status, 400, "no form at all");
    assert_eq!(get(&app, "/api/v1/campaigns").await, (200, json!([])), "nothing was stored");

    assert_eq!(upload(&app, &plain, good.clone()).await.0, 201);
    let (status, body) = upload(&app, &plain, csv([number(0, 2)])).await;
    assert_eq!(status, 409);
    insta::assert_json_snapshot!(body, @r#"
    {
      "type": "urn:halo:problem:conflict",
      "title": "Conflict",
      "status": 409,
      "code": "conflict",
      "detail": "a campaign named `refused` exists already"
    }
    "#);
    assert_eq!(get(&app, "/api/v1/campaigns").await.1.as_array().map(Vec::len), Some(1));
    harness::stop_now(app).await;
}
