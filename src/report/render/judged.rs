//! The goal judged out of the words alone, as rows beside the other figures: shown, and no verdict of its own.

use super::differences::Difference;
use super::rows::{Cell, Row, Section, pick};
use crate::report::judged::{Agreement, Bias, Judged, JudgedArm};
use crate::report::model::{Lang, Rate, Report};
use crate::report::words;

/// One section, with the rows of each rubric; nothing where nobody judged.
pub fn section(report: &Report, lang: Lang) -> Option<Section> {
    let rows: Vec<Row> = report.judged.iter().flat_map(|block| block_rows(report, block, lang)).collect();
    let title = pick(lang, "Goal judged by the words, blind to the mode", "Цель по словам, без знания режима");
    (!rows.is_empty()).then_some(Section { title, rows })
}

fn block_rows(report: &Report, block: &Judged, lang: Lang) -> Vec<Row> {
    let judge = match &block.model {
        Some(model) => format!("{} {model}", pick(lang, "model", "модель")),
        None => pick(lang, "rules", "правила").to_owned(),
    };
    let rubric: String = block.rubric.chars().take(8).collect();
    let row = |label: &str, hint: &str, cell: &dyn Fn(&JudgedArm) -> Cell| Row {
        label: label.to_owned(),
        hint: hint.to_owned(),
        cells: report
            .arms
            .iter()
            .map(|arm| block.arms.iter().find(|own| own.mode == arm.mode).map_or_else(Cell::default, cell))
            .collect(),
        primary: false,
    };
    let share =
        |rate: &Rate| Cell { main: words::rate(rate, lang), note: words::rate_limits(rate, lang).unwrap_or_default() };
    let agreed = |of: &Agreement| agreement(of, lang);
    let mut rows = vec![
        row(
            &format!("{} · {judge} · {rubric}", pick(lang, "judged", "оценено")),
            pick(lang, "of human calls", "из разговоров"),
            &|arm| Cell { main: words::rate(&arm.judged_rate, lang), note: String::new() },
        ),
        row(
            pick(lang, "goal by the judge", "цель по судье"),
            match block.decides {
                true => {
                    pick(lang, "of judged calls; success is counted by it", "из оценённых; успех считается по нему")
                }
                false => pick(lang, "of judged calls", "из оценённых"),
            },
            &|arm| share(&arm.goal_rate),
        ),
        row(
            pick(lang, "goal by the dialogue", "цель по диалогу"),
            pick(lang, "of the same calls", "из тех же звонков"),
            &|arm| share(&arm.own_goal_rate),
        ),
        row(
            pick(lang, "dialogue and judge agree", "диалог и судья согласны"),
            pick(lang, "κ; both, dialogue alone, judge alone, neither", "κ; оба, только диалог, только судья, никто"),
            &|arm| agreed(&arm.dialogue),
        ),
    ];
    if block.hand.n > 0 {
        rows.push(row(
            pick(lang, "judge and hand labels agree", "судья и ручные метки согласны"),
            pick(lang, "κ; both, judge alone, hand alone, neither", "κ; оба, только судья, только человек, никто"),
            &|arm| agreed(&arm.hand),
        ));
    }
    rows
}

fn agreement(of: &Agreement, lang: Lang) -> Cell {
    let cells = of.cells;
    let counts = format!("{} · {} · {} · {}", cells.both, cells.first_only, cells.second_only, cells.neither);
    let two = |value: f64| words::hundredths(value, lang);
    let kappa = match (of.kappa.estimate, of.kappa.limits()) {
        (Some(kappa), Some((lower, upper))) => {
            format!("κ {} ({}); ", two(kappa), words::between(two(lower), two(upper), lang))
        }
        _ => String::new(),
    };
    Cell { main: words::rate(&of.raw_rate, lang), note: format!("{kappa}{counts}") }
}

/// Who says that a call reached its goal, as it was declared.
pub fn source(report: &Report, lang: Lang) -> &'static str {
    match report.design.success_source.as_str() {
        "judge_rules" => pick(lang, "a judge over the words: the script's rules", "судья по словам: правила сценария"),
        "judge_model" => pick(lang, "a judge over the words: a model", "судья по словам: модель"),
        _ => pick(lang, "the dialogue's own record", "собственная запись диалога"),
    }
}

/// A line for each reader and mode whose generosity can be told.
pub fn differences(report: &Report, lang: Lang) -> Vec<Difference> {
    let told = |bias: &&Bias| bias.difference.limits().is_some();
    let biases = report.judged.iter().flat_map(|block| &block.biases).filter(told);
    biases.map(|bias| difference(bias, lang)).collect()
}

fn difference(bias: &Bias, lang: Lang) -> Difference {
    let metric = match bias.readers.as_str() {
        "dialogue_judge" => pick(lang, "goals by the dialogue beyond the judge's", "цели диалога сверх судьи"),
        _ => pick(lang, "goals by the judge beyond hand labels", "цели судьи сверх ручных меток"),
    };
    let words_of = match (bias.difference.above_zero(), bias.difference.below_zero()) {
        (true, _) => pick(lang, "flatters the mode", "льстит режиму"),
        (_, true) => pick(lang, "flatters the baseline", "льстит базе"),
        _ => pick(lang, "no bias found", "смещения не найдено"),
    };
    let estimate = bias.difference.estimate.map(|d| words::points(d, lang)).unwrap_or_default();
    Difference {
        arm: bias.mode.to_string(),
        mode: bias.mode.to_string(),
        metric: metric.to_owned(),
        role: pick(lang, "agreement", "согласие"),
        cell: Cell {
            main: format!("{estimate} {}", pick(lang, "pp", "п. п.")),
            note: words::points_limits(&bias.difference, lang).unwrap_or_default(),
        },
        words: words_of,
    }
}
