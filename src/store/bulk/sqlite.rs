//! Many rows into a table of SQLite: statements of many rows, each prepared once.

use super::Conn;
use crate::store::listed::{Cell, NumberIds, Table};
use crate::store::{Result, StoreError};
use serde_json::json;
use sqlx::sqlite::SqliteArguments;
use sqlx::{Arguments, AssertSqlSafe};
use std::collections::HashMap;
use std::fmt::Write;
use std::sync::Arc;

/// Values that one statement binds; SQLite takes 32 766.
const VALUES_MAX: usize = 2000;
const NUMBERS_AT_ONCE: usize = 1000;

const THERE_BEFORE: &str = "select n.number_id, n.e164 from json_each(?) as w join numbers n on n.e164 = w.value";

/// Gives every number an id, and finds those that have one already.
pub async fn numbers(conn: &mut Conn, ids: &mut NumberIds) -> Result<()> {
    // `or ignore` and not `on conflict (e164)`: a statement that may fail in its middle keeps a copy of every page that it
    // touches, and these touch pages everywhere.
    let text = |rows: usize| {
        let values = vec!["(?, ?)"; rows].join(", ");
        Arc::<str>::from(format!("insert or ignore into numbers (number_id, e164) values {values}"))
    };
    let whole = text(NUMBERS_AT_ONCE);
    let mut known = Vec::new();
    let mut rest = ids.rows();
    while rest.len() > 0 {
        let rows: Vec<(i64, String)> = rest.by_ref().take(NUMBERS_AT_ONCE).collect();
        let text = if rows.len() == NUMBERS_AT_ONCE { whole.clone() } else { text(rows.len()) };
        let mut query = sqlx::query(AssertSqlSafe(text.to_string()));
        for (id, e164) in &rows {
            query = query.bind(*id).bind(e164.as_str());
        }
        let stored = query.execute(&mut *conn).await?.rows_affected() as usize;
        if stored == rows.len() {
            continue;
        }
        let asked: Vec<&str> = rows.iter().map(|(_, e164)| e164.as_str()).collect();
        let found: Vec<(i64, String)> =
            sqlx::query_as(THERE_BEFORE).bind(json!(asked).to_string()).fetch_all(&mut *conn).await?;
        if found.len() != rows.len() {
            // An id that somebody has: it cannot happen while ids come from one process, and must not go unseen.
            return Err(StoreError::Conflict("a number of the list got no id: upload it again".into()));
        }
        known.extend(found);
    }
    drop(rest);
    ids.know(known);
    Ok(())
}

/// Rows on their way: statements with what they bind.
#[derive(Default)]
pub struct Ready(Vec<(Arc<str>, SqliteArguments)>);

/// Statements by table, columns and rows.
pub struct Bulk(HashMap<(&'static str, Vec<usize>, usize), Arc<str>>);

impl Bulk {
    pub fn new() -> Self {
        Bulk(HashMap::new())
    }

    /// Made ready while others are stored.
    pub fn ready(&mut self, table: Table) -> Ready {
        let (width, filled) = (table.columns.len(), table.filled());
        let mut ready = Ready::default();
        if filled.is_empty() {
            return ready;
        }
        for rows in table.cells.chunks(width * (VALUES_MAX / filled.len()).max(1)) {
            let key = (table.name, filled.clone(), rows.len() / width);
            let text = self.0.entry(key).or_insert_with_key(|(name, filled, rows)| {
                let columns: Vec<&str> = filled.iter().map(|column| table.columns[*column]).collect();
                let values = format!("({})", vec!["?"; filled.len()].join(", "));
                let mut text = format!("insert into {name} ({}) values ", columns.join(", "));
                for row in 0..*rows {
                    let comma = if row > 0 { ", " } else { "" };
                    write!(text, "{comma}{values}").expect("writing to a String cannot fail");
                }
                text.into()
            });
            let mut values = SqliteArguments::default();
            for row in rows.chunks(width) {
                for column in &filled {
                    let added = match &row[*column] {
                        Cell::Null => values.add(None::<i64>),
                        Cell::Int(value) => values.add(*value),
                        Cell::Text(value) => values.add(value.as_str()),
                    };
                    added.expect("numbers and texts are what SQLite keeps");
                }
            }
            ready.0.push((text.clone(), values));
        }
        ready
    }
}

impl Ready {
    pub async fn put(self, conn: &mut Conn) -> Result<()> {
        for (text, values) in self.0 {
            sqlx::query_with(AssertSqlSafe(text), values).execute(&mut *conn).await?;
        }
        Ok(())
    }
}
