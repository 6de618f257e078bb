//! How many calls a second go their whole way: leased, slotted, queued, claimed, started, granted, told of (three
//! events), ended, their contacts brought to rest. Every write is durable when the next step begins.
//!
//! What is real: the queue with its ticks and housekeeping, the dialer with plan, claim, reconcile and history, the
//! provider's client over HTTP, the handlers of grant and events with their router and layers, the store with
//! `synchronous=FULL` (PostgreSQL: `fsync`, `synchronous_commit` and `full_page_writes` on). What is not: the provider
//! is a stub in this process, and its sessions hand their requests to the router without a socket.
//!
//! The clock is scaled, as in a demo, where a start may leave late: calls are limited by `--lines`, so that what is
//! measured is what the program can do, and not the pace that it was asked to keep. Beside it, on the same engine and in the same run,
//! what bare apalis does with empty jobs.
//!
//! `cargo bench --bench dispatch -- --engine sqlite --contacts 200000 --seconds 20`

mod bare;
#[allow(dead_code, reason = "the benchmark of webhooks uses the rest")]
mod ground;
#[allow(dead_code, reason = "the benchmark of webhooks uses the rest")]
mod platform;
#[path = "../../tests/common/postgres.rs"]
#[allow(dead_code)]
mod postgres;
mod service;

use ground::{Engine, Ground, Told};
use halo::http::router;
use halo::store::RunState;
use platform::Provider;
use serde_json::{Value, json};
use service::{Limits, Service, service};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

const USAGE: &str = "--engine sqlite,postgres  --contacts 200000,1000000  --seconds 20  --warm-up 5  --lines 2000  \
                     --pace 7000  --speed 20  --bare-seconds 10";

/// The longest call, in seconds of program time.
const CALL_S: u32 = 300;

#[derive(Clone, Debug)]
pub struct Options {
    engines: Vec<Engine>,
    contacts: Vec<usize>,
    seconds: u64,
    warm_up: u64,
    bare_seconds: u64,
    /// Calls open at once.
    lines: u32,
    /// Starts per second of real time, at most: more than can be had, and no more than that, because starts that
    /// were claimed by one commit must not leave at once.
    pace: f64,
    /// Of the clock.
    speed: f64,
}

fn options() -> Result<Options, String> {
    let mut options = Options {
        engines: vec![Engine::Sqlite, Engine::Postgres],
        contacts: vec![200_000, 1_000_000],
        seconds: 20,
        warm_up: 5,
        bare_seconds: 10,
        lines: 2000,
        pace: 7000.0,
        speed: 20.0,
    };
    let mut args = std::env::args().skip(1).filter(|arg| arg != "--bench");
    while let Some(name) = args.next() {
        let value = args.next().ok_or_else(|| format!("{name} wants a value"))?;
        let wrong = |e: &dyn std::fmt::Display| format!("{name}: {e}");
        match name.as_str() {
            "--engine" => options.engines = list(&value).map_err(|e: String| wrong(&e))?,
            "--contacts" => options.contacts = list(&value).map_err(|e: std::num::ParseIntError| wrong(&e))?,
            "--seconds" => options.seconds = value.parse::<u64>().map_err(|e| wrong(&e))?,
            "--warm-up" => options.warm_up = value.parse::<u64>().map_err(|e| wrong(&e))?,
            "--bare-seconds" => options.bare_seconds = value.parse::<u64>().map_err(|e| wrong(&e))?,
            "--lines" => options.lines = value.parse::<u32>().map_err(|e| wrong(&e))?,
            "--pace" => options.pace = value.parse::<f64>().map_err(|e| wrong(&e))?,
            "--speed" => options.speed = value.parse::<f64>().map_err(|e| wrong(&e))?,
            other => return Err(format!("{other} is no option: {USAGE}")),
        }
    }
    Ok(options)
}

fn list<T: std::str::FromStr>(text: &str) -> Result<Vec<T>, T::Err> {
    text.split(',').map(str::parse).collect()
}

#[tokio::main]
async fn main() {
    let options = match options() {
        Ok(options) => options,
        Err(fault) => {
            eprintln!("{fault}");
            std::process::exit(2);
        }
    };
    let mut lines = Vec::new();
    for engine in &options.engines {
        let Some(bare) = bare::jobs_per_second(*engine, &options).await else {
            eprintln!("{engine}: not installed here, left out");
            continue;
        };
        lines.push(json!({
            "bench": "dispatch", "metric": "bare apalis, empty jobs", "value": bare.round(), "unit": "1/s",
            "engine": engine.to_string(),
        }));
        for contacts in &options.contacts {
            let Some(ground) = Ground::new(*engine).await else { continue };
            lines.extend(calls(ground, *contacts, bare, &options).await);
        }
    }
    for line in lines {
        println!("{line}");
    }
}

/// The program's own.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

async fn calls(ground: Ground, contacts: usize, bare: f64, options: &Options) -> Vec<Value> {
    let engine = ground.engine;
    eprintln!("{engine}, {contacts} contacts: importing");
    let began = Instant::now();
    let account = ground.fill(contacts, options.pace / options.speed).await;
    eprintln!("{engine}, {contacts} contacts: imported in {:.1} s", began.elapsed().as_secs_f64());
    let began = Instant::now();
    let provider = Provider::start().await;
    let limits = Limits { lines: options.lines, call_s: CALL_S, pace: options.pace, speed: options.speed };
    let Service { store, dialer, web } = service(&ground, account, &provider.url, limits).await;
    provider.answers_to(router(web));

    let stop = CancellationToken::new();
    let working = tokio::spawn(halo::queue::run(dialer, stop.clone()));
    let first_start = provider.first_start(began).await;
    tokio::time::sleep(Duration::from_secs(options.warm_up)).await;
    let (before, cpu_before, began) = (provider.ended(), cpu_s(), Instant::now());
    let mut last = before;
    for second in 0..options.seconds {
        tokio::time::sleep((began + Duration::from_secs(second + 1)).saturating_duration_since(Instant::now())).await;
        let now = provider.ended();
        eprintln!("{engine}, {contacts} contacts: {} calls", now - last);
        last = now;
    }
    let (took, cpu) = (began.elapsed().as_secs_f64(), cpu_s() - cpu_before);
    let calls = (last - before) as f64;
    for run in store.open_runs().await.expect("runs") {
        store.set_run_state(run.run, RunState::Paused, None, run.started_at).await.expect("a pause");
    }
    stop.cancel();
    let _ = working.await;
    provider.over().await;
    assert_eq!(provider.faults(), 0, "requests of sessions that were not answered as they should be");
    let ended = provider.ended() as i64;
    ground.check(Told { answered: ended, called: ended, turns: ended, events: 3 * ended }).await;
    store.close().await;
    ground.close().await;

    let line = |metric: &str, value: f64, unit: &str| {
        json!({
            "bench": "dispatch", "metric": metric, "value": (value * 1000.0).round() / 1000.0, "unit": unit,
            "engine": engine.to_string(), "contacts": contacts,
        })
    };
    let per_second = calls / took;
    let mut ratio = line("calls per second beside bare jobs per second", per_second / bare, "ratio");
    ratio["against"] = json!("bare apalis, empty jobs");
    vec![
        line("calls through their whole life", per_second.round(), "1/s"),
        ratio,
        line("processor time of this process for a call", 1e6 * cpu / calls, "us"),
        line("from the open database to the first start", first_start, "s"),
    ]
}

/// Seconds of processor time that this process has used.
fn cpu_s() -> f64 {
    const TICKS_PER_S: f64 = 100.0;
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<f64> =
        stat.rsplit(')').next().unwrap_or_default().split_whitespace().filter_map(|f| f.parse().ok()).collect();
    // After the name and the letter of its state: the 11th and 12th are utime and stime (proc(5)).
    fields.get(10).zip(fields.get(11)).map_or(0.0, |(user, system)| (user + system) / TICKS_PER_S)
}
