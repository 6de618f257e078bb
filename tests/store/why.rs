//! Why not now, asked of the tables: what is answered is what the planner then does.

use crate::both_engines;
use crate::common::calls::{Calls, LEASE_MS, NOON, Pace, contact, new_campaign, phone, token};
use crate::common::{Bench, Engine};
use halo::app::read_rules;
use halo::dialer::ReadRules;
use halo::domain::clearance::Gate;
use halo::domain::settings::Take;
use halo::domain::{ContactId, Mode, Outcome, SessionId, Timestamp};
use halo::http::{status, why};
use halo::store::nodes::BeatOrder;
use halo::store::{By, NewContact, NewNumber, Placement, RunState};

both_engines! {
    every_hold_is_named_with_its_moment
    the_place_in_the_queue_is_counted
    somebody_is_meant_by_a_number_or_a_name
    nobody_reads_a_list_to_find_a_number
    one_line_says_whether_anybody_is_called
}

fn reader() -> ReadRules {
    read_rules([Mode::dialog()].into())
}

async fn run_of(bench: &Bench, contacts: Vec<NewContact>) -> Calls<'_> {
    let mut new = new_campaign(&bench.store, "demo", contacts, Vec::new());
    new.campaign.settings = r#"{ "name": "demo", "purpose": "test", "dial": { "cps": 2, "lines": 3 } }"#.into();
    let campaign = new.campaign.campaign;
    bench.store.create_campaign(new).await.expect("a campaign");
    let account = bench.account().await;
    let (run, _) = bench.store.start_run(campaign, account, Take::All, NOON).await.expect("a run");
    // Somebody dials.
    let (now, alive_until) = (NOON, NOON.plus_ms(86_400_000));
    let (node, roles, host) = ("node".into(), "worker".into(), "here".into());
    let beat = BeatOrder { node, roles, host, started_at: NOON, now, alive_until, forget_before: NOON };
    bench.store.beat(beat).await.unwrap();
    Calls { store: bench.store.clone(), bench, campaign, account, run }
}

impl Calls<'_> {
    async fn contact(&self, line: usize) -> ContactId {
        let rows = self.store.contacts(self.campaign, 0, 100).await.unwrap();
        ContactId(rows.iter().find(|row| row.line == line as i64).expect("a row of this line").contact_id)
    }

    async fn why(&self, line: usize, now: Timestamp) -> (String, Option<Timestamp>) {
        let contact = self.contact(line).await;
        let told = why::told(&self.store, &reader(), false, contact, now).await.unwrap().expect("it exists");
        (told.why.hold.as_str().to_owned(), told.why.opens_at)
    }

    /// How many get a slot, when all lines are free.
    async fn turns(&self, now: Timestamp) -> usize {
        self.plan(now).await.len()
    }
}

async fn every_hold_is_named_with_its_moment(bench: Bench) {
    let calls = run_of(&bench, (0..2).map(contact).collect()).await;
    let (first, second) = (2, 3);
    let planned = calls.plan_with(Pace { now: NOON, cps: Some(1.0), lines: 10, instead: |_| None }).await;
    let (hold, opens_at) = calls.why(second, NOON).await;
    assert_eq!((hold.as_str(), opens_at), ("queue", Some(Timestamp(planned[1].slot_us / 1000))), "its slot");
    assert!(calls.claim(planned[0], token(1), NOON).await);
    assert_eq!(calls.why(first, NOON).await.0, "calling");
    assert!(calls.grant(planned[0].attempt, token(1), 1, NOON).await);
    assert_eq!(calls.why(first, NOON).await.0, "calling");
    assert!(calls.retry_in(planned[0].attempt, SessionId(1), Outcome::Busy, NOON, 600_000).await);
    let retry = NOON.plus_ms(600_000);
    assert_eq!(calls.why(first, NOON).await, ("retry_delay".into(), Some(retry)));
    // What is named is what the planner does: a second before it gives nobody a slot.
    assert!(calls.claim(planned[1], token(2), NOON).await);
    assert!(calls.grant(planned[1].attempt, token(2), 2, NOON).await);
    assert_eq!(calls.turns(retry.plus_ms(-1000)).await, 0);
    assert_eq!(calls.turns(retry).await, 1);

    let later = retry.plus_ms(LEASE_MS + 2000);
    let until = later.plus_ms(3_600_000);
    let parked = calls.plan_with(Pace {
        now: later,
        cps: None,
        lines: 10,
        instead: |_| {
            Some(Placement::Park { until: NOON.plus_ms(600_000 + LEASE_MS + 2000 + 3_600_000), gate: Gate::Window })
        },
    });
    assert!(parked.await.is_empty());
    assert_eq!(calls.why(first, later).await, ("window".into(), Some(until)));

    calls.store.set_run_state(calls.run, RunState::Paused, Some("a look".into()), later).await.unwrap();
    assert_eq!(calls.why(first, later).await, ("paused".into(), None));
    calls.store.set_run_state(calls.run, RunState::Running, None, later).await.unwrap();
    calls.store.pause_all(calls.account, true, By::halo("all of it"), later).await.unwrap();
    assert_eq!(calls.why(first, later).await, ("paused".into(), None));
    calls.store.pause_all(calls.account, false, By::halo("on"), later).await.unwrap();
    assert_eq!(calls.why(first, NOON.plus_ms(86_400_000)).await, ("nobody_dials".into(), None));
    calls.store.suppress(phone(0), "asked by an operator", later).await.unwrap();
    assert_eq!(calls.why(first, later).await.0, "at_rest", "its attempt was planned");
    calls.store.set_run_state(calls.run, RunState::Stopped, None, later).await.unwrap();
    assert_eq!(calls.why(first, later).await, ("at_rest".into(), None));
    // Without a run there is nothing to wait for.
    let other = new_campaign(&bench.store, "other", vec![contact(7)], Vec::new());
    let campaign = other.campaign.campaign;
    let mut other = other;
    other.campaign.settings = r#"{ "name": "other", "purpose": "test" }"#.into();
    bench.store.create_campaign(other).await.unwrap();
    let rows = bench.store.contacts(campaign, 0, 1).await.unwrap();
    let told = why::told(&bench.store, &reader(), false, ContactId(rows[0].contact_id), later).await.unwrap().unwrap();
    assert_eq!(told.to_json()["gate"], "no_run");
}

async fn the_place_in_the_queue_is_counted(bench: Bench) {
    let mut contacts: Vec<NewContact> = (0..9).map(contact).collect();
    // Its first number is suppressed, its second is not: the planner goes there, and so says the answer.
    contacts[8].alternates = vec![NewNumber { ordinal: 2, number: phone(20), raw: phone(20).as_str().to_owned() }];
    let calls = run_of(&bench, contacts).await;
    calls.store.suppress(phone(8), "asked by an operator", NOON).await.unwrap();
    for (line, place) in [(2, 1), (5, 4), (10, 9)] {
        let contact = calls.contact(line).await;
        let told = why::told(&calls.store, &reader(), false, contact, NOON).await.unwrap().unwrap();
        assert_eq!((told.why.hold.as_str(), told.place), ("queue", Some(place)), "{}", told.line());
        assert!(told.why.about);
        // 2 starts per second.
        let wait_ms = told.why.opens_at.unwrap().since(NOON);
        assert!((place * 500..place * 510 + 1).contains(&wait_ms), "{wait_ms}");
    }
    let three = Pace { now: NOON, cps: None, lines: 3, instead: |_| None };
    assert_eq!(calls.plan_with(three).await.len(), 3);
    let (hold, opens_at) = calls.why(5, NOON).await;
    assert_eq!((hold.as_str(), opens_at), ("lines", None), "three of three lines are taken");
}

async fn somebody_is_meant_by_a_number_or_a_name(bench: Bench) {
    let mut contacts: Vec<NewContact> = (0..3).map(contact).collect();
    contacts[1].external_id = Some("C-17".into());
    contacts[2].alternates = vec![NewNumber { ordinal: 2, number: phone(30), raw: phone(30).as_str().to_owned() }];
    let calls = run_of(&bench, contacts).await;
    let meant =
        async |word: &str| why::meant(&calls.store, word, None).await.map_err(|problem| problem.status.as_u16());
    let first = calls.contact(2).await;
    assert_eq!(meant(&first.to_string()).await, Ok(first));
    assert_eq!(meant(phone(0).as_str()).await, Ok(first));
    assert_eq!(meant("8 (999) 000-00-00").await, Ok(first));
    assert_eq!(meant("C-17").await, Ok(calls.contact(3).await));
    assert_eq!(meant(phone(30).as_str()).await, Ok(calls.contact(4).await), "by a further number");
    assert_eq!(meant("C-18").await, Err(404));
    // In two campaigns: the one whose run is open is meant, and nobody can say which of two.
    let other = new_campaign(&bench.store, "other", vec![contact(0)], Vec::new());
    let campaign = other.campaign.campaign;
    bench.store.create_campaign(other).await.unwrap();
    assert_eq!(meant(phone(0).as_str()).await, Ok(first));
    bench.store.start_run(campaign, calls.account, Take::All, NOON).await.unwrap();
    assert_eq!(meant(phone(0).as_str()).await, Err(409));
    let within = why::meant(&calls.store, phone(0).as_str(), Some(calls.campaign)).await;
    assert_eq!(within.unwrap(), first);
    assert!(why::meant(&calls.store, &first.to_string(), Some(campaign)).await.is_err(), "of another campaign");
}

/// The guard: `contacts_by_phone` asks each campaign's index, and the further numbers by theirs.
async fn nobody_reads_a_list_to_find_a_number(bench: Bench) {
    if bench.engine != Engine::Sqlite {
        // PostgreSQL chooses by the size of the tables, and here they are empty.
        return;
    }
    let text = include_str!("../../src/store/queries/contacts_by_phone.sql");
    let plan = bench.explained(&text.replace("$1", "'+79990000001'").replace("$2", "10")).await;
    // The campaigns themselves are walked through, with one look-up for each.
    let campaigns = |line: &str| line == "SCAN of_list" || line.contains(" of_list ") || line.contains(" g ");
    for line in plan.lines().filter(|line| !campaigns(line)) {
        let by_a_number_or_a_row = ["number_id=?", "contact_id=?", "e164=?", "rowid=?", "run_id=?"];
        let reads = line.starts_with("SCAN ") && !line.contains(" named") || line.starts_with("SEARCH ");
        let narrow = by_a_number_or_a_row.iter().any(|column| line.contains(column));
        assert!(narrow || !reads, "more is read than who has the number: {line}\n{plan}");
    }
}

async fn one_line_says_whether_anybody_is_called(bench: Bench) {
    let calls = run_of(&bench, (0..4).map(contact).collect()).await;
    let line = async |now| status::told(&calls.store, calls.account, now).await.unwrap();
    assert_eq!(line(NOON).await.line, "dialling: 1 run, 0 calls live, 0.0 starts/s");
    let live = calls.all_live(1, NOON).await;
    assert_eq!(line(NOON).await.line, "dialling: 1 run, 4 calls live, 0.4 starts/s");
    for (attempt, session) in &live[..3] {
        assert!(calls.finish(*attempt, *session, Outcome::Answered, NOON).await);
    }
    assert!(calls.retry_in(live[3].0, live[3].1, Outcome::Busy, NOON, 600_000).await);
    let waits = line(NOON.plus_ms(1000)).await;
    assert_eq!((waits.gate, waits.until, waits.since), (Some("retry_delay"), Some(NOON.plus_ms(600_000)), Some(NOON)));
    calls.store.set_run_state(calls.run, RunState::Paused, Some("a look".into()), NOON).await.unwrap();
    assert_eq!(line(NOON).await.line, format!("not dialling since {NOON}: paused: run 1 of demo is paused: a look"));
    calls.store.set_run_state(calls.run, RunState::Stopped, None, NOON).await.unwrap();
    assert_eq!(line(NOON).await.line, format!("not dialling since {NOON}: no_run: no run is open"));
    let tomorrow = NOON.plus_ms(86_400_000);
    assert_eq!(line(tomorrow.plus_ms(1)).await.since, Some(tomorrow), "nobody has said since then that it is alive");
    assert_eq!(line(tomorrow).await.gate, Some("nobody_dials"));
}
