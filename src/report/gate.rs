//! A gate for CI: is what was called last still within its limits?
//!
//! A limit is crossed when the whole interval lies beyond it, kept when the whole interval lies within, and otherwise
//! there is not enough data to say. Nothing is asked of an estimate alone.

use serde::{Deserialize, Serialize};

use crate::domain::{Mode, Timestamp};

use super::against::{self, Difference, Measure, Side};
use super::figures::{Figures, RunRow, RunState};
use super::model::{Interval, Light, Text};
use super::{health, words};

pub const SCHEMA: &str = "halo-gate/1";

/// What is held against what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Baseline {
    /// The run before.
    LastNight,
    /// A run by its id or its number in the campaign.
    Run(String),
    /// The other arms of the same runs.
    Arm(Mode),
}

impl Baseline {
    /// `last-night`, the id or number of a run, or one of the campaign's modes.
    pub fn parse(text: &str, modes: &[(Mode, u32)]) -> Result<Self, String> {
        if text == "last-night" {
            return Ok(Baseline::LastNight);
        }
        if text.starts_with("run_") || text.bytes().all(|b| b.is_ascii_digit()) && !text.is_empty() {
            return Ok(Baseline::Run(text.to_owned()));
        }
        if let Some((mode, _)) = modes.iter().find(|(mode, _)| mode.as_str() == text) {
            return Ok(Baseline::Arm(mode.clone()));
        }
        let names: Vec<&str> = modes.iter().map(|(mode, _)| mode.as_str()).collect();
        Err(format!("`{text}` is neither last-night, nor a run, nor a mode of this campaign ({})", names.join(", ")))
    }
}

/// How far a figure may move.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Amount {
    /// A share of the base: 0.1 is 10 %.
    Relative(f64),
    Ms(f64),
    /// A difference of shares: 0.02 is two points.
    Points(f64),
}

impl Amount {
    /// Of a latency: `10%`, or `200ms`.
    pub fn latency(text: &str) -> Result<Self, String> {
        let refused = || format!("`{text}` is no limit of a latency: write 10% or 200ms");
        let number = |digits: &str| digits.trim().parse::<f64>().ok().filter(|n| n.is_finite());
        if let Some(percent) = text.strip_suffix('%') {
            let share = number(percent).ok_or_else(refused)? / 100.0;
            return if share > -1.0 { Ok(Amount::Relative(share)) } else { Err(refused()) };
        }
        text.strip_suffix("ms").and_then(number).map(Amount::Ms).ok_or_else(refused)
    }

    /// Of a share: `-2pp`.
    pub fn points(text: &str) -> Result<Self, String> {
        let refused = || format!("`{text}` is no difference in points: write -2pp");
        let points: f64 = text.strip_suffix("pp").and_then(|n| n.trim().parse().ok()).ok_or_else(refused)?;
        if (-100.0..=100.0).contains(&points) { Ok(Amount::Points(points / 100.0)) } else { Err(refused()) }
    }

    fn words(self) -> String {
        match self {
            Amount::Relative(share) => {
                let percent = share * 100.0;
                format!("{}{percent} %", if percent > 0.0 { "+" } else { "" }).replace('-', "\u{2212}")
            }
            Amount::Ms(ms) => format!("{} ms", words::ms_signed(ms)),
            Amount::Points(share) => format!("{} pp", words::points(share, super::Lang::En)),
        }
    }
}

/// One limit: at most, or at least, so much above or below the base.
#[derive(Debug, Clone, PartialEq)]
pub struct Limit {
    /// As in [`Difference::metric`].
    pub metric: &'static str,
    pub at_most: bool,
    pub amount: Amount,
}

/// The limits of a gate by the names of their options; `None` for a name that is none.
pub fn limit(name: &str, text: &str) -> Option<Result<Limit, String>> {
    let (metric, at_most, latency) = match name {
        "max-p50-regress" => ("call_turn_ms", true, true),
        "max-p95-regress" => ("turn_p95_ms", true, true),
        "min-success" => ("success_rate", false, false),
        "min-reach" => ("reach_rate", false, false),
        "max-early-hangups" => ("early_hangup_rate", true, false),
        "max-late-greetings" => ("late_greeting_rate", true, false),
        "max-silent" => ("silent_rate", true, false),
        "max-faults" => ("fault_rate", true, false),
        "max-opt-outs" => ("opt_out_rate", true, false),
        _ => return None,
    };
    let amount = if latency { Amount::latency(text) } else { Amount::points(text) };
    Some(amount.map(|amount| Limit { metric, at_most, amount }).map_err(|fault| format!("{name}: {fault}")))
}

/// What holds where nobody named a limit.
pub fn usual_limits() -> Vec<Limit> {
    [("max-p95-regress", "10%"), ("min-success", "-2pp")]
        .into_iter()
        .filter_map(|(name, text)| limit(name, text)?.ok())
        .collect()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = GateOutcome)]
pub enum Outcome {
    /// The whole interval lies within the limit.
    Passed,
    /// It does not lie on one side of it, or there is none.
    Undecided,
    /// The whole interval lies beyond the limit.
    Failed,
}

impl Outcome {
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Passed => "passed",
            Outcome::Undecided => "undecided",
            Outcome::Failed => "failed",
        }
    }

    pub fn exit_code(self) -> u8 {
        match self {
            Outcome::Passed => 0,
            Outcome::Failed => 1,
            Outcome::Undecided => 3,
        }
    }
}

/// One limit held against one difference.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = GateCheck)]
pub struct Checked {
    pub mode: Mode,
    pub metric: String,
    /// "at most +10 %".
    pub limit: String,
    pub outcome: Outcome,
    /// What the limit is about: a ratio, milliseconds, or a difference of shares.
    pub interval: Interval,
    pub base: Option<f64>,
    pub value: Option<f64>,
    pub sentence: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Gate {
    pub schema: String,
    pub generated_at: Timestamp,
    pub campaign: String,
    pub data_version: String,
    /// "run 7", or "all runs".
    pub judged: String,
    /// "run 6", or an arm.
    pub against: String,
    pub outcome: Outcome,
    pub exit_code: u8,
    pub checks: Vec<Checked>,
    /// Why nothing could be judged, and what to bear in mind.
    pub notes: Vec<String>,
    pub notice: Option<Text>,
}

/// Holds the limits against the newest run (or `run`), or the arms against one of them.
pub fn gate(
    mut figures: Figures,
    baseline: &Baseline,
    run: Option<&str>,
    limits: &[Limit],
    now: Timestamp,
) -> Result<Gate, String> {
    figures.put_in_order();
    let mut gate = Gate {
        schema: SCHEMA.to_owned(),
        generated_at: now,
        campaign: figures.campaign.clone(),
        data_version: figures.version(),
        judged: String::new(),
        against: String::new(),
        outcome: Outcome::Undecided,
        exit_code: 3,
        checks: Vec::new(),
        notes: Vec::new(),
        notice: figures.simulated.then(words::notice),
    };
    match baseline {
        Baseline::Arm(base) => of_arms(&mut gate, &figures, base, run, limits)?,
        Baseline::LastNight | Baseline::Run(_) => of_runs(&mut gate, &figures, baseline, run, limits)?,
    }
    let worst = gate.checks.iter().map(|check| check.outcome).max();
    // A gate that nothing went through has not been passed.
    gate.outcome = worst.unwrap_or(Outcome::Undecided);
    gate.exit_code = gate.outcome.exit_code();
    Ok(gate)
}

fn named<'a>(figures: &'a Figures, text: &str) -> Result<&'a RunRow, String> {
    let by_number = text.parse().ok();
    let found = figures.runs.iter().find(|row| row.run_id == text || Some(row.night) == by_number);
    found.ok_or_else(|| format!("`{text}` is no run of {} on the platform of its newest run", figures.campaign))
}

fn is_open(run: &RunRow) -> bool {
    matches!(run.state, RunState::Running | RunState::Paused)
}

fn of_runs(
    gate: &mut Gate,
    figures: &Figures,
    baseline: &Baseline,
    run: Option<&str>,
    limits: &[Limit],
) -> Result<(), String> {
    let judged = match run {
        Some(text) => Some(named(figures, text)?),
        None => figures.runs.last(),
    };
    let Some(judged) = judged else {
        gate.notes.push("the campaign has no run yet".to_owned());
        return Ok(());
    };
    gate.judged = format!("run {}", judged.night);
    let base = match baseline {
        Baseline::Run(text) => Some(named(figures, text)?),
        _ => figures.runs.iter().rev().find(|row| row.night < judged.night),
    };
    let Some(base) = base else {
        gate.notes.push(format!("there is no run before run {}", judged.night));
        return Ok(());
    };
    gate.against = format!("run {}", base.night);
    if base.night == judged.night {
        return Err(format!("run {} cannot be held against itself", base.night));
    }
    for open in [judged, base].into_iter().filter(|row| is_open(row)) {
        gate.notes.push(format!("run {} is still open: judge it when it is over", open.night));
    }
    if !gate.notes.is_empty() {
        return Ok(());
    }
    gate.notes
        .push("runs are not assigned by chance: what changed between them besides is in the difference".to_owned());
    let (own, before) = (against::of_run(figures, judged.night), against::of_run(figures, base.night));
    let mut broken = Vec::new();
    for (figures, row) in [(&own, judged), (&before, base)] {
        // Of a run by itself only this: shares and rulers are held against the other run, mode by mode.
        broken.extend(unfit(figures, &["sums", "lost_outcomes"]).map(|why| format!("run {}: {why}", row.night)));
    }
    for (mode, weight) in &figures.design.arms {
        let (side, base) = (Side::of(&own, mode, *weight), Side::of(&before, mode, *weight));
        if side.has_calls() && base.has_calls() {
            check_side(gate, &side, &base, limits, broken.first());
        } else {
            gate.notes.push(format!("{mode} was not called in both runs"));
        }
    }
    Ok(())
}

fn of_arms(gate: &mut Gate, figures: &Figures, base: &Mode, run: Option<&str>, limits: &[Limit]) -> Result<(), String> {
    let own = match run {
        Some(text) => {
            let row = named(figures, text)?;
            gate.judged = format!("run {}", row.night);
            against::of_run(figures, row.night)
        }
        None => {
            gate.judged = "all runs".to_owned();
            figures.clone()
        }
    };
    gate.against = base.to_string();
    for open in own.runs.iter().filter(|row| is_open(row)) {
        gate.notes.push(format!("run {} is still open: judge it when it is over", open.night));
    }
    if !gate.notes.is_empty() {
        return Ok(());
    }
    gate.notes.push("a gate is no verdict of the experiment: that one stands in the report".to_owned());
    let broken = unfit(&own, &["sums", "lost_outcomes", "sample_ratio", "reach_balance"]);
    let weight_of = |mode: &Mode| own.design.arms.iter().find(|arm| arm.0 == *mode).map_or(1, |arm| arm.1);
    let base = Side::of(&own, base, weight_of(base));
    for (mode, weight) in own.design.arms.iter().filter(|(mode, _)| *mode != base.arm.mode) {
        let side = Side::of(&own, mode, *weight);
        if side.has_calls() && base.has_calls() {
            check_side(gate, &side, &base, limits, broken.as_ref());
        } else {
            gate.notes.push(format!("{mode} and {} were not both called", base.arm.mode));
        }
    }
    Ok(())
}

/// The first of these checks that forbids a comparison.
fn unfit(figures: &Figures, checks: &[&str]) -> Option<String> {
    let arms: Vec<_> = figures.design.arms.iter().map(|(mode, w)| super::arms::arm(figures, mode, *w)).collect();
    let found = health::checks(figures, &arms).into_iter();
    let mut bad = found.filter(|check| check.light >= Light::NotComparable && checks.contains(&check.check.as_str()));
    bad.next().map(|check| check.text.en)
}

fn check_side(gate: &mut Gate, side: &Side, base: &Side, limits: &[Limit], broken: Option<&String>) {
    let found = against::differences(side, base, &gate.data_version);
    let unlike = against::unlike(&side.arm, &base.arm);
    for limit in limits {
        let Some(difference) = found.iter().find(|difference| difference.metric == limit.metric) else { continue };
        let latency = difference.measure == Measure::Ms;
        let why = broken.or(unlike.as_ref().filter(|_| latency));
        gate.checks.push(checked(&side.arm.mode, limit, difference, why));
    }
}

fn checked(mode: &Mode, limit: &Limit, difference: &Difference, why_not: Option<&String>) -> Checked {
    let (interval, bound) = match limit.amount {
        Amount::Relative(share) => (minus_one(difference.ratio.as_ref()), share),
        Amount::Ms(ms) => (difference.difference.clone(), ms),
        Amount::Points(share) => (difference.difference.clone(), share),
    };
    let outcome = match interval.limits() {
        _ if why_not.is_some() => Outcome::Undecided,
        None => Outcome::Undecided,
        Some((lower, upper)) if limit.at_most => side_of(upper <= bound, lower > bound),
        Some((lower, upper)) => side_of(lower >= bound, upper < bound),
    };
    let bound_words = format!("{} {}", if limit.at_most { "at most" } else { "at least" }, limit.amount.words());
    let mut checked = Checked {
        mode: mode.clone(),
        metric: limit.metric.to_owned(),
        limit: bound_words,
        outcome,
        base: difference.base,
        value: difference.value,
        sentence: String::new(),
        interval,
    };
    checked.sentence = sentence(&checked, limit.amount, difference.measure, why_not);
    checked
}

fn side_of(within: bool, beyond: bool) -> Outcome {
    match (within, beyond) {
        (true, _) => Outcome::Passed,
        (_, true) => Outcome::Failed,
        _ => Outcome::Undecided,
    }
}

/// A ratio as the change that it is: 1.1 is +10 %.
fn minus_one(ratio: Option<&Interval>) -> Interval {
    let Some(ratio) = ratio else { return super::intervals::absent("none", 0, "a share has no ratio here") };
    let shifted = |value: Option<f64>| value.map(|value| value - 1.0);
    Interval {
        estimate: shifted(ratio.estimate),
        lower: shifted(ratio.lower),
        upper: shifted(ratio.upper),
        ..ratio.clone()
    }
}

fn sentence(checked: &Checked, amount: Amount, measure: Measure, why_not: Option<&String>) -> String {
    let unit = |value: f64| match amount {
        Amount::Relative(_) => words::points(value, super::Lang::En) + " %",
        Amount::Ms(_) => words::ms_signed(value) + " ms",
        Amount::Points(_) => words::points(value, super::Lang::En) + " pp",
    };
    let figure = |value: Option<f64>| match (value, measure) {
        (Some(ms), Measure::Ms) => format!("{} ms", words::ms(ms)),
        (Some(share), Measure::Share) => words::percent(share, super::Lang::En),
        (None, _) => "–".to_owned(),
    };
    let (mode, metric, limit) = (&checked.mode, &checked.metric, &checked.limit);
    let values = format!("{} after {}", figure(checked.value), figure(checked.base));
    let found = match (checked.interval.estimate, checked.interval.limits()) {
        (Some(d), Some((lower, upper))) => {
            format!("{} (95 % CI {} to {}; {values})", unit(d), unit(lower), unit(upper))
        }
        _ => {
            let reason = checked.interval.reason.as_deref().unwrap_or("no interval");
            format!("no interval ({reason}; {values})")
        }
    };
    let tail = match (checked.outcome, why_not) {
        (_, Some(why)) => format!("not judged: {why}"),
        (Outcome::Passed, _) => format!("wholly within {limit}"),
        (Outcome::Failed, _) => format!("wholly beyond {limit}"),
        (Outcome::Undecided, _) => format!("not enough data to say whether it keeps {limit}"),
    };
    format!("{mode}: {metric} {found}: {tail}")
}

/// How many of the checks ended so.
pub fn count(gate: &Gate, outcome: Outcome) -> u64 {
    gate.checks.iter().filter(|check| check.outcome == outcome).count() as u64
}
