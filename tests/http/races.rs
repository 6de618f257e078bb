//! A hundred sessions want to dial for one attempt, all at once. A seed decides who asks in which order, how
//! often, and how many at a time.

use crate::callbacks::{Started, end, started};
use crate::harness::{self, Place, World};
use crate::{Answer, answer, url};
use futures::StreamExt;
use futures::stream;
use halo::app::App;
use halo::domain::AttemptId;
use halo::simulator::{Mischief, MischiefKind as Kind};
use halo::store::RunState;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, Ordering};

const SESSIONS: i64 = 100;
const SEEDS: u64 = 6;
/// A session asks up to so often.
const TRIES_MAX: u32 = 3;
/// Sessions of one seed are told from those of another.
const FIRST_SESSION: i64 = 4_294_967_296;

/// Sessions whose real-time limits are long: what is raced for is not revoked meanwhile.
async fn place() -> Place {
    let mischief = Mischief::none().with(Kind::StartNoGrant, 1.0);
    Place::new(World { speed: 1.5, mischief, ..World::default() }).await
}

/// One client for them all: its connections are what sessions of the platform share too.
struct Sessions<'a>(&'a App, reqwest::Client);

impl<'a> Sessions<'a> {
    fn of(app: &'a App) -> Self {
        Sessions(app, reqwest::Client::new())
    }

    async fn ask(&self, attempt: &str, token: &str, session: i64) -> Answer {
        let body = json!({ "a": attempt, "t": token, "session_id": session.to_string() });
        answer(self.1.post(url(self.0, "/voximplant/grant")).body(body.to_string())).await
    }
}

struct Race {
    /// Sessions in the order in which they ask, each once or more.
    asks: Vec<i64>,
    /// Requests under way at once.
    width: usize,
    dice: StdRng,
}

fn race(seed: u64) -> Race {
    let mut dice = StdRng::seed_from_u64(seed);
    let first = FIRST_SESSION + seed as i64 * 1000;
    let mut asks: Vec<i64> = (first..first + SESSIONS)
        .flat_map(|session| vec![session; dice.random_range(1..=TRIES_MAX) as usize])
        .collect();
    asks.shuffle(&mut dice);
    let width = dice.random_range(2..=asks.len());
    Race { asks, width, dice }
}

/// The same answer but for its age.
fn without_age(answer: &Answer) -> Answer {
    let mut body = answer.1.clone();
    if let Some(age) = body.get_mut("granted_ms_ago") {
        *age = Value::Null;
    }
    (answer.0, body)
}

/// What the rows say: who holds each grant.
async fn holders(it: &Started, attempt: &str) -> Vec<i64> {
    let rows = harness::attempts(&it.app, it.campaign).await;
    let ours = rows.iter().filter(|row| AttemptId(row.attempt_id).to_string() == attempt && row.dialed_at.is_some());
    ours.filter_map(|row| row.session_id).collect()
}

/// Without the same-session check they all get it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_hundred_sessions_one_gets_the_grant() {
    let place = place().await;
    let it = started(&place, SEEDS as u32).await;
    let sessions = Sessions::of(&it.app);
    for (seed, start) in (0..SEEDS).zip(&it.starts) {
        let Race { asks, width, .. } = race(seed);
        // Some come with the token of another attempt.
        let stray = &it.starts[(seed as usize + 1) % it.starts.len()].token;
        let asking = asks.iter().enumerate().map(|(nth, session)| {
            let is_stray = nth % 17 == 0;
            let token = if is_stray { stray } else { &start.token };
            let sessions = &sessions;
            async move { (*session, is_stray, sessions.ask(&start.attempt, token, *session).await) }
        });
        let answers: Vec<(i64, bool, Answer)> = stream::iter(asking).buffer_unordered(width).collect().await;

        let granted: Vec<_> = answers.iter().filter(|(_, _, answer)| answer.0 == 200).collect();
        let (winner, _, first) = granted.first().unwrap_or_else(|| panic!("seed {seed}: nobody got it"));
        for (session, stray, answer) in &answers {
            let expected = match (stray, session == winner) {
                (true, _) => 410,
                (false, true) => 200,
                (false, false) => 409,
            };
            assert_eq!(answer.0, expected, "seed {seed}, session {session}: {}", answer.1);
        }
        let same = |answer: &Answer| without_age(answer) == without_age(first);
        assert!(granted.iter().all(|(_, _, answer)| same(answer)), "seed {seed}: {granted:?}");
        assert!(same(&sessions.ask(&start.attempt, &start.token, *winner).await), "seed {seed}: asked once more");
        assert_eq!(holders(&it, &start.attempt).await, [*winner], "seed {seed}");
    }
    end(it).await;
}

/// An operator pauses in the middle: whoever asks after the pause was answered gets nothing. Without the pause
/// among the grant's gates somebody does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_who_asks_after_a_pause_gets_a_grant() {
    let place = place().await;
    let it = started(&place, SEEDS as u32).await;
    let sessions = Sessions::of(&it.app);
    let (mut granted_before, mut refused) = (0, 0);
    for (seed, start) in (SEEDS..).zip(&it.starts) {
        let Race { asks, width, mut dice } = race(seed);
        it.app.store.set_run_state(it.run, RunState::Running, None, it.app.clock.now()).await.expect("resumed");
        // Early: a single request before it is enough to be granted.
        let pause_at = dice.random_range(0..12);
        let paused = AtomicBool::new(false);
        let asking = asks.iter().enumerate().map(|(nth, session)| {
            let (it, sessions, paused) = (&it, &sessions, &paused);
            async move {
                if nth == pause_at {
                    let now = it.app.clock.now();
                    let done = it.app.store.set_run_state(it.run, RunState::Paused, None, now).await;
                    assert!(done.expect("the store answers"), "the run was open");
                    paused.store(true, Ordering::SeqCst);
                }
                let after = paused.load(Ordering::SeqCst);
                (*session, after, sessions.ask(&start.attempt, &start.token, *session).await)
            }
        });
        let answers: Vec<(i64, bool, Answer)> = stream::iter(asking).buffer_unordered(width).collect().await;

        let granted = answers.iter().filter(|(_, _, answer)| answer.0 == 200);
        let mut winners: Vec<i64> = granted.clone().map(|(session, ..)| *session).collect();
        winners.dedup();
        assert!(winners.len() <= 1, "seed {seed}: {winners:?}");
        let late: Vec<_> = granted.filter(|(_, after, _)| *after).collect();
        assert!(late.is_empty(), "seed {seed}: granted after the pause: {late:?}");
        assert!(answers.iter().all(|(_, _, answer)| [200, 409, 410].contains(&answer.0)), "seed {seed}");
        assert_eq!(holders(&it, &start.attempt).await, winners, "seed {seed}");
        if winners.is_empty() {
            refused += 1;
        } else {
            granted_before += 1;
        }
    }
    println!("granted before the pause: {granted_before}, refused by it: {refused}");
    end(it).await;
}
