//! Texts of people on their way into a row.

use super::shape::Shape;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::ser::{CharEscape, Formatter, Serializer};
use std::borrow::Cow;
use std::io;

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

/// Rows for one statement, written straight into its JSON: each is a tuple. Texts lose their NUL characters.
#[derive(Default)]
pub struct Rows(Vec<u8>);

impl Rows {
    pub fn push(&mut self, row: &impl Serialize) {
        self.0.push(if self.0.is_empty() { b'[' } else { b',' });
        let mut to = Serializer::with_formatter(&mut self.0, WithoutNul);
        row.serialize(&mut to).expect("a tuple of plain values has a JSON");
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn text(mut self) -> String {
        self.0.extend_from_slice(if self.0.is_empty() { b"[]" } else { b"]" });
        String::from_utf8(self.0).expect("JSON is UTF-8")
    }
}

/// A statement whose only argument, `$1`, is rows as JSON.
pub struct Statement {
    pub text: &'static str,
    pub rows: String,
}

impl Statement {
    pub fn of(text: &'static str, rows: Rows) -> Self {
        Statement { text, rows: rows.text() }
    }

    pub fn of_ids(text: &'static str, ids: impl IntoIterator<Item = i64>) -> Self {
        Statement { text, rows: ids_text(ids) }
    }

    /// Without rows it does nothing, and has no answer.
    pub fn is_idle(&self) -> bool {
        self.rows == NONE
    }
}

/// A statement that is answered, and what the rows of its answer look like.
pub struct Question {
    pub statement: Statement,
    pub shape: Shape,
}

impl Question {
    pub fn of<T: DeserializeOwned>(text: &'static str, rows: Rows) -> Self {
        Question { statement: Statement::of(text, rows), shape: Shape::of::<T>() }
    }

    pub fn with<T: DeserializeOwned>(text: &'static str, argument: String) -> Self {
        Question { statement: Statement { text, rows: argument }, shape: Shape::of::<T>() }
    }

    pub fn of_ids<T: DeserializeOwned>(text: &'static str, ids: impl IntoIterator<Item = i64>) -> Self {
        Question { statement: Statement::of_ids(text, ids), shape: Shape::of::<T>() }
    }
}

/// No rows.
const NONE: &str = "[]";

/// Ids for one statement, as JSON.
pub fn ids_text(ids: impl IntoIterator<Item = i64>) -> String {
    let mut rows = Rows::default();
    ids.into_iter().for_each(|id| rows.push(&id));
    rows.text()
}

struct WithoutNul;

impl Formatter for WithoutNul {
    fn write_char_escape<W: ?Sized + io::Write>(&mut self, to: &mut W, escape: CharEscape) -> io::Result<()> {
        match escape {
            CharEscape::AsciiControl(0) => Ok(()),
            CharEscape::Quote => to.write_all(b"\\\""),
            CharEscape::ReverseSolidus => to.write_all(b"\\\\"),
            CharEscape::Solidus => to.write_all(b"\\/"),
            CharEscape::Backspace => to.write_all(b"\\b"),
            CharEscape::FormFeed => to.write_all(b"\\f"),
            CharEscape::LineFeed => to.write_all(b"\\n"),
            CharEscape::CarriageReturn => to.write_all(b"\\r"),
            CharEscape::Tab => to.write_all(b"\\t"),
            CharEscape::AsciiControl(byte) => write!(to, "\\u{byte:04x}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_json_without_nul() {
        let mut rows = Rows::default();
        assert!(rows.is_empty());
        rows.push(&(1, "a\0b\u{1}\"\\\n\\u0000", None::<i64>));
        rows.push(&(i64::MAX, "ё", Some(2)));
        let read: Value = serde_json::from_str(&rows.text()).unwrap();
        assert_eq!(read, serde_json::json!([[1, "ab\u{1}\"\\\n\\u0000", null], [i64::MAX, "ё", 2]]));
        assert_eq!(Rows::default().text(), "[]");
    }
}
