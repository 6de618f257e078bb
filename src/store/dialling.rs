//! The acts of dialling: plan, decide, and what the sweeps ask.

use super::asked::Asked;
use super::{Db, Decide, Decided, Held, PlanOrder, Planned, Result, StartAnswer, Store};
use crate::domain::{AttemptId, SessionId, Timestamp, TokenHash};

/// Rows a sweep takes at once.
const SWEEP_MAX: i64 = 500;

impl Store {
    /// Leases what is due and gives it slots; returns the attempts and their slots.
    pub async fn plan(&self, order: PlanOrder) -> Result<Vec<Planned>> {
        match &self.db {
            Db::Sqlite { .. } => write!(self, plan::plan(order)),
            // Not in the writer's batch: decisions before it hold the account's row shared, and two nodes
            // that both want it for themselves on top would wait for each other until the database
            // notices, a second later, ten times a second.
            Db::Postgres(pool) => {
                let mut tx = pool.begin().await?;
                let planned = super::postgres::acts::plan::plan(&mut tx, &order).await?;
                tx.commit().await?;
                crate::fail::committed();
                Ok(planned)
            }
        }
    }

    /// One decision about one attempt, under locks, durable when this returns.
    pub async fn decide<A: Send + 'static>(&self, order: Decide<A>) -> Result<Decided<A>> {
        self.turn().await;
        self.writer.decide(Asked::of(order)).await?.decided()
    }

    pub async fn attempt(&self, attempt: AttemptId) -> Result<Option<Held>> {
        Ok(read!(self, decide::load(&[attempt]))?.remove(&attempt))
    }

    /// When a planned attempt may leave; `None` when it is not planned (any more).
    pub async fn slot_us(&self, attempt: AttemptId) -> Result<Option<i64>> {
        read!(self, calls::slot(attempt))
    }

    /// `None`: no such attempt. Every token it ever had, the current one first.
    pub async fn tokens(&self, attempt: AttemptId) -> Result<Option<Vec<TokenHash>>> {
        read!(self, calls::secrets(attempt))
    }

    pub async fn answer_start(&self, answer: StartAnswer) -> Result<()> {
        self.turn().await;
        self.writer.answer(answer).await
    }

    pub async fn overdue_grants(&self, claimed_before: Timestamp) -> Result<Vec<AttemptId>> {
        read!(self, calls::overdue_grants(claimed_before, SWEEP_MAX))
    }

    pub async fn silent_calls(&self, account: i64, now: Timestamp) -> Result<Vec<(AttemptId, SessionId)>> {
        read!(self, calls::silent_calls(account, now, SWEEP_MAX))
    }
}
