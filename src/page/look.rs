//! Looking into an answer of the API: what is not there is empty, so an older or a newer answer still makes a page.

use crate::domain::Timestamp;
use serde_json::Value;

/// Paths are keys with dots between them.
pub trait Look {
    fn find(&self, path: &str) -> &Value;

    fn text(&self, path: &str) -> String {
        match self.find(path) {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        }
    }
    fn int(&self, path: &str) -> i64 {
        let found = self.find(path);
        found.as_i64().or_else(|| found.as_f64().map(|x| x as i64)).unwrap_or_default()
    }
    fn num(&self, path: &str) -> f64 {
        self.find(path).as_f64().unwrap_or_default()
    }
    fn yes(&self, path: &str) -> bool {
        self.find(path).as_bool().unwrap_or_default()
    }
    fn has(&self, path: &str) -> bool {
        !self.find(path).is_null()
    }
    fn list(&self, path: &str) -> &[Value] {
        self.find(path).as_array().map(Vec::as_slice).unwrap_or_default()
    }
    /// Instants come as milliseconds or as RFC 3339.
    fn at(&self, path: &str) -> Option<Timestamp> {
        match self.find(path) {
            Value::Number(ms) => ms.as_i64().map(Timestamp),
            Value::String(text) => {
                chrono::DateTime::parse_from_rfc3339(text).ok().map(|at| Timestamp(at.timestamp_millis()))
            }
            _ => None,
        }
    }
}

impl Look for Value {
    fn find(&self, path: &str) -> &Value {
        static NOTHING: Value = Value::Null;
        if path.is_empty() {
            return self;
        }
        path.split('.').try_fold(self, |value, key| value.get(key)).unwrap_or(&NOTHING)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_not_there_is_empty() {
        let it = json!({ "a": { "b": 3, "at": 60_000, "text": "1970-01-01T00:01:00.000Z" } });
        assert_eq!((it.int("a.b"), it.int("a.c"), it.text("x.y").as_str()), (3, 0, ""));
        assert_eq!(it.at("a.at"), it.at("a.text"));
        assert!(it.at("a").is_none() && it.list("a").is_empty() && !it.has("a.c"));
    }
}
