//! Files as people really export them, each with what becomes of its rows; and the law that no row vanishes, tried
//! on files that nobody would export.
//!
//! The fuzz takes a few seconds; `HALO_FUZZ_SECONDS=36000 cargo test --test ugly fuzz` goes on for hours.
//! `HALO_FUZZ_SEED=N` tries one input alone: a failing one names its own.

#[path = "ugly/conservation.rs"]
mod conservation;
#[path = "ugly/fuzz.rs"]
mod fuzz;

use halo::domain::Mode;
use halo::domain::list::{Dialect, ListRules};
use halo::intake::columns::Role;
use halo::intake::{IntakeError, List, Order, read_from};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn modes() -> BTreeSet<Mode> {
    ["dialog", "realtime"].iter().map(|m| m.parse().unwrap()).collect()
}

fn read(bytes: impl std::io::Read, rules: &ListRules) -> Result<List, IntakeError> {
    let order =
        Order { region: "RU", zone: chrono_tz::Europe::Moscow, modes: &modes(), asked: None, rules, whole: false };
    read_from(bytes, &order)
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ugly")
}

/// Names of the files, and their bytes.
fn files() -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|ending| ending != "rs") {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            files.push((name, std::fs::read(path).unwrap()));
        }
    }
    files.sort();
    files
}

/// The law: every row in one bucket, on a line of its own, with a reason; no number twice.
fn conserved(list: &List) -> Result<(), String> {
    let told = list.accepted.len() + list.duplicates() + list.refused();
    if list.rows != told {
        return Err(format!("{} rows in, {told} accounted for", list.rows));
    }
    let mut lines: Vec<u64> = list.accepted.iter().map(|row| row.line).collect();
    lines.extend(list.complaints.iter().map(|complaint| complaint.line));
    lines.sort_unstable();
    if lines.windows(2).any(|pair| pair[0] >= pair[1]) {
        return Err(format!("two rows on one line: {lines:?}"));
    }
    let numbers: BTreeSet<&str> = list.accepted.iter().map(|row| row.number.as_str()).collect();
    if numbers.len() != list.accepted.len() {
        return Err("a number is accepted twice".to_owned());
    }
    if let Some(mute) = list.complaints.iter().find(|c| c.reason.is_empty() || c.field.is_empty()) {
        return Err(format!("line {} is refused without a reason", mute.line));
    }
    let cells = |text: &str| serde_json::from_str::<Vec<String>>(text).is_ok();
    if let Some(lost) = list.complaints.iter().find(|c| !cells(&c.cells)) {
        return Err(format!("line {} cannot be given back whole: {}", lost.line, lost.cells));
    }
    Ok(())
}

fn dialect(dialect: &Dialect) -> String {
    let mut said = vec![dialect.encoding.clone().unwrap_or_else(|| dialect.sheet.clone().unwrap_or_default())];
    said.extend(dialect.delimiter.map(|mark| if mark == '\t' { "tab".to_owned() } else { mark.to_string() }));
    said.extend(dialect.gzip.filter(|gzip| *gzip).map(|_| "gzip".to_owned()));
    said.extend(dialect.header_line.map(|line| format!("header {line}")));
    said.join(" ")
}

/// `accepted | refused and duplicate | notices`, then the dialect and the phone column; or why the file is refused.
fn told(bytes: &[u8]) -> (String, String) {
    let list = match read(bytes, &ListRules::default()) {
        Ok(list) => list,
        Err(cause) => return (cause.to_string(), String::new()),
    };
    conserved(&list).unwrap();
    let accepted: Vec<_> = list.accepted.iter().map(|row| row.line.to_string()).collect();
    let rest: Vec<_> = list.complaints.iter().map(|c| format!("{}{}", c.line, &c.bucket.as_str()[..1])).collect();
    let phone = list.columns.iter().find(|column| column.role == Role::Phone).unwrap();
    (
        format!("{} | {} | {}", accepted.join(" "), rest.join(" "), list.notices.len()),
        format!("{} {}", dialect(&list.dialect), phone.header),
    )
}

const EXPECTED: &[(&str, &str, &str)] = &[
    ("address-book.csv", "2 3 |  | 0", "utf-8 , header 1 Phone 1 - Value"),
    ("blanks-around.csv", "2 3 |  | 0", "utf-8 , header 1 phone"),
    ("bomb.xlsx", "1 |  | 1", "A column 1"),
    ("broken-utf8.csv", "2 4 5 | 3r | 0", "utf-8 , header 1 phone"),
    ("crm.csv", "2 7 | 3r 4r 5r 6r | 0", "utf-8 ; header 1 Телефон"),
    (
        "csv-in-zip.zip",
        "this is a packed file that is no Excel workbook; unpack it, or save the list as .xlsx or CSV UTF-8",
        "",
    ),
    ("cut-short.csv.gz", "the gzip file is cut short or damaged; pack it again", ""),
    ("dos.csv", "2 3 |  | 0", "ibm866 ; header 1 Телефон"),
    ("duplicate-headers.csv", "2 3 |  | 1", "utf-8 ; header 1 Телефон"),
    ("empty-lines.csv", "4 8 | 5r 6r 9r 10r | 0", "utf-8 ; header 1 phone"),
    ("empty.csv", "the file is empty; it needs a header and a row for each contact", ""),
    ("excel-damage.csv", "3 4 5 6 7 8 9 | 2r 10r 11r | 0", "utf-8 ; header 1 phone"),
    ("excel-russian.csv", "2 3 | 4r 5d | 0", "windows-1251 ; header 1 Телефон"),
    ("failed-formulas.csv", "5 | 2r 3r 4r | 0", "utf-8 ; header 1 phone"),
    ("formulas.csv", "2 3 |  | 0", "utf-8 , header 1 phone"),
    ("header-only.csv", "line 1: a header, and no rows below it; add a row for each contact", ""),
    ("instruction.csv", "3 |  | 1", "utf-8 | header 2 phone"),
    ("koi8.csv", "2 3 |  | 0", "koi8-u ; header 1 Телефон"),
    ("long-value.csv", "2 4 | 3r | 0", "utf-8 ; header 1 phone"),
    ("macintosh.csv", "2 3 |  | 0", "x-mac-cyrillic ; header 1 phone"),
    ("mark-crlf.csv", "2 3 |  | 0", "utf-8 ; header 1 phone"),
    (
        "not-a-list.csv",
        "line 1: no phone column among: Дорогие коллеги!; name one of the columns phone, mobile, телефон or номер, \
         or say which in list.columns.phone",
        "",
    ),
    ("numbers.csv", "2 3 7 9 | 4d 5r 6r 8r 10r 11r 12r | 0", "utf-8 , header 1 phone"),
    (
        "old-excel.xls",
        "this is an Excel file of before 2007, or one with a password; save it as .xlsx, or as CSV UTF-8",
        "",
    ),
    ("one-column.csv", "1 2 3 | 4d | 1", "utf-8 , column 1"),
    ("open-quote.csv", "3 4 5 7 | 2r 6r | 0", "utf-8 ; header 1 phone"),
    ("packed-twice.csv.gz", "this is a packed file; unpack it, or pack the list alone with gzip", ""),
    ("packed.csv.gz", "2 3 |  | 0", "windows-1251 ; gzip header 1 phone"),
    ("pipes.csv", "2 3 |  | 0", "utf-8 | header 1 phone"),
    ("quoted-newlines.csv", "2 6 7 |  | 0", "utf-8 , header 1 phone"),
    ("ragged.csv", "4 5 | 2r 3r | 0", "utf-8 , header 1 phone"),
    ("single-quotes.csv", "2 3 |  | 0", "utf-8 , header 1 phone"),
    ("tabs.tsv", "2 3 |  | 0", "utf-8 tab header 1 номер"),
    ("ten-phones.csv", "2 3 5 | 4r | 0", "utf-8 , header 1 phone1"),
    ("title-above.csv", "4 5 |  | 1", "utf-8 ; header 3 Телефон"),
    ("unnamed-phone.csv", "2 3 | 4r | 1", "utf-8 , header 1 Связь"),
    ("utf16be-unmarked.csv", "2 3 |  | 0", "utf-16be ; header 1 phone"),
    ("utf16le-mark.txt", "2 3 |  | 0", "utf-16le tab header 1 Телефон"),
    ("weak-header.csv", "2 3 |  | 1", "utf-8 ; header 1 Контакт"),
    (
        "web-page.xls",
        "this is a web page, whatever its name says; open it in a spreadsheet and save it as .xlsx or as CSV UTF-8",
        "",
    ),
    ("workbook.xlsx", "3 4 7 | 8r 9d 10r | 1", "Май header 2 Телефон"),
    ("zero-bytes.csv", "3 | 2r 4r | 0", "utf-8 , header 1 phone"),
];

#[test]
fn every_file_ends_as_the_table_says() {
    let files = files();
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, EXPECTED.iter().map(|(name, ..)| *name).collect::<Vec<_>>());
    let mut wrong = Vec::new();
    for ((name, bytes), (_, buckets, shape)) in files.iter().zip(EXPECTED) {
        let told = told(bytes);
        if !told.0.ends_with(buckets) || told.1 != *shape {
            wrong.push(format!("{name}\n  {told:?}\n  {:?}", (buckets, shape)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What was typed is what is called, in whichever shape it came.
#[test]
fn values_come_through_whole() {
    let list = |name: &str| read(&*std::fs::read(folder().join(name)).unwrap(), &ListRules::default()).unwrap();
    let row = |name: &str, line: u64| list(name).accepted.into_iter().find(|row| row.line == line).unwrap();
    for (name, line, column, value) in [
        ("excel-russian.csv", 2, "сумма_долга", "1 200,50"),
        ("quoted-newlines.csv", 2, "note", "first\nsecond\n\nfourth"),
        ("quoted-newlines.csv", 6, "note", "say \"hi\", twice"),
        ("open-quote.csv", 3, "name", "\"Лилия\" плюс"),
        ("open-quote.csv", 4, "name", "ИП \"Тюльпан\""),
        ("open-quote.csv", 5, "name", "ООО \"Роза\""),
        ("single-quotes.csv", 2, "name", "O'Neil, Anna"),
        ("blanks-around.csv", 2, "name", "Анна, мл."),
        ("formulas.csv", 2, "note", "=1+1"),
        ("formulas.csv", 3, "note", "-2+3"),
        ("workbook.xlsx", 3, "дата", "2026-05-01"),
        ("workbook.xlsx", 3, "сумма", "1200.5"),
        ("dos.csv", 3, "город", "Ростов-на-Дону"),
        ("macintosh.csv", 3, "name", "Олег Петров"),
        ("duplicate-headers.csv", 2, "город_2", "Омск"),
        ("numbers.csv", 7, "extension", "305"),
    ] {
        let found = row(name, line);
        assert_eq!(found.variables.get(column).map(String::as_str), Some(value), "{name} {line} {column}");
    }
    let ten = row("ten-phones.csv", 2);
    let ordinals: Vec<u8> = ten.alternates.iter().map(|other| other.ordinal).collect();
    assert_eq!((ten.number.as_str(), ordinals), ("+79990000001", (2..=10).collect()));
    assert_eq!(row("ten-phones.csv", 3).number.as_str(), "+79990000019", "the ninth, when all before it are empty");
    let reasons = |name: &str| -> Vec<String> { list(name).complaints.into_iter().map(|c| c.reason).collect() };
    assert!(reasons("excel-damage.csv")[0].starts_with("rounded by the spreadsheet"));
    assert_eq!(reasons("excel-damage.csv")[1], "hashes instead of a value: widen the column and export again");
    assert!(reasons("broken-utf8.csv")[0].starts_with("a letter that could not be read"));
}
