//! Where rows end, and the law that each line belongs to one of them.

use super::*;
use proptest::prelude::*;

const MARKS: Marks = Marks { delimiter: b',', quote: Quote::Double };

/// `line: a|b|c` for each record; `!` for a faulty one.
fn told(text: &str) -> Vec<String> {
    let tell = |record: &Record| {
        let cells: Vec<&str> = record.cells().collect();
        let flaw = if record.flaw.is_some() { "!" } else { "" };
        format!("{}: {flaw}{}", record.line, cells.join("|"))
    };
    of_text(text, MARKS, usize::MAX).iter().map(tell).collect()
}

#[test]
fn rows_end_where_a_reader_would_end_them() {
    for (text, records) in [
        ("a,b\nc,d", &["1: a|b", "2: c|d"][..]),
        ("a,b\r\nc,d\r\n", &["1: a|b", "2: c|d"]),
        ("a\rb\r\r\nc", &["1: a", "2: b", "4: c"]),
        ("\n\na,,\n", &["3: a||"]),
        ("\"a,b\",c\n", &["1: a,b|c"]),
        ("\"a\nb\r\n\r\nc\",d\ne", &["1: a\nb\r\n\r\nc|d", "5: e"]),
        ("\"say \"\"hi\"\"\",x", &["1: say \"hi\"|x"]),
        ("\"\",\"\"\"\"", &["1: |\""]),
        ("a \"b\" c,d", &["1: a \"b\" c|d"]),
        ("\"a\" b,c", &["1: \"a\" b|c"]),
        (" \"a,b\" ,c", &["1: a,b|c"]),
        ("\"a,b\nc,d\n", &["1: !\"a|b", "2: c|d"]),
        ("\"a,b\nc,\"d\ne", &["1: !\"a|b", "2: !c|\"d", "3: e"]),
        ("x,\"", &["1: !x|\""]),
        ("", &[]),
        ("\n\r\n", &[]),
    ] {
        assert_eq!(told(text), records, "{text:?}");
    }
}

/// The guards: the bounds in `quoted_cell`.
#[test]
fn an_open_quote_costs_its_own_line() {
    let below = "x,y\n".repeat(500);
    let text = format!("a,\"b\n{below}c,d\"\ne,f\n");
    let records = of_text(&text, MARKS, usize::MAX);
    assert_eq!(records.len(), 503);
    assert_eq!(records.iter().filter(|record| record.flaw.is_some()).count(), 1);
    assert_eq!((records[1].line, records[502].line), (2, 503));
    let wide = format!("\"{}\n\"\nz\n", "w".repeat(QUOTED_BYTES_MAX));
    assert_eq!(of_text(&wide, MARKS, usize::MAX).len(), 3);
}

/// The guard: `RECORD_BYTES_MAX` in `line_end`.
#[test]
fn a_line_without_end_is_skipped_and_not_held() {
    struct Endless(usize);
    impl Source for Endless {
        fn fill(&mut self, into: &mut Vec<u8>) -> io::Result<bool> {
            assert!(into.len() <= RECORD_BYTES_MAX + (128 << 10), "the line is held in memory");
            self.0 += 1;
            match self.0 {
                ..100 => into.extend(vec![b'x'; 64 << 10]),
                100 => into.extend(b"\nlast,row\n"),
                _ => return Ok(false),
            }
            Ok(true)
        }
    }
    let mut records = Records::new(Endless(0), MARKS);
    let mut record = Record::default();
    assert!(records.next(&mut record).unwrap());
    assert_eq!((record.flaw, record.line), (Some(Flaw::TooLong), 1));
    assert!(records.next(&mut record).unwrap());
    assert_eq!((record.line, record.get(1)), (2, Some("row")));
    assert!(!records.next(&mut record).unwrap());
}

/// Lines of a text, told by nobody but their ends: which are empty.
fn empty_lines(text: &str) -> Vec<bool> {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut lines: Vec<bool> = text.split('\n').map(str::is_empty).collect();
    if lines.last() == Some(&true) {
        lines.pop();
    }
    lines
}

/// A source that hands on a few bytes at a time.
struct Slow(Vec<u8>);

impl Source for Slow {
    fn fill(&mut self, into: &mut Vec<u8>) -> io::Result<bool> {
        let n = self.0.len().min(3);
        let text = std::str::from_utf8(&self.0).unwrap();
        let n = (n..=self.0.len()).find(|n| text.is_char_boundary(*n)).unwrap();
        into.extend(self.0.drain(..n));
        Ok(n > 0)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn each_line_belongs_to_one_record(
        text in "[a,;\"'\n\r\t я]{0,60}",
        delimiter in prop::sample::select(b",;\t|".to_vec()),
        quote in prop::sample::select(Quote::ALL.to_vec()),
    ) {
        let marks = Marks { delimiter, quote };
        let records = of_text(&text, marks, usize::MAX);
        let lines = empty_lines(&text);
        let mut owners = vec![0; lines.len()];
        for record in &records {
            prop_assert!(!record.is_empty());
            for line in record.line..record.line + record.lines {
                owners[line as usize - 1] += 1;
            }
            prop_assert!(!lines[record.line as usize - 1], "a record begins with an empty line");
        }
        for (line, (owners, empty)) in owners.into_iter().zip(&lines).enumerate() {
            prop_assert!(owners == 1 || owners == 0 && *empty, "line {} has {owners} records", line + 1);
        }
        let mut slow = Records::new(Slow(text.into_bytes()), marks);
        let (mut record, mut again) = (Record::default(), Vec::new());
        while slow.next(&mut record).unwrap() {
            again.push(record.clone());
        }
        prop_assert_eq!(again, records, "the pieces in which text comes decide nothing");
    }

    #[test]
    fn what_a_writer_quotes_comes_back(rows in prop::collection::vec(prop::collection::vec("[a\",\n\r ;яб]{0,8}", 3), 1..8)) {
        let mut writer = csv::WriterBuilder::new().quote_style(csv::QuoteStyle::Always).from_writer(Vec::new());
        for row in &rows {
            writer.write_record(row).unwrap();
        }
        let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
        let read: Vec<Vec<String>> = of_text(&text, MARKS, usize::MAX)
            .iter()
            .map(|record| record.cells().map(str::to_owned).collect())
            .collect();
        prop_assert_eq!(read, rows);
    }
}
