//! Replies by stream, replies that are late, replies that say that our side broke.

use crate::harness::number;
use crate::stage::{Played, Stage};
use serde_json::{Value, json};

fn said(played: &Played) -> Vec<&str> {
    played.heard.iter().map(String::as_str).collect()
}

fn replies() -> Vec<Value> {
    vec![
        json!({ "reply_text": "" }),
        json!({ "reply_text": "Понял вас. Когда вам удобно?", "chunks": ["Понял вас.", "Когда вам удобно?"] }),
        json!({ "reply_text": "Спасибо. До свидания!", "chunks": ["Спасибо.", "До свидания!"], "end_session": true, "goal": true }),
    ]
}

/// Sentences are said as they come, in their order; the last event has the whole.
#[tokio::test]
async fn a_stream_is_spoken_sentence_by_sentence() {
    // Sockets follow real time: the clock must not run far ahead of them.
    let stage = Stage::open(20.0).await;
    stage.replies(&replies());
    let more = json!({ "stream_url": stage.stream_url(), "amd": "off" });
    let mut whole = 0;
    for ending in 1..5 {
        let played = stage.play("dialog", &number(0, ending), more.clone()).await;
        let spoken = &said(&played)[1..];
        let all = ["Понял вас.", "Когда вам удобно?", "Спасибо.", "До свидания!"];
        assert!(spoken.iter().all(|text| all.contains(text)), "{spoken:?}\n{}", played.log);
        if spoken == all {
            whole += 1;
            let last = played.last();
            assert_eq!(
                (&last["goal"], &last["hung_up_by"], &last["fault"]),
                (&json!(true), &json!("agent"), &Value::Null)
            );
            let text = last["turns"][0]["agent_text"].as_str().unwrap();
            assert_eq!(text, "Понял вас. Когда вам удобно?", "{last}");
        }
    }
    assert!(whole >= 2, "only {whole} of 4 calls were played to the end");
    assert!(stage.asked().is_empty() && !stage.streamed().is_empty());
}

/// Without the other way a socket that is refused, or breaks, would end the call.
#[tokio::test]
async fn without_the_stream_the_dialogue_is_asked() {
    let stage = Stage::open(20.0).await;
    stage.replies(&replies());
    let gone = json!({ "stream_url": "ws://127.0.0.1:9/voice/stream", "amd": "off" });
    let played = stage.play("dialog", &number(0, 1), gone).await;
    assert_eq!(said(&played)[1..], ["Понял вас. Когда вам удобно?", "Спасибо. До свидания!"], "{}", played.log);
    assert_eq!(played.last()["fault"], Value::Null);
    // One that breaks behind a sentence: that much was said, and the next turn is asked the other way.
    let mut broken = replies();
    broken[1]["breaks"] = json!(true);
    stage.replies(&broken);
    let played = stage.play("dialog", &number(0, 1), json!({ "stream_url": stage.stream_url(), "amd": "off" })).await;
    assert_eq!(said(&played)[1..], ["Понял вас.", "Спасибо. До свидания!"], "{}", played.log);
    assert_eq!((&played.last()["fault"], &played.last()["goal"]), (&Value::Null, &json!(true)));
}

/// The fault of a reply is the call's, in both modes that ask us.
#[tokio::test]
async fn a_polite_end_of_ours_is_told_as_ours() {
    let stage = Stage::open(300.0).await;
    let sorry = json!({ "reply_text": "Извините, неполадки.", "end_session": true, "goal": false, "fault": "replier" });
    stage.replies(&[json!({ "reply_text": "" }), sorry]);
    for mode in ["dialog", "realtime"] {
        let played = stage.play(mode, &number(0, 1), json!({ "amd": "off" })).await;
        assert_eq!(said(&played).last(), Some(&"Извините, неполадки."), "{mode}: {}", played.log);
        let last = played.last();
        assert_eq!((&last["fault"], &last["goal"]), (&json!("replier"), &json!(false)), "{mode}: {last}");
    }
}

/// A filler is said, the turn is asked again, the reply follows: in both modes that ask us, or one would be compared by its
/// fillers and the other by its replies.
#[tokio::test]
async fn a_late_reply_is_asked_for_again() {
    let stage = Stage::open(300.0).await;
    let mut late = replies();
    late[1]["late"] = json!("Одну секунду.");
    stage.replies(&late);
    for mode in ["dialog", "realtime"] {
        let played = stage.play(mode, &number(0, 1), json!({ "amd": "off" })).await;
        let spoken = &said(&played)[1..];
        let expected = ["Одну секунду.", "Понял вас. Когда вам удобно?", "Спасибо. До свидания!"];
        assert_eq!(spoken, expected, "{mode}: {}", played.log);
        let turn = &played.last()["turns"][0];
        assert_eq!(turn["filler"], true, "{mode}: {}", played.last());
        assert_eq!(turn["agent_text"], "Понял вас. Когда вам удобно?", "{mode}: a filler is no reply: {turn}");
        // The reply itself was heard behind the filler; where the platform plays both as one nobody can tell when.
        match turn["content_ms"].as_i64() {
            Some(content) => assert!(mode == "dialog" && Some(content) > turn["turn_ms"].as_i64(), "{mode}: {turn}"),
            None => assert_eq!(mode, "realtime", "{turn}"),
        }
        assert_eq!(played.last()["fault"], Value::Null);
    }
    let again: Vec<bool> =
        stage.asked().iter().filter(|asked| asked["turn"] == 1).map(|asked| asked["again"] == true).collect();
    assert_eq!(again, [false, true, false, true]);
}

/// A turn that is refused costs the turn, and not the call.
#[tokio::test]
async fn a_refused_turn_is_asked_to_be_said_again() {
    let stage = Stage::open(300.0).await;
    let mut refused = replies();
    refused[1] = json!({ "refused": 413 });
    stage.replies(&refused);
    let played = stage.play("dialog", &number(0, 1), json!({ "amd": "off" })).await;
    assert_eq!(
        said(&played)[1..],
        ["Простите, вас плохо слышно. Повторите, пожалуйста.", "Спасибо. До свидания!"],
        "{}",
        played.log
    );
    assert_eq!((&played.last()["fault"], &played.last()["goal"]), (&Value::Null, &json!(true)));
}
