//! A person is erased, and what is kept for some days only: admins alone.

use super::access;
use super::numbers::meant;
use super::{Problem, Web};
use crate::domain::{PhoneNumber, Timestamp};
use crate::store::{EraseOrder, Erased, KEPT, Keep, Store, StoreError};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use serde_json::{Map, Value, json};
use std::sync::Arc;

const DAYS_MAX: i64 = 3650;

/// As the API and the command line tell it: what went, or why nothing did.
pub fn told(erased: &Erased) -> Result<Value, Problem> {
    match erased {
        Erased::Done { number, contacts, attempts, recordings } => Ok(json!({
            "number": number, "erased": true, "contacts": contacts, "attempts": attempts, "recordings": recordings,
        })),
        Erased::Already(number) => Ok(json!({ "number": number, "erased": true, "already": true })),
        Erased::Unknown => Err(Problem::missing("this number is not known here")),
        Erased::Busy(until) => {
            let mut busy =
                Problem::conflict("a call to this person is being started or goes on: erase when it is over");
            busy.until = *until;
            Err(busy)
        }
    }
}

/// The chance is thrown here.
pub async fn erase(
    store: &Store,
    number: PhoneNumber,
    now: Timestamp,
    audit: crate::store::AuditOrder,
) -> Result<Erased, StoreError> {
    store.erase(EraseOrder { number, in_place: rand::random(), now, audit }).await
}

/// `DELETE /numbers/{number}`, by the number or by a contact that has it. 409 while a call goes on.
pub(super) async fn person(State(web): State<Arc<Web>>, Path(number): Path<String>) -> Result<Json<Value>, Problem> {
    let number = meant(&web, &number).await?;
    if number.is_erased() {
        let id = web.store.number_id(&number).await?.ok_or_else(|| Problem::missing("there is no such number"))?;
        return Ok(Json(told(&Erased::Already(id))?));
    }
    let erased = erase(&web.store, number, web.clock.now(), access::own_line()?).await?;
    Ok(Json(told(&erased)?))
}

fn view(keeps: &[Keep]) -> Value {
    Value::Object(keeps.iter().map(|keep| (format!("{}_days", keep.what), json!(keep.days))).collect())
}

/// `GET /retention`: days, or null for what is kept for good.
pub(super) async fn kept(State(web): State<Arc<Web>>) -> Result<Json<Value>, Problem> {
    Ok(Json(view(&web.store.kept().await?)))
}

/// `PUT /retention`: what is not named stays as it is.
pub(super) async fn keep(State(web): State<Arc<Web>>, body: Bytes) -> Result<Json<Value>, Problem> {
    let said: Map<String, Value> =
        serde_json::from_slice(&body).map_err(|_| Problem::bad("write {\"transcripts_days\": 90}"))?;
    let (mut keeps, mut faults) = (Vec::new(), Vec::new());
    for (name, value) in &said {
        let Some(what) = KEPT.into_iter().find(|what| *name == format!("{what}_days")) else {
            faults.push(format!("{name}: is not known; there are transcripts_days, recordings_days and raw_days"));
            continue;
        };
        match (value, value.as_i64()) {
            (Value::Null, _) => keeps.push(Keep { what, days: None }),
            (_, Some(days)) if (1..=DAYS_MAX).contains(&days) => keeps.push(Keep { what, days: Some(days) }),
            _ => faults.push(format!("{name}: write a whole number from 1 to {DAYS_MAX}, or null to keep for good")),
        }
    }
    if !faults.is_empty() {
        return Err(Problem::refused("this cannot be kept so", faults));
    }
    web.store.keep(keeps, access::own_line()?.saying(Value::Object(said))).await?;
    kept(State(web)).await
}
