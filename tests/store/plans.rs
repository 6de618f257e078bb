//! plan: leases, slots, lines.

use crate::both_engines;
use crate::common::calls::{Calls, LEASE_MS, NOON, Pace, contact, new_campaign, token};
use crate::common::{Bench, Engine};
use halo::domain::clearance::Gate;
use halo::domain::settings::Take;
use halo::domain::slot::spacing_us;
use halo::domain::{Outcome, RunId, Timestamp};
use halo::store::{By, Db, Leased, Placement, Planned, RunState};
use std::collections::BTreeSet;
use std::time::Duration;

both_engines! {
    slots_keep_the_pace_and_lines_are_counted_from_rows
    a_lost_lease_gets_a_new_slot
    nobody_is_leased_twice
    contacts_are_parked_or_come_to_rest
    those_who_wait_for_their_window_take_nobody_s_slot
    a_paused_account_plans_nothing
    calls_of_a_paused_run_hold_their_lines
    a_run_is_over_when_nobody_waits
    a_retry_keeps_its_caller_id
    leases_are_freed_at_the_start_of_the_only_process
}

fn paced(now: Timestamp, cps: f64, lines: i64) -> Pace {
    Pace { now, cps: Some(cps), lines, instead: |_| None }
}

async fn slots_keep_the_pace_and_lines_are_counted_from_rows(bench: Bench) {
    let calls = bench.run_of(10).await;
    let first = calls.plan_with(paced(NOON, 10.0, 4)).await;
    let slots: Vec<i64> = first.iter().map(|p| p.slot_us).collect();
    let expected: Vec<i64> = (0..4).map(|n| NOON.0 * 1000 + n * spacing_us(10.0)).collect();
    assert_eq!(slots, expected);
    // Four lines are held by four leases; one call that ends frees one.
    assert!(calls.plan_with(paced(NOON, 10.0, 4)).await.is_empty());
    for (n, planned) in first.iter().enumerate() {
        let token = token(n as u64);
        assert!(calls.claim(*planned, token, NOON).await);
        assert!(calls.plan_with(paced(NOON, 10.0, 4)).await.is_empty(), "a dialing attempt holds a line");
        assert!(calls.grant(planned.attempt, token, 100 + n as i64, NOON).await);
    }
    assert!(calls.plan_with(paced(NOON, 10.0, 4)).await.is_empty(), "a live attempt holds a line");
    assert!(calls.finish(first[0].attempt, halo::domain::SessionId(100), Outcome::Busy, NOON).await);
    let next = calls.plan_with(paced(NOON, 10.0, 4)).await;
    assert_eq!(next.len(), 1);
    // The pace goes on where it was, whatever the plans in between.
    assert_eq!(next[0].slot_us, NOON.0 * 1000 + 4 * spacing_us(10.0));
    // A call that cannot last any longer holds no line, even before anybody has said how it ended.
    let much_later = NOON.plus_ms(24 * 3600 * 1000);
    assert_eq!(calls.plan_with(paced(much_later, 10.0, 4)).await.len(), 4);
}

/// What a claim is compared with: the slot that the plan gave, and the lease. `dials.rs` has the claim itself.
async fn a_lost_lease_gets_a_new_slot(bench: Bench) {
    let calls = bench.run_of(1).await;
    let lost = calls.plan(NOON).await[0];
    let end = NOON.plus_ms(LEASE_MS);
    assert!(calls.plan(end.plus_ms(-1)).await.is_empty(), "the lease still holds");
    assert!(!calls.claim(lost, token(1), end).await, "the lease has run out");
    let again = calls.plan(end).await[0];
    assert_eq!(again.attempt, lost.attempt);
    assert!(again.slot_us > lost.slot_us);
    assert!(!calls.claim(lost, token(2), end).await, "the nudge of the old slot");
    assert!(calls.claim(again, token(3), end).await);
    assert!(!calls.claim(again, token(4), end).await, "the same nudge a second time");
    assert_eq!(bench.number("select count(*) from attempts").await, 1);
    assert_eq!(bench.number("select count(*) from starts").await, 1);
}

/// The guard: `leased_until <= now` in `lease_due`, under the account's lock.
async fn nobody_is_leased_twice(bench: Bench) {
    let calls = bench.run_of(300).await;
    let mut nodes = vec![calls.store.clone(), calls.store.clone()];
    if bench.engine == Engine::Postgres {
        nodes = vec![bench.another().await, bench.another().await, bench.another().await];
    }
    let mut planners = Vec::new();
    for node in nodes {
        let ids = node.ids.clone();
        let account = calls.account;
        planners.push(tokio::spawn(async move {
            let mut mine: Vec<Planned> = Vec::new();
            for _ in 0..40 {
                let planner = std::sync::Arc::new(Few(10));
                let lease_until = NOON.plus_ms(LEASE_MS);
                let order = halo::store::PlanOrder { account, now: NOON, lease_until, ids: ids.clone(), planner };
                mine.extend(node.plan(order).await.unwrap());
            }
            mine
        }));
    }
    let mut all = Vec::new();
    for planner in planners {
        all.extend(planner.await.unwrap());
    }
    let attempts: BTreeSet<i64> = all.iter().map(|p| p.attempt.0).collect();
    assert_eq!((all.len(), attempts.len()), (300, 300));
    assert_eq!(bench.number("select count(*) from attempts").await, 300);
}

/// Takes so many at a time, all at one instant.
struct Few(usize);

impl halo::store::Planner for Few {
    fn want(&self, _: &halo::store::Account, _: i64, _: &halo::store::OpenRun) -> usize {
        self.0
    }
    fn place(
        &self,
        _: &mut halo::store::Account,
        _: &mut halo::store::OpenRun,
        _: &mut halo::domain::callers::CallerUses,
        _: &Leased,
    ) -> Placement {
        Placement::Slot { slot_us: NOON.0 * 1000, caller_id: None, leased_until: NOON.plus_ms(LEASE_MS) }
    }
}

async fn contacts_are_parked_or_come_to_rest(bench: Bench) {
    let calls = bench.run_of(3).await;
    let placed = |contact: &Leased| match contact.to.as_str().as_bytes()[11] {
        b'0' => Some(Placement::Park { until: NOON.plus_ms(60_000), gate: Gate::Window }),
        b'1' => Some(Placement::Rest(Outcome::Suppressed)),
        _ => None,
    };
    let plan = |now| calls.plan_with(Pace { now, cps: None, lines: 10, instead: placed });
    assert_eq!(plan(NOON).await.len(), 1);
    let gates = calls.store.gates(calls.run, NOON).await.unwrap();
    assert_eq!((gates.len(), gates[0].gate.as_str(), gates[0].opens_at), (1, "window", NOON.0 + 60_000));
    assert!(plan(NOON.plus_ms(59_999 - LEASE_MS)).await.len() <= 1);
    let progress = calls.store.progress(calls.run).await.unwrap();
    assert_eq!((progress.contacts, progress.rested), (3, 1));

    // A planned attempt whose contact comes to rest ends with it, and leaves no open attempt behind.
    let rests = Pace {
        now: NOON.plus_ms(LEASE_MS * 20),
        cps: None,
        lines: 10,
        instead: |_| Some(Placement::Rest(Outcome::Expired)),
    };
    assert!(calls.plan_with(rests).await.is_empty());
    assert_eq!(bench.number("select count(*) from attempts where state <> 'ended'").await, 0);
    assert_eq!(bench.number("select count(*) from attempts where outcome = 'expired'").await, 1);
}

/// The guard: leasing goes on until the run has the slots it wants, and what was not needed is given back.
async fn those_who_wait_for_their_window_take_nobody_s_slot(bench: Bench) {
    let calls = bench.run_of(50).await;
    let placed = |contact: &Leased| match contact.to.as_str().as_bytes()[11] {
        b'9' => None,
        _ => Some(Placement::Park { until: NOON.plus_ms(60_000), gate: Gate::Window }),
    };
    let plan = |lines| calls.plan_with(Pace { now: NOON, cps: None, lines, instead: placed });
    assert_eq!(plan(2).await.len(), 2);
    assert_eq!(plan(3).await.len(), 1, "what the first plan leased and did not need is free");
    assert_eq!(plan(50).await.len(), 2);
    assert_eq!(calls.store.gates(calls.run, NOON).await.unwrap()[0].contacts, 45);
}

async fn a_paused_account_plans_nothing(bench: Bench) {
    let calls = bench.run_of(2).await;
    let planned = calls.plan_with(paced(NOON, 10.0, 1)).await[0];
    calls.store.pause_all(calls.account, true, By::halo("the operator said so"), NOON).await.unwrap();
    assert!(calls.plan(NOON).await.is_empty());
    assert!(!calls.claim(planned, token(1), NOON).await, "a claim under a paused account");
    let account = calls.store.account(calls.account).await.unwrap().unwrap();
    assert_eq!(account.pause_reason.as_deref(), Some("the operator said so"));
    calls.store.pause_all(calls.account, false, By::default(), NOON).await.unwrap();
    assert_eq!(calls.plan(NOON).await.len(), 1);
    assert!(calls.claim(planned, token(1), NOON).await);
    // First values are only first: the limits that were set later stay.
    calls.store.set_limits(calls.account, Some(3.0), Some(7)).await.unwrap();
    bench.account().await;
    let account = calls.store.account(calls.account).await.unwrap().unwrap();
    assert_eq!((account.cps_max, account.lines_max), (Some(3.0), Some(7)));
}

async fn calls_of_a_paused_run_hold_their_lines(bench: Bench) {
    let calls = bench.run_of(3).await;
    calls.all_live(100, NOON).await;
    calls.store.set_run_state(calls.run, RunState::Paused, Some("look".into()), NOON).await.unwrap();
    let other = new_campaign(&bench.store, "other", (10..20).map(contact).collect(), Vec::new());
    let campaign = other.campaign.campaign;
    bench.store.create_campaign(other).await.unwrap();
    calls.store.set_limits(calls.account, None, Some(5)).await.unwrap();
    calls.store.start_run(campaign, calls.account, Take::All, NOON).await.unwrap();
    assert_eq!(calls.plan(NOON).await.len(), 2, "three of five lines talk for the paused run");
}

async fn state(calls: &Calls<'_>, run: RunId) -> RunState {
    calls.store.run(run).await.unwrap().state
}

async fn a_run_is_over_when_nobody_waits(bench: Bench) {
    let calls = bench.run_of(2).await;
    let live = calls.all_live(100, NOON).await;
    calls.plan(NOON).await;
    assert_eq!(state(&calls, calls.run).await, RunState::Running, "two calls are live");
    assert!(calls.finish(live[0].0, live[0].1, Outcome::Answered, NOON).await);
    assert!(calls.retry_in(live[1].0, live[1].1, Outcome::Busy, NOON, 1000).await);
    calls.plan(NOON).await;
    assert_eq!(state(&calls, calls.run).await, RunState::Running, "a retry waits");
    let later = NOON.plus_ms(1000);
    let (attempt, session) = calls.all_live(200, later).await[0];
    assert_ne!(attempt, live[1].0, "a retry is another attempt");
    assert!(calls.finish(attempt, session, Outcome::Busy, later).await);
    calls.plan(later).await;
    let run = calls.store.run(calls.run).await.unwrap();
    assert_eq!((run.state, run.ended_at), (RunState::Completed, Some(later)));
    assert!(!calls.store.set_run_state(calls.run, RunState::Running, None, later).await.unwrap(), "it is over");
}

async fn a_retry_keeps_its_caller_id(bench: Bench) {
    let calls = bench.run_of(6).await;
    for (attempt, session) in calls.all_live(100, NOON).await {
        assert!(calls.retry_in(attempt, session, Outcome::Busy, NOON, 0).await);
    }
    calls.plan(NOON).await;
    let differing = "select count(*) from attempts a join attempts b on b.run_contact_id = a.run_contact_id
                     where a.try_number = 1 and b.try_number = 2 and a.caller_id = b.caller_id";
    assert_eq!(bench.number(differing).await, 6);
    assert!(bench.number("select count(distinct caller_id) from attempts").await > 1);
}

async fn leases_are_freed_at_the_start_of_the_only_process(bench: Bench) {
    let calls = bench.run_of(5).await;
    let before = calls.plan(NOON).await;
    assert!(calls.plan(NOON).await.is_empty());
    assert_eq!(calls.store.free_leases().await.unwrap(), 5);
    assert!(!calls.claim(before[0], token(1), NOON).await, "a nudge from before the restart");
    assert_eq!(calls.plan(NOON.plus_ms(1)).await.len(), 5);
}

/// Decisions of other nodes share accounts and runs with each other, and there is always one.
/// The guards: `for share` in `share_account.sql` and in `share_open_runs.sql`, where an exclusive lock would wait.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_planner_waits_for_no_decision() {
    let Some(bench) = Bench::postgres().await else { return };
    let calls = bench.run_of(3).await;
    let Db::Postgres(pool) = bench.store.db() else { unreachable!("asked for by name") };
    let mut deciding = pool.begin().await.unwrap();
    sqlx::raw_sql("select 1 from accounts for share; select 1 from runs for share")
        .execute(&mut *deciding)
        .await
        .unwrap();
    let planned = tokio::time::timeout(Duration::from_secs(20), calls.plan(NOON)).await;
    assert_eq!(planned.expect("nobody is waited for").len(), 3);
    deciding.rollback().await.unwrap();
}

/// What a plan makes of something that is said, and not committed, when it begins.
async fn planned_beside(bench: &Bench, calls: &Calls<'_>, said: &'static str) -> usize {
    let Db::Postgres(pool) = bench.store.db() else { unreachable!("asked for by name") };
    let mut saying = pool.begin().await.unwrap();
    sqlx::raw_sql(said).execute(&mut *saying).await.unwrap();
    let (store, order) =
        (calls.store.clone(), calls.order(Pace { now: NOON, cps: None, lines: 1000, instead: |_| None }));
    let plan = tokio::spawn(async move { store.plan(order).await });
    let waits = "select count(*) from pg_locks l join pg_stat_activity a on a.pid = l.pid
                 where not l.granted and a.datname = current_database()";
    while bench.number(waits).await == 0 && !plan.is_finished() {
        tokio::task::yield_now().await;
    }
    saying.commit().await.unwrap();
    plan.await.unwrap().unwrap().len()
}

/// The guards: the same two statements, without which the plan would rest on what was so before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_planner_waits_for_a_pause() {
    let Some(bench) = Bench::postgres().await else { return };
    let calls = bench.run_of(3).await;
    assert_eq!(planned_beside(&bench, &calls, "update accounts set paused_at = 1").await, 0);
    bench.execute("update accounts set paused_at = null").await.unwrap();
    assert_eq!(planned_beside(&bench, &calls, "update runs set state = 'paused'").await, 0);
    bench.execute("update runs set state = 'running'").await.unwrap();
    assert_eq!(calls.plan(NOON).await.len(), 3);
}

/// The guard: `for update` in `turning_runs.sql`. The end of a run would wait for the decision, and then not look again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_does_not_end_while_its_last_contact_is_woken() {
    let Some(bench) = Bench::postgres().await else { return };
    let calls = bench.run_of(1).await;
    bench.execute("update run_contacts set disposition = 'busy', rested_at = 1, due_at = null").await.unwrap();
    let woken =
        "select 1 from runs for share; update run_contacts set disposition = null, rested_at = null, due_at = 1";
    assert_eq!(planned_beside(&bench, &calls, woken).await, 1);
    assert_eq!(bench.store.run(calls.run).await.unwrap().state, RunState::Running);
}
