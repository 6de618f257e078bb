//! The suppression list, the allow-list and how a number stands, over HTTP.

use crate::harness::{self, KEY, Place, World, completed, csv, number, settings, start, take_in};
use crate::{Answer, answer, get, place, send_form, told, upload, url};
use halo::app::App;
use serde_json::{Value, json};

fn client(method: reqwest::Method, app: &App, path: &str) -> reqwest::RequestBuilder {
    reqwest::Client::new().request(method, url(app, path)).bearer_auth(KEY)
}

async fn list(app: &App, kind: &str, body: impl Into<reqwest::Body>, query: &str) -> Answer {
    let path = format!("/api/v1/suppressions{query}");
    answer(client(reqwest::Method::POST, app, &path).header("content-type", kind).body(body)).await
}

async fn delete(app: &App, path: &str) -> Answer {
    answer(client(reqwest::Method::DELETE, app, path)).await
}

async fn put(app: &App, path: &str) -> Answer {
    answer(client(reqwest::Method::PUT, app, path)).await
}

/// The guard: every row of a list ends in one count.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_of_suppressions_is_accounted_for_row_by_row() {
    let place = place().await;
    let app = place.serve().await;
    let one = json!({ "number": number(0, 3), "reason": "by letter" }).to_string();
    assert_eq!(list(&app, "application/json", one, "").await.0, 204);
    let text = format!(
        "Телефон;reason\n{};asked in the shop\n{};\n{};\nне помню;\n{};again\n",
        number(0, 1),
        number(0, 2),
        number(0, 3),
        number(0, 1)
    );
    let (status, done) = list(&app, "text/csv", text.clone(), "?reason=old%20list").await;
    assert_eq!(status, 200, "{done}");
    assert_eq!(
        done,
        json!({ "rows": 5, "added": 2, "already": 1, "duplicate": 1, "refused": 1,
                "refusals": [{ "line": 5, "field": "Телефон", "reason": "no number in the cell" }] })
    );
    let form = format!("--seam\r\nContent-Disposition: form-data; name=\"contacts\"\r\n\r\n{text}\r\n--seam--\r\n");
    let (_, again) = list(&app, "multipart/form-data; boundary=seam", form, "").await;
    assert_eq!((&again["added"], &again["already"]), (&json!(0), &json!(3)), "{again}");
    for (kind, body) in
        [("text/csv", "phone\nx\n"), ("text/csv", "name\nx\n"), ("text/csv", ""), ("application/json", "x")]
    {
        let (status, body) = list(&app, kind, body, "").await;
        assert!(matches!(status, 400 | 422), "{body}");
    }
    let (status, body) = list(&app, "application/json", json!({ "number": "8 999" }).to_string(), "").await;
    assert!(status == 422 && !body.to_string().contains("8 999"), "{body}");

    let (_, page) = get(&app, "/api/v1/suppressions?limit=2").await;
    let (_, rest) = get(&app, &format!("/api/v1/suppressions?limit=2&after={}", page["next"].as_str().unwrap())).await;
    let items = [page["items"].as_array().unwrap().clone(), rest["items"].as_array().unwrap().clone()].concat();
    assert_eq!((items.len(), &rest["next"]), (3, &Value::Null));
    let (_, found) = get(&app, "/api/v1/suppressions?q=shop").await;
    assert_eq!(found["items"][0]["number"], json!(number(0, 1)), "{found}");
    let (_, found) = get(&app, "/api/v1/suppressions?q=%2B7999000%2000-02").await;
    assert_eq!((&found["items"][0]["reason"], &found["items"][0]["by"]), (&json!("old list"), &json!("operator")));
    assert_eq!(get(&app, "/api/v1/suppressions?after=x").await.0, 400);
    let (_, table) = get(&app, "/api/v1/suppressions.csv").await;
    let table = table.as_str().expect("a table");
    assert!(table.starts_with("number,since,by,reason\n") && table.lines().count() == 4, "{table}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_opted_out_is_called_again_only_for_a_reason() {
    let place = place().await;
    let app = place.serve().await;
    let (callee, operator) = (number(0, 1), number(0, 2));
    app.store.opt_out(callee.parse().unwrap(), "asked when ringing back", app.clock.now()).await.expect("done");
    app.store.suppress(operator.parse().unwrap(), "a list", app.clock.now()).await.expect("done");
    let (status, body) = delete(&app, &format!("/api/v1/suppressions/{callee}")).await;
    assert_eq!(status, 422, "{body}");
    assert!(told(&body).contains("say why that is over") && !body.to_string().contains(&callee), "{body}");
    let (_, standing) = get(&app, &format!("/api/v1/numbers/{callee}")).await;
    assert_eq!(standing["suppressed"]["by"], json!("callee"), "{standing}");
    let path = format!("/api/v1/suppressions/{}?reason=asked%20us%20to%20call", callee.trim_start_matches('+'));
    assert_eq!(delete(&app, &path).await.0, 204);
    let (_, standing) = get(&app, &format!("/api/v1/numbers/{callee}")).await;
    assert_eq!(standing["suppressed"], Value::Null, "{standing}");
    assert_eq!(delete(&app, &path).await.0, 404);
    assert_eq!(delete(&app, &format!("/api/v1/suppressions/{operator}")).await.0, 204);
    assert_eq!(delete(&app, "/api/v1/suppressions/somebody").await.0, 422);
    app.stop().await;
}

/// A standing counts calls and asks a campaign's rules; a test phone is exempt from them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_number_tells_how_it_stands() {
    // A Wednesday, noon in Moscow.
    let place = Place::new(World { speed: 120.0, at: Some("2026-11-18T09:00:00Z"), ..World::default() }).await;
    let app = place.serve().await;
    let (answers, stranger) = (number(0, 0), "+74951234567");
    let done = take_in(&app, &settings("calls", "mode = \"greeting\""), &csv([&answers])).await;
    let run = start(&app, done.campaign).await;
    completed(&app, run).await;
    let capped =
        "name = \"capped\"\npurpose = \"survey\"\n[windows]\ndays = \"mon-sun 00:00-24:00\"\n[caps]\ntalks_day = 1\n";
    assert_eq!(upload(&app, capped, csv([&answers])).await.0, 201);
    let (_, standing) = get(&app, &format!("/api/v1/numbers/{answers}?campaign=capped")).await;
    assert_eq!(standing["tries"], json!({ "day": 1, "24h": 1, "week": 1, "month": 1 }), "{standing}");
    assert_eq!((&standing["talks"]["24h"], &standing["allow_listed"]), (&json!(1), &json!(false)), "{standing}");
    let under = &standing["under"];
    assert_eq!((&under["caps"], &under["exempt"]), (&json!({ "talks_day": 1 }), &json!(false)), "{standing}");
    assert_eq!((&under["gate"], &under["opens_at"]), (&json!("cap"), &json!("2026-11-19T06:00:00.000Z")), "{standing}");

    let (_, standing) = get(&app, &format!("/api/v1/numbers/{stranger}")).await;
    assert_eq!((&standing["known"], &standing["timezone"]), (&json!(false), &json!("Europe/Moscow")), "{standing}");
    let path = format!("/api/v1/numbers/{stranger}/allow-list");
    let test = "name = \"test\"\npurpose = \"test\"\n";
    assert_eq!(upload(&app, test, csv([stranger])).await.0, 201);
    for listed in [true, false] {
        let (status, body) = if listed { put(&app, &path).await } else { delete(&app, &path).await };
        assert_eq!(status, 204, "{body}");
        let now = app.store.standing(&stranger.parse().unwrap()).await.expect("an answer").expect("known");
        assert_eq!(now.allow_listed, listed);
    }
    put(&app, &path).await;
    let (_, standing) = get(&app, &format!("/api/v1/numbers/{stranger}?campaign=test")).await;
    assert_eq!((&standing["allow_listed"], &standing["under"]["exempt"]), (&json!(true), &json!(true)), "{standing}");
    assert_eq!(get(&app, &format!("/api/v1/numbers/{stranger}?campaign=nobody")).await.0, 404);
    app.stop().await;
}

/// The guards: `who_demands_consent` and `demands::missing` at import.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_policy_s_demands_are_asked_at_import() {
    let place = place().await;
    let app = place.serve().await;
    let us =
        "name = \"us\"\npurpose = \"service\"\npolicy = \"us\"\nregion = \"US\"\ntimezone = \"America/New_York\"\n";
    let rows = "phone,consent_kind,consent_at,consent_source\n\
                +12125550100,express,2026-05-01,form 17\n+12125550101,,,\n";
    let (status, made) = upload(&app, us, rows).await;
    assert_eq!(
        (status, &made["buckets"]["accepted"], &made["buckets"]["refused"]),
        (201, &json!(1), &json!(1)),
        "{made}"
    );
    let (_, rejects) = get(&app, "/api/v1/campaigns/us/rejects.csv").await;
    let reject = rejects.as_str().expect("a table").lines().nth(1).expect("a row").to_owned();
    assert!(
        reject.starts_with("+12125550101,,,,,1,3,refused,consent_kind,\"no_consent: policy `us` demands proof"),
        "{reject}"
    );
    let none = us.replace("\"us\"\npurpose", "\"none\"\npurpose");
    let (status, body) = upload(&app, &none, "phone\n+12125550100\n").await;
    assert_eq!(status, 422, "{body}");
    assert!(told(&body).contains("no_consent"), "{body}");

    let recorded = format!("{}[dial]\nrecord = true\n", us.replace("\"us\"\npurpose", "\"recorded\"\npurpose"));
    let script = include_str!("../../campaigns/plain.en.toml");
    let said = async |script: String| {
        let fields = [("settings", recorded.as_bytes()), ("contacts", rows.as_bytes()), ("script", script.as_bytes())];
        send_form(&app, &fields).await
    };
    let (status, body) = said(script.to_owned()).await;
    assert_eq!(status, 422, "{body}");
    assert!(told(&body).contains("persona.recording: missing, with record = true"), "{body}");
    let (status, body) = said(script.replace("[persona]", "[persona]\nrecording = \"This call is recorded.\"")).await;
    assert_eq!(status, 201, "{body}");
    let contacts = harness::contacts(&app, body["id"].as_str().unwrap().parse().unwrap()).await;
    assert_eq!(contacts.len(), 1);
    app.stop().await;
}
