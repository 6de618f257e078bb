//! Whole campaigns against the simulator, in this process: the journey, every ending, and every trouble
//! that the design names. Beside each important guard stands what fails without it.

mod harness;

#[path = "campaign/accidents.rs"]
mod accidents;
#[path = "campaign/control.rs"]
mod control;
#[path = "campaign/figures.rs"]
mod figures;
#[path = "campaign/histories.rs"]
mod histories;
#[path = "campaign/nights.rs"]
mod nights;
#[path = "campaign/outcomes.rs"]
mod outcomes;
#[path = "campaign/rehearsals.rs"]
mod rehearsals;
#[path = "campaign/slow.rs"]
mod slow;

use harness::{Place, SPLIT, World, attempts, completed, contacts, csv, ledger, number, settings, start, take_in};
use std::collections::BTreeMap;

/// The endings of the design's table, and what three tries make of each.
const ENDINGS: &[(u32, &[&str])] = &[
    (0, &["answered"]),
    (67, &["answered"]),
    (60, &["answered"]),
    (65, &["machine"]),
    (69, &["machine"]),
    (70, &["busy", "answered"]),
    (74, &["busy", "answered"]),
    (75, &["busy", "busy", "busy"]),
    (78, &["no_answer", "no_answer", "no_answer"]),
    (83, &["no_answer", "no_answer", "answered"]),
    (85, &["unavailable", "unavailable", "unavailable"]),
    (88, &["rejected"]),
    (90, &["invalid_number"]),
    (92, &["prohibited"]),
    (93, &["answered"]),
    (94, &["answered"]),
    (95, &["answered"]),
    (96, &["network_error", "network_error", "network_error"]),
    (97, &["busy", "busy", "busy"]),
    (98, &["answered"]),
    (99, &["answered"]),
];

const MODES: [&str; 4] = ["dialog", "realtime", "realtime_pure", "greeting"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_callee_ends_as_the_table_says_in_every_mode() {
    let place = Place::new(World { speed: 120.0, ..World::default() }).await;
    let app = place.serve().await;
    let mut list = "phone,mode\n".to_owned();
    for (nth, mode) in (0..).zip(MODES) {
        for (ending, _) in ENDINGS {
            list += &format!("{},{mode}\n", number(nth, *ending));
        }
    }
    // One row of each other bucket: a duplicate, and a number that is none.
    list += &format!("{},dialog\n+7999,dialog\n", number(0, 0));
    let done = take_in(&app, &settings("endings", ""), &list).await;
    let (rows, buckets) = (MODES.len() * ENDINGS.len(), done.buckets);
    assert_eq!((done.rows, buckets.accepted, buckets.duplicate, buckets.refused), (rows + 2, rows, 1, 1));

    let run = start(&app, done.campaign).await;
    completed(&app, run).await;
    harness::laws_hold(&app, done.campaign).await;

    let found = harness::outcomes(&app, done.campaign).await;
    let mut wrong = Vec::new();
    for (nth, mode) in (0..).zip(MODES) {
        for (ending, expected) in ENDINGS {
            let tries = found.get(&number(nth, *ending)).map(|(_, tries)| tries.clone()).unwrap_or_default();
            if tries != *expected {
                wrong.push(format!("{mode} {ending:02}: {tries:?}, not {expected:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));

    // The contact rests where its last try ended, and nobody was tried more often than the cap says.
    for contact in contacts(&app, done.campaign).await {
        let (mode, tries) = &found[&contact.e164];
        assert_eq!((contact.disposition.as_ref(), &contact.mode), (tries.last(), mode), "{}", contact.e164);
        let asked_not_to_be_called = contact.e164.ends_with("94") && mode != "greeting";
        assert_eq!(contact.suppressed_at.is_some(), asked_not_to_be_called, "{} {mode}", contact.e164);
    }
    for call in attempts(&app, done.campaign).await {
        let ending = &call.e164[call.e164.len() - 2..];
        // 98: the agent is never heard, whatever it does.
        if call.outcome.as_deref() == Some("answered") {
            assert_eq!(call.first_audio_ms.is_none(), ending == "98", "{} {}: {call:?}", call.mode, call.e164);
        }
        assert_eq!(call.machine == Some(1), matches!(ending, "65" | "69"), "{}", call.e164);
        let codes: BTreeMap<&str, i64> = [
            ("busy", 486),
            ("unavailable", 480),
            ("rejected", 603),
            ("invalid_number", 404),
            ("prohibited", 403),
            ("network_error", 503),
        ]
        .into();
        if let Some(code) = call.outcome.as_deref().and_then(|outcome| codes.get(outcome)) {
            assert_eq!(call.code, Some(*code), "{}", call.e164);
        }
    }
    assert_eq!(ledger::no_attempt_twice(&place.simulator).await, attempts(&app, done.campaign).await.len());

    // Whoever asked never to be called again is not called by the next campaign either.
    let asked: Vec<String> = (0..3).map(|nth| number(nth, 94)).collect();
    let again = settings("again", "mode = \"greeting\"");
    let (campaign, _) = harness::whole_run(&app, &again, &csv(asked.iter().chain([&number(50, 0)]))).await;
    for contact in contacts(&app, campaign).await {
        let expected = if asked.contains(&contact.e164) { "suppressed" } else { "answered" };
        assert_eq!(contact.disposition.as_deref(), Some(expected), "{}", contact.e164);
    }
    let dialled = ledger::by_number(&place.simulator).await;
    assert!(asked.iter().all(|number| dialled[number] == 1), "{dialled:?}");
    app.stop().await;
}

/// Default mischief, two worlds: what happens to a contact hangs on the seed alone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_seed_gives_the_same_arms_tries_and_outcomes() {
    let list = csv([0].into_iter().flat_map(|nth| {
        let endings = [0, 7, 19, 33, 46, 58, 61, 66, 70, 73, 76, 79, 83, 86, 88, 91, 92, 94, 95, 96, 97, 99];
        endings.map(|ending| number(nth, ending))
    }));
    let world = |seed| World { speed: 120.0, seed, mischief: Default::default(), ..World::default() };
    let play = async |seed| {
        let place = Place::new(world(seed)).await;
        let app = place.serve().await;
        let (campaign, _) = harness::whole_run(&app, &settings("seeds", SPLIT), &list).await;
        let found = harness::outcomes(&app, campaign).await;
        ledger::no_attempt_twice(&place.simulator).await;
        app.stop().await;
        found
    };
    let (first, second) = (play(7).await, play(7).await);
    assert_eq!(first, second);
    let arms: std::collections::BTreeSet<&String> = first.values().map(|(mode, _)| mode).collect();
    assert_eq!(arms.len(), 3, "{arms:?}");
}
