//! Two runs of one campaign: gated, compared, planned and counted again, over the API and by the program.

use super::get;
use crate::harness::{self, Place, World, csv, number, settings};
use std::process::{Command, Output};

fn halo(place: &Place, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_halo"));
    command.current_dir(place.folder.path()).env_clear().env("DATABASE_URL", place.database_url()).args(arguments);
    command.output().expect("the program starts")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// The guards: `exit_code` of the gate and of `--verify`; `put_bundle` after a grant; `experiment` in `http::change`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_run_is_held_against_the_first() {
    let place = Place::new(World { speed: 120.0, ..World::default() }).await;
    let app = place.serve().await;
    let list = csv((0..40).map(|ending| number(5, ending)));
    let modes = "modes = { dialog = 1, realtime_pure = 1 }";
    let (campaign, first) = harness::whole_run(&app, &settings("gated", modes), &list).await;

    let (status, alone) = get(&app, "/api/v1/campaigns/gated/gate").await;
    assert_eq!((status, alone["exit_code"].as_u64()), (200, Some(3)), "{alone}");
    let second = harness::start(&app, campaign).await;
    harness::completed(&app, second).await;

    let path = "/api/v1/campaigns/gated/gate?max_p50_regress=900%25";
    let (status, gate) = get(&app, path).await;
    assert_eq!((status, gate["exit_code"].as_u64(), gate["schema"].as_str()), (200, Some(0), Some("halo-gate/1")));
    assert_eq!(gate["checks"].as_array().map(Vec::len), Some(2), "{gate}");
    let (_, strict) = get(&app, "/api/v1/campaigns/gated/gate?max_p50_regress=-90%25").await;
    assert_eq!(strict["exit_code"].as_u64(), Some(1), "{strict}");
    for wrong in ["max_colour=1pp", "min_success=2", "baseline=opera", "baseline=2"] {
        let (status, problem) = get(&app, &format!("/api/v1/campaigns/gated/gate?{wrong}")).await;
        assert_eq!(status, 400, "{wrong}: {problem}");
    }

    let (status, compared) = get(&app, &format!("/api/v1/reports/compare?runs={first},{second}")).await;
    assert_eq!((status, compared["runs"].as_array().map(Vec::len)), (200, Some(2)), "{compared}");
    assert_eq!(compared["comparisons"].as_array().map(Vec::len), Some(2), "one for each mode");
    assert!(compared["notice"]["en"].as_str().is_some_and(|notice| notice.contains("simulated")));
    for wrong in [format!("runs={first}"), format!("runs={first},{first}"), "runs=".into(), "runs=run_x,run_y".into()] {
        assert_eq!(get(&app, &format!("/api/v1/reports/compare?{wrong}")).await.0, 400, "{wrong}");
    }
    let unknown = halo::domain::RunId(1);
    assert_eq!(get(&app, &format!("/api/v1/reports/compare?runs={first},{unknown}")).await.0, 404);

    let (status, plan) = get(&app, "/api/v1/campaigns/gated/plan?success=0.4").await;
    assert_eq!((status, plan["calls_needed"].as_u64()), (200, Some(1_507)), "{plan}");
    assert_eq!(get(&app, "/api/v1/campaigns/gated/plan?reach=2").await.0, 400);

    // Rules that are written after the first call was heard are none.
    let patch = reqwest::Client::new().patch(super::url(&app, "/api/v1/campaigns/gated/settings"));
    let patch = patch.bearer_auth(harness::KEY).json(&serde_json::json!({ "experiment": { "margin_pp": 3 } }));
    let (status, problem) = super::answer(patch).await;
    assert_eq!(status, 422, "{problem}");
    assert!(problem.to_string().contains("its first run has begun"), "{problem}");

    // Nothing else was played in the second run, and the arms alternated.
    let (_, report) = get(&app, "/api/v1/campaigns/gated/report.json").await;
    assert_eq!(report["versions"].as_array().map(Vec::len), Some(1), "{}", report["versions"]);
    assert!(!report["hours"].as_array().expect("hours").is_empty());
    let bundles = app.store.bundles(campaign, app.dialer.account).await.expect("bundles");
    assert_eq!(bundles.len(), 4, "two modes in two runs: {bundles:?}");
    app.stop().await;

    let gate = ["gate", "gated", "--max-p50-regress", "900%"];
    let passed = halo(&place, &[&gate[..], &["--junit", "gate.xml", "--markdown", "gate.md"]].concat());
    assert_eq!(passed.status.code(), Some(0), "{}", said(&passed));
    let junit = std::fs::read_to_string(place.folder.path().join("gate.xml")).expect("JUnit");
    assert!(junit.contains("<testsuite name=\"halo gate gated\" tests=\"2\" failures=\"0\""), "{junit}");
    let failed = halo(&place, &["gate", "gated", "--max-p50-regress", "-90%", "--format", "junit"]);
    assert!(failed.status.code() == Some(1) && said(&failed).contains("<failure message="), "{}", said(&failed));
    let open = halo(&place, &["gate", "gated", "--min-success", "0pp"]);
    assert_eq!(open.status.code(), Some(3), "{}", said(&open));
    for wrong in [&["--baseline", "opera"][..], &["--min-success", "2%"], &["--run", "9"]] {
        let refused = halo(&place, &[&["gate", "gated"], wrong].concat());
        assert_eq!(refused.status.code(), Some(2), "{wrong:?}: {}", said(&refused));
    }

    let exported =
        halo(&place, &["export", "gated", "attempts", "--delimiter", "semicolon", "--mark", "--out", "a.csv"]);
    assert_eq!(exported.status.code(), Some(0), "{}", said(&exported));
    let verified = halo(&place, &["report", "gated", "--verify", "a.csv"]);
    assert!(
        verified.status.code() == Some(0) && said(&verified).contains("every figure is the same"),
        "{}",
        said(&verified)
    );
    let text = std::fs::read_to_string(place.folder.path().join("a.csv")).expect("an export");
    let lines: Vec<&str> = text.lines().collect();
    let shorter = lines[..lines.len() - 1].join("\n") + "\n";
    std::fs::write(place.folder.path().join("b.csv"), shorter).expect("a file");
    let differs = halo(&place, &["report", "gated", "--verify", "b.csv"]);
    assert!(differs.status.code() == Some(1) && said(&differs).contains("in the export"), "{}", said(&differs));

    let plan = halo(&place, &["campaign", "plan", "gated", "--success", "40%"]);
    assert!(plan.status.code() == Some(0) && said(&plan).contains("human calls of each arm"), "{}", said(&plan));
}
