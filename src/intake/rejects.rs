//! Rows that were not accepted, as a CSV to download, mend and upload again.

use super::row::Complaint;

/// One line for each complaint: `line,bucket,field,reason,raw`.
pub fn csv(complaints: &[Complaint]) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut write = |cells: [&str; 5]| writer.write_record(cells).expect("writing to memory cannot fail");
    write(["line", "bucket", "field", "reason", "raw"]);
    for c in complaints {
        let cells = [c.line.to_string(), guard(&c.field), guard(&c.reason), guard(&c.raw)];
        write([&cells[0], c.bucket.as_str(), &cells[1], &cells[2], &cells[3]]);
    }
    writer.into_inner().expect("flushing to memory cannot fail")
}

/// A cell that a spreadsheet would run as a formula gets an apostrophe; a plain number keeps its plus.
pub fn guard(cell: &str) -> String {
    let number = cell.strip_prefix(['+', '-']).is_some_and(|rest| {
        !rest.is_empty() && rest.chars().all(|c| c.is_ascii_digit() || matches!(c, ' ' | '(' | ')' | '-'))
    });
    if !number && cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{cell}") } else { cell.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intake::Bucket;

    #[test]
    fn formulas_are_defused_and_numbers_stay() {
        for (cell, safe) in [
            ("=1+1", "'=1+1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("-2+3", "'-2+3"),
            ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
            ("+7 (999) 000-00-01", "+7 (999) 000-00-01"),
            ("Анна", "Анна"),
            ("", ""),
        ] {
            assert_eq!(guard(cell), safe);
        }
    }

    #[test]
    fn one_line_for_each_complaint() {
        let complaint = Complaint {
            line: 7,
            bucket: Bucket::Refused,
            field: "phone".into(),
            reason: "no number, at all".into(),
            raw: "=x".into(),
        };
        let text = String::from_utf8(csv(&[complaint])).unwrap();
        assert_eq!(text, "line,bucket,field,reason,raw\n7,refused,phone,\"no number, at all\",'=x\n");
    }
}
