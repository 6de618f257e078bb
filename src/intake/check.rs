//! What somebody is told of a list before anything is stored.
//!
//! A [`Tally`] sees every row once and holds counts and first examples only, so that a list of any length can be told.

use super::columns::Role;
use super::contacts::{Column, Fate, Found, List};
use super::phone::shown;
use super::{Complaint, Note, Row};
use crate::domain::list::{Dialect, NumberKind};
use chrono_tz::Tz;
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

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Buckets {
    pub accepted: usize,
    pub duplicate: usize,
    pub refused: usize,
}

impl Buckets {
    pub fn rows(self) -> usize {
        self.accepted + self.duplicate + self.refused
    }
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

/// What is counted of an accepted row.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    pub kind: NumberKind,
    pub country: Option<&'a str>,
    pub timezone: Option<Tz>,
    pub own_mode: bool,
}

impl<'a> From<&'a Row> for Facts<'a> {
    fn from(row: &'a Row) -> Self {
        let country = row.country.as_deref();
        Facts { kind: row.kind, country, timezone: row.timezone, own_mode: row.mode.is_some() }
    }
}

/// Counts of a list while it is read.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    pub buckets: Buckets,
    pub own_modes: usize,
    reasons: Reasons,
    notes: Reasons,
    kinds: BTreeMap<NumberKind, usize>,
    countries: BTreeMap<String, usize>,
    /// Accepted rows by zone, none for those that name none.
    pub zones: BTreeMap<Option<&'static str>, usize>,
}

impl Tally {
    pub fn see(&mut self, fate: &Fate) {
        match fate {
            Fate::Accepted(row) => {
                self.accept(row.as_ref().into());
                row.notes.iter().for_each(|note| self.note(note));
            }
            Fate::Complaint(complaint) => self.complain(complaint),
        }
    }

    fn accept(&mut self, facts: Facts<'_>) {
        self.buckets.accepted += 1;
        self.own_modes += usize::from(facts.own_mode);
        *self.kinds.entry(facts.kind).or_default() += 1;
        let country = facts.country.unwrap_or("-");
        match self.countries.get_mut(country) {
            Some(rows) => *rows += 1,
            None => drop(self.countries.insert(country.to_owned(), 1)),
        }
        *self.zones.entry(facts.timezone.map(|zone| zone.name())).or_default() += 1;
    }

    pub fn complain(&mut self, complaint: &Complaint) {
        match complaint.bucket {
            super::Bucket::Duplicate => self.buckets.duplicate += 1,
            super::Bucket::Refused => self.buckets.refused += 1,
        }
        let Complaint { line, bucket, field, reason, raw, .. } = complaint;
        self.reasons.see(bucket.as_str(), *line, field, reason, raw);
    }

    pub fn note(&mut self, note: &Note) {
        self.notes.see("accepted", note.line, &note.field, &note.reason, &note.raw);
    }

    /// An accepted row turns out to be a duplicate of one elsewhere.
    pub fn lose(&mut self, facts: Facts<'_>, notes: &[Note], complaint: &Complaint) {
        self.buckets.accepted -= 1;
        self.own_modes -= usize::from(facts.own_mode);
        take(&mut self.kinds, &facts.kind);
        take(&mut self.countries, &facts.country.unwrap_or("-").to_owned());
        take(&mut self.zones, &facts.timezone.map(|zone| zone.name()));
        notes.iter().for_each(|note| self.notes.unsee("accepted", &note.field, &note.reason, note.line));
        self.complain(complaint);
    }

    /// Cells of accepted rows that were left out, or need a look.
    pub fn notes_total(&self) -> usize {
        self.notes.told.iter().map(|reason| reason.rows).sum()
    }

    pub fn told(&self, found: &Found) -> Check {
        let timezones = self.zones.iter().map(|(zone, rows)| (zone.unwrap_or("-").to_owned(), *rows));
        Check {
            rows: found.rows,
            buckets: self.buckets,
            dialect: found.dialect.clone(),
            notices: found.notices.clone(),
            columns: found.columns.clone(),
            reasons: self.reasons.sorted(),
            notes: self.notes.sorted(),
            own_modes: self.own_modes,
            kinds: self.kinds.clone(),
            countries: self.countries.clone(),
            timezones: timezones.collect(),
        }
    }
}

fn take<K: Ord>(counts: &mut BTreeMap<K, usize>, key: &K) {
    if let Some(rows) = counts.get_mut(key) {
        *rows -= 1;
        if *rows == 0 {
            counts.remove(key);
        }
    }
}

/// Reasons that differ in their figures alone are one.
#[derive(Clone, Debug, Default)]
struct Reasons {
    told: Vec<Reason>,
    places: BTreeMap<(&'static str, String, String), usize>,
}

fn shape(reason: &str) -> String {
    reason.chars().filter(|c| !c.is_ascii_digit()).collect()
}

impl Reasons {
    fn see(&mut self, bucket: &'static str, line: u64, field: &str, reason: &str, raw: &str) {
        let key = (bucket, field.to_owned(), shape(reason));
        let told = &mut self.told;
        let place = *self.places.entry(key).or_insert_with(|| {
            let (field, reason) = (field.to_owned(), reason.to_owned());
            told.push(Reason { bucket, field, reason, rows: 0, first: Vec::new() });
            told.len() - 1
        });
        let known = &mut told[place];
        known.rows += 1;
        if known.first.len() < FIRST_MAX {
            known.first.push(Shown { line, raw: raw.to_owned() });
        }
    }

    fn unsee(&mut self, bucket: &'static str, field: &str, reason: &str, line: u64) {
        if let Some(place) = self.places.get(&(bucket, field.to_owned(), shape(reason))) {
            let known = &mut self.told[*place];
            known.rows -= 1;
            known.first.retain(|row| row.line != line);
        }
    }

    fn sorted(&self) -> Vec<Reason> {
        let mut reasons: Vec<Reason> = self.told.iter().filter(|reason| reason.rows > 0).cloned().collect();
        reasons.sort_by_key(|reason| std::cmp::Reverse(reason.rows));
        reasons.truncate(REASONS_MAX);
        reasons
    }
}

pub fn check(list: &List) -> Check {
    let mut tally = Tally::default();
    for row in &list.accepted {
        tally.accept(row.into());
        row.notes.iter().for_each(|note| tally.note(note));
    }
    list.complaints.iter().for_each(|complaint| tally.complain(complaint));
    let (rows, columns) = (list.rows, list.columns.clone());
    tally.told(&Found { rows, columns, dialect: list.dialect.clone(), notices: list.notices.clone() })
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
        let columns = self.columns.iter().filter(|column| column.role != Role::Ours).map(|column| {
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
