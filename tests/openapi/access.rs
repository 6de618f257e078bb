//! Keys, links, erasure, webhooks, a restore: each operation with a good and a bad request.

use crate::harness::number;
use crate::operations;
use crate::rounds::{At, Round, text};
use halo::app::App;
use halo::domain::Timestamp;
use halo::http::openapi::document;
use halo::store::By;
use halo::store::backup::{RestoreOrder, Restored};
use serde_json::{Value, json};

/// The way to a recording, and the recording at its end.
pub async fn listened(round: &mut Round, attempt: &str) {
    let at: At<'_> = &[("attempt", attempt)];
    let sent = round.ask("recording", at).gives(303).await;
    let way = sent.headers["location"].to_str().unwrap().to_owned();
    let told = round.ask("recording", at).header("accept", "application/json").gives(200).await.body;
    assert!(text(&told, "url").starts_with("/signed/recordings/"), "{told}");
    round.get("recording", &[("attempt", attempt), ("?", "n=x")], 400).await;
    let signed = way.split_once('?').expect("what opens it").1;
    let there: At<'_> = &[("attempt", attempt), ("?", signed)];
    round.get("playRecording", there, 200).await;
    round.ask("playRecording", there).header("range", "bytes=8-11").gives(206).await;
    round.ask("playRecording", there).header("range", "bytes=99999999-").gives(416).await;
    round.get("playRecording", &[("attempt", attempt), ("?", "n=1&until=1&by=x")], 404).await;
    round.get("playRecording", at, 400).await;
}

pub async fn slices(round: &mut Round, campaign: &str) {
    for by in ["by=hour", "by=list&from=2020-01-01T00:00:00Z"] {
        let at: At<'_> = &[("campaign", campaign), ("?", by)];
        round.get("reportSlices", at, 200).await;
        round.get("reportCalls", at, 200).await;
    }
    for id in ["reportSlices", "reportCalls"] {
        round.get(id, &[("campaign", campaign), ("?", "by=moon")], 400).await;
        round.get(id, &[("campaign", "nobody"), ("?", "by=hour")], 404).await;
    }
    let told = round.get("reportCalls", &[("campaign", campaign)], 200).await;
    assert!(!told["slowest_turns"].as_array().expect("turns").is_empty(), "{told}");
}

/// Calls judged by their words, and read by people.
pub async fn judged(round: &mut Round, run: &str) {
    let (at, nobody): (At<'_>, At<'_>) = (&[("run", run)], &[("run", "run_nobody")]);
    round.ask("judgeRun", at).json(json!({ "limit": 5 })).gives(200).await;
    round.ask("judgeRun", at).json(json!({ "by": "model" })).gives(422).await;
    round.ask("judgeRun", at).json(json!({ "by": "dice" })).gives(400).await;
    round.ask("judgeRun", nobody).gives(404).await;
    let sample = round.get("sampleToLabel", &[at[0], ("?", "n=2&seed=1")], 200).await;
    round.get("sampleToLabel", &[at[0], ("?", "n=0")], 400).await;
    round.get("sampleToLabel", nobody, 404).await;
    let call: At<'_> = &[("attempt", text(&sample["items"][0], "attempt"))];
    round.ask("labelAttempt", call).json(json!({ "goal": true })).gives(200).await;
    round.ask("labelAttempt", &[("attempt", "att_nobody")]).json(json!({ "goal": true })).gives(404).await;
}

pub async fn links(round: &mut Round, campaign: &str) {
    let at: At<'_> = &[("campaign", campaign)];
    let made = round.ask("shareReport", at).json(json!({ "days": 2, "lang": "ru" })).gives(201).await.body;
    round.ask("shareReport", at).json(json!({ "days": 99 })).gives(422).await;
    round.get("listShares", at, 200).await;
    round.get("listShares", &[("campaign", "nobody")], 404).await;
    let share: At<'_> = &[("share", text(&made, "id"))];
    let by = text(&made, "url").split_once('?').expect("what opens it").1;
    round.get("sharedReport", &[share[0], ("?", by)], 200).await;
    round.get("sharedReport", share, 400).await;
    round.get("sharedReport", &[share[0], ("?", "by=x")], 404).await;
    round.ask("unshareReport", share).gives(204).await;
    round.ask("unshareReport", &[("share", "shr_nobody")]).gives(404).await;
    round.get("sharedReport", &[share[0], ("?", by)], 404).await;
    round.get("listShares", at, 200).await;
}

/// Who is erased, and what is kept for a while only.
pub async fn kept(round: &mut Round) {
    round.ask("setRetention", &[]).json(json!({ "transcripts_days": 90, "raw_days": null })).gives(200).await;
    round.ask("setRetention", &[]).json(json!({ "transcripts_days": 0, "names_days": 1 })).gives(422).await;
    round.ask("setRetention", &[]).json(json!([])).gives(400).await;
    round.get("showRetention", &[], 200).await;
    let gone = number(0, 0);
    round.get("erasePerson", &[("number", &gone)], 200).await;
    round.get("erasePerson", &[("number", "12")], 422).await;
    round.get("erasePerson", &[("number", &number(9, 99))], 404).await;
}

pub async fn webhooks(round: &mut Round) {
    // A name that never leads anywhere (RFC 2606).
    let order = json!({ "url": "https://example.invalid/halo", "kinds": ["run.completed"], "note": "a test" });
    let made = round.ask("addWebhook", &[]).json(order).gives(201).await.body;
    round.ask("addWebhook", &[]).json(json!({ "url": "http://127.0.0.1/" })).gives(422).await;
    round.ask("addWebhook", &[]).json(json!({})).gives(400).await;
    let (at, nobody): (At<'_>, At<'_>) = (&[("webhook", text(&made, "id"))], &[("webhook", "hook_nobody")]);
    round.get("listWebhooks", &[], 200).await;
    round.ask("changeWebhook", at).json(json!({ "kinds": [], "enabled": true })).gives(200).await;
    round.ask("changeWebhook", at).json(json!({ "kinds": ["moon"] })).gives(422).await;
    round.ask("changeWebhook", at).json(json!({ "secret": "x" })).gives(400).await;
    let made_or_shown = [("showWebhook", 200), ("renewWebhookSecret", 200), ("testWebhook", 202)];
    for (id, status) in made_or_shown.into_iter().chain([("listDeliveries", 200)]) {
        round.get(id, at, status).await;
        round.get(id, nobody, 404).await;
    }
    round.get("listDeliveries", &[at[0], ("?", "before=x")], 400).await;
    let told = round.get("listDeliveries", &[at[0], ("?", "limit=1")], 200).await;
    let sent: At<'_> = &[at[0], ("delivery", text(&told["deliveries"][0], "id"))];
    round.get("redeliver", sent, 202).await;
    round.get("redeliver", &[at[0], ("delivery", "dlv_nobody")], 404).await;
    round.ask("changeWebhook", at).json(json!({ "enabled": false })).gives(200).await;
    round.get("redeliver", sent, 409).await;
    round.get("showWebhook", at, 200).await;
    round.get("removeWebhook", at, 204).await;
    round.get("removeWebhook", at, 404).await;
    round.get("listAlerts", &[], 200).await;
}

/// Keys come and go; returns one of a viewer.
pub async fn keys(round: &mut Round) -> String {
    let order = json!({ "name": "a screen on the wall", "role": "viewer", "expires_at": null });
    let viewer = text(&round.ask("addKey", &[]).json(order).gives(201).await.body, "key").to_owned();
    let made = round.ask("addKey", &[]).json(json!({ "name": "for a day", "role": "operator" })).gives(201).await.body;
    round.ask("addKey", &[]).json(json!({ "name": "", "role": "king" })).gives(422).await;
    round.ask("addKey", &[]).body("application/json", "{").gives(400).await;
    round.ask("addKey", &[]).body("text/plain", "{}").gives(415).await;
    let mine = round.ask("me", &[]).with(&viewer).gives(200).await.body;
    assert_eq!(mine["role"], "viewer");
    round.get("me", &[], 200).await;
    round.get("revokeKey", &[("key", text(&made, "id"))], 204).await;
    round.get("revokeKey", &[("key", "key_nobody")], 404).await;
    let over = round.ask("me", &[]).with(text(&made, "key")).gives(401).await.body;
    assert_eq!(over["code"], "key_over");
    round.get("listKeys", &[], 200).await;
    let page = round.get("listAudit", &[("?", "limit=5&action=key.add&since=2020-01-01T00:00:00Z")], 200).await;
    assert_eq!(page["items"].as_array().expect("lines").len(), 2, "{page}");
    round.get("listAudit", &[], 200).await;
    round.get("listAudit", &[("?", "since=yesterday")], 400).await;
    viewer
}

/// A backup was put back; and what collects the measures, asking through a proxy.
pub async fn restored(round: &mut Round, app: &App) {
    round.get("showRestore", &[], 200).await;
    round.ask("confirmRestore", &[]).gives(409).await;
    let restored = Restored { since: Timestamp(1_795_600_800_000), restored_at: app.clock.now() };
    app.store.mark_restored(RestoreOrder { restored, by: By::default() }).await.expect("marked");
    round.get("showRestore", &[], 200).await;
    round.ask("confirmRestore", &[]).json(json!({ "who": "?" })).gives(400).await;
    round.ask("confirmRestore", &[]).json(json!({ "by": "a test" })).gives(200).await;
    round.get("metrics", &[], 200).await;
    round.ask("metrics", &[]).with("").header("via", "1.1 proxy").gives(401).await;
}

/// Whatever asks for more than a viewer is refused to one. The guard: `require_key`, by the table of roles.
pub async fn of_a_lesser_role(round: &mut Round, viewer: &str) {
    let more: Vec<String> = operations(document())
        .filter(|(_, _, operation)| operation["x-least-role"].as_str().is_some_and(|least| least != "viewer"))
        .map(|(_, _, operation)| operation["operationId"].as_str().expect("a name").to_owned())
        .collect();
    assert!(more.len() > 40, "{more:?}");
    for id in more {
        let told: Value = round.ask(&id, &[]).with(viewer).gives(403).await.body;
        assert_eq!(told["code"], "forbidden", "{id}");
    }
}
