//! Records to fates: the header once, then every row into its bucket.

use super::columns::{self, Layout, Role};
use super::contacts::{Fate, Found, IntakeError, Order};
use super::list::records::Record;
use super::phone;
use super::reading::{Batch, Read, Readers, Reading, cells};
use super::row::{self, Bucket, Complaint};
use super::seen::Seen;
use super::values::Kinds;
use crate::domain::list::Dialect;
use rlibphonenumber::Region;
use std::sync::Arc;
use std::thread::Scope;

/// Rows that are looked at before columns are told apart.
const HEAD_ROWS: usize = 100;
/// Rows read at once, and what they may hold of text.
const BATCH_ROWS: usize = 1024;
const BATCH_BYTES: usize = 1 << 20;
/// A record that held more is not used again.
const SPARE_BYTES: usize = 4096;

enum State {
    /// Rows that wait until enough are seen.
    Head(Vec<Record>),
    Body(Arc<Layout>, Kinds),
}

/// Takes records, hands on fates.
pub struct Rows<'scope, 'env, 'b> {
    order: &'env Order<'env>,
    region: Region,
    hand_on: &'b mut dyn FnMut(Fate),
    scope: &'scope Scope<'scope, 'env>,
    /// Once there is more than one batch.
    readers: Option<Readers>,
    state: State,
    waiting: Vec<Record>,
    waiting_bytes: usize,
    /// Used before, and to be used again.
    spare: Vec<Record>,
    /// Absent cells at the end of a row are empty ones: a workbook does not write them.
    pads: bool,
    rows: u64,
    line: u64,
    seen: Seen,
}

impl<'scope, 'env, 'b> Rows<'scope, 'env, 'b> {
    pub fn new(
        order: &'env Order<'env>,
        region: Region,
        scope: &'scope Scope<'scope, 'env>,
        hand_on: &'b mut dyn FnMut(Fate),
    ) -> Self {
        Rows {
            order,
            region,
            hand_on,
            scope,
            readers: None,
            state: State::Head(Vec::new()),
            waiting: Vec::with_capacity(BATCH_ROWS),
            waiting_bytes: 0,
            spare: Vec::new(),
            pads: false,
            rows: 0,
            line: 1,
            seen: Seen::default(),
        }
    }

    pub fn pads(&mut self) {
        self.pads = true;
    }

    /// Where the reading stands.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// Takes what the record holds; another one is left in its place, to be filled.
    pub fn take(&mut self, record: &mut Record) -> Result<(), IntakeError> {
        self.line = record.line;
        let record = std::mem::replace(record, self.spare.pop().unwrap_or_default());
        if let State::Head(head) = &mut self.state {
            head.push(record);
            return if head.len() < HEAD_ROWS { Ok(()) } else { self.begin() };
        }
        self.waiting_bytes += record.bytes();
        self.waiting.push(record);
        if self.waiting.len() < BATCH_ROWS && self.waiting_bytes < BATCH_BYTES { Ok(()) } else { self.batch() }
    }

    /// The columns are told apart, and the rows go on their way that waited.
    fn begin(&mut self) -> Result<(), IntakeError> {
        let State::Head(head) = std::mem::replace(&mut self.state, State::Head(Vec::new())) else { return Ok(()) };
        let layout = columns::layout(&head, self.order.rules, self.region)?;
        let from = layout.header.map_or(0, |place| place + 1);
        let kinds = Kinds::of(&layout.columns);
        self.state = State::Body(Arc::new(layout), kinds);
        self.waiting.extend(head.into_iter().skip(from));
        Ok(())
    }

    /// The rows that wait are on their way to be read, and earlier ones that are read go into their buckets.
    fn batch(&mut self) -> Result<(), IntakeError> {
        let Some(reading) = self.reading() else { return Ok(()) };
        let readers = self.readers.get_or_insert_with(|| Readers::start(self.scope, &reading));
        self.waiting_bytes = 0;
        readers.put(std::mem::replace(&mut self.waiting, Vec::with_capacity(BATCH_ROWS)));
        match readers.next_of_many() {
            Some(batch) => self.all(batch),
            None => Ok(()),
        }
    }

    fn reading(&self) -> Option<Reading<'env>> {
        let State::Body(layout, _) = &self.state else { return None };
        Some(Reading { order: self.order, region: self.region, pads: self.pads, layout: layout.clone() })
    }

    fn all(&mut self, batch: Batch) -> Result<(), IntakeError> {
        let Batch { mut records, read } = batch;
        records.iter().zip(read).try_for_each(|(record, read)| self.row(record, read))?;
        records.retain(|record| record.bytes() <= SPARE_BYTES);
        self.spare.append(&mut records);
        self.spare.truncate(BATCH_ROWS);
        Ok(())
    }

    fn row(&mut self, record: &Record, read: Read) -> Result<(), IntakeError> {
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
        let rest = std::mem::take(&mut self.waiting);
        match (self.readers.take(), self.reading()) {
            (Some(mut readers), _) => {
                readers.put(rest);
                while let Some(batch) = readers.next() {
                    self.all(batch)?;
                }
            }
            (None, Some(reading)) => self.all(reading.all(rest))?,
            (None, None) => {}
        }
        let State::Body(layout, kinds) = self.state else { return Err(IntakeError::Empty) };
        let mut layout = Arc::unwrap_or_clone(layout);
        if self.rows == 0 {
            return Err(IntakeError::NoRows { line: header_line.unwrap_or(1) });
        }
        kinds.tell(&mut layout.columns);
        let dialect =
            Dialect { header: Some(layout.header.is_some()), header_line: layout.header_line, ..Dialect::default() };
        Ok(Found { rows: self.rows as usize, columns: layout.columns, dialect, notices: layout.notices })
    }
}
