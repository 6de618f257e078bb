//! Keys, how long things are kept, and the audit: for admins.

use super::asked::{Posted, Visit};
use super::client::encoded;
use super::doors::{page, shown, to};
use super::look::Look;
use super::shell::Shell;
use super::trouble::Trouble;
use crate::domain::Timestamp;
use askama::Template;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};

const DAY_MS: i64 = 24 * 3_600_000;

pub struct Key {
    pub id: String,
    pub name: String,
    pub role: String,
    pub state: String,
    pub used: Option<Timestamp>,
    pub expires: Option<Timestamp>,
}

pub struct Line {
    pub action: String,
    pub who: String,
    pub role: String,
    pub subject: String,
    pub detail: String,
    pub at: Option<Timestamp>,
}

#[derive(Template)]
#[template(path = "page/access.html")]
struct Access {
    s: Shell,
    keys: Vec<Key>,
    lines: Vec<Line>,
    next: String,
    action: String,
    fresh: String,
    faults: Vec<String>,
    /// Name of the field, days as they are or were typed; empty for what is kept for good.
    kept: Vec<(&'static str, String)>,
    kept_faults: Vec<String>,
}

/// What is kept for some days only: the fields of `/retention`.
const KEPT: [&str; 3] = ["transcripts_days", "recordings_days", "raw_days"];

#[derive(Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    action: String,
    #[serde(default)]
    after: String,
}

fn key(row: &Value) -> Key {
    Key {
        id: row.text("id"),
        name: row.text("name"),
        role: row.text("role"),
        state: row.text("state"),
        used: row.at("used_at"),
        expires: row.at("expires_at"),
    }
}

fn line(row: &Value) -> Line {
    let detail = row.find("detail");
    let told = detail.as_object().is_some_and(|fields| !fields.is_empty());
    Line {
        action: row.text("action"),
        who: row.text("actor.name"),
        role: row.text("actor.role"),
        subject: row.text("subject.id"),
        detail: if told { detail.to_string() } else { String::new() },
        at: row.at("at"),
    }
}

async fn made(visit: &Visit, asked: Asked) -> Result<Access, Trouble> {
    let kept = visit.api.get("/retention").await?;
    let keys = visit.api.get("/keys").await?;
    let path = format!("/audit?limit=100&action={}&after={}", encoded(&asked.action), encoded(&asked.after));
    let audit = visit.api.get(&path).await?;
    let s = Shell::of(visit, "access", visit.t("Keys, retention, audit", "Ключи, сроки, журнал")).await?;
    Ok(Access {
        s,
        keys: keys.list("items").iter().map(key).collect(),
        lines: audit.list("items").iter().map(line).collect(),
        next: audit.text("next"),
        action: asked.action,
        fresh: String::new(),
        faults: Vec::new(),
        kept: KEPT.map(|name| (name, kept.text(name))).into(),
        kept_faults: Vec::new(),
    })
}

pub async fn show(visit: Visit, Query(asked): Query<Asked>) -> Response {
    match made(&visit, asked).await {
        Ok(page) => shown(&page),
        Err(trouble) => visit.troubled(&trouble),
    }
}

/// The answer to the form shows the key: an address that could be loaded again would show it twice.
pub async fn add(posted: Posted) -> Response {
    let Posted { visit, fields } = posted;
    let mut order = json!({ "name": fields.get("name"), "role": fields.get("role") });
    if let Some(days) = fields.said("days").and_then(|days| days.parse::<i64>().ok()) {
        order["expires_at"] = json!(visit.now.plus_ms(days.clamp(0, 100_000) * DAY_MS).to_string());
    }
    let (status, fresh, faults) = match visit.api.post("/keys", &order).await {
        Ok(made) => (StatusCode::CREATED, made.text("key"), Vec::new()),
        Err(trouble) if trouble.status == StatusCode::UNPROCESSABLE_ENTITY => {
            (trouble.status, String::new(), trouble.lines())
        }
        Err(trouble) => return visit.troubled(&trouble),
    };
    match made(&visit, Asked::default()).await {
        Ok(form) => page(status, &Access { fresh, faults, ..form }),
        Err(trouble) => visit.troubled(&trouble),
    }
}

pub async fn revoke(Path(key): Path<String>, posted: Posted) -> Response {
    match posted.visit.api.delete(&format!("/keys/{}", encoded(&key))).await {
        Ok(_) => to("/access"),
        Err(trouble) => posted.visit.troubled(&trouble),
    }
}

/// Days for each kind; an empty field keeps it for good.
pub async fn keep(posted: Posted) -> Response {
    let Posted { visit, fields } = posted;
    let said = |name: &str| match fields.said(name) {
        None => Value::Null,
        Some(text) => text.parse::<i64>().map_or_else(|_| json!(text), |days| json!(days)),
    };
    let days: serde_json::Map<String, Value> = KEPT.map(|name| (name.to_owned(), said(name))).into_iter().collect();
    let trouble = match visit.api.put("/retention", &Value::Object(days)).await {
        Ok(_) => return to("/access#kept"),
        Err(trouble) if trouble.status == StatusCode::UNPROCESSABLE_ENTITY => trouble,
        Err(trouble) => return visit.troubled(&trouble),
    };
    match made(&visit, Asked::default()).await {
        Ok(form) => {
            let kept = KEPT.map(|name| (name, fields.get(name).to_owned())).into();
            page(trouble.status, &Access { kept, kept_faults: trouble.lines(), ..form })
        }
        Err(trouble) => visit.troubled(&trouble),
    }
}
