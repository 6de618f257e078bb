//! `[list]`: how lists are read. What is not said is found by looking.

use crate::domain::keys::{Table, cut};
use crate::domain::list::{
    Allowed, Dialect, ELSEWHERE_DAYS_MAX, Elsewhere, ListRules, Quote, ROWS_MAX_MAX, SIZE_MIB_MAX_MAX, ValueKind,
};
use crate::intake::columns::{self, COLUMNS_MAX};
use crate::intake::list::{dialect, text};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

pub(super) fn read(table: Option<Table<'_>>) -> Option<ListRules> {
    let Some(table) = table else { return Some(ListRules::default()) };
    let dialect = Dialect {
        encoding: table.parsed("encoding", text::known),
        delimiter: delimiter(&table),
        quote: table.parsed("quote", dialect::quote_of),
        header: table.flag("header"),
        sheet: table.text("sheet"),
        ..Dialect::default()
    };
    let default = ListRules::default();
    let columns = pairs(&table, "columns", |name, header| {
        let role = columns::role_of(name);
        match header.trim() {
            _ if role == columns::Role::Variable(String::new()) => Err("name a column in letters".to_owned()),
            "" => Err("write a header, or a column's place, counted from 1".to_owned()),
            header => Ok((name.to_owned(), header.to_owned())),
        }
    });
    let types = pairs(&table, "types", |name, word| {
        let kind = ValueKind::ALL.into_iter().find(|kind| kind.as_str() == word.trim());
        let known = || ValueKind::ALL.map(ValueKind::as_str).join(", ");
        kind.map(|kind| (columns::key(name), kind)).ok_or_else(|| format!("write one of: {}", known()))
    });
    let allow = table.texts("allow", 2).unwrap_or_default();
    for word in allow.iter().filter(|word| !["premium", "short"].contains(&word.as_str())) {
        table.refuse("allow", format!("found `{}`", cut(word)), "write premium, short or both");
    }
    let allows = |word: &str| allow.iter().any(|other| other == word);
    let allow = Allowed { premium: allows("premium"), short: allows("short") };
    let rows_max = table.whole("rows_max", 1, ROWS_MAX_MAX).map_or(default.rows_max, u64::from);
    let size_mib_max = table.whole("size_mib_max", 1, SIZE_MIB_MAX_MAX).map_or(default.size_mib_max, u64::from);
    let days = table.whole("duplicate_days", 1, ELSEWHERE_DAYS_MAX).unwrap_or_default();
    let call = table.parsed("duplicates", |word| match word.trim() {
        "leave_out" => Ok(false),
        "call" => Ok(true),
        _ => Err("write leave_out or call".to_owned()),
    });
    if call.is_some() && !table.has("duplicate_days") {
        table.refuse("duplicates", "speaks of numbers of other campaigns", "say how far back in duplicate_days");
    }
    let elsewhere = Elsewhere { days, call: call.unwrap_or_default() };
    table.close(&[]);
    Some(ListRules { dialect, columns, types, allow, rows_max, size_mib_max, elsewhere })
}

/// A delimiter may be a blank, so it is no text that is trimmed.
fn delimiter(table: &Table<'_>) -> Option<char> {
    match table.value("delimiter")? {
        Value::String(word) => {
            let refuse = |cure: String| table.refuse("delimiter", format!("found `{}`", cut(word)), cure);
            let word = if word.chars().count() == 1 { word.as_str() } else { word.trim() };
            dialect::delimiter_of(word).map_err(refuse).ok()
        }
        _ => {
            table.refuse("delimiter", "found no text", "write one character in quotes, or tab");
            None
        }
    }
}

/// A table of texts.
fn pairs<V>(
    table: &Table<'_>,
    key: &'static str,
    read: impl Fn(&str, &str) -> Result<(String, V), String>,
) -> BTreeMap<String, V> {
    let mut pairs = BTreeMap::new();
    let inner = match table.value(key) {
        None => return pairs,
        Some(Value::Object(inner)) if inner.len() <= COLUMNS_MAX => inner,
        Some(_) => {
            table.refuse(key, "found no table", format!("write a table of at most {COLUMNS_MAX} entries"));
            return pairs;
        }
    };
    for (name, value) in inner {
        let read = value.as_str().ok_or_else(|| "write a text".to_owned()).and_then(|value| read(name, value));
        match read {
            Ok((name, value)) => drop(pairs.insert(name, value)),
            Err(cure) => {
                table.refuse(&format!("{key}.{}", cut(name)), format!("found {}", cut(&value.to_string())), cure)
            }
        }
    }
    pairs
}

/// What differs from the defaults.
pub(super) fn to_json(list: &ListRules) -> Value {
    let default = ListRules::default();
    let mut value = Map::new();
    let mut put = |key: &str, said: Option<Value>| drop(said.map(|said| value.insert(key.to_owned(), said)));
    let dialect = &list.dialect;
    put("encoding", dialect.encoding.as_ref().map(|name| json!(name)));
    put("delimiter", dialect.delimiter.map(|mark| json!(dialect::delimiter_word(mark))));
    put("quote", dialect.quote.map(|quote: Quote| json!(quote.as_str())));
    put("header", dialect.header.map(|header| json!(header)));
    put("sheet", dialect.sheet.as_ref().map(|sheet| json!(sheet)));
    put("columns", (!list.columns.is_empty()).then(|| json!(list.columns)));
    put("types", (!list.types.is_empty()).then(|| json!(list.types)));
    let allow: Vec<&str> = [("premium", list.allow.premium), ("short", list.allow.short)]
        .into_iter()
        .filter_map(|(word, allowed)| allowed.then_some(word))
        .collect();
    put("allow", (!allow.is_empty()).then(|| json!(allow)));
    put("rows_max", (list.rows_max != default.rows_max).then(|| json!(list.rows_max)));
    put("size_mib_max", (list.size_mib_max != default.size_mib_max).then(|| json!(list.size_mib_max)));
    let Elsewhere { days, call } = list.elsewhere;
    put("duplicate_days", (days > 0).then(|| json!(days)));
    put("duplicates", (days > 0 && call).then(|| json!("call")));
    Value::Object(value)
}

#[cfg(test)]
#[path = "list_tests.rs"]
mod tests;
