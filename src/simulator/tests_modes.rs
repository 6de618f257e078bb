//! The scenario files of `voximplant/`, whole, against a stand-in for our server. What they and the
//! platform's facts disagree about shows here first.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::post;
use serde_json::{Value, json};

use crate::simulator::tests::{Bench, quiet};
use crate::simulator::{Mischief, Settings};

const FILES: [(&str, &str); 4] = [
    ("voice_dialog_rule", "scenario_voice_dialog.js"),
    ("voice_realtime_rule", "scenario_voice_realtime.js"),
    ("voice_realtime_pure_rule", "scenario_voice_realtime_pure.js"),
    ("OutboundCallRule", "scenario_greeting.js"),
];
const PHASES: [&str; 4] = [
    "Здравствуйте! Я хотел бы узнать о доставке.",
    "Подскажите, пожалуйста, сколько это занимает?",
    "Понятно. А можно оплатить картой при получении?",
    "Хорошо, тогда оформите на завтра.",
];
const END: &str = "Спасибо большое, до свидания!";

/// Grants everything, answers dialogue from the script, keeps all events.
#[derive(Clone, Default)]
struct Server {
    url: Arc<Mutex<String>>,
    events: Arc<Mutex<Vec<Value>>>,
    asked: Arc<Mutex<BTreeMap<String, Value>>>,
}

impl Server {
    async fn open() -> Self {
        let server = Self::default();
        let router = Router::new()
            .route("/voximplant/grant", post(grant))
            .route("/voximplant/events", post(event))
            .route("/voice/dialog", post(dialog))
            .with_state(server.clone());
        let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        *server.url.lock().expect("not poisoned") = format!("http://{}", socket.local_addr().expect("bound"));
        tokio::spawn(async move { axum::serve(socket, router).await });
        server
    }

    /// The last event of each call, by number.
    fn outcomes(&self) -> BTreeMap<String, Value> {
        let finals = ["Disconnected", "Failed", "NotDialled"];
        let events = self.events.lock().expect("not poisoned");
        let told = events.iter().filter(|event| event["event"].as_str().is_some_and(|name| finals.contains(&name)));
        told.map(|event| (event["call_id"].as_str().unwrap_or_default().to_owned(), event.clone())).collect()
    }
}

fn cost(ms: u32) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("server-timing", format!("app;dur={ms}").parse().expect("digits make a header"));
    headers
}

/// The attempt's id is the number and the mode: `79990000001-dialog`.
async fn grant(State(server): State<Server>, body: String) -> (HeaderMap, String) {
    let asked: Value = serde_json::from_str(&body).expect("JSON");
    let id = asked["a"].as_str().expect("an attempt").to_owned();
    let (number, mode) = id.split_once('-').expect("number and mode");
    let url = server.url.lock().expect("not poisoned").clone();
    let script: String = PHASES.iter().enumerate().map(|(n, text)| format!("PHASE {n} p: «{text}»\n")).collect();
    let tools = match mode {
        "realtime" => json!([{ "type": "function", "name": "get_reply", "parameters": {} }]),
        "realtime_pure" => json!([{ "type": "function", "name": "end_call", "parameters": {} }]),
        _ => json!([]),
    };
    let told = json!({
        "call_id": id, "granted_ms_ago": 0, "to": format!("+{number}"), "caller_id": "+74951234567", "mode": mode,
        "event_url": format!("{url}/voximplant/events"), "event_token": "t",
        "dialog_url": if mode == "realtime_pure" { Value::Null } else { json!(format!("{url}/voice/dialog")) },
        "stream_url": null, "language": "ru-RU", "voice": null, "first_phrase": PHASES[0],
        "instructions": format!("Ты клиент.\n{script}END: «{END}»"), "tools": tools, "model": "gpt-realtime",
        "openai_base_url": null, "media_url": null, "vad": { "threshold": 0.5, "min_silence_ms": 300 },
        "amd": "hang_up", "record": false, "route": "pstn", "ring_s": 45, "call_s": 300, "variables": {},
    });
    (cost(5), told.to_string())
}

async fn event(State(server): State<Server>, body: String) -> HeaderMap {
    server.events.lock().expect("not poisoned").push(serde_json::from_str(&body).expect("JSON"));
    cost(3)
}

async fn dialog(State(server): State<Server>, body: String) -> (HeaderMap, String) {
    let asked: Value = serde_json::from_str(&body).expect("JSON");
    let turn = asked["turn"].as_u64().unwrap_or(0) as usize;
    server.asked.lock().expect("not poisoned").insert(asked["call_id"].to_string(), asked.clone());
    let told = match PHASES.get(turn) {
        _ if asked["text"].as_str().is_some_and(|text| text.to_lowercase().contains("не звоните")) => {
            json!({ "reply_text": END, "end_session": true, "goal": false, "opt_out": true })
        }
        Some(text) => json!({ "reply_text": text, "end_session": false }),
        None => json!({ "reply_text": END, "end_session": true, "goal": true, "answers": { "done": "yes" } }),
    };
    (cost(8), told.to_string())
}

/// A scenario with what it includes put in place.
fn bundle(path: &Path, seen: &mut BTreeSet<PathBuf>) -> String {
    if !seen.insert(path.to_owned()) {
        return String::new();
    }
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let folder = path.parent().expect("a file has a folder");
    let mut whole = String::new();
    for line in text.lines() {
        match line.strip_prefix("/// <reference path=\"").and_then(|rest| rest.split_once('"')) {
            Some((included, _)) => whole.push_str(&bundle(&folder.join(included.trim_start_matches("./")), seen)),
            None => whole.push_str(line),
        }
        whole.push('\n');
    }
    whole
}

async fn open(settings: Settings) -> (Bench, Server) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("voximplant");
    let mut bench = Bench::open(settings).await;
    let application = bench.application.to_string();
    let secret =
        [("application_id", application.as_str()), ("secret_name", "OPENAI_API_KEY"), ("secret_value", "simulated")];
    bench.ask("AddSecret", &secret).await;
    for (rule, file) in FILES {
        bench.rule(rule, &bundle(&folder.join(file), &mut BTreeSet::new())).await;
    }
    (bench, Server::open().await)
}

impl Bench {
    async fn dial(&self, server: &Server, number: &str, mode: &str) -> u64 {
        let rule = match mode {
            "dialog" => "voice_dialog_rule",
            "realtime" => "voice_realtime_rule",
            "realtime_pure" => "voice_realtime_pure_rule",
            _ => "OutboundCallRule",
        };
        let url = server.url.lock().expect("not poisoned").clone();
        let data = json!({ "a": format!("{number}-{mode}"), "t": "token", "u": url }).to_string();
        self.begin(rule, &data).await["call_session_history_id"].as_u64().expect("a session")
    }
}

fn median(mut values: Vec<u64>) -> u64 {
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or(0)
}

#[tokio::test]
async fn every_mode_meets_every_callee() {
    let (bench, server) = open(quiet(300.0)).await;
    let began = std::time::Instant::now();
    let mut sessions = Vec::new();
    for mode in ["dialog", "realtime", "realtime_pure", "greeting"] {
        for last in 0..100 {
            sessions.push((last, mode, bench.dial(&server, &format!("799900000{last:02}"), mode).await));
        }
    }
    let mut logs = BTreeMap::new();
    for (last, mode, id) in &sessions {
        let (session, log) = bench.history(*id).await;
        assert!(!log.contains("ERROR"), "{mode} {last}: {log}");
        assert_eq!(session["calls"].as_array().map(Vec::len), Some(1), "{mode} {last}: {log}");
        logs.insert(format!("799900000{last:02}-{mode}"), log);
    }
    eprintln!("{} sessions in {:?}", sessions.len(), began.elapsed());
    let outcomes = server.outcomes();
    assert_eq!(outcomes.len(), sessions.len());
    let mut figures = BTreeMap::new();
    for mode in ["dialog", "realtime", "realtime_pure"] {
        let of = |last: u32| &outcomes[&format!("799900000{last:02}-{mode}")];
        let (mut turns, mut goals, mut unanswered, mut methods) = (Vec::new(), 0, 0, BTreeMap::new());
        for last in 0..60 {
            let told = of(last);
            let log = &logs[&format!("799900000{last:02}-{mode}")];
            assert_eq!(told["event"], "Disconnected", "{mode} {last}: {log}");
            assert_eq!(told["fault"], Value::Null, "{mode} {last}: {told:#} {log}");
            goals += u32::from(told["goal"] == true);
            for turn in told["turns"].as_array().expect("turns") {
                match turn["turn_ms"].as_u64() {
                    Some(ms) => turns.push(ms),
                    None => {
                        assert!(turn["turn_ms"].is_null(), "{mode} {last}: {turn}");
                        unanswered += 1;
                    }
                }
                *methods.entry(turn["start_method"].to_string()).or_insert(0) += 1;
            }
        }
        let first: Vec<u64> = (0..60).filter_map(|last| of(last)["first_audio_ms"].as_u64()).collect();
        let count = turns.len();
        let middle = median(turns);
        eprintln!(
            "{mode}: {goals} of 60 reach the goal, {count} turns ({unanswered} unanswered), median {middle} ms, first {} ms, {methods:?}",
            median(first)
        );
        figures.insert(mode, middle);
        // Who is patient is drawn by number; how long each was kept waiting depends a little on this machine.
        assert!((42..60).contains(&goals), "{mode}: {goals} goals, {:#}", of(3));
        for last in [65, 66, 68, 69] {
            assert_eq!(of(last)["machine"], true, "{mode} {last}: {}", of(last));
        }
        assert_eq!(of(94)["goal"], false, "{} {}", of(94), logs[&format!("79990000094-{mode}")]);
        assert_eq!(of(98)["first_audio_ms"], Value::Null, "{}", of(98));
        assert_eq!(of(99)["code"], 503);
        for (last, code) in [(75, 486), (80, 487), (85, 480), (88, 603), (90, 404), (92, 403), (96, 503), (97, 486)] {
            assert_eq!((&of(last)["event"], &of(last)["code"]), (&json!("Failed"), &json!(code)), "{mode} {last}");
        }
    }
    for (mode, expected) in [("dialog", 1500), ("realtime", 1200), ("realtime_pure", 850)] {
        let got = figures[mode];
        assert!(got.abs_diff(expected) < expected / 8, "{mode}: {got} ms instead of about {expected}");
    }
    bench.running.stop().await;
}

#[tokio::test]
async fn swapped_models_swap_the_figures() {
    let mut settings = quiet(300.0);
    settings.latency.swap("voice_dialog_rule", "voice_realtime_pure_rule");
    let (bench, server) = open(settings).await;
    for mode in ["dialog", "realtime_pure"] {
        let mut sessions = Vec::new();
        for last in 0..40 {
            sessions.push(bench.dial(&server, &format!("799900000{last:02}"), mode).await);
        }
        for id in sessions {
            bench.history(id).await;
        }
    }
    let outcomes = server.outcomes();
    let turn = |mode: &str| {
        let told = outcomes.iter().filter(|(id, _)| id.ends_with(&format!("-{mode}")));
        let turns = told.flat_map(|(_, told)| told["turns"].as_array().cloned().unwrap_or_default());
        median(turns.filter_map(|turn| turn["turn_ms"].as_u64()).collect())
    };
    let (dialog, pure) = (turn("dialog"), turn("realtime_pure"));
    assert!(dialog.abs_diff(850) < 110, "dialog with the model of realtime_pure: {dialog} ms");
    assert!(pure.abs_diff(1500) < 190, "realtime_pure with the model of dialog: {pure} ms");
    bench.running.stop().await;
}

#[tokio::test]
async fn default_mischief_costs_no_call() {
    let mischief: Mischief = "event_lost=0.1,event_late=0.1,event_doubled=0.2,event_reordered=0.1,grant_reply_lost=0.3"
        .parse()
        .expect("known names");
    let (bench, server) = open(Settings { mischief, ..quiet(300.0) }).await;
    let mut sessions = Vec::new();
    for last in 0..60 {
        sessions.push(bench.dial(&server, &format!("799900000{last:02}"), "dialog").await);
    }
    for id in sessions {
        let (session, log) = bench.history(id).await;
        assert_eq!(session["calls"].as_array().map(Vec::len), Some(1), "{log}");
        assert!(!log.contains("ERROR"), "{log}");
    }
    // What is late is later than the session's end.
    for _ in 0..100 {
        if server.outcomes().len() == 60 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(server.outcomes().len(), 60);
    bench.running.stop().await;
}
