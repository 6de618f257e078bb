//! One attempt, one decision: load under locks, ask, apply.

use super::super::Conn;
use crate::domain::clearance::Gate;
use crate::domain::state::State;
use crate::domain::{
    AttemptId, CampaignId, ContactId, NumberId, Outcome, RunContactId, RunId, SessionId, Timestamp, TokenHash,
};
use crate::fail;
use crate::store::rows::{Change, ContactChange, Decide, Decided, Heard, Held, Turn};
use crate::store::text::{bare, rows_text};
use crate::store::{Result, StoreError};
use serde_json::json;
use std::collections::BTreeMap;

#[derive(sqlx::FromRow)]
struct HeldRow {
    attempt_id: i64,
    run_contact_id: i64,
    run_id: i64,
    number_id: i64,
    try_number: i64,
    mode: String,
    caller_id: Option<String>,
    state: String,
    slot_us: i64,
    claimed_at: Option<i64>,
    token_hash: Option<String>,
    dialed_at: Option<i64>,
    session_id: Option<i64>,
    held_until: Option<i64>,
    ended_at: Option<i64>,
    outcome: Option<String>,
    corrected_at: Option<i64>,
    ungranted: i64,
    told: Option<String>,
    contact_id: i64,
    due_at: Option<i64>,
    leased_until: i64,
    disposition: Option<String>,
    timezone: Option<String>,
    name: Option<String>,
    variables: String,
    e164: String,
    suppressed_at: Option<i64>,
    allow_listed_at: Option<i64>,
    campaign_id: i64,
    run_state: String,
    run_kind: String,
    run_ungranted: i64,
    run_not_dialled: i64,
    run_prohibited: i64,
    paused_at: Option<i64>,
    platform: String,
    number_held_until: Option<i64>,
    start_session: Option<i64>,
}

fn parsed<T: std::str::FromStr>(table: &'static str, column: &'static str, text: &str) -> Result<T>
where
    T::Err: std::fmt::Display,
{
    text.parse().map_err(|e| StoreError::row(table, column, e))
}

impl HeldRow {
    /// The state with its facts; a row that lacks one cannot be loaded.
    fn state(&self) -> Result<State> {
        let missing = |column| StoreError::row("attempts", column, format!("null in state {}", self.state));
        let token = || -> Result<TokenHash> {
            parsed("attempts", "token_hash", self.token_hash.as_deref().ok_or_else(|| missing("token_hash"))?)
        };
        let session = |at: Option<i64>| at.map(SessionId).ok_or_else(|| missing("session_id"));
        Ok(match self.state.as_str() {
            "planned" => State::Planned { due_at: Timestamp(self.due_at.unwrap_or(self.slot_us / 1000)) },
            "dialing" => State::Dialing {
                claimed_at: Timestamp(self.claimed_at.ok_or_else(|| missing("claimed_at"))?),
                token: token()?,
            },
            "live" => State::Live {
                dialed_at: Timestamp(self.dialed_at.ok_or_else(|| missing("dialed_at"))?),
                token: token()?,
                session: session(self.session_id)?,
            },
            "ended" => {
                let ended_at = Timestamp(self.ended_at.ok_or_else(|| missing("ended_at"))?);
                let outcome: Outcome =
                    parsed("attempts", "outcome", self.outcome.as_deref().ok_or_else(|| missing("outcome"))?)?;
                match (outcome, self.corrected_at, self.session_id) {
                    (Outcome::Lost, None, Some(session)) => State::Lost { ended_at, session: SessionId(session) },
                    _ => State::Ended { ended_at, outcome },
                }
            }
            other => return Err(StoreError::row("attempts", "state", format!("`{other}`"))),
        })
    }

    fn held(self, ended: Vec<Outcome>) -> Result<Held> {
        Ok(Held {
            state: self.state()?,
            attempt: AttemptId(self.attempt_id),
            run_contact: RunContactId(self.run_contact_id),
            contact: ContactId(self.contact_id),
            run: RunId(self.run_id),
            campaign: CampaignId(self.campaign_id),
            number: NumberId(self.number_id),
            try_number: self.try_number,
            mode: parsed("attempts", "mode", &self.mode)?,
            caller_id: self.caller_id.as_deref().map(|id| parsed("attempts", "caller_id", id)).transpose()?,
            slot_us: self.slot_us,
            token: self.token_hash.as_deref().map(|hash| parsed("attempts", "token_hash", hash)).transpose()?,
            session: self.session_id.map(SessionId),
            dialed_at: self.dialed_at.map(Timestamp),
            held_until: self.held_until.map(Timestamp),
            ungranted: self.ungranted,
            told: self.told,
            to: parsed("numbers", "e164", &self.e164)?,
            suppressed: self.suppressed_at.is_some(),
            allow_listed: self.allow_listed_at.is_some(),
            number_held_until: self.number_held_until.map(Timestamp),
            timezone: self.timezone.as_deref().map(|zone| parsed("contacts", "timezone", zone)).transpose()?,
            name: self.name,
            variables: self.variables,
            leased_until: Timestamp(self.leased_until),
            disposition: self.disposition.as_deref().map(|d| parsed("run_contacts", "disposition", d)).transpose()?,
            run_state: parsed("runs", "state", &self.run_state)?,
            run_kind: self.run_kind,
            run_ungranted: self.run_ungranted,
            run_not_dialled: self.run_not_dialled,
            run_prohibited: self.run_prohibited,
            account_paused: self.paused_at.is_some(),
            platform: self.platform,
            ended,
            start_had_session: self.start_session.is_some(),
        })
    }
}

/// The attempt as it stands. Inside a transaction on PostgreSQL it is locked.
pub async fn load(conn: &mut Conn, attempt: AttemptId) -> Result<Option<Held>> {
    let row: Option<HeldRow> = sqlx::query_as(sql!("load_attempt")).bind(attempt.0).fetch_optional(&mut *conn).await?;
    let Some(row) = row else { return Ok(None) };
    let ended: Vec<String> = sqlx::query_scalar(sql!("ended_outcomes"))
        .bind(row.run_contact_id)
        .bind(attempt.0)
        .fetch_all(&mut *conn)
        .await?;
    let ended = ended.iter().map(|o| parsed("attempts", "outcome", o)).collect::<Result<_>>()?;
    row.held(ended).map(Some)
}

/// Locks in the order account and run (shared), number, attempt; asks; applies.
pub async fn decide<A: Send + 'static>(conn: &mut Conn, order: &Decide<A>) -> Result<Decided<A>> {
    for lock in [sql!("lock_gates"), sql!("lock_number")] {
        sqlx::query(lock).bind(order.attempt.0).fetch_optional(&mut *conn).await?;
    }
    let Some(held) = load(conn, order.attempt).await? else { return Ok(Decided::Unknown) };
    if let Some(heard) = &order.heard {
        if !store_event(conn, order.attempt, heard, order.now).await? {
            return Ok(Decided::Again);
        }
        // One start can make two sessions: what a second one did is asked for too.
        if held.session != Some(heard.session) && heard.session.0 > 0 {
            know_session(conn, order.attempt, heard.session, order.now).await?;
        }
    }
    let (change, answer) = (order.decision)(&held);
    apply(conn, &held, &change, order).await?;
    fail_points(order.heard.is_some(), &change);
    Ok(Decided::Done(answer))
}

/// What was written, by the words of the kill matrix.
fn fail_points(heard: bool, change: &Change) {
    match change.attempt.as_ref().map(|to| &to.state) {
        Some(State::Dialing { .. }) => fail::wrote("claim"),
        Some(State::Live { .. }) => fail::wrote("grant"),
        Some(State::Planned { .. }) => fail::wrote("deferral"),
        Some(State::Lost { .. } | State::Ended { .. }) => {
            fail::wrote("end");
            if matches!(change.contact, Some(ContactChange::Waits { .. })) {
                fail::wrote("retry");
            }
        }
        None if heard => fail::wrote("event"),
        None => {}
    }
}

async fn know_session(conn: &mut Conn, attempt: AttemptId, session: SessionId, now: Timestamp) -> Result<()> {
    sqlx::query(sql!("know_session")).bind(session.0).bind(attempt.0).bind(now.0).execute(conn).await?;
    Ok(())
}

async fn store_event(conn: &mut Conn, attempt: AttemptId, heard: &Heard, now: Timestamp) -> Result<bool> {
    let stored = sqlx::query(sql!("store_event"))
        .bind(attempt.0)
        .bind(heard.session.0)
        .bind(heard.seq)
        .bind(&heard.event)
        .bind(heard.at_ms)
        .bind(now.0)
        .bind(bare(&heard.body))
        .execute(conn)
        .await?;
    Ok(stored.rows_affected() == 1)
}

async fn apply<A>(conn: &mut Conn, held: &Held, change: &Change, order: &Decide<A>) -> Result<()> {
    let now = order.now;
    if let Some(to) = &change.attempt {
        if let (Some(hash), State::Dialing { .. }) = (order.start, to.state) {
            sqlx::query(sql!("insert_start"))
                .bind(hash.to_string())
                .bind(held.attempt.0)
                .bind(now.0)
                .execute(&mut *conn)
                .await?;
        }
        let claimed_at = match to.state {
            State::Dialing { claimed_at, .. } => Some(claimed_at.0),
            _ => None,
        };
        let (ended_at, outcome) = match to.state {
            State::Lost { ended_at, .. } => (Some(ended_at.0), Some(Outcome::Lost)),
            State::Ended { ended_at, outcome } => (Some(ended_at.0), Some(outcome)),
            _ => (None, None),
        };
        sqlx::query(sql!("apply_attempt"))
            .bind(held.attempt.0)
            .bind(to.state.name())
            .bind(claimed_at)
            .bind(to.token.map(|hash| hash.to_string()))
            .bind(to.dialed_at.map(|at| at.0))
            .bind(to.session.map(|session| session.0))
            .bind(to.held_until.map(|at| at.0))
            .bind(ended_at)
            .bind(outcome.map(Outcome::as_str))
            .bind(to.evidence)
            .bind(to.corrected_at.map(|at| at.0))
            .bind(to.ungranted)
            .bind(&to.told)
            .execute(&mut *conn)
            .await?;
        match (to.state, to.session) {
            (State::Live { .. }, Some(session)) => know_session(conn, held.attempt, session, now).await?,
            (State::Lost { .. } | State::Ended { .. }, Some(session)) => {
                sqlx::query(sql!("end_session")).bind(session.0).bind(now.0).execute(&mut *conn).await?;
            }
            _ => {}
        }
    }
    if let Some(contact) = &change.contact {
        let (due_at, gate, disposition, rested_at): (Option<i64>, Option<Gate>, Option<Outcome>, Option<i64>) =
            match contact {
                ContactChange::Busy => (None, None, None, None),
                ContactChange::Waits { due_at, gate } => (Some(due_at.0), Some(*gate), None, None),
                ContactChange::Rests(outcome) => (None, None, Some(*outcome), Some(now.0)),
            };
        sqlx::query(sql!("apply_contact"))
            .bind(held.run_contact.0)
            .bind(due_at)
            .bind(gate.map(Gate::as_str))
            .bind(disposition.map(Outcome::as_str))
            .bind(rested_at)
            .execute(&mut *conn)
            .await?;
    }
    if let Some(reason) = &change.run_paused {
        sqlx::query(sql!("apply_run_paused")).bind(held.run.0).bind(reason).bind(now.0).execute(&mut *conn).await?;
    }
    if let Some(ungranted) = change.run_ungranted {
        sqlx::query(sql!("apply_run_ungranted")).bind(held.run.0).bind(ungranted).execute(&mut *conn).await?;
    }
    if let Some(not_dialled) = change.run_not_dialled {
        sqlx::query(sql!("apply_run_not_dialled")).bind(held.run.0).bind(not_dialled).execute(&mut *conn).await?;
    }
    if let Some(prohibited) = change.run_prohibited {
        sqlx::query(sql!("apply_run_prohibited")).bind(held.run.0).bind(prohibited).execute(&mut *conn).await?;
    }
    if let Some(reason) = &change.suppress {
        sqlx::query(sql!("suppress_number")).bind(held.number.0).bind(now.0).bind(reason).execute(&mut *conn).await?;
    }
    if let Some(call) = &change.call {
        sqlx::query(sql!("put_call"))
            .bind(held.attempt.0)
            .bind(call.session)
            .bind(call.source)
            .bind(call.code)
            .bind(call.reason.as_deref().map(bare))
            .bind(&call.hung_up_by)
            .bind(call.goal.map(i64::from))
            .bind(call.answers.as_deref().map(bare))
            .bind(&call.fault)
            .bind(i64::from(call.machine))
            .bind(call.answer_ms)
            .bind(call.ring_ms)
            .bind(call.first_audio_ms)
            .bind(&call.first_audio_method)
            .bind(call.talk_ms)
            .bind(call.cost_micros)
            .bind(call.recorded.map(i64::from))
            .execute(&mut *conn)
            .await?;
    }
    if !change.turns.is_empty() {
        // PostgreSQL refuses a statement that writes one row twice: of a turn told twice the last stands.
        let turns: BTreeMap<i64, _> = change.turns.iter().map(|t| (t.turn, turn_row(t))).collect();
        let turns = rows_text(turns.into_values().collect());
        sqlx::query(sql!("put_turns")).bind(held.attempt.0).bind(turns).execute(&mut *conn).await?;
    }
    Ok(())
}

fn turn_row(t: &Turn) -> serde_json::Value {
    json!([
        t.turn,
        t.callee_text,
        t.agent_text,
        t.callee_end_ms,
        t.agent_start_ms,
        t.turn_ms,
        t.method,
        t.asr_ms,
        t.reply_ms,
        t.model_ms,
        t.tts_ms,
        i64::from(t.filler),
        i64::from(t.interrupted)
    ])
}
