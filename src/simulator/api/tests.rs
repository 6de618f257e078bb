//! The Management API as its clients meet it.

use serde_json::{Value, json};

use crate::simulator::tests::{Bench, quiet};
use crate::simulator::{Settings, SimulatorError, start};

fn code(answer: &Value) -> u64 {
    answer["error"]["code"].as_u64().unwrap_or(0)
}

#[tokio::test]
async fn errors_come_with_success() {
    let bench = Bench::open(quiet(1.0)).await;
    assert_eq!(code(&bench.ask("GetActiveSessions", &[]).await), 103);
    let url = bench.running.url();
    let client = reqwest::Client::builder().no_proxy().build().expect("a plain client");
    let get = async |query: &str| -> Value {
        let answer = client.get(format!("{url}{query}")).send().await.expect("an answer");
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "application/json");
        answer.json().await.expect("JSON")
    };
    assert_eq!(code(&get("?account_id=7&api_key=key").await), 102);
    assert_eq!(code(&get("/GetRules/?account_id=7&api_key=other").await), 100);
    assert_eq!(code(&get("/GetRules?account_id=8&api_key=key").await), 100);
    assert_eq!(code(&get("/GetRules").await), 100);
    let told = get("/GetApplications/?account_id=7&api_key=key").await;
    assert_eq!(told["result"][0]["application_name"], "halo-demo.acc7.voximplant.com");
    assert_eq!((&told["count"], &told["total_count"]), (&json!(1), &json!(1)));
    // All in one form, as the vendor's Node client sends it: `cmd` and fields as multipart.
    let edge = "edge";
    let fields = [("cmd", "GetAccountInfo"), ("account_id", "7"), ("api_key", "key"), ("return_live_balance", "True")];
    let mut body: String = fields
        .iter()
        .map(|(name, value)| format!("--{edge}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"))
        .collect();
    body.push_str(&format!("--{edge}--\r\n"));
    let kind = format!("multipart/form-data; boundary={edge}");
    let sent = client.post(&url).header("Content-Type", kind).body(body).send().await.expect("an answer");
    let told: Value = sent.json().await.expect("JSON");
    assert_eq!(told["result"]["account_name"], "acc7");
    bench.running.stop().await;
}

#[tokio::test]
async fn what_is_deployed_is_there() {
    let mut bench = Bench::open(quiet(1000.0)).await;
    let application = bench.application.to_string();
    let of = ("application_id", application.as_str());
    let start = async |bench: &Bench, rule: &str| code(&bench.ask("StartScenarios", &[("rule_id", rule)]).await);
    assert_eq!(start(&bench, "999").await, 147);
    assert_eq!(start(&bench, "voice_dialog_rule").await, 147);
    assert_eq!(code(&bench.ask("StartScenarios", &[]).await), 134);
    assert_eq!(code(&bench.ask("StartScenarios", &[("rule_name", "none"), of]).await), 156);
    let made = bench.ask("AddRule", &[of, ("rule_name", "bare"), ("rule_pattern", ".*"), ("scenario_name", "")]).await;
    assert_eq!(start(&bench, &made["rule_id"].to_string()).await, 375);
    assert_eq!(code(&bench.ask("AddRule", &[of, ("rule_name", "bare"), ("rule_pattern", ".*")]).await), 175);
    assert_eq!(code(&bench.ask("AddApplication", &[("application_name", "halo-demo")]).await), 129);
    assert_eq!(code(&bench.ask("AddApplication", &[("application_name", "Halo_Demo")]).await), 107);

    bench.rule("first", "Logger.write(VoxEngine.getSecretValue('KEY')); const A = 1;").await;
    assert_eq!(code(&bench.ask("AddScenario", &[("scenario_name", "first_s"), ("scenario_script", "")]).await), 133);
    let found = bench.ask("GetScenarios", &[("scenario_name", "FIRST"), ("with_script", "true")]).await;
    assert_eq!(found["result"][0].get("scenario_script"), None, "the script comes only with an id");
    let id = found["result"][0]["scenario_id"].to_string();
    let found = bench.ask("GetScenarios", &[("scenario_id", &id), ("with_script", "true")]).await;
    assert!(found["result"][0]["scenario_script"].as_str().is_some_and(|text| text.contains("getSecretValue")));

    // A second scenario of the same rule shares its global scope.
    let second = bench
        .ask(
            "AddScenario",
            &[("scenario_name", "b"), ("scenario_script", "Logger.write(`b ${A}`); VoxEngine.terminate();")],
        )
        .await;
    let second = second["scenario_id"].to_string();
    bench.ask("BindScenario", &[("scenario_id", &second), ("rule_name", "first"), of, ("bind", "True")]).await;
    let rules = bench.ask("GetRules", &[of, ("rule_name", "first"), ("with_scenarios", "true")]).await;
    let bound = rules["result"][0]["scenarios"].as_array().expect("scenarios");
    assert_eq!(bound.iter().map(|it| it["scenario_name"].as_str()).collect::<Vec<_>>(), [Some("first_s"), Some("b")]);
    let secret = [of, ("secret_name", "KEY"), ("secret_value", "one")];
    bench.ask("AddSecret", &secret).await;
    assert_eq!(code(&bench.ask("AddSecret", &secret).await), 493);
    bench.ask("SetSecretInfo", &[of, ("secret_name", "KEY"), ("secret_value", "two")]).await;
    assert_eq!(bench.ask("GetSecretValue", &[of, ("secret_name", "KEY")]).await["result"]["secret_value"], "two");
    let (session, log) = bench.run("first", "").await;
    assert!(log.contains("two") && log.contains("b 1"), "{log}");
    assert_eq!(session.get("custom_data"), None, "what has no value is left out");
    bench.running.stop().await;
}

#[tokio::test]
async fn history_is_read_by_ids_dates_and_pages() {
    let mut bench = Bench::open(quiet(1000.0)).await;
    bench.rule("one", "VoxEngine.terminate();").await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        let (session, _) = bench.run("one", "x").await;
        ids.push(session["call_session_history_id"].to_string());
    }
    let all = ids.join(";");
    let page = [("call_session_history_id", all.as_str()), ("count", "2"), ("offset", "1"), ("with_calls", "true")];
    let told = bench.ask("GetCallHistory", &page).await;
    assert_eq!((&told["count"], &told["total_count"]), (&json!(2), &json!(3)));
    assert_eq!(told["result"][0]["call_session_history_id"].to_string(), ids[1]);
    assert_eq!(told["result"][0]["calls"], json!([]));
    assert_eq!(code(&bench.ask("GetCallHistory", &[("call_session_history_id", "12")]).await), 150);
    assert_eq!(code(&bench.ask("GetCallHistory", &[("call_session_history_id", &ids.join(","))]).await), 150);
    let dates = [("from_date", "2001-01-01 00:00:00"), ("to_date", "2001-01-02 00:00:00")];
    assert_eq!(bench.ask("GetCallHistory", &dates).await["total_count"], 0);
    let outside = [("call_session_history_id", ids[0].as_str()), dates[0], dates[1]];
    assert_eq!(code(&bench.ask("GetCallHistory", &outside).await), 150);
    bench.running.stop().await;
}

#[tokio::test]
async fn trouble_at_the_start_is_what_it_is_called() {
    for (mischief, sessions) in [
        ("start_429=1", 0),
        ("start_5xx=1", 0),
        ("start_127=1", 0),
        ("start_314=1", 0),
        ("start_340=1", 0),
        ("start_slow=1", 1),
        ("start_reply_lost=1", 1),
        ("start_twice=1", 2),
    ] {
        let settings = Settings { mischief: mischief.parse().expect("known"), ..quiet(1000.0) };
        let mut bench = Bench::open(settings).await;
        bench.rule("one", "VoxEngine.terminate();").await;
        let form = [("account_id", "7"), ("api_key", "key"), ("rule_id", &bench.rules["one"].to_string())];
        let client = reqwest::Client::builder().no_proxy().build().expect("a plain client");
        let sent = client.post(format!("{}/StartScenarios", bench.running.url())).form(&form).send().await;
        let status = sent.as_ref().map_or(0, |answer| answer.status().as_u16());
        let body = match sent {
            Ok(answer) => answer.bytes().await,
            Err(broken) => Err(broken),
        };
        let refused = |code| {
            body.as_ref().is_ok_and(|body| body.starts_with(format!("{{\"error\":{{\"code\":{code},").as_bytes()))
        };
        match mischief {
            "start_127=1" => assert!(refused(127)),
            "start_314=1" => assert!(refused(314)),
            "start_340=1" => assert!(refused(340)),
            "start_429=1" => assert_eq!(status, 429),
            "start_5xx=1" => assert_eq!(status, 503),
            "start_reply_lost=1" => assert!(body.is_err()),
            _ => assert!(body.is_ok()),
        }
        let ledger = bench.get("/simulator/starts").await;
        assert_eq!(ledger.lines().filter(|line| line.contains("session_id")).count(), sessions, "{mischief}: {ledger}");
        bench.running.stop().await;
    }
}

#[tokio::test]
async fn it_listens_on_loopback_only() {
    let listen = "0.0.0.0:0".parse().expect("an address");
    assert!(matches!(start(Settings { listen, ..Settings::default() }).await, Err(SimulatorError::NotLoopback(_))));
    assert!(matches!(start(Settings { speed: 0.0, ..Settings::default() }).await, Err(SimulatorError::Speed(_))));
}
