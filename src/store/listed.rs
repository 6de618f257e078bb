//! The rows of a list on their way in: handed over a piece at a time, so that no list is ever in memory as a whole.

use super::{Ids, NewContact, NewNote, Reject, StoreError};
use crate::domain::{PhoneNumber, Timestamp};
use std::borrow::Cow;
use std::collections::HashMap;
use std::io::{self, Write};
use std::sync::Arc;

/// Pieces that wait while one is stored.
pub(super) const AHEAD: usize = 2;
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

/// Hands on what `make` makes of the pieces, on a thread of their own, until `hand_on` says that nobody wants more.
pub(super) fn feed<T>(
    pieces: Arc<dyn Pieces>,
    mut make: impl FnMut(Piece) -> Result<T, StoreError> + Send + 'static,
    hand_on: impl Fn(Result<T, StoreError>) -> bool + Send + 'static,
) {
    tokio::task::spawn_blocking(move || {
        let done = pieces.each(&mut |piece| {
            let made = make(piece);
            let whole = made.is_ok();
            hand_on(made) && whole
        });
        if let Err(cause) = done {
            // Whoever listened has gone when this fails, and wants no reason.
            hand_on(Err(unread(cause)));
        }
    });
}

fn unread(cause: io::Error) -> StoreError {
    StoreError::Conflict(format!("the list could not be read again: {cause}"))
}

/// A piece as it is stored: rows as its tables take them.
pub(super) struct Made<R> {
    pub tables: Vec<R>,
    /// Values of the statement that keeps notes, as JSON.
    pub notes: Vec<String>,
    pub contacts: i64,
    pub rejects: i64,
}

/// What is stored of a list so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Stored {
    pub contacts: i64,
    pub rejects: i64,
}

impl Stored {
    /// One piece more.
    pub fn add<R>(&mut self, made: &Made<R>) {
        self.contacts += made.contacts;
        self.rejects += made.rejects;
        if made.contacts > 0 {
            crate::fail::point("import.halfway");
        }
    }
}

/// The ids of a list's numbers: those that are new have them in the order of the list, so that its contacts, which come in
/// that order, go to the end of every index.
pub(super) struct NumberIds {
    /// As the list has them.
    digits: Vec<u64>,
    /// Their places in the order in which they are best stored.
    order: Vec<u32>,
    /// The order is that of all digits, with none twice: a number is found by them.
    is_sorted: bool,
    first: i64,
    /// Those that were there before.
    known: HashMap<u64, i64>,
}

impl NumberIds {
    /// `run`: nobody asks for a number but by its place, and each so many numbers of the list are stored in the order of
    /// their digits. They go through the index of numbers from its beginning to its end, and are near each other in the index
    /// of ids; one of the two would be gone to at random otherwise.
    pub fn fresh(digits: Vec<u64>, run: Option<usize>, ids: &Ids, now: Timestamp) -> Self {
        let first = ids.take(now.0, digits.len().max(1));
        let mut order: Vec<u32> = (0..).take(digits.len()).collect();
        let run_size = run.unwrap_or(digits.len()).max(1);
        order.chunks_mut(run_size).for_each(|run| run.sort_unstable_by_key(|place| (digits[*place as usize], *place)));
        if run.is_none() {
            order.dedup_by_key(|place| digits[*place as usize]);
        }
        NumberIds { digits, order, is_sorted: run.is_none(), first, known: HashMap::new() }
    }

    /// They are stored: an order that finds none of them is of no use any more.
    pub fn stored(&mut self) {
        if !self.is_sorted {
            self.order = Vec::new();
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// These were there before, whatever id was meant for them.
    pub fn know(&mut self, stored: impl IntoIterator<Item = (u64, i64)>) {
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
        let sorted = Some(&self.order).filter(|_| self.is_sorted)?;
        let found = sorted.binary_search_by_key(&digits, |place| self.digits[*place as usize]).ok()?;
        Some(self.first + i64::from(sorted[found]))
    }

    /// Each number as a row of the table, in the order in which they are best stored.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = (i64, u64)> {
        self.order.iter().map(|place| (self.first + i64::from(*place), self.digits[*place as usize]))
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

/// A number as its column has it.
pub(super) struct E164([u8; 1 + E164::DIGITS_MAX], usize);

impl E164 {
    /// Of a u64.
    const DIGITS_MAX: usize = 20;

    pub fn of(digits: u64) -> Self {
        let mut text = E164([0; 1 + E164::DIGITS_MAX], 0);
        let mut rest = &mut text.0[..];
        write!(rest, "+{digits}").expect("there is room for every u64");
        let left = rest.len();
        text.1 = text.0.len() - left;
        text
    }

    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.0[..self.1]).expect("a plus and digits")
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Whoever is stored is found again by the same id, however ids were given.
        #[test]
        fn every_number_has_one_id_and_is_found_by_it(
            digits in prop::collection::hash_set(10_000_000_000_u64..99_999_999_999, 0..300),
            run in prop::option::of(1_usize..50),
            known in prop::collection::vec(any::<prop::sample::Index>(), 0..3),
        ) {
            let digits: Vec<u64> = digits.into_iter().collect();
            let mut ids = NumberIds::fresh(digits.clone(), run, &Ids::new(), Timestamp(1_000));
            let mut stored: HashMap<u64, i64> = ids.rows().map(|(id, digits)| (digits, id)).collect();
            prop_assert_eq!((stored.len(), ids.len()), (digits.len(), digits.len()));
            prop_assert_eq!(stored.values().collect::<std::collections::HashSet<_>>().len(), digits.len());
            if !digits.is_empty() {
                let known: Vec<(u64, i64)> = known.iter().map(|nth| (*nth.get(&digits), 7)).collect();
                stored.extend(known.iter().copied());
                ids.know(known);
            }
            ids.stored();
            for (place, digits) in digits.iter().enumerate() {
                let number = PhoneNumber::of_digits(*digits).unwrap();
                prop_assert_eq!(ids.id(&number, Some(place)), Some(stored[digits]));
                if run.is_none() {
                    prop_assert_eq!(ids.id(&number, None), Some(stored[digits]));
                }
            }
            prop_assert_eq!(ids.id(&PhoneNumber::of_digits(1).unwrap_or(PhoneNumber::erased(1)), Some(0)), None);
        }

        #[test]
        fn digits_are_written_as_they_are_elsewhere(digits in any::<u64>()) {
            prop_assert_eq!(E164::of(digits).as_str().to_owned(), format!("+{digits}"));
        }
    }
}
