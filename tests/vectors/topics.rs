//! Which function answers which topic, and how close it has to be.

use halo::report::stats::bucket;
use halo::report::stats::chi_square::{self, SAMPLE_RATIO_ALARM};
use halo::report::stats::clustered::{self, Clusters};
use halo::report::stats::control::Chart;
use halo::report::stats::means::{self, Sums};
use halo::report::stats::multiple;
use halo::report::stats::paired;
use halo::report::stats::planner;
use halo::report::stats::proportion::{self, Share};
use halo::report::stats::quantile::{self, Frequencies, Level, Wait};
use halo::report::stats::rank;
use halo::report::stats::sequential::{self, Summary};
use halo::report::stats::strata::{self, Stratum};
use serde_json::Value;

use super::case::{Case, floats};

const CLOSE: f64 = 1e-9;

type Check = fn(&mut Case<'_>);

pub fn check_of(topic: &str) -> Option<Check> {
    let check: Check = match topic {
        "censored_quantile" => censored_quantile,
        "clustered_quantile_delta" => clustered_quantile_delta,
        "cmh" => cmh,
        "ewma_chart" => ewma_chart,
        "group_sequential_bounds" => group_sequential_bounds,
        "hash_bucket" => hash_bucket,
        "hodges_lehmann" => hodges_lehmann,
        "mann_whitney" => mann_whitney,
        "multiple_comparisons" => multiple_comparisons,
        "newcombe_diff" => newcombe_diff,
        "noninferiority" => noninferiority,
        "paired_tests" => paired_tests,
        "pooled_risk_difference" => pooled_risk_difference,
        "quantile_ci_order_statistic" => quantile_ci_order_statistic,
        "quantile_type7" => quantile_type7,
        "ratio_of_sums_delta" => ratio_of_sums_delta,
        "sample_size" => sample_size,
        "sequential_confidence_sequence" => sequential_confidence_sequence,
        "srm_chi_square" => srm_chi_square,
        "two_proportion_z" => two_proportion_z,
        "welch_t" => welch_t,
        "wilson" => wilson,
        _ => return None,
    };
    Some(check)
}

fn share(case: &Case<'_>, k: &str, n: &str) -> Share {
    Share::new(case.count(k), case.count(n))
}

fn wilson(case: &mut Case<'_>) {
    let found = proportion::wilson(share(case, "k", "n"), case.number("conf"));
    case.near("p", found.map(|f| f.estimate), CLOSE);
    case.near("lower", found.map(|f| f.lower), CLOSE);
    case.near("upper", found.map(|f| f.upper), CLOSE);
}

fn newcombe_diff(case: &mut Case<'_>) {
    let found = proportion::newcombe(share(case, "k1", "n1"), share(case, "k2", "n2"), case.number("conf"));
    case.near("diff", found.map(|f| f.estimate), CLOSE);
    case.near("lower", found.map(|f| f.lower), CLOSE);
    case.near("upper", found.map(|f| f.upper), CLOSE);
}

fn two_proportion_z(case: &mut Case<'_>) {
    let found = proportion::two_proportion_z(share(case, "k1", "n1"), share(case, "k2", "n2"));
    case.near("z", found.map(|f| f.z), CLOSE);
    case.near("p_two_sided", found.map(|f| f.p_two_sided), CLOSE);
    case.near("p_greater", found.map(|f| f.p_greater), CLOSE);
    case.near("p_less", found.map(|f| f.p_less), CLOSE);
}

fn noninferiority(case: &mut Case<'_>) {
    let (treatment, control) = (share(case, "kt", "nt"), share(case, "kc", "nc"));
    let found = proportion::noninferiority(treatment, control, case.number("margin"), case.number("alpha"))
        .expect("both arms have calls");
    case.near("diff", Some(found.limits.estimate), CLOSE);
    case.near("newcombe_lower", Some(found.limits.lower), CLOSE);
    case.near("newcombe_upper", Some(found.limits.upper), CLOSE);
    case.same("noninferior", found.noninferior);
    case.same("superior", found.superior);
    case.same("inferior", found.inferior);
    case.near("p_noninferiority", found.p, 1e-7);
}

fn srm_chi_square(case: &mut Case<'_>) {
    let found = chi_square::goodness_of_fit(&case.counts("observed"), &case.numbers("weights")).expect("two arms");
    case.near("chi2", Some(found.statistic), CLOSE);
    case.same("df", found.df);
    case.near("p", Some(found.p), CLOSE);
    case.same("alarm", found.p < SAMPLE_RATIO_ALARM);
}

fn mann_whitney(case: &mut Case<'_>) {
    let found = rank::mann_whitney(&case.numbers("x"), &case.numbers("y"));
    case.near("u", found.map(|f| f.u), CLOSE);
    case.near("p_two_sided", found.map(|f| f.p_two_sided), CLOSE);
    case.near("effect", found.map(|f| f.effect), CLOSE);
}

fn hodges_lehmann(case: &mut Case<'_>) {
    let (x, y, conf) = (case.numbers("x"), case.numbers("y"), case.number("conf"));
    let exact = case.text("method") == "exact";
    let found = rank::hodges_lehmann_by(&x, &y, conf, exact);
    case.near("estimate", found.map(|f| f.estimate), CLOSE);
    case.near_own("lower", "tol_lower", found.map(|f| f.lower), CLOSE);
    case.near_own("upper", "tol_upper", found.map(|f| f.upper), CLOSE);
}

/// The integer rank where the level has one, as the report uses it.
fn at_level(p: f64, integer: impl Fn(Level) -> Option<f64>, fraction: impl Fn(f64) -> Option<f64>) -> Option<f64> {
    let parts = (p * 1e6).round();
    match Level::from_parts_per_million(parts as u32) {
        Some(level) if (p * 1e6 - parts).abs() < 1e-6 => integer(level),
        _ => fraction(p),
    }
}

fn quantile_type7(case: &mut Case<'_>) {
    let probs = case.numbers("probs");
    let mut values = Vec::new();
    if case.input["x"].is_array() {
        values = case.numbers("x");
    } else {
        let (distinct, counts) = (case.numbers("values"), case.counts("counts"));
        let table = Frequencies::collect(distinct.iter().zip(&counts).map(|(v, n)| (Some(*v as i64), *n)));
        let levels = probs.iter().map(|p| Level::from_parts_per_million((p * 1e6).round() as u32));
        let weighted: Vec<Option<f64>> =
            levels.map(|level| table.quantile(level.expect("a level under one"))).collect();
        for (value, n) in distinct.iter().zip(&counts) {
            values.extend((0..*n).map(|_| *value));
        }
        case.near_list("q", &weighted, CLOSE);
    }
    values.sort_by(f64::total_cmp);
    let found: Vec<Option<f64>> = probs
        .iter()
        .map(|p| at_level(*p, |l| quantile::of_sorted(&values, l), |p| quantile::of_sorted_at(&values, p)))
        .collect();
    case.near_list("q", &found, CLOSE);
}

fn quantile_ci_order_statistic(case: &mut Case<'_>) {
    let mut x = case.numbers("x");
    x.sort_by(f64::total_cmp);
    let (lower, upper) = quantile::order_statistic_limits(&x, case.number("p"), case.number("conf"));
    case.near("lower", lower, CLOSE);
    case.near("upper", upper, CLOSE);
}

fn censored_quantile(case: &mut Case<'_>) {
    let events = case.counts("event");
    let waits: Vec<Wait> =
        case.numbers("time").into_iter().zip(events).map(|(ms, event)| Wait { ms, ended: event == 1 }).collect();
    let found = quantile::censored(&waits, &case.numbers("probs"));
    case.near_list("q", &found, CLOSE);
}

fn welch_t(case: &mut Case<'_>) {
    let found = means::welch(&case.numbers("x"), &case.numbers("y"), case.number("conf"));
    case.near("t", found.map(|f| f.t), CLOSE);
    case.near("df", found.map(|f| f.df), CLOSE);
    case.near("p", found.map(|f| f.p_two_sided), CLOSE);
    case.near("diff", found.map(|f| f.difference), CLOSE);
    case.near("lower", found.map(|f| f.lower), CLOSE);
    case.near("upper", found.map(|f| f.upper), CLOSE);
}

fn paired_tests(case: &mut Case<'_>) {
    match case.text("kind") {
        "mcnemar" => {
            let found = paired::mcnemar(case.count("b"), case.count("c"));
            case.near("p_exact", found.map(|f| f.p_exact), CLOSE);
            case.near("chi2_cc", found.map(|f| f.chi_square), CLOSE);
            case.near("p_chi2_cc", found.map(|f| f.p_chi_square), CLOSE);
        }
        "signed_rank" => {
            let found = paired::signed_rank(&case.numbers("x"), &case.numbers("y"), case.number("conf"));
            case.near("v", found.map(|f| f.v), CLOSE);
            case.near("p", found.map(|f| f.p_two_sided), CLOSE);
            case.near("pseudo_median", found.map(|f| f.pseudo_median), CLOSE);
            case.near("lower", found.map(|f| f.lower), CLOSE);
            case.near("upper", found.map(|f| f.upper), CLOSE);
        }
        other => panic!("an unknown kind of paired test: {other}"),
    }
}

/// Rows of [call, value], gathered by call.
fn clusters(rows: &Value) -> Clusters {
    let mut calls: std::collections::BTreeMap<u64, Vec<f64>> = std::collections::BTreeMap::new();
    for row in rows.as_array().expect("rows of turns") {
        calls.entry(row[0].as_u64().expect("a call")).or_default().push(row[1].as_f64().expect("a latency"));
    }
    Clusters::collect(calls.into_values())
}

fn clustered_quantile_delta(case: &mut Case<'_>) {
    let (treatment, control) = (clusters(&case.input["treatment"]), clusters(&case.input["control"]));
    let found = clustered::quantile_difference(&treatment, &control, case.number("q"), 0.95);
    case.near("treatment_q", found.map(|f| f.treatment.quantile), 1e-6);
    case.near("control_q", found.map(|f| f.control.quantile), 1e-6);
    case.near("diff", found.map(|f| f.difference), 1e-6);
    case.near("se", found.map(|f| f.error), 1e-6);
    case.near("derived_lower", found.map(|f| f.lower), 1e-6);
    case.near("derived_upper", found.map(|f| f.upper), 1e-6);
    case.near("n_treatment", found.map(|f| f.treatment.values as f64), 0.0);
    case.near("n_control", found.map(|f| f.control.values as f64), 0.0);
}

fn ratio_of_sums_delta(case: &mut Case<'_>) {
    let of = |arm: &str| (floats(&case.input[arm]["numer"]), floats(&case.input[arm]["denom"]));
    let (treatment, control) = (of("treatment"), of("control"));
    let found = means::ratio_of_sums(
        Sums { numerators: &treatment.0, denominators: &treatment.1 },
        Sums { numerators: &control.0, denominators: &control.1 },
        case.number("conf"),
    );
    case.near("treatment", found.map(|f| f.treatment), 1e-7);
    case.near("control", found.map(|f| f.control), 1e-7);
    case.near("diff", found.map(|f| f.difference), 1e-7);
    case.near("se", found.map(|f| f.error), 1e-7);
    case.near("lower", found.map(|f| f.lower), 1e-7);
    case.near("upper", found.map(|f| f.upper), 1e-7);
    case.near("p", found.map(|f| f.p_two_sided), 1e-7);
}

fn strata_of(case: &Case<'_>) -> Vec<Stratum> {
    let rows = case.input["strata"].as_array().expect("strata");
    rows.iter()
        .map(|row| {
            let cell = |index: usize| row[index].as_u64().expect("a count");
            Stratum {
                treatment: Share::new(cell(0), cell(0) + cell(1)),
                control: Share::new(cell(2), cell(2) + cell(3)),
            }
        })
        .collect()
}

fn cmh(case: &mut Case<'_>) {
    let found = strata::cmh(&strata_of(case), 0.95);
    case.near("chi2", found.map(|f| f.chi_square), CLOSE);
    case.near("p", found.map(|f| f.p), CLOSE);
    case.near("odds_ratio", found.map(|f| f.odds_ratio), CLOSE);
    case.near("or_lower", found.map(|f| f.lower), CLOSE);
    case.near("or_upper", found.map(|f| f.upper), CLOSE);
    let spread = found.and_then(|f| f.heterogeneity);
    case.near("breslow_day_tarone", spread.map(|s| s.0), CLOSE);
    case.near("breslow_day_p", spread.map(|s| s.1), CLOSE);
}

fn pooled_risk_difference(case: &mut Case<'_>) {
    let strata = strata_of(case);
    let pooled = strata::mantel_haenszel(&strata, 0.95);
    case.near("mh_rd", pooled.map(|f| f.difference), CLOSE);
    case.near("mh_se", pooled.map(|f| f.error), CLOSE);
    case.near("derived_mh_lower", pooled.map(|f| f.lower), CLOSE);
    case.near("derived_mh_upper", pooled.map(|f| f.upper), CLOSE);
    let spread = strata::heterogeneity(&strata, 0.95);
    case.near("iv_rd", spread.map(|f| f.fixed.difference), CLOSE);
    case.near("iv_se", spread.map(|f| f.fixed.error), CLOSE);
    case.near("derived_iv_lower", spread.map(|f| f.fixed.lower), CLOSE);
    case.near("derived_iv_upper", spread.map(|f| f.fixed.upper), CLOSE);
    case.near("q", spread.map(|f| f.q), CLOSE);
    case.near("i2", spread.map(|f| f.i2), CLOSE);
    case.near("tau2", spread.map(|f| f.tau2), CLOSE);
    case.near("dl_rd", spread.map(|f| f.random.difference), CLOSE);
    case.near("dl_se", spread.map(|f| f.random.error), CLOSE);
    case.near("derived_dl_lower", spread.map(|f| f.random.lower), CLOSE);
    case.near("derived_dl_upper", spread.map(|f| f.random.upper), CLOSE);
}

fn multiple_comparisons(case: &mut Case<'_>) {
    let p = case.numbers("p");
    let known = |values: Vec<f64>| values.into_iter().map(Some).collect::<Vec<_>>();
    case.near_list("holm", &known(multiple::holm(&p)), CLOSE);
    case.near_list("bonferroni", &known(multiple::bonferroni(&p)), CLOSE);
    case.near_list("bh", &known(multiple::benjamini_hochberg(&p)), CLOSE);
}

fn sequential_confidence_sequence(case: &mut Case<'_>) {
    let kind = case.text("kind");
    let summary = |arm: &str| {
        let field = |name: &str| case.input[arm][name].as_f64().expect("a summary's number");
        match kind {
            "proportion" => Summary::of_share(field("sum"), field("n")),
            "mean" => Summary::of_sums(field("n"), field("sum"), field("sum_squares")),
            other => panic!("an unknown kind of summary: {other}"),
        }
        .expect("an arm with calls")
    };
    let (control, treatment) = (summary("a"), summary("b"));
    let found = sequential::confidence_sequence(treatment, control, case.number("alpha"), case.number("n_star"));
    case.near("diff", found.map(|f| f.difference), CLOSE);
    case.near("se", found.map(|f| f.error), CLOSE);
    case.near("lower", found.map(|f| f.lower), CLOSE);
    case.near("upper", found.map(|f| f.upper), CLOSE);
    case.near("p", found.map(|f| f.p), CLOSE);
}

fn group_sequential_bounds(case: &mut Case<'_>) {
    let two_sided = case.count("sides") == 2;
    let bounds =
        sequential::group_bounds(&case.numbers("information"), case.number("alpha"), two_sided, case.number("phi"))
            .expect("ascending information");
    let found: Vec<Option<f64>> = bounds.into_iter().map(Some).collect();
    case.near_list("z", &found, 2e-3);
}

fn sample_size(case: &mut Case<'_>) {
    const SHARE: f64 = 1e-6;
    let (alpha, power) = (case.number("alpha"), case.number("power"));
    let (n, reached) = match case.text("kind") {
        "two_proportions" => {
            let (p1, p2) = (case.number("p1"), case.number("p2"));
            let n = planner::two_proportions(p1, p2, alpha, power).expect("a difference");
            (n, Some(planner::two_proportions_power(p1, p2, alpha, n.ceil())))
        }
        "noninferiority" => {
            let (t, c) = (case.number("p_treatment"), case.number("p_control"));
            (planner::noninferiority(t, c, case.number("margin"), alpha, power).expect("room to the margin"), None)
        }
        "means" => {
            let (delta, sd) = (case.number("delta"), case.number("sd"));
            let n = planner::means(delta, sd, alpha, power).expect("a difference");
            (n, planner::means_power(delta, sd, alpha, n.ceil()))
        }
        other => panic!("an unknown kind of plan: {other}"),
    };
    case.near_relative("n", Some(n), SHARE);
    case.near_relative("achieved_power", reached, SHARE);
}

fn ewma_chart(case: &mut Case<'_>) {
    let nights: Vec<Share> =
        case.counts("k").into_iter().zip(case.counts("n")).map(|(k, n)| Share::new(k, n)).collect();
    let chart = Chart { target: case.number("target"), lambda: case.number("lam"), width: case.number("L") };
    let points = chart.nights(&nights);
    let list =
        |of: fn(&halo::report::stats::control::Point) -> f64| points.iter().map(|p| Some(of(p))).collect::<Vec<_>>();
    case.near_list("z", &list(|p| p.z), CLOSE);
    case.near_list("derived_lower", &list(|p| p.lower), CLOSE);
    case.near_list("derived_upper", &list(|p| p.upper), CLOSE);
    case.same("derived_signal", points.iter().map(|p| p.signal).collect::<Vec<bool>>());
}

fn hash_bucket(case: &mut Case<'_>) {
    let found = bucket::of(case.text("salt"), case.text("key"));
    case.same("u64", found.hash.to_string());
    case.same("bucket", found.bucket);
}
