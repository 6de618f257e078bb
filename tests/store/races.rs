//! A hundred sessions ask for one grant through two processes, with the dialer's own decision: the locks of the
//! transaction are what is tried here, on both engines.

use crate::both_engines;
use crate::common::calls::{HELD_MS, NOON, contact, new_campaign, token};
use crate::common::{Bench, Engine, until};
use futures::future::join_all;
use halo::app::read_rules;
use halo::dialer::decisions::{Asked, clearance, grant};
use halo::dialer::{Grant, Rules};
use halo::domain::settings::Take;
use halo::domain::{AttemptId, Mode, SessionId, TokenHash};
use halo::store::{Change, Decide, Decided, Held, Store};
use sqlx::{Connection, PgConnection};
use std::sync::Arc;

both_engines! {
    two_processes_give_one_grant_to_one_of_a_hundred_sessions
    two_campaigns_never_hold_one_number_at_once
    two_processes_count_for_one_run_and_never_wait_for_each_other
}

const SESSIONS: i64 = 100;
const NUMBERS: usize = 20;

pub fn rules() -> Arc<Rules> {
    let read = read_rules([Mode::dialog()].into());
    let (settings, policy) = read(r#"{ "name": "races", "purpose": "test" }"#).expect("sound settings");
    Arc::new(Rules { settings, policy, script: String::new() })
}

/// As `Dialer::grant` asks.
pub async fn ask(store: &Store, rules: &Arc<Rules>, attempt: AttemptId, hash: TokenHash, session: i64) -> Grant {
    let rules = rules.clone();
    let decision = move |held: &Held| {
        let asked = Asked {
            hash,
            session: SessionId(session),
            told: "told".into(),
            now: NOON,
            deadline_ms: 75_000,
            held_until: NOON.plus_ms(HELD_MS),
            real: false,
        };
        grant(held, &asked, clearance(held, &rules, &asked))
    };
    let order = Decide { attempt, now: NOON, start: None, heard: None, decision: Arc::new(decision) };
    match store.decide(order).await.expect("a decision") {
        Decided::Done(grant) => grant,
        Decided::Unknown | Decided::Again => panic!("the attempt exists"),
    }
}

/// Without the row locks of `decide` two processes on PostgreSQL both see `dialing`, and both grant.
async fn two_processes_give_one_grant_to_one_of_a_hundred_sessions(bench: Bench) {
    let (calls, rules) = (bench.run_of(4).await, rules());
    let other = bench.another().await;
    for (nth, planned) in calls.plan(NOON).await.into_iter().enumerate() {
        let hash = token(nth as u64);
        assert!(calls.claim(planned, hash, NOON).await);
        let sessions = (1..=SESSIONS).map(|n| 1000 * (nth as i64 + 1) + n);
        let asks = sessions.map(|session| {
            // Every third asks through both processes at once.
            let stores = if session % 3 == 0 {
                vec![&bench.store, &other]
            } else {
                vec![[&bench.store, &other][session as usize % 2]]
            };
            let rules = &rules;
            async move {
                let asks = stores.into_iter().map(|store| ask(store, rules, planned.attempt, hash, session));
                (session, join_all(asks).await)
            }
        });
        let answers = join_all(asks).await;
        let winners: Vec<i64> = answers
            .iter()
            .filter(|(_, grants)| grants.iter().any(|grant| matches!(grant, Grant::Go(_))))
            .map(|(session, _)| *session)
            .collect();
        assert_eq!(winners.len(), 1, "{winners:?}");
        for (session, grants) in &answers {
            let right =
                |grant: &Grant| matches!((grant, session == &winners[0]), (Grant::Go(_), true) | (Grant::Taken, false));
            assert!(grants.iter().all(right), "session {session}: {grants:?}");
        }
    }
    assert_eq!(bench.number("select count(*) from attempts where state = 'live' and dialed_at is not null").await, 4);
    other.close().await;
}

/// On PostgreSQL either is enough: the number's lock, or the unique index, which fails a batch whose acts are then
/// asked again one by one. Without both, both ring.
async fn two_campaigns_never_hold_one_number_at_once(bench: Bench) {
    let calls = bench.run_of(NUMBERS).await;
    let another = new_campaign(&bench.store, "another", (0..NUMBERS).map(contact).collect(), Vec::new());
    let campaign = another.campaign.campaign;
    bench.store.create_campaign(another).await.expect("a campaign");
    bench.store.start_run(campaign, calls.account, Take::All, NOON).await.expect("a run");
    let (rules, other) = (rules(), bench.another().await);
    let mut claimed = Vec::new();
    for (nth, planned) in calls.plan(NOON).await.into_iter().enumerate() {
        let hash = token(nth as u64);
        assert!(calls.claim(planned, hash, NOON).await);
        claimed.push((planned.attempt, hash, nth as i64 + 1));
    }
    assert_eq!(claimed.len(), 2 * NUMBERS);
    let asks = claimed.iter().map(|(attempt, hash, session)| {
        // Each campaign through a process of its own.
        let store = if *session <= NUMBERS as i64 { &bench.store } else { &other };
        ask(store, &rules, *attempt, *hash, *session)
    });
    let granted = join_all(asks).await.into_iter().filter(|grant| matches!(grant, Grant::Go(_))).count();
    assert_eq!(granted, NUMBERS, "each number once");
    let live = "select count(distinct number_id) from attempts where state = 'live'";
    assert_eq!(bench.number(live).await, NUMBERS as i64);
    let waits = "select count(*) from run_contacts where gate = 'number_busy' and due_at is not null";
    assert_eq!(bench.number(waits).await, NUMBERS as i64, "the others wait for it");
    other.close().await;
}

/// Counters of a run that two nodes write at once: nothing is lost, and neither holds what the other waits for, which the
/// database would notice a second later. The guard: `lacks_locks`, after which a batch begins anew with `own_runs`. (The
/// counters that `share_runs` returns only spare it the first half.)
async fn two_processes_count_for_one_run_and_never_wait_for_each_other(bench: Bench) {
    const ROUNDS: i64 = 10;
    let calls = bench.run_of(40).await;
    let other = bench.another().await;
    let planned = calls.plan(NOON).await;
    let count = |what: fn(&Held) -> Change| {
        let stores = [&bench.store, &other];
        join_all(planned.iter().zip(stores.into_iter().cycle()).map(move |(planned, store)| async move {
            for _ in 0..ROUNDS {
                let decision = Arc::new(move |held: &Held| (what(held), ()));
                let order = Decide { attempt: planned.attempt, now: NOON, start: None, heard: None, decision };
                store.decide(order).await.expect("a decision");
            }
        }))
    };
    count(|held| Change { run_ungranted: Some(1 - held.run_ungranted), ..Change::default() }).await;
    assert_eq!(bench.number("select ungranted from runs").await, 0, "an even number of changes");
    count(|held| Change { run_not_dialled: Some(held.run_not_dialled + 1), ..Change::default() }).await;
    assert_eq!(bench.number("select not_dialled from runs").await, 40 * ROUNDS);
    other.close().await;
    if bench.engine == Engine::Postgres {
        // Connections tell what they have counted when they end.
        bench.store.close().await;
        let mut alone = PgConnection::connect(&bench.url).await.expect("the private cluster");
        let others =
            "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()";
        until("they have ended", async || {
            sqlx::query_scalar::<_, i64>(others).fetch_one(&mut alone).await.expect("a number") == 0
        })
        .await;
        let deadlocks = "select deadlocks from pg_stat_database where datname = current_database()";
        let deadlocks: i64 = sqlx::query_scalar(deadlocks).fetch_one(&mut alone).await.expect("a number");
        assert_eq!(deadlocks, 0);
    }
}
