//! The stream mode when its backend is not there, or goes: told apart from a model's fault. What a whole call sounds
//! like stands in `tests/media.rs`.

use crate::harness::number;
use crate::stage::Stage;
use axum::Router;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::http::HeaderMap;
use axum::routing::get;
use serde_json::{Value, json};

/// A backend that says what is written here when the call is answered, and is gone.
async fn backend(words: &'static [&'static str]) -> String {
    let talk = move |headers: HeaderMap, upgrade: WebSocketUpgrade| async move {
        assert_eq!(headers["authorization"], "Bearer token-of-events");
        upgrade.on_upgrade(move |mut socket: WebSocket| async move {
            while let Some(Ok(came)) = socket.recv().await {
                let Message::Text(text) = came else { continue };
                let told: Value = serde_json::from_str(text.as_str()).expect("JSON");
                if told["customEvent"] != "begin" {
                    continue;
                }
                for word in words {
                    socket.send(Message::text(*word)).await.expect("sent");
                }
                return;
            }
        })
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let router = Router::new().route("/voice/media", get(talk));
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("ws://{address}/voice/media?call_id=x")
}

/// Guards: `lost` and `media_url` in `lib/media.js`.
#[tokio::test]
async fn a_stream_that_cannot_be_opened_ends_the_call_before_the_answer() {
    let stage = Stage::open(300.0).await;
    for (ending, url, fault) in
        [(1, Value::Null, "error: model"), (2, json!("ws://127.0.0.1:9/voice/media?call_id=x"), "error: replier")]
    {
        let played = stage.play("realtime_stream", &number(4, ending), json!({ "media_url": url })).await;
        let last = played.last();
        assert_eq!((&last["event"], &last["code"]), (&json!("Failed"), &json!(0)), "{last}\n{}", played.log);
        assert!(last["reason"].as_str().is_some_and(|reason| reason.starts_with(fault)), "{last}");
        assert!(played.heard.is_empty());
    }
}

/// Guards: `fault` of `lost` and of the word `fault`.
#[tokio::test]
async fn a_backend_that_goes_is_told_from_a_model_that_does() {
    let stage = Stage::open(300.0).await;
    for (ending, words, fault) in [
        (3, &[][..], "replier"),
        (4, &[r#"{"customEvent":"fault","reason":"model_lost"}"#][..], "model"),
        (5, &["nonsense"][..], "scenario"),
    ] {
        let url = backend(words).await;
        let played = stage.play("realtime_stream", &number(4, ending), json!({ "media_url": url })).await;
        let last = played.last();
        assert_eq!((&last["event"], &last["hung_up_by"]), (&json!("Disconnected"), &json!("fault")), "{}", played.log);
        assert_eq!(last["fault"], fault, "{last}\n{}", played.log);
        assert_eq!(played.heard, ["Извините, у нас неполадки со связью. Всего доброго."], "{}", played.log);
    }
}
