//! What `[experiment]` may say, and what it may not.

use super::{from_json, parse, to_json};
use crate::domain::Mode;
use crate::domain::experiment::{Experiment, Judge, Kind, Regime, Success};
use std::collections::BTreeSet;

fn modes() -> BTreeSet<Mode> {
    ["dialog", "realtime", "realtime_pure"].iter().map(|m| m.parse().unwrap()).collect()
}

fn read(section: &str) -> Result<Experiment, String> {
    let text = format!("name = \"a\"\npurpose = \"test\"\nmodes = {{ dialog = 1, realtime = 1 }}\n{section}");
    let settings = parse(&text, &modes()).map_err(|faults| faults.list().join("; "))?;
    let back = from_json(&to_json(&settings), &modes()).expect("what is stored is read");
    assert_eq!(back, settings);
    Ok(settings.experiment)
}

#[test]
fn an_experiment_is_read_with_its_defaults() {
    assert_eq!(read(""), Ok(Experiment::default()));
    let group = read("[experiment]\nregime = \"group\"\nbaseline = \"realtime\"\nmargin_pp = 3").unwrap();
    assert_eq!((group.regime, group.looks, group.nights), (Regime::Group, vec![7, 14, 21, 28], Some(28)));
    assert_eq!((group.baseline.as_ref().map(Mode::as_str), group.margin_pp), (Some("realtime"), Some(3.0)));
    let looks = read("[experiment]\nregime = \"group\"\nlooks = [2, 5]").unwrap();
    assert_eq!((looks.looks, looks.nights), (vec![2, 5], Some(5)));
    let panel = read("[experiment]\nkind = \"crossover\"").unwrap();
    assert_eq!((panel.kind, panel.regime), (Kind::Crossover, Regime::Fixed));
    let always = read("[experiment]\nregime = \"always_valid\"\ncalls = 1500").unwrap();
    assert_eq!((always.regime, always.calls), (Regime::AlwaysValid, Some(1500)));
    assert_eq!((always.success, always.judge), (Success::Dialogue, Judge::Rules));
    let judged = read("[experiment]\nsuccess = \"judge\"\njudge = \"model\"").unwrap();
    assert_eq!((judged.success, judged.judge), (Success::Judge, Judge::Model));
}

#[test]
fn what_contradicts_itself_is_refused() {
    for (section, named) in [
        ("baseline = \"realtime_pure\"", "baseline"),
        ("regime = \"often\"", "regime"),
        ("looks = [7, 14]", "looks"),
        ("regime = \"group\"\nlooks = [14, 7]", "looks"),
        ("regime = \"group\"\nlooks = [0]", "looks"),
        ("regime = \"group\"\nlooks = []", "looks"),
        ("regime = \"group\"\nlooks = [7, 14]\nnights = 28", "looks"),
        ("margin_pp = 0", "margin_pp"),
        ("nights = 0", "nights"),
        ("calls = 5", "calls"),
        ("kind = \"panel\"", "kind"),
        ("success = \"mine\"", "success"),
        ("judge = \"dice\"", "judge"),
        ("colour = 1", "colour"),
    ] {
        let refused = read(&format!("[experiment]\n{section}"));
        assert!(refused.as_ref().is_err_and(|why| why.contains(named)), "{section}: {refused:?}");
    }
}
