//! How an attempt ended, and whom that speaks about.

use std::fmt;
use std::str::FromStr;

/// Whom an end of a call speaks about: an outage of the provider must not make a mode look bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Fault {
    Contact,
    Carrier,
    Provider,
    Us,
    Unknown,
}

macro_rules! outcomes {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $fault:ident;)*) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Outcome { $($(#[$doc])* $name,)* }

        impl Outcome {
            pub const ALL: &'static [Outcome] = &[$(Outcome::$name,)*];

            pub fn as_str(self) -> &'static str {
                match self { $(Outcome::$name => $text,)* }
            }
            pub fn fault(self) -> Fault {
                match self { $(Outcome::$name => Fault::$fault,)* }
            }
        }
    };
}

outcomes! {
    /// A person (or what could not be told from one) picked up.
    Answered = "answered", Contact;
    /// Answering machine detection found a machine.
    Machine = "machine", Contact;
    Busy = "busy", Contact;
    NoAnswer = "no_answer", Contact;
    /// Switched off or out of reach (480, 430).
    Unavailable = "unavailable", Contact;
    Rejected = "rejected", Contact;
    InvalidNumber = "invalid_number", Carrier;
    /// The provider forbids the destination or the caller id (403).
    Prohibited = "prohibited", Provider;
    NoFunds = "no_funds", Provider;
    /// Every other failure of the carrier (4xx, 5xx).
    NetworkError = "network_error", Carrier;
    /// The session ran and made no call, or our scenario broke.
    ScenarioError = "scenario_error", Us;
    /// Granted, then silence, and the provider knows nothing.
    Lost = "lost", Unknown;
    /// Withdrawn before anybody was rung.
    Cancelled = "cancelled", Us;
    /// Its time ran out before it was dialled.
    Expired = "expired", Us;
    /// The number is on the suppression list.
    Suppressed = "suppressed", Contact;
}

impl Outcome {
    /// Did the far side pick up? In telecom figures a machine counts as answered.
    pub fn is_answered(self) -> bool {
        matches!(self, Outcome::Answered | Outcome::Machine)
    }
    /// Was a call placed at all? Deferrals and withdrawals count nowhere.
    pub fn is_dialled(self) -> bool {
        !matches!(self, Outcome::Cancelled | Outcome::Expired | Outcome::Suppressed | Outcome::ScenarioError)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is not an outcome")]
pub struct NotAnOutcome(pub String);

impl FromStr for Outcome {
    type Err = NotAnOutcome;
    fn from_str(text: &str) -> Result<Self, NotAnOutcome> {
        Outcome::ALL.iter().copied().find(|o| o.as_str() == text).ok_or_else(|| NotAnOutcome(text.to_owned()))
    }
}

impl serde::Serialize for Outcome {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.as_str())
    }
}

impl<'de> serde::Deserialize<'de> for Outcome {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}
