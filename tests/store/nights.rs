//! Leadership and schedules: one firing for each moment, whoever looks at the clock.

use crate::both_engines;
use crate::common::Bench;
use crate::common::calls::{NOON, contact, new_campaign, schedule};
use halo::domain::settings::{Overlap, Take};
use halo::domain::{CampaignId, RunId, ScheduleId, Timestamp};
use halo::store::{FireOrder, Fired, RunOrder, RunState, Store};

both_engines! {
    a_new_leader_is_a_new_generation
    a_moment_fires_once
    nodes_that_fire_together_start_one_run
    missed_moments_are_made_up_for_by_one_run
    overlap_skips_waits_or_ends_the_run_before
}

const HOUR_MS: i64 = 3_600_000;

async fn a_new_leader_is_a_new_generation(bench: Bench) {
    let lead = |who: &'static str, at: i64| bench.store.lead("sweeper", who, NOON.plus_ms(at), NOON.plus_ms(at + 100));
    assert_eq!(lead("a", 0).await.unwrap(), Some(1));
    assert_eq!(lead("b", 50).await.unwrap(), None, "a leads");
    assert_eq!(lead("a", 90).await.unwrap(), Some(1), "kept");
    assert_eq!(lead("b", 189).await.unwrap(), None);
    assert_eq!(lead("b", 190).await.unwrap(), Some(2));
    assert_eq!(lead("a", 200).await.unwrap(), None);
    let others = bench.store.lead("scheduler", "a", NOON, NOON.plus_ms(1)).await.unwrap();
    assert_eq!(others, Some(1), "another leadership is another row");
    let crowd = futures::future::join_all(["c", "d", "e", "f"].map(|who| lead(who, 900))).await;
    assert_eq!(crowd.into_iter().filter_map(Result::unwrap).count(), 1);
}

struct Night {
    campaign: CampaignId,
    schedule: ScheduleId,
    account: i64,
    generation: i64,
}

async fn night(bench: &Bench) -> Night {
    let mut new = new_campaign(&bench.store, "nightly", (0..4).map(contact).collect(), Vec::new());
    let (campaign, row) = (new.campaign.campaign, schedule(&bench.store, NOON));
    let schedule = row.schedule;
    new.schedule = Some(row);
    bench.store.create_campaign(new).await.unwrap();
    let until = NOON.plus_ms(1000 * HOUR_MS);
    let generation = bench.store.lead("scheduler", "a", NOON, until).await.unwrap().unwrap();
    Night { campaign, schedule, account: bench.account().await, generation }
}

impl Night {
    fn order(&self, store: &Store, due_at: Timestamp, now: Timestamp, overlap: Overlap) -> FireOrder {
        FireOrder {
            owner: "a".into(),
            generation: self.generation,
            due_at,
            next_at: Some(now.plus_ms(24 * HOUR_MS)),
            overlap,
            run: RunOrder {
                run: RunId(store.ids.one(now.0)),
                campaign: self.campaign,
                account: self.account,
                kind: "campaign",
                schedule: Some((self.schedule, due_at)),
                take: Take::All,
                now,
                ids: store.ids.clone(),
            },
        }
    }
}

/// The guards: `next_at` is compared under the schedule's lock, and (schedule, due moment) is unique.
async fn a_moment_fires_once(bench: Bench) {
    let night = night(&bench).await;
    let fire = |order| bench.store.fire(order);
    let order = || night.order(&bench.store, NOON, NOON, Overlap::Skip);
    let mut usurper = order();
    usurper.owner = "b".into();
    assert_eq!(fire(usurper).await.unwrap(), Fired::NotOurs, "b does not lead");
    let mut sleeper = order();
    sleeper.generation = night.generation - 1;
    assert_eq!(fire(sleeper).await.unwrap(), Fired::NotOurs, "an earlier generation");
    assert_eq!(fire(order()).await.unwrap(), Fired::Started { contacts: 4 });
    assert_eq!(fire(order()).await.unwrap(), Fired::NotOurs, "this moment has fired");
    assert!(bench.store.due_schedules(NOON).await.unwrap().is_empty());
    let run = &bench.store.runs(night.campaign).await.unwrap()[0];
    assert_eq!((run.schedule, run.due_at, run.ordinal), (Some(night.schedule), Some(NOON), 1));
    let back = format!("update schedules set next_at = {}", NOON.0);
    bench.execute(&back).await.unwrap();
    bench.execute("update runs set state = 'stopped', ended_at = 1").await.unwrap();
    assert!(fire(order()).await.is_err(), "even with the schedule turned back");
}

async fn nodes_that_fire_together_start_one_run(bench: Bench) {
    let night = night(&bench).await;
    let mut nodes = Vec::new();
    for _ in 0..4 {
        nodes.push(bench.another().await);
    }
    let fired = futures::future::join_all(nodes.iter().map(|node| {
        // The same leader, woken twice: the generation alone does not help.
        node.fire(night.order(node, NOON, NOON, Overlap::EndPrevious))
    }))
    .await;
    let started = fired.iter().filter(|fired| matches!(fired, Ok(Fired::Started { .. }))).count();
    assert_eq!(started, 1, "{fired:?}");
    assert_eq!(bench.number("select count(*) from runs").await, 1);
}

async fn missed_moments_are_made_up_for_by_one_run(bench: Bench) {
    let night = night(&bench).await;
    let monday = NOON.plus_ms(72 * HOUR_MS);
    let due = bench.store.due_schedules(monday).await.unwrap();
    assert_eq!((due.len(), due[0].next_at), (1, Some(NOON)));
    let order = night.order(&bench.store, NOON, monday, Overlap::Skip);
    assert_eq!(bench.store.fire(order).await.unwrap(), Fired::Started { contacts: 4 });
    assert!(bench.store.due_schedules(monday).await.unwrap().is_empty());
    assert_eq!(bench.store.schedules().await.unwrap()[0].next_at, Some(monday.plus_ms(24 * HOUR_MS)));
    assert_eq!(bench.store.runs(night.campaign).await.unwrap().len(), 1);
}

async fn overlap_skips_waits_or_ends_the_run_before(bench: Bench) {
    let night = night(&bench).await;
    let fire = async |day: i64, overlap| {
        let at = NOON.plus_ms(day * 24 * HOUR_MS);
        bench.store.fire(night.order(&bench.store, at, at, overlap)).await.unwrap()
    };
    assert_eq!(fire(0, Overlap::Skip).await, Fired::Started { contacts: 4 });
    assert_eq!(fire(1, Overlap::Wait).await, Fired::Waiting);
    assert_eq!(fire(1, Overlap::Wait).await, Fired::Waiting, "its moment stays");
    assert_eq!(fire(1, Overlap::Skip).await, Fired::Skipped);
    assert_eq!(fire(1, Overlap::Skip).await, Fired::NotOurs, "its moment has gone");
    assert_eq!(fire(2, Overlap::EndPrevious).await, Fired::Started { contacts: 4 });
    let runs = bench.store.runs(night.campaign).await.unwrap();
    assert_eq!(runs.iter().map(|run| run.state).collect::<Vec<_>>(), [RunState::Stopped, RunState::Running]);
    assert_eq!(bench.number("select count(*) from run_contacts where disposition = 'cancelled'").await, 4);
    bench.store.set_run_state(runs[1].run, RunState::Stopped, None, NOON).await.unwrap();
    assert_eq!(fire(3, Overlap::Wait).await, Fired::Started { contacts: 4 }, "when it has ended");
}
