//! `script.toml`: who speaks, what is said in which order, and what counts as success.
//!
//! Everything a mode may say stands here once. All faults are listed at once, unknown keys by name.

use super::optout::OptOut;
use super::prompt::Prompt;
use super::success::{Success, success};
use crate::domain::keys::{Faults, Reading, Table, cut};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

pub const PHASES_MAX: usize = 30;
pub const REACTIONS_MAX: usize = 100;
pub const KEYWORDS_MAX: usize = 50;
pub const ANSWERS_MAX: usize = 30;
pub const SAY_CHARS_MAX: usize = 600;
/// The language that the callee turns out to speak.
pub const AUTO: &str = "auto";

/// A sentence to say, with `{{variables}}`. It stands on one line of the prompts, inside «».
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Text(String);

impl Text {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The names in braces.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.0.split("{{").skip(1).filter_map(|rest| rest.split_once("}}")).map(|(name, _)| name.trim())
    }
}

impl FromStr for Text {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        if text.contains(['«', '»']) {
            return Err("leave out « » and control characters: sentences are quoted with « » themselves".into());
        }
        Text::told(text)
    }
}

impl Text {
    /// Words that a model is told and nobody says: « » may stand in them.
    fn told(text: &str) -> Result<Self, String> {
        let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if line.is_empty() || line.chars().count() > SAY_CHARS_MAX {
            return Err(format!("write a sentence of at most {SAY_CHARS_MAX} characters"));
        }
        if line.chars().any(char::is_control) {
            return Err("leave out control characters".into());
        }
        if line.matches("{{").count() != line.matches("}}").count() {
            return Err("close every {{variable}}".into());
        }
        let text = Text(line);
        let wrong = text.variables().find(|name| !is_key(name));
        match wrong {
            Some(name) => {
                Err(format!("write `{}` as in the list's header, in lower case and with _ between words", cut(name)))
            }
            None => Ok(text),
        }
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

pub(super) fn is_key(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c == '_' || (c.is_alphanumeric() && !c.is_uppercase()))
}

#[derive(Clone, Debug, PartialEq)]
pub struct Script {
    /// As in `ru-RU`; `auto` where a single call leaves it to the scenario.
    pub language: String,
    pub voice: Option<String>,
    pub voices: Voices,
    pub persona: Persona,
    /// What stands here instead of a script, for a single call.
    pub prompt: Option<Prompt>,
    /// In the order in which they are said; the first is the greeting.
    pub phases: Vec<Phase>,
    /// Topics, reactions and objections: each is said once, when the callee says one of its words.
    pub reactions: Vec<Reaction>,
    pub closing: Text,
    /// Words of the callee that end the conversation at once.
    pub end_if: Vec<String>,
    /// Turns of the callee after which the agent takes its leave.
    pub turns_max: u32,
    pub success: Success,
    pub opt_out: OptOut,
    pub silence: Silence,
    /// Said while a model thinks; each language has one of its own.
    pub filler: Option<Text>,
    pub callback: Option<Callback>,
    pub answers: Vec<Answer>,
}

/// Voices by whoever speaks, where one name does not do for both.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Voices {
    /// The platform's synthesis, as in `Yandex.Neural.ru_RU_alena`.
    pub synthesis: Option<String>,
    /// The speech model, as in `marin`.
    pub model: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Persona {
    pub name: String,
    pub goal: Text,
    pub facts: Vec<Text>,
    pub forbidden: Vec<Text>,
    /// Said with the greeting, in every mode.
    pub disclosure: Option<Text>,
    /// Said before everything else when the call is recorded, in every mode; the scenarios have words of their own.
    pub recording: Option<Text>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phase {
    pub name: String,
    pub say: Text,
    /// What the phase is for; told to the models, not judged.
    pub reach: Option<Text>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReactionKind {
    Topic,
    Reaction,
    Objection,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reaction {
    pub kind: ReactionKind,
    pub keywords: Vec<String>,
    pub say: Text,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Silence {
    pub say: Text,
    pub times_max: u32,
}

/// What follows when the callee asks to be called later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Callback {
    pub keywords: Vec<String>,
    pub say: Text,
    /// When no time is understood.
    pub after_min: u32,
}

/// Something to learn from the callee.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub name: String,
    pub kind: AnswerKind,
    /// The phase whose answer it is.
    pub after: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AnswerKind {
    Text,
    YesNo,
    Number,
    /// Each choice with the words that mean it.
    Choice(Vec<(String, Vec<String>)>),
}

impl Script {
    /// TOML, or the same as JSON.
    pub fn parse(text: &str) -> Result<Script, Faults> {
        let reading = Reading::default();
        let script = reading.parse(text).and_then(|value| root(&reading, &value));
        reading.end(script)
    }

    /// Everything that may be said, in reading order.
    pub fn sentences(&self) -> Vec<&Text> {
        let mut all: Vec<&Text> = self.persona.recording.iter().chain(&self.persona.disclosure).collect();
        all.extend(self.phases.iter().map(|p| &p.say));
        all.extend(self.reactions.iter().map(|r| &r.say));
        all.extend([&self.closing, &self.opt_out.say, &self.silence.say]);
        all.extend(&self.filler);
        all.extend(self.callback.iter().map(|c| &c.say));
        all
    }

    /// What only a single call may say: campaigns compare modes that are all told the same sentences.
    pub fn only_for_one_call(&self) -> Option<&'static str> {
        if self.prompt.is_some() {
            return Some("prompt: is for single calls; a campaign needs a script whose sentences every mode can say");
        }
        (self.language == AUTO).then_some("language: `auto` is for single calls; write one, as in ru-RU")
    }

    /// The variables that some sentence names, or something that a model is told.
    pub fn variables(&self) -> BTreeSet<&str> {
        let who = &self.persona;
        let told = std::iter::once(&who.goal).chain(&who.facts).chain(&who.forbidden);
        let told = told.chain(self.phases.iter().filter_map(|phase| phase.reach.as_ref()));
        self.sentences().into_iter().chain(told).flat_map(Text::variables).collect()
    }
}

fn root(reading: &Reading, value: &Value) -> Option<Script> {
    let table = reading.table(value)?;
    if table.has("prompt") {
        return super::prompt::script(table);
    }
    let language = language(&table);
    let voice = table.text("voice");
    let voices = table.table("voices").map(voices).unwrap_or_default();
    let persona = table.table("persona").map(persona);
    if persona.is_none() && !table.has("persona") {
        table.refuse("persona", "missing", "say who speaks: [persona] with name and goal");
    }
    let phases: Vec<Phase> = table.tables("phases", PHASES_MAX).into_iter().filter_map(phase).collect();
    if phases.is_empty() {
        table.refuse("phases", "found none that can be said", "write [[phases]] with name and say; the first greets");
    }
    let mut names = BTreeSet::new();
    for phase in &phases {
        if !names.insert(phase.name.clone()) {
            table.refuse("phases", format!("`{}` stands twice", cut(&phase.name)), "give each phase its own name");
        }
    }
    let mut reactions = Vec::new();
    for (key, kind) in [
        ("topics", ReactionKind::Topic),
        ("reactions", ReactionKind::Reaction),
        ("objections", ReactionKind::Objection),
    ] {
        for inner in table.tables(key, REACTIONS_MAX) {
            let (keywords, say) = (keywords(&inner, "if"), say(&inner, "say"));
            inner.close(&[]);
            if let (Some(keywords), Some(say)) = (keywords, say) {
                reactions.push(Reaction { kind, keywords, say });
            }
        }
    }
    let closing = match table.table("closing") {
        Some(inner) => {
            let text = say(&inner, "say");
            inner.close(&[]);
            text
        }
        None => {
            table.refuse("closing", "missing", "write [closing] with say: how the agent takes its leave");
            None
        }
    };
    let (end_if, turns_max) = end(table.table("end"));
    let answers: Vec<Answer> =
        table.tables("answers", ANSWERS_MAX).into_iter().filter_map(|inner| answer(inner, &names)).collect();
    let success = success(table.table("success"), &names, &answers);
    let opt_out = opt_out(table.table("opt_out"), language.as_deref().unwrap_or("ru-RU"));
    let silence = silence(table.table("silence"), language.as_deref().unwrap_or("ru-RU"));
    let filler = table.parsed("filler", |text| text.parse::<Text>());
    let callback = table.table("callback").map(callback);
    table.close(&[("model", "another model by script")]);
    Some(Script {
        language: language?,
        voice,
        voices,
        persona: persona??,
        prompt: None,
        phases,
        reactions,
        closing: closing?,
        end_if,
        turns_max,
        success,
        opt_out: opt_out?,
        silence: silence?,
        filler,
        callback: callback.map_or(Some(None), |found| found.map(Some))?,
        answers,
    })
}

fn voices(table: Table<'_>) -> Voices {
    let voices = Voices { synthesis: table.text("synthesis"), model: table.text("model") };
    table.close(&[]);
    voices
}

fn language(table: &Table<'_>) -> Option<String> {
    if !table.has("language") {
        table.value("language");
        return Some("ru-RU".to_owned());
    }
    table.parsed("language", known_language)
}

/// A language and a country, or `auto`.
pub fn known_language(text: &str) -> Result<String, String> {
    match text.split_once('-') {
        _ if text == AUTO => Ok(text.to_owned()),
        Some((l, c))
            if l.len() == 2
                && c.len() == 2
                && l.bytes().all(|b| b.is_ascii_lowercase())
                && c.bytes().all(|b| b.is_ascii_uppercase()) =>
        {
            Ok(text.to_owned())
        }
        _ => Err("write a language and a country, as in ru-RU".to_owned()),
    }
}

fn say(table: &Table<'_>, key: &'static str) -> Option<Text> {
    if !table.has(key) {
        table.value(key);
        table.refuse(key, "missing", "write the sentence that is said");
        return None;
    }
    table.parsed(key, |text| text.parse::<Text>())
}

fn say_or(table: &Table<'_>, key: &'static str, default: &str) -> Option<Text> {
    if table.has(key) { say(table, key) } else { table.value(key).map_or_else(|| default.parse().ok(), |_| None) }
}

fn keywords(table: &Table<'_>, key: &'static str) -> Option<Vec<String>> {
    if !table.has(key) {
        table.value(key);
        table.refuse(key, "missing", "list the words of the callee that call for it");
        return None;
    }
    let words = table.texts(key, KEYWORDS_MAX)?;
    let mut good = !words.is_empty();
    if !good {
        table.refuse(key, "found no words", "list at least one");
    }
    for word in &words {
        if word.contains(['|', '«', '»']) || super::words::plain(word).is_empty() {
            table.refuse(key, format!("found `{}`", cut(word)), "write words without | « »");
            good = false;
        }
    }
    good.then_some(words)
}

fn persona(table: Table<'_>) -> Option<Persona> {
    let name = table.needed("name", "give the agent a name");
    if !table.has("goal") {
        table.refuse("goal", "missing", "say what the call is for");
    }
    let goal = table.parsed("goal", Text::told);
    let [facts, forbidden] = ["facts", "forbidden"].map(|key| told(&table, key));
    let [disclosure, recording] = ["disclosure", "recording"].map(|key| {
        let found = table.has(key).then(|| say(&table, key));
        table.value(key);
        found.map_or(Some(None), |found| found.map(Some))
    });
    table.close(&[]);
    Some(Persona {
        name: name?,
        goal: goal?,
        facts: facts?,
        forbidden: forbidden?,
        disclosure: disclosure?,
        recording: recording?,
    })
}

/// What a model is told, line by line.
fn told(table: &Table<'_>, key: &'static str) -> Option<Vec<Text>> {
    let lines = table.texts(key, 100).unwrap_or_default();
    let refuse = |line: &str, cure: String| table.refuse(key, format!("found `{}`", cut(line)), cure);
    lines.iter().map(|line| Text::told(line).map_err(|cure| refuse(line, cure)).ok()).collect()
}

fn phase(table: Table<'_>) -> Option<Phase> {
    let name = match table.needed("name", "name the phase") {
        Some(name) if !is_key(&name) => {
            table.refuse("name", format!("found `{}`", cut(&name)), "use lower-case letters, digits and _");
            None
        }
        name => name,
    };
    let say = say(&table, "say");
    let reach = table.has("reach").then(|| table.parsed("reach", Text::told));
    table.value("reach");
    table.close(&[]);
    Some(Phase { name: name?, say: say?, reach: reach.map_or(Some(None), |reach| reach.map(Some))? })
}

fn end(table: Option<Table<'_>>) -> (Vec<String>, u32) {
    const TURNS_MAX: u32 = 20;
    let Some(table) = table else { return (Vec::new(), TURNS_MAX) };
    let words = if table.has("if") { keywords(&table, "if").unwrap_or_default() } else { Vec::new() };
    table.value("if");
    let turns = table.whole("turns_max", 1, 200).unwrap_or(TURNS_MAX);
    table.close(&[]);
    (words, turns)
}

pub(super) fn opt_out(table: Option<Table<'_>>, language: &str) -> Option<OptOut> {
    let default = if language.starts_with("ru") {
        "Поняла вас. Больше мы вам звонить не будем. Всего доброго!"
    } else {
        "Understood. We will not call you again. Goodbye!"
    };
    let Some(table) = table else { return Some(OptOut { phrases: Vec::new(), say: default.parse().ok()? }) };
    let phrases = if table.has("phrases") { keywords(&table, "phrases").unwrap_or_default() } else { Vec::new() };
    table.value("phrases");
    let say = say_or(&table, "say", default);
    table.close(&[]);
    Some(OptOut { phrases, say: say? })
}

pub(super) fn silence(table: Option<Table<'_>>, language: &str) -> Option<Silence> {
    let default =
        if language.starts_with("ru") { "Алло, вы меня слышите?" } else { "Hello, can you hear me?" };
    let Some(table) = table else { return Some(Silence { say: default.parse().ok()?, times_max: 2 }) };
    let say = say_or(&table, "say", default);
    let times_max = table.whole("times_max", 0, 10).unwrap_or(2);
    table.close(&[]);
    Some(Silence { say: say?, times_max })
}

fn callback(table: Table<'_>) -> Option<Callback> {
    let (keywords, say) = (keywords(&table, "if"), say(&table, "say"));
    let after_min = table.whole("after_min", 1, 60 * 24 * 30).unwrap_or(120);
    table.close(&[]);
    Some(Callback { keywords: keywords?, say: say?, after_min })
}

#[path = "script_answers.rs"]
mod answers;
use answers::answer;

#[cfg(test)]
#[path = "script_tests.rs"]
pub mod tests;
