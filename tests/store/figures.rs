//! What the tables are asked to count, against a count by hand: statements are short to read and easy
//! to get wrong (a join that doubles rows, a null that is no zero).

use super::histories::{History, Remembered, history};
use crate::both_engines;
use crate::common::Bench;
use crate::common::calls::NOON;
use halo::domain::Outcome;
use halo::domain::settings::Settings;
use halo::http::export::sheet::Shape;
use halo::http::export::{Export, What};
use halo::report::arms::is_counted;
use halo::report::figures::{CallRow, CallTurns, EARLY_MS, LATE_MS, Method, TurnRow, TurnSums};
use halo::report::gather;
use halo::report::verify::{Marks, Verified, verify};
use halo::store::Turn;
use std::collections::{BTreeMap, BTreeSet};

both_engines! {
    statements_count_what_a_person_counts
    prove_counts_what_a_person_counts
    an_export_is_counted_again_to_the_same_figures
}

const SEEDS: u64 = 4;

/// Nobody was rung, or could have been: such an attempt dialled nobody.
const NOT_DIALLED: &[Outcome] =
    &[Outcome::Cancelled, Outcome::Expired, Outcome::Suppressed, Outcome::ScenarioError, Outcome::NoFunds];

type Counts<K> = BTreeMap<K, Vec<i64>>;

fn add<K: Ord>(counts: &mut Counts<K>, key: K, values: &[i64]) {
    let sums = counts.entry(key).or_insert_with(|| vec![0; values.len()]);
    sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
}

impl History {
    /// Ended attempts of the experiment's contacts.
    fn ended(&self) -> impl Iterator<Item = &Remembered> {
        self.attempts.values().filter(|a| a.outcome.is_some() && !a.own_mode)
    }

    /// assigned, dialled, reached, goals, opt-outs of one contact in one night; reached and goals without a fault.
    fn contact(&self, night: i64, contact: usize) -> [i64; 7] {
        let mut counts = [1, 0, 0, 0, 0, 0, 0];
        for a in self.attempts.values().filter(|a| a.night == night && a.contact == contact) {
            let Some(outcome) = a.outcome else { continue };
            counts[1] |= i64::from(!NOT_DIALLED.contains(&outcome));
            if outcome == Outcome::Answered {
                counts[2] = 1;
                counts[3] |= i64::from(a.call.as_ref().is_some_and(|call| call.goal == Some(true)));
                let during = self
                    .suppressed
                    .get(&contact)
                    .is_some_and(|at| Some(*at) >= a.dialed_at && at.0 <= a.ended_at.expect("it has ended").0 + 60_000);
                counts[4] |= i64::from(during);
                let clean = a.call.as_ref().is_none_or(|call| call.fault.is_none());
                counts[5] |= i64::from(clean);
                counts[6] |= i64::from(clean && a.call.as_ref().is_some_and(|call| call.goal == Some(true)));
            }
        }
        counts
    }

    fn contacts(&self, pooled: bool) -> Counts<(i64, String)> {
        let mut counts = Counts::new();
        for (night, contacts) in &self.nights {
            for n in contacts.iter().filter(|n| !self.own_mode[**n]) {
                let nights: Vec<i64> =
                    self.nights.iter().filter(|(_, taken)| taken.contains(n)).map(|(night, _)| *night).collect();
                let first_reached = nights.iter().find(|night| self.contact(**night, *n)[2] == 1);
                let counted = first_reached.or(nights.last());
                if !pooled || counted == Some(night) {
                    add(&mut counts, (*night, self.modes[*n].clone()), &self.contact(*night, *n));
                }
            }
        }
        counts
    }

    fn calls(&self) -> Counts<(i64, String)> {
        let mut counts = Counts::new();
        let withdrawn = |a: &&Remembered| a.dialed_at.is_none() && a.outcome == Some(Outcome::Cancelled);
        for a in self.ended().filter(|a| !withdrawn(a)) {
            let none = halo::store::Call::default();
            let call = a.call.as_ref().unwrap_or(&none);
            let (human, machine) = (a.outcome == Some(Outcome::Answered), a.outcome == Some(Outcome::Machine));
            let replies = a.turns.iter().filter(|t| t.turn_ms >= Some(0)).count();
            let interruptions = a.turns.iter().filter(|t| t.turn_ms.is_some_and(|ms| ms < 0)).count() as i64;
            let marked = |so: fn(&Turn) -> bool| a.turns.iter().filter(|t| so(t)).count() as i64;
            let early =
                human && call.hung_up_by.as_deref() == Some("callee") && call.talk_ms.is_some_and(|ms| ms < EARLY_MS);
            let late = human && call.source == "event" && call.first_audio_ms.is_none_or(|ms| ms > LATE_MS);
            let values = [
                i64::from(human),
                i64::from(machine),
                i64::from(human && replies > 0),
                i64::from(early),
                i64::from(late),
                i64::from((human || machine) && call.fault.is_some()),
                if human || machine { call.talk_ms.unwrap_or(0) } else { 0 },
                a.cost(),
                i64::from((human || machine) && a.tells_cost()),
                i64::from(call.ring_ms.is_some()),
                if human { interruptions } else { 0 },
                if human { marked(|t| t.interrupted) } else { 0 },
                if human { marked(|t| t.filler) } else { 0 },
            ];
            add(&mut counts, (a.night, a.mode.clone()), &values);
        }
        counts
    }

    fn latencies(&self) -> Counts<(i64, String, String, Option<i64>)> {
        let mut counts = Counts::new();
        for a in self.ended().filter(|a| a.outcome.is_some_and(Outcome::is_answered)) {
            let Some(call) = &a.call else { continue };
            let mut see = |metric: &str, ms| add(&mut counts, (a.night, a.mode.clone(), metric.to_owned(), ms), &[1]);
            call.answer_ms.iter().for_each(|ms| see("answer_ms", Some(*ms)));
            call.ring_ms.iter().for_each(|ms| see("ring_ms", Some(*ms)));
            if a.outcome != Some(Outcome::Answered) {
                continue;
            }
            if call.source == "event" {
                see("first_audio_ms", call.first_audio_ms);
            }
            call.talk_ms.iter().for_each(|ms| see("talk_ms", Some(*ms)));
            for turn in &a.turns {
                let stages = [
                    ("asr_ms", turn.asr_ms),
                    ("reply_ms", turn.reply_ms),
                    ("model_ms", turn.model_ms),
                    ("tts_ms", turn.tts_ms),
                    ("filler_turn_ms", turn.turn_ms.filter(|ms| turn.filler && *ms >= 0)),
                    ("filler_content_ms", turn.content_ms.filter(|_| turn.filler)),
                ];
                stages.into_iter().filter(|(_, ms)| ms.is_some()).for_each(|(stage, ms)| see(stage, ms));
            }
        }
        counts
    }
}

async fn statements_count_what_a_person_counts(bench: Bench) {
    for seed in 0..SEEDS {
        bench.store.wipe().await.unwrap();
        let told = history(&bench, seed).await;
        let counted = bench.store.counted(told.campaign, told.account, 0, true).await.unwrap();

        for (rows, pooled) in [(&counted.contacts, true), (&counted.night_contacts, false)] {
            let rows: Counts<_> = rows
                .iter()
                .map(|r| {
                    (
                        (r.night, r.mode.clone()),
                        vec![r.assigned, r.dialled, r.reached, r.goals, r.opt_outs, r.clean, r.clean_goals],
                    )
                })
                .collect();
            assert_eq!(rows, told.contacts(pooled), "contacts, pooled: {pooled}, seed {seed}");
        }

        let mut outcomes = Counts::new();
        // A cancellation counts where it ended a call.
        let withdrawn = |a: &&Remembered| a.outcome == Some(Outcome::Cancelled) && a.dialed_at.is_none();
        for a in told.ended().filter(|a| !withdrawn(a)) {
            add(&mut outcomes, (a.night, a.mode.clone(), a.outcome.unwrap().as_str().to_owned()), &[1]);
        }
        let rows: Counts<_> =
            counted.outcomes.iter().map(|r| ((r.night, r.mode.clone(), r.outcome.clone()), vec![r.n])).collect();
        assert_eq!(rows, outcomes, "outcomes, seed {seed}");

        let rows: Counts<_> = counted
            .calls
            .iter()
            .map(|r| {
                let values = vec![
                    r.human,
                    r.machine,
                    r.conversed,
                    r.early_hangups,
                    r.late_greetings,
                    r.faults,
                    r.talk_ms,
                    r.cost_micros.unwrap_or(0),
                    r.costed,
                    r.ringing,
                    r.interruptions,
                    r.barge_ins,
                    r.fillers,
                ];
                ((r.night, r.mode.clone()), values)
            })
            .collect();
        assert_eq!(rows, told.calls(), "calls, seed {seed}");

        let mut rows = Counts::new();
        for latency in counted.latencies.iter().filter(|latency| !OF_TURNS.contains(&latency.metric.as_str())) {
            for value in &latency.values {
                let ms = (value.ms >= 0).then_some(value.ms);
                add(&mut rows, (latency.night, latency.mode.clone(), latency.metric.clone(), ms), &[value.n]);
            }
        }
        assert_eq!(rows, told.latencies(), "latencies, seed {seed}");
        content(&bench, &told, seed).await;
        sums_of_turns(&bench, &told, &settings(), seed).await;
        apart(&told, &counted, seed);
    }
}

/// Waits for a reply that is no filler, by the view and by the report, against each turn asked.
/// The guards: both halves of the view's second part, and both signs in `arms::content`.
async fn content(bench: &Bench, told: &History, seed: u64) {
    let mut waits: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    // Fillers that were heard, less those behind which the reply was.
    let mut unheard: BTreeMap<String, i64> = BTreeMap::new();
    let mut sum = 0;
    for a in told.ended().filter(|a| !a.own_mode && a.outcome == Some(Outcome::Answered)) {
        for turn in &a.turns {
            if turn.filler {
                let heard = i64::from(turn.turn_ms.is_some_and(|ms| ms >= 0));
                *unheard.entry(a.mode.clone()).or_default() += heard - i64::from(turn.content_ms.is_some());
            }
            let wait = if turn.filler { turn.content_ms } else { turn.turn_ms.filter(|ms| *ms >= 0) };
            let Some(ms) = wait else { continue };
            sum += (ms + 7) * (a.night * 31 + a.mode.len() as i64);
            waits.entry(a.mode.clone()).or_default().push(ms);
        }
    }
    let question = "select cast(coalesce(sum(n * (value_ms + 7) * (night * 31 + length(mode))), 0) as bigint) \
                    from report_latencies where metric = 'turn_content_ms'";
    assert_eq!(bench.number(question).await, sum, "the view, seed {seed}");
    let campaign = bench.store.campaign(told.campaign).await.unwrap().unwrap();
    let figures = gather::figures(&bench.store, &campaign, &settings(), NOON).await.unwrap();
    for arm in halo::report::build(figures, NOON).arms {
        let mut ms = waits.remove(arm.mode.as_str()).unwrap_or_default();
        ms.sort_unstable();
        let Some(found) = arm.latencies.iter().find(|latency| latency.metric == "turn_content_ms") else {
            assert!(ms.is_empty(), "{}, seed {seed}", arm.mode);
            continue;
        };
        // A reply that nobody heard begin is a wait without end, never a fast one.
        let never = unheard.get(arm.mode.as_str()).copied().unwrap_or(0).max(0) as usize;
        let all = ms.len() + never;
        assert_eq!((found.n, found.never), (all as u64, never as u64), "{}, seed {seed}", arm.mode);
        assert_eq!(found.largest_ms, ms.last().copied(), "{}, seed {seed}", arm.mode);
        let median = ms.get((all - 1) / 2).zip(ms.get(all / 2)).map(|(lower, upper)| (lower + upper) as f64 / 2.0);
        assert_eq!(found.p50.estimate, median, "{}, seed {seed}", arm.mode);
    }
}

/// Metrics that become sums of turns.
const OF_TURNS: &[&str] = &["turn_ms", "call_turn_half_ms", "call_turn_all_half_ms", "call_turn_faulty_half_ms"];

/// The sums that are kept of turns, against the same made of every turn; and whoever was talked to more than once.
/// The guards: `ranks`, `sizes`, the two medians and `talked_calls` of `acts/latencies.rs` and its statements.
async fn sums_of_turns(bench: &Bench, told: &History, settings: &Settings, seed: u64) {
    let calls: Vec<CallTurns> = told
        .attempts
        .iter()
        .filter(|(_, a)| !a.own_mode && a.outcome == Some(Outcome::Answered))
        .flat_map(|(id, a)| CallTurns::gather(a.turns.iter().filter_map(|t| turn_row(id.0, a, t))))
        .collect();
    let campaign = bench.store.campaign(told.campaign).await.unwrap().unwrap();
    let mut figures = gather::figures(&bench.store, &campaign, settings, NOON).await.unwrap();
    figures.put_in_order();
    assert_eq!(figures.turns, TurnSums::of(&calls), "sums of turns, seed {seed}");
    let sorted = |calls: Vec<CallTurns>| {
        let own = |mut call: CallTurns| {
            call.answered_ms.sort_unstable();
            (
                call.night,
                call.mode,
                call.try_number,
                call.answered_ms,
                call.unanswered,
                call.method,
                (call.goal, call.faulty),
            )
        };
        let mut own: Vec<_> = calls.into_iter().map(own).collect();
        own.sort();
        own
    };
    assert_eq!(sorted(figures.repeats), sorted(CallTurns::repeats(&calls)), "repeats, seed {seed}");
}

/// An interruption is no wait.
fn turn_row(attempt: i64, a: &Remembered, turn: &Turn) -> Option<TurnRow> {
    let waited = turn.turn_ms.is_none_or(|ms| ms >= 0);
    waited.then(|| TurnRow {
        night: a.night,
        mode: a.mode.parse().unwrap(),
        contact: a.contact as i64,
        attempt,
        try_number: a.try_number,
        turn_ms: turn.turn_ms,
        method: Method::parse(&turn.method),
        goal: a.call.as_ref().is_some_and(|call| call.goal == Some(true)),
        faulty: a.call.as_ref().is_some_and(|call| call.fault.is_some()),
    })
}

fn settings() -> Settings {
    const SETTINGS: &str = "name = \"history\"\npurpose = \"test\"\n\
                            modes = { dialog = 1, realtime = 1, realtime_pure = 1 }\n";
    let modes = ["dialog", "realtime", "realtime_pure", "greeting"].map(|mode| mode.parse().unwrap());
    halo::intake::settings::parse(SETTINGS, &modes.into_iter().collect()).unwrap()
}

/// Contacts that named their own mode: called, and in no comparison.
fn apart(told: &History, counted: &halo::store::figures::Counted, seed: u64) {
    let (mut contacts, mut sums) = (BTreeMap::<String, BTreeSet<usize>>::new(), Counts::new());
    for a in told.attempts.values().filter(|a| a.own_mode) {
        let Some(outcome) = a.outcome else { continue };
        contacts.entry(a.mode.clone()).or_default().insert(a.contact);
        let human = outcome == Outcome::Answered;
        let goal = human && a.call.as_ref().is_some_and(|call| call.goal == Some(true));
        let values = [!NOT_DIALLED.contains(&outcome), outcome.is_answered(), human, goal].map(i64::from);
        add(&mut sums, a.mode.clone(), &values);
    }
    let rows: Counts<_> =
        counted.apart.iter().map(|r| (r.mode.clone(), vec![r.attempts, r.answered, r.human, r.goals])).collect();
    assert_eq!(rows, sums, "apart, seed {seed}");
    for row in &counted.apart {
        assert_eq!(row.contacts, contacts[&row.mode].len() as i64, "apart, seed {seed}");
    }
}

async fn prove_counts_what_a_person_counts(bench: Bench) {
    for seed in SEEDS..2 * SEEDS {
        bench.store.wipe().await.unwrap();
        let told = history(&bench, seed).await;
        let proved = bench.store.prove(told.campaign).await.unwrap();
        let count = |so: fn(&Remembered) -> bool| told.attempts.values().filter(|a| so(a)).count() as i64;
        let calls = &proved.calls;
        assert_eq!(calls.attempts, count(|_| true));
        assert_eq!(calls.ended, count(|a| a.outcome.is_some()));
        assert_eq!(calls.live, count(|a| a.outcome.is_none() && a.dialed_at.is_some()));
        assert_eq!(calls.planned + calls.dialing + calls.live + calls.ended, calls.attempts);
        assert_eq!(calls.granted, count(|a| a.dialed_at.is_some()));
        let twins = count(|a| a.billed_twin.is_some());
        assert_eq!(calls.sessions_in_history, count(|a| a.history.is_some()) + twins);
        assert_eq!(calls.calls_in_history, count(|a| a.history == Some(1)));
        assert_eq!(calls.granted_without_history, count(|a| a.dialed_at.is_some() && a.history.is_none()));
        let silent = |a: &Remembered| a.outcome.is_some_and(Outcome::is_answered) && a.history == Some(0);
        assert_eq!(calls.answered_without_call, count(silent));
        assert_eq!((calls.attempts_called_twice, calls.calls_without_grant), (0, 0));

        assert_eq!(proved.runs.len(), 2);
        for run in &proved.runs {
            assert_eq!(run.contacts, told.nights[&run.ordinal].len() as i64);
            assert_eq!(run.rested + run.waiting + run.busy, run.contacts, "a contact is nowhere, seed {seed}");
            let mut tries = BTreeMap::<usize, i64>::new();
            for a in told.attempts.values().filter(|a| a.night == run.ordinal && a.dialed_at.is_some()) {
                *tries.entry(a.contact).or_default() += i64::from(a.outcome != Some(Outcome::NoFunds));
            }
            assert_eq!(run.tries_max, tries.into_values().max().unwrap_or(0), "seed {seed}");
        }
        let unclear = count(|a| a.outcome == Some(Outcome::ScenarioError)) + calls.dialing + calls.live;
        assert_eq!(proved.unclear.len() as i64, unclear);
    }
}

/// The guards: each comparison of `report::verify`, seen by taking a row away or changing a cell.
async fn an_export_is_counted_again_to_the_same_figures(bench: Bench) {
    let settings = settings();
    for seed in 2 * SEEDS..3 * SEEDS {
        bench.store.wipe().await.unwrap();
        let told = history(&bench, seed).await;
        let campaign = bench.store.campaign(told.campaign).await.unwrap().unwrap();
        let mut export = Export::of(&bench.store, What::Attempts, "history", Shape::default()).await.unwrap();
        let mut bytes = Vec::new();
        while let Some(piece) = export.piece().await.unwrap() {
            bytes.extend(piece);
        }
        let marks = gather::marks(&bench.store, &campaign).await.unwrap();
        let figures = gather::figures(&bench.store, &campaign, &settings, NOON).await.unwrap();
        let same = verify(&bytes, &figures, &marks).unwrap();
        assert_eq!(same.verified, Verified::Same, "seed {seed}: {}", same.text());
        assert!(same.figures > 50 && same.rows > 20, "{}", same.text());

        let text = String::from_utf8(bytes).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let answered = lines.iter().position(|line| line.contains(",answered,")).expect("somebody answered");
        let without: Vec<&str> =
            lines.iter().enumerate().filter(|(place, _)| *place != answered).map(|(_, line)| *line).collect();
        let found = verify((without.join("\n") + "\n").as_bytes(), &figures, &marks).unwrap();
        assert_eq!(found.verified, Verified::Differs, "seed {seed}: a row is missing");
        let machine = lines[answered].replace(",answered,", ",machine,");
        let forged = text.replace(lines[answered], &machine);
        assert_eq!(verify(forged.as_bytes(), &figures, &marks).unwrap().exit_code(), 1, "seed {seed}: a cell");
        let later = Marks { watermark: Some("2099-01-01T00:00:00Z".into()), ..marks.clone() };
        assert_eq!(verify(text.as_bytes(), &figures, &later).unwrap().exit_code(), 3, "the data has moved on");
        let other = Marks { seed: "0".into(), ..marks };
        assert_eq!(verify(text.as_bytes(), &figures, &other).unwrap().exit_code(), 1, "another campaign's");
        assert!(verify(b"phone\n1\n", &figures, &other).is_err(), "no export of attempts");

        // The view for people counts what the report counts.
        let funnel = |column: &str| format!("select cast(coalesce(sum({column}), 0) as bigint) from report_funnel");
        let of = |count: fn(&CallRow) -> u64| figures.calls.iter().map(count).sum::<u64>() as i64;
        assert_eq!(bench.number(&funnel("human")).await, of(|row| row.human));
        assert_eq!(bench.number(&funnel("answered")).await, of(|row| row.human + row.machine));
        assert_eq!(bench.number(&funnel("conversed")).await, of(|row| row.conversed));
        let attempts = figures.attempts.iter().filter(|row| is_counted(row.outcome)).map(|row| row.n).sum::<u64>();
        assert_eq!(bench.number(&funnel("attempts")).await, attempts as i64);
        let assigned = figures.night_contacts.iter().map(|row| row.assigned).sum::<u64>();
        assert_eq!(bench.number(&funnel("assigned")).await, assigned as i64);
    }
}
