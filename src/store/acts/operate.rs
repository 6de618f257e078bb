//! What collectors of metrics ask the tables.

use super::super::Conn;
use crate::domain::Timestamp;
use crate::store::Result;
use crate::store::operate::Now;

/// Asked by the writer: whoever waits for it knows that it lives, and gets its turn.
pub async fn migrations(conn: &mut Conn, _: &()) -> Result<Vec<i64>> {
    Ok(sqlx::query_scalar(sql!("migrations_applied")).fetch_all(conn).await?)
}

pub async fn now(conn: &mut Conn, account: i64, now: Timestamp) -> Result<Now> {
    let runs = sqlx::query_as(sql!("metrics_runs")).bind(account).fetch_all(&mut *conn).await?;
    let held = sqlx::query_as(sql!("metrics_held")).bind(account).bind(now.0).fetch_all(&mut *conn).await?;
    let (due, due_since): (i64, Option<i64>) =
        sqlx::query_as(sql!("metrics_due")).bind(account).bind(now.0).fetch_one(&mut *conn).await?;
    let in_flight = sqlx::query_as(sql!("metrics_in_flight")).bind(account).fetch_all(&mut *conn).await?;
    let breakers = sqlx::query_as(sql!("metrics_breakers")).bind(account).fetch_all(&mut *conn).await?;
    let notices = sqlx::query_as(sql!("metrics_notices")).fetch_all(&mut *conn).await?;
    let alerts = sqlx::query_as(sql!("metrics_alerts")).fetch_all(conn).await?;
    Ok(Now { runs, held, due, due_since: due_since.map(Timestamp), in_flight, breakers, notices, alerts })
}
