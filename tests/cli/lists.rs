//! `halo campaign check`, `template`, and lists from standard input.

use super::{campaign, code, err, folder, halo, out, run};
use crate::harness::settings;
use serde_json::Value;
use std::io::Write;
use std::path::Path;
use std::process::{Output, Stdio};

fn fed(folder: &Path, arguments: &[&str], bytes: &[u8]) -> Output {
    let mut command = halo(folder, &[], arguments);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
    child.stdin.take().expect("a pipe").write_all(bytes).expect("it reads");
    child.wait_with_output().expect("it ends")
}

fn ugly(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/ugly/{name}", env!("CARGO_MANIFEST_DIR"))).expect("an ugly file")
}

#[test]
fn a_list_is_looked_at_and_nothing_is_stored() {
    let folder = folder();
    let list = folder.path().join("list.csv");
    std::fs::write(&list, ugly("excel-russian.csv")).expect("a list");
    let told = run(folder.path(), &[], &["campaign", "check", "list.csv"]);
    assert_eq!(code(&told), Some(0), "{}", err(&told));
    let lines = out(&told);
    assert!(lines.starts_with("4 rows = 2 accepted + 1 duplicate + 1 refused\n"), "{lines}");
    assert!(lines.contains("File: csv, windows-1251, delimiter ;, quotes double, header in line 1"), "{lines}");
    assert!(lines.contains("Сумма долга → {сумма_долга} (number)"), "{lines}");

    let told = fed(folder.path(), &["campaign", "check", "-", "--json"], &ugly("packed.csv.gz"));
    let json: Value = serde_json::from_str(&out(&told)).expect("JSON");
    assert_eq!((&json["dialect"]["gzip"], &json["buckets"]["accepted"]), (&Value::Bool(true), &Value::from(2)));

    let told = run(folder.path(), &[], &["campaign", "check", "list.csv", "--encoding", "klingon"]);
    assert_eq!(code(&told), Some(2));
    assert!(err(&told).contains("--encoding: write the name of a text encoding"), "{}", err(&told));
    let told = fed(folder.path(), &["campaign", "check", "-"], &ugly("old-excel.xls"));
    assert_eq!(code(&told), Some(1));
    assert!(err(&told).contains("an Excel file of before 2007"), "{}", err(&told));
    let left: Vec<_> = std::fs::read_dir(folder.path()).expect("a folder").collect();
    assert_eq!(left.len(), 1, "nothing but the list: {left:?}");
}

#[test]
fn a_campaign_is_imported_from_standard_input_and_from_a_workbook() {
    let folder = folder();
    let dir = campaign(folder.path(), "may", &settings("may", ""), b"phone\n+79990000001\n");
    let told = fed(folder.path(), &["campaign", "import", &dir, "--list", "-"], &ugly("dos.csv"));
    assert_eq!(code(&told), Some(0), "{}", err(&told));
    assert!(out(&told).contains("2 rows = 2 accepted"), "{}", out(&told));
    let book = folder.path().join("june.xlsx");
    std::fs::write(&book, ugly("workbook.xlsx")).expect("a list");
    let told = run(folder.path(), &[], &["campaign", "append", "may", "june.xlsx", "--sheet", "Май"]);
    assert_eq!(code(&told), Some(0), "{}", err(&told));
    assert!(out(&told).contains("6 rows = 1 accepted + 3 duplicate + 2 refused"), "{}", out(&told));
    let template = run(folder.path(), &[], &["campaign", "template", "--language", "ru"]);
    assert!(out(&template).starts_with("\u{feff}Телефон;"), "{}", out(&template));
}
