//! Streams of audio: kept once, read with their attempt.

use crate::both_engines;
use crate::common::Bench;
use crate::common::calls::NOON;
use halo::domain::AttemptId;
use halo::store::MediaStream;

both_engines! {
    a_stream_is_kept_once_and_read_in_its_order
    a_finished_demo_leaves_no_stream
}

fn stream(attempt: AttemptId, opened_at: i64, ended_by: &str) -> MediaStream {
    MediaStream {
        attempt_id: attempt.0,
        opened_at,
        lasted_ms: 12_345,
        model: "gpt-realtime".to_owned(),
        encoding: "ULAW".to_owned(),
        ended_by: ended_by.to_owned(),
        reason: "1011 internal error".to_owned(),
        tally: "{\"lost\":0}".to_owned(),
        tools: "[]".to_owned(),
        cost_micros: (opened_at == 7).then_some(1_234),
    }
}

/// Guards: `where media_streams.ended_by = 'open'`, and the order.
async fn a_stream_is_kept_once_and_read_in_its_order(bench: Bench) {
    let calls = bench.run_of(2).await;
    let live = calls.all_live(100, NOON).await;
    let row = |opened_at: i64, ended_by: &str| stream(live[0].0, opened_at, ended_by);
    let put = |at, ended_by| calls.store.put_media_stream(row(at, ended_by));
    put(7, "open").await.unwrap();
    put(7, "model_closed").await.unwrap();
    put(3, "call_lost").await.unwrap();
    put(7, "call").await.unwrap();
    let kept = calls.store.media_streams(&[live[1].0.0, live[0].0.0]).await.unwrap();
    assert_eq!(kept, [row(3, "call_lost"), row(7, "model_closed")]);
    assert!(calls.store.media_streams(&[live[1].0.0]).await.unwrap().is_empty());
}

/// Guards: its line in `wipe`, without which the attempts cannot go either.
async fn a_finished_demo_leaves_no_stream(bench: Bench) {
    let calls = bench.run_of(1).await;
    let (attempt, _) = calls.all_live(100, NOON).await[0];
    calls.store.put_media_stream(stream(attempt, 7, "call")).await.unwrap();
    calls.store.wipe().await.unwrap();
    assert_eq!(bench.number("select count(*) from media_streams").await, 0);
}
