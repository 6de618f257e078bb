//! Further numbers of contacts, for the rooms above.

use super::{Result, Store};
use crate::domain::{CampaignId, PhoneNumber};

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
    /// Cells of accepted rows that were left out, by import and line.
    pub async fn notes(&self, campaign: CampaignId) -> Result<Vec<NewNote>> {
        read!(self, alternates::notes(campaign))
    }

    /// A page of further numbers, after this contact and ordinal.
    pub async fn alternates(&self, campaign: CampaignId, after: (i64, i64), limit: i64) -> Result<Vec<AlternateRow>> {
        read!(self, alternates::page(campaign, after, limit))
    }
}
