//! claim, grant, defer, settle: one decision about one attempt, under its locks.

use crate::both_engines;
use crate::common::Bench;
use crate::common::calls::{Calls, HELD_MS, NOON, contact, heard, moved, new_campaign, phone, token};
use halo::domain::clearance::Gate;
use halo::domain::settings::Take;
use halo::domain::state::{Event, State};
use halo::domain::{AttemptId, Outcome, SessionId};
use halo::store::{
    Call, Change, ContactChange, Decide, Decided, DialogueTurn, Made, Planned, Stand, StartAnswer, StoreError, Turn,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

both_engines! {
    an_attempt_goes_its_way
    one_claim_wins
    one_session_is_granted
    one_live_call_for_a_number
    a_deferral_counts_nothing_and_keeps_old_tokens_known
    an_event_is_stored_once
    a_late_truth_corrects_lost_once
    an_event_stands_above_history
    turns_are_told_again
    a_number_is_suppressed_with_the_event_that_asked_for_it
    a_row_that_breaks_a_rule_cannot_be_loaded
    a_dialogue_answers_a_turn_once
    nobody_is_known_by_a_wrong_id
}

async fn an_attempt_goes_its_way(bench: Bench) {
    let calls = bench.run_of(1).await;
    let planned = calls.plan(NOON).await[0];
    let id = planned.attempt;
    let held = async || calls.store.attempt(id).await.unwrap().unwrap();
    assert!(matches!(held().await.state, State::Planned { .. }));
    assert_eq!(calls.store.slot_us(id).await.unwrap(), Some(planned.slot_us));

    assert!(calls.claim(planned, token(1), NOON).await);
    assert_eq!(held().await.state, State::Dialing { claimed_at: NOON, token: token(1) });
    assert_eq!(calls.store.slot_us(id).await.unwrap(), None);
    assert!(!held().await.start_had_session);
    let answer =
        StartAnswer { token: token(1), session: Some(SessionId(7)), access_url: None, at: NOON, result: "started" };
    calls.store.answer_start(answer).await.unwrap();
    let dialing = held().await;
    assert!(dialing.start_had_session);
    assert_eq!(dialing.session, None, "a start's own answer moves nothing");

    let at = NOON.plus_ms(5);
    assert!(calls.grant(id, token(1), 1 << 40, at).await);
    let session = SessionId(1 << 40);
    assert_eq!(held().await.state, State::Live { dialed_at: at, token: token(1), session });
    assert_eq!(held().await.held_until, Some(at.plus_ms(HELD_MS)));

    let end = NOON.plus_ms(900);
    assert!(calls.finish(id, session, Outcome::Answered, end).await);
    assert_eq!(held().await.state, State::Ended { ended_at: end, outcome: Outcome::Answered });
    assert_eq!(held().await.disposition, Some(Outcome::Answered));
    assert!(!calls.finish(id, session, Outcome::Busy, end).await, "it has ended");
    let row = &calls.store.attempts(calls.campaign, 0, 10).await.unwrap()[0];
    assert_eq!((row.claimed_at, row.dialed_at, row.ended_at), (Some(NOON.0), Some(at.0), Some(end.0)));
    assert_eq!((row.session_id, row.outcome.as_deref(), row.try_number), (Some(1 << 40), Some("answered"), 1));
}

/// The guard: the machine's own compare-and-set, under the row's lock. Eight nodes, one nudge.
async fn one_claim_wins(bench: Bench) {
    let calls = bench.run_of(20).await;
    let other = bench.another().await;
    for planned in calls.plan(NOON).await {
        let second = Calls { store: other.clone(), bench: &bench, ..calls };
        let claims = (0..8).map(|n| {
            let calls = if n % 2 == 0 { &calls } else { &second };
            calls.claim(planned, token(((planned.attempt.0 as u64) << 3) | n), NOON)
        });
        let won: Vec<bool> = futures::future::join_all(claims).await;
        assert_eq!(won.iter().filter(|won| **won).count(), 1);
    }
    assert_eq!(bench.number("select count(*) from starts").await, 20);
}

async fn one_session_is_granted(bench: Bench) {
    let calls = bench.run_of(10).await;
    for planned in calls.plan(NOON).await {
        let token = token(planned.attempt.0 as u64);
        assert!(calls.claim(planned, token, NOON).await);
        let grants = (1..5).map(|session| calls.grant(planned.attempt, token, session, NOON));
        let granted: Vec<bool> = futures::future::join_all(grants).await;
        assert_eq!(granted.iter().filter(|granted| **granted).count(), 1);
    }
}

/// A second campaign that calls the same number.
async fn beside(bench: &Bench, calls: &Calls<'_>) -> Planned {
    let new = new_campaign(&bench.store, "beside", vec![contact(0)], Vec::new());
    let campaign = new.campaign.campaign;
    bench.store.create_campaign(new).await.unwrap();
    bench.store.start_run(campaign, calls.account, Take::All, NOON).await.unwrap();
    calls.plan(NOON).await[0]
}

/// The guards: the number's lock lets a grant see the other call; the index `one_live_call` refuses it
/// even where nobody looked.
async fn one_live_call_for_a_number(bench: Bench) {
    let calls = bench.run_of(1).await;
    let (live, _) = calls.all_live(100, NOON).await[0];
    let planned = beside(&bench, &calls).await;
    assert!(calls.claim(planned, token(1), NOON).await);
    let held = calls.store.attempt(planned.attempt).await.unwrap().unwrap();
    assert_eq!(held.number_held_until, Some(NOON.plus_ms(HELD_MS)));
    assert!(!calls.grant(planned.attempt, token(1), 200, NOON).await);

    let event = Event::Granted { of: token(1), session: SessionId(200) };
    let blind = Decide {
        attempt: planned.attempt,
        now: NOON,
        start: None,
        heard: Some(heard(SessionId(200), 1, "Ringing")),
        decision: Arc::new(move |held| (moved(held, &event, ContactChange::Busy, NOON).unwrap_or_default(), ())),
    };
    assert!(calls.store.decide(blind).await.is_err());
    let held = calls.store.attempt(planned.attempt).await.unwrap().unwrap();
    assert!(matches!(held.state, State::Dialing { .. }), "a refused decision leaves nothing behind");
    assert!(calls.store.events(planned.attempt).await.unwrap().is_empty());

    assert!(calls.finish(live, SessionId(100), Outcome::Busy, NOON).await);
    assert!(calls.grant(planned.attempt, token(1), 200, NOON).await);
}

async fn a_deferral_counts_nothing_and_keeps_old_tokens_known(bench: Bench) {
    let calls = bench.run_of(1).await;
    for n in 1..4 {
        let now = NOON.plus_ms(n * 60_000);
        let planned = calls.plan(now).await[0];
        assert!(calls.claim(planned, token(n as u64), now).await);
        let waits = ContactChange::Waits { due_at: now.plus_ms(5), gate: Gate::Provider };
        let of = |n: i64| Event::Deferred { of: token(n as u64), until: now.plus_ms(5) };
        assert!(!calls.step(planned.attempt, of(n - 1), waits, now).await, "an old token undoes nothing");
        assert!(calls.step(planned.attempt, of(n), waits, now).await);
        let held = calls.store.attempt(planned.attempt).await.unwrap().unwrap();
        assert_eq!((held.try_number, held.token, held.ended.len()), (1, None, 0));
    }
    let attempt = AttemptId(bench.number("select attempt_id from attempts").await);
    let mut known = calls.store.tokens(attempt).await.unwrap().unwrap();
    known.sort_by_key(ToString::to_string);
    let mut all = vec![token(1), token(2), token(3)];
    all.sort_by_key(ToString::to_string);
    assert_eq!(known, all);
    assert_eq!(calls.store.tokens(AttemptId(1)).await.unwrap(), None);
}

/// The guard: the primary key of `events`.
async fn an_event_is_stored_once(bench: Bench) {
    let calls = bench.run_of(1).await;
    let (attempt, session) = calls.all_live(100, NOON).await[0];
    let asked = Arc::new(AtomicUsize::new(0));
    let tell = |session, seq| {
        let asked = asked.clone();
        calls.store.decide(Decide {
            attempt,
            now: NOON,
            start: None,
            heard: Some(heard(session, seq, "Ringing")),
            decision: Arc::new(move |_| (Change::default(), asked.fetch_add(1, Ordering::SeqCst))),
        })
    };
    let copies = futures::future::join_all((0..10).map(|_| tell(session, 1))).await;
    let new = copies.iter().filter(|told| matches!(told, Ok(Decided::Done(_)))).count();
    let again = copies.iter().filter(|told| matches!(told, Ok(Decided::Again))).count();
    assert_eq!((new, again), (1, 9));
    assert_eq!(asked.load(Ordering::SeqCst), 1, "a copy decides nothing");
    assert!(matches!(tell(session, 2).await, Ok(Decided::Done(_))));
    assert!(matches!(tell(SessionId(5), 1).await, Ok(Decided::Done(_))), "another session counts for itself");
    let seqs: Vec<i64> = calls.store.events(attempt).await.unwrap().iter().map(|e| e.seq).collect();
    assert_eq!(seqs, [1, 1, 2]);
}

/// Lost may be corrected by its own session, and then it is an end like any other.
async fn a_late_truth_corrects_lost_once(bench: Bench) {
    let calls = bench.run_of(1).await;
    let (attempt, by) = calls.all_live(100, NOON).await[0];
    let over = NOON.plus_ms(HELD_MS);
    assert!(calls.store.silent_calls(calls.account, over.plus_ms(-1)).await.unwrap().is_empty());
    assert_eq!(calls.store.silent_calls(calls.account, over).await.unwrap(), [(attempt, by)]);
    assert!(calls.step(attempt, Event::Silent { by }, ContactChange::Rests(Outcome::Lost), over).await);
    let held = calls.store.attempt(attempt).await.unwrap().unwrap();
    assert_eq!(held.state, State::Lost { ended_at: over, session: by });
    let lost = async || calls.store.sessions_to_ask(calls.account, over).await.unwrap().iter().any(|s| s.lost);
    assert!(lost().await);

    let later = over.plus_ms(5);
    assert!(!calls.finish(attempt, SessionId(5), Outcome::Answered, later).await, "another session's word");
    assert!(calls.retry_in(attempt, by, Outcome::Busy, later, 1000).await, "the retry it earns");
    let held = calls.store.attempt(attempt).await.unwrap().unwrap();
    assert_eq!(held.state, State::Ended { ended_at: later, outcome: Outcome::Busy });
    assert_eq!(held.disposition, None);
    assert!(!calls.finish(attempt, by, Outcome::Answered, later).await);
    assert!(!lost().await);
    assert_eq!(calls.plan(later.plus_ms(1000)).await.len(), 1);
}

fn call(source: &'static str, talk_ms: i64) -> Call {
    Call { session: 100, source, talk_ms: Some(talk_ms), ..Call::default() }
}

async fn an_event_stands_above_history(bench: Bench) {
    let calls = bench.run_of(1).await;
    let (attempt, _) = calls.all_live(100, NOON).await[0];
    let talks = async |call: Call| {
        calls.decide(attempt, NOON, move |_| (Change { call: Some(call.clone()), ..Change::default() }, ())).await;
        calls.store.attempts(calls.campaign, 0, 1).await.unwrap()[0].talk_ms
    };
    assert_eq!(talks(call("history", 1)).await, Some(1));
    assert_eq!(talks(call("history", 2)).await, Some(2));
    assert_eq!(talks(call("event", 3)).await, Some(3));
    assert_eq!(talks(call("history", 4)).await, Some(3));
    assert_eq!(talks(call("event", 5)).await, Some(5));
}

/// The guard: of a turn told twice in one event the last stands; PostgreSQL refuses to write a row twice.
async fn turns_are_told_again(bench: Bench) {
    let calls = bench.run_of(1).await;
    let (attempt, _) = calls.all_live(100, NOON).await[0];
    let turn = |turn, text: &str, filler| Turn {
        turn,
        callee_text: Some(text.into()),
        turn_ms: Some(turn * 100),
        method: "vad".into(),
        filler,
        ..Turn::default()
    };
    let tell = |turns: Vec<Turn>| {
        calls.decide(attempt, NOON, move |_| (Change { turns: turns.clone(), ..Change::default() }, ()))
    };
    tell(vec![turn(1, "a", false)]).await;
    tell(vec![turn(2, "b\0c", false), turn(1, "once", false), turn(1, "again", true)]).await;
    let kept = calls.store.turns(attempt).await.unwrap();
    assert_eq!(kept, [turn(1, "again", true), turn(2, "bc", false)]);
}

async fn a_number_is_suppressed_with_the_event_that_asked_for_it(bench: Bench) {
    let calls = bench.run_of(3).await;
    let (attempt, _) = calls.all_live(100, NOON).await[0];
    for reason in ["asked", "asked again"] {
        calls.decide(attempt, NOON, move |_| (Change { suppress: Some(reason.into()), ..Change::default() }, ())).await;
    }
    assert!(calls.store.attempt(attempt).await.unwrap().unwrap().suppressed);
    // Numbers nobody has called yet, and numbers on nobody's list.
    calls.store.suppress(phone(1), "list", NOON).await.unwrap();
    calls.store.suppress(phone(77), "list", NOON.plus_ms(1)).await.unwrap();
    calls.store.suppress(phone(0), "too late", NOON.plus_ms(9)).await.unwrap();
    let list = calls.store.suppressed(10).await.unwrap();
    let reasons: Vec<_> = list.iter().filter_map(|row| row.suppressed_reason.as_deref()).collect();
    assert_eq!((list[0].e164.as_str(), list.len()), (phone(77).as_str(), 3));
    assert!(reasons.contains(&"asked") && !reasons.contains(&"too late"), "the first reason stands: {reasons:?}");
}

async fn a_row_that_breaks_a_rule_cannot_be_loaded(bench: Bench) {
    let calls = bench.run_of(1).await;
    let (attempt, by) = calls.all_live(100, NOON).await[0];
    for broken in [
        "update attempts set state = 'sleeping'",
        "update attempts set session_id = null",
        "update attempts set state = 'ended'",
        "update run_contacts set disposition = 'busy'",
        "insert into attempts select attempt_id + 1, run_contact_id, run_id, number_id, try_number + 1, mode, caller_id,
         planned_at, 'planned', 0, null, null, null, null, null, null, null, null, null, 0, null from attempts",
    ] {
        assert!(bench.execute(broken).await.is_err(), "the schema lets through: {broken}");
    }
    assert!(calls.finish(attempt, by, Outcome::Busy, NOON).await);
    bench.execute("update attempts set outcome = 'excellent'").await.unwrap();
    let loaded = calls.store.attempt(attempt).await;
    assert!(matches!(loaded, Err(StoreError::Row { table: "attempts", column: "outcome", .. })), "{loaded:?}");
}

async fn a_dialogue_answers_a_turn_once(bench: Bench) {
    let calls = bench.run_of(2).await;
    let live = calls.all_live(100, NOON).await;
    let (attempt, other) = (live[0].0, live[1].0);
    let put = |attempt, turn, reply: &str| {
        let text = |text: &str| text.to_owned();
        let record = format!("after {reply}");
        let made = Made { replier: text("rules"), tokens_in: Some(turn), tools: Some(text("[]\0")), ..Made::default() };
        let turn = DialogueTurn { attempt, turn, text: text("?"), reply: text(reply), record, at: NOON, made };
        calls.store.put_dialogue(turn)
    };
    let stand = async |turn| calls.store.dialogue(attempt, turn).await.unwrap();
    let after = |last, reply: &str| Stand { reply: None, last: Some(last), record: Some(format!("after {reply}")) };
    assert_eq!(stand(1).await, Stand::default());
    assert_eq!(put(attempt, 0, "hello").await.unwrap(), None);
    assert_eq!(put(attempt, 0, "good day").await.unwrap().as_deref(), Some("hello"));
    assert_eq!(put(other, 0, "good night").await.unwrap(), None);
    assert_eq!(stand(3).await, after(0, "hello"));
    assert_eq!(put(attempt, 3, "yes").await.unwrap(), None);
    assert_eq!(stand(3).await, Stand { reply: Some("yes".into()), ..Stand::default() });
    assert_eq!(stand(i64::MAX).await, after(3, "yes"));
    // Together, in one commit or in two: one of them stands, and the other is told so.
    let both = futures::join!(put(other, 1, "either"), put(other, 1, "or"));
    match (both.0.unwrap().as_deref(), both.1.unwrap().as_deref()) {
        (None, Some("either")) | (Some("or"), None) => {}
        told => panic!("both stand, or none: {told:?}"),
    }
    let talked = calls.store.talked(&[other.0, attempt.0]).await.unwrap();
    let mut told: Vec<(i64, i64, &str)> = talked.iter().map(|t| (t.attempt_id, t.turn, t.reply.as_str())).collect();
    told.retain(|(of, turn, _)| (*of, *turn) != (other.0, 1));
    told.sort_unstable();
    let mut expected = [(attempt.0, 0, "hello"), (attempt.0, 3, "yes"), (other.0, 0, "good night")];
    expected.sort_unstable();
    assert_eq!(told, expected);
    assert!(talked.iter().all(|t| t.replier.as_deref() == Some("rules") && t.tools.as_deref() == Some("[]")));
    assert!(calls.store.talked(&[]).await.unwrap().is_empty());
}

async fn nobody_is_known_by_a_wrong_id(bench: Bench) {
    let calls = bench.run_of(1).await;
    let wrong = AttemptId(5);
    assert!(calls.store.attempt(wrong).await.unwrap().is_none());
    assert_eq!(calls.store.slot_us(wrong).await.unwrap(), None);
    let order = Decide {
        attempt: wrong,
        now: NOON,
        start: None,
        heard: Some(heard(SessionId(1), 1, "Connected")),
        decision: Arc::new(|_| (Change::default(), ())),
    };
    assert!(matches!(calls.store.decide(order).await, Ok(Decided::Unknown)));
    assert_eq!(bench.number("select count(*) from events").await, 0);
}
