//! Real processes: a simulator, three nodes on one PostgreSQL, a front before them.

use super::front::Front;
use crate::common::Bench;
use crate::harness::process::{Process, SOON, free_port, until};
use crate::{harness, shim};
use serde_json::Value;
use std::net::SocketAddr;
use std::process::{Command, Output};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How a cluster is made.
pub struct Plan {
    pub speed: f64,
    pub cps_max: Option<u32>,
    /// Seconds that each node's own wall clock is wrong.
    pub clocks_s: [i64; 3],
    pub roles: [&'static str; 3],
}

/// Seconds of its own clock, five minutes between the first and the last.
pub const FIVE_MINUTES_APART: [i64; 3] = [-150, 0, 150];
pub const ALL: &str = "api,worker,scheduler";

pub struct Cluster {
    pub bench: Bench,
    pub provider: SocketAddr,
    pub nodes: [Option<Process>; 3],
    pub listens: [SocketAddr; 3],
    folder: TempDir,
    front: Front,
    plan: Plan,
    _simulator: Process,
}

impl Cluster {
    /// `None` where PostgreSQL is not installed.
    pub async fn start(plan: Plan) -> Option<Cluster> {
        let bench = Bench::postgres().await?;
        let folder = TempDir::new().expect("a folder");
        let (provider, listens) = (free_port(), [free_port(), free_port(), free_port()]);
        let (address, speed) = (provider.to_string(), plan.speed.to_string());
        let mut simulate = Command::new(env!("CARGO_BIN_EXE_halo"));
        simulate.current_dir(folder.path()).env_clear();
        simulate.args(["simulate", "--listen", &address, "--speed", &speed, "--seed", "5", "--mischief", "none"]);
        let simulator = Process::start(simulate, &folder.path().join("simulator.log"));
        until("the simulator listens", async || reqwest::get(format!("http://{provider}/simulator/pace")).await.ok())
            .await;
        // Those with the role api stand behind the front.
        let behind = (0..3).filter(|n| plan.roles[*n].contains("api")).map(|n| listens[n]).collect();
        let front = Front::before(behind).await;
        let nodes = [const { None }; 3];
        let mut cluster = Cluster { bench, provider, nodes, listens, folder, front, plan, _simulator: simulator };
        for n in 0..3 {
            cluster.begin(n).await;
        }
        Some(cluster)
    }

    fn environment(&self, n: usize) -> Vec<(&'static str, String)> {
        // The name of its connections, so that they can be cut.
        let database = format!("{}?application_name=node-{n}", self.bench.url);
        let mut environment = vec![
            ("DATABASE_URL", database),
            ("HALO_LISTEN", self.listens[n].to_string()),
            ("BACKEND_URL", format!("http://{}", self.front.address)),
            ("VOXIMPLANT_API_URL", format!("http://{}", self.provider)),
            ("HALO_CLOCK_SPEED", self.plan.speed.to_string()),
            ("API_AUTH_KEY", harness::KEY.to_owned()),
        ];
        if let Some(cps) = self.plan.cps_max {
            environment.push(("HALO_CPS_MAX", cps.to_string()));
        }
        environment
    }

    /// The program as a verb beside the nodes.
    pub fn halo(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_halo"));
        command.current_dir(self.folder.path()).env_clear().envs(self.environment(0)).args(arguments);
        command.output().expect("the program starts")
    }

    /// A node starts, or starts again, and answers.
    pub async fn begin(&mut self, n: usize) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_halo"));
        command.current_dir(self.folder.path()).env_clear().envs(self.environment(n));
        command.args(["serve", "--roles", self.plan.roles[n]]);
        command.env("LD_PRELOAD", shim::library()).env("FAULTS_CLOCK_S", self.plan.clocks_s[n].to_string());
        let log = self.folder.path().join(format!("node-{n}.log"));
        self.nodes[n] = Some(Process::start(command, &log));
        if !self.plan.roles[n].contains("api") {
            return;
        }
        let ready = format!("http://{}/readyz", self.listens[n]);
        let began = Instant::now();
        while !reqwest::get(&ready).await.is_ok_and(|answer| answer.status().is_success()) {
            let told = || std::fs::read_to_string(&log).unwrap_or_default();
            assert!(began.elapsed() < SOON, "node {n} does not answer:\n{}", told());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub fn log(&self, n: usize) -> String {
        std::fs::read_to_string(self.folder.path().join(format!("node-{n}.log"))).unwrap_or_default()
    }

    pub fn node(&mut self, n: usize) -> &mut Process {
        self.nodes[n].as_mut().expect("the node was begun")
    }

    /// Cuts every connection of a node, as a partition does that heals at once. Returns how many.
    pub async fn cut(&self, n: usize) -> i64 {
        let question = format!(
            "select count(pg_terminate_backend(pid)) from pg_stat_activity where application_name = 'node-{n}'"
        );
        self.bench.number(&question).await
    }

    /// What the API of node `n` says of everybody.
    pub async fn told(&self, n: usize) -> Option<Vec<Value>> {
        let asked = reqwest::Client::new()
            .get(format!("http://{}/api/v1/nodes", self.listens[n]))
            .bearer_auth(harness::KEY)
            .timeout(Duration::from_secs(5))
            .send();
        let text = asked.await.ok()?.text().await.ok()?;
        serde_json::from_str(&text).ok()
    }

    /// Whose leadership `what` is, as node `n` tells it: the process that beats from there.
    pub async fn leader(&self, n: usize, what: &str) -> Option<String> {
        let nodes = self.told(n).await?;
        let leads = |node: &&Value| node["leads"].as_array().is_some_and(|l| l.iter().any(|name| name == what));
        Some(nodes.iter().find(leads)?["node"].as_str()?.to_owned())
    }

    /// The name under which node `n` beats.
    pub async fn name(&self, n: usize) -> String {
        let nodes = until("the node says who it is", async || self.told(n).await).await;
        let here = nodes.iter().find(|node| node["here"] == true).expect("a node knows itself");
        here["node"].as_str().expect("a name").to_owned()
    }

    /// A campaign's folder, imported and started.
    pub fn dial(&self, name: &str, settings: &str, contacts: &str) {
        let dir = self.folder.path().join(name);
        std::fs::create_dir_all(&dir).expect("a folder");
        std::fs::write(dir.join("campaign.toml"), settings).expect("settings");
        std::fs::write(dir.join("contacts.csv"), contacts).expect("contacts");
        for verb in [["campaign", "import", name], ["campaign", "start", name]] {
            let done = self.halo(&verb);
            assert!(done.status.success(), "{verb:?}: {}", String::from_utf8_lossy(&done.stderr));
        }
    }

    pub async fn starts(&self) -> Vec<i64> {
        let url = format!("http://{}/simulator/starts", self.provider);
        let text = reqwest::get(url).await.expect("the simulator answers").text().await.expect("a ledger");
        let at = |line: &str| serde_json::from_str::<Value>(line).expect("JSON")["at_ms"].as_i64().expect("an instant");
        text.lines().map(at).collect()
    }

    /// The laws of `prove`, and that the provider's history of everything granted is copied.
    pub async fn proven(&self, name: &str) -> String {
        until("the history is copied", async || {
            let proof = self.halo(&["prove", name]);
            let text = String::from_utf8_lossy(&proof.stdout).into_owned();
            assert_eq!(proof.status.code(), Some(0), "{text}{}", String::from_utf8_lossy(&proof.stderr));
            text.contains(" 0 granted sessions are not copied yet").then_some(text)
        })
        .await
    }

    pub async fn completed(&self, name: &str) {
        until("the run is completed", async || {
            let show = String::from_utf8_lossy(&self.halo(&["campaign", "show", name]).stdout).into_owned();
            assert!(!show.contains(": paused"), "{show}");
            if show.contains(": completed") {
                return Some(());
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
            None
        })
        .await;
    }
}

/// Starts in the busiest rolling window of `window_ms`.
pub fn busiest(starts: &[i64], window_ms: i64) -> usize {
    let mut at = starts.to_vec();
    at.sort_unstable();
    let inside = |first: usize| at[first..].iter().take_while(|t| **t - at[first] < window_ms).count();
    (0..at.len()).map(inside).max().unwrap_or(0)
}
