//! One line over all runs, as a table.

use super::*;

const NOW: Timestamp = Timestamp(1_795_600_800_000);

fn run(name: &str) -> Open {
    Open {
        name: name.into(),
        paused: false,
        reason: None,
        changed_at: NOW.plus_ms(-60_000),
        dialing: 0,
        live: 0,
        due: false,
        next: None,
    }
}

fn facts(runs: Vec<Open>) -> Facts {
    Facts {
        runs,
        account_paused: None,
        alive_until: Some(NOW.plus_ms(5000)),
        last_start: Some(NOW.plus_ms(-3000)),
        last_end: Some(NOW.plus_ms(-90_000)),
        starts_per_s: 5.0,
    }
}

#[test]
fn one_line_over_all_runs() {
    let live = Open { live: 13, dialing: 1, ..run("run 1 of demo") };
    let window = Open { next: Some((NOW.plus_ms(3_600_000), Some(Gate::Window))), ..run("run 1 of demo") };
    let retry = Open { next: Some((NOW.plus_ms(600_000), Some(Gate::RetryDelay))), ..run("run 2 of other") };
    let paused = Open { paused: true, reason: Some("no funds".into()), ..run("run 1 of demo") };
    for (facts, said) in [
        (facts(vec![live.clone(), run("run 2 of other")]), "dialling: 2 runs, 14 calls live, 5.0 starts/s"),
        (facts(vec![Open { due: true, ..run("run 1 of demo") }]), "dialling: 1 run, 0 calls live, 5.0 starts/s"),
        (facts(vec![]), "not dialling since 2026-11-25T09:58:30.000Z: no_run: no run is open"),
        (
            facts(vec![window.clone()]),
            "not dialling since 2026-11-25T09:59:57.000Z: window: run 1 of demo: outside the calling window in the \
             contact's time zone, until 2026-11-25T11:00:00.000Z",
        ),
        // whatever comes first
        (
            facts(vec![window, retry]),
            "not dialling since 2026-11-25T09:59:57.000Z: retry_delay: run 2 of other: waiting for the next try, until \
             2026-11-25T10:10:00.000Z",
        ),
        (
            facts(vec![paused.clone()]),
            "not dialling since 2026-11-25T09:59:00.000Z: paused: run 1 of demo is paused: no funds",
        ),
        (
            facts(vec![paused.clone(), Open { live: 1, paused: true, ..run("run 2 of other") }]),
            "not dialling since 2026-11-25T09:59:00.000Z: paused: run 2 of other is paused (and 1 more); 1 call still under way",
        ),
        (
            Facts { account_paused: Some((NOW, Some("a drill".into()))), ..facts(vec![live.clone()]) },
            "not dialling since 2026-11-25T10:00:00.000Z: paused: all calls are paused: a drill; 14 calls still under way",
        ),
        (
            Facts { alive_until: Some(NOW.plus_ms(-1)), ..facts(vec![live]) },
            "not dialling since 2026-11-25T09:59:59.999Z: nobody_dials: no process that dials is alive: start `halo serve`; \
             14 calls still under way",
        ),
        (
            Facts { alive_until: None, ..facts(vec![]) },
            "not dialling: nobody_dials: no process that dials is alive: start `halo serve`",
        ),
        (
            facts(vec![run("run 1 of demo")]),
            "not dialling since 2026-11-25T09:59:57.000Z: no_run: nobody waits any more",
        ),
    ] {
        let told = status(&facts, NOW);
        assert_eq!(told.line, said);
        assert_eq!(told.dialling, told.gate.is_none());
    }
}
