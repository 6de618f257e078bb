//! Attempts and calls, read; starts, history and dialogue, written.

use super::super::Conn;
use super::super::pipeline::{self, typed};
use crate::domain::{AttemptId, CampaignId, ContactId, RunId, SessionId, Timestamp, TokenHash};
use crate::store::text::{Question, Rows, Statement};
use crate::store::{AttemptRow, ContactRow, EventRow, GateRow, OutcomeRow, Progress, StartAnswer, Turn};
use crate::store::{Result, StoreError};
use std::collections::{BTreeMap, HashMap};

/// The slots of those that are planned.
pub async fn slots(conn: &mut Conn, attempts: &[AttemptId]) -> Result<HashMap<AttemptId, i64>> {
    type Row = (i64, i64);
    let wanted = Question::of_ids::<Row>(sql!("attempt_slot"), attempts.iter().map(|id| id.0));
    let [answer] = pipeline::ask(conn, [wanted]).await?;
    Ok(typed::<Row>(answer)?.into_iter().map(|(attempt, slot_us)| (AttemptId(attempt), slot_us)).collect())
}

/// Of which campaign each is, and the version of its settings.
pub async fn whose(conn: &mut Conn, attempts: &[AttemptId]) -> Result<HashMap<AttemptId, (CampaignId, i64)>> {
    type Row = (i64, i64, i64);
    let wanted = Question::of_ids::<Row>(sql!("attempt_whose"), attempts.iter().map(|id| id.0));
    let [answer] = pipeline::ask(conn, [wanted]).await?;
    Ok(typed::<Row>(answer)?
        .into_iter()
        .map(|(attempt, campaign, version)| (AttemptId(attempt), (CampaignId(campaign), version)))
        .collect())
}

/// The hashes of every token that attempts ever had, the current one first; who does not exist is absent.
pub async fn secrets(conn: &mut Conn, attempts: &[AttemptId]) -> Result<HashMap<AttemptId, Vec<TokenHash>>> {
    type Row = (i64, Option<String>, Option<String>);
    let wanted = Question::of_ids::<Row>(sql!("attempt_secrets"), attempts.iter().map(|id| id.0));
    let [answer] = pipeline::ask(conn, [wanted]).await?;
    let mut secrets: HashMap<AttemptId, Vec<TokenHash>> = HashMap::new();
    for (attempt, current, hash) in typed::<Row>(answer)? {
        let known = secrets.entry(AttemptId(attempt)).or_default();
        // Of an attempt that has several the current one comes with each.
        for text in current.filter(|_| known.is_empty()).into_iter().chain(hash) {
            let hash = text.parse().map_err(|e| StoreError::row("starts", "token_hash", e))?;
            if !known.contains(&hash) {
                known.push(hash);
            }
        }
    }
    Ok(secrets)
}

/// In the order of their tokens, so that nodes meet in one order.
pub async fn answer_starts(conn: &mut Conn, answers: &[&StartAnswer]) -> Result<()> {
    // Of a start answered twice the last word stands; of its sessions each is known.
    let (mut last, mut sessions) = (BTreeMap::new(), BTreeMap::new());
    for answer in answers {
        let token = answer.token.to_string();
        if let Some(session) = answer.session {
            sessions.entry(session.0).or_insert((token.clone(), answer.at.0));
        }
        last.insert(token, *answer);
    }
    let (mut rows, mut known) = (Rows::default(), Rows::default());
    for (token, answer) in last {
        let session = answer.session.map(|session| session.0);
        rows.push(&(token, session, &answer.access_url, answer.at.0, answer.result));
    }
    sessions.into_iter().for_each(|(session, (token, at))| known.push(&(session, token, at)));
    let statements = [(sql!("answer_start"), rows), (sql!("know_started_session"), known)];
    pipeline::run(conn, statements.map(|(text, rows)| Statement::of(text, rows)).into()).await?;
    crate::fail::wrote("answer");
    Ok(())
}

pub async fn overdue_grants(conn: &mut Conn, claimed_before: Timestamp, limit: i64) -> Result<Vec<AttemptId>> {
    let ids: Vec<i64> =
        sqlx::query_scalar(sql!("overdue_grants")).bind(claimed_before.0).bind(limit).fetch_all(conn).await?;
    Ok(ids.into_iter().map(AttemptId).collect())
}

pub async fn silent_calls(
    conn: &mut Conn,
    account: i64,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<(AttemptId, SessionId)>> {
    let rows: Vec<(i64, i64)> =
        sqlx::query_as(sql!("silent_calls")).bind(account).bind(now.0).bind(limit).fetch_all(conn).await?;
    Ok(rows.into_iter().map(|(a, s)| (AttemptId(a), SessionId(s))).collect())
}

pub async fn under_way(conn: &mut Conn) -> Result<i64> {
    Ok(sqlx::query_scalar(sql!("calls_under_way")).fetch_one(conn).await?)
}

pub async fn progress(conn: &mut Conn, run: RunId) -> Result<Progress> {
    Ok(sqlx::query_as(sql!("run_progress")).bind(run.0).fetch_one(conn).await?)
}

pub async fn gates(conn: &mut Conn, run: RunId, now: Timestamp) -> Result<Vec<GateRow>> {
    Ok(sqlx::query_as(sql!("gates_of_run")).bind(run.0).bind(now.0).fetch_all(conn).await?)
}

pub async fn outcomes(conn: &mut Conn, run: RunId) -> Result<Vec<OutcomeRow>> {
    Ok(sqlx::query_as(sql!("outcomes_of_run")).bind(run.0).fetch_all(conn).await?)
}

pub async fn attempts(conn: &mut Conn, campaign: CampaignId, after: i64, limit: i64) -> Result<Vec<AttemptRow>> {
    Ok(sqlx::query_as(sql!("attempt_rows")).bind(campaign.0).bind(after).bind(limit).fetch_all(conn).await?)
}

pub async fn contacts(conn: &mut Conn, campaign: CampaignId, after: i64, limit: i64) -> Result<Vec<ContactRow>> {
    Ok(sqlx::query_as(sql!("contact_rows")).bind(campaign.0).bind(after).bind(limit).fetch_all(conn).await?)
}

pub async fn events(conn: &mut Conn, attempt: AttemptId) -> Result<Vec<EventRow>> {
    Ok(sqlx::query_as(sql!("event_rows")).bind(attempt.0).fetch_all(conn).await?)
}

pub async fn turns(conn: &mut Conn, attempt: AttemptId) -> Result<Vec<Turn>> {
    Ok(sqlx::query_as(sql!("turn_rows")).bind(attempt.0).fetch_all(conn).await?)
}

/// Kept beside the others so that a contact can be asked for by id alone.
pub async fn contact_campaign(conn: &mut Conn, contact: ContactId) -> Result<Option<i64>> {
    Ok(sqlx::query_scalar(sql!("campaign_of_contact")).bind(contact.0).fetch_optional(conn).await?)
}
