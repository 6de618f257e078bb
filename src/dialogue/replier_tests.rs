//! Conversations as tables: what the callee says, what is answered, what is reached.

use super::super::script::tests::DEMO;
use super::*;
use chrono_tz::Europe::Moscow;
use proptest::prelude::*;

const NOW: Timestamp = Timestamp(1_795_165_200_000);

fn demo() -> Script {
    Script::parse(DEMO).unwrap()
}

pub fn anna() -> Variables {
    [("name", "Анна"), ("city", "Омск"), ("interest", "бассейн")].map(|(k, v)| (k.to_owned(), v.to_owned())).into()
}

fn hear<'a>(text: &'a str) -> Heard<'a> {
    Heard::Text { text, now: NOW, zone: Moscow }
}

/// Plays a conversation to its end; the record travels as JSON, as it does between two processes.
pub fn play(script: &Script, texts: &[&str]) -> Vec<Reply> {
    let mut replies = vec![reply(script, &anna(), &Record::default(), Heard::Opening)];
    for text in texts {
        let last = replies.last().expect("the opening is there");
        if last.end_session {
            break;
        }
        let record: Record = serde_json::from_str(&serde_json::to_string(&last.record).unwrap()).unwrap();
        replies.push(reply(script, &anna(), &record, hear(text)));
    }
    replies
}

fn said(replies: &[Reply]) -> Vec<&str> {
    replies.iter().map(|r| r.reply_text.as_str()).collect()
}

const HELLO: &str = "Здравствуйте, Анна! Меня зовут Марина, я звоню по поводу абонемента. \
                     Предупреждаю сразу: это учебный звонок, с вами говорит программа.";
const NEED: &str = "Я живу в городе Омск и ищу клуб рядом с домом. Мне интересны бассейн. У вас такое есть?";
const TIME: &str = "Мне подходят будни после семи вечера. В какие дни лучше приходить?";
const TRIAL: &str = "Хорошо. Можно ли сначала прийти на одно пробное занятие?";
const BYE: &str = "Спасибо вам, я всё узнала. До встречи и всего доброго!";

#[test]
fn a_plain_conversation_reaches_its_goal_in_five_turns() {
    let replies =
        play(&demo(), &["Да, удобно, говорите.", "Да, есть.", "Вторник и четверг.", "Да, конечно.", "До свидания."]);
    assert_eq!(said(&replies), [HELLO, NEED, TIME, TRIAL, BYE]);
    let goals: Vec<bool> = replies.iter().map(|r| r.goal).collect();
    assert_eq!(goals, [false, false, false, false, true]);
    let last = replies.last().unwrap();
    assert!(last.end_session && !last.opt_out);
    assert_eq!(
        serde_json::to_string(&last.answers).unwrap(),
        r#"{"has_it":true,"days":"Вторник и четверг.","trial":true}"#
    );
}

#[test]
fn a_topic_goes_before_the_next_phase_and_comes_once() {
    let price = "Я рассчитываю примерно на пять тысяч рублей в месяц, больше пока не готова.";
    let replies = play(&demo(), &["А сколько это СТОИТ?", "Сколько стоит, говорю?", "Да", "Среда", "Нет, нельзя"]);
    assert_eq!(said(&replies), [HELLO, price, NEED, TIME, TRIAL, BYE]);
    // A question is no answer, and a refusal is one.
    assert!(replies.last().unwrap().goal);
    assert_eq!(replies.last().unwrap().answers["trial"], json!(false));
}

#[test]
fn ends_that_reach_no_goal() {
    for (texts, goodbye, opt_out, turns) in [
        (
            &["Да", "Больше мне никогда не звоните"][..],
            "Поняла вас, больше мы звонить не будем. Всего доброго!",
            true,
            3,
        ),
        (&["Please stop calling me"], "Поняла вас, больше мы звонить не будем. Всего доброго!", true, 2),
        (&["Извините, мне это неинтересно, до свидания."], BYE, false, 2),
        (&["", " … ", "?!"], BYE, false, 4),
    ] {
        let replies = play(&demo(), texts);
        let last = replies.last().unwrap();
        assert_eq!(
            (last.reply_text.as_str(), last.opt_out, last.goal, last.end_session),
            (goodbye, opt_out, false, true)
        );
        assert_eq!(replies.len(), turns, "{texts:?}");
    }
}

#[test]
fn silence_is_asked_about_and_does_not_lose_the_thread() {
    let replies = play(&demo(), &["", "Да, слушаю", "Да", "", "Среда", "Да"]);
    let alive = "Алло, вы меня слышите?";
    assert_eq!(said(&replies), [HELLO, alive, NEED, TIME, alive, TRIAL, BYE]);
    assert!(replies.last().unwrap().goal);
}

#[test]
fn a_promised_call_back_has_its_time() {
    let script = Script::parse(include_str!("../../campaigns/operator/script.toml")).unwrap();
    for (text, minutes) in [("Перезвоните через час", 60), ("Мне сейчас некогда", 180)]
    {
        let reply = reply(&script, &anna(), &Record::default(), hear(text));
        assert_eq!(reply.callback_at, Some(NOW.plus_s(minutes * 60)), "{text}");
        assert!(reply.end_session && !reply.goal && !reply.opt_out);
    }
}

#[test]
fn answers_are_read_from_what_was_said() {
    let script = Script::parse(include_str!("../../campaigns/operator/script.toml")).unwrap();
    let replies = play(&script, &["Да", "Да нет, не очень", "Наверное, четыре", "Ничего, «спасибо»"]);
    assert_eq!(
        serde_json::to_string(&replies.last().unwrap().answers).unwrap(),
        r#"{"on_time":false,"score":4,"wishes":"Ничего, спасибо"}"#
    );
    assert!(replies.last().unwrap().goal);
}

#[test]
fn after_the_goodbye_there_is_only_the_goodbye() {
    let end = play(&demo(), &["не звоните"]).pop().unwrap();
    for heard in [hear("Подождите!"), hear(""), Heard::Opening] {
        let again = reply(&demo(), &anna(), &end.record, heard);
        assert_eq!(again, end);
    }
}

/// The greeting travels in the grant, so a scenario may never ask for the opening.
#[test]
fn without_an_opening_the_first_answer_is_the_second_phase() {
    assert_eq!(reply(&demo(), &anna(), &Record::default(), hear("Алло, да.")).reply_text, NEED);
}

#[test]
fn a_talkative_callee_is_taken_leave_of() {
    let script = Script::parse(&DEMO.replace("turns_max = 12", "turns_max = 2")).unwrap();
    let replies = play(&script, &["Да", "Сколько стоит?", "Да"]);
    assert_eq!(said(&replies), [HELLO, NEED, BYE]);
    assert!(!replies.last().unwrap().goal);
}

proptest! {
    /// Whatever is said: it ends within the script's turns, says the same again, and never panics.
    #[test]
    fn every_conversation_ends_and_repeats_itself(texts in prop::collection::vec("\\PC{0,30}|да|нет|сколько стоит|", 14)) {
        let script = demo();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let replies = play(&script, &texts);
        prop_assert!(replies.last().unwrap().end_session);
        prop_assert!(replies.len() as u32 <= script.turns_max + 1);
        prop_assert!(replies.iter().all(|r| !r.reply_text.is_empty()));
        prop_assert_eq!(&play(&script, &texts), &replies);
    }
}
