//! Files as they come, and the law that no row vanishes.

use super::*;
use crate::domain::PhoneNumber;
use crate::domain::list::ValueKind;
use proptest::prelude::*;
use std::io::Write;

fn modes() -> BTreeSet<Mode> {
    ["dialog", "realtime"].iter().map(|m| m.parse().unwrap()).collect()
}

fn list(text: &str) -> List {
    read(text.as_bytes(), "RU", &modes()).unwrap_or_else(|e| panic!("{text:?}: {e}"))
}

fn refusal(bytes: &[u8]) -> String {
    read(bytes, "RU", &modes()).unwrap_err().to_string()
}

/// `accepted/duplicate/refused`, and the line of every row.
fn buckets(list: &List) -> String {
    assert_eq!(list.rows, list.accepted.len() + list.complaints.len());
    let accepted: Vec<_> = list.accepted.iter().map(|row| row.line.to_string()).collect();
    let rest: Vec<_> = list.complaints.iter().map(|c| format!("{}{}", c.line, &c.bucket.as_str()[..1])).collect();
    format!("{} | {}", accepted.join(" "), rest.join(" "))
}

#[test]
fn shapes_of_files() {
    for (shape, text, found) in [
        ("plain", "phone,name\n+79990000001,Анна\n+79990000002,Олег\n", "2 3 | "),
        ("mark, semicolons, Windows ends", "\u{feff}Телефон;Имя\r\n89990000001;Анна\r\n89990000002;Олег\r\n", "2 3 | "),
        ("tabs", "имя\tномер\nАнна\t8 999 000-00-01\n", "2 | "),
        ("one column, no end", "phone\n+79990000001", "2 | "),
        ("empty lines between", "phone\n\n+79990000001\n\n\n+79990000002\n", "3 6 | "),
        ("old Macintosh ends", "phone,name\r+79990000001,Анна\r+79990000002,Олег\r", "2 3 | "),
        ("quoted line breaks", "phone,note\n+79990000001,\"two\nlines\"\n+79990000002,x\n", "2 4 | "),
        ("decimal commas in a semicolon file", "phone;sum\n89990000001;1,50\n", "2 | "),
        ("ragged", "phone,name\n+79990000001\n+79990000002,Олег,extra\n+79990000003,Ира,,\n", "4 | 2r 3r"),
        ("empty cells as a row", "phone;name\n;\n+79990000001;Анна\n", "3 | 2r"),
        (
            "the same number in other spellings",
            "phone\n+79990000001\n8 (999) 000-00-01\n9990000001\n+79990000002\n",
            "2 5 | 3d 4d",
        ),
        ("a bad row does not claim its number", "phone,mode\n+79990000001,nosuch\n+79990000001,dialog\n", "3 | 2r"),
    ] {
        assert_eq!(buckets(&list(text)), found, "{shape}");
    }
}

#[test]
fn a_row_is_parsed_whole() {
    let list = list(
        "phone;Имя;timezone;Сценарий;external_id;Сумма долга;город\n\
         8 999 000-00-01; Анна ;Asia/Omsk;realtime;C-1;1 200;\n",
    );
    let row = &list.accepted[0];
    assert_eq!(row.number.as_str(), "+79990000001");
    assert_eq!((row.raw.as_str(), row.name.as_deref()), ("8 999 000-00-01", Some("Анна")));
    assert_eq!((row.timezone, row.external_id.as_deref()), (Some(chrono_tz::Asia::Omsk), Some("C-1")));
    assert_eq!(row.mode.as_ref().map(Mode::as_str), Some("realtime"));
    let variables: Vec<_> = row.variables.iter().map(|(k, v)| format!("{k}={v}")).collect();
    assert_eq!(variables, ["external_id=C-1", "name=Анна", "город=", "сумма_долга=1 200"]);
    assert_eq!((list.dialect.delimiter, list.own_modes(), list.examples().count()), (Some(';'), 1, 1));
}

#[test]
fn the_zone_is_the_columns_else_the_numbers() {
    let zones = |text: &str| {
        let list = list(text);
        list.accepted.iter().map(|row| row.timezone.map_or("-", |zone| zone.name())).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(zones("phone\n+74951234567\n+79990000001\n"), "Europe/Moscow -", "a mobile number names no zone");
    assert_eq!(zones("phone,timezone\n+74951234567,Asia/Omsk\n+79990000001,Asia/Omsk\n"), "Asia/Omsk Asia/Omsk");
    assert_eq!(zones("phone,timezone\n+74951234567,\n"), "Europe/Moscow");
}

#[test]
fn complaints_name_line_field_and_reason() {
    let list = list(
        "phone,timezone,mode\n\
         +79990000001,,\n\
         не помню,,\n\
         +79990000002,Moscow,\n\
         +79990000003,,robot\n\
         8 999 000 00 01,,\n\
         112,,\n\
         +79990000004\n\
         \"+79990000005,,\n",
    );
    let said: Vec<_> =
        list.complaints.iter().map(|c| format!("{} {}: {} ({})", c.line, c.field, c.reason, c.raw)).collect();
    assert_eq!(
        said,
        [
            "3 phone: no number in the cell (не помню)",
            "4 timezone: not an IANA time zone, as in Europe/Moscow (Moscow)",
            "5 mode: `robot` is not a mode; known: dialog, realtime (robot)",
            "6 phone: the same number as line 2 (8 999 000 00 01)",
            "7 phone: a short or emergency number: never called (112)",
            "8 row: 1 fields, and the header has 3 (+79990000004)",
            "9 row: a quote is opened and not closed: close it, or write it twice (\"+79990000005)",
        ]
    );
}

#[test]
fn files_that_are_refused_whole() {
    for (bytes, said) in [
        (&b""[..], "the file is empty; it needs a header and a row for each contact"),
        (b"\xef\xbb\xbf\r\n\r\n", "the file is empty; it needs a header and a row for each contact"),
        (b"phone,name\n", "line 1: a header, and no rows below it; add a row for each contact"),
        (
            b"\n\nname,city\nAnna,Omsk\n",
            "line 3: no phone column among: name, city; name one of the columns phone, mobile, телефон or номер, \
             or say which in list.columns.phone",
        ),
        (
            b"phone\nx\n112\n\"\"\n",
            "none of 3 rows can be called: line 2: phone: no number in the cell; \
             line 3: phone: a short or emergency number: never called; line 4: row: the row is empty",
        ),
    ] {
        assert_eq!(refusal(bytes), said);
    }
    assert!(read(b"phone\n1", "XX", &modes()).unwrap_err().to_string().starts_with("region `XX`"));
}

fn all(bytes: &[u8], rules: &ListRules) -> Result<List, IntakeError> {
    let order =
        Order { region: "RU", zone: chrono_tz::Europe::Moscow, modes: &modes(), asked: None, rules, whole: false };
    read_from(bytes, &order)
}

/// The guards: `Counted` and the rows counted in `rows`.
#[test]
fn limits_are_refused_with_line_and_cure() {
    let rules = ListRules { rows_max: 2, ..ListRules::default() };
    let text = "phone\n+79990000001\n\n+79990000002\n+79990000003\n";
    assert_eq!(
        all(text.as_bytes(), &rules).unwrap_err().to_string(),
        "line 5: the file has more than 2 rows; split it, or raise list.rows_max"
    );
    let rules = ListRules { size_mib_max: 1, ..ListRules::default() };
    let large = format!("phone\n{}", "+79990000001\n".repeat(90_000));
    let told = all(large.as_bytes(), &rules).unwrap_err().to_string();
    assert!(told.ends_with(": the file has more than 1 MiB; split it, or raise list.size_mib_max"), "{told}");
    assert!(told.starts_with("line 80"), "{told}");
}

/// The guards: `Counted` stands behind the unpacking, `take` before a workbook is held.
#[test]
fn a_gzip_bomb_is_refused_where_it_passes_its_limit() {
    let rules = ListRules { size_mib_max: 1, ..ListRules::default() };
    let packed = |begins: &[u8], filled: u8| {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        packed.write_all(begins).unwrap();
        let piece = vec![filled; 1 << 20];
        (0..8).for_each(|_| packed.write_all(&piece).unwrap());
        packed.finish().unwrap()
    };
    for (what, begins, filled) in [
        ("rows without end", &b"phone\n+79990000001\n"[..], b'\n'),
        ("a line without end", b"phone\n+79990000001\n", b'x'),
        ("a quote without end", b"phone\n\"", b'x'),
        ("a workbook", b"PK\x03\x04", 0),
    ] {
        let bomb = packed(begins, filled);
        assert!(bomb.len() < 20_000, "{what}: {}", bomb.len());
        let told = all(&bomb, &rules).unwrap_err().to_string();
        assert!(told.ends_with("the file has more than 1 MiB; split it, or raise list.size_mib_max"), "{what}: {told}");
    }
}

#[test]
fn variables_have_types() {
    let text = "phone;debt;code;day;paid;note;none\n\
                +79990000001;1 200,50;007;01.05.2026;да;x;\n\
                +79990000002;300;012;2026-05-02;No;5;\n";
    let kinds = |list: &List| -> Vec<_> { list.columns.iter().map(|c| c.values.map(ValueKind::as_str)).collect() };
    let told = |kinds: &[&'static str]| kinds.iter().map(|kind| Some(*kind)).collect::<Vec<_>>();
    let found = list(text);
    assert_eq!(kinds(&found)[1..6], told(&["number", "text", "date", "boolean", "text"]));
    assert_eq!((kinds(&found)[0], kinds(&found)[6]), (None, None));

    let mut rules = ListRules::default();
    rules.types.insert("debt".into(), ValueKind::Integer);
    let found = all(text.as_bytes(), &rules).unwrap();
    assert_eq!((found.accepted.len(), found.complaints.len()), (1, 1));
    let complaint = &found.complaints[0];
    assert_eq!((complaint.line, complaint.field.as_str(), complaint.raw.as_str()), (2, "debt", "1 200,50"));
    assert_eq!(complaint.reason, "is declared to be a whole number, as in 1200");
    assert!(found.columns[1].declared);
}

#[test]
fn another_number_takes_the_place_of_an_empty_one() {
    let list = list("phone;phone2;phone3\n;8 999 000 00 02;+79990000003\n;;\n;112;\n+79990000001;;\n");
    assert_eq!(buckets(&list), "2 5 | 3r 4r");
    let row = &list.accepted[0];
    assert_eq!((row.number.as_str(), row.raw.as_str(), row.alternates.len()), ("+79990000002", "8 999 000 00 02", 1));
    assert_eq!(row.notes[0].reason, "the cell is empty: phone2 is called first");
}

#[test]
fn extensions_are_kept_and_told() {
    let list = list("phone\n8 999 000 00 01 доб. 305\n");
    let row = &list.accepted[0];
    assert_eq!((row.number.as_str(), row.variables["extension"].as_str()), ("+79990000001", "305"));
    assert_eq!(row.notes[0].reason, "extension 305 is not dialled: whoever answers is asked");
    assert_eq!(row.raw, "8 999 000 00 01 доб. 305");
}

#[test]
fn when_a_row_may_be_called() {
    let list = list(
        "phone;not_before;not_after;priority;timezone\n\
         +79990000001;2027-05-01;31.05.2027;9;\n\
         +79990000002;2027-05-01 10:00;;;Asia/Omsk\n\
         +79990000003;2027-06-01;2027-05-01;;\n\
         +79990000004;soon;;;\n\
         +79990000005;;;10;\n",
    );
    let at = |text: &str| Some(crate::domain::Timestamp::from(text.parse::<chrono::DateTime<chrono::Utc>>().unwrap()));
    let [first, second] = &list.accepted[..] else { panic!("{:?}", list.complaints) };
    assert_eq!((first.not_before, first.not_after), (at("2027-05-01T00:00:00Z"), at("2027-06-01T00:00:00Z")));
    assert_eq!((first.priority, second.priority), (9, 0));
    assert_eq!(second.not_before, at("2027-05-01T04:00:00Z"), "by the row's own clock");
    let said: Vec<_> = list.complaints.iter().map(|c| format!("{} {}", c.line, c.reason)).collect();
    assert_eq!(said[0], "4 lies before the time from which the row may be called");
    assert!(said[1].starts_with("5 not a date, as in 2026-05-01"));
    assert_eq!(said[2], "6 write a whole number from 0 to 9; higher ones go first");
}

fn conserved(bytes: &[u8]) -> Result<(), TestCaseError> {
    let Ok(list) = all(bytes, &ListRules::default()) else { return Ok(()) };
    prop_assert_eq!(list.rows, list.accepted.len() + list.duplicates() + list.refused());
    let mut lines: Vec<u64> = list.accepted.iter().map(|row| row.line).collect();
    lines.extend(list.complaints.iter().map(|c| c.line));
    lines.sort_unstable();
    prop_assert!(lines.windows(2).all(|pair| pair[0] < pair[1]), "two rows on one line: {lines:?}");
    let numbers: BTreeSet<&PhoneNumber> = list.accepted.iter().map(|row| &row.number).collect();
    prop_assert_eq!(numbers.len(), list.accepted.len());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn no_row_vanishes_in_random_bytes(tail in prop::collection::vec(any::<u8>(), 0..200)) {
        conserved(&tail)?;
        conserved(&[b"phone,name\n".as_slice(), &tail].concat())?;
    }
}
