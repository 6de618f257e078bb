//! What somebody is told of a list before anything is stored.

use super::contacts::{Column, List};
use super::phone::shown;
use crate::domain::list::{Dialect, NumberKind};
use serde::Serialize;
use std::collections::BTreeMap;

/// Rows shown of each reason.
const FIRST_MAX: usize = 3;
/// Reasons told; a list with more has one fault that shows in many ways.
const REASONS_MAX: usize = 100;

/// A list, in numbers and examples.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Check {
    pub rows: usize,
    pub buckets: Buckets,
    pub dialect: Dialect,
    /// What was guessed, for somebody to look at.
    pub notices: Vec<String>,
    pub columns: Vec<Column>,
    /// Why rows were not accepted, the most frequent reason first.
    pub reasons: Vec<Reason>,
    /// Why cells of accepted rows were left out or changed.
    pub notes: Vec<Reason>,
    /// Accepted rows that name their own mode: they are called, and are in no experiment.
    pub own_modes: usize,
    /// Accepted rows by the kind of number, by country and by time zone; those that name none under `-`.
    pub kinds: BTreeMap<NumberKind, usize>,
    pub countries: BTreeMap<String, usize>,
    pub timezones: BTreeMap<String, usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Buckets {
    pub accepted: usize,
    pub duplicate: usize,
    pub refused: usize,
}

/// One reason, and the first rows that have it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reason {
    pub bucket: &'static str,
    pub field: String,
    /// As the first of its rows was told.
    pub reason: String,
    pub rows: usize,
    pub first: Vec<Shown>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Shown {
    pub line: u64,
    /// The field as it stood in the file.
    pub raw: String,
}

pub fn check(list: &List) -> Check {
    let told = list.complaints.iter().map(|c| (c.bucket.as_str(), c.line, &c.field, &c.reason, &c.raw));
    let notes = list.notes().map(|n| ("accepted", n.line, &n.field, &n.reason, &n.raw));
    let count = |of: &dyn Fn(&super::Row) -> String| {
        let mut counts = BTreeMap::new();
        for row in &list.accepted {
            *counts.entry(of(row)).or_insert(0) += 1;
        }
        counts
    };
    Check {
        rows: list.rows,
        buckets: Buckets { accepted: list.accepted.len(), duplicate: list.duplicates(), refused: list.refused() },
        dialect: list.dialect.clone(),
        notices: list.notices.clone(),
        columns: list.columns.clone(),
        reasons: grouped(told),
        notes: grouped(notes),
        own_modes: list.own_modes(),
        kinds: list.kinds(),
        countries: count(&|row| row.country.clone().unwrap_or_else(|| "-".to_owned())),
        timezones: count(&|row| row.timezone.map_or("-", |zone| zone.name()).to_owned()),
    }
}

/// Reasons that differ in their figures alone are one.
fn grouped<'a>(told: impl Iterator<Item = (&'static str, u64, &'a String, &'a String, &'a String)>) -> Vec<Reason> {
    let mut reasons: Vec<Reason> = Vec::new();
    let mut places: BTreeMap<(&str, &str, String), usize> = BTreeMap::new();
    for (bucket, line, field, reason, raw) in told {
        let shape: String = reason.chars().filter(|c| !c.is_ascii_digit()).collect();
        let place = *places.entry((bucket, field, shape)).or_insert_with(|| {
            let (field, reason) = (field.clone(), reason.clone());
            reasons.push(Reason { bucket, field, reason, rows: 0, first: Vec::new() });
            reasons.len() - 1
        });
        let known = &mut reasons[place];
        known.rows += 1;
        if known.first.len() < FIRST_MAX {
            known.first.push(Shown { line, raw: raw.clone() });
        }
    }
    reasons.sort_by_key(|reason| std::cmp::Reverse(reason.rows));
    reasons.truncate(REASONS_MAX);
    reasons
}

impl Check {
    /// The same for a person, a line each.
    pub fn lines(&self) -> Vec<String> {
        let (b, d) = (self.buckets, &self.dialect);
        let mut lines = vec![format!(
            "{} rows = {} accepted + {} duplicate + {} refused",
            self.rows, b.accepted, b.duplicate, b.refused
        )];
        let shape = [
            d.format.map(str::to_owned),
            d.gzip.filter(|gzip| *gzip).map(|_| "gzip".to_owned()),
            d.encoding.clone(),
            d.delimiter.map(|mark| format!("delimiter {}", super::list::dialect::delimiter_word(mark))),
            d.quote.map(|quote| format!("quotes {}", quote.as_str())),
            d.sheet.as_ref().map(|sheet| format!("sheet {sheet}")),
            Some(d.header_line.map_or("no header".to_owned(), |line| format!("header in line {line}"))),
        ];
        lines.push(format!("File: {}", shape.into_iter().flatten().collect::<Vec<_>>().join(", ")));
        let columns = self.columns.iter().map(|column| {
            let values = column.values.map(|kind| format!(" ({})", kind.as_str())).unwrap_or_default();
            format!("{} → {}{values}", shown(&column.header), column.role.word())
        });
        lines.push(format!("Columns: {}", columns.collect::<Vec<_>>().join("; ")));
        lines.extend(self.notices.iter().map(|notice| format!("Look: {notice}")));
        let kinds: Vec<String> = self.kinds.iter().map(|(kind, n)| format!("{} {n}", kind.as_str())).collect();
        if !kinds.is_empty() {
            lines.push(format!("Numbers: {}", kinds.join(", ")));
        }
        if self.own_modes > 0 {
            lines.push(format!("{} rows name their own mode: called, and in no experiment", self.own_modes));
        }
        for reason in self.reasons.iter().chain(&self.notes) {
            let first = reason.first.iter().map(|row| format!("line {} ({})", row.line, row.raw));
            let rest = if reason.rows > reason.first.len() { ", …" } else { "" };
            let (rows, bucket, field, why) = (reason.rows, reason.bucket, &reason.field, &reason.reason);
            let first = first.collect::<Vec<_>>().join(", ");
            lines.push(format!("{rows:>7} {bucket}: {field}: {why}: {first}{rest}"));
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intake::contacts::read;

    #[test]
    fn a_list_in_numbers_and_examples() {
        let text = "Телефон;Имя;Долг\n+79990000001;Анна;1 200,50\n8 999 000 00 01;Анна;\n+79990000001;Анна;\n112;x;\n\
                    103;y;\nне помню;z;\n+79990000002 доб. 5;Олег;7\n";
        let list = read(text.as_bytes(), "RU", &["dialog".parse().unwrap()].into()).unwrap();
        let check = check(&list);
        assert_eq!(
            check.lines(),
            [
                "7 rows = 2 accepted + 2 duplicate + 3 refused",
                "File: csv, utf-8, delimiter ;, quotes double, header in line 1",
                "Columns: Телефон → phone; Имя → name; Долг → {долг} (number)",
                "Numbers: example 2",
                "      2 duplicate: Телефон: the same number as line 2: line 3 (8 999 000 00 01), line 4 (+79990000001)",
                "      2 refused: Телефон: a short or emergency number: never called: line 5 (112), line 6 (103)",
                "      1 refused: Телефон: no number in the cell: line 7 (не помню)",
                "      1 accepted: Телефон: extension 5 is not dialled: whoever answers is asked: line 8 (+79990000002 доб. 5)",
            ]
        );
        let json = serde_json::to_value(&check).unwrap();
        assert_eq!(json["columns"][2]["role"]["variable"], "долг");
        assert_eq!(json["dialect"]["encoding"], "utf-8");
        assert_eq!(json["reasons"][0]["first"][1]["line"], 4);
        assert_eq!(json["kinds"]["example"], 2);
    }
}
