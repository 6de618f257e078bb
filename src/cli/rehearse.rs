//! `halo campaign rehearse`

use super::{Failure, settings};
use clap::Args;
use halo::domain::Timestamp;
use halo::rehearse;

#[derive(Args)]
pub struct Rehearse {
    /// Id or unique name of a campaign, or a folder with campaign.toml and contacts.csv.
    #[arg(value_name = "CAMPAIGN|DIR")]
    what: String,
    /// Decides how callees answer and, of a long list, who is called.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many contacts are called at most.
    #[arg(long, default_value_t = 500, value_parser = some)]
    contacts: usize,
    /// How many times faster than life.
    #[arg(long, default_value_t = 60.0, value_parser = super::service::positive)]
    speed: f64,
    /// When it takes place, such as 2026-11-23T06:00:00Z; now when absent.
    #[arg(long, value_parser = super::service::instant)]
    at: Option<Timestamp>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Rehearse {
    /// Of files, not of rows.
    pub fn is_folder(&self) -> bool {
        rehearse::is_folder(&self.what)
    }
}

fn some(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|n| *n > 0).ok_or_else(|| "write a number from 1 on".to_owned())
}

pub async fn run(args: Rehearse) -> Result<(), Failure> {
    let order = rehearse::Order {
        what: args.what,
        seed: args.seed,
        speed: args.speed,
        contacts_max: args.contacts,
        at: args.at,
    };
    let done = rehearse::run(&settings()?, &order).await.map_err(|cause| Failure::refused(format!("{cause:#}")))?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&done).map_err(Failure::refused)?);
    } else {
        print!("{done}");
    }
    match done.state {
        "completed" => Ok(()),
        state => Err(Failure::refused(format!("the rehearsal ended {state}: {}", done.reason.unwrap_or_default()))),
    }
}
