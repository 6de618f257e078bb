//! Where cells are played: simulators of their own processes, a database to copy, a service to kill.

use crate::common::{Engine, postgres};
use crate::{Callee, Cell};
use halo::store::Store;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;
use tempfile::TempDir;

/// How much faster than life: a call of a greeting lasts a fraction of a second.
const SPEED: &str = "120";
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// A service keeps its port over its death, so it is taken from below those that the system gives to clients.
const PORTS_FROM: u16 = 12_000;
const PORTS: u16 = 18_000;

/// A simulator as a process of its own.
struct Simulator {
    child: Child,
    url: String,
}

impl Simulator {
    fn open(mischief: &str) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_halo"));
        command
            .env_clear()
            .args(["simulate", "--listen", "127.0.0.1:0", "--speed", SPEED, "--mischief", mischief])
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = command.spawn().expect("the program starts");
        let said = BufReader::new(child.stdout.take().expect("piped"));
        let first = said.lines().next().expect("a line").expect("text");
        let url = first.strip_prefix("VOXIMPLANT_API_URL=").expect("its address").to_owned();
        Simulator { child, url }
    }

    fn address(&self) -> SocketAddr {
        let rest = self.url.strip_prefix("http://").expect("plain HTTP");
        rest.split('/').next().expect("a host").parse().expect("an address")
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// What all cells of an engine share.
pub struct Ground {
    engine: Engine,
    folder: TempDir,
    kind: Simulator,
    losing: Simulator,
    refusing: Simulator,
    /// The account's row at each of the three.
    accounts: [i64; 3],
    server: String,
}

impl Ground {
    /// Makes the database that every cell has a copy of: `None` where PostgreSQL is not installed.
    pub async fn prepare(engine: Engine) -> Option<Ground> {
        // One of the two engines' tests comes first.
        let _installed = rustls::crypto::ring::default_provider().install_default();
        let server = match engine {
            Engine::Sqlite => String::new(),
            Engine::Postgres => format!("postgres://halo@127.0.0.1:{}", postgres::cluster()?.port),
        };
        let mut ground = Ground {
            engine,
            folder: tempfile::tempdir().expect("a folder"),
            kind: Simulator::open("none"),
            losing: Simulator::open("event_lost=1"),
            refusing: Simulator::open("start_429=0.6"),
            accounts: [0; 3],
            server,
        };
        if engine == Engine::Postgres {
            ground.administer("create database kill_template").await;
        }
        for (nth, callee) in [Callee::Answered, Callee::Lost, Callee::Refused].into_iter().enumerate() {
            let first = ground.place(callee, "kill_template");
            let mut service = first.serve(None);
            service.ready().await;
            let store = Store::open(&first.url).await.expect("the service made it");
            let account = store.installation_value("account").await.expect("the store answers");
            ground.accounts[nth] = account.expect("a service makes its account").parse().expect("an id");
            service.kill();
            store.close().await;
        }
        Some(ground)
    }

    async fn administer(&self, statement: &str) {
        let mut admin = PgConnection::connect(&format!("{}/postgres", self.server)).await.expect("the cluster");
        sqlx::query(AssertSqlSafe(statement.to_owned())).execute(&mut admin).await.expect("a database");
        let _closed = admin.close().await;
    }

    fn url(&self, name: &str) -> String {
        match self.engine {
            Engine::Sqlite => format!("sqlite:{}", self.folder.path().join(name).join("halo.db").display()),
            Engine::Postgres => format!("{}/{name}", self.server),
        }
    }

    fn place(&self, callee: Callee, name: &str) -> Place {
        static PORT: AtomicU16 = AtomicU16::new(0);
        let (simulator, account) = match callee {
            Callee::Lost => (&self.losing, self.accounts[1]),
            Callee::Refused => (&self.refusing, self.accounts[2]),
            Callee::Answered | Callee::Busy | Callee::Ending(_) => (&self.kind, self.accounts[0]),
        };
        let begin = (std::process::id() % u32::from(PORTS)) as u16;
        let listen = std::iter::repeat_with(|| PORTS_FROM + (begin + PORT.fetch_add(1, Ordering::Relaxed)) % PORTS)
            .map(|port| SocketAddr::from(([127, 0, 0, 1], port)))
            .find(|address| TcpListener::bind(address).is_ok())
            .expect("a free port");
        let folder = self.folder.path().join(name);
        std::fs::create_dir_all(&folder).expect("a folder");
        Place {
            url: self.url(name),
            listen,
            simulator: simulator.address(),
            api: simulator.url.clone(),
            account,
            folder,
        }
    }

    /// A copy of the database, and an address.
    pub async fn copy(&self, cell: Cell) -> Place {
        let name = format!("kill_{}", cell.nth);
        let place = self.place(cell.callee, &name);
        match self.engine {
            Engine::Sqlite => {
                // The service that made it was killed: what it had written may stand in the log beside the file.
                for file in ["halo.db", "halo.db-wal"] {
                    let from = self.folder.path().join("kill_template").join(file);
                    if from.exists() {
                        std::fs::copy(from, place.folder.join(file)).expect("a copy");
                    }
                }
            }
            Engine::Postgres => {
                // A template must be at rest: one copy at a time.
                static COPYING: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
                let _alone = COPYING.lock().await;
                self.administer(&format!("create database {name} template kill_template")).await;
            }
        }
        place
    }
}

/// Where one cell is played.
pub struct Place {
    pub url: String,
    listen: SocketAddr,
    pub simulator: SocketAddr,
    api: String,
    pub account: i64,
    pub folder: PathBuf,
}

impl Place {
    fn command(&self, arguments: &[&str], fails_at: Option<&str>) -> Command {
        let log = File::options().create(true).append(true).open(self.folder.join("log")).expect("a log");
        let mut command = Command::new(env!("CARGO_BIN_EXE_halo"));
        command
            .env_clear()
            .current_dir(&self.folder)
            .env("DATABASE_URL", &self.url)
            .env("HALO_LISTEN", self.listen.to_string())
            .env("VOXIMPLANT_API_URL", &self.api)
            .env("HALO_CLOCK_SPEED", SPEED)
            .env("API_AUTH_KEY", "key-of-a-test")
            .envs(fails_at.map(|point| (halo::fail::VARIABLE, point)))
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("the same file"))
            .stderr(log);
        command
    }

    pub fn serve(&self, fails_at: Option<&str>) -> Service {
        let child = self.command(&["serve"], fails_at).spawn().expect("the program starts");
        Service { child, listen: self.listen }
    }

    /// A verb that ends; was it killed?
    pub async fn verb(&self, arguments: &[&str], fails_at: Option<&str>) -> Result<bool, String> {
        let mut command = self.command(arguments, fails_at);
        let done = tokio::task::spawn_blocking(move || command.status().expect("the program starts")).await;
        let done = done.map_err(|cause| cause.to_string())?;
        match killed(done) {
            true => Ok(true),
            false if done.success() => Ok(false),
            false => Err(format!("halo {arguments:?} ended with {done}:\n{}", self.told())),
        }
    }

    /// The last words of this cell's processes.
    pub fn told(&self) -> String {
        let log = std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(40)..].iter().map(|line| format!("      {line}\n")).collect()
    }
}

fn killed(status: std::process::ExitStatus) -> bool {
    use std::os::unix::process::ExitStatusExt;
    const SIGABRT: i32 = 6;
    status.signal() == Some(SIGABRT)
}

/// A service at work; dropping it kills it.
pub struct Service {
    child: Child,
    listen: SocketAddr,
}

impl Service {
    async fn ready(&mut self) {
        let url = format!("http://{}/readyz", self.listen);
        crate::harness::until("a service answers", || async {
            reqwest::get(&url).await.ok().filter(|answer| answer.status().is_success()).map(drop)
        })
        .await;
    }

    /// Has it ended, and was it killed by its point?
    pub fn ended(&mut self) -> Option<Result<(), String>> {
        let status = self.child.try_wait().expect("a child of ours")?;
        Some(if killed(status) { Ok(()) } else { Err(format!("the service ended with {status}")) })
    }

    pub fn kill(&mut self) {
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.kill();
    }
}

pub async fn wait() {
    tokio::time::sleep(LOOK_EVERY).await;
}
