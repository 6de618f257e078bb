//! `halo erase`: here by the database, elsewhere by the API of HALO_URL.

use super::there::There;
use super::{Failure, open, settings, who};
use clap::Args;
use halo::app::peek_clock;
use halo::domain::PhoneNumber;
use halo::http::erase::{erase, told};
use halo::intake::phone;
use reqwest::Method;
use serde_json::Value;

/// How a number is read that is written without its country.
const REGION: &str = "RU";

#[derive(Args)]
pub struct Erase {
    /// The person's number.
    number: String,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

fn number_of(text: &str) -> Result<PhoneNumber, Failure> {
    let home = phone::region(REGION).map_err(Failure::usage)?;
    // What was typed is not said again: it may be somebody's number.
    let read = text.parse().ok().or_else(|| phone::read(text, home).ok().map(|phone| phone.number));
    read.ok_or_else(|| Failure::usage("this is no number; write it as +7XXXXXXXXXX"))
}

pub async fn run(args: Erase) -> Result<(), Failure> {
    let config = settings()?;
    let number = number_of(&args.number)?;
    let done = match There::of(&config)? {
        Some(there) => {
            let path = format!("/api/v1/numbers/%2B{}", number.digits());
            there.ask(Method::DELETE, &path, None).await?.1.map_err(Failure::refused)?
        }
        None => {
            let store = open(&config).await?;
            let now = peek_clock(&store).await?.now();
            let audit = who::line(&store, "number.erase", now);
            let done = erase(&store, number, now, audit).await?;
            store.close().await;
            told(&done)?
        }
    };
    match args.json {
        true => println!("{done}"),
        false => println!("{}", sentence(&done)),
    }
    Ok(())
}

fn sentence(done: &Value) -> String {
    let id = done["number"].as_str().unwrap_or_default();
    if done["already"] == true {
        return format!("{id} was erased before.");
    }
    format!(
        "Erased: {id}, in {} campaigns, {} tries; {} recordings are deleted at the provider as soon as it answers.",
        done["contacts"], done["attempts"], done["recordings"]
    )
}
