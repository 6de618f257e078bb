//! Lists: what would become of one.

use super::{Buckets, Cost, PaceForecast, Prompt, Span, Zone};
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// How a file is written; what does not apply is absent.
#[derive(ToSchema)]
pub struct Dialect {
    /// `csv` or `xlsx`.
    #[schema(nullable = false)]
    format: Option<String>,
    /// Packed by gzip.
    #[schema(nullable = false)]
    gzip: Option<bool>,
    /// As WHATWG names it: `utf-8`, `windows-1251`.
    #[schema(nullable = false)]
    encoding: Option<String>,
    #[schema(nullable = false)]
    delimiter: Option<String>,
    /// `double`, `single`, `none`.
    #[schema(nullable = false)]
    quote: Option<String>,
    /// Does a row name the columns?
    #[schema(nullable = false)]
    header: Option<bool>,
    #[schema(nullable = false)]
    header_line: Option<i64>,
    #[schema(nullable = false)]
    sheet: Option<String>,
}

#[derive(ToSchema)]
pub struct Column {
    header: String,
    /// `phone`, `name`, `timezone` … as a text; a further number as `{"alternate": 2}`, any other column as
    /// `{"variable": "city"}`.
    role: Value,
    /// `text`, `integer`, `number`, `date`, `boolean`: what a variable's values are.
    #[schema(nullable = false)]
    values: Option<String>,
    /// The settings say so.
    #[schema(nullable = false)]
    declared: Option<bool>,
}

/// One reason, and the first rows that have it.
#[derive(ToSchema)]
pub struct Reason {
    /// `refused`, `duplicate`, or `note` for cells of accepted rows.
    bucket: String,
    field: String,
    reason: String,
    rows: i64,
    first: Vec<ShownRow>,
}

#[derive(ToSchema)]
pub struct ShownRow {
    line: i64,
    /// The field as it stood in the file.
    raw: String,
}

/// What would become of a list; nothing is stored.
#[derive(ToSchema)]
pub struct ListCheck {
    rows: i64,
    buckets: Buckets,
    dialect: Dialect,
    /// What was guessed, for somebody to look at.
    notices: Vec<String>,
    columns: Vec<Column>,
    /// Why rows were not accepted, the most frequent reason first.
    reasons: Vec<Reason>,
    /// Why cells of accepted rows were left out or changed.
    notes: Vec<Reason>,
    /// Accepted rows that name their own mode.
    own_modes: i64,
    /// Accepted rows by the kind of number.
    kinds: BTreeMap<String, i64>,
    countries: BTreeMap<String, i64>,
    timezones: BTreeMap<String, i64>,
    /// Why an import of it would be refused as a whole.
    faults: Vec<String>,
    /// The list of the campaign that has this very content.
    #[schema(nullable = false)]
    came_before: Option<i64>,
    zones: Vec<Zone>,
    /// Test phones: windows do not hold for them.
    any_hour: i64,
    pace: PaceForecast,
    first_tries_end: Span,
    cost: Option<Cost>,
    prompts: Vec<Prompt>,
    /// The same for a person, a line each.
    told: Vec<String>,
}

/// How far an upload is.
#[derive(ToSchema)]
pub struct UploadProgress {
    /// `reading`, `storing`, `done`.
    phase: String,
    bytes: i64,
    rows: i64,
    /// Rows that are to be stored, once all are read.
    accepted: i64,
    stored: i64,
}
