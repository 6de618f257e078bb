//! Before and after which moment a row may be called, by the clock of its own contact.

use super::values::date;
use crate::domain::Timestamp;
use chrono::{DateTime, NaiveDateTime, NaiveTime, TimeDelta, TimeZone};
use chrono_tz::Tz;

const CURE: &str =
    "not a date, as in 2026-05-01 or 01.05.2026, with a time, as in 2026-05-01 14:00, or an instant with its zone";

/// Nobody waits longer for a switched clock.
const SKIPPED_HOURS_MAX: i64 = 25;

/// A date alone is its first moment.
pub fn from(text: &str, zone: Tz) -> Result<Timestamp, String> {
    read(text, zone, TimeDelta::zero())
}

/// A date alone is whole: its end is the next day's first moment.
pub fn until(text: &str, zone: Tz) -> Result<Timestamp, String> {
    read(text, zone, TimeDelta::days(1))
}

fn read(text: &str, zone: Tz, whole_day: TimeDelta) -> Result<Timestamp, String> {
    if let Ok(instant) = DateTime::parse_from_rfc3339(text) {
        return Ok(instant.to_utc().into());
    }
    let wall = match date(text) {
        Some(day) => day.and_time(NaiveTime::MIN).checked_add_signed(whole_day),
        None => ["%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%d.%m.%Y %H:%M"]
            .into_iter()
            .find_map(|shape| NaiveDateTime::parse_from_str(text, shape).ok()),
    };
    wall.and_then(|wall| first_moment(wall, zone)).ok_or_else(|| CURE.to_owned())
}

/// A time that the clock skips is the moment at which it has passed.
fn first_moment(wall: NaiveDateTime, zone: Tz) -> Option<Timestamp> {
    let hours = 0..=SKIPPED_HOURS_MAX * 4;
    let mut tried = hours.filter_map(|quarter| wall.checked_add_signed(TimeDelta::minutes(15 * quarter)));
    tried.find_map(|wall| zone.from_local_datetime(&wall).earliest()).map(|at| at.to_utc().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utc(text: &str) -> Timestamp {
        DateTime::parse_from_rfc3339(text).unwrap().to_utc().into()
    }

    #[test]
    fn times_are_the_contacts_own() {
        let moscow = chrono_tz::Europe::Moscow;
        for (text, start, end) in [
            ("2026-05-01", "2026-04-30T21:00:00Z", "2026-05-01T21:00:00Z"),
            ("01.05.2026", "2026-04-30T21:00:00Z", "2026-05-01T21:00:00Z"),
            ("2026-05-01 14:00", "2026-05-01T11:00:00Z", "2026-05-01T11:00:00Z"),
            ("01.05.2026 14:00", "2026-05-01T11:00:00Z", "2026-05-01T11:00:00Z"),
            ("2026-05-01T14:00:00+05:00", "2026-05-01T09:00:00Z", "2026-05-01T09:00:00Z"),
        ] {
            assert_eq!((from(text, moscow), until(text, moscow)), (Ok(utc(start)), Ok(utc(end))), "{text}");
        }
        // 2026-03-29 02:30 does not exist in Berlin
        assert_eq!(from("2026-03-29 02:30", chrono_tz::Europe::Berlin), Ok(utc("2026-03-29T01:00:00Z")));
        for text in ["tomorrow", "05/01/2026", "2026-13-01", "01.05.26"] {
            assert!(from(text, moscow).unwrap_err().starts_with("not a date"), "{text}");
        }
    }
}
