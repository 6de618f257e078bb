//! Calls judged and labelled by their words.

use crate::domain::{AttemptId, RunId};
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::ToSchema;

#[derive(ToSchema)]
pub struct JudgeOrder {
    /// `rules` or `model`; as the experiment says when absent.
    by: Option<String>,
    /// 1 to 1000; 100 when absent.
    limit: Option<i64>,
    /// `after` of the piece before.
    after: Option<AttemptId>,
}

#[derive(ToSchema)]
pub struct RunJudged {
    run: RunId,
    /// A hash of the rule, the judge and its instructions.
    rubric: String,
    /// `rules` or `model`.
    judge: String,
    /// Its name, of a model.
    model: Option<String>,
    /// Calls judged now.
    judged: i64,
    /// Calls about which the judge could not be asked, by what went wrong; they stay unjudged.
    failed: BTreeMap<String, i64>,
    /// Calls of the run that this rubric has not judged.
    left: i64,
    /// Of these, calls whose words are not kept any more.
    forgotten: i64,
    /// The last call of this piece; null when none was left.
    after: Option<AttemptId>,
    cost_micros: i64,
}

#[derive(ToSchema)]
pub struct LabelSample {
    run: RunId,
    seed: String,
    items: Vec<ToLabel>,
    phases: Vec<PhaseToReach>,
    success: SuccessRule,
}

#[derive(ToSchema)]
pub struct ToLabel {
    attempt: AttemptId,
    /// What a person found in it already.
    label: Option<bool>,
    transcript: Vec<SpokenExchange>,
}

/// What was heard, and what was said to it.
#[derive(ToSchema)]
pub struct SpokenExchange {
    /// Null where nothing was heard.
    callee: Option<String>,
    agent: String,
}

#[derive(ToSchema)]
pub struct PhaseToReach {
    name: String,
    /// With `{{names}}` of the list's columns.
    say: String,
}

/// Phases that must be answered to, and answers that must be given.
#[derive(ToSchema)]
pub struct SuccessRule {
    phases: Vec<String>,
    /// By name, the values that will do; an empty list: any value.
    answers: BTreeMap<String, Vec<Value>>,
}

#[derive(ToSchema)]
pub struct Label {
    /// Did the call reach its goal?
    goal: bool,
}

#[derive(ToSchema)]
pub struct Labelled {
    attempt: AttemptId,
    goal: bool,
}
