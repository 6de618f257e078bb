//! One form of instants in each answer, as docs/API.md says.

use serde_json::Value;
use std::collections::BTreeSet;

/// Answers that write instants as texts.
const TEXTS: &[&str] =
    &["addKey", "listAudit", "listKeys", "listShares", "listSuppressions", "recording", "shareReport", "showNumber"];
/// Answers that hold both, and under which keys the texts stand.
const BOTH: &[(&str, &[&str])] = &[("showAttempt", &["timeline", "dialogue"]), ("showPerson", &["consent"])];
/// From 2017 to 2039, in milliseconds.
const MS: std::ops::Range<i64> = 1_500_000_000_000..2_200_000_000_000;

fn is_text(text: &str) -> bool {
    chrono::DateTime::parse_from_rfc3339(text).is_ok()
}

/// Paths of instants: as milliseconds, as texts.
fn instants(value: &Value, path: &str, ms: &mut BTreeSet<String>, texts: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(key, value)| instants(value, &format!("{path}.{key}"), ms, texts));
        }
        Value::Array(items) => items.iter().for_each(|item| instants(item, path, ms, texts)),
        Value::Number(n) if n.as_i64().is_some_and(|n| MS.contains(&n)) && !path.ends_with("session_id") => {
            ms.insert(path.to_owned());
        }
        Value::String(text) if is_text(text) => {
            texts.insert(path.to_owned());
        }
        _ => {}
    }
}

/// The guard: this test. The examples are answers of a service, and the answers of every round are held against them.
#[test]
fn an_answer_has_one_form_of_instants() {
    let text = include_str!("../../src/http/openapi/examples.json");
    let examples: serde_json::Map<String, Value> = serde_json::from_str(text).expect("JSON");
    for (operation, example) in &examples {
        let (mut ms, mut texts) = (BTreeSet::new(), BTreeSet::new());
        instants(example, "", &mut ms, &mut texts);
        if let Some((_, keys)) = BOTH.iter().find(|(both, _)| both == operation) {
            texts.retain(|path| !keys.iter().any(|key| path.split('.').any(|part| part == *key)));
        }
        match TEXTS.contains(&operation.as_str()) {
            true => assert!(ms.is_empty(), "{operation} writes texts, and milliseconds in {ms:?}"),
            false => assert!(texts.is_empty(), "{operation} writes milliseconds, and texts in {texts:?}"),
        }
    }
}
