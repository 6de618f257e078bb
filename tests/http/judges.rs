//! The goal judged out of the words, over real HTTP, with a model that is only an ear.

use crate::callbacks::{ask, tell};
use crate::harness::{KEY, Place, ledger, number, settings, until};
use crate::{answer, dead_sessions, get, post, send_form, url};
use axum::Router;
use axum::body::Bytes;
use axum::routing::any;
use halo::app::{App, replier};
use halo::http::judging::Judging;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

const SCRIPT: &str = include_str!("../../campaigns/demo/script.toml");
const HEARD: [&str; 4] = ["Да, удобно.", "Да, есть.", "Вторник и четверг.", "Да, конечно."];
const SAID: [&str; 4] = [
    "Я живу в городе Омск и ищу клуб рядом с домом. Мне интересны бассейн. У вас такое есть?",
    "Мне подходят будни после семи вечера. В какие дни лучше приходить?",
    "Хорошо. Можно ли сначала прийти на одно пробное занятие?",
    "Спасибо вам, я всё узнала. До встречи и всего доброго!",
];

/// Chat completions that keep what they are asked, and answer the same to everybody.
struct Ear {
    url: String,
    heard: Arc<Mutex<Vec<Bytes>>>,
    says: Arc<Mutex<(u16, String)>>,
}

impl Ear {
    async fn listening() -> Ear {
        let (heard, says) = (Arc::<Mutex<Vec<Bytes>>>::default(), Arc::new(Mutex::new((200, String::new()))));
        let (keep, say) = (heard.clone(), says.clone());
        let hear = move |body: Bytes| {
            let (keep, say) = (keep.clone(), say.clone());
            async move {
                keep.lock().unwrap().push(body);
                let (status, text) = say.lock().unwrap().clone();
                let answer = json!({
                    "choices": [{ "index": 0, "finish_reason": "stop",
                                  "message": { "role": "assistant", "content": text } }],
                    "usage": { "prompt_tokens": 90, "completion_tokens": 20, "total_tokens": 110 },
                });
                (axum::http::StatusCode::from_u16(status).unwrap(), axum::Json(answer))
            }
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/v1", listener.local_addr().expect("an address"));
        let router = Router::new().route("/v1/chat/completions", any(hear));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ear { url, heard, says }
    }

    fn says(&self, status: u16, text: &str) {
        *self.says.lock().unwrap() = (status, text.to_owned());
    }

    fn asked(&self) -> Vec<Bytes> {
        std::mem::take(&mut *self.heard.lock().unwrap())
    }
}

struct Talked {
    campaign: String,
    run: String,
    attempts: Vec<String>,
    /// Calls in which something was said, and in which nothing was.
    spoken: u64,
    silent: u64,
}

/// A run of every mode. In `dialog` and `realtime_pure` the same was said, in `realtime` nobody was heard, and its session
/// calls that a success. The run is stopped.
async fn talked(place: &Place, app: &App) -> Talked {
    talked_by(place, app, "").await
}

async fn talked_by(place: &Place, app: &App, experiment: &str) -> Talked {
    let rows = (1..=9).map(|nth| format!("{},Анна,Омск,бассейн\n", number(0, nth)));
    let list = rows.fold("phone,name,city,interest\n".to_owned(), |list, row| list + &row);
    let toml = settings("judged", &format!("modes = {{ dialog = 1, realtime = 1, realtime_pure = 1 }}\n{experiment}"));
    let fields = [("settings", toml.as_bytes()), ("script", SCRIPT.as_bytes()), ("contacts", list.as_bytes())];
    let (status, made) = send_form(app, &fields).await;
    assert_eq!(status, 201, "{made}");
    let campaign = made["id"].as_str().expect("an id").to_owned();
    let (_, run) = post(app, &format!("/api/v1/campaigns/{campaign}/runs")).await;
    let run = run["id"].as_str().expect("an id").to_owned();
    let starts = until("the sessions were started", || async {
        Some(ledger::starts(&place.simulator).await).filter(|starts| starts.len() == 9)
    })
    .await;
    let mut told = Talked { campaign, run, attempts: Vec::new(), spoken: 0, silent: 0 };
    let mut modes = BTreeSet::new();
    for (nth, start) in starts.iter().enumerate() {
        let (_, grant) = ask(app, &start.attempt, &start.token, 70 + nth as i64).await;
        modes.insert(grant["mode"].as_str().expect("a mode").to_owned());
        let silent = grant["mode"] == "realtime";
        *(if silent { &mut told.silent } else { &mut told.spoken }) += 1;
        let turn = |(n, (heard, said)): (usize, (&str, &str))| {
            json!({
                "n": n, "callee_text": heard, "agent_text": said, "callee_end_ms": 1000 * n,
                "agent_start_ms": 1000 * n + 900, "turn_ms": 900, "end_method": "vad", "start_method": "vad",
                "filler": false, "interrupted": false,
            })
        };
        let turns: Vec<Value> = (1..).zip(HEARD.into_iter().zip(SAID)).map(turn).collect();
        let last = json!({
            "call_id": start.attempt, "event": "Disconnected", "seq": 3, "at_ms": 29_000,
            "session_id": (70 + nth).to_string(), "code": 200, "reason": "", "talk_ms": 20_000,
            "answered_at_ms": 5000, "goal": silent, "turns": if silent { Vec::new() } else { turns },
        });
        let heard = tell(app, "/voximplant/events", grant["event_token"].as_str(), last.to_string()).await;
        assert_eq!(heard.0, 200, "{heard:?}");
        told.attempts.push(start.attempt.clone());
    }
    assert_eq!(modes.len(), 3, "{modes:?}");
    // It may have ended by itself: everybody was reached.
    let stopped = post(app, &format!("/api/v1/runs/{}/stop", told.run)).await;
    assert!([200, 409].contains(&stopped.0), "{stopped:?}");
    told
}

async fn judge(app: &App, run: &str, order: Value) -> (u16, Value) {
    let request = reqwest::Client::new().post(url(app, &format!("/api/v1/runs/{run}/judge")));
    answer(request.bearer_auth(KEY).json(&order)).await
}

/// The guard: `transcripts.sql`, `judge::question` and `one` in `http/judge.rs` know of no mode. What two calls ask that
/// differ by mode alone is byte for byte the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_model_judges_without_a_word_of_the_mode() {
    let ear = Ear::listening().await;
    let mut place = dead_sessions().await;
    place.more = vec![("OPENAI_MODEL", "an-ear".into()), ("OPENAI_BASE_URL", ear.url.clone())];
    let app = place.serve().await;
    let told = talked(&place, &app).await;
    let (spoken, silent) = (json!(told.spoken), json!(told.silent));
    ear.says(503, "");
    let (status, failed) = judge(&app, &told.run, json!({ "by": "model" })).await;
    assert_eq!((status, &failed["judged"], &failed["left"]), (200, &silent, &spoken), "{failed}");
    assert_eq!(failed["failed"], json!({ "the model's server failed (HTTP 503)": told.spoken }));
    ear.says(200, "I would say yes");
    let (_, strange) = judge(&app, &told.run, json!({ "by": "model" })).await;
    assert_eq!(strange["failed"], json!({ "the model answered without a verdict": told.spoken }));
    ear.asked();

    ear.says(200, r#"{"phases":[1,2,3,4],"answers":[1,2,3],"opt_out":false,"why":"Agreed."}"#);
    let (_, done) = judge(&app, &told.run, json!({ "by": "model" })).await;
    assert_eq!((&done["judged"], &done["left"], &done["model"]), (&spoken, &json!(0), &json!("an-ear")), "{done}");
    let asked = ear.asked();
    assert_eq!(asked.len() as u64, told.spoken, "nobody was asked about calls in which nothing was heard");
    assert!(asked.iter().all(|body| *body == asked[0]));
    let text = String::from_utf8_lossy(&asked[0]).into_owned();
    let secret = ["realtime", "\"dialog\"", "Анна", "7999", "alena", "gpt", told.campaign.as_str(), told.run.as_str()];
    for word in secret.into_iter().chain(told.attempts.iter().map(String::as_str)) {
        assert!(!text.contains(word), "{word}: {text}");
    }
    let (_, again) = judge(&app, &told.run, json!({ "by": "model" })).await;
    assert_eq!((&again["judged"], &again["after"]), (&json!(0), &Value::Null));
    assert!(ear.asked().is_empty(), "a call is judged once");
    crate::harness::stop_now(app).await;
}

/// The guards: what is left out of an item in `sample`, and the two sums of `Agreement`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_label_without_the_mode_and_the_report_tells_who_agrees() {
    let place = dead_sessions().await;
    let app = place.serve().await;
    let told = talked(&place, &app).await;
    let (status, refused) = judge(&app, &told.run, json!({ "by": "model" })).await;
    assert_eq!(status, 422, "{refused}");
    for order in [json!({ "by": "dice" }), json!({ "limit": 0 }), json!({ "after": "x" }), json!({ "what": 1 })] {
        assert_eq!(judge(&app, &told.run, order.clone()).await.0, 400, "{order}");
    }
    let (_, first) = judge(&app, &told.run, json!({ "limit": 4 })).await;
    let (_, rest) = judge(&app, &told.run, json!({ "after": first["after"] })).await;
    assert_eq!((&first["judged"], &rest["judged"], &rest["left"]), (&json!(4), &json!(5), &json!(0)), "{first} {rest}");

    let path = format!("/api/v1/runs/{}/labels/sample?n=20&seed=7", told.run);
    let (_, sample) = get(&app, &path).await;
    assert_eq!(sample, get(&app, &path).await.1, "the same seed draws the same");
    let items = sample["items"].as_array().expect("calls");
    assert_eq!(items.len() as u64, told.spoken, "calls in which nobody spoke are nothing to read");
    for item in items {
        let keys: Vec<&String> = item.as_object().expect("an item").keys().collect();
        assert_eq!(keys, ["attempt", "label", "transcript"]);
        assert_eq!(item["transcript"], items[0]["transcript"], "the same words, whatever the mode");
        let goal = json!({ "goal": true });
        let request = reqwest::Client::new()
            .put(url(&app, &format!("/api/v1/attempts/{}/label", item["attempt"].as_str().expect("an id"))));
        assert_eq!(answer(request.bearer_auth(KEY).json(&goal)).await.0, 200);
    }
    assert!(!sample.to_string().contains("realtime"), "{sample}");
    let (_, again) = get(&app, &path).await;
    assert!(again["items"].as_array().expect("calls").iter().all(|item| item["label"] == true));

    let (_, report) = get(&app, &format!("/api/v1/campaigns/{}/report.json", told.campaign)).await;
    assert_eq!(report["design"]["success_source"], "dialogue");
    let judged = &report["judged"][0];
    let cells = |readers: &str| judged[readers]["cells"].clone();
    let (spoken, silent) = (told.spoken, told.silent);
    // The sessions said no where something was said, and yes where nobody was heard; the judge and people otherwise.
    assert_eq!(
        cells("dialogue"),
        json!({ "both": 0, "first_only": silent, "second_only": spoken, "neither": 0 }),
        "{judged}"
    );
    assert_eq!(cells("hand"), json!({ "both": spoken, "first_only": 0, "second_only": 0, "neither": 0 }));
    assert_eq!((&judged["judge"], &judged["decides"]), (&json!("rules"), &json!(false)));
    for form in ["html?lang=ru", "csv"] {
        let (_, text) = get(&app, &format!("/api/v1/campaigns/{}/report.{form}", told.campaign)).await;
        let rubric = judged["rubric"].as_str().expect("a hash");
        assert!(text.as_str().expect("a text").contains(&rubric[..8]), "{form}");
    }
    crate::harness::stop_now(app).await;
}

/// The guards: `success` in `of_run`, and that a run whose calls could not be judged rests (`http/judging.rs`).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_a_judge_has_the_word_nobody_has_to_ask() {
    let ear = Ear::listening().await;
    let mut place = dead_sessions().await;
    place.more = vec![("OPENAI_MODEL", "an-ear".into()), ("OPENAI_BASE_URL", ear.url.clone())];
    let app = place.serve().await;
    let by_judge = "[experiment]\nsuccess = \"judge\"\njudge = \"model\"\n";
    let told = talked_by(&place, &app, by_judge).await;
    let model = replier(&place.config()).expect("settings").expect("a model");
    let mut judging = Judging::default();
    let mut look = async || judging.look(&app.store, &app.dialer, Some(&model), &app.clock).await.expect("a look");
    ear.says(503, "");
    assert_eq!(look().await as u64, told.silent, "what needs no model");
    ear.asked();
    assert_eq!((look().await, ear.asked().len()), (0, 0), "a model in trouble is left alone");
    ear.says(200, r#"{"phases":[1,2,3,4],"answers":[1,2,3],"opt_out":false,"why":"Agreed."}"#);
    let mut later = Judging::default();
    let judged = later.look(&app.store, &app.dialer, Some(&model), &app.clock).await.expect("a look");
    assert_eq!(judged as u64, told.spoken);
    let (_, report) = get(&app, &format!("/api/v1/campaigns/{}/report.json", told.campaign)).await;
    let judged = &report["judged"][0];
    assert_eq!((&judged["judge"], &judged["decides"]), (&json!("model"), &json!(true)), "{judged}");
    crate::harness::stop_now(app).await;

    // Whose own record is the success, it is judged when somebody asks.
    let place = dead_sessions().await;
    let app = place.serve().await;
    talked_by(&place, &app, "[experiment]\njudge = \"model\"\n").await;
    let judged = Judging::default().look(&app.store, &app.dialer, Some(&model), &app.clock).await.expect("a look");
    assert_eq!(judged, 0);
    crate::harness::stop_now(app).await;
}

/// The guard: `answered_by` in `of` (`http/bundles.rs`), with both of its models.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_model_is_another_bundle_of_whoever_hears_it() {
    let ear = Ear::listening().await;
    let played = async |replier: &str, realtime: &str| {
        let mut place = dead_sessions().await;
        place.more = vec![
            ("OPENAI_MODEL", replier.into()),
            ("OPENAI_BASE_URL", ear.url.clone()),
            ("OPENAI_REALTIME_MODEL", realtime.into()),
        ];
        let app = place.serve().await;
        let told = talked(&place, &app).await;
        let campaign = told.campaign.parse().expect("an id");
        let bundles = until("every mode's bundle was written down", || async {
            let rows = app.store.bundles(campaign, app.dialer.account).await.expect("bundles");
            Some(rows).filter(|rows| rows.len() == 3)
        });
        let bundles: BTreeMap<String, String> = bundles.await.into_iter().map(|row| (row.mode, row.bundle)).collect();
        crate::harness::stop_now(app).await;
        bundles
    };
    let first = played("one", "gpt-realtime").await;
    let changed = |other: &BTreeMap<String, String>| -> Vec<String> {
        first.iter().filter(|(mode, bundle)| other[*mode] != **bundle).map(|(mode, _)| mode.clone()).collect()
    };
    assert!(changed(&played("one", "gpt-realtime").await).is_empty(), "the same is the same");
    assert_eq!(changed(&played("another", "gpt-realtime").await), ["dialog", "realtime"]);
    assert_eq!(changed(&played("one", "gpt-realtime-mini").await), ["realtime", "realtime_pure"]);
}
