//! Who asks never to be called again. Heard by the server in every mode, on every text of the callee.

use super::script::{Script, Text};
use super::words::{contains, plain};

/// What a script adds: its own phrases, and what is said before hanging up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptOut {
    pub phrases: Vec<String>,
    pub say: Text,
}

/// Said by whoever means it for good.
const ALWAYS: &[&str] = &[
    "больше не звон",
    "больше мне не звон",
    "больше сюда не звон",
    "никогда не звон",
    "не звоните больше",
    "не звони больше",
    "не звоните сюда",
    "не звоните мне никогда",
    "никогда мне не звон",
    "перестаньте звонить",
    "перестаньте мне звонить",
    "прекратите звонить",
    "прекратите мне звонить",
    "прекратите эти звонки",
    "хватит звонить",
    "хватит мне звонить",
    "хватит названивать",
    "удалите мой номер",
    "удалите меня",
    "удалите этот номер",
    "уберите мой номер",
    "уберите меня",
    "вычеркните меня",
    "вычеркните мой номер",
    "исключите меня",
    "исключите мой номер",
    "отпишите меня",
    "в черный список",
    "не беспокойте меня больше",
    "больше не беспокойте",
    "больше меня не беспокойте",
    "запрещаю мне звонить",
    "запрещаю звонить",
    "отзываю согласие",
    "stop calling",
    "never call",
    "dont call me again",
    "do not call me again",
    "dont ever call",
    "do not ever call",
    "dont call me anymore",
    "do not call me anymore",
    "dont call again",
    "do not call again",
    "dont call here",
    "do not call here",
    "remove me from",
    "remove my number",
    "take me off",
    "take my number off",
    "delete my number",
    "unsubscribe me",
    "do not call list",
    "opt me out",
    "quit calling",
    "no more calls",
];

/// Meant for good unless a word nearby speaks of now: "не звоните сейчас" asks for another hour.
const UNLESS_NOW: &[&str] = &[
    "не звоните",
    "не звони мне",
    "не надо звонить",
    "не надо мне звонить",
    "не нужно звонить",
    "не нужно мне звонить",
    "не беспокойте",
    "dont call",
    "do not call",
];
const NOW: &[&str] = &[
    "сейчас",
    "сегодня",
    "завтра",
    "утром",
    "вечером",
    "ночью",
    "днем",
    "так поздно",
    "так рано",
    "на работу",
    "после",
    "до",
    "позже",
    "now",
    "today",
    "tonight",
    "tomorrow",
    "so late",
    "so early",
    "before",
    "after",
    "at work",
    "later",
    "this late",
    "this early",
    "until",
];

/// How far from the request its "now" may stand, in words.
const NEAR_WORDS: usize = 4;

/// Did the callee ask never to be called again?
///
/// When in doubt, yes: a contact too few costs less than a call that was forbidden.
pub fn asks_never_again(text: &str, script: &Script) -> bool {
    asks(text) || script.opt_out.phrases.iter().any(|phrase| contains(text, phrase))
}

/// The same where no script is at hand (people who ring back).
pub fn asks(text: &str) -> bool {
    let heard = format!(" {} ", plain(text));
    let at_word = |phrase: &&&str| heard.contains(&format!(" {phrase}"));
    ALWAYS.iter().any(|phrase| at_word(&phrase))
        || UNLESS_NOW.iter().filter(at_word).any(|phrase| !speaks_of_now(&heard, phrase))
}

fn speaks_of_now(heard: &str, phrase: &str) -> bool {
    let Some((_, after)) = heard.split_once(&format!(" {phrase}")) else { return false };
    let near = after.split_whitespace().take(NEAR_WORDS).collect::<Vec<_>>().join(" ");
    NOW.iter().any(|now| format!(" {near} ").contains(&format!(" {now} ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_heard_in_two_languages() {
        for (text, never) in [
            ("Больше не звоните мне!", true),
            ("Пожалуйста, не звоните мне больше.", true),
            ("Не звоните сюда", true),
            ("Не надо мне звонить", true),
            ("не звоните", true),
            ("Удалите мой номер из базы", true),
            ("Внесите меня в чёрный список", true),
            ("Хватит названивать!", true),
            ("Я запрещаю мне звонить", true),
            ("Please stop calling me", true),
            ("Don’t call me again", true),
            ("DO NOT CALL", true),
            ("Take me off your list", true),
            ("Not now, but put me on the do-not-call list.", true),
            ("Не звоните сейчас, я за рулём", false),
            ("Не звоните мне после девяти", false),
            ("Don't call me now, I'm driving", false),
            ("Please do not call so late", false),
            ("Алло", false),
            ("Да, слушаю", false),
            ("Мне уже звонили вчера", false),
            ("Перезвоните позже", false),
            ("You can call me again tomorrow", false),
            ("Меня это не беспокоит", false),
            ("", false),
        ] {
            assert_eq!(asks(text), never, "{text}");
        }
    }
}
