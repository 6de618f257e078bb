//! Workbooks that are none, or too much.

use super::*;

const BOOK: &[u8] = include_bytes!("../../../tests/ugly/workbook.xlsx");
const BOMB: &[u8] = include_bytes!("../../../tests/ugly/bomb.xlsx");

fn rows(bytes: &[u8], sheet: Option<&str>, mib: u64) -> Result<Vec<String>, String> {
    let mut rows = Vec::new();
    let read = each::<()>(bytes.to_vec(), sheet, mib, &mut |record| {
        rows.push(format!("{}: {}", record.line, record.cells().collect::<Vec<_>>().join("|")));
        Ok(())
    });
    read.map(|_| rows).map_err(|cause| cause.to_string())
}

#[test]
fn cells_are_shown_with_all_their_digits() {
    assert_eq!(
        rows(BOOK, None, 10).unwrap(),
        [
            "2: Телефон|Имя|Дата|Сумма",
            "3: 79990000001|Анна|2026-05-01|1200.5",
            "4: 89990000002|Олег",
            "7: 8 (999) 000-00-03|Ира||300",
            "8: #REF!|Ира",
            "9: 79990000001|Анна",
            "10: |Олег",
        ]
    );
    assert_eq!(rows(BOOK, Some("Архив"), 10).unwrap(), ["1: 79990000009"]);
    assert_eq!(
        rows(BOOK, Some("Июнь"), 10).unwrap_err(),
        "the workbook has no sheet `Июнь`; it has: Архив, Май, Заметки"
    );
}

/// The guard: `bounded`, asked before the workbook is opened.
#[test]
fn a_bomb_is_not_unpacked_into_memory() {
    assert_eq!(
        rows(BOMB, None, 2).unwrap_err(),
        "the workbook unpacks to more than 2 MiB; split it, or save the sheet as CSV UTF-8"
    );
    assert_eq!(rows(BOMB, None, 10).unwrap(), ["1: 79990000009"]);
}

#[test]
fn damaged_workbooks_are_refused_and_never_panic() {
    for cut in (0..BOOK.len()).step_by(97) {
        assert!(rows(&BOOK[..cut], None, 10).is_err(), "cut at {cut}");
    }
    for at in (0..BOOK.len()).step_by(13) {
        let mut bytes = BOOK.to_vec();
        bytes[at] ^= 0x5a;
        let _ = rows(&bytes, None, 10);
    }
}
