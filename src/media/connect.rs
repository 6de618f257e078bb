//! The way to the realtime model: a WebSocket of its own, plain or with TLS.

use super::carry::{Came, Way};
use super::words::EVENT_BYTES_MAX;
use futures::{SinkExt, StreamExt};
use std::fmt;
use std::future::ready;
use std::time::Duration;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
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
    // Pieces of audio are small: none waits for the one before.
    let connecting = tokio_tungstenite::connect_async_with_config(request, Some(config), true);
    let socket = match tokio::time::timeout(CONNECT_WITHIN, connecting).await {
        Ok(Ok((socket, _answer))) => socket,
        Ok(Err(Error::Http(answer))) => return Err(format!("HTTP {}", answer.status().as_u16())),
        Ok(Err(error)) => return Err(short(&error.to_string())),
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

fn closing(told: &CloseFrame) -> String {
    short(format!("{} {}", u16::from(told.code), told.reason).trim())
}

fn short(text: &str) -> String {
    text.chars().take(REASON_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_follows_from_the_base() {
        let of = |base: Option<&str>, name: &str| {
            Model { base_url: base.map(str::to_owned), name: name.into(), key: "k".into() }.address()
        };
        assert_eq!(of(None, "gpt-realtime"), "wss://api.openai.com/v1/realtime?model=gpt-realtime");
        assert_eq!(of(Some("http://127.0.0.1:9/v1/"), "a b&c"), "ws://127.0.0.1:9/v1/realtime?model=a%20b%26c");
        assert_eq!(of(Some("wss://models.example/v1"), "m"), "wss://models.example/v1/realtime?model=m");
    }
}
