//! What this process read of attempts when it claimed them, for the grant that is asked for a moment later.
//!
//! Of what is read here only that is used which a claim does not change: whose contact it is, how it is called and what
//! it is told. Whether it may be called is decided from what is read under locks.

use crate::domain::AttemptId;
use crate::store::Held;
use std::collections::HashMap;
use std::sync::Mutex;

/// Claims whose grant was not asked for yet. Those of sessions that never came are forgotten with the rest, and read
/// from the tables should they come after all.
const KEPT_MAX: usize = 10_000;

#[derive(Default)]
pub(super) struct Claimed(Mutex<HashMap<AttemptId, Held>>);

impl Claimed {
    pub fn keep(&self, held: Held) {
        let mut kept = self.0.lock().expect("no panic while holding it");
        if kept.len() >= KEPT_MAX {
            kept.clear();
        }
        kept.insert(held.attempt, held);
    }

    /// Once: whoever asks again reads what stands in the tables.
    pub fn take(&self, attempt: AttemptId) -> Option<Held> {
        self.0.lock().expect("no panic while holding it").remove(&attempt)
    }
}
