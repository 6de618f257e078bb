//! What a rehearsal asks.

use super::super::Conn;
use crate::domain::{RunId, Timestamp};
use crate::store::Result;

pub async fn next_due(conn: &mut Conn, run: RunId) -> Result<Option<Timestamp>> {
    let at: Option<i64> = sqlx::query_scalar(sql!("next_due")).bind(run.0).fetch_one(conn).await?;
    Ok(at.map(Timestamp))
}
