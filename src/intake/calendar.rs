//! Days, holidays, a first and a last day, as a campaign or a policy writes them, to a [`Calendar`].
//!
//! It knows what may be written and how to mend it; what it means is [`crate::domain::calendar`]'s.

use crate::domain::calendar::{Calendar, HOLIDAYS_MAX, Holidays, date, holiday_lines, holidays};
use crate::domain::keys::Table;
use crate::domain::window::{LINES_MAX, Windows};
use chrono::NaiveDate;
use serde_json::{Value, json};
use std::fmt::Display;

/// `days`: at least one window.
pub fn days(table: &Table<'_>) -> Option<Windows> {
    let lines = table.texts("days", LINES_MAX)?;
    let windows = told(table, "days", Windows::parse(&lines))?;
    if windows.slots.is_empty() {
        table.refuse("days", "found no window", "write at least one line, as in \"mon-fri 09:00-20:00\"");
        return None;
    }
    Some(windows)
}

/// `holidays`: none when the key is absent.
pub fn days_off(table: &Table<'_>) -> Option<Holidays> {
    if !table.has("holidays") {
        table.value("holidays");
        return Some(Holidays::new());
    }
    told(table, "holidays", holidays(&table.texts("holidays", HOLIDAYS_MAX)?))
}

/// `from` and `until`, in this order where both are written.
pub fn span(table: &Table<'_>) -> Option<(Option<NaiveDate>, Option<NaiveDate>)> {
    let day = |key: &'static str| -> Option<Option<NaiveDate>> {
        if !table.has(key) {
            table.value(key);
            return Some(None);
        }
        table.parsed(key, |text| date(text).ok_or_else(|| "write a date, as in 2027-01-31".to_owned())).map(Some)
    };
    let (from, until) = (day("from"), day("until"));
    let (from, until) = (from?, until?);
    match (from, until) {
        (Some(first), Some(last)) if last < first => {
            let cure = "write the last day with calls, not before the first";
            table.refuse("until", format!("{last} lies before from = {first}"), cure);
            None
        }
        span => Some(span),
    }
}

/// The calendar as the keys that are read above; what is not used is left out.
pub fn to_json(calendar: &Calendar) -> Value {
    let mut value = json!({ "days": calendar.days.lines() });
    if !calendar.holidays.is_empty() {
        value["holidays"] = json!(holiday_lines(&calendar.holidays));
    }
    for (key, day) in [("from", calendar.from), ("until", calendar.until)] {
        if let Some(day) = day {
            value[key] = json!(day.to_string());
        }
    }
    value
}

/// Every faulty line is told.
fn told<T, E: Display>(table: &Table<'_>, key: &str, found: Result<T, Vec<E>>) -> Option<T> {
    let tell = |faults: Vec<E>| {
        for fault in faults {
            table.refuse(key, fault.to_string(), "mend this line");
        }
    };
    found.map_err(tell).ok()
}
