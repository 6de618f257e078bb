//! The one writer: batches, faults, the way out; and the ids that acts are given.

use crate::both_engines;
use crate::common::Bench;
use crate::common::calls::{NOON, heard};
use halo::domain::SessionId;
use halo::store::{Change, Decide, Decided, Ids, StoreError, Turn, WriteError};
use std::collections::HashSet;
use std::sync::Arc;

both_engines! {
    a_faulty_act_hurts_only_its_caller
    a_panic_hurts_only_its_caller
    what_was_handed_in_is_written_before_the_end
    nothing_is_taken_after_the_end
    one_caller_gone_is_nobody_elses_loss
}

fn event(bench_attempt: halo::domain::AttemptId, seq: i64, change: fn() -> Change) -> Decide<i64> {
    Decide {
        attempt: bench_attempt,
        now: NOON,
        start: None,
        heard: Some(heard(SessionId(100), seq, "Turn")),
        decision: Arc::new(move |_| (change(), seq)),
    }
}

fn faulty() -> Change {
    // The schema counts turns from 1.
    Change { turns: vec![Turn { turn: -1, method: "vad".into(), ..Turn::default() }], ..Change::default() }
}

/// The guard: a batch that failed is applied again one by one.
async fn a_faulty_act_hurts_only_its_caller(bench: Bench) {
    let calls = bench.run_of(1).await;
    let (attempt, _) = calls.all_live(100, NOON).await[0];
    let acts = (1..200).map(|seq| {
        let change = if seq % 50 == 7 { faulty } else { Change::default };
        calls.store.decide(event(attempt, seq, change))
    });
    let done = futures::future::join_all(acts).await;
    for (seq, done) in (1..).zip(&done) {
        match done {
            Ok(Decided::Done(answer)) => assert_eq!((*answer, seq % 50 == 7), (seq, false)),
            Ok(_) => panic!("event {seq} was new"),
            Err(_) => assert_eq!(seq % 50, 7, "event {seq}"),
        }
    }
    assert_eq!(bench.number("select count(*) from events").await, 195);
    assert_eq!(bench.number("select count(*) from events where seq = 57").await, 0, "a faulty act is undone whole");
}

/// The guard: `caught` in the writer. Without it the writer is gone, and every later act with it.
async fn a_panic_hurts_only_its_caller(bench: Bench) {
    let calls = bench.run_of(1).await;
    let (attempt, _) = calls.all_live(100, NOON).await[0];
    let acts = (1..20).map(|seq| {
        let change: fn() -> Change =
            if seq == 11 { || panic!("a fault of ours, wanted here") } else { Change::default };
        calls.store.decide(event(attempt, seq, change))
    });
    let done = futures::future::join_all(acts).await;
    let failed: Vec<usize> = (0..done.len()).filter(|n| done[*n].is_err()).collect();
    assert_eq!(failed, [10]);
    assert!(matches!(done[10], Err(StoreError::Write(WriteError::Panicked))));
    assert_eq!(bench.number("select count(*) from events").await, 18);
}

async fn what_was_handed_in_is_written_before_the_end(bench: Bench) {
    let calls = bench.run_of(1).await;
    let (attempt, _) = calls.all_live(100, NOON).await[0];
    let store = calls.store.clone();
    let waiting: Vec<_> = (1..500)
        .map(|seq| {
            let store = store.clone();
            tokio::spawn(async move { store.decide(event(attempt, seq, Change::default)).await.is_ok() })
        })
        .collect();
    // Everybody has been handed in once the last was.
    let last = calls.store.decide(event(attempt, 500, Change::default)).await;
    assert!(last.is_ok());
    calls.store.close().await;
    let mut written = 1;
    for waiting in waiting {
        written += i64::from(waiting.await.unwrap());
    }
    let again = bench.another().await;
    assert_eq!(
        again.events(attempt).await.unwrap().len() as i64,
        written,
        "who was told so is durable, and nobody else"
    );
}

async fn nothing_is_taken_after_the_end(bench: Bench) {
    bench.store.close().await;
    assert!(bench.store.set_installation_value("key", "late".into()).await.is_err());
    let again = bench.another().await;
    assert_eq!(again.installation_value("key").await.unwrap(), None);
}

async fn one_caller_gone_is_nobody_elses_loss(bench: Bench) {
    let calls = bench.run_of(1).await;
    let (attempt, _) = calls.all_live(100, NOON).await[0];
    for seq in 1..50 {
        // Polled once and dropped: handed in, and nobody waits for the answer.
        let gone = calls.store.decide(event(attempt, seq, Change::default));
        tokio::select! { biased; _ = gone => {}, () = std::future::ready(()) => {} }
    }
    assert!(calls.store.decide(event(attempt, 50, Change::default)).await.is_ok());
    assert_eq!(bench.number("select count(*) from events").await, 50);
}

#[test]
fn ids_are_unique_over_threads() {
    let ids = Ids::new();
    let threads: Vec<_> = (0..8)
        .map(|thread| {
            let ids = ids.clone();
            std::thread::spawn(move || {
                let mut mine = Vec::new();
                for n in 0..5_000 {
                    // Time may even go back.
                    let now = NOON.0 + if n % 2 == 0 { 0 } else { -thread };
                    let many = n % 3 + 1;
                    let first = ids.take(now, many);
                    mine.extend(first..first + many as i64);
                }
                mine
            })
        })
        .collect();
    let all: Vec<i64> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
    assert!(all.iter().all(|id| *id > 0));
    assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len());
    // Two processes that begin in the same millisecond.
    let firsts: HashSet<i64> = (0..100).map(|_| Ids::new().one(NOON.0)).collect();
    assert!(firsts.len() > 95, "the dice decide: {}", firsts.len());
}
