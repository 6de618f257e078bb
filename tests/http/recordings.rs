//! Audio and logs are passed on; where they lie is told to nobody.

use super::{answer, dead_sessions, get, place, url};
use crate::harness::{self, KEY, Place, csv, ledger, number, settings, start, take_in, until};
use halo::app::App;
use halo::config::Config;
use halo::domain::AttemptId;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

fn recorded(name: &str) -> String {
    settings(name, "mode = \"greeting\"").replace("[dial]", "[dial]\nrecord = true\namd = \"mark\"")
}

/// Two numbers: one talks, one is busy; their attempts' ids.
async fn two_calls(app: &App, name: &str) -> [String; 2] {
    let list = csv([number(0, 1), number(0, 75)]);
    let (campaign, _) = harness::whole_run(app, &recorded(name), &list).await;
    let attempts = harness::attempts(app, campaign).await;
    ["answered", "busy"].map(|outcome| {
        let found = attempts.iter().find(|attempt| attempt.outcome.as_deref() == Some(outcome));
        AttemptId(found.expect("both endings").attempt_id).to_string()
    })
}

async fn download(
    app: &App,
    path: &str,
    range: Option<&str>,
) -> (reqwest::StatusCode, reqwest::header::HeaderMap, Vec<u8>) {
    let mut request = reqwest::Client::new().get(url(app, &format!("/api/v1/attempts/{path}"))).bearer_auth(KEY);
    if let Some(range) = range {
        request = request.header("range", range);
    }
    let answer = request.send().await.expect("an answer");
    (answer.status(), answer.headers().clone(), answer.bytes().await.expect("a body").to_vec())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recording_and_a_log_are_passed_on_and_their_addresses_are_not() {
    let mut place = place().await;
    let app = place.serve().await;
    let [talked, busy] = two_calls(&app, "recorded").await;

    let (status, headers, audio) = download(&app, &format!("{talked}/recording"), None).await;
    assert_eq!(
        (status.as_u16(), &headers["content-type"], &audio[..4]),
        (200, &"audio/wav".parse().unwrap(), &b"RIFF"[..])
    );
    assert_eq!(headers["content-disposition"], format!("attachment; filename=\"{talked}.wav\""));
    assert_eq!(headers["content-length"], audio.len().to_string());
    let (status, headers, part) = download(&app, &format!("{talked}/recording?n=1"), Some("bytes=8-11")).await;
    assert_eq!((status.as_u16(), &part[..]), (206, &b"WAVE"[..]));
    assert_eq!(headers["content-range"], format!("bytes 8-11/{}", audio.len()));
    let (status, headers, log) = download(&app, &format!("{talked}/log"), None).await;
    let log = String::from_utf8(log).expect("text");
    assert_eq!((status.as_u16(), &headers["content-type"]), (200, &"text/plain; charset=utf-8".parse().unwrap()));
    assert!(log.contains("Call.Connected"), "{log}");

    for (path, range, expected) in [
        (format!("{talked}/recording"), Some("bytes=99999999-"), 416),
        (format!("{talked}/recording"), Some("lines=1-2"), 400),
        (format!("{talked}/recording?n=2"), None, 404),
        (format!("{talked}/recording?n=0"), None, 404),
        (format!("{busy}/recording"), None, 404),
        ("att_nothing/recording".to_owned(), None, 404),
        ("att_nothing/log".to_owned(), None, 404),
    ] {
        assert_eq!(download(&app, &path, range).await.0.as_u16(), expected, "{path} {range:?}");
    }
    for path in ["recording", "log"] {
        let (status, _) =
            answer(reqwest::Client::new().get(url(&app, &format!("/api/v1/attempts/{talked}/{path}")))).await;
        assert_eq!(status, 401, "without the key");
    }

    let (_, told) = get(&app, &format!("/api/v1/attempts/{talked}")).await;
    assert_eq!((&told["history"]["recordings"], &told["history"]["log"]), (&json!(1), &json!(true)));
    assert!(
        told["history"]["cost_micros"].as_i64() > Some(0) && told["history"]["talk_s"].as_i64() > Some(0),
        "{told}"
    );
    for path in [
        format!("attempts/{talked}"),
        "campaigns/recorded/attempts".into(),
        "campaigns/recorded/attempts.csv".into(),
        "campaigns/recorded/report.json".into(),
    ] {
        let (_, body) = get(&app, &format!("/api/v1/{path}")).await;
        assert!(!body.to_string().contains("/simulator/"), "{path} tells an address: {body}");
    }

    // The storage is gone: our word for it names no address either.
    let idle = halo::simulator::start(halo::simulator::Settings::default()).await.expect("a simulator starts");
    std::mem::replace(&mut place.simulator, idle).stop().await;
    for path in ["recording", "log"] {
        let (status, body) = get(&app, &format!("/api/v1/attempts/{talked}/{path}")).await;
        assert_eq!((status, body["code"].as_str()), (502, Some("provider")), "{body}");
        assert!(!body.to_string().contains("http://"), "{body}");
    }
    crate::harness::stop_now(app).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_there_yet_is_not_called_missing() {
    let place = dead_sessions().await;
    let app = place.serve().await;
    for (name, settings, recording) in
        [("asked", recorded("asked"), 409), ("not asked", settings("not asked", "mode = \"greeting\""), 404)]
    {
        let campaign = take_in(&app, &settings, &csv([number(u32::from(name == "asked"), 1)])).await.campaign;
        start(&app, campaign).await;
        let ours = async || {
            let attempts = harness::attempts(&app, campaign).await;
            attempts.first().map(|attempt| AttemptId(attempt.attempt_id).to_string())
        };
        let started = || async {
            let (ours, starts) = (ours().await?, ledger::starts(&place.simulator).await);
            starts.into_iter().find(|start| start.attempt == ours)
        };
        let started = until("a session was started", started).await;
        let path = |what: &str| format!("/api/v1/attempts/{}/{what}", started.attempt);
        assert_eq!(get(&app, &path("log")).await.0, 404, "{name}: nobody was granted");
        let session = 7000 + started.attempt.len();
        let body = json!({ "a": started.attempt, "t": started.token, "session_id": session });
        let granted =
            reqwest::Client::new().post(url(&app, "/voximplant/grant")).json(&body).send().await.expect("an answer");
        let granted: Value = granted.json().await.expect("JSON");
        let told = (granted["record"].as_bool(), granted["amd"].as_str(), granted["route"].as_str());
        let expected = if recording == 409 { (true, "mark") } else { (false, "hang_up") };
        assert_eq!(told, (Some(expected.0), Some(expected.1), Some("pstn")), "{granted}");
        assert_eq!(get(&app, &path("recording")).await.0, recording, "{name}");
        assert_eq!(get(&app, &path("log")).await.0, 409, "{name}");
    }
    crate::harness::stop_now(app).await;
}

/// An application with secure storage, and an account known by its key alone: the key is no bearer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secure_storage_asks_for_a_service_account() {
    let place: Place = place().await;
    let (account, key) = Config::simulated_account();
    let form = [
        ("account_id", account.as_str()),
        ("api_key", key.expose_secret()),
        ("application_name", "halo-demo"),
        ("secure_record_storage", "true"),
    ];
    let made = reqwest::Client::new().post(format!("{}/AddApplication", place.simulator.url())).form(&form);
    let (_, made) = answer(made).await;
    assert_eq!(made["secure_record_storage"], true, "{made}");
    let app = place.serve().await;
    let [talked, _] = two_calls(&app, "secure").await;
    for path in ["recording", "log"] {
        let (status, body) = get(&app, &format!("/api/v1/attempts/{talked}/{path}")).await;
        assert_eq!(status, 502, "{body}");
        assert!(body["detail"].as_str().is_some_and(|why| why.contains("VOXIMPLANT_KEY_FILE")), "{body}");
    }
    crate::harness::stop_now(app).await;
}
