//! The gate for CI: passed when the whole interval lies within, failed when all of it lies beyond, else undecided.

use halo::domain::Timestamp;
use halo::report::figures::{Figures, Method, RunState};
use halo::report::gate::{Amount, Baseline, Gate, Limit, Outcome, gate, limit, usual_limits};
use halo::report::render::gate::{junit, markdown, text};
use halo::report::runs;

use super::fixture::{Arm, Campaign};

/// Two nights of one campaign, other people in each.
fn nights(first: Vec<Arm>, second: Vec<Arm>) -> Figures {
    super::nights::nights(vec![first, second])
}

fn of(metric: &str, text: &str) -> Limit {
    limit(metric, text).expect("a limit's name").expect("a limit")
}

fn asked(figures: Figures, limits: &[Limit]) -> Gate {
    gate(figures, &Baseline::LastNight, None, limits, Timestamp(0)).expect("two runs")
}

fn dialog(reached: u64, goals: u64, turn_ms: i64) -> Vec<Arm> {
    vec![Arm::of("dialog", reached, goals, turn_ms)]
}

#[test]
fn a_tail_that_grew_beyond_its_limit_fails_and_one_within_passes() {
    let p95 = |text| [of("max-p95-regress", text)];
    let slower = || nights(dialog(400, 240, 1_000), dialog(400, 240, 1_400));
    let found = asked(slower(), &p95("10%"));
    assert_eq!((found.outcome, found.exit_code), (Outcome::Failed, 1), "{}", text(&found));
    assert!(found.checks[0].sentence.contains("wholly beyond at most +10 %"), "{}", found.checks[0].sentence);
    assert_eq!(asked(slower(), &p95("200ms")).exit_code, 1);
    let same = || nights(dialog(400, 240, 1_000), dialog(400, 240, 1_000));
    let found = asked(same(), &p95("35%"));
    assert_eq!((found.outcome, found.exit_code), (Outcome::Passed, 0), "{}", text(&found));
    // The same pair against limits that its interval straddles: an estimate alone decides nothing.
    let found = asked(same(), &p95("0%"));
    assert_eq!((found.outcome, found.exit_code), (Outcome::Undecided, 3), "{}", text(&found));
    assert_eq!(asked(same(), &[of("max-p50-regress", "30%")]).exit_code, 0);
    assert_eq!(asked(slower(), &[of("max-p50-regress", "10%")]).exit_code, 1);
}

#[test]
fn success_that_fell_fails_and_few_people_decide_nothing() {
    let success = [of("min-success", "-2pp")];
    let fell = nights(dialog(400, 240, 1_000), dialog(400, 160, 1_000));
    assert_eq!(asked(fell, &success).exit_code, 1);
    let few = nights(dialog(20, 12, 1_000), dialog(20, 11, 1_000));
    assert_eq!(asked(few, &success).exit_code, 3);
    let many = nights(dialog(5_200, 3_120, 1_000), dialog(5_200, 3_120, 1_000));
    assert_eq!(asked(many, &success).exit_code, 0);
    // One limit that failed outweighs all that passed.
    let fell = nights(dialog(400, 240, 1_000), dialog(400, 160, 1_000));
    assert_eq!(asked(fell, &[of("max-p95-regress", "50%"), of("min-success", "-2pp")]).exit_code, 1);
}

/// The guards: `unlike` and `unfit` in `report::gate`.
#[test]
fn what_may_not_be_compared_is_not_judged() {
    let ruler = Arm { method: Method::EventCorrected, ..Arm::of("dialog", 400, 240, 1_400) };
    let found = asked(nights(dialog(400, 240, 1_000), vec![ruler]), &usual_limits());
    let p95 = found.checks.iter().find(|check| check.metric == "turn_p95_ms").expect("a check");
    assert_eq!(p95.outcome, Outcome::Undecided);
    assert!(p95.sentence.contains("measured in different ways"), "{}", p95.sentence);
    let lost = Arm { lost: 60, ..Arm::of("dialog", 400, 100, 1_400) };
    let found = asked(nights(dialog(400, 240, 1_000), vec![lost]), &usual_limits());
    assert_eq!(found.exit_code, 3, "{}", text(&found));
    assert!(found.checks.iter().all(|check| check.sentence.contains("without a known end")), "{}", text(&found));
}

#[test]
fn without_a_run_before_or_with_an_open_one_nothing_is_judged() {
    let alone = Campaign::real(dialog(400, 240, 1_000)).figures();
    assert_eq!(asked(alone, &usual_limits()).exit_code, 3);
    let mut open = nights(dialog(400, 240, 1_000), dialog(400, 100, 1_400));
    open.runs[1].state = RunState::Running;
    let found = asked(open.clone(), &usual_limits());
    assert_eq!((found.exit_code, found.checks.len()), (3, 0));
    assert!(found.notes[0].contains("still open"), "{:?}", found.notes);
    assert!(junit(&found).contains("skipped=\"1\""), "nothing judged is not green");
    let itself = gate(open, &Baseline::Run("2".into()), Some("run_2"), &usual_limits(), Timestamp(0));
    assert!(itself.is_err_and(|why| why.contains("against itself")));
}

#[test]
fn arms_are_held_against_one_of_them() {
    let arms = vec![Arm::of("dialog", 400, 240, 1_350), Arm::of("realtime", 400, 236, 940)];
    let figures = Campaign::real(arms).figures();
    let modes = figures.design.arms.clone();
    let baseline = Baseline::parse("dialog", &modes).expect("an arm");
    let limits = [of("max-p95-regress", "0%")];
    let found = gate(figures, &baseline, None, &limits, Timestamp(0)).expect("arms");
    assert_eq!(found.exit_code, 0, "{}", text(&found));
    assert_eq!((found.checks.len(), found.checks[0].mode.as_str()), (1, "realtime"));
    assert!(Baseline::parse("opera", &modes).is_err());
    assert_eq!(Baseline::parse("7", &modes), Ok(Baseline::Run("7".into())));
}

#[test]
fn limits_are_read_with_their_units_or_refused() {
    assert_eq!(Amount::latency("10%"), Ok(Amount::Relative(0.1)));
    assert_eq!(Amount::latency("200ms"), Ok(Amount::Ms(200.0)));
    assert_eq!(Amount::points("-2pp"), Ok(Amount::Points(-0.02)));
    for wrong in ["10", "ten%", "NaN%", "inf%", "-100%", "2pp", ""] {
        assert!(Amount::latency(wrong).is_err(), "{wrong}");
    }
    for wrong in ["-2", "2%", "pp", "200pp", "NaNpp"] {
        assert!(Amount::points(wrong).is_err(), "{wrong}");
    }
    assert!(limit("max-colour", "1pp").is_none());
    assert!(limit("min-success", "-2%").is_some_and(|limit| limit.is_err()));
}

#[test]
fn its_forms() {
    let mut figures = nights(dialog(400, 240, 1_000), dialog(400, 160, 1_400));
    figures.campaign = "spring <|&\" 2026".to_owned();
    let found = asked(figures, &[of("max-p95-regress", "10%"), of("min-success", "-2pp")]);
    insta::assert_snapshot!("gate_text", text(&found));
    insta::assert_snapshot!("gate_markdown", markdown(&found));
    insta::assert_snapshot!("gate_junit", junit(&found));
}

#[test]
fn runs_are_compared_with_the_first_named() {
    let all = || nights(dialog(400, 240, 1_000), dialog(400, 160, 1_400));
    let compared = runs::compare(vec![(all(), 1), (all(), 2)], Timestamp(0));
    assert_eq!(compared.runs.len(), 2);
    assert_eq!(compared.comparisons.len(), 1);
    let found = &compared.comparisons[0];
    assert_eq!((found.run_id.as_str(), found.baseline_run_id.as_str()), ("run_2", "run_1"));
    let of = |metric: &str| found.differences.iter().find(|d| d.metric == metric).expect("a difference");
    let (median, success) = (of("call_turn_ms"), of("success_rate"));
    assert!(median.difference.above_zero() && success.difference.below_zero());
    let ratio = median.ratio.as_ref().and_then(|ratio| ratio.estimate).expect("a ratio");
    assert!((1.2..1.6).contains(&ratio), "{ratio}");
    assert_eq!(success.base, Some(0.6));
    // The same data, the same limits.
    assert_eq!(runs::compare(vec![(all(), 1), (all(), 2)], Timestamp(0)), compared);
}
