//! The program's own parts upon a ground, put together as `halo serve` does it. The provider is a stub.

use crate::ground::{self, Engine, Ground};
use halo::clock::{Anchor, Clock};
use halo::dialer::{Dialer, Platform, ReadRules};
use halo::domain::calendar::Calendar;
use halo::domain::settings::Settings;
use halo::http::{ApiKey, Voice, Web};
use halo::store::Store;
use halo::voximplant::{Client, Connection, Credentials, Modes, Pacer};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What holds the calls of a benchmark back.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Calls open at once.
    pub lines: u32,
    /// The longest call, in seconds of program time.
    pub call_s: u32,
    /// Starts per second of real time, at most.
    pub pace: f64,
    /// Of the clock.
    pub speed: f64,
}

pub struct Service {
    pub store: Store,
    pub dialer: Arc<Dialer>,
    pub web: Arc<Web>,
}

/// Settings that hold nobody back but by lines and by a pace beyond reach.
fn settings(limits: Limits) -> Settings {
    let names = [halo::domain::Mode::dialog()].into();
    let text = "name = \"dispatch\"\npurpose = \"service\"\n[dial]\ncps = 1000.0";
    let mut settings = halo::intake::settings::parse(text, &names).expect("sound settings");
    settings.windows = Calendar::always();
    settings.dial.lines = limits.lines;
    settings.dial.call_s = limits.call_s;
    settings
}

/// As a process finds it that starts upon a database with everybody waiting.
pub async fn service(ground: &Ground, account: i64, provider: &str, limits: Limits) -> Service {
    let store = ground.again().await;
    let clock = Clock::running(Anchor::here(limits.speed));
    clock.set_offset(store.clock_offset_us(Clock::machine_us).await.expect("the database's clock"));
    halo::queue::prepare(store.db()).await.expect("the queue's tables");
    if ground.engine == Engine::Sqlite {
        store.free_leases().await.expect("nobody else dials");
    }
    let modes = Modes::read(include_str!("../../voximplant/modes.toml"), &|_| None).expect("our own modes");
    let known = modes.iter().map(|entry| entry.name.clone()).collect();
    let connection = Connection {
        url: provider.to_owned(),
        account: "1".into(),
        credentials: Credentials::Key("no-secret".to_owned().into()),
        application: Some(1),
        application_name: "halo".into(),
        backend_url: "http://127.0.0.1:1".into(),
        modes,
    };
    let wall = Arc::new({
        let clock = clock.clone();
        move || clock.wall()
    });
    let settings = settings(limits);
    let rules: ReadRules =
        Arc::new(move |_: &str| -> Result<(Settings, Vec<Calendar>), String> { Ok((settings.clone(), Vec::new())) });
    let dialer = Arc::new(Dialer::new(
        store.clone(),
        clock,
        Arc::new(Client::new(connection, wall).expect("a client")),
        Arc::new(Pacer::new(Some(limits.pace))),
        Platform { name: ground::PLATFORM.into(), real: false },
        account,
        "bench".into(),
        rules,
    ));
    let voice = Voice {
        backend_url: "http://127.0.0.1:1".into(),
        dialog_url: Some("http://127.0.0.1:1/voice/dialog".into()),
        openai_base_url: None,
        openai_realtime_model: "gpt-realtime".into(),
        media: None,
        scenarios: Default::default(),
        routes: BTreeMap::new(),
    };
    let web = Web::new(dialer.clone(), vec![7; 32], ApiKey::of("no-secret"), "no-secret".into(), voice, known, None);
    Service { store, dialer, web: Arc::new(web) }
}
