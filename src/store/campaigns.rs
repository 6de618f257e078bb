//! Campaigns, runs and the installation, for the rooms above.

use super::{Account, Beginning, By, Campaign, Import, NewCampaign, Reject, Result, Run, RunState, Store, StoreError};
use crate::domain::settings::Take;
use crate::domain::{CampaignId, RunId, Timestamp};

/// A campaign, a list or a run as a person names it.
impl Store {
    pub async fn installation_value(&self, name: &str) -> Result<Option<String>> {
        read!(self, setup::get(name))
    }

    /// Writes the value unless one stands, and returns the one that does.
    pub async fn installation_value_or(&self, name: &'static str, value: String) -> Result<String> {
        write!(self, setup::get_or_put((name, value)))
    }

    pub async fn set_installation_value(&self, name: &'static str, value: String) -> Result<()> {
        write!(self, setup::put((name, value)))
    }

    pub async fn ensure_account(
        &self,
        platform: &str,
        cps_max: Option<f64>,
        lines_max: Option<i64>,
        now: Timestamp,
    ) -> Result<i64> {
        let order = super::AccountOrder { id: self.ids.one(now.0), platform: platform.to_owned(), cps_max, lines_max };
        write!(self, setup::ensure_account(order))
    }

    /// The account as it stands; nothing of it is held.
    pub async fn account(&self, account: i64) -> Result<Option<Account>> {
        read!(self, plan::account(account))
    }

    pub async fn set_limits(&self, account: i64, cps_max: Option<f64>, lines_max: Option<i64>) -> Result<()> {
        write!(self, setup::set_limits((account, cps_max, lines_max)))
    }

    pub async fn pause_foreign_runs(&self, account: i64, reason: &str, now: Timestamp) -> Result<u64> {
        write!(self, life::pause_foreign((account, reason.to_owned(), now)))
    }

    pub async fn free_leases(&self) -> Result<u64> {
        write!(self, setup::free_leases(()))
    }

    pub async fn wipe(&self) -> Result<()> {
        write!(self, setup::wipe(()))
    }

    /// All accepted rows or none.
    pub async fn create_campaign(&self, new: NewCampaign) -> Result<()> {
        load!(self, campaigns::create(new))
    }

    pub async fn campaigns(&self, limit: i64) -> Result<Vec<Campaign>> {
        self.campaigns_after(None, limit).await
    }

    /// Those that are older than this one.
    pub async fn campaigns_after(&self, after: Option<CampaignId>, limit: i64) -> Result<Vec<Campaign>> {
        read!(self, campaigns::list(after, limit))
    }

    /// By id or by unique name; a single call is no campaign.
    pub async fn find_campaign(&self, id_or_name: &str) -> Result<Campaign> {
        let id = id_or_name.parse::<CampaignId>().ok();
        read!(self, campaigns::find(id, id_or_name))?
            .ok_or_else(|| StoreError::Missing(format!("campaign `{id_or_name}`")))
    }

    pub async fn imports(&self, campaign: CampaignId) -> Result<Vec<Import>> {
        read!(self, campaigns::imports(campaign))
    }

    pub async fn rejects(&self, campaign: CampaignId) -> Result<Vec<Reject>> {
        read!(self, campaigns::rejects(campaign))
    }

    /// Starts a run at once; returns its id and how many contacts it took.
    pub async fn start_run(
        &self,
        campaign: CampaignId,
        account: i64,
        take: Take,
        now: Timestamp,
    ) -> Result<(RunId, u64)> {
        self.begin_run(campaign, account, take, Beginning::default(), now).await
    }

    pub async fn run(&self, run: RunId) -> Result<Run> {
        read!(self, campaigns::run(run))?.ok_or_else(|| StoreError::Missing(format!("run {run}")))
    }

    pub async fn runs(&self, campaign: CampaignId) -> Result<Vec<Run>> {
        read!(self, campaigns::runs(campaign))
    }

    pub async fn open_runs(&self) -> Result<Vec<Run>> {
        read!(self, campaigns::open_runs())
    }

    /// Pauses, resumes or stops by our own decision; false when the run is over already.
    pub async fn set_run_state(
        &self,
        run: RunId,
        to: RunState,
        reason: Option<String>,
        now: Timestamp,
    ) -> Result<bool> {
        self.change_run(run, to, By { reason, ..By::default() }, None, now).await
    }
}
