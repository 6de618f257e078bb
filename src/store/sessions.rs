//! Sessions and their histories.

use super::{AskLater, HistoryRow, KnownHistory, Result, SessionToAsk, Store};
use crate::domain::{AttemptId, RunId, Timestamp};

/// Sessions that a sweep asks about at once.
const ASK_MAX: i64 = 500;

impl Store {
    /// Sessions whose history is due, longest due first.
    pub async fn sessions_to_ask(&self, account: i64, now: Timestamp) -> Result<Vec<SessionToAsk>> {
        read!(self, sessions::to_ask(account, now, ASK_MAX))
    }

    /// How many sessions of a run the provider still has to tell of.
    pub async fn sessions_left(&self, run: RunId) -> Result<i64> {
        read!(self, sessions::left(run))
    }

    pub async fn ask_later(&self, sessions: Vec<AskLater>) -> Result<()> {
        write!(self, sessions::ask_later(sessions))
    }

    /// Stored together; none of these sessions is asked about again.
    pub async fn put_history(&self, rows: Vec<HistoryRow>) -> Result<()> {
        write!(self, sessions::put_history(rows))
    }

    /// What history knows of the attempt's granted session.
    pub async fn known_history(&self, attempt: AttemptId) -> Result<Option<KnownHistory>> {
        read!(self, sessions::known(attempt))
    }

    /// The session itself told that it records.
    pub async fn was_recorded(&self, attempt: AttemptId) -> Result<bool> {
        read!(self, sessions::was_recorded(attempt))
    }
}
