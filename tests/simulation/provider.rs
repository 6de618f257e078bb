//! The provider's door: what it is asked waits here until the world says what becomes of it.

use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tokio::sync::{mpsc, oneshot};

/// HTTP's status and body.
pub type Answer = (u16, Value);

pub struct Request {
    pub method: String,
    pub form: BTreeMap<String, String>,
    pub reply: oneshot::Sender<Answer>,
}

pub async fn open() -> (String, mpsc::UnboundedReceiver<Request>) {
    let (tell, heard) = mpsc::unbounded_channel();
    let router = Router::new().route("/platform_api/{method}", post(asked)).with_state(tell);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}/platform_api", listener.local_addr().expect("its address"));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, heard)
}

async fn asked(
    State(tell): State<mpsc::UnboundedSender<Request>>,
    Path(method): Path<String>,
    Form(form): Form<BTreeMap<String, String>>,
) -> (StatusCode, Json<Value>) {
    let (reply, answer) = oneshot::channel();
    // When the world has ended nobody hears this any more.
    let _ended = tell.send(Request { method, form, reply });
    let (status, body) = answer.await.unwrap_or((500, json!({})));
    (StatusCode::from_u16(status).expect("a status"), Json(body))
}

pub const UNCLEAR: u16 = 500;

pub fn refused(code: i64) -> Answer {
    (200, json!({ "error": { "code": code, "msg": "not now" } }))
}

pub fn rules() -> Answer {
    let rule = json!({ "rule_id": 7, "rule_name": "greeting_rule", "scenarios": [{ "scenario_id": 1 }] });
    (200, json!({ "result": [rule], "count": 1, "total_count": 1 }))
}

pub fn started(session: i64) -> Answer {
    let access = format!("https://127.0.0.1/{session}");
    (200, json!({ "result": 1, "call_session_history_id": session, "media_session_access_secure_url": access }))
}
