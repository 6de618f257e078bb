//! `halo campaign set`: settings while a campaign lives.

use super::life::{Rows, Words, elsewhere};
use super::there::{self, of_campaign};
use super::{Failure, campaigns};
use clap::Args;
use halo::http::change::change;
use reqwest::Method;
use serde_json::{Value, json};

#[derive(Args)]
pub struct Set {
    campaign: String,
    /// KEY=VALUE, the value as in TOML; an empty one takes the key away.
    #[arg(required = true, value_name = "KEY=VALUE")]
    changes: Vec<String>,
    #[command(flatten)]
    words: Words,
}

/// `dial.cps=3` to `{ "dial": { "cps": 3 } }`, all of them together.
fn patch(changes: &[String]) -> Result<Value, Failure> {
    let mut whole = json!({});
    for text in changes {
        let (key, value) = text.split_once('=').ok_or_else(|| Failure::usage(format!("`{text}`: write KEY=VALUE")))?;
        let (key, value) = (key.trim(), value.trim());
        if key.is_empty() || key.split('.').any(str::is_empty) {
            return Err(Failure::usage(format!("`{text}`: write a key such as dial.cps")));
        }
        let value = match value {
            "" => Value::Null,
            // What is no TOML is a text.
            text => toml::from_str::<Value>(&format!("value = {text}"))
                .ok()
                .and_then(|mut table| table.get_mut("value").map(Value::take))
                .filter(|value| !value.is_object() || text.starts_with('{'))
                .unwrap_or_else(|| json!(text)),
        };
        let one = key.rsplit('.').fold(value, |inner, key| json!({ key: inner }));
        join(&mut whole, one);
    }
    Ok(whole)
}

/// Both patches in one; unlike a merge, it keeps what takes a key away.
fn join(into: &mut Value, other: Value) {
    match (into, other) {
        (Value::Object(into), Value::Object(other)) => {
            for (key, value) in other {
                join(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, other) => *into = other,
    }
}

pub async fn run(args: Set) -> Result<(), Failure> {
    let patch = patch(&args.changes)?;
    let done = match elsewhere()? {
        Some(there) => {
            let body = args.words.with(patch);
            there::read(there.tell(Method::PATCH, &of_campaign(&args.campaign, "/settings"), body).await?)?
        }
        None => {
            let rows = Rows::open().await?;
            let campaign = rows.store.find_campaign(&args.campaign).await?.campaign;
            let by = args.words.by(None, rows.line("campaign.settings").about("campaign", campaign));
            change(&rows.here()?, &args.campaign, &patch, by).await.map_err(campaigns::refused)?
        }
    };
    if done.changed.is_empty() {
        println!("Nothing changes: the settings say so already");
    } else {
        println!("Settings are version {} now: {}", done.version, done.changed.join(", "));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_read_as_toml_or_as_texts() {
        let said = |texts: &[&str]| {
            let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
            patch(&texts).map_err(|failure| failure.message)
        };
        assert_eq!(
            said(&["dial.cps=3", "dial.record = true", "policy=safe", "retry.busy=[\"5m\", \"1h\"]", "schedule="]),
            Ok(json!({ "dial": { "cps": 3, "record": true }, "policy": "safe", "retry": { "busy": ["5m", "1h"] },
                       "schedule": null }))
        );
        assert_eq!(said(&["windows.from=2026-11-30"]), Ok(json!({ "windows": { "from": "2026-11-30" } })));
        for wrong in ["dial.cps", "=3", "dial..cps=3"] {
            assert!(said(&[wrong]).is_err(), "{wrong}");
        }
    }
}
