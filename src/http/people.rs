//! People over all campaigns: who is meant by a number, a name or a name elsewhere, and everything about one of them.

use super::address::encoded;
use super::campaigns::{Linked, linked};
use super::{Problem, Web};
use crate::domain::{AttemptId, CampaignId, ContactId, PhoneNumber, RunId, Timestamp};
use crate::store::people::{Found, Looked, Person, Tried};
use axum::Json;
use axum::extract::{Path, Query, State};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

const FOUND_MAX: i64 = 50;
const TRIES_MAX: i64 = 200;
const TYPED_CHARS_MAX: usize = 200;
/// Fewer digits than these are no number.
const DIGITS_MIN: usize = 3;
/// So many may be its beginning: few numbers share them.
const BEGINNING_MIN: usize = 8;
const NUMBER_DIGITS_MAX: usize = 15;
/// Contacts among which parts of a name or of a number are looked for at once.
const NEAR: i64 = 100_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    #[serde(default)]
    q: String,
    after: Option<String>,
    limit: Option<i64>,
}

fn escaped(text: &str) -> String {
    format!("%{}%", text.replace('~', "~~").replace('%', "~%").replace('_', "~_"))
}

/// What somebody typed, as the store looks for it; nothing, where nothing was typed.
fn looked(q: &str) -> Option<Looked> {
    let word = q.trim();
    if word.is_empty() {
        return None;
    }
    let spelled = |c: char| c.is_ascii_digit() || " +()-".contains(c);
    let mut digits: String = word.chars().filter(char::is_ascii_digit).collect();
    // 8 stands for +7 where a number is written the Russian way.
    if digits.len() == 11 && digits.starts_with('8') && !word.starts_with('+') {
        digits.replace_range(..1, "7");
    }
    let number = word.chars().all(spelled) && digits.len() >= DIGITS_MIN;
    let beginning = number && (BEGINNING_MIN..=NUMBER_DIGITS_MAX).contains(&digits.len());
    let mut letters = word.chars();
    let first = letters.next().map(|c| c.to_uppercase().collect::<String>()).unwrap_or_default();
    Some(Looked {
        digits: number.then(|| format!("%{digits}%")),
        begins: beginning.then(|| (format!("+{digits}"), format!("+{digits:9<NUMBER_DIGITS_MAX$}"))),
        lower: escaped(&word.to_lowercase()),
        typed: escaped(word),
        capital: escaped(&(first + &letters.as_str().to_lowercase())),
        word: word.to_owned(),
    })
}

fn found(row: &Found) -> Value {
    json!({
        "contact": ContactId(row.contact_id), "campaign": CampaignId(row.campaign_id), "campaign_name": row.campaign,
        "number": row.e164, "name": row.name, "external_id": row.external_id, "mode": row.mode,
        "suppressed": row.suppressed_at.is_some(), "disposition": row.disposition, "due_at": row.due_at,
        "gate": row.gate,
    })
}

fn is_erased(e164: &str) -> bool {
    e164.parse::<PhoneNumber>().is_ok_and(|number| number.is_erased())
}

pub(super) fn tried(row: &Tried) -> Value {
    json!({
        "id": AttemptId(row.attempt_id), "run": RunId(row.run_id), "night": row.run_ordinal,
        "campaign": CampaignId(row.campaign_id), "campaign_name": row.campaign, "kind": row.kind,
        "try": row.try_number, "mode": row.mode, "state": row.state, "outcome": row.outcome,
        "dialed_at": row.dialed_at, "ended_at": row.ended_at, "goal": row.goal.map(|goal| goal == 1),
        "talk_ms": row.talk_ms, "first_audio_ms": row.first_audio_ms, "turns": row.turns,
    })
}

/// `GET /people?q=…`: the newest first, a page at a time. Whole numbers, their beginnings and names elsewhere are found by
/// an index, wherever they stand. Parts are looked for among so many contacts at once: a page without anybody on it may
/// have a next one.
pub(super) async fn find(State(web): State<Arc<Web>>, Query(asked): Query<Asked>) -> Result<Linked<Value>, Problem> {
    if asked.q.chars().count() > TYPED_CHARS_MAX {
        return Err(Problem::bad(format!("q: write at most {TYPED_CHARS_MAX} characters")));
    }
    let after = asked.after.as_deref().map(str::parse::<ContactId>).transpose();
    let before = after.map_err(|cause| Problem::bad(format!("after: {cause}")))?.unwrap_or(ContactId(i64::MAX));
    let limit = asked.limit.unwrap_or(FOUND_MAX).clamp(1, FOUND_MAX);
    let (mut rows, mut behind) = (Vec::new(), None);
    if let Some(looked) = looked(&asked.q) {
        rows = web.store.people_exactly(&looked, before, limit + 1).await?;
        if rows.is_empty() {
            rows = web.store.people_alike(&looked, before, NEAR, limit + 1).await?;
            behind = web.store.people_behind(before, NEAR).await?;
        }
    }
    let full = rows.len() as i64 > limit;
    rows.truncate(limit as usize);
    let next = if full { rows.last().map(|row| ContactId(row.contact_id)) } else { behind };
    let items: Vec<Value> = rows.iter().map(found).collect();
    let address = format!("/api/v1/people?q={}", encoded(&asked.q));
    Ok(linked(&address, next, limit, json!({ "items": items, "more": next.is_some(), "next": next })))
}

/// `GET /people/{contact}`: the person behind a contact, in every campaign, and every try at the number.
pub(super) async fn show(State(web): State<Arc<Web>>, Path(contact): Path<String>) -> Result<Json<Value>, Problem> {
    let missing = || Problem::missing("there is no such contact");
    let contact: ContactId = contact.parse().map_err(|_| missing())?;
    let people = web.store.people_of(contact, FOUND_MAX).await?;
    let own = people.iter().find(|person| person.found.contact_id == contact.0).ok_or_else(missing)?;
    let tries = web.store.tries_of(contact, TRIES_MAX).await?;
    let each = |person: &Person| {
        let mut told = found(&person.found);
        told["line"] = person.line.into();
        told["timezone"] = json!(person.timezone);
        told["variables"] = serde_json::from_str(&person.variables).unwrap_or_default();
        told["consent"] = json!(person.consent_kind.as_ref().map(|kind| {
            let at = person.consent_at.map(|at| Timestamp(at).to_string());
            json!({ "kind": kind, "at": at, "source": person.consent_source })
        }));
        told
    };
    Ok(Json(json!({
        "id": contact, "number": own.found.e164, "name": own.found.name, "erased": is_erased(&own.found.e164),
        "contacts": people.iter().map(each).collect::<Vec<_>>(),
        "attempts": tries.iter().map(tried).collect::<Vec<_>>(),
    })))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The guard: `escaped` in front of every pattern of a name.
    #[test]
    fn what_is_typed_is_no_pattern() {
        let named = looked("50%_a~").unwrap();
        assert_eq!((named.lower.as_str(), named.digits), ("%50~%~_a~~%", None));
        assert_eq!(looked("анна").unwrap().capital, "%Анна%");
        assert!(looked("  ").is_none());
    }

    #[test]
    fn a_number_is_found_however_it_is_written() {
        let digits = |q: &str| looked(q).unwrap().digits;
        assert_eq!(digits("8 (999) 000-00-01").as_deref(), Some("%79990000001%"));
        assert_eq!(digits("+7 999 000").as_deref(), Some("%7999000%"));
        assert_eq!(digits("12"), None);
        assert_eq!(digits("Anna 12"), None);
        let begins = |q: &str| looked(q).unwrap().begins;
        let both = |from: &str, until: &str| Some((from.to_owned(), until.to_owned()));
        assert_eq!(begins("+7 999 000 00"), both("+799900000", &format!("+799900000{}", "9".repeat(6))));
        assert_eq!(begins("8 999 000-00-01"), both("+79990000001", &format!("+79990000001{}", "9".repeat(4))));
        assert_eq!(begins("000-00-01"), None, "many numbers begin so");
    }
}
