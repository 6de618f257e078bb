//! What an operator does to runs and campaigns that are there: begin, pause, drain, stop, set, append, clone.

use super::lists::{self, Shape};
use super::service::instant;
use super::{Failure, campaigns, open, settings, who};
use clap::Args;
use halo::app::{known_modes, peek_clock, real_phones_ring};
use halo::clock::Clock;
use halo::config::Config;
use halo::dialer::hang_up_all;
use halo::domain::{Mode, RunId, Timestamp};
use halo::http::append::append_from;
use halo::http::change::change;
use halo::http::copy::{Copy, copy};
use halo::http::import::Here;
use halo::http::rerun::only;
use halo::store::{Actor, AuditOrder, Beginning, By, Of, Only, Run, RunState, Store, Transition};
use halo::voximplant::Live;
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
    fn by(&self, otherwise: Option<&str>, line: AuditOrder) -> By {
        let reason = self.reason.clone().or(otherwise.map(str::to_owned));
        let line = line.saying(json!({ "by": self.by, "reason": reason }));
        By { actor: Actor::Cli, name: self.by.clone(), reason, audit: Some(Box::new(line)) }
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

#[derive(Args)]
pub struct Set {
    campaign: String,
    /// KEY=VALUE, the value as in TOML; an empty one takes the key away.
    #[arg(required = true, value_name = "KEY=VALUE")]
    changes: Vec<String>,
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
struct Rows {
    config: Config,
    store: Store,
    clock: Clock,
    modes: BTreeSet<Mode>,
    real: bool,
}

impl Rows {
    async fn open() -> Result<Rows, Failure> {
        let config = settings()?;
        let store = open(&config).await?;
        let clock = peek_clock(&store).await?;
        let (modes, real) = (known_modes(&config)?, real_phones_ring(&config, &store).await?);
        Ok(Rows { config, store, clock, modes, real })
    }

    fn here(&self) -> Result<Here<'_>, Failure> {
        knows_its_platform(&self.config, self.real)?;
        Ok(Here {
            store: &self.store,
            modes: &self.modes,
            real_platform: self.real,
            default_caller_id: self.config.caller_id.clone(),
            now: self.clock.now(),
        })
    }

    fn line(&self, action: &'static str) -> AuditOrder {
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
        let (now, live) = (self.store.run(run).await?, self.store.progress(run).await?.live);
        println!("Run {run}: {}; {live} calls are live", now.shown.as_str());
        Ok(())
    }

    async fn pause_all(&self, pause: bool, by: By) -> Result<(), Failure> {
        let account = self.account().await?;
        let account = account.ok_or_else(|| Failure::refused("no process has served this database yet"))?;
        self.store.pause_all(account, pause, by, self.clock.now()).await?;
        let busy = self.store.busy(account).await?;
        let word = if pause { "Nobody is dialled any more" } else { "Dialling goes on" };
        println!("{word}: {} runs are open, {} calls are live", busy.runs, busy.live);
        Ok(())
    }
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

pub async fn stop(args: Stop) -> Result<(), Failure> {
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
        println!(
            "{} calls were told to hang up, {} did not answer, {} could not be told",
            words.told, words.unanswered, words.could_not
        );
        return Ok(());
    }
    changed(done.len())
}

/// `dial.cps=3` to `{ "dial": { "cps": 3 } }`, all of them together.
fn patch(changes: &[String]) -> Result<Value, Failure> {
    let mut whole = json!({});
    for text in changes {
        let (key, value) = text.split_once('=').ok_or_else(|| Failure::usage(format!("`{text}`: write KEY=VALUE")))?;
        let (key, value) = (key.trim(), value.trim());
        if key.is_empty() || key.split('.').any(str::is_empty) {
            return Err(Failure::usage(format!("`{text}`: write a key such as dial.cps")));
        }
        let value = match value {
            "" => Value::Null,
            // What is no TOML is a text.
            text => toml::from_str::<Value>(&format!("value = {text}"))
                .ok()
                .and_then(|mut table| table.get_mut("value").map(Value::take))
                .filter(|value| !value.is_object() || text.starts_with('{'))
                .unwrap_or_else(|| json!(text)),
        };
        let one = key.rsplit('.').fold(value, |inner, key| json!({ key: inner }));
        join(&mut whole, one);
    }
    Ok(whole)
}

/// Both patches in one; unlike a merge, it keeps what takes a key away.
fn join(into: &mut Value, other: Value) {
    match (into, other) {
        (Value::Object(into), Value::Object(other)) => {
            for (key, value) in other {
                join(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, other) => *into = other,
    }
}

pub async fn set(args: Set) -> Result<(), Failure> {
    let patch = patch(&args.changes)?;
    let rows = Rows::open().await?;
    let campaign = rows.store.find_campaign(&args.campaign).await?.campaign;
    let by = args.words.by(None, rows.line("campaign.settings").about("campaign", campaign));
    let done = change(&rows.here()?, &args.campaign, &patch, by).await;
    let done = done.map_err(campaigns::refused)?;
    if done.changed.is_empty() {
        println!("Nothing changes: the settings say so already");
    } else {
        println!("Settings are version {} now: {}", done.version, done.changed.join(", "));
    }
    Ok(())
}

pub async fn append_list(campaign: &str, file: &Path, shape: &Shape, as_json: bool) -> Result<(), Failure> {
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
    if as_json {
        println!("{}", json!(done));
        return Ok(());
    }
    let b = done.buckets;
    println!(
        "List {}: {} rows = {} accepted + {} duplicate + {} refused; {}",
        done.list,
        done.rows,
        b.accepted,
        b.duplicate,
        b.refused,
        done.sentence()
    );
    if b.duplicate + b.refused > 0 && !done.again {
        println!("Why, line by line, to be mended and appended: halo export {campaign} rejects --list {}", done.list);
    }
    Ok(())
}

pub async fn copy_campaign(campaign: &str, name: String, keep_arms: bool, as_json: bool) -> Result<(), Failure> {
    let rows = Rows::open().await?;
    let order = Copy { name, keep_arms, settings: Value::Null };
    let done = copy(&rows.here()?, campaign, order).await.map_err(campaigns::refused)?;
    let original = rows.store.find_campaign(campaign).await?.campaign;
    let detail = json!({ "clone": done.campaign, "name": done.name });
    who::note(&rows.store, ("campaign.clone", rows.clock.now()), ("campaign", original), detail).await?;
    let next_at = done.next_at.map(|at| at.to_string());
    if as_json {
        println!(
            "{}",
            json!({ "id": done.campaign, "name": done.name, "contacts": done.contacts, "next_at": next_at })
        );
        return Ok(());
    }
    println!("Campaign {} ({}): {} contacts", done.name, done.campaign, done.contacts);
    if let Some(at) = next_at {
        println!("Its schedule is that of the original: it runs by itself at {at}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_read_as_toml_or_as_texts() {
        let said = |texts: &[&str]| {
            let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
            patch(&texts).map_err(|failure| failure.message)
        };
        assert_eq!(
            said(&["dial.cps=3", "dial.record = true", "policy=safe", "retry.busy=[\"5m\", \"1h\"]", "schedule="]),
            Ok(json!({ "dial": { "cps": 3, "record": true }, "policy": "safe", "retry": { "busy": ["5m", "1h"] },
                       "schedule": null }))
        );
        assert_eq!(said(&["windows.from=2026-11-30"]), Ok(json!({ "windows": { "from": "2026-11-30" } })));
        for wrong in ["dial.cps", "=3", "dial..cps=3"] {
            assert!(said(&[wrong]).is_err(), "{wrong}");
        }
    }
}
