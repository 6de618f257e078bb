//! A simulator with our scenarios, and a server that grants what a test wants, answers by a list, and keeps
//! all it hears.

use axum::Router;
use axum::extract::State;
use axum::extract::ws::{Message, WebSocketUpgrade};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use halo::simulator::{Mischief, Running, Settings, start};
use halo::voximplant::Sources;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

pub const EVENT_TOKEN: &str = "token-of-events";
const GRANT_TOKEN: &str = "token-of-grants";
const RULES: [(&str, &str); 5] = [
    ("dialog", "scenario_voice_dialog.js"),
    ("realtime", "scenario_voice_realtime.js"),
    ("realtime_pure", "scenario_voice_realtime_pure.js"),
    ("realtime_stream", "scenario_voice_stream.js"),
    ("greeting", "scenario_greeting.js"),
];
const SOON: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// What the server knows and has heard.
#[derive(Default)]
struct Door {
    /// Answers to requests for a grant, by attempt.
    grants: BTreeMap<String, Value>,
    /// Replies by turn; the opening is the first. After the last comes nothing but silence.
    replies: Vec<Value>,
    /// Said instead, when the callee asks never to be called again.
    opt_out: Option<Value>,
    heard: Vec<Value>,
    asked: Vec<Value>,
    /// Questions that came by the stream.
    streamed: Vec<Value>,
    broken: bool,
    /// Events by name that are refused so often.
    refuses: BTreeMap<String, u32>,
    /// Requests for a grant wait for this.
    hold: Option<Arc<Notify>>,
}

type Shared = Arc<Mutex<Door>>;

fn open(door: &Shared) -> MutexGuard<'_, Door> {
    door.lock().expect("no test panics while it holds this")
}

/// The costs that it declares are part of a call's times.
fn cost(ms: u32) -> HeaderMap {
    HeaderMap::from_iter([(
        "server-timing".parse().expect("a name"),
        format!("app;dur={ms}").parse().expect("digits make a header"),
    )])
}

async fn grant(State(door): State<Shared>, body: String) -> (StatusCode, HeaderMap, String) {
    let asked: Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!(asked["t"], GRANT_TOKEN);
    let hold = open(&door).hold.clone();
    if let Some(hold) = hold {
        hold.notified().await;
    }
    let told = open(&door).grants.get(asked["a"].as_str().expect("an attempt")).cloned();
    match told {
        Some(told) => (StatusCode::OK, cost(5), told.to_string()),
        None => (StatusCode::GONE, cost(5), String::new()),
    }
}

async fn event(State(door): State<Shared>, headers: HeaderMap, body: String) -> (StatusCode, HeaderMap) {
    let told: Value = serde_json::from_str(&body).expect("JSON");
    let bearer = headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
    if bearer != format!("Bearer {EVENT_TOKEN}") {
        return (StatusCode::UNAUTHORIZED, cost(1));
    }
    let mut door = open(&door);
    let name = told["event"].as_str().unwrap_or_default().to_owned();
    if let Some(left) = door.refuses.get_mut(&name).filter(|left| **left > 0) {
        *left -= 1;
        return (StatusCode::SERVICE_UNAVAILABLE, cost(3));
    }
    door.heard.push(told);
    (StatusCode::OK, cost(3))
}

async fn dialog(State(door): State<Shared>, body: String) -> (StatusCode, HeaderMap, String) {
    let asked: Value = serde_json::from_str(&body).expect("JSON");
    let mut door = open(&door);
    if door.broken {
        return (StatusCode::INTERNAL_SERVER_ERROR, cost(8), String::new());
    }
    let turn = asked["turn"].as_u64().unwrap_or(0) as usize;
    let never = asked["text"].as_str().is_some_and(|text| text.to_lowercase().contains("не звоните"));
    let told = match &door.opt_out {
        Some(told) if never => told.clone(),
        _ => door.replies.get(turn).cloned().unwrap_or(json!({ "reply_text": "" })),
    };
    let again = asked["again"] == true;
    door.asked.push(asked);
    if let Some(status) = told["refused"].as_u64() {
        let status = StatusCode::from_u16(status as u16).expect("a status");
        return (status, cost(8), String::new());
    }
    if let Some(ms) = told["stalls"].as_u64() {
        let pending = json!({ "reply_text": "", "end_session": false, "pending": true });
        return (StatusCode::OK, cost(ms as u32), pending.to_string());
    }
    if let Some(filler) = told["late"].as_str().filter(|_| !again) {
        let filler = json!({ "reply_text": filler, "end_session": false, "filler": true, "pending": true });
        return (StatusCode::OK, cost(8), filler.to_string());
    }
    (StatusCode::OK, cost(8), told.to_string())
}

/// The same by WebSocket: a reply's `chunks` one by one, or its text in one; `breaks` closes behind the first.
async fn stream(State(door): State<Shared>, headers: HeaderMap, upgrade: WebSocketUpgrade) -> Response {
    let bearer = headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
    if bearer != format!("Bearer {EVENT_TOKEN}") {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    upgrade.on_upgrade(move |mut socket| async move {
        while let Some(Ok(message)) = socket.recv().await {
            let Message::Text(text) = message else { continue };
            let asked: Value = serde_json::from_str(text.as_str()).expect("JSON");
            let turn = asked["turn"].as_u64().unwrap_or(0) as usize;
            let told = open(&door).replies.get(turn).cloned().unwrap_or(json!({ "reply_text": "" }));
            open(&door).streamed.push(asked);
            let chunks = told["chunks"].as_array().cloned().unwrap_or(vec![told["reply_text"].clone()]);
            for chunk in &chunks {
                let said = socket.send(Message::text(json!({ "turn": turn, "chunk": chunk }).to_string())).await;
                if said.is_err() || told["breaks"] == true {
                    return;
                }
            }
            let mut done = told.clone();
            (done["done"], done["turn"]) = (json!(true), json!(turn));
            if socket.send(Message::text(done.to_string())).await.is_err() {
                return;
            }
        }
    })
}

/// One call, when it is over.
#[derive(Debug)]
pub struct Played {
    /// In the order of their numbers.
    pub events: Vec<Value>,
    /// What the callee heard.
    pub heard: Vec<String>,
    pub history: Value,
    pub log: String,
}

impl Played {
    pub fn event(&self, name: &str) -> &Value {
        let found = self.events.iter().find(|event| event["event"] == name);
        found.unwrap_or_else(|| panic!("no {name} among {:#?}\n{}", self.events, self.log))
    }

    /// The one event that ends the call.
    pub fn last(&self) -> &Value {
        let ends = ["Disconnected", "Failed", "NotDialled"];
        let last: Vec<&Value> =
            self.events.iter().filter(|event| ends.iter().any(|end| event["event"] == *end)).collect();
        assert_eq!(last.len(), 1, "one final event: {:#?}\n{}", self.events, self.log);
        last[0]
    }
}

pub struct Stage {
    pub simulator: Running,
    pub url: String,
    door: Shared,
    client: reqwest::Client,
    application: String,
    rules: BTreeMap<String, u64>,
    calls: std::cell::Cell<u32>,
}

impl Stage {
    pub async fn open(speed: f64) -> Self {
        let settings = Settings { speed, mischief: Mischief::none(), ..Settings::default() };
        let simulator = start(settings).await.expect("loopback is free");
        let door = Shared::default();
        let router = Router::new()
            .route("/voximplant/grant", post(grant))
            .route("/voximplant/events", post(event))
            .route("/voice/dialog", post(dialog))
            .route("/voice/stream", get(stream))
            .with_state(door.clone());
        let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", socket.local_addr().expect("a bound socket"));
        tokio::spawn(async move { axum::serve(socket, router).await });
        let client = reqwest::Client::builder().no_proxy().build().expect("a plain client");
        let calls = std::cell::Cell::new(0);
        let (application, rules) = (String::new(), BTreeMap::new());
        let mut stage = Stage { simulator, url, door, client, application, rules, calls };
        let application = stage.ask("AddApplication", &[("application_name", "halo-demo")]).await;
        let application = application["application_id"].to_string();
        let secret =
            [("application_id", &*application), ("secret_name", "OPENAI_API_KEY"), ("secret_value", "made-up")];
        stage.ask("AddSecret", &secret).await;
        // From the folder: what is tested is what lies there.
        let sources = Sources::beside(Path::new(env!("CARGO_MANIFEST_DIR")));
        stage.application = application;
        for (mode, file) in RULES {
            let script = sources.bundle(file).expect("a bundle").text;
            stage.rule(mode, mode, &script).await;
        }
        stage
    }

    async fn rule(&mut self, mode: &str, name: &str, script: &str) {
        let scenario = format!("{name}_scenario");
        let made = self.ask("AddScenario", &[("scenario_name", &*scenario), ("scenario_script", script)]).await;
        let (rule, id) = (format!("voice_{name}_rule"), made["scenario_id"].to_string());
        let rule = [
            ("application_id", &*self.application),
            ("rule_name", &*rule),
            ("rule_pattern", ".*"),
            ("scenario_id", &*id),
        ];
        let made = self.ask("AddRule", &rule).await;
        self.rules.insert(mode.to_owned(), made["rule_id"].as_u64().expect("a rule"));
    }

    /// From now on a mode's calls run on an engine of another shape: this line comes before its scenario.
    pub async fn on_another_engine(&mut self, mode: &str, line: &str) {
        let (_, file) = RULES.iter().find(|(known, _)| *known == mode).expect("a mode");
        let script = Sources::beside(Path::new(env!("CARGO_MANIFEST_DIR"))).bundle(file).expect("a bundle").text;
        self.rule(mode, &format!("{mode}_elsewhere"), &format!("{line}\n{script}")).await;
    }

    async fn ask(&self, command: &str, params: &[(&str, &str)]) -> Value {
        let mut form = vec![("account_id", "7"), ("api_key", "key")];
        form.extend_from_slice(params);
        let url = format!("{}/{command}", self.simulator.url());
        let answer = self.client.post(url).form(&form).send().await.expect("an answer").json().await.expect("JSON");
        assert!(matches!(&answer, Value::Object(told) if !told.contains_key("error")), "{command}: {answer}");
        answer
    }

    async fn get(&self, path: &str) -> String {
        let url = format!("http://{}{path}", self.simulator.address());
        self.client.get(url).send().await.expect("an answer").text().await.expect("text")
    }

    pub fn replies(&self, replies: &[Value]) {
        open(&self.door).replies = replies.to_vec();
    }

    pub fn on_opt_out(&self, reply: Value) {
        open(&self.door).opt_out = Some(reply);
    }

    /// The next events of this name are refused, so many times.
    pub fn refuse(&self, event: &str, times: u32) {
        open(&self.door).refuses.insert(event.to_owned(), times);
    }

    /// From now on grants are given when this is notified.
    pub fn hold_grants(&self) -> Arc<Notify> {
        open(&self.door).hold.insert(Arc::default()).clone()
    }

    pub fn break_dialogue(&self, broken: bool) {
        open(&self.door).broken = broken;
    }

    /// Questions that the dialogue was asked, of all calls.
    pub fn asked(&self) -> Vec<Value> {
        open(&self.door).asked.clone()
    }

    pub async fn behaviour(&self, number: &str, behaviour: &str) {
        let url = format!("http://{}/simulator/callees", self.simulator.address());
        let body = json!({ "number": number, "behaviour": behaviour });
        let told = self.client.post(url).body(body.to_string()).send().await.expect("an answer");
        assert_eq!(told.status(), 204, "{behaviour}");
    }

    /// Questions that came by the stream, of all calls.
    pub fn streamed(&self) -> Vec<Value> {
        open(&self.door).streamed.clone()
    }

    pub fn stream_url(&self) -> String {
        format!("{}/voice/stream", self.url.replacen("http", "ws", 1))
    }

    /// Starts a call in a mode; `more` replaces fields of the grant. The answer has the session's addresses.
    pub async fn begin(&self, mode: &str, number: &str, more: Value) -> Value {
        self.calls.set(self.calls.get() + 1);
        let attempt = format!("call-{}", self.calls.get());
        let tools = match mode {
            "realtime" => json!([{ "type": "function", "name": "get_reply", "parameters": {} }]),
            "realtime_pure" => json!([{ "type": "function", "name": "end_call", "parameters": {} }]),
            _ => json!([]),
        };
        let dialogue = if mode == "realtime_pure" { Value::Null } else { json!(format!("{}/voice/dialog", self.url)) };
        let mut told = json!({
            "call_id": attempt, "granted_ms_ago": 0, "to": number, "caller_id": "+74951234567", "mode": mode,
            "event_url": format!("{}/voximplant/events", self.url), "event_token": EVENT_TOKEN,
            "dialog_url": dialogue, "stream_url": null, "language": "ru-RU", "voice": null,
            "first_phrase": "Здравствуйте! Удобно ли вам говорить?",
            "instructions": "PHASE 1 hello: «Здравствуйте! Удобно ли вам говорить?»\nPHASE 2 ask: «Когда вам удобно?»\n\
                END: «Спасибо, до свидания!»",
            "tools": tools, "model": "gpt-realtime", "openai_base_url": null, "media_url": null,
            "vad": { "threshold": 0.5, "min_silence_ms": 300 }, "amd": "hang_up", "record": false, "route": "pstn",
            "ring_s": 45, "call_s": 300, "variables": {},
        });
        for (field, value) in more.as_object().expect("fields") {
            told[field] = value.clone();
        }
        open(&self.door).grants.insert(attempt.clone(), told);
        let data = json!({ "a": attempt, "t": GRANT_TOKEN, "u": self.url }).to_string();
        let rule = self.rules[mode].to_string();
        self.ask("StartScenarios", &[("rule_id", &rule), ("script_custom_data", &data)]).await
    }

    /// Waits until an event of this session was heard.
    pub async fn hears(&self, started: &Value, name: &str) {
        let session = started["call_session_history_id"].to_string();
        let deadline = Instant::now() + SOON;
        let heard =
            || open(&self.door).heard.iter().any(|it| it["session_id"] == session.as_str() && it["event"] == name);
        while !heard() {
            assert!(Instant::now() < deadline, "no {name} within {SOON:?}");
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Sends a command to the session's address.
    pub async fn command(&self, started: &Value, body: &str) -> String {
        let url = started["media_session_access_url"].as_str().expect("an address");
        self.client.post(url).body(body.to_owned()).send().await.expect("an answer").text().await.expect("text")
    }

    pub async fn end(&self, started: &Value) -> Played {
        let session = started["call_session_history_id"].as_u64().expect("a session");
        let id = session.to_string();
        let deadline = Instant::now() + SOON;
        let history = loop {
            let asked = [("call_session_history_id", &*id), ("with_calls", "true")];
            let told = self.ask("GetCallHistory", &asked).await;
            if let Some(session) = told["result"].get(0) {
                break session.clone();
            }
            assert!(Instant::now() < deadline, "session {id} does not end: {}", self.log(session).await);
            tokio::time::sleep(LOOK_EVERY).await;
        };
        let log = self.log(session).await;
        assert!(!log.contains("ERROR"), "{log}");
        let mut events: Vec<Value> =
            open(&self.door).heard.iter().filter(|event| event["session_id"] == id.as_str()).cloned().collect();
        events.sort_by_key(|event| event["seq"].as_u64());
        let heard = self.get(&format!("/simulator/sessions/{id}/heard")).await;
        let heard = heard.lines().map(|line| {
            let told: Value = serde_json::from_str(line).expect("a line of JSON");
            told["text"].as_str().expect("words").to_owned()
        });
        Played { events, heard: heard.collect(), history, log }
    }

    pub async fn log(&self, session: u64) -> String {
        self.get(&format!("/simulator/sessions/{session}/log")).await
    }

    /// A whole call.
    pub async fn play(&self, mode: &str, number: &str, more: Value) -> Played {
        let started = self.begin(mode, number, more).await;
        self.end(&started).await
    }

    /// The ledger's lines of calls.
    pub async fn calls(&self) -> Vec<Value> {
        let text = self.get("/simulator/calls").await;
        text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
    }
}
