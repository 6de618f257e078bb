//! The demo's modes side by side: what each is told, by the grants of real attempts.

use crate::callbacks::{ask, tell};
use crate::harness::{Place, ledger, number, settings, until};
use crate::{dead_sessions, get, post, send_form};
use halo::app::App;
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const SCRIPT: &str = include_str!("../../campaigns/demo/script.toml");

/// The sentences of a prompt's spine: phases, and the goodbye.
fn sentences(instructions: &str) -> Vec<String> {
    let lines = instructions.lines().filter(|line| line.starts_with("PHASE ") || line.starts_with("END:"));
    lines.map(|line| line.split_once('«').expect("a quotation").1.trim_end_matches('»').to_owned()).collect()
}

/// A contact of each mode in a run of the demo's script, whose sessions are the test's to play.
async fn play(place: &Place, app: &App, modes: &[&str]) -> (Value, Vec<ledger::Line>) {
    let rows = (1..).zip(modes).map(|(nth, mode)| format!("{},Анна,Омск,бассейн,{mode}\n", number(0, nth)));
    let list = rows.fold("phone,name,city,interest,mode\n".to_owned(), |list, row| list + &row);
    let toml = settings("told", "modes = { dialog = 1, realtime = 1, realtime_pure = 1 }");
    let fields = [("settings", toml.as_bytes()), ("script", SCRIPT.as_bytes()), ("contacts", list.as_bytes())];
    let (status, made) = send_form(app, &fields).await;
    assert_eq!(status, 201, "{made}");
    let path = format!("/api/v1/campaigns/{}/runs", made["id"].as_str().expect("an id"));
    let (_, run) = post(app, &path).await;
    let starts = until("the sessions were started", || async {
        Some(ledger::starts(&place.simulator).await).filter(|starts| starts.len() == modes.len())
    })
    .await;
    (run, starts)
}

/// Without `declared` in `http/webhooks.rs` a model with the whole script would be given values that no other mode may
/// have.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_answered_is_kept_alike_in_every_mode() {
    let place = dead_sessions().await;
    let app = place.serve().await;
    let modes = ["dialog", "realtime", "realtime_pure"];
    let (_, starts) = play(&place, &app, &modes).await;
    for (nth, start) in starts.iter().enumerate() {
        let (_, grant) = ask(&app, &start.attempt, &start.token, 70 + nth as i64).await;
        let last = json!({
            "call_id": start.attempt, "event": "Disconnected", "seq": 3, "at_ms": 29_000,
            "session_id": (70 + nth).to_string(), "code": 200, "reason": "", "turns": [], "talk_ms": 20_000,
            "answers": { "has_it": "Да", "trial": "perhaps", "days": "«по утрам»\n", "another": [1] },
        });
        let told = tell(&app, "/voximplant/events", grant["event_token"].as_str(), last.to_string()).await;
        assert_eq!(told.0, 200, "{told:?}");
        let (_, shown) = get(&app, &format!("/api/v1/attempts/{}", start.attempt)).await;
        assert_eq!(
            shown["call"]["answers"],
            json!({ "has_it": true, "days": "по утрам", "another": [1] }),
            "{}",
            grant["mode"]
        );
    }
    crate::harness::stop_now(app).await;
}

/// Without the one script behind `prompts::told` and the repliers the modes would play different plays.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_modes_of_the_demo_say_the_same_whoever_replies() {
    let mut plays: BTreeSet<Vec<String>> = BTreeSet::new();
    let mut table = String::new();
    for replier in ["rules", "a-model"] {
        let mut place = dead_sessions().await;
        if replier != "rules" {
            place.more = vec![("OPENAI_MODEL", replier.into()), ("OPENAI_BASE_URL", place.simulator.completions_url())];
        }
        let app = place.serve().await;
        let modes = ["dialog", "realtime", "realtime_pure"];
        let (run, starts) = play(&place, &app, &modes).await;
        let mut lines = Vec::new();
        for (nth, start) in starts.iter().enumerate() {
            let (_, grant) = ask(&app, &start.attempt, &start.token, 70 + nth as i64).await;
            let (mode, token) = (grant["mode"].as_str().expect("a mode"), grant["event_token"].as_str());
            let (_, told) = get(&app, &format!("/api/v1/attempts/{}/told", start.attempt)).await;
            assert_eq!(told["same"], true, "what is shown is what was stored: {told}");
            for key in ["first_phrase", "instructions", "tools", "language", "voice"] {
                assert_eq!(told[key], grant[key], "{mode}: {key}");
            }
            let by_instructions = sentences(grant["instructions"].as_str().expect("a text"));
            let says = if mode == "realtime_pure" {
                by_instructions.clone()
            } else {
                let mut says = vec![grant["first_phrase"].as_str().expect("a text").to_owned()];
                for turn in 1..=4 {
                    let body = json!({ "call_id": start.attempt, "turn": turn, "text": "Да, хорошо." });
                    let (_, reply) = tell(&app, "/voice/dialog", token, body.to_string()).await;
                    assert!(reply["fault"].is_null(), "{mode}: {reply}");
                    assert_eq!(reply["end_session"], turn == 4, "{mode}: {reply}");
                    says.push(reply["reply_text"].as_str().expect("a text").to_owned());
                }
                says
            };
            let tools = grant["tools"].as_array().expect("tools").iter().map(|tool| tool["name"].as_str().unwrap());
            let tools = tools.collect::<Vec<_>>().join(",");
            let replied = told["replier"].as_str().unwrap_or("-");
            lines.push(format!("{mode:14} {replied:8} {:5} {tools:10} {}\n", by_instructions.len(), says.len()));
            plays.insert(says);
        }
        lines.sort();
        table += &lines.concat();
        let path = format!("/api/v1/runs/{}/stop", run["id"].as_str().expect("an id"));
        assert_eq!(post(&app, &path).await.0, 200);
        crate::harness::stop_now(app).await;
    }
    assert_eq!(
        table,
        "dialog         rules        5            5\n\
         realtime       rules        0 get_reply  5\n\
         realtime_pure  -            5 end_call   5\n\
         dialog         a-model      5            5\n\
         realtime       a-model      0 get_reply  5\n\
         realtime_pure  -            5 end_call   5\n"
    );
    assert_eq!(plays.len(), 1, "one play, whoever plays it: {plays:#?}");
    assert!(plays.iter().flatten().all(|said| !said.contains("{{")), "{plays:#?}");
}

/// The guards: `put_bundle_text`; the kept models in `told::of_attempt`; without the names in `Bundle::of` an erased value
/// would be kept.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_call_was_told_outlives_the_model_and_the_values() {
    let mut place = dead_sessions().await;
    let model = |name: &str, url: String| vec![("OPENAI_MODEL", name.to_owned()), ("OPENAI_BASE_URL", url)];
    place.more = model("a-model", place.simulator.completions_url());
    let app = place.serve().await;
    let (_, starts) = play(&place, &app, &["dialog"]).await;
    let mine = &starts[0];
    let (_, grant) = ask(&app, &mine.attempt, &mine.token, 70).await;
    let last = json!({
        "call_id": mine.attempt, "event": "Disconnected", "seq": 3, "at_ms": 29_000, "session_id": "70", "code": 200,
        "reason": "", "turns": [], "talk_ms": 20_000,
    });
    assert_eq!(tell(&app, "/voximplant/events", grant["event_token"].as_str(), last.to_string()).await.0, 200);
    crate::harness::stop_now(app).await;

    place.more = model("another-model", place.simulator.completions_url());
    let app = place.serve().await;
    let path = format!("/api/v1/attempts/{}/told", mine.attempt);
    let (_, told) = get(&app, &path).await;
    assert_eq!((&told["same"], &told["replier"]), (&json!(true), &json!("a-model")), "{told}");
    assert_eq!(told["instructions"], grant["instructions"]);
    let rules = told["replier_instructions"].as_str().expect("what the model was told besides");
    assert!(rules.contains("Besides speaking you may call note"), "{rules}");

    let (status, body) =
        crate::links::send(&app, Method::DELETE, &format!("/api/v1/numbers/%2B{}", &number(0, 1)[1..]), Value::Null)
            .await;
    assert_eq!(status, 200, "{body}");
    let (_, told) = get(&app, &path).await;
    assert_eq!(told["same"], false, "{told}");
    assert_eq!(told["kept"]["replier"], "a-model");
    let kept = told["kept"]["told"]["instructions"].as_str().expect("what the run was told");
    assert!(kept.contains("[name]") && !told.to_string().contains("Анна"), "{told}");
    crate::harness::stop_now(app).await;
}
