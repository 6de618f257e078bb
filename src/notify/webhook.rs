//! Outgoing webhooks by the Standard Webhooks convention: id, timestamp, signature; any success is one, and only that.

use super::address::{PublicOnly, sound};
use crate::domain::notice::Tried;
use crate::domain::{NoticeId, Timestamp};
use crate::store::notices::Due;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use reqwest::redirect::Policy;
use serde_json::{Value, json};
use sha2::Sha256;
use std::sync::Arc;
use std::time::Duration;

/// What the text of a secret begins with.
pub const SECRET_PREFIX: &str = "whsec_";
/// Of a fresh secret; the convention asks for 24 to 64.
const SECRET_BYTES: usize = 32;
const SECRET_BYTES_MIN: usize = 24;
const SECRET_BYTES_MAX: usize = 64;
/// What is read of an answer, to say why.
const ANSWER_BYTES_MAX: usize = 200;

pub fn fresh_secret() -> String {
    let bytes: [u8; SECRET_BYTES] = rand::random();
    format!("{SECRET_PREFIX}{}", STANDARD.encode(bytes))
}

/// The key inside a secret's text; `None` where it is none by the convention.
pub fn key_of(secret: &str) -> Option<Vec<u8>> {
    let key = STANDARD.decode(secret.strip_prefix(SECRET_PREFIX)?).ok()?;
    (SECRET_BYTES_MIN..=SECRET_BYTES_MAX).contains(&key.len()).then_some(key)
}

/// The header `webhook-signature` of a message sent at `at_s` (unix seconds).
pub fn sign(key: &[u8], id: &str, at_s: i64, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length is taken");
    mac.update(format!("{id}.{at_s}.{body}").as_bytes());
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

/// No redirects, which lead past every check; no proxy, which resolves names itself.
pub(super) fn client(private: bool, within: Duration) -> reqwest::Result<reqwest::Client> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder()
        .redirect(Policy::none())
        .no_proxy()
        .timeout(within)
        .user_agent(concat!("halo/", env!("CARGO_PKG_VERSION")));
    if private { client.build() } else { client.dns_resolver(Arc::new(PublicOnly)).build() }
}

/// What is sent: the same bytes at every try.
pub(super) fn payload(due: &Due) -> String {
    let data: Value = serde_json::from_str(&due.data).unwrap_or(Value::Null);
    json!({ "type": due.kind, "timestamp": Timestamp(due.happened_at).to_string(), "data": data }).to_string()
}

pub(super) async fn send(
    client: &reqwest::Client,
    due: &Due,
    url: &str,
    secret: &str,
    at: Timestamp,
    private: bool,
) -> (Option<u16>, Tried) {
    let failed = |why: String| (None, Tried::Failed(why));
    let url = match sound(url, private) {
        Ok(url) => url,
        Err(doubt) => return failed(doubt.to_string()),
    };
    let Some(key) = key_of(secret) else { return failed("its secret is none".into()) };
    let (id, at_s, body) = (NoticeId(due.notice_id).to_string(), at.0.div_euclid(1000), payload(due));
    let signature = sign(&key, &id, at_s, &body);
    let request = client
        .post(url)
        .header("content-type", "application/json")
        .header("webhook-id", id)
        .header("webhook-timestamp", at_s.to_string())
        .header("webhook-signature", signature)
        .body(body);
    let mut answer = match request.send().await {
        Ok(answer) => answer,
        Err(cause) => return failed(why(&cause.without_url())),
    };
    let status = answer.status();
    if status.is_success() {
        return (Some(status.as_u16()), Tried::Delivered);
    }
    if status == reqwest::StatusCode::GONE {
        return (Some(status.as_u16()), Tried::Gone);
    }
    let said = answer.chunk().await.ok().flatten().unwrap_or_default();
    let said = String::from_utf8_lossy(&said[..said.len().min(ANSWER_BYTES_MAX)]).trim().to_owned();
    let said = if said.is_empty() { String::new() } else { format!(": {said}") };
    (Some(status.as_u16()), Tried::Failed(format!("HTTP {status}{said}")))
}

/// A fault with its causes: the outermost says only that it could not be sent.
pub(super) fn why(cause: &dyn std::error::Error) -> String {
    let mut told = cause.to_string();
    let mut next = cause.source();
    while let Some(cause) = next {
        told = format!("{told}: {cause}");
        next = cause.source();
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The convention's own example; Python's `hmac` makes the same.
    #[test]
    fn a_signature_is_the_conventions() {
        let key = key_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signed = sign(&key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#);
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_secret_has_its_prefix_and_its_length() {
        let secret = fresh_secret();
        assert_eq!(key_of(&secret).map(|key| key.len()), Some(SECRET_BYTES));
        for wrong in ["", "whsec_", "whsec_c2hvcnQ=", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_not base64"] {
            assert_eq!(key_of(wrong), None, "{wrong}");
        }
    }
}
