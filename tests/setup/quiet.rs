//! What the log says, and what it never says: at its most talkative, with a whole call under way.

use crate::RENTED;
use crate::harness::{self, KEY, Place, World, settings};
use halo::app::{self, App, ClockStart, open_store};
use halo::config::Config;
use halo::simulator;
use std::io::Write;
use std::sync::{Arc, Mutex, OnceLock};
use tracing_subscriber::fmt::MakeWriter;

/// Everything that any test of this program logs.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Log;
    fn make_writer(&self) -> Log {
        self.clone()
    }
}

fn listen() -> Log {
    static LOG: OnceLock<Log> = OnceLock::new();
    LOG.get_or_init(|| {
        let log = Log::default();
        let all = tracing_subscriber::fmt()
            .with_env_filter(app::log_filter(Some("trace"), "info"))
            .with_writer(log.clone())
            .with_ansi(false);
        all.try_init().expect("nobody else listens");
        log
    })
    .clone()
}

/// Without the names-only line of `Api::call`, or without `log_filter` (a library tells each number it
/// reads), one of these stands in the log.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_log_holds_a_secret_or_a_number_and_the_three_lines_are_there() {
    let log = listen();
    let place = Place::new(World::default()).await;
    let at = place.simulator.address();
    let get = |name: &str| {
        Some(match name {
            "DATABASE_URL" => place.database_url(),
            "HALO_LISTEN" => "127.0.0.1:0".to_owned(),
            "VOXIMPLANT_API_URL" => format!("http://{at}"),
            "VOXIMPLANT_ACCOUNT_ID" => "1000001".to_owned(),
            "VOXIMPLANT_API_KEY" => "provider-key-of-this-test".to_owned(),
            "VOXIMPLANT_CALLER_ID" => RENTED.to_owned(),
            "OPENAI_API_KEY" => "model-key-of-this-test".to_owned(),
            "API_AUTH_KEY" => KEY.to_owned(),
            _ => return None,
        })
    };
    let config = Config::read(&get).expect("sound settings");
    let store = open_store(&config).await.expect("the database opens");
    let clock = ClockStart { speed: 60.0, at: None };
    let app = App::start(&config, store, clock, simulator::Settings::default()).await.expect("the service starts");
    let config = Config { listen: app.address, ..config };
    let number = vec![RENTED.parse().unwrap()];
    app::deploy(&config, number, false).await.expect("it is deployed");
    app::patient(&config).await.unwrap().expect("beside").examine().await;
    harness::whole_run(&app, &settings("quiet", "mode = \"realtime\""), "phone\n+79990007700\n").await;
    let sessions = reqwest::get(format!("http://{at}/simulator/starts")).await.unwrap().text().await.unwrap();
    let start: serde_json::Value = serde_json::from_str(sessions.lines().next().expect("a start")).unwrap();
    let data: serde_json::Value = serde_json::from_str(start["custom_data"].as_str().unwrap()).unwrap();
    let token = data["t"].as_str().expect("the grant's token").to_owned();
    app.stop().await;

    let said = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    for line in [
        "Voximplant adapter initialised: account 1000001 by its API key, webhooks to http://127.0.0.1:",
        "Initiating call: attempt att_",
        "Webhook received: Connected of attempt att_",
        "StartScenarios answered",
        "\"script_custom_data\"",
    ] {
        assert!(said.contains(line), "`{line}` is not in the log");
    }
    for secret in
        ["provider-key-of-this-test", "model-key-of-this-test", KEY, &token, "79990007700", "9990007700", "74951234567"]
    {
        let found = said.lines().find(|line| line.contains(secret));
        assert!(found.is_none(), "{secret} is in the log: {found:?}");
    }
}
