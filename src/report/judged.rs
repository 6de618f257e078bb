//! The goal judged out of the words alone: who agrees with whom, and whether a mode is flattered by who counts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::experiment::{Experiment, Success};
use crate::domain::{CampaignId, Mode};
use crate::store::figures::{Counted, CountedContacts};
use crate::store::judged::{CountedJudged, JudgedContacts};
use crate::store::{Result, Store};

use super::figures::{Design, Figures, Night};
use super::gather::{count, mode};
use super::intervals::{absent, known, of_limits, rate, too_few};
use super::model::{Check, Interval, Light, Rate, Text};
use super::stats::LEVEL;
use super::stats::agreement::{self, Pairs};
use super::words;

/// More human calls without a judgement than this share, and the judge's word decides nothing.
const UNJUDGED_SHARE_MAX: f64 = 0.02;

/// What one rubric found in a mode's human calls of a night.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct JudgedRow {
    pub night: Night,
    pub mode: Mode,
    pub rubric: String,
    pub judge: String,
    pub model: Option<String>,
    pub first_at: i64,
    /// What our own side recorded, then the judge.
    pub dialogue: Cells,
    /// Of the calls that a person read: the judge, then the person.
    pub hand: Cells,
    pub tokens_in: u64,
    pub tokens_out: u64,
    pub cost_micros: u64,
}

/// Two readers of the same calls: both say goal, one alone, neither.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = ReadersCells)]
pub struct Cells {
    pub both: u64,
    pub first_only: u64,
    pub second_only: u64,
    pub neither: u64,
}

impl Cells {
    /// Of `n` calls, of which the readers say goal of so many each, and of `both` together.
    fn of(n: i64, first: i64, second: i64, both: i64) -> Cells {
        let (n, first, second, both) = (count(n), count(first), count(second), count(both));
        let (first_only, second_only) = (first.saturating_sub(both), second.saturating_sub(both));
        Cells { both, first_only, second_only, neither: n.saturating_sub(both + first_only + second_only) }
    }

    fn pairs(self) -> Pairs {
        let Cells { both, first_only, second_only, neither } = self;
        Pairs { both, first_only, second_only, neither }
    }
}

impl From<Pairs> for Cells {
    fn from(Pairs { both, first_only, second_only, neither }: Pairs) -> Self {
        Cells { both, first_only, second_only, neither }
    }
}

/// How far two readers agree.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Agreement {
    pub n: u64,
    pub cells: Cells,
    /// Calls of which both say the same.
    pub raw_rate: Rate,
    /// Cohen's, from -1 to 1: agreement beyond what chance would give.
    pub kappa: Interval,
    /// Share of goals of the first reader minus that of the second.
    pub excess: Option<f64>,
}

/// One rubric over all human calls of the newest version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = JudgedGoal)]
pub struct Judged {
    /// A hash of the rule, the judge and its instructions.
    pub rubric: String,
    /// `rules` or `model`.
    pub judge: String,
    pub model: Option<String>,
    /// Success is counted by it.
    pub decides: bool,
    pub arms: Vec<JudgedArm>,
    /// Our own record, then the judge; over all modes.
    pub dialogue: Agreement,
    /// The judge, then people who labelled calls by hand; over all modes.
    pub hand: Agreement,
    pub biases: Vec<Bias>,
    pub tokens_in: u64,
    pub tokens_out: u64,
    pub cost_micros: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct JudgedArm {
    pub mode: Mode,
    /// Human calls that were judged, of all.
    pub judged_rate: Rate,
    /// Of the judged calls: goals by the judge, and as our own side recorded them. By calls; the success rate is by contacts.
    pub goal_rate: Rate,
    pub own_goal_rate: Rate,
    pub dialogue: Agreement,
    pub hand: Agreement,
}

/// Is the first of two readers more generous with a mode than with the baseline? By so much it flatters the mode, if the
/// second is right.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = ReaderBias)]
pub struct Bias {
    pub mode: Mode,
    pub baseline: Mode,
    /// `dialogue_judge` or `judge_hand`.
    pub readers: String,
    pub difference: Interval,
    /// The whole interval lies on one side of zero.
    pub differs: bool,
}

/// Who says that a call reached its goal.
pub fn source(design: &Design) -> String {
    match design.success {
        Success::Dialogue => design.success.as_str().to_owned(),
        Success::Judge => format!("{}_{}", design.success.as_str(), design.judge.as_str()),
    }
}

/// The rubric whose word decides: of the declared judge, the one that was used first. Another that is tried afterwards
/// stands beside it and changes nothing.
fn deciding<'r>(rows: impl Iterator<Item = (&'r str, &'r str, i64)>, judge: &str) -> Option<&'r str> {
    rows.filter(|(_, by, _)| *by == judge).min_by_key(|(rubric, _, at)| (*at, *rubric)).map(|(rubric, _, _)| rubric)
}

/// What judges found; where the judge's word was declared to decide, `counted` speaks of its goals from here on.
pub(super) async fn gather(
    store: &Store,
    campaign: CampaignId,
    account: i64,
    from: Night,
    said: &Experiment,
    counted: &mut Counted,
) -> Result<Vec<JudgedRow>> {
    let rows = store.judged_counts(campaign, account).await?;
    if said.success == Success::Judge {
        let pooled = rows.iter().filter(|row| row.night >= from);
        let pooled = pooled.map(|row| (row.rubric.as_str(), row.judge.as_str(), row.first_at));
        let found = match deciding(pooled, said.judge.as_str()) {
            Some(rubric) => store.judged_contacts(campaign, account, rubric, from).await?,
            None => Vec::new(),
        };
        let by: BTreeMap<(Night, &str), &JudgedContacts> =
            found.iter().map(|row| ((row.night, row.mode.as_str()), row)).collect();
        let of = |row: &CountedContacts| by.get(&(row.night, row.mode.as_str())).copied();
        for row in &mut counted.night_contacts {
            (row.goals, row.clean_goals) = of(row).map_or((0, 0), |found| (found.goals, found.clean_goals));
        }
        for row in &mut counted.contacts {
            (row.goals, row.clean_goals) = of(row).map_or((0, 0), |found| (found.goals_once, found.clean_goals_once));
        }
    }
    rows.into_iter().map(read).collect()
}

fn read(row: CountedJudged) -> Result<JudgedRow> {
    Ok(JudgedRow {
        night: row.night,
        mode: mode(&row.mode)?,
        rubric: row.rubric,
        judge: row.judge,
        model: row.model,
        first_at: row.first_at,
        dialogue: Cells::of(row.judged, row.own_goals, row.goals, row.both),
        hand: Cells::of(row.labelled, row.judge_goals, row.label_goals, row.label_both),
        tokens_in: count(row.tokens_in.unwrap_or(0)),
        tokens_out: count(row.tokens_out.unwrap_or(0)),
        cost_micros: count(row.cost_micros.unwrap_or(0)),
    })
}

fn agreement(pairs: Pairs) -> Agreement {
    const METHOD: &str = "fleiss_cohen_everitt";
    let n = pairs.n();
    let kappa = match agreement::kappa(pairs, LEVEL) {
        _ if n < words::PERCENT_MIN => absent(METHOD, n, too_few(n, words::PERCENT_MIN)),
        Some(found) => known(METHOD, n, found.estimate, found.lower, found.upper),
        None => absent(METHOD, n, "both say the same of every call: kappa says nothing"),
    };
    Agreement { n, cells: pairs.into(), raw_rate: rate(pairs.agreed(), n), kappa, excess: pairs.excess() }
}

/// A block for each rubric, that which was used first before the others.
pub fn blocks(figures: &Figures) -> Vec<Judged> {
    let mut rubrics: BTreeMap<&str, i64> = BTreeMap::new();
    for row in &figures.judged {
        let first = rubrics.entry(&row.rubric).or_insert(row.first_at);
        *first = (*first).min(row.first_at);
    }
    let mut rubrics: Vec<(i64, &str)> = rubrics.into_iter().map(|(rubric, at)| (at, rubric)).collect();
    rubrics.sort_unstable();
    rubrics.into_iter().filter_map(|(_, rubric)| block(figures, rubric)).collect()
}

/// Which two readers of a row.
type Read = fn(&JudgedRow) -> Cells;

fn block(figures: &Figures, rubric: &str) -> Option<Judged> {
    let rows: Vec<&JudgedRow> = figures.judged.iter().filter(|row| row.rubric == rubric).collect();
    let first = rows.first()?;
    let design = &figures.design;
    let sum = |mode: Option<&Mode>, of: Read| {
        let wanted = rows.iter().filter(|row| mode.is_none_or(|mode| row.mode == *mode));
        wanted.fold(Pairs::default(), |sum, row| sum.plus(of(row).pairs()))
    };
    let (dialogue, hand): (Read, Read) = (|row| row.dialogue, |row| row.hand);
    let arms = design.arms.iter().map(|(mode, _)| {
        let human: u64 = figures.calls.iter().filter(|row| row.mode == *mode).map(|row| row.human).sum();
        let (own, by_hand) = (sum(Some(mode), dialogue), sum(Some(mode), hand));
        JudgedArm {
            mode: mode.clone(),
            judged_rate: rate(own.n().min(human), human),
            goal_rate: rate(own.both + own.second_only, own.n()),
            own_goal_rate: rate(own.both + own.first_only, own.n()),
            dialogue: agreement(own),
            hand: agreement(by_hand),
        }
    });
    let bias = |mode: &Mode, readers: &str, of: Read| {
        let (own, base) = (sum(Some(mode), of), sum(Some(&design.baseline), of));
        let n = own.n().min(base.n());
        let difference = match agreement::excess_difference(own, base, LEVEL) {
            _ if n < words::PERCENT_MIN => absent("agresti_min", n, too_few(n, words::PERCENT_MIN)),
            found => of_limits("agresti_min", n, found),
        };
        let differs = difference.above_zero() || difference.below_zero();
        let (mode, baseline) = (mode.clone(), design.baseline.clone());
        Bias { mode, baseline, readers: readers.to_owned(), difference, differs }
    };
    let others = design.arms.iter().map(|(mode, _)| mode).filter(|mode| **mode != design.baseline);
    let pooled = figures.judged.iter().map(|row| (row.rubric.as_str(), row.judge.as_str(), row.first_at));
    Some(Judged {
        rubric: rubric.to_owned(),
        judge: first.judge.clone(),
        model: first.model.clone(),
        decides: design.success == Success::Judge && deciding(pooled, design.judge.as_str()) == Some(rubric),
        arms: arms.collect(),
        dialogue: agreement(sum(None, dialogue)),
        hand: agreement(sum(None, hand)),
        biases: others
            .flat_map(|mode| [bias(mode, "dialogue_judge", dialogue), bias(mode, "judge_hand", hand)])
            .collect(),
        tokens_in: rows.iter().map(|row| row.tokens_in).sum(),
        tokens_out: rows.iter().map(|row| row.tokens_out).sum(),
        cost_micros: rows.iter().map(|row| row.cost_micros).sum(),
    })
}

/// Nothing where nobody judged and nobody was to.
pub fn checks(figures: &Figures, judged: &[Judged]) -> Vec<Check> {
    let mut found = Vec::new();
    let check = |name: &str, light, text| Check { check: name.to_owned(), light, statistic: None, p: None, text };
    if figures.design.success == Success::Judge {
        let human: u64 = figures.calls.iter().map(|row| row.human).sum();
        let done = judged.iter().find(|block| block.decides);
        let n = done.map_or(0, |block| block.dialogue.n).min(human);
        let missing = human - n;
        let (light, en, ru) = match missing {
            0 if human == 0 => (Light::NotChecked, "nobody was talked to", "разговоров не было"),
            0 => (Light::Good, "success is the judge's word", "успех определяет судья"),
            few if few as f64 <= UNJUDGED_SHARE_MAX * human as f64 => {
                (Light::Warning, "what is not judged counts as without goal", "неоценённое считается не достигшим цели")
            }
            _ => (
                Light::NotComparable,
                "success is the judge's word, and calls wait for it: `halo judge`",
                "успех определяет судья, а звонки не оценены: `halo judge`",
            ),
        };
        let (n, human) = (words::count(n), words::count(human));
        let text = Text::new(
            format!("{en}; {n} of {human} human calls judged"),
            format!("{ru}; оценено разговоров: {n} из {human}"),
        );
        found.push(check("judge", light, text));
    }
    for bias in judged.iter().take(1).flat_map(|block| &block.biases).filter(|bias| bias.differs) {
        let more = bias.difference.above_zero();
        let (first, mode, base) = (bias.readers.as_str(), &bias.mode, &bias.baseline);
        let (who_en, who_ru) = match first {
            "dialogue_judge" => ("the dialogue's own record", "собственная запись диалога"),
            _ => ("the judge", "судья"),
        };
        let text = |lang| words::points_limits(&bias.difference, lang).unwrap_or_default();
        let (en, ru) = (text(super::Lang::En), text(super::Lang::Ru));
        let (more_en, more_ru) = if more { ("more", "щедрее") } else { ("less", "строже") };
        found.push(check(
            "goal_bias",
            Light::Warning,
            Text::new(
                format!("{who_en} is {more_en} generous with {mode} than with {base}: {en} pp of its success are that"),
                format!("{who_ru} {more_ru} к {mode}, чем к {base}: {ru} п. п. успеха — от этого"),
            ),
        ));
    }
    found
}

#[cfg(test)]
#[path = "judged_tests.rs"]
pub mod tests;
