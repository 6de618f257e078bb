//! A person is erased: what goes, what stays, and that nobody comes back by another list.

use crate::both_engines;
use crate::common::Bench;
use crate::common::calls::{Calls, NOON, contact, new_campaign, phone, token};
use halo::domain::{NumberId, Outcome, PhoneNumber, SessionId, Timestamp};
use halo::store::{AuditOrder, EraseOrder, Erased, HistoryRow, Keep, NewContact, Record, Reject, Who};

both_engines! {
    everything_that_tells_of_a_person_goes_and_calls_stay_counted
    whoever_opted_out_is_known_again
    nobody_is_erased_while_a_call_goes_on
    the_prompt_of_a_single_call_goes_with_the_person
    what_comes_in_late_goes_too
    texts_links_and_rows_are_forgotten_by_age
    a_recording_that_stays_is_asked_for_again
}

pub async fn erase(bench: &Bench, number: PhoneNumber, now: Timestamp) -> Erased {
    let audit = AuditOrder::new(&bench.store, Who::at_the_terminal("anna"), "number.erase", now);
    let in_place = number.as_str()[1..].parse().expect("digits");
    bench.store.erase(EraseOrder { number, in_place, now, audit }).await.expect("erased or not")
}

fn anna() -> NewContact {
    NewContact {
        name: Some("Anna".into()),
        external_id: Some("a-1".into()),
        variables: r#"{"note":"her secret"}"#.into(),
        consent_source: Some("her letter".into()),
        ..contact(0)
    }
}

fn reject(line: i64, raw: &str, cells: &str) -> Reject {
    Reject {
        line,
        bucket: "refused".into(),
        field: "phone".into(),
        reason: "no number".into(),
        raw: raw.into(),
        cells: Some(cells.into()),
    }
}

/// Anna was called, said things, and was recorded; another one was called too.
async fn called(bench: &Bench) -> Calls<'_> {
    let rejects =
        vec![reject(9, "8 (999) 000-00-00", r#"["8 (999) 000-00-00","Anna"]"#), reject(10, "12", r#"["12","Boris"]"#)];
    let new = new_campaign(&bench.store, "erased", vec![anna(), contact(1)], rejects);
    let campaign = new.campaign.campaign;
    bench.store.create_campaign(new).await.expect("a campaign");
    let account = bench.account().await;
    let take = halo::domain::settings::Take::All;
    let (run, _) = bench.store.start_run(campaign, account, take, NOON).await.expect("a run");
    let calls = Calls { store: bench.store.clone(), bench, campaign, account, run };
    for (n, (attempt, session)) in calls.all_live(100, NOON.plus_ms(1000)).await.into_iter().enumerate() {
        assert!(calls.finish(attempt, session, Outcome::Answered, NOON.plus_ms(60_000)).await);
        history(bench, attempt, session, n).await;
    }
    let said = "insert into events (attempt_id, session_id, seq, event, received_at, body)
        select attempt_id, 1, 1, 'Turn', 0, '{\"text\":\"my secret\"}' from attempts";
    bench.execute(said).await.expect("events");
    bench.execute("update calls set answers = '{\"name\":\"Anna\"}'").await.expect("calls");
    calls
}

async fn history(bench: &Bench, attempt: halo::domain::AttemptId, session: SessionId, n: usize) {
    let row = HistoryRow {
        session,
        attempt,
        calls: 1,
        body: r#"{"remote_number":"79990000000"}"#.into(),
        fetched_at: NOON.plus_ms(90_000),
        finish_reason: None,
        session_s: Some(60),
        talk_s: Some(50),
        code: Some(200),
        reason: None,
        cost_micros: Some(1000),
        costs: None,
        log_url: Some("http://logs/1".into()),
        records: vec![Record { url: format!("http://records/{n}"), duration_s: Some(50) }],
    };
    bench.store.put_history(vec![row]).await.expect("a history");
}

/// The guards: each statement of `acts/erase.rs` and `acts/forget.rs`.
async fn everything_that_tells_of_a_person_goes_and_calls_stay_counted(bench: Bench) {
    let calls = called(&bench).await;
    let attempts = bench.number("select count(*) from attempts").await;
    let erased = erase(&bench, phone(0), NOON.plus_ms(100_000)).await;
    let Erased::Done { number, contacts, attempts: of_anna, recordings } = erased else { panic!("{erased:?}") };
    assert_eq!((contacts, of_anna, recordings), (1, 1, 1));
    assert_eq!(bench.number("select count(*) from attempts").await, attempts, "calls stay counted");
    let gone = [
        "select count(*) from numbers where e164 = '+79990000000'",
        "select count(*) from contacts where name = 'Anna' or external_id = 'a-1' or variables like '%secret%'
            or raw_phone like '%0000000%' or consent_source is not null",
        "select count(*) from rejects where cells like '%Anna%' or raw like '%999%'",
        "select count(*) from attempts a join events e on e.attempt_id = a.attempt_id
            join erased_numbers x on x.number_id = a.number_id where e.body <> '{}'",
        "select count(*) from attempts a join calls k on k.attempt_id = a.attempt_id
            join erased_numbers x on x.number_id = a.number_id where k.answers is not null",
        "select count(*) from attempts a join history h on h.attempt_id = a.attempt_id
            join erased_numbers x on x.number_id = a.number_id
            where h.body <> '{}' or h.log_url is not null",
        "select count(*) from attempts a join history h on h.attempt_id = a.attempt_id
            join records r on r.session_id = h.session_id join erased_numbers x on x.number_id = a.number_id",
        "select count(*) from audit where subject like '%7999%' or detail like '%7999%'",
    ];
    for question in gone {
        assert_eq!(bench.number(question).await, 0, "{question}");
    }
    // Others keep theirs, and rows that were refused stay counted.
    assert_eq!(bench.number("select count(*) from rejects").await, 2);
    assert_eq!(bench.number("select count(*) from rejects where cells like '%Boris%'").await, 1);
    assert_eq!(bench.number("select count(*) from records").await, 1);
    assert_eq!(bench.number("select count(*) from doomed_records").await, 1);
    let line = format!("select count(*) from audit where action = 'number.erase' and subject = '{number}'");
    assert_eq!(bench.number(&line).await, 1);
    let rows = calls.store.contacts(calls.campaign, 0, 10).await.expect("contacts");
    assert!(rows.iter().any(|row| row.e164.parse::<PhoneNumber>().is_ok_and(|number| number.is_erased())));
    // Twice is as good as once, and nobody else is touched.
    assert_eq!(erase(&bench, phone(0), NOON.plus_ms(200_000)).await, Erased::Already(number));
    assert_eq!(erase(&bench, phone(77), NOON).await, Erased::Unknown);
    assert_eq!(bench.number(&line).await, 1, "nothing was done, so nothing is noted");
}

/// The guards: `opted_out_by` in put_erased.sql, `erased_among`, and the look at it in `decide::load`.
async fn whoever_opted_out_is_known_again(bench: Bench) {
    let calls = called(&bench).await;
    assert!(bench.store.opt_out(phone(0), "asked in a call", NOON.plus_ms(70_000)).await.expect("opted out"));
    for n in [0, 1] {
        assert!(matches!(erase(&bench, phone(n), NOON.plus_ms(100_000)).await, Erased::Done { .. }));
    }
    let asked = [phone(0), phone(1), phone(2)];
    let known = bench.store.erased_among(None, &asked).await.expect("an answer");
    assert_eq!(known.iter().map(|known| known.e164.as_str()).collect::<Vec<_>>(), [phone(0).as_str()]);
    assert!(known[0].opted_out && !known[0].in_campaign);
    let known = bench.store.erased_among(Some(calls.campaign), &asked).await.expect("an answer");
    assert_eq!(known.len(), 2, "both have their place in the campaign: {known:?}");

    // A list that came in by another way: the grant knows.
    let again = new_campaign(&bench.store, "again", vec![contact(0), contact(1)], Vec::new());
    let campaign = again.campaign.campaign;
    bench.store.create_campaign(again).await.expect("stored");
    let take = halo::domain::settings::Take::All;
    let (run, _) = bench.store.start_run(campaign, calls.account, take, NOON.plus_ms(200_000)).await.expect("a run");
    let calls = Calls { store: bench.store.clone(), bench: &bench, campaign, account: calls.account, run };
    let planned = calls.plan(NOON.plus_ms(201_000)).await;
    assert_eq!(planned.len(), 2);
    for (n, planned) in planned.into_iter().enumerate() {
        assert!(calls.claim(planned, token(900 + n as u64), NOON.plus_ms(202_000)).await);
        let held = bench.store.attempt(planned.attempt).await.expect("an answer").expect("it is there");
        assert_eq!(held.suppressed, held.to == phone(0), "who did not opt out may be called again");
    }
}

/// The guard: busy_attempts.sql.
async fn nobody_is_erased_while_a_call_goes_on(bench: Bench) {
    let calls = bench.run_of(1).await;
    let live = calls.all_live(100, NOON.plus_ms(1000)).await;
    assert!(matches!(erase(&bench, phone(0), NOON.plus_ms(2000)).await, Erased::Busy(Some(_))));
    assert_eq!(bench.number("select count(*) from erased_numbers").await, 0);
    for (attempt, session) in live {
        assert!(calls.finish(attempt, session, Outcome::Busy, NOON.plus_ms(60_000)).await);
    }
    assert!(matches!(erase(&bench, phone(0), NOON.plus_ms(61_000)).await, Erased::Done { .. }));
    let waits = "select count(*) from run_contacts where disposition is null";
    assert_eq!(bench.number(waits).await, 0, "a retry that waited waits no more");
}

/// The guard: forget_scripts.sql.
async fn the_prompt_of_a_single_call_goes_with_the_person(bench: Bench) {
    let account = bench.account().await;
    for n in [0, 1] {
        crate::singles::place(&bench.store, account, n).await;
    }
    let said = "select count(*) from campaigns where script = 'said'";
    assert_eq!(bench.number(said).await, 2);
    assert!(matches!(erase(&bench, phone(0), NOON.plus_ms(1000)).await, Erased::Done { .. }));
    assert_eq!(bench.number(said).await, 1, "another's stays");
    let left = "select count(*) from campaigns where script = '{\"prompt\":\"erased\"}' and kind = 'single'";
    assert_eq!(bench.number(left).await, 1, "what stays in its place is a script");
}

/// The guard: `late`.
async fn what_comes_in_late_goes_too(bench: Bench) {
    let _calls = called(&bench).await;
    let now = NOON.plus_ms(100_000);
    assert!(matches!(erase(&bench, phone(0), now).await, Erased::Done { .. }));
    assert_eq!(bench.store.erase_late(NOON, now).await.expect("nothing"), 0);
    bench.execute("update events set body = '{\"text\":\"late words\"}'").await.expect("late");
    assert_eq!(bench.store.erase_late(now.plus_ms(1), now).await.expect("too old to look at"), 0);
    assert_eq!(bench.store.erase_late(NOON, now).await.expect("one attempt"), 1);
    assert_eq!(bench.store.erase_late(NOON, now).await.expect("none"), 0);
    let others = bench.number("select count(*) from events where body <> '{}'").await;
    assert!(others > 0, "others keep their words");
}

/// The guards: `forget::old` and its questions.
async fn texts_links_and_rows_are_forgotten_by_age(bench: Bench) {
    let _calls = called(&bench).await;
    let day = 24 * 3_600_000;
    let audit = || AuditOrder::new(&bench.store, Who::at_the_terminal("anna"), "retention.set", NOON);
    let keep = |what, days| Keep { what, days };
    assert_eq!(bench.store.forget_old(NOON.plus_ms(1000 * day), 100).await.unwrap(), 0, "kept for good by default");
    bench.store.keep(vec![keep("transcripts", Some(10)), keep("raw", Some(5))], audit()).await.unwrap();
    assert_eq!(bench.store.forget_old(NOON.plus_ms(4 * day), 100).await.unwrap(), 0);
    assert_eq!(bench.store.forget_old(NOON.plus_ms(6 * day), 100).await.unwrap(), 2, "two refused rows");
    assert_eq!(bench.store.forget_old(NOON.plus_ms(11 * day), 1).await.unwrap(), 1, "a piece at a time");
    assert_eq!(bench.store.forget_old(NOON.plus_ms(11 * day), 100).await.unwrap(), 1);
    assert_eq!(bench.store.forget_old(NOON.plus_ms(11 * day), 100).await.unwrap(), 0);
    assert_eq!(bench.number("select count(*) from events where body <> '{}'").await, 0);
    assert_eq!(bench.number("select count(*) from records").await, 2, "recordings are kept for good");
    bench.store.keep(vec![keep("recordings", Some(20)), keep("raw", None)], audit()).await.unwrap();
    assert_eq!(bench.store.forget_old(NOON.plus_ms(21 * day), 100).await.unwrap(), 2);
    assert_eq!(bench.number("select count(*) from doomed_records").await, 2);
    let kept = bench.store.kept().await.unwrap();
    assert_eq!(kept.iter().map(|keep| keep.days).collect::<Vec<_>>(), [Some(10), Some(20), None]);
}

async fn a_recording_that_stays_is_asked_for_again(bench: Bench) {
    let calls = called(&bench).await;
    let now = NOON.plus_ms(100_000);
    let Erased::Done { number, .. } = erase(&bench, phone(0), now).await else { panic!("erased") };
    assert_ne!(number, NumberId(0));
    let doomed = bench.store.doomed_records(calls.account, now, 10).await.unwrap();
    assert_eq!(doomed.len(), 1);
    let url = doomed[0].url.clone();
    bench.store.record_stays(url.clone(), now.plus_ms(60_000), "no answer".into()).await.unwrap();
    assert!(bench.store.doomed_records(calls.account, now, 10).await.unwrap().is_empty());
    let again = bench.store.doomed_records(calls.account, now.plus_ms(60_000), 10).await.unwrap();
    assert_eq!(again[0].tries, 1);
    bench.store.record_is_gone(url).await.unwrap();
    assert_eq!(bench.number("select count(*) from doomed_records").await, 0);
}
