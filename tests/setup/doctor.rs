//! Faults, put in one at a time: each turns its own line and no other.

use crate::front::{Front, Manner};
use crate::harness::{Place, World};
use crate::{RENTED, ask, door};
use halo::app::{self, App, ClockStart, open_store};
use halo::config::Config;
use halo::doctor::{Findings, Level, Patient};
use halo::domain::Timestamp;
use halo::simulator;
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// Lines that are not well, as `check level`.
fn turned(found: &Findings) -> Vec<String> {
    let turned = found.0.iter().filter(|finding| finding.level != Level::Ok);
    turned.map(|finding| format!("{} {}", finding.check, finding.level)).collect()
}

/// Names and values of a request.
type Params<'a> = Vec<(&'a str, &'a str)>;

struct Bench {
    place: Place,
    front: Front,
    config: Config,
    app: App,
}

impl Bench {
    async fn open() -> Self {
        let place = Place::new(World::default()).await;
        let front = Front::new().await;
        let config = Config { backend_url: Some(format!("http://{}", front.address)), ..place.config() };
        let store = open_store(&config).await.expect("the database opens");
        let clock = ClockStart { speed: 60.0, at: None };
        let app = App::start(&config, store, clock, simulator::Settings::default()).await.expect("the service starts");
        front.leads_to(app.address);
        let bench = Bench { place, front, config, app };
        bench.deploy(&bench.config).await;
        bench
    }

    fn simulator(&self) -> std::net::SocketAddr {
        self.place.simulator.address()
    }

    async fn deploy(&self, config: &Config) {
        app::deploy(config, vec![RENTED.parse().unwrap()], false).await.expect("it is deployed");
    }

    async fn patient(&self, config: &Config) -> Patient {
        app::patient(config).await.expect("settings are read").expect("a simulator beside")
    }

    async fn examine(&self) -> Findings {
        self.patient(&self.config).await.examine().await
    }

    async fn turns(&self, fault: &str, expected: &[&str]) {
        let found = self.examine().await;
        assert_eq!(turned(&found), expected, "{fault}:\n{found}");
        self.shows_nothing_secret(&found);
    }

    /// Numbers are masked, and nothing that opens a door is shown.
    fn shows_nothing_secret(&self, found: &Findings) {
        let shown = format!("{found}{}", found.json());
        for secret in
            ["74951234567", "4951234567", "79990000017", "simulated-account-no-secret", "simulated-model-no-secret"]
        {
            assert!(!shown.contains(secret), "{secret} is shown:\n{shown}");
        }
    }

    async fn is_clean(&self, after: &str) {
        self.turns(after, &[]).await;
    }

    /// The id that a list method gives the row of this name.
    async fn id(&self, method: &str, name: (&str, &str), id: &str) -> String {
        let application =
            ask(self.simulator(), "GetApplications", &[]).await["result"][0]["application_id"].to_string();
        let found = ask(self.simulator(), method, &[("application_id", &application), ("count", "1000")]).await;
        let row = found["result"].as_array().unwrap().iter().find(|row| row[name.0] == name.1).cloned();
        row.unwrap_or_else(|| panic!("{method}: no {name:?}"))[id].to_string()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_fault_of_the_account_turns_its_own_line() {
    let bench = Bench::open().await;
    bench.is_clean("a clean set-up").await;
    let at = bench.simulator();
    for (name, state, back, expected) in [
        ("account", json!({ "active": false }), json!({ "active": true }), "account failed"),
        ("account", json!({ "frozen": true }), json!({ "frozen": false }), "account failed"),
        ("account", json!({ "balance": 0 }), json!({ "balance": 100 }), "balance failed"),
        ("account", json!({ "balance": -3.5 }), json!({ "balance": 100 }), "balance failed"),
        // Less than half an hour at the price of a minute.
        ("account", json!({ "balance": 0.5 }), json!({ "balance": 100 }), "balance warning"),
        (
            "numbers",
            json!({ "number": RENTED, "deactivated": true }),
            json!({ "number": RENTED, "deactivated": false }),
            "caller_id failed",
        ),
        ("numbers", json!({ "number": RENTED, "remove": true }), json!({ "number": RENTED }), "caller_id failed"),
    ] {
        door(at, name, state.clone()).await;
        bench.turns(&state.to_string(), &[expected]).await;
        door(at, name, back).await;
        bench.deploy(&bench.config).await;
        bench.is_clean(&format!("after {state}")).await;
    }

    // A number that is verified instead of rented, for as long as it is.
    let verified = Config { caller_id: "+79990000017".parse().ok(), ..bench.config.clone() };
    for (active, expected) in [(true, vec![]), (false, vec!["caller_id failed"])] {
        door(at, "caller-ids", json!({ "number": "79990000017", "active": active })).await;
        let found = bench.patient(&verified).await.examine().await;
        assert_eq!(turned(&found), expected, "verified: {active}\n{found}");
        bench.shows_nothing_secret(&found);
    }
    // One that nobody owns: those that may be used are named, masked.
    door(at, "caller-ids", json!({ "number": "79990000017", "remove": true })).await;
    let found = bench.patient(&verified).await.examine().await;
    assert_eq!(turned(&found), ["caller_id failed"], "{found}");
    assert!(found.to_string().contains("its own (+…67)"), "{found}");

    let mut wrong = bench.config.clone();
    if let halo::config::PlatformConfig::At { credentials, .. } = &mut wrong.platform {
        *credentials = halo::voximplant::Credentials::Key("another-key".to_owned().into());
    }
    let found = bench.patient(&wrong).await.examine().await;
    assert_eq!(turned(&found), ["credentials failed"], "{found}");
    assert!(!found.to_string().contains("another-key"), "{found}");
    bench.app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_fault_of_what_was_deployed_turns_its_own_line() {
    let bench = Bench::open().await;
    let at = bench.simulator();
    let application = ask(at, "GetApplications", &[]).await["result"][0]["application_id"].to_string();
    let of = ("application_id", application.as_str());
    let rule = bench.id("GetRules", ("rule_name", "voice_dialog_rule"), "rule_id").await;
    let greeting = bench.id("GetScenarios", ("scenario_name", "OutboundCallWithAI"), "scenario_id").await;
    let dialog = bench.id("GetScenarios", ("scenario_name", "voice_dialog"), "scenario_id").await;
    let secret = ("secret_name", "HALO_INBOUND_TOKEN");
    let faults: [(&str, Params<'_>, &str); 8] = [
        ("BindScenario", vec![("rule_id", &rule), ("scenario_id", &dialog), ("bind", "false")], "rules failed"),
        ("BindScenario", vec![("rule_id", &rule), ("scenario_id", &greeting), ("bind", "true")], "rules failed"),
        ("SetScenarioInfo", vec![("scenario_id", &dialog), ("scenario_script", "// edited")], "scenarios failed"),
        ("SetSecretInfo", vec![of, secret, ("secret_value", "somebody else's")], "secrets failed"),
        ("DelSecret", vec![of, ("secret_name", "OPENAI_API_KEY")], "secrets failed"),
        (
            "BindPhoneNumberToApplication",
            vec![of, ("phone_number", "74951234567"), ("bind", "false")],
            "ring_back warning",
        ),
        ("DelScenario", vec![("scenario_id", &greeting)], "scenarios failed"),
        ("DelRule", vec![of, ("rule_name", "voice_realtime_rule")], "rules failed"),
    ];
    for (method, params, expected) in faults {
        ask(at, method, &params).await;
        // A rule whose scenario is gone has lost its binding too.
        let more = (method == "DelScenario").then_some("rules failed");
        let expected: Vec<&str> = more.into_iter().chain([expected]).collect();
        bench.turns(&format!("{method} {params:?}"), &expected).await;
        bench.deploy(&bench.config).await;
        bench.is_clean(&format!("after {method}")).await;
    }

    // Without a key of its own for the models, whatever the platform holds is well, and nothing is not.
    let mut patient = bench.patient(&bench.config).await;
    patient.wanted.secrets.retain(|(name, _)| name != "OPENAI_API_KEY");
    assert_eq!(turned(&patient.examine().await), Vec::<String>::new());
    ask(at, "DelSecret", &[of, ("secret_name", "OPENAI_API_KEY")]).await;
    let found = patient.examine().await;
    assert_eq!(turned(&found), ["secrets warning"], "{found}");
    assert!(
        found.to_string().contains("realtime, realtime_pure, realtime_stream cannot talk without OPENAI_API_KEY"),
        "{found}"
    );

    // Nothing there at all: one line says so.
    let mut empty = bench.patient(&bench.config).await;
    let nowhere = Config::read(&|name| match name {
        "VOXIMPLANT_API_URL" => Some(bench.place.api_url.clone()),
        "VOXIMPLANT_APPLICATION_ID" => Some("4711".to_owned()),
        _ => bench.config.backend_url.clone().filter(|_| name == "BACKEND_URL"),
    });
    empty.client = bench.patient(&nowhere.unwrap()).await.client;
    let found = empty.examine().await;
    assert_eq!(turned(&found), ["rules failed"], "{found}");
    assert!(found.to_string().contains("application 4711"), "{found}");
    bench.app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_fault_of_our_own_side_turns_its_own_line() {
    let bench = Bench::open().await;
    for (manner, expected, says) in [
        (Manner::Page, "backend failed", "a page"),
        (Manner::PageForGrants, "grant failed", "a page"),
        (Manner::Redirects, "backend failed", "redirected (HTTP 301)"),
        (Manner::NothingBehind, "backend failed", "nothing behind it (HTTP 502)"),
        (Manner::Password, "backend failed", "without a password"),
    ] {
        bench.front.behave(manner);
        let found = bench.examine().await;
        assert_eq!(turned(&found), [expected], "{manner:?}:\n{found}");
        assert!(found.to_string().contains(says), "{manner:?}:\n{found}");
        bench.front.behave(Manner::Passes);
    }
    bench.is_clean("after the front").await;

    // An address that the front understands, but too long for the 200 bytes.
    let long = format!("http://{}/{}", bench.front.address, "x".repeat(120));
    let config = Config { backend_url: Some(long), ..bench.config.clone() };
    bench.deploy(&config).await;
    let found = bench.patient(&config).await.examine().await;
    assert_eq!(turned(&found), ["address failed"], "{found}");
    bench.deploy(&bench.config).await;

    // Our clock is wrong: worth a word, and for tokens the end.
    for (ahead_ms, token, expected) in [
        (3_000, true, vec![]),
        (-10_000, false, vec!["clock warning"]),
        (10_000, true, vec!["clock warning"]),
        (90_000, false, vec!["clock warning"]),
        (90_000, true, vec!["clock failed"]),
        (-90_000, true, vec!["clock failed"]),
    ] {
        let mut patient = bench.patient(&bench.config).await;
        patient.known_by_token = token;
        patient.wall = Arc::new(move || {
            let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
            Timestamp(since.as_millis() as i64 + ahead_ms)
        });
        let found = patient.examine().await;
        assert_eq!(turned(&found), expected, "{ahead_ms} ms, token {token}:\n{found}");
    }

    // Modes that dial through a SIP provider: its line must stand.
    let mut patient = bench.patient(&bench.config).await;
    patient.sip_hosts = BTreeSet::from(["sip.example.com".to_owned()]);
    for (state, expected) in [
        (json!({ "proxy": "sip.other.example" }), vec!["sip warning"]),
        (json!({ "proxy": "sip.example.com" }), vec![]),
        (json!({ "proxy": "sip.example.com", "successful": false }), vec!["sip failed"]),
        (json!({ "proxy": "sip.example.com", "successful": true, "deactivated": true }), vec!["sip failed"]),
    ] {
        door(bench.simulator(), "sip-registrations", state.clone()).await;
        let found = patient.examine().await;
        assert_eq!(turned(&found), expected, "{state}:\n{found}");
    }
    // Nobody is dialled over the telephone network: whose number is shown is the SIP provider's matter.
    door(bench.simulator(), "sip-registrations", json!({ "proxy": "sip.example.com", "deactivated": false })).await;
    door(bench.simulator(), "numbers", json!({ "number": RENTED, "remove": true })).await;
    patient.dials_phones = false;
    assert_eq!(turned(&patient.examine().await), Vec::<String>::new());

    // The service is gone.
    bench.app.stop().await;
    bench.front.behave(Manner::NothingBehind);
    let found = patient.examine().await;
    assert_eq!(turned(&found), ["backend failed"], "{found}");
}
