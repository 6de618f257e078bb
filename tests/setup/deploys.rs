//! Deploying to the simulator: numbers, other people's scenarios, and nothing the second time.

use crate::harness::{Place, World};
use crate::{RENTED, ask, door};
use halo::app;
use halo::config::Config;
use halo::domain::Timestamp;
use halo::voximplant::{Change, Client, Connection, Credentials, DeployError, Modes, Sources, Wanted};
use serde_json::{Value, json};
use std::sync::Arc;

fn told(changes: &[Change]) -> Vec<&str> {
    changes.iter().map(|change| change.sentence.as_str()).collect()
}

async fn rule(place: &Place, name: &str) -> Value {
    let at = place.simulator.address();
    let application = ask(at, "GetApplications", &[]).await["result"][0]["application_id"].to_string();
    let params = [("application_id", application.as_str()), ("rule_name", name), ("with_scenarios", "true")];
    ask(at, "GetRules", &params).await["result"][0].clone()
}

fn names(rule: &Value) -> Vec<String> {
    let scenarios = rule["scenarios"].as_array().cloned().unwrap_or_default();
    scenarios.iter().map(|scenario| scenario["scenario_name"].as_str().unwrap_or_default().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_number_is_bound_once_and_a_stranger_s_is_refused() {
    let place = Place::new(World::default()).await;
    let config = place.config();
    let number = || vec![RENTED.parse().unwrap()];
    let dry = app::deploy(&config, number(), true).await.unwrap();
    assert_eq!(told(&dry.changes).last(), Some(&"bind number +…67 to rule OutboundCallRule"));
    assert!(dry.to_string().contains("would bind number +…67") && !dry.to_string().contains("4951234567"));
    let nothing = ask(place.simulator.address(), "GetApplications", &[]).await;
    assert_eq!(nothing["total_count"], 0, "a dry run changes nothing");

    let first = app::deploy(&config, number(), false).await.unwrap();
    assert_eq!(told(&first.changes), told(&dry.changes));
    let bound = ask(place.simulator.address(), "GetPhoneNumbers", &[]).await["result"][0].clone();
    assert_eq!(bound["rule_name"], "OutboundCallRule");
    let second = app::deploy(&config, number(), false).await.unwrap();
    assert_eq!(second.changes, []);
    assert!(second.to_string().starts_with("nothing to change\n"), "{second}");
    let told_to_programs = second.json();
    assert_eq!(told_to_programs["env"]["VOXIMPLANT_RULE_ID"], bound["rule_id"].to_string());
    assert_eq!(told_to_programs["changes"], json!([]));

    door(place.simulator.address(), "numbers", json!({ "number": "79990000055" })).await;
    let refused = app::deploy(&config, vec!["+79990000099".parse().unwrap()], false).await.unwrap_err();
    let refused = format!("{refused:#}");
    assert!(refused.ends_with("the account does not own +…99; it owns +…67, +…55"), "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scenarios_of_the_account_run_before_ours_in_their_order() {
    let place = Place::new(World::default()).await;
    let at = place.simulator.address();
    let (account, key) = Config::simulated_account();
    let client = |before: &str| {
        let text = Sources::built_in().read("modes.toml").unwrap();
        let entry = "file = \"scenario_greeting.js\"";
        let modes = Modes::read(&text.replace(entry, &format!("{entry}\nbefore = {before}")), &|_| None).unwrap();
        let connection = Connection {
            url: place.simulator.url(),
            account: account.clone(),
            credentials: Credentials::Key(key.clone()),
            application: None,
            application_name: "halo-demo".into(),
            backend_url: "http://127.0.0.1:1".into(),
            modes,
        };
        Client::new(connection, Arc::new(|| Timestamp(1_790_000_000_000))).unwrap()
    };
    let wanted = || Wanted { sources: Sources::built_in(), secrets: Vec::new(), numbers: Vec::new(), dry_run: false };
    let deploy = async |before: &str| client(before).deploy(&wanted()).await;

    let missing = deploy("[\"ours\"]").await;
    assert!(matches!(&missing, Err(DeployError::NoSuchScenario { name, .. }) if name == "ours"), "{missing:?}");
    assert_eq!(ask(at, "GetApplications", &[]).await["total_count"], 0, "it was refused before anything was made");

    for name in ["ours", "theirs"] {
        ask(at, "AddScenario", &[("scenario_name", name), ("scenario_script", "// helpers")]).await;
    }
    deploy("[\"ours\"]").await.unwrap();
    assert_eq!(names(&rule(&place, "OutboundCallRule").await), ["ours", "OutboundCallWithAI"]);
    assert_eq!(deploy("[\"ours\"]").await.unwrap().changes, []);

    // One more, which the platform puts at the end.
    let done = deploy("[\"theirs\", \"ours\"]").await.unwrap();
    assert_eq!(
        told(&done.changes),
        ["bind scenario theirs to rule OutboundCallRule", "put the scenarios of rule OutboundCallRule in order"]
    );
    assert_eq!(names(&rule(&place, "OutboundCallRule").await), ["theirs", "ours", "OutboundCallWithAI"]);
    assert_eq!(deploy("[\"theirs\", \"ours\"]").await.unwrap().changes, []);

    // Somebody changes their order; and one is not wanted any more.
    let done = deploy("[\"ours\", \"theirs\"]").await.unwrap();
    assert_eq!(told(&done.changes), ["put the scenarios of rule OutboundCallRule in order"]);
    let done = deploy("[\"theirs\"]").await.unwrap();
    assert_eq!(done.changes.len(), 1, "{done}");
    assert_eq!(names(&rule(&place, "OutboundCallRule").await), ["theirs", "OutboundCallWithAI"]);
    assert_eq!(names(&rule(&place, "voice_dialog_rule").await), ["voice_dialog"]);

    let clash = Sources::built_in()
        .read("modes.toml")
        .unwrap()
        .replace("[[mode]]\nname = \"greeting\"", "[[mode]]\nname = \"greeting\"\nbefore = [\"OutboundCallWithAI\"]");
    assert!(Modes::read(&clash, &|_| None).is_err(), "its own scenario is not before it");
}
