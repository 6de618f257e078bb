//! What makes a call a success.

use super::answers::{Fit, fits};
use super::script::{ANSWERS_MAX, Answer, PHASES_MAX};
use crate::domain::keys::{Table, cut};
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// The call reached its goal when the callee has answered to all these phases and given these answers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Success {
    pub phases: BTreeSet<String>,
    /// By name, the values that will do; none: any value.
    pub answers: BTreeMap<String, Vec<Value>>,
}

impl Success {
    pub fn of_phases(phases: BTreeSet<String>) -> Success {
        Success { phases, answers: BTreeMap::new() }
    }

    /// The answers that are not there, or are others.
    pub fn lacks<'a>(&'a self, given: &'a Map<String, Value>) -> impl Iterator<Item = &'a String> {
        let does = |values: &[Value], found: &Value| values.is_empty() || values.contains(found);
        self.answers
            .iter()
            .filter(move |(name, values)| !given.get(*name).is_some_and(|found| does(values, found)))
            .map(|(name, _)| name)
    }

    /// The answers as a model reads them: `trial (true), how (card or cash)`.
    pub fn told(&self) -> String {
        let of = |(name, values): (&String, &Vec<Value>)| {
            let values: Vec<String> =
                values.iter().map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)).collect();
            if values.is_empty() { name.clone() } else { format!("{name} ({})", values.join(" or ")) }
        };
        self.answers.iter().map(of).collect::<Vec<_>>().join(", ")
    }
}

/// `answers` is a list of names, or a table of names with one value or several that will do.
pub(super) fn success(table: Option<Table<'_>>, phases: &BTreeSet<String>, answers: &[Answer]) -> Success {
    let Some(table) = table else { return Success::of_phases(phases.clone()) };
    let wanted: BTreeSet<String> =
        table.texts("phases", PHASES_MAX).map_or_else(|| phases.clone(), |list| list.into_iter().collect());
    for name in wanted.iter().filter(|name| !phases.contains(*name)) {
        table.refuse("phases", format!("no phase `{}`", cut(name)), "name phases of this script");
    }
    let given: Vec<(String, Vec<Value>)> = match table.value("answers") {
        Some(Value::Object(named)) => named.iter().map(|(name, value)| (name.clone(), several(value))).collect(),
        _ => {
            table.texts("answers", ANSWERS_MAX).unwrap_or_default().into_iter().map(|name| (name, Vec::new())).collect()
        }
    };
    let given =
        given.into_iter().filter_map(|(name, values)| Some((name.clone(), checked(&table, answers, &name, values)?)));
    let answers: BTreeMap<String, Vec<Value>> = given.collect();
    if wanted.is_empty() && answers.is_empty() {
        table.refuse("phases", "found none", "say what must be reached, or leave [success] out: then all phases");
    }
    table.close(&[]);
    Success { phases: wanted, answers }
}

fn several(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_else(|| vec![value.clone()])
}

/// The values in the shape in which they are collected.
fn checked(table: &Table<'_>, answers: &[Answer], name: &str, values: Vec<Value>) -> Option<Vec<Value>> {
    let Some(answer) = answers.iter().find(|answer| answer.name == name) else {
        table.refuse("answers", format!("no answer `{}`", cut(name)), "name answers of this script");
        return None;
    };
    let shaped = values.into_iter().map(|value| match fits(&answer.kind, &value) {
        Fit::Is(value) => Some(value),
        _ => {
            let found = format!("`{}` can never be {}", answer.name, cut(&value.to_string()));
            table.refuse("answers", found, "write values of the answer's type, or its name alone");
            None
        }
    });
    shaped.collect()
}
