//! The counts of latencies are kept up by whatever ends an attempt or changes an ended one, and are the same as if they
//! were counted anew.

use super::histories::history;
use crate::both_engines;
use crate::common::Bench;
use crate::common::calls::{NOON, heard};
use halo::domain::state::Event;
use halo::domain::{Outcome, SessionId};
use halo::store::{Call, ContactChange, Note, Turn};

both_engines! {
    counts_that_were_kept_up_are_those_counted_anew
    late_turns_and_a_corrected_loss_move_what_was_counted
    the_migration_counts_what_was_there_before_it
}

/// Everything that the counts hold, in few numbers: by class, method, first turn or later, and a sum over the keys.
async fn told(bench: &Bench) -> Vec<i64> {
    let mut found = Vec::new();
    for part in [
        "class = 'human'",
        "class = 'machine'",
        "method = 'vad'",
        "method = 'event'",
        "method = ''",
        "later = 1",
        "ms = -1",
        "metric = 'turn_ms'",
        "metric = 'answer_ms'",
        "metric = 'filler_turn_ms'",
        "metric = 'filler_content_ms'",
        "metric = 'call_turn_half_ms'",
        "metric = 'call_turn_all_half_ms'",
        "metric = 'call_turn_faulty_half_ms'",
    ] {
        for sum in ["n", "n * (ms + 2)", "n * (ms + 2) * (run_id % 1009)", "ranks * (ms + 2)", "sizes * (ms + 2)"] {
            let question = format!("select cast(coalesce(sum({sum}), 0) as bigint) from latency_counts where {part}");
            found.push(bench.number(&question).await);
        }
    }
    for sum in [
        "n",
        "goals * 3 + conversed",
        "early_hangups * 5 + late_greetings",
        "talk_ms",
        "cost_micros * 7 + costed",
        "ringing * 3 + faults",
        "interruptions * 5 + barge_ins * 3 + fillers",
    ] {
        let question = format!(
            "select cast(coalesce(sum(({sum}) * (run_id % 1009 + length(outcome))), 0) as bigint) from attempt_counts"
        );
        found.push(bench.number(&question).await);
    }
    let met = "assigned * 17 + dialled + reached * 3 + goals * 7 + clean * 11 + clean_goals * 13";
    let question = format!("select cast(coalesce(sum(({met}) * (run_id % 1009)), 0) as bigint) from contact_counts");
    found.push(bench.number(&question).await);
    found.push(bench.number("select count(*) from talked_calls").await);
    found.push(bench.number("select cast(coalesce(sum(attempt_id % 1009), 0) as bigint) from talked_calls").await);
    found
}

/// The guards: `Latencies::before`, `note`, `wave` and `apply` in `acts/decide.rs`, `counts` in `acts/sessions.rs`.
async fn counts_that_were_kept_up_are_those_counted_anew(bench: Bench) {
    for seed in 20..24 {
        bench.store.wipe().await.unwrap();
        history(&bench, seed).await;
        let kept = told(&bench).await;
        assert!(kept[0] > 0 && bench.number("select count(*) from latency_counts where n < 0").await == 0);
        bench.store.count_latencies_anew().await.unwrap();
        assert_eq!(kept, told(&bench).await, "seed {seed}");
    }
}

fn turns(ms: &[i64]) -> Vec<Turn> {
    (1..).zip(ms).map(|(turn, ms)| Turn { turn, turn_ms: Some(*ms), method: "vad".into(), ..Turn::default() }).collect()
}

/// The guards: the same, and `late` in `acts/note.rs`.
async fn late_turns_and_a_corrected_loss_move_what_was_counted(bench: Bench) {
    let calls = bench.run_of(2).await;
    let live = calls.all_live(500, NOON).await;
    let (first, second) = (live[0], live[1]);
    let call = |session: SessionId| Call {
        session: session.0,
        source: "event",
        answer_ms: Some(40),
        first_audio_ms: None,
        ..Call::default()
    };
    let of = |metric: &str, ms: i64| {
        let question = format!(
            "select cast(coalesce(sum(n), 0) as bigint) from latency_counts where metric = '{metric}' and ms = {ms}"
        );
        let bench = &bench;
        async move { bench.number(&question).await }
    };
    let (attempt, session) = first;
    // While it is under way nothing of it counts.
    let note = |seq, ms: &[i64]| Note { attempt, now: NOON, heard: heard(session, seq, "Turn"), turns: turns(ms) };
    calls.store.note(note(1, &[900])).await.unwrap();
    assert_eq!(of("turn_ms", 900).await, 0);
    calls
        .report(attempt, heard(session, 2, "Disconnected"), Outcome::Answered, call(session), turns(&[900, 700]), NOON)
        .await;
    assert_eq!((of("turn_ms", 900).await, of("turn_ms", 700).await), (1, 1));
    assert_eq!((of("answer_ms", 40).await, of("first_audio_ms", -1).await), (1, 1));
    // A turn that is told late, and otherwise.
    calls.store.note(note(3, &[950, 700, 600])).await.unwrap();
    assert_eq!((of("turn_ms", 900).await, of("turn_ms", 950).await, of("turn_ms", 600).await), (0, 1, 1));

    // Silence, and then the truth.
    let (attempt, session) = second;
    let silent = Event::Silent { by: session };
    assert!(calls.step(attempt, silent, ContactChange::Rests(Outcome::Lost), NOON).await);
    assert_eq!(of("turn_ms", 800).await, 0);
    calls
        .report(attempt, heard(session, 1, "Disconnected"), Outcome::Answered, call(session), turns(&[800]), NOON)
        .await;
    assert_eq!((of("turn_ms", 800).await, of("answer_ms", 40).await), (1, 2));
    let kept = told(&bench).await;
    bench.store.count_latencies_anew().await.unwrap();
    assert_eq!(kept, told(&bench).await);
}

/// The last migration's own statement for each, on rows as the schema before it kept them.
async fn the_migration_counts_what_was_there_before_it(bench: Bench) {
    history(&bench, 30).await;
    let kept = told(&bench).await;
    let sums = include_str!("../../migrations/0021_report_sums.sql");
    let contacts = [sums, include_str!("../../migrations/0025_assigned.sql")].concat();
    for (table, migration) in [
        ("latency_counts", sums),
        ("talked_calls", sums),
        ("attempt_counts", include_str!("../../migrations/0030_told_costs.sql")),
        ("contact_counts", &contacts),
    ] {
        bench.execute(&format!("delete from {table}")).await.unwrap();
        let fills = format!("insert into {table}");
        let backfill: Vec<&str> = migration.split(';').map(str::trim).filter(|text| text.starts_with(&fills)).collect();
        assert!(!backfill.is_empty(), "a migration fills {table}");
        for text in backfill {
            bench.execute(text).await.unwrap();
        }
    }
    assert_eq!(kept, told(&bench).await);
}
