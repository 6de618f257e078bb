//! A whole service and a simulator beside it, for tests that call for themselves.
//!
//! Nothing here sleeps for correctness: whoever waits looks again and again until a deadline.
#![allow(dead_code, reason = "every test program uses a part of it")]

pub mod door;
pub mod ledger;
pub mod process;

use halo::app::{App, ClockStart, open_store};
use halo::config::Config;
use halo::domain::settings::Take;
use halo::domain::{CampaignId, RunId, Timestamp};
use halo::http::import::{Here, Imported, Upload, import};
use halo::report::{Proof, Report, stored};
use halo::simulator::{self, LatencyModels, Mischief};
use halo::store::{AttemptRow, ContactRow, Run};
use std::collections::BTreeMap;
use std::future::Future;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The admin key of every service that a test starts.
pub const KEY: &str = "key-of-a-test";
/// Whatever is waited for has come by then, on a busy machine too.
pub const SOON: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(20);
const ROWS_MAX: i64 = 10_000;

/// Looks until there is an answer; panics with `what` when the deadline has passed.
pub async fn until<T, F: Future<Output = Option<T>>>(what: &str, look: impl Fn() -> F) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(began.elapsed() < SOON, "not within {SOON:?}: {what}");
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// The example number of a list whose last two digits choose the callee.
pub fn number(nth: u32, ending: u32) -> String {
    assert!(nth < 100 && ending < 100, "example numbers end at 99-99");
    format!("+7999000{nth:02}{ending:02}")
}

/// A list of numbers, all of the campaign's own modes.
pub fn csv<T: AsRef<str>>(numbers: impl IntoIterator<Item = T>) -> String {
    numbers.into_iter().fold("phone\n".to_owned(), |list, number| list + number.as_ref() + "\n")
}

/// Settings of a test campaign: quick, with short retries; `more` are lines of the root table.
pub fn settings(name: &str, more: &str) -> String {
    format!(
        "name = \"{name}\"\npurpose = \"test\"\n{more}\n\
         [dial]\ncps = 20\nlines = 60\nring_s = 30\ncall_s = 240\n\
         [retry]\nattempts_max = 3\nbusy = [\"2m\"]\nno_answer = [\"2m\"]\nunavailable = [\"2m\"]\nnetwork_error = [\"2m\"]\n"
    )
}

pub const SPLIT: &str = "modes = { dialog = 1, realtime = 1, realtime_pure = 1 }";

/// How a world is made.
pub struct World {
    pub speed: f64,
    pub seed: u64,
    pub at: Option<&'static str>,
    pub mischief: Mischief,
    pub latency: LatencyModels,
}

impl Default for World {
    fn default() -> Self {
        World { speed: 60.0, seed: 1, at: None, mischief: Mischief::none(), latency: LatencyModels::default() }
    }
}

/// A folder with a database, a simulator beside it, and, mostly, a service.
pub struct Place {
    pub folder: TempDir,
    pub simulator: simulator::Running,
    /// Where the service reaches the simulator's API; a door may stand between.
    pub api_url: String,
    /// Settings beside the usual ones.
    pub more: Vec<(&'static str, String)>,
    speed: f64,
    at: Option<Timestamp>,
    /// Where sessions are told to find the service, when that is not where it listens.
    backend_url: Option<String>,
    /// Where sessions reach the service: the same over restarts.
    listen: std::sync::Mutex<String>,
}

impl Place {
    pub async fn new(world: World) -> Self {
        let settings = simulator::Settings {
            seed: world.seed,
            speed: world.speed,
            mischief: world.mischief,
            latency: world.latency,
            ..simulator::Settings::default()
        };
        let simulator = simulator::start(settings).await.expect("a simulator starts");
        let at = world.at.map(|text| text.parse::<chrono::DateTime<chrono::Utc>>().expect("an instant"));
        Place {
            folder: TempDir::new().expect("a temporary folder"),
            api_url: simulator.url(),
            simulator,
            more: Vec::new(),
            speed: world.speed,
            at: at.map(|at| Timestamp(at.timestamp_millis())),
            backend_url: None,
            listen: std::sync::Mutex::new("127.0.0.1:0".to_owned()),
        }
    }

    pub fn database_url(&self) -> String {
        format!("sqlite:{}", self.folder.path().join("halo.db").display())
    }

    pub fn config(&self) -> Config {
        let listen = self.listen.lock().unwrap().clone();
        let mut environment: BTreeMap<&str, String> = [
            ("DATABASE_URL", self.database_url()),
            ("HALO_LISTEN", listen),
            ("VOXIMPLANT_API_URL", self.api_url.clone()),
            ("API_AUTH_KEY", KEY.to_owned()),
        ]
        .into();
        environment.extend(self.more.iter().cloned());
        if let Some(url) = &self.backend_url {
            environment.insert("BACKEND_URL", url.clone());
        }
        Config::read(&|name| environment.get(name).cloned()).expect("sound settings")
    }

    /// Sessions come to the service through a door; to be asked for before the service starts.
    pub async fn door_before_service(&mut self) -> door::Door {
        // A port that is free now: the service is told to take it.
        let port = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = port.local_addr().expect("its address");
        drop(port);
        *self.listen.lock().unwrap() = address.to_string();
        let door = door::Door::before(address).await;
        self.backend_url = Some(format!("http://{}", door.address));
        door
    }

    /// Starts the service, the first time or again: at the same address, with the same database.
    pub async fn serve(&self) -> App {
        let config = self.config();
        let clock = ClockStart { speed: self.speed, at: self.at };
        let store = open_store(&config).await.expect("the database opens");
        let app = App::start(&config, store, clock, simulator::Settings::default()).await;
        let app = app.unwrap_or_else(|cause| panic!("the service starts: {cause:#}"));
        *self.listen.lock().unwrap() = app.address.to_string();
        app
    }

    /// While no service runs, program time jumps ahead, as after a long power cut.
    pub async fn sleep_through(&self, to: &str) {
        let at = to.parse::<chrono::DateTime<chrono::Utc>>().expect("an instant");
        let store = open_store(&self.config()).await.expect("the database opens");
        let anchor = halo::clock::Anchor::starting(Timestamp(at.timestamp_millis()), self.speed);
        let text = serde_json::to_string(&anchor).expect("an anchor serialises");
        store.set_installation_value("clock", text).await.expect("the clock is set");
        store.close().await;
    }
}

/// Nobody waits for calls that the test plays itself, or whose sessions are dead.
pub async fn stop_now(app: App) {
    app.stop_within(Duration::ZERO).await;
}

/// Imports a list, as the API and the command line do; the salt is fixed.
pub async fn take_in(app: &App, settings: &str, contacts: &str) -> Imported {
    let here = Here {
        store: &app.store,
        modes: &app.modes,
        real_platform: false,
        default_caller_id: "+74951234567".parse().ok(),
        now: app.clock.now(),
    };
    let upload = Upload {
        source: "contacts.csv",
        settings,
        script: None,
        contacts: contacts.as_bytes(),
        salt: Some("salt".into()),
    };
    import(&here, upload).await.unwrap_or_else(|cause| panic!("{cause}: {:?}", cause.faults()))
}

pub async fn start(app: &App, campaign: CampaignId) -> RunId {
    let (run, _) =
        app.store.start_run(campaign, app.dialer.account, Take::All, app.clock.now()).await.expect("a run starts");
    run
}

pub async fn run_of(app: &App, run: RunId) -> Run {
    app.store.run(run).await.expect("the run is there")
}

/// Waits until the run is over, and until the provider's history of it is copied.
pub async fn completed(app: &App, run: RunId) {
    until("the run is completed", || async {
        let now = run_of(app, run).await;
        assert!(now.state != halo::store::RunState::Paused, "paused: {:?}", now.state_reason);
        now.state.is_over().then_some(())
    })
    .await;
    until("the history is copied", || async {
        app.dialer.history_is_complete(run).await.expect("the store answers").then_some(())
    })
    .await;
}

/// Imports, starts, waits for the end.
pub async fn whole_run(app: &App, settings: &str, contacts: &str) -> (CampaignId, RunId) {
    let campaign = take_in(app, settings, contacts).await.campaign;
    let run = start(app, campaign).await;
    completed(app, run).await;
    (campaign, run)
}

pub async fn attempts(app: &App, campaign: CampaignId) -> Vec<AttemptRow> {
    app.store.attempts(campaign, 0, ROWS_MAX).await.expect("the store answers")
}

pub async fn contacts(app: &App, campaign: CampaignId) -> Vec<ContactRow> {
    app.store.contacts(campaign, 0, ROWS_MAX).await.expect("the store answers")
}

/// What became of each number: its mode and the outcomes of its tries, in their order.
pub async fn outcomes(app: &App, campaign: CampaignId) -> BTreeMap<String, (String, Vec<String>)> {
    let mut by_number: BTreeMap<String, (String, Vec<(i64, String)>)> = BTreeMap::new();
    for row in attempts(app, campaign).await {
        let entry = by_number.entry(row.e164).or_insert_with(|| (row.mode.clone(), Vec::new()));
        entry.1.push((row.try_number, row.outcome.unwrap_or(row.state)));
    }
    let ordered = by_number.into_iter().map(|(number, (mode, mut tries))| {
        tries.sort();
        (number, (mode, tries.into_iter().map(|(_, outcome)| outcome).collect()))
    });
    ordered.collect()
}

pub async fn proof(app: &App, campaign: CampaignId) -> Proof {
    let row = app.store.campaign(campaign).await.expect("the store answers").expect("the campaign is there");
    let rules = app.dialer.rules(campaign).await.expect("the rules are read");
    let proved = app.store.prove(campaign).await.expect("the store answers");
    Proof::of(row.name, proved, rules.settings.retry.attempts_max)
}

/// All laws hold, and nobody of a completed run was forgotten. History is copied a little later than a run ends.
pub async fn laws_hold(app: &App, campaign: CampaignId) {
    let copied = async || {
        let proof = proof(app, campaign).await;
        (proof.proved.calls.granted_without_history == 0).then_some(proof)
    };
    let proof = until("history is copied", copied).await;
    assert!(proof.holds(), "{}", proof.text());
}

pub async fn report(app: &App, campaign: CampaignId) -> Report {
    let row = app.store.campaign(campaign).await.expect("the store answers").expect("the campaign is there");
    let rules = app.dialer.rules(campaign).await.expect("the rules are read");
    stored::report(&app.store, &row, &rules.settings, app.clock.now()).await.expect("a report")
}
