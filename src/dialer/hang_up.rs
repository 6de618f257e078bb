//! hang up: a word to the session of a live call.
//!
//! It moves nothing: the session's own events tell how the call ended, and when they do not come, the call's
//! caps and the provider's history do.

use super::{Dialer, Result};
use crate::domain::{AttemptId, RunId};
use crate::store::Store;
use crate::voximplant::{Live, Told};
use futures::StreamExt;
use tracing::{info, warn};

#[derive(Debug)]
pub enum HangUp {
    Unknown,
    /// Nothing to hang up: it is in this state.
    NotLive(String),
    /// The session was granted, and where it takes commands is not known: the answer to its start was lost, or
    /// is still on its way.
    NoWayIn,
    /// Nothing was said to whoever answers there, and why.
    Unsafe(String),
    /// Its server took the word.
    Delivered,
    /// The session is gone, or did not answer in time: its events will tell.
    Unanswered,
}

/// For whoever has the rows; the dialler itself uses its own client.
pub async fn hang_up(store: &Store, live: &Live, attempt: AttemptId) -> Result<HangUp> {
    let Some(way) = store.way_in(attempt).await? else { return Ok(HangUp::Unknown) };
    if way.state != "live" {
        return Ok(HangUp::NotLive(way.state));
    }
    let Some(access_url) = way.access_url else { return Ok(HangUp::NoWayIn) };
    let request_id = format!("{:016x}", rand::random::<u64>());
    match live.hang_up(&access_url, &request_id).await {
        Ok(told) => {
            info!(attempt.id = %attempt, "The session of attempt {attempt} was told to hang up: {told:?}");
            Ok(match told {
                Told::Delivered => HangUp::Delivered,
                Told::Unanswered => HangUp::Unanswered,
            })
        }
        Err(cause) => {
            warn!(attempt.id = %attempt, "The session of attempt {attempt} cannot be told to hang up: {cause}");
            Ok(HangUp::Unsafe(cause.to_string()))
        }
    }
}

/// Sessions told at once.
const TOLD_AT_ONCE: usize = 16;

/// What became of the word to many sessions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct HungUp {
    /// Their servers took the word.
    pub told: usize,
    /// The session was gone, or did not answer in time: its events will tell.
    pub unanswered: usize,
    /// There was no way in, or no safe one: the call ends at its limits.
    pub could_not: usize,
}

/// A word to every live call of these runs.
pub async fn hang_up_all(store: &Store, live: &Live, runs: &[RunId]) -> Result<HungUp> {
    let attempts = store.live_attempts(runs).await?;
    let words = futures::stream::iter(attempts).map(|attempt| hang_up(store, live, attempt));
    let words: Vec<Result<HangUp>> = words.buffer_unordered(TOLD_AT_ONCE).collect().await;
    let mut done = HungUp::default();
    for word in words {
        match word? {
            HangUp::Delivered => done.told += 1,
            HangUp::Unanswered => done.unanswered += 1,
            HangUp::NoWayIn | HangUp::Unsafe(_) => done.could_not += 1,
            // It ended by itself meanwhile.
            HangUp::NotLive(_) | HangUp::Unknown => {}
        }
    }
    Ok(done)
}

impl Dialer {
    pub async fn hang_up_all(&self, runs: &[RunId]) -> Result<HungUp> {
        hang_up_all(&self.store, self.client.live(), runs).await
    }

    pub async fn hang_up(&self, attempt: AttemptId) -> Result<HangUp> {
        hang_up(&self.store, self.client.live(), attempt).await
    }
}
