//! What happens to a call, a line each.

use super::super::Failure;
use super::Placed;
use serde_json::{Value, json};

pub struct Lines {
    json: bool,
}

fn text<'a>(happened: &'a Value, key: &str) -> &'a str {
    happened[key].as_str().unwrap_or_default()
}

/// Session time, or the place of it.
fn time(happened: &Value) -> String {
    match happened["at_ms"].as_i64() {
        Some(ms) => format!("{:02}:{:02}.{}", ms / 60_000, ms / 1000 % 60, ms % 1000 / 100),
        None => "   --  ".to_owned(),
    }
}

fn sentence(happened: &Value) -> String {
    match text(happened, "what") {
        "planned" => "planned: it waits for its slot".to_owned(),
        "starting" => "starting a session".to_owned(),
        "refused" => "the provider did not take the start".to_owned(),
        "unclear" => "no answer to the start: waiting for the session".to_owned(),
        "granted" => format!("granted to session {}: dialling", happened["session_id"]),
        "machine" => format!("machine detection: {}", text(happened, "result")),
        "opt_out" => "the callee asked never to be called again".to_owned(),
        "not_dialled" => format!("not dialled: {}", text(happened, "reason")),
        "turn" => turn(happened),
        "held" => match happened["until"].as_str() {
            Some(until) => format!("held back until {until}: {}", text(happened, "reason")),
            None => format!("held back: {}", text(happened, "reason")),
        },
        "ended" => format!("ended: {}", ended(happened)),
        other => other.to_owned(),
    }
}

fn turn(happened: &Value) -> String {
    let said = |key: &str| happened[key].as_str().map_or_else(|| "–".to_owned(), |said| format!("«{said}»"));
    let took = match happened["turn_ms"].as_i64() {
        Some(ms) => format!("{ms} ms, {}", text(happened, "method")),
        None => "no reply".to_owned(),
    };
    let cut = if happened["interrupted"] == true { ", interrupted" } else { "" };
    format!(
        "turn {}  callee: {}\n         agent:  {}  ({took}{cut})",
        happened["turn"],
        said("callee_text"),
        said("agent_text")
    )
}

/// Outcome, and whatever is known of it.
fn ended(happened: &Value) -> String {
    let mut parts = vec![text(happened, "outcome").to_owned()];
    match (happened["code"].as_i64().filter(|code| *code > 0), happened["reason"].as_str()) {
        (Some(code), Some(reason)) if !reason.is_empty() => parts.push(format!("{code} {reason}")),
        (Some(code), _) => parts.push(code.to_string()),
        (None, Some(reason)) if !reason.is_empty() => parts.push(reason.to_owned()),
        (None, _) => {}
    }
    if let Some(by) = happened["hung_up_by"].as_str() {
        parts.push(format!("hung up by {by}"));
    }
    if let Some(broke) = happened["broke"].as_str() {
        parts.push(format!("our {broke} broke"));
    }
    match happened["goal"].as_bool() {
        Some(true) => parts.push("goal reached".to_owned()),
        Some(false) => parts.push("goal not reached".to_owned()),
        None => {}
    }
    if let Some(ms) = happened["talk_ms"].as_i64() {
        parts.push(format!("talked {}.{} s", ms / 1000, ms % 1000 / 100));
    }
    parts.join(", ")
}

impl Lines {
    pub fn new(json: bool) -> Self {
        Lines { json }
    }

    pub fn placed(&mut self, placed: &Placed, place: &str) {
        if self.json {
            let mut told = json!({ "what": "placed", "by": place });
            for (key, value) in placed.told.as_object().into_iter().flatten() {
                told[key] = value.clone();
            }
            println!("{told}");
            return;
        }
        let told = &placed.told;
        println!("Calling {} in mode {} by {place}: {}", text(told, "number"), text(told, "mode"), placed.attempt);
        for note in told["notes"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            println!("Note: {note}");
        }
    }

    pub fn happened(&mut self, happened: &Value) {
        if self.json {
            println!("{happened}");
        } else {
            println!("{}  {}", time(happened), sentence(happened));
        }
    }

    /// Beside what happened: for people, not for programs.
    pub fn note(&mut self, said: &str) {
        eprintln!("halo: {said}");
    }

    /// The last line, and what it means for the exit code.
    pub fn end(&mut self, happened: &Value, asked: bool) -> Result<(), Failure> {
        self.happened(happened);
        let outcome = text(happened, "outcome");
        let speaks_of_the_contact = happened["fault"] == "contact" && outcome != "suppressed";
        let broke = happened["broke"].is_string();
        if (speaks_of_the_contact && !broke) || (asked && outcome == "cancelled") {
            return Ok(());
        }
        let failed = match outcome {
            "cancelled" | "expired" | "suppressed" => "was not made",
            _ => "failed",
        };
        Err(Failure::refused(format!("the call {failed}: {}", ended(happened))))
    }
}
