//! Cells as people and spreadsheets write them.

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
        ("7,999E+10", "RU", "rounded by the spreadsheet (as in 7,999E+10): format the column as text and export again"),
        ("7.9990000001e10", "RU", "+79990000001"),
        ("8,9990000001E+10", "RU", "+79990000001"),
        ("79990000001,00", "RU", "+79990000001"),
        ("'+79990000001'", "RU", "+79990000001"),
        ("#Н/Д", "RU", "a formula that failed: mend it, or empty the cell"),
        (
            "8 999 000 00 01 доб. 89990000002",
            "RU",
            "the extension behind the number has more than 6 digits: several numbers in one cell?",
        ),
        ("112", "RU", "a short or emergency number: never called"),
        ("8 999 000", "RU", "too short for a number of RU"),
        ("+7 999 000 00 01 22 33 44", "RU", "too long for a number"),
        ("79990000001223344556677", "RU", "too long for a number"),
        ("89990000001, 89990000002", "RU", "several numbers in one cell: keep one"),
        ("+999 12345678", "RU", "no such country code"),
        ("+7 000 000 00 00", "RU", "no such number in the numbering plan of RU"),
        ("+1 900 555 1234", "US", "a premium rate number: never called, unless list.allow says premium"),
        ("8 809 123 45 67", "RU", "a premium rate number: never called, unless list.allow says premium"),
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
fn kinds_and_extensions_are_told() {
    for (cell, home, kind, extension) in [
        ("8 495 123-45-67", "RU", "fixed", None),
        ("+7 495 123-45-67 доб. 12", "RU", "fixed", Some("12")),
        ("+74951234567#305", "RU", "fixed", Some("305")),
        ("+1 212 555 0100 ext. 7", "US", "example", Some("7")),
        ("8 916 123 45 67", "RU", "mobile", None),
        ("8 800 555-35-35", "RU", "toll_free", None),
        ("+1 650 253 0000", "US", "fixed_or_mobile", None),
    ] {
        let phone = read(cell, region(home).unwrap()).unwrap();
        assert_eq!((phone.kind.as_str(), phone.extension.as_deref()), (kind, extension), "{cell}");
    }
}

/// The guards: `allowed` in `one` and in `short`.
#[test]
fn premium_and_short_numbers_need_a_word() {
    let all = Allowed { premium: true, short: true };
    let read = |cell: &str, home: &str, allowed: Allowed| {
        let read = read_allowing(cell, region(home).unwrap(), allowed);
        read.map_or_else(|e| e.to_string(), |phone| format!("{} {}", phone.number, phone.kind.as_str()))
    };
    let no = Allowed::default();
    assert!(read("8 809 123 45 67", "RU", no).starts_with("a premium rate number"));
    assert!(read("8 809 123 45 67", "RU", all).ends_with(" premium"));
    for code in ["112", "911", "0611"] {
        assert!(read(code, "RU", no).starts_with("a short or emergency number"), "{code}");
    }
    assert_eq!(read("112", "RU", all), "a short or emergency number: never called");
    assert_eq!(read("22395", "US", all), "a short number that cannot be written in international form: never called");
    assert_eq!(read("223950", "US", all), "+1223950 short");
}

#[test]
fn regions() {
    assert!(region("RU").is_ok() && region("US").is_ok());
    assert!(region("XX").is_err() && region("Russia").is_err() && region("").is_err());
}

/// What was said of the first number with these six digits is true of others. The guard: `RANGE_DIGITS`.
fn one_range(beginning: u64) {
    for rest in [0, 1, 1234, 5000, 9000, 9999] {
        let national = beginning * 10_000 + rest;
        let (parsed, e164) =
            (Parsed { country_code: 7, national_number: national, ..Parsed::default() }, format!("+7{national}"));
        assert_eq!(Range::of_plain(&national.to_string(), &e164), Range::of(&parsed, &e164), "{beginning}");
    }
}

#[test]
fn beginnings_that_the_rules_name_are_of_one_range() {
    // The rules part them by their fifth digit.
    (336_200..336_300).chain(710_400..710_500).for_each(one_range);
}

#[test]
#[ignore = "half a minute; cargo test --lib every_beginning -- --ignored"]
fn every_beginning_is_of_one_range() {
    (300_000..1_000_000).for_each(one_range);
}

proptest! {
    #[test]
    fn a_plain_number_is_what_the_rules_read(
        before in prop_oneof![Just("+7"), Just("8"), Just("7"), Just("+8"), Just("88"), Just("+77"), Just("")],
        national in prop_oneof!["[0-9]{9,11}", "[0-9]{10}", "10[0-9]{8}", "8[0-9]{9}", "0[0-9]{9}"],
        home in prop_oneof![Just(Region::RU), Just(Region::KZ), Just(Region::US), Just(Region::DE)],
    ) {
        let text = format!("{before}{national}");
        if let Some(national) = plain(&text, home) {
            let parsed = PHONE_NUMBER_UTIL.parse(&text, Some(home)).unwrap();
            let e164 = PHONE_NUMBER_UTIL.format(&parsed, PhoneNumberFormat::E164);
            prop_assert_eq!(&e164, &format!("+7{national}"), "{} in {}", text, home);
            prop_assert_eq!(Range::of_plain(national, &e164), Range::of(&parsed, &e164), "{} in {}", text, home);
        }
    }

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
