//! Notices, deliveries and alerts, as rows.

use super::super::Conn;
use crate::domain::notice::Kind;
use crate::domain::{CampaignId, DeliveryId, EndpointId, RunId, Timestamp};
use crate::store::notices::{
    AlertRow, AlertsOrder, CallHappened, DeliveryRow, Due, Endpoint, LOOK_MAX, MissedNight, MorningOrder,
    MorningProgress, NewNotice, NoticesOrder, OptOutHappened, RunHappened, Then, TryOrder, TryRow,
};
use crate::store::text::{Rows, ids_text};
use crate::store::{Result, StoreError};
use std::collections::HashSet;

pub async fn put(conn: &mut Conn, order: &NoticesOrder) -> Result<usize> {
    let new = insert(conn, &order.notices.iter().collect::<Vec<_>>(), order).await?;
    if let Some((name, seen)) = order.seen {
        sqlx::query(sql!("put_notice_cursor")).bind(name).bind(seen.0).execute(conn).await?;
    }
    Ok(new)
}

/// The notices that are new, and a delivery of each to everybody whom it is for. Ids are those that `order` set aside.
async fn insert(conn: &mut Conn, notices: &[&NewNotice], order: &NoticesOrder) -> Result<usize> {
    if notices.is_empty() {
        return Ok(0);
    }
    let (mut rows, mut deliveries) = (Rows::default(), Vec::new());
    let mut delivery = order.delivery;
    for (id, notice) in (order.notice..).zip(notices) {
        let NewNotice { source, kind, happened_at, title, body, data, to } = notice;
        rows.push(&(id, source, kind.as_str(), happened_at.0, title, body, data.to_string()));
        for addressee in to {
            let endpoint = addressee.endpoint.map(|endpoint| endpoint.0);
            deliveries.push((delivery, id, addressee.channel.as_str(), endpoint, &addressee.target, order.now.0));
            delivery += 1;
        }
    }
    let new: Vec<i64> = sqlx::query_scalar(sql!("put_notices")).bind(rows.text()).fetch_all(&mut *conn).await?;
    let new: HashSet<i64> = new.into_iter().collect();
    let mut rows = Rows::default();
    deliveries.iter().filter(|row| new.contains(&row.1)).for_each(|row| rows.push(row));
    if !rows.is_empty() {
        sqlx::query(sql!("put_deliveries")).bind(rows.text()).execute(conn).await?;
    }
    Ok(new.len())
}

pub async fn put_morning(conn: &mut Conn, order: &MorningOrder) -> Result<bool> {
    let made = sqlx::query(sql!("put_morning"))
        .bind(order.campaign.0)
        .bind(&order.day)
        .bind(order.notices.now.0)
        .execute(&mut *conn)
        .await?;
    if made.rows_affected() == 0 {
        return Ok(false);
    }
    put(conn, &order.notices).await?;
    Ok(true)
}

pub async fn morning_made(conn: &mut Conn, campaign: CampaignId, day: &str) -> Result<bool> {
    let made: i64 = sqlx::query_scalar(sql!("morning_made")).bind(campaign.0).bind(day).fetch_one(conn).await?;
    Ok(made > 0)
}

pub async fn morning_campaigns(conn: &mut Conn, due: Timestamp, since: Timestamp) -> Result<Vec<(CampaignId, RunId)>> {
    let rows: Vec<(i64, i64)> =
        sqlx::query_as(sql!("morning_campaigns")).bind(due.0).bind(since.0).fetch_all(conn).await?;
    Ok(rows.into_iter().map(|(campaign, run)| (CampaignId(campaign), RunId(run))).collect())
}

pub async fn morning_progress(conn: &mut Conn, run: RunId) -> Result<MorningProgress> {
    Ok(sqlx::query_as(sql!("morning_progress")).bind(run.0).fetch_one(conn).await?)
}

pub async fn cursor(conn: &mut Conn, name: &str) -> Result<Option<i64>> {
    Ok(sqlx::query_scalar(sql!("notice_cursor")).bind(name).fetch_optional(conn).await?)
}

pub async fn runs(conn: &mut Conn, since: Timestamp) -> Result<Vec<RunHappened>> {
    Ok(sqlx::query_as(sql!("run_happenings")).bind(since.0).bind(LOOK_MAX).fetch_all(conn).await?)
}

pub async fn calls(conn: &mut Conn, since: Timestamp, modes: &str) -> Result<Vec<CallHappened>> {
    Ok(sqlx::query_as(sql!("call_happenings")).bind(since.0).bind(LOOK_MAX).bind(modes).fetch_all(conn).await?)
}

pub async fn opt_outs(conn: &mut Conn, since: Timestamp) -> Result<Vec<OptOutHappened>> {
    Ok(sqlx::query_as(sql!("opt_out_happenings")).bind(since.0).bind(LOOK_MAX).fetch_all(conn).await?)
}

pub async fn are_due(conn: &mut Conn, now: Timestamp) -> Result<bool> {
    let due: i64 = sqlx::query_scalar(sql!("deliveries_are_due")).bind(now.0).fetch_one(conn).await?;
    Ok(due > 0)
}

pub async fn claim(conn: &mut Conn, (now, until, limit): &(Timestamp, Timestamp, i64)) -> Result<Vec<Due>> {
    let ids: Vec<i64> = sqlx::query_scalar(sql!("claim_deliveries"))
        .bind(now.0)
        .bind(until.0)
        .bind(limit)
        .fetch_all(&mut *conn)
        .await?;
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    Ok(sqlx::query_as(sql!("claimed_deliveries")).bind(ids_text(ids)).fetch_all(conn).await?)
}

pub async fn tried(conn: &mut Conn, order: &TryOrder) -> Result<()> {
    sqlx::query(sql!("insert_delivery_try"))
        .bind(order.delivery.0)
        .bind(order.at.0)
        .bind(order.status.map(i64::from))
        .bind(&order.told)
        .bind(order.took_ms)
        .execute(&mut *conn)
        .await?;
    let (state, due_at, ended_at) = match order.then {
        Then::Delivered => ("delivered", None, Some(order.at.0)),
        Then::Again(at) => ("waiting", Some(at.0), None),
        Then::Failed => ("failed", None, Some(order.at.0)),
    };
    sqlx::query(sql!("end_delivery_try"))
        .bind(order.delivery.0)
        .bind(state)
        .bind(due_at)
        .bind(ended_at)
        .execute(&mut *conn)
        .await?;
    if let Some(gone) = order.gone
        && let Some(endpoint) = endpoints(conn).await?.into_iter().find(|known| known.endpoint == gone)
    {
        let reason = "it answered 410: it wants nothing more".to_owned();
        let off = Endpoint { disabled_at: Some(order.at), disabled_reason: Some(reason), ..endpoint };
        change_endpoint(conn, &off).await?;
    }
    Ok(())
}

pub async fn deliver_again(
    conn: &mut Conn,
    (delivery, endpoint, now): &(DeliveryId, EndpointId, Timestamp),
) -> Result<bool> {
    let done = sqlx::query(sql!("deliver_again")).bind(delivery.0).bind(now.0).bind(endpoint.0).execute(conn).await?;
    Ok(done.rows_affected() > 0)
}

#[derive(sqlx::FromRow)]
struct EndpointRow {
    endpoint_id: i64,
    url: String,
    secret: String,
    kinds: String,
    note: Option<String>,
    created_at: i64,
    disabled_at: Option<i64>,
    disabled_reason: Option<String>,
}

pub async fn endpoints(conn: &mut Conn) -> Result<Vec<Endpoint>> {
    let rows: Vec<EndpointRow> = sqlx::query_as(sql!("list_endpoints")).fetch_all(conn).await?;
    let read = |row: EndpointRow| {
        let wrong = |cause: String| StoreError::row("endpoints", "kinds", cause);
        let kinds: Vec<String> = serde_json::from_str(&row.kinds).map_err(|e| wrong(e.to_string()))?;
        let kinds = kinds.iter().map(|kind| kind.parse::<Kind>().map_err(|e| wrong(e.to_string())));
        Ok(Endpoint {
            endpoint: EndpointId(row.endpoint_id),
            url: row.url,
            secret: row.secret,
            kinds: kinds.collect::<Result<_>>()?,
            note: row.note,
            created_at: Timestamp(row.created_at),
            disabled_at: row.disabled_at.map(Timestamp),
            disabled_reason: row.disabled_reason,
        })
    };
    rows.into_iter().map(read).collect()
}

fn kinds_text(endpoint: &Endpoint) -> String {
    serde_json::json!(endpoint.kinds.iter().map(|kind| kind.as_str()).collect::<Vec<_>>()).to_string()
}

pub async fn add_endpoint(conn: &mut Conn, endpoint: &Endpoint) -> Result<()> {
    sqlx::query(sql!("insert_endpoint"))
        .bind(endpoint.endpoint.0)
        .bind(&endpoint.url)
        .bind(&endpoint.secret)
        .bind(kinds_text(endpoint))
        .bind(&endpoint.note)
        .bind(endpoint.created_at.0)
        .execute(conn)
        .await?;
    Ok(())
}

pub async fn change_endpoint(conn: &mut Conn, endpoint: &Endpoint) -> Result<()> {
    sqlx::query(sql!("change_endpoint"))
        .bind(endpoint.endpoint.0)
        .bind(&endpoint.url)
        .bind(kinds_text(endpoint))
        .bind(&endpoint.note)
        .bind(endpoint.disabled_at.map(|at| at.0))
        .bind(&endpoint.disabled_reason)
        .bind(&endpoint.secret)
        .execute(conn)
        .await?;
    Ok(())
}

pub async fn forget_endpoint(conn: &mut Conn, endpoint: &EndpointId) -> Result<bool> {
    let mut gone = 0;
    for text in [sql!("forget_endpoint_tries"), sql!("forget_endpoint_deliveries"), sql!("forget_endpoint")] {
        gone = sqlx::query(text).bind(endpoint.0).execute(&mut *conn).await?.rows_affected();
    }
    Ok(gone > 0)
}

pub async fn endpoint_deliveries(
    conn: &mut Conn,
    endpoint: EndpointId,
    before: i64,
    limit: i64,
) -> Result<(Vec<DeliveryRow>, Vec<TryRow>)> {
    let rows: Vec<DeliveryRow> = sqlx::query_as(sql!("endpoint_deliveries"))
        .bind(endpoint.0)
        .bind(before)
        .bind(limit)
        .fetch_all(&mut *conn)
        .await?;
    let ids = ids_text(rows.iter().map(|row| row.delivery_id));
    let tries = sqlx::query_as(sql!("tries_of_deliveries")).bind(ids).fetch_all(conn).await?;
    Ok((rows, tries))
}

pub async fn forget(conn: &mut Conn, before: &Timestamp) -> Result<()> {
    for text in [sql!("forget_tries"), sql!("forget_deliveries"), sql!("forget_notices")] {
        sqlx::query(text).bind(before.0).execute(&mut *conn).await?;
    }
    Ok(())
}

pub async fn watched_trips(conn: &mut Conn, account: i64) -> Result<Vec<(i64, String, String)>> {
    Ok(sqlx::query_as(sql!("watched_trips")).bind(account).fetch_all(conn).await?)
}

pub async fn watched_nights(conn: &mut Conn, since: Timestamp, late: Timestamp) -> Result<Vec<MissedNight>> {
    Ok(sqlx::query_as(sql!("watched_nights")).bind(since.0).bind(late.0).fetch_all(conn).await?)
}

pub async fn watched_ends(
    conn: &mut Conn,
    account: i64,
    since: Timestamp,
    runs_min: i64,
) -> Result<Vec<(CampaignId, RunId)>> {
    let query = sqlx::query_as(sql!("watched_ends")).bind(account).bind(since.0).bind(runs_min);
    let rows: Vec<(i64, i64)> = query.fetch_all(conn).await?;
    Ok(rows.into_iter().map(|(campaign, run)| (CampaignId(campaign), RunId(run))).collect())
}

pub async fn watched_last_start(conn: &mut Conn, since: Timestamp) -> Result<Option<i64>> {
    Ok(sqlx::query_scalar(sql!("watched_last_start")).bind(since.0).fetch_optional(conn).await?)
}

pub async fn open_alerts(conn: &mut Conn) -> Result<Vec<AlertRow>> {
    Ok(sqlx::query_as(sql!("open_alerts")).fetch_all(conn).await?)
}

pub async fn alerts(conn: &mut Conn, limit: i64) -> Result<Vec<AlertRow>> {
    Ok(sqlx::query_as(sql!("list_alerts")).bind(limit).fetch_all(conn).await?)
}

pub async fn put_alerts(conn: &mut Conn, order: &AlertsOrder) -> Result<usize> {
    let now = order.notices.now;
    let mut told = Vec::new();
    for (id, alert, notice) in &order.raised {
        let raised: Option<i64> = sqlx::query_scalar(sql!("raise_alert"))
            .bind(id)
            .bind(alert.kind.as_str())
            .bind(&alert.subject)
            .bind(&alert.told)
            .bind(now.0)
            .fetch_optional(&mut *conn)
            .await?;
        told.extend(raised.map(|_| notice));
    }
    for (id, notice) in &order.resolved {
        let resolved = sqlx::query(sql!("resolve_alert")).bind(id).bind(now.0).execute(&mut *conn).await?;
        if resolved.rows_affected() > 0 {
            told.push(notice);
        }
    }
    insert(conn, &told, &order.notices).await
}
