//! A cell as it was meant: what spreadsheets put around values, and what kind of value it is.

use super::columns::{Column, Role};
use super::rejects::RUN;
use crate::domain::list::ValueKind;
use chrono::NaiveDate;
use std::borrow::Cow;

/// Longer numbers are none that anybody counts with; a spreadsheet has rounded them.
const DIGITS_MAX: usize = 15;

/// What a formula leaves in a cell when it fails, in English and Russian.
const FAILED: &[&str] = &[
    "#n/a",
    "#н/д",
    "#ref!",
    "#ссылка!",
    "#value!",
    "#знач!",
    "#name?",
    "#имя?",
    "#div/0!",
    "#дел/0!",
    "#num!",
    "#число!",
    "#null!",
    "#пусто!",
    "#spill!",
    "#getting_data",
];

/// Why a cell, whatever its column, spoils its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    #[error("a letter that could not be read (\u{fffd}): save the file as \"CSV UTF-8\", or name its encoding")]
    Unreadable,
    #[error("a zero byte: the file is damaged, or its encoding is another")]
    Zero,
    #[error("a control character that nobody sees: delete it")]
    Control,
    #[error("a formula that failed: mend it, or empty the cell")]
    Formula,
    #[error("hashes instead of a value: widen the column and export again")]
    Hashes,
}

pub fn damage(cell: &str) -> Option<Damage> {
    // A line break and a tab stand in cells that people wrote.
    let spoils = |c: &char| *c == '\u{fffd}' || c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    // One look at most cells: nothing is wrong with them. 0xc2 begins the further control characters, 0xef what stands for
    // a letter that could not be read.
    let sound = cell.bytes().all(|byte| byte >= b' ' && !matches!(byte, 0x7f | 0xc2 | 0xef));
    let spoilt = if sound { None } else { cell.chars().filter(spoils).min_by_key(|c| (*c != '\u{fffd}', *c != '\0')) };
    match spoilt {
        None => {}
        Some('\u{fffd}') => return Some(Damage::Unreadable),
        Some('\0') => return Some(Damage::Zero),
        Some(_) => return Some(Damage::Control),
    }
    let cell = cell.trim();
    if !cell.starts_with('#') {
        return None;
    }
    match cell {
        _ if cell.len() >= 4 && cell.bytes().all(|byte| byte == b'#') => Some(Damage::Hashes),
        _ if FAILED.contains(&cell.to_lowercase().as_str()) => Some(Damage::Formula),
        _ => None,
    }
}

/// Marks of direction and width that nobody sees.
pub fn invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// The value without what a spreadsheet was told by: `="…"`, and an apostrophe before what it would compute.
pub fn plain(cell: &str) -> Cow<'_, str> {
    let edge = |c: char| c.is_whitespace() || invisible(c);
    let text = cell.trim_matches(edge);
    if let Some(inner) = text.strip_prefix("=\"").and_then(|rest| rest.strip_suffix('"')) {
        return Cow::Owned(inner.replace("\"\"", "\"").trim_matches(edge).to_owned());
    }
    let told = |rest: &str| rest.starts_with(|c: char| c.is_ascii_digit() || RUN.contains(&c));
    Cow::Borrowed(text.strip_prefix('\'').filter(|rest| told(rest)).unwrap_or(text))
}

/// Is this value of that kind?
pub fn is(kind: ValueKind, value: &str) -> bool {
    match kind {
        ValueKind::Text => true,
        ValueKind::Integer => integer(value),
        ValueKind::Number => number(value),
        ValueKind::Date => date(value).is_some(),
        ValueKind::Boolean => {
            let word = value.to_lowercase();
            ["true", "false", "yes", "no", "да", "нет", "истина", "ложь"].contains(&word.as_str())
        }
    }
}

/// How a value of this kind is written.
pub fn example(kind: ValueKind) -> &'static str {
    match kind {
        ValueKind::Text => "any text",
        ValueKind::Integer => "a whole number, as in 1200",
        ValueKind::Number => "a number, as in 1200.50 or 1 200,50",
        ValueKind::Date => "a date, as in 2026-05-01 or 01.05.2026",
        ValueKind::Boolean => "yes or no",
    }
}

/// Without what groups thousands.
fn digits(value: &str) -> Option<Cow<'_, str>> {
    let unsigned = value.strip_prefix(['-', '+', '\u{2212}']).unwrap_or(value);
    if unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
        return (1..=DIGITS_MAX).contains(&unsigned.len()).then_some(Cow::Borrowed(unsigned));
    }
    let groups: Vec<&str> = unsigned.split([' ', '\u{a0}', '\u{202f}']).collect();
    let grouped = groups.len() == 1 || groups[0].len() <= 3 && groups[1..].iter().all(|group| group.len() == 3);
    let whole = groups.concat();
    let counted = (1..=DIGITS_MAX).contains(&whole.len()) && whole.bytes().all(|byte| byte.is_ascii_digit());
    (grouped && counted).then_some(Cow::Owned(whole))
}

/// Without a leading zero: `007` is a code.
fn integer(value: &str) -> bool {
    digits(value).is_some_and(|digits| digits == "0" || !digits.starts_with('0'))
}

fn number(value: &str) -> bool {
    let (whole, part) = value.split_once(['.', ',']).unwrap_or((value, "0"));
    integer(whole) && (1..=9).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
}

/// `2026-05-01`, `01.05.2026`, and both with a time at midnight, as a workbook tells them.
pub fn date(value: &str) -> Option<NaiveDate> {
    let day = value.strip_suffix(" 00:00:00").unwrap_or(value);
    let year = |text: &str| text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit());
    let russian = day.rsplit('.').next().is_some_and(year);
    let iso = day.split('-').next().is_some_and(year);
    match () {
        _ if russian => NaiveDate::parse_from_str(day, "%d.%m.%Y").ok(),
        _ if iso => NaiveDate::parse_from_str(day, "%Y-%m-%d").ok(),
        _ => None,
    }
}

/// What the values of each column can still be.
#[derive(Debug)]
pub struct Kinds(Vec<Option<Vec<ValueKind>>>);

impl Kinds {
    pub fn of(columns: &[Column]) -> Self {
        Kinds(vec![None; columns.len()])
    }

    /// One value more; an empty one says nothing.
    pub fn see(&mut self, place: usize, value: &str) {
        if value.is_empty() {
            return;
        }
        const ALL: [ValueKind; 4] = [ValueKind::Integer, ValueKind::Number, ValueKind::Date, ValueKind::Boolean];
        if let Some(left) = self.0.get_mut(place) {
            left.get_or_insert_with(|| ALL.to_vec()).retain(|kind| is(*kind, value));
        }
    }

    /// Writes down what nobody declared.
    pub fn tell(self, columns: &mut [Column]) {
        for (column, left) in columns.iter_mut().zip(self.0) {
            if !column.declared && matches!(column.role, Role::Variable(_)) {
                column.values = left.map(|left| left.first().copied().unwrap_or(ValueKind::Text));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_what_they_look_like() {
        use ValueKind::{Boolean, Date, Integer, Number};
        for (value, kinds) in [
            ("1200", &[Integer, Number][..]),
            ("-5", &[Integer, Number]),
            ("1 200", &[Integer, Number]),
            ("1\u{a0}200,50", &[Number]),
            ("12 00", &[]),
            ("007", &[]),
            ("1.5", &[Number]),
            ("1,5,6", &[]),
            ("1E5", &[]),
            ("12345678901234567890", &[]),
            ("2026-05-01", &[Date]),
            ("01.05.2026", &[Date]),
            ("2026-05-01 00:00:00", &[Date]),
            ("31.02.2026", &[]),
            ("01.05.26", &[]),
            ("Да", &[Boolean]),
            ("", &[]),
        ] {
            let found: Vec<_> = [Integer, Number, Date, Boolean].into_iter().filter(|kind| is(*kind, value)).collect();
            assert_eq!(found, kinds, "{value}");
        }
    }

    #[test]
    fn what_spreadsheets_put_around_a_value_goes() {
        for (cell, value) in [
            (" \u{a0}Анна\u{200b} ", "Анна"),
            ("=\"007\"", "007"),
            ("=\"say \"\"hi\"\"\"", "say \"hi\""),
            ("'+79990000001", "+79990000001"),
            ("'=1+1", "=1+1"),
            ("'s-Hertogenbosch", "'s-Hertogenbosch"),
            ("\u{feff}x", "x"),
        ] {
            assert_eq!(plain(cell), value, "{cell:?}");
        }
    }

    #[test]
    fn damage_is_seen_in_any_cell() {
        for (cell, seen) in [
            ("#Н/Д", Some(Damage::Formula)),
            (" #REF! ", Some(Damage::Formula)),
            ("########", Some(Damage::Hashes)),
            ("#1", None),
            ("###", None),
            ("Ан\u{fffd}а", Some(Damage::Unreadable)),
            ("a\0b", Some(Damage::Zero)),
            ("a\u{7}b", Some(Damage::Control)),
            ("two\nlines\tand a tab", None),
            ("", None),
        ] {
            assert_eq!(damage(cell), seen, "{cell:?}");
        }
    }
}
