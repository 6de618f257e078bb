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

/// Wall times looked at for one firing: those of a doubled hour, minute by minute, with room to spare.
const WALLS_MAX: usize = 1000;

/// The longest gap: a date that a zone leaves out, when it crosses the date line.
const GAP_MIN_MAX: i64 = 24 * 60;

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
    /// The first firing after `after`, by the wall clock of `zone`.
    ///
    /// A wall time that a clock change skips fires at the first instant after the gap; several of them, and
    /// one that names that instant itself, fire there once. A wall time that comes twice fires once, the
    /// first time: `*/15 * * * *` is silent during the second pass of a doubled hour.
    ///
    /// `None` when there is no such date, as the 30th of February.
    pub fn next(&self, zone: Tz, after: Timestamp) -> Option<Timestamp> {
        let after = after.utc()?;
        // The crate iterates in UTC over wall times (in a zone it skips the spring gap and doubles the
        // autumn hour). What the wall shows at `after` is behind every firing that is still to come.
        let wall = Utc.from_utc_datetime(&after.with_timezone(&zone).naive_local());
        self.0
            .after(&(wall - TimeDelta::seconds(1)))
            .take(WALLS_MAX)
            .filter_map(|w| match zone.from_local_datetime(&w.naive_utc()) {
                LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => Some(at),
                LocalResult::None => (1..=GAP_MIN_MAX)
                    .find_map(|m| zone.from_local_datetime(&(w.naive_utc() + TimeDelta::minutes(m))).earliest()),
            })
            .map(|at| at.with_timezone(&Utc))
            .find(|at| *at > after)
            .map(Timestamp::from)
    }
}

#[cfg(test)]
#[path = "schedule_tests.rs"]
mod tests;
