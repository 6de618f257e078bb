//! The one machine of an attempt, and the only function that moves it.

use super::{Outcome, SessionId, Timestamp, TokenHash};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Planned {
        due_at: Timestamp,
    },
    /// A session may be starting; nobody can be rung. Written before the request leaves.
    Dialing {
        claimed_at: Timestamp,
        token: TokenHash,
    },
    /// The session holds the grant; the phone may be ringing.
    Live {
        dialed_at: Timestamp,
        token: TokenHash,
        session: SessionId,
    },
    /// Granted, then silence. It stands as ended; the truth may still come, once.
    Lost {
        ended_at: Timestamp,
        session: SessionId,
    },
    Ended {
        ended_at: Timestamp,
        outcome: Outcome,
    },
}

/// What can happen to an attempt. Whoever brings the news names what it speaks of: a token's hash
/// or a session, so that late news cannot undo a newer claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    Claimed {
        token: TokenHash,
    },
    /// Nobody was rung and nobody can be with this token; later again, uncounted.
    Deferred {
        of: TokenHash,
        until: Timestamp,
    },
    /// Its starts lead nowhere: the attempt ends without a call.
    GaveUp {
        of: TokenHash,
        outcome: Outcome,
    },
    Granted {
        of: TokenHash,
        session: SessionId,
    },
    /// The session held the grant too long and did not dial.
    NotDialled {
        by: SessionId,
        until: Timestamp,
    },
    Finished {
        by: SessionId,
        outcome: Outcome,
    },
    /// The call cannot last any longer, and nobody said how it ended.
    Silent {
        by: SessionId,
    },
    /// Stopped, suppressed or expired before anybody was rung.
    Withdrawn(Outcome),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Moved(State),
    Ignored,
    Refused,
}

impl State {
    pub fn step(&self, event: &Event, now: Timestamp) -> Step {
        use {Event::*, State::*, Step::*};
        match (self, event) {
            (Planned { .. }, Claimed { token }) => Moved(Dialing { claimed_at: now, token: *token }),
            (Planned { .. } | Dialing { .. }, Withdrawn(outcome)) => Moved(Ended { ended_at: now, outcome: *outcome }),
            (Dialing { token, .. }, Deferred { of, until }) if token == of => Moved(Planned { due_at: *until }),
            (Dialing { token, .. }, GaveUp { of, outcome }) if token == of => {
                Moved(Ended { ended_at: now, outcome: *outcome })
            }
            (Dialing { token, .. }, Granted { of, session }) if token == of => {
                Moved(Live { dialed_at: now, token: *token, session: *session })
            }
            (Live { session, .. }, NotDialled { by, until }) if session == by => Moved(Planned { due_at: *until }),
            (Live { session, .. }, Silent { by }) if session == by => Moved(Lost { ended_at: now, session: *session }),
            (Live { session, .. } | Lost { session, .. }, Finished { by, outcome }) if session == by => {
                Moved(Ended { ended_at: now, outcome: *outcome })
            }
            // Callbacks come late, twice and out of order.
            (Live { token, session, .. }, Granted { of, session: again }) if token == of && session == again => Ignored,
            (Lost { .. }, Silent { .. }) | (Ended { .. }, Finished { .. } | Silent { .. }) => Ignored,
            _ => Refused,
        }
    }

    pub fn name(&self) -> &'static str {
        match self {
            State::Planned { .. } => "planned",
            State::Dialing { .. } => "dialing",
            State::Live { .. } => "live",
            State::Lost { .. } | State::Ended { .. } => "ended",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Token;

    fn hash(n: u8) -> TokenHash {
        Token::from_random([n; 16]).hash()
    }

    fn table() -> String {
        let at = Timestamp(5);
        let (token, session) = (hash(1), SessionId(1));
        let outcome = Outcome::Answered;
        let states = [
            ("planned", State::Planned { due_at: at }),
            ("dialing", State::Dialing { claimed_at: at, token }),
            ("live", State::Live { dialed_at: at, token, session }),
            ("lost", State::Lost { ended_at: at, session }),
            ("ended", State::Ended { ended_at: at, outcome }),
        ];
        let events = [
            ("claimed", Event::Claimed { token }),
            ("deferred", Event::Deferred { of: token, until: at }),
            ("gaveup", Event::GaveUp { of: token, outcome }),
            ("granted", Event::Granted { of: token, session }),
            ("notdialled", Event::NotDialled { by: session, until: at }),
            ("finished", Event::Finished { by: session, outcome }),
            ("silent", Event::Silent { by: session }),
            ("withdrawn", Event::Withdrawn(Outcome::Cancelled)),
        ];
        let mut text = format!("\n{:8}", "");
        for (name, _) in &events {
            text += &format!(" {name:10}");
        }
        for (name, state) in &states {
            text = text.trim_end().to_owned() + &format!("\n{name:8}");
            for (_, event) in &events {
                let cell = match state.step(event, at) {
                    Step::Moved(State::Lost { .. }) => "lost",
                    Step::Moved(is) => is.name(),
                    Step::Ignored => ".",
                    Step::Refused => "!",
                };
                text += &format!(" {cell:10}");
            }
        }
        text.trim_end().to_owned()
    }

    /// "." ignored, "!" refused.
    #[test]
    fn every_state_meets_every_event() {
        assert_eq!(
            table(),
            "
         claimed    deferred   gaveup     granted    notdialled finished   silent     withdrawn
planned  dialing    !          !          !          !          !          !          ended
dialing  !          planned    ended      live       !          !          !          ended
live     !          !          !          .          planned    ended      lost       !
lost     !          !          !          !          !          ended      .          !
ended    !          !          !          !          !          .          .          !"
        );
    }

    #[test]
    fn news_of_another_token_or_session_moves_nothing() {
        let at = Timestamp(5);
        let dialing = State::Dialing { claimed_at: at, token: hash(1) };
        let live = State::Live { dialed_at: at, token: hash(1), session: SessionId(1) };
        for (state, event) in [
            (dialing, Event::Deferred { of: hash(2), until: at }),
            (dialing, Event::GaveUp { of: hash(2), outcome: Outcome::ScenarioError }),
            (dialing, Event::Granted { of: hash(2), session: SessionId(1) }),
            (live, Event::Granted { of: hash(1), session: SessionId(2) }),
            (live, Event::Granted { of: hash(2), session: SessionId(1) }),
            (live, Event::NotDialled { by: SessionId(2), until: at }),
            (live, Event::Finished { by: SessionId(2), outcome: Outcome::Answered }),
            (live, Event::Silent { by: SessionId(2) }),
        ] {
            assert_eq!(state.step(&event, at), Step::Refused, "{state:?} {event:?}");
        }
    }
}
