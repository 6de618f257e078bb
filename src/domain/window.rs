//! Windows of the week: hours, day by day, as a person writes them.
//!
//! Nothing here knows a date or a time zone: [`super::calendar`] holds windows against the clock on a
//! contact's wall.

use chrono::Weekday;
use std::fmt;

pub const DAY_MIN: u32 = 24 * 60;
const WEEK_MIN: u32 = 7 * DAY_MIN;

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

    /// The minutes of that day that lie inside: half open, sorted, apart. A slot across midnight is cut there.
    pub fn on(&self, day: Weekday) -> Vec<(u32, u32)> {
        let start = day.num_days_from_monday() * DAY_MIN;
        let inside = |&(from, to): &(u32, u32)| {
            let (from, to) = (from.max(start), to.min(start + DAY_MIN));
            (from < to).then(|| (from - start, to - start))
        };
        self.slots.iter().filter_map(inside).collect()
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

pub(super) fn merged(mut slots: Vec<(u32, u32)>) -> Vec<(u32, u32)> {
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

pub(super) fn wall(minute: u32) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

fn slots_of(line: &str) -> Result<Vec<(u32, u32)>, NotAWindow> {
    let text = line.trim().to_ascii_lowercase().replace(['–', '—'], "-");
    let shape = || NotAWindow::Shape(cut(line));
    let digit = text.find(|c: char| c.is_ascii_digit()).ok_or_else(shape)?;
    let (days, hours) = text.split_at(digit);
    let days = days_of(days.trim()).map_err(|day| if day.is_empty() { shape() } else { NotAWindow::Day(cut(&day)) })?;
    let mut slots = Vec::new();
    // Whoever reads the fault has the whole line before them.
    let whole = |fault| if let NotAWindow::Shape(_) = fault { shape() } else { fault };
    for (from, to) in hours_of(hours).map_err(whole)? {
        for day in &days {
            let (start, end) = (day * DAY_MIN + from, day * DAY_MIN + to);
            slots.push((start, end.min(WEEK_MIN)));
            if end > WEEK_MIN {
                slots.push((0, end - WEEK_MIN));
            }
        }
    }
    Ok(slots)
}

/// `09:00-13:00, 22:00-02:00`: minutes of the day; an end behind 24:00 lies in the next one.
pub(super) fn hours_of(text: &str) -> Result<Vec<(u32, u32)>, NotAWindow> {
    let mut hours = Vec::new();
    for range in text.split(',') {
        let (from, to) = range.split_once('-').ok_or_else(|| NotAWindow::Shape(cut(text.trim())))?;
        let (from, to) = (time_of(from)?, time_of(to)?);
        if from == to || from == DAY_MIN {
            return Err(NotAWindow::Empty(cut(range.trim())));
        }
        hours.push((from, if from < to { to } else { to + DAY_MIN }));
    }
    Ok(hours)
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

pub(super) fn cut(text: &str) -> String {
    text.chars().take(60).collect()
}

#[cfg(test)]
#[path = "window_tests.rs"]
mod tests;
