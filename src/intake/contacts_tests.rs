//! Files as they come, and the law that no row vanishes.

use super::*;
use proptest::prelude::*;

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
    assert_eq!((list.delimiter, list.own_modes(), list.examples().count()), (';', 1, 1));
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
            "9 row: 1 fields, and the header has 3; a field runs over several lines: is a quote left open? (+79990000005,, )",
        ]
    );
}

#[test]
fn files_that_are_refused_whole() {
    for (bytes, said) in [
        (&b""[..], "the file is empty; it needs a header and a row for each contact"),
        (b"\xef\xbb\xbf\r\n\r\n", "the file is empty; it needs a header and a row for each contact"),
        (b"phone,name\n", "line 1: a header, and no rows below it; add a row for each contact"),
        (b"phone\n+79990000001\n\xcf\xf0\n", "line 3, byte 19: not UTF-8; save the file as \"CSV UTF-8\""),
        (
            b"\n\nname,city\nAnna,Omsk\n",
            "line 3: no phone column among: name, city; name one of the columns phone, mobile, телефон or номер",
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

/// How many rows a file has, told by nobody but the CSV reader itself.
fn records(bytes: &[u8], delimiter: char) -> usize {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut reader =
        ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter as u8).from_reader(bytes);
    let count = reader.byte_records().count();
    count.saturating_sub(1)
}

fn conserved(bytes: &[u8]) -> Result<(), TestCaseError> {
    let list = match read(bytes, "RU", &modes()) {
        Ok(list) => list,
        Err(IntakeError::AllRefused(list)) => *list,
        Err(_) => return Ok(()),
    };
    prop_assert_eq!(list.rows, list.accepted.len() + list.duplicates() + list.refused());
    prop_assert_eq!(list.rows, records(bytes, list.delimiter));
    let mut lines: Vec<u64> = list.accepted.iter().map(|row| row.line).collect();
    lines.extend(list.complaints.iter().map(|c| c.line));
    lines.sort_unstable();
    prop_assert!(lines.windows(2).all(|pair| pair[0] < pair[1]), "two rows on one line: {lines:?}");
    let numbers: BTreeSet<_> = list.accepted.iter().map(|row| &row.number).collect();
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

    #[test]
    fn no_row_vanishes_in_damaged_lists(
        mark in any::<bool>(),
        delimiter in prop::sample::select(vec![",", ";", "\t"]),
        end in prop::sample::select(vec!["\n", "\r\n", "\r", "\n\n"]),
        rows in prop::collection::vec(("[+78 9()0-]{0,16}|\\+7999000000[0-9]", "[а-яa-z\" ,;\n\r=]{0,8}", "dialog|robot|"), 0..12),
    ) {
        let mut text = format!("{}phone{delimiter}note{delimiter}mode{end}", if mark { "\u{feff}" } else { "" });
        for (phone, note, mode) in rows {
            text += &format!("{phone}{delimiter}{note}{delimiter}{mode}{end}");
        }
        conserved(text.as_bytes())?;
    }
}
