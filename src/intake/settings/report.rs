//! `[report]`: the report that arrives by itself.

use super::or;
use crate::domain::keys::{Table, cut};
use crate::domain::notice::{Channel, Morning};
use serde_json::{Map, Value, json};

pub(super) fn read(table: Option<Table<'_>>) -> Option<Morning> {
    let Some(table) = table else { return Some(Morning::default()) };
    let at = if table.has("at") {
        table.parsed("at", hour)
    } else {
        table.value("at");
        table.refuse("at", "missing", "write when it is to arrive, as in at = \"09:00\"");
        None
    };
    let channels = channels(&table);
    let russian = or(&table, "lang", lang, || false);
    table.close(&[]);
    Some(Morning { at_min: Some(at?), channels: channels?, russian: russian? })
}

fn hour(text: &str) -> Result<u32, String> {
    let read = || {
        let (hours, minutes) = text.split_once(':')?;
        let digits = |text: &str| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        let (hours, minutes): (u32, u32) =
            (hours.parse().ok().filter(|_| digits(hours))?, minutes.parse().ok().filter(|_| digits(minutes))?);
        (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
    };
    read().ok_or_else(|| "write hours and minutes, as in 09:00".to_owned())
}

fn lang(text: &str) -> Result<bool, String> {
    match text {
        "en" => Ok(false),
        "ru" => Ok(true),
        _ => Err("write en or ru".to_owned()),
    }
}

fn channels(table: &Table<'_>) -> Option<Vec<Channel>> {
    const CURE: &str = "write some of [\"email\", \"telegram\", \"webhook\"]";
    let Some(value) = table.value("channels") else { return Some(Vec::new()) };
    let Some(items) = value.as_array().filter(|items| !items.is_empty()) else {
        table.refuse("channels", "found no list", CURE);
        return None;
    };
    let mut found = Vec::new();
    for item in items {
        match item.as_str().map(str::parse::<Channel>) {
            Some(Ok(channel)) if !found.contains(&channel) => found.push(channel),
            Some(Ok(channel)) => table.refuse("channels", format!("`{}` is there twice", channel.as_str()), CURE),
            _ => table.refuse("channels", format!("found `{}`", cut(&item.to_string())), CURE),
        }
    }
    (found.len() == items.len()).then_some(found)
}

pub(super) fn to_json(report: &Morning) -> Value {
    let mut value = Map::new();
    if let Some(at) = report.at_min {
        value.insert("at".to_owned(), json!(format!("{:02}:{:02}", at / 60, at % 60)));
    }
    if !report.channels.is_empty() {
        value.insert("channels".to_owned(), json!(report.channels));
    }
    value.insert("lang".to_owned(), json!(if report.russian { "ru" } else { "en" }));
    Value::Object(value)
}
