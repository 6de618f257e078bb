//! What plays a mode in a run, written down once for each: a report must know where something else was played.

use super::Web;
use super::webhooks::{VAD_MIN_SILENCE_MS, VAD_THRESHOLD};
use crate::dialogue::{self, Manner, Script};
use crate::domain::settings::Dial;
use crate::domain::{Mode, RunId};
use crate::store::Held;
use crate::store::figures::PlayedBundle;
use sha2::{Digest, Sha256};
use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use tracing::warn;

/// Runs, modes and versions of settings whose bundle was written down, before they are forgotten and asked anew.
const KNOWN_MAX: usize = 10_000;

#[derive(Default)]
pub(super) struct Bundles(Mutex<HashSet<(RunId, Mode, i64)>>);

impl Bundles {
    /// Is this the first word on it in this process?
    fn is_new(&self, key: (RunId, Mode, i64)) -> bool {
        let mut known = self.0.lock().expect("no panic while holding it");
        if known.len() >= KNOWN_MAX {
            known.clear();
        }
        known.insert(key)
    }
}

/// After a grant. The answer does not wait for it: a session that dials must not be later for a report's sake.
pub(super) fn note(web: &Arc<Web>, held: &Held, script: &Script, manner: Manner, dial: &Dial) {
    if !web.bundles.is_new((held.run, held.mode.clone(), held.facts.settings_version)) {
        return;
    }
    let bundle = of(web, &held.mode, script, manner, dial);
    let played = PlayedBundle { run: held.run, mode: held.mode.clone(), bundle, at: web.clock.now() };
    let web = web.clone();
    tokio::spawn(async move {
        if let Err(cause) = web.store.put_bundle(played).await {
            warn!("What a mode was played by could not be written down: {cause}");
        }
    });
}

/// Everything that is the same for all contacts: what they are told without their own words, how the call is handled,
/// the models that it hears, the ruler, and the scenario's file.
fn of(web: &Web, mode: &Mode, script: &Script, manner: Manner, dial: &Dial) -> String {
    let model = web.model.as_ref().map(|model| model.client.model());
    let told = dialogue::told(script, manner, &Default::default()).answered_by(
        manner,
        model,
        &web.voice.openai_realtime_model,
    );
    let told = told.handled(dial);
    let scenario = web.voice.scenarios.get(mode).map_or("", String::as_str);
    let parts = [
        told.fingerprint.as_str(),
        web.voice.openai_base_url.as_deref().unwrap_or_default(),
        scenario,
        &format!("{VAD_THRESHOLD} {VAD_MIN_SILENCE_MS}"),
    ];
    let digest = Sha256::digest(parts.join("\n"));
    digest[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}
