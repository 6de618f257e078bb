//! `halo why` and `halo status`: what holds a contact, and whether anybody is called.

use super::there::There;
use super::{Failure, open, settings};
use halo::app::{known_modes, peek_clock, read_rules, real_phones_ring};
use halo::config::Config;
use halo::http::address::encoded;
use halo::http::{status, why};
use serde_json::Value;

pub async fn why(word: &str, as_json: bool) -> Result<(), Failure> {
    let config = settings()?;
    let told = match There::of(&config)? {
        Some(there) => there.get(&format!("/api/v1/contacts/{}/why", encoded(word))).await?,
        None => why_here(&config, word).await?,
    };
    say(&told, as_json);
    Ok(())
}

async fn why_here(config: &Config, word: &str) -> Result<Value, Failure> {
    let store = open(config).await?;
    let now = peek_clock(&store).await?.now();
    let contact = why::meant(&store, word, None).await?;
    let real = real_phones_ring(config, &store).await?;
    let told = why::told(&store, &read_rules(known_modes(config)?), real, contact, now).await?;
    let told = told.ok_or_else(|| Failure::refused(format!("contact {contact} does not exist")))?;
    Ok(told.to_json())
}

pub async fn status(as_json: bool) -> Result<(), Failure> {
    let config = settings()?;
    let told = match There::of(&config)? {
        Some(there) => there.get("/api/v1/status").await?,
        None => status_here(&config).await?,
    };
    say(&told, as_json);
    Ok(())
}

async fn status_here(config: &Config) -> Result<Value, Failure> {
    let store = open(config).await?;
    let now = peek_clock(&store).await?.now();
    let account = store.installation_value("account").await?.and_then(|id| id.parse().ok());
    let Some(account) = account else {
        return Err(Failure::refused("no process has served this database yet: start `halo serve` first"));
    };
    Ok(status::to_json(&status::told(&store, account, now).await?))
}

fn say(told: &Value, as_json: bool) {
    match as_json {
        true => println!("{told}"),
        false => println!("{}", told["line"].as_str().unwrap_or_default()),
    }
}
