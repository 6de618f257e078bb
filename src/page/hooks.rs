//! Programs that are told: endpoints of outgoing webhooks, what each was sent; alerts; and a restore that waits.

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

pub struct Endpoint {
    pub id: String,
    pub url: String,
    pub note: String,
    pub kinds: String,
    pub enabled: bool,
    pub reason: String,
}

pub struct Delivery {
    pub id: String,
    pub kind: String,
    pub at: Option<Timestamp>,
    pub state: String,
    pub tries: usize,
    pub last: String,
    pub next: Option<Timestamp>,
}

pub struct Alert {
    pub told: String,
    pub since: Option<Timestamp>,
    pub until: Option<Timestamp>,
}

#[derive(Template)]
#[template(path = "page/webhooks.html")]
struct Webhooks {
    s: Shell,
    endpoints: Vec<Endpoint>,
    /// The endpoint whose deliveries are shown.
    chosen: String,
    deliveries: Vec<Delivery>,
    alerts: Vec<Alert>,
    /// A fresh secret, shown this once.
    secret: String,
    url: String,
    faults: Vec<String>,
}

#[derive(Default, Deserialize)]
pub struct Chosen {
    #[serde(default)]
    of: String,
}

fn endpoint(row: &Value) -> Endpoint {
    let kinds: Vec<String> = row.list("kinds").iter().filter_map(|kind| kind.as_str().map(str::to_owned)).collect();
    Endpoint {
        id: row.text("id"),
        url: row.text("url"),
        note: row.text("note"),
        kinds: kinds.join(", "),
        enabled: row.yes("enabled"),
        reason: row.text("disabled_reason"),
    }
}

fn delivery(row: &Value) -> Delivery {
    let tries = row.list("tries");
    let last = tries.last().map(|last| match last.text("told") {
        told if !told.is_empty() => told,
        _ => last.find("status").as_i64().map(|status| status.to_string()).unwrap_or_default(),
    });
    Delivery {
        id: row.text("id"),
        kind: row.text("kind"),
        at: row.at("happened_at"),
        state: row.text("state"),
        tries: tries.len(),
        last: last.unwrap_or_default(),
        next: row.at("next_try_at"),
    }
}

async fn list(visit: &Visit, chosen: &str) -> Result<Webhooks, Trouble> {
    let told = visit.api.get("/webhooks").await?;
    let alerts = visit.api.get("/alerts").await?;
    let deliveries = match chosen.is_empty() {
        true => Value::Null,
        false => visit.api.get(&format!("/webhooks/{}/deliveries", encoded(chosen))).await?,
    };
    let s = Shell::of(visit, "webhooks", visit.t("Webhooks and alerts", "Вебхуки и тревоги")).await?;
    let alert =
        |row: &Value| Alert { told: row.text("told"), since: row.at("raised_at"), until: row.at("resolved_at") };
    Ok(Webhooks {
        s,
        endpoints: told.list("").iter().map(endpoint).collect(),
        chosen: chosen.to_owned(),
        deliveries: deliveries.list("deliveries").iter().map(delivery).collect(),
        alerts: alerts.list("").iter().map(alert).collect(),
        secret: String::new(),
        url: String::new(),
        faults: Vec::new(),
    })
}

pub async fn webhooks(visit: Visit, Query(chosen): Query<Chosen>) -> Response {
    match list(&visit, &chosen.of).await {
        Ok(page) => shown(&page),
        Err(trouble) => visit.troubled(&trouble),
    }
}

/// A new endpoint: its secret is shown on the page that answers, and nowhere else.
pub async fn add(posted: Posted) -> Response {
    let Posted { visit, fields } = posted;
    let kinds: Vec<&str> = fields.get("kinds").split([',', ' ']).filter(|kind| !kind.is_empty()).collect();
    let order = json!({ "url": fields.get("url"), "kinds": kinds, "note": fields.get("note") });
    let (status, secret, faults) = match visit.api.post("/webhooks", &order).await {
        Ok(made) => (StatusCode::CREATED, made.text("secret"), Vec::new()),
        Err(trouble) if trouble.status.is_client_error() && trouble.status != StatusCode::UNAUTHORIZED => {
            (trouble.status, String::new(), trouble.lines())
        }
        Err(trouble) => return visit.troubled(&trouble),
    };
    let typed = if faults.is_empty() { String::new() } else { fields.get("url").to_owned() };
    match list(&visit, "").await {
        Ok(found) => page(status, &Webhooks { secret, faults, url: typed, ..found }),
        Err(trouble) => visit.troubled(&trouble),
    }
}

pub async fn act(Path((hook, act)): Path<(String, String)>, posted: Posted) -> Response {
    let Posted { visit, fields } = posted;
    let path = format!("/webhooks/{}", encoded(&hook));
    let done = match act.as_str() {
        "test" => visit.api.post(&format!("{path}/test"), &json!({})).await,
        "remove" => visit.api.delete(&path).await,
        "again" => {
            let delivery = encoded(fields.get("delivery"));
            visit.api.post(&format!("{path}/deliveries/{delivery}/redeliver"), &json!({})).await
        }
        _ => Err(Trouble::new(StatusCode::NOT_FOUND, "there is nothing at this address")),
    };
    match done {
        Ok(_) if act == "remove" => to("/webhooks"),
        Ok(_) => to(&format!("/webhooks?of={}", encoded(&hook))),
        Err(trouble) => visit.troubled(&trouble),
    }
}

/// What a restore lacked is there again.
pub async fn confirm_restore(posted: Posted) -> Response {
    let Posted { visit, .. } = posted;
    match visit.api.post("/restore/confirm", &json!({})).await {
        Ok(_) => to("/setup"),
        Err(trouble) => visit.troubled(&trouble),
    }
}
