//! The account's pace: limits that people edit, a brake that the provider's complaints pull.

use super::{BrakeOrder, Db, LimitOrder, Result, Store};
use crate::domain::Timestamp;
use crate::domain::pace::Brake;

impl Store {
    /// Lines of the account that calls hold.
    pub async fn lines_held(&self, account: i64, now: Timestamp) -> Result<i64> {
        read!(self, pace::lines_held(account, now))
    }

    /// A step of the account's brake, or nothing when the last one has answered this complaint already.
    pub async fn brake(&self, order: BrakeOrder) -> Result<Option<Brake>> {
        match &self.db {
            Db::Sqlite { .. } => write!(self, pace::brake(order)),
            // In a transaction of its own, like the plan and for the same reason.
            Db::Postgres(pool) => {
                let mut tx = pool.begin().await?;
                let brake = super::postgres::acts::pace::brake(&mut tx, &order).await?;
                tx.commit().await?;
                Ok(brake)
            }
        }
    }

    /// The account's limits from now on; false where they are others than the order has seen.
    pub async fn limit(&self, order: LimitOrder) -> Result<bool> {
        match &self.db {
            Db::Sqlite { .. } => write!(self, pace::limit(order)),
            Db::Postgres(pool) => {
                let mut tx = pool.begin().await?;
                let obeyed = super::postgres::acts::pace::limit(&mut tx, &order).await?;
                tx.commit().await?;
                Ok(obeyed)
            }
        }
    }
}
