//! A model's replies beside everything else: what they cost is in the budget, and a killed server goes on with them.

use crate::callbacks::{Started, ask, end, tell};
use crate::dialogue::{Line, asked, mood};
use crate::harness::process::{Process, free_port};
use crate::harness::{KEY, Place, csv, ledger, number, settings, start, take_in, until};
use crate::{answer, dead_sessions, get};
use halo::domain::Mode;
use halo::domain::money::Models;
use serde_json::{Value, json};
use std::process::Command;

async fn budget(line: &Line) -> (i64, i64) {
    let (_, shown) = get(&line.it.app, &format!("/api/v1/runs/{}", line.it.run)).await;
    let micros = |key: &str| (shown["budget"][key].as_f64().expect("an amount") * 1e6).round() as i64;
    (micros("reserved"), micros("spent"))
}

fn costs(story: &Value) -> Vec<i64> {
    story["dialogue"].as_array().expect("turns").iter().filter_map(|turn| turn["cost_micros"].as_i64()).collect()
}

/// Without `money::replied` in the settlement the replies of the call, and without `settle_late` in `dialogue::put` the
/// late one, are in no budget.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_replies_cost_is_in_the_budget() {
    let mut place = dead_sessions().await;
    place.more = vec![("OPENAI_MODEL", "any-model".into()), ("OPENAI_BASE_URL", place.simulator.completions_url())];
    let app = place.serve().await;
    let toml = settings("counted", "mode = \"dialog\"") + "[budget]\nrun = 5.0\n";
    let taken = take_in(&app, &toml, &csv([number(0, 1)])).await;
    let campaign = taken.campaign;
    let run = start(&app, campaign).await;
    let starts = until("the session was started", || async {
        Some(ledger::starts(&place.simulator).await).filter(|starts| starts.len() == 1)
    })
    .await;
    let (_, grant) = ask(&app, &starts[0].attempt, &starts[0].token, "71").await;
    let (call, token) = (starts[0].attempt.clone(), grant["event_token"].as_str().expect("a token").to_owned());
    let line = Line { it: Started { app, campaign, run, starts }, place, call, token, grant };

    let settings = halo::intake::settings::parse(&toml, &line.it.app.modes).expect("settings");
    let models = Models { realtime: "gpt-realtime".into(), replier: Some("any-model".into()) };
    let to = number(0, 1).parse().expect("a number");
    let tariff = halo::intake::prices::shipped().tariff(&to, &Mode::dialog(), &settings.dial, &models);
    assert_eq!(budget(&line).await, (tariff.most(), 0));
    line.say(1, "Да, слушаю.").await;
    // An answer that breaks off is told without its tokens, and has cost something all the same.
    line.mood(json!({ "trouble": "closes-late", "times": 1 })).await;
    line.say(2, "Да, хорошо слышно.").await;
    let replied = costs(&line.story().await);
    assert!(replied.len() == 2 && replied.iter().all(|cost| *cost > 0), "{replied:?}");
    assert_eq!(budget(&line).await, (tariff.most(), 0), "reserved is reserved until the end");
    let last = json!({
        "call_id": line.call, "event": "Disconnected", "seq": 3, "at_ms": 29_000, "session_id": "71", "code": 200,
        "reason": "", "turns": [], "talk_ms": 20_000, "ring_ms": 4000, "answered_at_ms": 5000,
    });
    assert_eq!(tell(&line.it.app, "/voximplant/events", Some(&line.token), last.to_string()).await.0, 200);
    let (reserved, spent) = budget(&line).await;
    let provider = spent - replied.iter().sum::<i64>();
    assert!(reserved == 0 && (tariff.provider(0, 20)..=tariff.provider(30, 20)).contains(&provider), "{provider}");

    // A reply that was still being written.
    line.say(3, "Нет, вопросов не имею.").await;
    let replied = costs(&line.story().await);
    assert_eq!((replied.len(), budget(&line).await), (3, (0, provider + replied.iter().sum::<i64>())));
    line.say(3, "Нет.").await;
    assert_eq!(budget(&line).await.1, provider + replied.iter().sum::<i64>(), "counted once");
    assert_eq!(
        line.it.app.store.prove(campaign).await.expect("a proof").money.wrong,
        0,
        "counters are their rows' sums"
    );
    end(line.it).await;
}

/// `halo serve`, and a key of its own.
struct Served {
    process: Process,
    base: String,
}

impl Served {
    async fn of(place: &Place, listen: &str) -> Served {
        let mut command = Command::new(env!("CARGO_BIN_EXE_halo"));
        command.arg("serve").current_dir(place.folder.path()).env_clear().envs([
            ("DATABASE_URL", place.database_url().as_str()),
            ("HALO_LISTEN", listen),
            ("HALO_CLOCK_SPEED", "60"),
            ("VOXIMPLANT_API_URL", &place.api_url),
            ("API_AUTH_KEY", KEY),
            ("OPENAI_MODEL", "any-model"),
            ("OPENAI_BASE_URL", &place.simulator.completions_url()),
        ]);
        let served = Served {
            process: Process::start(command, &place.folder.path().join("log")),
            base: format!("http://{listen}"),
        };
        until("it answers", || async { reqwest::get(format!("{}/readyz", served.base)).await.ok() }).await;
        served
    }

    async fn post(&self, path: &str, token: &str, body: impl Into<reqwest::Body>) -> crate::Answer {
        answer(reqwest::Client::new().post(format!("{}{path}", self.base)).bearer_auth(token).body(body)).await
    }
}

/// Without `put_dialogue` before the answer is given the restarted server would begin anew.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_killed_in_mid_call_goes_on_with_it() {
    let place = dead_sessions().await;
    let listen = free_port().to_string();
    let mut served = Served::of(&place, &listen).await;
    let (toml, list) = (settings("killed", "mode = \"dialog\""), csv([number(0, 1)]));
    let fields = [("settings", toml.as_bytes()), ("contacts", list.as_bytes())];
    let (status, made) = answer(crate::form(&format!("{}/api/v1/campaigns", served.base), &fields)).await;
    assert_eq!(status, 201, "{made}");
    let id = made["id"].as_str().expect("an id");
    assert_eq!(served.post(&format!("/api/v1/campaigns/{id}/runs"), KEY, "").await.0, 201);
    let starts = until("the session was started", || async {
        Some(ledger::starts(&place.simulator).await).filter(|starts| starts.len() == 1)
    })
    .await;
    let call = &starts[0].attempt;
    let body = json!({ "a": call, "t": starts[0].token, "session_id": "71" });
    let (status, grant) = served.post("/voximplant/grant", "", body.to_string()).await;
    assert_eq!(status, 200, "{grant}");
    let token = grant["event_token"].as_str().expect("a token").to_owned();
    let say = |turn: i64, text: &str| json!({ "call_id": call, "turn": turn, "text": text }).to_string();
    let (_, first) = served.post("/voice/dialog", &token, say(1, "Да, слушаю.")).await;
    assert!(first["fault"].is_null() && first["end_session"] == false, "{first}");
    // The second turn is at the model when the server dies.
    mood(&place, json!({ "trouble": "hangs" })).await;
    let (url, body) = (format!("{}/voice/dialog", served.base), say(2, "Да, хорошо слышно."));
    let second = tokio::spawn(reqwest::Client::new().post(url).bearer_auth(&token).body(body).send());
    until("the model is asked", || async { (asked(&place).await["requests"] == 2).then_some(()) }).await;
    served.process.kill();
    assert!(second.await.expect("no panic").is_err(), "nobody answered it");
    mood(&place, json!({})).await;

    let served = Served::of(&place, &listen).await;
    assert_eq!(served.post("/voice/dialog", &token, say(1, "Что?")).await.1, first, "what was said stays said");
    let (_, second) = served.post("/voice/dialog", &token, say(2, "Да, хорошо слышно.")).await;
    assert!(second["fault"].is_null() && second["reply_text"] != first["reply_text"], "{second}");
    let told = asked(&place).await;
    assert_eq!(told["requests"], 3);
    let said = told["newest"][2]["messages"].as_array().expect("messages");
    assert_eq!((said.len(), &said[4]["content"]), (6, &first["reply_text"]), "the conversation goes on: {told}");
}
