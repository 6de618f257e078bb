//! What a run has spent and where its breakers stand, over the API; and last words that say "never again".

use crate::callbacks::{ask, end, started, tell};
use crate::harness::{self, csv, number, settings, start, take_in};
use crate::{dead_sessions, get, place};
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_shows_its_budget_and_its_breakers() {
    let place = place().await;
    let app = place.serve().await;
    // A call of four minutes may cost 0.45: there is money for two at once, and each gives most of it back.
    let toml =
        settings("counted", "mode = \"greeting\"") + "[budget]\nrun = 1.0\nday = 50\n[breakers]\nsilent = \"off\"\n";
    let campaign = take_in(&app, &toml, &csv((0..6).map(|ending| number(0, ending)))).await.campaign;
    let run = start(&app, campaign).await;
    harness::completed(&app, run).await;
    harness::laws_hold(&app, campaign).await;
    let (_, shown) = get(&app, &format!("/api/v1/runs/{run}")).await;
    let budget = &shown["budget"];
    assert_eq!((&budget["currency"], &budget["limit"], &budget["reserved"]), (&json!("USD"), &json!(1.0), &json!(0.0)));
    let spent = budget["spent"].as_f64().expect("an amount");
    assert!(spent > 0.0 && spent <= 1.0, "{budget}");
    assert_eq!((&budget["day"]["limit"], budget["day"]["spent"].as_f64()), (&json!(50.0), Some(spent)), "{budget}");
    // What history billed is what is counted.
    let billed: i64 = harness::attempts(&app, campaign).await.iter().filter_map(|attempt| attempt.cost_micros).sum();
    assert_eq!((spent * 1e6).round() as i64, billed);
    assert_eq!(shown["breakers"], json!([]), "none tripped");

    let plain = take_in(&app, &settings("plain", "mode = \"greeting\""), &csv([number(1, 0)])).await.campaign;
    let run = start(&app, plain).await;
    let (_, shown) = get(&app, &format!("/api/v1/runs/{run}")).await;
    assert!(shown.get("budget").is_none(), "nothing is counted: {shown}");
    harness::completed(&app, run).await;
    crate::harness::stop_now(app).await;
}

/// Without `last_words` in `webhooks::events`, who says it and hangs up is called again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn last_words_may_opt_out() {
    let place = dead_sessions().await;
    let it = started(&place, 1).await;
    let mine = &it.starts[0];
    let (_, grant) = ask(&it.app, &mine.attempt, &mine.token, "31").await;
    let token = grant["event_token"].as_str().expect("a token").to_owned();
    let last = json!({
        "call_id": mine.attempt, "event": "Disconnected", "seq": 3, "at_ms": 9000, "session_id": "31", "code": 200,
        "reason": "", "turns": [], "talk_ms": 4000, "answered_at_ms": 5000, "last_words": "Больше не звоните мне.",
    });
    assert!(it.app.store.suppressed(10).await.expect("a list").is_empty());
    assert_eq!(tell(&it.app, "/voximplant/events", Some(&token), last.to_string()).await.0, 200);
    let (_, list) = get(&it.app, "/api/v1/suppressions").await;
    assert_eq!(list["items"][0]["number"], json!(number(0, 0)), "{list}");
    end(it).await;
}
