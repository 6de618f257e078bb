//! Calls whose audio our own backend carries between the platform and a realtime model, and the door to it.
//!
//! What is said in these calls is audio all the way: a callee's words and the model's are tones, understood at the
//! other end only if every sample on the way is in its place.

mod harness;

#[path = "media/door.rs"]
mod door;
#[path = "media/trouble.rs"]
mod trouble;

use halo::app::{App, ClockStart, open_store};
use halo::config::Config;
use halo::simulator::{self, Mischief, MischiefKind};
use harness::{KEY, Place, World, number, until};
use serde_json::{Value, json};

const SCRIPT: &str = "Be kind.\nPHASE 1 hello: «Здравствуйте, это Ромашка.»\n\
                      PHASE 2 time: «Вам удобно сейчас говорить?»\nEND: «Спасибо, до свидания.»";

async fn send(request: reqwest::RequestBuilder) -> (u16, Value) {
    let answer = request.bearer_auth(KEY).send().await.expect("the service answers");
    let status = answer.status().as_u16();
    let text = answer.text().await.expect("a body");
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

/// The attempt of a call that was placed.
async fn placed(app: &App, order: Value) -> String {
    let request = reqwest::Client::new().post(format!("http://{}/demo/session", app.address));
    let (status, told) = send(request.body(order.to_string())).await;
    assert_eq!(status, 201, "{told}");
    told["attempt"].as_str().expect("an attempt").to_owned()
}

async fn attempt(app: &App, id: &str) -> Value {
    let (status, told) = send(reqwest::Client::new().get(format!("http://{}/api/v1/attempts/{id}", app.address))).await;
    assert_eq!(status, 200, "{told}");
    told
}

/// The call is over and its stream is kept.
async fn ended(app: &App, id: &str) -> Value {
    until("the call ends", || async {
        let told = attempt(app, id).await;
        let kept = told["streams"][0]["ended_by"].as_str().is_some_and(|by| by != "open");
        (told["state"] == "ended" && kept).then_some(told)
    })
    .await
}

/// What the callee of a call heard, understood from its audio.
async fn heard(place: &Place, told: &Value) -> Vec<String> {
    let session = told["session_id"].to_string();
    let url = format!("http://{}/simulator/sessions/{session}/heard", place.simulator.address());
    let text = reqwest::get(url).await.expect("an answer").text().await.expect("text");
    let words = |line: &str| serde_json::from_str::<Value>(line).ok()?["text"].as_str().map(str::to_owned);
    text.lines().filter_map(words).collect()
}

async fn fast() -> Place {
    Place::new(World { speed: 60.0, ..World::default() }).await
}

/// A world whose sessions die at once: the test plays them.
async fn dead_sessions() -> Place {
    Place::new(World { mischief: Mischief::none().with(MischiefKind::StartNoGrant, 1.0), ..World::default() }).await
}

/// A service that talks to a model of this name.
async fn with_model(place: &Place, model: &str) -> App {
    let settings: [(&str, String); 5] = [
        ("DATABASE_URL", place.database_url()),
        ("HALO_LISTEN", "127.0.0.1:0".to_owned()),
        ("VOXIMPLANT_API_URL", place.api_url.clone()),
        ("API_AUTH_KEY", KEY.to_owned()),
        ("OPENAI_REALTIME_MODEL", model.to_owned()),
    ];
    let get = |name: &str| settings.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone());
    let config = Config::read(&get).expect("sound settings");
    let store = open_store(&config).await.expect("the database opens");
    let clock = ClockStart { speed: 60.0, at: None };
    App::start(&config, store, clock, simulator::Settings::default()).await.expect("the service starts")
}

/// The platform carries the audio, the session tells what the model used: with every attempt stand its tokens, what they
/// cost, the tools and the verdict, whoever spoke.
#[tokio::test]
async fn a_model_in_the_session_is_told_with_its_cost() {
    let place = fast().await;
    let app = place.serve().await;
    for mode in ["realtime_pure", "realtime"] {
        let order = json!({ "phone": number(40, 1), "mode": mode, "prompt": SCRIPT });
        let told = ended(&app, &placed(&app, order).await).await;
        let stream = &told["streams"][0];
        assert_eq!((&stream["encoding"], &stream["model"]), (&json!("platform"), &json!("gpt-realtime")), "{mode}");
        let tokens = &stream["tally"]["tokens"];
        let priced = halo::intake::prices::shipped().spoken("gpt-realtime").expect("a price");
        let count = |name: &str| tokens[name].as_i64().expect("a count");
        let cost = priced.cost(halo::domain::money::Tokens {
            text_in: count("text_in"),
            text_cached: count("text_cached"),
            text_out: count("text_out"),
            audio_in: count("audio_in"),
            audio_cached: count("audio_cached"),
            audio_out: count("audio_out"),
        });
        assert!(cost > 0 && count("audio_out") > 0, "{mode}: {stream}");
        assert_eq!(stream["cost_micros"], cost, "{mode}: by the shipped prices");
        let tool = if mode == "realtime" { "get_reply" } else { "end_call" };
        assert!(stream["tools"].as_array().unwrap().iter().any(|it| it["name"] == tool), "{mode}: {stream}");
        assert!(!told["verdict"].is_null(), "{mode}: {told}");
    }
}

fn order(nth: u32, ending: u32) -> Value {
    json!({ "phone": number(nth, ending), "mode": "realtime_stream", "prompt": SCRIPT })
}

/// Guards: the audio's whole way. A sample lost, doubled or bent is a letter that is wrong.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_is_talked_through_in_audio_alone() {
    let place = fast().await;
    let app = place.serve().await;
    let id = placed(&app, order(0, 1)).await;
    let told = ended(&app, &id).await;
    assert_eq!(told["outcome"], "answered", "{told}");
    let call = &told["call"];
    assert_eq!(
        (&call["goal"], &call["hung_up_by"], &call["fault"]),
        (&json!(true), &json!("agent"), &Value::Null),
        "{told}"
    );
    assert_eq!(
        heard(&place, &told).await,
        ["Здравствуйте, это Ромашка.", "Вам удобно сейчас говорить?", "Спасибо, до свидания."]
    );
    // Both sides' words, measured by the ruler of every mode.
    let turns = told["turns"].as_array().expect("turns");
    assert_eq!(turns.len(), 2, "{turns:#?}");
    for (turn, agent) in turns.iter().zip(["Вам удобно сейчас говорить?", "Спасибо, до свидания."])
    {
        assert_eq!(turn["agent_text"], agent, "{turn}");
        let said = turn["callee_text"].as_str().unwrap_or_default();
        assert!(!said.is_empty() && !said.contains('\u{fffd}'), "{turn}");
        assert_eq!(turn["method"], "vad", "{turn}");
        let took = turn["turn_ms"].as_i64().expect("milliseconds");
        assert!((600..4_000).contains(&took), "half a second of silence, and the model's own time: {turn}");
    }
    let stream = &told["streams"][0];
    assert_eq!(
        (&stream["ended_by"], &stream["encoding"], &stream["model"]),
        (&json!("call"), &json!("ULAW"), &json!("gpt-realtime"))
    );
    let tally = &stream["tally"];
    assert_eq!((&tally["lost"], &tally["late"], &tally["dropped_ms"]), (&json!(0), &json!(0), &json!(0)), "{tally}");
    assert!(tally["said_ms"].as_i64() > Some(3_000) && tally["heard_ms"].as_i64() > Some(3_000), "{tally}");
    assert!(tally["tokens"]["audio_out"].as_i64() > Some(0) && tally["responses"].as_i64() >= Some(3), "{tally}");
    crate::harness::stop_now(app).await;
}

/// Guards: `opt_out` of the verdict, and the words of the callee that the server matches itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_asks_never_to_be_called_again_is_understood_and_whoever_talks_over_cuts_us_off() {
    let place = fast().await;
    let app = place.serve().await;
    let never = placed(&app, order(1, 94)).await;
    let over = placed(&app, order(1, 95)).await;
    let told = ended(&app, &never).await;
    assert!(told["timeline"].to_string().contains("opt_out"), "{told}");
    let told = ended(&app, &over).await;
    let tally = &told["streams"][0]["tally"];
    assert!(tally["interruptions"].as_i64() >= Some(1) && tally["cut_ms"].as_i64() > Some(0), "{tally}");
    crate::harness::stop_now(app).await;
}
