//! Who signed in: a cookie that holds the key, sealed, so that every node can open it and no table is kept; and the
//! token without which no form is taken.
//!
//! The seal is ChaCha20-Poly1305 under a key derived from the installation's. Whoever's API key is changed or revoked is
//! signed out, because each page asks the API with it.

use crate::domain::{Role, Timestamp};
use hmac::{Hmac, KeyInit, Mac};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// Signed in for so long, in program time.
pub const HOURS: i64 = 12;
const KEY_BYTES_MAX: usize = 512;
const WHAT: &[u8] = b"halo page session 2";
const EXPIRY_BYTES: usize = 8;

pub struct Sessions {
    seal: LessSafeKey,
    forms: Vec<u8>,
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

fn place(role: Role) -> u8 {
    Role::ALL.into_iter().position(|known| known == role).unwrap_or_default() as u8
}

impl Sessions {
    pub fn new(installation_key: &[u8]) -> Self {
        let derived = mac(installation_key, &[b"page seal"]);
        let seal = UnboundKey::new(&CHACHA20_POLY1305, &derived).expect("SHA-256 gives the 32 bytes that it takes");
        Sessions { seal: LessSafeKey::new(seal), forms: mac(installation_key, &[b"page forms"]) }
    }

    /// A cookie's value. A key's role never changes, so it is sealed with it.
    pub fn sealed(&self, key: &str, role: Role, now: Timestamp) -> String {
        let nonce: [u8; NONCE_LEN] = rand::random();
        let mut held = (now.0 + HOURS * 3_600_000).to_be_bytes().to_vec();
        held.push(place(role));
        held.extend_from_slice(key.as_bytes());
        let sealed =
            self.seal.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(WHAT), &mut held);
        sealed.expect("a key is far shorter than the cipher's limit");
        format!("{}{}", hex(&nonce), hex(&held))
    }

    /// The key in a cookie and its role, while it is good.
    pub fn opened(&self, cookie: &str, now: Timestamp) -> Option<(String, Role)> {
        let bytes = unhex(cookie).filter(|bytes| bytes.len() <= KEY_BYTES_MAX)?;
        let (nonce, held) = bytes.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut held = held.to_vec();
        let held = self.seal.open_in_place(nonce, Aad::from(WHAT), &mut held).ok()?;
        let (expiry, key) = held.split_at_checked(EXPIRY_BYTES)?;
        let expiry = i64::from_be_bytes(expiry.try_into().ok()?);
        let (role, key) = key.split_first()?;
        let role = Role::ALL.into_iter().find(|known| place(*known) == *role)?;
        let good = now.0 < expiry;
        Some((good.then(|| String::from_utf8(key.to_vec()).ok())??, role))
    }

    /// What every form of this session carries.
    pub fn form_token(&self, cookie: &str) -> String {
        hex(&mac(&self.forms, &[cookie.as_bytes()])[..16])
    }

    pub fn is_form_token(&self, cookie: &str, presented: &str) -> bool {
        presented.as_bytes().ct_eq(self.form_token(cookie).as_bytes()).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_700_000_000_000);

    /// The guards: the seal's tag and the look at the expiry in `opened`.
    #[test]
    fn a_cookie_is_good_for_a_while_and_nobody_can_write_one() {
        let sessions = Sessions::new(b"installation");
        let cookie = sessions.sealed("halo_key", Role::Operator, NOW);
        assert_eq!(sessions.opened(&cookie, NOW), Some(("halo_key".to_owned(), Role::Operator)));
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
        let (one, other) = (sessions.sealed("k", Role::Admin, NOW), sessions.sealed("k", Role::Admin, NOW));
        assert!(sessions.is_form_token(&one, &sessions.form_token(&one)));
        assert!(!sessions.is_form_token(&one, &sessions.form_token(&other)));
        assert!(!sessions.is_form_token(&one, ""));
    }
}
