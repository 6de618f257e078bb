//! Looking before the end, as it was declared before the start.
//!
//! `fixed` looks once, at the planned end: that is [`verdict::verdicts`]. Here stand the two others: planned looks, each
//! with its share of the error, and intervals that hold at every look and are wider for it.

use crate::domain::Mode;
use crate::domain::experiment::Regime;

use super::arms::{self, ArmCalls};
use super::compare::{self, Effort};
use super::figures::{Figures, Night, RunState};
use super::health;
use super::model::{Arm, Check, Comparison, Lang, Light, State, Text, Verdict};
use super::stats::multiple::holm;
use super::stats::proportion::Share;
use super::stats::sequential::{self, Sequence, Summary};
use super::stats::{phi_upper, planner};
use super::verdict::{self, Progress};
use super::words;

/// φ of the spending function `α t^φ`: close to O'Brien and Fleming, so that early looks spend little.
const SPENDING_POWER: f64 = 3.0;
/// Resamples of a look: its share of the error may be under what the usual number can show.
const RESAMPLES: usize = 10_000;
/// Fewer values of an arm than this, and the sequence's limits are not to be trusted yet.
const SEQUENCE_MIN: u64 = 100;
/// For which success and power the usual plan of an experiment without one is made.
const USUAL: (f64, f64) = (0.4, 0.8);

pub fn verdicts(
    figures: &Figures,
    progress: &Progress,
    health: &[Check],
    comparisons: &[Comparison],
    seed: u64,
) -> Vec<Verdict> {
    match figures.design.regime {
        Regime::Fixed => verdict::verdicts(figures, progress, health, comparisons),
        Regime::Group => planned_looks(figures, progress, health, comparisons, seed),
        Regime::AlwaysValid => at_any_time(figures, health, comparisons),
    }
}

/// One-sided error that each look may spend, so that all of them together spend `alpha`.
pub fn look_alphas(looks: &[u32], alpha: f64) -> Option<Vec<f64>> {
    let last = f64::from(*looks.last()?);
    let information: Vec<f64> = looks.iter().map(|look| f64::from(*look) / last).collect();
    let bounds = sequential::group_bounds(&information, alpha, false, SPENDING_POWER)?;
    Some(bounds.into_iter().map(phi_upper).collect())
}

/// A state that ends an experiment before its plan does.
fn decides(state: State) -> bool {
    matches!(state, State::Confirmed | State::SuccessWorse | State::NotFaster)
}

fn planned_looks(
    figures: &Figures,
    progress: &Progress,
    health: &[Check],
    comparisons: &[Comparison],
    seed: u64,
) -> Vec<Verdict> {
    let looks = &figures.design.looks;
    let Some(alphas) = look_alphas(looks, figures.design.alpha) else {
        return verdict::verdicts(figures, progress, health, comparisons);
    };
    let completed = figures.runs.iter().filter(|run| run.state == RunState::Completed);
    let completed: Vec<Night> = completed.map(|run| run.night).collect();
    let mut decided: Vec<Option<Verdict>> = vec![None; comparisons.len()];
    for (place, (look, alpha)) in looks.iter().zip(&alphas).enumerate() {
        let Some(until) = (*look as usize).checked_sub(1).and_then(|last| completed.get(last)).copied() else { break };
        let is_last = place + 1 == looks.len();
        let mut seen = figures.of_nights(|night| night <= until && completed.contains(&night));
        seen.design.alpha = *alpha;
        let own_arms: Vec<Arm> = seen.design.arms.iter().map(|(mode, w)| arms::arm(&seen, mode, *w)).collect();
        let found = compare::comparisons_with(&seen, &own_arms, seed, Effort { resamples: RESAMPLES });
        let lights = health::checks(&seen, &own_arms);
        let ended = Progress { completed: *look, planned: *look, open: false };
        for (slot, comparison) in decided.iter_mut().zip(&found) {
            if slot.as_ref().is_some_and(|verdict| decides(verdict.state)) {
                continue;
            }
            let mut verdict = verdict::one(&seen, &ended, &lights, comparison, found.len());
            let level = 1.0 - 2.0 * alpha;
            verdict.sentence = at_look(verdict.sentence, place + 1, looks.len(), *look, level);
            *slot = (is_last || decides(verdict.state)).then_some(verdict);
        }
    }
    let next = looks.iter().find(|look| **look as usize > completed.len());
    let interim = |comparison: &Comparison| waiting(figures, comparison, completed.len(), next.copied());
    decided
        .into_iter()
        .zip(comparisons)
        .map(|(found, comparison)| found.unwrap_or_else(|| interim(comparison)))
        .collect()
}

/// The intervals of a look have the level of its share of the error, and say so.
fn at_look(sentence: Text, place: usize, looks: usize, night: u32, level: f64) -> Text {
    let percent = format!("{:.2}", level * 100.0);
    let en = sentence.en.replace("95 % CI", &format!("{percent} % CI"));
    let ru = sentence.ru.replace("95 % ДИ", &format!("{} % ДИ", percent.replace('.', ",")));
    Text::new(
        format!("{en} [look {place} of {looks}, after {night} runs]"),
        format!("{ru} [взгляд {place} из {looks}, после прогонов: {night}]"),
    )
}

fn waiting(figures: &Figures, comparison: &Comparison, completed: usize, next: Option<u32>) -> Verdict {
    let mode = &comparison.mode;
    let next = next.unwrap_or_default();
    let text = Text::new(
        format!("{mode}: {completed} runs completed: the next planned look is after run {next}, no verdict before it."),
        format!("{mode}: завершено прогонов {completed}: следующий взгляд после прогона {next}, до него вывода нет."),
    );
    verdict::dressed(figures, comparison, State::Interim, text)
}

/// What one arm's sequences say.
struct Watched {
    /// Log of the ratio of `call_turn_ms`, arm over baseline.
    latency: Option<Sequence>,
    success: Option<Sequence>,
    p_latency: f64,
    p_success: f64,
    values: u64,
}

fn watch(figures: &Figures, comparison: &Comparison) -> Watched {
    let design = &figures.design;
    let level = 2.0 * design.alpha;
    let planned = f64::from(calls_planned(figures)) * 2.0;
    let logs = |mode: &Mode| {
        let sample = ArmCalls::of(figures, mode).medians().sorted();
        // A reply cannot be faster than a millisecond.
        let logs: Vec<f64> = sample.into_iter().filter(|ms| ms.is_finite()).map(|ms| ms.max(1.0).ln()).collect();
        let (n, sum) = (logs.len() as f64, logs.iter().sum::<f64>());
        (logs.len() as u64, Summary::of_sums(n, sum, logs.iter().map(|x| x * x).sum()))
    };
    let share = |mode: &Mode| {
        let contacts = arms::contacts_of(figures.contacts.iter().filter(|row| row.mode == *mode));
        let found = Share::new(contacts.goals, contacts.reached);
        (found.n, Summary::of_share(found.k as f64, found.n as f64))
    };
    let ((n_t, log_t), (n_c, log_c)) = (logs(&comparison.mode), logs(&comparison.baseline));
    let ((m_t, share_t), (m_c, share_c)) = (share(&comparison.mode), share(&comparison.baseline));
    let sequence = |t: Option<Summary>, c: Option<Summary>, shift: f64| {
        let t = t.map(|summary| Summary { mean: summary.mean + shift, ..summary });
        sequential::confidence_sequence(t?, c?, level, planned)
    };
    let towards = |found: Option<Sequence>, below: bool| match found {
        Some(s) if (s.difference < 0.0) == below && s.difference != 0.0 => s.p,
        _ => 1.0,
    };
    Watched {
        latency: sequence(log_t, log_c, 0.0),
        success: sequence(share_t, share_c, 0.0),
        p_latency: towards(sequence(log_t, log_c, 0.0), true),
        p_success: towards(sequence(share_t, share_c, design.margin), false),
        values: n_t.min(n_c).min(m_t).min(m_c),
    }
}

/// Human calls of each arm that were planned, or that a usual plan would ask for.
pub fn calls_planned(figures: &Figures) -> u32 {
    let design = &figures.design;
    design.calls_planned.unwrap_or_else(|| {
        let needed = planner::noninferiority(USUAL.0, USUAL.0, design.margin, design.alpha, USUAL.1);
        needed.map_or(1, |n| n.ceil() as u32)
    })
}

fn at_any_time(figures: &Figures, health: &[Check], comparisons: &[Comparison]) -> Vec<Verdict> {
    let watched: Vec<Watched> = comparisons.iter().map(|comparison| watch(figures, comparison)).collect();
    let p: Vec<f64> = watched.iter().map(|w| w.p_latency.max(w.p_success)).collect();
    let adjusted = holm(&p);
    comparisons
        .iter()
        .zip(&watched)
        .zip(adjusted)
        .map(|((comparison, watched), p)| {
            let claim = p < 2.0 * figures.design.alpha && comparison.call_turn_all_sign == Some(-1);
            let state = watched_state(figures.design.margin, health, watched, claim);
            let text = match state {
                State::Invalid | State::NotComparable => verdict::failed(comparison, health, state),
                _ => Text::new(
                    watched_words(figures, comparison, watched, state, Lang::En),
                    watched_words(figures, comparison, watched, state, Lang::Ru),
                ),
            };
            verdict::dressed(figures, comparison, state, text)
        })
        .collect()
}

fn watched_state(margin: f64, health: &[Check], watched: &Watched, claim: bool) -> State {
    let light = |light| health.iter().any(|check| check.light == light);
    if light(Light::Invalid) {
        State::Invalid
    } else if light(Light::NotComparable) {
        State::NotComparable
    } else if watched.values < SEQUENCE_MIN {
        State::Interim
    } else if watched.success.is_some_and(|s| s.upper < -margin) {
        State::SuccessWorse
    } else if watched.latency.is_some_and(|s| s.lower > 0.0) {
        State::NotFaster
    } else if claim {
        State::Confirmed
    } else {
        State::NotYet
    }
}

fn watched_words(figures: &Figures, comparison: &Comparison, watched: &Watched, state: State, lang: Lang) -> String {
    let (mode, base) = (&comparison.mode, &comparison.baseline);
    let en = lang == Lang::En;
    if state == State::Interim {
        let n = watched.values;
        return if en {
            format!("{mode}: {n} calls of the smaller arm: no verdict under {SEQUENCE_MIN}.")
        } else {
            format!("{mode}: звонков в меньшем режиме {n}: до {SEQUENCE_MIN} вывода нет.")
        };
    }
    let margin = words::points_plain(figures.design.margin, lang);
    let latency = watched.latency.map_or(String::new(), |s| {
        // The ratio as a change: exp(−0.3) is 26 % less.
        let change = |log: f64| words::points(log.exp() - 1.0, lang);
        let limits = words::between(change(s.lower), change(s.upper), lang);
        if en {
            format!("{} % in latency against {base} (confidence sequence {limits} %)", change(s.difference))
        } else {
            format!(
                "{} % по задержке против {base} (доверительная последовательность {limits} %)",
                change(s.difference)
            )
        }
    });
    let success = watched.success.map_or(String::new(), |s| {
        let limits = words::between(words::points(s.lower, lang), words::points(s.upper, lang), lang);
        let d = words::points(s.difference, lang);
        if en { format!("difference {d} pp, {limits}") } else { format!("разница {d} п. п., {limits}") }
    });
    let (verdict, tail) = match (state, en) {
        (State::Confirmed, true) => {
            ("faster", format!("success not worse by more than {margin} pp: confirmed ({success})"))
        }
        (State::Confirmed, false) => {
            ("быстрее", format!("успех не хуже, чем на {margin} п. п.: подтверждено ({success})"))
        }
        (State::SuccessWorse, true) => {
            ("success worse", format!("success is worse by more than {margin} pp: refuted ({success})"))
        }
        (State::SuccessWorse, false) => {
            ("успех хуже", format!("успех хуже больше чем на {margin} п. п.: опровергнуто ({success})"))
        }
        (State::NotFaster, true) => ("slower", format!("success: {success}")),
        (State::NotFaster, false) => ("медленнее", format!("успех: {success}")),
        (_, true) => ("not settled yet", format!("success: {success}; another look costs nothing")),
        (_, false) => ("пока не решено", format!("успех: {success}; ещё один взгляд ничего не стоит")),
    };
    format!("{mode}: {verdict}: {latency}, {tail}.")
}
