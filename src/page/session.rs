//! Who signed in: a cookie that holds the key, sealed, so that every node can open it and no table is kept; and the
//! token without which no form is taken.
//!
//! The seal is ChaCha20-Poly1305 under a key derived from the installation's. Whoever's API key is changed or revoked is
//! signed out, because each page asks the API with it.

use crate::domain::Timestamp;
use hmac::{Hmac, KeyInit, Mac};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use sha2::Sha256;
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use subtle::ConstantTimeEq;

/// Signed in for so long, in program time.
pub const HOURS: i64 = 12;
const KEY_BYTES_MAX: usize = 512;
const WHAT: &[u8] = b"halo page session 1";
const EXPIRY_BYTES: usize = 8;

/// Wrong keys of this long are remembered.
const TRIES_MS: i64 = 5 * 60 * 1000;
/// Wrong tries that wait for their answer at once; more are turned away unread.
const WAITING_MAX: usize = 8;
const WAIT_MAX: Duration = Duration::from_secs(5);

pub struct Sessions {
    seal: LessSafeKey,
    forms: Vec<u8>,
    tries: Mutex<VecDeque<Timestamp>>,
    waiting: tokio::sync::Semaphore,
}

fn mac(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.is_ascii() {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}

impl Sessions {
    pub fn new(installation_key: &[u8]) -> Self {
        let derived = mac(installation_key, &[b"page seal"]);
        let seal = UnboundKey::new(&CHACHA20_POLY1305, &derived).expect("SHA-256 gives the 32 bytes that it takes");
        Sessions {
            seal: LessSafeKey::new(seal),
            forms: mac(installation_key, &[b"page forms"]),
            tries: Mutex::default(),
            waiting: tokio::sync::Semaphore::new(WAITING_MAX),
        }
    }

    /// A cookie's value.
    pub fn sealed(&self, key: &str, now: Timestamp) -> String {
        let nonce: [u8; NONCE_LEN] = rand::random();
        let mut held = (now.0 + HOURS * 3_600_000).to_be_bytes().to_vec();
        held.extend_from_slice(key.as_bytes());
        let sealed =
            self.seal.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(WHAT), &mut held);
        sealed.expect("a key is far shorter than the cipher's limit");
        format!("{}{}", hex(&nonce), hex(&held))
    }

    /// The key in a cookie, while it is good.
    pub fn opened(&self, cookie: &str, now: Timestamp) -> Option<String> {
        let bytes = unhex(cookie).filter(|bytes| bytes.len() <= KEY_BYTES_MAX)?;
        let (nonce, held) = bytes.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut held = held.to_vec();
        let held = self.seal.open_in_place(nonce, Aad::from(WHAT), &mut held).ok()?;
        let (expiry, key) = held.split_at_checked(EXPIRY_BYTES)?;
        let expiry = i64::from_be_bytes(expiry.try_into().ok()?);
        let good = now.0 < expiry;
        good.then(|| String::from_utf8(key.to_vec()).ok())?
    }

    /// What every form of this session carries.
    pub fn form_token(&self, cookie: &str) -> String {
        hex(&mac(&self.forms, &[cookie.as_bytes()])[..16])
    }

    pub fn is_form_token(&self, cookie: &str, presented: &str) -> bool {
        presented.as_bytes().ct_eq(self.form_token(cookie).as_bytes()).into()
    }

    /// Room for one more who may be wrong; nothing, when too many are waiting.
    pub fn place(&self) -> Option<tokio::sync::SemaphorePermit<'_>> {
        self.waiting.try_acquire().ok()
    }

    /// Notes a wrong key; its answer comes after so long.
    pub fn wrong(&self, now: Timestamp) -> Duration {
        let mut tries = self.tries.lock().unwrap_or_else(PoisonError::into_inner);
        while tries.front().is_some_and(|at| now.since(*at) > TRIES_MS) {
            tries.pop_front();
        }
        tries.push_back(now);
        tries.truncate(WAITING_MAX * WAITING_MAX);
        patience(tries.len())
    }
}

/// How long the answer to the n-th wrong try of the last minutes takes.
fn patience(nth: usize) -> Duration {
    Duration::from_millis(250).saturating_mul(1 << nth.clamp(1, 16)).min(WAIT_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_700_000_000_000);

    /// The guards: the seal's tag and the look at the expiry in `opened`.
    #[test]
    fn a_cookie_is_good_for_a_while_and_nobody_can_write_one() {
        let sessions = Sessions::new(b"installation");
        let cookie = sessions.sealed("halo_key", NOW);
        assert_eq!(sessions.opened(&cookie, NOW).as_deref(), Some("halo_key"));
        assert!(!cookie.contains(&hex(b"halo_key")), "the key is not to be read");
        assert_eq!(sessions.opened(&cookie, NOW.plus_ms(HOURS * 3_600_000)), None);
        for at in 0..cookie.len() {
            let mut other = cookie.clone().into_bytes();
            other[at] = if other[at] == b'0' { b'1' } else { b'0' };
            assert_eq!(sessions.opened(&String::from_utf8(other).unwrap(), NOW), None, "changed at {at}");
        }
        assert_eq!(Sessions::new(b"another").opened(&cookie, NOW), None);
        for nonsense in ["", "0", "zz", "00", "ёё", &"00".repeat(2000)] {
            assert_eq!(sessions.opened(nonsense, NOW), None);
        }
    }

    #[test]
    fn a_form_belongs_to_one_session() {
        let sessions = Sessions::new(b"installation");
        let (one, other) = (sessions.sealed("k", NOW), sessions.sealed("k", NOW));
        assert!(sessions.is_form_token(&one, &sessions.form_token(&one)));
        assert!(!sessions.is_form_token(&one, &sessions.form_token(&other)));
        assert!(!sessions.is_form_token(&one, ""));
    }

    /// The guard: `patience`.
    #[test]
    fn wrong_tries_take_longer_and_longer() {
        let sessions = Sessions::new(b"installation");
        let waits: Vec<u128> = (0..8).map(|_| sessions.wrong(NOW).as_millis()).collect();
        assert_eq!(waits, [500, 1000, 2000, 4000, 5000, 5000, 5000, 5000]);
        assert_eq!(sessions.wrong(NOW.plus_ms(TRIES_MS + 1)).as_millis(), 500, "they are forgotten in the end");
    }
}
