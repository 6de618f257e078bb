//! `halo campaign plan`: what can be decided with this list, and after how many calls and nights.

use super::there::{There, of_campaign};
use super::{Failure, Lang, open, settings};
use clap::Args;
use halo::app::{known_modes, models, peek_clock, prices, read_rules};
use halo::config::Config;
use halo::report::{gather, plan};

#[derive(Args)]
pub struct Plan {
    /// Id or unique name.
    campaign: String,
    /// Share of a night's contacts with whom a person talks, in per cent; earlier runs tell it when absent.
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    reach: Option<f64>,
    /// Share of them that reaches the goal, in per cent.
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    success: Option<f64>,
    #[arg(long)]
    json: bool,
    #[arg(long, value_enum, default_value_t = Lang::En)]
    lang: Lang,
}

fn percent(text: &str) -> Result<f64, String> {
    let number: Option<f64> = text.trim_end_matches('%').trim().parse().ok();
    number.filter(|n| (0.1..=99.9).contains(n)).map(|n| n / 100.0).ok_or_else(|| "write 0.1 to 99.9".to_owned())
}

pub async fn run(args: Plan) -> Result<(), Failure> {
    let config = settings()?;
    let plan = match There::of(&config)? {
        Some(there) => {
            let guess = [("reach", args.reach), ("success", args.success)];
            let words: Vec<_> =
                guess.into_iter().filter_map(|(name, share)| Some((name, share?.to_string()))).collect();
            there.find(&of_campaign(&args.campaign, "/plan"), &words).await?
        }
        None => here(&config, &args).await?,
    };
    if args.json {
        println!("{}", serde_json::to_string_pretty(&plan).map_err(Failure::refused)?);
    } else {
        print!("{}", plan.text(args.lang.into()));
    }
    Ok(())
}

async fn here(config: &Config, args: &Plan) -> Result<plan::Plan, Failure> {
    let store = open(config).await?;
    let now = peek_clock(&store).await?.now();
    let campaign = store.find_campaign(&args.campaign).await?;
    let (rules, _) = read_rules(known_modes(config)?)(&campaign.settings).map_err(Failure::refused)?;
    let figures = gather::figures(&store, &campaign, &rules, now).await.map_err(Failure::refused)?;
    let (prices, models) = (prices().map_err(Failure::refused)?, models(config));
    let guess = gather::Guess { reach: args.reach, success: args.success, priced: Some((&prices, &models)) };
    let known = gather::known(&store, &campaign, &rules, &figures, guess).await?;
    Ok(plan::plan(&figures.design, &known))
}
