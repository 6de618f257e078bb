//! A cell with a phone number, as somebody typed or Excel mangled it, to E.164 or a reason.
//!
//! libphonenumber's rules decide what a number is; this file only undoes what spreadsheets do to
//! numbers and refuses what nobody should call in bulk.

use super::zones;
use crate::domain::PhoneNumber;
use crate::domain::keys::cut;
use chrono_tz::Tz;
use rlibphonenumber::{PHONE_NUMBER_UTIL, ParseError, PhoneNumberFormat, PhoneNumberType, Region};

/// Longer cells hold something else.
pub const CELL_CHARS_MAX: usize = 80;

/// Digits of the longest E.164 number.
const DIGITS_MAX: usize = 15;

/// Fewer digits are an emergency or service number, which no campaign calls.
const SHORT_DIGITS_MAX: usize = 6;

/// Why a cell is no number to call. Each says what was found and what would help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAPhone {
    #[error("the cell is empty")]
    Empty,
    #[error("no number in the cell")]
    NoDigits,
    #[error("rounded by the spreadsheet (as in 7,999E+10): format the column as text and export again")]
    Rounded,
    #[error("several numbers in one cell: keep one")]
    Several,
    #[error("too short for a number of {0}")]
    TooShort(Region),
    #[error("too long for a number")]
    TooLong,
    #[error("no such country code")]
    Country,
    #[error("no such number in the numbering plan of {0}")]
    Invalid(Region),
    #[error("a short or emergency number: never called")]
    Short,
    #[error("a premium rate number: never called")]
    Premium,
}

/// A region that numbers can be read in.
pub fn region(code: &str) -> Result<Region, String> {
    Region::from_code(code)
        .ok()
        .filter(|region| PHONE_NUMBER_UTIL.get_country_code_for_region(*region).is_some())
        .ok_or_else(|| "write a country as two capital letters, as in RU".to_owned())
}

/// A number to call, and what its digits say of the place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phone {
    pub number: PhoneNumber,
    /// Absent for numbers of no country, as +800.
    pub country: Option<Region>,
    /// Where the number names exactly one clock.
    pub timezone: Option<Tz>,
}

/// One cell. `region` says how a number without a country code is read.
pub fn parse(cell: &str, region: Region) -> Result<PhoneNumber, NotAPhone> {
    read(cell, region).map(|phone| phone.number)
}

/// One cell, and what its number says of the place.
pub fn read(cell: &str, region: Region) -> Result<Phone, NotAPhone> {
    let text = clean(cell);
    if text.is_empty() {
        return Err(NotAPhone::Empty);
    }
    if rounded(&text) {
        return Err(NotAPhone::Rounded);
    }
    let digits = text.chars().filter(|c| c.is_numeric()).count();
    match digits {
        0 => return Err(NotAPhone::NoDigits),
        1..=SHORT_DIGITS_MAX if !letters_follow(&text) => return Err(NotAPhone::Short),
        _ if text.chars().count() > CELL_CHARS_MAX => return Err(NotAPhone::TooLong),
        n if n > DIGITS_MAX && text.contains([',', ';', '/', '|', '\n']) => return Err(NotAPhone::Several),
        _ => {}
    }
    match one(&text, region) {
        // A spreadsheet drops the plus: what fits no plan at home may be whole with it.
        Err(fault @ (NotAPhone::Invalid(_) | NotAPhone::TooLong)) if digits >= 11 && !text.starts_with('+') => {
            one(&format!("+{text}"), region).map_err(|_| fault)
        }
        found => found,
    }
}

fn one(text: &str, region: Region) -> Result<Phone, NotAPhone> {
    let parsed = PHONE_NUMBER_UTIL.parse(text, Some(region)).map_err(|cause| match cause {
        ParseError::InvalidCountryCode => NotAPhone::Country,
        ParseError::TooShortNsn | ParseError::TooShortAfterIdd => NotAPhone::TooShort(region),
        ParseError::TooLongNsn => NotAPhone::TooLong,
        ParseError::NotANumber(_) => NotAPhone::NoDigits,
    })?;
    let e164 = PHONE_NUMBER_UTIL.format(&parsed, PhoneNumberFormat::E164);
    let misshapen = if e164.len() > DIGITS_MAX { NotAPhone::TooLong } else { NotAPhone::TooShort(region) };
    let number: PhoneNumber = e164.parse().map_err(|_| misshapen)?;
    let country = parsed.get_region_code();
    if number.is_example() {
        return Ok(Phone { number, country, timezone: None });
    }
    if !PHONE_NUMBER_UTIL.is_valid_number(&parsed) {
        let digits = e164.len() - 1;
        let plan = country.unwrap_or(region);
        return Err(if digits <= 9 { NotAPhone::TooShort(plan) } else { NotAPhone::Invalid(plan) });
    }
    match PHONE_NUMBER_UTIL.get_number_type(&parsed) {
        PhoneNumberType::PremiumRate => Err(NotAPhone::Premium),
        kind => {
            let timezone = country.and_then(|country| zones::of(number.as_str(), country, kind));
            Ok(Phone { number, country, timezone })
        }
    }
}

/// What spreadsheets and web pages put around a number.
fn clean(cell: &str) -> String {
    let spaced: String = cell
        .chars()
        .filter(
            |c| !matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}'),
        )
        .map(|c| if c.is_whitespace() && c != '\n' { ' ' } else { c })
        .collect();
    let mut text = spaced.trim();
    // ="89990000001" is how Excel is told to keep the digits, an apostrophe how people tell it.
    if let Some(inner) = text.strip_prefix("=\"").and_then(|rest| rest.strip_suffix('"')) {
        text = inner.trim();
    }
    text = text.trim_start_matches(['\'', '’', '`']).trim();
    match text.strip_suffix(".0").or_else(|| text.strip_suffix(",0")) {
        Some(whole) if whole.len() >= 7 && whole.bytes().all(|b| b.is_ascii_digit()) => whole.to_owned(),
        _ => text.to_owned(),
    }
}

fn rounded(text: &str) -> bool {
    let Some((number, power)) = text.split_once(['E', 'e', 'Е', 'е']) else { return false };
    number.starts_with(|c: char| c.is_ascii_digit())
        && number.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | ','))
        && power.trim_start_matches('+').parse::<u8>().is_ok()
}

/// `800-FLOWERS`: few digits, and still a whole number.
fn letters_follow(text: &str) -> bool {
    text.chars().filter(char::is_ascii_alphabetic).count() >= 4
}

/// How a refused cell is shown: enough to find it, on one line.
pub fn shown(cell: &str) -> String {
    cut(&cell.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn cells_as_they_come() {
        for (cell, home, found) in [
            ("+79990000001", "RU", "+79990000001"),
            ("79990000001", "RU", "+79990000001"),
            ("89990000001", "RU", "+79990000001"),
            ("9990000001", "RU", "+79990000001"),
            ("8 (999) 000-00-01", "RU", "+79990000001"),
            ("8\u{a0}999\u{202f}000 00 01", "RU", "+79990000001"),
            ("тел. 8 999 000 00 01", "RU", "+79990000001"),
            ("8 999 000 00 01 доб. 12", "RU", "+79990000001"),
            ("'+79990000001", "RU", "+79990000001"),
            ("=\"89990000001\"", "RU", "+79990000001"),
            ("79990000001.0", "RU", "+79990000001"),
            ("\u{200e}+7 999 000-00-01", "RU", "+79990000001"),
            ("7 999 000 00 01", "US", "+79990000001"),
            ("79990000001", "US", "+79990000001"),
            ("8-10-1-212-555-0100", "RU", "+12125550100"),
            ("12125550100", "RU", "+12125550100"),
            ("(212) 555-0100", "US", "+12125550100"),
            ("8 800 555-35-35", "RU", "+78005553535"),
            ("+7 495 123-45-67", "RU", "+74951234567"),
            ("", "RU", "the cell is empty"),
            (" \u{a0} ", "RU", "the cell is empty"),
            ("не помню", "RU", "no number in the cell"),
            (
                "7,999E+10",
                "RU",
                "rounded by the spreadsheet (as in 7,999E+10): format the column as text and export again",
            ),
            (
                "7.9990000001e10",
                "RU",
                "rounded by the spreadsheet (as in 7,999E+10): format the column as text and export again",
            ),
            ("112", "RU", "a short or emergency number: never called"),
            ("8 999 000", "RU", "too short for a number of RU"),
            ("+7 999 000 00 01 22 33 44", "RU", "too long for a number"),
            ("79990000001223344556677", "RU", "too long for a number"),
            ("89990000001, 89990000002", "RU", "several numbers in one cell: keep one"),
            ("+999 12345678", "RU", "no such country code"),
            ("+7 000 000 00 00", "RU", "no such number in the numbering plan of RU"),
            ("+1 900 555 1234", "US", "a premium rate number: never called"),
            ("8 809 123 45 67", "RU", "a premium rate number: never called"),
        ] {
            let parsed = parse(cell, region(home).unwrap());
            let said = parsed.map_or_else(|e| e.to_string(), |n| n.to_string());
            assert_eq!(said, found, "{cell} read in {home}");
        }
    }

    #[test]
    fn numbers_say_where_they_are_when_they_can() {
        for (cell, country, zone) in [
            ("+7 495 123-45-67", "RU", Some("Europe/Moscow")),
            ("8 800 555-35-35", "RU", None),
            ("+79990000001", "RU", None),
            ("8-10-1-212-555-0100", "US", None),
        ] {
            let phone = read(cell, region("RU").unwrap()).unwrap();
            assert_eq!(phone.country, Some(region(country).unwrap()), "{cell}");
            assert_eq!(phone.timezone.map(|zone| zone.name()), zone, "{cell}");
        }
    }

    #[test]
    fn regions() {
        assert!(region("RU").is_ok() && region("US").is_ok());
        assert!(region("XX").is_err() && region("Russia").is_err() && region("").is_err());
    }

    proptest! {
        #[test]
        fn no_cell_makes_it_panic(cell in "\\PC{0,40}", digits in "[+0-9 ()./,E-]{0,30}") {
            let home = region("RU").unwrap();
            for cell in [cell, digits] {
                if let Ok(number) = parse(&cell, home) {
                    prop_assert_eq!(parse(number.as_str(), home), Ok(number));
                }
                prop_assert!(shown(&cell).chars().all(|c| !c.is_control()));
            }
        }
    }
}
