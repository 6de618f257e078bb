//! `[gap]`: the least time between two calls to one number, over all campaigns. Policies' rules write the same.

use super::retry::{delay, delay_text};
use crate::domain::caps::{GAP_MS_MAX, Gap};
use crate::domain::keys::Table;
use crate::domain::settings::Delay;
use serde_json::{Map, Value, json};

pub(in crate::intake) fn read(table: Option<Table<'_>>) -> Option<Gap> {
    let Some(table) = table else { return Some(Gap::default()) };
    let gap = Gap { after_try_ms: table.parsed("after_try", time), after_talk_ms: table.parsed("after_talk", time) };
    table.close(&[]);
    Some(gap)
}

fn time(text: &str) -> Result<i64, String> {
    match delay(text) {
        Ok(Delay::Ms(ms)) if ms <= GAP_MS_MAX => Ok(ms),
        _ => Err("write a time as in 30m, 1h, 2d (at most 30d)".to_owned()),
    }
}

pub(in crate::intake) fn to_json(gap: &Gap) -> Value {
    let mut value = Map::new();
    for (key, ms) in [("after_try", gap.after_try_ms), ("after_talk", gap.after_talk_ms)] {
        if let Some(ms) = ms {
            value.insert(key.to_owned(), json!(delay_text(&Delay::Ms(ms))));
        }
    }
    Value::Object(value)
}
