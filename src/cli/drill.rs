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
    /// Id or unique name of a campaign in a copy of your database; without it, the demo's in a fresh one.
    campaign: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub async fn run(args: Drill) -> Result<(), Failure> {
    let order = drill::Order { kills: args.kills, seed: args.seed, speed: args.speed, campaign: args.campaign };
    let drilled = drill::run(&settings()?, order).await?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&drilled).map_err(Failure::refused)?);
    } else {
        print!("{drilled}");
    }
    if drilled.holds() { Ok(()) } else { Err(Failure::refused("a law is broken; see above")) }
}
