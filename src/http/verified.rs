//! An export of attempts, counted again and held against the report.
//!
//! The API and the command line come through here.

use super::{Problem, UPLOAD_BYTES_MAX, Web};
use crate::domain::Timestamp;
use crate::domain::experiment::Success;
use crate::domain::settings::Settings;
use crate::report::gather;
use crate::report::verify::{Verification, verify};
use crate::store::{Campaign, Store};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, FromRequest, Path, Request, State};
use std::sync::Arc;

/// Whether every figure of the report comes out of the export, and which do not.
pub async fn verified(
    store: &Store,
    campaign: &Campaign,
    rules: &Settings,
    export: &[u8],
    now: Timestamp,
) -> Result<Verification, Problem> {
    // Before the figures: what ends in between makes the mark older than they are, never newer.
    let marks = gather::marks(store, campaign).await?;
    // An export tells goals as the dialogue recorded them, whoever success is counted by.
    let mut recorded = rules.clone();
    recorded.experiment.success = Success::Dialogue;
    let figures = gather::figures(store, campaign, &recorded, now).await.map_err(Problem::ours)?;
    verify(export, &figures, &marks).map_err(|cause| Problem::refused(cause.to_string(), Vec::new()))
}

/// The export of attempts (CSV) as the body.
pub(super) async fn show(
    State(web): State<Arc<Web>>,
    Path(campaign): Path<String>,
    mut request: Request,
) -> Result<Json<Verification>, Problem> {
    let campaign = web.store.find_campaign(&campaign).await?;
    DefaultBodyLimit::max(UPLOAD_BYTES_MAX).apply(&mut request);
    let export = Bytes::from_request(request, &()).await;
    let export = export.map_err(|cause| Problem::unread(cause.status(), cause.body_text()))?;
    let rules = web.dialer.rules(campaign.campaign).await?;
    let found = verified(&web.store, &campaign, &rules.settings, &export, web.clock.now()).await?;
    Ok(Json(found))
}
