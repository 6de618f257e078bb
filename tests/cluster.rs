//! Three nodes, as real processes on one PostgreSQL whose clocks are five minutes apart, and one simulator that
//! counts: the server restarted, a node killed, one frozen and thawed, one cut off. Nobody is rung twice, nobody is
//! forgotten, every law of `halo prove` holds, and no rolling second holds more starts than the limit.
//!
//! The long one, of a minute's freeze and with the simulator's own word on every rolling second (a machine with
//! nothing else to do): `cargo test --release --test cluster -- --ignored --nocapture`

mod common;
mod harness;
mod shim;

#[path = "cluster/front.rs"]
mod front;
#[path = "cluster/nodes.rs"]
mod nodes;

use harness::process::until;
use harness::{csv, ledger, number};
use nodes::{ALL, Cluster, FIVE_MINUTES_APART, Plan, busiest};
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// The server is everybody's: one test at a time restarts it.
static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

/// A leader that died is followed within this (wall time).
const TAKEN_OVER_WITHIN: Duration = Duration::from_secs(10);

fn client() {
    // reqwest is built without a provider of its own; another test may have installed it.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// Callees whose calls are short: busy, refused, hung up on, no such number.
fn short_calls(contacts: u32) -> String {
    let endings = [75, 76, 77, 88, 89, 90, 91, 60, 61, 62, 63, 64];
    csv((0..contacts).map(|n| number(n / 12, endings[n as usize % 12])))
}

fn settings(name: &str, cps: f64, attempts_max: u32) -> String {
    format!(
        "name = \"{name}\"\npurpose = \"test\"\n{}\n\
         [dial]\ncps = {cps}\nlines = 200\nring_s = 20\ncall_s = 60\n\
         [retry]\nattempts_max = {attempts_max}\nbusy = [\"2m\"]\nno_answer = [\"2m\"]\nunavailable = [\"2m\"]\n\
         network_error = [\"2m\"]\n",
        harness::SPLIT
    )
}

struct Pace {
    cps: u32,
    contacts: u32,
    freeze: Duration,
    /// Arrivals are told by a process that shares this machine: what it may be late by, in milliseconds.
    late_ms: i64,
    to_the_end: bool,
}

/// Guards: the rows of account and runs, locked by whoever plans (`lock_account.sql`, `lock_open_runs.sql`,
/// `open_runs.sql`), without which each node gives the same slots; and the database's clock (`Clock::set_offset`),
/// without which nodes take each other for dead and plan by times that are minutes apart.
async fn pace(test: Pace) {
    client();
    let _alone = ONE_AT_A_TIME.lock().await;
    let plan = Plan { speed: 1.0, cps_max: Some(test.cps), clocks_s: FIVE_MINUTES_APART, roles: [ALL; 3] };
    let Some(mut cluster) = Cluster::start(plan).await else { return };
    let alive = until("all three live", async || {
        let nodes = cluster.told(1).await?;
        (nodes.iter().filter(|node| node["alive"] == true).count() == 3).then_some(nodes)
    })
    .await;
    assert!(alive.iter().all(|node| node["roles"].as_array().is_some_and(|roles| roles.len() == 3)), "{alive:?}");

    cluster.dial("paced", &settings("paced", f64::from(test.cps), 1), &short_calls(test.contacts));
    let a_third = test.contacts as usize / 3;
    until("a third has been started", async || (cluster.starts().await.len() >= a_third / 2).then_some(())).await;
    cluster.node(2).signal("STOP");
    let frozen = Instant::now();
    assert!(cluster.cut(0).await > 0, "the node had connections");
    let before = cluster.starts().await.len();
    until("the others go on", async || (cluster.starts().await.len() > before + 5).then_some(())).await;
    common::postgres::cluster().expect("it runs").restart("fast");
    let before = cluster.starts().await.len();
    until("they go on after the restart", async || (cluster.starts().await.len() > before + 5).then_some(())).await;
    until("the freeze is over", async || (frozen.elapsed() >= test.freeze).then_some(())).await;
    cluster.node(2).signal("CONT");
    if test.to_the_end {
        cluster.completed("paced").await;
    } else {
        // What hung on the frozen node waits for its deadlines of real minutes: most is enough.
        let most = test.contacts as usize * 9 / 10;
        until("most have been started", async || (cluster.starts().await.len() >= most).then_some(())).await;
        let stopped = cluster.halo(&["campaign", "stop", "paced"]);
        assert!(stopped.status.success(), "{}", String::from_utf8_lossy(&stopped.stderr));
    }

    let starts = cluster.starts().await;
    let window_ms = 1000 - test.late_ms;
    let most = busiest(&starts, window_ms);
    println!("{} starts; at most {most} in {window_ms} ms, {} in a second", starts.len(), busiest(&starts, 1000));
    assert!(most <= test.cps as usize, "{most} starts within {window_ms} ms at {} a second", test.cps);
    ledger::each_attempt_once(&ledger::calls_at(cluster.provider).await);
    let proof = cluster.halo(&["prove", "paced"]);
    assert_eq!(proof.status.code(), Some(0), "{}", String::from_utf8_lossy(&proof.stdout));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_nodes_keep_one_pace_through_a_freeze_a_cut_and_a_restart() {
    pace(Pace { cps: 10, contacts: 180, freeze: Duration::from_secs(10), late_ms: 150, to_the_end: false }).await;
}

#[ignore = "minutes, on a machine with nothing else to do: cargo test --release --test cluster -- --ignored --nocapture"]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_nodes_keep_one_pace_through_a_minute_s_freeze() {
    pace(Pace { cps: 20, contacts: 1_200, freeze: Duration::from_secs(60), late_ms: 0, to_the_end: true }).await;
}

/// Kills the leader of the sweeps, restarts the server as after a crash, then restarts every node in turn.
///
/// Guards: the leadership's end (`until_at` in `lead.sql`), without which nobody sweeps again; in `Dialer::plan`, that
/// a database which is away pauses no run, without which a server that restarts pauses it for good.
async fn deaths(contacts: u32) {
    client();
    let _alone = ONE_AT_A_TIME.lock().await;
    let plan = Plan { speed: 30.0, cps_max: None, clocks_s: FIVE_MINUTES_APART, roles: [ALL; 3] };
    let Some(mut cluster) = Cluster::start(plan).await else { return };
    let endings = [0, 7, 62, 66, 70, 75, 78, 83, 85, 88, 90, 94, 96, 99];
    let list = csv((0..contacts).map(|n| number(n / 14, endings[n as usize % 14])));
    cluster.dial("killed", &settings("killed", 0.3, 3), &list);

    until("the run is under way", async || (cluster.starts().await.len() >= 20).then_some(())).await;
    let leader = until("somebody sweeps", async || cluster.leader(0, "sweeper").await).await;
    let mut killed = 0;
    while cluster.name(killed).await != leader {
        killed += 1;
    }
    let (began, looks) = (Instant::now(), (killed + 1) % 3);
    cluster.node(killed).kill();
    let follows = async || cluster.leader(looks, "sweeper").await.filter(|now| *now != leader);
    until("another node sweeps", follows).await;
    let took = began.elapsed();
    println!("The leader was killed and followed within {} ms", took.as_millis());
    assert!(took < TAKEN_OVER_WITHIN, "{took:?}");
    cluster.begin(killed).await;

    common::postgres::cluster().expect("it runs").restart("immediate");
    for n in 0..3 {
        let before = (Instant::now(), cluster.starts().await.len());
        cluster.node(n).signal("TERM");
        let ended = cluster.node(n).ended();
        assert!(ended.success(), "node {n} ends politely, not by {ended}:\n{}", cluster.log(n));
        let (took, starts) = (before.0.elapsed(), cluster.starts().await.len() - before.1);
        println!("Node {n} stopped in {} ms; the others made {starts} starts meanwhile", took.as_millis());
        cluster.begin(n).await;
    }
    cluster.completed("killed").await;
    let proof = cluster.proven("killed").await;
    let rest = format!("{contacts} contacts: {contacts} at rest, 0 waiting, 0 being called");
    assert!(proof.contains(&rest), "{proof}");
    ledger::each_attempt_once(&ledger::calls_at(cluster.provider).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_leader_is_followed_and_a_rolling_restart_loses_nobody() {
    deaths(112).await;
}

#[ignore = "minutes: cargo test --release --test cluster -- --ignored --nocapture"]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deaths_in_the_middle_of_a_longer_run() {
    deaths(1_000).await;
}

/// Each process does its own part: what has no role api does not listen, what has no role worker does not dial.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn roles_are_shared_out() {
    client();
    let _alone = ONE_AT_A_TIME.lock().await;
    let plan = Plan { speed: 60.0, cps_max: None, clocks_s: FIVE_MINUTES_APART, roles: ["api", "worker", "scheduler"] };
    let Some(mut cluster) = Cluster::start(plan).await else { return };
    let nodes = until("all three live", async || cluster.told(0).await.filter(|nodes| nodes.len() == 3)).await;
    assert!(reqwest::get(format!("http://{}/readyz", cluster.listens[1])).await.is_err(), "a worker does not listen");
    cluster.dial("shared", &settings("shared", 1.0, 2), &csv((0..24).map(|n| number(0, n % 12 + 60))));
    cluster.completed("shared").await;
    cluster.proven("shared").await;
    ledger::each_attempt_once(&ledger::calls_at(cluster.provider).await);
    for (what, role) in [("sweeper", "worker"), ("scheduler", "scheduler")] {
        let leader = until("somebody leads", async || cluster.leader(0, what).await).await;
        let node = nodes.iter().find(|node| node["node"] == leader.as_str()).expect("a node of ours");
        assert_eq!(node["roles"], serde_json::json!([role]), "{what}");
    }
    // Nobody dials without a worker.
    cluster.node(1).signal("TERM");
    assert!(cluster.node(1).ended().success());
    let gone = until("it is gone", async || cluster.told(0).await.filter(|nodes| nodes.len() == 2)).await;
    assert!(gone.iter().all(|node| node["roles"] != serde_json::json!(["worker"])), "{gone:?}");
}
