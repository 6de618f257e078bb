//! Figures out of the tables: counts and lists, nothing compared.

use super::{Result, Store};
use crate::domain::{CampaignId, Mode, RunId, Timestamp};

#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow, serde::Serialize)]
pub struct ProvedRows {
    pub rows_total: i64,
    pub accepted: i64,
    pub duplicates: i64,
    pub refused: i64,
    pub contacts: i64,
    pub rejects_duplicate: i64,
    pub rejects_refused: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow, serde::Serialize)]
pub struct ProvedCalls {
    pub attempts: i64,
    pub planned: i64,
    pub dialing: i64,
    pub live: i64,
    pub ended: i64,
    pub granted: i64,
    pub starts: i64,
    pub granted_without_history: i64,
    pub ended_without_history: i64,
    pub sessions_in_history: i64,
    pub calls_in_history: i64,
    pub attempts_called_twice: i64,
    pub calls_without_grant: i64,
    pub answered_without_call: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow, serde::Serialize)]
pub struct ProvedRun {
    pub run_id: i64,
    pub ordinal: i64,
    pub state: String,
    pub contacts: i64,
    pub rested: i64,
    pub waiting: i64,
    pub busy: i64,
    pub tries_max: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow, serde::Serialize)]
pub struct Unclear {
    pub attempt_id: i64,
    pub state: String,
    pub outcome: Option<String>,
    pub claimed_at: Option<i64>,
    pub dialed_at: Option<i64>,
    pub session_id: Option<i64>,
    pub calls: Option<i64>,
    pub events: i64,
}

/// What `prove` holds against the laws.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Proved {
    pub rows: ProvedRows,
    pub calls: ProvedCalls,
    pub runs: Vec<ProvedRun>,
    pub unclear: Vec<Unclear>,
    pub money: ProvedMoney,
}

/// Counters of money beside the rows that they count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, sqlx::FromRow, serde::Serialize)]
pub struct ProvedMoney {
    pub budgets: i64,
    /// Budgets whose rows add up to something else.
    pub wrong: i64,
}

/// Unclear attempts listed at most.
pub(super) const UNCLEAR_MAX: i64 = 1000;

impl Store {
    pub async fn prove(&self, campaign: CampaignId) -> Result<Proved> {
        Ok(Proved {
            rows: read!(self, figures::rows(campaign))?,
            calls: read!(self, figures::calls(campaign))?,
            runs: read!(self, figures::runs(campaign))?,
            unclear: read!(self, figures::unclear(campaign, UNCLEAR_MAX))?,
            money: read!(self, money::proved(campaign))?,
        })
    }
}

#[derive(Clone, Debug, sqlx::FromRow)]
pub struct CountedRun {
    pub run_id: i64,
    pub night: i64,
    pub account_id: i64,
    pub platform: String,
    pub state: String,
    pub started_at: i64,
    pub ended_at: Option<i64>,
}

#[derive(Clone, Debug, sqlx::FromRow)]
pub struct CountedContacts {
    pub night: i64,
    pub mode: String,
    pub assigned: i64,
    pub dialled: i64,
    pub reached: i64,
    pub goals: i64,
    pub opt_outs: i64,
}

#[derive(Clone, Debug, sqlx::FromRow)]
pub struct CountedOutcome {
    pub night: i64,
    pub mode: String,
    pub outcome: String,
    pub n: i64,
}

#[derive(Clone, Debug, sqlx::FromRow)]
pub struct CountedCalls {
    pub night: i64,
    pub mode: String,
    pub human: i64,
    pub machine: i64,
    pub unknown: i64,
    pub conversed: i64,
    pub early_hangups: i64,
    pub late_greetings: i64,
    pub faults: i64,
    pub talk_ms: i64,
    pub cost_micros: Option<i64>,
    pub ringing: i64,
    pub interruptions: i64,
}

#[derive(Clone, Debug, sqlx::FromRow)]
pub struct CountedLatency {
    pub night: i64,
    pub mode: String,
    pub metric: String,
    pub value_ms: Option<i64>,
    pub n: i64,
}

#[derive(Clone, Debug, sqlx::FromRow)]
pub struct CountedTurn {
    pub night: i64,
    pub mode: String,
    pub contact: i64,
    pub attempt: i64,
    pub turn_ms: Option<i64>,
    pub method: String,
}

/// One call's answers as JSON, and in how many calls they were the same.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct CountedAnswers {
    pub mode: String,
    pub answers: String,
    pub n: i64,
}

#[derive(Clone, Debug, sqlx::FromRow)]
pub struct CountedApart {
    pub mode: String,
    pub contacts: i64,
    pub attempts: i64,
    pub answered: i64,
    pub human: i64,
    pub goals: i64,
}

/// The rows of a comparison, as counted.
#[derive(Clone, Debug)]
pub struct Counted {
    pub contacts: Vec<CountedContacts>,
    pub night_contacts: Vec<CountedContacts>,
    pub outcomes: Vec<CountedOutcome>,
    pub calls: Vec<CountedCalls>,
    pub latencies: Vec<CountedLatency>,
    pub turns: Vec<CountedTurn>,
    pub apart: Vec<CountedApart>,
    pub answers: Vec<CountedAnswers>,
}

#[derive(Clone, Debug, sqlx::FromRow)]
pub struct CountedBundle {
    pub night: i64,
    pub mode: String,
    pub bundle: String,
}

#[derive(Clone, Debug, sqlx::FromRow)]
pub struct CountedHour {
    pub night: i64,
    pub mode: String,
    /// When the quarter of an hour began.
    pub quarter_at: i64,
    pub dialled: i64,
    pub human: i64,
    pub goals: i64,
}

/// A mode was played by this bundle in this run.
#[derive(Clone, Debug)]
pub struct PlayedBundle {
    pub run: RunId,
    pub mode: Mode,
    pub bundle: String,
    pub at: Timestamp,
}

/// The last moments at which an attempt ended or was corrected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Watermark {
    /// Of the views.
    pub version: i64,
    pub ended_at: Option<i64>,
    pub corrected_at: Option<i64>,
}

impl Watermark {
    /// Nothing that ended or was corrected is later.
    pub fn at(self) -> Option<i64> {
        self.ended_at.max(self.corrected_at)
    }
}

/// Calls whose turns are fetched at once.
const CALLS_PAGE: i64 = 5000;

impl Store {
    pub async fn counted_runs(&self, campaign: CampaignId) -> Result<Vec<CountedRun>> {
        read!(self, report::runs(campaign))
    }

    /// How far the data goes, and by which version of the views it is counted.
    pub async fn watermark(&self, campaign: CampaignId) -> Result<Watermark> {
        read!(self, report::watermark(campaign))
    }

    pub async fn bundles(&self, campaign: CampaignId, account: i64) -> Result<Vec<CountedBundle>> {
        read!(self, report::bundles(campaign, account))
    }

    pub async fn hours(&self, campaign: CampaignId, account: i64) -> Result<Vec<CountedHour>> {
        read!(self, report::hours(campaign, account))
    }

    /// Contacts by the arm that they were given.
    pub async fn arms(&self, campaign: CampaignId) -> Result<Vec<(String, i64)>> {
        read!(self, report::arms(campaign))
    }

    /// Counts every latency anew, out of the attempts themselves.
    pub async fn count_latencies_anew(&self) -> Result<()> {
        write!(self, latencies::count_anew(()))
    }

    /// Known already: nothing changes.
    pub async fn put_bundle(&self, played: PlayedBundle) -> Result<()> {
        write!(self, report::put_bundle(played))
    }

    pub async fn counted(&self, campaign: CampaignId, account: i64) -> Result<Counted> {
        let mut turns: Vec<CountedTurn> = Vec::new();
        loop {
            let after = turns.last().map_or(0, |turn| turn.attempt);
            let page = read!(self, report::turns(campaign, account, after, CALLS_PAGE))?;
            if page.is_empty() {
                break;
            }
            turns.extend(page);
        }
        Ok(Counted {
            contacts: read!(self, report::contacts(campaign, account))?,
            night_contacts: read!(self, report::night_contacts(campaign, account))?,
            outcomes: read!(self, report::outcomes(campaign, account))?,
            calls: read!(self, report::calls(campaign, account))?,
            latencies: read!(self, report::latencies(campaign, account))?,
            turns,
            apart: read!(self, report::apart(campaign, account))?,
            answers: read!(self, report::answers(campaign, account))?,
        })
    }
}
