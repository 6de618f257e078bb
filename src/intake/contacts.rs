//! A list of contacts: bytes of a file to rows and complaints that sum to the file's rows.
//!
//! What the file looks like is found by looking ([`super::list`]). Every row after the header ends in exactly one
//! bucket; a file of which nothing can be used is refused whole, with what would help.

use super::columns;
use super::consent::Asked;
use super::list::bytes::{self, File, NotAList, Stopped};
use super::list::dialect;
use super::list::records::{Marks, Record, Records};
use super::list::text::Text;
use super::list::workbook::{self, NoWorkbook};
use super::phone;
use super::rows::Rows;
use crate::domain::Mode;
use crate::domain::list::{Dialect, ListRules, NumberKind, Quote};
use chrono_tz::Tz;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};

pub use super::columns::Column;
pub use super::row::{Bucket, Complaint, Note, Row};

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
    /// What the file turned out to be.
    pub dialect: Dialect,
    /// What was guessed, for somebody to look at.
    pub notices: Vec<String>,
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

    /// Accepted rows by the kind of the number that is called first.
    pub fn kinds(&self) -> BTreeMap<NumberKind, usize> {
        let mut kinds = BTreeMap::new();
        for row in &self.accepted {
            *kinds.entry(row.kind).or_insert(0) += 1;
        }
        kinds
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
    #[error(
        "line {line}: no phone column among: {found}; name one of the columns phone, mobile, телефон or номер, \
         or say which in list.columns.phone"
    )]
    NoPhoneColumn { line: u64, found: String },
    #[error("line {line}: no column {wanted} among: {found}")]
    NoSuchColumn { line: u64, wanted: String, found: String },
    #[error("line {line}: column `{header}` is given two meanings; keep one")]
    ColumnTwice { line: u64, header: String },
    #[error("line {line}: two columns say how to call (mode and scenario); keep one")]
    TwoModeColumns { line: u64 },
    #[error("line {line}: {columns} columns are too many (at most {max})", max = columns::COLUMNS_MAX)]
    TooManyColumns { line: u64, columns: usize },
    #[error("line {line}: the file has more than {rows_max} rows; split it, or raise list.rows_max")]
    TooManyRows { line: u64, rows_max: u64 },
    #[error("line {line}: {cause}")]
    Stopped { line: u64, cause: Stopped },
    #[error("this is {0}")]
    NotAList(#[from] NotAList),
    #[error("this is {0}")]
    NoWorkbook(#[from] NoWorkbook),
    #[error("region `{0}`: {1}")]
    Region(String, String),
    #[error("none of {} rows can be called: {}", .0.rows, quoted(.0))]
    AllRefused(Box<List>),
    #[error("line {line}: the file broke off")]
    Broken {
        line: u64,
        #[source]
        cause: io::Error,
    },
}

impl IntakeError {
    fn of(cause: io::Error, line: u64) -> Self {
        match cause.downcast::<Stopped>() {
            Ok(cause) => IntakeError::Stopped { line, cause },
            Err(cause) => IntakeError::Broken { line, cause },
        }
    }
}

fn quoted(list: &List) -> String {
    let lines = list.complaints.iter().take(QUOTED_MAX).map(|c| format!("line {}: {}: {}", c.line, c.field, c.reason));
    let more = list.rows.saturating_sub(QUOTED_MAX);
    let tail = if more > 0 { format!("; and {more} more") } else { String::new() };
    format!("{}{tail}", lines.collect::<Vec<_>>().join("; "))
}

/// What a file is read by.
#[derive(Clone, Debug)]
pub struct Order<'a> {
    /// How numbers without a country code are read.
    pub region: &'a str,
    /// By whose clock a row's times are read that names none.
    pub zone: Tz,
    pub modes: &'a BTreeSet<Mode>,
    /// What is asked of every row besides.
    pub asked: Option<&'a Asked>,
    pub rules: &'a ListRules,
    /// Accepted rows keep their cells as they stood in the file: they may turn out to be duplicates later.
    pub whole: bool,
}

/// Where a row ends.
#[derive(Clone, Debug, PartialEq)]
pub enum Fate {
    Accepted(Box<Row>),
    /// A duplicate, or refused.
    Complaint(Complaint),
}

/// What a file turned out to be, once all its rows were handed on.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    pub rows: usize,
    pub columns: Vec<Column>,
    pub dialect: Dialect,
    pub notices: Vec<String>,
}

/// Reads a whole file that is in memory. `region` says how numbers without a country code are read.
pub fn read(bytes: &[u8], region: &str, modes: &BTreeSet<Mode>) -> Result<List, IntakeError> {
    let rules = ListRules::default();
    useful(read_from(bytes, &Order { region, zone: chrono_tz::UTC, modes, asked: None, rules: &rules, whole: false })?)
}

/// Reads all rows, whatever becomes of them.
pub fn read_from(bytes: impl Read, order: &Order<'_>) -> Result<List, IntakeError> {
    let (mut accepted, mut complaints) = (Vec::new(), Vec::new());
    let found = each(bytes, order, &mut |fate| match fate {
        Fate::Accepted(row) => accepted.push(*row),
        Fate::Complaint(complaint) => complaints.push(complaint),
    })?;
    let Found { rows, columns, dialect, notices } = found;
    Ok(List { accepted, complaints, rows, columns, dialect, notices })
}

/// A list of which somebody can be called.
pub fn useful(list: List) -> Result<List, IntakeError> {
    if list.accepted.is_empty() { Err(IntakeError::AllRefused(Box::new(list))) } else { Ok(list) }
}

/// Hands on the fate of every row, in the order of the file. What was handed on before an error does not hold.
pub fn each(bytes: impl Read, order: &Order<'_>, hand_on: &mut dyn FnMut(Fate)) -> Result<Found, IntakeError> {
    let home = phone::region(order.region).map_err(|cure| IntakeError::Region(order.region.to_owned(), cure))?;
    let mib = order.rules.size_mib_max;
    let wish = &order.rules.dialect;
    let mut rows = Rows::new(order, home, hand_on);
    match bytes::open(bytes, mib).map_err(|cause| IntakeError::of(cause, 1))?? {
        File::Text { bytes, gzip } => {
            let text = Text::new(bytes, wish.encoding.as_deref(), order.region);
            let mut records = Records::new(text, Marks { delimiter: b',', quote: Quote::Double });
            let (head, more) = records.head(dialect::HEAD_BYTES).map_err(|cause| IntakeError::of(cause, 1))?;
            let found = dialect::find(head, more, wish);
            records.marks = found.marks;
            if found.instruction {
                records.skip_line().map_err(|cause| IntakeError::of(cause, 1))?;
            }
            let mut record = Record::default();
            while records.next(&mut record).map_err(|cause| IntakeError::of(cause, rows.line()))? {
                rows.take(&record)?;
            }
            let mut told = rows.end()?;
            let own = &mut told.dialect;
            (own.format, own.gzip) = (Some("csv"), Some(gzip));
            own.delimiter = Some(char::from(found.marks.delimiter));
            own.quote = Some(found.marks.quote);
            own.encoding = Some(records.into_source().encoding());
            if found.instruction {
                told.notices.push("line 1 names the delimiter and is no row".to_owned());
            }
            Ok(told)
        }
        File::Workbook { bytes, gzip } => {
            rows.pads();
            let sheets = workbook::each(bytes, wish.sheet.as_deref(), mib, &mut |record| rows.take(record))??;
            let mut told = rows.end()?;
            (told.dialect.format, told.dialect.gzip) = (Some("xlsx"), Some(gzip));
            if !sheets.others.is_empty() {
                let (read, others) = (&sheets.read, sheets.others.join(", "));
                told.notices.push(format!("sheet `{read}` was read, others were not: {others}"));
            }
            told.dialect.sheet = Some(sheets.read);
            Ok(told)
        }
    }
}

#[cfg(test)]
#[path = "contacts_tests.rs"]
mod tests;
