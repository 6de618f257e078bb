//! The stand-in model's understanding of its instructions: the lines
//! `PHASE n name: «…»`, `IF «word|word»: «…»` and `END: «…»` among whatever prose.

/// A script as far as it is machine-readable, and how far it has been played.
#[derive(Clone, Debug, Default)]
pub struct Spine {
    phases: Vec<String>,
    reactions: Vec<(Vec<String>, String, bool)>,
    end: Option<String>,
    next: usize,
    recalled: usize,
    over: bool,
}

/// What the model does next.
#[derive(Clone, Debug, PartialEq)]
pub enum Move {
    Say(String),
    End { text: String, goal: bool, opt_out: bool },
}

const PHASES_MAX: usize = 100;
const EXACTLY: &str = "Say exactly:";

/// Words with which people ask never to be called again, and words with which they leave.
const NEVER_AGAIN: [&str; 7] =
    ["не звоните", "удалите мой номер", "уберите мой номер", "never call", "do not call", "don't call", "take me off"];
const LEAVES: [&str; 6] = ["неинтересно", "не интересно", "до свидания", "goodbye", "not interested", "всего доброго"];

impl Spine {
    pub fn read(instructions: &str) -> Self {
        let mut spine = Self::default();
        for line in instructions.lines().map(str::trim) {
            if line.starts_with("PHASE ") {
                if let (Some(text), true) = (quoted(line), spine.phases.len() < PHASES_MAX) {
                    spine.phases.push(text.to_owned());
                }
            } else if line.starts_with("IF ") {
                let parts = quoted(line).and_then(|inside| inside.split_once("»: «"));
                if let (Some((words, text)), true) = (parts, spine.reactions.len() < PHASES_MAX) {
                    let words = words.split('|').map(|word| word.trim().to_lowercase());
                    let words = words.filter(|word| !word.is_empty()).collect();
                    spine.reactions.push((words, text.to_owned(), false));
                }
            } else if line.starts_with("END:") {
                spine.end = quoted(line).map(str::to_owned);
            }
        }
        spine
    }

    /// The words that a request names exactly.
    pub fn exact(instructions: &str) -> Option<String> {
        let rest = &instructions[instructions.find(EXACTLY)? + EXACTLY.len()..];
        let text = quoted(rest).unwrap_or(rest.trim());
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// Something was said on request; if it is the phase that comes next, that phase is done.
    pub fn said(&mut self, text: &str) {
        if self.phases.get(self.next).is_some_and(|phase| phase.trim() == text.trim()) {
            self.next += 1;
        }
    }

    /// Something was said in a turn that somebody else remembers: a phase, with all before it, or a reaction.
    pub fn recall(&mut self, text: &str) {
        let said = letters(text);
        if let Some(place) = self.phases.iter().position(|phase| letters(phase) == said) {
            self.next = self.next.max(place + 1);
        }
        for (_, reaction, used) in &mut self.reactions {
            *used |= letters(reaction) == said;
        }
        self.recalled = self.next;
    }

    /// The last reply went on to another phase.
    pub fn has_moved(&self) -> bool {
        self.next > self.recalled
    }

    pub fn opening(&mut self, russian: bool) -> Move {
        match self.phases.get(self.next) {
            Some(text) => {
                self.next += 1;
                Move::Say(text.clone())
            }
            None => Move::Say(
                if russian {
                    "Здравствуйте! Удобно говорить?"
                } else {
                    "Hello! Is this a good time?"
                }
                .to_owned(),
            ),
        }
    }

    pub fn reply(&mut self, heard: &str, russian: bool) -> Move {
        let heard = heard.to_lowercase();
        let goodbye = if russian { "Спасибо, до свидания!" } else { "Thank you, goodbye!" };
        let end = self.end.clone().unwrap_or_else(|| goodbye.to_owned());
        let has = |words: &[&str]| words.iter().any(|word| heard.contains(word));
        if self.over || has(&NEVER_AGAIN) || has(&LEAVES) {
            let goal = !has(&NEVER_AGAIN) && !self.phases.is_empty() && self.next >= self.phases.len();
            self.over = true;
            return Move::End { text: end, goal, opt_out: has(&NEVER_AGAIN) };
        }
        let mentions = |words: &[String]| words.iter().any(|word| heard.contains(word.as_str()));
        if let Some((_, text, used)) = self.reactions.iter_mut().find(|(words, _, used)| !used && mentions(words)) {
            *used = true;
            return Move::Say(text.clone());
        }
        if let Some(text) = self.phases.get(self.next) {
            self.next += 1;
            return Move::Say(text.clone());
        }
        // Without a script it asks a few things of its own, and is done.
        if self.phases.is_empty() && self.next < 3 {
            self.next += 1;
            let text = if russian {
                "Понятно. Расскажите, пожалуйста, подробнее."
            } else {
                "I see. Tell me more, please."
            };
            return Move::Say(text.to_owned());
        }
        self.over = true;
        Move::End { text: end, goal: true, opt_out: false }
    }
}

/// Without marks, which get lost between a text and a voice.
fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// What stands between the first and the last quotation mark: a sentence may hold quotations of its own.
fn quoted(line: &str) -> Option<&str> {
    let (from, to) = (line.find('«')? + '«'.len_utf8(), line.rfind('»')?);
    line.get(from..to)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCRIPT: &str = "You are a client.\nPHASE 1 greeting: «Добрый день!»\nPHASE 2 ask: «Есть время завтра?»\n\
        IF «стоит|цена»: «Мне это подходит.»\nEND: «Спасибо, до свидания!»\n";

    #[test]
    fn phases_come_in_order_and_a_reaction_once() {
        let mut spine = Spine::read(SCRIPT);
        assert_eq!(spine.opening(true), Move::Say("Добрый день!".to_owned()));
        assert_eq!(spine.reply("А сколько стоит?", true), Move::Say("Мне это подходит.".to_owned()));
        assert_eq!(spine.reply("А сколько СТОИТ?", true), Move::Say("Есть время завтра?".to_owned()));
        let end = Move::End { text: "Спасибо, до свидания!".to_owned(), goal: true, opt_out: false };
        assert_eq!(spine.reply("Да", true), end);
    }

    #[test]
    fn a_plea_ends_it_without_the_goal() {
        let mut spine = Spine::read(SCRIPT);
        spine.said("Добрый день!");
        assert!(matches!(spine.reply("Больше не звоните мне", true), Move::End { goal: false, opt_out: true, .. }));
    }

    #[test]
    fn exact_words_are_found() {
        assert_eq!(Spine::exact("Say exactly: «Алло»."), Some("Алло".to_owned()));
        assert_eq!(Spine::exact("Say exactly: hello"), Some("hello".to_owned()));
        assert_eq!(Spine::exact("Be brief."), None);
        let inner = "Вас беспокоит «Ромашка», отдел «Юг».";
        assert_eq!(Spine::exact(&format!("Say exactly: «{inner}»")), Some(inner.to_owned()));
        let mut spine = Spine::read(&format!("PHASE 1 a: «{inner}»\nIF «цена|стоит»: «По счёту «Ромашки».»\n"));
        assert_eq!(spine.opening(true), Move::Say(inner.to_owned()));
        assert_eq!(spine.reply("Сколько стоит?", true), Move::Say("По счёту «Ромашки».".to_owned()));
    }
}
