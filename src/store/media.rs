//! What is kept of a stream of audio between a call and a realtime model.

use super::{Result, Store};

/// Written when it is opened (`ended_by` says `MediaStream::OPEN`), and when it is over; instants are unix milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct MediaStream {
    pub attempt_id: i64,
    pub opened_at: i64,
    pub lasted_ms: i64,
    pub model: String,
    pub encoding: String,
    pub ended_by: String,
    pub reason: String,
    /// JSON.
    pub tally: String,
    /// JSON: the tools that were called.
    pub tools: String,
    pub cost_micros: Option<i64>,
}

impl MediaStream {
    /// Nobody has said how it ended: it goes on, or its server died.
    pub const OPEN: &str = "open";
}

impl Store {
    /// The same stream twice is one, as it was at its first end.
    pub async fn put_media_stream(&self, stream: MediaStream) -> Result<()> {
        write!(self, media::put_late(stream))
    }

    /// By attempt, and in the order in which they were opened.
    pub async fn media_streams(&self, attempts: &[i64]) -> Result<Vec<MediaStream>> {
        read!(self, media::of(attempts))
    }
}
