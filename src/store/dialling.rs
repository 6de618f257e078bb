//! The acts of dialling: plan, decide, and what the sweeps ask.

use super::asked::Asked;
use super::gather::Source;
use super::{Db, Decide, Decided, Held, Note, Noted, PlanOrder, Planned, Result, StartAnswer, Store};
use crate::domain::{AttemptId, CampaignId, SessionId, Timestamp, TokenHash};
use std::collections::HashMap;

/// Rows a sweep takes at once.
const SWEEP_MAX: i64 = 500;

impl Store {
    /// Leases what is due and gives it slots; returns the attempts and their slots.
    pub async fn plan(&self, order: PlanOrder) -> Result<Vec<Planned>> {
        match &self.db {
            Db::Sqlite { .. } => write!(self, plan::plan(order)),
            // Not in the writer's batch: decisions would wait with it for the plan of another node.
            Db::Postgres(pool) => {
                let mut tx = pool.begin_with(super::writer::BY_KEYS).await?;
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

    /// What was told of a call under way, durable when this returns.
    pub async fn note(&self, note: Note) -> Result<Noted> {
        self.turn().await;
        self.writer.note(note).await
    }

    pub async fn attempt(&self, attempt: AttemptId) -> Result<Option<Held>> {
        self.turn().await;
        self.held.about(attempt).await
    }

    /// Its campaign, and the version of the settings that hold for it; `None`: no such attempt.
    pub async fn whose(&self, attempt: AttemptId) -> Result<Option<(CampaignId, i64)>> {
        self.turn().await;
        self.whose.about(attempt).await
    }

    /// When a planned attempt may leave; `None` when it is not planned (any more).
    pub async fn slot_us(&self, attempt: AttemptId) -> Result<Option<i64>> {
        self.turn().await;
        self.slots.about(attempt).await
    }

    /// `None`: no such attempt. Every token it ever had, the current one first.
    pub async fn tokens(&self, attempt: AttemptId) -> Result<Option<Vec<TokenHash>>> {
        self.turn().await;
        self.secrets.about(attempt).await
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

pub(super) async fn held(source: Source, attempts: Vec<AttemptId>) -> Result<HashMap<AttemptId, Held>> {
    read!(source, decide::load(&attempts))
}

pub(super) async fn whose(source: Source, attempts: Vec<AttemptId>) -> Result<HashMap<AttemptId, (CampaignId, i64)>> {
    read!(source, calls::whose(&attempts))
}

pub(super) async fn slots(source: Source, attempts: Vec<AttemptId>) -> Result<HashMap<AttemptId, i64>> {
    read!(source, calls::slots(&attempts))
}

pub(super) async fn secrets(source: Source, attempts: Vec<AttemptId>) -> Result<HashMap<AttemptId, Vec<TokenHash>>> {
    read!(source, calls::secrets(&attempts))
}
