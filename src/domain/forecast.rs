//! How long first tries take at a pace, inside the windows of the contacts' zones.
//!
//! A fluid picture: whoever may be called now shares the pace in proportion to what is left of them. It knows no retries,
//! no caps and no other campaign.

use super::Timestamp;
use chrono_tz::Tz;

const STEP_MS: i64 = 5 * 60_000;
/// Longer runs are not foretold.
const DAYS_MAX: i64 = 400;

/// Contacts of one zone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Demand {
    /// None: they are called at any hour.
    pub zone: Option<Tz>,
    pub contacts: u64,
}

/// Starts per second that a pace and open calls allow, when a call holds its line for so long on the average.
pub fn starts_per_second(cps: f64, lines: f64, held_s: f64) -> f64 {
    cps.min(lines / held_s.max(1.0))
}

/// When the last of them is called for the first time; `None` where that lies beyond a year, or some zone never opens.
///
/// `open_at` says for a zone and a moment when calls may start there: that moment itself while they may.
pub fn ends_at(
    demand: &[Demand],
    starts_per_second: f64,
    from: Timestamp,
    open_at: impl Fn(Tz, Timestamp) -> Option<Timestamp>,
) -> Option<Timestamp> {
    let mut left: Vec<(Option<Tz>, f64, Timestamp)> =
        demand.iter().filter(|d| d.contacts > 0).map(|d| (d.zone, d.contacts as f64, from)).collect();
    let (mut now, end) = (from, from.plus_ms(DAYS_MAX * 24 * 3_600_000));
    if starts_per_second <= 0.0 {
        return left.is_empty().then_some(from);
    }
    while !left.is_empty() {
        if now > end {
            return None;
        }
        for (zone, _, opens) in &mut left {
            if *opens <= now {
                *opens = zone.map_or(Some(now), |zone| open_at(zone, now))?;
            }
        }
        let open: f64 = left.iter().filter(|(_, _, opens)| *opens <= now).map(|(_, n, _)| n).sum();
        if open == 0.0 {
            now = left.iter().map(|(_, _, opens)| *opens).min()?;
            continue;
        }
        let called = (starts_per_second * STEP_MS as f64 / 1000.0).min(open);
        let took_ms = (called / starts_per_second * 1000.0).ceil() as i64;
        for (_, n, _) in left.iter_mut().filter(|(_, _, opens)| *opens <= now) {
            *n -= called * *n / open;
        }
        // What is less than a thousandth of a contact is what dividing left over.
        left.retain(|(_, n, _)| *n > 0.001);
        now = now.plus_ms(took_ms);
    }
    Some(now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::calendar::{Calendar, next_open};
    use crate::domain::window::Windows;

    /// A Monday, 12:00 in Moscow.
    const NOON: Timestamp = Timestamp(1_767_603_600_000);

    fn hours(lines: &[&str]) -> impl Fn(Tz, Timestamp) -> Option<Timestamp> {
        let calendar = Calendar { days: Windows::parse(lines).unwrap(), ..Calendar::always() };
        move |zone, at| next_open(std::iter::once(&calendar), zone, at)
    }

    fn demand(zone: Tz, contacts: u64) -> Demand {
        Demand { zone: Some(zone), contacts }
    }

    #[test]
    fn a_pace_inside_windows() {
        let moscow = chrono_tz::Europe::Moscow;
        let open = hours(&["mon-fri 09:00-20:00"]);
        let minutes =
            |demand: &[Demand], pace: f64| ends_at(demand, pace, NOON, &open).map(|at| at.since(NOON) / 60_000);
        assert_eq!(minutes(&[], 1.0), Some(0));
        assert_eq!(minutes(&[demand(moscow, 3600)], 1.0), Some(60));
        // Eight hours are left of the day: the rest waits for the next one.
        assert_eq!(minutes(&[demand(moscow, 3600 * 9)], 1.0), Some(8 * 60 + 13 * 60 + 60));
        // Vladivostok (seven hours ahead) has an hour left.
        let both = [demand(moscow, 1800), demand(chrono_tz::Asia::Vladivostok, 1800)];
        assert_eq!(minutes(&both, 1.0), Some(60));
        assert_eq!(minutes(&[Demand { zone: None, contacts: 3600 * 24 }], 1.0), Some(24 * 60), "at any hour");
        assert_eq!(minutes(&[demand(moscow, 10_000_000)], 0.1), None, "not within a year");
        assert_eq!(ends_at(&[demand(moscow, 1)], 1.0, NOON, hours(&[])), None, "never open");
    }

    #[test]
    fn lines_hold_a_pace_back() {
        assert_eq!(starts_per_second(5.0, 20.0, 60.0), 20.0 / 60.0);
        assert_eq!(starts_per_second(0.1, 20.0, 60.0), 0.1);
    }
}
