//! apalis alone: jobs pushed in bulk, fetched, run by a handler that does nothing, acknowledged, pruned.
//!
//! The tables are prepared and pruned as the program does it; ticks and batches are its best, so that it is not our
//! settings that hold it back.

use crate::Options;
use crate::ground::{Engine, Ground};
use apalis::prelude::{BoxDynError, Data, Monitor, WorkerBuilder, WorkerBuilderExt};
use apalis_core::backend::ext::BackendExt;
use apalis_postgres::PostgresStorage;
use apalis_sqlite::SqliteStorage;
use halo::domain::AttemptId;
use halo::queue::{DialJob, QUEUE, Ticks, prepare, push};
use halo::store::{Db, Planned};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// Jobs pushed at once, and jobs that may wait.
const PUSH: u64 = 1000;
const WAITING_MAX: u64 = 4000;
const WARM_UP: Duration = Duration::from_secs(2);
const BATCH: usize = 500;
const PICK_UP_EVERY: Duration = Duration::from_millis(5);
const PRUNE_EVERY: Duration = Duration::from_secs(1);

pub async fn jobs_per_second(engine: Engine, options: &Options) -> Option<f64> {
    let ground = Ground::new(engine).await?;
    let db = ground.store.db().clone();
    prepare(&db).await.expect("the queue's tables");
    let done = Arc::new(AtomicU64::new(0));
    let seen = done.clone();
    let stop = CancellationToken::new();
    let working = tokio::spawn(monitor(db.clone(), seen).run_with_signal({
        let stop = stop.clone();
        async move {
            stop.cancelled().await;
            Ok(())
        }
    }));
    let pruning = tokio::spawn({
        let (db, stop) = (db.clone(), stop.clone());
        async move {
            while tokio::time::timeout(PRUNE_EVERY, stop.cancelled()).await.is_err() {
                prune(&db).await;
            }
        }
    });
    let pushing = tokio::spawn({
        let (done, stop) = (done.clone(), stop.clone());
        async move {
            let mut pushed = 0;
            while !stop.is_cancelled() {
                if pushed - done.load(Ordering::Relaxed) > WAITING_MAX {
                    tokio::time::sleep(Duration::from_millis(2)).await;
                    continue;
                }
                let jobs: Vec<Planned> =
                    (0..PUSH).map(|n| Planned { attempt: AttemptId((pushed + n) as i64), slot_us: 0 }).collect();
                push(&db, &jobs).await.expect("jobs");
                pushed += PUSH;
            }
        }
    });
    tokio::time::sleep(WARM_UP).await;
    let (before, began) = (done.load(Ordering::Relaxed), Instant::now());
    tokio::time::sleep(Duration::from_secs(options.bare_seconds)).await;
    let rate = (done.load(Ordering::Relaxed) - before) as f64 / began.elapsed().as_secs_f64();
    eprintln!("{engine}: bare apalis runs {rate:.0} empty jobs a second");
    stop.cancel();
    let _ = pushing.await;
    let (_, _) = (working.await, pruning.await);
    ground.close().await;
    Some(rate)
}

type Done = Arc<AtomicU64>;

async fn nothing(_: DialJob, done: Data<Done>) -> Result<(), BoxDynError> {
    done.fetch_add(1, Ordering::Relaxed);
    Ok(())
}

fn monitor(db: Db, done: Done) -> Monitor {
    let monitor = Monitor::new().shutdown_timeout(Duration::from_secs(2));
    match db {
        Db::Sqlite { queue, .. } => monitor.register(move |n| {
            let config = apalis_sqlite::Config::default().queue(QUEUE).batch_size(BATCH).lock_tasks(false);
            let ticks = Ticks::every(PICK_UP_EVERY);
            let backend = SqliteStorage::<DialJob>::new(&queue).with_config(config).poll_with_strategy(ticks);
            WorkerBuilder::new(format!("bare-{n}"))
                .backend(backend)
                .data(done.clone())
                .concurrency(BATCH)
                .build(nothing)
        }),
        Db::Postgres(pool) => monitor.register(move |n| {
            let config = apalis_postgres::Config::default().queue(QUEUE).batch_size(BATCH).lock_tasks(false);
            let ticks = Ticks::every(PICK_UP_EVERY);
            let backend = PostgresStorage::<DialJob>::new(&pool).with_config(config).poll_with_strategy(ticks);
            WorkerBuilder::new(format!("bare-{n}"))
                .backend(backend)
                .data(done.clone())
                .concurrency(BATCH)
                .build(nothing)
        }),
    }
}

async fn prune(db: &Db) {
    let gone = match db {
        Db::Sqlite { queue, .. } => {
            sqlx::query("delete from Jobs where status = 'Done'").execute(queue).await.map(drop)
        }
        Db::Postgres(pool) => {
            let gone = sqlx::query("delete from apalis.jobs where status = 'Done'").execute(pool).await.map(drop);
            let known = sqlx::query("analyze apalis.jobs").execute(pool).await.map(drop);
            gone.and(known)
        }
    };
    gone.expect("a statement upon its own tables");
}
