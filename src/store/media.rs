//! What is kept of a stream of audio between a call and a realtime model.

use super::{Result, Store};
use crate::domain::AttemptId;

/// Written when it is over; instants are unix milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct MediaStream {
    pub opened_at: i64,
    pub lasted_ms: i64,
    pub model: String,
    pub encoding: String,
    pub ended_by: String,
    pub reason: String,
    /// JSON.
    pub tally: String,
}

#[derive(Clone, Debug)]
pub struct NewMediaStream {
    pub attempt: AttemptId,
    pub row: MediaStream,
}

impl Store {
    /// The same stream twice is one.
    pub async fn put_media_stream(&self, stream: NewMediaStream) -> Result<()> {
        write!(self, media::put(stream))
    }

    pub async fn media_streams(&self, attempt: AttemptId) -> Result<Vec<MediaStream>> {
        read!(self, media::of(attempt))
    }
}
