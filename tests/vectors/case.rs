//! One case: its input by name, and a list of what differs from what was expected.

use serde_json::Value;

pub struct Case<'a> {
    name: String,
    pub input: &'a Value,
    expected: &'a Value,
    /// Expected names that no check has met yet: forgotten ones are faults.
    open: Vec<&'a str>,
    faults: Vec<String>,
}

impl<'a> Case<'a> {
    pub fn of(topic: &str, row: &'a Value) -> Self {
        let id = row["id"].as_str().unwrap_or(topic);
        let expected = &row["expected"];
        let open = expected.as_object().map_or(Vec::new(), |names| names.keys().map(String::as_str).collect());
        Case { name: id.to_owned(), input: &row["input"], expected, open, faults: Vec::new() }
    }

    pub fn number(&self, name: &str) -> f64 {
        self.input[name].as_f64().unwrap_or_else(|| panic!("{}: input {name} is no number", self.name))
    }

    pub fn count(&self, name: &str) -> u64 {
        self.input[name].as_u64().unwrap_or_else(|| panic!("{}: input {name} is no count", self.name))
    }

    pub fn text(&self, name: &str) -> &'a str {
        self.input[name].as_str().unwrap_or_else(|| panic!("{}: input {name} is no text", self.name))
    }

    pub fn numbers(&self, name: &str) -> Vec<f64> {
        floats(&self.input[name])
    }

    pub fn counts(&self, name: &str) -> Vec<u64> {
        let values = self.input[name].as_array().unwrap_or_else(|| panic!("{}: no list {name}", self.name));
        values.iter().map(|value| value.as_u64().expect("a count")).collect()
    }

    fn take(&mut self, name: &str) -> Option<&'a Value> {
        self.open.retain(|open| *open != name);
        self.expected.get(name)
    }

    /// A value within `tolerance`; `None` stands for null. A name that the case does not hold is
    /// not compared.
    pub fn near(&mut self, name: &str, found: Option<f64>, tolerance: f64) {
        let Some(expected) = self.take(name) else { return };
        self.compare(name, found, expected.as_f64(), tolerance);
    }

    /// Within a share of the expected value.
    pub fn near_relative(&mut self, name: &str, found: Option<f64>, share: f64) {
        let Some(expected) = self.take(name) else { return };
        let scale = expected.as_f64().map_or(1.0, f64::abs);
        self.compare(name, found, expected.as_f64(), share * scale);
    }

    /// Within the tolerance that the case itself names.
    pub fn near_own(&mut self, name: &str, tolerance: &str, found: Option<f64>, least: f64) {
        let own = self.take(tolerance).and_then(Value::as_f64).unwrap_or(0.0);
        self.near(name, found, own.max(least));
    }

    pub fn near_list(&mut self, name: &str, found: &[Option<f64>], tolerance: f64) {
        let Some(expected) = self.take(name) else { return };
        let expected = expected.as_array().cloned().unwrap_or_default();
        if expected.len() != found.len() {
            self.faults.push(format!("{} {name}: {} values, expected {}", self.name, found.len(), expected.len()));
        }
        for (index, (found, expected)) in found.iter().zip(&expected).enumerate() {
            self.compare(&format!("{name}[{index}]"), *found, expected.as_f64(), tolerance);
        }
    }

    /// The fields of an object, each within `tolerance`.
    pub fn near_fields(&mut self, name: &str, found: &[(&str, Option<f64>)], tolerance: f64) {
        let Some(expected) = self.take(name) else { return };
        let fields = expected.as_object().map_or(Vec::new(), |fields| fields.iter().collect());
        for (field, value) in &fields {
            match found.iter().find(|(known, _)| known == field) {
                Some((_, found)) => self.compare(&format!("{name}.{field}"), *found, value.as_f64(), tolerance),
                None => self.faults.push(format!("{} {name}.{field}: expected, but not compared", self.name)),
            }
        }
    }

    pub fn same(&mut self, name: &str, found: impl Into<Value>) {
        let found = found.into();
        if let Some(expected) = self.take(name)
            && *expected != found
        {
            self.faults.push(format!("{} {name}: {found}, expected {expected}", self.name));
        }
    }

    fn compare(&mut self, name: &str, found: Option<f64>, expected: Option<f64>, tolerance: f64) {
        let fits = match (found, expected) {
            (Some(found), Some(expected)) => (found - expected).abs() <= tolerance,
            (None, None) => true,
            _ => false,
        };
        if !fits {
            self.faults.push(format!("{} {name}: {found:?}, expected {expected:?}", self.name));
        }
    }

    pub fn into_faults(mut self) -> Vec<String> {
        for name in &self.open {
            self.faults.push(format!("{} {name}: expected, but not compared", self.name));
        }
        self.faults
    }
}

pub fn floats(value: &Value) -> Vec<f64> {
    let values = value.as_array().expect("a list of numbers");
    values.iter().map(|value| value.as_f64().expect("a number")).collect()
}
