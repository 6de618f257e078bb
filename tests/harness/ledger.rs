//! The simulator's own word on what was asked and what was dialled.

use halo::simulator;
use serde_json::Value;
use std::collections::BTreeMap;
use std::net::SocketAddr;

/// One line of a ledger with the attempt and the token that its custom data names.
#[derive(Clone, Debug)]
pub struct Line {
    pub attempt: String,
    pub token: String,
    pub number: String,
    pub at_ms: i64,
    pub line: Value,
}

async fn lines(simulator: SocketAddr, which: &str) -> Vec<Line> {
    let url = format!("http://{simulator}/simulator/{which}");
    let text = reqwest::get(url).await.expect("the simulator answers").text().await.expect("a ledger");
    let read = |line: &str| {
        let line: Value = serde_json::from_str(line).expect("a line of JSON");
        let data: Value = serde_json::from_str(line["custom_data"].as_str().unwrap_or("{}")).unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Line {
            attempt: text(&data["a"]),
            token: text(&data["t"]),
            number: text(&line["number"]),
            at_ms: line["at_ms"].as_i64().unwrap_or_default(),
            line,
        }
    };
    text.lines().map(read).collect()
}

pub async fn starts(simulator: &simulator::Running) -> Vec<Line> {
    lines(simulator.address(), "starts").await
}

pub async fn calls(simulator: &simulator::Running) -> Vec<Line> {
    lines(simulator.address(), "calls").await
}

/// The calls of a simulator that is a process of its own.
pub async fn calls_at(simulator: SocketAddr) -> Vec<Line> {
    lines(simulator, "calls").await
}

/// Nobody was rung twice for one attempt; returns how many calls there were.
pub async fn no_attempt_twice(simulator: &simulator::Running) -> usize {
    each_attempt_once(&calls(simulator).await)
}

pub fn each_attempt_once(calls: &[Line]) -> usize {
    let mut by_attempt: BTreeMap<&str, usize> = BTreeMap::new();
    for call in calls {
        assert!(!call.attempt.is_empty(), "a call of no attempt: {}", call.line);
        *by_attempt.entry(&call.attempt).or_default() += 1;
    }
    let twice: Vec<_> = by_attempt.iter().filter(|(_, calls)| **calls > 1).collect();
    assert!(twice.is_empty(), "attempts with more than one call: {twice:?}");
    calls.len()
}

/// How often each number was dialled.
pub async fn by_number(simulator: &simulator::Running) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for call in calls(simulator).await {
        let digits: String = call.number.chars().filter(char::is_ascii_digit).collect();
        *counts.entry(format!("+{digits}")).or_default() += 1;
    }
    counts
}
