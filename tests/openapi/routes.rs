//! The routes of the router are the operations of the document.

use crate::harness::{KEY, Place, World};
use crate::operations;
use halo::http::{ApiKey, Voice, Web, router};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Pages for people: what they are is to be seen.
const PAGES: [&str; 3] = ["/docs", "/docs/", "/docs/{file}"];

/// Paths and methods, as the router itself shows them to whoever debugs it.
fn shown(text: &str) -> BTreeSet<(String, String)> {
    let number = |text: &str| text.split(')').next().and_then(|id| id.parse::<u32>().ok());
    let mut paths: BTreeMap<u32, String> = BTreeMap::new();
    let mut methods: BTreeMap<u32, String> = BTreeMap::new();
    let own = text.split("fallback_router: ").next().unwrap_or_default();
    for piece in own.split("RouteId(").skip(1) {
        let Some(id) = number(piece) else { continue };
        let rest = piece.split_once("): ").map_or("", |(_, rest)| rest);
        if let Some(path) = rest.strip_prefix('"') {
            paths.insert(id, path.split('"').next().unwrap_or_default().to_owned());
        } else if let Some((_, allowed)) = rest.split_once("allow_header: Bytes(b\"") {
            methods.entry(id).or_insert_with(|| allowed.split('"').next().unwrap_or_default().to_owned());
        }
    }
    let mut found = BTreeSet::new();
    for (id, path) in paths {
        let allowed = methods.get(&id).unwrap_or_else(|| panic!("{path} has methods: {text}"));
        // Whoever answers GET answers HEAD.
        for method in allowed.split(',').filter(|method| *method != "HEAD") {
            found.insert((path.clone(), method.to_lowercase()));
        }
    }
    found
}

/// Without `Node` in the router's own words nothing would be found, so the number of routes is looked at too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_route_is_described_and_nothing_else() {
    let place = Place::new(World::default()).await;
    let app = place.serve().await;
    let voice = Voice {
        backend_url: "http://127.0.0.1:1".into(),
        dialog_url: None,
        openai_base_url: None,
        openai_realtime_model: String::new(),
        media: None,
        routes: BTreeMap::new(),
        scenarios: BTreeMap::new(),
    };
    let modes = app.modes.clone();
    let web = Web::new(app.dialer.clone(), vec![0; 32], ApiKey::of(KEY), String::new(), voice, modes, None);
    let mut routes = shown(&format!("{:?}", router(Arc::new(web))));
    app.stop().await;
    routes.retain(|(path, _)| !PAGES.contains(&path.as_str()));
    assert!(routes.len() > 60, "the reader of the router finds too little: {routes:?}");
    let described: BTreeSet<(String, String)> = operations(halo::http::openapi::document())
        .map(|(path, method, _)| (path.to_owned(), method.to_owned()))
        .collect();
    let undescribed: Vec<_> = routes.difference(&described).collect();
    assert!(undescribed.is_empty(), "routes that src/http/openapi does not describe: {undescribed:#?}");
    let gone: Vec<_> = described.difference(&routes).collect();
    assert!(gone.is_empty(), "operations without a route: {gone:#?}");
}
