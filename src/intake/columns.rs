//! The header of a list: which column is what, in Russian and English.

use super::contacts::IntakeError;
use super::list::Record;
use super::list::dialect::usual_width;
use super::phone;
use crate::domain::list::{ListRules, ValueKind};
use rlibphonenumber::Region;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a column is to us.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Phone,
    /// A further number of the contact: 2 for `phone2`.
    Alternate(u8),
    Name,
    Timezone,
    Mode,
    ExternalId,
    ConsentKind,
    ConsentAt,
    ConsentSource,
    NotBefore,
    NotAfter,
    Priority,
    /// One that an export of ours added: nobody reads it.
    Ours,
    /// Every other column, under the name that a script writes in braces.
    Variable(String),
}

impl Role {
    /// The name under which a mapping gives it, a variable in braces.
    pub fn word(&self) -> String {
        match self {
            Role::Phone => "phone".to_owned(),
            Role::Alternate(ordinal) => format!("phone{ordinal}"),
            Role::Name => "name".to_owned(),
            Role::Timezone => "timezone".to_owned(),
            Role::Mode => "mode".to_owned(),
            Role::ExternalId => "external_id".to_owned(),
            Role::ConsentKind => "consent_kind".to_owned(),
            Role::ConsentAt => "consent_at".to_owned(),
            Role::ConsentSource => "consent_source".to_owned(),
            Role::NotBefore => "not_before".to_owned(),
            Role::NotAfter => "not_after".to_owned(),
            Role::Priority => "priority".to_owned(),
            Role::Ours => "not read".to_owned(),
            Role::Variable(name) => format!("{{{name}}}"),
        }
    }
}

/// One column, in the order of the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    pub header: String,
    pub role: Role,
    /// What a variable's values are: as declared, or what all of them turned out to be. Absent where none is filled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values: Option<ValueKind>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub declared: bool,
}

/// Headers of the phone column, the surest first: a list may hold several that could be meant.
const PHONE: &[&str] = &[
    "phone",
    "телефон",
    "phone_number",
    "номер_телефона",
    "phonenumber",
    "mobile",
    "мобильный",
    "mobile_phone",
    "мобильный_телефон",
    "сотовый",
    "сотовый_телефон",
    "контактный_телефон",
    "cell",
    "cell_phone",
    "telephone",
    "msisdn",
    "моб",
    "моб_телефон",
    "тел",
    "tel",
    "contact_phone",
    "number",
    "номер",
];
/// Headers that other things have too: an order's number, say. They hold only while their cells do.
const WEAK: &[&str] = &["number", "номер"];
/// A contact has at most this many numbers.
pub const NUMBERS_MAX: u8 = 10;

const NAME: &[&str] = &["name", "имя", "фио", "full_name", "contact_name"];
const TIMEZONE: &[&str] = &["timezone", "time_zone", "tz", "часовой_пояс", "таймзона"];
const MODE: &[&str] = &["mode", "scenario", "режим", "сценарий"];
const EXTERNAL_ID: &[&str] = &["external_id", "externalid", "внешний_id", "внешний_ид"];

const CONSENT_KIND: &[&str] = &["consent_kind", "consent", "согласие", "вид_согласия"];
const CONSENT_AT: &[&str] = &["consent_at", "consent_date", "дата_согласия"];
const CONSENT_SOURCE: &[&str] = &["consent_source", "источник_согласия"];

const NOT_BEFORE: &[&str] = &["not_before", "не_раньше", "звонить_после"];
const NOT_AFTER: &[&str] = &["not_after", "не_позже", "звонить_до"];
const PRIORITY: &[&str] = &["priority", "приоритет"];

/// What our exports put before the names of the columns that they add, so that a list can come back as it was taken.
const OURS: &str = "halo_";
/// The one of them that says something of a row: it must be empty before the row can be accepted.
pub const SURPLUS: &str = "halo_surplus";

pub const COLUMNS_MAX: usize = 200;
/// Rows at the beginning among which the header is looked for.
pub const HEADER_ROWS: usize = 10;
/// Of the filled cells of a column that nobody named, so many in a hundred must be numbers.
const NUMBERS_PERCENT: usize = 60;

/// A header as a key: lower case, words joined by `_`. It is also a variable's name in a script.
pub fn key(header: &str) -> String {
    let mut key = String::new();
    for c in header.trim().chars().take(80).flat_map(char::to_lowercase) {
        match c {
            c if c.is_alphanumeric() => key.push(c),
            _ if !key.is_empty() && !key.ends_with('_') => key.push('_'),
            _ => {}
        }
    }
    key.trim_end_matches('_').to_owned()
}

/// Could this be the header row of a list? The place of its surest phone column.
pub fn phone_column<'a>(headers: impl Iterator<Item = &'a str>) -> Option<usize> {
    let keys: Vec<String> = headers.map(key).collect();
    let surest = |names: &dyn Fn(&str) -> Option<usize>| {
        let found = keys.iter().enumerate().filter_map(|(place, key)| Some((names(key)?, place)));
        found.min().map(|(_, place)| place)
    };
    surest(&|key| PHONE.iter().position(|name| *name == key))
        .or_else(|| surest(&|key| (ordinal(key) == Some(1)).then_some(0)))
}

/// Does an export of ours add a column of this name?
pub fn is_ours(header: &str) -> bool {
    key(header).starts_with(OURS)
}

/// Digits, and what people put between them; enough of them for a number with its area.
pub fn looks_like_a_number(cell: &str) -> bool {
    let digits = cell.chars().filter(char::is_ascii_digit).count();
    let least = if cell.contains('+') { 7 } else { 10 };
    let between = |c: char| c.is_ascii_digit() || c.is_whitespace() || "+()-.'\"=".contains(c) || c == '\u{200e}';
    (least..=15).contains(&digits) && cell.chars().all(between)
}

/// What a list's columns are.
#[derive(Debug)]
pub struct Layout {
    pub columns: Vec<Column>,
    pub phone: usize,
    /// Place of the header among the rows that were looked at.
    pub header: Option<usize>,
    pub header_line: Option<u64>,
    /// In a list that was taken from here: the cells that a row had too many.
    pub surplus: Option<usize>,
    /// What was guessed, for somebody to look at.
    pub notices: Vec<String>,
}

/// Looks at the first rows of a list.
pub fn layout(head: &[Record], rules: &ListRules, region: Region) -> Result<Layout, IntakeError> {
    let header = match rules.dialect.header {
        // A list that was taken from here has a header, whatever is said of the campaign's own files.
        Some(false) => (head.first().is_some_and(|row| row.cells().any(is_ours))).then_some(0),
        Some(true) => Some(named_row(head, &rules.columns).unwrap_or(0)),
        None => named_row(head, &rules.columns)
            .or_else(|| (!head.first().is_some_and(|row| row.cells().any(looks_like_a_number))).then_some(0)),
    };
    let rows = &head[header.map_or(0, |place| place + 1).min(head.len())..];
    let line = header.and_then(|place| head.get(place)).or(head.first()).map_or(1, |row| row.line);
    let headers: Vec<String> = match header.and_then(|place| head.get(place)) {
        Some(row) => row.cells().map(tidy).collect(),
        None => vec![String::new(); usual_width(head)],
    };
    if headers.len() > COLUMNS_MAX {
        return Err(IntakeError::TooManyColumns { line, columns: headers.len() });
    }
    let mut notices = Vec::new();
    if let Some(place) = header.filter(|place| *place > 0) {
        let above: Vec<String> = head[..place].iter().map(|row| row.line.to_string()).collect();
        notices.push(format!("line {} stands above the header and is no row", above.join(", ")));
    }
    let given = given(&headers, &rules.columns, line)?;
    let shares = shares(rows, headers.len(), region);
    let phone = match given.iter().find(|(_, role)| **role == Role::Phone) {
        Some((place, _)) => *place,
        None => phone_at(&headers, header.is_some(), &given, &shares, line, &mut notices)?,
    };
    let mut columns = roles(&headers, phone, &given, line, &mut notices)?;
    let ours: Vec<&str> = columns.iter().filter(|c| c.role == Role::Ours).map(|c| c.header.as_str()).collect();
    if !ours.is_empty() {
        let (first, many) = (ours[0], ours.len());
        notices.push(format!("an export added columns that are not read: {first} and {} more", many - 1));
    }
    for (place, column) in columns.iter_mut().enumerate() {
        if let Role::Variable(name) = &column.role {
            column.values = rules.types.get(name).copied();
            column.declared = column.values.is_some();
            if shares.get(place).is_some_and(|share| share.is_numbers()) {
                notices.push(format!(
                    "column `{}` holds numbers too; they are called only under the header phone2 to phone{NUMBERS_MAX}",
                    column.header
                ));
            }
        }
    }
    let has = |name: &str| columns.iter().any(|c| matches!(&c.role, Role::Variable(other) if other == name));
    for name in rules.types.keys().filter(|name| !has(name)) {
        notices.push(format!("no column `{name}`, of which list.types speaks"));
    }
    let header_line = header.and_then(|place| head.get(place)).map(|row| row.line);
    let surplus = columns.iter().position(|c| c.role == Role::Ours && key(&c.header) == SURPLUS);
    Ok(Layout { columns, phone, header, header_line, surplus, notices })
}

/// The first row that names a phone column, or a column that somebody asked for. Rows with numbers end the search.
fn named_row(head: &[Record], mapping: &BTreeMap<String, String>) -> Option<usize> {
    let known = |row: &Record| {
        let asked = |cell: &str| !key(cell).is_empty() && mapping.values().any(|wanted| key(wanted) == key(cell));
        phone_column(row.cells()).is_some() || row.cells().any(asked)
    };
    let rows = head.iter().take(HEADER_ROWS).take_while(|row| !row.cells().any(looks_like_a_number));
    rows.enumerate().find(|(_, row)| known(row)).map(|(place, _)| place)
}

fn told(headers: &[String]) -> String {
    headers.iter().take(12).map(|header| phone::shown(header)).collect::<Vec<_>>().join(", ")
}

fn tidy(header: &str) -> String {
    header.chars().filter(|c| !c.is_control() || c.is_whitespace()).collect::<String>().trim().to_owned()
}

/// The columns that somebody named: by header, or else by place, counted from 1.
fn given(
    headers: &[String],
    mapping: &BTreeMap<String, String>,
    line: u64,
) -> Result<BTreeMap<usize, Role>, IntakeError> {
    let mut given = BTreeMap::new();
    for (name, wanted) in mapping {
        let place = headers.iter().position(|header| header == wanted.trim());
        let place = place.or_else(|| headers.iter().position(|header| key(header) == key(wanted)));
        let counted = || wanted.trim().parse::<usize>().ok().filter(|n| (1..=headers.len()).contains(n)).map(|n| n - 1);
        let place = place.or_else(counted).ok_or_else(|| IntakeError::NoSuchColumn {
            line,
            wanted: format!("`{}` (list.columns.{name})", phone::shown(wanted)),
            found: told(headers),
        })?;
        if given.insert(place, role_of(name)).is_some() {
            return Err(IntakeError::ColumnTwice { line, header: phone::shown(&headers[place]) });
        }
    }
    Ok(given)
}

/// The role of one of our own names; any other name is a variable's.
pub fn role_of(name: &str) -> Role {
    let named = key(name);
    match named.as_str() {
        "phone" => Role::Phone,
        "name" => Role::Name,
        "timezone" => Role::Timezone,
        "mode" | "scenario" => Role::Mode,
        "external_id" => Role::ExternalId,
        "consent_kind" => Role::ConsentKind,
        "consent_at" => Role::ConsentAt,
        "consent_source" => Role::ConsentSource,
        "not_before" => Role::NotBefore,
        "not_after" => Role::NotAfter,
        "priority" => Role::Priority,
        _ => match ordinal(&named).filter(|n| (2..=NUMBERS_MAX).contains(n)) {
            Some(further) => Role::Alternate(further),
            None => Role::Variable(named),
        },
    }
}

/// How many cells of a column are filled, and how many of these are numbers that can be called.
#[derive(Clone, Copy, Default)]
struct Share {
    filled: usize,
    numbers: usize,
}

impl Share {
    fn is_numbers(self) -> bool {
        self.numbers > 0 && self.numbers * 100 >= self.filled * NUMBERS_PERCENT
    }
}

fn shares(rows: &[Record], columns: usize, region: Region) -> Vec<Share> {
    let mut shares = vec![Share::default(); columns];
    for row in rows.iter().filter(|row| row.flaw.is_none()) {
        for (share, cell) in shares.iter_mut().zip(row.cells()).filter(|(_, cell)| !cell.trim().is_empty()) {
            share.filled += 1;
            share.numbers += usize::from(looks_like_a_number(cell) && phone::parse(cell, region).is_ok());
        }
    }
    shares
}

/// By header, else by content. A weak header whose cells are no numbers gives way to a column of numbers.
fn phone_at(
    headers: &[String],
    named: bool,
    given: &BTreeMap<usize, Role>,
    shares: &[Share],
    line: u64,
    notices: &mut Vec<String>,
) -> Result<usize, IntakeError> {
    let free = |place: &usize| !given.contains_key(place) && !is_ours(&headers[*place]);
    let by_name = phone_column(headers.iter().map(String::as_str)).filter(|_| named).filter(free);
    let fullest = |(place, share): &(usize, &Share)| {
        let percent = share.numbers * 100 / share.filled.max(1);
        (percent, share.numbers, std::cmp::Reverse(*place))
    };
    let by_content = shares.iter().enumerate().filter(|(place, share)| free(place) && share.is_numbers());
    let by_content = by_content.max_by_key(fullest).map(|(place, _)| place);
    let weak = |place: usize| WEAK.contains(&key(&headers[place]).as_str()) && !shares[place].is_numbers();
    match (by_name, by_content) {
        (Some(place), Some(other)) if weak(place) => {
            notices.push(format!("column `{}` holds the numbers, and `{}` does not", headers[other], headers[place]));
            Ok(other)
        }
        (Some(place), _) => Ok(place),
        (None, Some(place)) => {
            let told =
                if headers[place].is_empty() { (place + 1).to_string() } else { format!("`{}`", headers[place]) };
            notices.push(format!("no header says phone; column {told} holds the numbers"));
            Ok(place)
        }
        (None, None) => Err(IntakeError::NoPhoneColumn { line, found: told(headers) }),
    }
}

/// Gives every column its role.
fn roles(
    headers: &[String],
    phone: usize,
    given: &BTreeMap<usize, Role>,
    line: u64,
    notices: &mut Vec<String>,
) -> Result<Vec<Column>, IntakeError> {
    let mut columns: Vec<Column> = Vec::with_capacity(headers.len());
    // What somebody gave to a column is no other column's by its header.
    let mut taken: Vec<Role> = given.values().cloned().collect();
    let phone_key = key(&headers[phone]);
    for (place, header) in headers.iter().enumerate() {
        let named = key(header);
        let is = |names: &[&str]| names.contains(&named.as_str());
        let free = |role: &Role| !taken.contains(role);
        let by_name = [
            (NAME, Role::Name),
            (TIMEZONE, Role::Timezone),
            (EXTERNAL_ID, Role::ExternalId),
            (CONSENT_KIND, Role::ConsentKind),
            (CONSENT_AT, Role::ConsentAt),
            (CONSENT_SOURCE, Role::ConsentSource),
            (NOT_BEFORE, Role::NotBefore),
            (NOT_AFTER, Role::NotAfter),
            (PRIORITY, Role::Priority),
        ];
        let further = ordinal(&named).filter(|n| (2..=NUMBERS_MAX).contains(n)).map(Role::Alternate);
        let again = || (2..=NUMBERS_MAX).map(Role::Alternate).find(|role| free(role) && !wanted(headers, role));
        let role = if place == phone {
            Role::Phone
        } else if let Some(role) = given.get(&place) {
            role.clone()
        } else if is_ours(header) {
            Role::Ours
        } else if let Some(role) = further.filter(free) {
            role
        } else if let Some((_, role)) = by_name.into_iter().find(|(names, role)| is(names) && free(role)) {
            role
        } else if is(MODE) {
            // Two columns that could contradict each other about the experiment are not guessed at.
            if !free(&Role::Mode) {
                return Err(IntakeError::TwoModeColumns { line });
            }
            Role::Mode
        } else if let Some(role) = (!named.is_empty() && named == phone_key).then(again).flatten() {
            notices.push(format!("a second column `{header}`: its numbers are called after those of the first"));
            role
        } else {
            let name = if named.is_empty() { format!("column_{}", place + 1) } else { named };
            Role::Variable(fresh(&columns, given, name))
        };
        if role != Role::Ours {
            taken.push(role.clone());
        }
        let header = if header.is_empty() { format!("column {}", place + 1) } else { header.clone() };
        columns.push(Column { header, role, values: None, declared: false });
    }
    Ok(columns)
}

/// Does some header ask for this further number by name?
fn wanted(headers: &[String], role: &Role) -> bool {
    headers.iter().any(|header| ordinal(&key(header)).map(Role::Alternate).as_ref() == Some(role))
}

/// `phone2`, `Телефон 3`, `Phone 4 - Value`: which number of the contact a header means.
fn ordinal(named: &str) -> Option<u8> {
    let named = named.strip_suffix("_value").unwrap_or(named);
    let base = named.trim_end_matches(|c: char| c.is_ascii_digit());
    let ordinal: u8 = named[base.len()..].parse().ok().filter(|_| !named[base.len()..].starts_with('0'))?;
    PHONE.contains(&base.strip_suffix('_').unwrap_or(base)).then_some(ordinal)
}

/// A second column of the same name becomes `name_2`, so that neither value is lost.
fn fresh(columns: &[Column], given: &BTreeMap<usize, Role>, name: String) -> String {
    let is = |role: &Role, name: &str| matches!(role, Role::Variable(other) if other == name);
    let taken = |name: &str| columns.iter().any(|c| is(&c.role, name)) || given.values().any(|role| is(role, name));
    if !taken(&name) {
        return name;
    }
    (2..).map(|n| format!("{name}_{n}")).find(|name| !taken(name)).unwrap_or(name)
}

#[cfg(test)]
#[path = "columns_tests.rs"]
mod tests;
