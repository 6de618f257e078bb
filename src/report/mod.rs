//! Compares modes: figures in, a report out, and the report in five forms.
//!
//! `build` makes one [`Report`] of the store's rows; every form is written from that object and from
//! nothing else, so that they cannot disagree. Nothing here asks a database, reads a clock, or knows
//! how a call is made; and nothing here softens a verdict.

pub mod against;
pub mod answers;
mod apart;
pub mod arms;
mod beside;
pub mod compare;
mod compared;
pub mod effort;
pub mod figures;
pub mod gate;
pub mod gather;
pub mod health;
pub mod hours;
pub mod intervals;
pub mod judged;
mod latency;
pub mod model;
pub mod nights;
pub mod paired;
pub mod plan;
pub mod proof;
pub mod regime;
pub mod render;
pub mod runs;
pub mod slices;
pub mod stats;
pub mod stored;
pub mod turns;
pub mod verdict;
pub mod verify;
pub mod words;

pub use figures::{Design, Figures, Night};
pub use intervals::NEVER;
pub use model::{Lang, Report};
pub use proof::{Law, Proof};

use crate::domain::Timestamp;
use crate::domain::experiment::Kind;

use model::{Arm, ArmWeight, DesignBlock, SCHEMA};

/// The whole report of these figures. The same figures give the same report, but for `generated_at`.
pub fn build(mut figures: Figures, generated_at: Timestamp) -> Report {
    figures.put_in_order();
    let all = figures;
    let versions = nights::versions(&all);
    // What was played before the last change is another experiment: it is shown night by night and pooled with nothing.
    let from = versions.last().map_or(0, |version| version.from_night);
    let pooled = (versions.len() > 1).then(|| all.of_nights(|night| night >= from));
    let figures = pooled.as_ref().unwrap_or(&all);
    let (version, arms): (String, Vec<Arm>) = both(
        || all.version(),
        || figures.design.arms.iter().map(|(mode, weight)| arms::arm(figures, mode, *weight)).collect(),
    );
    let seed = seed_of(figures.design.seed, &version);
    let ((comparisons, pairs, control), (night_differences, nights)) = both(
        || {
            let compared = compare::comparisons(figures, &arms, seed);
            (compared, compare::pairs(figures, &arms, seed), nights::charts(figures))
        },
        || (nights::differences(&all, &version), arms::night_blocks(&all)),
    );
    let mut health = health::checks(figures, &arms);
    health.extend(hours::interleaving(figures));
    health.extend(nights::bundle_check(&all, &versions));
    health.extend(nights::control_check(&control));
    health.extend(paired::aa_check(figures, &comparisons));
    let judged = judged::blocks(figures);
    health.extend(judged::checks(figures, &judged));
    let progress = verdict::Progress::of(figures);
    // Modes that play the same have no better one, and a panel speaks of test numbers alone.
    let verdicts = match figures.design.kind {
        Kind::Split => regime::verdicts(figures, &progress, &health, &comparisons, seed),
        Kind::Aa | Kind::Crossover => Vec::new(),
    };
    Report {
        schema: SCHEMA.to_owned(),
        generated_at,
        data_as_of: figures.data_as_of,
        data_version: version,
        software: format!("halo {}", env!("CARGO_PKG_VERSION")),
        campaign: figures.campaign.clone(),
        simulated: figures.simulated,
        notice: figures.simulated.then(words::notice),
        design: DesignBlock {
            kind: figures.design.kind.as_str().to_owned(),
            arms: figures
                .design
                .arms
                .iter()
                .map(|(mode, weight)| ArmWeight { mode: mode.clone(), weight: *weight })
                .collect(),
            baseline: figures.design.baseline.clone(),
            primary_latency: "call_turn_ms".to_owned(),
            primary_success: "success_rate".to_owned(),
            success_source: judged::source(&figures.design),
            margin_pp: figures.design.margin * 100.0,
            alpha_one_sided: figures.design.alpha,
            regime: figures.design.regime.as_str().to_owned(),
            looks: figures.design.looks.clone(),
            calls_planned: figures.design.calls_planned,
            nights_planned: progress.planned,
            nights_completed: progress.completed,
            ended: progress.ended(),
            seed: format!("{seed:016x}"),
            resamples: stats::bootstrap::RESAMPLES,
        },
        verdicts,
        health,
        nights,
        before_answer: arms::before_answer(figures),
        apart: figures.apart.clone(),
        answers: answers::tables(figures),
        trends: nights::trends(&all, &night_differences),
        paired: paired::paired(figures),
        versions,
        night_differences,
        control,
        hours: hours::cells(figures),
        judged,
        arms,
        comparisons,
        pairs,
        money: figures.money.clone(),
    }
}

/// Two parts of a report at the same time: of millions of calls each takes a while.
fn both<A, B: Send>(here: impl FnOnce() -> A, beside: impl FnOnce() -> B + Send) -> (A, B) {
    std::thread::scope(|scope| {
        let beside = scope.spawn(beside);
        let here = here();
        (here, beside.join().unwrap_or_else(|fault| std::panic::resume_unwind(fault)))
    })
}

/// The experiment's seed and the data's version together: the same data gives the same limits.
fn seed_of(seed: u64, version: &str) -> u64 {
    stats::bucket::of(&seed.to_string(), version).hash
}
