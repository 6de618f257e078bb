//! Schedules, as rows.

use super::super::Conn;
use crate::domain::{CampaignId, ScheduleId, Timestamp};
use crate::store::Result;
use crate::store::{Schedule, SkipOrder, SkippedFiring};

#[derive(sqlx::FromRow)]
struct Row {
    schedule_id: i64,
    campaign_id: i64,
    cron: String,
    timezone: String,
    take: String,
    overlap: String,
    next_at: Option<i64>,
}

impl From<Row> for Schedule {
    fn from(row: Row) -> Self {
        Schedule {
            schedule: ScheduleId(row.schedule_id),
            campaign: CampaignId(row.campaign_id),
            cron: row.cron,
            timezone: row.timezone,
            take: row.take,
            overlap: row.overlap,
            next_at: row.next_at.map(Timestamp),
        }
    }
}

pub async fn all(conn: &mut Conn) -> Result<Vec<Schedule>> {
    let rows: Vec<Row> = sqlx::query_as(sql!("list_schedules")).fetch_all(conn).await?;
    Ok(rows.into_iter().map(Schedule::from).collect())
}

pub async fn skip(conn: &mut Conn, order: &SkipOrder) -> Result<()> {
    let next_at = order.next_at.map(|at| at.0);
    let moved = sqlx::query(sql!("skip_firing"))
        .bind(order.schedule.0)
        .bind(order.due_at.0)
        .bind(next_at)
        .execute(&mut *conn)
        .await?;
    if moved.rows_affected() > 0 {
        sqlx::query(sql!("insert_skipped_firing"))
            .bind(order.schedule.0)
            .bind(order.due_at.0)
            .bind(next_at)
            .bind(&order.reason)
            .bind(order.now.0)
            .execute(conn)
            .await?;
    }
    Ok(())
}

#[derive(sqlx::FromRow)]
struct SkippedRow {
    schedule_id: i64,
    campaign_id: i64,
    due_at: i64,
    until_at: Option<i64>,
    reason: String,
    skipped_at: i64,
}

pub async fn skipped(conn: &mut Conn, limit: i64) -> Result<Vec<SkippedFiring>> {
    let rows: Vec<SkippedRow> = sqlx::query_as(sql!("skipped_firings")).bind(limit).fetch_all(conn).await?;
    let firing = |row: SkippedRow| SkippedFiring {
        schedule: ScheduleId(row.schedule_id),
        campaign: CampaignId(row.campaign_id),
        due_at: Timestamp(row.due_at),
        until_at: row.until_at.map(Timestamp),
        reason: row.reason,
        skipped_at: Timestamp(row.skipped_at),
    };
    Ok(rows.into_iter().map(firing).collect())
}

pub async fn due(conn: &mut Conn, now: Timestamp) -> Result<Vec<Schedule>> {
    let rows: Vec<Row> = sqlx::query_as(sql!("due_schedules")).bind(now.0).fetch_all(conn).await?;
    Ok(rows.into_iter().map(Schedule::from).collect())
}
