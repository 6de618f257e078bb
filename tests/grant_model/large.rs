//! Worlds for which a coffee must be fetched: see the command in `grant_model.rs`.

use super::watch::{ANSWERED, BOTH_CALLED, CORRECTED, DEFERRED, LOST, RETRIED};
use super::world::{Guards, LAWS, PLAIN, World};
use super::{Grants, all_laws_hold, told};
use stateright::{Checker, Model};
use std::time::Instant;

/// States that the last world is searched for; it has many more.
const STATES_MAX: usize = 20_000_000;

const DEEP: World = World { claims_max: 3, sessions_max: 3, nodes: 2, cap: 2, ..PLAIN };
const TWO: World = World { contacts: 2, nodes: 2, asks: 2, ..PLAIN };

#[test]
#[ignore = "large: see the command above"]
fn large_worlds_are_exhausted() {
    let only_index = Guards { number_gate: false, ..Guards::ALL };
    let only_gate = Guards { live_index: false, ..Guards::ALL };
    let worlds = [
        ("three claims, refused, doubled", World { refusals: true, doubled: true, asks: 2, ..DEEP }),
        ("three sessions of two starts", World { twins: true, claims_max: 2, ..DEEP }),
        ("frozen nodes", World { stale: true, refusals: true, claims_max: 2, sessions_max: 2, ..DEEP }),
        ("stopped", World { stopping: true, asks: 2, ..DEEP }),
        ("paused", World { pausing: true, pausing_all: true, toggles: 3, claims_max: 2, ..DEEP }),
        ("windows and opt-outs", World { windows: true, toggles: 2, opt_out: true, claims_max: 2, ..DEEP }),
        ("rest at last", World { calm: true, refusals: true, asks: 2, ..DEEP }),
        ("one number", World { one_number: true, shortening: true, ..TWO }),
        ("one number, by the index alone", World { one_number: true, guards: only_index, ..TWO }),
        ("one number, by the gate alone", World { one_number: true, guards: only_gate, ..TWO }),
        ("one line", World { lines: 1, asks: 3, ..TWO }),
        ("budget", World { one_run: true, budget: Some(1), toggles: 1, ..TWO }),
        ("appended, stopped", World { one_run: true, appending: true, stopping: true, ..TWO }),
    ];
    for (name, world) in worlds {
        let began = Instant::now();
        all_laws_hold(world, &[ANSWERED, LOST, CORRECTED]);
        println!("  {name}: {:.1?}", began.elapsed());
    }
}

/// Everything at once cannot be exhausted; it is searched breadth first as far as [`STATES_MAX`].
#[test]
#[ignore = "large: see the command above"]
fn large_everything_at_once() {
    let everything = World {
        one_number: true,
        cap: 2,
        asks: 3,
        sessions_max: 8,
        claims_max: 12,
        twins: true,
        doubled: true,
        refusals: true,
        stale: true,
        toggles: 4,
        pausing: true,
        windows: true,
        opt_out: true,
        callee_opts_out: true,
        stopping: true,
        shortening: true,
        ..TWO
    };
    let laws = LAWS.map(|(law, _)| law);
    let sights = [ANSWERED, LOST, CORRECTED, RETRIED, DEFERRED, BOTH_CALLED];
    let search = Grants::of(everything, &laws, &sights).checker().target_state_count(STATES_MAX).spawn_bfs().join();
    for (_, name) in LAWS {
        if let Some(path) = search.discovery(name) {
            panic!("{name}: broken by\n{}", told(path));
        }
    }
    println!("{} states to depth {}", search.unique_state_count(), search.max_depth());
}
