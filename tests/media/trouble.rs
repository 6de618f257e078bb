//! A model that is not there, or goes away: a polite end, told apart from every other.

use crate::{SCRIPT, ended, fast, heard, order, placed, with_model};
use serde_json::json;

/// Guards: `fault` to the scenario, and the first reason in `Bridge::finish`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_model_that_goes_away_in_mid_call_is_our_fault_and_the_callee_hears_an_apology() {
    for (nth, model, ended_by, reason) in [
        (2, "stand-in-breaks", "model_lost", ""),
        (3, "stand-in-closes", "model_closed", "1011 internal error"),
        (4, "stand-in-fails", "model_failed", "responses fail: server_error server_error"),
    ] {
        let place = fast().await;
        let app = with_model(&place, model).await;
        let id = placed(&app, order(nth, 1)).await;
        let told = ended(&app, &id).await;
        let stream = &told["streams"][0];
        assert_eq!((&stream["ended_by"], &stream["reason"]), (&json!(ended_by), &json!(reason)), "{told}");
        let call = &told["call"];
        assert_eq!((&call["fault"], &call["hung_up_by"]), (&json!("model"), &json!("fault")), "{model}: {call}");
        let heard = heard(&place, &told).await;
        assert_eq!(heard[0], "Здравствуйте, это Ромашка.");
        assert!(heard[heard.len() - 1].starts_with("Извините, у нас неполадки"), "{model}: {heard:?}");
        crate::harness::stop_now(app).await;
    }
}

/// A model that refuses ends the call before the answer where it can, as in the other modes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_model_that_refuses_is_told_apart() {
    for (nth, model, ended_by, reason) in [
        (5, "stand-in-refused", "model_refused", "HTTP 401"),
        (6, "stand-in-busy", "model_refused", "HTTP 429"),
        (7, "stand-in-errs", "model_failed", "the session was refused: server_error"),
    ] {
        let place = fast().await;
        let app = with_model(&place, model).await;
        let id = placed(&app, order(nth, 1)).await;
        let told = ended(&app, &id).await;
        let stream = &told["streams"][0];
        assert_eq!((&stream["ended_by"], &stream["reason"]), (&json!(ended_by), &json!(reason)), "{told}");
        // Whoever answers sooner than the model refuses hears an apology.
        let ours = told["fault"] == "us" || told["call"]["fault"] == "model";
        assert!(ours, "{model}: {told}");
        let words = heard(&place, &told).await;
        assert!(words.iter().all(|words| !SCRIPT.contains(words.as_str())), "{model}: {words:?}");
        crate::harness::stop_now(app).await;
    }
}
