//! Starts per second, judged by whoever receives them.
//!
//!     cargo bench --bench pace                                  # 1, 10, 100, 500 per second, a minute each, and three nodes
//!     cargo bench --bench pace -- --seconds 20 --rates 10,100   # shorter, and only these
//!     cargo bench --bench pace -- --open-calls 2000             # open calls at once, and the runner's memory
//!
//! The runner is `halo serve`, a process of its own on a fresh database. Up to 100 per second the provider is
//! `halo simulate`, another process; above, a minimal stub in this one, whose sessions are granted and end busy. Both
//! note each `StartScenarios` as it arrives, by their own clock. Work waits all the time. Program time is real time.
//! Nobody is rung, everything listens on loopback, and what was started is stopped.
//!
//! Other options: `--nodes N` (that many against one private PostgreSQL; 0 leaves it out), `--stub` (the stub at every
//! rate), `--keep` (leaves the folder with the logs).

#[path = "pace/judge.rs"]
mod judge;
#[path = "../tests/common/postgres.rs"]
#[allow(dead_code)]
mod postgres;
#[path = "pace/runner.rs"]
mod runner;
#[path = "pace/stub.rs"]
mod stub;

use judge::Arrivals;
use runner::{Nodes, Provider, Work};
use serde_json::{Value, json};
use std::time::Duration;

/// From here on the simulator's JavaScript would be what is measured.
const SIMULATED_CPS_MAX: f64 = 100.0;

struct Options {
    seconds: u64,
    rates: Vec<f64>,
    nodes: usize,
    stub: bool,
    keep: bool,
    open_calls: Option<u32>,
}

fn options() -> Options {
    let mut options = Options {
        seconds: 60,
        rates: vec![1.0, 10.0, 100.0, 500.0],
        nodes: 3,
        stub: false,
        keep: false,
        open_calls: None,
    };
    let mut given = std::env::args().skip(1);
    while let Some(name) = given.next() {
        let mut number = || given.next().and_then(|text| text.parse::<f64>().ok()).expect("a number behind the option");
        match name.as_str() {
            "--seconds" => options.seconds = number() as u64,
            "--nodes" => options.nodes = number() as usize,
            "--open-calls" => options.open_calls = Some(number() as u32),
            "--stub" => options.stub = true,
            "--keep" => options.keep = true,
            "--rates" => {
                let text = given.next().expect("rates behind --rates");
                options.rates = text.split(',').map(|rate| rate.parse().expect("a rate")).collect();
            }
            // cargo's own.
            "--bench" => {}
            other => panic!("{other}: no such option; the head of benches/pace.rs has them"),
        }
    }
    options
}

fn main() {
    let options = options();
    // The first client that is built needs it; a second installation changes nothing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let lines = runtime.block_on(run(&options));
    for line in lines {
        println!("{line}");
    }
}

async fn run(options: &Options) -> Vec<Value> {
    let mut lines = Vec::new();
    if let Some(calls) = options.open_calls {
        return open_calls(options, calls).await;
    }
    for &cps in &options.rates {
        lines.extend(at_rate(options, cps, None).await);
    }
    if options.nodes > 0 {
        match postgres::cluster() {
            Some(cluster) => lines.extend(at_rate(options, 100.0, Some((options.nodes, cluster.port))).await),
            None => eprintln!("PostgreSQL is not installed: several nodes were left out"),
        }
    }
    lines
}

/// The limit is the account's; the campaign would be twice as fast.
async fn at_rate(options: &Options, cps: f64, nodes: Option<(usize, u16)>) -> Vec<Value> {
    let count = nodes.map_or(1, |(nodes, _)| nodes);
    let stub = options.stub || cps > SIMULATED_CPS_MAX;
    eprintln!("{cps} starts/s, {} s, {count} node(s), {} …", options.seconds, if stub { "stub" } else { "simulator" });
    let contacts = ((options.seconds + 15) as f64 * cps).ceil() as usize + 5;
    let work = Work { contacts, cps: (cps * 2.0).min(1000.0), lines: 10_000, mode: "greeting", talks: false };
    let provider = if stub { Provider::stub().await } else { Provider::simulator(options.keep) };
    provider.ready(&work).await;
    let mut runner = Nodes::start(&provider, &work, count, nodes.map(|(_, port)| port), Some(cps), options.keep).await;
    runner.run().await;
    let arrivals = provider.arrivals(Duration::from_secs(options.seconds)).await;
    let missed = runner.missed_slots();
    runner.stop();
    provider.stop();
    report(options, cps, count, stub, &arrivals, missed)
}

fn report(options: &Options, cps: f64, nodes: usize, stub: bool, arrivals: &Arrivals, missed: usize) -> Vec<Value> {
    let within = Duration::from_secs(options.seconds);
    let (busiest, used) = (arrivals.busiest_second(), arrivals.used(cps, within));
    let line = |metric: &str, value: Value, unit: &str| {
        json!({
            "bench": "pace", "metric": metric, "value": value, "unit": unit, "cps": cps, "nodes": nodes,
            "seconds": options.seconds, "provider": if stub { "stub" } else { "simulator" },
        })
    };
    let holds = busiest as f64 <= cps.ceil();
    eprintln!(
        "  busiest second {busiest} of {cps}{}, used {:.2} %, {missed} slots missed",
        if holds { "" } else { " (ABOVE THE LIMIT)" },
        used * 100.0
    );
    vec![
        line("starts_busiest_second", json!(busiest), "starts"),
        line("limit_used", json!((used * 10_000.0).round() / 10_000.0), "share"),
        line("slots_missed", json!(missed), "starts"),
    ]
}

/// So many calls talk at once, in the simulator; the runner's memory is the system's word.
async fn open_calls(options: &Options, calls: u32) -> Vec<Value> {
    eprintln!("{calls} open calls at once …");
    let work =
        Work { contacts: calls as usize * 5 / 2, cps: 60.0, lines: calls + calls / 20, mode: "dialog", talks: true };
    let provider = Provider::simulator(options.keep);
    provider.ready(&work).await;
    let mut runner = Nodes::start(&provider, &work, 1, None, None, options.keep).await;
    let idle_kib = runner.memory_kib();
    runner.run().await;
    let most = provider.open_calls(calls, Duration::from_secs(300)).await;
    let (now_kib, peak_kib) = (runner.memory_kib(), runner.memory_peak_kib());
    runner.stop();
    provider.stop();
    let mib = |kib: u64| json!((kib as f64 / 102.4).round() / 10.0);
    let line = |metric: &str, value: Value, unit: &str| json!({ "bench": "pace", "metric": metric, "value": value, "unit": unit });
    vec![
        line("open_calls_most", json!(most), "calls"),
        line("runner_memory_idle", mib(idle_kib), "MiB"),
        line("runner_memory", mib(now_kib), "MiB"),
        line("runner_memory_peak", mib(peak_kib), "MiB"),
    ]
}
