//! The account's limits and pace, as a client sees and edits them.

use crate::harness::{KEY, csv, number, settings, start, take_in};
use crate::{Answer, answer, get, place, url};
use halo::app::App;
use serde_json::{Value, json};

async fn put_limits(app: &App, body: Value) -> Answer {
    let request = reqwest::Client::new().put(url(app, "/api/v1/account/limits")).bearer_auth(KEY);
    answer(request.header("content-type", "application/json").body(body.to_string())).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_are_edited_and_the_pace_is_told() {
    let place = place().await;
    let app = place.serve().await;
    let (status, free) = get(&app, "/api/v1/account").await;
    assert_eq!((status, &free["limits"]), (200, &json!({ "cps": null, "lines": null })), "{free}");
    assert_eq!(free["pace"], json!({ "limit": null, "now": null, "reason": null, "since": null }));

    let (status, limited) = put_limits(&app, json!({ "cps": 2.5, "lines": 3 })).await;
    assert_eq!((status, &limited["limits"]), (200, &json!({ "cps": 2.5, "lines": 3 })), "{limited}");
    assert_eq!((&limited["pace"]["limit"], &limited["pace"]["now"]), (&json!(2.5), &json!(2.5)));
    assert_eq!(limited["lines"], json!({ "limit": 3, "held": 0 }));
    let (status, refused) = put_limits(&app, json!({ "cps": -1, "line": 3 })).await;
    assert_eq!((status, refused["faults"].as_array().map(Vec::len)), (422, Some(2)), "{refused}");
    assert_eq!(put_limits(&app, json!([])).await.0, 400);

    // A run's pace is its own and the account's together.
    let slow = settings("slow", "mode = 'greeting'").replace("[dial]\n", "[dial]\nramp_up = \"1d\"\nreserve = 0.2\n");
    let campaign = take_in(&app, &slow, &csv([number(0, 90)])).await.campaign;
    let run = start(&app, campaign).await;
    let (_, told) = get(&app, &format!("/api/v1/runs/{run}")).await;
    if told["state"] == "running" {
        assert_eq!((&told["pace"]["limit"], &told["pace"]["now"]), (&json!(2.0), &json!(2.0)), "{told}");
    }
    let (status, _) = put_limits(&app, json!({ "cps": null })).await;
    assert_eq!(status, 200);
    app.stop().await;

    // What somebody edited stays when the service starts again.
    let app = place.serve().await;
    let (_, again) = get(&app, "/api/v1/account").await;
    assert_eq!(again["limits"], json!({ "cps": null, "lines": 3 }));
    app.stop().await;
}
