//! Ids made by us: ordered by time, so that indexes grow at their end, and without a round trip.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// 2024-01-01 in unix milliseconds: 41 bits of milliseconds from here last until 2093.
const EPOCH_MS: i64 = 1_704_067_200_000;

/// Source of 63-bit ids: 41 bits of milliseconds, 22 bits that begin at random in every process and
/// millisecond, so that nodes do not meet; a meeting is refused by the primary key.
#[derive(Clone)]
pub struct Ids(Arc<AtomicI64>);

impl Ids {
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        Ids(Arc::new(AtomicI64::new(0)))
    }

    /// No id made at this moment or later is smaller.
    pub fn first_at(at_ms: i64) -> i64 {
        (at_ms - EPOCH_MS).max(0) << 22
    }

    /// `n` consecutive ids; the first is returned. `now_ms` is only a hint for their order.
    pub fn take(&self, now_ms: i64, n: usize) -> i64 {
        let begins = (now_ms - EPOCH_MS).max(0) << 22;
        // Drawn once a millisecond: drawing for every id would drive all nodes to the end of the range,
        // where they meet.
        let fresh = begins | i64::from(rand::random::<u32>() & 0x003f_ffff);
        let n = n as i64;
        let mut last = self.0.load(Ordering::Relaxed);
        loop {
            let first = if last >= begins { last + 1 } else { fresh };
            match self.0.compare_exchange_weak(last, first + n, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return first,
                Err(now) => last = now,
            }
        }
    }

    pub fn one(&self, now_ms: i64) -> i64 {
        self.take(now_ms, 1)
    }
}
