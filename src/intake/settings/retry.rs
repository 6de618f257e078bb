//! `[retry]`: what follows each outcome.

use crate::domain::Outcome;
use crate::domain::keys::{Table, cut};
use crate::domain::settings::{Delay, Retry};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

pub const ATTEMPTS_MAX: u32 = 20;
pub const DELAYS_MAX: usize = 20;
const DELAY_MS_MAX: i64 = 30 * 24 * 3600 * 1000;

/// Outcomes after which another try can help, with what follows when nothing is said.
const RETRIES: &[(&str, Outcome, &[&str])] = &[
    ("busy", Outcome::Busy, &["5m", "30m", "next-day"]),
    ("no_answer", Outcome::NoAnswer, &["1h", "4h", "next-day"]),
    ("unavailable", Outcome::Unavailable, &["1h", "4h", "next-day"]),
    ("network_error", Outcome::NetworkError, &["5m", "30m"]),
    ("machine", Outcome::Machine, &[]),
    ("rejected", Outcome::Rejected, &[]),
];

const LATER_RETRY: &[(&str, &str)] = &[("jitter", "irregular delays"), ("order", "retries first or last")];

pub(super) fn read(table: Option<Table<'_>>) -> Option<Retry> {
    let mut retry = Retry { attempts_max: 4, delays: BTreeMap::new() };
    let mut lists: BTreeMap<Outcome, Vec<String>> = RETRIES
        .iter()
        .map(|(_, outcome, delays)| (*outcome, delays.iter().map(|d| (*d).to_owned()).collect()))
        .collect();
    if let Some(table) = &table {
        retry.attempts_max = table.whole("attempts_max", 1, ATTEMPTS_MAX).unwrap_or(retry.attempts_max);
        for (key, outcome, _) in RETRIES {
            if let Some(list) = table.texts(key, DELAYS_MAX) {
                lists.insert(*outcome, list);
            }
        }
    }
    for (key, outcome, _) in RETRIES {
        let mut delays = Vec::new();
        for text in &lists[outcome] {
            match delay(text) {
                Ok(delay) => delays.push(delay),
                Err(cure) => {
                    // The defaults are read by a test, so a fault is always in the table that was written.
                    if let Some(table) = &table {
                        table.refuse(key, format!("found `{}`", cut(text)), cure);
                    }
                }
            }
        }
        if !delays.is_empty() {
            retry.delays.insert(*outcome, delays);
        }
    }
    if let Some(table) = table {
        let mut never: Vec<(&str, &str)> = LATER_RETRY.to_vec();
        never.extend(Outcome::ALL.iter().filter(|o| !lists.contains_key(o)).map(|o| (o.as_str(), "a retry after it")));
        table.close(&never);
    }
    Some(retry)
}

/// `30s`, `5m`, `1h30m`, `2d`, or `next-day`.
pub(super) fn delay(text: &str) -> Result<Delay, String> {
    let cure = || "write a delay as in 30s, 5m, 1h30m, 2d (at most 30d), or next-day".to_owned();
    if text == "next-day" {
        return Ok(Delay::NextDay);
    }
    let (mut ms, mut digits) = (0i64, String::new());
    for c in text.chars() {
        let unit = match c {
            '0'..='9' if digits.len() < 9 => {
                digits.push(c);
                continue;
            }
            's' => 1000,
            'm' => 60_000,
            'h' => 3_600_000,
            'd' => 86_400_000,
            _ => return Err(cure()),
        };
        let n: i64 = digits.parse().map_err(|_| cure())?;
        digits.clear();
        ms += n * unit;
    }
    if digits.is_empty() && (1000..=DELAY_MS_MAX).contains(&ms) { Ok(Delay::Ms(ms)) } else { Err(cure()) }
}

pub(super) fn delay_text(delay: &Delay) -> String {
    let Delay::Ms(mut ms) = *delay else { return "next-day".to_owned() };
    let mut text = String::new();
    for (unit, name) in [(86_400_000, 'd'), (3_600_000, 'h'), (60_000, 'm'), (1000, 's')] {
        if ms >= unit {
            text += &format!("{}{name}", ms / unit);
            ms %= unit;
        }
    }
    text
}

pub(super) fn to_json(retry: &Retry) -> Value {
    let mut value = Map::from_iter([("attempts_max".to_owned(), json!(retry.attempts_max))]);
    for (key, outcome, _) in RETRIES {
        let delays = retry.delays.get(outcome).map(Vec::as_slice).unwrap_or_default();
        value.insert((*key).to_owned(), delays.iter().map(delay_text).collect());
    }
    Value::Object(value)
}
