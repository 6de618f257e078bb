//! Further lists: whom they bring, when those are called, and that nobody is lost or moved.

use super::histories::TAKEN_AMISS;
use crate::both_engines;
use crate::common::Bench;
use crate::common::calls::{Calls, NOON, contact, new_campaign};
use futures::future::join_all;
use halo::domain::settings::Take;
use halo::domain::{BatchId, Mode, Outcome};
use halo::http::append::append;
use halo::http::copy::{Copy, copy};
use halo::http::import::{Here, ImportError};
use halo::store::{AppendOrder, Appended, Beginning, Erased, NewCampaign, RunState, Shown, Store};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

both_engines! {
    a_list_joins_the_open_run_or_waits_for_the_next
    nobody_is_lost_between_a_list_and_the_end_of_a_run
    lists_at_the_same_moment_bring_everybody_once
    appending_moves_nobody
    a_clone_has_everybody_and_arms_of_its_own
    every_arm_can_be_given_again
}

async fn order(store: &Store, calls: &Calls<'_>, numbers: Range<usize>) -> AppendOrder {
    let ordinal = store.next_list(calls.campaign).await.expect("an ordinal");
    let campaign = store.campaign(calls.campaign).await.expect("the store answers").expect("the campaign");
    let contacts: Vec<_> = numbers.map(contact).collect();
    let new = NewCampaign {
        campaign,
        batch: BatchId(store.ids.one(NOON.0)),
        ..new_campaign(store, "demo", contacts, Vec::new())
    };
    AppendOrder { ordinal, new, now: NOON }
}

/// The guards: `joinable_run.sql`; `count_taken` in `start_run` and `append`.
async fn a_list_joins_the_open_run_or_waits_for_the_next(bench: Bench) {
    let calls = bench.run_of(3).await;
    let store = &bench.store;
    let joins = async |numbers: Range<usize>| {
        let order = order(store, &calls, numbers).await;
        store.append(order).await.expect("an append")
    };
    assert_eq!(joins(10..12).await, Appended::Joined(calls.run));
    assert_eq!(store.progress(calls.run).await.unwrap().contacts, 5);
    assert_eq!(calls.plan(NOON).await.len(), 5, "they are due at once");
    store.set_run_state(calls.run, RunState::Paused, None, NOON).await.unwrap();
    assert_eq!(joins(20..21).await, Appended::Joined(calls.run), "a paused run is not over");
    let stale = order(store, &calls, 90..91).await;
    assert_eq!(joins(30..31).await, Appended::Joined(calls.run));
    assert_eq!(store.append(stale).await.unwrap(), Appended::Outdated, "another list came in between");
    store.drain_run(calls.run, Default::default(), NOON).await.unwrap();
    assert_eq!(joins(40..42).await, Appended::Waits, "nobody new is called in it");
    store.set_run_state(calls.run, RunState::Stopped, None, NOON).await.unwrap();
    assert_eq!(joins(50..51).await, Appended::Waits);
    // The next run takes everybody, one that waits is joined at its moment, and one that took the next few is not.
    let at = NOON.plus_ms(3_600_000);
    let later = Beginning { starts_at: Some(at), ..Beginning::default() };
    let (run, taken) = store.begin_run(calls.campaign, calls.account, Take::All, later, NOON).await.unwrap();
    assert_eq!(taken, 10);
    assert_eq!(joins(60..61).await, Appended::Joined(run));
    assert!(calls.plan(at.plus_ms(-1)).await.is_empty());
    assert_eq!(calls.plan(at).await.len(), 11);
    store.set_run_state(run, RunState::Stopped, None, NOON).await.unwrap();
    store.start_run(calls.campaign, calls.account, Take::Next(5), NOON).await.unwrap();
    assert_eq!(joins(70..71).await, Appended::Waits);
    let lists: Vec<i64> = store.imports(calls.campaign).await.unwrap().iter().map(|list| list.ordinal).collect();
    assert_eq!(lists, (1..=8).collect::<Vec<_>>());
    let proved = store.prove(calls.campaign).await.unwrap().rows;
    assert_eq!((proved.rows_total, proved.contacts), (12, 12));
    assert_eq!(bench.number(TAKEN_AMISS).await, 0);
}

/// Without `for update` in `joinable_run.sql` PostgreSQL ends the run while the list comes in: its contacts would be
/// in a run that is over, and nobody would call them.
async fn nobody_is_lost_between_a_list_and_the_end_of_a_run(bench: Bench) {
    const ROUNDS: usize = 12;
    let calls = bench.run_of(1).await;
    let other = bench.another().await;
    for (attempt, session) in calls.all_live(100, NOON).await {
        assert!(calls.finish(attempt, session, Outcome::Answered, NOON).await);
    }
    let (mut joined, mut run) = (0, calls.run);
    for round in 0..ROUNDS {
        // Everybody is at rest: the very next plan ends the run.
        let first = 100 * (round + 1);
        let list = order(&other, &calls, first..first + 60).await;
        let (appended, _) = tokio::join!(other.append(list), calls.plan(NOON));
        let now = bench.store.run(run).await.unwrap();
        match appended.unwrap() {
            Appended::Joined(whose) => {
                assert_eq!((whose, now.shown), (run, Shown::Running), "round {round}: they joined a run that is over");
                joined += 60;
            }
            Appended::Waits => assert_eq!(now.shown, Shown::Completed),
            Appended::Outdated => panic!("nobody else appends"),
        }
        let forgotten = "select count(*) from run_contacts c join runs r on r.run_id = c.run_id
                         where r.state = 'completed' and c.disposition is null";
        assert_eq!(bench.number(forgotten).await, 0, "round {round}");
        bench.execute("update run_contacts set disposition = 'answered', rested_at = 1, due_at = null where disposition is null").await.unwrap();
        bench
            .execute("update attempts set state = 'ended', ended_at = 1, outcome = 'cancelled' where state = 'planned'")
            .await
            .unwrap();
        if now.state.is_over() {
            run = bench.store.start_run(calls.campaign, calls.account, Take::Next(1), NOON).await.unwrap().0;
            bench.execute("update runs set joinable = 1").await.unwrap();
            bench.execute("update run_contacts set disposition = 'answered', rested_at = 1, due_at = null where disposition is null").await.unwrap();
        }
    }
    assert!(joined <= 60 * ROUNDS);
    let contacts = bench.number("select count(*) from contacts").await;
    assert_eq!(contacts, 1 + 60 * ROUNDS as i64, "every list was stored");
    other.close().await;
}

const SETTINGS: &str = r#"{ "name": "demo", "purpose": "test", "modes": { "dialog": 1, "realtime": 1 } }"#;

fn modes() -> BTreeSet<Mode> {
    [Mode::dialog(), "realtime".parse().expect("a mode")].into()
}

fn here<'a>(store: &'a Store, modes: &'a BTreeSet<Mode>) -> Here<'a> {
    Here { store, modes, real_platform: false, default_caller_id: None, now: NOON }
}

fn csv(numbers: impl IntoIterator<Item = usize>) -> Vec<u8> {
    let lines = numbers.into_iter().map(|n| format!("+7999000{n:04}\n"));
    format!("phone\n{}", lines.collect::<String>()).into_bytes()
}

/// A campaign of the list 0..40, with its arms.
async fn split(bench: &Bench) -> halo::domain::CampaignId {
    let modes = modes();
    let upload = halo::http::import::Upload {
        source: "contacts.csv",
        settings: SETTINGS,
        script: None,
        contacts: &csv(0..40),
        salt: Some("salt".into()),
    };
    halo::http::import::import(&here(&bench.store, &modes), upload).await.expect("an import").campaign
}

async fn arms(bench: &Bench, campaign: halo::domain::CampaignId) -> BTreeMap<String, String> {
    let rows = bench.store.contacts(campaign, 0, 1000).await.expect("contacts");
    rows.into_iter().map(|row| (row.e164, row.mode)).collect()
}

/// The guard: the ordinal under the campaign's lock. Without it both lists have the same ordinal, and one fails.
async fn lists_at_the_same_moment_bring_everybody_once(bench: Bench) {
    let campaign = split(&bench).await;
    let other = bench.another().await;
    let modes = modes();
    // Each list shares half of its numbers with the next.
    let lists = (0..6).map(|n| {
        let store = [&bench.store, &other][n % 2];
        let here = here(store, &modes);
        async move { append(&here, "demo", "more.csv", csv(100 + 10 * n..120 + 10 * n)).await }
    });
    let done: Vec<_> = join_all(lists).await.into_iter().map(|done| done.expect("an append")).collect();
    assert_eq!(done.iter().map(|list| list.buckets.accepted).sum::<usize>(), 70, "{done:?}");
    assert!(done.iter().all(|list| list.rows == list.buckets.accepted + list.buckets.duplicate));
    let ordinals: BTreeSet<i64> = done.iter().map(|list| list.list).collect();
    assert_eq!(ordinals, (2..=7).collect());
    assert_eq!(arms(&bench, campaign).await.len(), 110);
    let proved = bench.store.prove(campaign).await.unwrap().rows;
    assert_eq!((proved.accepted, proved.contacts, proved.duplicates), (110, 110, proved.rejects_duplicate));
    other.close().await;
}

async fn appending_moves_nobody(bench: Bench) {
    let campaign = split(&bench).await;
    let before = arms(&bench, campaign).await;
    let modes = modes();
    let here = here(&bench.store, &modes);
    // Two are here already, one is no number, one stands twice.
    let mut list = csv((38..60).chain([59]));
    list.extend_from_slice(b"12\n");
    let done = append(&here, "demo", "more.csv", list).await.unwrap();
    let b = done.buckets;
    assert_eq!((done.list, done.rows, b.accepted, b.duplicate, b.refused, done.run), (2, 24, 20, 3, 1, None));
    let rejects = bench.store.rejects(campaign).await.unwrap();
    assert_eq!((rejects[0].line, rejects[0].reason.as_str()), (2, "the same number as line 40 of list 1"));
    let after = arms(&bench, campaign).await;
    assert!(before.iter().all(|(number, arm)| after[number] == *arm), "nobody is moved");
    let fresh: Vec<&String> =
        after.iter().filter(|(number, _)| !before.contains_key(*number)).map(|(_, arm)| arm).collect();
    assert_eq!((fresh.len(), fresh.iter().filter(|arm| arm.as_str() == "dialog").count()), (20, 10), "level by itself");
    // A list of which everybody is here already is accounted for too.
    let again = append(&here, "demo", "more.csv", csv(0..5)).await.unwrap();
    assert_eq!((again.list, again.buckets.accepted, again.buckets.duplicate), (3, 0, 5));
    let none = append(&here, "demo", "more.csv", b"phone\n12\n".to_vec()).await;
    assert!(matches!(none, Err(ImportError::Contacts(_))), "{none:?}");
    assert_eq!(bench.store.imports(campaign).await.unwrap().len(), 3, "nothing of it was stored");
}

async fn a_clone_has_everybody_and_arms_of_its_own(bench: Bench) {
    let campaign = split(&bench).await;
    let modes = modes();
    let here = here(&bench.store, &modes);
    append(&here, "demo", "more.csv", csv(40..60)).await.unwrap();
    let original = arms(&bench, campaign).await;
    let clone = async |name: &str, keep_arms| {
        let order = Copy { name: name.into(), keep_arms, ..Copy::default() };
        let done = copy(&here, "demo", order).await?;
        assert_eq!(done.contacts, 60);
        Ok::<_, ImportError>((done.campaign, arms(&bench, done.campaign).await))
    };
    let (kept, same) = clone("kept", true).await.unwrap();
    assert_eq!(same, original);
    let (_, drawn) = clone("drawn", false).await.unwrap();
    assert_eq!(drawn.keys().collect::<Vec<_>>(), original.keys().collect::<Vec<_>>());
    assert_ne!(drawn, original);
    assert!(matches!(clone("demo", true).await, Err(ImportError::Store(_))), "the name is taken");
    assert!(matches!(clone("no/name", true).await, Err(ImportError::Settings(..))));
    let row = bench.store.campaign(kept).await.unwrap().unwrap();
    assert!(row.settings.contains("\"name\":\"kept\""), "{}", row.settings);
    assert!(bench.store.runs(kept).await.unwrap().is_empty());
    let proved = bench.store.prove(kept).await.unwrap().rows;
    assert_eq!((proved.rows_total, proved.accepted, proved.contacts), (60, 60, 60));
}

/// The guards: `split` in `round::listed` and `copy`, its absence where arms are kept, and `is_erased` in `prove`.
async fn every_arm_can_be_given_again(bench: Bench) {
    let campaign = split(&bench).await;
    let modes = modes();
    let here = here(&bench.store, &modes);
    append(&here, "demo", "more.csv", csv(40..60)).await.unwrap();
    let proved = async |campaign| {
        let arms = bench.store.prove(campaign).await.unwrap().arms;
        (arms.contacts, arms.wrong, arms.lists_unknown)
    };
    assert_eq!(proved(campaign).await, (60, 0, 0));
    for (name, keep_arms, expected) in [("drawn", false, (60, 0, 0)), ("kept", true, (0, 0, 1))] {
        let order = Copy { name: name.into(), keep_arms, ..Copy::default() };
        let done = copy(&here, "demo", order).await.unwrap();
        assert_eq!(proved(done.campaign).await, expected, "{name}");
    }
    // Somebody's hand in the tables, in the first list and in the second.
    for (line, wrong) in [("min", 1), ("max", 2)] {
        let id = campaign.0;
        let who = format!("select {line}(contact_id) from contacts where campaign_id = {id} and mode = 'realtime'");
        let moved = bench.execute(&format!("update contacts set mode = 'dialog' where contact_id = ({who})")).await;
        assert_eq!(moved.unwrap(), 1);
        assert_eq!(proved(campaign).await, (60, wrong, 0));
    }
    let number = "+79990000041".parse().expect("a number");
    assert!(matches!(crate::erasures::erase(&bench, number, NOON).await, Erased::Done { .. }));
    assert_eq!(proved(campaign).await, (40, 1, 1), "of a list that lacks a number nothing is known");
}
