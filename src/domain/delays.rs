//! When a next try is due: spans with their jitter, the next day, another part of the day.
//!
//! A span may be stretched by a share of itself, so that a thousand busy signals of one minute do not come
//! back in one minute. What names a moment of a day (`next-day`, `other-day-part`) is not stretched: it would
//! leave the day or the part that it names.

use super::calendar::Calendar;
use super::clearance::open_at;
use super::settings::{Delay, Settings};
use super::{RunContactId, Timestamp};
use chrono::{DateTime, Days, LocalResult, NaiveDateTime, TimeDelta, TimeZone, Timelike};
use chrono_tz::Tz;
use sha2::{Digest, Sha256};

/// A part of the day on the contact's wall. The night belongs to none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DayPart {
    /// 06:00 to 12:00.
    Morning,
    /// 12:00 to 17:00.
    Day,
    /// 17:00 to 22:00.
    Evening,
}

impl DayPart {
    /// The part that the wall clock of `zone` shows; none at night.
    pub fn at(zone: Tz, at: Timestamp) -> Option<DayPart> {
        DayPart::of_hour(at.utc()?.with_timezone(&zone).hour())
    }

    fn of_hour(hour: u32) -> Option<DayPart> {
        match hour {
            6..12 => Some(DayPart::Morning),
            12..17 => Some(DayPart::Day),
            17..22 => Some(DayPart::Evening),
            _ => None,
        }
    }
}

/// Hours at which one part ends and the next begins.
const BORDERS: [u32; 4] = [6, 12, 17, 22];
/// A window that opens in no other part within this time is waited for as for the next day.
const DAYS_MAX: i64 = 14;

/// What the calendar of the next try depends on.
#[derive(Clone, Copy)]
pub struct Where<'a> {
    pub settings: &'a Settings,
    pub policy: &'a [Calendar],
    pub zone: Tz,
    /// Windows do not hold for this number (test purpose).
    pub exempt: bool,
}

/// Between 0 and 1, the same for the same try of the same run contact, on every node.
pub fn draw(run_contact: RunContactId, tries: u32) -> f64 {
    let digest = Sha256::new()
        .chain_update("jitter:")
        .chain_update(run_contact.0.to_be_bytes())
        .chain_update(tries.to_be_bytes())
        .finalize();
    let bytes: [u8; 8] = digest[..8].try_into().expect("SHA-256 has 32 bytes");
    (u64::from_be_bytes(bytes) >> 11) as f64 / (1u64 << 53) as f64
}

/// When `delay` has passed at the earliest; windows are the caller's question. `draw` is between 0 and 1.
pub fn due(at: Where<'_>, delay: Delay, draw: f64, now: Timestamp) -> Timestamp {
    match delay {
        Delay::Ms(ms) => now.plus_ms(ms.saturating_add((ms as f64 * at.settings.retry.jitter * draw) as i64)),
        Delay::NextDay => next_day(at.zone, now),
        Delay::OtherDayPart => other_day_part(at, now).unwrap_or_else(|| next_day(at.zone, now)),
    }
}

/// The first instant after `now` at which a window is open in a part of the day that is not the one of now.
fn other_day_part(at: Where<'_>, now: Timestamp) -> Option<Timestamp> {
    let tried = DayPart::at(at.zone, now);
    let end = now.plus_s(DAYS_MAX * 24 * 3600);
    let mut from = now;
    while from <= end {
        let open = if at.exempt { from } else { open_at(at.settings, at.policy, at.zone, from)? };
        match DayPart::at(at.zone, open) {
            Some(part) if Some(part) != tried => return Some(open),
            _ => from = next_border(at.zone, open)?,
        }
    }
    None
}

/// Where the part of the day that holds `at` ends, or the night.
fn next_border(zone: Tz, at: Timestamp) -> Option<Timestamp> {
    let here: DateTime<Tz> = at.utc()?.with_timezone(&zone);
    let wall = here.naive_local();
    let today = BORDERS.iter().filter_map(|hour| wall.date().and_hms_opt(*hour, 0, 0)).find(|border| *border > wall);
    let border = match today {
        Some(border) => border,
        None => wall.date().checked_add_days(Days::new(1))?.and_hms_opt(BORDERS[0], 0, 0)?,
    };
    // A clock that is set back shows an hour twice: what lies behind is no way on.
    Some(instant(zone, border).filter(|border| *border > at).unwrap_or_else(|| at.plus_s(3600)))
}

/// The same wall time on the next calendar day; where a clock change swallowed it, the first instant after.
pub fn next_day(zone: Tz, now: Timestamp) -> Timestamp {
    let day_later = now.plus_s(24 * 3600);
    let Some(utc) = now.utc() else { return day_later };
    let Some(wall) = utc.with_timezone(&zone).naive_local().checked_add_days(Days::new(1)) else { return day_later };
    instant(zone, wall).unwrap_or(day_later)
}

/// When the wall clock shows this, the first time; where it never does, the first instant after.
fn instant(zone: Tz, wall: NaiveDateTime) -> Option<Timestamp> {
    let at = match zone.from_local_datetime(&wall) {
        LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => Some(at),
        LocalResult::None => {
            (1..=240).find_map(|m| zone.from_local_datetime(&(wall + TimeDelta::minutes(m))).earliest())
        }
    };
    at.map(|at| Timestamp(at.timestamp_millis()))
}

#[cfg(test)]
#[path = "delays_tests.rs"]
mod tests;
