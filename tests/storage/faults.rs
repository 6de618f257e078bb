//! A real process whose disk fails under it (`tests/shim`), and a simulator that outlives it and counts.

use crate::harness::process::{Process, free_port, until};
use crate::harness::{self, csv, ledger, number};
use crate::{client, shim};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, ExitStatus};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A service on a file, beside a simulator.
struct Service {
    folder: TempDir,
    provider: SocketAddr,
    listen: SocketAddr,
    _simulator: Process,
}

const CONTACTS: usize = 30;
/// A process whose disk fails ends by itself within this, on a busy machine too.
const ENDS_WITHIN: Duration = Duration::from_secs(45);
const LOOK_EVERY: Duration = Duration::from_millis(50);

impl Service {
    async fn new() -> Service {
        client();
        let folder = TempDir::new().expect("a folder");
        let (provider, listen) = (free_port(), free_port());
        let address = provider.to_string();
        let mut simulate = Command::new(env!("CARGO_BIN_EXE_halo"));
        simulate.current_dir(folder.path()).env_clear();
        simulate.args(["simulate", "--listen", &address, "--speed", "60", "--seed", "5", "--mischief", "none"]);
        let simulator = Process::start(simulate, &folder.path().join("simulator.log"));
        until("the simulator listens", async || reqwest::get(format!("http://{provider}/simulator/pace")).await.ok())
            .await;
        Service { folder, provider, listen, _simulator: simulator }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_halo"));
        command.current_dir(self.folder.path()).env_clear().args(arguments);
        command.env("HALO_LISTEN", self.listen.to_string());
        command.env("VOXIMPLANT_API_URL", format!("http://{}", self.provider));
        command.env("HALO_CLOCK_SPEED", "60").env("API_AUTH_KEY", harness::KEY);
        command
    }

    /// The verb's output; it must be done.
    fn halo(&self, arguments: &[&str]) -> String {
        let done = self.command(arguments).output().expect("the program starts");
        assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8_lossy(&done.stdout).into_owned()
    }

    /// The service, on a disk that does what the file `fault` says.
    fn serve(&self) -> Process {
        let mut serve = self.command(&["serve"]);
        serve.env("LD_PRELOAD", shim::library()).env("FAULTS_UNDER", "/halo.db").env("FAULTS_FILE", self.path("fault"));
        Process::start(serve, &self.path("serve.log"))
    }

    async fn serving(&self) -> Process {
        let process = self.serve();
        let ready = format!("http://{}/readyz", self.listen);
        until("the service answers", async || {
            reqwest::get(&ready).await.ok().filter(|answer| answer.status().is_success())
        })
        .await;
        process
    }

    fn disk(&self, fault: &str) {
        // Renamed into its place: nobody reads half a word.
        std::fs::write(self.path("fault.new"), fault).expect("a file");
        std::fs::rename(self.path("fault.new"), self.path("fault")).expect("a name");
    }

    fn begin(&self) {
        let endings = [1, 2, 3, 62, 66, 70, 75, 88, 90, 96];
        let list = csv((0..CONTACTS as u32).map(|n| number(n / 10, endings[n as usize % 10])));
        let dir = self.path("kept");
        std::fs::create_dir_all(&dir).expect("a folder");
        let settings = harness::settings("kept", harness::SPLIT).replace("cps = 20", "cps = 0.1");
        std::fs::write(dir.join("campaign.toml"), settings).expect("settings");
        std::fs::write(dir.join("contacts.csv"), list).expect("contacts");
        self.halo(&["campaign", "import", "kept"]);
        self.halo(&["campaign", "start", "kept"]);
    }

    async fn calls(&self) -> usize {
        ledger::calls_at(self.provider).await.len()
    }

    async fn called(&self, calls: usize) {
        until("the run is in its middle", async || (self.calls().await >= calls).then_some(())).await;
    }

    async fn ends(&self, mut process: Process) -> (ExitStatus, String) {
        let began = Instant::now();
        let status = loop {
            if let Some(status) = process.has_ended() {
                break status;
            }
            assert!(began.elapsed() < ENDS_WITHIN, "it does not end by itself");
            tokio::time::sleep(LOOK_EVERY).await;
        };
        (status, std::fs::read_to_string(self.path("serve.log")).expect("a log"))
    }

    /// The run goes to its end, and every law holds.
    async fn goes_on(&self) {
        let _process = self.serving().await;
        until("the run is completed", async || {
            let show = self.halo(&["campaign", "show", "kept"]);
            assert!(!show.contains(": paused"), "{show}");
            show.contains(": completed").then_some(())
        })
        .await;
        let proof = until("the history is copied", async || {
            let proof = self.halo(&["prove", "kept"]);
            proof.contains(" 0 granted sessions are not copied yet").then_some(proof)
        })
        .await;
        let rest = format!("{CONTACTS} contacts: {CONTACTS} at rest, 0 waiting, 0 being called");
        assert!(proof.contains(&rest), "{proof}");
        ledger::each_attempt_once(&ledger::calls_at(self.provider).await);
    }
}

/// The last line of the log, without its colours: what the process said when it ended.
fn last_word(log: &str) -> &str {
    log.lines().rev().find(|line| line.starts_with("halo: ")).unwrap_or_default()
}

async fn fails_and_goes_on(fault: &str, words: &[&str]) {
    let service = Service::new().await;
    let process = service.serving().await;
    service.begin();
    service.called(8).await;
    service.disk(fault);
    let (status, log) = service.ends(process).await;
    assert_eq!(status.code(), Some(1), "{log}");
    let said = last_word(&log).to_owned();
    for word in words.iter().chain(&["halo.db", "start again"]) {
        assert!(said.contains(word), "`{word}` is not in `{said}`\n{log}");
    }
    // While the disk fails, nothing starts: the same sentence, at once.
    let (status, log) = service.ends(service.serve()).await;
    assert!(!status.success() && last_word(&log).contains(words[0]), "{log}");
    service.disk("fine");
    service.goes_on().await;
}

/// Guard: `Broken::noted` in the writer, without which the service stays up and tries on and on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_ends_the_service_and_room_brings_it_back() {
    fails_and_goes_on("full", &["no room is left", "make room on the disk of"]).await;
}

/// Guard: the same. A sync that failed once must not be tried again by a process that goes on: the second one may
/// succeed over what the first one lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_sync_ends_the_service_and_a_restart_goes_on() {
    fails_and_goes_on("sync", &["did not keep what was written"]).await;
}

/// Power fails while the log is written: half a frame stands behind the last whole one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_torn_end_of_the_log_is_not_read() {
    let service = Service::new().await;
    let mut process = service.serving().await;
    service.begin();
    service.called(8).await;
    process.kill();
    let log = service.path("halo.db-wal");
    let mut bytes = std::fs::read(&log).expect("the log stands");
    // A frame is a head of 24 bytes and a page; its checksum cannot be right.
    let frame: Vec<u8> = bytes[32..32 + 24 + 1000].to_vec();
    bytes.extend_from_slice(&frame);
    std::fs::write(&log, bytes).expect("a torn log");
    service.goes_on().await;
}

/// A file that is shorter than it says, one full of noise, and one that is none: told, and left as it is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_file_is_told_and_the_backup_goes_on() {
    let service = Service::new().await;
    let mut process = service.serving().await;
    service.begin();
    service.called(5).await;
    process.signal("TERM");
    assert!(process.ended().success());
    let file = service.path("halo.db");
    let whole = std::fs::read(&file).expect("a database");
    let half = whole[..whole.len() / 2 / 4096 * 4096].to_vec();
    let mut noise = whole.clone();
    noise[4096..].iter_mut().enumerate().for_each(|(n, byte)| *byte = (n % 251) as u8 | 1);
    for (name, damaged) in [("half", half), ("noise", noise), ("text", b"phone\n".repeat(2000))] {
        std::fs::write(&file, &damaged).expect("a damaged file");
        let calls = service.calls().await;
        let (status, log) = service.ends(service.serve()).await;
        let said = last_word(&log);
        assert!(!status.success(), "{name}: {log}");
        for word in ["halo.db is damaged", "last backup"] {
            assert!(said.contains(word), "{name}: `{word}` is not in `{said}`\n{log}");
        }
        assert_eq!(service.calls().await, calls, "{name}: nobody is called from a damaged file");
        assert_eq!(std::fs::read(&file).expect("the file").len(), damaged.len(), "{name}: evidence is left alone");
        std::fs::remove_file(service.path("serve.log")).expect("a log");
    }
    let _ = std::fs::remove_file(service.path("halo.db-wal"));
    let _ = std::fs::remove_file(service.path("halo.db-shm"));
    std::fs::write(&file, &whole).expect("the backup");
    service.goes_on().await;
}
