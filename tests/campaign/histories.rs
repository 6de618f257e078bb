//! What the provider tells afterwards: seconds, amounts, recordings; late, or after days.

use crate::harness::door::Door;
use crate::harness::{self, Place, World, csv, ledger, number, settings, start, take_in, until};
use halo::domain::AttemptId;
use halo::simulator::{Mischief, MischiefKind as Kind};
use halo::store::RunState;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_finished_call_is_filled_from_history() {
    let mischief = Mischief::none().with(Kind::HistoryLag, 0.5).with(Kind::EventLost, 0.75).with(Kind::StartTwice, 0.3);
    let place = Place::new(World { speed: 120.0, mischief, ..World::default() }).await;
    let app = place.serve().await;
    let list = csv([0, 5, 14, 23, 65, 75, 90].map(|ending| number(0, ending)));
    let settings = settings("filled", "mode = \"dialog\"").replace("[dial]", "[dial]\nrecord = true");
    let (campaign, _) = harness::whole_run(&app, &settings, &list).await;
    harness::laws_hold(&app, campaign).await;
    let (mut sum, mut by_event, mut by_history) = (0, 0, 0);
    for attempt in harness::attempts(&app, campaign).await {
        let id = AttemptId(attempt.attempt_id);
        let known = app.store.known_history(id).await.expect("the store answers").expect("history is copied");
        let answered = matches!(attempt.outcome.as_deref(), Some("answered" | "machine"));
        let costs: Value = serde_json::from_str(known.costs.as_deref().expect("costs")).expect("JSON");
        assert_eq!(known.finish_reason.as_deref(), Some("Normal termination"));
        assert!(known.session_s > Some(0) && known.log_url.is_some() && known.code.is_some(), "{known:?}");
        assert_eq!((known.records.len() == 1, known.talk_s > Some(0)), (answered, answered), "{known:?}");
        assert!(costs["CALLSESSION"].as_i64() > Some(0), "a session costs, whatever came of it: {costs}");
        assert_eq!(
            (costs["call"].as_i64() > Some(0), costs["ASR"].as_i64() > Some(0)),
            (answered, answered),
            "{costs}"
        );
        assert_eq!(costs["VOICEMAILDETECTION"].as_i64() > Some(0), answered, "{costs}");
        // What the attempt cost is what is billed for its sessions: a second one of the same start, too.
        let of = format!("select cost_micros from history where attempt_id = {}", attempt.attempt_id);
        let billed: Vec<(i64,)> = match app.store.db() {
            halo::store::Db::Sqlite { reader, .. } => {
                sqlx::query_as(sqlx::AssertSqlSafe(of)).fetch_all(reader).await.expect("rows")
            }
            halo::store::Db::Postgres(_) => unreachable!("the harness opens SQLite"),
        };
        let billed: i64 = billed.iter().map(|(cost,)| cost).sum();
        assert_eq!(attempt.cost_micros, Some(billed));
        sum += billed;
        // Seconds of the provider are no session time: what the session did not tell is not known.
        let told = attempt.evidence.as_deref() == Some("event");
        by_event += usize::from(told && answered);
        by_history += usize::from(!told && answered);
        assert_eq!(attempt.talk_ms.is_some(), told && answered, "{attempt:?}");
        for event in app.store.events(id).await.expect("the store answers") {
            assert!(!event.body.contains("/simulator/"), "an address was kept: {}", event.body);
        }
    }
    assert!(by_event > 0 && by_history > 0, "the seed shows both: {by_event} and {by_history}");
    let arms = serde_json::to_value(harness::report(&app, campaign).await).expect("JSON")["arms"].clone();
    let reported: i64 = arms.as_array().expect("arms").iter().filter_map(|arm| arm["cost_micros"].as_i64()).sum();
    assert_eq!(reported, sum, "the report counts what is billed");
    app.stop().await;
}

/// History cannot be read while the calls are made, and then nobody is there for ten days. With a look at runs that
/// ended two days ago at most, or with work that only memory holds, these calls stay without cost for ever.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_was_down_for_days_still_learns_what_its_calls_came_to() {
    let mut place = Place::new(World { at: Some("2026-08-17T09:00:00Z"), ..World::default() }).await;
    let mut door = Door::before(place.simulator.address()).await;
    place.api_url = format!("http://{}/platform_api", door.address);
    let app = place.serve().await;
    let list = csv((0..5).map(|ending| number(0, ending)));
    let campaign = take_in(&app, &settings("down for days", "mode = \"greeting\""), &list).await.campaign;
    let run = start(&app, campaign).await;
    until("all are called", || async { (ledger::calls(&place.simulator).await.len() == 5).then_some(()) }).await;
    door.shut().await;
    until("the run is over", || async { harness::run_of(&app, run).await.state.is_over().then_some(()) }).await;
    let left = async || app.store.sessions_left(run).await.expect("the store answers");
    let to_ask = left().await;
    assert!(to_ask > 0, "somebody is still to be asked about");
    // Long enough to have asked in vain.
    let over_at = app.clock.now();
    until("time passes", || async { (app.clock.now().since(over_at) > 240_000).then_some(()) }).await;
    assert_eq!(left().await, to_ask, "an outage takes nobody off the list");
    app.stop().await;

    place.sleep_through("2026-08-27T09:00:00Z").await;
    door.open().await;
    let app = place.serve().await;
    harness::completed(&app, run).await;
    harness::laws_hold(&app, campaign).await;
    let attempts = harness::attempts(&app, campaign).await;
    assert!(attempts.len() == 5 && attempts.iter().all(|a| a.cost_micros > Some(0)), "{attempts:?}");
    app.stop().await;
}

/// Plays a session that gets its grant and gives it back.
async fn give_back(app: &halo::app::App, start: &ledger::Line, session: usize) -> u16 {
    let client = reqwest::Client::new();
    let url = |path: &str| format!("http://{}/voximplant/{path}", app.address);
    let body = json!({ "a": start.attempt, "t": start.token, "session_id": session });
    let granted = client.post(url("grant")).json(&body).send().await.expect("an answer");
    if granted.status() != 200 {
        return granted.status().as_u16();
    }
    let granted: Value = granted.json().await.expect("JSON");
    let body = json!({ "call_id": start.attempt, "event": "NotDialled", "seq": 1, "session_id": session.to_string(),
        "reason": "the grant came too late" });
    let token = granted["event_token"].as_str().expect("a token");
    let told = client.post(url("events")).bearer_auth(token).json(&body).send().await.expect("an answer");
    told.status().as_u16()
}

/// Without the count, such a run starts session after session for ever, pays for each, and calls nobody.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_that_give_every_grant_back_pause_the_run() {
    let place =
        Place::new(World { mischief: Mischief::none().with(Kind::StartNoGrant, 1.0), ..World::default() }).await;
    let app = place.serve().await;
    let list = csv((0..4).map(|ending| number(0, ending)));
    let campaign = take_in(&app, &settings("too late", "mode = \"greeting\""), &list).await.campaign;
    let run = start(&app, campaign).await;
    let mut given_back = 0;
    let mut met = 0;
    while given_back < 10 {
        let seen = met;
        let starts = until("another session was started", || async {
            let starts = ledger::starts(&place.simulator).await;
            (starts.len() > seen).then_some(starts)
        })
        .await;
        for start in &starts[met..] {
            assert_eq!(harness::run_of(&app, run).await.state, RunState::Running, "after {given_back}");
            met += 1;
            given_back += usize::from(give_back(&app, start, 7000 + met).await == 200);
            if given_back == 10 {
                break;
            }
        }
    }
    let paused = harness::run_of(&app, run).await;
    assert_eq!(paused.state, RunState::Paused);
    assert!(paused.state_reason.as_deref().is_some_and(|why| why.contains("takes longer than 10 s")), "{paused:?}");
    assert!(ledger::calls(&place.simulator).await.is_empty());
    app.stop().await;
}
