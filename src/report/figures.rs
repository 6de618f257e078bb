//! What a report is made of: plain rows, as the store's questions return them.
//!
//! Rows that name their own mode are in no experiment and come as [`ApartRow`]s. Everything else
//! counts contacts that were given an arm.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::domain::experiment::{Experiment, Judge, Kind, Regime, Success};
use crate::domain::{Mode, Outcome, Timestamp};

use super::answers::{AnswerRow, Asked};
use super::judged::JudgedRow;

pub use super::latency::{LatencyCounts, Metric, add_up};
pub use super::turns::{CallTurns, Method, TurnCount, TurnRow, TurnSums};

/// A run's ordinal in its campaign: a night. Ordinals, not ids, so that the same campaign run again
/// in another database gives the same report.
pub type Night = i64;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    pub campaign: String,
    /// The runs stood at a simulator.
    pub simulated: bool,
    pub data_as_of: Timestamp,
    pub design: Design,
    pub runs: Vec<RunRow>,
    /// Settings that changed while a run was open, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<SettingsChange>,
    /// Each contact once, in the run that counts for it: its first with a human call, else its last.
    pub contacts: Vec<ContactRow>,
    /// The same counts of every run by itself: a contact called in three runs is in three rows.
    pub night_contacts: Vec<ContactRow>,
    pub attempts: Vec<AttemptRow>,
    pub calls: Vec<CallRow>,
    pub latencies: Vec<LatencyCounts>,
    /// What the turns of human calls add up to, every night by itself.
    pub turns: Vec<TurnSums>,
    /// All calls with turns of whoever was talked to more than once: a pooled figure counts one of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub repeats: Vec<CallTurns>,
    pub apart: Vec<ApartRow>,
    /// The answers that the script asks for, and what was answered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub asked: Vec<Asked>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<AnswerRow>,
    /// What each night played; nothing of nights before that was kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bundles: Vec<BundleRow>,
    /// Dials by hour of the day in the campaign's zone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hours: Vec<HourRow>,
    /// What judges and people found in the words of human calls.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub judged: Vec<JudgedRow>,
    /// What dials took and brought, a quarter of an hour each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub quarters: Vec<QuarterRow>,
    /// In what costs are counted; nothing where nobody said it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub money: Option<Money>,
}

/// What the dials of a mode in one quarter of an hour came to: the unit by which sums vary.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct QuarterRow {
    pub night: Night,
    pub mode: Mode,
    /// When it began.
    pub at: Timestamp,
    pub attempts: u64,
    pub answered: u64,
    pub goals: u64,
    pub talk_ms: u64,
    pub cost_micros: u64,
}

/// The price table by which calls are estimated until the provider bills them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = ReportMoney)]
pub struct Money {
    /// Every amount of the report is in it.
    pub currency: String,
    /// Of the price table, as 2026-11-21.
    pub prices_date: String,
    /// Prices of it that nobody read at whoever asks them.
    pub unverified: u64,
    /// By what prices in other currencies were turned into this one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rates: Vec<MoneyRate>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct MoneyRate {
    pub from: String,
    /// So much of the report's currency for one of it.
    pub rate: f64,
    /// Of the rate, as 2026-11-21.
    pub date: String,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct HourRow {
    pub night: Night,
    pub mode: Mode,
    pub hour: u32,
    pub dialled: u64,
    pub human: u64,
    pub goals: u64,
}

/// A mode in a night was played by this bundle: script, settings of the call, model and scenario, as one hash.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct BundleRow {
    pub night: Night,
    pub mode: Mode,
    pub bundle: String,
}

/// What was written down before the first call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Design {
    #[serde(default, skip_serializing_if = "Kind::is_split")]
    pub kind: Kind,
    /// Modes with their weights, in the order written.
    pub arms: Vec<(Mode, u32)>,
    pub baseline: Mode,
    /// By how much success may fall, as a share.
    pub margin: f64,
    /// One-sided error of a claim over all arms.
    pub alpha: f64,
    pub nights_planned: u32,
    /// Handed to the bootstrap together with the data's version.
    pub seed: u64,
    /// How often the data may be looked at with a verdict in mind.
    #[serde(default, skip_serializing_if = "Regime::is_fixed")]
    pub regime: Regime,
    /// Planned looks in completed runs; of `group` alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub looks: Vec<u32>,
    /// Human calls planned for each arm, where somebody said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calls_planned: Option<u32>,
    /// Who says that a call reached its goal.
    #[serde(default, skip_serializing_if = "Success::is_dialogue")]
    pub success: Success,
    #[serde(default, skip_serializing_if = "Judge::is_rules")]
    pub judge: Judge,
}

/// Five percentage points.
pub const MARGIN: f64 = 0.05;
/// One-sided; two-sided it is the 95 % interval.
pub const ALPHA: f64 = 0.025;

impl Design {
    fn bare() -> Self {
        Design {
            kind: Kind::Split,
            arms: Vec::new(),
            baseline: Mode::dialog(),
            margin: MARGIN,
            alpha: ALPHA,
            nights_planned: 1,
            seed: 0,
            regime: Regime::Fixed,
            looks: Vec::new(),
            calls_planned: None,
            success: Success::Dialogue,
            judge: Judge::Rules,
        }
    }

    /// What the settings declare, over the defaults.
    pub fn declare(&mut self, said: &Experiment) {
        if let Some(baseline) = said.baseline.as_ref().filter(|mode| self.arms.iter().any(|arm| arm.0 == **mode)) {
            self.baseline = baseline.clone();
        }
        if let Some(points) = said.margin_pp {
            self.margin = points / 100.0;
        }
        self.kind = said.kind;
        self.regime = said.regime;
        self.looks.clone_from(&said.looks);
        self.calls_planned = said.calls;
        (self.success, self.judge) = (said.success, said.judge);
        if let Some(nights) = said.nights.or_else(|| said.looks.last().copied()) {
            self.nights_planned = nights;
        }
    }

    /// The defaults: `dialog` is the baseline where it takes part, else the first mode.
    pub fn of(arms: &[(Mode, u32)], seed: u64) -> Self {
        let dialog = Mode::dialog();
        let has_dialog = arms.iter().any(|(mode, _)| *mode == dialog);
        let baseline = match arms.first() {
            Some((first, _)) if !has_dialog => first.clone(),
            _ => dialog,
        };
        Design {
            arms: arms.to_vec(),
            baseline,
            margin: MARGIN,
            alpha: ALPHA,
            nights_planned: 1,
            seed,
            ..Design::bare()
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    Running,
    Paused,
    Stopped,
    Completed,
}

/// A change of the settings while a run was open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettingsChange {
    pub night: Night,
    /// Of the settings, from then on.
    pub version: i64,
    pub at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunRow {
    pub night: Night,
    pub run_id: String,
    pub state: RunState,
    pub started_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ContactRow {
    pub night: Night,
    pub mode: Mode,
    pub assigned: u64,
    /// With at least one dialled attempt.
    pub dialled: u64,
    /// With at least one human call.
    pub reached: u64,
    /// With a human call that reached the goal.
    pub goals: u64,
    /// Asked not to be called again.
    pub opt_outs: u64,
    /// Reached, and with goal, by human calls that no fault ended.
    #[serde(default)]
    pub clean: u64,
    #[serde(default)]
    pub clean_goals: u64,
}

/// Ended attempts by outcome, those that were never dialled among them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AttemptRow {
    pub night: Night,
    pub mode: Mode,
    pub outcome: Outcome,
    pub n: u64,
}

/// Of a count that is no part of what data are named by.
fn is_none(n: &u64) -> bool {
    *n == 0
}

/// What became of answered attempts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CallRow {
    pub night: Night,
    pub mode: Mode,
    pub human: u64,
    pub machine: u64,
    /// Detection found neither; never folded silently into `human`.
    pub unknown: u64,
    /// Human calls with at least one answered turn.
    pub conversed: u64,
    /// Human calls that the callee ended within `EARLY_MS` of the answer.
    pub early_hangups: u64,
    /// Human calls with the first agent audio later than `LATE_MS`, or never.
    pub late_greetings: u64,
    /// Answered attempts that something of ours or of the platform ended.
    pub faults: u64,
    /// Σ of talk over answered attempts.
    pub talk_ms: u64,
    /// Σ of cost over all attempts; `None` where the platform told none.
    pub cost_micros: Option<u64>,
    /// Answered attempts of which the whole cost is known: the platform's, and that of a model that speaks.
    #[serde(default, skip_serializing_if = "is_none")]
    pub costed: u64,
    /// Dialled attempts with a ringing event.
    pub ringing: u64,
    /// Turns in which the agent spoke before the callee had finished.
    pub interruptions: u64,
    /// Replies that the callee spoke into.
    #[serde(default)]
    pub barge_ins: u64,
    /// Replies that began with a filler.
    #[serde(default)]
    pub fillers: u64,
}

/// A hang-up within this many milliseconds of the answer is early: the view `report_calls` counts by it.
pub const EARLY_MS: i64 = 10_000;
/// A greeting later than this is late: the same view.
pub const LATE_MS: i64 = 2_000;

/// Contacts that are in no experiment: rows with a mode of their own, panels, `greeting`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ApartRow {
    pub mode: Mode,
    pub contacts: u64,
    pub attempts: u64,
    pub answered: u64,
    pub human: u64,
    pub goals: u64,
}

impl Figures {
    /// Rows in one order, whatever order they came in: sums of floats depend on it. Ids of people are
    /// drawn by the database and decide last.
    pub fn put_in_order(&mut self) {
        self.contacts.sort_unstable();
        self.night_contacts.sort_unstable();
        self.attempts.sort_unstable();
        self.calls.sort_unstable();
        LatencyCounts::put_in_order(&mut self.latencies);
        self.apart.sort_unstable();
        self.bundles.sort_unstable();
        self.hours.sort_unstable();
        self.judged.sort_unstable();
        self.quarters.sort_unstable();
        self.runs.sort_by_key(|run| run.night);
        self.turns.sort();
        for call in &mut self.repeats {
            call.answered_ms.sort_unstable();
        }
        self.repeats.sort_unstable();
    }

    /// The figures of some nights alone. A contact counts in them where it counts in all.
    pub fn of_nights(&self, kept: impl Fn(Night) -> bool) -> Figures {
        fn some<T: Clone>(rows: &[T], kept: impl Fn(&T) -> bool) -> Vec<T> {
            rows.iter().filter(|row| kept(row)).cloned().collect()
        }
        Figures {
            campaign: self.campaign.clone(),
            simulated: self.simulated,
            data_as_of: self.data_as_of,
            design: self.design.clone(),
            runs: some(&self.runs, |row| kept(row.night)),
            changes: some(&self.changes, |row| kept(row.night)),
            contacts: some(&self.contacts, |row| kept(row.night)),
            night_contacts: some(&self.night_contacts, |row| kept(row.night)),
            attempts: some(&self.attempts, |row| kept(row.night)),
            calls: some(&self.calls, |row| kept(row.night)),
            latencies: some(&self.latencies, |row| kept(row.night)),
            turns: some(&self.turns, |row| kept(row.night)),
            repeats: some(&self.repeats, |row| kept(row.night)),
            apart: self.apart.clone(),
            asked: self.asked.clone(),
            answers: self.answers.clone(),
            bundles: some(&self.bundles, |row| kept(row.night)),
            hours: some(&self.hours, |row| kept(row.night)),
            judged: some(&self.judged, |row| kept(row.night)),
            quarters: some(&self.quarters, |row| kept(row.night)),
            money: self.money.clone(),
        }
    }

    /// A name for this state of the data. Rows must be in order. What calls cost is left out: bills come later than
    /// what was heard, and intervals drawn by this name must not change with them.
    pub fn version(&self) -> String {
        let calls: Vec<CallRow> =
            self.calls.iter().map(|row| CallRow { cost_micros: None, costed: 0, ..row.clone() }).collect();
        let repeats: Vec<_> =
            self.repeats.iter().map(|c| (c.night, &c.mode, &c.answered_ms, c.unanswered, c.method)).collect();
        let turns = (&self.turns, repeats);
        let counted = (&self.contacts, &self.night_contacts, &self.attempts, calls, &self.latencies, turns);
        let states: Vec<_> = self.runs.iter().map(|run| (run.night, run.state)).collect();
        let text = serde_json::to_string(&(&self.campaign, &self.design, states, counted, &self.apart))
            .expect("rows of numbers and names are always JSON");
        let digest = Sha256::digest(text);
        digest[..8].iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Sums that must hold between the rows; what does not is told in a sentence each.
    pub fn contradictions(&self) -> Vec<String> {
        let mut found = Vec::new();
        let known: Vec<&Mode> = self.design.arms.iter().map(|(mode, _)| mode).collect();
        for row in self.contacts.iter().chain(&self.night_contacts) {
            let ordered = row.goals <= row.reached && row.reached <= row.dialled && row.dialled <= row.assigned;
            if !ordered || row.opt_outs > row.dialled {
                found.push(format!(
                    "{} in run {}: {} assigned, {} dialled, {} reached, {} with goal, {} opt-outs",
                    row.mode, row.night, row.assigned, row.dialled, row.reached, row.goals, row.opt_outs
                ));
            }
            if !known.contains(&&row.mode) {
                found.push(format!("{} is counted and is no arm", row.mode));
            }
        }
        let mut answered: BTreeMap<(Night, &Mode), (u64, u64)> = BTreeMap::new();
        for row in self.attempts.iter().filter(|row| row.outcome.is_answered()) {
            let sums = answered.entry((row.night, &row.mode)).or_default();
            sums.0 += row.n;
            if row.outcome == Outcome::Machine {
                sums.1 += row.n;
            }
        }
        let mut observed: BTreeMap<(Night, &Mode, Metric), u64> = BTreeMap::new();
        for row in &self.latencies {
            *observed.entry((row.night, &row.mode, row.metric)).or_default() += row.n();
        }
        let mut with_turns: BTreeMap<(Night, &Mode), (u64, u64)> = BTreeMap::new();
        for sums in &self.turns {
            let calls = with_turns.entry((sums.night, &sums.mode)).or_default();
            calls.0 += sums.calls.iter().map(|(_, n)| n).sum::<u64>();
            calls.1 += sums.calls_of_all.iter().map(|(_, n)| n).sum::<u64>();
        }
        for row in &self.calls {
            let (all, machines) = answered.remove(&(row.night, &row.mode)).unwrap_or_default();
            if all != row.human + row.machine + row.unknown || machines != row.machine {
                found.push(format!(
                    "{} in run {}: {all} answered attempts ({machines} machines), but {} human, {} machine and {} unknown calls",
                    row.mode, row.night, row.human, row.machine, row.unknown
                ));
            }
            let parts = [row.conversed, row.early_hangups, row.late_greetings];
            if parts.iter().any(|part| *part > row.human) {
                found.push(format!("{} in run {}: more calls of a kind than human calls", row.mode, row.night));
            }
            let of = |metric| observed.get(&(row.night, &row.mode, metric)).copied().unwrap_or_default();
            let audible = of(Metric::FirstAudioMs);
            // A call of which only the provider's history tells has no audio to speak of.
            if audible > row.human {
                found.push(format!(
                    "{} in run {}: {audible} first audio values of {} human calls",
                    row.mode, row.night, row.human
                ));
            }
            let (answered, told) = with_turns.get(&(row.night, &row.mode)).copied().unwrap_or_default();
            if answered < row.conversed || told < answered || told > row.human {
                found.push(format!(
                    "{} in run {}: {} human calls, {} with an answered turn; of turns {told} and {answered}",
                    row.mode, row.night, row.human, row.conversed
                ));
            }
        }
        for ((night, mode), (n, _)) in answered {
            found.push(format!("{mode} in run {night}: {n} answered attempts without calls"));
        }
        found
    }
}
