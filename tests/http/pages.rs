//! Long lists by the page.

use crate::harness::{KEY, csv, number, settings, take_in};
use crate::{get, place, post, url};
use halo::app::App;
use serde_json::Value;

/// The ids on a page, and where the list goes on.
async fn page(app: &App, path: &str) -> (Vec<String>, Option<String>) {
    let answer = reqwest::Client::new().get(url(app, path)).bearer_auth(KEY).send().await.expect("an answer");
    assert_eq!(answer.status(), 200, "{path}");
    let next = answer.headers().get("link").map(|link| {
        let link = link.to_str().expect("a text");
        let address = link.strip_prefix('<').and_then(|rest| rest.strip_suffix(">; rel=\"next\"")).expect(link);
        address.to_owned()
    });
    let rows: Vec<Value> = answer.json().await.expect("a list");
    (rows.iter().map(|row| row["id"].as_str().expect("an id").to_owned()).collect(), next)
}

/// Every page from the first on, each of two rows at most.
async fn pages(app: &App, list: &str) -> Vec<Vec<String>> {
    let (mut pages, mut next) = (Vec::new(), Some(format!("{list}?limit=2")));
    while let Some(path) = next {
        let (ids, further) = page(app, &path).await;
        pages.push(ids);
        next = further;
    }
    pages
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn campaigns_and_runs_come_by_the_page() {
    let place = place().await;
    let app = place.serve().await;
    for n in 0..5 {
        take_in(&app, &settings(&format!("campaign {n}"), "mode = \"greeting\""), &csv([number(n, 0)])).await;
    }
    let mut runs = Vec::new();
    for _ in 0..3 {
        let (status, run) = post(&app, "/api/v1/campaigns/campaign%200/runs").await;
        assert_eq!(status, 201, "{run}");
        let run = run["id"].as_str().expect("an id").to_owned();
        assert_eq!(post(&app, &format!("/api/v1/runs/{run}/stop")).await.0, 200);
        runs.push(run);
    }
    for (list, rows) in [("/api/v1/campaigns", 5), ("/api/v1/campaigns/campaign%200/runs", 3)] {
        let (whole, further) = page(&app, list).await;
        assert_eq!((whole.len(), further), (rows, None), "{list}");
        let pages = pages(&app, list).await;
        assert!(pages.iter().rev().skip(1).all(|page| page.len() == 2), "{pages:?}");
        assert_eq!(pages.concat(), whole, "{list}");
        // A page that is full, and the last one.
        let all = page(&app, &format!("{list}?limit={rows}")).await;
        assert_eq!(all, (whole.clone(), None), "{list}");
        assert_eq!(get(&app, &format!("{list}?after=x")).await.0, 400, "{list}");
        assert_eq!(get(&app, &format!("{list}?page=2")).await.0, 400, "{list}");
    }
    assert_eq!(page(&app, "/api/v1/campaigns/campaign%200/runs").await.0, runs, "in their order");
    app.stop().await;
}
