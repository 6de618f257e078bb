//! The contract between scenarios and server, as files: what our scenarios post in the simulator is compared
//! with `voximplant/callbacks/`, and every file is posted as it is to a real server.
//!
//! `HALO_WRITE_CALLBACKS=1` writes the files anew. Compared are names, words and which values are there;
//! instants and costs are the latency model's.

use crate::harness::{self, Place, World, csv, ledger, number, settings, take_in, until};
use crate::stage::{Played, Stage};
use halo::simulator::{Mischief, MischiefKind};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

const CALL: &str = "att_00000000000g4";
const SESSION: &str = "7760988732";
/// The starting material's events: nobody of ours writes them.
const PLAIN: &str = "plain_";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("voximplant/callbacks")
}

fn files() -> BTreeMap<String, Value> {
    let entries = std::fs::read_dir(folder()).expect("the folder of contract files");
    let read = entries.map(|entry| {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).expect("text");
        (name, serde_json::from_str(&text).expect("JSON"))
    });
    read.collect()
}

/// Which call it was is not the contract's.
fn anonymous(event: &Value) -> Value {
    let mut told = event.clone();
    told["call_id"] = json!(CALL);
    told["session_id"] = json!(SESSION);
    if told["record_url"].is_string() {
        told["record_url"] = json!("https://storage.example/record.mp3");
    }
    told
}

/// Without what hangs on the latency model; whether a value is there remains.
fn shape(value: &Value) -> Value {
    let Value::Object(fields) = value else {
        return match value {
            Value::Array(items) => items.iter().map(shape).collect(),
            other => other.clone(),
        };
    };
    let masked = |name: &str| name.ends_with("_ms") || name == "cost";
    let field = |(name, value): (&String, &Value)| match value {
        Value::Number(_) if masked(name) => (name.clone(), json!("a number")),
        other => (name.clone(), shape(other)),
    };
    Value::Object(fields.iter().map(field).collect())
}

fn replies() -> [Value; 3] {
    [
        json!({ "reply_text": "Здравствуйте!", "end_session": false }),
        json!({ "reply_text": "Когда вам перезвонить?", "end_session": false }),
        json!({ "reply_text": "Хорошо, до свидания!", "end_session": true, "goal": true, "answers": { "time": "morning" },
                "callback_at": "2026-11-24T10:00:00+03:00" }),
    ]
}

/// Every event that our scenarios post, by the name of its file.
async fn posted() -> BTreeMap<&'static str, Value> {
    let stage = Stage::open(200.0).await;
    stage.replies(&replies());
    stage.on_opt_out(
        json!({ "reply_text": "Простите, до свидания!", "end_session": true, "goal": false, "opt_out": true }),
    );
    let mut told: BTreeMap<&'static str, Value> = BTreeMap::new();
    let mut keep = |name, event: &Value| assert!(told.insert(name, anonymous(event)).is_none(), "{name} twice");

    let whole = stage.play("dialog", &number(0, 1), json!({})).await;
    for (name, event) in [("ringing", "Ringing"), ("connected", "Connected"), ("turn", "Turn")] {
        keep(name, whole.event(event));
    }
    keep("machine_human", whole.event("Machine"));
    keep("disconnected", whole.last());

    let short = stage.play("dialog", &number(0, 60), json!({})).await;
    keep("disconnected_callee", short.last());
    let unheard = stage.play("dialog", &number(0, 98), json!({ "amd": "off" })).await;
    keep("disconnected_fault", unheard.last());
    let limit = stage.play("dialog", &number(0, 2), json!({ "call_s": 9 })).await;
    keep("disconnected_limit", limit.last());
    let recorded = stage.play("greeting", &number(0, 3), json!({ "record": true })).await;
    keep("disconnected_recorded", recorded.last());
    let never = stage.play("dialog", &number(0, 94), json!({})).await;
    keep("opt_out", never.event("OptOut"));
    // Once more at the end, for a session that was taken down before its other events arrived.
    keep("disconnected_opted_out", never.last());

    // A call must outlast the detection that finds nothing.
    for (ending, mode, behaviour, name, result) in [
        (10, "greeting", "machine_mimic", "machine_voicemail", "VOICEMAIL"),
        (11, "dialog", "undecided", "machine_timeout", "TIMEOUT"),
        (12, "greeting", "gone_at_once", "machine_call_ended", "CALL_ENDED"),
    ] {
        stage.behaviour(&number(1, ending), behaviour).await;
        let played = stage.play(mode, &number(1, ending), json!({})).await;
        assert_eq!(played.event("Machine")["result"], result, "{name}: {}", played.log);
        keep(name, played.event("Machine"));
        if behaviour == "machine_mimic" {
            keep("disconnected_machine", played.last());
        }
    }
    keep("disconnected_realtime", stage.play("realtime_pure", &number(0, 6), json!({})).await.last());
    stage.behaviour(&number(1, 13), "model_closes").await;
    keep("disconnected_model", stage.play("realtime_pure", &number(1, 13), json!({})).await.last());
    stage.behaviour(&number(1, 14), "model_refuses").await;
    keep("failed_model", stage.play("realtime_pure", &number(1, 14), json!({})).await.last());

    stage.behaviour(&number(1, 15), "no_funds").await;
    for (name, callee, more) in [
        ("failed_busy", number(0, 75), json!({})),
        ("failed_no_answer", number(0, 78), json!({ "ring_s": 90 })),
        ("failed_ring_timer", number(0, 79), json!({})),
        ("failed_unavailable", number(0, 85), json!({})),
        ("failed_rejected", number(0, 88), json!({})),
        ("failed_invalid_number", number(0, 90), json!({})),
        ("failed_prohibited", number(0, 92), json!({})),
        ("failed_network_error", number(0, 96), json!({})),
        ("failed_no_funds", number(1, 15), json!({})),
        ("failed_not_placed", number(0, 4), json!({ "caller_id": null })),
        ("not_dialled", number(0, 5), json!({ "granted_ms_ago": 60_000 })),
    ] {
        let played = stage.play("greeting", &callee, more).await;
        keep(name, played.last());
    }
    keep("failed_cancelled", hung_up_while_it_rings().await.last());
    told
}

/// Slow enough for a command to come while it rings.
async fn hung_up_while_it_rings() -> Played {
    let stage = Stage::open(20.0).await;
    let started = stage.begin("greeting", &number(0, 80), json!({ "ring_s": 59 })).await;
    stage.hears(&started, "Ringing").await;
    assert_eq!(stage.command(&started, r#"{"hello":"there"}"#).await, r#"{"ok":false}"#, "no command of ours");
    let answer = stage.command(&started, r#"{"command":"hangup","request_id":"r1","payload":{}}"#).await;
    assert_eq!(answer, r#"{"ok":true}"#);
    stage.end(&started).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scenarios_post_what_the_contract_files_say() {
    let posted = posted().await;
    if std::env::var("HALO_WRITE_CALLBACKS").as_deref() == Ok("1") {
        for (name, event) in &posted {
            let text = serde_json::to_string_pretty(event).expect("JSON is written") + "\n";
            std::fs::write(folder().join(format!("{name}.json")), text).expect("the file is written");
        }
    }
    let files = files();
    let of_ours: BTreeSet<&str> = files.keys().map(String::as_str).filter(|name| !name.starts_with(PLAIN)).collect();
    assert_eq!(of_ours, posted.keys().copied().collect(), "a file that nothing writes, or an event without a file");
    for (name, event) in &posted {
        assert_eq!(shape(event), shape(&files[*name]), "{name}");
    }
}

/// A server, and sessions that were started and are the test's to play.
async fn granted(place: &Place, contacts: u32) -> (halo::app::App, halo::domain::CampaignId, Vec<ledger::Line>) {
    let app = place.serve().await;
    let list = csv((0..contacts).map(|nth| number(nth, 0)));
    let campaign = take_in(&app, &settings("contract", "mode = \"greeting\""), &list).await.campaign;
    harness::start(&app, campaign).await;
    let starts = until("the sessions were started", || async {
        Some(ledger::starts(&place.simulator).await).filter(|starts| starts.len() == contacts as usize)
    })
    .await;
    (app, campaign, starts)
}

async fn post(app: &halo::app::App, path: &str, token: Option<&str>, body: &Value) -> (u16, Value) {
    let request = reqwest::Client::new().post(format!("http://{}{path}", app.address)).body(body.to_string());
    let request = match token {
        Some(token) => request.bearer_auth(token),
        None => request,
    };
    let answer = request.send().await.expect("an answer");
    let status = answer.status().as_u16();
    (status, answer.json().await.unwrap_or_default())
}

/// The outcome that each final file makes of a granted attempt; the others move nothing.
const OUTCOMES: &[(&str, &str)] = &[
    ("disconnected", "answered"),
    ("disconnected_callee", "answered"),
    ("disconnected_fault", "answered"),
    ("disconnected_limit", "answered"),
    ("disconnected_machine", "machine"),
    ("disconnected_model", "answered"),
    ("disconnected_opted_out", "answered"),
    ("disconnected_realtime", "answered"),
    ("disconnected_recorded", "answered"),
    ("failed_busy", "busy"),
    ("failed_cancelled", "cancelled"),
    ("failed_invalid_number", "invalid_number"),
    ("failed_model", "scenario_error"),
    ("failed_network_error", "network_error"),
    ("failed_no_answer", "no_answer"),
    ("failed_no_funds", "no_funds"),
    ("failed_not_placed", "scenario_error"),
    ("failed_prohibited", "prohibited"),
    ("failed_rejected", "rejected"),
    ("failed_ring_timer", "no_answer"),
    ("failed_unavailable", "unavailable"),
    ("plain_disconnected", "answered"),
    ("plain_failed_busy", "busy"),
    ("plain_failed_code", "busy"),
    ("plain_failed_error", "network_error"),
    ("plain_failed_machine", "machine"),
    ("plain_failed_no_answer", "no_answer"),
];

/// Each file goes to an attempt of its own; after a machine's plain end comes the hang-up's, as the starting
/// material's scenario sends it, and changes nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_real_server_understands_every_contract_file() {
    let mischief = Mischief::none().with(MischiefKind::StartNoGrant, 1.0);
    // With a scaled clock the time to ask for a grant is short where the machine has other work.
    let place = Place::new(World { mischief, speed: 1.0, ..World::default() }).await;
    let files = files();
    let (app, campaign, starts) = granted(&place, files.len() as u32).await;
    // All grants first: an account without funds pauses the run.
    let mut calls = Vec::new();
    for (nth, ((name, body), start)) in files.iter().zip(&starts).enumerate() {
        let session = (7_760_988_000 + nth as i64).to_string();
        let asked = json!({ "a": start.attempt, "t": start.token, "session_id": session });
        let (status, grant) = post(&app, "/voximplant/grant", None, &asked).await;
        assert_eq!(status, 200, "{name}: {grant}");
        calls.push((name, body, start, session, grant["event_token"].as_str().expect("a token").to_owned()));
    }
    let mut attempts = BTreeMap::new();
    for (name, body, start, session, token) in calls {
        let token = token.as_str();
        let mut event = body.clone();
        event["call_id"] = json!(start.attempt);
        if !name.starts_with(PLAIN) {
            event["session_id"] = json!(session);
        }
        let (status, told) = post(&app, "/voximplant/events", Some(token), &event).await;
        assert_eq!(status, 200, "{name}: {told}");
        if name == "plain_failed_machine" {
            let hung_up = json!({ "event": "Disconnected", "call_id": start.attempt, "reason": "normal" });
            assert_eq!(post(&app, "/voximplant/events", Some(token), &hung_up).await.0, 200);
        }
        attempts.insert(name.as_str(), start.attempt.clone());
    }
    let expected: BTreeMap<&str, &str> = OUTCOMES.iter().copied().collect();
    let rows = harness::attempts(&app, campaign).await;
    let mut wrong = Vec::new();
    for (name, attempt) in &attempts {
        let row = rows.iter().find(|row| halo::domain::AttemptId(row.attempt_id).to_string() == *attempt);
        let outcome = row.and_then(|row| row.outcome.as_deref());
        if outcome != expected.get(name).copied() {
            wrong.push(format!("{name}: {outcome:?}, not {:?}", expected.get(name)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    app.stop().await;
}
