//! Budgets: locked, reserved, settled, billed.

use super::super::Conn;
use crate::domain::budget::Counter;
use crate::domain::{AttemptId, CampaignId, Mode, PhoneNumber, RunId, Timestamp};
use crate::store::figures::ProvedMoney;
use crate::store::text::rows_text;
use crate::store::{BudgetsHeld, MoneyMove, Reservation, Result, RunMoney, StoreError};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// Days that began longer ago are of no grant that is decided now.
const DAYS_BACK_MS: i64 = 50 * 3_600_000;

#[derive(sqlx::FromRow)]
struct ReservationRow {
    attempt_id: i64,
    day_at: i64,
    granted_at: i64,
    tariff: String,
    reserved_micros: i64,
    provider_micros: i64,
    models_micros: i64,
    replied_micros: i64,
}

impl ReservationRow {
    fn read(self) -> (i64, Reservation) {
        let reservation = Reservation {
            day_at: Timestamp(self.day_at),
            granted_at: Timestamp(self.granted_at),
            tariff: self.tariff,
            reserved: self.reserved_micros,
            provider: self.provider_micros,
            models: self.models_micros,
            replied: self.replied_micros,
        };
        (self.attempt_id, reservation)
    }
}

/// Each once: an attempt can have several sessions, and what is read twice would be counted twice.
fn ids(attempts: &[AttemptId]) -> String {
    json!(attempts.iter().map(|attempt| attempt.0).collect::<BTreeSet<_>>()).to_string()
}

/// The budgets of the attempts' runs, locked in one order, and what the attempts hold of them. One statement where
/// no campaign counts its money.
pub async fn held(conn: &mut Conn, attempts: &[AttemptId], now: Timestamp) -> Result<BudgetsHeld> {
    let ids = ids(attempts);
    let rows: Vec<(i64, i64, i64, i64)> = sqlx::query_as(sql!("load_budgets"))
        .bind(&ids)
        .bind(now.plus_ms(-DAYS_BACK_MS).0)
        .fetch_all(&mut *conn)
        .await?;
    if rows.is_empty() {
        return Ok(BudgetsHeld::default());
    }
    let counter = |(owner, day, spent, reserved)| ((owner, Timestamp(day)), Counter { spent, reserved });
    let counters = rows.into_iter().map(counter).collect();
    let rows: Vec<ReservationRow> = sqlx::query_as(sql!("load_reservations")).bind(&ids).fetch_all(conn).await?;
    let reservations = rows.into_iter().map(ReservationRow::read).collect();
    Ok(BudgetsHeld { counters, reservations, replied: BTreeMap::new() })
}

/// Writes reservations, and moves the counters by what changes.
pub async fn put(conn: &mut Conn, moves: &[MoneyMove]) -> Result<()> {
    write(conn, moves).await?;
    let settled: Vec<AttemptId> = moves.iter().filter(|m| m.is.reserved == 0).map(|m| m.attempt).collect();
    if settled.is_empty() {
        return Ok(());
    }
    // History may have told before the session did, and so may a stream of its audio.
    bill(conn, &settled).await?;
    count_streams(conn, &settled).await
}

async fn write(conn: &mut Conn, moves: &[MoneyMove]) -> Result<()> {
    if moves.is_empty() {
        return Ok(());
    }
    let mut deltas: BTreeMap<(i64, i64), (i64, i64)> = BTreeMap::new();
    let mut add = |m: &MoneyMove, of: &Reservation, sign: i64| {
        for key in [(m.run.0, 0), (m.campaign.0, of.day_at.0)] {
            let delta = deltas.entry(key).or_default();
            delta.0 += sign * (of.provider + of.models);
            delta.1 += sign * of.reserved;
        }
    };
    for m in moves {
        if let Some(was) = &m.was {
            add(m, was, -1);
        }
        add(m, &m.is, 1);
    }
    let row = |m: &MoneyMove| {
        let is = &m.is;
        json!([
            m.attempt.0,
            m.run.0,
            is.day_at.0,
            is.granted_at.0,
            is.tariff,
            is.reserved,
            is.provider,
            is.models,
            is.replied
        ])
    };
    sqlx::query(sql!("put_reservations")).bind(rows_text(moves.iter().map(row).collect())).execute(&mut *conn).await?;
    let deltas: Vec<_> = (deltas.into_iter().filter(|(_, delta)| *delta != (0, 0)))
        .map(|((owner, day), (spent, reserved))| json!([owner, day, spent, reserved]))
        .collect();
    if !deltas.is_empty() {
        sqlx::query(sql!("move_budgets")).bind(rows_text(deltas)).execute(conn).await?;
    }
    Ok(())
}

#[derive(sqlx::FromRow)]
struct BilledRow {
    run_id: i64,
    campaign_id: i64,
    cost_micros: i64,
    #[sqlx(flatten)]
    reservation: ReservationRow,
}

/// What history bills stands where the estimate stood. The budgets are locked by then.
pub async fn bill(conn: &mut Conn, attempts: &[AttemptId]) -> Result<()> {
    let billed = |was: &Reservation, cost| Reservation { provider: cost, ..was.clone() };
    restate(conn, sql!("billed_reservations"), attempts, billed).await
}

/// What streams of audio told that their models cost stands where the estimate by seconds stood.
async fn count_streams(conn: &mut Conn, attempts: &[AttemptId]) -> Result<()> {
    let told = |was: &Reservation, cost| Reservation { models: cost + was.replied, ..was.clone() };
    restate(conn, sql!("streamed_reservations"), attempts, told).await
}

/// A stream that is over after its call was settled is counted then.
pub async fn stream_late(conn: &mut Conn, attempt: AttemptId, now: Timestamp) -> Result<()> {
    // The lock: whoever settles the call meanwhile reads the stream.
    held(conn, &[attempt], now).await?;
    count_streams(conn, &[attempt]).await
}

async fn restate(
    conn: &mut Conn,
    query: &'static str,
    attempts: &[AttemptId],
    is: impl Fn(&Reservation, i64) -> Reservation,
) -> Result<()> {
    let rows: Vec<BilledRow> = sqlx::query_as(query).bind(ids(attempts)).fetch_all(&mut *conn).await?;
    let moves = rows.into_iter().map(|row| {
        let (attempt, was) = row.reservation.read();
        MoneyMove {
            attempt: AttemptId(attempt),
            run: RunId(row.run_id),
            campaign: CampaignId(row.campaign_id),
            is: is(&was, row.cost_micros),
            was: Some(was),
        }
    });
    write(conn, &moves.collect::<Vec<_>>()).await
}

/// What the attempts' replies cost so far.
pub async fn replied(conn: &mut Conn, attempts: &[AttemptId]) -> Result<BTreeMap<i64, i64>> {
    let rows: Vec<(i64, i64)> = sqlx::query_as(sql!("replies_cost")).bind(ids(attempts)).fetch_all(conn).await?;
    Ok(rows.into_iter().collect())
}

/// A reply that is kept after its call was settled is counted then.
pub async fn settle_late(conn: &mut Conn, attempt: AttemptId, now: Timestamp) -> Result<()> {
    if late(conn, attempt).await?.is_none() {
        return Ok(());
    }
    let budgets = held(conn, &[attempt], now).await?;
    // Another may have counted it until the lock was had.
    let (Some(row), Some(was)) = (late(conn, attempt).await?, budgets.reservations.get(&attempt.0).cloned()) else {
        return Ok(());
    };
    let is =
        Reservation { models: was.models - was.replied + row.cost_micros, replied: row.cost_micros, ..was.clone() };
    let (run, campaign) = (RunId(row.run_id), CampaignId(row.campaign_id));
    write(conn, &[MoneyMove { attempt, run, campaign, was: Some(was), is }]).await
}

/// A settled call that counts less than its replies cost, or more.
async fn late(conn: &mut Conn, attempt: AttemptId) -> Result<Option<LateRow>> {
    let row: Option<LateRow> = sqlx::query_as(sql!("settled_replies")).bind(attempt.0).fetch_optional(conn).await?;
    Ok(row.filter(|row| row.replied_micros != row.cost_micros))
}

#[derive(sqlx::FromRow)]
struct LateRow {
    run_id: i64,
    campaign_id: i64,
    replied_micros: i64,
    cost_micros: i64,
}

pub async fn open(conn: &mut Conn, order: &(RunId, CampaignId, Timestamp)) -> Result<()> {
    let (run, campaign, day_at) = order;
    sqlx::query(sql!("open_budgets")).bind(run.0).bind(campaign.0).bind(day_at.0).execute(conn).await?;
    Ok(())
}

pub async fn of_run(conn: &mut Conn, run: RunId, campaign: CampaignId, day_at: Timestamp) -> Result<RunMoney> {
    let rows: Vec<(i64, i64, i64, i64)> =
        sqlx::query_as(sql!("budgets_of_run")).bind(run.0).bind(campaign.0).bind(day_at.0).fetch_all(conn).await?;
    let mut money = RunMoney::default();
    for (day, spent, reserved, calls) in rows {
        *(if day == 0 { &mut money.run } else { &mut money.day }) = Counter { spent, reserved };
        money.calls = calls;
    }
    Ok(money)
}

pub async fn open_calls(conn: &mut Conn, run: RunId, now: Timestamp) -> Result<Vec<(PhoneNumber, Mode)>> {
    let rows: Vec<(String, String)> =
        sqlx::query_as(sql!("open_calls")).bind(run.0).bind(now.0).fetch_all(conn).await?;
    let read = |(to, mode): (String, String)| {
        let to = to.parse().map_err(|e| StoreError::row("numbers", "e164", e))?;
        Ok((to, mode.parse().map_err(|e| StoreError::row("attempts", "mode", e))?))
    };
    rows.into_iter().map(read).collect()
}

pub async fn spent_since(conn: &mut Conn, run: RunId, since: Timestamp) -> Result<i64> {
    Ok(sqlx::query_scalar(sql!("spent_since")).bind(run.0).bind(since.0).fetch_one(conn).await?)
}

pub async fn proved(conn: &mut Conn, campaign: CampaignId) -> Result<ProvedMoney> {
    Ok(sqlx::query_as(sql!("prove_money")).bind(campaign.0).fetch_one(conn).await?)
}
