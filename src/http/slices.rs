//! A report cut by a column, an hour, a zone, a list or a caller id, and the calls behind a cell.

use super::address::encoded;
use super::{Problem, Web};
use crate::domain::{AttemptId, BatchId, Timestamp};
use crate::report::gather::{self, SIMULATOR};
use crate::report::slices::{self, By, Slices};
use crate::report::words;
use crate::store::slices::{Behind, Cut, Dimension};
use axum::Json;
use axum::extract::{Path, Query, State};
use chrono::{DateTime, NaiveDate, TimeZone, Timelike, Utc};
use chrono_tz::Tz;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    /// `column:NAME`, `list`, `zone`, `caller_id` or `hour`.
    by: Option<String>,
    /// Which slice; of the calls behind a cell alone.
    label: Option<String>,
    mode: Option<String>,
    /// The run's number in its campaign.
    night: Option<i64>,
    /// Dialled from then on, and before: an instant (RFC 3339) or a day of the campaign's zone.
    from: Option<String>,
    until: Option<String>,
}

/// An instant, or a day of the campaign's zone: `until` a day is until its end.
fn instant(name: &str, text: &str, zone: Tz) -> Result<i64, Problem> {
    if let Ok(day) = text.parse::<NaiveDate>() {
        let day = if name == "until" { day.succ_opt().unwrap_or(day) } else { day };
        // Where the clock skips midnight, the day begins an hour later.
        let begins = (0..24)
            .filter_map(|hour| day.and_hms_opt(hour, 0, 0))
            .find_map(|at| zone.from_local_datetime(&at).earliest());
        return Ok(begins.map_or(i64::MAX, |at| at.timestamp_millis()));
    }
    let at: DateTime<Utc> = text.parse().map_err(|_| {
        Problem::bad(format!("{name}: write a day like 2027-01-31, or an instant like 2027-01-31T00:00:00Z"))
    })?;
    Ok(at.timestamp_millis())
}

struct Found {
    cut: Cut,
    by: Option<By>,
    simulated: bool,
    timezone: Tz,
    name: String,
    /// Since when all that is told was played the same, where something else was played before and nobody asked for that.
    since: Option<Timestamp>,
}

async fn found(web: &Web, campaign: &str, asked: &Asked) -> Result<Found, Problem> {
    let campaign = web.store.find_campaign(campaign).await?;
    let rules = web.dialer.rules(campaign.campaign).await?;
    let by = match asked.by.as_deref() {
        None => None,
        Some(text) => Some(By::parse(text).ok_or_else(|| {
            Problem::bad(format!("by: `{text}` is none of column:NAME, list, zone, caller_id, hour"))
        })?),
    };
    let newest = web.store.counted_runs(campaign.campaign).await?.pop();
    let zone = rules.settings.timezone;
    let since = match &asked.from {
        Some(_) => None,
        None => gather::newest_version(&web.store, &campaign, &rules.settings).await?,
    };
    let from = asked.from.as_deref().map(|text| instant("from", text, zone)).transpose()?;
    let until = asked.until.as_deref().map(|text| instant("until", text, zone)).transpose()?;
    let cut = Cut {
        campaign: campaign.campaign,
        account: newest.as_ref().map_or(0, |run| run.account_id),
        by: by.as_ref().map_or(Dimension::Whole, By::dimension),
        from: from.or(since.map(|at| at.0)).unwrap_or(0),
        until: until.unwrap_or(i64::MAX),
    };
    let simulated = newest.is_none_or(|run| run.platform.starts_with(SIMULATOR));
    Ok(Found { cut, by, simulated, timezone: zone, name: campaign.name, since })
}

/// `07`: the hour in which a quarter lies, in the campaign's zone.
fn hour(quarter_at: &str, zone: Tz) -> String {
    let at = quarter_at.parse().ok().and_then(|ms| Timestamp(ms).utc());
    at.map_or(String::new(), |at| format!("{:02}", at.with_timezone(&zone).hour()))
}

pub(super) async fn cells(
    State(web): State<Arc<Web>>,
    Path(campaign): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Json<Slices>, Problem> {
    let Found { cut, by, simulated, timezone, name, since } = found(&web, &campaign, &asked).await?;
    let Some(by) = by else {
        return Err(Problem::bad("by: say by what: column:NAME, list, zone, caller_id or hour".to_owned()));
    };
    let text = asked.by.unwrap_or_default();
    let span: String = [("from", &asked.from), ("until", &asked.until)]
        .into_iter()
        .filter_map(|(name, at)| Some(format!("&{name}={}", encoded(at.as_ref()?))))
        .collect();
    let label = |raw: &str| match &by {
        By::Hour => hour(raw, timezone),
        By::Dimension(Dimension::List) => raw.parse().map_or(raw.to_owned(), |id| BatchId(id).to_string()),
        By::Dimension(_) => raw.to_owned(),
    };
    let link = |label: &str, mode: &str| {
        let (name, text, label) = (encoded(&name), encoded(&text), encoded(label));
        format!("/api/v1/campaigns/{name}/report/calls?by={text}&label={label}&mode={mode}{span}")
    };
    let notice = simulated.then(words::notice);
    let cut = slices::slices(&web.store, &cut, &text, notice, label, link).await?;
    Ok(Json(Slices { since, ..cut }))
}

/// The ten turns that were waited for longest, with the calls in which they were; those without a reply first.
pub(super) async fn calls(
    State(web): State<Arc<Web>>,
    Path(campaign): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Json<Value>, Problem> {
    let Found { cut, by, simulated, timezone, .. } = found(&web, &campaign, &asked).await?;
    let mut wanted = asked.label.clone().unwrap_or_default();
    if let (Some(By::Dimension(Dimension::List)), Ok(list)) = (&by, wanted.parse::<BatchId>()) {
        wanted = list.0.to_string();
    }
    let (mode, night) = (asked.mode.unwrap_or_default(), asked.night.unwrap_or(0));
    let mut turns = Vec::new();
    if by == Some(By::Hour) {
        // An hour is the quarters of every day that lie in it.
        let (contacts, _) = web.store.slices(&cut).await?;
        let quarters: std::collections::BTreeSet<String> =
            contacts.into_iter().map(|row| row.label).filter(|quarter| hour(quarter, timezone) == wanted).collect();
        for label in quarters {
            let behind = Behind { label, mode: mode.clone(), night, limit: 0 };
            turns.extend(slices::slowest(&web.store, &cut, behind).await?);
        }
        turns.sort_by_key(|turn| (turn.turn_ms.is_some(), std::cmp::Reverse(turn.turn_ms)));
        turns.truncate(slices::SLOWEST as usize);
    } else {
        turns = slices::slowest(&web.store, &cut, Behind { label: wanted, mode, night, limit: 0 }).await?;
    }
    let turns: Vec<Value> = turns
        .into_iter()
        .map(|turn| {
            let attempt = AttemptId(turn.attempt_id);
            json!({
                "attempt_id": attempt, "call": format!("/api/v1/attempts/{attempt}"), "night": turn.night,
                "mode": turn.mode, "turn": turn.turn, "turn_ms": turn.turn_ms, "method": turn.method,
                "asr_ms": turn.asr_ms, "reply_ms": turn.reply_ms, "model_ms": turn.model_ms, "tts_ms": turn.tts_ms,
                "filler": turn.filler == 1, "interrupted": turn.interrupted == 1,
            })
        })
        .collect();
    Ok(Json(json!({ "slowest_turns": turns, "notice": simulated.then(words::notice) })))
}
