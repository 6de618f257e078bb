//! `halo drill`: the runner killed at random moments, and the laws held against what is left.
//!
//! The runner is a real process with a database file of its own: a fresh one with the demo's campaign, or a
//! copy of somebody's. Every call goes to a simulator inside the drill, which outlives the runner and keeps
//! its own ledger; nobody is rung, and the database that was copied is not touched.

use crate::app::{known_modes, open_store, peek_clock, private_folder, read_rules, sqlite_path};
use crate::config::{Config, DialogBase};
use crate::demo::{self, import_demo};
use crate::domain::CampaignId;
use crate::domain::settings::Take;
use crate::report::{Law, Proof};
use crate::simulator;
use crate::store::{RunState, Store};
use anyhow::{Context, Result, bail};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tokio::process::{Child, Command};

/// A kill comes so long after the process began, or after its first start: anywhere in there.
const KILL_WITHIN: Duration = Duration::from_millis(2500);
/// A runner that starts nothing for so long, with work waiting, has not recovered.
const RECOVERED_WITHIN: Duration = Duration::from_secs(30);
/// After the last kill: the run has so long to end by itself, then it is stopped.
const ENDS_WITHIN: Duration = Duration::from_secs(120);
/// Calls under way and the history of what was called have so long after that.
const SETTLED_WITHIN: Duration = Duration::from_secs(120);
const LOOK_EVERY: Duration = Duration::from_millis(20);

pub struct Order {
    pub kills: usize,
    /// Decides the moments of the kills, the demo's arms and the callees.
    pub seed: u64,
    /// How many times faster than life.
    pub speed: f64,
    /// A campaign of the database that is copied; the demo's without it.
    pub campaign: Option<String>,
    /// So many made-up contacts instead of the demo's list.
    pub contacts: Option<usize>,
}

/// What is left after the kills.
#[derive(Debug, Serialize)]
pub struct Drilled {
    pub kills: usize,
    pub runs: usize,
    pub contacts: i64,
    /// By the simulator's ledger.
    pub calls: usize,
    /// Attempts for which a phone rang more than once, by the same ledger.
    pub doubled_calls: usize,
    /// Contacts of a run that neither wait, nor are being called, nor rest.
    pub lost_contacts: i64,
    /// From the start of the process to its first `StartScenarios`, where work waited.
    pub recovery_ms_median: Option<u64>,
    pub recovery_ms_max: Option<u64>,
    pub recoveries: usize,
    pub seconds: f64,
    pub laws: Vec<Law>,
}

impl Drilled {
    pub fn holds(&self) -> bool {
        self.doubled_calls == 0 && self.lost_contacts == 0 && self.laws.iter().all(|law| law.holds)
    }
}

impl fmt::Display for Drilled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for law in &self.laws {
            writeln!(f, "  {}  {}: {}", if law.holds { "ok    " } else { "BROKEN" }, law.law, law.found)?;
        }
        writeln!(
            f,
            "\n{} kills in {:.0} s ({:.1} s each), {} runs of {} contacts, {} calls: {} doubled calls, {} lost contacts.",
            self.kills,
            self.seconds,
            self.seconds / self.kills.max(1) as f64,
            self.runs,
            self.contacts,
            self.calls,
            self.doubled_calls,
            self.lost_contacts
        )?;
        match (self.recovery_ms_median, self.recovery_ms_max) {
            (Some(median), Some(max)) => writeln!(
                f,
                "Recovery, process start to the first new start: median {median} ms, at most {max} ms ({} measured).",
                self.recoveries
            ),
            _ => writeln!(f, "Recovery was not measured: no work waited at any kill."),
        }
    }
}

/// Runs the drill. Its folder is left behind, and named, when a law is broken or the drill itself fails.
pub async fn run(config: &Config, order: Order) -> Result<Drilled> {
    let folder = private_folder("halo-drill")?;
    let evidence = || format!("what is left of the drill stands in {}", folder.display());
    let drilled = Drill::prepare(config, &order, &folder).await.with_context(evidence)?.run(&order).await;
    let drilled = drilled.with_context(evidence)?;
    if drilled.holds() {
        std::fs::remove_dir_all(&folder).with_context(|| folder.display().to_string())?;
    } else {
        eprintln!("{}", evidence());
    }
    Ok(drilled)
}

struct Drill {
    simulator: simulator::Running,
    store: Store,
    campaign: CampaignId,
    attempts_max: u32,
    database_url: String,
    listen: SocketAddr,
    speed: f64,
    log: PathBuf,
    made_up: bool,
    /// The built-in replier answers `dialog` and `realtime`.
    replies: bool,
}

impl Drill {
    async fn prepare(config: &Config, order: &Order, folder: &Path) -> Result<Drill> {
        let database = folder.join("drill.db");
        let database_url = format!("sqlite:{}", database.display());
        if order.campaign.is_some() {
            let Some(path) = sqlite_path(&config.database_url) else {
                bail!("a drill copies a SQLite file; DATABASE_URL names another engine");
            };
            if !path.exists() {
                bail!("there is no database at {} (DATABASE_URL)", path.display());
            }
            let theirs = open_store(config).await?;
            theirs.copy_into(&database.display().to_string()).await.context("the database cannot be copied")?;
            theirs.close().await;
        }
        let ours = Config { database_url: database_url.clone(), ..config.clone() };
        let store = open_store(&ours).await?;
        let modes = known_modes(config)?;
        if order.campaign.is_none() {
            let now = peek_clock(&store).await?.now();
            let began = Instant::now();
            let list = order.contacts.map(|contacts| made_up(contacts).into_bytes());
            let done = import_demo(&store, &modes, config.caller_id.clone(), order.seed, now, list).await?;
            if order.contacts.is_some() {
                // Example numbers may ring at any hour, and there are not enough of them.
                store.allow_list_campaign(done.campaign, now).await?;
                eprintln!("{} contacts imported in {:.1} s", done.rows, began.elapsed().as_secs_f64());
            }
        }
        let campaign = store.find_campaign(order.campaign.as_deref().unwrap_or(demo::NAME)).await?;
        let (settings, _) = read_rules(modes)(&campaign.settings).map_err(anyhow::Error::msg)?;
        let settings_of_simulator =
            simulator::Settings { seed: order.seed, speed: order.speed, ..simulator::Settings::default() };
        Ok(Drill {
            simulator: simulator::start(settings_of_simulator).await.context("cannot start the simulator")?,
            store,
            campaign: campaign.campaign,
            attempts_max: settings.retry.attempts_max,
            database_url,
            listen: free_address()?,
            speed: order.speed,
            log: folder.join("serve.log"),
            made_up: order.contacts.is_some(),
            replies: config.dialog != DialogBase::Off,
        })
    }

    async fn run(self, order: &Order) -> Result<Drilled> {
        let began = Instant::now();
        let mut dice = StdRng::seed_from_u64(order.seed);
        let mut recoveries = Vec::new();
        // The first start makes the account's row, and is not one that recovers.
        let mut runner = self.spawn()?;
        self.until("the service answers", RECOVERED_WITHIN, async || Ok(self.serves().await)).await?;
        for kill in 0..order.kills {
            let fresh = self.patiently(async || self.keep_running().await).await?;
            let spawned = Instant::now();
            if kill > 0 {
                runner = self.spawn()?;
            }
            // Half of the kills come at any moment, even before the process is up; the others after it has
            // shown that it goes on, so that recovery is measured without cutting off the slow ones.
            if kill % 2 == 1 {
                let starts = self.starts().await?;
                self.until("a runner starts calls again", RECOVERED_WITHIN, async || {
                    Ok(self.starts().await? > starts || self.nobody_waits().await?)
                })
                .await?;
                if self.starts().await? > starts && !fresh {
                    recoveries.push(spawned.elapsed().as_millis() as u64);
                }
            }
            tokio::time::sleep(KILL_WITHIN.mul_f64(dice.random::<f64>())).await;
            runner.kill().await.context("the runner cannot be killed")?;
        }
        let _runner = self.spawn()?;
        self.end().await?;
        let drilled = self.judge(order, began, recoveries).await;
        self.simulator.stop().await;
        drilled
    }

    fn spawn(&self) -> Result<Child> {
        let log = File::options().create(true).append(true).open(&self.log)?;
        let program = std::env::current_exe().context("where this program is")?;
        Command::new(program)
            .arg("serve")
            .env("DATABASE_URL", &self.database_url)
            .env("HALO_LISTEN", self.listen.to_string())
            .env("VOXIMPLANT_API_URL", self.simulator.url())
            .env("HALO_CLOCK_SPEED", self.speed.to_string())
            // Whatever the settings say of a platform is not for the drill; empty means not set.
            .env("USE_VOXIMPLANT", "false")
            // Nor is somebody's own replier to be talked to by simulated callees.
            .env("VOICE_DIALOG_BASE_URL", if self.replies { "" } else { "off" })
            .envs(
                ["BACKEND_URL", "VOXIMPLANT_ACCOUNT_ID", "VOXIMPLANT_API_KEY", "VOXIMPLANT_KEY_FILE"].map(|n| (n, "")),
            )
            .envs(["VOXIMPLANT_APPLICATION_ID", "VOXIMPLANT_RULE_ID", "OPENAI_BASE_URL", "HALO_LOG"].map(|n| (n, "")))
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .context("the runner cannot be started")
    }

    /// A run in which somebody waits; true when it had to be started anew.
    async fn keep_running(&self) -> Result<bool> {
        if !self.nobody_waits().await? {
            return Ok(false);
        }
        let account = self.store.installation_value("account").await?.and_then(|id| id.parse().ok());
        let account = account.context("the service has made no account")?;
        self.stop_runs("the drill starts the next").await?;
        let now = peek_clock(&self.store).await?.now();
        self.store.start_run(self.campaign, account, Take::All, now).await?;
        Ok(true)
    }

    async fn stop_runs(&self, why: &str) -> Result<()> {
        let now = peek_clock(&self.store).await?.now();
        for run in self.store.runs(self.campaign).await? {
            if !run.state.is_over() {
                self.store.set_run_state(run.run, RunState::Stopped, Some(why.to_owned()), now).await?;
            }
        }
        Ok(())
    }

    /// The runner writes to the same file: on a busy machine our turn may come after the driver's patience.
    async fn patiently<T>(&self, act: impl AsyncFn() -> Result<T>) -> Result<T> {
        let began = Instant::now();
        loop {
            match act().await {
                Err(cause) if is_locked(&cause) && began.elapsed() < RECOVERED_WITHIN => {
                    tokio::time::sleep(LOOK_EVERY).await;
                }
                done => return done,
            }
        }
    }

    async fn nobody_waits(&self) -> Result<bool> {
        let runs = self.store.runs(self.campaign).await?;
        Ok(!runs.iter().any(|run| run.state == RunState::Running))
    }

    async fn serves(&self) -> bool {
        reqwest::get(format!("http://{}/readyz", self.listen)).await.is_ok_and(|answer| answer.status().is_success())
    }

    /// Starts that arrived at the simulator.
    async fn starts(&self) -> Result<i64> {
        let pace: Value = reqwest::get(self.ledger("pace")).await?.json().await?;
        pace["starts"].as_i64().context("the simulator does not count its starts")
    }

    fn ledger(&self, which: &str) -> String {
        format!("http://{}/simulator/{which}", self.simulator.address())
    }

    /// The open run ends or is stopped, calls under way end, and the provider's history is copied.
    async fn end(&self) -> Result<()> {
        let over = async || self.nobody_waits().await;
        // A list that nobody could call to its end in that time is not waited for.
        let within = if self.made_up { Duration::ZERO } else { ENDS_WITHIN };
        if self.until("the run ends", within, over).await.is_err() {
            self.patiently(async || self.stop_runs("the drill is over").await).await?;
        }
        self.until("calls end and history is copied", SETTLED_WITHIN, async || {
            let calls = self.store.prove(self.campaign).await?.calls;
            Ok(calls.live + calls.dialing == 0 && calls.granted_without_history == 0)
        })
        .await
    }

    async fn until(&self, what: &str, within: Duration, look: impl AsyncFn() -> Result<bool>) -> Result<()> {
        let began = Instant::now();
        while !self.patiently(async || look().await).await? {
            if began.elapsed() > within {
                bail!("not within {} s: {what}", within.as_secs());
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(())
    }

    async fn judge(&self, order: &Order, began: Instant, mut recoveries: Vec<u64>) -> Result<Drilled> {
        let ledger = reqwest::get(self.ledger("calls")).await?.text().await?;
        let (calls, doubled_calls) = counted(&ledger)?;
        let proved = self.patiently(async || Ok(self.store.prove(self.campaign).await?)).await?;
        let lost = proved.runs.iter().map(|run| (run.contacts - run.rested - run.waiting - run.busy).abs()).sum();
        let contacts = proved.runs.iter().map(|run| run.contacts).max().unwrap_or(0);
        let runs = proved.runs.len();
        recoveries.sort_unstable();
        Ok(Drilled {
            kills: order.kills,
            runs,
            contacts,
            calls,
            doubled_calls,
            lost_contacts: lost,
            recovery_ms_median: recoveries.get(recoveries.len() / 2).copied(),
            recovery_ms_max: recoveries.last().copied(),
            recoveries: recoveries.len(),
            seconds: began.elapsed().as_secs_f64(),
            laws: Proof::of(String::new(), proved, self.attempts_max).laws,
        })
    }
}

/// SQLite has one writer at a time, and says so when somebody has waited for too long.
fn is_locked(cause: &anyhow::Error) -> bool {
    cause.chain().any(|cause| cause.to_string().contains("database is locked"))
}

/// Calls of the simulator's ledger, and attempts that have more than one of them.
fn counted(ledger: &str) -> Result<(usize, usize)> {
    let mut by_attempt: BTreeMap<String, usize> = BTreeMap::new();
    for line in ledger.lines() {
        let line: Value = serde_json::from_str(line).context("the simulator's ledger")?;
        let data: Value = serde_json::from_str(line["custom_data"].as_str().unwrap_or_default()).unwrap_or_default();
        let attempt = data["a"].as_str().context("the simulator's ledger: a call of no attempt")?;
        *by_attempt.entry(attempt.to_owned()).or_default() += 1;
    }
    Ok((by_attempt.values().sum(), by_attempt.values().filter(|calls| **calls > 1).count()))
}

/// A list of so many numbers, of every kind of callee. They may be somebody's, which is why a drill knows no
/// platform but the simulator inside it.
fn made_up(contacts: usize) -> String {
    use fmt::Write;
    // What the demo's script says of somebody.
    (0..contacts).fold("phone,name,city,interest\n".to_owned(), |mut list, n| {
        // Writing to a String cannot fail.
        let _ = writeln!(list, "+7902{n:07},Анна,Москва,йога");
        list
    })
}

/// A loopback port that was free a moment ago: the runner keeps it over its deaths.
fn free_address() -> Result<SocketAddr> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;

    #[tokio::test]
    async fn made_up_contacts_fit_the_demo_s_script() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("sqlite:{}", folder.path().join("drill.db").display())).await.unwrap();
        let modes = ["dialog", "realtime", "realtime_pure"].map(|mode| mode.parse().unwrap()).into_iter().collect();
        let list = made_up(20).into_bytes();
        let done = import_demo(&store, &modes, None, 1, Timestamp(0), Some(list)).await.unwrap();
        assert_eq!((done.rows, done.buckets.accepted), (20, 20));
        store.close().await;
    }

    /// Two sessions of one attempt have tokens of their own: it is the attempt that must not ring twice.
    #[test]
    fn an_attempt_that_rang_twice_is_seen() {
        let line = |attempt: &str, token: &str| {
            let data = serde_json::json!({ "a": attempt, "t": token, "u": "http://127.0.0.1:1" }).to_string();
            format!("{}\n", serde_json::json!({ "session": 1, "custom_data": data, "at_ms": 0 }))
        };
        let ledger = [line("a1", "t1"), line("a2", "t2"), line("a1", "t3")].concat();
        assert_eq!(counted(&ledger).unwrap(), (3, 1));
        assert_eq!(counted("").unwrap(), (0, 0));
        assert!(counted(&line("a1", "t1").replace("\\\"a\\\"", "\\\"b\\\"")).is_err(), "whose call it was");
    }
}
