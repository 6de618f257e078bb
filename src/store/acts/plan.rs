//! The plan's transaction: lease what is due, give it slots, return it.

use super::super::{Conn, ROWS_ARE_LOCKED};
use super::lanes::{self, Lane};
use super::pace;
use crate::domain::callers::{CallerUse, CallerUses};
use crate::domain::{CampaignId, RunId, Timestamp};
use crate::store::Result;
use crate::store::rows::{Account, OpenRun, PlanOrder, Planned};

#[derive(sqlx::FromRow)]
struct AccountRow {
    account_id: i64,
    platform: String,
    cps_max: Option<f64>,
    lines_max: Option<i64>,
    paused_at: Option<i64>,
    pause_reason: Option<String>,
    last_slot_us: i64,
    #[sqlx(flatten)]
    brake: pace::BrakeRow,
}

/// The account as it stands, without a lock: for those who only look.
pub async fn account(conn: &mut Conn, account: i64) -> Result<Option<Account>> {
    let row: Option<AccountRow> = sqlx::query_as(sql!("account_pace")).bind(account).fetch_optional(conn).await?;
    Ok(row.map(|row| Account {
        account: row.account_id,
        platform: row.platform,
        cps_max: row.cps_max,
        lines_max: row.lines_max,
        paused_at: row.paused_at.map(Timestamp),
        pause_reason: row.pause_reason,
        last_slot_us: row.last_slot_us,
        brake: row.brake.brake(),
    }))
}

/// Planners take turns by a row that nobody else wants; accounts and runs they share with decisions, which would
/// otherwise keep them waiting, one after the other, for as long as there are any. What must be a run's own comes before.
pub async fn plan(conn: &mut Conn, order: &PlanOrder) -> Result<Vec<Planned>> {
    let now = order.now;
    if ROWS_ARE_LOCKED {
        sqlx::query(sql!("lock_slots")).bind(order.account).fetch_all(&mut *conn).await?;
        sqlx::query(sql!("share_account")).bind(order.account).fetch_all(&mut *conn).await?;
    }
    let Some(mut account) = account(conn, order.account).await? else { return Ok(Vec::new()) };
    let room = super::life::tend(conn, order.account, now).await?;
    if ROWS_ARE_LOCKED {
        sqlx::query(sql!("share_open_runs")).bind(order.account).fetch_all(&mut *conn).await?;
    }
    if account.paused_at.is_some() {
        return Ok(Vec::new());
    }
    let runs: Vec<(i64, i64, i64, i64, i64, i64)> =
        sqlx::query_as(sql!("open_runs")).bind(order.account).bind(now.0).fetch_all(&mut *conn).await?;
    if runs.is_empty() {
        return Ok(Vec::new());
    }
    let held_elsewhere: i64 =
        sqlx::query_scalar(sql!("lines_of_paused")).bind(order.account).bind(now.0).fetch_one(&mut *conn).await?;
    let lines_held = held_elsewhere + runs.iter().map(|run| run.5).sum::<i64>();
    let slots: Vec<(String, i64, i64)> =
        sqlx::query_as(sql!("caller_slots")).bind(order.account).fetch_all(&mut *conn).await?;
    let known = |(id, last_slot_us, balance)| (id, CallerUse { last_slot_us, balance, today: 0 });
    let mut callers: CallerUses = slots.into_iter().map(known).collect();
    let before = (account.last_slot_us, callers.clone());

    let mut lanes = Vec::new();
    for (run, campaign, last_slot_us, since, ungranted, held) in runs {
        let run = OpenRun {
            run: RunId(run),
            campaign: CampaignId(campaign),
            last_slot_us,
            since: Timestamp(since),
            ungranted,
            lines_held: held,
            promised: 0,
        };
        let want = order.planner.want(&account, lines_held, &run);
        // The grant is what holds; nobody is to be started in vain.
        let want = room.get(&run.run).map_or(want, |room| want.min(*room as usize));
        if want > 0 {
            pace::count_today(conn, order.account, &order.planner.counted(&run), now, &mut callers).await?;
            lanes.push((last_slot_us, Lane::of(run, want)));
        }
    }
    let (were, mut lanes): (Vec<i64>, Vec<Lane>) = lanes.into_iter().unzip();
    let planned = lanes::fill(conn, order, &mut account, &mut callers, &mut lanes, lines_held).await?;

    for (run, was_us) in lanes.iter().map(|lane| &lane.run).zip(were) {
        if run.last_slot_us != was_us {
            sqlx::query(sql!("set_run_slot")).bind(run.run.0).bind(run.last_slot_us).execute(&mut *conn).await?;
        }
    }
    if account.last_slot_us != before.0 {
        sqlx::query(sql!("set_account_slot"))
            .bind(account.account)
            .bind(account.last_slot_us)
            .execute(&mut *conn)
            .await?;
    }
    pace::put_callers(conn, account.account, &callers, &before.1).await?;
    if !planned.is_empty() {
        crate::fail::wrote("plan");
    }
    Ok(planned)
}
