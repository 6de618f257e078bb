//! `halo key`: here by the database, elsewhere by the API of HALO_URL.

use super::there::There;
use super::{Failure, open, settings, who};
use clap::Subcommand;
use comfy_table::Table;
use comfy_table::presets::NOTHING;
use halo::app::peek_clock;
use halo::domain::{KeyId, Role, Timestamp};
use halo::http::ApiKey;
use halo::http::keys::{DAY_MS, DAYS, named, view};
use halo::store::{KeyOrder, Store};
use reqwest::Method;
use serde_json::{Value, json};

#[derive(Subcommand)]
pub enum Verb {
    /// Make a key; it is shown this once.
    Add {
        /// What it is for.
        name: String,
        /// viewer (reads, numbers masked), operator (imports, calls, pauses), admin (everything).
        #[arg(long, default_value = "viewer")]
        role: Role,
        /// Good for so many days, or `never` for a key that does not expire.
        #[arg(long, value_name = "DAYS|never", default_value_t = Life(Some(DAYS)))]
        expires: Life,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Every key there was.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// The key opens nothing from now on.
    Revoke {
        /// Its id, as `halo key list` shows it.
        key: String,
    },
}

/// Days of a key; `None`: it never expires.
#[derive(Clone, Copy)]
pub struct Life(Option<i64>);

impl std::str::FromStr for Life {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "never" => Ok(Life(None)),
            days => match days.trim_end_matches('d').parse() {
                Ok(days @ 1..=36_500) => Ok(Life(Some(days))),
                _ => Err("a whole number of days, or never".into()),
            },
        }
    }
}

impl std::fmt::Display for Life {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(days) => write!(f, "{days}"),
            None => f.write_str("never"),
        }
    }
}

/// Where keys are kept.
enum Way {
    There(There),
    Here { store: Store, now: Timestamp },
}

impl Way {
    async fn find() -> Result<Way, Failure> {
        let config = settings()?;
        if let Some(there) = There::of(&config)? {
            return Ok(Way::There(there));
        }
        let store = open(&config).await?;
        let now = peek_clock(&store).await?.now();
        Ok(Way::Here { store, now })
    }

    async fn close(self) {
        if let Way::Here { store, .. } = self {
            store.close().await;
        }
    }

    async fn add(&self, name: &str, role: Role, life: Life) -> Result<Value, Failure> {
        let name = named(name).map_err(Failure::usage)?;
        match self {
            Way::There(there) => {
                let expires_at = life.0.map(|days| {
                    let at = halo::clock::Clock::running(halo::clock::Anchor::here(1.0)).now();
                    at.plus_ms(days * DAY_MS).to_string()
                });
                let order = json!({ "name": name, "role": role, "expires_at": expires_at });
                there.ask(Method::POST, "/api/v1/keys", Some(&order)).await?.1.map_err(Failure::refused)
            }
            Way::Here { store, now } => {
                let (text, hash) = ApiKey::fresh();
                let key = KeyId(store.ids.one(now.0));
                let expires_at = life.0.map(|days| now.plus_ms(days * DAY_MS));
                let told = json!({ "name": name, "role": role, "expires_at": expires_at.map(|at| at.to_string()) });
                let audit = who::line(store, "key.add", *now).about("key", key);
                let audit = audit.saying(told.clone());
                store.add_key(KeyOrder { key, name, role, hash: hash.hex(), expires_at, now: *now, audit }).await?;
                let mut told = told;
                told["id"] = json!(key);
                told["key"] = json!(text);
                Ok(told)
            }
        }
    }

    async fn list(&self) -> Result<Vec<Value>, Failure> {
        match self {
            Way::There(there) => {
                let told = there.ask(Method::GET, "/api/v1/keys", None).await?.1.map_err(Failure::refused)?;
                Ok(told["items"].as_array().cloned().unwrap_or_default())
            }
            Way::Here { store, now } => Ok(store.keys().await?.iter().map(|row| view(row, *now)).collect()),
        }
    }

    async fn revoke(&self, key: &str) -> Result<(), Failure> {
        let id: KeyId = key.parse().map_err(Failure::usage)?;
        match self {
            Way::There(there) => {
                there.ask(Method::DELETE, &format!("/api/v1/keys/{id}"), None).await?.1.map_err(Failure::refused)?;
            }
            Way::Here { store, now } => {
                let audit = who::line(store, "key.revoke", *now).about("key", id);
                if !store.revoke_key(id, *now, audit).await? {
                    return Err(Failure::refused(format!("there is no key {id}")));
                }
            }
        }
        Ok(())
    }
}

pub async fn run(verb: Verb) -> Result<(), Failure> {
    let way = Way::find().await?;
    match verb {
        Verb::Add { name, role, expires, json } => {
            let made = way.add(&name, role, expires).await?;
            match json {
                true => println!("{made}"),
                false => {
                    let text = |field: &str| made[field].as_str().unwrap_or("never").to_owned();
                    println!("Key {} ({}, expires {}), shown this once:", text("id"), text("role"), text("expires_at"));
                    println!("\n    {}\n", text("key"));
                }
            }
        }
        Verb::List { json } => {
            let keys = way.list().await?;
            match json {
                true => println!("{}", Value::Array(keys)),
                false => println!("{}", table(&keys)),
            }
        }
        Verb::Revoke { key } => {
            way.revoke(&key).await?;
            println!("Revoked: {key}");
        }
    }
    way.close().await;
    Ok(())
}

fn table(keys: &[Value]) -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING).set_header(["id", "name", "role", "state", "expires", "used"]);
    for key in keys {
        let text = |field: &str| key[field].as_str().unwrap_or("never").to_owned();
        table.add_row(["id", "name", "role", "state", "expires_at", "used_at"].map(text));
    }
    table
}
