//! The provider, as little of it as there can be: it takes starts over HTTP, and plays each session at once.

use axum::Router;
use axum::body::Body;
use axum::extract::{Form, State};
use axum::http::{Request, StatusCode};
use axum::routing::post;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tower::ServiceExt;

const ANSWER_BYTES_MAX: usize = 1 << 20;

#[derive(Clone)]
pub struct Provider {
    pub url: String,
    at: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    router: OnceLock<Router>,
    sessions: AtomicI64,
    playing: AtomicI64,
    ended: AtomicU64,
    refused: AtomicU64,
    faults: AtomicU64,
    first: Notify,
    /// Who tells of the calls, where this stub does not.
    teller: OnceLock<UnboundedSender<Granted>>,
}

/// A call under way, of which nothing was told yet.
#[derive(Clone, Debug)]
pub struct Granted {
    pub attempt: String,
    pub session: i64,
    pub event_token: String,
}

impl Provider {
    pub async fn start() -> Provider {
        let at = Arc::new(Counts { sessions: AtomicI64::new(1), ..Counts::default() });
        let app = Router::new()
            .route("/platform_api/GetRules", post(rules))
            .route("/platform_api/StartScenarios", post(start_scenarios))
            .route("/platform_api/GetCallHistory", post(history))
            .with_state(at.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}/platform_api", listener.local_addr().expect("it is bound"));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Provider { url, at }
    }

    pub fn answers_to(&self, router: Router) {
        assert!(self.at.router.set(router).is_ok(), "once");
    }

    /// Sessions ask for their grants and tell nothing: somebody else will, by what he is handed.
    pub fn hands_over(&self) -> UnboundedReceiver<Granted> {
        let (teller, calls) = unbounded_channel();
        assert!(self.at.teller.set(teller).is_ok(), "once");
        calls
    }

    /// Seconds until a session was started.
    pub async fn first_start(&self, since: Instant) -> f64 {
        self.at.first.notified().await;
        since.elapsed().as_secs_f64()
    }

    /// Sessions whose last event was answered with 200.
    pub fn ended(&self) -> u64 {
        self.at.ended.load(Ordering::Relaxed)
    }

    pub fn faults(&self) -> u64 {
        self.at.faults.load(Ordering::Relaxed)
    }

    /// Waits for the sessions that still play.
    pub async fn over(&self) {
        while self.at.playing.load(Ordering::SeqCst) > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let (refused, faults) = (self.at.refused.load(Ordering::Relaxed), self.faults());
        eprintln!("{} sessions ended, {refused} got no grant, {faults} met a fault", self.ended());
    }
}

async fn rules(Form(asked): Form<HashMap<String, String>>) -> String {
    json!({ "result": [{ "rule_id": 5, "rule_name": asked.get("rule_name"), "scenarios": [{}] }] }).to_string()
}

async fn start_scenarios(State(at): State<Arc<Counts>>, Form(asked): Form<HashMap<String, String>>) -> String {
    let session = at.sessions.fetch_add(1, Ordering::Relaxed);
    at.playing.fetch_add(1, Ordering::SeqCst);
    at.first.notify_one();
    let data: Value = serde_json::from_str(&asked["script_custom_data"]).expect("what the client sends");
    tokio::spawn(async move {
        match play(&at, session, &data).await {
            Ok(true) => at.ended.fetch_add(1, Ordering::Relaxed),
            Ok(false) => at.refused.fetch_add(1, Ordering::Relaxed),
            Err(fault) => {
                eprintln!("session {session}: {fault}");
                at.faults.fetch_add(1, Ordering::Relaxed)
            }
        };
        at.playing.fetch_sub(1, Ordering::SeqCst);
    });
    json!({
        "result": 1,
        "call_session_history_id": session,
        "media_session_access_secure_url": format!("https://127.0.0.1/s/{session}"),
    })
    .to_string()
}

async fn history(State(at): State<Arc<Counts>>, Form(asked): Form<HashMap<String, String>>) -> String {
    // Of what somebody else is to tell about, nothing is over.
    let sessions = if at.teller.get().is_some() { "" } else { &asked["call_session_history_id"] };
    let rows: Vec<Value> = sessions
        .split(';')
        .filter_map(|session| session.parse::<i64>().ok())
        .map(|session| {
            json!({
                "call_session_history_id": session, "finish_reason": "Normal termination", "duration": 15,
                "calls": [{ "incoming": false, "successful": true, "duration": 13, "cost": 0.0056,
                            "end_reason": { "code": 200, "details": "Normal call clearing" } }],
                "records": [], "other_resource_usage": [],
            })
        })
        .collect();
    json!({ "total_count": rows.len(), "count": rows.len(), "result": rows }).to_string()
}

/// A call of one turn, as a scenario tells it; false when it got no grant.
async fn play(at: &Counts, session: i64, data: &Value) -> Result<bool, String> {
    let asked = json!({ "a": data["a"], "t": data["t"], "session_id": session });
    let (status, granted) = ask(at, "/voximplant/grant", None, asked).await;
    if status == StatusCode::GONE {
        return Ok(false);
    }
    let token = granted["event_token"].as_str().ok_or_else(|| format!("grant: {status} {granted}"))?;
    if let Some(teller) = at.teller.get() {
        let attempt = data["a"].as_str().ok_or("custom data without an attempt")?.to_owned();
        let call = Granted { attempt, session, event_token: token.to_owned() };
        return teller.send(call).map(|()| true).map_err(|_| "nobody listens".to_owned());
    }
    for event in [connected(), turn(), disconnected()] {
        let mut body = event;
        body["call_id"] = data["a"].clone();
        body["session_id"] = json!(session.to_string());
        let (status, answer) = ask(at, "/voximplant/events", Some(token), body).await;
        if status != StatusCode::OK {
            return Err(format!("event: {status} {answer}"));
        }
    }
    Ok(true)
}

async fn ask(at: &Counts, path: &str, token: Option<&str>, body: Value) -> (StatusCode, Value) {
    let mut request = Request::post(path).header("content-type", "application/json");
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let request = request.body(Body::from(body.to_string())).expect("a request");
    let router = at.router.get().expect("it is set before the first start").clone();
    let answer = router.oneshot(request).await.expect("a router answers");
    let status = answer.status();
    let body = axum::body::to_bytes(answer.into_body(), ANSWER_BYTES_MAX).await.unwrap_or_default();
    (status, serde_json::from_slice(&body).unwrap_or_default())
}

fn connected() -> Value {
    json!({ "event": "Connected", "seq": 1, "at_ms": 6616 })
}

fn one_turn() -> Value {
    json!({
        "n": 1, "callee_text": "Да, всё верно.", "agent_text": "Когда вам перезвонить?", "callee_end_ms": 11865,
        "agent_start_ms": 13364, "turn_ms": 1499, "end_method": "vad", "start_method": "vad", "asr_ms": 905,
        "reply_ms": 9, "model_ms": null, "tts_ms": 585, "filler": false, "interrupted": false,
    })
}

fn turn() -> Value {
    json!({ "event": "Turn", "seq": 2, "at_ms": 14729, "turn": one_turn() })
}

fn disconnected() -> Value {
    json!({
        "event": "Disconnected", "seq": 3, "at_ms": 19790, "code": 200, "reason": "Normal call clearing",
        "cost": 0.0056, "dialled_at_ms": 5, "ringing_at_ms": 2248, "ended_at_ms": 19790, "hung_up_by": "agent",
        "goal": true, "answers": { "time": "morning" }, "callback_at": null, "opted_out": false, "fault": null,
        "machine": false, "answered_at_ms": 6616, "first_audio_ms": 550, "first_audio_method": "vad",
        "talk_ms": 13174, "record_url": null, "turns": [one_turn()],
    })
}
