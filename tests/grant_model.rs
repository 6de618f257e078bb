//! The dial grant, model-checked: every order of events in small worlds, breadth first.
//!
//! A world is rows, processes, sessions of the provider and messages between them. Whatever a transaction
//! decides is decided by the real functions (`halo::dialer::decisions`, and through them `State::step`, `clear`,
//! `follow`); the rows around them are a stand-in for the store, the sessions one for `voximplant/lib`. Messages
//! come late, in any order, or never; processes freeze and die between any two steps. What is assumed: a
//! transaction is all or nothing, a session's own timers run, and the clocks of processes agree.
//!
//! `guards.rs` takes each guard out and demands a counterexample. The worlds here are exhausted in half a minute;
//! larger ones, and one in which everything happens at once, take some minutes:
//!
//! ```sh
//! cargo test --release --test grant_model -- --ignored --nocapture --test-threads 1
//! ```

#[path = "grant_model/acts.rs"]
mod acts;
#[path = "grant_model/figures.rs"]
mod figures;
#[path = "grant_model/guards.rs"]
mod guards;
#[path = "grant_model/large.rs"]
mod large;
#[path = "grant_model/model.rs"]
mod model;
#[path = "grant_model/rows.rs"]
mod rows;
#[path = "grant_model/state.rs"]
mod state;
#[path = "grant_model/watch.rs"]
mod watch;
#[path = "grant_model/world.rs"]
mod world;

use model::{Grants, Sight};
use stateright::{Checker, Model};
use watch::{ANSWERED, BOTH_CALLED, CANCELLED, CORRECTED, DEFERRED, GIVEN_UP, LOST, RETRIED, SUPPRESSED};
use world::{LAWS, PLAIN, World};

/// Every law, in every state that can be reached; and the world shows what it is there to show.
fn all_laws_hold(world: World, sights: &[Sight]) {
    let laws = LAWS.map(|(law, _)| law);
    let search = Grants::of(world, &laws, sights).checker().spawn_bfs().join();
    for (_, name) in LAWS {
        if let Some(path) = search.discovery(name) {
            panic!("{name}: broken by\n{}", told(path));
        }
    }
    assert!(search.is_done(), "the world was not exhausted");
    for (name, _) in sights {
        assert!(search.discovery(name).is_some(), "this world never shows: {name}");
    }
    println!("{} states, {} steps, none breaks a law", search.unique_state_count(), search.state_count());
}

/// A path as a reader wants it: the steps, and where they led.
fn told(path: stateright::Path<state::Now, model::Action>) -> String {
    let end = format!("{:#?}", path.last_state());
    let steps: Vec<String> = path.into_actions().iter().map(|step| format!("  {step:?}")).collect();
    format!("{}\n{end}", steps.join("\n"))
}

#[test]
fn a_start_or_its_answer_is_lost_refused_or_late() {
    all_laws_hold(World { cap: 2, refusals: true, ..PLAIN }, &[ANSWERED, LOST, CORRECTED, RETRIED, DEFERRED]);
}

#[test]
fn requests_and_events_come_late_and_twice() {
    all_laws_hold(World { cap: 2, doubled: true, nodes: 2, ..PLAIN }, &[ANSWERED, LOST, CORRECTED, RETRIED]);
}

#[test]
fn a_node_freezes_with_a_claim_a_revocation_or_evidence_in_its_hands() {
    let world = World { stale: true, refusals: true, nodes: 2, sessions_max: 1, asks: 2, ..PLAIN };
    all_laws_hold(world, &[ANSWERED, LOST, CORRECTED, DEFERRED]);
}

#[test]
fn one_start_makes_two_sessions() {
    all_laws_hold(World { twins: true, asks: 2, ..PLAIN }, &[ANSWERED, LOST, CORRECTED]);
}

#[test]
fn sessions_never_ask_three_times() {
    let world = World { claims_max: 3, sessions_max: 3, asks: 1, ..PLAIN };
    all_laws_hold(world, &[ANSWERED, GIVEN_UP, DEFERRED]);
}

#[test]
fn a_run_is_stopped() {
    all_laws_hold(World { stopping: true, ..PLAIN }, &[ANSWERED, CANCELLED, CORRECTED]);
}

#[test]
fn a_run_is_paused_and_resumed() {
    all_laws_hold(World { pausing: true, toggles: 2, ..PLAIN }, &[ANSWERED, DEFERRED]);
}

#[test]
fn all_runs_are_paused_and_resumed() {
    all_laws_hold(World { pausing_all: true, toggles: 2, asks: 2, ..PLAIN }, &[ANSWERED, DEFERRED]);
}

#[test]
fn the_window_closes_and_opens() {
    all_laws_hold(World { windows: true, toggles: 2, asks: 2, ..PLAIN }, &[ANSWERED, DEFERRED]);
}

#[test]
fn a_number_is_suppressed_while_it_rings_or_before() {
    all_laws_hold(World { opt_out: true, cap: 2, ..PLAIN }, &[ANSWERED, SUPPRESSED]);
}

#[test]
fn the_callee_opts_out_and_the_line_is_dropped() {
    all_laws_hold(World { callee_opts_out: true, cap: 2, ..PLAIN }, &[ANSWERED, SUPPRESSED]);
}

#[test]
fn calls_are_made_shorter_while_one_is_live() {
    all_laws_hold(World { shortening: true, ..PLAIN }, &[ANSWERED, LOST]);
}

#[test]
fn two_campaigns_call_one_number() {
    all_laws_hold(World { contacts: 2, one_number: true, asks: 2, ..PLAIN }, &[ANSWERED, BOTH_CALLED]);
}

#[test]
fn two_contacts_share_one_line() {
    all_laws_hold(World { contacts: 2, lines: 1, asks: 1, ..PLAIN }, &[ANSWERED, BOTH_CALLED]);
}

#[test]
fn the_budget_pays_for_one_call_and_later_for_two() {
    let world = World { contacts: 2, one_run: true, budget: Some(1), toggles: 1, asks: 1, ..PLAIN };
    all_laws_hold(world, &[ANSWERED, BOTH_CALLED]);
}

#[test]
fn a_number_has_its_cap_over_two_campaigns() {
    let world = World { contacts: 2, one_number: true, number_cap: Some(1), asks: 1, ..PLAIN };
    all_laws_hold(world, &[ANSWERED, LOST]);
}

#[test]
fn a_contact_is_appended_to_a_running_run() {
    let world = World { contacts: 2, one_run: true, appending: true, asks: 1, ..PLAIN };
    all_laws_hold(world, &[ANSWERED, BOTH_CALLED]);
}

#[test]
fn whatever_went_wrong_every_contact_comes_to_rest() {
    all_laws_hold(World { calm: true, ..PLAIN }, &[ANSWERED, LOST]);
}
