//! The service called against its own description: every route stands in it, every operation is called with a good and
//! a bad request, and every answer is one that it promises.

#[path = "openapi/access.rs"]
mod access;
#[path = "openapi/checker.rs"]
mod checker;
#[path = "openapi/docs.rs"]
mod docs;
mod harness;
#[path = "openapi/instants.rs"]
mod instants;
#[path = "openapi/naughty.rs"]
mod naughty;
#[path = "openapi/repeats.rs"]
mod repeats;
#[path = "openapi/rounds.rs"]
mod rounds;
#[path = "openapi/routes.rs"]
mod routes;
#[path = "openapi/sessions.rs"]
mod sessions;
#[path = "openapi/strangers.rs"]
mod strangers;

use checker::Checker;
use halo::http::openapi::{clashes, codes::CODES, document};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Each operation: its path, its method, itself.
fn operations(document: &Value) -> impl Iterator<Item = (&str, &str, &Value)> {
    let paths = document["paths"].as_object().expect("paths");
    paths.iter().flat_map(|(path, item)| {
        let methods = item.as_object().expect("operations").iter();
        methods.map(move |(method, operation)| (path.as_str(), method.as_str(), operation))
    })
}

#[test]
fn the_document_agrees_with_itself() {
    assert_eq!(clashes(), [] as [String; 0], "two shapes of one name, or one operation twice");
    let mut ids = BTreeSet::new();
    for (path, method, operation) in operations(document()) {
        let id = operation["operationId"].as_str().expect("a name");
        assert!(ids.insert(id), "{method} {path}: the name {id} is taken");
        assert!(operation["summary"].as_str().is_some_and(|told| !told.is_empty()), "{id} says nothing of itself");
        assert!(operation["responses"].as_object().is_some_and(|all| !all.is_empty()), "{id} answers nothing");
    }
    for name in references(document()) {
        assert!(document().pointer(&name).is_some(), "{name} is named and not there");
    }
}

/// What `$ref`s point to.
fn references(value: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                match (name.as_str(), field) {
                    ("$ref", Value::String(to)) => drop(found.insert(to.trim_start_matches('#').to_owned())),
                    (_, field) => found.extend(references(field)),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| found.extend(references(item))),
        _ => {}
    }
    found
}

/// Examples are what the document says they are.
#[test]
fn examples_are_of_their_shape() {
    let mut checker = Checker::new(document());
    for (_, _, operation) in operations(document()) {
        let id = operation["operationId"].as_str().expect("a name");
        if let Some(example) = operation.pointer("/requestBody/content/application~1json/example") {
            checker.body_holds(id, example);
        }
        for (status, response) in operation["responses"].as_object().expect("answers") {
            if let Some(example) = response.pointer("/content/application~1json/example") {
                checker.answer_holds(id, status.parse().expect("a status"), "application/json", &example.to_string());
            }
        }
    }
    checker.end_of_faults();
}

/// Every code that the source knows stands in the list, and in docs/API.md.
#[test]
fn every_code_is_described() {
    let listed: BTreeSet<&str> = CODES.iter().map(|(code, _, _)| *code).collect();
    let guide = std::fs::read_to_string(Path::new(ROOT).join("docs/API.md")).expect("docs/API.md");
    for (code, status, _) in CODES {
        assert!(guide.contains(&format!("| `{code}` | {status} |")), "docs/API.md tells nothing of {code} ({status})");
    }
    let mut folders = vec![Path::new(ROOT).join("src/http")];
    let mut found = BTreeSet::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).expect("text");
            for (at, begins) in text.match_indices("Problem::new(").chain(text.match_indices("SingleError::held(")) {
                let rest = &text[at + begins.len()..];
                let rest = &rest[..rest.find(';').unwrap_or(rest.len())];
                // The code is the first text, and a word.
                let code = rest.split('"').nth(1).unwrap_or_default();
                if code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_') && !code.is_empty() {
                    found.insert((code.to_owned(), path.display().to_string()));
                }
            }
        }
    }
    assert!(found.len() > 15, "the reader of the source finds nothing: {found:?}");
    let gates: BTreeSet<&str> = halo::domain::clearance::Gate::ALL.iter().map(|gate| gate.as_str()).collect();
    for (code, file) in found {
        assert!(listed.contains(code.as_str()) || gates.contains(code.as_str()), "{file}: `{code}` stands in no list");
    }
}
