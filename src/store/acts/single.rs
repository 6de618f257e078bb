//! Single calls: placed as one, and told one by one.

use super::super::Conn;
use crate::domain::{AttemptId, PhoneNumber, Timestamp};
use crate::store::text::bare;
use crate::store::{Beginning, Result, SingleOrder, Standing, StartRow, StoreError, Story, WayIn};
use serde_json::{Value, json};

/// Everything one call needs, with its attempt planned: the planner gives it a slot at its next turn.
pub async fn place(conn: &mut Conn, order: &SingleOrder) -> Result<()> {
    let (campaign, now) = (&order.campaign, order.now.0);
    let contact = order.ids.take(now, 4);
    let (number, run_contact, attempt) = (contact + 1, contact + 2, order.attempt.0);
    let e164 = order.number.as_str();
    sqlx::query(sql!("insert_single"))
        .bind(campaign.campaign.0)
        .bind(&campaign.name)
        .bind(bare(&campaign.settings))
        .bind(bare(&campaign.script))
        .bind(now)
        .execute(&mut *conn)
        .await?;
    sqlx::query(sql!("insert_import"))
        .bind(order.batch.0)
        .bind(campaign.campaign.0)
        .bind(1i64)
        .bind("a single call")
        .bind("")
        .bind(1i64)
        .bind(1i64)
        .bind(0i64)
        .bind(0i64)
        .bind(now)
        .bind(None::<String>)
        .bind(None::<String>)
        .bind(None::<String>)
        .execute(&mut *conn)
        .await?;
    sqlx::query(sql!("insert_numbers")).bind(json!([[number, e164]]).to_string()).execute(&mut *conn).await?;
    // Two orders for one number must not ring it one after the other: the row is locked until this commits.
    sqlx::query(sql!("lock_e164")).bind(e164).fetch_all(&mut *conn).await?;
    let under_way: i64 = sqlx::query_scalar(sql!("open_singles_of_number")).bind(e164).fetch_one(&mut *conn).await?;
    if under_way > 0 {
        return Err(StoreError::Conflict("a call to this number has been ordered already".into()));
    }
    let mode = order.mode.as_str();
    let (zone, none) = (order.timezone.map(|zone| zone.name()), Value::Null);
    let row = json!([[contact, e164, 1, mode, 1, 0, none, zone, none, "{}", e164, none, none, none, none, none, 0]]);
    sqlx::query(sql!("insert_contacts"))
        .bind(campaign.campaign.0)
        .bind(order.batch.0)
        .bind(row.to_string())
        .execute(&mut *conn)
        .await?;
    sqlx::query(sql!("insert_run"))
        .bind(order.run.0)
        .bind(campaign.campaign.0)
        .bind(order.account)
        .bind(1i64)
        .bind("single")
        .bind(None::<i64>)
        .bind(None::<i64>)
        .bind(now)
        .execute(&mut *conn)
        .await?;
    super::life::begin(conn, order.run, &Beginning::default(), order.now).await?;
    // Row numbers begin at 1.
    sqlx::query(sql!("take_all"))
        .bind(order.run.0)
        .bind(campaign.campaign.0)
        .bind(run_contact - 1)
        .bind(now)
        .execute(&mut *conn)
        .await?;
    let number: i64 = sqlx::query_scalar(sql!("number_of_contact")).bind(contact).fetch_one(&mut *conn).await?;
    let caller_id = order.caller_id.as_ref().map(|id| id.as_str());
    let row = json!([[attempt, run_contact, order.run.0, number, 1, mode, caller_id, now, now * 1000]]);
    sqlx::query(sql!("insert_attempts")).bind(row.to_string()).execute(conn).await?;
    Ok(())
}

pub async fn elsewhere(conn: &mut Conn) -> Result<i64> {
    Ok(sqlx::query_scalar(sql!("count_single_calls")).fetch_one(conn).await?)
}

pub async fn standing(conn: &mut Conn, number: &PhoneNumber) -> Result<Option<Standing>> {
    Ok(sqlx::query_as(sql!("number_standing")).bind(number.as_str()).fetch_optional(conn).await?)
}

pub async fn story(conn: &mut Conn, attempt: AttemptId) -> Result<Option<Story>> {
    Ok(sqlx::query_as(sql!("attempt_story")).bind(attempt.0).fetch_optional(conn).await?)
}

pub async fn starts(conn: &mut Conn, attempt: AttemptId) -> Result<Vec<StartRow>> {
    Ok(sqlx::query_as(sql!("start_rows")).bind(attempt.0).fetch_all(conn).await?)
}

pub async fn way_in(conn: &mut Conn, attempt: AttemptId) -> Result<Option<WayIn>> {
    Ok(sqlx::query_as(sql!("way_in")).bind(attempt.0).fetch_optional(conn).await?)
}

pub async fn leads_now(conn: &mut Conn, name: &str, now: Timestamp) -> Result<i64> {
    Ok(sqlx::query_scalar(sql!("leads_now")).bind(name).bind(now.0).fetch_one(conn).await?)
}
