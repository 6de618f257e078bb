//! One row of a list: a contact, or a complaint that names its line, field and reason.

use super::columns::{Column, Role};
use super::consent::{Proof, since};
use super::phone;
use crate::domain::keys::cut;
use crate::domain::{Mode, PhoneNumber};
use chrono_tz::Tz;
use rlibphonenumber::Region;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Longer values are no variable that anybody says on the phone.
pub const VALUE_CHARS_MAX: usize = 1000;

/// A contact to be called, everything in it parsed.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub line: u64,
    pub number: PhoneNumber,
    /// The number as typed.
    pub raw: String,
    pub name: Option<String>,
    /// ISO 3166 alpha-2, as the number says; absent for numbers of no country.
    pub country: Option<String>,
    /// As the row says, or else as the number's range says.
    pub timezone: Option<Tz>,
    /// The row's own mode: it is called, and is in no experiment.
    pub mode: Option<Mode>,
    pub external_id: Option<String>,
    /// `phone2` and so on, in their order, none of them twice.
    pub alternates: Vec<Alternate>,
    /// Cells that could not be used; the row is called without them.
    pub notes: Vec<Note>,
    pub consent: Proof,
    /// What a script may name: every other column, and `name` and `external_id` again.
    pub variables: BTreeMap<String, String>,
}

/// A further number of the same person.
#[derive(Clone, Debug, PartialEq)]
pub struct Alternate {
    /// 2 for `phone2`.
    pub ordinal: u8,
    pub field: String,
    pub number: PhoneNumber,
    /// The number as typed.
    pub raw: String,
    /// ISO 3166 alpha-2, as the number says.
    pub country: Option<String>,
}

/// What was left out of an accepted row: a faulty further number must not cost the person's first one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Note {
    pub line: u64,
    pub field: String,
    pub reason: String,
    /// The field as it stood in the file.
    pub raw: String,
}

/// Where a row ends that is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Bucket {
    Duplicate,
    Refused,
}

impl Bucket {
    pub fn as_str(self) -> &'static str {
        match self {
            Bucket::Duplicate => "duplicate",
            Bucket::Refused => "refused",
        }
    }
}

/// Why a row was not accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Complaint {
    pub line: u64,
    pub bucket: Bucket,
    pub field: String,
    pub reason: String,
    /// The field as it stood in the file.
    pub raw: String,
}

/// What a row is held against.
pub struct Rules<'a> {
    pub columns: &'a [Column],
    pub region: Region,
    pub modes: &'a BTreeSet<Mode>,
}

/// `cells` has as many entries as there are columns.
pub fn row(rules: &Rules<'_>, line: u64, cells: &[&str]) -> Result<Row, Complaint> {
    let refused = |field: &str, reason: String, raw: &str| Complaint {
        line,
        bucket: Bucket::Refused,
        field: field.to_owned(),
        reason,
        raw: phone::shown(raw),
    };
    let (mut phone, mut raw) = (None, String::new());
    let (mut name, mut timezone, mut mode, mut external_id) = (None, None, None, None);
    let mut consent = Proof::default();
    let mut variables = BTreeMap::new();
    let (mut alternates, mut notes) = (Vec::new(), Vec::new());
    let note =
        |field: &str, reason: String, raw: &str| Note { line, field: field.to_owned(), reason, raw: phone::shown(raw) };
    for (column, cell) in rules.columns.iter().zip(cells) {
        let value = cell.trim();
        if let Role::Alternate(ordinal) = column.role {
            match phone::read(cell, rules.region) {
                _ if value.is_empty() => {}
                Ok(read) => alternates.push(Alternate {
                    ordinal,
                    field: column.header.clone(),
                    number: read.number,
                    raw: value.to_owned(),
                    country: read.country.map(|country| country.to_string()),
                }),
                Err(cause) => notes.push(note(&column.header, cause.to_string(), cell)),
            }
            continue;
        }
        if value.chars().count() > VALUE_CHARS_MAX {
            let reason = format!("longer than {VALUE_CHARS_MAX} characters: shorten it");
            return Err(refused(&column.header, reason, value));
        }
        let given = (!value.is_empty()).then(|| value.to_owned());
        match &column.role {
            Role::Phone => {
                let parsed = phone::read(cell, rules.region);
                phone = Some(parsed.map_err(|cause| refused(&column.header, cause.to_string(), cell))?);
                raw = value.to_owned();
            }
            Role::Alternate(_) => {}
            Role::Name => name = given,
            Role::ExternalId => external_id = given,
            Role::ConsentKind => consent.kind = given,
            Role::ConsentSource => consent.source = given,
            Role::ConsentAt if value.is_empty() => {}
            Role::ConsentAt => {
                consent.at = Some(since(value).map_err(|why| refused(&column.header, why, value))?);
            }
            Role::Timezone if value.is_empty() => {}
            Role::Timezone => {
                let zone = value.parse::<Tz>().map_err(|_| {
                    refused(&column.header, "not an IANA time zone, as in Europe/Moscow".to_owned(), value)
                })?;
                timezone = Some(zone);
            }
            Role::Mode if value.is_empty() => {}
            Role::Mode => match value.parse::<Mode>() {
                Ok(known) if rules.modes.contains(&known) => mode = Some(known),
                _ => {
                    let known: Vec<&str> = rules.modes.iter().map(Mode::as_str).collect();
                    let reason = format!("`{}` is not a mode; known: {}", cut(value), known.join(", "));
                    return Err(refused(&column.header, reason, value));
                }
            },
            Role::Variable(key) => {
                variables.insert(key.clone(), value.to_owned());
            }
        }
    }
    for (key, value) in [("name", &name), ("external_id", &external_id)] {
        if let Some(value) = value {
            variables.insert(key.to_owned(), value.clone());
        }
    }
    let phone = phone.ok_or_else(|| refused("phone", phone::NotAPhone::Empty.to_string(), ""))?;
    alternates.sort_by_key(|alternate| alternate.ordinal);
    let mut seen = BTreeSet::from([phone.number.clone()]);
    alternates.retain(|alternate| {
        let fresh = seen.insert(alternate.number.clone());
        if !fresh {
            notes.push(note(&alternate.field, "the same number as another one of this row".to_owned(), &alternate.raw));
        }
        fresh
    });
    let timezone = timezone.or(phone.timezone);
    let country = phone.country.map(|country| country.to_string());
    Ok(Row {
        line,
        number: phone.number,
        country,
        raw,
        name,
        timezone,
        mode,
        external_id,
        consent,
        alternates,
        notes,
        variables,
    })
}
