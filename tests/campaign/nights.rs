//! Nights and restarts: what survives, and what happens once.

use crate::harness::{self, Place, SPLIT, World, csv, ledger, number, settings, start, take_in, until};
use halo::app::App;
use halo::domain::CampaignId;
use halo::store::{Run, RunState};

async fn nights(app: &App, campaign: CampaignId, wanted: usize) -> Vec<Run> {
    let runs = until("the night's run is over", || async {
        let runs = app.store.runs(campaign).await.expect("the store answers");
        (runs.len() >= wanted && runs.iter().all(|run| run.state == RunState::Completed)).then_some(runs)
    })
    .await;
    assert_eq!(runs.len(), wanted, "{runs:?}");
    for run in &runs {
        harness::completed(app, run.run).await;
    }
    runs
}

/// Without the schedule's compare-and-set on `next_at` (and its unique row per moment) a restart fires again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_nightly_schedule_fires_each_moment_once_over_restarts() {
    // Five seconds of real time before its hour: a busy machine takes some to start a service and to import.
    let place = Place::new(World { at: Some("2026-06-20T22:55:00Z"), ..World::default() }).await;
    let app = place.serve().await;
    let schedule = "[schedule]\ncron = \"0 2 * * *\"\ntimezone = \"Europe/Moscow\"\ntake = \"all\"\n";
    let settings = settings("nightly", "modes = { dialog = 1, realtime = 1 }") + schedule;
    let list = csv((0..6).map(|ending| number(0, ending)));
    let campaign = take_in(&app, &settings, &list).await.campaign;
    assert!(app.store.runs(campaign).await.expect("runs").is_empty(), "nothing before its hour");
    nights(&app, campaign, 1).await;
    app.stop().await;

    // A restart within the same night, and one shortly before the next.
    for (at, before, after) in [("2026-06-20T23:20:00Z", 1, 1), ("2026-06-21T22:55:00Z", 1, 2)] {
        place.sleep_through(at).await;
        let app = place.serve().await;
        assert_eq!(app.store.runs(campaign).await.expect("runs").len(), before, "at {at}");
        nights(&app, campaign, after).await;
        app.stop().await;
    }
    // Three nights of downtime are made up for by one run.
    place.sleep_through("2026-06-25T04:00:00Z").await;
    let app = place.serve().await;
    let runs = nights(&app, campaign, 3).await;
    let due: Vec<String> = runs.iter().map(|run| run.due_at.expect("a schedule's run").to_string()).collect();
    for (due, day) in due.iter().zip(["2026-06-20", "2026-06-21", "2026-06-22"]) {
        assert!(due.starts_with(&format!("{day}T23:00:00")), "{due} {day}");
    }
    let next = app.store.schedules().await.expect("schedules")[0].next_at.expect("a next night").to_string();
    assert!(next.starts_with("2026-06-25T23:00:00"), "{next}");
    harness::laws_hold(&app, campaign).await;
    assert_eq!(ledger::no_attempt_twice(&place.simulator).await, 18);

    let report = harness::report(&app, campaign).await;
    assert_eq!(report.nights.len(), 3);
    for (block, run) in report.nights.iter().zip(&runs) {
        assert_eq!(block.run_id, run.run.to_string());
        assert_eq!(block.arms.iter().map(|arm| arm.attempts).sum::<u64>(), 6);
    }
    app.stop().await;
}

/// Stopped in mid-run and started again: what was live ends, what waited is called, nobody twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_in_mid_run_goes_on_where_it_was() {
    let place = Place::new(World::default()).await;
    let app = place.serve().await;
    let endings = (0..20).chain([65, 70, 71, 75, 78, 83, 85, 88, 90, 94, 96, 99]);
    let list = csv(endings.map(|ending| number(0, ending)));
    let settings = settings("restarted", SPLIT).replace("cps = 20", "cps = 0.2");
    let campaign = take_in(&app, &settings, &list).await.campaign;
    let run = start(&app, campaign).await;
    until("the run is in its middle", || async {
        let progress = app.store.progress(run).await.expect("the store answers");
        (ledger::calls(&place.simulator).await.len() >= 12 && progress.live > 0).then_some(())
    })
    .await;
    assert_eq!(harness::run_of(&app, run).await.state, RunState::Running);
    app.stop().await;
    let app = place.serve().await;
    harness::completed(&app, run).await;
    harness::laws_hold(&app, campaign).await;
    assert!(harness::contacts(&app, campaign).await.iter().all(|contact| contact.disposition.is_some()));
    let dialled = harness::attempts(&app, campaign).await.iter().filter(|a| a.dialed_at.is_some()).count();
    assert_eq!(ledger::no_attempt_twice(&place.simulator).await, dialled);
    app.stop().await;
}
