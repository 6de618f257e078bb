//! One call now.

use crate::domain::{AttemptId, Mode, RunId};
use serde_json::Value;
use utoipa::ToSchema;

/// Whom to call, and how.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CallOrder {
    /// As people write it; without a country it is read as Russian.
    #[schema(example = "+79991234567")]
    phone: String,
    #[schema(nullable = false)]
    mode: Option<Mode>,
    /// Another word for `mode`.
    #[schema(nullable = false)]
    scenario: Option<Mode>,
    /// Why: the law asks. `test` when absent.
    #[schema(nullable = false, pattern = "^(test|service|survey|debt|advertising)$")]
    purpose: Option<String>,
    /// IANA; what the number says when absent.
    #[schema(nullable = false, example = "Europe/Moscow")]
    timezone: Option<String>,
    /// `ru-RU` and its like, or `auto`.
    #[schema(nullable = false, example = "ru-RU")]
    language: Option<String>,
    /// `female`, `male`, or a provider's name of a voice.
    #[schema(nullable = false, max_length = 100)]
    voice: Option<String>,
    /// What is said: a text, one with PHASE lines, or a whole script.
    #[schema(nullable = false)]
    prompt: Option<String>,
}

#[derive(ToSchema)]
pub struct CallLinks {
    attempt: String,
    /// What happens to it, as it happens.
    events: String,
    hangup: String,
    run: String,
    /// Withdraws it while it waits.
    withdraw: String,
}

#[derive(ToSchema)]
pub struct Placed {
    attempt: AttemptId,
    run: RunId,
    state: String,
    mode: Mode,
    purpose: String,
    /// Masked.
    number: String,
    /// How the prompt was understood.
    notes: Vec<String>,
    links: CallLinks,
}

/// What replies to a turn of a conversation.
#[derive(ToSchema)]
pub struct TurnAsked {
    /// The attempt.
    call_id: AttemptId,
    /// From 1; the next one when absent. The opening has neither turn nor text.
    #[schema(nullable = true)]
    turn: Option<i64>,
    /// What the callee said.
    #[schema(max_length = 8192)]
    text: Option<String>,
    /// False is refused: only what was said to its end is answered.
    #[schema(nullable = true)]
    is_final: Option<bool>,
    /// The filler was had already.
    #[schema(nullable = false)]
    again: Option<bool>,
}

#[derive(ToSchema)]
pub struct TurnReply {
    reply_text: String,
    end_session: bool,
    goal: Option<bool>,
    #[schema(value_type = Object)]
    answers: Value,
    /// RFC 3339.
    callback_at: Option<String>,
    opt_out: bool,
    /// What of ours failed.
    #[schema(nullable = false)]
    fault: Option<String>,
    /// `reply_text` is said while the reply is made.
    #[schema(nullable = false)]
    filler: Option<bool>,
    /// Ask for the turn again, with `again`.
    #[schema(nullable = false)]
    pending: Option<bool>,
}
