//! What a script may say, and what is refused and how.

use super::*;
use serde_json::json;

pub const DEMO: &str = include_str!("../../campaigns/demo/script.toml");

fn faults(text: &str) -> Vec<String> {
    Script::parse(text).unwrap_err().list()
}

#[test]
fn the_demo_is_understood() {
    let script = Script::parse(DEMO).unwrap();
    let phases: Vec<&str> = script.phases.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(phases, ["greeting", "need", "time", "trial"]);
    assert_eq!(script.variables(), BTreeSet::from(["city", "interest", "name"]));
    assert_eq!(script.success.phases.len(), 4);
    assert_eq!(script.answers[0].kind, AnswerKind::YesNo);
}

#[test]
fn the_smallest_script() {
    let script = Script::parse(
        "[persona]\nname = 'A'\ngoal = 'b'\n[[phases]]\nname = 'greeting'\nsay = 'Hello!'\n[closing]\nsay = 'Bye!'",
    )
    .unwrap();
    assert_eq!(script.language, "ru-RU");
    assert_eq!(script.success.phases, BTreeSet::from(["greeting".to_owned()]), "without a rule: all phases");
    assert_eq!((script.turns_max, script.silence.times_max), (20, 2));
}

#[test]
fn a_script_may_be_json() {
    let json =
        r#"{"persona":{"name":"A","goal":"b"},"phases":[{"name":"greeting","say":"Hello!"}],"closing":{"say":"Bye!"}}"#;
    assert_eq!(Script::parse(json).unwrap().closing.as_str(), "Bye!");
}

#[test]
fn all_faults_at_once_each_with_its_cure() {
    let text = r#"
language = "russian"
colour = "red"
model = "x"
[persona]
name = "A"
[[phases]]
name = "Greeting Phase"
say = "Hello {{Имя клиента}}!"
[[phases]]
name = "ask"
say = "Say «yes»"
[[phases]]
name = "twice"
say = "One"
[[phases]]
name = "twice"
say = "{{unclosed"
[[phases]]
name = "twice"
say = "Two"
[[reactions]]
if = ["a|b"]
[[topics]]
if = []
say = "x"
[success]
phases = ["nosuch"]
answers = { nothing = true, fine = ["perhaps"] }
[[answers]]
name = "fine"
type = "yes_no"
after = "twice"
[[answers]]
name = "score"
type = "stars"
after = "later"
[[answers]]
name = "kind"
type = "choice"
after = "twice"
"#;
    assert_eq!(
        faults(text),
        [
            "language: found `russian`; write a language and a country, as in ru-RU",
            "persona.goal: missing; say what the call is for",
            "phases[0].name: found `Greeting Phase`; use lower-case letters, digits and _",
            "phases[0].say: found `Hello {{Имя клиента}}!`; write `Имя клиента` as in the list's header, in lower case and with _ between words",
            "phases[1].say: found `Say «yes»`; leave out « » and control characters: sentences are quoted with « » themselves",
            "phases[3].say: found `{{unclosed`; close every {{variable}}",
            "phases: `twice` stands twice; give each phase its own name",
            "topics[0].if: found no words; list at least one",
            "reactions[0].if: found `a|b`; write words without | « »",
            "reactions[0].say: missing; write the sentence that is said",
            "closing: missing; write [closing] with say: how the agent takes its leave",
            "answers[1].after: no phase `later`; name a phase of this script",
            "answers[1].type: found `stars`; write text, yes_no, number or choice",
            "answers[2].choices: found none; write [[answers.choices]] with value and if",
            "success.phases: no phase `nosuch`; name phases of this script",
            "success.answers: no answer `nothing`; name answers of this script",
            "success.answers: `fine` can never be \"perhaps\"; write values of the answer's type, or its name alone",
            "colour: unknown key; known here: language, voice, voices, persona, phases, topics, reactions, objections, closing, end, answers, success, opt_out, silence, filler, callback",
            "model: another model by script: known, but not obeyed yet; leave it out; nothing would follow",
        ]
    );
    assert_eq!(faults("").len(), 3, "persona, phases, closing");
}

#[test]
fn a_success_may_ask_for_an_answer_s_value() {
    let rule = |answers: &str| {
        let text = DEMO.replace("[success]\n", &format!("[success]\nanswers = {answers}\n"));
        Script::parse(&text).unwrap().success
    };
    let given = |value: Value| serde_json::Map::from_iter([("trial".to_owned(), value)]);
    let is_met = |answers: &str, value: Value| rule(answers).lacks(&given(value)).next().is_none();
    for (answers, value, met) in [
        (r#"["trial"]"#, json!(false), true),
        (r#"{ trial = true }"#, json!(true), true),
        (r#"{ trial = true }"#, json!(false), false),
        (r#"{ trial = "да" }"#, json!(true), true),
        (r#"{ trial = [true, false] }"#, json!(false), true),
        (r#"["trial", "days"]"#, json!(true), false),
    ] {
        assert_eq!(is_met(answers, value.clone()), met, "{answers} {value}");
    }
    assert_eq!(rule(r#"{ trial = true, days = [] }"#).told(), "days, trial (true)");
}
