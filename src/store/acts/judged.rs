//! What judges and people found in the words of calls.

use super::super::Conn;
use super::snapshots;
use crate::domain::{AttemptId, CampaignId, RunId, Timestamp};
use crate::store::Result;
use crate::store::judged::{CountedJudged, JudgedContacts, Judgement, SpokenTurn, ToJudge, ToLabel, Unjudged};
use crate::store::text::{ids_text, rows_text};
use serde_json::json;

pub async fn runs(conn: &mut Conn, since: Timestamp) -> Result<Vec<(CampaignId, RunId)>> {
    let rows: Vec<(i64, i64)> = sqlx::query_as(sql!("runs_to_judge")).bind(since.0).fetch_all(conn).await?;
    Ok(rows.into_iter().map(|(campaign, run)| (CampaignId(campaign), RunId(run))).collect())
}

pub async fn wanting(conn: &mut Conn, run: RunId, after: i64, rubric: &str, limit: i64) -> Result<Vec<ToJudge>> {
    let query = sqlx::query_as(sql!("to_judge")).bind(run.0).bind(after).bind(rubric).bind(limit);
    Ok(query.fetch_all(conn).await?)
}

pub async fn unjudged(conn: &mut Conn, run: RunId, rubric: &str) -> Result<Unjudged> {
    Ok(sqlx::query_as(sql!("count_to_judge")).bind(run.0).bind(rubric).fetch_one(conn).await?)
}

pub async fn transcripts(conn: &mut Conn, attempts: &[i64]) -> Result<Vec<SpokenTurn>> {
    let ids = ids_text(attempts.iter().copied());
    Ok(sqlx::query_as(sql!("transcripts")).bind(ids).fetch_all(conn).await?)
}

/// Returns how many were new.
pub async fn put(conn: &mut Conn, judgements: &[Judgement]) -> Result<usize> {
    let row = |j: &Judgement| {
        let Judgement { attempt, rubric, judge, model, goal, why, at, tokens_in, tokens_out, cost_micros } = j;
        json!([attempt.0, rubric, judge, model, i64::from(*goal), why, at.0, tokens_in, tokens_out, cost_micros])
    };
    let rows = rows_text(judgements.iter().map(row).collect());
    let new: Vec<i64> = sqlx::query_scalar(sql!("put_judgements")).bind(rows).fetch_all(&mut *conn).await?;
    snapshots::attempts_changed(conn, new.iter().map(|id| AttemptId(*id))).await?;
    Ok(new.len())
}

/// False: there is no such human call in a campaign.
pub async fn label(conn: &mut Conn, (attempt, goal, at): &(AttemptId, bool, Timestamp)) -> Result<bool> {
    let query = sqlx::query_scalar(sql!("put_label")).bind(attempt.0).bind(i64::from(*goal)).bind(at.0);
    let found: Option<i64> = query.fetch_optional(&mut *conn).await?;
    snapshots::attempts_changed(conn, found.map(AttemptId)).await?;
    Ok(found.is_some())
}

pub async fn to_label(conn: &mut Conn, run: RunId) -> Result<Vec<ToLabel>> {
    Ok(sqlx::query_as(sql!("to_label")).bind(run.0).fetch_all(conn).await?)
}

pub async fn counts(conn: &mut Conn, campaign: CampaignId, account: i64) -> Result<Vec<CountedJudged>> {
    Ok(sqlx::query_as(sql!("judged_counts")).bind(campaign.0).bind(account).fetch_all(conn).await?)
}

pub async fn contacts(
    conn: &mut Conn,
    campaign: CampaignId,
    account: i64,
    rubric: &str,
    from: i64,
) -> Result<Vec<JudgedContacts>> {
    let query = sqlx::query_as(sql!("judged_contacts")).bind(campaign.0).bind(account).bind(rubric).bind(from);
    Ok(query.fetch_all(conn).await?)
}
