//! Trouble on purpose, each kind by its name and rate.

use std::str::FromStr;

/// A kind of trouble. Its name on the command line is the variant in snake case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A posted event never leaves; the scenario sees a network error.
    EventLost,
    /// A posted event arrives late; the scenario has given up on it (timeout) by then.
    EventLate,
    /// A posted event arrives twice.
    EventDoubled,
    /// A posted event arrives after the one that follows it; the scenario sees a timeout.
    EventReordered,
    /// `StartScenarios` is answered 429; no session.
    Start429,
    /// `StartScenarios` is answered 503; no session.
    Start5xx,
    /// `StartScenarios` is refused: no money (127); no session.
    Start127,
    /// `StartScenarios` is refused: too many at once (314); no session.
    Start314,
    /// `StartScenarios` is refused: too often (340); no session.
    Start340,
    /// The session starts, and the answer takes seconds.
    StartSlow,
    /// The session starts, and the answer breaks off.
    StartReplyLost,
    /// One start makes two sessions with the same custom data.
    StartTwice,
    /// The session dies before its scenario runs.
    StartNoGrant,
    /// The answer to a session's first request is lost: it arrived, the scenario sees a timeout.
    GrantReplyLost,
    /// A finished session shows up in the history late.
    HistoryLag,
    /// Any other method is answered 429.
    Api429,
    /// Any other method is answered 503.
    Api5xx,
    /// Any other method is refused: too often (340).
    Api340,
    /// Any other method is done, and its answer takes seconds.
    ApiSlow,
}

const KINDS: [(&str, Kind); 19] = [
    ("event_lost", Kind::EventLost),
    ("event_late", Kind::EventLate),
    ("event_doubled", Kind::EventDoubled),
    ("event_reordered", Kind::EventReordered),
    ("start_429", Kind::Start429),
    ("start_5xx", Kind::Start5xx),
    ("start_127", Kind::Start127),
    ("start_314", Kind::Start314),
    ("start_340", Kind::Start340),
    ("start_slow", Kind::StartSlow),
    ("start_reply_lost", Kind::StartReplyLost),
    ("start_twice", Kind::StartTwice),
    ("start_no_grant", Kind::StartNoGrant),
    ("grant_reply_lost", Kind::GrantReplyLost),
    ("history_lag", Kind::HistoryLag),
    ("api_429", Kind::Api429),
    ("api_5xx", Kind::Api5xx),
    ("api_340", Kind::Api340),
    ("api_slow", Kind::ApiSlow),
];

/// The rate of every kind, 0 to 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Mischief {
    rates: [f64; KINDS.len()],
}

#[derive(Debug, thiserror::Error, PartialEq)]
pub enum MischiefError {
    #[error("`{0}` is not NAME=RATE")]
    Form(String),
    #[error("no mischief is called `{0}`; there are {names}", names = names())]
    Name(String),
    #[error("the rate of {name} is `{rate}`, which is not between 0 and 1")]
    Rate { name: String, rate: String },
}

fn names() -> String {
    KINDS.map(|(name, _)| name).join(", ")
}

impl Mischief {
    pub fn none() -> Self {
        Self { rates: [0.0; KINDS.len()] }
    }

    pub fn with(mut self, kind: Kind, rate: f64) -> Self {
        self.rates[Self::place(kind)] = rate.clamp(0.0, 1.0);
        self
    }

    pub fn rate(&self, kind: Kind) -> f64 {
        self.rates[Self::place(kind)]
    }

    /// A kind's name on the command line, which is also what its draws are keyed by.
    pub fn name(kind: Kind) -> &'static str {
        KINDS[Self::place(kind)].0
    }

    fn place(kind: Kind) -> usize {
        KINDS.iter().position(|(_, known)| *known == kind).expect("KINDS lists every kind, as the test of names shows")
    }
}

/// A little of what a scenario or a server must shrug off; nothing that costs an attempt.
impl Default for Mischief {
    fn default() -> Self {
        Self::none()
            .with(Kind::EventLost, 0.01)
            .with(Kind::EventLate, 0.005)
            .with(Kind::EventDoubled, 0.02)
            .with(Kind::EventReordered, 0.005)
            .with(Kind::Start429, 0.005)
            .with(Kind::Start340, 0.002)
            .with(Kind::StartSlow, 0.005)
            .with(Kind::StartReplyLost, 0.01)
            .with(Kind::GrantReplyLost, 0.01)
            .with(Kind::HistoryLag, 0.05)
    }
}

impl FromStr for Mischief {
    type Err = MischiefError;

    fn from_str(text: &str) -> Result<Self, MischiefError> {
        let mut mischief = Self::none();
        if text.trim() == "none" {
            return Ok(mischief);
        }
        for part in text.split(',') {
            let part = part.trim();
            let (name, rate) = part.split_once('=').ok_or_else(|| MischiefError::Form(part.to_owned()))?;
            let (name, rate) = (name.trim(), rate.trim());
            let (_, kind) =
                KINDS.iter().find(|(known, _)| *known == name).ok_or_else(|| MischiefError::Name(name.to_owned()))?;
            let value: f64 = rate
                .parse()
                .ok()
                .filter(|value| (0.0..=1.0).contains(value))
                .ok_or_else(|| MischiefError::Rate { name: name.to_owned(), rate: rate.to_owned() })?;
            mischief = mischief.with(*kind, value);
        }
        Ok(mischief)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_read_by_name() {
        assert_eq!("none".parse(), Ok(Mischief::none()));
        assert_eq!(
            "event_lost=0.5, start_429=1".parse(),
            Ok(Mischief::none().with(Kind::EventLost, 0.5).with(Kind::Start429, 1.0))
        );
        assert_eq!("event_lost".parse::<Mischief>(), Err(MischiefError::Form("event_lost".to_owned())));
        assert!("hiccup=1".parse::<Mischief>().is_err_and(|error| error.to_string().contains("history_lag")));
        assert!(matches!("event_lost=2".parse::<Mischief>(), Err(MischiefError::Rate { .. })));
        for (name, kind) in KINDS {
            assert_eq!(format!("{name}=0.25").parse(), Ok(Mischief::none().with(kind, 0.25)));
        }
    }
}
