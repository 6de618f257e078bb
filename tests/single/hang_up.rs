//! A word to a live session: what it does, and when there is nobody to say it to.

use crate::harness::{Place, World, number, until};
use crate::{ask, attempt, dead_sessions, ended, grant, placed, post};
use halo::app::App;
use serde_json::{Value, json};

/// Slow enough to be met in the middle.
async fn slow() -> Place {
    Place::new(World { speed: 8.0, ..World::default() }).await
}

async fn once(app: &App, id: &str, what: &str) {
    until(what, || async {
        let told = attempt(app, id).await;
        assert_ne!(told["state"], "ended", "too late: {told}");
        let timeline = told["timeline"].as_array().expect("a timeline").clone();
        timeline.iter().any(|happened| happened["what"] == what).then_some(())
    })
    .await;
}

async fn hang_up(app: &App, id: &str) -> (u16, Value) {
    post(app, &format!("/api/v1/attempts/{id}/hangup")).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_live_call_is_hung_up_in_every_mode_and_a_ringing_one_is_cancelled() {
    let place = slow().await;
    let app = place.serve().await;
    let mut calls = Vec::new();
    for (nth, mode) in (1..).zip(["dialog", "realtime", "realtime_pure"]) {
        calls.push(placed(&app, json!({ "phone": number(0, nth), "mode": mode })).await);
    }
    let ringing = placed(&app, json!({ "phone": number(0, 78), "mode": "dialog" })).await;
    for id in &calls {
        once(&app, id, "connected").await;
        let (status, body) = hang_up(&app, id).await;
        assert_eq!((status, &body["delivered"]), (202, &json!(true)), "{body}");
    }
    once(&app, &ringing, "ringing").await;
    assert_eq!(hang_up(&app, &ringing).await.0, 202);
    for id in &calls {
        let told = ended(&app, id).await;
        assert_eq!((&told["outcome"], &told["call"]["hung_up_by"]), (&json!("answered"), &json!("agent")), "{told}");
        assert_eq!(hang_up(&app, id).await.0, 409, "it is over");
    }
    let told = ended(&app, &ringing).await;
    assert_eq!((&told["outcome"], &told["fault"]), (&json!("cancelled"), &json!("us")), "{told}");
    crate::harness::stop_now(app).await;
}

/// Without the same session, somebody else's call is hung up: one start can make two sessions.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_there_is_no_call_or_no_way_in_it_is_said() {
    let place = dead_sessions().await;
    let app = place.serve().await;
    assert_eq!(hang_up(&app, "att_0000000000000").await.0, 404);
    assert_eq!(hang_up(&app, "nothing").await.0, 404);
    let id = placed(&app, json!({ "phone": number(0, 1) })).await;
    let (status, body) = hang_up(&app, &id).await;
    assert_eq!(status, 409, "{body}");
    assert!(body["detail"].as_str().is_some_and(|said| said.contains("not live")), "{body}");

    // The session that was granted is not the one whose start was answered.
    assert_eq!(grant(&place, &app, &id, 51).await.0, 200);
    assert_eq!(attempt(&app, &id).await["state"], json!("live"));
    let (status, body) = hang_up(&app, &id).await;
    assert_eq!(status, 409, "{body}");
    assert!(body["detail"].as_str().is_some_and(|said| said.contains("no way into its session")), "{body}");
    assert_eq!(attempt(&app, &id).await["state"], json!("live"), "and it moved nothing");

    // Its own session: the address is known, and nobody lives there any more.
    let (_, told) = ask(&app, json!({ "phone": number(0, 2) })).await;
    let id = told["attempt"].as_str().expect("an attempt").to_owned();
    let attempt_id: halo::domain::AttemptId = id.parse().expect("an id");
    let session = until("its start is answered", || async {
        let starts = app.store.starts(attempt_id).await.expect("the store answers");
        starts.first().and_then(|start| start.session_id)
    })
    .await;
    assert_eq!(grant(&place, &app, &id, session).await.0, 200);
    let (status, body) = hang_up(&app, &id).await;
    assert_eq!((status, &body["delivered"]), (202, &json!(false)), "{body}");
    assert_eq!(attempt(&app, &id).await["state"], json!("live"), "its events tell, not the answer");
    crate::harness::stop_now(app).await;
}
