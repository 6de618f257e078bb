//! Further lists of a campaign.

use super::super::Conn;
use super::campaigns::store_list;
use crate::domain::{CampaignId, PhoneNumber, RunId};
use crate::store::{AppendOrder, Appended, KnownNumber, Result};
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
    store_list(conn, order.ordinal, &order.new, now).await?;
    let Some((run, starts_at)) = open else { return Ok(Appended::Waits) };
    // Row numbers begin at 1.
    let before_first = order.new.ids.take(now.0, order.new.contacts.len() + 1);
    sqlx::query(sql!("take_batch"))
        .bind(run)
        .bind(order.new.batch.0)
        .bind(before_first)
        .bind(starts_at.unwrap_or(0).max(now.0))
        .execute(conn)
        .await?;
    Ok(Appended::Joined(RunId(run)))
}
