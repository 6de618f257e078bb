//! When people may be called: weekly windows in the contact's own time zone.
//!
//! A window speaks of what the clock on the contact's wall shows, so a change to or from summer time
//! needs no rule of its own: an hour that the clock skips is never inside, one that it shows twice is
//! inside twice.

use super::Timestamp;
use chrono::{Offset, TimeZone, Utc};
use chrono_tz::Tz;
use std::fmt;

const DAY_MIN: u32 = 24 * 60;
const WEEK_MIN: u32 = 7 * DAY_MIN;
const MINUTE_MS: i64 = 60_000;
const WEEK_MS: i64 = WEEK_MIN as i64 * MINUTE_MS;

/// 1970-01-01 was a Thursday; this moves a count of milliseconds to one that starts on a Monday.
const MONDAY_MS: i64 = 3 * DAY_MIN as i64 * MINUTE_MS;

/// Clock changes lie further apart than this, so that two offsets at its ends tell whether there was one.
const PROBE_MS: i64 = 3 * 3600 * 1000;

/// How far ahead an opening is looked for: a weekly slot that one clock change swallows comes a week later.
const HORIZON_MS: i64 = 5 * WEEK_MS;

/// Slots of one line, and lines of one list, are few; more is a mistake or an attack.
pub const LINES_MAX: usize = 64;

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Slots of the week during which calls may start. Empty means never; [`Windows::always`] means always.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Windows {
    /// Minutes of the week, Monday 00:00 = 0, half open, sorted, not overlapping.
    pub slots: Vec<(u32, u32)>,
}

/// A line that is no window. Says what was found and how to write it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAWindow {
    #[error("`{0}` is not a window: write days and hours, as in `mon-fri 09:00-20:00`")]
    Shape(String),
    #[error("`{0}` is not a day: use mon, tue, wed, thu, fri, sat, sun")]
    Day(String),
    #[error("`{0}` is not a time of day: use 00:00 to 24:00")]
    Time(String),
    #[error("`{0}` lasts no time: write `00:00-24:00` for the whole day")]
    Empty(String),
    #[error("{0} lines are too many (at most {LINES_MAX})")]
    TooMany(usize),
}

impl Windows {
    pub fn always() -> Self {
        Windows { slots: vec![(0, WEEK_MIN)] }
    }

    pub fn never() -> Self {
        Windows { slots: Vec::new() }
    }

    /// Lines like `mon-fri 09:00-13:00, 14:00-20:00`, `sat,sun 10:00-18:00` or `fri 22:00-02:00` (across
    /// midnight). Slots that touch or overlap become one. All faults at once.
    pub fn parse<S: AsRef<str>>(lines: &[S]) -> Result<Self, Vec<NotAWindow>> {
        if lines.len() > LINES_MAX {
            return Err(vec![NotAWindow::TooMany(lines.len())]);
        }
        let (mut slots, mut faults) = (Vec::new(), Vec::new());
        for line in lines {
            match slots_of(line.as_ref()) {
                Ok(found) => slots.extend(found),
                Err(fault) => faults.push(fault),
            }
        }
        if faults.is_empty() { Ok(Windows { slots: merged(slots) }) } else { Err(faults) }
    }

    /// The same windows as lines that [`Windows::parse`] reads back, days with the same hours together.
    pub fn lines(&self) -> Vec<String> {
        let mut hours: [Vec<String>; 7] = Default::default();
        for &(from, to) in &self.slots {
            let mut from = from;
            while from < to {
                let day = from / DAY_MIN;
                let end = to.min((day + 1) * DAY_MIN);
                hours[day as usize].push(format!("{}-{}", wall(from % DAY_MIN), wall(end - day * DAY_MIN)));
                from = end;
            }
        }
        let mut lines = Vec::new();
        let mut day = 0;
        while day < 7 {
            let last = (day..7).take_while(|d| hours[*d] == hours[day]).last().unwrap_or(day);
            if !hours[day].is_empty() {
                let days = if last == day { DAYS[day].to_owned() } else { format!("{}-{}", DAYS[day], DAYS[last]) };
                lines.push(format!("{days} {}", hours[day].join(", ")));
            }
            day = last + 1;
        }
        lines
    }

    /// What lies inside both.
    pub fn intersect(&self, other: &Windows) -> Windows {
        let mut slots = Vec::new();
        for &(a, b) in &self.slots {
            for &(c, d) in &other.slots {
                if a.max(c) < b.min(d) {
                    slots.push((a.max(c), b.min(d)));
                }
            }
        }
        Windows { slots: merged(slots) }
    }

    /// Does the wall clock of `zone` show a time inside at this instant?
    pub fn is_open(&self, zone: Tz, at: Timestamp) -> bool {
        offset_ms(zone, at).is_some_and(|offset| self.wait_ms(minute_ms(at, offset)) == Some(0))
    }

    /// The first instant at or after `from` that lies inside, or `None` when there is none.
    pub fn next_open(&self, zone: Tz, from: Timestamp) -> Option<Timestamp> {
        let mut at = from;
        while at.since(from) <= HORIZON_MS {
            let offset = offset_ms(zone, at)?;
            let wait = self.wait_ms(minute_ms(at, offset))?;
            if wait == 0 {
                return Some(at);
            }
            let open = at.plus_ms(wait);
            match change(zone, at, open, offset)? {
                // After the change the wall shows something else: look again from there.
                Some(changed) => at = changed,
                None => return Some(open),
            }
        }
        None
    }

    /// Milliseconds of an undisturbed wall clock until the next slot; 0 inside one, `None` without slots.
    fn wait_ms(&self, wall_ms: i64) -> Option<i64> {
        let slot = |&(from, to): &(u32, u32)| (i64::from(from) * MINUTE_MS, i64::from(to) * MINUTE_MS);
        self.slots
            .iter()
            .map(slot)
            .find(|&(_, to)| wall_ms < to)
            .map(|(from, _)| (from - wall_ms).max(0))
            .or_else(|| self.slots.first().map(slot).map(|(from, _)| from + WEEK_MS - wall_ms))
    }
}

impl fmt::Display for Windows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.slots.is_empty() {
            true => f.write_str("never"),
            false => f.write_str(&self.lines().join("; ")),
        }
    }
}

/// What the zone adds to UTC at an instant; `None` outside the calendar.
fn offset_ms(zone: Tz, at: Timestamp) -> Option<i64> {
    let utc = at.utc()?.naive_utc();
    Some(i64::from(zone.offset_from_utc_datetime(&utc).fix().local_minus_utc()) * 1000)
}

/// Milliseconds of the week, Monday 00:00 = 0, that the wall clock shows.
fn minute_ms(at: Timestamp, offset: i64) -> i64 {
    at.0.saturating_add(offset).saturating_add(MONDAY_MS).rem_euclid(WEEK_MS)
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

fn merged(mut slots: Vec<(u32, u32)>) -> Vec<(u32, u32)> {
    slots.sort_unstable();
    let mut out: Vec<(u32, u32)> = Vec::with_capacity(slots.len());
    for (from, to) in slots {
        match out.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(to),
            _ => out.push((from, to)),
        }
    }
    out
}

fn wall(minute: u32) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

fn slots_of(line: &str) -> Result<Vec<(u32, u32)>, NotAWindow> {
    let text = line.trim().to_ascii_lowercase().replace(['–', '—'], "-");
    let shape = || NotAWindow::Shape(cut(line));
    let digit = text.find(|c: char| c.is_ascii_digit()).ok_or_else(shape)?;
    let (days, hours) = text.split_at(digit);
    let days = days_of(days.trim()).map_err(|day| if day.is_empty() { shape() } else { NotAWindow::Day(cut(&day)) })?;
    let mut slots = Vec::new();
    for range in hours.split(',') {
        let (from, to) = range.split_once('-').ok_or_else(shape)?;
        let (from, to) = (time_of(from)?, time_of(to)?);
        if from == to || from == DAY_MIN {
            return Err(NotAWindow::Empty(cut(range.trim())));
        }
        let length = (to + DAY_MIN - from - 1) % DAY_MIN + 1;
        for day in &days {
            let start = day * DAY_MIN + from;
            let end = start + length;
            slots.push((start, end.min(WEEK_MIN)));
            if end > WEEK_MIN {
                slots.push((0, end - WEEK_MIN));
            }
        }
    }
    Ok(slots)
}

/// `mon-fri`, `sat,sun`, `fri-mon` (around the week's end), `daily`.
fn days_of(text: &str) -> Result<Vec<u32>, String> {
    if matches!(text, "daily" | "every day") {
        return Ok((0..7).collect());
    }
    let day = |name: &str| {
        let name = name.trim();
        DAYS.iter().position(|d| *d == name).map(|d| d as u32).ok_or_else(|| name.to_owned())
    };
    let mut days = Vec::new();
    for item in text.split(',') {
        let (first, last) = item.split_once('-').unwrap_or((item, item));
        let (first, last) = (day(first)?, day(last)?);
        days.extend((0..=(last + 7 - first) % 7).map(|n| (first + n) % 7));
    }
    Ok(days)
}

fn time_of(text: &str) -> Result<u32, NotAWindow> {
    let text = text.trim();
    let parsed = text.split_once(':').and_then(|(hour, minute)| {
        let digits = |part: &str| (1..=2).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        if !digits(hour) || minute.len() != 2 || !digits(minute) {
            return None;
        }
        let (hour, minute): (u32, u32) = (hour.parse().ok()?, minute.parse().ok()?);
        (minute < 60 && hour * 60 + minute <= DAY_MIN).then_some(hour * 60 + minute)
    });
    parsed.ok_or_else(|| NotAWindow::Time(cut(text)))
}

fn cut(text: &str) -> String {
    text.chars().take(60).collect()
}

/// The wall clock of `zone`, for sentences: `Sat 02:10`.
pub fn wall_time(zone: Tz, at: Timestamp) -> Option<String> {
    Some(Utc.timestamp_millis_opt(at.0).single()?.with_timezone(&zone).format("%a %H:%M").to_string())
}

#[cfg(test)]
#[path = "window_tests.rs"]
mod tests;
