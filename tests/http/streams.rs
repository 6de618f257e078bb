//! `/voice/stream`: the dialogue sentence by sentence.

use crate::callbacks::end;
use crate::dialogue::Line;
use crate::harness::{self, Place, World, csv, number, settings};
use futures::{SinkExt, StreamExt};
use halo::simulator::{Mischief, MischiefKind};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

type Socket = WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>;

pub async fn socket(line: &Line, token: Option<&str>) -> Result<Socket, u16> {
    let url = format!("ws://{}/voice/stream", line.it.app.address);
    let mut request = url.into_client_request().unwrap();
    if let Some(token) = token {
        request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    }
    match tokio_tungstenite::connect_async(request).await {
        Ok((socket, _)) => Ok(socket),
        Err(tokio_tungstenite::tungstenite::Error::Http(answer)) => Err(answer.status().as_u16()),
        Err(other) => panic!("{other}"),
    }
}

pub async fn send(socket: &mut Socket, body: Value) {
    socket.send(Message::text(body.to_string())).await.unwrap();
}

async fn next(socket: &mut Socket) -> Value {
    loop {
        let came = tokio::time::timeout(Duration::from_secs(30), socket.next()).await.expect("soon enough");
        if let Message::Text(text) = came.expect("it is open").expect("a message") {
            return serde_json::from_str(text.as_str()).expect("JSON");
        }
    }
}

/// Everything up to the end of a reply: sentences with the instants at which they came, and the end.
pub async fn reply(socket: &mut Socket) -> (Vec<(String, bool, Instant)>, Value) {
    let mut sentences = Vec::new();
    loop {
        let told = next(socket).await;
        match told["chunk"].as_str() {
            Some(chunk) => sentences.push((chunk.to_owned(), told["filler"] == true, Instant::now())),
            None => return (sentences, told),
        }
    }
}

/// Without the sentences in `Going` the first would come with the last.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_sentence_comes_while_the_rest_is_fetched() {
    let line = Line::open(&[]).await;
    let mut socket = socket(&line, Some(&line.token)).await.unwrap();
    line.mood(json!({ "piece_ms": 60 })).await;
    let turn = |turn: i64, text: &str| json!({ "call_id": line.call, "turn": turn, "text": text });
    send(&mut socket, turn(1, "Да")).await;
    let (said, done) = reply(&mut socket).await;
    assert_eq!(
        (&done["done"], &done["turn"], &done["end_session"]),
        (&json!(true), &json!(1), &json!(false)),
        "{done}"
    );
    assert_eq!(said.len(), 1);
    send(&mut socket, turn(2, "Хорошо слышно")).await;
    let (said, done) = reply(&mut socket).await;
    let words: Vec<&str> = said.iter().map(|(words, _, _)| words.as_str()).collect();
    assert_eq!(words.len(), 2, "{words:?}");
    assert_eq!(words.join(" "), done["reply_text"].as_str().unwrap());
    let apart = said[1].2 - said[0].2;
    assert!(apart >= Duration::from_millis(100), "the first waited for the second: {apart:?}");
    // The same turn by the other door, and again by this one: the same answer, and no second request.
    let (_, again) = line.say(2, "Что?").await;
    assert_eq!(again["reply_text"], done["reply_text"]);
    send(&mut socket, turn(2, "Да")).await;
    assert_eq!(reply(&mut socket).await.1["reply_text"], done["reply_text"]);
    assert_eq!(line.asked().await["requests"], 2);
    end(line.it).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_reply_has_a_filler_before_it_and_a_broken_one_its_end() {
    let line = Line::open(&[("HALO_TURN_S", "0.4")]).await;
    let mut socket = socket(&line, Some(&line.token)).await.unwrap();
    line.mood(json!({ "trouble": "hangs", "times": 1 })).await;
    send(&mut socket, json!({ "call_id": line.call, "turn": 1, "text": "Да" })).await;
    let (said, done) = reply(&mut socket).await;
    let fillers: Vec<bool> = said.iter().map(|(_, filler, _)| *filler).collect();
    assert_eq!((fillers, said[0].0.as_str()), (vec![true, false], "Одну секунду."), "{done}");
    assert!(done["fault"].is_null(), "the second try answered: {done}");
    line.mood(json!({ "trouble": "fails" })).await;
    send(&mut socket, json!({ "call_id": line.call, "turn": 2, "text": "Да" })).await;
    let (said, done) = reply(&mut socket).await;
    assert_eq!((&done["fault"], &done["end_session"]), (&json!("replier"), &json!(true)), "{done}");
    assert!(said.iter().any(|(words, _, _)| words.contains("неполадки")), "{said:?}");
    end(line.it).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_is_told_and_the_line_stays_open() {
    let line = Line::of(crate::dead_sessions().await).await;
    assert_eq!(socket(&line, None).await.err(), Some(401));
    let mut wrong = socket(&line, Some("wrong")).await.unwrap();
    let good = json!({ "call_id": line.call, "turn": 1, "text": "Да" });
    send(&mut wrong, good.clone()).await;
    assert_eq!(next(&mut wrong).await["error"]["status"], 401);
    // The guard: whoever is no call of ours holds no place.
    let last = tokio::time::timeout(Duration::from_secs(30), wrong.next()).await.expect("it is closed");
    assert!(matches!(last, Some(Ok(Message::Close(_))) | None), "{last:?}");
    let mut socket = socket(&line, Some(&line.token)).await.unwrap();
    for (message, status) in [
        (Message::text("not json"), 400),
        (Message::text("{}"), 400),
        (Message::binary(vec![1, 2, 3]), 400),
        (Message::text(json!({ "call_id": "att_nothing", "turn": 1, "text": "x" }).to_string()), 404),
        (Message::text(json!({ "call_id": line.call, "turn": 7, "text": "x" }).to_string()), 409),
        (Message::text(json!({ "call_id": line.call, "turn": 1, "text": "ы".repeat(5000) }).to_string()), 400),
    ] {
        socket.send(message).await.unwrap();
        assert_eq!(next(&mut socket).await["error"]["status"], status);
    }
    // The built-in rules answer here too.
    send(&mut socket, good).await;
    let (said, done) = reply(&mut socket).await;
    assert!(!said.is_empty() && done["done"] == true, "{done}");
    end(line.it).await;
}

/// A stream is offered where it is of use: a model, and a clock that is real.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_is_offered_with_a_model_and_a_real_clock() {
    let mischief = Mischief::none().with(MischiefKind::StartNoGrant, 1.0);
    for model in [true, false] {
        let mut place = Place::new(World { speed: 1.0, mischief: mischief.clone(), ..World::default() }).await;
        if model {
            place.more = vec![("OPENAI_MODEL", "any".into()), ("OPENAI_BASE_URL", place.simulator.completions_url())];
        }
        let line = Line::of(place).await;
        let expected = model.then(|| format!("ws://{}/voice/stream", line.it.app.address));
        assert_eq!(line.grant["stream_url"], json!(expected));
        end(line.it).await;
    }
}

/// A whole call at real time: the scenario speaks a reply's first sentence while the model is still writing the rest.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_is_spoken_as_its_replies_come() {
    let mut place = Place::new(World { speed: 1.0, ..World::default() }).await;
    place.more = vec![("OPENAI_MODEL", "any".into()), ("OPENAI_BASE_URL", place.simulator.completions_url())];
    crate::dialogue::mood(&place, json!({ "piece_ms": 60 })).await;
    let app = place.serve().await;
    let script = "[persona]\nname = 'Анна'\ngoal = 'узнать'\n[[phases]]\nname = 'greeting'\nsay = 'Алло, добрый день!'\n\
        [[phases]]\nname = 'time'\nsay = 'Спасибо. Тогда скажите мне ещё, пожалуйста, удобно ли вам приехать вечером?'\n\
        [closing]\nsay = 'Понятно. Большое вам спасибо за разговор, всего доброго!'\n";
    let toml = settings("streamed", "mode = \"dialog\"");
    let list = csv([number(0, 1)]);
    let fields = [("settings", toml.as_bytes()), ("script", script.as_bytes()), ("contacts", list.as_bytes())];
    let (status, made) = crate::send_form(&app, &fields).await;
    assert_eq!(status, 201, "{made}");
    let campaign = made["id"].as_str().expect("an id").parse().expect("a campaign");
    let run = harness::start(&app, campaign).await;
    harness::completed(&app, run).await;
    let rows = harness::attempts(&app, campaign).await;
    let id = halo::domain::AttemptId(rows[0].attempt_id);
    let (_, told) = crate::get(&app, &format!("/api/v1/attempts/{id}")).await;
    assert_eq!((&told["outcome"], &told["call"]["fault"]), (&json!("answered"), &Value::Null), "{told}");
    let of = |rows: &Value, key: &str| rows.as_array().unwrap().iter().find_map(|row| row[key].as_i64());
    let (heard, made) = (of(&told["turns"], "reply_ms"), of(&told["dialogue"], "model_ms"));
    // By the other way the reply takes as long as its last word.
    assert!(heard.expect("a reply") < made.expect("a model's answer") - 100, "{heard:?} {made:?}: {told}");
    harness::laws_hold(&app, campaign).await;
    app.stop().await;
}
