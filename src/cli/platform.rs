//! `halo voximplant …`

use super::there::There;
use super::{Failure, settings};
use clap::Subcommand;
use halo::app;
use halo::config::{Config, NAMES};
use halo::doctor::{Finding, Findings, damages, policies};
use halo::domain::PhoneNumber;
use serde_json::{Value, json};
use std::path::PathBuf;

#[derive(Subcommand)]
pub enum Verb {
    /// Create or update application, scenarios, rules and secrets; a second time changes nothing.
    Deploy {
        /// Print what would change.
        #[arg(long)]
        dry_run: bool,
        /// Let people who ring this number of the account reach the greeting; may be given several times.
        #[arg(long, value_name = "NUMBER", value_parser = number)]
        bind_number: Vec<PhoneNumber>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Is everything in place for a call? Changes nothing; exit code 1 if something failed.
    Doctor {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Print one scenario as a self-contained file, to paste into the control panel.
    Bundle {
        /// A scenario's file, name or mode.
        name: String,
    },
}

impl Verb {
    /// Damage of `.env` is what it looks for.
    pub fn bears_a_broken_env(&self) -> bool {
        matches!(self, Verb::Doctor { .. })
    }
}

pub async fn run(verb: Verb) -> Result<(), Failure> {
    match verb {
        Verb::Doctor { json } => doctor(json).await,
        Verb::Bundle { name } => {
            print!("{}", app::bundle(&settings()?, &name)?);
            Ok(())
        }
        Verb::Deploy { dry_run, bind_number, json: as_json } => {
            let config = settings()?;
            if let Some(there) = There::of(&config)? {
                let numbers: Vec<&str> = bind_number.iter().map(PhoneNumber::as_str).collect();
                // By the server's own settings: the token that sessions show is that of its database.
                let order = json!({ "dry_run": dry_run, "bind_numbers": numbers });
                let done: Value = there.wait("/api/v1/setup/deploy", &order).await?;
                match as_json {
                    true => println!("{done:#}"),
                    false => done["told"]
                        .as_array()
                        .into_iter()
                        .flatten()
                        .filter_map(Value::as_str)
                        .for_each(|line| println!("{line}")),
                }
                return Ok(());
            }
            let done = app::deploy(&config, bind_number, dry_run).await?;
            if as_json {
                println!("{:#}", done.json())
            } else {
                print!("{done}")
            }
            Ok(())
        }
    }
}

/// What stands in the way of the server's calls; where nobody can be asked, nothing is found.
async fn doctor_there(there: &There, json: bool) -> Result<(), Failure> {
    let found: Value = there.get("/api/v1/setup").await?;
    if json {
        println!("{found:#}");
    } else {
        let text = |finding: &Value, key: &str| finding[key].as_str().unwrap_or_default().to_owned();
        for finding in found["findings"].as_array().into_iter().flatten() {
            let [level, check, told] = ["level", "check", "told"].map(|key| text(finding, key));
            println!("{level:<8} {check:<12} {told}");
        }
    }
    if found["ok"] == true { Ok(()) } else { Err(Failure::refused("")) }
}

async fn doctor(json: bool) -> Result<(), Failure> {
    if let Ok(config) = Config::from_env()
        && let Some(there) = There::of(&config)?
    {
        return doctor_there(&there, json).await;
    }
    let mut found = Findings::default();
    match env_file() {
        Some((path, Ok(text))) => {
            let damages = damages(&text, NAMES);
            if damages.is_empty() {
                found.0.push(Finding::ok("env", format!("{} has no damage", path.display())));
            }
            found.0.extend(damages);
        }
        Some((path, Err(cause))) => found.0.push(Finding::failed("env", format!("{}: {cause}", path.display()))),
        None => found.0.push(Finding::ok("env", "there is no .env; the environment alone is read")),
    }
    found.0.push(app::prices_found());
    match Config::from_env() {
        Err(faults) => {
            let faults = faults.0.into_iter();
            found.0.extend(faults.map(|fault| Finding::failed("settings", format!("{fault} (see .env.example)"))));
        }
        Ok(config) => {
            match app::patient(&config).await? {
                Some(patient) => found.0.extend(patient.examine().await.0),
                None => found.0.push(Finding::ok(
                    "platform",
                    "the simulator inside, nobody is rung; with USE_VOXIMPLANT=true the account is examined",
                )),
            }
            found.0.extend(policies(&app::policies_in_use(&config).await?));
        }
    }
    if json {
        println!("{:#}", found.json())
    } else {
        print!("{found}")
    }
    // What failed stands above.
    if found.has_failed() { Err(Failure::refused("")) } else { Ok(()) }
}

/// The `.env` that is read: here, or in the nearest folder above.
fn env_file() -> Option<(PathBuf, std::io::Result<String>)> {
    let here = std::env::current_dir().ok()?;
    let path = here.ancestors().map(|folder| folder.join(".env")).find(|path| path.is_file())?;
    let text = std::fs::read_to_string(&path);
    Some((path, text))
}

fn number(text: &str) -> Result<PhoneNumber, String> {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    format!("+{digits}").parse().map_err(|_| "a number in international form such as +74951234567".to_owned())
}
