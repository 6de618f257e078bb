//! `/metrics`: who may see it, what it holds, and that dashboard and rules name nothing else.

use super::{answer, dead_sessions, get, url};
use crate::harness::{KEY, Place, World, csv, number, settings, whole_run};
use std::collections::BTreeSet;

async fn scraped(app: &halo::app::App) -> String {
    let answer = reqwest::Client::new().get(url(app, "/metrics")).send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
    let kind = answer.headers()["content-type"].to_str().expect("text").to_owned();
    assert!(kind.starts_with("application/openmetrics-text"), "{kind}");
    answer.text().await.expect("a body")
}

/// Every word that begins like one of our names.
fn named(text: &str) -> BTreeSet<String> {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = text.split(|c: char| !word(c)).filter(|name| name.starts_with("halo_"));
    words.map(str::to_owned).collect()
}

/// What a call leaves behind is in the figures, nobody's number is, and whatever the dashboard or a rule names is there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_leaves_its_figures_and_every_named_one_exists() {
    let place = Place::new(World { speed: 120.0, ..World::default() }).await;
    let app = place.serve().await;
    app.store.set_installation_value("balance", r#"{"amount":12.5}"#.into()).await.unwrap();
    app.store.set_limits(app.dialer.account, Some(20.0), Some(60)).await.unwrap();
    let list = csv([&number(0, 1), &number(0, 75), &number(0, 94)]);
    whole_run(&app, &settings("figures", "mode = \"dialog\""), &list).await;
    halo::measures::notice("email", "delivered");

    let text = scraped(&app).await;
    for line in [
        "halo_starts_total{result=\"started\"}",
        "halo_grants_total{result=\"granted\",by=\"none\"}",
        "halo_attempts_ended_total{mode=\"dialog\",outcome=\"answered\"}",
        "halo_attempts_ended_total{mode=\"dialog\",outcome=\"busy\"}",
        "halo_webhook_events_total{event=\"Disconnected\"}",
        "halo_webhook_seconds_count{door=\"grant\"}",
        "halo_writer_orders_count ",
        "halo_http_requests_total{method=\"POST\",route=\"/voximplant/events\",status=\"200\"}",
        "halo_provider_answers_total{method=\"StartScenarios\",code=\"ok\"}",
        "halo_contacts_held{gate=\"window\"} 0",
        "halo_breakers_open{breaker=\"failures\"} 0",
        "halo_lines_limit 60",
        "halo_balance 12.5",
        "halo_build_info{version=",
    ] {
        assert!(text.contains(line), "{line} is not in:\n{text}");
    }
    assert!(!text.contains("7999000"), "a number of a person:\n{text}");

    let there = named(&text);
    let root = env!("CARGO_MANIFEST_DIR");
    for file in ["docs/grafana/halo.json", "docs/grafana/alerts.yml"] {
        let text = std::fs::read_to_string(format!("{root}/{file}")).expect("it is there");
        let wanted = named(&text);
        assert!(wanted.len() > 8, "{file} names {wanted:?}");
        let missing: Vec<_> = wanted.difference(&there).collect();
        assert!(missing.is_empty(), "{file} names {missing:?}");
    }
    crate::harness::stop_now(app).await;
}

/// The guard: the template of the route in `metrics::counted`. With the address itself, each id would be a series.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn addresses_make_no_series() {
    let place = dead_sessions().await;
    let app = place.serve().await;
    for n in 0..5 {
        get(&app, &format!("/api/v1/numbers/%2B7999000000{n}")).await;
        get(&app, &format!("/no/such/page/{n}")).await;
    }
    let text = scraped(&app).await;
    assert!(text.contains("route=\"/api/v1/numbers/{number}\""), "{text}");
    assert!(!text.contains("/no/such/page"), "{text}");
    crate::harness::stop_now(app).await;
}

/// The guards: what a proxy adds, and the listener's own address. A server behind a proxy on the same machine listens on
/// loopback, and must not show its figures to everybody who reaches that proxy.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn figures_are_for_this_machine_and_for_keys() {
    let place = dead_sessions().await;
    let app = place.serve().await;
    let client = reqwest::Client::new();
    let asked = || client.get(url(&app, "/metrics"));
    assert_eq!(answer(asked()).await.0, 200);
    for header in ["x-forwarded-for", "forwarded", "via", "x-real-ip"] {
        assert_eq!(answer(asked().header(header, "203.0.113.7")).await.0, 401, "{header}");
    }
    assert_eq!(answer(asked().header("x-forwarded-for", "203.0.113.7").bearer_auth(KEY)).await.0, 200);
    assert_eq!(answer(asked().header("x-forwarded-for", "203.0.113.7").bearer_auth("halo_wrong")).await.0, 401);
    crate::harness::stop_now(app).await;

    let mut place = dead_sessions().await;
    place.more.push(("HALO_METRICS_OPEN", "true".into()));
    let app = place.serve().await;
    assert_eq!(answer(client.get(url(&app, "/metrics")).header("via", "1.1 proxy")).await.0, 200);
    crate::harness::stop_now(app).await;
}
