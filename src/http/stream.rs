//! `/voice/stream`: the dialogue sentence by sentence, so that the first is spoken while the rest is fetched.
//!
//! A WebSocket of text. The session sends `{call_id, turn, text}` as to `/voice/dialog`, and hears `{turn, chunk}` for
//! each sentence, then `{turn, done, …}` with the whole reply. A refusal is `{turn, error}`; the socket stays open.

use super::access::bearer;
use super::body::Object;
use super::talk::{self, Answer, Asked, Going};
use super::{Problem, Web};
use crate::dialogue::speech::Sentences;
use axum::extract::State;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, watch};

/// Text and its frame; more is no turn of a conversation.
const MESSAGE_BYTES_MAX: usize = 64 * 1024;
/// A call in which nobody says anything for so long is over.
const IDLE_MAX: Duration = Duration::from_secs(600);
/// A session opens its socket while it rings, and asks for something soon after the answer.
const FIRST_MAX: Duration = Duration::from_secs(240);
const SOCKETS_MAX: usize = 5000;
static SOCKETS: Semaphore = Semaphore::const_new(SOCKETS_MAX);

pub(super) async fn stream(State(web): State<Arc<Web>>, headers: HeaderMap, upgrade: WebSocketUpgrade) -> Response {
    if bearer(&headers).is_none() {
        return Problem::unauthorized().into_response();
    }
    let Ok(place) = SOCKETS.try_acquire() else {
        let said = format!("{SOCKETS_MAX} conversations are open already: ask /voice/dialog");
        return Problem::new(StatusCode::SERVICE_UNAVAILABLE, "busy", said).into_response();
    };
    upgrade.max_message_size(MESSAGE_BYTES_MAX).on_upgrade(move |socket| async move {
        let _place = place;
        listen(web, headers, socket).await;
    })
}

/// Until the session is gone, or the server ends. Whoever is no call of ours is gone at once, and whoever does not speak
/// holds a place no longer than a call can be silent: a ping is no word.
async fn listen(web: Arc<Web>, headers: HeaderMap, mut socket: WebSocket) {
    let mut until = tokio::time::Instant::now() + FIRST_MAX;
    loop {
        let came = tokio::select! {
            () = web.stopping.cancelled() => return,
            came = tokio::time::timeout_at(until, socket.recv()) => came,
        };
        let told = match came {
            Ok(Some(Ok(Message::Text(text)))) => {
                let told = converse(&web, &headers, text.as_str(), &mut socket).await;
                if let Ok(true) = told {
                    until = tokio::time::Instant::now() + IDLE_MAX;
                }
                told.map(drop)
            }
            Ok(Some(Ok(Message::Binary(_)))) => {
                refuse(&mut socket, None, Problem::bad("this socket carries text; audio goes to /voice/media")).await
            }
            Ok(Some(Ok(Message::Ping(_) | Message::Pong(_)))) => Ok(()),
            Ok(Some(Ok(Message::Close(_)) | Err(_)) | None) | Err(_) => return,
        };
        if told.is_err() {
            return;
        }
    }
}

/// Was it a turn that got a reply?
async fn converse(
    web: &Arc<Web>,
    headers: &HeaderMap,
    text: &str,
    socket: &mut WebSocket,
) -> Result<bool, axum::Error> {
    let asked: Asked = match serde_json::from_str(text) {
        Ok(Object(asked)) => asked,
        Err(cause) => return refuse(socket, None, Problem::bad(format!("message: {cause}"))).await.map(|()| false),
    };
    match talk::answer(web, &asked, headers).await {
        Err(problem) if problem.status == StatusCode::UNAUTHORIZED => {
            refuse(socket, asked.turn, problem).await?;
            socket.send(Message::Close(None)).await?;
            Err(axum::Error::new("nobody's call"))
        }
        Err(problem) => refuse(socket, asked.turn, problem).await.map(|()| false),
        Ok(Answer::Given(reply)) => whole(socket, asked.turn, &reply, 0).await.map(|()| true),
        Ok(Answer::Coming { turn, mut going, filler }) => {
            let (mut sent, mut began) = (0, asked.again);
            let by = tokio::time::Instant::now() + web.turn;
            loop {
                let waiting = more(&mut going, sent);
                let now = if began { Ok(waiting.await) } else { tokio::time::timeout_at(by, waiting).await };
                let Ok(now) = now else {
                    began = true;
                    send(socket, json!({ "turn": turn, "chunk": filler, "filler": true })).await?;
                    continue;
                };
                let Some(now) = now else {
                    let lost = Problem::ours("a turn's task ended without an answer");
                    return refuse(socket, Some(turn), lost).await.map(|()| true);
                };
                began = true;
                for sentence in &now.sentences[sent..] {
                    send(socket, json!({ "turn": turn, "chunk": sentence })).await?;
                }
                sent = now.sentences.len();
                match now.end {
                    None => {}
                    Some(Ok(reply)) => return whole(socket, Some(turn), &reply, sent).await.map(|()| true),
                    Some(Err(refusal)) => return refuse(socket, Some(turn), refusal.into()).await.map(|()| true),
                }
            }
        }
    }
}

/// Waits for another sentence, or the end; nothing comes from a task that is gone.
async fn more(going: &mut watch::Receiver<Going>, sent: usize) -> Option<Going> {
    going.wait_for(|going| going.sentences.len() > sent || going.end.is_some()).await.ok().map(|going| going.clone())
}

/// The end of a reply; what was not sent of it goes before.
async fn whole(socket: &mut WebSocket, turn: Option<i64>, reply: &Value, sent: usize) -> Result<(), axum::Error> {
    if sent == 0 {
        let mut cutter = Sentences::default();
        let mut sentences = cutter.hear(reply["reply_text"].as_str().unwrap_or_default());
        sentences.extend(cutter.end(true));
        for sentence in sentences {
            send(socket, json!({ "turn": turn, "chunk": sentence })).await?;
        }
    }
    let mut done = json!({ "turn": turn, "done": true });
    if let (Some(done), Some(reply)) = (done.as_object_mut(), reply.as_object()) {
        done.extend(reply.clone());
    }
    send(socket, done).await
}

async fn refuse(socket: &mut WebSocket, turn: Option<i64>, problem: Problem) -> Result<(), axum::Error> {
    let error = json!({ "status": problem.status.as_u16(), "code": problem.code, "detail": problem.detail });
    send(socket, json!({ "turn": turn, "error": error })).await
}

async fn send(socket: &mut WebSocket, message: Value) -> Result<(), axum::Error> {
    socket.send(Message::text(message.to_string())).await
}
