//! What plays a mode in a run, written down once for each: a report must know where something else was played.

use super::Web;
use super::webhooks::{VAD_MIN_SILENCE_MS, VAD_THRESHOLD};
use crate::dialer::SINGLE;
use crate::dialogue::{self, Manner, Models, Script, Told, Variables};
use crate::domain::settings::Dial;
use crate::domain::{Mode, RunId};
use crate::store::Held;
use crate::store::figures::PlayedBundle;
use axum::http::Uri;
use serde::{Deserialize, Serialize};
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

pub(super) fn models(web: &Web, manner: Manner) -> Models {
    let replier = web.model.as_ref().map(|model| model.client.model().to_owned());
    Models { replier, realtime: Some(web.voice.openai_realtime_model.clone()) }.heard(manner)
}

/// Everything that is the same for all contacts. Stored as JSON; its name is the beginning of that text's SHA-256.
#[derive(Serialize, Deserialize)]
pub(super) struct Bundle {
    /// `[name]` stands where a contact's value stood.
    pub told: Told,
    pub manner: Manner,
    #[serde(flatten)]
    pub models: Models,
    /// What the replying model is told besides: a line with the callee's clock follows it.
    pub replier_instructions: Option<String>,
    /// Where the speaking model is, when it is not OpenAI: the address may hold a secret, and its host says enough.
    openai_host: Option<String>,
    record: bool,
    record_notice: Option<String>,
    amd: String,
    /// SHA-256 of the scenario's file.
    scenario: Option<String>,
    vad_threshold: f64,
    vad_min_silence_ms: u32,
}

impl Bundle {
    fn of(web: &Web, mode: &Mode, script: &Script, manner: Manner, dial: &Dial) -> Bundle {
        let named: Variables =
            script.variables().into_iter().map(|name| (name.to_owned(), format!("[{name}]"))).collect();
        let models = models(web, manner);
        Bundle {
            told: dialogue::told(script, manner, &named).by(&models).handled(dial),
            replier_instructions: replier_instructions(script, &models, &named),
            manner,
            models,
            openai_host: web.voice.openai_base_url.as_deref().and_then(host),
            record: dial.record,
            record_notice: dialogue::prompts::notice(script, &named).filter(|_| dial.record),
            amd: dial.amd.as_str().to_owned(),
            scenario: web.voice.scenarios.get(mode).cloned(),
            vad_threshold: VAD_THRESHOLD,
            vad_min_silence_ms: VAD_MIN_SILENCE_MS,
        }
    }
}

fn host(url: &str) -> Option<String> {
    let url: Uri = url.parse().ok()?;
    let port = url.port_u16().map_or_else(String::new, |port| format!(":{port}"));
    Some(format!("{}{port}", url.host()?))
}

/// What a model behind our backend is told before the talk.
pub(super) fn replier_instructions(script: &Script, models: &Models, variables: &Variables) -> Option<String> {
    models.replier.as_ref().map(|_| {
        let told = dialogue::told(script, Manner::Backend, variables);
        format!("{}\n{}", told.instructions, dialogue::model::manners())
    })
}

/// After a grant. The answer does not wait for it: a session that dials must not be later for a report's sake. A single
/// call is in no report, and its prompt goes with the person when somebody erases them.
pub(super) fn note(web: &Arc<Web>, held: &Held, script: &Script, manner: Manner, dial: &Dial) {
    let key = (held.run, held.mode.clone(), held.facts.settings_version);
    if held.run_kind == SINGLE || !web.bundles.is_new(key) {
        return;
    }
    let told = serde_json::to_string(&Bundle::of(web, &held.mode, script, manner, dial)).expect("texts and numbers");
    let digest = Sha256::digest(&told);
    let bundle = digest[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    let played = PlayedBundle { run: held.run, mode: held.mode.clone(), bundle, told, at: web.clock.now() };
    let web = web.clone();
    tokio::spawn(async move {
        if let Err(cause) = web.store.put_bundle(played).await {
            warn!("What a mode was played by could not be written down: {cause}");
        }
    });
}
