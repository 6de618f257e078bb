//! Counts of judges and people, and what is said of them.

use super::super::Lang;
use super::super::figures::{CallRow, Design};
use super::*;
use crate::domain::Timestamp;
use crate::domain::experiment::Judge;

fn named(name: &str) -> Mode {
    name.parse().unwrap()
}

fn row(mode: &str, rubric: &str, at: i64, dialogue: [u64; 4], hand: [u64; 4]) -> JudgedRow {
    let cells = |[both, first_only, second_only, neither]: [u64; 4]| Cells { both, first_only, second_only, neither };
    JudgedRow {
        night: 1,
        mode: named(mode),
        rubric: rubric.into(),
        judge: "rules".into(),
        model: None,
        first_at: at,
        dialogue: cells(dialogue),
        hand: cells(hand),
        tokens_in: 0,
        tokens_out: 0,
        cost_micros: 0,
    }
}

pub fn figures(human: u64, judged: Vec<JudgedRow>) -> Figures {
    let modes = [(named("dialog"), 1), (named("realtime_pure"), 1)];
    let call = |mode: &Mode| CallRow {
        night: 1,
        mode: mode.clone(),
        human,
        machine: 0,
        unknown: 0,
        conversed: human,
        early_hangups: 0,
        late_greetings: 0,
        faults: 0,
        talk_ms: 0,
        cost_micros: None,
        costed: 0,
        ringing: 0,
        interruptions: 0,
        barge_ins: 0,
        fillers: 0,
    };
    Figures {
        campaign: "c".into(),
        simulated: false,
        data_as_of: Timestamp(0),
        design: Design::of(&modes, 1),
        runs: Vec::new(),
        changes: Vec::new(),
        contacts: Vec::new(),
        night_contacts: Vec::new(),
        attempts: Vec::new(),
        calls: modes.iter().map(|(mode, _)| call(mode)).collect(),
        latencies: Vec::new(),
        turns: Vec::new(),
        repeats: Vec::new(),
        apart: Vec::new(),
        asked: Vec::new(),
        answers: Vec::new(),
        bundles: Vec::new(),
        hours: Vec::new(),
        judged,
        quarters: Vec::new(),
        money: None,
    }
}

#[test]
fn a_mode_that_counts_its_own_goals_kindly_is_named() {
    let rows = vec![
        row("dialog", "a", 5, [40, 2, 2, 56], [10, 0, 1, 9]),
        row("realtime_pure", "a", 5, [40, 25, 1, 34], [0; 4]),
    ];
    let figures = figures(100, rows);
    let blocks = blocks(&figures);
    let [block] = blocks.as_slice() else { panic!("one rubric: {blocks:?}") };
    assert!(!block.decides);
    let pure = &block.arms[1];
    assert_eq!((pure.own_goal_rate.k, pure.goal_rate.k, pure.dialogue.n), (65, 41, 100));
    assert_eq!((block.dialogue.n, block.dialogue.cells.first_only, block.hand.n), (200, 27, 20));
    let bias = &block.biases[0];
    assert!(bias.differs && bias.difference.lower.unwrap() > 0.1, "{bias:?}");
    assert!(block.biases[1].difference.limits().is_none(), "nobody read a call of the mode");
    let checks = checks(&figures, &blocks);
    let said = checks[0].text.get(Lang::En);
    assert_eq!((checks.len(), checks[0].light), (1, Light::Warning));
    assert!(said.contains("more generous with realtime_pure than with dialog"), "{said}");
}

/// The guard: `UNJUDGED_SHARE_MAX` in `checks`. Without it a verdict would rest on calls that nobody judged.
#[test]
fn a_judge_who_has_not_read_the_calls_decides_nothing() {
    for (judged, light) in
        [(50, Light::NotComparable), (97, Light::NotComparable), (99, Light::Warning), (100, Light::Good)]
    {
        let rows = ["dialog", "realtime_pure"].map(|mode| row(mode, "a", 5, [judged, 0, 0, 0], [0; 4])).to_vec();
        let mut figures = figures(100, rows);
        assert!(checks(&figures, &blocks(&figures)).is_empty(), "the dialogue's word stands");
        figures.design.success = Success::Judge;
        let blocks = blocks(&figures);
        assert!(blocks[0].decides);
        assert_eq!(checks(&figures, &blocks)[0].light, light, "{judged}");
    }
}

/// The guard: the time in `deciding`. Judging again with another rubric until it pleases changes nothing.
#[test]
fn the_rubric_that_was_used_first_decides() {
    let mut figures =
        figures(10, vec![row("dialog", "b", 5, [1, 0, 0, 9], [0; 4]), row("dialog", "a", 9, [10, 0, 0, 0], [0; 4])]);
    figures.design.success = Success::Judge;
    let decides: Vec<(String, bool)> = blocks(&figures).into_iter().map(|b| (b.rubric, b.decides)).collect();
    assert_eq!(decides, [("b".to_owned(), true), ("a".to_owned(), false)]);
    figures.design.judge = Judge::Model;
    assert!(blocks(&figures).iter().all(|block| !block.decides), "another judge was declared");
    assert_eq!(source(&figures.design), "judge_model");
}

#[test]
fn cells_are_made_of_sums() {
    let cells = Cells::of(10, 6, 5, 4);
    assert_eq!((cells.both, cells.first_only, cells.second_only, cells.neither), (4, 2, 1, 3));
}
