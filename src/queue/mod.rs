//! The only apalis: ticks, jobs, workers and their housekeeping.
//!
//! A job carries an attempt's id and nothing else. It is a nudge: it may come twice, which the claim
//! refuses, or never, which the lease repairs. apalis gives concurrency, panic isolation, shutdown and
//! spreading over nodes; it never retries, pauses or schedules for us.

mod housekeeping;
mod lacks;
mod push;
mod ticks;

pub use housekeeping::prepare;
pub use push::push;
pub use ticks::Ticks;

use crate::dialer::Dialer;
use crate::domain::AttemptId;
use crate::store::Db;
use apalis::prelude::{BoxDynError, Data, Monitor, WorkerBuilder, WorkerBuilderExt};
use apalis_core::backend::ext::BackendExt;
use apalis_core::worker::ext::parallelize::ParallelizeExt;
use apalis_postgres::PostgresStorage;
use apalis_sqlite::SqliteStorage;
use futures::FutureExt;
use futures::future::BoxFuture;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Interval, MissedTickBehavior};
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

/// The queue's name in apalis's tables.
pub const QUEUE: &str = "place-call";

/// How often each verb is woken (wall time).
const PLAN_EVERY: Duration = Duration::from_millis(100);
const RECONCILE_EVERY: Duration = Duration::from_millis(1000);
const FIRE_EVERY: Duration = Duration::from_millis(500);
const PICK_UP_EVERY: Duration = Duration::from_millis(50);

/// Handlers at once, and tasks fetched at once: a handler waits for its slot, so there must be more of
/// them than starts in the planner's horizon, at a campaign's highest pace too. Fetching more than can run would
/// have them run twice.
const HANDLERS_MAX: usize = 2048;
const BATCH: usize = 512;
const HEARTBEAT: Duration = Duration::from_secs(5);
const HEARTBEATS_MISSED_MAX: usize = 3;
/// In-flight handlers have this long after a stop.
const SHUTDOWN: Duration = Duration::from_secs(8);
/// A worker that ended before its time is started again after this.
const RESTART_AFTER: Duration = Duration::from_secs(1);

#[derive(serde::Serialize, serde::Deserialize, Clone, Copy, Debug)]
pub struct DialJob {
    pub attempt: AttemptId,
}

#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    #[error("queue: {0}")]
    Sql(#[from] sqlx::Error),
    #[error("queue schema: {0}")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    #[error("queue: {0}")]
    Sqlite(#[from] apalis_sqlite::Error),
    #[error("queue: {0}")]
    Postgres(#[from] apalis_postgres::Error),
    #[error("queue: {0}")]
    Prepare(String),
}

/// What is done with each job.
pub type Handler = Arc<dyn Fn(AttemptId) -> BoxFuture<'static, ()> + Send + Sync>;

async fn place_call(job: DialJob, handler: Data<Handler>) -> Result<(), BoxDynError> {
    // Caught here: apalis would leave the row unacknowledged, to be run again after every restart.
    let doing = AssertUnwindSafe(async { handler(job.attempt).await });
    if doing.catch_unwind().await.is_err() {
        error!(attempt.id = %job.attempt, "The dial of attempt {} panicked; its lease or deadline brings it back", job.attempt);
    }
    Ok(())
}

/// What a process of several is woken for.
#[derive(Clone, Copy, Debug)]
pub struct Woken {
    /// plan, dial, reconcile.
    pub worker: bool,
    /// fire.
    pub scheduler: bool,
}

/// Runs until `stop`: the worker, and the ticks of plan, reconcile and fire.
pub async fn run(dialer: Arc<Dialer>, stop: CancellationToken) -> Result<(), QueueError> {
    run_for(dialer, Woken { worker: true, scheduler: true }, stop).await
}

/// The same for a part of it.
pub async fn run_for(dialer: Arc<Dialer>, woken: Woken, stop: CancellationToken) -> Result<(), QueueError> {
    let fire = woken.scheduler.then(|| tokio::spawn(fire_ticks(dialer.clone(), stop.clone())));
    if woken.worker {
        run_worker(dialer, stop.clone()).await;
    }
    stop.cancelled().await;
    if let Some(fire) = fire {
        // What a tick may panic at is caught inside it.
        let _ = fire.await;
    }
    Ok(())
}

async fn run_worker(dialer: Arc<Dialer>, stop: CancellationToken) {
    let db = dialer.store.db().clone();
    // A plan is mostly the writer's work: it goes on where that one is.
    let plan = dialer.store.on().spawn(plan_ticks(dialer.clone(), stop.clone()));
    let reconcile = tokio::spawn(reconcile_ticks(dialer.clone(), stop.clone()));
    let node = dialer.node.clone();
    let handler: Handler = Arc::new(move |attempt| {
        let dialer = dialer.clone();
        Box::pin(async move { dialer.dial(attempt).await })
    });
    let working = tokio::spawn(async move { work(db, &node, handler, stop).await });
    for task in [working, plan, reconcile] {
        let _ = task.await;
    }
}

/// Runs until `stop`: the worker, and the housekeeping of its tables. `node` is a name that no process
/// had within the last heartbeats.
pub async fn work(db: Db, node: &str, handler: Handler, stop: CancellationToken) {
    let keep = tokio::spawn(housekeeping::run(db.clone(), stop.clone()));
    for round in 0.. {
        let stopped = stop.clone();
        let monitor = monitor(db.clone(), format!("{node}-{round}"), handler.clone());
        let ended = monitor
            .run_with_signal(async move {
                stopped.cancelled().await;
                Ok(())
            })
            .await;
        if let Err(cause) = ended {
            error!("Worker ended: {cause}");
        }
        // A plan whose jobs nobody takes up dials nobody: there is always a worker.
        tokio::select! {
            () = stop.cancelled() => break,
            () = tokio::time::sleep(RESTART_AFTER) => {}
        }
    }
    let _ = keep.await;
}

fn monitor(db: Db, node: String, handler: Handler) -> Monitor {
    let monitor = Monitor::new().shutdown_timeout(SHUTDOWN).should_restart(|_, _| true);
    match db {
        Db::Sqlite { queue, .. } => monitor.register(move |n| {
            let config = apalis_sqlite::Config::default()
                .queue(QUEUE)
                .batch_size(BATCH)
                .lock_tasks(false)
                .heartbeat_interval(HEARTBEAT)
                .missed_heartbeats(HEARTBEATS_MISSED_MAX);
            let backend = SqliteStorage::<DialJob>::new(&queue)
                .with_config(config)
                .poll_with_strategy(Ticks::every(PICK_UP_EVERY));
            WorkerBuilder::new(format!("place-{node}-{n}"))
                .backend(backend)
                .data(handler.clone())
                .concurrency(HANDLERS_MAX)
                .parallelize(tokio::spawn)
                .catch_panic()
                .build(place_call)
        }),
        Db::Postgres(pool) => monitor.register(move |n| {
            let config = apalis_postgres::Config::default()
                .queue(QUEUE)
                .batch_size(BATCH)
                .lock_tasks(false)
                .heartbeat_interval(HEARTBEAT)
                .missed_heartbeats(HEARTBEATS_MISSED_MAX);
            let backend = PostgresStorage::<DialJob>::new(&pool)
                .with_config(config)
                .poll_with_strategy(Ticks::every(PICK_UP_EVERY));
            WorkerBuilder::new(format!("place-{node}-{n}"))
                .backend(backend)
                .data(handler.clone())
                .concurrency(HANDLERS_MAX)
                .parallelize(tokio::spawn)
                .catch_panic()
                .build(place_call)
        }),
    }
}

async fn plan_ticks(dialer: Arc<Dialer>, stop: CancellationToken) {
    let mut ticks = ticks(PLAN_EVERY);
    while next(&mut ticks, &stop).await {
        let planned = match caught("plan", dialer.plan()).await {
            Some(Ok(planned)) => planned,
            Some(Err(cause)) => {
                error!("plan: {cause}");
                continue;
            }
            None => continue,
        };
        // A crash or a failure here loses nothing: the leases run out, and the attempts get new slots.
        if let Err(cause) = push(dialer.store.db(), &planned).await {
            error!("{cause}");
        }
    }
}

async fn reconcile_ticks(dialer: Arc<Dialer>, stop: CancellationToken) {
    let mut ticks = ticks(RECONCILE_EVERY);
    while next(&mut ticks, &stop).await {
        match caught("reconcile", dialer.reconcile()).await {
            Some(Ok(done)) if done.settled + done.lost + done.revoked > 0 => info!(
                "Reconciled: {} settled by history, {} lost, {} grants revoked",
                done.settled, done.lost, done.revoked
            ),
            Some(Ok(_)) | None => {}
            Some(Err(cause)) => error!("reconcile: {cause}"),
        }
    }
}

async fn fire_ticks(dialer: Arc<Dialer>, stop: CancellationToken) {
    let mut ticks = ticks(FIRE_EVERY);
    while next(&mut ticks, &stop).await {
        if let Some(Err(cause)) = caught("fire", dialer.fire()).await {
            error!("fire: {cause}");
        }
    }
}

/// A panic in one tick must not be the last tick: the verb is woken again.
async fn caught<T>(verb: &str, doing: impl Future<Output = T>) -> Option<T> {
    let done = AssertUnwindSafe(doing).catch_unwind().await;
    if done.is_err() {
        error!("{verb} panicked; it is woken again at its next tick");
    }
    done.ok()
}

fn ticks(every: Duration) -> Interval {
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// Waits for the next tick; false once it is time to stop.
async fn next(ticks: &mut Interval, stop: &CancellationToken) -> bool {
    tokio::select! {
        () = stop.cancelled() => false,
        _ = ticks.tick() => true,
    }
}
