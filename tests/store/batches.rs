//! Decisions applied as one batch leave the same tables and give the same answers as the same decisions applied one
//! at a time: random orders of the dialer's own decisions, on numbers that two campaigns share. And what is only noted
//! leaves what its decision would leave.
//!
//! The guards, each seen to fail here when taken out: the cut between waves (`Wave::touches`), the loading of what a
//! wave has touched (`stale`), what runs carry from one decision to the next (`Carried::show`); of notes, whose word
//! counts (`granted`), who must be decided about (`counted`), and the sessions heard of (`hear_of`).

use crate::common::Bench;
use crate::common::calls::{Calls, HELD_MS, LEASE_MS, NOON, contact, heard, new_campaign, token};
use futures::future::join_all;
use halo::app::read_rules;
use halo::dialer::decisions::{self, Asked, Claim};
use halo::dialer::{News, Report, Rules};
use halo::domain::clearance::Gate;
use halo::domain::settings::Take;
use halo::domain::{AttemptId, Mode, Outcome, SessionId, Timestamp, TokenHash};
use halo::store::{Call, Change, Db, Decide, Decided, Held, Noted, RunState, Store, Turn};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use sqlx::AssertSqlSafe;
use std::collections::BTreeMap;
use std::sync::Arc;

const NUMBERS: usize = 12;
const ROUNDS: usize = 8;
const ORDERS: usize = 90;
const NOTED: &str = "noted";

// One thread: a row of orders is handed in whole before the writer takes the first, and is one batch.
#[tokio::test]
async fn sqlite_a_batch_is_its_decisions_one_by_one() {
    for seed in 0..3 {
        same_tables(Bench::sqlite().await, Bench::sqlite().await, seed, Way::Together).await;
    }
}

#[tokio::test]
async fn sqlite_a_note_leaves_what_its_decision_leaves() {
    for seed in 3..6 {
        same_tables(Bench::sqlite().await, Bench::sqlite().await, seed, Way::Noted).await;
    }
}

#[tokio::test]
async fn postgres_a_note_leaves_what_its_decision_leaves() {
    if let (Some(one), Some(other)) = (Bench::postgres().await, Bench::postgres().await) {
        same_tables(one, other, 8, Way::Noted).await;
    }
}

#[tokio::test]
async fn postgres_a_batch_is_its_decisions_one_by_one() {
    if let (Some(one), Some(other)) = (Bench::postgres().await, Bench::postgres().await) {
        same_tables(one, other, 7, Way::Together).await;
    }
}

/// What is asked of the attempt that stands at a place of the list, which is the same in both databases.
#[derive(Clone, Copy, Debug)]
struct Ask {
    place: usize,
    what: What,
    now: Timestamp,
}

#[derive(Clone, Copy, Debug)]
enum What {
    Claim(TokenHash),
    Defer(TokenHash),
    Grant(TokenHash, SessionId),
    Turn(SessionId, i64),
    OptOut(SessionId, i64),
    Finished(SessionId, i64, Outcome),
    NotDialled(SessionId, i64),
    Silent(SessionId),
    Revoke,
}

/// What is done to the other database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Together,
    /// One by one; what tells of a call under way is noted.
    Noted,
}

fn rules() -> Arc<Rules> {
    let read = read_rules([Mode::dialog()].into());
    let settings = r#"{ "name": "batches", "purpose": "test", "retry": { "attempts_max": 9, "busy": ["1m"] } }"#;
    let (settings, policy) = read(settings).expect("sound settings");
    Arc::new(Rules { settings, policy, script: String::new() })
}

/// Mostly about the `open` attempts, which come first.
fn random(dice: &mut StdRng, round: usize, (open, all): (usize, usize), tokens: &mut BTreeMap<usize, u64>) -> Vec<Ask> {
    let outcomes = [Outcome::Answered, Outcome::Busy, Outcome::Busy, Outcome::Prohibited, Outcome::NoFunds];
    (0..ORDERS)
        .map(|n| {
            let anybody = dice.random_range(0..8) == 0;
            let place = dice.random_range(0..if anybody { all } else { open });
            let seq = dice.random_range(1..9);
            // Mostly the session that was granted; sometimes another, even one of somebody else's.
            let strange = dice.random_range(0..8) == 0;
            let session = SessionId(if strange { 100 } else { 1000 + place as i64 });
            let last = token(tokens.get(&place).copied().unwrap_or_default());
            let what = match dice.random_range(0..16) {
                0..4 => {
                    let fresh = (round * ORDERS + n + 1) as u64;
                    tokens.insert(place, fresh);
                    What::Claim(token(fresh))
                }
                4..9 => What::Grant(last, session),
                9 if strange => What::Defer(last),
                10 if strange => What::OptOut(session, seq),
                9 | 10 => What::Turn(session, seq),
                11..14 => What::Finished(session, seq, outcomes[dice.random_range(0..outcomes.len())]),
                14 => What::NotDialled(session, seq),
                _ if strange => What::Revoke,
                _ => What::Silent(session),
            };
            Ask { place, what, now: at(round).plus_ms(n as i64 % 3) }
        })
        .collect()
}

fn at(round: usize) -> Timestamp {
    NOON.plus_ms(120_000 * round as i64)
}

fn report(session: SessionId, seq: i64, event: &str, news: News) -> Report {
    let call = Call { session: session.0, source: "event", code: Some(seq), ..Call::default() };
    let turn = Turn { turn: 1 + seq % 2, callee_text: Some("да\0".into()), method: "vad".into(), ..Turn::default() };
    let call = matches!(news, News::Finished { .. }).then_some(call);
    Report { heard: Some(heard(session, seq, event)), news, call, turns: vec![turn], ..Report::default() }
}

fn decision(ask: Ask, rules: &Arc<Rules>) -> Decide<String> {
    let Ask { what, now, .. } = ask;
    let rules = rules.clone();
    let report = match what {
        What::Turn(session, seq) => Some(report(session, seq, "Turn", News::Underway)),
        What::OptOut(session, seq) => {
            let asked = Some(format!("asked in {seq}"));
            Some(Report { opt_out: asked, ..report(session, seq, "OptOut", News::Underway) })
        }
        What::Finished(by, seq, outcome) => {
            Some(report(by, seq, "Disconnected", News::Finished { by, outcome, evidence: "event" }))
        }
        What::NotDialled(by, seq) => Some(report(by, seq, "NotDialled", News::NotDialled { by, token: None })),
        What::Silent(by) => Some(Report { news: News::Silent { by }, ..Report::default() }),
        _ => None,
    };
    let heard = report.as_ref().and_then(|report| report.heard.clone());
    let decide = move |held: &Held| -> (Change, String) {
        let saw = format!("{:?} {:?} {:?}", held.state, held.run_state, held.number_held_until);
        let change = match what {
            What::Claim(token) => {
                decisions::claim(held, Claim { token, slot_us: held.slot_us, now }).unwrap_or_default()
            }
            What::Defer(of) => decisions::defer(held, of, now, Gate::Provider, now),
            What::Grant(hash, session) => {
                let (told, held_until) = ("told".to_owned(), now.plus_ms(HELD_MS));
                let asked = Asked { hash, session, told, now, deadline_ms: 75_000, held_until, real: false };
                decisions::grant(held, &asked, decisions::clearance(held, &rules, &asked)).0
            }
            What::Revoke => decisions::revoke(held, &rules, now, 0),
            _ => decisions::settle(held, &rules, report.as_ref().expect("the others are reports"), now).0,
        };
        (change, saw)
    };
    let start = if let What::Claim(token) = what { Some(token) } else { None };
    Decide { attempt: AttemptId(0), now, start, heard, decision: Arc::new(decide) }
}

async fn told(store: &Store, attempt: AttemptId, order: Decide<String>) -> String {
    match store.decide(Decide { attempt, ..order }).await {
        Ok(Decided::Done(saw)) => saw,
        Ok(Decided::Again) => "again".into(),
        Ok(Decided::Unknown) => "unknown".into(),
        Err(cause) => format!("refused: {cause}"),
    }
}

async fn noted(store: &Store, attempt: AttemptId, ask: Ask, rules: &Arc<Rules>) -> String {
    if let What::Turn(session, seq) = ask.what {
        let note = report(session, seq, "Turn", News::Underway).note(attempt, ask.now).expect("a note");
        match store.note(note).await.expect("a note is stored") {
            Noted::Stored => return NOTED.into(),
            Noted::Again => return "again".into(),
            Noted::Unknown => return "unknown".into(),
            Noted::Decide => {}
        }
    }
    told(store, attempt, decision(ask, rules)).await
}

async fn same_tables(one: Bench, other: Bench, seed: u64, way: Way) {
    let (one, other) = (two_runs(&one).await, two_runs(&other).await);
    let rules = rules();
    let mut dice = StdRng::seed_from_u64(seed);
    let (mut tokens, mut noted_ones) = (BTreeMap::new(), 0);
    for round in 0..ROUNDS {
        for calls in [&one, &other] {
            // Whatever paused the runs, they go on.
            for run in calls.store.open_runs().await.unwrap() {
                calls.store.set_run_state(run.run, RunState::Running, None, at(round)).await.unwrap();
            }
            calls.plan(at(round)).await;
        }
        let (ones, others) = (places(&one).await, places(&other).await);
        assert_eq!(ones.len(), others.len());
        let open = one.bench.number("select count(*) from attempts where state <> 'ended'").await as usize;
        assert!(open > 0, "seed {seed}, round {round}: everybody is at rest");
        let asks = random(&mut dice, round, (open, ones.len()), &mut tokens);
        let mut each = Vec::new();
        for ask in &asks {
            each.push(told(&one.store, ones[ask.place], decision(*ask, &rules)).await);
        }
        let mut answers = Vec::new();
        match way {
            Way::Together => {
                let together = asks.iter().map(|ask| told(&other.store, others[ask.place], decision(*ask, &rules)));
                answers = tokio::task::unconstrained(join_all(together)).await;
            }
            Way::Noted => {
                for ask in &asks {
                    answers.push(noted(&other.store, others[ask.place], *ask, &rules).await);
                }
            }
        }
        for (n, (alone, answer)) in each.iter().zip(&answers).enumerate() {
            let only_noted = answer == NOTED && !["again", "unknown"].contains(&alone.as_str());
            noted_ones += usize::from(only_noted);
            assert!(alone == answer || only_noted, "seed {seed}, round {round}, order {n}: {:?}: {answer}", asks[n]);
        }
        for table in TABLES {
            assert_eq!(rows(&one, table).await, rows(&other, table).await, "seed {seed}, round {round}: {}", table.0);
        }
    }
    // Otherwise this shows nothing.
    assert!(way == Way::Together || noted_ones > 20, "{noted_ones} notes (seed {seed})");
    let ended = one.bench.number("select count(distinct outcome) from attempts where state = 'ended'").await;
    assert!(ended >= 3, "attempts ended in {ended} ways alone (seed {seed})");
}

/// Two campaigns with the same numbers.
async fn two_runs(bench: &Bench) -> Calls<'_> {
    let calls = bench.run_of(NUMBERS).await;
    let beside = new_campaign(&bench.store, "beside", (0..NUMBERS).map(contact).collect(), Vec::new());
    let campaign = beside.campaign.campaign;
    bench.store.create_campaign(beside).await.unwrap();
    bench.store.start_run(campaign, calls.account, Take::All, NOON).await.unwrap();
    const { assert!(LEASE_MS > 2, "claims come within the lease") };
    calls
}

/// Who an attempt is, in words that do not hang on ids.
const NAMED: &str = "(select x.name || '/' || n.e164 || '/' || a.try_number from attempts a
                      join runs r on r.run_id = a.run_id join campaigns x on x.campaign_id = r.campaign_id
                      join numbers n on n.number_id = a.number_id where a.attempt_id = t.attempt_id)";

/// Tables and the columns that are compared; `@` stands for the attempt's name.
const TABLES: [(&str, &[&str]); 9] = [
    (
        "attempts",
        &[
            "@",
            "state",
            "claimed_at",
            "token_hash",
            "dialed_at",
            "session_id",
            "held_until",
            "ended_at",
            "outcome",
            "evidence",
            "corrected_at",
            "ungranted",
            "told",
        ],
    ),
    (
        "run_contacts",
        &[
            "(select n.e164 from numbers n where n.number_id = t.number_id)",
            "due_at",
            "gate",
            "disposition",
            "rested_at",
            "leased_until",
        ],
    ),
    (
        "runs",
        &[
            "(select x.name from campaigns x where x.campaign_id = t.campaign_id)",
            "state",
            "state_reason",
            "changed_at",
            "ungranted",
            "not_dialled",
            "prohibited",
        ],
    ),
    ("numbers", &["e164", "suppressed_at", "suppressed_reason"]),
    ("starts", &["@", "token_hash", "claimed_at"]),
    ("events", &["@", "session_id", "seq", "event", "at_ms", "received_at", "body"]),
    ("sessions", &["@", "session_id", "known_at", "ask_at", "waited_ms"]),
    ("calls", &["@", "session_id", "source", "code", "machine"]),
    ("turns", &["@", "turn", "callee_text", "method", "filler"]),
];

async fn texts(calls: &Calls<'_>, question: String) -> Vec<(i64, String)> {
    let text = AssertSqlSafe(question);
    match calls.store.db() {
        Db::Sqlite { reader, .. } => sqlx::query_as(text).fetch_all(reader).await,
        Db::Postgres(pool) => sqlx::query_as(text).fetch_all(pool).await,
    }
    .expect("a sound question")
}

async fn rows(calls: &Calls<'_>, (table, columns): (&str, &[&str])) -> Vec<String> {
    let columns: Vec<String> = columns
        .iter()
        .map(|column| format!("coalesce(cast({} as text), '-')", if *column == "@" { NAMED } else { column }))
        .collect();
    let question = format!("select cast(0 as bigint), {} from {table} t", columns.join(" || ' ' || "));
    let mut rows: Vec<String> = texts(calls, question).await.into_iter().map(|(_, row)| row).collect();
    rows.sort();
    rows
}

/// Every attempt, open ones first, in the order of their names.
async fn places(calls: &Calls<'_>) -> Vec<AttemptId> {
    let ended = "case when t.state = 'ended' then '1 ' else '0 ' end";
    let mut named = texts(calls, format!("select t.attempt_id, {ended} || {NAMED} from attempts t")).await;
    named.sort_by(|one, other| one.1.cmp(&other.1));
    named.into_iter().map(|(attempt, _)| AttemptId(attempt)).collect()
}
