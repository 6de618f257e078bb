//! WebSockets of a scenario, opened by it or into it: text in both directions. Frames of media are never
//! messages: what they carry is `stream`'s.
//!
//! While a connection is being made the session's clock stands still, as for a request. Messages come
//! when they come: they are heard at the instant that the session has reached.

use std::time::Duration;

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue};
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Message};

use crate::simulator::clock::{MS, Micros};
use crate::simulator::session::Inbound;
use crate::simulator::session::calls::Call;
use crate::simulator::session::media::Kind;
use crate::simulator::session::stream::Stream;
use crate::simulator::session::world::{APPLICATION, Act, Delivery, Handle, World};

/// What a handshake costs on the session's time line.
const HANDSHAKE: Micros = 40 * MS;
const CONNECT_S_MAX: u64 = 10;
/// Messages of a scenario that its peer has not taken yet.
const UNSENT_MAX: usize = 256;
/// Sockets from outside, on top of one for each call.
const INCOMING_MAX: usize = 3;
const ABNORMAL: u16 = 1006;
/// Frames of the platform's own: they are events, never messages.
const RESERVED: [&str; 3] = ["start", "media", "stop"];

/// What a scenario says to its peer.
#[derive(Debug)]
pub enum Say {
    Text(String),
    Close,
}

/// What a peer does.
#[derive(Debug)]
pub enum News {
    Opened,
    Text(String),
    Closed { code: u16, reason: String, clean: bool },
    Failed(String),
}

/// A connection to be made.
pub struct Order {
    pub socket: Handle,
    url: String,
    protocols: Vec<String>,
    headers: Vec<(String, String)>,
    issued_at: Micros,
    seq: u64,
    says: mpsc::Receiver<Say>,
}

/// Where a connection's opening belongs on the session's time line.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    at: Micros,
    seq: u64,
}

pub struct Socket {
    says: mpsc::Sender<Say>,
    over: bool,
    pub stream: Stream,
    /// What a peer says at once is heard after the opening, not before.
    open_at: Micros,
}

impl Socket {
    fn new(says: mpsc::Sender<Say>) -> Self {
        Self { says, over: false, stream: Stream::default(), open_at: 0 }
    }

    /// False when the peer does not keep up.
    pub fn say(&self, what: Say) -> bool {
        self.says.try_send(what).is_ok()
    }
}

impl World {
    /// `createWebSocket`. `headers` and `protocols` as the scenario wrote them.
    pub fn open_socket(&mut self, url: &str, options: &Value) -> Result<Handle, String> {
        if !["ws://", "wss://"].iter().any(|scheme| url.starts_with(scheme)) {
            return Err("createWebSocket: the address begins with ws:// or wss://".to_owned());
        }
        let texts = |name: &str| options[name].as_array().cloned().unwrap_or_default();
        let protocols = texts("protocols").iter().filter_map(|it| it.as_str().map(str::to_owned)).collect();
        let headers = texts("headers");
        let headers = headers
            .iter()
            .filter_map(|it| Some((it["name"].as_str()?.to_owned(), it["value"].as_str()?.to_owned())))
            .collect();
        let (says, heard) = mpsc::channel(UNSENT_MAX);
        let socket = self.add_unit(Kind::Socket(Box::new(Socket::new(says))))?;
        self.deliver_after(0, socket, "WebSocket.Created", json!({}));
        let (issued_at, seq, url) = (self.now, self.reserve(), url.to_owned());
        self.sockets.push(Order { socket, url, protocols, headers, issued_at, seq, says: heard });
        Ok(socket)
    }

    /// What must be connected now; the clock stands still until each is.
    pub fn take_sockets(&mut self) -> Vec<Order> {
        let orders = std::mem::take(&mut self.sockets);
        self.connecting += orders.len();
        orders
    }

    /// Somebody connects to the session's address; `None` when that is not wanted or too much.
    pub fn socket_comes(&mut self, says: mpsc::Sender<Say>, request: Value) -> Option<Handle> {
        let open_calls = self.units.iter().filter(|unit| matches!(&unit.kind, Kind::Call(call) if Call::is_open(call)));
        let most = open_calls.count() + INCOMING_MAX;
        if !self.allows_sockets || self.sockets_in >= most {
            self.deliver(APPLICATION, "Application.OnNewWebSocketFailed", json!({}));
            return None;
        }
        let socket = self.add_unit(Kind::Socket(Box::new(Socket::new(says)))).ok()?;
        self.sockets_in += 1;
        let mut told = request;
        told["handle"] = json!(socket);
        self.deliver(APPLICATION, "AppEvents.NewWebSocketConnection", told);
        Some(socket)
    }

    pub fn socket_news(&mut self, socket: Handle, place: Option<Place>, news: News) {
        if let Some(place) = place {
            self.connecting = self.connecting.saturating_sub(1);
            if let Some(Kind::Socket(it)) = self.unit(socket).map(|unit| &mut unit.kind) {
                it.open_at = place.at;
            }
        }
        let not_before = match self.unit(socket).map(|unit| &unit.kind) {
            Some(Kind::Socket(it)) => it.open_at,
            _ => 0,
        };
        let told = match news {
            News::Opened => vec![("WebSocket.Open", json!({}))],
            News::Text(text) => match serde_json::from_str::<Value>(&text) {
                Ok(frame) if RESERVED.iter().any(|event| frame["event"] == *event) => {
                    self.socket_frame(socket, &frame).into_iter().collect()
                }
                _ => vec![("WebSocket.Message", json!({ "text": text }))],
            },
            News::Closed { code, reason, clean } => {
                vec![("WebSocket.Close", json!({ "code": code, "reason": reason, "wasClean": clean }))]
            }
            News::Failed(reason) => vec![
                ("WebSocket.Error", json!({ "reason": reason })),
                ("WebSocket.Close", json!({ "code": ABNORMAL, "reason": reason, "wasClean": false })),
            ],
        };
        for (name, data) in told {
            if let (Some(Kind::Socket(it)), "WebSocket.Close") = (self.unit(socket).map(|unit| &mut unit.kind), name)
                && std::mem::replace(&mut it.over, true)
            {
                continue;
            }
            let delivery = Act::Deliver(Delivery::Event { unit: socket, name, data });
            match place {
                Some(place) => self.at_reserved(place.at, place.seq, delivery),
                None => self.at(self.now.max(not_before), delivery),
            }
        }
    }

    pub fn socket_says(&mut self, socket: Handle, text: String) -> Result<(), String> {
        let heard = match self.unit(socket).map(|unit| &unit.kind) {
            Some(Kind::Socket(it)) if !it.over => it.say(Say::Text(text)),
            _ => return Err("send: the WebSocket is closed".to_owned()),
        };
        if heard { Ok(()) } else { Err("send: the peer does not take what is sent".to_owned()) }
    }

    pub fn socket_closes(&mut self, socket: Handle) {
        if let Some(Kind::Socket(it)) = self.unit(socket).map(|unit| &unit.kind) {
            // A peer that does not listen learns of it when the session ends.
            let _unheard = it.say(Say::Close);
        }
    }
}

/// Connects, and carries text both ways until either side is done.
pub async fn carry(order: Order, outbox: mpsc::Sender<Inbound>) {
    let Order { socket, url, protocols, headers, issued_at, seq, mut says } = order;
    let place = Some(Place { at: issued_at + HANDSHAKE, seq });
    let tell = |place, news| outbox.send(Inbound::Socket(socket, place, news));
    let mut stream = match connect(&url, &protocols, &headers).await {
        Ok(stream) => stream,
        Err(reason) => {
            // A session that is over needs no news.
            let _unneeded = tell(place, News::Failed(reason)).await;
            return;
        }
    };
    if tell(place, News::Opened).await.is_err() {
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
                    let _gone_already = stream.close(None).await;
                    break News::Closed { code: 1000, reason: String::new(), clean: true };
                }
            },
            came = stream.next() => match came {
                Some(Ok(Message::Text(text))) => {
                    if tell(None, News::Text(text.as_str().to_owned())).await.is_err() {
                        return;
                    }
                }
                Some(Ok(Message::Close(told))) => {
                    let (code, reason) = told.map_or((1005, String::new()), |CloseFrame { code, reason }| {
                        (u16::from(code), reason.as_str().to_owned())
                    });
                    break News::Closed { code, reason, clean: true };
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => break News::Closed { code: ABNORMAL, reason: String::new(), clean: false },
            },
        }
    };
    let _unneeded = tell(None, closed).await;
}

type Connection = tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>;

async fn connect(url: &str, protocols: &[String], headers: &[(String, String)]) -> Result<Connection, String> {
    let mut request = url.into_client_request().map_err(|error| error.to_string())?;
    for (name, value) in headers {
        let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), value.parse::<HeaderValue>()) else {
            return Err(format!("the header {name} cannot be sent"));
        };
        request.headers_mut().insert(name, value);
    }
    if !protocols.is_empty()
        && let Ok(value) = protocols.join(", ").parse()
    {
        request.headers_mut().insert("sec-websocket-protocol", value);
    }
    let made = tokio_tungstenite::connect_async(request);
    match tokio::time::timeout(Duration::from_secs(CONNECT_S_MAX), made).await {
        Ok(Ok((stream, _answer))) => Ok(stream),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_elapsed) => Err("timeout".to_owned()),
    }
}
