//! Policies: when and how often the law and good manners let people be called, and what they demand of a call, as data
//! with its sources.
//!
//! The files of `policies/` are part of the program, so that a campaign cannot be started without
//! them; a policy never opens a line that the campaign's own rules keep shut. A file holds what the
//! program obeys; what the same law asks besides stands in `not_held`, for people to read.

use super::calendar;
use super::settings::{caps, gap};
use crate::domain::calendar::Calendar;
use crate::domain::caps::{Caps, Gap};
use crate::domain::keys::{Faults, Reading, Table, cut};
use crate::domain::settings::{Purpose, Settings};
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
    /// Nobody is called without proof of consent.
    pub consent: Option<Cited>,
    /// A call that is recorded begins with the script's own sentence about it.
    pub recording: Option<Cited>,
    /// The agent's first turn says who calls and that a machine speaks.
    pub disclosure: Option<Cited>,
}

/// What is asked, and where that stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cited {
    pub says: String,
    pub clause: String,
    pub source: String,
    /// Nobody read the clause itself yet, only what others say of it.
    pub unverified: bool,
}

/// One rule about when, or how often: windows, caps or gaps, with where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    pub calendar: Option<Calendar>,
    pub caps: Caps,
    pub gap: Gap,
    pub cited: Cited,
}

impl Cited {
    fn write(&self, value: &mut Value) {
        value["says"] = json!(self.says);
        value["clause"] = json!(self.clause);
        value["source"] = json!(self.source);
        value["unverified"] = json!(self.unverified);
    }
}

impl Policy {
    /// What must all be open for a call to start.
    pub fn calendars(self) -> Vec<Calendar> {
        self.rules.into_iter().filter_map(|rule| rule.calendar).collect()
    }

    /// A campaign's settings as they hold under this policy: the stricter of both.
    pub fn over(&self, settings: Settings) -> Settings {
        let caps = self.rules.iter().fold(Caps::default(), |caps, rule| caps.stricter(rule.caps));
        let gap = self.rules.iter().fold(Gap::default(), |gap, rule| gap.stricter(rule.gap));
        settings.under(caps, gap, self.consent.is_some())
    }

    /// Everything that it asks: its rules and its demands.
    pub fn asks(&self) -> impl Iterator<Item = &Cited> {
        let demands = [&self.consent, &self.recording, &self.disclosure].into_iter().flatten();
        self.rules.iter().map(|rule| &rule.cited).chain(demands)
    }

    /// How much of it nobody has read in the law itself.
    pub fn unverified(&self) -> usize {
        self.asks().filter(|cited| cited.unverified).count()
    }

    /// Everything of it, for people and programs that ask what holds.
    pub fn to_json(&self) -> Value {
        let rule = |rule: &Rule| {
            let mut value = rule.calendar.as_ref().map_or_else(|| json!({}), calendar::to_json);
            if rule.caps != Caps::default() {
                value["caps"] = caps::to_json(&rule.caps);
            }
            if rule.gap != Gap::default() {
                value["gap"] = gap::to_json(&rule.gap);
            }
            rule.cited.write(&mut value);
            value
        };
        let mut value = json!({
            "name": self.name, "title": self.title, "purposes": self.purposes, "not_held": self.not_held,
            "rules": self.rules.iter().map(rule).collect::<Vec<_>>(),
        });
        for (key, demand) in
            [("consent", &self.consent), ("recording", &self.recording), ("disclosure", &self.disclosure)]
        {
            if let Some(cited) = demand {
                value[key] = json!({ "required": true });
                cited.write(&mut value[key]);
            }
        }
        value
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
            table.refuse(
                "rules",
                "missing",
                "write at least one [[rules]] with days, caps or gap, says, clause and source",
            );
        }
        let rules: Vec<Rule> = tables.into_iter().filter_map(rule).collect();
        let demands = ["consent", "recording", "disclosure"].map(|key| demand(&table, key));
        table.close(&[]);
        let [consent, recording, disclosure] = demands;
        let (consent, recording, disclosure) = (consent?, recording?, disclosure?);
        let name = name.to_owned();
        Some(Policy { name, title: title?, purposes, not_held, rules, consent, recording, disclosure })
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

/// `[consent]` and its like: absent, or required with where that stands. `None` leaves a fault behind.
fn demand(table: &Table<'_>, key: &'static str) -> Option<Option<Cited>> {
    if !table.has(key) {
        table.value(key);
        return Some(None);
    }
    let inner = table.table(key)?;
    if inner.flag("required") != Some(true) {
        inner.refuse("required", "is not true", "write required = true, or leave the table out");
    }
    let cited = cited(&inner);
    inner.close(&[]);
    cited.map(Some)
}

fn cited(table: &Table<'_>) -> Option<Cited> {
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
    Some(Cited { says: says?, clause: clause?, source: source?, unverified: unverified? })
}

/// `None` leaves a fault behind: a rule that is wrong must not become a policy without it.
fn rule(table: Table<'_>) -> Option<Rule> {
    let (days, caps, gap) = (table.has("days"), table.has("caps"), table.has("gap"));
    if !days && !caps && !gap {
        let cure = "write the windows of the week that the rule leaves open (days), caps or gap";
        table.refuse("days", "missing, and no caps or gap either", cure);
    }
    if !days && table.has("holidays") {
        table.refuse("holidays", "found no days beside them", "write the windows of the week too");
    }
    let (week, holidays) = (days.then(|| calendar::days(&table)), calendar::days_off(&table));
    table.value("days");
    let caps = caps::read(table.table("caps"));
    let gap = gap::read(table.table("gap"));
    let cited = cited(&table);
    table.close(&[]);
    let calendar = match week {
        Some(week) => Some(Calendar { holidays: holidays?, ..week?.into() }),
        None => None,
    };
    Some(Rule { calendar, caps: caps?, gap: gap?, cited: cited? })
}

#[cfg(test)]
#[path = "policy_tests.rs"]
mod tests;
