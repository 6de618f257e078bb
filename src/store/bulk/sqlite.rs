//! Many rows into a table of SQLite: statements of many rows, each prepared once.

use super::Conn;
use crate::store::Result;
use crate::store::listed::{Cell, NumberIds, Table};
use serde_json::json;
use sqlx::AssertSqlSafe;
use std::collections::HashMap;
use std::fmt::Write;
use std::sync::Arc;

/// Values that one statement binds; SQLite takes 32 766.
const VALUES_MAX: usize = 4000;
const NUMBERS_AT_ONCE: usize = 1000;

const THERE_BEFORE: &str = "select n.number_id, n.e164 from json_each(?) as w join numbers n on n.e164 = w.value";

/// Gives every number an id, and finds those that have one already.
pub async fn numbers(conn: &mut Conn, ids: &mut NumberIds) -> Result<()> {
    let mut known = HashMap::new();
    let text = |rows: usize| {
        let values = vec!["(?, ?)"; rows].join(", ");
        Arc::<str>::from(format!("insert into numbers (number_id, e164) values {values} on conflict (e164) do nothing"))
    };
    let whole = text(NUMBERS_AT_ONCE);
    for (place, digits) in ids.digits.chunks(NUMBERS_AT_ONCE).enumerate() {
        let first = ids.first + (place * NUMBERS_AT_ONCE) as i64;
        let rows: Vec<(i64, String)> = (first..).zip(digits.iter().map(|digits| format!("+{digits}"))).collect();
        let text = if rows.len() == NUMBERS_AT_ONCE { whole.clone() } else { text(rows.len()) };
        let mut query = sqlx::query(AssertSqlSafe(text.to_string()));
        for (id, e164) in &rows {
            query = query.bind(*id).bind(e164.as_str());
        }
        if query.execute(&mut *conn).await?.rows_affected() == rows.len() as u64 {
            continue;
        }
        let asked: Vec<&str> = rows.iter().map(|(_, e164)| e164.as_str()).collect();
        let found: Vec<(i64, String)> =
            sqlx::query_as(THERE_BEFORE).bind(json!(asked).to_string()).fetch_all(&mut *conn).await?;
        known.extend(found.into_iter().filter_map(|(id, e164)| Some((e164[1..].parse::<u64>().ok()?, id))));
    }
    ids.known = known;
    Ok(())
}

/// Statements by table, columns and rows.
#[derive(Default)]
pub struct Bulk(HashMap<(&'static str, Vec<usize>, usize), String>);

impl Bulk {
    pub async fn insert(&mut self, conn: &mut Conn, table: Table) -> Result<()> {
        let (width, filled) = (table.columns.len(), table.filled());
        if filled.is_empty() {
            return Ok(());
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
                text
            });
            let mut query = sqlx::query(AssertSqlSafe(text.clone()));
            for row in rows.chunks(width) {
                for column in &filled {
                    query = match &row[*column] {
                        Cell::Null => query.bind(None::<i64>),
                        Cell::Int(value) => query.bind(*value),
                        Cell::Text(value) => query.bind(value.as_str()),
                    };
                }
            }
            query.execute(&mut *conn).await?;
        }
        Ok(())
    }
}
