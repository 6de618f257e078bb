//! One row of a list: a contact, or a complaint that names its line, field and reason.

use super::columns::{Column, Role};
use super::consent::{Proof, since};
use super::{phone, times, values};
use crate::domain::keys::cut;
use crate::domain::list::{Allowed, NumberKind};
use crate::domain::{Mode, PhoneNumber, Timestamp};
use chrono_tz::Tz;
use rlibphonenumber::Region;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Longer values are no variable that anybody says on the phone.
pub const VALUE_CHARS_MAX: usize = 1000;
/// Kept of a row that was not accepted.
const WHOLE_BYTES_MAX: usize = 64 << 10;
/// Of `priority`: 0 is called last, and is what a row has that names none.
pub const PRIORITY_MAX: u8 = 9;
/// The variable that holds the digits behind a number.
const EXTENSION: &str = "extension";

/// A contact to be called, everything in it parsed.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub line: u64,
    pub number: PhoneNumber,
    /// The number as typed.
    pub raw: String,
    pub kind: NumberKind,
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
    /// Nobody is called before.
    pub not_before: Option<Timestamp>,
    /// Nobody is called from this moment on.
    pub not_after: Option<Timestamp>,
    /// Higher ones are called first; 0 to [`PRIORITY_MAX`].
    pub priority: u8,
    /// What a script may name: every other column, and `name` and `external_id` again.
    pub variables: BTreeMap<String, String>,
    /// All cells as they stood in the file, as [`whole`] writes them, where somebody asked for them.
    pub cells: Option<String>,
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
    pub kind: NumberKind,
    /// Where the number names exactly one clock.
    pub timezone: Option<Tz>,
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
    /// All cells of the row, as [`whole`] writes them.
    #[serde(skip)]
    pub cells: String,
}

/// Cells of a row as a JSON array of texts. Of a row that is no contact of anybody's, as long as it is, the cells past the
/// bound are left out.
pub fn whole(cells: &[&str]) -> String {
    let mut bytes = 0;
    let fitting = cells.iter().take_while(|cell| {
        bytes += cell.len();
        bytes <= WHOLE_BYTES_MAX
    });
    serde_json::to_string(&cells[..fitting.count()]).expect("texts serialise")
}

/// What a row is held against.
pub struct Rules<'a> {
    pub columns: &'a [Column],
    pub region: Region,
    pub modes: &'a BTreeSet<Mode>,
    pub allow: Allowed,
    /// By whose clock times are read when neither the row nor its number names one.
    pub zone: Tz,
}

/// What cells say, while they are read.
#[derive(Default)]
struct Said {
    phone: Option<(phone::Phone, String)>,
    name: Option<String>,
    timezone: Option<Tz>,
    mode: Option<Mode>,
    external_id: Option<String>,
    consent: Proof,
    /// Column, value: their clock is known only at the end of the row.
    not_before: Option<(String, String)>,
    not_after: Option<(String, String)>,
    priority: u8,
    alternates: Vec<Alternate>,
    notes: Vec<Note>,
    variables: BTreeMap<String, String>,
}

/// `cells` has as many entries as there are columns.
pub fn row(rules: &Rules<'_>, line: u64, cells: &[&str]) -> Result<Row, Complaint> {
    let mut said = Said::default();
    for (column, cell) in rules.columns.iter().zip(cells) {
        said.hear(rules, line, column, cell)?;
    }
    said.end(rules, line)
}

fn refused(line: u64, field: &str, reason: impl ToString, raw: &str) -> Complaint {
    let (field, reason) = (field.to_owned(), reason.to_string());
    Complaint { line, bucket: Bucket::Refused, field, reason, raw: phone::shown(raw), cells: String::new() }
}

fn note(line: u64, field: &str, reason: impl ToString, raw: &str) -> Note {
    Note { line, field: field.to_owned(), reason: reason.to_string(), raw: phone::shown(raw) }
}

impl Said {
    fn hear(&mut self, rules: &Rules<'_>, line: u64, column: &Column, cell: &str) -> Result<(), Complaint> {
        if column.role == Role::Ours {
            return Ok(());
        }
        let refused = |reason: String, raw: &str| Err(refused(line, &column.header, reason, raw));
        let value = values::plain(cell);
        let value = value.as_ref();
        if let Role::Alternate(ordinal) = column.role {
            self.further(rules, line, column, ordinal, cell);
            return Ok(());
        }
        if let Some(damage) = values::damage(cell) {
            return refused(damage.to_string(), value);
        }
        if value.chars().count() > VALUE_CHARS_MAX {
            return refused(format!("longer than {VALUE_CHARS_MAX} characters: shorten it"), value);
        }
        let given = (!value.is_empty()).then(|| value.to_owned());
        let placed = given.clone().map(|value| (column.header.clone(), value));
        match &column.role {
            Role::Phone => match phone::read_allowing(cell, rules.region, rules.allow) {
                Ok(phone) => self.phone = Some((phone, cell.trim().to_owned())),
                // Another number of the row may take its place.
                Err(phone::NotAPhone::Empty) => {}
                Err(cause) => return refused(cause.to_string(), cell),
            },
            Role::Alternate(_) | Role::Ours => {}
            Role::Name => self.name = given,
            Role::ExternalId => self.external_id = given,
            Role::ConsentKind => self.consent.kind = given,
            Role::ConsentSource => self.consent.source = given,
            Role::NotBefore => self.not_before = placed,
            Role::NotAfter => self.not_after = placed,
            Role::Variable(name) => {
                if let Some(kind) = column.values.filter(|kind| column.declared && !values::is(*kind, value))
                    && !value.is_empty()
                {
                    return refused(format!("is declared to be {}", values::example(kind)), value);
                }
                self.variables.insert(name.clone(), value.to_owned());
            }
            _ if value.is_empty() => {}
            Role::ConsentAt => match since(value) {
                Ok(at) => self.consent.at = Some(at),
                Err(why) => return refused(why, value),
            },
            Role::Priority => match value.parse::<u8>() {
                Ok(priority) if priority <= PRIORITY_MAX => self.priority = priority,
                _ => {
                    return refused(
                        format!("write a whole number from 0 to {PRIORITY_MAX}; higher ones go first"),
                        value,
                    );
                }
            },
            Role::Timezone => match value.parse::<Tz>() {
                Ok(zone) => self.timezone = Some(zone),
                Err(_) => return refused("not an IANA time zone, as in Europe/Moscow".to_owned(), value),
            },
            Role::Mode => match value.parse::<Mode>() {
                Ok(known) if rules.modes.contains(&known) => self.mode = Some(known),
                _ => {
                    let known: Vec<&str> = rules.modes.iter().map(Mode::as_str).collect();
                    return refused(format!("`{}` is not a mode; known: {}", cut(value), known.join(", ")), value);
                }
            },
        }
        Ok(())
    }

    /// `phone2` and so on.
    fn further(&mut self, rules: &Rules<'_>, line: u64, column: &Column, ordinal: u8, cell: &str) {
        match phone::read_allowing(cell, rules.region, rules.allow) {
            Err(phone::NotAPhone::Empty) => {}
            Ok(read) => {
                if let Some(extension) = &read.extension {
                    self.notes.push(note(line, &column.header, undialled(extension), cell));
                }
                self.alternates.push(Alternate {
                    ordinal,
                    field: column.header.clone(),
                    number: read.number,
                    raw: cell.trim().to_owned(),
                    country: read.country.map(|country| country.to_string()),
                    kind: read.kind,
                    timezone: read.timezone,
                });
            }
            Err(cause) => self.notes.push(note(line, &column.header, cause, cell)),
        }
    }

    fn end(mut self, rules: &Rules<'_>, line: u64) -> Result<Row, Complaint> {
        for (key, value) in [("name", &self.name), ("external_id", &self.external_id)] {
            if let Some(value) = value {
                self.variables.insert(key.to_owned(), value.clone());
            }
        }
        let phone_column = rules.columns.iter().find(|column| column.role == Role::Phone);
        let field = phone_column.map_or("phone", |column| column.header.as_str());
        self.alternates.sort_by_key(|alternate| alternate.ordinal);
        let first = match self.phone.take() {
            Some((phone, raw)) => {
                if let Some(extension) = phone.extension {
                    self.notes.push(note(line, field, undialled(&extension), &raw));
                    self.variables.entry(EXTENSION.to_owned()).or_insert(extension);
                }
                let country = phone.country.map(|country| country.to_string());
                (phone.number, raw, country, phone.timezone, phone.kind)
            }
            None if self.alternates.is_empty() => {
                return Err(refused(line, field, phone::NotAPhone::Empty, ""));
            }
            None => {
                let other = self.alternates.remove(0);
                let told = format!("the cell is empty: {} is called first", other.field);
                self.notes.push(note(line, field, told, ""));
                (other.number, other.raw, other.country, other.timezone, other.kind)
            }
        };
        let (number, raw, country, zone, kind) = first;
        let mut seen = BTreeSet::from([number.clone()]);
        let notes = &mut self.notes;
        self.alternates.retain(|other| {
            let fresh = seen.insert(other.number.clone());
            if !fresh {
                notes.push(note(line, &other.field, "the same number as another one of this row", &other.raw));
            }
            fresh
        });
        let timezone = self.timezone.or(zone);
        let clock = timezone.unwrap_or(rules.zone);
        let time = |said: &Option<(String, String)>, read: fn(&str, Tz) -> Result<Timestamp, String>| match said {
            None => Ok(None),
            Some((field, value)) => read(value, clock).map(Some).map_err(|why| refused(line, field, why, value)),
        };
        let not_before = time(&self.not_before, times::from)?;
        let not_after = time(&self.not_after, times::until)?;
        if let (Some(from), Some(until), Some((field, value))) = (not_before, not_after, &self.not_after)
            && until <= from
        {
            return Err(refused(line, field, "lies before the time from which the row may be called", value));
        }
        Ok(Row {
            line,
            number,
            country,
            raw,
            kind,
            name: self.name,
            timezone,
            mode: self.mode,
            external_id: self.external_id,
            consent: self.consent,
            not_before,
            not_after,
            priority: self.priority,
            alternates: self.alternates,
            notes: self.notes,
            variables: self.variables,
            cells: None,
        })
    }
}

fn undialled(extension: &str) -> String {
    format!("extension {extension} is not dialled: whoever answers is asked")
}
