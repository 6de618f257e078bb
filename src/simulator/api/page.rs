//! A page with what is going on, and a session's log.

use std::fmt::Write;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

use crate::simulator::platform::Platform;

const SHOWN_MAX: usize = 200;

pub async fn root(State(platform): State<Arc<Platform>>) -> Html<String> {
    let pace = platform.ledger().pace();
    let mut rows = String::new();
    let state = platform.state();
    let (live, over): (Vec<_>, Vec<_>) = state.sessions.values().rev().partition(|record| !record.is_over());
    for record in live.iter().chain(over.iter()).take(SHOWN_MAX) {
        let (doing, errors) = record.summary();
        let faults = if errors > 0 { format!("{errors} errors") } else { String::new() };
        // Writing to a string cannot fail.
        let _ = write!(
            rows,
            "<tr><td><a href=\"/simulator/sessions/{0}/log\">{0}</a></td><td>{1}</td><td>{2}</td><td>{3}</td></tr>",
            record.session_id,
            escape(&record.rule_name),
            escape(&doing),
            faults
        );
    }
    Html(format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta http-equiv=\"refresh\" content=\"2\">\
         <title>Simulator</title><style>body{{font:15px sans-serif;margin:2em}}td,th{{padding:2px 12px;text-align:left}}</style>\
         <h1>Simulator</h1><p>{} live, {} over; busiest second {} starts, most open calls {}. \
         <a href=\"/simulator/starts\">starts</a> <a href=\"/simulator/calls\">calls</a> <a href=\"/simulator/pace\">pace</a></p>\
         <table><tr><th>session</th><th>rule</th><th>doing</th><th></th></tr>{rows}</table></html>",
        live.len(),
        over.len(),
        pace["starts_busiest_second"],
        pace["open_calls_most"],
    ))
}

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

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
