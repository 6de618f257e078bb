//! Keys of the API: made, listed, revoked. A key is shown once, when it is made.

use super::access::{self, ApiKey};
use super::body::Object;
use super::{Problem, ToldOnce, Web};
use crate::domain::{KeyId, Role, Timestamp};
use crate::store::{KeyOrder, KeyRow};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, HeaderName};
use axum::{Extension, Json};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};
use std::sync::Arc;

const NAME_CHARS_MAX: usize = 80;
/// A key lives so long where nobody says.
pub const DAYS: i64 = 365;
pub const DAY_MS: i64 = 24 * 3_600_000;

/// As the API and the command line show it.
pub fn view(row: &KeyRow, now: Timestamp) -> Value {
    let at = |ms: Option<i64>| ms.map(|ms| Timestamp(ms).to_string());
    json!({
        "id": KeyId(row.key_id), "name": row.name, "role": row.role, "state": row.over(now).unwrap_or("good"),
        "created_at": at(Some(row.created_at)), "created_by": row.created_by, "expires_at": at(row.expires_at),
        "revoked_at": at(row.revoked_at), "used_at": at(row.used_at),
    })
}

/// A name that can be read in a list.
pub fn named(name: &str) -> Result<String, String> {
    let name = name.trim();
    let sound = !name.is_empty() && name.chars().count() <= NAME_CHARS_MAX && !name.chars().any(char::is_control);
    if sound { Ok(name.to_owned()) } else { Err(format!("name: write 1 to {NAME_CHARS_MAX} characters")) }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    name: String,
    role: String,
    /// RFC 3339; `null` for a key that never expires; absent: a year from now.
    #[serde(default, deserialize_with = "said")]
    expires_at: Option<Option<String>>,
}

fn said<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Option<String>>, D::Error> {
    Option::<String>::deserialize(from).map(Some)
}

impl Wanted {
    fn order(self, now: Timestamp) -> Result<(String, Role, Option<Timestamp>), Problem> {
        let mut faults = Vec::new();
        let name = named(&self.name).map_err(|fault| faults.push(fault)).unwrap_or_default();
        let role = self.role.parse::<Role>().map_err(|fault| faults.push(format!("role: {fault}")));
        let expires_at = match self.expires_at {
            None => Some(now.plus_ms(DAYS * DAY_MS)),
            Some(None) => None,
            Some(Some(text)) => match chrono::DateTime::parse_from_rfc3339(&text) {
                Ok(at) if at.timestamp_millis() > now.0 => Some(Timestamp(at.timestamp_millis())),
                Ok(_) => {
                    faults.push("expires_at: is over already".into());
                    None
                }
                Err(_) => {
                    faults.push("expires_at: write an instant such as 2027-01-31T00:00:00Z, or null".into());
                    None
                }
            },
        };
        match role {
            Ok(role) if faults.is_empty() => Ok((name, role, expires_at)),
            _ => Err(Problem::refused("the key cannot be made", faults)),
        }
    }
}

pub(super) async fn list(State(web): State<Arc<Web>>) -> Result<Json<Value>, Problem> {
    let now = web.clock.now();
    let items: Vec<Value> = web.store.keys().await?.iter().map(|row| view(row, now)).collect();
    Ok(Json(json!({ "items": items })))
}

/// 201 with the key itself, which nobody can ask for again.
pub(super) async fn add(
    State(web): State<Arc<Web>>,
    Json(Object(wanted)): Json<Object<Wanted>>,
) -> Result<(StatusCode, [(HeaderName, &'static str); 1], Extension<ToldOnce>, Json<Value>), Problem> {
    let now = web.clock.now();
    let (name, role, expires_at) = wanted.order(now)?;
    let (text, hash) = ApiKey::fresh();
    let key = KeyId(web.store.ids.one(now.0));
    let detail = json!({ "name": name, "role": role, "expires_at": expires_at.map(|at| at.to_string()) });
    let audit = access::own_line()?.about("key", key).saying(detail.clone());
    web.store.add_key(KeyOrder { key, name, role, hash: hash.hex(), expires_at, now, audit }).await?;
    let mut told = json!({ "id": key, "key": text });
    for (name, value) in detail.as_object().into_iter().flatten() {
        told[name] = value.clone();
    }
    Ok((StatusCode::CREATED, [(CACHE_CONTROL, "no-store")], Extension(ToldOnce), Json(told)))
}

/// 204, also for a key that was revoked before.
pub(super) async fn revoke(State(web): State<Arc<Web>>, Path(key): Path<String>) -> Result<StatusCode, Problem> {
    let missing = || Problem::missing("there is no such key");
    let key: KeyId = key.parse().map_err(|_| missing())?;
    let audit = access::own_line()?.about("key", key);
    match web.store.revoke_key(key, web.clock.now(), audit).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(missing()),
    }
}

/// Whose key this is, and what it may do.
pub(super) async fn me() -> Result<Json<Value>, Problem> {
    let who = access::who().ok_or_else(Problem::unauthorized)?;
    Ok(Json(json!({ "key": who.key, "name": who.name, "role": who.role })))
}
