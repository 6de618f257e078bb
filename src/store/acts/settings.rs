//! Settings that change, each version kept.

use super::super::Conn;
use crate::domain::{CampaignId, Timestamp};
use crate::store::{By, Result, ScheduleChange, SettingsOrder, SettingsVersion, StoreError};

pub async fn version(conn: &mut Conn, campaign: CampaignId) -> Result<Option<i64>> {
    Ok(sqlx::query_scalar(sql!("settings_version")).bind(campaign.0).fetch_optional(conn).await?)
}

/// The version that holds now goes into the history.
pub async fn keep(conn: &mut Conn, campaign: CampaignId, by: &By, now: Timestamp) -> Result<()> {
    sqlx::query(sql!("keep_settings"))
        .bind(campaign.0)
        .bind(now.0)
        .bind(by.actor.as_str())
        .bind(&by.name)
        .bind(&by.reason)
        .execute(&mut *conn)
        .await?;
    super::audit::put_of(conn, by).await
}

/// The next version, whole; returns its number.
pub async fn change(conn: &mut Conn, order: &SettingsOrder) -> Result<i64> {
    let campaign = order.campaign;
    sqlx::query(sql!("lock_campaign")).bind(campaign.0).fetch_optional(&mut *conn).await?;
    if !order.only_at_rest.is_empty() {
        let open: Vec<i64> =
            sqlx::query_scalar(sql!("open_runs_of_campaign")).bind(campaign.0).fetch_all(&mut *conn).await?;
        if !open.is_empty() {
            let keys = order.only_at_rest.join(", ");
            return Err(StoreError::Conflict(format!("{keys}: not changed while a run of the campaign is open")));
        }
    }
    let changed = sqlx::query(sql!("change_settings"))
        .bind(campaign.0)
        .bind(&order.settings)
        .bind(order.version)
        .bind(&order.name)
        .execute(&mut *conn)
        .await;
    let taken = |e: sqlx::Error| match e.as_database_error().is_some_and(|e| e.is_unique_violation()) {
        true => StoreError::Conflict(format!("a campaign named `{}` exists already", order.name)),
        false => e.into(),
    };
    if changed.map_err(taken)?.rows_affected() == 0 {
        let why = "somebody else has changed the settings meanwhile: look at them again";
        return Err(StoreError::Conflict(why.into()));
    }
    keep(conn, campaign, &order.by, order.now).await?;
    match &order.schedule {
        ScheduleChange::Stays => {}
        ScheduleChange::Ends => {
            sqlx::query(sql!("end_schedule")).bind(campaign.0).execute(conn).await?;
        }
        ScheduleChange::Is(schedule) => {
            sqlx::query(sql!("put_schedule"))
                .bind(schedule.schedule.0)
                .bind(campaign.0)
                .bind(&schedule.cron)
                .bind(&schedule.timezone)
                .bind(&schedule.take)
                .bind(&schedule.overlap)
                .bind(schedule.next_at.map(|at| at.0))
                .execute(conn)
                .await?;
        }
    }
    Ok(order.version + 1)
}

#[derive(sqlx::FromRow)]
struct Row {
    version: i64,
    settings: String,
    changed_at: i64,
    actor: String,
    by_name: Option<String>,
    reason: Option<String>,
}

pub async fn history(conn: &mut Conn, campaign: CampaignId) -> Result<Vec<SettingsVersion>> {
    let rows: Vec<Row> = sqlx::query_as(sql!("settings_history")).bind(campaign.0).fetch_all(conn).await?;
    let read = |row: Row| {
        Ok(SettingsVersion {
            version: row.version,
            settings: row.settings,
            changed_at: Timestamp(row.changed_at),
            actor: row.actor.parse().map_err(|e| StoreError::row("campaign_settings", "actor", e))?,
            by: row.by_name,
            reason: row.reason,
        })
    };
    rows.into_iter().map(read).collect()
}
