//! What an operator does to runs and campaigns that are there: begin, pause, drain, stop, set, append, clone.

use super::lists::{self, Shape};
use super::service::instant;
use super::there::{self, There, of_campaign};
use super::watch::Look;
use super::{Failure, campaigns, open, settings, who};
use clap::Args;
use halo::app::{known_modes, peek_clock, real_phones_ring};
use halo::clock::Clock;
use halo::config::Config;
use halo::dialer::hang_up_all;
use halo::domain::{Mode, RunId, Timestamp};
use halo::http::append::append_from;
use halo::http::copy::{Copy, copy};
use halo::http::import::Here;
use halo::http::rerun::only;
use halo::store::{Actor, AuditOrder, Beginning, By, Of, Only, Run, RunState, Shown, Store, Transition};
use halo::voximplant::Live;
use reqwest::multipart::Form;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;

/// Who changes something, and why: kept in the run's history.
#[derive(Args)]
pub struct Words {
    /// Why, for whoever asks later.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Who asks.
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
}

impl Words {
    /// `line` says in the audit what is done, in the transaction that does it.
    pub fn by(&self, otherwise: Option<&str>, line: AuditOrder) -> By {
        let reason = self.reason.clone().or(otherwise.map(str::to_owned));
        let line = line.saying(json!({ "by": self.by, "reason": reason }));
        By { actor: Actor::Cli, name: self.by.clone(), reason, audit: Some(Box::new(line)) }
    }

    /// A body that says the same, too.
    pub fn with(&self, mut body: Value) -> Value {
        for (key, word) in [("by", &self.by), ("reason", &self.reason)] {
            if let Some(word) = word {
                body[key] = json!(word);
            }
        }
        body
    }
}

#[derive(Args)]
pub struct Start {
    /// Id or unique name.
    pub campaign: String,
    /// Return when the run is over.
    #[arg(long)]
    pub wait: bool,
    /// Pause by itself after so many contacts were dialled.
    #[arg(long, value_name = "CONTACTS", value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    hold_after: Option<u32>,
    /// Dial nobody before, such as 2026-11-21T23:30:00Z.
    #[arg(long, value_name = "TIME", value_parser = instant)]
    at: Option<Timestamp>,
    /// Only contacts that came to rest with one of these outcomes, such as network_error,busy.
    #[arg(long, value_name = "OUTCOME,…", value_delimiter = ',')]
    only: Vec<String>,
    /// In which run: last, or a run's id.
    #[arg(long, value_name = "RUN", default_value = "last", requires = "only", value_parser = of)]
    of: Of,
    #[command(flatten)]
    words: Words,
}

fn of(text: &str) -> Result<Of, String> {
    text.parse()
}

impl Start {
    /// Everybody, unless outcomes are named.
    pub fn only(&self) -> Result<Option<Only>, Failure> {
        if self.only.is_empty() {
            return Ok(None);
        }
        only(&self.only, self.of).map(Some).map_err(|why| Failure::usage(format!("--only: {why}")))
    }

    /// As a body says the same.
    pub fn body(&self) -> Value {
        let only = (!self.only.is_empty()).then(|| json!({ "outcomes": self.only, "run": self.of.to_string() }));
        let starts_at = self.at.map(|at| at.to_string());
        self.words.with(json!({ "starts_at": starts_at, "hold_after": self.hold_after, "only": only }))
    }

    pub fn beginning(&self, line: AuditOrder, now: Timestamp) -> Beginning {
        let starts_at = self.at.filter(|at| *at > now);
        Beginning { by: self.words.by(None, line), starts_at, hold_after: self.hold_after }
    }
}

#[derive(Args)]
pub struct Pause {
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    campaign: Option<String>,
    /// Every run of the installation.
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    words: Words,
}

#[derive(Args)]
pub struct Resume {
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    campaign: Option<String>,
    /// End the pause of the whole installation; runs that are paused by themselves stay so.
    #[arg(long)]
    all: bool,
    /// Pause by itself again after so many more contacts.
    #[arg(long, value_name = "CONTACTS", conflicts_with = "all", value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    hold_after: Option<u32>,
    #[command(flatten)]
    words: Words,
}

#[derive(Args)]
pub struct Drain {
    campaign: String,
    #[command(flatten)]
    words: Words,
}

#[derive(Args)]
pub struct Stop {
    campaign: String,
    /// Tell the sessions of live calls to hang up.
    #[arg(long)]
    hang_up: bool,
    #[command(flatten)]
    words: Words,
}

/// One change of a run, as a line.
pub fn line(change: &Transition) -> String {
    let by = change.by.as_ref().map(|by| format!(", {by}")).unwrap_or_default();
    let reason = change.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    format!("{} {} ({}{by}){reason}", change.at, change.state, change.actor.as_str())
}

/// The database beside the process that dials, which reads what is written at its next tick.
pub struct Rows {
    config: Config,
    pub store: Store,
    clock: Clock,
    modes: BTreeSet<Mode>,
    real: bool,
}

impl Rows {
    pub async fn open() -> Result<Rows, Failure> {
        let config = settings()?;
        let store = open(&config).await?;
        let clock = peek_clock(&store).await?;
        let (modes, real) = (known_modes(&config)?, real_phones_ring(&config, &store).await?);
        Ok(Rows { config, store, clock, modes, real })
    }

    pub fn here(&self) -> Result<Here<'_>, Failure> {
        knows_its_platform(&self.config, self.real)?;
        Ok(Here {
            store: &self.store,
            modes: &self.modes,
            real_platform: self.real,
            default_caller_id: self.config.caller_id.clone(),
            now: self.clock.now(),
        })
    }

    pub fn line(&self, action: &'static str) -> AuditOrder {
        who::line(&self.store, action, self.clock.now())
    }

    async fn account(&self) -> Result<Option<i64>, Failure> {
        Ok(self.store.installation_value("account").await?.and_then(|id| id.parse().ok()))
    }

    async fn open_runs(&self, campaign: &str) -> Result<Vec<Run>, Failure> {
        let campaign = self.store.find_campaign(campaign).await?;
        let runs = self.store.runs(campaign.campaign).await?;
        Ok(runs.into_iter().filter(|run| !run.state.is_over()).collect())
    }

    async fn told(&self, run: RunId) -> Result<(), Failure> {
        stands(run, self.store.run(run).await?.shown, self.store.progress(run).await?.live);
        Ok(())
    }

    async fn pause_all(&self, pause: bool, by: By) -> Result<(), Failure> {
        let account = self.account().await?;
        let account = account.ok_or_else(|| Failure::refused("no process has served this database yet"))?;
        self.store.pause_all(account, pause, by, self.clock.now()).await?;
        let busy = self.store.busy(account).await?;
        all_stand(pause, busy.runs, busy.live);
        Ok(())
    }
}

fn stands(run: RunId, shown: Shown, live: i64) {
    println!("Run {run}: {}; {live} calls are live", shown.as_str());
}

fn all_stand(paused: bool, runs: i64, live: i64) {
    let word = if paused { "Nobody is dialled any more" } else { "Dialling goes on" };
    println!("{word}: {runs} runs are open, {live} calls are live");
}

async fn all_there(there: &There, pause: bool, words: &Words) -> Result<(), Failure> {
    let word = if pause { "pause" } else { "resume" };
    let told = there.tell(Method::POST, &format!("/api/v1/{word}"), words.with(json!({}))).await?;
    let number = |key: &str| told[key].as_i64().unwrap_or_default();
    all_stand(pause, number("runs"), number("live"));
    Ok(())
}

/// Every open run of the campaign, told so; what each came to.
async fn runs_there(there: &There, runs: &[Look], word: &str, body: &Value) -> Result<Vec<Value>, Failure> {
    let mut done = Vec::new();
    for run in runs {
        let (status, said) = there.ask(Method::POST, &format!("/api/v1/runs/{}/{word}", run.id), Some(body)).await?;
        match said {
            Ok(told) => {
                let now: Look = there::read(told.clone())?;
                stands(now.id, now.state, now.progress.live);
                done.push(told);
            }
            // It ended meanwhile, or belongs to another platform: the others are told all the same.
            Err(why) if status == StatusCode::CONFLICT => println!("{why}"),
            Err(why) => return Err(Failure::refused(why)),
        }
    }
    Ok(done)
}

async fn open_there(there: &There, campaign: &str) -> Result<Vec<Look>, Failure> {
    let runs: Vec<Look> = there.get(&of_campaign(campaign, "/runs")).await?;
    Ok(runs.into_iter().filter(|run| !run.is_over()).collect())
}

/// The campaign's open runs, or all of the installation where none is named.
async fn moved_there(
    there: &There,
    campaign: Option<&str>,
    word: &str,
    words: &Words,
    more: Value,
) -> Result<(), Failure> {
    let Some(campaign) = campaign else { return all_there(there, word == "pause", words).await };
    let runs = open_there(there, campaign).await?;
    changed(runs_there(there, &runs, word, &words.with(more)).await?.len())
}

/// The server at HALO_URL, if one is named.
pub fn elsewhere() -> Result<Option<There>, Failure> {
    There::of(&settings()?)
}

/// Settings that are written get the caller id of this terminal where they name none: the simulator's made-up one
/// must not come into a campaign that calls people.
pub fn knows_its_platform(config: &Config, real: bool) -> Result<(), Failure> {
    if real && !config.is_real() {
        return Err(Failure::usage(
            "this database is served at a real platform, and the settings here name the simulator: give this command \
             the environment (.env) of `halo serve`",
        ));
    }
    Ok(())
}

fn changed(runs: usize) -> Result<(), Failure> {
    if runs == 0 { Err(Failure::refused("the campaign has no open run")) } else { Ok(()) }
}

pub async fn pause(args: Pause) -> Result<(), Failure> {
    if let Some(there) = elsewhere()? {
        return moved_there(&there, args.campaign.as_deref(), "pause", &args.words, json!({})).await;
    }
    let rows = Rows::open().await?;
    let by = |line| args.words.by(Some("paused by an operator"), line);
    let Some(campaign) = args.campaign else { return rows.pause_all(true, by(rows.line("account.pause"))).await };
    let mut done = 0;
    for run in rows.open_runs(&campaign).await? {
        let by = by(rows.line("run.pause").about("run", run.run));
        if rows.store.change_run(run.run, RunState::Paused, by, None, rows.clock.now()).await? {
            rows.told(run.run).await?;
            done += 1;
        }
    }
    changed(done)
}

pub async fn resume(args: Resume) -> Result<(), Failure> {
    if let Some(there) = elsewhere()? {
        let more = json!({ "hold_after": args.hold_after });
        return moved_there(&there, args.campaign.as_deref(), "resume", &args.words, more).await;
    }
    let rows = Rows::open().await?;
    let by = |line| args.words.by(None, line);
    let Some(campaign) = args.campaign else { return rows.pause_all(false, by(rows.line("account.resume"))).await };
    let (here, mut done) = (rows.account().await?, 0);
    for run in rows.open_runs(&campaign).await? {
        if here != Some(run.account) {
            println!("Run {} belongs to another platform ({}) and stays as it is", run.run, run.platform);
            continue;
        }
        let by = by(rows.line("run.resume").about("run", run.run));
        if rows.store.change_run(run.run, RunState::Running, by, args.hold_after, rows.clock.now()).await? {
            rows.told(run.run).await?;
            done += 1;
        }
    }
    changed(done)
}

pub async fn drain(args: Drain) -> Result<(), Failure> {
    if let Some(there) = elsewhere()? {
        return moved_there(&there, Some(&args.campaign), "drain", &args.words, json!({})).await;
    }
    let rows = Rows::open().await?;
    let mut done = 0;
    for run in rows.open_runs(&args.campaign).await? {
        let by = args.words.by(Some("drained by an operator"), rows.line("run.drain").about("run", run.run));
        if rows.store.drain_run(run.run, by, rows.clock.now()).await? {
            done += 1;
        }
        rows.told(run.run).await?;
    }
    if done == 0 { Err(Failure::refused("the campaign has no open run that does not drain already")) } else { Ok(()) }
}

async fn stop_there(there: &There, args: &Stop) -> Result<(), Failure> {
    if !args.hang_up {
        return moved_there(there, Some(&args.campaign), "stop", &args.words, json!({})).await;
    }
    // Calls of a run that was stopped a moment ago too.
    let mut runs: Vec<Look> = there.get(&of_campaign(&args.campaign, "/runs")).await?;
    let newest = runs.last().map(|run| run.id);
    runs.retain(|run| !run.is_over() || Some(run.id) == newest);
    let done = runs_there(there, &runs, "stop", &args.words.with(json!({ "hang_up": true }))).await?;
    let sum = |key: &str| done.iter().filter_map(|told| told["hang_up"][key].as_u64()).sum::<u64>() as usize;
    hung_up(sum("told"), sum("unanswered"), sum("could_not"));
    Ok(())
}

fn hung_up(told: usize, unanswered: usize, could_not: usize) {
    println!("{told} calls were told to hang up, {unanswered} did not answer, {could_not} could not be told");
}

pub async fn stop(args: Stop) -> Result<(), Failure> {
    if let Some(there) = elsewhere()? {
        return stop_there(&there, &args).await;
    }
    let rows = Rows::open().await?;
    let mut done = Vec::new();
    for run in rows.open_runs(&args.campaign).await? {
        let by = args.words.by(Some("stopped by an operator"), rows.line("run.stop").about("run", run.run));
        if rows.store.change_run(run.run, RunState::Stopped, by, None, rows.clock.now()).await? {
            rows.told(run.run).await?;
            done.push(run.run);
        }
    }
    if args.hang_up {
        // Calls of a run that was stopped a moment ago too.
        let campaign = rows.store.find_campaign(&args.campaign).await?;
        let runs: Vec<RunId> = rows.store.runs(campaign.campaign).await?.iter().map(|run| run.run).collect();
        let live = Live::new().map_err(Failure::usage)?;
        let words = hang_up_all(&rows.store, &live, &runs).await.map_err(Failure::refused)?;
        hung_up(words.told, words.unanswered, words.could_not);
        return Ok(());
    }
    changed(done.len())
}

pub async fn append_list(campaign: &str, file: &Path, shape: &Shape, as_json: bool) -> Result<(), Failure> {
    let done = match elsewhere()? {
        Some(there) => {
            let form = Form::new().part("contacts", there::list(file, shape)?);
            there.send(&of_campaign(campaign, "/contacts"), shape, form).await?
        }
        None => append_here(campaign, file, shape).await?,
    };
    if as_json {
        println!("{done}");
        return Ok(());
    }
    let number = |value: &Value| value.as_u64().unwrap_or_default();
    let (list, b, again) = (number(&done["list"]), &done["buckets"], done["again"] == true);
    let [accepted, duplicate, refused] = ["accepted", "duplicate", "refused"].map(|bucket| number(&b[bucket]));
    println!(
        "List {list}: {} rows = {accepted} accepted + {duplicate} duplicate + {refused} refused; {}",
        number(&done["rows"]),
        done["told"].as_str().unwrap_or_default()
    );
    if duplicate + refused > 0 && !again {
        println!("Why, line by line, to be mended and appended: halo export {campaign} rejects --list {list}");
    }
    Ok(())
}

/// What the API answers.
async fn append_here(campaign: &str, file: &Path, shape: &Shape) -> Result<Value, Failure> {
    let (source, given) = lists::open(file, shape)?;
    let rows = Rows::open().await?;
    let progress = lists::Shown::of(&given);
    let done = append_from(&rows.here()?, campaign, &source, given).await.map_err(campaigns::refused)?;
    progress.end();
    if !done.again {
        let campaign = rows.store.find_campaign(campaign).await?.campaign;
        let act = ("campaign.append", rows.clock.now());
        who::note(&rows.store, act, ("campaign", campaign), json!({ "buckets": done.buckets })).await?;
    }
    Ok(done.told())
}

pub async fn copy_campaign(campaign: &str, name: String, keep_arms: bool, as_json: bool) -> Result<(), Failure> {
    let done = match elsewhere()? {
        Some(there) => {
            let order = json!({ "name": name, "keep_arms": keep_arms });
            there.tell(Method::POST, &of_campaign(campaign, "/clone"), order).await?
        }
        None => copy_here(campaign, name, keep_arms).await?,
    };
    if as_json {
        println!("{done}");
        return Ok(());
    }
    let text = |key: &str| done[key].as_str().unwrap_or_default();
    println!("Campaign {} ({}): {} contacts", text("name"), text("id"), done["contacts"]);
    if let Some(at) = done["next_at"].as_str() {
        println!("Its schedule is that of the original: it runs by itself at {at}");
    }
    Ok(())
}

async fn copy_here(campaign: &str, name: String, keep_arms: bool) -> Result<Value, Failure> {
    let rows = Rows::open().await?;
    let order = Copy { name, keep_arms, settings: Value::Null };
    let done = copy(&rows.here()?, campaign, order).await.map_err(campaigns::refused)?;
    let original = rows.store.find_campaign(campaign).await?.campaign;
    let detail = json!({ "clone": done.campaign, "name": done.name });
    who::note(&rows.store, ("campaign.clone", rows.clock.now()), ("campaign", original), detail).await?;
    Ok(done.told())
}
