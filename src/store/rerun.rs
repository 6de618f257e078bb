//! Running a part of an earlier run again.

use super::{Beginning, Result, RunOrder, Store, StoreError};
use crate::domain::settings::Take;
use crate::domain::{CampaignId, Outcome, RunId, Timestamp};

/// Whom a run by hand calls again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Only {
    /// How they came to rest.
    pub outcomes: Vec<Outcome>,
    pub of: Of,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// The campaign's newest run at this account.
    Last,
    Run(RunId),
}

impl std::fmt::Display for Of {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Of::Last => f.write_str("last"),
            Of::Run(run) => run.fmt(f),
        }
    }
}

/// `last`, or a run's id.
impl std::str::FromStr for Of {
    type Err = String;
    fn from_str(text: &str) -> std::result::Result<Self, String> {
        match text {
            "last" => Ok(Of::Last),
            id => id.parse().map(Of::Run).map_err(|_| format!("`{id}` is neither last nor a run's id")),
        }
    }
}

pub struct RerunOrder {
    pub run: RunOrder,
    pub of: RunId,
    pub outcomes: Vec<Outcome>,
}

impl Store {
    /// Starts a run of those contacts alone; returns its id and how many there are.
    pub async fn begin_rerun(
        &self,
        campaign: CampaignId,
        account: i64,
        only: Only,
        beginning: Beginning,
        now: Timestamp,
    ) -> Result<(RunId, u64)> {
        let of = match only.of {
            Of::Run(run) => run,
            Of::Last => {
                let runs = self.runs(campaign).await?;
                let last = runs.iter().rev().find(|run| run.account == account);
                last.map(|run| run.run).ok_or_else(|| StoreError::Conflict("the campaign has no run yet".into()))?
            }
        };
        let run = RunId(self.ids.one(now.0));
        let order = RunOrder {
            run,
            campaign,
            account,
            kind: "campaign",
            schedule: None,
            take: Take::All,
            beginning,
            now,
            ids: self.ids.clone(),
        };
        let contacts = write!(self, rerun::start(RerunOrder { run: order, of, outcomes: only.outcomes }))?;
        Ok((run, contacts))
    }
}
