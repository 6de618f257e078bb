//! The built-in replier: plays a script by rule, with no model and no key.
//!
//! It says the phases in order, one a turn; a topic, reaction or objection goes before the next phase
//! when the callee used one of its words, each once. It needs no memory but the record it is handed:
//! the same record and the same words give the same answer.

use super::Variables;
use super::optout::asks_never_again;
use super::prompts::greeting;
use super::script::{Answer, AnswerKind, Script};
use super::words::{contains, fill, has_word, tame};
use super::{callback, words};
use crate::domain::Timestamp;
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// A callee's text beyond this adds nothing that a rule could use.
pub const TEXT_CHARS_MAX: usize = 4000;

/// What the callee did.
#[derive(Clone, Copy, Debug)]
pub enum Heard<'a> {
    /// The call was answered; nobody has spoken yet.
    Opening,
    /// What was understood, `now` and where the callee lives; an empty text is silence.
    Text { text: &'a str, now: Timestamp, zone: Tz },
}

/// What has happened so far in one conversation. Kept by the caller between turns.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// How many phases have been said.
    pub said: usize,
    /// Phases that the callee has answered to.
    pub reached: BTreeSet<String>,
    /// Reactions that have been used, by their place in the script.
    pub used: BTreeSet<usize>,
    pub answers: Map<String, Value>,
    pub silences: u32,
    pub turns: u32,
    pub callback_at: Option<Timestamp>,
    pub opt_out: bool,
    /// The goodbye, once it has been said.
    pub goodbye: Option<String>,
    /// What a model that was told a free text says of the goal; a script judges by its phases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claimed: Option<bool>,
}

/// The answer to one turn, and the record after it.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    pub reply_text: String,
    pub end_session: bool,
    /// Has the call reached its goal so far?
    pub goal: bool,
    pub answers: Map<String, Value>,
    pub callback_at: Option<Timestamp>,
    pub opt_out: bool,
    pub record: Record,
}

/// What to say next.
pub fn reply(script: &Script, variables: &Variables, record: &Record, heard: Heard<'_>) -> Reply {
    let mut next = record.clone();
    let text = match heard {
        _ if record.goodbye.is_some() => record.goodbye.clone().unwrap_or_default(),
        Heard::Opening => {
            next.said = next.said.max(1);
            greeting(script, variables)
        }
        Heard::Text { text, now, zone } => {
            // The grant carries the greeting: whoever is heard has had it, asked for here or not.
            next.said = next.said.max(1);
            let text: String = text.chars().take(TEXT_CHARS_MAX).collect();
            answer(script, variables, &mut next, &text, zone, now)
        }
    };
    Reply::of(script, text, next)
}

impl Reply {
    pub(super) fn of(script: &Script, text: String, record: Record) -> Reply {
        Reply {
            reply_text: text,
            end_session: record.goodbye.is_some(),
            goal: goal(script, &record),
            answers: record.answers.clone(),
            callback_at: record.callback_at,
            opt_out: record.opt_out,
            record,
        }
    }
}

/// Has the conversation reached what the script calls a success? An opt-out never is one.
pub fn goal(script: &Script, record: &Record) -> bool {
    if let Some(claimed) = record.claimed.filter(|_| script.prompt.as_ref().is_some_and(|prompt| !prompt.scripted)) {
        return claimed && !record.opt_out;
    }
    !record.opt_out
        && script.success.phases.is_subset(&record.reached)
        && script.success.lacks(&record.answers).next().is_none()
}

/// What a text of the callee comes to, whoever answers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cue {
    Silence,
    NeverAgain,
    /// A word that ends the conversation.
    End,
    /// Asks to be called later.
    Later,
    /// For the reaction at this place.
    Asked(usize),
    /// To the phase that was said last.
    Answered,
}

/// Takes a text of the callee into the record: what was asked for, and what was answered to. What is said next is the
/// caller's, and so is the time of a call back.
pub(super) fn hear(script: &Script, record: &mut Record, text: &str) -> Cue {
    record.turns += 1;
    if words::plain(text).is_empty() {
        record.silences += 1;
        return Cue::Silence;
    }
    if asks_never_again(text, script) {
        record.opt_out = true;
        return Cue::NeverAgain;
    }
    if script.end_if.iter().any(|word| contains(text, word)) {
        // Whoever leaves after the last phase has heard it all: the same in every mode.
        reach(script, record, text);
        return Cue::End;
    }
    if script.callback.as_ref().is_some_and(|rule| rule.keywords.iter().any(|w| contains(text, w))) {
        return Cue::Later;
    }
    // A question is no answer: the phase stays open until the callee says something else.
    if let Some(place) = asks_for(script, record, text).filter(|_| record.turns < script.turns_max) {
        record.used.insert(place);
        return Cue::Asked(place);
    }
    reach(script, record, text);
    Cue::Answered
}

fn answer(script: &Script, variables: &Variables, record: &mut Record, text: &str, zone: Tz, now: Timestamp) -> String {
    let cue = hear(script, record, text);
    match (cue, &script.callback) {
        (Cue::Silence, _) if record.silences > script.silence.times_max => {
            leave(record, fill(&script.closing, variables))
        }
        (Cue::Silence, _) => fill(&script.silence.say, variables),
        (Cue::NeverAgain, _) => leave(record, fill(&script.opt_out.say, variables)),
        (Cue::Later, Some(rule)) => {
            let later = now.plus_s(i64::from(rule.after_min) * 60);
            record.callback_at = Some(callback::asked_for(text, zone, now).unwrap_or(later));
            leave(record, fill(&rule.say, variables))
        }
        (Cue::Asked(place), _) => fill(&script.reactions[place].say, variables),
        (Cue::Answered, _) => match script.phases.get(record.said).filter(|_| record.turns < script.turns_max) {
            Some(phase) => {
                record.said += 1;
                fill(&phase.say, variables)
            }
            None => leave(record, fill(&script.closing, variables)),
        },
        (Cue::End | Cue::Later, _) => leave(record, fill(&script.closing, variables)),
    }
}

/// Why the goal is reached or not: what was reached, and what is missing.
pub fn verdict(script: &Script, record: &Record) -> Value {
    let phases: Vec<&String> = script.success.phases.difference(&record.reached).collect();
    let answers: Vec<&String> = script.success.lacks(&record.answers).collect();
    json!({
        "goal": goal(script, record), "reached": record.reached, "missing_phases": phases, "missing_answers": answers,
        "opt_out": record.opt_out, "claimed": record.claimed,
    })
}

/// Does a text use a word of a reaction that was not used yet?
pub(super) fn asks_for(script: &Script, record: &Record, text: &str) -> Option<usize> {
    let unused = |place: &usize| !record.used.contains(place);
    let asked = |reaction: &super::script::Reaction| reaction.keywords.iter().any(|word| contains(text, word));
    script
        .reactions
        .iter()
        .enumerate()
        .find(|(place, reaction)| unused(place) && asked(reaction))
        .map(|(place, _)| place)
}

/// The callee has spoken after the phase that was said last.
pub(super) fn reach(script: &Script, record: &mut Record, text: &str) {
    if let Some(phase) = record.said.checked_sub(1).and_then(|place| script.phases.get(place)) {
        record.reached.insert(phase.name.clone());
        for wanted in script.answers.iter().filter(|wanted| wanted.after == phase.name) {
            if let Some(value) = value(wanted, text) {
                record.answers.insert(wanted.name.clone(), value);
            }
        }
    }
}

fn leave(record: &mut Record, goodbye: String) -> String {
    record.goodbye = Some(goodbye.clone());
    goodbye
}

/// What a text says in answer to a question, or nothing.
fn value(wanted: &Answer, text: &str) -> Option<Value> {
    const YES: &[&str] =
        &["да", "ага", "конечно", "хорошо", "согласен", "согласна", "верно", "yes", "yeah", "sure", "ok", "of course"];
    const NO: &[&str] = &["нет", "не", "никогда", "неа", "no", "not", "dont", "never"];
    let any = |list: &[&str]| list.iter().any(|word| has_word(text, word));
    match &wanted.kind {
        AnswerKind::Text => Some(json!(tame(text))),
        // "Да нет" is a no.
        AnswerKind::YesNo if any(NO) => Some(json!(false)),
        AnswerKind::YesNo if any(YES) => Some(json!(true)),
        AnswerKind::YesNo => None,
        AnswerKind::Number => words::plain(text).split(' ').find_map(callback::number).map(|n| json!(n)),
        AnswerKind::Choice(choices) => {
            choices.iter().find(|(_, words)| words.iter().any(|w| contains(text, w))).map(|(value, _)| json!(value))
        }
    }
}

#[cfg(test)]
#[path = "replier_tests.rs"]
pub mod tests;
