//! What must not be lost or done twice when an engine, a callee or the platform is unkind.

use crate::harness::number;
use crate::stage::Stage;
use serde_json::json;

/// A call that was dialled is never given back: it would be planned again, and ring again.
#[tokio::test]
async fn a_call_that_was_dialled_is_never_given_back() {
    let mut stage = Stage::open(300.0).await;
    // Machine detection of another shape: without it the call goes on.
    let bare = "const brings = require; globalThis.require = (name) => { brings(name); \
        if (name === Modules.AMD) globalThis.AMD = { create: AMD.create, Model: AMD.Model }; };";
    stage.on_another_engine("greeting", bare).await;
    let played = stage.play("greeting", &number(0, 1), json!({})).await;
    let last = played.last();
    assert_eq!((&last["event"], &last["goal"]), (&json!("Disconnected"), &json!(true)), "{last}\n{}", played.log);
    assert_eq!(stage.calls().await.len(), 1);
    // A call whose events nobody can hear is ours to end.
    stage.on_another_engine("dialog", "globalThis.CallEvents = {};").await;
    let played = stage.play("dialog", &number(0, 2), json!({})).await;
    let last = played.last();
    assert_eq!((&last["event"], &last["code"]), (&json!("Failed"), &json!(0)), "{last}\n{}", played.log);
    assert!(last["reason"].as_str().is_some_and(|reason| reason.starts_with("error: scenario")), "{last}");
    assert_eq!(stage.calls().await.len(), 2);
}

/// Who says it and hangs up with the last word is understood when nobody is there any more.
#[tokio::test]
async fn last_words_before_hanging_up_are_kept() {
    let stage = Stage::open(300.0).await;
    for (ending, mode) in [(1, "dialog"), (2, "realtime_pure")] {
        stage.behaviour(&number(0, ending), "opts_out_and_goes").await;
        let played = stage.play(mode, &number(0, ending), json!({})).await;
        let last = played.last();
        let text = last["last_words"].as_str().unwrap_or_default().to_lowercase();
        assert!(text.contains("не звоните"), "{mode}: {last}\n{}", played.log);
        // What nobody could answer is no turn: coverage stays what it is.
        assert!(!last["turns"].to_string().to_lowercase().contains("не звоните"), "{mode}: {last}");
        let answered = |turn: &serde_json::Value| turn["turn_ms"].is_number();
        assert!(last["turns"].as_array().is_some_and(|turns| turns.iter().all(answered)), "{mode}: {last}");
        assert_eq!(last["hung_up_by"], "callee", "{mode}: {last}");
        // Nobody waited on the line for it.
        let lasted = last["ended_at_ms"].as_u64().zip(last["answered_at_ms"].as_u64()).map(|(to, from)| to - from);
        assert_eq!(last["talk_ms"].as_u64(), lasted);
        assert_eq!(played.history["calls"][0]["duration"].as_u64(), lasted.map(|ms| ms / 1000 + 1), "{mode}: {last}");
    }
}

/// A session has ten players, and each lives until it is stopped.
#[tokio::test]
async fn a_long_talk_does_not_run_out_of_players() {
    let stage = Stage::open(300.0).await;
    let phrases: Vec<_> = (0..14).map(|nth| json!({ "reply_text": format!("Вопрос номер {nth}?") })).collect();
    stage.replies(&phrases);
    // Whoever talks to the end: most do.
    let mut most = 0;
    for ending in 1..4 {
        let played = stage.play("dialog", &number(0, ending), json!({ "amd": "off" })).await;
        assert!(!played.log.contains("no player"), "{}", played.log);
        most = most.max(played.heard.len());
    }
    assert!(most > 12, "only {most} phrases were said");
}
