//! A phone number, known to be E.164.

use std::fmt;
use std::str::FromStr;

/// An E.164 number: `+`, then 7 to 15 digits, the first not zero (ITU-T E.164, section 6).
///
/// Whether the number exists is for `intake` to judge; the type only promises the shape. `Debug`
/// shows the last two digits, so that no log can hold a person's number by accident.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PhoneNumber(String);

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not an E.164 number (a plus and 7 to 15 digits)")]
pub struct NotE164;

impl FromStr for PhoneNumber {
    type Err = NotE164;
    fn from_str(text: &str) -> Result<Self, NotE164> {
        let digits = text.strip_prefix('+').ok_or(NotE164)?;
        let shaped =
            (7..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
        if shaped { Ok(PhoneNumber(text.to_owned())) } else { Err(NotE164) }
    }
}

impl PhoneNumber {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same as a number: at most 15 digits, the first of them not zero.
    pub fn digits(&self) -> u64 {
        self.0.bytes().filter(u8::is_ascii_digit).fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0'))
    }

    /// The number with these digits.
    pub fn of_digits(digits: u64) -> Option<Self> {
        format!("+{digits}").parse().ok()
    }

    /// The number with all but its last two digits hidden, for logs and for people who may not see it.
    pub fn masked(&self) -> String {
        format!("+…{}", &self.0[self.0.len() - 2..])
    }

    /// What stands in the place of a number that was erased: +999 leads to no country (ITU-T E.164, list of assigned
    /// codes), and nobody can be rung by it. `n` tells one from another.
    pub fn erased(n: u64) -> Self {
        PhoneNumber(format!("+999{:012}", n % 1_000_000_000_000))
    }

    pub fn is_erased(&self) -> bool {
        self.0.len() == 16 && self.0.starts_with("+999")
    }

    /// Numbers kept for examples and tests; never dialled on the real platform.
    ///
    /// +7 999 000-00-00 to 000-99-99, the fictitious US range 555-0100 to 555-0199 in any area
    /// (North American Numbering Plan, 555 line numbers), and +79991234567.
    pub fn is_example(&self) -> bool {
        let n = self.0.as_str();
        if n == "+79991234567" || (n.len() == 12 && n.starts_with("+7999000")) {
            return true;
        }
        n.len() == 12 && n.starts_with("+1") && &n[5..10] == "55501"
    }
}

impl fmt::Display for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shape() {
        for (text, good) in [
            ("+79990000001", true),
            ("79990000001", false),
            ("+0999000000", false),
            ("+7 999 000 00 01", false),
            ("+123456", false),
            ("+1234567890123456", false),
            ("", false),
        ] {
            assert_eq!(text.parse::<PhoneNumber>().is_ok(), good, "{text}");
        }
    }

    #[test]
    fn examples_are_known_and_others_are_not() {
        for (text, example) in [
            ("+79990000000", true),
            ("+79990009999", true),
            ("+79991234567", true),
            ("+79991234568", false),
            ("+12125550100", true),
            ("+12125550199", true),
            ("+12125550200", false),
            ("+74951234567", false),
        ] {
            assert_eq!(text.parse::<PhoneNumber>().unwrap().is_example(), example, "{text}");
        }
    }

    #[test]
    fn an_erased_number_has_the_shape_of_one() {
        let gone = PhoneNumber::erased(u64::MAX);
        assert!(gone.is_erased() && gone.as_str().parse::<PhoneNumber>().is_ok_and(|read| read == gone));
        assert!(!"+79990000001".parse::<PhoneNumber>().unwrap().is_erased());
    }

    #[test]
    fn debug_hides_the_person() {
        let number: PhoneNumber = "+79990000042".parse().unwrap();
        assert_eq!(format!("{number:?}"), "+…42");
    }
}
