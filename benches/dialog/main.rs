//! How long our side of a conversation takes to answer, many conversations at once.
//!
//! Each conversation asks `POST /voice/dialog` turn by turn, as a session does, and pauses between its turns. The
//! built-in rules answer, so what is measured is ours: the token's check, the reads, the reply, the commit of the turn at
//! `synchronous=FULL`. Beside each such request goes one to a bare handler of the same framework, in the same process.
//! The simulator starts the sessions and lets them die; this program speaks in their name.
//!
//! `cargo bench --bench dialog -- --dialogues 200 --rounds 5 --pause-ms 500`

#[path = "../../tests/harness/mod.rs"]
mod harness;

use axum::routing::post;
use axum::{Json, Router};
use halo::simulator::{Mischief, MischiefKind};
use harness::{Place, World, csv, ledger, settings, start, take_in, until};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};

const USAGE: &str = "--dialogues 200  --rounds 5  --pause-ms 500";
/// What callees say; the plain script ends behind the third.
const WORDS: [&str; 3] = ["Да, слушаю.", "Да, хорошо слышно.", "Нет, вопросов не имею."];
/// A number of the plan behind the first hundred has digits of another callee; all answer.
const CONTACTS_MAX: usize = 10_000;

#[derive(Clone, Copy)]
struct Options {
    dialogues: usize,
    rounds: usize,
    pause: Duration,
}

fn options() -> Result<Options, String> {
    let mut options = Options { dialogues: 200, rounds: 5, pause: Duration::from_millis(500) };
    let mut args = std::env::args().skip(1).filter(|arg| arg != "--bench");
    while let Some(name) = args.next() {
        let value = args.next().and_then(|text| text.parse::<usize>().ok()).ok_or(format!("{name} wants a number"))?;
        match name.as_str() {
            "--dialogues" => options.dialogues = value,
            "--rounds" => options.rounds = value,
            "--pause-ms" => options.pause = Duration::from_millis(value as u64),
            other => return Err(format!("{other} is no option: {USAGE}")),
        }
    }
    let contacts = options.dialogues * options.rounds;
    if contacts == 0 || contacts > CONTACTS_MAX {
        return Err(format!("dialogues times rounds: from 1 to {CONTACTS_MAX}"));
    }
    Ok(options)
}

/// The program's own.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main(worker_threads = 2)]
async fn main() {
    let options = match options() {
        Ok(options) => options,
        Err(fault) => {
            eprintln!("{fault}");
            std::process::exit(2);
        }
    };
    let mischief = Mischief::none().with(MischiefKind::StartNoGrant, 1.0);
    let place = Place::new(World { speed: 1.0, mischief, ..World::default() }).await;
    let app = place.serve().await;
    let contacts = options.dialogues * options.rounds;
    let list = csv((0..contacts).map(|nth| format!("+7999000{nth:04}")));
    let text = settings("dialog", "mode = \"dialog\"")
        .replace("cps = 20", "cps = 500")
        .replace("lines = 60", &format!("lines = {contacts}"));
    let campaign = take_in(&app, &text, &list).await.campaign;
    let run = start(&app, campaign).await;
    eprintln!("waiting for {contacts} sessions");
    let starts = until("the sessions were started", || async {
        Some(ledger::starts(&place.simulator).await).filter(|starts| starts.len() >= contacts)
    })
    .await;

    let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let bare = format!("http://{}/bare", socket.local_addr().expect("an address"));
    let answer =
        |Json(asked): Json<Value>| async move { Json(json!({ "reply_text": asked["text"], "end_session": false })) };
    tokio::spawn(async move { axum::serve(socket, Router::new().route("/bare", post(answer))).await });

    let base = format!("http://{}", app.address);
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let mut calls = Vec::new();
    for (nth, start) in starts.iter().take(contacts).enumerate() {
        let body = json!({ "a": start.attempt, "t": start.token, "session_id": 1000 + nth });
        let sent =
            client.post(format!("{base}/voximplant/grant")).body(body.to_string()).send().await.expect("a grant");
        assert_eq!(sent.status(), 200, "a session that was started is granted");
        let grant: Value = sent.json().await.expect("JSON");
        calls.push((start.attempt.clone(), grant["event_token"].as_str().expect("a token").to_owned()));
    }
    eprintln!("{} conversations at once, {} rounds", options.dialogues, options.rounds);
    let began = Instant::now();
    let mut talking = Vec::new();
    for (nth, mine) in calls.chunks(options.rounds).enumerate() {
        let talk =
            Talk { base: base.clone(), bare: bare.clone(), client: client.clone(), calls: mine.to_vec(), options };
        talking.push(tokio::spawn(Arc::new(talk).all(nth)));
    }
    let (mut ours, mut bares) = (Vec::new(), Vec::new());
    for talk in talking {
        let (mine, bare) = talk.await.expect("a conversation goes to its end");
        ours.extend(mine);
        bares.extend(bare);
    }
    let took = began.elapsed().as_secs_f64();
    app.store.set_run_state(run, halo::store::RunState::Stopped, None, app.clock.now()).await.expect("stopped");
    app.stop().await;
    for (share, name) in [(0.5, "p50"), (0.99, "p99")] {
        let (mine, bare) = (quantile(&mut ours, share), quantile(&mut bares, share));
        let line = |metric: &str, value: f64, unit: &str| {
            json!({
                "bench": "dialog", "metric": metric, "value": (value * 1000.0).round() / 1000.0, "unit": unit,
                "dialogues": options.dialogues, "requests": ours.len(),
            })
        };
        println!("{}", line(&format!("POST /voice/dialog, {name}"), mine, "ms"));
        println!("{}", line(&format!("a bare handler, {name}"), bare, "ms"));
        let mut ratio = line(&format!("POST /voice/dialog beside a bare handler, {name}"), mine / bare, "ratio");
        ratio["against"] = json!("a bare handler of the same framework");
        println!("{ratio}");
    }
    let rate = ours.len() as f64 / took;
    println!("{}", json!({ "bench": "dialog", "metric": "turns answered", "value": rate.round(), "unit": "1/s" }));
}

struct Talk {
    base: String,
    bare: String,
    client: reqwest::Client,
    calls: Vec<(String, String)>,
    options: Options,
}

impl Talk {
    /// One conversation after the other; milliseconds of each request to us, and to the bare handler.
    async fn all(self: Arc<Self>, nth: usize) -> (Vec<f64>, Vec<f64>) {
        let (mut ours, mut bares) = (Vec::new(), Vec::new());
        // They do not all speak at the same instant.
        tokio::time::sleep(self.options.pause.mul_f64(nth as f64 / self.options.dialogues as f64)).await;
        for (call, token) in &self.calls {
            for (turn, words) in (1..).zip(WORDS) {
                let body = json!({ "call_id": call, "turn": turn, "text": words, "is_final": true }).to_string();
                let began = Instant::now();
                let sent =
                    self.client.post(format!("{}/voice/dialog", self.base)).bearer_auth(token).body(body.clone());
                let reply: Value = sent.send().await.expect("an answer").json().await.expect("JSON");
                ours.push(began.elapsed().as_secs_f64() * 1000.0);
                assert_eq!(reply["end_session"], turn == WORDS.len(), "{reply}");
                let began = Instant::now();
                let sent = self.client.post(&self.bare).header("content-type", "application/json").body(body);
                let _: Value = sent.send().await.expect("an answer").json().await.expect("JSON");
                bares.push(began.elapsed().as_secs_f64() * 1000.0);
                tokio::time::sleep(self.options.pause).await;
            }
        }
        (ours, bares)
    }
}

fn quantile(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    values[((values.len() - 1) as f64 * share).round() as usize]
}
