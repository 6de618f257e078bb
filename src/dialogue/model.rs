//! A model as replier: what it is asked, and what its answer comes to.
//!
//! It fills the record that the built-in replier fills. What must not be left to a model is not: the greeting, silence,
//! the last turn and whoever asks never to be called again are answered by rule, and only the tools declared here do
//! anything, each with values that are checked.

use super::answers::{self, Fit, fit};
use super::optout::asks_never_again;
use super::prompts::{Manner, greeting, told};
use super::replier::{Heard, Record, Reply, TEXT_CHARS_MAX, asks_for, reach, reply};
use super::script::{Script, Text};
use super::words::{fill, plain, tame};
use super::{Variables, callback};
use crate::domain::Timestamp;
use chrono::DateTime;
use chrono_tz::Tz;
use serde::Serialize;
use serde_json::{Map, Value, json};

pub const NOTE: &str = "note";
pub const END_CALL: &str = "end_call";
/// Of what a sentence says, so much must be heard in a reply that is taken for it.
const LIKE: f64 = 0.6;
/// No promise is made further ahead.
const CALLBACK_DAYS_MAX: i64 = 30;
/// Of a model's arguments that are kept for people to read.
const ARGUMENTS_CHARS_MAX: usize = 1000;

/// A turn that is over, as the model is told of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// `None`: the opening, before anybody was heard.
    pub heard: Option<String>,
    pub said: String,
}

/// What a model is asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// As chat completions have them.
    pub messages: Vec<Value>,
    pub tools: Value,
    /// The record with what the callee has just said.
    pub record: Record,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// No model is needed.
    Say(Reply),
    Ask(Question),
}

/// A tool that the model called, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Done {
    pub name: String,
    pub arguments: String,
    /// `done`, or why not.
    pub result: String,
}

/// What one turn needs.
pub fn begin(script: &Script, variables: &Variables, record: &Record, heard: Heard<'_>, before: &[Exchange]) -> Step {
    let Heard::Text { text, now, zone } = heard else { return Step::Say(reply(script, variables, record, heard)) };
    let text: String = text.chars().take(TEXT_CHARS_MAX).collect();
    let by_rule = record.goodbye.is_some()
        || plain(&text).is_empty()
        || asks_never_again(&text, script)
        || record.turns + 1 >= script.turns_max;
    if by_rule {
        return Step::Say(reply(script, variables, record, heard));
    }
    let mut next = record.clone();
    next.said = next.said.max(1);
    next.turns += 1;
    let later = script
        .callback
        .as_ref()
        .is_some_and(|rule| rule.keywords.iter().any(|word| super::words::contains(&text, word)));
    // A question is no answer, and neither is a plea for another hour.
    if !later && asks_for(script, record, &text).is_none() {
        reach(script, &mut next, &text);
    }
    let rules = format!("{}\n{}", manners(), clock(now, zone));
    let mut messages = vec![system(&told(script, Manner::Backend, variables).instructions), system(&rules)];
    let opened = before.first().is_some_and(|turn| turn.heard.is_none());
    if !opened {
        // It travelled in the grant.
        messages.push(json!({ "role": "assistant", "content": greeting(script, variables) }));
    }
    for turn in before {
        if let Some(heard) = &turn.heard {
            messages.push(callee(heard));
        }
        messages.push(json!({ "role": "assistant", "content": turn.said }));
    }
    messages.push(callee(&text));
    Step::Ask(Question { messages, tools: tools(script), record: next })
}

fn system(text: &str) -> Value {
    json!({ "role": "system", "content": text })
}

/// What the callee said is theirs alone: no line of it can look like one of ours.
fn callee(text: &str) -> Value {
    let kept: String =
        text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(TEXT_CHARS_MAX).collect::<String>();
    let kept = kept.split_whitespace().collect::<Vec<_>>().join(" ");
    json!({ "role": "user", "content": if kept.is_empty() { "(silence)" } else { &kept } })
}

/// How an answer is to look: the same in every call.
pub fn manners() -> String {
    format!(
        "Answer with the words to be spoken and nothing else: no names of lines, no marks, no lists. Two sentences at \
         most, unless a line says more.\n\
         Besides speaking you may call {NOTE} when the other person has answered to a PHASE, with the answers that were \
         given. To finish the call say your goodbye and call {END_CALL} together with it. Never call anything else."
    )
}

fn clock(now: Timestamp, zone: Tz) -> String {
    let wall = now.utc().map(|utc| utc.with_timezone(&zone).format("%Y-%m-%dT%H:%M%:z, %A").to_string());
    format!("The other person's clock shows {}.", wall.unwrap_or_default())
}

/// The only functions that there are.
pub fn tools(script: &Script) -> Value {
    let answers = answers::schema(script);
    let phases: Vec<&str> = script.phases.iter().map(|phase| phase.name.as_str()).collect();
    json!([
        {
            "type": "function",
            "function": {
                "name": NOTE,
                "description": "Notes what the other person has answered to, and the answers.",
                "parameters": {
                    "type": "object",
                    "properties": {
                        "phases": { "type": "array", "items": { "type": "string", "enum": phases } },
                        "answers": answers,
                    },
                    "additionalProperties": false,
                },
            },
        },
        {
            "type": "function",
            "function": {
                "name": END_CALL,
                "description": "Finishes the call, together with the goodbye.",
                "parameters": {
                    "type": "object",
                    "properties": {
                        "goal": { "type": "boolean", "description": "whether the goal of the call was reached" },
                        "answers": answers,
                        "callback_at": { "type": "string", "description": "RFC 3339, when a call back was promised" },
                        "opt_out": {
                            "type": "boolean", "description": "whether the other person asked not to be called again",
                        },
                    },
                    "additionalProperties": false,
                },
            },
        },
    ])
}

/// What a model said and called, as a reply. `record` is the question's; `said` may be empty when it ends the call.
pub fn take(
    script: &Script,
    variables: &Variables,
    record: &Record,
    said: &str,
    called: &[(String, String)],
    heard: (&str, Timestamp, Tz),
) -> (Reply, Vec<Done>) {
    let mut next = record.clone();
    let mut ends = false;
    let mut done = Vec::new();
    for (name, arguments) in called {
        let result = match serde_json::from_str::<Value>(if arguments.trim().is_empty() { "{}" } else { arguments }) {
            Ok(Value::Object(given)) if name == NOTE => note(script, &mut next, &given),
            Ok(Value::Object(given)) if name == END_CALL => {
                ends = true;
                end(script, &mut next, &given, heard)
            }
            Ok(Value::Object(_)) => Err("refused: there is no such tool".to_owned()),
            _ => Err("refused: the arguments are no JSON object".to_owned()),
        };
        done.push(Done {
            name: name.chars().take(64).collect(),
            arguments: arguments.chars().take(ARGUMENTS_CHARS_MAX).collect(),
            result: result.err().unwrap_or_else(|| "done".to_owned()),
        });
    }
    note_said(script, variables, &mut next, said);
    // Models say the goodbye and forget to finish.
    ends |= is_like(said, &fill(&script.closing, variables));
    let text = match said.is_empty() {
        false => said.to_owned(),
        true => fill(last_words(script, &next), variables),
    };
    if ends {
        next.goodbye = Some(text.clone());
    }
    (Reply::of(script, text, next), done)
}

/// Marks the phases and reactions whose sentences are heard in what the agent said.
pub(super) fn note_said(script: &Script, variables: &Variables, record: &mut Record, said: &str) {
    for (place, phase) in script.phases.iter().enumerate().skip(record.said) {
        if is_like(said, &fill(&phase.say, variables)) {
            record.said = place + 1;
        }
    }
    for (place, reaction) in script.reactions.iter().enumerate() {
        if is_like(said, &fill(&reaction.say, variables)) {
            record.used.insert(place);
        }
    }
}

fn last_words<'a>(script: &'a Script, record: &Record) -> &'a Text {
    match &script.callback {
        _ if record.opt_out => &script.opt_out.say,
        Some(rule) if record.callback_at.is_some() => &rule.say,
        _ => &script.closing,
    }
}

fn note(script: &Script, record: &mut Record, given: &Map<String, Value>) -> Result<(), String> {
    let mut strange = unknown(given, &["phases", "answers"]);
    for phase in given.get("phases").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
        match script.phases.iter().position(|known| known.name == phase) {
            // Nobody has answered to what was not said.
            Some(place) if place < record.said => drop(record.reached.insert(phase.to_owned())),
            Some(_) => strange.push(format!("phase `{}` was not said yet", short(phase))),
            None => strange.push(format!("no phase `{}`", short(phase))),
        }
    }
    strange.extend(collect(script, record, given));
    if strange.is_empty() { Ok(()) } else { Err(format!("partly refused: {}", strange.join("; "))) }
}

fn end(
    script: &Script,
    record: &mut Record,
    given: &Map<String, Value>,
    (text, now, zone): (&str, Timestamp, Tz),
) -> Result<(), String> {
    let mut strange = unknown(given, &["goal", "answers", "callback_at", "opt_out"]);
    strange.extend(collect(script, record, given));
    record.claimed = given.get("goal").and_then(Value::as_bool);
    record.opt_out |= given.get("opt_out").and_then(Value::as_bool).unwrap_or_default();
    if let Some(at) = given.get("callback_at").and_then(Value::as_str).filter(|at| !at.is_empty()) {
        let promised = DateTime::parse_from_rfc3339(at).ok().map(|at| Timestamp(at.timestamp_millis()));
        let sound = promised.filter(|at| *at > now && *at <= now.plus_s(CALLBACK_DAYS_MAX * 24 * 3600));
        // What the callee said themselves counts more than what a model made of it.
        let later = || script.callback.as_ref().map(|rule| now.plus_s(i64::from(rule.after_min) * 60));
        record.callback_at = callback::asked_for(text, zone, now).or(sound).or_else(later);
        if sound.is_none() {
            strange.push(format!("callback_at `{}` is no time within {CALLBACK_DAYS_MAX} days", short(at)));
        }
    }
    if strange.is_empty() { Ok(()) } else { Err(format!("partly refused: {}", strange.join("; "))) }
}

fn unknown(given: &Map<String, Value>, known: &[&str]) -> Vec<String> {
    given.keys().filter(|key| !known.contains(&key.as_str())).map(|key| format!("no field `{}`", short(key))).collect()
}

/// Takes what has the declared shape.
fn collect(script: &Script, record: &mut Record, given: &Map<String, Value>) -> Vec<String> {
    let mut strange = Vec::new();
    for (name, value) in given.get("answers").and_then(Value::as_object).into_iter().flatten() {
        match fit(script, name, value) {
            Fit::Is(value) => drop(record.answers.insert(name.clone(), value)),
            Fit::Nothing => {}
            Fit::Strange => strange.push(format!("answer `{}` has another shape", short(name))),
            Fit::Undeclared => strange.push(format!("no answer `{}`", short(name))),
        }
    }
    strange
}

fn short(text: &str) -> String {
    tame(text).chars().take(40).collect()
}

/// Word for word, or nearly: a model may leave a word out or add one.
fn is_like(said: &str, sentence: &str) -> bool {
    let (said, sentence) = (plain(said), plain(sentence));
    if said.is_empty() || sentence.is_empty() {
        return false;
    }
    if said.contains(&sentence) {
        return true;
    }
    let heard: std::collections::BTreeSet<&str> = said.split(' ').collect();
    let words: std::collections::BTreeSet<&str> = sentence.split(' ').collect();
    let both = words.iter().filter(|word| heard.contains(*word)).count();
    words.len() > 2 && both as f64 >= LIKE * words.len() as f64
}

/// A polite end, because our own side is broken.
pub fn sorry(script: &Script, record: &Record) -> Reply {
    let mut next = record.clone();
    let text = if is_russian(script) {
        "Извините, у нас неполадки со связью. Всего доброго."
    } else {
        "Sorry, we have technical trouble. Goodbye."
    };
    next.goodbye = Some(text.to_owned());
    Reply::of(script, text.to_owned(), next)
}

/// Said instead of silence, while the model thinks.
pub fn filler(script: &Script, variables: &Variables) -> String {
    match &script.filler {
        Some(text) => fill(text, variables),
        None if is_russian(script) => "Одну секунду.".to_owned(),
        None => "One moment, please.".to_owned(),
    }
}

fn is_russian(script: &Script) -> bool {
    let spoken = |c: char| matches!(c, 'а'..='я' | 'А'..='Я');
    script.language.starts_with("ru")
        || (script.language == super::script::AUTO && script.closing.as_str().contains(spoken))
}

#[cfg(test)]
#[path = "model_tests.rs"]
mod tests;
