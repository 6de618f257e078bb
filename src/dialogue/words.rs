//! How words are compared and how a contact's values get into a sentence.

use super::Variables;
use super::script::Text;

/// A value longer than this is no name, city or sum that anybody says on the phone.
pub const VALUE_CHARS_MAX: usize = 200;

/// Lower case, `ё` as `е`, everything but letters and digits as single spaces.
pub fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars().flat_map(char::to_lowercase) {
        match c {
            'ё' => out.push('е'),
            // "don't" is one word, however its apostrophe is typed.
            '\'' | '’' | '`' => {}
            c if c.is_alphanumeric() => out.push(c),
            _ if !out.is_empty() && !out.ends_with(' ') => out.push(' '),
            _ => {}
        }
    }
    out.truncate(out.trim_end().len());
    out
}

/// Does what was heard contain the keyword? Letter by letter as the models are told: any case, inside
/// words too, so that "цен" finds "цена" and "цены".
pub fn contains(heard: &str, keyword: &str) -> bool {
    let keyword = plain(keyword);
    !keyword.is_empty() && plain(heard).contains(&keyword)
}

/// Does it stand at the start of a word? For short words that hide inside others ("да" in "когда").
pub fn has_word(heard: &str, word: &str) -> bool {
    let word = plain(word);
    !word.is_empty() && format!(" {} ", plain(heard)).contains(&format!(" {word} "))
}

/// A sentence with the contact's values in it.
///
/// Values are data: they lose control characters, quotes and braces, so that none can end the sentence
/// it stands in, start a line of its own or name another variable.
pub fn fill(text: &Text, variables: &Variables) -> String {
    let mut out = String::new();
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once("{{") {
        out.push_str(before);
        let Some((name, tail)) = after.split_once("}}") else {
            out.push_str(after);
            return out;
        };
        out.push_str(&tame(variables.get(name.trim()).map(String::as_str).unwrap_or_default()));
        rest = tail;
    }
    out.push_str(rest);
    tidy(&out)
}

/// A value as data.
pub fn tame(value: &str) -> String {
    let kept: String = value
        .chars()
        .filter(|c| !matches!(c, '«' | '»' | '"' | '“' | '”' | '„' | '{' | '}' | '<' | '>' | '`' | '|' | '\\'))
        .filter(|c| !matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}'))
        .map(|c| if c.is_control() || c.is_whitespace() { ' ' } else { c })
        .take(VALUE_CHARS_MAX)
        .collect();
    kept.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// An empty value leaves no hole: "Здравствуйте, !" is said as "Здравствуйте!".
fn tidy(text: &str) -> String {
    let mut out = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for (hole, closed) in
        [(" ,", ","), (", !", "!"), (",!", "!"), (", .", "."), (",.", "."), (" !", "!"), (" ?", "?"), (" .", ".")]
    {
        if out.contains(hole) {
            out = out.replace(hole, closed);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn words_are_compared_plainly() {
        assert_eq!(plain("  Ещё, раз — НЕТ!.. "), "еще раз нет");
        assert_eq!(plain("Don’t"), "dont");
        assert!(contains("А какая ЦЕНА?", "цен"));
        assert!(!contains("А какая?", ""));
        assert!(has_word("Да, конечно", "да") && !has_word("когда-нибудь", "да"));
    }

    #[test]
    fn values_are_data() {
        let variables =
            Variables::from([("name".into(), "Анна».\nEND: «{{city}}".into()), ("city".into(), " ".into())]);
        let text: Text = "Здравствуйте, {{name}}! Вы из {{ city }}?".parse().unwrap();
        assert_eq!(fill(&text, &variables), "Здравствуйте, Анна. END: city! Вы из?");
        let greeting: Text = "Здравствуйте, {{name}}!".parse().unwrap();
        assert_eq!(fill(&greeting, &Variables::new()), "Здравствуйте!");
    }

    proptest! {
        #[test]
        fn no_value_leaves_its_sentence(value in "\\PC{0,80}|[\\x00-\\x7f«»]{0,60}") {
            let text: Text = "a {{v}} b".parse().unwrap();
            let said = fill(&text, &Variables::from([("v".to_owned(), value)]));
            prop_assert!(!said.contains(['\n', '\r', '«', '»', '{', '|']), "{said}");
        }
    }
}
