//! The kill matrix: the service is killed at every point of a call, started again, and everything that the laws
//! promise must still be true.
//!
//! Real processes: `halo serve` with a database of its own (a SQLite file, or one of a private PostgreSQL), and
//! simulators that outlive it and count what really rang. Each cell of the matrix is a point of `halo::fail` × a
//! callee (answered, busy, lost: every event of its session vanishes) × an engine: the service runs until the point
//! kills it, is started again without it, and the run goes on to its end. Then: no attempt rang twice by the
//! simulator's own ledger, every contact rests with a disposition, every law of `halo prove` holds, an import is all
//! or nothing, a schedule's moment made one run. A cell whose point was not reached is a failure too.
//!
//! `cargo test --test kill` is what CI runs: every point once on each engine, its callees taken in turn, another one on
//! the other engine. Every point × every callee, and more callees with the first four times of every point:
//!
//! ```text
//! HALO_KILL_MATRIX=all cargo test --test kill
//! HALO_KILL_MATRIX=wide cargo test --test kill
//! HALO_KILL_MATRIX=dial.claimed:1/busy cargo test --test kill sqlite     # one cell
//! ```

mod common;
mod harness;

#[path = "kill/place.rs"]
mod place;
#[path = "kill/play.rs"]
mod play;
#[path = "kill/points.rs"]
mod points;

use common::Engine;
use futures::StreamExt;
use halo::fail::POINTS;
use place::Ground;
use std::time::Instant;

/// Cells played at once: each of them mostly waits.
const AT_ONCE: usize = 4;
const HITS_WIDE: u32 = 4;
const VARIABLE: &str = "HALO_KILL_MATRIX";

/// Who is called, and what of the provider breaks meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Callee {
    Answered,
    /// Busy, and answers the second time.
    Busy,
    /// Answers, and none of its session's events arrives.
    Lost,
    /// Some of its starts are refused with 429.
    Refused,
    /// Further callees of the wide matrix, by the last digits of their numbers.
    Ending(u32),
}

impl Callee {
    fn name(self) -> String {
        match self {
            Callee::Ending(ending) => format!("{ending:02}"),
            other => format!("{other:?}").to_lowercase(),
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub struct Cell {
    pub point: &'static str,
    pub hit: u32,
    pub callee: Callee,
    /// A number of its own, so that its numbers, port and folder are too.
    pub nth: u32,
}

impl Cell {
    fn name(&self) -> String {
        format!("{}:{}/{}", self.point, self.hit, self.callee.name())
    }
}

/// The points that a callee never comes to, because nothing of the kind happens to it.
fn never_reached(point: &str, callee: Callee) -> bool {
    let what = point.split('.').next().unwrap_or(point);
    match what {
        "event" => callee == Callee::Lost,
        // History tells of every other session at the first asking.
        "patience" => callee != Callee::Lost,
        "retry" => callee != Callee::Busy,
        "deferral" => callee != Callee::Refused,
        _ => point == "dial.refused" && callee != Callee::Refused,
    }
}

/// What happens once, whoever is called.
fn once(point: &str) -> bool {
    ["import.", "run.", "fire."].iter().any(|what| point.starts_with(what))
}

fn matrix(engine: Engine) -> Vec<Cell> {
    let asked = std::env::var(VARIABLE).unwrap_or_default();
    let wide = asked == "wide" || asked.contains('/');
    let mut callees = vec![Callee::Answered, Callee::Busy, Callee::Lost, Callee::Refused];
    if wide {
        callees.extend([60, 65, 78, 83, 85, 88, 90, 92, 93, 94, 96, 99].map(Callee::Ending));
    }
    let mut cells = Vec::new();
    for callee in callees {
        for point in POINTS {
            let main = [Callee::Answered, Callee::Busy, Callee::Lost].contains(&callee);
            let of_refused = callee == Callee::Refused && (point.starts_with("def") || *point == "dial.refused");
            let here = if once(point) { callee == Callee::Answered } else { main || of_refused || wide };
            if !here || never_reached(point, callee) {
                continue;
            }
            let hits = if wide && !once(point) { HITS_WIDE } else { 1 };
            cells.extend((1..=hits).map(|hit| Cell { point, hit, callee, nth: 0 }));
        }
    }
    if asked.is_empty() {
        let first = usize::from(engine == Engine::Postgres);
        let turns = POINTS.iter().enumerate().filter_map(|(turn, point)| {
            let of_point: Vec<Cell> = cells.iter().filter(|cell| cell.point == *point).copied().collect();
            (!of_point.is_empty()).then(|| of_point[(turn + first) % of_point.len()])
        });
        cells = turns.collect();
    }
    for (cell, nth) in cells.iter_mut().zip(0..) {
        cell.nth = nth;
    }
    cells.retain(|cell| !asked.contains('/') || cell.name() == asked);
    assert!(!cells.is_empty(), "{VARIABLE}={asked} names no cell; one is called dial.claimed:1/busy");
    cells
}

async fn whole(engine: Engine) {
    let began = Instant::now();
    let Some(ground) = Ground::prepare(engine).await else { return };
    let cells = matrix(engine);
    let (many, ground) = (cells.len(), &ground);
    let mut playing = futures::stream::iter(cells)
        .map(|cell| async move { (cell, play::play(ground, cell).await) })
        .buffer_unordered(AT_ONCE);
    let mut faults = Vec::new();
    while let Some((cell, played)) = playing.next().await {
        println!(
            "{:>4.0} s {} {}",
            began.elapsed().as_secs_f64(),
            cell.name(),
            if played.is_ok() { "ok" } else { "FAILED" }
        );
        if let Err(fault) = played {
            let again = format!("{VARIABLE}={} cargo test --test kill {engine:?}", cell.name()).to_lowercase();
            faults.push(format!(
                "{}: {fault}\n    again: {}",
                cell.name(),
                again.replace("halo_kill_matrix", VARIABLE)
            ));
        }
    }
    println!("{engine:?}: {many} cells in {:.0} s", began.elapsed().as_secs_f64());
    assert!(faults.is_empty(), "{} of {many} cells:\n{}", faults.len(), faults.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_point_on_sqlite() {
    whole(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_point_on_postgres() {
    whole(Engine::Postgres).await;
}
