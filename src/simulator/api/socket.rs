//! A WebSocket into a running session: the session's own address, with the scheme of a WebSocket.

use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

use crate::simulator::session::Inbound;
use crate::simulator::session::socket::{News, Say};

const UNSENT_MAX: usize = 256;
const NORMAL: u16 = 1000;

/// 403 when the scenario does not allow it, or has enough of them.
pub async fn enter(upgrade: WebSocketUpgrade, session: mpsc::Sender<Inbound>, request: Value) -> Response {
    let (says, said) = mpsc::channel(UNSENT_MAX);
    let (answer, taken) = oneshot::channel();
    if session.send(Inbound::SocketComes { request, says, answer }).await.is_err() {
        return StatusCode::NOT_FOUND.into_response();
    }
    match taken.await {
        Ok(Some(socket)) => upgrade.on_upgrade(move |stream| carry(stream, socket, said, session)),
        Ok(None) => StatusCode::FORBIDDEN.into_response(),
        Err(_over) => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn carry(mut stream: WebSocket, socket: u32, mut says: mpsc::Receiver<Say>, session: mpsc::Sender<Inbound>) {
    let tell = |news| session.send(Inbound::Socket(socket, None, news));
    if tell(News::Opened).await.is_err() {
        return;
    }
    let closed = loop {
        tokio::select! {
            said = says.recv() => match said {
                Some(Say::Text(text)) => {
                    if stream.send(Message::text(text)).await.is_err() {
                        break News::Failed("connection lost".to_owned());
                    }
                }
                Some(Say::Close) | None => {
                    let frame = CloseFrame { code: NORMAL, reason: "".into() };
                    let _gone_already = stream.send(Message::Close(Some(frame))).await;
                    break News::Closed { code: NORMAL, reason: String::new(), clean: true };
                }
            },
            came = stream.recv() => match came {
                Some(Ok(Message::Text(text))) => {
                    if tell(News::Text(text.as_str().to_owned())).await.is_err() {
                        return;
                    }
                }
                Some(Ok(Message::Close(told))) => {
                    let (code, reason) = told.map_or((1005, String::new()), |it| (it.code, it.reason.as_str().to_owned()));
                    break News::Closed { code, reason, clean: true };
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => break News::Closed { code: 1006, reason: String::new(), clean: false },
            },
        }
    };
    // A session that is over needs no news.
    let _unneeded = tell(closed).await;
}
