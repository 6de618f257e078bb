//! What is known of the newest calls, in memory.

use crate::domain::AttemptId;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Calls of one generation; the last two are kept. More than may be open at once.
const GENERATION_MAX: usize = 20_000;

/// Something of each of the newest calls. What is not here is asked for elsewhere: nothing hangs on its being kept.
pub(super) struct Recent<T>(Mutex<Generations<T>>);

struct Generations<T> {
    young: HashMap<AttemptId, T>,
    old: HashMap<AttemptId, T>,
}

impl<T> Default for Recent<T> {
    fn default() -> Self {
        Recent(Mutex::new(Generations { young: HashMap::new(), old: HashMap::new() }))
    }
}

impl<T> Recent<T> {
    fn open(&self) -> MutexGuard<'_, Generations<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn put(&self, attempt: AttemptId, what: T) {
        let mut known = self.open();
        if known.young.len() >= GENERATION_MAX {
            known.old = std::mem::take(&mut known.young);
        }
        known.young.insert(attempt, what);
    }

    /// What `take` takes of the newest that is known.
    pub fn get<R>(&self, attempt: AttemptId, take: impl FnOnce(&T) -> Option<R>) -> Option<R> {
        let known = self.open();
        known.young.get(&attempt).or_else(|| known.old.get(&attempt)).and_then(take)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_is_known_and_two_generations_are_kept() {
        let recent = Recent::default();
        let all = |attempt: i64| recent.get(AttemptId(attempt), |what: &i64| Some(*what));
        recent.put(AttemptId(1), 1);
        recent.put(AttemptId(1), 2);
        assert_eq!((all(1), all(2)), (Some(2), None));
        let generation = |from: i64| (from..from + GENERATION_MAX as i64).for_each(|n| recent.put(AttemptId(n), n));
        generation(2);
        recent.put(AttemptId(1), 3);
        assert_eq!(all(1), Some(3), "the young generation is asked first");
        generation(1_000_000);
        generation(2_000_000);
        assert_eq!(all(2), None, "the oldest are forgotten");
        assert_eq!(all(2_000_000), Some(2_000_000));
    }
}
