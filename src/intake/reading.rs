//! Records to rows, on threads of their own: several batches are read at once, and come back in the order of the file.

use super::columns::{self, Layout, Role};
use super::contacts::Order;
use super::list::records::{Flaw, Record};
use super::row::{self, Bucket, Complaint, Row};
use super::{list, phone};
use rlibphonenumber::Region;
use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::sync::mpsc::{self, Receiver, Sender, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::Scope;

pub type Read = Result<Row, Complaint>;

/// Records, and what each was read as.
pub struct Batch {
    pub records: Vec<Record>,
    pub read: Vec<Read>,
}

/// What a row is read by, alone: no row knows of another.
#[derive(Clone)]
pub struct Reading<'a> {
    pub order: &'a Order<'a>,
    pub region: Region,
    pub pads: bool,
    pub layout: Arc<Layout>,
}

/// Records to be read, and where they are wanted back.
type Job = (Vec<Record>, SyncSender<Batch>);

/// As many threads as there are processors. They end when this is dropped.
pub struct Readers {
    jobs: Sender<Job>,
    /// In the order of the file.
    under_way: VecDeque<Receiver<Batch>>,
    ahead: usize,
}

impl Readers {
    pub fn start<'scope, 'env>(scope: &'scope Scope<'scope, 'env>, reading: &Reading<'env>) -> Self {
        let threads = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let (jobs, waiting) = mpsc::channel::<Job>();
        let waiting = Arc::new(Mutex::new(waiting));
        for _ in 0..threads {
            let (reading, waiting) = (reading.clone(), waiting.clone());
            scope.spawn(move || {
                // The lock is given back before anything is read.
                let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).recv().ok();
                while let Some((records, back)) = next() {
                    // Nobody wants it any more where the list was given up.
                    let _ = back.send(reading.all(records));
                }
            });
        }
        // One more than are read: whoever is done finds the next one.
        Readers { jobs, under_way: VecDeque::new(), ahead: threads + 1 }
    }

    pub fn put(&mut self, records: Vec<Record>) {
        let (back, batch) = mpsc::sync_channel(1);
        // It fails where a reader panicked, which the end of the scope tells.
        let _ = self.jobs.send((records, back));
        self.under_way.push_back(batch);
    }

    /// The next batch, once enough are under way.
    pub fn next_of_many(&mut self) -> Option<Batch> {
        if self.under_way.len() > self.ahead { self.next() } else { None }
    }

    /// The next batch; none when nothing is under way, or a reader panicked.
    pub fn next(&mut self) -> Option<Batch> {
        self.under_way.pop_front()?.recv().ok()
    }
}

impl Reading<'_> {
    pub fn all(&self, records: Vec<Record>) -> Batch {
        let read = records.iter().map(|record| self.one(record)).collect();
        Batch { records, read }
    }

    fn one(&self, record: &Record) -> Read {
        let (order, layout) = (self.order, &*self.layout);
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

pub fn cells<'a>(record: &'a Record, layout: &Layout, pads: bool) -> Vec<&'a str> {
    let mut cells: Vec<&str> = record.cells().collect();
    if pads && cells.len() < layout.columns.len() {
        cells.resize(layout.columns.len(), "");
    }
    cells
}

/// Why a row does not fit its header: field, reason, what stood there. Empty cells past the end are Excel's habit.
fn faulty(record: &Record, cells: &[&str], layout: &Layout) -> Option<(String, String, String)> {
    let shown = || phone::shown(cells.get(layout.phone).copied().unwrap_or_default());
    let fault = |reason: String, shown: String| Some(("row".to_owned(), reason, shown));
    match record.flaw {
        Some(Flaw::OpenQuote) => {
            let reason = "a quote is opened and not closed: close it, or write it twice";
            return fault(reason.to_owned(), shown());
        }
        Some(Flaw::TooLong) => {
            let kib = list::records::RECORD_BYTES_MAX >> 10;
            return fault(format!("longer than {kib} KiB: is this a list?"), phone::shown(cells[0]));
        }
        Some(Flaw::TooWide) => {
            let most = list::workbook::COLUMNS_MAX;
            return fault(format!("a cell stands right of column {most}: delete it"), shown());
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
        return fault(reason, shown());
    }
    None
}
