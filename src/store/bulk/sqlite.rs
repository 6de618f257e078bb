//! Many rows into a table of SQLite: statements of many rows.
//!
//! They go through `rusqlite` on the connection that `sqlx` holds: each value is bound where it lies, where `sqlx` would
//! keep a copy of it and have another thread bind that.

use super::Conn;
use crate::domain::BatchId;
use crate::store::listed::{AHEAD, Cell, E164, Made, NumberIds, Stored, Table, feed};
use crate::store::{Piece, Pieces, Result, StoreError};
use rusqlite::{Connection, OptionalExtension, Statement};
use std::sync::{Arc, mpsc};

/// Values that one statement binds: more are hardly faster, and take longer to prepare.
const VALUES_MAX: usize = 1000;
/// Numbers that are stored in the order of their digits: as many of the index of ids as fit into a processor's cache.
pub const NUMBERS_RUN: Option<usize> = Some(1 << 17);
/// Numbers stored before it is asked which of them were there.
const NUMBERS_AT_ONCE: usize = 5000;

const NUMBER: [&str; 2] = ["number_id", "e164"];
const THERE_BEFORE: &str = "select number_id from numbers where e164 = ?";

/// What `act` does with the connection, while nobody else does anything with it.
async fn lent<T>(conn: &mut Conn, act: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send) -> Result<T> {
    let mut handle = conn.lock_handle().await?;
    let done = {
        let raw = handle.as_raw_handle();
        // SAFETY: the handle is open, and ours alone until the lock is given back after this block. What is made of it here
        // ends in this block with every statement of it, and does not close what it was lent.
        unsafe { Connection::from_handle(raw.as_ptr()) }.and_then(|lent| act(&lent))
    };
    done.map_err(|cause| match handle.last_error() {
        // As every other fault of this connection, so that one of the storage is known as such.
        Some(told) => sqlx::Error::Database(Box::new(told)).into(),
        None => StoreError::Sql(sqlx::Error::Protocol(cause.to_string())),
    })
}

/// Gives every number an id, and finds those that have one already.
pub async fn numbers(conn: &mut Conn, ids: &mut NumberIds) -> Result<()> {
    let known = lent(conn, |conn| {
        let (mut known, mut rest) = (Vec::new(), ids.rows());
        while rest.len() > 0 {
            let rows: Vec<(i64, u64)> = rest.by_ref().take(NUMBERS_AT_ONCE).collect();
            // `or ignore` and not `on conflict (e164)`: a statement that may fail in its middle keeps a copy of every page
            // that it touches, and these touch pages everywhere.
            let stored = put_rows(conn, "insert or ignore into numbers", &NUMBER, rows.len(), |put, row, place| {
                put.raw_bind_parameter(place, rows[row].0)?;
                put.raw_bind_parameter(place + 1, E164::of(rows[row].1).as_str())
            })?;
            if stored == rows.len() {
                continue;
            }
            let mut there = conn.prepare_cached(THERE_BEFORE)?;
            for (_, digits) in rows {
                let id: Option<i64> = there.query_row([E164::of(digits).as_str()], |row| row.get(0)).optional()?;
                known.push((digits, id));
            }
        }
        Ok(known)
    });
    // An id that somebody has: it cannot happen while ids come from one process, and must not go unseen.
    let lost = || StoreError::Conflict("a number of the list got no id: upload it again".into());
    let known = known.await?.into_iter().map(|(digits, id)| Ok((digits, id.ok_or_else(lost)?)));
    ids.know(known.collect::<Result<Vec<(u64, i64)>>>()?);
    Ok(())
}

/// Stores what is made of the pieces, one after the other. `note` keeps the notes of a list.
pub async fn pieces(
    conn: &mut Conn,
    list: Arc<dyn Pieces>,
    make: impl FnMut(Piece) -> Result<Made<Ready>> + Send + 'static,
    note: (&'static str, BatchId),
) -> Result<Stored> {
    let (sender, ready) = mpsc::sync_channel(AHEAD);
    feed(list, make, move |made| sender.send(made).is_ok());
    // The connection is lent once for all: to ask for it is to wake its thread and to wait for it.
    let stored = lent(conn, |conn| {
        let mut stored = Stored::default();
        for made in ready {
            let made = match made {
                Ok(made) => made,
                Err(cause) => return Ok(Err(cause)),
            };
            made.tables.iter().try_for_each(|table| table.put(conn))?;
            for notes in &made.notes {
                conn.prepare_cached(note.0)?.execute((note.1.0, notes))?;
            }
            stored.add(&made);
        }
        Ok(Ok(stored))
    });
    stored.await?
}

/// Rows on their way.
pub struct Ready(Table);

impl Ready {
    pub fn of(table: Table) -> Self {
        Ready(table)
    }

    fn put(&self, conn: &Connection) -> rusqlite::Result<()> {
        let Ready(table) = self;
        let filled = table.filled();
        if filled.is_empty() {
            return Ok(());
        }
        let columns: Vec<&str> = filled.iter().map(|column| table.columns[*column]).collect();
        let (width, into) = (table.columns.len(), format!("insert into {}", table.name));
        let put = put_rows(conn, &into, &columns, table.cells.len() / width, |put, row, place| {
            let cells = filled.iter().map(|column| &table.cells[row * width + column]);
            (place..).zip(cells).try_for_each(|(place, cell)| bind(put, place, cell))
        });
        put.map(drop)
    }
}

/// Rows stored of so many. `bind` binds one of them from a place on.
fn put_rows(
    conn: &Connection,
    into: &str,
    columns: &[&str],
    rows: usize,
    bind: impl Fn(&mut Statement<'_>, usize, usize) -> rusqlite::Result<()>,
) -> rusqlite::Result<usize> {
    let most = (VALUES_MAX / columns.len()).max(1);
    let row = format!("({})", vec!["?"; columns.len()].join(", "));
    let prepared = |rows: usize| {
        let values = vec![row.as_str(); rows].join(", ");
        // The next piece has as many.
        conn.prepare_cached(&format!("{into} ({}) values {values}", columns.join(", ")))
    };
    let (mut put, mut stored) = (prepared(most.min(rows))?, 0);
    for first in (0..rows).step_by(most) {
        let now = most.min(rows - first);
        if now < most && first > 0 {
            put = prepared(now)?;
        }
        (0..now).try_for_each(|row| bind(&mut put, first + row, 1 + row * columns.len()))?;
        stored += put.raw_execute()?;
    }
    Ok(stored)
}

fn bind(put: &mut Statement<'_>, place: usize, cell: &Cell) -> rusqlite::Result<()> {
    match cell {
        Cell::Null => put.raw_bind_parameter(place, rusqlite::types::Null),
        Cell::Int(value) => put.raw_bind_parameter(place, value),
        Cell::Text(value) => put.raw_bind_parameter(place, &**value),
    }
}
