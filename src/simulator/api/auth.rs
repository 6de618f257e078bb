//! Who asks: an account's key as a parameter, or a service account's token as a bearer.
//!
//! Nothing of a key or a token is kept, logged or shown, apart from the account's own key and the
//! public half of the service account's.

use std::time::Duration;

use axum::http::{HeaderMap, header};
use ring::signature::{KeyPair, RSA_PKCS1_2048_8192_SHA256, RsaKeyPair, UnparsedPublicKey};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject;
use serde::Deserialize;
use serde_json::Value;

use crate::simulator::api::ApiError;
use crate::simulator::api::params::Params;
use crate::simulator::platform::{Platform, State};

/// As documented: `exp` may stand at most this far behind `iat`.
const LIFE_MAX: Duration = Duration::from_secs(3600);
/// Clocks differ a little; a token from further in the future is refused.
const SKEW_MAX: Duration = Duration::from_secs(5);

/// A service account as the platform knows it: never its private key.
#[derive(Clone, Debug)]
pub struct ServiceAccount {
    pub account_id: u64,
    pub account_email: Option<String>,
    key_id: String,
    /// PKCS#1, DER.
    public_key: Vec<u8>,
}

#[derive(Debug, thiserror::Error)]
pub enum ServiceAccountError {
    #[error("the service account's file is not the JSON that the platform hands out")]
    Json(#[from] serde_json::Error),
    #[error("`private_key` of the service account's file is no PKCS#8 key in PEM form")]
    Pem(#[source] rustls::pki_types::pem::Error),
    #[error("`private_key` of the service account's file is no RSA key of 2048 to 4096 bits: {0}")]
    NotRsa(ring::error::KeyRejected),
}

#[derive(Deserialize)]
struct File {
    account_id: u64,
    account_email: Option<String>,
    key_id: String,
    private_key: String,
}

impl ServiceAccount {
    /// The text of the file that the platform hands out once; its public half is all that is kept.
    pub fn from_json(text: &str) -> Result<Self, ServiceAccountError> {
        let File { account_id, account_email, key_id, private_key } = serde_json::from_str(text)?;
        let der = PrivatePkcs8KeyDer::from_pem_slice(private_key.as_bytes()).map_err(ServiceAccountError::Pem)?;
        let pair = RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).map_err(ServiceAccountError::NotRsa)?;
        Ok(Self { account_id, account_email, key_id, public_key: pair.public_key().as_ref().to_vec() })
    }

    /// Checks a token at a moment in unix seconds.
    fn check(&self, token: &Token<'_>, now_s: i64) -> Result<(), ApiError> {
        if token.key_id != self.key_id {
            return Err(ApiError::new(433, "The 'key_id' parameter is invalid."));
        }
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &self.public_key)
            .verify(token.signed.as_bytes(), &token.signature)
            .map_err(|_| failed())?;
        if token.issuer != self.account_id.to_string() {
            return Err(failed());
        }
        if token.issued_s > now_s.saturating_add(SKEW_MAX.as_secs().cast_signed()) {
            return Err(ApiError::new(455, "The token is issued in the future."));
        }
        if token.expires_s.saturating_sub(token.issued_s) > LIFE_MAX.as_secs().cast_signed() {
            return Err(ApiError::new(454, "The token's time to live is too long."));
        }
        if token.expires_s <= now_s {
            return Err(ApiError::new(456, "The token has expired."));
        }
        Ok(())
    }
}

/// A token's parts, read and not believed.
struct Token<'a> {
    key_id: String,
    issuer: String,
    issued_s: i64,
    expires_s: i64,
    signed: &'a str,
    signature: Vec<u8>,
}

impl<'a> Token<'a> {
    /// None when it is no token of the one kind that is taken: a token that chooses its own algorithm
    /// could choose none, or take the public key for a shared secret.
    fn read(text: &'a str) -> Option<Self> {
        let (signed, signature) = text.rsplit_once('.')?;
        let (head, claims) = signed.split_once('.')?;
        let json = |part| serde_json::from_slice::<Value>(&base64url(part)?).ok();
        let (head, claims) = (json(head)?, json(claims)?);
        if head["alg"] != "RS256" {
            return None;
        }
        Some(Self {
            key_id: text_or_number(&head["kid"])?,
            issuer: text_or_number(&claims["iss"])?,
            issued_s: claims["iat"].as_i64()?,
            expires_s: claims["exp"].as_i64()?,
            signed,
            signature: base64url(signature)?,
        })
    }
}

/// The vendor's Node client signs a number, its Python client text.
fn text_or_number(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned).or_else(|| value.as_u64().map(|number| number.to_string()))
}

/// RFC 4648, section 5, without padding.
fn base64url(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'-' => Some(62),
        b'_' => Some(63),
        _ => None,
    };
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    let (mut word, mut bits) = (0u32, 0);
    for byte in text.bytes() {
        word = word << 6 | u32::from(digit(byte)?);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((word >> bits & 0xff) as u8);
        }
    }
    // What is left over is less than a digit, and nothing but zeros.
    (bits < 6 && word & ((1 << bits) - 1) == 0).then_some(bytes)
}

fn failed() -> ApiError {
    ApiError::new(100, "Authorization failed.")
}

/// Lets a request in, or says why not. A bearer token is looked at before any key.
pub fn authorise(platform: &Platform, headers: &HeaderMap, params: &Params, now_s: i64) -> Result<(), ApiError> {
    match headers.get(header::AUTHORIZATION) {
        Some(presented) => by_token(platform, presented.to_str().unwrap_or_default(), now_s),
        None => by_key(&mut platform.state(), params),
    }
}

fn by_token(platform: &Platform, presented: &str, now_s: i64) -> Result<(), ApiError> {
    let malformed = || ApiError::new(447, "The token's format is invalid.");
    let (scheme, token) = presented.split_once(' ').ok_or_else(malformed)?;
    let token = Token::read(token.trim()).filter(|_| scheme.eq_ignore_ascii_case("bearer")).ok_or_else(malformed)?;
    match &platform.service_account {
        Some(account) => account.check(&token, now_s),
        None => Err(ApiError::new(433, "The 'key_id' parameter is invalid.")),
    }
}

/// The first key that is presented is the account's, unless the settings name it.
fn by_key(state: &mut State, params: &Params) -> Result<(), ApiError> {
    let named = ["account_id", "account_name", "account_email"].into_iter().find_map(|name| params.text(name));
    let (Some(named), Some(key)) = (named, params.text("api_key")) else {
        return Err(failed());
    };
    state.meet(named);
    if !state.is_called(named) {
        return Err(failed());
    }
    let held = state.api_key.get_or_insert_with(|| key.to_owned());
    if held == key { Ok(()) } else { Err(failed()) }
}
