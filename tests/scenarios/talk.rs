//! What a scenario must do in a call, seen from both ends: by the events that our server hears, and by what
//! the callee hears.

use crate::harness::number;
use crate::stage::{Played, Stage};
use serde_json::{Value, json};

/// Quotations, numbers, dashes, several sentences, both alphabets.
const REPLIES: [&str; 6] = [
    "Это «Ромашка», отдел «Юг»: заказ № 4815 на 12 350 ₽ — всё верно?",
    "Доставим 24 ноября, с 10:00 до 12:30. \"Оплата\" картой или наличными?",
    "Понял вас! Адрес прежний: ул. Ленина, д. 7/2, кв. 15?",
    "Order A-17 is \"ready\" — да, она уже собрана; 50 % оплачено.",
    "Ёлку, ещё одну, добавить? Это + 1 990 ₽.",
    "Спасибо большое, до свидания!",
];

fn script() -> Vec<Value> {
    let last = REPLIES.len();
    let opening = json!({ "reply_text": "Алло, это служба доставки." });
    let replies = (1..).zip(REPLIES).map(|(turn, text)| match turn == last {
        true => json!({ "reply_text": text, "end_session": true, "goal": true }),
        false => json!({ "reply_text": text, "end_session": false }),
    });
    std::iter::once(opening).chain(replies).collect()
}

/// The hybrid says what our dialogue answers, word for word; the turns report the same words.
#[tokio::test]
async fn the_hybrid_speaks_the_dialogue_s_words() {
    let stage = Stage::open(300.0).await;
    stage.replies(&script());
    let greeting = "Здравствуйте! Это «Ромашка», робот «Роза».";
    let mut whole = 0;
    for ending in 0..12 {
        let played = stage.play("realtime", &number(0, ending), json!({ "first_phrase": greeting })).await;
        assert_eq!(played.heard.first().map(String::as_str), Some(greeting), "{}", played.log);
        // Who barges in hears a reply begin, and then the next one: all of them are the dialogue's.
        let spoken: Vec<&str> = played.heard[1..].iter().map(String::as_str).collect();
        assert_eq!(spoken, REPLIES[..spoken.len()], "{}", played.log);
        let turns: Vec<Value> = played.last()["turns"].as_array().cloned().unwrap_or_default();
        let told: Vec<&str> =
            turns.iter().filter_map(|turn| turn["agent_text"].as_str()).filter(|it| !it.is_empty()).collect();
        assert!(told.iter().all(|text| REPLIES.contains(text) || text.split(' ').count() > 1), "{told:?}");
        if spoken.len() == REPLIES.len() {
            whole += 1;
            assert_eq!(played.last()["goal"], true, "{}", played.last());
            assert_eq!(played.last()["hung_up_by"], "agent", "{}", played.last());
        }
    }
    assert!(whole >= 6, "only {whole} of 12 calls were played to the end");
}

/// Without a greeting of its own it asks the dialogue for the opening.
#[tokio::test]
async fn the_hybrid_without_a_first_phrase_opens_with_the_dialogue_s() {
    let stage = Stage::open(300.0).await;
    stage.replies(&script());
    let played = stage.play("realtime", &number(0, 1), json!({ "first_phrase": "" })).await;
    assert_eq!(played.heard[..2], ["Алло, это служба доставки.", REPLIES[0]], "{}", played.log);
    assert_eq!(stage.asked()[0].get("turn"), None, "the opening has no turn");
}

/// Without a dialogue's address it follows its own instructions.
#[tokio::test]
async fn the_hybrid_without_a_dialogue_talks_on_its_own() {
    let stage = Stage::open(300.0).await;
    let tools = json!([{ "type": "function", "name": "end_call", "parameters": {} }]);
    let played = stage.play("realtime", &number(0, 1), json!({ "dialog_url": null, "tools": tools })).await;
    assert!(stage.asked().is_empty());
    assert_eq!(played.heard[1..], ["Когда вам удобно?", "Спасибо, до свидания!"], "{}", played.log);
    assert_eq!((&played.last()["goal"], &played.last()["hung_up_by"]), (&json!(true), &json!("agent")));
}

/// Guards: `declared` and the arguments that are no object in `realtime.js`, and `model` in the last event.
#[tokio::test]
async fn the_last_event_tells_what_the_model_used_and_called() {
    let stage = Stage::open(300.0).await;
    stage.replies(&script());
    let played = stage.play("realtime_pure", &number(0, 1), json!({})).await;
    let model = &played.last()["model"];
    assert_eq!(model["name"], "gpt-realtime", "{}", played.last());
    let (responses, usage) = (model["responses"].as_u64().unwrap(), &model["usage"]);
    assert!(responses >= 2 && usage["output_token_details"]["audio_tokens"].as_u64() > Some(0), "{model}");
    let total = usage["input_tokens"].as_u64().unwrap() + usage["output_tokens"].as_u64().unwrap();
    assert_eq!(usage["total_tokens"].as_u64(), Some(total), "of all responses: {model}");
    let called = |model: &Value| -> Vec<(String, String)> {
        let tools = model["tools"].as_array().unwrap().iter();
        tools
            .map(|tool| (tool["name"].as_str().unwrap().to_owned(), tool["result"].as_str().unwrap().to_owned()))
            .collect()
    };
    assert_eq!(called(model), [("end_call".to_owned(), "done".to_owned())]);
    assert!(model["tools"][0]["arguments"].as_str().unwrap().contains("\"goal\":true"), "{model}");

    for (ending, mode, next) in [(31, "realtime_pure", "end_call"), (32, "realtime", "get_reply")] {
        stage.behaviour(&number(0, ending), "model_strays").await;
        let played = stage.play(mode, &number(0, ending), json!({})).await;
        let last = played.last();
        assert_eq!((&last["fault"], &last["event"]), (&Value::Null, &json!("Disconnected")), "{mode}: {last}");
        let called = called(&last["model"]);
        assert_eq!(called[0], ("transfer_money".to_owned(), "refused".to_owned()), "{mode}: {}", played.log);
        assert!(called[1..].iter().any(|(name, result)| name == next && result == "done"), "{mode}: {called:?}");
        let tools = &last["model"]["tools"];
        assert_eq!(tools[0]["arguments"], "{}", "what is no object holds no arguments: {tools}");
    }
    let silent = stage.play("dialog", &number(0, 1), json!({})).await;
    assert_eq!(silent.last().get("model"), None, "no model spoke in it");
}

/// The notice is heard first in every mode, whether or not there is a first phrase, and the record's address
/// is in the last event.
#[tokio::test]
async fn a_recorded_call_says_so_in_every_mode() {
    let stage = Stage::open(300.0).await;
    stage.replies(&script());
    for mode in ["dialog", "realtime", "realtime_pure", "greeting"] {
        for first in ["Здравствуйте!", ""] {
            let played = stage.play(mode, &number(0, 1), json!({ "record": true, "first_phrase": first })).await;
            let all = played.heard.join(" ");
            assert!(all.starts_with("Разговор записывается."), "{mode}: {:?}\n{}", played.heard, played.log);
            let url = played.last()["record_url"].as_str().unwrap_or_default();
            assert_eq!(played.history["calls"][0]["record_url"], url, "{mode}: {}", played.last());
        }
    }
    // The script's own words about it take the place of ours.
    for mode in ["dialog", "realtime", "realtime_pure", "greeting"] {
        let own = json!({ "record": true, "record_notice": "Идёт запись для суда.", "first_phrase": "Здравствуйте!" });
        let all = stage.play(mode, &number(0, 1), own).await.heard.join(" ");
        assert!(
            all.starts_with("Идёт запись для суда. Здравствуйте!") && !all.contains("записывается"),
            "{mode}: {all}"
        );
    }
    let played = stage.play("dialog", &number(0, 1), json!({})).await;
    assert_eq!(played.last()["record_url"], Value::Null);
    assert!(!played.heard.join(" ").contains("записывается"));
}

/// A socket that closes, responses that fail, a dialogue that is down, a recogniser out of order: an apology,
/// one last event, and the fault by its name.
#[tokio::test]
async fn whatever_breaks_in_a_call_ends_it_politely() {
    let stage = Stage::open(300.0).await;
    stage.replies(&script());
    let sorry = "Извините, у нас неполадки со связью. Всего доброго.";
    for (ending, mode, behaviour, fault) in [
        (20, "realtime_pure", "model_closes", "model"),
        (21, "realtime", "model_closes", "model"),
        (22, "realtime_pure", "model_fails", "model"),
        (23, "realtime_pure", "model_breaks", "model"),
        (27, "realtime", "model_breaks", "model"),
        (26, "dialog", "recogniser_fails", "speech"),
        (24, "realtime", "talks", "replier"),
        (25, "dialog", "talks", "replier"),
    ] {
        stage.break_dialogue(fault == "replier");
        stage.behaviour(&number(0, ending), behaviour).await;
        let played = stage.play(mode, &number(0, ending), json!({})).await;
        let last = played.last();
        assert_eq!(last["event"], "Disconnected", "{mode} {behaviour}: {last}");
        assert_eq!((&last["fault"], &last["hung_up_by"]), (&json!(fault), &json!("fault")), "{mode}: {last}");
        assert_eq!(played.heard.last().map(String::as_str), Some(sorry), "{mode} {behaviour}: {}", played.log);
    }
    stage.break_dialogue(false);
    // Without a voice there are no more words.
    let played = stage.play("dialog", &number(0, 98), json!({ "amd": "off" })).await;
    assert_eq!((&played.last()["fault"], &played.last()["hung_up_by"]), (&json!("speech"), &json!("fault")));
    assert!(played.heard.is_empty(), "{:?}", played.heard);
}

/// A dialogue that says again and again that its answer is still to come is not the speaking model's fault. Guard:
/// `unanswered` in `halo.js`.
#[tokio::test]
async fn who_keeps_the_callee_waiting_is_blamed_by_name() {
    let stage = Stage::open(300.0).await;
    stage.replies(&[json!({ "stalls": 6_000 })]);
    stage.behaviour(&number(0, 28), "silent").await;
    for mode in ["dialog", "realtime"] {
        let played = stage.play(mode, &number(0, 28), json!({ "first_phrase": "" })).await;
        let last = played.last();
        assert_eq!((&last["fault"], &last["hung_up_by"]), (&json!("replier"), &json!("fault")), "{mode}: {last}");
        assert!(played.log.contains("no agent audio"), "{mode}: {}", played.log);
    }
}

/// Broken before anybody answers: no person hears silence, and it is our fault, not a cancellation.
#[tokio::test]
async fn a_model_that_refuses_while_it_rings_ends_the_call_before_the_answer() {
    let stage = Stage::open(300.0).await;
    let broken = ["model_refuses", "model_errs", "model_throttles", "model_down"];
    for (ending, behaviour) in (30..).zip(broken) {
        stage.behaviour(&number(0, ending), behaviour).await;
        for mode in ["realtime_pure", "realtime"] {
            let played = stage.play(mode, &number(0, ending), json!({})).await;
            let last = played.last();
            assert_eq!((&last["event"], &last["code"]), (&json!("Failed"), &json!(0)), "{behaviour}: {last}");
            assert!(last["reason"].as_str().is_some_and(|reason| reason.starts_with("error: model")), "{last}");
            assert!(played.heard.is_empty());
        }
    }
}

/// A machine says its own words first; then it is told ours, whole, and then we hang up.
#[tokio::test]
async fn a_message_is_left_after_the_machine_s_words() {
    let stage = Stage::open(300.0).await;
    stage.replies(&script());
    let words = "Здравствуйте! Это служба доставки. Ваш заказ готов, ждём вас завтра с десяти до восемнадцати часов. \
        Если вам удобнее другое время, перезвоните нам, пожалуйста, по номеру на сайте. Всего доброго!";
    for mode in ["dialog", "realtime", "realtime_pure", "greeting"] {
        let played = stage.play(mode, &number(0, 65), json!({ "amd": "message", "first_phrase": words })).await;
        let last = played.last();
        assert_eq!((&last["machine"], &last["hung_up_by"]), (&json!(true), &json!("agent")), "{mode}: {last}");
        assert_eq!(played.heard.last().map(String::as_str), Some(words), "{mode}: {}", played.log);
        // 62 ms a character: the message was not cut.
        let spoken = words.chars().count() as u64 * 62;
        let talk = last["talk_ms"].as_u64().expect("milliseconds");
        assert!(talk > 5_000 + spoken, "{mode}: {talk} ms for a message of {spoken}");
    }
    let marked = stage.play("dialog", &number(0, 66), json!({ "amd": "mark" })).await;
    assert_eq!((&marked.last()["machine"], marked.last()["talk_ms"].as_u64() > Some(8_000)), (&json!(true), true));
    let off = stage.play("dialog", &number(0, 66), json!({ "amd": "off" })).await;
    assert_eq!(off.last()["machine"], false);
    assert!(off.events.iter().all(|event| event["event"] != "Machine"));
}

/// A machine's end is told twice, as two different ends: one last event is posted, the first.
#[tokio::test]
async fn a_call_that_ends_twice_is_reported_once() {
    let stage = Stage::open(300.0).await;
    stage.behaviour(&number(0, 50), "machine_ends_twice").await;
    for mode in ["greeting", "realtime_pure"] {
        let played = stage.play(mode, &number(0, 50), json!({})).await;
        assert_eq!((&played.last()["event"], &played.last()["machine"]), (&json!("Disconnected"), &json!(true)));
    }
}

/// A SIP route carries the number in the address, unless the address names somebody; the caller id goes along.
#[tokio::test]
async fn a_sip_route_is_dialled_as_one() {
    let stage = Stage::open(300.0).await;
    stage.replies(&script());
    for (route, address) in [
        ("sip:trunk.example.com:5061", "sip:+79990000001@trunk.example.com:5061"),
        ("sip:+79990000075@pbx7.example.com", "sip:+79990000075@pbx7.example.com"),
    ] {
        let played = stage.play("greeting", &number(0, 1), json!({ "route": route, "amd": "hang_up" })).await;
        let call = &played.history["calls"][0];
        assert_eq!((&call["remote_number"], &call["remote_number_type"]), (&json!(address), &json!("sip address")));
        assert_eq!(call["local_number"], "74951234567");
        let busy = address.contains("0075");
        assert_eq!(played.last()["event"], if busy { "Failed" } else { "Disconnected" }, "{}", played.last());
    }
}

/// `auto` and `female` or `male` are understood in every mode, and a text of more than one synthesis is
/// spoken whole.
#[tokio::test]
async fn voices_and_languages_are_chosen_in_one_place() {
    let stage = Stage::open(300.0).await;
    stage.replies(&script());
    for mode in ["dialog", "realtime", "realtime_pure", "greeting"] {
        for voice in [json!("female"), json!("male"), json!(null), json!("Yandex.Neural.ru_RU_alena"), json!("alloy")] {
            let played = stage.play(mode, &number(0, 1), json!({ "language": "auto", "voice": voice })).await;
            assert_eq!(played.last()["fault"], Value::Null, "{mode} {voice}: {}", played.log);
            assert!(played.last()["talk_ms"].as_u64() > Some(2_000), "{mode} {voice}: {}", played.last());
        }
    }
    // What is ours to say follows the words that are theirs.
    let played = stage.play("greeting", &number(0, 1), json!({ "language": "auto", "record": true })).await;
    assert!(played.heard[0].starts_with("Разговор записывается."), "{:?}", played.heard);
    let english = json!({ "language": "auto", "record": true, "first_phrase": "Hello!", "instructions": "" });
    let played = stage.play("greeting", &number(0, 1), english).await;
    assert_eq!(played.heard, ["This call is recorded. Hello!"]);
    let long = "Это очень длинное сообщение для вас. ".repeat(60);
    let played = stage.play("greeting", &number(0, 1), json!({ "first_phrase": long.trim() })).await;
    assert_eq!(played.heard.len(), 2, "{:?}", played.heard);
    assert_eq!(played.heard.join(" "), long.trim());
    assert!(played.heard.iter().all(|piece| piece.chars().count() <= 1500));
}

/// A command ends a live call; one that came before the dialling prevents it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_hangs_up() {
    let stage = Stage::open(20.0).await;
    stage.replies(&script());
    let hang_up = r#"{"command":"hangup","request_id":"r2"}"#;
    let started = stage.begin("dialog", &number(0, 1), json!({})).await;
    stage.hears(&started, "Connected").await;
    assert_eq!(stage.command(&started, "not JSON").await, r#"{"ok":false}"#);
    assert_eq!(stage.command(&started, hang_up).await, r#"{"ok":true}"#);
    let played: Played = stage.end(&started).await;
    assert_eq!((&played.last()["event"], &played.last()["hung_up_by"]), (&json!("Disconnected"), &json!("agent")));
    assert!(played.last()["talk_ms"].as_u64() < Some(8_000), "{}", played.last());

    // The session asks for its grant meanwhile: nobody is dialled, and the attempt is over.
    let grants = stage.hold_grants();
    let started = stage.begin("dialog", &number(0, 2), json!({})).await;
    assert_eq!(stage.command(&started, hang_up).await, r#"{"ok":true}"#);
    grants.notify_one();
    let played = stage.end(&started).await;
    assert_eq!((&played.last()["event"], &played.last()["code"]), (&json!("Failed"), &json!(487)));
    assert_eq!(stage.calls().await.len(), 1, "only the first call was made");
}

/// A grant that is too old, or whose age nobody can read, dials nobody and is given back.
#[tokio::test]
async fn a_grant_of_unknown_age_is_given_back() {
    let stage = Stage::open(300.0).await;
    // To JavaScript an empty list is a zero.
    for age in [json!(10_100), json!("soon"), json!([]), json!(null)] {
        let played = stage.play("greeting", &number(0, 1), json!({ "granted_ms_ago": age })).await;
        assert_eq!(played.last()["event"], "NotDialled", "{age}: {}", played.log);
    }
    assert!(stage.calls().await.is_empty());
}

/// The end of a phrase is not told: the call ends all the same, and long before its cap.
#[tokio::test]
async fn a_phrase_whose_end_is_never_told_does_not_hold_the_line() {
    let stage = Stage::open(300.0).await;
    stage.replies(&script());
    for (ending, mode, most_ms) in [(41, "greeting", 12_000), (42, "dialog", 45_000)] {
        stage.behaviour(&number(0, ending), "end_untold").await;
        let played =
            stage.play(mode, &number(0, ending), json!({ "first_phrase": "Добрый день!", "amd": "off" })).await;
        let last = played.last();
        assert_eq!((&last["hung_up_by"], &last["fault"]), (&json!("agent"), &json!(null)), "{mode}: {last}");
        assert!(last["talk_ms"].as_u64() < Some(most_ms), "{mode}: {last}\n{}", played.log);
    }
}

/// The last event is refused as often as it is tried; the session's one last request brings it.
#[tokio::test]
async fn the_last_request_of_a_session_brings_what_was_not_stored() {
    let stage = Stage::open(300.0).await;
    stage.refuse("Failed", 3);
    let played = stage.play("greeting", &number(0, 75), json!({})).await;
    assert_eq!((&played.last()["event"], &played.last()["code"]), (&json!("Failed"), &json!(486)));
    assert_eq!(played.log.matches("event not stored (503)").count(), 3, "{}", played.log);
}

/// A goodbye that goes on and on ends with the call's cap, soon after it.
#[tokio::test]
async fn a_long_goodbye_does_not_outlast_the_cap() {
    let stage = Stage::open(300.0).await;
    let long = "И ещё одно, последнее. ".repeat(60);
    stage.replies(&[json!({}), json!({ "reply_text": long, "end_session": true, "goal": true })]);
    let played = stage.play("dialog", &number(0, 1), json!({ "call_s": 20, "amd": "off" })).await;
    assert!(played.heard.last().is_some_and(|text| text.starts_with("И ещё одно")), "{:?}", played.heard);
    assert_eq!((&played.last()["hung_up_by"], &played.last()["fault"]), (&json!("limit"), &json!(null)));
    let talk = played.last()["talk_ms"].as_u64().expect("milliseconds");
    assert!((20_000..40_000).contains(&talk), "{talk} ms: {}", played.log);
}

/// Detection that never answers is a person, in time, and the talk has gone on meanwhile.
#[tokio::test]
async fn machine_detection_that_never_answers_is_given_up() {
    let stage = Stage::open(300.0).await;
    stage.replies(&script());
    for (ending, mode) in [(1, "dialog"), (2, "realtime_pure")] {
        stage.behaviour(&number(0, ending), "never_detected").await;
        let played = stage.play(mode, &number(0, ending), json!({})).await;
        let (found, connected) = (played.event("Machine"), played.event("Connected"));
        assert_eq!(found["result"], "TIMEOUT");
        let took = found["at_ms"].as_u64().zip(connected["at_ms"].as_u64()).map(|(at, from)| at - from);
        assert_eq!(took, Some(7_000), "its own time and two seconds more");
        assert_eq!((&played.last()["machine"], &played.last()["fault"]), (&json!(false), &json!(null)));
        assert!(played.last()["first_audio_ms"].as_u64() < Some(3_000), "the agent does not wait for it");
    }
}
