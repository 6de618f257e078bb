//! A person goes: the number, what a list brought, what was said, and the ways to the recordings.

use super::super::Conn;
use super::{audit, forget};
use crate::domain::{CampaignId, NumberId, PhoneNumber, Timestamp};
use crate::store::text::{ids_text, rows_text};
use crate::store::{EraseOrder, Erased, KnownErased, Result, StoreError, hash_of_erased};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// Digits by which a number is found however it was typed, with the code of its country or without.
const TYPED_DIGITS: usize = 10;

async fn installation_key(conn: &mut Conn) -> Result<String> {
    let key: Option<String> = sqlx::query_scalar(sql!("get_installation")).bind("key").fetch_optional(conn).await?;
    Ok(key.unwrap_or_default())
}

pub async fn erase(conn: &mut Conn, order: &EraseOrder) -> Result<Erased> {
    let key = installation_key(conn).await?;
    let own: Option<i64> =
        sqlx::query_scalar(sql!("id_of_number")).bind(order.number.as_str()).fetch_optional(&mut *conn).await?;
    let Some(own) = own else {
        let hash = hash_of_erased(&key, &order.number);
        let before: Option<i64> =
            sqlx::query_scalar(sql!("erased_by_hash")).bind(hash).fetch_optional(&mut *conn).await?;
        return Ok(before.map_or(Erased::Unknown, |number| Erased::Already(NumberId(number))));
    };
    let contacts: Vec<i64> = sqlx::query_scalar(sql!("contacts_of_person")).bind(own).fetch_all(&mut *conn).await?;
    let contacts_text = ids_text(contacts.iter().copied());
    let mut numbers: BTreeSet<i64> = sqlx::query_scalar(sql!("own_numbers_of"))
        .bind(&contacts_text)
        .fetch_all(&mut *conn)
        .await?
        .into_iter()
        .collect();
    numbers.insert(own);
    let numbers_text = ids_text(numbers.iter().copied());
    // A grant locks them too: whoever is granted now is seen below.
    let rows: Vec<(i64, String)> =
        sqlx::query_as(sql!("lock_person")).bind(&numbers_text).fetch_all(&mut *conn).await?;
    let attempts: Vec<i64> = sqlx::query_scalar(sql!("attempts_of_person"))
        .bind(&contacts_text)
        .bind(&numbers_text)
        .fetch_all(&mut *conn)
        .await?;
    let attempts_text = ids_text(attempts.iter().copied());
    let busy: Vec<Option<i64>> =
        sqlx::query_scalar(sql!("busy_attempts")).bind(&attempts_text).fetch_all(&mut *conn).await?;
    if !busy.is_empty() {
        return Ok(Erased::Busy(busy.into_iter().flatten().max().map(Timestamp)));
    }
    let rested: Vec<i64> =
        sqlx::query_scalar(sql!("rest_person")).bind(&contacts_text).bind(order.now.0).fetch_all(&mut *conn).await?;
    if !rested.is_empty() {
        let rested = json!(rested).to_string();
        sqlx::query(sql!("end_suppressed")).bind(rested).bind(order.now.0).execute(&mut *conn).await?;
    }
    forget::said(conn, &attempts_text).await?;
    let recordings = forget::records(conn, &attempts_text, order.now).await?;
    sqlx::query(sql!("forget_contacts")).bind(&contacts_text).bind(order.now.0).execute(&mut *conn).await?;
    sqlx::query(sql!("forget_scripts")).bind(&contacts_text).execute(&mut *conn).await?;
    sqlx::query(sql!("forget_further")).bind(&contacts_text).execute(&mut *conn).await?;
    sqlx::query(sql!("forget_lifted")).bind(&numbers_text).execute(&mut *conn).await?;
    let (mut hashes, mut places) = (Vec::new(), Vec::new());
    for (n, (id, e164)) in rows.iter().enumerate() {
        let number: PhoneNumber = e164.parse().map_err(|e| StoreError::row("numbers", "e164", e))?;
        if number.is_erased() {
            continue;
        }
        typed(conn, &number).await?;
        hashes.push(json!([id, hash_of_erased(&key, &number), order.now.0]));
        places.push(json!([id, PhoneNumber::erased(order.in_place.wrapping_add(n as u64)).as_str(), order.now.0]));
    }
    sqlx::query(sql!("put_erased")).bind(rows_text(hashes)).execute(&mut *conn).await?;
    sqlx::query(sql!("erase_numbers")).bind(rows_text(places)).execute(&mut *conn).await?;
    let number = NumberId(own);
    let line = order.audit.clone().about("number", number);
    let detail = json!({ "contacts": contacts.len(), "attempts": attempts.len(), "recordings": recordings });
    audit::put(conn, &line.saying(detail)).await?;
    Ok(Erased::Done { number, contacts: contacts.len(), attempts: attempts.len(), recordings })
}

/// Rows that were not accepted, and cells that were left out: whatever holds the number, however it was typed.
async fn typed(conn: &mut Conn, number: &PhoneNumber) -> Result<()> {
    let digits: String = number.as_str().chars().filter(char::is_ascii_digit).collect();
    let last = &digits[digits.len().saturating_sub(TYPED_DIGITS)..];
    let pattern = last.chars().fold("%".to_owned(), |pattern, digit| format!("{pattern}{digit}%"));
    let holds = |text: &str| {
        let there: String = text.chars().filter(char::is_ascii_digit).collect();
        there.contains(last)
    };
    let rejects: Vec<(i64, i64, String, Option<String>)> =
        sqlx::query_as(sql!("rejects_like")).bind(&pattern).fetch_all(&mut *conn).await?;
    let rejects = rejects.into_iter().filter(|(_, _, raw, cells)| holds(raw) || cells.as_deref().is_some_and(holds));
    let rejects: Vec<_> = rejects.map(|(batch, line, _, _)| json!([batch, line])).collect();
    if !rejects.is_empty() {
        sqlx::query(sql!("forget_rejects")).bind(rows_text(rejects)).execute(&mut *conn).await?;
    }
    let notes: Vec<(i64, i64, String)> =
        sqlx::query_as(sql!("notes_like")).bind(&pattern).fetch_all(&mut *conn).await?;
    let notes: Vec<_> =
        notes.into_iter().filter(|(_, _, raw)| holds(raw)).map(|(batch, line, _)| json!([batch, line])).collect();
    if !notes.is_empty() {
        sqlx::query(sql!("forget_notes")).bind(rows_text(notes)).execute(conn).await?;
    }
    Ok(())
}

pub async fn somebody(conn: &mut Conn) -> Result<bool> {
    let some: Option<i64> = sqlx::query_scalar(sql!("some_erased")).fetch_optional(conn).await?;
    Ok(some.is_some())
}

pub async fn among(conn: &mut Conn, campaign: Option<CampaignId>, numbers: &[PhoneNumber]) -> Result<Vec<KnownErased>> {
    // Most installations have erased nobody: then nothing is hashed.
    if !somebody(conn).await? {
        return Ok(Vec::new());
    }
    let key = installation_key(conn).await?;
    let by_hash: BTreeMap<String, &PhoneNumber> =
        numbers.iter().map(|number| (hash_of_erased(&key, number), number)).collect();
    let hashes = json!(by_hash.keys().collect::<Vec<_>>()).to_string();
    let rows: Vec<(String, bool, bool)> = sqlx::query_as(sql!("erased_among"))
        .bind(hashes)
        .bind(campaign.map_or(0, |campaign| campaign.0))
        .fetch_all(conn)
        .await?;
    let known = rows.into_iter().filter_map(|(hash, opted_out, in_campaign)| {
        let e164 = by_hash.get(&hash)?.as_str().to_owned();
        (opted_out || in_campaign).then_some(KnownErased { e164, opted_out, in_campaign })
    });
    Ok(known.collect())
}

/// Of numbers that are about to be granted: those whose owners opted out before they were erased.
pub async fn opted_out(conn: &mut Conn, numbers: &[String]) -> Result<BTreeSet<String>> {
    let read = numbers.iter().map(|e164| e164.parse().map_err(|e| StoreError::row("numbers", "e164", e)));
    let numbers: Vec<PhoneNumber> = read.collect::<Result<_>>()?;
    let known = among(conn, None, &numbers).await?;
    Ok(known.into_iter().filter(|known| known.opted_out).map(|known| known.e164).collect())
}

/// Events, histories and replies of people who were erased since then, which came in later.
pub async fn late(conn: &mut Conn, (since, now): &(Timestamp, Timestamp)) -> Result<usize> {
    let attempts: Vec<i64> = sqlx::query_scalar(sql!("attempts_of_erased")).bind(since.0).fetch_all(&mut *conn).await?;
    if attempts.is_empty() {
        return Ok(0);
    }
    let text = ids_text(attempts.iter().copied());
    forget::said(conn, &text).await?;
    forget::records(conn, &text, *now).await?;
    Ok(attempts.len())
}
