//! Those who are told: a program behind HTTP, a mail server, a bot's API; each keeps what came.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

#[derive(Clone, Debug)]
pub struct Came {
    pub path: String,
    pub headers: HeaderMap,
    pub body: String,
}

impl Came {
    pub fn header(&self, name: &str) -> String {
        self.headers[name].to_str().expect("text").to_owned()
    }
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).expect("JSON")
    }
}

#[derive(Clone, Default)]
struct Kept {
    came: Arc<Mutex<Vec<Came>>>,
    answers: Arc<Mutex<VecDeque<(u16, String)>>>,
}

pub struct Receiver {
    pub address: SocketAddr,
    kept: Kept,
}

async fn take(State(kept): State<Kept>, uri: Uri, headers: HeaderMap, body: Bytes) -> (StatusCode, HeaderMap, String) {
    let body = String::from_utf8(body.to_vec()).expect("text");
    kept.came.lock().unwrap().push(Came { path: uri.path().to_owned(), headers, body });
    let (status, text) = kept.answers.lock().unwrap().pop_front().unwrap_or((200, r#"{"ok":true}"#.into()));
    let mut headers = HeaderMap::new();
    if (300..400).contains(&status) {
        headers.insert("location", text.parse().expect("an address"));
    }
    (StatusCode::from_u16(status).expect("a status"), headers, text)
}

impl Receiver {
    pub async fn start() -> Receiver {
        let kept = Kept::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("its address");
        let doors = Router::new().fallback(take).with_state(kept.clone());
        tokio::spawn(async move { axum::serve(listener, doors).await });
        Receiver { address, kept }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The next answers, in their order; 200 afterwards.
    pub fn answers(&self, answers: &[(u16, &str)]) {
        let mut held = self.kept.answers.lock().unwrap();
        held.extend(answers.iter().map(|(status, text)| (*status, (*text).to_owned())));
    }

    pub fn came(&self) -> Vec<Came> {
        self.kept.came.lock().unwrap().clone()
    }
}

/// A mail server that takes everything; returns the addresses and the texts.
pub struct Post {
    pub address: SocketAddr,
    mails: Arc<Mutex<Vec<String>>>,
}

impl Post {
    pub async fn start() -> Post {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("its address");
        let mails = Arc::new(Mutex::new(Vec::new()));
        let kept = mails.clone();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let kept = kept.clone();
                tokio::spawn(async move {
                    let (read, mut write) = socket.into_split();
                    let mut lines = BufReader::new(read).lines();
                    let _ = write.write_all(b"220 here\r\n").await;
                    let mut mail = None;
                    while let Ok(Some(line)) = lines.next_line().await {
                        let said: &[u8] = match (&mut mail, line.as_str()) {
                            (Some(_), ".") => {
                                kept.lock().unwrap().extend(mail.take());
                                b"250 kept\r\n"
                            }
                            (Some(text), line) => {
                                let text: &mut String = text;
                                text.push_str(line);
                                text.push('\n');
                                continue;
                            }
                            (None, "DATA") => {
                                mail = Some(String::new());
                                b"354 go on\r\n"
                            }
                            (None, "QUIT") => b"221 bye\r\n",
                            (None, _) => b"250 ok\r\n",
                        };
                        let _ = write.write_all(said).await;
                    }
                });
            }
        });
        Post { address, mails }
    }

    pub fn mails(&self) -> Vec<String> {
        self.mails.lock().unwrap().clone()
    }
}
