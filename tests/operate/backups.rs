//! A backup is the database as it was; put back, it calls nobody before somebody confirms.

use crate::both_engines;
use crate::common::calls::{NOON, phone};
use crate::common::{Bench, Engine};
use halo::app::{back_up, open_to_dial, restore};
use halo::config::Config;
use halo::store::{By, RunState, Store};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

both_engines! {
    a_backup_comes_back_and_calls_nobody
    a_torn_file_is_refused_whole
    what_is_in_use_is_left_alone
}

fn config(url: &str) -> Config {
    Config::read(&|name| (name == "DATABASE_URL").then(|| url.to_owned())).expect("sound settings")
}

/// Everything that is kept about people, in numbers.
async fn counted(store: &Store) -> Vec<i64> {
    let run = store.open_runs().await.expect("runs");
    let suppressed = store.suppressed(100).await.expect("a list").len() as i64;
    let campaigns = store.campaigns(100).await.expect("campaigns");
    let mut found = vec![run.len() as i64, suppressed, campaigns.len() as i64];
    for campaign in campaigns {
        let proved = store.prove(campaign.campaign).await.expect("counts").rows;
        found.extend([proved.contacts, proved.rows_total]);
    }
    found
}

struct Copied {
    _folder: TempDir,
    file: PathBuf,
    url: String,
}

/// A run of twelve with an opt-out, copied while its store is open; then another opt-out, which the copy lacks.
async fn copied(bench: &Bench) -> Copied {
    bench.run_of(12).await;
    bench.store.opt_out(phone(3), "asked in a call", NOON).await.unwrap();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("halo.backup");
    let done = back_up(&config(&bench.url), &file).await.expect("a backup while the database is open");
    assert!(done.bytes > 1000, "{}", done.bytes);
    bench.store.opt_out(phone(4), "asked in a call", NOON).await.unwrap();
    Copied { _folder: folder, file, url: bench.url.clone() }
}

async fn a_backup_comes_back_and_calls_nobody(bench: Bench) {
    let before = {
        let copied = copied(&bench).await;
        let mut before = counted(&bench.store).await;
        before[1] -= 1;
        let again = back_up(&config(&copied.url), &copied.file).await;
        assert!(again.is_err(), "a backup is not written over another");
        bench.store.close().await;

        let done = restore(&config(&copied.url), &copied.file).await.unwrap_or_else(|cause| panic!("{cause:#}"));
        assert_eq!(done.runs_paused, 1);
        assert_eq!(done.before.is_some(), bench.engine == Engine::Sqlite);
        assert!(copied.file.exists(), "a backup can be put back twice");
        before
    };
    let store = Store::open(&bench.url).await.expect("it opens");
    assert_eq!(counted(&store).await, before);

    // Nobody dials, and the line says why.
    let account = store.open_runs().await.unwrap()[0].account;
    assert_eq!(store.open_runs().await.unwrap()[0].state, RunState::Paused);
    let restored = store.restored().await.unwrap().expect("it waits to be confirmed");
    store.beat(beat()).await.unwrap();
    let status = halo::http::status::told(&store, account, NOON).await.unwrap();
    assert!(!status.dialling);
    let missing = format!("opt-outs and erasures since {} are missing", restored.since);
    assert_eq!(status.line.matches(&missing).count(), 1, "{}", status.line);

    // The guard: `pending` in `pause_account`. Without it a `resume --all` would call whoever opted out since.
    let resumed = store.pause_all(account, false, By::default(), NOON).await;
    assert!(resumed.is_err_and(|cause| cause.to_string().contains("restore --confirm")));
    assert!(store.account(account).await.unwrap().unwrap().paused_at.is_some());

    assert_eq!(store.confirm_restore(By::default(), NOON).await.unwrap(), Some(restored));
    assert_eq!(store.confirm_restore(By::default(), NOON).await.unwrap(), None, "once");
    assert!(store.account(account).await.unwrap().unwrap().paused_at.is_none());
    assert_eq!(store.open_runs().await.unwrap()[0].state, RunState::Paused, "each run waits for its own resume");
    let status = halo::http::status::told(&store, account, NOON).await.unwrap();
    assert!(!status.line.contains("opt-outs"), "{}", status.line);
    store.close().await;
}

fn beat() -> halo::store::nodes::BeatOrder {
    halo::store::nodes::BeatOrder {
        node: "test".into(),
        roles: "worker".into(),
        host: "here".into(),
        started_at: NOON,
        now: NOON,
        alive_until: NOON.plus_ms(5_000),
        forget_before: NOON.plus_ms(-1),
    }
}

fn cut(from: &Path, to: &Path, share: f64) {
    let bytes = std::fs::read(from).expect("the backup");
    std::fs::write(to, &bytes[..(bytes.len() as f64 * share) as usize]).expect("a shorter one");
}

/// The guards: `whole_sqlite` and `whole_archive`, which read all of a file before anything is touched.
async fn a_torn_file_is_refused_whole(bench: Bench) {
    let copied = copied(&bench).await;
    let before = counted(&bench.store).await;
    bench.store.close().await;
    let torn = copied.file.with_extension("torn");
    for share in [0.0, 0.1, 0.5, 0.9, 0.999] {
        cut(&copied.file, &torn, share);
        let done = restore(&config(&copied.url), &torn).await;
        let cause = done.err().unwrap_or_else(|| panic!("{share} of a backup was taken"));
        assert!(format!("{cause:#}").contains("is no whole backup"), "{share}: {cause:#}");
    }
    std::fs::write(&torn, "a list of people").unwrap();
    assert!(restore(&config(&copied.url), &torn).await.is_err());
    assert!(restore(&config(&copied.url), &torn.with_extension("missing")).await.is_err());
    let store = Store::open(&bench.url).await.expect("it opens");
    assert_eq!(counted(&store).await, before, "nothing was touched");
    assert_eq!(store.restored().await.unwrap(), None);
    store.close().await;
}

async fn what_is_in_use_is_left_alone(bench: Bench) {
    let copied = copied(&bench).await;
    let before = counted(&bench.store).await;
    let refused = match bench.engine {
        // The guard: the dialling lock.
        Engine::Sqlite => {
            let opened = open_to_dial(&config(&copied.url)).await.expect("nobody dials");
            let refused = restore(&config(&copied.url), &copied.file).await;
            drop(opened);
            refused
        }
        // The guard: `postgres_in_use`. The bench's own store is another client.
        Engine::Postgres => restore(&config(&copied.url), &copied.file).await,
    };
    let cause = refused.err().expect("somebody uses it");
    assert!(format!("{cause:#}").contains("stop"), "{cause:#}");
    assert_eq!(counted(&bench.store).await, before);
    bench.store.close().await;
}
