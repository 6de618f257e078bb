//! What breakers look at, and the runs that they pause.

use super::super::Conn;
use crate::domain::{Mode, RunId, Timestamp};
use crate::store::{By, EndedRow, Result, Trip, TripOrder};

pub async fn last_ended(
    conn: &mut Conn,
    run: RunId,
    arm: &Mode,
    since: Timestamp,
    limit: i64,
) -> Result<Vec<EndedRow>> {
    let rows = sqlx::query_as(sql!("last_ended")).bind(run.0).bind(arm.as_str()).bind(since.0).bind(limit);
    Ok(rows.fetch_all(conn).await?)
}

pub async fn ungranted(conn: &mut Conn, run: RunId) -> Result<i64> {
    Ok(sqlx::query_scalar(sql!("ungranted_of_run")).bind(run.0).fetch_optional(conn).await?.unwrap_or_default())
}

pub async fn trip(conn: &mut Conn, order: &TripOrder) -> Result<bool> {
    let paused = sqlx::query(sql!("trip_run"))
        .bind(order.run.0)
        .bind(&order.reason)
        .bind(order.now.0)
        .bind(order.since.0)
        .execute(&mut *conn)
        .await?;
    if paused.rows_affected() == 0 {
        return Ok(false);
    }
    super::life::record(conn, &[order.run], "paused", &By::halo(&order.reason), order.now).await?;
    for trip in &order.trips {
        sqlx::query(sql!("insert_trip"))
            .bind(order.run.0)
            .bind(&trip.name)
            .bind(&trip.arm)
            .bind(trip.tripped_at.0)
            .bind(trip.value)
            .bind(trip.threshold)
            .execute(&mut *conn)
            .await?;
    }
    Ok(true)
}

pub async fn trips(conn: &mut Conn, run: RunId) -> Result<Vec<Trip>> {
    let rows: Vec<(String, String, i64, f64, f64)> =
        sqlx::query_as(sql!("trips_of_run")).bind(run.0).fetch_all(conn).await?;
    let read = |(name, arm, at, value, threshold)| Trip { name, arm, tripped_at: Timestamp(at), value, threshold };
    Ok(rows.into_iter().map(read).collect())
}
