//! What the provider's API can answer badly, and what follows for a start.

use super::codes::{self, Meaning};
use crate::domain::AttemptId;
use std::time::Duration;

/// What is kept of an error message of the provider.
const MESSAGE_MAX: usize = 200;

#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The provider understood the request and refused it; errors come with HTTP 200.
    #[error("{method}: the provider says {code}: {message}")]
    Refused { method: &'static str, code: i64, message: String },
    #[error("{method}: HTTP {status}")]
    Status {
        method: &'static str,
        status: u16,
        /// What the answer asked us to wait.
        wait: Option<Duration>,
    },
    /// Nothing left this machine: as many requests as the provider serves at once wait for their answers.
    #[error("{method}: {} requests wait for an answer already", super::api::IN_FLIGHT_MAX)]
    Crowded { method: &'static str },
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

impl ApiError {
    /// For counting: the provider's own code, or a word for why there was none.
    pub(super) fn word(&self) -> String {
        match self {
            ApiError::Refused { code, .. } => code.to_string(),
            ApiError::Status { status, .. } => format!("http_{status}"),
            ApiError::Crowded { .. } => "crowded".into(),
            ApiError::Unreachable { .. } => "unreachable".into(),
            ApiError::NoAnswer { .. } => "no_answer".into(),
            ApiError::Malformed { .. } => "malformed".into(),
            _ => "settings".into(),
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Nobody was called: defer, for as long as the provider said or its code asks for; without either,
    /// for longer each time.
    #[error("provider refused to start attempt {attempt}")]
    Refused {
        attempt: AttemptId,
        wait: Option<Duration>,
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

    /// The rule or the application that was named is gone or empty: ids must be looked up again.
    pub(super) fn is_about_the_rule(&self) -> bool {
        matches!(self.code(), Some(116 | 147 | 156 | 375 | 558))
    }

    /// What follows when the error came back from a request to start a session.
    pub(super) fn meaning(&self) -> Meaning {
        match self {
            ApiError::Refused { code, .. } => codes::meaning(*code),
            ApiError::Status { status: 429, .. } | ApiError::Unreachable { .. } | ApiError::Crowded { .. } => {
                Meaning::NotTaken
            }
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

    /// How long to wait before the next request, if that is known.
    pub(super) fn wait(&self) -> Option<Duration> {
        match self {
            ApiError::Refused { code, message, .. } => codes::wait(*code, message),
            ApiError::Status { wait, .. } => *wait,
            _ => None,
        }
    }

    /// The provider takes less than we send: the account slows down.
    pub fn asks_for_less(&self) -> bool {
        match self {
            ApiError::Refused { code, .. } => codes::asks_for_less(*code),
            ApiError::Status { status, .. } => *status == 429,
            _ => false,
        }
    }

    /// The error and what an operator does about it, in one sentence.
    pub fn told(&self) -> String {
        let cure = match self {
            ApiError::Refused { code, .. } => codes::cure(*code),
            ApiError::Status { status: 400..=499, .. } => {
                "VOXIMPLANT_API_URL is not the API, or something stands in front of it"
            }
            ApiError::Unreachable { .. } | ApiError::NoAnswer { .. } => {
                "check VOXIMPLANT_API_URL, this machine's network and its firewall"
            }
            // These name their cure themselves, or have none.
            _ => return self.to_string(),
        };
        format!("{self}; {cure}")
    }
}
