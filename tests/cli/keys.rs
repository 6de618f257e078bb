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
    app.stop().await;
}
