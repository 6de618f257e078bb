//! Campaigns, their lists, their runs.

use super::super::Conn;
use crate::domain::assign::read_split;
use crate::domain::settings::{Overlap, Take};
use crate::domain::{BatchId, CampaignId, RunId, ScheduleId, Timestamp};
use crate::store::rows::{Campaign, Import, NewCampaign, Reject, Run, RunState};
use crate::store::{Actor, By, FireOrder, Fired, Result, RunOrder, RunStateOrder, Shown, SkipOrder, StoreError};

#[derive(sqlx::FromRow)]
struct CampaignRow {
    campaign_id: i64,
    name: String,
    settings: String,
    script: String,
    salt: String,
    created_at: i64,
}

impl From<CampaignRow> for Campaign {
    fn from(row: CampaignRow) -> Self {
        Campaign {
            campaign: CampaignId(row.campaign_id),
            name: row.name,
            settings: row.settings,
            script: row.script,
            salt: row.salt,
            created_at: Timestamp(row.created_at),
        }
    }
}

#[derive(sqlx::FromRow)]
struct RunRow {
    run_id: i64,
    campaign_id: i64,
    account_id: i64,
    platform: String,
    ordinal: i64,
    kind: String,
    schedule_id: Option<i64>,
    due_at: Option<i64>,
    started_at: i64,
    state: String,
    state_reason: Option<String>,
    changed_at: i64,
    ended_at: Option<i64>,
    draining_at: Option<i64>,
    starts_at: Option<i64>,
    waits: i64,
    settings_version: i64,
}

impl RunRow {
    /// A paused run shows its pause, whatever stands beside it.
    fn shown(&self, state: RunState) -> Shown {
        match state {
            RunState::Running if self.draining_at.is_some() => Shown::Draining,
            RunState::Running if self.waits == 1 => Shown::Scheduled,
            RunState::Running => Shown::Running,
            RunState::Paused => Shown::Paused,
            RunState::Stopped => Shown::Stopped,
            RunState::Completed => Shown::Completed,
        }
    }

    fn run(self) -> Result<Run> {
        let state = self.state.parse::<RunState>().map_err(|e| StoreError::row("runs", "state", e))?;
        Ok(Run {
            shown: self.shown(state),
            run: RunId(self.run_id),
            campaign: CampaignId(self.campaign_id),
            account: self.account_id,
            platform: self.platform,
            ordinal: self.ordinal,
            kind: self.kind,
            schedule: self.schedule_id.map(ScheduleId),
            due_at: self.due_at.map(Timestamp),
            started_at: Timestamp(self.started_at),
            state,
            state_reason: self.state_reason,
            changed_at: Timestamp(self.changed_at),
            ended_at: self.ended_at.map(Timestamp),
            draining_at: self.draining_at.map(Timestamp),
            starts_at: self.starts_at.map(Timestamp),
            settings_version: self.settings_version,
        })
    }
}

pub async fn create(conn: &mut Conn, new: &NewCampaign) -> Result<()> {
    let campaign = &new.campaign;
    let taken = || StoreError::Conflict(format!("a campaign named `{}` exists already", campaign.name));
    if find(conn, None, &campaign.name).await?.is_some() {
        return Err(taken());
    }
    let inserted = sqlx::query(sql!("insert_campaign"))
        .bind(campaign.campaign.0)
        .bind(&campaign.name)
        .bind(&campaign.settings)
        .bind(&campaign.script)
        .bind(&campaign.salt)
        .bind(campaign.created_at.0)
        .execute(&mut *conn)
        .await;
    // Another node may have taken the name since.
    inserted
        .map_err(|e| if e.as_database_error().is_some_and(|e| e.is_unique_violation()) { taken() } else { e.into() })?;
    super::settings::keep(conn, campaign.campaign, &By::default(), campaign.created_at).await?;
    if let Some(schedule) = &new.schedule {
        sqlx::query(sql!("insert_schedule"))
            .bind(schedule.schedule.0)
            .bind(campaign.campaign.0)
            .bind(&schedule.cron)
            .bind(&schedule.timezone)
            .bind(&schedule.take)
            .bind(&schedule.overlap)
            .bind(schedule.next_at.map(|at| at.0))
            .execute(&mut *conn)
            .await?;
    }
    super::lists::store(conn, 1, new, campaign.created_at).await
}

pub async fn find(conn: &mut Conn, id: Option<CampaignId>, name: &str) -> Result<Option<Campaign>> {
    let row: Option<CampaignRow> =
        sqlx::query_as(sql!("find_campaign")).bind(id.map(|id| id.0)).bind(name).fetch_optional(conn).await?;
    Ok(row.map(Campaign::from))
}

pub async fn by_id(conn: &mut Conn, id: CampaignId) -> Result<Option<Campaign>> {
    let row: Option<CampaignRow> = sqlx::query_as(sql!("campaign_by_id")).bind(id.0).fetch_optional(conn).await?;
    Ok(row.map(Campaign::from))
}

pub async fn list(conn: &mut Conn, after: Option<CampaignId>, limit: i64) -> Result<Vec<Campaign>> {
    let behind = after.map_or(i64::MAX, |campaign| campaign.0);
    let rows: Vec<CampaignRow> =
        sqlx::query_as(sql!("list_campaigns")).bind(limit).bind(behind).fetch_all(conn).await?;
    Ok(rows.into_iter().map(Campaign::from).collect())
}

pub async fn imports(conn: &mut Conn, campaign: CampaignId) -> Result<Vec<Import>> {
    type Row = (i64, i64, String, i64, i64, i64, i64, i64, Option<String>);
    let rows: Vec<Row> = sqlx::query_as(sql!("list_imports")).bind(campaign.0).fetch_all(conn).await?;
    Ok(rows
        .into_iter()
        .map(|row| Import {
            batch: BatchId(row.0),
            ordinal: row.1,
            source: row.2,
            rows_total: row.3,
            accepted: row.4,
            duplicates: row.5,
            refused: row.6,
            imported_at: Timestamp(row.7),
            split: row.8.as_deref().and_then(read_split),
        })
        .collect())
}

pub async fn rejects(conn: &mut Conn, campaign: CampaignId) -> Result<Vec<Reject>> {
    Ok(sqlx::query_as(sql!("list_rejects")).bind(campaign.0).fetch_all(conn).await?)
}

/// A run without contacts yet; returns the id before the first one of theirs.
pub async fn begin(conn: &mut Conn, order: &RunOrder) -> Result<i64> {
    // A second click is not a second round of calls. (A schedule ends or waits for its predecessors first.)
    sqlx::query(sql!("lock_campaign")).bind(order.campaign.0).fetch_optional(&mut *conn).await?;
    let open: Vec<i64> =
        sqlx::query_scalar(sql!("open_runs_of_campaign")).bind(order.campaign.0).fetch_all(&mut *conn).await?;
    if let Some(open) = open.first() {
        return Err(StoreError::Conflict(format!("run {} of this campaign is still open", RunId(*open))));
    }
    let ordinal: i64 =
        sqlx::query_scalar(sql!("next_run_ordinal")).bind(order.campaign.0).fetch_one(&mut *conn).await?;
    sqlx::query(sql!("insert_run"))
        .bind(order.run.0)
        .bind(order.campaign.0)
        .bind(order.account)
        .bind(ordinal)
        .bind(order.kind)
        .bind(order.schedule.map(|(schedule, _)| schedule.0))
        .bind(order.schedule.map(|(_, due_at)| due_at.0))
        .bind(order.now.0)
        .execute(&mut *conn)
        .await?;
    super::life::begin(conn, order.run, &order.beginning, order.now).await?;
    let contacts: i64 = sqlx::query_scalar(sql!("count_contacts")).bind(order.campaign.0).fetch_one(&mut *conn).await?;
    // Row numbers begin at 1.
    Ok(order.ids.take(order.now.0, contacts as usize + 1))
}

/// In a crossover each run gives every number the next mode; `batch` alone where a list has joined.
pub async fn rotate(conn: &mut Conn, run: RunId, batch: Option<BatchId>) -> Result<()> {
    let settings: Option<String> =
        sqlx::query_scalar(sql!("settings_of_run")).bind(run.0).fetch_optional(&mut *conn).await?;
    // Settings that cannot be read are told where they are needed; they rotate nobody.
    let settings = settings.and_then(|text| serde_json::from_str::<serde_json::Value>(&text).ok()).unwrap_or_default();
    if settings["experiment"]["kind"] == "crossover" {
        let batch = batch.map_or(0, |batch| batch.0);
        sqlx::query(sql!("rotate_modes")).bind(run.0).bind(batch).execute(conn).await?;
    }
    Ok(())
}

/// Contacts of a run whose row numbers lie behind `before_first` are counted into its report, in the modes that they have
/// now.
pub async fn count_taken(conn: &mut Conn, run: RunId, before_first: i64, taken: u64) -> Result<()> {
    let query = sqlx::query(sql!("count_taken")).bind(run.0).bind(before_first).bind(taken as i64);
    query.execute(conn).await?;
    Ok(())
}

/// A run with its contacts; returns how many were taken.
pub async fn start_run(conn: &mut Conn, order: &RunOrder) -> Result<u64> {
    let before_first = begin(conn, order).await?;
    let text = match order.take {
        Take::All => sql!("take_all"),
        Take::Unreached => sql!("take_unreached"),
        Take::Next(_) => sql!("take_next"),
    };
    let due_at = order.beginning.starts_at.unwrap_or(order.now).max(order.now);
    let mut query = sqlx::query(text).bind(order.run.0).bind(order.campaign.0).bind(before_first).bind(due_at.0);
    if matches!(order.take, Take::Next(_)) {
        sqlx::query(sql!("close_run")).bind(order.run.0).execute(&mut *conn).await?;
    }
    if let Take::Next(n) = order.take {
        query = query.bind(i64::from(n));
    }
    let taken = query.execute(&mut *conn).await?.rows_affected();
    rotate(conn, order.run, None).await?;
    count_taken(conn, order.run, before_first, taken).await?;
    crate::fail::wrote("run");
    Ok(taken)
}

pub async fn run(conn: &mut Conn, run: RunId) -> Result<Option<Run>> {
    let row: Option<RunRow> = sqlx::query_as(sql!("run_columns_by_id")).bind(run.0).fetch_optional(conn).await?;
    row.map(RunRow::run).transpose()
}

pub async fn runs(conn: &mut Conn, campaign: CampaignId) -> Result<Vec<Run>> {
    let rows: Vec<RunRow> = sqlx::query_as(sql!("runs_of_campaign")).bind(campaign.0).fetch_all(conn).await?;
    rows.into_iter().map(RunRow::run).collect()
}

pub async fn open_runs(conn: &mut Conn) -> Result<Vec<Run>> {
    let rows: Vec<RunRow> = sqlx::query_as(sql!("runs_open")).fetch_all(conn).await?;
    rows.into_iter().map(RunRow::run).collect()
}

/// Pauses, resumes or stops; false when the run is over already.
pub async fn set_run_state(conn: &mut Conn, order: &RunStateOrder) -> Result<bool> {
    let done = sqlx::query(sql!("set_run_state"))
        .bind(order.run.0)
        .bind(order.to.as_str())
        .bind(order.by.reason.as_deref().filter(|_| order.to != RunState::Running))
        .bind(order.now.0)
        .execute(&mut *conn)
        .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    super::life::record(conn, &[order.run], order.to.as_str(), &order.by, order.now).await?;
    match order.to {
        RunState::Running => {
            super::life::hold(conn, order.run, order.hold_after, order.now).await?;
            sqlx::query(sql!("wake_run")).bind(order.run.0).bind(order.now.0).execute(conn).await?;
        }
        RunState::Stopped => end_waiting(conn, order.run, order.now).await?,
        RunState::Paused | RunState::Completed => {}
    }
    Ok(true)
}

async fn end_waiting(conn: &mut Conn, run: RunId, now: Timestamp) -> Result<()> {
    sqlx::query(sql!("cancel_open_attempts")).bind(run.0).bind(now.0).execute(&mut *conn).await?;
    sqlx::query(sql!("cancel_waiting_contacts")).bind(run.0).bind(now.0).execute(conn).await?;
    Ok(())
}

pub async fn fire(conn: &mut Conn, order: &FireOrder) -> Result<Fired> {
    let now = order.run.now;
    let leads: i64 = sqlx::query_scalar(sql!("leads_still"))
        .bind("scheduler")
        .bind(&order.owner)
        .bind(order.generation)
        .bind(now.0)
        .fetch_one(&mut *conn)
        .await?;
    let Some((schedule, _)) = order.run.schedule else { return Ok(Fired::NotOurs) };
    let due: Option<Option<i64>> =
        sqlx::query_scalar(sql!("lock_schedule")).bind(schedule.0).fetch_optional(&mut *conn).await?;
    if leads == 0 || due.flatten() != Some(order.due_at.0) {
        return Ok(Fired::NotOurs);
    }
    let open: Vec<i64> =
        sqlx::query_scalar(sql!("open_runs_of_campaign")).bind(order.run.campaign.0).fetch_all(&mut *conn).await?;
    if !open.is_empty() {
        match order.overlap {
            Overlap::Wait => return Ok(Fired::Waiting),
            Overlap::Skip => {
                let skip = SkipOrder {
                    schedule,
                    due_at: order.due_at,
                    next_at: order.next_at,
                    reason: "the run before it is still open".into(),
                    now,
                };
                super::nights::skip(conn, &skip).await?;
                return Ok(Fired::Skipped);
            }
            Overlap::EndPrevious => {
                for run in open {
                    let stop = RunStateOrder {
                        run: RunId(run),
                        to: RunState::Stopped,
                        by: By { actor: Actor::Schedule, ..By::halo("the schedule started the next run") },
                        hold_after: None,
                        now,
                    };
                    set_run_state(conn, &stop).await?;
                }
            }
        }
    }
    let contacts = start_run(conn, &order.run).await?;
    set_next_at(conn, schedule, order.next_at).await?;
    crate::fail::wrote("fire");
    Ok(Fired::Started { contacts })
}

async fn set_next_at(conn: &mut Conn, schedule: ScheduleId, at: Option<Timestamp>) -> Result<()> {
    sqlx::query(sql!("set_next_at")).bind(schedule.0).bind(at.map(|at| at.0)).execute(conn).await?;
    Ok(())
}
