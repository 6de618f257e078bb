//! The audit, to be read: who did what, the newest first.

use super::{Problem, Web};
use crate::domain::{AuditId, KeyId, Timestamp};
use crate::store::{AuditFilter, AuditRow};
use axum::Json;
use axum::extract::{Query, State};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

const PAGE: i64 = 1000;
const WORD_CHARS_MAX: usize = 200;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    /// RFC 3339; lines from then on.
    since: Option<String>,
    /// RFC 3339; lines before then.
    until: Option<String>,
    /// Such as `key.add`.
    action: Option<String>,
    /// A key's id, or a name.
    actor: Option<String>,
    /// The id of what was changed.
    subject: Option<String>,
    /// `next` of the page before.
    after: Option<String>,
    limit: Option<i64>,
}

fn instant(name: &str, text: Option<&str>) -> Result<Option<Timestamp>, Problem> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    let at = chrono::DateTime::parse_from_rfc3339(text);
    let at = at.map_err(|_| Problem::bad(format!("{name}: write an instant such as 2026-11-21T23:30:00Z")))?;
    Ok(Some(Timestamp(at.timestamp_millis())))
}

fn word(name: &str, text: Option<String>) -> Result<Option<String>, Problem> {
    match text.filter(|text| !text.is_empty()) {
        Some(long) if long.chars().count() > WORD_CHARS_MAX => {
            Err(Problem::bad(format!("{name}: write at most {WORD_CHARS_MAX} characters")))
        }
        text => Ok(text),
    }
}

fn view(row: &AuditRow) -> Value {
    let subject = row.subject_type.as_ref().map(|kind| json!({ "type": kind, "id": row.subject }));
    json!({
        "id": AuditId(row.audit_id), "at": Timestamp(row.at).to_string(), "door": row.door,
        "actor": { "key": row.key_id.map(KeyId), "name": row.actor, "role": row.role },
        "action": row.action, "subject": subject, "request": row.request_id,
        "detail": serde_json::from_str::<Value>(&row.detail).unwrap_or_default(),
    })
}

pub(super) async fn list(State(web): State<Arc<Web>>, Query(asked): Query<Asked>) -> Result<Json<Value>, Problem> {
    let filter = AuditFilter {
        since: instant("since", asked.since.as_deref())?,
        until: instant("until", asked.until.as_deref())?,
        action: word("action", asked.action)?,
        actor: word("actor", asked.actor)?,
        subject: word("subject", asked.subject)?,
    };
    let behind = asked.after.as_deref().filter(|after| !after.is_empty()).map(str::parse::<AuditId>).transpose();
    let behind = behind.map_err(|_| Problem::bad("after: is not the `next` of a page"))?;
    let limit = asked.limit.unwrap_or(100).clamp(1, PAGE);
    let rows = web.store.audited(&filter, behind, limit).await?;
    let next = rows.last().filter(|_| rows.len() as i64 == limit).map(|row| AuditId(row.audit_id));
    Ok(Json(json!({ "items": rows.iter().map(view).collect::<Vec<_>>(), "next": next })))
}
