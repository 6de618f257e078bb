//! The way to the realtime model: a WebSocket of its own, plain or with TLS.

use super::carry::{Came, Way};
use super::proxy::{is_here, tunnel};
use super::words::EVENT_BYTES_MAX;
use futures::{SinkExt, StreamExt};
use std::fmt;
use std::future::ready;
use std::time::Duration;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderValue, Uri};
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

const CONNECT_WITHIN: Duration = Duration::from_secs(10);
/// Where the model is when no address is set.
const OPENAI: &str = "https://api.openai.com/v1";
const REASON_CHARS_MAX: usize = 200;

/// Where a model is, and who asks.
#[derive(Clone)]
pub struct Model {
    /// As for every other request to the provider: `https://…/v1`.
    pub base_url: Option<String>,
    pub name: String,
    pub key: String,
    /// A proxy on the way, `http://…`; a model on this machine is reached without it.
    pub proxy: Option<String>,
}

impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Model").field("base_url", &self.base_url).field("name", &self.name).finish_non_exhaustive()
    }
}

impl Model {
    /// Characters that mean something in an address are written by their numbers.
    fn address(&self) -> String {
        let base = self.base_url.as_deref().unwrap_or(OPENAI).trim_end_matches('/');
        // `http…` becomes `ws…`, with an `s` or without.
        let base = base.strip_prefix("http").map_or_else(|| base.to_owned(), |rest| format!("ws{rest}"));
        let name: String = self
            .name
            .bytes()
            .map(|byte| match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => char::from(byte).to_string(),
                other => format!("%{other:02X}"),
            })
            .collect();
        format!("{base}/realtime?model={name}")
    }
}

/// Connects; the error says what was answered, never the key.
pub async fn connect(model: Model) -> Result<Way, String> {
    let mut request = model.address().into_client_request().map_err(|_| "the address cannot be reached".to_owned())?;
    let bearer: HeaderValue =
        format!("Bearer {}", model.key).parse().map_err(|_| "the key cannot stand in a header".to_owned())?;
    request.headers_mut().insert("authorization", bearer);
    let config =
        WebSocketConfig::default().max_message_size(Some(EVENT_BYTES_MAX)).max_frame_size(Some(EVENT_BYTES_MAX));
    let by = model.proxy.as_deref().zip(request.uri().host()).filter(|(_, host)| !is_here(host));
    let by = by.map(|(proxy, host)| (proxy.to_owned(), host.to_owned(), port(request.uri())));
    let connecting = async move {
        let Some((proxy, host, port)) = by else {
            // Pieces of audio are small: none waits for the one before.
            return tokio_tungstenite::connect_async_with_config(request, Some(config), true).await.map_err(told);
        };
        let tcp = tunnel(&proxy, &host, port).await?;
        tokio_tungstenite::client_async_tls_with_config(request, tcp, Some(config), None).await.map_err(told)
    };
    let socket = match tokio::time::timeout(CONNECT_WITHIN, connecting).await {
        Ok(Ok((socket, _answer))) => socket,
        Ok(Err(why)) => return Err(why),
        Err(_elapsed) => return Err("no answer".to_owned()),
    };
    let (out, into) = socket.split();
    let into = into.filter_map(|came| {
        ready(match came {
            Ok(Message::Text(text)) => Some(Came::Text(text.as_str().to_owned())),
            Ok(Message::Close(told)) => Some(Came::Closed(told.map_or_else(String::new, |told| closing(&told)))),
            Ok(_) => None,
            Err(_) => Some(Came::Lost),
        })
    });
    let out =
        out.with(|text: String| ready(Ok::<_, Error>(Message::text(text)))).sink_map_err(|error| error.to_string());
    Ok(Way { into: Box::pin(into), out: Box::pin(out) })
}

fn port(uri: &Uri) -> u16 {
    uri.port_u16().unwrap_or(if uri.scheme_str() == Some("wss") { 443 } else { 80 })
}

fn told(error: Error) -> String {
    match error {
        Error::Http(answer) => format!("HTTP {}", answer.status().as_u16()),
        other => short(&other.to_string()),
    }
}

fn closing(told: &CloseFrame) -> String {
    short(format!("{} {}", u16::from(told.code), told.reason).trim())
}

fn short(text: &str) -> String {
    text.chars().take(REASON_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    /// Taken out: `proxy` in `connect`.
    #[tokio::test]
    async fn a_model_elsewhere_is_reached_through_the_proxy() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let proxy = format!("http://{}", listener.local_addr().expect("an address"));
        let by = tokio::spawn(async move {
            let (mut tcp, _) = listener.accept().await.expect("a client");
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(tcp.read_u8().await.expect("a byte"));
            }
            tcp.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.expect("answered");
            let mut socket = tokio_tungstenite::accept_async(tcp).await.expect("a stream");
            socket.send(Message::text("hello")).await.expect("sent");
            String::from_utf8(head).expect("text")
        });
        let model = Model {
            base_url: Some("http://models.example/v1".into()),
            name: "m".into(),
            key: "k".into(),
            proxy: Some(proxy),
        };
        let mut way = connect(model).await.expect("a way");
        assert_eq!(way.into.next().await, Some(Came::Text("hello".into())));
        assert!(by.await.expect("a proxy").starts_with("CONNECT models.example:80 HTTP/1.1"));
    }

    #[test]
    fn the_address_follows_from_the_base() {
        let of = |base: Option<&str>, name: &str| {
            Model { base_url: base.map(str::to_owned), name: name.into(), key: "k".into(), proxy: None }.address()
        };
        assert_eq!(of(None, "gpt-realtime"), "wss://api.openai.com/v1/realtime?model=gpt-realtime");
        assert_eq!(of(Some("http://127.0.0.1:9/v1/"), "a b&c"), "ws://127.0.0.1:9/v1/realtime?model=a%20b%26c");
        assert_eq!(of(Some("wss://models.example/v1"), "m"), "wss://models.example/v1/realtime?model=m");
    }
}
