//! Opens, builds, wires: the one place that knows every room.

mod backup;
mod doors;
mod lock;
mod logging;
mod migrate;
mod nodes;
mod open;
mod platform;
mod prices;
mod tell;

pub use backup::{BackedUp, PutBack, back_up, restore};
pub use lock::{private_folder, somebody_dials, sqlite_path};
pub use logging::{log_filter, log_form};
pub use migrate::{Sides, open_sides};
pub use nodes::{Roles, may_have};
pub use open::{Opened, open_store, open_to_dial};
pub use platform::{bundle, deploy, known_modes, modes, names, patient, policies_in_use, real_phones_ring};
pub use prices::{models, prices, prices_found};
pub use tell::notifier;

use crate::clock::{Anchor, Clock};
use crate::config::{Config, DialogBase};
use crate::dialer::{Dialer, Platform, Pricing, ReadRules};
use crate::doctor::{Level, Patient};
use crate::domain::{Mode, Timestamp};
use crate::http::judging::keep_judging;
use crate::http::{ApiKey, Deploy, DeployOrder, Examine, Model, Problem, Voice, Web};
use crate::report::gather::keep_prices;
use crate::simulator;
use crate::store::{LimitOrder, Store};
use crate::voximplant::{DeployError, Pacer, Sources, Wanted};
use crate::{chat, intake, queue};
use anyhow::{Context, Result, bail};
use lock::dialling_lock;
use nodes::{Node, watch_database_clock};
use platform::{host_of, inbound_token, reach_platform, wanted};
use secrecy::ExposeSecret;
use std::collections::BTreeSet;
use std::fs::File;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// Everything in flight has this long to be written after a stop.
const STOP_WITHIN: Duration = Duration::from_secs(9);
/// Between deployments to a simulator that does not know us.
const DEPLOY_AGAIN_AFTER: Duration = Duration::from_secs(1);
/// A database server's clock may differ from ours by this, and is then right.
const CLOCK_AHEAD_MS_MAX: i64 = 10 * 60 * 1000;
/// Calls under way have this long to report their end after a stop; then their next start asks for it.
const CALLS_END_WITHIN: Duration = Duration::from_secs(6);
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// How the clock begins.
#[derive(Clone, Copy, Debug)]
pub struct ClockStart {
    pub speed: f64,
    /// Program time at the very first start; now when absent.
    pub at: Option<Timestamp>,
}

/// What a start is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duty {
    Everything,
    /// Campaigns of the database rest: nobody but the one who was named is called.
    SingleCalls,
}

/// A running service: API, callbacks, workers.
pub struct App {
    pub store: Store,
    pub clock: Clock,
    pub dialer: Arc<Dialer>,
    pub modes: BTreeSet<Mode>,
    pub address: SocketAddr,
    /// Set when this start made the admin key: it is shown once.
    pub fresh_api_key: Option<String>,
    simulator: Option<simulator::Running>,
    /// Sessions come by an address that is not this process's own.
    behind_one_address: bool,
    stop_work: CancellationToken,
    stop_serving: CancellationToken,
    server: Option<JoinHandle<()>>,
    worker: JoinHandle<()>,
    _lock: Option<File>,
}

/// Program time goes on where the database left it.
pub async fn open_clock(store: &Store, start: ClockStart) -> Result<Clock> {
    let wall_us = nodes::wall_us(store).await?;
    let kept = kept_clock(store).await?;
    let anchor = kept
        .map_or_else(|| Anchor::met(wall_us, start.at, start.speed), |kept| kept.at_speed_from(wall_us, start.speed));
    let text = serde_json::to_string(&anchor)?;
    if kept.is_some_and(|kept| kept != anchor) {
        store.set_installation_value("clock", text).await?;
        return Ok(Clock::running(anchor));
    }
    // Two nodes may begin together: the first one's clock is everybody's.
    let stands = store.installation_value_or("clock", text).await?;
    Ok(Clock::running(serde_json::from_str(&stands).context("the clock kept in the database")?))
}

async fn kept_clock(store: &Store) -> Result<Option<Anchor>> {
    let text = store.installation_value("clock").await?;
    text.map(|text| serde_json::from_str(&text).context("the clock kept in the database")).transpose()
}

/// People live in real time: a database whose clock was scaled or shifted (by a demo, by a simulator) must
/// not decide when they may be called.
fn clock_of_people(clock: &Clock) -> Result<()> {
    let ahead_ms = clock.now().since(clock.wall());
    if clock.speed() == 1.0 && ahead_ms.abs() <= CLOCK_AHEAD_MS_MAX {
        return Ok(());
    }
    bail!(
        "the clock kept in this database is {} s ahead of real time (it was used with a scaled clock): calls to \
         people need a database of their own, see DATABASE_URL",
        ahead_ms / 1000
    )
}

/// The clock of a database that somebody else may be running: looked at, not moved.
pub async fn peek_clock(store: &Store) -> Result<Clock> {
    let anchor = kept_clock(store).await?.unwrap_or_else(|| Anchor::here(1.0));
    let clock = Clock::running(anchor);
    clock.set_offset(store.clock_offset_us(Clock::machine_us).await?);
    Ok(clock)
}

/// Stored settings back to rules.
pub fn read_rules(modes: BTreeSet<Mode>) -> ReadRules {
    Arc::new(move |text| {
        let value = serde_json::from_str(text).map_err(|e| e.to_string())?;
        let settings = intake::settings::from_json(&value, &modes).map_err(|faults| faults.to_string())?;
        let policy = intake::policy::find(&settings.policy)
            .ok_or_else(|| format!("policy `{}` does not exist", settings.policy))?;
        let settings = policy.over(settings);
        Ok((settings, policy.calendars()))
    })
}

impl App {
    /// Starts everything. `simulated` is the simulator to start inside when the settings ask for one.
    pub async fn start(
        config: &Config,
        opened: impl Into<Opened>,
        clock_start: ClockStart,
        simulated: simulator::Settings,
    ) -> Result<App> {
        App::start_for(config, opened, clock_start, simulated, Duty::Everything).await
    }

    pub async fn start_for(
        config: &Config,
        opened: impl Into<Opened>,
        clock_start: ClockStart,
        simulated: simulator::Settings,
        duty: Duty,
    ) -> Result<App> {
        App::start_as(config, opened, clock_start, simulated, duty, Roles::ALL).await
    }

    /// One process of several, each with its roles.
    pub async fn start_as(
        config: &Config,
        opened: impl Into<Opened>,
        clock_start: ClockStart,
        simulated: simulator::Settings,
        duty: Duty,
        roles: Roles,
    ) -> Result<App> {
        nodes::may_have(roles, config)?;
        let Opened { store, lock } = opened.into();
        let lock = if lock.is_some() { lock } else { dialling_lock(&config.database_url)? };
        nodes::fits_the_others(config, &store, clock_start.speed).await?;
        let clock = open_clock(&store, clock_start).await?;
        watch_database_clock(&store, &clock).await?;
        if config.is_real() {
            clock_of_people(&clock)?;
        }
        queue::prepare(store.db()).await?;
        if lock.is_some() {
            store.free_leases().await?;
        }

        let doors = if roles.api { Some(doors::Doors::open(config).await?) } else { None };
        let address = doors.as_ref().map_or(config.listen, |doors| doors.address);
        let provider = doors.as_ref().map_or(address, |doors| doors.provider_address);
        let backend_url = config.backend_url.clone().unwrap_or_else(|| format!("http://{provider}"));

        let (simulator, reach) = reach_platform(config, simulated).await?;
        let sources = Sources::beside(Path::new("."));
        let provider_modes = modes(config, &sources)?;
        let reach_url = reach.url.clone();
        let client = Arc::new(reach.client(&backend_url, provider_modes.clone(), &clock)?);
        let platform = Platform { name: format!("{}/{}", host_of(&reach.url), reach.account), real: config.is_real() };
        let account = store.ensure_account(&platform.name, config.cps_max, config.lines_max, clock.now()).await?;
        first_limits(config, &store, account, &platform.name, clock.now()).await?;
        // A process for one call changes nothing for whoever serves this database.
        if matches!(duty, Duty::Everything) {
            store.set_installation_value("account", account.to_string()).await?;
            keep_prices(&store, &prices()?).await?;
            let why = format!("this installation now calls at {}", platform.name);
            let foreign = store.pause_foreign_runs(account, &why, clock.now()).await?;
            if foreign > 0 {
                warn!("{foreign} runs of another platform are paused");
            }
        }

        let modes = names(&provider_modes);
        let cps = store.account(account).await?.and_then(|account| account.cps_max);
        // Limits are in program time, the pacer lives in real time.
        let pacer = Arc::new(Pacer::new(cps.map(|cps| cps * clock.speed())));
        let node = Node::new(roles, duty, clock.now());
        let dialer = Dialer::new(
            store.clone(),
            clock.clone(),
            client.clone(),
            pacer,
            platform,
            account,
            node.name.clone(),
            read_rules(modes.clone()),
        );
        let dialer = dialer.priced(Pricing { prices: prices()?, models: models(config) });
        let dialer = Arc::new(match duty {
            Duty::Everything => dialer,
            Duty::SingleCalls => dialer.for_single_calls(),
        });

        let (stop_work, stop_serving) = (CancellationToken::new(), CancellationToken::new());
        let key = installation_key(&store).await?;
        let (api_key, fresh_api_key) = api_key(config, &store).await?;
        let inbound_token = inbound_token(&key);
        // The simulator inside was made a moment ago: there is nothing to look at.
        let beside = simulator.is_none().then(|| wanted(config, sources.clone(), &backend_url, &inbound_token, true));
        let scenarios = provider_modes
            .iter()
            .filter_map(|entry| Some((entry.name.clone(), sources.bundle(&entry.file).ok()?.fingerprint)))
            .collect();
        if !config.is_real() && roles.worker {
            // A simulator keeps nothing: every start deploys to it, as the command does to the platform.
            let wanted = wanted(config, sources, &backend_url, &inbound_token, false);
            deploy_to_simulator(&dialer, &wanted).await;
            tokio::spawn(keep_deployed(dialer.clone(), wanted, stop_work.clone()));
        }
        let voice = Voice {
            dialog_url: match &config.dialog {
                DialogBase::Backend => Some(format!("{backend_url}/voice/dialog")),
                DialogBase::At(base) => Some(format!("{base}/voice/dialog")),
                DialogBase::Off => None,
            },
            backend_url,
            openai_base_url: config.openai_base_url.clone(),
            openai_realtime_model: config.openai_realtime_model.clone(),
            media: platform::model(config, &reach_url),
            routes: provider_modes.iter().map(|entry| (entry.name.clone(), entry.route.clone())).collect(),
            scenarios,
        };
        let mut web =
            Web::new(dialer.clone(), key, api_key, inbound_token, voice, modes.clone(), config.caller_id.clone());
        web.stopping = stop_serving.clone();
        web.origins = config.doors.origins.clone().into();
        web.provider_apart = config.doors.provider_listen.is_some();
        web.turn = config.turn;
        web.hooks_private = config.tell.webhooks_private;
        web.metrics.open = config.tell.metrics_open;
        web.metrics.loopback = address.ip().is_loopback();
        let inside = simulator.as_ref().map(simulator::Running::completions_url);
        web.model = model(config, inside.as_deref())?;

        // Whoever answers has begun: nothing may fail after this.
        let patient = match beside {
            Some(wanted) => {
                let caller_ids = platform::caller_ids(config, &store).await?;
                Some(Arc::new(platform::patient_of(config, client, wanted, caller_ids, &clock)?))
            }
            None => None,
        };
        web.examine = patient.clone().map(examiner);
        web.deploy = patient.clone().map(deployer);
        let notifier = tell::notifier(config, &dialer, &modes, read_rules(modes.clone()))?;
        node.live(&store, &clock, stop_work.clone()).await?;
        if roles.scheduler && matches!(duty, Duty::Everything) {
            let stop = stop_work.clone();
            tokio::spawn(async move { notifier.run(stop).await });
        }
        let proxies = config.doors.proxies.clone().into();
        let web = Arc::new(web);
        if roles.scheduler && matches!(duty, Duty::Everything) {
            tokio::spawn(keep_judging(web.clone(), stop_work.clone()));
        }
        let server = doors.map(|doors| tokio::spawn(doors.serve(web, proxies, stop_serving.clone())));
        let woken = queue::Woken { worker: roles.worker, scheduler: roles.scheduler };
        let worker = tokio::spawn(work(dialer.clone(), woken, stop_work.clone()));
        if let Some(patient) = patient {
            tokio::spawn(examine(patient, stop_work.clone()));
        }
        Ok(App {
            store,
            clock,
            dialer,
            modes,
            address,
            fresh_api_key,
            simulator,
            behind_one_address: config.backend_url.is_some(),
            stop_work,
            stop_serving,
            server,
            worker,
            _lock: lock,
        })
    }

    pub fn simulator(&self) -> Option<&simulator::Running> {
        self.simulator.as_ref()
    }

    /// Stops taking work, lets calls under way report their end, writes what is in flight, closes.
    pub async fn stop(self) {
        self.stop_within(CALLS_END_WITHIN).await;
    }

    /// The same, and calls under way have so much real time to report their end; later they report to the next start.
    pub async fn stop_within(self, calls: Duration) {
        self.stop_work.cancel();
        let ended = tokio::time::timeout(STOP_WITHIN, async {
            let _ = self.worker.await;
            // What this node led is led by another from now on.
            if let Err(cause) = self.store.leave(&self.dialer.node, self.clock.now()).await {
                warn!("This node cannot say that it ends: {cause}");
            }
            // No call can report its end to a database that keeps nothing; and where another node stands behind the
            // same address, none needs this one.
            let others = self.behind_one_address && nodes::somebody_answers(&self.store, &self.clock).await;
            if !self.store.is_broken() && !others {
                let _ = tokio::time::timeout(calls, calls_end(&self.store)).await;
            }
            self.stop_serving.cancel();
            if let Some(simulator) = self.simulator {
                simulator.stop().await;
            }
            if let Some(server) = self.server {
                let _ = server.await;
            }
            self.store.close().await;
        });
        if ended.await.is_err() {
            warn!("Not everything ended in time; the next start goes on where this one was");
        }
    }
}

/// What replies instead of the rules, and what its tokens cost.
fn model(config: &Config, inside: Option<&str>) -> Result<Option<Model>> {
    let Some(named) = &config.model else { return Ok(None) };
    let client = chat::Client::new(named.reach(inside)).context("OPENAI_MODEL")?;
    Ok(Some(Model { client, prices: prices()?.written(&named.name) }))
}

/// The model that replies, for whoever asks it beside the service.
pub fn replier(config: &Config) -> Result<Option<Model>> {
    if config.model.as_ref().is_some_and(|named| named.base_url.is_none()) {
        bail!(
            "OPENAI_MODEL: the stand-in lives inside the service and judges nothing; name a model, or judge by rules"
        );
    }
    model(config, None)
}

/// Returns when no call is under way.
async fn calls_end(store: &Store) {
    loop {
        match store.calls_under_way().await {
            Ok(0) => return,
            Ok(_) => tokio::time::sleep(LOOK_EVERY).await,
            Err(cause) => return warn!("Calls under way cannot be counted: {cause}"),
        }
    }
}

/// A simulator that cannot be reached is tried again: it may be about to start.
async fn deploy_to_simulator(dialer: &Dialer, wanted: &Wanted) {
    match dialer.client.deploy(wanted).await {
        Ok(done) => info!("Deployed to the simulator: {} changes", done.changes.len()),
        Err(cause) => {
            warn!("Cannot deploy to the simulator: {:#}", anyhow::Error::from(cause));
            dialer.forgotten.notify_one();
        }
    }
}

/// A simulator keeps nothing on disk: whenever it turns out not to know our rules, it is deployed to.
async fn keep_deployed(dialer: Arc<Dialer>, wanted: Wanted, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = dialer.forgotten.notified() => tokio::time::sleep(DEPLOY_AGAIN_AFTER).await,
        }
        deploy_to_simulator(&dialer, &wanted).await;
    }
}

/// What the doctor finds, in short: nothing waits for it, and nothing fails by it.
async fn examine(patient: Arc<Patient>, stop: CancellationToken) {
    let found = tokio::select! {
        () = stop.cancelled() => return,
        found = patient.examine() => found,
    };
    for finding in found.0 {
        match finding.level {
            Level::Ok => {}
            Level::Warning => warn!("Set-up, {}: {}", finding.check, finding.told),
            Level::Failed => tracing::error!("Set-up, {}: {}", finding.check, finding.told),
        }
    }
}

/// The same for whoever asks.
fn examiner(patient: Arc<Patient>) -> Examine {
    Arc::new(move || {
        let patient = patient.clone();
        Box::pin(async move { patient.examine().await.json() })
    })
}

/// With what this process runs by.
fn deployer(patient: Arc<Patient>) -> Deploy {
    Arc::new(move |DeployOrder { dry_run, numbers }| {
        let patient = patient.clone();
        Box::pin(async move {
            let wanted = Wanted { numbers, dry_run, ..patient.wanted.clone() };
            let done = patient.client.deploy(&wanted).await.map_err(|cause| match cause {
                DeployError::Api(cause) => Problem::provider(cause),
                cause => Problem::refused(cause.to_string(), Vec::new()),
            })?;
            Ok(done.json())
        })
    })
}

/// HALO_CPS_MAX and HALO_LINES_MAX are first values: each is taken when it was written or changed, and what was set by
/// the API since then stays.
async fn first_limits(config: &Config, store: &Store, account: i64, platform: &str, now: Timestamp) -> Result<()> {
    let (cps, lines) = (format!("{:?}", config.cps_max), format!("{:?}", config.lines_max));
    let written = format!("{platform} {cps} {lines}");
    let before = store.installation_value("limits").await?.unwrap_or_default();
    if before == written {
        return Ok(());
    }
    let mut parts = before.rsplitn(3, ' ');
    let (lines_before, cps_before, platform_before) = (parts.next(), parts.next(), parts.next());
    let elsewhere = platform_before != Some(platform);
    let cps_max = config.cps_max.filter(|_| elsewhere || cps_before != Some(cps.as_str()));
    let lines_max = config.lines_max.filter(|_| elsewhere || lines_before != Some(lines.as_str()));
    store
        .limit(LimitOrder { account, cps_max: cps_max.map(Some), lines_max: lines_max.map(Some), seen: None, now })
        .await?;
    Ok(store.set_installation_value("limits", written).await?)
}

async fn work(dialer: Arc<Dialer>, woken: queue::Woken, stop: CancellationToken) {
    if let Err(cause) = queue::run_for(dialer, woken, stop).await {
        tracing::error!("{cause}");
    }
}

/// Made once, and kept with the rows: what signs tokens and links.
pub async fn installation_key(store: &Store) -> Result<Vec<u8>> {
    let fresh = format!("{:032x}{:032x}", rand::random::<u128>(), rand::random::<u128>());
    Ok(store.installation_value_or("key", fresh).await?.into_bytes())
}

/// The first admin key: from the settings, else made once and shown once.
async fn api_key(config: &Config, store: &Store) -> Result<(ApiKey, Option<String>)> {
    if let Some(key) = &config.api_auth_key {
        return Ok((ApiKey::of(key.expose_secret()), None));
    }
    let fresh = format!("halo_{:032x}", rand::random::<u128>());
    let hash = serde_json::to_string(&ApiKey::of(&fresh).hash())?;
    let stands = store.installation_value_or("api_key_hash", hash.clone()).await?;
    let kept: [u8; 32] = serde_json::from_str(&stands).context("the key kept in the database")?;
    Ok((ApiKey::from_hash(kept), (stands == hash).then_some(fresh)))
}
