//! `halo backup`, `halo restore`

use super::{Failure, open, settings, who};
use clap::Args;
use halo::app::{back_up, peek_clock, restore};
use halo::store::{Actor, By};
use serde_json::json;
use std::path::PathBuf;

#[derive(Args)]
pub struct Backup {
    /// A file that does not exist yet.
    file: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub struct Restore {
    /// What `halo backup` wrote.
    #[arg(required_unless_present = "confirm", conflicts_with = "confirm")]
    file: Option<PathBuf>,
    /// What was missing since the backup is there again: calls may be made.
    #[arg(long)]
    confirm: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

fn refused(cause: anyhow::Error) -> Failure {
    Failure::refused(format!("{cause:#}"))
}

pub async fn backup(args: Backup) -> Result<(), Failure> {
    let done = back_up(&settings()?, &args.file).await.map_err(refused)?;
    if args.json {
        println!("{}", json!({ "file": args.file, "bytes": done.bytes, "taken_at": done.taken_at.to_string() }));
    } else {
        println!("{}: {} bytes, as of {}", args.file.display(), done.bytes, done.taken_at);
    }
    Ok(())
}

pub async fn run(args: Restore) -> Result<(), Failure> {
    let config = settings()?;
    let Some(file) = args.file else {
        let store = open(&config).await?;
        let now = peek_clock(&store).await?.now();
        let line = who::line(&store, "installation.confirm_restore", now);
        let reason = Some("the restore is confirmed".into());
        let by = By { reason, audit: Some(Box::new(line)), ..By::of(Actor::Cli) };
        let confirmed = store.confirm_restore(by, now).await?;
        let confirmed =
            confirmed.ok_or_else(|| Failure::refused("no restore waits to be confirmed in this database"))?;
        if args.json {
            println!("{}", json!({ "confirmed": true, "since": confirmed.since.to_string() }));
        } else {
            println!("Confirmed. Runs stay paused until each is resumed: halo campaign resume CAMPAIGN.");
        }
        return Ok(());
    };
    let done = restore(&config, &file).await.map_err(refused)?;
    if args.json {
        println!(
            "{}",
            json!({
                "since": done.restored.since.to_string(), "restored_at": done.restored.restored_at.to_string(),
                "runs_paused": done.runs_paused, "before": done.before,
            })
        );
        return Ok(());
    }
    println!("Restored as of {}. {} runs and all calls are paused.", done.restored.since, done.runs_paused);
    if let Some(before) = &done.before {
        println!("The database of before stands in {}.", before.display());
    }
    println!(
        "Opt-outs and erasures since then are missing: bring them back (halo's log, your own records), then say\n\n    \
         halo restore --confirm"
    );
    Ok(())
}
