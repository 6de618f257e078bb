//! Our side of conversations: each turn's answer, and how it was come by.

use super::{Result, Store};
use crate::domain::{AttemptId, Timestamp};

/// Who answered a turn, and what it took. Texts in `tools` and `verdict` are JSON.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Made {
    /// The model's name, or `rules`.
    pub replier: String,
    /// Requests to the model; none where the rules answered.
    pub requests: i64,
    /// Real milliseconds until its first piece and its end.
    pub first_ms: Option<i64>,
    pub model_ms: Option<i64>,
    /// `cached` of `tokens_in`.
    pub tokens_in: Option<i64>,
    pub tokens_cached: Option<i64>,
    pub tokens_out: Option<i64>,
    pub cost_micros: Option<i64>,
    pub tools: Option<String>,
    pub verdict: Option<String>,
    /// What went wrong, in words, whether or not an answer came in the end.
    pub trouble: Option<String>,
    /// `replier`: the call was ended because of it.
    pub fault: Option<String>,
}

pub struct DialogueTurn {
    pub attempt: AttemptId,
    pub turn: i64,
    pub text: String,
    pub reply: String,
    pub record: String,
    pub at: Timestamp,
    pub made: Made,
}

impl DialogueTurn {
    /// A model was paid for it.
    pub(super) fn costs(&self) -> bool {
        self.made.cost_micros.is_some()
    }
}

/// Where a conversation stands when a turn is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stand {
    /// The answer to this very turn.
    pub reply: Option<String>,
    /// The last turn before it, and the record after that.
    pub last: Option<i64>,
    pub record: Option<String>,
}

/// A turn as it was answered.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct Talked {
    pub attempt_id: i64,
    pub turn: i64,
    pub text: String,
    pub reply: String,
    pub at: i64,
    pub replier: Option<String>,
    pub requests: i64,
    pub first_ms: Option<i64>,
    pub model_ms: Option<i64>,
    pub tokens_in: Option<i64>,
    pub tokens_cached: Option<i64>,
    pub tokens_out: Option<i64>,
    pub cost_micros: Option<i64>,
    pub tools: Option<String>,
    pub verdict: Option<String>,
    pub trouble: Option<String>,
    pub fault: Option<String>,
}

impl Store {
    pub async fn dialogue(&self, attempt: AttemptId, turn: i64) -> Result<Stand> {
        read!(self, dialogue::stand(attempt, turn))
    }

    /// Every turn of these attempts, by attempt and turn.
    pub async fn talked(&self, attempts: &[i64]) -> Result<Vec<Talked>> {
        read!(self, dialogue::talked(attempts))
    }

    /// Stores the answer to a turn, unless one stands: then that is returned.
    pub async fn put_dialogue(&self, turn: DialogueTurn) -> Result<Option<String>> {
        self.turn().await;
        self.writer.reply(turn).await
    }
}
