//! `halo campaign rehearse`

use super::there::{self, There, of_campaign};
use super::{Failure, settings};
use clap::Args;
use halo::app::private_folder;
use halo::domain::Timestamp;
use halo::rehearse;
use serde_json::Value;
use std::path::Path;

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

fn some(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|n| *n > 0).ok_or_else(|| "write a number from 1 on".to_owned())
}

/// A campaign of a server elsewhere, brought into a folder: settings, script, and whom a run there would call.
async fn bring(there: &There, campaign: &str, folder: &Path) -> Result<(), Failure> {
    let told: Value = there.get(&of_campaign(campaign, "/settings")).await?;
    let put = |name: &str, text: &[u8]| {
        let path = folder.join(name);
        std::fs::write(&path, text).map_err(|cause| Failure::refused(format!("{}: {cause}", path.display())))
    };
    put("campaign.toml", told["settings"].to_string().as_bytes())?;
    put("script.toml", told["script"].as_str().unwrap_or_default().as_bytes())?;
    let mut file = there.file(&of_campaign(campaign, "/contacts.csv"), &[]).await?;
    let mut list = Vec::new();
    while let Some(piece) = there::piece(&mut file).await? {
        list.extend(piece);
    }
    put("contacts.csv", &callable(&list).map_err(|cause| Failure::refused(format!("contacts.csv: {cause}")))?)
}

/// Rows of an export whose numbers nobody suppressed.
fn callable(list: &[u8]) -> Result<Vec<u8>, csv::Error> {
    let mut reader = csv::Reader::from_reader(list);
    let mut writer = csv::Writer::from_writer(Vec::new());
    let suppressed = reader.headers()?.iter().position(|header| header == "halo_suppressed");
    writer.write_record(reader.headers()?)?;
    for row in reader.records() {
        let row = row?;
        if suppressed.and_then(|at| row.get(at)) != Some("true") {
            writer.write_record(&row)?;
        }
    }
    writer.into_inner().map_err(|cause| cause.into_error().into())
}

pub async fn run(args: Rehearse) -> Result<(), Failure> {
    let there = There::of(&settings()?)?.filter(|_| !rehearse::is_folder(&args.what));
    let Some(there) = there else { return play(args).await };
    let folder = private_folder("halo-brought")?;
    let brought = bring(&there, &args.what, &folder).await;
    let played = match brought {
        Ok(()) => play(Rehearse { what: folder.display().to_string(), ..args }).await,
        failed => failed,
    };
    let removed = std::fs::remove_dir_all(&folder);
    played.and(removed.map_err(|cause| Failure::refused(format!("{}: {cause}", folder.display()))))
}

async fn play(args: Rehearse) -> Result<(), Failure> {
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
