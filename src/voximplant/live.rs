//! A word to a session that is running.
//!
//! The address came with the answer to the start and is a bearer capability: whoever has it commands the
//! call, so it stands in no log, no error and no answer. It is opaque; its certificate is verified like any
//! other. What the session answers proves nothing: its events tell what became of the call.

use super::{ApiError, Client};
use serde_json::json;
use std::error::Error;
use std::time::Duration;

const ANSWER_S: u64 = 4;

/// Speaks to sessions. It follows no redirect: an address like this is not for somebody else.
#[derive(Clone)]
pub struct Live {
    http: reqwest::Client,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// The session's server took it.
    Delivered,
    /// The session is gone, or did not answer in time.
    Unanswered,
}

#[derive(Debug, thiserror::Error)]
pub enum LiveError {
    #[error("the session's address is none")]
    Address,
    /// Whoever answers there is not known to be the platform: it was told nothing.
    #[error("the certificate at the session's address cannot be verified; nothing was sent there")]
    Unverified,
}

impl Live {
    pub fn new() -> Result<Self, ApiError> {
        // Fails when a provider is already installed, which is just as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .timeout(Duration::from_secs(ANSWER_S))
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("halo/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(ApiError::Http)?;
        Ok(Live { http })
    }

    /// Asks the session to hang up its call, ringing or answered.
    pub async fn hang_up(&self, access_url: &str, request_id: &str) -> Result<Told, LiveError> {
        let url = reqwest::Url::parse(access_url).map_err(|_| LiveError::Address)?;
        let command = json!({ "command": "hangup", "request_id": request_id, "payload": {} });
        match self.http.post(url).json(&command).send().await {
            Ok(answer) if answer.status().is_success() => Ok(Told::Delivered),
            Ok(_) => Ok(Told::Unanswered),
            Err(cause) if is_about_the_certificate(&cause) => Err(LiveError::Unverified),
            Err(cause) if cause.is_builder() => Err(LiveError::Address),
            Err(_) => Ok(Told::Unanswered),
        }
    }
}

/// Somewhere below: an error of input and output shows what it holds, but does not name it as its source.
fn is_about_the_certificate(cause: &(dyn Error + 'static)) -> bool {
    if let Some(rustls::Error::InvalidCertificate(_)) = cause.downcast_ref() {
        return true;
    }
    let held = cause.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    let held = held.map(|held| held as &(dyn Error + 'static));
    held.or_else(|| cause.source()).is_some_and(is_about_the_certificate)
}

impl Client {
    pub fn live(&self) -> &Live {
        &self.live
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    /// Answers one request with `answer` and returns what was asked.
    async fn server(answer: impl Into<String>) -> (String, tokio::task::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/request/1/secret", listener.local_addr().unwrap());
        let answer = answer.into();
        let asked = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut asked = Vec::new();
            let mut part = [0; 1024];
            while !asked.ends_with(b"}") {
                let n = stream.read(&mut part).await.unwrap();
                assert!(n > 0, "a whole request");
                asked.extend_from_slice(&part[..n]);
            }
            stream.write_all(answer.as_bytes()).await.unwrap();
            String::from_utf8(asked).unwrap()
        });
        (url, asked)
    }

    #[tokio::test]
    async fn a_command_is_posted_and_its_answer_believed_in_nothing() {
        let live = Live::new().unwrap();
        let (url, asked) = server("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").await;
        assert_eq!(live.hang_up(&url, "7").await.unwrap(), Told::Delivered);
        let asked = asked.await.unwrap();
        assert!(asked.starts_with("POST /request/1/secret HTTP/1.1\r\n"), "{asked}");
        assert!(asked.ends_with(r#"{"command":"hangup","request_id":"7","payload":{}}"#), "{asked}");

        for refusal in [
            "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n",
            "nonsense\r\n\r\n",
        ] {
            let (url, _asked) = server(refusal).await;
            assert_eq!(live.hang_up(&url, "8").await.unwrap(), Told::Unanswered, "{refusal}");
        }
        let (elsewhere, asked) = server("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").await;
        let (url, _) =
            server(format!("HTTP/1.1 307 There\r\nlocation: {elsewhere}\r\ncontent-length: 0\r\n\r\n")).await;
        assert_eq!(live.hang_up(&url, "8").await.unwrap(), Told::Unanswered);
        assert!(!asked.is_finished(), "nobody else is told");
        let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        assert_eq!(live.hang_up(&format!("http://{nobody}/x"), "9").await.unwrap(), Told::Unanswered);
        assert!(matches!(live.hang_up("", "9").await, Err(LiveError::Address)));
    }

    /// Without the check, whoever sits at the address is told to the end what to do.
    #[tokio::test]
    async fn a_certificate_that_nobody_vouches_for_is_told_nothing() {
        let live = Live::new().unwrap();
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let config = rustls::ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}/request/1/secret", listener.local_addr().unwrap());
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        let served = tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            acceptor.accept(stream).await.is_ok()
        });
        let said = live.hang_up(&url, "7").await;
        assert!(matches!(said, Err(LiveError::Unverified)), "{said:?}");
        assert!(!served.await.unwrap());
        assert!(!format!("{}", said.unwrap_err()).contains("secret"));
    }
}
