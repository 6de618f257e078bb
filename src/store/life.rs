//! The life of runs and campaigns, for the rooms above.

use super::{
    AccountPauseOrder, AppendOrder, Appended, Beginning, Busy, By, DrainOrder, HoldRow, KnownElsewhere, KnownNumber,
    Result, RunOrder, RunState, RunStateOrder, Sent, SettingsOrder, SettingsVersion, Store, StoreError, Transition,
};
use crate::domain::settings::Take;
use crate::domain::{AttemptId, CampaignId, PhoneNumber, RunId, Timestamp};

/// Changes of an account that are told.
const HISTORY_MAX: i64 = 100;

impl Store {
    /// Starts a run by hand; returns its id and how many contacts it took.
    pub async fn begin_run(
        &self,
        campaign: CampaignId,
        account: i64,
        take: Take,
        beginning: Beginning,
        now: Timestamp,
    ) -> Result<(RunId, u64)> {
        let run = RunId(self.ids.one(now.0));
        let ids = self.ids.clone();
        let order = RunOrder { run, campaign, account, kind: "campaign", schedule: None, take, beginning, now, ids };
        let contacts = write!(self, campaigns::start_run(order))?;
        Ok((run, contacts))
    }

    /// Pauses, resumes or stops; false when the run is over already. A resumed run goes on with this hold or
    /// without one.
    pub async fn change_run(
        &self,
        run: RunId,
        to: RunState,
        by: By,
        hold_after: Option<u32>,
        now: Timestamp,
    ) -> Result<bool> {
        write!(self, campaigns::set_run_state(RunStateOrder { run, to, by, hold_after, now }))
    }

    /// Nobody new is called any more; false when the run is over or drains already.
    pub async fn drain_run(&self, run: RunId, by: By, now: Timestamp) -> Result<bool> {
        write!(self, life::drain(DrainOrder { run, by, now }))
    }

    /// Stops every dial of the account, or lets it dial again.
    pub async fn pause_all(&self, account: i64, pause: bool, by: By, now: Timestamp) -> Result<()> {
        write!(self, life::pause_account(AccountPauseOrder { account, pause, by, now }))
    }

    /// Every change of the run's state, in order.
    pub async fn run_history(&self, run: RunId) -> Result<Vec<Transition>> {
        read!(self, life::history(run))
    }

    /// The account's pauses and their ends, the newest first.
    pub async fn account_history(&self, account: i64) -> Result<Vec<Transition>> {
        read!(self, life::account_history(account, HISTORY_MAX))
    }

    pub async fn hold(&self, run: RunId) -> Result<Option<HoldRow>> {
        read!(self, life::hold_of(run))
    }

    /// Calls of these runs that are under way.
    pub async fn live_attempts(&self, runs: &[RunId]) -> Result<Vec<AttemptId>> {
        read!(self, life::live_attempts(runs))
    }

    pub async fn busy(&self, account: i64) -> Result<Busy> {
        read!(self, life::busy(account))
    }

    pub async fn settings_version(&self, campaign: CampaignId) -> Result<i64> {
        let version = read!(self, settings::version(campaign))?;
        version.ok_or_else(|| StoreError::Missing(format!("campaign {campaign}")))
    }

    /// Returns the number of the new version.
    pub async fn change_settings(&self, order: SettingsOrder) -> Result<i64> {
        write!(self, settings::change(order))
    }

    pub async fn settings_history(&self, campaign: CampaignId) -> Result<Vec<SettingsVersion>> {
        read!(self, settings::history(campaign))
    }

    pub async fn next_list(&self, campaign: CampaignId) -> Result<i64> {
        read!(self, append::next_ordinal(campaign))
    }

    pub async fn known_numbers(&self, campaign: CampaignId, numbers: &[PhoneNumber]) -> Result<Vec<KnownNumber>> {
        read!(self, append::known(campaign, numbers))
    }

    /// Which of these numbers other campaigns have in lists of this time and later, the oldest first.
    pub async fn known_elsewhere(
        &self,
        but: Option<CampaignId>,
        numbers: &[PhoneNumber],
        since: Timestamp,
    ) -> Result<Vec<KnownElsewhere>> {
        read!(self, append::known_elsewhere(but, numbers, since))
    }

    /// The list that came with this key, if one did.
    pub async fn sent_as(&self, key: &str) -> Result<Option<Sent>> {
        read!(self, append::sent_as(key))
    }

    /// The latest list of the campaign with this content, if there is one.
    pub async fn sent_before(&self, campaign: CampaignId, content_hash: &str) -> Result<Option<Sent>> {
        read!(self, append::sent_before(campaign, content_hash))
    }

    pub async fn append(&self, order: AppendOrder) -> Result<Appended> {
        load!(self, append::append(order))
    }
}
