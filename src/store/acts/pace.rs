//! The account's pace: its brake and its limits, and what is known of its caller ids.

use super::super::{Conn, ROWS_ARE_LOCKED};
use crate::domain::Timestamp;
use crate::domain::callers::CallerUses;
use crate::domain::pace::Brake;
use crate::store::rows::Account;
use crate::store::{BrakeOrder, LimitOrder, Result};
use serde_json::json;

#[derive(sqlx::FromRow)]
pub struct BrakeRow {
    brake_cps: Option<f64>,
    brake_top: Option<f64>,
    brake_every_ms: Option<i64>,
    brake_stepped_at: Option<i64>,
    brake_since_at: Option<i64>,
    brake_reason: Option<String>,
}

impl BrakeRow {
    pub fn brake(self) -> Option<Brake> {
        Some(Brake {
            cps: self.brake_cps?,
            top: self.brake_top?,
            every_ms: self.brake_every_ms?,
            stepped_at: Timestamp(self.brake_stepped_at?),
            since: Timestamp(self.brake_since_at?),
            reason: self.brake_reason?,
        })
    }
}

/// The account, held against planners and decisions, in the order in which planners lock.
async fn own(conn: &mut Conn, account: i64) -> Result<Option<Account>> {
    if ROWS_ARE_LOCKED {
        sqlx::query(sql!("lock_slots")).bind(account).fetch_all(&mut *conn).await?;
        sqlx::query(sql!("lock_account")).bind(account).fetch_all(&mut *conn).await?;
    }
    super::plan::account(conn, account).await
}

pub async fn lines_held(conn: &mut Conn, account: i64, now: Timestamp) -> Result<i64> {
    Ok(sqlx::query_scalar(sql!("account_lines")).bind(account).bind(now.0).fetch_one(conn).await?)
}

/// A step of the brake, when the decision makes one.
pub async fn brake(conn: &mut Conn, order: &BrakeOrder) -> Result<Option<Brake>> {
    let Some(account) = own(conn, order.account).await? else { return Ok(None) };
    let left: i64 = sqlx::query_scalar(sql!("starts_left"))
        .bind(order.account)
        .bind(order.since.0)
        .bind(order.now.0.saturating_mul(1000))
        .fetch_one(&mut *conn)
        .await?;
    let Some(brake) = (order.decision)(&account, left) else { return Ok(None) };
    sqlx::query(sql!("set_brake"))
        .bind(order.account)
        .bind(brake.cps)
        .bind(brake.top)
        .bind(brake.every_ms)
        .bind(brake.stepped_at.0)
        .bind(brake.since.0)
        .bind(&brake.reason)
        .execute(&mut *conn)
        .await?;
    recall(conn, order.account, order.now, brake.stepped_at).await?;
    Ok(Some(brake))
}

/// Other limits; slots that were given under the old ones are taken back.
/// False: the limits are others than whoever asks has seen.
pub async fn limit(conn: &mut Conn, order: &LimitOrder) -> Result<bool> {
    let Some(account) = own(conn, order.account).await? else { return Ok(true) };
    if order.seen.is_some_and(|seen| seen != (account.cps_max, account.lines_max)) {
        return Ok(false);
    }
    let (cps_max, lines_max) = (order.cps_max.unwrap_or(account.cps_max), order.lines_max.unwrap_or(account.lines_max));
    sqlx::query(sql!("set_account_limits"))
        .bind(order.account)
        .bind(cps_max)
        .bind(lines_max)
        .execute(&mut *conn)
        .await?;
    if account.cps_max != cps_max {
        let silence = account.brake.map_or(order.now, |brake| brake.stepped_at);
        recall(conn, order.account, order.now, silence).await?;
    }
    Ok(true)
}

/// Nobody leaves any more at a slot that was given before; the next one lies after `from` and after every start
/// that was claimed already.
async fn recall(conn: &mut Conn, account: i64, now: Timestamp, from: Timestamp) -> Result<()> {
    sqlx::query(sql!("recall_slots")).bind(account).bind(now.0).execute(&mut *conn).await?;
    let claimed_us: Option<i64> =
        sqlx::query_scalar(sql!("last_dialing_slot")).bind(account).fetch_one(&mut *conn).await?;
    let last_us = claimed_us.unwrap_or_default().max(now.max(from).0 * 1000);
    sqlx::query(sql!("set_account_slot")).bind(account).bind(last_us).execute(&mut *conn).await?;
    Ok(())
}

/// Notes how often each of these caller ids was used since its day began.
pub async fn count_today(
    conn: &mut Conn,
    account: i64,
    counted: &[(String, Timestamp)],
    now: Timestamp,
    callers: &mut CallerUses,
) -> Result<()> {
    if counted.is_empty() {
        return Ok(());
    }
    let wanted: Vec<_> = counted.iter().map(|(id, since)| json!([id, since.0])).collect();
    let uses: Vec<(String, i64)> = sqlx::query_as(sql!("caller_uses"))
        .bind(json!(wanted).to_string())
        .bind(account)
        .bind(now.0)
        .fetch_all(&mut *conn)
        .await?;
    for (id, today) in uses {
        // Two campaigns may share the id and not the hour at which their day begins: the longer day counts.
        let of = callers.entry(id).or_default();
        of.today = of.today.max(today);
    }
    Ok(())
}

pub async fn put_callers(conn: &mut Conn, account: i64, callers: &CallerUses, before: &CallerUses) -> Result<()> {
    let differs = |id: &str| {
        let known = |uses: &CallerUses| uses.get(id).map(|of| (of.last_slot_us, of.balance));
        known(callers) != known(before)
    };
    let rows: Vec<_> =
        callers.iter().filter(|(id, _)| differs(id)).map(|(id, of)| json!([id, of.last_slot_us, of.balance])).collect();
    if !rows.is_empty() {
        sqlx::query(sql!("set_caller_slots")).bind(account).bind(json!(rows).to_string()).execute(conn).await?;
    }
    Ok(())
}
