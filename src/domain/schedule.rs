//! The next firing of a schedule, proof against clock changes.

use super::Timestamp;
use chrono::{LocalResult, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use std::str::FromStr;

#[derive(Debug, thiserror::Error)]
pub enum CronError {
    #[error("cron `{0}` has {1} fields; five are expected: minute hour day month weekday")]
    Fields(String, usize),
    #[error("cron `{0}`: {1}")]
    Syntax(String, String),
}

/// A checked five-field expression.
#[derive(Clone, Debug)]
pub struct Cron(cron::Schedule);

impl FromStr for Cron {
    type Err = CronError;
    fn from_str(text: &str) -> Result<Self, CronError> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        if fields.len() != 5 {
            return Err(CronError::Fields(text.to_owned(), fields.len()));
        }
        let days = unix_weekdays(fields[4])
            .ok_or_else(|| CronError::Syntax(text.to_owned(), "weekday is not 0 to 7 or a name".into()))?;
        // Unix joins the two day fields by "or", the crate by "and": neither is meant by accident.
        if fields[2] != "*" && fields[4] != "*" {
            let why = "day of month and weekday cannot both be set".to_owned();
            return Err(CronError::Syntax(text.to_owned(), why));
        }
        let six = format!("0 {} {} {} {} {}", fields[0], fields[1], fields[2], fields[3], days);
        let schedule = cron::Schedule::from_str(&six).map_err(|e| CronError::Syntax(text.to_owned(), e.to_string()))?;
        Ok(Cron(schedule))
    }
}

/// The `cron` crate counts 1 = Sunday; Unix counts 0 and 7 = Sunday. Names mean the same to both.
fn unix_weekdays(field: &str) -> Option<String> {
    const NAMES: [&str; 8] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"];
    let mut out = Vec::new();
    for item in field.split(',') {
        let (range, step) = item.split_once('/').map_or((item, None), |(r, s)| (r, Some(s)));
        if range == "*" || range.chars().all(|c| c.is_ascii_alphabetic() || c == '-') {
            out.push(item.to_owned());
            continue;
        }
        let (from, to) = range.split_once('-').map_or((range, range), |(a, b)| (a, b));
        let (from, to): (usize, usize) = (from.parse().ok()?, to.parse().ok()?);
        let step: usize = step.map_or(Some(1), |s| s.parse().ok().filter(|s| *s > 0))?;
        if from > to || to > 7 {
            return None;
        }
        out.extend((from..=to).step_by(step).map(|day| NAMES[day].to_owned()));
    }
    Some(out.join(","))
}

impl Cron {
    /// The first firing after `after`. A wall time that a clock change skips fires at the first instant
    /// after the gap; one that happens twice fires once, the first time.
    pub fn next(&self, zone: Tz, after: Timestamp) -> Option<Timestamp> {
        let after = after.utc()?;
        // The crate iterates in UTC over wall times (in a zone it skips the spring gap and doubles the
        // autumn hour); starting three hours early covers every shift.
        let wall = Utc.from_utc_datetime(&(after.with_timezone(&zone).naive_local() - TimeDelta::hours(3)));
        self.0
            .after(&wall)
            .take(100_000)
            .filter_map(|w| match zone.from_local_datetime(&w.naive_utc()) {
                LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => Some(at),
                LocalResult::None => (1..=240)
                    .find_map(|m| zone.from_local_datetime(&(w.naive_utc() + TimeDelta::minutes(m))).earliest()),
            })
            .map(|at| at.with_timezone(&Utc))
            .find(|at| *at > after)
            .map(Timestamp::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(cron: &str, zone: Tz, after: &str) -> String {
        let after = Timestamp::from(after.parse::<chrono::DateTime<Utc>>().unwrap());
        cron.parse::<Cron>().unwrap().next(zone, after).unwrap().to_string()
    }

    #[test]
    fn clock_changes_neither_skip_nor_double() {
        use chrono_tz::{America::New_York, Europe::Moscow};
        for (cron, zone, after, at) in [
            ("30 2 * * *", New_York, "2027-03-14T05:00:00Z", "2027-03-14T07:00:00.000Z"),
            ("30 1 * * *", New_York, "2026-11-01T04:00:00Z", "2026-11-01T05:30:00.000Z"),
            ("30 1 * * *", New_York, "2026-11-01T05:30:00Z", "2026-11-02T06:30:00.000Z"),
            ("0 2 * * *", Moscow, "2026-11-21T12:00:00Z", "2026-11-21T23:00:00.000Z"),
            ("0 2 * * 1", Moscow, "2026-11-21T12:00:00Z", "2026-11-22T23:00:00.000Z"),
            ("0 2 * * 7", Moscow, "2026-11-23T12:00:00Z", "2026-11-28T23:00:00.000Z"),
            ("0 2 * * 1-5", Moscow, "2026-11-27T12:00:00Z", "2026-11-29T23:00:00.000Z"),
        ] {
            assert_eq!(next(cron, zone, after), at, "{cron} {zone} after {after}");
        }
    }

    #[test]
    fn six_fields_and_rubbish_are_refused() {
        for text in ["0 0 2 * * *", "", "a b c d e", "0 2 * * 8", "61 2 * * *"] {
            assert!(text.parse::<Cron>().is_err(), "{text}");
        }
    }
}
