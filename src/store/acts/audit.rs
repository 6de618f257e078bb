//! The audit: lines are added to it, and nothing else.

use super::super::Conn;
use crate::domain::AuditId;
use crate::domain::masked::{Written, masked};
use crate::store::text::bare;
use crate::store::{AuditFilter, AuditOrder, AuditRow, By, Result};

pub async fn put(conn: &mut Conn, order: &AuditOrder) -> Result<()> {
    // A reason is what somebody typed: a number in it is no way to name people.
    let detail = masked(&order.detail.to_string(), Written::Json);
    sqlx::query(sql!("insert_audit"))
        .bind(order.audit.0)
        .bind(order.at.0)
        .bind(order.who.door)
        .bind(order.who.key.map(|key| key.0))
        .bind(bare(&order.who.name).as_ref())
        .bind(order.who.role.as_str())
        .bind(order.action)
        .bind(order.subject.as_ref().map(|(kind, _)| kind.as_str()))
        .bind(order.subject.as_ref().map(|(_, id)| bare(id).into_owned()))
        .bind(bare(&order.who.request).as_ref())
        // A NUL stands escaped in JSON, and is no byte.
        .bind(if order.detail.is_null() { "{}" } else { detail.as_str() })
        .execute(conn)
        .await?;
    order.taken();
    Ok(())
}

/// The line of whoever makes a change, once however many rows the change touches.
pub async fn put_of(conn: &mut Conn, by: &By) -> Result<()> {
    match &by.audit {
        Some(order) => put(conn, order).await,
        None => Ok(()),
    }
}

pub async fn page(conn: &mut Conn, filter: &AuditFilter, behind: Option<AuditId>, limit: i64) -> Result<Vec<AuditRow>> {
    let key = filter.actor.as_deref().and_then(|actor| actor.parse::<crate::domain::KeyId>().ok());
    Ok(sqlx::query_as(sql!("list_audit"))
        .bind(behind.map_or(i64::MAX, |behind| behind.0))
        .bind(filter.since.map_or(i64::MIN, |at| at.0))
        .bind(filter.until.map_or(i64::MAX, |at| at.0))
        .bind(filter.action.as_deref())
        .bind(filter.actor.as_deref())
        .bind(key.map_or(-1, |key| key.0))
        .bind(filter.subject.as_deref())
        .bind(limit)
        .fetch_all(conn)
        .await?)
}
