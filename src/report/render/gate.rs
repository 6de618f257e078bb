//! A gate's answer: for a terminal, for a pull request, for a CI server (JUnit).

use crate::report::gate::{Gate, Outcome, count};
use crate::report::model::Lang;

fn icon(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Passed => "✔",
        Outcome::Undecided => "…",
        Outcome::Failed => "✘",
    }
}

fn headline(gate: &Gate) -> String {
    let word = match gate.outcome {
        Outcome::Passed => "passed",
        Outcome::Undecided => "not enough data",
        Outcome::Failed => "failed",
    };
    let what =
        if gate.against.is_empty() { gate.judged.clone() } else { format!("{} against {}", gate.judged, gate.against) };
    format!("{} {}: gate {word}: {what}", icon(gate.outcome), gate.campaign)
}

pub fn text(gate: &Gate) -> String {
    let mut out = format!("{}\n", headline(gate));
    for check in &gate.checks {
        out.push_str(&format!("  {} {}\n", icon(check.outcome), check.sentence));
    }
    for note in &gate.notes {
        out.push_str(&format!("  – {note}\n"));
    }
    if let Some(notice) = &gate.notice {
        out.push_str(&format!("  – {}\n", notice.get(Lang::En)));
    }
    out
}

/// A bar would end the cell; a line break would end the row.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace(['\n', '\r'], " ").replace('<', "&lt;")
}

pub fn markdown(gate: &Gate) -> String {
    let mut out = format!("### {}\n\n", cell(&headline(gate)));
    if let Some(notice) = &gate.notice {
        out.push_str(&format!("> **{}**\n\n", notice.get(Lang::En)));
    }
    if !gate.checks.is_empty() {
        out.push_str("| | mode | figure | limit | found |\n| --- | --- | --- | --- | --- |\n");
        for check in &gate.checks {
            let row = [
                icon(check.outcome).to_owned(),
                cell(check.mode.as_str()),
                cell(&check.metric),
                cell(&check.limit),
                cell(&check.sentence),
            ];
            out.push_str(&format!("| {} |\n", row.join(" | ")));
        }
        out.push('\n');
    }
    for note in &gate.notes {
        out.push_str(&format!("- {}\n", cell(note)));
    }
    out.push_str(&format!("\n<sub>data {}</sub>\n", gate.data_version));
    out
}

/// Characters that XML reserves, and those that it has no place for.
fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\r' | '\t' => out.push(' '),
            c if c < ' ' => {}
            c => out.push(c),
        }
    }
    out
}

/// A suite with a case for each limit and mode. What could not be decided is `skipped`: red would say more than is
/// known, green too.
pub fn junit(gate: &Gate) -> String {
    let (failed, skipped) = (count(gate, Outcome::Failed), count(gate, Outcome::Undecided));
    let nothing = gate.checks.is_empty();
    let (tests, skipped) = if nothing { (1, 1) } else { (gate.checks.len(), skipped) };
    let name = xml(&format!("halo gate {}", gate.campaign));
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites tests=\"{tests}\" failures=\"{failed}\" \
         skipped=\"{skipped}\">\n  <testsuite name=\"{name}\" tests=\"{tests}\" failures=\"{failed}\" errors=\"0\" \
         skipped=\"{skipped}\" timestamp=\"{}\">\n",
        gate.generated_at
    );
    out.push_str("    <properties>\n");
    let mut property = |name: &str, value: &str| {
        out.push_str(&format!("      <property name=\"{name}\" value=\"{}\"/>\n", xml(value)));
    };
    property("judged", &gate.judged);
    property("against", &gate.against);
    property("data_version", &gate.data_version);
    if let Some(notice) = &gate.notice {
        property("notice", notice.get(Lang::En));
    }
    out.push_str("    </properties>\n");
    let class = |mode: &str| xml(&format!("{}.{mode}", gate.campaign));
    for check in &gate.checks {
        let (class, name) = (class(check.mode.as_str()), xml(&format!("{} {}", check.metric, check.limit)));
        let told = xml(&check.sentence);
        out.push_str(&format!("    <testcase classname=\"{class}\" name=\"{name}\""));
        match check.outcome {
            Outcome::Passed => {
                out.push_str(&format!(">\n      <system-out>{told}</system-out>\n    </testcase>\n"));
            }
            Outcome::Failed => out.push_str(&format!(">\n      <failure message=\"{told}\"/>\n    </testcase>\n")),
            Outcome::Undecided => out.push_str(&format!(">\n      <skipped message=\"{told}\"/>\n    </testcase>\n")),
        }
    }
    if nothing {
        let told = xml(&gate.notes.join("; "));
        out.push_str(&format!(
            "    <testcase classname=\"{name}\" name=\"anything to judge\">\n      <skipped message=\"{told}\"/>\n    \
             </testcase>\n"
        ));
    }
    out.push_str("  </testsuite>\n</testsuites>\n");
    out
}
