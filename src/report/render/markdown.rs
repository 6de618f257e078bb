//! The report for a chat or a pull request: verdicts first, then the same rows as the table.

use super::differences;
use super::effort;
use super::rows::{self, Cell, pick};
use crate::report::model::{Lang, Light, Report};

/// A bar would end the cell; a line break would end the row.
fn escaped(text: &str) -> String {
    text.replace('|', "\\|").replace(['\n', '\r'], " ").replace('<', "&lt;")
}

fn line(cells: impl IntoIterator<Item = String>) -> String {
    format!("| {} |\n", cells.into_iter().collect::<Vec<String>>().join(" | "))
}

fn both(cell: &Cell) -> String {
    if cell.note.is_empty() {
        escaped(&cell.main)
    } else {
        format!("{} ({})", escaped(&cell.main), escaped(&cell.note))
    }
}

pub fn markdown(report: &Report, lang: Lang) -> String {
    let mut out = format!("## {}\n\n", escaped(&report.campaign));
    let notice = rows::notice(report, lang);
    if !notice.is_empty() {
        out.push_str(&format!("> **{}**\n\n", escaped(notice)));
    }
    if report.verdicts.is_empty() {
        out.push_str(&format!("{}\n", rows::no_comparison(report, lang)));
    }
    for verdict in &report.verdicts {
        let word = verdict.state.word(lang);
        out.push_str(&format!("- {} **{word}** — {}\n", verdict.state.icon(), escaped(verdict.sentence.get(lang))));
        for guardrail in &verdict.guardrails {
            out.push_str(&format!("  - {}\n", escaped(guardrail.get(lang))));
        }
    }
    out.push('\n');
    for check in report.health.iter().filter(|check| check.light > Light::NotChecked) {
        let (icon, word) = rows::light_words(check.light, lang);
        out.push_str(&format!("{icon} {word}: {}\n\n", escaped(check.text.get(lang))));
    }

    out.push_str(&line(
        std::iter::once(String::new()).chain(report.arms.iter().map(|arm| rows::mode_title(arm, lang))),
    ));
    out.push_str(&line(std::iter::once("---".to_owned()).chain(report.arms.iter().map(|_| "---:".to_owned()))));
    for section in rows::sections(report, lang) {
        for row in section.rows {
            let label = if row.primary { format!("**{}**", row.label) } else { row.label };
            out.push_str(&line(std::iter::once(label).chain(row.cells.iter().map(both))));
        }
    }

    if !report.comparisons.is_empty() {
        let difference = pick(lang, "difference from", "разница с");
        out.push('\n');
        out.push_str(&line([
            pick(lang, "mode", "режим").to_owned(),
            pick(lang, "figure", "показатель").to_owned(),
            format!("{difference} {}", report.design.baseline),
            pick(lang, "95 % interval", "интервал 95 %").to_owned(),
            String::new(),
        ]));
        out.push_str("| --- | --- | ---: | ---: | --- |\n");
        for row in differences::differences(report, lang) {
            let figure = format!("{} ({})", row.metric, row.role);
            out.push_str(&line([row.mode, figure, row.cell.main, row.cell.note, row.words.to_owned()]));
        }
    }
    let money = effort::money(report, lang);
    if !money.is_empty() {
        out.push_str(&format!("\n{}: {}\n", pick(lang, "Money", "Деньги"), escaped(&money)));
    }
    let faults = rows::before_answer(report, lang);
    if !faults.is_empty() {
        let title = pick(lang, "Set apart, before the answer", "Отдельно, сбои до ответа");
        out.push_str(&format!("\n{title}: {}\n", escaped(&faults.join("; "))));
    }
    for row in &report.apart {
        let title = pick(lang, "Not in the experiment", "Вне эксперимента");
        let [contacts, human, goals] = [("contacts", "контактов"), ("human calls", "разговоров"), ("goals", "целей")]
            .map(|(en, ru)| pick(lang, en, ru));
        let told =
            format!("{} · {contacts} {} · {human} {} · {goals} {}", row.mode, row.contacts, row.human, row.goals);
        out.push_str(&format!("\n{title}: {told}\n"));
    }
    let tail = if notice.is_empty() { String::new() } else { format!(" · {notice}") };
    out.push_str(&format!("\n<sub>{}{tail}</sub>\n", escaped(&rows::data_line(report, lang))));
    out
}
