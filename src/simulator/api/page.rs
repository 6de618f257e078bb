//! A page with what is going on, and a page for each session's log. No number stands on them in full.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

use crate::simulator::clock::{utc_text, wall_ms};
use crate::simulator::platform::Platform;
use crate::simulator::session::record::{Glance, SessionRecord};

/// Sessions that are over: the newest of them.
const SHOWN_MAX: usize = 200;

#[derive(Template)]
#[template(path = "simulator.html")]
struct Page {
    title: String,
    facts: Vec<(&'static str, String)>,
    lists: Vec<List>,
    log: Option<Vec<Line>>,
    /// The log as a file.
    plain: String,
    /// The page renews itself.
    is_live: bool,
}

struct List {
    title: &'static str,
    count: usize,
    empty: &'static str,
    rows: Vec<Row>,
}

struct Row {
    session_id: u64,
    rule: String,
    started: String,
    seconds: String,
    number: String,
    state: String,
    tone: &'static str,
    lines: usize,
    errors: usize,
}

struct Line {
    at: String,
    text: String,
    tone: &'static str,
}

pub async fn root(State(platform): State<Arc<Platform>>) -> Response {
    let pace = platform.ledger().pace();
    let clock = platform.client.told();
    let now_ms = wall_ms();
    let (live, over, over_count) = {
        let state = platform.state();
        let (live, over): (Vec<_>, Vec<_>) = state.sessions.values().rev().cloned().partition(|held| !held.is_over());
        let over_count = over.len();
        (live, over.into_iter().take(SHOWN_MAX).collect::<Vec<_>>(), over_count)
    };
    let rows = |held: &[Arc<SessionRecord>]| held.iter().map(|record| row(&platform, record, now_ms)).collect();
    let mut facts = vec![
        ("Open calls", pace["open_calls"].to_string()),
        ("Most open calls", pace["open_calls_most"].to_string()),
        ("Starts", pace["starts"].to_string()),
        ("Starts in the busiest second", pace["starts_busiest_second"].to_string()),
        ("Calls dialled", pace["calls"].to_string()),
        ("Speed", format!("{}×", platform.speed)),
        ("Cost of requests", clock["request_cost"].as_str().unwrap_or_default().to_owned()),
    ];
    if let Some(p95) = clock["distortion_ms"]["p95"].as_f64() {
        facts.push(("Measured − reported, p95", format!("{p95:.1} ms")));
    }
    show(&Page {
        title: format!("{} live · simulator", live.len()),
        facts,
        lists: vec![
            List { title: "Live", count: live.len(), empty: "No session is running.", rows: rows(&live) },
            List { title: "Over", count: over_count, empty: "No session has ended yet.", rows: rows(&over) },
        ],
        log: None,
        plain: String::new(),
        is_live: true,
    })
}

/// `GET /simulator/sessions/{id}`.
pub async fn session(State(platform): State<Arc<Platform>>, Path(id): Path<u64>) -> Response {
    let Some(record) = platform.session(id) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let row = row(&platform, &record, wall_ms());
    let (lines, _) = record.log();
    let facts = vec![
        ("Rule", row.rule),
        ("Started, UTC", row.started),
        ("Seconds", row.seconds),
        ("Number", row.number),
        ("State", row.state),
        ("Errors", row.errors.to_string()),
    ];
    show(&Page {
        title: format!("Session {id}"),
        facts,
        lists: Vec::new(),
        log: Some(lines.iter().map(|line| line_of(line)).collect()),
        plain: format!("/simulator/sessions/{id}/log"),
        is_live: !record.is_over(),
    })
}

/// `GET /simulator/sessions/{id}/log`, for programs.
pub async fn log(State(platform): State<Arc<Platform>>, Path(id): Path<u64>) -> Response {
    match platform.session(id) {
        Some(record) => {
            let (lines, _) = record.log();
            let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
            ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn show(page: &Page) -> Response {
    match page.render() {
        Ok(text) => Html(text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn row(platform: &Platform, record: &SessionRecord, now_ms: i64) -> Row {
    let Glance { doing, errors, lines, duration_s, number_tail, end, finish_reason } = record.glance();
    // A live session's own clock is its own; real time and the speed are near enough to look at.
    let lasting = (now_ms - record.started_ms).max(0) as f64 / 1000.0 * platform.speed;
    let (state, tone) = match (&end, duration_s) {
        (_, None) => (doing, "live"),
        (Some((code, details, successful)), Some(_)) => {
            (format!("{code} {details}"), if *successful { "good" } else { "bad" })
        }
        (None, Some(_)) => (format!("no call; {}", finish_reason.unwrap_or("Normal termination")), ""),
    };
    Row {
        session_id: record.session_id,
        rule: record.rule_name.clone(),
        started: utc_text(record.started_ms),
        seconds: duration_s.map_or_else(|| format!("~{lasting:.0}"), |seconds| seconds.to_string()),
        number: number_tail.map(|tail| format!("•• {tail}")).unwrap_or_default(),
        state,
        tone,
        lines,
        errors,
    }
}

/// A line of the log is its time, padded to the right, a blank, and the rest.
fn line_of(line: &str) -> Line {
    let (at, text) = line.trim_start().split_once(' ').unwrap_or(("", line));
    let tone = match text {
        text if text.starts_with("ERROR") => "error",
        text if text.starts_with("< ") => "event",
        _ => "",
    };
    Line { at: at.to_owned(), text: text.to_owned(), tone }
}
