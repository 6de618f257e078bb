//! Lists to take away, a page at a time: none of them is ever in memory as a whole.

use super::{NewNote, Reject, Result, Store};
use crate::domain::BatchId;

/// One reply of an attempt, as an export tells it.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct TurnLatency {
    pub attempt_id: i64,
    /// Session milliseconds; none where no reply came.
    pub turn_ms: Option<i64>,
    pub method: String,
}

impl Store {
    /// Doubled and refused rows of one list, behind this line.
    pub async fn reject_page(&self, list: BatchId, behind: i64, limit: i64) -> Result<Vec<Reject>> {
        read!(self, exports::rejects(list, behind, limit))
    }

    /// Cells of accepted rows that were left out, behind this line and field.
    pub async fn note_page(&self, list: BatchId, behind: (i64, &str), limit: i64) -> Result<Vec<NewNote>> {
        read!(self, exports::notes(list, behind, limit))
    }

    /// Every reply of these attempts, by attempt and turn.
    pub async fn turn_latencies(&self, attempts: &[i64]) -> Result<Vec<TurnLatency>> {
        read!(self, exports::latencies(attempts))
    }
}
