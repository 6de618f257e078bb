//! Rows of contacts as JSON, turned into the list that everything else reads.

use crate::domain::list::{Dialect, Quote};
use serde_json::{Map, Value};

/// A list of tables, or `{ "contacts": [ … ] }`: one table for each row, its keys being the columns. The first row
/// is line 2, below the header.
pub fn to_csv(value: &Value) -> Result<Vec<u8>, String> {
    let rows = match value {
        Value::Array(rows) => rows,
        Value::Object(form) if form.len() == 1 => match form.get("contacts") {
            Some(Value::Array(rows)) => rows,
            _ => return Err("contacts: write a list of rows".to_owned()),
        },
        _ => return Err("write a list of rows, each a table such as { \"phone\": \"+7XXXXXXXXXX\" }".to_owned()),
    };
    let mut tables: Vec<&Map<String, Value>> = Vec::with_capacity(rows.len());
    let mut columns: Map<String, Value> = Map::new();
    for (nth, row) in rows.iter().enumerate() {
        let Value::Object(table) = row else { return Err(format!("row {}: write a table", nth + 1)) };
        for key in table.keys().filter(|key| !key.trim().is_empty()) {
            columns.entry(key.clone()).or_insert(Value::Null);
        }
        tables.push(table);
    }
    let mut list = csv::Writer::from_writer(Vec::new());
    let wrong = |cause: csv::Error| cause.to_string();
    if !columns.is_empty() {
        list.write_record(columns.keys()).map_err(wrong)?;
    }
    for (nth, table) in tables.into_iter().enumerate() {
        let cells = columns.keys().map(|key| {
            cell(table.get(key)).ok_or_else(|| format!("row {}: {key}: write a text, a number, true or false", nth + 1))
        });
        list.write_record(cells.collect::<Result<Vec<_>, _>>()?).map_err(wrong)?;
    }
    list.into_inner().map_err(|cause| cause.to_string())
}

/// How [`to_csv`] writes: whatever a campaign's own files look like.
pub fn dialect() -> Dialect {
    Dialect {
        encoding: Some("utf-8".to_owned()),
        delimiter: Some(','),
        quote: Some(Quote::Double),
        header: Some(true),
        ..Dialect::default()
    }
}

fn cell(value: Option<&Value>) -> Option<String> {
    Some(match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(value @ (Value::Number(_) | Value::Bool(_))) => value.to_string(),
        Some(Value::Array(_) | Value::Object(_)) => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn tables_become_rows_and_nothing_is_guessed() {
        let rows = json!([{ "phone": "+79990000001", "city": "Orel, \"old\"" }, { "phone": "+79990000002", "n": 3 }]);
        let text = String::from_utf8(to_csv(&rows).unwrap()).unwrap();
        assert_eq!(text, "phone,city,n\n+79990000001,\"Orel, \"\"old\"\"\",\n+79990000002,,3\n");
        assert_eq!(to_csv(&json!({ "contacts": [] })).unwrap(), b"");
        for (wrong, why) in [
            (json!(3), "write a list"),
            (json!({ "contacts": 1 }), "contacts: write a list"),
            (json!([1]), "row 1: write a table"),
            (json!([{ "phone": ["+7"] }]), "row 1: phone: write a text"),
        ] {
            assert!(to_csv(&wrong).unwrap_err().starts_with(why), "{wrong}");
        }
    }
}
