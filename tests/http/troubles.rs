//! Trouble on the model's side: each ends politely, and each is told as ours.

use crate::callbacks::end;
use crate::dialogue::{Line, mood};
use crate::harness::{self, Place, World, csv, number, settings};
use crate::streams;
use serde_json::{Value, json};
use std::io::{Read, Write};

/// A quick limit, so that what hangs is given up soon.
const QUICK: &[(&str, &str)] = &[("HALO_TURN_S", "0.4")];

/// Each trouble twice in a row: the second try fails too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_trouble_ends_politely_and_is_ours() {
    for (trouble, requests, says) in [
        ("wrong-key", 1, "key was refused (HTTP 401)"),
        ("bad-request", 1, "refused the request (HTTP 400)"),
        ("too-many", 2, "too many requests"),
        ("fails", 2, "server failed (HTTP 500)"),
        ("overloaded", 2, "server failed (HTTP 503)"),
        ("closes", 2, "broke off"),
        ("fails-late", 2, "in the middle of an answer"),
        ("empty", 2, "said nothing"),
        ("data", 2, "data instead of speech"),
        ("web-page", 2, "no chat completion"),
    ] {
        let line = Line::open(&[]).await;
        line.mood(json!({ "trouble": trouble })).await;
        // By both doors at once: one request answers them.
        let mut socket = streams::socket(&line, Some(&line.token)).await.unwrap();
        streams::send(&mut socket, json!({ "call_id": line.call, "turn": 1, "text": "Да, слушаю." })).await;
        let ((status, reply), (said, done)) = tokio::join!(line.say(1, "Да, слушаю."), streams::reply(&mut socket));
        assert_eq!(status, 200, "{trouble}: {reply}");
        let heard: Vec<&str> = said.iter().map(|(words, _, _)| words.as_str()).collect();
        assert_eq!(
            (json!(heard.join(" ")), &done["fault"]),
            (reply["reply_text"].clone(), &json!("replier")),
            "{done}"
        );
        assert_eq!(done["end_session"], true, "{trouble}: {done}");
        let text = reply["reply_text"].as_str().unwrap();
        assert!(text.contains("неполадки") && text.contains("Всего доброго"), "{trouble}: {reply}");
        assert_eq!(
            (&reply["end_session"], &reply["fault"], &reply["goal"]),
            (&json!(true), &json!("replier"), &json!(false))
        );
        assert_eq!(line.asked().await["requests"], requests, "{trouble}: one quick retry, where one may help");
        let story = line.story().await;
        let turn = &story["dialogue"][0];
        assert!(turn["trouble"].as_str().unwrap().contains(says), "{trouble}: {turn}");
        assert_eq!(turn["fault"], "replier", "{trouble}");
        assert!(!story.to_string().contains("sk-of-a-test"), "{trouble}: the key is told");
        end(line.it).await;
    }
}

/// One failure is mended by the retry, and nobody hears of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_failure_is_tried_again() {
    for trouble in ["too-many", "fails", "closes", "empty", "data", "web-page"] {
        let line = Line::open(&[]).await;
        line.mood(json!({ "trouble": trouble, "times": 1 })).await;
        let (_, reply) = line.say(1, "Да, слушаю.").await;
        assert!(reply["fault"].is_null() && reply["end_session"] == false, "{trouble}: {reply}");
        assert_eq!(line.asked().await["requests"], 2, "{trouble}");
        assert!(line.story().await["dialogue"][0]["trouble"].is_string(), "{trouble}: kept for whoever looks");
        end(line.it).await;
    }
}

/// Without the limit of a turn nothing would be said until the platform gives up.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_model_that_hangs_is_bridged_by_a_filler_and_then_given_up() {
    let line = Line::open(QUICK).await;
    line.mood(json!({ "trouble": "hangs" })).await;
    let (status, filler) = line.say(1, "Да").await;
    assert_eq!((status, &filler["reply_text"]), (200, &json!("Одну секунду.")), "{filler}");
    assert_eq!(
        (&filler["filler"], &filler["pending"], &filler["end_session"]),
        (&json!(true), &json!(true), &json!(false))
    );
    let again = json!({ "call_id": line.call, "turn": 1, "text": "Да", "again": true });
    let reply = harness::until("the polite end", || async {
        let (_, reply) = line.tell(again.clone()).await;
        assert_ne!(reply["reply_text"], "Одну секунду.", "one filler is enough");
        (reply["pending"] != true).then_some(reply)
    })
    .await;
    assert_eq!((&reply["fault"], &reply["end_session"]), (&json!("replier"), &json!(true)), "{reply}");
    assert_eq!(line.asked().await["requests"], 2);
    end(line.it).await;
}

/// A word a second, or nobody there at all: the turn's limit holds in both, and the end is polite and ours.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_model_that_crawls_or_is_not_there_is_given_up() {
    let closed = harness::process::free_port().to_string();
    let nobody = format!("http://{closed}/v1");
    for (more, mood, says) in [
        (QUICK.to_vec(), json!({ "trouble": "slow" }), "did not begin to answer within"),
        ([QUICK, &[("OPENAI_BASE_URL", nobody.as_str())]].concat(), json!({}), "cannot be reached"),
    ] {
        let line = Line::open(&more).await;
        line.mood(mood).await;
        line.say(1, "Да").await;
        let again = json!({ "call_id": line.call, "turn": 1, "text": "Да", "again": true });
        let reply = harness::until("the polite end", || async {
            let (_, reply) = line.tell(again.clone()).await;
            (reply["pending"] != true).then_some(reply)
        })
        .await;
        assert_eq!((&reply["fault"], &reply["end_session"]), (&json!("replier"), &json!(true)), "{says}: {reply}");
        let story = line.story().await;
        assert!(story["dialogue"][0]["trouble"].as_str().unwrap().contains(says), "{says}: {story}");
        end(line.it).await;
    }
}

/// A slow model's answer follows its filler; a slow stream ends where its last sentence did.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_model_is_waited_for() {
    let line = Line::open(QUICK).await;
    line.mood(json!({ "first_ms": 300, "piece_ms": 40 })).await;
    let (_, filler) = line.say(1, "Да").await;
    assert_eq!(filler["pending"], true, "{filler}");
    let again = json!({ "call_id": line.call, "turn": 1, "text": "Да", "again": true });
    let reply = harness::until("the reply", || async {
        let (_, reply) = line.tell(again.clone()).await;
        (reply["pending"] != true).then_some(reply)
    })
    .await;
    assert!(reply["fault"].is_null() && reply["end_session"] == false, "{reply}");
    end(line.it).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wall_of_text_and_half_an_answer_end_with_a_sentence() {
    for (trouble, says) in [("wall", "too long"), ("closes-late", "broke off")] {
        let line = Line::open(&[]).await;
        line.mood(json!({ "trouble": trouble })).await;
        let (_, reply) = line.say(1, "Да").await;
        let text = reply["reply_text"].as_str().unwrap();
        assert!(text.ends_with(['.', '?', '!']) && text.chars().count() <= 600, "{trouble}: {text}");
        assert!(reply["fault"].is_null() && !text.contains("And"), "{trouble}: {reply}");
        assert!(line.story().await["dialogue"][0]["trouble"].as_str().unwrap().contains(says), "{trouble}");
        end(line.it).await;
    }
}

/// A model that calls its tools before it speaks is told that they are done, and asked to speak.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tools_without_a_word_are_answered() {
    let line = Line::open(&[]).await;
    line.mood(json!({ "trouble": "tools-first" })).await;
    let (_, reply) = line.say(1, "Да").await;
    assert!(reply["reply_text"].as_str().is_some_and(|text| !text.is_empty()) && reply["fault"].is_null(), "{reply}");
    let asked = line.asked().await;
    assert_eq!((&asked["requests"], &asked["newest"][1]["tool_choice"]), (&json!(2), &json!("none")));
    end(line.it).await;
}

/// The key goes to the model's address through the proxy that is named, and nothing else does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proxy_is_honoured() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = format!("http://{}", listener.local_addr().unwrap());
    let asked = std::thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let (mut text, mut bytes) = (String::new(), [0; 4096]);
        while !text.contains("\r\n\r\n") {
            let n = socket.read(&mut bytes).unwrap();
            text += &String::from_utf8_lossy(&bytes[..n]);
        }
        socket.write_all(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").unwrap();
        text
    });
    let line = Line::open(&[("OPENAI_PROXY", &proxy), ("OPENAI_BASE_URL", "http://models.example.com/v1")]).await;
    let (_, reply) = line.say(1, "Да").await;
    assert_eq!(reply["fault"], "replier", "{reply}");
    let text = asked.join().unwrap();
    assert!(text.starts_with("POST http://models.example.com/v1/chat/completions HTTP/1.1"), "{text}");
    end(line.it).await;
}

/// Whole calls: what the callee hears, what the report says.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_the_report_a_broken_model_is_our_fault() {
    let mut place = Place::new(World { speed: 120.0, ..World::default() }).await;
    place.more = vec![("OPENAI_MODEL", "any".into()), ("OPENAI_BASE_URL", place.simulator.completions_url())];
    let app = place.serve().await;
    let list = csv((1..7).map(|ending| number(0, ending)));
    let modes = "modes = { dialog = 1, realtime = 1 }";
    let good = harness::whole_run(&app, &settings("good", modes), &list).await.0;
    mood(&place, json!({ "trouble": "fails" })).await;
    let list = csv((1..7).map(|ending| number(1, ending)));
    let bad = harness::whole_run(&app, &settings("bad", modes), &list).await.0;
    for (campaign, faults) in [(good, false), (bad, true)] {
        let report = harness::report(&app, campaign).await;
        let (k, answered) =
            report.arms.iter().fold((0, 0), |(k, n), arm| (k + arm.rates.fault_rate.k, n + arm.answered));
        assert_eq!(answered, 6);
        assert_eq!(k, if faults { answered } else { 0 }, "{:?}", report.arms);
        let attempts = harness::attempts(&app, campaign).await;
        for row in attempts {
            assert_eq!(row.outcome.as_deref(), Some("answered"));
            assert_eq!(row.fault.as_deref(), faults.then_some("replier"), "{row:?}");
            let session = row.session_id.expect("a session");
            let url = format!("http://{}/simulator/sessions/{session}/heard", place.simulator.address());
            let heard = reqwest::get(url).await.unwrap().text().await.unwrap();
            let last: Value = serde_json::from_str(heard.lines().last().expect("something was heard")).unwrap();
            assert_eq!(last["text"].as_str().unwrap().contains("неполадки"), faults, "{heard}");
        }
        harness::laws_hold(&app, campaign).await;
    }
    crate::harness::stop_now(app).await;
}
