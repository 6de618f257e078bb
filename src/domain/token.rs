//! The grant's token: a fresh secret for every claim, of which only the hash is kept.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use std::fmt;
use std::str::FromStr;

/// A random secret of 128 bits, as 32 hexadecimal digits. It travels in the session's custom data.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

/// SHA-256 of a token; what the database and a state may know.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenHash([u8; 32]);

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not a token")]
pub struct NotAToken;

fn hex(bytes: &[u8]) -> String {
    use fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, b| {
        write!(text, "{b:02x}").expect("writing to a String cannot fail");
        text
    })
}

impl Token {
    /// From dice thrown by the caller.
    pub fn from_random(bytes: [u8; 16]) -> Self {
        Token(hex(&bytes))
    }
    pub fn hash(&self) -> TokenHash {
        TokenHash(Sha256::digest(self.0.as_bytes()).into())
    }
    /// The secret itself, for the one place that sends it.
    pub fn expose(&self) -> &str {
        &self.0
    }
    /// The bearer token of the attempt's events: HMAC-SHA256 of the grant's token under the
    /// installation's key. A repeated grant gives the same one, and any node can check it from the hash.
    pub fn event_token(hash: &TokenHash, installation_key: &[u8]) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(installation_key).expect("HMAC takes keys of any length");
        mac.update(&hash.0);
        hex(&mac.finalize().into_bytes())
    }
}

impl FromStr for Token {
    type Err = NotAToken;
    fn from_str(text: &str) -> Result<Self, NotAToken> {
        if text.len() == 32 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            Ok(Token(text.to_owned()))
        } else {
            Err(NotAToken)
        }
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Display for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", &hex(&self.0)[..8])
    }
}

impl FromStr for TokenHash {
    type Err = NotAToken;
    fn from_str(text: &str) -> Result<Self, NotAToken> {
        let mut bytes = [0u8; 32];
        if text.len() != 64 || !text.is_ascii() {
            return Err(NotAToken);
        }
        for (i, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * i..2 * i + 2], 16).map_err(|_| NotAToken)?;
        }
        Ok(TokenHash(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_never_shows_itself() {
        let token = Token::from_random([7; 16]);
        assert_eq!(format!("{token:?}"), "***");
        assert_eq!(token.hash().to_string().parse(), Ok(token.hash()));
        assert_eq!(token.expose().parse(), Ok(token.clone()));
    }

    #[test]
    fn the_event_token_depends_on_both_secrets() {
        let (a, b) = (Token::from_random([1; 16]).hash(), Token::from_random([2; 16]).hash());
        assert_ne!(Token::event_token(&a, b"key"), Token::event_token(&b, b"key"));
        assert_ne!(Token::event_token(&a, b"key"), Token::event_token(&a, b"other"));
        assert_eq!(Token::event_token(&a, b"key"), Token::event_token(&a, b"key"));
    }
}
