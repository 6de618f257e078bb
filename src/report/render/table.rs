//! The report for a terminal, made for 100 columns: figures, differences, health, and the verdicts
//! last, where the eye is when the command has ended.

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{Cell, CellAlignment, ContentArrangement, Table};

use super::differences;
use super::effort;
use super::rows::{self, pick};
use crate::report::model::{Lang, Light, Report};

/// The width that every table keeps to.
pub const COLUMNS: u16 = 100;

fn new_table() -> Table {
    let mut table = Table::new();
    // The text may go into a file: it holds no escapes, whatever standard output is.
    table
        .load_style(UTF8_FULL_CONDENSED)
        .force_no_tty()
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(COLUMNS);
    table
}

pub fn table(report: &Report, lang: Lang) -> String {
    let notice = rows::notice(report, lang);
    let mut out = wrapped(&format!("{} · {}", report.campaign, rows::data_line(report, lang)), "  ");
    if !notice.is_empty() {
        out.push_str(&format!("{notice}\n"));
    }
    out.push_str(&format!("{}\n", figures(report, lang)));
    if !report.comparisons.is_empty() {
        out.push_str(&format!(
            "\n{} {}{}\n{}\n",
            pick(lang, "Difference from", "Разница с"),
            report.design.baseline,
            if notice.is_empty() { String::new() } else { format!(" · {notice}") },
            difference_table(report, lang)
        ));
    }
    let money = effort::money(report, lang);
    if !money.is_empty() {
        out.push_str(&format!("\n{}", wrapped(&format!("{}: {money}", pick(lang, "Money", "Деньги")), "  ")));
    }
    let faults = rows::before_answer(report, lang);
    if !faults.is_empty() {
        let title = pick(lang, "Set apart, before the answer", "Отдельно, сбои до ответа");
        out.push_str(&format!("\n{}", wrapped(&format!("{title}: {}", faults.join("; ")), "  ")));
    }
    for row in &report.apart {
        let title = pick(lang, "Not in the experiment", "Вне эксперимента");
        let (contacts, human) = (pick(lang, "contacts", "контактов"), pick(lang, "human calls", "разговоров"));
        out.push_str(&format!("{title}: {} · {contacts} {} · {human} {}\n", row.mode, row.contacts, row.human));
    }
    out.push('\n');
    out.push_str(&health(report, lang));
    out.push('\n');
    out.push_str(&verdicts(report, lang));
    out
}

fn figures(report: &Report, lang: Lang) -> Table {
    let mut table = new_table();
    let titles =
        report.arms.iter().map(|arm| Cell::new(rows::mode_title(arm, lang)).set_alignment(CellAlignment::Right));
    table.set_header(std::iter::once(Cell::new("")).chain(titles).collect::<Vec<Cell>>());
    for section in rows::sections(report, lang) {
        for row in section.rows {
            // The hint stands where the cells are two lines high anyway.
            let roomy = !row.hint.is_empty() && row.cells.iter().any(|cell| !cell.note.is_empty());
            let label = if roomy { format!("{}\n  {}", row.label, row.hint) } else { row.label };

            let cells = row.cells.into_iter().map(|cell| {
                let text = if cell.note.is_empty() { cell.main } else { format!("{}\n{}", cell.main, cell.note) };
                Cell::new(text).set_alignment(CellAlignment::Right)
            });
            table.add_row(std::iter::once(Cell::new(label)).chain(cells).collect::<Vec<Cell>>());
        }
    }
    table
}

fn difference_table(report: &Report, lang: Lang) -> Table {
    let mut table = new_table();
    table.set_header([
        Cell::new(pick(lang, "mode", "режим")),
        Cell::new(pick(lang, "figure", "показатель")),
        Cell::new(pick(lang, "difference", "разница")),
        Cell::new(pick(lang, "95 % interval", "интервал 95 %")),
        Cell::new(""),
    ]);
    for row in differences::differences(report, lang) {
        let figure = format!("{} ({})", row.metric, row.role);
        table.add_row([
            Cell::new(row.mode),
            Cell::new(figure),
            Cell::new(row.cell.main).set_alignment(CellAlignment::Right),
            Cell::new(row.cell.note).set_alignment(CellAlignment::Right),
            Cell::new(row.words),
        ]);
    }
    table
}

/// What is wrong is told in full; what is right, in one line.
fn health(report: &Report, lang: Lang) -> String {
    let mut out = String::new();
    let mut good = Vec::new();
    for check in &report.health {
        let (icon, word) = rows::light_words(check.light, lang);
        match check.light {
            Light::Good => good.push(rows::check_title(check, lang)),
            Light::NotChecked => {}
            _ => {
                out.push_str(&format!("{icon} {word}: {}: {}\n", rows::check_title(check, lang), check.text.get(lang)))
            }
        }
    }
    if !good.is_empty() {
        let title = pick(lang, "health", "здоровье");
        out.push_str(&wrapped(&format!("✔ {title}: {}", good.join(", ")), "  "));
    }
    out
}

fn verdicts(report: &Report, lang: Lang) -> String {
    if report.verdicts.is_empty() {
        let notice = rows::notice(report, lang);
        let tail = if notice.is_empty() { String::new() } else { format!(" [{notice}]") };
        return format!("{}{tail}\n", rows::no_comparison(report, lang));
    }
    let mut out = String::new();
    for verdict in &report.verdicts {
        out.push_str(&wrapped(&format!("{} {}", verdict.state.icon(), verdict.sentence.get(lang)), "  "));
        for guardrail in &verdict.guardrails {
            out.push_str(&wrapped(&format!("  {}", guardrail.get(lang)), "    "));
        }
    }
    out
}

/// Broken at spaces so that no line is longer than the tables; a hard space holds its number together.
fn wrapped(text: &str, indent: &str) -> String {
    let mut out = String::new();
    let mut used = 0;
    for (index, word) in text.split(' ').enumerate() {
        let width = word.chars().count();
        if index > 0 && used + 1 + width > usize::from(COLUMNS) {
            out.push('\n');
            out.push_str(indent);
            used = indent.len();
        } else if index > 0 {
            out.push(' ');
            used += 1;
        }
        out.push_str(word);
        used += width;
    }
    out.push('\n');
    out
}
