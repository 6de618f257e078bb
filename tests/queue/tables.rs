//! The queue's own tables beside ours.

use crate::both_engines;
use crate::common::{Bench, Engine, until};
use halo::queue::{QUEUE, prepare, work};
use halo::store::Db;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

both_engines! {
    a_commit_is_still_a_commit
    indexes_of_ours_replace_those_that_are_slow
    both_histories_of_migrations_coexist
    a_role_without_privileges_is_enough
    tables_that_stood_beside_ours_are_gone
    rows_of_dead_workers_are_swept_away
}

/// The trap: `SqliteStorage::setup` sets `synchronous = OFF`, and a lost claim is a second call.
async fn a_commit_is_still_a_commit(bench: Bench) {
    prepare(bench.store.db()).await.unwrap();
    match bench.store.db() {
        Db::Sqlite { .. } => {
            for (pragma, value) in [("synchronous", 2), ("foreign_keys", 1)] {
                let Db::Sqlite { writer, queue, .. } = bench.store.db() else { return };
                for pool in [writer, queue] {
                    let text = sqlx::AssertSqlSafe(format!("pragma {pragma}"));
                    let now: i64 = sqlx::query_scalar(text).fetch_one(pool).await.unwrap();
                    assert_eq!(now, value, "{pragma}");
                }
            }
        }
        Db::Postgres(pool) => {
            let now: String = sqlx::query_scalar("show synchronous_commit").fetch_one(pool).await.unwrap();
            assert_eq!(now, "on");
        }
    }
}

/// The trap: with apalis's indexes SQLite fetches 120 jobs a second, without them 20 000.
async fn indexes_of_ours_replace_those_that_are_slow(bench: Bench) {
    if bench.engine != Engine::Sqlite {
        return;
    }
    prepare(bench.store.db()).await.unwrap();
    bench.execute_in_queue("create index LIdx on Jobs(lock_by)").await.unwrap();
    // At every start: an upgrade's migration may have brought one back.
    prepare(bench.store.db()).await.unwrap();
    let there = |name: &str| format!("select count(*) from sqlite_master where type = 'index' and name = '{name}'");
    for slow in [
        "LIdx",
        "idx_jobs_status_run_at",
        "idx_jobs_job_type_status_run_at",
        "idx_jobs_claimable",
        "idx_jobs_running",
        "idx_jobs_completed_done_at",
    ] {
        assert_eq!(bench.queue_number(&there(slow)).await, 0, "{slow}");
    }
    assert_eq!(bench.queue_number(&there("jobs_inflight")).await, 1);
    // Whatever is left on the table is known, so that a new one is looked at before it is kept.
    let all =
        "select count(*) from sqlite_master where type = 'index' and tbl_name = 'Jobs' and name not like 'sqlite_%'";
    let known = bench.queue_number(all).await;
    let mut named = 0;
    for name in ["jobs_inflight", "idx_jobs_idempotency_key", "idx_jobs_pending", "idx_jobs_failed"] {
        named += bench.queue_number(&there(name)).await;
    }
    assert_eq!(known, named, "an index that nobody has measured");
}

/// The trap: both sides' migrations want the table `_sqlx_migrations`; the guard is `sqlx.toml`.
async fn both_histories_of_migrations_coexist(bench: Bench) {
    for _ in 0..2 {
        prepare(bench.store.db()).await.unwrap();
        let again = bench.another().await;
        prepare(again.db()).await.unwrap();
        again.close().await;
    }
    let ours = bench.number("select count(*) from _halo_migrations").await;
    let files = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations")).unwrap().count();
    assert_eq!(ours, files as i64);
}

/// The trap: apalis's migrations create extensions, which not every role may do.
async fn a_role_without_privileges_is_enough(bench: Bench) {
    if bench.engine != Engine::Postgres {
        return;
    }
    let name = bench.url.rsplit('/').next().unwrap().to_owned();
    bench.execute(&format!("create role plain_{name} login")).await.unwrap();
    bench.execute(&format!("create database of_{name} owner plain_{name}")).await.unwrap();
    let url = bench.url.replace("halo@", &format!("plain_{name}@")).replace(&name, &format!("of_{name}"));
    let url = url.replace(&format!("plain_of_{name}"), &format!("plain_{name}"));
    let plain = halo::store::Store::open(&url).await.unwrap();
    // Both extensions are trusted ones: the owner of the database may create them.
    prepare(plain.db()).await.unwrap();
    prepare(plain.db()).await.unwrap();
    plain.close().await;
}

/// A file of an earlier version holds the queue's tables too; on PostgreSQL a table of that name is somebody else's.
async fn tables_that_stood_beside_ours_are_gone(bench: Bench) {
    bench.execute("create table Jobs (id text)").await.unwrap();
    prepare(bench.store.db()).await.unwrap();
    let left = match bench.engine {
        Engine::Sqlite => "select count(*) from sqlite_master where name in ('Jobs', 'Workers', '_sqlx_migrations')",
        Engine::Postgres => "select 1 - count(*) from pg_tables where schemaname = 'public' and tablename = 'jobs'",
    };
    assert_eq!(bench.number(left).await, 0);
}

/// Every start leaves a row: without the sweep they are there for ever.
async fn rows_of_dead_workers_are_swept_away(bench: Bench) {
    prepare(bench.store.db()).await.unwrap();
    let (table, long_ago, now) = match bench.engine {
        Engine::Sqlite => ("Workers", "1", "strftime('%s', 'now')"),
        Engine::Postgres => ("apalis.workers", "to_timestamp(1)", "now()"),
    };
    for (name, seen) in [("dead", long_ago), ("fresh", now)] {
        let row = format!(
            "insert into {table} (id, worker_type, storage_name, layers, last_seen)
             values ('{name}', '{QUEUE}', 'x', '', {seen})"
        );
        bench.execute_in_queue(&row).await.unwrap();
    }
    let stop = CancellationToken::new();
    let worker = tokio::spawn({
        let (db, stop) = (bench.store.db().clone(), stop.clone());
        async move { work(db, "sweeping", Arc::new(|_| Box::pin(async {})), stop).await }
    });
    let rows = |name: &str| format!("select count(*) from {table} where id = '{name}'");
    until("the dead worker's row is gone", async || bench.queue_number(&rows("dead")).await == 0).await;
    assert_eq!(bench.queue_number(&rows("fresh")).await, 1);
    stop.cancel();
    worker.await.unwrap();
}
