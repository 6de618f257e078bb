//! What modes are told to say: of one attempt, and of a campaign before anybody is called.

use super::voice::variables;
use super::{Problem, Web};
use crate::dialer::SINGLE;
use crate::dialogue::{self, Manner, Told, Variables};
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
        json!({ "mode": mode, "manner": Manner::of(mode, has_dialog), "route": route })
    });
    Json(json!({ "items": each.collect::<Vec<_>>() }))
}

/// Put together again from what is kept: script, values, settings. `same`: its fingerprint is the one that the grant
/// stored; null before the grant. It differs where the replying model, the settings of the call or this program's own
/// words have changed since.
pub(super) async fn of_attempt(State(web): State<Arc<Web>>, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    let missing = || Problem::missing(format!("attempt `{id}` does not exist"));
    let attempt: AttemptId = id.parse().map_err(|_| missing())?;
    let held = web.store.attempt(attempt).await?.ok_or_else(missing)?;
    // The prompt of a single call went with the person, and what this process still remembers of it is not told.
    if held.run_kind == SINGLE && held.to.is_erased() {
        return Err(Problem::missing("this person was erased, and what their single call was told with them"));
    }
    let story = web.store.story(attempt).await?.ok_or_else(missing)?;
    let script = web.script(held.campaign).await?;
    let rules = web.dialer.rules_at(held.campaign, held.facts.settings_version).await?;
    let manner = Manner::of(&held.mode, web.voice.dialog_url.is_some());
    let told = dialogue::told(&script, manner, &variables(&held)).answered_by(
        manner,
        model(&web),
        &web.voice.openai_realtime_model,
    );
    let told = told.handled(&rules.settings.dial);
    let mut body = shown(&web, &held.mode, manner, &told);
    body["attempt"] = json!(attempt);
    body["same"] = json!(story.told.as_ref().map(|stored| *stored == told.fingerprint));
    // What was told then, not what would be told now.
    body["fingerprint"] = json!(story.told);
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
        let told =
            dialogue::told(&script, manner, &known).answered_by(manner, model(&web), &web.voice.openai_realtime_model);
        shown(&web, mode, manner, &told)
    });
    Ok(Json(json!({ "line": first.map(|row| row.line), "script": campaign.script, "items": each.collect::<Vec<_>>() })))
}

fn model(web: &Web) -> Option<&str> {
    web.model.as_ref().map(|model| model.client.model())
}

fn shown(web: &Web, mode: &Mode, manner: Manner, told: &Told) -> Value {
    let replies = matches!(manner, Manner::Backend | Manner::Relay);
    json!({
        "mode": mode, "manner": manner, "language": told.language, "voice": told.voice,
        "first_phrase": told.first_phrase, "instructions": told.instructions, "tools": told.tools,
        "replier": replies.then(|| model(web).unwrap_or(super::talk::RULES)), "fingerprint": told.fingerprint,
    })
}
