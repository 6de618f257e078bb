//! A list of contacts: bytes of a CSV to rows and complaints that sum to the file's rows.
//!
//! The delimiter and the header are found by looking. Every row after the header ends in exactly one
//! bucket; a file of which nothing can be used is refused whole, with what would help.

use super::columns::{self, Column};
use super::consent::Asked;
use super::phone;
use super::row::{self, Bucket, Complaint, Note, Row};
use crate::domain::{Mode, PhoneNumber};
use csv::{ByteRecord, ReaderBuilder};
use std::collections::{BTreeSet, HashMap};

pub const FILE_BYTES_MAX: usize = 512 << 20;
pub const ROWS_MAX: usize = 2_000_000;

/// Complaints that an error quotes; the whole list goes with it.
const QUOTED_MAX: usize = 5;

/// What one file holds.
#[derive(Clone, Debug, PartialEq)]
pub struct List {
    pub accepted: Vec<Row>,
    pub complaints: Vec<Complaint>,
    /// Rows of the file, the header apart; the sum of the three buckets.
    pub rows: usize,
    pub columns: Vec<Column>,
    pub delimiter: char,
}

impl List {
    pub fn duplicates(&self) -> usize {
        self.complaints.iter().filter(|c| c.bucket == Bucket::Duplicate).count()
    }

    pub fn refused(&self) -> usize {
        self.complaints.iter().filter(|c| c.bucket == Bucket::Refused).count()
    }

    /// Cells of accepted rows that could not be used.
    pub fn notes(&self) -> impl Iterator<Item = &Note> {
        self.accepted.iter().flat_map(|row| &row.notes)
    }

    /// Accepted rows of which a number is kept for examples: never dialled on the real platform.
    pub fn examples(&self) -> impl Iterator<Item = &Row> {
        let example = |row: &&Row| row.number.is_example() || row.alternates.iter().any(|a| a.number.is_example());
        self.accepted.iter().filter(example)
    }

    /// Accepted rows that name their own mode, and so are in no experiment.
    pub fn own_modes(&self) -> usize {
        self.accepted.iter().filter(|row| row.mode.is_some()).count()
    }
}

/// Why a file is refused whole. Nothing of it is used.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    #[error("the file is empty; it needs a header and a row for each contact")]
    Empty,
    #[error("line {line}: a header, and no rows below it; add a row for each contact")]
    NoRows { line: u64 },
    #[error("line {line}, byte {byte}: not UTF-8; save the file as \"CSV UTF-8\"")]
    NotUtf8 { line: u64, byte: usize },
    #[error("line {line}: no phone column among: {found}; name one of the columns phone, mobile, телефон or номер")]
    NoPhoneColumn { line: u64, found: String },
    #[error("line {line}: two columns say how to call (mode and scenario); keep one")]
    TwoModeColumns { line: u64 },
    #[error("line {line}: {columns} columns are too many (at most {max})", max = columns::COLUMNS_MAX)]
    TooManyColumns { line: u64, columns: usize },
    #[error("the file has more than {ROWS_MAX} rows; split it")]
    TooManyRows,
    #[error("the file has {bytes} bytes, more than {FILE_BYTES_MAX}; split it")]
    TooLarge { bytes: usize },
    #[error("region `{0}`: {1}")]
    Region(String, String),
    #[error("none of {} rows can be called: {}", .0.rows, quoted(.0))]
    AllRefused(Box<List>),
    #[error("cannot read the file")]
    Csv(#[source] csv::Error),
}

fn quoted(list: &List) -> String {
    let lines = list.complaints.iter().take(QUOTED_MAX).map(|c| format!("line {}: {}: {}", c.line, c.field, c.reason));
    let more = list.complaints.len().saturating_sub(QUOTED_MAX);
    let tail = if more > 0 { format!("; and {more} more") } else { String::new() };
    format!("{}{tail}", lines.collect::<Vec<_>>().join("; "))
}

/// Reads a whole file. `region` says how numbers without a country code are read.
pub fn read(bytes: &[u8], region: &str, modes: &BTreeSet<Mode>) -> Result<List, IntakeError> {
    read_asked(bytes, region, modes, None)
}

/// The same, held against what is asked of every row besides.
pub fn read_asked(
    bytes: &[u8],
    region: &str,
    modes: &BTreeSet<Mode>,
    asked: Option<&Asked>,
) -> Result<List, IntakeError> {
    let home = phone::region(region).map_err(|cure| IntakeError::Region(region.to_owned(), cure))?;
    if bytes.len() > FILE_BYTES_MAX {
        return Err(IntakeError::TooLarge { bytes: bytes.len() });
    }
    let text = std::str::from_utf8(bytes).map_err(|cause| {
        let byte = cause.valid_up_to();
        IntakeError::NotUtf8 { line: Lines::new(bytes).at(byte), byte }
    })?;
    let text = text.trim_start_matches('\u{feff}');
    let bytes = text.as_bytes();
    let mut lines = Lines::new(bytes);

    let delimiter = delimiter(bytes);
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(bytes);
    let mut record = ByteRecord::new();
    if !reader.read_byte_record(&mut record).map_err(IntakeError::Csv)? {
        return Err(IntakeError::Empty);
    }
    let header_line = lines.start(&record);
    let headers: Vec<String> = record.iter().map(|cell| str_of(cell).to_owned()).collect();
    let (phone_at, columns) = columns::columns(&headers, header_line)?;

    let mut list = List { accepted: Vec::new(), complaints: Vec::new(), rows: 0, columns, delimiter: delimiter.into() };
    let mut first: HashMap<PhoneNumber, u64> = HashMap::new();
    while reader.read_byte_record(&mut record).map_err(IntakeError::Csv)? {
        if list.rows == ROWS_MAX {
            return Err(IntakeError::TooManyRows);
        }
        list.rows += 1;
        let line = lines.start(&record);
        let cells: Vec<&str> = record.iter().map(str_of).collect();
        let rules = row::Rules { columns: &list.columns, region: home, modes };
        let read = match ragged(&cells, list.columns.len(), phone_at) {
            None => row::row(&rules, line, &cells[..list.columns.len()]),
            Some((reason, raw)) => {
                Err(Complaint { line, bucket: Bucket::Refused, field: "row".to_owned(), reason, raw })
            }
        };
        let read = read.and_then(|row| asked_of(asked, row));
        match read {
            Ok(row) => match first.get(&row.number) {
                Some(earlier) => list.complaints.push(Complaint {
                    line,
                    bucket: Bucket::Duplicate,
                    field: list.columns[phone_at].header.clone(),
                    reason: format!("the same number as line {earlier}"),
                    raw: phone::shown(&row.raw),
                }),
                None => {
                    first.insert(row.number.clone(), line);
                    list.accepted.push(row);
                }
            },
            Err(complaint) => list.complaints.push(complaint),
        }
    }
    match (list.rows, list.accepted.len()) {
        (0, _) => Err(IntakeError::NoRows { line: header_line }),
        (_, 0) => Err(IntakeError::AllRefused(Box::new(list))),
        _ => Ok(list),
    }
}

fn asked_of(asked: Option<&Asked>, row: Row) -> Result<Row, Complaint> {
    let Some((field, reason)) = asked.and_then(|asked| asked.refuses(&row)) else { return Ok(row) };
    let raw = phone::shown(&row.raw);
    Err(Complaint { line: row.line, bucket: Bucket::Refused, field: field.to_owned(), reason, raw })
}

/// The fields of a text that is UTF-8 as a whole, cut at ASCII delimiters, are UTF-8.
fn str_of(cell: &[u8]) -> &str {
    std::str::from_utf8(cell).expect("the file was checked to be UTF-8, and CSV cuts only at ASCII")
}

/// Comma, semicolon or tab: the one that shows a phone column, and then the most columns.
fn delimiter(bytes: &[u8]) -> u8 {
    let score = |delimiter: u8| {
        let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(bytes);
        let mut header = ByteRecord::new();
        match reader.read_byte_record(&mut header) {
            Ok(true) => (columns::phone_column(header.iter().map(str_of)).is_some(), header.len()),
            _ => (false, 0),
        }
    };
    let mut best = (b',', score(b','));
    for other in [b';', b'\t'] {
        if score(other) > best.1 {
            best = (other, score(other));
        }
    }
    best.0
}

/// Why a row does not fit its header. Empty cells past the end are Excel's habit and do no harm.
fn ragged(cells: &[&str], columns: usize, phone_at: usize) -> Option<(String, String)> {
    let shown = |place: usize| phone::shown(cells.get(place).copied().unwrap_or_default());
    if cells.iter().all(|cell| cell.trim().is_empty()) {
        return Some(("the row is empty".to_owned(), String::new()));
    }
    let surplus = cells.iter().skip(columns).any(|cell| !cell.trim().is_empty());
    if cells.len() < columns || surplus {
        let mut reason = format!("{} fields, and the header has {columns}", cells.len());
        if cells.iter().any(|cell| cell.contains('\n')) {
            reason += "; a field runs over several lines: is a quote left open?";
        }
        return Some((reason, shown(phone_at)));
    }
    None
}

/// Lines of the file, counted once from its beginning. A line ends with `\n`, `\r\n` or `\r`; the
/// reader's own count knows only `\n`, so that all rows of an old Macintosh file would be line 1.
struct Lines<'a> {
    bytes: &'a [u8],
    at: usize,
    line: u64,
}

impl<'a> Lines<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Lines { bytes, at: 0, line: 1 }
    }

    /// The line that holds this byte; bytes must be asked for in order.
    fn at(&mut self, byte: usize) -> u64 {
        for place in self.at..byte.min(self.bytes.len()) {
            let ends = match self.bytes[place] {
                b'\n' => true,
                b'\r' => self.bytes.get(place + 1) != Some(&b'\n'),
                _ => false,
            };
            self.line += u64::from(ends);
        }
        self.at = self.at.max(byte);
        self.line
    }

    /// The line on which a record starts. Its position stands before the empty lines that were skipped.
    fn start(&mut self, record: &ByteRecord) -> u64 {
        let from = record.position().map_or(0, |position| position.byte() as usize).min(self.bytes.len());
        let skipped = self.bytes[from..].iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
        self.at(from + skipped)
    }
}

#[cfg(test)]
#[path = "contacts_tests.rs"]
mod tests;
