//! `halo drill`

use super::{Failure, settings};
use clap::Args;
use halo::drill;

#[derive(Args)]
pub struct Drill {
    /// How often the runner is killed.
    #[arg(long, default_value_t = 20)]
    kills: usize,
    /// Decides the moments of the kills, and who answers how.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many times faster than life.
    #[arg(long, default_value_t = 60.0, value_parser = super::service::positive)]
    speed: f64,
    /// So many made-up contacts instead of the demo's list, to see how soon a large run goes on.
    #[arg(long, conflicts_with = "campaign", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    contacts: Option<u32>,
    /// Id or unique name of a campaign in a copy of your database; without it, the demo's in a fresh one.
    campaign: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub async fn run(args: Drill) -> Result<(), Failure> {
    let order = drill::Order {
        kills: args.kills,
        seed: args.seed,
        speed: args.speed,
        campaign: args.campaign,
        contacts: args.contacts.map(|contacts| contacts as usize),
    };
    let drilled = drill::run(&settings()?, order).await?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&drilled).map_err(Failure::refused)?);
    } else {
        print!("{drilled}");
    }
    if drilled.holds() { Ok(()) } else { Err(Failure::refused("a law is broken; see above")) }
}
