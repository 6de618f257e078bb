//! Text to records: where a row ends, and where its cells do.
//!
//! A quote that is never closed must not swallow the rows below it. So a quoted cell has bounds; where it breaks
//! them, its line alone is a faulty record, and the next line is read as the next row. Each line of a file that is
//! not empty belongs to exactly one record.

use super::text::Text;
use crate::domain::list::Quote;
use std::io::{self, Read};

/// A record of more bytes is none; its line is skipped to its end.
pub const RECORD_BYTES_MAX: usize = 1 << 20;
/// A quoted cell of more lines, or bytes, was never closed.
const QUOTED_LINES_MAX: u64 = 100;
const QUOTED_BYTES_MAX: usize = 64 << 10;
/// Shown of a record that is too long.
const SHOWN_BYTES: usize = 200;

/// What is wrong with a record before anybody looks at its cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    OpenQuote,
    TooLong,
    /// A cell of a workbook stands far right of all columns.
    TooWide,
}

/// The cells of one row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// Its first line, counted from 1.
    pub line: u64,
    /// How many lines it covers.
    pub lines: u64,
    pub flaw: Option<Flaw>,
    text: String,
    ends: Vec<usize>,
}

impl Record {
    pub fn begin(&mut self, line: u64) {
        self.text.clear();
        self.ends.clear();
        (self.line, self.lines, self.flaw) = (line, 1, None);
    }

    pub fn push(&mut self, cell: &str) {
        self.text.push_str(cell);
        self.ends.push(self.text.len());
    }

    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    pub fn get(&self, place: usize) -> Option<&str> {
        let from = if place == 0 { 0 } else { *self.ends.get(place - 1)? };
        self.text.get(from..*self.ends.get(place)?)
    }

    pub fn cells(&self) -> impl Iterator<Item = &str> {
        (0..self.ends.len()).filter_map(|place| self.get(place))
    }
}

/// Where more text comes from.
pub trait Source {
    /// Puts some text behind what is there; false at the end.
    fn fill(&mut self, into: &mut Vec<u8>) -> io::Result<bool>;
}

impl<R: Read> Source for Text<R> {
    fn fill(&mut self, into: &mut Vec<u8>) -> io::Result<bool> {
        Text::fill(self, into)
    }
}

/// Nothing comes any more.
impl Source for () {
    fn fill(&mut self, _: &mut Vec<u8>) -> io::Result<bool> {
        Ok(false)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Marks {
    pub delimiter: u8,
    pub quote: Quote,
}

impl Marks {
    fn quote(self) -> Option<u8> {
        match self.quote {
            Quote::Double => Some(b'"'),
            Quote::Single => Some(b'\''),
            Quote::None => None,
        }
    }
}

pub struct Records<S> {
    source: S,
    buffer: Vec<u8>,
    at: usize,
    ended: bool,
    line: u64,
    pub marks: Marks,
}

enum Cell {
    Ends(usize),
    Open,
}

impl<S: Source> Records<S> {
    pub fn new(source: S, marks: Marks) -> Self {
        Records { source, buffer: Vec::new(), at: 0, ended: false, line: 1, marks }
    }

    /// The text at the beginning, up to `most` bytes, and whether there is more.
    pub fn head(&mut self, most: usize) -> io::Result<(&str, bool)> {
        while self.buffer.len() < most && self.more()? {}
        let text = text(&self.buffer);
        let cut = (0..=most.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        Ok((&text[..cut], cut < text.len() || !self.ended))
    }

    /// Leaves out the line at which it stands.
    pub fn skip_line(&mut self) -> io::Result<()> {
        let end = match self.line_end(self.at)? {
            Some(end) => end,
            None => return self.skip_long(),
        };
        self.pass(end)
    }

    pub fn into_source(self) -> S {
        self.source
    }

    fn more(&mut self) -> io::Result<bool> {
        if !self.ended {
            self.ended = !self.source.fill(&mut self.buffer)?;
        }
        Ok(!self.ended)
    }

    /// The byte there, if there is one.
    fn byte(&mut self, place: usize) -> io::Result<Option<u8>> {
        while place >= self.buffer.len() && self.more()? {}
        Ok(self.buffer.get(place).copied())
    }

    /// Where the line ends that holds this place; nothing when the record gets too long.
    fn line_end(&mut self, from: usize) -> io::Result<Option<usize>> {
        let mut from = from;
        loop {
            let here = &self.buffer[from.min(self.buffer.len())..];
            if let Some(found) = here.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
                let end = from + found;
                return Ok((end - self.at <= RECORD_BYTES_MAX).then_some(end));
            }
            from = self.buffer.len();
            if from - self.at > RECORD_BYTES_MAX {
                return Ok(None);
            }
            if !self.more()? {
                return Ok(Some(self.buffer.len()));
            }
        }
    }

    /// Behind the line break at `end`, if one is there.
    fn behind(&mut self, end: usize) -> io::Result<usize> {
        Ok(match self.byte(end)? {
            Some(b'\r') if self.byte(end + 1)? == Some(b'\n') => end + 2,
            Some(b'\r' | b'\n') => end + 1,
            _ => end,
        })
    }

    /// Goes on to the next line.
    fn pass(&mut self, end: usize) -> io::Result<()> {
        let next = self.behind(end)?;
        self.line += u64::from(next > end);
        self.at = next;
        Ok(())
    }

    fn skip_long(&mut self) -> io::Result<()> {
        loop {
            let here = &self.buffer[self.at..];
            if let Some(found) = here.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
                return self.pass(self.at + found);
            }
            self.buffer.clear();
            self.at = 0;
            if !self.more()? {
                return Ok(());
            }
        }
    }

    /// The next record; false at the end. Empty lines are none.
    pub fn next(&mut self, record: &mut Record) -> io::Result<bool> {
        if self.at > 64 << 10 {
            self.buffer.drain(..self.at);
            self.at = 0;
        }
        while let Some(b'\r' | b'\n') = self.byte(self.at)? {
            self.pass(self.at)?;
        }
        if self.byte(self.at)?.is_none() {
            return Ok(false);
        }
        record.begin(self.line);
        let Some(end) = self.line_end(self.at)? else {
            let shown = String::from_utf8_lossy(&self.buffer[self.at..self.at + SHOWN_BYTES]).into_owned();
            record.push(shown.trim_end_matches('\u{fffd}'));
            record.flaw = Some(Flaw::TooLong);
            self.skip_long()?;
            return Ok(true);
        };
        let line = &self.buffer[self.at..end];
        match self.marks.quote().filter(|quote| line.contains(quote)) {
            None => {
                for cell in line.split(|byte| *byte == self.marks.delimiter) {
                    record.push(text(cell));
                }
                self.pass(end)?;
            }
            Some(quote) => self.quoted_line(quote, end, record)?,
        }
        Ok(true)
    }

    /// A line in which quotes stand; `end` is the end of it.
    fn quoted_line(&mut self, quote: u8, end: usize, record: &mut Record) -> io::Result<()> {
        let (start, first_end, delimiter) = (self.at, end, self.marks.delimiter);
        let (mut end, mut from, mut lines) = (end, start, 1);
        loop {
            let blanks = self.buffer[from..end].iter().take_while(|byte| **byte == b' ' && delimiter != b' ').count();
            let opened = from + blanks;
            let next = if opened < end && self.buffer[opened] == quote {
                match self.quoted_cell(quote, opened, &mut end, &mut lines, record)? {
                    Cell::Ends(next) => next,
                    Cell::Open => {
                        record.begin(self.line);
                        for cell in self.buffer[start..first_end].split(|byte| *byte == delimiter) {
                            record.push(text(cell));
                        }
                        record.flaw = Some(Flaw::OpenQuote);
                        return self.pass(first_end);
                    }
                }
            } else {
                let next = position(&self.buffer[from..end], delimiter).map_or(end, |found| from + found);
                record.push(text(&self.buffer[from..next]));
                next
            };
            if next == end {
                break;
            }
            from = next + 1;
        }
        record.lines = lines;
        self.line += lines - 1;
        self.pass(end)
    }

    /// A cell that begins with a quote. It may move the end of the record by lines.
    fn quoted_cell(
        &mut self,
        quote: u8,
        opened: usize,
        end: &mut usize,
        lines: &mut u64,
        record: &mut Record,
    ) -> io::Result<Cell> {
        let (mut from, first_line) = (opened + 1, *lines);
        let closed = loop {
            match position(&self.buffer[from..*end], quote) {
                Some(found) if self.buffer.get(from + found + 1) == Some(&quote) && from + found + 1 < *end => {
                    from += found + 2;
                }
                Some(found) => break from + found,
                None => {
                    let next = self.behind(*end)?;
                    let last = next == *end || self.byte(next)?.is_none();
                    if last || *lines - first_line >= QUOTED_LINES_MAX || next - opened > QUOTED_BYTES_MAX {
                        return Ok(Cell::Open);
                    }
                    from = next;
                    match self.line_end(next)? {
                        Some(further) => *end = further,
                        None => return Ok(Cell::Open),
                    }
                    *lines += 1;
                }
            }
        };
        let delimiter = self.marks.delimiter;
        let behind = closed + 1;
        let blanks = self.buffer[behind..*end].iter().take_while(|byte| **byte == b' ' && delimiter != b' ').count();
        let next = behind + blanks;
        if next == *end || self.buffer[next] == delimiter {
            let inner = text(&self.buffer[opened + 1..closed]);
            let mark = char::from(quote);
            match inner.contains(mark) {
                true => record.push(&inner.replace(&format!("{mark}{mark}"), &mark.to_string())),
                false => record.push(inner),
            }
            return Ok(Cell::Ends(next));
        }
        if *lines > first_line {
            return Ok(Cell::Open);
        }
        // `"Lily" Ltd`: quotes that belong to the words, not to the cell.
        let next = position(&self.buffer[behind..*end], delimiter).map_or(*end, |found| behind + found);
        record.push(text(&self.buffer[opened..next]));
        Ok(Cell::Ends(next))
    }
}

/// All records of a text that is there as a whole.
pub fn of_text(text: &str, marks: Marks, most: usize) -> Vec<Record> {
    let mut records = Records { buffer: text.as_bytes().to_vec(), ended: true, ..Records::new((), marks) };
    let mut all = Vec::new();
    let mut record = Record::default();
    while all.len() < most && matches!(records.next(&mut record), Ok(true)) {
        all.push(record.clone());
    }
    all
}

fn position(bytes: &[u8], wanted: u8) -> Option<usize> {
    bytes.iter().position(|byte| *byte == wanted)
}

/// Text that is cut at ASCII stays UTF-8.
fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("the decoder writes whole letters, and cells are cut at ASCII")
}

#[cfg(test)]
#[path = "records_tests.rs"]
mod tests;
