//! One run, as it goes on.

use super::asked::{Posted, Visit};
use super::charts;
use super::client::encoded;
use super::doors::{own, shown, to};
use super::look::Look;
use super::shell::Shell;
use super::trouble::Trouble;
use super::words;
use crate::domain::Timestamp;
use askama::Template;
use axum::extract::Path;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::stream;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::time::Duration;

/// How often a page that is looked at is drawn anew (real time).
const DRAWN_EVERY: Duration = Duration::from_secs(1);
/// A page that stays open longer asks again by itself.
const DRAWINGS_MAX: u32 = 3600;
/// Lines of the table of calls, whether there are so many or not: nothing below it jumps.
const CALLS_SHOWN: usize = 8;
const GATES_SHOWN: usize = 4;
const DONE_SHOWN: usize = 10;

pub struct CallRow {
    pub attempt: String,
    pub number: String,
    pub name: String,
    pub mode: String,
    pub stage: String,
    pub turns: i64,
    pub lasts: i64,
}

pub struct OutcomeRow {
    pub outcome: String,
    pub total: i64,
    /// In the order of the modes.
    pub by_mode: Vec<i64>,
    pub bar: String,
}

pub struct GateRow {
    pub gate: String,
    pub contacts: i64,
    pub until: Option<Timestamp>,
}

/// A breaker, by the arm that is nearest to tripping it.
pub struct BreakerRow {
    pub name: String,
    pub arm: String,
    pub told: String,
    pub tripped: Option<Timestamp>,
}

pub struct DoneRow {
    pub attempt: String,
    pub mode: String,
    pub outcome: String,
    pub goal: Option<bool>,
    pub tried: i64,
    pub talk_ms: Option<i64>,
    pub ended: Option<Timestamp>,
}

#[derive(Template)]
#[template(path = "page/run_live.html")]
pub struct Live {
    pub s: Shell,
    pub run: Value,
    pub id: String,
    pub state: String,
    pub open: bool,
    pub bar: String,
    pub modes: Vec<String>,
    pub calls: Vec<CallRow>,
    pub calls_more: i64,
    pub calls_empty: usize,
    pub outcomes: Vec<OutcomeRow>,
    pub gates: Vec<GateRow>,
    pub gates_empty: usize,
    pub breakers: Vec<BreakerRow>,
    pub done: Vec<DoneRow>,
    pub past: String,
    pub past_top: i64,
    pub past_from: Option<Timestamp>,
    pub per_minute: f64,
    pub ahead: String,
    pub ahead_top: i64,
    pub ahead_until: Option<Timestamp>,
    pub waits: i64,
}

#[derive(Template)]
#[template(path = "page/run.html")]
struct RunPage {
    s: Shell,
    live: Live,
    campaign: String,
    history: Vec<(Option<Timestamp>, String, String, String)>,
}

impl Live {
    pub fn of(run: Value, s: Shell) -> Self {
        let now = run.at("now").unwrap_or(s.now);
        let mut modes: Vec<String> = Vec::new();
        for row in run.list("outcomes_by_mode").iter().chain(run.list("past.calls")).chain(run.list("calls")) {
            let mode = row.text("mode");
            if !modes.contains(&mode) {
                modes.push(mode);
            }
        }
        modes.sort_by_key(|mode| (s.m(mode), mode.clone()));
        let state = run.text("state");
        let answered: i64 = run
            .list("outcomes")
            .iter()
            .filter(|row| row.text("outcome") == "answered")
            .map(|row| row.int("attempts"))
            .sum();
        let (contacts, rested) = (run.int("progress.contacts"), run.int("progress.rested"));
        let live = run.int("progress.live") + run.int("progress.dialing");
        let good = answered.min(rested);
        let calls: Vec<CallRow> = run
            .list("calls")
            .iter()
            .take(CALLS_SHOWN)
            .map(|call| CallRow {
                attempt: call.text("attempt"),
                number: call.text("number"),
                name: call.text("name"),
                mode: call.text("mode"),
                stage: call.text("stage"),
                turns: call.int("turns"),
                lasts: call.at("since").map_or(0, |since| now.since(since)),
            })
            .collect();
        let gates: Vec<GateRow> = run
            .list("gates")
            .iter()
            .map(|row| GateRow { gate: row.text("gate"), contacts: row.int("contacts"), until: row.at("opens_at") })
            .collect();
        let (past, past_top, per_minute) = past(&run, &modes, &s, now);
        let (ahead, ahead_top, waits) = ahead(&run);
        let ahead_span = run.int("ahead.span_ms") * run.int("ahead.spans");
        Live {
            id: run.text("id"),
            open: !matches!(state.as_str(), "completed" | "stopped"),
            bar: charts::bar(&[("good", good), ("rest", rested - good), ("live", live)], contacts),
            calls_more: live - calls.len() as i64,
            calls_empty: CALLS_SHOWN - calls.len(),
            calls,
            outcomes: outcomes(&run, &modes, &s),
            gates_empty: GATES_SHOWN.saturating_sub(gates.len()),
            gates,
            breakers: breakers(&run, &s),
            done: run.list("newest").iter().take(DONE_SHOWN).map(done).collect(),
            past,
            past_top,
            past_from: run.at("past.from"),
            per_minute,
            ahead,
            ahead_top,
            ahead_until: run.at("ahead.from").map(|from| from.plus_ms(ahead_span)),
            waits,
            modes,
            state,
            run,
            s,
        }
    }
}

pub fn done(row: &Value) -> DoneRow {
    DoneRow {
        attempt: row.text("id"),
        mode: row.text("mode"),
        outcome: row.text("outcome"),
        goal: row.find("goal").as_bool(),
        tried: row.int("try"),
        talk_ms: row.find("talk_ms").as_i64(),
        ended: row.at("ended_at"),
    }
}

fn breakers(run: &Value, s: &Shell) -> Vec<BreakerRow> {
    let near = |row: &Value| row.num("value") / row.num("threshold").max(1e-9);
    let mut nearest: Vec<&Value> = Vec::new();
    for row in run.list("breakers") {
        match nearest.iter_mut().find(|known| known.text("name") == row.text("name")) {
            Some(known) if near(known) < near(row) => *known = row,
            Some(_) => {}
            None => nearest.push(row),
        }
    }
    let each = nearest.into_iter().map(|row| {
        let (value, threshold) = (row.num("value"), row.num("threshold"));
        // Shares are told as percentages, counts as they are.
        let told = match threshold <= 1.0 {
            true => {
                let percent = words::steady_decimal(value * 100.0, 3, s.lang);
                format!("{percent} / {}\u{a0}%", s.x(threshold * 100.0))
            }
            false => format!("{} / {}", words::steady_decimal(value, 3, s.lang), s.x(threshold)),
        };
        let name = match row.text("name").as_str() {
            "failures" => s.t("Failures", "Сбои").to_owned(),
            "silent" => s.t("Silent calls", "Молчание").to_owned(),
            "ungranted" => s.t("Sessions that never asked", "Сеансы без запроса").to_owned(),
            "spend_hour" => s.t("Spent in an hour", "Траты за час").to_owned(),
            other => other.to_owned(),
        };
        BreakerRow { name, arm: row.text("arm"), told, tripped: row.at("tripped_at") }
    });
    each.collect()
}

fn outcomes(run: &Value, modes: &[String], s: &Shell) -> Vec<OutcomeRow> {
    let mut by: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for row in run.list("outcomes_by_mode") {
        let counts = by.entry(row.text("outcome")).or_insert_with(|| vec![0; modes.len()]);
        if let Some(nth) = modes.iter().position(|mode| *mode == row.text("mode")) {
            counts[nth] += row.int("attempts");
        }
    }
    let top = by.values().map(|counts| counts.iter().sum::<i64>()).max().unwrap_or(0);
    let classes: Vec<String> = modes.iter().map(|mode| format!("m{}", s.m(mode))).collect();
    let mut rows: Vec<OutcomeRow> = by
        .into_iter()
        .map(|(outcome, by_mode)| {
            let parts: Vec<(&str, i64)> = classes.iter().map(String::as_str).zip(by_mode.iter().copied()).collect();
            OutcomeRow { outcome, total: by_mode.iter().sum(), bar: charts::bar(&parts, top), by_mode }
        })
        .collect();
    rows.sort_by_key(|row| (row.outcome != "answered", std::cmp::Reverse(row.total)));
    rows
}

/// Columns of the last minutes, their top, and calls a minute of the last five that are over.
fn past(run: &Value, modes: &[String], s: &Shell, now: Timestamp) -> (String, i64, f64) {
    let spans = run.int("past.spans").clamp(1, 200) as usize;
    let mut columns: Vec<Vec<(String, i64)>> =
        vec![modes.iter().map(|mode| (format!("m{}", s.m(mode)), 0)).collect(); spans];
    for row in run.list("past.calls") {
        let nth = modes.iter().position(|mode| *mode == row.text("mode"));
        let column = usize::try_from(row.int("span")).ok().and_then(|span| columns.get_mut(span));
        if let Some(part) = nth.zip(column).and_then(|(nth, column)| column.get_mut(nth)) {
            part.1 += row.int("calls");
        }
    }
    let totals: Vec<i64> = columns.iter().map(|parts| parts.iter().map(|(_, n)| n).sum()).collect();
    let last = &totals[spans.saturating_sub(6)..spans.saturating_sub(1)];
    let (counted, minutes) = match run.at("started_at").map(|at| now.since(at)) {
        // A young run is counted from its beginning.
        Some(age) if age < 360_000 && run.at("ended_at").is_none() => {
            (totals.iter().sum::<i64>(), (age as f64 / 60_000.0).max(0.25))
        }
        _ => (last.iter().sum(), last.len().max(1) as f64),
    };
    (
        charts::columns(&columns, 5),
        charts::nice(totals.iter().copied().max().unwrap_or(0).max(5)),
        counted as f64 / minutes,
    )
}

/// Columns of those who wait, their top, and how many they are.
fn ahead(run: &Value) -> (String, i64, i64) {
    let spans = run.int("ahead.spans").clamp(1, 200) as usize;
    let mut columns: Vec<Vec<(String, i64)>> = vec![vec![("retry".to_owned(), 0), ("gate".to_owned(), 0)]; spans];
    let mut waits = 0;
    for row in run.list("ahead.waits") {
        let column = usize::try_from(row.int("span")).unwrap_or(0).min(spans - 1);
        let part = usize::from(row.text("gate") != "retry_delay");
        columns[column][part].1 += row.int("contacts");
        waits += row.int("contacts");
    }
    let top = columns.iter().map(|parts| parts.iter().map(|(_, n)| n).sum::<i64>()).max().unwrap_or(0).max(5);
    (charts::columns(&columns, 5), charts::nice(top), waits)
}

async fn told(visit: &Visit, run: &str) -> Result<Value, Trouble> {
    visit.api.get(&format!("/runs/{}/live", encoded(run))).await
}

async fn made(visit: &Visit, run: &str) -> Result<Response, Trouble> {
    let told = told(visit, run).await?;
    let campaign = told.text("campaign_name");
    let single = told.text("kind") == "single";
    let s = Shell::of(visit, if single { "call" } else { "campaigns" }, campaign.clone()).await?;
    let mut history: Vec<_> = told
        .list("history")
        .iter()
        .map(|row| {
            let who = [row.text("by"), row.text("actor")].into_iter().find(|text| !text.is_empty());
            (row.at("at"), row.text("state"), row.text("reason"), who.unwrap_or_default())
        })
        .collect();
    history.reverse();
    let live = Live::of(told, s.clone());
    Ok(shown(&RunPage { s, live, campaign, history }))
}

pub async fn show(visit: Visit, Path(run): Path<String>) -> Response {
    made(&visit, &run).await.unwrap_or_else(|trouble| visit.troubled(&trouble))
}

/// The part that lives, drawn anew while it changes; ends with the run.
pub async fn live(visit: Visit, Path(run): Path<String>) -> Response {
    let first = match told(&visit, &run).await {
        Ok(told) => told,
        Err(trouble) => return visit.troubled(&trouble),
    };
    let shell = match Shell::of(&visit, "campaigns", "").await {
        Ok(shell) => shell,
        Err(trouble) => return visit.troubled(&trouble),
    };
    let place = match visit.watch() {
        Ok(place) => place,
        Err(response) => return response,
    };
    let begun = (visit, shell, run, Some(first), String::new(), 0_u32, place);
    let drawn = stream::unfold(begun, |(visit, shell, run, mut first, mut last, mut nth, place)| async move {
        loop {
            if nth > DRAWINGS_MAX {
                return None;
            }
            if nth > 0 {
                let stopping = visit.stopping();
                tokio::select! {
                    () = stopping.cancelled() => return None,
                    () = tokio::time::sleep(DRAWN_EVERY) => {}
                }
            }
            nth += 1;
            let told = match first.take() {
                Some(told) => told,
                None => told(&visit, &run).await.ok()?,
            };
            let mut shell = shell.clone();
            shell.now = told.at("now").unwrap_or(shell.now);
            let live = Live::of(told, shell.clone());
            let open = live.open;
            // An event knows no carriage return; a text of somebody else may hold one.
            let html = live.render().ok()?.replace('\r', " ");
            if !open {
                nth = DRAWINGS_MAX + 1;
            }
            if html != last {
                last.clone_from(&html);
                let event = Event::default().event(if open { "html" } else { "last" }).data(html);
                return Some((Ok::<_, Infallible>(event), (visit, shell, run, first, last, nth, place)));
            }
        }
    });
    Sse::new(drawn).keep_alive(KeepAlive::default()).into_response()
}

/// Pause, resume, drain, stop, with the reason that somebody gave.
pub async fn act(Path((run, act)): Path<(String, String)>, posted: Posted) -> Response {
    let Posted { visit, fields } = posted;
    let known = ["pause", "resume", "drain", "stop"].contains(&act.as_str());
    let mut order = json!({ "by": "admin page" });
    if let Some(reason) = fields.said("reason") {
        order["reason"] = reason.into();
    }
    if act == "stop" && fields.get("hang_up") == "yes" {
        order["hang_up"] = true.into();
    }
    if let ("resume", Ok(after)) = (act.as_str(), fields.get("hold_after").parse::<u32>()) {
        order["hold_after"] = after.into();
    }
    let run = encoded(&run);
    if !known {
        let said = visit.t("A run does not know this.", "Запуск этого не умеет.");
        return visit.troubled(&Trouble::new(axum::http::StatusCode::NOT_FOUND, said));
    }
    match visit.api.post(&format!("/runs/{run}/{act}"), &order).await {
        Ok(_) => to(&format!("/runs/{run}")),
        Err(trouble) => visit.troubled(&trouble),
    }
}

/// Every dial of the installation, held or let go.
pub async fn act_on_all(Path(act): Path<String>, posted: Posted) -> Response {
    let Posted { visit, fields } = posted;
    let path = match act.as_str() {
        "pause" => "/pause",
        "resume" => "/resume",
        _ => {
            let said = visit.t("There is no such order.", "Такого распоряжения нет.");
            return visit.troubled(&Trouble::new(axum::http::StatusCode::NOT_FOUND, said));
        }
    };
    let mut order = json!({ "by": "admin page" });
    if let Some(reason) = fields.said("reason") {
        order["reason"] = reason.into();
    }
    match visit.api.post(path, &order).await {
        Ok(_) => to(own(fields.get("to"))),
        Err(trouble) => visit.troubled(&trouble),
    }
}
