//! One writer per process: collects what callers hand in and commits it together.
//!
//! A commit at `synchronous=FULL` costs a sync of the disk; shared by a batch it costs each caller a
//! fraction. Whoever needs durability waits for that commit. Decisions, notes, answers to starts and replies of
//! dialogues, of which there are many, are applied as sets; the others one after the other. A batch that fails is applied again one
//! by one, so that only the faulty caller gets the error; a panic is such a failure too, because the
//! writer is one task, and must outlive whatever is handed in.
//!
//! Whoever waits for the same commit was not told of anything in it, so kinds may change places: acts come first (a
//! pause, an opt-out), then decisions in the order of their arrival, then notes, answers and replies.

use super::asked::{Asked, Runs, Told};
use super::broken::Broken;
use super::checkpoint;
use super::{Db, DialogueTurn, Note, Noted, Result, StartAnswer, StoreError};
use crate::{fail, measures};
use futures::FutureExt;
use futures::future::BoxFuture;
use sqlx::{PgConnection, SqliteConnection};
use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::time::Instant;
use tokio::sync::{mpsc, oneshot, watch};

/// Acts in one commit, and acts waiting for one.
const BATCH_MAX: usize = 512;
const WAITING_MAX: usize = 8192;

#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    #[error("the database writer has stopped")]
    Stopped,
    #[error("an act of the database writer panicked")]
    Panicked,
    /// The storage failed; nothing is written any more.
    #[error("{0}")]
    Broken(String),
}

/// How a transaction of PostgreSQL begins that reads a few hundred rows by their keys, however large the tables have become
/// or seem: in its eyes a list in JSON is a hundred rows, and to read a small table whole is sooner.
pub(super) const BY_KEYS: &str = "begin; set local enable_seqscan = off; set local enable_hashjoin = off; \
                                  set local enable_mergejoin = off";

pub enum Tx<'c> {
    Sqlite(&'c mut SqliteConnection),
    Postgres(&'c mut PgConnection),
}

type Done = Box<dyn Any + Send>;
type Act = Box<dyn for<'c> Fn(Tx<'c>) -> BoxFuture<'c, Result<Done>> + Send + Sync>;

enum What {
    Act(Act),
    Decide(Asked),
    Note(Note),
    Answer(StartAnswer),
    Reply(Box<DialogueTurn>),
}

struct Order {
    what: What,
    reply: oneshot::Sender<Result<Done>>,
}

impl Order {
    /// It touches few rows, and each by its key.
    fn is_by_keys(&self) -> bool {
        !matches!(&self.what, What::Act(_))
    }

    /// All such orders of a batch are written by one statement, and none of them reads before.
    fn is_one_statement(&self) -> bool {
        matches!(&self.what, What::Reply(turn) if !turn.costs())
    }
}

enum Message {
    Order(Order),
    Drain(oneshot::Sender<()>),
}

#[derive(Clone)]
pub struct Writer(mpsc::Sender<Message>);

impl Writer {
    pub fn start(db: Db, broken: Broken) -> Self {
        let (sender, orders) = mpsc::channel(WAITING_MAX);
        let (committed, commits) = watch::channel(());
        if let Db::Sqlite { reader, .. } = &db {
            tokio::spawn(checkpoint::keep(reader.clone(), broken.clone(), commits));
        }
        tokio::spawn(work(db, broken, orders, committed));
        Writer(sender)
    }

    /// Applies `act` in a transaction and returns when that is durable.
    pub async fn submit<T, F>(&self, act: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'c> Fn(Tx<'c>) -> BoxFuture<'c, Result<T>> + Send + Sync + 'static,
    {
        self.done(What::Act(Box::new(move |tx| {
            let doing = act(tx);
            Box::pin(async move { doing.await.map(|value| Box::new(value) as Done) })
        })))
        .await
    }

    /// One decision about one attempt, durable when this returns.
    pub async fn decide(&self, asked: Asked) -> Result<Told> {
        self.done(What::Decide(asked)).await
    }

    pub async fn note(&self, note: Note) -> Result<Noted> {
        self.done(What::Note(note)).await
    }

    pub async fn answer(&self, answer: StartAnswer) -> Result<()> {
        self.done(What::Answer(answer)).await
    }

    /// The reply that stood before.
    pub async fn reply(&self, turn: DialogueTurn) -> Result<Option<String>> {
        self.done(What::Reply(Box::new(turn))).await
    }

    async fn done<T: 'static>(&self, what: What) -> Result<T> {
        let (reply, done) = oneshot::channel();
        self.0.send(Message::Order(Order { what, reply })).await.map_err(|_| WriteError::Stopped)?;
        let done = done.await.map_err(|_| WriteError::Stopped)??;
        Ok(*done.downcast::<T>().expect("the order's own type went in"))
    }

    /// Returns when everything handed in before has been written.
    pub async fn drain(&self) {
        let (reply, done) = oneshot::channel();
        if self.0.send(Message::Drain(reply)).await.is_ok() {
            let _ = done.await;
        }
    }
}

async fn work(db: Db, broken: Broken, mut messages: mpsc::Receiver<Message>, committed: watch::Sender<()>) {
    let mut batch = Vec::with_capacity(BATCH_MAX);
    while messages.recv_many(&mut batch, BATCH_MAX).await > 0 {
        let (mut orders, mut drained) = (Vec::with_capacity(batch.len()), Vec::new());
        for message in batch.drain(..) {
            match message {
                Message::Order(order) => orders.push(order),
                Message::Drain(reply) => drained.push(reply),
            }
        }
        match &db {
            // A transaction costs a sync of the disk: one for all.
            Db::Sqlite { .. } => {
                settle(&db, &broken, orders).await;
                committed.send_replace(());
            }
            // Each kind takes its locks in one order; two kinds in one transaction would not.
            Db::Postgres(_) => {
                let (acts, others): (Vec<_>, Vec<_>) =
                    orders.into_iter().partition(|order| matches!(order.what, What::Act(_)));
                let (decisions, others): (Vec<_>, Vec<_>) =
                    others.into_iter().partition(|order| matches!(order.what, What::Decide(_)));
                let (notes, others): (Vec<_>, Vec<_>) =
                    others.into_iter().partition(|order| matches!(order.what, What::Note(_)));
                let (answers, replies) = others.into_iter().partition(|order| matches!(order.what, What::Answer(_)));
                for kind in [acts, decisions, notes, answers, replies] {
                    settle(&db, &broken, kind).await;
                }
            }
        }
        for reply in drained {
            let _ = reply.send(());
        }
    }
}

/// Applies the orders together or, where that fails, one by one; tells each what became of it.
async fn settle(db: &Db, broken: &Broken, mut orders: Vec<Order>) {
    if orders.is_empty() {
        return;
    }
    match together(db, broken, &orders).await {
        Ok(done) => {
            for (order, done) in orders.into_iter().zip(done) {
                let _ = order.reply.send(Ok(done));
            }
        }
        Err(error) if orders.len() == 1 && !is_deadlock(&error) => {
            if let Some(order) = orders.pop() {
                let _ = order.reply.send(Err(error));
            }
        }
        Err(_) => {
            for one in orders {
                let mut done = together(db, broken, std::slice::from_ref(&one)).await;
                if done.as_ref().is_err_and(is_deadlock) {
                    done = together(db, broken, std::slice::from_ref(&one)).await;
                }
                let done = done.and_then(|mut done| done.pop().ok_or(WriteError::Stopped.into()));
                let _ = one.reply.send(done);
            }
        }
    }
}

/// Another node wanted the same rows in another order, and the database let it go first: nothing is wrong.
fn is_deadlock(error: &StoreError) -> bool {
    const DEADLOCK_DETECTED: &str = "40P01";
    let StoreError::Sql(sqlx::Error::Database(cause)) = error else { return false };
    cause.code().as_deref() == Some(DEADLOCK_DETECTED)
}

/// All of them in one transaction, or none; never after a fault of the storage.
async fn together(db: &Db, broken: &Broken, orders: &[Order]) -> Result<Vec<Done>> {
    broken.check()?;
    let began = Instant::now();
    let done = applied(db, orders).await.map_err(|cause| broken.noted(cause))?;
    measures::committed(orders.len(), began.elapsed());
    Ok(done)
}

async fn applied(db: &Db, orders: &[Order]) -> Result<Vec<Done>> {
    match db {
        // One statement is a transaction by itself: to begin and to end one would be two more changes of threads, for
        // somebody who is being spoken to.
        Db::Sqlite { writer, .. } if orders.iter().all(Order::is_one_statement) => {
            let mut conn = writer.acquire().await.map_err(StoreError::Sql)?;
            let done = caught(apply(Tx::Sqlite(&mut conn), orders, Runs::Own)).await?;
            fail::committed();
            done.ok_or(WriteError::Stopped.into())
        }
        Db::Sqlite { writer, .. } => {
            // Immediate: acts read before they write, and must not find the lock taken then.
            let mut tx = writer.begin_with("BEGIN IMMEDIATE").await.map_err(StoreError::Sql)?;
            let done = caught(apply(Tx::Sqlite(&mut tx), orders, Runs::Own)).await?;
            tx.commit().await?;
            fail::committed();
            done.ok_or(WriteError::Stopped.into())
        }
        Db::Postgres(pool) => {
            // A lock that two nodes share cannot become either's own: whoever needs that gives all back, and begins anew.
            for runs in [Runs::Shared, Runs::Own] {
                let begin = if orders.iter().all(Order::is_by_keys) { BY_KEYS } else { "begin" };
                let mut tx = pool.begin_with(begin).await?;
                if let Some(done) = caught(apply(Tx::Postgres(&mut tx), orders, runs)).await? {
                    tx.commit().await?;
                    fail::committed();
                    return Ok(done);
                }
                tx.rollback().await?;
            }
            Err(WriteError::Stopped.into())
        }
    }
}

/// What became of each order, in their order; `None`: their runs must not be shared.
async fn apply(mut tx: Tx<'_>, orders: &[Order], runs: Runs) -> Result<Option<Vec<Done>>> {
    let mut done: Vec<Option<Done>> = orders.iter().map(|_| None).collect();
    let mut sets = Sets::default();
    for (n, order) in orders.iter().enumerate() {
        match &order.what {
            What::Act(act) => done[n] = Some(act(tx.again()).await?),
            What::Decide(asked) => sets.decisions.push((n, asked)),
            What::Note(note) => sets.notes.push((n, note)),
            What::Answer(answer) => sets.answers.push((n, answer)),
            What::Reply(turn) => sets.replies.push((n, &**turn)),
        }
    }
    if !sets.decisions.is_empty() {
        let (places, decisions): (Vec<_>, Vec<_>) = sets.decisions.into_iter().unzip();
        let told = match tx.again() {
            Tx::Sqlite(conn) => super::sqlite::acts::decide::decide(conn, &decisions, runs).await?,
            Tx::Postgres(conn) => super::postgres::acts::decide::decide(conn, &decisions, runs).await?,
        };
        let Some(told) = told else { return Ok(None) };
        put(&mut done, places, told);
    }
    if !sets.notes.is_empty() {
        let (places, notes): (Vec<_>, Vec<_>) = sets.notes.into_iter().unzip();
        let noted = match tx.again() {
            Tx::Sqlite(conn) => super::sqlite::acts::note::note(conn, &notes).await?,
            Tx::Postgres(conn) => super::postgres::acts::note::note(conn, &notes).await?,
        };
        put(&mut done, places, noted);
    }
    if !sets.answers.is_empty() {
        let (places, answers): (Vec<_>, Vec<_>) = sets.answers.into_iter().unzip();
        match tx.again() {
            Tx::Sqlite(conn) => super::sqlite::acts::calls::answer_starts(conn, &answers).await?,
            Tx::Postgres(conn) => super::postgres::acts::calls::answer_starts(conn, &answers).await?,
        }
        put(&mut done, places, std::iter::repeat(()));
    }
    if !sets.replies.is_empty() {
        let (places, replies): (Vec<_>, Vec<_>) = sets.replies.into_iter().unzip();
        let stood = match tx.again() {
            Tx::Sqlite(conn) => super::sqlite::acts::dialogue::put(conn, &replies).await?,
            Tx::Postgres(conn) => super::postgres::acts::dialogue::put(conn, &replies).await?,
        };
        put(&mut done, places, stood);
    }
    Ok(Some(done.into_iter().flatten().collect()))
}

/// What is applied as a set, each with its place among the orders.
#[derive(Default)]
struct Sets<'o> {
    decisions: Vec<(usize, &'o Asked)>,
    notes: Vec<(usize, &'o Note)>,
    answers: Vec<(usize, &'o StartAnswer)>,
    replies: Vec<(usize, &'o DialogueTurn)>,
}

/// What became of a set goes back to the places of its orders.
fn put<T: Send + 'static>(done: &mut [Option<Done>], places: Vec<usize>, of: impl IntoIterator<Item = T>) {
    places.into_iter().zip(of).for_each(|(n, one)| done[n] = Some(Box::new(one)));
}

impl Tx<'_> {
    fn again(&mut self) -> Tx<'_> {
        match self {
            Tx::Sqlite(conn) => Tx::Sqlite(conn),
            Tx::Postgres(conn) => Tx::Postgres(conn),
        }
    }
}

/// Nothing of what panicked is looked at again: its transaction is dropped, and that rolls it back.
async fn caught<T>(doing: impl Future<Output = Result<T>>) -> Result<T> {
    AssertUnwindSafe(doing).catch_unwind().await.unwrap_or(Err(WriteError::Panicked.into()))
}
