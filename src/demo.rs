//! `halo demo`: the main job end to end, on one machine, ringing nobody.

use crate::app::{App, ClockStart, open_to_dial};
use crate::config::{Config, PlatformConfig};
use crate::domain::settings::Take;
use crate::domain::{CampaignId, Mode, PhoneNumber, RunId, Timestamp};
use crate::http::import::{Here, Imported, Upload, import};
use crate::report::render::{Format, render};
use crate::report::{Lang, Proof, stored};
use crate::simulator;
use crate::store::{Progress, Store};
use anyhow::{Context, Result, anyhow};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use std::collections::BTreeSet;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

pub const NAME: &str = "demo";
const FOLDER: &str = "campaigns/demo";
/// The campaign that is in the program, where the folder is not beside it.
const SETTINGS: &str = include_str!("../campaigns/demo/campaign.toml");
const SCRIPT: &str = include_str!("../campaigns/demo/script.toml");
const CONTACTS: &[u8] = include_bytes!("../campaigns/demo/contacts.csv");

/// How often the bars move, and lines are printed where there is no terminal.
const LOOK_EVERY: Duration = Duration::from_millis(200);
const LINE_EVERY: Duration = Duration::from_secs(5);
/// After the last call, the provider's history is waited for so long.
const HISTORY_WITHIN: Duration = Duration::from_secs(20);

pub struct Order {
    pub seed: u64,
    pub speed: f64,
    pub at: Option<Timestamp>,
}

pub enum DemoEnd {
    Finished { holds: bool },
    Interrupted,
}

#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The database is somebody's.
    #[error("{0}")]
    Elsewhere(String),
    #[error(transparent)]
    Other(#[from] anyhow::Error),
}

impl From<crate::store::StoreError> for DemoError {
    fn from(cause: crate::store::StoreError) -> Self {
        DemoError::Other(cause.into())
    }
}

/// Runs the demo to its end (or to Ctrl-C) and prints its report; the service stays up.
pub async fn run(config: &Config, order: Order) -> Result<(App, DemoEnd), DemoError> {
    let config = Config {
        platform: PlatformConfig::Inside,
        backend_url: None,
        cps_max: None,
        lines_max: None,
        listen: free_listen(config.listen),
        ..config.clone()
    };
    // Locked first: a demo that stays up must not lose its database to the next one.
    let opened = open_to_dial(&config).await?;
    make_room(&opened.store).await?;

    let clock = ClockStart { speed: order.speed, at: order.at };
    let simulated = simulator::Settings { seed: order.seed, speed: order.speed, ..simulator::Settings::default() };
    let app = App::start(&config, opened, clock, simulated).await?;
    println!("Simulator at {}; nobody is rung. Clock at {} times life.", address(&app), order.speed);

    let (campaign, run) = match open_run(&app.store).await? {
        Some(open) => {
            println!("Going on with the demo that was interrupted.");
            open
        }
        None => begin(&app, &config, order.seed).await?,
    };
    if !watch(&app.store, run).await? {
        return Ok((app, DemoEnd::Interrupted));
    }
    wait_for_history(&app, run).await?;
    let holds = show(&app, campaign).await?;
    Ok((app, DemoEnd::Finished { holds }))
}

fn address(app: &App) -> String {
    app.simulator().map(|s| s.address().to_string()).unwrap_or_default()
}

/// The address of the settings, or any free port where another program has that one.
fn free_listen(listen: std::net::SocketAddr) -> std::net::SocketAddr {
    match std::net::TcpListener::bind(listen) {
        Ok(_) => listen,
        Err(_) => std::net::SocketAddr::new(listen.ip(), 0),
    }
}

/// A finished demo is wiped; an unfinished one goes on; anything else is not ours to touch.
async fn make_room(store: &Store) -> Result<(), DemoError> {
    let campaigns = store.campaigns(2).await?;
    if let Some(other) = campaigns.iter().find(|campaign| campaign.name != NAME) {
        return Err(DemoError::Elsewhere(format!(
            "the database holds another campaign (`{}`): the demo needs one of its own, for example \
             DATABASE_URL=sqlite:demo.db halo demo",
            other.name
        )));
    }
    let calls = store.single_calls_elsewhere().await?;
    if calls > 0 {
        return Err(DemoError::Elsewhere(format!(
            "the database holds {calls} single calls to people: the demo needs one of its own, for example \
             DATABASE_URL=sqlite:demo.db halo demo"
        )));
    }
    if !campaigns.is_empty() && open_run(store).await?.is_none() {
        store.wipe().await?;
    }
    Ok(())
}

async fn open_run(store: &Store) -> Result<Option<(CampaignId, RunId)>> {
    let Some(campaign) = store.campaigns(1).await?.into_iter().next() else { return Ok(None) };
    let runs = store.runs(campaign.campaign).await?;
    Ok(runs.iter().find(|run| !run.state.is_over()).map(|run| (campaign.campaign, run.run)))
}

async fn begin(app: &App, config: &Config, seed: u64) -> Result<(CampaignId, RunId)> {
    let done = import_demo(&app.store, &app.modes, config.caller_id.clone(), seed, app.clock.now(), None).await?;
    let b = done.buckets;
    println!(
        "Imported {FOLDER}: {} rows = {} accepted + {} duplicate + {} refused (halo export demo rejects says why)",
        done.rows, b.accepted, b.duplicate, b.refused
    );
    let (run, _) = app.store.start_run(done.campaign, app.dialer.account, Take::All, app.clock.now()).await?;
    Ok((done.campaign, run))
}

/// The demo's campaign, from its folder if that is here; `seed` decides its arms. `list` instead of its own.
pub async fn import_demo(
    store: &Store,
    modes: &BTreeSet<Mode>,
    caller_id: Option<PhoneNumber>,
    seed: u64,
    now: Timestamp,
    list: Option<Vec<u8>>,
) -> Result<Imported> {
    let file = |name: &str| -> Option<PathBuf> { Some(Path::new(FOLDER).join(name)).filter(|path| path.exists()) };
    let text = |name: &str, otherwise: &str| -> Result<String> {
        match file(name) {
            Some(path) => std::fs::read_to_string(&path).with_context(|| path.display().to_string()),
            None => Ok(otherwise.to_owned()),
        }
    };
    let settings = text("campaign.toml", SETTINGS)?;
    let script = text("script.toml", SCRIPT)?;
    let contacts = match (list, file("contacts.csv")) {
        (Some(list), _) => list,
        (None, Some(path)) => std::fs::read(&path).with_context(|| path.display().to_string())?,
        (None, None) => CONTACTS.to_vec(),
    };
    let here = Here { store, modes, real_platform: false, default_caller_id: caller_id, now };
    let upload = Upload {
        source: "contacts.csv",
        settings: &settings,
        script: Some(&script),
        contacts: &contacts,
        salt: Some(format!("demo-{seed}")),
    };
    import(&here, upload).await.map_err(|e| anyhow!("{e}\n{}", e.faults().join("\n")))
}

/// Bars until the run is over; false when somebody interrupts.
async fn watch(store: &Store, run: RunId) -> Result<bool> {
    let mut bars = Bars::new(store.progress(run).await?);
    let mut stop = std::pin::pin!(interrupted());
    loop {
        tokio::select! {
            () = &mut stop => return Ok(false),
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
        let now = store.run(run).await?;
        bars.show(store.progress(run).await?);
        if now.state.is_over() {
            bars.finish();
            return Ok(true);
        }
        if let (crate::store::RunState::Paused, Some(why)) = (now.state, now.state_reason) {
            return Err(anyhow!("the run was paused: {why}"));
        }
    }
}

struct Bars {
    began: Instant,
    said: Instant,
    terminal: bool,
    contacts: ProgressBar,
    live: ProgressBar,
    retries: ProgressBar,
}

impl Bars {
    fn new(p: Progress) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let all = MultiProgress::new();
        let bar = |name: &'static str, length: i64| {
            let style = ProgressStyle::with_template("{prefix:>16} {bar:40.cyan/dim} {pos:>4}/{len}")
                .unwrap_or_else(|_| ProgressStyle::default_bar());
            let bar = ProgressBar::new(length.max(1) as u64).with_style(style).with_prefix(name);
            if terminal { all.add(bar) } else { bar }
        };
        Bars {
            began: Instant::now(),
            said: Instant::now(),
            terminal,
            contacts: bar("contacts done", p.contacts),
            live: bar("calls live", p.contacts),
            retries: bar("retries waiting", p.contacts),
        }
    }

    fn show(&mut self, p: Progress) {
        if self.terminal {
            self.contacts.set_position(p.rested as u64);
            self.live.set_position((p.live + p.dialing) as u64);
            self.retries.set_position(p.retries_waiting as u64);
        } else if self.said.elapsed() >= LINE_EVERY {
            self.said = Instant::now();
            eprintln!(
                "{:>4} s: {}/{} contacts done, {} calls live, {} retries waiting",
                self.began.elapsed().as_secs(),
                p.rested,
                p.contacts,
                p.live + p.dialing,
                p.retries_waiting
            );
        }
    }

    fn finish(&self) {
        for bar in [&self.contacts, &self.live, &self.retries] {
            bar.finish_and_clear();
        }
        println!("All calls made in {:.0} s.", self.began.elapsed().as_secs_f64());
    }
}

async fn wait_for_history(app: &App, run: RunId) -> Result<()> {
    let began = Instant::now();
    while began.elapsed() < HISTORY_WITHIN {
        if app.dialer.history_is_complete(run).await? {
            return Ok(());
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(())
}

/// The report as a table and as a page, and the laws; do they hold?
async fn show(app: &App, campaign: CampaignId) -> Result<bool> {
    let rules = app.dialer.rules(campaign).await?;
    let row = app.store.campaign(campaign).await?.context("the demo's campaign is gone")?;
    let report = stored::report(&app.store, &row, &rules.settings, app.clock.now()).await?;
    println!("\n{}", render(&report, Format::Table, Lang::En)?);
    let page = PathBuf::from("reports").join("demo.html");
    std::fs::create_dir_all("reports")?;
    std::fs::write(&page, render(&report, Format::Html, Lang::En)?)?;
    let page = page.canonicalize().unwrap_or(page);
    println!("The same as a page: {}", page.display());

    let proof = Proof::of(row.name, app.store.prove(campaign).await?, rules.settings.retry.attempts_max);
    if !proof.holds() {
        println!("\n{}", proof.text());
    }
    Ok(proof.holds())
}

/// Ctrl-C or a polite kill.
pub async fn interrupted() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    // Without signals there is nothing to wait for but the end.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
