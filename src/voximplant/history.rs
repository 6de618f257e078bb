//! What the platform remembers of sessions, as evidence.

use super::api::{Api, id, rows, text};
use super::error::ApiError;
use super::outcome;
use crate::domain::{Outcome, SessionId, Timestamp};
use serde_json::Value;

const METHOD: &str = "GetCallHistory";
/// Sessions asked about in one request; the platform takes a thousand.
const BATCH_MAX: usize = 100;
/// The window that is asked for; the platform refuses an id outside of it as invalid.
const BACK_MS: i64 = 30 * 24 * 3600 * 1000;
const AHEAD_MS: i64 = 24 * 3600 * 1000;

/// One session by the provider's word.
#[derive(Clone, Debug, PartialEq)]
pub struct Evidence {
    pub session: SessionId,
    /// The session has ended: nothing will be added.
    pub finished: bool,
    /// Outgoing calls it made.
    pub calls: i64,
    /// What the last outgoing call came to; without a call, a scenario that did not dial.
    pub outcome: Outcome,
    pub code: Option<i64>,
    pub reason: Option<String>,
    pub talk_ms: Option<i64>,
    pub cost_micros: Option<i64>,
    pub record_url: Option<String>,
    pub log_url: Option<String>,
    /// The answer as it came, without numbers and without the custom data, which holds a token.
    pub body: String,
}

/// Sessions that the platform does not know (yet) are absent from the answer.
pub(super) async fn of(api: &Api, sessions: &[SessionId], wall: Timestamp) -> Result<Vec<Evidence>, ApiError> {
    let mut known = Vec::with_capacity(sessions.len());
    let mut waiting: Vec<&[SessionId]> = sessions.chunks(BATCH_MAX).collect();
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

async fn ask(api: &Api, batch: &[SessionId], wall: Timestamp) -> Result<Vec<Evidence>, ApiError> {
    // Ids are separated by semicolons; a comma is refused.
    let ids = batch.iter().map(ToString::to_string).collect::<Vec<_>>().join(";");
    let params = vec![
        ("call_session_history_id", ids),
        ("from_date", date(wall.plus_ms(-BACK_MS))),
        ("to_date", date(wall.plus_ms(AHEAD_MS))),
        ("with_calls", "true".into()),
        ("with_records", "true".into()),
        ("count", batch.len().to_string()),
    ];
    rows(METHOD, api.call(METHOD, params).await?)?.into_iter().map(evidence).collect()
}

fn date(at: Timestamp) -> String {
    at.utc().map(|utc| utc.format("%Y-%m-%d %H:%M:%S").to_string()).unwrap_or_default()
}

pub(super) fn evidence(mut row: Value) -> Result<Evidence, ApiError> {
    let missing = |field| ApiError::Malformed { method: METHOD, field };
    let session = id(&row, "call_session_history_id").ok_or_else(|| missing("call_session_history_id"))?;
    let empty = Vec::new();
    let calls = row.get("calls").and_then(Value::as_array).unwrap_or(&empty);
    let outgoing: Vec<&Value> =
        calls.iter().filter(|c| c.get("incoming").and_then(Value::as_bool) != Some(true)).collect();
    let last = outgoing.last().copied();
    let finish = text(&row, "finish_reason");

    let (code, reason) = last.map_or((None, None), end_reason);
    let talk_s = last.and_then(|call| call.get("duration")).and_then(Value::as_f64);
    let answered = last.is_some_and(|call| is_true(call, "successful")) || (code == Some(200) && talk_s > Some(0.0));
    let outcome = match (last, code) {
        (None, _) if finish == Some("Insufficient funds") => Outcome::NoFunds,
        (None, _) => Outcome::ScenarioError,
        (Some(_), _) if answered => Outcome::Answered,
        (Some(_), _) if finish == Some("Insufficient funds") => Outcome::NoFunds,
        // Before the answer a session of ours hangs up by its ring timer only.
        (Some(_), Some(code)) => outcome::of_code(code, true),
        (Some(_), None) => Outcome::NetworkError,
    };
    let costs: Vec<f64> = outgoing.iter().filter_map(|call| call.get("cost").and_then(Value::as_f64)).collect();
    let record = last
        .and_then(|call| text(call, "record_url"))
        .or_else(|| row.get("records")?.as_array()?.first().and_then(|record| text(record, "record_url")));
    let evidence = Evidence {
        session: SessionId(session),
        finished: finish.is_some(),
        calls: outgoing.len() as i64,
        outcome,
        code,
        reason,
        talk_ms: talk_s.map(|s| (s * 1000.0).round() as i64),
        cost_micros: (!costs.is_empty()).then(|| (costs.iter().sum::<f64>() * 1e6).round() as i64),
        record_url: record.map(str::to_owned),
        log_url: text(&row, "log_file_url").map(str::to_owned),
        body: String::new(),
    };
    strip(&mut row);
    Ok(Evidence { body: row.to_string(), ..evidence })
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

/// Whom it called and with what token is not for the archive.
fn strip(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, _| {
                !matches!(name.as_str(), "custom_data" | "remote_number" | "local_number" | "diversion_number")
            });
            fields.values_mut().for_each(strip);
        }
        Value::Array(items) => items.iter_mut().for_each(strip),
        _ => {}
    }
}
