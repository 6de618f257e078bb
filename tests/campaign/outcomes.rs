//! Every code that a call can fail with and every finding of machine detection, by the real path: a start, a
//! session, its grant, its events, the settling, and the report that counts them.

use crate::harness::{self, KEY, Place, World, csv, ledger, number, start, take_in, until};
use halo::app::App;
use halo::domain::{AttemptId, CampaignId};
use halo::store::RunState;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What answers at a number whose last digits are these, what comes of it, and by which code. A name gives
/// the number a behaviour that no digits have.
const CASES: &[(u32, Option<&str>, &str, Option<i64>)] = &[
    (75, None, "busy", Some(486)),
    (85, None, "unavailable", Some(480)),
    // Our own timer hangs up first …
    (78, None, "no_answer", Some(487)),
    // … unless the network is quicker.
    (1, Some("request_timeout"), "no_answer", Some(408)),
    // Terminated, and not by our timer.
    (2, Some("terminated"), "cancelled", Some(487)),
    (90, None, "invalid_number", Some(404)),
    (88, None, "rejected", Some(603)),
    (92, None, "prohibited", Some(403)),
    (96, None, "network_error", Some(503)),
    (3, Some("incomplete_address"), "network_error", Some(484)),
    (4, Some("not_acceptable"), "network_error", Some(488)),
    (5, Some("server_error"), "network_error", Some(500)),
    (6, Some("bad_gateway"), "network_error", Some(502)),
    (7, Some("gateway_timeout"), "network_error", Some(504)),
    (65, None, "machine", Some(200)),
    (8, Some("machine_mimic"), "machine", Some(200)),
    (9, Some("human"), "answered", Some(200)),
    (10, Some("undecided"), "answered", Some(200)),
    (11, Some("gone_at_once"), "answered", Some(200)),
];

/// What machine detection said of the numbers that answered.
const FINDINGS: &[(u32, &str, &str)] = &[
    (65, "VOICEMAIL", ""),
    (8, "VOICEMAIL", "MIMIC"),
    (9, "HUMAN", "NONE"),
    (10, "TIMEOUT", "NONE"),
    (11, "CALL_ENDED", "NONE"),
];

fn settings(mode: &str) -> String {
    format!(
        "name = \"outcomes of {mode}\"\npurpose = \"test\"\nmode = \"{mode}\"\n\
         [dial]\ncps = 20\nlines = 60\nring_s = 30\ncall_s = 240\n[retry]\nattempts_max = 1\n"
    )
}

async fn behave(place: &Place, number: &str, behaviour: Option<&str>) {
    let url = format!("http://{}/simulator/callees", place.simulator.address());
    let body = json!({ "number": number, "behaviour": behaviour }).to_string();
    let told = reqwest::Client::new().post(url).body(body).send().await.expect("an answer");
    assert_eq!(told.status(), 204, "{behaviour:?}");
}

/// The report as a reader gets it.
async fn report(app: &App, campaign: CampaignId) -> Value {
    let url = format!("http://{}/api/v1/campaigns/{campaign}/report.json", app.address);
    let told = reqwest::Client::new().get(url).bearer_auth(KEY).send().await.expect("an answer");
    assert_eq!(told.status(), 200);
    told.json().await.expect("JSON")
}

/// Without a code's line in `voximplant::outcome::of_code` its outcome is counted as another one here.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_outcome_and_every_finding_reaches_the_report_in_every_mode() {
    let place = Place::new(World { speed: 120.0, ..World::default() }).await;
    let app = place.serve().await;
    let modes = ["dialog", "realtime", "realtime_pure", "greeting"];
    let mut runs = Vec::new();
    for (nth, mode) in (0..).zip(modes) {
        for (ending, behaviour, _, _) in CASES.iter().filter(|(_, behaviour, _, _)| behaviour.is_some()) {
            behave(&place, &number(nth, *ending), *behaviour).await;
        }
        let list = csv(CASES.iter().map(|(ending, ..)| number(nth, *ending)));
        let campaign = take_in(&app, &settings(mode), &list).await.campaign;
        runs.push((nth, mode, campaign, start(&app, campaign).await));
    }
    let mut expected: BTreeMap<&str, u64> = BTreeMap::new();
    for (_, _, outcome, _) in CASES {
        *expected.entry(outcome).or_default() += 1;
    }
    for (nth, mode, campaign, run) in runs {
        harness::completed(&app, run).await;
        harness::laws_hold(&app, campaign).await;
        let attempts = harness::attempts(&app, campaign).await;
        let at = |ending: u32| attempts.iter().find(|row| row.e164 == number(nth, ending)).expect("an attempt");
        for (ending, behaviour, outcome, code) in CASES {
            let row = at(*ending);
            let told = (row.outcome.as_deref(), row.code);
            assert_eq!(told, (Some(*outcome), *code), "{mode} {ending} {behaviour:?}");
        }
        for (ending, class, subtype) in FINDINGS {
            let events = app.store.events(AttemptId(at(*ending).attempt_id)).await.expect("events");
            let found: Vec<Value> = events
                .iter()
                .filter(|event| event.event == "Machine")
                .map(|event| serde_json::from_str(&event.body).expect("JSON"))
                .collect();
            assert_eq!(found.len(), 1, "{mode} {ending}: {found:?}");
            assert_eq!(found[0]["result"], *class, "{mode} {ending}");
            assert!(subtype.is_empty() || found[0]["subtype"] == *subtype, "{mode} {ending}: {}", found[0]);
        }
        let told = report(&app, campaign).await;
        let arm = &told["arms"][0];
        // What speaks of nobody at the other end is set apart.
        let apart = told["before_answer"].as_array().expect("a list");
        let cancelled = apart.iter().filter(|row| row["outcome"] == "cancelled").filter_map(|row| row["n"].as_u64());
        let mut counted: BTreeMap<&str, u64> = arm["outcomes"]
            .as_object()
            .expect("outcomes")
            .iter()
            .filter_map(|(outcome, n)| Some((outcome.as_str(), n.as_u64()?)).filter(|(_, n)| *n > 0))
            .collect();
        counted.extend(cancelled.map(|n| ("cancelled", n)));
        assert_eq!(counted, expected, "{mode}");
        assert_eq!((&arm["human"], &arm["machine"]), (&json!(3), &json!(2)), "{mode}");
    }
    assert_eq!(ledger::no_attempt_twice(&place.simulator).await, modes.len() * CASES.len());
    app.stop().await;
}

/// 402: the run waits for an operator, and the contact has lost no try by it. Without the alarm the run goes
/// through its whole list with the same answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_without_funds_pauses_the_run_and_is_not_counted() {
    let place = Place::new(World::default()).await;
    let app = place.serve().await;
    let callee = number(0, 1);
    behave(&place, &callee, Some("no_funds")).await;
    let campaign = take_in(&app, &settings("greeting"), &csv([&callee])).await.campaign;
    let run = start(&app, campaign).await;
    let paused = until("the run is paused", || async {
        Some(harness::run_of(&app, run).await).filter(|run| run.state == RunState::Paused)
    })
    .await;
    let reason = paused.state_reason.unwrap_or_default();
    assert!(reason.contains("no funds") && reason.contains("top it up"), "{reason}");
    let told = report(&app, campaign).await;
    let apart = json!([{ "mode": "greeting", "outcome": "no_funds", "fault": "provider", "n": 1 }]);
    assert_eq!((&told["before_answer"], &told["arms"][0]["attempts"]), (&apart, &json!(0)), "set apart, in no rate");
    let contact = &harness::contacts(&app, campaign).await[0];
    assert_eq!((contact.gate.as_deref(), contact.disposition.as_deref()), (Some("provider"), None), "{contact:?}");

    behave(&place, &callee, None).await;
    app.store.set_run_state(run, RunState::Running, None, app.clock.now()).await.expect("resumed");
    harness::completed(&app, run).await;
    let found = harness::outcomes(&app, campaign).await;
    // The cap is one try: it was still to come.
    assert_eq!(found[&callee].1, ["no_funds", "answered"]);
    app.stop().await;
}
