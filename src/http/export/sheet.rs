//! Rows of values as a table that somebody takes away: CSV, NDJSON, a workbook. Piece by piece.

use super::workbook::Workbook;
use crate::intake::rejects::guard;
use axum::http::HeaderValue;
use serde_json::{Map, Value};
use std::io;
use std::str::FromStr;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    #[default]
    Csv,
    Ndjson,
    Xlsx,
}

impl Format {
    pub const ALL: [Format; 3] = [Format::Csv, Format::Ndjson, Format::Xlsx];

    /// The end of a file's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Format::Csv => "csv",
            Format::Ndjson => "ndjson",
            Format::Xlsx => "xlsx",
        }
    }

    pub fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Format::Csv => "text/csv; charset=utf-8",
            Format::Ndjson => "application/x-ndjson",
            Format::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        })
    }
}

impl FromStr for Format {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let known = Format::ALL.into_iter().find(|format| format.as_str() == text);
        known.ok_or_else(|| format!("`{text}` is none of csv, ndjson, xlsx"))
    }
}

/// How a table is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    pub format: Format,
    /// Of CSV.
    pub delimiter: u8,
    /// CSV begins with a byte-order mark: a Russian Excel reads UTF-8 then, and `;` as it likes it.
    pub mark: bool,
}

impl Default for Shape {
    fn default() -> Self {
        Shape { format: Format::Csv, delimiter: b',', mark: false }
    }
}

impl Shape {
    /// As people say it.
    pub fn said(format: Format, delimiter: Option<&str>, mark: bool) -> Result<Self, String> {
        let delimiter = match delimiter {
            None => b',',
            Some(word) => crate::intake::list::dialect::delimiter_of(word)
                .ok()
                .and_then(|mark| u8::try_from(mark).ok())
                .ok_or_else(|| format!("delimiter: `{word}` is none of comma, semicolon, tab, pipe"))?,
        };
        Ok(Shape { format, delimiter, mark })
    }
}

/// A table while it is written.
pub enum Sheet {
    Csv(Shape),
    Ndjson(Vec<String>),
    Xlsx(Box<Workbook>),
}

impl Sheet {
    /// And its beginning.
    pub fn new(shape: Shape, header: Vec<String>) -> io::Result<(Self, Vec<u8>)> {
        match shape.format {
            Format::Csv => {
                let mut text = if shape.mark { "\u{feff}".as_bytes().to_vec() } else { Vec::new() };
                text.extend(csv(shape, [header.into_iter().map(Value::String).collect()])?);
                Ok((Sheet::Csv(shape), text))
            }
            Format::Ndjson => Ok((Sheet::Ndjson(apart(header)), Vec::new())),
            Format::Xlsx => {
                let (book, begins) = Workbook::new(header)?;
                Ok((Sheet::Xlsx(Box::new(book)), begins))
            }
        }
    }

    pub fn rows(&mut self, rows: Vec<Vec<Value>>) -> io::Result<Vec<u8>> {
        match self {
            Sheet::Csv(shape) => csv(*shape, rows),
            Sheet::Ndjson(header) => {
                let mut text = Vec::new();
                for row in rows {
                    let row: Map<String, Value> = header.iter().cloned().zip(row).collect();
                    serde_json::to_writer(&mut text, &row)?;
                    text.push(b'\n');
                }
                Ok(text)
            }
            Sheet::Xlsx(book) => book.rows(rows),
        }
    }

    pub fn end(self) -> io::Result<Vec<u8>> {
        match self {
            Sheet::Csv(_) | Sheet::Ndjson(_) => Ok(Vec::new()),
            Sheet::Xlsx(book) => book.end(),
        }
    }
}

/// Two columns of one name are two keys, or one value would hide the other: `Комментарий`, `Комментарий_2`.
fn apart(header: Vec<String>) -> Vec<String> {
    let mut keys: Vec<String> = Vec::with_capacity(header.len());
    for name in &header {
        let free = |key: &String| !keys.contains(key) && (key == name || !header.contains(key));
        let key = std::iter::once(name.clone()).chain((2..=header.len() + 1).map(|n| format!("{name}_{n}"))).find(free);
        keys.push(key.unwrap_or_else(|| name.clone()));
    }
    keys
}

/// A value as the text of a cell.
pub fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A cell that a spreadsheet would run is guarded; a number of E.164 stays as it is.
fn csv(shape: Shape, rows: impl IntoIterator<Item = Vec<Value>>) -> io::Result<Vec<u8>> {
    let mut writer = csv::WriterBuilder::new().delimiter(shape.delimiter).from_writer(Vec::new());
    for row in rows {
        writer.write_record(row.iter().map(|cell| guard(&text(cell))))?;
    }
    writer.into_inner().map_err(|cause| io::Error::other(cause.to_string()))
}
