//! Does the report find what is true? Whole campaigns against the simulator, one for each of a declared list of seeds: two
//! modes that play the same scenario, told apart by what the simulator is told to do to them, and by nothing else.
//!
//! Every run of the tests takes a few seeds. The whole list, some 200 campaigns:
//!
//!     cargo test --release --test truth -- --ignored --nocapture
//!
//! `HALO_TRUTH_SEEDS` takes that many of the list. Its figures are in docs/REPORTS.md.

mod harness;

use futures::StreamExt;
use halo::report::Report;
use halo::report::model::State;
use halo::simulator::{LatencyModel, LatencyModels};
use harness::{Place, World, csv, number, settings, until};
use std::path::Path;

/// The declared list: these, in their order.
const SEEDS: std::ops::RangeInclusive<u64> = 1..=100;
/// Of each mode in a campaign.
const CONTACTS: u32 = 60;
const SPEED: f64 = 240.0;

/// Campaigns at once: mostly they wait.
const TOGETHER: usize = 4;

/// What is put in: waits of about 1 500 and 1 200 ms, and callees of whom 95 and 11 in 100 leave early.
const SLOW_MS: f64 = 1_500.0;
const FAST_MS: f64 = 1_200.0;
const TIRED: f64 = 0.95;

/// What comes of it, over all calls of the whole list together: the medians' difference in milliseconds, and that of success.
const TRUTH: [f64; 2] = [-300.0, 0.27];
/// The same list says the same again, but for a few calls that the machine's load sends another way.
const TRUTH_GIVES: [f64; 2] = [15.0, 0.02];

/// A folder with the scenarios, and a mode `twin` that plays the one of `dialog` under a rule of its own.
fn twins() {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("voximplant");
    let folder = std::env::temp_dir().join(format!("halo-truth-{}", std::process::id()));
    let to = folder.join("voximplant");
    std::fs::create_dir_all(to.join("lib")).expect("a folder");
    for part in ["", "lib"] {
        for entry in std::fs::read_dir(from.join(part)).expect("scenarios") {
            let path = entry.expect("a file").path();
            if path.is_file() {
                std::fs::copy(&path, to.join(part).join(path.file_name().expect("a name"))).expect("a copy");
            }
        }
    }
    let mut modes = std::fs::read_to_string(to.join("modes.toml")).expect("the modes");
    modes += "\n[[mode]]\nname = \"twin\"\nsummary = \"as dialog\"\nscenario = \"voice_twin\"\nrule = \"voice_twin_rule\"\n\
              file = \"scenario_voice_dialog.js\"\n";
    std::fs::write(to.join("modes.toml"), modes).expect("the modes are written");
    // The service reads its scenarios beside it. Every test of this file wants the same ones.
    std::env::set_current_dir(&folder).expect("the folder is there");
}

async fn campaign(seed: u64, twin: LatencyModel, dialog: LatencyModel) -> (Report, [Vec<f64>; 2]) {
    let mut latency = LatencyModels::default();
    latency.set("voice_dialog_rule", dialog);
    latency.set("voice_twin_rule", twin);
    let place = Place::new(World { speed: SPEED, seed, latency, ..World::default() }).await;
    let app = place.serve().await;
    let numbers = (0..2 * CONTACTS).map(|n| number(n / 60, n % 60));
    let toml = settings("truth", "modes = { dialog = 1, twin = 1 }")
        .replace("cps = 20", "cps = 40")
        .replace("lines = 60", "lines = 120");
    let campaign = harness::take_in(&app, &toml, &csv(numbers)).await.campaign;
    let run = harness::start(&app, campaign).await;
    // Without waiting for the provider's history: what a call cost is in no figure here.
    until("the run is over", || async { harness::run_of(&app, run).await.state.is_over().then_some(()) }).await;
    let report = harness::report(&app, campaign).await;
    let mut medians = [Vec::new(), Vec::new()];
    for (place, mode) in ["dialog", "twin"].into_iter().enumerate() {
        let arm = report.arms.iter().find(|arm| arm.mode.as_str() == mode).expect("an arm");
        medians[place] = arm.call_turn_ecdf.iter().map(|point| point.ms).collect();
    }
    app.stop().await;
    (report, medians)
}

fn dialog() -> LatencyModel {
    LatencyModel { uninterested: TIRED, ..LatencyModel::for_turn(SLOW_MS) }
}

#[derive(Default)]
struct Tally {
    /// Of latency and success: each campaign's estimate and interval.
    found: [Vec<(f64, f64, f64)>; 2],
    confirmed: usize,
    /// Of `dialog` and `twin`, over all campaigns: each call's median, and goals of contacts reached.
    medians: [Vec<f64>; 2],
    goals: [(u64, u64); 2],
}

impl Tally {
    fn add(&mut self, seed: u64, report: &Report, medians: [Vec<f64>; 2]) {
        let found = &report.comparisons[0];
        assert_eq!((found.mode.as_str(), found.baseline.as_str()), ("twin", "dialog"));
        self.confirmed += usize::from(report.verdicts[0].state == State::Confirmed);
        for (all, interval) in self.found.iter_mut().zip([&found.call_turn_ms, &found.success]) {
            let (lower, upper) = interval.limits().unwrap_or_else(|| panic!("seed {seed}: {interval:?}"));
            all.push((interval.estimate.unwrap_or(f64::NAN), lower, upper));
        }
        for (sum, mode) in self.goals.iter_mut().zip(["dialog", "twin"]) {
            let arm = report.arms.iter().find(|arm| arm.mode.as_str() == mode).expect("an arm");
            *sum = (sum.0 + arm.contacts.goals, sum.1 + arm.contacts.reached);
        }
        for (all, own) in self.medians.iter_mut().zip(medians) {
            all.extend(own);
        }
    }

    fn n(&self) -> usize {
        self.found[0].len()
    }

    /// What all calls say together.
    fn truth(&self) -> [f64; 2] {
        let median = |values: &[f64]| halo::report::stats::quantile::median(values).unwrap_or(f64::NAN);
        let share = |(k, n): (u64, u64)| k as f64 / n.max(1) as f64;
        let [slow, fast] = &self.medians;
        [median(fast) - median(slow), share(self.goals[1]) - share(self.goals[0])]
    }

    /// Campaigns whose estimate has the truth's sign, and whose interval contains it.
    fn right(&self, truth: [f64; 2]) -> [[usize; 2]; 2] {
        [0, 1].map(|place| {
            let of = |so: fn(f64, (f64, f64, f64)) -> bool| {
                self.found[place].iter().filter(|found| so(truth[place], **found)).count()
            };
            [
                of(|truth, (estimate, _, _)| estimate.signum() == truth.signum()),
                of(|truth, (_, lower, upper)| lower <= truth && truth <= upper),
            ]
        })
    }

    fn text(&self, truth: [f64; 2]) -> String {
        let [latency, success] = self.right(truth);
        format!(
            "{} campaigns, confirmed {}; latency {:.1} ms: sign right in {}, truth inside in {}; success {:.4}: {}, {}",
            self.n(),
            self.confirmed,
            truth[0],
            latency[0],
            latency[1],
            truth[1],
            success[0],
            success[1]
        )
    }
}

async fn differing(seeds: impl Iterator<Item = u64>) -> Tally {
    let one = |seed| async move { (seed, campaign(seed, LatencyModel::for_turn(FAST_MS), dialog()).await) };
    let mut campaigns = futures::stream::iter(seeds.map(one)).buffered(TOGETHER);
    let mut tally = Tally::default();
    while let Some((seed, (report, medians))) = campaigns.next().await {
        tally.add(seed, &report, medians);
        eprintln!("seed {seed}: {}", tally.text(tally.truth()));
    }
    tally
}

/// Which seeds called an arm faster, slower or worse, though both play the same to the same people.
async fn equal(seeds: impl Iterator<Item = u64>) -> (usize, Vec<u64>) {
    let one = |seed| async move { (seed, campaign(seed, dialog(), dialog()).await.0) };
    let mut campaigns = futures::stream::iter(seeds.map(one)).buffered(TOGETHER);
    let (mut n, mut called) = (0, Vec::new());
    while let Some((seed, report)) = campaigns.next().await {
        n += 1;
        let found = &report.comparisons[0];
        let differs = found.call_turn_ms.above_zero() || found.call_turn_ms.below_zero();
        let says = [State::Confirmed, State::SuccessWorse, State::NotFaster].contains(&report.verdicts[0].state);
        if differs || says {
            called.push(seed);
        }
        eprintln!("seed {seed}: {n} campaigns without a difference, called {called:?}");
    }
    (n, called)
}

/// The guards: sign and interval of the differences in `report/compare.rs`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_true_difference_is_found() {
    twins();
    let tally = differing(SEEDS.take(2)).await;
    let [latency, success] = tally.right(TRUTH);
    assert_eq!((tally.n(), latency[0], success[0]), (2, 2, 2), "{}", tally.text(TRUTH));
    assert!(latency[1] + success[1] >= 3, "{}", tally.text(TRUTH));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "200 campaigns: run it by the command above"]
async fn what_is_true_is_found_by_the_whole_list_and_nothing_where_nothing_is() {
    twins();
    let wanted = std::env::var("HALO_TRUTH_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(usize::MAX);
    let tally = differing(SEEDS.take(wanted)).await;
    let (n, called) = equal(SEEDS.take(wanted)).await;
    let truth = tally.truth();
    eprintln!("{}\n{n} campaigns without a difference: called {called:?}", tally.text(truth));
    let [latency, success] = tally.right(truth);
    let of_all = |k: &usize| 100 * k >= 90 * tally.n();
    assert!(latency.iter().chain(&success).all(of_all), "{}", tally.text(truth));
    assert!(10 * called.len() <= n, "{called:?}");
    if wanted >= SEEDS.count() {
        let near = |place: usize| (truth[place] - TRUTH[place]).abs() <= TRUTH_GIVES[place];
        assert!(near(0) && near(1), "the constants above say {TRUTH:?}: {truth:?}");
    }
}
