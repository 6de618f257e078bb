//! The plan's transaction: lease what is due, give it slots, return it.

use super::super::Conn;
use super::alternates;
use super::caps;
use super::pace;
use crate::domain::alternates::Line;
use crate::domain::callers::{CallerUse, CallerUses};
use crate::domain::caps::HISTORY_MS;
use crate::domain::{AttemptId, CampaignId, ContactId, NumberId, RunContactId, RunId, Timestamp};
use crate::store::rows::{Account, Leased, OpenRun, Placement, PlanOrder, Planned};
use crate::store::{Result, StoreError};
use serde_json::{Value, json};

/// Contacts of one run that one plan looks at: the transaction holds the account's row meanwhile.
const LOOKED_AT_MAX: usize = 2000;

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

#[derive(sqlx::FromRow)]
struct LeasedRow {
    run_contact_id: i64,
    contact_id: i64,
    number_id: i64,
    mode: String,
    e164: String,
    timezone: Option<String>,
    suppressed_at: Option<i64>,
    allow_listed_at: Option<i64>,
    planned: Option<i64>,
    tries_made: i64,
    caller_id: Option<String>,
    alternates: i64,
}

impl LeasedRow {
    fn leased(self, lines: Vec<Line>) -> Result<Leased> {
        Ok(Leased {
            run_contact: RunContactId(self.run_contact_id),
            contact: ContactId(self.contact_id),
            number: NumberId(self.number_id),
            mode: self.mode.parse().map_err(|e| StoreError::row("run_contacts", "mode", e))?,
            to: self.e164.parse().map_err(|e| StoreError::row("numbers", "e164", e))?,
            timezone: self
                .timezone
                .map(|zone| zone.parse().map_err(|e| StoreError::row("contacts", "timezone", e)))
                .transpose()?,
            suppressed: self.suppressed_at.is_some(),
            allow_listed: self.allow_listed_at.is_some(),
            planned: self.planned.map(AttemptId),
            tries_made: self.tries_made,
            caller_id: self
                .caller_id
                .map(|id| id.parse().map_err(|e| StoreError::row("attempts", "caller_id", e)))
                .transpose()?,
            history: Vec::new(),
            lines,
        })
    }
}

pub async fn account(conn: &mut Conn, account: i64) -> Result<Option<Account>> {
    account_by(conn, sql!("lock_account"), account).await
}

pub(super) async fn account_by(conn: &mut Conn, text: &'static str, account: i64) -> Result<Option<Account>> {
    let row: Option<AccountRow> = sqlx::query_as(text).bind(account).fetch_optional(conn).await?;
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

pub async fn plan(conn: &mut Conn, order: &PlanOrder) -> Result<Vec<Planned>> {
    let now = order.now;
    let Some(mut account) = account(conn, order.account).await? else { return Ok(Vec::new()) };
    sqlx::query(sql!("lock_open_runs")).bind(order.account).fetch_all(&mut *conn).await?;
    let room = super::life::tend(conn, order.account, now).await?;
    if account.paused_at.is_some() {
        return Ok(Vec::new());
    }
    let runs: Vec<(i64, i64, i64, i64, i64)> =
        sqlx::query_as(sql!("open_runs")).bind(order.account).bind(now.0).fetch_all(&mut *conn).await?;
    if runs.is_empty() {
        return Ok(Vec::new());
    }
    let held_elsewhere: i64 =
        sqlx::query_scalar(sql!("lines_of_paused")).bind(order.account).bind(now.0).fetch_one(&mut *conn).await?;
    let mut lines_held = held_elsewhere + runs.iter().map(|run| run.4).sum::<i64>();
    let slots: Vec<(String, i64, i64)> =
        sqlx::query_as(sql!("caller_slots")).bind(order.account).fetch_all(&mut *conn).await?;
    let known = |(id, last_slot_us, balance)| (id, CallerUse { last_slot_us, balance, today: 0 });
    let mut callers: CallerUses = slots.into_iter().map(known).collect();
    let before = (account.last_slot_us, callers.clone());

    let mut planned = Vec::new();
    for (run, campaign, last_slot_us, since, held) in runs {
        let mut run = OpenRun {
            run: RunId(run),
            campaign: CampaignId(campaign),
            last_slot_us,
            since: Timestamp(since),
            lines_held: held,
        };
        let want = order.planner.want(&account, lines_held, &run);
        // The grant is what holds; nobody is to be started in vain.
        let want = room.get(&run.run).map_or(want, |room| want.min(*room as usize));
        if want == 0 {
            continue;
        }
        pace::count_today(conn, order.account, &order.planner.counted(&run), now, &mut callers).await?;
        let want = order.planner.carried(&account, &run, &callers, want);
        if want == 0 {
            continue;
        }
        let fresh = plan_run(conn, order, &mut account, &mut run, &mut callers, want).await?;
        lines_held += fresh.len() as i64;
        if run.last_slot_us != last_slot_us {
            sqlx::query(sql!("set_run_slot")).bind(run.run.0).bind(run.last_slot_us).execute(&mut *conn).await?;
        }
        planned.extend(fresh);
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

/// Contacts that are parked or rest take no slot, so more are leased until the run has what it wants.
async fn plan_run(
    conn: &mut Conn,
    order: &PlanOrder,
    account: &mut Account,
    run: &mut OpenRun,
    callers: &mut CallerUses,
    want: usize,
) -> Result<Vec<Planned>> {
    let (mut planned, mut looked_at, mut batch) = (Vec::new(), 0, want);
    while planned.len() < want && looked_at < LOOKED_AT_MAX {
        let mut leased = lease(conn, order, run, batch).await?;
        if order.planner.counts_calls(run) {
            histories(conn, order.now, &mut leased).await?;
        }
        looked_at += leased.len();
        let last = leased.len() < batch;
        planned.extend(place(conn, order, account, run, callers, &leased, want - planned.len()).await?);
        if last {
            break;
        }
        batch = (batch * 4).min(LOOKED_AT_MAX - looked_at);
    }
    Ok(planned)
}

/// Due contacts of the run, leased until their slots are known.
async fn lease(conn: &mut Conn, order: &PlanOrder, run: &OpenRun, contacts: usize) -> Result<Vec<Leased>> {
    let first = order.planner.order(run).as_str();
    let ids: Vec<i64> = sqlx::query_scalar(sql!("lease_due"))
        .bind(run.run.0)
        .bind(order.lease_until.0)
        .bind(order.now.0)
        .bind(contacts as i64)
        .bind(first)
        .fetch_all(&mut *conn)
        .await?;
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<LeasedRow> =
        sqlx::query_as(sql!("leased_contacts")).bind(json!(ids).to_string()).bind(first).fetch_all(&mut *conn).await?;
    let several: Vec<_> =
        rows.iter().filter(|row| row.alternates > 0).map(|row| RunContactId(row.run_contact_id)).collect();
    let mut lines = alternates::lines(conn, &several).await?;
    rows.into_iter()
        .map(|row| {
            let own = lines.remove(&row.run_contact_id).unwrap_or_default();
            row.leased(own.into_iter().map(|(line, _)| line).collect())
        })
        .collect()
}

/// What caps and gaps are held against.
async fn histories(conn: &mut Conn, now: Timestamp, leased: &mut [Leased]) -> Result<()> {
    let since = now.plus_ms(-HISTORY_MS);
    let of = |contact: &Leased| caps::Of { key: contact.run_contact.0, number: contact.number.0, since };
    let wanted: Vec<caps::Of> = leased.iter().map(of).collect();
    let mut known = caps::rang(conn, &wanted).await?;
    for contact in leased {
        contact.history = known.remove(&contact.run_contact.0).unwrap_or_default();
    }
    Ok(())
}

/// Gives at most `slots` of the leased contacts a slot, parks those that may not be called now, and gives the
/// leases of the others back.
async fn place(
    conn: &mut Conn,
    order: &PlanOrder,
    account: &mut Account,
    run: &mut OpenRun,
    callers: &mut CallerUses,
    leased: &[Leased],
    slots: usize,
) -> Result<Vec<Planned>> {
    let now = order.now;
    let (mut planned, mut contacts, mut inserts, mut moves, mut ends, mut spared) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut elsewhere = Vec::new();
    for contact in leased {
        let id = contact.run_contact.0;
        if planned.len() == slots {
            spared.push(id);
            continue;
        }
        match order.planner.place(account, run, callers, contact) {
            Placement::Slot { slot_us, caller_id, leased_until } => {
                run.lines_held += 1;
                let attempt = match contact.planned {
                    Some(attempt) => {
                        moves.push(json!([attempt.0, slot_us]));
                        attempt
                    }
                    None => {
                        let attempt = AttemptId(order.ids.one(now.0));
                        inserts.push(json!([
                            attempt.0,
                            id,
                            run.run.0,
                            contact.number.0,
                            contact.tries_made + 1,
                            contact.mode,
                            caller_id.as_ref().map(|id| id.as_str()),
                            now.0,
                            slot_us
                        ]));
                        attempt
                    }
                };
                contacts.push(json!([id, leased_until.0, now.0, Value::Null, Value::Null, Value::Null]));
                planned.push(Planned { attempt, slot_us });
            }
            Placement::Park { until, gate } => {
                contacts.push(json!([id, 0, until.0, gate.as_str(), Value::Null, Value::Null]));
            }
            Placement::Elsewhere(number) => {
                elsewhere.push((contact.run_contact, number));
                contacts.push(json!([id, 0, now.0, Value::Null, Value::Null, Value::Null]));
            }
            Placement::Rest(outcome) => {
                if let Some(attempt) = contact.planned {
                    ends.push(json!([attempt.0, outcome.as_str()]));
                }
                contacts.push(json!([id, 0, Value::Null, Value::Null, outcome.as_str(), now.0]));
            }
        }
    }

    for (text, rows) in
        [(sql!("place_contacts"), contacts), (sql!("insert_attempts"), inserts), (sql!("move_slots"), moves)]
    {
        if !rows.is_empty() {
            sqlx::query(text).bind(json!(rows).to_string()).execute(&mut *conn).await?;
        }
    }
    alternates::ring(conn, &elsewhere).await?;
    if !ends.is_empty() {
        sqlx::query(sql!("end_planned")).bind(json!(ends).to_string()).bind(now.0).execute(&mut *conn).await?;
    }
    if !spared.is_empty() {
        sqlx::query(sql!("give_leases_back")).bind(json!(spared).to_string()).execute(&mut *conn).await?;
    }
    Ok(planned)
}
