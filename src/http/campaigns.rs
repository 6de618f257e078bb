//! Campaigns and their contacts.

use super::import::{Here, ImportError, Upload, import_from};
use super::life::readiness;
use super::lists::{self, Given, Shape};
use super::{Problem, Web, access, repeats};
use crate::domain::{CampaignId, ContactId, RunId};
use crate::intake;
use crate::store::{Import, Shown, StoreError};
use axum::Json;
use axum::extract::{Multipart, Path, Query, State};
use axum::http::header::{HeaderName, LINK};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{AppendHeaders, IntoResponse};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::fmt::Display;
use std::str::FromStr;
use std::sync::Arc;

const PAGE_MAX: i64 = 1000;

#[derive(Serialize)]
pub(super) struct CampaignView {
    id: CampaignId,
    name: String,
    settings: Value,
    settings_version: i64,
    salt: String,
    imports: Vec<Import>,
    runs: Vec<RunId>,
    last_run_state: Option<Shown>,
    /// Told of one campaign: `checked`, or `draft` and what stands against a run.
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hindrances: Option<Vec<String>>,
}

async fn view(web: &Web, campaign: crate::store::Campaign) -> Result<CampaignView, Problem> {
    let settings = serde_json::from_str(&campaign.settings).map_err(|e| StoreError::row("campaigns", "settings", e))?;
    let runs = web.store.runs(campaign.campaign).await?;
    Ok(CampaignView {
        id: campaign.campaign,
        last_run_state: runs.last().map(|run| run.shown),
        settings,
        settings_version: web.store.settings_version(campaign.campaign).await?,
        state: None,
        hindrances: None,
        imports: web.store.imports(campaign.campaign).await?,
        runs: runs.into_iter().map(|run| run.run).collect(),
        name: campaign.name,
        salt: campaign.salt,
    })
}

impl From<ImportError> for Problem {
    fn from(cause: ImportError) -> Self {
        let faults = cause.faults();
        match cause {
            ImportError::Store(cause) => cause.into(),
            ImportError::Kept(cause) => Problem::ours(format!("a list cannot be kept: {cause}")),
            cause @ ImportError::Outdated => Problem::changed(cause.to_string()),
            cause @ ImportError::Key(_) => {
                Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "key_used", cause.to_string())
            }
            cause => Problem::refused(cause.to_string(), faults),
        }
    }
}

pub(super) async fn text(field: axum::extract::multipart::Field<'_>) -> Result<Vec<u8>, Problem> {
    let bytes = field.bytes().await.map_err(|cause| Problem::unread(cause.status(), cause.body_text()))?;
    Ok(bytes.to_vec())
}

fn utf8(name: &str, bytes: Vec<u8>) -> Result<String, Problem> {
    String::from_utf8(bytes).map_err(|_| Problem::bad(format!("field `{name}` is not UTF-8")))
}

/// `settings` (TOML or JSON), `contacts` (CSV), `script` (TOML, optional) as multipart fields.
pub(super) async fn create(
    State(web): State<Arc<Web>>,
    Query(shape): Query<Shape>,
    headers: HeaderMap,
    multipart: Result<Multipart, axum::extract::multipart::MultipartRejection>,
) -> Result<impl IntoResponse, Problem> {
    let wish = shape.wish()?;
    let underway = web.uploads.sending(&headers, shape.again())?;
    let mut multipart = multipart.map_err(|e| Problem::unread(e.status(), e.body_text()))?;
    let (mut settings, mut contacts, mut script, mut source) = (None, None, None, String::from("contacts.csv"));
    loop {
        let field = multipart.next_field().await.map_err(|e| Problem::unread(e.status(), e.body_text()))?;
        let Some(field) = field else { break };
        let name = field.name().unwrap_or_default().to_owned();
        let given = match name.as_str() {
            "settings" => settings.is_some(),
            "script" => script.is_some(),
            "contacts" => contacts.is_some(),
            _ => false,
        };
        if given {
            return Err(Problem::twice(&name));
        }
        match name.as_str() {
            "settings" => settings = Some(utf8("settings", text(field).await?)?),
            "script" => script = Some(utf8("script", text(field).await?)?),
            "contacts" => {
                if let Some(name) = field.file_name() {
                    source = name.chars().take(200).collect();
                }
                contacts = Some(lists::field(field).await?);
            }
            other => {
                return Err(Problem::bad(format!("field `{other}` is not known: settings, contacts, script are")));
            }
        }
    }
    let missing: Vec<String> = [("settings", settings.is_none()), ("contacts", contacts.is_none())]
        .into_iter()
        .filter(|(_, missing)| *missing)
        .map(|(name, _)| format!("field `{name}` is missing"))
        .collect();
    let (Some(settings), Some(contacts)) = (settings, contacts) else {
        return Err(Problem { faults: missing, ..Problem::bad("the form is not complete") });
    };
    let here = Here {
        store: &web.store,
        modes: &web.modes,
        real_platform: web.dialer.platform.real,
        default_caller_id: web.default_caller_id.clone(),
        now: web.clock.now(),
    };
    let upload = Upload { source: &source, settings: &settings, script: script.as_deref(), contacts: &[], salt: None };
    let given = Given { sending: underway.sending.clone(), ..contacts.given(wish)? };
    let done = import_from(&here, upload, given).await?;
    access::note("campaign", done.campaign, json!({ "rows": done.rows, "buckets": done.buckets }));
    let status = if done.again { StatusCode::OK } else { StatusCode::CREATED };
    Ok((status, repeats::marked(done.again), Json(done.told())))
}

/// The newest first. Where there are more, `Link` says where.
pub(super) async fn list(
    State(web): State<Arc<Web>>,
    Query(page): Query<Page>,
) -> Result<(AppendHeaders<Option<(HeaderName, String)>>, Json<Vec<CampaignView>>), Problem> {
    let limit = page.limit_of_all();
    let mut campaigns = web.store.campaigns_after(page.after()?, limit + 1).await?;
    let more = campaigns.len() as i64 > limit;
    campaigns.truncate(limit as usize);
    let next = campaigns.last().filter(|_| more).map(|last| further("/api/v1/campaigns", last.campaign, limit));
    let mut views = Vec::new();
    for campaign in campaigns {
        views.push(view(&web, campaign).await?);
    }
    Ok((AppendHeaders(next), Json(views)))
}

/// The header that says where a list goes on (RFC 8288).
pub(super) fn further(address: &str, last: impl Display, limit: i64) -> (HeaderName, String) {
    let mark = if address.contains('?') { '&' } else { '?' };
    (LINK, format!("<{address}{mark}after={last}&limit={limit}>; rel=\"next\""))
}

/// An answer with the header that says where it goes on, if it does.
pub(super) type Linked<T> = (AppendHeaders<Option<(HeaderName, String)>>, Json<T>);

pub(super) fn linked<T>(address: &str, last: Option<impl Display>, limit: i64, page: T) -> Linked<T> {
    (AppendHeaders(last.map(|last| further(address, last, limit))), Json(page))
}

pub(super) async fn show(
    State(web): State<Arc<Web>>,
    Path(campaign): Path<String>,
) -> Result<Json<CampaignView>, Problem> {
    let campaign = web.store.find_campaign(&campaign).await?;
    let (state, hindrances) = readiness(&web, &campaign).await?;
    Ok(Json(CampaignView { state: Some(state), hindrances: Some(hindrances), ..view(&web, campaign).await? }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Page {
    #[serde(default)]
    after: Option<String>,
    #[serde(default)]
    limit: Option<i64>,
}

impl Page {
    /// Behind which row the page begins.
    pub(super) fn after<T: FromStr<Err: Display>>(&self) -> Result<Option<T>, Problem> {
        let after = self.after.as_deref().map(str::parse);
        after.transpose().map_err(|cause: T::Err| Problem::bad(format!("after: {cause}")))
    }

    /// Where a list is whole unless somebody asks for less.
    pub(super) fn limit_of_all(&self) -> i64 {
        self.limit.map_or(PAGE_MAX, |_| self.limit())
    }

    fn limit(&self) -> i64 {
        self.limit.unwrap_or(100).clamp(1, PAGE_MAX)
    }
}

pub(super) async fn contacts(
    State(web): State<Arc<Web>>,
    Path(campaign): Path<String>,
    Query(page): Query<Page>,
) -> Result<Linked<Value>, Problem> {
    let campaign = web.store.find_campaign(&campaign).await?.campaign;
    let after = page.after::<ContactId>()?.map_or(0, |contact| contact.0);
    let rows = web.store.contacts(campaign, after, page.limit()).await?;
    let next = (rows.len() as i64 == page.limit()).then(|| rows.last().map(|row| ContactId(row.contact_id))).flatten();
    let items: Vec<Value> = rows
        .into_iter()
        .map(|row| {
            json!({
                "id": ContactId(row.contact_id), "line": row.line, "number": row.e164, "name": row.name,
                "mode": row.mode, "own_mode": row.own_mode == 1, "timezone": row.timezone,
                "external_id": row.external_id, "suppressed": row.suppressed_at.is_some(),
                "consent": row.consent_kind.map(|kind| json!({
                    "kind": kind, "at": row.consent_at, "source": row.consent_source,
                })),
                "due_at": row.due_at, "gate": row.gate, "disposition": row.disposition, "tries": row.tries,
            })
        })
        .collect();
    let address = format!("/api/v1/campaigns/{campaign}/contacts");
    Ok(linked(&address, next, page.limit(), json!({ "items": items, "next": next })))
}

pub(super) async fn attempts(
    State(web): State<Arc<Web>>,
    Path(campaign): Path<String>,
    Query(page): Query<Page>,
) -> Result<Linked<Value>, Problem> {
    use crate::domain::AttemptId;
    let campaign = web.store.find_campaign(&campaign).await?.campaign;
    let after = page.after::<AttemptId>()?.map_or(0, |attempt| attempt.0);
    let rows = web.store.attempts(campaign, after, page.limit()).await?;
    let next = (rows.len() as i64 == page.limit()).then(|| rows.last().map(|row| AttemptId(row.attempt_id))).flatten();
    let items: Vec<Value> = rows
        .into_iter()
        .map(|row| {
            json!({
                "id": AttemptId(row.attempt_id), "run": RunId(row.run_id), "contact": ContactId(row.contact_id),
                "number": row.e164, "try": row.try_number, "mode": row.mode, "state": row.state,
                "outcome": row.outcome, "evidence": row.evidence, "session_id": row.session_id,
                "dialed_at": row.dialed_at, "ended_at": row.ended_at, "callback_at": row.callback_at, "code": row.code, "goal": row.goal.map(|g| g == 1),
                "answer_ms": row.answer_ms, "first_audio_ms": row.first_audio_ms, "talk_ms": row.talk_ms,
                "turns": row.turns, "turns_answered": row.turns_answered,
            })
        })
        .collect();
    let address = format!("/api/v1/campaigns/{campaign}/attempts");
    Ok(linked(&address, next, page.limit(), json!({ "items": items, "next": next })))
}

/// Every policy with its rules, their sources, and what it does not see to.
pub(super) async fn policies() -> Json<Vec<Value>> {
    let policies = intake::policy::names().into_iter().filter_map(intake::policy::find);
    Json(policies.map(|policy| policy.to_json()).collect())
}

pub(super) async fn prove(
    State(web): State<Arc<Web>>,
    Path(campaign): Path<String>,
) -> Result<Json<crate::report::Proof>, Problem> {
    let campaign = web.store.find_campaign(&campaign).await?;
    let rules = web.dialer.rules(campaign.campaign).await?;
    let proved = web.store.prove(campaign.campaign).await?;
    Ok(Json(crate::report::Proof::of(campaign.name, proved, rules.settings.retry.attempts_max)))
}
