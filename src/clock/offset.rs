//! How far another clock is ahead of ours, out of many questions of which some were answered late.
//!
//! An answer that took long says little: the truth lies somewhere within half of the time it took. So the quickest
//! of the last answers counts, as in NTP. Pace over several nodes hangs on it: they agree within the half of a
//! good answer's time, not of a bad one's. What decides nothing and reads no clock.

use std::collections::VecDeque;

/// Answers that are remembered: at one a second, an age at which two good clocks have not drifted apart.
const KEPT: usize = 16;
/// Clocks drift: an old answer is believed this much beyond its own bounds. Microseconds.
const DRIFT_US: i64 = 2_000;

/// The last answers; microseconds.
#[derive(Default)]
pub struct OffsetFilter {
    kept: VecDeque<Answer>,
}

#[derive(Clone, Copy)]
struct Answer {
    offset_us: i64,
    /// How long asking took.
    round_us: i64,
}

impl OffsetFilter {
    /// Takes an answer; returns the offset that counts from now on.
    pub fn take(&mut self, offset_us: i64, round_us: i64) -> i64 {
        let fresh = Answer { offset_us, round_us: round_us.max(0) };
        // One of the clocks was set: what was known before is wrong, however quickly it was answered.
        if self
            .best()
            .is_some_and(|best| (best.offset_us - offset_us).abs() > (best.round_us + fresh.round_us) / 2 + DRIFT_US)
        {
            self.kept.clear();
        }
        if self.kept.len() == KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back(fresh);
        self.best().map_or(offset_us, |best| best.offset_us)
    }

    /// The quickest answer, of equals the newest.
    fn best(&self) -> Option<Answer> {
        self.kept.iter().rev().min_by_key(|answer| answer.round_us).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guard: `best` takes the quickest. Averaging, or believing the last, moves every slot by what one slow answer
    /// was wrong.
    #[test]
    fn a_late_answer_moves_nothing() {
        let mut filter = OffsetFilter::default();
        assert_eq!(filter.take(300_000_500, 1_000), 300_000_500);
        assert_eq!(filter.take(300_040_000, 90_000), 300_000_500);
        assert_eq!(filter.take(300_000_400, 900), 300_000_400);
    }

    /// Guard: the comparison of bounds in `take`. Without it a clock that was set is believed for sixteen seconds.
    #[test]
    fn a_clock_that_was_set_is_followed_at_once() {
        let mut filter = OffsetFilter::default();
        filter.take(0, 500);
        assert_eq!(filter.take(-300_000_000, 80_000), -300_000_000);
        assert_eq!(filter.take(-300_010_000, 700), -300_010_000);
    }

    #[test]
    fn the_quickest_answer_grows_old() {
        let mut filter = OffsetFilter::default();
        filter.take(0, 100);
        for n in 1..=KEPT as i64 {
            filter.take(n * 10, 1_000);
        }
        assert_eq!(filter.take(900, 1_000), 900);
    }
}
