//! Reads that wait together are one question: under load a row costs a fraction of a statement.
//!
//! Nobody waits for others to come: while one question is out, those who come meanwhile are gathered for the next.

use super::broken::Broken;
use super::{Db, Result, WriteError};
use crate::domain::AttemptId;
use futures::future::BoxFuture;
use std::collections::{BTreeSet, HashMap};
use tokio::sync::{mpsc, oneshot};

/// Reads in one question, and reads waiting for one.
const TOGETHER_MAX: usize = 256;
const WAITING_MAX: usize = 8192;

/// Where answers come from, and who is told when it breaks.
#[derive(Clone)]
pub struct Source {
    pub db: Db,
    pub broken: Broken,
}

impl Source {
    /// Whoever is answered by this question had his turn when he asked.
    pub async fn turn(&self) {}
}

type Question<T> = fn(Source, Vec<AttemptId>) -> BoxFuture<'static, Result<HashMap<AttemptId, T>>>;

struct Wanted<T> {
    attempt: AttemptId,
    reply: oneshot::Sender<Result<Option<T>>>,
}

/// One question about attempts.
pub struct Gather<T>(mpsc::Sender<Wanted<T>>);

impl<T> Clone for Gather<T> {
    fn clone(&self) -> Self {
        Gather(self.0.clone())
    }
}

impl<T: Clone + Send + 'static> Gather<T> {
    pub fn start(source: Source, question: Question<T>) -> Self {
        let (sender, wanted) = mpsc::channel(WAITING_MAX);
        tokio::spawn(ask(source, question, wanted));
        Gather(sender)
    }

    /// What is so about this attempt; `None` where nothing is.
    pub async fn about(&self, attempt: AttemptId) -> Result<Option<T>> {
        let (reply, answer) = oneshot::channel();
        self.0.send(Wanted { attempt, reply }).await.map_err(|_| WriteError::Stopped)?;
        answer.await.map_err(|_| WriteError::Stopped)?
    }
}

async fn ask<T: Clone + Send + 'static>(source: Source, question: Question<T>, mut wanted: mpsc::Receiver<Wanted<T>>) {
    let mut together = Vec::with_capacity(TOGETHER_MAX);
    while wanted.recv_many(&mut together, TOGETHER_MAX).await > 0 {
        let attempts: BTreeSet<AttemptId> = together.iter().map(|wanted| wanted.attempt).collect();
        match question(source.clone(), attempts.into_iter().collect()).await {
            Ok(found) => {
                for wanted in together.drain(..) {
                    let _ = wanted.reply.send(Ok(found.get(&wanted.attempt).cloned()));
                }
            }
            Err(cause) if together.len() == 1 => {
                if let Some(wanted) = together.pop() {
                    let _ = wanted.reply.send(Err(cause));
                }
            }
            // A row that breaks a rule is its reader's trouble and nobody else's.
            Err(_) => {
                for wanted in together.drain(..) {
                    let found = question(source.clone(), vec![wanted.attempt]).await;
                    let _ = wanted.reply.send(found.map(|mut found| found.remove(&wanted.attempt)));
                }
            }
        }
    }
}
