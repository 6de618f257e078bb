//! What a success took, and what calls did besides: rows of the table that every form prints.

use super::rows::{Cell, Row, Section, pick};
use crate::domain::money::MICROS;
use crate::report::model::{Arm, Lang, Rate, Report};
use crate::report::words;

fn row(report: &Report, label: &str, hint: &str, text: impl Fn(&Arm) -> String) -> Row {
    let cells = report.arms.iter().map(|arm| Cell { main: text(arm), note: String::new() });
    Row { label: label.to_owned(), hint: hint.to_owned(), cells: cells.collect(), primary: false }
}

fn or_dash(value: Option<f64>, digits: usize, lang: Lang) -> String {
    let Some(value) = value else { return "–".to_owned() };
    let text = format!("{value:.digits$}");
    if lang == Lang::Ru { text.replace('.', ",") } else { text }
}

fn units(micros: Option<f64>) -> Option<f64> {
    micros.map(|micros| micros / MICROS as f64)
}

pub fn section(report: &Report, lang: Lang) -> Section {
    let rate = |en: &'static str, ru: &'static str, of: fn(&Arm) -> &Rate| {
        row(report, pick(lang, en, ru), "", move |arm| words::rate(of(arm), lang))
    };
    let mut rows = vec![
        row(report, pick(lang, "attempts per success", "попыток на успех"), "", |arm| {
            or_dash(arm.attempts_per_goal, 1, lang)
        }),
        row(report, pick(lang, "minutes per success", "минут на успех"), "", |arm| {
            or_dash(arm.minutes_per_goal, 1, lang)
        }),
    ];
    if report.arms.iter().any(|arm| arm.cost_micros.is_some()) {
        rows.push(row(report, pick(lang, "cost per success", "стоимость успеха"), "", |arm| {
            or_dash(units(arm.cost_per_goal_micros), 2, lang)
        }));
        rows.push(row(report, pick(lang, "cost per minute", "стоимость минуты"), "", |arm| {
            or_dash(units(arm.cost_per_minute_micros), 2, lang)
        }));
    }
    rows.extend([
        rate("machines, of answered", "автоответчики, из отвеченных", |arm| {
            &arm.rates.machine_rate
        }),
        rate("silent calls", "немые звонки", |arm| &arm.rates.silent_rate),
        rate("turns without a reply", "реплики без ответа", |arm| &arm.rates.unanswered_turn_rate),
        rate("replies spoken into", "реплики перебиты", |arm| &arm.rates.barge_in_rate),
        rate("asked not to be called", "просили не звонить", |arm| &arm.rates.opt_out_rate),
    ]);
    Section { title: pick(lang, "Effort and harm", "Затраты и вред"), rows }
}
