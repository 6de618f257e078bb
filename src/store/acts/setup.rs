//! The installation, its accounts, who leads.

use super::super::Conn;
use crate::store::{AccountOrder, LeadOrder, Result};

pub async fn get(conn: &mut Conn, name: &str) -> Result<Option<String>> {
    Ok(sqlx::query_scalar(sql!("get_installation")).bind(name).fetch_optional(conn).await?)
}

/// Writes `name = value` unless it has a value, and returns the one that stands.
pub async fn get_or_put(conn: &mut Conn, (name, value): &(&'static str, String)) -> Result<String> {
    sqlx::query(sql!("put_installation_once")).bind(*name).bind(value).execute(&mut *conn).await?;
    Ok(sqlx::query_scalar(sql!("get_installation")).bind(*name).fetch_one(conn).await?)
}

pub async fn put(conn: &mut Conn, (name, value): &(&'static str, String)) -> Result<()> {
    sqlx::query(sql!("put_installation")).bind(*name).bind(value).execute(conn).await?;
    Ok(())
}

pub async fn ensure_account(conn: &mut Conn, order: &AccountOrder) -> Result<i64> {
    sqlx::query(sql!("ensure_account"))
        .bind(order.id)
        .bind(&order.platform)
        .bind(order.cps_max)
        .bind(order.lines_max)
        .execute(&mut *conn)
        .await?;
    sqlx::query(sql!("ensure_slots")).bind(&order.platform).execute(&mut *conn).await?;
    Ok(sqlx::query_scalar(sql!("find_account")).bind(&order.platform).fetch_one(conn).await?)
}

pub async fn set_limits(conn: &mut Conn, order: &(i64, Option<f64>, Option<i64>)) -> Result<()> {
    sqlx::query(sql!("set_account_limits")).bind(order.0).bind(order.1).bind(order.2).execute(conn).await?;
    Ok(())
}

pub async fn free_leases(conn: &mut Conn, _: &()) -> Result<u64> {
    Ok(sqlx::query(sql!("free_leases")).execute(conn).await?.rows_affected())
}

/// The generation in which `owner` leads, or `None` while another does.
pub async fn lead(conn: &mut Conn, order: &LeadOrder) -> Result<Option<i64>> {
    let generation = sqlx::query_scalar(sql!("lead"))
        .bind(order.name)
        .bind(&order.owner)
        .bind(order.now.0)
        .bind(order.until.0)
        .fetch_optional(conn)
        .await?;
    crate::fail::wrote("leader");
    Ok(generation)
}

/// Every table of ours, emptied: a finished demo makes room for the next. Keys go on opening, and the audit stays.
pub async fn wipe(conn: &mut Conn, _: &()) -> Result<()> {
    for text in [
        "delete from doomed_records",
        "delete from delivery_tries",
        "delete from deliveries",
        "delete from notices",
        "delete from notice_cursors",
        "delete from endpoints",
        "delete from alerts",
        "delete from morning_reports",
        "delete from records",
        "delete from history",
        "delete from sessions",
        "delete from media_streams",
        "delete from judgements",
        "delete from labels",
        "delete from dialogue_turns",
        "delete from turns",
        "delete from calls",
        "delete from events",
        "delete from starts",
        "delete from reservations",
        "delete from budgets",
        "delete from talked_calls",
        "delete from report_changes",
        "delete from report_snapshots",
        "delete from attempts",
        "delete from run_contacts",
        "delete from run_bundles",
        "delete from bundles",
        "delete from latency_counts",
        "delete from attempt_counts",
        "delete from contact_counts",
        "delete from run_holds",
        "delete from run_slots",
        "delete from run_transitions",
        "delete from breaker_trips",
        "delete from runs",
        "delete from skipped_firings",
        "delete from schedules",
        "delete from contact_numbers",
        "delete from contacts",
        "delete from import_notes",
        "delete from rejects",
        "delete from imports",
        "delete from shared_reports",
        "delete from campaign_settings",
        "delete from campaigns",
        "delete from erased_numbers",
        "delete from numbers",
        "delete from caller_ids",
        "delete from account_transitions",
        "delete from account_slots",
        "delete from accounts",
        "delete from leaderships",
        "delete from nodes",
        "delete from retention",
        "delete from installation",
    ] {
        sqlx::query(text).execute(&mut *conn).await?;
    }
    Ok(())
}
