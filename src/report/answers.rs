//! What callees answered, tabulated by mode.
//!
//! Free texts are counted and not shown: they may say who spoke.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::domain::Mode;
use crate::domain::keys::Reading;

use super::figures::Figures;

/// Choices of one answer that are told apart.
const VALUES_MAX: usize = 30;

/// One answer of the script: its name, and whether its values may be shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    pub name: String,
    pub kind: String,
}

/// How often a value was given in a mode; `None` where values are not shown.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AnswerRow {
    pub name: String,
    pub mode: Mode,
    pub value: Option<String>,
    pub n: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AnswerTable {
    pub name: String,
    pub kind: String,
    pub modes: Vec<AnswersOf>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AnswersOf {
    pub mode: Mode,
    /// Human calls.
    pub calls: u64,
    /// Those in which it was answered.
    pub given: u64,
    pub values: BTreeMap<String, u64>,
    /// Of numbers.
    pub mean: Option<f64>,
}

/// The answers that a stored script asks for.
pub fn asked(script: &str) -> Vec<Asked> {
    let reading = Reading::default();
    let Some(script) = reading.parse(script) else { return Vec::new() };
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let answers = script["answers"].as_array().map(Vec::as_slice).unwrap_or_default();
    let one = |answer: &Value| {
        Some(Asked { name: text(&answer["name"])?, kind: text(&answer["type"]).unwrap_or("text".into()) })
    };
    answers.iter().filter_map(one).collect()
}

/// Counted records, each the JSON of one call's answers, as rows.
pub fn rows(asked: &[Asked], records: impl Iterator<Item = (Mode, String, u64)>) -> Vec<AnswerRow> {
    let mut counts: BTreeMap<(String, Mode, Option<String>), u64> = BTreeMap::new();
    for (mode, record, n) in records {
        let Ok(Value::Object(record)) = serde_json::from_str::<Value>(&record) else { continue };
        for wanted in asked {
            let Some(given) = record.get(&wanted.name).filter(|value| !value.is_null()) else { continue };
            let value = match (wanted.kind.as_str(), given) {
                ("text", _) => None,
                ("choice", Value::String(text)) => Some(text.chars().take(60).collect()),
                (_, Value::Bool(_) | Value::Number(_)) => Some(given.to_string()),
                _ => None,
            };
            *counts.entry((wanted.name.clone(), mode.clone(), value)).or_default() += n;
        }
    }
    counts.into_iter().map(|((name, mode, value), n)| AnswerRow { name, mode, value, n }).collect()
}

/// A table for each answer that anybody gave, in the script's order, with every arm.
pub fn tables(figures: &Figures) -> Vec<AnswerTable> {
    let given = |name: &str| figures.answers.iter().any(|row| row.name == name);
    let human = |mode: &Mode| figures.calls.iter().filter(|row| row.mode == *mode).map(|row| row.human).sum();
    let of = |asked: &Asked| AnswerTable {
        name: asked.name.clone(),
        kind: asked.kind.clone(),
        modes: figures
            .design
            .arms
            .iter()
            .map(|(mode, _)| {
                let rows = || figures.answers.iter().filter(|row| row.name == asked.name && row.mode == *mode);
                let given: u64 = rows().map(|row| row.n).sum();
                let numbers = |row: &AnswerRow| Some((row.value.as_ref()?.parse::<f64>().ok()?, row.n as f64));
                let sum: f64 = rows().filter_map(numbers).map(|(value, n)| value * n).sum();
                let is_number = asked.kind == "number";
                let values = rows().filter_map(|row| Some((row.value.clone()?, row.n))).take(VALUES_MAX).collect();
                AnswersOf {
                    mode: mode.clone(),
                    calls: human(mode),
                    given,
                    values,
                    mean: (is_number && given > 0).then(|| sum / given as f64),
                }
            })
            .collect(),
    };
    figures.asked.iter().filter(|asked| given(&asked.name)).map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_counted_and_never_shown() {
        let script = "[[answers]]\nname = \"who\"\n[[answers]]\nname = \"score\"\ntype = \"number\"\n[[answers]]\nname = \"on_time\"\ntype = \"yes_no\"";
        let asked = asked(script);
        assert_eq!(asked.len(), 3);
        let mode: Mode = "dialog".parse().unwrap();
        let record = |text: &str, n| (mode.clone(), text.to_owned(), n);
        let rows = rows(
            &asked,
            [
                record(r#"{"who":"Иван Петров","score":4,"on_time":true}"#, 2),
                record(r#"{"who":"Анна","score":5,"on_time":null,"other":1}"#, 1),
                record("broken", 1),
            ]
            .into_iter(),
        );
        let told: Vec<(&str, Option<&str>, u64)> =
            rows.iter().map(|row| (row.name.as_str(), row.value.as_deref(), row.n)).collect();
        assert_eq!(
            told,
            [("on_time", Some("true"), 2), ("score", Some("4"), 2), ("score", Some("5"), 1), ("who", None, 3)]
        );
        assert!(super::asked("not a script").is_empty());
    }
}
