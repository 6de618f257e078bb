//! What a session is answered is what is kept.

use crate::client;
use crate::harness::{Place, World, csv, ledger, number, settings, start, take_in, until};
use halo::app::App;
use halo::domain::AttemptId;
use halo::simulator::{Mischief, MischiefKind};
use halo::store::Db;
use serde_json::{Value, json};

async fn post(app: &App, path: &str, token: Option<&str>, body: &Value) -> (u16, Value) {
    let mut request = reqwest::Client::new().post(format!("http://{}{path}", app.address)).body(body.to_string());
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    let answer = request.send().await.expect("the service answers");
    let status = answer.status().as_u16();
    (status, serde_json::from_str(&answer.text().await.expect("a body")).unwrap_or_default())
}

fn event(attempt: &str, seq: i64) -> Value {
    json!({
        "event": "Ringing", "call_id": attempt, "seq": seq, "at_ms": seq, "session_id": 4_000_000_001_i64,
        // Large, so that the file must grow.
        "padding": "x".repeat(30_000),
    })
}

/// Guards: `Broken::noted` in the writer, without which the fault is not known as one; `Broken::check` before each
/// transaction, without which the next one is confirmed by a process that is about to end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_never_answers_200() {
    client();
    let mischief = Mischief::none().with(MischiefKind::StartNoGrant, 1.0);
    let place = Place::new(World { mischief, ..World::default() }).await;
    let app = place.serve().await;
    let list = csv((0..2).map(|ending| number(0, ending)));
    let campaign = take_in(&app, &settings("full", "mode = \"dialog\""), &list).await.campaign;
    start(&app, campaign).await;
    let starts = until("the sessions were started", || async {
        Some(ledger::starts(&place.simulator).await).filter(|starts| starts.len() == 2)
    })
    .await;
    let (first, second) = (&starts[0], &starts[1]);
    let grant = json!({ "a": first.attempt, "t": first.token, "session_id": 4_000_000_001_i64 });
    let (status, granted) = post(&app, "/voximplant/grant", None, &grant).await;
    assert_eq!(status, 200, "{granted}");
    let token = granted["event_token"].as_str().expect("a token").to_owned();

    let Db::Sqlite { writer, .. } = app.store.db() else { panic!("a file") };
    sqlx::query("pragma max_page_count = 1").execute(writer).await.expect("no page more than there is");
    let mut kept = Vec::new();
    let refused = loop {
        let seq = kept.len() as i64 + 1;
        let (status, answer) = post(&app, "/voximplant/events", Some(&token), &event(&first.attempt, seq)).await;
        match status {
            200 => kept.push(seq),
            _ => break (status, answer),
        }
        assert!(kept.len() < 100, "the file still grows");
    };
    assert_eq!((refused.0, refused.1["code"].as_str()), (503, Some("storage")), "{}", refused.1);
    // From now on nothing is confirmed, small or large; a grant is what somebody would be rung by.
    sqlx::query("pragma max_page_count = 1000000").execute(writer).await.expect("room again");
    let other = json!({ "a": second.attempt, "t": second.token, "session_id": 4_000_000_002_i64 });
    assert_eq!(post(&app, "/voximplant/grant", None, &other).await.0, 503);
    let why = app.store.broken().await;
    assert!(why.contains("no room is left") && why.contains("halo.db"), "{why}");
    app.stop().await;

    // A restart holds what was confirmed, and takes what was not.
    let app = place.serve().await;
    let attempt: AttemptId = first.attempt.parse().expect("an id");
    let stored = app.store.events(attempt).await.expect("events");
    assert_eq!(stored.iter().map(|row| row.seq).collect::<Vec<_>>(), kept);
    let again = event(&first.attempt, kept.len() as i64 + 1);
    assert_eq!(post(&app, "/voximplant/events", Some(&token), &again).await.0, 200);
    assert_eq!(post(&app, "/voximplant/grant", None, &other).await.0, 200, "the session asks again, and is let");
    app.stop().await;
}
