//! Further numbers of contacts, for the rooms above.

use super::{Result, Store, StoreError};
use crate::domain::{CampaignId, PhoneNumber};
use std::collections::HashMap;

/// A further number of a row on its way in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewNumber {
    /// 2 for `phone2`.
    pub ordinal: i64,
    pub number: PhoneNumber,
    /// As typed.
    pub raw: String,
}

/// A cell of an accepted row that could not be used.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, sqlx::FromRow)]
pub struct NewNote {
    pub line: i64,
    pub field: String,
    pub reason: String,
    pub raw: String,
}

#[derive(Clone, Debug, sqlx::FromRow)]
pub struct AlternateRow {
    pub contact_id: i64,
    pub ordinal: i64,
    pub e164: String,
    pub allow_listed: bool,
}

impl Store {
    /// Every further number of the campaign, by contact.
    pub async fn further_numbers(&self, campaign: CampaignId) -> Result<HashMap<i64, Vec<NewNumber>>> {
        const PAGE: i64 = 1000;
        let (mut all, mut after) = (HashMap::<i64, Vec<NewNumber>>::new(), (0, 0));
        loop {
            let page = self.alternates(campaign, after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(all) };
            after = (last.contact_id, last.ordinal);
            for row in page {
                let number: PhoneNumber = row.e164.parse().map_err(|e| StoreError::row("numbers", "e164", e))?;
                let raw = number.as_str().to_owned();
                all.entry(row.contact_id).or_default().push(NewNumber { ordinal: row.ordinal, number, raw });
            }
        }
    }

    /// A page of further numbers, after this contact and ordinal.
    pub async fn alternates(&self, campaign: CampaignId, after: (i64, i64), limit: i64) -> Result<Vec<AlternateRow>> {
        read!(self, alternates::page(campaign, after, limit))
    }
}
