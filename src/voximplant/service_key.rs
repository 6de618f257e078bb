//! A service account's key file, and the short-lived tokens it signs.

use super::ApiError;
use crate::domain::Timestamp;
use rustls::SignatureScheme;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::SigningKey;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::json;
use std::fmt;
use std::sync::Arc;

/// The provider's clock may be a little behind ours.
const SKEW_S: i64 = 5;
/// The provider takes tokens that live up to an hour; a short one is worth less to a thief.
const LIFE_S: i64 = 300;
/// A token is not presented in its last moments.
const SPARE_S: i64 = 30;

/// Real time, handed in: a scaled clock would mint tokens from the future.
pub type Wall = Arc<dyn Fn() -> Timestamp + Send + Sync>;

#[derive(Debug, thiserror::Error)]
pub enum ServiceKeyError {
    #[error("the key file is not the JSON that the control panel gives")]
    Json(#[from] serde_json::Error),
    #[error("`private_key` is not a PKCS#8 key in PEM form")]
    Pem(#[source] rustls::pki_types::pem::Error),
    #[error("`private_key` is not an RSA key")]
    NotRsa,
    #[error("signing")]
    Sign(#[from] rustls::Error),
}

#[derive(Deserialize)]
struct File {
    account_id: i64,
    key_id: String,
    private_key: String,
}

#[derive(Clone)]
pub struct ServiceKey {
    account: i64,
    key_id: String,
    key: Arc<dyn SigningKey>,
}

pub(super) struct Minted {
    pub token: SecretString,
    until_s: i64,
}

impl Minted {
    pub(super) fn is_old(&self, now: Timestamp) -> bool {
        now.0 / 1000 > self.until_s - SPARE_S
    }
}

impl fmt::Debug for ServiceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceKey").field("account", &self.account).field("key", &"***").finish()
    }
}

impl ServiceKey {
    /// The text of the file that the control panel hands out once.
    pub fn from_json(text: &str) -> Result<Self, ServiceKeyError> {
        let file: File = serde_json::from_str(text)?;
        let pem = file.private_key.as_bytes();
        let der = PrivatePkcs8KeyDer::from_pem_slice(pem).map_err(ServiceKeyError::Pem)?;
        let key = rustls::crypto::ring::sign::any_supported_type(&PrivateKeyDer::Pkcs8(der))?;
        key.choose_scheme(&[SignatureScheme::RSA_PKCS1_SHA256]).ok_or(ServiceKeyError::NotRsa)?;
        Ok(ServiceKey { account: file.account_id, key_id: file.key_id, key })
    }

    pub fn account(&self) -> i64 {
        self.account
    }

    pub(super) fn mint(&self, now: Timestamp) -> Result<Minted, ApiError> {
        let now_s = now.0 / 1000;
        let until_s = now_s + LIFE_S;
        let header = json!({ "alg": "RS256", "typ": "JWT", "kid": self.key_id });
        let claims = json!({ "iss": self.account, "iat": now_s - SKEW_S, "exp": until_s });
        let signed =
            format!("{}.{}", base64url(header.to_string().as_bytes()), base64url(claims.to_string().as_bytes()));
        let signature = self.sign(signed.as_bytes()).map_err(ApiError::ServiceKey)?;
        let token = SecretString::from(format!("{signed}.{}", base64url(&signature)));
        Ok(Minted { token, until_s })
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, ServiceKeyError> {
        let signer = self.key.choose_scheme(&[SignatureScheme::RSA_PKCS1_SHA256]).ok_or(ServiceKeyError::NotRsa)?;
        Ok(signer.sign(message)?)
    }
}

/// RFC 4648, section 5, without padding.
fn base64url(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().enumerate().fold(0u32, |word, (i, b)| word | u32::from(*b) << (16 - 8 * i));
        for place in 0..=chunk.len() {
            text.push(char::from(ALPHABET[(word >> (18 - 6 * place)) as usize & 63]));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64url_is_the_standard_s() {
        for (bytes, text) in [
            (&b""[..], ""),
            (b"f", "Zg"),
            (b"fo", "Zm8"),
            (b"foo", "Zm9v"),
            (b"foobar", "Zm9vYmFy"),
            (&[0xfb, 0xff, 0xfe], "-__-"),
        ] {
            assert_eq!(base64url(bytes), text);
        }
    }

    #[test]
    fn a_broken_key_file_says_what_is_wrong() {
        assert!(matches!(ServiceKey::from_json("{}"), Err(ServiceKeyError::Json(_))));
        let no_pem = json!({ "account_id": 1, "key_id": "k", "private_key": "not a key" }).to_string();
        assert!(matches!(ServiceKey::from_json(&no_pem), Err(ServiceKeyError::Pem(_))));
    }
}
