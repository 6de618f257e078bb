//! What a decision did, for the counters: known once it is durable, because it may be asked twice.

use crate::domain::Mode;
use crate::domain::state::State;
use crate::measures;
use crate::store::{Change, ContactChange, Held};

/// Nothing of it is counted before the commit.
#[derive(Clone, Debug, Default)]
pub(super) struct Counted {
    ended: Option<(Mode, &'static str)>,
    /// What holds the contact from now on, or how it came to rest.
    by: Option<&'static str>,
}

impl Counted {
    pub fn of(held: &Held, change: &Change) -> Self {
        let ended = change.attempt.as_ref().and_then(|to| match to.state {
            State::Ended { outcome, .. } => Some((held.mode.clone(), outcome.as_str())),
            State::Lost { .. } => Some((held.mode.clone(), "lost")),
            State::Planned { .. } | State::Dialing { .. } | State::Live { .. } => None,
        });
        let by = match (&change.contact, change.rest_gate) {
            (_, Some(gate)) => Some(gate.as_str()),
            (Some(ContactChange::Waits { gate, .. }), _) => Some(gate.as_str()),
            (Some(ContactChange::Rests(outcome)), _) => Some(outcome.as_str()),
            (Some(ContactChange::Busy) | None, _) => None,
        };
        Counted { ended, by }
    }

    pub fn count(&self) {
        if let Some((mode, outcome)) = &self.ended {
            measures::ended(mode.as_str(), outcome);
        }
    }

    /// Without a gate it was the token that opened nothing (an old one, or past its deadline).
    pub fn refused_by(&self) -> &'static str {
        self.by.unwrap_or("token")
    }
}
