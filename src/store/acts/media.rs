//! Streams of audio that are over: written once, read with their attempt.

use super::super::Conn;
use crate::domain::AttemptId;
use crate::store::Result;
use crate::store::media::{MediaStream, NewMediaStream};
use crate::store::text::bare;

pub async fn put(conn: &mut Conn, stream: &NewMediaStream) -> Result<()> {
    let row = &stream.row;
    sqlx::query(sql!("put_media_stream"))
        .bind(stream.attempt.0)
        .bind(row.opened_at)
        .bind(row.lasted_ms)
        .bind(bare(&row.model))
        .bind(&row.encoding)
        .bind(&row.ended_by)
        .bind(bare(&row.reason))
        .bind(&row.tally)
        .execute(conn)
        .await?;
    Ok(())
}

pub async fn of(conn: &mut Conn, attempt: AttemptId) -> Result<Vec<MediaStream>> {
    Ok(sqlx::query_as(sql!("media_streams_of")).bind(attempt.0).fetch_all(conn).await?)
}
