//! The whole table of roles, asked route by route; keys, the audit, and what a viewer is told.

use crate::harness::{self, KEY, number, settings};
use crate::{Answer, answer, get, place, url};
use halo::app::App;
use halo::domain::{AttemptId, ContactId, Role};
use halo::http::ROLES;
use reqwest::{Method, Response};
use serde_json::{Value, json};
use std::time::Duration;

/// Events that go on are listened to for so long at most.
const LISTENED: Duration = Duration::from_secs(3);

async fn send(app: &App, key: Option<&str>, method: &str, path: &str, body: &Value) -> Response {
    let method: Method = method.parse().expect("a method");
    let mut request = reqwest::Client::new().request(method, url(app, path));
    if let Some(key) = key {
        request = request.bearer_auth(key);
    }
    if !body.is_null() {
        request = request.header("content-type", "application/json").body(body.to_string());
    }
    request.send().await.expect("the service answers")
}

async fn ask(app: &App, key: &str, method: &str, path: &str, body: Value) -> Answer {
    let answer = send(app, Some(key), method, path, &body).await;
    let status = answer.status().as_u16();
    let text = answer.text().await.expect("a body");
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

/// What came within a while, as text.
async fn heard(mut answer: Response) -> String {
    let mut all = Vec::new();
    let listening = async {
        while let Ok(Some(piece)) = answer.chunk().await {
            all.extend_from_slice(&piece);
        }
    };
    let _ = tokio::time::timeout(LISTENED, listening).await;
    String::from_utf8_lossy(&all).into_owned()
}

fn named(role: Role) -> String {
    if role == Role::Viewer { "a viewer".into() } else { format!("an {role}") }
}

async fn key_of(app: &App, role: Role) -> String {
    let order = json!({ "name": named(role), "role": role });
    let (status, made) = ask(app, KEY, "POST", "/api/v1/keys", order).await;
    assert_eq!(status, 201, "{made}");
    made["key"].as_str().expect("a key").to_owned()
}

async fn audited(app: &App, filter: &str) -> Vec<Value> {
    let (status, page) = get(app, &format!("/api/v1/audit?{filter}")).await;
    assert_eq!(status, 200, "{page}");
    page["items"].as_array().expect("lines").clone()
}

/// Real ids in the place of parameters.
struct Real(Vec<(&'static str, String)>);

impl Real {
    /// A campaign whose run is over; numbers stand in its variables, too.
    async fn of(app: &App) -> Real {
        let list = format!("phone,name,note\n{},Anna,8 (999) 000-55-66\n{},Boris,x\n", number(0, 1), number(0, 75));
        let (campaign, run) = harness::whole_run(app, &settings("roles", ""), &list).await;
        let attempts = harness::attempts(app, campaign).await;
        let talked = attempts.iter().find(|row| row.outcome.as_deref() == Some("answered")).expect("one talked");
        Real(vec![
            ("{campaign}", campaign.to_string()),
            ("{run}", run.to_string()),
            ("{attempt}", AttemptId(talked.attempt_id).to_string()),
            ("{contact}", ContactId(talked.contact_id).to_string()),
            ("{number}", number(0, 1).replace('+', "%2B")),
            ("{key}", "key_0000000000000".into()),
            ("{share}", "shr_0000000000000".into()),
        ])
    }

    fn path(&self, row: &halo::http::Row) -> String {
        let begins = if row.path.starts_with("/demo") { "" } else { "/api/v1" };
        let filled = self.0.iter().fold(row.path.to_owned(), |path, (name, id)| path.replace(name, id));
        let run = &self.0[1].1;
        let query = match row.path {
            "/people" => "?q=999".to_owned(),
            "/reports/compare" => format!("?runs={run},{run}"),
            _ => String::new(),
        };
        format!("{begins}{filled}{query}")
    }
}

/// The guards: `roles::find` and the look at the role in `access::require_key`; `mask::hide` for what a viewer is told.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_whole_table_holds_for_every_role() {
    let place = place().await;
    let app = place.serve().await;
    let real = Real::of(&app).await;
    let (viewer, operator) = (key_of(&app, Role::Viewer).await, key_of(&app, Role::Operator).await);
    assert_eq!(ask(&app, &operator, "POST", "/api/v1/suppressions", json!({ "number": number(0, 9) })).await.0, 204);
    let before = audited(&app, "limit=1000").await.len();
    let secrets = [1, 75, 9].map(|last| number(0, last).trim_start_matches('+').to_owned());
    for row in ROLES {
        let path = real.path(row);
        let what = format!("{} {}", row.method, path);
        let stranger = send(&app, None, row.method, &path, &Value::Null).await;
        assert_eq!(stranger.status().as_u16(), 401, "{what}: without a key");
        for (role, key) in [(Role::Viewer, &viewer), (Role::Operator, &operator)] {
            if role.may(row.least) {
                continue;
            }
            let (status, body) = ask(&app, key, row.method, &path, Value::Null).await;
            assert_eq!((status, body["code"].as_str()), (403, Some("forbidden")), "{what}: {role}: {body}");
        }
        if row.method != "GET" || row.least != Role::Viewer {
            continue;
        }
        let seen = send(&app, Some(&viewer), "GET", &path, &Value::Null).await;
        let status = seen.status().as_u16();
        assert!([200, 400, 404, 409].contains(&status), "{what}: {status}");
        let text = heard(seen).await;
        assert!(!text.contains("there is nothing at this address"), "{what}");
        for secret in secrets.iter().map(String::as_str).chain(["8 (999) 000-55-66"]) {
            assert!(!text.contains(secret), "{what} tells a viewer {secret}: {text}");
        }
    }
    assert_eq!(audited(&app, "limit=1000").await.len(), before, "a viewer and a stranger have changed nothing");
    // The same answers tell an operator whole numbers: it is the role that hides them.
    let (_, whole) = ask(&app, &operator, "GET", &format!("/api/v1/people/{}", real.0[3].1), Value::Null).await;
    assert_eq!(whole["number"], number(0, 1).as_str());
    let (_, masked) = ask(&app, &viewer, "GET", &format!("/api/v1/people/{}", real.0[3].1), Value::Null).await;
    assert_eq!((&masked["number"], &masked["name"]), (&json!("+*********01"), &json!("Anna")));
    crate::harness::stop_now(app).await;
}

/// The guards: `KeyRow::over` in `identify`, the hash in the table, `Used`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_is_shown_once_and_opens_until_it_is_revoked() {
    let place = place().await;
    let app = place.serve().await;
    let operator = key_of(&app, Role::Operator).await;
    assert_eq!(ask(&app, &operator, "GET", "/api/v1/me", Value::Null).await.1["role"], "operator", "whose key it is");
    let (_, list) = get(&app, "/api/v1/keys").await;
    assert!(!list.to_string().contains(&operator), "{list}");
    let row = &list["items"][0];
    assert_eq!(
        (&row["state"], &row["role"], &row["name"]),
        (&json!("good"), &json!("operator"), &json!("an operator"))
    );
    // Noted beside the answer, not before it.
    harness::until("when it was used is noted", || async {
        let (_, list) = get(&app, "/api/v1/keys").await;
        list["items"][0]["used_at"].is_string().then_some(())
    })
    .await;
    let id = row["id"].as_str().expect("an id").to_owned();
    assert_eq!(ask(&app, KEY, "DELETE", &format!("/api/v1/keys/{id}"), Value::Null).await.0, 204);
    assert_eq!(ask(&app, KEY, "DELETE", &format!("/api/v1/keys/{id}"), Value::Null).await.0, 204);
    let (status, refused) = ask(&app, &operator, "GET", "/api/v1/status", Value::Null).await;
    assert_eq!((status, &refused["code"]), (401, &json!("key_over")), "{refused}");
    assert_eq!(ask(&app, KEY, "DELETE", "/api/v1/keys/key_0000000000001", Value::Null).await.0, 404);

    for (order, word) in [
        (json!({ "name": "", "role": "viewer" }), "name"),
        (json!({ "name": "x", "role": "root" }), "role"),
        (json!({ "name": "x", "role": "viewer", "expires_at": "2020-01-01T00:00:00Z" }), "expires_at"),
        (json!({ "name": "x", "role": "viewer", "expires_at": "soon" }), "expires_at"),
    ] {
        let (status, refused) = ask(&app, KEY, "POST", "/api/v1/keys", order).await;
        assert_eq!((status, crate::told(&refused).contains(word)), (422, true), "{refused}");
    }
    let forever = json!({ "name": "forever", "role": "viewer", "expires_at": null });
    assert_eq!(ask(&app, KEY, "POST", "/api/v1/keys", forever).await.1["expires_at"], Value::Null);
    crate::harness::stop_now(app).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_audit_says_who_did_what() {
    let place = place().await;
    let app = place.serve().await;
    let operator = key_of(&app, Role::Operator).await;
    let campaign = harness::take_in(&app, &settings("audited", ""), &harness::csv([number(0, 1)])).await.campaign;
    let (status, run) = ask(&app, &operator, "POST", &format!("/api/v1/campaigns/{campaign}/runs"), json!({})).await;
    assert_eq!(status, 201, "{run}");
    let run = run["id"].as_str().expect("an id").to_owned();
    let why = json!({ "by": "Anna", "reason": "he asked: +79990000001" });
    let asked = reqwest::Client::new().post(url(&app, &format!("/api/v1/runs/{run}/stop"))).bearer_auth(&operator);
    let asked = asked.header("x-request-id", "ticket-7").header("content-type", "application/json");
    let stopped = asked.body(why.to_string()).send().await.expect("an answer");
    assert_eq!((stopped.status().as_u16(), stopped.headers()["x-request-id"].as_bytes()), (200, &b"ticket-7"[..]));
    ask(&app, &operator, "PUT", &format!("/api/v1/numbers/%2B{}/allow-list", &number(0, 1)[1..]), Value::Null).await;

    let lines = audited(&app, "").await;
    let actions: Vec<&str> = lines.iter().filter_map(|line| line["action"].as_str()).collect();
    assert_eq!(actions, ["number.allow", "run.stop", "run.start", "key.add"]);
    let stop = &lines[1];
    assert_eq!(
        (&stop["request"], &stop["actor"]["name"], &stop["actor"]["role"]),
        (&json!("ticket-7"), &json!("an operator"), &json!("operator"))
    );
    assert_eq!(
        (&stop["subject"], &stop["detail"]),
        (&json!({ "type": "run", "id": run }), &json!({ "by": "Anna", "reason": "he asked: +*********01" }),)
    );
    assert_eq!(lines[2]["subject"]["id"], campaign.to_string());
    let subject = lines[0]["subject"]["id"].as_str().expect("a number's id");
    assert!(subject.starts_with("num_"), "{subject}");
    assert_eq!(lines[3]["actor"]["name"], "API_AUTH_KEY");
    assert!(!Value::Array(lines.clone()).to_string().contains(&number(0, 1)[1..]), "people stand by their ids");

    assert_eq!(audited(&app, "action=run.stop").await.len(), 1);
    assert_eq!(audited(&app, &format!("subject={run}")).await.len(), 1);
    let (_, first) = get(&app, "/api/v1/audit?limit=3").await;
    let next = first["next"].as_str().expect("there is more").to_owned();
    assert_eq!(audited(&app, &format!("after={next}")).await.len(), 1);
    assert_eq!(get(&app, "/api/v1/audit?since=yesterday").await.0, 400);
    crate::harness::stop_now(app).await;
}

/// The guards: `Tries` in `identify`; for keys that were made here, `ApiKey::is_of_ours`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guessing_is_slow_and_ends() {
    let mut place = place().await;
    place.more.push(("HALO_PROXIES", "127.0.0.1".to_owned()));
    let app = place.serve().await;
    let guess = |from: &'static str, key: &'static str| {
        let request = reqwest::Client::new().get(url(&app, "/api/v1/status")).bearer_auth(key);
        answer(request.header("x-forwarded-for", from))
    };
    // They are counted before their answers are held back.
    let guesses = futures::future::join_all((0..24).map(|_| guess("192.0.2.1", "halo_wrong"))).await;
    assert!(guesses.iter().all(|(status, _)| [401, 429].contains(status)));
    let (status, refused) = guess("192.0.2.1", KEY).await;
    assert_eq!((status, &refused["code"]), (429, &json!("too_many_tries")), "the right key is not heard either");
    assert_eq!(guess("192.0.2.2", KEY).await.0, 200, "nobody else suffers");
    let made = reqwest::Client::new().post(url(&app, "/api/v1/keys")).header("x-forwarded-for", "192.0.2.2");
    let (status, made) = answer(made.bearer_auth(KEY).json(&json!({ "name": "night", "role": "operator" }))).await;
    assert_eq!(status, 201, "{made}");
    let pause = reqwest::Client::new().post(url(&app, "/api/v1/pause")).header("x-forwarded-for", "192.0.2.1");
    let paused = answer(pause.bearer_auth(made["key"].as_str().expect("a key"))).await;
    assert_eq!(paused.0, 200, "whoever holds a key of ours can pause whatever strangers try: {}", paused.1);
    crate::harness::stop_now(app).await;
}

/// The guard: `origins::let_in`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_of_other_sites_are_let_in_by_name() {
    let mut place = place().await;
    place.more.push(("HALO_ORIGINS", "https://crm.example.com".to_owned()));
    let app = place.serve().await;
    let asks = async |origin: &str, method: Method| {
        let request = reqwest::Client::new().request(method, url(&app, "/api/v1/status")).header("origin", origin);
        request.header("access-control-request-method", "GET").bearer_auth(KEY).send().await.expect("an answer")
    };
    let first = asks("https://crm.example.com", Method::OPTIONS).await;
    assert_eq!(
        (first.status().as_u16(), first.headers()["access-control-allow-origin"].as_bytes()),
        (204, &b"https://crm.example.com"[..])
    );
    let then = asks("https://crm.example.com", Method::GET).await;
    assert_eq!(then.headers()["access-control-allow-origin"], "https://crm.example.com");
    for method in [Method::OPTIONS, Method::GET] {
        let other = asks("https://evil.example.com", method).await;
        assert!(!other.headers().contains_key("access-control-allow-origin"));
    }
    crate::harness::stop_now(app).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_provider_may_have_an_address_of_its_own() {
    let mut place = place().await;
    let own = std::net::TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port");
    place.more.push(("HALO_PROVIDER_LISTEN", own.to_string()));
    let app = place.serve().await;
    let (campaign, _) = harness::whole_run(&app, &settings("apart", ""), &harness::csv([number(0, 1)])).await;
    harness::laws_hold(&app, campaign).await;
    for path in ["/voximplant/health", "/voximplant/grant"] {
        assert_eq!(get(&app, path).await.0, 404, "{path} is not beside the API");
    }
    let apart = |path: &str| answer(reqwest::Client::new().get(format!("http://{own}{path}")).bearer_auth(KEY));
    assert_eq!(apart("/voximplant/health").await.0, 200);
    for path in ["/api/v1/status", "/", "/sign-in"] {
        assert_eq!(apart(path).await.0, 404, "{path} is not beside the provider's");
    }
    crate::harness::stop_now(app).await;
}
