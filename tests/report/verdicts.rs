//! Each state of a verdict, reached by the smallest change that leads there.

use halo::report::Lang;
use halo::report::figures::{Method, RunState};
use halo::report::model::{State, Verdict};

use super::fixture::{Arm, Campaign};
use super::report;

fn verdict_of(campaign: &Campaign) -> Verdict {
    report(campaign).verdicts.remove(0)
}

fn pair(dialog: Arm, realtime: Arm) -> Campaign {
    Campaign::real(vec![dialog, realtime])
}

fn expect(campaign: &Campaign, state: State, words: &str) {
    let verdict = verdict_of(campaign);
    assert_eq!(verdict.state, state, "{}", verdict.sentence.en);
    assert!(verdict.sentence.en.contains(words), "{}", verdict.sentence.en);
    for text in [&verdict.sentence.en, &verdict.sentence.ru] {
        for banned in ["significant", "winner", "0.000", "значим", "NaN", "inf"] {
            assert!(!text.contains(banned), "{text}");
        }
    }
}

#[test]
fn faster_and_not_worse_is_confirmed() {
    let campaign = pair(Arm::of("dialog", 1_600, 960, 1_350), Arm::of("realtime", 1_600, 970, 940));
    expect(&campaign, State::Confirmed, "success not worse by more than 5 pp: confirmed");
}

#[test]
fn few_people_settle_latency_but_not_success() {
    let campaign = pair(Arm::of("dialog", 90, 54, 1_350), Arm::of("realtime", 90, 55, 940));
    expect(&campaign, State::NotYet, "more human calls per arm");
}

#[test]
fn a_handful_settles_nothing() {
    let campaign = pair(Arm::of("dialog", 4, 3, 1_350), Arm::of("realtime", 4, 2, 940));
    expect(&campaign, State::NotYet, "too few calls (4 < 6)");
    let sentence = verdict_of(&campaign).sentence.en;
    assert!(!sentence.contains("pp"), "no percentage of four: {sentence}");
}

#[test]
fn success_that_falls_beyond_the_margin_is_told_though_faster() {
    let campaign = pair(Arm::of("dialog", 800, 480, 1_350), Arm::of("realtime", 800, 360, 940));
    expect(&campaign, State::SuccessWorse, "faster than dialog");
    expect(&campaign, State::SuccessWorse, "success is worse by more than 5 pp: refuted");
}

#[test]
fn a_slower_mode_is_not_faster() {
    let campaign = pair(Arm::of("dialog", 400, 240, 940), Arm::of("realtime", 400, 240, 1_350));
    expect(&campaign, State::NotFaster, "slower than dialog by");
}

#[test]
fn no_difference_says_what_is_excluded() {
    let campaign = pair(Arm::of("dialog", 400, 240, 1_000), Arm::of("realtime", 400, 240, 1_000));
    expect(&campaign, State::NoDifferenceFound, "either way are excluded");
}

#[test]
fn unanswered_turns_can_take_a_win_away() {
    let silent = Arm { unanswered_every: 2, ..Arm::of("realtime", 400, 240, 900) };
    let patchy = Arm { unanswered_every: 2, ..Arm::of("dialog", 400, 240, 1_350) };
    expect(&pair(patchy, silent), State::NoDifferenceFound, "the sign is not the same");
}

#[test]
fn an_open_run_has_no_verdict() {
    let arms = vec![Arm::of("dialog", 400, 240, 1_350), Arm::of("realtime", 400, 240, 940)];
    let open = Campaign { state: RunState::Running, ..Campaign::real(arms.clone()) };
    expect(&open, State::Interim, "no verdict before the planned end");
    let stopped = Campaign { state: RunState::Stopped, ..Campaign::real(arms) };
    expect(&stopped, State::Interim, "no verdict without the planned end");
}

#[test]
fn another_ruler_or_thin_coverage_is_not_comparable() {
    let ruler = Arm { method: Method::EventCorrected, ..Arm::of("realtime", 400, 240, 940) };
    expect(&pair(Arm::of("dialog", 400, 240, 1_350), ruler), State::NotComparable, "in different ways");
    let thin = Arm { unanswered_every: 5, ..Arm::of("realtime", 400, 240, 940) };
    expect(&pair(Arm::of("dialog", 400, 240, 1_350), thin), State::NotComparable, "coverage");
}

#[test]
fn a_broken_assignment_or_lost_ends_make_it_invalid() {
    let many = Arm { contacts: 1_200, ..Arm::of("realtime", 800, 480, 940) };
    let few = Arm { contacts: 600, ..Arm::of("dialog", 400, 240, 1_350) };
    expect(&pair(few, many), State::Invalid, "do not match the weights");
    let lost = Arm { lost: 60, ..Arm::of("realtime", 400, 240, 940) };
    expect(&pair(Arm::of("dialog", 400, 240, 1_350), lost), State::Invalid, "without a known end");
}

#[test]
fn contradicting_figures_are_invalid() {
    let arm = Arm { goals: 500, ..Arm::of("realtime", 400, 240, 940) };
    expect(&pair(Arm::of("dialog", 400, 240, 1_350), arm), State::Invalid, "contradict");
}

#[test]
fn a_harm_stands_beside_the_claim() {
    let rude = Arm { early_hangups: 90, ..Arm::of("realtime", 400, 240, 940) };
    let kind = Arm { early_hangups: 20, ..Arm::of("dialog", 400, 240, 1_350) };
    let verdict = verdict_of(&pair(kind, rude));
    assert!(verdict.guardrails.iter().any(|text| text.get(Lang::En).starts_with("⚠ early hang-ups +17.5 pp")));
}

#[test]
fn the_same_figures_give_the_same_report() {
    let campaign = Campaign::demo();
    let mut turned = campaign.figures();
    turned.latencies.reverse();
    turned.turns.reverse();
    turned.attempts.reverse();
    let generated = halo::domain::Timestamp(0);
    let (first, second) = (halo::report::build(campaign.figures(), generated), halo::report::build(turned, generated));
    assert_eq!(first.data_version, second.data_version);
    assert!(first.comparisons == second.comparisons, "the order of rows is no figure");
}
