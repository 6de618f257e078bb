//! What modes are told to say: of one attempt, and of a campaign before anybody is called.

use super::voice::variables;
use super::{Problem, Web};
use crate::dialogue::{Manner, Variables, told};
use crate::domain::{AttemptId, Mode};
use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};
use std::sync::Arc;

/// The modes of this installation, and how each talks.
pub(super) async fn modes(State(web): State<Arc<Web>>) -> Json<Value> {
    let has_dialog = web.voice.dialog_url.is_some();
    let each = web.modes.iter().map(|mode| {
        let route = web.voice.routes.get(mode).map(ToString::to_string);
        json!({ "mode": mode, "manner": Manner::of(mode, has_dialog).as_str(), "route": route })
    });
    Json(json!({ "items": each.collect::<Vec<_>>() }))
}

/// Composed anew from the campaign's script and the contact: `same` says whether it is what the session was told.
pub(super) async fn of_attempt(State(web): State<Arc<Web>>, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    let missing = || Problem::missing(format!("attempt `{id}` does not exist"));
    let attempt: AttemptId = id.parse().map_err(|_| missing())?;
    let held = web.store.attempt(attempt).await?.ok_or_else(missing)?;
    let story = web.store.story(attempt).await?.ok_or_else(missing)?;
    let script = web.script(held.campaign).await?;
    let manner = Manner::of(&held.mode, web.voice.dialog_url.is_some());
    let rules = web.dialer.rules(held.campaign).await?;
    let told = told(&script, manner, &variables(&held)).handled(&rules.settings.dial);
    let mut body = shown(&held.mode, manner, &told);
    body["same"] = json!(story.told.map(|was| was == told.fingerprint));
    Ok(Json(body))
}

/// What each mode would be told of the campaign's first contact.
pub(super) async fn of_campaign(
    State(web): State<Arc<Web>>,
    Path(campaign): Path<String>,
) -> Result<Json<Value>, Problem> {
    let campaign = web.store.find_campaign(&campaign).await?;
    let script = web.script(campaign.campaign).await?;
    let first = web.store.contacts(campaign.campaign, 0, 1).await?.into_iter().next();
    let known: Variables = first.as_ref().and_then(|row| serde_json::from_str(&row.variables).ok()).unwrap_or_default();
    let has_dialog = web.voice.dialog_url.is_some();
    let each = web.modes.iter().map(|mode| {
        let manner = Manner::of(mode, has_dialog);
        shown(mode, manner, &told(&script, manner, &known))
    });
    Ok(Json(json!({ "line": first.map(|row| row.line), "script": campaign.script, "items": each.collect::<Vec<_>>() })))
}

fn shown(mode: &Mode, manner: Manner, told: &crate::dialogue::Told) -> Value {
    json!({
        "mode": mode, "manner": manner.as_str(), "language": told.language, "voice": told.voice,
        "first_phrase": told.first_phrase, "instructions": told.instructions, "tools": told.tools,
        "fingerprint": told.fingerprint,
    })
}
