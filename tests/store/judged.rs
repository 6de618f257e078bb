//! What judges and people found in the words of calls, counted by hand beside.

use super::histories::{History, Remembered, history};
use crate::both_engines;
use crate::common::Bench;
use crate::common::calls::{NOON, heard};
use halo::domain::experiment::{Judge, Success};
use halo::domain::settings::Settings;
use halo::domain::{AttemptId, Outcome};
use halo::report::gather;
use halo::report::model::Light;
use halo::store::judged::Judgement;
use halo::store::{Call, Note, RunState, Turn};
use std::collections::BTreeMap;

both_engines! {
    judgements_are_counted_as_a_person_counts_them
    a_judge_that_was_declared_decides_what_a_goal_is
    a_call_is_judged_once_by_each_rubric
    a_call_whose_words_are_forgotten_is_not_judged
}

fn settings(experiment: &str) -> Settings {
    let text = format!(
        "name = \"demo\"\npurpose = \"test\"\nmodes = {{ dialog = 1, realtime = 1, realtime_pure = 1 }}\n{experiment}"
    );
    let modes = ["dialog", "realtime", "realtime_pure", "greeting"].map(|mode| mode.parse().unwrap());
    halo::intake::settings::parse(&text, &modes.into_iter().collect()).unwrap()
}

fn judgement(attempt: AttemptId, rubric: &str, goal: bool) -> Judgement {
    Judgement {
        attempt,
        rubric: rubric.into(),
        judge: "rules",
        model: None,
        goal,
        why: "{\"reached\":[]}".into(),
        at: NOON,
        tokens_in: None,
        tokens_out: None,
        cost_micros: None,
    }
}

impl History {
    fn human(&self) -> impl Iterator<Item = (AttemptId, &Remembered)> {
        let talked = |a: &Remembered| a.outcome == Some(Outcome::Answered) && !a.own_mode;
        self.attempts.iter().filter(move |(_, a)| talked(a)).map(|(id, a)| (*id, a))
    }
}

fn own(a: &Remembered) -> bool {
    a.call.as_ref().is_some_and(|call| call.goal == Some(true))
}

/// Found by nobody's reading: three in five, and otherwise than the calls' own goals.
fn found(attempt: AttemptId) -> bool {
    attempt.0 % 5 < 3
}

/// The guards: each condition of the view `report_judged`, and the sums of `judged_counts.sql`.
async fn judgements_are_counted_as_a_person_counts_them(bench: Bench) {
    for seed in 60..63 {
        bench.store.wipe().await.unwrap();
        let told = history(&bench, seed).await;
        let all: Vec<Judgement> = told.attempts.keys().map(|id| judgement(*id, "r", found(*id))).collect();
        let n = all.len();
        assert_eq!(bench.store.put_judgements(all).await.unwrap(), n);
        let mut expected: BTreeMap<(i64, String), [i64; 8]> = BTreeMap::new();
        for (id, a) in told.human() {
            let (judge, own) = (found(id), own(a));
            let label = id.0 % 3 == 0;
            let sums = expected.entry((a.night, a.mode.clone())).or_default();
            let mut add = |place: usize, so: bool| sums[place] += i64::from(so);
            add(0, true);
            add(1, judge);
            add(2, own);
            add(3, judge && own);
            if id.0 % 2 == 0 {
                assert!(bench.store.put_label(id, label, NOON).await.unwrap());
                add(4, true);
                add(5, label);
                add(6, judge);
                add(7, judge && label);
            }
        }
        let counted = bench.store.judged_counts(told.campaign, told.account).await.unwrap();
        let counted: BTreeMap<(i64, String), [i64; 8]> = counted
            .into_iter()
            .map(|r| {
                let sums =
                    [r.judged, r.goals, r.own_goals, r.both, r.labelled, r.label_goals, r.judge_goals, r.label_both];
                ((r.night, r.mode), sums)
            })
            .collect();
        assert_eq!(counted, expected, "seed {seed}");
        let unheard = told.attempts.iter().find(|(_, a)| a.outcome == Some(Outcome::Busy)).map(|(id, _)| *id);
        if let Some(busy) = unheard {
            assert!(!bench.store.put_label(busy, true, NOON).await.unwrap(), "nobody spoke in it");
        }
    }
}

/// The guards: `judged_contacts.sql` (its two nights), `judged::gather`, and the check `judge` in `report/judged.rs`.
async fn a_judge_that_was_declared_decides_what_a_goal_is(bench: Bench) {
    for seed in 70..73 {
        bench.store.wipe().await.unwrap();
        let told = history(&bench, seed).await;
        let campaign = bench.store.campaign(told.campaign).await.unwrap().unwrap();
        let declared = settings("[experiment]\nsuccess = \"judge\"\nnights = 2");
        assert_eq!(declared.experiment.success, Success::Judge);
        assert_eq!(declared.experiment.judge, Judge::Rules);
        let figures = gather::figures(&bench.store, &campaign, &declared, NOON).await.unwrap();
        let report = halo::report::build(figures, NOON);
        assert!(report.arms.iter().all(|arm| arm.contacts.goals == 0), "nobody has judged");
        let check = report.health.iter().find(|check| check.check == "judge").unwrap();
        assert_eq!(check.light, Light::NotComparable, "{check:?}");
        assert_eq!(report.design.success_source, "judge_rules");

        let all = told.human().map(|(id, _)| judgement(id, "r", found(id))).collect();
        bench.store.put_judgements(all).await.unwrap();
        // Another rubric, used later, changes nothing.
        let again = told
            .human()
            .map(|(id, _)| halo::store::judged::Judgement { at: NOON.plus_ms(1), ..judgement(id, "a", true) });
        bench.store.put_judgements(again.collect()).await.unwrap();
        let figures = gather::figures(&bench.store, &campaign, &declared, NOON).await.unwrap();
        assert_eq!(figures.contradictions(), Vec::<String>::new(), "seed {seed}");
        // Each contact once: in its first night with a human call.
        let mut first: BTreeMap<usize, i64> = BTreeMap::new();
        for (_, a) in told.human() {
            let night = first.entry(a.contact).or_insert(a.night);
            *night = (*night).min(a.night);
        }
        let mut goals: BTreeMap<(i64, String), std::collections::BTreeSet<usize>> = BTreeMap::new();
        for (id, a) in told.human().filter(|(id, a)| found(*id) && first[&a.contact] == a.night) {
            assert!(found(id));
            goals.entry((a.night, a.mode.clone())).or_default().insert(a.contact);
        }
        for row in &figures.contacts {
            let expected = goals.get(&(row.night, row.mode.as_str().to_owned())).map_or(0, |met| met.len() as u64);
            assert_eq!(row.goals, expected, "{} in night {}, seed {seed}", row.mode, row.night);
        }
        let report = halo::report::build(figures, NOON);
        let check = report.health.iter().find(|check| check.check == "judge").unwrap();
        assert_eq!(check.light, Light::Good, "{check:?}");
        let decides: Vec<(&str, bool)> =
            report.judged.iter().map(|block| (block.rubric.as_str(), block.decides)).collect();
        assert_eq!(decides, [("r", true), ("a", false)]);
        // Whoever declared nothing keeps the dialogue's word, and sees the judge beside it.
        let plain = gather::figures(&bench.store, &campaign, &settings(""), NOON).await.unwrap();
        let plain = halo::report::build(plain, NOON);
        let own_goals = |mode: &str| {
            let met = told.human().filter(|(_, a)| a.mode == mode && own(a) && first[&a.contact] == a.night);
            met.map(|(_, a)| a.contact).collect::<std::collections::BTreeSet<_>>().len() as u64
        };
        for arm in &plain.arms {
            assert_eq!(arm.contacts.goals, own_goals(arm.mode.as_str()), "{}, seed {seed}", arm.mode);
        }
        assert_eq!(plain.judged.len(), 2);
    }
}

/// The guards: `not exists` in `to_judge.sql`, `on conflict` in `put_judgements.sql`, and `attempts_changed` in
/// `acts/judged.rs`, without which a stored report would not know of a judgement.
async fn a_call_is_judged_once_by_each_rubric(bench: Bench) {
    let calls = bench.run_of(2).await;
    for (attempt, session) in calls.all_live(500, NOON).await {
        let told = heard(session, 1, "Disconnected");
        let call = Call { session: session.0, source: "event", ..Call::default() };
        let turn =
            |n, text: &str| Turn { turn: n, callee_text: Some(text.into()), method: "vad".into(), ..Turn::default() };
        let turns = vec![turn(2, "Вторник"), turn(1, "Да")];
        calls.report(attempt, told, Outcome::Answered, call, turns, NOON).await;
    }
    bench.store.set_run_state(calls.run, RunState::Stopped, None, NOON).await.unwrap();
    let wanted = bench.store.to_judge(calls.run, 0, "r", 10).await.unwrap();
    assert_eq!(wanted.len(), 2);
    let ids: Vec<i64> = wanted.iter().map(|row| row.attempt_id).collect();
    let words: Vec<Option<String>> =
        bench.store.transcripts(&ids[..1]).await.unwrap().into_iter().map(|turn| turn.callee_text).collect();
    assert_eq!(words, [Some("Да".to_owned()), Some("Вторник".to_owned())], "in the order of turns");
    let behind = bench.store.to_judge(calls.run, ids[0], "r", 10).await.unwrap();
    assert_eq!(behind.iter().map(|row| row.attempt_id).collect::<Vec<_>>(), ids[1..]);
    let before = bench.store.report_changes(calls.campaign).await.unwrap();
    let put = |goal| bench.store.put_judgements(vec![judgement(AttemptId(ids[0]), "r", goal)]);
    assert_eq!((put(true).await.unwrap(), put(false).await.unwrap()), (1, 0));
    assert_eq!(
        bench.number("select cast(sum(goal) as bigint) from judgements").await,
        1,
        "what was found first stands"
    );
    assert_eq!(bench.store.report_changes(calls.campaign).await.unwrap(), before + 1);
    assert!(bench.store.put_label(AttemptId(ids[1]), true, NOON).await.unwrap());
    assert!(bench.store.put_label(AttemptId(ids[1]), false, NOON).await.unwrap());
    assert_eq!(bench.number("select goal from labels").await, 0, "the last word of a person stands");
    assert_eq!(bench.store.report_changes(calls.campaign).await.unwrap(), before + 3);
    let left = bench.store.unjudged(calls.run, "r").await.unwrap();
    assert_eq!((left.unjudged, left.forgotten), (1, 0));
    assert_eq!(bench.store.to_judge(calls.run, 0, "another", 10).await.unwrap().len(), 2);
}

/// The guards: the two `exists` at the end of `to_judge.sql`, and `forget_judgements.sql`.
async fn a_call_whose_words_are_forgotten_is_not_judged(bench: Bench) {
    let calls = bench.run_of(2).await;
    let live = calls.all_live(500, NOON).await;
    for (attempt, session) in &live {
        let call = Call { session: session.0, source: "event", ..Call::default() };
        calls.report(*attempt, heard(*session, 1, "Disconnected"), Outcome::Answered, call, Vec::new(), NOON).await;
    }
    assert_eq!(bench.store.to_judge(calls.run, 0, "r", 10).await.unwrap().len(), 2, "silent calls can be judged");
    let (attempt, session) = live[0];
    let turn = Turn { turn: 1, callee_text: Some("Да".into()), method: "vad".into(), ..Turn::default() };
    let note = Note { attempt, now: NOON, heard: heard(session, 2, "Turn"), turns: vec![turn] };
    bench.store.note(note).await.unwrap();
    bench.store.put_judgements(vec![judgement(attempt, "old", true)]).await.unwrap();
    bench.execute("update attempts set ended_at = 0").await.unwrap();
    let keeps = vec![halo::store::Keep { what: "transcripts", days: Some(1) }];
    let audit =
        halo::store::AuditOrder::new(&bench.store, halo::store::Who::at_the_terminal("tests"), "retention.set", NOON);
    bench.store.keep(keeps, audit).await.unwrap();
    bench.store.forget_old(NOON, 100).await.unwrap();
    assert_eq!(
        bench.number("select count(*) from judgements where why = '{}' and goal = 1").await,
        1,
        "found stays found"
    );
    let left = bench.store.unjudged(calls.run, "r").await.unwrap();
    assert_eq!((left.unjudged, left.forgotten), (2, 1));
    assert_eq!(bench.store.to_judge(calls.run, 0, "r", 10).await.unwrap().len(), 1);
}
