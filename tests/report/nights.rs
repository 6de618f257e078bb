//! Many nights: regimes, versions, trends and control bands.

use halo::domain::Timestamp;
use halo::domain::experiment::{Experiment, Regime};
use halo::report::figures::{BundleRow, Figures, RunState};
use halo::report::model::{Light, State};
use halo::report::render::{Format, render};
use halo::report::{Lang, Report, build};

use super::fixture::{Arm, Campaign};

/// As many nights as there are lists of arms, other people in each.
pub fn nights(arms: Vec<Vec<Arm>>) -> Figures {
    let mut all: Option<Figures> = None;
    for (night, arms) in (1..).zip(arms) {
        let mut own = Campaign::real(arms).figures();
        own.contacts.iter_mut().chain(&mut own.night_contacts).for_each(|row| row.night = night);
        own.attempts.iter_mut().for_each(|row| row.night = night);
        own.calls.iter_mut().for_each(|row| row.night = night);
        own.quarters.iter_mut().for_each(|row| row.night = night);
        own.latencies.iter_mut().for_each(|row| row.night = night);
        own.turns.iter_mut().for_each(|sums| sums.night = night);
        for run in &mut own.runs {
            (run.night, run.run_id) = (night, format!("run_{night}"));
        }
        match &mut all {
            None => all = Some(own),
            Some(all) => {
                all.contacts.extend(own.contacts);
                all.night_contacts.extend(own.night_contacts);
                all.attempts.extend(own.attempts);
                all.calls.extend(own.calls);
                all.quarters.extend(own.quarters);
                all.latencies.extend(own.latencies);
                all.turns.extend(own.turns);
                all.runs.extend(own.runs);
            }
        }
    }
    let mut all = all.expect("a night");
    all.design.nights_planned = all.runs.len() as u32;
    all
}

fn pair(reached: u64, goals: [u64; 2], turn_ms: [i64; 2]) -> Vec<Arm> {
    vec![Arm::of("dialog", reached, goals[0], turn_ms[0]), Arm::of("realtime", reached, goals[1], turn_ms[1])]
}

fn report(figures: Figures) -> Report {
    build(figures, Timestamp(1_772_600_000_000))
}

fn group(figures: &mut Figures, looks: &[u32]) {
    let said = Experiment { regime: Regime::Group, looks: looks.to_vec(), ..Experiment::default() };
    figures.design.declare(&said);
}

/// Without looks only the planned end may say anything; with them a clear win ends it early.
#[test]
fn a_planned_look_decides_early_and_nothing_decides_between_looks() {
    let night = || pair(300, [178, 183], [1_350, 900]);
    let mut early = nights((0..3).map(|_| night()).collect());
    early.design.nights_planned = 8;
    let fixed = report(early.clone());
    assert_eq!((fixed.verdicts[0].state, fixed.design.regime.as_str()), (State::Interim, "fixed"));
    // One completed run, the first look is after two.
    let mut before = nights(vec![night()]);
    group(&mut before, &[2, 4, 6, 8]);
    let found = report(before);
    assert_eq!(found.verdicts[0].state, State::Interim);
    assert!(found.verdicts[0].sentence.en.contains("next planned look is after run 2"));
    // The guard: `held` in `render/differences.rs`. A word beside the limits would be the look that waits.
    for waiting in [&fixed, &found] {
        for format in [Format::Table, Format::Markdown, Format::Html] {
            let text = render(waiting, format, Lang::En).expect("written");
            let said = ["<td class=\"text\">faster</td>", "faster |", "┆ faster"];
            assert!(said.iter().all(|said| !text.contains(said)), "{format:?}");
            assert!(text.contains("interim"), "{format:?}");
        }
    }

    let mut looked = nights((0..6).map(|_| night()).collect());
    group(&mut looked, &[2, 4, 6, 8]);
    let found = report(looked);
    assert_eq!(found.verdicts[0].state, State::Confirmed, "{}", found.verdicts[0].sentence.en);
    assert!(found.verdicts[0].sentence.en.contains("of 4, after"), "{}", found.verdicts[0].sentence.en);
    assert!(render(&found, Format::Table, Lang::En).expect("written").contains("┆ faster"), "now it may");
    assert!(!found.verdicts[0].sentence.en.contains("95 % CI"), "a look's interval is wider, and says so");
    assert_eq!((found.design.looks.as_slice(), found.design.nights_planned), (&[2, 4, 6, 8][..], 8));
}

/// The guard: `until` in `planned_looks`. With every night in it the third one would decide.
#[test]
fn a_look_sees_its_own_nights_alone() {
    let (same, faster) = (pair(300, [180, 180], [1_000, 1_000]), pair(2_000, [1_200, 1_230], [1_350, 800]));
    let mut figures = nights(vec![same.clone(), same, faster]);
    group(&mut figures, &[2, 4]);
    assert_eq!(report(figures).verdicts[0].state, State::Interim);
}

/// The guard: `is_last || decides` in `planned_looks`.
#[test]
fn at_the_last_look_everything_is_said() {
    let open = pair(60, [36, 34], [1_350, 900]);
    let mut figures = nights((0..4).map(|_| open.clone()).collect());
    group(&mut figures, &[2, 4]);
    let found = report(figures);
    assert_eq!(found.verdicts[0].state, State::NotYet, "{}", found.verdicts[0].sentence.en);
    assert!(found.verdicts[0].sentence.en.contains("look 2 of 2"), "{}", found.verdicts[0].sentence.en);
}

#[test]
fn an_always_valid_comparison_speaks_when_it_may() {
    let said = Experiment { regime: Regime::AlwaysValid, calls: Some(2_500), ..Experiment::default() };
    let always = |arms: Vec<Arm>| {
        let mut figures = nights(vec![arms]);
        figures.runs[0].state = RunState::Running;
        figures.design.declare(&said);
        report(figures)
    };
    let few = always(pair(60, [36, 36], [1_350, 700]));
    assert_eq!(few.verdicts[0].state, State::Interim);
    assert!(few.verdicts[0].sentence.en.contains("no verdict under 100"));
    let clear = always(pair(2_500, [1_500, 1_530], [1_350, 900]));
    assert_eq!(clear.verdicts[0].state, State::Confirmed, "{}", clear.verdicts[0].sentence.en);
    assert!(clear.verdicts[0].sentence.en.contains("confidence sequence"));
    let worse = always(pair(1_000, [600, 400], [1_350, 900]));
    assert_eq!(worse.verdicts[0].state, State::SuccessWorse, "{}", worse.verdicts[0].sentence.en);
    let slower = always(pair(1_000, [600, 600], [900, 1_350]));
    assert_eq!(slower.verdicts[0].state, State::NotFaster, "{}", slower.verdicts[0].sentence.en);
    // Latency is clear, success is not: another look is free.
    let open = always(pair(300, [180, 178], [1_350, 900]));
    assert_eq!(open.verdicts[0].state, State::NotYet, "{}", open.verdicts[0].sentence.en);
}

fn played(figures: &mut Figures, bundles: &[(i64, &str, &str)]) {
    figures.bundles = bundles
        .iter()
        .map(|(night, mode, bundle)| BundleRow {
            night: *night,
            mode: mode.parse().expect("a mode's name"),
            bundle: (*bundle).to_owned(),
        })
        .collect();
}

/// The guard: `pooled` in `report::build`.
#[test]
fn nights_that_played_something_else_are_pooled_with_nothing() {
    let mut figures = nights(vec![
        pair(300, [180, 60], [1_000, 1_000]),
        pair(300, [180, 180], [1_000, 1_000]),
        pair(300, [180, 180], [1_000, 1_000]),
    ]);
    let same = report(figures.clone());
    assert_eq!((same.versions.len(), same.arms[1].contacts.reached), (1, 900));
    played(
        &mut figures,
        &[
            (1, "dialog", "d"),
            (1, "realtime", "old"),
            (2, "dialog", "d"),
            (2, "realtime", "new"),
            (3, "realtime", "new"),
        ],
    );
    let found = report(figures.clone());
    assert_eq!(found.versions.len(), 2);
    assert_eq!((found.versions[1].from_night, found.versions[1].to_night), (2, 3));
    assert_eq!(found.versions[1].changed[0].as_str(), "realtime");
    assert_eq!((found.arms[1].contacts.reached, found.nights.len()), (600, 3), "all are shown, two are pooled");
    let check = found.health.iter().find(|check| check.check == "bundles").expect("a check");
    assert!(check.light == Light::Warning && check.text.en.contains("run 2 (realtime)"), "{}", check.text.en);
    // In the middle of a night.
    played(&mut figures, &[(1, "dialog", "d"), (1, "dialog", "e")]);
    let check = report(figures).health.into_iter().find(|check| check.check == "bundles").expect("a check");
    assert!(check.text.en.contains("run 1 (dialog)"), "{}", check.text.en);
}

/// The guard: the band of `charts`; its target is the first seven nights, whatever came later.
#[test]
fn a_night_that_leaves_its_band_raises_an_alarm() {
    let usual = || pair(150, [90, 90], [1_000, 1_000]);
    let calm = report(nights((0..10).map(|_| usual()).collect()));
    assert_eq!(calm.control.len(), 4);
    assert!(calm.control.iter().all(|chart| !chart.alarm && chart.points.len() == 3), "{:?}", calm.control);
    let broken = (0..8).map(|_| usual()).chain((0..3).map(|_| pair(150, [90, 40], [1_000, 1_600])));
    let found = report(nights(broken.collect()));
    let alarms: Vec<String> =
        found.control.iter().filter(|chart| chart.alarm).map(|c| format!("{} {}", c.mode, c.metric)).collect();
    assert_eq!(alarms, ["realtime success_rate", "realtime call_turn_ms"]);
    let check = found.health.iter().find(|check| check.check == "control").expect("a check");
    assert!(check.text.en.contains("realtime call_turn_ms ↑"), "{}", check.text.en);
    assert!(report(nights((0..7).map(|_| usual()).collect())).control.is_empty(), "all of them are the reference");
}

#[test]
fn a_drift_over_nights_has_a_slope_and_every_form_tells_of_nights() {
    let drifting = (0..6).map(|night| pair(300, [180, 180], [1_000, 1_000 + 60 * night]));
    let found = report(nights(drifting.collect()));
    assert_eq!((found.night_differences.len(), found.trends.len()), (6, 1));
    let slope = &found.trends[0].call_turn_ms_per_night;
    assert!(slope.above_zero() && slope.estimate.is_some_and(|ms| (30.0..90.0).contains(&ms)), "{slope:?}");
    assert!(!found.trends[0].success_per_night.above_zero());
    for (lang, words) in [(Lang::En, "night by night"), (Lang::Ru, "по ночам")] {
        let page = render(&found, Format::Html, lang).expect("a page");
        assert!(page.contains("nights-latency") && page.contains(words));
    }
    let csv = render(&found, Format::Csv, Lang::En).expect("a table");
    assert!(csv.contains("difference_per_night"));
}
