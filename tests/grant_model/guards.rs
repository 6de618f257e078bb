//! Each guard taken out: a law must break. A guard that can be taken out unnoticed guards nothing, and a model
//! that does not notice proves nothing.

use super::model::Grants;
use super::world::{Guards, LAWS, Law, PLAIN, World};
use stateright::{Checker, Model};

/// A contact, a claim, a session: enough for what one call can do wrong.
const ONE: World = World { claims_max: 1, sessions_max: 1, ..PLAIN };
/// Two contacts, each with a call.
const TWO: World = World { contacts: 2, asks: 1, ..PLAIN };

/// The world holds the law with all guards, and breaks it without these.
fn breaks(law: Law, world: World, without: impl FnOnce(&mut Guards)) {
    let mut guards = Guards::ALL;
    without(&mut guards);
    let (_, name) = LAWS[law as usize];
    let search = Grants::of(World { guards, ..world }, &[law], &[]).checker().spawn_bfs().join();
    let path = search.discovery(name);
    let path = path.unwrap_or_else(|| panic!("taken out unnoticed: {name} ({} states)", search.unique_state_count()));
    println!("{name}: broken in {} steps", path.into_actions().len());
}

macro_rules! guards {
    ($($(#[$doc:meta])* $name:ident: $law:ident in $world:expr, without $($guard:ident)+;)*) => {$(
        $(#[$doc])*
        #[test]
        fn $name() {
            breaks(Law::$law, $world, |guards| { $(guards.$guard = false;)+ });
        }
    )*};
}

guards! {
    without_the_same_session_check_both_twins_dial:
        OneCall in World { twins: true, claims_max: 1, asks: 1, ..PLAIN }, without same_session;
    /// The gate tells why, the index makes sure: one alone is enough (`large.rs`).
    without_number_gate_and_unique_live_index_two_campaigns_ring_one_phone:
        OneCallPerNumber in World { one_number: true, ..TWO }, without number_gate live_index;
    without_the_ten_second_rule_an_old_grant_is_dialled:
        FreshGrant in ONE, without ten_seconds;
    without_ignoring_answers_to_earlier_tries_an_old_grant_passes_for_a_new_one:
        FreshGrant in ONE, without own_try;
    without_the_gate_suppression:
        Gates in World { opt_out: true, asks: 1, ..ONE }, without suppression;
    without_the_gate_pause:
        Gates in World { pausing: true, toggles: 1, asks: 1, ..ONE }, without pause;
    without_the_gate_pause_all:
        Gates in World { pausing_all: true, toggles: 1, asks: 1, ..ONE }, without pause;
    /// A stop ends what is dialing; what is live is not told its answer again.
    without_the_gate_stop:
        Gates in World { stopping: true, ..ONE }, without stop;
    without_the_gate_window:
        Gates in World { windows: true, toggles: 1, asks: 1, ..ONE }, without window;
    without_the_cap:
        Cap in World { asks: 1, ..ONE }, without cap;
    without_the_budget_in_the_grant:
        Budget in World { one_run: true, budget: Some(1), ..TWO }, without budget;
    without_the_number_s_cap_in_the_grant_two_campaigns_add_up:
        NumberCap in World { one_number: true, number_cap: Some(1), ..TWO }, without number_cap;
    without_the_claim_s_compare_and_set_a_second_job_takes_a_claim_over:
        NothingUndone in World { nodes: 2, asks: 1, ..PLAIN }, without claim_compares;
    without_the_hash_in_a_revocation_a_thawed_node_undoes_another_s_claim:
        NothingUndone in World { nodes: 2, asks: 1, ..PLAIN }, without revocation_names_hash;
    without_the_current_token_an_old_session_takes_a_new_claim:
        NothingUndone in World { asks: 1, ..PLAIN }, without current_token;
    without_the_session_in_evidence_a_live_call_is_ended_by_its_twin:
        Held in World { twins: true, claims_max: 1, asks: 1, ..PLAIN }, without evidence_names_session;
    without_the_check_just_before_sending_a_frozen_node_wakes_with_a_burst:
        InSlot in World { asks: 1, ..ONE }, without check_before_sending;
    without_the_stored_held_until_a_shorter_setting_frees_a_line_too_early:
        Held in World { shortening: true, asks: 1, ..ONE }, without stored_hold;
    without_keeping_start_answers_apart_both_twins_dial:
        OneCall in World { twins: true, claims_max: 1, asks: 2, ..PLAIN }, without start_apart;
    without_keeping_start_answers_apart_the_truth_is_refused:
        TruthBelieved in World { twins: true, claims_max: 1, asks: 1, ..PLAIN }, without start_apart;
    with_a_retry_after_lost_somebody_may_be_called_twice:
        LostRests in World { cap: 2, asks: 1, ..PLAIN }, without lost_rests;
    with_deferrals_counted_a_contact_loses_tries:
        OnlyDialledCounts in World { cap: 2, asks: 1, ..PLAIN }, without deferral_uncounted;
    without_counting_lines_ahead_two_calls_share_one:
        Lines in World { lines: 1, ..TWO }, without lines_ahead;
    without_the_run_s_lock_an_appended_contact_waits_for_ever:
        NoRowVanishes in World { one_run: true, appending: true, ..TWO }, without append_locks;
    without_the_sweep_of_claims_a_contact_waits_for_ever:
        RestAtLast in World { calm: true, ..ONE }, without sweep;
}
