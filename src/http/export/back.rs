//! *My list back*: the columns of the file in their order, then what became of each contact.

use super::{at, optional};
use crate::dialogue::Script;
use crate::domain::ContactId;
use crate::intake::columns::{Column, Role};
use crate::store::{Campaign, ListedRow, Store, StoreError};
use serde_json::{Map, Value, json};
use std::collections::HashMap;

/// Behind the file's own columns. They begin with `halo_`, so that no column of a file is meant by mistake.
pub const OURS: &[&str] = &[
    "halo_outcome",
    "halo_tries",
    "halo_mode",
    "halo_goal",
    "halo_disposition",
    "halo_called_at",
    "halo_due_at",
    "halo_gate",
    "halo_suppressed",
    "halo_number",
    "halo_number_kind",
    "halo_timezone",
    "halo_own_mode",
    "halo_list",
    "halo_line",
    "halo_contact",
    "halo_answers",
];

pub struct Back {
    columns: Vec<Column>,
    /// The script's own answers, each a column.
    answers: Vec<String>,
}

/// A list that came without columns: rows of a program, or a list of an older version.
pub(super) fn usual() -> Vec<Column> {
    let column = |header: &str, role| Column { header: header.to_owned(), role, values: None, declared: false };
    vec![
        column("phone", Role::Phone),
        column("name", Role::Name),
        column("timezone", Role::Timezone),
        column("external_id", Role::ExternalId),
    ]
}

impl Back {
    pub async fn of(store: &Store, campaign: &Campaign) -> Result<Self, StoreError> {
        let mut columns: Vec<Column> = Vec::new();
        for list in store.list_columns(campaign.campaign).await? {
            let list = match list {
                None => usual(),
                Some(text) => {
                    serde_json::from_str(&text).map_err(|cause| StoreError::row("imports", "columns", cause))?
                }
            };
            for column in list {
                // Lists of one campaign may differ: whatever has the same meaning and name is one column.
                if column.role != Role::Ours && !columns.iter().any(|known| known.role == column.role) {
                    columns.push(column);
                }
            }
        }
        let answers = Script::parse(&campaign.script).map(|script| script.answers).unwrap_or_default();
        Ok(Back { columns, answers: answers.into_iter().map(|answer| answer.name).collect() })
    }

    pub fn header(&self) -> Vec<String> {
        let file = self.columns.iter().map(|column| column.header.clone());
        let answers = self.answers.iter().map(|name| format!("halo_answer_{name}"));
        file.chain(OURS.iter().map(|name| (*name).to_owned())).chain(answers).collect()
    }

    /// `further`: as they were typed, by contact and place.
    pub fn row(&self, row: ListedRow, further: &HashMap<(i64, i64), String>) -> Vec<Value> {
        let variables: Map<String, Value> = serde_json::from_str(&row.variables).unwrap_or_default();
        let answers: Map<String, Value> =
            row.answers.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        let own_mode = row.own_mode == 1;
        let mut cells: Vec<Value> = Vec::with_capacity(self.columns.len() + OURS.len());
        for column in &self.columns {
            cells.push(match &column.role {
                Role::Phone => json!(row.raw_phone),
                Role::Alternate(place) => json!(further.get(&(row.contact_id, i64::from(*place)))),
                Role::Name => json!(row.name),
                Role::Timezone => json!(row.timezone),
                Role::Mode => json!(own_mode.then_some(&row.mode)),
                Role::ExternalId => json!(row.external_id),
                Role::ConsentKind => json!(row.consent_kind),
                Role::ConsentAt => at(row.consent_at),
                Role::ConsentSource => json!(row.consent_source),
                Role::NotBefore => at(row.not_before_at),
                Role::NotAfter => at(row.not_after_at),
                Role::Priority => json!((row.priority > 0).then_some(row.priority)),
                Role::Ours => Value::Null,
                Role::Variable(name) => variables.get(name).cloned().unwrap_or_default(),
            });
        }
        let answered = (!answers.is_empty()).then(|| Value::Object(answers.clone()));
        cells.extend([
            optional(row.outcome),
            json!(row.tries),
            json!(row.mode),
            optional(row.goal.map(|goal| goal == 1)),
            optional(row.disposition),
            at(row.dialed_at),
            at(row.due_at),
            optional(row.gate),
            json!(row.suppressed_at.is_some()),
            json!(row.e164),
            optional(row.phone_kind),
            optional(row.timezone),
            json!(own_mode),
            json!(row.ordinal),
            json!(row.line),
            json!(ContactId(row.contact_id)),
            optional(answered),
        ]);
        cells.extend(self.answers.iter().map(|name| answers.get(name).cloned().unwrap_or_default()));
        cells
    }
}
