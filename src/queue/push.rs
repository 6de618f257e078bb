//! Jobs on their way into apalis's tables, in bulk: one statement, whatever their number. On SQLite apalis makes one
//! for each job, and there is one connection that writes.

use super::{DialJob, QUEUE, QueueError};
use crate::fail;
use crate::store::{Db, Planned};
use apalis_core::task::Task;
use apalis_core::task::builder::TaskBuilder;
use sqlx::SqlitePool;

/// Pushes one job for each planned attempt.
///
/// No idempotency key: a second nudge would vanish while the first row is still there. The claim is the guard.
pub async fn push(db: &Db, planned: &[Planned]) -> Result<(), QueueError> {
    if planned.is_empty() {
        return Ok(());
    }
    fail::point("queue.begun");
    match db {
        Db::Sqlite { queue, .. } => push_sqlite(queue, planned).await?,
        Db::Postgres(pool) => {
            let tasks: Vec<Task<Vec<u8>>> =
                planned.iter().map(|one| TaskBuilder::new(job(one).into_bytes()).max_attempts(1).build()).collect();
            let mut tx = pool.begin().await?;
            apalis_postgres::queries::push_tasks(&mut *tx, QUEUE, tasks).await?;
            fail::wrote("queue");
            tx.commit().await?;
        }
    }
    fail::point("queue.pushed");
    Ok(())
}

fn job(planned: &Planned) -> String {
    serde_json::to_string(&DialJob { attempt: planned.attempt }).expect("an id serialises")
}

/// The row that apalis's own `push_tasks` writes, from JSON.
async fn push_sqlite(queue: &SqlitePool, planned: &[Planned]) -> Result<(), QueueError> {
    let rows: Vec<(String, String)> = planned.iter().map(|one| (job(one), ulid(rand::random()))).collect();
    let rows = serde_json::to_string(&rows).expect("texts serialise");
    let mut tx = queue.begin().await?;
    sqlx::query(
        "insert into Jobs (job, id, job_type, status, attempts, max_attempts, run_at, priority, metadata)
         select cast(p.value ->> 0 as blob), p.value ->> 1, $2, 'Pending', 0, 1, cast(strftime('%s', 'now') as integer),
                0, '{}'
         from json_each($1) as p",
    )
    .bind(rows)
    .bind(QUEUE)
    .execute(&mut *tx)
    .await?;
    fail::wrote("queue");
    tx.commit().await?;
    Ok(())
}

/// A task's id as apalis reads it (<https://github.com/ulid/spec>); its order is of no use to us.
fn ulid(random: u128) -> String {
    const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    (0..26).rev().map(|place| char::from(ALPHABET[(random >> (5 * place)) as usize & 31])).collect()
}
