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
