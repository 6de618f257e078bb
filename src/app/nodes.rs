//! The processes of one installation: what each does, that it lives, and by which clock.
//!
//! On PostgreSQL any number of them serve one database. On SQLite there is one, and it does everything.

use super::Duty;
use super::lock::sqlite_path;
use crate::clock::{Clock, OffsetFilter};
use crate::config::{Config, PlatformConfig};
use crate::domain::Timestamp;
use crate::store::Store;
use crate::store::nodes::{BeatOrder, NodeRow};
use anyhow::{Result, bail};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tracing::warn;

/// A node says so often that it lives, and asks the database for the time.
const BEAT_EVERY: Duration = Duration::from_secs(1);
/// Silent for so long it is taken for dead; its row stays to be seen for a while longer.
const DEAD_AFTER_MS: i64 = 5_000;
const FORGOTTEN_AFTER_MS: i64 = 10 * 60_000;
/// Questions for the time before anything is decided by it.
const CLOCK_SAMPLES: usize = 5;
/// A node of before that died without a word is waited for so long.
const WAITS_FOR_DEAD: Duration = Duration::from_secs(7);
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// What a process does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Roles {
    /// HTTP: the API, and what sessions ask and tell.
    pub api: bool,
    /// Plans, dials, reconciles.
    pub worker: bool,
    /// Fires schedules.
    pub scheduler: bool,
}

impl Roles {
    pub const ALL: Roles = Roles { api: true, worker: true, scheduler: true };
}

impl FromStr for Roles {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut roles = Roles { api: false, worker: false, scheduler: false };
        for role in text.split(',').map(str::trim) {
            match role {
                "api" => roles.api = true,
                "worker" => roles.worker = true,
                "scheduler" => roles.scheduler = true,
                other => return Err(format!("`{other}` is no role; there are api, worker and scheduler")),
            }
        }
        Ok(roles)
    }
}

impl fmt::Display for Roles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = [(self.api, "api"), (self.worker, "worker"), (self.scheduler, "scheduler")];
        let names: Vec<&str> = named.into_iter().filter_map(|(is, name)| is.then_some(name)).collect();
        f.write_str(&names.join(","))
    }
}

/// What the settings do not allow, before anything is opened.
pub fn may_have(roles: Roles, config: &Config) -> Result<()> {
    if roles == Roles::ALL {
        return Ok(());
    }
    if let Some(path) = sqlite_path(&config.database_url) {
        bail!(
            "--roles {roles}: roles are shared out on PostgreSQL alone; {} is a SQLite file, which one process with \
             all roles serves (docs/SCALING.md says how to move)",
            path.display()
        );
    }
    if matches!(config.platform, PlatformConfig::Inside) {
        bail!(
            "--roles {roles}: the simulator inside belongs to one process; several need one platform: set \
             VOXIMPLANT_API_URL, for a simulator of its own (`halo simulate`), or USE_VOXIMPLANT=true"
        );
    }
    if !roles.api && config.backend_url.is_none() {
        bail!(
            "--roles {roles}: BACKEND_URL is missing; this process does not answer sessions itself, and must tell \
             them where the one with the role api is"
        );
    }
    Ok(())
}

/// Alive by its last beat.
fn is_alive(row: &NodeRow, clock: &Clock) -> bool {
    clock.now().since(row.beat_at) <= clock.at_least(DEAD_AFTER_MS, DEAD_AFTER_MS)
}

/// How the table names a process that serves one call alone: it dials no campaign, and answers nobody else's sessions.
const SINGLE: &str = "single";

/// Does another node answer sessions? Asked by one that has left already.
pub(super) async fn somebody_answers(store: &Store, clock: &Clock) -> bool {
    let rows = store.nodes().await.unwrap_or_default();
    rows.iter().any(|row| is_alive(row, clock) && row.roles.parse().is_ok_and(|roles: Roles| roles.api))
}

/// What would make two processes of one database disagree is refused while another one lives.
pub(super) async fn fits_the_others(config: &Config, store: &Store, speed: f64) -> Result<()> {
    let alone = sqlite_path(&config.database_url).is_some();
    let other_speed = super::kept_clock(store).await?.is_some_and(|kept| kept.speed != speed);
    let inside = matches!(config.platform, PlatformConfig::Inside);
    if alone || !(other_speed || inside) {
        return Ok(());
    }
    let clock = super::peek_clock(store).await?;
    let waiting = async {
        while store.nodes().await?.iter().any(|row| is_alive(row, &clock)) {
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(())
    };
    if let Ok(gone) = tokio::time::timeout(WAITS_FOR_DEAD, waiting).await {
        return gone;
    }
    if other_speed {
        bail!("HALO_CLOCK_SPEED differs from that of the nodes which serve this database: stop them first");
    }
    bail!(
        "other nodes serve this database, and the simulator inside belongs to one process: set VOXIMPLANT_API_URL, \
         for a simulator of its own (`halo simulate`), or USE_VOXIMPLANT=true"
    )
}

/// One process among them.
#[derive(Clone)]
pub(super) struct Node {
    pub name: String,
    roles: String,
    host: String,
    started_at: Timestamp,
}

impl Node {
    pub fn new(roles: Roles, duty: Duty, started_at: Timestamp) -> Self {
        // Unique over the nodes and over the lives of one.
        let name = format!("{}-{:08x}", std::process::id(), rand::random::<u32>());
        let roles = match duty {
            Duty::Everything => roles.to_string(),
            Duty::SingleCalls => SINGLE.to_owned(),
        };
        Node { name, roles, host: host(), started_at }
    }

    async fn beat(&self, store: &Store, clock: &Clock) -> crate::store::Result<()> {
        let now = clock.now();
        let forget_before = now.plus_ms(-clock.at_least(FORGOTTEN_AFTER_MS, FORGOTTEN_AFTER_MS));
        let order = BeatOrder {
            node: self.name.clone(),
            roles: self.roles.clone(),
            host: self.host.clone(),
            started_at: self.started_at,
            now,
            alive_until: now.plus_ms(clock.at_least(DEAD_AFTER_MS, DEAD_AFTER_MS)),
            forget_before,
        };
        store.beat(order).await
    }

    /// Until `stop`: the first beat is made before this returns.
    pub async fn live(self, store: &Store, clock: &Clock, stop: CancellationToken) -> Result<()> {
        self.beat(store, clock).await?;
        let (store, clock) = (store.clone(), clock.clone());
        tokio::spawn(async move {
            let mut ticks = tokio::time::interval(BEAT_EVERY);
            ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            let mut silent = false;
            loop {
                tokio::select! {
                    () = stop.cancelled() => return,
                    _ = ticks.tick() => {}
                }
                let beaten = self.beat(&store, &clock).await;
                // Said once, not every second.
                if let (Err(cause), false) = (&beaten, silent) {
                    warn!("This node cannot say that it lives: {cause}");
                }
                silent = beaten.is_err();
            }
        });
        Ok(())
    }
}

fn host() -> String {
    ["/proc/sys/kernel/hostname", "/etc/hostname"]
        .iter()
        .find_map(|path| std::fs::read_to_string(path).ok())
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "unknown".into())
}

/// On PostgreSQL wall time is the database's, so that nodes whose clocks differ agree: what it shows now.
pub(super) async fn wall_us(store: &Store) -> Result<i64> {
    Ok(Clock::machine_us() + store.clock_offset_us(Clock::machine_us).await?)
}

/// Sets the clock by the database's, and goes on doing so: a machine whose clock is set wrong, or set right, is
/// followed within a second.
pub(super) async fn watch_database_clock(store: &Store, clock: &Clock) -> Result<()> {
    let mut filter = OffsetFilter::default();
    for _ in 0..CLOCK_SAMPLES {
        let Some((offset_us, round_us)) = store.clock_sample(Clock::machine_us).await? else { return Ok(()) };
        clock.set_offset(filter.take(offset_us, round_us));
    }
    let (store, clock) = (store.clone(), clock.clone());
    tokio::spawn(async move {
        let mut silent = false;
        loop {
            tokio::time::sleep(BEAT_EVERY).await;
            let sample = store.clock_sample(Clock::machine_us).await;
            match &sample {
                Ok(Some((offset_us, round_us))) => clock.set_offset(filter.take(*offset_us, *round_us)),
                Ok(None) => return,
                Err(cause) if !silent => warn!("The database's clock cannot be read: {cause}"),
                Err(_) => {}
            }
            silent = sample.is_err();
        }
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_read_and_written() {
        assert_eq!("api,worker,scheduler".parse(), Ok(Roles::ALL));
        assert_eq!("worker, api".parse::<Roles>().map(|roles| roles.to_string()), Ok("api,worker".to_owned()));
        assert_eq!(
            "api,cook".parse::<Roles>(),
            Err("`cook` is no role; there are api, worker and scheduler".to_owned())
        );
        assert!("".parse::<Roles>().is_err());
    }
}
