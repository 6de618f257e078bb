//! Do intervals cover as often as they say, and do looks find winners where there are none? By simulation, with seeds
//! of their own, so that a run is the same everywhere. Three standard errors are allowed.

use halo::report::intervals;
use halo::report::regime::look_alphas;
use halo::report::stats::bootstrap::Dice;
use halo::report::stats::chi_square::goodness_of_fit;
use halo::report::stats::clustered::{Clusters, quantile_difference, quantile_ratio};
use halo::report::stats::proportion::{Share, newcombe, wilson};
use halo::report::stats::quantile::{Frequencies, Level};
use halo::report::stats::sequential::{Summary, confidence_sequence};
use halo::report::stats::{LEVEL, z_of};
use statrs::distribution::{Binomial, Discrete};

/// A uniform number above 0, up to 1.
fn uniform(dice: &mut Dice) -> f64 {
    ((dice.draw() >> 11) as f64 + 1.0) / (1_u64 << 53) as f64
}

/// Box and Muller.
fn normal(dice: &mut Dice) -> f64 {
    let (radius, angle) = ((-2.0 * uniform(dice).ln()).sqrt(), std::f64::consts::TAU * uniform(dice));
    radius * angle.cos()
}

fn binomial(dice: &mut Dice, n: u64, p: f64) -> Share {
    Share::new((0..n).filter(|_| uniform(dice) <= p).count() as u64, n)
}

/// Of a share `p` seen in `n` trials.
fn three_errors(p: f64, n: usize) -> f64 {
    3.0 * (p * (1.0 - p) / n as f64).sqrt()
}

#[test]
fn wilson_covers_summed_over_every_outcome() {
    for n in [20, 50, 150, 600] {
        for p in [0.05, 0.1, 0.4, 0.6] {
            let chances = Binomial::new(p, n).expect("a share and a number");
            let covered: f64 = (0..=n)
                .filter(|k| wilson(Share::new(*k, n), LEVEL).is_some_and(|l| l.lower <= p && p <= l.upper))
                .map(|k| chances.pmf(k))
                .sum();
            // No simulation: the discrete sum itself swings around the level.
            assert!((0.92..=0.99).contains(&covered), "{covered} of {n} at {p}");
        }
    }
}

#[test]
fn newcombe_covers_the_difference_of_two_rates() {
    const TIMES: usize = 2_000;
    let mut dice = Dice::seeded(3);
    for (n, p, q) in [(80, 0.4, 0.4), (150, 0.45, 0.4), (60, 0.1, 0.2)] {
        let covered = (0..TIMES)
            .filter(|_| {
                let (a, b) = (binomial(&mut dice, n, p), binomial(&mut dice, n, q));
                newcombe(a, b, LEVEL).is_some_and(|l| l.lower <= p - q && p - q <= l.upper)
            })
            .count();
        let share = covered as f64 / TIMES as f64;
        assert!(share >= LEVEL - three_errors(LEVEL, TIMES), "{share} of {n} at {p} and {q}");
    }
}

/// Calls of six turns that resemble each other.
fn arm(dice: &mut Dice, calls: usize) -> Clusters {
    Clusters::collect((0..calls).map(|_| {
        let own = 0.35 * normal(dice);
        (0..6).map(|_| (7.0 + own + 0.35 * normal(dice)).exp()).collect()
    }))
}

/// Without the calls as clusters the interval of a median over turns covers three times in four.
#[test]
fn tails_of_turns_are_covered_with_calls_as_clusters() {
    const TIMES: usize = 400;
    let mut dice = Dice::seeded(5);
    for q in [0.5, 0.95] {
        let (mut differences, mut ratios) = (0, 0);
        for _ in 0..TIMES {
            let (a, b) = (arm(&mut dice, 90), arm(&mut dice, 90));
            let found = quantile_difference(&a, &b, q, LEVEL).expect("turns");
            differences += usize::from(found.lower <= 0.0 && 0.0 <= found.upper);
            let found = quantile_ratio(&a, &b, q, LEVEL).expect("turns");
            ratios += usize::from(found.lower <= 1.0 && 1.0 <= found.upper);
        }
        for covered in [differences, ratios] {
            let share = covered as f64 / TIMES as f64;
            assert!(share >= LEVEL - three_errors(LEVEL, TIMES), "{share} at {q}");
        }
    }
}

/// Stages are counted without their calls. The guard: `alike`; with every turn by itself the limits hold three times in
/// four where calls are as unlike as here.
#[test]
fn a_stage_is_covered_though_nobody_knows_which_turns_are_of_one_call() {
    const TIMES: usize = 400;
    let mut dice = Dice::seeded(11);
    for (level, z) in [(Level::P50, 0.0), (Level::P95, 1.644_854)] {
        // Own and common parts of variance 0.25 each.
        let truth = (6.0 + z * 0.5_f64.sqrt()).exp();
        let (mut covered, mut by_turns) = (0, 0);
        for _ in 0..TIMES {
            let (mut values, mut n, mut sizes) = (Vec::new(), 0_u64, 0_u64);
            for _ in 0..250 {
                let (turns, own) = (2 + (uniform(&mut dice) * 8.0) as u64, 0.5 * normal(&mut dice));
                (n, sizes) = (n + turns, sizes + turns * turns);
                for _ in 0..turns {
                    let ms = (6.0 + own + 0.5 * normal(&mut dice)).exp().round() as i64;
                    // Not every turn tells its stages.
                    if uniform(&mut dice) < 0.8 {
                        values.push((Some(ms), 1));
                    }
                }
            }
            let table = Frequencies::collect(values);
            let found = intervals::of_stage(&table, sizes as f64 / n as f64, level);
            let (lower, upper) = found.limits().expect("enough calls");
            covered += usize::from(lower <= truth && truth <= upper);
            let alone = intervals::of_stage(&table, 1.0, level);
            by_turns += usize::from(alone.limits().is_some_and(|(lower, upper)| lower <= truth && truth <= upper));
        }
        let share = |n: usize| n as f64 / TIMES as f64;
        assert!(share(covered) >= LEVEL - three_errors(LEVEL, TIMES), "{} at {level:?}", share(covered));
        assert!(share(by_turns) < 0.9, "{} at {level:?}", share(by_turns));
    }
}

const EXPERIMENTS: usize = 2_000;
const NIGHTS: usize = 28;
const CALLS: usize = 40;

/// n, sum and sum of squares of an arm.
type Sums = [f64; 3];

fn night(dice: &mut Dice, sums: &mut Sums) {
    for _ in 0..CALLS {
        let x = normal(dice);
        *sums = [sums[0] + 1.0, sums[1] + x, sums[2] + x * x];
    }
}

fn summary(sums: &Sums) -> Summary {
    Summary::of_sums(sums[0], sums[1], sums[2]).expect("more than one value")
}

fn z(a: &Sums, b: &Sums) -> f64 {
    let (a, b) = (summary(a), summary(b));
    (a.mean - b.mean) / (a.variance / a.n + b.variance / b.n).sqrt()
}

/// Two equal arms over a month of nights. The guards: the bounds of the looks, the width of the sequence; plain tests
/// every night find a winner in more than one of seven.
#[test]
fn equal_arms_have_no_winner_whatever_the_regime() {
    let looks = [7, 14, 21, 28];
    let alphas = look_alphas(&looks, 0.025).expect("bounds");
    let mut dice = Dice::seeded(8);
    let (mut naive, mut group, mut always, mut fixed) = (0, 0, 0, 0);
    for _ in 0..EXPERIMENTS {
        let (mut a, mut b) = ([0.0; 3], [0.0; 3]);
        let (mut by_naive, mut by_group, mut by_always) = (false, false, false);
        for done in 1..=NIGHTS {
            night(&mut dice, &mut a);
            night(&mut dice, &mut b);
            let z = z(&a, &b).abs();
            by_naive |= z > 1.96;
            if let Some(look) = looks.iter().position(|look| *look as usize == done) {
                by_group |= z > -z_of(alphas[look]);
            }
            if a[0] >= 100.0 {
                let planned = (2 * NIGHTS * CALLS) as f64;
                let found = confidence_sequence(summary(&a), summary(&b), 0.05, planned).expect("values vary");
                by_always |= found.lower > 0.0 || found.upper < 0.0;
            }
            if done == NIGHTS {
                fixed += usize::from(z > 1.96);
            }
        }
        naive += usize::from(by_naive);
        group += usize::from(by_group);
        always += usize::from(by_always);
    }
    let share = |n: usize| n as f64 / EXPERIMENTS as f64;
    let most = 0.05 + three_errors(0.05, EXPERIMENTS);
    for (regime, n) in [("fixed", fixed), ("group", group), ("always_valid", always)] {
        assert!(share(n) <= most, "{regime}: {} of equal arms had a winner", share(n));
    }
    assert!(share(naive) > 0.14, "looking every night without bounds is a trap: {}", share(naive));
    assert!(share(group) > 0.02, "bounds that never open would find nothing: {}", share(group));
}

#[test]
fn the_sample_ratio_check_alarms_as_seldom_as_it_says() {
    const TIMES: usize = 5_000;
    let mut dice = Dice::seeded(13);
    for weights in [vec![1.0, 1.0, 1.0], vec![3.0, 1.0]] {
        let total: f64 = weights.iter().sum();
        let (mut at_five, mut at_one) = (0, 0);
        for _ in 0..TIMES {
            let mut counts = vec![0_u64; weights.len()];
            for _ in 0..400 {
                let mut left = uniform(&mut dice) * total;
                let place = weights.iter().position(|weight| {
                    left -= weight;
                    left <= 0.0
                });
                counts[place.unwrap_or(0)] += 1;
            }
            let p = goodness_of_fit(&counts, &weights).expect("counts").p;
            at_five += usize::from(p < 0.05);
            at_one += usize::from(p < 0.01);
        }
        for (level, alarms) in [(0.05, at_five), (0.01, at_one)] {
            let share = alarms as f64 / TIMES as f64;
            // A χ² of counts is discrete: half a point more than chance alone.
            assert!((share - level).abs() <= three_errors(level, TIMES) + 0.005, "{share} at {level} of {weights:?}");
        }
    }
}

/// This very program, with the vectors of another folder. The guard: `HALO_VECTORS` in `folder`.
#[test]
fn another_folder_of_vectors_is_read_and_an_unknown_topic_fails() {
    let here = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/ab");
    let folder = tempfile::tempdir().expect("a folder");
    let run = || {
        let mut command = std::process::Command::new(std::env::current_exe().expect("this program"));
        command.args(["--exact", "every_case_of_every_topic"]).env("HALO_VECTORS", folder.path());
        command.output().expect("it starts").status.success()
    };
    std::fs::copy(here.join("wilson.json"), folder.path().join("wilson.json")).expect("a copy");
    assert!(run());
    let unknown = "{\"topic\": \"astrology\", \"cases\": [{\"name\": \"a\", \"input\": {}, \"expected\": {}}]}";
    std::fs::write(folder.path().join("astrology.json"), unknown).expect("a file");
    assert!(!run(), "an unknown topic was passed over");
    let wrong = std::fs::read_to_string(here.join("wilson.json")).expect("text");
    std::fs::remove_file(folder.path().join("astrology.json")).expect("it is there");
    let wrong = wrong.replacen("0.2775", "0.3775", 1);
    std::fs::write(folder.path().join("wilson.json"), wrong).expect("a file");
    assert!(!run(), "a wrong number was passed over");
}
