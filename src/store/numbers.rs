//! Numbers over all campaigns: their history, the suppression list and the allow-list, for the rooms above.

use super::{LiftOrder, Lifted, NumberOrder, Result, Store, SuppressOrder, Suppressed};
use crate::domain::caps::{HISTORY_MS, Rang};
use crate::domain::{CampaignId, ContactId, PhoneNumber, Timestamp};

impl Store {
    /// Calls to a number that caps and gaps count, the oldest first.
    pub async fn history(&self, number: &PhoneNumber, now: Timestamp) -> Result<Vec<Rang>> {
        read!(self, caps::of_number(number, now.plus_ms(-HISTORY_MS)))
    }

    fn order(&self, number: PhoneNumber, reason: &str, by: &'static str, now: Timestamp) -> NumberOrder {
        NumberOrder { id: self.ids.one(now.0), number, now, reason: reason.to_owned(), by }
    }

    /// Is the contact's consent on record?
    pub async fn consented(&self, contact: ContactId) -> Result<bool> {
        let given = read!(self, consent::given(&[contact.0]))?;
        Ok(given.contains(&contact.0))
    }

    /// An operator's word; false when the number was on the list.
    pub async fn suppress(&self, number: PhoneNumber, reason: &str, now: Timestamp) -> Result<bool> {
        let order = self.order(number, reason, "operator", now);
        write!(self, numbers::suppress(order))
    }

    /// The callee's own word.
    pub async fn opt_out(&self, number: PhoneNumber, reason: &str, now: Timestamp) -> Result<bool> {
        let order = self.order(number, reason, "callee", now);
        write!(self, numbers::suppress(order))
    }

    /// A whole list with its reasons, all of it or nothing; returns the numbers that were not suppressed before.
    pub async fn suppress_all(&self, numbers: Vec<(PhoneNumber, String)>, now: Timestamp) -> Result<Vec<String>> {
        let order = SuppressOrder { numbers, now, ids: self.ids.clone() };
        write!(self, numbers::suppress_all(order))
    }

    pub async fn lift_suppression(
        &self,
        number: PhoneNumber,
        reason: Option<String>,
        now: Timestamp,
    ) -> Result<Lifted> {
        let order = LiftOrder { number, now, reason };
        write!(self, numbers::lift(order))
    }

    /// A test phone from now on, or no more.
    pub async fn allow_list(&self, number: PhoneNumber, listed: bool, now: Timestamp) -> Result<()> {
        let order = self.order(number, "", "operator", now);
        if listed { write!(self, numbers::allow(order)) } else { write!(self, numbers::forbid(order)) }
    }

    /// Every number of the campaign may be rung by a test at any hour.
    pub async fn allow_list_campaign(&self, campaign: CampaignId, now: Timestamp) -> Result<()> {
        write!(self, numbers::allow_list_campaign((campaign, now)))
    }

    /// The newest of the suppression list.
    pub async fn suppressed(&self, limit: i64) -> Result<Vec<Suppressed>> {
        self.suppressed_page(None, None, limit).await
    }

    /// A page of it, the newest first, behind a row of the page before; `like` is a pattern (`~` escapes).
    pub async fn suppressed_page(
        &self,
        behind: Option<(i64, i64)>,
        like: Option<&str>,
        limit: i64,
    ) -> Result<Vec<Suppressed>> {
        read!(self, numbers::suppressed(behind.unwrap_or((i64::MAX, i64::MAX)), like, limit))
    }
}
