//! Delimiter and quotes, found by looking at the beginning of a text, or as somebody wishes them.

use super::records::{Marks, Record, of_text};
use super::text;
use crate::domain::list::{Dialect, Quote};
use crate::intake::columns;

/// Text looked at.
pub const HEAD_BYTES: usize = 64 << 10;
/// Records looked at.
const RECORDS: usize = 60;

const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// What the beginning of a text says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    pub marks: Marks,
    /// The first line is Excel's `sep=;`, and no row.
    pub instruction: bool,
}

/// What nobody asked for is found; `more` says that the text goes on.
pub fn find(head: &str, more: bool, wish: &Dialect) -> Found {
    let told = instruction(head);
    let head = if told.is_some() { head.split_once(['\n', '\r']).map_or("", |(_, rest)| rest) } else { head };
    let quote = wish.quote.unwrap_or_else(|| quote(head));
    let wished = wish.delimiter.and_then(|c| u8::try_from(c).ok());
    let delimiter = wished.or(told).unwrap_or_else(|| delimiter(head, more, quote));
    Found { marks: Marks { delimiter, quote }, instruction: told.is_some() }
}

/// `sep=;`: how Excel is told of the delimiter.
fn instruction(head: &str) -> Option<u8> {
    let line = head.split(['\n', '\r']).next()?.trim().trim_matches('"');
    let (name, mark) = line.split_once('=')?;
    let mark = u8::try_from(mark.chars().next().unwrap_or('\t')).ok()?;
    let alone = name.eq_ignore_ascii_case("sep") && line.chars().count() <= "sep=;".len();
    (alone && usable(char::from(mark))).then_some(mark)
}

/// Single quotes only where the whole first row stands in them.
fn quote(head: &str) -> Quote {
    let line = head.split(['\n', '\r']).find(|line| !line.is_empty()).unwrap_or_default().trim();
    let in_single = |delimiter: u8| {
        let cells: Vec<&str> = line.split(char::from(delimiter)).map(str::trim).collect();
        cells.iter().all(|cell| cell.len() > 2 && cell.starts_with('\'') && cell.ends_with('\''))
    };
    if DELIMITERS.into_iter().any(in_single) { Quote::Single } else { Quote::Double }
}

/// The one that shows a phone column, or else cells with numbers; then the most even one, then the most columns.
fn delimiter(head: &str, more: bool, quote: Quote) -> u8 {
    let score = |delimiter: u8| {
        let mut records = of_text(head, Marks { delimiter, quote }, RECORDS);
        if more && records.len() < RECORDS && records.len() > 1 {
            // The text may be cut in its last record.
            records.pop();
        }
        let header = records.iter().take(columns::HEADER_ROWS).any(|row| columns::phone_column(row.cells()).is_some());
        let numbers = records.iter().filter(|row| row.cells().any(columns::looks_like_a_number)).count();
        let width = usual_width(&records);
        let even = records.iter().filter(|row| row.len() == width).count();
        (header, numbers * 2 > records.len(), even * 10 / records.len().max(1), width)
    };
    let mut best = (DELIMITERS[0], score(DELIMITERS[0]));
    for other in DELIMITERS.into_iter().skip(1) {
        let other = (other, score(other));
        if other.1 > best.1 {
            best = other;
        }
    }
    best.0
}

/// How many cells most rows have.
pub fn usual_width(records: &[Record]) -> usize {
    let mut widths: Vec<usize> = records.iter().map(Record::len).collect();
    widths.sort_unstable();
    let of = |width: usize| widths.iter().filter(|other| **other == width).count();
    widths.iter().copied().max_by_key(|width| (of(*width), *width)).unwrap_or(1)
}

fn usable(c: char) -> bool {
    c.is_ascii() && !c.is_ascii_alphanumeric() && !matches!(c, '"' | '\'' | '\n' | '\r' | '+' | '\0')
}

/// A delimiter as people write it.
pub fn delimiter_of(word: &str) -> Result<char, String> {
    let named = match word.trim().to_lowercase().as_str() {
        "tab" | "\\t" => Some('\t'),
        "comma" => Some(','),
        "semicolon" => Some(';'),
        "pipe" => Some('|'),
        "space" => Some(' '),
        _ => None,
    };
    let mut letters = word.chars();
    let alone = letters.next().filter(|_| letters.next().is_none());
    named
        .or(alone)
        .filter(|c| usable(*c))
        .ok_or_else(|| "write one character that is no letter or digit, or tab, comma, semicolon, pipe".to_owned())
}

/// The word that [`delimiter_of`] reads back.
pub fn delimiter_word(delimiter: char) -> String {
    if delimiter == '\t' { "tab".to_owned() } else { delimiter.to_string() }
}

pub fn quote_of(word: &str) -> Result<Quote, String> {
    Ok(match word.trim().to_lowercase().as_str() {
        "double" | "\"" => Quote::Double,
        "single" | "'" => Quote::Single,
        "none" => Quote::None,
        _ => return Err("write double, single or none".to_owned()),
    })
}

/// What somebody asks of one file, in words: what the command line and an address hold.
#[derive(Clone, Copy, Debug, Default)]
pub struct Words<'a> {
    pub encoding: Option<&'a str>,
    pub delimiter: Option<&'a str>,
    pub quote: Option<&'a str>,
    pub header: Option<bool>,
    pub sheet: Option<&'a str>,
}

impl Words<'_> {
    /// The wish, or the word that is wrong and what to write instead.
    pub fn wish(&self) -> Result<Dialect, String> {
        let told = |name: &'static str| move |cure: String| format!("{name}: {cure}");
        Ok(Dialect {
            encoding: self.encoding.map(text::known).transpose().map_err(told("encoding"))?,
            delimiter: self.delimiter.map(delimiter_of).transpose().map_err(told("delimiter"))?,
            quote: self.quote.map(quote_of).transpose().map_err(told("quote"))?,
            header: self.header,
            sheet: self.sheet.map(str::to_owned),
            ..Dialect::default()
        })
    }
}

#[cfg(test)]
#[path = "dialect_tests.rs"]
mod tests;
