//! Settings that change while a campaign lives: merged, validated whole, kept by version.
//!
//! The API and the command line come through here. Every node obeys a new version from its next look on.

use super::import::{Here, ImportError, never_open, new_schedule};
use super::seen::{Seen, Tagged, tagged};
use super::{Problem, Web, demands, life};
use crate::dialogue::Script;
use crate::domain::settings::Settings;
use crate::intake;
use crate::store::{By, Campaign, ScheduleChange, SettingsOrder, SettingsVersion};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;

/// Contacts were taken in, and given their arms, under these: a clone or a new campaign may have others.
const NEVER: &[&str] = &["modes", "purpose"];
/// What a run that is open was started with.
const ONLY_AT_REST: &[&str] = &["name", "region", "policy", "timezone", "experiment"];

#[derive(Debug, Serialize, Deserialize)]
pub struct Changed {
    pub version: i64,
    /// The sections and keys that are different now.
    pub changed: Vec<String>,
}

/// RFC 7396: what the patch says replaces, null takes away, tables are gone into.
pub fn merge(into: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *into = patch.clone();
        return;
    };
    if !into.is_object() {
        *into = json!({});
    }
    let Value::Object(into) = into else { return };
    for (key, value) in patch {
        if value.is_null() {
            into.shift_remove(key);
        } else {
            merge(into.entry(key.clone()).or_insert(Value::Null), value);
        }
    }
}

fn stored(text: &str) -> Result<Value, ImportError> {
    serde_json::from_str(text).map_err(|e| crate::store::StoreError::Conflict(format!("stored settings: {e}")).into())
}

/// The stored settings with the patch upon them, validated whole, and as JSON before and after.
pub(super) fn patched(
    here: &Here<'_>,
    campaign: &Campaign,
    patch: &Value,
) -> Result<(Settings, Value, Value), ImportError> {
    let refused = |faults: crate::domain::keys::Faults| ImportError::Settings(faults.to_string(), faults.list());
    let mut value = stored(&campaign.settings)?;
    // What cannot be read any more may be mended.
    let known = intake::settings::from_json(&value, here.modes).ok();
    let before = known.as_ref().map_or_else(|| value.clone(), intake::settings::to_json);
    merge(&mut value, patch);
    let mut settings = intake::settings::from_json(&value, here.modes).map_err(refused)?;
    if settings.dial.caller_ids.is_empty() {
        settings.dial.caller_ids.extend(here.default_caller_id.clone());
    }
    never_open(&settings, here.now)?;
    if settings.policy_override.is_none() && known.as_ref().is_some_and(|known| known.policy_override.is_some()) {
        let why = "policy_override: contacts were taken in under it; import the list again without it".to_owned();
        return Err(ImportError::Settings(why.clone(), vec![why]));
    }
    let was = known.map(|known| demanded(&known, campaign)).unwrap_or_default();
    // What was missing before is no reason to refuse a slower pace.
    let demands: Vec<String> =
        demanded(&settings, campaign).into_iter().filter(|demand| !was.contains(demand)).collect();
    if !demands.is_empty() {
        return Err(ImportError::Script(demands.join("; "), demands));
    }
    let after = intake::settings::to_json(&settings);
    Ok((settings, before, after))
}

/// What the policy of these settings demands of the campaign's script and does not find.
fn demanded(settings: &Settings, campaign: &Campaign) -> Vec<String> {
    // A script that cannot be read any more is played to nobody.
    let (Some(policy), Ok(script)) = (intake::policy::find(&settings.policy), Script::parse(&campaign.script)) else {
        return Vec::new();
    };
    demands::missing(&policy, settings, &campaign.script, &script)
}

/// The keys that differ, tables by their inner keys.
fn differing(before: &Value, after: &Value) -> Vec<String> {
    let (Value::Object(before), Value::Object(after)) = (before, after) else { return Vec::new() };
    let mut keys: Vec<&String> = after.keys().collect();
    keys.extend(before.keys().filter(|key| !after.contains_key(*key)));
    let mut found = Vec::new();
    for key in keys {
        match (before.get(key), after.get(key)) {
            (one, other) if one == other => {}
            (Some(one @ Value::Object(_)), Some(other @ Value::Object(_))) => {
                found.extend(differing(one, other).into_iter().map(|inner| format!("{key}.{inner}")));
            }
            _ => found.push(key.clone()),
        }
    }
    found
}

fn root(key: &str) -> &str {
    key.split('.').next().unwrap_or_default()
}

pub async fn change(here: &Here<'_>, campaign: &str, patch: &Value, by: By) -> Result<Changed, ImportError> {
    change_seen(here, campaign, patch, by, None).await
}

/// The same where the version is still the one that somebody has seen.
pub(super) async fn change_seen(
    here: &Here<'_>,
    campaign: &str,
    patch: &Value,
    by: By,
    seen: Option<&Seen>,
) -> Result<Changed, ImportError> {
    let found = here.store.find_campaign(campaign).await?;
    // The version first: a row that is newer than it is refused when it is written.
    let version = here.store.settings_version(found.campaign).await?;
    if seen.is_some_and(|seen| !seen.is(&tag(version))) {
        return Err(ImportError::Outdated);
    }
    let row = here.store.find_campaign(&found.campaign.to_string()).await?;
    let (settings, before, after) = patched(here, &row, patch)?;
    let changed = differing(&before, &after);
    let never: Vec<String> = changed
        .iter()
        .filter(|key| NEVER.contains(&root(key)))
        .map(|key| format!("{key}: contacts were taken in under it; clone the campaign, or import another"))
        .collect();
    if !never.is_empty() {
        return Err(ImportError::Settings(never.join("; "), never));
    }
    // Rules of a comparison that are written after its first call was heard are none.
    if changed.iter().any(|key| root(key) == "experiment") && !here.store.runs(found.campaign).await?.is_empty() {
        let why = "experiment: its first run has begun; clone the campaign for another experiment".to_owned();
        return Err(ImportError::Settings(why.clone(), vec![why]));
    }
    if changed.is_empty() {
        return Ok(Changed { version, changed });
    }
    let schedule = match (&settings.schedule, before.get("schedule") == after.get("schedule")) {
        (_, true) => ScheduleChange::Stays,
        (None, false) => ScheduleChange::Ends,
        (Some(schedule), false) => ScheduleChange::Is(new_schedule(here, schedule)?),
    };
    let order = SettingsOrder {
        campaign: row.campaign,
        version,
        settings: after.to_string(),
        name: settings.name.clone(),
        schedule,
        only_at_rest: ONLY_AT_REST.iter().copied().filter(|key| changed.iter().any(|c| root(c) == *key)).collect(),
        by,
        now: here.now,
    };
    Ok(Changed { version: here.store.change_settings(order).await?, changed })
}

/// Each version with what it changed.
pub fn told(versions: &[SettingsVersion]) -> Vec<Value> {
    let mut before: Option<Value> = None;
    let mut told = Vec::new();
    for version in versions {
        let after: Value = serde_json::from_str(&version.settings).unwrap_or_default();
        let changed = before.as_ref().map(|before| differing(before, &after)).unwrap_or_default();
        told.push(json!({
            "version": version.version, "changed_at": version.changed_at, "actor": version.actor, "by": version.by,
            "reason": version.reason, "changed": changed, "settings": after,
        }));
        before = Some(after);
    }
    told
}

impl Web {
    pub(super) fn here(&self) -> Here<'_> {
        Here {
            store: &self.store,
            modes: &self.modes,
            real_platform: self.dialer.platform.real,
            default_caller_id: self.default_caller_id.clone(),
            now: self.clock.now(),
        }
    }
}

/// A version, as `ETag` names it.
fn tag(version: i64) -> String {
    format!("v{version}")
}

/// The settings that hold, and every version before them.
pub(super) async fn show(State(web): State<Arc<Web>>, Path(campaign): Path<String>) -> Result<Tagged<Value>, Problem> {
    let campaign: Campaign = web.store.find_campaign(&campaign).await?;
    let versions = web.store.settings_history(campaign.campaign).await?;
    let settings: Value = serde_json::from_str(&campaign.settings).map_err(Problem::ours)?;
    let version = web.store.settings_version(campaign.campaign).await?;
    Ok(tagged(
        &tag(version),
        json!({ "version": version, "settings": settings, "script": campaign.script, "history": told(&versions) }),
    ))
}

/// A merge patch of the settings; `by` and `reason` beside it.
pub(super) async fn settings(
    State(web): State<Arc<Web>>,
    Path(campaign): Path<String>,
    headers: HeaderMap,
    body: Result<Json<Value>, axum::extract::rejection::JsonRejection>,
) -> Result<Tagged<Changed>, Problem> {
    let Json(mut patch) = body.map_err(|e| Problem::unread(e.status(), e.body_text()))?;
    let Value::Object(keys) = &mut patch else { return Err(Problem::bad("the body: write a table of settings")) };
    let mut word = |key: &str| match keys.shift_remove(key) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Problem::bad(format!("{key}: write a text in quotes"))),
    };
    let by = life::by(word("by")?, word("reason")?, None)?;
    let done = change_seen(&web.here(), &campaign, &patch, by, Seen::of(&headers).as_ref()).await?;
    Ok(tagged(&tag(done.version), done))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_says_only_what_changes() {
        let before = json!({ "a": 1, "b": { "c": 2, "d": [1] }, "e": { "f": 1 } });
        let mut after = before.clone();
        merge(&mut after, &json!({ "b": { "c": 3, "d": [2, 3] }, "e": null, "g": { "h": { "i": null } } }));
        assert_eq!(after, json!({ "a": 1, "b": { "c": 3, "d": [2, 3] }, "g": { "h": {} } }));
        assert_eq!(differing(&before, &after), ["b.c", "b.d", "g", "e"]);
        assert!(differing(&after, &after).is_empty());
    }
}
