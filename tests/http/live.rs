//! What somebody who watches asks: a run as it goes on, everything about a person, what a run would come to.

use super::{answer, get, place, post, upload, url};
use crate::harness::{self, KEY, csv, number, settings};
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_is_followed_to_its_end() {
    let place = place().await;
    let app = place.serve().await;
    let list = csv([number(0, 1), number(0, 2), number(0, 75)]);
    let toml = settings("watched", "modes = { dialog = 1, realtime = 1 }");
    let (status, made) = upload(&app, &toml, list).await;
    assert_eq!(status, 201, "{made}");
    let id = made["id"].as_str().expect("an id").to_owned();
    let (_, outlook) = get(&app, &format!("/api/v1/campaigns/{id}/outlook")).await;
    assert_eq!((&outlook["contacts"], &outlook["any_hour"], &outlook["suppressed"]), (&json!(3), &json!(3), &json!(0)));
    let (_, before) = get(&app, "/api/v1/overview").await;
    assert_eq!((&before["items"][0]["contacts"], &before["items"][0]["run"]), (&json!(3), &json!(null)));

    let (status, run) = post(&app, &format!("/api/v1/campaigns/{id}/runs")).await;
    assert_eq!(status, 201, "{run}");
    let run = run["id"].as_str().expect("an id").to_owned();
    // The stream ends with the run, so it can be read whole.
    let events = reqwest::Client::new().get(url(&app, &format!("/api/v1/runs/{run}/events"))).bearer_auth(KEY);
    let events = events.send().await.expect("an answer").text().await.expect("a stream that ends");
    let told: Vec<serde_json::Value> = events
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .map(|data| serde_json::from_str(data).expect("JSON"))
        .collect();
    let last = told.last().expect("it was told at least once");
    assert_eq!((last["state"].as_str(), &last["progress"]["rested"]), (Some("completed"), &json!(3)));
    assert_eq!(last["campaign_name"], "watched");
    let ended = last["outcomes_by_mode"].as_array().expect("outcomes").iter();
    assert_eq!(
        ended.filter_map(|row| row["attempts"].as_i64()).sum::<i64>(),
        last["progress"]["ended"].as_i64().unwrap()
    );
    let past = last["past"]["calls"].as_array().expect("spans").iter();
    assert_eq!(
        past.filter_map(|span| span["calls"].as_i64()).sum::<i64>(),
        last["progress"]["ended"].as_i64().unwrap()
    );
    assert!(last["calls"].as_array().is_some_and(Vec::is_empty), "nobody is called any more");
    let (_, busy) = get(&app, &format!("/api/v1/runs/{run}/attempts?outcome=busy&limit=1")).await;
    assert_eq!(busy["items"].as_array().map(Vec::len), Some(1));
    // A page at a time, by the body and by the header alike: every ended call once.
    let (mut told, mut next) = (Vec::new(), format!("/api/v1/runs/{run}/attempts?limit=1"));
    loop {
        let page = reqwest::Client::new().get(url(&app, &next)).bearer_auth(KEY).send().await.expect("an answer");
        let link = page.headers().get("link").map(|link| link.to_str().expect("text").to_owned());
        let page: serde_json::Value = page.json().await.expect("JSON");
        told.extend(page["items"].as_array().expect("calls").iter().map(|call| call["id"].clone()));
        let Some(after) = page["next"].as_str() else { break };
        let link = link.expect("where there is a next page, the header says so, too");
        next = link.split(['<', '>']).nth(1).expect("an address").to_owned();
        assert!(next.contains(&format!("after={after}")), "{link}");
    }
    let (_, whole) = get(&app, &format!("/api/v1/runs/{run}/attempts?limit=200")).await;
    let whole: Vec<_> = whole["items"].as_array().expect("calls").iter().map(|call| call["id"].clone()).collect();
    assert!(whole.len() > 3 && told == whole, "{told:?} {whole:?}");
    assert_eq!(get(&app, &format!("/api/v1/runs/{run}/attempts?after=nonsense")).await.0, 400);
    let (_, after) = get(&app, "/api/v1/overview").await;
    assert_eq!((&after["items"][0]["run"]["rested"], after["next"].is_null()), (&json!(3), true));
    assert_eq!(get(&app, "/api/v1/overview?after=nonsense").await.0, 400);
    for path in ["runs/run_none/live", "runs/run_none/events", "people/con_none", "attempts/att_none/told"] {
        assert_eq!(get(&app, &format!("/api/v1/{path}")).await.0, 404, "{path}");
    }
    crate::harness::stop_now(app).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_is_found_and_what_modes_are_told_is_shown() {
    let place = place().await;
    let app = place.serve().await;
    let list = format!("phone,name,external_id\n{},Анна,a-1\n{},Oleg,b-2\n", number(0, 1), number(0, 2));
    let (campaign, _) = harness::whole_run(&app, &settings("people", "mode = \"realtime_pure\""), &list).await;
    for (q, found) in [("анна", 1), ("a-1", 1), ("99900000", 2), ("8 (999) 000-00-02", 1), ("%25", 0), ("nobody", 0)]
    {
        let (status, body) = get(&app, &format!("/api/v1/people?q={}", q.replace(' ', "%20"))).await;
        assert_eq!((status, body["items"].as_array().map(Vec::len)), (200, Some(found)), "{q}: {body}");
    }
    // A page at a time, the newest first.
    let (_, first) = get(&app, "/api/v1/people?q=99900000&limit=1").await;
    let (next, more) = (first["next"].as_str().expect("there is more"), &first["more"]);
    let (_, second) = get(&app, &format!("/api/v1/people?q=99900000&limit=1&after={next}")).await;
    let names = [&first, &second].map(|page| page["items"][0]["name"].clone());
    assert_eq!((names, more), ([json!("Oleg"), json!("Анна")], &json!(true)));
    assert!(second["next"].is_null() && second["more"] == false, "{second}");
    assert_eq!(get(&app, "/api/v1/people?q=anna&after=nonsense").await.0, 400);
    let (_, body) = get(&app, "/api/v1/people?q=b-2").await;
    let contact = body["items"][0]["contact"].as_str().expect("an id").to_owned();
    let (_, person) = get(&app, &format!("/api/v1/people/{contact}")).await;
    assert_eq!((&person["name"], &person["contacts"][0]["external_id"]), (&json!("Oleg"), &json!("b-2")));
    assert_eq!(
        (&person["attempts"][0]["outcome"], person["attempts"].as_array().map(Vec::len)),
        (&json!("answered"), Some(1))
    );

    let attempt = person["attempts"][0]["id"].as_str().expect("an id");
    let (_, told) = get(&app, &format!("/api/v1/attempts/{attempt}/told")).await;
    assert_eq!((&told["manner"], &told["same"]), (&json!("own"), &json!(true)), "composed again it is the same");
    let (_, preview) = get(&app, &format!("/api/v1/campaigns/{campaign}/preview")).await;
    let modes: Vec<&str> = preview["items"].as_array().unwrap().iter().filter_map(|it| it["mode"].as_str()).collect();
    assert_eq!(modes, ["dialog", "greeting", "realtime", "realtime_pure", "realtime_stream"]);
    let (_, modes) = get(&app, "/api/v1/modes").await;
    assert_eq!(modes["items"].as_array().map(Vec::len), Some(5));
    let (status, setup) = get(&app, "/api/v1/setup").await;
    assert!(status == 200 && setup["findings"].as_array().is_some_and(|all| !all.is_empty()), "{setup}");
    let strangers = answer(reqwest::Client::new().get(url(&app, "/api/v1/people?q=1"))).await;
    assert_eq!(strangers.0, 401);
    crate::harness::stop_now(app).await;
}
