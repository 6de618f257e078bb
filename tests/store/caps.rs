//! Caps, gaps and consent upon the tables: counted over all campaigns, under the number's lock, with the dialer's own
//! decisions.

use crate::both_engines;
use crate::common::Bench;
use crate::common::calls::{Calls, HELD_MS, NOON, contact, new_campaign, token};
use crate::dials::dialer_of;
use futures::future::join_all;
use halo::app::read_rules;
use halo::clock::Clock;
use halo::dialer::decisions::{Asked, clearance, grant, settle};
use halo::dialer::{Grant, News, Report, Rules};
use halo::domain::settings::Take;
use halo::domain::{AttemptId, Mode, Outcome, SessionId, Timestamp, TokenHash};
use halo::store::{Decide, Decided, Held, NewContact, NewNumber, Planned, RunState, Store};
use std::sync::Arc;

both_engines! {
    the_last_try_of_a_number_is_one_campaign_s
    a_repeated_grant_is_not_held_against_itself
    the_plan_parks_whom_a_cap_holds
    a_number_that_had_its_calls_makes_room_for_the_next
    nobody_takes_a_slot_without_the_consent_that_is_asked
    a_live_call_counts_and_a_call_given_back_does_not
    a_retry_is_due_when_the_number_may_be_called_again
    nobody_is_granted_without_the_consent_that_is_asked
    rows_from_before_keep_their_suppressions
}

const NUMBERS: usize = 20;
const HOUR_MS: i64 = 3_600_000;

fn rules(more: &str) -> Arc<Rules> {
    let read = read_rules([Mode::dialog()].into());
    let text = format!(r#"{{ "name": "capped", "purpose": "survey", {more} }}"#);
    let (settings, policy) = read(&text).expect("sound settings");
    Arc::new(Rules { settings, policy, script: String::new() })
}

fn asked(hash: TokenHash, session: i64, now: Timestamp) -> Asked {
    let (session, held_until) = (SessionId(session), now.plus_ms(HELD_MS));
    Asked { hash, session, told: "told".into(), now, deadline_ms: 75_000, held_until, real: false }
}

/// As `Dialer::grant` asks.
async fn ask(
    store: &Store,
    rules: &Arc<Rules>,
    attempt: AttemptId,
    hash: TokenHash,
    session: i64,
    now: Timestamp,
) -> Grant {
    let rules = rules.clone();
    let decision = move |held: &Held| {
        let asked = asked(hash, session, now);
        grant(held, &asked, clearance(held, &rules, &asked))
    };
    let order = Decide { attempt, now, start: None, heard: None, decision: Arc::new(decision) };
    match store.decide(order).await.expect("a decision") {
        Decided::Done(grant) => grant,
        Decided::Unknown | Decided::Again => panic!("the attempt exists"),
    }
}

/// As `Dialer::settle` does.
async fn end(store: &Store, rules: &Arc<Rules>, attempt: AttemptId, session: i64, outcome: Outcome, now: Timestamp) {
    let rules = rules.clone();
    let news = News::Finished { by: SessionId(session), outcome, evidence: "event" };
    let report = Report { news, ..Report::default() };
    let decision = move |held: &Held| settle(held, &rules, &report, now);
    let order = Decide { attempt, now, start: None, heard: None, decision: Arc::new(decision) };
    store.decide(order).await.expect("a decision");
}

async fn campaign_of<'a>(bench: &'a Bench, name: &str, contacts: Vec<NewContact>) -> Calls<'a> {
    campaign_at(bench, name, contacts, NOON).await
}

async fn campaign_at<'a>(bench: &'a Bench, name: &str, contacts: Vec<NewContact>, now: Timestamp) -> Calls<'a> {
    let new = new_campaign(&bench.store, name, contacts, Vec::new());
    let campaign = new.campaign.campaign;
    bench.store.create_campaign(new).await.expect("a campaign");
    let account = bench.account().await;
    let (run, _) = bench.store.start_run(campaign, account, Take::All, now).await.expect("a run");
    Calls { store: bench.store.clone(), bench, campaign, account, run }
}

/// One call to number 0, made by another campaign and over a minute later.
async fn called(bench: &Bench, outcome: Outcome, at: Timestamp) {
    let calls = campaign_at(bench, "earlier", vec![contact(0)], at).await;
    let (attempt, by) = calls.all_live(900, at).await[0];
    assert!(calls.finish(attempt, by, outcome, at.plus_ms(60_000)).await);
}

/// Everybody of both campaigns claimed.
async fn claimed(calls: &Calls<'_>) -> Vec<(AttemptId, TokenHash)> {
    let mut claimed = Vec::new();
    for planned in calls.plan(NOON).await {
        let hash = token(planned.attempt.0 as u64);
        assert!(calls.claim(planned, hash, NOON).await);
        claimed.push((planned.attempt, hash));
    }
    claimed
}

/// Two campaigns race, each in a process of its own, and whoever is granted is busy at once. The guard: `clear` asks
/// `allowed_at` with what was read under the number's lock. Without it both ring, one after the other.
async fn the_last_try_of_a_number_is_one_campaign_s(bench: Bench) {
    let calls = campaign_of(&bench, "one", (0..NUMBERS).map(contact).collect()).await;
    let _other = campaign_of(&bench, "other", (0..NUMBERS).map(contact).collect()).await;
    let (rules, elsewhere) = (rules(r#""caps": { "tries_day": 1 }, "retry": { "busy": [] }"#), bench.another().await);
    let claimed = claimed(&calls).await;
    assert_eq!(claimed.len(), 2 * NUMBERS);
    let asks = claimed.iter().enumerate().map(|(nth, (attempt, hash))| {
        let store = if nth < NUMBERS { &bench.store } else { &elsewhere };
        let (rules, session) = (&rules, nth as i64 + 1);
        async move {
            let granted = matches!(ask(store, rules, *attempt, *hash, session, NOON).await, Grant::Go(_));
            if granted {
                end(store, rules, *attempt, session, Outcome::Busy, NOON.plus_ms(1000)).await;
            }
            granted
        }
    });
    let granted = join_all(asks).await.into_iter().filter(|granted| *granted).count();
    assert_eq!(granted, NUMBERS, "each number once");
    let rung = "select count(distinct number_id) from attempts where dialed_at is not null";
    assert_eq!(bench.number(rung).await, NUMBERS as i64);
    // Whoever came second waits for another day, or met the call itself.
    let waits = "select count(*) from run_contacts where gate in ('cap', 'number_busy') and due_at is not null";
    assert_eq!(bench.number(waits).await, NUMBERS as i64);
    elsewhere.close().await;
}

/// The guard: `rang_before` leaves the asking attempt's own call out.
async fn a_repeated_grant_is_not_held_against_itself(bench: Bench) {
    let calls = campaign_of(&bench, "one", vec![contact(0)]).await;
    let rules = rules(r#""caps": { "tries_day": 1 }, "gap": { "after_try": "1h" }"#);
    let (attempt, hash) = claimed(&calls).await[0];
    for after_ms in [0, 700] {
        let grant = ask(&bench.store, &rules, attempt, hash, 5, NOON.plus_ms(after_ms)).await;
        assert!(matches!(grant, Grant::Go(_)), "{grant:?}");
    }
}

async fn planned(bench: &Bench, settings: &str) -> Vec<Planned> {
    dialer_of(&bench.store, bench.account().await, &Clock::manual(NOON), settings).plan().await.expect("a plan")
}

fn survey(more: &str) -> String {
    format!("name = \"capped\"\npurpose = \"survey\"\n{more}")
}

/// The guards: `Plan::counts_calls`, and the planner's own look at `allowed_at`.
async fn the_plan_parks_whom_a_cap_holds(bench: Bench) {
    called(&bench, Outcome::Busy, NOON.plus_ms(-2 * HOUR_MS)).await;
    campaign_of(&bench, "one", vec![contact(0), contact(1)]).await;
    let capped = survey("[caps]\ntries_24h = 1\n[gap]\nafter_try = \"3h\"");
    assert_eq!(planned(&bench, &capped).await.len(), 1, "the number that nobody called");
    let due = "select due_at from run_contacts where gate = 'cap'";
    assert_eq!(bench.number(due).await, NOON.plus_ms(22 * HOUR_MS).0, "the gate that opens last, and its moment");
    assert_eq!(bench.number("select count(*) from attempts where state = 'planned'").await, 1);
}

/// One call to number `n`, by a campaign of its own.
async fn rang(bench: &Bench, n: usize, at: Timestamp) {
    let calls = campaign_at(bench, &format!("earlier {n}"), vec![contact(n)], at).await;
    let (attempt, by) = calls.all_live(900 + n as i64, at).await[0];
    assert!(calls.finish(attempt, by, Outcome::Busy, at.plus_ms(60_000)).await);
}

/// Row `n`, which can be called at number `other` too.
fn two_numbers(n: usize, other: usize) -> NewContact {
    let number = contact(other).number;
    let raw = number.as_str().to_owned();
    NewContact { alternates: vec![NewNumber { ordinal: 2, number, raw }], ..contact(n) }
}

/// The guards: `Plan::closed` looks at the other numbers, with what `histories` read of them; the grant and
/// `change::ended` look for another number when the cap is what holds this one.
async fn a_number_that_had_its_calls_makes_room_for_the_next(bench: Bench) {
    let next = async |run: i64, n: usize| {
        let number = contact(n).number;
        let text = format!(
            "select count(*) from run_contacts rc join numbers n on n.number_id = rc.number_id
             where rc.run_id = {run} and n.e164 = '{}' and rc.due_at <= {}",
            number.as_str(),
            NOON.plus_ms(HOUR_MS).0
        );
        bench.number(&text).await
    };
    let capped = survey("[caps]\ntries_24h = 1");
    // The plan: of 0 and 5 the second is free, of 1 and 6 none.
    rang(&bench, 0, NOON.plus_ms(-2 * HOUR_MS)).await;
    rang(&bench, 1, NOON.plus_ms(-2 * HOUR_MS)).await;
    rang(&bench, 6, NOON.plus_ms(-3 * HOUR_MS)).await;
    let calls = campaign_of(&bench, "plan", vec![two_numbers(0, 5), two_numbers(1, 6)]).await;
    assert!(planned(&bench, &capped).await.is_empty(), "it is looked at again with its other number");
    assert_eq!(next(calls.run.0, 5).await, 1);
    assert_eq!(planned(&bench, &capped).await.len(), 1);
    let first = "select min(due_at) from run_contacts where gate = 'cap'";
    assert_eq!(bench.number(first).await, NOON.plus_ms(21 * HOUR_MS).0, "whichever opens first");
    calls.store.set_run_state(calls.run, RunState::Stopped, None, NOON).await.unwrap();

    // The grant: somebody else's call came in between.
    let calls = campaign_of(&bench, "grant", vec![two_numbers(2, 7)]).await;
    let (attempt, hash) = claimed(&calls).await[0];
    rang(&bench, 2, NOON.plus_ms(-2 * HOUR_MS)).await;
    let rules = rules(r#""caps": { "tries_24h": 1 }, "retry": { "busy": ["5m"], "alternates": "on-failure" }"#);
    assert!(matches!(ask(&bench.store, &rules, attempt, hash, 1, NOON).await, Grant::Gone));
    assert_eq!(next(calls.run.0, 7).await, 1);
    calls.store.set_run_state(calls.run, RunState::Stopped, None, NOON).await.unwrap();

    // The end of a try, after which its own number has had its calls.
    let calls = campaign_of(&bench, "end", vec![two_numbers(3, 8)]).await;
    let (attempt, hash) = claimed(&calls).await[0];
    assert!(matches!(ask(&bench.store, &rules, attempt, hash, 2, NOON).await, Grant::Go(_)));
    end(&bench.store, &rules, attempt, 2, Outcome::Busy, NOON.plus_ms(60_000)).await;
    assert_eq!(next(calls.run.0, 8).await, 1);
    assert_eq!(bench.number("select max(due_at) from run_contacts").await, NOON.plus_ms(6 * 60_000).0, "its own delay");
}

async fn a_live_call_counts_and_a_call_given_back_does_not(bench: Bench) {
    use halo::domain::clearance::Gate;
    use halo::domain::state::Event;
    use halo::store::ContactChange;
    let earlier = campaign_of(&bench, "earlier", vec![contact(0)]).await;
    let (attempt, by) = earlier.all_live(900, NOON).await[0];
    campaign_of(&bench, "one", vec![contact(0)]).await;
    assert!(planned(&bench, &survey("[caps]\ntries_day = 1")).await.is_empty());
    assert_eq!(bench.number("select count(*) from run_contacts where gate = 'cap'").await, 1);
    // A talk has not been had yet, and a test of example numbers is exempt.
    bench.execute("update run_contacts set due_at = 0 where gate = 'cap'").await.unwrap();
    assert_eq!(planned(&bench, &survey("[caps]\ntalks_day = 1")).await.len(), 1);
    bench.execute("update run_contacts set leased_until = 0 where due_at is not null").await.unwrap();
    assert_eq!(planned(&bench, "name = \"x\"\npurpose = \"test\"\n[caps]\ntries_day = 1").await.len(), 1);
    // Given back, nobody was rung.
    let waits = ContactChange::Waits { due_at: NOON.plus_ms(HOUR_MS), gate: Gate::NotDialled };
    assert!(earlier.step(attempt, Event::NotDialled { by, until: NOON.plus_ms(HOUR_MS) }, waits, NOON).await);
    bench.execute("update run_contacts set leased_until = 0 where due_at is not null").await.unwrap();
    assert_eq!(planned(&bench, &survey("[caps]\ntries_day = 1")).await.len(), 1);
}

/// The guard: `change::ended` moves what follows inside caps and gaps.
async fn a_retry_is_due_when_the_number_may_be_called_again(bench: Bench) {
    for (nth, (more, gate, due)) in [
        (r#""gap": { "after_try": "2h" }, "retry": { "busy": ["5m"] }"#, "gap", NOON.plus_ms(2 * HOUR_MS)),
        // Thursday 09:00 in Moscow
        (r#""caps": { "tries_day": 1 }, "retry": { "busy": ["5m"] }"#, "cap", NOON.plus_ms(20 * HOUR_MS)),
        (r#""retry": { "busy": ["5m"] }"#, "retry_delay", NOON.plus_ms(6 * 60_000)),
    ]
    .into_iter()
    .enumerate()
    {
        let (rules, session) = (rules(more), nth as i64 + 1);
        let calls = campaign_of(&bench, &format!("campaign {nth}"), vec![contact(nth)]).await;
        let (attempt, hash) = claimed(&calls).await[0];
        assert!(matches!(ask(&bench.store, &rules, attempt, hash, session, NOON).await, Grant::Go(_)));
        end(&bench.store, &rules, attempt, session, Outcome::Busy, NOON.plus_ms(60_000)).await;
        let of_run = format!("from run_contacts where run_id = {}", calls.run.0);
        assert_eq!(bench.number(&format!("select due_at {of_run}")).await, due.0, "{gate}");
        assert_eq!(bench.number(&format!("select count(*) {of_run} and gate = '{gate}'")).await, 1, "{gate}");
    }
}

/// The guard: the planner's own look at `consented`; without it whoever has none takes a slot and a session.
async fn nobody_takes_a_slot_without_the_consent_that_is_asked(bench: Bench) {
    let proven = NewContact {
        consent_kind: Some("written".into()),
        consent_at: Some(NOON),
        consent_source: Some("form 17".into()),
        ..contact(1)
    };
    let half = NewContact { consent_source: None, number: contact(2).number, line: 4, dial_order: 2, ..proven.clone() };
    campaign_of(&bench, "one", vec![contact(0), proven, half]).await;
    assert_eq!(planned(&bench, &survey("[consent]\nrequired = true")).await.len(), 1);
    assert_eq!(bench.number("select count(*) from attempts").await, 1);
    let rests = "select count(*) from run_contacts where disposition = 'suppressed' and gate = 'no_consent'";
    assert_eq!(bench.number(rests).await, 2, "and the reason is kept");
}

/// The guard: `clear` bars whoever's consent is not on record.
async fn nobody_is_granted_without_the_consent_that_is_asked(bench: Bench) {
    let proven = NewContact {
        consent_kind: Some("written".into()),
        consent_at: Some(NOON),
        consent_source: Some("form 17".into()),
        ..contact(1)
    };
    let half = NewContact { consent_source: None, ..proven.clone() };
    let half = NewContact { number: contact(2).number, line: 4, dial_order: 2, ..half };
    let calls = campaign_of(&bench, "one", vec![contact(0), proven, half]).await;
    let rules = rules(r#""consent": { "required": true }"#);
    let mut granted = Vec::new();
    for (nth, (attempt, hash)) in claimed(&calls).await.into_iter().enumerate() {
        granted.push(matches!(ask(&bench.store, &rules, attempt, hash, nth as i64 + 1, NOON).await, Grant::Go(_)));
    }
    assert_eq!(granted, [false, true, false]);
    let rests = "select count(*) from run_contacts where disposition = 'suppressed' and gate = 'no_consent'";
    assert_eq!(bench.number(rests).await, 2, "and the reason is kept");
    assert_eq!(bench.number("select count(*) from attempts where outcome = 'suppressed'").await, 2);
}

/// The migration finds rows: whoever opted out in a call did it by their own word.
async fn rows_from_before_keep_their_suppressions(bench: Bench) {
    for (n, reason) in [(1, "asked in a call"), (2, "asked when ringing back"), (3, "by letter")] {
        bench
            .execute(&format!(
                "insert into numbers (number_id, e164, suppressed_at, suppressed_reason)
                 values ({n}, '{}', {}, '{reason}')",
                contact(n).number.as_str(),
                NOON.0
            ))
            .await
            .unwrap();
    }
    let migration = include_str!("../../migrations/0007_lawful.sql");
    let backfill = migration.split(';').map(str::trim).find(|text| text.starts_with("update numbers"));
    bench.execute(backfill.expect("the migration says who asked")).await.unwrap();
    assert_eq!(bench.number("select count(*) from numbers where suppressed_by = 'callee'").await, 2);
    assert_eq!(bench.number("select count(*) from numbers where suppressed_by = 'operator'").await, 1);
}
