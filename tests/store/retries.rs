//! Retries before and after the others, further numbers of a contact, promised calls, a part of a run again.

use super::histories::TAKEN_AMISS;
use crate::both_engines;
use crate::common::calls::{Calls, HELD_MS, LEASE_MS, NOON, Pace, contact, new_campaign, phone, token};
use crate::common::{Bench, Engine};
use halo::app::read_rules;
use halo::dialer::decisions::{Asked, Plan, clearance, grant, settle};
use halo::dialer::{Grant, News, Report, Rules};
use halo::domain::callers::CallerUses;
use halo::domain::settings::{RetryOrder, Take};
use halo::domain::{AttemptId, Mode, Outcome, SessionId, Timestamp};
use halo::store::{
    Account, Beginning, Decide, Decided, Held, Leased, NewContact, NewNumber, Of, Only, OpenRun, Placement, PlanOrder,
    Planned, Planner, RunState, StoreError,
};
use std::collections::HashMap;
use std::sync::Arc;

both_engines! {
    retries_go_first_last_or_by_time
    who_is_due_is_found_by_the_index
    a_dead_number_makes_room_for_the_next_one
    silence_goes_round_all_numbers_under_one_cap
    a_suppressed_number_is_passed_over
    a_number_suppressed_between_plan_and_grant_makes_room
    whoever_opts_out_is_meant_with_all_numbers
    another_contact_s_number_does_not_ring_twice_at_once
    a_promised_call_is_kept_or_shown
    a_part_of_a_run_is_run_again
    runs_from_before_know_who_was_tried
}

const MINUTE_MS: i64 = 60_000;

fn rules(retry: &str) -> Arc<Rules> {
    let read = read_rules([Mode::dialog()].into());
    let text = format!(r#"{{ "name": "retries", "purpose": "test", "retry": {retry} }}"#);
    let (settings, policy) = read(&text).expect("sound settings");
    Arc::new(Rules { settings, policy, script: String::new() })
}

/// Gives slots to so many, in the order asked for.
struct Few(usize, RetryOrder);

impl Planner for Few {
    fn want(&self, _: &Account, _: i64, _: &OpenRun) -> usize {
        self.0
    }
    fn order(&self, _: &OpenRun) -> RetryOrder {
        self.1
    }
    fn place(&self, _: &mut Account, _: &mut OpenRun, _: &mut CallerUses, _: &Leased) -> Placement {
        Placement::Slot { slot_us: NOON.0 * 1000, caller_id: None, leased_until: NOON.plus_ms(60 * MINUTE_MS) }
    }
}

impl Calls<'_> {
    async fn few(&self, contacts: usize, order: RetryOrder, now: Timestamp) -> Vec<Planned> {
        let order = PlanOrder {
            account: self.account,
            now,
            lease_until: now.plus_ms(LEASE_MS),
            ids: self.store.ids.clone(),
            planner: Arc::new(Few(contacts, order)),
        };
        self.store.plan(order).await.expect("a plan")
    }

    /// Two turns of the real planner: whoever goes to another number is looked at again.
    async fn planned(&self, rules: &Arc<Rules>, now: Timestamp) -> Vec<Planned> {
        let mut planned = self.planned_once(rules, now).await;
        planned.extend(self.planned_once(rules, now).await);
        planned
    }

    async fn planned_once(&self, rules: &Arc<Rules>, now: Timestamp) -> Vec<Planned> {
        let plan = Plan {
            now,
            earliest: now,
            horizon_us: 1_000_000,
            lease_ms: LEASE_MS,
            real: false,
            rules: HashMap::from([(self.campaign, rules.clone())]),
            means: HashMap::new(),
        };
        let order = PlanOrder {
            account: self.account,
            now,
            lease_until: now.plus_ms(LEASE_MS),
            ids: self.store.ids.clone(),
            planner: Arc::new(plan),
        };
        self.store.plan(order).await.expect("a plan")
    }

    /// As `Dialer::grant` asks.
    async fn asks(&self, rules: &Arc<Rules>, attempt: AttemptId, session: i64, now: Timestamp) -> Grant {
        let rules = rules.clone();
        let decision = move |held: &Held| {
            let asked = Asked {
                hash: token(session as u64),
                session: SessionId(session),
                told: "told".into(),
                now,
                deadline_ms: 75_000,
                held_until: now.plus_ms(HELD_MS),
                real: false,
            };
            grant(held, &asked, clearance(held, &rules, &asked))
        };
        let order = Decide { attempt, now, start: None, heard: None, decision: Arc::new(decision) };
        match self.store.decide(order).await.expect("a decision") {
            Decided::Done(grant) => grant,
            Decided::Unknown | Decided::Again => panic!("the attempt exists"),
        }
    }

    /// As `Dialer::settle` decides.
    async fn settled(&self, rules: &Arc<Rules>, attempt: AttemptId, report: Report, now: Timestamp) {
        let rules = rules.clone();
        self.decide(attempt, now, move |held| settle(held, &rules, &report, now)).await;
    }

    /// One try of the only contact whose turn it is, to this end; the number that was rung.
    async fn one_try(&self, rules: &Arc<Rules>, session: i64, outcome: Outcome, now: Timestamp) -> Option<String> {
        let planned = *self.planned(rules, now).await.first()?;
        assert!(self.claim(planned, token(session as u64), now).await);
        let Grant::Go(granted) = self.asks(rules, planned.attempt, session, now).await else { panic!("no grant") };
        let by = SessionId(session);
        let report = Report { news: News::Finished { by, outcome, evidence: "event" }, ..Report::default() };
        self.settled(rules, planned.attempt, report, now).await;
        Some(granted.order.to().as_str().to_owned())
    }
}

/// Row `n` with further numbers.
fn with_numbers(n: usize, further: &[usize]) -> NewContact {
    let number = |(at, further): (usize, &usize)| NewNumber {
        ordinal: at as i64 + 2,
        number: phone(*further),
        raw: phone(*further).as_str().to_owned(),
    };
    NewContact { mode: Mode::dialog(), alternates: further.iter().enumerate().map(number).collect(), ..contact(n) }
}

async fn run_of(bench: &Bench, contacts: Vec<NewContact>) -> Calls<'_> {
    let new = new_campaign(&bench.store, "demo", contacts, Vec::new());
    let campaign = new.campaign.campaign;
    bench.store.create_campaign(new).await.expect("a campaign");
    let account = bench.account().await;
    let (run, _) = bench.store.start_run(campaign, account, Take::All, NOON).await.expect("a run");
    Calls { store: bench.store.clone(), bench, campaign, account, run }
}

fn rung(n: usize) -> Option<String> {
    Some(phone(n).as_str().to_owned())
}

/// The guard: `order by case $5` in `lease_due`; the retries have waited less long than the others.
async fn retries_go_first_last_or_by_time(bench: Bench) {
    let calls = bench.run_of(12).await;
    for (nth, planned) in calls.few(4, RetryOrder::Due, NOON).await.into_iter().enumerate() {
        let session = nth as i64 + 1;
        assert!(calls.claim(planned, token(session as u64), NOON).await);
        assert!(calls.grant(planned.attempt, token(session as u64), session, NOON).await);
        assert!(calls.retry_in(planned.attempt, SessionId(session), Outcome::Busy, NOON, 1000).await);
    }
    let later = NOON.plus_ms(2000);
    // Of the four retries one, and of the others one, each time among whoever is left.
    let tries = async |order, n| {
        let planned = calls.few(n, order, later).await;
        let mut tries = Vec::new();
        for planned in planned {
            let id = planned.attempt.0;
            tries.push(bench.number(&format!("select try_number from attempts where attempt_id = {id}")).await);
        }
        tries
    };
    assert_eq!(tries(RetryOrder::First, 1).await, [2]);
    assert_eq!(tries(RetryOrder::Last, 1).await, [1]);
    assert_eq!(tries(RetryOrder::Due, 2).await, [1, 1], "the others have waited since the run began");
    assert_eq!(tries(RetryOrder::First, 4).await, [2, 2, 2, 1], "then the others");
    assert_eq!(tries(RetryOrder::Last, 9).await, [1, 1, 1, 1]);
}

/// The guard: the two halves of `lease_due`, each in the order of `run_contacts_due`. One sort over both would
/// read and sort everybody who waits, a million of them ten times a second.
async fn who_is_due_is_found_by_the_index(bench: Bench) {
    let calls = bench.run_of(9_000).await;
    bench.execute("update run_contacts set tried = 1 where dial_order % 3 = 0").await.unwrap();
    bench.execute("analyze").await.unwrap();
    let text = include_str!("../../src/store/queries/lease_due.sql");
    let other = if bench.engine == Engine::Sqlite { "-- postgres" } else { "-- sqlite" };
    let mut statement: String = text.lines().filter(|line| !line.ends_with(other)).collect::<Vec<_>>().join("\n");
    let later = NOON.plus_ms(5000).0.to_string();
    for (name, value) in [
        ("$1", calls.run.0.to_string()),
        ("$2", later.clone()),
        ("$3", later),
        ("$4", "50".into()),
        ("$5", "'due'".into()),
    ] {
        statement = statement.replace(name, &value);
    }
    let plan = bench.explained(&statement).await;
    match bench.engine {
        Engine::Sqlite => {
            assert_eq!(
                plan.matches("USING INDEX run_contacts_due (run_id=? AND tried=? AND due_at").count(),
                2,
                "{plan}"
            );
            assert_eq!(plan.matches("USE TEMP B-TREE FOR ORDER BY").count(), 1, "of twice fifty rows at most: {plan}");
        }
        Engine::Postgres => {
            assert_eq!(plan.matches("Index Scan using run_contacts_due").count(), 2, "{plan}");
            assert_eq!(plan.matches("Sort Key").count(), 1, "of twice fifty rows at most: {plan}");
        }
    }
}

async fn a_dead_number_makes_room_for_the_next_one(bench: Bench) {
    let calls = run_of(&bench, vec![with_numbers(1, &[2, 3])]).await;
    let rules = rules(r#"{ "attempts_max": 5, "no_answer": ["5m"] }"#);
    assert_eq!(calls.one_try(&rules, 1, Outcome::InvalidNumber, NOON).await, rung(1));
    // At once, and the attempt keeps which number it rang.
    assert_eq!(calls.one_try(&rules, 2, Outcome::NoAnswer, NOON).await, rung(2));
    assert_eq!(calls.one_try(&rules, 3, Outcome::Unavailable, NOON).await, None, "five minutes");
    let mut now = NOON.plus_ms(5 * MINUTE_MS);
    assert_eq!(calls.one_try(&rules, 3, Outcome::Unavailable, now).await, rung(3));
    // All were tried: the second one waits as its own last end says, and the dead one is left alone.
    now = now.plus_ms(5 * MINUTE_MS);
    assert_eq!(calls.one_try(&rules, 4, Outcome::InvalidNumber, now).await, rung(2));
    let told = calls.store.attempts(calls.campaign, 0, 10).await.unwrap();
    let numbers: Vec<_> = told.iter().map(|a| a.e164.as_str().to_owned()).collect();
    assert_eq!(numbers, [1, 2, 3, 2].map(|n| phone(n).as_str().to_owned()));
}

/// The guard: `may_go_on` of the one cap; without it each number would have a cap of its own.
async fn silence_goes_round_all_numbers_under_one_cap(bench: Bench) {
    let calls = run_of(&bench, vec![with_numbers(1, &[2])]).await;
    let rules = rules(r#"{ "attempts_max": 3, "no_answer": ["5m"] }"#);
    let mut found = Vec::new();
    for session in 1..6 {
        let now = NOON.plus_ms(session * 6 * MINUTE_MS);
        found.push(calls.one_try(&rules, session, Outcome::NoAnswer, now).await);
    }
    assert_eq!(found, [rung(1), rung(2), rung(1), None, None]);
    assert_eq!(bench.number("select count(*) from run_contacts where disposition = 'no_answer'").await, 1);
}

/// The guard: `instead_of` in the planner; without it the contact rests although it has another number.
async fn a_suppressed_number_is_passed_over(bench: Bench) {
    let calls = run_of(&bench, vec![with_numbers(1, &[2, 3]), with_numbers(4, &[5])]).await;
    for n in [1, 2, 4, 5] {
        calls.store.suppress(phone(n), "asked by an operator", NOON).await.unwrap();
    }
    let rules = rules(r#"{ "attempts_max": 3 }"#);
    assert_eq!(calls.one_try(&rules, 1, Outcome::Answered, NOON).await, rung(3));
    assert_eq!(calls.one_try(&rules, 2, Outcome::Answered, NOON).await, None);
    assert_eq!(bench.number("select count(*) from run_contacts where disposition = 'suppressed'").await, 1);
    assert_eq!(bench.number("select count(*) from attempts").await, 1);
    // Nobody whose every number is suppressed is taken again; whoever has another one is.
    calls.planned(&rules, NOON).await;
    assert_eq!(calls.store.run(calls.run).await.unwrap().state, RunState::Completed);
}

async fn a_number_suppressed_between_plan_and_grant_makes_room(bench: Bench) {
    let calls = run_of(&bench, vec![with_numbers(1, &[2])]).await;
    let rules = rules(r#"{ "attempts_max": 1 }"#);
    let planned = calls.planned(&rules, NOON).await[0];
    assert!(calls.claim(planned, token(1), NOON).await);
    calls.store.suppress(phone(1), "asked by an operator", NOON).await.unwrap();
    assert!(matches!(calls.asks(&rules, planned.attempt, 1, NOON).await, Grant::Gone));
    // Nobody was rung: the one try that the cap allows is still there.
    assert_eq!(calls.one_try(&rules, 2, Outcome::Answered, NOON).await, rung(2));
    // A planned attempt that has rung nobody goes to the other number too.
    let calls = {
        calls.planned(&rules, NOON).await;
        let new = new_campaign(&bench.store, "second", vec![with_numbers(6, &[7])], Vec::new());
        let campaign = new.campaign.campaign;
        bench.store.create_campaign(new).await.unwrap();
        let (run, _) = bench.store.start_run(campaign, calls.account, Take::All, NOON).await.unwrap();
        Calls { campaign, run, ..calls }
    };
    let planned = calls.planned(&rules, NOON).await[0];
    calls.store.suppress(phone(6), "asked by an operator", NOON).await.unwrap();
    let later = NOON.plus_ms(2 * LEASE_MS);
    let again = calls.planned(&rules, later).await[0];
    assert_eq!(again.attempt, planned.attempt);
    let number = calls.store.attempt(again.attempt).await.unwrap().unwrap().to;
    assert_eq!(Some(number.as_str().to_owned()), rung(7));
}

/// The guard: `alternates::suppress` beside `suppress_number`.
async fn whoever_opts_out_is_meant_with_all_numbers(bench: Bench) {
    let calls = run_of(&bench, vec![with_numbers(1, &[2]), contact(3)]).await;
    let rules = rules("{}");
    let (attempt, by) = calls.all_live(1, NOON).await[0];
    let report = Report {
        news: News::Finished { by, outcome: Outcome::Answered, evidence: "event" },
        opt_out: Some("asked in a call".into()),
        callback_at: Some(NOON.plus_ms(MINUTE_MS)),
        ..Report::default()
    };
    calls.settled(&rules, attempt, report, NOON).await;
    assert_eq!(bench.number("select count(*) from numbers where suppressed_at is not null").await, 2);
    assert_eq!(
        bench.number("select count(*) from run_contacts where gate = 'callback'").await,
        0,
        "nothing is promised"
    );
}

/// The guard: the number's gate in `clear` (and the index `one_live_call`): it hangs on the number, not on the contact.
async fn another_contact_s_number_does_not_ring_twice_at_once(bench: Bench) {
    let calls = run_of(&bench, vec![with_numbers(1, &[]), with_numbers(2, &[1])]).await;
    let rules = rules(r#"{ "attempts_max": 3 }"#);
    let planned = calls.planned(&rules, NOON).await;
    for (planned, session) in planned.iter().zip(1..) {
        assert!(calls.claim(*planned, token(session), NOON).await);
        assert!(matches!(calls.asks(&rules, planned.attempt, session as i64, NOON).await, Grant::Go(_)));
    }
    // The second contact's own number is dead; its other one is just being talked on.
    let dead = News::Finished { by: SessionId(2), outcome: Outcome::InvalidNumber, evidence: "event" };
    calls.settled(&rules, planned[1].attempt, Report { news: dead, ..Report::default() }, NOON).await;
    let again = calls.planned(&rules, NOON).await[0];
    assert!(calls.claim(again, token(3), NOON).await);
    assert!(matches!(calls.asks(&rules, again.attempt, 3, NOON).await, Grant::Gone));
    assert_eq!(bench.number("select count(*) from run_contacts where gate = 'number_busy'").await, 1);
    assert_eq!(bench.number("select count(*) from attempts where state = 'live'").await, 1);
}

/// The guard: `callback_at` in `Change`, written whether or not `call_back` can keep it.
async fn a_promised_call_is_kept_or_shown(bench: Bench) {
    let calls = run_of(&bench, (1..4).map(|n| with_numbers(n, &[])).collect()).await;
    let (kept, capped) = (rules(r#"{ "attempts_max": 2 }"#), rules(r#"{ "attempts_max": 1 }"#));
    let live = calls.all_live(1, NOON).await;
    let at = NOON.plus_ms(90 * MINUTE_MS);
    let report = |by| Report {
        news: News::Finished { by, outcome: Outcome::Answered, evidence: "event" },
        callback_at: Some(at),
        ..Report::default()
    };
    calls.settled(&kept, live[0].0, report(live[0].1), NOON).await;
    calls.settled(&capped, live[1].0, report(live[1].1), NOON).await;
    calls.store.set_run_state(calls.run, RunState::Stopped, None, NOON).await.unwrap();
    calls.settled(&kept, live[2].0, report(live[2].1), NOON).await;
    let told = calls.store.attempts(calls.campaign, 0, 10).await.unwrap();
    assert!(told.iter().all(|a| a.outcome.as_deref() == Some("answered") && a.callback_at == Some(at.0)), "{told:?}");
    // The stop has withdrawn the one that waited; the two others rested at once.
    assert_eq!(bench.number("select count(*) from run_contacts where disposition = 'answered'").await, 2);
    assert_eq!(bench.number("select count(*) from run_contacts where disposition = 'cancelled'").await, 1);

    let (run, _) = calls.store.start_run(calls.campaign, calls.account, Take::All, NOON).await.unwrap();
    let again = Calls { run, ..calls };
    let live = again.all_live(11, NOON).await;
    again.settled(&kept, live[0].0, report(live[0].1), NOON).await;
    let due = "select due_at from run_contacts where gate = 'callback'";
    assert_eq!(bench.number(due).await, at.0);
    assert!(again.planned(&kept, at.plus_ms(-1)).await.is_empty());
    assert_eq!(again.planned(&kept, at).await.len(), 1);
}

/// The guards: the disposition in `take_only`; `count_taken` in `acts/rerun.rs`.
async fn a_part_of_a_run_is_run_again(bench: Bench) {
    let calls = bench.run_of(6).await;
    let ends = [Outcome::NetworkError, Outcome::Busy, Outcome::Answered];
    for (nth, (attempt, session)) in calls.all_live(1, NOON).await.into_iter().enumerate() {
        assert!(calls.finish(attempt, session, ends[nth % 3], NOON).await);
    }
    let again = async |outcomes: &[Outcome], of| {
        let only = Only { outcomes: outcomes.to_vec(), of };
        calls.store.begin_rerun(calls.campaign, calls.account, only, Beginning::default(), NOON).await
    };
    let open = again(&[Outcome::NetworkError], Of::Last).await;
    assert!(matches!(open, Err(StoreError::Conflict(_))), "the run is still open: {open:?}");
    calls.plan(NOON).await;
    let nobody = again(&[Outcome::Rejected], Of::Last).await;
    assert!(matches!(&nobody, Err(StoreError::Conflict(why)) if why.contains("rejected")), "{nobody:?}");
    assert_eq!(calls.store.runs(calls.campaign).await.unwrap().len(), 1, "a run of nobody is none");
    let (run, taken) = again(&[Outcome::NetworkError, Outcome::Busy], Of::Last).await.unwrap();
    assert_eq!(taken, 4);
    let lines = format!("select count(*) from run_contacts where run_id = {} and dial_order % 3 < 2", run.0);
    assert_eq!(bench.number(&lines).await, 4);
    calls.store.set_run_state(run, RunState::Stopped, None, NOON).await.unwrap();
    // An earlier run by its id; another campaign's run is none of ours.
    assert_eq!(again(&[Outcome::Answered], Of::Run(calls.run)).await.unwrap().1, 2);
    let other = new_campaign(&bench.store, "other", vec![contact(50)], Vec::new());
    let campaign = other.campaign.campaign;
    bench.store.create_campaign(other).await.unwrap();
    let only = Only { outcomes: vec![Outcome::Busy], of: Of::Run(calls.run) };
    let foreign = bench.store.begin_rerun(campaign, calls.account, only, Beginning::default(), NOON).await;
    assert!(matches!(foreign, Err(StoreError::Missing(_))), "{foreign:?}");
    assert_eq!(bench.number(TAKEN_AMISS).await, 0);
}

/// The migration's own statement, on rows as the schema before it kept them.
async fn runs_from_before_know_who_was_tried(bench: Bench) {
    let calls = bench.run_of(3).await;
    let planned = calls.plan_with(Pace { now: NOON, cps: None, lines: 1, instead: |_| None }).await[0];
    assert!(calls.claim(planned, token(1), NOON).await);
    assert!(calls.grant(planned.attempt, token(1), 1, NOON).await);
    assert!(calls.retry_in(planned.attempt, SessionId(1), Outcome::Busy, NOON, 0).await);
    assert_eq!(bench.number("select count(*) from run_contacts where tried = 1").await, 1);
    bench.execute("update run_contacts set tried = 0").await.unwrap();
    let migration = include_str!("../../migrations/0008_retries.sql");
    let backfill = migration.split(';').map(str::trim).find(|text| text.contains("update run_contacts"));
    bench.execute(backfill.expect("the migration fills the column")).await.unwrap();
    assert_eq!(bench.number("select count(*) from run_contacts where tried = 1").await, 1);
}
