//! Proof of consent, as a list brings it: what kind, since when, and where it can be looked up.

use super::row::Row;
use crate::domain::Timestamp;
use crate::domain::calendar::date;
use chrono::DateTime;

/// What a row says of consent; all three together are a proof.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proof {
    pub kind: Option<String>,
    /// A date alone is its midnight in UTC.
    pub at: Option<Timestamp>,
    pub source: Option<String>,
}

/// What a list is held against besides its own columns.
#[derive(Clone, Debug)]
pub struct Asked {
    pub now: Timestamp,
    /// Who demands consent of every row, in words.
    pub consent: Option<String>,
}

impl Asked {
    /// The column and the reason for which a row is refused.
    pub fn refuses(&self, row: &Row) -> Option<(&'static str, String)> {
        let proof = &row.consent;
        if proof.at.is_some_and(|at| at > self.now) {
            return Some(("consent_at", "no_consent: it lies in the future".to_owned()));
        }
        if row.not_after.is_some_and(|until| until <= self.now) {
            return Some(("not_after", "the time in which it may be called is over".to_owned()));
        }
        let who = self.consent.as_ref()?;
        let missing = [
            ("consent_kind", proof.kind.is_none()),
            ("consent_at", proof.at.is_none()),
            ("consent_source", proof.source.is_none()),
        ];
        let (field, _) = missing.into_iter().find(|(_, missing)| *missing)?;
        let cure = "fill consent_kind, consent_at and consent_source, or leave the row out";
        Some((field, format!("no_consent: {who} demands proof of consent; {cure}")))
    }
}

/// `2026-05-01`, or an instant with its zone.
pub(super) fn since(text: &str) -> Result<Timestamp, String> {
    let day = date(text)
        .or_else(|| super::values::date(text))
        .map(|day| day.and_time(chrono::NaiveTime::MIN).and_utc().into());
    let instant = || DateTime::parse_from_rfc3339(text).ok().map(|at| at.to_utc().into());
    day.or_else(instant)
        .ok_or("not a date, as in 2026-05-01, nor an instant, as in 2026-05-01T12:00:00+03:00".to_owned())
}

#[cfg(test)]
mod tests {
    use crate::domain::Timestamp;
    use crate::domain::list::ListRules;
    use crate::intake::consent::{Asked, since};
    use crate::intake::{List, Order, read_from};

    /// 2026-11-20T12:00:00Z
    const NOW: Timestamp = Timestamp(1_795_176_000_000);

    fn list(text: &str, consent: Option<&str>) -> List {
        let asked = Asked { now: NOW, consent: consent.map(str::to_owned) };
        let (modes, rules) = (["dialog".parse().unwrap()].into(), ListRules::default());
        let (zone, asked) = (chrono_tz::UTC, Some(&asked));
        let order = Order { region: "RU", zone, modes: &modes, asked, rules: &rules, whole: false };
        read_from(text.as_bytes(), &order).unwrap()
    }

    const LIST: &str = "phone,consent_kind,consent_at,consent_source\n\
        +79990000001,written,2026-05-01,form 17\n\
        +79990000002,express,2026-05-01T12:00:00+03:00,call of 1 May\n\
        +79990000003,,2026-05-01,form 18\n\
        +79990000004,written,,form 19\n\
        +79990000005,written,2026-05-01,\n\
        +79990000006,written,last May,form 20\n\
        +79990000007,written,2026-12-01,form 21\n\
        +79990000003,written,2026-05-02,form 22\n";

    fn said(list: &List) -> Vec<String> {
        list.complaints.iter().map(|c| format!("{} {}: {}", c.line, c.field, c.reason)).collect()
    }

    /// The guard: `Asked::refuses`, asked before a row claims its number.
    #[test]
    fn rows_without_proof_are_refused_where_it_is_demanded() {
        let list = list(LIST, Some("policy `us`"));
        let lines: Vec<u64> = list.accepted.iter().map(|row| row.line).collect();
        assert_eq!(lines, [2, 3, 9], "the row with proof has its number, whatever stood before it");
        assert_eq!(list.rows, list.accepted.len() + list.refused());
        let no = "no_consent: policy `us` demands proof of consent; \
                  fill consent_kind, consent_at and consent_source, or leave the row out";
        assert_eq!(
            said(&list),
            [
                format!("4 consent_kind: {no}"),
                format!("5 consent_at: {no}"),
                format!("6 consent_source: {no}"),
                "7 consent_at: not a date, as in 2026-05-01, nor an instant, as in 2026-05-01T12:00:00+03:00"
                    .to_owned(),
                "8 consent_at: no_consent: it lies in the future".to_owned(),
            ]
        );
        let proof = &list.accepted[1].consent;
        assert_eq!((proof.kind.as_deref(), proof.source.as_deref()), (Some("express"), Some("call of 1 May")));
        assert_eq!(proof.at, since("2026-05-01T09:00:00Z").ok());
        assert!(list.accepted[1].variables.is_empty());
    }

    #[test]
    fn where_nobody_demands_it_what_stands_there_is_kept() {
        let list = list(LIST, None);
        assert_eq!((list.accepted.len(), list.duplicates(), list.refused()), (5, 1, 2), "{:?}", said(&list));
        assert_eq!(list.accepted[2].consent.kind, None);
        assert!(list.accepted[2].consent.source.is_some());
    }
}
