//! Single calls as rows: planned at once, in nobody's list, and older rows beside them.

use crate::both_engines;
use crate::common::calls::{NOON, Pace, contact, mode, new_campaign, phone};
use crate::common::{Bench, calls};
use halo::domain::{AttemptId, BatchId, CampaignId, RunId};
use halo::store::{Campaign, PlanOrder, RunState, SingleOrder, Store, StoreError};
use std::sync::Arc;

both_engines! {
    a_single_call_is_planned_at_once_and_listed_nowhere
    two_single_calls_stand_side_by_side
    campaigns_from_before_single_calls_are_campaigns
}

pub struct Single {
    campaign: CampaignId,
    run: RunId,
    attempt: AttemptId,
}

pub async fn place(store: &Store, account: i64, n: usize) -> Single {
    let id = || store.ids.one(NOON.0);
    let single = Single { campaign: CampaignId(id()), run: RunId(id()), attempt: AttemptId(id()) };
    let order = SingleOrder {
        campaign: Campaign {
            campaign: single.campaign,
            name: format!("single/{}", single.run),
            settings: "{}".into(),
            script: "said\0".into(),
            salt: String::new(),
            created_at: NOON,
        },
        batch: BatchId(id()),
        run: single.run,
        attempt: single.attempt,
        account,
        number: phone(n),
        mode: mode("realtime"),
        timezone: Some(chrono_tz::Europe::Moscow),
        caller_id: Some(phone(99)),
        now: NOON,
        ids: store.ids.clone(),
    };
    store.place_single(order).await.expect("placed");
    single
}

async fn account(bench: &Bench) -> i64 {
    bench.store.ensure_account("simulator/1", None, None, NOON).await.expect("an account")
}

async fn plan(bench: &Bench, account: i64) -> Vec<AttemptId> {
    let planner = Pace { now: NOON, cps: None, lines: 10, instead: |_| None };
    let order = PlanOrder {
        account,
        now: NOON,
        lease_until: NOON.plus_ms(calls::LEASE_MS),
        ids: bench.store.ids.clone(),
        planner: Arc::new(planner),
    };
    bench.store.plan(order).await.expect("a plan").into_iter().map(|planned| planned.attempt).collect()
}

async fn a_single_call_is_planned_at_once_and_listed_nowhere(bench: Bench) {
    let account = account(&bench).await;
    let single = place(&bench.store, account, 1).await;
    let story = bench.store.story(single.attempt).await.unwrap().expect("its story");
    assert_eq!((story.state.as_str(), story.run_kind.as_str(), story.mode.as_str()), ("planned", "single", "realtime"));
    assert_eq!((story.e164.as_str(), story.caller_id.as_deref()), (phone(1).as_str(), Some(phone(99).as_str())));
    assert_eq!((story.outcome, story.source), (None, None));

    assert!(bench.store.campaigns(10).await.unwrap().is_empty());
    for name in [single.campaign.to_string(), format!("single/{}", single.run)] {
        assert!(matches!(bench.store.find_campaign(&name).await, Err(StoreError::Missing(_))), "{name}");
    }
    let row = bench.store.campaign(single.campaign).await.unwrap().expect("what it is made by");
    assert_eq!((row.settings.as_str(), row.script.as_str()), ("{}", "said"));

    // The planner gives that very attempt its slot, and makes no second one.
    assert_eq!(plan(&bench, account).await, [single.attempt]);
    assert_eq!(bench.number("select count(*) from attempts").await, 1);
    assert_eq!(bench.number("select count(*) from run_contacts where leased_until > 0").await, 1);
    let held = bench.store.attempt(single.attempt).await.unwrap().expect("it");
    assert_eq!(
        (held.run_kind.as_str(), held.caller_id, held.timezone),
        ("single", Some(phone(99)), Some(chrono_tz::Europe::Moscow))
    );

    let way = bench.store.way_in(single.attempt).await.unwrap().expect("it is known");
    assert!(way.state == "planned" && way.access_url.is_none());
    assert!(bench.store.way_in(AttemptId(1)).await.unwrap().is_none());
    assert!(bench.store.story(AttemptId(1)).await.unwrap().is_none());
    assert!(bench.store.starts(single.attempt).await.unwrap().is_empty());
    assert!(!bench.store.is_led("sweeper", NOON).await.unwrap());
    bench.store.lead("sweeper", "me", NOON, NOON.plus_ms(10)).await.unwrap();
    assert!(bench.store.is_led("sweeper", NOON).await.unwrap());
    assert!(!bench.store.is_led("sweeper", NOON.plus_ms(10)).await.unwrap());

    let standing = bench.store.standing(&phone(1)).await.unwrap().expect("a number that was heard of");
    assert!(standing.suppressed_at.is_none() && standing.held_until.is_none() && !standing.allow_listed);
    assert!(bench.store.standing(&phone(2)).await.unwrap().is_none());
    bench.store.suppress(phone(2), "asked", NOON).await.unwrap();
    let standing = bench.store.standing(&phone(2)).await.unwrap().expect("it is on the list");
    assert_eq!((standing.suppressed_at, standing.suppressed_reason.as_deref()), (Some(NOON.0), Some("asked")));
    assert_eq!(bench.store.single_calls_elsewhere().await.unwrap(), 0);
    let real = bench.store.ensure_account("api.voximplant.com/7", None, None, NOON).await.unwrap();
    place(&bench.store, real, 3).await;
    assert_eq!(bench.store.single_calls_elsewhere().await.unwrap(), 1);
    bench.store.wipe().await.unwrap();
}

async fn two_single_calls_stand_side_by_side(bench: Bench) {
    let account = account(&bench).await;
    let (one, two) = (place(&bench.store, account, 1).await, place(&bench.store, account, 2).await);
    let mut planned = plan(&bench, account).await;
    planned.sort();
    assert_eq!(planned, [one.attempt.min(two.attempt), one.attempt.max(two.attempt)]);
    assert_eq!(bench.number("select count(*) from numbers").await, 2);
    // One of them is withdrawn; the other does not notice.
    assert!(bench.store.set_run_state(one.run, RunState::Stopped, Some("asked".into()), NOON).await.unwrap());
    let states = async |single: &Single| bench.store.story(single.attempt).await.unwrap().unwrap();
    assert_eq!(states(&one).await.outcome.as_deref(), Some("cancelled"));
    assert_eq!(states(&two).await.state, "planned");
}

/// The migration finds rows: they are campaigns, as they were.
async fn campaigns_from_before_single_calls_are_campaigns(bench: Bench) {
    bench.store.create_campaign(new_campaign(&bench.store, "old", vec![contact(0)], Vec::new())).await.unwrap();
    bench.execute("alter table campaigns drop column kind").await.expect("the schema of before");
    let forgotten = bench.execute("delete from _halo_migrations where version = 2").await.expect("it was noted");
    assert_eq!(forgotten, 1);
    let again = bench.another().await;
    assert_eq!(again.find_campaign("old").await.unwrap().name, "old");
    assert_eq!(again.campaigns(10).await.unwrap().len(), 1);
    assert!(bench.execute("update campaigns set kind = 'both'").await.is_err(), "only two kinds");
    again.close().await;
}
