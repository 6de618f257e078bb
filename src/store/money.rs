//! Budgets and breakers.

use super::{EndedRow, Result, RunMoney, Store, Trip, TripOrder};
use crate::domain::{CampaignId, Mode, PhoneNumber, RunId, Timestamp};

impl Store {
    /// Makes the counters of a run and of its campaign's day, from nothing, unless they are there.
    pub async fn open_budgets(&self, run: RunId, campaign: CampaignId, day_at: Timestamp) -> Result<()> {
        write!(self, money::open((run, campaign, day_at)))
    }

    /// When the next contact of a run is to be called.
    pub async fn next_due(&self, run: RunId) -> Result<Option<Timestamp>> {
        read!(self, rehearsal::next_due(run))
    }

    pub async fn run_money(&self, run: RunId, campaign: CampaignId, day_at: Timestamp) -> Result<RunMoney> {
        read!(self, money::of_run(run, campaign, day_at))
    }

    /// Number and mode of calls whose grant is still to come.
    pub async fn open_calls(&self, run: RunId, now: Timestamp) -> Result<Vec<(PhoneNumber, Mode)>> {
        read!(self, money::open_calls(run, now))
    }

    /// Micros spent on calls that were granted since then.
    pub async fn spent_since(&self, run: RunId, since: Timestamp) -> Result<i64> {
        read!(self, money::spent_since(run, since))
    }

    /// Attempts of an arm that ended since then, the newest first.
    pub async fn last_ended(&self, run: RunId, arm: &Mode, since: Timestamp, limit: i64) -> Result<Vec<EndedRow>> {
        read!(self, breakers::last_ended(run, arm, since, limit))
    }

    /// Started sessions in a row that asked for no grant.
    pub async fn ungranted(&self, run: RunId) -> Result<i64> {
        read!(self, breakers::ungranted(run))
    }

    /// Pauses the run, unless somebody has paused or resumed it meanwhile.
    pub async fn trip(&self, order: TripOrder) -> Result<bool> {
        write!(self, breakers::trip(order))
    }

    /// Breakers of a run that tripped, each as it did last.
    pub async fn trips(&self, run: RunId) -> Result<Vec<Trip>> {
        read!(self, breakers::trips(run))
    }
}
