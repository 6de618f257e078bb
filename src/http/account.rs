//! The account at the platform: its limits, and how fast starts leave now.

use super::seen::{Seen, Tagged, tagged};
use super::{Problem, Web};
use crate::domain::Timestamp;
use crate::domain::pace::{PaceNow, account_pace};
use crate::store::{Account, LimitOrder, Run};
use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::HeaderMap;
use serde::Serialize;
use serde_json::{Map, Value};
use std::sync::Arc;

const CPS_LEAST: f64 = 0.01;
const CPS_MAX: f64 = 10_000.0;
const LINES_MAX: i64 = 1_000_000;

#[derive(Serialize)]
pub(super) struct AccountView {
    platform: String,
    limits: Limits,
    pace: PaceNow,
    lines: Lines,
    paused: Option<Paused>,
}

/// Nothing: no limit.
#[derive(Serialize)]
struct Limits {
    cps: Option<f64>,
    lines: Option<i64>,
}

#[derive(Serialize)]
struct Lines {
    limit: Option<i64>,
    held: i64,
}

#[derive(Serialize)]
struct Paused {
    since: Timestamp,
    reason: Option<String>,
}

async fn ours(web: &Web) -> Result<Account, Problem> {
    let account = web.store.account(web.dialer.account).await?;
    account.ok_or_else(|| Problem::ours("the account of this platform has no row"))
}

pub(super) async fn show(State(web): State<Arc<Web>>) -> Result<Tagged<AccountView>, Problem> {
    let (account, now) = (ours(&web).await?, web.clock.now());
    let tag = tag(account.cps_max, account.lines_max);
    let view = AccountView {
        pace: account_pace(account.cps_max, account.brake.as_ref(), now),
        lines: Lines { limit: account.lines_max, held: web.store.lines_held(account.account, now).await? },
        limits: Limits { cps: account.cps_max, lines: account.lines_max },
        paused: account.paused_at.map(|since| Paused { since, reason: account.pause_reason }),
        platform: account.platform,
    };
    Ok(tagged(&tag, view))
}

/// The limits, as `ETag` names them: they are their own version.
fn tag(cps: Option<f64>, lines: Option<i64>) -> String {
    let text = |limit: Option<String>| limit.unwrap_or_else(|| "none".to_owned());
    format!("{}-{}", text(cps.map(|cps| cps.to_string())), text(lines.map(|lines| lines.to_string())))
}

/// `{"cps": 5, "lines": null}`: a key that is absent leaves its limit alone, null takes it away.
pub(super) async fn limit(
    State(web): State<Arc<Web>>,
    headers: HeaderMap,
    body: Result<Json<Value>, JsonRejection>,
) -> Result<Tagged<AccountView>, Problem> {
    let Json(body) = body.map_err(|cause| Problem::unread(cause.status(), cause.body_text()))?;
    let keys = body.as_object().cloned().ok_or_else(|| Problem::bad("write an object: {\"cps\": 5, \"lines\": 20}"))?;
    let (cps_max, lines_max) = limits(&keys)?;
    let changed = || Problem::changed("the limits were changed meanwhile: read them again");
    let seen = match Seen::of(&headers) {
        None => None,
        Some(seen) => {
            let now = ours(&web).await?;
            let is = (now.cps_max, now.lines_max);
            Some(is).filter(|(cps, lines)| seen.is(&tag(*cps, *lines))).map(Some).ok_or_else(changed)?
        }
    };
    let order = LimitOrder { account: web.dialer.account, cps_max, lines_max, seen, now: web.clock.now() };
    if !web.store.limit(order).await? {
        return Err(changed());
    }
    super::access::note_more(Value::Object(keys.clone()));
    web.dialer.obey_limits().await?;
    show(State(web)).await
}

/// What is said of each limit; nothing is said of one that stays.
type Said = (Option<Option<f64>>, Option<Option<i64>>);

fn limits(keys: &Map<String, Value>) -> Result<Said, Problem> {
    let mut faults = Vec::new();
    let (mut cps_max, mut lines_max) = (None, None);
    for (key, value) in keys {
        match (key.as_str(), value) {
            ("cps", Value::Null) => cps_max = Some(None),
            ("lines", Value::Null) => lines_max = Some(None),
            ("cps", value) => match value.as_f64().filter(|cps| (CPS_LEAST..=CPS_MAX).contains(cps)) {
                cps @ Some(_) => cps_max = Some(cps),
                None => faults.push(format!("cps: write a number from {CPS_LEAST} to {CPS_MAX}, or null for no limit")),
            },
            ("lines", value) => match value.as_i64().filter(|lines| (1..=LINES_MAX).contains(lines)) {
                lines @ Some(_) => lines_max = Some(lines),
                None => faults.push(format!("lines: write a whole number from 1 to {LINES_MAX}, or null for no limit")),
            },
            (other, _) => {
                faults.push(format!("{}: unknown key; known here: cps, lines", crate::domain::keys::cut(other)))
            }
        }
    }
    match faults.is_empty() {
        true => Ok((cps_max, lines_max)),
        false => Err(Problem::refused("these limits cannot be set", faults)),
    }
}

/// How fast a run's starts may leave now; nothing once it is over.
pub(super) async fn pace_of(web: &Web, run: &Run) -> Result<Option<PaceNow>, Problem> {
    if run.state.is_over() {
        return Ok(None);
    }
    let Some(account) = web.store.account(run.account).await? else { return Ok(None) };
    // A campaign that cannot be read has no pace; its run is paused and says so.
    let Ok(rules) = web.dialer.rules(run.campaign).await else { return Ok(None) };
    let (settings, now) = (&rules.settings, web.clock.now());
    let account = account_pace(account.cps_max, account.brake.as_ref(), now);
    Ok(Some(settings.pacing.run_pace(settings.dial.cps, run.changed_at, &account, now)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn limits_are_set_kept_and_taken_away() {
        let read = |body: Value| limits(body.as_object().unwrap());
        assert_eq!(read(json!({ "cps": 5 })).unwrap(), (Some(Some(5.0)), None));
        assert_eq!(read(json!({ "cps": null, "lines": null })).unwrap(), (Some(None), Some(None)));
        assert_eq!(read(json!({})).unwrap(), (None, None));
        let faults = read(json!({ "cps": 0, "lines": 2.5, "line": 3 })).unwrap_err().faults;
        assert_eq!(
            faults,
            [
                "cps: write a number from 0.01 to 10000, or null for no limit",
                "lines: write a whole number from 1 to 1000000, or null for no limit",
                "line: unknown key; known here: cps, lines",
            ]
        );
    }
}
