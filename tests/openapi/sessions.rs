//! What sessions ask and tell, with a session that the test plays.

use crate::harness::{Place, World, csv, ledger, number, settings, start, take_in, until};
use crate::rounds::{Asked, Round};
use halo::app::App;
use halo::domain::Token;
use halo::simulator::{Mischief, MischiefKind as Kind};
use halo::store::RunState;
use serde_json::{Value, json};

/// A world of its own, in which sessions die at once; its answers go into the same book.
pub async fn play(round: &mut Round) {
    let mischief = Mischief::none().with(Kind::StartNoGrant, 1.0);
    let mut place = Place::new(World { speed: 120.0, mischief, ..World::default() }).await;
    place.more =
        vec![("OPENAI_BASE_URL", place.simulator.completions_url()), ("OPENAI_API_KEY", "sk-of-a-test".to_owned())];
    let app = place.serve().await;
    let campaign = take_in(&app, &settings("played", "mode = \"dialog\""), &csv([number(0, 1)])).await.campaign;
    let run = start(&app, campaign).await;
    let mine = until("the session was started", || async { ledger::starts(&place.simulator).await.into_iter().next() });
    let mine = mine.await;
    let outside = std::mem::replace(&mut round.address, format!("http://{}", app.address));

    let asked = |token: &str| json!({ "a": mine.attempt, "t": token, "session_id": "77" });
    round.ask("grant", &[]).json(json!({ "a": 1 })).gives(400).await;
    round.ask("grant", &[]).json(json!({ "a": "att_nobody", "t": mine.token, "session_id": 1 })).gives(404).await;
    round.ask("grant", &[]).json(asked(&"0".repeat(32))).gives(410).await;
    let granted = round.ask("grant", &[]).json(asked(&mine.token)).gives(200).await.body;
    let other = json!({ "a": mine.attempt, "t": mine.token, "session_id": 78 });
    round.ask("grant", &[]).json(other).gives(409).await;
    let token = granted["event_token"].as_str().expect("a token").to_owned();

    let event = |name: &str, seq: i64, more: Value| {
        let mut event =
            json!({ "call_id": mine.attempt, "event": name, "seq": seq, "at_ms": seq * 1000, "session_id": "77" });
        event.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
        event
    };
    round.ask("sessionEvent", &[]).with(&token).json(event("Ringing", 1, json!({}))).gives(200).await;
    round.ask("sessionEvent", &[]).with(&token).json(event("Ringing", 1, json!({}))).gives(200).await;
    round.ask("sessionEvent", &[]).with(&token).json(event("Singing", 2, json!({}))).gives(400).await;
    round.ask("sessionEvent", &[]).with("another").json(event("Connected", 2, json!({}))).gives(401).await;
    round.ask("sessionEvent", &[]).with(&token).json(event("Connected", 2, json!({}))).gives(200).await;

    let said = |turn: i64, text: &str| json!({ "call_id": mine.attempt, "turn": turn, "text": text, "is_final": true });
    round.ask("dialog", &[]).with(&token).json(json!({ "call_id": mine.attempt })).gives(200).await;
    round.ask("dialog", &[]).with(&token).json(said(1, "Да")).gives(200).await;
    round.ask("dialog", &[]).with(&token).json(said(9, "Да")).gives(409).await;
    round.ask("dialog", &[]).with("another").json(said(1, "Да")).gives(401).await;
    drop(upgrade(round.ask("dialogStream", &[]).with(&token)).gives(101).await);
    round.ask("dialogStream", &[]).with(&token).gives(400).await;
    let of: &[(&str, &str)] = &[("?", &format!("call_id={}", mine.attempt))];
    round.ask("mediaStream", of).with("another").gives(401).await;
    round.ask("mediaStream", &[("?", "call_id=att_nobody")]).with(&token).gives(404).await;
    drop(upgrade(round.ask("mediaStream", of).with(&token)).gives(101).await);

    let inbound = secret(&app).await;
    let back = |event: &str| json!({ "session_id": 5, "from": number(0, 2), "event": event });
    round.ask("inbound", &[]).with(&inbound).json(back("Rang")).gives(200).await;
    round.ask("inbound", &[]).with(&inbound).json(back("Sang")).gives(400).await;
    round.ask("inbound", &[]).with("another").json(back("Rang")).gives(401).await;

    round.address = outside;
    app.store.set_run_state(run, RunState::Stopped, None, app.clock.now()).await.expect("stopped");
    crate::harness::stop_now(app).await;
}

/// What deploy writes into the provider's application, made as the service makes it.
async fn secret(app: &App) -> String {
    let key = app.store.installation_value("key").await.expect("the store answers").expect("a key");
    Token::event_token(&Token::from_random([0; 16]).hash(), &[key.as_bytes(), b"inbound"].concat())
}

/// Asks for a WebSocket.
fn upgrade(asked: Asked<'_>) -> Asked<'_> {
    let asked = asked.header("connection", "upgrade").header("upgrade", "websocket");
    asked.header("sec-websocket-version", "13").header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
}
