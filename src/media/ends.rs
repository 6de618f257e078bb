//! How a stream of audio ended, and what it carried.

use super::words::Tokens;

/// How a stream ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// The scenario closed it: the call is over.
    Call,
    /// The platform's connection broke.
    CallLost,
    /// The platform said what cannot be understood.
    CallNonsense(String),
    /// Nothing came for a long time.
    Idle,
    /// The model could not be reached, or did not take the key.
    ModelRefused(String),
    /// The model closed the connection, and said so.
    ModelClosed(String),
    /// The model's connection broke.
    ModelLost,
    /// The model's session or its responses failed.
    ModelFailed(String),
    /// This program ends.
    Stopping,
}

impl End {
    pub fn as_str(&self) -> &'static str {
        match self {
            End::Call => "call",
            End::CallLost => "call_lost",
            End::CallNonsense(_) => "call_nonsense",
            End::Idle => "idle",
            End::ModelRefused(_) => "model_refused",
            End::ModelClosed(_) => "model_closed",
            End::ModelLost => "model_lost",
            End::ModelFailed(_) => "model_failed",
            End::Stopping => "stopping",
        }
    }

    pub fn reason(&self) -> &str {
        match self {
            End::CallNonsense(why) | End::ModelRefused(why) | End::ModelClosed(why) | End::ModelFailed(why) => why,
            End::Call | End::CallLost | End::Idle | End::ModelLost | End::Stopping => "",
        }
    }

    /// Is the scenario still there, to be told?
    pub(super) fn is_ours(&self) -> bool {
        !matches!(self, End::Call | End::CallLost | End::CallNonsense(_) | End::Idle)
    }
}

/// A tool that the model called.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct ToolCall {
    /// Milliseconds since the stream was opened.
    pub at_ms: u64,
    pub name: String,
    /// JSON as the model wrote it, cut when it is too long.
    pub arguments: String,
    pub result: &'static str,
}

/// What a stream carried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Tally {
    /// Audio of the callee, in milliseconds.
    pub heard_ms: u64,
    /// Packets of it that never came, and those that came too late.
    pub lost: u64,
    pub late: u64,
    /// Audio of the callee that the model did not take in time.
    pub dropped_ms: u64,
    /// Audio of the model that was sent, and how much of it was cut before it was heard.
    pub said_ms: u64,
    pub cut_ms: u64,
    pub ahead_ms_max: u64,
    pub responses: u32,
    pub interruptions: u32,
    /// Until the model could be spoken to.
    pub ready_ms: Option<u64>,
    pub tokens: Tokens,
}
