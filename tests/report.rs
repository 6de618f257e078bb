//! The forms of a report, for one fixed campaign.

#[path = "report/fixture.rs"]
mod fixture;
#[path = "report/gate.rs"]
mod gate;
#[path = "report/nights.rs"]
mod nights;
#[path = "report/panels.rs"]
mod panels;
#[path = "report/verdicts.rs"]
mod verdicts;

use std::path::Path;

use fixture::{Arm, Campaign};
use halo::domain::Timestamp;
use halo::report::render::{Format, render};
use halo::report::{Lang, Report, build};

fn report(campaign: &Campaign) -> Report {
    build(campaign.figures(), Timestamp(1_772_600_000_000))
}

fn demo() -> Report {
    report(&Campaign::demo())
}

fn written(report: &Report, format: Format, lang: Lang) -> String {
    render(report, format, lang).expect("a report of numbers and names can be written")
}

#[test]
fn table_for_a_terminal() {
    let text = written(&demo(), Format::Table, Lang::En);
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    insta::assert_snapshot!("table_en", text);
    insta::assert_snapshot!("table_ru", written(&demo(), Format::Table, Lang::Ru));
}

/// The guard: `COST_KNOWN_MIN`. A scenario of somebody's own tells no tokens: half of what its calls cost is missing.
#[test]
fn a_mode_that_tells_no_costs_is_not_the_cheap_one() {
    let mut figures = Campaign::demo().figures();
    let row = figures.calls.iter_mut().find(|row| row.mode.as_str() == "realtime").expect("its calls");
    row.costed -= 20;
    let told = build(figures, Timestamp(1_772_600_000_000));
    let of = |metric: &str| {
        let found = |arm: &halo::report::model::Arm| {
            let effort = arm.effort.iter().find(|effort| effort.metric == metric).expect("a ratio");
            (arm.mode.to_string(), effort.value.estimate.is_some())
        };
        told.arms.iter().map(found).collect::<Vec<_>>()
    };
    let expected =
        [("dialog", true), ("realtime", false), ("realtime_pure", true)].map(|(m, known)| (m.to_owned(), known));
    for metric in ["cost_per_goal_micros", "cost_per_minute_micros"] {
        assert_eq!(of(metric), expected, "{metric}");
    }
    assert!(of("minutes_per_goal").iter().all(|(_, known)| *known));
    let table = written(&told, Format::Table, Lang::En);
    assert!(table.contains("cost known, of") && table.contains("(86 of 106)"), "{table}");
    assert!(!written(&demo(), Format::Table, Lang::En).contains("cost known"), "where all is known it is not said");
}

#[test]
fn markdown_for_a_chat() {
    insta::assert_snapshot!("markdown_en", written(&demo(), Format::Markdown, Lang::En));
}

#[test]
fn csv_for_a_spreadsheet() {
    let text = written(&demo(), Format::Csv, Lang::En);
    let mut rows = csv::Reader::from_reader(text.as_bytes());
    assert!(rows.records().all(|row| row.is_ok_and(|row| row.len() == 11)));
    insta::assert_snapshot!("csv", text);
}

#[test]
fn json_for_a_program() {
    let report = demo();
    let text = written(&report, Format::Json, Lang::En);
    let back: Report = serde_json::from_str(&text).expect("what was written can be read");
    assert_eq!((back.schema, back.data_version, back.verdicts), (report.schema, report.data_version, report.verdicts));
    let value = serde_json::from_str(&text).expect("what was written can be read");
    let mut paths = std::collections::BTreeMap::new();
    shape("", &value, &mut paths);
    let lines: Vec<String> = paths.into_iter().map(|(path, kinds)| format!("{path}: {kinds}")).collect();
    insta::assert_snapshot!("json_shape", lines.join("\n"));
}

/// Every path of the object with what stands there: the schema that readers rely on. A name that is
/// lost or changes its kind is a new schema.
fn shape(path: &str, value: &serde_json::Value, paths: &mut std::collections::BTreeMap<String, String>) {
    use serde_json::Value;
    let kind = match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(name, field)| shape(&format!("{path}.{name}"), field, paths));
            return;
        }
        Value::Array(items) => {
            items.iter().for_each(|item| shape(&format!("{path}[]"), item, paths));
            return;
        }
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "text",
    };
    let kinds = paths.entry(path.to_owned()).or_default();
    if !kinds.split(" or ").any(|known| known == kind) {
        let both = if kinds.is_empty() { kind.to_owned() } else { format!("{kinds} or {kind}") };
        *kinds =
            both.split(" or ").collect::<std::collections::BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(" or ");
    }
}

#[test]
fn every_form_of_a_simulated_run_says_so() {
    let report = demo();
    for (lang, sentence) in
        [(Lang::En, "says nothing about the real modes"), (Lang::Ru, "о настоящих режимах ничего не говорит")]
    {
        for format in [Format::Table, Format::Html, Format::Markdown] {
            assert!(written(&report, format, lang).contains(sentence), "{format:?}");
        }
    }
    for format in [Format::Json, Format::Csv] {
        assert!(written(&report, format, Lang::En).contains("says nothing about the real modes"), "{format:?}");
    }
    assert!(report.verdicts.iter().all(|verdict| verdict.sentence.en.contains("says nothing about the real modes")));
}

#[test]
fn a_page_stands_alone() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    for (name, lang) in [("report_en.html", Lang::En), ("report_ru.html", Lang::Ru)] {
        let page = written(&demo(), Format::Html, lang);
        std::fs::write(folder.join(name), &page).expect("the folder for test artefacts can be written");
        for outside in ["http://", "https://", "<script", "@import", "url(", "src=", "<link"] {
            assert!(!page.contains(outside), "{name} holds {outside}");
        }
        assert_eq!(page.matches("<svg").count(), 3);
        assert_eq!(page.matches("<svg").count(), page.matches("</desc>").count());
        assert!(page.contains(&format!("<html lang=\"{}\">", lang.as_str())));
    }
}

#[test]
fn a_campaigns_name_is_text_and_nothing_else() {
    let campaign = Campaign { name: "<b>=1+1|x".to_owned(), ..Campaign::demo() };
    let page = written(&report(&campaign), Format::Html, Lang::En);
    assert!(!page.contains("<b>=1+1") && page.contains("&#60;b&#62;=1+1"));
    assert!(!written(&report(&campaign), Format::Markdown, Lang::En).contains("<b>"));
}

#[test]
fn nothing_at_all_is_still_a_report() {
    let empty = Campaign { arms: vec![Arm::empty("dialog"), Arm::empty("realtime")], ..Campaign::demo() };
    for format in [Format::Table, Format::Json, Format::Csv, Format::Html, Format::Markdown] {
        let text = written(&report(&empty), format, Lang::Ru);
        let text = text.replace("inferior", "");
        assert!(!text.contains("NaN") && !text.contains("inf"), "{format:?} holds no number: {text}");
    }
    let alone = Campaign { arms: vec![Arm::empty("greeting")], ..Campaign::demo() };
    assert!(written(&report(&alone), Format::Table, Lang::En).contains("nothing to compare"));
}
