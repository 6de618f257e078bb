//! `[budget]`: what a run and a day may cost, in the currency of `prices.toml`.

use crate::domain::budget::Budget;
use crate::domain::keys::Table;
use crate::domain::money::MICROS;
use serde_json::{Map, Value, json};

const LIMIT_MAX: f64 = 1e9;

pub(super) fn read(table: Option<Table<'_>>) -> Option<Budget> {
    let Some(table) = table else { return Some(Budget::default()) };
    // An amount that is wrong leaves a fault: it must not become a campaign without a limit.
    let limit = |key| table.number(key, 0.01, LIMIT_MAX).map(|units| (units * MICROS as f64).round() as i64);
    let budget = Budget { run: limit("run"), day: limit("day") };
    table.close(&[]);
    Some(budget)
}

pub(super) fn to_json(budget: &Budget) -> Value {
    let mut value = Map::new();
    for (key, limit) in [("run", budget.run), ("day", budget.day)] {
        if let Some(limit) = limit {
            value.insert(key.to_owned(), json!(limit as f64 / MICROS as f64));
        }
    }
    Value::Object(value)
}
