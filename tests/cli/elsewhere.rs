//! What a terminal is told of a server elsewhere, word for word what it is told beside the database.

use crate::harness::{KEY, Place, World, csv, number, settings, whole_run};
use crate::{campaign, code, err, folder, out, run};
use serde_json::Value;
use std::process::Output;

const SPLIT: &str = "modes = { dialog = 1, realtime = 1 }";

/// Moments and what hangs upon them: both commands are given one after the other.
fn timeless(text: &str) -> String {
    let moment = |c: char| c.is_ascii_digit() || "-:.TZ".contains(c);
    let mut out = String::new();
    for word in text.split_inclusive(|c: char| !moment(c)) {
        let bare = word.trim_end_matches(|c: char| !moment(c));
        // A date, an hour of day, or milliseconds since 1970.
        let is_moment = bare.len() >= 5 && (bare.contains(':') || bare.matches('-').count() >= 2 || bare.len() >= 13);
        out.push_str(if is_moment { "T " } else { word });
    }
    out
}

/// The guards: `There::of` in each of these verbs. Without it a verb looks for a database in this folder, and finds none.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_told_of_a_server_elsewhere_is_what_is_told_beside_it() {
    let place = Place::new(World { speed: 120.0, ..World::default() }).await;
    let app = place.serve().await;
    let list = csv((0..24).map(|ending| number(0, ending)));
    let (_, run_id) = whole_run(&app, &settings("told", SPLIT), &list).await;
    let (database, server) = (place.database_url(), format!("http://{}", app.address));
    let (beside, empty) = (place.folder.path().to_owned(), folder());
    let far = empty.path().to_owned();
    let here = [("DATABASE_URL", database.as_str())];
    let there = [("HALO_URL", server.as_str()), ("API_AUTH_KEY", KEY)];
    let both = |arguments: &[&str]| -> [Output; 2] {
        tokio::task::block_in_place(|| [run(&beside, &here, arguments), run(&far, &there, arguments)])
    };
    let run_id = run_id.to_string();
    // Whoever is judged is not judged again.
    let judged = tokio::task::block_in_place(|| run(&far, &there, &["judge", "told"]));
    assert!(out(&judged).contains("Judged by rules: 24 calls; left 0"), "{}{}", out(&judged), err(&judged));
    let attempts = app.store.attempts(app.store.find_campaign("told").await.expect("it").campaign, 0, 1000).await;
    let human = attempts.expect("attempts").into_iter().find(|row| row.goal.is_some()).expect("a call with a goal");
    let human = halo::domain::AttemptId(human.attempt_id).to_string();
    let phone = number(0, 3);
    let verbs: &[&[&str]] = &[
        &["status"],
        &["status", "--json"],
        &["why", &phone],
        &["why", &phone, "--json"],
        &["campaign", "list"],
        &["campaign", "list", "--json"],
        &["campaign", "show", "told"],
        &["campaign", "plan", "told"],
        &["campaign", "plan", "told", "--reach", "40", "--json"],
        &["report", "told"],
        &["report", "told", "--format", "json"],
        &["report", "told", "--format", "csv"],
        &["report", "told", "--format", "md", "--lang", "ru"],
        &["report", "told", "--format", "html"],
        &["export", "told", "contacts", "--delimiter", "semicolon", "--mark"],
        &["export", "told", "attempts", "--format", "ndjson"],
        &["export", "told", "turns"],
        &["export", "told", "rejects", "--list", "1"],
        &["prove", "told"],
        &["prove", "told", "--json"],
        &["gate", "told", "--baseline", "dialog", "--max-p95-regress", "10%", "--min-success", "-2pp"],
        &["gate", "told", "--baseline", "dialog", "--format", "junit"],
        &["judge", "told"],
        &["judge", &run_id, "--by", "rules", "--json"],
        &["label", "sample", &run_id, "--n", "3", "--seed", "7"],
        &["label", "set", &human, "yes"],
        // What is refused is refused for the same reason.
        &["why", "+79990000999"],
        &["report", "nobody"],
        &["export", "nobody", "contacts"],
        &["campaign", "show", "nobody"],
        &["gate", "told", "--baseline", "opera"],
        &["judge", "nobody"],
        &["campaign", "start", "told", "--only", "sneezed"],
    ];
    for verb in verbs {
        let [beside, far] = both(verb);
        assert_eq!(
            code(&far).map(|code| code.min(1)),
            code(&beside).map(|code| code.min(1)),
            "{verb:?}: {}",
            err(&far)
        );
        assert_eq!(timeless(&out(&far)), timeless(&out(&beside)), "{verb:?}");
        assert_eq!(err(&far).is_empty(), err(&beside).is_empty(), "{verb:?}: {} {}", err(&far), err(&beside));
    }
    let [beside, far] = both(&["campaign", "show", "told", "--json"]).map(|output| out(&output));
    let [beside, far]: [Value; 2] = [beside, far].map(|text| serde_json::from_str(&text).expect("JSON"));
    for key in ["run", "state", "ordinal", "progress", "outcomes", "history", "started_at"] {
        assert_eq!(far["runs"][0][key], beside["runs"][0][key], "{key}");
    }
    assert_eq!(far["imports"], beside["imports"]);

    // An export held against the report of the server, and one that was tampered with.
    let export = far_file(&far_path(&empty, "attempts.csv"), &there, &empty);
    let path = export.display().to_string();
    let [same, again] = both(&["report", "told", "--verify", &path]);
    assert_eq!((code(&same), code(&again)), (Some(0), Some(0)), "{}", err(&again));
    assert_eq!(out(&same), out(&again));
    let text = std::fs::read_to_string(&export).expect("the export").replacen(",realtime,", ",dialog,", 1);
    std::fs::write(&export, text).expect("the export");
    let [same, again] = both(&["report", "told", "--verify", &path]);
    assert_eq!((code(&same), code(&again)), (Some(1), Some(1)));
    assert_eq!(out(&same), out(&again));
    app.stop().await;
}

fn far_path(empty: &tempfile::TempDir, name: &str) -> std::path::PathBuf {
    empty.path().join(name)
}

fn far_file(path: &std::path::Path, there: &[(&str, &str)], empty: &tempfile::TempDir) -> std::path::PathBuf {
    let file = path.display().to_string();
    let arguments = ["export", "told", "attempts", "--out", &file];
    let done = tokio::task::block_in_place(|| run(empty.path(), there, &arguments));
    assert_eq!(code(&done), Some(0), "{}", err(&done));
    path.to_owned()
}

/// A list is looked at, taken in, started and rehearsed there; nothing is made here.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_campaign_lives_at_a_server_elsewhere() {
    let place = Place::new(World { speed: 120.0, ..World::default() }).await;
    let app = place.serve().await;
    let (files, far) = (folder(), folder());
    let list = csv((0..12).map(|ending| number(0, ending))) + "12\n";
    let dir = campaign(files.path(), "far", &settings("far", SPLIT), list.as_bytes());
    let server = format!("http://{}", app.address);
    let there = [("HALO_URL", server.as_str()), ("API_AUTH_KEY", KEY)];
    let halo = |arguments: &[&str]| tokio::task::block_in_place(|| run(far.path(), &there, arguments));
    let done = |arguments: &[&str], words: &[&str]| {
        let output = halo(arguments);
        assert_eq!(code(&output), Some(0), "{arguments:?}: {}{}", out(&output), err(&output));
        for word in words {
            assert!(out(&output).contains(word), "{arguments:?} does not say `{word}`: {}", out(&output));
        }
    };
    done(&["campaign", "check", &dir], &["12 accepted", "1 refused"]);
    let checked: Value = serde_json::from_str(&out(&halo(&["campaign", "check", &dir, "--json"]))).expect("JSON");
    assert_eq!((&checked["buckets"]["accepted"], &checked["buckets"]["refused"]), (&12.into(), &1.into()));
    let broken = files.path().join("broken.csv");
    std::fs::write(&broken, "phone\n12\n").expect("a list");
    let broken = broken.display().to_string();
    assert_eq!(code(&halo(&["campaign", "check", &broken])), Some(1), "nobody can be called");
    assert_eq!(code(&halo(&["campaign", "check", "nothing.csv"])), Some(1));

    done(&["campaign", "import", &dir], &["13 rows = 12 accepted + 0 duplicate + 1 refused", "Policy safe"]);
    done(&["campaign", "import", &dir], &["nothing was stored"]);
    let again = halo(&["campaign", "check", &format!("{dir}/contacts.csv"), "--campaign", "far"]);
    assert_eq!((code(&again), out(&again).contains("came before, as list 1")), (Some(1), true), "{}", out(&again));
    done(&["campaign", "rehearse", "far", "--contacts", "6", "--speed", "240"], &["6 of 12"]);
    done(&["campaign", "start", "far", "--wait"], &["Run run_", "with 12 contacts", ": completed"]);
    done(&["prove", "far"], &["no attempt has more than one call"]);
    // With the server's own settings: nothing of the platform is known here.
    done(&["voximplant", "deploy", "--dry-run"], &["application ", "mode dialog: rule voice_dialog_rule"]);
    let found = out(&halo(&["voximplant", "doctor"]));
    assert!(found.contains("account") && found.contains("scenario"), "{found}");
    assert_eq!(std::fs::read_dir(far.path()).expect("a folder").count(), 0, "nothing was made there");

    let stranger = [("HALO_URL", server.as_str()), ("API_AUTH_KEY", "wrong")];
    let refused = tokio::task::block_in_place(|| run(far.path(), &stranger, &["report", "far"]));
    assert_eq!((code(&refused), err(&refused).contains("API_AUTH_KEY")), (Some(2), true), "{}", err(&refused));
    let nobody = [("HALO_URL", "http://127.0.0.1:9"), ("API_AUTH_KEY", KEY)];
    let unheard = tokio::task::block_in_place(|| run(far.path(), &nobody, &["status"]));
    assert_eq!((code(&unheard), err(&unheard).contains("HALO_URL")), (Some(1), true), "{}", err(&unheard));
    app.stop().await;
}
