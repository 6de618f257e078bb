//! A list read once, row by row: its accepted rows and its complaints packed away, everything else counted.
//!
//! What is kept in memory of a row is its number and two flags, so a million of them need a few dozen megabytes.

use super::import::{ImportError, LINES_QUOTED_MAX, who_demands_consent};
use super::lists::{Given, in_hex};
use super::pack::{Cells, Pack, Record};
use super::progress::Progress;
use crate::dialogue::Script;
use crate::domain::assign::dial_order_of;
use crate::domain::list::{Dialect, NumberKind};
use crate::domain::settings::Settings;
use crate::domain::term::Term;
use crate::domain::{Mode, PhoneNumber, Timestamp};
use crate::intake::check::{Facts, Tally};
use crate::intake::columns::Role;
use crate::intake::consent::Asked;
use crate::intake::{self, Bucket, Complaint, Fate, Found, IntakeError, List, Note, Order, Row};
use crate::store::{NewContact, NewNote, NewNumber, Reject, Wishes};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Cursor, Read};
use std::sync::{Arc, mpsc};

/// Accepted rows of which all is kept, to be shown.
const FIRST_ROWS: usize = 3;
/// Looked at, to see whose file it is.
const HEAD_BYTES: u64 = 64 << 10;
const OURS: &[u8] = b"halo_line";
/// Complaints told where a whole list was refused.
pub const COMPLAINTS_TOLD_MAX: usize = 1000;

/// Fates handed from thread to thread at once, and how often that before one waits for the other.
const FATES_AT_ONCE: usize = 256;
const FATES_AHEAD: usize = 8;

/// How a list is taken in.
pub struct Taking {
    pub settings: Settings,
    pub modes: BTreeSet<Mode>,
    pub script: Script,
    pub salt: String,
    pub now: Timestamp,
    /// Example numbers are refused where real phones ring.
    pub real_platform: bool,
    pub progress: Arc<Progress>,
    /// Accepted rows may turn out to be duplicates of stored ones, and are told whole then.
    pub whole: bool,
}

/// What a list came to.
pub struct Taken {
    pub found: Found,
    pub tally: Tally,
    pub hash: String,
    pub first: Vec<Row>,
    /// Why the whole list cannot be called here, if it cannot.
    pub faults: Vec<String>,
    pub rows: Arc<Rows>,
    /// Header of the phone column.
    pub field: String,
    /// The first rows that were not accepted.
    complaints: Vec<Complaint>,
}

/// The rows of a list, packed away.
#[derive(Default)]
pub struct Rows {
    pub accepted: Pack,
    pub complaints: Pack,
    /// Of each accepted row: its number.
    pub digits: Vec<u64>,
    /// And its own mode: its place in the modes that are known, counted from 1; 0 where it names none.
    pub own: Vec<u16>,
    /// Further numbers, each with the place of its row.
    pub further: Vec<(u32, u64)>,
}

/// An accepted row as it is packed.
pub struct Kept {
    /// Its mode is the own one, or stands for the arm that is drawn later.
    pub contact: NewContact,
    pub country: Option<String>,
    pub notes: Vec<Note>,
    /// As it stood in the file, where somebody asked for it.
    pub cells: Option<String>,
}

impl Kept {
    pub fn facts(&self) -> Facts<'_> {
        Facts {
            kind: self.contact.wishes.kind.unwrap_or(NumberKind::Unknown),
            country: self.country.as_deref(),
            timezone: self.contact.timezone,
            own_mode: self.contact.own_mode,
        }
    }
}

struct Hashed<R> {
    bytes: R,
    digest: Sha256,
    progress: Arc<Progress>,
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.bytes.read(into)?;
        self.digest.update(&into[..read]);
        self.progress.add(|p| &p.bytes, read as u64);
        Ok(read)
    }
}

/// The beginning of a file.
fn head(bytes: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    bytes.take(HEAD_BYTES).read_to_end(&mut head)?;
    Ok(head)
}

/// Was this list taken from here? What a campaign says of its own files does not hold for it then: its first line names
/// a column that only our exports add.
fn is_from_here(head: &[u8]) -> bool {
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    line.windows(OURS.len()).any(|name| name == OURS)
}

/// Reads a list on a thread of its own: a million rows take a while, and webhooks are to be answered meanwhile.
pub async fn take(given: Given, taking: Arc<Taking>) -> Result<Taken, ImportError> {
    let taken = tokio::task::spawn_blocking(move || read(given, &taking)).await;
    taken.expect("the reader does not panic: its property tests feed it anything")
}

fn read(given: Given, taking: &Taking) -> Result<Taken, ImportError> {
    let settings = &taking.settings;
    let asked = Asked { now: taking.now, consent: who_demands_consent(settings) };
    let mut bytes = given.bytes;
    let head = head(&mut bytes).map_err(|cause| IntakeError::Broken { line: 1, cause })?;
    let mut rules = settings.list.clone();
    if is_from_here(&head) {
        rules.dialect = Dialect::default();
    }
    let rules = rules.with(given.wish);
    let order = Order {
        region: &settings.region,
        zone: settings.timezone,
        modes: &taking.modes,
        asked: Some(&asked),
        rules: &rules,
        whole: taking.whole,
    };
    let progress = taking.progress.clone();
    let mut hashed = Hashed { bytes: Cursor::new(head).chain(bytes), digest: Sha256::new(), progress };
    // Reading and keeping are about the same work: each has a thread.
    let (found, sink) = std::thread::scope(|scope| {
        let (sender, fates) = mpsc::sync_channel::<Vec<Fate>>(FATES_AHEAD);
        let keeping = scope.spawn(move || {
            let mut sink = Sink::new(taking);
            fates.into_iter().flatten().for_each(|fate| sink.see(fate));
            sink
        });
        let mut some = Vec::with_capacity(FATES_AT_ONCE);
        let found = intake::each(&mut hashed, &order, &mut |fate| {
            some.push(fate);
            if some.len() == FATES_AT_ONCE {
                // Nobody listens any more only where the other thread panicked, which is told below.
                let _ = sender.send(std::mem::replace(&mut some, Vec::with_capacity(FATES_AT_ONCE)));
            }
        });
        let _ = sender.send(some);
        drop(sender);
        (found, keeping.join().expect("keeping rows does not panic: it packs what was read"))
    });
    let found = found?;
    if let Some(cause) = sink.failed {
        return Err(ImportError::Kept(cause));
    }
    let field = found.columns.iter().find(|column| column.role == Role::Phone);
    Ok(Taken {
        field: field.map_or_else(|| "phone".to_owned(), |column| column.header.clone()),
        faults: sink.faults(),
        found,
        tally: sink.tally,
        hash: in_hex(hashed.digest),
        first: sink.first,
        rows: Arc::new(sink.rows),
        complaints: sink.complaints,
    })
}

impl Taken {
    /// A list of which somebody can be called, here.
    pub fn useful(self) -> Result<Self, ImportError> {
        if self.tally.buckets.accepted == 0 {
            let Found { rows, columns, dialect, notices } = self.found;
            let list = List { accepted: Vec::new(), complaints: self.complaints, rows, columns, dialect, notices };
            return Err(IntakeError::AllRefused(Box::new(list)).into());
        }
        if self.faults.is_empty() { Ok(self) } else { Err(ImportError::Rows(self.faults)) }
    }
}

struct Sink<'a> {
    taking: &'a Taking,
    /// What the script says of a contact.
    names: Vec<&'a str>,
    tally: Tally,
    first: Vec<Row>,
    rows: Rows,
    complaints: Vec<Complaint>,
    refused: Vec<String>,
    examples: Vec<String>,
    /// Variable → rows that lack it, and the first of them.
    lacking: BTreeMap<&'a str, (usize, Vec<String>)>,
    /// The disk was full, say: the list is of no use then.
    failed: Option<io::Error>,
}

impl<'a> Sink<'a> {
    fn new(taking: &'a Taking) -> Self {
        Sink {
            taking,
            names: taking.script.variables().into_iter().collect(),
            tally: Tally::default(),
            first: Vec::new(),
            rows: Rows::default(),
            complaints: Vec::new(),
            refused: Vec::new(),
            examples: Vec::new(),
            lacking: BTreeMap::new(),
            failed: None,
        }
    }

    fn see(&mut self, fate: Fate) {
        self.taking.progress.add(|p| &p.rows, 1);
        if self.failed.is_some() {
            return;
        }
        self.tally.see(&fate);
        let kept = match fate {
            Fate::Accepted(row) => {
                self.ask(&row);
                let kept = self.keep(&row);
                if self.first.len() < FIRST_ROWS {
                    self.first.push(*row);
                }
                kept
            }
            Fate::Complaint(complaint) => {
                let kept = self.rows.complaints.push(|cells| put_complaint(cells, &complaint));
                if self.complaints.len() < COMPLAINTS_TOLD_MAX {
                    self.complaints.push(Complaint { cells: String::new(), ..complaint });
                }
                kept
            }
        };
        self.failed = kept.err();
    }

    /// What stands against the list as a whole.
    fn ask(&mut self, row: &Row) {
        let settings = &self.taking.settings;
        if settings.policy_override.is_none() && self.refused.len() < LINES_QUOTED_MAX {
            let first = ("phone", row.country.as_deref());
            let further = row.alternates.iter().map(|a| (a.field.as_str(), a.country.as_deref()));
            let refused = std::iter::once(first)
                .chain(further)
                .find_map(|(field, country)| Some((field, intake::policy::refused(settings.purpose, country?)?)));
            if let Some((field, why)) = refused {
                let cure = "or give a [policy_override] with its reason";
                self.refused.push(format!("line {}: {field}: {why}; {cure}", row.line));
            }
        }
        let example = || row.number.is_example() || row.alternates.iter().any(|a| a.number.is_example());
        if self.taking.real_platform && self.examples.len() < LINES_QUOTED_MAX && example() {
            let told = "phone: example number: never dialled on the real platform";
            self.examples.push(format!("line {}: {told}", row.line));
        }
        for name in &self.names {
            let said = row.variables.get(*name);
            if said.is_none_or(|value| crate::dialogue::words::tame(value).is_empty()) {
                let (rows, first) = self.lacking.entry(name).or_default();
                *rows += 1;
                if first.len() < LINES_QUOTED_MAX {
                    first.push(row.line.to_string());
                }
            }
        }
    }

    fn faults(&self) -> Vec<String> {
        let mut faults = self.refused.clone();
        faults.extend_from_slice(&self.examples);
        for (variable, (rows, first)) in &self.lacking {
            let more = rows - first.len();
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let which = if *rows == 1 { "line" } else { "lines" };
            let verb = if *rows == 1 { "lacks" } else { "lack" };
            let lines = first.join(", ");
            faults.push(format!("the script says {{{{{variable}}}}}, which {which} {lines}{more} {verb}"));
        }
        faults
    }

    fn keep(&mut self, row: &Row) -> io::Result<()> {
        let place = self.rows.digits.len() as u32;
        self.rows.digits.push(row.number.digits());
        let own = row.mode.as_ref().and_then(|mode| self.taking.modes.iter().position(|known| known == mode));
        self.rows.own.push(own.map_or(0, |place| place as u16 + 1));
        self.rows.further.extend(row.alternates.iter().map(|a| (place, a.number.digits())));
        let order = dial_order_of(&self.taking.salt, &row.number, row.priority);
        self.rows.accepted.push(|cells| put_row(cells, row, order))
    }
}

pub fn put_complaint(cells: &mut Cells, complaint: &Complaint) {
    cells.int(complaint.line as i64);
    cells.int(i64::from(complaint.bucket == Bucket::Duplicate));
    cells.text(&complaint.field);
    cells.text(&complaint.reason);
    cells.text(&complaint.raw);
    cells.text(&complaint.cells);
}

pub fn reject(record: &mut Record<'_>) -> io::Result<Reject> {
    let line = record.int()?;
    let bucket = if record.int()? == 1 { Bucket::Duplicate } else { Bucket::Refused };
    let mut text = || record.text().map(str::to_owned);
    let (field, reason, raw) = (text()?, text()?, text()?);
    let cells = text().map(|cells| Some(cells).filter(|cells| !cells.is_empty()))?;
    Ok(Reject { line, bucket: bucket.as_str().to_owned(), field, reason, raw, cells })
}

fn put_row(cells: &mut Cells, row: &Row, order: i64) {
    cells.int(row.line as i64);
    cells.text(row.number.as_str());
    cells.optional_text(row.mode.as_ref().map(Mode::as_str));
    cells.int(order);
    cells.optional_text(row.name.as_deref());
    cells.optional_text(row.timezone.map(|zone| zone.name()));
    cells.optional_text(row.external_id.as_deref());
    cells.text(&serde_json::to_string(&row.variables).expect("a map of strings serialises"));
    cells.text(&row.raw);
    cells.optional_text(row.country.as_deref());
    cells.text(row.kind.as_str());
    cells.int(row.priority.into());
    cells.optional_int(row.not_before.map(|at| at.0));
    cells.optional_int(row.not_after.map(|at| at.0));
    cells.optional_text(row.consent.kind.as_deref());
    cells.optional_int(row.consent.at.map(|at| at.0));
    cells.optional_text(row.consent.source.as_deref());
    cells.int(row.alternates.len() as i64);
    for other in &row.alternates {
        cells.int(other.ordinal.into());
        cells.text(other.number.as_str());
        cells.text(&other.raw);
    }
    cells.int(row.notes.len() as i64);
    for note in &row.notes {
        cells.text(&note.field);
        cells.text(&note.reason);
        cells.text(&note.raw);
    }
    cells.optional_text(row.cells.as_deref());
}

/// What [`put_row`] packed.
pub fn kept(record: &mut Record<'_>) -> io::Result<Kept> {
    let number = |text: &str| text.parse::<PhoneNumber>().map_err(io::Error::other);
    let owned = |text: Option<&str>| text.map(str::to_owned);
    let line = record.int()?;
    let first = number(record.text()?)?;
    let own = record.optional_text()?.map(|mode| mode.parse::<Mode>().map_err(io::Error::other)).transpose()?;
    let dial_order = record.int()?;
    let name = owned(record.optional_text()?);
    let timezone = record.optional_text()?.map(|zone| zone.parse().map_err(io::Error::other)).transpose()?;
    let external_id = owned(record.optional_text()?);
    let variables = record.text()?.to_owned();
    let raw_phone = record.text()?.to_owned();
    let country = owned(record.optional_text()?);
    let kind = record.text()?;
    let kind = NumberKind::ALL.into_iter().find(|known| known.as_str() == kind);
    let priority = record.int()? as u8;
    let not_before = record.optional_int()?.map(Timestamp);
    let not_after = record.optional_int()?.map(Timestamp);
    let consent_kind = owned(record.optional_text()?);
    let consent_at = record.optional_int()?.map(Timestamp);
    let consent_source = owned(record.optional_text()?);
    let mut alternates = Vec::new();
    for _ in 0..record.int()? {
        let ordinal = record.int()?;
        alternates.push(NewNumber { ordinal, number: number(record.text()?)?, raw: record.text()?.to_owned() });
    }
    let mut notes = Vec::new();
    for _ in 0..record.int()? {
        let mut text = || record.text().map(str::to_owned);
        notes.push(Note { line: line as u64, field: text()?, reason: text()?, raw: text()? });
    }
    let cells = owned(record.optional_text()?);
    let contact = NewContact {
        line,
        own_mode: own.is_some(),
        mode: own.unwrap_or_else(Mode::dialog),
        dial_order,
        number: first,
        name,
        timezone,
        external_id,
        variables,
        raw_phone,
        alternates,
        consent_kind,
        consent_at,
        consent_source,
        wishes: Wishes { term: Term { not_before, not_after }, priority, kind },
    };
    Ok(Kept { contact, country, notes, cells })
}

pub fn new_note(note: Note) -> NewNote {
    let Note { line, field, reason, raw } = note;
    NewNote { line: line as i64, field, reason, raw }
}
