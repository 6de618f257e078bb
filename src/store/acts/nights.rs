//! Schedules, as rows.

use super::super::Conn;
use crate::domain::{CampaignId, ScheduleId, Timestamp};
use crate::store::Result;
use crate::store::Schedule;

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

pub async fn skip(conn: &mut Conn, order: &(ScheduleId, Timestamp, Option<Timestamp>)) -> Result<()> {
    sqlx::query(sql!("skip_firing")).bind(order.0.0).bind(order.1.0).bind(order.2.map(|at| at.0)).execute(conn).await?;
    Ok(())
}

pub async fn due(conn: &mut Conn, now: Timestamp) -> Result<Vec<Schedule>> {
    let rows: Vec<Row> = sqlx::query_as(sql!("due_schedules")).bind(now.0).fetch_all(conn).await?;
    Ok(rows.into_iter().map(Schedule::from).collect())
}
