//! `halo why` and `halo status`: what holds a contact, and whether anybody is called.

use super::{Failure, open, settings};
use halo::app::{known_modes, peek_clock, read_rules, real_phones_ring};
use halo::http::{status, why};

pub async fn why(word: &str, as_json: bool) -> Result<(), Failure> {
    let config = settings()?;
    let store = open(&config).await?;
    let now = peek_clock(&store).await?.now();
    let contact = why::meant(&store, word, None).await?;
    let real = real_phones_ring(&config, &store).await?;
    let told = why::told(&store, &read_rules(known_modes(&config)?), real, contact, now).await?;
    let told = told.ok_or_else(|| Failure::refused(format!("contact {contact} does not exist")))?;
    if as_json {
        println!("{}", told.to_json());
    } else {
        println!("{}", told.line());
    }
    Ok(())
}

pub async fn status(as_json: bool) -> Result<(), Failure> {
    let store = open(&settings()?).await?;
    let now = peek_clock(&store).await?.now();
    let account = store.installation_value("account").await?.and_then(|id| id.parse().ok());
    let Some(account) = account else {
        return Err(Failure::refused("no process has served this database yet: start `halo serve` first"));
    };
    let status = status::told(&store, account, now).await?;
    if as_json {
        println!("{}", status::to_json(&status));
    } else {
        println!("{}", status.line);
    }
    Ok(())
}
