//! Many rows into a table of PostgreSQL: `copy`.

use super::Conn;
use crate::domain::BatchId;
use crate::store::listed::{AHEAD, Cell, Made, NumberIds, Stored, Table, feed};
use crate::store::{Piece, Pieces, Result};
use std::fmt::Write;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Sent at once.
const PIECE_BYTES: usize = 256 * 1024;

/// Numbers go in the order of their digits alone, so that two imports that bring the same ones do not wait for each other
/// in a circle.
pub const NUMBERS_RUN: Option<usize> = None;

/// Numbers of a list that are looked for before all are.
const LOOKED_FOR: usize = 1000;

const ARRIVING: &str = "create temporary table arriving (number_id bigint not null, e164 text not null) on commit drop";
/// In the order of the digits, so that two imports that bring the same numbers do not wait for each other in a circle.
const ARRIVE: &str = "insert into numbers (number_id, e164) select number_id, e164 from arriving order by e164
                      on conflict (e164) do nothing";
const THERE_BEFORE: &str = "select n.number_id, n.e164 from arriving a join numbers n on n.e164 = a.e164
                            where n.number_id <> a.number_id";

/// Gives every number an id, and finds those that have one already.
pub async fn numbers(conn: &mut Conn, ids: &mut NumberIds) -> Result<()> {
    if all_are_new(conn, ids).await? {
        return Ok(());
    }
    sqlx::raw_sql(ARRIVING).execute(&mut *conn).await?;
    copied(conn, "copy arriving (number_id, e164) from stdin", ids).await?;
    let stored = sqlx::query(ARRIVE).persistent(false).execute(&mut *conn).await?.rows_affected();
    if stored < ids.len() as u64 {
        let found: Vec<(i64, String)> = sqlx::query_as(THERE_BEFORE).persistent(false).fetch_all(&mut *conn).await?;
        let digits = |e164: &str| e164.strip_prefix('+')?.parse().ok();
        ids.know(found.into_iter().filter_map(|(id, e164)| Some((digits(&e164)?, id))));
    }
    Ok(())
}

/// A list of people whom nobody has called goes straight into the table, three times as fast. Some of its numbers are
/// looked for first: where one is known, others are. That none is, shows only when all are stored; else nothing is.
async fn all_are_new(conn: &mut Conn, ids: &NumberIds) -> Result<bool> {
    let some = ids.rows().step_by(ids.len() / LOOKED_FOR + 1).map(|(_, digits)| format!("+{digits}"));
    let known: bool = sqlx::query_scalar("select exists(select 1 from numbers where e164 = any($1))")
        .bind(some.collect::<Vec<_>>())
        .fetch_one(&mut *conn)
        .await?;
    if known {
        return Ok(false);
    }
    sqlx::raw_sql("savepoint numbers_are_new").execute(&mut *conn).await?;
    match copied(conn, "copy numbers (number_id, e164) from stdin", ids).await {
        Ok(()) => {
            sqlx::raw_sql("release savepoint numbers_are_new").execute(&mut *conn).await?;
            Ok(true)
        }
        Err(cause) if cause.as_database_error().is_some_and(|told| told.is_unique_violation()) => {
            sqlx::raw_sql("rollback to savepoint numbers_are_new").execute(&mut *conn).await?;
            Ok(false)
        }
        Err(cause) => Err(cause.into()),
    }
}

async fn copied(conn: &mut Conn, statement: &str, ids: &NumberIds) -> sqlx::Result<()> {
    let mut copy = conn.copy_in_raw(statement).await?;
    let mut text = String::with_capacity(PIECE_BYTES + 64);
    for (id, digits) in ids.rows() {
        writeln!(text, "{id}\t+{digits}").expect("writing to a String cannot fail");
        if text.len() > PIECE_BYTES {
            copy.send(text.as_bytes()).await?;
            text.clear();
        }
    }
    copy.send(text.as_bytes()).await?;
    copy.finish().await?;
    Ok(())
}

/// Stores what is made of the pieces, one after the other. `note` keeps the notes of a list.
pub async fn pieces(
    conn: &mut Conn,
    list: Arc<dyn Pieces>,
    make: impl FnMut(Piece) -> Result<Made<Ready>> + Send + 'static,
    note: (&'static str, BatchId),
) -> Result<Stored> {
    let (sender, mut ready) = mpsc::channel(AHEAD);
    feed(list, make, move |made| sender.blocking_send(made).is_ok());
    let mut stored = Stored::default();
    while let Some(made) = ready.recv().await {
        let mut made = made?;
        for table in std::mem::take(&mut made.tables) {
            table.put(conn).await?;
        }
        for notes in &made.notes {
            sqlx::query(note.0).bind(note.1.0).bind(notes).execute(&mut *conn).await?;
        }
        stored.add(&made);
    }
    Ok(stored)
}

/// Rows on their way: a statement and what it copies.
pub struct Ready(Option<(String, String)>);

impl Ready {
    /// Written while others are stored.
    pub fn of(table: Table) -> Self {
        let (width, filled) = (table.columns.len(), table.filled());
        if filled.is_empty() {
            return Ready(None);
        }
        let columns: Vec<&str> = filled.iter().map(|column| table.columns[*column]).collect();
        let statement = format!("copy {} ({}) from stdin", table.name, columns.join(", "));
        let mut text = String::new();
        for row in table.cells.chunks(width) {
            for (place, column) in filled.iter().enumerate() {
                if place > 0 {
                    text.push('\t');
                }
                match &row[*column] {
                    Cell::Null => text.push_str("\\N"),
                    Cell::Int(value) => write!(text, "{value}").expect("writing to a String cannot fail"),
                    Cell::Text(value) => escaped(value, &mut text),
                }
            }
            text.push('\n');
        }
        Ready(Some((statement, text)))
    }

    async fn put(self, conn: &mut Conn) -> Result<()> {
        let Some((statement, text)) = self.0 else { return Ok(()) };
        let mut copy = conn.copy_in_raw(&statement).await?;
        for piece in text.as_bytes().chunks(PIECE_BYTES) {
            copy.send(piece).await?;
        }
        copy.finish().await?;
        Ok(())
    }
}

fn escaped(value: &str, text: &mut String) {
    if !value.contains(['\\', '\t', '\n', '\r']) {
        return text.push_str(value);
    }
    for c in value.chars() {
        match c {
            '\\' => text.push_str("\\\\"),
            '\t' => text.push_str("\\t"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            c => text.push(c),
        }
    }
}
