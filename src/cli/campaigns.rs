//! `halo campaign …`

use super::lists::{self, Check, Shape};
use super::there::{self, There, of_campaign};
use super::watch::Place;
use super::{Failure, figures, life, open, settings, watch, who};
use clap::Subcommand;
use halo::app::{known_modes, peek_clock, read_rules, real_phones_ring};
use halo::config::Config;
use halo::dialer::hindrance;
use halo::domain::settings::Take;
use halo::domain::{RunId, Timestamp};
use halo::http::import::{Here, ImportError, Upload, import_from};
use halo::report::Lang;
use halo::store::{Shown, Store};
use reqwest::Method;
use reqwest::multipart::Form;
use serde::Serialize;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::Duration;

const LISTED_MAX: i64 = 1000;
const LOOK_EVERY: Duration = Duration::from_millis(500);

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
    Set(super::set::Set),
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
        Verb::Set(args) => super::set::run(args).await,
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
    let done = match There::of(&config)? {
        Some(there) => {
            let form = Form::new().text("settings", settings);
            let form = match script {
                Some(script) => form.text("script", script),
                None => form,
            };
            there.send("/api/v1/campaigns", shape, form.part("contacts", there::list(&list, shape)?)).await?
        }
        None => import_here(&config, &settings, script.as_deref(), &list, shape).await?,
    };
    if as_json {
        println!("{done}");
    } else {
        say_imported(&done);
    }
    Ok(())
}

fn say_imported(done: &Value) {
    let text = |key: &str| done[key].as_str().unwrap_or_default();
    let number = |value: &Value| value.as_u64().unwrap_or_default();
    let [accepted, duplicate, refused] =
        ["accepted", "duplicate", "refused"].map(|bucket| number(&done["buckets"][bucket]));
    println!(
        "Campaign {} ({}): {} rows = {accepted} accepted + {duplicate} duplicate + {refused} refused",
        text("name"),
        text("id"),
        number(&done["rows"])
    );
    if done["again"] == true {
        println!("It was there already, with this very list: nothing was stored");
    }
    let p = &done["policy"];
    println!(
        "Policy {}: rules {}, unverified {} (nobody read the clause itself)",
        p["name"].as_str().unwrap_or_default(),
        number(&p["rules"]),
        number(&p["unverified"])
    );
    for what in p["not_held"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        println!("  not seen to: {what}");
    }
    let notes = number(&done["notes"]);
    if notes > 0 {
        println!("{notes} cells were left out, or need a look: halo export {} notes", text("name"));
    }
    if duplicate + refused > 0 {
        println!("Why, line by line: halo export {} rejects", text("name"));
    }
}

/// What the API answers.
async fn import_here(
    config: &Config,
    settings: &str,
    script: Option<&str>,
    list: &Path,
    shape: &Shape,
) -> Result<Value, Failure> {
    let (source, given) = lists::open(list, shape)?;
    let store = halo::app::open_store(config).await?;
    let clock = peek_clock(&store).await?;
    let (modes, real) = (known_modes(config)?, real_phones_ring(config, &store).await?);
    life::knows_its_platform(config, real)?;
    let here = Here {
        store: &store,
        modes: &modes,
        real_platform: real,
        default_caller_id: config.caller_id.clone(),
        now: clock.now(),
    };
    let upload = Upload { source: &source, settings, script, contacts: &[], salt: None };
    let progress = lists::Shown::of(&given);
    let done = import_from(&here, upload, given).await.map_err(refused)?;
    progress.end();
    if !done.again {
        let detail = json!({ "rows": done.rows, "buckets": done.buckets });
        who::note(&store, ("campaign.import", clock.now()), ("campaign", done.campaign), detail).await?;
    }
    Ok(done.told())
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
    let config = settings()?;
    let rows: Vec<Listed> = match There::of(&config)? {
        Some(there) => {
            let told: Vec<Value> = there.get("/api/v1/campaigns").await?;
            told.iter().map(Listed::of).collect()
        }
        None => list_here(&config).await?,
    };
    if as_json {
        println!("{}", json!(rows));
    } else if rows.is_empty() {
        println!("No campaigns yet: halo campaign import DIR");
    } else {
        for Listed { name, id, contacts, runs, last_run } in rows {
            println!("{name:24} {id}  {contacts:>8} contacts  {runs:>3} runs  last: {last_run}");
        }
    }
    Ok(())
}

/// A line of the list.
#[derive(Serialize)]
struct Listed {
    name: String,
    id: String,
    contacts: i64,
    runs: usize,
    last_run: String,
}

const NO_RUN: &str = "no run yet";

impl Listed {
    fn of(told: &Value) -> Self {
        let text = |key: &str| told[key].as_str().map(str::to_owned);
        let imports = told["imports"].as_array().into_iter().flatten();
        Listed {
            name: text("name").unwrap_or_default(),
            id: text("id").unwrap_or_default(),
            contacts: imports.filter_map(|import| import["accepted"].as_i64()).sum(),
            runs: told["runs"].as_array().map_or(0, Vec::len),
            last_run: text("last_run_state").unwrap_or_else(|| NO_RUN.to_owned()),
        }
    }
}

async fn list_here(config: &Config) -> Result<Vec<Listed>, Failure> {
    let store = open(config).await?;
    let mut rows = Vec::new();
    for campaign in store.campaigns(LISTED_MAX).await? {
        let imports = store.imports(campaign.campaign).await?;
        let runs = store.runs(campaign.campaign).await?;
        rows.push(Listed {
            name: campaign.name,
            id: campaign.campaign.to_string(),
            contacts: imports.iter().map(|import| import.accepted).sum(),
            runs: runs.len(),
            last_run: runs.last().map_or(NO_RUN, |run| run.shown.as_str()).to_owned(),
        });
    }
    Ok(rows)
}

async fn show(campaign: &str, as_json: bool) -> Result<(), Failure> {
    let place = Place::find().await?;
    let (told, skipped) = match &place {
        Place::There(there) => {
            let told: Value = there.get(&of_campaign(campaign, "")).await?;
            let schedules: Vec<Value> = there.get("/api/v1/schedules").await?;
            let of = schedules.iter().filter(|schedule| schedule["campaign"] == told["id"]);
            let skipped = of.flat_map(|schedule| schedule["skipped"].as_array().cloned().unwrap_or_default()).collect();
            (told, skipped)
        }
        Place::Here(store, _) => shown_here(store, campaign).await?,
    };
    let runs = place.runs(campaign).await?;
    if as_json {
        let [id, name, version, imports] = ["id", "name", "settings_version", "imports"].map(|key| &told[key]);
        println!(
            "{}",
            json!({ "id": id, "name": name, "settings_version": version, "imports": imports, "runs": runs })
        );
        return Ok(());
    }
    println!("{} ({})", told["name"].as_str().unwrap_or_default(), told["id"].as_str().unwrap_or_default());
    for list in told["imports"].as_array().into_iter().flatten() {
        let [ordinal, rows, accepted, duplicates, refused] =
            ["ordinal", "rows_total", "accepted", "duplicates", "refused"].map(|key| &list[key]);
        println!("  list {ordinal}: {rows} rows = {accepted} accepted + {duplicates} duplicate + {refused} refused");
    }
    for firing in &skipped {
        let due_at: Timestamp = there::read(firing["due_at"].clone())?;
        println!("  no run for {due_at}: {}", firing["reason"].as_str().unwrap_or_default());
    }
    for run in runs {
        let p = run.progress;
        println!(
            "  run {} {}: {}, {}/{} contacts at rest, {} live, {} retries waiting",
            run.ordinal,
            run.id,
            run.state(),
            p.rested,
            p.contacts,
            p.live,
            p.retries_waiting
        );
        for change in run.history {
            println!("    {}", life::line(&change));
        }
    }
    Ok(())
}

/// The campaign as the API tells it, and the moments that made no run.
async fn shown_here(store: &Store, campaign: &str) -> Result<(Value, Vec<Value>), Failure> {
    let campaign = store.find_campaign(campaign).await?;
    let told = json!({
        "id": campaign.campaign, "name": campaign.name,
        "settings_version": store.settings_version(campaign.campaign).await?,
        "imports": store.imports(campaign.campaign).await?,
    });
    let mut skipped = store.skipped(LISTED_MAX).await?;
    skipped.retain(|firing| firing.campaign == campaign.campaign);
    Ok((told, skipped.iter().map(|firing| json!(firing)).collect()))
}

async fn start(args: life::Start) -> Result<(), Failure> {
    let place = Place::find().await?;
    let (run, contacts) = match &place {
        Place::There(there) => {
            let path = of_campaign(&args.campaign, "/runs");
            // Words that are wrong are told before anybody is asked.
            args.only()?;
            let told = there.tell(Method::POST, &path, args.body()).await?;
            (there::read(told["id"].clone())?, told["contacts"].as_u64().unwrap_or_default())
        }
        Place::Here(store, clock) => start_here(store, clock.now(), &args).await?,
    };
    println!("Run {run} with {contacts} contacts");
    if args.wait { wait_for(&place, run, &args.campaign).await } else { Ok(()) }
}

async fn start_here(store: &Store, now: Timestamp, args: &life::Start) -> Result<(RunId, u64), Failure> {
    let config = settings()?;
    let campaign = store.find_campaign(&args.campaign).await?;
    let account = store.installation_value("account").await?.and_then(|id| id.parse().ok());
    let Some(account) = account else {
        return Err(Failure::refused("no process has served this database yet: start `halo serve` first"));
    };
    let (rules, _) = read_rules(known_modes(&config)?)(&campaign.settings).map_err(Failure::refused)?;
    let real = real_phones_ring(&config, store).await?;
    if let Some(why) = hindrance(store, campaign.campaign, &rules, real).await? {
        return Err(Failure::refused(why));
    }
    let campaign = campaign.campaign;
    let line = who::line(store, "run.start", now).about("campaign", campaign);
    let (beginning, only) = (args.beginning(line, now), args.only()?);
    Ok(match only {
        None => store.begin_run(campaign, account, Take::All, beginning, now).await?,
        Some(only) => store.begin_rerun(campaign, account, only, beginning, now).await?,
    })
}

/// Until the run is over; then what it came to, and what the report says of the modes.
async fn wait_for(place: &Place, run: RunId, campaign: &str) -> Result<(), Failure> {
    loop {
        let now = place.look(run).await?;
        if now.is_over() {
            println!("Run {run}: {}", now.state.as_str());
            return match now.state {
                Shown::Completed => verdicts(place, campaign).await,
                _ => Err(Failure::refused(now.state_reason.unwrap_or_default())),
            };
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

async fn verdicts(place: &Place, campaign: &str) -> Result<(), Failure> {
    let report = figures::found(place, campaign).await?;
    for verdict in &report.verdicts {
        println!("{} {}", verdict.state.icon(), verdict.sentence.get(Lang::En));
    }
    Ok(())
}
