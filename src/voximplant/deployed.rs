//! What a deployment did or would do, for people, for programs, and for whoever checks the set-up.

use serde_json::{Value, json};
use std::fmt;

/// What a change is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum About {
    Application,
    Scenario,
    Rule,
    Secret,
    Number,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub about: About,
    /// Such as "update scenario voice_dialog"; no secret, no number.
    pub sentence: String,
}

/// What was done, or would be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deployed {
    pub dry_run: bool,
    /// Empty when everything stood as it should.
    pub changes: Vec<Change>,
    pub application: Option<i64>,
    pub application_name: String,
    /// Mode, rule's name, its id, and the scenario's fingerprint.
    pub rules: Vec<(String, String, Option<i64>, String)>,
    /// Modes that cannot talk, and the secret they miss.
    pub missing_secrets: Vec<(String, String)>,
}

impl Deployed {
    /// Lines for `.env`: name and value.
    fn env(&self) -> Vec<(&'static str, i64)> {
        let greeting = self.rules.iter().find(|(mode, ..)| mode == super::deploy::RING_BACK_MODE);
        let rule = greeting.and_then(|(_, _, id, _)| *id);
        let lines = [("VOXIMPLANT_APPLICATION_ID", self.application), ("VOXIMPLANT_RULE_ID", rule)];
        lines.into_iter().filter_map(|(name, id)| Some((name, id?))).collect()
    }

    pub fn json(&self) -> Value {
        let rules = self.rules.iter().map(|(mode, rule, id, fingerprint)| {
            json!({ "mode": mode, "rule": rule, "rule_id": id, "scenario_sha256": fingerprint })
        });
        let missing = self.missing_secrets.iter().map(|(mode, secret)| json!({ "mode": mode, "secret": secret }));
        json!({
            "dry_run": self.dry_run,
            "changes": self.changes.iter().map(|change| change.sentence.as_str()).collect::<Vec<_>>(),
            "application": { "id": self.application, "name": self.application_name },
            "rules": rules.collect::<Vec<_>>(),
            "missing_secrets": missing.collect::<Vec<_>>(),
            "told": self.to_string().lines().collect::<Vec<_>>(),
            "env": self.env().into_iter().map(|(name, id)| (name.to_owned(), json!(id.to_string()))).collect::<serde_json::Map<_, _>>(),
        })
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

impl fmt::Display for Deployed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for change in &self.changes {
            writeln!(f, "{} {change}", if self.dry_run { "would" } else { "done:" })?;
        }
        if self.changes.is_empty() {
            writeln!(f, "nothing to change")?;
        }
        for (mode, secret) in &self.missing_secrets {
            writeln!(f, "note: mode {mode} cannot talk without the secret {secret}")?;
        }
        let shown = |id: Option<i64>| id.map_or_else(|| "(new)".to_owned(), |id| id.to_string());
        writeln!(f, "application {} {}", self.application_name, shown(self.application))?;
        for (mode, rule, id, fingerprint) in &self.rules {
            writeln!(f, "mode {mode}: rule {rule} {}, scenario {}", shown(*id), &fingerprint[..12])?;
        }
        let lines = self.env();
        if !lines.is_empty() {
            writeln!(f, "\nfor .env:")?;
        }
        for (name, id) in lines {
            writeln!(f, "{name}={id}")?;
        }
        Ok(())
    }
}
