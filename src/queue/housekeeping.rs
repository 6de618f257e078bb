//! apalis's own tables, kept small: its `setup` and `vacuum` are not used.

use super::{QUEUE, QueueError, lacks};
use crate::store::Db;
use apalis_postgres::PostgresStorage;
use apalis_sqlite::SqliteStorage;
use sqlx::{PgPool, SqlitePool};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tracing::error;

const KEEP_EVERY: Duration = Duration::from_secs(5);
/// Every start leaves a worker's row behind. One that was not seen for so long is dead, and a live one
/// beats every few seconds; rows that still hold jobs stay until those were taken from them.
const KEEP_WORKERS_S: i64 = 24 * 3600;

/// The queue's tables, before any worker starts.
pub async fn prepare(db: &Db) -> Result<(), QueueError> {
    match db {
        Db::Sqlite { writer, queue, .. } => prepare_sqlite(writer, queue).await,
        Db::Postgres(pool) => prepare_postgres(pool).await,
    }
}

async fn prepare_sqlite(writer: &SqlitePool, queue: &SqlitePool) -> Result<(), QueueError> {
    // Once they stood beside ours. A job that is lost with them is an attempt that its lease brings back.
    sqlx::raw_sql("drop table if exists Jobs; drop table if exists Workers; drop table if exists _sqlx_migrations;")
        .execute(writer)
        .await?;
    // Not SqliteStorage::setup: it sets synchronous=OFF, and what was pushed is kept like everything else.
    SqliteStorage::<()>::migrations().run(queue).await?;
    // Its indexes make the fetch slow (120 jobs a second against 20 000): dropped at every start.
    sqlx::raw_sql(
        "drop index if exists LIdx; drop index if exists idx_jobs_status_run_at;
         drop index if exists idx_jobs_job_type_status_run_at; drop index if exists idx_jobs_claimable;
         drop index if exists idx_jobs_running; drop index if exists idx_jobs_completed_done_at;
         create index if not exists jobs_inflight on Jobs(lock_by) where status in ('Queued', 'Running');",
    )
    .execute(queue)
    .await?;
    Ok(())
}

/// Needs the extensions `hstore` and `pgcrypto`, and a schema of its own: what is missing is told before anything
/// starts.
async fn prepare_postgres(pool: &PgPool) -> Result<(), QueueError> {
    match lacks::on(pool).await? {
        Some(why) => Err(QueueError::Prepare(why)),
        None => Ok(PostgresStorage::<()>::setup(pool).await?),
    }
}

/// Deletes what is done: the truth is in our tables.
pub(super) async fn run(db: Db, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(KEEP_EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => {
                if let Err(cause) = keep(&db).await {
                    error!("{cause}");
                }
            }
        }
    }
}

async fn keep(db: &Db) -> Result<(), QueueError> {
    match db {
        Db::Sqlite { queue, .. } => {
            sqlx::query("delete from Jobs where job_type = $1 and status in ('Done', 'Killed', 'Failed')")
                .bind(QUEUE)
                .execute(queue)
                .await?;
            sqlx::query(
                "delete from Workers
                 where worker_type = $1 and last_seen < cast(strftime('%s', 'now') as integer) - $2
                   and not exists (select 1 from Jobs where Jobs.lock_by = Workers.id)",
            )
            .bind(QUEUE)
            .bind(KEEP_WORKERS_S)
            .execute(queue)
            .await?;
        }
        Db::Postgres(pool) => {
            sqlx::query("delete from apalis.jobs where job_type = $1 and status in ('Done', 'Killed', 'Failed')")
                .bind(QUEUE)
                .execute(pool)
                .await?;
            sqlx::query("analyze apalis.jobs").execute(pool).await?;
            sqlx::query(
                "delete from apalis.workers w
                 where w.worker_type = $1 and w.last_seen < now() - cast($2 as bigint) * interval '1 second'
                   and not exists (select 1 from apalis.jobs j where j.lock_by = w.id)",
            )
            .bind(QUEUE)
            .bind(KEEP_WORKERS_S)
            .execute(pool)
            .await?;
        }
    }
    Ok(())
}
