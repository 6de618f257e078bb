//! Settings that change while a campaign lives: every version kept, every node obeying the newest.

use crate::both_engines;
use crate::common::Bench;
use crate::common::calls::{NOON, contact, new_campaign, schedule};
use crate::dials::dialer_reading;
use halo::app::read_rules;
use halo::clock::Clock;
use halo::domain::Mode;
use halo::domain::settings::Take;
use halo::http::change::change;
use halo::http::import::{Here, ImportError};
use halo::store::{Actor, By, RunState, ScheduleChange, SettingsOrder, Store, StoreError};
use serde_json::{Value, json};
use std::collections::BTreeSet;

both_engines! {
    a_change_is_a_version_and_a_stale_one_is_refused
    every_node_obeys_the_newest_settings_from_its_next_look_on
    settings_are_validated_whole_and_some_stay_while_a_run_is_open
    a_schedule_changes_with_its_settings
}

const PLAIN: &str = r#"{ "name": "demo", "purpose": "test", "mode": "dialog", "dial": { "cps": 1.0, "lines": 100 } }"#;

fn modes() -> BTreeSet<Mode> {
    [Mode::dialog(), "realtime".parse().expect("a mode")].into()
}

async fn campaign(bench: &Bench, settings: &str, contacts: usize) -> halo::domain::CampaignId {
    let mut new = new_campaign(&bench.store, "demo", (0..contacts).map(contact).collect(), Vec::new());
    new.campaign.settings = settings.into();
    let campaign = new.campaign.campaign;
    bench.store.create_campaign(new).await.expect("a campaign");
    campaign
}

async fn patch(store: &Store, patch: Value) -> Result<(i64, Vec<String>), ImportError> {
    let modes = modes();
    let here = Here { store, modes: &modes, real_platform: false, default_caller_id: None, now: NOON };
    let by = By { actor: Actor::Cli, name: Some("Anna".into()), reason: Some("too quick".into()), ..By::default() };
    change(&here, "demo", &patch, by).await.map(|done| (done.version, done.changed))
}

/// The guard: the version in `change_settings.sql`.
async fn a_change_is_a_version_and_a_stale_one_is_refused(bench: Bench) {
    let campaign = campaign(&bench, "{}", 1).await;
    let order = |version: i64, settings: &str| SettingsOrder {
        campaign,
        version,
        settings: settings.into(),
        name: "demo".into(),
        schedule: ScheduleChange::Stays,
        only_at_rest: Vec::new(),
        by: By { actor: Actor::Api, name: Some("Anna".into()), reason: Some("slower".into()), ..By::default() },
        now: NOON.plus_ms(version),
    };
    assert_eq!(bench.store.change_settings(order(1, "one")).await.unwrap(), 2);
    let stale = bench.store.change_settings(order(1, "two")).await;
    assert!(matches!(stale, Err(StoreError::Conflict(_))), "{stale:?}");
    let other = bench.another().await;
    let both = tokio::join!(bench.store.change_settings(order(2, "here")), other.change_settings(order(2, "there")));
    assert_eq!([&both.0, &both.1].into_iter().filter(|done| done.is_ok()).count(), 1, "{both:?}");
    let history = bench.store.settings_history(campaign).await.unwrap();
    let versions: Vec<_> = history.iter().map(|v| (v.version, v.actor, v.changed_at)).collect();
    assert_eq!(versions, [(1, Actor::Halo, NOON), (2, Actor::Api, NOON.plus_ms(1)), (3, Actor::Api, NOON.plus_ms(2))]);
    assert_eq!((history[1].by.as_deref(), history[1].reason.as_deref()), (Some("Anna"), Some("slower")));
    assert_eq!(history[1].settings, "one");
    other.close().await;
}

/// Without the version in `Dialer::rules_at`, a node goes on with what it read first.
async fn every_node_obeys_the_newest_settings_from_its_next_look_on(bench: Bench) {
    let campaign = campaign(&bench, PLAIN, 40).await;
    let account = bench.account().await;
    bench.store.start_run(campaign, account, Take::All, NOON).await.unwrap();
    let clock = Clock::manual(NOON);
    let one = dialer_reading(&bench.store, account, &clock, read_rules(modes()));
    let other = bench.another().await;
    let two = dialer_reading(&other, account, &clock, read_rules(modes()));
    assert_eq!((one.plan().await.unwrap().len(), two.plan().await.unwrap().len()), (1, 0), "one a second");
    let changed = patch(&bench.store, json!({ "dial": { "cps": 20.0 } })).await.unwrap();
    assert_eq!(changed, (2, vec!["dial.cps".to_owned()]));
    clock.advance_ms(1000);
    assert!(two.plan().await.unwrap().len() > 10);
    assert_eq!(one.rules(campaign).await.unwrap().settings.dial.cps, 20.0);
    assert_eq!(patch(&bench.store, json!({ "dial": { "lines": 30 } })).await.unwrap().0, 3);
    clock.advance_ms(1000);
    one.plan().await.unwrap();
    assert_eq!(one.rules(campaign).await.unwrap().settings.dial.lines, 30);
    other.close().await;
}

fn faults(refused: Result<(i64, Vec<String>), ImportError>) -> String {
    let cause = refused.expect_err("refused");
    format!("{cause} {}", cause.faults().join("; "))
}

/// The guards: `NEVER` and `ONLY_AT_REST`, the latter under the campaign's and the run's lock.
async fn settings_are_validated_whole_and_some_stay_while_a_run_is_open(bench: Bench) {
    let campaign = campaign(&bench, PLAIN, 1).await;
    let account = bench.account().await;
    let (run, _) = bench.store.start_run(campaign, account, Take::All, NOON).await.unwrap();
    let store = &bench.store;
    assert!(
        faults(patch(store, json!({ "dial": { "cps": -1, "speed": 1 } })).await).contains("dial.speed: unknown key")
    );
    assert!(faults(patch(store, json!({ "colour": 1 })).await).contains("colour"));
    assert!(faults(patch(store, json!({ "purpose": "survey" })).await).contains("purpose: contacts were taken in"));
    let split = json!({ "mode": null, "modes": { "dialog": 1, "realtime": 1 } });
    assert!(faults(patch(store, split.clone()).await).contains("clone the campaign"));
    for (key, value) in [("name", "night"), ("region", "KZ")] {
        let refused = faults(patch(store, json!({ key: value })).await);
        assert!(refused.contains(&format!("{key}: not changed while a run")), "{refused}");
    }
    assert_eq!(store.settings_version(campaign).await.unwrap(), 1, "nothing of it was stored");
    assert_eq!(patch(store, json!({ "dial": { "cps": 1.0 } })).await.unwrap(), (1, Vec::new()), "it says so already");
    let retry = json!({ "retry": { "attempts_max": 2, "busy": ["1m"] } });
    let (version, mut changed) = patch(store, retry).await.unwrap();
    changed.sort();
    assert_eq!((version, changed.join(" ")), (2, "retry.attempts_max retry.busy".into()));

    store.set_run_state(run, RunState::Stopped, None, NOON).await.unwrap();
    assert_eq!(patch(store, json!({ "name": "night" })).await.unwrap().0, 3);
    assert_eq!(store.find_campaign("night").await.unwrap().campaign, campaign);
    store.create_campaign(new_campaign(store, "demo", vec![contact(1)], Vec::new())).await.unwrap();
    let modes = modes();
    let here = Here { store, modes: &modes, real_platform: false, default_caller_id: None, now: NOON };
    let taken = change(&here, "night", &json!({ "name": "demo" }), By::default()).await;
    assert!(matches!(taken, Err(ImportError::Store(StoreError::Conflict(_)))), "{taken:?}");
}

async fn a_schedule_changes_with_its_settings(bench: Bench) {
    let mut new = new_campaign(&bench.store, "demo", vec![contact(1)], Vec::new());
    let nightly = json!({ "name": "demo", "purpose": "test", "schedule": { "cron": "0 2 * * *" } });
    new.campaign.settings = nightly.to_string();
    new.schedule = Some(schedule(&bench.store, NOON.plus_ms(1)));
    bench.store.create_campaign(new).await.unwrap();
    let row = async || bench.store.schedules().await.unwrap().remove(0);
    let before = row().await;
    patch(&bench.store, json!({ "dial": { "cps": 2.0 } })).await.unwrap();
    assert_eq!(row().await.next_at, before.next_at, "another section leaves it alone");
    let changed = patch(&bench.store, json!({ "schedule": { "cron": "30 3 * * *", "overlap": "wait" } })).await;
    assert!(changed.unwrap().1.contains(&"schedule.cron".to_owned()));
    let after = row().await;
    assert_eq!((after.schedule, after.cron.as_str(), after.overlap.as_str()), (before.schedule, "30 3 * * *", "wait"));
    assert_eq!(after.next_at.unwrap().to_string(), "2026-11-26T00:30:00.000Z");
    patch(&bench.store, json!({ "schedule": null })).await.unwrap();
    assert_eq!(row().await.next_at, None, "it never fires again");
    patch(&bench.store, json!({ "schedule": { "cron": "0 5 * * *" } })).await.unwrap();
    assert!(row().await.next_at.is_some());
}
