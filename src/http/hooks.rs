//! Programs that want to be told: endpoints of outgoing webhooks, what was sent to each, and once more by hand.
//!
//! A secret is shown when it is made and never again. What is sent, and when it is sent again, `notify` decides.

use super::life::said;
use super::{Problem, ToldOnce, Web};
use crate::domain::notice::{Channel, Kind};
use crate::domain::{DeliveryId, EndpointId, NoticeId, Timestamp};
use crate::notify::{fresh_secret, key_of, sound};
use crate::store::notices::{Addressee, AlertRow, DeliveryRow, Endpoint, NewNotice, TryRow};
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

const ENDPOINTS_MAX: usize = 100;
const URL_BYTES_MAX: usize = 2_000;
const NOTE_CHARS_MAX: usize = 200;
const PAGE: i64 = 50;
const PAGE_MAX: i64 = 200;
const ALERTS: i64 = 100;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Wanted {
    url: Option<String>,
    kinds: Option<Vec<String>>,
    note: Option<String>,
    secret: Option<String>,
    enabled: Option<bool>,
}

fn url(web: &Web, text: &str) -> Result<String, Problem> {
    if text.len() > URL_BYTES_MAX {
        return Err(Problem::bad(format!("url: longer than {URL_BYTES_MAX} bytes")));
    }
    match sound(text, web.hooks_private) {
        Ok(_) => Ok(text.to_owned()),
        Err(doubt) => Err(Problem::refused("this address is not used", vec![format!("url: {doubt}")])),
    }
}

fn kinds(words: &[String]) -> Result<Vec<Kind>, Problem> {
    let mut found: Vec<Kind> = Vec::new();
    for word in words {
        let kind = word.parse::<Kind>().map_err(|cause| {
            let known: Vec<&str> = Kind::ALL.iter().map(|kind| kind.as_str()).collect();
            Problem::refused("such kinds do not exist", vec![format!("kinds: {cause}; known: {}", known.join(", "))])
        })?;
        if !found.contains(&kind) {
            found.push(kind);
        }
    }
    Ok(found)
}

fn note(text: &str) -> Result<Option<String>, Problem> {
    let text = text.trim();
    if text.chars().count() > NOTE_CHARS_MAX {
        return Err(Problem::bad(format!("note: longer than {NOTE_CHARS_MAX} characters")));
    }
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

fn view(endpoint: &Endpoint) -> Value {
    json!({
        "id": endpoint.endpoint, "url": endpoint.url, "note": endpoint.note, "created_at": endpoint.created_at,
        "kinds": endpoint.kinds.iter().map(|kind| kind.as_str()).collect::<Vec<_>>(),
        "enabled": endpoint.disabled_at.is_none(), "disabled_at": endpoint.disabled_at,
        "disabled_reason": endpoint.disabled_reason,
    })
}

async fn found(web: &Web, id: &str) -> Result<Endpoint, Problem> {
    let missing = || Problem::missing(format!("webhook `{id}` does not exist"));
    let id: EndpointId = id.parse().map_err(|_| missing())?;
    web.store.endpoints().await?.into_iter().find(|endpoint| endpoint.endpoint == id).ok_or_else(missing)
}

pub(super) async fn list(State(web): State<Arc<Web>>) -> Result<Json<Vec<Value>>, Problem> {
    Ok(Json(web.store.endpoints().await?.iter().map(view).collect()))
}

pub(super) async fn show(State(web): State<Arc<Web>>, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    Ok(Json(view(&found(&web, &id).await?)))
}

/// 201 with the secret, which is shown this once.
pub(super) async fn add(
    State(web): State<Arc<Web>>,
    body: Bytes,
) -> Result<(StatusCode, Extension<ToldOnce>, Json<Value>), Problem> {
    let wanted: Wanted = said(&body)?;
    let address = wanted.url.as_deref().ok_or_else(|| Problem::bad("url: say where to send"))?;
    if web.store.endpoints().await?.len() >= ENDPOINTS_MAX {
        return Err(Problem::conflict(format!("there are {ENDPOINTS_MAX} webhooks already")));
    }
    let secret = match wanted.secret {
        None => fresh_secret(),
        Some(secret) if key_of(&secret).is_some() => secret,
        Some(_) => return Err(Problem::bad("secret: write whsec_ and 24 to 64 bytes in base64, or leave it out")),
    };
    let now = web.clock.now();
    let endpoint = Endpoint {
        endpoint: EndpointId(web.store.ids.one(now.0)),
        url: url(&web, address)?,
        secret: secret.clone(),
        kinds: kinds(&wanted.kinds.unwrap_or_default())?,
        note: note(wanted.note.as_deref().unwrap_or_default())?,
        created_at: now,
        disabled_at: None,
        disabled_reason: None,
    };
    let mut told = view(&endpoint);
    told["secret"] = json!(secret);
    web.store.add_endpoint(endpoint).await?;
    Ok((StatusCode::CREATED, Extension(ToldOnce), Json(told)))
}

pub(super) async fn change(
    State(web): State<Arc<Web>>,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let wanted: Wanted = said(&body)?;
    let mut endpoint = found(&web, &id).await?;
    if wanted.secret.is_some() {
        return Err(Problem::bad("secret: POST …/secret makes a new one"));
    }
    if let Some(address) = &wanted.url {
        endpoint.url = url(&web, address)?;
    }
    if let Some(words) = &wanted.kinds {
        endpoint.kinds = kinds(words)?;
    }
    if let Some(text) = &wanted.note {
        endpoint.note = note(text)?;
    }
    match wanted.enabled {
        Some(true) => (endpoint.disabled_at, endpoint.disabled_reason) = (None, None),
        Some(false) if endpoint.disabled_at.is_none() => {
            endpoint.disabled_at = Some(web.clock.now());
            endpoint.disabled_reason = Some("switched off".into());
        }
        Some(false) | None => {}
    }
    let told = view(&endpoint);
    web.store.change_endpoint(endpoint).await?;
    Ok(Json(told))
}

/// From now on everything is signed by the new one.
pub(super) async fn renew(
    State(web): State<Arc<Web>>,
    Path(id): Path<String>,
) -> Result<(Extension<ToldOnce>, Json<Value>), Problem> {
    let endpoint = Endpoint { secret: fresh_secret(), ..found(&web, &id).await? };
    let mut told = view(&endpoint);
    told["secret"] = json!(endpoint.secret);
    web.store.change_endpoint(endpoint).await?;
    Ok((Extension(ToldOnce), Json(told)))
}

pub(super) async fn remove(State(web): State<Arc<Web>>, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    let endpoint = found(&web, &id).await?;
    web.store.forget_endpoint(endpoint.endpoint).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Page {
    before: Option<String>,
    limit: Option<i64>,
}

/// The newest first, each with its tries; `before` is the last of the page before.
pub(super) async fn deliveries(
    State(web): State<Arc<Web>>,
    Path(id): Path<String>,
    Query(page): Query<Page>,
) -> Result<Json<Value>, Problem> {
    let endpoint = found(&web, &id).await?;
    let before = page.before.as_deref().map(str::parse::<DeliveryId>).transpose();
    let before = before.map_err(|cause| Problem::bad(format!("before: {cause}")))?;
    let limit = page.limit.unwrap_or(PAGE).clamp(1, PAGE_MAX);
    let (rows, tries) = web.store.endpoint_deliveries(endpoint.endpoint, before, limit).await?;
    let next = (rows.len() as i64 == limit).then(|| rows.last().map(|row| DeliveryId(row.delivery_id))).flatten();
    let told: Vec<Value> = rows.iter().map(|row| delivery(row, &tries)).collect();
    Ok(Json(json!({ "deliveries": told, "next": next })))
}

fn delivery(row: &DeliveryRow, tries: &[TryRow]) -> Value {
    let own = tries.iter().filter(|one| one.delivery_id == row.delivery_id);
    let own: Vec<Value> = own
        .map(|one| {
            json!({
                "at": Timestamp(one.tried_at), "status": one.status, "told": one.told, "took_ms": one.took_ms,
            })
        })
        .collect();
    json!({
        "id": DeliveryId(row.delivery_id), "message": NoticeId(row.notice_id), "kind": row.kind,
        "happened_at": Timestamp(row.happened_at), "state": row.state, "next_try_at": row.due_at.map(Timestamp),
        "ended_at": row.ended_at.map(Timestamp), "tries": own,
    })
}

/// 202: it is sent at the next look, under the id that it had.
pub(super) async fn redeliver(
    State(web): State<Arc<Web>>,
    Path((id, delivery)): Path<(String, String)>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let endpoint = found(&web, &id).await?;
    let missing = || Problem::missing(format!("delivery `{delivery}` does not exist"));
    let wanted: DeliveryId = delivery.parse().map_err(|_| missing())?;
    if endpoint.disabled_at.is_some() {
        return Err(Problem::conflict("the webhook is switched off"));
    }
    if !web.store.deliver_again(wanted, endpoint.endpoint, web.clock.now()).await? {
        return Err(missing());
    }
    Ok((StatusCode::ACCEPTED, Json(json!({ "id": wanted, "state": "waiting" }))))
}

/// 202: a message of the kind `test` goes to this endpoint, whatever it listens for.
pub(super) async fn test(
    State(web): State<Arc<Web>>,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let endpoint = found(&web, &id).await?;
    let now = web.clock.now();
    let addressee = Addressee {
        channel: Channel::Webhook,
        endpoint: Some(endpoint.endpoint),
        target: endpoint.endpoint.to_string(),
    };
    let notice = NewNotice {
        source: format!("test:{}", web.store.ids.one(now.0)),
        kind: Kind::Test,
        happened_at: now,
        title: "A test".into(),
        body: String::new(),
        data: json!({ "webhook": endpoint.endpoint }),
        to: vec![addressee],
    };
    let order = web.store.notices_order(vec![notice], None, now);
    web.store.put_notices(order).await?;
    Ok((StatusCode::ACCEPTED, Json(json!({ "state": "waiting" }))))
}

/// What people were told of: open ones first.
pub(super) async fn alerts(State(web): State<Arc<Web>>) -> Result<Json<Vec<Value>>, Problem> {
    let view = |row: AlertRow| {
        json!({
            "kind": row.kind, "subject": row.subject, "told": row.told, "raised_at": Timestamp(row.raised_at),
            "resolved_at": row.resolved_at.map(Timestamp),
        })
    };
    Ok(Json(web.store.alerts(ALERTS).await?.into_iter().map(view).collect()))
}
