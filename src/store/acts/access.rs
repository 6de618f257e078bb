//! Keys: made, revoked, used.

use super::super::Conn;
use super::audit;
use crate::domain::{KeyId, PhoneNumber, Timestamp};
use crate::store::text::bare;
use crate::store::{AuditOrder, KeyOrder, KeyRow, Result};

pub async fn add(conn: &mut Conn, order: &KeyOrder) -> Result<()> {
    sqlx::query(sql!("insert_key"))
        .bind(order.key.0)
        .bind(bare(&order.name).as_ref())
        .bind(order.role.as_str())
        .bind(&order.hash)
        .bind(order.now.0)
        .bind(bare(&order.audit.who.name).as_ref())
        .bind(order.expires_at.map(|at| at.0))
        .execute(&mut *conn)
        .await?;
    audit::put(conn, &order.audit).await
}

pub async fn revoke(conn: &mut Conn, (key, now, audit): &(KeyId, Timestamp, AuditOrder)) -> Result<bool> {
    let there = sqlx::query(sql!("revoke_key")).bind(key.0).bind(now.0).execute(&mut *conn).await?.rows_affected();
    if there > 0 {
        audit::put(conn, audit).await?;
    }
    Ok(there > 0)
}

pub async fn all(conn: &mut Conn) -> Result<Vec<KeyRow>> {
    Ok(sqlx::query_as(sql!("list_keys")).fetch_all(conn).await?)
}

pub async fn by_hash(conn: &mut Conn, hash: &str) -> Result<Option<KeyRow>> {
    Ok(sqlx::query_as(sql!("key_by_hash")).bind(hash).fetch_optional(conn).await?)
}

pub async fn by_id(conn: &mut Conn, key: KeyId) -> Result<Option<KeyRow>> {
    Ok(sqlx::query_as(sql!("key_by_id")).bind(key.0).fetch_optional(conn).await?)
}

pub async fn used(conn: &mut Conn, (key, at): &(KeyId, Timestamp)) -> Result<()> {
    sqlx::query(sql!("key_used")).bind(key.0).bind(at.0).execute(conn).await?;
    Ok(())
}

pub async fn number_id(conn: &mut Conn, number: &PhoneNumber) -> Result<Option<i64>> {
    Ok(sqlx::query_scalar(sql!("id_of_number")).bind(number.as_str()).fetch_optional(conn).await?)
}
