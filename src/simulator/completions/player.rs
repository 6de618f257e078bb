//! What the stand-in says: the next line of the script in its instructions.

use chrono::{DateTime, Duration};
use serde_json::{Value, json};

use super::asked::{Asked, tokens};
use super::{Trouble, WALL};
use crate::simulator::session::{Move, Spine};

const LATER: &str = "When the other person asks to be called later («";
const CLOCK: &str = "The other person's clock shows ";
/// Whoever asks to be called later is promised this.
const LATER_HOURS: i64 = 2;

#[derive(Debug, PartialEq, Eq)]
pub struct Call {
    id: String,
    name: String,
    pub arguments: String,
}

impl Call {
    fn new(nth: usize, name: &str, arguments: String) -> Self {
        Self { id: format!("call_{nth:024}"), name: name.to_owned(), arguments }
    }

    pub fn told(&self) -> Value {
        let function = json!({ "name": self.name, "arguments": self.arguments });
        json!({ "id": self.id, "type": "function", "function": function })
    }
}

#[derive(Debug, Default, PartialEq, Eq)]
pub struct Played {
    pub text: String,
    pub calls: Vec<Call>,
    /// The limit of tokens came before the end.
    cut: bool,
}

impl Played {
    pub fn content(&self) -> Option<&str> {
        (!self.text.is_empty() || self.calls.is_empty()).then_some(&self.text)
    }

    pub fn finish(&self) -> &'static str {
        match self.calls.is_empty() {
            _ if self.cut => "length",
            true => "stop",
            false => "tool_calls",
        }
    }

    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.text.split_inclusive(' ')
    }

    pub fn tokens(&self) -> usize {
        tokens(&self.text) + self.calls.iter().map(|call| tokens(&call.arguments) + 4).sum::<usize>()
    }
}

pub fn play(asked: &Asked, trouble: Trouble) -> Played {
    let mut played = by_script(asked, trouble);
    match trouble {
        Trouble::Empty => played = Played::default(),
        Trouble::Data => {
            played = Played { text: r#"{"reply": "Да", "next": [1, 2]}"#.to_owned(), ..Played::default() }
        }
        Trouble::Wall => {
            played.text = "Это предложение повторяется, и конца ему не видно. ".repeat(WALL).trim_end().to_owned();
        }
        Trouble::StrangeTool => played.calls.push(Call::new(9, "transfer_money", r#"{"to":"me"}"#.to_owned())),
        Trouble::StrangeArguments if !asked.tools.is_empty() => {
            played.calls.push(Call::new(9, &asked.tools[0], "{\"answers\": ".to_owned()));
        }
        _ => {}
    }
    // A limit holds for whatever is said.
    if let Some(most) = asked.tokens_max.filter(|most| tokens(&played.text) as u64 > *most) {
        played.text = played.text.chars().take(most as usize * 3).collect();
        played.calls.clear();
        played.cut = true;
    }
    played
}

fn by_script(asked: &Asked, trouble: Trouble) -> Played {
    let lines =
        |role: &'static str| asked.lines.iter().filter(move |line| line.role == role).map(|line| line.text.as_str());
    let told: Vec<&str> = lines("system").chain(lines("developer")).collect();
    let told = told.join("\n");
    let russian = told.chars().any(|letter| ('а'..='я').contains(&letter));
    let mut spine = Spine::read(&told);
    lines("assistant").for_each(|said| spine.recall(said));
    let has = |name: &str| asked.tools.iter().any(|tool| tool == name);
    let after_tools = asked.lines.last().is_some_and(|line| line.role == "tool");
    if trouble == Trouble::ToolsFirst && has("note") && !after_tools {
        let call = Call::new(1, "note", "{}".to_owned());
        return Played { calls: vec![call], ..Played::default() };
    }
    let Some(heard) = lines("user").next_back() else {
        let (Move::Say(text) | Move::End { text, .. }) = spine.opening(russian);
        return Played { text, ..Played::default() };
    };
    if let Some((text, at)) = later(&told, heard)
        && has("end_call")
    {
        let call = Call::new(1, "end_call", json!({ "goal": false, "callback_at": at }).to_string());
        return Played { text, calls: vec![call], cut: false };
    }
    let answered = phase_before(&told, lines("assistant").next_back().unwrap_or_default());
    match spine.reply(heard, russian) {
        Move::Say(text) => {
            let noted = answered.filter(|_| has("note") && spine.has_moved());
            let calls = noted.map(|name| Call::new(1, "note", json!({ "phases": [name] }).to_string()));
            Played { text, calls: calls.into_iter().collect(), cut: false }
        }
        Move::End { text, goal, opt_out } => {
            let arguments = json!({ "goal": goal, "opt_out": opt_out }).to_string();
            let calls = has("end_call").then(|| Call::new(1, "end_call", arguments));
            Played { text, calls: calls.into_iter().collect(), cut: false }
        }
    }
}

/// The sentence for whoever asks to be called later, and when that is by the clock in the instructions.
fn later(told: &str, heard: &str) -> Option<(String, String)> {
    let rest = told.lines().find_map(|line| line.strip_prefix(LATER))?;
    let (words, rest) = rest.split_once("»), say «")?;
    let (text, _) = rest.split_once('»')?;
    let heard = heard.to_lowercase();
    words.split('|').find(|word| heard.contains(&word.trim().to_lowercase()))?;
    let clock = told.lines().find_map(|line| line.strip_prefix(CLOCK))?;
    let clock = clock.split(',').next().unwrap_or_default();
    let now = DateTime::parse_from_str(clock, "%Y-%m-%dT%H:%M%:z").ok()?;
    Some((text.to_owned(), (now + Duration::hours(LATER_HOURS)).to_rfc3339()))
}

/// The name of the phase that a sentence is.
fn phase_before<'a>(told: &'a str, said: &str) -> Option<&'a str> {
    let letters =
        |text: &str| text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>();
    let said = letters(said);
    told.lines().filter(|line| line.starts_with("PHASE ")).find_map(|line| {
        let (head, text) = line.split_once(": «")?;
        (letters(text) == said).then(|| head.rsplit(' ').next()).flatten()
    })
}
