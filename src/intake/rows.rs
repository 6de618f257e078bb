//! Records to fates: the header once, then every row into its bucket.

use super::columns::{self, Layout, Role};
use super::contacts::{Fate, Found, IntakeError, Order};
use super::list::records::{Flaw, Record};
use super::row::{self, Bucket, Complaint, Row};
use super::seen::Seen;
use super::values::Kinds;
use super::{list, phone};
use crate::domain::list::Dialect;
use rlibphonenumber::Region;
use std::num::NonZeroUsize;

/// Rows that are looked at before columns are told apart.
const HEAD_ROWS: usize = 100;
/// Rows read at once, and the fewest that are worth a thread.
const BATCH_ROWS: usize = 1024;
const SHARE_ROWS: usize = 64;

enum State {
    /// Rows that wait until enough are seen.
    Head(Vec<Record>),
    Body(Layout, Kinds),
}

/// Takes records, hands on fates.
pub struct Rows<'a, 'b> {
    order: &'a Order<'a>,
    region: Region,
    hand_on: &'b mut dyn FnMut(Fate),
    state: State,
    waiting: Vec<Record>,
    threads: usize,
    /// Absent cells at the end of a row are empty ones: a workbook does not write them.
    pads: bool,
    rows: u64,
    line: u64,
    seen: Seen,
}

impl<'a, 'b> Rows<'a, 'b> {
    pub fn new(order: &'a Order<'a>, region: Region, hand_on: &'b mut dyn FnMut(Fate)) -> Self {
        let state = State::Head(Vec::new());
        let threads = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let waiting = Vec::with_capacity(BATCH_ROWS);
        Rows { order, region, hand_on, state, waiting, threads, pads: false, rows: 0, line: 1, seen: Seen::default() }
    }

    pub fn pads(&mut self) {
        self.pads = true;
    }

    /// Where the reading stands.
    pub fn line(&self) -> u64 {
        self.line
    }

    pub fn take(&mut self, record: &Record) -> Result<(), IntakeError> {
        self.line = record.line;
        match &mut self.state {
            State::Head(head) => {
                head.push(record.clone());
                if head.len() < HEAD_ROWS { Ok(()) } else { self.begin() }
            }
            State::Body(..) => {
                self.waiting.push(record.clone());
                if self.waiting.len() < BATCH_ROWS { Ok(()) } else { self.batch() }
            }
        }
    }

    /// The columns are told apart, and the rows go on their way that waited.
    fn begin(&mut self) -> Result<(), IntakeError> {
        let State::Head(head) = std::mem::replace(&mut self.state, State::Head(Vec::new())) else { return Ok(()) };
        let layout = columns::layout(&head, self.order.rules, self.region)?;
        let from = layout.header.map_or(0, |place| place + 1);
        let kinds = Kinds::of(&layout.columns);
        self.state = State::Body(layout, kinds);
        self.waiting.extend(head.into_iter().skip(from));
        Ok(())
    }

    /// The rows that wait: read by all processors, then into their buckets one after the other.
    fn batch(&mut self) -> Result<(), IntakeError> {
        let records = std::mem::take(&mut self.waiting);
        let State::Body(layout, _) = &self.state else { return Ok(()) };
        let reading = Reading { order: self.order, region: self.region, pads: self.pads, layout };
        let read: Vec<Result<Row, Complaint>> = std::thread::scope(|scope| {
            let mut shares = records.chunks(records.len().div_ceil(self.threads).max(SHARE_ROWS));
            let own = shares.next().unwrap_or_default();
            let others: Vec<_> = shares.map(|share| scope.spawn(|| reading.all(share))).collect();
            let mut read = reading.all(own);
            others.into_iter().for_each(|other| match other.join() {
                Ok(rows) => read.extend(rows),
                Err(panicked) => std::panic::resume_unwind(panicked),
            });
            read
        });
        records.iter().zip(read).try_for_each(|(record, read)| self.row(record, read))
    }

    fn row(&mut self, record: &Record, read: Result<Row, Complaint>) -> Result<(), IntakeError> {
        let State::Body(layout, kinds) = &mut self.state else { return Ok(()) };
        let rows_max = self.order.rules.rows_max;
        if self.rows == rows_max {
            return Err(IntakeError::TooManyRows { line: record.line, rows_max });
        }
        self.rows += 1;
        let fate = match read {
            Err(complaint) => Fate::Complaint(complaint),
            Ok(row) => match self.seen.see(row.number.digits(), record.line) {
                Some(earlier) => Fate::Complaint(Complaint {
                    line: record.line,
                    bucket: Bucket::Duplicate,
                    field: layout.columns[layout.phone].header.clone(),
                    reason: format!("the same number as line {earlier}"),
                    raw: phone::shown(&row.raw),
                    cells: row::whole(&cells(record, layout, self.pads)),
                }),
                None => {
                    for (place, column) in layout.columns.iter().enumerate() {
                        if let Role::Variable(name) = &column.role {
                            kinds.see(place, row.variables.get(name).map_or("", String::as_str));
                        }
                    }
                    Fate::Accepted(Box::new(row))
                }
            },
        };
        (self.hand_on)(fate);
        Ok(())
    }

    pub fn end(mut self) -> Result<Found, IntakeError> {
        let mut header_line = None;
        if let State::Head(head) = &self.state {
            if head.is_empty() {
                return Err(IntakeError::Empty);
            }
            header_line = Some(head[0].line);
            self.begin()?;
        }
        self.batch()?;
        let State::Body(mut layout, kinds) = self.state else { return Err(IntakeError::Empty) };
        if self.rows == 0 {
            return Err(IntakeError::NoRows { line: header_line.unwrap_or(1) });
        }
        kinds.tell(&mut layout.columns);
        let dialect =
            Dialect { header: Some(layout.header.is_some()), header_line: layout.header_line, ..Dialect::default() };
        Ok(Found { rows: self.rows as usize, columns: layout.columns, dialect, notices: layout.notices })
    }
}

/// What a row is read by, alone: no row knows of another.
struct Reading<'a> {
    order: &'a Order<'a>,
    region: Region,
    pads: bool,
    layout: &'a Layout,
}

impl Reading<'_> {
    fn all(&self, records: &[Record]) -> Vec<Result<Row, Complaint>> {
        records.iter().map(|record| self.one(record)).collect()
    }

    fn one(&self, record: &Record) -> Result<Row, Complaint> {
        let (order, layout) = (self.order, self.layout);
        let rules = row::Rules {
            columns: &layout.columns,
            region: self.region,
            modes: order.modes,
            allow: order.rules.allow,
            zone: order.zone,
        };
        let cells = cells(record, layout, self.pads);
        let refused = |(field, reason, raw): (String, String, String)| {
            let cells = String::new();
            Err(Complaint { line: record.line, bucket: Bucket::Refused, field, reason, raw, cells })
        };
        let read = match faulty(record, &cells, layout) {
            Some(fault) => refused(fault),
            None => row::row(&rules, record.line, &cells[..layout.columns.len()]),
        };
        let asked = |row: Row| match order.asked.and_then(|asked| asked.refuses(&row)) {
            Some((field, reason)) => refused((field.to_owned(), reason, phone::shown(&row.raw))),
            None => Ok(row),
        };
        match read.and_then(asked) {
            Ok(row) => Ok(Row { cells: order.whole.then(|| row::whole(&cells)), ..row }),
            Err(complaint) => Err(Complaint { cells: row::whole(&cells), ..complaint }),
        }
    }
}

fn cells<'a>(record: &'a Record, layout: &Layout, pads: bool) -> Vec<&'a str> {
    let mut cells: Vec<&str> = record.cells().collect();
    if pads && cells.len() < layout.columns.len() {
        cells.resize(layout.columns.len(), "");
    }
    cells
}

/// Why a row does not fit its header: field, reason, what stood there. Empty cells past the end are Excel's habit.
fn faulty(record: &Record, cells: &[&str], layout: &Layout) -> Option<(String, String, String)> {
    let shown = phone::shown(cells.get(layout.phone).copied().unwrap_or_default());
    let fault = |reason: String, shown: String| Some(("row".to_owned(), reason, shown));
    match record.flaw {
        Some(Flaw::OpenQuote) => {
            let reason = "a quote is opened and not closed: close it, or write it twice";
            return fault(reason.to_owned(), shown);
        }
        Some(Flaw::TooLong) => {
            let kib = list::records::RECORD_BYTES_MAX >> 10;
            return fault(format!("longer than {kib} KiB: is this a list?"), phone::shown(cells[0]));
        }
        Some(Flaw::TooWide) => {
            let most = list::workbook::COLUMNS_MAX;
            return fault(format!("a cell stands right of column {most}: delete it"), shown);
        }
        None => {}
    }
    // What an export of ours wrote beside a row is nothing that the row says.
    let ours = |place: usize| layout.columns.get(place).is_some_and(|column| column.role == Role::Ours);
    if cells.iter().enumerate().all(|(place, cell)| cell.trim().is_empty() || ours(place)) {
        return fault("the row is empty".to_owned(), String::new());
    }
    if let Some(surplus) = layout.surplus.and_then(|place| cells.get(place)).filter(|cell| !cell.trim().is_empty()) {
        let cure = format!("put them where they belong, and empty {}", columns::SURPLUS);
        return fault(format!("the row had cells too many: {cure}"), phone::shown(surplus));
    }
    let columns = layout.columns.len();
    let surplus = cells.iter().skip(columns).any(|cell| !cell.trim().is_empty());
    if cells.len() < columns || surplus {
        let expected = if layout.header.is_some() { "the header has" } else { "most rows have" };
        let mut reason = format!("{} fields, and {expected} {columns}", cells.len());
        if record.lines > 1 {
            let last = record.line + record.lines - 1;
            reason += &format!("; a field runs on to line {last}: is a quote left open?");
        }
        return fault(reason, shown);
    }
    None
}
