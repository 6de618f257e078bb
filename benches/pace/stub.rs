//! The least of a provider: it notes each start, and its sessions ask for their grant and end busy.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::routing::post;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

const FIRST_SESSION: i64 = 5_000_000_000;

pub struct Stub {
    pub address: SocketAddr,
    pub shared: Arc<Shared>,
}

pub struct Shared {
    began: Instant,
    pub arrived_us: Mutex<Vec<i64>>,
    sessions: AtomicI64,
    http: reqwest::Client,
}

impl Stub {
    /// On a runtime of its own, so that nothing else in this process delays what it notes.
    pub fn start() -> Stub {
        let shared = Arc::new(Shared {
            began: Instant::now(),
            arrived_us: Mutex::default(),
            sessions: AtomicI64::new(FIRST_SESSION),
            http: reqwest::Client::new(),
        });
        let (tell, told) = std::sync::mpsc::channel();
        let theirs = shared.clone();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
                tell.send(listener.local_addr().expect("its address")).expect("somebody waits for it");
                let router = Router::new()
                    .route("/platform_api/{method}", post(answer))
                    .route("/platform_api/{method}/", post(answer))
                    .with_state(theirs);
                axum::serve(listener, router).await.expect("the stub serves");
            });
        });
        Stub { address: told.recv().expect("the stub listens"), shared }
    }
}

async fn answer(State(shared): State<Arc<Shared>>, Path(method): Path<String>, body: Bytes) -> String {
    if method != "StartScenarios" {
        return json!({ "result": [], "count": 0, "total_count": 0 }).to_string();
    }
    shared.arrived_us.lock().expect("no panic while holding it").push(shared.began.elapsed().as_micros() as i64);
    let session = shared.sessions.fetch_add(1, Ordering::Relaxed);
    let data = form_value(&body, "script_custom_data");
    tokio::spawn(session_of(shared, session, data));
    json!({ "result": 1, "call_session_history_id": session, "media_session_access_url": "http://127.0.0.1:9/none" })
        .to_string()
}

fn form_value(body: &[u8], key: &str) -> String {
    let text = String::from_utf8_lossy(body);
    let url = reqwest::Url::parse(&format!("http://x/?{text}")).expect("a form is a query");
    url.query_pairs().find(|(name, _)| name == key).map(|(_, value)| value.into_owned()).unwrap_or_default()
}

/// Asks for the grant, and says that it was busy.
async fn session_of(shared: Arc<Shared>, session: i64, data: String) -> Option<()> {
    let data: Value = serde_json::from_str(&data).ok()?;
    let asked = json!({ "a": data["a"], "t": data["t"], "session_id": session }).to_string();
    let url = format!("{}/voximplant/grant", data["u"].as_str()?);
    let granted = shared.http.post(url).body(asked).send().await.ok()?;
    if !granted.status().is_success() {
        return None;
    }
    let told: Value = granted.json().await.ok()?;
    let busy = json!({
        "call_id": told["call_id"], "event": "Failed", "seq": 1, "at_ms": 900, "session_id": session.to_string(),
        "code": 486, "reason": "Busy here", "dialled_at_ms": 5, "ringing_at_ms": 300, "ended_at_ms": 900, "ring_timer": false,
    });
    let told_busy = shared.http.post(told["event_url"].as_str()?).bearer_auth(told["event_token"].as_str()?);
    told_busy.body(busy.to_string()).send().await.ok()?;
    Some(())
}
