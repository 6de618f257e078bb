//! What a success took, and what calls did besides: rows of the table that every form prints.

use super::rows::{Cell, Row, Section, pick};
use crate::domain::money::MICROS;
use crate::report::effort::Ratio;
use crate::report::model::{Arm, Lang, Rate, Report};
use crate::report::words;

fn row(report: &Report, label: &str, hint: &str, text: impl Fn(&Arm) -> String) -> Row {
    let cells = report.arms.iter().map(|arm| Cell { main: text(arm), note: String::new() });
    Row { label: label.to_owned(), hint: hint.to_owned(), cells: cells.collect(), primary: false }
}

fn decimal(value: f64, digits: usize, lang: Lang) -> String {
    let text = format!("{value:.digits$}");
    if lang == Lang::Ru { text.replace('.', ",") } else { text }
}

/// A ratio in units of so many, with its limits.
fn ratio(report: &Report, label: &str, of: Ratio, unit: f64, digits: usize, lang: Lang) -> Row {
    let told = |arm: &Arm| {
        let found = arm.effort.iter().find(|effort| effort.metric == of.as_str());
        let number = |value: f64| decimal(value / unit, digits, lang);
        let Some(estimate) = found.and_then(|effort| effort.value.estimate) else {
            return Cell { main: "–".to_owned(), note: String::new() };
        };
        let limits = found.and_then(|effort| effort.value.limits());
        let note = limits.map(|(lower, upper)| format!("{}–{}", number(lower), number(upper)));
        Cell { main: number(estimate), note: note.unwrap_or_default() }
    };
    Row { label: label.to_owned(), hint: String::new(), cells: report.arms.iter().map(told).collect(), primary: false }
}

/// "in USD, prices of 2026-11-21 (12 unverified), 1 EUR = 1.08 USD of 2026-11-20"; empty where nobody told the prices, or nothing
/// that a call cost.
pub fn money(report: &Report, lang: Lang) -> String {
    let costs = report.arms.iter().any(|arm| arm.cost_micros.is_some());
    let Some(money) = report.money.as_ref().filter(|_| costs) else { return String::new() };
    let (of, unverified) = (pick(lang, "prices of", "цены от"), pick(lang, "unverified", "непроверенных"));
    let mut told = format!("{}, {of} {}", money.currency, money.prices_date);
    if money.unverified > 0 {
        told.push_str(&format!(" ({} {unverified})", money.unverified));
    }
    for rate in &money.rates {
        let (dated, worth) = (pick(lang, "of", "от"), decimal(rate.rate, 4, lang));
        told.push_str(&format!("; 1 {} = {worth} {} {dated} {}", rate.from, money.currency, rate.date));
    }
    told
}

pub fn section(report: &Report, lang: Lang) -> Section {
    let rate = |en: &'static str, ru: &'static str, of: fn(&Arm) -> &Rate| {
        row(report, pick(lang, en, ru), "", move |arm| words::rate(of(arm), lang))
    };
    let mut rows = vec![
        ratio(report, pick(lang, "attempts per success", "попыток на успех"), Ratio::AttemptsPerGoal, 1.0, 1, lang),
        ratio(report, pick(lang, "minutes per success", "минут на успех"), Ratio::MinutesPerGoal, 1.0, 1, lang),
        ratio(report, pick(lang, "talk per answered call, s", "разговор на ответ, с"), Ratio::Acd, 1_000.0, 1, lang),
    ];
    if report.arms.iter().any(|arm| arm.cost_micros.is_some()) {
        let currency = report.money.as_ref().map_or(String::new(), |money| format!(", {}", money.currency));
        let mut add = |label: &str, of| {
            let found = ratio(report, &format!("{label}{currency}"), of, MICROS as f64, 2, lang);
            rows.push(found);
        };
        add(pick(lang, "cost per success", "стоимость успеха"), Ratio::CostPerGoal);
        add(pick(lang, "cost per minute", "стоимость минуты"), Ratio::CostPerMinute);
        // Only where something is missing: of the rest it would say what everybody expects.
        let known: fn(&Arm) -> &Rate = |arm| &arm.rates.cost_known_rate;
        if report.arms.iter().any(|arm| known(arm).k < known(arm).interval.n) {
            let label = pick(lang, "cost known, of answered", "стоимость известна, из отвеченных");
            rows.push(row(report, label, "", |arm| words::rate(known(arm), lang)));
        }
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
