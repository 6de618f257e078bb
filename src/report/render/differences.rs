//! What differs between arms, as rows of words: the figures that a verdict speaks of, and everything else beside.

use super::rows::{Cell, pick};
use crate::report::model::{Beside, Comparison, Interval, Lang, Report, State};
use crate::report::words;

/// One line per comparison and metric: what differs from the baseline, with limits.
pub struct Difference {
    /// The mode of whose calls it tells first.
    pub arm: String,
    pub mode: String,
    pub metric: String,
    pub role: &'static str,
    pub cell: Cell,
    pub words: &'static str,
}

pub fn differences(report: &Report, lang: Lang) -> Vec<Difference> {
    let primary = pick(lang, "primary", "главный");
    let secondary = pick(lang, "secondary", "вторичный");
    let of = |comparison: &Comparison, metric: &str, role, cell, words| Difference {
        arm: comparison.mode.to_string(),
        mode: comparison.mode.to_string(),
        metric: metric.to_owned(),
        role,
        cell,
        words,
    };
    // Until a verdict may speak, its limits say no more than that: a word of who is faster would be the look that waits.
    let held = |comparison: &Comparison| {
        let verdict = report.verdicts.iter().find(|verdict| verdict.mode == comparison.mode)?;
        let open = matches!(verdict.state, State::Interim | State::Invalid | State::NotComparable);
        open.then(|| verdict.state.word(lang))
    };
    let mut found = Vec::new();
    for pair in &report.paired {
        let slower = [pick(lang, "faster", "быстрее"), pick(lang, "slower", "медленнее")];
        found.push(Difference {
            arm: pair.mode.to_string(),
            mode: pair.mode.to_string(),
            metric: pick(lang, "call_turn_ms, number by number", "call_turn_ms, номер с собой").to_owned(),
            role: pick(lang, "paired", "парный"),
            cell: ms_cell(&pair.call_turn_ms, lang),
            words: direction(&pair.call_turn_ms, slower, pick(lang, "not settled", "не решено")),
        });
    }
    // A panel's numbers are called again and again: only pairs say something of them.
    let unpaired = if report.paired.is_empty() { report.comparisons.as_slice() } else { &[] };
    for comparison in unpaired {
        let held = held(comparison);
        let direction = |interval: &Interval, words, open| held.unwrap_or_else(|| direction(interval, words, open));
        let slower = [pick(lang, "faster", "быстрее"), pick(lang, "slower", "медленнее")];
        let better = [pick(lang, "worse", "хуже"), pick(lang, "better", "лучше")];
        let open = pick(lang, "not settled", "не решено");
        found.push(of(
            comparison,
            pick(lang, "call_turn_ms median", "call_turn_ms, медиана"),
            primary,
            ms_cell(&comparison.call_turn_ms, lang),
            direction(&comparison.call_turn_ms, slower, open),
        ));
        found.push(of(
            comparison,
            pick(lang, "success", "успех"),
            primary,
            points_cell(&comparison.success, lang),
            direction(&comparison.success, better, open),
        ));
        found.push(of(
            comparison,
            "turn_ms p95",
            secondary,
            ms_cell(&comparison.turn_p95_ms, lang),
            direction(&comparison.turn_p95_ms, slower, open),
        ));
        found.push(of(
            comparison,
            pick(lang, "success by assignment", "успех по назначению"),
            secondary,
            points_cell(&comparison.success_assigned, lang),
            direction(&comparison.success_assigned, better, open),
        ));
        // The same table again, where some call was ended by a fault after its answer.
        if report.arms.iter().any(|arm| arm.contacts.clean != arm.contacts.reached) {
            found.push(of(
                comparison,
                pick(lang, "success without faulty calls", "успех без сбойных звонков"),
                pick(lang, "sensitivity", "чувствительность"),
                points_cell(&comparison.success_without_faults, lang),
                direction(&comparison.success_without_faults, better, open),
            ));
            found.push(of(
                comparison,
                pick(lang, "call_turn_ms without faulty calls", "call_turn_ms без сбойных звонков"),
                pick(lang, "sensitivity", "чувствительность"),
                ms_cell(&comparison.call_turn_without_faults_ms, lang),
                direction(&comparison.call_turn_without_faults_ms, slower, open),
            ));
        }
    }
    found.extend(super::judged::differences(report, lang));
    if report.paired.is_empty() {
        found.extend(report.pairs.iter().flat_map(|pair| pair_rows(pair, lang)));
    }
    found
}

/// The primary figures of a pair without the baseline: nothing is said of who is better.
fn pair_rows(pair: &Comparison, lang: Lang) -> [Difference; 2] {
    let row = |metric: &str, cell| Difference {
        arm: pair.mode.to_string(),
        mode: format!("{} − {}", pair.mode, pair.baseline),
        metric: metric.to_owned(),
        role: pick(lang, "other pair", "другая пара"),
        cell,
        words: pick(lang, "no verdict", "без вывода"),
    };
    [
        row(pick(lang, "call_turn_ms median", "call_turn_ms, медиана"), ms_cell(&pair.call_turn_ms, lang)),
        row(pick(lang, "success", "успех"), points_cell(&pair.success, lang)),
    ]
}

fn direction(interval: &Interval, words: [&'static str; 2], open: &'static str) -> &'static str {
    if interval.below_zero() {
        words[0]
    } else if interval.above_zero() {
        words[1]
    } else {
        open
    }
}

fn ms_cell(interval: &Interval, lang: Lang) -> Cell {
    let unit = pick(lang, "ms", "мс");
    match words::ms_limits(interval, lang) {
        Some(limits) => Cell {
            main: interval.estimate.map(|d| format!("{} {unit}", words::ms_signed(d))).unwrap_or_default(),
            note: limits,
        },
        None => Cell { main: "–".to_owned(), note: reason(interval, lang) },
    }
}

fn points_cell(interval: &Interval, lang: Lang) -> Cell {
    let unit = pick(lang, "pp", "п. п.");
    match words::points_limits(interval, lang) {
        Some(limits) if interval.n >= words::PERCENT_MIN => Cell {
            main: interval.estimate.map(|d| format!("{} {unit}", words::points(d, lang))).unwrap_or_default(),
            note: limits,
        },
        Some(_) => Cell {
            main: "–".to_owned(),
            note: format!("{} ({} < {})", pick(lang, "too few people", "мало людей"), interval.n, words::PERCENT_MIN),
        },
        None => Cell { main: "–".to_owned(), note: reason(interval, lang) },
    }
}

fn reason(interval: &Interval, lang: Lang) -> String {
    crate::report::verdict::reason_words(interval.reason.as_deref(), lang)
}

/// Everything else that is compared: a line for each figure, told in full where somebody opens it.
pub fn beside(report: &Report, lang: Lang) -> Vec<Difference> {
    let of = |comparison: &Comparison, found: &Beside| Difference {
        arm: comparison.mode.to_string(),
        mode: format!("{} − {}", comparison.mode, comparison.baseline),
        metric: match found.stat.as_str() {
            "rate" => found.metric.clone(),
            "ratio" => format!("{} ({})", found.metric, pick(lang, "times", "во сколько раз")),
            stat => format!("{} {stat}", found.metric),
        },
        role: pick(lang, "beside", "рядом"),
        cell: match found.stat.as_str() {
            "rate" => points_cell(&found.difference, lang),
            "ratio" => times_cell(&found.difference, lang),
            _ => ms_cell(&found.difference, lang),
        },
        words: "",
    };
    let unpaired = report.comparisons.iter().chain(&report.pairs).filter(|_| report.paired.is_empty());
    unpaired.flat_map(|comparison| comparison.beside.iter().map(move |found| of(comparison, found))).collect()
}

fn times_cell(interval: &Interval, lang: Lang) -> Cell {
    let two = |value: f64| words::hundredths(value, lang);
    match interval.limits() {
        Some((lower, upper)) => Cell {
            main: interval.estimate.map(|times| format!("× {}", two(times))).unwrap_or_default(),
            note: words::between(two(lower), two(upper), lang),
        },
        None => Cell { main: "–".to_owned(), note: reason(interval, lang) },
    }
}
