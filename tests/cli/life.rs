//! The same at the terminal, beside the process that dials.

use crate::harness::{KEY, Place, World, csv, number, settings, take_in};
use crate::{code, err, out, run};
use std::process::Output;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_campaign_is_steered_from_the_terminal() {
    steered(Door::Rows).await;
}

/// The guard: what each verb does where HALO_URL names a server. Without it the rows of this machine are changed, of
/// which there are none here.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_campaign_is_steered_at_a_server_elsewhere() {
    steered(Door::Api).await;
}

#[derive(Clone, Copy, PartialEq)]
enum Door {
    Rows,
    Api,
}

async fn steered(door: Door) {
    let place = Place::new(World { speed: 120.0, ..World::default() }).await;
    let app = place.serve().await;
    let slow = settings("steered", "mode = \"greeting\"").replace("cps = 20", "cps = 0.02");
    take_in(&app, &slow, &csv((0..12).map(|ending| number(0, ending)))).await;
    let (folder, database) = (place.folder.path().to_owned(), place.database_url());
    let server = format!("http://{}", app.address);
    let environment = match door {
        Door::Rows => vec![("DATABASE_URL".to_owned(), database)],
        Door::Api => vec![("HALO_URL".to_owned(), server), ("API_AUTH_KEY".to_owned(), KEY.to_owned())],
    };
    let (actor, empty) = (if door == Door::Rows { "cli" } else { "api" }, crate::folder());
    let home = if door == Door::Rows { folder.clone() } else { empty.path().to_owned() };
    let halo = |arguments: &[&str]| -> Output {
        let arguments = [&["campaign"], arguments].concat();
        tokio::task::block_in_place(|| run(&home, &pairs(&environment), &arguments))
    };
    let done = |arguments: &[&str], words: &[&str]| {
        let output = halo(arguments);
        assert_eq!(code(&output), Some(0), "{arguments:?}: {}{}", out(&output), err(&output));
        for word in words {
            assert!(out(&output).contains(word), "{arguments:?} does not say `{word}`: {}", out(&output));
        }
    };
    assert_eq!(code(&halo(&["watch", "steered"])), Some(1), "nothing is open");
    done(&["start", "steered", "--hold-after", "2", "--by", "Anna", "--reason", "two first"], &["12 contacts"]);
    crate::until("it holds", async || {
        out(&halo(&["show", "steered"])).contains("held: 2 contacts were dialled").then_some(())
    })
    .await;
    done(&["show", "steered"], &[&format!("running ({actor}, Anna): two first"), "paused (halo): held: 2"]);
    done(&["pause", "--all", "--reason", "lunch"], &["Nobody is dialled any more: 1 runs are open"]);
    done(&["resume", "steered", "--reason", "go on"], &[": running; "]);
    done(&["set", "steered", "dial.cps=20", "retry.busy=[\"1m\"]"], &["version 2 now", "dial.cps"]);
    let refused = halo(&["set", "steered", "modes.dialog=1"]);
    assert_eq!((code(&refused), err(&refused).contains("clone the campaign")), (Some(1), true), "{}", err(&refused));
    assert_eq!(code(&halo(&["set", "steered", "dial.cps"])), Some(2));
    let more = folder.join("more.csv");
    std::fs::write(&more, csv([number(0, 1), number(1, 1)])).expect("a list");
    let more = more.display().to_string();
    done(
        &["append", "steered", &more],
        &["List 2: 2 rows = 1 accepted + 1 duplicate + 0 refused; they are called in run"],
    );
    done(&["clone", "steered", "again"], &["13 contacts"]);
    let watched = {
        let (home, environment) = (home.clone(), environment.clone());
        tokio::task::spawn_blocking(move || run(&home, &pairs(&environment), &["campaign", "watch", "steered"]))
    };
    done(&["resume", "--all"], &["Dialling goes on"]);
    let watched = watched.await.expect("it ends");
    assert_eq!(code(&watched), Some(0), "{}{}", out(&watched), err(&watched));
    assert!(out(&watched).contains(": completed; 13/13 contacts at rest"), "{}", out(&watched));

    done(&["start", "again", "--at", "2099-01-01T00:00:00Z"], &["13 contacts"]);
    done(&["list"], &["last: scheduled"]);
    done(&["stop", "again", "--hang-up", "--reason", "never mind"], &["0 calls were told to hang up"]);
    done(&["show", "again"], &[&format!("stopped ({actor}): never mind")]);
    done(&["start", "again", "--at", "2099-01-01T00:00:00Z"], &[]);
    done(&["drain", "again"], &["Run run_"]);
    assert_eq!(code(&halo(&["pause"])), Some(2), "whom?");
    assert_eq!(code(&halo(&["pause", "nobody"])), Some(1));
    assert_eq!(std::fs::read_dir(empty.path()).expect("a folder").count(), 0, "nothing was made there");
    app.stop().await;
}

fn pairs(environment: &[(String, String)]) -> Vec<(&str, &str)> {
    environment.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}
