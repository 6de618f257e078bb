//! `[breakers]`: thresholds that pause a run; each has a default, and may be `"off"`.

use crate::domain::breaker::Breakers;
use crate::domain::keys::Table;
use crate::domain::money::MICROS;
use serde_json::{Value, json};

const UNGRANTED_MAX: u32 = 10_000;
const SPEND_MAX: f64 = 1e9;

pub(super) fn read(table: Option<Table<'_>>) -> Option<Breakers> {
    let mut breakers = Breakers::default();
    let Some(table) = table else { return Some(breakers) };
    if let Some(share) = or_off(&table, "failures", |key| table.number(key, 0.01, 1.0)) {
        breakers.failures = share;
    }
    if let Some(count) = or_off(&table, "ungranted", |key| table.whole(key, 1, UNGRANTED_MAX)) {
        breakers.ungranted = count;
    }
    if let Some(share) = or_off(&table, "silent", |key| table.number(key, 0.001, 1.0)) {
        breakers.silent = share;
    }
    if let Some(amount) = or_off(&table, "spend_hour", |key| table.number(key, 0.01, SPEND_MAX)) {
        breakers.spend_hour = amount.map(|units| (units * MICROS as f64).round() as i64);
    }
    table.close(&[]);
    Some(breakers)
}

/// `None` where the key is absent or wrong, which leaves a fault; off is `Some(None)`.
fn or_off<T>(table: &Table<'_>, key: &'static str, threshold: impl Fn(&'static str) -> Option<T>) -> Option<Option<T>> {
    match table.value(key)? {
        Value::String(text) if text.trim() == "off" => Some(None),
        _ => threshold(key).map(Some),
    }
}

pub(super) fn to_json(breakers: &Breakers) -> Value {
    fn shown(value: Option<impl serde::Serialize>) -> Value {
        value.map_or(json!("off"), |value| json!(value))
    }
    json!({
        "failures": shown(breakers.failures),
        "ungranted": shown(breakers.ungranted),
        "silent": shown(breakers.silent),
        "spend_hour": shown(breakers.spend_hour.map(|micros| micros as f64 / MICROS as f64)),
    })
}
