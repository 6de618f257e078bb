//! Leadership and schedules: one firing for each moment, whoever looks at the clock.

use crate::both_engines;
use crate::common::Bench;
use crate::common::calls::{NOON, contact, new_campaign, schedule};
use crate::dials::{dialer_of, dialer_reading};
use halo::clock::Clock;
use halo::dialer::{Dialer, ReadRules};
use halo::domain::settings::{Overlap, Take};
use halo::domain::{CampaignId, RunId, ScheduleId, Timestamp};
use halo::store::{Actor, Beginning, FireOrder, Fired, NewSchedule, RunOrder, RunState, Store, Transition};
use std::sync::Arc;

both_engines! {
    a_new_leader_is_a_new_generation
    a_moment_fires_once
    nodes_that_fire_together_start_one_run
    missed_moments_are_made_up_for_by_one_run
    overlap_skips_waits_or_ends_the_run_before
    missed_moments_run_once_or_are_skipped_visibly
    a_run_stands_for_every_moment_that_waited_for_it
    a_campaign_whose_last_day_has_passed_starts_no_runs
    a_schedule_that_cannot_fire_is_told_and_holds_up_no_other
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
                beginning: Beginning::default(),
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

/// A campaign with a schedule whose next moment is `due`, and a node that reads these settings.
async fn node(bench: &Bench, due: Timestamp, clock: &Clock, settings: &str) -> (CampaignId, Arc<Dialer>) {
    let mut new = new_campaign(&bench.store, "nightly", (0..4).map(contact).collect(), Vec::new());
    let campaign = new.campaign.campaign;
    new.schedule = Some(schedule(&bench.store, due));
    bench.store.create_campaign(new).await.unwrap();
    (campaign, dialer_of(&bench.store, bench.account().await, clock, settings))
}

const MINUTE_MS: i64 = 60_000;

/// 02:00 in Moscow, the night before [`NOON`].
fn night_of(day: i64) -> Timestamp {
    NOON.plus_ms(-11 * HOUR_MS + day * 24 * HOUR_MS)
}

/// The guards: `missed` in `Dialer::fire`, and the row that a skip leaves.
async fn missed_moments_run_once_or_are_skipped_visibly(bench: Bench) {
    let settings = |missed: &str| {
        format!("name = 'n'\npurpose = 'test'\n[schedule]\ncron = '0 2 * * *'\noverlap = 'skip'\nmissed = '{missed}'\n")
    };
    let first = night_of(0);
    assert_eq!(first.to_string(), "2026-11-24T23:00:00.000Z");
    // Three nights without a scheduler, and nine hours of the fourth day.
    let clock = Clock::manual(NOON.plus_ms(72 * HOUR_MS));
    let (campaign, skips) = node(&bench, first, &clock, &settings("skip")).await;
    assert!(skips.fire().await.unwrap().is_empty());
    let skipped = bench.store.skipped(10).await.unwrap();
    assert_eq!(skipped.len(), 1, "{skipped:?}");
    assert_eq!((skipped[0].campaign, skipped[0].due_at), (campaign, first));
    assert_eq!((skipped[0].until_at, skipped[0].skipped_at), (Some(night_of(4)), clock.now()));
    assert_eq!(skipped[0].reason, "it passed while no scheduler ran");
    assert!(skips.fire().await.unwrap().is_empty(), "and nothing is left of it");

    // In time, and a little late: a restart takes a while.
    clock.advance_ms(night_of(4).since(clock.now()) + 5 * MINUTE_MS);
    let runs = skips.fire().await.unwrap();
    assert_eq!(runs.len(), 1);
    bench.store.set_run_state(runs[0], RunState::Stopped, None, clock.now()).await.unwrap();
    clock.advance_ms(24 * HOUR_MS + 1);
    assert!(skips.fire().await.unwrap().is_empty(), "five minutes and a millisecond are too late");
    assert_eq!(bench.store.skipped(10).await.unwrap().len(), 2);

    // `run`: two nights later one run makes up for both, and says for which moment.
    clock.advance_ms(48 * HOUR_MS);
    let runs = dialer_of(&bench.store, bench.account().await, &clock, &settings("run"));
    assert_eq!(runs.fire().await.unwrap().len(), 1);
    assert!(runs.fire().await.unwrap().is_empty());
    let all = bench.store.runs(campaign).await.unwrap();
    assert_eq!(all.iter().map(|run| run.due_at).collect::<Vec<_>>(), [Some(night_of(4)), Some(night_of(6))]);
    assert_eq!(bench.store.schedules().await.unwrap()[0].next_at, Some(night_of(8)));
    // The run before it is open: skipped, and that is told too.
    clock.advance_ms(24 * HOUR_MS);
    assert!(runs.fire().await.unwrap().is_empty());
    let newest = &bench.store.skipped(1).await.unwrap()[0];
    assert_eq!((newest.due_at, newest.reason.as_str()), (night_of(8), "the run before it is still open"));
}

/// A run says for which moments it stands, or some of them would vanish without a word.
async fn a_run_stands_for_every_moment_that_waited_for_it(bench: Bench) {
    let settings = "name = 'n'\npurpose = 'test'\n[schedule]\ncron = '0 2 * * *'\noverlap = 'wait'\n";
    let clock = Clock::manual(night_of(0));
    let (campaign, node) = node(&bench, night_of(0), &clock, settings).await;
    let end = async |run: RunId| {
        assert!(bench.store.set_run_state(run, RunState::Stopped, None, clock.now()).await.unwrap());
    };
    let first = node.fire().await.unwrap()[0];
    clock.advance_ms(25 * HOUR_MS);
    assert!(node.fire().await.unwrap().is_empty(), "the run before it is open");
    end(first).await;
    let second = node.fire().await.unwrap()[0];
    // Two nights pass while it is open: one run stands for both.
    clock.advance_ms(48 * HOUR_MS);
    assert!(node.fire().await.unwrap().is_empty());
    end(second).await;
    let third = node.fire().await.unwrap()[0];
    let began = async |run: RunId| bench.store.run_history(run).await.unwrap().remove(0);
    let of = |reason: String| Transition {
        state: "running".into(),
        at: clock.now(),
        actor: Actor::Schedule,
        by: None,
        reason: Some(reason),
    };
    let both = format!("due {}, and in place of every later moment until {}", night_of(2), clock.now());
    assert_eq!(began(third).await, of(both));
    assert_eq!(began(second).await.reason, Some(format!("due {}", night_of(1))));
    assert!(bench.store.skipped(10).await.unwrap().is_empty());
    assert_eq!(bench.store.runs(campaign).await.unwrap().len(), 3);
}

/// The guard: `is_over` in `Dialer::fire`; without it every night makes a run in which everybody expires.
async fn a_campaign_whose_last_day_has_passed_starts_no_runs(bench: Bench) {
    let settings = "name = 'n'\npurpose = 'survey'\n[windows]\nuntil = 2026-11-25\n[schedule]\ncron = '0 2 * * *'\n";
    let clock = Clock::manual(night_of(0));
    let (campaign, node) = node(&bench, night_of(0), &clock, settings).await;
    assert_eq!(node.fire().await.unwrap().len(), 1, "its last day begins");
    clock.advance_ms(24 * HOUR_MS);
    assert!(node.fire().await.unwrap().is_empty());
    assert_eq!(bench.store.runs(campaign).await.unwrap().len(), 1);
    assert_eq!(bench.store.skipped(10).await.unwrap()[0].reason, "no window opens any more");
}

/// The guards: `fire_one` by itself for each schedule, and the moment that is skipped with its reason.
async fn a_schedule_that_cannot_fire_is_told_and_holds_up_no_other(bench: Bench) {
    let clock = Clock::manual(night_of(0));
    let settings = |name: &str| format!("name = '{name}'\npurpose = 'test'\n[schedule]\ncron = '0 2 * * *'\n");
    let unreadable = "a mode that is gone";
    let mut campaigns = Vec::new();
    // The faulty ones are due first.
    for (n, (name, cron)) in
        [("gone", "0 2 * * *"), ("odd", "99 2 * * *"), ("sound", "0 2 * * *")].into_iter().enumerate()
    {
        let contacts = vec![contact(10 * n)];
        let mut new = new_campaign(&bench.store, name, contacts, Vec::new());
        campaigns.push(new.campaign.campaign);
        new.campaign.settings = if name == "sound" { settings(name) } else { unreadable.to_owned() };
        new.schedule =
            Some(NewSchedule { cron: cron.into(), ..schedule(&bench.store, night_of(0).plus_ms(n as i64 - 9)) });
        bench.store.create_campaign(new).await.unwrap();
    }
    let rules: ReadRules = Arc::new(move |stored| {
        if stored == unreadable {
            return Err(unreadable.to_owned());
        }
        let modes = [halo::domain::Mode::dialog()].into();
        Ok((halo::intake::settings::parse(stored, &modes).expect("settings"), Vec::new()))
    });
    let node = dialer_reading(&bench.store, bench.account().await, &clock, rules);
    let started = node.fire().await.unwrap();
    assert_eq!(started.len(), 1);
    assert_eq!(bench.store.run(started[0]).await.unwrap().campaign, campaigns[2]);
    let skipped = bench.store.skipped(10).await.unwrap();
    let of = |campaign| skipped.iter().find(|firing| firing.campaign == campaign).expect("it is told");
    assert!(of(campaigns[0]).reason.contains("cannot be read: a mode that is gone"), "{skipped:?}");
    // One night is lost, not all of them; but whose cron says nothing waits until it is written anew.
    assert_eq!(of(campaigns[0]).until_at, Some(night_of(1)));
    assert_eq!((of(campaigns[1]).until_at, skipped.len()), (None, 2));
    assert!(node.fire().await.unwrap().is_empty());
    assert_eq!(bench.store.skipped(10).await.unwrap().len(), 2, "told once, not at every tick");
}
