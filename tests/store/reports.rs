//! Stored reports, panels that meet every mode, and slices.

use super::histories::{History, Remembered, TAKEN_AMISS, history, history_row};
use crate::both_engines;
use crate::common::Bench;
use crate::common::calls::{NOON, contact, heard, new_campaign, phone};
use halo::domain::settings::{Settings, Take};
use halo::domain::state::Event;
use halo::domain::{Outcome, Timestamp};
use halo::report::{Report, stored};
use halo::store::slices::{Behind, Cut, Dimension};
use halo::store::{Call, Campaign, ContactChange, Note, RunState, Turn};
use std::collections::{BTreeMap, BTreeSet};

both_engines! {
    a_report_is_read_back_until_something_of_it_changes
    a_panel_meets_every_mode_in_turn
    slices_count_what_a_person_counts
}

fn settings() -> Settings {
    const SETTINGS: &str = "name = \"demo\"\npurpose = \"test\"\n\
                            modes = { dialog = 1, realtime = 1, realtime_pure = 1 }\n";
    let modes = ["dialog", "realtime", "realtime_pure", "greeting"].map(|mode| mode.parse().unwrap());
    halo::intake::settings::parse(SETTINGS, &modes.into_iter().collect()).unwrap()
}

struct Asking<'b> {
    bench: &'b Bench,
    campaign: Campaign,
    settings: Settings,
}

impl Asking<'_> {
    async fn report(&self) -> Report {
        stored::report(&self.bench.store, &self.campaign, &self.settings, NOON).await.unwrap()
    }

    /// Whether it was read back: what is stored is marked after each making.
    async fn is_kept(&self) -> bool {
        let report = self.report().await;
        let mark = "update report_snapshots set body = replace(body, '\"software\":\"halo', '\"software\":\"kept')";
        self.bench.execute(mark).await.unwrap();
        report.software.starts_with("kept")
    }
}

/// The guards: `snapshots::attempts_changed` and `numbers_changed` where they are called (`acts/latencies.rs`,
/// `acts/sessions.rs`, `acts/numbers.rs`), and the open runs in `stored::signature`.
async fn a_report_is_read_back_until_something_of_it_changes(bench: Bench) {
    let calls = bench.run_of(2).await;
    let live = calls.all_live(500, NOON).await;
    let ((first, session), (second, other)) = (live[0], live[1]);
    let call = |by: i64| Call { session: by, source: "event", answer_ms: Some(40), ..Call::default() };
    let turn = |ms| vec![Turn { turn: 1, turn_ms: Some(ms), method: "vad".into(), ..Turn::default() }];
    let campaign = bench.store.campaign(calls.campaign).await.unwrap().unwrap();
    let asking = Asking { bench: &bench, campaign, settings: settings() };

    let told = heard(session, 1, "Disconnected");
    calls.report(first, told, Outcome::Answered, call(session.0), turn(900), NOON).await;
    assert!(!asking.is_kept().await && !asking.is_kept().await, "a run is open");
    assert!(calls.step(second, Event::Silent { by: other }, ContactChange::Rests(Outcome::Lost), NOON).await);
    bench.store.set_run_state(calls.run, RunState::Stopped, None, NOON).await.unwrap();
    assert!(!asking.is_kept().await && asking.is_kept().await && asking.is_kept().await);
    let human = |report: &Report| report.arms.iter().map(|arm| arm.human).sum::<u64>();
    assert_eq!(human(&asking.report().await), 1);

    // The truth about the lost one.
    let told = heard(other, 1, "Disconnected");
    calls.report(second, told, Outcome::Answered, call(other.0), turn(700), NOON).await;
    assert!(!asking.is_kept().await, "a late truth");
    assert_eq!(human(&asking.report().await), 2);
    let note = Note { attempt: first, now: NOON, heard: heard(session, 2, "Turn"), turns: turn(950) };
    bench.store.note(note).await.unwrap();
    assert!(!asking.is_kept().await && asking.is_kept().await, "a late turn");
    bench.store.put_history(vec![history_row(first, session, 1, Some(70))]).await.unwrap();
    assert!(!asking.is_kept().await && asking.is_kept().await, "a bill");
    bench.store.suppress(phone(0), "asked", NOON.plus_ms(1_000)).await.unwrap();
    assert!(!asking.is_kept().await && asking.is_kept().await, "an opt-out");
    // The old ones stay to be read.
    assert_eq!(bench.number("select count(*) from report_snapshots").await, 5);
}

/// The guards: `rotate` in `acts/campaigns.rs`, and that `count_taken` comes after it.
async fn a_panel_meets_every_mode_in_turn(bench: Bench) {
    const NUMBERS: i64 = 7;
    let mut new = new_campaign(&bench.store, "panel", (0..NUMBERS as usize).map(contact).collect(), Vec::new());
    new.campaign.settings =
        r#"{"modes":{"dialog":1,"realtime":1,"realtime_pure":1},"experiment":{"kind":"crossover"}}"#.into();
    let (campaign, account) = (new.campaign.campaign, bench.account().await);
    bench.store.create_campaign(new).await.unwrap();
    for night in 0..3 {
        let (run, _) = bench.store.start_run(campaign, account, Take::All, NOON.plus_ms(night)).await.unwrap();
        // No night plays one mode alone.
        let modes = format!("select count(distinct mode) from run_contacts where run_id = {}", run.0);
        assert_eq!(bench.number(&modes).await, 3);
        bench.store.set_run_state(run, RunState::Stopped, None, NOON.plus_ms(night)).await.unwrap();
    }
    let met = "select count(*) from (select contact_id from run_contacts group by contact_id having count(distinct mode) = 3) as met";
    assert_eq!(bench.number(met).await, NUMBERS);
    let own = "select count(*) from run_contacts rc join runs r on r.run_id = rc.run_id \
               join contacts c on c.contact_id = rc.contact_id where r.ordinal = 1 and rc.mode = c.mode";
    assert_eq!(bench.number(own).await, NUMBERS, "the first night plays what was given");
    assert_eq!(bench.number(TAKEN_AMISS).await, 0, "counted as they are called");
}

impl History {
    fn dialled(&self) -> impl Iterator<Item = &Remembered> {
        let rang = |a: &&Remembered| {
            let not =
                [Outcome::Cancelled, Outcome::Expired, Outcome::Suppressed, Outcome::ScenarioError, Outcome::NoFunds];
            a.dialed_at.is_some() && a.outcome.is_some_and(|outcome| !not.contains(&outcome)) && !a.own_mode
        };
        self.attempts.values().filter(rang)
    }
}

/// The guards: the conditions of `slice_contacts.sql` and `slowest_turns.sql`.
async fn slices_count_what_a_person_counts(bench: Bench) {
    for seed in 40..42 {
        bench.store.wipe().await.unwrap();
        let told = history(&bench, seed).await;
        let cut =
            |by, until: Timestamp| Cut { campaign: told.campaign, account: told.account, by, from: 0, until: until.0 };
        let end = Timestamp(i64::MAX);
        let (rows, medians) = bench.store.slices(&cut(Dimension::List, end)).await.unwrap();
        let mut expected: BTreeMap<String, [BTreeSet<usize>; 3]> = BTreeMap::new();
        for a in told.dialled() {
            let sets = expected.entry(a.mode.clone()).or_default();
            sets[0].insert(a.contact);
            if a.outcome == Some(Outcome::Answered) {
                sets[1].insert(a.contact);
                if a.call.as_ref().is_some_and(|call| call.goal == Some(true)) {
                    sets[2].insert(a.contact);
                }
            }
        }
        assert_eq!(rows.len(), expected.len(), "one list, seed {seed}");
        for row in &rows {
            let sets = &expected[&row.mode];
            let counted = [row.dialled, row.reached, row.goals];
            assert_eq!(counted, [0, 1, 2].map(|place| sets[place].len() as i64), "{}, seed {seed}", row.mode);
        }
        let waits =
            |a: &&Remembered| a.outcome == Some(Outcome::Answered) && a.turns.iter().any(|t| t.turn_ms >= Some(0));
        let calls = told.dialled().filter(waits).count() as i64;
        assert_eq!(medians.iter().map(|row| row.n).sum::<i64>(), calls, "medians, seed {seed}");
        let (nobody, _) = bench.store.slices(&cut(Dimension::Zone, NOON)).await.unwrap();
        assert!(nobody.is_empty(), "nobody was dialled before noon");
        let columns = bench.store.slices(&cut(Dimension::Column("city".into()), end)).await.unwrap();
        assert!(columns.0.iter().all(|row| row.label.is_empty()) && !columns.0.is_empty());

        let behind = Behind { limit: 10, ..Behind::default() };
        let slow = bench.store.slowest_turns(&cut(Dimension::Whole, end), &behind).await.unwrap();
        let mut waits: Vec<Option<i64>> = told
            .dialled()
            .filter(|a| a.outcome == Some(Outcome::Answered))
            .flat_map(|a| a.turns.iter().map(|turn| turn.turn_ms))
            .filter(|ms| ms.is_none_or(|ms| ms >= 0))
            .collect();
        waits.sort_by_key(|ms| (ms.is_some(), std::cmp::Reverse(*ms)));
        waits.truncate(10);
        assert_eq!(slow.iter().map(|turn| turn.turn_ms).collect::<Vec<_>>(), waits, "slowest, seed {seed}");
    }
}
