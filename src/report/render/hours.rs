//! Success by the hour of the day: a row for each mode, a cell for each hour, its filling the share.

use super::rows::pick;
use super::svg::{Anchor, STYLES, Svg};
use crate::report::hours::HourCell;
use crate::report::model::{Lang, Report};
use crate::report::words;

const CELL: (f64, f64) = (52.0, 46.0);
const LEFT: f64 = 130.0;

pub fn title(lang: Lang) -> &'static str {
    pick(lang, "Success by the hour of the call", "Успех по часу звонка")
}

fn hours(report: &Report) -> Vec<u32> {
    let mut hours: Vec<u32> = report.hours.iter().map(|cell| cell.hour).collect();
    hours.sort_unstable();
    hours.dedup();
    hours
}

fn of<'a>(report: &'a Report, mode: &str, hour: u32) -> Option<&'a HourCell> {
    report.hours.iter().find(|cell| cell.mode.as_str() == mode && cell.hour == hour)
}

/// `k/n`: a percentage of few would pretend to know.
fn counted(cell: &HourCell) -> String {
    format!("{}/{}", cell.goal_rate.k, cell.human)
}

/// Nothing where all calls were in one hour.
pub fn chart(report: &Report, lang: Lang) -> Option<String> {
    let hours = hours(report);
    if hours.len() < 2 {
        return None;
    }
    let width = LEFT + CELL.0 * hours.len() as f64 + 10.0;
    let mut svg = Svg::new("hours", width, 30.0 + CELL.1 * report.arms.len() as f64);
    for (column, hour) in hours.iter().enumerate() {
        let x = LEFT + CELL.0 * (column as f64 + 0.5);
        svg.text("tick", (x, 18.0), Anchor::Middle, &format!("{hour}"));
    }
    for (line, arm) in report.arms.iter().enumerate() {
        let top = 26.0 + CELL.1 * line as f64;
        svg.text("label", (0.0, top + CELL.1 / 2.0 + 4.0), Anchor::Start, arm.mode.as_str());
        for (column, hour) in hours.iter().enumerate() {
            let x = LEFT + CELL.0 * column as f64;
            let (base, right) = (top + CELL.1 - 4.0, x + CELL.0 - 4.0);
            svg.line("grid", (x, base), (right, base));
            let Some(cell) = of(report, arm.mode.as_str(), *hour).filter(|cell| cell.human > 0) else { continue };
            // Under ten calls only the counts: a filled bar would pretend to know.
            if let Some(share) = cell.goal_rate.interval.estimate.filter(|_| cell.human >= words::PERCENT_MIN) {
                let high = share * (CELL.1 - 22.0);
                svg.rect(&format!("bar a{}", line % STYLES), (x, base - high), (CELL.0 - 4.0, high));
            }
            svg.text("tick", (x + CELL.0 / 2.0 - 2.0, top + 10.0), Anchor::Middle, &counted(cell));
        }
    }
    Some(svg.finish(title(lang), pick(lang, "goals of human calls by hour", "цели из разговоров по часам")))
}

/// Hours as rows, modes as columns.
pub fn twin(report: &Report, lang: Lang) -> (Vec<String>, Vec<Vec<String>>) {
    let head = std::iter::once(pick(lang, "hour", "час").to_owned());
    let head = head.chain(report.arms.iter().map(|arm| arm.mode.to_string())).collect();
    let rows = hours(report).into_iter().map(|hour| {
        let cells = report.arms.iter().map(|arm| match of(report, arm.mode.as_str(), hour) {
            Some(cell) => words::rate(&cell.goal_rate, lang),
            None => "–".to_owned(),
        });
        std::iter::once(hour.to_string()).chain(cells).collect()
    });
    (head, rows.collect())
}
