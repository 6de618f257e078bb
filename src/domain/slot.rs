//! Pace: when a start may leave, exact in every rolling second.

use super::Timestamp;

/// The distance between two slots at `cps` starts per second, in microseconds.
///
/// 1.015 and the 8 ms of [`LATE_MS_MAX`] together keep every rolling second inside the limit and use
/// 98 % of it: a start leaves between its slot and slot + 8 ms, so `cps` + 1 starts span at least
/// 1.015 s − 8 ms. What is left of it is what ways to the provider may differ by, from whichever node.
pub fn spacing_us(cps: f64) -> i64 {
    (1_015_000.0 / cps.max(0.001)).ceil() as i64
}

/// Lines that a run may still take: its own, and what the account leaves.
pub fn lines_free(lines: u32, held: i64, account_lines: Option<i64>, account_held: i64) -> i64 {
    (i64::from(lines) - held).min(account_lines.map_or(i64::MAX, |max| max - account_held))
}

/// A start that would leave later than this after its slot is not sent, but planned again: a frozen
/// node cannot wake with a burst. Milliseconds of wall time.
pub const LATE_MS_MAX: i64 = 8;

/// May a start still leave? Asked at the last moment before it is sent, in microseconds.
pub fn may_leave(slot_us: i64, now_us: i64, late_us_max: i64) -> bool {
    now_us - slot_us <= late_us_max
}

/// The next free slot of a lane: never before now, never closer than the spacing to the last.
///
/// Slots are microseconds, so that 500 starts per second stay distinct.
pub fn next_slot_us(last_us: i64, now: Timestamp, cps: Option<f64>) -> i64 {
    let now_us = now.0.saturating_mul(1000);
    match cps {
        Some(cps) => now_us.max(last_us.saturating_add(spacing_us(cps))),
        None => now_us,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Whatever the waits between plans: no rolling second holds more starts than the limit, even
        /// when each leaves as late as it may or not late at all.
        #[test]
        fn no_rolling_second_is_above_the_limit(cps in 1u32..200, gaps in prop::collection::vec(0i64..400, 1..300), late in prop::collection::vec(0i64..=LATE_MS_MAX, 300)) {
            let (mut last, mut now, mut left) = (i64::MIN / 2, Timestamp(1_000_000), Vec::new());
            for (i, gap) in gaps.iter().enumerate() {
                now = now.plus_ms(*gap);
                last = next_slot_us(last, now, Some(cps as f64));
                left.push(last + late[i] * 1000);
            }
            left.sort();
            for (i, first) in left.iter().enumerate() {
                let inside = left[i..].iter().take_while(|at| *at - first < 1_000_000).count();
                prop_assert!(inside as u32 <= cps, "{inside} starts in a second at {cps}");
            }
        }
    }
}
