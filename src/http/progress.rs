//! How far an import is, for whoever looks at it meanwhile.

use serde::Serialize;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Counted by the import itself, read by anybody.
#[derive(Debug, Default)]
pub struct Progress {
    pub bytes: AtomicU64,
    pub rows: AtomicU64,
    /// Accepted rows that are to be stored, once all are read.
    pub accepted: AtomicU64,
    pub stored: AtomicU64,
    pub over: AtomicBool,
}

/// One moment of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Stand {
    /// `reading`, `storing`, `done`.
    pub phase: &'static str,
    pub bytes: u64,
    pub rows: u64,
    pub accepted: u64,
    pub stored: u64,
}

impl Stand {
    /// What whoever was told `last` is told next. Storing few rows takes less time than it takes to look again: it is told
    /// all the same, so that the phases come in their order.
    pub fn behind(self, last: Option<Stand>) -> Stand {
        let untold = last.is_none_or(|last| last.phase == "reading");
        if self.phase == "done" && self.accepted > 0 && untold { Stand { phase: "storing", ..self } } else { self }
    }
}

impl Progress {
    pub fn add(&self, counter: impl Fn(&Self) -> &AtomicU64, n: u64) {
        counter(self).fetch_add(n, Ordering::Relaxed);
    }

    pub fn begin_storing(&self, accepted: u64) {
        self.accepted.store(accepted, Ordering::Relaxed);
        self.stored.store(0, Ordering::Relaxed);
    }

    pub fn finish(&self) {
        self.over.store(true, Ordering::Relaxed);
    }

    pub fn stand(&self) -> Stand {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let accepted = read(&self.accepted);
        let phase = match self.over.load(Ordering::Relaxed) {
            true => "done",
            false if accepted > 0 => "storing",
            false => "reading",
        };
        Stand { phase, bytes: read(&self.bytes), rows: read(&self.rows), accepted, stored: read(&self.stored) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn storing_is_told_between_reading_and_the_end_however_short_it_was() {
        let progress = Progress::default();
        let reading = progress.stand();
        assert_eq!((reading.phase, reading.behind(None).phase), ("reading", "reading"));
        progress.begin_storing(3);
        assert_eq!(progress.stand().behind(Some(reading)).phase, "storing");
        progress.add(|p| &p.stored, 3);
        progress.finish();
        let storing = progress.stand().behind(Some(reading));
        assert_eq!((storing.phase, storing.stored), ("storing", 3));
        assert_eq!(progress.stand().behind(Some(storing)).phase, "done");
        let nothing = Progress::default();
        nothing.finish();
        assert_eq!(nothing.stand().behind(Some(reading)).phase, "done", "a list that was refused stored nothing");
    }
}
