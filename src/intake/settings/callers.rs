//! Keys of `[dial]` about pace: the pool of caller ids, `ramp_up`, `jitter`, `reserve`.

use super::dial::CALLER_IDS_MAX;
use super::retry::{delay, delay_text};
use crate::domain::PhoneNumber;
use crate::domain::keys::{Entry, Table, cut};
use crate::domain::pace::{CallerLimits, Pacing};
use crate::domain::settings::Delay;
use serde_json::{Map, Value, json};

const WEIGHT_MAX: u32 = 100;
const DAY_MAX: u32 = 1_000_000;
const RAMP_UP_MS_MAX: i64 = 24 * 3600 * 1000;
const COOL_DOWN_MS_MAX: i64 = 24 * 3600 * 1000;

/// The pool in the order written, and how starts are spread.
pub(super) fn read(table: &Table<'_>) -> (Vec<PhoneNumber>, Pacing) {
    let (mut ids, mut pacing) = (Vec::new(), Pacing::default());
    for entry in table.entries("caller_ids", CALLER_IDS_MAX) {
        let (text, limits) = match entry {
            Entry::Text(text) => (Some(text), CallerLimits::default()),
            Entry::Table(entry) => {
                let number = entry.needed("number", "write it as +74951234567");
                let limits = limits(&entry);
                entry.close(&[]);
                (number, limits)
            }
        };
        let Some(text) = text else { continue };
        match text.parse::<PhoneNumber>() {
            Ok(number) if ids.contains(&number) => {
                table.refuse("caller_ids", format!("`{}` stands twice", cut(&text)), "keep one of them");
            }
            Ok(number) => {
                if limits != CallerLimits::default() {
                    pacing.callers.insert(number.clone(), limits);
                }
                ids.push(number);
            }
            Err(cause) => table.refuse("caller_ids", format!("`{}`: {cause}", cut(&text)), "write it as +74951234567"),
        }
    }
    pacing.ramp_up_ms = span(table, "ramp_up", RAMP_UP_MS_MAX).unwrap_or_default();
    pacing.jitter = thousandths(table, "jitter", 0.0, 1.0).unwrap_or_default();
    pacing.reserve = thousandths(table, "reserve", 0.0, 0.95).unwrap_or_default();
    (ids, pacing)
}

fn limits(entry: &Table<'_>) -> CallerLimits {
    CallerLimits {
        weight: entry.whole("weight", 1, WEIGHT_MAX).unwrap_or(1),
        cps: thousandths(entry, "cps", 0.001, 1000.0),
        day_max: entry.whole("day_max", 1, DAY_MAX),
        cool_down_ms: span(entry, "cool_down", COOL_DOWN_MS_MAX).unwrap_or_default(),
    }
}

/// Rounded, so that the stored text reads back as the very same number.
fn thousandths(table: &Table<'_>, key: &'static str, low: f64, high: f64) -> Option<f64> {
    table.number(key, low, high).map(|n| (n * 1000.0).round() / 1000.0)
}

fn span(table: &Table<'_>, key: &'static str, ms_max: i64) -> Option<i64> {
    table.parsed(key, |text| match delay(text) {
        Ok(Delay::Ms(ms)) if ms <= ms_max => Ok(ms),
        _ => Err(format!("write a time as in 30s, 5m or 1h30m, at most {}", delay_text(&Delay::Ms(ms_max)))),
    })
}

/// Numbers without limits are written short.
pub(super) fn ids_to_json(ids: &[PhoneNumber], pacing: &Pacing) -> Value {
    ids.iter()
        .map(|id| {
            let Some(limits) = pacing.callers.get(id) else { return json!(id.as_str()) };
            let mut entry = Map::from_iter([("number".to_owned(), json!(id.as_str()))]);
            let mut put = |key: &str, value: Option<Value>| {
                if let Some(value) = value {
                    entry.insert(key.to_owned(), value);
                }
            };
            put("weight", (limits.weight != 1).then(|| json!(limits.weight)));
            put("cps", limits.cps.map(|cps| json!(cps)));
            put("day_max", limits.day_max.map(|max| json!(max)));
            put("cool_down", (limits.cool_down_ms > 0).then(|| json!(delay_text(&Delay::Ms(limits.cool_down_ms)))));
            Value::Object(entry)
        })
        .collect()
}

/// What was said beside the pool; what was not said is not written.
pub(super) fn add_to_json(pacing: &Pacing, dial: &mut Value) {
    if pacing.ramp_up_ms > 0 {
        dial["ramp_up"] = json!(delay_text(&Delay::Ms(pacing.ramp_up_ms)));
    }
    for (key, share) in [("jitter", pacing.jitter), ("reserve", pacing.reserve)] {
        if share > 0.0 {
            dial[key] = json!(share);
        }
    }
}

#[cfg(test)]
#[path = "callers_tests.rs"]
mod tests;
