//! Links that open one thing for a while without a key: a recording, a report. Each is signed under a key derived from
//! the installation's.

use super::access::{self, same_secret};
use super::{Problem, ToldOnce, Web, mask, recordings, reports};
use crate::domain::{AttemptId, CampaignId, ShareId, Timestamp};
use crate::report::Lang;
use crate::store::{AuditOrder, ShareOrder, ShareRow, Store};
use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, State};
use axum::http::header::{ACCEPT, CACHE_CONTROL, LOCATION};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::Sha256;
use std::sync::Arc;

/// A link to a recording is opened at once, by whoever asked for it (real time).
const RECORDING_MS: i64 = 5 * 60 * 1000;
const DAY_MS: i64 = 24 * 3_600_000;
const SHARED_DAYS: i64 = 7;
const SHARED_DAYS_MAX: i64 = 30;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Of parts that no two things share.
fn signature(installation_key: &[u8], parts: &[&str]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(installation_key).expect("HMAC takes a key of any length");
    mac.update(b"signed link");
    for part in parts {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part.as_bytes());
    }
    hex(&mac.finalize().into_bytes())
}

fn no_link() -> Problem {
    Problem::missing("this link opens nothing, or no longer: ask for another")
}

/// The way to a recording, which somebody with a key may hand on for a few minutes.
pub(super) fn to_recording(web: &Web, attempt: AttemptId, n: usize, headers: &HeaderMap) -> Response {
    let until = web.clock.wall().plus_ms(RECORDING_MS);
    let by =
        signature(&web.installation_key, &["recording", &attempt.to_string(), &n.to_string(), &until.0.to_string()]);
    let url = format!("/signed/recordings/{attempt}?n={n}&until={}&by={by}", until.0);
    let told = headers.get(ACCEPT).and_then(|kind| kind.to_str().ok()).is_some_and(|kind| kind.contains("json"));
    let mut response = match told {
        true => Json(json!({ "url": url, "expires_at": until.to_string() })).into_response(),
        false => StatusCode::SEE_OTHER.into_response(),
    };
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.headers_mut().extend(HeaderValue::from_str(&url).map(|url| (LOCATION, url)));
    response
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Recorded {
    n: usize,
    until: i64,
    by: String,
}

pub(super) async fn recording(
    State(web): State<Arc<Web>>,
    Path(id): Path<String>,
    Query(link): Query<Recorded>,
    headers: HeaderMap,
) -> Result<axum::http::Response<Body>, Problem> {
    let parts = ["recording", &id, &link.n.to_string(), &link.until.to_string()];
    let signed = same_secret(&link.by, &signature(&web.installation_key, &parts));
    if !signed || web.clock.wall().0 >= link.until {
        return Err(no_link());
    }
    recordings::played(&web, &id, link.n, &headers).await
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Wanted {
    pub days: Option<i64>,
    pub lang: Option<String>,
}

fn shared_url(installation_key: &[u8], share: ShareId, expires_at: i64) -> String {
    let by = signature(installation_key, &["report", &share.to_string(), &expires_at.to_string()]);
    format!("/shared/{share}?by={by}")
}

fn view(installation_key: &[u8], row: &ShareRow, now: Timestamp) -> Value {
    let share = ShareId(row.share_id);
    let state = match row.revoked_at {
        Some(_) => "revoked",
        None if row.expires_at <= now.0 => "expired",
        None => "good",
    };
    let url = (state == "good").then(|| shared_url(installation_key, share, row.expires_at));
    json!({
        "id": share, "campaign": CampaignId(row.campaign_id), "lang": row.language, "state": state, "url": url,
        "created_at": Timestamp(row.created_at).to_string(), "created_by": row.created_by,
        "expires_at": Timestamp(row.expires_at).to_string(),
    })
}

/// Makes a link to a campaign's report, for the API and for the command line; `now` is real time, `line` the audit's.
///
/// # Errors
/// 422 where days or language are none; what the store says.
pub async fn make(
    store: &Store,
    installation_key: &[u8],
    campaign: &str,
    wanted: Wanted,
    now: Timestamp,
    line: AuditOrder,
) -> Result<Value, Problem> {
    let days = wanted.days.unwrap_or(SHARED_DAYS);
    if !(1..=SHARED_DAYS_MAX).contains(&days) {
        return Err(Problem::refused(format!("days: write a whole number from 1 to {SHARED_DAYS_MAX}"), Vec::new()));
    }
    let language = wanted.lang.unwrap_or_else(|| "en".into());
    if Lang::parse(&language).is_none() {
        return Err(Problem::refused(format!("lang: `{language}` is neither en nor ru"), Vec::new()));
    }
    let campaign = store.find_campaign(campaign).await?.campaign;
    let share = ShareId(store.ids.one(now.0));
    let line = line.about("share", share).saying(json!({ "campaign": campaign, "days": days }));
    let row = ShareRow {
        share_id: share.0,
        campaign_id: campaign.0,
        language,
        created_at: now.0,
        created_by: line.who.name.clone(),
        expires_at: now.0 + days * DAY_MS,
        revoked_at: None,
    };
    store.share_report(ShareOrder { row: row.clone(), audit: line }).await?;
    Ok(view(installation_key, &row, now))
}

/// `POST /campaigns/{campaign}/report/share`: a link that shows the report, and nothing else, to whoever has it.
pub(super) async fn share(
    State(web): State<Arc<Web>>,
    Path(campaign): Path<String>,
    body: Bytes,
) -> Result<(StatusCode, Extension<ToldOnce>, Json<Value>), Problem> {
    let wanted: Wanted = super::life::said(&body)?;
    let line = access::own_line()?;
    let made = make(&web.store, &web.installation_key, &campaign, wanted, web.clock.wall(), line).await?;
    Ok((StatusCode::CREATED, Extension(ToldOnce), Json(made)))
}

pub(super) async fn shares(State(web): State<Arc<Web>>, Path(campaign): Path<String>) -> Result<Json<Value>, Problem> {
    let campaign = web.store.find_campaign(&campaign).await?.campaign;
    let rows = web.store.shared_reports(campaign).await?;
    let now = web.clock.wall();
    Ok(Json(json!({ "items": rows.iter().map(|row| view(&web.installation_key, row, now)).collect::<Vec<_>>() })))
}

/// 204; the link shows nothing from now on.
pub(super) async fn unshare(State(web): State<Arc<Web>>, Path(share): Path<String>) -> Result<StatusCode, Problem> {
    let missing = || Problem::missing("there is no such link");
    let share: ShareId = share.parse().map_err(|_| missing())?;
    let line = access::own_line()?.about("share", share);
    match web.store.unshare_report(share, web.clock.wall(), line).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(missing()),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Shared {
    by: String,
}

/// The report, to whoever has the link; numbers are masked as for a viewer.
pub(super) async fn shared(
    State(web): State<Arc<Web>>,
    Path(share): Path<String>,
    Query(link): Query<Shared>,
) -> Result<Response, Problem> {
    let share: ShareId = share.parse().map_err(|_| no_link())?;
    let row = web.store.shared_report(share).await?.ok_or_else(no_link)?;
    let parts = ["report", &share.to_string(), &row.expires_at.to_string()];
    let signed = same_secret(&link.by, &signature(&web.installation_key, &parts));
    if !signed || row.revoked_at.is_some() || web.clock.wall().0 >= row.expires_at {
        return Err(no_link());
    }
    let campaign = CampaignId(row.campaign_id).to_string();
    let mut response = mask::hide(reports::shown(&web, &campaign, &row.language).await?);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    response.headers_mut().insert("x-robots-tag", HeaderValue::from_static("noindex"));
    Ok(response)
}
