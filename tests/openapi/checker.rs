//! Answers held against the document: status, type of the body, and the body, to the last field.

use jsonschema::Validator;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

const WORDS_MAX: usize = 900;

pub struct Checker {
    document: Value,
    /// The same in which no field may stand that is not described.
    strict: Value,
    validators: BTreeMap<String, Validator>,
    /// Statuses that each operation answered with.
    pub seen: BTreeMap<String, BTreeSet<u16>>,
    faults: BTreeSet<String>,
}

/// Names of schemas that others are made of: what they leave out stands beside them.
fn parts(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for part in fields.get("allOf").and_then(Value::as_array).into_iter().flatten() {
                if let Some(name) = part["$ref"].as_str() {
                    found.insert(name.rsplit('/').next().expect("a name").to_owned());
                }
            }
            fields.values().for_each(|field| parts(field, found));
        }
        Value::Array(items) => items.iter().for_each(|item| parts(item, found)),
        _ => {}
    }
}

/// No field but those described, wherever a schema tells fields.
fn close(value: &mut Value, within_all_of: bool) {
    match value {
        Value::Object(fields) => {
            let tells = fields.contains_key("allOf") || fields.contains_key("properties");
            if tells && !within_all_of && !fields.contains_key("additionalProperties") {
                fields.insert("unevaluatedProperties".into(), json!(false));
            }
            for (name, field) in fields.iter_mut() {
                match field {
                    Value::Array(all) if name == "allOf" => all.iter_mut().for_each(|part| close(part, true)),
                    // An example is no schema.
                    _ if name == "example" || name == "examples" => {}
                    field => close(field, false),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| close(item, false)),
        _ => {}
    }
}

impl Checker {
    pub fn new(document: &Value) -> Self {
        let mut strict = document.clone();
        let mut made_of = BTreeSet::new();
        parts(&strict, &mut made_of);
        let schemas = strict["components"]["schemas"].as_object_mut().expect("schemas");
        for (name, schema) in schemas.iter_mut() {
            // A shape that is both an answer and a part of others is checked where it is whole.
            close(schema, made_of.contains(name));
        }
        Checker {
            document: document.clone(),
            strict,
            validators: BTreeMap::new(),
            seen: BTreeMap::new(),
            faults: BTreeSet::new(),
        }
    }

    pub fn operation(&self, id: &str) -> (String, String, Value) {
        let found = crate::operations(&self.document).find(|(_, _, operation)| operation["operationId"] == id);
        let (path, method, operation) = found.unwrap_or_else(|| panic!("no operation is called {id}"));
        (path.to_owned(), method.to_owned(), operation.clone())
    }

    fn fault(&mut self, told: String) {
        self.faults.insert(told.chars().take(WORDS_MAX).collect());
    }

    fn validate(&mut self, of: String, schema: &Value, value: &Value) {
        let components = &self.strict["components"];
        let validator = self.validators.entry(of.clone()).or_insert_with(|| {
            let mut whole: Map<String, Value> = schema.as_object().expect("a schema").clone();
            whole.insert("components".into(), components.clone());
            jsonschema::options()
                .with_draft(jsonschema::Draft::Draft202012)
                .build(&Value::Object(whole))
                .unwrap_or_else(|cause| panic!("{of}: the schema cannot be read: {cause}"))
        });
        let told: Vec<String> = validator
            .iter_errors(value)
            .take(3)
            .map(|error| format!("{of}: at `{}`: {error}", error.instance_path()))
            .collect();
        told.into_iter().for_each(|told| self.fault(told));
    }

    /// An example of a body.
    pub fn body_holds(&mut self, id: &str, body: &Value) {
        let (_, _, operation) = self.operation(id);
        let schema = operation.pointer("/requestBody/content/application~1json/schema").expect("a body").clone();
        self.validate(format!("body of {id}"), &schema, body);
    }

    /// An answer, as it came.
    pub fn answer_holds(&mut self, id: &str, status: u16, kind: &str, body: &str) {
        self.seen.entry(id.to_owned()).or_default().insert(status);
        let (_, _, operation) = self.operation(id);
        let Some(response) = operation["responses"].get(status.to_string()) else {
            return self.fault(format!("{id}: the status {status} is not described: {body}"));
        };
        let media = kind.split(';').next().unwrap_or_default().trim();
        let Some(contents) = response["content"].as_object() else {
            if !body.is_empty() {
                self.fault(format!("{id} {status}: a body that is not described: {body}"));
            }
            return;
        };
        let Some(content) = contents.get(media) else {
            return self.fault(format!("{id} {status}: the type `{media}` is not described: {body}"));
        };
        if media == "text/event-stream" {
            let of = content.pointer("/schema/properties/data/contentSchema").expect("what the data is").clone();
            for data in body.lines().filter_map(|line| line.strip_prefix("data:")) {
                let value = serde_json::from_str(data).expect("JSON in an event");
                self.validate(format!("{id} {status}, an event"), &strict_of(&of), &value);
            }
            return;
        }
        if !media.ends_with("json") || media == "application/x-ndjson" {
            return;
        }
        match serde_json::from_str(body) {
            Ok(value) => self.validate(format!("{id} {status}"), &strict_of(&content["schema"]), &value),
            Err(cause) => self.fault(format!("{id} {status}: no JSON ({cause}): {body}")),
        }
    }

    pub fn end_of_faults(self) {
        let faults: Vec<String> = self.faults.into_iter().collect();
        assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
    }
}

fn strict_of(schema: &Value) -> Value {
    let mut schema = schema.clone();
    if schema.get("$ref").is_none() {
        close(&mut schema, false);
    } else {
        // Whole here, though it may be a part elsewhere.
        schema["unevaluatedProperties"] = json!(false);
    }
    schema
}
