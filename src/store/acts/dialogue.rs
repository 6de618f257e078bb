//! Turns of conversations.

use super::super::Conn;
use crate::domain::AttemptId;
use crate::store::text::bare;
use crate::store::{DialogueTurn, Result, Stand, Talked};
use serde_json::json;

pub async fn stand(conn: &mut Conn, attempt: AttemptId, turn: i64) -> Result<Stand> {
    let last: Option<(i64, String, String)> =
        sqlx::query_as(sql!("dialogue_stand")).bind(attempt.0).bind(turn).fetch_optional(conn).await?;
    Ok(match last {
        Some((same, reply, _)) if same == turn => Stand { reply: Some(reply), ..Stand::default() },
        Some((last, _, record)) => Stand { reply: None, last: Some(last), record: Some(record) },
        None => Stand::default(),
    })
}

pub async fn talked(conn: &mut Conn, attempts: &[i64]) -> Result<Vec<Talked>> {
    Ok(sqlx::query_as(sql!("dialogue_rows")).bind(json!(attempts).to_string()).fetch_all(conn).await?)
}

/// Stores the answer unless one stands, and returns the one that does.
pub async fn put(conn: &mut Conn, turn: &DialogueTurn) -> Result<String> {
    let made = &turn.made;
    let kept: Option<String> = sqlx::query_scalar(sql!("put_dialogue_turn"))
        .bind(turn.attempt.0)
        .bind(turn.turn)
        .bind(bare(&turn.text))
        .bind(bare(&turn.reply))
        .bind(bare(&turn.record))
        .bind(turn.at.0)
        .bind(bare(&made.replier))
        .bind(made.requests)
        .bind(made.first_ms)
        .bind(made.model_ms)
        .bind(made.tokens_in)
        .bind(made.tokens_cached)
        .bind(made.tokens_out)
        .bind(made.cost_micros)
        .bind(made.tools.as_deref().map(bare))
        .bind(made.verdict.as_deref().map(bare))
        .bind(made.trouble.as_deref().map(bare))
        .bind(made.fault.as_deref())
        .fetch_optional(&mut *conn)
        .await?;
    if let Some(reply) = kept {
        if made.cost_micros.is_some() {
            super::money::settle_late(conn, turn.attempt, turn.at).await?;
        }
        return Ok(reply);
    }
    Ok(sqlx::query_scalar(sql!("dialogue_turn")).bind(turn.attempt.0).bind(turn.turn).fetch_one(conn).await?)
}
