//! The key-value storage of applications, as the API and the scenarios' `ApplicationStorage` see it.

use std::collections::BTreeMap;

/// Thirty days, as documented.
pub const TTL_DEFAULT_S: u64 = 2_592_000;
const ITEMS_MAX: usize = 10_000;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    pub value: String,
    /// Unix seconds.
    pub expires_s: i64,
}

/// What every application keeps. An item that has expired is gone, whether or not it was swept yet.
#[derive(Default)]
pub struct Storage(BTreeMap<(u64, String), Item>);

impl Storage {
    /// False when the storage is full.
    pub fn put(&mut self, application_id: u64, key: &str, item: Item, now_s: i64) -> bool {
        if self.0.len() >= ITEMS_MAX {
            self.0.retain(|_, held| held.expires_s > now_s);
        }
        let key = (application_id, key.to_owned());
        let has_room = self.0.len() < ITEMS_MAX || self.0.contains_key(&key);
        if has_room {
            self.0.insert(key, item);
        }
        has_room
    }

    pub fn get(&self, application_id: u64, key: &str, now_s: i64) -> Option<&Item> {
        self.0.get(&(application_id, key.to_owned())).filter(|item| item.expires_s > now_s)
    }

    pub fn remove(&mut self, application_id: u64, key: &str) -> Option<Item> {
        self.0.remove(&(application_id, key.to_owned()))
    }

    /// Items of one application in the order of their keys; a namespace is what stands before `:`.
    pub fn of<'a>(
        &'a self,
        application_id: u64,
        namespace: Option<&'a str>,
        now_s: i64,
    ) -> impl Iterator<Item = (&'a str, &'a Item)> {
        let first = (application_id, String::new());
        let within = move |key: &str| {
            namespace.is_none_or(|space| {
                let space = space.strip_suffix(':').unwrap_or(space);
                key == space || key.strip_prefix(space).is_some_and(|rest| rest.starts_with(':'))
            })
        };
        self.0
            .range(first..)
            .take_while(move |((id, _), _)| *id == application_id)
            .filter(move |((_, key), item)| item.expires_s > now_s && within(key))
            .map(|((_, key), item)| (key.as_str(), item))
    }
}
