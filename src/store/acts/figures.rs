//! What the tables prove.

use super::super::Conn;
use crate::domain::assign::{arm_places, read_split, stratum};
use crate::domain::{CampaignId, PhoneNumber};
use crate::store::figures::{ProvedArms, ProvedCalls, ProvedRows, ProvedRun, Unclear};
use crate::store::{Result, StoreError};
use futures::TryStreamExt;

pub async fn rows(conn: &mut Conn, campaign: CampaignId) -> Result<ProvedRows> {
    Ok(sqlx::query_as(sql!("prove_rows")).bind(campaign.0).fetch_one(conn).await?)
}

pub async fn calls(conn: &mut Conn, campaign: CampaignId) -> Result<ProvedCalls> {
    Ok(sqlx::query_as(sql!("prove_calls")).bind(campaign.0).fetch_one(conn).await?)
}

pub async fn runs(conn: &mut Conn, campaign: CampaignId) -> Result<Vec<ProvedRun>> {
    Ok(sqlx::query_as(sql!("prove_contacts")).bind(campaign.0).fetch_all(conn).await?)
}

pub async fn unclear(conn: &mut Conn, campaign: CampaignId, limit: i64) -> Result<Vec<Unclear>> {
    Ok(sqlx::query_as(sql!("prove_unclear")).bind(campaign.0).bind(limit).fetch_all(conn).await?)
}

/// Every arm given again. A list is one stratum: without the number of a single person nothing is known of its blocks.
pub async fn arms(conn: &mut Conn, campaign: CampaignId) -> Result<ProvedArms> {
    let lists: Vec<(i64, i64, String, Option<String>)> =
        sqlx::query_as(sql!("prove_lists")).bind(campaign.0).fetch_all(&mut *conn).await?;
    let mut proved = ProvedArms::default();
    for (batch, ordinal, salt, split) in lists {
        let modes = split.as_deref().and_then(read_split);
        let (mut digits, mut kept, mut known) = (Vec::new(), Vec::new(), modes.is_some());
        let mut rows = sqlx::query_as::<_, (String, String)>(sql!("prove_arms")).bind(batch).fetch(&mut *conn);
        while let Some((e164, mode)) = rows.try_next().await? {
            let number: PhoneNumber = e164.parse().map_err(|e| StoreError::row("numbers", "e164", e))?;
            known &= !number.is_erased();
            digits.push(number.digits());
            // A mode that the list never gave is no place in it.
            let place = modes.iter().flatten().position(|(arm, _)| arm.as_str() == mode);
            kept.push(place.map_or(u16::MAX, |place| place as u16));
        }
        match modes.filter(|_| known) {
            Some(modes) => {
                let again = arm_places(&salt, &stratum(ordinal), &modes, &digits);
                proved.contacts += kept.len() as i64;
                proved.wrong += again.iter().zip(&kept).filter(|(arm, kept)| arm != kept).count() as i64;
            }
            None => proved.lists_unknown += i64::from(!kept.is_empty()),
        }
    }
    Ok(proved)
}
