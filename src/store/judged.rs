//! What was said in calls, and what was found in it: by a judge that is told nothing else, and by people.

use super::{Result, Store};
use crate::domain::{AttemptId, CampaignId, RunId, Timestamp};

/// A human call that a rubric has not judged.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct ToJudge {
    pub attempt_id: i64,
    /// The contact's values, as JSON.
    pub variables: String,
}

/// Human calls of a run that a rubric has not judged; of the forgotten no words are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Unjudged {
    pub unjudged: i64,
    pub forgotten: i64,
}

/// The words of one turn.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct SpokenTurn {
    pub attempt_id: i64,
    pub callee_text: Option<String>,
    pub agent_text: Option<String>,
}

/// A human call that a person may read. The mode is for whoever draws the sample, and for nobody who reads it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct ToLabel {
    pub attempt_id: i64,
    pub mode: String,
    pub label: Option<i64>,
}

/// What a judge found in an attempt.
#[derive(Clone, Debug)]
pub struct Judgement {
    pub attempt: AttemptId,
    /// A hash of the rule, the judge and its instructions.
    pub rubric: String,
    /// `rules` or `model`; then its name.
    pub judge: &'static str,
    pub model: Option<String>,
    pub goal: bool,
    /// JSON.
    pub why: String,
    pub at: Timestamp,
    pub tokens_in: Option<i64>,
    pub tokens_out: Option<i64>,
    pub cost_micros: Option<i64>,
}

/// What one rubric found in a mode's human calls of a night.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct CountedJudged {
    pub rubric: String,
    pub judge: String,
    pub model: Option<String>,
    pub night: i64,
    pub mode: String,
    pub first_at: i64,
    pub judged: i64,
    pub goals: i64,
    /// As our own side recorded it, of the same calls; and where both say goal.
    pub own_goals: i64,
    pub both: i64,
    /// Of calls that a person read: how many, goals by the person, by the judge, by both.
    pub labelled: i64,
    pub label_goals: i64,
    pub judge_goals: i64,
    pub label_both: i64,
    pub tokens_in: Option<i64>,
    pub tokens_out: Option<i64>,
    pub cost_micros: Option<i64>,
}

/// Contacts in whose calls a rubric found the goal, every night by itself and each contact once.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct JudgedContacts {
    pub night: i64,
    pub mode: String,
    pub goals: i64,
    pub clean_goals: i64,
    pub goals_once: i64,
    pub clean_goals_once: i64,
}

impl Store {
    /// Runs in which a judge may have the word: open, or over since then.
    pub async fn runs_to_judge(&self, since: Timestamp) -> Result<Vec<(CampaignId, RunId)>> {
        read!(self, judged::runs(since))
    }

    /// Human calls of a run that `rubric` has not judged and whose words are kept, by attempt, behind `after`.
    pub async fn to_judge(&self, run: RunId, after: i64, rubric: &str, limit: i64) -> Result<Vec<ToJudge>> {
        read!(self, judged::wanting(run, after, rubric, limit))
    }

    pub async fn unjudged(&self, run: RunId, rubric: &str) -> Result<Unjudged> {
        read!(self, judged::unjudged(run, rubric))
    }

    /// What was said, by attempt and turn: neither mode nor anything else of the call.
    pub async fn transcripts(&self, attempts: &[i64]) -> Result<Vec<SpokenTurn>> {
        read!(self, judged::transcripts(attempts))
    }

    /// An attempt that the same rubric has judged meanwhile keeps what was found first. Returns how many were new.
    pub async fn put_judgements(&self, judgements: Vec<Judgement>) -> Result<usize> {
        write!(self, judged::put(judgements))
    }

    /// Keeps what a person found; false: there is no such human call in a campaign.
    pub async fn put_label(&self, attempt: AttemptId, goal: bool, at: Timestamp) -> Result<bool> {
        write!(self, judged::label((attempt, goal, at)))
    }

    pub async fn to_label(&self, run: RunId) -> Result<Vec<ToLabel>> {
        read!(self, judged::to_label(run))
    }

    pub async fn judged_counts(&self, campaign: CampaignId, account: i64) -> Result<Vec<CountedJudged>> {
        read!(self, judged::counts(campaign, account))
    }

    /// `from`: the first night whose figures are pooled.
    pub async fn judged_contacts(
        &self,
        campaign: CampaignId,
        account: i64,
        rubric: &str,
        from: i64,
    ) -> Result<Vec<JudgedContacts>> {
        read!(self, judged::contacts(campaign, account, rubric, from))
    }
}
