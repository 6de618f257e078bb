//! Who serves this database, as rows.

use super::super::Conn;
use crate::domain::Timestamp;
use crate::store::Result;
use crate::store::nodes::{BeatOrder, NodeRow};

pub async fn beat(conn: &mut Conn, order: &BeatOrder) -> Result<()> {
    sqlx::query(sql!("beat_node"))
        .bind(&order.node)
        .bind(&order.roles)
        .bind(&order.host)
        .bind(order.started_at.0)
        .bind(order.now.0)
        .bind(order.alive_until.0)
        .execute(&mut *conn)
        .await?;
    sqlx::query(sql!("forget_nodes")).bind(order.forget_before.0).execute(conn).await?;
    Ok(())
}

/// The row goes, and what the node led is free.
pub async fn leave(conn: &mut Conn, (node, now): &(String, Timestamp)) -> Result<()> {
    sqlx::query(sql!("leave_node")).bind(node).execute(&mut *conn).await?;
    sqlx::query(sql!("give_up_leads")).bind(node).bind(now.0).execute(conn).await?;
    Ok(())
}

pub async fn all(conn: &mut Conn) -> Result<Vec<NodeRow>> {
    let rows: Vec<(String, String, String, i64, i64)> =
        sqlx::query_as(sql!("list_nodes")).fetch_all(&mut *conn).await?;
    let node = |(node, roles, host, started_at, beat_at)| NodeRow {
        node,
        roles,
        host,
        started_at: Timestamp(started_at),
        beat_at: Timestamp(beat_at),
    };
    Ok(rows.into_iter().map(node).collect())
}

/// Leaderships and who holds them now.
pub async fn leaders(conn: &mut Conn, now: Timestamp) -> Result<Vec<(String, String)>> {
    Ok(sqlx::query_as(sql!("list_leaders")).bind(now.0).fetch_all(conn).await?)
}
