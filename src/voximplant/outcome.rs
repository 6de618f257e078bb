//! The provider's codes as outcomes: one table for events and history alike.

use crate::domain::Outcome;

/// Why a session of ours hung up before the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// Its ring timer, or another cap on time.
    RingTimer,
    /// An operator's order to hang up.
    Order,
    /// Something of ours broke while it rang.
    Fault,
}

/// A code of a call that nobody answered. The raw code is kept beside.
///
/// 480 and 408 stay apart (switched off, not picked up). 487 means that the session itself hung up before
/// the answer, and then its cause decides; so it does where the platform gave no code (0). A session that
/// gives neither code nor cause could not place its call.
pub(super) fn of_code(code: i64, cause: Option<Cause>) -> Outcome {
    match code {
        0 | 487 if cause == Some(Cause::RingTimer) => Outcome::NoAnswer,
        0 | 487 if cause == Some(Cause::Order) => Outcome::Cancelled,
        0 | 487 if cause == Some(Cause::Fault) => Outcome::ScenarioError,
        0 => Outcome::ScenarioError,
        486 | 600 => Outcome::Busy,
        480 | 430 => Outcome::Unavailable,
        408 => Outcome::NoAnswer,
        487 => Outcome::Cancelled,
        404 => Outcome::InvalidNumber,
        603 => Outcome::Rejected,
        402 => Outcome::NoFunds,
        403 => Outcome::Prohibited,
        _ => Outcome::NetworkError,
    }
}

/// The reason texts of the starting material's scenario, which knew few codes.
pub(super) fn of_text(reason: &str) -> Option<Outcome> {
    let reason = reason.trim().to_ascii_lowercase();
    match reason.as_str() {
        "busy" => Some(Outcome::Busy),
        "no answer" | "no_answer" => Some(Outcome::NoAnswer),
        "answering machine detected" => Some(Outcome::Machine),
        other if other == "error" || other.starts_with("error:") => Some(Outcome::NetworkError),
        _ => None,
    }
}
