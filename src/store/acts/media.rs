//! Streams of audio: written when they are opened and once when they are over, read with their attempts.

use super::super::Conn;
use super::counts::Costs;
use crate::domain::{AttemptId, Timestamp};
use crate::store::Result;
use crate::store::media::MediaStream;
use crate::store::text::bare;
use serde_json::json;

/// Not by the report of its call: what the call cost is counted anew, if it has ended.
pub async fn put_late(conn: &mut Conn, stream: &MediaStream) -> Result<()> {
    let attempt = AttemptId(stream.attempt_id);
    let cost = Costs::before(conn, [attempt].into(), Timestamp(stream.opened_at + stream.lasted_ms)).await?;
    put(conn, stream).await?;
    if stream.cost_micros.is_some() {
        super::money::stream_late(conn, attempt, Timestamp(stream.opened_at + stream.lasted_ms)).await?;
    }
    cost.apply(conn).await
}

pub async fn put(conn: &mut Conn, stream: &MediaStream) -> Result<()> {
    sqlx::query(sql!("put_media_stream"))
        .bind(stream.attempt_id)
        .bind(stream.opened_at)
        .bind(stream.lasted_ms)
        .bind(bare(&stream.model))
        .bind(&stream.encoding)
        .bind(&stream.ended_by)
        .bind(bare(&stream.reason))
        .bind(&stream.tally)
        .bind(bare(&stream.tools))
        .bind(stream.cost_micros)
        .execute(conn)
        .await?;
    Ok(())
}

pub async fn of(conn: &mut Conn, attempts: &[i64]) -> Result<Vec<MediaStream>> {
    Ok(sqlx::query_as(sql!("media_streams_of")).bind(json!(attempts).to_string()).fetch_all(conn).await?)
}
