//! What the provider's API can answer badly, and what follows for a start.

use crate::domain::{AttemptId, Timestamp};

/// What is kept of an error message of the provider.
const MESSAGE_MAX: usize = 200;

#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The provider understood the request and refused it; errors come with HTTP 200.
    #[error("{method}: the provider says {code}: {message}")]
    Refused { method: &'static str, code: i64, message: String },
    #[error("{method}: HTTP {status}")]
    Status { method: &'static str, status: u16 },
    /// Nothing left this machine.
    #[error("{method}: no connection to the provider")]
    Unreachable {
        method: &'static str,
        #[source]
        cause: reqwest::Error,
    },
    /// The request may have arrived.
    #[error("{method}: no answer from the provider")]
    NoAnswer {
        method: &'static str,
        #[source]
        cause: reqwest::Error,
    },
    #[error("{method}: the answer has no usable `{field}`")]
    Malformed { method: &'static str, field: &'static str },
    #[error("mode `{0}` is not in modes.toml")]
    UnknownMode(String),
    #[error("application `{0}` does not exist at the provider; `halo voximplant deploy` creates it")]
    NoApplication(String),
    #[error("rule `{rule}` {trouble}; `halo voximplant deploy` puts it right")]
    Rule { rule: String, trouble: &'static str },
    #[error("custom data would take {0} bytes, the platform keeps 200: shorten BACKEND_URL")]
    CustomData(usize),
    #[error("the service account's key does not sign")]
    ServiceKey(#[source] super::ServiceKeyError),
    #[error("the HTTP client could not be built")]
    Http(#[source] reqwest::Error),
}

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Nobody was called: defer. `until` is what the provider asked for, if it said.
    #[error("provider refused to start attempt {attempt}")]
    Refused {
        attempt: AttemptId,
        until: Option<Timestamp>,
        #[source]
        cause: ApiError,
    },
    /// A session may run, but without a grant it rings nobody: wait for the grant's deadline.
    #[error("no answer to starting attempt {attempt}")]
    Unclear {
        attempt: AttemptId,
        #[source]
        cause: ApiError,
    },
    /// No call can succeed until an operator acts.
    #[error("provider account cannot place calls")]
    Account {
        #[source]
        cause: ApiError,
    },
}

/// What a failed start means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    NotTaken,
    Unclear,
    Account,
}

impl ApiError {
    pub(super) fn refused(method: &'static str, code: i64, message: &str) -> Self {
        ApiError::Refused { method, code, message: message.chars().take(MESSAGE_MAX).collect() }
    }

    pub fn code(&self) -> Option<i64> {
        match self {
            ApiError::Refused { code, .. } => Some(*code),
            _ => None,
        }
    }

    /// The rule that was named is gone or empty: its id must be looked up again.
    pub(super) fn is_about_the_rule(&self) -> bool {
        matches!(self.code(), Some(147 | 156 | 375))
    }

    /// What follows when the error came back from a request to start a session.
    pub(super) fn meaning(&self) -> Meaning {
        match self {
            ApiError::Refused { code, .. } => of_code(*code),
            ApiError::Status { status: 429, .. } | ApiError::Unreachable { .. } => Meaning::NotTaken,
            // A wrong address or a wall in front of it: every start will meet it.
            ApiError::Status { status: 400..=499, .. } => Meaning::Account,
            ApiError::Status { .. } | ApiError::NoAnswer { .. } | ApiError::Malformed { .. } => Meaning::Unclear,
            ApiError::UnknownMode(_)
            | ApiError::NoApplication(_)
            | ApiError::Rule { .. }
            | ApiError::CustomData(_)
            | ApiError::ServiceKey(_)
            | ApiError::Http(_) => Meaning::Account,
        }
    }
}

/// The provider's codes. Those that say "not now" defer; those that say "not like this" will say so
/// again, for every contact, until somebody acts; the platform's inner failures may hide a session.
fn of_code(code: i64) -> Meaning {
    match code {
        // Media servers, balancers, phone providers, call service: they did not take it.
        12 | 15..=23 => Meaning::NotTaken,
        5 => Meaning::Account,
        1..=99 => Meaning::Unclear,
        // Try later, concurrent limit, rate limit, retry after, looks like a resend, locked, just done.
        // 429 is `resource_type` by the provider's list; a start names none, so it can only mean the rate.
        162 | 314 | 340 | 416 | 429 | 484 | 512 | 514 | 515 => Meaning::NotTaken,
        _ => Meaning::Account,
    }
}
