//! What a provider's ledger says of a pace.

use std::time::Duration;

const SECOND_US: i64 = 1_000_000;

/// When each start arrived, in microseconds of the receiver's clock.
pub struct Arrivals(Vec<i64>);

impl Arrivals {
    pub fn of(mut at_us: Vec<i64>) -> Self {
        at_us.sort_unstable();
        Arrivals(at_us)
    }

    /// The most starts in any second that begins with a start.
    pub fn busiest_second(&self) -> usize {
        let (mut most, mut first) = (0, 0);
        for (n, at) in self.0.iter().enumerate() {
            while at - self.0[first] >= SECOND_US {
                first += 1;
            }
            most = most.max(n + 1 - first);
        }
        most
    }

    /// The share of the limit that was used within so long after the first start. That start itself is left out:
    /// what is counted lies behind a whole spacing each.
    pub fn used(&self, cps: f64, within: Duration) -> f64 {
        let Some(first) = self.0.first() else { return 0.0 };
        let end = first + within.as_micros() as i64;
        let inside: Vec<i64> = self.0.iter().copied().filter(|at| *at <= end).collect();
        // Up to the last start inside, so that a slow pace is not judged by where its last spacing was cut off.
        let passed_s = inside.last().map_or(0, |last| last - first) as f64 / SECOND_US as f64;
        // But who stops early has not used the rest.
        let full_s = within.as_secs_f64() - 2.0 / cps;
        (inside.len() as f64 - 1.0) / (cps * passed_s.max(full_s))
    }
}
