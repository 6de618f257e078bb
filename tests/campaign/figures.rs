//! Figures: they come from the simulated parts, and they can be counted again by hand.

use crate::harness::{self, Place, SPLIT, World, csv, number, settings};
use halo::http::export::sheet::Shape;
use halo::http::export::{Export, What};
use halo::report::Report;
use halo::simulator::LatencyModels;
use std::collections::{BTreeMap, BTreeSet};

fn turn_median(report: &Report, mode: &str) -> f64 {
    let arm = report.arms.iter().find(|arm| arm.mode.as_str() == mode).expect("an arm");
    arm.latency("turn_ms").and_then(|latency| latency.p50.estimate).expect("turns were measured")
}

async fn measured(latency: LatencyModels) -> Report {
    let place = Place::new(World { speed: 120.0, latency, ..World::default() }).await;
    let app = place.serve().await;
    let list = csv((0..40).map(|ending| number(0, ending)));
    let modes = "modes = { dialog = 1, realtime_pure = 1 }";
    let (campaign, _) = harness::whole_run(&app, &settings("swap", modes), &list).await;
    let report = harness::report(&app, campaign).await;
    app.stop().await;
    report
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn swapping_two_latency_models_swaps_the_figures_of_their_modes() {
    let mut swapped = LatencyModels::default();
    swapped.swap("voice_dialog_rule", "voice_realtime_pure_rule");
    let (plain, swapped) = (measured(LatencyModels::default()).await, measured(swapped).await);
    let figures = |report: &Report| (turn_median(report, "dialog"), turn_median(report, "realtime_pure"));
    let (before, after) = (figures(&plain), figures(&swapped));
    assert!(before.0 > 1.4 * before.1, "dialog is slower: {before:?}");
    assert!(after.1 > 1.4 * after.0, "after the swap realtime_pure is: {after:?}");
    for (a, b) in [(before.0, after.1), (before.1, after.0)] {
        assert!((a / b - 1.0).abs() < 0.12, "a model makes the same turns in either mode: {a} against {b}");
    }
    for (report, sign) in [(&plain, -1), (&swapped, 1)] {
        assert_eq!(report.comparisons[0].call_turn_all_sign, Some(sign));
        assert!(report.simulated && report.notice.is_some());
    }
}

/// Type 7 (linear between order statistics), as a person would compute it.
fn percentile(values: &mut [f64], p: f64) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let rank = p * (values.len().checked_sub(1)? as f64);
    let (low, high) = (values[rank.floor() as usize], values[rank.ceil() as usize]);
    Some(low + (high - low) * rank.fract())
}

#[derive(Default)]
struct Count {
    contacts: BTreeSet<String>,
    reached: BTreeSet<String>,
    goals: BTreeSet<String>,
    outcomes: BTreeMap<String, u64>,
    attempts: u64,
    turns: Vec<f64>,
    unanswered: u64,
    first_audio: Vec<f64>,
    never_heard: u64,
    talk: Vec<f64>,
}

impl Count {
    fn add(&mut self, cell: impl Fn(&str) -> String) {
        let (contact, outcome) = (cell("contact"), cell("outcome"));
        *self.outcomes.entry(outcome.clone()).or_default() += 1;
        self.contacts.insert(contact.clone());
        self.attempts += 1;
        if outcome != "answered" {
            return;
        }
        self.reached.insert(contact.clone());
        if cell("goal") == "true" {
            self.goals.insert(contact);
        }
        let turns = cell("turn_ms");
        for turn in turns.split(';').filter(|_| cell("turns") != "0") {
            match turn.parse::<f64>() {
                // A negative one is an interruption and no wait.
                Ok(ms) if ms < 0.0 => {}
                Ok(ms) => self.turns.push(ms),
                Err(_) => self.unanswered += 1,
            }
        }
        match cell("first_audio_ms").parse() {
            Ok(ms) => self.first_audio.push(ms),
            Err(_) => self.never_heard += 1,
        }
        self.talk.extend(cell("talk_ms").parse::<f64>());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_report_says_what_a_person_counts_from_the_export() {
    let place = Place::new(World { speed: 120.0, ..World::default() }).await;
    let app = place.serve().await;
    let endings = (0..30).chain([60, 65, 68, 70, 71, 75, 78, 83, 85, 88, 90, 92, 93, 94, 95, 96, 97, 98, 99]);
    let list = csv(endings.map(|ending| number(3, ending)));
    let (campaign, _) = harness::whole_run(&app, &settings("counted", SPLIT), &list).await;
    let report = harness::report(&app, campaign).await;
    let mut export = Export::of(&app.store, What::Attempts, "counted", Shape::default()).await.expect("an export");
    let mut bytes = Vec::new();
    while let Some(piece) = export.piece().await.expect("a piece of it") {
        bytes.extend(piece);
    }
    app.stop().await;

    let mut reader = csv::Reader::from_reader(&bytes[..]);
    let header = reader.headers().expect("a header").clone();
    let mut counts: BTreeMap<String, Count> = BTreeMap::new();
    for row in reader.records() {
        let row = row.expect("a row");
        let cell = |name: &str| {
            let place = header.iter().position(|column| column == name).expect("a column of this name");
            row[place].to_owned()
        };
        counts.entry(cell("mode")).or_default().add(cell);
    }

    assert_eq!(report.arms.len(), 3);
    for arm in &report.arms {
        let count = counts.get_mut(arm.mode.as_str()).expect("the arm was called");
        let outcome = |name: &str| count.outcomes.get(name).copied().unwrap_or(0);
        let (human, machine) = (outcome("answered"), outcome("machine"));
        assert_eq!(
            (arm.contacts.assigned, arm.contacts.dialled, arm.attempts, arm.answered, arm.human, arm.machine),
            (count.contacts.len() as u64, count.contacts.len() as u64, count.attempts, human + machine, human, machine),
            "{}",
            arm.mode
        );
        let (reached, goals) = (count.reached.len() as u64, count.goals.len() as u64);
        assert_eq!((arm.contacts.reached, arm.contacts.goals, arm.rates.success_rate.k), (reached, goals, goals));
        assert_eq!(arm.rates.success_rate.interval.estimate, Some(goals as f64 / reached as f64));
        assert_eq!(arm.rates.answer_seizure_rate.k, human + machine);
        let written: BTreeMap<String, u64> =
            arm.outcomes.iter().filter(|(_, n)| **n > 0).map(|(o, n)| (o.clone(), *n)).collect();
        assert_eq!(written, count.outcomes, "{}", arm.mode);
        assert_eq!((arm.turns.answered, arm.turns.unanswered), (count.turns.len() as u64, count.unanswered));

        let first_audio = arm.latency("first_audio_ms").expect("measured");
        assert_eq!((first_audio.n, first_audio.never), (human, count.never_heard), "{}", arm.mode);
        for (metric, values) in [("turn_ms", &mut count.turns), ("talk_ms", &mut count.talk)] {
            let latency = arm.latency(metric).expect("measured");
            let written = [(0.5, &latency.p50), (0.9, &latency.p90), (0.95, &latency.p95)];
            for (p, interval) in written.into_iter().filter(|(_, interval)| interval.estimate.is_some()) {
                let counted = percentile(values, p).expect("some were measured");
                let said = interval.estimate.expect("just filtered");
                assert!((said - counted).abs() < 1e-6, "{} {metric} p{p}: {said}, not {counted}", arm.mode);
            }
            assert!(latency.p50.estimate.is_some(), "{} {metric}", arm.mode);
        }
    }
}
