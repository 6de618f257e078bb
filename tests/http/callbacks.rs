//! What sessions ask and tell, and what strangers try.

use crate::harness::{self, Place, csv, ledger, number, settings, start, take_in, until};
use crate::{Answer, answer, dead_sessions, get, url};
use halo::app::App;
use halo::domain::{CampaignId, RunId};
use halo::store::RunState;
use serde_json::{Value, json};

pub struct Started {
    pub app: App,
    pub campaign: CampaignId,
    pub run: RunId,
    pub starts: Vec<ledger::Line>,
}

/// A run whose sessions were started and are the test's to play.
pub async fn started(place: &Place, contacts: u32) -> Started {
    started_in(place, contacts, "dialog").await
}

async fn started_in(place: &Place, contacts: u32, mode: &str) -> Started {
    let app = place.serve().await;
    let list = csv((0..contacts).map(|ending| number(0, ending)));
    let campaign = take_in(&app, &settings("callbacks", &format!("mode = \"{mode}\"")), &list).await.campaign;
    let run = start(&app, campaign).await;
    let starts = until("the sessions were started", || async {
        Some(ledger::starts(&place.simulator).await).filter(|starts| starts.len() == contacts as usize)
    })
    .await;
    Started { app, campaign, run, starts }
}

pub async fn end(it: Started) {
    it.app.store.set_run_state(it.run, RunState::Stopped, None, it.app.clock.now()).await.expect("stopped");
    crate::harness::stop_now(it.app).await;
}

pub async fn tell(app: &App, path: &str, token: Option<&str>, body: impl Into<reqwest::Body>) -> Answer {
    let request = reqwest::Client::new().post(url(app, path)).body(body);
    answer(match token {
        Some(token) => request.bearer_auth(token),
        None => request,
    })
    .await
}

pub async fn ask(app: &App, attempt: &str, token: &str, session: impl Into<Value>) -> Answer {
    let body = json!({ "a": attempt, "t": token, "session_id": session.into() });
    tell(app, "/voximplant/grant", None, body.to_string()).await
}

/// Everything of a campaign that a callback may move. What a call cost, the provider's history tells when it likes.
async fn state(it: &Started) -> String {
    let mut attempts = harness::attempts(&it.app, it.campaign).await;
    attempts.iter_mut().for_each(|attempt| attempt.cost_micros = None);
    let mut text = format!("{attempts:?}");
    for attempt in attempts {
        let id = halo::domain::AttemptId(attempt.attempt_id);
        text += &format!("{:?}", it.app.store.events(id).await.expect("events"));
    }
    text
}

/// Without the same-session check a second session of one start dials too; without the deadline and the
/// token's hash an old session does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_grant_is_given_once_and_its_answer_as_often_as_asked() {
    let place = dead_sessions().await;
    let it = started(&place, 2).await;
    let (mine, other) = (&it.starts[0], &it.starts[1]);
    assert_eq!(ask(&it.app, "att_nothing", &mine.token, "11").await.0, 404);
    assert_eq!(ask(&it.app, &mine.attempt, &other.token, "11").await.0, 410, "another attempt's token");
    assert_eq!(ask(&it.app, &mine.attempt, "no token", "11").await.0, 410);
    assert_eq!(ask(&it.app, &mine.attempt, &mine.token, "a session").await.0, 400);
    assert_eq!(tell(&it.app, "/voximplant/grant", None, "{").await.0, 400);

    let (status, first) = ask(&it.app, &mine.attempt, &mine.token, "4294967297").await;
    assert_eq!((status, &first["call_id"]), (200, &json!(mine.attempt)));
    assert_eq!(first["granted_ms_ago"], 0);
    let to = first["to"].as_str().expect("a number");
    assert!([number(0, 0), number(0, 1)].contains(&to.to_owned()), "{to}");
    // A number or text: both are the same session.
    let (status, mut again) = ask(&it.app, &mine.attempt, &mine.token, 4_294_967_297_i64).await;
    assert_eq!(status, 200);
    assert!(again["granted_ms_ago"].as_i64().expect("an age") >= 0);
    again["granted_ms_ago"] = json!(0);
    assert_eq!(again, first, "the same session is told the same");
    let (status, taken) = ask(&it.app, &mine.attempt, &mine.token, "12").await;
    assert_eq!(status, 409);
    insta::assert_json_snapshot!(taken, @r#"
    {
      "type": "urn:halo:problem:taken",
      "title": "Conflict",
      "status": 409,
      "code": "taken",
      "detail": "another session holds this grant"
    }
    "#);

    // A gate that has closed since: the repeated request moves nothing, and nobody is dialled any more.
    let before = state(&it).await;
    it.app.store.set_run_state(it.run, RunState::Paused, None, it.app.clock.now()).await.expect("paused");
    let (status, gone) = ask(&it.app, &mine.attempt, &mine.token, "4294967297").await;
    assert_eq!((status, state(&it).await), (410, before));
    insta::assert_json_snapshot!(gone, @r#"
    {
      "type": "urn:halo:problem:gone",
      "title": "Gone",
      "status": 410,
      "code": "gone",
      "detail": "no call is to be made with this token"
    }
    "#);
    // A pause between start and grant: back to planned, with the reason.
    assert_eq!(ask(&it.app, &other.attempt, &other.token, "13").await.0, 410);
    let contacts = harness::contacts(&it.app, it.campaign).await;
    assert!(contacts.iter().any(|contact| contact.gate.as_deref() == Some("paused")), "{contacts:?}");
    end(it).await;
}

/// Every refusal comes before anything is stored: without the token's check anybody ends calls.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_s_webhook_changes_nothing() {
    let place = dead_sessions().await;
    let it = started(&place, 1).await;
    let mine = &it.starts[0];
    let (_, grant) = ask(&it.app, &mine.attempt, &mine.token, "21").await;
    let token = grant["event_token"].as_str().expect("a token").to_owned();
    // Nobody is tried again meanwhile, however long a busy machine takes for this.
    it.app.store.set_run_state(it.run, RunState::Paused, None, it.app.clock.now()).await.expect("paused");
    let before = state(&it).await;
    let event = |call: &str| {
        json!({ "call_id": call, "event": "Failed", "seq": 1, "at_ms": 900, "session_id": "21", "code": 486,
                "reason": "Busy here", "dialled_at_ms": 10, "ringing_at_ms": 400, "ended_at_ms": 900, "ring_timer": false })
    };
    let send = |token: Option<String>, body: String| {
        let app = &it.app;
        async move { tell(app, "/voximplant/events", token.as_deref(), body).await }
    };
    let right = Some(token.clone());
    for (what, code, token, body) in [
        ("an unknown attempt", 404, right.clone(), event("att_0000000000000").to_string()),
        ("no attempt at all", 404, right.clone(), event("x").to_string()),
        ("a wrong token", 401, Some("0".repeat(64)), event(&mine.attempt).to_string()),
        ("no token", 401, None, event(&mine.attempt).to_string()),
        ("the grant's token for more than NotDialled", 401, Some(mine.token.clone()), event(&mine.attempt).to_string()),
        ("no JSON", 400, right.clone(), "event=Failed".into()),
        ("an unknown event", 400, right.clone(), json!({ "call_id": mine.attempt, "event": "Sang" }).to_string()),
        ("a list", 400, right.clone(), "[]".into()),
        ("too much", 413, right.clone(), " ".repeat(64 * 1024) + &event(&mine.attempt).to_string()),
    ] {
        let (status, body) = send(token, body).await;
        assert_eq!(status, code, "{what}: {body}");
        assert_eq!(body["status"].as_u64(), Some(u64::from(code)), "{what}: {body}");
    }
    assert_eq!(state(&it).await, before, "nothing changed");

    // The true one counts, and its copy does not.
    assert_eq!(send(right.clone(), event(&mine.attempt).to_string()).await, (200, json!({ "status": "ok" })));
    let after = state(&it).await;
    assert_ne!(after, before);
    let (status, body) = send(right, event(&mine.attempt).to_string()).await;
    assert_eq!((status, &body["duplicate"]), (200, &json!(true)));
    assert_eq!(state(&it).await, after);
    let attempts = harness::attempts(&it.app, it.campaign).await;
    assert_eq!((attempts[0].outcome.as_deref(), attempts[0].code), (Some("busy"), Some(486)));
    end(it).await;
}

/// The guards: `tell_untold`, its manner, and that what a model told stands.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_model_could_not_tell_is_read_from_the_words() {
    for (mode, told, goal) in
        [("realtime_pure", None, Some(true)), ("realtime_pure", Some(false), Some(false)), ("dialog", None, None)]
    {
        let place = dead_sessions().await;
        let it = started_in(&place, 1, mode).await;
        let mine = &it.starts[0];
        let (_, grant) = ask(&it.app, &mine.attempt, &mine.token, "31").await;
        let (_, told_to) = get(&it.app, &format!("/api/v1/attempts/{}/told", mine.attempt)).await;
        let instructions = told_to["instructions"].as_str().expect("instructions");
        // Every phase is said in its turn, and answered; then the callee hangs up.
        let phases: Vec<&str> = instructions
            .lines()
            .filter_map(|line| line.strip_prefix("PHASE ")?.split_once('«')?.1.strip_suffix('»'))
            .collect();
        let said = |n: usize| phases.get(n + 1).copied().unwrap_or("Спасибо, до свидания!");
        let turns: Vec<Value> = (0..phases.len())
            .map(|n| json!({ "n": n + 1, "callee_text": "Да, конечно.", "agent_text": said(n), "turn_ms": 900 }))
            .collect();
        let event = json!({ "call_id": mine.attempt, "event": "Disconnected", "seq": 9, "at_ms": 60_000, "session_id": 31,
                            "code": 200, "hung_up_by": "callee", "goal": told, "answered_at_ms": 5_000,
                            "dialled_at_ms": 5, "talk_ms": 50_000, "turns": turns });
        let token = grant["event_token"].as_str().expect("a token");
        let (status, body) = tell(&it.app, "/voximplant/events", Some(token), event.to_string()).await;
        assert_eq!(status, 200, "{body}");
        let (_, attempt) = get(&it.app, &format!("/api/v1/attempts/{}", mine.attempt)).await;
        assert_eq!(attempt["call"]["goal"], json!(goal), "{mode}, told {told:?}: {attempt}");
        end(it).await;
    }
}

/// Without the stored answer, a request that is sent again moves the conversation on by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn asking_twice_for_one_turn_gives_one_answer() {
    let place = dead_sessions().await;
    let it = started(&place, 1).await;
    let mine = &it.starts[0];
    let (_, grant) = ask(&it.app, &mine.attempt, &mine.token, "31").await;
    let token = grant["event_token"].as_str().expect("a token").to_owned();
    let say = |token: Option<String>, body: Value| {
        let app = &it.app;
        async move { tell(app, "/voice/dialog", token.as_deref(), body.to_string()).await }
    };
    let call = mine.attempt.clone();
    let (status, opening) = say(Some(token.clone()), json!({ "call_id": call })).await;
    assert_eq!((status, opening["end_session"].as_bool()), (200, Some(false)), "{opening}");
    let turn = json!({ "call_id": call, "turn": 1, "text": "Да, слушаю.", "is_final": true });
    let (status, first) = say(Some(token.clone()), turn.clone()).await;
    assert_eq!(status, 200);
    assert!(first["reply_text"].as_str().is_some_and(|text| !text.is_empty()), "{first}");
    let other = json!({ "call_id": call, "turn": 1, "text": "Больше не звоните.", "is_final": true });
    assert_eq!(say(Some(token.clone()), turn).await, (200, first.clone()));
    assert_eq!(say(Some(token.clone()), other).await, (200, first), "the turn is answered already");
    assert_eq!(say(Some(token.clone()), json!({ "call_id": call })).await, (200, opening));

    let asked = json!({ "call_id": call, "turn": 2, "text": "Больше не звоните мне.", "is_final": true });
    assert_eq!(say(None, asked.clone()).await.0, 401);
    assert_eq!(say(Some(mine.token.clone()), asked.clone()).await.0, 401, "the grant's token is not the event's");
    assert_eq!(say(Some(token.clone()), json!({ "call_id": "att_nothing" })).await.0, 404);
    assert_eq!(say(Some(token.clone()), json!({ "call_id": call, "turn": 0, "text": "x" })).await.0, 400);
    assert!(it.app.store.suppressed(10).await.expect("a list").is_empty());
    let (_, reply) = say(Some(token), asked).await;
    assert_eq!((&reply["opt_out"], &reply["end_session"]), (&json!(true), &json!(true)), "{reply}");
    let (_, list) = get(&it.app, "/api/v1/suppressions").await;
    let first = &list["items"][0];
    assert_eq!((&first["number"], &first["by"]), (&json!(number(0, 0)), &json!("callee")), "{list}");
    end(it).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_rings_back_may_opt_out_and_a_stranger_may_not_do_it_for_them() {
    let place = dead_sessions().await;
    let app = place.serve().await;
    let key = app.store.installation_value("key").await.expect("the store answers").expect("a key");
    let body = |event: &str| json!({ "session_id": "5", "from": "79990000042", "event": event }).to_string();
    for token in [None, Some("wrong"), Some(key.as_str()), Some(harness::KEY)] {
        assert_eq!(tell(&app, "/voximplant/inbound", token, body("OptOut")).await.0, 401);
    }
    assert!(app.store.suppressed(10).await.expect("a list").is_empty());
    assert_eq!(tell(&app, "/voximplant/inbound", None, "{}").await.0, 400);

    // The scenario has the token as a secret of its application: somebody rings in and presses one.
    let rings = reqwest::Client::new().post(format!("http://{}/simulator/inbound", place.simulator.address()));
    let rings = rings.body("from=79990000042&rule_name=OutboundCallRule&tones=1").send().await.expect("an answer");
    assert_eq!(rings.status(), 200);
    until("the number is suppressed", || async {
        let list = app.store.suppressed(10).await.expect("a list");
        (list.len() == 1 && list[0].e164 == number(0, 42)).then_some(())
    })
    .await;
    crate::harness::stop_now(app).await;
}
