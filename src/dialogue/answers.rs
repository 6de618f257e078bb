//! What was answered to the script's questions, in the shapes that the script declares.
//!
//! One measure for all modes: what our own side collects, what a model calls a tool with, and what a session tells at
//! its end are taken alike, or a mode would be flattered by values that another may not give.

use super::script::{Answer, AnswerKind, Script};
use super::words::tame;
use serde_json::{Map, Value, json};

/// One given value against what was declared.
#[derive(Clone, Debug, PartialEq)]
pub enum Fit {
    Is(Value),
    /// Nothing was answered.
    Nothing,
    /// Not of the declared kind, or none of its choices.
    Strange,
    /// The script asks for no such thing.
    Undeclared,
}

/// `value` as the answer `name` of this script. Numbers and yes or no are understood in words too, as models write them.
pub fn fit(script: &Script, name: &str, value: &Value) -> Fit {
    let Some(Answer { kind, .. }) = script.answers.iter().find(|wanted| wanted.name == name) else {
        return Fit::Undeclared;
    };
    fits(kind, value)
}

/// Of whatever name.
pub(super) fn fits(kind: &AnswerKind, value: &Value) -> Fit {
    let text = value.as_str().map(str::trim);
    let fits = match (kind, value) {
        (_, Value::Null) => return Fit::Nothing,
        (AnswerKind::Text, Value::String(text)) => Some(json!(tame(text))),
        (AnswerKind::YesNo, Value::Bool(_)) | (AnswerKind::Number, Value::Number(_)) => Some(value.clone()),
        (AnswerKind::YesNo, _) => text.and_then(yes_or_no).map(Value::Bool),
        (AnswerKind::Number, _) => text.and_then(number),
        (AnswerKind::Choice(choices), _) => {
            text.and_then(|text| choices.iter().find(|(choice, _)| choice == text)).map(|(choice, _)| json!(choice))
        }
        _ => None,
    };
    fits.map_or(Fit::Strange, Fit::Is)
}

/// What a model is told that a tool takes as answers.
pub fn schema(script: &Script) -> Value {
    let of = |kind: &AnswerKind| match kind {
        AnswerKind::Text => json!({ "type": "string" }),
        AnswerKind::YesNo => json!({ "type": "boolean" }),
        AnswerKind::Number => json!({ "type": "number" }),
        AnswerKind::Choice(choices) => {
            json!({ "type": "string", "enum": choices.iter().map(|(value, _)| value).collect::<Vec<_>>() })
        }
    };
    let answers: Map<String, Value> = script.answers.iter().map(|a| (a.name.clone(), of(&a.kind))).collect();
    json!({ "type": "object", "properties": answers, "additionalProperties": false })
}

fn yes_or_no(text: &str) -> Option<bool> {
    match text.to_lowercase().as_str() {
        "true" | "yes" | "да" => Some(true),
        "false" | "no" | "нет" => Some(false),
        _ => None,
    }
}

fn number(text: &str) -> Option<Value> {
    let whole = text.parse::<i64>().ok().map(Value::from);
    whole.or_else(|| serde_json::Number::from_f64(text.replace(',', ".").parse().ok()?).map(Value::Number))
}

/// What a session told at its end: declared answers in their shapes, and the names of those that have another. What is
/// not declared is kept: a backend of somebody's own collects what it likes.
pub fn told(script: &Script, given: &Map<String, Value>) -> (Map<String, Value>, Vec<String>) {
    let (mut kept, mut strange) = (Map::new(), Vec::new());
    for (name, value) in given {
        match fit(script, name, value) {
            Fit::Is(value) => drop(kept.insert(name.clone(), value)),
            Fit::Undeclared => drop(kept.insert(name.clone(), value.clone())),
            Fit::Strange => strange.push(name.clone()),
            Fit::Nothing => {}
        }
    }
    (kept, strange)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_answers() -> Script {
        let text = r#"{"persona":{"name":"A","goal":"b"},"phases":[{"name":"ask","say":"Hello!"}],"closing":{"say":"Bye!"},
            "answers":[{"name":"who","after":"ask"},{"name":"score","after":"ask","type":"number"},
            {"name":"on_time","after":"ask","type":"yes_no"},{"name":"how","after":"ask","type":"choice",
            "choices":[{"value":"card","if":["card"]},{"value":"cash","if":["cash"]}]}]}"#;
        Script::parse(text).unwrap()
    }

    #[test]
    fn a_value_is_taken_in_the_shape_that_was_declared() {
        let script = with_answers();
        for (name, given, fits) in [
            ("who", json!("  «Анна»\n"), Fit::Is(json!("Анна"))),
            ("who", json!(7), Fit::Strange),
            ("score", json!(7), Fit::Is(json!(7))),
            ("score", json!("7"), Fit::Is(json!(7))),
            ("score", json!(" 7,5 "), Fit::Is(json!(7.5))),
            ("score", json!("seven"), Fit::Strange),
            ("score", json!("inf"), Fit::Strange),
            ("on_time", json!(false), Fit::Is(json!(false))),
            ("on_time", json!("Да"), Fit::Is(json!(true))),
            ("on_time", json!("no"), Fit::Is(json!(false))),
            ("on_time", json!("maybe"), Fit::Strange),
            ("on_time", json!(1), Fit::Strange),
            ("how", json!("card"), Fit::Is(json!("card"))),
            ("how", json!("gold"), Fit::Strange),
            ("how", json!(["card"]), Fit::Strange),
            ("how", Value::Null, Fit::Nothing),
            ("else", json!(1), Fit::Undeclared),
        ] {
            assert_eq!(fit(&script, name, &given), fits, "{name} {given}");
        }
    }

    #[test]
    fn what_a_session_tells_loses_only_what_has_another_shape() {
        let given = json!({ "who": "Анна", "score": "many", "on_time": null, "else": { "deep": [1] } });
        let (kept, strange) = told(&with_answers(), given.as_object().unwrap());
        assert_eq!(json!(kept), json!({ "who": "Анна", "else": { "deep": [1] } }));
        assert_eq!(strange, ["score"]);
    }
}
