//! Who may open a stream, and what becomes of whoever breaks off.

use crate::harness::until;
use crate::harness::{Place, ledger, number};
use crate::{SCRIPT, attempt, dead_sessions, placed, send};
use futures::{SinkExt, StreamExt};
use halo::app::App;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};

type Socket = tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>;

/// A call that this test plays: its grant.
async fn granted(place: &Place, app: &App, nth: u32) -> (String, Value) {
    let order = json!({ "phone": number(8, nth), "mode": "realtime_stream", "prompt": SCRIPT });
    let id = placed(app, order).await;
    let start = until("its session was started", || async {
        ledger::starts(&place.simulator).await.into_iter().find(|start| start.attempt == id)
    })
    .await;
    let body = json!({ "a": id, "t": start.token, "session_id": 100 + i64::from(nth) });
    let request = reqwest::Client::new().post(format!("http://{}/voximplant/grant", app.address));
    let (status, grant) = send(request.body(body.to_string())).await;
    assert_eq!(status, 200, "{grant}");
    (id, grant)
}

/// The status with which a stream is refused, or the stream.
async fn open(url: &str, token: &str) -> Result<Socket, u16> {
    let mut request = url.into_client_request().expect("an address");
    let bearer = format!("Bearer {token}").parse().expect("a header");
    request.headers_mut().insert("authorization", bearer);
    match tokio_tungstenite::connect_async(request).await {
        Ok((socket, _)) => Ok(socket),
        Err(Error::Http(answer)) => Err(answer.status().as_u16()),
        Err(other) => panic!("{other}"),
    }
}

/// The next word of this name.
async fn word(socket: &mut Socket, name: &str) -> Value {
    loop {
        let Some(Ok(Message::Text(text))) = socket.next().await else { panic!("the stream ended before {name}") };
        let told: Value = serde_json::from_str(text.as_str()).expect("JSON");
        if told["customEvent"] == name || told["event"] == name {
            return told;
        }
    }
}

async fn stream_of(app: &App, id: &str) -> Value {
    until("the stream is kept", || async {
        let told = attempt(app, id).await;
        told["streams"].get(0).filter(|stream| stream["ended_by"] != "open").cloned()
    })
    .await
}

/// Guards: `authorised`, the look at the token's kind, the look at the state, and `Place`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_session_of_a_call_under_way_gets_a_stream_and_only_one() {
    let place = dead_sessions().await;
    let app = place.serve().await;
    let (id, grant) = granted(&place, &app, 1).await;
    let (url, token) =
        (grant["media_url"].as_str().expect("an address"), grant["event_token"].as_str().expect("a token"));
    assert_eq!(open(url, "somebody else's").await.err(), Some(401));
    let start = ledger::starts(&place.simulator).await.into_iter().find(|start| start.attempt == id).expect("a start");
    assert_eq!(open(url, &start.token).await.err(), Some(401), "the grant's own token opens nothing");
    let nobody = url.replace(&id, "att_0000000000000");
    assert_eq!(open(&nobody, token).await.err(), Some(404));
    assert_eq!(open(&format!("{url}&encoding=OPUS"), token).await.err(), Some(400));
    let plain = reqwest::Client::new().get(url.replacen("ws", "http", 1)).bearer_auth(token);
    assert_eq!(plain.send().await.expect("an answer").status().as_u16(), 400, "it is a stream and nothing else");

    let mut socket = open(url, token).await.expect("a stream");
    word(&mut socket, "ready").await;
    // Its server may die: there is word of it from the beginning. Guard: `begun` in `http/media.rs`.
    until("the stream is written down", || async {
        let told = attempt(&app, &id).await;
        (told["streams"][0]["ended_by"] == "open").then_some(())
    })
    .await;
    assert_eq!(open(url, token).await.err(), Some(409), "one at a time");
    socket.close(None).await.expect("a goodbye");
    let stream = stream_of(&app, &id).await;
    assert_eq!((&stream["ended_by"], &stream["encoding"]), (&json!("call"), &json!("ULAW")));
    let mut again = open(&format!("{url}&encoding=PCM16"), token).await.expect("the place is free again");
    word(&mut again, "ready").await;

    // A call that is over has no stream.
    let event = json!({ "call_id": id, "event": "Failed", "seq": 1, "at_ms": 9, "session_id": "101", "code": 486,
        "reason": "Busy here", "dialled_at_ms": 1, "ringing_at_ms": 2, "ended_at_ms": 9, "ring_timer": false });
    let request = reqwest::Client::new().post(grant["event_url"].as_str().expect("an address")).bearer_auth(token);
    assert_eq!(request.body(event.to_string()).send().await.expect("an answer").status().as_u16(), 200);
    drop(again);
    until("the call is over", || async { (attempt(&app, &id).await["state"] == "ended").then_some(()) }).await;
    assert_eq!(open(url, token).await.err(), Some(409));
    crate::harness::stop_now(app).await;
}

/// Guards: `End::CallLost` against `End::Call` in `carry`, and `call_nonsense`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_breaks_off_is_told_from_whoever_says_goodbye() {
    let place = dead_sessions().await;
    let app = place.serve().await;
    for (nth, expected) in [(11, "call_lost"), (12, "call"), (13, "call_nonsense")] {
        let (id, grant) = granted(&place, &app, nth).await;
        let url = grant["media_url"].as_str().expect("an address");
        let mut socket = open(url, grant["event_token"].as_str().expect("a token")).await.expect("a stream");
        word(&mut socket, "ready").await;
        socket.send(Message::text(r#"{"customEvent":"begin","greeting":"Hello there."}"#)).await.expect("sent");
        word(&mut socket, "media").await;
        match expected {
            // The connection is cut without a word.
            "call_lost" => drop(socket),
            "call" => socket.close(None).await.expect("a goodbye"),
            _ => socket.send(Message::text("{")).await.expect("sent"),
        }
        let stream = stream_of(&app, &id).await;
        assert_eq!(stream["ended_by"], expected, "{stream}");
        assert!(stream["tally"]["said_ms"].as_i64() > Some(0), "{stream}");
    }
    crate::harness::stop_now(app).await;
}
