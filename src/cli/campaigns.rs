//! `halo campaign …`

use super::lists::{self, Check, Shape};
use super::{Failure, life, open, settings, watch, who};
use clap::Subcommand;
use halo::app::{known_modes, peek_clock, read_rules, real_phones_ring};
use halo::dialer::hindrance;
use halo::domain::RunId;
use halo::domain::settings::Take;
use halo::http::import::{Here, ImportError, Upload, import_from};
use halo::store::{RunState, Store};
use serde_json::json;
use std::path::PathBuf;
use std::time::Duration;

const LISTED_MAX: i64 = 1000;

#[derive(Subcommand)]
pub enum Verb {
    /// Look at a list, and store nothing: what becomes of its rows, and what the file turned out to be.
    Check(Check),
    /// A list to begin with.
    Template {
        /// ru (for a Russian Excel) or en.
        #[arg(long, default_value = "en", value_parser = ["ru", "en"])]
        language: String,
    },
    /// Import a folder: campaign.toml, script.toml, and contacts.csv, .xlsx or .csv.gz.
    Import {
        dir: PathBuf,
        /// Another list than the folder's; `-` is standard input.
        #[arg(long, value_name = "FILE")]
        list: Option<PathBuf>,
        #[command(flatten)]
        shape: Shape,
        #[arg(long)]
        json: bool,
    },
    /// All campaigns.
    List {
        #[arg(long)]
        json: bool,
    },
    /// One campaign: its lists and runs.
    Show {
        campaign: String,
        #[arg(long)]
        json: bool,
    },
    /// What its list can decide: which difference, after how many human calls and nights.
    Plan(super::plan::Plan),
    /// Start a run; the serving process dials it.
    Start(life::Start),
    /// No further dials; calls under way go on.
    Pause(life::Pause),
    /// Dial again.
    Resume(life::Resume),
    /// Call nobody new; whoever was called gets the remaining tries.
    Drain(life::Drain),
    /// Play the whole campaign against the simulator, in scaled time: nobody is rung, nothing is kept.
    Rehearse(super::rehearse::Rehearse),
    /// End the open runs; calls under way go on to their end.
    Stop(life::Stop),
    /// Change settings while the campaign lives: dial.cps=3 windows.days='["mon-fri 09:00-18:00"]'
    Set(life::Set),
    /// Add a list; it joins the open run, or waits for the next one.
    Append {
        campaign: String,
        /// CSV or .xlsx, packed by gzip or not; `-` is standard input.
        file: PathBuf,
        #[command(flatten)]
        shape: Shape,
        #[arg(long)]
        json: bool,
    },
    /// A campaign made of another: settings, script, contacts.
    Clone {
        campaign: String,
        /// Of the new campaign.
        name: String,
        /// Everybody keeps the arm of the original.
        #[arg(long)]
        keep_arms: bool,
        #[arg(long)]
        json: bool,
    },
    /// Follow the open run until it ends; exit code 0 when it is completed.
    Watch { campaign: String },
}

impl Verb {
    /// Looks into the database; a rehearsal of a folder has one of its own, and a list that is looked at needs none.
    pub fn needs_rows(&self) -> bool {
        match self {
            Verb::Check(args) => args.needs_rows(),
            Verb::Template { .. } => false,
            Verb::Rehearse(args) => !args.is_folder(),
            _ => true,
        }
    }
}

pub async fn run(verb: Verb) -> Result<(), Failure> {
    match verb {
        Verb::Check(args) => lists::check(args).await,
        Verb::Template { language } => lists::template(&language),
        Verb::Import { dir, list, shape, json } => import_dir(&dir, list, &shape, json).await,
        Verb::List { json } => list(json).await,
        Verb::Show { campaign, json } => show(&campaign, json).await,
        Verb::Plan(args) => super::plan::run(args).await,
        Verb::Start(args) => start(args).await,
        Verb::Pause(args) => life::pause(args).await,
        Verb::Resume(args) => life::resume(args).await,
        Verb::Drain(args) => life::drain(args).await,
        Verb::Stop(args) => life::stop(args).await,
        Verb::Set(args) => life::set(args).await,
        Verb::Append { campaign, file, shape, json } => life::append_list(&campaign, &file, &shape, json).await,
        Verb::Clone { campaign, name, keep_arms, json } => life::copy_campaign(&campaign, name, keep_arms, json).await,
        Verb::Watch { campaign } => watch::watch(&campaign).await,
        Verb::Rehearse(args) => super::rehearse::run(args).await,
    }
}

async fn import_dir(dir: &std::path::Path, list: Option<PathBuf>, shape: &Shape, as_json: bool) -> Result<(), Failure> {
    let config = settings()?;
    let text = |name: &str| {
        std::fs::read_to_string(dir.join(name))
            .map_err(|e| Failure::refused(format!("{}: {e}", dir.join(name).display())))
    };
    let settings = text("campaign.toml")?;
    let script = if dir.join("script.toml").exists() { Some(text("script.toml")?) } else { None };
    let list = list.unwrap_or_else(|| lists::of_folder(dir));
    let (source, given) = lists::open(&list, shape)?;

    let store = halo::app::open_store(&config).await?;
    let clock = peek_clock(&store).await?;
    let (modes, real) = (known_modes(&config)?, real_phones_ring(&config, &store).await?);
    life::knows_its_platform(&config, real)?;
    let here = Here {
        store: &store,
        modes: &modes,
        real_platform: real,
        default_caller_id: config.caller_id.clone(),
        now: clock.now(),
    };
    let upload = Upload { source: &source, settings: &settings, script: script.as_deref(), contacts: &[], salt: None };
    let progress = lists::Shown::of(&given);
    let done = import_from(&here, upload, given).await.map_err(refused)?;
    progress.end();
    if !done.again {
        let detail = json!({ "rows": done.rows, "buckets": done.buckets });
        who::note(&store, ("campaign.import", clock.now()), ("campaign", done.campaign), detail).await?;
    }
    if as_json {
        let told = json!({ "id": done.campaign, "name": done.name, "rows": done.rows, "buckets": done.buckets, "notes": done.notes,
                           "policy": done.policy, "again": done.again });
        println!("{told}");
    } else {
        let b = done.buckets;
        println!(
            "Campaign {} ({}): {} rows = {} accepted + {} duplicate + {} refused",
            done.name, done.campaign, done.rows, b.accepted, b.duplicate, b.refused
        );
        if done.again {
            println!("It was there already, with this very list: nothing was stored");
        }
        let p = done.policy;
        println!("Policy {}: rules {}, unverified {} (nobody read the clause itself)", p.name, p.rules, p.unverified);
        for what in p.not_held {
            println!("  not seen to: {what}");
        }
        if done.notes > 0 {
            println!("{} cells were left out, or need a look: halo export {} notes", done.notes, done.name);
        }
        if b.duplicate + b.refused > 0 {
            println!("Why, line by line: halo export {} rejects", done.name);
        }
    }
    Ok(())
}

pub fn refused(cause: ImportError) -> Failure {
    let mut message = cause.to_string();
    for fault in cause.faults() {
        if !message.contains(&fault) {
            message.push_str("\n  - ");
            message.push_str(&fault);
        }
    }
    message.push_str("\nNothing was stored.");
    Failure::refused(message)
}

async fn list(as_json: bool) -> Result<(), Failure> {
    let store = open(&settings()?).await?;
    let mut rows = Vec::new();
    for campaign in store.campaigns(LISTED_MAX).await? {
        let imports = store.imports(campaign.campaign).await?;
        let runs = store.runs(campaign.campaign).await?;
        let accepted: i64 = imports.iter().map(|import| import.accepted).sum();
        let state = runs.last().map_or("no run yet", |run| run.shown.as_str());
        rows.push((campaign.name, campaign.campaign, accepted, runs.len(), state));
    }
    if as_json {
        let rows: Vec<_> = rows
            .iter()
            .map(|r| json!({ "name": r.0, "id": r.1, "contacts": r.2, "runs": r.3, "last_run": r.4 }))
            .collect();
        println!("{}", json!(rows));
    } else if rows.is_empty() {
        println!("No campaigns yet: halo campaign import DIR");
    } else {
        for (name, id, contacts, runs, state) in rows {
            println!("{name:24} {id}  {contacts:>8} contacts  {runs:>3} runs  last: {state}");
        }
    }
    Ok(())
}

async fn show(campaign: &str, as_json: bool) -> Result<(), Failure> {
    let store = open(&settings()?).await?;
    let campaign = store.find_campaign(campaign).await?;
    let imports = store.imports(campaign.campaign).await?;
    let runs = store.runs(campaign.campaign).await?;
    if as_json {
        let mut told = Vec::new();
        for run in runs {
            let mut value = json!(run);
            value["history"] = json!(store.run_history(run.run).await?);
            told.push(value);
        }
        let settings_version = store.settings_version(campaign.campaign).await?;
        println!(
            "{}",
            json!({ "id": campaign.campaign, "name": campaign.name, "settings_version": settings_version,
                    "imports": imports, "runs": told })
        );
        return Ok(());
    }
    println!("{} ({})", campaign.name, campaign.campaign);
    for i in imports {
        println!(
            "  list {}: {} rows = {} accepted + {} duplicate + {} refused",
            i.ordinal, i.rows_total, i.accepted, i.duplicates, i.refused
        );
    }
    for firing in store.skipped(LISTED_MAX).await? {
        if firing.campaign == campaign.campaign {
            println!("  no run for {}: {}", firing.due_at, firing.reason);
        }
    }
    for run in runs {
        let p = store.progress(run.run).await?;
        let reason = run.state_reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
        let history = store.run_history(run.run).await?;
        println!(
            "  run {} {}: {}{reason}, {}/{} contacts at rest, {} live, {} retries waiting",
            run.ordinal,
            run.run,
            run.shown.as_str(),
            p.rested,
            p.contacts,
            p.live,
            p.retries_waiting
        );
        for change in history {
            println!("    {}", life::line(&change));
        }
    }
    Ok(())
}

async fn start(args: life::Start) -> Result<(), Failure> {
    let config = settings()?;
    let store = open(&config).await?;
    let clock = peek_clock(&store).await?;
    let campaign = store.find_campaign(&args.campaign).await?;
    let account = store.installation_value("account").await?.and_then(|id| id.parse().ok());
    let Some(account) = account else {
        return Err(Failure::refused("no process has served this database yet: start `halo serve` first"));
    };
    let (rules, _) = read_rules(known_modes(&config)?)(&campaign.settings).map_err(Failure::refused)?;
    let real = real_phones_ring(&config, &store).await?;
    if let Some(why) = hindrance(&store, campaign.campaign, &rules, real).await? {
        return Err(Failure::refused(why));
    }
    let now = clock.now();
    let campaign = campaign.campaign;
    let line = who::line(&store, "run.start", now).about("campaign", campaign);
    let (beginning, only) = (args.beginning(line, now), args.only()?);
    let (run, contacts) = match only {
        None => store.begin_run(campaign, account, Take::All, beginning, now).await?,
        Some(only) => store.begin_rerun(campaign, account, only, beginning, now).await?,
    };
    println!("Run {run} with {contacts} contacts");
    if args.wait {
        wait_for(&store, run).await?;
    }
    Ok(())
}

async fn wait_for(store: &Store, run: RunId) -> Result<(), Failure> {
    loop {
        let now = store.run(run).await?;
        if now.state.is_over() {
            println!("Run {run}: {}", now.state.as_str());
            return match now.state {
                RunState::Completed => Ok(()),
                _ => Err(Failure::refused(now.state_reason.unwrap_or_default())),
            };
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}
