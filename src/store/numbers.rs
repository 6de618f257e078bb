//! Numbers over all campaigns: their history, for the rooms above.

use super::{Result, Store};
use crate::domain::caps::{HISTORY_MS, Rang};
use crate::domain::{PhoneNumber, Timestamp};

impl Store {
    /// Calls to a number that caps and gaps count, the oldest first.
    pub async fn history(&self, number: &PhoneNumber, now: Timestamp) -> Result<Vec<Rang>> {
        read!(self, caps::of_number(number, now.plus_ms(-HISTORY_MS)))
    }
}
