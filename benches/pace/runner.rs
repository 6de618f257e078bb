//! The processes: the provider that is called, and the nodes that call.

use super::judge::Arrivals;
use super::stub::Stub;
use halo::domain::{BatchId, CampaignId, Mode, PhoneNumber, Timestamp};
use halo::http::import::PLAIN_SCRIPT;
use halo::intake::settings;
use halo::store::{Campaign, Listed, NewCampaign, NewContact, Store};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs::File;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tempfile::TempDir;

const HALO: &str = env!("CARGO_BIN_EXE_halo");
const KEY: &str = "key-of-a-bench";
const LOOK_EVERY: Duration = Duration::from_millis(50);
const READY_WITHIN: Duration = Duration::from_secs(60);

/// A list that is called, and how.
pub struct Work {
    pub contacts: usize,
    pub cps: f64,
    pub lines: u32,
    pub mode: &'static str,
    /// They answer and talk; else their numbers do not exist.
    pub talks: bool,
}

impl Work {
    /// Example numbers; the last two digits of those who talk are 00 to 59.
    fn number(&self, nth: usize) -> PhoneNumber {
        let digits = if self.talks { nth / 60 * 100 + nth % 60 } else { nth };
        // Beyond ten thousand, the fictitious line numbers of the area codes.
        let text = match digits.checked_sub(10_000) {
            None => format!("+7999000{digits:04}"),
            Some(more) => format!("+1{:03}55501{:02}", 200 + more / 100, more % 100),
        };
        text.parse().expect("example numbers are E.164")
    }
}

fn free_address() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("its address")
}

async fn answers(url: &str) {
    let began = Instant::now();
    while !reqwest::get(url).await.is_ok_and(|answer| answer.status().is_success()) {
        assert!(began.elapsed() < READY_WITHIN, "nobody answers at {url}");
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// A process that ends with this value, and its folder.
pub struct Process {
    child: Child,
}

impl Process {
    fn start(log: &Path, arguments: &[&str], environment: &[(&str, String)]) -> Process {
        let log = File::create(log).expect("a log");
        let mut command = Command::new(HALO);
        command.args(arguments).env_clear().envs(environment.iter().map(|(name, value)| (name, value)));
        // Settings of whoever runs the bench are not the bench's.
        command.current_dir(std::env::temp_dir()).stdin(Stdio::null());
        command.stdout(log.try_clone().expect("a second handle")).stderr(log);
        Process { child: command.spawn().expect("halo is a program") }
    }
}

impl Process {
    /// Whoever notes when a start arrived goes before the scenarios: on a few processors they would make the moments
    /// late. Where threads have no priorities of their own it stays as it is.
    fn scenarios_last(&self) {
        let Ok(threads) = std::fs::read_dir(format!("/proc/{}/task", self.child.id())) else { return };
        for thread in threads.flatten() {
            let name = std::fs::read_to_string(thread.path().join("comm")).unwrap_or_default();
            if name.trim() == "simulator" {
                let thread = thread.file_name();
                let _ = Command::new("renice").args(["-n", "10", "-p"]).arg(thread).stdout(Stdio::null()).status();
            }
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub enum Provider {
    Stub(Stub),
    Simulator { address: SocketAddr, process: Process, folder: TempDir },
}

impl Provider {
    pub async fn stub() -> Provider {
        Provider::Stub(Stub::start())
    }

    pub fn simulator(keep: bool) -> Provider {
        let mut folder = TempDir::new().expect("a folder");
        folder.disable_cleanup(keep);
        let address = free_address();
        let listen = address.to_string();
        let arguments = ["simulate", "--listen", &listen, "--speed", "1", "--mischief", "none", "--balance", "1000000"];
        let process = Process::start(&folder.path().join("simulate.log"), &arguments, &[]);
        Provider::Simulator { address, process, folder }
    }

    fn url(&self) -> String {
        match self {
            Provider::Stub(stub) => format!("http://{}/platform_api", stub.address),
            Provider::Simulator { address, .. } => format!("http://{address}/platform_api"),
        }
    }

    /// It answers, and knows what becomes of the numbers.
    pub async fn ready(&self, work: &Work) {
        let Provider::Simulator { address, folder, process } = self else { return };
        eprintln!("  logs: {}", folder.path().display());
        answers(&format!("http://{address}/simulator/pace")).await;
        process.scenarios_last();
        if work.talks {
            return;
        }
        let client = reqwest::Client::new();
        for nth in 0..work.contacts {
            let body = serde_json::json!({ "number": work.number(nth).as_str(), "behaviour": "no_such_number" });
            let told = client.post(format!("http://{address}/simulator/callees")).body(body.to_string()).send().await;
            assert!(told.is_ok_and(|answer| answer.status().is_success()), "the simulator takes a number");
        }
    }

    /// Waits until so long after the first start; every start that arrived until then, and shortly after.
    pub async fn arrivals(&self, within: Duration) -> Arrivals {
        let began = Instant::now();
        loop {
            let at_us = self.starts().await;
            let passed = at_us.iter().max().unwrap_or(&0) - at_us.iter().min().unwrap_or(&0);
            if passed >= within.as_micros() as i64 {
                return Arrivals::of(at_us);
            }
            let left = within.saturating_sub(Duration::from_micros(passed as u64));
            // A run that stands still is judged as it is.
            if began.elapsed() > within + READY_WITHIN {
                return Arrivals::of(at_us);
            }
            // Looked at seldom: the ledger is long, and reading it takes time from what is measured.
            tokio::time::sleep(left.max(Duration::from_secs(1))).await;
        }
    }

    async fn starts(&self) -> Vec<i64> {
        match self {
            Provider::Stub(stub) => stub.shared.arrived_us.lock().expect("no panic while holding it").clone(),
            Provider::Simulator { address, .. } => {
                let text = reqwest::get(format!("http://{address}/simulator/starts")).await.expect("the simulator");
                let text = text.text().await.expect("a ledger");
                let at = |line: &str| {
                    let line: Value = serde_json::from_str(line).expect("a line of JSON");
                    (line["at_ms"].as_f64().expect("when it arrived") * 1000.0) as i64
                };
                text.lines().map(at).collect()
            }
        }
    }

    /// Waits until so many calls are open at once, and says how many were.
    pub async fn open_calls(&self, wanted: u32, within: Duration) -> u64 {
        let Provider::Simulator { address, .. } = self else { return 0 };
        let (began, mut said) = (Instant::now(), Instant::now());
        loop {
            let pace: Value = reqwest::get(format!("http://{address}/simulator/pace"))
                .await
                .expect("the simulator")
                .json()
                .await
                .expect("its pace");
            let most = pace["open_calls_most"].as_u64().unwrap_or_default();
            if most >= u64::from(wanted) || began.elapsed() > within {
                return most;
            }
            if said.elapsed() > Duration::from_secs(10) {
                said = Instant::now();
                eprintln!("  {pace}");
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    pub fn stop(self) {}
}

/// The processes that call, on one database.
pub struct Nodes {
    folder: TempDir,
    addresses: Vec<SocketAddr>,
    processes: Vec<Process>,
    campaign: CampaignId,
}

impl Nodes {
    pub async fn start(
        provider: &Provider,
        work: &Work,
        count: usize,
        postgres: Option<u16>,
        account_cps: Option<f64>,
        keep: bool,
    ) -> Nodes {
        let mut folder = TempDir::new().expect("a folder");
        folder.disable_cleanup(keep);
        eprintln!("  logs: {}", folder.path().display());
        let database = match postgres {
            None => format!("sqlite:{}", folder.path().join("halo.db").display()),
            Some(port) => format!("postgres://halo@127.0.0.1:{port}/postgres"),
        };
        let store = Store::open(&database).await.expect("a database");
        let campaign = take_in(&store, work).await;
        store.close().await;
        let addresses: Vec<SocketAddr> = (0..count).map(|_| free_address()).collect();
        let mut nodes = Nodes { folder, addresses, processes: Vec::new(), campaign };
        for (n, address) in nodes.addresses.iter().enumerate() {
            let mut environment = vec![
                ("DATABASE_URL", database.clone()),
                ("HALO_LISTEN", address.to_string()),
                ("VOXIMPLANT_API_URL", provider.url()),
                ("VOXIMPLANT_RULE_ID", "1".to_owned()),
                ("API_AUTH_KEY", KEY.to_owned()),
                ("HALO_LOG", std::env::var("HALO_LOG").unwrap_or_else(|_| "warn,halo::dialer=debug".to_owned())),
            ];
            if matches!(provider, Provider::Simulator { .. }) {
                environment.retain(|(name, _)| *name != "VOXIMPLANT_RULE_ID");
            }
            if let Some(cps) = account_cps {
                environment.push(("HALO_CPS_MAX", cps.to_string()));
            }
            let log = nodes.folder.path().join(format!("serve-{n}.log"));
            nodes.processes.push(Process::start(&log, &["serve"], &environment));
            answers(&format!("http://{address}/readyz")).await;
        }
        nodes
    }

    /// Starts the run.
    pub async fn run(&mut self) {
        let url = format!("http://{}/api/v1/campaigns/{}/runs", self.addresses[0], self.campaign);
        let answer = reqwest::Client::new().post(url).bearer_auth(KEY).send().await.expect("the node answers");
        assert!(answer.status().is_success(), "the run does not start: {}", answer.text().await.unwrap_or_default());
    }

    /// Starts that came later than their slot allows and were planned again, by the nodes' logs.
    pub fn missed_slots(&self) -> usize {
        let logs = (0..self.processes.len()).map(|n| self.folder.path().join(format!("serve-{n}.log")));
        logs.map(|log| std::fs::read_to_string(log).unwrap_or_default().matches("missed its slot").count()).sum()
    }

    pub fn memory_kib(&self) -> u64 {
        self.status("VmRSS:")
    }

    pub fn memory_peak_kib(&self) -> u64 {
        self.status("VmHWM:")
    }

    fn status(&self, field: &str) -> u64 {
        let id = self.processes[0].child.id();
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix(field));
        line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or_default()
    }

    pub fn stop(self) {}
}

async fn take_in(store: &Store, work: &Work) -> CampaignId {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    let now = Timestamp(since.as_millis() as i64);
    // Who does not exist fails, which is not what is looked at here.
    let text = format!(
        "name = 'pace'\npurpose = 'test'\nmode = '{}'\n[dial]\ncps = {}\nlines = {}\ncall_s = 600\n\
         caller_ids = ['+74951234567']\n[breakers]\nfailures = 'off'\nsilent = 'off'\n[retry]\nattempts_max = 1\n",
        work.mode, work.cps, work.lines
    );
    let mode: Mode = work.mode.parse().expect("a mode");
    let settings = settings::parse(&text, &BTreeSet::from([mode.clone()])).expect("the bench's own settings");
    let contacts = (0..work.contacts).map(|nth| NewContact {
        line: nth as i64 + 2,
        number: work.number(nth),
        mode: mode.clone(),
        own_mode: false,
        dial_order: nth as i64,
        name: None,
        timezone: None,
        external_id: None,
        variables: "{}".into(),
        raw_phone: String::new(),
        alternates: Vec::new(),
        consent_kind: None,
        consent_at: None,
        consent_source: None,
        wishes: Default::default(),
    });
    let campaign = CampaignId(store.ids.one(now.0));
    let new = NewCampaign {
        campaign: Campaign {
            campaign,
            name: format!("pace {campaign}"),
            settings: settings::to_json(&settings).to_string(),
            script: PLAIN_SCRIPT.to_owned(),
            salt: "salt".into(),
            created_at: now,
        },
        batch: BatchId(store.ids.one(now.0)),
        source: "bench".into(),
        content_hash: String::new(),
        key: None,
        list: Listed::of(contacts.collect(), Vec::new(), Vec::new()),
        schedule: None,
        ids: store.ids.clone(),
    };
    store.create_campaign(new).await.expect("a campaign");
    campaign
}
