//! Numbers over all campaigns: who is never called again, which are test phones, and how one stands now.

use super::address::encoded;
use super::body::Object;
use super::campaigns::{Linked, linked, text};
use super::{Problem, Web, access};
use crate::domain::allowed::allowed_at;
use crate::domain::caps::{Rang, made};
use crate::domain::{ContactId, PhoneNumber, Timestamp};
use crate::intake::{self, List, phone};
use crate::store::{Lifted, Suppressed};
use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, Multipart, Path, Query, Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use chrono_tz::Tz;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

const PAGE: i64 = 1000;
/// How national numbers of a list are read when nobody says.
const REGION: &str = "RU";
/// By whose clock a number's day is counted when neither it nor a campaign says.
const ZONE: Tz = chrono_tz::Europe::Moscow;
const REASON_CHARS_MAX: usize = 500;
const BY_OPERATOR: &str = "asked by an operator";
/// The column of a list that says why.
const REASON_COLUMNS: [&str; 2] = ["reason", "причина"];

/// A number as it stands in an address, with or without its plus; nothing of it is ever quoted back.
fn number_of(text: &str) -> Result<PhoneNumber, Problem> {
    let text = text.trim();
    let plus = if text.starts_with('+') { "" } else { "+" };
    format!("{plus}{text}")
        .parse()
        .map_err(|_| Problem::refused("number: is not in international form such as +7XXXXXXXXXX", Vec::new()))
}

/// A number as it stands in an address, or that of a contact: whoever sees numbers masked names people so.
pub(super) async fn meant(web: &Web, text: &str) -> Result<PhoneNumber, Problem> {
    let Ok(contact) = text.trim().parse::<ContactId>() else { return number_of(text) };
    let people = web.store.people_of(contact, 1000).await?;
    let own = people.iter().find(|person| person.found.contact_id == contact.0);
    let own = own.ok_or_else(|| Problem::missing("there is no such contact"))?;
    own.found.e164.parse().map_err(|_| Problem::ours("a number that is none"))
}

fn reason_of(reason: Option<&str>) -> Result<Option<String>, Problem> {
    let reason = reason.map(str::trim).filter(|reason| !reason.is_empty());
    match reason {
        Some(long) if long.chars().count() > REASON_CHARS_MAX => {
            Err(Problem::refused(format!("reason: write at most {REASON_CHARS_MAX} characters"), Vec::new()))
        }
        reason => Ok(reason.map(str::to_owned)),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Page {
    /// Digits of a number, or words of a reason.
    q: Option<String>,
    /// `next` of the page before.
    after: Option<String>,
    limit: Option<i64>,
}

/// Where the page before ended: instant and row.
fn place(after: &str) -> Option<(i64, i64)> {
    let (at, id) = after.split_once('-')?;
    Some((at.parse().ok()?, id.parse().ok()?))
}

/// A pattern for `like`, in which nothing of what was typed is a wildcard.
fn pattern(q: &str) -> Option<String> {
    let spelled = |c: char| c.is_ascii_digit() || " +()-".contains(c);
    let q = q.trim();
    let wanted: String = match q.chars().all(spelled) {
        true => q.chars().filter(char::is_ascii_digit).collect(),
        false => q.to_lowercase(),
    };
    let escaped = wanted.replace('~', "~~").replace('%', "~%").replace('_', "~_");
    (!escaped.is_empty()).then(|| format!("%{escaped}%"))
}

fn view(row: &Suppressed) -> Value {
    json!({ "number": row.e164, "since": Timestamp(row.suppressed_at).to_string(), "reason": row.suppressed_reason,
            "by": row.suppressed_by })
}

/// The suppression list, the newest first, a page at a time.
pub(super) async fn suppressions(
    State(web): State<Arc<Web>>,
    Query(page): Query<Page>,
) -> Result<Linked<Value>, Problem> {
    let limit = page.limit.unwrap_or(100).clamp(1, PAGE);
    let behind = match &page.after {
        Some(after) => Some(place(after).ok_or_else(|| Problem::bad("after: is not the `next` of a page"))?),
        None => None,
    };
    let like = page.q.as_deref().and_then(pattern);
    let rows = web.store.suppressed_page(behind, like.as_deref(), limit).await?;
    let last = rows.last().filter(|_| rows.len() as i64 == limit);
    let next = last.map(|row| format!("{}-{}", row.suppressed_at, row.number_id));
    let asked = page.q.as_deref().map(|q| format!("?q={}", encoded(q))).unwrap_or_default();
    let told = json!({ "items": rows.iter().map(view).collect::<Vec<_>>(), "next": next });
    Ok(linked(&format!("/api/v1/suppressions{asked}"), next, limit, told))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Suppress {
    number: String,
    #[serde(default)]
    reason: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Reading {
    /// How national numbers are read.
    region: Option<String>,
    /// For rows that give none.
    reason: Option<String>,
}

/// One number as JSON, or a list as CSV (the body itself, or the field `contacts` of a form).
pub(super) async fn suppress(
    State(web): State<Arc<Web>>,
    Query(reading): Query<Reading>,
    request: Request,
) -> Result<Response, Problem> {
    let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default().to_owned();
    let list = if kind.starts_with("text/csv") {
        bytes(request).await?.to_vec()
    } else if kind.starts_with("multipart/") {
        form(request).await?
    } else {
        return one(&web, &bytes(request).await?).await;
    };
    Ok(Json(many(&web, list, reading).await?).into_response())
}

async fn bytes(request: Request) -> Result<Bytes, Problem> {
    Bytes::from_request(request, &())
        .await
        .map_err(|cause: BytesRejection| Problem::unread(cause.status(), cause.body_text()))
}

async fn form(request: Request) -> Result<Vec<u8>, Problem> {
    let mut form =
        Multipart::from_request(request, &()).await.map_err(|e| Problem::unread(e.status(), e.body_text()))?;
    let Some(field) = form.next_field().await.map_err(|e| Problem::unread(e.status(), e.body_text()))? else {
        return Err(Problem::bad("field `contacts` is missing"));
    };
    match field.name() {
        Some("contacts" | "file") => text(field).await,
        other => {
            let other = other.unwrap_or_default().to_owned();
            Err(Problem::bad(format!("field `{other}` is not known: send the list as `contacts`")))
        }
    }
}

async fn one(web: &Web, body: &[u8]) -> Result<Response, Problem> {
    // The parser's own words may quote the body, and a body holds a number.
    let Object(body): Object<Suppress> = serde_json::from_slice(body).map_err(|_| {
        Problem::bad("write {\"number\": \"+7XXXXXXXXXX\", \"reason\": \"…\"}, or send a list as text/csv")
    })?;
    let reason = reason_of(body.reason.as_deref())?;
    let number = number_of(&body.number)?;
    web.store.suppress(number.clone(), reason.as_deref().unwrap_or(BY_OPERATOR), web.clock.now()).await?;
    if let Some(id) = web.store.number_id(&number).await? {
        access::note("number", id, json!({ "reason": reason }));
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Refused rows told one by one; the others are counted.
const REFUSALS_MAX: usize = 1000;

/// Every row is accounted for: added, already there, twice in the list, or refused with its line.
async fn many(web: &Web, list: Vec<u8>, reading: Reading) -> Result<Value, Problem> {
    let region = reading.region.unwrap_or_else(|| REGION.to_owned());
    let reason = reason_of(reading.reason.as_deref())?.unwrap_or_else(|| BY_OPERATOR.to_owned());
    // A million rows take a while: not on the thread that answers webhooks.
    let read = tokio::task::spawn_blocking(move || intake::read(&list, &region, &BTreeSet::new())).await;
    let list = match read.expect("the reader does not panic: its property tests feed it anything") {
        Ok(list) => list,
        Err(cause) => {
            let faults = match &cause {
                intake::IntakeError::AllRefused(list) => {
                    let row = |row: &Value| {
                        let text = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
                        format!("line {}: {}: {}", row["line"], text("field"), text("reason"))
                    };
                    refused(list).iter().map(row).collect()
                }
                other => vec![other.to_string()],
            };
            return Err(Problem::refused("the list cannot be read", faults));
        }
    };
    let why = |variables: &BTreeMap<String, String>| {
        let own = REASON_COLUMNS.iter().find_map(|column| variables.get(*column)).map(|own| own.trim());
        own.filter(|own| !own.is_empty()).unwrap_or(&reason).chars().take(REASON_CHARS_MAX).collect::<String>()
    };
    let numbers = list.accepted.iter().map(|row| (row.number.clone(), why(&row.variables))).collect();
    let added = web.store.suppress_all(numbers, web.clock.now()).await?.len();
    access::note_more(json!({ "rows": list.rows, "added": added }));
    Ok(json!({
        "rows": list.rows, "added": added, "already": list.accepted.len() - added, "duplicate": list.duplicates(),
        "refused": list.refused(), "refusals": refused(&list),
    }))
}

fn refused(list: &List) -> Vec<Value> {
    let refused = list.complaints.iter().filter(|c| c.bucket == intake::Bucket::Refused);
    refused.take(REFUSALS_MAX).map(|c| json!({ "line": c.line, "field": c.field, "reason": c.reason })).collect()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Lift {
    reason: Option<String>,
}

/// Who was erased is not brought back by what stands in the place of his number.
fn there(number: PhoneNumber) -> Result<PhoneNumber, Problem> {
    match number.is_erased() {
        true => Err(Problem::missing("this person was erased")),
        false => Ok(number),
    }
}

/// May be called again. Who asked for it in a call is called again only for a reason that somebody writes down.
pub(super) async fn lift(
    State(web): State<Arc<Web>>,
    Path(number): Path<String>,
    Query(lift): Query<Lift>,
    body: Bytes,
) -> Result<StatusCode, Problem> {
    let said: Option<Object<Lift>> = match body.is_empty() {
        true => None,
        false => Some(serde_json::from_slice(&body).map_err(|_| Problem::bad("write {\"reason\": \"…\"}"))?),
    };
    let reason = reason_of(said.and_then(|Object(said)| said.reason).or(lift.reason).as_deref())?;
    match web.store.lift_suppression(there(meant(&web, &number).await?)?, reason, web.clock.now()).await? {
        Lifted::Done => Ok(StatusCode::NO_CONTENT),
        Lifted::NotSuppressed => Err(Problem::missing("this number is not on the suppression list")),
        Lifted::NeedsReason => {
            let why = "reason: missing; this person asked never to be called again: say why that is over";
            Err(Problem::refused(why, Vec::new()))
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Under {
    /// Whose caps, gaps and windows are asked; none: only what was made is counted.
    campaign: Option<String>,
}

/// How a number stands now: suppressed, allow-listed, called how often, and when a campaign may call it.
pub(super) async fn show(
    State(web): State<Arc<Web>>,
    Path(number): Path<String>,
    Query(under): Query<Under>,
) -> Result<Json<Value>, Problem> {
    let number = meant(&web, &number).await?;
    let now = web.clock.now();
    let standing = web.store.standing(&number).await?;
    let history = web.store.history(&number, now).await?;
    let home = phone::region(REGION).map_err(Problem::ours)?;
    let own_zone = phone::read(number.as_str(), home).ok().and_then(|phone| phone.timezone);
    let known = standing.is_some();
    let standing = standing.unwrap_or_default();
    let rules = match &under.campaign {
        Some(campaign) => Some(web.dialer.rules(web.store.find_campaign(campaign).await?.campaign).await?),
        None => None,
    };
    let zone = own_zone.or(rules.as_ref().map(|rules| rules.settings.timezone)).unwrap_or(ZONE);
    let tries: Vec<Timestamp> = history.iter().map(|call| call.at).collect();
    let talks: Vec<Timestamp> = history.iter().filter(|call| call.talked_until.is_some()).map(|call| call.at).collect();
    let suppressed = standing.suppressed_at.map(|at| {
        json!({ "since": Timestamp(at).to_string(), "reason": standing.suppressed_reason, "by": standing.suppressed_by })
    });
    let mut told = json!({
        "number": number.as_str(), "known": known, "suppressed": suppressed, "allow_listed": standing.allow_listed,
        "live_until": standing.held_until.map(|at| Timestamp(at).to_string()), "timezone": zone.name(),
        "tries": made(&tries, zone, now), "talks": made(&talks, zone, now),
        "last_call": tries.last().map(ToString::to_string),
    });
    if let Some(rules) = rules {
        told["under"] = ruled(&rules, &number, standing.allow_listed, &history, zone, now);
    }
    Ok(Json(told))
}

fn ruled(
    rules: &crate::dialer::Rules,
    number: &PhoneNumber,
    allow_listed: bool,
    history: &[Rang],
    zone: Tz,
    now: Timestamp,
) -> Value {
    let settings = &rules.settings;
    let exempt = settings.exempts(number.is_example(), allow_listed);
    let open = if exempt { Some((now, None)) } else { allowed_at(settings, &rules.policy, history, zone, now) };
    let limits = intake::settings::to_json(settings);
    json!({
        "campaign": settings.name, "policy": settings.policy, "exempt": exempt, "caps": limits["caps"],
        "gap": limits["gap"], "consent_required": settings.consent.required,
        "gate": open.and_then(|(_, gate)| gate).map(|gate| gate.as_str()),
        "reason": open.and_then(|(_, gate)| gate).map(|gate| gate.sentence()),
        "opens_at": open.map(|(at, _)| at.to_string()),
    })
}

/// From now on a test phone: a campaign with purpose `test` may ring it at any hour.
pub(super) async fn allow(State(web): State<Arc<Web>>, Path(number): Path<String>) -> Result<StatusCode, Problem> {
    web.store.allow_list(there(meant(&web, &number).await?)?, true, web.clock.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn forbid(State(web): State<Arc<Web>>, Path(number): Path<String>) -> Result<StatusCode, Problem> {
    web.store.allow_list(meant(&web, &number).await?, false, web.clock.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_no_pattern() {
        for (typed, like) in [
            ("+7 (999) 000-00", Some("%799900000%")),
            ("50%_a~b", Some("%50~%~_a~~b%")),
            ("By Letter", Some("%by letter%")),
            ("  ", None),
            ("+", None),
        ] {
            assert_eq!(pattern(typed).as_deref(), like, "{typed}");
        }
    }

    #[test]
    fn a_number_is_read_with_and_without_its_plus_and_never_told() {
        assert_eq!(number_of("79990000001").unwrap(), number_of("+79990000001").unwrap());
        let said = format!("{:?}", number_of("8 999 000-00-01").unwrap_err());
        assert!(!said.contains("999"), "{said}");
    }
}
