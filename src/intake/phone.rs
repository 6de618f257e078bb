//! A cell with a phone number, as somebody typed or Excel mangled it, to E.164 or a reason.
//!
//! libphonenumber's rules decide what a number is; this file only undoes what spreadsheets do to
//! numbers and refuses what nobody should call in bulk.

use super::values;
use super::zones;
use crate::domain::PhoneNumber;
use crate::domain::keys::cut;
use crate::domain::list::{Allowed, NumberKind};
use chrono_tz::Tz;
use rlibphonenumber::{
    PHONE_NUMBER_UTIL, ParseError, PhoneNumber as Parsed, PhoneNumberFormat, PhoneNumberType, Region,
};
use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;

/// Longer cells hold something else.
pub const CELL_CHARS_MAX: usize = 80;

/// Digits of the longest E.164 number.
const DIGITS_MAX: usize = 15;

/// Digits at the beginning of a plain number by which the rules tell what it is: the longest beginning that they name behind
/// +7 has five (33622).
const RANGE_DIGITS: u32 = 6;

/// Digits of an extension that somebody would still dial; more are another number.
const EXTENSION_DIGITS_MAX: usize = 6;

/// `112`, `911`, `103`.
const EMERGENCY_DIGITS_MAX: usize = 3;

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
    #[error("a short number that cannot be written in international form: never called")]
    ShortAtHome,
    #[error("a premium rate number: never called, unless list.allow says premium")]
    Premium,
    #[error(
        "the extension behind the number has more than {EXTENSION_DIGITS_MAX} digits: several numbers in one cell?"
    )]
    Extension,
    #[error("{0}")]
    Damaged(values::Damage),
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
    pub kind: NumberKind,
    /// Digits behind the number, to be dialled once somebody answers. Nobody dials them.
    pub extension: Option<String>,
}

/// One cell. `region` says how a number without a country code is read.
pub fn parse(cell: &str, region: Region) -> Result<PhoneNumber, NotAPhone> {
    read(cell, region).map(|phone| phone.number)
}

/// One cell, and what its number says of the place.
pub fn read(cell: &str, region: Region) -> Result<Phone, NotAPhone> {
    read_allowing(cell, region, Allowed::default())
}

/// The same, where numbers are allowed that are refused otherwise.
pub fn read_allowing(cell: &str, region: Region, allowed: Allowed) -> Result<Phone, NotAPhone> {
    if let Some(damage) = values::damage(cell) {
        return Err(NotAPhone::Damaged(damage));
    }
    let text = clean(cell);
    if text.is_empty() {
        return Err(NotAPhone::Empty);
    }
    let text = match scientific(&text) {
        Scientific::No => text,
        Scientific::Whole(digits) => Cow::Owned(digits),
        Scientific::Rounded => return Err(NotAPhone::Rounded),
    };
    let digits = text.chars().filter(|c| c.is_numeric()).count();
    match digits {
        0 => return Err(NotAPhone::NoDigits),
        1..=SHORT_DIGITS_MAX if !letters_follow(&text) => return short(&text, region, allowed),
        _ if text.chars().count() > CELL_CHARS_MAX => return Err(NotAPhone::TooLong),
        n if n > DIGITS_MAX && text.contains([',', ';', '/', '|', '\n']) => return Err(NotAPhone::Several),
        _ => {}
    }
    match one(&text, region, allowed) {
        // A spreadsheet drops the plus: what fits no plan at home may be whole with it.
        Err(fault @ (NotAPhone::Invalid(_) | NotAPhone::TooLong)) if digits >= 11 && !text.starts_with('+') => {
            one(&format!("+{text}"), region, allowed).map_err(|_| fault)
        }
        found => found,
    }
}

/// A service code has no international form but its country's code before it. Three digits are for emergencies.
fn short(text: &str, region: Region, allowed: Allowed) -> Result<Phone, NotAPhone> {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    if !allowed.short || digits.len() <= EMERGENCY_DIGITS_MAX {
        return Err(NotAPhone::Short);
    }
    let code = PHONE_NUMBER_UTIL.get_country_code_for_region(region).ok_or(NotAPhone::ShortAtHome)?;
    let number = format!("+{code}{digits}").parse().map_err(|_| NotAPhone::ShortAtHome)?;
    Ok(Phone { number, country: Some(region), timezone: None, kind: NumberKind::Short, extension: None })
}

/// Ten digits behind `+7`, or behind `8` where that is how one calls inside the country: most rows of most lists, and a
/// third of the time that reading them takes. The rules read them so too; whatever looks otherwise is left to them.
fn plain(text: &str, region: Region) -> Option<&str> {
    let national = match text.strip_prefix("+7") {
        Some(national) => national,
        None if matches!(region, Region::RU | Region::KZ) => text.strip_prefix('8')?,
        None => return None,
    };
    // Behind an 8 a 1 may lead abroad; a 0 is kept apart from the number's digits.
    let opens = matches!(national.bytes().next()?, b'3'..=b'9');
    let plain = opens && national.len() == 10 && national.bytes().all(|byte| byte.is_ascii_digit());
    plain.then_some(national)
}

/// What the digits of a number say of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Range {
    country: Option<Region>,
    kind: PhoneNumberType,
    timezone: Option<Tz>,
}

impl Range {
    fn of(parsed: &Parsed, e164: &str) -> Self {
        let country = parsed.get_region_code();
        // The rules call a number valid that has a type; to ask them for both would be to have it looked at twice.
        let kind = PHONE_NUMBER_UTIL.get_number_type(parsed);
        Range { country, kind, timezone: country.and_then(|country| zones::of(e164, country, kind)) }
    }

    /// The same of a plain number, which the rules are asked for once for each of its beginnings: they look at no further
    /// digits of a number of this length behind +7.
    fn of_plain(national: &str, e164: &str) -> Self {
        thread_local! {
            static KNOWN: RefCell<HashMap<u32, Range>> = RefCell::new(HashMap::new());
        }
        let national_number: u64 = national.parse().expect("ten digits");
        let beginning = (national_number / 10_u64.pow(10 - RANGE_DIGITS)) as u32;
        KNOWN.with_borrow_mut(|known| {
            let parsed = || Parsed { country_code: 7, national_number, ..Parsed::default() };
            *known.entry(beginning).or_insert_with(|| Range::of(&parsed(), e164))
        })
    }
}

fn one(text: &str, region: Region, allowed: Allowed) -> Result<Phone, NotAPhone> {
    if let Some(national) = plain(text, region) {
        let e164 = ["+7", national].concat();
        let range = Range::of_plain(national, &e164);
        return callable(e164.parse().map_err(|_| NotAPhone::TooLong)?, range, None, region, allowed);
    }
    let parsed = PHONE_NUMBER_UTIL.parse(text, Some(region)).map_err(|cause| match cause {
        ParseError::InvalidCountryCode => NotAPhone::Country,
        ParseError::TooShortNsn | ParseError::TooShortAfterIdd => NotAPhone::TooShort(region),
        ParseError::TooLongNsn => NotAPhone::TooLong,
        ParseError::NotANumber(_) => NotAPhone::NoDigits,
    })?;
    let e164 = PHONE_NUMBER_UTIL.format(&parsed, PhoneNumberFormat::E164);
    let misshapen = if e164.len() > DIGITS_MAX { NotAPhone::TooLong } else { NotAPhone::TooShort(region) };
    let number: PhoneNumber = e164.parse().map_err(|_| misshapen)?;
    let extension = Some(parsed.extension()).filter(|digits| !digits.is_empty()).map(str::to_owned);
    if extension.as_ref().is_some_and(|digits| digits.len() > EXTENSION_DIGITS_MAX) {
        return Err(NotAPhone::Extension);
    }
    let range = Range::of(&parsed, &e164);
    callable(number, range, extension, region, allowed)
}

/// A number of that range, if it is one to call.
fn callable(
    number: PhoneNumber,
    range: Range,
    extension: Option<String>,
    region: Region,
    allowed: Allowed,
) -> Result<Phone, NotAPhone> {
    let Range { country, kind, timezone } = range;
    if number.is_example() {
        return Ok(Phone { number, country, timezone: None, kind: NumberKind::Example, extension });
    }
    if kind == PhoneNumberType::Unknown {
        let digits = number.as_str().len() - 1;
        let plan = country.unwrap_or(region);
        return Err(if digits <= 9 { NotAPhone::TooShort(plan) } else { NotAPhone::Invalid(plan) });
    }
    if kind == PhoneNumberType::PremiumRate && !allowed.premium {
        return Err(NotAPhone::Premium);
    }
    Ok(Phone { number, country, timezone, kind: kind_of(kind), extension })
}

fn kind_of(kind: PhoneNumberType) -> NumberKind {
    match kind {
        PhoneNumberType::Mobile => NumberKind::Mobile,
        PhoneNumberType::FixedLine => NumberKind::Fixed,
        PhoneNumberType::FixedLineOrMobile => NumberKind::FixedOrMobile,
        PhoneNumberType::TollFree => NumberKind::TollFree,
        PhoneNumberType::PremiumRate => NumberKind::Premium,
        PhoneNumberType::SharedCost => NumberKind::SharedCost,
        PhoneNumberType::VoIP => NumberKind::Voip,
        PhoneNumberType::PersonalNumber => NumberKind::Personal,
        PhoneNumberType::Pager => NumberKind::Pager,
        PhoneNumberType::UAN => NumberKind::Company,
        PhoneNumberType::VoiceMail => NumberKind::Voicemail,
        PhoneNumberType::Unknown => NumberKind::Unknown,
    }
}

/// What spreadsheets and web pages put around a number.
fn clean(cell: &str) -> Cow<'_, str> {
    if cell.bytes().all(|byte| byte.is_ascii_digit() || byte == b'+') {
        return Cow::Borrowed(cell);
    }
    let spaced: String = cell
        .chars()
        .filter(|c| !values::invisible(*c))
        .map(|c| if c.is_whitespace() && c != '\n' { ' ' } else { c })
        .collect();
    let mut text = spaced.trim();
    // ="89990000001" is how Excel is told to keep the digits, an apostrophe how people tell it.
    if let Some(inner) = text.strip_prefix("=\"").and_then(|rest| rest.strip_suffix('"')) {
        text = inner.trim();
    }
    text = text.trim_matches(['\'', '’', '`']).trim();
    let (whole, part) = text.split_once(['.', ',']).unwrap_or((text, ""));
    let zeros = matches!(part, "0" | "00") && whole.len() >= 7 && whole.bytes().all(|b| b.is_ascii_digit());
    Cow::Owned(if zeros { whole.to_owned() } else { text.to_owned() })
}

enum Scientific {
    No,
    /// All digits are there.
    Whole(String),
    Rounded,
}

/// `7,999E+10` has lost its digits; `7,9990000001E+10` has them all.
fn scientific(text: &str) -> Scientific {
    let Some((number, power)) = text.split_once(['E', 'e', 'Е', 'е']) else { return Scientific::No };
    let (whole, part) = number.split_once(['.', ',']).unwrap_or((number, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let Ok(power) = power.trim_start_matches('+').parse::<u8>() else { return Scientific::No };
    if whole.is_empty() || !digits(whole) || !digits(part) {
        return Scientific::No;
    }
    if whole.len() == 1 && part.len() == usize::from(power) && power >= 6 {
        return Scientific::Whole(format!("{whole}{part}"));
    }
    Scientific::Rounded
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
#[path = "phone_tests.rs"]
mod tests;
