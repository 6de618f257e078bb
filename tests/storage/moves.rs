//! `halo migrate-database`: everything of a file into PostgreSQL, proven, in the middle of a run.

use crate::client;
use crate::common::Bench;
use crate::harness::{self, Place, World, completed, csv, laws_hold, ledger, number, settings, start, take_in, until};
use halo::app::{App, ClockStart};
use halo::config::Config;
use halo::domain::Timestamp;
use halo::report::stored;
use halo::simulator;
use halo::store::Store;
use serde_json::Value;
use std::process::{Command, Output};

fn migrate(place: &Place, to: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_halo"));
    command.current_dir(place.folder.path()).env_clear();
    command.args(["migrate-database", "--json", "--from", &place.database_url(), "--to", to]);
    command.output().expect("the program starts")
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

async fn report_of(store: &Store, name: &str, at: Timestamp) -> (String, Value) {
    let campaign = store.find_campaign(name).await.expect("the campaign came along");
    let modes = ["dialog", "realtime", "realtime_pure", "greeting"].map(|mode| mode.parse().expect("a mode"));
    let (rules, _) = halo::app::read_rules(modes.into())(&campaign.settings).expect("settings of ours");
    let report = stored::report(store, &campaign, &rules, at).await.expect("a report");
    (report.data_version.clone(), serde_json::to_value(&report).expect("JSON"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_goes_on_in_postgres_where_the_file_left_it() {
    client();
    let Some(bench) = Bench::postgres().await else { return };
    let place = Place::new(World::default()).await;
    let app = place.serve().await;
    let endings = [0, 7, 62, 66, 70, 75, 78, 83, 85, 88, 90, 94];
    let list = csv(endings.map(|ending| number(0, ending)).into_iter().chain(["12".to_owned(), number(0, 7)]));
    let done = settings("done", harness::SPLIT);
    let (first, _) = harness::whole_run(&app, &done, &list).await;
    laws_hold(&app, first).await;
    let slow = settings("half", "mode = \"dialog\"").replace("cps = 20", "cps = 0.1");
    let half = take_in(&app, &slow, &csv((0..30).map(|n| number(1, n)))).await.campaign;
    let run = start(&app, half).await;
    let before = ledger::calls(&place.simulator).await.len();
    until("the second run is in its middle", || async {
        (ledger::calls(&place.simulator).await.len() > before + 6).then_some(())
    })
    .await;

    // While it is served, nothing is copied. Guard: the dialling lock in `open_sides`.
    let served = migrate(&place, &bench.url);
    assert_eq!(served.status.code(), Some(1));
    assert!(err(&served).contains("another process dials"), "{}", err(&served));
    app.stop().await;

    // What the target does to a row is noticed, and nothing is kept. Guard: the comparison of sums in `copy`.
    for statement in [
        "create function spoil() returns trigger language plpgsql as \
         'begin new.raw_phone = ''gone''; return new; end'",
        "create trigger spoil before insert on contacts for each row execute function spoil()",
    ] {
        bench.execute(statement).await.expect("a trigger");
    }
    let spoiled = migrate(&place, &bench.url);
    assert_eq!(spoiled.status.code(), Some(1), "{}", err(&spoiled));
    assert!(err(&spoiled).contains("contacts is not the same on both sides"), "{}", err(&spoiled));
    assert_eq!(bench.number("select count(*) from campaigns").await, 0, "all of it or nothing");
    bench.execute("drop trigger spoil on contacts").await.expect("the trigger goes");

    let file = place.folder.path().join("halo.db");
    let bytes = std::fs::read(&file).expect("the file");
    let copied = migrate(&place, &bench.url);
    assert_eq!(copied.status.code(), Some(0), "{}", err(&copied));
    assert_eq!(std::fs::read(&file).expect("the file"), bytes, "the source is as it was");
    let told: Value = serde_json::from_slice(&copied.stdout).expect("JSON");
    assert_eq!((&told["copied"], told["campaigns"].as_i64()), (&Value::Bool(true), Some(2)), "{told}");
    let contacts = told["tables"].as_array().expect("tables").iter().find(|table| table["table"] == "contacts");
    assert_eq!(contacts.expect("contacts")["rows_in_target"], 42, "{told}");

    // The report is the same on both sides, its data's version too.
    let source = Store::look(&place.database_url()).await.expect("the source opens");
    let at = harness_now(&source).await;
    for name in ["done", "half"] {
        let (there, here) = (report_of(&source, name, at).await, report_of(&bench.store, name, at).await);
        assert_eq!(there.0, here.0, "{name}: the data's version");
        assert_eq!(there.1, here.1, "{name}: the report");
    }
    source.close().await;

    // A second time there is no room. Guard: `filled`.
    let again = migrate(&place, &bench.url);
    assert_eq!(again.status.code(), Some(1));
    assert!(err(&again).contains("the target is not empty"), "{}", err(&again));

    // And the run goes on from there.
    let config = Config { database_url: bench.url.clone(), ..place.config() };
    let clock = ClockStart { speed: World::default().speed, at: None };
    let store = Store::open(&bench.url).await.expect("the target opens");
    let app = App::start(&config, store, clock, simulator::Settings::default()).await;
    let app = app.unwrap_or_else(|cause| panic!("the service starts: {cause:#}"));
    completed(&app, run).await;
    laws_hold(&app, half).await;
    ledger::no_attempt_twice(&place.simulator).await;
    app.stop().await;
}

async fn harness_now(store: &Store) -> Timestamp {
    halo::app::peek_clock(store).await.expect("a clock").now()
}

/// Whoever may not create extensions is told the command, before anything is written or dialled.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn missing_extensions_are_told_with_the_command() {
    client();
    let Some(bench) = Bench::postgres().await else { return };
    for statement in [
        "do $$ begin create role plain login; exception when duplicate_object then null; end $$",
        "create schema theirs authorization plain",
        "drop extension if exists hstore cascade",
    ] {
        bench.execute(statement).await.expect("a role without rights");
    }
    let url = bench.url.replace("//halo@", "//plain@");
    let folder = tempfile::tempdir().expect("a folder");
    let serve = |options: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_halo"));
        command.current_dir(folder.path()).env_clear().env("DATABASE_URL", format!("{url}{options}"));
        command.env("HALO_LISTEN", "127.0.0.1:0").args(["serve"]).output().expect("the program starts")
    };
    let refused = serve("?options=-c%20search_path%3Dtheirs");
    assert_eq!(refused.status.code(), Some(2), "{}", err(&refused));
    for command in ["create extension hstore;", "create extension pgcrypto;", "grant create on database"] {
        assert!(err(&refused).contains(command), "`{command}` is not in {}", err(&refused));
    }
    // Nor may it create tables where ours would be.
    bench.execute("create schema nobodys").await.expect("a schema");
    bench.execute("grant usage on schema nobodys to plain").await.expect("a grant");
    let refused = serve("?options=-c%20search_path%3Dnobodys");
    assert_eq!(refused.status.code(), Some(2), "{}", err(&refused));
    assert!(err(&refused).contains("grant create on schema nobodys to plain;"), "{}", err(&refused));
}

/// Roles are for PostgreSQL: said before anything is opened, and with what to do instead.
#[test]
fn roles_that_cannot_be_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let serve = |environment: &[(&str, &str)], roles: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_halo"));
        command.current_dir(folder.path()).env_clear().envs(environment.iter().copied());
        command.args(["serve", "--roles", roles]).output().expect("the program starts")
    };
    type Case<'a> = (&'a [(&'a str, &'a str)], &'a str, &'a str);
    let cases: [Case<'_>; 2] = [
        (&[], "api", "halo.db is a SQLite file, which one process with all roles serves"),
        (&[], "cook", "there are api, worker and scheduler"),
    ];
    for (environment, roles, words) in cases {
        let refused = serve(environment, roles);
        assert_eq!(refused.status.code(), Some(2), "{}", err(&refused));
        assert!(err(&refused).contains(words), "{}", err(&refused));
    }
    assert!(!folder.path().join("halo.db").exists(), "nothing was made");
}
