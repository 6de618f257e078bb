//! Key-value items of applications. They expire; nothing lives longer than ninety days.

use serde_json::{Value, json};

use crate::simulator::api::ApiError;
use crate::simulator::api::manage::{Answer, application, done};
use crate::simulator::api::params::Params;
use crate::simulator::platform::State;
use crate::simulator::storage::{Item, TTL_DEFAULT_S};

const KEY_MAX: usize = 200;
const VALUE_MAX: usize = 2_000;
const TTL_MAX_S: u64 = 7_776_000;
const COUNT_DEFAULT: u64 = 10;
const COUNT_MAX: u64 = 50;

/// None when the method is none of these.
pub fn run(state: &mut State, name: &str, params: &Params, now_s: i64) -> Option<Answer> {
    Some(match name {
        "SetKeyValueItem" => set(state, params, now_s),
        "GetKeyValueItem" => get(state, params, now_s),
        "GetKeyValueItems" => list(state, params, now_s, true),
        "GetKeyValueKeys" => list(state, params, now_s, false),
        "DelKeyValueItem" => del(state, params, now_s),
        _ => return None,
    })
}

/// Letters of two alphabets, digits, and `_ - : ; . # +`, at most 200 of them.
fn lawful(key: &str) -> Result<&str, ApiError> {
    let letter =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, 'а'..='я' | 'А'..='Я' | 'ё' | 'Ё') || "_-:;.#+".contains(c);
    if key.chars().count() > KEY_MAX {
        return Err(ApiError::new(499, "The 'key' parameter is too long."));
    }
    if key.chars().all(letter) { Ok(key) } else { Err(ApiError::invalid(496, "key")) }
}

fn expiry(params: &Params, now_s: i64) -> Result<i64, ApiError> {
    let out_of_range = |name: &str| ApiError::new(497, format!("The '{name}' parameter is out of range."));
    match (params.number("ttl", 496)?, params.number("expires_at", 496)?) {
        (Some(_), Some(_)) => Err(ApiError::new(458, "Only one of the parameters 'ttl' and 'expires_at' may be set.")),
        (Some(ttl), None) if ttl > TTL_MAX_S => Err(out_of_range("ttl")),
        (None, Some(at)) => {
            let latest = now_s.saturating_add_unsigned(TTL_MAX_S);
            i64::try_from(at).ok().filter(|at| *at <= latest).ok_or_else(|| out_of_range("expires_at"))
        }
        (ttl, None) => Ok(now_s.saturating_add_unsigned(ttl.unwrap_or(TTL_DEFAULT_S))),
    }
}

fn row(key: &str, item: &Item, with_value: bool) -> Value {
    let mut row = json!({ "key": key, "expires_at": item.expires_s });
    if with_value {
        row["value"] = json!(item.value);
    }
    row
}

fn set(state: &mut State, params: &Params, now_s: i64) -> Answer {
    let application_id = application(state, params)?;
    let key = lawful(params.required("key")?)?;
    let value = params.required("value")?;
    if value.chars().count() > VALUE_MAX {
        return Err(ApiError::new(499, "The 'value' parameter is too long."));
    }
    let item = Item { value: value.to_owned(), expires_s: expiry(params, now_s)? };
    let told = json!({ "result": row(key, &item, true) });
    match state.storage.put(application_id, key, item, now_s) {
        true => Ok(told),
        false => Err(ApiError::new(512, "The number of items is exceeded.")),
    }
}

fn get(state: &State, params: &Params, now_s: i64) -> Answer {
    let application_id = application(state, params)?;
    let key = params.required("key")?;
    let item = state.storage.get(application_id, key, now_s).ok_or_else(|| ApiError::invalid(496, "key"))?;
    Ok(json!({ "result": row(key, item, true) }))
}

fn list(state: &State, params: &Params, now_s: i64, with_values: bool) -> Answer {
    let application_id = application(state, params)?;
    // Keys may be listed without a namespace, items may not.
    let namespace = if with_values { Some(params.required("key")?) } else { params.text("key") };
    let count = params.number("count", 101)?.unwrap_or(COUNT_DEFAULT).min(COUNT_MAX) as usize;
    let offset = params.number("offset", 101)?.unwrap_or(0) as usize;
    let found: Vec<_> = state.storage.of(application_id, namespace, now_s).collect();
    let rows: Vec<Value> =
        found.iter().skip(offset).take(count).map(|(key, item)| row(key, item, with_values)).collect();
    Ok(json!({ "count": rows.len(), "result": rows, "total_count": found.len() }))
}

fn del(state: &mut State, params: &Params, now_s: i64) -> Answer {
    let application_id = application(state, params)?;
    let gone = state.storage.remove(application_id, params.required("key")?);
    match gone {
        Some(item) if item.expires_s > now_s => done(),
        _ => Err(ApiError::invalid(496, "key")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulator::platform::Application;

    const NOW_S: i64 = 1_800_000_000;

    fn state() -> State {
        let mut state = State::default();
        for application_id in [1, 2] {
            state.applications.push(Application {
                secure_record_storage: false,
                application_id,
                name: format!("app{application_id}"),
                modified_ms: 0,
            });
        }
        state
    }

    fn ask(state: &mut State, name: &str, pairs: &[(&str, &str)], now_s: i64) -> Result<Value, u32> {
        let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        run(state, name, &Params::new(pairs), now_s).expect("a method of this file").map_err(|error| error.code)
    }

    #[test]
    fn an_item_lives_in_its_application_until_it_expires() {
        let (mut state, one, two) = (state(), ("application_id", "1"), ("application_name", "app2"));
        let put = [one, ("key", "test:1"), ("value", "да"), ("ttl", "10")];
        let told = ask(&mut state, "SetKeyValueItem", &put, NOW_S).expect("put");
        assert_eq!(told, json!({ "result": { "key": "test:1", "value": "да", "expires_at": NOW_S + 10 } }));
        let get = |state: &mut State, app, at| ask(state, "GetKeyValueItem", &[app, ("key", "test:1")], at);
        assert_eq!(get(&mut state, one, NOW_S + 9).expect("held")["result"]["value"], "да");
        assert_eq!(get(&mut state, one, NOW_S + 10), Err(496));
        assert_eq!(get(&mut state, two, NOW_S), Err(496), "another application's");
        assert_eq!(ask(&mut state, "DelKeyValueItem", &[two, ("key", "test:1")], NOW_S), Err(496));
        assert_eq!(ask(&mut state, "DelKeyValueItem", &[one, ("key", "test:1")], NOW_S), Ok(json!({ "result": 1 })));
        assert_eq!(get(&mut state, one, NOW_S), Err(496));
        let told = ask(&mut state, "SetKeyValueItem", &[one, ("key", "k"), ("value", "v")], NOW_S).expect("put");
        assert_eq!(told["result"]["expires_at"], NOW_S + 2_592_000, "thirty days where nothing is said");
    }

    #[test]
    fn lists_are_of_a_namespace_and_come_in_pages() {
        let (mut state, one) = (state(), ("application_id", "1"));
        for key in ["test:1", "test:2", "test:3", "testing:1", "other"] {
            ask(&mut state, "SetKeyValueItem", &[one, ("key", key), ("value", "v")], NOW_S).expect("put");
        }
        let page = [one, ("key", "test"), ("count", "1"), ("offset", "1")];
        let told = ask(&mut state, "GetKeyValueItems", &page, NOW_S).expect("a page");
        assert_eq!((&told["count"], &told["total_count"]), (&json!(1), &json!(3)));
        assert_eq!((&told["result"][0]["key"], &told["result"][0]["value"]), (&json!("test:2"), &json!("v")));
        let keys = ask(&mut state, "GetKeyValueKeys", &[one], NOW_S).expect("all");
        assert_eq!((&keys["total_count"], keys["result"][0].get("value")), (&json!(5), None));
        assert_eq!(ask(&mut state, "GetKeyValueItems", &[one], NOW_S), Err(134));
    }

    #[test]
    fn bounds_are_kept() {
        let mut state = state();
        let (long_key, long_value) = ("k".repeat(201), "ж".repeat(2_001));
        let late = (NOW_S + 7_776_001).to_string();
        for (more, code) in [
            (vec![("key", long_key.as_str()), ("value", "v")], 499),
            (vec![("key", "k"), ("value", long_value.as_str())], 499),
            (vec![("key", "a b"), ("value", "v")], 496),
            (vec![("key", "k"), ("value", "")], 134),
            (vec![("value", "v")], 134),
            (vec![("key", "k"), ("value", "v"), ("ttl", "7776001")], 497),
            (vec![("key", "k"), ("value", "v"), ("expires_at", late.as_str())], 497),
            (vec![("key", "k"), ("value", "v"), ("ttl", "1"), ("expires_at", "1800000001")], 458),
            (vec![("key", "k"), ("value", "v"), ("ttl", "-1")], 496),
        ] {
            let params: Vec<_> = [("application_id", "1")].into_iter().chain(more).collect();
            assert_eq!(ask(&mut state, "SetKeyValueItem", &params, NOW_S), Err(code), "{params:?}");
        }
        assert_eq!(ask(&mut state, "SetKeyValueItem", &[("key", "k"), ("value", "v")], NOW_S), Err(134));
        assert_eq!(ask(&mut state, "GetKeyValueKeys", &[("application_id", "3")], NOW_S), Err(116));
    }
}
