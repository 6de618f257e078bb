//! What an import costs beside what the engine itself needs.
//!
//! One list (phone, name, time zone, three variables; one row in twenty bad, three in a hundred doubled) goes through
//! `halo campaign import`, a process of its own: read, normalised, deduplicated, durable. Beside it, on the same disk
//! and in the same run:
//!
//! - the engine's own bulk path: the same accepted rows, clean already, into the same tables with the same indexes in
//!   one transaction (SQLite: `insert … select` from another file, PostgreSQL: `copy`);
//! - the file as it is into one bare table (`.import` of the `sqlite3` shell, `\copy` of `psql`).
//!
//! `cargo bench --bench import -- --engine sqlite,postgres --rows 1000000`

mod list;
#[path = "../../tests/common/postgres.rs"]
#[allow(dead_code)]
mod postgres;

use serde_json::{Value, json};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection, SqliteConnection};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const USAGE: &str = "--engine sqlite,postgres  --rows 1000000  --times 1";
/// A server of the reader's own; each measurement makes databases there and drops them.
const SERVER: &str = "HALO_BENCH_POSTGRES";
const SETTINGS: &str = "purpose = \"service\"\nmodes = { dialog = 1, realtime = 1, realtime_pure = 1 }\n";
const TABLES: [&str; 2] = ["numbers", "contacts"];

struct Options {
    engines: Vec<String>,
    rows: u64,
    times: u32,
}

fn options() -> Result<Options, String> {
    let mut options = Options { engines: vec!["sqlite".into(), "postgres".into()], rows: 1_000_000, times: 1 };
    let mut args = std::env::args().skip(1).filter(|arg| arg != "--bench");
    while let Some(name) = args.next() {
        let value = args.next().ok_or_else(|| format!("{name} wants a value"))?;
        match name.as_str() {
            "--engine" => options.engines = value.split(',').map(str::to_owned).collect(),
            "--rows" => options.rows = value.parse().map_err(|e| format!("{name}: {e}"))?,
            "--times" => options.times = value.parse().map_err(|e| format!("{name}: {e}"))?,
            other => return Err(format!("{other} is no option: {USAGE}")),
        }
    }
    Ok(options)
}

#[tokio::main]
async fn main() {
    let options = options().unwrap_or_else(|fault| {
        eprintln!("{fault}");
        std::process::exit(2);
    });
    // Beside the build, on a disk: the system's own folder may be memory.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let file = folder.path().join("list.csv");
    let counts = list::write(&file, options.rows).expect("a list");
    eprintln!("{} rows, {} of them bad, {} doubled", counts.rows, counts.bad, counts.doubled);
    let mut lines = Vec::new();
    for engine in &options.engines {
        for _ in 0..options.times {
            match engine.as_str() {
                "sqlite" => lines.extend(sqlite(folder.path(), &file, &counts).await),
                "postgres" => lines.extend(postgres(folder.path(), &file, &counts).await),
                other => eprintln!("`{other}` is neither sqlite nor postgres: left out"),
            }
        }
    }
    for line in lines {
        println!("{line}");
    }
}

fn line(engine: &str, metric: &str, value: f64, unit: &str, against: Option<&str>) -> Value {
    let value = (value * 1000.0).round() / 1000.0;
    let mut line = json!({ "bench": "import", "engine": engine, "metric": metric, "value": value, "unit": unit });
    if let Some(against) = against {
        line["against"] = against.into();
    }
    line
}

/// Seconds and megabytes of `halo campaign import`.
fn import(folder: &Path, url: &str, name: &str, file: &Path) -> (f64, f64, Value) {
    let campaign = folder.join(name);
    std::fs::create_dir_all(&campaign).expect("a folder");
    std::fs::write(campaign.join("campaign.toml"), format!("name = \"{name}\"\n{SETTINGS}")).expect("settings");
    let mut command = Command::new(env!("CARGO_BIN_EXE_halo"));
    command.args(["campaign", "import", "--json", "--list"]).arg(file).arg(&campaign);
    command.env_clear().env("DATABASE_URL", url).current_dir(folder).stdout(Stdio::piped());
    let began = Instant::now();
    let child = command.spawn().expect("the program");
    let (id, mut most) = (child.id(), 0.0_f64);
    let watch = std::thread::spawn(move || {
        while let Some(now) = resident_mib(id) {
            most = most.max(now);
            std::thread::sleep(Duration::from_millis(5));
        }
        most
    });
    let output = child.wait_with_output().expect("its end");
    let seconds = began.elapsed().as_secs_f64();
    assert!(output.status.success(), "the import failed");
    let told = serde_json::from_slice(&output.stdout).expect("JSON");
    (seconds, watch.join().expect("a watch"), told)
}

/// The most that a process ever held, as the system counts it.
fn resident_mib(id: u32) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let held = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    held.split_whitespace().next()?.parse::<f64>().ok().map(|kib| kib / 1024.0)
}

fn warm_up(folder: &Path) -> PathBuf {
    let file = folder.join("one.csv");
    std::fs::write(&file, "phone,name\n+79990000001,Anna\n").expect("a list");
    file
}

fn told(engine: &str, ours: (f64, f64, Value), bulk: f64, bare: Option<f64>, counts: &list::Counts) -> Vec<Value> {
    let (seconds, mib, told) = ours;
    let accepted = counts.rows - counts.bad - counts.doubled;
    assert_eq!(told["buckets"]["accepted"], accepted, "{told}");
    let (path, tool) = match engine {
        "sqlite" => ("insert … select of the clean rows", "sqlite3 .import"),
        _ => ("copy of the clean rows", "psql \\copy"),
    };
    let mut lines = vec![
        line(engine, "import", seconds, "s", None),
        line(engine, "memory", mib, "MiB", None),
        line(engine, path, bulk, "s", None),
        line(engine, "import", seconds / bulk, "ratio", Some(path)),
    ];
    if let Some(bare) = bare {
        lines.push(line(engine, tool, bare, "s", None));
        lines.push(line(engine, "import", seconds / bare, "ratio", Some(tool)));
    }
    lines
}

async fn sqlite(folder: &Path, file: &Path, counts: &list::Counts) -> Vec<Value> {
    let fresh = |name: &str| {
        for end in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(folder.join(format!("{name}{end}")));
        }
        folder.join(name)
    };
    let (ours, clean, other) = (fresh("ours.db"), fresh("clean.db"), fresh("other.db"));
    let url = |path: &Path| format!("sqlite:{}", path.display());
    for path in [&ours, &other] {
        import(folder, &url(path), "warm-up", &warm_up(folder));
    }
    let imported = import(folder, &url(&ours), "million", file);

    // The accepted rows as they are now, without an index, in another file.
    let mut conn = connect(&clean, true).await;
    statement(&mut conn, &format!("attach '{}' as ours", ours.display())).await;
    for table in TABLES {
        let rows = match table {
            "numbers" => "n.* from ours.numbers n join ours.contacts c using (number_id)",
            _ => "c.* from ours.contacts c",
        };
        let text = format!(
            "create table {table} as select {rows} where c.campaign_id = \
             (select campaign_id from ours.campaigns where name = 'million') order by c.contact_id"
        );
        statement(&mut conn, &text).await;
    }
    let parents: Vec<String> = ["campaigns", "imports"].iter().map(|table| (*table).to_owned()).collect();
    for table in &parents {
        statement(&mut conn, &format!("create table {table} as select * from ours.{table}")).await;
    }
    conn.close().await.expect("closes");
    let mut conn = connect(&other, false).await;
    statement(&mut conn, &format!("attach '{}' as clean", clean.display())).await;
    for table in &parents {
        let known = if table == "campaigns" { "name <> 'warm-up'" } else { "rows_total > 1" };
        statement(&mut conn, &format!("insert into {table} select * from clean.{table} where {known}")).await;
    }
    let began = Instant::now();
    statement(&mut conn, "begin immediate").await;
    for table in TABLES {
        statement(&mut conn, &format!("insert into main.{table} select * from clean.{table} where true")).await;
    }
    statement(&mut conn, "commit").await;
    let bulk = began.elapsed().as_secs_f64();
    conn.close().await.expect("closes");

    let bare = fresh("bare.db");
    let began = Instant::now();
    let shell = Command::new("sqlite3")
        .arg(&bare)
        .args(["pragma journal_mode=wal", ".mode csv"])
        .arg(format!(".import {} bare", file.display()))
        .stdout(Stdio::null())
        .status();
    let shell = shell.is_ok_and(|status| status.success()).then(|| began.elapsed().as_secs_f64());
    told("sqlite", imported, bulk, shell, counts)
}

async fn connect(path: &Path, careless: bool) -> SqliteConnection {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(if careless { SqliteJournalMode::Off } else { SqliteJournalMode::Wal })
        .synchronous(if careless { SqliteSynchronous::Off } else { SqliteSynchronous::Full })
        .foreign_keys(true)
        .pragma("cache_size", "-65536");
    options.connect().await.expect("a database")
}

async fn statement(conn: &mut SqliteConnection, text: &str) {
    conn.execute(AssertSqlSafe(text.to_owned())).await.unwrap_or_else(|cause| panic!("{text}: {cause}"));
}

async fn postgres(folder: &Path, file: &Path, counts: &list::Counts) -> Vec<Value> {
    let server = match std::env::var(SERVER) {
        Ok(server) => server.trim_end_matches('/').to_owned(),
        Err(_) => match postgres::durable_cluster() {
            Some(cluster) => format!("postgres://halo@127.0.0.1:{}", cluster.port),
            None => {
                eprintln!("postgres: not installed here, left out");
                return Vec::new();
            }
        },
    };
    let mut admin = PgConnection::connect(&format!("{server}/postgres")).await.expect("the server");
    let run = std::process::id();
    let (ours, other) = (format!("import_{run}_ours"), format!("import_{run}_other"));
    for name in [&ours, &other] {
        admin.execute(AssertSqlSafe(format!("drop database if exists {name}"))).await.expect("a name");
        admin.execute(AssertSqlSafe(format!("create database {name}"))).await.expect("a database");
        import(folder, &format!("{server}/{name}"), "warm-up", &warm_up(folder));
    }
    let imported = import(folder, &format!("{server}/{ours}"), "million", file);

    let mut from = PgConnection::connect(&format!("{server}/{ours}")).await.expect("the database");
    let clean = |table: &str| folder.join(format!("{table}.copy"));
    let mine = "campaign_id = (select campaign_id from campaigns where name = 'million')";
    for (table, text) in [
        ("campaigns", format!("select * from campaigns where {mine}")),
        ("imports", format!("select * from imports where {mine}")),
        (
            "numbers",
            format!("select n.* from numbers n join contacts c using (number_id) where c.{mine} order by contact_id"),
        ),
        ("contacts", format!("select * from contacts where {mine} order by contact_id")),
    ] {
        use futures::TryStreamExt;
        use std::io::Write;
        let mut to = std::io::BufWriter::new(std::fs::File::create(clean(table)).expect("a file"));
        let mut rows = from.copy_out_raw(&format!("copy ({text}) to stdout")).await.expect("rows");
        while let Some(piece) = rows.try_next().await.expect("rows") {
            to.write_all(&piece).expect("a disk");
        }
        to.flush().expect("a disk");
    }
    from.close().await.expect("closes");
    let mut into = PgConnection::connect(&format!("{server}/{other}")).await.expect("the database");
    for table in ["campaigns", "imports"] {
        copy(&mut into, table, &clean(table)).await;
    }
    let began = Instant::now();
    into.execute("begin").await.expect("a transaction");
    for table in TABLES {
        copy(&mut into, table, &clean(table)).await;
    }
    into.execute("commit").await.expect("a commit");
    let bulk = began.elapsed().as_secs_f64();
    into.execute("create table bare (phone text, name text, timezone text, city text, debt text, plan text)")
        .await
        .expect("a table");
    into.close().await.expect("closes");
    let began = Instant::now();
    let shell = Command::new("psql")
        .arg(format!("{server}/{other}"))
        .args(["-q", "-c", &format!("\\copy bare from '{}' with (format csv, header)", file.display())])
        .status();
    let shell = shell.is_ok_and(|status| status.success()).then(|| began.elapsed().as_secs_f64());
    for name in [&ours, &other] {
        admin.execute(AssertSqlSafe(format!("drop database {name} with (force)"))).await.expect("it is dropped");
    }
    told("postgres", imported, bulk, shell, counts)
}

async fn copy(conn: &mut PgConnection, table: &str, from: &Path) {
    use std::io::Read;
    let mut file = std::fs::File::open(from).expect("a file");
    let mut copy = conn.copy_in_raw(&format!("copy {table} from stdin")).await.expect("a copy");
    let mut piece = vec![0; 1 << 18];
    loop {
        let read = file.read(&mut piece).expect("a disk");
        if read == 0 {
            break;
        }
        copy.send(&piece[..read]).await.expect("a piece");
    }
    copy.finish().await.expect("its end");
}
