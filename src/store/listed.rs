//! The rows of a list on their way in: handed over a piece at a time, so that no list is ever in memory as a whole.

use super::{Ids, NewContact, NewNote, Reject, StoreError};
use crate::domain::{PhoneNumber, Timestamp};
use std::borrow::Cow;
use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Pieces that wait while one is stored.
const AHEAD: usize = 2;
/// Rows of a piece of a list that is in memory.
const PIECE_ROWS: usize = 1000;

/// Some rows of a list.
#[derive(Clone, Debug, Default)]
pub struct Piece {
    pub contacts: Vec<NewContact>,
    pub rejects: Vec<Reject>,
    /// Cells of accepted rows that were left out.
    pub notes: Vec<NewNote>,
}

/// Whoever has the rows of a list. They may be asked for more than once: a batch that failed is applied again.
pub trait Pieces: Send + Sync {
    /// The digits of every number of the accepted rows: first those that are called first, in the order of the rows, then
    /// further ones.
    fn numbers(&self) -> Vec<u64>;

    /// None of them is a further one.
    fn numbers_are_first_ones(&self) -> bool;

    /// Every piece from the beginning, until `hand_on` says that nobody wants more.
    fn each(&self, hand_on: &mut dyn FnMut(Piece) -> bool) -> io::Result<()>;
}

/// A list whose every row has its bucket.
#[derive(Clone)]
pub struct Listed {
    pub accepted: i64,
    pub duplicates: i64,
    pub refused: i64,
    /// Its columns as JSON, where it came with some.
    pub columns: Option<String>,
    /// By what its arms were given (`assign::split_text`), where they were.
    pub split: Option<String>,
    pub pieces: Arc<dyn Pieces>,
}

impl Listed {
    /// A list that is in memory.
    pub fn of(contacts: Vec<NewContact>, rejects: Vec<Reject>, notes: Vec<NewNote>) -> Self {
        let duplicates = rejects.iter().filter(|reject| reject.bucket == "duplicate").count() as i64;
        Listed {
            accepted: contacts.len() as i64,
            duplicates,
            refused: rejects.len() as i64 - duplicates,
            columns: None,
            split: None,
            pieces: Arc::new(InMemory(Piece { contacts, rejects, notes })),
        }
    }
}

struct InMemory(Piece);

impl Pieces for InMemory {
    fn numbers(&self) -> Vec<u64> {
        let contacts = &self.0.contacts;
        let further = contacts.iter().flat_map(|contact| &contact.alternates).map(|other| other.number.digits());
        contacts.iter().map(|contact| contact.number.digits()).chain(further).collect()
    }

    fn numbers_are_first_ones(&self) -> bool {
        self.0.contacts.iter().all(|contact| contact.alternates.is_empty())
    }

    fn each(&self, hand_on: &mut dyn FnMut(Piece) -> bool) -> io::Result<()> {
        let Piece { rejects, notes, .. } = &self.0;
        let rest = Piece { contacts: Vec::new(), rejects: rejects.clone(), notes: notes.clone() };
        let mut wanted = hand_on(rest);
        for contacts in self.0.contacts.chunks(PIECE_ROWS) {
            wanted = wanted && hand_on(Piece { contacts: contacts.to_vec(), ..Piece::default() });
        }
        Ok(())
    }
}

/// What `make` makes of the pieces, on a thread of their own.
pub(super) fn feed<T: Send + 'static>(
    pieces: Arc<dyn Pieces>,
    mut make: impl FnMut(Piece) -> Result<T, StoreError> + Send + 'static,
) -> mpsc::Receiver<Result<T, StoreError>> {
    let (sender, receiver) = mpsc::channel(AHEAD);
    tokio::task::spawn_blocking(move || {
        let done = pieces.each(&mut |piece| {
            let made = make(piece);
            let whole = made.is_ok();
            sender.blocking_send(made).is_ok() && whole
        });
        if let Err(cause) = done {
            // Whoever listened has gone when this fails, and wants no reason.
            let _ = sender.blocking_send(Err(unread(cause)));
        }
    });
    receiver
}

fn unread(cause: io::Error) -> StoreError {
    StoreError::Conflict(format!("the list could not be read again: {cause}"))
}

/// The ids of a list's numbers: those that are new have them in the order of the list, so that its contacts, which come in
/// that order, go to the end of every index.
pub(super) struct NumberIds {
    /// As the list has them.
    digits: Vec<u64>,
    /// Their places, in the order of the digits, none twice.
    sorted: Vec<u32>,
    first: i64,
    /// Those that were there before.
    known: HashMap<u64, i64>,
}

impl NumberIds {
    pub fn fresh(digits: Vec<u64>, ids: &Ids, now: Timestamp) -> Self {
        let first = ids.take(now.0, digits.len().max(1));
        let mut sorted: Vec<u32> = (0..).take(digits.len()).collect();
        sorted.sort_unstable_by_key(|place| (digits[*place as usize], *place));
        sorted.dedup_by_key(|place| digits[*place as usize]);
        NumberIds { digits, sorted, first, known: HashMap::new() }
    }

    /// Whoever asks knows each place: nothing needs to be looked for.
    pub fn keep_places(&mut self) {
        if self.known.is_empty() && self.sorted.len() == self.digits.len() {
            self.sorted = Vec::new();
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.sorted.len()
    }

    /// These were there before, whatever id was meant for them.
    pub fn know(&mut self, stored: impl IntoIterator<Item = (i64, String)>) {
        let stored = stored.into_iter().filter_map(|(id, e164)| Some((e164.strip_prefix('+')?.parse().ok()?, id)));
        self.known.extend(stored);
    }

    /// `place` is where the list has it, if it is known.
    pub fn id(&self, number: &PhoneNumber, place: Option<usize>) -> Option<i64> {
        let digits = number.digits();
        if !self.known.is_empty()
            && let Some(known) = self.known.get(&digits)
        {
            return Some(*known);
        }
        if let Some(place) = place
            && self.digits.get(place) == Some(&digits)
        {
            return Some(self.first + place as i64);
        }
        let found = self.sorted.binary_search_by_key(&digits, |place| self.digits[*place as usize]).ok()?;
        Some(self.first + i64::from(self.sorted[found]))
    }

    /// Each number as a row of the table, in the order of its digits.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = (i64, String)> {
        let row = |place: &u32| (self.first + i64::from(*place), format!("+{}", self.digits[*place as usize]));
        self.sorted.iter().map(row)
    }
}

/// One value of a row that is stored in bulk.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell {
    Null,
    Int(i64),
    Text(Cow<'static, str>),
}

impl From<i64> for Cell {
    fn from(value: i64) -> Self {
        Cell::Int(value)
    }
}

impl From<String> for Cell {
    /// PostgreSQL stores no NUL.
    fn from(mut value: String) -> Self {
        if value.contains('\0') {
            value.retain(|c| c != '\0');
        }
        Cell::Text(value.into())
    }
}

/// A word of ours.
impl From<&'static str> for Cell {
    fn from(value: &'static str) -> Self {
        Cell::Text(value.into())
    }
}

impl<T: Into<Cell>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or(Cell::Null, Into::into)
    }
}

/// Rows for one table, flat: `columns.len()` cells make a row.
pub(super) struct Table {
    pub name: &'static str,
    pub columns: &'static [&'static str],
    pub cells: Vec<Cell>,
}

impl Table {
    pub fn new(name: &'static str, columns: &'static [&'static str]) -> Self {
        Table { name, columns, cells: Vec::new() }
    }

    pub fn push<const N: usize>(&mut self, row: [Cell; N]) {
        debug_assert_eq!(N, self.columns.len(), "{}", self.name);
        self.cells.extend(row);
    }

    /// Columns of which a row has a value; the others are left to the table's defaults.
    pub fn filled(&self) -> Vec<usize> {
        let width = self.columns.len();
        let filled = |column: &usize| self.cells[*column..].iter().step_by(width).any(|cell| *cell != Cell::Null);
        if self.cells.is_empty() { Vec::new() } else { (0..width).filter(filled).collect() }
    }
}
