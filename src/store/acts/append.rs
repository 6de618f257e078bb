//! Further lists of a campaign.

use super::super::Conn;
use crate::domain::{CampaignId, PhoneNumber, RunId, Timestamp};
use crate::store::{AppendOrder, Appended, KnownElsewhere, KnownNumber, Result, Sent};
use serde_json::json;

/// Numbers asked about by one statement.
const CHUNK: usize = 1000;

/// The ordinal that the next list of the campaign will have.
pub async fn next_ordinal(conn: &mut Conn, campaign: CampaignId) -> Result<i64> {
    Ok(sqlx::query_scalar(sql!("next_batch_ordinal")).bind(campaign.0).fetch_one(conn).await?)
}

/// Which of these numbers the campaign has already.
pub async fn known(conn: &mut Conn, campaign: CampaignId, numbers: &[PhoneNumber]) -> Result<Vec<KnownNumber>> {
    let mut known = Vec::new();
    for numbers in numbers.chunks(CHUNK) {
        let wanted: Vec<&str> = numbers.iter().map(PhoneNumber::as_str).collect();
        let rows: Vec<KnownNumber> = sqlx::query_as(sql!("known_numbers"))
            .bind(campaign.0)
            .bind(json!(wanted).to_string())
            .fetch_all(&mut *conn)
            .await?;
        known.extend(rows);
    }
    Ok(known)
}

/// Which of these numbers lists of other campaigns have that came at this time or later, the oldest first.
pub async fn known_elsewhere(
    conn: &mut Conn,
    but: Option<CampaignId>,
    numbers: &[PhoneNumber],
    since: Timestamp,
) -> Result<Vec<KnownElsewhere>> {
    let mut known = Vec::new();
    for numbers in numbers.chunks(CHUNK) {
        let wanted: Vec<&str> = numbers.iter().map(PhoneNumber::as_str).collect();
        let rows: Vec<KnownElsewhere> = sqlx::query_as(sql!("known_elsewhere"))
            .bind(but.map_or(0, |campaign| campaign.0))
            .bind(json!(wanted).to_string())
            .bind(since.0)
            .fetch_all(&mut *conn)
            .await?;
        known.extend(rows);
    }
    Ok(known)
}

pub async fn sent_as(conn: &mut Conn, key: &str) -> Result<Option<Sent>> {
    Ok(sqlx::query_as(sql!("sent_as")).bind(key).fetch_optional(conn).await?)
}

pub async fn sent_before(conn: &mut Conn, campaign: CampaignId, content_hash: &str) -> Result<Option<Sent>> {
    Ok(sqlx::query_as(sql!("sent_before")).bind(campaign.0).bind(content_hash).fetch_optional(conn).await?)
}

/// A further list. The campaign's lock keeps other lists and new runs out; the run's lock keeps it from ending, so
/// that whoever joins it is called in it.
pub async fn append(conn: &mut Conn, order: &AppendOrder) -> Result<Appended> {
    let (campaign, now) = (order.new.campaign.campaign, order.now);
    sqlx::query(sql!("lock_campaign")).bind(campaign.0).fetch_optional(&mut *conn).await?;
    if next_ordinal(conn, campaign).await? != order.ordinal {
        return Ok(Appended::Outdated);
    }
    let open: Option<(i64, Option<i64>)> =
        sqlx::query_as(sql!("joinable_run")).bind(campaign.0).fetch_optional(&mut *conn).await?;
    super::lists::store(conn, order.ordinal, &order.new, now).await?;
    let Some((run, starts_at)) = open else { return Ok(Appended::Waits) };
    // Row numbers begin at 1.
    let before_first = order.new.ids.take(now.0, order.new.list.accepted as usize + 1);
    let taken = sqlx::query(sql!("take_batch"))
        .bind(run)
        .bind(order.new.batch.0)
        .bind(before_first)
        .bind(starts_at.unwrap_or(0).max(now.0))
        .execute(&mut *conn)
        .await?
        .rows_affected();
    super::campaigns::rotate(conn, RunId(run), Some(order.new.batch)).await?;
    super::campaigns::count_taken(conn, RunId(run), before_first, taken).await?;
    Ok(Appended::Joined(RunId(run)))
}
