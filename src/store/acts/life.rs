//! The life of runs, set-based: every change of a run's state leaves a row in the same transaction.

use super::super::Conn;
use super::super::pipeline::{Answer, typed};
use super::audit;
use crate::domain::{AttemptId, RunId, Timestamp};
use crate::store::text::Question;
use crate::store::{
    AccountPauseOrder, Beginning, Busy, By, DrainOrder, Hold, HoldRow, Result, RunFacts, StoreError, Transition,
};
use serde_json::json;
use std::collections::BTreeMap;

fn ids_text(runs: &[RunId]) -> String {
    json!(runs.iter().map(|run| run.0).collect::<Vec<_>>()).to_string()
}

/// One row for each run: its state from now on. The runs are locked by the change that was just made.
pub async fn record(conn: &mut Conn, runs: &[RunId], state: &str, by: &By, now: Timestamp) -> Result<()> {
    if runs.is_empty() {
        return Ok(());
    }
    sqlx::query(sql!("insert_transitions"))
        .bind(ids_text(runs))
        .bind(state)
        .bind(now.0)
        .bind(by.actor.as_str())
        .bind(&by.name)
        .bind(&by.reason)
        .execute(&mut *conn)
        .await?;
    audit::put_of(conn, by).await
}

/// Running runs pause themselves, each for its reason.
pub async fn pause(conn: &mut Conn, pauses: &[(RunId, &str)], now: Timestamp) -> Result<()> {
    let rows: Vec<_> = pauses.iter().map(|(run, reason)| json!([run.0, reason])).collect();
    let paused: Vec<i64> =
        sqlx::query_scalar(sql!("pause_runs")).bind(json!(rows).to_string()).bind(now.0).fetch_all(&mut *conn).await?;
    for (run, reason) in pauses.iter().filter(|(run, _)| paused.contains(&run.0)) {
        record(conn, &[*run], "paused", &By::halo(*reason), now).await?;
    }
    Ok(())
}

pub async fn pause_foreign(conn: &mut Conn, order: &(i64, String, Timestamp)) -> Result<u64> {
    let (account, reason, now) = order;
    let paused: Vec<i64> = sqlx::query_scalar(sql!("pause_foreign_runs"))
        .bind(account)
        .bind(reason)
        .bind(now.0)
        .fetch_all(&mut *conn)
        .await?;
    let paused: Vec<RunId> = paused.into_iter().map(RunId).collect();
    record(conn, &paused, "paused", &By::halo(reason), *now).await?;
    Ok(paused.len() as u64)
}

/// How the run that was just inserted begins.
pub async fn begin(conn: &mut Conn, run: RunId, beginning: &Beginning, now: Timestamp) -> Result<()> {
    if let Some(starts_at) = beginning.starts_at {
        sqlx::query(sql!("schedule_run")).bind(run.0).bind(starts_at.0).execute(&mut *conn).await?;
    }
    hold(conn, run, beginning.hold_after, now).await?;
    record(conn, &[run], "running", &beginning.by, now).await
}

/// The run pauses itself after so many more contacts, or goes on without a hold.
pub async fn hold(conn: &mut Conn, run: RunId, after: Option<u32>, now: Timestamp) -> Result<()> {
    match after {
        Some(after) => {
            sqlx::query(sql!("put_hold")).bind(run.0).bind(i64::from(after)).bind(now.0).execute(conn).await?;
        }
        None => {
            sqlx::query(sql!("end_hold")).bind(run.0).execute(conn).await?;
        }
    }
    Ok(())
}

/// What the planner finds to do about runs before it plans: some begin, some are over, some have reached their
/// hold. Returns for how many contacts each of those that still hold has room.
pub async fn tend(conn: &mut Conn, account: i64, now: Timestamp) -> Result<BTreeMap<RunId, i64>> {
    let runs = |ids: Vec<i64>| ids.into_iter().map(RunId).collect::<Vec<_>>();
    let turning: Vec<i64> =
        sqlx::query_scalar(sql!("turning_runs")).bind(account).bind(now.0).fetch_all(&mut *conn).await?;
    if !turning.is_empty() {
        // Asked once more under the lock: until it was given, somebody may have been woken.
        let turning = json!(turning).to_string();
        let of = |text| sqlx::query_scalar(text).bind(account).bind(now.0).bind(turning.as_str());
        let begun: Vec<i64> = of(sql!("begin_runs")).fetch_all(&mut *conn).await?;
        let by = By { actor: crate::store::Actor::Schedule, ..By::halo("its moment has come") };
        record(conn, &runs(begun), "running", &by, now).await?;
        let completed: Vec<i64> = of(sql!("complete_runs")).fetch_all(&mut *conn).await?;
        if !completed.is_empty() {
            crate::fail::wrote("completion");
        }
        record(conn, &runs(completed), "completed", &By::halo("everybody is at rest"), now).await?;
    }

    let holds: Vec<(i64, i64, i64, i64)> =
        sqlx::query_as(sql!("holds_of_account")).bind(account).bind(now.0).fetch_all(&mut *conn).await?;
    let mut room = BTreeMap::new();
    for (run, hold_after, contacts_left, under_way) in holds {
        let run = RunId(run);
        if contacts_left == 0 {
            let reason = format!("held: {hold_after} contacts were dialled, as asked; resume goes on");
            pause(conn, &[(run, &reason)], now).await?;
        } else {
            room.insert(run, (contacts_left - under_way).max(0));
        }
    }
    Ok(room)
}

/// A run, the version of its settings, and whether it drains and whether it holds.
type FactsRow = (i64, i64, i64, i64);

/// What decisions know of these runs beside their states. A hold is locked: whoever counts next sees this count.
pub fn asks_facts(runs: &[RunId]) -> Question {
    Question::of_ids::<FactsRow>(sql!("run_facts"), runs.iter().map(|run| run.0))
}

/// The answer to [`asks_facts`]; holds are locked.
pub async fn facts_told(conn: &mut Conn, answer: Answer) -> Result<BTreeMap<RunId, RunFacts>> {
    let mut facts = BTreeMap::new();
    let mut holding = Vec::new();
    for (run, settings_version, draining, holds) in typed::<FactsRow>(answer)? {
        facts.insert(RunId(run), RunFacts { settings_version, draining: draining == 1, hold: None });
        if holds == 1 {
            holding.push(RunId(run));
        }
    }
    if !holding.is_empty() {
        let holds: Vec<(i64, i64, i64)> =
            sqlx::query_as(sql!("lock_holds")).bind(ids_text(&holding)).fetch_all(conn).await?;
        for (run, contacts_left, since) in holds {
            if let Some(facts) = facts.get_mut(&RunId(run)) {
                facts.hold = Some(Hold { contacts_left, since: Timestamp(since) });
            }
        }
    }
    Ok(facts)
}

/// Contacts dialled for the first time (1), or given back (-1).
pub async fn count(conn: &mut Conn, counts: &[(RunId, i64)]) -> Result<()> {
    let rows: Vec<_> = counts.iter().map(|(run, contacts)| json!([run.0, contacts])).collect();
    sqlx::query(sql!("count_holds")).bind(json!(rows).to_string()).execute(conn).await?;
    Ok(())
}

/// False when the run is over or drains already.
pub async fn drain(conn: &mut Conn, order: &DrainOrder) -> Result<bool> {
    let (run, now) = (order.run, order.now);
    let done =
        sqlx::query(sql!("drain_run")).bind(run.0).bind(now.0).bind(&order.by.reason).execute(&mut *conn).await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    sqlx::query(sql!("cancel_untried_attempts")).bind(run.0).bind(now.0).execute(&mut *conn).await?;
    sqlx::query(sql!("cancel_untried_contacts")).bind(run.0).bind(now.0).execute(&mut *conn).await?;
    record(conn, &[run], "draining", &order.by, now).await?;
    Ok(true)
}

#[derive(sqlx::FromRow)]
struct TransitionRow {
    state: String,
    at: i64,
    actor: String,
    by_name: Option<String>,
    reason: Option<String>,
}

fn transitions(rows: Vec<TransitionRow>, table: &'static str) -> Result<Vec<Transition>> {
    let read = |row: TransitionRow| {
        Ok(Transition {
            state: row.state,
            at: Timestamp(row.at),
            actor: row.actor.parse().map_err(|e| StoreError::row(table, "actor", e))?,
            by: row.by_name,
            reason: row.reason,
        })
    };
    rows.into_iter().map(read).collect()
}

pub async fn history(conn: &mut Conn, run: RunId) -> Result<Vec<Transition>> {
    let rows = sqlx::query_as(sql!("transitions_of_run")).bind(run.0).fetch_all(conn).await?;
    transitions(rows, "run_transitions")
}

pub async fn account_history(conn: &mut Conn, account: i64, limit: i64) -> Result<Vec<Transition>> {
    let rows = sqlx::query_as(sql!("transitions_of_account")).bind(account).bind(limit).fetch_all(conn).await?;
    transitions(rows, "account_transitions")
}

pub async fn hold_of(conn: &mut Conn, run: RunId) -> Result<Option<HoldRow>> {
    let row: Option<(i64, i64, i64)> = sqlx::query_as(sql!("hold_of_run")).bind(run.0).fetch_optional(conn).await?;
    Ok(row.map(|(after, dialled, since)| HoldRow { after, dialled, since: Timestamp(since) }))
}

/// Pauses or resumes the whole account; what its pause had put to sleep is due again.
pub async fn pause_account(conn: &mut Conn, order: &AccountPauseOrder) -> Result<()> {
    let now = order.now.0;
    // What happened since the backup is not known: whoever asked never to be called again might be.
    if let (false, Some(restored)) = (order.pause, super::restore::pending(conn).await?) {
        return Err(StoreError::Conflict(restored.sentence()));
    }
    let (at, reason) = if order.pause { (Some(now), order.by.reason.as_deref()) } else { (None, None) };
    sqlx::query(sql!("pause_account")).bind(order.account).bind(at).bind(reason).execute(&mut *conn).await?;
    sqlx::query(sql!("insert_account_transition"))
        .bind(order.account)
        .bind(if order.pause { "paused" } else { "running" })
        .bind(now)
        .bind(order.by.actor.as_str())
        .bind(&order.by.name)
        .bind(&order.by.reason)
        .execute(&mut *conn)
        .await?;
    audit::put_of(conn, &order.by).await?;
    if !order.pause {
        sqlx::query(sql!("wake_account")).bind(order.account).bind(now).execute(conn).await?;
    }
    Ok(())
}

pub async fn live_attempts(conn: &mut Conn, runs: &[RunId]) -> Result<Vec<AttemptId>> {
    let ids: Vec<i64> = sqlx::query_scalar(sql!("live_attempts_of_runs")).bind(ids_text(runs)).fetch_all(conn).await?;
    Ok(ids.into_iter().map(AttemptId).collect())
}

pub async fn busy(conn: &mut Conn, account: i64) -> Result<Busy> {
    let (live, runs) = sqlx::query_as(sql!("live_calls_of_account")).bind(account).fetch_one(conn).await?;
    Ok(Busy { live, runs })
}
