//! How far an upload is, told to whoever follows it.

use super::{get, place, upload, url};
use crate::harness::{KEY, csv, number, settings, until};
use halo::app::App;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};

/// An upload of which the last bytes are still to come.
struct Slow {
    stream: TcpStream,
    rest: String,
}

impl Slow {
    fn begin(app: &App, path: &str, key: &str, list: &str) -> Self {
        let address = url(app, "").trim_start_matches("http://").trim_end_matches('/').to_owned();
        let mut stream = TcpStream::connect(address).expect("the server");
        let (first, rest) = list.split_at(list.len() / 2);
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\ncontent-type: text/csv\r\n\
             idempotency-key: {key}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{first}",
            list.len()
        );
        stream.write_all(head.as_bytes()).expect("a part");
        Slow { stream, rest: rest.to_owned() }
    }

    /// The rest, and the answer.
    async fn end(mut self) -> String {
        let answered = tokio::task::spawn_blocking(move || {
            self.stream.write_all(self.rest.as_bytes()).expect("the rest");
            let mut answer = String::new();
            self.stream.read_to_string(&mut answer).expect("an answer");
            answer
        });
        answered.await.expect("a client")
    }

    fn breaks_off(self) {
        self.stream.shutdown(Shutdown::Both).expect("it breaks off");
    }
}

/// Follows from the first moment on at which somebody may.
async fn followed(app: &App, key: &str) -> reqwest::Response {
    let events = url(app, &format!("/api/v1/uploads/{key}/events"));
    until("the upload is under way", || async {
        let told = reqwest::Client::new().get(&events).bearer_auth(KEY).send().await.expect("an answer");
        (told.status() == 200).then_some(told)
    })
    .await
}

fn stands(text: &str) -> Vec<Value> {
    let data = text.lines().filter_map(|line| line.strip_prefix("data:"));
    data.map(|json| serde_json::from_str(json).expect("JSON")).collect()
}

/// The guards: `Uploads::sending` (the key is known once the headers are there), `Stand::behind`, and `Underway`'s drop (the
/// stream ends, and the key is nobody's).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_is_followed_until_it_is_over() {
    let place = place().await;
    let app = place.serve().await;
    assert_eq!(upload(&app, &settings("one", ""), csv([&number(0, 1)])).await.0, 201);
    let nobody = get(&app, "/api/v1/uploads/nobody/events").await;
    assert_eq!(nobody.0, 404, "{}", nobody.1);

    let rows = 700;
    let list = csv((0..rows).map(|n| number(1 + n / 100, n % 100)));
    let slow = Slow::begin(&app, "/api/v1/campaigns/one/contacts", "nightly-1", &list);
    let mut told = followed(&app, "nightly-1").await;
    assert_eq!(told.headers()["content-type"], "text/event-stream");
    let mut text = String::new();
    while stands(&text).is_empty() {
        text += &String::from_utf8_lossy(&told.chunk().await.expect("a stream").expect("an event"));
    }
    assert_eq!(stands(&text)[0], json!({ "phase": "reading", "bytes": 0, "rows": 0, "accepted": 0, "stored": 0 }));
    let answer = slow.end().await;
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    while let Some(piece) = told.chunk().await.expect("a stream") {
        text += &String::from_utf8_lossy(&piece);
    }
    let stands = stands(&text);
    let mut phases: Vec<&str> = stands.iter().filter_map(|stand| stand["phase"].as_str()).collect();
    phases.dedup();
    assert_eq!(phases, ["reading", "storing", "done"], "{text}");
    for counter in ["bytes", "rows", "stored"] {
        let counts: Vec<u64> = stands.iter().filter_map(|stand| stand[counter].as_u64()).collect();
        assert!(counts.len() == stands.len() && counts.is_sorted(), "{counter}: {text}");
    }
    let last = stands.last().expect("an end");
    assert_eq!(
        (&last["rows"], &last["accepted"], &last["stored"]),
        (&json!(rows), &json!(rows), &json!(rows)),
        "{last}"
    );
    assert_eq!(last["bytes"], json!(list.len()));
    assert!(text.contains("event: progress") || text.contains("event:progress"), "{text}");
    assert_eq!(get(&app, "/api/v1/uploads/nightly-1/events").await.0, 404, "it is over");

    // Whoever follows an upload that breaks off is let go.
    let slow = Slow::begin(&app, "/api/v1/campaigns/one/contacts", "nightly-2", &list);
    let told = followed(&app, "nightly-2").await;
    slow.breaks_off();
    let text = told.text().await.expect("the stream ends");
    let phases = super::progress::stands(&text);
    assert_eq!(phases.last().expect("an end")["phase"], "done", "{text}");
    assert!(phases.iter().all(|stand| stand["phase"] != "storing"), "{text}");
    crate::harness::stop_now(app).await;
}
