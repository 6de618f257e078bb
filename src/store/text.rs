//! Texts of people on their way into a row.

use serde_json::Value;
use std::borrow::Cow;

/// Without NUL characters: PostgreSQL stores none, and refuses the whole statement that holds one.
pub fn bare(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { Cow::Owned(text.replace('\0', "")) } else { Cow::Borrowed(text) }
}

/// Rows for one statement, as JSON.
pub fn rows_text(mut rows: Vec<Value>) -> String {
    for field in rows.iter_mut().filter_map(Value::as_array_mut).flatten() {
        if let Value::String(text) = field
            && text.contains('\0')
        {
            text.retain(|c| c != '\0');
        }
    }
    Value::Array(rows).to_string()
}
