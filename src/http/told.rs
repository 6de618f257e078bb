//! What a mode was told for one attempt, put together again from what is kept: script, values, settings.

use super::voice::variables;
use super::{Problem, Web};
use crate::dialogue::{self, Manner};
use crate::domain::AttemptId;
use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};
use std::sync::Arc;

/// `same`: its fingerprint is the one that the grant stored; null before the grant. It differs where the replying model,
/// the settings of the call or this program's own words have changed since.
pub(super) async fn show(State(web): State<Arc<Web>>, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    let missing = || Problem::missing(format!("attempt `{id}` does not exist"));
    let attempt: AttemptId = id.parse().map_err(|_| missing())?;
    let held = web.store.attempt(attempt).await?.ok_or_else(missing)?;
    let story = web.store.story(attempt).await?.ok_or_else(missing)?;
    let script = web.script(held.campaign).await?;
    let rules = web.dialer.rules_at(held.campaign, held.facts.settings_version).await?;
    let manner = Manner::of(&held.mode, web.voice.dialog_url.is_some());
    let model = web.model.as_ref().map(|model| model.client.model());
    let told = dialogue::told(&script, manner, &variables(&held)).answered_by(manner, model);
    let told = told.handled(&rules.settings.dial);
    Ok(Json(json!({
        "attempt": attempt, "mode": held.mode, "manner": manner, "language": told.language, "voice": told.voice,
        "first_phrase": told.first_phrase, "instructions": told.instructions, "tools": told.tools,
        "replier": matches!(manner, Manner::Backend | Manner::Relay).then(|| model.unwrap_or(super::talk::RULES)),
        "fingerprint": story.told, "same": story.told.as_ref().map(|stored| *stored == told.fingerprint),
    })))
}
