//! From when and until when a contact may be called, and who goes first, with the dialer's own planner.

use crate::both_engines;
use crate::common::Bench;
use crate::common::calls::{NOON, contact, new_campaign};
use crate::dials::dialer_of;
use halo::clock::Clock;
use halo::domain::list::NumberKind;
use halo::domain::settings::Take;
use halo::domain::term::Term;
use halo::domain::{Outcome, Timestamp};
use halo::store::{NewContact, Planned, Wishes};

both_engines! {
    the_plan_holds_to_the_lists_own_term
    what_a_list_wishes_is_read_back
}

const HOUR_MS: i64 = 3_600_000;

fn in_term(n: usize, from: Option<i64>, until: Option<i64>) -> NewContact {
    let at = |hours: i64| NOON.plus_ms(hours * HOUR_MS);
    let term = Term { not_before: from.map(at), not_after: until.map(at) };
    NewContact { wishes: Wishes { term, ..Wishes::default() }, ..contact(n) }
}

async fn campaign(bench: &Bench, contacts: Vec<NewContact>) -> i64 {
    let new = new_campaign(&bench.store, "one", contacts, Vec::new());
    let campaign = new.campaign.campaign;
    bench.store.create_campaign(new).await.expect("a campaign");
    let account = bench.account().await;
    bench.store.start_run(campaign, account, Take::All, NOON).await.expect("a run");
    account
}

async fn planned(bench: &Bench, account: i64, now: Timestamp) -> Vec<Planned> {
    let settings = "name = \"x\"\npurpose = \"test\"";
    dialer_of(&bench.store, account, &Clock::manual(now), settings).plan().await.expect("a plan")
}

/// The guard: `Plan::place` asks `contact.term`. A test of example numbers is no exception.
async fn the_plan_holds_to_the_lists_own_term(bench: Bench) {
    let contacts = vec![
        in_term(0, None, None),
        in_term(1, Some(2), None),
        in_term(2, None, Some(0)),
        in_term(3, Some(-1), Some(1)),
    ];
    let account = campaign(&bench, contacts).await;
    assert_eq!(planned(&bench, account, NOON).await.len(), 2);
    let due = "select due_at from run_contacts where gate = 'not_before'";
    assert_eq!(bench.number(due).await, NOON.plus_ms(2 * HOUR_MS).0);
    let over = format!("select count(*) from run_contacts where disposition = '{}'", Outcome::Expired);
    assert_eq!(bench.number(&over).await, 1);
    let later = planned(&bench, account, NOON.plus_ms(2 * HOUR_MS)).await;
    assert!(!later.is_empty(), "its time has come");
    assert_eq!(bench.number(&over).await, 2, "and that of another is over: it lost its slot and gets no new one");
}

async fn what_a_list_wishes_is_read_back(bench: Bench) {
    let term = Term { not_before: Some(NOON), not_after: Some(NOON.plus_ms(HOUR_MS)) };
    let wishes = Wishes { term, priority: 7, kind: Some(NumberKind::TollFree) };
    let new = new_campaign(&bench.store, "one", vec![NewContact { wishes, ..contact(0) }, contact(1)], Vec::new());
    let campaign = new.campaign.campaign;
    bench.store.create_campaign(new).await.expect("a campaign");
    let rows = bench.store.contacts(campaign, 0, 10).await.expect("contacts");
    assert_eq!((rows[0].wishes(), rows[1].wishes()), (wishes, Wishes::default()));
    // Rows from before the migration wish nothing.
    assert_eq!(bench.number("select count(*) from contacts where priority = 0 and not_before_at is null").await, 1);
}
