//! How many events of sessions are taken in a second: each is verified by its call's token, stored durably, applied, and
//! the last one of a call settles it, before it is answered 200.
//!
//! What is real: HTTP over loopback on connections that are kept, the whole router of the service with its layers, the
//! dialer's decisions and the store with `synchronous=FULL` (PostgreSQL: `fsync`, `synchronous_commit`,
//! `full_page_writes`). Every call was planned, started and granted before, as any other; what is told of it are the
//! contract's own examples, stage by stage, many calls at once. Nothing else happens meanwhile: nobody is planned or
//! started, and no history is asked for. Whoever sends the events shares the processors with whoever takes them.
//!
//! Beside it, in the same run and with the same bytes: a handler of the same framework that stores nothing, and a group
//! commit of the bodies alone, without HTTP.
//!
//! `cargo bench --bench webhooks -- --engine sqlite --calls 20000 --connections 256 --rate 5000`

mod commits;
#[path = "../dispatch/ground.rs"]
mod ground;
mod line;
#[path = "../dispatch/platform.rs"]
#[allow(dead_code, reason = "its own sessions tell nothing here")]
mod platform;
#[path = "../../tests/common/postgres.rs"]
#[allow(dead_code)]
mod postgres;
#[path = "../dispatch/service.rs"]
mod service;
mod story;

use axum::body::Bytes;
use axum::routing::post;
use axum::serve::ListenerExt;
use axum::{Json, Router};
use ground::{Engine, Ground, Told};
use halo::http::router;
use line::Line;
use platform::{Granted, Provider};
use serde_json::{Value, json};
use service::{Limits, Service, service};
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};
use story::Story;
use tokio_util::sync::CancellationToken;

const USAGE: &str = "--engine sqlite,postgres  --calls 20000  --connections 256  --rate 5000  --pace 2000";
/// Calls are granted by a scaled clock, so that starts may leave late; they may last until all was told.
const SPEED: f64 = 20.0;
const CALL_S: u32 = 3600;
/// Of all calls: told before anything is measured, and told at the given rate. The others are told as fast as can be.
const WARM_UP: f64 = 0.1;
const PACED: f64 = 0.25;
/// More than one call is granted a second, or something stands still.
const GRANTED_WITHIN: Duration = Duration::from_secs(30);

#[derive(Clone, Debug)]
struct Options {
    engines: Vec<Engine>,
    calls: usize,
    connections: usize,
    /// Events a second of the paced part.
    rate: f64,
    /// Starts a second while calls are granted.
    pace: f64,
}

fn options() -> Result<Options, String> {
    let mut options =
        Options { engines: vec![Engine::Sqlite], calls: 20_000, connections: 256, rate: 5000.0, pace: 2000.0 };
    let mut args = std::env::args().skip(1).filter(|arg| arg != "--bench");
    while let Some(name) = args.next() {
        let value = args.next().ok_or_else(|| format!("{name} wants a value"))?;
        let wrong = |e: &dyn std::fmt::Display| format!("{name}: {e}");
        match name.as_str() {
            "--engine" => {
                let each = value.split(',').map(str::parse).collect::<Result<Vec<Engine>, String>>();
                options.engines = each.map_err(|e| wrong(&e))?;
            }
            "--calls" => options.calls = value.parse::<usize>().map_err(|e| wrong(&e))?,
            "--connections" => options.connections = value.parse::<usize>().map_err(|e| wrong(&e))?,
            "--rate" => options.rate = value.parse::<f64>().map_err(|e| wrong(&e))?,
            "--pace" => options.pace = value.parse::<f64>().map_err(|e| wrong(&e))?,
            other => return Err(format!("{other} is no option: {USAGE}")),
        }
    }
    match options.connections > 0 && options.calls >= 20 && options.rate > 0.0 {
        true => Ok(options),
        false => Err("at least 20 calls, one connection, and a rate above zero".to_owned()),
    }
}

/// The program's own.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main(worker_threads = 2)]
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
        match Ground::new(*engine).await {
            Some(ground) => lines.extend(measured(ground, &options).await),
            None => eprintln!("{engine}: not installed here, left out"),
        }
    }
    for line in lines {
        println!("{line}");
    }
}

/// Calls that hold their grants, and of which nothing was told yet.
async fn granted(service: &Service, provider: &Provider, wanted: usize) -> Vec<Granted> {
    let mut handed = provider.hands_over();
    provider.answers_to(router(service.web.clone()));
    let stop = CancellationToken::new();
    let working = tokio::spawn(halo::queue::run(service.dialer.clone(), stop.clone()));
    let mut calls = Vec::with_capacity(wanted);
    while calls.len() < wanted {
        let next = tokio::time::timeout(GRANTED_WITHIN, handed.recv()).await;
        calls.push(next.expect("a grant within half a minute").expect("the provider lives"));
    }
    stop.cancel();
    working.await.expect("no panic").expect("the queue ends in order");
    provider.over().await;
    assert_eq!(provider.faults(), 0, "sessions that were not answered as they should be");
    calls
}

async fn serve(answers: Router) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let listener = listener.tap_io(|tcp| drop(tcp.set_nodelay(true)));
    let answers = answers.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, answers).await });
    address
}

struct Teller {
    story: Story,
    calls: Vec<Granted>,
    connections: usize,
}

struct Heard {
    per_second: f64,
    /// From the instant at which each was to be sent, to its answer.
    waits_ms: Vec<f64>,
}

impl Teller {
    /// What each connection tells of these calls, each event with its place in the order of all.
    fn shares(&self, calls: Range<usize>) -> Vec<Vec<(usize, usize, usize)>> {
        let mut shares = vec![Vec::new(); self.connections.min(calls.len())];
        for (place, (call, event)) in self.story.order(calls, self.connections).into_iter().enumerate() {
            let of = call % shares.len();
            shares[of].push((place, call, event));
        }
        shares
    }

    fn bodies(&self, calls: Range<usize>) -> Vec<Vec<String>> {
        let shares = self.shares(calls);
        let body = |(_, nth, event): (usize, usize, usize)| self.story.body(&self.calls[nth], nth, event);
        shares.into_iter().map(|share| share.into_iter().map(body).collect()).collect()
    }

    /// As fast as answers come, or at a pace that does not wait for them: who is late then has waited longer.
    async fn tell(
        self: &Arc<Self>,
        calls: Range<usize>,
        to: SocketAddr,
        path: &'static str,
        rate: Option<f64>,
    ) -> Heard {
        let shares = self.shares(calls);
        let events: usize = shares.iter().map(Vec::len).sum();
        let mut lines = Vec::new();
        for _ in &shares {
            lines.push(Line::to(to).await);
        }
        let began = Instant::now();
        let mut telling = Vec::new();
        for (share, mut line) in shares.into_iter().zip(lines) {
            let teller = self.clone();
            telling.push(tokio::spawn(async move {
                let mut waits_ms = Vec::with_capacity(share.len());
                for (place, call, event) in share {
                    let due = rate.map(|rate| began + Duration::from_secs_f64(place as f64 / rate));
                    if let Some(due) = due {
                        tokio::time::sleep_until(due.into()).await;
                    }
                    let asked = due.unwrap_or_else(Instant::now);
                    let granted = &teller.calls[call];
                    let body = teller.story.body(granted, call, event);
                    let status = line.post(path, &granted.event_token, &body).await;
                    assert_eq!(status, 200, "an event of {} is taken: {body}", granted.attempt);
                    waits_ms.push(asked.elapsed().as_secs_f64() * 1000.0);
                }
                waits_ms
            }));
        }
        let mut waits_ms = Vec::with_capacity(events);
        for teller in telling {
            waits_ms.extend(teller.await.expect("every connection goes to its end"));
        }
        let per_second = events as f64 / began.elapsed().as_secs_f64();
        waits_ms.sort_by(f64::total_cmp);
        Heard { per_second, waits_ms }
    }
}

fn quantile(sorted: &[f64], share: f64) -> f64 {
    sorted[((sorted.len() - 1) as f64 * share).round() as usize]
}

async fn bare_handler() -> SocketAddr {
    let answer = |_: Bytes| async { Json(json!({ "status": "ok" })) };
    serve(Router::new().route("/bare", post(answer))).await
}

async fn measured(ground: Ground, options: &Options) -> Vec<Value> {
    let engine = ground.engine;
    let account = ground.fill(options.calls, options.pace / SPEED).await;
    let provider = Provider::start().await;
    let limits = Limits { lines: options.calls as u32, call_s: CALL_S, pace: options.pace, speed: SPEED };
    let service = service(&ground, account, &provider.url, limits).await;
    eprintln!("{engine}: waiting for {} calls to be granted", options.calls);
    let calls = granted(&service, &provider, options.calls).await;
    let (story, connections) = (Story::of_the_contract(), options.connections);
    let teller = Arc::new(Teller { story, calls, connections });

    let all = options.calls as f64;
    let (warm, paced) = ((all * WARM_UP) as usize, (all * PACED) as usize);
    let (warm, fast, paced) = (0..warm, warm..options.calls - paced, options.calls - paced..options.calls);
    let (ours, bare) = (serve(router(service.web.clone())).await, bare_handler().await);
    teller.tell(warm.clone(), bare, "/bare", None).await;
    teller.tell(warm, ours, "/voximplant/events", None).await;

    eprintln!("{engine}: {} events as fast as can be", teller.story.count(fast.clone()));
    let nothing = teller.tell(fast.clone(), bare, "/bare", None).await;
    let committed = commits::per_second(&ground, teller.bodies(fast.clone())).await;
    let taken = teller.tell(fast, ours, "/voximplant/events", None).await;

    eprintln!("{engine}: {} events at {} a second", teller.story.count(paced.clone()), options.rate);
    let nothing_paced = teller.tell(paced.clone(), bare, "/bare", Some(options.rate)).await;
    let taken_paced = teller.tell(paced, ours, "/voximplant/events", Some(options.rate)).await;

    let busy = (0..options.calls).filter(|nth| Story::is_busy(*nth)).count();
    let answered = (options.calls - busy) as i64;
    let events = teller.story.count(0..options.calls) as i64;
    let turns = answered * teller.story.turns_each as i64;
    ground.check(Told { answered, called: options.calls as i64, turns, events }).await;
    service.store.close().await;
    ground.close().await;

    let line = |metric: &str, value: f64, unit: &str| {
        json!({
            "bench": "webhooks", "metric": metric, "value": (value * 1000.0).round() / 1000.0, "unit": unit,
            "engine": engine.to_string(), "calls": options.calls, "connections": connections,
        })
    };
    let ratio = |value: f64, against: &str| {
        let mut line = line(&format!("events taken beside {against}"), value, "ratio");
        line["against"] = json!(against);
        line
    };
    let at = |name: &str, of: &str| format!("{of}, {name} at {} a second", options.rate);
    vec![
        line("events taken, verified, durable, applied and settled", taken.per_second.round(), "1/s"),
        line("a bare handler", nothing.per_second.round(), "1/s"),
        ratio(taken.per_second / nothing.per_second, "a bare handler of the same framework that stores nothing"),
        line("a bare group commit", committed.round(), "1/s"),
        ratio(taken.per_second / committed, "a bare group commit of the same bytes"),
        line("events taken while paced", taken_paced.per_second.round(), "1/s"),
        line(&at("p50", "an event"), quantile(&taken_paced.waits_ms, 0.5), "ms"),
        line(&at("p99", "an event"), quantile(&taken_paced.waits_ms, 0.99), "ms"),
        line(&at("p99", "a bare handler"), quantile(&nothing_paced.waits_ms, 0.99), "ms"),
    ]
}
