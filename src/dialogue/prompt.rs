//! A prompt: what somebody writes for one call instead of a script.
//!
//! Whoever talks with a model is told the text itself. Whoever says what the built-in replier answers
//! can say only sentences: the text's own PHASE, IF and END lines where it has some (the prose beside
//! them stays with the models), else the text itself, sentence by sentence. Nothing is made up here but
//! the goodbye.

use super::script::{
    AUTO, PHASES_MAX, Persona, Phase, REACTIONS_MAX, Reaction, ReactionKind, SAY_CHARS_MAX, Script, Text, is_key,
    known_language, opt_out, silence,
};
use super::success::Success;
use crate::domain::keys::Table;

pub const PROMPT_CHARS_MAX: usize = 20_000;
const TURNS_MAX: u32 = 20;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prompt {
    /// What a model is told. Without the lines that became phases and reactions.
    pub text: String,
    /// It has PHASE lines; else its sentences were taken for phases.
    pub scripted: bool,
    /// Sentences beyond what the replier can say.
    pub unsaid: usize,
}

/// `prompt`, with `language` and `voice` beside it and nothing else.
pub(super) fn script(table: Table<'_>) -> Option<Script> {
    let text = table.parsed("prompt", |text| {
        let long = text.chars().count() > PROMPT_CHARS_MAX;
        if long { Err(format!("write at most {PROMPT_CHARS_MAX} characters")) } else { Ok(text.to_owned()) }
    });
    let named = table.parsed("language", known_language);
    let voice = table.text("voice");
    let text = text?;
    let russian = text.chars().any(|c| matches!(c, 'а'..='я' | 'А'..='Я' | 'ё' | 'Ё'));
    let spoken = match named.as_deref() {
        None | Some(AUTO) => if russian { "ru-RU" } else { "en-US" }.to_owned(),
        Some(named) => named.to_owned(),
    };
    let lines = Lines::read(&table, &text);
    table.close(&[]);
    let goodbye = if spoken.starts_with("ru") {
        "Спасибо за разговор. Всего доброго!"
    } else {
        "Thank you for your time. Goodbye!"
    };
    let phases = lines.phases;
    if phases.is_empty() {
        return None;
    }
    Some(Script {
        language: named.unwrap_or_else(|| spoken.clone()),
        voice,
        voices: Default::default(),
        persona: Persona {
            name: "the caller".into(),
            goal: "what the prompt says".parse().expect("a sentence"),
            facts: Vec::new(),
            forbidden: Vec::new(),
            disclosure: None,
            recording: None,
        },
        prompt: Some(Prompt { text: lines.prose, scripted: lines.scripted, unsaid: lines.unsaid }),
        success: Success::of_phases(phases.iter().map(|phase| phase.name.clone()).collect()),
        phases,
        reactions: lines.reactions,
        closing: lines.closing.or_else(|| goodbye.parse().ok())?,
        end_if: Vec::new(),
        turns_max: TURNS_MAX,
        opt_out: opt_out(None, &spoken)?,
        silence: silence(None, &spoken)?,
        filler: None,
        callback: None,
        answers: Vec::new(),
    })
}

#[derive(Default)]
struct Lines {
    phases: Vec<Phase>,
    reactions: Vec<Reaction>,
    closing: Option<Text>,
    prose: String,
    scripted: bool,
    unsaid: usize,
}

impl Lines {
    fn read(table: &Table<'_>, text: &str) -> Lines {
        let scripted = text.lines().any(|line| line.trim_start().starts_with("PHASE "));
        let mut lines = Lines { scripted, ..Lines::default() };
        if !scripted {
            lines.prose = text.trim().to_owned();
            lines.say_itself(table, text);
            return lines;
        }
        for line in text.lines().map(str::trim) {
            let quoted = quotes(line);
            if let Some(rest) = line.strip_prefix("PHASE ") {
                lines.phase(table, rest, &quoted);
            } else if line.starts_with("IF ") {
                lines.reaction(table, line, &quoted);
            } else if line.starts_with("END:") {
                lines.closing = said(table, line, quoted.first().copied());
            } else {
                lines.prose.push_str(line);
                lines.prose.push('\n');
            }
        }
        lines.prose = lines.prose.trim().to_owned();
        lines
    }

    /// `PHASE 2 time: «…»`: a name of its own, or the number of its place.
    fn phase(&mut self, table: &Table<'_>, rest: &str, quoted: &[&str]) {
        let Some(say) = said(table, rest, quoted.first().copied()) else { return };
        if self.phases.len() == PHASES_MAX {
            table.refuse("prompt", "found too many PHASE lines", format!("write at most {PHASES_MAX}"));
            return;
        }
        let name = rest.split([':', '«']).next().unwrap_or_default().split_whitespace().last().unwrap_or_default();
        let taken = self.phases.iter().any(|phase| phase.name == name);
        let numbered = name.chars().all(|c| c.is_ascii_digit());
        let name = if is_key(name) && !taken && !numbered { name.to_owned() } else { self.next_name() };
        self.phases.push(Phase { name, say, reach: None });
    }

    fn next_name(&self) -> String {
        format!("phase_{}", self.phases.len() + 1)
    }

    /// `IF «word|word»: «…»`
    fn reaction(&mut self, table: &Table<'_>, line: &str, quoted: &[&str]) {
        let Some(say) = said(table, line, quoted.get(1).copied()) else { return };
        let words = quoted[0].split('|').map(|word| word.trim().to_owned());
        let keywords: Vec<String> = words.filter(|word| !super::words::plain(word).is_empty()).collect();
        if keywords.is_empty() || self.reactions.len() == REACTIONS_MAX {
            table.refuse("prompt", "found an IF line of no use", "write IF «word|word»: «what is said»");
            return;
        }
        self.reactions.push(Reaction { kind: ReactionKind::Reaction, keywords, say });
    }

    fn say_itself(&mut self, table: &Table<'_>, text: &str) {
        for sentence in sentences(text) {
            if self.phases.len() == PHASES_MAX {
                self.unsaid += 1;
            } else if let Some(say) = said(table, &sentence, Some(&sentence)) {
                let name = self.next_name();
                self.phases.push(Phase { name, say, reach: None });
            }
        }
        if self.phases.is_empty() {
            table.refuse("prompt", "found nothing that can be said", "write a text");
        }
    }
}

/// A sentence that can be said, or a fault that names its line.
fn said(table: &Table<'_>, line: &str, sentence: Option<&str>) -> Option<Text> {
    let found = format!("found `{}`", crate::domain::keys::cut(line));
    let Some(sentence) = sentence else {
        table.refuse("prompt", found, "write what is said in « »");
        return None;
    };
    match sentence.parse::<Text>() {
        Ok(text) if text.variables().next().is_none() => Some(text),
        Ok(_) => {
            table.refuse("prompt", found, "write names and sums out: a single call has no {{variables}}");
            None
        }
        Err(cure) => {
            table.refuse("prompt", found, cure);
            None
        }
    }
}

fn quotes(line: &str) -> Vec<&str> {
    line.split('«').skip(1).filter_map(|part| part.split_once('»').map(|(text, _)| text)).collect()
}

/// Lines and sentences, none longer than can be said at once, without the marks that quote what is said.
fn sentences(text: &str) -> Vec<String> {
    let mut all = Vec::new();
    for line in text.lines() {
        let mut sentence = String::new();
        for word in line.split_whitespace() {
            let word: String = word.chars().filter(|c| !c.is_control() && !matches!(c, '«' | '»')).collect();
            let word: String = word.chars().take(SAY_CHARS_MAX).collect();
            if sentence.chars().count() + word.chars().count() >= SAY_CHARS_MAX {
                all.push(std::mem::take(&mut sentence));
            }
            if !sentence.is_empty() {
                sentence.push(' ');
            }
            sentence.push_str(&word);
            if word.ends_with(['.', '!', '?', '…']) {
                all.push(std::mem::take(&mut sentence));
            }
        }
        all.push(sentence);
    }
    // A list's dash or number alone is nothing to say.
    all.retain(|sentence| sentence.chars().any(char::is_alphabetic));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(prompt: &str) -> Result<Script, Vec<String>> {
        Script::parse(&serde_json::json!({ "prompt": prompt }).to_string()).map_err(|faults| faults.list())
    }

    fn says(script: &Script) -> Vec<&str> {
        script.phases.iter().map(|phase| phase.say.as_str()).collect()
    }

    #[test]
    fn a_text_is_said_sentence_by_sentence_and_told_whole() {
        let text = "Добрый день! Это «Ромашка».\n1. Удобно говорить?\n—\nНет? Перезвоню";
        let script = read(text).unwrap();
        assert_eq!(says(&script), ["Добрый день!", "Это Ромашка.", "Удобно говорить?", "Нет?", "Перезвоню"]);
        let prompt = script.prompt.as_ref().unwrap();
        assert_eq!((prompt.text.as_str(), prompt.scripted, prompt.unsaid), (text, false, 0));
        assert_eq!(
            (script.language.as_str(), script.closing.as_str()),
            ("ru-RU", "Спасибо за разговор. Всего доброго!")
        );
        assert_eq!(read("Hello.").unwrap().language, "en-US");
        let long = read(&"Слово. ".repeat(PHASES_MAX + 7)).unwrap();
        assert_eq!((long.phases.len(), long.prompt.unwrap().unsaid), (PHASES_MAX, 7));
    }

    #[test]
    fn phase_lines_are_a_script_and_the_rest_is_for_the_models() {
        let script = read(
            "You are a client.\nPHASE 1 hello: «Good day!»\nPHASE 2: «Is tomorrow free?»\nBe kind.\n\
             IF «price|cost»: «That suits me.»\nEND: «Goodbye!»",
        )
        .unwrap();
        assert_eq!(says(&script), ["Good day!", "Is tomorrow free?"]);
        let names: Vec<&str> = script.phases.iter().map(|phase| phase.name.as_str()).collect();
        assert_eq!(names, ["hello", "phase_2"]);
        assert_eq!(script.reactions[0].keywords, ["price", "cost"]);
        assert_eq!((script.reactions[0].say.as_str(), script.closing.as_str()), ("That suits me.", "Goodbye!"));
        let prompt = script.prompt.unwrap();
        assert_eq!((prompt.text.as_str(), prompt.scripted), ("You are a client.\nBe kind.", true));
    }

    #[test]
    fn what_cannot_be_said_is_refused_by_its_line() {
        for (prompt, cure) in [
            ("Hello {{name}}!", "single call has no {{variables}}"),
            ("PHASE 1 hello: Good day!", "in « »"),
            ("PHASE 1 a: «A.»\nIF «a»: b", "in « »"),
            ("PHASE 1 a: «A.»\nIF «|»: «b»", "word|word"),
            ("— … —", "write a text"),
            (&"x".repeat(PROMPT_CHARS_MAX + 1), "at most 20000 characters"),
        ] {
            let faults = read(prompt).unwrap_err().join("\n");
            assert!(faults.starts_with("prompt: ") && faults.contains(cure), "{prompt:.40}: {faults}");
        }
        let faults = Script::parse(r#"{ "prompt": "Hi.", "phases": [], "language": "Russian" }"#).unwrap_err().list();
        assert_eq!(faults.len(), 2, "{faults:?}");
    }
}
