//! A deterministic simulation: the real domain, dialer and SQLite store under a seeded scheduler with virtual time.
//!
//! A world has one to three nodes on one database, two campaigns that share their numbers, a provider and its
//! sessions as values. The seed decides everything else: messages that are late, doubled or lost, starts refused,
//! answered late or not at all, two sessions for one start, grants asked for too late, history that lags, jobs
//! pushed twice or never, nodes that die with their verbs in mid-flight, pauses, stops, opt-outs. A verb runs until
//! it is done or asks the provider something; there it waits while others act, or its node dies. Within a verb each
//! act of the store is one transaction that decides from what it reads under its locks, so what could happen
//! between two of them happens between verbs, too. (Deaths inside the store are the kill matrix's.)
//!
//! Laws (`laws.rs`, and those of `halo prove`) are held at every ring, grant and start, and at the end.
//!
//! Seen to break a law when taken out: the same-session check (`grant::decide`), the gate "number busy" with the index
//! `one_live_call`, the stored `held_until`, the gate "paused", `attempts_max` in `follow` and `clear`.
//!
//! ```text
//! cargo test --test simulation                               # 60 seeds
//! HALO_SIMULATION_SEEDS=10000 cargo test --test simulation
//! HALO_SIMULATION_SEED=17 cargo test --test simulation -- --nocapture      # one world, told aloud
//! ```

#[path = "simulation/dice.rs"]
mod dice;
#[path = "simulation/laws.rs"]
mod laws;
#[path = "simulation/nodes.rs"]
mod nodes;
#[path = "simulation/provider.rs"]
mod provider;
#[path = "simulation/sessions.rs"]
mod sessions;
#[path = "simulation/world.rs"]
mod world;

use halo::domain::{Mode, Timestamp};
use halo::http::import::{Here, Upload, import};
use halo::store::Store;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use tempfile::TempDir;
use world::{CAMPAIGNS, Lived, World};

const SEEDS: u64 = 60;
const NUMBERS: usize = 2;
/// 10:00 UTC on a Wednesday.
const BEGIN_MS: i64 = 1_795_600_800_000;

fn number(nth: usize) -> String {
    format!("+7999000{nth:04}")
}

fn mode() -> Mode {
    "greeting".parse().expect("a mode's name")
}

/// A database with both campaigns, made once and copied for every world.
async fn template(folder: &Path) -> PathBuf {
    let _installed = rustls::crypto::ring::default_provider().install_default();
    let file = folder.join("template.db");
    let store = Store::open(&format!("sqlite:{}", file.display())).await.expect("a fresh database");
    let contacts = (0..NUMBERS).fold("phone\n".to_owned(), |list, nth| list + &number(nth) + "\n");
    for (name, limits) in CAMPAIGNS {
        let settings = format!(
            "name = \"{name}\"\npurpose = \"test\"\nmode = \"greeting\"\n[dial]\ncps = 5\nlines = {}\nring_s = 30\n\
             call_s = 60\n[retry]\nattempts_max = {}\nbusy = [\"1m\"]\nno_answer = [\"1m\"]\nunavailable = [\"1m\"]\n\
             network_error = [\"30s\"]\n",
            limits.lines, limits.tries
        );
        let modes = [mode()].into();
        let here = Here {
            store: &store,
            modes: &modes,
            real_platform: false,
            default_caller_id: "+74951234567".parse().ok(),
            now: Timestamp(BEGIN_MS),
        };
        let upload = Upload {
            source: "contacts.csv",
            settings: &settings,
            script: None,
            contacts: contacts.as_bytes(),
            salt: Some("salt".into()),
        };
        import(&here, upload).await.unwrap_or_else(|cause| panic!("{cause}: {:?}", cause.faults()));
    }
    store.close().await;
    file
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// Where databases live for a moment: in memory, where the system has such a folder.
fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.expect("a folder")
}

fn live(seed: u64, template: &Path, aloud: bool) -> Result<Lived, String> {
    let folder = folder();
    let file = folder.path().join("world.db");
    std::fs::copy(template, &file).expect("a copy");
    runtime().block_on(async {
        let store = Store::open(&format!("sqlite:{}", file.display())).await.expect("the copy opens");
        World::make(seed, store, BEGIN_MS, aloud).await.live().await
    })
}

fn asked<T: std::str::FromStr>(variable: &str) -> Option<T> {
    std::env::var(variable).ok().and_then(|text| text.parse().ok())
}

#[test]
fn no_seed_breaks_a_law() {
    let place = folder();
    let template = runtime().block_on(template(place.path()));
    if let Some(seed) = asked("HALO_SIMULATION_SEED") {
        let lived = live(seed, &template, true).unwrap_or_else(|broken| panic!("seed {seed}: {broken}"));
        println!("{} calls in {} steps", lived.calls, lived.steps);
        return;
    }
    let (seeds, next) = (asked("HALO_SIMULATION_SEEDS").unwrap_or(SEEDS), AtomicU64::new(0));
    let (calls, steps) = (AtomicU64::new(0), AtomicU64::new(0));
    let worker = || {
        let mut faults = Vec::new();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds {
                return faults;
            }
            match live(seed, &template, false) {
                Ok(lived) => {
                    calls.fetch_add(lived.calls as u64, Ordering::Relaxed);
                    steps.fetch_add(lived.steps as u64, Ordering::Relaxed);
                }
                Err(broken) => faults.push(format!(
                    "seed {seed}: {broken}\n    again: HALO_SIMULATION_SEED={seed} cargo test --test simulation -- --nocapture"
                )),
            }
        }
    };
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    let faults: Vec<String> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("a worker does not panic")).collect()
    });
    println!("{seeds} seeds: {} calls in {} steps", calls.into_inner(), steps.into_inner());
    assert!(faults.is_empty(), "{} of {seeds} seeds:\n{}", faults.len(), faults[..faults.len().min(10)].join("\n"));
}

/// Without it a printed seed would be a rumour.
#[test]
fn the_same_seed_lives_the_same_life() {
    let place = folder();
    let template = runtime().block_on(template(place.path()));
    let mut seen = std::collections::BTreeSet::new();
    for seed in 0..4 {
        let lives = [(); 3].map(|()| live(seed, &template, false).map(|lived| lived.trace));
        assert!(lives[0].is_ok() && lives.iter().all(|life| *life == lives[0]), "seed {seed}: {lives:?}");
        seen.extend(lives[0].clone().ok());
    }
    assert_eq!(seen.len(), 4, "different seeds live different lives");
}
