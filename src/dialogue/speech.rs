//! What a model writes, made fit to be spoken: cut into sentences while it comes, cleaned, limited.

use std::mem;

/// A reply that is longer is cut where a sentence ends.
pub const REPLY_CHARS_MAX: usize = 600;
/// Words behind which a dot ends no sentence.
const SHORTENED: &[&str] = &[
    "ул", "д", "кв", "г", "гг", "р", "руб", "коп", "т", "тел", "др", "им", "стр", "см", "mr", "mrs", "ms", "dr", "st",
    "no", "e.g", "i.e",
];

/// Sentences of a text that comes in pieces. Whatever the pieces are, the sentences are the same.
#[derive(Default)]
pub struct Sentences {
    waiting: String,
    /// Characters that have been given out.
    said: usize,
    begun: bool,
    over: bool,
    strange: bool,
}

impl Sentences {
    /// The sentences that are whole now.
    pub fn hear(&mut self, piece: &str) -> Vec<String> {
        if self.over {
            return Vec::new();
        }
        self.waiting.push_str(piece);
        if !self.begun && !self.waiting.trim_start().is_empty() {
            self.begun = true;
            // Data, code or markup is nothing that anybody says.
            self.strange = self.waiting.trim_start().starts_with(['{', '[', '<', '`']);
            self.over = self.strange;
        }
        let mut whole = Vec::new();
        while let Some(end) = (!self.over).then(|| sentence_end(&self.waiting)).flatten() {
            let rest = self.waiting.split_off(end);
            let sentence = mem::replace(&mut self.waiting, rest);
            self.give(&sentence, &mut whole);
        }
        // One that does not end is cut as soon as it is too long.
        if !self.over && self.said + self.waiting.trim().chars().count() > REPLY_CHARS_MAX {
            self.last(&mut whole);
        }
        whole
    }

    /// What is left when nothing more comes; `complete`: the writer ended it, and did not break off.
    pub fn end(&mut self, complete: bool) -> Vec<String> {
        let mut whole = Vec::new();
        if !self.over && complete {
            self.last(&mut whole);
        }
        self.over = true;
        whole
    }

    /// Nothing more will be given out.
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// It began like data or code.
    pub fn is_strange(&self) -> bool {
        self.strange
    }

    fn give(&mut self, sentence: &str, to: &mut Vec<String>) {
        let Some(sentence) = spoken(sentence) else { return };
        let length = sentence.chars().count();
        if self.said + length > REPLY_CHARS_MAX {
            self.over = true;
            // The first may be too long by itself: words of it are better than nothing.
            if self.said == 0 {
                to.push(cut(&sentence, REPLY_CHARS_MAX));
                self.said = REPLY_CHARS_MAX;
            }
            return;
        }
        // One more for the space between two.
        self.said += length + 1;
        to.push(sentence);
    }

    fn last(&mut self, to: &mut Vec<String>) {
        let rest = mem::take(&mut self.waiting);
        self.give(&rest, to);
    }
}

/// Behind the first sentence that surely is whole.
fn sentence_end(text: &str) -> Option<usize> {
    let mut before = 0;
    for (at, c) in text.char_indices() {
        if at < before {
            continue;
        }
        if c == '\n' && !text[..at].trim().is_empty() {
            return Some(at + 1);
        }
        if !matches!(c, '.' | '!' | '?' | '…') {
            continue;
        }
        let marks = text[at..].find(|c| !matches!(c, '.' | '!' | '?' | '…' | '»' | '"' | '”' | ')'))?;
        let behind = at + marks;
        let rest = &text[behind..];
        // What follows tells whether it was an end.
        let next = rest.trim_start().chars().next()?;
        before = behind;
        let glued = !rest.starts_with(char::is_whitespace);
        if glued || next.is_lowercase() || (c == '.' && marks == 1 && is_shortened(&text[..at])) {
            continue;
        }
        return Some(behind);
    }
    None
}

fn is_shortened(before: &str) -> bool {
    let word = before.rsplit(|c: char| c.is_whitespace() || matches!(c, '(' | '«' | '"')).next().unwrap_or_default();
    let word = word.to_lowercase();
    let mut letters = word.chars();
    let single = letters.next().is_some_and(char::is_alphabetic) && letters.next().is_none();
    single || SHORTENED.contains(&word.as_str())
}

/// A sentence without what only a reader sees, or nothing where there is no word in it.
pub fn spoken(sentence: &str) -> Option<String> {
    let mut line = sentence.trim();
    for mark in ["PHASE ", "IF ", "END:"] {
        // A line of the prompt, copied with its name.
        if line.starts_with(mark) {
            line = line.split_once('«').map_or(line, |(_, said)| said);
        }
    }
    let kept: String = line
        .chars()
        .filter(|c| !matches!(c, '*' | '_' | '#' | '`' | '~' | '«' | '»' | '{' | '}' | '<' | '>' | '|' | '\\'))
        .filter(
            |c| !matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}'),
        )
        .map(|c| if c.is_control() || c.is_whitespace() { ' ' } else { c })
        .collect();
    let kept = kept.split_whitespace().collect::<Vec<_>>().join(" ");
    let kept = kept.trim_start_matches(['-', '—', '•', '–']).trim();
    kept.chars().any(char::is_alphanumeric).then(|| kept.to_owned())
}

fn cut(text: &str, chars_max: usize) -> String {
    let head: String = text.chars().take(chars_max).collect();
    head.rsplit_once(' ').map_or(head.clone(), |(words, _)| words.trim_end_matches([',', ';', ':']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sentences(pieces: &[&str]) -> Vec<String> {
        let mut cutter = Sentences::default();
        let mut all: Vec<String> = pieces.iter().flat_map(|piece| cutter.hear(piece)).collect();
        all.extend(cutter.end(true));
        all
    }

    #[test]
    fn sentences_as_people_hear_them() {
        for (text, expected) in [
            ("Да. Удобно! А вам?", &["Да.", "Удобно!", "А вам?"][..]),
            ("Ул. Ленина, д. 7. Всё верно?", &["Ул. Ленина, д. 7.", "Всё верно?"]),
            ("Цена 3.5 тысячи… наверное. Да", &["Цена 3.5 тысячи… наверное.", "Да"]),
            ("Первое\nвторое", &["Первое", "второе"]),
            ("«Ромашка»! Слышали?", &["Ромашка!", "Слышали?"]),
            ("PHASE 2 need: «Я ищу клуб. Есть?»", &["Я ищу клуб.", "Есть?"]),
            ("**Да**,\u{7} _кон\u{202e}ечно_. - Вот.", &["Да, конечно.", "Вот."]),
            ("Hello, Mr. Brown. Fine?", &["Hello, Mr. Brown.", "Fine?"]),
            ("… !?", &[]),
            ("", &[]),
        ] {
            assert_eq!(sentences(&[text]), expected, "{text}");
        }
    }

    #[test]
    fn a_wall_of_text_ends_where_a_sentence_does() {
        let wall = "Это предложение из сорока букв или около. ".repeat(50);
        let said = sentences(&[&wall]);
        let whole = said.join(" ");
        assert!(whole.chars().count() <= REPLY_CHARS_MAX && whole.chars().count() > REPLY_CHARS_MAX - 60, "{whole}");
        assert!(whole.ends_with('.'));
        let endless = sentences(&[&"слово ".repeat(400)]);
        assert_eq!(endless.len(), 1);
        assert!(endless[0].chars().count() <= REPLY_CHARS_MAX && endless[0].ends_with("слово"));
    }

    #[test]
    fn data_is_not_spoken() {
        for text in ["{\"reply\":\"Да\"}", "```json", " <b>Да</b>", "[1]"] {
            let mut cutter = Sentences::default();
            assert!(cutter.hear(text).is_empty() && cutter.is_strange() && cutter.is_over(), "{text}");
        }
    }

    #[test]
    fn what_broke_off_is_not_spoken() {
        let mut cutter = Sentences::default();
        assert_eq!(cutter.hear("Да, есть. И ещё у нас"), ["Да, есть."]);
        assert!(cutter.end(false).is_empty());
    }

    proptest! {
        #[test]
        fn pieces_do_not_matter(text in "[а-яА-Яa-zA-Z .!?…,»«\\n]{0,200}", cuts in prop::collection::vec(0usize..200, 0..8)) {
            let chars: Vec<char> = text.chars().collect();
            let mut at: Vec<usize> = cuts.iter().map(|cut| cut.min(&chars.len()).to_owned()).collect();
            at.extend([0, chars.len()]);
            at.sort_unstable();
            let pieces: Vec<String> = at.windows(2).map(|pair| chars[pair[0]..pair[1]].iter().collect()).collect();
            let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
            prop_assert_eq!(sentences(&pieces), sentences(&[&text]));
        }

        #[test]
        fn nothing_strange_is_spoken(text in "\\PC{0,200}|[\\x00-\\x7f«»]{0,200}") {
            let said = sentences(&[&text]).join(" ");
            prop_assert!(said.chars().count() <= REPLY_CHARS_MAX);
            prop_assert!(!said.contains(|c: char| c.is_control() || matches!(c, '«' | '{' | '<' | '`')), "{said}");
        }
    }
}
