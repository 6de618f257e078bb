//! What the platform remembers of sessions, as evidence.

use super::api::{Api, id, rows, text};
use super::error::ApiError;
use super::outcome;
use crate::domain::{Outcome, SessionId, Timestamp};
use serde_json::Value;
use std::collections::BTreeMap;
use tracing::warn;

const METHOD: &str = "GetCallHistory";
/// Sessions asked about in one request; the platform takes a thousand.
pub const HISTORY_BATCH_MAX: usize = 100;
/// A session of ours makes one; whatever lists more is cut.
const RECORDS_MAX: usize = 50;
/// The window that is asked for; the platform refuses an id outside of it as invalid.
const BACK_MS: i64 = 30 * 24 * 3600 * 1000;
const AHEAD_MS: i64 = 24 * 3600 * 1000;

/// A recording of a session.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Where its audio is; for us alone.
    pub url: String,
    pub duration_s: Option<i64>,
}

/// One session by the provider's word. Seconds are the provider's, rounded as it bills them.
#[derive(Clone, Debug, PartialEq)]
pub struct Evidence {
    pub session: SessionId,
    /// The session has ended: nothing will be added.
    pub finished: bool,
    pub finish_reason: Option<String>,
    /// Outgoing calls it made.
    pub calls: i64,
    /// What the last outgoing call came to; without a call, a scenario that did not dial.
    pub outcome: Outcome,
    pub code: Option<i64>,
    pub reason: Option<String>,
    /// How long the session lasted.
    pub session_s: Option<i64>,
    /// How long the last outgoing call was answered.
    pub talk_s: Option<i64>,
    /// Everything billed for the session, in millionths of the account's currency: calls, records, resources.
    pub cost_micros: Option<i64>,
    /// The same by kind: `call`, `record`, and the provider's names of resources.
    pub costs: BTreeMap<String, i64>,
    pub records: Vec<Record>,
    pub log_url: Option<String>,
    /// The answer as it came, without numbers, addresses and the custom data, which holds a token.
    pub body: String,
}

/// Sessions that the platform does not know (yet) are absent from the answer.
pub(super) async fn of(api: &Api, sessions: &[SessionId], wall: Timestamp) -> Result<Vec<Evidence>, ApiError> {
    let mut known = Vec::with_capacity(sessions.len());
    let mut waiting: Vec<&[SessionId]> = sessions.chunks(HISTORY_BATCH_MAX).collect();
    while let Some(batch) = waiting.pop() {
        match ask(api, batch, wall).await {
            Ok(found) => known.extend(found),
            // One unknown id spoils its whole batch: ask about the halves.
            Err(cause) if cause.code() == Some(150) => {
                if batch.len() > 1 {
                    let (left, right) = batch.split_at(batch.len() / 2);
                    waiting.extend([left, right]);
                }
            }
            Err(cause) => return Err(cause),
        }
    }
    Ok(known)
}

/// Page by page: the platform may hold pages shorter than what was asked for.
async fn ask(api: &Api, batch: &[SessionId], wall: Timestamp) -> Result<Vec<Evidence>, ApiError> {
    // Ids are separated by semicolons; a comma is refused.
    let ids = batch.iter().map(ToString::to_string).collect::<Vec<_>>().join(";");
    let mut known = Vec::with_capacity(batch.len());
    let mut offset = 0;
    loop {
        let params = vec![
            ("call_session_history_id", ids.clone()),
            ("from_date", date(wall.plus_ms(-BACK_MS))),
            ("to_date", date(wall.plus_ms(AHEAD_MS))),
            ("with_calls", "true".into()),
            ("with_records", "true".into()),
            ("with_other_resources", "true".into()),
            ("with_total_count", "true".into()),
            ("count", batch.len().to_string()),
            ("offset", offset.to_string()),
        ];
        let answer = api.call(METHOD, params).await?;
        let total = id(&answer, "total_count").unwrap_or(0);
        let page = rows(METHOD, answer)?;
        let came = page.len();
        offset += came;
        for row in page {
            match evidence(row) {
                Ok(evidence) => known.push(evidence),
                // One row that cannot be read must not hide the others.
                Err(cause) => warn!("A row of the provider's history cannot be read: {cause}"),
            }
        }
        if came == 0 || offset as i64 >= total || offset >= batch.len() {
            return Ok(known);
        }
    }
}

fn date(at: Timestamp) -> String {
    at.utc().map(|utc| utc.format("%Y-%m-%d %H:%M:%S").to_string()).unwrap_or_default()
}

pub(super) fn evidence(mut row: Value) -> Result<Evidence, ApiError> {
    let missing = |field| ApiError::Malformed { method: METHOD, field };
    let session = id(&row, "call_session_history_id").ok_or_else(|| missing("call_session_history_id"))?;
    let calls = list(&row, "calls");
    let outgoing: Vec<&Value> =
        calls.iter().filter(|c| c.get("incoming").and_then(Value::as_bool) != Some(true)).collect();
    let last = outgoing.last().copied();
    let finish = text(&row, "finish_reason");

    let (code, reason) = last.map_or((None, None), end_reason);
    let talk_s = last.and_then(|call| seconds(call, "duration"));
    let answered = last.is_some_and(|call| is_true(call, "successful")) || (code == Some(200) && talk_s > Some(0));
    let outcome = match (last, code) {
        (None, _) if finish == Some("Insufficient funds") => Outcome::NoFunds,
        (None, _) => Outcome::ScenarioError,
        (Some(_), _) if answered => Outcome::Answered,
        (Some(_), _) if finish == Some("Insufficient funds") => Outcome::NoFunds,
        // Before the answer a session of ours hangs up by its ring timer, or by an operator's order that was
        // answered at once: what nobody reported is the timer.
        (Some(_), Some(code)) => outcome::of_code(code, Some(outcome::Cause::RingTimer)),
        (Some(_), None) => Outcome::NetworkError,
    };
    let costs = costs(&row);
    let evidence = Evidence {
        session: SessionId(session),
        finished: finish.is_some(),
        finish_reason: finish.map(str::to_owned),
        calls: outgoing.len() as i64,
        outcome,
        code,
        reason,
        session_s: seconds(&row, "duration"),
        talk_s,
        cost_micros: (!costs.is_empty()).then(|| costs.values().sum()),
        costs,
        records: records(&row),
        log_url: text(&row, "log_file_url").filter(|url| !url.is_empty()).map(str::to_owned),
        body: String::new(),
    };
    strip(&mut row);
    Ok(Evidence { body: row.to_string(), ..evidence })
}

fn list<'a>(row: &'a Value, field: &str) -> &'a [Value] {
    row.get(field).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn seconds(row: &Value, field: &str) -> Option<i64> {
    let held = row.get(field)?.as_f64()?;
    (0.0..1e9).contains(&held).then(|| held.round() as i64)
}

/// Incoming legs are billed too. What has no cost is left out; all of it together may be nothing.
fn costs(row: &Value) -> BTreeMap<String, i64> {
    let resource = |used: &Value| text(used, "resource_type").unwrap_or("other").to_owned();
    let calls = list(row, "calls").iter().map(|call| ("call".to_owned(), call));
    let records = list(row, "records").iter().map(|record| ("record".to_owned(), record));
    let resources = list(row, "other_resource_usage").iter().map(|used| (resource(used), used));
    let mut costs = BTreeMap::new();
    for (kind, billed) in calls.chain(records).chain(resources) {
        // Some tools of the platform write amounts as text.
        let cost = billed.get("cost").and_then(|cost| cost.as_f64().or_else(|| cost.as_str()?.parse().ok()));
        if let Some(cost) = cost.filter(|cost| cost.abs() < 1e9) {
            *costs.entry(kind).or_insert(0) += (cost * 1e6).round() as i64;
        }
    }
    costs
}

/// What the session's list names, then what only a call names.
fn records(row: &Value) -> Vec<Record> {
    let mut records: Vec<Record> = Vec::new();
    for held in list(row, "records").iter().chain(list(row, "calls")) {
        let Some(url) = text(held, "record_url").filter(|url| !url.is_empty()) else { continue };
        if !records.iter().any(|record| record.url == url) {
            records.push(Record { url: url.to_owned(), duration_s: seconds(held, "duration") });
        }
    }
    records.truncate(RECORDS_MAX);
    records
}

/// An object by measurement, a text by the documentation.
fn end_reason(call: &Value) -> (Option<i64>, Option<String>) {
    match call.get("end_reason") {
        Some(Value::Object(reason)) => {
            let code = reason.get("code").and_then(|c| c.as_i64().or_else(|| c.as_str()?.parse().ok()));
            let details = reason.get("details").and_then(Value::as_str).filter(|text| !text.is_empty());
            (code, details.map(str::to_owned))
        }
        Some(Value::String(text)) => match serde_json::from_str::<Value>(text) {
            Ok(inner @ Value::Object(_)) => end_reason(&serde_json::json!({ "end_reason": inner })),
            _ => {
                let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
                (digits.parse().ok(), Some(text.clone()).filter(|text| !text.is_empty()))
            }
        },
        Some(Value::Number(code)) => (code.as_i64(), None),
        _ => (None, None),
    }
}

fn is_true(value: &Value, field: &str) -> bool {
    match value.get(field) {
        Some(Value::Bool(flag)) => *flag,
        Some(Value::Number(number)) => number.as_i64() == Some(1),
        _ => false,
    }
}

/// Whom it called, with what token, and where its logs and audio lie is not for the archive.
fn strip(value: &mut Value) {
    const HIDDEN: [&str; 4] = ["custom_data", "remote_number", "local_number", "diversion_number"];
    match value {
        Value::Object(fields) => {
            fields.retain(|name, _| !HIDDEN.contains(&name.as_str()) && !name.ends_with("_url"));
            fields.values_mut().for_each(strip);
        }
        Value::Array(items) => items.iter_mut().for_each(strip),
        _ => {}
    }
}
