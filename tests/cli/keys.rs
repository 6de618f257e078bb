//! `halo key` and `halo erase`: by the database here, and by the API of a server elsewhere.

use crate::harness::{KEY, Place, World, csv, number, settings, whole_run};
use crate::{code, err, out, run};
use serde_json::Value;
use std::process::Output;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn keys_and_erasure_here_and_elsewhere() {
    let place = Place::new(World { speed: 120.0, ..World::default() }).await;
    let app = place.serve().await;
    whole_run(&app, &settings("erased", "mode = \"greeting\""), &csv([number(0, 1), number(0, 2)])).await;
    let (folder, database) = (place.folder.path().to_owned(), place.database_url());
    let server = format!("http://{}", app.address);
    let here = [("DATABASE_URL", database.as_str())];
    let there = [("HALO_URL", server.as_str()), ("API_AUTH_KEY", KEY)];
    let halo = |environment: &[(&str, &str)], arguments: &[&str]| -> Output {
        tokio::task::block_in_place(|| run(&folder, environment, arguments))
    };
    for (environment, name) in [(&here[..], "here"), (&there[..], "there")] {
        let made = halo(environment, &["key", "add", name, "--role", "operator", "--expires", "30d", "--json"]);
        assert_eq!(code(&made), Some(0), "{}", err(&made));
        let made: Value = serde_json::from_str(&out(&made)).expect("JSON");
        let key = made["key"].as_str().expect("the key").to_owned();
        let me = reqwest::Client::new().get(format!("{server}/api/v1/me")).bearer_auth(&key);
        let me: Value = me.send().await.expect("an answer").json().await.expect("JSON");
        assert_eq!((&me["name"], &me["role"]), (&name.into(), &"operator".into()));
        let id = made["id"].as_str().expect("an id");
        assert_eq!(code(&halo(environment, &["key", "revoke", id])), Some(0));
        let listed = out(&halo(environment, &["key", "list"]));
        assert!(listed.contains(name) && listed.contains("revoked") && !listed.contains(&key), "{listed}");
    }
    assert_eq!(code(&halo(&here, &["key", "add", "x", "--role", "root"])), Some(2));
    assert_eq!(code(&halo(&here, &["key", "revoke", "key_0000000000001"])), Some(1));

    let first = halo(&here, &["erase", &number(0, 1)]);
    assert_eq!((code(&first), out(&first).contains("in 1 campaigns, 1 tries")), (Some(0), true), "{}", out(&first));
    let again = halo(&there, &["erase", &number(0, 1)]);
    assert_eq!((code(&again), out(&again).contains("erased before")), (Some(0), true), "{}", err(&again));
    assert_eq!(code(&halo(&there, &["erase", &number(0, 2)])), Some(0));
    assert_eq!(code(&halo(&here, &["erase", &number(0, 9)])), Some(1), "nobody knows this number");
    let nonsense = halo(&here, &["erase", "12"]);
    assert_eq!(code(&nonsense), Some(2));
    // Who sat at the terminal, as the operating system knows him; the other lines are the server's.
    let lines = app.store.audited(&halo::store::AuditFilter::default(), None, 100).await.expect("the audit");
    for action in ["key.add", "key.revoke", "number.erase"] {
        let at_terminal = lines.iter().filter(|line| line.action == action && line.door == "cli").count();
        assert_eq!(at_terminal, 1, "{action}: {lines:?}");
    }
    let named = |actor: &str| actor.strip_prefix("terminal: ").is_some_and(|user| !user.is_empty());
    assert!(lines.iter().filter(|line| line.door == "cli").all(|line| named(&line.actor)), "{lines:?}");
    app.stop().await;
}

/// The guards: `who::line` in each verb of `cli/life.rs`, `who::note` behind those that write no line of their own.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_changed_at_the_terminal_stands_in_the_audit() {
    let place = Place::new(World { speed: 120.0, ..World::default() }).await;
    let app = place.serve().await;
    let folder = place.folder.path().to_owned();
    let database = place.database_url();
    // Nobody is due before the test is over.
    let list = csv([number(0, 1), number(0, 2)]);
    let dir = crate::campaign(&folder, "noted", &settings("noted", "mode = \"greeting\""), list.as_bytes());
    let further = folder.join("further.csv");
    std::fs::write(&further, csv([number(0, 3)])).expect("a list");
    let further = further.display().to_string();
    let halo = |arguments: &[&str]| -> Output {
        tokio::task::block_in_place(|| run(&folder, &[("DATABASE_URL", database.as_str())], arguments))
    };
    let verbs: [(&[&str], &str); 12] = [
        (&["campaign", "import", &dir], "campaign.import"),
        (&["campaign", "pause", "--all"], "account.pause"),
        (&["campaign", "start", "noted", "--by", "Anna"], "run.start"),
        (&["campaign", "append", "noted", &further], "campaign.append"),
        (&["campaign", "set", "noted", "dial.cps=3"], "campaign.settings"),
        (&["campaign", "pause", "noted", "--reason", "lunch"], "run.pause"),
        (&["campaign", "resume", "noted"], "run.resume"),
        (&["campaign", "stop", "noted"], "run.stop"),
        // A run that drains while nobody is called is over at once: nothing about this run may come behind.
        (&["campaign", "start", "noted", "--by", "Anna"], "run.start"),
        (&["campaign", "drain", "noted"], "run.drain"),
        (&["campaign", "clone", "noted", "noted again"], "campaign.clone"),
        (&["campaign", "resume", "--all"], "account.resume"),
    ];
    for (verb, _) in &verbs {
        let done = halo(verb);
        assert_eq!(code(&done), Some(0), "{verb:?}: {}{}", out(&done), err(&done));
    }
    let lines = app.store.audited(&halo::store::AuditFilter::default(), None, 100).await.expect("the audit");
    let told: Vec<&str> = lines.iter().rev().map(|line| line.action.as_str()).collect();
    assert_eq!(told, verbs.map(|(_, action)| action), "each once, in their order");
    assert!(lines.iter().all(|line| line.door == "cli" && line.actor.starts_with("terminal: ")), "{lines:?}");
    let paused = lines.iter().find(|line| line.action == "run.pause").expect("its line");
    assert!(paused.detail.contains("lunch") && paused.subject_type.as_deref() == Some("run"), "{paused:?}");
    // The same list once more changes nothing, and says nothing.
    assert_eq!(code(&halo(&["campaign", "append", "noted", &further])), Some(0));
    let again = app.store.audited(&halo::store::AuditFilter::default(), None, 100).await.expect("the audit");
    assert_eq!(again.len(), lines.len());
    app.stop().await;
}

/// The guards: the signature, the row behind it, and its expiry, which `tests/http/links.rs` tries one by one.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_report_is_shared_here_and_elsewhere() {
    let place = Place::new(World { speed: 120.0, ..World::default() }).await;
    let app = place.serve().await;
    whole_run(&app, &settings("shown about", "mode = \"greeting\""), &csv([number(0, 1)])).await;
    let (folder, database) = (place.folder.path().to_owned(), place.database_url());
    let (server, listen) = (format!("http://{}", app.address), app.address.to_string());
    let here = [("DATABASE_URL", database.as_str()), ("HALO_LISTEN", listen.as_str())];
    let there = [("HALO_URL", server.as_str()), ("API_AUTH_KEY", KEY)];
    let halo = |environment: &[(&str, &str)], more: &[&str]| -> Output {
        let arguments = [&["report", "shown about", "--share"], more].concat();
        tokio::task::block_in_place(|| run(&folder, environment, &arguments))
    };
    for environment in [&here[..], &there[..]] {
        let made = halo(environment, &["--days", "2", "--lang", "ru"]);
        assert_eq!(code(&made), Some(0), "{}", err(&made));
        let link = out(&made).trim().to_owned();
        assert!(link.starts_with(&format!("{server}/shared/shr_")), "{link}");
        let shown = reqwest::get(&link).await.expect("an answer");
        assert_eq!(shown.status(), 200);
        let shown = shown.text().await.expect("a page");
        assert!(shown.contains("lang=\"ru\"") && !shown.contains(&number(0, 1)[1..]), "in Russian, numbers masked");
        let told: Value = serde_json::from_str(&out(&halo(environment, &["--format", "json"]))).expect("JSON");
        assert_eq!((told["share"]["lang"].as_str(), told["share"]["state"].as_str()), (Some("en"), Some("good")));
        assert_eq!(code(&halo(environment, &["--days", "31"])), Some(1), "thirty at most");
        assert_eq!(code(&halo(environment, &["--out", "x"])), Some(2), "a link is no file");
    }
    app.stop().await;
}
