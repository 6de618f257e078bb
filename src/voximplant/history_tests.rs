//! What the platform remembers, read whole; and how a call that was given up ends.

use super::callback::{self, What};
use super::tests::platform;
use super::*;
use crate::domain::{Outcome, SessionId, Timestamp};
use serde_json::{Value, json};

/// A platform that holds its pages short of what was asked for. Without the offset the rest is never read.
#[tokio::test]
async fn history_is_read_to_its_last_page() {
    let (stub, client) = platform(|_, asked| {
        let ids: Vec<i64> = asked["call_session_history_id"].split(';').map(|id| id.parse().unwrap()).collect();
        let offset: usize = asked["offset"].parse().unwrap();
        let page: Vec<Value> =
            ids.iter().skip(offset).take(40).map(|id| json!({ "call_session_history_id": id })).collect();
        // One row that nobody can read hides no other.
        let page = if offset == 40 { [page, vec![json!({ "duration": 1 })]].concat() } else { page };
        (200, json!({ "result": page, "count": page.len(), "total_count": ids.len() + 1 }))
    })
    .await;
    let sessions: Vec<SessionId> = (1..=100).map(SessionId).collect();
    let known = client.history(&sessions, Timestamp(1_790_000_000_000)).await.unwrap();
    assert_eq!(known.len(), 99, "one was pushed off the last page by the row that is none");
    let offsets: Vec<String> = stub.asked.lock().unwrap().iter().map(|(_, asked)| asked["offset"].clone()).collect();
    assert_eq!(offsets, ["0", "40", "81"]);
}

#[test]
fn what_was_billed_and_recorded_is_told_apart() {
    let row = json!({ "call_session_history_id": 7, "finish_reason": "Normal termination", "duration": 41,
        "log_file_url": "https://storage.example/log",
        "calls": [
            { "incoming": false, "successful": true, "duration": 32, "cost": 0.021, "record_url": "https://storage.example/1" },
            { "incoming": true, "successful": true, "duration": 30, "cost": 0.001 },
            { "incoming": false, "successful": true, "duration": 12, "cost": "0.002", "record_url": "https://storage.example/2" },
        ],
        "records": [{ "record_url": "https://storage.example/2", "duration": 31, "cost": 0.0005, "transcription_url": "https://storage.example/t" }],
        "other_resource_usage": [
            { "resource_type": "ASR", "cost": 0.0015 }, { "resource_type": "ASR", "cost": 0.0015 },
            { "resource_type": "VOICEMAILDETECTION", "cost": 0.005 }, { "resource_type": "CALLSESSION" },
        ] });
    let told = history::evidence(row).unwrap();
    assert_eq!((told.session_s, told.talk_s, told.calls), (Some(41), Some(12), 2), "the last outgoing call's seconds");
    let costs: Vec<(&str, i64)> = told.costs.iter().map(|(kind, cost)| (kind.as_str(), *cost)).collect();
    assert_eq!(costs, [("ASR", 3000), ("VOICEMAILDETECTION", 5000), ("call", 24_000), ("record", 500)]);
    assert_eq!(told.cost_micros, Some(32_500));
    let records: Vec<(&str, Option<i64>)> = told.records.iter().map(|r| (r.url.as_str(), r.duration_s)).collect();
    assert_eq!(records, [("https://storage.example/2", Some(31)), ("https://storage.example/1", Some(32))]);
    assert!(!told.body.contains("storage.example"), "no address in the archive: {}", told.body);
    let bare = history::evidence(json!({ "call_session_history_id": 7 })).unwrap();
    assert_eq!(
        (bare.cost_micros, bare.records.len(), bare.log_url),
        (None, 0, None),
        "nothing told is not nothing paid"
    );
}

/// A call that a session of ours gave up before the answer ends by what made it do so.
#[test]
fn a_hang_up_before_the_answer_ends_by_its_cause() {
    let failed = |code: i64, more: Value| {
        let mut body = json!({ "call_id": "att_1", "event": "Failed", "seq": 2, "session_id": "7", "code": code });
        more.as_object().unwrap().iter().for_each(|(name, value)| body[name] = value.clone());
        callback::parse(&body).unwrap().what
    };
    for (code, more, outcome) in [
        (487, json!({ "ring_timer": true }), Outcome::NoAnswer),
        (487, json!({ "hung_up_by": "limit" }), Outcome::NoAnswer),
        (487, json!({ "hung_up_by": "agent" }), Outcome::Cancelled),
        (487, json!({ "hung_up_by": "fault", "fault": "model" }), Outcome::ScenarioError),
        (487, json!({ "hung_up_by": "fault", "fault": "model", "ring_timer": true }), Outcome::NoAnswer),
        (487, json!({}), Outcome::Cancelled),
        (0, json!({ "ring_timer": true }), Outcome::NoAnswer),
        (0, json!({ "hung_up_by": "agent" }), Outcome::Cancelled),
        (0, json!({}), Outcome::ScenarioError),
        (486, json!({ "ring_timer": true }), Outcome::Busy),
    ] {
        assert_eq!(failed(code, more.clone()), What::Finished(outcome), "{code} {more}");
    }
}

#[test]
fn where_a_recording_lies_is_not_kept_with_its_event() {
    let body = json!({ "call_id": "att_1", "event": "Disconnected", "seq": 3, "session_id": "7",
        "record_url": "https://storage.example/secret.mp3" });
    assert_eq!(callback::parse(&body).unwrap().call.unwrap().recorded, Some(true));
    let kept = callback::kept(body);
    assert!(!kept.to_string().contains("storage") && kept["seq"] == 3, "{kept}");
}

#[test]
fn a_mode_s_route_is_read_with_it() {
    let entry = |route: &str| {
        let text = format!("[[mode]]\nname = 'a'\nsummary = ''\nscenario = 's'\nrule = 'r'\nfile = 'f.js'\n{route}");
        Modes::read(&text, &|_| None).map(|modes| modes.iter().next().unwrap().route.to_string())
    };
    assert_eq!(entry("").unwrap(), "pstn");
    assert_eq!(entry("route = 'sip:{number}@sip.example.com'").unwrap(), "sip:{number}@sip.example.com");
    assert!(matches!(entry("route = 'somewhere'"), Err(ModesError::Toml(_))));
}
