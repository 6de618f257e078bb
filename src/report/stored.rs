//! The report of a campaign in which no run is open, made once and read back until something changes.

use serde_json::json;
use sha2::{Digest, Sha256};

use crate::domain::Timestamp;
use crate::domain::settings::Settings;
use crate::store::figures::{CountedBundle, CountedRun};
use crate::store::snapshots::Snapshot;
use crate::store::{Campaign, Result, Store};

use super::model::{Report, SCHEMA};
use super::{build, gather};

/// The report of a campaign at the platform of its newest run; runs of other platforms are never pooled with it.
pub async fn report(store: &Store, campaign: &Campaign, settings: &Settings, now: Timestamp) -> Result<Report> {
    let Some(signature) = signature(store, campaign).await? else {
        return made(store, campaign, settings, now).await;
    };
    let stored = store.stored_report(campaign.campaign, &signature).await?;
    // A text that an older program wrote in another form is made anew.
    if let Some(report) = stored.and_then(|body| serde_json::from_str::<Report>(&body).ok()) {
        return Ok(Report { generated_at: now, ..report });
    }
    let report = made(store, campaign, settings, now).await?;
    let body = serde_json::to_string(&report).expect("a report of numbers and names is always JSON");
    let snapshot = Snapshot { campaign: campaign.campaign, signature, made_at: now, body };
    // Whoever may only look has the report all the same.
    if let Err(cause) = store.put_report(snapshot).await {
        tracing::debug!(campaign.id = %campaign.campaign, %cause, "The report of {} was not kept", campaign.campaign);
    }
    Ok(report)
}

async fn made(store: &Store, campaign: &Campaign, settings: &Settings, now: Timestamp) -> Result<Report> {
    Ok(build(gather::figures(store, campaign, settings, now).await?, now))
}

/// A name for all that goes into the report; none while a run is open, or where there is none.
async fn signature(store: &Store, campaign: &Campaign) -> Result<Option<String>> {
    // First: what commits from here on is no part of this signature, and gives the next one another.
    let changes = store.report_changes(campaign.campaign).await?;
    let runs: Vec<CountedRun> = store.counted_runs(campaign.campaign).await?;
    let Some(newest) = runs.last() else { return Ok(None) };
    if runs.iter().any(|run| run.ended_at.is_none()) {
        return Ok(None);
    }
    let bundles: Vec<CountedBundle> = store.bundles(campaign.campaign, newest.account_id).await?;
    let view = store.view_version().await?;
    let versions = store.settings_history(campaign.campaign).await?;
    let versions: Vec<_> = versions.iter().map(|version| (version.version, version.changed_at.0)).collect();
    let runs: Vec<_> =
        runs.iter().map(|run| (run.run_id, run.account_id, &run.state, run.started_at, run.ended_at)).collect();
    let bundles: Vec<_> = bundles.iter().map(|row| (row.night, &row.mode, &row.bundle)).collect();
    let prices = store.installation_value(gather::PRICES).await?;
    let program = (SCHEMA, env!("CARGO_PKG_VERSION"), view);
    let told = (&campaign.name, &campaign.settings, &campaign.script, &campaign.salt);
    let text = json!([program, changes, told, versions, runs, bundles, prices]).to_string();
    Ok(Some(Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()))
}
