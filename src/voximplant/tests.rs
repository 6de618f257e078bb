//! The client against a small stub of the API, and the contract files against the parser.

use super::callback::{self, What};
use super::*;
use crate::domain::{AttemptId, Mode, Outcome, SessionId, StartOrder, Timestamp, Token};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::{Form, Router, routing::post};
use secrecy::SecretString;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

pub(super) type Asked = BTreeMap<String, String>;
pub(super) type Answers = dyn Fn(&str, &Asked) -> (u16, Value) + Send + Sync;

/// A stub that answers as it is told and remembers what it was asked.
pub(super) struct Stub {
    answers: Box<Answers>,
    pub(super) asked: Mutex<Vec<(String, Asked)>>,
    bearers: Mutex<Vec<String>>,
}

async fn answer(
    State(stub): State<Arc<Stub>>,
    Path(method): Path<String>,
    headers: HeaderMap,
    Form(asked): Form<Asked>,
) -> (StatusCode, String) {
    if let Some(bearer) = headers.get("authorization").and_then(|value| value.to_str().ok()) {
        stub.bearers.lock().unwrap().push(bearer.trim_start_matches("Bearer ").to_owned());
    }
    stub.asked.lock().unwrap().push((method.clone(), asked.clone()));
    let (status, body) = (stub.answers)(&method, &asked);
    (StatusCode::from_u16(status).unwrap(), body.to_string())
}

pub(super) async fn platform(
    answers: impl Fn(&str, &Asked) -> (u16, Value) + Send + Sync + 'static,
) -> (Arc<Stub>, Client) {
    let stub = Arc::new(Stub { answers: Box::new(answers), asked: Mutex::default(), bearers: Mutex::default() });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/platform_api", listener.local_addr().unwrap());
    let router = Router::new().route("/platform_api/{method}", post(answer)).with_state(stub.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (stub, client(&url, "https://halo.example"))
}

pub(super) fn client(url: &str, backend: &str) -> Client {
    known_by(Credentials::Key(SecretString::from("the-key")), url, backend)
}

pub(super) fn known_by(credentials: Credentials, url: &str, backend: &str) -> Client {
    let modes = Sources::built_in().read("modes.toml").unwrap();
    let connection = Connection {
        url: url.to_owned(),
        account: "1234567".into(),
        credentials,
        application: Some(77),
        application_name: "halo-demo".into(),
        backend_url: backend.to_owned(),
        modes: Modes::read(&modes, &|_| None).unwrap(),
    };
    Client::new(connection, Arc::new(|| Timestamp(1_790_000_000_000))).unwrap()
}

pub(super) fn order(mode: &str) -> StartOrder {
    StartOrder { attempt: AttemptId(4242), token: Token::from_random([7; 16]), mode: mode.parse::<Mode>().unwrap() }
}

pub(super) async fn permit() -> Permit {
    Pacer::new(None).permit().await
}

/// As the dialer starts.
pub(super) async fn start(client: &Client, mode: &str) -> Result<Started, StartError> {
    let order = order(mode);
    let way = client.way(order.attempt, &order.mode).await?;
    client.start(order, way, permit().await).await
}

/// A way that is known.
async fn way() -> Way {
    let (_, client) = platform(|_, _| (200, rule("voice_dialog_rule", 5))).await;
    client.way(AttemptId(1), &Mode::dialog()).await.unwrap()
}

fn rule(name: &str, id: i64) -> Value {
    json!({ "result": [
        { "rule_id": 1, "rule_name": format!("{name}_old"), "scenarios": [{ "scenario_id": 3 }] },
        { "rule_id": id, "rule_name": name, "scenarios": [{ "scenario_id": 2 }] },
    ], "count": 2, "total_count": 2 })
}

fn started() -> Value {
    json!({ "result": 1, "call_session_history_id": 7760988732_i64,
        "media_session_access_url": "http://203.0.113.7/request/a", "media_session_access_secure_url": "https://203.0.113.7/request/a" })
}

#[tokio::test]
async fn a_start_sends_the_rule_s_id_and_no_number() {
    let (stub, client) = platform(|method, _| match method {
        "GetRules" => (200, rule("voice_dialog_rule", 5)),
        _ => (200, started()),
    })
    .await;
    for _ in 0..2 {
        let started = start(&client, "dialog").await.unwrap();
        assert_eq!(started.session, SessionId(7760988732));
        assert_eq!(started.access_url, "https://203.0.113.7/request/a");
    }
    let asked = stub.asked.lock().unwrap();
    let methods: Vec<&str> = asked.iter().map(|(method, _)| method.as_str()).collect();
    assert_eq!(methods, ["GetRules", "StartScenarios", "StartScenarios"], "the rule is looked up once");
    let sent = &asked[1].1;
    let names: Vec<&str> = sent.keys().map(String::as_str).collect();
    assert_eq!(names, ["account_id", "api_key", "rule_id", "script_custom_data"]);
    assert_eq!(sent["rule_id"], "5");
    let data: Value = serde_json::from_str(&sent["script_custom_data"]).unwrap();
    let expected = json!({ "a": AttemptId(4242), "t": "07".repeat(16), "u": "https://halo.example" });
    assert_eq!(data, expected);
}

#[tokio::test]
async fn every_refusal_means_what_it_should() {
    for (status, code, expected) in [
        (200, 340, "refused"),
        (200, 314, "refused"),
        (200, 162, "refused"),
        (200, 416, "refused"),
        (200, 15, "refused"),
        (200, 429, "refused"),
        (429, 0, "refused"),
        (200, 1, "unclear"),
        (200, 4, "unclear"),
        (503, 0, "unclear"),
        (200, 5, "account"),
        (200, 127, "account"),
        (200, 100, "account"),
        (401, 100, "account"),
        (404, 0, "account"),
        (200, 184, "account"),
        (200, 147, "account"),
    ] {
        let (_, client) = platform(move |method, _| match (method, code) {
            ("GetRules", _) => (200, rule("voice_dialog_rule", 5)),
            (_, 0) => (status, json!("no body that helps")),
            _ => (status, json!({ "error": { "code": code, "msg": "because" } })),
        })
        .await;
        let is = match start(&client, "dialog").await {
            Err(StartError::Refused { .. }) => "refused",
            Err(StartError::Unclear { .. }) => "unclear",
            Err(StartError::Account { .. }) => "account",
            Ok(_) => "started",
        };
        assert_eq!(is, expected, "HTTP {status}, code {code}");
    }
}

/// Some tools write ids and codes as text; an error without a code says nothing of what was done.
#[tokio::test]
async fn a_code_may_be_text_and_no_code_is_unclear() {
    for (error, expected) in
        [(json!({ "code": "340", "msg": "slower" }), "refused"), (json!({ "msg": "?" }), "unclear")]
    {
        let (_, client) = platform(move |method, _| match method {
            "GetRules" => (200, rule("voice_dialog_rule", 5)),
            _ => (200, json!({ "error": error })),
        })
        .await;
        let is = match start(&client, "dialog").await {
            Err(StartError::Refused { .. }) => "refused",
            Err(StartError::Unclear { .. }) => "unclear",
            Err(StartError::Account { .. }) | Ok(_) => "another",
        };
        assert_eq!(is, expected);
    }
}

#[tokio::test]
async fn nothing_that_left_is_unclear_and_nothing_that_did_not_is() {
    let closed = client("http://127.0.0.1:9/platform_api", "https://halo.example");
    let refused = start(&closed, "dialog").await;
    assert!(matches!(refused, Err(StartError::Refused { .. })), "{refused:?}");

    // An answer without a session: one may run.
    let (_, client) = platform(|method, _| match method {
        "GetRules" => (200, rule("voice_dialog_rule", 5)),
        _ => (200, json!({ "result": 1 })),
    })
    .await;
    let unclear = start(&client, "dialog").await;
    assert!(matches!(unclear, Err(StartError::Unclear { .. })), "{unclear:?}");
}

#[tokio::test]
async fn a_rule_deployed_anew_is_found_again() {
    let looked = Arc::new(Mutex::new(0));
    let count = looked.clone();
    let (_, client) = platform(move |method, asked| match method {
        "GetRules" => {
            let mut looked = count.lock().unwrap();
            *looked += 1;
            (200, rule("voice_dialog_rule", 4 + *looked))
        }
        _ if asked["rule_id"] == "5" && *count.lock().unwrap() > 1 => (200, started()),
        _ if asked["rule_id"] == "6" => (200, started()),
        _ => (200, json!({ "error": { "code": 147, "msg": "The 'rule_id' parameter is invalid." } })),
    })
    .await;
    // Resolved just now and refused: an operator is needed. Its id is forgotten all the same.
    assert!(matches!(start(&client, "dialog").await, Err(StartError::Account { .. })));
    assert!(start(&client, "dialog").await.is_ok());
    assert_eq!(*looked.lock().unwrap(), 2);
}

#[tokio::test]
async fn what_is_missing_is_named() {
    let (_, client) = platform(|_, _| (200, json!({ "result": [], "count": 0, "total_count": 0 }))).await;
    let refused = start(&client, "realtime").await.unwrap_err();
    let StartError::Account { cause } = refused else { panic!("{refused:?}") };
    assert_eq!(cause.to_string(), "rule `voice_realtime_rule` does not exist; `halo voximplant deploy` puts it right");

    let long = self::client("http://127.0.0.1:9/", &format!("https://{}.example", "x".repeat(120)));
    let refused = long.start(order("dialog"), way().await, permit().await).await.unwrap_err();
    assert!(matches!(refused, StartError::Account { cause: ApiError::CustomData(_) }), "{refused:?}");
}

#[tokio::test]
async fn history_is_asked_in_batches_and_an_unknown_id_spoils_only_itself() {
    let (stub, client) = platform(|_, asked| {
        let ids: Vec<i64> = asked["call_session_history_id"].split(';').map(|id| id.parse().unwrap()).collect();
        if ids.contains(&13) {
            return (
                200,
                json!({ "error": { "code": 150, "msg": "The 'call_session_history_id' parameter is invalid." } }),
            );
        }
        let rows: Vec<Value> = ids
            .iter()
            .map(|id| json!({ "call_session_history_id": id, "finish_reason": "Normal termination" }))
            .collect();
        (200, json!({ "result": rows }))
    })
    .await;
    let sessions: Vec<SessionId> = (1..=150).map(SessionId).collect();
    let known = client.history(&sessions, Timestamp(1_790_000_000_000)).await.unwrap();
    assert_eq!(known.len(), 149);
    assert!(known.iter().all(|e| e.finished && e.calls == 0 && e.outcome == Outcome::ScenarioError));
    let asked = stub.asked.lock().unwrap();
    let with = ["with_calls", "with_records", "with_other_resources"];
    assert!(asked.iter().all(|(_, a)| with.iter().all(|name| a[*name] == "true") && a["from_date"].len() == 19));
}

#[test]
fn evidence_from_every_shape_of_an_answer() {
    let session = |calls: Value, finish: &str| {
        json!({ "call_session_history_id": 7760988732_i64, "finish_reason": finish, "custom_data": "{\"t\":\"secret\"}",
            "log_file_url": "https://storage.example/log", "calls": calls })
    };
    let call = |end: Value, successful: bool| {
        json!({ "call_id": 9001, "duration": 32, "remote_number": "79990000001", "incoming": false,
            "successful": successful, "cost": 0.021, "end_reason": end })
    };
    for (row, calls, outcome, code) in [
        (
            session(
                json!([call(json!({ "code": 200, "details": "Normal call clearing" }), true)]),
                "Normal termination",
            ),
            1,
            Outcome::Answered,
            Some(200),
        ),
        (
            session(json!([call(json!("{\"code\":486,\"details\":\"Busy\"}"), false)]), "Normal termination"),
            1,
            Outcome::Busy,
            Some(486),
        ),
        (
            session(json!([call(json!("480 User offline"), false)]), "Normal termination"),
            1,
            Outcome::Unavailable,
            Some(480),
        ),
        (
            session(
                json!([call(json!({ "code": 487, "details": "Request Terminated" }), false)]),
                "Normal termination",
            ),
            1,
            Outcome::NoAnswer,
            Some(487),
        ),
        (
            session(json!([call(json!({ "code": 603, "details": "" }), false)]), "Normal termination"),
            1,
            Outcome::Rejected,
            Some(603),
        ),
        (session(json!([]), "Insufficient funds"), 0, Outcome::NoFunds, None),
        (session(json!([]), "JS session error"), 0, Outcome::ScenarioError, None),
    ] {
        let evidence = history::evidence(row).unwrap();
        assert_eq!((evidence.calls, evidence.outcome, evidence.code), (calls, outcome, code));
        assert!(evidence.finished);
        assert_eq!(evidence.log_url.as_deref(), Some("https://storage.example/log"));
        assert!(!evidence.body.contains("79990000001") && !evidence.body.contains("secret"), "{}", evidence.body);
    }
    let running = history::evidence(json!({ "call_session_history_id": "7760988732" })).unwrap();
    assert!(!running.finished);
    assert!(history::evidence(json!({})).is_err());
}

#[test]
fn every_contract_file_is_understood() {
    let mut seen = String::new();
    let mut files: Vec<_> = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/voximplant/callbacks"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    for file in files {
        let body: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        let parsed = callback::parse(&body).unwrap_or_else(|fault| panic!("{}: {fault}", file.display()));
        let what = match parsed.what {
            What::Finished(outcome) => outcome.to_string(),
            other => format!("{other:?}"),
        };
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        assert_eq!(parsed.opts_out, name.contains("opt"), "{name}");
        seen.push_str(&format!("{name}: {what}, seq {}, {} turns\n", parsed.seq, parsed.turns.len()));
    }
    insta::assert_snapshot!(seen, @r"
    connected: Underway, seq 2, 0 turns
    disconnected: answered, seq 6, 2 turns
    disconnected_callee: answered, seq 4, 0 turns
    disconnected_fault: answered, seq 3, 0 turns
    disconnected_limit: answered, seq 5, 2 turns
    disconnected_machine: machine, seq 4, 0 turns
    disconnected_model: answered, seq 4, 1 turns
    disconnected_opted_out: answered, seq 6, 1 turns
    disconnected_realtime: answered, seq 6, 2 turns
    disconnected_recorded: answered, seq 4, 0 turns
    failed_busy: busy, seq 2, 0 turns
    failed_cancelled: cancelled, seq 2, 0 turns
    failed_invalid_number: invalid_number, seq 1, 0 turns
    failed_model: scenario_error, seq 1, 0 turns
    failed_network_error: network_error, seq 2, 0 turns
    failed_no_answer: no_answer, seq 2, 0 turns
    failed_no_funds: no_funds, seq 1, 0 turns
    failed_not_placed: scenario_error, seq 1, 0 turns
    failed_prohibited: prohibited, seq 1, 0 turns
    failed_rejected: rejected, seq 2, 0 turns
    failed_ring_timer: no_answer, seq 2, 0 turns
    failed_unavailable: unavailable, seq 1, 0 turns
    machine_call_ended: Underway, seq 3, 0 turns
    machine_human: Underway, seq 3, 0 turns
    machine_timeout: Underway, seq 3, 0 turns
    machine_voicemail: Underway, seq 3, 0 turns
    not_dialled: NotDialled, seq 1, 0 turns
    opt_out: OptOut, seq 4, 0 turns
    plain_connected: Underway, seq -1, 0 turns
    plain_disconnected: answered, seq -3, 0 turns
    plain_failed_busy: busy, seq -2, 0 turns
    plain_failed_code: busy, seq -2, 0 turns
    plain_failed_error: network_error, seq -2, 0 turns
    plain_failed_machine: machine, seq -2, 0 turns
    plain_failed_no_answer: no_answer, seq -2, 0 turns
    ringing: Underway, seq 1, 0 turns
    turn: Underway, seq 4, 1 turns
    ");
}

#[test]
fn a_final_event_says_everything() {
    let body = include_str!("../../voximplant/callbacks/disconnected.json");
    let mut body: Value = serde_json::from_str(body).unwrap();
    body["turns"][1]["end_method"] = json!("event_corrected");
    body["turns"][1]["turn_ms"] = Value::Null;
    let at = |field: &str| body[field].as_i64().unwrap();
    let parsed = callback::parse(&body).unwrap();
    assert_eq!(parsed.session, Some(SessionId(7760988732)));
    let call = parsed.call.unwrap();
    let answered = at("answered_at_ms");
    assert_eq!(call.answer_ms, Some(answered - at("dialled_at_ms")));
    assert_eq!(call.ring_ms, Some(answered - at("ringing_at_ms")));
    assert_eq!((call.talk_ms, call.first_audio_ms), (Some(at("talk_ms")), Some(at("first_audio_ms"))));
    assert_eq!(call.cost_micros, Some((body["cost"].as_f64().unwrap() * 1e6).round() as i64));
    assert_eq!((call.goal, call.hung_up_by.as_deref()), (Some(true), Some("agent")));
    assert_eq!(call.callback_at.as_deref(), Some("2026-11-24T10:00:00+03:00"));
    let methods: Vec<&str> = parsed.turns.iter().map(|turn| turn.method.as_str()).collect();
    assert_eq!(methods, ["vad", "event_corrected"], "the worse of the two");
    assert_eq!((parsed.turns[0].turn_ms, parsed.turns[1].turn_ms), (body["turns"][0]["turn_ms"].as_i64(), None));
}

#[test]
fn a_malformed_event_names_its_field() {
    let good: Value = serde_json::from_str(include_str!("../../voximplant/callbacks/disconnected.json")).unwrap();
    for (path, value, field) in [
        ("/call_id", json!(7), "call_id"),
        ("/event", json!("Exploded"), "event"),
        ("/seq", json!("one"), "seq"),
        ("/seq", json!(0), "seq"),
        ("/session_id", json!("abc"), "session_id"),
        ("/hung_up_by", json!("nobody"), "hung_up_by"),
        ("/answers", json!([]), "answers"),
        ("/turns", json!({}), "turns"),
        ("/turns/1/turn_ms", json!("fast"), "turns[1].turn_ms"),
        ("/turns/0/n", json!(0), "turns[0].n"),
        ("/cost", json!("much"), "cost"),
        ("/goal", json!("yes"), "goal"),
    ] {
        let mut body = good.clone();
        *body.pointer_mut(path).unwrap() = value;
        assert_eq!(callback::parse(&body).unwrap_err().field, field);
    }
    assert_eq!(callback::parse(&json!([])).unwrap_err().field, "body");
    assert_eq!(
        callback::parse(&json!({ "event": "Failed", "call_id": "x", "reason": "shrug" })).unwrap_err().field,
        "reason"
    );
}

#[test]
fn modes_are_data_and_the_environment_may_rename() {
    let text = Sources::built_in().read("modes.toml").unwrap();
    let renamed = Modes::read(&text, &|name| match name {
        "VOX_REALTIME_RULE_NAME" => Some("my_rule".into()),
        "VOXIMPLANT_RULE_ID" => Some("42".into()),
        _ => None,
    })
    .unwrap();
    let entry = |name: &str| renamed.get(&name.parse().unwrap()).unwrap();
    assert_eq!(entry("realtime").rule, "my_rule");
    assert_eq!((entry("greeting").rule_id, entry("greeting").scenario.as_str()), (Some(42), "OutboundCallWithAI"));
    assert_eq!(renamed.named("voice_dialog").unwrap().name, Mode::dialog());
    let clash = Modes::read(&text, &|name| (name == "VOX_REALTIME_RULE_NAME").then(|| "voice_dialog_rule".into()));
    assert!(matches!(clash, Err(ModesError::Twice("rule", _))));
}

/// A fresh RSA key, where the machine can make one.
pub(super) fn rsa_pem() -> Option<String> {
    let args = ["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"];
    let made = std::process::Command::new("openssl").args(args).output().ok()?;
    made.status.success().then(|| String::from_utf8(made.stdout).unwrap())
}

#[tokio::test]
async fn a_service_account_presents_a_token_and_renews_it_once() {
    let Some(pem) = rsa_pem() else {
        println!("left out: there is no openssl to make a key with");
        return;
    };
    let key = json!({ "account_email": "a@example.com", "account_id": 1234567, "key_id": "kid-1", "private_key": pem });
    let refusals = Arc::new(Mutex::new(1));
    let left = refusals.clone();
    let (stub, client) = platform(move |_, _| {
        let mut left = left.lock().unwrap();
        if *left > 0 {
            *left -= 1;
            return (200, json!({ "error": { "code": 456, "msg": "The token is expired." } }));
        }
        (200, json!({ "result": [] }))
    })
    .await;
    let credentials = Credentials::Service(ServiceKey::from_json(&key.to_string()).unwrap());
    let client = known_by(credentials, &client.connection().url, "https://halo.example");
    assert_eq!(client.numbers().await.unwrap(), []);
    {
        let asked = stub.asked.lock().unwrap();
        assert_eq!(asked.len(), 2, "asked again, once, with a new token");
        assert!(asked.iter().all(|(_, form)| !form.contains_key("api_key") && !form.contains_key("account_id")));
    }
    let bearers = stub.bearers.lock().unwrap().clone();
    let parts: Vec<&str> = bearers[0].split('.').collect();
    // {"alg":"RS256","typ":"JWT","kid":"kid-1"} and {"iss":1234567,"iat":1789999995,"exp":1790000300}
    assert_eq!(parts[0], "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6ImtpZC0xIn0");
    assert_eq!(parts[1], "eyJpc3MiOjEyMzQ1NjcsImlhdCI6MTc4OTk5OTk5NSwiZXhwIjoxNzkwMDAwMzAwfQ");
    assert_eq!(parts[2].len(), 342, "256 bytes of signature");

    *refusals.lock().unwrap() = 2;
    assert_eq!(client.numbers().await.unwrap_err().code(), Some(456), "not for ever");
}
