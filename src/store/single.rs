//! Single calls, and the story of one attempt, for the rooms above.

use super::{Result, SingleOrder, Standing, StartRow, Store, Story, WayIn};
use crate::domain::{AttemptId, CampaignId, PhoneNumber, Timestamp};

impl Store {
    /// Places one call: campaign, contact, run and planned attempt, all of it or nothing.
    pub async fn place_single(&self, order: SingleOrder) -> Result<()> {
        write!(self, single::place(order))
    }

    /// The campaign of this id, a single call's included.
    pub async fn campaign(&self, id: CampaignId) -> Result<Option<super::Campaign>> {
        read!(self, campaigns::by_id(id))
    }

    /// Single calls that were placed at another platform than the simulator's.
    pub async fn single_calls_elsewhere(&self) -> Result<i64> {
        read!(self, single::elsewhere())
    }

    /// What stands against calling a number; `None`: it was never heard of.
    pub async fn standing(&self, number: &PhoneNumber) -> Result<Option<Standing>> {
        read!(self, single::standing(number))
    }

    pub async fn story(&self, attempt: AttemptId) -> Result<Option<Story>> {
        read!(self, single::story(attempt))
    }

    /// Every start of the attempt, the first one first.
    pub async fn starts(&self, attempt: AttemptId) -> Result<Vec<StartRow>> {
        read!(self, single::starts(attempt))
    }

    /// Where the granted session of a live attempt takes commands. A bearer capability.
    pub async fn way_in(&self, attempt: AttemptId) -> Result<Option<WayIn>> {
        read!(self, single::way_in(attempt))
    }

    /// Does any process hold this leadership?
    pub async fn is_led(&self, name: &str, now: Timestamp) -> Result<bool> {
        Ok(read!(self, single::leads_now(name, now))? > 0)
    }
}
