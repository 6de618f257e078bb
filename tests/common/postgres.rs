//! A PostgreSQL of our own: one private cluster for each test program, started at its first use and
//! stopped when the program has ended, however it ended. Nothing outside its folder is touched.

use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;

/// `required` (set by CI): a machine without PostgreSQL is a failure.
const VARIABLE: &str = "HALO_TEST_POSTGRES";
const LEFT_OUT: &str = "PostgreSQL is not installed and was left out: everything ran on SQLite alone. \
                        To include it: apt-get install postgresql";
/// A free port can be taken by somebody else before the server has it.
const TRIES: usize = 5;
/// A socket's path must fit into 107 bytes.
const SOCKET_FOLDER_BYTES_MAX: usize = 80;

pub struct Cluster {
    pub port: u16,
    programs: PathBuf,
    folder: PathBuf,
    options: String,
    /// Its standard input ends when this program does, and then it stops the cluster.
    _watchdog: Child,
}

impl Cluster {
    /// Every connection is cut and the server comes back, at once (`immediate`, as after a crash) or politely
    /// (`fast`). For a test that has the cluster to itself.
    pub fn restart(&self, mode: &str) {
        let mut ctl = User::of(&self.folder).command(&self.programs.join("pg_ctl"));
        ctl.arg("-D").arg(self.folder.join("data")).arg("-l").arg(self.folder.join("log"));
        ctl.args(["-w", "-t", "60", "-m", mode, "-o", &self.options, "restart"]);
        ctl.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        assert!(ctl.status().expect("pg_ctl is a program").success(), "PostgreSQL does not come back");
    }
}
/// Tests end with their cluster: nothing of it need outlive a power cut.
const FORGETFUL: &str = "-c fsync=off -c synchronous_commit=on -c full_page_writes=off -c shared_buffers=64MB";
/// As PostgreSQL comes, with more memory.
const DURABLE: &str = "-c fsync=on -c synchronous_commit=on -c full_page_writes=on -c shared_buffers=512MB \
                       -c max_wal_size=8GB";

/// The cluster of this program, or `None` where PostgreSQL is not installed.
pub fn cluster() -> Option<&'static Cluster> {
    static CLUSTER: OnceLock<Option<Cluster>> = OnceLock::new();
    the(&CLUSTER, FORGETFUL)
}

/// One that keeps its word, for measurements.
pub fn durable_cluster() -> Option<&'static Cluster> {
    static CLUSTER: OnceLock<Option<Cluster>> = OnceLock::new();
    the(&CLUSTER, DURABLE)
}

fn the(cluster: &'static OnceLock<Option<Cluster>>, durability: &str) -> Option<&'static Cluster> {
    cluster
        .get_or_init(|| match programs() {
            Some(programs) => Some(start(&programs, durability)),
            None => {
                let required = std::env::var(VARIABLE).is_ok_and(|value| value == "required");
                assert!(!required, "{VARIABLE}=required, and PostgreSQL is not installed");
                say_once(LEFT_OUT);
                None
            }
        })
        .as_ref()
}

/// The folder of `initdb` and `pg_ctl`.
fn programs() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    if let Ok(versions) = fs::read_dir("/usr/lib/postgresql") {
        let mut versions: Vec<PathBuf> = versions.flatten().map(|version| version.path()).collect();
        versions.sort();
        folders.extend(versions.into_iter().rev().map(|version| version.join("bin")));
    }
    let whole = |folder: &PathBuf| ["initdb", "pg_ctl"].iter().all(|name| folder.join(name).is_file());
    folders.into_iter().find(whole)
}

/// `initdb` refuses root: then somebody else runs it.
struct User(Option<(u32, u32)>);

impl User {
    fn of(folder: &Path) -> Self {
        // Asked of the process: the folder itself may have been given away by now.
        let ours = fs::metadata("/proc/self").or_else(|_| fs::metadata(folder)).expect("a folder of ours").uid();
        if ours != 0 {
            return User(None);
        }
        let users = fs::read_to_string("/etc/passwd").expect("a machine has users");
        let id = |wanted: &str| {
            let line = users.lines().find(|line| line.split(':').next() == Some(wanted))?;
            let mut fields = line.split(':').skip(2);
            Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
        };
        let other = ["postgres", "nobody"].into_iter().find_map(id);
        User(Some(other.expect("uid 0 needs a user `postgres` or `nobody` to run the server")))
    }

    fn own(&self, path: &Path) {
        if let Some((uid, gid)) = self.0 {
            chown(path, Some(uid), Some(gid)).expect("uid 0 may give its folder away");
        }
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        if let Some((uid, gid)) = self.0 {
            command.uid(uid).gid(gid);
        }
        // Variables such as PGDATA or PGPORT would lead to a database that is not ours.
        std::env::vars().filter(|(name, _)| name.starts_with("PG")).for_each(|(name, _)| {
            command.env_remove(name);
        });
        command.current_dir("/");
        command
    }
}

fn start(programs: &Path, durability: &str) -> Cluster {
    let folder = tempfile::Builder::new().prefix("halo-postgres-").tempdir().expect("a folder for the cluster");
    // The watchdog removes it: this program may be killed before it can.
    let folder = folder.keep();
    let user = User::of(&folder);
    user.own(&folder);
    let data = folder.join("data");
    let mut initdb = user.command(&programs.join("initdb"));
    initdb.arg("-D").arg(&data).args(["-U", "halo", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]);
    succeeded("initdb", initdb.output().expect("initdb is a program"));

    for _ in 0..TRIES {
        let port = free_port();
        let sockets = if folder.as_os_str().len() < SOCKET_FOLDER_BYTES_MAX { folder.as_path() } else { Path::new("") };
        let options = format!(
            "-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={} {durability} \
             -c max_connections=200",
            sockets.display()
        );
        let mut ctl = user.command(&programs.join("pg_ctl"));
        ctl.arg("-D").arg(&data).arg("-l").arg(folder.join("log")).args(["-w", "-t", "60", "-o", &options, "start"]);
        // Not `output()`: the server inherits the pipes and keeps them open.
        ctl.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        if ctl.status().expect("pg_ctl is a program").success() {
            let _watchdog = watchdog(&user, programs, &folder);
            return Cluster { port, programs: programs.to_owned(), folder, options, _watchdog };
        }
    }
    let log = fs::read_to_string(folder.join("log")).unwrap_or_default();
    panic!("PostgreSQL did not start; its log:\n{log}");
}

/// Waits for our end, then stops the cluster and removes its folder.
fn watchdog(user: &User, programs: &Path, folder: &Path) -> Child {
    let script = "cat >/dev/null; \"$0\" -D \"$1/data\" -m immediate stop; rm -rf \"$1\"";
    let mut shell = user.command(Path::new("/bin/sh"));
    shell.args(["-c", script]).arg(programs.join("pg_ctl")).arg(folder);
    // A group of its own: Ctrl-C at the terminal ends the tests, and must not end what cleans up after them.
    shell.process_group(0).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    shell.spawn().expect("a shell")
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("a bound socket has an address").port()
}

fn succeeded(what: &str, output: Output) {
    assert!(output.status.success(), "{what}: {}", String::from_utf8_lossy(&output.stderr));
}

/// One line for one `cargo test`, whatever the number of its programs; past the capture of output.
fn say_once(line: &str) {
    let said = Path::new(env!("CARGO_TARGET_TMPDIR")).join("postgres-left-out");
    let run = std::os::unix::process::parent_id().to_string();
    if fs::read_to_string(&said).is_ok_and(|before| before == run) {
        return;
    }
    // Where it cannot be noted it is said twice, which is better than not at all.
    let _ = fs::write(&said, run);
    let _ = writeln!(std::io::stderr(), "{line}");
}
