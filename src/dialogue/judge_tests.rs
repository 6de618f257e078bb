//! Transcripts and what was reached in them.

use super::super::Variables;
use super::super::replier::tests::{anna, play};
use super::super::script::tests::DEMO;
use super::*;
use proptest::prelude::*;

fn demo() -> Script {
    Script::parse(DEMO).unwrap()
}

fn exchange(heard: &str, said: &str) -> Exchange {
    Exchange { heard: Some(heard.to_owned()), said: said.to_owned() }
}

/// What the built-in replier makes of these texts, as a transcript, and the goal that it recorded.
fn played(texts: &[&str]) -> (Vec<Exchange>, bool) {
    let replies = play(&demo(), texts);
    let goal = replies.last().is_some_and(|reply| reply.goal);
    let transcript = texts.iter().zip(&replies[1..]).map(|(heard, reply)| exchange(heard, &reply.reply_text));
    (transcript.collect(), goal)
}

const TALK: [&str; 5] = ["Да, удобно, говорите.", "Да, есть.", "Вторник и четверг.", "Да, конечно.", "До свидания."];

#[test]
fn a_conversation_that_reached_its_goal_is_seen_to() {
    let (transcript, goal) = played(&TALK);
    let found = by_rules(&demo(), &anna(), &transcript);
    assert!(goal && found.goal, "{}", found.why);
    assert_eq!(found.why["reached"], json!(["greeting", "need", "time", "trial"]));
}

/// The guard: `note_said` in `by_rules`. An agent who never said a phase has nothing answered to it.
#[test]
fn what_the_agent_did_not_say_was_not_reached() {
    let (mut transcript, _) = played(&TALK);
    transcript[1].said = "Погода сегодня хорошая.".into();
    transcript[2].said = "Ну что же.".into();
    let found = by_rules(&demo(), &anna(), &transcript);
    assert!(!found.goal);
    assert_eq!(found.why["missing_phases"], json!(["time", "trial"]));
}

/// The guard: `over` in `by_rules`.
#[test]
fn what_is_said_after_the_goodbye_reaches_nothing_but_an_opt_out_counts() {
    let (mut transcript, _) = played(&TALK[..2]);
    transcript.push(exchange("До свидания", "Всего доброго!"));
    let cut = by_rules(&demo(), &anna(), &transcript);
    let (whole, _) = played(&TALK);
    transcript.extend(whole.into_iter().skip(2));
    let found = by_rules(&demo(), &anna(), &transcript);
    assert_eq!(found.why, cut.why);
    let (mut happy, _) = played(&TALK);
    assert!(by_rules(&demo(), &anna(), &happy).goal);
    happy.push(exchange("Больше мне никогда не звоните", ""));
    assert!(!by_rules(&demo(), &anna(), &happy).goal);
}

#[test]
fn a_call_in_which_nobody_was_heard_is_silent() {
    assert!(is_silent(&[]));
    assert!(is_silent(&[Exchange { heard: None, said: "Алло?".into() }, exchange(" … ", "Алло?")]));
    assert!(!is_silent(&[exchange("да", "")]));
}

proptest! {
    /// One rule, two ways: what the replier recorded turn by turn is what the judge reads out of its words.
    #[test]
    fn the_rules_judge_a_conversation_as_they_played_it(drawn in prop::collection::vec(0_usize..9, 0..24)) {
        const SAYS: [&str; 9] = [
            "Да", "Нет, не надо", "", "А сколько это стоит?", "Вторник", "До свидания", "Больше мне никогда не звоните",
            "Перезвоните завтра в пять", "Ну ладно, хорошо",
        ];
        let texts: Vec<&str> = drawn.iter().map(|place| SAYS[*place]).collect();
        let (transcript, goal) = played(&texts);
        prop_assert_eq!(by_rules(&demo(), &anna(), &transcript).goal, goal);
    }

    /// Whatever a model answers is a finding or a refusal.
    #[test]
    fn no_answer_of_a_model_breaks_the_reading(said in "\\PC{0,60}|\\{[\\x20-\\x7e]{0,60}\\}") {
        let _ = read(&demo(), &said);
    }
}

/// The guard: `rubric` speaks of the script alone. Neither the contact's values nor anything of the call is in it.
#[test]
fn a_model_is_told_the_script_and_the_words_and_nothing_else() {
    let (transcript, _) = played(&TALK);
    let asked = question(&demo(), &transcript);
    assert_eq!(asked.len(), 2);
    assert_eq!(asked[0]["content"], rubric(&demo()));
    assert!(!rubric(&demo()).contains("Анна") && rubric(&demo()).contains("{{name}}"));
    let said: Value = serde_json::from_str(asked[1]["content"].as_str().unwrap()).unwrap();
    let lines = said.as_array().unwrap();
    assert_eq!(lines.len(), 8, "four times heard and said");
    assert!(lines.iter().all(|line| line.as_object().unwrap().keys().all(|key| key == "callee" || key == "agent")));
    let rubric = rubric_of_model(&demo(), "m");
    assert_ne!(rubric, rubric_of_model(&demo(), "n"));
    assert_ne!(rubric, rubric_of_rules(DEMO));
}

#[test]
fn a_model_s_answer_is_judged_by_the_script() {
    let script = demo();
    let all = r#"```json
{"phases":[1,2,3,4],"answers":[1],"opt_out":false,"why":"Agreed to a «trial»."}
```"#;
    let found = read(&script, all).unwrap();
    assert!(found.goal);
    assert_eq!(found.why["said"], "Agreed to a trial.");
    assert!(!read(&script, r#"{"phases":[1,2,4]}"#).unwrap().goal);
    assert!(!read(&script, r#"{"phases":[1,2,3,4],"opt_out":true}"#).unwrap().goal, "an opt-out is no success");
    for (said, why) in [
        ("", "answered without a verdict"),
        ("I think so", "answered without a verdict"),
        (r#"{"goal":true}"#, "answered without a verdict"),
        (r#"{"phases":[0]}"#, "found a phase 0 that there is not"),
        (r#"{"phases":[5]}"#, "found a phase 5 that there is not"),
        (r#"{"phases":[1],"answers":[9]}"#, "found an answer 9 that there is not"),
    ] {
        assert_eq!(read(&script, said).unwrap_err(), why, "{said}");
    }
}

#[test]
fn values_of_the_list_are_no_part_of_a_rubric_but_of_what_was_said() {
    let (transcript, _) = played(&TALK);
    assert!(!by_rules(&demo(), &Variables::new(), &transcript[..2]).goal);
}

/// Whoever hangs up after the last question took it with them: `dialog` has recorded it by then, and so is a model's call read.
#[test]
fn what_a_model_could_not_tell_is_what_the_replier_had_recorded() {
    let (transcript, goal) = played(&TALK);
    for cut in 1..=transcript.len() {
        let (found, answers) = untold(&demo(), &anna(), &transcript[..cut]);
        let recorded = play(&demo(), &TALK[..cut]).pop().expect("a reply");
        assert_eq!((found, &answers), (recorded.goal, &recorded.answers), "after {cut} turns");
    }
    assert!(goal);
}
