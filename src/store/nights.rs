//! Schedules and leadership.

use super::{FireOrder, Fired, Result, Schedule, Store};
use crate::domain::{ScheduleId, Timestamp};

impl Store {
    /// Takes or keeps a leadership until `until`; the generation in which we lead, or `None`.
    pub async fn lead(&self, name: &'static str, owner: &str, now: Timestamp, until: Timestamp) -> Result<Option<i64>> {
        write!(self, setup::lead(super::LeadOrder { name, owner: owner.to_owned(), now, until }))
    }

    pub async fn schedules(&self) -> Result<Vec<Schedule>> {
        read!(self, nights::all())
    }

    pub async fn skip_firing(&self, schedule: ScheduleId, due_at: Timestamp, next_at: Option<Timestamp>) -> Result<()> {
        write!(self, nights::skip((schedule, due_at, next_at)))
    }

    pub async fn due_schedules(&self, now: Timestamp) -> Result<Vec<Schedule>> {
        read!(self, nights::due(now))
    }

    pub async fn fire(&self, order: FireOrder) -> Result<Fired> {
        write!(self, campaigns::fire(order))
    }
}
