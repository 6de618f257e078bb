//! `serve` may start before `deploy`.

use crate::harness::{self, KEY, Place, World, settings, take_in, until};
use halo::app::{self, App, ClockStart, open_store};
use halo::config::Config;
use halo::simulator;
use halo::store::RunState;

/// No example, so that a platform taken for real dials it; no telephone either, for the platform is none.
const CALLEE: &str = "+79991234568";

/// The program takes `0.0.0.0` for a host of the internet, and the operating system takes it for this
/// machine: a simulator that is not treated as one.
fn taken_for_real(place: &Place, listen: std::net::SocketAddr) -> Config {
    let get = |name: &str| {
        Some(match name {
            "DATABASE_URL" => place.database_url(),
            "HALO_LISTEN" => listen.to_string(),
            "USE_VOXIMPLANT" => "true".to_owned(),
            "VOXIMPLANT_API_URL" => format!("http://0.0.0.0:{}", place.simulator.address().port()),
            "VOXIMPLANT_ACCOUNT_ID" => "1000001".to_owned(),
            "VOXIMPLANT_API_KEY" => "a-key-of-a-test".to_owned(),
            "VOXIMPLANT_CALLER_ID" => "+74951234567".to_owned(),
            "BACKEND_URL" => format!("http://0.0.0.0:{}", listen.port()),
            "API_AUTH_KEY" => KEY.to_owned(),
            _ => return None,
        })
    };
    Config::read(&get).expect("sound settings")
}

/// Without looking rules up again the resumed run is paused for ever; with a pause that does not say what
/// to do, so is the operator.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_began_before_the_deployment_waits_for_it_and_then_goes_on() {
    let place = Place::new(World::default()).await;
    let port = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("its address");
    let config = taken_for_real(&place, port);
    assert!(config.is_real());
    let store = open_store(&config).await.expect("the database opens");
    let clock = ClockStart { speed: 1.0, at: None };
    let app = App::start(&config, store, clock, simulator::Settings::default()).await.expect("the service starts");

    let campaign =
        take_in(&app, &settings("early", "mode = \"greeting\""), &format!("phone\n{CALLEE}\n")).await.campaign;
    let pool = sqlx::SqlitePool::connect(&place.database_url()).await.expect("the database opens");
    // The night is no time for tests, but for test phones.
    sqlx::query("update numbers set allow_listed_at = 1").execute(&pool).await.expect("a test phone");
    pool.close().await;
    let run = harness::start(&app, campaign).await;
    let paused = |run| {
        let app = &app;
        async move { Some(harness::run_of(app, run).await).filter(|run| run.state == RunState::Paused) }
    };
    let held = until("the run is paused", || paused(run)).await;
    assert_eq!(
        held.state_reason.as_deref(),
        Some(
            "the provider refuses every start: application `halo-demo` does not exist at the provider; \
             `halo voximplant deploy` creates it"
        )
    );

    // Another process deploys; then somebody deletes a rule, and it is deployed again.
    app::deploy(&config, Vec::new(), false).await.expect("it is deployed");
    app.store.set_run_state(run, RunState::Running, None, app.clock.now()).await.expect("it is resumed");
    completed(&app, run).await;
    assert_eq!(calls(&place).await, 1);

    // Somebody deletes the rule while its id is known: the start is deferred, then the run says what to do.
    let form = [("account_id", "1000001"), ("api_key", "a-key-of-a-test"), ("rule_name", "OutboundCallRule")];
    let gone = reqwest::Client::new().post(format!("{}/DelRule", place.simulator.url())).form(&form).send().await;
    assert!(gone.expect("the simulator answers").text().await.expect("a body").contains("\"result\":1"));
    let run = harness::start(&app, campaign).await;
    let held = until("the run is paused", || paused(run)).await;
    assert_eq!(
        held.state_reason.as_deref(),
        Some(
            "the provider refuses every start: rule `OutboundCallRule` does not exist; \
             `halo voximplant deploy` puts it right"
        )
    );
    app::deploy(&config, Vec::new(), false).await.expect("it is deployed");
    app.store.set_run_state(run, RunState::Running, None, app.clock.now()).await.expect("it is resumed");
    completed(&app, run).await;
    assert_eq!(calls(&place).await, 2);
    app.stop().await;
}

async fn calls(place: &Place) -> usize {
    harness::ledger::calls(&place.simulator).await.len()
}

async fn completed(app: &App, run: halo::domain::RunId) {
    until("the run is completed", || async {
        let now = harness::run_of(app, run).await;
        assert!(now.state != RunState::Paused, "paused: {:?}", now.state_reason);
        now.state.is_over().then_some(())
    })
    .await;
}
