//! Rows that were doubled or refused, whole: somebody mends the cell at which the reason points, and uploads this very
//! file. Its columns are those of the lists, in their order; what we say of a row stands behind them and is not read
//! when it comes back.

use super::back::usual;
use crate::domain::BatchId;
use crate::intake::columns::{Column, Role, SURPLUS, phone_column};
use crate::store::{Campaign, Import, Reject, Store, StoreError};
use serde_json::{Value, json};
use std::collections::VecDeque;

/// Behind the columns of the lists. `halo_surplus`: the cells that a row had too many, which its own columns cannot hold.
pub const OURS: &[&str] = &[SURPLUS, "halo_list", "halo_line", "halo_bucket", "halo_field", "halo_reason"];

pub struct Rejected {
    /// Columns of all lists; whatever has the same meaning and name is one.
    columns: Vec<Column>,
    /// Those that are still to be told, the first one under way.
    lists: VecDeque<(Import, Came)>,
    /// The campaign says by its header which column holds the numbers, so that header stays.
    mapped: bool,
}

/// How a list came.
struct Came {
    headers: Vec<String>,
    /// Of each of its columns, the place among ours; none for those that nobody reads.
    places: Vec<Option<usize>>,
}

impl Rejected {
    /// Of these lists. The columns are those of all lists, so that they are the same whichever are asked for.
    pub async fn of(store: &Store, campaign: &Campaign, told: Vec<Import>) -> Result<Self, StoreError> {
        let imports = store.imports(campaign.campaign).await?;
        let brought = store.list_columns(campaign.campaign).await?;
        let mut columns: Vec<Column> = Vec::new();
        let mut lists = VecDeque::new();
        for (import, list) in imports.into_iter().zip(brought) {
            let list: Vec<Column> = match list {
                None => usual(),
                Some(text) => {
                    serde_json::from_str(&text).map_err(|cause| StoreError::row("imports", "columns", cause))?
                }
            };
            let headers = list.iter().map(|column| column.header.clone()).collect();
            let places = list.into_iter().map(|column| place(&mut columns, column)).collect();
            if told.iter().any(|told| told.batch == import.batch) {
                lists.push_back((import, Came { headers, places }));
            }
        }
        let settings: Value = serde_json::from_str(&campaign.settings).unwrap_or_default();
        let mapped = settings["list"]["columns"]["phone"].is_string();
        Ok(Rejected { columns, lists, mapped })
    }

    /// Numbers that were found by looking are not found again among rows that have none: their column is called so.
    fn named<'a>(&self, column: &'a Column) -> &'a str {
        let by_name = || phone_column(std::iter::once(column.header.as_str())).is_some();
        if column.role != Role::Phone || self.mapped || by_name() { &column.header } else { "phone" }
    }

    pub fn header(&self) -> Vec<String> {
        let own = self.columns.iter().map(|column| self.named(column));
        own.chain(OURS.iter().copied()).map(str::to_owned).collect()
    }

    /// The list whose rows are told now.
    pub fn list(&self) -> Option<BatchId> {
        self.lists.front().map(|(import, _)| import.batch)
    }

    pub fn next_list(&mut self) {
        self.lists.pop_front();
    }

    pub fn row(&self, reject: Reject) -> Vec<Value> {
        let mut row = vec![Value::Null; self.columns.len()];
        let mut surplus = Vec::new();
        let list = self.lists.front();
        let named = list.and_then(|(_, came)| {
            let nth = came.headers.iter().position(|header| *header == reject.field)?;
            came.places[nth]
        });
        let field = named.map_or(reject.field.as_str(), |place| self.named(&self.columns[place]));
        let field = json!(field);
        match (list, reject.cells.as_deref().map(serde_json::from_str::<Vec<String>>)) {
            (Some((_, came)), Some(Ok(cells))) => {
                for (n, cell) in cells.into_iter().enumerate() {
                    match came.places.get(n) {
                        Some(Some(place)) => row[*place] = cell.into(),
                        // It came with such cells, and nobody put them where they belong.
                        Some(None) if came.headers[n] != SURPLUS => {}
                        _ if cell.trim().is_empty() => {}
                        _ => surplus.push(cell),
                    }
                }
            }
            // A list of an older version kept one cell.
            _ => {
                let phone = || self.columns.iter().position(|column| column.role == Role::Phone);
                if let Some(place) = named.or_else(phone) {
                    row[place] = reject.raw.into();
                }
            }
        }
        let surplus = (!surplus.is_empty()).then(|| surplus.join(" | "));
        row.extend([
            json!(surplus),
            json!(list.map(|(import, _)| import.ordinal)),
            json!(reject.line),
            json!(reject.bucket),
            field,
            json!(reject.reason),
        ]);
        row
    }
}

fn place(columns: &mut Vec<Column>, column: Column) -> Option<usize> {
    if column.role == Role::Ours {
        return None;
    }
    Some(columns.iter().position(|known| known.role == column.role).unwrap_or_else(|| {
        columns.push(column);
        columns.len() - 1
    }))
}
