//! What a report costs: the figures of a campaign read from a database that nobody touched since it was opened, then put
//! together; and the percentiles alone, beside DuckDB's of the same turns where its Python package is installed.
//!
//! The campaign has three modes and 28 nights. Its rows are made by the engine itself, so that a million attempts take
//! minutes and not hours.
//!
//! `cargo bench --bench report -- --engine sqlite,postgres --attempts 1000000 --turns 10`

mod fill;
#[path = "../../tests/common/postgres.rs"]
#[allow(dead_code)]
mod postgres;

use halo::domain::{CampaignId, Timestamp};
use halo::report::render::{Format, render};
use halo::report::{Lang, build, gather, stored};
use halo::store::{Db, Store};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

const USAGE: &str = "--engine sqlite,postgres  --attempts 1000000  --turns 10";
/// A server of the reader's own; each measurement makes a database there and drops it.
const SERVER: &str = "HALO_BENCH_POSTGRES";
const SETTINGS: &str = "name = \"bench\"\npurpose = \"test\"\n\
                        modes = { dialog = 1, realtime = 1, realtime_pure = 1 }\n[experiment]\nnights = 28\n";
const NOW: Timestamp = Timestamp(1_800_000_000_000);

struct Options {
    engines: Vec<String>,
    attempts: u64,
    turns: u64,
}

fn options() -> Result<Options, String> {
    let mut options = Options { engines: vec!["sqlite".into(), "postgres".into()], attempts: 1_000_000, turns: 10 };
    let mut args = std::env::args().skip(1).filter(|arg| arg != "--bench");
    while let Some(name) = args.next() {
        let value = args.next().ok_or_else(|| format!("{name} wants a value"))?;
        match name.as_str() {
            "--engine" => options.engines = value.split(',').map(str::to_owned).collect(),
            "--attempts" => options.attempts = value.parse().map_err(|e| format!("{name}: {e}"))?,
            "--turns" => options.turns = value.parse().map_err(|e| format!("{name}: {e}"))?,
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
    for engine in &options.engines {
        let url = match engine.as_str() {
            "sqlite" => Some(format!("sqlite:{}", folder.path().join("halo.db").display())),
            "postgres" => database().await,
            other => {
                eprintln!("`{other}` is neither sqlite nor postgres: left out");
                None
            }
        };
        if let Some(url) = url {
            measure(engine, &url, &options, folder.path()).await;
        }
    }
}

/// An empty database of a server; nothing where there is none.
async fn database() -> Option<String> {
    let server = match std::env::var(SERVER) {
        Ok(server) => server,
        Err(_) => format!("postgres://halo@127.0.0.1:{}", postgres::durable_cluster()?.port),
    };
    let name = format!("report_{}", std::process::id());
    let mut admin = PgConnection::connect(&format!("{server}/postgres")).await.expect("the server");
    sqlx::query(AssertSqlSafe(format!("create database {name}"))).execute(&mut admin).await.expect("a database");
    Some(format!("{server}/{name}"))
}

struct Said<'a> {
    engine: &'a str,
    attempts: u64,
}

impl Said<'_> {
    fn line(&self, metric: &str, value: f64, unit: &str, against: Option<&str>) {
        let value = (value * 10_000.0).round() / 10_000.0;
        let mut line = json!({ "bench": "report", "engine": self.engine, "attempts": self.attempts, "metric": metric,
                               "value": value, "unit": unit });
        if let Some(against) = against {
            line["against"] = against.into();
        }
        println!("{line}");
    }
}

fn settings() -> halo::domain::settings::Settings {
    let modes = fill::MODES.map(|mode| mode.parse().expect("a mode's name"));
    halo::intake::settings::parse(SETTINGS, &modes.into_iter().collect()).expect("settings")
}

async fn measure(engine: &str, url: &str, options: &Options, folder: &Path) {
    let said = Said { engine, attempts: options.attempts };
    let store = Store::open(url).await.expect("a fresh database");
    let account = store.ensure_account("simulator/bench", None, None, NOW).await.expect("an account");
    let began = Instant::now();
    for statement in fill::statements(engine, account, options.attempts, options.turns) {
        run(&store, &statement).await;
    }
    eprintln!("{engine}: filled in {:.0} s", began.elapsed().as_secs_f64());
    let began = Instant::now();
    store.count_latencies_anew().await.expect("counted");
    said.line("count_latencies_anew", began.elapsed().as_secs_f64(), "s", None);
    // As its own keeper leaves tables that nobody writes any more.
    run(&store, if engine == "postgres" { "vacuum analyze" } else { "analyze" }).await;
    store.close().await;

    // Connections of its own: nothing of ours is warm.
    let store = Store::open(url).await.expect("the database");
    let campaign = store.campaign(CampaignId(fill::CAMPAIGN)).await.expect("it answers").expect("the campaign");
    let settings = settings();
    let began = Instant::now();
    let figures = gather::figures(&store, &campaign, &settings, NOW).await.expect("figures");
    let gathered = began.elapsed().as_secs_f64();
    let report = build(figures, NOW);
    let cold = began.elapsed().as_secs_f64();
    render(&report, Format::Json, Lang::En).expect("JSON");
    let whole = began.elapsed().as_secs_f64();
    said.line("gather", gathered, "s", None);
    said.line("build", cold - gathered, "s", None);
    said.line("report_cold", whole, "s", None);

    stored::report(&store, &campaign, &settings, NOW).await.expect("a report");
    store.close().await;
    let store = Store::open(url).await.expect("the database");
    let began = Instant::now();
    let campaign = store.campaign(CampaignId(fill::CAMPAIGN)).await.expect("it answers").expect("the campaign");
    let report = stored::report(&store, &campaign, &settings, NOW).await.expect("a report");
    render(&report, Format::Json, Lang::En).expect("JSON");
    said.line("report_from_snapshot", began.elapsed().as_secs_f64(), "s", None);

    let began = Instant::now();
    let rows: Vec<(String, Option<i64>, i64)> = quantile_rows(&store).await;
    let ours = ours(&rows);
    let quantiles = began.elapsed().as_secs_f64();
    said.line("quantiles_from_counts", quantiles, "s", None);
    if let Some((theirs, seconds)) = duckdb(&store, folder).await {
        said.line("quantiles_by_duckdb", seconds, "s", None);
        said.line("quantiles_from_counts", quantiles / seconds, "ratio", Some("duckdb quantile_cont"));
        for (mode, values) in &ours {
            for (a, b) in values.iter().zip(theirs[mode].as_array().expect("three values")) {
                let b = b.as_f64().expect("a number");
                assert!((a - b).abs() < 1e-6, "{mode}: {a} from the counts, {b} by DuckDB");
            }
        }
    }
    store.close().await;
}

async fn run(store: &Store, statement: &str) {
    let text = AssertSqlSafe(statement.to_owned());
    let done = match store.db() {
        Db::Sqlite { writer, .. } => sqlx::query(text).execute(writer).await.map(|_| ()),
        Db::Postgres(pool) => sqlx::query(text).execute(pool).await.map(|_| ()),
    };
    done.unwrap_or_else(|cause| panic!("{statement}: {cause}"));
}

async fn quantile_rows(store: &Store) -> Vec<(String, Option<i64>, i64)> {
    let text = "select mode, value_ms, cast(sum(n) as bigint) from report_latencies where metric = 'turn_ms' \
                group by mode, value_ms";
    match store.db() {
        Db::Sqlite { reader, .. } => sqlx::query_as(text).fetch_all(reader).await,
        Db::Postgres(pool) => sqlx::query_as(text).fetch_all(pool).await,
    }
    .expect("counts")
}

fn ours(rows: &[(String, Option<i64>, i64)]) -> BTreeMap<String, Vec<f64>> {
    use halo::report::stats::quantile::{Frequencies, Level};
    let mut modes: BTreeMap<&str, Vec<(Option<i64>, u64)>> = BTreeMap::new();
    for (mode, ms, n) in rows {
        modes.entry(mode).or_default().push((*ms, n.unsigned_abs()));
    }
    let of = |rows: Vec<(Option<i64>, u64)>| {
        let table = Frequencies::collect(rows);
        [Level::P50, Level::P95, Level::P99].iter().filter_map(|level| table.quantile(*level)).collect()
    };
    modes.into_iter().map(|(mode, rows)| (mode.to_owned(), of(rows))).collect()
}

/// A Python that knows DuckDB: the one that `.ci/duckdb` made beside the build, else the system's.
fn python() -> Option<PathBuf> {
    let own = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("duckdb").join("bin/python");
    let knows = |python: &PathBuf| {
        let asked = Command::new(python).args(["-c", "import duckdb"]).output();
        asked.is_ok_and(|output| output.status.success())
    };
    [own, PathBuf::from("python3")].into_iter().find(knows)
}

/// The same three percentiles of every turn, by mode, and how long they took; nothing where the package is missing.
async fn duckdb(store: &Store, folder: &Path) -> Option<(Value, f64)> {
    let Some(python) = python() else {
        eprintln!("DuckDB was left out: its Python package is not installed (.ci/duckdb installs it)");
        return None;
    };
    let text = "select mode, turn_ms from report_turns where turn_ms >= 0";
    let rows: Vec<(String, i64)> = match store.db() {
        Db::Sqlite { reader, .. } => sqlx::query_as(text).fetch_all(reader).await,
        Db::Postgres(pool) => sqlx::query_as(text).fetch_all(pool).await,
    }
    .expect("turns");
    let path = folder.join("turns.csv");
    let mut file = std::io::BufWriter::new(std::fs::File::create(&path).expect("a file"));
    writeln!(file, "mode,ms").expect("written");
    for (mode, ms) in rows {
        writeln!(file, "{mode},{ms}").expect("written");
    }
    file.flush().expect("written");
    let program = "import duckdb, json, sys, time\n\
                   d = duckdb.connect()\n\
                   d.execute('set enable_progress_bar = false')\n\
                   d.execute(f\"create table t as select * from read_csv('{sys.argv[1]}')\")\n\
                   s = time.perf_counter()\n\
                   r = d.execute('select mode, quantile_cont(ms, [0.5, 0.95, 0.99]) from t group by mode').fetchall()\n\
                   print(json.dumps([dict(r), time.perf_counter() - s]))";
    let output = Command::new(python).arg("-c").arg(program).arg(&path).output().expect("python3");
    let told: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    Some((told[0].clone(), told[1].as_f64()?))
}
