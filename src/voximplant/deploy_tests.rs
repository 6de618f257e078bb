//! What deploying does to a platform that keeps what it is given.

use super::tests::{Asked, platform};
use super::{Deployed, Modes, Sources, Wanted};
use secrecy::SecretString;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

fn is(held: &Value, asked: &str) -> bool {
    held.as_i64() == asked.parse().ok()
}

/// A platform that keeps what is deployed to it.
#[derive(Default)]
struct Kept {
    applications: Vec<Value>,
    scenarios: Vec<Value>,
    rules: Vec<Value>,
    secrets: Vec<Value>,
}

fn keeps(kept: &Mutex<Kept>, method: &str, asked: &Asked) -> Value {
    let mut kept = kept.lock().unwrap();
    let kept = &mut *kept;
    let named = |rows: &[Value], field: &str| -> Vec<Value> {
        rows.iter()
            .filter(|row| {
                asked.get(field).is_none_or(|part| row[field].as_str().is_some_and(|name| name.contains(part.as_str())))
            })
            .cloned()
            .collect()
    };
    match method {
        "GetApplications" => json!({ "result": named(&kept.applications, "application_name") }),
        "AddApplication" => {
            let name = format!("{}.acme.voximplant.com", asked["application_name"]);
            kept.applications.push(json!({ "application_id": 77, "application_name": name }));
            json!({ "result": 1, "application_id": 77, "application_name": name })
        }
        "GetScenarios" => match asked.get("scenario_id") {
            Some(id) => {
                json!({ "result": kept.scenarios.iter().filter(|s| is(&s["scenario_id"], id)).collect::<Vec<_>>() })
            }
            None => json!({ "result": named(&kept.scenarios, "scenario_name") }),
        },
        "AddScenario" => {
            let id = 100 + kept.scenarios.len();
            kept.scenarios.push(json!({ "scenario_id": id, "scenario_name": asked["scenario_name"], "scenario_script": asked["scenario_script"] }));
            json!({ "result": 1, "scenario_id": id })
        }
        "SetScenarioInfo" => {
            let held = kept.scenarios.iter_mut().find(|s| is(&s["scenario_id"], &asked["scenario_id"])).unwrap();
            held["scenario_script"] = json!(asked["scenario_script"]);
            json!({ "result": 1 })
        }
        "GetRules" => json!({ "result": named(&kept.rules, "rule_name") }),
        "AddRule" => {
            let id = 500 + kept.rules.len();
            let scenario: i64 = asked["scenario_id"].parse().unwrap();
            kept.rules.push(
                json!({ "rule_id": id, "rule_name": asked["rule_name"], "scenarios": [{ "scenario_id": scenario }] }),
            );
            json!({ "result": 1, "rule_id": id })
        }
        "GetSecrets" => json!({ "result": named(&kept.secrets, "secret_name") }),
        "AddSecret" => {
            kept.secrets.push(json!({ "secret_id": 900 + kept.secrets.len(), "secret_name": asked["secret_name"], "secret_value": asked["secret_value"] }));
            json!({ "result": { "secret_id": 1 } })
        }
        "GetSecretValue" => {
            let held = kept.secrets.iter().find(|s| is(&s["secret_id"], &asked["secret_id"])).unwrap();
            json!({ "result": { "secret_value": held["secret_value"] } })
        }
        "SetSecretInfo" => {
            let held = kept.secrets.iter_mut().find(|s| is(&s["secret_id"], &asked["secret_id"])).unwrap();
            held["secret_value"] = json!(asked["secret_value"]);
            json!({ "result": 1 })
        }
        other => json!({ "error": { "code": 103, "msg": format!("unknown {other}") } }),
    }
}

fn told(done: &Deployed) -> Vec<&str> {
    done.changes.iter().map(|change| change.sentence.as_str()).collect()
}

#[tokio::test]
async fn deploying_twice_changes_nothing_the_second_time() {
    let kept = Arc::new(Mutex::new(Kept::default()));
    let held = kept.clone();
    let (_, mut client) = platform(move |method, asked| (200, keeps(&held, method, asked))).await;
    client.connection_mut().application = None;
    let wanted = |dry_run, backend: &str| Wanted {
        sources: Sources::built_in(),
        secrets: vec![
            ("HALO_BACKEND_URL".into(), SecretString::from(backend.to_owned())),
            ("HALO_INBOUND_TOKEN".into(), SecretString::from("inbound-secret")),
        ],
        numbers: Vec::new(),
        dry_run,
    };
    let dry = client.deploy(&wanted(true, "https://halo.example")).await.unwrap();
    assert_eq!(dry.changes.len(), 1 + 5 + 5 + 2);
    assert!(kept.lock().unwrap().applications.is_empty(), "a dry run changes nothing");

    let first = client.deploy(&wanted(false, "https://halo.example")).await.unwrap();
    assert_eq!(first.changes, dry.changes);
    let missing: Vec<&str> = first.missing_secrets.iter().map(|(mode, _)| mode.as_str()).collect();
    assert_eq!(missing, ["realtime", "realtime_pure", "realtime_stream"]);
    let shown = first.to_string();
    assert!(shown.contains("VOXIMPLANT_APPLICATION_ID=77\nVOXIMPLANT_RULE_ID=504\n"), "{shown}");
    assert!(!shown.contains("inbound-secret"));

    let second = client.deploy(&wanted(false, "https://halo.example")).await.unwrap();
    assert_eq!(second.changes, []);
    assert!(second.to_string().starts_with("nothing to change\n"));

    kept.lock().unwrap().scenarios[0]["scenario_script"] = json!("somebody edited it");
    let third = client.deploy(&wanted(false, "https://moved.example")).await.unwrap();
    assert_eq!(told(&third), ["update scenario voice_dialog", "change secret HALO_BACKEND_URL"]);
}

/// What the platform would refuse is refused before anything is sent.
#[tokio::test]
async fn what_cannot_be_taken_is_refused_before_anything_is_sent() {
    let folder = tempfile::TempDir::new().unwrap();
    let scenarios = folder.path().join("voximplant");
    std::fs::create_dir(&scenarios).unwrap();
    let mode = |scenario: &str, rule: &str, file: &str| {
        format!(
            "[[mode]]\nname = \"greeting\"\nsummary = \"s\"\nscenario = \"{scenario}\"\nrule = \"{rule}\"\nfile = \"{file}\"\n"
        )
    };
    std::fs::write(scenarios.join("fits.js"), "x".repeat(128 * 1024 - 2)).unwrap();
    std::fs::write(scenarios.join("long.js"), "x".repeat(128 * 1024 - 1)).unwrap();
    let (long_scenario, long_rule) = ("s".repeat(30), "r".repeat(100));
    let longest = mode(&"s".repeat(29), &"r".repeat(99), "fits.js");
    for (modes, name, says) in [
        (longest.clone(), "a-1", None),
        (longest.clone(), "a", Some("application `a`: the provider takes a lower-case letter, then 1 to 64")),
        (longest.clone(), "halo_demo", Some("application `halo_demo`")),
        (longest.clone(), "Halo", Some("application `Halo`")),
        (longest.clone(), "1halo", Some("application `1halo`")),
        (longest.replace("fits", "long"), "halo", Some("long.js takes 131072 bytes")),
        (
            mode(&long_scenario, "r", "fits.js"),
            "halo",
            Some("of mode `greeting` has 30 characters; the provider takes fewer than 30"),
        ),
        (mode("s", &long_rule, "fits.js"), "halo", Some("has 100 characters; the provider takes fewer than 100")),
    ] {
        std::fs::write(scenarios.join("modes.toml"), &modes).unwrap();
        let sent = Arc::new(Mutex::new(0));
        let count = sent.clone();
        let (_, mut client) = platform(move |_, _| {
            *count.lock().unwrap() += 1;
            (200, json!({ "result": [] }))
        })
        .await;
        let connection = client.connection_mut();
        (connection.application, connection.application_name) = (None, name.to_owned());
        connection.modes = Modes::read(&modes, &|_| None).unwrap();
        let sources = Sources::beside(folder.path());
        let wanted = Wanted { sources, secrets: Vec::new(), numbers: Vec::new(), dry_run: true };
        let done = client.deploy(&wanted).await;
        match says {
            None => assert!(done.is_ok(), "{done:?}"),
            Some(says) => {
                let said = done.unwrap_err().to_string();
                assert!(said.contains(says), "{said}");
                assert_eq!(*sent.lock().unwrap(), 0, "{said}");
            }
        }
    }
}
