//! Ids: one type for each thing, so that a contact is never looked up as a run.
//!
//! Inside they are 63-bit integers, which both engines index best; people and programs outside see
//! an opaque text (`att_…`) that cannot be confused with another thing's.

use std::fmt;
use std::str::FromStr;

/// Crockford's alphabet in lower case: no `i`, `l`, `o`, `u`, so an id can be read out on the phone.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is not an id of this kind (expected {1}…)")]
pub struct NotAnId(pub String, pub &'static str);

fn encode(prefix: &str, id: i64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut text = [0u8; 13];
    let mut rest = id as u64;
    for place in text.iter_mut().rev() {
        *place = ALPHABET[(rest & 31) as usize];
        rest >>= 5;
    }
    f.write_str(prefix)?;
    f.write_str(std::str::from_utf8(&text).expect("the alphabet is ASCII"))
}

fn decode(prefix: &'static str, text: &str) -> Result<i64, NotAnId> {
    let refused = || NotAnId(text.chars().take(40).collect(), prefix);
    let digits = text.strip_prefix(prefix).ok_or_else(refused)?;
    if digits.len() != 13 {
        return Err(refused());
    }
    let mut id: u64 = 0;
    for byte in digits.bytes() {
        let value = ALPHABET.iter().position(|&a| a == byte).ok_or_else(refused)? as u64;
        id = id.checked_mul(32).and_then(|id| id.checked_add(value)).ok_or_else(refused)?;
    }
    i64::try_from(id).map_err(|_| refused())
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                encode($prefix, self.0, f)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
        impl From<i64> for $name {
            fn from(id: i64) -> Self {
                $name(id)
            }
        }
        impl FromStr for $name {
            type Err = NotAnId;
            fn from_str(text: &str) -> Result<Self, NotAnId> {
                decode($prefix, text).map($name)
            }
        }
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(self)
            }
        }
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(from)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}

ids! {
    /// A calling effort.
    CampaignId = "cmp_";
    /// One import of a file into a campaign.
    BatchId = "imp_";
    /// One person in a campaign.
    ContactId = "con_";
    /// One E.164 over all campaigns.
    NumberId = "num_";
    /// One execution of a campaign.
    RunId = "run_";
    /// One contact in one run: the only thing that waits.
    RunContactId = "rcn_";
    /// One try at one run contact.
    AttemptId = "att_";
    /// A plan that starts runs.
    ScheduleId = "sch_";
    /// A key of the API.
    KeyId = "key_";
    /// One line of the audit.
    AuditId = "aud_";
    /// A report that was shared by a link.
    ShareId = "shr_";
    /// A program that wants to be told.
    EndpointId = "hook_";
    /// Something worth telling: the id that a receiver knows a second copy by.
    NoticeId = "msg_";
    /// A notice on its way to one addressee.
    DeliveryId = "dlv_";
}

/// The provider's media session (`call_session_history_id`); larger than 32 bits. Plain digits, the
/// way the provider's own pages show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct SessionId(pub i64);

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for SessionId {
    type Err = std::num::ParseIntError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(SessionId)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_shown_is_read_back(id in 0..=i64::MAX) {
            prop_assert_eq!(AttemptId(id).to_string().parse(), Ok(AttemptId(id)));
        }

        #[test]
        fn rubbish_is_refused_and_never_panics(text in ".{0,40}") {
            if let Ok(id) = text.parse::<RunId>() {
                prop_assert_eq!(id.to_string(), text);
            }
        }
    }

    #[test]
    fn an_id_of_another_thing_is_refused() {
        assert!(CampaignId(7).to_string().parse::<RunId>().is_err());
    }
}
