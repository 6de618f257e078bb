//! The modes as data: which rule starts which scenario.

use crate::domain::{Mode, Route};
use serde::Deserialize;

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModeEntry {
    pub name: Mode,
    pub summary: String,
    pub scenario: String,
    #[serde(default)]
    scenario_env: Option<String>,
    pub rule: String,
    #[serde(default)]
    rule_env: Option<String>,
    #[serde(default)]
    rule_id_env: Option<String>,
    /// The scenario's source, in `voximplant/`.
    pub file: String,
    /// How its calls leave the platform; over the telephone network where nothing is said.
    #[serde(default)]
    pub route: Route,
    /// Scenarios of the account that the rule runs before ours, in this order.
    #[serde(default)]
    pub before: Vec<String>,
    /// Secrets without which the mode cannot talk.
    #[serde(default)]
    pub secrets: Vec<String>,
    /// A rule's id that was set by hand; wins over the name.
    #[serde(skip)]
    pub rule_id: Option<i64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Modes(Vec<ModeEntry>);

#[derive(Debug, thiserror::Error)]
pub enum ModesError {
    #[error("modes.toml")]
    Toml(#[from] toml::de::Error),
    #[error("modes.toml: {0} `{1}` stands twice")]
    Twice(&'static str, String),
    #[error("{0}: `{1}` is not a rule's number")]
    RuleId(String, String),
}

#[derive(Deserialize)]
struct File {
    mode: Vec<ModeEntry>,
}

impl Modes {
    /// Reads `modes.toml`; `setting` answers for the environment, which may rename rules and scenarios.
    pub fn read(text: &str, setting: &dyn Fn(&str) -> Option<String>) -> Result<Self, ModesError> {
        let mut entries = toml::from_str::<File>(text)?.mode;
        for entry in &mut entries {
            let named =
                |env: &Option<String>| env.as_deref().and_then(setting).filter(|value| !value.trim().is_empty());
            if let Some(rule) = named(&entry.rule_env) {
                entry.rule = rule;
            }
            if let Some(scenario) = named(&entry.scenario_env) {
                entry.scenario = scenario;
            }
            if let Some(id) = named(&entry.rule_id_env) {
                let wrong = || ModesError::RuleId(entry.rule_id_env.clone().unwrap_or_default(), id.clone());
                entry.rule_id = Some(id.trim().parse().map_err(|_| wrong())?);
            }
        }
        for (index, entry) in entries.iter().enumerate() {
            let before = &entries[..index];
            if before.iter().any(|other| other.name == entry.name) {
                return Err(ModesError::Twice("mode", entry.name.to_string()));
            }
            // Two modes under one rule would play the same scenario.
            if before.iter().any(|other| other.rule == entry.rule) {
                return Err(ModesError::Twice("rule", entry.rule.clone()));
            }
            if before.iter().any(|other| other.scenario == entry.scenario) {
                return Err(ModesError::Twice("scenario", entry.scenario.clone()));
            }
            let twice =
                |(nth, name): &(usize, &String)| **name == entry.scenario || entry.before[..*nth].contains(name);
            if let Some((_, name)) = entry.before.iter().enumerate().find(twice) {
                return Err(ModesError::Twice("before", name.clone()));
            }
        }
        Ok(Modes(entries))
    }

    pub fn get(&self, mode: &Mode) -> Option<&ModeEntry> {
        self.0.iter().find(|entry| entry.name == *mode)
    }

    /// By the mode's, the scenario's or the file's name: what `bundle` takes.
    pub fn named(&self, name: &str) -> Option<&ModeEntry> {
        self.0.iter().find(|e| e.name.as_str() == name || e.scenario == name || e.file == name)
    }

    pub fn iter(&self) -> impl Iterator<Item = &ModeEntry> {
        self.0.iter()
    }
}
