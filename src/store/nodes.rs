//! Who serves this database.

use super::{Db, Result, Store};
use crate::domain::Timestamp;

/// One process that serves, or served a moment ago.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeRow {
    pub node: String,
    /// As they were asked for, with commas between.
    pub roles: String,
    pub host: String,
    pub started_at: Timestamp,
    pub beat_at: Timestamp,
}

pub struct BeatOrder {
    pub node: String,
    pub roles: String,
    pub host: String,
    pub started_at: Timestamp,
    pub now: Timestamp,
    /// Taken for dead from then on, unless it beats again.
    pub alive_until: Timestamp,
    /// Whoever has not beaten since then is forgotten.
    pub forget_before: Timestamp,
}

impl Store {
    pub async fn beat(&self, order: BeatOrder) -> Result<()> {
        write!(self, nodes::beat(order))
    }

    /// The node ends by itself: what it led is led by another at its next tick.
    pub async fn leave(&self, node: &str, now: Timestamp) -> Result<()> {
        write!(self, nodes::leave((node.to_owned(), now)))
    }

    pub async fn nodes(&self) -> Result<Vec<NodeRow>> {
        read!(self, nodes::all())
    }

    /// Leaderships and the nodes that hold them.
    pub async fn leaders(&self, now: Timestamp) -> Result<Vec<(String, String)>> {
        read!(self, nodes::leaders(now))
    }

    /// How far the database's clock is ahead of this machine's, and how long asking took: the truth lies within
    /// half of that. Microseconds; `None` on SQLite.
    pub async fn clock_sample(&self, machine_now_us: impl Fn() -> i64) -> Result<Option<(i64, i64)>> {
        let Db::Postgres(pool) = &self.db else { return Ok(None) };
        // Waiting for a connection is no part of the question.
        let mut conn = pool.acquire().await?;
        let before = machine_now_us();
        let there: i64 = sqlx::query_scalar("select cast(extract(epoch from clock_timestamp()) * 1000000 as bigint)")
            .fetch_one(&mut *conn)
            .await?;
        let after = machine_now_us();
        Ok(Some((there - (before + after) / 2, after - before)))
    }
}
