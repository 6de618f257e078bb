//! The header of a list: which column is what, in Russian and English.

use super::contacts::IntakeError;
use serde::Serialize;

/// What a column is to us.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
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
    /// Every other column, under the name that a script writes in braces.
    Variable(String),
}

/// One column, in the order of the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Column {
    pub header: String,
    pub role: Role,
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
    "number",
    "номер",
];
/// A contact has at most this many numbers.
pub const NUMBERS_MAX: u8 = 10;

const NAME: &[&str] = &["name", "имя", "фио", "full_name", "contact_name"];
const TIMEZONE: &[&str] = &["timezone", "time_zone", "tz", "часовой_пояс", "таймзона"];
const MODE: &[&str] = &["mode", "scenario", "режим", "сценарий"];
const EXTERNAL_ID: &[&str] = &["external_id", "externalid", "внешний_id", "внешний_ид"];

const CONSENT_KIND: &[&str] = &["consent_kind", "consent", "согласие", "вид_согласия"];
const CONSENT_AT: &[&str] = &["consent_at", "consent_date", "дата_согласия"];
const CONSENT_SOURCE: &[&str] = &["consent_source", "источник_согласия"];

pub const COLUMNS_MAX: usize = 200;

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
    headers
        .enumerate()
        .filter_map(|(place, header)| Some((PHONE.iter().position(|name| *name == key(header))?, place)))
        .min()
        .map(|(_, place)| place)
}

/// Gives every column its role.
pub fn columns(headers: &[String], line: u64) -> Result<(usize, Vec<Column>), IntakeError> {
    if headers.len() > COLUMNS_MAX {
        return Err(IntakeError::TooManyColumns { line, columns: headers.len() });
    }
    let phone = phone_column(headers.iter().map(String::as_str)).ok_or_else(|| IntakeError::NoPhoneColumn {
        line,
        found: headers.iter().take(12).map(|h| super::phone::shown(h)).collect::<Vec<_>>().join(", "),
    })?;
    let mut columns: Vec<Column> = Vec::with_capacity(headers.len());
    for (place, header) in headers.iter().enumerate() {
        let named = key(header);
        let is = |names: &[&str]| names.contains(&named.as_str());
        let taken = |columns: &[Column], role: &Role| columns.iter().any(|c| c.role == *role);
        let role = if place == phone {
            Role::Phone
        } else if let Some(ordinal) = further(&named).filter(|n| !taken(&columns, &Role::Alternate(*n))) {
            Role::Alternate(ordinal)
        } else if is(NAME) && !taken(&columns, &Role::Name) {
            Role::Name
        } else if is(TIMEZONE) && !taken(&columns, &Role::Timezone) {
            Role::Timezone
        } else if is(MODE) {
            // Two columns that could contradict each other about the experiment are not guessed at.
            if taken(&columns, &Role::Mode) {
                return Err(IntakeError::TwoModeColumns { line });
            }
            Role::Mode
        } else if is(EXTERNAL_ID) && !taken(&columns, &Role::ExternalId) {
            Role::ExternalId
        } else if is(CONSENT_KIND) && !taken(&columns, &Role::ConsentKind) {
            Role::ConsentKind
        } else if is(CONSENT_AT) && !taken(&columns, &Role::ConsentAt) {
            Role::ConsentAt
        } else if is(CONSENT_SOURCE) && !taken(&columns, &Role::ConsentSource) {
            Role::ConsentSource
        } else {
            Role::Variable(free(&columns, if named.is_empty() { format!("column_{}", place + 1) } else { named }))
        };
        columns.push(Column { header: header.trim().to_owned(), role });
    }
    Ok((phone, columns))
}

/// `phone2`, `Телефон 3`: which number of the contact a header means.
fn further(named: &str) -> Option<u8> {
    let base = named.trim_end_matches(|c: char| c.is_ascii_digit());
    let ordinal: u8 = named[base.len()..].parse().ok()?;
    let known = PHONE.contains(&base.strip_suffix('_').unwrap_or(base));
    (known && (2..=NUMBERS_MAX).contains(&ordinal)).then_some(ordinal)
}

/// A second column of the same name becomes `name_2`, so that neither value is lost.
fn free(columns: &[Column], name: String) -> String {
    let taken = |name: &str| columns.iter().any(|c| matches!(&c.role, Role::Variable(other) if other == name));
    if !taken(&name) {
        return name;
    }
    (2..).map(|n| format!("{name}_{n}")).find(|name| !taken(name)).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roles(headers: &[&str]) -> String {
        let headers: Vec<String> = headers.iter().map(|h| (*h).to_owned()).collect();
        match columns(&headers, 1) {
            Ok((_, columns)) => columns
                .iter()
                .map(|c| match &c.role {
                    Role::Variable(name) => format!("{{{name}}}"),
                    Role::Alternate(ordinal) => format!("+{ordinal}"),
                    role => format!("{role:?}").to_lowercase(),
                })
                .collect::<Vec<_>>()
                .join(" "),
            Err(e) => e.to_string(),
        }
    }

    #[test]
    fn headers_in_two_languages() {
        for (headers, found) in [
            (
                &["phone", "name", "timezone", "mode", "external_id", "City"][..],
                "phone name timezone mode externalid {city}",
            ),
            (&["Имя", "Номер телефона", "Часовой пояс", "Сценарий"], "name phone timezone mode"),
            (&["ФИО", " ТЕЛЕФОН ", "Город", "Номер"], "name phone {город} {номер}"),
            (
                &["phone", "consent_kind", "Дата согласия", "consent_source"],
                "phone consentkind consentat consentsource",
            ),
            (&["номер", "номер договора"], "phone {номер_договора}"),
            (&["Mobile", "scenario"], "phone mode"),
            (&["phone", "city", "city", ""], "phone {city} {city_2} {column_4}"),
            (&["phone", "name", "имя"], "phone name {имя}"),
            (&["phone", "phone2", "Phone 3", "phone_10"], "phone +2 +3 +10"),
            (&["Телефон", "Телефон 2", "тел2", "мобильный_3"], "phone +2 {тел2} +3"),
            (
                &["phone", "phone1", "phone11", "phone02x", "city2", "2"],
                "phone {phone1} {phone11} {phone02x} {city2} {2}",
            ),
            (&["phone", "mode", "scenario"], "line 1: two columns say how to call (mode and scenario); keep one"),
            (
                &["city", "age"],
                "line 1: no phone column among: city, age; name one of the columns phone, mobile, телефон or номер",
            ),
        ] {
            assert_eq!(roles(headers), found, "{headers:?}");
        }
    }
}
