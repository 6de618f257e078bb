//! A mode: which way of talking an attempt plays. Data, not code: a new mode needs no Rust.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mode(Arc<str>);

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` cannot name a mode (lower case letters, digits and `_`, at most 40)")]
pub struct NotAMode(pub String);

impl Mode {
    /// Our LLM behind `dialog_url`, the platform's speech; the default when nothing is said.
    pub fn dialog() -> Self {
        Mode("dialog".into())
    }
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Mode {
    type Err = NotAMode;
    fn from_str(text: &str) -> Result<Self, NotAMode> {
        let good = (1..=40).contains(&text.len())
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if good { Ok(Mode(text.into())) } else { Err(NotAMode(text.chars().take(60).collect())) }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl serde::Serialize for Mode {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.0)
    }
}

impl<'de> serde::Deserialize<'de> for Mode {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
