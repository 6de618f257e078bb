//! What collectors of metrics ask the tables.

use super::{Result, Store, migrate};
use crate::domain::Timestamp;
use std::time::Duration;

/// The account at one moment; each pair is a word and how many.
#[derive(Clone, Debug, Default)]
pub struct Now {
    pub runs: Vec<(String, i64)>,
    /// Contacts that wait, by gate.
    pub held: Vec<(String, i64)>,
    /// Contacts whose turn has come.
    pub due: i64,
    /// Since when the first of them waits.
    pub due_since: Option<Timestamp>,
    /// Attempts by state: planned (they have a slot), dialing, live.
    pub in_flight: Vec<(String, i64)>,
    pub breakers: Vec<(String, i64)>,
    pub notices: Vec<(String, i64)>,
    pub alerts: Vec<(String, i64)>,
}

/// A writer that has not had a turn within this is not ready for a call (real time).
const WRITER_WITHIN: Duration = Duration::from_secs(2);

impl Store {
    /// Why nothing should be asked of this process now: its storage failed, its writer does not come to its turn, or its
    /// tables are not those of this version. `None`: it is ready.
    pub async fn unready(&self) -> Result<Option<String>> {
        if self.is_broken() {
            return Ok(Some("the storage failed, and nothing can be kept".into()));
        }
        let asking = async { write!(self, operate::migrations(())) };
        let Ok(applied) = tokio::time::timeout(WRITER_WITHIN, asking).await else {
            return Ok(Some(format!("the writer had no turn within {} s", WRITER_WITHIN.as_secs())));
        };
        Ok(migrate::fit(&applied?).err().map(|why| format!("the tables do not fit: {why}")))
    }

    pub async fn operation(&self, account: i64, now: Timestamp) -> Result<Now> {
        read!(self, operate::now(account, now))
    }
}
