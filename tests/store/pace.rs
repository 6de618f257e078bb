//! The planner's own rules over real tables: caller ids, brake, limits, lines.

use crate::both_engines;
use crate::common::Bench;
use crate::common::calls::{Calls, NOON, contact, new_campaign, token};
use halo::dialer::{Rules, decisions::Plan};
use halo::domain::clearance::Gate;
use halo::domain::pace::{BURST_MS, Complaint, RISE_EVERY_MS, account_cps};
use halo::domain::settings::{Settings, Take};
use halo::domain::slot::{LATE_MS_MAX, spacing_us};
use halo::domain::{CampaignId, Mode, Outcome, SessionId, Timestamp};
use halo::intake::{policy, settings};
use halo::store::{BrakeOrder, LimitOrder, PlanOrder, Planned};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

both_engines! {
    caller_ids_are_rotated_by_weight_over_plans_and_campaigns
    a_caller_id_s_day_is_counted_from_rows_over_all_campaigns
    a_retry_waits_for_its_own_caller_id
    every_caller_id_has_its_own_lane
    a_complaint_takes_back_the_slots_that_were_given
    one_burst_seen_by_many_nodes_is_one_step
    limits_are_edited_while_calls_are_planned
    a_reserve_leaves_lines_and_pace_to_others
    a_lost_webhook_frees_its_line_when_the_call_cannot_last_longer
    a_run_that_trips_its_breaker_takes_no_slots
}

pub fn read(dial: &str) -> Settings {
    let text = format!("name = 'x'\npurpose = 'test'\ntimezone = 'Europe/Moscow'\n[dial]\n{dial}");
    settings::parse(&text, &BTreeSet::from([Mode::dialog()])).unwrap_or_else(|faults| panic!("{faults}"))
}

/// A planner with the very rules of the dialer, at one moment.
pub fn order(calls: &Calls<'_>, now: Timestamp, campaigns: &[(CampaignId, &Settings)]) -> PlanOrder {
    let policy = policy::find("safe").expect("it ships").calendars();
    let rules: HashMap<_, _> = campaigns
        .iter()
        .map(|(campaign, settings)| {
            let rules = Rules { settings: (*settings).clone(), policy: policy.clone(), script: String::new() };
            (*campaign, Arc::new(rules))
        })
        .collect();
    let plan = Plan {
        now,
        earliest: now,
        horizon_us: 1_000_000,
        lease_ms: 600_000,
        real: false,
        rules,
        means: HashMap::new(),
    };
    PlanOrder {
        account: calls.account,
        now,
        lease_until: now.plus_ms(5_000),
        ids: calls.store.ids.clone(),
        planner: Arc::new(plan),
    }
}

async fn plan(calls: &Calls<'_>, now: Timestamp, settings: &Settings) -> Vec<Planned> {
    calls.store.plan(order(calls, now, &[(calls.campaign, settings)])).await.expect("a plan")
}

/// Brings these to live and ends them.
async fn all_called(calls: &Calls<'_>, planned: &[Planned], from: i64, now: Timestamp) {
    for (n, planned) in planned.iter().enumerate() {
        let session = from + n as i64;
        assert!(calls.claim(*planned, token(session as u64), now).await);
        assert!(calls.grant(planned.attempt, token(session as u64), session, now).await);
        assert!(calls.finish(planned.attempt, SessionId(session), Outcome::Answered, now).await);
    }
}

async fn shown_by(bench: &Bench, id: &str) -> i64 {
    bench.number(&format!("select count(*) from attempts where caller_id = '{id}'")).await
}

const A: &str = "+74951234567";
const B: &str = "+79990000001";

async fn caller_ids_are_rotated_by_weight_over_plans_and_campaigns(bench: Bench) {
    let calls = bench.run_of(40).await;
    let settings = read(&format!("cps = 3\nlines = 1000\ncaller_ids = [{{ number = '{A}', weight = 3 }}, '{B}']"));
    let mut planned = 0;
    // Few at a time: what the rotation owes is kept between plans.
    for second in 0..8 {
        planned += plan(&calls, NOON.plus_ms(second * 1000), &settings).await.len();
    }
    let (a, b) = (shown_by(&bench, A).await, shown_by(&bench, B).await);
    assert!(planned >= 20 && (a + b) as usize == planned, "{a} and {b} of {planned}");
    assert!((a - 3 * b).abs() <= 3, "{a} to {b}");
}

/// The guards: `caller_uses` and the comparison with `day_max` in `Pool::spent`.
async fn a_caller_id_s_day_is_counted_from_rows_over_all_campaigns(bench: Bench) {
    let calls = bench.run_of(6).await;
    let settings = read(&format!("cps = 100\nlines = 1000\ncaller_ids = [{{ number = '{A}', day_max = 4 }}]"));
    let first = plan(&calls, NOON, &settings).await;
    assert_eq!(first.len(), 4);
    // Those on their way count too.
    assert!(plan(&calls, NOON.plus_ms(100), &settings).await.is_empty());
    all_called(&calls, &first, 100, NOON).await;

    let other = new_campaign(&bench.store, "other", (10..13).map(contact).collect(), Vec::new());
    let campaign = other.campaign.campaign;
    bench.store.create_campaign(other).await.unwrap();
    calls.store.start_run(campaign, calls.account, Take::All, NOON).await.unwrap();
    let both = [(calls.campaign, &settings), (campaign, &settings)];
    let evening = NOON.plus_ms(60_000);
    assert!(calls.store.plan(order(&calls, evening, &both)).await.unwrap().is_empty(), "the day is spent");
    let gates = calls.store.gates(calls.run, evening).await.unwrap();
    // Midnight in Moscow is 21:00 UTC: eleven hours after NOON.
    let midnight = NOON.plus_ms(11 * 3_600_000);
    assert_eq!((gates[0].gate.as_str(), gates[0].contacts, gates[0].opens_at), ("caller_id", 2, midnight.0));
    assert!(calls.store.plan(order(&calls, midnight.plus_ms(-1), &both)).await.unwrap().is_empty());
    assert_eq!(calls.store.plan(order(&calls, midnight, &both)).await.unwrap().len(), 4, "four of five who wait");
}

async fn a_retry_waits_for_its_own_caller_id(bench: Bench) {
    let calls = bench.run_of(2).await;
    let settings = read(&format!("cps = 100\nlines = 1000\ncaller_ids = [{{ number = '{A}', day_max = 1 }}, '{B}']"));
    let planned = plan(&calls, NOON, &settings).await;
    assert_eq!((planned.len(), shown_by(&bench, A).await, shown_by(&bench, B).await), (2, 1, 1));
    for (n, planned) in planned.iter().enumerate() {
        let session = 100 + n as i64;
        assert!(calls.claim(*planned, token(session as u64), NOON).await);
        assert!(calls.grant(planned.attempt, token(session as u64), session, NOON).await);
        assert!(calls.retry_in(planned.attempt, SessionId(session), Outcome::Busy, NOON, 1_000).await);
    }
    let later = NOON.plus_ms(10_000);
    assert_eq!(plan(&calls, later, &settings).await.len(), 1, "the other's id is spent");
    assert_eq!((shown_by(&bench, A).await, shown_by(&bench, B).await), (1, 2));
    assert_eq!(calls.store.gates(calls.run, later).await.unwrap()[0].gate, Gate::CallerId.as_str());
    let midnight = NOON.plus_ms(11 * 3_600_000);
    assert_eq!(plan(&calls, midnight, &settings).await.len(), 2, "the lost lease and the one that waited");
    assert_eq!(shown_by(&bench, A).await, 2);
}

async fn every_caller_id_has_its_own_lane(bench: Bench) {
    let calls = bench.run_of(30).await;
    let settings = read(&format!(
        "cps = 100\nlines = 1000\ncaller_ids = [{{ number = '{A}', cps = 2 }}, {{ number = '{B}', cool_down = '5s' }}]"
    ));
    let mut slots = Vec::new();
    for tenth in 0..100 {
        slots.extend(plan(&calls, NOON.plus_ms(tenth * 100), &settings).await);
    }
    // Ten seconds and the second ahead: two in each by the one, one in five by the other.
    assert_eq!((shown_by(&bench, A).await, shown_by(&bench, B).await), (22, 3));
    let closest = "select min(a.slot_us - b.slot_us) from attempts a join attempts b
                   on a.caller_id = b.caller_id and a.slot_us > b.slot_us where a.caller_id = ";
    assert_eq!(bench.number(&format!("{closest} '{A}'")).await, spacing_us(2.0));
    assert_eq!(bench.number(&format!("{closest} '{B}'")).await, (5_000 + LATE_MS_MAX) * 1000);
}

fn brake_order(calls: &Calls<'_>, sent_at: Timestamp, now: Timestamp) -> BrakeOrder {
    let complaint = Complaint { sent_at, left_cps: 0.0, until: None, reason: "340: too often".into() };
    BrakeOrder {
        account: calls.account,
        now,
        since: now.plus_ms(-1_000),
        decision: Arc::new(move |account, left| {
            let complaint = Complaint { left_cps: left as f64, ..complaint.clone() };
            halo::domain::pace::Brake::step(
                account.brake.as_ref(),
                account.cps_max,
                &complaint,
                now,
                RISE_EVERY_MS,
                BURST_MS,
            )
        }),
    }
}

/// The guard: `recall_slots` in the brake's transaction.
async fn a_complaint_takes_back_the_slots_that_were_given(bench: Bench) {
    let calls = bench.run_of(30).await;
    calls.store.set_limits(calls.account, Some(10.0), None).await.unwrap();
    let settings = read("cps = 100\nlines = 1000");
    let first = plan(&calls, NOON, &settings).await;
    assert_eq!(first.len(), 10);
    for (n, planned) in first[..4].iter().enumerate() {
        assert!(calls.claim(*planned, token(n as u64), NOON).await);
    }
    let now = NOON.plus_ms(400);
    let brake = calls.store.brake(brake_order(&calls, now, now)).await.unwrap().expect("a step");
    assert_eq!((brake.cps, brake.reason.as_str()), (2.0, "340: too often"), "half of the four that left");
    assert!(!calls.claim(first[5], token(9), now).await, "its slot was taken back");
    // At once half the pace, and it is kept: the next slots lie half a second apart.
    let next = plan(&calls, now, &settings).await;
    let slots: Vec<i64> = next.iter().map(|p| p.slot_us - now.0 * 1000).collect();
    // The run's own lane remembers the last slot that was taken back.
    assert_eq!(slots, [first[9].slot_us + spacing_us(100.0) - now.0 * 1000]);
    assert!(slots[0] >= spacing_us(2.0));
    let account = bench.another().await.account(calls.account).await.unwrap().unwrap();
    let at = |ms| account_cps(account.cps_max, account.brake.as_ref(), now.plus_ms(ms));
    assert_eq!((at(0), at(RISE_EVERY_MS), at(60_000)), (Some(2.0), Some(2.5), Some(10.0)));
    // It feels its way back: a second's worth of slots is more later on.
    let later = now.plus_ms(60_000);
    assert_eq!(plan(&calls, later, &settings).await.len(), 10);
}

async fn one_burst_seen_by_many_nodes_is_one_step(bench: Bench) {
    let calls = bench.run_of(30).await;
    calls.store.set_limits(calls.account, Some(10.0), None).await.unwrap();
    for (n, planned) in plan(&calls, NOON, &read("cps = 100\nlines = 1000")).await.iter().enumerate() {
        assert!(calls.claim(*planned, token(n as u64), NOON.plus_ms(1)).await);
    }
    let now = NOON.plus_ms(1000);
    let mut nodes = Vec::new();
    for _ in 0..20 {
        let (store, order) = (calls.store.clone(), brake_order(&calls, NOON.plus_ms(900), now));
        nodes.push(tokio::spawn(async move { store.brake(order).await.unwrap().is_some() }));
    }
    let mut steps = 0;
    for node in nodes {
        steps += usize::from(node.await.unwrap());
    }
    let account = calls.store.account(calls.account).await.unwrap().unwrap();
    assert_eq!((steps, account.brake.map(|brake| brake.cps)), (1, Some(5.0)));
}

async fn limits_are_edited_while_calls_are_planned(bench: Bench) {
    let calls = bench.run_of(50).await;
    let settings = read("cps = 100\nlines = 1000");
    let limit = |cps_max, now| LimitOrder {
        account: calls.account,
        cps_max: Some(cps_max),
        lines_max: Some(Some(1000)),
        seen: None,
        now,
    };
    calls.store.limit(limit(Some(20.0), NOON)).await.unwrap();
    let first = plan(&calls, NOON, &settings).await;
    assert_eq!(first.len(), 19, "one spacing after the edit");
    // Nobody leaves at a slot of the pace before: they get new ones, after whoever was claimed already.
    assert!(calls.claim(first[3], token(1), NOON).await);
    calls.store.limit(limit(Some(2.0), NOON)).await.unwrap();
    assert!(!calls.claim(first[4], token(2), NOON).await);
    let next = plan(&calls, NOON, &settings).await;
    assert!(!next.is_empty() && next.iter().all(|p| p.slot_us >= first[3].slot_us + spacing_us(2.0)));
    assert!(next.windows(2).all(|two| two[1].slot_us - two[0].slot_us >= spacing_us(2.0)));
    // No limit at all: the campaign's own pace is left.
    calls.store.limit(limit(None, NOON.plus_ms(1000))).await.unwrap();
    assert!(plan(&calls, NOON.plus_ms(2000), &settings).await.len() >= 40);
    // Whoever edits one limit leaves the other as somebody else has set it meanwhile.
    let (account, now) = (calls.account, NOON.plus_ms(3000));
    calls.store.limit(LimitOrder { account, cps_max: None, lines_max: Some(Some(7)), seen: None, now }).await.unwrap();
    calls
        .store
        .limit(LimitOrder { account, cps_max: Some(Some(3.0)), lines_max: None, seen: None, now })
        .await
        .unwrap();
    let stands = calls.store.account(account).await.unwrap().unwrap();
    assert_eq!((stands.cps_max, stands.lines_max), (Some(3.0), Some(7)));
}

async fn a_reserve_leaves_lines_and_pace_to_others(bench: Bench) {
    let calls = bench.run_of(50).await;
    calls.store.set_limits(calls.account, Some(20.0), Some(10)).await.unwrap();
    let settings = read("cps = 100\nlines = 1000\nreserve = 0.2");
    let planned = plan(&calls, NOON, &settings).await;
    assert_eq!(planned.len(), 8, "two of ten lines are left");
    assert_eq!(planned[1].slot_us - planned[0].slot_us, spacing_us(16.0));
    assert_eq!(plan(&calls, NOON.plus_ms(900), &read("cps = 100\nlines = 1000")).await.len(), 2, "others use them");
}

/// The guard: `a.held_until > $2` in `open_runs`; without it the line is never given back, and with `>=` too late.
async fn a_lost_webhook_frees_its_line_when_the_call_cannot_last_longer(bench: Bench) {
    let calls = bench.run_of(2).await;
    let settings = read("cps = 100\nlines = 1");
    let one = plan(&calls, NOON, &settings).await;
    assert_eq!(one.len(), 1);
    assert!(calls.claim(one[0], token(1), NOON).await);
    assert!(calls.grant(one[0].attempt, token(1), 100, NOON).await);
    // Nobody ever says how this call ended.
    let held_until = bench.number("select max(held_until) from attempts").await;
    assert!(plan(&calls, Timestamp(held_until - 1), &settings).await.is_empty(), "it may still talk");
    assert_eq!(calls.store.lines_held(calls.account, Timestamp(held_until - 1)).await.unwrap(), 1);
    assert_eq!(calls.store.lines_held(calls.account, Timestamp(held_until)).await.unwrap(), 0);
    assert_eq!(plan(&calls, Timestamp(held_until), &settings).await.len(), 1, "and now it cannot");
    assert_eq!(bench.number("select count(*) from attempts where state = 'live'").await, 1);
}

/// The guard: `want` compares `runs.ungranted` with the breaker; the sweep pauses the run up to a second later.
async fn a_run_that_trips_its_breaker_takes_no_slots(bench: Bench) {
    let calls = bench.run_of(2).await;
    let settings = read("cps = 100\nlines = 1000");
    bench.execute("update runs set ungranted = 10").await.unwrap();
    assert!(plan(&calls, NOON, &settings).await.is_empty());
    bench.execute("update runs set ungranted = 9").await.unwrap();
    assert_eq!(plan(&calls, NOON, &settings).await.len(), 2);
}
