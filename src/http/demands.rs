//! What a policy demands of the words: who calls and that a machine speaks, that a recording is announced. Held
//! against the script when a campaign is taken in, for every manner in which a mode may talk.

use crate::dialogue::words::fill;
use crate::dialogue::{Manner, Script, Variables, told};
use crate::domain::settings::Settings;
use crate::intake::policy::{Cited, Policy};

/// Everything that the policy misses in the script, with the line to mend and the cure.
pub fn missing(policy: &Policy, settings: &Settings, text: &str, script: &Script) -> Vec<String> {
    let at = persona_line(text).map(|line| format!("line {line}: ")).unwrap_or_default();
    let asks = |cited: &Cited| {
        let read = if cited.unverified { "; unverified" } else { "" };
        format!("policy `{}` demands it ({}{read})", policy.name, cited.clause)
    };
    let mut faults = Vec::new();
    if let Some(cited) = &policy.disclosure {
        match &script.persona.disclosure {
            None => faults.push(format!(
                "{at}persona.disclosure: missing, and {}; write a sentence that says who calls and that a program \
                 speaks",
                asks(cited)
            )),
            Some(sentence) => {
                let nobody = Variables::new();
                let sentence = fill(sentence, &nobody);
                for manner in Manner::ALL {
                    if !told(script, manner, &nobody).opens_with(&sentence) {
                        faults.push(format!(
                            "{at}persona.disclosure: not in the first turn of a mode that talks as `{}`, and {}; \
                             write a script with phases",
                            manner.as_str(),
                            asks(cited)
                        ));
                    }
                }
            }
        }
    }
    if let Some(cited) = policy.recording.as_ref().filter(|_| settings.dial.record)
        && script.persona.recording.is_none()
    {
        faults.push(format!(
            "{at}persona.recording: missing, with record = true, and {}; write the sentence that announces the \
             recording, or leave record out",
            asks(cited)
        ));
    }
    faults
}

/// Where the sentences belong, in a text that has lines.
fn persona_line(text: &str) -> Option<usize> {
    text.lines().position(|line| line.trim_start().starts_with("[persona]")).map(|place| place + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::import::PLAIN_SCRIPT;
    use crate::intake::policy::find;
    use crate::intake::settings::parse;

    fn faults(policy: &str, purpose: &str, record: bool, script: &str) -> Vec<String> {
        let modes = ["dialog".parse().unwrap()].into();
        let text = format!("name = 'x'\npurpose = '{purpose}'\npolicy = '{policy}'\n[dial]\nrecord = {record}");
        let settings = parse(&text, &modes).unwrap();
        missing(&find(policy).unwrap(), &settings, script, &Script::parse(script).unwrap())
    }

    /// The guards: the two demands of `missing`.
    #[test]
    fn a_script_without_the_sentences_is_refused_where_they_are_demanded() {
        let mute = PLAIN_SCRIPT.replace("disclosure = \"С вами говорит программа.\"\n", "");
        assert_ne!(mute, PLAIN_SCRIPT);
        let line = 1 + PLAIN_SCRIPT.lines().position(|line| line == "[persona]").unwrap();
        for (policy, purpose) in [("ru-debt", "debt"), ("us", "service")] {
            assert_eq!(faults(policy, purpose, false, PLAIN_SCRIPT), Vec::<String>::new());
            let said = faults(policy, purpose, true, &mute).join("\n");
            for part in [
                format!("line {line}: persona.disclosure: missing, and policy `{policy}` demands it ("),
                "write a sentence that says who calls".to_owned(),
                format!("line {line}: persona.recording: missing, with record = true"),
                "; unverified)".to_owned(),
            ] {
                assert!(said.contains(&part), "{part}: {said}");
            }
            let notice = "[persona]\nrecording = \"Разговор записывается.\"";
            assert!(faults(policy, purpose, true, &PLAIN_SCRIPT.replace("[persona]", notice)).is_empty());
        }
        assert!(faults("safe", "survey", true, &mute).is_empty());
    }

    /// A free text opens as it likes, and so discloses nothing that we could promise.
    #[test]
    fn every_manner_carries_the_disclosure_or_is_named() {
        let script = Script::parse(PLAIN_SCRIPT).unwrap();
        let sentence = script.persona.disclosure.clone().unwrap();
        for manner in Manner::ALL {
            assert!(told(&script, manner, &Variables::new()).opens_with(sentence.as_str()), "{manner:?}");
        }
        let mut free = Script::parse(r#"{ "prompt": "Speak of the weather." }"#).unwrap();
        free.persona.disclosure = Some(sentence);
        let policy = find("ru-debt").unwrap();
        let settings = parse("name = 'x'\npurpose = 'debt'\npolicy = 'ru-debt'", &["dialog".parse().unwrap()].into());
        let said = missing(&policy, &settings.unwrap(), "", &free).join("\n");
        assert!(said.contains("not in the first turn of a mode that talks as `own`"), "{said}");
    }
}
