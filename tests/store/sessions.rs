//! Sessions: every one is asked about until history knows it, and none is passed over for ever.

use super::histories::history_row;
use crate::both_engines;
use crate::common::Bench;
use crate::common::calls::{NOON, token};
use halo::domain::{AttemptId, Outcome, SessionId, Timestamp};
use halo::store::{AskLater, Call, Change, HistoryRow, Record, StartAnswer};
use std::collections::BTreeSet;

both_engines! {
    every_session_is_asked_about_until_history_knows_it
    whoever_is_never_known_keeps_nobody_waiting
    sessions_from_before_the_table_are_known
    history_is_kept_whole_and_tells_the_cost
}

async fn every_session_is_asked_about_until_history_knows_it(bench: Bench) {
    let calls = bench.run_of(2).await;
    let live = calls.all_live(100, NOON).await;
    // One start made two sessions: its own answer names another one than the grant.
    let answer =
        StartAnswer { token: token(100), session: Some(SessionId(50)), access_url: None, at: NOON, result: "started" };
    calls.store.answer_start(answer).await.unwrap();
    // A third is known by its event alone, told after history told of another.
    let later = NOON.plus_ms(7);
    let heard = |session| crate::common::calls::heard(SessionId(session), 1, "Ringing");
    let asked = async |now: Timestamp| {
        let due = calls.store.sessions_to_ask(calls.account, now).await.unwrap();
        due.iter().map(|s| (s.session.0, s.busy, s.waited_ms)).collect::<Vec<_>>()
    };
    calls
        .report(
            live[0].0,
            heard(51),
            Outcome::Busy,
            Call { session: 51, source: "event", ..Call::default() },
            Vec::new(),
            later,
        )
        .await;
    assert_eq!(asked(NOON).await, [(50, true, 0), (100, true, 0), (101, true, 0)]);
    assert_eq!(asked(later).await, [(50, true, 0), (100, true, 0), (101, true, 0), (51, true, 0)], "longest due first");
    let elsewhere = bench.store.ensure_account("api.voximplant.com/7", None, None, NOON).await.unwrap();
    assert!(calls.store.sessions_to_ask(elsewhere, later).await.unwrap().is_empty(), "another platform knows them not");

    // Asked in vain: the next time is later; an end makes it due at once.
    let waits = |session, ms: Option<i64>| AskLater {
        session: SessionId(session),
        ask_at: ms.map(|ms| NOON.plus_ms(ms)),
        waited_ms: ms.unwrap_or(0),
    };
    calls.store.ask_later(vec![waits(101, Some(5_000)), waits(51, Some(1)), waits(7, Some(1))]).await.unwrap();
    assert_eq!(asked(later).await, [(50, true, 0), (100, true, 0), (51, true, 1)]);
    assert!(calls.finish(live[1].0, live[1].1, Outcome::Busy, later).await);
    assert_eq!(asked(later).await, [(50, true, 0), (100, true, 0), (51, true, 1), (101, false, 0)]);
    assert_eq!(calls.store.sessions_left(calls.run).await.unwrap(), 4);

    // Given up: it is not asked for any more, and no news brings it back.
    calls.store.ask_later(vec![waits(51, None)]).await.unwrap();
    for _ in 0..2 {
        let rows = vec![
            history_row(live[0].0, SessionId(50), 0, Some(5)),
            history_row(live[0].0, SessionId(100), 1, Some(5)),
            history_row(live[1].0, SessionId(101), 9, Some(5)),
            history_row(live[1].0, SessionId(101), 1, Some(5)),
        ];
        calls.store.put_history(rows).await.unwrap();
    }
    let again = crate::common::calls::heard(SessionId(51), 2, "Ringing");
    calls
        .report(
            live[0].0,
            again,
            Outcome::Busy,
            Call { session: 51, source: "event", ..Call::default() },
            Vec::new(),
            later,
        )
        .await;
    calls.store.ask_later(vec![waits(50, Some(1))]).await.unwrap();
    assert!(calls.finish(live[0].0, live[0].1, Outcome::Busy, later).await);
    assert!(asked(later.plus_ms(1 << 40)).await.is_empty());
    assert_eq!(calls.store.sessions_left(calls.run).await.unwrap(), 0);
    let proved = calls.store.prove(calls.campaign).await.unwrap().calls;
    assert_eq!((proved.sessions_in_history, proved.calls_in_history, proved.granted), (3, 2, 2));
    assert_eq!((proved.attempts_called_twice, proved.calls_without_grant, proved.granted_without_history), (0, 0, 0));

    // The law that this is for: a session that had no grant has called somebody.
    bench.execute("update history set calls = 1 where session_id = 50").await.unwrap();
    bench.execute("update history set calls = 0 where session_id = 100").await.unwrap();
    let proved = calls.store.prove(calls.campaign).await.unwrap().calls;
    assert_eq!((proved.attempts_called_twice, proved.calls_without_grant), (0, 1));
    bench.execute("update history set calls = 1 where session_id = 100").await.unwrap();
    let proved = calls.store.prove(calls.campaign).await.unwrap().calls;
    assert_eq!((proved.attempts_called_twice, proved.calls_without_grant), (1, 1));
}

/// More sessions that no history knows than one sweep takes. Without the order by the time that is due (say, by
/// session), the same first five hundred are asked for ever, and the last one never.
async fn whoever_is_never_known_keeps_nobody_waiting(bench: Bench) {
    let calls = bench.run_of(1).await;
    let (attempt, _) = calls.all_live(1, NOON).await[0];
    let unknown: Vec<String> =
        (2..=1200).map(|id| format!("({id}, {}, {}, {}, {})", attempt.0, calls.account, NOON.0, NOON.0)).collect();
    let insert = "insert into sessions (session_id, attempt_id, account_id, known_at, ask_at) values";
    bench.execute(&format!("{insert} {}", unknown.join(", "))).await.unwrap();
    let mut met = BTreeSet::new();
    let mut now = NOON;
    for _ in 0..3 {
        now = now.plus_ms(1000);
        let due = calls.store.sessions_to_ask(calls.account, now).await.unwrap();
        assert!(due.len() <= 500, "a sweep is bounded");
        met.extend(due.iter().map(|s| s.session.0));
        let later = |s: &halo::store::SessionToAsk| AskLater {
            session: s.session,
            ask_at: Some(now.plus_ms(500)),
            waited_ms: 500,
        };
        calls.store.ask_later(due.iter().map(later).collect()).await.unwrap();
    }
    assert_eq!(met.len(), 1200, "everybody had a turn in three sweeps");
}

/// The migration's own statement, on rows as the schema before it kept them.
async fn sessions_from_before_the_table_are_known(bench: Bench) {
    let calls = bench.run_of(3).await;
    let live = calls.all_live(100, NOON).await;
    let answer =
        StartAnswer { token: token(100), session: Some(SessionId(50)), access_url: None, at: NOON, result: "started" };
    calls.store.answer_start(answer).await.unwrap();
    let heard = crate::common::calls::heard(SessionId(51), 1, "Ringing");
    calls
        .report(
            live[0].0,
            heard,
            Outcome::Busy,
            Call { session: 51, source: "event", ..Call::default() },
            Vec::new(),
            NOON,
        )
        .await;
    calls.store.put_history(vec![history_row(live[2].0, live[2].1, 1, None)]).await.unwrap();
    let dump = async || {
        let mut known = Vec::new();
        for session in [50, 51, 100, 101, 102] {
            let of = |what: &str| format!("select coalesce({what}, -1) from sessions where session_id = {session}");
            known.push((
                session,
                bench.number(&of("attempt_id")).await,
                bench.number(&of("account_id")).await,
                bench.number(&of("ask_at")).await > 0,
            ));
        }
        known
    };
    let before = dump().await;
    assert!(!before[4].3 && before[..4].iter().all(|row| row.3));
    bench.execute("delete from sessions").await.unwrap();
    let migration = include_str!("../../migrations/0003_history.sql");
    let backfill = migration.split(';').map(str::trim).find(|text| text.starts_with("insert into sessions"));
    bench.execute(backfill.expect("the migration fills the table")).await.unwrap();
    assert_eq!(dump().await, before);
    assert_eq!(bench.number("select count(*) from sessions").await, 5);
}

fn told(attempt: AttemptId, session: SessionId) -> HistoryRow {
    let record = |n: i64| Record { url: format!("https://storage.example/{n}"), duration_s: Some(30 + n) };
    HistoryRow {
        reason: Some("Normal call clearing".into()),
        log_url: Some("https://storage.example/log".into()),
        records: vec![record(1), record(2)],
        ..history_row(attempt, session, 1, Some(700))
    }
}

async fn history_is_kept_whole_and_tells_the_cost(bench: Bench) {
    let calls = bench.run_of(1).await;
    let (attempt, session) = calls.all_live(100, NOON).await[0];
    assert_eq!(calls.store.known_history(attempt).await.unwrap(), None);
    assert!(!calls.store.was_recorded(attempt).await.unwrap());
    let cost = async || calls.store.attempts(calls.campaign, 0, 1).await.unwrap()[0].cost_micros;
    let tell = async |cost_micros, recorded| {
        let call = Call { session: session.0, source: "event", cost_micros, recorded, ..Call::default() };
        calls.decide(attempt, NOON, move |_| (Change { call: Some(call.clone()), ..Change::default() }, ())).await;
    };
    assert_eq!(cost().await, None);
    tell(Some(500), Some(true)).await;
    assert_eq!(cost().await, Some(500), "until history tells, the session's word stands");
    tell(Some(510), None).await;
    assert!(calls.store.was_recorded(attempt).await.unwrap(), "a later event that does not say so takes nothing back");

    // Another session of this attempt was billed first: it counts beside the call's own word.
    calls.store.put_history(vec![history_row(attempt, SessionId(7), 0, Some(3))]).await.unwrap();
    assert_eq!(cost().await, Some(513));
    assert_eq!(calls.store.known_history(attempt).await.unwrap(), None, "it is not the one that held the grant");
    calls.store.put_history(vec![told(attempt, session)]).await.unwrap();
    assert_eq!(cost().await, Some(703), "what is billed corrects what was told");
    tell(Some(999), None).await;
    assert_eq!(cost().await, Some(703), "and an event that comes late does not take it back");

    let known = calls.store.known_history(attempt).await.unwrap().expect("told");
    let expected = told(attempt, session);
    assert_eq!((known.session, known.talk_s, known.session_s, known.code), (session, Some(32), Some(41), Some(200)));
    assert_eq!((known.reason, known.log_url, known.costs), (expected.reason, expected.log_url, expected.costs));
    assert_eq!(known.records, expected.records, "in their order");
    assert_eq!(
        calls.store.attempts(calls.campaign, 0, 1).await.unwrap()[0].talk_ms,
        None,
        "seconds are no session time"
    );
}
