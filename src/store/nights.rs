//! Schedules and leadership.

use super::{FireOrder, Fired, Result, Schedule, SkipOrder, SkippedFiring, Store};
use crate::domain::Timestamp;

impl Store {
    /// Takes or keeps a leadership until `until`; the generation in which we lead, or `None`.
    pub async fn lead(&self, name: &'static str, owner: &str, now: Timestamp, until: Timestamp) -> Result<Option<i64>> {
        write!(self, setup::lead(super::LeadOrder { name, owner: owner.to_owned(), now, until }))
    }

    pub async fn schedules(&self) -> Result<Vec<Schedule>> {
        read!(self, nights::all())
    }

    /// This moment makes no run, and says why; nothing happens when it has fired or was skipped already.
    pub async fn skip_firing(&self, order: SkipOrder) -> Result<()> {
        write!(self, nights::skip(order))
    }

    /// Moments that made no run, the newest first.
    pub async fn skipped(&self, limit: i64) -> Result<Vec<SkippedFiring>> {
        read!(self, nights::skipped(limit))
    }

    pub async fn due_schedules(&self, now: Timestamp) -> Result<Vec<Schedule>> {
        read!(self, nights::due(now))
    }

    pub async fn fire(&self, order: FireOrder) -> Result<Fired> {
        write!(self, campaigns::fire(order))
    }
}
