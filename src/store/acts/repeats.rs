//! Requests that may be sent again.

use super::super::Conn;
use crate::store::Result;
use crate::store::repeats::{Answered, Begin, Begun, KEPT_MS};

#[derive(sqlx::FromRow)]
struct Row {
    fingerprint: String,
    status: Option<i64>,
    kind: Option<String>,
    location: Option<String>,
    body: Option<String>,
}

/// The guard is the primary key: of two requests with one key, one begins.
pub async fn begin(conn: &mut Conn, order: &Begin) -> Result<Begun> {
    sqlx::query(sql!("forget_repeats")).bind(order.now.plus_ms(-KEPT_MS).0).execute(&mut *conn).await?;
    let began = sqlx::query(sql!("begin_repeat")).bind(&order.key).bind(&order.fingerprint).bind(order.now.0);
    if began.execute(&mut *conn).await?.rows_affected() == 1 {
        return Ok(Begun::First);
    }
    let row: Row = sqlx::query_as(sql!("repeat")).bind(&order.key).fetch_one(conn).await?;
    if row.fingerprint != order.fingerprint {
        return Ok(Begun::Other);
    }
    Ok(match (row.status, row.body) {
        (Some(status), Some(body)) => {
            Begun::Answered(Answered { key: order.key.clone(), status, kind: row.kind, location: row.location, body })
        }
        _ => Begun::Unanswered,
    })
}

pub async fn answer(conn: &mut Conn, answer: &Answered) -> Result<()> {
    let query = sqlx::query(sql!("answer_repeat")).bind(&answer.key).bind(answer.status).bind(&answer.kind);
    query.bind(&answer.location).bind(&answer.body).execute(conn).await?;
    Ok(())
}

pub async fn forget(conn: &mut Conn, key: &str) -> Result<()> {
    sqlx::query(sql!("drop_repeat")).bind(key).execute(conn).await?;
    Ok(())
}
