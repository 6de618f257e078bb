//! Whole sessions through the open door: HTTP in, HTTP out, small scenarios of our own.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::post;
use serde_json::{Value, json};

use crate::simulator::{Mischief, RequestCost, Running, Settings, start};

/// A server that scenarios post to: it answers everything 200 and remembers the bodies.
#[derive(Clone, Default)]
pub struct Backend {
    heard: Arc<Mutex<Vec<Value>>>,
}

impl Backend {
    pub async fn open() -> (Self, String) {
        let backend = Self::default();
        let router = Router::new().route("/post", post(hear)).with_state(backend.clone());
        let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}/post", socket.local_addr().expect("a bound socket"));
        tokio::spawn(async move { axum::serve(socket, router).await });
        (backend, url)
    }

    pub fn heard(&self) -> Vec<Value> {
        self.heard.lock().expect("no test panics while it holds this").clone()
    }
}

async fn hear(State(backend): State<Backend>, body: String) -> (HeaderMap, String) {
    let told: Value = serde_json::from_str(&body).unwrap_or(Value::Null);
    let mut headers = HeaderMap::new();
    let cost = told["cost"].as_u64().unwrap_or(20);
    headers.insert("server-timing", format!("app;dur={cost}").parse().expect("digits make a header"));
    let sleep = told["sleep"].as_u64().unwrap_or(0);
    backend.heard.lock().expect("no test panics while it holds this").push(told);
    tokio::time::sleep(Duration::from_millis(sleep)).await;
    (headers, "{\"ok\":true}".to_owned())
}

/// A simulator with an application, and rules by name.
pub struct Bench {
    pub running: Running,
    client: reqwest::Client,
    pub application: u64,
    pub rules: BTreeMap<String, u64>,
}

impl Bench {
    pub async fn open(settings: Settings) -> Self {
        let running = start(settings).await.expect("loopback is free");
        let client = reqwest::Client::builder().no_proxy().build().expect("a plain client");
        let mut bench = Self { running, client, application: 0, rules: BTreeMap::new() };
        let made = bench.ask("AddApplication", &[("application_name", "halo-demo")]).await;
        bench.application = made["application_id"].as_u64().expect("an id");
        bench
    }

    pub async fn ask(&self, command: &str, params: &[(&str, &str)]) -> Value {
        let mut form = vec![("account_id", "7"), ("api_key", "key")];
        form.extend_from_slice(params);
        let url = format!("{}/{command}", self.running.url());
        let answer = self.client.post(url).form(&form).send().await.expect("an answer");
        answer.json().await.expect("JSON")
    }

    /// The answer as it is: some methods answer with a file.
    pub async fn ask_text(&self, command: &str, params: &[(&str, &str)]) -> String {
        let mut form = vec![("account_id", "7"), ("api_key", "key")];
        form.extend_from_slice(params);
        let url = format!("{}/{command}", self.running.url());
        self.client.post(url).form(&form).send().await.expect("an answer").text().await.expect("text")
    }

    pub async fn get(&self, path: &str) -> String {
        let url = format!("http://{}{path}", self.running.address());
        self.client.get(url).send().await.expect("an answer").text().await.expect("text")
    }

    pub async fn rule(&mut self, name: &str, script: &str) {
        let application = self.application.to_string();
        let scenario = format!("{name}_s");
        let made = self.ask("AddScenario", &[("scenario_name", &scenario), ("scenario_script", script)]).await;
        let id = made["scenario_id"].to_string();
        let named =
            [("rule_name", name), ("rule_pattern", ".*"), ("scenario_id", &id), ("application_id", &application)];
        let made = self.ask("AddRule", &named).await;
        self.rules.insert(name.to_owned(), made["rule_id"].as_u64().expect("an id"));
    }

    pub async fn begin(&self, rule: &str, data: &str) -> Value {
        let id = self.rules[rule].to_string();
        self.ask("StartScenarios", &[("rule_id", &id), ("script_custom_data", data)]).await
    }

    /// Starts a session and waits for its history.
    pub async fn run(&self, rule: &str, data: &str) -> (Value, String) {
        let started = self.begin(rule, data).await;
        let id = started["call_session_history_id"].as_u64().expect("a session");
        self.history(id).await
    }

    pub async fn history(&self, id: u64) -> (Value, String) {
        let id = id.to_string();
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let told = self.ask("GetCallHistory", &[("call_session_history_id", &id), ("with_calls", "true")]).await;
            if let Some(session) = told["result"].get(0) {
                let log = self.get(&format!("/simulator/sessions/{id}/log")).await;
                return (session.clone(), log);
            }
            assert!(
                Instant::now() < deadline,
                "session {id} does not end: {}",
                self.get(&format!("/simulator/sessions/{id}/log")).await
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

pub fn quiet(speed: f64) -> Settings {
    Settings { speed, mischief: Mischief::none(), ..Settings::default() }
}

/// Says something, listens, answers everything once, and posts what it saw.
const TALK: &str = r#"
require(Modules.ASR);
const data = JSON.parse(VoxEngine.customData());
let began;
const seen = [];
const note = (what, more) => seen.push({ what, at: Date.now() - began, ...more });
VoxEngine.addEventListener(AppEvents.Started, async (event) => {
  began = Date.now();
  await Net.httpRequestAsync(data.u, { method: 'POST', postData: JSON.stringify({ hello: event.sessionId }) });
  note('granted');
  const call = VoxEngine.callPSTN(data.to, '+74951234567');
  const asr = VoxEngine.createASR({ profile: ASRProfileList.Yandex.ru_RU });
  let said = 0;
  const say = (text) => call.say(text, { voice: VoiceList.TBank.ru_RU_Anna });
  const end = async (what, more) => {
    note(what, more);
    await Net.httpRequestAsync(data.u, { method: 'POST', postData: JSON.stringify({ to: data.to, seen }) });
    VoxEngine.terminate();
  };
  call.addEventListener(CallEvents.Ringing, () => note('ringing'));
  call.addEventListener(CallEvents.Connected, () => { note('connected'); call.sendMediaTo(asr); say('Добрый день! Удобно говорить?'); });
  call.addEventListener(CallEvents.PlaybackStarted, () => note('speaks'));
  call.addEventListener(CallEvents.Disconnected, (e) => end('disconnected', { code: e.internalCode, duration: e.duration }));
  call.addEventListener(CallEvents.Failed, (e) => end('failed', { code: e.code }));
  asr.addEventListener(ASREvents.Result, (e) => {
    note('heard', { text: e.text });
    said += 1;
    if (said > 3) call.hangup(); else say(`Понятно, это ответ номер ${said}.`);
  });
});
"#;

#[tokio::test]
async fn a_call_from_start_to_history() {
    let (backend, url) = Backend::open().await;
    let mut bench = Bench::open(quiet(60.0)).await;
    bench.rule("talk", TALK).await;
    let data = json!({ "to": "+79990000001", "u": url }).to_string();
    let (session, log) = bench.run("talk", &data).await;
    assert_eq!(session["finish_reason"], "Normal termination", "{log}");
    assert_eq!(session["calls"][0]["end_reason"], json!({ "code": 200, "details": "Normal call clearing" }), "{log}");
    assert_eq!(session["calls"][0]["remote_number"], "79990000001");
    assert_eq!(session["application_name"], "halo-demo.acc7.voximplant.com");
    let heard = backend.heard();
    assert_eq!(heard.len(), 2, "{log}");
    let seen = heard[1]["seen"].as_array().expect("what it saw");
    let order: Vec<&str> = seen.iter().filter_map(|it| it["what"].as_str()).collect();
    assert_eq!(&order[..3], ["granted", "ringing", "connected"], "{log}");
    assert!(order.iter().filter(|what| **what == "heard").count() >= 3, "{order:?}");
    // The request's declared cost, not what it took here.
    assert_eq!(seen[0]["at"], 20);
    let calls = bench.get("/simulator/calls").await;
    let line: Value = serde_json::from_str(calls.trim()).expect("one line");
    assert_eq!((&line["number"], &line["custom_data"]), (&json!("+79990000001"), &json!(data)));
    assert_eq!(bench.get("/simulator/starts").await.lines().count(), 1);
    let pace: Value = serde_json::from_str(&bench.get("/simulator/pace").await).expect("JSON");
    assert_eq!(pace["open_calls_most"], 1);
    let page = bench.get("/").await;
    assert!(page.contains("•• 01") && page.contains("200 Normal call clearing"), "{page}");
    assert!(!page.contains("79990000001"), "no number stands on the page in full");
    let told = bench.get(&format!("/simulator/sessions/{}", session["call_session_history_id"])).await;
    assert!(told.contains("Session ") && told.contains("&#60;") && !told.contains("79990000001"), "{told}");
    let clock: Value = serde_json::from_str(&bench.get("/simulator/clock").await).expect("JSON");
    assert_eq!((&clock["request_cost"], &clock["exchanges"]), (&json!("reported"), &json!(2)));
    bench.running.stop().await;
}

/// A server that declares one millisecond and takes sixty.
#[tokio::test]
async fn a_request_costs_what_is_reported_or_what_was_measured() {
    for (request_cost, expected_ms) in [(RequestCost::Reported, 1..=1), (RequestCost::Measured, 60..=5_000)] {
        let (backend, url) = Backend::open().await;
        let mut bench = Bench::open(Settings { request_cost, ..quiet(1000.0) }).await;
        bench.rule("talk", &TALK.replace("{ hello:", "{ sleep: 60, cost: 1, hello:")).await;
        bench.run("talk", &json!({ "to": "+79990000001", "u": url }).to_string()).await;
        let granted_ms = backend.heard()[1]["seen"][0]["at"].as_i64().expect("milliseconds");
        assert!(expected_ms.contains(&granted_ms), "{request_cost:?}: {granted_ms} ms");
        let clock: Value = serde_json::from_str(&bench.get("/simulator/clock").await).expect("JSON");
        let most = clock["distortion_ms"]["max"].as_f64().expect("two exchanges were declared");
        assert!((58.0..5_000.0).contains(&most), "the distortion is told either way: {clock}");
        bench.running.stop().await;
    }
}

#[tokio::test]
async fn the_seed_decides_whatever_the_load() {
    let numbers: Vec<String> = (0..100).map(|n| format!("+799900000{n:02}")).collect();
    let mut told = Vec::new();
    for (speed, sleep) in [(200.0, 0), (1000.0, 30)] {
        let (backend, url) = Backend::open().await;
        let mut bench = Bench::open(quiet(speed)).await;
        let script = TALK.replace("{ hello:", &format!("{{ sleep: {sleep}, hello:"));
        bench.rule("talk", &script).await;
        let mut started = Vec::new();
        let order: Vec<&String> = if sleep == 0 { numbers.iter().collect() } else { numbers.iter().rev().collect() };
        for number in order {
            let data = json!({ "to": number, "u": url }).to_string();
            started.push(bench.begin("talk", &data).await["call_session_history_id"].as_u64().expect("a session"));
        }
        for id in started {
            let (session, log) = bench.history(id).await;
            assert!(!log.contains("ERROR"), "{log}");
            assert_eq!(session["calls"].as_array().map(Vec::len), Some(1));
        }
        let seen: BTreeMap<String, Value> = backend
            .heard()
            .into_iter()
            .filter_map(|body| Some((body["to"].as_str()?.to_owned(), body["seen"].clone())))
            .collect();
        assert_eq!(seen.len(), numbers.len());
        told.push(seen);
        bench.running.stop().await;
    }
    for number in &numbers {
        assert_eq!(told[0][number], told[1][number], "{number}");
    }
}
