//! What carries a request to the provider and its answer back: HTTP.
//!
//! A test may put a provider in its place that is a value: no socket, no TLS, no time of this machine.

use super::codes;
use super::error::ApiError;
use super::pacer::Leaves;
use futures::future::BoxFuture;
use http_body::{Body, Frame, SizeHint};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio_util::bytes::Bytes;

/// Answers are small; a history of a hundred sessions stays far below this.
const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;

/// A provider without a network: the method and its form in, HTTP's status and the body out.
pub trait Provider: Send + Sync {
    fn answer(&self, method: &'static str, form: Vec<(String, String)>) -> BoxFuture<'static, (u16, Value)>;
}

pub(super) enum Wire {
    Http(reqwest::Client),
    Value(Arc<dyn Provider>),
}

/// An answer as it came.
pub(super) struct Came {
    pub status: reqwest::StatusCode,
    /// What `retry-after` said.
    pub wait: Option<Duration>,
    pub body: Option<Value>,
}

impl Wire {
    pub async fn carry(
        &self,
        base: &str,
        method: &'static str,
        form: &[(&str, String)],
        token: Option<SecretString>,
        leaves: Option<Leaves>,
    ) -> Result<Came, ApiError> {
        let http = match self {
            Wire::Http(http) => http,
            Wire::Value(provider) => {
                if let Some(leaves) = leaves {
                    leaves();
                }
                let form = form.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
                let (status, body) = provider.answer(method, form).await;
                let status = reqwest::StatusCode::from_u16(status);
                let status = status.map_err(|_| ApiError::Malformed { method, field: "status" })?;
                return Ok(Came { status, wait: None, body: Some(body) });
            }
        };
        let mut request = http.post(format!("{base}/{method}")).form(form);
        if let Some(token) = token {
            request = request.bearer_auth(token.expose_secret());
        }
        let mut request = request.build().map_err(|cause| transport(method, cause))?;
        if let (Some(leaves), Some(body)) = (leaves, request.body_mut()) {
            let text = Bytes::copy_from_slice(body.as_bytes().unwrap_or_default());
            *body = reqwest::Body::wrap(Leaving { text: Some(text), leaves });
        }
        let mut response = http.execute(request).await.map_err(|cause| transport(method, cause))?;
        let status = response.status();
        let wait = response.headers().get("retry-after").and_then(|value| codes::retry_after(value.to_str().ok()?));
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|cause| transport(method, cause))? {
            if body.len() + chunk.len() > ANSWER_BYTES_MAX {
                return Err(ApiError::Malformed { method, field: "size" });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Came { status, wait, body: serde_json::from_slice(&body).ok() })
    }
}

/// A body that tells when it is written: a connection may have to be made first, and a busy machine takes its time.
struct Leaving {
    text: Option<Bytes>,
    leaves: Leaves,
}

impl Body for Leaving {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let text = self.text.take();
        if text.is_some() {
            (self.leaves)();
        }
        Poll::Ready(text.map(|text| Ok(Frame::data(text))))
    }

    fn is_end_stream(&self) -> bool {
        self.text.is_none()
    }

    /// Exact, so that the request has a length: not every server takes one in chunks.
    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.text.as_ref().map_or(0, |text| text.len() as u64))
    }
}

/// Before the connection stood, nothing left; afterwards nobody knows.
fn transport(method: &'static str, cause: reqwest::Error) -> ApiError {
    let cause = cause.without_url();
    if cause.is_connect() || cause.is_builder() {
        ApiError::Unreachable { method, cause }
    } else {
        ApiError::NoAnswer { method, cause }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[tokio::test]
    async fn a_start_says_its_length_and_leaves_once_when_it_is_written() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let (mut heard, mut part) = (Vec::new(), [0; 1024]);
            while !heard.ends_with(b"a=%D1%91%26b") {
                let n = stream.read(&mut part).await.unwrap();
                assert_ne!(n, 0, "the whole request comes");
                heard.extend_from_slice(&part[..n]);
            }
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").await.unwrap();
            String::from_utf8(heard).unwrap().to_lowercase()
        });
        let left = Arc::new(AtomicU32::new(0));
        let seen = left.clone();
        let leaves: Leaves = Box::new(move || {
            seen.fetch_add(1, Ordering::Relaxed);
        });
        let wire = Wire::Http(reqwest::Client::new());
        let form = [("a", "ё&b".to_owned())];
        let came = wire.carry(&base, "StartScenarios", &form, None, Some(leaves)).await.unwrap();
        assert_eq!((came.status.as_u16(), came.body), (200, Some(serde_json::json!({}))));
        assert_eq!(left.load(Ordering::Relaxed), 1);
        let heard = server.await.unwrap();
        assert!(heard.contains("\r\ncontent-length: 12\r\n") && !heard.contains("transfer-encoding"), "{heard}");
        assert!(heard.contains("content-type: application/x-www-form-urlencoded"), "{heard}");
    }
}
