//! Policies: when the law and good manners let people be called, as data with its sources.
//!
//! The files of `policies/` are part of the program, so that a campaign cannot be started without
//! them; a policy never opens a line that the campaign's own windows keep shut.

use super::calendar;
use crate::domain::calendar::Calendar;
use crate::domain::keys::{Faults, Reading, Table};

const FILES: &[(&str, &str)] = &[("safe", include_str!("../../policies/safe.toml"))];

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    pub name: String,
    pub title: String,
    pub rules: Vec<Rule>,
}

/// One rule that the windows obey, with where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    pub calendar: Calendar,
    pub why: String,
    pub source: String,
    /// Somebody read the clause itself, not only what others say of it.
    pub verified: bool,
}

impl Policy {
    /// What must all be open for a call to start.
    pub fn calendars(self) -> Vec<Calendar> {
        self.rules.into_iter().map(|rule| rule.calendar).collect()
    }
}

/// Names that `policy = "…"` may hold.
pub fn names() -> Vec<&'static str> {
    FILES.iter().map(|(name, _)| *name).collect()
}

/// The policy of that name; `None` when no file has it.
pub fn find(name: &str) -> Option<Policy> {
    let (name, text) = FILES.iter().find(|(known, _)| *known == name)?;
    Some(parse(name, text).expect("a policy file that ships is read by a test"))
}

/// The rules of a file hold together: what opens is what every rule lets open.
pub fn parse(name: &str, text: &str) -> Result<Policy, Faults> {
    let reading = Reading::default();
    let policy = reading.parse(text).as_ref().and_then(|value| reading.table(value)).and_then(|table| {
        let title = table.needed("title", "say in one line whom it protects");
        let tables = table.tables("rules", 100);
        if tables.is_empty() {
            table.refuse("rules", "missing", "write at least one [[rules]] with days, why and source");
        }
        let rules: Vec<Rule> = tables.into_iter().filter_map(rule).collect();
        table.close(&[]);
        Some(Policy { name: name.to_owned(), title: title?, rules })
    });
    reading.end(policy)
}

fn rule(table: Table<'_>) -> Option<Rule> {
    let (days, holidays) = (calendar::days(&table), calendar::days_off(&table));
    let why = table.needed("why", "say why");
    let source = table.needed("source", "name the clause or who decided");
    let verified = match table.value("verified") {
        Some(serde_json::Value::Bool(verified)) => Some(*verified),
        _ => {
            table.refuse("verified", "missing or no yes/no", "write true only when the clause itself was read");
            None
        }
    };
    table.close(&[]);
    let calendar = Calendar { holidays: holidays?, ..days?.into() };
    Some(Rule { calendar, why: why?, source: source?, verified: verified? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::calendar::next_open;

    #[test]
    fn every_policy_that_ships_can_be_read() {
        for name in names() {
            let policy = find(name).unwrap();
            assert!(policy.rules.iter().all(|rule| rule.source.len() > 10), "{name} hides a source");
        }
        assert_eq!(find("ru-debt"), None);
    }

    #[test]
    fn safe_is_safe() {
        let safe = find("safe").unwrap();
        let calendars = safe.calendars();
        for (from, open) in [
            ("2026-11-20T05:59:00Z", "2026-11-20T06:00:00.000Z"),
            ("2026-11-20T17:00:00Z", "2026-11-21T07:00:00.000Z"),
            ("2026-11-21T15:00:00Z", "2026-11-23T06:00:00.000Z"),
        ] {
            let from = from.parse::<chrono::DateTime<chrono::Utc>>().unwrap().into();
            let found = next_open(calendars.iter(), chrono_tz::Europe::Moscow, from);
            assert_eq!(found.map(|at| at.to_string()).as_deref(), Some(open), "from {from}");
        }
    }
}
