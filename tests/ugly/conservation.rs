//! Rows in = accepted + duplicate + refused, for lists in any dialect with any damage. Rows are counted by whoever
//! wrote the list, not by whoever reads it.

use super::{conserved, read};
use flate2::Compression;
use flate2::write::GzEncoder;
use halo::domain::list::{Dialect, ListRules, Quote};
use halo::intake::IntakeError;
use proptest::prelude::*;
use std::io::Write;

/// A list, and how many rows its writer wrote.
#[derive(Clone, Debug)]
struct Written {
    bytes: Vec<u8>,
    rows: usize,
}

fn encoded(text: &str, encoding: &str) -> Vec<u8> {
    match encoding {
        "utf-8" => text.as_bytes().to_vec(),
        "utf-8 marked" => [b"\xef\xbb\xbf", text.as_bytes()].concat(),
        "utf-16le" => format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect(),
        "utf-16be" => format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_be_bytes).collect(),
        _ => encoding_rs::WINDOWS_1251.encode(text).0.into_owned(),
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

fn cell() -> impl Strategy<Value = String> {
    prop_oneof![
        "[а-яА-Яa-z ]{0,12}",
        "[а-я\",;|\t\n\r'=+@#0-9 ]{0,16}",
        Just("7,999E+10".to_owned()),
        Just("#Н/Д".to_owned()),
        Just("'=1+1".to_owned()),
    ]
}

fn phone() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "\\+7999000[0-9]{4}",
        2 => "8 \\(999\\) 000-[0-9]{2}-[0-9]{2}",
        1 => "[+78 9()0.,E-]{0,16}",
        1 => Just(String::new()),
        1 => cell(),
    ]
}

prop_compose! {
    fn list()(
        encoding in prop::sample::select(vec!["utf-8", "utf-8 marked", "utf-16le", "utf-16be", "windows-1251"]),
        delimiter in prop::sample::select(vec![',', ';', '\t', '|']),
        end in prop::sample::select(vec!["\n", "\r\n", "\r", "\n\n", "\r\n\r\n"]),
        packed in any::<bool>(),
        rows in prop::collection::vec((phone(), cell(), cell()), 1..40),
    ) -> Written {
        let mark = delimiter.to_string();
        let mut text = format!("Телефон{mark}Имя{mark}заметка{end}");
        for (phone, name, note) in &rows {
            let quoted = [phone, name, note].map(|cell| {
                let plain = !cell.contains(['"', '\n', '\r', delimiter]) && !cell.starts_with([' ', '\'']);
                if plain { cell.clone() } else { format!("\"{}\"", cell.replace('"', "\"\"")) }
            });
            text += &format!("{}{end}", quoted.join(&mark));
        }
        let bytes = encoded(&text, encoding);
        Written { bytes: if packed { gzip(&bytes) } else { bytes }, rows: rows.len() }
    }
}

/// What happens to a file on its way.
#[derive(Clone, Debug)]
enum Damage {
    Flip(usize, u8),
    Cut(usize, usize),
    Insert(usize, Vec<u8>),
    Again(usize, usize),
    End(usize),
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        (any::<usize>(), any::<u8>()).prop_map(|(at, byte)| Damage::Flip(at, byte)),
        (any::<usize>(), 0..20_usize).prop_map(|(at, n)| Damage::Cut(at, n)),
        (any::<usize>(), prop::collection::vec(any::<u8>(), 0..8)).prop_map(|(at, bytes)| Damage::Insert(at, bytes)),
        (any::<usize>(), prop::sample::select(b"\"',;\n\r\t\0".to_vec()))
            .prop_map(|(at, byte)| Damage::Insert(at, vec![byte])),
        (any::<usize>(), 0..80_usize).prop_map(|(at, n)| Damage::Again(at, n)),
        any::<usize>().prop_map(Damage::End),
    ]
}

fn damaged(mut bytes: Vec<u8>, damages: &[Damage]) -> Vec<u8> {
    for damage in damages {
        let len = bytes.len();
        let place = |at: usize| at % (len + 1);
        match damage {
            Damage::Flip(at, byte) if len > 0 => bytes[at % len] ^= byte,
            Damage::Flip(..) => {}
            Damage::Cut(at, n) => drop(bytes.drain(place(*at)..(place(*at) + n).min(len))),
            Damage::Insert(at, more) => drop(bytes.splice(place(*at)..place(*at), more.iter().copied())),
            Damage::Again(at, n) => {
                let piece = bytes[place(*at)..(place(*at) + n).min(len)].to_vec();
                bytes.splice(place(*at)..place(*at), piece);
            }
            Damage::End(at) => bytes.truncate(place(*at)),
        }
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 250, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn as_many_rows_come_out_as_were_written(list in list()) {
        let read = read(&*list.bytes, &ListRules::default()).map_err(|e| TestCaseError::fail(e.to_string()))?;
        prop_assert_eq!(conserved(&read), Ok(()));
        prop_assert_eq!(read.rows, list.rows);
    }

    #[test]
    fn damage_loses_no_row(list in list(), damages in prop::collection::vec(damage(), 1..6)) {
        let bytes = damaged(list.bytes, &damages);
        if let Ok(read) = read(&*bytes, &ListRules::default()) {
            prop_assert_eq!(conserved(&read), Ok(()));
        }
    }

    /// Where no quote means anything, a row is a line: whoever counts lines has counted rows.
    #[test]
    fn without_quotes_every_line_is_a_row(text in "[0-9а-я\",; \n\r+]{0,200}", damages in prop::collection::vec(damage(), 0..4)) {
        let text = format!("phone;name\n{text}");
        let mut bytes = b"\xef\xbb\xbf".to_vec();
        bytes.extend(damaged(text.into_bytes(), &damages));
        let dialect = Dialect {
            quote: Some(Quote::None),
            header: Some(false),
            encoding: Some("utf-8".to_owned()),
            ..Dialect::default()
        };
        let mut rules = ListRules { dialect, ..ListRules::default() };
        rules.columns.insert("phone".to_owned(), "1".to_owned());
        match read(&*bytes, &rules) {
            Ok(list) => {
                prop_assert_eq!(conserved(&list), Ok(()));
                let text = String::from_utf8_lossy(&bytes[3..]).into_owned();
                let lines = text.split(['\n', '\r']).filter(|line| !line.is_empty()).count();
                prop_assert_eq!(list.rows, lines);
            }
            Err(cause) => prop_assert!(
                matches!(cause, IntakeError::Empty | IntakeError::NotAList(_) | IntakeError::NoWorkbook(_)
                    | IntakeError::TooManyColumns { .. }),
                "{cause}"
            ),
        }
    }
}
