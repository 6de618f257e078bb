//! A notifier with a clock of its own, upon a bench.

use crate::common::Bench;
use crate::common::calls::{NOON, mode};
use halo::clock::Clock;
use halo::domain::notice::Kind;
use halo::domain::{EndpointId, Timestamp};
use halo::notify::{Notifier, Told, Watch, Ways, fresh_secret};
use halo::store::Store;
use halo::store::notices::Endpoint;
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Arc;

pub struct Hand(Clock);

impl Hand {
    pub fn set(&self, to: Timestamp) {
        self.0.advance_ms(to.since(self.0.now()));
    }
    pub fn now(&self) -> Timestamp {
        self.0.now()
    }
}

pub struct Teller {
    pub clock: Hand,
    store: Store,
    notifier: Notifier,
}

impl Teller {
    pub async fn on(bench: &Bench, ways: Ways) -> Teller {
        Teller::of(bench, bench.store.clone(), ways).await
    }

    /// Another process upon the same database.
    pub async fn of(bench: &Bench, store: Store, ways: Ways) -> Teller {
        let clock = Clock::manual(NOON);
        let modes: BTreeSet<_> = ["dialog", "realtime", "realtime_pure"].map(mode).into();
        let rules = halo::app::read_rules(modes.clone());
        let watch = Watch {
            idle_ms: 10 * 60_000,
            balance_min: Some(10.0),
            ask_balance: Some(Arc::new(|| Box::pin(async { None }))),
        };
        let notifier = Notifier::new(
            store.clone(),
            clock.clone(),
            "teller".into(),
            bench.account().await,
            modes,
            ways,
            watch,
            Arc::new(move |text| rules(text).map(|(settings, _)| settings)),
        );
        Teller { clock: Hand(clock), store, notifier: notifier.expect("a client") }
    }

    pub async fn look(&self) -> Told {
        self.notifier.look().await.expect("the store answers")
    }

    pub async fn watch(&self) {
        self.notifier.watch().await.expect("the store answers");
    }

    /// What the provider said last.
    pub async fn balance(&self, amount: f64) {
        let told = json!({ "amount": amount, "currency": "USD" }).to_string();
        self.store.set_installation_value("balance", told).await.expect("a value");
    }
}

pub async fn endpoint(bench: &Bench, url: &str, kinds: &[Kind]) -> Endpoint {
    let endpoint = Endpoint {
        endpoint: EndpointId(bench.store.ids.one(NOON.0)),
        url: url.to_owned(),
        secret: fresh_secret(),
        kinds: kinds.to_vec(),
        note: None,
        created_at: NOON,
        disabled_at: None,
        disabled_reason: None,
    };
    bench.store.add_endpoint(endpoint.clone()).await.expect("an endpoint");
    endpoint
}
