//! When people may be called: windows of the week, holidays, a first and a last day, held against the
//! clock on the contact's wall.
//!
//! A calendar speaks of what that clock shows, date and minute, and of nothing else. So changes to and
//! from summer time need no rule of their own:
//!
//! - an hour that the clock skips is never inside; a slot that begins in it opens at the first instant
//!   after the gap, and one that lies in it altogether does not open on that day;
//! - an hour that the clock shows twice is inside twice, and so may open twice: a slot that ends within
//!   it closes, and opens again when the clock is set back;
//! - a date that a zone leaves out (Samoa, 30 December 2011) has no slots.
//!
//! A date decides for itself, from midnight to midnight: a holiday closes its own date and no more, so
//! that of `fri 22:00-02:00` a holiday on Saturday takes the two hours after midnight, and a holiday on
//! Friday leaves them.
//!
//! Nothing here reads a clock: the instant is an argument.

use super::Timestamp;
use super::window::{DAY_MIN, NotAWindow, Windows, hours_of, merged, wall};
use chrono::{Datelike, NaiveDate, Offset, TimeDelta, TimeZone};
use chrono_tz::Tz;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = DAY_MIN as i64 * MINUTE_MS;

/// Clock changes of a zone lie further apart than this, so that two offsets at its ends tell whether there
/// was one (the nearest two of 2024 to 2030 are a month apart, in Morocco).
const PROBE_MS: i64 = DAY_MS / 2;

/// How far ahead of the first possible day an opening is looked for: every date of a year comes by, a
/// yearly holiday with hours of its own among them. What opens later counts as never.
pub const HORIZON_DAYS: i64 = 400;

/// A working life of public holidays; more is a mistake or an attack.
pub const HOLIDAYS_MAX: usize = 1000;

/// A calendar: what a campaign allows itself, or one rule of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calendar {
    pub days: Windows,
    /// Their hours hold instead of the week's.
    pub holidays: Holidays,
    /// The first day with calls.
    pub from: Option<NaiveDate>,
    /// The last day with calls.
    pub until: Option<NaiveDate>,
}

/// Hours of holidays: half open minutes of the day, sorted, apart. None: no calls.
pub type Holidays = BTreeMap<Holiday, Vec<(u32, u32)>>;

/// A date, or the same date of every year; a date that is named itself wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Holiday {
    Once(NaiveDate),
    Yearly { month: u32, day: u32 },
}

/// A line that is no holiday. Says what was found and how to write it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAHoliday {
    #[error("`{0}` is not a date: write 2027-01-07, or 01-07 for every year, and hours behind it if there are any")]
    Date(String),
    #[error("{0}")]
    Hours(#[from] NotAWindow),
    #[error("`{0}` runs over midnight: a holiday is one date; write the rest under the next one")]
    Midnight(String),
    #[error("`{0}` stands twice: keep one line for a date")]
    Twice(String),
}

impl From<Windows> for Calendar {
    fn from(days: Windows) -> Self {
        Calendar { days, holidays: BTreeMap::new(), from: None, until: None }
    }
}

impl Calendar {
    pub fn always() -> Self {
        Windows::always().into()
    }

    /// Minutes of this date at which calls may start.
    fn hours(&self, date: NaiveDate) -> Vec<(u32, u32)> {
        if self.from.is_some_and(|from| date < from) || self.until.is_some_and(|until| until < date) {
            return Vec::new();
        }
        let yearly = Holiday::Yearly { month: date.month(), day: date.day() };
        match self.holidays.get(&Holiday::Once(date)).or_else(|| self.holidays.get(&yearly)) {
            Some(hours) => hours.clone(),
            None => self.days.on(date.weekday()),
        }
    }
}

/// Lines like `2027-01-01` (no calls), `01-07` (every year) or `2027-03-08 10:00-14:00` (these hours
/// instead of the week's). All faults at once.
pub fn holidays<S: AsRef<str>>(lines: &[S]) -> Result<Holidays, Vec<NotAHoliday>> {
    let (mut holidays, mut faults) = (BTreeMap::new(), Vec::new());
    for line in lines {
        match holiday(line.as_ref()) {
            Ok((date, _)) if holidays.contains_key(&date) => faults.push(NotAHoliday::Twice(date.to_string())),
            Ok((date, hours)) => drop(holidays.insert(date, hours)),
            Err(fault) => faults.push(fault),
        }
    }
    if faults.is_empty() { Ok(holidays) } else { Err(faults) }
}

/// The same holidays as lines that [`holidays`] reads back.
pub fn holiday_lines(holidays: &Holidays) -> Vec<String> {
    let line = |(date, hours): (&Holiday, &Vec<(u32, u32)>)| {
        let hours: Vec<String> = hours.iter().map(|&(from, to)| format!("{}-{}", wall(from), wall(to))).collect();
        if hours.is_empty() { date.to_string() } else { format!("{date} {}", hours.join(", ")) }
    };
    holidays.iter().map(line).collect()
}

fn holiday(line: &str) -> Result<(Holiday, Vec<(u32, u32)>), NotAHoliday> {
    let (date, hours) = line.trim().split_once(char::is_whitespace).unwrap_or((line.trim(), ""));
    let date: Holiday = date.parse()?;
    if hours.is_empty() {
        return Ok((date, Vec::new()));
    }
    let hours = hours_of(&hours.replace(['–', '—'], "-"))?;
    match hours.iter().find(|(_, to)| *to > DAY_MIN) {
        Some(_) => Err(NotAHoliday::Midnight(super::window::cut(line.trim()))),
        None => Ok((date, merged(hours))),
    }
}

impl FromStr for Holiday {
    type Err = NotAHoliday;
    fn from_str(text: &str) -> Result<Self, NotAHoliday> {
        let fault = || NotAHoliday::Date(super::window::cut(text));
        if let Some(date) = date(text) {
            return Ok(Holiday::Once(date));
        }
        // Held against a leap year, so that the 29th of February can be a holiday.
        let yearly = date(&format!("2024-{text}")).ok_or_else(fault)?;
        Ok(Holiday::Yearly { month: yearly.month(), day: yearly.day() })
    }
}

impl fmt::Display for Holiday {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Holiday::Once(date) => write!(f, "{date}"),
            Holiday::Yearly { month, day } => write!(f, "{month:02}-{day:02}"),
        }
    }
}

/// `2027-01-07`, exactly so.
pub fn date(text: &str) -> Option<NaiveDate> {
    let shape = text.len() == 10 && text.bytes().enumerate().all(|(n, b)| b.is_ascii_digit() != matches!(n, 4 | 7));
    shape.then(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()).flatten()
}

/// Do all calendars let a call start at this instant, by the wall clock of `zone`?
pub fn is_open<'a>(mut all: impl Iterator<Item = &'a Calendar>, zone: Tz, at: Timestamp) -> bool {
    let Some((date, minute)) = offset_ms(zone, at).and_then(|offset| wall_clock(at, offset)) else { return false };
    let minute = (minute / MINUTE_MS) as u32;
    all.all(|calendar| calendar.hours(date).iter().any(|&(from, to)| (from..to).contains(&minute)))
}

/// The first instant at or after `from` at which all calendars are open, or `None` when there is none
/// within [`HORIZON_DAYS`] of the day on which the last of them begins.
pub fn next_open<'a>(all: impl Iterator<Item = &'a Calendar> + Clone, zone: Tz, from: Timestamp) -> Option<Timestamp> {
    let first = all.clone().filter_map(|calendar| calendar.from).max();
    let last = all.clone().filter_map(|calendar| calendar.until).min();
    let mut at = first.map_or(from, |first| from.max(before(first)));
    let end = at.plus_ms(HORIZON_DAYS * DAY_MS);
    while at <= end {
        let offset = offset_ms(zone, at)?;
        let (date, wall_ms) = wall_clock(at, offset)?;
        // A clock that is set back over midnight shows a date again: one day of grace.
        if last.is_some_and(|last| last < date.pred_opt().unwrap_or(date)) {
            return None;
        }
        let hours = all.clone().map(|calendar| calendar.hours(date)).reduce(|a, b| common(&a, &b));
        let slot = |&(from, to): &(u32, u32)| (i64::from(from) * MINUTE_MS, i64::from(to) * MINUTE_MS);
        let next = hours.unwrap_or_else(|| vec![(0, DAY_MIN)]).iter().map(slot).find(|&(_, to)| wall_ms < to);
        let wait_ms = match next {
            Some((from, _)) if from <= wall_ms => return Some(at),
            Some((from, _)) => from - wall_ms,
            None => DAY_MS - wall_ms,
        };
        // After a change the wall shows something else: look again from there.
        let undisturbed = at.plus_ms(wait_ms);
        at = change(zone, at, undisturbed, offset)?.unwrap_or(undisturbed);
    }
    None
}

/// What lies inside both.
fn common(a: &[(u32, u32)], b: &[(u32, u32)]) -> Vec<(u32, u32)> {
    let pairs = a.iter().flat_map(|x| b.iter().map(move |y| (x.0.max(y.0), x.1.min(y.1))));
    merged(pairs.filter(|(from, to)| from < to).collect())
}

/// An instant at which no wall on earth shows this date yet: no zone is a whole day ahead of UTC.
fn before(date: NaiveDate) -> Timestamp {
    let midnight = date.and_time(chrono::NaiveTime::MIN).and_utc();
    Timestamp(midnight.timestamp_millis()).plus_ms(-DAY_MS)
}

/// What the zone adds to UTC at an instant; `None` outside the calendar.
fn offset_ms(zone: Tz, at: Timestamp) -> Option<i64> {
    let utc = at.utc()?.naive_utc();
    Some(i64::from(zone.offset_from_utc_datetime(&utc).fix().local_minus_utc()) * 1000)
}

/// Date and milliseconds of the day that the wall clock shows.
fn wall_clock(at: Timestamp, offset: i64) -> Option<(NaiveDate, i64)> {
    let wall = at.utc()?.naive_utc().checked_add_signed(TimeDelta::milliseconds(offset))?;
    Some((wall.date(), at.0.saturating_add(offset).rem_euclid(DAY_MS)))
}

/// The first instant in `(from, to]` whose offset is not `offset`. The outer `None` is the calendar's end.
fn change(zone: Tz, from: Timestamp, to: Timestamp, offset: i64) -> Option<Option<Timestamp>> {
    let mut low = from;
    while low < to {
        let high = low.plus_ms(PROBE_MS).min(to);
        if offset_ms(zone, high)? != offset {
            let (mut same, mut other) = (low.0, high.0);
            while other - same > 1 {
                let middle = same + (other - same) / 2;
                if offset_ms(zone, Timestamp(middle))? == offset { same = middle } else { other = middle }
            }
            return Some(Some(Timestamp(other)));
        }
        low = high;
    }
    Some(None)
}

#[cfg(test)]
#[path = "calendar_tests.rs"]
mod tests;
