//! A table that a person wrote (settings, a script, a policy), read key by key.
//!
//! Every fault is collected, none ends the reading: whoever mends a file should need one round, not
//! ten. What nobody asked for is refused by name when the table is closed, because a key that is
//! silently ignored is a promise that is silently broken.

use serde_json::{Map, Value};
use std::cell::RefCell;
use std::fmt;

/// Faults listed for one text; a file with more is beyond mending line by line.
pub const FAULTS_MAX: usize = 100;

/// The key under which the `toml` crate hands on a date.
const TOML_DATE: &str = "$__toml_private_datetime";

/// One thing wrong with a text: where, what was found, how to mend it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Fault {
    pub key: String,
    pub found: String,
    pub cure: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.key, self.found, self.cure)
    }
}

/// All that is wrong with a text, at once.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, serde::Serialize)]
#[serde(transparent)]
pub struct Faults(pub Vec<Fault>);

impl Faults {
    /// One sentence for each fault.
    pub fn list(&self) -> Vec<String> {
        self.0.iter().map(ToString::to_string).collect()
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, fault) in self.0.iter().enumerate() {
            write!(f, "{}{fault}", if n == 0 { "" } else { "\n" })?;
        }
        Ok(())
    }
}

/// Where faults gather while tables are open.
#[derive(Default)]
pub struct Reading(RefCell<Vec<Fault>>);

impl Reading {
    /// TOML, or JSON when the text starts with a brace.
    pub fn parse(&self, text: &str) -> Option<Value> {
        let text = text.trim_start_matches('\u{feff}');
        let parsed = if text.trim_start().starts_with('{') {
            serde_json::from_str(text).map_err(|e| e.to_string())
        } else {
            toml::from_str::<Value>(text).map(dates_as_texts).map_err(|e| e.to_string().trim().to_owned())
        };
        parsed.map_err(|why| self.refuse("(the text)", why, "mend the syntax")).ok()
    }

    /// The whole text as a table.
    pub fn table<'a>(&'a self, value: &'a Value) -> Option<Table<'a>> {
        match value {
            Value::Object(map) => Some(Table { path: String::new(), map, asked: RefCell::default(), reading: self }),
            other => {
                self.refuse("(the text)", format!("found {}", kind(other)), "write a table of keys");
                None
            }
        }
    }

    pub fn refuse(&self, key: impl Into<String>, found: impl Into<String>, cure: impl Into<String>) {
        let mut faults = self.0.borrow_mut();
        if faults.len() < FAULTS_MAX {
            faults.push(Fault { key: key.into(), found: found.into(), cure: cure.into() });
        }
    }

    /// The value, when nothing was wrong.
    pub fn end<T>(self, value: Option<T>) -> Result<T, Faults> {
        let mut faults = self.0.into_inner();
        match value {
            Some(value) if faults.is_empty() => Ok(value),
            _ => {
                if faults.is_empty() {
                    let key = "(the text)".to_owned();
                    faults.push(Fault {
                        key,
                        found: "nothing usable".into(),
                        cure: "compare it with an example".into(),
                    });
                }
                Err(Faults(faults))
            }
        }
    }
}

/// One entry of a list that may be written short or in full.
pub enum Entry<'a> {
    Text(String),
    Table(Table<'a>),
}

/// One open table.
pub struct Table<'a> {
    path: String,
    map: &'a Map<String, Value>,
    asked: RefCell<Vec<&'static str>>,
    reading: &'a Reading,
}

impl<'a> Table<'a> {
    pub fn has(&self, key: &str) -> bool {
        self.map.contains_key(key)
    }

    /// The raw value; asking for it makes the key a known one.
    pub fn value(&self, key: &'static str) -> Option<&'a Value> {
        self.ask(key);
        self.map.get(key)
    }

    fn ask(&self, key: &'static str) {
        let mut asked = self.asked.borrow_mut();
        if !asked.contains(&key) {
            asked.push(key);
        }
    }

    pub fn text(&self, key: &'static str) -> Option<String> {
        match self.value(key)? {
            Value::String(text) if text.trim().is_empty() => {
                self.refuse(key, "found an empty text", "write something or leave the key out");
                None
            }
            Value::String(text) => Some(text.trim().to_owned()),
            other => self.wrong(key, other, "a text in quotes"),
        }
    }

    /// A text that must be there.
    pub fn needed(&self, key: &'static str, cure: &str) -> Option<String> {
        if !self.has(key) {
            self.ask(key);
            self.refuse(key, "missing", cure);
            return None;
        }
        self.text(key)
    }

    /// A text turned into a value by `parse`, whose error is the cure.
    pub fn parsed<T>(&self, key: &'static str, parse: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        let text = self.text(key)?;
        parse(&text).map_err(|cure| self.refuse(key, format!("found `{}`", cut(&text)), cure)).ok()
    }

    pub fn number(&self, key: &'static str, low: f64, high: f64) -> Option<f64> {
        let value = self.value(key)?;
        match value.as_f64() {
            Some(n) if (low..=high).contains(&n) => Some(n),
            _ => self.wrong(key, value, &format!("a number from {low} to {high}")),
        }
    }

    pub fn whole(&self, key: &'static str, low: u32, high: u32) -> Option<u32> {
        let value = self.value(key)?;
        match value.as_u64().and_then(|n| u32::try_from(n).ok()) {
            Some(n) if (low..=high).contains(&n) => Some(n),
            _ => self.wrong(key, value, &format!("a whole number from {low} to {high}")),
        }
    }

    pub fn flag(&self, key: &'static str) -> Option<bool> {
        match self.value(key)? {
            Value::Bool(flag) => Some(*flag),
            other => self.wrong(key, other, "true or false"),
        }
    }

    /// A list of texts; a single text counts as a list of one.
    pub fn texts(&self, key: &'static str, entries_max: usize) -> Option<Vec<String>> {
        let value = self.value(key)?;
        let items = match value {
            Value::Array(items) => items.iter().collect(),
            text @ Value::String(_) => vec![text],
            other => return self.wrong(key, other, "a list of texts"),
        };
        if items.len() > entries_max {
            self.refuse(key, format!("found {} entries", items.len()), format!("write at most {entries_max}"));
            return None;
        }
        let mut texts = Vec::with_capacity(items.len());
        for (n, item) in items.into_iter().enumerate() {
            match item {
                Value::String(text) if !text.trim().is_empty() => texts.push(text.trim().to_owned()),
                other => {
                    self.wrong::<()>(&format!("{key}[{n}]"), other, "a text that is not empty");
                }
            }
        }
        Some(texts)
    }

    pub fn table(&self, key: &'static str) -> Option<Table<'a>> {
        match self.value(key)? {
            Value::Object(map) => Some(self.inner(key.to_owned(), map)),
            other => self.wrong(key, other, "a table"),
        }
    }

    /// A list of tables; none when the key is absent.
    pub fn tables(&self, key: &'static str, entries_max: usize) -> Vec<Table<'a>> {
        let items = match self.value(key) {
            None => return Vec::new(),
            Some(Value::Array(items)) if items.len() <= entries_max => items,
            Some(Value::Array(items)) => {
                self.refuse(key, format!("found {} entries", items.len()), format!("write at most {entries_max}"));
                return Vec::new();
            }
            Some(other) => {
                self.wrong::<()>(key, other, &format!("tables headed [[{key}]]"));
                return Vec::new();
            }
        };
        let mut tables = Vec::new();
        for (n, item) in items.iter().enumerate() {
            match item {
                Value::Object(map) => tables.push(self.inner(format!("{key}[{n}]"), map)),
                other => {
                    self.wrong::<()>(&format!("{key}[{n}]"), other, "a table");
                }
            }
        }
        tables
    }

    /// A list whose entries are texts or tables; a single text counts as a list of one.
    pub fn entries(&self, key: &'static str, entries_max: usize) -> Vec<Entry<'a>> {
        let items: Vec<&'a Value> = match self.value(key) {
            None => return Vec::new(),
            Some(Value::Array(items)) => items.iter().collect(),
            Some(text @ Value::String(_)) => vec![text],
            Some(other) => {
                self.wrong::<()>(key, other, "a list of texts");
                return Vec::new();
            }
        };
        if items.len() > entries_max {
            self.refuse(key, format!("found {} entries", items.len()), format!("write at most {entries_max}"));
            return Vec::new();
        }
        let mut entries = Vec::with_capacity(items.len());
        for (n, item) in items.into_iter().enumerate() {
            match item {
                Value::String(text) if !text.trim().is_empty() => entries.push(Entry::Text(text.trim().to_owned())),
                Value::Object(map) => entries.push(Entry::Table(self.inner(format!("{key}[{n}]"), map))),
                other => drop(self.wrong::<()>(&format!("{key}[{n}]"), other, "a text that is not empty, or a table")),
            }
        }
        entries
    }

    pub fn refuse(&self, key: &str, found: impl Into<String>, cure: impl Into<String>) {
        self.reading.refuse(self.path_of(key), found, cure);
    }

    /// Refuses what nobody asked for. `later` names keys that are understood but not obeyed yet.
    pub fn close(self, later: &[(&str, &str)]) {
        let asked = self.asked.borrow();
        for key in self.map.keys().filter(|key| !asked.contains(&key.as_str())) {
            match later.iter().find(|(name, _)| name == key) {
                Some((_, what)) => {
                    self.refuse(
                        key,
                        format!("{what}: known, but not obeyed yet"),
                        "leave it out; nothing would follow",
                    );
                }
                None => {
                    let known = asked.iter().min_by_key(|name| distance(name, key));
                    let cure = match known {
                        Some(name) if distance(name, key) <= 2 => format!("did you mean `{name}`?"),
                        _ => format!("known here: {}", asked.join(", ")),
                    };
                    self.refuse(&cut(key), "unknown key", cure);
                }
            }
        }
    }

    fn inner(&self, key: String, map: &'a Map<String, Value>) -> Table<'a> {
        Table { path: self.path_of(&key), map, asked: RefCell::default(), reading: self.reading }
    }

    fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    fn wrong<T>(&self, key: &str, value: &Value, cure: &str) -> Option<T> {
        self.refuse(key, format!("found {}", kind(value)), format!("write {cure}"));
        None
    }
}

fn kind(value: &Value) -> String {
    match value {
        Value::Null => "nothing".into(),
        Value::Bool(b) => format!("{b}"),
        Value::Number(n) => format!("{n}"),
        Value::String(text) => format!("`{}`", cut(text)),
        Value::Array(_) => "a list".into(),
        Value::Object(_) => "a table".into(),
    }
}

/// TOML has dates without quotes, which reach us as tables of one private key: here a date is a text.
fn dates_as_texts(value: Value) -> Value {
    match value {
        Value::Object(mut map) if map.len() == 1 && map.contains_key(TOML_DATE) => {
            map.remove(TOML_DATE).unwrap_or_default()
        }
        Value::Object(map) => map.into_iter().map(|(key, value)| (key, dates_as_texts(value))).collect(),
        Value::Array(items) => items.into_iter().map(dates_as_texts).collect(),
        other => other,
    }
}

/// Enough of a text to recognise it.
pub fn cut(text: &str) -> String {
    const CHARS_MAX: usize = 60;
    if text.chars().count() <= CHARS_MAX {
        text.to_owned()
    } else {
        text.chars().take(CHARS_MAX).chain(['…']).collect()
    }
}

/// How many letters must change to make one word the other (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().take(64).enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let change = corner + usize::from(x != *y);
            corner = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(corner + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(text: &str) -> Vec<String> {
        let reading = Reading::default();
        if let Some(value) = reading.parse(text)
            && let Some(table) = reading.table(&value)
        {
            table.text("name");
            table.whole("lines", 1, 10);
            table.texts("days", 3);
            table.close(&[("budget", "a limit on money")]);
        }
        reading.end(None::<()>).unwrap_err().0.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn every_fault_is_told_with_its_cure() {
        assert_eq!(
            faults("name = ''\nlines = 11\ndays = ['a', 3]\nlinse = 1\nbudget = 5\nwhatever = 1"),
            [
                "name: found an empty text; write something or leave the key out",
                "lines: found 11; write a whole number from 1 to 10",
                "days[1]: found 3; write a text that is not empty",
                "linse: unknown key; did you mean `lines`?",
                "budget: a limit on money: known, but not obeyed yet; leave it out; nothing would follow",
                "whatever: unknown key; known here: name, lines, days",
            ]
        );
        assert!(faults("name = ")[0].starts_with("(the text): TOML parse error at line 1"));
        assert!(faults("{\"name\": }")[0].contains("line 1 column 10"));
    }
}
