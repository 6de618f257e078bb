//! What is wrong with the text of a `.env`: for us, and for shells and Docker, which read it otherwise.
//!
//! Values are never shown: one of them is a key.

use super::{Finding, Level};
use std::collections::BTreeMap;

const CHECK: &str = "env";
/// Names that begin so are meant for us, or for what we replace.
const OUR_PREFIXES: &[&str] = &["VOX", "HALO"];
/// A name this close to one of ours is a slip of the keyboard.
const SLIP_MAX: usize = 3;
/// Left from an example file.
const PLACEHOLDERS: &[&str] =
    &["example.com", "xxxx", "changeme", "change-me", "change_me", "your-", "your_", "such as", "a secret"];
const TYPOGRAPHIC: &[char] = &['“', '”', '„', '‘', '’', '«', '»'];

/// Everything found, by line; `known` are the settings that are read.
pub fn damages(text: &str, known: &[&str]) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let text = match text.strip_prefix('\u{feff}') {
        Some(rest) => {
            found.push(warning(1, "begins with a byte order mark, which shells and Docker take for a part of the first name: save it as UTF-8 without one"));
            rest
        }
        None => text,
    };
    if let Some(at) = text.lines().position(|_| true).filter(|_| text.contains("\r\n")) {
        found.push(warning(at + 1, "ends its lines as Windows does, which shells and Docker take for a part of the values: save it with Unix line ends"));
    }
    for (nth, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let assignment = match line.strip_prefix("export ") {
            Some(rest) => {
                found.push(warning(nth, "begins with `export`, which Docker does not understand: leave it out"));
                rest.trim_start()
            }
            None => line,
        };
        let Some((name, value)) = assignment.split_once('=') else {
            found.push(failed(nth, "is neither a comment nor NAME=value; nothing below it is read"));
            continue;
        };
        let (plain, value) = (name.trim_end(), value);
        if !is_name(plain) {
            found.push(failed(nth, "has a name that is none; nothing below it is read"));
            continue;
        }
        let empty = value.trim_start().is_empty() || value.trim_start().starts_with('#');
        if plain != name || (!empty && value.starts_with(char::is_whitespace)) {
            found.push(warning(
                nth,
                &format!("{plain}: spaces around = , which shells and Docker do not take: leave them out"),
            ));
        }
        if let Some(first) = seen.insert(plain, nth) {
            seen.insert(plain, first);
            found.push(warning(
                nth,
                &format!("{plain} stands in line {first} already, and that one counts: leave one of them"),
            ));
        }
        if let Some(told) = stranger(plain, known) {
            found.push(warning(nth, &told));
            continue;
        }
        if let Some((level, told)) = value_damage(value.trim_start()).filter(|_| !empty) {
            found.push(Finding { check: CHECK, level, told: format!(".env line {nth}: {plain}: {told}") });
        }
    }
    found
}

fn warning(line: usize, told: &str) -> Finding {
    Finding::warning(CHECK, format!(".env line {line}: {told}"))
}

fn failed(line: usize, told: &str) -> Finding {
    Finding::failed(CHECK, format!(".env line {line}: {told}"))
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.')
}

/// A name of ours that nobody reads, or one that was meant to be ours.
fn stranger(name: &str, known: &[&str]) -> Option<String> {
    if known.contains(&name) {
        return None;
    }
    let upper = name.to_ascii_uppercase();
    let nearest = known.iter().map(|known| (distance(&upper, known), *known)).min();
    let (far, nearest) = nearest?;
    let ours = OUR_PREFIXES.iter().any(|prefix| upper.starts_with(prefix));
    match (far <= SLIP_MAX, ours) {
        (true, _) => Some(format!("{name} is not read: did you mean {nearest}?")),
        (false, true) => Some(format!("{name} is not read: .env.example has every name")),
        (false, false) => None,
    }
}

/// Steps from one name to the other (Levenshtein, 1966).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<u8> = b.bytes().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let swapped = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = swapped.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

/// What becomes of a value as it stands, if that is not what was meant.
fn value_damage(value: &str) -> Option<(Level, String)> {
    let failed = |told: &str| Some((Level::Failed, told.to_owned()));
    let first = value.chars().next()?;
    if TYPOGRAPHIC.contains(&first) || value.trim_end().ends_with(TYPOGRAPHIC) {
        return failed("typographic quotes are a part of the value: use \" or '");
    }
    let content = match first {
        '"' | '\'' => {
            let rest = &value[1..];
            let Some(end) = rest.find(first) else {
                return failed("its quote is not closed; the lines below it are lost");
            };
            let after = rest[end + 1..].trim_start();
            if !after.is_empty() && !after.starts_with('#') {
                return failed("something follows the closing quote; nothing below it is read");
            }
            &rest[..end]
        }
        _ => {
            let comment = value.char_indices().find(|(at, c)| *c == '#' && value[..*at].ends_with(char::is_whitespace));
            let plain = comment.map_or(value, |(at, _)| &value[..at]).trim_end();
            if plain.contains('#') && plain.contains(char::is_whitespace) {
                return failed("a comment begins without a space before its #; nothing below it is read");
            }
            if plain.contains(char::is_whitespace) {
                return failed("a value with spaces needs quotes; nothing below it is read");
            }
            plain
        }
    };
    let lower = content.to_lowercase();
    if PLACEHOLDERS.iter().any(|left| lower.contains(left)) || (lower.starts_with('<') && lower.ends_with('>')) {
        return failed("still holds an example's value");
    }
    if first != '\'' && content.contains('$') {
        return failed("what follows its $ is taken for a variable's name: put the value into '…'");
    }
    if first != '\'' && first != '"' && content.contains('#') {
        let told = "holds a # without a space before it, so all of it is the value: put a space before a comment, or quotes around the value";
        return Some((Level::Warning, told.to_owned()));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::NAMES;

    fn told(text: &str) -> Vec<String> {
        damages(text, NAMES).into_iter().map(|f| format!("{} {}", f.level, f.told)).collect()
    }

    #[test]
    fn the_example_has_no_damage() {
        assert_eq!(told(include_str!("../../.env.example")), Vec::<String>::new());
    }

    #[test]
    fn each_damage_is_found_where_it_is() {
        for (text, says) in [
            ("HALO_CPS_MAX=1# slow", "failed .env line 1: HALO_CPS_MAX: a comment begins without a space before its #"),
            ("HALO_CPS_MAX=1#slow", "warning .env line 1: HALO_CPS_MAX: holds a # without a space"),
            ("API_AUTH_KEY=“k”", "failed .env line 1: API_AUTH_KEY: typographic quotes"),
            ("API_AUTH_KEY=two words", "failed .env line 1: API_AUTH_KEY: a value with spaces needs quotes"),
            ("API_AUTH_KEY=\"open", "failed .env line 1: API_AUTH_KEY: its quote is not closed"),
            ("API_AUTH_KEY=\"a\" b", "failed .env line 1: API_AUTH_KEY: something follows the closing quote"),
            ("API_AUTH_KEY=a$b", "failed .env line 1: API_AUTH_KEY: what follows its $"),
            ("\n# c\nexport API_AUTH_KEY=a", "warning .env line 3: begins with `export`"),
            ("API_AUTH_KEY=a\nAPI_AUTH_KEY=b", "warning .env line 2: API_AUTH_KEY stands in line 1 already"),
            ("API_AUTH_KEY=a\r\n", "warning .env line 1: ends its lines as Windows does"),
            ("\u{feff}API_AUTH_KEY=a", "warning .env line 1: begins with a byte order mark"),
            ("API_AUTH_KEY =a", "warning .env line 1: API_AUTH_KEY: spaces around ="),
            ("API_AUTH_KEY= a", "warning .env line 1: API_AUTH_KEY: spaces around ="),
            (
                "VOXIMPLANT_ACOUNT_ID=1",
                "warning .env line 1: VOXIMPLANT_ACOUNT_ID is not read: did you mean VOXIMPLANT_ACCOUNT_ID?",
            ),
            ("halo_listen=1", "warning .env line 1: halo_listen is not read: did you mean HALO_LISTEN?"),
            ("VOX_COLOUR_OF_THE_SKY=1", "warning .env line 1: VOX_COLOUR_OF_THE_SKY is not read: .env.example"),
            ("BACKEND_URL=https://halo.example.com", "failed .env line 1: BACKEND_URL: still holds an example's value"),
            ("VOXIMPLANT_CALLER_ID=+7XXXXXXXXXX # mine", "failed .env line 1: VOXIMPLANT_CALLER_ID: still holds"),
            ("OPENAI_API_KEY=<key>", "failed .env line 1: OPENAI_API_KEY: still holds"),
            ("BACKEND_URL", "failed .env line 1: is neither a comment nor"),
            ("1X=2", "failed .env line 1: has a name that is none"),
        ] {
            let found = told(text);
            assert!(found.len() == 1 && found[0].starts_with(says), "{text}: {found:?}");
            // dotenvy leaves a byte order mark out when it loads. What it cannot read has failed, and says so.
            let readable =
                dotenvy::from_read_iter(text.trim_start_matches('\u{feff}').as_bytes()).all(|line| line.is_ok());
            assert_eq!(readable, !found[0].contains("is read") && !found[0].contains("are lost"), "{text}: {found:?}");
        }
    }

    #[test]
    fn what_is_well_is_not_complained_about() {
        for text in [
            "",
            "# only a comment\n\n",
            "API_AUTH_KEY=abc # a comment",
            "API_AUTH_KEY='a$b#c'",
            "API_AUTH_KEY=\"two words # no comment\" # a comment",
            "API_AUTH_KEY=",
            "API_AUTH_KEY=   # nothing",
            "PATH_OF_SOMEBODY_ELSE=1",
        ] {
            assert_eq!(told(text), Vec::<String>::new(), "{text}");
        }
    }
}
