//! Programs that are not ours try the API: schemathesis makes requests out of the document, good ones and bad ones.
//!
//! `.ci/testers` installs them below `target`. `HALO_TEST_CLIENTS=required` fails without them.

use crate::harness::{self, KEY, Place, World, csv, number, settings};
use halo::domain::{AttemptId, ContactId};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Requests made up for each operation, beside those that the document's limits ask for.
const EXAMPLES: &str = "3";
/// What must hold whatever is asked. That nothing is told without a key, `rounds` looks at for every operation; here
/// twenty wrong ones in a row are answered 429, as they should be.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,\
                      response_schema_conformance";

/// The folder with the testers, if they are installed.
pub fn testers() -> Option<PathBuf> {
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| Path::new(crate::ROOT).join("target"), PathBuf::from);
    let testers = target.join("testers");
    let there = testers.join("pinned").is_file();
    let required = std::env::var("HALO_TEST_CLIENTS").is_ok_and(|value| value == "required");
    assert!(there || !required, "the testers are not in {}: run .ci/testers", testers.display());
    if !there {
        eprintln!("SKIPPED: the testers are not in {}: run .ci/testers", testers.display());
    }
    there.then_some(testers)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_made_of_the_document_meet_no_fault() {
    let Some(testers) = testers() else { return };
    let place = Place::new(World { speed: 120.0, ..World::default() }).await;
    let app = place.serve().await;
    let list = csv((0..4).chain([75, 94]).map(|ending| number(0, ending)));
    let (campaign, run) =
        harness::whole_run(&app, &settings("evening", "modes = { dialog = 1, greeting = 1 }"), &list).await;
    let attempt = AttemptId(harness::attempts(&app, campaign).await[0].attempt_id);
    let contact = ContactId(harness::contacts(&app, campaign).await[0].contact_id);
    // Most addresses name something that is there.
    let known = [
        ("campaign", "evening".to_owned()),
        ("run", run.to_string()),
        ("attempt", attempt.to_string()),
        ("contact", contact.to_string()),
        ("number", number(0, 1)),
    ];
    let mut config = String::new();
    for (name, value) in &known {
        config += &format!("[dictionaries.{name}]\nvalues = [\"{value}\"]\n");
    }
    config += "[parameters]\n";
    for (name, _) in &known {
        config += &format!("\"path.{name}\" = {{ dictionary = \"{name}\", probability = 0.8 }}\n");
    }
    let order = serde_json::json!({ "name": "a stranger", "role": "admin" });
    let made = reqwest::Client::new().post(format!("http://{}/api/v1/keys", app.address)).bearer_auth(KEY).json(&order);
    let made: serde_json::Value = made.send().await.expect("an answer").json().await.expect("JSON");
    let key = made["key"].as_str().expect("a key").to_owned();
    let folder = place.folder.path().to_owned();
    std::fs::write(folder.join("schemathesis.toml"), config).expect("written");
    // One worker: two of them at once trip over a fault of Python 3.11's own parser now and then.
    let mut command = Command::new(testers.join("python/bin/st"));
    command
        .current_dir(&folder)
        .args(["run", &format!("http://{}/api/openapi.json", app.address)])
        .args(["--header", &format!("Authorization: Bearer {key}")])
        .args(["--phases", "coverage,fuzzing", "--max-examples", EXAMPLES, "--checks", CHECKS])
        .args(["--seed", "20", "--no-shrink", "--continue-on-failure", "--workers", "1", "--warnings", "off"])
        .args(["--request-timeout", "20", "--suppress-health-check", "all", "--generation-database", "none"])
        .env("NO_COLOR", "1");
    let done = tokio::task::spawn_blocking(move || command.output()).await.expect("it is waited for").expect("it runs");
    let said = String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{said}");
    app.stop().await;
}
