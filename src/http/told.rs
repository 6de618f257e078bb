//! What modes are told to say: of one attempt, and of a campaign before anybody is called.

use super::bundles::{self, Bundle};
use super::voice::variables;
use super::{Problem, Web};
use crate::dialer::SINGLE;
use crate::dialogue::{self, Manner, Models, Script, Told, Variables};
use crate::domain::{AttemptId, Mode};
use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};
use std::iter;
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

/// Put together again from what is kept: script, values, settings, and the models that played the run. `same`: its
/// fingerprint is the one that the grant stored; null before the grant. It differs where this program's own words or the
/// contact's values have changed since: `kept` is then what was told in that run, with names in the values' places.
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
    let variables = variables(&held);
    let kept: Vec<Bundle> = web
        .store
        .bundles_of_run(held.run, &held.mode)
        .await?
        .iter()
        .filter_map(|text| serde_json::from_str(text).ok())
        .collect();
    let played = kept.iter().map(|bundle| (bundle.manner, bundle.models.clone()));
    let mut each = iter::once((manner, bundles::models(&web, manner))).chain(played).map(|(manner, models)| {
        let told = dialogue::told(&script, manner, &variables).by(&models).handled(&rules.settings.dial);
        (manner, models, told)
    });
    let now = each.next().expect("what would be told now");
    let is_same = |told: &Told| story.told.as_ref().map(|stored| *stored == told.fingerprint);
    let (manner, models, told) = match is_same(&now.2) {
        Some(false) => each.find(|(_, _, told)| is_same(told) == Some(true)).unwrap_or(now),
        _ => now,
    };
    let mut body = shown(&script, &held.mode, manner, &models, &variables, &told);
    body["attempt"] = json!(attempt);
    body["same"] = json!(is_same(&told));
    // What was told then, not what would be told now.
    body["fingerprint"] = json!(story.told);
    body["kept"] = json!(kept.first().filter(|_| is_same(&told) == Some(false)));
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
        let models = bundles::models(&web, manner);
        shown(&script, mode, manner, &models, &known, &dialogue::told(&script, manner, &known).by(&models))
    });
    Ok(Json(json!({ "line": first.map(|row| row.line), "script": campaign.script, "items": each.collect::<Vec<_>>() })))
}

fn shown(script: &Script, mode: &Mode, manner: Manner, models: &Models, variables: &Variables, told: &Told) -> Value {
    let replies = matches!(manner, Manner::Backend | Manner::Relay);
    json!({
        "mode": mode, "manner": manner, "language": told.language, "voice": told.voice,
        "first_phrase": told.first_phrase, "instructions": told.instructions, "tools": told.tools,
        "replier": replies.then(|| models.replier.as_deref().unwrap_or(super::talk::RULES)),
        "replier_instructions": bundles::replier_instructions(script, models, variables),
        "model": models.realtime, "fingerprint": told.fingerprint,
    })
}
