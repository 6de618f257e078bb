//! The report: one object from which every form is written, and nothing else.
//!
//! Units stand in the names. What could not be computed is null with a reason beside it. Fields are
//! only ever added under the same `schema`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::{Fault, Mode, Outcome, Timestamp};

use super::figures::{Method, Night, RunState};

pub use super::compared::{Beside, Comparison, Guardrail};

pub const SCHEMA: &str = "halo-report/1";

/// The languages of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lang {
    #[default]
    En,
    Ru,
}

impl Lang {
    /// `None` for a language that has no words here.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "en" => Some(Lang::En),
            "ru" => Some(Lang::Ru),
            _ => None,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Lang::En => "en",
            Lang::Ru => "ru",
        }
    }
}

/// A sentence in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = Sentence)]
pub struct Text {
    pub en: String,
    pub ru: String,
}

impl Text {
    pub fn new(en: impl Into<String>, ru: impl Into<String>) -> Self {
        Text { en: en.into(), ru: ru.into() }
    }

    pub fn get(&self, lang: Lang) -> &str {
        match lang {
            Lang::En => &self.en,
            Lang::Ru => &self.ru,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Report {
    pub schema: String,
    pub generated_at: Timestamp,
    pub data_as_of: Timestamp,
    pub data_version: String,
    pub software: String,
    pub campaign: String,
    pub simulated: bool,
    /// Stands at every table, page and sentence of a simulator's run.
    pub notice: Option<Text>,
    pub design: DesignBlock,
    pub verdicts: Vec<Verdict>,
    pub health: Vec<Check>,
    pub arms: Vec<Arm>,
    pub comparisons: Vec<Comparison>,
    /// The other pairs of arms: shown, and nothing is said of who is better.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pairs: Vec<Comparison>,
    /// In what costs are counted; nothing where nobody told the prices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub money: Option<super::figures::Money>,
    pub nights: Vec<NightBlock>,
    /// Failures before the answer: set apart, in no comparison.
    pub before_answer: Vec<FaultRow>,
    pub apart: Vec<super::figures::ApartRow>,
    /// What callees answered, by mode; free texts are counted only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<super::answers::AnswerTable>,
    /// A panel's numbers, each its own control.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paired: Vec<super::paired::Paired>,
    /// Nights that played the same; verdicts pool the last of them.
    pub versions: Vec<super::nights::Version>,
    pub night_differences: Vec<super::nights::NightDifference>,
    pub trends: Vec<super::nights::Trend>,
    pub control: Vec<super::nights::ControlChart>,
    /// By hour of the day; exploratory.
    pub hours: Vec<super::hours::HourCell>,
    /// The goal judged out of the words alone, one block for each rubric; that which was used first stands first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub judged: Vec<super::judged::Judged>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = Design)]
pub struct DesignBlock {
    /// `split`, `aa` or `crossover`.
    #[serde(default)]
    pub kind: String,
    pub arms: Vec<ArmWeight>,
    pub baseline: Mode,
    pub primary_latency: String,
    pub primary_success: String,
    /// Who says that a call reached its goal: `dialogue`, `judge_rules` or `judge_model`.
    #[serde(default)]
    pub success_source: String,
    pub margin_pp: f64,
    pub alpha_one_sided: f64,
    pub regime: String,
    /// Planned looks, in completed runs; of `group` alone.
    pub looks: Vec<u32>,
    /// Human calls planned for each arm.
    pub calls_planned: Option<u32>,
    pub nights_planned: u32,
    pub nights_completed: u32,
    /// The planned end has come.
    pub ended: bool,
    pub seed: String,
    pub resamples: usize,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ArmWeight {
    pub mode: Mode,
    pub weight: u32,
}

/// A value with its limits. `estimate` may stand without them; then `reason` says why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Interval {
    pub estimate: Option<f64>,
    pub lower: Option<f64>,
    pub upper: Option<f64>,
    pub level: f64,
    pub method: String,
    pub n: u64,
    pub reason: Option<String>,
}

impl Interval {
    pub fn limits(&self) -> Option<(f64, f64)> {
        Some((self.lower?, self.upper?))
    }

    /// Both limits, and all of it under zero.
    pub fn below_zero(&self) -> bool {
        self.limits().is_some_and(|(_, upper)| upper < 0.0)
    }

    /// Both limits, and all of it over zero.
    pub fn above_zero(&self) -> bool {
        self.limits().is_some_and(|(lower, _)| lower > 0.0)
    }
}

/// `k` of `n`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Rate {
    pub k: u64,
    #[serde(flatten)]
    pub interval: Interval,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = VerdictState)]
pub enum State {
    Invalid,
    NotComparable,
    Interim,
    SuccessWorse,
    NotFaster,
    NoDifferenceFound,
    Confirmed,
    NotYet,
}

impl State {
    pub fn as_str(self) -> &'static str {
        match self {
            State::Invalid => "invalid",
            State::NotComparable => "not_comparable",
            State::Interim => "interim",
            State::SuccessWorse => "success_worse",
            State::NotFaster => "not_faster",
            State::NoDifferenceFound => "no_difference_found",
            State::Confirmed => "confirmed",
            State::NotYet => "not_yet",
        }
    }

    /// The state in a word or two, for people.
    pub fn word(self, lang: Lang) -> &'static str {
        let (en, ru) = match self {
            State::Invalid => ("invalid", "недействительно"),
            State::NotComparable => ("not comparable", "несравнимо"),
            State::Interim => ("interim", "промежуточно"),
            State::SuccessWorse => ("success worse", "успех хуже"),
            State::NotFaster => ("not faster", "не быстрее"),
            State::NoDifferenceFound => ("no difference found", "разница не найдена"),
            State::Confirmed => ("confirmed", "подтверждено"),
            State::NotYet => ("not settled", "не решено"),
        };
        match lang {
            Lang::En => en,
            Lang::Ru => ru,
        }
    }

    /// A sign that stands beside the word, never instead of it.
    pub fn icon(self) -> &'static str {
        match self {
            State::Confirmed => "✔",
            State::SuccessWorse | State::NotFaster => "✘",
            State::Invalid | State::NotComparable => "⊘",
            State::Interim => "◔",
            State::NoDifferenceFound => "＝",
            State::NotYet => "…",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Verdict {
    pub mode: Mode,
    pub baseline: Mode,
    pub state: State,
    pub sentence: Text,
    /// Harms found beside the claim; never corrected for their number.
    pub guardrails: Vec<Text>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Light {
    Good,
    /// Could not be asked of this data.
    NotChecked,
    Warning,
    NotComparable,
    Invalid,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = HealthCheck)]
pub struct Check {
    pub check: String,
    pub light: Light,
    pub statistic: Option<f64>,
    pub p: Option<f64>,
    pub text: Text,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Arm {
    pub mode: Mode,
    pub baseline: bool,
    pub weight: u32,
    pub contacts: Contacts,
    /// Dialled attempts.
    pub attempts: u64,
    pub outcomes: BTreeMap<String, u64>,
    pub ringing: u64,
    pub answered: u64,
    pub human: u64,
    pub machine: u64,
    pub unknown: u64,
    pub conversed: u64,
    pub rates: Rates,
    pub turns: Turns,
    pub latencies: Vec<Latency>,
    /// Mean talk over answered attempts.
    pub acd_ms: Option<f64>,
    pub cost_micros: Option<u64>,
    pub cost_per_goal_micros: Option<f64>,
    /// Dialled attempts, and minutes of talk, of the arm over its contacts with goal: ratios of sums.
    pub attempts_per_goal: Option<f64>,
    pub minutes_per_goal: Option<f64>,
    pub cost_per_minute_micros: Option<f64>,
    /// The same ratios with their limits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub effort: Vec<super::effort::Effort>,
    /// Share of calls at or under each value of `call_turn_ms`; calls without a reply never come.
    pub call_turn_ecdf: Vec<EcdfPoint>,
    /// Calls whose `call_turn_ms` kept under each of the yardsticks; calls without a reply did not.
    pub call_turn_within: Vec<Within>,
}

impl Arm {
    pub fn latency(&self, metric: &str) -> Option<&Latency> {
        self.latencies.iter().find(|latency| latency.metric == metric)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = ArmContacts)]
pub struct Contacts {
    pub assigned: u64,
    pub dialled: u64,
    pub reached: u64,
    pub goals: u64,
    pub opt_outs: u64,
    /// Reached, and with goal, by calls that no fault ended.
    pub clean: u64,
    pub clean_goals: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Rates {
    /// Answered of dialled attempts (the trade's "ASR").
    pub answer_seizure_rate: Rate,
    pub network_effectiveness_rate: Rate,
    /// Machines of answered attempts.
    pub machine_rate: Rate,
    /// Contacts with a human call of those assigned.
    pub reach_rate: Rate,
    pub conversation_rate: Rate,
    /// Primary: contacts with goal of contacts with a human call.
    pub success_rate: Rate,
    /// By assignment: of all contacts.
    pub success_assigned_rate: Rate,
    pub early_hangup_rate: Rate,
    pub late_greeting_rate: Rate,
    /// Human calls in which the agent was never heard.
    pub silent_rate: Rate,
    /// Answered attempts that a fault of ours or of the platform ended.
    pub fault_rate: Rate,
    pub opt_out_rate: Rate,
    pub unanswered_turn_rate: Rate,
    /// Turns whose reply the callee spoke into.
    pub barge_in_rate: Rate,
    /// Turns whose reply began with a filler.
    pub filler_rate: Rate,
    /// A sensitivity: as the success rate, by calls that no fault ended.
    pub success_without_faults_rate: Rate,
    /// Answered attempts of which the whole cost is known: the platform's, and that of a model that speaks. Under 90 %
    /// nothing is said of cost.
    pub cost_known_rate: Rate,
    pub lost_rate: Rate,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = ArmTurns)]
pub struct Turns {
    pub turns: u64,
    pub answered: u64,
    pub unanswered: u64,
    pub interruptions: u64,
    /// Valid turns of all turns.
    pub coverage: Rate,
    /// The worst ruler among them; absent without turns.
    pub method: Option<Method>,
    /// Human calls with a turn.
    #[serde(default)]
    pub calls: u64,
    pub calls_with_latency: u64,
}

/// What one observation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    Attempts,
    Calls,
    Turns,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Latency {
    pub metric: String,
    pub unit: Unit,
    pub n: u64,
    /// Observations that never came: +∞.
    pub never: u64,
    /// The largest that came: a quantile that falls on `never` is beyond it.
    pub largest_ms: Option<i64>,
    pub p50: Interval,
    pub p90: Interval,
    pub p95: Interval,
    pub p99: Interval,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Within {
    pub ms: u32,
    pub rate: Rate,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct EcdfPoint {
    pub ms: f64,
    pub share: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = Night)]
pub struct NightBlock {
    pub night: Night,
    pub run_id: String,
    pub state: RunState,
    pub started_at: Timestamp,
    pub arms: Vec<NightArm>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct NightArm {
    pub mode: Mode,
    pub contacts: Contacts,
    pub attempts: u64,
    pub answered: u64,
    pub human: u64,
    pub success_rate: Rate,
    pub call_turn_ms: Interval,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct FaultRow {
    pub mode: Mode,
    pub outcome: Outcome,
    pub fault: FaultName,
    pub n: u64,
}

/// Whom an end speaks about, readable back from JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Fault)]
pub enum FaultName {
    Contact,
    Carrier,
    Provider,
    Us,
    Unknown,
}

impl From<Fault> for FaultName {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Contact => FaultName::Contact,
            Fault::Carrier => FaultName::Carrier,
            Fault::Provider => FaultName::Provider,
            Fault::Us => FaultName::Us,
            Fault::Unknown => FaultName::Unknown,
        }
    }
}
