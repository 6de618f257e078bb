//! Rules, their scenarios, and what the account owns, as the vendor's tools meet them.

use serde_json::{Value, json};

use crate::simulator::tests::{Bench, quiet};

fn code(answer: &Value) -> u64 {
    answer["error"]["code"].as_u64().unwrap_or(0)
}

async fn door(bench: &Bench, name: &str, state: Value) -> u16 {
    let url = format!("http://{}/simulator/{name}", bench.running.address());
    let client = reqwest::Client::builder().no_proxy().build().expect("a plain client");
    client.post(url).body(state.to_string()).send().await.expect("an answer").status().as_u16()
}

#[tokio::test]
async fn rules_and_their_scenarios_are_changed_and_put_in_order() {
    let mut bench = Bench::open(quiet(1000.0)).await;
    bench.rule("one", "// one").await;
    bench.rule("two", "// two").await;
    let (one, two) = (bench.rules["one"].to_string(), bench.rules["two"].to_string());
    let application = bench.application.to_string();
    let of = ("application_id", application.as_str());
    let add = bench.ask("AddScenario", &[("scenario_name", "lib"), ("scenario_script", "// lib")]).await;
    let lib = add["scenario_id"].to_string();
    let long = "r".repeat(100);
    for (method, params, expected) in [
        ("SetRuleInfo", vec![], 134),
        ("SetRuleInfo", vec![("rule_id", "999")], 147),
        ("SetRuleInfo", vec![("rule_id", one.as_str()), ("rule_name", "two")], 175),
        ("SetRuleInfo", vec![("rule_id", one.as_str()), ("rule_name", long.as_str())], 156),
        ("SetRuleInfo", vec![("rule_id", one.as_str()), ("rule_name", "one")], 0),
        ("ReorderScenarios", vec![("rule_id", one.as_str())], 134),
        ("ReorderScenarios", vec![("rule_id", "999"), ("scenario_id", lib.as_str())], 147),
        ("ReorderScenarios", vec![("rule_id", one.as_str()), ("scenario_id", "999")], 132),
        ("ReorderScenarios", vec![("rule_id", one.as_str()), ("scenario_id", lib.as_str())], 132),
        ("BindScenario", vec![("rule_id", one.as_str())], 134),
        ("BindScenario", vec![("rule_id", one.as_str()), ("scenario_id", lib.as_str()), ("bind", "true")], 0),
        ("ReorderScenarios", vec![("rule_id", one.as_str()), ("scenario_name", "lib;one_s")], 0),
        ("ReorderRules", vec![], 134),
        ("ReorderRules", vec![("rule_id", "999")], 147),
        ("ReorderRules", vec![("rule_id", "1,2")], 101),
    ] {
        assert_eq!(code(&bench.ask(method, &params).await), expected, "{method} {params:?}");
    }
    let rules = bench.ask("GetRules", &[of, ("with_scenarios", "true")]).await;
    let scenarios = rules["result"][0]["scenarios"].as_array().expect("scenarios");
    assert_eq!(
        scenarios.iter().map(|it| it["scenario_name"].as_str()).collect::<Vec<_>>(),
        [Some("lib"), Some("one_s")]
    );
    bench.ask("ReorderRules", &[("rule_id", &format!("{two};{one}"))]).await;
    let rules = bench.ask("GetRules", &[of]).await;
    assert_eq!((&rules["result"][0]["rule_name"], &rules["result"][1]["rule_name"]), (&json!("two"), &json!("one")));
    for (params, expected) in [
        (vec![], 134),
        (vec![("rule_id", "999")], 147),
        (vec![of, ("rule_name", "three")], 156),
        (vec![of, ("rule_name", "one;two")], 0),
    ] {
        assert_eq!(code(&bench.ask("DelRule", &params).await), expected, "{params:?}");
    }
    assert_eq!(bench.ask("GetRules", &[of]).await["total_count"], 0);
    bench.running.stop().await;
}

#[tokio::test]
async fn the_account_is_what_the_doors_make_of_it() {
    let mut bench = Bench::open(quiet(1000.0)).await;
    bench.rule("one", "VoxEngine.terminate();").await;
    let rule = bench.rules["one"].to_string();
    let start = async |bench: &Bench| code(&bench.ask("StartScenarios", &[("rule_id", rule.as_str())]).await);
    for (state, expected) in [
        (json!({ "active": false }), 131),
        (json!({ "active": true, "frozen": true }), 127),
        (json!({ "frozen": false }), 0),
    ] {
        assert_eq!(door(&bench, "account", state.clone()).await, 200);
        assert_eq!(start(&bench).await, expected, "{state}");
    }
    door(&bench, "account", json!({ "balance": -1.5, "currency": "RUB" })).await;
    let told = bench.ask("GetAccountInfo", &[]).await;
    assert_eq!((&told["result"]["live_balance"], &told["result"]["currency"]), (&json!(-1.5), &json!("RUB")));
    for (name, state) in [("account", json!({ "balance": "much" })), ("numbers", json!({})), ("caller-ids", json!([]))]
    {
        assert_eq!(door(&bench, name, state).await, 400, "{name}");
    }

    let application = bench.application.to_string();
    let of = ("application_id", application.as_str());
    let number = ("phone_number", "74951234567");
    for (params, expected) in [
        (vec![of, number, ("rule_id", "999")], 147),
        (vec![of, number, ("rule_name", "three")], 156),
        (vec![of, ("phone_number", "79990000001"), ("rule_id", rule.as_str())], 181),
        (vec![of, number, ("rule_name", "one")], 0),
    ] {
        assert_eq!(code(&bench.ask("BindPhoneNumberToApplication", &params).await), expected, "{params:?}");
    }
    assert_eq!(bench.ask("GetPhoneNumbers", &[]).await["result"][0]["rule_name"], "one");
    door(&bench, "caller-ids", json!({ "number": "+79990000017", "active": false })).await;
    assert_eq!(bench.ask("GetCallerIDs", &[("active", "true")]).await["total_count"], 0);
    assert_eq!(bench.ask("GetCallerIDs", &[("active", "false")]).await["result"][0]["callerid_number"], "79990000017");
    door(&bench, "sip-registrations", json!({ "proxy": "sip.example.com", "successful": false })).await;
    let sip = bench.ask("GetSipRegistrations", &[("successful", "false")]).await;
    assert_eq!(
        (&sip["result"][0]["proxy"], &sip["result"][0]["status_code"]),
        (&json!("sip.example.com"), &json!(403))
    );
    let price = [("resource_type", "PSTNOUT"), ("resource_param", "79990000001")];
    let group = bench.ask("GetResourcePrice", &price).await["result"][0]["price_groups"].clone();
    assert_eq!((group.as_array().map(Vec::len), &group[0]["price_group_name"]), (Some(1), &json!("Russia Mobile")));
    bench.running.stop().await;
}
