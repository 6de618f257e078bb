//! Each arm against the declared baseline.

use crate::domain::Mode;

use super::arms::{ArmCalls, success_by_night};
use super::beside;
use super::figures::{Figures, Night};
use super::intervals::{absent, bare, calls_min, known, of_limits, too_few};
use super::model::{Arm, Comparison, Guardrail, Interval, Rate};
use super::stats::bootstrap::{self, Sample};
use super::stats::clustered::{self, Clusters};
use super::stats::multiple::holm;
use super::stats::proportion::{self, P_SMALLEST, Share};
use super::stats::quantile::Level;
use super::stats::strata::{self, Stratum};
use super::stats::{LEVEL, phi, planner, rank};

/// Above this many calls in an arm the closed form replaces resampling.
pub const RESAMPLED_CALLS_MAX: u64 = 20_000;
/// The power for which missing calls are told.
const POWER: f64 = 0.8;

/// How much drawing an interval is worth.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    pub resamples: usize,
}

pub fn comparisons(figures: &Figures, arms: &[Arm], seed: u64) -> Vec<Comparison> {
    comparisons_with(figures, arms, seed, Effort { resamples: bootstrap::RESAMPLES })
}

/// Intervals of the primary figures have the level that the design's one-sided error leaves them.
pub fn comparisons_with(figures: &Figures, arms: &[Arm], seed: u64, effort: Effort) -> Vec<Comparison> {
    let Some(baseline) = arms.iter().find(|arm| arm.baseline) else { return Vec::new() };
    let mut found: Vec<Comparison> = arms
        .iter()
        .filter(|arm| !arm.baseline)
        .zip(0_u64..)
        .map(|(arm, place)| compare(figures, arm, baseline, arms.len() as u64 - 1, seed.wrapping_add(place), effort))
        .collect();
    // An arm whose claim has no p cannot hold; it still takes its place among the questions asked.
    let p: Vec<f64> = found.iter().map(|comparison| comparison.p_claim.unwrap_or(1.0)).collect();
    for (comparison, adjusted) in found.iter_mut().zip(holm(&p)) {
        comparison.p_claim_adjusted = comparison.p_claim.map(|_| adjusted);
    }
    found
}

/// Pairs of arms without the baseline: the same figures, and nothing that a claim would rest on.
pub fn pairs(figures: &Figures, arms: &[Arm], seed: u64) -> Vec<Comparison> {
    let rest: Vec<&Arm> = arms.iter().filter(|arm| !arm.baseline).collect();
    let effort = Effort { resamples: bootstrap::RESAMPLES };
    let mut found = Vec::new();
    for (place, base) in rest.iter().enumerate() {
        for (next, arm) in (place + 1..).zip(&rest[place + 1..]) {
            // Seeds of their own, behind those of the comparisons.
            let seed = seed.wrapping_add((arms.len() * (place + 1) + next) as u64);
            found.push(Comparison {
                noninferior: None,
                noninferior_assigned: None,
                superior: None,
                inferior: None,
                refuted: None,
                p_faster: None,
                p_noninferiority: None,
                p_claim: None,
                guardrails: Vec::new(),
                calls_missing: None,
                nights_missing: None,
                ..compare(figures, arm, base, 1, seed, effort)
            });
        }
    }
    found
}

/// Difference of medians with its one-sided p.
fn median_difference(
    mode: &Sample,
    baseline: &Sample,
    seed: u64,
    level: f64,
    effort: Effort,
) -> (Interval, Option<f64>) {
    const RESAMPLED: &str = "cluster_bootstrap";
    let n = mode.n().min(baseline.n());
    let plain = mode.median().zip(baseline.median()).map(|(a, b)| a - b);
    if n < calls_min() {
        return (bare(RESAMPLED, n, plain, too_few(n, calls_min())), None);
    }
    if mode.n().max(baseline.n()) > RESAMPLED_CALLS_MAX {
        let alone = |sample: &Sample| Clusters::alone(&sample.sorted());
        let found = clustered::quantile_difference(&alone(mode), &alone(baseline), 0.5, level);
        return match found {
            Some(f) => {
                let p = if f.error > 0.0 { phi(f.difference / f.error) } else { 1.0 };
                (known("clustered_delta", n, f.difference, f.lower, f.upper), Some(p))
            }
            None => (bare("clustered_delta", n, plain, "no spread to estimate an error from"), None),
        };
    }
    match bootstrap::median_difference_at(mode, baseline, seed, level, effort.resamples) {
        Some(f) => (known(RESAMPLED, n, f.difference, f.lower, f.upper), Some(f.p_faster)),
        None => (bare(RESAMPLED, n, plain, "a median is not finite"), None),
    }
}

fn shift(mode: &Sample, baseline: &Sample) -> Interval {
    const METHOD: &str = "hodges_lehmann";
    let n = mode.n().min(baseline.n());
    match rank::hodges_lehmann(&mode.sorted(), &baseline.sorted(), LEVEL) {
        Some(found) if n >= calls_min() => known(METHOD, n, found.estimate, found.lower, found.upper),
        Some(found) => bare(METHOD, n, Some(found.estimate), too_few(n, calls_min())),
        None => absent(METHOD, n, too_few(n, calls_min())),
    }
}

pub(super) fn newcombe(mode: Share, baseline: Share, level: f64) -> Interval {
    of_limits("newcombe", mode.n.min(baseline.n), proportion::newcombe(mode, baseline, level))
}

pub(super) fn share_of(rate: &Rate) -> Share {
    Share::new(rate.k, rate.interval.n)
}

fn guardrails(mode: &Arm, baseline: &Arm) -> Vec<Guardrail> {
    let pairs = [
        ("early_hangup_rate", &mode.rates.early_hangup_rate, &baseline.rates.early_hangup_rate),
        ("late_greeting_rate", &mode.rates.late_greeting_rate, &baseline.rates.late_greeting_rate),
        ("opt_out_rate", &mode.rates.opt_out_rate, &baseline.rates.opt_out_rate),
        ("fault_rate", &mode.rates.fault_rate, &baseline.rates.fault_rate),
    ];
    pairs
        .into_iter()
        .map(|(metric, mode, baseline)| {
            let difference = newcombe(share_of(mode), share_of(baseline), LEVEL);
            Guardrail { metric: metric.to_owned(), alarm: difference.above_zero(), difference }
        })
        .collect()
}

fn strata_of(figures: &Figures, mode: &Mode, baseline: &Mode) -> Vec<Stratum> {
    let (mode, baseline) = (success_by_night(figures, mode), success_by_night(figures, baseline));
    let of = |nights: &std::collections::BTreeMap<Night, Share>, night| {
        nights.get(night).copied().unwrap_or(Share::new(0, 0))
    };
    mode.keys().map(|night| Stratum { treatment: of(&mode, night), control: of(&baseline, night) }).collect()
}

fn sign(value: f64) -> i8 {
    if value < 0.0 {
        -1
    } else if value > 0.0 {
        1
    } else {
        0
    }
}

fn compare(figures: &Figures, mode: &Arm, baseline: &Arm, claims: u64, seed: u64, effort: Effort) -> Comparison {
    let design = &figures.design;
    let level = 1.0 - 2.0 * design.alpha;
    let (calls, base_calls) = (ArmCalls::of(figures, &mode.mode), ArmCalls::of(figures, &baseline.mode));
    let (medians, base_medians) = (calls.medians(), base_calls.medians());
    let (call_turn_ms, p_faster) = median_difference(&medians, &base_medians, seed, level, effort);
    let (sound, base_sound) = (calls.medians_without_faults(), base_calls.medians_without_faults());
    // Where no fault ended a call it is the same figure, and nothing is drawn again.
    let call_turn_without_faults_ms = match (sound.n(), base_sound.n()) == (medians.n(), base_medians.n()) {
        true => call_turn_ms.clone(),
        false => median_difference(&sound, &base_sound, seed, LEVEL, effort).0,
    };
    // Two infinite medians tell nothing about which is slower.
    let all_difference = calls
        .medians_of_all()
        .median()
        .zip(base_calls.medians_of_all().median())
        .map(|(a, b)| a - b)
        .filter(|difference| !difference.is_nan());
    let ranks = rank::mann_whitney(&medians.sorted(), &base_medians.sorted());

    let reached = Share::new(mode.contacts.goals, mode.contacts.reached);
    let base_reached = Share::new(baseline.contacts.goals, baseline.contacts.reached);
    let assigned = Share::new(mode.contacts.goals, mode.contacts.assigned);
    let base_assigned = Share::new(baseline.contacts.goals, baseline.contacts.assigned);
    let clean = |arm: &Arm| Share::new(arm.contacts.clean_goals, arm.contacts.clean);
    let tested = proportion::noninferiority(reached, base_reached, design.margin, design.alpha);
    let tested_assigned = proportion::noninferiority(assigned, base_assigned, design.margin, design.alpha);

    let strata = strata_of(figures, &mode.mode, &baseline.mode);
    let pooled = strata::mantel_haenszel(&strata, LEVEL);
    let spread = strata::heterogeneity(&strata, LEVEL);
    let success_p = tested.map(|t| t.p.unwrap_or(if t.noninferior { P_SMALLEST } else { 1.0 }));
    let (calls_missing, nights_missing) = missing(design, mode, baseline, claims, figures.runs.len() as u64);

    Comparison {
        mode: mode.mode.clone(),
        baseline: baseline.mode.clone(),
        call_turn_ms,
        mode_median_ms: medians.median(),
        baseline_median_ms: base_medians.median(),
        call_turn_all_sign: all_difference.map(sign),
        p_faster,
        hodges_lehmann_ms: shift(&medians, &base_medians),
        mann_whitney_u: ranks.map(|r| r.u),
        mann_whitney_p: ranks.map(|r| r.p_two_sided),
        chance_faster: ranks.map(|r| 1.0 - r.effect),
        turn_p95_ms: beside::difference(&(calls.clusters(), base_calls.clusters()), Level::P95),
        success: newcombe(reached, base_reached, level),
        success_without_faults: newcombe(clean(mode), clean(baseline), LEVEL),
        call_turn_without_faults_ms,
        success_assigned: newcombe(assigned, base_assigned, level),
        success_pooled: match pooled {
            Some(p) => known("mantel_haenszel", reached.n.min(base_reached.n), p.difference, p.lower, p.upper),
            None => absent("mantel_haenszel", 0, "no night in which both arms reached somebody"),
        },
        nights_q_p: spread.filter(|_| strata.len() > 1).map(|s| s.q_p),
        nights_i2: spread.filter(|_| strata.len() > 1).map(|s| s.i2),
        noninferior: tested.map(|t| t.noninferior),
        noninferior_assigned: tested_assigned.map(|t| t.noninferior),
        superior: tested.map(|t| t.superior),
        inferior: tested.map(|t| t.inferior),
        refuted: tested.map(|t| t.refuted),
        p_noninferiority: tested.and_then(|t| t.p),
        p_claim: p_faster.zip(success_p).map(|(latency, success)| latency.max(success)),
        p_claim_adjusted: None,
        guardrails: guardrails(mode, baseline),
        beside: beside::beside(figures, (mode, &calls), (baseline, &base_calls)),
        calls_missing,
        nights_missing,
    }
}

/// Human calls per arm that are still missing to settle success, were there no true difference:
/// computed with the planned difference, never with the observed one.
fn missing(
    design: &super::figures::Design,
    mode: &Arm,
    baseline: &Arm,
    claims: u64,
    nights: u64,
) -> (Option<u64>, Option<u64>) {
    let Some(rate) = baseline.rates.success_rate.interval.estimate else { return (None, None) };
    let alpha = design.alpha / claims.max(1) as f64;
    let Some(needed) = planner::noninferiority(rate, rate, design.margin, alpha, POWER) else { return (None, None) };
    let have = mode.contacts.reached.min(baseline.contacts.reached);
    let missing = (needed.ceil() as u64).saturating_sub(have);
    let per_night = have.checked_div(nights).filter(|n| *n > 0);
    (Some(missing), per_night.map(|n| missing.div_ceil(n)))
}
