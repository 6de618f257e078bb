//! Budgets under concurrency and through every end, with the dialer's own decisions.

use crate::both_engines;
use crate::common::Bench;
use crate::common::calls::{Calls, HELD_MS, LEASE_MS, NOON, contact, phone, token};
use crate::dials::{campaign_of, dialer_of};
use futures::future::join_all;
use halo::app::read_rules;
use halo::clock::Clock;
use halo::dialer::decisions::{Asked, Purse, afford, clearance, grant, reserve, settle, settle_money};
use halo::dialer::{Grant, News, Report, Rules, Settled};
use halo::domain::budget::{Budget, Counter};
use halo::domain::money::{MICROS, Models, Tariff, TokenPrices};
use halo::domain::{AttemptId, Mode, Outcome, SessionId, Timestamp};
use halo::store::{
    Call, Decide, Decided, DialogueTurn, Held, HistoryRow, Made, MediaStream, NewContact, RunMoney, Store,
};
use std::sync::Arc;

both_engines! {
    a_hundred_grants_for_money_for_three
    a_reservation_is_settled_billed_and_given_back
    silence_costs_the_most_until_history_says_better
    a_day_opens_at_midnight_and_a_spent_run_pauses
    nobody_is_started_whose_call_the_money_does_not_cover
    replies_are_counted_whenever_they_are_kept
    a_stream_s_tokens_stand_where_its_seconds_stood
}

/// A cent a second of the call, a second of ringing, nothing besides: the most is 31 + 30 cents.
const CENT: i64 = 10_000;
/// When the day of the tests began.
const TODAY: Timestamp = Timestamp(NOON.0 - 3_600_000);
const MOST: i64 = (31 + 30) * CENT;

fn tariff() -> Tariff {
    Tariff {
        call_minute: 60 * CENT,
        step_s: 1,
        session_minute: 0,
        talk_minute: 0,
        amd_minute: 0,
        ring_s: 1,
        call_s: 31,
        model: None,
        replier: None,
    }
}

fn purse(run: Option<i64>, day: Option<i64>) -> Arc<Purse> {
    Arc::new(Purse {
        budget: Budget { run, day },
        day_at: TODAY,
        next_day: NOON.plus_ms(3_600_000),
        tariff: tariff(),
        currency: "USD".into(),
    })
}

fn rules() -> Arc<Rules> {
    let read = read_rules([Mode::dialog()].into());
    let (settings, policy) = read(r#"{ "name": "money", "purpose": "test" }"#).expect("sound settings");
    Arc::new(Rules { settings, policy, script: String::new() })
}

/// As `Dialer::grant` asks.
async fn ask(store: &Store, purse: &Arc<Purse>, attempt: AttemptId, nth: u64, now: Timestamp) -> bool {
    let (rules, purse) = (rules(), purse.clone());
    let decision = move |held: &Held| {
        let asked = Asked {
            hash: token(nth),
            session: SessionId(nth as i64 + 1),
            told: "told".into(),
            now,
            deadline_ms: 75_000,
            held_until: now.plus_ms(HELD_MS),
            real: false,
        };
        let cleared = afford(held, Some(&purse), clearance(held, &rules, &asked), now);
        reserve(held, Some(&purse), grant(held, &asked, cleared), now)
    };
    let order = Decide { attempt, now, start: None, heard: None, decision: Arc::new(decision) };
    match store.decide(order).await.expect("a decision") {
        Decided::Done(grant) => matches!(grant, Grant::Go(_)),
        Decided::Unknown | Decided::Again => panic!("the attempt exists"),
    }
}

/// As `Dialer::settle` does.
async fn tell(store: &Store, attempt: AttemptId, report: Report, now: Timestamp) -> Settled {
    let rules = rules();
    let decision = move |held: &Held| {
        let (change, settled) = settle(held, &rules, &report, now);
        (settle_money(held, &report, change), settled)
    };
    let order = Decide { attempt, now, start: None, heard: None, decision: Arc::new(decision) };
    match store.decide(order).await.expect("a decision") {
        Decided::Done(settled) => settled,
        Decided::Unknown | Decided::Again => panic!("the attempt exists"),
    }
}

fn ended(nth: u64, outcome: Outcome, talk_ms: Option<i64>) -> Report {
    let by = SessionId(nth as i64 + 1);
    let call = Call { session: by.0, source: "event", ring_ms: Some(1_000), talk_ms, ..Call::default() };
    let news = News::Finished { by, outcome, evidence: "event" };
    Report { news, call: Some(call), ..Report::default() }
}

async fn claimed(calls: &Calls<'_>) -> Vec<(AttemptId, u64)> {
    let mut claimed = Vec::new();
    for (nth, planned) in (0..).zip(calls.plan(NOON).await) {
        assert!(calls.claim(planned, token(nth), NOON).await);
        claimed.push((planned.attempt, nth));
    }
    claimed
}

async fn opened<'a>(bench: &'a Bench, contacts: usize) -> (Calls<'a>, Vec<(AttemptId, u64)>) {
    let calls = bench.run_of(contacts).await;
    bench.store.open_budgets(calls.run, calls.campaign, TODAY).await.expect("counters");
    let claimed = claimed(&calls).await;
    assert_eq!(claimed.len(), contacts);
    (calls, claimed)
}

async fn money(calls: &Calls<'_>) -> RunMoney {
    let money = calls.store.run_money(calls.run, calls.campaign, TODAY).await.expect("counters");
    assert_eq!(calls.store.prove(calls.campaign).await.expect("a proof").money.wrong, 0, "the law of the counters");
    money
}

fn billed(attempt: AttemptId, nth: u64, cost: i64) -> HistoryRow {
    HistoryRow {
        session: SessionId(nth as i64 + 1),
        attempt,
        calls: 1,
        body: "{}".into(),
        fetched_at: NOON,
        finish_reason: None,
        session_s: None,
        talk_s: None,
        code: None,
        reason: None,
        cost_micros: Some(cost),
        costs: None,
        log_url: None,
        records: Vec::new(),
    }
}

/// The guards: `afford`, and on PostgreSQL the lock of `load_budgets`. Without the first all ring; without the second
/// two processes both see the money of the third call, and both take it.
async fn a_hundred_grants_for_money_for_three(bench: Bench) {
    let (calls, claimed) = opened(&bench, 100).await;
    let other = bench.another().await;
    let purse = purse(Some(3 * MOST + MOST / 2), Some(50 * MOST));
    let asks = claimed.iter().map(|(attempt, nth)| {
        let store = if nth % 2 == 0 { &bench.store } else { &other };
        ask(store, &purse, *attempt, *nth, NOON)
    });
    let granted = join_all(asks).await.into_iter().filter(|granted| *granted).count();
    assert_eq!(granted, 3);
    let both = Counter { spent: 0, reserved: 3 * MOST };
    assert_eq!(money(&calls).await, RunMoney { run: both, day: both, calls: 3 });
    assert_eq!(bench.number("select count(*) from attempts where state = 'live'").await, 3);
    let waits = "select count(*) from run_contacts where gate = 'budget' and due_at is not null";
    assert_eq!(bench.number(waits).await, 97, "the others wait for money");
    assert_eq!(bench.number("select count(*) from runs where state = 'running'").await, 1, "some is reserved");

    // A repeated request takes nothing more.
    let (attempt, nth) = {
        let live = bench.number("select min(attempt_id) from attempts where state = 'live'").await;
        *claimed.iter().find(|(attempt, _)| attempt.0 == live).expect("one of them")
    };
    assert!(ask(&bench.store, &purse, attempt, nth, NOON).await);
    assert_eq!(money(&calls).await.run, both);
    other.close().await;
}

/// The guards: each end's line in `budget::settle`, and `bill` in the history's act.
async fn a_reservation_is_settled_billed_and_given_back(bench: Bench) {
    let (calls, claimed) = opened(&bench, 3).await;
    let purse = purse(Some(100 * MOST), None);
    for (attempt, nth) in &claimed {
        assert!(ask(&bench.store, &purse, *attempt, *nth, NOON).await);
    }
    let [(talked, one), (busy, two), (given_back, three)] = claimed[..] else { panic!("three") };
    // 10.2 s are eleven: eleven cents.
    assert_eq!(tell(&bench.store, talked, ended(one, Outcome::Answered, Some(10_200)), NOON).await, Settled::Moved);
    let now = money(&calls).await;
    assert_eq!((now.run.spent, now.run.reserved, now.calls), (11 * CENT, 2 * MOST, 2));
    assert_eq!(tell(&bench.store, busy, ended(two, Outcome::Busy, None), NOON).await, Settled::Moved);
    let news = News::NotDialled { by: SessionId(three as i64 + 1), token: None };
    let not_dialled = Report { news, ..Report::default() };
    assert_eq!(tell(&bench.store, given_back, not_dialled, NOON).await, Settled::Moved);
    let now = money(&calls).await;
    assert_eq!((now.run, now.calls), (Counter { spent: 11 * CENT, reserved: 0 }, 0));

    // The bill stands above the estimate, whatever it says, and may come again.
    for cost in [12 * CENT, 9 * CENT] {
        bench.store.put_history(vec![billed(talked, one, cost)]).await.expect("a history");
        let now = money(&calls).await;
        assert_eq!((now.run.spent, now.day.spent), (cost, cost));
    }
    // Two sessions of one attempt told together: their bills add up, and are counted once. Without the set in `ids`
    // they are counted twice.
    let second = HistoryRow { session: SessionId(900), calls: 0, ..billed(talked, one, CENT) };
    bench.store.put_history(vec![billed(talked, one, 7 * CENT), second]).await.expect("histories");
    assert_eq!(money(&calls).await.run.spent, 8 * CENT);
    bench
        .store
        .put_history(vec![HistoryRow { session: SessionId(900), ..billed(talked, one, 2 * CENT) }])
        .await
        .unwrap();
    assert_eq!(money(&calls).await.run.spent, 9 * CENT);
    // A report that comes again counts nothing again.
    assert_eq!(tell(&bench.store, talked, ended(one, Outcome::Answered, Some(99_000)), NOON).await, Settled::Noted);
    assert_eq!(money(&calls).await.run, Counter { spent: 9 * CENT, reserved: 0 });
}

/// The guard: `End::Lost`.
async fn silence_costs_the_most_until_history_says_better(bench: Bench) {
    let (calls, claimed) = opened(&bench, 1).await;
    let (attempt, nth) = claimed[0];
    assert!(ask(&bench.store, &purse(Some(MOST), None), attempt, nth, NOON).await);
    let silent = Report { news: News::Silent { by: SessionId(nth as i64 + 1) }, ..Report::default() };
    assert_eq!(tell(&bench.store, attempt, silent, NOON).await, Settled::Moved);
    assert_eq!(money(&calls).await.run, Counter { spent: MOST, reserved: 0 });
    bench.store.put_history(vec![billed(attempt, nth, 3 * CENT)]).await.expect("a history");
    assert_eq!(money(&calls).await.run, Counter { spent: 3 * CENT, reserved: 0 });
}

/// The guards: where a short day waits for, and `spent_sentence` in `reserve`.
async fn a_day_opens_at_midnight_and_a_spent_run_pauses(bench: Bench) {
    let (calls, claimed) = opened(&bench, 3).await;
    let (first, rest) = claimed.split_first().expect("three");
    assert!(ask(&bench.store, &purse(None, Some(MOST)), first.0, first.1, NOON).await);
    // While something is reserved, some of it may come back.
    assert!(!ask(&bench.store, &purse(None, Some(MOST)), rest[0].0, rest[0].1, NOON).await);
    let due = "select max(due_at) from run_contacts where gate = 'budget'";
    assert_eq!(bench.number(due).await, NOON.plus_ms(60_000).0);
    tell(&bench.store, first.0, ended(first.1, Outcome::Answered, Some(20_000)), NOON).await;
    // Nothing is reserved and 20 cents are gone: today nobody is called any more.
    let (second, nth) = rest[1];
    assert!(!ask(&bench.store, &purse(None, Some(MOST)), second, nth, NOON).await);
    assert_eq!(bench.number(due).await, NOON.plus_ms(3_600_000).0);
    assert_eq!(bench.number("select count(*) from runs where state = 'running'").await, 1);

    // Tomorrow has counters of its own, and the run's own money is gone by then.
    let tomorrow = NOON.plus_ms(3_600_000);
    bench.store.open_budgets(calls.run, calls.campaign, tomorrow).await.expect("counters");
    let planned = calls.plan(tomorrow.plus_ms(LEASE_MS)).await[0];
    let now = tomorrow.plus_ms(LEASE_MS);
    assert!(calls.claim(planned, token(77), now).await);
    let purse = |run| Arc::new(Purse { day_at: tomorrow, ..(*self::purse(run, Some(MOST))).clone() });
    assert!(!ask(&bench.store, &purse(Some(MOST)), planned.attempt, 77, now).await);
    let run = bench.store.run(calls.run).await.expect("the run");
    assert_eq!(run.state, halo::store::RunState::Paused);
    assert_eq!(
        run.state_reason.as_deref(),
        Some(
            "the run's budget is spent (0.20 USD of 0.61 USD): the 0.41 USD left are less than the 0.61 USD that a call can cost"
        )
    );
    calls.store.set_run_state(calls.run, halo::store::RunState::Running, None, now).await.expect("resumed");
    let later = now.plus_ms(120_000);
    let planned = calls.plan(later).await[0];
    assert!(calls.claim(planned, token(78), later).await);
    assert!(ask(&bench.store, &purse(None), planned.attempt, 78, later).await, "tomorrow opens");
}

/// The cheapest call of the prices goes elsewhere, and costs a third. The guards: `Means::of` in the planner, without
/// which every line gets a session that the grant refuses, and in `Dialer::means` the calls whose grant is still to come.
async fn nobody_is_started_whose_call_the_money_does_not_cover(bench: Bench) {
    let text = |budget: f64| format!("name = \"money\"\npurpose = \"test\"\n[budget]\nrun = {budget:.6}");
    let settings = halo::intake::settings::parse(&text(1.0), &[Mode::dialog()].into()).expect("settings");
    let models = Models { realtime: "gpt-realtime".into(), replier: None };
    let most = halo::intake::prices::shipped().tariff(&phone(0), &Mode::dialog(), &settings.dial, &models).most();
    let calls = campaign_of(&bench, (0..10).map(|n| NewContact { mode: Mode::dialog(), ..contact(n) }).collect()).await;
    let clock = Clock::manual(NOON);
    let budget = |calls: f64| text(calls * most as f64 / MICROS as f64);
    let dialer = |calls_paid: f64| dialer_of(&calls.store, calls.account, &clock, &budget(calls_paid));
    let mut planned = 0;
    // Ten calls a second at most, and more lines than contacts.
    for _ in 0..20 {
        planned += dialer(3.5).plan().await.expect("a plan").len();
        clock.advance_ms(100);
    }
    assert_eq!(planned, 3, "what is left pays for no fourth");
    let wait = "select count(*) from run_contacts where due_at is not null and leased_until = 0 and gate is null";
    assert_eq!(bench.number(wait).await, 7, "the others are due as they were");
    // A call that is dearer than the whole budget will not be cheaper tomorrow.
    clock.advance_ms(60_000);
    assert!(dialer(0.9).plan().await.expect("a plan").is_empty());
    let rest = "select count(*) from run_contacts where disposition = 'suppressed' and gate = 'budget'";
    assert_eq!(bench.number(rest).await, 10);
}

/// The guards: `count_streams` in `money::put` and in `stream_late`; `s.unknown = 0`.
async fn a_stream_s_tokens_stand_where_its_seconds_stood(bench: Bench) {
    let (calls, claimed) = opened(&bench, 3).await;
    let spoken =
        TokenPrices { text_in: 0, text_cached: 0, text_out: 0, audio_in: 0, audio_cached: 0, audio_out: 60 * MICROS };
    let tariff = Tariff { model: Some(spoken), ..tariff() };
    let by_seconds = tariff.models(11);
    assert!(by_seconds > 0);
    let purse = Arc::new(Purse { tariff, ..Arc::unwrap_or_clone(purse(Some(1000 * MOST), None)) });
    for (attempt, nth) in &claimed {
        assert!(ask(&bench.store, &purse, *attempt, *nth, NOON).await);
    }
    let stream = |attempt: AttemptId, ended_by: &str, cost_micros| MediaStream {
        attempt_id: attempt.0,
        opened_at: NOON.0,
        lasted_ms: 10_000,
        model: "m".into(),
        encoding: "ULAW".into(),
        ended_by: ended_by.into(),
        reason: String::new(),
        tally: "{}".into(),
        tools: "[]".into(),
        cost_micros,
    };
    let put = async |row| bench.store.put_media_stream(row).await.expect("kept");
    let end = async |(attempt, nth): (AttemptId, u64)| {
        assert_eq!(tell(&bench.store, attempt, ended(nth, Outcome::Answered, Some(10_200)), NOON).await, Settled::Moved)
    };
    let spent = async || money(&calls).await.run.spent;
    // Before its end, after it, and never.
    put(stream(claimed[0].0, "call", Some(5))).await;
    end(claimed[0]).await;
    assert_eq!(spent().await, 11 * CENT + 5);
    end(claimed[1]).await;
    assert_eq!(spent().await, 22 * CENT + 5 + by_seconds);
    put(stream(claimed[1].0, "open", None)).await;
    put(stream(claimed[1].0, "call", Some(7))).await;
    assert_eq!(spent().await, 22 * CENT + 5 + 7);
    put(stream(claimed[2].0, "open", None)).await;
    put(MediaStream { opened_at: NOON.0 + 1, ..stream(claimed[2].0, "call", Some(9)) }).await;
    end(claimed[2]).await;
    assert_eq!(spent().await, 33 * CENT + 5 + 7 + by_seconds, "of one nobody told what it used");
}

/// Replies that are kept before, while and after their call is settled, by two processes. The guards: `money::replied` in
/// `decide`, after the attempts are locked, and `settle_late` in `dialogue::put`; without either some are in no counter.
async fn replies_are_counted_whenever_they_are_kept(bench: Bench) {
    const CALLS: usize = 20;
    const REPLIES: i64 = 4;
    let (calls, claimed) = opened(&bench, CALLS).await;
    let other = bench.another().await;
    let purse = purse(Some(100 * MOST), None);
    for (attempt, nth) in &claimed {
        assert!(ask(&bench.store, &purse, *attempt, *nth, NOON).await);
    }
    let put = async |attempt: AttemptId, turn: i64| {
        let made = Made { replier: "a-model".into(), cost_micros: Some(turn), ..Made::default() };
        let [text, reply, record] = ["?", "!", "{}"].map(str::to_owned);
        let stood = other.put_dialogue(DialogueTurn { attempt, turn, text, reply, record, at: NOON, made }).await;
        stood.expect("an answer").is_none()
    };
    let (store, put) = (&bench.store, &put);
    let each = claimed.iter().map(|(attempt, nth)| async move {
        assert!(put(*attempt, 1).await);
        let end = async || tell(store, *attempt, ended(*nth, Outcome::Answered, Some(1_000)), NOON).await;
        let (settled, ()) = tokio::join!(end(), async {
            for turn in 2..=REPLIES {
                assert!(put(*attempt, turn).await);
            }
        });
        assert_eq!(settled, Settled::Moved);
    });
    join_all(each).await;
    let a_call = CENT + (1..=REPLIES).sum::<i64>();
    assert_eq!(money(&calls).await.run, Counter { spent: CALLS as i64 * a_call, reserved: 0 });
    // Kept long after, and kept again.
    assert!(put(claimed[0].0, REPLIES + 1).await);
    assert!(!put(claimed[0].0, REPLIES + 1).await);
    assert_eq!(money(&calls).await.run.spent, CALLS as i64 * a_call + REPLIES + 1);
    // What history bills is the provider's part alone.
    bench.store.put_history(vec![billed(claimed[0].0, claimed[0].1, 5 * CENT)]).await.expect("a history");
    assert_eq!(money(&calls).await.run.spent, CALLS as i64 * a_call + REPLIES + 1 + 4 * CENT);
    other.close().await;
}
