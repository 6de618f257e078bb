//! One writer per process: collects what callers hand in and commits it together.
//!
//! A commit at `synchronous=FULL` costs a sync of the disk; shared by a batch it costs each caller a
//! fraction. Whoever needs durability waits for that commit. A batch that fails is applied again one
//! by one, so that only the faulty caller gets the error; a panic is such a failure too, because the
//! writer is one task, and must outlive whatever is handed in.

use super::{Db, Result, StoreError};
use crate::fail;
use futures::FutureExt;
use futures::future::BoxFuture;
use sqlx::{PgConnection, SqliteConnection};
use std::any::Any;
use std::panic::AssertUnwindSafe;
use tokio::sync::{mpsc, oneshot};

/// Acts in one commit, and acts waiting for one.
const BATCH_MAX: usize = 256;
const WAITING_MAX: usize = 8192;

#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    #[error("the database writer has stopped")]
    Stopped,
    #[error("an act of the database writer panicked")]
    Panicked,
}

pub enum Tx<'c> {
    Sqlite(&'c mut SqliteConnection),
    Postgres(&'c mut PgConnection),
}

type Done = Box<dyn Any + Send>;
type Act = Box<dyn for<'c> Fn(Tx<'c>) -> BoxFuture<'c, Result<Done>> + Send + Sync>;

enum Order {
    Act { act: Act, reply: oneshot::Sender<Result<Done>> },
    Drain(oneshot::Sender<()>),
}

#[derive(Clone)]
pub struct Writer(mpsc::Sender<Order>);

impl Writer {
    pub fn start(db: Db) -> Self {
        let (sender, orders) = mpsc::channel(WAITING_MAX);
        tokio::spawn(work(db, orders));
        Writer(sender)
    }

    /// Applies `act` in a transaction and returns when that is durable.
    pub async fn submit<T, F>(&self, act: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'c> Fn(Tx<'c>) -> BoxFuture<'c, Result<T>> + Send + Sync + 'static,
    {
        let (reply, done) = oneshot::channel();
        let act: Act = Box::new(move |tx| {
            let doing = act(tx);
            Box::pin(async move { doing.await.map(|value| Box::new(value) as Done) })
        });
        self.0.send(Order::Act { act, reply }).await.map_err(|_| WriteError::Stopped)?;
        let done = done.await.map_err(|_| WriteError::Stopped)??;
        Ok(*done.downcast::<T>().expect("the act's own type went in"))
    }

    /// Returns when everything handed in before has been written.
    pub async fn drain(&self) {
        let (reply, done) = oneshot::channel();
        if self.0.send(Order::Drain(reply)).await.is_ok() {
            let _ = done.await;
        }
    }
}

async fn work(db: Db, mut orders: mpsc::Receiver<Order>) {
    let mut batch = Vec::with_capacity(BATCH_MAX);
    while orders.recv_many(&mut batch, BATCH_MAX).await > 0 {
        let (mut acts, mut drained) = (Vec::with_capacity(batch.len()), Vec::new());
        for order in batch.drain(..) {
            match order {
                Order::Act { act, reply } => acts.push((act, reply)),
                Order::Drain(reply) => drained.push(reply),
            }
        }
        match together(&db, &acts).await {
            Ok(done) => {
                for ((_, reply), done) in acts.into_iter().zip(done) {
                    let _ = reply.send(Ok(done));
                }
            }
            Err(error) if acts.len() == 1 && !is_deadlock(&error) => {
                if let Some((_, reply)) = acts.pop() {
                    let _ = reply.send(Err(error));
                }
            }
            Err(_) => {
                for one in acts {
                    let mut done = together(&db, std::slice::from_ref(&one)).await;
                    if done.as_ref().is_err_and(is_deadlock) {
                        done = together(&db, std::slice::from_ref(&one)).await;
                    }
                    let done = done.and_then(|mut done| done.pop().ok_or(WriteError::Stopped.into()));
                    let _ = one.1.send(done);
                }
            }
        }
        for reply in drained {
            let _ = reply.send(());
        }
    }
}

/// Another node wanted the same rows in another order, and the database let it go first: nothing is wrong.
fn is_deadlock(error: &StoreError) -> bool {
    const DEADLOCK_DETECTED: &str = "40P01";
    let StoreError::Sql(sqlx::Error::Database(cause)) = error else { return false };
    cause.code().as_deref() == Some(DEADLOCK_DETECTED)
}

async fn together(db: &Db, acts: &[(Act, oneshot::Sender<Result<Done>>)]) -> Result<Vec<Done>> {
    let mut done = Vec::with_capacity(acts.len());
    match db {
        Db::Sqlite { writer, .. } => {
            // Immediate: acts read before they write, and must not find the lock taken then.
            let mut tx = writer.begin_with("BEGIN IMMEDIATE").await.map_err(StoreError::Sql)?;
            for (act, _) in acts {
                done.push(caught(act, Tx::Sqlite(&mut tx)).await?);
            }
            tx.commit().await?;
            fail::committed();
        }
        Db::Postgres(pool) => {
            let mut tx = pool.begin().await?;
            for (act, _) in acts {
                done.push(caught(act, Tx::Postgres(&mut tx)).await?);
            }
            tx.commit().await?;
            fail::committed();
        }
    }
    Ok(done)
}

/// Nothing of a panicked act is looked at again: its transaction is dropped, and that rolls it back.
async fn caught(act: &Act, tx: Tx<'_>) -> Result<Done> {
    let doing = AssertUnwindSafe(async move { act(tx).await });
    doing.catch_unwind().await.unwrap_or(Err(WriteError::Panicked.into()))
}
