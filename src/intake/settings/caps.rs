//! `[caps]`: how often one number may be called, over all campaigns. Policies' rules write the same.

use crate::domain::caps::{Caps, Most};
use crate::domain::keys::Table;
use serde_json::{Map, Value, json};

/// More calls than anybody makes to one number in a month.
pub const CALLS_MAX: u32 = 1000;

pub(in crate::intake) fn read(table: Option<Table<'_>>) -> Option<Caps> {
    let Some(table) = table else { return Some(Caps::default()) };
    let most = |day, rolling, week, month| Most {
        day: table.whole(day, 1, CALLS_MAX),
        rolling: table.whole(rolling, 1, CALLS_MAX),
        week: table.whole(week, 1, CALLS_MAX),
        month: table.whole(month, 1, CALLS_MAX),
    };
    let caps = Caps {
        tries: most("tries_day", "tries_24h", "tries_week", "tries_month"),
        talks: most("talks_day", "talks_24h", "talks_week", "talks_month"),
    };
    table.close(&[]);
    Some(caps)
}

/// Only what is capped.
pub(in crate::intake) fn to_json(caps: &Caps) -> Value {
    let mut value = Map::new();
    for (kind, most) in [("tries", caps.tries), ("talks", caps.talks)] {
        let periods = [("day", most.day), ("24h", most.rolling), ("week", most.week), ("month", most.month)];
        for (period, calls) in periods {
            if let Some(calls) = calls {
                value.insert(format!("{kind}_{period}"), json!(calls));
            }
        }
    }
    Value::Object(value)
}
