//! `GetCallHistory`: finished sessions, newest knowledge first only when asked for.

use serde_json::{Value, json};

use crate::simulator::api::ApiError;
use crate::simulator::api::params::Params;
use crate::simulator::clock::wall_ms;
use crate::simulator::platform::Platform;
use crate::simulator::session::record::{SessionRecord, Shown};

const COUNT_DEFAULT: u64 = 20;
const COUNT_MAX: u64 = 1_000;
const OFFSET_MAX: u64 = 10_000;
const IDS_MAX: usize = 1_000;
/// Dates name whole seconds; a session of this very second belongs to it.
const SECOND_MS: i64 = 1_000;

pub fn get(platform: &Platform, params: &Params) -> Result<Value, ApiError> {
    let ids = params.ids("call_session_history_id").map_err(|_| ApiError::invalid(150, "call_session_history_id"))?;
    if ids.as_ref().is_some_and(|ids| ids.len() > IDS_MAX) {
        return Err(ApiError::invalid(150, "call_session_history_id"));
    }
    let (from, to) = (params.date("from_date")?, params.date("to_date")?);
    if let (Some(from), Some(to)) = (from, to)
        && from > to
    {
        return Err(ApiError::new(123, "The date range is invalid."));
    }
    let count = params.number("count", 101)?.unwrap_or(COUNT_DEFAULT).min(COUNT_MAX);
    let offset = params.number("offset", 101)?.unwrap_or(0).min(OFFSET_MAX);
    let now = wall_ms();
    let shown = Shown {
        account_id: platform.account_id(),
        origin: platform.origin(),
        with_calls: params.flag("with_calls"),
        with_records: params.flag("with_records"),
        with_other_resources: params.flag("with_other_resources"),
    };
    let state = platform.state();
    let in_window = |record: &SessionRecord| {
        from.is_none_or(|from| record.started_ms >= from) && to.is_none_or(|to| record.started_ms < to + SECOND_MS)
    };
    if let Some(ids) = &ids {
        // An id that is unknown, or outside the dates, is invalid; one that still runs is not there yet.
        let known = ids.iter().any(|id| state.sessions.get(id).is_some_and(|record| in_window(record)));
        if !known {
            return Err(ApiError::invalid(150, "call_session_history_id"));
        }
    }
    let remote: Option<Vec<&str>> = params.text("remote_number").map(|text| text.split(';').collect());
    let wanted = |record: &SessionRecord| {
        ids.as_ref().is_none_or(|ids| ids.contains(&record.session_id))
            && in_window(record)
            && record.is_visible(now)
            && params.text("rule_name").is_none_or(|name| record.rule_name == name)
            && params.text("application_id").is_none_or(|id| record.application_id.to_string() == id)
            && params.text("call_session_history_custom_data").is_none_or(|data| record.custom_data.contains(data))
            && remote.as_ref().is_none_or(|numbers| numbers.iter().any(|number| record.has_remote_number(number)))
    };
    let mut found: Vec<_> = match &ids {
        Some(ids) => ids.iter().filter_map(|id| state.sessions.get(id)).filter(|record| wanted(record)).collect(),
        None => state.sessions.values().filter(|record| wanted(record)).collect(),
    };
    found.sort_by_key(|record| record.session_id);
    found.dedup_by_key(|record| record.session_id);
    if params.flag("desc_order") {
        found.reverse();
    }
    let total = found.len();
    let rows: Vec<Value> =
        found.into_iter().skip(offset as usize).take(count as usize).map(|record| record.history(shown)).collect();
    Ok(json!({ "count": rows.len(), "result": rows, "total_count": total, "timezone": "Etc/GMT" }))
}
