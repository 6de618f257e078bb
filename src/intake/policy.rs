//! Policies: when the law and good manners let people be called, as data with its sources.
//!
//! The files of `policies/` are part of the program, so that a campaign cannot be started without
//! them; a policy never opens a line that the campaign's own windows keep shut. A file holds what the
//! program obeys; what the same law asks besides stands in `not_held`, for people to read.

use super::calendar;
use crate::domain::calendar::Calendar;
use crate::domain::keys::{Faults, Reading, Table, cut};
use crate::domain::settings::Purpose;
use serde_json::{Value, json};

const FILES: &[(&str, &str)] = &[
    ("safe", include_str!("../../policies/safe.toml")),
    ("ru-informational", include_str!("../../policies/ru-informational.toml")),
    ("ru-debt", include_str!("../../policies/ru-debt.toml")),
    ("us", include_str!("../../policies/us.toml")),
];

const RULES_MAX: usize = 100;
const NOT_HELD_MAX: usize = 100;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    pub name: String,
    pub title: String,
    /// Campaigns of other purposes may not name it.
    pub purposes: Vec<Purpose>,
    /// What the law asks besides and the program does not see to.
    pub not_held: Vec<String>,
    pub rules: Vec<Rule>,
}

/// One rule that the windows obey, with where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    pub calendar: Calendar,
    pub says: String,
    pub clause: String,
    pub source: String,
    /// Nobody read the clause itself yet, only what others say of it.
    pub unverified: bool,
}

impl Policy {
    /// What must all be open for a call to start.
    pub fn calendars(self) -> Vec<Calendar> {
        self.rules.into_iter().map(|rule| rule.calendar).collect()
    }

    /// Everything of it, for people and programs that ask what holds.
    pub fn to_json(&self) -> Value {
        let rule = |rule: &Rule| {
            let mut value = calendar::to_json(&rule.calendar);
            value["says"] = json!(rule.says);
            value["clause"] = json!(rule.clause);
            value["source"] = json!(rule.source);
            value["unverified"] = json!(rule.unverified);
            value
        };
        json!({
            "name": self.name, "title": self.title, "purposes": self.purposes, "not_held": self.not_held,
            "rules": self.rules.iter().map(rule).collect::<Vec<_>>(),
        })
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

/// `test`, `service`, `survey`, `debt` or `advertising`.
pub fn purpose(text: &str) -> Result<Purpose, String> {
    serde_json::from_value(Value::from(text))
        .map_err(|_| "write one of test, service, survey, debt, advertising".to_owned())
}

/// Why a purpose is refused for numbers of a country (ISO 3166), unless an administrator overrides it.
pub fn refused(purpose: Purpose, country: &str) -> Option<&'static str> {
    ((purpose, country) == (Purpose::Advertising, "RU")).then_some(
        "advertising by automatic dialling is refused in Russia (Federal Law 38-FZ, article 18, part 2; unverified)",
    )
}

/// The rules of a file hold together: what opens is what every rule lets open.
pub fn parse(name: &str, text: &str) -> Result<Policy, Faults> {
    let reading = Reading::default();
    let policy = reading.parse(text).as_ref().and_then(|value| reading.table(value)).and_then(|table| {
        let title = table.needed("title", "say in one line whom it protects");
        let purposes = purposes(&table);
        let not_held = table.texts("not_held", NOT_HELD_MAX).unwrap_or_default();
        let tables = table.tables("rules", RULES_MAX);
        if tables.is_empty() {
            table.refuse("rules", "missing", "write at least one [[rules]] with days, says, clause and source");
        }
        let rules: Vec<Rule> = tables.into_iter().filter_map(rule).collect();
        table.close(&[]);
        Some(Policy { name: name.to_owned(), title: title?, purposes, not_held, rules })
    });
    reading.end(policy)
}

fn purposes(table: &Table<'_>) -> Vec<Purpose> {
    let mut purposes = Vec::new();
    for text in table.texts("purposes", RULES_MAX).unwrap_or_default() {
        match purpose(&text) {
            Ok(purpose) => purposes.push(purpose),
            Err(cure) => table.refuse("purposes", format!("found `{}`", cut(&text)), cure),
        }
    }
    if purposes.is_empty() {
        table.refuse("purposes", "names none", "write the purposes for which these rules are meant");
    }
    purposes
}

/// `None` leaves a fault behind: a rule that is wrong must not become a policy without it.
fn rule(table: Table<'_>) -> Option<Rule> {
    if !table.has("days") {
        table.refuse("days", "missing", "write the windows of the week that the rule leaves open");
    }
    let (days, holidays) = (calendar::days(&table), calendar::days_off(&table));
    let says = table.needed("says", "say what the rule asks");
    let clause = table.needed("clause", "name the clause");
    let source = table.needed("source", "name the law, or who decided");
    let unverified = match table.value("unverified") {
        Some(Value::Bool(unverified)) => Some(*unverified),
        _ => {
            table.refuse("unverified", "missing or no yes/no", "write true unless the clause itself was read");
            None
        }
    };
    table.close(&[]);
    let calendar = Calendar { holidays: holidays?, ..days?.into() };
    Some(Rule { calendar, says: says?, clause: clause?, source: source?, unverified: unverified? })
}

#[cfg(test)]
#[path = "policy_tests.rs"]
mod tests;
