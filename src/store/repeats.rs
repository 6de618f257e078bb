//! Requests that may be sent again, and what was answered to the first of each.

use super::{Result, Store};
use crate::domain::Timestamp;

/// So long an answer is given again, in program time.
pub const KEPT_MS: i64 = 24 * 3_600_000;

pub struct Begin {
    pub key: String,
    /// Of method, address and body.
    pub fingerprint: String,
    pub now: Timestamp,
}

/// What a key says of the request that it comes with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begun {
    /// Nobody used it: the request is to be done.
    First,
    Answered(Answered),
    /// The same request is being done, or broke off: nobody knows what became of it.
    Unanswered,
    /// It came with another request.
    Other,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    pub key: String,
    pub status: i64,
    /// Of its body.
    pub kind: Option<String>,
    pub location: Option<String>,
    pub body: String,
}

impl Store {
    pub async fn begin_repeat(&self, begin: Begin) -> Result<Begun> {
        write!(self, repeats::begin(begin))
    }

    pub async fn answer_repeat(&self, answered: Answered) -> Result<()> {
        write!(self, repeats::answer(answered))
    }

    /// It did nothing: the key may come again with anything.
    pub async fn forget_repeat(&self, key: String) -> Result<()> {
        write!(self, repeats::forget(key))
    }
}
