//! The answers that a script wants to collect.

use super::{Answer, AnswerKind, keywords};
use crate::domain::keys::{Table, cut};
use std::collections::BTreeSet;

pub(super) fn answer(table: Table<'_>, phases: &BTreeSet<String>) -> Option<Answer> {
    let name = match table.needed("name", "name the answer; it becomes a column") {
        Some(name) if !super::is_key(&name) => {
            table.refuse("name", format!("found `{}`", cut(&name)), "use lower-case letters, digits and _");
            None
        }
        name => name,
    };
    let after = match table.needed("after", "name the phase whose answer it is") {
        Some(after) if !phases.contains(&after) => {
            table.refuse("after", format!("no phase `{}`", cut(&after)), "name a phase of this script");
            None
        }
        after => after,
    };
    let kind = match table.text("type").as_deref().unwrap_or("text") {
        "text" => Some(AnswerKind::Text),
        "yes_no" => Some(AnswerKind::YesNo),
        "number" => Some(AnswerKind::Number),
        "choice" => {
            let choices: Vec<(String, Vec<String>)> = table
                .tables("choices", 30)
                .into_iter()
                .filter_map(|inner| {
                    let choice = (inner.needed("value", "write what is stored"), keywords(&inner, "if"));
                    inner.close(&[]);
                    Some((choice.0?, choice.1?))
                })
                .collect();
            if choices.is_empty() {
                table.refuse("choices", "found none", "write [[answers.choices]] with value and if");
            }
            Some(AnswerKind::Choice(choices))
        }
        other => {
            table.refuse("type", format!("found `{}`", cut(other)), "write text, yes_no, number or choice");
            None
        }
    };
    // Only a choice has choices; elsewhere they are refused as unknown.
    if let Some(AnswerKind::Choice(_)) = kind {
        table.value("choices");
    }
    table.close(&[]);
    Some(Answer { name: name?, kind: kind?, after: after? })
}
