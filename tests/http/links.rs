//! Links that open without a key, for a while and one thing only; and a person who is erased over the API.

use super::{answer, get, place, url};
use crate::harness::{self, KEY, number, settings, until};
use halo::app::App;
use halo::domain::{AttemptId, ContactId};
use reqwest::{Method, StatusCode, redirect::Policy};
use serde_json::{Value, json};

async fn bare(app: &App, path: &str) -> (u16, String) {
    let answer = reqwest::Client::new().get(url(app, path)).send().await.expect("an answer");
    (answer.status().as_u16(), answer.text().await.expect("a body"))
}

pub async fn send(app: &App, method: Method, path: &str, body: Value) -> (u16, Value) {
    let request = reqwest::Client::new().request(method, url(app, path)).bearer_auth(KEY);
    answer(request.header("content-type", "application/json").body(body.to_string())).await
}

fn recorded(name: &str) -> String {
    settings(name, "mode = \"greeting\"").replace("[dial]", "[dial]\nrecord = true")
}

/// The guards: the signature and the expiry in `signed::recording`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recording_is_reached_by_a_signed_link_alone() {
    let place = place().await;
    let app = place.serve().await;
    let (campaign, _) =
        harness::whole_run(&app, &recorded("linked"), &harness::csv([number(0, 1), number(0, 2)])).await;
    let attempts = harness::attempts(&app, campaign).await;
    let [one, other] = [0, 1].map(|n: usize| AttemptId(attempts[n].attempt_id).to_string());
    let client = reqwest::Client::builder().redirect(Policy::none()).build().expect("a client");
    let asked = client.get(url(&app, &format!("/api/v1/attempts/{one}/recording"))).bearer_auth(KEY);
    let asked = asked.send().await.expect("an answer");
    assert_eq!(asked.status(), StatusCode::SEE_OTHER);
    let link = asked.headers()["location"].to_str().expect("text").to_owned();
    assert!(link.starts_with(&format!("/signed/recordings/{one}?n=1&until=")), "{link}");
    let opened = reqwest::Client::new().get(url(&app, &link)).send().await.expect("an answer");
    assert_eq!((opened.status().as_u16(), opened.headers()["content-type"].as_bytes()), (200, &b"audio/wav"[..]));
    let told = reqwest::Client::new().get(url(&app, &format!("/api/v1/attempts/{one}/recording"))).bearer_auth(KEY);
    let (status, told) = answer(told.header("accept", "application/json")).await;
    assert!(status == 200 && told["url"].as_str().is_some_and(|url| url.starts_with("/signed/recordings/")), "{told}");

    let until = link.split("until=").nth(1).and_then(|rest| rest.split('&').next()).expect("an instant").to_owned();
    let later = (until.parse::<i64>().expect("ms") + 3_600_000).to_string();
    for forged in [
        link.replace(&one, &other),
        link.replace("n=1", "n=2"),
        link.replace(&until, &later),
        link.replace(&until, "1000"),
        link[..link.len() - 1].to_owned(),
    ] {
        assert_eq!(bare(&app, &forged).await.0, 404, "{forged}");
    }
    assert_eq!(bare(&app, &link).await.0, 200, "it is good until its time is over");
    app.clock.set_offset(301_000_000);
    assert_eq!(bare(&app, &link).await.0, 404, "five minutes later it opens nothing");
    app.stop().await;
}

/// The guards: the signature, the row, its revocation and its expiry in `signed::shared`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_report_is_shared_until_it_is_not() {
    let place = place().await;
    let app = place.serve().await;
    let (campaign, _) = harness::whole_run(&app, &settings("shared", ""), &harness::csv([number(0, 1)])).await;
    let share = format!("/api/v1/campaigns/{campaign}/report/share");
    let (status, made) = send(&app, Method::POST, &share, json!({ "days": 2, "lang": "ru" })).await;
    assert_eq!((status, &made["state"]), (201, &json!("good")), "{made}");
    let link = made["url"].as_str().expect("a link").to_owned();
    assert!(!link.contains(KEY));
    let (status, page) = bare(&app, &link).await;
    assert!(status == 200 && page.contains("<html lang=\"ru\""), "{page}");
    assert!(!page.contains(&number(0, 1)[1..]));
    let forged = format!("{}0", &link[..link.len() - 1]);
    let forged = if forged == link { format!("{}1", &link[..link.len() - 1]) } else { forged };
    assert_eq!(bare(&app, &forged).await.0, 404);
    for (days, status) in [(0, 422), (31, 422), (30, 201)] {
        assert_eq!(send(&app, Method::POST, &share, json!({ "days": days })).await.0, status, "{days}");
    }
    let (_, list) = get(&app, &format!("{share}s")).await;
    assert_eq!(list["items"].as_array().map(Vec::len), Some(2));
    let id = made["id"].as_str().expect("an id");
    assert_eq!(send(&app, Method::DELETE, &format!("/api/v1/shares/{id}"), Value::Null).await.0, 204);
    assert_eq!(bare(&app, &link).await.0, 404, "it is revoked");
    let (_, other) = send(&app, Method::POST, &share, json!({ "days": 1 })).await;
    let other = other["url"].as_str().expect("a link").to_owned();
    assert_eq!(bare(&app, &other).await.0, 200);
    app.clock.set_offset(86_401_000_000);
    assert_eq!(bare(&app, &other).await.0, 404, "a day later it shows nothing");
    app.stop().await;
}

/// The guards: `erase::person`, `round::leave`, the check in `single::stands_open`, `Dialer::tidy`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_is_erased_over_the_api_and_at_the_provider() {
    let place = place().await;
    let app = place.serve().await;
    let list = harness::csv([number(0, 1), number(0, 2)]);
    let (campaign, _) = harness::whole_run(&app, &recorded("erased"), &list).await;
    let attempts = harness::attempts(&app, campaign).await;
    let anna = attempts.iter().find(|row| row.e164 == number(0, 1)).expect("she was called");
    let (attempt, contact) = (AttemptId(anna.attempt_id), ContactId(anna.contact_id));
    let path = format!("/api/v1/numbers/%2B{}", &number(0, 1)[1..]);
    app.store.opt_out(number(0, 1).parse().unwrap(), "asked in a call", app.clock.now()).await.unwrap();
    assert_eq!(
        send(&app, Method::DELETE, &format!("/api/v1/numbers/%2B{}", &number(7, 7)[1..]), Value::Null).await.0,
        404
    );
    let (status, done) = send(&app, Method::DELETE, &path, Value::Null).await;
    assert_eq!((status, &done["erased"], &done["recordings"]), (200, &json!(true), &json!(1)), "{done}");
    assert_eq!(send(&app, Method::DELETE, &path, Value::Null).await.1["already"], true);
    let by_contact = format!("/api/v1/numbers/{contact}");
    assert_eq!(send(&app, Method::DELETE, &by_contact, Value::Null).await.1["already"], true);
    assert_eq!(send(&app, Method::PUT, &format!("{by_contact}/allow-list"), Value::Null).await.0, 404);

    for path in [
        format!("/api/v1/people/{contact}"),
        format!("/api/v1/attempts/{attempt}"),
        format!("/api/v1/campaigns/{campaign}/contacts.csv"),
        format!("/api/v1/campaigns/{campaign}/attempts.ndjson"),
        format!("/api/v1/campaigns/{campaign}/turns.csv"),
        "/api/v1/audit".to_owned(),
        "/api/v1/suppressions".to_owned(),
    ] {
        let (status, told) = get(&app, &path).await;
        assert_eq!(status, 200, "{path}");
        assert!(!told.to_string().contains(&number(0, 1)[1..]), "{path} still tells of her: {told}");
    }
    assert_eq!(get(&app, &format!("/api/v1/attempts/{attempt}/recording")).await.0, 404);
    let (_, report) = get(&app, &format!("/api/v1/campaigns/{campaign}/report.json")).await;
    let human: i64 = report["arms"].as_array().expect("arms").iter().filter_map(|arm| arm["human"].as_i64()).sum();
    assert_eq!(human, 2, "calls stay counted");

    // The provider deletes, and its history names the recording no more.
    until("the recording is deleted", || async {
        app.dialer.tidy().await.expect("tidied");
        (app.store.doomed_of(attempt).await.expect("an answer") == 0).then_some(())
    })
    .await;

    let (status, made) = super::upload(&app, &settings("again", ""), &list).await;
    assert_eq!((status, &made["buckets"]), (201, &json!({ "accepted": 1, "duplicate": 0, "refused": 1 })), "{made}");
    let (_, rejects) = get(&app, "/api/v1/campaigns/again/rejects.csv").await;
    let rejects = rejects.as_str().expect("a list");
    assert!(rejects.contains("asked never to be called") && !rejects.contains(&number(0, 1)[1..]), "{rejects}");
    let call = json!({ "phone": number(0, 1), "mode": "greeting" });
    let (status, held) = send(&app, Method::POST, "/demo/session", call).await;
    assert_eq!((status, &held["code"]), (409, &json!("suppressed")), "{held}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn how_long_things_are_kept_is_a_setting() {
    let place = place().await;
    let app = place.serve().await;
    let (_, kept) = get(&app, "/api/v1/retention").await;
    assert_eq!(kept, json!({ "transcripts_days": null, "recordings_days": null, "raw_days": null }));
    let put = async |body: Value| send(&app, Method::PUT, "/api/v1/retention", body).await;
    assert_eq!(put(json!({ "transcripts_days": 90 })).await.1["transcripts_days"], 90);
    assert_eq!(put(json!({ "raw_days": 30 })).await.1["transcripts_days"], 90);
    for wrong in [json!({ "transcripts_days": 0 }), json!({ "logs_days": 3 }), json!({ "raw_days": "x" })] {
        assert_eq!(put(wrong.clone()).await.0, 422, "{wrong}");
    }
    assert_eq!(put(json!({ "transcripts_days": null })).await.1["transcripts_days"], Value::Null);
    app.stop().await;
}
