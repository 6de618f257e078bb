//! A decision on its way to the writer, where those of all callers wait in one row.

use super::rows::{Change, Decide, Decided, Heard, Held};
use super::{Result, WriteError};
use crate::domain::{AttemptId, Timestamp, TokenHash};
use std::any::Any;

/// What a caller asked for; only the caller knows its type.
pub type Answer = Box<dyn Any + Send>;

/// What is asked of what was read under the locks.
pub type Decision = Box<dyn Fn(&Held) -> (Change, Answer) + Send + Sync>;

/// A decision whose answer has lost its type.
pub struct Asked {
    pub attempt: AttemptId,
    pub now: Timestamp,
    pub start: Option<TokenHash>,
    pub heard: Option<Heard>,
    pub decision: Decision,
}

/// How a batch of decisions locks the runs of its attempts. Nearly all only read them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runs {
    /// Held against a pause, beside other nodes that decide about the same runs.
    Shared,
    /// Held against everybody: counters in their rows are written.
    Own,
}

pub enum Told {
    Unknown,
    Again,
    Done(Answer),
}

impl Asked {
    /// The event that comes with it.
    pub fn event(&self) -> Option<(AttemptId, &Heard, Timestamp)> {
        self.heard.as_ref().map(|heard| (self.attempt, heard, self.now))
    }

    pub fn of<A: Send + 'static>(order: Decide<A>) -> Self {
        let Decide { attempt, now, start, heard, decision } = order;
        let decision = move |held: &Held| {
            let (change, answer) = decision(held);
            (change, Box::new(answer) as Answer)
        };
        Asked { attempt, now, start, heard, decision: Box::new(decision) }
    }
}

impl Told {
    /// The answer in the type in which it was asked for.
    pub fn decided<A: 'static>(self) -> Result<Decided<A>> {
        Ok(match self {
            Told::Unknown => Decided::Unknown,
            Told::Again => Decided::Again,
            Told::Done(answer) => Decided::Done(*answer.downcast().map_err(|_| WriteError::Stopped)?),
        })
    }
}
